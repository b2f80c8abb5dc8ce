//! Measures of forecast error, on slices, with Merlion's definitions.
//!
//! With truth `y`, forecast `ŷ`, errors `e = y - ŷ` over `T` times, and the mean step of a season in the training data
//! `s = mean |x_t - x_{t-m}|`:
//!
//! ```text
//! MAE    mean |e|                        RMSE   √ mean e²
//! MARRE  100 mean |e| / (max y - min y)  RMSPE  100 √ mean (e / y)²
//! sMAPE  200 mean |e| / (|y| + |ŷ| + 1e-8)
//! MASE   mean |e| / (s + 1e-8)
//! MSIS   (Σ (u - l) + 100 Σ (l - y)₊ + 100 Σ (y - u)₊) / (s + 1e-8) / T
//! ```
//!
//! sMAPE runs from 0 to 200. MSIS is the scaled interval score of Gneiting & Raftery (2007) with the penalty 2/α = 100, that of a
//! 98 % interval, although Merlion speaks of 95 %; both are kept so that scores can be compared. See Hyndman & Koehler (2006), "Another
//! look at measures of forecast accuracy", for MASE.
//!
//! A missing value (NaN) anywhere makes the score NaN. A truth of 0 makes RMSPE infinite, or NaN where the error is 0 too.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::nearest::nearest;

/// Keeps denominators away from 0, as in Merlion.
const TINY: f64 = 1e-8;

/// What MSIS charges for each unit that the truth is outside the interval.
const MISS_PENALTY: f64 = 100.0;

/// Why there is no score.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// There is nothing to compare.
    #[error("no time at which there are both a forecast and a true value")]
    Empty,
    /// Slices of different length.
    #[error("{got} values of {what}, but {expected} true values")]
    LengthMismatch {
        /// Which slice.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The number of true values.
        expected: usize,
    },
    /// The metric needs something that was not given.
    #[error("{metric} needs {what}")]
    Missing {
        /// The metric.
        metric: ForecastMetric,
        /// What it needs.
        what: &'static str,
    },
    /// The metric is not defined on these values.
    #[error("{metric} is not defined: {reason}")]
    Undefined {
        /// The metric.
        metric: ForecastMetric,
        /// Why not.
        reason: String,
    },
    /// The column to compare does not exist, or is not chosen among several.
    #[error("{}", match index {
        Some(index) => format!("there is no column {index} among {columns}"),
        None => format!("it is not said which of {columns} columns to compare"),
    })]
    Target {
        /// The column's index, if it was given.
        index: Option<usize>,
        /// How many columns there are.
        columns: usize,
    },
    /// There is no metric of this name.
    #[error("unknown metric '{name}'{}", nearest.as_ref().map(|n| format!(", did you mean '{n}'?")).unwrap_or_default())]
    Unknown {
        /// The name asked for.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// Series that cannot be brought to common times.
    #[error(transparent)]
    Series(#[from] crate::series::SeriesError),
}

/// A measure of forecast error.
///
/// ```
/// use merlion::evaluate::ForecastMetric;
/// assert_eq!("sMAPE".parse(), Ok(ForecastMetric::Smape));
/// assert_eq!(serde_json::json!(ForecastMetric::Smape), "sMAPE");
/// assert!("SMAPE".parse::<ForecastMetric>().is_err_and(|error| error.to_string().ends_with("did you mean 'sMAPE'?")));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum ForecastMetric {
    /// Mean absolute error.
    Mae,
    /// Mean absolute error relative to the range of the truth, in per cent.
    Marre,
    /// Root mean squared error.
    Rmse,
    /// Symmetric mean absolute percentage error, from 0 to 200.
    Smape,
    /// Root mean squared error relative to the truth, in per cent.
    Rmspe,
    /// Mean absolute error relative to the mean seasonal step of the training data.
    Mase,
    /// Score of prediction intervals relative to the mean seasonal step of the training data.
    Msis,
}

impl ForecastMetric {
    /// All metrics, in the order of the documentation.
    pub const ALL: [Self; 7] = [Self::Mae, Self::Marre, Self::Rmse, Self::Smape, Self::Rmspe, Self::Mase, Self::Msis];

    /// The name in JSON, which is Merlion's.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mae => "MAE",
            Self::Marre => "MARRE",
            Self::Rmse => "RMSE",
            Self::Smape => "sMAPE",
            Self::Rmspe => "RMSPE",
            Self::Mase => "MASE",
            Self::Msis => "MSIS",
        }
    }
}

impl fmt::Display for ForecastMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl From<ForecastMetric> for &'static str {
    fn from(metric: ForecastMetric) -> Self {
        metric.name()
    }
}

impl FromStr for ForecastMetric {
    type Err = MetricError;

    /// Reads `sMAPE`, or `ForecastMetric.sMAPE` as Merlion's ensembles write it.
    fn from_str(text: &str) -> Result<Self, MetricError> {
        let name = text.strip_prefix("ForecastMetric.").unwrap_or(text);
        Self::ALL.into_iter().find(|metric| metric.name() == name).ok_or_else(|| MetricError::Unknown {
            name: text.to_owned(),
            nearest: nearest(name, Self::ALL.map(Self::name)).map(str::to_owned),
        })
    }
}

impl TryFrom<String> for ForecastMetric {
    type Error = MetricError;

    fn try_from(text: String) -> Result<Self, MetricError> {
        text.parse()
    }
}

/// Mean absolute error.
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::LengthMismatch`].
pub fn mae(truth: &[f64], forecast: &[f64]) -> Result<f64, MetricError> {
    mean(pairs(truth, forecast)?.map(|(y, f)| (y - f).abs()), truth.len())
}

/// Root mean squared error.
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::LengthMismatch`].
pub fn rmse(truth: &[f64], forecast: &[f64]) -> Result<f64, MetricError> {
    mean(pairs(truth, forecast)?.map(|(y, f)| (y - f) * (y - f)), truth.len()).map(f64::sqrt)
}

/// Mean absolute error relative to the range of the truth, in per cent.
///
/// # Errors
/// [`MetricError::Undefined`] for a constant truth; [`MetricError::Empty`], [`MetricError::LengthMismatch`].
pub fn marre(truth: &[f64], forecast: &[f64]) -> Result<f64, MetricError> {
    let error = mae(truth, forecast)?;
    let (least, greatest) =
        truth.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), y| (lo.min(*y), hi.max(*y)));
    if least == greatest {
        let reason = format!("all true values are {least}");
        return Err(MetricError::Undefined { metric: ForecastMetric::Marre, reason });
    }
    Ok(100.0 * error / (greatest - least))
}

/// Symmetric mean absolute percentage error, from 0 to 200.
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::LengthMismatch`].
pub fn smape(truth: &[f64], forecast: &[f64]) -> Result<f64, MetricError> {
    mean(pairs(truth, forecast)?.map(|(y, f)| 200.0 * (y - f).abs() / (y.abs() + f.abs() + TINY)), truth.len())
}

/// Root mean squared error relative to the truth, in per cent.
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::LengthMismatch`].
pub fn rmspe(truth: &[f64], forecast: &[f64]) -> Result<f64, MetricError> {
    mean(pairs(truth, forecast)?.map(|(y, f)| ((y - f) / y).powi(2)), truth.len()).map(|mean| 100.0 * mean.sqrt())
}

/// Mean absolute error relative to the mean step over `periodicity` in the training data `insample`.
///
/// # Errors
/// [`MetricError::Undefined`] if `insample` is not longer than `periodicity`, or that is 0; [`MetricError::Empty`],
/// [`MetricError::LengthMismatch`].
pub fn mase(truth: &[f64], forecast: &[f64], insample: &[f64], periodicity: usize) -> Result<f64, MetricError> {
    Ok(mae(truth, forecast)? / (seasonal_step(ForecastMetric::Mase, insample, periodicity)? + TINY))
}

/// Score of the intervals from `lower` to `upper` relative to the mean step over `periodicity` in the training data `insample`.
///
/// # Errors
/// As [`mase`].
pub fn msis(
    truth: &[f64],
    lower: &[f64],
    upper: &[f64],
    insample: &[f64],
    periodicity: usize,
) -> Result<f64, MetricError> {
    check_length("lower bounds", truth, lower)?;
    check_length("upper bounds", truth, upper)?;
    // `max` would take the 0 where the truth is missing.
    let beyond = |by: f64| if by <= 0.0 { 0.0 } else { by };
    let score = |((y, l), u): ((&f64, &f64), &f64)| (u - l) + MISS_PENALTY * (beyond(l - y) + beyond(y - u));
    let score = mean(truth.iter().zip(lower).zip(upper).map(score), truth.len())?;
    Ok(score / (seasonal_step(ForecastMetric::Msis, insample, periodicity)? + TINY))
}

/// The mean of scores over windows of different length, such as those of a simulated deployment: each counts by its number of
/// values.
///
/// # Errors
/// [`MetricError::Empty`] if there is no value at all.
#[expect(clippy::cast_precision_loss, reason = "a count of observations")]
pub fn mean_over_windows(scores: &[(f64, usize)]) -> Result<f64, MetricError> {
    let total: usize = scores.iter().map(|(_, values)| values).sum();
    let weighted = scores.iter().filter(|(_, values)| *values > 0).map(|(score, values)| score * *values as f64);
    if total == 0 { Err(MetricError::Empty) } else { Ok(weighted.sum::<f64>() / total as f64) }
}

fn seasonal_step(metric: ForecastMetric, insample: &[f64], periodicity: usize) -> Result<f64, MetricError> {
    if periodicity == 0 || insample.len() <= periodicity {
        let reason = format!("{} training values hold no step over a period of {periodicity}", insample.len());
        return Err(MetricError::Undefined { metric, reason });
    }
    let steps = insample.iter().zip(&insample[periodicity..]).map(|(before, x)| (x - before).abs());
    mean(steps, insample.len() - periodicity)
}

fn check_length(what: &'static str, truth: &[f64], values: &[f64]) -> Result<(), MetricError> {
    if truth.len() == values.len() {
        return Ok(());
    }
    Err(MetricError::LengthMismatch { what, got: values.len(), expected: truth.len() })
}

fn pairs<'a>(truth: &'a [f64], forecast: &'a [f64]) -> Result<impl Iterator<Item = (f64, f64)> + 'a, MetricError> {
    check_length("the forecast", truth, forecast)?;
    Ok(truth.iter().copied().zip(forecast.iter().copied()))
}

#[expect(clippy::cast_precision_loss, reason = "a count of observations")]
fn mean(values: impl Iterator<Item = f64>, count: usize) -> Result<f64, MetricError> {
    if count == 0 { Err(MetricError::Empty) } else { Ok(values.sum::<f64>() / count as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_a_small_forecast() {
        let (y, f) = ([2.0, 4.0, 8.0], [3.0, 4.0, 6.0]);
        assert_eq!(mae(&y, &f), Ok(1.0));
        assert_eq!(rmse(&y, &f), Ok((5.0_f64 / 3.0).sqrt()));
        assert_eq!(marre(&y, &f), Ok(100.0 / 6.0));
        assert!((smape(&y, &f).unwrap() - 200.0 * (0.2 + 1.0 / 7.0) / 3.0).abs() < 1e-6);
        assert_eq!(rmspe(&y, &f), Ok(100.0 * ((0.25 + 0.0625) / 3.0_f64).sqrt()));
        assert!((mase(&y, &f, &[1.0, 5.0, 3.0, 7.0], 2).unwrap() - 0.5).abs() < 1e-8);
        // Widths 2 each, 8 lies 1 above its interval: (6 + 100) / 2 / 3.
        assert!((msis(&y, &[1.0, 3.0, 5.0], &[3.0, 5.0, 7.0], &[1.0, 3.0], 1).unwrap() - 106.0 / 6.0).abs() < 1e-6);
    }

    #[test]
    fn denominators_of_zero_do_what_the_documentation_says() {
        assert_eq!(smape(&[0.0, 0.0], &[0.0, 0.0]), Ok(0.0));
        assert!((smape(&[0.0], &[1.0]).unwrap() - 200.0).abs() < 1e-5);
        assert_eq!(rmspe(&[0.0, 1.0], &[1.0, 1.0]), Ok(f64::INFINITY));
        assert!(rmspe(&[0.0], &[0.0]).unwrap().is_nan());
        assert_eq!(
            marre(&[3.0, 3.0], &[1.0, 2.0]).unwrap_err().to_string(),
            "MARRE is not defined: all true values are 3"
        );
        assert_eq!(mase(&[1.0], &[2.0], &[5.0, 5.0], 1), Ok(1e8));
        assert_eq!(mase(&[1.0], &[1.0], &[5.0, 5.0], 1), Ok(0.0));
    }

    #[test]
    fn nothing_to_compare_is_no_score() {
        for score in [mae(&[], &[]), rmse(&[], &[]), marre(&[], &[]), smape(&[], &[]), rmspe(&[], &[])] {
            assert_eq!(score, Err(MetricError::Empty));
        }
        assert_eq!(mase(&[], &[], &[1.0, 2.0], 1), Err(MetricError::Empty));
        assert_eq!(msis(&[], &[], &[], &[1.0, 2.0], 1), Err(MetricError::Empty));
        let error = mae(&[1.0], &[]).unwrap_err().to_string();
        assert_eq!(error, "0 values of the forecast, but 1 true values");
        for (insample, periodicity) in [(&[][..], 1), (&[1.0, 2.0], 2), (&[1.0, 2.0], 0)] {
            let error = mase(&[1.0], &[1.0], insample, periodicity).unwrap_err();
            assert!(matches!(error, MetricError::Undefined { metric: ForecastMetric::Mase, .. }), "{error}");
        }
    }

    #[test]
    fn a_missing_value_makes_the_score_missing() {
        let (y, f) = ([1.0, f64::NAN, 3.0], [1.0, 2.0, 4.0]);
        let insample = [1.0, 2.0];
        for (y, f) in [(y, f), (f, y)] {
            let scores = [
                mae(&y, &f),
                rmse(&y, &f),
                marre(&y, &f),
                smape(&y, &f),
                rmspe(&y, &f),
                mase(&y, &f, &insample, 1),
                msis(&y, &f, &f, &insample, 1),
            ];
            assert!(scores.iter().all(|score| score.as_ref().is_ok_and(|score| score.is_nan())), "{scores:?}");
        }
    }

    #[test]
    fn windows_count_by_their_values() {
        assert_eq!(mean_over_windows(&[(1.0, 3), (f64::NAN, 0), (5.0, 1)]), Ok(2.0));
        assert_eq!(mean_over_windows(&[(1.0, 0)]), Err(MetricError::Empty));
    }
}
