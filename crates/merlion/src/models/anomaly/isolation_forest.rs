//! Isolation forest (Liu, Ting & Zhou 2008, "Isolation forest", ICDM): points that random cuts soon leave alone are strange.
//!
//! ```text
//! s(x) = 2^(-E[h(x)] / c(ψ))
//! c(n) = 2 (ln(n - 1) + γ) - 2 (n - 1) / n
//! ```
//!
//! with the path length `h(x)` from the root of a tree to where `x` ends, averaged over the trees, and the sample size `ψ` of each. A path
//! that ends at several points because the tree is as deep as it may be, `log2 ψ`, goes on for their `c(n)`.

mod tree;

use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::difference_shingle;
use crate::math::rng;
use crate::math::rows::Rows;
use crate::models::{Capabilities, Detector, FitContext, FittedDetector, ModelError, Observations, Scores};
use crate::postprocess::Supervision;
use crate::transform::TransformSpec;
use tree::{Tree, mean_path};

/// The random streams of the trees.
const STREAM: u64 = 0x6973_6f6c_6174_6500;

/// How many rows a tree is grown on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SampleSize {
    /// So many, or all if there are fewer.
    Count(usize),
    /// This part of them.
    Share(f64),
}

/// Points that random cuts soon leave alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct IsolationForest {
    /// Rows per tree: a whole number, or a part of them. All of them by default, as in Merlion; the paper found 256 to be enough.
    pub max_n_samples: Option<SampleSize>,
    /// How many trees. 100, after which the paper found averages to have settled.
    pub n_estimators: usize,
    /// Accepted for Merlion's sake: a series is trained on one thread, many series on many.
    pub n_jobs: i64,
}

impl Default for IsolationForest {
    fn default() -> Self {
        Self { max_n_samples: None, n_estimators: 100, n_jobs: -1 }
    }
}

impl IsolationForest {
    fn sample_size(&self, rows: usize) -> usize {
        match self.max_n_samples {
            None => rows,
            Some(SampleSize::Count(count)) => count.min(rows),
            Some(SampleSize::Share(share)) => ((share * rows as f64) as usize).max(1),
        }
    }
}

impl Detector for IsolationForest {
    const NAME: &'static str = "IsolationForest";
    const SUMMARY: &'static str = "Points that random cuts soon leave alone";
    const CAPABILITIES: Capabilities = Capabilities {
        univariate_only: false,
        exogenous: false,
        even_sampling: false,
        standard_errors: false,
        online: false,
    };
    type Fitted = FittedIsolationForest;

    fn default_transform(&self) -> TransformSpec {
        difference_shingle(2)
    }

    /// Scores are at most 1.
    fn max_score(&self) -> f64 {
        1.0
    }

    fn validate(&self) -> Result<(), ModelError> {
        let invalid = |parameter, value: String, reason: &str| {
            Err(ModelError::InvalidParameter { model: Self::NAME, parameter, value, reason: reason.to_owned() })
        };
        match self.max_n_samples {
            Some(SampleSize::Count(0)) => {
                return invalid("max_n_samples", "0".to_owned(), "must be at least 1");
            }
            Some(SampleSize::Share(share)) if !(share > 0.0 && share <= 1.0) => {
                return invalid("max_n_samples", share.to_string(), "a part must be above 0 and at most 1");
            }
            _ => {}
        }
        if self.n_estimators == 0 {
            return invalid("n_estimators", "0".to_owned(), "must be at least 1");
        }
        Ok(())
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        _: Option<&Supervision<'_>>,
        context: &FitContext,
    ) -> Result<FittedIsolationForest, ModelError> {
        let rows = Rows::from_columns(input.columns);
        let n = rows.len();
        if n < 2 {
            return Err(ModelError::TooShort { got: n, needed: 2 });
        }
        let size = self.sample_size(n);
        let deepest = size.max(2).next_power_of_two().ilog2() as usize;
        let mut trees = Vec::with_capacity(self.n_estimators);
        let mut paths = vec![0.0; n];
        for number in 0..self.n_estimators {
            context.check()?;
            let mut stream = rng::stream(context.seed, STREAM + number as u64);
            let mut sample = sample(n, size, &mut stream);
            trees.push(Tree::grow(&rows, &mut sample, deepest, &mut paths, &mut stream));
        }
        let mut fitted =
            FittedIsolationForest { dim: rows.dim(), usual: mean_path(size), trees, train: Scores::default() };
        let scores = if size == n {
            // Every tree has seen every row, and knows where it ended.
            paths.iter().map(|path| fitted.score_of(*path)).collect()
        } else {
            fitted.scores(&rows, context)?
        };
        fitted.train = Scores::new(input.times, scores);
        Ok(fitted)
    }
}

/// `size` of `n` positions, each once.
fn sample(n: usize, size: usize, stream: &mut Pcg64) -> Vec<u32> {
    // Series are shorter than 2^32.
    let mut positions: Vec<u32> = (0..n as u32).collect();
    if size < n {
        for i in 0..size {
            positions.swap(i, i + rng::below(stream, n - i));
        }
        positions.truncate(size);
    }
    positions
}

/// A trained [`IsolationForest`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedIsolationForest {
    dim: usize,
    /// The mean path length in a tree of random points.
    usual: f64,
    trees: Vec<Tree>,
    #[serde(skip)]
    train: Scores,
}

impl FittedIsolationForest {
    /// The score of a row whose path lengths have this sum.
    fn score_of(&self, path: f64) -> f64 {
        // Trees of one row have no paths, and say nothing.
        if self.usual == 0.0 { 1.0 } else { (-path / (self.trees.len() as f64 * self.usual)).exp2() }
    }

    fn scores(&self, rows: &Rows, context: &FitContext) -> Result<Vec<f64>, ModelError> {
        let mut paths = vec![0.0; rows.len()];
        // Tree by tree, because one fits into the cache and a hundred do not.
        for tree in &self.trees {
            context.check()?;
            for (path, row) in paths.iter_mut().zip(rows.iter()) {
                *path += tree.path(row);
            }
        }
        Ok(paths.into_iter().map(|path| self.score_of(path)).collect())
    }
}

impl FittedDetector for FittedIsolationForest {
    fn train_scores(&self) -> Scores {
        self.train.clone()
    }

    fn score(
        &self,
        new: &Observations<'_>,
        _: Option<&Observations<'_>>,
        context: &FitContext,
    ) -> Result<Scores, ModelError> {
        super::check_dim(new, self.dim)?;
        Ok(Scores::new(new.times, self.scores(&Rows::from_columns(new.columns), context)?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{daily, detect, fit, noise};

    fn quiet(n: usize) -> Vec<f64> {
        (0..n).map(noise).collect()
    }

    #[test]
    fn a_spike_is_the_strangest_point() {
        let mut values = quiet(300);
        values[200] = 8.0;
        for samples in [json!(null), json!(64), json!(0.5)] {
            let model = json!({"name": "IsolationForest", "max_n_samples": samples});
            let raw = fit(&model, &daily(0, &values)).unwrap().train_detections().raw.clone();
            let strangest = (0..raw.len()).max_by(|&a, &b| raw[a].total_cmp(&raw[b])).unwrap();
            // Differences have no first value; the spike is in those of days 200 and 201, the return being in the shingle with the rise.
            assert!((199..=201).contains(&strangest), "{samples}: {strangest}");
            assert!(raw.iter().all(|score| (0.0..=1.0).contains(score)));
        }
    }

    #[test]
    fn new_rows_are_scored_as_training_rows_are() {
        let values = quiet(200);
        let fitted =
            fit(&json!({"name": "IsolationForest", "transform": {"name": "Identity"}}), &daily(0, &values)).unwrap();
        let again = fitted.detect(&daily(200, &values[..50]), None).unwrap();
        assert_eq!(again.raw, fitted.train_detections().raw[..50]);
    }

    #[test]
    fn two_rows_are_as_strange_as_each_other() {
        // Two rows, cut once: E[h] = 1 = c(2), so that both score 2^-1.
        let model = json!({"name": "IsolationForest", "transform": {"name": "Identity"}});
        let detections = fit(&model, &daily(0, &[1.0, 2.0])).unwrap().train_detections().raw.clone();
        assert_eq!(detections, [0.5, 0.5]);
        // Equal rows cannot be cut: they end at the root, whose path goes on for c(3).
        let equal = fit(&model, &daily(0, &[1.0; 3])).unwrap().train_detections().raw.clone();
        assert!(equal.iter().all(|score| (score - 0.5).abs() < 1e-12), "{equal:?}");
    }

    #[test]
    fn parameters_out_of_range_are_named() {
        for (parameter, value, message) in [
            ("max_n_samples", json!(0), "IsolationForest: max_n_samples = 0: must be at least 1"),
            ("max_n_samples", json!(1.5), "IsolationForest: max_n_samples = 1.5: a part must be above 0 and at most 1"),
            ("n_estimators", json!(0), "IsolationForest: n_estimators = 0: must be at least 1"),
        ] {
            let model = json!({"name": "IsolationForest", parameter: value});
            let error = detect(&model, &daily(0, &quiet(9)), &daily(9, &quiet(9))).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
