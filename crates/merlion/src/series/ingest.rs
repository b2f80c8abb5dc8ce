//! From rows as they come to a series: sorted by time, one value per time, missing values dropped. Nothing here depends on the
//! order of arrival unless a policy says so, because rows that went through a shuffle arrive in any order.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{SeriesError, TimeSeries, Univariate};
use crate::time::Timestamp;

/// Which value counts when several rows have the same time. Missing values count only where there is no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DuplicatePolicy {
    /// Their mean, summed from the smallest value to the largest, so that the order of rows cannot change the last bit.
    #[default]
    Mean,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The first to arrive, missing or not, as Merlion does; the result depends on the order of rows.
    First,
    /// The last to arrive, missing or not; the result depends on the order of rows.
    Last,
}

/// What happens to missing values (NaN).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NanPolicy {
    /// Each of several columns drops its own, a single column keeps them: Merlion's behaviour.
    #[default]
    KeepInSingleColumn,
    /// Every column drops its own.
    Drop,
    /// Every column keeps them.
    Keep,
}

/// How rows become a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeriesOptions {
    /// What happens to rows of the same time.
    pub duplicates: DuplicatePolicy,
    /// What happens to missing values.
    pub missing: NanPolicy,
}

pub(super) fn ingest(
    mut times: Vec<Timestamp>,
    mut columns: Vec<(String, Vec<f64>)>,
    options: SeriesOptions,
) -> Result<TimeSeries, SeriesError> {
    for (name, values) in &columns {
        if values.len() != times.len() {
            return Err(SeriesError::LengthMismatch { column: name.clone(), expected: times.len(), got: values.len() });
        }
    }
    if !times.is_sorted() {
        sort(&mut times, &mut columns);
    }
    if times.windows(2).any(|pair| pair[0] == pair[1]) {
        for (_, values) in &mut columns {
            *values = merge_duplicates(&times, values, options.duplicates);
        }
        times.dedup();
    }
    let drop = match options.missing {
        NanPolicy::KeepInSingleColumn => columns.len() > 1,
        NanPolicy::Drop => true,
        NanPolicy::Keep => false,
    };
    let times = Arc::new(times);
    let univariate = |(name, values): (String, Vec<f64>)| {
        let name = name.into();
        if drop && values.iter().any(|value| value.is_nan()) {
            let kept = times.iter().zip(&values).filter(|(_, value)| !value.is_nan());
            let (times, values): (Vec<Timestamp>, Vec<f64>) = kept.map(|(t, value)| (*t, *value)).unzip();
            Univariate { name, times: Arc::new(times), values: Arc::new(values) }
        } else {
            Univariate { name, times: Arc::clone(&times), values: Arc::new(values) }
        }
    };
    TimeSeries::from_univariates(columns.into_iter().map(univariate).collect())
}

/// Sorts rows by time; rows of one time stay in order of arrival.
fn sort(times: &mut Vec<Timestamp>, columns: &mut [(String, Vec<f64>)]) {
    let mut order: Vec<usize> = (0..times.len()).collect();
    order.sort_by_key(|&row| times[row]);
    *times = order.iter().map(|&row| times[row]).collect();
    for (_, values) in columns {
        *values = order.iter().map(|&row| values[row]).collect();
    }
}

/// One value for each run of equal `times`.
fn merge_duplicates(times: &[Timestamp], values: &[f64], policy: DuplicatePolicy) -> Vec<f64> {
    let mut merged = Vec::with_capacity(values.len());
    let mut rest = values;
    let mut sorted = Vec::new();
    for run in times.chunk_by(|a, b| a == b) {
        let (group, later) = rest.split_at(run.len());
        rest = later;
        merged.push(match (group, policy) {
            ([single], _) => *single,
            ([first, ..], DuplicatePolicy::First) => *first,
            (_, DuplicatePolicy::Last) => group[group.len() - 1],
            _ => {
                sorted.clear();
                sorted.extend(group.iter().copied().filter(|value| !value.is_nan()));
                sorted.sort_unstable_by(f64::total_cmp);
                match (sorted.as_slice(), policy) {
                    ([], _) => f64::NAN,
                    ([least, ..], DuplicatePolicy::Min) => *least,
                    ([.., most], DuplicatePolicy::Max) => *most,
                    (sorted, _) => mean(sorted),
                }
            }
        });
    }
    merged
}

/// The mean of sorted values; of equal values it is exactly that value, whatever rounding a sum would bring.
#[expect(clippy::cast_precision_loss, reason = "there are fewer rows than 2^52")]
fn mean(sorted: &[f64]) -> f64 {
    if sorted.first() == sorted.last() {
        return sorted[0];
    }
    sorted.iter().sum::<f64>() / sorted.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::{Lcg, seconds};

    fn build(times: &[i64], columns: &[&[f64]], duplicates: DuplicatePolicy, missing: NanPolicy) -> TimeSeries {
        let columns = columns.iter().enumerate().map(|(k, values)| (k.to_string(), values.to_vec())).collect();
        TimeSeries::from_columns_with(seconds(times), columns, SeriesOptions { duplicates, missing }).unwrap()
    }

    #[test]
    fn rows_of_one_time_become_one_value() {
        for (policy, expected) in [
            (DuplicatePolicy::Mean, [10.0, 4.0]),
            (DuplicatePolicy::Min, [10.0, 1.0]),
            (DuplicatePolicy::Max, [10.0, 7.0]),
            (DuplicatePolicy::First, [10.0, 7.0]),
            (DuplicatePolicy::Last, [10.0, 4.0]),
        ] {
            let series = build(&[2, 1, 2, 2], &[&[7.0, 10.0, 1.0, 4.0]], policy, NanPolicy::Keep);
            assert_eq!(series.univariates()[0].values(), expected, "{policy:?}");
            assert_eq!(series.times().as_ref(), seconds(&[1, 2]), "{policy:?}");
        }
    }

    #[test]
    fn the_order_of_arrival_does_not_change_a_bit() {
        let mut random = Lcg::new(5);
        for _ in 0..200 {
            let rows: Vec<(i64, f64)> =
                (0..40).map(|_| (random.below(8), random.unit() * 10f64.powi(random.below(20) as i32))).collect();
            let mut shuffled = rows.clone();
            for last in (1..shuffled.len()).rev() {
                shuffled.swap(last, random.below(last as i64 + 1) as usize);
            }
            let series = |rows: &[(i64, f64)]| {
                let (times, values): (Vec<i64>, Vec<f64>) = rows.iter().copied().unzip();
                build(&times, &[&values], DuplicatePolicy::Mean, NanPolicy::Keep)
            };
            assert_eq!(series(&rows), series(&shuffled), "rows {rows:?}");
        }
    }

    #[test]
    fn missing_values_leave_their_column_only() {
        let nan = f64::NAN;
        let series =
            build(&[1, 2, 3], &[&[1.0, nan, 3.0], &[4.0, 5.0, 6.0]], DuplicatePolicy::Mean, NanPolicy::default());
        assert_eq!(series.univariates()[0].times(), seconds(&[1, 3]));
        assert_eq!(series.univariates()[1].values(), [4.0, 5.0, 6.0]);
    }

    #[test]
    fn a_single_column_keeps_missing_values_unless_told_to_drop_them() {
        let single: &[&[f64]] = &[&[1.0, f64::NAN, 3.0]];
        assert_eq!(build(&[1, 2, 3], single, DuplicatePolicy::Mean, NanPolicy::default()).len(), 3);
        assert_eq!(build(&[1, 2, 3], single, DuplicatePolicy::Mean, NanPolicy::Drop).len(), 2);
    }

    #[test]
    fn a_missing_duplicate_gives_way_to_a_value() {
        let series =
            build(&[1, 1, 2, 2], &[&[f64::NAN, 3.0, f64::NAN, f64::NAN]], DuplicatePolicy::Mean, NanPolicy::Keep);
        let values = series.univariates()[0].values();
        assert!(values[0] == 3.0 && values[1].is_nan(), "got {values:?}");
    }

    #[test]
    fn rows_in_order_are_taken_without_a_copy() {
        let values = vec![1.0, 2.0, 3.0];
        let address = values.as_ptr();
        let series = TimeSeries::from_columns(seconds(&[1, 2, 3]), vec![("y".to_owned(), values)]).unwrap();
        assert_eq!(series.univariates()[0].values().as_ptr(), address);
    }

    #[test]
    fn columns_of_the_wrong_length_or_name_are_refused() {
        let error = |columns: &[(&str, usize)]| {
            let columns = columns.iter().map(|(name, n)| ((*name).to_owned(), vec![0.0; *n])).collect();
            TimeSeries::from_columns(seconds(&[1, 2]), columns).unwrap_err().to_string()
        };
        assert_eq!(error(&[("y", 3)]), "y: 3 values for 2 times");
        assert_eq!(error(&[("y", 2), ("y", 2)]), "two columns are called 'y'");
    }
}
