//! Random forests and extremely randomised trees for one target or several at once.
//!
//! - Breiman, "Random Forests", Machine Learning 45 (2001): each tree learns from a sample of the rows, drawn with replacement, and
//!   takes at each node the best of all thresholds.
//! - Geurts, Ernst & Wehenkel, "Extremely randomized trees", Machine Learning 63 (2006): each tree learns from all rows, and takes
//!   at each node the best of one random threshold for each feature.
//!
//! The best split leaves the smallest sum of squared deviations from the means of the two sides, over all targets. As in
//! scikit-learn (`RandomForestRegressor`, `ExtraTreesRegressor`), whose defaults these are, every feature is looked at, trees are
//! grown until a leaf's rows are alike, and the forecast is the mean of the trees. Of splits that are equally good a random feature's
//! is taken.

mod exact;
mod random;
mod targets;

use serde::Serialize;

use self::targets::Targets;
use super::Tree;
use crate::math::rng;
use crate::models::{FitContext, ModelError};

/// Which rows a tree learns from, and which thresholds it tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// Rows drawn with replacement, every threshold: a random forest.
    Bootstrap,
    /// All rows, one random threshold for each feature: extremely randomised trees.
    Thresholds,
}

/// How to grow a forest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForestSettings {
    /// Number of trees.
    pub trees: usize,
    /// What is random.
    pub sampling: Sampling,
    /// Splits on the way from the root to a leaf, at most; `None` for any number.
    pub max_depth: Option<usize>,
    /// Different rows a node must have to be split.
    pub min_samples_split: usize,
    /// Seed of everything random. Each tree has a stream of its own.
    pub seed: u64,
}

/// Separates the streams of forests from others with the same seed.
const STREAM: u64 = 0x7265_6573;

impl ForestSettings {
    /// Learns from columns of the same length.
    ///
    /// # Errors
    /// The context's reasons to stop.
    pub fn fit(&self, columns: &[&[f64]], targets: &[&[f64]], context: &FitContext) -> Result<Forest, ModelError> {
        let targets = Targets::new(targets);
        let sorted = match self.sampling {
            Sampling::Bootstrap => exact::Sorted::new(columns, context)?,
            Sampling::Thresholds => exact::Sorted::default(),
        };
        let grow = |number: usize| {
            let mut rng = rng::stream(self.seed, STREAM ^ ((number as u64) << 32));
            match self.sampling {
                Sampling::Bootstrap => exact::grow(columns, &sorted, &targets, self, &mut rng, context),
                Sampling::Thresholds => random::grow(columns, &targets, self, &mut rng, context),
            }
        };
        Ok(Forest { trees: (0..self.trees).map(grow).collect::<Result<_, _>>()?, outputs: targets.outputs() })
    }

    /// Whether a node of so many different rows at this depth may be split.
    fn may_split(&self, rows: usize, depth: usize) -> bool {
        rows >= self.min_samples_split.max(2) && self.max_depth.is_none_or(|max| depth < max)
    }
}

/// A forest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forest {
    trees: Vec<Tree>,
    outputs: usize,
}

impl Forest {
    /// The prediction of every target for one row of features.
    pub fn predict(&self, features: &[f64], outputs: &mut [f64]) {
        outputs.fill(0.0);
        for tree in &self.trees {
            for (output, value) in outputs.iter_mut().zip(tree.predict(features)) {
                *output += value;
            }
        }
        for output in outputs {
            *output /= self.trees.len() as f64;
        }
    }

    /// The trees.
    #[must_use]
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// How many targets it predicts.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }
}

/// A node that is not finished.
#[derive(Debug, Clone, Copy)]
struct Open {
    node: usize,
    start: usize,
    end: usize,
    depth: usize,
}

/// The best split seen so far.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    gain: f64,
    feature: usize,
    threshold: f64,
    /// Features with this gain so far.
    ties: usize,
}

/// The better of two splits of different features. Equals are drawn among: lags of one series often divide the rows in the same
/// way, and always taking the first would favour the oldest.
fn better(best: Option<Candidate>, next: Candidate, rng: &mut impl rand::Rng) -> Candidate {
    match best {
        Some(best) if next.gain < best.gain => best,
        Some(best) if next.gain == best.gain => {
            let ties = best.ties + 1;
            let chosen = if rng::below(rng, ties) == 0 { next } else { best };
            Candidate { ties, ..chosen }
        }
        _ => next,
    }
}

#[cfg(test)]
mod tests;
