//! Features as numbers of bins: where the bounds between bins are, and which bin each value is in.
//!
//! Zero has a bin of its own, and the values below and above it are binned separately, as LightGBM does.

use crate::models::{FitContext, ModelError};

/// Bins of a feature, at most; LightGBM's `max_bin`.
const MAX_BINS: usize = 255;

/// Observations in a bin, at least, unless a single value has fewer; LightGBM's `min_data_in_bin`.
const MIN_IN_BIN: usize = 3;

/// Rows the bounds are found from, at most; LightGBM's `bin_construct_sample_cnt`.
const SAMPLE: usize = 200_000;

/// What is closer to zero than this is zero.
const ZERO: f64 = 1e-35;

/// One feature.
#[derive(Debug)]
pub(super) struct Column {
    /// Which of the given columns it is.
    pub(super) feature: usize,
    /// The bin of each row.
    pub(super) bins: Vec<u8>,
    /// The largest value of each bin; the last is infinite.
    pub(super) bounds: Vec<f64>,
    /// Where its bins begin in a histogram of all features.
    pub(super) offset: usize,
}

/// All features that can be split.
#[derive(Debug)]
pub(super) struct Binned {
    pub(super) columns: Vec<Column>,
    pub(super) rows: usize,
    /// Bins of all columns together.
    pub(super) bins: usize,
}

impl Binned {
    /// Bins columns of equal length. A column without a split that leaves `min_rows` on both sides is left out.
    pub(super) fn new(columns: &[&[f64]], min_rows: usize, context: &FitContext) -> Result<Self, ModelError> {
        let rows = columns.first().map_or(0, |column| column.len());
        let mut binned = Self { columns: Vec::new(), rows, bins: 0 };
        let mut sorted = Vec::with_capacity(rows.min(SAMPLE));
        for (feature, values) in columns.iter().enumerate() {
            context.check()?;
            sorted.clear();
            sorted.extend(values.iter().step_by(rows.div_ceil(SAMPLE).max(1)));
            sorted.sort_unstable_by(f64::total_cmp);
            let bounds = bounds(&sorted);
            if bounds.len() < 2 {
                continue;
            }
            let bins: Vec<u8> = values.iter().map(|v| bounds.partition_point(|bound| v > bound) as u8).collect();
            if !can_be_split(&bins, bounds.len(), min_rows) {
                continue;
            }
            let offset = binned.bins;
            binned.bins += bounds.len();
            binned.columns.push(Column { feature, bins, bounds, offset });
        }
        Ok(binned)
    }
}

fn can_be_split(bins: &[u8], count: usize, min_rows: usize) -> bool {
    let mut counts = vec![0; count];
    for &bin in bins {
        counts[usize::from(bin)] += 1;
    }
    let mut left = 0;
    counts[..count - 1].iter().any(|count| {
        left += count;
        left >= min_rows && bins.len() - left >= min_rows
    })
}

/// The upper bounds of the bins of these values.
fn bounds(sorted: &[f64]) -> Vec<f64> {
    let (values, counts) = distinct(sorted);
    let negative = values.partition_point(|v| *v <= -ZERO);
    let positive = values.partition_point(|v| *v <= ZERO);
    let total = |range: std::ops::Range<usize>| counts[range].iter().sum::<usize>();
    let (below, above) = (total(0..negative), total(positive..values.len()));
    let mut bounds = Vec::new();
    if negative > 0 {
        let share = below as f64 / (below + above) as f64 * (MAX_BINS - 1) as f64;
        bounds = greedy(&values[..negative], &counts[..negative], (share as usize).max(1), below);
        if let Some(last) = bounds.last_mut() {
            *last = -ZERO;
        }
    }
    let left = MAX_BINS - 1 - bounds.len();
    if positive < values.len() && left > 0 {
        bounds.push(ZERO);
        bounds.extend(greedy(&values[positive..], &counts[positive..], left, above));
    } else {
        bounds.push(f64::INFINITY);
    }
    bounds
}

/// Distinct values and how often they occur. Neighbouring numbers are one value, the larger; zero stands between values of
/// different signs whether it occurs or not.
fn distinct(sorted: &[f64]) -> (Vec<f64>, Vec<usize>) {
    let zeros = sorted.iter().filter(|v| v.abs() <= ZERO).count();
    let (mut values, mut counts) = (Vec::new(), Vec::new());
    let mut push = |value, count| {
        values.push(value);
        counts.push(count);
    };
    let mut others = sorted.iter().copied().filter(|v| v.abs() > ZERO);
    let Some(first) = others.next() else { return (vec![0.0], vec![zeros]) };
    if first > 0.0 && zeros > 0 {
        push(0.0, zeros);
    }
    let (mut last, mut count) = (first, 1);
    for value in others {
        if value <= last.next_up() {
            count += 1;
        } else {
            push(last, count);
            count = 1;
            if last < 0.0 && value > 0.0 {
                push(0.0, zeros);
            }
        }
        last = value;
    }
    push(last, count);
    if last < 0.0 && zeros > 0 {
        push(0.0, zeros);
    }
    (values, counts)
}

/// A bound between two values.
fn between(a: f64, b: f64) -> f64 {
    // The sum of two numbers near the largest would overflow.
    let middle = (a + b) / 2.0;
    if middle.is_finite() { middle.next_up() } else { (a / 2.0 + b / 2.0).next_up() }
}

fn push_bound(bounds: &mut Vec<f64>, bound: f64) -> bool {
    let new = bounds.last().is_none_or(|last| bound > last.next_up());
    if new {
        bounds.push(bound);
    }
    new
}

/// At most `max_bins` bins of about equally many of the `total` observations; a value that fills a bin alone has one.
fn greedy(values: &[f64], counts: &[usize], max_bins: usize, total: usize) -> Vec<f64> {
    let last = values.len() - 1;
    let mut bounds = Vec::new();
    let mut in_bin = 0;
    if values.len() <= max_bins {
        for i in 0..last {
            in_bin += counts[i];
            if in_bin >= MIN_IN_BIN && push_bound(&mut bounds, between(values[i], values[i + 1])) {
                in_bin = 0;
            }
        }
        bounds.push(f64::INFINITY);
        return bounds;
    }
    let max_bins = max_bins.min(total / MIN_IN_BIN).max(1);
    let fills = |count: usize| count as f64 >= total as f64 / max_bins as f64;
    let big: Vec<bool> = counts.iter().map(|count| fills(*count)).collect();
    let of_big = |of: fn(usize) -> usize| -> usize { counts.iter().filter(|c| fills(**c)).map(|c| of(*c)).sum() };
    // Bins and observations left for the values that fill none.
    let (mut bins, mut rest) = (max_bins as f64 - of_big(|_| 1) as f64, total - of_big(|count| count));
    let mut size = rest as f64 / bins;
    let mut ends = 0;
    for i in 0..last {
        if !big[i] {
            rest -= counts[i];
        }
        in_bin += counts[i];
        let full = big[i] || in_bin as f64 >= size || (big[i + 1] && in_bin as f64 >= (size * 0.5).max(1.0));
        if !full {
            continue;
        }
        push_bound(&mut bounds, between(values[i], values[i + 1]));
        ends += 1;
        if ends + 1 >= max_bins {
            break;
        }
        in_bin = 0;
        if !big[i] {
            bins -= 1.0;
            size = rest as f64 / bins;
        }
    }
    bounds.push(f64::INFINITY);
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mut values: Vec<f64>) -> Vec<f64> {
        values.sort_unstable_by(f64::total_cmp);
        bounds(&values)
    }

    #[test]
    fn few_values_have_bins_of_at_least_three() {
        let got = of(vec![1.0, 1.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        // Nothing is at zero, whose bin is the first all the same.
        assert_eq!(got, [ZERO, 1.5f64.next_up(), 4.5f64.next_up(), f64::INFINITY]);
    }

    #[test]
    fn zero_is_apart_from_both_signs() {
        let got = of((-6..=6).map(f64::from).collect());
        assert_eq!(got, [(-3.5f64).next_up(), -ZERO, ZERO, 3.5f64.next_up(), f64::INFINITY]);
        assert_eq!(of(vec![0.0; 9]), [f64::INFINITY]);
        assert_eq!(of(vec![-1.0, -1.0, -1.0, 0.0]), [-ZERO, f64::INFINITY]);
    }

    #[test]
    fn many_values_share_255_bins_evenly_and_a_frequent_one_has_its_own() {
        let mut values: Vec<f64> = (1..=10_000).map(f64::from).collect();
        values.extend([77.0; 500]);
        let bounds = of(values.clone());
        assert_eq!(bounds.len(), 255);
        let mut counts = vec![0; bounds.len()];
        for value in &values {
            counts[bounds.partition_point(|bound| value > bound)] += 1;
        }
        let alone = counts[bounds.partition_point(|bound| 77.0 > *bound)];
        assert_eq!(alone, 501, "{counts:?}");
        let (least, most) = (counts[3..254].iter().min(), counts[3..].iter().filter(|c| **c < 501).max());
        assert!(least >= Some(&38) && most <= Some(&41), "{counts:?}");
    }

    #[test]
    fn values_of_any_size_are_binned() {
        for values in [vec![1e300, 1.7e308, -1.7e308, 1.6e308, 1.0], vec![5e-324, 1e-300], vec![], vec![1.0]] {
            let bounds = of(values);
            assert!(bounds.is_sorted() && bounds.last() == Some(&f64::INFINITY), "{bounds:?}");
        }
    }
}
