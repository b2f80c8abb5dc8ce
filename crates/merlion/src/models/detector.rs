//! What an anomaly detector is: an unfitted detector that is its own configuration, and the fitted one it turns into.
//!
//! Authors implement [`Detector`] and [`FittedDetector`]; the pipeline, the ensembles and the series functions of the query engine hold
//! the erased form [`DynDetector`], which a blanket implementation provides. Scores are *raw* here: what they become (z-scores,
//! alarms) is [`postprocess`](crate::postprocess)'s business, and surrounds every detector alike.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Capabilities, FitContext, ModelError, Origin};
use crate::postprocess::{AggregateAlarms, Supervision, ThresholdRule};
use crate::series::TimeSeries;
use crate::time::{Granularity, Timestamp};
use crate::transform::TransformSpec;

/// Rows as a detector sees them. All columns have the length of `times` and are finite: the pipeline saw to that.
#[derive(Debug, Clone, Copy)]
pub struct Observations<'a> {
    /// Time of each row, strictly increasing.
    pub times: &'a [Timestamp],
    /// The columns' names.
    pub names: &'a [String],
    /// The columns: all there are, or the target alone for a detector that looks at nothing else.
    pub columns: &'a [Vec<f64>],
    /// Position of the column whose anomalies are looked for, for detectors that look for those of one column.
    pub target: usize,
    /// Sampling step and phase of the training data.
    pub granularity: &'a Granularity,
}

impl<'a> Observations<'a> {
    /// The column whose anomalies are looked for.
    #[must_use]
    pub fn target(&self) -> &'a [f64] {
        self.columns.get(self.target).map_or(&[], Vec::as_slice)
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The rows as a series, for a detector that has pipelines inside.
    ///
    /// # Errors
    /// [`ModelError::Series`] for names that are not unique.
    pub fn to_series(&self) -> Result<TimeSeries, ModelError> {
        let columns = self.names.iter().cloned().zip(self.columns.iter().cloned()).collect();
        Ok(TimeSeries::from_columns(self.times.to_vec(), columns)?)
    }
}

/// What a detector took for normal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Expected {
    /// The value of the target column that would have been normal.
    pub value: Vec<f64>,
    /// Its standard deviation, if the detector knows one.
    pub deviation: Option<Vec<f64>>,
}

/// Raw scores: larger magnitudes are stranger, and the sign, if a detector has one, tells too high from too low.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct Scores {
    /// The times that are scored: those of the rows, unless detectors inside have transforms of their own.
    pub times: Vec<Timestamp>,
    /// A score at each of the times.
    pub values: Vec<f64>,
    /// What would have been normal, where the detector knows.
    pub expected: Option<Expected>,
    /// Position of the column that contributed most, where the detector knows.
    pub column: Option<Vec<usize>>,
}

impl Scores {
    /// Scores without an explanation.
    #[must_use]
    pub fn new(times: &[Timestamp], values: Vec<f64>) -> Self {
        Self { times: times.to_vec(), values, expected: None, column: None }
    }

    /// The same with what would have been normal.
    #[must_use]
    pub fn with_expected(self, value: Vec<f64>, deviation: Option<Vec<f64>>) -> Self {
        Self { expected: Some(Expected { value, deviation }), ..self }
    }
}

/// A detector as the user configures it: the struct *is* the hyper-parameters.
///
/// `Default` is the detector as its name alone selects it. Unknown keys are rejected before `serde` sees them, by comparison with
/// the serialised default; so every field must be serialised.
pub trait Detector: Debug + Clone + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name in model JSON; also the type's name and, in snake case, the file's.
    const NAME: &'static str;
    /// Other accepted names.
    const ALIASES: &'static [&'static str] = &[];
    /// One line for `merlion models`.
    const SUMMARY: &'static str;
    /// What the detector can do. [`Capabilities::standard_errors`] means that expected values come with a deviation.
    const CAPABILITIES: Capabilities;
    /// The parameter that holds an inner model, for a detector around another model. JSON keys the detector does not know are then
    /// the inner model's.
    const INNER: Option<&'static str> = None;
    /// The forecaster this detector is made of, or the one of the same task, for those who ask for the wrong kind.
    const TWIN: Option<&'static str> = None;
    /// Whether scores are calibrated unless the user says otherwise.
    const CALIBRATED: bool = true;
    /// Whether, with the calibrator switched off, the threshold becomes the quantile of the training scores that the default
    /// threshold is of a normal distribution.
    const QUANTILE: bool = true;
    /// Whether scores compare with forecasts, so that `max_forecast_steps` means something.
    const FORECASTS: bool = false;
    /// The detector after training.
    type Fitted: FittedDetector;

    /// The detector as Merlion's answers need it (`--compat merlion`), where they differ from what a user would want.
    #[must_use]
    fn into_merlion(self) -> Self {
        self
    }

    /// The detector with its inner models coming from `origin`, if it has any; without this call they come from this crate.
    #[must_use]
    fn with_origin(self, _origin: &Origin) -> Self {
        self
    }

    /// What this instance can do: more or less than its kind, where an inner model decides.
    fn capabilities(&self) -> Capabilities {
        Self::CAPABILITIES
    }

    /// The transform of the data where the user gives none.
    fn default_transform(&self) -> TransformSpec {
        if self.capabilities().even_sampling { TransformSpec::default_resample() } else { TransformSpec::identity() }
    }

    /// The transform that belongs to the detector whatever the user has done to the data before; `None` for none.
    fn transform(&self) -> Option<TransformSpec> {
        None
    }

    /// The threshold where the user gives none; `calibrated` says whether it is applied to z-scores.
    fn default_threshold(&self, _calibrated: bool) -> Option<ThresholdRule> {
        Some(AggregateAlarms::at(3.0).into())
    }

    /// The largest score before calibration, where the user gives none.
    fn max_score(&self) -> f64 {
        1000.0
    }

    /// Checks the number of data columns before any data is seen.
    ///
    /// # Errors
    /// A [`ModelError`] for a number the detector cannot do with.
    fn check_columns(&self, _columns: usize) -> Result<(), ModelError> {
        Ok(())
    }

    /// Checks the hyper-parameters against each other, before any data is seen.
    ///
    /// # Errors
    /// [`ModelError::InvalidParameter`] naming the parameter and its value.
    fn validate(&self) -> Result<(), ModelError> {
        Ok(())
    }

    /// Trains the detector. Labels are for detectors with thresholds inside; most do without.
    ///
    /// # Errors
    /// A [`ModelError`] that says what the data lacks, or why the fit stopped.
    fn fit(
        &self,
        input: &Observations<'_>,
        supervision: Option<&Supervision<'_>>,
        context: &FitContext,
    ) -> Result<Self::Fitted, ModelError>;
}

/// A trained detector.
pub trait FittedDetector: Debug + Serialize + Send + Sync + 'static {
    /// Scores of the training data.
    fn train_scores(&self) -> Scores;

    /// Scores of rows that follow the training data, or `history`, the rows just before them.
    ///
    /// # Errors
    /// A [`ModelError`] when the rows do not fit the detector.
    fn score(
        &self,
        new: &Observations<'_>,
        history: Option<&Observations<'_>>,
        context: &FitContext,
    ) -> Result<Scores, ModelError>;

    /// Absorbs rows that follow the training data.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] unless the detector's capabilities say `online`.
    fn update(&mut self, _new: &Observations<'_>, _context: &FitContext) -> Result<(), ModelError> {
        Err(ModelError::Unsupported { what: "updating a fitted detector" })
    }
}

/// A detector of any kind: what ensembles, the pipeline and the query functions hold.
pub trait DynDetector: Debug + Send + Sync {
    /// The name in model JSON.
    fn name(&self) -> &'static str;
    /// What the detector can do.
    fn capabilities(&self) -> Capabilities;
    /// The hyper-parameters as JSON.
    fn parameters(&self) -> serde_json::Value;
    /// See [`Detector::default_transform`].
    fn default_transform(&self) -> TransformSpec;
    /// See [`Detector::transform`].
    fn transform(&self) -> Option<TransformSpec>;
    /// See [`Detector::CALIBRATED`].
    fn calibrated(&self) -> bool;
    /// See [`Detector::QUANTILE`].
    fn quantile(&self) -> bool;
    /// See [`Detector::FORECASTS`].
    fn forecasts(&self) -> bool;
    /// See [`Detector::default_threshold`].
    fn default_threshold(&self, calibrated: bool) -> Option<ThresholdRule>;
    /// See [`Detector::max_score`].
    fn max_score(&self) -> f64;
    /// See [`Detector::check_columns`].
    ///
    /// # Errors
    /// A [`ModelError`] for a number the detector cannot do with.
    fn check_columns(&self, columns: usize) -> Result<(), ModelError>;
    /// Trains the detector, whose parameters were validated when it was built.
    ///
    /// # Errors
    /// See [`Detector::fit`].
    fn fit(
        &self,
        input: &Observations<'_>,
        supervision: Option<&Supervision<'_>>,
        context: &FitContext,
    ) -> Result<Box<dyn DynFittedDetector>, ModelError>;
}

/// A fitted detector of any kind.
pub trait DynFittedDetector: Debug + Send + Sync {
    /// See [`FittedDetector::train_scores`].
    fn train_scores(&self) -> Scores;
    /// See [`FittedDetector::score`].
    ///
    /// # Errors
    /// A [`ModelError`] when the rows do not fit the detector.
    fn score(
        &self,
        new: &Observations<'_>,
        history: Option<&Observations<'_>>,
        context: &FitContext,
    ) -> Result<Scores, ModelError>;
    /// See [`FittedDetector::update`].
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] unless the detector's capabilities say `online`.
    fn update(&mut self, new: &Observations<'_>, context: &FitContext) -> Result<(), ModelError>;
    /// The fitted detector as JSON.
    fn state(&self) -> serde_json::Value;
}

impl<D: Detector> DynDetector for D {
    fn name(&self) -> &'static str {
        D::NAME
    }

    fn capabilities(&self) -> Capabilities {
        Detector::capabilities(self)
    }

    fn parameters(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    fn default_transform(&self) -> TransformSpec {
        Detector::default_transform(self)
    }

    fn transform(&self) -> Option<TransformSpec> {
        Detector::transform(self)
    }

    fn calibrated(&self) -> bool {
        D::CALIBRATED
    }

    fn quantile(&self) -> bool {
        D::QUANTILE
    }

    fn forecasts(&self) -> bool {
        D::FORECASTS
    }

    fn default_threshold(&self, calibrated: bool) -> Option<ThresholdRule> {
        Detector::default_threshold(self, calibrated)
    }

    fn max_score(&self) -> f64 {
        Detector::max_score(self)
    }

    fn check_columns(&self, columns: usize) -> Result<(), ModelError> {
        Detector::check_columns(self, columns)
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        supervision: Option<&Supervision<'_>>,
        context: &FitContext,
    ) -> Result<Box<dyn DynFittedDetector>, ModelError> {
        context.check()?;
        Ok(Box::new(Detector::fit(self, input, supervision, context)?))
    }
}

impl<D: FittedDetector> DynFittedDetector for D {
    fn train_scores(&self) -> Scores {
        FittedDetector::train_scores(self)
    }

    fn score(
        &self,
        new: &Observations<'_>,
        history: Option<&Observations<'_>>,
        context: &FitContext,
    ) -> Result<Scores, ModelError> {
        context.check()?;
        FittedDetector::score(self, new, history, context)
    }

    fn update(&mut self, new: &Observations<'_>, context: &FitContext) -> Result<(), ModelError> {
        FittedDetector::update(self, new, context)
    }

    fn state(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
