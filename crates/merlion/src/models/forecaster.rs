//! What a forecaster is: an unfitted model that is its own configuration, and the fitted model it turns into.
//!
//! Authors implement [`Forecaster`] and [`FittedForecaster`]; the pipeline, the ensembles and the series functions of the
//! query engine hold the erased form [`DynForecaster`], which a blanket implementation provides.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ModelError, Origin};
use crate::time::{Granularity, Timestamp};
use crate::transform::TransformSpec;

/// What a model can do, as data that the pipeline, the documentation and the conformance tests read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Capabilities {
    /// The model looks at the target column alone, whatever other columns there are.
    pub univariate_only: bool,
    /// The model uses exogenous regressors whose future is known.
    pub exogenous: bool,
    /// The model counts steps, so the pipeline must hand it an evenly sampled series.
    pub even_sampling: bool,
    /// The forecasts carry standard errors.
    pub standard_errors: bool,
    /// A fitted model can absorb new observations without being fitted again.
    pub online: bool,
}

impl Capabilities {
    /// A univariate model of evenly sampled series with standard errors: the classical time-series model.
    pub const CLASSICAL: Self =
        Self { univariate_only: true, exogenous: false, even_sampling: true, standard_errors: true, online: false };
}

/// A request to stop, shared between the job that may be cancelled and the fit that looks at it.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<Stop>);

#[derive(Debug, Default)]
struct Stop {
    asked: AtomicBool,
    /// Who may ask as well: the task that a part of the work belongs to.
    parent: Option<StopFlag>,
}

impl StopFlag {
    /// A flag for a part of the work: it is set when it is set itself, or when this one is.
    #[must_use]
    pub fn child(&self) -> Self {
        Self(Arc::new(Stop { asked: AtomicBool::new(false), parent: Some(self.clone()) }))
    }

    /// Asks every holder of this flag to stop.
    pub fn stop(&self) {
        self.0.asked.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked to stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.asked.load(Ordering::Relaxed) || self.0.parent.as_ref().is_some_and(Self::is_stopped)
    }
}

/// What surrounds one fit: its random stream, and the two reasons to give up early.
#[derive(Debug, Clone, Default)]
pub struct FitContext {
    /// Seed of every random draw of the fit and of the forecasts, derived from the user's seed and the series key.
    pub seed: u64,
    /// Set when the job is cancelled.
    pub stop: StopFlag,
    /// The instant after which the fit is abandoned.
    pub deadline: Option<Instant>,
}

impl FitContext {
    /// A context with a seed, no deadline and a flag nobody sets.
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// To be called inside every optimiser, tree and simulation loop.
    ///
    /// # Errors
    /// [`ModelError::Cancelled`] when the job was cancelled, [`ModelError::DeadlineExceeded`] when the time is up.
    pub fn check(&self) -> Result<(), ModelError> {
        if self.stop.is_stopped() {
            return Err(ModelError::Cancelled);
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(ModelError::DeadlineExceeded),
            _ => Ok(()),
        }
    }
}

/// What a model is trained on. All columns have the length of `target` and are finite: the pipeline saw to that.
#[derive(Debug, Clone, Copy)]
pub struct TrainInput<'a> {
    /// Time of each observation, strictly increasing.
    pub times: &'a [Timestamp],
    /// The column to forecast.
    pub target: &'a [f64],
    /// The other data columns, whose future is not known.
    pub covariates: &'a [Vec<f64>],
    /// Regressors whose future is known.
    pub exog: &'a [Vec<f64>],
    /// Sampling step and phase of `times`.
    pub granularity: &'a Granularity,
}

/// What is asked of a fitted model.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The times to forecast. For a model with even sampling these are consecutive grid steps after the training data
    /// (or after `history`), so that their number is the horizon.
    pub times: &'a [Timestamp],
    /// Observations newer than the training data, if the caller has them.
    pub history: Option<TrainInput<'a>>,
    /// The regressors at `times`.
    pub exog: &'a [Vec<f64>],
    /// Levels of the wanted prediction intervals, in per cent (80, 95).
    pub levels: &'a [f64],
    /// Seed of simulated quantities, and the reasons to give up early.
    pub context: &'a FitContext,
}

/// A prediction interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Interval {
    /// Nominal coverage in per cent.
    pub level: f64,
    /// Lower bound at each requested time.
    pub lower: Vec<f64>,
    /// Upper bound at each requested time.
    pub upper: Vec<f64>,
}

/// Forecasts, one value per requested time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// Point forecasts.
    pub mean: Vec<f64>,
    /// Standard errors, if the model has them.
    pub stderr: Option<Vec<f64>>,
    /// The intervals the model itself offers for the requested levels; empty when it leaves them to the normal
    /// approximation from `stderr`.
    pub intervals: Vec<Interval>,
}

/// One-step predictions over the training data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InSample {
    /// Prediction of each training observation from the ones before it.
    pub mean: Vec<f64>,
    /// Standard error of each prediction, if the model has them.
    pub stderr: Option<Vec<f64>>,
}

/// A model as the user configures it: the struct *is* the hyper-parameters.
///
/// `Default` is the model as its name alone selects it. Unknown keys are rejected before `serde` sees them, by comparison with
/// the serialised default; so every field must be serialised.
pub trait Forecaster:
    Debug + Clone + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The name in model JSON; also the type's name and, in snake case, the file's.
    const NAME: &'static str;
    /// Other accepted names.
    const ALIASES: &'static [&'static str] = &[];
    /// One line for `merlion models`.
    const SUMMARY: &'static str;
    /// What the model can do.
    const CAPABILITIES: Capabilities;
    /// The parameter that holds an inner model, for a model around another one. JSON keys the model does not know are then
    /// the inner model's.
    const INNER: Option<&'static str> = None;
    /// The model after training.
    type Fitted: FittedForecaster;

    /// The model as Merlion's answers need it (`--compat merlion`), where they differ from what a user would want.
    #[must_use]
    fn into_merlion(self) -> Self {
        self
    }

    /// The model with its inner models coming from `origin`, if it has any; without this call they come from this crate.
    #[must_use]
    fn with_origin(self, _origin: &Origin) -> Self {
        self
    }

    /// The model with a season of this many observations, 1 for none; `None` for a model that knows no season.
    #[must_use]
    fn with_season_length(self, _length: usize) -> Option<Self> {
        None
    }

    /// The model told the longest horizon that will be asked for, for one that learns for it; `None` where nobody said.
    #[must_use]
    fn with_max_forecast_steps(self, _max_forecast_steps: Option<usize>) -> Self {
        self
    }

    /// What this instance can do: more or less than its kind, where an inner model decides.
    fn capabilities(&self) -> Capabilities {
        Self::CAPABILITIES
    }

    /// The transform that belongs to the model whatever the user has done to the data before; `None` for none.
    fn transform(&self) -> Option<TransformSpec> {
        None
    }

    /// Checks the number of data columns, the target among them, before any data is seen.
    ///
    /// # Errors
    /// A [`ModelError`] for a number the model cannot do with.
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

    /// Trains the model.
    ///
    /// # Errors
    /// A [`ModelError`] that says what the data lacks, or why the fit stopped.
    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<Self::Fitted, ModelError>;
}

/// A trained model.
pub trait FittedForecaster: Debug + Serialize + Send + Sync + 'static {
    /// Forecasts the requested times.
    ///
    /// # Errors
    /// A [`ModelError`] when the request does not fit the model.
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError>;

    /// One-step predictions over the training data.
    fn in_sample(&self) -> InSample;

    /// Absorbs observations that follow the training data.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] unless the model's capabilities say `online`.
    fn update(&mut self, _new: &TrainInput<'_>) -> Result<(), ModelError> {
        Err(ModelError::Unsupported { what: "updating a fitted model" })
    }
}

/// A forecaster of any kind: what ensembles, the pipeline and the query functions hold.
pub trait DynForecaster: Debug + Send + Sync {
    /// The name in model JSON.
    fn name(&self) -> &'static str;
    /// What the model can do.
    fn capabilities(&self) -> Capabilities;
    /// The hyper-parameters as JSON.
    fn parameters(&self) -> serde_json::Value;
    /// See [`Forecaster::with_season_length`].
    fn with_season_length(&self, length: usize) -> Option<Box<dyn DynForecaster>>;
    /// See [`Forecaster::with_max_forecast_steps`].
    fn with_max_forecast_steps(&self, max_forecast_steps: Option<usize>) -> Box<dyn DynForecaster>;
    /// See [`Forecaster::transform`].
    fn transform(&self) -> Option<TransformSpec>;
    /// See [`Forecaster::check_columns`].
    ///
    /// # Errors
    /// A [`ModelError`] for a number the model cannot do with.
    fn check_columns(&self, columns: usize) -> Result<(), ModelError>;
    /// Trains the model, whose parameters were validated when it was built.
    ///
    /// # Errors
    /// See [`Forecaster::fit`].
    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<Box<dyn DynFittedForecaster>, ModelError>;
}

/// A fitted forecaster of any kind.
pub trait DynFittedForecaster: Debug + Send + Sync {
    /// See [`FittedForecaster::forecast`].
    ///
    /// # Errors
    /// A [`ModelError`] when the request does not fit the model.
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError>;
    /// See [`FittedForecaster::in_sample`].
    fn in_sample(&self) -> InSample;
    /// See [`FittedForecaster::update`].
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] unless the model's capabilities say `online`.
    fn update(&mut self, new: &TrainInput<'_>) -> Result<(), ModelError>;
    /// The fitted model as JSON.
    fn state(&self) -> serde_json::Value;
}

impl<F: Forecaster> DynForecaster for F {
    fn name(&self) -> &'static str {
        F::NAME
    }

    fn capabilities(&self) -> Capabilities {
        Forecaster::capabilities(self)
    }

    fn parameters(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    fn with_season_length(&self, length: usize) -> Option<Box<dyn DynForecaster>> {
        let model = Forecaster::with_season_length(self.clone(), length)?;
        Some(Box::new(model))
    }

    fn with_max_forecast_steps(&self, max_forecast_steps: Option<usize>) -> Box<dyn DynForecaster> {
        Box::new(Forecaster::with_max_forecast_steps(self.clone(), max_forecast_steps))
    }

    fn transform(&self) -> Option<TransformSpec> {
        Forecaster::transform(self)
    }

    fn check_columns(&self, columns: usize) -> Result<(), ModelError> {
        Forecaster::check_columns(self, columns)
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<Box<dyn DynFittedForecaster>, ModelError> {
        context.check()?;
        Ok(Box::new(Forecaster::fit(self, input, context)?))
    }
}

impl<F: FittedForecaster> DynFittedForecaster for F {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        FittedForecaster::forecast(self, request)
    }

    fn in_sample(&self) -> InSample {
        FittedForecaster::in_sample(self)
    }

    fn update(&mut self, new: &TrainInput<'_>) -> Result<(), ModelError> {
        FittedForecaster::update(self, new)
    }

    fn state(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
