//! Columns as rows: the layout in which the points of a table are compared with each other.

/// Points of equal dimension, one after the other.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct Rows {
    dim: usize,
    values: Vec<f64>,
}

impl Rows {
    /// The rows of columns of equal length.
    #[must_use]
    pub fn from_columns(columns: &[Vec<f64>]) -> Self {
        let n = columns.iter().map(Vec::len).min().unwrap_or(0);
        let mut values = Vec::with_capacity(n * columns.len());
        for i in 0..n {
            values.extend(columns.iter().map(|column| column[i]));
        }
        Self { dim: columns.len(), values }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.dim).unwrap_or(0)
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many values a row has.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// A row.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.dim..(i + 1) * self.dim]
    }

    /// The rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.dim.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_rows() {
        let rows = Rows::from_columns(&[vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0]]);
        assert_eq!((rows.len(), rows.dim(), rows.row(1)), (3, 2, &[2.0, 5.0][..]));
        assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
        assert!(Rows::from_columns(&[]).is_empty() && Rows::from_columns(&[vec![]]).iter().next().is_none());
    }
}
