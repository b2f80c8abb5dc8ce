//! One series through one pipeline, and what becomes of it when that fails: the per-series failure policy.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion_common::{DataFusionError, Result};
use merlion::math::seed::seed_for;
use merlion::models::{Catalog, FitContext, ModelError, StopFlag};
use merlion::pipeline::{ForecastPipeline, Target, TimedForecast};
use merlion::series::TimeSeries;
use merlion::time::{Granularity, Timestamp};
use serde_json::{Value, json};

use crate::options::{ForecastOptions, Horizon, OnError};
use crate::output::{ForecastRow, ForecastRows};

/// The model forecast the series.
pub const STATUS_OK: &str = "ok";
/// The mean of the training values stands in for the model.
pub const STATUS_FALLBACK: &str = "fallback";
/// There is no forecast.
pub const STATUS_FAILED: &str = "failed";

/// The name that stands for the model in fallback rows.
const FALLBACK_MODEL: &str = "Mean";

/// The longest a series may take when the options say nothing: long enough for any sane fit, short enough that one series cannot
/// hold a job for ever.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// Forecasts series after series and counts what happened.
#[derive(Debug)]
pub(crate) struct ForecastRunner {
    pipeline: ForecastPipeline,
    /// The pipelines of series in which some columns have no values, by the columns that do.
    of_columns: HashMap<Vec<usize>, ForecastPipeline>,
    catalog: Arc<Catalog>,
    options: ForecastOptions,
    target: usize,
    stop: StopFlag,
    fallbacks: usize,
}

/// One series as it was collected.
#[derive(Debug, Clone)]
pub(crate) struct RawSeries<'a> {
    pub(crate) key: Option<&'a str>,
    pub(crate) times: &'a [i64],
    pub(crate) columns: Vec<&'a [f64]>,
}

impl RawSeries<'_> {
    /// The columns that have values; the target is kept whatever it has.
    fn present_columns(&self, target: usize) -> Vec<usize> {
        let present = |&at: &usize| at == target || self.columns[at].iter().any(|v| !v.is_nan());
        (0..self.columns.len()).filter(present).collect()
    }

    /// The same series with some of its columns.
    fn with_columns(&self, columns: &[usize]) -> Self {
        Self { columns: columns.iter().map(|&at| self.columns[at]).collect(), ..*self }
    }

    fn to_series(&self) -> Result<TimeSeries, ModelError> {
        let times = self.times.iter().copied().map(Timestamp::from_nanos).collect();
        let columns = self.columns.iter().enumerate().map(|(i, values)| (format!("y{i}"), values.to_vec())).collect();
        Ok(TimeSeries::from_columns(times, columns)?)
    }
}

impl ForecastRunner {
    pub(crate) fn try_new(options: ForecastOptions, catalog: &Arc<Catalog>, stop: StopFlag) -> Result<Self> {
        let pipeline = options.model.build(catalog, options.compat).map_err(crate::options::OptionsError::from)?;
        let target = options.model.common.target_seq_index.unwrap_or(0);
        let (of_columns, catalog) = (HashMap::new(), Arc::clone(catalog));
        Ok(Self { pipeline, of_columns, catalog, options, target, stop, fallbacks: 0 })
    }

    /// Forecasts one series and appends its rows.
    pub(crate) fn run(&mut self, raw: &RawSeries<'_>, rows: &mut ForecastRows) -> Result<()> {
        let start = Instant::now();
        match self.on_present_columns(raw) {
            Ok(done) => {
                let details = self.options.details.then(|| {
                    json!({ "points": raw.times.len(), "seconds": start.elapsed().as_secs_f64(), "parameters": done.state })
                        .to_string()
                });
                done.append(self.pipeline.model_name(), details.as_deref(), rows);
            }
            Err(ModelError::Cancelled) => return Err(DataFusionError::Execution("cancelled".to_owned())),
            Err(error) => self.fail(raw, &error, rows)?,
        }
        rows.end_series();
        Ok(())
    }

    /// A column without values tells a model nothing, and aligned with the others it would leave no row: series of sums, which are
    /// made of some columns only, are forecast from those (W-07).
    fn on_present_columns(&mut self, raw: &RawSeries<'_>) -> Result<Forecasted, ModelError> {
        let present = raw.present_columns(self.target);
        if present.len() == raw.columns.len() {
            return self.fit_and_forecast(&self.pipeline, raw);
        }
        if !self.of_columns.contains_key(&present) {
            let mut model = self.options.model.clone();
            model.common.target_seq_index = present.iter().position(|&at| at == self.target);
            let pipeline = model.build(&self.catalog, self.options.compat)?;
            pipeline.check_columns(present.len())?;
            self.of_columns.insert(present.clone(), pipeline);
        }
        self.fit_and_forecast(&self.of_columns[&present], &raw.with_columns(&present))
    }

    fn fit_and_forecast(&self, pipeline: &ForecastPipeline, raw: &RawSeries<'_>) -> Result<Forecasted, ModelError> {
        let context = FitContext {
            seed: match raw.key {
                Some(key) => seed_for(self.options.seed, key.as_bytes()),
                None => seed_for(self.options.seed, &content_bytes(raw)),
            },
            stop: self.stop.clone(),
            deadline: Some(Instant::now() + self.options.timeout.unwrap_or(DEFAULT_TIMEOUT)),
        };
        context.check()?;
        let work = || {
            let series = raw.to_series()?;
            let fitted = pipeline.fit(&series, &context)?;
            let target = match &self.options.horizon {
                Horizon::Steps(steps) => Target::Steps(*steps),
                Horizon::Times(times) => Target::Times(times),
            };
            let forecast = fitted.forecast(target, &self.options.level)?;
            if let Some(position) = forecast.forecast.mean.iter().position(|v| !v.is_finite()) {
                return Err(ModelError::Numerical(format!(
                    "forecast {} at step {}",
                    forecast.forecast.mean[position],
                    position + 1
                )));
            }
            let train = self.options.predict_on_train.then(|| {
                let (times, in_sample) = fitted.in_sample();
                (times.to_vec(), in_sample)
            });
            let state =
                if self.options.details { without_series(fitted.state(), raw.times.len()) } else { Value::Null };
            Ok(Forecasted { forecast, train, state })
        };
        // A defect in one model must cost one series, not the job.
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            let message = panic
                .downcast_ref::<&str>()
                .map(|s| (*s).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "unknown panic".to_owned());
            Err(ModelError::Numerical(format!("the model panicked: {message}")))
        })
    }

    /// The rows of a series whose model failed.
    fn fail(&mut self, raw: &RawSeries<'_>, error: &ModelError, rows: &mut ForecastRows) -> Result<()> {
        let key = raw.key.unwrap_or("(unnamed series)");
        let name = self.pipeline.model_name();
        if self.options.on_error == OnError::Abort {
            return Err(DataFusionError::Execution(format!("series {key}: {name}: {error}")));
        }
        self.fallbacks += 1;
        log::warn!("series {key}: {name}: {error}");
        if self.options.on_error == OnError::Skip {
            return Ok(());
        }
        let (status, model, mean) = match self.options.on_error {
            OnError::Fallback => (STATUS_FALLBACK, FALLBACK_MODEL, self.mean(raw)),
            _ => (STATUS_FAILED, name, None),
        };
        let error = error.to_string();
        let told = self.options.details.then(|| json!({ "points": raw.times.len() }).to_string());
        let mut details = told.as_deref();
        let mut row = |ds, step| ForecastRow {
            ds,
            yhat: mean,
            step,
            model,
            status,
            error: Some(&error),
            details: details.take(),
            ..Default::default()
        };
        let known = sorted_times(raw.times);
        if self.options.predict_on_train {
            for (i, time) in known.iter().enumerate() {
                rows.push(&row(Some(*time), step_of_training(i, known.len())));
            }
        }
        let wanted: Vec<Option<Timestamp>> = match &self.options.horizon {
            Horizon::Times(times) => times.iter().copied().map(Some).collect(),
            Horizon::Steps(steps) => {
                let grid = Granularity::infer(&known)
                    .ok()
                    .zip(known.last())
                    .and_then(|(granularity, last)| granularity.after(*last, *steps).ok());
                grid.map_or_else(|| vec![None; *steps], |grid| grid.into_iter().map(Some).collect())
            }
        };
        for (i, time) in wanted.into_iter().enumerate() {
            rows.push(&row(time, step_after(i)));
        }
        Ok(())
    }

    /// The mean of the target's values, the same however the rows arrived.
    fn mean(&self, raw: &RawSeries<'_>) -> Option<f64> {
        let column = raw.columns.get(self.target).or_else(|| raw.columns.first())?;
        let mut values: Vec<f64> = column.iter().copied().filter(|v| v.is_finite()).collect();
        if values.is_empty() {
            return None;
        }
        values.sort_by(f64::total_cmp);
        #[expect(clippy::cast_precision_loss, reason = "a count of observations is far below 2^53")]
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        Some(mean)
    }
}

impl Drop for ForecastRunner {
    fn drop(&mut self) {
        if self.fallbacks > 0 {
            log::info!("{} series could not be modelled", self.fallbacks);
        }
    }
}

#[derive(Debug)]
struct Forecasted {
    forecast: TimedForecast,
    train: Option<(Vec<Timestamp>, merlion::models::InSample)>,
    /// The fitted model, if anybody wants to know.
    state: Value,
}

impl Forecasted {
    fn append(&self, model: &str, mut details: Option<&str>, rows: &mut ForecastRows) {
        let row = ForecastRow { model, status: STATUS_OK, ..Default::default() };
        let finite = |v: f64| Some(v).filter(|v| v.is_finite());
        if let Some((times, in_sample)) = &self.train {
            for (i, time) in times.iter().enumerate() {
                rows.push(&ForecastRow {
                    ds: Some(*time),
                    yhat: finite(in_sample.mean[i]),
                    stderr: in_sample.stderr.as_ref().and_then(|s| finite(s[i])),
                    step: step_of_training(i, times.len()),
                    details: details.take(),
                    ..row.clone()
                });
            }
        }
        let forecast = &self.forecast.forecast;
        let mut intervals = Vec::with_capacity(forecast.intervals.len());
        for (i, time) in self.forecast.times.iter().enumerate() {
            intervals.clear();
            intervals.extend(forecast.intervals.iter().map(|v| (v.level, v.lower[i], v.upper[i])));
            rows.push(&ForecastRow {
                ds: Some(*time),
                yhat: finite(forecast.mean[i]),
                stderr: forecast.stderr.as_ref().and_then(|s| finite(s[i])),
                intervals: &intervals,
                step: step_after(i),
                details: details.take(),
                ..row.clone()
            });
        }
    }
}

/// A fitted model without its lists as long as the series: those are the series again, fitted.
fn without_series(state: Value, points: usize) -> Value {
    let kept = |value: &Value| value.as_array().is_none_or(|list| list.len() < points);
    match state {
        Value::Object(map) => {
            map.into_iter().filter(|(_, v)| kept(v)).map(|(k, v)| (k, without_series(v, points))).collect()
        }
        other => other,
    }
}

fn step_after(i: usize) -> i32 {
    i32::try_from(i + 1).unwrap_or(i32::MAX)
}

fn step_of_training(i: usize, len: usize) -> i32 {
    i32::try_from(i).unwrap_or(0) + 1 - i32::try_from(len).unwrap_or(0)
}

fn sorted_times(times: &[i64]) -> Vec<Timestamp> {
    let mut known: Vec<Timestamp> = times.iter().copied().map(Timestamp::from_nanos).collect();
    known.sort_unstable();
    known.dedup();
    known
}

/// What stands for the key when the query gives none: the rows themselves, in an order of their own.
fn content_bytes(raw: &RawSeries<'_>) -> Vec<u8> {
    let mut rows: Vec<(i64, Vec<u64>)> =
        raw.times.iter().enumerate().map(|(i, t)| (*t, raw.columns.iter().map(|c| c[i].to_bits()).collect())).collect();
    rows.sort_unstable();
    rows.iter()
        .flat_map(|(t, bits)| t.to_le_bytes().into_iter().chain(bits.iter().flat_map(|b| b.to_le_bytes())))
        .collect()
}
