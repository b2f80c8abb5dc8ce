//! Windows as vectors.

use serde::{Deserialize, Serialize};

use super::{Fitted, Inversion, InversionState, Transform, TransformError, TransformSpec};
use crate::series::{TimeSeries, Univariate};

/// Turns each column `x` into `size` columns `x_0`, `x_1`, …: the value `size - 1` steps before, …, the value itself. Before the first
/// value counts the first value. Of the rows, every `stride`-th is kept, counted from the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shingle {
    /// How many values become one row.
    pub size: usize,
    /// How many steps lie between two rows, at most `size`, so that no value is lost.
    pub stride: usize,
    /// Whether a series of several columns is left alone.
    pub multivar_skip: bool,
}

impl Default for Shingle {
    /// Rows of one value: nothing but another name.
    fn default() -> Self {
        Self { size: 1, stride: 1, multivar_skip: true }
    }
}

impl Transform for Shingle {
    const NAME: &'static str = "Shingle";
    const SUMMARY: &'static str = "Each value with those before it as a row";
    type Fitted = Self;

    fn validate(&self) -> Result<(), TransformError> {
        match self.stride {
            stride if stride == 0 || stride > self.size => {
                let reason = format!("must be from 1 to size = {}", self.size);
                Err(TransformError::invalid(Self::NAME, "stride", stride, reason))
            }
            _ => Ok(()),
        }
    }

    fn fit(&self, _: &TimeSeries) -> Result<Self, TransformError> {
        Ok(*self)
    }
}

impl Shingle {
    fn skips(&self, series: &TimeSeries) -> bool {
        self.multivar_skip && series.dim() > 1
    }

    /// The `size` columns that a column becomes.
    fn rows(&self, column: &Univariate) -> Result<Vec<Univariate>, TransformError> {
        let (x, times) = (column.values(), column.times());
        let first = x.len().saturating_sub(1) % self.stride;
        let rows = || (first..x.len()).step_by(self.stride);
        let columns = (0..self.size).map(|j| {
            let back = self.size - 1 - j;
            let values = rows().map(|row| x[row.saturating_sub(back)]).collect();
            Univariate::new(&format!("{}_{j}", column.name()), rows().map(|row| times[row]).collect(), values)
        });
        Ok(columns.collect::<Result<_, _>>()?)
    }

    /// The columns that hold the values themselves, not those before them, under their own names.
    fn newest(&self, series: &TimeSeries, history: &TimeSeries) -> Result<TimeSeries, TransformError> {
        if self.skips(history) {
            return Ok(series.clone());
        }
        let newest = |name: &str| format!("{name}_{}", self.size - 1);
        let columns: Vec<Univariate> =
            history.names().filter_map(|name| Some(series.find(&newest(name))?.named(name))).collect();
        if columns.is_empty() && series.dim() > 0 {
            let names = |names: &mut dyn Iterator<Item = String>| names.collect::<Vec<_>>().join("', '");
            let reason = format!(
                "'{}' are values of earlier steps; choose among '{}'",
                names(&mut series.names().map(str::to_owned)),
                names(&mut history.names().map(newest))
            );
            return Err(TransformError::NotInvertible { transform: Self::NAME, reason });
        }
        Ok(TimeSeries::from_univariates(columns)?)
    }
}

impl Fitted for Shingle {
    fn inversion(&self) -> Inversion {
        Inversion::STATEFUL
    }

    fn spec(&self) -> TransformSpec {
        (*self).into()
    }

    fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError> {
        // The names and times of the input, of which the rows keep only some.
        let state = InversionState::Observations(series.clone());
        if self.skips(series) {
            return Ok((series.clone(), state));
        }
        let mut columns = Vec::with_capacity(series.dim() * self.size);
        for column in series.univariates() {
            columns.extend(self.rows(column)?);
        }
        Ok((TimeSeries::from_univariates(columns)?, state))
    }

    fn invert(&self, series: &TimeSeries, state: &InversionState) -> Result<TimeSeries, TransformError> {
        let input = state.observations(Self::NAME)?;
        if self.skips(input) {
            return Ok(series.clone());
        }
        let wrong = |reason: String| TransformError::WrongState { transform: Self::NAME, reason };
        let mut columns = Vec::with_capacity(input.dim());
        for column in input.univariates() {
            let first = column.len().saturating_sub(1) % self.stride;
            let rows = column.len().saturating_sub(first).div_ceil(self.stride);
            let mut values = vec![f64::NAN; column.len()];
            let mut shingles = Vec::with_capacity(self.size);
            for j in 0..self.size {
                let name = format!("{}_{j}", column.name());
                let shingle = series.find(&name).ok_or_else(|| wrong(format!("there is no column '{name}'")))?;
                if shingle.len() != rows {
                    return Err(wrong(format!("column '{name}' has {} rows, not {rows}", shingle.len())));
                }
                shingles.push(shingle.values());
            }
            // Later rows last, so that the newest of several versions of a value counts.
            for row in 0..rows {
                for (j, shingle) in shingles.iter().enumerate() {
                    if let Some(at) = (first + row * self.stride).checked_sub(self.size - 1 - j) {
                        values[at] = shingle[row];
                    }
                }
            }
            columns.push(column.with_values(values));
        }
        Ok(TimeSeries::from_univariates(columns)?)
    }

    fn end(&self, history: &TimeSeries) -> Result<InversionState, TransformError> {
        Ok(InversionState::Observations(history.at_positions(|_| 0..0)))
    }

    fn invert_forecast(&self, forecast: &TimeSeries, end: &InversionState) -> Result<TimeSeries, TransformError> {
        self.newest(forecast, end.observations(Self::NAME)?)
    }

    fn invert_one_step(&self, predictions: &TimeSeries, history: &TimeSeries) -> Result<TimeSeries, TransformError> {
        self.newest(predictions, history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::seconds;

    fn eight() -> TimeSeries {
        let values = (0..8).map(f64::from).collect();
        TimeSeries::from_columns(seconds(&[0, 1, 2, 3, 4, 5, 6, 7]), vec![("x".to_owned(), values)]).unwrap()
    }

    #[test]
    fn rows_are_counted_from_the_last() {
        let shingle = Shingle { size: 3, stride: 2, ..Default::default() };
        let (rows, state) = shingle.apply_with_state(&eight()).unwrap();
        assert_eq!(rows.times().as_ref(), seconds(&[1, 3, 5, 7]));
        assert_eq!(
            rows.univariates().iter().map(Univariate::values).collect::<Vec<_>>(),
            [[0., 1., 3., 5.], [0., 2., 4., 6.], [1., 3., 5., 7.]]
        );
        assert_eq!(shingle.invert(&rows, &state), Ok(eight()));
        let other = shingle.invert(&rows.bisect(seconds(&[2])[0], false).1, &state).unwrap_err().to_string();
        assert!(other.ends_with("column 'x_0' has 3 rows, not 4"), "{other}");
    }

    #[test]
    fn only_a_forecast_of_the_newest_column_can_be_carried_back() {
        let shingle = Shingle { size: 3, stride: 1, ..Default::default() };
        let end = shingle.end(&eight()).unwrap();
        let forecast = |name: &str| {
            let series = TimeSeries::from_columns(seconds(&[8]), vec![(name.to_owned(), vec![9.0])]).unwrap();
            shingle.invert_forecast(&series, &end)
        };
        assert_eq!(forecast("x_2").unwrap().univariates()[0].name(), "x");
        let error = forecast("x_0").unwrap_err().to_string();
        assert_eq!(error, "Shingle cannot be inverted: 'x_0' are values of earlier steps; choose among 'x_2'");
    }

    #[test]
    fn strides_beyond_the_size_would_lose_values() {
        for (size, stride, valid) in [(1, 1, true), (3, 3, true), (3, 4, false), (3, 0, false), (0, 1, false)] {
            assert_eq!(Shingle { size, stride, ..Default::default() }.validate().is_ok(), valid, "{size}, {stride}");
        }
    }
}
