//! Evaluation: how good forecasts and alarms were. The functions of [`forecast_metrics`] take slices; [`ForecastMetric`] names them as
//! Merlion's JSON does, and [`ForecastScore`] brings series to common times first. [`TsadMetric`] and [`TsadScore`] do the same for
//! anomaly detectors, for which [`anomaly_metrics`] has others, too, and [`TsadEvaluator`] deploys detectors on the past.

pub mod anomaly_metrics;
pub mod forecast_metrics;
mod forecast_score;
mod tsad_evaluator;

pub use anomaly_metrics::{ScoreType, Tolerance, TsadError, TsadMetric, TsadScore};
pub use forecast_metrics::{ForecastMetric, MetricError};
pub use forecast_score::ForecastScore;
pub use tsad_evaluator::{Simulation, TsadEvaluator, TsadEvaluatorConfig};
