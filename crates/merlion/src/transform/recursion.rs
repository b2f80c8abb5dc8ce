//! Transforms whose every value, together with the values before it, tells the next value of the series: differences and moving
//! averages. Inverting them is a recursion, and where it starts makes the difference between a series and a forecast.

use super::{InversionState, TransformError};
use crate::series::{TimeSeries, Univariate};
use crate::time::Timestamp;

/// A transform that is inverted by a recursion.
pub(super) trait Recursion {
    /// The name in errors.
    const TRANSFORM: &'static str;

    /// How many values before it determine the next.
    fn order(&self) -> usize;

    /// How many steps before a missing value its stand-in is.
    fn period(&self) -> usize;

    /// The next value of the series, from those before it (the last ones, or all of them) and its transformed value.
    fn next(&self, before: &[f64], y: f64) -> f64;
}

/// The observations of a series from which the recursion cannot come: the `first` ones of each column, and those whose transformed
/// value is missing because one before them is.
pub(super) fn undetermined(
    series: &TimeSeries,
    transformed: &TimeSeries,
    first: usize,
) -> Result<TimeSeries, TransformError> {
    let columns = series.univariates().iter().map(|column| {
        let output = transformed.find(column.name());
        let (mut times, mut values) = (Vec::new(), Vec::new());
        // The transformed column lacks observations at its start only.
        let lacking = column.len() - output.map_or(0, Univariate::len);
        for (i, (t, x)) in column.iter().enumerate() {
            let told = i >= first && output.is_some_and(|y| i >= lacking && !y.values()[i - lacking].is_nan());
            if i < first || (!told && !x.is_nan()) {
                times.push(t);
                values.push(x);
            }
        }
        Univariate::new(column.name(), times, values)
    });
    Ok(TimeSeries::from_univariates(columns.collect::<Result<_, _>>()?)?)
}

/// The series whose transform is `series`, with the observations in `known` where there are some.
pub(super) fn invert<R: Recursion>(
    recursion: &R,
    series: &TimeSeries,
    known: &TimeSeries,
) -> Result<TimeSeries, TransformError> {
    let none = Univariate::new("", Vec::new(), Vec::new())?;
    let columns = series.univariates().iter().map(|column| {
        let known = known.find(column.name()).unwrap_or(&none);
        let length = known.len() + column.len();
        let (mut times, mut values): (Vec<Timestamp>, Vec<f64>) =
            (Vec::with_capacity(length), Vec::with_capacity(length));
        let mut given = known.iter().peekable();
        for (t, y) in column.iter() {
            let mut found = false;
            while let Some((at, x)) = given.next_if(|(at, _)| *at <= t) {
                times.push(at);
                values.push(x);
                found = at == t;
            }
            if !found {
                times.push(t);
                values.push(recursion.next(&values, y));
            }
        }
        for (at, x) in given {
            times.push(at);
            values.push(x);
        }
        if times == column.times() {
            Ok(column.with_values(values))
        } else {
            Univariate::new(column.name(), times, values)
        }
    });
    Ok(TimeSeries::from_univariates(columns.collect::<Result<_, _>>()?)?)
}

/// The last observations of each column, as many as the recursion looks at. Missing ones are replaced as [`Recursion::period`] says.
pub(super) fn end<R: Recursion>(recursion: &R, history: &TimeSeries) -> InversionState {
    let filled = history.map_columns(|column| carried(column.values(), recursion.period()));
    InversionState::Observations(
        filled.at_positions(|times| times.len().saturating_sub(recursion.order())..times.len()),
    )
}

/// The continuation of the series that ended with the observations in `end`.
pub(super) fn invert_forecast<R: Recursion>(
    recursion: &R,
    forecast: &TimeSeries,
    end: &InversionState,
) -> Result<TimeSeries, TransformError> {
    let end = end.observations(R::TRANSFORM)?;
    let mut ends = Vec::with_capacity(forecast.dim());
    for name in forecast.names() {
        ends.push(end.find(name).ok_or_else(|| unknown_column(R::TRANSFORM, name))?);
    }
    let mut ends = ends.into_iter();
    Ok(forecast.map_columns(|column| {
        let mut values = ends.next().map(|end| end.values().to_vec()).unwrap_or_default();
        let start = values.len();
        for &y in column.values() {
            values.push(recursion.next(&values, y));
        }
        values.split_off(start)
    }))
}

/// Each prediction carried back with what preceded it in `history`.
pub(super) fn invert_one_step<R: Recursion>(
    recursion: &R,
    predictions: &TimeSeries,
    history: &TimeSeries,
) -> Result<TimeSeries, TransformError> {
    let mut columns = Vec::with_capacity(predictions.dim());
    for column in predictions.univariates() {
        let known = history.find(column.name()).ok_or_else(|| unknown_column(R::TRANSFORM, column.name()))?;
        let filled = carried(known.values(), recursion.period());
        let value = |(t, y)| {
            let before = known.times().partition_point(|at| *at < t);
            // Before the first value counts the first value, as when the transform was applied.
            recursion.next(&filled[..before.max(1).min(filled.len())], y)
        };
        columns.push(column.with_values(column.iter().map(value).collect()));
    }
    Ok(TimeSeries::from_univariates(columns)?)
}

pub(super) fn unknown_column(transform: &'static str, column: &str) -> TransformError {
    TransformError::WrongState { transform, reason: format!("column '{column}' is not in it") }
}

/// The values, missing ones replaced by those a period before, if any is known.
fn carried(values: &[f64], period: usize) -> Vec<f64> {
    let mut filled = values.to_vec();
    for i in period..filled.len() {
        if filled[i].is_nan() {
            filled[i] = filled[i - period];
        }
    }
    filled
}
