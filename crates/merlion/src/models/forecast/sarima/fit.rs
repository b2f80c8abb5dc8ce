//! Estimation: the coefficients of the highest likelihood.
//!
//! With enforced stationarity the likelihood is the exact one of the differenced series (`exact.rs`), searched over partial
//! autocorrelations: `tanh x` for autoregressions, which never reach the unit circle, `sin x` for moving averages, which may.
//! Otherwise it is statsmodels' (`filter.rs`): every state has variance 10⁶ at the start, and as many observations as there are
//! states are left out of the sum.

use serde::Serialize;

use super::exact::Exact;
use super::filter::{Scratch, State, StateSpace};
use super::orders::Orders;
use super::polynomial::{Coefficients, from_partial, step_down};
use super::start;
use crate::math::dense;
use crate::math::lbfgsb::{Minimizer, Options};
use crate::models::{FitContext, ModelError};

/// Variance of a state of which nothing is known, as in statsmodels.
pub(super) const DIFFUSE: f64 = 1e6;
/// Largest `x` in `tanh x`: partial autocorrelations up to 1 - 4·10⁻⁶.
const AR_BOUND: f64 = 6.5;
/// Step of the differences that stand in for derivatives: the value is known to some 14 digits.
const STEP: f64 = 1e-6;
/// The same for the filter's value, which the large variance at the start has cost half its digits.
const FILTER_STEP: f64 = 1e-5;
/// How far inside the radius the bound of a root is.
const INSIDE: f64 = 0.9999;
/// Iterations after which a search is as good as it will get.
const MOST_ITERATIONS: usize = 200;
/// Step of the differences that Newton's method is made of.
const POLISH_STEP: f64 = 1e-4;
/// Newton's steps, and the longest that is believed.
const POLISHES: usize = 4;
const LONGEST_POLISH: f64 = 0.3;
/// The differenced series is taken to one part in this, some eleven digits.
const DIGITS: f64 = (1u64 << 36) as f64;
/// Spread of the differenced series, as a share of the largest observation, below which it is rounding.
const ROUNDING: f64 = 1e-13;

/// What the data say of a model's parameters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SarimaFit {
    /// The orders.
    pub orders: Orders,
    /// The lag polynomials.
    pub coefficients: Coefficients,
    /// Whether the differenced series has a mean, or an intercept.
    pub has_constant: bool,
    /// What is added to the ARMA process in each step: `φ(1) Φ(1)` times its mean.
    pub intercept: f64,
    /// Coefficients of the regressors.
    pub beta: Vec<f64>,
    /// Variance of the errors.
    pub sigma2: f64,
    /// The logarithm of the likelihood.
    pub log_likelihood: f64,
    /// Observations it is made of, differences taken.
    pub observations: usize,
}

impl SarimaFit {
    /// Number of parameters, the variance among them.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.orders.coefficients() + usize::from(self.has_constant) + self.beta.len() + 1
    }

    /// Akaike's criterion.
    #[must_use]
    pub fn aic(&self) -> f64 {
        -2.0 * self.log_likelihood + 2.0 * self.parameter_count() as f64
    }

    /// Akaike's criterion, corrected for few observations (Hurvich & Tsai 1989); infinite when there are too few.
    #[must_use]
    pub fn aicc(&self) -> f64 {
        let (n, k) = (self.observations as f64, self.parameter_count() as f64);
        if n - k - 1.0 <= 0.0 {
            return f64::INFINITY;
        }
        self.aic() + 2.0 * k * (k + 1.0) / (n - k - 1.0)
    }

    /// Schwarz's criterion.
    #[must_use]
    pub fn bic(&self) -> f64 {
        -2.0 * self.log_likelihood + (self.observations as f64).ln() * self.parameter_count() as f64
    }
}

/// A differenced series and its regressors in units of order one, to which models of several orders can be fitted.
#[derive(Debug, Clone)]
pub struct Workspace {
    d: (usize, usize, usize),
    has_constant: bool,
    exact: Exact,
    scale: f64,
    column_scales: Vec<f64>,
    /// Least squares' coefficients, already taken out of the series.
    first_beta: Vec<f64>,
    minimizer: Minimizer,
    iterations: usize,
    radius: f64,
}

/// How hard the maximum is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Some six digits of the log-likelihood: for comparing models.
    Search,
    /// As far as there is something to gain.
    Best,
}

impl Workspace {
    /// Takes the differences of these orders.
    #[must_use]
    pub fn new(y: &[f64], exog: &[Vec<f64>], orders: &Orders, has_constant: bool) -> Self {
        let mut w = orders.differenced(y);
        let constant = has_constant.then(|| vec![1.0; w.len()]);
        let mut columns: Vec<Vec<f64>> =
            constant.into_iter().chain(exog.iter().map(|x| orders.differenced(x))).collect();
        let column_scales: Vec<f64> = columns.iter().map(|x| root_mean_square(x)).collect();
        for (column, scale) in columns.iter_mut().zip(&column_scales) {
            column.iter_mut().for_each(|x| *x /= scale.max(f64::MIN_POSITIVE));
        }
        let mut first_beta = vec![0.0; columns.len()];
        // Twice: what rounding leaves of a large level the second time takes.
        for _ in 0..2 {
            for (total, beta) in first_beta.iter_mut().zip(dense::least_squares(&columns, &w)) {
                *total += beta;
            }
            w = orders.differenced(y);
            for (column, beta) in columns.iter().zip(&first_beta) {
                w.iter_mut().zip(column).for_each(|(w, x)| *w -= beta * x);
            }
            if columns.is_empty() {
                break;
            }
        }
        let largest = y.iter().fold(0.0f64, |largest, y| largest.max(y.abs()));
        let spread = root_mean_square(&w);
        let scale = if spread <= ROUNDING * largest { 0.0 } else { spread };
        let unit = if scale > 0.0 { scale } else { 1.0 };
        // Where the likelihood is flat the last digits decide on the way the search takes; the unit of the data must not.
        w.iter_mut().for_each(|w| *w = (*w / unit * DIGITS).round() / DIGITS);
        Self {
            d: (orders.d, orders.seasonal_d, orders.period),
            has_constant,
            exact: Exact::new(w, columns),
            scale,
            column_scales,
            first_beta,
            minimizer: Minimizer::default(),
            iterations: MOST_ITERATIONS,
            radius: 0.0,
        }
    }

    /// Prefers a maximum whose roots are farther than this from 0 to a higher one whose are not. Moving averages have maxima on
    /// the unit circle beside those within.
    #[must_use]
    pub fn with_roots_beyond(self, radius: f64) -> Self {
        Self { radius, ..self }
    }

    /// Ends searches after this many iterations.
    pub fn limit(&mut self, iterations: usize) {
        self.iterations = iterations.min(MOST_ITERATIONS);
    }

    /// Observations left by differencing.
    #[must_use]
    pub fn len(&self) -> usize {
        self.exact.len()
    }

    /// Whether differencing left nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the differenced series is nothing but its constant and regressors.
    #[must_use]
    pub fn is_explained(&self) -> bool {
        self.scale == 0.0
    }

    /// The most likely stationary and invertible model of these orders, whose differences are the workspace's.
    ///
    /// # Errors
    /// The context's reasons to stop; [`ModelError::Numerical`] when no coefficients have a likelihood.
    pub fn fit(
        &mut self,
        orders: &Orders,
        near: Option<&Coefficients>,
        effort: Effort,
        context: &FitContext,
    ) -> Result<SarimaFit, ModelError> {
        debug_assert_eq!(self.d, (orders.d, orders.seasonal_d, orders.period), "another workspace's orders");
        context.check()?;
        let zeros = Coefficients::zeros(orders);
        if self.is_explained() || orders.coefficients() == 0 {
            let value = self.exact.evaluate(orders, &zeros);
            return self.outcome(*orders, zeros, value);
        }
        let series = &self.exact.columns()[0];
        let mut starts = vec![start::stationary(start::guess(series, orders, false).0), zeros];
        starts.extend(near.map(|near| start::stationary(near.resized(orders))));
        let mut starts: Vec<(f64, Coefficients)> =
            starts.into_iter().filter_map(|c| self.exact.evaluate(orders, &c).map(|value| (value, c))).collect();
        starts.sort_by(|a, b| a.0.total_cmp(&b.0));
        starts.dedup_by(|a, b| a.1 == b.1);
        let value_tolerance = match effort {
            Effort::Search => 1e-8,
            Effort::Best => 1e-11,
        };
        self.minimizer.options = Options {
            value_tolerance,
            gradient_tolerance: 1e-6,
            max_iterations: self.iterations,
            ..Options::default()
        };
        // Of several maxima the highest, but of those whose roots are far enough from the unit circle, if there are any.
        let mut best: Option<((bool, f64), Coefficients)> = None;
        for (_, c) in starts {
            let (reached, c) = self.climb(orders, c, context)?;
            let rank = (!c.roots_beyond(self.radius, orders.period), reached);
            if best.as_ref().is_none_or(|(lowest, _)| rank < *lowest) {
                best = Some((rank, c));
            }
        }
        let mut c = best.map_or_else(|| Coefficients::zeros(orders), |(_, c)| c);
        if effort == Effort::Best {
            self.polish(orders, &mut c, context)?;
        }
        let value = self.exact.evaluate(orders, &c);
        self.outcome(*orders, c, value)
    }

    /// Largest variables, in the order of [`to_variables`]. The likelihood of a moving average may be highest on the unit
    /// circle; within the radius its partial autocorrelations reach up to that.
    fn bounds(&self, orders: &Orders) -> Vec<f64> {
        let moving = |lag: usize| match self.radius > 1.0 {
            true => (INSIDE * self.radius.powi(-i32::try_from(lag).unwrap_or(i32::MAX))).asin(),
            false => std::f64::consts::FRAC_PI_2,
        };
        let mut bounds = vec![AR_BOUND; orders.p + orders.seasonal_p];
        bounds.resize(bounds.len() + orders.q, moving(1));
        bounds.resize(bounds.len() + orders.seasonal_q, moving(orders.period));
        bounds
    }

    /// Follows the likelihood from a start.
    fn climb(
        &mut self,
        orders: &Orders,
        start: Coefficients,
        context: &FitContext,
    ) -> Result<(f64, Coefficients), ModelError> {
        let mut c = start;
        let mut x = to_variables(&c);
        let bound = self.bounds(orders);
        let lower: Vec<f64> = bound.iter().map(|b| -b).collect();
        let exact = &mut self.exact;
        let mut point = x.clone();
        let objective = |x: &[f64], gradient: &mut [f64]| -> f64 {
            point.copy_from_slice(x);
            to_coefficients(&point, &mut c);
            let Some(value) = exact.evaluate(orders, &c) else { return f64::INFINITY };
            for (i, (slope, &from)) in gradient.iter_mut().zip(x).enumerate() {
                if context.check().is_err() {
                    return f64::INFINITY;
                }
                point[i] += STEP;
                to_coefficients(&point, &mut c);
                let Some(near) = exact.evaluate(orders, &c) else { return f64::INFINITY };
                *slope = (near - value) / STEP;
                point[i] = from;
            }
            value
        };
        let minimum = self.minimizer.minimize(&mut x, (&lower, &bound), objective, || context.check())?;
        context.check()?;
        to_coefficients(&x, &mut c);
        Ok((minimum.value, c))
    }

    /// Newton's steps with differences on both sides, where the search's own on one side see nothing to gain any more. The
    /// likelihood hardly changes; estimates and forecasts do not depend on the way to them any more.
    fn polish(&mut self, orders: &Orders, c: &mut Coefficients, context: &FitContext) -> Result<(), ModelError> {
        let mut x = to_variables(c);
        let k = x.len();
        // At a bound the likelihood has a slope, which Newton would follow.
        if self.radius > 1.0 && x.iter().zip(self.bounds(orders)).any(|(x, bound)| x.abs() >= bound - 1e-6) {
            return Ok(());
        }
        let mut trial = c.clone();
        let (mut gradient, mut hessian) = (vec![0.0; k], vec![0.0; k * k]);
        for _ in 0..POLISHES {
            context.check()?;
            let mut at = |moves: &[(usize, f64)], exact: &mut Exact| {
                let mut point = x.clone();
                moves.iter().for_each(|(i, by)| point[*i] += by);
                to_coefficients(&point, &mut trial);
                exact.evaluate(orders, &trial).unwrap_or(f64::NAN)
            };
            let h = POLISH_STEP;
            let value = at(&[], &mut self.exact);
            for (i, slope) in gradient.iter_mut().enumerate() {
                context.check()?;
                let (above, below) = (at(&[(i, h)], &mut self.exact), at(&[(i, -h)], &mut self.exact));
                *slope = (above - below) / (2.0 * h);
                hessian[i * k + i] = (above - 2.0 * value + below) / (h * h);
                for j in 0..i {
                    let both = at(&[(i, h), (j, h)], &mut self.exact) + at(&[(i, -h), (j, -h)], &mut self.exact);
                    let one = at(&[(i, h), (j, -h)], &mut self.exact) + at(&[(i, -h), (j, h)], &mut self.exact);
                    hessian[i * k + j] = (both - one) / (4.0 * h * h);
                }
            }
            if !dense::cholesky(&mut hessian, k) {
                break;
            }
            let mut step = gradient.clone();
            dense::solve_lower(&hessian, &mut step, k);
            dense::solve_upper_of_lower(&hessian, &mut step, k);
            let longest = step.iter().fold(0.0f64, |longest, s| longest.max(s.abs()));
            let moves: Vec<(usize, f64)> = step.iter().enumerate().map(|(i, s)| (i, -s)).collect();
            // NaN included.
            if !(longest < LONGEST_POLISH && at(&moves, &mut self.exact) <= value + 1e-12) {
                break;
            }
            x.iter_mut().zip(&step).for_each(|(x, s)| *x -= s);
            to_coefficients(&x, c);
            if longest < 1e-9 {
                break;
            }
        }
        Ok(())
    }

    /// The fit at these coefficients, in the units of the data. The last evaluation must have been made there.
    fn outcome(&self, orders: Orders, c: Coefficients, value: Option<f64>) -> Result<SarimaFit, ModelError> {
        let Some(value) = value else {
            return Err(ModelError::Numerical(format!("no coefficients of ARIMA{} have a likelihood", orders.name())));
        };
        let n = self.len() as f64;
        let mut beta = Vec::with_capacity(self.first_beta.len());
        for ((first, more), column) in self.first_beta.iter().zip(&self.exact.beta).zip(&self.column_scales) {
            let total = first + if self.scale > 0.0 { more * self.scale } else { 0.0 };
            beta.push(if *column > 0.0 { total / column } else { 0.0 });
        }
        let mean = if self.has_constant { beta.remove(0) } else { 0.0 };
        let at_one = (1.0 - c.ar.iter().sum::<f64>()) * (1.0 - c.seasonal_ar.iter().sum::<f64>());
        let (sigma2, log_likelihood) = if self.scale > 0.0 {
            (self.exact.sigma2 * self.scale * self.scale, -n * (value + self.scale.ln()))
        } else {
            (0.0, f64::INFINITY)
        };
        Ok(SarimaFit {
            orders,
            coefficients: c,
            has_constant: self.has_constant,
            intercept: mean * at_one,
            beta,
            sigma2,
            log_likelihood,
            observations: self.len(),
        })
    }
}

fn root_mean_square(x: &[f64]) -> f64 {
    let largest = x.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    if largest == 0.0 || x.is_empty() {
        return 0.0;
    }
    // A power of two, so that scaled data give the same digits.
    let unit = 2f64.powi(largest.log2().floor() as i32);
    let squares: f64 = x.iter().map(|x| (x / unit) * (x / unit)).sum();
    unit * (squares / x.len() as f64).sqrt()
}

/// The optimiser's variables at these coefficients, which must be stationary and invertible.
fn to_variables(c: &Coefficients) -> Vec<f64> {
    let mut triangle = Vec::new();
    let mut x = Vec::new();
    for (i, part) in c.parts().into_iter().enumerate() {
        let moving = i > 1;
        let signed: Vec<f64> = part.iter().map(|c| if moving { -c } else { *c }).collect();
        let known = step_down(&signed, &mut triangle).is_some();
        x.extend((1..=part.len()).map(|k| {
            let r = if known { triangle[k * (k + 1) / 2 - 1] } else { 0.0 };
            if moving { r.asin() } else { r.atanh().clamp(-AR_BOUND, AR_BOUND) }
        }));
    }
    x
}

fn to_coefficients(x: &[f64], c: &mut Coefficients) {
    let mut rest = x;
    for (i, part) in c.parts_mut().into_iter().enumerate() {
        let (own, others) = rest.split_at(part.len());
        rest = others;
        let moving = i > 1;
        for (c, x) in part.iter_mut().zip(own) {
            *c = if moving { x.sin() } else { x.tanh() };
        }
        from_partial(part);
        if moving {
            part.iter_mut().for_each(|c| *c = -*c);
        }
    }
}

/// The most likely model by statsmodels' likelihood without enforced stationarity, with a constant or not, invertible or not.
/// With a number of iterations, as many from statsmodels' guess, or from coefficients nearby.
///
/// # Errors
/// The context's reasons to stop; [`ModelError::Numerical`] when no guess has a likelihood.
pub(in super::super) fn free_fit(
    y: &[f64],
    exog: &[Vec<f64>],
    orders: &Orders,
    (has_constant, invertible): (bool, bool),
    near: Option<&Coefficients>,
    iterations: usize,
    context: &FitContext,
) -> Result<SarimaFit, ModelError> {
    let mut likelihood = Free::new(y, exog, orders, has_constant, invertible);
    let mut x = likelihood.guess(exog, near);
    let mut reached = likelihood.climb(&mut x, iterations, context)?;
    // Where statsmodels' guess leads to less than the stationary model has already, that is the better start.
    if iterations == usize::MAX || !reached.is_finite() {
        let stationary = Workspace::new(y, exog, orders, has_constant).fit(orders, None, Effort::Search, context)?;
        let mut other = likelihood.variables(&stationary);
        if likelihood.value(&other) < reached {
            let higher = likelihood.climb(&mut other, iterations, context)?;
            if higher < reached {
                (x, reached) = (other, higher);
            }
        }
    }
    if !reached.is_finite() {
        return Err(ModelError::Numerical(format!("no guess of ARIMA{} has a likelihood", orders.name())));
    }
    Ok(likelihood.outcome(&x))
}

/// statsmodels' likelihood as a function of coefficients, intercept, regressors' coefficients and `ln σ²`, in this order.
struct Free<'a> {
    orders: &'a Orders,
    has_constant: bool,
    invertible: bool,
    scale: f64,
    y: Vec<f64>,
    columns: Vec<Vec<f64>>,
    column_scales: Vec<f64>,
    rest: Vec<f64>,
    coefficients: Coefficients,
    space: StateSpace,
    state: State,
    scratch: Scratch,
}

impl<'a> Free<'a> {
    fn new(y: &[f64], exog: &[Vec<f64>], orders: &'a Orders, has_constant: bool, invertible: bool) -> Self {
        let spread = root_mean_square(&orders.differenced(y));
        let scale = if spread > 0.0 { spread } else { root_mean_square(y).max(f64::MIN_POSITIVE) };
        let column_scales: Vec<f64> = exog.iter().map(|x| root_mean_square(x).max(f64::MIN_POSITIVE)).collect();
        let columns = exog.iter().zip(&column_scales).map(|(x, s)| x.iter().map(|x| x / s).collect()).collect();
        let coefficients = Coefficients::zeros(orders);
        Self {
            orders,
            has_constant,
            invertible,
            scale,
            y: y.iter().map(|y| y / scale).collect(),
            columns,
            column_scales,
            rest: Vec::new(),
            space: StateSpace::new(orders, &coefficients, 0.0, 1.0),
            coefficients,
            state: State::default(),
            scratch: Scratch::default(),
        }
    }

    /// statsmodels' first guess, with other coefficients if there are any.
    fn guess(&self, exog: &[Vec<f64>], near: Option<&Coefficients>) -> Vec<f64> {
        let mut w = self.orders.differenced(&self.y);
        let columns: Vec<Vec<f64>> = self.columns.iter().map(|x| self.orders.differenced(x)).collect();
        let beta = if exog.is_empty() { Vec::new() } else { dense::least_squares(&columns, &w) };
        for (column, beta) in columns.iter().zip(&beta) {
            w.iter_mut().zip(column).for_each(|(w, x)| *w -= beta * x);
        }
        let (c, intercept, variance) = start::guess(&w, self.orders, self.has_constant);
        self.point(near.cloned().unwrap_or(c), intercept, &beta, variance)
    }

    /// The point of a fit in the units of the data.
    fn variables(&self, fit: &SarimaFit) -> Vec<f64> {
        let beta: Vec<f64> = fit.beta.iter().zip(&self.column_scales).map(|(b, s)| b * s / self.scale).collect();
        let variance = fit.sigma2 / (self.scale * self.scale);
        self.point(fit.coefficients.clone(), fit.intercept / self.scale, &beta, variance)
    }

    fn point(&self, mut c: Coefficients, intercept: f64, beta: &[f64], variance: f64) -> Vec<f64> {
        if self.invertible {
            let tame = start::stationary(c.clone());
            let moving = Coefficients { ma: tame.ma, seasonal_ma: tame.seasonal_ma, ..Coefficients::default() };
            let x = to_variables(&moving);
            c.ma = x[..c.ma.len()].to_vec();
            c.seasonal_ma = x[c.ma.len()..].to_vec();
        }
        let mut x = c.parts().concat();
        if self.has_constant {
            x.push(intercept);
        }
        x.extend(beta);
        x.push(variance.max(1e-10).ln());
        x
    }

    /// Follows the likelihood from a start, which is moved.
    fn climb(&mut self, x: &mut [f64], iterations: usize, context: &FitContext) -> Result<f64, ModelError> {
        let (lower, upper) = (vec![f64::NEG_INFINITY; x.len()], vec![f64::INFINITY; x.len()]);
        let mut point = x.to_vec();
        let exact = DIFFUSE <= 10.0 * self.scale * self.scale;
        let objective = |x: &[f64], gradient: &mut [f64]| -> f64 {
            let value = self.value(x);
            point.copy_from_slice(x);
            for (i, (slope, &from)) in gradient.iter_mut().zip(x).enumerate() {
                if context.check().is_err() {
                    return f64::INFINITY;
                }
                // One side will do where the variance at the start has not cost digits.
                let step = if exact { STEP } else { FILTER_STEP } * from.abs().max(1.0);
                point[i] = from + step;
                let above = self.value(&point);
                point[i] = from - step;
                *slope = if exact { (above - value) / step } else { (above - self.value(&point)) / (2.0 * step) };
                point[i] = from;
            }
            value
        };
        let max_iterations = iterations.min(MOST_ITERATIONS);
        let options = Options { value_tolerance: 1e-10, gradient_tolerance: 1e-6, max_iterations, memory: 10 };
        let minimum = Minimizer::new(options).minimize(x, (&lower, &upper), objective, || context.check())?;
        context.check()?;
        Ok(minimum.value)
    }

    /// `-ln L / n`, infinite where there is none.
    fn value(&mut self, x: &[f64]) -> f64 {
        let count = self.orders.coefficients();
        let mut from = 0;
        for part in self.coefficients.parts_mut() {
            let to = from + part.len();
            part.copy_from_slice(&x[from..to]);
            from = to;
        }
        if self.invertible {
            for part in [&mut self.coefficients.ma, &mut self.coefficients.seasonal_ma] {
                part.iter_mut().for_each(|x| *x = x.sin());
                from_partial(part);
                part.iter_mut().for_each(|c| *c = -*c);
            }
        }
        let rest = &x[count..];
        let (intercept, rest) = if self.has_constant { (rest[0], &rest[1..]) } else { (0.0, rest) };
        self.space.set(self.orders, &self.coefficients);
        self.space.intercept = intercept;
        self.space.sigma2 = rest[self.columns.len()].exp();
        self.rest.clone_from(&self.y);
        for (column, beta) in self.columns.iter().zip(rest) {
            self.rest.iter_mut().zip(column).for_each(|(y, x)| *y -= beta * x);
        }
        self.space.diffuse(DIFFUSE / (self.scale * self.scale), &mut self.state);
        let burn = self.space.len();
        let log_likelihood = self.space.run(&self.rest, &mut self.state, burn, &mut self.scratch, None);
        if log_likelihood.is_finite() { -log_likelihood / self.y.len() as f64 } else { f64::INFINITY }
    }

    fn outcome(mut self, x: &[f64]) -> SarimaFit {
        let value = self.value(x);
        let n = self.y.len();
        let observations = n.saturating_sub(self.space.len());
        let rest = &x[self.orders.coefficients() + usize::from(self.has_constant)..];
        let beta = rest.iter().zip(&self.column_scales).map(|(beta, s)| beta * self.scale / s).collect();
        SarimaFit {
            orders: *self.orders,
            has_constant: self.has_constant,
            intercept: self.space.intercept * self.scale,
            beta,
            sigma2: self.space.sigma2 * self.scale * self.scale,
            log_likelihood: -value * n as f64 - observations as f64 * self.scale.ln(),
            observations,
            coefficients: self.coefficients,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_coefficients_are_each_others_inverse() {
        let c = Coefficients {
            ar: vec![0.5, 0.3],
            ma: vec![-0.4, 0.2, 0.1],
            seasonal_ar: vec![-0.9],
            seasonal_ma: vec![1.0],
        };
        let mut back = Coefficients { seasonal_ma: vec![0.0], ..c.clone() };
        let c = Coefficients { seasonal_ma: vec![0.999], ..c };
        to_coefficients(&to_variables(&c), &mut back);
        for (a, b) in c.parts().concat().iter().zip(back.parts().concat()) {
            assert!((a - b).abs() < 1e-12, "{c:?} {back:?}");
        }
    }
}
