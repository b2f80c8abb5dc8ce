//! A hierarchy given by its summing matrix, for sums that overlap (by shop and by product) or have coefficients other than one. A
//! matrix that turns out to be a tree is reconciled as one.

use super::{HierarchyError, SumTree};

/// Where the rows of the leaves are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeafOrder {
    /// Before the sums, as in Merlion's Spark application.
    First,
    /// After the sums, as in Merlion's `minT_reconciliation`.
    Last,
}

/// The summing matrix `S`, kept as the entries that are not zero. Its rows are the series: the leaves, which are the identity, and
/// the sums.
#[derive(Debug, Clone, PartialEq)]
pub struct SumMatrix {
    order: LeafOrder,
    /// The leaves and coefficients of each sum.
    rows: Vec<Vec<(u32, f64)>>,
    /// The sums and coefficients of each leaf.
    columns: Vec<Vec<(u32, f64)>>,
    tree: Option<SumTree>,
}

impl SumMatrix {
    /// The matrix whose sums have these leaves and coefficients.
    ///
    /// ```
    /// use merlion::hierarchy::{LeafOrder, MinTrace, SumMatrix};
    /// // Two shops selling two products: sums by shop, then by product.
    /// let sums = [[0, 1], [2, 3], [0, 2], [1, 3]].map(|leaves| leaves.map(|leaf| (leaf, 1.0)).to_vec());
    /// let matrix = SumMatrix::new(4, LeafOrder::Last, &sums)?;
    /// assert!(matrix.tree().is_none());
    /// let got = MinTrace::default().reconcile(&matrix, &[10.0, 5.0, 8.0, 7.0, 4.0, 4.0, 3.0, 2.0], None)?.mean;
    /// assert!((got[0] - (got[4] + got[5])).abs() < 1e-12);
    /// assert!((got[2] - (got[4] + got[6])).abs() < 1e-12);
    /// # Ok::<(), merlion::hierarchy::HierarchyError>(())
    /// ```
    ///
    /// # Errors
    /// [`HierarchyError::InvalidRow`] for a leaf that does not exist or occurs twice in a sum, and for a coefficient that is not
    /// finite.
    pub fn new(n_leaves: usize, order: LeafOrder, sums: &[Vec<(usize, f64)>]) -> Result<Self, HierarchyError> {
        let first = if order == LeafOrder::First { n_leaves } else { 0 };
        let mut rows = Vec::with_capacity(sums.len());
        let mut columns = vec![Vec::new(); n_leaves];
        for (at, sum) in sums.iter().enumerate() {
            let invalid = |reason: String| HierarchyError::InvalidRow { row: first + at, reason };
            let mut row = Vec::with_capacity(sum.len());
            for &(leaf, coefficient) in sum {
                if leaf >= n_leaves {
                    return Err(invalid(format!("leaf {leaf} of {n_leaves}")));
                }
                if !coefficient.is_finite() {
                    return Err(invalid(format!("coefficient {coefficient} of leaf {leaf}")));
                }
                if columns[leaf].last().is_some_and(|&(sum, _)| sum as usize == at) {
                    return Err(invalid(format!("leaf {leaf} occurs twice")));
                }
                columns[leaf].push((at as u32, coefficient));
                row.push((leaf as u32, coefficient));
            }
            rows.push(row);
        }
        let mut matrix = Self { order, rows, columns, tree: None };
        matrix.tree = matrix.find_tree();
        Ok(matrix)
    }

    /// The matrix with these rows, one for each series.
    ///
    /// # Errors
    /// [`HierarchyError::InvalidRow`] if the rows of the leaves are not the identity, rows differ in length, or a coefficient is not
    /// finite.
    pub fn from_dense(rows: &[Vec<f64>], order: LeafOrder) -> Result<Self, HierarchyError> {
        let n = rows.first().map_or(0, Vec::len);
        if let Some(row) = rows.iter().position(|row| row.len() != n) {
            let reason = format!("{} columns, the first row has {n}", rows[row].len());
            return Err(HierarchyError::InvalidRow { row, reason });
        }
        let Some(n_sums) = rows.len().checked_sub(n) else {
            return Err(HierarchyError::InvalidRow { row: 0, reason: format!("{n} columns in {} rows", rows.len()) });
        };
        let (first_leaf, first_sum) = if order == LeafOrder::First { (0, n) } else { (n_sums, 0) };
        for leaf in 0..n {
            let row = first_leaf + leaf;
            if !rows[row].iter().enumerate().all(|(at, &value)| value == f64::from(u8::from(at == leaf))) {
                return Err(HierarchyError::InvalidRow { row, reason: format!("not the row of leaf {leaf} alone") });
            }
        }
        let entries = |row: &Vec<f64>| row.iter().copied().enumerate().filter(|(_, value)| *value != 0.0).collect();
        Self::new(n, order, &rows[first_sum..first_sum + n_sums].iter().map(entries).collect::<Vec<_>>())
    }

    /// How many series there are, sums included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len() + self.columns.len()
    }

    /// Whether there is no series.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many leaves there are.
    #[must_use]
    pub fn n_leaves(&self) -> usize {
        self.columns.len()
    }

    /// How many sums there are.
    #[must_use]
    pub fn n_sums(&self) -> usize {
        self.rows.len()
    }

    /// Where the rows of the leaves are.
    #[must_use]
    pub fn leaf_order(&self) -> LeafOrder {
        self.order
    }

    /// The tree this matrix describes, if every sum is a plain one and no two of them overlap unless one contains the other.
    #[must_use]
    pub fn tree(&self) -> Option<&SumTree> {
        self.tree.as_ref()
    }

    /// The row of a leaf.
    #[must_use]
    pub fn leaf_row(&self, leaf: usize) -> usize {
        if self.order == LeafOrder::First { leaf } else { self.n_sums() + leaf }
    }

    /// The row of a sum.
    #[must_use]
    pub fn sum_row(&self, sum: usize) -> usize {
        if self.order == LeafOrder::First { self.n_leaves() + sum } else { sum }
    }

    /// The leaves and coefficients of a sum.
    pub(super) fn leaves_of(&self, sum: usize) -> &[(u32, f64)] {
        &self.rows[sum]
    }

    /// The sums and coefficients of a leaf.
    pub(super) fn sums_of(&self, leaf: usize) -> &[(u32, f64)] {
        &self.columns[leaf]
    }

    /// The row sums of the matrix.
    #[must_use]
    pub fn row_sums(&self) -> Vec<f64> {
        let mut sums = vec![1.0; self.len()];
        for sum in 0..self.n_sums() {
            sums[self.sum_row(sum)] = self.rows[sum].iter().map(|&(_, coefficient)| coefficient).sum();
        }
        sums
    }

    /// The matrix without some of its series, and the rows here of those it still has: the kept leaves, and the kept sums that have
    /// any of them left.
    ///
    /// # Errors
    /// [`HierarchyError::LengthMismatch`] if `keep` does not have one entry for each series.
    pub fn restrict(&self, keep: &[bool]) -> Result<(Self, Vec<usize>), HierarchyError> {
        if keep.len() != self.len() {
            return Err(HierarchyError::LengthMismatch { what: "flags", got: keep.len(), expected: self.len() });
        }
        let leaves: Vec<usize> = (0..self.n_leaves()).filter(|&leaf| keep[self.leaf_row(leaf)]).collect();
        let mut renumbered = vec![None; self.n_leaves()];
        leaves.iter().enumerate().for_each(|(new, &old)| renumbered[old] = Some(new));
        let left = |sum: usize| -> Vec<(usize, f64)> {
            self.rows[sum].iter().filter_map(|&(leaf, value)| Some((renumbered[leaf as usize]?, value))).collect()
        };
        let (sums, rows): (Vec<usize>, Vec<_>) = (0..self.n_sums())
            .filter(|&sum| keep[self.sum_row(sum)])
            .map(|sum| (sum, left(sum)))
            .filter(|(_, row)| !row.is_empty())
            .unzip();
        let leaf_rows = leaves.iter().map(|&leaf| self.leaf_row(leaf));
        let sum_rows = sums.iter().map(|&sum| self.sum_row(sum));
        let kept = match self.order {
            LeafOrder::First => leaf_rows.chain(sum_rows).collect(),
            LeafOrder::Last => sum_rows.chain(leaf_rows).collect(),
        };
        Ok((Self::new(leaves.len(), self.order, &rows)?, kept))
    }

    /// From the largest sum to the smallest: the leaves of each must all be in the same smallest sum so far.
    fn find_tree(&self) -> Option<SumTree> {
        let mut by_size: Vec<usize> = (0..self.n_sums()).collect();
        by_size.sort_by_key(|&sum| std::cmp::Reverse(self.rows[sum].len()));
        let mut parents = vec![None; self.len()];
        for sum in by_size {
            let row = &self.rows[sum];
            let within = parents[self.leaf_row(row.first()?.0 as usize)];
            for &(leaf, coefficient) in row {
                let parent = &mut parents[self.leaf_row(leaf as usize)];
                if coefficient != 1.0 || *parent != within {
                    return None;
                }
                *parent = Some(self.sum_row(sum));
            }
            parents[self.sum_row(sum)] = within;
        }
        SumTree::from_parents(&parents).ok()
    }
}
