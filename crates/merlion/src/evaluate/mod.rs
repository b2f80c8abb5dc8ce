//! Evaluation: how good forecasts were. The functions of [`forecast_metrics`] take slices; [`ForecastMetric`] names them as Merlion's
//! JSON does, and [`ForecastScore`] brings series to common times first.

pub mod forecast_metrics;
mod forecast_score;

pub use forecast_metrics::{ForecastMetric, MetricError};
pub use forecast_score::ForecastScore;
