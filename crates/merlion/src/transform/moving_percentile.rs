//! Percentiles over a moving window.

use serde::{Deserialize, Serialize};

use super::{Fitted, Inversion, InversionState, Transform, TransformError, TransformSpec};
use crate::series::TimeSeries;

/// The percentile of each value and those before it; at the start, of as many as there are. Between two values it is interpolated
/// linearly, as numpy does. A window with a missing value has none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MovingPercentile {
    /// The length of the window.
    pub n_steps: usize,
    /// The percentile, from 0 to 100.
    pub q: f64,
}

impl Default for MovingPercentile {
    /// The median of each value alone, which is the value.
    fn default() -> Self {
        Self { n_steps: 1, q: 50.0 }
    }
}

impl Transform for MovingPercentile {
    const NAME: &'static str = "MovingPercentile";
    const SUMMARY: &'static str = "Percentile over a moving window";
    const REQUIRED: &'static [&'static str] = &["n_steps", "q"];
    type Fitted = Self;

    fn validate(&self) -> Result<(), TransformError> {
        if self.n_steps == 0 {
            return Err(TransformError::invalid(Self::NAME, "n_steps", self.n_steps, "must be at least 1"));
        }
        if !(0.0..=100.0).contains(&self.q) {
            return Err(TransformError::invalid(Self::NAME, "q", self.q, "must be from 0 to 100"));
        }
        Ok(())
    }

    fn fit(&self, _: &TimeSeries) -> Result<Self, TransformError> {
        Ok(*self)
    }
}

impl Fitted for MovingPercentile {
    fn inversion(&self) -> Inversion {
        Inversion::IMPOSSIBLE
    }

    fn spec(&self) -> TransformSpec {
        (*self).into()
    }

    fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError> {
        let mut sorted = Vec::with_capacity(self.n_steps);
        let series = series.map_columns(|column| {
            let x = column.values();
            let window = |i: usize| &x[(i + 1).saturating_sub(self.n_steps)..=i];
            (0..x.len()).map(|i| percentile(window(i), self.q, &mut sorted)).collect()
        });
        Ok((series, InversionState::Nothing))
    }

    fn invert(&self, _: &TimeSeries, _: &InversionState) -> Result<TimeSeries, TransformError> {
        let reason = "a percentile does not tell the values it came from".to_owned();
        Err(TransformError::NotInvertible { transform: Self::NAME, reason })
    }

    fn end(&self, _: &TimeSeries) -> Result<InversionState, TransformError> {
        self.invert(&TimeSeries::default(), &InversionState::Nothing).map(|_| InversionState::Nothing)
    }
}

/// The percentile `q` of some values, NaN if one is missing. `sorted` is working space.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position within the window"
)]
fn percentile(values: &[f64], q: f64, sorted: &mut Vec<f64>) -> f64 {
    if values.iter().any(|v| v.is_nan()) {
        return f64::NAN;
    }
    sorted.clear();
    sorted.extend_from_slice(values);
    sorted.sort_unstable_by(f64::total_cmp);
    let position = q / 100.0 * (sorted.len() - 1) as f64;
    let (below, part) = (position.floor() as usize, position.fract());
    let (low, high) = (sorted[below], sorted[(below + 1).min(sorted.len() - 1)]);
    // From the nearer end, so that both ends are met exactly.
    if part < 0.5 { low + (high - low) * part } else { high - (high - low) * (1.0 - part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_numpys() {
        // numpy.percentile([3, 1, 2, 10], q)
        for (q, expected) in [(0.0, 1.0), (25.0, 1.75), (50.0, 2.5), (90.0, 7.9), (100.0, 10.0)] {
            let got = percentile(&[3.0, 1.0, 2.0, 10.0], q, &mut Vec::new());
            assert!((got - expected).abs() < 1e-12, "q = {q}: {got}, expected {expected}");
        }
        assert!(percentile(&[1.0, f64::NAN], 50.0, &mut Vec::new()).is_nan());
    }

    #[test]
    fn the_window_is_shorter_at_the_start() {
        let series = TimeSeries::from_columns(
            crate::time::testing::seconds(&[0, 1, 2, 3]),
            vec![("x".to_owned(), vec![4.0, 2.0, 8.0, 1.0])],
        )
        .unwrap();
        let (largest, state) = MovingPercentile { n_steps: 2, q: 100.0 }.apply_with_state(&series).unwrap();
        assert_eq!(largest.univariates()[0].values(), [4.0, 4.0, 8.0, 8.0]);
        let error = MovingPercentile::default().invert(&largest, &state).unwrap_err().to_string();
        assert_eq!(error, "MovingPercentile cannot be inverted: a percentile does not tell the values it came from");
    }
}
