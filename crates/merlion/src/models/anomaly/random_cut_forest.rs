//! Random cut forest (Guha, Mishra, Roy & Schrijvers 2016, "Robust random cut forest based anomaly detection on streams", ICML): trees of
//! random cuts that follow a stream, and points that would stand near their roots.
//!
//! A cut falls on an axis with a probability in proportion to the width of the points along it, so that axes without meaning matter
//! little. Each tree keeps a sample of the stream, in which a point counts `exp(-λ)` times as much as the one after it, with
//! `λ = 1 / (10 · max_n_samples)`. The score is the one of Amazon's implementation, which Merlion runs: the expected inverse depth at which a
//! point would be if it were put into the tree, see `tree.rs`, averaged over the trees; 0 until a quarter of the sample is there.
//!
//! Training scores every row before it goes in, so that they are scores of rows that were not known.

mod sampler;
mod tree;

use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::{check_dim, difference_shingle};
use crate::math::rng;
use crate::math::rows::Rows;
use crate::models::{Capabilities, Detector, FitContext, FittedDetector, ModelError, Observations, Scores};
use crate::postprocess::{AggregateAlarms, Supervision, ThresholdRule};
use crate::time::Timestamp;
use crate::transform::TransformSpec;
use sampler::{Decision, Sampler};
use tree::Tree;

/// The random streams of the trees.
const STREAM: u64 = 0x6375_7466_6f72_6500;

/// The part of the sample that must be there before anything is scored, as in Amazon's implementation.
const OUTPUT_AFTER: f64 = 0.25;

/// Points that would stand near the roots of random trees, on a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RandomCutForest {
    /// How many trees; 100 as in Merlion.
    pub n_estimators: usize,
    /// Accepted for Merlion's sake: a series is trained on one thread, many series on many.
    pub parallel: bool,
    /// The seed; by default it is the job's, and differs from series to series.
    pub seed: Option<u64>,
    /// How many rows each tree keeps; 512 as in Merlion.
    pub max_n_samples: usize,
    /// Accepted for Merlion's sake, as `parallel`.
    pub thread_pool_size: usize,
    /// Whether rows that are scored go into the trees. Those of an update always do.
    pub online_updates: bool,
}

impl Default for RandomCutForest {
    fn default() -> Self {
        Self {
            n_estimators: 100,
            parallel: false,
            seed: None,
            max_n_samples: 512,
            thread_pool_size: 1,
            online_updates: false,
        }
    }
}

impl Detector for RandomCutForest {
    const NAME: &'static str = "RandomCutForest";
    const SUMMARY: &'static str = "Points that would stand near the roots of random trees, on a stream";
    const CAPABILITIES: Capabilities = Capabilities {
        univariate_only: false,
        exogenous: false,
        even_sampling: false,
        standard_errors: false,
        online: true,
    };
    type Fitted = FittedRandomCutForest;

    fn default_transform(&self) -> TransformSpec {
        difference_shingle(5)
    }

    fn default_threshold(&self, calibrated: bool) -> Option<ThresholdRule> {
        let threshold = if calibrated { 3.0 } else { self.max_score() / 5.0 };
        Some(AggregateAlarms::at(threshold).into())
    }

    /// The logarithm with which scores are scaled.
    fn max_score(&self) -> f64 {
        f64::from(self.max_n_samples.max(1).ilog2()) + 1.0
    }

    fn validate(&self) -> Result<(), ModelError> {
        for (parameter, value) in [("n_estimators", self.n_estimators), ("max_n_samples", self.max_n_samples)] {
            if value == 0 {
                let (value, reason) = (value.to_string(), "must be at least 1".to_owned());
                return Err(ModelError::InvalidParameter { model: Self::NAME, parameter, value, reason });
            }
        }
        Ok(())
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        _: Option<&Supervision<'_>>,
        context: &FitContext,
    ) -> Result<FittedRandomCutForest, ModelError> {
        let rows = Rows::from_columns(input.columns);
        let mut forest = Forest::new(self, rows.dim(), self.seed.unwrap_or(context.seed));
        let scores = forest.follow(&rows, context)?;
        let last = input.times.last().copied();
        let train = Scores::new(input.times, scores);
        Ok(FittedRandomCutForest { online_updates: self.online_updates, forest, last, train })
    }
}

/// A tree, the sample it is made of, and its random stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Sampled {
    tree: Tree,
    sampler: Sampler,
    #[serde(skip)]
    stream: Pcg64,
}

/// Trees that follow a stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Forest {
    dim: usize,
    trees: Vec<Sampled>,
    /// Points of the stream so far.
    seen: usize,
    /// Points of the stream before anything is scored.
    output_after: usize,
}

impl Forest {
    fn new(model: &RandomCutForest, dim: usize, seed: u64) -> Self {
        let size = model.max_n_samples;
        let decay = 1.0 / (10.0 * size as f64);
        let tree = |number| Sampled {
            tree: Tree::new(dim),
            sampler: Sampler::new(size, decay),
            stream: rng::stream(seed, STREAM + number as u64),
        };
        let trees = (0..model.n_estimators).map(tree).collect();
        Self { dim, trees, seen: 0, output_after: (OUTPUT_AFTER * size as f64) as usize }
    }

    fn score(&self, row: &[f64], way: &mut Vec<usize>) -> f64 {
        if self.seen < self.output_after {
            return 0.0;
        }
        let sum: f64 = self.trees.iter().map(|sampled| sampled.tree.score(row, way)).sum();
        sum / self.trees.len() as f64
    }

    fn insert(&mut self, row: &[f64]) {
        for Sampled { tree, sampler, stream } in &mut self.trees {
            if let Decision::Accepted { rank, evicted } = sampler.offer(self.seen, stream) {
                if let Some(leaf) = evicted {
                    tree.remove(leaf);
                }
                let leaf = tree.insert(row, stream);
                sampler.accept(rank, leaf);
            }
        }
        self.seen += 1;
    }

    /// Scores each row, and then puts it in.
    fn follow(&mut self, rows: &Rows, context: &FitContext) -> Result<Vec<f64>, ModelError> {
        let mut way = Vec::new();
        let mut scores = Vec::with_capacity(rows.len());
        for row in rows.iter() {
            context.check()?;
            scores.push(self.score(row, &mut way));
            self.insert(row);
        }
        Ok(scores)
    }
}

/// A trained [`RandomCutForest`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedRandomCutForest {
    online_updates: bool,
    forest: Forest,
    /// The time up to which rows have gone in.
    last: Option<Timestamp>,
    #[serde(skip)]
    train: Scores,
}

impl FittedDetector for FittedRandomCutForest {
    fn train_scores(&self) -> Scores {
        self.train.clone()
    }

    /// With `online_updates`, rows after the training data go in as they are scored, for the sake of those after them; the detector itself
    /// changes by [`FittedDetector::update`] alone.
    fn score(
        &self,
        new: &Observations<'_>,
        _: Option<&Observations<'_>>,
        context: &FitContext,
    ) -> Result<Scores, ModelError> {
        check_dim(new, self.forest.dim)?;
        let rows = Rows::from_columns(new.columns);
        let known = new.times.partition_point(|t| self.last.is_some_and(|last| *t <= last));
        let mut own = self.online_updates.then(|| self.forest.clone());
        let mut way = Vec::new();
        let mut scores = Vec::with_capacity(rows.len());
        for (i, row) in rows.iter().enumerate() {
            context.check()?;
            scores.push(own.as_ref().unwrap_or(&self.forest).score(row, &mut way));
            if let Some(forest) = own.as_mut().filter(|_| i >= known) {
                forest.insert(row);
            }
        }
        Ok(Scores::new(new.times, scores))
    }

    fn update(&mut self, new: &Observations<'_>, context: &FitContext) -> Result<(), ModelError> {
        check_dim(new, self.forest.dim)?;
        for (row, time) in Rows::from_columns(new.columns).iter().zip(new.times) {
            context.check()?;
            if self.last.is_none_or(|last| *time > last) {
                self.forest.insert(row);
                self.last = Some(*time);
            }
        }
        Ok(())
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
        let mut values = quiet(400);
        values[300] = 6.0;
        let raw = fit(&json!({"name": "RandomCutForest"}), &daily(0, &values)).unwrap().train_detections().raw.clone();
        // 399 differences, of which the first quarter of 512 is not scored.
        assert!(raw[..128].iter().all(|score| *score == 0.0) && raw[128..].iter().all(|score| *score > 0.0));
        let strangest = (0..raw.len()).max_by(|&a, &b| raw[a].total_cmp(&raw[b])).unwrap();
        assert!((299..305).contains(&strangest), "{strangest}");
    }

    #[test]
    fn a_new_level_becomes_normal_with_updates_only() {
        let train = quiet(300);
        let test: Vec<f64> = (0..400).map(|t| 10.0 + noise(t + 5_000)).collect();
        let last = |online: bool| {
            let model = json!({
                "name": "RandomCutForest", "online_updates": online, "max_n_samples": 128, "transform": {"name": "Identity"},
            });
            let raw = detect(&model, &daily(0, &train), &daily(300, &test)).unwrap().raw;
            (raw[0], raw[399])
        };
        let ((first, learned), (same, still)) = (last(true), last(false));
        assert_eq!(first, same);
        assert!(learned < 0.5 * first, "{learned} after {first}");
        assert!(still > 0.5 * first, "{still} after {first}");
    }

    #[test]
    fn an_update_is_what_scoring_would_have_done() {
        let (train, later) = (quiet(200), (0..100).map(|t| noise(t + 900)).collect::<Vec<_>>());
        let model = json!({"name": "RandomCutForest", "online_updates": true, "max_n_samples": 64, "transform": {"name": "Identity"}});
        let mut fitted = fit(&model, &daily(0, &train)).unwrap();
        let at_once = fitted.detect(&daily(200, &later), None).unwrap().raw;
        assert_eq!(fitted.detect(&daily(200, &later), None).unwrap().raw, at_once, "scoring changes nothing");
        fitted.update(&daily(200, &later[..60])).unwrap();
        assert_eq!(fitted.detect(&daily(260, &later[60..]), None).unwrap().raw, at_once[60..]);
    }

    #[test]
    fn the_seed_is_the_jobs_unless_it_is_given() {
        let scores = |model| fit(&model, &daily(0, &quiet(200))).unwrap().train_detections().raw.clone();
        let default = scores(json!({"name": "RandomCutForest"}));
        assert_eq!(default, scores(json!({"name": "RandomCutForest", "seed": 0})), "the job's seed is 0 here");
        assert_ne!(default, scores(json!({"name": "RandomCutForest", "seed": 1})));
    }

    #[test]
    fn parameters_out_of_range_are_named() {
        for parameter in ["n_estimators", "max_n_samples"] {
            let error = fit(&json!({"name": "RandomCutForest", parameter: 0}), &daily(0, &quiet(9))).unwrap_err();
            assert_eq!(error.to_string(), format!("RandomCutForest: {parameter} = 0: must be at least 1"));
        }
    }
}
