//! Models: what they are, which there are, and how model JSON becomes one.

pub mod anomaly;
pub mod autoregression;
mod catalog;
mod detector;
pub mod ensemble;
mod error;
pub mod forecast;
mod forecaster;
mod kind;
mod members;
mod parameters;
pub mod running;
mod spec;

pub use catalog::{Catalog, Compat, Entry, Origin};
pub use detector::{Detector, DynDetector, DynFittedDetector, Expected, FittedDetector, Observations, Scores};
pub use error::ModelError;
pub use forecaster::{
    Capabilities, DynFittedForecaster, DynForecaster, FitContext, FittedForecaster, Forecast, Forecaster, InSample,
    Interval, Request, StopFlag, TrainInput,
};
pub use kind::Kind;
pub use members::Failure;
pub(crate) use parameters::read_parameters;
pub use spec::{COMMON_PARAMETERS, CommonParameters, DETECTION_PARAMETERS, DetectionParameters, ModelSpec};
