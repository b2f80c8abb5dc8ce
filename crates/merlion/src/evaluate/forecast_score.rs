//! Scores of forecasts that are series: truth and forecast are brought to common times, then measured.

use super::forecast_metrics::{self, ForecastMetric, MetricError};
use crate::align::{self, AlignOptions};
use crate::series::TimeSeries;
use crate::time::Timestamp;

/// A forecast beside what came true, at the same times.
///
/// ```
/// use merlion::evaluate::{ForecastMetric, ForecastScore};
/// use merlion::series::TimeSeries;
/// use merlion::time::Timestamp;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let series = |times: &[i64], values: &[f64]| {
///     let times = times.iter().map(|&t| Timestamp::from_nanos(t)).collect();
///     TimeSeries::from_columns(times, vec![("y".to_owned(), values.to_vec())])
/// };
/// let truth = series(&[0, 10, 20, 30], &[1.0, 2.0, 3.0, 4.0])?;
/// let forecast = series(&[10, 30], &[2.0, 6.0])?;
/// let score = ForecastScore::new(&truth, &forecast, None)?;
/// assert_eq!(score.value(ForecastMetric::Mae), Ok(1.0)); // errors of 0, 1 and 2 at 10, 20 and 30
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastScore {
    target: Option<usize>,
    times: Vec<Timestamp>,
    truth: Vec<f64>,
    forecast: Vec<f64>,
    bounds: Option<(Vec<f64>, Vec<f64>)>,
    insample: Option<Vec<f64>>,
    periodicity: usize,
}

impl ForecastScore {
    /// The true values in the span of the forecast, missing ones interpolated, and the forecast at their times, interpolated too.
    /// `target` says which column of the truth was forecast; it may be left out if there is one only.
    ///
    /// # Errors
    /// [`MetricError::Target`] for a column that does not exist, or is not chosen among several; [`MetricError::Series`].
    pub fn new(truth: &TimeSeries, forecast: &TimeSeries, target: Option<usize>) -> Result<Self, MetricError> {
        let (times, values) = match (forecast.t0(), forecast.tf()) {
            (Some(t0), Some(tf)) => {
                let truth = align::align(&truth.window(t0, tf, true), &AlignOptions::default())?;
                let truth = column(&truth, target)?;
                (truth.times().into_owned(), truth.univariates()[0].values().to_vec())
            }
            _ => (Vec::new(), Vec::new()),
        };
        let forecast = read(&column(forecast, None)?, &times);
        Ok(Self { target, times, truth: values, forecast, bounds: None, insample: None, periodicity: 1 })
    }

    /// With prediction intervals, which [`ForecastMetric::Msis`] needs. They too are read at the times of the truth.
    ///
    /// # Errors
    /// [`MetricError::Target`] for bounds that are not of one column.
    pub fn with_bounds(mut self, lower: &TimeSeries, upper: &TimeSeries) -> Result<Self, MetricError> {
        self.bounds = Some((read(&column(lower, None)?, &self.times), read(&column(upper, None)?, &self.times)));
        Ok(self)
    }

    /// With the data the model was trained on, and the number of steps in a season of theirs (1 for none), which
    /// [`ForecastMetric::Mase`] and [`ForecastMetric::Msis`] need.
    ///
    /// # Errors
    /// [`MetricError::Target`] for a column that does not exist, or is not chosen among several; [`MetricError::Series`].
    pub fn with_insample(mut self, insample: &TimeSeries, periodicity: usize) -> Result<Self, MetricError> {
        self.insample = Some(column(insample, self.target)?.univariates()[0].values().to_vec());
        self.periodicity = periodicity;
        Ok(self)
    }

    /// The times at which there are both.
    #[must_use]
    pub fn times(&self) -> &[Timestamp] {
        &self.times
    }

    /// The score.
    ///
    /// # Errors
    /// [`MetricError::Missing`] when the metric needs training data or bounds that were not given; otherwise as the functions of
    /// [`forecast_metrics`](super::forecast_metrics).
    pub fn value(&self, metric: ForecastMetric) -> Result<f64, MetricError> {
        let (truth, forecast) = (&self.truth, &self.forecast);
        let insample = || self.insample.as_deref().ok_or(MetricError::Missing { metric, what: "the training data" });
        match metric {
            ForecastMetric::Mae => forecast_metrics::mae(truth, forecast),
            ForecastMetric::Marre => forecast_metrics::marre(truth, forecast),
            ForecastMetric::Rmse => forecast_metrics::rmse(truth, forecast),
            ForecastMetric::Smape => forecast_metrics::smape(truth, forecast),
            ForecastMetric::Rmspe => forecast_metrics::rmspe(truth, forecast),
            ForecastMetric::Mase => forecast_metrics::mase(truth, forecast, insample()?, self.periodicity),
            ForecastMetric::Msis => {
                let missing = MetricError::Missing { metric, what: "lower and upper bounds" };
                let (lower, upper) = self.bounds.as_ref().ok_or(missing)?;
                forecast_metrics::msis(truth, lower, upper, insample()?, self.periodicity)
            }
        }
    }
}

/// The column of an index, which may be left out if there is one only.
fn column(series: &TimeSeries, index: Option<usize>) -> Result<TimeSeries, MetricError> {
    let chosen = match (series.dim(), index) {
        (1, None) => series.column(0),
        (_, Some(index)) => series.column(index),
        (_, None) => None,
    };
    chosen.ok_or(MetricError::Target { index, columns: series.dim() })
}

fn read(series: &TimeSeries, times: &[Timestamp]) -> Vec<f64> {
    let column = &series.univariates()[0];
    align::interpolate_at(column.times(), column.values(), times)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::seconds;

    fn series(times: &[i64], columns: &[&[f64]]) -> TimeSeries {
        let columns = columns.iter().enumerate().map(|(i, values)| (i.to_string(), values.to_vec())).collect();
        TimeSeries::from_columns(seconds(times), columns).unwrap()
    }

    #[test]
    fn only_the_span_of_the_forecast_counts() {
        let truth = series(&[0, 1, 2, 3, 4], &[&[9.0, 1.0, 2.0, 3.0, 9.0]]);
        let score = ForecastScore::new(&truth, &series(&[1, 3], &[&[1.0, 3.0]]), None).unwrap();
        assert_eq!(score.times(), seconds(&[1, 2, 3]));
        assert_eq!(score.value(ForecastMetric::Rmse), Ok(0.0));
    }

    #[test]
    fn the_target_is_chosen_among_several_columns() {
        let truth = series(&[0, 1], &[&[1.0, 2.0], &[10.0, 30.0]]);
        let forecast = series(&[0, 1], &[&[10.0, 29.0]]);
        let score = ForecastScore::new(&truth, &forecast, Some(1)).unwrap().with_insample(&truth, 1).unwrap();
        assert_eq!(score.value(ForecastMetric::Mae), Ok(0.5));
        assert!((score.value(ForecastMetric::Mase).unwrap() - 0.025).abs() < 1e-9);
        for (index, message) in
            [(None, "it is not said which of 2 columns to compare"), (Some(2), "there is no column 2 among 2")]
        {
            assert_eq!(ForecastScore::new(&truth, &forecast, index).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn what_a_metric_needs_is_asked_for() {
        let y = series(&[0, 1], &[&[1.0, 2.0]]);
        let score = ForecastScore::new(&y, &y, None).unwrap();
        assert_eq!(score.value(ForecastMetric::Mase).unwrap_err().to_string(), "MASE needs the training data");
        assert_eq!(score.value(ForecastMetric::Msis).unwrap_err().to_string(), "MSIS needs lower and upper bounds");
        let apart = ForecastScore::new(&y, &series(&[5, 6], &[&[1.0, 2.0]]), None).unwrap();
        assert_eq!(apart.value(ForecastMetric::Mae), Err(MetricError::Empty));
    }
}
