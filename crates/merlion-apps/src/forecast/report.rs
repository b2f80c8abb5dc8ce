//! The page of `--report`: totals, what failed, and charts of a few series.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{SecondsFormat, Utc};
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, TimeUnit, TimestampNanosecondType};
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt;
use merlion::hierarchy::AGGREGATED;
use merlion::math::exact_sum::ExactSum;
use merlion::math::normal;
use merlion_io::chunk::{Key, compare_keys};
use merlion_io::dataset::Dataset;
use merlion_io::write::ShownSeries;
use merlion_report::{Failure, ForecastReport as Page, Interval, KeyColumn, ModelCount, Outcome, SeriesPanel, Totals};
use merlion_udf::{STATUS_FALLBACK, STATUS_OK};

use super::{ForecastJob, ForecastReport};

/// Series that are drawn, beside some that failed.
const CHOSEN: usize = 12;

/// Most panels on a page.
const MOST_PANELS: usize = 24;

/// Intervals that are drawn when the user asked for none.
const LEVELS: [f64; 2] = [80.0, 95.0];

/// The series to draw: all of a few, or some of the sample, evenly spread over the keys; and the larger sums, if there are sums.
pub(super) fn chosen(mut sample: Vec<Key>, with_sums: bool) -> Vec<Key> {
    sample.sort_by(|a, b| compare_keys(a, b));
    sample.dedup();
    let mut chosen = Vec::new();
    if with_sums && let Some(width) = sample.first().map(Vec::len) {
        let sum = |depth: usize, leaf: &Key| -> Key {
            (0..width).map(|i| if i < depth { leaf[i].clone() } else { Some(AGGREGATED.to_owned()) }).collect()
        };
        chosen.push(sum(0, &sample[0]));
        if width > 1 {
            chosen.extend(sample.iter().map(|leaf| sum(1, leaf)));
            chosen.dedup();
            chosen.truncate(CHOSEN / 2);
        }
    }
    let leaves = CHOSEN - chosen.len();
    let step = sample.len().div_ceil(leaves).max(1);
    chosen.extend(sample.into_iter().step_by(step));
    chosen
}

/// What was observed of some series, by key and time. Of a time with several values it is their sum for sums, else the last.
type History = HashMap<Key, BTreeMap<i64, ExactSum>>;

/// Reads the observations of these series from the table: index columns, time, then data with the target at `target`.
async fn history(
    scan: Arc<dyn ExecutionPlan>,
    context: &Arc<TaskContext>,
    keys: &[Key],
    target: usize,
) -> Result<History> {
    let mut history: History = keys.iter().map(|key| (key.clone(), BTreeMap::new())).collect();
    let width = keys.first().map_or(0, Vec::len);
    let sums = keys.iter().any(|key| key.iter().flatten().any(|part| part == AGGREGATED));
    for partition in 0..scan.properties().output_partitioning().partition_count() {
        let mut batches = scan.execute(partition, Arc::clone(context))?;
        while let Some(batch) = batches.next().await {
            add(&mut history, &batch?, width, target, sums)?;
        }
    }
    Ok(history)
}

fn add(history: &mut History, batch: &RecordBatch, width: usize, target: usize, sums: bool) -> Result<()> {
    let keys: Vec<_> = batch.columns()[..width].iter().map(|column| column.as_string::<i32>()).collect();
    let times = cast(batch.column(width), &DataType::Timestamp(TimeUnit::Nanosecond, None))?;
    let times = times.as_primitive::<TimestampNanosecondType>();
    let values = cast(batch.column(width + 1 + target), &DataType::Float64)?;
    let values = values.as_primitive::<Float64Type>();
    for row in (0..batch.num_rows()).filter(|&row| times.is_valid(row) && values.is_valid(row)) {
        let leaf: Key = keys.iter().map(|column| column.is_valid(row).then(|| column.value(row).to_owned())).collect();
        if let Some(series) = history.get_mut(&leaf) {
            series.insert(times.value(row), ExactSum::from_iter([values.value(row)]));
        }
        for depth in 0..if sums { width } else { 0 } {
            let mut key = leaf.clone();
            key[depth..].fill(Some(AGGREGATED.to_owned()));
            if let Some(series) = history.get_mut(&key) {
                series.entry(times.value(row)).or_default().add(values.value(row));
            }
        }
    }
    Ok(())
}

/// The page, as HTML.
pub(super) async fn render(
    job: &ForecastJob,
    dataset: &Dataset,
    visible: &[String],
    report: &ForecastReport,
    context: &Arc<TaskContext>,
) -> Result<String> {
    let committed = &report.committed;
    let mut shown = committed.shown.clone();
    shown.sort_by(|a, b| compare_keys(&a.key, &b.key));
    // What failed is what the reader looks for first, then the whole, then its parts.
    let aggregated = |series: &ShownSeries| series.key.iter().flatten().filter(|part| *part == AGGREGATED).count();
    shown.sort_by_key(|series| (series.error.is_none(), std::cmp::Reverse(aggregated(series))));
    shown.truncate(MOST_PANELS);
    let keys: Vec<Key> = shown.iter().map(|series| series.key.clone()).collect();
    let target = visible.iter().position(|column| *column == job.target_col).unwrap_or(0);
    let mut history = history(dataset.scan(1)?, context, &keys, target).await?;
    let series =
        shown.iter().map(|series| panel(job, series, history.remove(&series.key).unwrap_or_default())).collect();

    let skipped = (report.series_in + committed.sums).saturating_sub(committed.series);
    let failures: Vec<Failure> = committed
        .notes
        .iter()
        .map(|note| Failure {
            key: note.series.clone(),
            error: note.message.clone(),
            is_skipped: note.status != STATUS_FALLBACK,
        })
        .collect();
    let page = Page {
        title: format!("Forecast of {}", job.target_col),
        created: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
        command: job.command.clone(),
        totals: Totals {
            series_in: report.series_in,
            series_in_is_estimated: !report.series_counted,
            series_out: committed.series,
            fallbacks: report.fallbacks(),
            skipped: if report.series_counted { skipped } else { 0 },
            rows: committed.rows,
            seconds: report.elapsed.as_secs_f64(),
        },
        models: committed
            .models
            .iter()
            .map(|(name, series)| ModelCount { name: name.clone(), series: *series })
            .collect(),
        failures_omitted: report.fallbacks().saturating_sub(failures.len() as u64),
        failures,
        series,
    };
    Ok(page.render())
}

fn panel(job: &ForecastJob, series: &ShownSeries, history: BTreeMap<i64, ExactSum>) -> SeriesPanel {
    let column = |at: usize| series.values.get(at).cloned().unwrap_or_default();
    let points = |values: &[Option<f64>]| -> Vec<(i64, f64)> {
        series.times.iter().copied().zip(values.iter().map(|value| value.unwrap_or(f64::NAN))).collect()
    };
    let plain =
        |values: Vec<Option<f64>>| values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect::<Vec<_>>();
    let (mean, error) = (column(0), column(1));
    let mut intervals: Vec<Interval> = job
        .level
        .iter()
        .enumerate()
        .map(|(at, level)| Interval {
            level: level / 100.0,
            lower: plain(column(2 + 2 * at)),
            upper: plain(column(3 + 2 * at)),
        })
        .collect();
    if intervals.is_empty() && error.iter().any(Option::is_some) {
        intervals = LEVELS
            .iter()
            .map(|level| {
                let width = normal::quantile(0.5 + level / 200.0);
                let bound = |sign: f64| {
                    let at = |(mean, error): (&Option<f64>, &Option<f64>)| {
                        mean.zip(*error).map(|(m, e)| m + sign * width * e)
                    };
                    plain(mean.iter().zip(&error).map(at).collect())
                };
                Interval { level: level / 100.0, lower: bound(-1.0), upper: bound(1.0) }
            })
            .collect();
    }
    let reason = series.error.clone().unwrap_or_default();
    SeriesPanel {
        key: job
            .index_cols
            .iter()
            .zip(&series.key)
            .map(|(column, value)| KeyColumn {
                column: column.clone(),
                value: match value.as_deref() {
                    None => "null".to_owned(),
                    Some(AGGREGATED) => "all".to_owned(),
                    Some(value) => value.to_owned(),
                },
            })
            .collect(),
        target: job.target_col.clone(),
        unit: None,
        model: series.model.clone(),
        outcome: match series.status.as_str() {
            STATUS_OK => Outcome::Modelled,
            STATUS_FALLBACK => Outcome::Fallback { reason },
            _ => Outcome::Skipped { reason },
        },
        history: history.into_iter().map(|(time, value)| (time, value.value())).collect(),
        forecast: points(&mean),
        intervals,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(parts: &[&str]) -> Key {
        parts.iter().map(|part| Some((*part).to_owned())).collect()
    }

    #[test]
    fn chosen_series_are_spread_over_the_keys() {
        let sample: Vec<Key> = (0..100).map(|n| key(&[&format!("{n:03}")])).collect();
        let chosen = chosen(sample, false);
        assert_eq!(chosen.len(), 12);
        assert_eq!((&chosen[0], &chosen[11]), (&key(&["000"]), &key(&["099"])));
    }

    #[test]
    fn the_total_and_some_levels_are_chosen_with_their_leaves() {
        let sample: Vec<Key> = (0..40).map(|n| key(&[&format!("{}", n % 4), &format!("{n:02}")])).collect();
        let chosen = chosen(sample, true);
        assert_eq!(chosen[0], key(&[AGGREGATED, AGGREGATED]));
        assert_eq!(chosen[1], key(&["0", AGGREGATED]));
        assert_eq!(chosen.len(), 12);
    }
}
