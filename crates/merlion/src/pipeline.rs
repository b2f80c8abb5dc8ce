//! From a series to forecasts: transform, infer the grid, align, fit; then resolve the requested times to the grid, forecast,
//! and carry the result back. What every model shares lives here, so that a model is arithmetic alone.

mod detection;
mod fallback;
mod inversion;
mod prepared;

pub use detection::{DetectionPipeline, Detections, FittedDetectionPipeline, NormalRange, ScoreKind};
pub use fallback::{Detected, Rung, detect_with_fallback};
use inversion::Inversion;
use prepared::{Prepared, check_values, out_of_range, prepare, target_index};

use crate::align;
use crate::models::{
    CommonParameters, Compat, DynFittedForecaster, DynForecaster, FitContext, Forecast, InSample, Interval, ModelError,
    Request, TrainInput,
};
use crate::series::TimeSeries;
use crate::time::{Granularity, Timestamp};
use crate::transform::TransformSpec;

/// A model with what surrounds it, not yet trained.
#[derive(Debug)]
pub struct ForecastPipeline {
    model: Box<dyn DynForecaster>,
    common: CommonParameters,
    compat: Compat,
}

/// What to forecast.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// This many grid steps after the training data.
    Steps(usize),
    /// These times, increasing.
    Times(&'a [Timestamp]),
}

/// Forecasts at the times asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedForecast {
    /// The times.
    pub times: Vec<Timestamp>,
    /// The forecasts at these times.
    pub forecast: Forecast,
}

/// A trained pipeline.
#[derive(Debug)]
pub struct FittedForecastPipeline {
    model: Box<dyn DynFittedForecaster>,
    even_sampling: bool,
    max_forecast_steps: Option<usize>,
    granularity: Granularity,
    /// Times the model was trained on: the transformed series'.
    train_times: Vec<Timestamp>,
    /// How answers are carried back through the transform, unless that would change nothing.
    inversion: Option<Inversion>,
    /// The model's one-step predictions, where they had to be carried back.
    in_sample: Option<InSample>,
    context: FitContext,
}

impl ForecastPipeline {
    /// A pipeline around a model.
    #[must_use]
    pub fn new(model: Box<dyn DynForecaster>, common: CommonParameters) -> Self {
        Self { model, common, compat: Compat::None }
    }

    /// The pipeline with Merlion's way back through transforms that need history: Merlion continues the start of the training
    /// data, where a user would want their end continued.
    #[must_use]
    pub fn with_compat(self, compat: Compat) -> Self {
        Self { compat, ..self }
    }

    /// The model's name.
    #[must_use]
    pub fn model_name(&self) -> &'static str {
        self.model.name()
    }

    /// Checks the number of data columns, the target among them, before there is any data.
    ///
    /// # Errors
    /// A [`ModelError`]: no target chosen among several columns, or a number the model cannot do with.
    pub fn check_columns(&self, columns: usize) -> Result<(), ModelError> {
        target_index(columns, self.common.target_seq_index)?;
        self.model.check_columns(columns)
    }

    /// Trains on a series.
    ///
    /// # Errors
    /// A [`ModelError`]: too few observations, no target chosen among several columns, an uneven series, or the model's own.
    pub fn fit(&self, series: &TimeSeries, context: &FitContext) -> Result<FittedForecastPipeline, ModelError> {
        self.check_columns(series.dim())?;
        let target = target_index(series.dim(), self.common.target_seq_index)?;
        let capabilities = self.model.capabilities();
        // Models that count steps are given the grid; the others take time as it comes.
        let default =
            || if capabilities.even_sampling { TransformSpec::default_resample() } else { TransformSpec::identity() };
        let spec = self.common.transform.clone().unwrap_or_else(default);
        let Prepared { transform, transformed, times, mut columns, granularity } =
            prepare(series, &spec, capabilities.even_sampling)?;
        if target >= columns.len() {
            return Err(out_of_range(target, columns.len()));
        }
        let values = columns.swap_remove(target);
        let covariates = if capabilities.univariate_only {
            Vec::new()
        } else {
            // `swap_remove` put the last column in the target's place; the others keep their order.
            if target < columns.len() {
                let last = columns.remove(target);
                columns.push(last);
            }
            columns
        };
        std::iter::once(&values).chain(&covariates).try_for_each(|column| check_values(column))?;
        let input = TrainInput {
            times: &times,
            target: &values,
            covariates: &covariates,
            exog: &[],
            granularity: &granularity,
        };
        let inversion = match times.last() {
            Some(&last) if inversion::is_wanted(&transform, self.common.invert_transform) => {
                let column = transformed.univariates()[target].name();
                Some(Inversion::new(transform, series, column, last, self.compat)?)
            }
            _ => None,
        };
        let model = self.model.fit(&input, context)?;
        let carried_back = |inversion: &Inversion| inversion.in_sample(series, &times, model.in_sample());
        let in_sample = inversion.as_ref().map(carried_back).transpose()?;
        Ok(FittedForecastPipeline {
            model,
            even_sampling: capabilities.even_sampling,
            max_forecast_steps: self.common.max_forecast_steps,
            granularity,
            train_times: times,
            inversion,
            in_sample,
            context: context.clone(),
        })
    }
}

impl FittedForecastPipeline {
    /// The sampling grid that was found.
    #[must_use]
    pub fn granularity(&self) -> &Granularity {
        &self.granularity
    }

    /// The fitted model's parameters and state.
    #[must_use]
    pub fn state(&self) -> serde_json::Value {
        self.model.state()
    }

    /// One-step predictions over the training data, at the times the model was trained on.
    #[must_use]
    pub fn in_sample(&self) -> (&[Timestamp], InSample) {
        (&self.train_times, self.in_sample.clone().unwrap_or_else(|| self.model.in_sample()))
    }

    /// Forecasts. Times between grid points are interpolated, as Merlion does.
    ///
    /// # Errors
    /// [`ModelError::Request`] for times before the end of the training data, or more steps than `max_forecast_steps`.
    pub fn forecast(&self, target: Target<'_>, levels: &[f64]) -> Result<TimedForecast, ModelError> {
        let grid = self.grid(target)?;
        let request = Request { times: &grid, history: None, exog: &[], levels, context: &self.context };
        let mut forecast = self.model.forecast(&request)?;
        add_normal_intervals(&mut forecast, levels);
        if let Some(inversion) = &self.inversion {
            inversion.forecast(&grid, &mut forecast)?;
        }
        let times = match target {
            Target::Steps(_) => grid,
            Target::Times(times) if times == grid => grid,
            Target::Times(times) => {
                let at = |values: &[f64]| align::interpolate_at(&grid, values, times);
                forecast.mean = at(&forecast.mean);
                forecast.stderr = forecast.stderr.map(|stderr| at(&stderr));
                for interval in &mut forecast.intervals {
                    interval.lower = at(&interval.lower);
                    interval.upper = at(&interval.upper);
                }
                times.to_vec()
            }
        };
        Ok(TimedForecast { times, forecast })
    }

    /// The times the model itself is asked for.
    fn grid(&self, target: Target<'_>) -> Result<Vec<Timestamp>, ModelError> {
        let last_train = *self.train_times.last().ok_or(ModelError::Empty)?;
        match target {
            Target::Steps(steps) => {
                if let Some(most) = self.max_forecast_steps.filter(|most| steps > *most) {
                    return Err(ModelError::Request(format!("{steps} steps asked for, max_forecast_steps is {most}")));
                }
                Ok(self.granularity.after(last_train, steps)?)
            }
            Target::Times(times) => {
                let (Some(&first), Some(&last)) = (times.iter().min(), times.iter().max()) else {
                    return Ok(Vec::new());
                };
                let grid = if !self.even_sampling {
                    // Models take times in order, each once; interpolation gives them back as they were asked for.
                    let mut grid = times.to_vec();
                    grid.sort_unstable();
                    grid.dedup();
                    grid
                } else {
                    let mut grid = self.granularity.until(last_train, last)?;
                    if let Some(most) = self.max_forecast_steps {
                        grid.truncate(most);
                    }
                    grid
                };
                let end = grid.last().copied().unwrap_or(last_train);
                if first < last_train || last > end {
                    return Err(ModelError::Request(format!(
                        "expected time stamps between {last_train} and {end}, got {first} to {last}"
                    )));
                }
                Ok(grid)
            }
        }
    }
}

/// Adds the normal-theory interval of each level the model left out.
fn add_normal_intervals(forecast: &mut Forecast, levels: &[f64]) {
    let Some(stderr) = &forecast.stderr else { return };
    for &level in levels {
        if forecast.intervals.iter().any(|interval| interval.level == level) {
            continue;
        }
        let z = crate::math::normal::quantile(0.5 + level / 200.0);
        let bound = |sign: f64| forecast.mean.iter().zip(stderr).map(|(m, s)| m + sign * z * s).collect();
        let interval = Interval { level, lower: bound(-1.0), upper: bound(1.0) };
        forecast.intervals.push(interval);
    }
    forecast.intervals.sort_by(|a, b| a.level.total_cmp(&b.level));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::models::{Catalog, ModelSpec};

    /// Three columns of a hundred days, in this order.
    fn forecast(model: &str, order: [usize; 3], target: usize) -> Vec<f64> {
        let times = (0..100).map(|day| Timestamp::from_nanos(day * 86_400_000_000_000)).collect();
        let column = |which: usize| {
            let values = (0..100).map(|t| f64::from(t * [17, 29, 41][which] % [11, 13, 19][which])).collect();
            (["y", "a", "b"][which].to_owned(), values)
        };
        let series = TimeSeries::from_columns(times, order.map(column).to_vec()).unwrap();
        let json = json!({"name": model, "target_seq_index": target, "maxlags": 6});
        let pipeline = ModelSpec::from_json(&json).unwrap().build(&Catalog::default(), Compat::None).unwrap();
        let fitted = pipeline.fit(&series, &FitContext::default()).unwrap();
        fitted.forecast(Target::Steps(5), &[]).unwrap().forecast.mean
    }

    #[test]
    fn the_target_may_be_any_column_and_the_others_keep_their_order() {
        for model in ["LGBMForecaster", "VectorAR", "RandomForestForecaster"] {
            let first = forecast(model, [0, 1, 2], 0);
            assert_eq!(forecast(model, [1, 0, 2], 1), first, "{model}");
            assert_eq!(forecast(model, [1, 2, 0], 2), first, "{model}");
            assert_ne!(forecast(model, [0, 1, 2], 1), first, "{model}: another column is another forecast");
        }
    }
}
