//! Orders of a seasonal ARIMA model, and the differences they ask for.

use serde::Serialize;

/// `(p, d, q) (P, D, Q) [m]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
pub struct Orders {
    /// Autoregressive lags.
    pub p: usize,
    /// Differences.
    pub d: usize,
    /// Moving-average lags.
    pub q: usize,
    /// Seasonal autoregressive lags.
    pub seasonal_p: usize,
    /// Seasonal differences.
    pub seasonal_d: usize,
    /// Seasonal moving-average lags.
    pub seasonal_q: usize,
    /// Length of the season; 1 for none.
    pub period: usize,
}

impl Orders {
    /// Orders as Merlion writes them. A season of 1, or 0, is none.
    #[must_use]
    pub fn new([p, d, q]: [usize; 3], [seasonal_p, seasonal_d, seasonal_q, period]: [usize; 4]) -> Self {
        if period < 2 {
            return Self { p, d, q, period: 1, ..Self::default() };
        }
        Self { p, d, q, seasonal_p, seasonal_d, seasonal_q, period }
    }

    /// Highest autoregressive lag of the product polynomial.
    #[must_use]
    pub fn ar_lags(&self) -> usize {
        self.p + self.seasonal_p * self.period
    }

    /// Highest moving-average lag of the product polynomial.
    #[must_use]
    pub fn ma_lags(&self) -> usize {
        self.q + self.seasonal_q * self.period
    }

    /// Observations lost to differencing.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.d + self.seasonal_d * self.period
    }

    /// Number of coefficients.
    #[must_use]
    pub fn coefficients(&self) -> usize {
        self.p + self.q + self.seasonal_p + self.seasonal_q
    }

    /// Length of the ARMA part of the state vector.
    #[must_use]
    pub fn arma_states(&self) -> usize {
        self.ar_lags().max(self.ma_lags() + 1)
    }

    /// `(2,1,1)(0,1,0)[12]`.
    #[must_use]
    pub fn name(&self) -> String {
        let season = if self.period > 1 {
            format!("({},{},{})[{}]", self.seasonal_p, self.seasonal_d, self.seasonal_q, self.period)
        } else {
            String::new()
        };
        format!("({},{},{}){season}", self.p, self.d, self.q)
    }

    /// The series, differenced: shorter by [`Self::lost`].
    #[must_use]
    pub fn differenced(&self, series: &[f64]) -> Vec<f64> {
        let mut w = series.to_vec();
        for _ in 0..self.seasonal_d {
            difference(&mut w, self.period);
        }
        for _ in 0..self.d {
            difference(&mut w, 1);
        }
        w
    }
}

/// `x_t - x_{t-lag}`, shorter by `lag`.
pub(super) fn difference(series: &mut Vec<f64>, lag: usize) {
    let n = series.len().saturating_sub(lag);
    for t in 0..n {
        series[t] = series[t + lag] - series[t];
    }
    series.truncate(n);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_taken_at_the_season_and_at_one() {
        let orders = Orders::new([0, 1, 0], [0, 1, 0, 2]);
        // 1 4 9 16 25 36 -> 8 12 16 20 -> 4 4 4.
        assert_eq!(orders.differenced(&[1.0, 4.0, 9.0, 16.0, 25.0, 36.0]), [4.0; 3]);
        assert_eq!((orders.lost(), orders.name().as_str()), (3, "(0,1,0)(0,1,0)[2]"));
        assert_eq!(orders.differenced(&[1.0, 2.0]), [0.0; 0]);
    }

    #[test]
    fn a_season_of_one_is_none() {
        let orders = Orders::new([4, 1, 2], [2, 0, 1, 1]);
        assert_eq!((orders.ar_lags(), orders.ma_lags(), orders.arma_states()), (4, 2, 4));
        assert_eq!(orders.name(), "(4,1,2)");
        let seasonal = Orders::new([4, 1, 2], [2, 0, 1, 24]);
        assert_eq!((seasonal.ar_lags(), seasonal.ma_lags(), seasonal.coefficients()), (52, 26, 9));
    }
}
