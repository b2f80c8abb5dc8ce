//! Models made of other models: how members are built and tried, and what becomes of those that fail.

use serde::{Serialize, Serializer};

use super::{
    Capabilities, DynFittedForecaster, DynForecaster, FitContext, Forecast, ModelError, ModelSpec, Origin, Request,
    TrainInput,
};

/// A model that could not be trained, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The model's name.
    pub model: String,
    /// What went wrong.
    pub error: String,
}

impl Failure {
    /// What is left of an error of one member; `Err` for one that ends all work.
    pub(super) fn of(model: &str, error: ModelError) -> Result<Self, ModelError> {
        match error {
            ModelError::Cancelled | ModelError::DeadlineExceeded => Err(error),
            error => Ok(Self { model: model.to_owned(), error: error.to_string() }),
        }
    }
}

/// The error when no member is left.
pub(super) fn none_left(failures: &[Failure]) -> ModelError {
    let reasons: Vec<String> = failures.iter().map(|failure| format!("{}: {}", failure.model, failure.error)).collect();
    ModelError::Numerical(format!("no model could be trained ({})", reasons.join("; ")))
}

/// The members, each told the longest horizon and, where it has one, the season.
pub(super) fn build(
    specs: &[ModelSpec],
    origin: &Origin,
    max_forecast_steps: Option<usize>,
) -> Result<Vec<Box<dyn DynForecaster>>, ModelError> {
    specs.iter().map(|spec| Ok(spec.build_model(origin)?.with_max_forecast_steps(max_forecast_steps))).collect()
}

/// The model with a season of this length, or as it is if it knows none.
pub(super) fn with_season(model: Box<dyn DynForecaster>, length: Option<usize>) -> Box<dyn DynForecaster> {
    length.and_then(|length| model.with_season_length(length)).unwrap_or(model)
}

/// What all members can do together.
pub(super) fn capabilities(models: &[Box<dyn DynForecaster>]) -> Capabilities {
    let all = |can: fn(&Capabilities) -> bool| models.iter().all(|model| can(&model.capabilities()));
    let any = |can: fn(&Capabilities) -> bool| models.iter().any(|model| can(&model.capabilities()));
    Capabilities {
        univariate_only: all(|can| can.univariate_only),
        exogenous: any(|can| can.exogenous),
        even_sampling: any(|can| can.even_sampling),
        standard_errors: all(|can| can.standard_errors),
        online: false,
    }
}

/// Refuses a list of no models.
pub(super) fn validate_models(model: &'static str, specs: &[ModelSpec]) -> Result<(), ModelError> {
    if specs.is_empty() {
        return Err(ModelError::InvalidParameter {
            model,
            parameter: "models",
            value: "[]".into(),
            reason: "at least one model is needed".into(),
        });
    }
    Ok(())
}

/// The forecast of a model trained on the first observations for the `horizon` ones that follow them.
pub(super) fn backtest(
    model: &dyn DynForecaster,
    input: &TrainInput<'_>,
    (trained, horizon): (usize, usize),
    context: &FitContext,
) -> Result<Forecast, ModelError> {
    backtest_reminded(model, input, (trained, horizon), false, context)
}

/// The same; a model that is `reminded` is given what it was trained on once more when it forecasts, as Merlion's evaluator does.
pub(super) fn backtest_reminded(
    model: &dyn DynForecaster,
    input: &TrainInput<'_>,
    (trained, horizon): (usize, usize),
    reminded: bool,
    context: &FitContext,
) -> Result<Forecast, ModelError> {
    let end = (trained + horizon).min(input.target.len());
    let part = |columns: &[Vec<f64>], from: usize, to: usize| -> Vec<Vec<f64>> {
        columns.iter().map(|column| column[from..to].to_vec()).collect()
    };
    let (covariates, exog) = (part(input.covariates, 0, trained), part(input.exog, 0, trained));
    let train = TrainInput {
        times: &input.times[..trained],
        target: &input.target[..trained],
        covariates: &covariates,
        exog: &exog,
        granularity: input.granularity,
    };
    let fitted = model.fit(&train, context)?;
    let exog = part(input.exog, trained, end);
    let history = reminded.then_some(train);
    let request = Request { times: &input.times[trained..end], history, exog: &exog, levels: &[], context };
    let forecast = fitted.forecast(&request)?;
    if forecast.mean.iter().all(|y| y.is_finite()) {
        Ok(forecast)
    } else {
        Err(ModelError::Numerical("a forecast is not finite".into()))
    }
}

/// Where backtests begin, the latest first: each is followed by `horizon` observations of its own, and preceded by at least half
/// of the series.
pub(super) fn origins(n: usize, horizon: usize, windows: usize) -> Vec<usize> {
    (1..=windows).map_while(|k| n.checked_sub(k * horizon)).take_while(|origin| *origin >= n.div_ceil(2)).collect()
}

/// The horizon backtests are made for: what will be asked for at most, if that is known, otherwise a tenth of the series; so short that
/// there is room for one, and no longer than 50 steps.
pub(super) fn backtest_horizon(n: usize, max_forecast_steps: Option<usize>) -> usize {
    max_forecast_steps.unwrap_or(n / 10).min(n / 4).clamp(1, 50)
}

/// A fitted model as its state.
#[expect(clippy::borrowed_box, reason = "serde passes the field by reference")]
pub(super) fn state<S: Serializer>(model: &Box<dyn DynFittedForecaster>, serializer: S) -> Result<S::Ok, S::Error> {
    model.state().serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backtests_leave_half_of_the_series_to_train_on() {
        assert_eq!(origins(40, 5, 3), [35, 30, 25]);
        assert_eq!(origins(40, 5, 9), [35, 30, 25, 20]);
        assert_eq!(origins(5, 1, 9), [4, 3]);
        assert_eq!(origins(1, 1, 9), [0usize; 0]);
        assert_eq!(
            [backtest_horizon(100, None), backtest_horizon(100, Some(12)), backtest_horizon(20, Some(12))],
            [10, 12, 5]
        );
        assert_eq!([backtest_horizon(2, None), backtest_horizon(10_000, None)], [1, 50]);
    }
}
