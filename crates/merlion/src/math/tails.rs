//! How far out a value is in each column of a table: the empirical probability of lesser and of greater values.

use serde::Serialize;

use super::rows::Rows;

/// Sorted columns with their skewness.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tails {
    columns: Vec<Column>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Column {
    sorted: Vec<f64>,
    /// Whether small values are the rarer ones.
    skewed_left: bool,
}

/// The surprise, `-ln p`, of a value in one column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surprise {
    /// That values are so small.
    pub left: f64,
    /// That values are so large.
    pub right: f64,
    /// On the side to which the column is skewed: the left one for a negative skewness, else the right one.
    pub skewed: f64,
}

impl Tails {
    /// The columns of finite rows.
    #[must_use]
    pub fn new(rows: &Rows) -> Self {
        let column = |axis: usize| {
            let mut sorted: Vec<f64> = rows.iter().map(|row| row[axis]).collect();
            sorted.sort_unstable_by(f64::total_cmp);
            let skewed_left = third_moment(&sorted) < 0.0;
            Column { sorted, skewed_left }
        };
        Self { columns: (0..rows.dim()).map(column).collect() }
    }

    /// The surprise of a row in each column. A row that is not among those the tails were made of is counted as if it were, so that what is
    /// beyond all of them is rare and not impossible.
    pub fn surprises<'a>(&'a self, row: &'a [f64], among: bool) -> impl Iterator<Item = Surprise> + 'a {
        let extra = f64::from(u8::from(!among));
        self.columns.iter().zip(row).map(move |(column, x)| {
            let n = column.sorted.len();
            let total = n as f64 + extra;
            let up_to = column.sorted.partition_point(|value| value <= x) as f64 + extra;
            let from = (n - column.sorted.partition_point(|value| value < x)) as f64 + extra;
            let (left, right) = (-(up_to / total).ln(), -(from / total).ln());
            Surprise { left, right, skewed: if column.skewed_left { left } else { right } }
        })
    }
}

/// The third central moment of scaled values, of which only the sign matters.
fn third_moment(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().map(|x| x / n).sum::<f64>();
    let largest = values.iter().map(|x| (x - mean).abs()).fold(0.0, f64::max);
    if largest > 0.0 { values.iter().map(|x| ((x - mean) / largest).powi(3)).sum() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surprises_are_those_of_counting() {
        let tails = Tails::new(&Rows::from_columns(&[vec![1.0, 2.0, 2.0, 9.0]]));
        let of = |x: f64, among| tails.surprises(&[x], among).next().unwrap();
        // Three of four are at most 2, three at least 2; the column is skewed to the right.
        let expected = -(0.75_f64).ln();
        assert_eq!(of(2.0, true), Surprise { left: expected, right: expected, skewed: expected });
        assert_eq!(of(9.0, true).right, -(0.25_f64).ln());
        assert_eq!((of(9.0, true).left, of(9.0, true).skewed), (0.0, of(9.0, true).right));
        // A new value counts itself: one of five.
        assert_eq!((of(50.0, false).right, of(50.0, false).left), (-(0.2_f64).ln(), 0.0));
    }

    #[test]
    fn the_rarer_side_is_that_of_the_skewness() {
        for (column, left) in [(vec![0.0, 8.0, 9.0], true), (vec![0.0, 1.0, 9.0], false), (vec![5.0; 3], false)] {
            assert_eq!(
                Tails::new(&Rows::from_columns(std::slice::from_ref(&column))).columns[0].skewed_left,
                left,
                "{column:?}"
            );
        }
        let huge = Tails::new(&Rows::from_columns(&[vec![-1e150, 1e150, 1e150]]));
        assert!(huge.columns[0].skewed_left, "moments are taken of scaled values");
    }
}
