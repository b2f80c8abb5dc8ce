//! The model for those who have no opinion: AutoETS for one column, boosted trees for several or with regressors.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::auto_ets::{AutoEts, FittedAutoEts};
use super::lgbm_forecaster::LgbmForecaster;
use crate::models::autoregression::FittedAutoregression;
use crate::models::{
    Capabilities, Compat, FitContext, FittedForecaster, Forecast, Forecaster, InSample, ModelError, ModelSpec, Origin,
    Request, TrainInput,
};
use crate::transform::TransformSpec;
use crate::trees::BoostingSet;

/// AutoETS or LGBMForecaster on the grid of the data, or on a grid of the given step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DefaultForecaster {
    /// Step of the grid the data is brought to, after all other transforms; null for the step found in the data.
    pub granularity: Option<Value>,
    /// Null: the model is chosen by the number of columns. Accepted because Merlion writes it.
    pub model: Option<ModelSpec>,
    #[serde(skip)]
    univariate: AutoEts,
    #[serde(skip)]
    multivariate: LgbmForecaster,
}

impl DefaultForecaster {
    fn resample(&self) -> Result<TransformSpec, ModelError> {
        Ok(TransformSpec::from_json(&json!({"name": "TemporalResample", "granularity": self.granularity}))?)
    }
}

impl Forecaster for DefaultForecaster {
    const NAME: &'static str = "DefaultForecaster";
    const SUMMARY: &'static str = "AutoETS for one column, LGBMForecaster for several";
    // Of one column. Boosted trees have no standard errors.
    const CAPABILITIES: Capabilities =
        Capabilities { univariate_only: false, exogenous: true, ..Capabilities::CLASSICAL };
    type Fitted = FittedDefault;

    fn into_merlion(self) -> Self {
        Self { univariate: self.univariate.into_merlion(), multivariate: self.multivariate.into_merlion(), ..self }
    }

    fn with_max_forecast_steps(self, steps: Option<usize>) -> Self {
        Self { multivariate: self.multivariate.with_max_forecast_steps(steps), ..self }
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

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedDefault, ModelError> {
        if input.covariates.is_empty() && input.exog.is_empty() {
            return Ok(FittedDefault::Univariate(self.univariate.fit(input, context)?));
        }
        Ok(FittedDefault::Multivariate(self.multivariate.fit(input, context)?))
    }
}

/// A trained [`DefaultForecaster`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FittedDefault {
    /// One column.
    Univariate(FittedAutoEts),
    /// Several columns, or regressors.
    Multivariate(FittedAutoregression<BoostingSet>),
}

impl FittedForecaster for FittedDefault {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        match self {
            Self::Univariate(model) => model.forecast(request),
            Self::Multivariate(model) => model.forecast(request),
        }
    }

    fn in_sample(&self) -> InSample {
        match self {
            Self::Univariate(model) => model.in_sample(),
            Self::Multivariate(model) => model.in_sample(),
        }
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
        assert_eq!(default.unwrap(), FittedDefault::Univariate(auto.unwrap()));
    }

    #[test]
    fn several_columns_are_forecast_by_boosted_trees() {
        let times = crate::models::forecast::naive::tests::days(0..90);
        let columns = [17, 29].map(|p| (0..90).map(|t| f64::from(t * p % 11)).collect::<Vec<_>>());
        let named = ["y", "x"].map(str::to_owned).into_iter().zip(columns).collect();
        let series = crate::series::TimeSeries::from_columns(times, named).unwrap();
        let forecast = |name: &str| {
            let json = json!({"name": name, "target_seq_index": 1, "max_forecast_steps": 15});
            let pipeline = ModelSpec::from_json(&json).unwrap().build(&Catalog::default(), Compat::None).unwrap();
            let fitted = pipeline.fit(&series, &FitContext::default()).unwrap();
            (fitted.forecast(crate::pipeline::Target::Steps(15), &[95.0]).unwrap(), fitted.in_sample().1)
        };
        let (default, in_sample) = forecast("DefaultForecaster");
        assert_eq!((default.clone(), in_sample), forecast("LGBMForecaster"));
        assert!(default.forecast.stderr.is_none() && default.forecast.intervals.is_empty());
    }

    #[test]
    fn regressors_make_it_boosted_trees_too() {
        let times = crate::models::forecast::naive::tests::days(0..90);
        let y: Vec<f64> = (0..90).map(|t| f64::from(t * 17 % 11)).collect();
        let granularity = crate::time::Granularity { step: crate::time::Offset::Fixed(86_400_000_000_000), phase: 0 };
        let exog = [y.clone()];
        let input = TrainInput { times: &times, target: &y, covariates: &[], exog: &exog, granularity: &granularity };
        let fitted = DefaultForecaster::default().fit(&input, &FitContext::default()).unwrap();
        assert!(matches!(fitted, FittedDefault::Multivariate(_)), "{fitted:?}");
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
