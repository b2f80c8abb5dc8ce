//! The model for those who have no opinion: AutoETS for one column. Several columns are LightGBM's in Merlion, which is not
//! available here yet; [`Forecaster::check_columns`] says so before any data is read.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::auto_ets::{AutoEts, FittedAutoEts};
use crate::models::{Capabilities, Compat, FitContext, Forecaster, ModelError, ModelSpec, Origin, TrainInput};
use crate::transform::TransformSpec;

/// AutoETS on the grid of the data, or on a grid of the given step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DefaultForecaster {
    /// Step of the grid the data is brought to, after all other transforms; null for the step found in the data.
    pub granularity: Option<Value>,
    /// Null: the model is chosen by the number of columns. Accepted because Merlion writes it.
    pub model: Option<ModelSpec>,
    #[serde(skip)]
    univariate: AutoEts,
}

impl DefaultForecaster {
    fn resample(&self) -> Result<TransformSpec, ModelError> {
        Ok(TransformSpec::from_json(&json!({"name": "TemporalResample", "granularity": self.granularity}))?)
    }
}

impl Forecaster for DefaultForecaster {
    const NAME: &'static str = "DefaultForecaster";
    const SUMMARY: &'static str = "AutoETS for one column (several columns: not yet)";
    const CAPABILITIES: Capabilities = Capabilities { univariate_only: false, ..Capabilities::CLASSICAL };
    type Fitted = FittedAutoEts;

    fn into_merlion(self) -> Self {
        Self { univariate: self.univariate.into_merlion(), ..self }
    }

    fn with_origin(self, origin: &Origin) -> Self {
        match origin.compat {
            Compat::None => self,
            Compat::Merlion => self.into_merlion(),
        }
    }

    fn transform(&self) -> Option<TransformSpec> {
        self.resample().ok()
    }

    fn check_columns(&self, columns: usize) -> Result<(), ModelError> {
        if columns > 1 {
            return Err(ModelError::Delegated { model: Self::NAME, columns, name: "LGBMForecaster" });
        }
        Ok(())
    }

    fn validate(&self) -> Result<(), ModelError> {
        if let Some(model) = &self.model {
            return Err(ModelError::InvalidParameter {
                model: Self::NAME,
                parameter: "model",
                value: model.name.clone(),
                reason: "the data decides; to have this model, name it in the first place".into(),
            });
        }
        self.resample().map(|_| ())
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedAutoEts, ModelError> {
        self.check_columns(1 + input.covariates.len())?;
        self.univariate.fit(input, context)
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::fit;
    use super::*;
    use crate::models::Catalog;

    fn parse(json: Value) -> Result<crate::pipeline::ForecastPipeline, ModelError> {
        ModelSpec::from_json(&json)?.build(&Catalog::default(), Compat::None)
    }

    #[test]
    fn one_column_is_forecast_by_autoets() {
        let y: Vec<f64> = (0..40).map(|t| 50.0 + f64::from(t) + f64::from(t * 31 % 7)).collect();
        let (default, auto) = (fit(&DefaultForecaster::default(), &y), fit(&AutoEts::default(), &y));
        assert_eq!(default.unwrap(), auto.unwrap());
    }

    #[test]
    fn several_columns_are_refused_before_there_is_data() {
        let pipeline = parse(json!({"name": "DefaultForecaster", "target_seq_index": 0})).unwrap();
        assert_eq!(pipeline.check_columns(1), Ok(()));
        let error = pipeline.check_columns(5).unwrap_err().to_string();
        assert!(error.contains("5 columns to LGBMForecaster, which is not available yet"), "{error}");
    }

    #[test]
    fn merlions_parameters_are_accepted() {
        let json = json!({
            "name": "DefaultForecaster", "model": null, "granularity": "1d", "max_forecast_steps": 5,
            "target_seq_index": 0, "invert_transform": true, "transform": {"name": "TemporalResample"},
        });
        assert!(parse(json).is_ok());
        for (json, words) in [
            (json!({"granularity": "1 fortnite"}), "granularity"),
            (json!({"model": {"name": "ETS"}}), "name it in the first place"),
            (json!({"n_estimators": 5}), "no parameter 'n_estimators'"),
        ] {
            let mut json = json;
            json["name"] = "DefaultForecaster".into();
            let error = parse(json.clone()).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
    }

    #[test]
    fn the_step_of_the_grid_is_that_of_the_parameter() {
        let model = DefaultForecaster { granularity: Some("2h".into()), ..DefaultForecaster::default() };
        let json = model.transform().unwrap().to_json();
        assert_eq!(json["name"], "TemporalResample", "{json}");
        assert_eq!(json["granularity"], 7200.0, "{json}");
    }
}
