//! The median of a few good models of different kinds, each with the same season.
//!
//! Petropoulos & Svetunkov (2020), "A simple combination of univariate models", Int. J. Forecasting 36: the median of exponential
//! smoothing, complex exponential smoothing, ARIMA and the dynamic optimised θ model, sixth in the M4 competition. The season is
//! detected once. A model that fails is left out, and named in the fitted model.

use serde::{Deserialize, Serialize};

use super::forecaster_ensemble::{Combination, FittedForecasterEnsemble, Member};
use super::theta::validate_season;
use crate::models::members::{self, Failure};
use crate::models::{
    Capabilities, Catalog, DynForecaster, FitContext, Forecaster, ModelError, ModelSpec, Origin, TrainInput,
};
use crate::seasonality::{self, Options};

/// The models of the paper. One that this build does not have is not a member by default.
const MEMBERS: [&str; 4] = ["AutoETS", "AutoCES", "AutoARIMA", "DynamicOptimizedTheta"];

/// The median of several models with one season.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TopEnsemble {
    /// The members, by name or as JSON dicts; those of the paper that there are.
    pub models: Vec<ModelSpec>,
    /// Length of the season in observations, 1 for none. Null: told from the data.
    pub season_length: Option<usize>,
    #[serde(skip)]
    origin: Origin,
    #[serde(skip)]
    max_forecast_steps: Option<usize>,
}

impl Default for TopEnsemble {
    fn default() -> Self {
        let catalog = Catalog::default();
        let models = MEMBERS.into_iter().filter(|name| catalog.get(name).is_ok()).map(ModelSpec::named).collect();
        Self { models, season_length: None, origin: Origin::default(), max_forecast_steps: None }
    }
}

impl TopEnsemble {
    fn members(&self) -> Result<Vec<Box<dyn DynForecaster>>, ModelError> {
        members::build(&self.models, &self.origin, self.max_forecast_steps)
    }
}

impl Forecaster for TopEnsemble {
    const NAME: &'static str = "TopEnsemble";
    const SUMMARY: &'static str = "The median of a few good models of different kinds";
    // Of the models it has by default, one uses regressors.
    const CAPABILITIES: Capabilities = Capabilities { exogenous: true, ..Capabilities::CLASSICAL };
    type Fitted = FittedForecasterEnsemble;

    fn with_origin(self, origin: &Origin) -> Self {
        Self { origin: origin.clone(), ..self }
    }

    fn with_max_forecast_steps(self, max_forecast_steps: Option<usize>) -> Self {
        Self { max_forecast_steps, ..self }
    }

    fn with_season_length(self, length: usize) -> Option<Self> {
        Some(Self { season_length: Some(length), ..self })
    }

    fn capabilities(&self) -> Capabilities {
        self.members().map_or(Self::CAPABILITIES, |models| members::capabilities(&models))
    }

    fn check_columns(&self, columns: usize) -> Result<(), ModelError> {
        self.members()?.iter().try_for_each(|model| model.check_columns(columns))
    }

    fn validate(&self) -> Result<(), ModelError> {
        members::validate_models(Self::NAME, &self.models)?;
        validate_season(Self::NAME, self.season_length)?;
        self.members().map(|_| ())
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedForecasterEnsemble, ModelError> {
        let season = match self.season_length {
            Some(length) => length,
            None => seasonality::detect(input.target, &Options::default(), context)?.first().copied().unwrap_or(1),
        };
        let (mut trained, mut failures) = (Vec::new(), Vec::new());
        for model in self.members()? {
            let model = members::with_season(model, Some(season));
            match model.fit(input, context) {
                Ok(fitted) => trained.push(Member { name: model.name(), weight: 1.0, model: fitted }),
                Err(error) => failures.push(Failure::of(model.name(), error)?),
            }
        }
        if trained.is_empty() {
            return Err(members::none_left(&failures));
        }
        Ok(FittedForecasterEnsemble {
            combination: Combination::Median,
            metric: Vec::new(),
            members: trained,
            failures,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::super::theta::tests::by_month;
    use super::*;

    #[test]
    fn the_median_of_the_members_is_forecast() {
        let y = by_month();
        let top = TopEnsemble { season_length: Some(12), ..TopEnsemble::default() };
        let fitted = fit(&top, &y).unwrap();
        let ahead = forecast(&fitted, 3, None).mean;
        let alone = |name: &str| {
            let models = vec![ModelSpec::named(name)];
            forecast(&fit(&TopEnsemble { models, ..top.clone() }, &y).unwrap(), 3, None).mean
        };
        let names = fitted.members();
        assert!(names.len() >= 3, "{names:?}");
        let members: Vec<Vec<f64>> = names.iter().map(|name| alone(name)).collect();
        for (h, got) in ahead.iter().enumerate() {
            let below = members.iter().filter(|member| member[h] < got - 1e-9).count();
            let above = members.iter().filter(|member| member[h] > got + 1e-9).count();
            assert_eq!(below, above, "step {}: {got} among {members:?}", h + 1);
        }
    }

    #[test]
    fn the_members_are_those_of_the_paper_that_there_are() {
        let names: Vec<String> = TopEnsemble::default().models.into_iter().map(|spec| spec.name).collect();
        let catalog = Catalog::default();
        for name in MEMBERS {
            assert_eq!(names.iter().any(|member| member == name), catalog.get(name).is_ok(), "{name}: {names:?}");
        }
        assert!(names.len() >= 3, "{names:?}");
    }

    #[test]
    fn who_fails_is_left_out_and_named() {
        let models = vec![ModelSpec::named("Drift"), ModelSpec::named("Naive")];
        let fitted = fit(&TopEnsemble { models, ..TopEnsemble::default() }, &[5.0]).unwrap();
        assert_eq!((fitted.members(), fitted.failures()[0].model.as_str()), (vec!["Naive"], "Drift"));
    }
}
