//! What the time before the first observation adds to the equations of an ARMA model, as a covariance matrix.
//!
//! With `w_t = Σ φ_i w_{t-i} + ε_t + Σ θ_j ε_{t-j}` (products of plain and seasonal polynomials), equation `i` of the first
//! `r = max(p, q)` contains `c_i = Σ_{m≥0} φ_{i+m} w_{-m} + θ_{i+m} ε_{-m}`. `C`, the covariance of `c` for errors of variance 1,
//! is that of the state vector of Harvey (1989), "Forecasting, Structural Time Series Models and the Kalman Filter", section
//! 3.3, but for the new error. It obeys `C = T (C + R Rᵀ) Tᵀ`, which for a companion matrix `T` is a recursion along the
//! diagonals, started by the autocovariances.

use super::orders::Orders;
use super::polynomial::{Coefficients, autocovariances, step_down};

/// The working memory.
#[derive(Debug, Clone, Default)]
pub(super) struct PresampleCovariance {
    ar: Vec<f64>,
    ma: Vec<f64>,
    triangle: Vec<f64>,
    gamma: Vec<f64>,
    gamma_ma: Vec<f64>,
    psi: Vec<f64>,
    first_row: Vec<f64>,
}

/// `θ_i`, `θ_0` being 1.
fn theta(ma: &[f64], i: usize) -> f64 {
    if i == 0 { 1.0 } else { ma.get(i - 1).copied().unwrap_or(0.0) }
}

impl PresampleCovariance {
    /// Writes the lower triangle of `C`, `r` rows of `r`; `None` when the autoregression is not stationary.
    pub(super) fn write(&mut self, orders: &Orders, c: &Coefficients, out: &mut Vec<f64>) -> Option<()> {
        let (p, q) = (orders.ar_lags(), orders.ma_lags());
        let r = p.max(q);
        c.write_ar(orders.period, &mut self.ar);
        c.write_ma(orders.period, &mut self.ma);
        out.clear();
        out.resize(r * r, 0.0);
        if p == 0 {
            for i in 0..r {
                for j in 0..=i {
                    out[i * r + j] = self.ma[i..].iter().zip(&self.ma[j..]).map(|(a, b)| a * b).sum();
                }
            }
            return Some(());
        }
        step_down(&self.ar, &mut self.triangle)?;
        autocovariances(&self.ar, &self.triangle, r + q, &mut self.gamma);
        self.add_moving_average(r, q);
        // ψ_j = θ_j + Σ φ_i ψ_{j-i}.
        self.psi.clear();
        for j in 0..=q {
            let past: f64 = self.ar.iter().zip(self.psi.iter().rev()).map(|(phi, psi)| phi * psi).sum();
            self.psi.push(theta(&self.ma, j) + past);
        }
        // The covariance of w_t with state j: Σ_m φ_{j+1+m} γ_{m+1} + θ_{j+m} ψ_m.
        self.first_row.clear();
        self.first_row.push(self.gamma_ma[0]);
        for j in 1..=r {
            let ar: f64 = self.ar.iter().skip(j).zip(&self.gamma_ma[1..]).map(|(phi, gamma)| phi * gamma).sum();
            let ma: f64 = self.ma.iter().skip(j - 1).zip(&self.psi).map(|(theta, psi)| theta * psi).sum();
            self.first_row.push(ar + ma);
        }
        let phi = |i: usize| self.ar.get(i).copied().unwrap_or(0.0);
        for i in (0..r).rev() {
            for j in 0..=i {
                // Beyond the last state there is nothing but the new error.
                let next = if i + 1 < r { out[(i + 1) * r + j + 1] } else { 0.0 };
                out[i * r + j] = phi(i) * phi(j) * self.first_row[0]
                    + phi(i) * self.first_row[j + 1]
                    + phi(j) * self.first_row[i + 1]
                    + next
                    + theta(&self.ma, i + 1) * theta(&self.ma, j + 1);
            }
        }
        Some(())
    }

    /// `γ_k` of the ARMA process, `k` up to `r`: `Σ_l γ_θ(l) γ_AR(|k - l|)` over lags of both signs.
    fn add_moving_average(&mut self, r: usize, q: usize) {
        let (ma, gamma) = (&self.ma, &self.gamma);
        self.psi.clear();
        self.psi.extend((0..=q).map(|l| (0..=q - l).map(|i| theta(ma, i) * theta(ma, i + l)).sum::<f64>()));
        self.gamma_ma.clear();
        for k in 0..=r {
            let far = self.psi.iter().enumerate().skip(1);
            let far: f64 = far.map(|(l, g)| g * (gamma[k + l] + gamma[k.abs_diff(l)])).sum();
            self.gamma_ma.push(self.psi[0] * gamma[k] + far);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // ARMA(1,1): c_1 = φ w_0 + θ ε_0, of variance φ² γ_0 + 2 φ θ + θ², γ_0 = (1 + 2 φ θ + θ²) / (1 - φ²).
    #[test]
    fn one_lag_of_each_is_worked_out_by_hand() {
        let orders = Orders::new([1, 0, 1], [0, 0, 0, 1]);
        let (phi, theta) = (0.6, 0.4);
        let c = Coefficients { ar: vec![phi], ma: vec![theta], ..Coefficients::default() };
        let mut got = Vec::new();
        PresampleCovariance::default().write(&orders, &c, &mut got).unwrap();
        let gamma = (1.0 + 2.0 * phi * theta + theta * theta) / (1.0 - phi * phi);
        let expected = phi * phi * gamma + 2.0 * phi * theta + theta * theta;
        assert!((got[0] - expected).abs() < 1e-12, "{got:?} vs {expected}");
    }

    // MA(2): c = (θ_1 ε_0 + θ_2 ε_{-1}, θ_2 ε_0).
    #[test]
    fn a_moving_average_is_a_sum_of_products() {
        let orders = Orders::new([0, 0, 2], [0, 0, 0, 1]);
        let c = Coefficients { ma: vec![0.5, 0.25], ..Coefficients::default() };
        let mut got = Vec::new();
        PresampleCovariance::default().write(&orders, &c, &mut got).unwrap();
        assert_eq!([got[0], got[2], got[3]], [0.3125, 0.125, 0.0625]);
    }
}
