//! Gradient boosting of squared errors on histograms, leaf by leaf: the algorithm of LightGBM, with its defaults.
//!
//! Ke et al., "LightGBM: A Highly Efficient Gradient Boosting Decision Tree", NeurIPS 2017. Each feature's values are put into at
//! most 255 bins once. A tree is grown by splitting the leaf whose best split has the largest gain
//!
//! ```text
//! G_l² / n_l + G_r² / n_r − G² / n        G = Σ (F(x_i) − y_i), n = number of observations
//! ```
//!
//! found from sums per bin; of two sides only the smaller one's sums are counted, the other's are the difference. A leaf's
//! value is `−G / n`, times the learning rate. Orders of summation, the 32-bit gradients and the choice between equal splits are
//! LightGBM's, so that on the data of a series the trees are the same. Two things are not: targets are not rounded to 32 bits
//! before training (which would leave nothing of a small movement far from zero), and with more than 200,000 rows bins come from
//! evenly spaced rows, not from random ones.

mod bins;
mod grower;

use serde::Serialize;

use self::bins::Binned;
use self::grower::Grower;
use super::Tree;
use crate::models::{FitContext, ModelError};

/// How to boost. What is not here is as in LightGBM by default: no bagging, no penalty on leaf values, all features at each split.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Boosting {
    /// Number of trees.
    pub trees: usize,
    /// Share of each tree's values that is added.
    pub learning_rate: f64,
    /// Splits on the way from the root to a leaf, at most; `None` for any number.
    pub max_depth: Option<usize>,
}

impl Default for Boosting {
    /// LightGBM's defaults.
    fn default() -> Self {
        Self { trees: 100, learning_rate: 0.1, max_depth: None }
    }
}

/// Leaves of a tree, at most; LightGBM's `num_leaves`.
const MAX_LEAVES: usize = 31;

/// Rows on each side of a split, at least; LightGBM's `min_data_in_leaf`.
const MIN_ROWS: usize = 20;

impl Boosting {
    /// Learns one target from columns of the same length.
    ///
    /// # Errors
    /// The context's reasons to stop.
    pub fn fit(&self, columns: &[&[f64]], target: &[f64], context: &FitContext) -> Result<Boosted, ModelError> {
        let mut set = self.fit_all(columns, &[target], context)?;
        set.models.pop().ok_or(ModelError::Empty)
    }

    /// Learns several targets, each on its own, from the same columns.
    ///
    /// # Errors
    /// The context's reasons to stop.
    pub fn fit_all(
        &self,
        columns: &[&[f64]],
        targets: &[&[f64]],
        context: &FitContext,
    ) -> Result<BoostingSet, ModelError> {
        let binned = Binned::new(columns, MIN_ROWS, context)?;
        let mut grower = Grower::new(&binned, self.max_depth);
        let models = targets.iter().map(|target| self.boost(&mut grower, target, context)).collect::<Result<_, _>>()?;
        Ok(BoostingSet { models })
    }

    fn boost(&self, grower: &mut Grower<'_>, target: &[f64], context: &FitContext) -> Result<Boosted, ModelError> {
        // A power of two changes no digit, and keeps gradients of any unit within 32 bits.
        let unit = unit(target);
        let labels: Vec<f64> = target.iter().map(|y| y / unit).collect();
        let start = labels.iter().sum::<f64>() / labels.len().max(1) as f64;
        let mut scores = vec![start; labels.len()];
        let mut gradients = vec![0f32; labels.len()];
        let mut trees = Vec::with_capacity(self.trees);
        for _ in 0..self.trees {
            context.check()?;
            for ((gradient, score), label) in gradients.iter_mut().zip(&scores).zip(&labels) {
                *gradient = (score - label) as f32;
            }
            let grown = grower.grow(&gradients, self.learning_rate, unit, &mut scores);
            // Without a split now there will be none later: nothing has changed.
            let Some(tree) = grown else { break };
            trees.push(tree);
        }
        Ok(Boosted { start: start * unit, trees })
    }
}

/// The power of two next to the largest absolute value, at most; 1 when all are zero.
fn unit(values: &[f64]) -> f64 {
    let largest = values.iter().fold(0f64, |largest, v| largest.max(v.abs()));
    if largest > 0.0 && largest.is_finite() { largest.log2().floor().clamp(-1000.0, 1000.0).exp2() } else { 1.0 }
}

/// A boosted sequence of trees.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Boosted {
    /// The mean of the target, to which the trees are added.
    start: f64,
    trees: Vec<Tree>,
}

impl Boosted {
    /// The prediction for one row of features.
    #[must_use]
    pub fn predict(&self, features: &[f64]) -> f64 {
        self.trees.iter().fold(self.start, |sum, tree| sum + tree.predict(features)[0])
    }

    /// The trees, in the order they were learnt.
    #[must_use]
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }
}

/// One boosted sequence for each target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoostingSet {
    models: Vec<Boosted>,
}

impl BoostingSet {
    /// The sequences, in the order of the targets.
    #[must_use]
    pub fn models(&self) -> &[Boosted] {
        &self.models
    }
}

#[cfg(test)]
mod tests;
