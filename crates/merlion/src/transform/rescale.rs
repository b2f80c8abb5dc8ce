//! Rescaling by given amounts, and the arithmetic that the normalising transforms share with it.

use serde::{Deserialize, Serialize};

use super::{Fitted, Inversion, InversionState, PerColumn, Transform, TransformError, TransformSpec};
use crate::series::TimeSeries;

/// Subtracts a bias and divides by a scale: `y = (x - bias) / scale`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rescale {
    /// What is subtracted.
    pub bias: PerColumn,
    /// What is divided by.
    pub scale: PerColumn,
    /// Whether the bias is used.
    pub normalize_bias: bool,
    /// Whether the scale is used.
    pub normalize_scale: bool,
}

impl Default for Rescale {
    /// Nothing changes until an amount is given.
    fn default() -> Self {
        Self { bias: PerColumn::Same(0.0), scale: PerColumn::Same(1.0), normalize_bias: true, normalize_scale: true }
    }
}

impl Transform for Rescale {
    const NAME: &'static str = "Rescale";
    const SUMMARY: &'static str = "Given bias subtracted, divided by given scale";
    type Fitted = Self;

    fn validate(&self) -> Result<(), TransformError> {
        if let Some(bias) = self.bias.numbers().find(|bias| self.normalize_bias && !bias.is_finite()) {
            return Err(TransformError::invalid(Self::NAME, "bias", bias, "must be finite"));
        }
        match self.scale.numbers().find(|scale| self.normalize_scale && (*scale == 0.0 || !scale.is_finite())) {
            Some(scale) => Err(TransformError::invalid(Self::NAME, "scale", scale, "must be finite and not 0")),
            None => Ok(()),
        }
    }

    fn fit(&self, _: &TimeSeries) -> Result<Self, TransformError> {
        Ok(self.clone())
    }
}

impl Rescale {
    pub(super) fn forward(&self, series: &TimeSeries, transform: &'static str) -> Result<TimeSeries, TransformError> {
        self.each(series, transform, |x, bias, scale| (x - bias) / scale)
    }

    pub(super) fn backward(&self, series: &TimeSeries, transform: &'static str) -> Result<TimeSeries, TransformError> {
        self.each(series, transform, |y, bias, scale| y * scale + bias)
    }

    fn each(
        &self,
        series: &TimeSeries,
        transform: &'static str,
        value: impl Fn(f64, f64, f64) -> f64,
    ) -> Result<TimeSeries, TransformError> {
        let mut amounts = Vec::with_capacity(series.dim());
        for name in series.names() {
            let bias = if self.normalize_bias { self.bias.of(name, transform, "bias")? } else { 0.0 };
            let scale = if self.normalize_scale { self.scale.of(name, transform, "scale")? } else { 1.0 };
            amounts.push((bias, scale));
        }
        let mut amounts = amounts.into_iter();
        Ok(series.map_columns(|column| {
            let (bias, scale) = amounts.next().unwrap_or((0.0, 1.0));
            column.values().iter().map(|&v| value(v, bias, scale)).collect()
        }))
    }
}

impl Fitted for Rescale {
    fn inversion(&self) -> Inversion {
        Inversion::STATELESS
    }

    fn spec(&self) -> TransformSpec {
        self.clone().into()
    }

    fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError> {
        Ok((self.forward(series, Self::NAME)?, InversionState::Nothing))
    }

    fn invert(&self, series: &TimeSeries, _: &InversionState) -> Result<TimeSeries, TransformError> {
        self.backward(series, Self::NAME)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::time::testing::seconds;

    #[test]
    fn amounts_may_differ_by_column_and_must_cover_the_columns() {
        let columns = vec![("x".to_owned(), vec![3.0, 5.0]), ("y".to_owned(), vec![3.0, 5.0])];
        let series = TimeSeries::from_columns(seconds(&[0, 1]), columns).unwrap();
        let spec = TransformSpec::from_json(&json!({"name": "Rescale", "bias": {"x": 1, "y": 3}, "scale": 2})).unwrap();
        let rescaled = spec.fit(&series).unwrap().apply(&series).unwrap();
        assert_eq!(rescaled.univariates().iter().map(|c| c.values()).collect::<Vec<_>>(), [[1.0, 2.0], [0.0, 1.0]]);
        let spec = TransformSpec::from_json(&json!({"name": "Rescale", "bias": {"x": 1}})).unwrap();
        let error = spec.fit(&series).unwrap().apply(&series).unwrap_err().to_string();
        assert_eq!(error, "Rescale: column 'y' has no bias");
    }

    #[test]
    fn a_scale_of_zero_is_refused_where_it_would_be_used() {
        let error = TransformSpec::from_json(&json!({"name": "Rescale", "scale": 0})).unwrap_err().to_string();
        assert_eq!(error, "Rescale: scale = 0: must be finite and not 0");
        assert!(TransformSpec::from_json(&json!({"name": "Rescale", "scale": 0, "normalize_scale": false})).is_ok());
    }
}
