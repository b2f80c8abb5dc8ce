//! A tree of a random forest: every threshold of every feature is tried.
//!
//! Rows are sorted by each feature once for the forest. A node owns the same range of all these orders, and splitting it divides each
//! range without changing the order within the sides: no node sorts again.

use rand::Rng;

use super::super::Tree;
use super::targets::{Targets, gain};
use super::{Candidate, ForestSettings, Open, better};
use crate::math::rng;
use crate::models::{FitContext, ModelError};

/// The rows in order of each feature.
#[derive(Debug, Default)]
pub(super) struct Sorted(Vec<Vec<u32>>);

impl Sorted {
    pub(super) fn new(columns: &[&[f64]], context: &FitContext) -> Result<Self, ModelError> {
        let sort = |column: &&[f64]| {
            context.check()?;
            let mut rows: Vec<u32> = (0..column.len() as u32).collect();
            rows.sort_by(|a, b| column[*a as usize].total_cmp(&column[*b as usize]));
            Ok(rows)
        };
        Ok(Self(columns.iter().map(sort).collect::<Result<_, ModelError>>()?))
    }
}

/// What splitting a node needs.
struct Scratch {
    /// How often each row was drawn.
    weights: Vec<f64>,
    goes_left: Vec<bool>,
    aside: Vec<u32>,
    /// Sums of a node, and of the left side of a split.
    all: Vec<f64>,
    left: Vec<f64>,
}

/// Grows a tree on rows drawn with replacement.
pub(super) fn grow(
    columns: &[&[f64]],
    sorted: &Sorted,
    targets: &Targets,
    settings: &ForestSettings,
    rng: &mut impl Rng,
    context: &FitContext,
) -> Result<Tree, ModelError> {
    let (rows, outputs) = (targets.rows(), targets.outputs());
    let mut weights = vec![0.0; rows];
    for _ in 0..rows {
        weights[rng::below(rng, rows)] += 1.0;
    }
    // In the order of the rows first: leaves take their means from there.
    let drawn = |rows: &mut dyn Iterator<Item = u32>| rows.filter(|row| weights[*row as usize] > 0.0).collect();
    let mut plain: Vec<u32> = drawn(&mut (0..rows as u32));
    let mut orders: Vec<Vec<u32>> = sorted.0.iter().map(|order| drawn(&mut order.iter().copied())).collect();
    let end = plain.len();
    let mut scratch = Scratch {
        weights,
        goes_left: vec![false; rows],
        aside: Vec::with_capacity(end),
        all: vec![0.0; outputs],
        left: vec![0.0; outputs],
    };
    let mut tree = Tree::new(outputs);
    let mut open = vec![Open { node: 0, start: 0, end, depth: 0 }];
    let mut means = vec![0.0; outputs];
    while let Some(at) = open.pop() {
        context.check()?;
        let range = at.start..at.end;
        let split = if settings.may_split(range.len(), at.depth) && !targets.alike(&plain[range.clone()]) {
            best(columns, &orders, &plain, &at, targets, &mut scratch, rng)
        } else {
            None
        };
        let Some(split) = split else {
            let weights = &scratch.weights;
            targets.means(&plain[range], |row| weights[row as usize], &mut means);
            tree.set_leaf(at.node, &means);
            continue;
        };
        let column = columns[split.feature];
        for &row in &plain[range.clone()] {
            scratch.goes_left[row as usize] = column[row as usize] <= split.threshold;
        }
        let left = partition(&mut plain[range.clone()], &mut scratch);
        for order in &mut orders {
            partition(&mut order[range.clone()], &mut scratch);
        }
        let (node, middle, depth) =
            (tree.split(at.node, split.feature, split.threshold), at.start + left, at.depth + 1);
        open.push(Open { node: node + 1, start: middle, end: at.end, depth });
        open.push(Open { node, start: at.start, end: middle, depth });
    }
    Ok(tree)
}

/// The rows that go left before those that do not, each in their order; how many go left.
fn partition(rows: &mut [u32], scratch: &mut Scratch) -> usize {
    scratch.aside.clear();
    let mut left = 0;
    for at in 0..rows.len() {
        let row = rows[at];
        if scratch.goes_left[row as usize] {
            rows[left] = row;
            left += 1;
        } else {
            scratch.aside.push(row);
        }
    }
    rows[left..].copy_from_slice(&scratch.aside);
    left
}

/// The best split of a node; `None` when all its rows have the same features.
fn best(
    columns: &[&[f64]],
    orders: &[Vec<u32>],
    plain: &[u32],
    node: &Open,
    targets: &Targets,
    scratch: &mut Scratch,
    rng: &mut impl Rng,
) -> Option<Candidate> {
    let Scratch { weights, all, left, .. } = scratch;
    let range = node.start..node.end;
    let total = targets.add_up(&plain[range.clone()], |row| weights[row as usize], all);
    let mut best = None;
    for (feature, (column, order)) in columns.iter().zip(orders).enumerate() {
        let order = &order[range.clone()];
        let value = |at: usize| column[order[at] as usize];
        // Nothing to choose from.
        if value(0) == value(order.len() - 1) {
            continue;
        }
        let found = match all[..] {
            [all] => scan_one(column, order, targets, weights, all, total),
            _ => scan_all(column, order, targets, weights, all, total, left),
        };
        if let Some((gain, at)) = found {
            let (below, above) = (value(at), value(at + 1));
            let middle = below / 2.0 + above / 2.0;
            // Halfway between neighbouring numbers may be the upper one.
            let threshold = if middle < above { middle } else { below };
            best = Some(better(best, Candidate { gain, feature, threshold, ties: 1 }, rng));
        }
    }
    best
}

/// The largest gain and the last position of its left side.
type Found = Option<(f64, usize)>;

/// One target, the usual case: the sum stays in a register.
fn scan_one(column: &[f64], order: &[u32], targets: &Targets, weights: &[f64], all: f64, total: f64) -> Found {
    let mut best: Found = None;
    let (mut left, mut count) = (0.0, 0.0);
    for (at, pair) in order.windows(2).enumerate() {
        let row = pair[0] as usize;
        left += weights[row] * targets.whole(pair[0])[0];
        count += weights[row];
        if column[row] == column[pair[1] as usize] {
            continue;
        }
        let gain = left * left / count + (all - left) * (all - left) / (total - count);
        if best.is_none_or(|(most, _)| gain > most) {
            best = Some((gain, at));
        }
    }
    best
}

fn scan_all(
    column: &[f64],
    order: &[u32],
    targets: &Targets,
    weights: &[f64],
    all: &[f64],
    total: f64,
    left: &mut [f64],
) -> Found {
    let mut best: Found = None;
    left.fill(0.0);
    let mut count = 0.0;
    for (at, pair) in order.windows(2).enumerate() {
        let row = pair[0] as usize;
        for (sum, value) in left.iter_mut().zip(targets.whole(pair[0])) {
            *sum += weights[row] * value;
        }
        count += weights[row];
        if column[row] == column[pair[1] as usize] {
            continue;
        }
        let gain = gain(left, count, all, total);
        if best.is_none_or(|(most, _)| gain > most) {
            best = Some((gain, at));
        }
    }
    best
}
