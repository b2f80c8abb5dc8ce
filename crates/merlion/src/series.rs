//! A time series: named columns of numbers, each with its own times. Columns that share their times share them in memory, which
//! is the common case; building one from raw rows (order, duplicates, missing values) is `ingest`'s business, and bringing
//! columns to common times is [`align`](crate::align)'s.

mod derive;
mod error;
mod ingest;

use std::borrow::Cow;
use std::sync::Arc;

pub use error::SeriesError;
pub use ingest::{DuplicatePolicy, NanPolicy, SeriesOptions};

use crate::nearest::nearest;
use crate::time::{TimeError, Timestamp};

/// One named column with its times. Cloning shares the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Univariate {
    name: Arc<str>,
    times: Arc<Vec<Timestamp>>,
    values: Arc<Vec<f64>>,
}

impl Univariate {
    /// A column whose times strictly increase.
    ///
    /// # Errors
    /// [`SeriesError::LengthMismatch`]; [`TimeError::NotIncreasing`] with the first time stamp out of order.
    pub fn new(name: &str, times: Vec<Timestamp>, values: Vec<f64>) -> Result<Self, SeriesError> {
        Self::shared(name.into(), Arc::new(times), Arc::new(values))
    }

    fn shared(name: Arc<str>, times: Arc<Vec<Timestamp>>, values: Arc<Vec<f64>>) -> Result<Self, SeriesError> {
        if times.len() != values.len() {
            let (expected, got) = (times.len(), values.len());
            return Err(SeriesError::LengthMismatch { column: name.to_string(), expected, got });
        }
        if let Some(at) = times.windows(2).position(|pair| pair[1] <= pair[0]) {
            return Err(TimeError::NotIncreasing { position: at + 1, before: times[at], after: times[at + 1] }.into());
        }
        Ok(Self { name, times, values })
    }

    /// The column's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The times, strictly increasing.
    #[must_use]
    pub fn times(&self) -> &[Timestamp] {
        &self.times
    }

    /// The value at each of the times.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// How many observations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is no observation.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The observations, in time order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Timestamp, f64)> + '_ {
        self.times.iter().copied().zip(self.values.iter().copied())
    }
}

/// Named columns over time.
///
/// ```
/// use merlion::series::TimeSeries;
/// use merlion::time::Timestamp;
/// # fn main() -> Result<(), merlion::series::SeriesError> {
/// let times = [3, 1, 2].map(Timestamp::from_nanos).to_vec();
/// let series = TimeSeries::from_columns(times, vec![("sales".to_owned(), vec![30.0, 10.0, 20.0])])?;
/// assert_eq!(series.univariates()[0].values(), [10.0, 20.0, 30.0]);
/// assert_eq!(series.tf(), Some(Timestamp::from_nanos(3)));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimeSeries {
    columns: Vec<Univariate>,
}

impl TimeSeries {
    /// A series from rows as they come: sorted by time, one value per time ([`DuplicatePolicy::Mean`]), and missing values (NaN)
    /// dropped column by column when there are two columns or more ([`NanPolicy::KeepInSingleColumn`]). Rows that are in order and
    /// complete are not copied.
    ///
    /// # Errors
    /// [`SeriesError::LengthMismatch`], [`SeriesError::DuplicateColumn`].
    pub fn from_columns(times: Vec<Timestamp>, columns: Vec<(String, Vec<f64>)>) -> Result<Self, SeriesError> {
        ingest::ingest(times, columns, SeriesOptions::default())
    }

    /// [`TimeSeries::from_columns`] with other policies.
    ///
    /// # Errors
    /// [`SeriesError::LengthMismatch`], [`SeriesError::DuplicateColumn`].
    pub fn from_columns_with(
        times: Vec<Timestamp>,
        columns: Vec<(String, Vec<f64>)>,
        options: SeriesOptions,
    ) -> Result<Self, SeriesError> {
        ingest::ingest(times, columns, options)
    }

    /// A series of columns that may have different times.
    ///
    /// # Errors
    /// [`SeriesError::DuplicateColumn`].
    pub fn from_univariates(columns: Vec<Univariate>) -> Result<Self, SeriesError> {
        for (position, column) in columns.iter().enumerate() {
            if columns[..position].iter().any(|other| other.name == column.name) {
                return Err(SeriesError::DuplicateColumn { column: column.name.to_string() });
            }
        }
        Ok(Self { columns })
    }

    /// A series of columns that share `times`, which are known to increase strictly and to have the columns' length.
    pub(crate) fn aligned(times: Vec<Timestamp>, columns: Vec<(Arc<str>, Vec<f64>)>) -> Self {
        let times = Arc::new(times);
        let column = |(name, values)| Univariate { name, times: Arc::clone(&times), values: Arc::new(values) };
        Self { columns: columns.into_iter().map(column).collect() }
    }

    /// The columns.
    #[must_use]
    pub fn univariates(&self) -> &[Univariate] {
        &self.columns
    }

    /// The column of a name.
    ///
    /// # Errors
    /// [`SeriesError::NoSuchColumn`] with the nearest name.
    pub fn univariate(&self, name: &str) -> Result<&Univariate, SeriesError> {
        self.columns.iter().find(|column| column.name() == name).ok_or_else(|| SeriesError::NoSuchColumn {
            column: name.to_owned(),
            nearest: nearest(name, self.names()).map(str::to_owned),
        })
    }

    /// The columns' names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(Univariate::name)
    }

    /// How many columns there are.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.columns.len()
    }

    /// Whether all columns have the same times.
    #[must_use]
    pub fn is_aligned(&self) -> bool {
        let [first, rest @ ..] = self.columns.as_slice() else { return true };
        rest.iter().all(|column| Arc::ptr_eq(&first.times, &column.times) || first.times == column.times)
    }

    /// The times at which any column has an observation.
    #[must_use]
    pub fn times(&self) -> Cow<'_, [Timestamp]> {
        match self.columns.as_slice() {
            [] => Cow::Borrowed(&[]),
            [first, ..] if self.is_aligned() => Cow::Borrowed(first.times()),
            columns => {
                let mut times: Vec<Timestamp> =
                    columns.iter().flat_map(|column| column.times().iter().copied()).collect();
                times.sort_unstable();
                times.dedup();
                Cow::Owned(times)
            }
        }
    }

    /// How many times there are at which any column has an observation.
    #[must_use]
    pub fn len(&self) -> usize {
        self.times().len()
    }

    /// Whether no column has an observation.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.iter().all(Univariate::is_empty)
    }

    /// The first time at which any column has an observation.
    #[must_use]
    pub fn t0(&self) -> Option<Timestamp> {
        self.columns.iter().filter_map(|column| column.times().first()).min().copied()
    }

    /// The last time at which any column has an observation.
    #[must_use]
    pub fn tf(&self) -> Option<Timestamp> {
        self.columns.iter().filter_map(|column| column.times().last()).max().copied()
    }

    /// The span in which every column has begun and none has ended, or `None` if there is none.
    #[must_use]
    pub fn overlap(&self) -> Option<(Timestamp, Timestamp)> {
        let mut span: Option<(Timestamp, Timestamp)> = None;
        for column in &self.columns {
            let (&first, &last) = (column.times().first()?, column.times().last()?);
            span = Some(span.map_or((first, last), |(t0, tf)| (t0.max(first), tf.min(last))));
        }
        span.filter(|(t0, tf)| t0 <= tf)
    }

    /// What is before `t`, and what is from `t` on; an observation at `t` goes to the left side if `t_in_left`.
    #[must_use]
    pub fn bisect(&self, t: Timestamp, t_in_left: bool) -> (Self, Self) {
        let split = |times: &[Timestamp]| times.partition_point(|x| if t_in_left { *x <= t } else { *x < t });
        (self.slice(|times| 0..split(times)), self.slice(|times| split(times)..times.len()))
    }

    /// The observations from `t0` to `tf`, the latter included if `include_tf`.
    #[must_use]
    pub fn window(&self, t0: Timestamp, tf: Timestamp, include_tf: bool) -> Self {
        self.slice(|times| {
            let end = times.partition_point(|x| if include_tf { *x <= tf } else { *x < tf });
            times.partition_point(|x| *x < t0).min(end)..end
        })
    }

    /// The observations at the positions that `range` chooses from each column's times. Shared times stay shared, and a column
    /// that is kept whole is not copied.
    fn slice(&self, range: impl Fn(&[Timestamp]) -> std::ops::Range<usize>) -> Self {
        let mut columns: Vec<Univariate> = Vec::with_capacity(self.columns.len());
        for (position, column) in self.columns.iter().enumerate() {
            let chosen = range(&column.times);
            if chosen == (0..column.len()) {
                columns.push(column.clone());
                continue;
            }
            let before = position.checked_sub(1).filter(|&k| Arc::ptr_eq(&self.columns[k].times, &column.times));
            let times = match before {
                Some(k) => Arc::clone(&columns[k].times),
                None => Arc::new(column.times[chosen.clone()].to_vec()),
            };
            let values = Arc::new(column.values[chosen].to_vec());
            columns.push(Univariate { name: Arc::clone(&column.name), times, values });
        }
        Self { columns }
    }

    /// The series of one column, by its position.
    #[must_use]
    pub fn column(&self, index: usize) -> Option<Self> {
        Some(Self { columns: vec![self.columns.get(index)?.clone()] })
    }

    /// The series of some columns, by name and in that order.
    ///
    /// # Errors
    /// [`SeriesError::NoSuchColumn`] with the nearest name, [`SeriesError::DuplicateColumn`].
    pub fn select(&self, names: &[&str]) -> Result<Self, SeriesError> {
        Self::from_univariates(names.iter().map(|name| self.univariate(name).cloned()).collect::<Result<_, _>>()?)
    }

    /// The series with other column names.
    ///
    /// # Errors
    /// [`SeriesError::LengthMismatch`] unless there is one name per column, [`SeriesError::DuplicateColumn`].
    pub fn rename(&self, names: &[&str]) -> Result<Self, SeriesError> {
        if names.len() != self.dim() {
            let (expected, got) = (self.dim(), names.len());
            return Err(SeriesError::LengthMismatch { column: "column names".to_owned(), expected, got });
        }
        let renamed = self.columns.iter().zip(names);
        Self::from_univariates(
            renamed.map(|(column, name)| Univariate { name: (*name).into(), ..column.clone() }).collect(),
        )
    }

    /// This series followed in time by `later`, which has the same columns.
    ///
    /// # Errors
    /// [`SeriesError::DifferentColumns`]; [`TimeError::NotIncreasing`] when a column of `later` starts before this one ends.
    pub fn followed_by(&self, later: &Self) -> Result<Self, SeriesError> {
        if !self.names().eq(later.names()) {
            let list = |series: &Self| series.names().collect::<Vec<_>>().join(", ");
            return Err(SeriesError::DifferentColumns { left: list(self), right: list(later) });
        }
        if self.is_empty() || later.is_empty() {
            return Ok(if self.is_empty() { later.clone() } else { self.clone() });
        }
        let joined = |a: &[Timestamp], b: &[Timestamp]| -> Arc<Vec<Timestamp>> { Arc::new([a, b].concat()) };
        let shared = (self.is_aligned() && later.is_aligned()).then(|| joined(&self.times(), &later.times()));
        let columns = self.columns.iter().zip(&later.columns).map(|(a, b)| {
            let times = shared.as_ref().map_or_else(|| joined(a.times(), b.times()), Arc::clone);
            Univariate::shared(Arc::clone(&a.name), times, Arc::new([a.values(), b.values()].concat()))
        });
        Ok(Self { columns: columns.collect::<Result<_, _>>()? })
    }

    /// The columns of this series, then those of `other`.
    ///
    /// # Errors
    /// [`SeriesError::DuplicateColumn`].
    pub fn beside(&self, other: &Self) -> Result<Self, SeriesError> {
        Self::from_univariates(self.columns.iter().chain(&other.columns).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::seconds;

    fn column(name: &str, times: &[i64], values: &[f64]) -> Univariate {
        Univariate::new(name, seconds(times), values.to_vec()).unwrap()
    }

    fn ragged() -> TimeSeries {
        TimeSeries::from_univariates(vec![
            column("a", &[1, 3, 5], &[1., 3., 5.]),
            column("b", &[2, 3, 4], &[20., 30., 40.]),
        ])
        .unwrap()
    }

    fn aligned() -> TimeSeries {
        let columns = vec![("a".to_owned(), vec![1., 2., 3.]), ("b".to_owned(), vec![4., 5., 6.])];
        TimeSeries::from_columns(seconds(&[1, 2, 3]), columns).unwrap()
    }

    #[test]
    fn a_ragged_series_has_the_union_of_its_times() {
        let series = ragged();
        assert!(!series.is_aligned());
        assert_eq!(series.times().as_ref(), seconds(&[1, 2, 3, 4, 5]));
        assert_eq!((series.dim(), series.len()), (2, 5));
        assert_eq!(series.overlap(), Some((seconds(&[2])[0], seconds(&[4])[0])));
        assert_eq!((series.t0(), series.tf()), (Some(seconds(&[1])[0]), Some(seconds(&[5])[0])));
    }

    #[test]
    fn slices_of_an_aligned_series_still_share_their_times() {
        let (left, right) = aligned().bisect(seconds(&[2])[0], false);
        assert_eq!((left.len(), right.len()), (1, 2));
        assert!(Arc::ptr_eq(&right.columns[0].times, &right.columns[1].times));
        assert_eq!(right.univariates()[1].values(), [5., 6.]);
        let (left, right) = aligned().bisect(seconds(&[2])[0], true);
        assert_eq!((left.len(), right.len()), (2, 1));
    }

    #[test]
    fn a_window_takes_its_end_only_when_told_to() {
        let (t0, tf) = (seconds(&[2])[0], seconds(&[3])[0]);
        assert_eq!(ragged().window(t0, tf, true).times().as_ref(), seconds(&[2, 3]));
        assert_eq!(ragged().window(t0, tf, false).times().as_ref(), seconds(&[2]));
        assert!(ragged().window(tf, t0, true).is_empty(), "an upside-down window is empty");
    }

    #[test]
    fn series_join_in_both_directions() {
        let later =
            TimeSeries::from_columns(seconds(&[4]), vec![("a".into(), vec![7.]), ("b".into(), vec![8.])]).unwrap();
        let both = aligned().followed_by(&later).unwrap();
        assert!(Arc::ptr_eq(&both.columns[0].times, &both.columns[1].times));
        assert_eq!(both.univariates()[1].values(), [4., 5., 6., 8.]);
        assert!(matches!(
            later.followed_by(&aligned()),
            Err(SeriesError::Time(TimeError::NotIncreasing { position: 1, .. }))
        ));
        assert!(matches!(aligned().followed_by(&later.column(0).unwrap()), Err(SeriesError::DifferentColumns { .. })));
        assert!(matches!(aligned().beside(&later), Err(SeriesError::DuplicateColumn { .. })));
        assert_eq!(aligned().beside(&later.rename(&["c", "d"]).unwrap()).unwrap().dim(), 4);
    }

    #[test]
    fn a_column_that_is_not_there_is_answered_with_the_nearest() {
        let series = aligned().rename(&["Weekly_Sales", "CPI"]).unwrap();
        let error = series.select(&["CPI", "weekly_sale"]).unwrap_err().to_string();
        assert_eq!(error, "no column 'weekly_sale', did you mean 'Weekly_Sales'?");
        assert_eq!(series.select(&["CPI"]).unwrap().univariates()[0].values(), [4., 5., 6.]);
    }
}
