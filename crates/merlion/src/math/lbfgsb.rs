//! Minimisation of a smooth function inside a box, for a few to some hundreds of variables.
//!
//! A limited-memory quasi-Newton method with two-metric projection: variables held at a bound by the gradient are set aside,
//! the L-BFGS direction is computed among the others, and the line search follows the projected path `P(x + t d)`.
//! It costs `O(memory · n)` per iteration beside the function's own cost.
//!
//! ```
//! use merlion::math::lbfgsb::Minimizer;
//!
//! // The nearest point to (2, 3) in the unit square.
//! let distance = |x: &[f64], gradient: &mut [f64]| {
//!     gradient.copy_from_slice(&[2.0 * (x[0] - 2.0), 2.0 * (x[1] - 3.0)]);
//!     (x[0] - 2.0).powi(2) + (x[1] - 3.0).powi(2)
//! };
//! let mut x = [0.0, 0.0];
//! let minimum = Minimizer::default().minimize(&mut x, (&[0.0; 2], &[1.0; 2]), distance, || Ok::<(), ()>(()))?;
//! assert_eq!((x, minimum.value), ([1.0, 1.0], 5.0));
//! # Ok::<(), ()>(())
//! ```
//!
//! Nocedal & Wright (2006), "Numerical Optimization", algorithm 7.4 (the two-loop recursion); Bertsekas (1982), "Projected
//! Newton methods for optimization problems with simple constraints", SIAM J. Control Optim. 20 (the projection); Lewis &
//! Overton (2013), "Nonsmooth optimization via quasi-Newton methods", Math. Program. 141 (the bracketing line search).

/// When to stop, and how much to remember.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Number of correction pairs kept.
    pub memory: usize,
    /// Iterations after which the best point so far is returned.
    pub max_iterations: usize,
    /// Stop when no component of the projected gradient exceeds this.
    pub gradient_tolerance: f64,
    /// Stop when two iterations in a row lower the value by less than this times `max(1, |value|)`.
    pub value_tolerance: f64,
}

impl Default for Options {
    /// Ten pairs, as in L-BFGS-B; tolerances that let a smooth function of order one settle to ten digits.
    fn default() -> Self {
        Self { memory: 10, max_iterations: 1000, gradient_tolerance: 1e-7, value_tolerance: 1e-12 }
    }
}

/// Why the iteration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The projected gradient vanished.
    Gradient,
    /// The value settled.
    Value,
    /// No lower value was found along the steepest descent: the limit of floating point, usually.
    LineSearch,
    /// The iterations were used up.
    Iterations,
    /// The function has no finite value at the start.
    InfeasibleStart,
}

/// What was reached; the point itself is left in the caller's slice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Minimum {
    /// The function's value there.
    pub value: f64,
    /// Iterations taken.
    pub iterations: usize,
    /// Function evaluations made.
    pub evaluations: usize,
    /// Why the iteration ended.
    pub stop: Stop,
}

/// Sufficient decrease demanded by the line search, as a share of the slope.
const DECREASE: f64 = 1e-4;
/// Share of the slope that may be left at the end of the line search.
const CURVATURE: f64 = 0.9;
/// Evaluations a single line search may take.
const SEARCH_EVALUATIONS: usize = 40;
/// Distance from a bound within which an outward gradient sets a variable aside.
const AT_BOUND: f64 = 1e-10;

/// The optimiser with its working memory, to be used again and again.
#[derive(Debug, Clone, Default)]
pub struct Minimizer {
    /// When to stop.
    pub options: Options,
    gradient: Vec<f64>,
    direction: Vec<f64>,
    trial: Vec<f64>,
    trial_gradient: Vec<f64>,
    free: Vec<bool>,
    history: History,
}

/// The function to minimise and the box it lives in.
struct Problem<'a, F> {
    function: F,
    lower: &'a [f64],
    upper: &'a [f64],
    evaluations: usize,
}

impl<F: FnMut(&[f64], &mut [f64]) -> f64> Problem<'_, F> {
    /// Value and gradient at `x`; anything not finite counts as infinitely bad.
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.evaluations += 1;
        let value = (self.function)(x, gradient);
        if value.is_finite() && gradient.iter().all(|g| g.is_finite()) { value } else { f64::INFINITY }
    }

    fn project(&self, x: &mut [f64]) {
        for ((x, &l), &u) in x.iter_mut().zip(self.lower).zip(self.upper) {
            *x = x.max(l).min(u);
        }
    }

    /// Largest component of `P(x - g) - x`.
    fn projected_gradient(&self, x: &[f64], g: &[f64]) -> f64 {
        x.iter()
            .zip(g)
            .zip(self.lower.iter().zip(self.upper))
            .map(|((&x, &g), (&l, &u))| ((x - g).max(l).min(u) - x).abs())
            .fold(0.0, f64::max)
    }
}

impl Minimizer {
    /// An optimiser with these options.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }

    /// Minimises `function(x, gradient) -> value` over `lower <= x <= upper` from `x`, where the best point is left.
    /// A value that is not finite marks a point the search must not go to. `check` is called once per iteration.
    ///
    /// # Errors
    /// What `check` returns, with `x` at the best point so far.
    pub fn minimize<E>(
        &mut self,
        x: &mut [f64],
        (lower, upper): (&[f64], &[f64]),
        function: impl FnMut(&[f64], &mut [f64]) -> f64,
        mut check: impl FnMut() -> Result<(), E>,
    ) -> Result<Minimum, E> {
        let n = x.len();
        for buffer in [&mut self.gradient, &mut self.direction, &mut self.trial, &mut self.trial_gradient] {
            buffer.clear();
            buffer.resize(n, 0.0);
        }
        self.free.clear();
        self.free.resize(n, true);
        self.history.reset(self.options.memory, n);

        let mut problem = Problem { function, lower, upper, evaluations: 0 };
        problem.project(x);
        let mut value = problem.evaluate(x, &mut self.gradient);
        let mut iterations = 0;
        let mut small_steps = 0;
        let stop = loop {
            if !value.is_finite() {
                break Stop::InfeasibleStart;
            }
            if problem.projected_gradient(x, &self.gradient) <= self.options.gradient_tolerance {
                break Stop::Gradient;
            }
            if iterations == self.options.max_iterations {
                break Stop::Iterations;
            }
            check()?;
            iterations += 1;
            self.set_direction(x, &problem);
            let Some(lowered) = self.search(x, value, &mut problem) else {
                if self.history.is_empty() {
                    break Stop::LineSearch;
                }
                self.history.clear();
                continue;
            };
            self.history.push(x, &self.trial, &self.gradient, &self.trial_gradient);
            let decrease = value - lowered;
            value = lowered;
            x.copy_from_slice(&self.trial);
            self.gradient.copy_from_slice(&self.trial_gradient);
            if decrease <= self.options.value_tolerance * value.abs().max(1.0) {
                small_steps += 1;
                if small_steps == 2 {
                    break Stop::Value;
                }
            } else {
                small_steps = 0;
            }
        };
        Ok(Minimum { value, iterations, evaluations: problem.evaluations, stop })
    }

    /// Sets the variables at their bounds aside and computes the quasi-Newton direction among the others.
    fn set_direction<F>(&mut self, x: &[f64], problem: &Problem<'_, F>) {
        for (i, free) in self.free.iter_mut().enumerate() {
            let (g, l, u) = (self.gradient[i], problem.lower[i], problem.upper[i]);
            *free = !((x[i] <= l + AT_BOUND && g > 0.0) || (x[i] >= u - AT_BOUND && g < 0.0));
            self.direction[i] = if *free { -g } else { 0.0 };
        }
        self.history.apply(&mut self.direction, &self.free);
        let slope: f64 = self.direction.iter().zip(&self.gradient).map(|(d, g)| d * g).sum();
        if slope >= 0.0 || !slope.is_finite() {
            self.history.clear();
        }
        if self.history.is_empty() {
            let size =
                self.free.iter().zip(&self.gradient).map(|(&f, g)| if f { g * g } else { 0.0 }).sum::<f64>().sqrt();
            for ((d, g), &free) in self.direction.iter_mut().zip(&self.gradient).zip(&self.free) {
                // The first step has length at most one: the caller scales its variables to order one.
                *d = if free { -g / size.max(1.0) } else { 0.0 };
            }
        }
    }

    /// Walks along `P(x + t d)` until the value has sufficiently decreased and the slope has sufficiently flattened, and
    /// leaves the point in `trial`. `None` when no decrease was found.
    fn search<F: FnMut(&[f64], &mut [f64]) -> f64>(
        &mut self,
        x: &[f64],
        value: f64,
        problem: &mut Problem<'_, F>,
    ) -> Option<f64> {
        let (lower, upper) = (problem.lower, problem.upper);
        // Slope of the value along the projected path: components stopped by a bound do not move.
        let slope_at = |at: &[f64], d: &[f64], g: &[f64]| -> f64 {
            (0..at.len())
                .filter(|&i| !((at[i] <= lower[i] && d[i] < 0.0) || (at[i] >= upper[i] && d[i] > 0.0)))
                .map(|i| d[i] * g[i])
                .sum()
        };
        let initial_slope = slope_at(x, &self.direction, &self.gradient);
        if initial_slope >= 0.0 {
            return None;
        }
        // `low` is the longest step known to decrease enough, `high` the shortest known to be too long.
        let (mut low, mut low_value, mut low_slope, mut high) = (0.0, value, initial_slope, f64::INFINITY);
        let mut t = 1.0;
        for _ in 0..SEARCH_EVALUATIONS {
            for ((trial, &x), &d) in self.trial.iter_mut().zip(x).zip(&self.direction) {
                *trial = x + t * d;
            }
            problem.project(&mut self.trial);
            let at = problem.evaluate(&self.trial, &mut self.trial_gradient);
            let expected: f64 = (0..x.len()).map(|i| self.gradient[i] * (self.trial[i] - x[i])).sum();
            if at > value + DECREASE * expected || (at >= value && expected < 0.0) {
                high = t;
                let width = high - low;
                let curvature = at - low_value - low_slope * width;
                let minimum = if at.is_finite() && curvature > 0.0 {
                    -0.5 * low_slope * width * width / curvature
                } else {
                    0.1 * width
                };
                t = low + minimum.clamp(0.1 * width, 0.6 * width);
            } else {
                let slope = slope_at(&self.trial, &self.direction, &self.trial_gradient);
                if slope >= CURVATURE * initial_slope {
                    return Some(at);
                }
                (low, low_value, low_slope) = (t, at, slope);
                t = if high.is_finite() { 0.5 * (low + high) } else { 4.0 * t };
            }
            if high - low <= 1e-14 * high {
                break;
            }
        }
        if low == 0.0 {
            return None;
        }
        for ((trial, &x), &d) in self.trial.iter_mut().zip(x).zip(&self.direction) {
            *trial = x + low * d;
        }
        problem.project(&mut self.trial);
        Some(problem.evaluate(&self.trial, &mut self.trial_gradient))
    }
}

/// The last steps and gradient changes, oldest first in a ring.
#[derive(Debug, Clone, Default)]
struct History {
    n: usize,
    capacity: usize,
    steps: Vec<f64>,
    changes: Vec<f64>,
    weights: Vec<(f64, f64)>,
    oldest: usize,
    len: usize,
}

impl History {
    fn reset(&mut self, capacity: usize, n: usize) {
        (self.n, self.capacity) = (n, capacity.max(1));
        self.clear();
        for pairs in [&mut self.steps, &mut self.changes] {
            pairs.clear();
            pairs.resize(self.capacity * n, 0.0);
        }
        self.weights.clear();
        self.weights.resize(self.capacity, (0.0, 0.0));
    }

    fn clear(&mut self) {
        (self.oldest, self.len) = (0, 0);
    }

    fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Remembers a step, unless the function curves downward along it.
    fn push(&mut self, x: &[f64], x_new: &[f64], g: &[f64], g_new: &[f64]) {
        let slot = (self.oldest + self.len) % self.capacity;
        let range = slot * self.n..(slot + 1) * self.n;
        let (s, y) = (&mut self.steps[range.clone()], &mut self.changes[range]);
        let (mut sy, mut ss, mut yy) = (0.0, 0.0, 0.0);
        for i in 0..s.len() {
            (s[i], y[i]) = (x_new[i] - x[i], g_new[i] - g[i]);
            (sy, ss, yy) = (sy + s[i] * y[i], ss + s[i] * s[i], yy + y[i] * y[i]);
        }
        // A full ring has overwritten its oldest pair, which therefore goes in either case.
        let full = self.len == self.capacity;
        let keep = sy > 1e-10 * (ss * yy).sqrt();
        match (full, keep) {
            (true, true) => self.oldest = (self.oldest + 1) % self.capacity,
            (true, false) => (self.oldest, self.len) = ((self.oldest + 1) % self.capacity, self.len - 1),
            (false, true) => self.len += 1,
            (false, false) => {}
        }
    }

    /// Turns `d = -g` into `-H g` by the two-loop recursion, seeing only the free variables.
    fn apply(&mut self, d: &mut [f64], free: &[bool]) {
        let n = self.n;
        let dot = |a: &[f64], b: &[f64]| -> f64 {
            a.iter().zip(b).zip(free).map(|((a, b), &free)| if free { a * b } else { 0.0 }).sum()
        };
        let mut scale = None;
        for k in (0..self.len).rev() {
            let slot = (self.oldest + k) % self.capacity;
            let (s, y) = (&self.steps[slot * n..(slot + 1) * n], &self.changes[slot * n..(slot + 1) * n]);
            let (sy, yy) = (dot(s, y), dot(y, y));
            if sy <= 1e-10 * (dot(s, s) * yy).sqrt() {
                self.weights[slot] = (0.0, 0.0);
                continue;
            }
            scale = scale.or(Some(sy / yy));
            let a = dot(s, d) / sy;
            self.weights[slot] = (a, 1.0 / sy);
            subtract(d, a, y, free);
        }
        let Some(scale) = scale else {
            self.clear();
            return;
        };
        d.iter_mut().for_each(|d| *d *= scale);
        for k in 0..self.len {
            let slot = (self.oldest + k) % self.capacity;
            let (s, y) = (&self.steps[slot * n..(slot + 1) * n], &self.changes[slot * n..(slot + 1) * n]);
            let (a, rho) = self.weights[slot];
            if rho > 0.0 {
                let b = rho * dot(y, d);
                subtract(d, b - a, s, free);
            }
        }
    }
}

/// `d -= a v` among the free variables.
fn subtract(d: &mut [f64], a: f64, v: &[f64], free: &[bool]) {
    for ((d, &v), &free) in d.iter_mut().zip(v).zip(free) {
        if free {
            *d -= a * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rosenbrock(x: &[f64], g: &mut [f64]) -> f64 {
        g.fill(0.0);
        let mut value = 0.0;
        for i in 0..x.len() - 1 {
            let (a, b) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
            value += 100.0 * a * a + b * b;
            g[i] -= 400.0 * x[i] * a + 2.0 * b;
            g[i + 1] += 200.0 * a;
        }
        value
    }

    fn run(x: &mut [f64], lower: &[f64], upper: &[f64], f: impl FnMut(&[f64], &mut [f64]) -> f64) -> Minimum {
        Minimizer::default().minimize(x, (lower, upper), f, || Ok::<(), ()>(())).unwrap()
    }

    #[test]
    fn the_rosenbrock_valley_is_followed_to_its_end() {
        for n in [2, 10, 50] {
            let mut x = vec![-1.2; n];
            let (lower, upper) = (vec![f64::NEG_INFINITY; n], vec![f64::INFINITY; n]);
            let minimum = run(&mut x, &lower, &upper, rosenbrock);
            // From -1.2 in every coordinate the long valley may end in the local minimum near (-1, 1, ..., 1).
            let expected = if x[0] < 0.0 { minimum.value } else { 0.0 };
            assert!((minimum.value - expected).abs() < 1e-10, "n = {n}: {minimum:?}");
            assert!(minimum.evaluations < 60 * (n + 2), "n = {n}: {minimum:?}");
        }
    }

    #[test]
    fn a_bound_that_cuts_the_valley_holds_the_minimum() {
        // With x0 <= 0.5 the minimum is at (0.5, 0.25), value 0.25.
        let mut x = [-1.2, 1.0];
        let minimum = run(&mut x, &[-5.0, -5.0], &[0.5, 5.0], rosenbrock);
        assert!((x[0] - 0.5).abs() < 1e-9 && (x[1] - 0.25).abs() < 1e-6, "{x:?} {minimum:?}");
        assert!((minimum.value - 0.25).abs() < 1e-10, "{minimum:?}");
        // With x1 >= 2 it is where 400 x0 (2 - x0^2) = 2 (x0 - 1).
        let mut x = [1.0, 3.0];
        run(&mut x, &[-5.0, 2.0], &[5.0, 5.0], rosenbrock);
        let residual = 400.0 * x[0] * (2.0 - x[0] * x[0]) - 2.0 * (x[0] - 1.0);
        assert!(x[1] == 2.0 && residual.abs() < 1e-4, "{x:?} {residual}");
    }

    #[test]
    fn a_quadratic_in_a_box_satisfies_the_optimality_conditions() {
        // f = 1/2 (x - c)' A (x - c), A tridiagonal (2, -1) scaled over four decades, c alternating far outside the box.
        let n = 40;
        let scale: Vec<f64> = (0..n).map(|i| 10f64.powf(4.0 * i as f64 / n as f64 - 2.0)).collect();
        let centre: Vec<f64> = (0..n).map(|i| if i % 3 == 0 { 3.0 } else { -0.4 }).collect();
        let f = |x: &[f64], g: &mut [f64]| {
            let u: Vec<f64> = (0..n).map(|i| scale[i] * (x[i] - centre[i])).collect();
            let mut value = 0.0;
            for i in 0..n {
                let left = if i > 0 { u[i - 1] } else { 0.0 };
                let right = if i + 1 < n { u[i + 1] } else { 0.0 };
                let au = 2.5 * u[i] - left - right;
                value += 0.5 * u[i] * au;
                g[i] = scale[i] * au;
            }
            value
        };
        let (lower, upper) = (vec![-1.0; n], vec![1.0; n]);
        let mut x = vec![0.0; n];
        let mut minimizer = Minimizer::new(Options { value_tolerance: 1e-15, ..Options::default() });
        let minimum = minimizer.minimize(&mut x, (&lower, &upper), f, || Ok::<(), ()>(())).unwrap();
        let mut g = vec![0.0; n];
        f(&x, &mut g);
        for i in 0..n {
            let ok =
                (x[i] >= 1.0 && g[i] < 0.0) || (x[i] <= -1.0 && g[i] > 0.0) || g[i].abs() < 1e-4 * scale[i].max(1.0);
            assert!(ok, "i = {i}: x = {}, g = {} {minimum:?}", x[i], g[i]);
        }
        assert!(x.contains(&1.0) && minimum.evaluations < 400, "{minimum:?}");
    }

    #[test]
    fn a_start_on_every_bound_leaves_it() {
        let f = |x: &[f64], g: &mut [f64]| {
            g.copy_from_slice(&[2.0 * (x[0] - 0.3), 2.0 * (x[1] - 0.7)]);
            (x[0] - 0.3).powi(2) + (x[1] - 0.7).powi(2)
        };
        let mut x = [0.0, 1.0];
        run(&mut x, &[0.0, 0.0], &[1.0, 1.0], f);
        assert!((x[0] - 0.3).abs() < 1e-7 && (x[1] - 0.7).abs() < 1e-7, "{x:?}");
    }

    #[test]
    fn points_without_a_value_are_walked_around() {
        // ln x is not defined on the way a long first step would take.
        let f = |x: &[f64], g: &mut [f64]| {
            g[0] = 1000.0 - 1.0 / x[0];
            1000.0 * x[0] - x[0].ln()
        };
        let mut x = [1.0];
        let minimum = run(&mut x, &[f64::NEG_INFINITY], &[f64::INFINITY], f);
        assert!((x[0] * 1000.0 - 1.0).abs() < 1e-4, "{x:?} {minimum:?}");
        let mut x = [-1.0];
        let minimum = run(&mut x, &[f64::NEG_INFINITY], &[f64::INFINITY], f);
        assert_eq!(minimum.stop, Stop::InfeasibleStart);
    }

    #[test]
    fn the_check_ends_the_search() {
        let mut calls = 0;
        let mut x = [-1.2, 1.0];
        let unbounded = ([f64::NEG_INFINITY; 2], [f64::INFINITY; 2]);
        let result = Minimizer::default().minimize(&mut x, (&unbounded.0, &unbounded.1), rosenbrock, || {
            calls += 1;
            if calls > 3 { Err("stopped") } else { Ok(()) }
        });
        assert_eq!((result, calls), (Err("stopped"), 4));
    }
}
