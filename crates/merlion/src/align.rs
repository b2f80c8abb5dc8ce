//! Bringing the columns of a series to common times: by joining them, by reading them at given times, or by resampling them to a
//! grid (`resample`). How values between observations come about is `fill`'s business.

mod fill;
mod resample;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::series::{SeriesError, TimeSeries, Univariate};
use crate::time::{Granularity, Offset, Timestamp};

/// Which times an aligned series has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlignPolicy {
    /// Every time of any column.
    OuterJoin,
    /// The times all columns have.
    InnerJoin,
    /// Times that are given.
    FixedReference,
    /// A regular grid.
    FixedGranularity,
}

/// What becomes of several observations in one bin of a grid. Missing values are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum AggregationPolicy {
    /// Their mean.
    #[default]
    Mean,
    /// Their sum, which is 0 where there is none.
    Sum,
    /// Their median.
    Median,
    /// The first in time.
    First,
    /// The last in time.
    Last,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}

/// The value at a time without an observation. Whatever a policy leaves open at the ends takes the nearest value there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum MissingValuePolicy {
    /// The observation before.
    FFill,
    /// The observation after.
    BFill,
    /// The nearer of the two, the earlier one if both are as near.
    Nearest,
    /// On the line between the two, in time.
    #[default]
    Interpolate,
    /// Zero.
    ZFill,
}

/// How to align. `reference` counts before `granularity`, and both before `alignment_policy`.
#[derive(Debug, Clone, PartialEq)]
pub struct AlignOptions {
    /// Times at which every column is read.
    pub reference: Option<Vec<Timestamp>>,
    /// The step of the grid to which the series is resampled.
    pub granularity: Option<Offset>,
    /// A point of that grid if its step is fixed; if absent, the last observation is one.
    pub origin: Option<Timestamp>,
    /// Whether the grid of a calendar step is the calendar's (first days of months, Fridays); by default it is moved so that the last
    /// observation is on it.
    pub on_calendar: bool,
    /// Whether times are left out at which some column has not begun or has ended.
    pub remove_non_overlapping: bool,
    /// Which times the result has; an outer join if absent.
    pub alignment_policy: Option<AlignPolicy>,
    /// What becomes of several observations in one bin.
    pub aggregation_policy: AggregationPolicy,
    /// The value where there is no observation.
    pub missing_value_policy: MissingValuePolicy,
}

impl Default for AlignOptions {
    fn default() -> Self {
        Self {
            reference: None,
            granularity: None,
            origin: None,
            on_calendar: false,
            remove_non_overlapping: true,
            alignment_policy: None,
            aggregation_policy: AggregationPolicy::default(),
            missing_value_policy: MissingValuePolicy::default(),
        }
    }
}

/// Aligns a series. An empty one is returned as it is.
///
/// # Errors
/// [`SeriesError::NoReference`] and [`SeriesError::NoCommonTimes`] for policies that cannot be followed;
/// [`SeriesError::Time`] when a grid cannot be inferred, has too many points or leaves the range of time stamps.
pub fn align(series: &TimeSeries, options: &AlignOptions) -> Result<TimeSeries, SeriesError> {
    if series.is_empty() {
        return Ok(series.clone());
    }
    let policy = match (&options.reference, &options.granularity, options.alignment_policy) {
        (Some(_), ..) => AlignPolicy::FixedReference,
        (None, Some(_), _) => AlignPolicy::FixedGranularity,
        (None, None, policy) => policy.unwrap_or(AlignPolicy::OuterJoin),
    };
    match policy {
        AlignPolicy::FixedReference => {
            let reference = options.reference.as_deref().ok_or(SeriesError::NoReference)?;
            at_times(series, reference, options.missing_value_policy)
        }
        AlignPolicy::FixedGranularity => match &options.granularity {
            Some(step) => resample::resample(series, step, options),
            None => resample::resample(series, &Granularity::infer(&series.times())?.step, options),
        },
        AlignPolicy::OuterJoin => outer_join(series, options),
        AlignPolicy::InnerJoin => inner_join(series),
    }
}

/// The times and columns of a series, ready for a model: an outer join with interpolation, which also fills missing values.
///
/// # Errors
/// As [`align`].
pub fn to_columns(series: &TimeSeries) -> Result<(Vec<Timestamp>, Vec<Vec<f64>>), SeriesError> {
    let aligned = outer_join(series, &AlignOptions::default())?;
    let columns = aligned.univariates().iter().map(|column| column.values().to_vec()).collect();
    Ok((aligned.times().into_owned(), columns))
}

/// The values at `at` of the line through `values` at `times` (increasing), level beyond the first and last. NaN when there is no
/// value at all.
#[must_use]
pub fn interpolate_at(times: &[Timestamp], values: &[f64], at: &[Timestamp]) -> Vec<f64> {
    let known = fill::known(times.iter().map(|t| t.nanos()).zip(values.iter().copied()));
    fill::evaluate(MissingValuePolicy::Interpolate, &known, at.iter().map(|t| t.nanos()))
}

/// Whether no value is missing.
fn is_complete(column: &Univariate) -> bool {
    !column.values().iter().any(|value| value.is_nan())
}

/// One column read at `times`.
fn read(column: &Univariate, times: &[Timestamp], policy: MissingValuePolicy) -> Vec<f64> {
    if column.times() == times && is_complete(column) {
        return column.values().to_vec();
    }
    let known = fill::known(column.iter().map(|(t, value)| (t.nanos(), value)));
    fill::evaluate(policy, &known, times.iter().map(|t| t.nanos()))
}

fn at_times(series: &TimeSeries, times: &[Timestamp], policy: MissingValuePolicy) -> Result<TimeSeries, SeriesError> {
    let columns = series.univariates().iter().map(|column| (column.name().to_owned(), read(column, times, policy)));
    TimeSeries::from_columns_with(
        times.to_vec(),
        columns.collect(),
        crate::series::SeriesOptions { missing: crate::series::NanPolicy::Keep, ..Default::default() },
    )
}

fn outer_join(series: &TimeSeries, options: &AlignOptions) -> Result<TimeSeries, SeriesError> {
    if series.is_aligned() && series.univariates().iter().all(is_complete) {
        return Ok(series.clone());
    }
    let times = series.times();
    let times = match (options.remove_non_overlapping, series.overlap()) {
        (true, Some((t0, tf))) => {
            let first = times.partition_point(|t| *t < t0);
            &times[first..times.partition_point(|t| *t <= tf)]
        }
        (true, None) => &[],
        (false, _) => &times,
    };
    at_times(series, times, options.missing_value_policy)
}

fn inner_join(series: &TimeSeries) -> Result<TimeSeries, SeriesError> {
    let [first, rest @ ..] = series.univariates() else { return Ok(series.clone()) };
    let everywhere = |t: &Timestamp| rest.iter().all(|column| column.times().binary_search(t).is_ok());
    let times: Vec<Timestamp> = first.times().iter().copied().filter(everywhere).collect();
    if times.is_empty() {
        return Err(SeriesError::NoCommonTimes);
    }
    let values = |column: &Univariate| {
        column.iter().filter(|(t, _)| times.binary_search(t).is_ok()).map(|(_, value)| value).collect()
    };
    let columns = series.univariates().iter().map(|column| (Arc::from(column.name()), values(column))).collect();
    Ok(TimeSeries::aligned(times, columns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::seconds;

    fn ragged() -> TimeSeries {
        let column =
            |name, times: &[i64], values: &[f64]| Univariate::new(name, seconds(times), values.to_vec()).unwrap();
        let columns = vec![column("a", &[0, 10, 30], &[0., 10., 30.]), column("b", &[5, 10, 25], &[50., 100., 70.])];
        TimeSeries::from_univariates(columns).unwrap()
    }

    fn values(series: &TimeSeries) -> Vec<&[f64]> {
        series.univariates().iter().map(Univariate::values).collect()
    }

    #[test]
    fn an_outer_join_interpolates_within_the_common_span() {
        let joined = align(&ragged(), &AlignOptions::default()).unwrap();
        assert_eq!(joined.times().as_ref(), seconds(&[5, 10, 25]));
        assert_eq!(values(&joined), [[5., 10., 25.], [50., 100., 70.]]);
        let whole = AlignOptions { remove_non_overlapping: false, ..Default::default() };
        let joined = align(&ragged(), &whole).unwrap();
        assert_eq!(joined.times().as_ref(), seconds(&[0, 5, 10, 25, 30]));
        assert_eq!(values(&joined), [[0., 5., 10., 25., 30.], [50., 50., 100., 70., 70.]]);
    }

    #[test]
    fn an_inner_join_keeps_the_common_times_and_refuses_to_keep_none() {
        let inner = AlignOptions { alignment_policy: Some(AlignPolicy::InnerJoin), ..Default::default() };
        let joined = align(&ragged(), &inner).unwrap();
        assert_eq!((joined.times().as_ref(), values(&joined)), (&seconds(&[10])[..], vec![&[10.][..], &[100.][..]]));
        let apart = ragged().bisect(seconds(&[6])[0], false).0;
        assert_eq!(align(&apart, &inner), Err(SeriesError::NoCommonTimes));
    }

    #[test]
    fn reference_times_are_read_with_every_policy() {
        for (policy, expected) in [
            (MissingValuePolicy::Interpolate, [0., 5., 15., 30.]),
            (MissingValuePolicy::FFill, [0., 0., 10., 30.]),
            (MissingValuePolicy::BFill, [0., 10., 30., 30.]),
            (MissingValuePolicy::Nearest, [0., 0., 10., 30.]),
            (MissingValuePolicy::ZFill, [0., 0., 0., 0.]),
        ] {
            let reference = Some(seconds(&[-5, 5, 15, 35]));
            let options = AlignOptions { reference, missing_value_policy: policy, ..Default::default() };
            let read = align(&ragged().column(0).unwrap(), &options).unwrap();
            assert_eq!(values(&read)[0], expected, "{policy:?}");
        }
        let none = AlignOptions { alignment_policy: Some(AlignPolicy::FixedReference), ..Default::default() };
        assert_eq!(align(&ragged(), &none), Err(SeriesError::NoReference));
    }

    #[test]
    fn an_aligned_complete_series_is_handed_through_without_a_copy() {
        let series = ragged().column(0).unwrap();
        let joined = align(&series, &AlignOptions::default()).unwrap();
        assert_eq!(joined.univariates()[0].values().as_ptr(), series.univariates()[0].values().as_ptr());
    }

    #[test]
    fn interpolation_is_level_beyond_the_ends_and_skips_missing_values() {
        let times = seconds(&[0, 10, 20]);
        assert_eq!(interpolate_at(&times, &[1., f64::NAN, 3.], &seconds(&[30, -1, 10, 0])), [3., 1., 2., 1.]);
        assert!(interpolate_at(&[], &[], &times).iter().all(|value| value.is_nan()));
    }

    #[test]
    fn columns_for_a_model_have_no_missing_values() {
        let columns = vec![("y".to_owned(), vec![1., f64::NAN, 3.])];
        let series = TimeSeries::from_columns(seconds(&[0, 10, 20]), columns).unwrap();
        assert_eq!(to_columns(&series), Ok((seconds(&[0, 10, 20]), vec![vec![1., 2., 3.]])));
    }

    #[test]
    fn an_empty_series_stays_as_it_is() {
        let empty = ragged().window(seconds(&[90])[0], seconds(&[91])[0], true);
        let grid = AlignOptions { granularity: Some(Offset::Fixed(1)), ..Default::default() };
        assert_eq!(align(&empty, &grid), Ok(empty));
    }
}
