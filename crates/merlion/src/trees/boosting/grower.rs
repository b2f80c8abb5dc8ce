//! Growing one tree of a boosted sequence, leaf by leaf.

use super::super::Tree;
use super::bins::{Binned, Column};
use super::{MAX_LEAVES, MIN_ROWS};

/// What LightGBM adds to numbers of observations so that they are never zero.
const EPSILON: f64 = 1e-15;

/// Sum of gradients and number of observations of a bin.
type Bin = [f64; 2];

/// The best split of a leaf.
#[derive(Debug, Clone, Copy)]
struct Split {
    gain: f64,
    /// Position among the binned columns.
    column: usize,
    /// The last bin of the left side.
    bin: usize,
    left: Sums,
    right: Sums,
}

#[derive(Debug, Clone, Copy)]
struct Sums {
    gradient: f64,
    /// Number of observations, give or take [`EPSILON`].
    count: f64,
}

impl Sums {
    fn gain(self) -> f64 {
        self.gradient * self.gradient / self.count
    }
}

#[derive(Debug)]
struct Leaf {
    /// Its rows: a range of [`Grower::rows`].
    start: usize,
    len: usize,
    sums: Sums,
    node: usize,
    depth: usize,
    best: Option<Split>,
    histogram: Histogram,
}

/// Sums per bin of all columns, and the columns that could be split so far.
#[derive(Debug, Default)]
struct Histogram {
    bins: Vec<Bin>,
    /// A column that could not be split at a node is not tried below it.
    open: Vec<bool>,
}

/// Grows trees on the same features, with the same memory.
#[derive(Debug)]
pub(super) struct Grower<'a> {
    features: &'a Binned,
    max_depth: usize,
    /// Row numbers, those of a leaf next to each other and in order.
    rows: Vec<u32>,
    /// Rows that go right, while a leaf is split.
    aside: Vec<u32>,
    /// The gradients of a leaf's rows.
    ordered: Vec<f32>,
    free: Vec<Histogram>,
}

impl<'a> Grower<'a> {
    pub(super) fn new(features: &'a Binned, max_depth: Option<usize>) -> Self {
        let (rows, aside, ordered) = (Vec::new(), Vec::new(), Vec::new());
        Self { features, max_depth: max_depth.unwrap_or(usize::MAX), rows, aside, ordered, free: Vec::new() }
    }

    /// A tree against these gradients whose values are multiplied by `rate`; they are added to `scores`, and the tree's own are in
    /// units of `unit`. `None` when there is no split worth making.
    pub(super) fn grow(&mut self, gradients: &[f32], rate: f64, unit: f64, scores: &mut [f64]) -> Option<Tree> {
        self.rows.clear();
        self.rows.extend(0..self.features.rows as u32);
        let mut tree = Tree::new(1);
        let gradient = gradients.iter().map(|g| f64::from(*g)).sum();
        let sums = Sums { gradient, count: gradients.len() as f64 };
        let mut histogram = self.new_histogram(None);
        self.count(0, gradients.len(), gradients, &mut histogram);
        let mut root = Leaf { start: 0, len: gradients.len(), sums, node: 0, depth: 0, best: None, histogram };
        if root.len >= 2 * MIN_ROWS {
            self.find(&mut root);
        }
        let mut leaves = vec![root];
        while leaves.len() < MAX_LEAVES {
            let Some((at, split)) = best(&leaves) else { break };
            let (left, right) = self.split(&mut leaves[at], &split, gradients, &mut tree);
            leaves[at] = left;
            leaves.push(right);
        }
        let grown = leaves.len() > 1;
        for leaf in leaves {
            let value = -leaf.sums.gradient / leaf.sums.count * rate;
            tree.set_leaf(leaf.node, &[value * unit]);
            for &row in &self.rows[leaf.start..leaf.start + leaf.len] {
                scores[row as usize] += value;
            }
            self.release(leaf.histogram);
        }
        grown.then_some(tree)
    }

    /// Splits a leaf and looks for the splits of its sides. What is left of the leaf is to be replaced by them.
    fn split(&mut self, leaf: &mut Leaf, split: &Split, gradients: &[f32], tree: &mut Tree) -> (Leaf, Leaf) {
        let features = self.features;
        let column = &features.columns[split.column];
        let left_len = self.partition(leaf, column, split.bin);
        let node = tree.split(leaf.node, column.feature, column.bounds[split.bin]);
        let side = |start, len, sums, node, depth| Leaf {
            start,
            len,
            sums,
            node,
            depth,
            best: None,
            histogram: Histogram::default(),
        };
        let depth = leaf.depth + 1;
        let mut left = side(leaf.start, left_len, split.left, node, depth);
        let mut right = side(leaf.start + left_len, leaf.len - left_len, split.right, node + 1, depth);
        let mut parent = std::mem::take(&mut leaf.histogram);
        let hopeless = left.len < 2 * MIN_ROWS && right.len < 2 * MIN_ROWS;
        if depth >= self.max_depth || hopeless {
            self.release(parent);
            return (left, right);
        }
        let (smaller, larger) = if left.len < right.len { (&mut left, &mut right) } else { (&mut right, &mut left) };
        smaller.histogram = self.new_histogram(Some(&parent.open));
        let mut counted = std::mem::take(&mut smaller.histogram);
        self.count(smaller.start, smaller.len, gradients, &mut counted);
        for (all, part) in parent.bins.iter_mut().zip(&counted.bins) {
            all[0] -= part[0];
            all[1] -= part[1];
        }
        (smaller.histogram, larger.histogram) = (counted, parent);
        for side in [smaller, larger] {
            self.find(side);
            if side.best.is_none() {
                self.release(std::mem::take(&mut side.histogram));
            }
        }
        (left, right)
    }

    /// Keeps memory for the next histogram.
    fn release(&mut self, histogram: Histogram) {
        if histogram.bins.capacity() > 0 {
            self.free.push(histogram);
        }
    }

    fn new_histogram(&mut self, open: Option<&[bool]>) -> Histogram {
        let mut histogram = self.free.pop().unwrap_or_default();
        histogram.bins.clear();
        histogram.bins.resize(self.features.bins, [0.0; 2]);
        histogram.open.clear();
        match open {
            Some(open) => histogram.open.extend_from_slice(open),
            None => histogram.open.resize(self.features.columns.len(), true),
        }
        histogram
    }

    /// Counts gradients and observations of some rows.
    fn count(&mut self, start: usize, len: usize, gradients: &[f32], histogram: &mut Histogram) {
        let rows = &self.rows[start..start + len];
        self.ordered.clear();
        self.ordered.extend(rows.iter().map(|row| gradients[*row as usize]));
        for (column, _) in self.features.columns.iter().zip(&histogram.open).filter(|(_, open)| **open) {
            let sums = &mut histogram.bins[column.offset..column.offset + column.bounds.len()];
            let bins = column.bins.as_slice();
            for (row, gradient) in rows.iter().zip(&self.ordered) {
                let sum = &mut sums[usize::from(bins[*row as usize])];
                sum[0] += f64::from(*gradient);
                sum[1] += 1.0;
            }
        }
    }

    /// Looks for the best split of a leaf whose sums are counted.
    fn find(&self, leaf: &mut Leaf) {
        for (at, column) in self.features.columns.iter().enumerate() {
            if !leaf.histogram.open[at] {
                continue;
            }
            let bins = &leaf.histogram.bins[column.offset..column.offset + column.bounds.len()];
            let found = best_of_column(bins, leaf.len, leaf.sums, at);
            leaf.histogram.open[at] = found.is_some();
            // Of equal splits the first column's.
            if let Some(found) = found
                && leaf.best.is_none_or(|best| found.gain > best.gain)
            {
                leaf.best = Some(found);
            }
        }
    }

    /// Puts the rows of the left side before those of the right one, each in their order; how many go left.
    fn partition(&mut self, leaf: &Leaf, column: &Column, bin: usize) -> usize {
        let rows = &mut self.rows[leaf.start..leaf.start + leaf.len];
        self.aside.clear();
        let mut left = 0;
        for at in 0..rows.len() {
            let row = rows[at];
            if usize::from(column.bins[row as usize]) <= bin {
                rows[left] = row;
                left += 1;
            } else {
                self.aside.push(row);
            }
        }
        rows[left..].copy_from_slice(&self.aside);
        left
    }
}

/// The leaf with the largest gain, if there is any; of equal ones the one whose column comes first.
fn best(leaves: &[Leaf]) -> Option<(usize, Split)> {
    let splits = leaves.iter().enumerate().filter_map(|(at, leaf)| Some((at, leaf.best?)));
    let better = |a: &Split, b: &Split| a.gain > b.gain || (a.gain == b.gain && a.column < b.column);
    splits.reduce(|best, next| if better(&next.1, &best.1) { next } else { best }).filter(|(_, split)| split.gain > 0.0)
}

/// The best split of one column, from the last bin to the first.
fn best_of_column(bins: &[Bin], rows: usize, leaf: Sums, column: usize) -> Option<Split> {
    let sums = Sums { gradient: leaf.gradient, count: leaf.count + 2.0 * EPSILON };
    let unsplit = sums.gain();
    let mut right = Sums { gradient: 0.0, count: EPSILON };
    let mut right_rows = 0usize;
    let mut best: Option<(f64, usize, Sums)> = None;
    for bin in (1..bins.len()).rev() {
        let [gradient, count] = bins[bin];
        right.gradient += gradient;
        right.count += count;
        right_rows += count as usize;
        if right_rows < MIN_ROWS {
            continue;
        }
        if rows.saturating_sub(right_rows) < MIN_ROWS {
            break;
        }
        // The same sides as one bin before.
        if count == 0.0 {
            continue;
        }
        let left = Sums { gradient: sums.gradient - right.gradient, count: sums.count - right.count };
        let gain = left.gain() + right.gain();
        if gain > unsplit && best.is_none_or(|(most, ..)| gain > most) {
            best = Some((gain, bin - 1, left));
        }
    }
    let (gain, bin, left) = best?;
    Some(Split {
        gain: gain - unsplit,
        column,
        bin,
        left: Sums { gradient: left.gradient, count: left.count - EPSILON },
        right: Sums { gradient: sums.gradient - left.gradient, count: sums.count - left.count - EPSILON },
    })
}
