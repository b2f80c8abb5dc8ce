//! From a series to anomaly scores: transform, align, fit, score the training data, train calibrator and threshold on these scores;
//! then the same for new data. What every detector shares lives here, so that a detector is arithmetic alone.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::prepared::{Prepared, check_values, out_of_range, prepare, target_index};
use crate::align::{self, AlignOptions};
use crate::math::normal;
use crate::models::{
    CommonParameters, Compat, DynDetector, DynFittedDetector, FitContext, ModelError, Observations, Scores,
};
use crate::postprocess::{AnomScoreCalibrator, FittedPostRule, PostRule, Supervision, ThresholdRule, Training};
use crate::series::{TimeSeries, Univariate};
use crate::time::{Granularity, Timestamp};
use crate::transform::{FittedTransform, TransformSpec};

/// Standard deviations from the expected value to the bounds of what is normal: the default threshold.
const NORMAL: f64 = 3.0;

/// How far scores are processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScoreKind {
    /// As the detector gave them.
    Raw,
    /// As z-scores.
    Calibrated,
    /// The z-scores of alarms, 0 elsewhere: Merlion's.
    #[default]
    Alarms,
}

/// What would have been normal, in the units of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalRange {
    /// The expected value of the target column at each time.
    pub expected: Vec<f64>,
    /// Three standard deviations below and above it, if the detector knows them.
    pub bounds: Option<(Vec<f64>, Vec<f64>)>,
}

/// Scores at the times the detector has scored, which may be fewer or other ones than the data's: differences have no first value,
/// and a grid has its own points.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Detections {
    /// The times, increasing.
    pub times: Vec<Timestamp>,
    /// Scores as the detector gave them; 0 where the observation was missing.
    pub raw: Vec<f64>,
    /// Scores after the calibrator, if it is on.
    pub calibrated: Vec<f64>,
    /// Calibrated scores of alarms, 0 elsewhere.
    pub alarms: Vec<f64>,
    /// What would have been normal, where the detector knows.
    pub normal: Option<NormalRange>,
    /// Position of the column that contributed most, where the detector knows.
    pub column: Option<Vec<usize>>,
}

impl Detections {
    /// Score 0 at all times.
    #[must_use]
    pub fn none(times: &[Timestamp]) -> Self {
        let zeros = vec![0.0; times.len()];
        Self { times: times.to_vec(), raw: zeros.clone(), calibrated: zeros.clone(), alarms: zeros, ..Self::default() }
    }

    /// The scores, processed so far.
    #[must_use]
    pub fn scores(&self, kind: ScoreKind) -> &[f64] {
        match kind {
            ScoreKind::Raw => &self.raw,
            ScoreKind::Calibrated => &self.calibrated,
            ScoreKind::Alarms => &self.alarms,
        }
    }
}

/// A detector with what surrounds it, not yet trained.
///
/// ```
/// use merlion::models::{Catalog, Compat, FitContext, ModelSpec};
/// use merlion::series::TimeSeries;
/// use merlion::time::Timestamp;
/// # fn main() -> Result<(), merlion::models::ModelError> {
/// let hourly = |from: i64, values: Vec<f64>| {
///     let times = (from..).map(|hour| Timestamp::from_nanos(hour * 3_600_000_000_000)).take(values.len()).collect();
///     TimeSeries::from_columns(times, vec![("load".to_owned(), values)])
/// };
/// let train = hourly(0, (0..100).map(|hour| f64::from(hour % 5)).collect())?;
/// let spec = ModelSpec::from_json(&serde_json::json!({"name": "StatThreshold", "threshold": "Threshold"}))?;
/// let fitted = spec.build_detector(&Catalog::default(), Compat::None)?.fit(&train, None, &FitContext::default())?;
/// let detections = fitted.detect(&hourly(100, vec![2.0, 3.0, 40.0])?, None)?;
/// assert_eq!(detections.alarms[..2], [0.0, 0.0]);
/// assert!(detections.alarms[2] > 5.0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DetectionPipeline {
    model: Box<dyn DynDetector>,
    transform: TransformSpec,
    target: Option<usize>,
    max_forecast_steps: Option<usize>,
    rule: PostRule,
    /// The threshold rule, whether it is on or not.
    threshold: Option<ThresholdRule>,
    quantile: Option<f64>,
    compat: Compat,
}

/// A trained pipeline.
#[derive(Debug)]
pub struct FittedDetectionPipeline {
    model: Box<dyn DynFittedDetector>,
    transform: FittedTransform,
    /// Number of data columns.
    dim: usize,
    view: View,
    granularity: Granularity,
    max_forecast_steps: Option<usize>,
    rule: FittedPostRule,
    train: Detections,
    context: FitContext,
}

/// Which columns of the transformed series a detector sees.
#[derive(Debug, Clone, Copy)]
struct View {
    target: usize,
    target_only: bool,
}

/// Rows as a detector sees them, and which of them were missing.
#[derive(Debug)]
struct Rows {
    times: Vec<Timestamp>,
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    target: usize,
    /// Times at which a column had no value, increasing.
    missing: Vec<Timestamp>,
}

impl Rows {
    fn new(
        view: View,
        transformed: &TimeSeries,
        times: Vec<Timestamp>,
        mut columns: Vec<Vec<f64>>,
    ) -> Result<Self, ModelError> {
        if view.target >= columns.len() {
            return Err(out_of_range(view.target, columns.len()));
        }
        let mut seen = transformed.univariates();
        let mut target = view.target;
        if view.target_only {
            columns = vec![columns.swap_remove(target)];
            seen = &seen[target..=target];
            target = 0;
        }
        let gaps =
            |column: &Univariate| column.iter().filter(|(_, value)| value.is_nan()).map(|(t, _)| t).collect::<Vec<_>>();
        let mut missing: Vec<Timestamp> = seen.iter().flat_map(gaps).collect();
        missing.sort_unstable();
        missing.dedup();
        let names = seen.iter().map(|column| column.name().to_owned()).collect();
        Ok(Self { times, names, columns, target, missing })
    }

    fn observations<'a>(&'a self, granularity: &'a Granularity) -> Observations<'a> {
        let Self { times, names, columns, target, .. } = self;
        Observations { times, names, columns, target: *target, granularity }
    }

    /// The rows before a time, and those from it on.
    fn split(self, at: Timestamp) -> (Self, Self) {
        let cut = self.times.partition_point(|t| *t < at);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for mut column in self.columns {
            after.push(column.split_off(cut));
            before.push(column);
        }
        let mut times = self.times;
        let later = times.split_off(cut);
        let make = |times, columns| Self {
            times,
            columns,
            names: self.names.clone(),
            target: self.target,
            missing: self.missing.clone(),
        };
        (make(times, before), make(later, after))
    }
}

impl DetectionPipeline {
    /// A pipeline around a detector. `common.transform` is the whole transform, the detector's own part included.
    ///
    /// # Errors
    /// [`ModelError::InvalidSpec`] for common parameters this detector has no use for.
    pub fn new(model: Box<dyn DynDetector>, common: CommonParameters, compat: Compat) -> Result<Self, ModelError> {
        let name = model.name();
        if common.invert_transform == Some(true) {
            return Err(ModelError::InvalidSpec(format!(
                "{name}: invert_transform = true: detectors compare what they see with what they expect after the transform"
            )));
        }
        if common.max_forecast_steps.is_some() && !model.forecasts() {
            let parameter = "max_forecast_steps".to_owned();
            return Err(ModelError::UnknownParameter { model: name.to_owned(), parameter, nearest: None });
        }
        let detection = common.detection;
        let calibrated = detection.enable_calibrator.unwrap_or_else(|| model.calibrated());
        let default = model.default_threshold(calibrated);
        let max_score = detection.max_score.unwrap_or_else(|| model.max_score());
        let calibrator =
            detection.calibrator.unwrap_or_else(|| AnomScoreCalibrator { max_score, ..AnomScoreCalibrator::default() });
        // What the default threshold is the quantile of, in a normal distribution.
        let level = default.as_ref().and_then(ThresholdRule::threshold).filter(|t| *t != 0.0);
        let quantile = level.filter(|_| !calibrated && model.quantile()).map(|t| 2.0 * normal::cdf(t) - 1.0);
        let threshold = detection.threshold.or(default);
        Ok(Self {
            transform: common.transform.unwrap_or_else(|| model.default_transform()),
            target: common.target_seq_index,
            max_forecast_steps: common.max_forecast_steps,
            rule: PostRule {
                calibrator: calibrated.then_some(calibrator),
                threshold: threshold.clone().filter(|_| detection.enable_threshold != Some(false)),
            },
            threshold,
            quantile,
            model,
            compat,
        })
    }

    /// The same without a threshold: for a detector whose scores go on into an ensemble.
    #[must_use]
    pub fn without_threshold(self) -> Self {
        Self { rule: PostRule { threshold: None, ..self.rule }, ..self }
    }

    /// The detector's name.
    #[must_use]
    pub fn model_name(&self) -> &'static str {
        self.model.name()
    }

    /// Whose answers the detector gives.
    #[must_use]
    pub fn compat(&self) -> Compat {
        self.compat
    }

    /// The threshold rule, whether it is on or not.
    #[must_use]
    pub fn threshold(&self) -> Option<&ThresholdRule> {
        self.threshold.as_ref()
    }

    /// Checks the number of data columns before there is any data.
    ///
    /// # Errors
    /// A [`ModelError`]: no target chosen among several columns, or a number the detector cannot do with.
    pub fn check_columns(&self, columns: usize) -> Result<(), ModelError> {
        self.view(columns)?;
        self.model.check_columns(columns)
    }

    fn view(&self, columns: usize) -> Result<View, ModelError> {
        let target_only = self.model.capabilities().univariate_only;
        // A detector of all columns has a target only for what it says beside the scores.
        let setting = if target_only { self.target } else { Some(self.target.unwrap_or(0)) };
        Ok(View { target: target_index(columns, setting)?, target_only })
    }

    /// Trains on a series; with labels, thresholds are chosen by them.
    ///
    /// # Errors
    /// A [`ModelError`]: too few observations, no target chosen among several columns, an uneven series, or the detector's own.
    pub fn fit(
        &self,
        series: &TimeSeries,
        supervision: Option<&Supervision<'_>>,
        context: &FitContext,
    ) -> Result<FittedDetectionPipeline, ModelError> {
        self.check_columns(series.dim())?;
        let view = self.view(series.dim())?;
        let Prepared { transform, transformed, times, columns, granularity } =
            prepare(series, &self.transform, self.model.capabilities().even_sampling)?;
        let rows = Rows::new(view, &transformed, times, columns)?;
        rows.columns.iter().try_for_each(|column| check_values(column))?;
        let model = self.model.fit(&rows.observations(&granularity), supervision, context)?;
        let mut scores = model.train_scores();
        let mut known = scores.values.clone();
        forget(&scores.times, &mut known, &rows.missing, f64::NAN);
        let training = Training { supervision: supervision.copied(), quantile: self.quantile };
        let rule = self.rule.fit(&scores.times, &known, &training)?;
        forget(&scores.times, &mut scores.values, &rows.missing, 0.0);
        let column = &transformed.univariates()[view.target];
        let train = detections(scores, &rule, &transform, column.name(), series)?;
        Ok(FittedDetectionPipeline {
            model,
            transform,
            dim: series.dim(),
            view,
            granularity,
            max_forecast_steps: self.max_forecast_steps,
            rule,
            train,
            context: context.clone(),
        })
    }
}

impl FittedDetectionPipeline {
    /// The sampling grid of the training data.
    #[must_use]
    pub fn granularity(&self) -> &Granularity {
        &self.granularity
    }

    /// Scores of the training data.
    #[must_use]
    pub fn train_detections(&self) -> &Detections {
        &self.train
    }

    /// Calibrator and threshold after training.
    #[must_use]
    pub fn post_rule(&self) -> &FittedPostRule {
        &self.rule
    }

    /// The fitted detector's parameters and state, and those of calibrator and threshold.
    #[must_use]
    pub fn state(&self) -> serde_json::Value {
        json!({"model": self.model.state(), "post_rule": self.rule})
    }

    /// Scores of a series that follows the training data, or `history`, the data just before it.
    ///
    /// With a history, transforms and detectors that look back have something to look at: without one, differences have no value
    /// at the first time, and averages start anew. Merlion's apps give none.
    ///
    /// # Errors
    /// [`ModelError::Request`] for a series of other columns than the training data's, and the detector's own.
    pub fn detect(&self, series: &TimeSeries, history: Option<&TimeSeries>) -> Result<Detections, ModelError> {
        for given in std::iter::once(series).chain(history) {
            if given.dim() != self.dim {
                let (got, expected) = (given.dim(), self.dim);
                return Err(ModelError::Request(format!("{got} columns, trained on {expected}")));
            }
        }
        let Some(start) = series.t0() else { return Ok(Detections::default()) };
        let whole = match history {
            Some(history) => history.bisect(start, false).0.followed_by(series)?,
            None => series.clone(),
        };
        let transformed = self.transform.apply(&whole)?;
        let (times, columns) = align::to_columns(&transformed)?;
        let (before, new) = Rows::new(self.view, &transformed, times, columns)?.split(start);
        if new.columns.iter().any(|column| column.iter().all(|value| value.is_nan())) {
            return Ok(Detections::none(&new.times));
        }
        new.columns.iter().chain(&before.columns).try_for_each(|column| check_values(column))?;
        if let Some(most) = self.max_forecast_steps.filter(|most| new.times.len() > *most) {
            let steps = new.times.len();
            return Err(ModelError::Request(format!("{steps} steps to compare, max_forecast_steps is {most}")));
        }
        let history = before.observations(&self.granularity);
        let history = Some(&history).filter(|history| !history.is_empty());
        let mut scores = self.model.score(&new.observations(&self.granularity), history, &self.context)?;
        forget(&scores.times, &mut scores.values, &new.missing, 0.0);
        let column = &transformed.univariates()[self.view.target];
        detections(scores, &self.rule, &self.transform, column.name(), &whole)
    }

    /// Absorbs a series that follows the training data. Calibrator and threshold stay as they are.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] for a detector that is not online.
    pub fn update(&mut self, series: &TimeSeries) -> Result<(), ModelError> {
        let transformed = self.transform.apply(series)?;
        let (times, columns) = align::to_columns(&transformed)?;
        let rows = Rows::new(self.view, &transformed, times, columns)?;
        rows.columns.iter().try_for_each(|column| check_values(column))?;
        self.model.update(&rows.observations(&self.granularity), &self.context)
    }
}

/// Gives the scores of missing observations this value.
fn forget(times: &[Timestamp], scores: &mut [f64], missing: &[Timestamp], value: f64) {
    for t in missing {
        if let Ok(position) = times.binary_search(t) {
            scores[position] = value;
        }
    }
}

/// Scores in all stages, and what would have been normal in the units of the data.
fn detections(
    scores: Scores,
    rule: &FittedPostRule,
    transform: &FittedTransform,
    column: &str,
    series: &TimeSeries,
) -> Result<Detections, ModelError> {
    let normal = normal_range(&scores, transform, column, series);
    let calibrated = rule.calibrate(&scores.values);
    let alarms = rule.apply(&scores.times, &scores.values)?;
    Ok(Detections { times: scores.times, raw: scores.values, calibrated, alarms, normal, column: scores.column })
}

/// What would have been normal, carried back through the transform; `None` if the detector does not know, or there is no way back.
fn normal_range(
    scores: &Scores,
    transform: &FittedTransform,
    column: &str,
    series: &TimeSeries,
) -> Option<NormalRange> {
    let expected = scores.expected.as_ref()?;
    let inversion = transform.inversion();
    if !inversion.proper && !inversion.identity {
        return None;
    }
    // What is carried back goes on from the values before, none of which may be missing.
    let series = align::align(series, &AlignOptions::default()).ok()?;
    let back = |values: Vec<f64>| -> Option<Vec<f64>> {
        if inversion.identity {
            return Some(values);
        }
        let predicted = Univariate::new(column, scores.times.clone(), values).ok()?;
        let predicted = TimeSeries::from_univariates(vec![predicted]).ok()?;
        let inverted = transform.invert_one_step(&predicted, &series).ok()?;
        let inverted = inverted.univariates().first()?;
        let at = |t| inverted.times().binary_search(t).ok().map(|position| inverted.values()[position]);
        scores.times.iter().map(at).collect()
    };
    let bound = |sign: f64, deviation: &[f64]| {
        back(expected.value.iter().zip(deviation).map(|(value, d)| value + sign * NORMAL * d).collect())
    };
    let bounds = expected.deviation.as_deref().and_then(|deviation| {
        let (a, b) = (bound(-1.0, deviation)?, bound(1.0, deviation)?);
        // A transform may turn the scale around.
        Some(a.iter().zip(&b).map(|(a, b)| (a.min(*b), a.max(*b))).unzip())
    });
    Some(NormalRange { expected: back(expected.value.clone())?, bounds })
}
