//! How several forecasts become one.

use serde::{Deserialize, Deserializer, Serialize};

use crate::evaluate::ForecastMetric;
use crate::evaluate::forecast_metrics::{mae, marre, rmse, rmspe, smape};
use crate::models::ModelError;

/// What becomes of the forecasts for one time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Combination {
    /// Their mean.
    #[default]
    Mean,
    /// Their median.
    Median,
    /// Their maximum.
    Max,
    /// The mean of the models whose metric is best.
    ModelSelector,
    /// The mean, weighted by the inverse of the metric.
    MetricWeightedMean,
}

impl Combination {
    /// One value of several, whose order is not kept.
    pub(super) fn of(self, row: &mut [f64], weights: &[f64]) -> f64 {
        match self {
            Self::Median => {
                row.sort_by(f64::total_cmp);
                // Half of each, so that two large values do not add up to infinity.
                0.5 * row[(row.len() - 1) / 2] + 0.5 * row[row.len() / 2]
            }
            Self::Max => row.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::Mean | Self::ModelSelector | Self::MetricWeightedMean => {
                let total: f64 = weights.iter().sum();
                row.iter().zip(weights).map(|(value, weight)| weight / total * value).sum()
            }
        }
    }
}

/// A combiner as Merlion writes it: `{"name": "ModelSelector", "metric": "ForecastMetric.sMAPE"}`, or a bare name.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ForecastCombiner {
    name: Combination,
    /// Merlion's combiners can work on magnitudes, which is for anomaly scores.
    abs_score: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<ForecastMetric>,
}

impl<'de> Deserialize<'de> for ForecastCombiner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Json {
            Name(String),
            Dict(serde_json::Map<String, serde_json::Value>),
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            name: Combination,
            #[serde(default)]
            abs_score: bool,
            #[serde(default)]
            metric: Option<ForecastMetric>,
        }
        let dict = match Json::deserialize(deserializer)? {
            Json::Name(name) => serde_json::Map::from_iter([("name".to_owned(), name.into())]),
            Json::Dict(dict) => dict,
        };
        let Fields { name, abs_score, metric } =
            serde_json::from_value(dict.into()).map_err(serde::de::Error::custom)?;
        Ok(Self { name, abs_score, metric })
    }
}

impl ForecastCombiner {
    /// A combiner without a metric.
    #[must_use]
    pub fn new(name: Combination) -> Self {
        Self { name, ..Self::default() }
    }

    pub(super) fn combination(&self) -> Combination {
        self.name
    }

    pub(super) fn needs_metric(&self) -> bool {
        matches!(self.name, Combination::ModelSelector | Combination::MetricWeightedMean)
    }

    pub(super) fn validate(&self, model: &'static str) -> Result<(), ModelError> {
        let invalid = |reason: String| {
            let value = serde_json::to_string(self).unwrap_or_default();
            Err(ModelError::InvalidParameter { model, parameter: "combiner", value, reason })
        };
        if self.abs_score {
            return invalid("abs_score combines magnitudes, as of anomaly scores; forecasts have signs".into());
        }
        match self.metric {
            None if self.needs_metric() => invalid("it needs a metric, such as \"ForecastMetric.sMAPE\"".into()),
            Some(metric @ (ForecastMetric::Mase | ForecastMetric::Msis)) => {
                invalid(format!("models are compared on one series: not for {metric}, which compares series"))
            }
            _ => Ok(()),
        }
    }

    /// The metric of a forecast.
    pub(super) fn measure(&self, truth: &[f64], forecast: &[f64]) -> Result<f64, ModelError> {
        let metric = match self.metric.unwrap_or(ForecastMetric::Smape) {
            ForecastMetric::Mae => mae,
            ForecastMetric::Marre => marre,
            ForecastMetric::Rmse => rmse,
            ForecastMetric::Rmspe => rmspe,
            ForecastMetric::Smape | ForecastMetric::Mase | ForecastMetric::Msis => smape,
        };
        let value = metric(truth, forecast).map_err(|error| ModelError::Numerical(error.to_string()))?;
        if value.is_nan() { Err(ModelError::Numerical("the metric is not a number".into())) } else { Ok(value) }
    }

    /// The models' weights by their metrics, of which NaN is a failure: 0 for one that is not used.
    pub(super) fn weights(&self, metric: &[f64], models: usize) -> Vec<f64> {
        if !self.needs_metric() {
            return vec![1.0; models];
        }
        let best = metric.iter().copied().fold(f64::INFINITY, f64::min);
        let weights: Vec<f64> = metric
            .iter()
            .map(|value| match self.name {
                _ if value.is_nan() => 0.0,
                // An exact forecast has all the weight.
                Combination::MetricWeightedMean if best > 0.0 => 1.0 / value,
                _ => f64::from(u8::from(*value <= best)),
            })
            .collect();
        // Metrics that are all infinite tell nothing.
        if weights.iter().sum::<f64>() > 0.0 {
            weights
        } else {
            metric.iter().map(|value| f64::from(u8::from(!value.is_nan()))).collect()
        }
    }
}
