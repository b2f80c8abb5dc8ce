//! A model whose season is told from the data: [`crate::seasonality`] detects its length, the inner model is trained with it.
//!
//! Any model with a season can be inside, its name and parameters as JSON has them. Parameters the layer does not know are the
//! inner model's:
//!
//! ```
//! use merlion::models::{Catalog, Compat, ModelSpec};
//! let json = r#"{"name": "SeasonalityLayer", "model": {"name": "ETS"}, "pval": 0.01, "trend": null, "damped_trend": false}"#;
//! let spec = ModelSpec::from_json(&serde_json::from_str(json).expect("JSON"))?;
//! assert!(spec.build(&Catalog::default(), Compat::None).is_ok());
//! # Ok::<(), merlion::models::ModelError>(())
//! ```

use serde::{Deserialize, Serialize, Serializer};

use crate::models::{
    Capabilities, DynFittedForecaster, DynForecaster, FitContext, FittedForecaster, Forecast, Forecaster, InSample,
    ModelError, ModelSpec, Origin, Request, TrainInput,
};
use crate::seasonality::{self, Options, Strategy, Test};

/// A model trained with the season that is detected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeasonalityLayer {
    /// The inner model. ETS because the layer needs one; Merlion has no default here.
    pub model: ModelSpec,
    /// Which of several seasons is taken; the strongest, as in Merlion.
    pub periodicity_strategy: Strategy,
    /// Probability of detecting a season where there is none; 0.05 as in Merlion.
    pub pval: f64,
    /// Longest season looked for; null for the test's own limit.
    pub max_lag: Option<usize>,
    /// What counts as a season: "phases", which finds the 52 weeks of a year and none in noise, or "merlion".
    pub seasonality_test: Test,
    #[serde(skip)]
    origin: Origin,
}

impl Default for SeasonalityLayer {
    fn default() -> Self {
        Self {
            model: ModelSpec::named(super::ets::Ets::NAME),
            periodicity_strategy: Strategy::default(),
            pval: 0.05,
            max_lag: None,
            seasonality_test: Test::default(),
            origin: Origin::default(),
        }
    }
}

impl SeasonalityLayer {
    fn options(&self) -> Options {
        let Self { periodicity_strategy: strategy, pval, max_lag, seasonality_test: test, .. } = *self;
        Options { strategy, pval, max_lag, test }
    }

    fn inner(&self) -> Result<Box<dyn DynForecaster>, ModelError> {
        self.model.build_model(&self.origin)
    }

    fn inner_with_season(&self, length: usize) -> Result<Box<dyn DynForecaster>, ModelError> {
        self.inner()?.with_season_length(length).ok_or_else(|| ModelError::InvalidParameter {
            model: Self::NAME,
            parameter: "model",
            value: self.model.name.clone(),
            reason: "it has no season that could be set".into(),
        })
    }
}

impl Forecaster for SeasonalityLayer {
    const NAME: &'static str = "SeasonalityLayer";
    const SUMMARY: &'static str = "Detects the season and trains another model with it";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    const INNER: Option<&'static str> = Some("model");
    type Fitted = FittedSeasonalityLayer;

    fn into_merlion(self) -> Self {
        Self { seasonality_test: Test::Merlion, ..self }
    }

    fn with_origin(self, origin: &Origin) -> Self {
        Self { origin: origin.clone(), ..self }
    }

    fn capabilities(&self) -> Capabilities {
        self.inner().map_or(Self::CAPABILITIES, |model| model.capabilities())
    }

    fn check_columns(&self, columns: usize) -> Result<(), ModelError> {
        self.inner()?.check_columns(columns)
    }

    fn validate(&self) -> Result<(), ModelError> {
        self.options().validate(Self::NAME)?;
        if self.periodicity_strategy == Strategy::All {
            return Err(ModelError::InvalidParameter {
                model: Self::NAME,
                parameter: "periodicity_strategy",
                value: "All".into(),
                reason: "the inner model has one season; ACF, Min and Max choose it".into(),
            });
        }
        self.inner_with_season(1).map(|_| ())
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedSeasonalityLayer, ModelError> {
        let season_length = seasonality::detect(input.target, &self.options(), context)?.first().copied().unwrap_or(1);
        let model = self.inner_with_season(season_length)?.fit(input, context)?;
        Ok(FittedSeasonalityLayer { season_length, model })
    }
}

/// A trained [`SeasonalityLayer`].
#[derive(Debug, Serialize)]
pub struct FittedSeasonalityLayer {
    season_length: usize,
    #[serde(serialize_with = "state")]
    model: Box<dyn DynFittedForecaster>,
}

#[expect(clippy::borrowed_box, reason = "serde passes the field by reference")]
fn state<S: Serializer>(model: &Box<dyn DynFittedForecaster>, serializer: S) -> Result<S::Ok, S::Error> {
    model.state().serialize(serializer)
}

impl FittedSeasonalityLayer {
    /// The season that was detected; 1 for none.
    #[must_use]
    pub fn season_length(&self) -> usize {
        self.season_length
    }
}

impl FittedForecaster for FittedSeasonalityLayer {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        self.model.forecast(request)
    }

    fn in_sample(&self) -> InSample {
        self.model.in_sample()
    }

    fn update(&mut self, new: &TrainInput<'_>) -> Result<(), ModelError> {
        self.model.update(new)
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::*;
    use crate::models::{Catalog, Compat};
    use serde_json::{Value, json};

    fn weekly(n: usize) -> Vec<f64> {
        let noise = |t: usize| ((t * 7919) % 101) as f64 / 100.0;
        (0..n).map(|t| 20.0 + [0.0, 5.0, 6.0, 7.0, 6.0, 12.0, 15.0][t % 7] + noise(t)).collect()
    }

    fn build(json: Value) -> Result<Value, ModelError> {
        let Value::Object(mut map) = json else { panic!("{json}") };
        map.shift_remove("name");
        Catalog::default().get("SeasonalityLayer")?.build(map, Compat::None).map(|model| model.parameters())
    }

    #[test]
    fn the_inner_model_is_trained_with_the_season_that_is_found() {
        let y = weekly(84);
        for (inner, state) in [("ETS", "/model/fit/variant/period"), ("AutoETS", "/model/season_length")] {
            let layer = SeasonalityLayer { model: ModelSpec::named(inner), ..SeasonalityLayer::default() };
            let fitted = fit(&layer, &y).unwrap();
            assert_eq!(fitted.season_length(), 7, "{inner}");
            let json = serde_json::to_value(&fitted).unwrap();
            assert_eq!(json.pointer(state), Some(&json!(7)), "{json}");
            let ahead = forecast(&fitted, 14, None).mean;
            let apart = ahead.iter().zip(weekly(98)[84..].iter()).map(|(f, y)| (f - y).abs()).fold(0.0, f64::max);
            assert!(apart < 1.2, "{inner}: {ahead:?}");
        }
    }

    #[test]
    fn parameters_the_layer_does_not_know_are_the_inner_models() {
        let parameters = build(json!({"model": {"name": "ETS", "trend": null}, "trend": "mul", "damped_trend": false}));
        // What the inner JSON says has precedence.
        assert_eq!(parameters.unwrap()["model"], json!({"name": "ETS", "trend": null, "damped_trend": false}));
        assert_eq!(build(json!({"refit": false})).unwrap()["model"], json!({"name": "ETS", "refit": false}));
        assert_eq!(build(json!({"model": "SeasonalNaive"})).unwrap()["model"], json!({"name": "SeasonalNaive"}));
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (json, words) in [
            (
                json!({"periodicity_stratgy": "Min"}),
                "no parameter 'periodicity_stratgy', did you mean 'periodicity_strategy'?",
            ),
            (json!({"sesonal": "mul"}), "SeasonalityLayer has no parameter 'sesonal', did you mean 'seasonal'?"),
            (json!({"model": {"name": "ETS", "sesonal": "mul"}}), "ETS has no parameter 'sesonal'"),
            (json!({"model": {"name": "Naive"}}), "no season that could be set"),
            (json!({"model": {"name": "DeepARForecaster"}}), "not available yet"),
            (json!({"model": {"name": "EST"}}), "did you mean 'ETS'?"),
            (json!({"model": 5}), "a model's JSON dict, not 5"),
            (json!({"model": {"trend": null}}), "no \"name\""),
            (json!({"periodicity_strategy": "All"}), "the inner model has one season"),
            (json!({"pval": 1.5}), "a probability between 0 and 1"),
        ] {
            let error = build(json.clone()).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
    }

    #[test]
    fn settings_of_the_pipeline_come_out_of_the_inner_model() {
        let json = json!({
            "name": "SeasonalityLayer",
            "model": {"name": "ETS", "max_forecast_steps": 3, "transform": {"name": "TemporalResample"}},
        });
        let spec = ModelSpec::from_json(&json).unwrap();
        assert!(spec.build(&Catalog::default(), Compat::Merlion).is_ok());
        let fit = |json| fit(&serde_json::from_value::<SeasonalityLayer>(json).unwrap(), &weekly(84)).map(|_| ());
        assert!(fit(json!({"model": {"name": "ETS", "max_forecast_steps": 3}})).is_err(), "without a pipeline");
    }

    #[test]
    fn inner_models_give_the_answers_of_the_layers_origin() {
        let y: Vec<f64> = weekly(84).iter().map(|y| y * 1e4).collect();
        let estimation = |compat| {
            let layer = SeasonalityLayer::default().with_origin(&Origin { compat, ..Origin::default() });
            let fitted = serde_json::to_value(fit(&layer, &y).unwrap()).unwrap();
            fitted.pointer("/model/model/estimation").cloned()
        };
        assert_eq!(estimation(Compat::None), Some(json!("maximum")));
        assert_eq!(estimation(Compat::Merlion), Some(json!("merlion")));
    }
}
