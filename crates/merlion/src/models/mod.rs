//! Models: what they are, which there are, and how model JSON becomes one.

mod catalog;
mod error;
pub mod forecast;
mod forecaster;
mod members;
pub mod running;
mod spec;

pub use catalog::{Catalog, Compat, Entry, Origin};
pub use error::ModelError;
pub use forecaster::{
    Capabilities, DynFittedForecaster, DynForecaster, FitContext, FittedForecaster, Forecast, Forecaster, InSample,
    Interval, Request, StopFlag, TrainInput,
};
pub use members::Failure;
pub use spec::{COMMON_PARAMETERS, CommonParameters, ModelSpec};
