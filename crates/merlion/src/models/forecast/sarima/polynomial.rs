//! Lag polynomials: products of a plain and a seasonal one, and autoregressions seen through their partial autocorrelations.
//!
//! Monahan (1984), "A note on enforcing stationarity in autoregressive-moving average models", Biometrika 71: the partial
//! autocorrelations `r_k` in (-1, 1) are the stationary autoregressions, one to one, by Levinson's and Durbin's recursion
//!
//! ```text
//! φ_j⁽ᵏ⁾ = φ_j⁽ᵏ⁻¹⁾ - r_k φ_{k-j}⁽ᵏ⁻¹⁾        φ_k⁽ᵏ⁾ = r_k
//! ```

use serde::Serialize;

use super::orders::Orders;

/// Coefficients of `φ(B) Φ(Bᵐ) w_t = θ(B) Θ(Bᵐ) ε_t`, with `φ(B) = 1 - φ_1 B - …` and `θ(B) = 1 + θ_1 B + …`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Coefficients {
    /// `φ_1, φ_2, …`
    pub ar: Vec<f64>,
    /// `θ_1, θ_2, …`
    pub ma: Vec<f64>,
    /// `Φ_1, Φ_2, …`
    pub seasonal_ar: Vec<f64>,
    /// `Θ_1, Θ_2, …`
    pub seasonal_ma: Vec<f64>,
}

impl Coefficients {
    /// All zero.
    #[must_use]
    pub fn zeros(orders: &Orders) -> Self {
        Self {
            ar: vec![0.0; orders.p],
            ma: vec![0.0; orders.q],
            seasonal_ar: vec![0.0; orders.seasonal_p],
            seasonal_ma: vec![0.0; orders.seasonal_q],
        }
    }

    /// The four polynomials' coefficients: plain and seasonal autoregression, plain and seasonal moving average.
    pub(super) fn parts_mut(&mut self) -> [&mut Vec<f64>; 4] {
        [&mut self.ar, &mut self.seasonal_ar, &mut self.ma, &mut self.seasonal_ma]
    }

    /// As [`Self::parts_mut`].
    pub(super) fn parts(&self) -> [&[f64]; 4] {
        [&self.ar, &self.seasonal_ar, &self.ma, &self.seasonal_ma]
    }

    /// The same coefficients in a model of other orders: what is new is zero.
    pub(in super::super) fn resized(&self, orders: &Orders) -> Self {
        let mut other = Self::zeros(orders);
        for (to, from) in other.parts_mut().into_iter().zip(self.parts()) {
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
        }
        other
    }

    /// `φ_1, …` of the product of both autoregressions, into a buffer.
    pub(super) fn write_ar(&self, period: usize, out: &mut Vec<f64>) {
        product(&self.ar, &self.seasonal_ar, period, -1.0, out);
    }

    /// `θ_1, …` of the product of both moving averages, into a buffer.
    pub(super) fn write_ma(&self, period: usize, out: &mut Vec<f64>) {
        product(&self.ma, &self.seasonal_ma, period, 1.0, out);
    }

    /// Whether every root of every polynomial lies farther from 0 than `radius`.
    #[must_use]
    pub fn roots_beyond(&self, radius: f64, period: usize) -> bool {
        let mut scratch = Vec::new();
        let mut beyond = |coefficients: &[f64], sign: f64, radius: f64| {
            let mut power = 1.0;
            let scaled = coefficients.iter().map(|c| {
                power *= radius;
                sign * c * power
            });
            let scaled: Vec<f64> = scaled.collect();
            step_down(&scaled, &mut scratch).is_some()
        };
        let seasonal = radius.powi(i32::try_from(period).unwrap_or(i32::MAX));
        beyond(&self.ar, 1.0, radius)
            && beyond(&self.ma, -1.0, radius)
            && beyond(&self.seasonal_ar, 1.0, seasonal)
            && beyond(&self.seasonal_ma, -1.0, seasonal)
    }
}

/// Coefficients of `(1 + sign Σ a_i Bⁱ)(1 + sign Σ b_j B^{jm})`, the leading 1 left out and `sign` taken off again.
fn product(plain: &[f64], seasonal: &[f64], period: usize, sign: f64, out: &mut Vec<f64>) {
    out.clear();
    out.resize(plain.len() + seasonal.len() * period, 0.0);
    out[..plain.len()].copy_from_slice(plain);
    for (j, b) in (1..).zip(seasonal) {
        out[j * period - 1] += b;
        for (i, a) in (1..).zip(plain) {
            out[j * period + i - 1] += sign * a * b;
        }
    }
}

/// Autoregressive coefficients of these partial autocorrelations, in place.
pub(super) fn from_partial(partial: &mut [f64]) {
    for k in 1..partial.len() {
        let r = partial[k];
        // φ_j and φ_{k-j} change together.
        for j in 0..k.div_ceil(2) {
            let (a, b) = (partial[j], partial[k - 1 - j]);
            partial[j] = a - r * b;
            if j != k - 1 - j {
                partial[k - 1 - j] = b - r * a;
            }
        }
    }
}

/// Partial autocorrelations of an autoregression, or `None` when it is not stationary. `triangle` is left with the coefficients
/// `φ⁽ᵏ⁾` of every order `k`, one after the other: `φ⁽ᵏ⁾` starts at `k(k-1)/2` and ends in `r_k`.
pub(super) fn step_down(coefficients: &[f64], triangle: &mut Vec<f64>) -> Option<()> {
    let p = coefficients.len();
    triangle.clear();
    triangle.resize(p * (p + 1) / 2, 0.0);
    let start = |k: usize| k * (k - 1) / 2;
    if p == 0 {
        return Some(());
    }
    triangle[start(p)..].copy_from_slice(coefficients);
    for k in (1..=p).rev() {
        let (lower, upper) = triangle.split_at_mut(start(k));
        let upper = &upper[..k];
        let r = upper[k - 1];
        let rest = 1.0 - r * r;
        if rest.is_nan() || rest <= 0.0 {
            return None;
        }
        if k > 1 {
            let mirrored = upper[..k - 1].iter().zip(upper[..k - 1].iter().rev());
            for (below, (a, b)) in lower[start(k - 1)..].iter_mut().zip(mirrored) {
                *below = (a + r * b) / rest;
            }
        }
    }
    Some(())
}

/// Autocovariances `γ_0 … γ_lags` of the autoregression that [`step_down`] took apart, errors having variance 1.
pub(super) fn autocovariances(coefficients: &[f64], triangle: &[f64], lags: usize, out: &mut Vec<f64>) {
    let p = coefficients.len();
    let partial = |k: usize| triangle[k * (k + 1) / 2 - 1];
    out.clear();
    let mut variance = (1..=p).fold(1.0, |variance, k| variance / (1.0 - partial(k).powi(2)));
    out.push(variance);
    for k in 1..=lags {
        let gamma = if k <= p {
            let below: &[f64] = if k > 1 { &triangle[(k - 1) * (k - 2) / 2..][..k - 1] } else { &[] };
            let known: f64 = below.iter().zip(out[1..].iter().rev()).map(|(phi, gamma)| phi * gamma).sum();
            let gamma = known + partial(k) * variance;
            variance *= 1.0 - partial(k).powi(2);
            gamma
        } else {
            coefficients.iter().zip(out.iter().rev()).map(|(phi, gamma)| phi * gamma).sum()
        };
        out.push(gamma);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_autocorrelations_come_back() {
        let partial = [0.5, -0.8, 0.3, 0.9, -0.2];
        let mut phi = partial;
        from_partial(&mut phi);
        let mut triangle = Vec::new();
        step_down(&phi, &mut triangle).unwrap();
        for (k, expected) in (1..).zip(partial) {
            let got = triangle[k * (k + 1) / 2 - 1];
            assert!((got - expected).abs() < 1e-12, "r_{k}: {got} vs {expected}");
        }
        // AR(2): φ_1 = r_1 (1 - r_2), φ_2 = r_2.
        let mut two = [0.5, -0.8];
        from_partial(&mut two);
        assert!((two[0] - 0.9).abs() < 1e-15 && two[1] == -0.8, "{two:?}");
        assert!(step_down(&[1.0], &mut triangle).is_none() && step_down(&[f64::NAN], &mut triangle).is_none());
    }

    // AR(2) with φ = (0.5, 0.3): γ_0 = (1 - φ_2) / ((1 + φ_2) ((1 - φ_2)² - φ_1²)), γ_1 = φ_1 γ_0 / (1 - φ_2).
    #[test]
    fn autocovariances_are_those_of_yule_and_walker() {
        let (phi, mut triangle, mut gamma) = ([0.5, 0.3], Vec::new(), Vec::new());
        step_down(&phi, &mut triangle).unwrap();
        autocovariances(&phi, &triangle, 4, &mut gamma);
        let zero = 0.7 / (1.3 * (0.49 - 0.25));
        let one = 0.5 * zero / 0.7;
        let two = 0.5 * one + 0.3 * zero;
        let expected = [zero, one, two, 0.5 * two + 0.3 * one];
        for (k, (got, expected)) in gamma.iter().zip(expected).enumerate() {
            assert!((got - expected).abs() < 1e-12, "γ_{k}: {got} vs {expected}");
        }
    }

    #[test]
    fn seasonal_products_have_cross_terms() {
        let c = Coefficients { ar: vec![0.5], seasonal_ar: vec![0.4], ma: vec![0.3], seasonal_ma: vec![0.2] };
        let (mut ar, mut ma) = (Vec::new(), Vec::new());
        c.write_ar(3, &mut ar);
        c.write_ma(3, &mut ma);
        assert_eq!(ar, [0.5, 0.0, 0.4, -0.2]);
        assert_eq!(ma, [0.3, 0.0, 0.2, 0.06]);
    }

    // 1 - 0.995 B has its root at 1.00503; 1 - 0.9 B¹² at 1.0088.
    #[test]
    fn roots_near_the_circle_are_seen() {
        let c = Coefficients { ar: vec![0.995], ..Coefficients::default() };
        assert!(c.roots_beyond(1.005, 1) && !c.roots_beyond(1.0051, 1));
        let c = Coefficients { seasonal_ma: vec![-0.9], ..Coefficients::default() };
        assert!(c.roots_beyond(1.008, 12) && !c.roots_beyond(1.01, 12));
        let c = Coefficients { ma: vec![1.5, 0.7], ..Coefficients::default() };
        assert!(c.roots_beyond(1.1, 1) && !c.roots_beyond(1.2, 1), "modulus 1.195");
    }
}
