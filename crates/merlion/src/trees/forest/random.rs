//! An extremely randomised tree: one random threshold of every feature is tried.

use rand::Rng;

use super::super::Tree;
use super::targets::{Targets, gain};
use super::{Candidate, ForestSettings, Open, better};
use crate::math::rng;
use crate::models::{FitContext, ModelError};

/// Grows a tree on all rows.
pub(super) fn grow(
    columns: &[&[f64]],
    targets: &Targets,
    settings: &ForestSettings,
    rng: &mut impl Rng,
    context: &FitContext,
) -> Result<Tree, ModelError> {
    let outputs = targets.outputs();
    let mut rows: Vec<u32> = (0..targets.rows() as u32).collect();
    let mut aside = Vec::with_capacity(rows.len());
    let (mut all, mut left, mut means) = (vec![0.0; outputs], vec![0.0; outputs], vec![0.0; outputs]);
    let mut tree = Tree::new(outputs);
    let mut open = vec![Open { node: 0, start: 0, end: rows.len(), depth: 0 }];
    while let Some(at) = open.pop() {
        context.check()?;
        let here = &mut rows[at.start..at.end];
        let split = if settings.may_split(here.len(), at.depth) && !targets.alike(here) {
            best(columns, here, targets, &mut all, &mut left, rng)
        } else {
            None
        };
        let Some(split) = split else {
            targets.means(here, |_| 1.0, &mut means);
            tree.set_leaf(at.node, &means);
            continue;
        };
        let column = columns[split.feature];
        aside.clear();
        let mut count = 0;
        for i in 0..here.len() {
            let row = here[i];
            if column[row as usize] <= split.threshold {
                here[count] = row;
                count += 1;
            } else {
                aside.push(row);
            }
        }
        here[count..].copy_from_slice(&aside);
        let (node, middle, depth) =
            (tree.split(at.node, split.feature, split.threshold), at.start + count, at.depth + 1);
        open.push(Open { node: node + 1, start: middle, end: at.end, depth });
        open.push(Open { node, start: at.start, end: middle, depth });
    }
    Ok(tree)
}

/// The best of the random splits; `None` when all rows have the same features.
fn best(
    columns: &[&[f64]],
    rows: &[u32],
    targets: &Targets,
    all: &mut [f64],
    left: &mut [f64],
    rng: &mut impl Rng,
) -> Option<Candidate> {
    let total = targets.add_up(rows, |_| 1.0, all);
    let mut best = None;
    for (feature, column) in columns.iter().enumerate() {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for &row in rows {
            let value = column[row as usize];
            least = least.min(value);
            most = most.max(value);
        }
        if least >= most {
            continue;
        }
        let share = rng::uniform(rng);
        // So that both sides have a row, whatever rounding does. The span of the largest numbers is not finite.
        let threshold = (least * (1.0 - share) + most * share).clamp(least, most.next_down());
        left.fill(0.0);
        let mut count = 0.0;
        for &row in rows {
            let goes = f64::from(u8::from(column[row as usize] <= threshold));
            count += goes;
            for (sum, value) in left.iter_mut().zip(targets.whole(row)) {
                *sum += goes * value;
            }
        }
        let gain = gain(left, count, all, total);
        best = Some(better(best, Candidate { gain, feature, threshold, ties: 1 }, rng));
    }
    best
}
