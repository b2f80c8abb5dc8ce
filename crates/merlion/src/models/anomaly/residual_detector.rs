//! A detector out of a forecaster: an observation is as strange as its forecast is far off.
//!
//! With the forecast `ŷ_t` and its standard error `σ_t`,
//!
//! ```text
//! s_t = (y_t - ŷ_t) / (σ_t + 1e-8)     or y_t - ŷ_t for a forecaster without standard errors
//! ```
//!
//! Training data is compared with one-step predictions, new data with the forecasts from the end of the training data, or of the history
//! that is given. A forecaster becomes a detector by an `impl` of [`ResidualModel`] and a line in the catalogue.

use serde::{Deserialize, Serialize};

use crate::align;
use crate::models::{
    Capabilities, Detector, FitContext, FittedDetector, FittedForecaster, Forecaster, ModelError, Observations, Origin,
    Request, Scores, TrainInput,
};
use crate::postprocess::{AggregateAlarms, Supervision, ThresholdRule};
use crate::time::Timestamp;
use crate::transform::TransformSpec;

/// Keeps perfect forecasts from dividing by 0; Merlion's.
const EPSILON: f64 = 1e-8;

/// A forecaster out of which a detector is made.
pub trait ResidualModel: Forecaster {
    /// The detector's name in model JSON.
    const DETECTOR: &'static str;
    /// One line for `merlion models`.
    const DETECTOR_SUMMARY: &'static str;
    /// The threshold where the user gives none.
    const THRESHOLD: f64 = 3.0;
    /// Whether scores are calibrated unless the user says otherwise.
    const CALIBRATED: bool = true;
}

/// The detector out of a forecaster, whose parameters are its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResidualDetector<F> {
    model: F,
}

impl<F> ResidualDetector<F> {
    /// The detector out of a forecaster.
    #[must_use]
    pub fn new(model: F) -> Self {
        Self { model }
    }
}

impl<F: ResidualModel> Detector for ResidualDetector<F> {
    const NAME: &'static str = F::DETECTOR;
    const SUMMARY: &'static str = F::DETECTOR_SUMMARY;
    const CAPABILITIES: Capabilities = Capabilities { online: false, ..F::CAPABILITIES };
    const INNER: Option<&'static str> = F::INNER;
    const TWIN: Option<&'static str> = Some(F::NAME);
    const CALIBRATED: bool = F::CALIBRATED;
    const QUANTILE: bool = false;
    const FORECASTS: bool = true;
    type Fitted = FittedResidualDetector<F::Fitted>;

    fn into_merlion(self) -> Self {
        Self { model: self.model.into_merlion() }
    }

    fn with_origin(self, origin: &Origin) -> Self {
        Self { model: self.model.with_origin(origin) }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { online: false, ..Forecaster::capabilities(&self.model) }
    }

    fn transform(&self) -> Option<TransformSpec> {
        Forecaster::transform(&self.model)
    }

    fn default_threshold(&self, _: bool) -> Option<ThresholdRule> {
        Some(AggregateAlarms::at(F::THRESHOLD).into())
    }

    fn check_columns(&self, columns: usize) -> Result<(), ModelError> {
        Forecaster::check_columns(&self.model, columns)
    }

    fn validate(&self) -> Result<(), ModelError> {
        self.model.validate()
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        _: Option<&Supervision<'_>>,
        context: &FitContext,
    ) -> Result<Self::Fitted, ModelError> {
        let covariates = covariates(input);
        let model = Forecaster::fit(&self.model, &train_input(input, &covariates), context)?;
        let fitted = model.in_sample();
        let train = compare(input, fitted.mean, fitted.stderr);
        let even_sampling = Detector::capabilities(self).even_sampling;
        Ok(FittedResidualDetector { model, train, even_sampling, last: input.times.last().copied() })
    }
}

/// The columns beside the target.
fn covariates(rows: &Observations<'_>) -> Vec<Vec<f64>> {
    let others = rows.columns.iter().enumerate().filter(|(position, _)| *position != rows.target);
    others.map(|(_, column)| column.clone()).collect()
}

fn train_input<'a>(rows: &Observations<'a>, covariates: &'a [Vec<f64>]) -> TrainInput<'a> {
    TrainInput { times: rows.times, target: rows.target(), covariates, exog: &[], granularity: rows.granularity }
}

/// Scores of rows whose forecasts are known.
fn compare(rows: &Observations<'_>, mean: Vec<f64>, stderr: Option<Vec<f64>>) -> Scores {
    let residuals = rows.target().iter().zip(&mean).map(|(y, mean)| y - mean);
    let stderr = stderr.map(known_everywhere);
    let values = match &stderr {
        Some(stderr) => residuals.zip(stderr).map(|(residual, sigma)| residual / (sigma + EPSILON)).collect(),
        None => residuals.collect(),
    };
    Scores::new(rows.times, values).with_expected(mean, stderr)
}

/// Standard errors that are missing become the mean of the others, or 1 if there is none.
fn known_everywhere(mut stderr: Vec<f64>) -> Vec<f64> {
    let (n, sum) = stderr.iter().filter(|s| !s.is_nan()).fold((0_u32, 0.0), |(n, sum), s| (n + 1, sum + s));
    let mean = if n == 0 { 1.0 } else { sum / f64::from(n) };
    stderr.iter_mut().filter(|s| s.is_nan()).for_each(|s| *s = mean);
    stderr
}

/// A trained [`ResidualDetector`].
#[derive(Debug, Serialize)]
#[serde(bound = "F: Serialize")]
pub struct FittedResidualDetector<F> {
    model: F,
    #[serde(skip)]
    train: Scores,
    even_sampling: bool,
    /// Time of the last training observation.
    last: Option<Timestamp>,
}

impl<F: FittedForecaster> FittedDetector for FittedResidualDetector<F> {
    fn train_scores(&self) -> Scores {
        self.train.clone()
    }

    fn score(
        &self,
        new: &Observations<'_>,
        history: Option<&Observations<'_>>,
        context: &FitContext,
    ) -> Result<Scores, ModelError> {
        let known = history.and_then(|history| history.times.last().copied()).max(self.last);
        let (Some(&first), Some(&last), Some(known)) = (new.times.first(), new.times.last(), known) else {
            return Ok(Scores::default());
        };
        if first <= known {
            return Err(ModelError::Request(format!("what is at {first} was known: forecasts start after {known}")));
        }
        let grid = if self.even_sampling { new.granularity.until(known, last)? } else { new.times.to_vec() };
        let covariates = history.map(covariates).unwrap_or_default();
        let history = history.map(|history| train_input(history, &covariates));
        let forecast = self.model.forecast(&Request { times: &grid, history, exog: &[], levels: &[], context })?;
        let at = |values: Vec<f64>| {
            if grid == new.times { values } else { align::interpolate_at(&grid, &values, new.times) }
        };
        Ok(compare(new, at(forecast.mean), forecast.stderr.map(at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::forecast::drift::Drift;
    use crate::models::forecast::seasonal_naive::SeasonalNaive;
    use crate::time::{Granularity, Offset};

    impl ResidualModel for Drift {
        const DETECTOR: &'static str = "DriftDetector";
        const DETECTOR_SUMMARY: &'static str = "Distance from the line through the first and the last value";
    }

    impl ResidualModel for SeasonalNaive {
        const DETECTOR: &'static str = "SeasonalNaiveDetector";
        const DETECTOR_SUMMARY: &'static str = "Distance from the season before";
    }

    fn with<T>(first: i64, values: &[f64], then: impl FnOnce(&Observations<'_>) -> T) -> T {
        let day = 86_400_000_000_000;
        let times: Vec<Timestamp> = (first..).map(|k| Timestamp::from_nanos(k * day)).take(values.len()).collect();
        let granularity = Granularity::of(Offset::Fixed(day));
        let (names, columns) = (vec!["y".to_owned()], vec![values.to_vec()]);
        then(&Observations { times: &times, names: &names, columns: &columns, target: 0, granularity: &granularity })
    }

    #[test]
    fn scores_are_forecast_errors_in_standard_errors() {
        let context = FitContext::default();
        let detector = ResidualDetector::new(Drift {});
        let fitted = with(0, &[1.0, 2.0, 6.0, 7.0], |rows| detector.fit(rows, None, &context)).unwrap();
        // Residuals 0, -1, 2, -1 with a variance of 3; the forecasts of `drift.rs`' test.
        let expected = [0.0, -1.0 / 3f64.sqrt(), 2.0 / 3f64.sqrt(), -1.0 / 3f64.sqrt()];
        let train = fitted.train_scores().values;
        assert!(train.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-7), "{train:?}");
        // A day is left out: the forecast of the sixth is compared all the same.
        let scores = with(5, &[21.0], |rows| fitted.score(rows, None, &context)).unwrap();
        let got = (scores.values[0], scores.expected.unwrap().value);
        assert!((got.0 - 10.0 / 10f64.sqrt()).abs() < 1e-6 && got.1 == [11.0], "{got:?}");
        let known = with(3, &[1.0], |rows| fitted.score(rows, None, &context)).unwrap_err().to_string();
        assert!(known.contains("was known"), "{known}");
    }

    #[test]
    fn history_moves_the_start_of_the_forecasts() {
        let context = FitContext::default();
        let detector = ResidualDetector::new(Drift {});
        let fitted = with(0, &[1.0, 2.0, 3.0], |rows| detector.fit(rows, None, &context)).unwrap();
        let expected = with(3, &[4.0, 9.0], |history| {
            with(5, &[0.0, 0.0], |rows| fitted.score(rows, Some(history), &context)).unwrap().expected.unwrap().value
        });
        assert_eq!(expected, [11.0, 13.0]);
    }

    #[test]
    fn a_missing_standard_error_is_the_mean_of_the_others() {
        assert_eq!(known_everywhere(vec![1.0, f64::NAN, 3.0]), [1.0, 2.0, 3.0]);
        assert_eq!(known_everywhere(vec![f64::NAN; 2]), [1.0, 1.0]);
    }

    #[test]
    fn the_parameters_are_the_forecasters() {
        let json = serde_json::json!({"season_length": 3});
        let detector: ResidualDetector<SeasonalNaive> = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&detector).unwrap()["season_length"], 3);
        assert_eq!(<ResidualDetector<SeasonalNaive> as Detector>::NAME, "SeasonalNaiveDetector");
    }
}
