//! The exact likelihood of a stationary seasonal ARMA model with regressors, without a filter.
//!
//! With nothing before the first observation, `ε⁰ = θ(B)⁻¹ Θ(Bᵐ)⁻¹ φ(B) Φ(Bᵐ) w` costs a few operations per observation. What
//! was before enters the first `r = max(p + Pm, q + Qm)` equations as a vector `c`, normal with covariance `σ² C`, so that
//!
//! ```text
//! ε = ε⁰ - G c        G_{ti} = g_{t-i},  g = the coefficients of 1 / (θ(B) Θ(Bᵐ))
//! ```
//!
//! Integrating over `c = L z`, `L Lᵀ = C`, leaves a problem of size `r`:
//!
//! ```text
//! M = I + Lᵀ GᵀG L        S = min_z |ε⁰ - G L z|² + |z|²        -2 ln L = n ln(2π S/n) + n + ln |M|
//! ```
//!
//! Box & Jenkins (1970), "Time Series Analysis", appendix A7.4; Ljung & Box (1979), "The likelihood function of stationary
//! autoregressive-moving average models", Biometrika 66. `GᵀG` is all but Toeplitz: its last row costs `n r`, the others one
//! product per element. `C` follows from the autocovariances by a recursion along its diagonals. Coefficients of regressors and
//! `σ²` are the best there are for the others, by generalised least squares.

use super::orders::Orders;
use super::polynomial::Coefficients;
use super::presample::PresampleCovariance;
use crate::math::dense;

/// Smallest mean square of the errors, that of the series being one: what is below is rounding.
const SMALLEST_VARIANCE: f64 = 1e-26;

/// The differenced series and its regressors, and the working memory of the likelihood.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Exact {
    /// The series, then its regressors.
    columns: Vec<Vec<f64>>,
    /// Estimates at the coefficients of the last evaluation.
    pub(super) beta: Vec<f64>,
    pub(super) sigma2: f64,
    // Working memory.
    errors: Vec<Vec<f64>>,
    buffer: Vec<f64>,
    impulse: Vec<f64>,
    presample_covariance: PresampleCovariance,
    start_root: Vec<f64>,
    gram: Vec<f64>,
    product: Vec<f64>,
    inner: Vec<f64>,
    projected: Vec<Vec<f64>>,
    normal: Vec<f64>,
    presample: Vec<f64>,
}

impl Exact {
    /// The series must have a mean square of about one; its regressors are as long.
    pub(in super::super) fn new(series: Vec<f64>, regressors: Vec<Vec<f64>>) -> Self {
        let columns: Vec<Vec<f64>> = std::iter::once(series).chain(regressors).collect();
        let errors = columns.clone();
        let projected = vec![Vec::new(); columns.len()];
        Self { columns, errors, projected, ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.columns[0].len()
    }

    pub(super) fn columns(&self) -> &[Vec<f64>] {
        &self.columns
    }

    /// `-ln L / n` at these coefficients, or `None` where there is none: the autoregression is not stationary, or the errors
    /// overflow.
    pub(super) fn evaluate(&mut self, orders: &Orders, c: &Coefficients) -> Option<f64> {
        let n = self.len();
        let r = orders.ar_lags().max(orders.ma_lags());
        let has_ma = orders.ma_lags() > 0;
        for (column, errors) in self.columns.iter().zip(&mut self.errors) {
            autoregress(column, c, orders.period, &mut self.buffer, errors);
            divide(errors, c, orders.period);
        }
        let mut log_determinant = 0.0;
        // Without lags there is no start, and nothing left of an earlier one.
        self.projected.iter_mut().for_each(Vec::clear);
        if r > 0 {
            self.presample_covariance.write(orders, c, &mut self.start_root)?;
            dense::semidefinite_root(&mut self.start_root, r);
            self.gram(c, orders.period, r, has_ma);
            log_determinant = self.factor(r)?;
            for k in 0..self.columns.len() {
                self.project(k, c, orders.period, r, has_ma);
            }
        }
        self.regress()?;
        // ε⁰ of the series without its regressors, in the place of the series' own.
        let (errors, others) = self.errors.split_at_mut(1);
        let (projected, others_projected) = self.projected.split_at_mut(1);
        let (errors, projected) = (&mut errors[0], &mut projected[0]);
        for ((beta, other), other_projected) in self.beta.iter().zip(others).zip(others_projected) {
            errors.iter_mut().zip(&*other).for_each(|(e, x)| *e -= beta * x);
            projected.iter_mut().zip(&*other_projected).for_each(|(e, x)| *e -= beta * x);
        }
        let mut squares = 0.0;
        if r > 0 {
            dense::solve_upper_of_lower(&self.inner, projected, r);
            squares += projected.iter().map(|z| z * z).sum::<f64>();
            self.presample.clear();
            self.presample.resize(n.max(r), 0.0);
            for i in 0..r {
                let row = &self.start_root[i * r..i * r + i + 1];
                self.presample[i] = row.iter().zip(&*projected).map(|(l, z)| l * z).sum();
            }
            self.presample.truncate(n);
            divide(&mut self.presample, c, orders.period);
            errors.iter_mut().zip(&self.presample).for_each(|(e, c)| *e -= c);
        }
        squares += errors.iter().map(|e| e * e).sum::<f64>();
        self.sigma2 = (squares / n as f64).max(SMALLEST_VARIANCE);
        let value = 0.5 * ((2.0 * std::f64::consts::PI * self.sigma2).ln() + 1.0) + 0.5 * log_determinant / n as f64;
        value.is_finite().then_some(value)
    }

    /// `GᵀG`, its lower triangle.
    fn gram(&mut self, c: &Coefficients, period: usize, r: usize, has_ma: bool) {
        let n = self.columns[0].len();
        let gram = &mut self.gram;
        gram.clear();
        gram.resize(r * r, 0.0);
        if !has_ma {
            for i in 0..r.min(n) {
                gram[i * r + i] = 1.0;
            }
            return;
        }
        let g = &mut self.impulse;
        g.clear();
        g.resize(n, 0.0);
        g[0] = 1.0;
        divide(g, c, period);
        let last = (r - 1).min(n - 1);
        for j in 0..=last {
            gram[last * r + j] = g[..n - last].iter().zip(&g[last - j..]).map(|(a, b)| a * b).sum();
        }
        for i in (0..last).rev() {
            for j in 0..=i {
                gram[i * r + j] = gram[(i + 1) * r + j + 1] + g[n - 1 - i] * g[n - 1 - j];
            }
        }
    }

    /// `M` factored, and the logarithm of its determinant.
    fn factor(&mut self, r: usize) -> Option<f64> {
        let (l, s) = (&self.start_root, &self.gram);
        // S L, row by row: rows of L are added up, so that the inner loop runs over neighbours.
        let product = &mut self.product;
        product.clear();
        product.resize(r * r, 0.0);
        for i in 0..r {
            let out = &mut product[i * r..(i + 1) * r];
            for k in 0..r {
                let weight = if k <= i { s[i * r + k] } else { s[k * r + i] };
                if weight != 0.0 {
                    out[..=k].iter_mut().zip(&l[k * r..=k * r + k]).for_each(|(o, l)| *o += weight * l);
                }
            }
        }
        let inner = &mut self.inner;
        inner.clear();
        inner.resize(r * r, 0.0);
        for k in 0..r {
            let row = &product[k * r..(k + 1) * r];
            for i in 0..=k {
                let weight = l[k * r + i];
                if weight != 0.0 {
                    inner[i * r..=i * r + i].iter_mut().zip(row).for_each(|(m, p)| *m += weight * p);
                }
            }
        }
        for i in 0..r {
            inner[i * r + i] += 1.0;
        }
        dense::cholesky(inner, r).then(|| 2.0 * (0..r).map(|i| inner[i * r + i].ln()).sum::<f64>())
    }

    /// `K⁻¹ Lᵀ Gᵀ ε⁰` of a column, `K Kᵀ = M`.
    fn project(&mut self, column: usize, c: &Coefficients, period: usize, r: usize, has_ma: bool) {
        let buffer = &mut self.buffer;
        buffer.clear();
        buffer.extend_from_slice(&self.errors[column]);
        if has_ma {
            buffer.reverse();
            divide(buffer, c, period);
            buffer.reverse();
        }
        buffer.resize(buffer.len().max(r), 0.0);
        let out = &mut self.projected[column];
        out.clear();
        out.resize(r, 0.0);
        for (k, h) in buffer[..r].iter().enumerate() {
            let row = &self.start_root[k * r..=k * r + k];
            out.iter_mut().zip(row).for_each(|(o, l)| *o += l * h);
        }
        dense::solve_lower(&self.inner, out, r);
    }

    /// Coefficients of the regressors by generalised least squares.
    fn regress(&mut self) -> Option<()> {
        let k = self.columns.len() - 1;
        self.beta.clear();
        if k == 0 {
            return Some(());
        }
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let inner =
            |i: usize, j: usize| dot(&self.errors[i], &self.errors[j]) - dot(&self.projected[i], &self.projected[j]);
        self.normal.clear();
        for i in 1..=k {
            for j in 1..=k {
                self.normal.push(if j <= i { inner(i, j) } else { 0.0 });
            }
        }
        for i in 1..=k {
            self.beta.push(inner(i, 0));
        }
        // A regressor that the others explain gets nothing.
        dense::semidefinite_root(&mut self.normal, k);
        dense::solve_semidefinite(&self.normal, &mut self.beta, k);
        self.beta.iter().all(|b| b.is_finite()).then_some(())
    }
}

/// `φ(B) Φ(Bᵐ) x`, nothing being before the first value.
fn autoregress(x: &[f64], c: &Coefficients, period: usize, buffer: &mut Vec<f64>, out: &mut Vec<f64>) {
    out.clear();
    out.extend_from_slice(x);
    for (i, phi) in (1..).zip(&c.seasonal_ar) {
        let lag = i * period;
        if lag < x.len() {
            out[lag..].iter_mut().zip(x).for_each(|(o, x)| *o -= phi * x);
        }
    }
    if c.ar.is_empty() {
        return;
    }
    buffer.clear();
    buffer.extend_from_slice(out);
    for (lag, phi) in (1..).zip(&c.ar) {
        if lag < buffer.len() {
            out[lag..].iter_mut().zip(&*buffer).for_each(|(o, x)| *o -= phi * x);
        }
    }
}

/// `x / (θ(B) Θ(Bᵐ))`, in place.
fn divide(x: &mut [f64], c: &Coefficients, period: usize) {
    let n = x.len();
    if !c.seasonal_ma.is_empty() {
        for t in period..n {
            let mut sum = 0.0;
            for (i, theta) in (1..).zip(&c.seasonal_ma) {
                if i * period > t {
                    break;
                }
                sum += theta * x[t - i * period];
            }
            x[t] -= sum;
        }
    }
    match c.ma[..] {
        [] => {}
        [a] => {
            let mut last = 0.0;
            for x in x {
                *x -= a * last;
                last = *x;
            }
        }
        [a, b] => {
            let (mut last, mut before) = (0.0, 0.0);
            for x in x {
                *x -= a * last + b * before;
                (last, before) = (*x, last);
            }
        }
        ref ma => {
            for t in 1..n {
                let (past, now) = x.split_at_mut(t);
                let sum: f64 = ma.iter().zip(past.iter().rev()).map(|(theta, e)| theta * e).sum();
                now[0] -= sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `-ln L / n` from the covariance matrix of the observations, which the coefficients of a long moving average give.
    fn by_covariance(w: &[f64], orders: &Orders, c: &Coefficients) -> f64 {
        let (mut ar, mut ma) = (Vec::new(), Vec::new());
        c.write_ar(orders.period, &mut ar);
        c.write_ma(orders.period, &mut ma);
        let mut psi = vec![1.0];
        for j in 1..4000 {
            let past: f64 = ar.iter().zip(psi.iter().rev()).map(|(phi, psi)| phi * psi).sum();
            psi.push(past + ma.get(j - 1).copied().unwrap_or(0.0));
        }
        let n = w.len();
        let gamma: Vec<f64> = (0..n).map(|k| psi.iter().zip(&psi[k..]).map(|(a, b)| a * b).sum()).collect();
        let mut v: Vec<f64> = (0..n * n).map(|i| gamma[(i / n).abs_diff(i % n)]).collect();
        assert!(dense::cholesky(&mut v, n));
        let mut e = w.to_vec();
        dense::solve_lower(&v, &mut e, n);
        let sigma2 = e.iter().map(|e| e * e).sum::<f64>() / n as f64;
        let log_determinant: f64 = (0..n).map(|i| 2.0 * v[i * n + i].ln()).sum();
        0.5 * ((2.0 * std::f64::consts::PI * sigma2).ln() + 1.0) + 0.5 * log_determinant / n as f64
    }

    fn values(n: usize) -> Vec<f64> {
        (0..n).map(|t| ((t * 7919 + 13) % 101) as f64 / 50.0 - 1.0 + (t as f64 / 5.0).sin()).collect()
    }

    #[test]
    fn the_likelihood_is_that_of_the_covariance_matrix() {
        let cases = [
            ([1, 0, 0], [0, 0, 0, 1]),
            ([3, 0, 0], [0, 0, 0, 1]),
            ([0, 0, 1], [0, 0, 0, 1]),
            ([0, 0, 3], [0, 0, 0, 1]),
            ([2, 0, 1], [0, 0, 0, 1]),
            ([1, 0, 3], [0, 0, 0, 1]),
            ([0, 0, 1], [0, 0, 1, 4]),
            ([1, 0, 0], [1, 0, 0, 4]),
            ([2, 0, 1], [1, 0, 2, 4]),
            ([0, 0, 0], [1, 0, 1, 4]),
        ];
        for (order, seasonal) in cases {
            let orders = Orders::new(order, seasonal);
            let pick = |k: usize, from: [f64; 3]| from[..k].to_vec();
            let c = Coefficients {
                ar: pick(orders.p, [0.5, 0.2, -0.3]),
                ma: pick(orders.q, [-0.6, 0.3, 0.4]),
                seasonal_ar: pick(orders.seasonal_p, [0.7, 0.0, 0.0]),
                seasonal_ma: pick(orders.seasonal_q, [-0.5, 0.2, 0.0]),
            };
            // Fewer observations than lags, too.
            for n in [3, 5, 9, 40] {
                let w = values(n);
                let got = Exact::new(w.clone(), Vec::new()).evaluate(&orders, &c).unwrap();
                let expected = by_covariance(&w, &orders, &c);
                assert!((got - expected).abs() < 1e-9, "{} n = {n}: {got} vs {expected}", orders.name());
            }
        }
    }

    // The likelihood of an MA(1) and of its mirror image 1/θ is the same function up to the variance.
    #[test]
    fn a_moving_average_on_the_unit_circle_has_a_likelihood() {
        let orders = Orders::new([0, 0, 1], [0, 0, 0, 1]);
        let at = |theta: f64| {
            let c = Coefficients { ma: vec![theta], ..Coefficients::default() };
            Exact::new(values(30), Vec::new()).evaluate(&orders, &c).unwrap()
        };
        assert!((at(-1.25) - at(-0.8)).abs() < 1e-9, "{} vs {}", at(-1.25), at(-0.8));
        assert!((at(-1.0) - at(-0.999_999)).abs() < 1e-5, "{} vs {}", at(-1.0), at(-0.999_999));
    }

    #[test]
    fn regressors_are_fitted_by_generalised_least_squares() {
        let orders = Orders::new([1, 0, 1], [0, 0, 0, 1]);
        let c = Coefficients { ar: vec![0.7], ma: vec![0.4], ..Coefficients::default() };
        let w = values(40);
        let x: Vec<f64> = (0..40).map(|t| f64::from((t * 31) % 17)).collect();
        let driven: Vec<f64> = w.iter().zip(&x).map(|(w, x)| w + 3.0 + 0.5 * x).collect();
        let evaluate = |y: Vec<f64>, beta: &mut Vec<f64>| {
            let mut exact = Exact::new(y, vec![vec![1.0; 40], x.clone()]);
            let value = exact.evaluate(&orders, &c).unwrap();
            beta.clone_from(&exact.beta);
            value
        };
        let (mut plain, mut moved) = (Vec::new(), Vec::new());
        let values = (evaluate(w, &mut plain), evaluate(driven, &mut moved));
        assert!((values.0 - values.1).abs() < 1e-12, "{values:?}");
        assert!((moved[0] - plain[0] - 3.0).abs() < 1e-9 && (moved[1] - plain[1] - 0.5).abs() < 1e-10, "{moved:?}");
        // No other coefficients have a higher likelihood.
        for (i, step) in [(0, 0.05), (0, -0.05), (1, 0.01), (1, -0.01)] {
            let mut beta = plain.clone();
            beta[i] += step;
            let rest: Vec<f64> = self::values(40).iter().zip(&x).map(|(w, x)| w - beta[0] - beta[1] * x).collect();
            let value = Exact::new(rest, Vec::new()).evaluate(&orders, &c).unwrap();
            assert!(value > values.0, "{beta:?}: {value} vs {}", values.0);
        }
    }

    #[test]
    fn a_model_without_lags_forgets_the_lags_before_it() {
        let white = Orders::new([0; 3], [0, 0, 0, 1]);
        let c = Coefficients { ar: vec![0.7], ma: vec![0.4], ..Coefficients::default() };
        let mut exact = Exact::new(values(40), vec![vec![1.0; 40]]);
        let first = exact.evaluate(&white, &Coefficients::default());
        exact.evaluate(&Orders::new([1, 0, 1], [0, 0, 0, 1]), &c).unwrap();
        assert_eq!(exact.evaluate(&white, &Coefficients::default()), first);
    }

    // The squares of ε⁰ are a million times those of ε: their difference with what the start explains would lose six digits.
    #[test]
    fn a_level_that_the_start_explains_does_not_cancel() {
        let orders = Orders::new([1, 0, 1], [0, 0, 0, 1]);
        let c = Coefficients { ar: vec![0.999_999_999], ma: vec![0.4], ..Coefficients::default() };
        let at = |level: f64| {
            let mut exact = Exact::new(values(40).iter().map(|w| w + level).collect(), Vec::new());
            exact.evaluate(&orders, &c).unwrap();
            exact.sigma2
        };
        // A first value of 1000 is nothing beside the standard deviation of 20,000 that the model gives it.
        assert!((at(1e3) / at(0.0) - 1.0).abs() < 1e-3, "{} {}", at(1e3), at(0.0));
    }

    #[test]
    fn an_explosive_autoregression_has_none() {
        let orders = Orders::new([1, 0, 0], [0, 0, 0, 1]);
        let c = Coefficients { ar: vec![1.01], ..Coefficients::default() };
        assert_eq!(Exact::new(values(30), Vec::new()).evaluate(&orders, &c), None);
    }
}
