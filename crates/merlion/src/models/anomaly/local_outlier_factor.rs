//! Local outlier factor (Breunig et al. 2000, "LOF: identifying density-based local outliers", SIGMOD): points whose surroundings are
//! emptier than those of their neighbours are strange.
//!
//! With the `k` nearest training points `N(x)` and the distance `d_k(o)` of `o` to the last of its own:
//!
//! ```text
//! reach(x, o) = max(d_k(o), d(x, o))
//! lrd(x)      = 1 / (mean of reach(x, o) over o in N(x) + 1e-10)
//! LOF(x)      = mean of lrd(o) over o in N(x) / lrd(x)
//! ```
//!
//! A training point is not its own neighbour where `d_k` and `lrd` of the training data are found, but is where it is scored, as in
//! scikit-learn's `novelty` mode, which is Merlion's.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{check_dim, difference_shingle};
use crate::math::kd_tree::{KdTree, Minkowski, Neighbor};
use crate::math::rows::Rows;
use crate::models::{Capabilities, Detector, FitContext, FittedDetector, ModelError, Observations, Scores};
use crate::postprocess::Supervision;
use crate::transform::TransformSpec;

/// Points in a leaf of the tree: so many distances are computed at once that fewer would not be faster.
const LEAF: usize = 64;

/// Points whose surroundings are emptier than those of their neighbours. Its parameters are scikit-learn's, as in Merlion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LocalOutlierFactor {
    /// The number of neighbours, at most one less than there are training rows. 20 suits clusters from 20 points on.
    pub n_neighbors: usize,
    /// `auto`, `ball_tree`, `kd_tree` or `brute`. Neighbours are exact in all cases, so that it makes no difference here.
    pub algorithm: String,
    /// Accepted for Merlion's sake: it makes no difference to the scores.
    pub leaf_size: usize,
    /// `minkowski`, or one of its powers by name: `manhattan`, `euclidean`, `chebyshev`.
    pub metric: String,
    /// The power of the Minkowski distance: 2 is the Euclidean one.
    pub p: f64,
    /// Null: no metric that is offered has parameters other than `p`.
    pub metric_params: Option<Value>,
    /// Accepted for Merlion's sake: the part of outliers, which decides on a threshold of scikit-learn's that is not used.
    pub contamination: f64,
    /// Accepted for Merlion's sake: a series is trained on one thread, many series on many.
    pub n_jobs: i64,
    /// True: without it scikit-learn could not score new data.
    pub novelty: bool,
}

impl Default for LocalOutlierFactor {
    fn default() -> Self {
        Self {
            n_neighbors: 20,
            algorithm: "auto".to_owned(),
            leaf_size: 30,
            metric: "minkowski".to_owned(),
            p: 2.0,
            metric_params: None,
            contamination: 0.1,
            n_jobs: 1,
            novelty: true,
        }
    }
}

impl LocalOutlierFactor {
    fn minkowski(&self) -> Option<Minkowski> {
        match self.metric.as_str() {
            "minkowski" => Some(Minkowski::new(self.p)),
            "euclidean" | "l2" => Some(Minkowski::Euclidean),
            "manhattan" | "l1" | "cityblock" => Some(Minkowski::Manhattan),
            "chebyshev" | "infinity" => Some(Minkowski::Chebyshev),
            _ => None,
        }
    }
}

impl Detector for LocalOutlierFactor {
    const NAME: &'static str = "LocalOutlierFactor";
    /// Merlion's class, which its factory does not know (W-58).
    const ALIASES: &'static [&'static str] = &["LOF"];
    const SUMMARY: &'static str = "Points whose surroundings are emptier than those of their neighbours";
    const CAPABILITIES: Capabilities = Capabilities {
        univariate_only: false,
        exogenous: false,
        even_sampling: false,
        standard_errors: false,
        online: false,
    };
    type Fitted = FittedLocalOutlierFactor;

    fn default_transform(&self) -> TransformSpec {
        difference_shingle(2)
    }

    /// Merlion's, although scores are above 1: the calibrator then takes double the largest training score.
    fn max_score(&self) -> f64 {
        1.0
    }

    fn validate(&self) -> Result<(), ModelError> {
        let invalid = |parameter, value: String, reason: &str| {
            Err(ModelError::InvalidParameter { model: Self::NAME, parameter, value, reason: reason.to_owned() })
        };
        if self.n_neighbors == 0 {
            return invalid("n_neighbors", "0".to_owned(), "must be at least 1");
        }
        if !["auto", "ball_tree", "kd_tree", "brute"].contains(&self.algorithm.as_str()) {
            return invalid("algorithm", self.algorithm.clone(), "must be auto, ball_tree, kd_tree or brute");
        }
        if self.minkowski().is_none() {
            return invalid("metric", self.metric.clone(), "must be minkowski, euclidean, manhattan or chebyshev");
        }
        if self.p.is_nan() || self.p < 1.0 {
            return invalid("p", self.p.to_string(), "must be at least 1");
        }
        if let Some(parameters) = &self.metric_params {
            return invalid("metric_params", parameters.to_string(), "must be null");
        }
        if !(self.contamination > 0.0 && self.contamination <= 0.5) {
            return invalid("contamination", self.contamination.to_string(), "must be above 0 and at most 0.5");
        }
        if !self.novelty {
            return invalid("novelty", "false".to_owned(), "must be true, or new data could not be scored");
        }
        Ok(())
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        _: Option<&Supervision<'_>>,
        context: &FitContext,
    ) -> Result<FittedLocalOutlierFactor, ModelError> {
        let rows = Rows::from_columns(input.columns);
        let n = rows.len();
        if n < 2 {
            return Err(ModelError::TooShort { got: n, needed: 2 });
        }
        let k = self.n_neighbors.min(n - 1);
        let tree = KdTree::new(&rows, LEAF, self.minkowski().unwrap_or(Minkowski::Euclidean));
        let mut neighbors = Vec::with_capacity(n);
        for row in rows.iter() {
            context.check()?;
            // One more, because the row itself is among them.
            neighbors.push(tree.nearest(row, k + 1));
        }
        let others = |i: usize| neighbors[i].iter().filter(move |neighbor| neighbor.index != i).take(k);
        let reach: Vec<f64> = (0..n).map(|i| others(i).last().map_or(0.0, |last| last.distance)).collect();
        let density: Vec<f64> = (0..n).map(|i| density(others(i), &reach, k)).collect();
        let mut fitted =
            FittedLocalOutlierFactor { dim: rows.dim(), k, tree, reach, density, train: Scores::default() };
        let scores = neighbors.iter().map(|neighbors| fitted.factor(&neighbors[..k])).collect();
        fitted.train = Scores::new(input.times, scores);
        Ok(fitted)
    }
}

/// The local reachability density of a point with these `k` neighbours.
fn density<'a>(neighbors: impl Iterator<Item = &'a Neighbor>, reach: &[f64], k: usize) -> f64 {
    let sum: f64 = neighbors.map(|neighbor| neighbor.distance.max(reach[neighbor.index])).sum();
    // scikit-learn's guard for points that lie on each other.
    1.0 / (sum / k as f64 + 1e-10)
}

/// A trained [`LocalOutlierFactor`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedLocalOutlierFactor {
    dim: usize,
    /// The number of neighbours.
    k: usize,
    tree: KdTree,
    /// The distance of each training point to the last of its neighbours.
    reach: Vec<f64>,
    /// The local reachability density of each training point.
    density: Vec<f64>,
    #[serde(skip)]
    train: Scores,
}

impl FittedLocalOutlierFactor {
    fn factor(&self, neighbors: &[Neighbor]) -> f64 {
        let theirs: f64 = neighbors.iter().map(|neighbor| self.density[neighbor.index]).sum();
        theirs / self.k as f64 / density(neighbors.iter(), &self.reach, self.k)
    }
}

impl FittedDetector for FittedLocalOutlierFactor {
    fn train_scores(&self) -> Scores {
        self.train.clone()
    }

    fn score(
        &self,
        new: &Observations<'_>,
        _: Option<&Observations<'_>>,
        context: &FitContext,
    ) -> Result<Scores, ModelError> {
        check_dim(new, self.dim)?;
        let mut scores = Vec::with_capacity(new.len());
        for row in Rows::from_columns(new.columns).iter() {
            context.check()?;
            scores.push(self.factor(&self.tree.nearest(row, self.k)));
        }
        Ok(Scores::new(new.times, scores))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{daily, detect, fit};

    #[test]
    fn four_points_on_a_line_worked_out_by_hand() {
        // scikit-learn's own example: -1.1, 0.2, 101.1 and 0.3 with two neighbours.
        let model = json!({"name": "LOF", "n_neighbors": 2, "transform": {"name": "Identity"}});
        let fitted = fit(&model, &daily(0, &[-1.1, 0.2, 101.1, 0.3])).unwrap();
        // d_2 = 1.4, 1.3, 100.9, 1.4. Mean reaches: (1.3 → 1.3 to 0.2, 1.4 to 0.3) 1.35; (1.4, 1.4) 1.4; (100.9, 100.8) 100.85;
        // (1.3, 1.4) 1.35.
        let lrd = [1.0 / 1.35, 1.0 / 1.4, 1.0 / 100.85, 1.0 / 1.35];
        // As a new point, 100 has the neighbours 101.1, at 1.1 but not nearer than 100.9, and 0.3, at 99.7.
        let own = 1.0 / ((100.9 + 99.7) / 2.0);
        let expected = (lrd[2] + lrd[3]) / 2.0 / own;
        let score = fitted.detect(&daily(4, &[100.0]), None).unwrap().raw[0];
        assert!((score - expected).abs() < 1e-7, "{score}, expected {expected}");
    }

    #[test]
    fn what_is_as_dense_as_its_surroundings_scores_one() {
        let grid: Vec<f64> = (0..100).map(f64::from).collect();
        let model = json!({"name": "LocalOutlierFactor", "n_neighbors": 4, "transform": {"name": "Identity"}});
        let fitted = fit(&model, &daily(0, &grid)).unwrap();
        // In the middle, where every neighbourhood is the same.
        let new = fitted.detect(&daily(100, &[50.0, 150.0]), None).unwrap().raw;
        assert!(new[0] < 1.5 && new[1] > 10.0, "{new:?}");
    }

    #[test]
    fn points_on_each_other_have_a_score() {
        let mut values = vec![5.0; 40];
        values.extend((0..20).map(f64::from));
        let fitted = fit(&json!({"name": "LOF"}), &daily(0, &values)).unwrap();
        assert!(fitted.train_detections().raw.iter().all(|score| score.is_finite()));
        let constant = fit(&json!({"name": "LOF"}), &daily(0, &[3.0; 30])).unwrap();
        assert!(constant.train_detections().raw.iter().all(|score| (score - 1.0).abs() < 1e-9));
    }

    #[test]
    fn parameters_out_of_range_are_named() {
        for (parameter, value) in [
            ("n_neighbors", json!(0)),
            ("algorithm", json!("fast")),
            ("metric", json!("cosine")),
            ("p", json!(0.5)),
            ("metric_params", json!({"w": 1})),
            ("contamination", json!(0.7)),
            ("novelty", json!(false)),
        ] {
            let model = json!({"name": "LOF", parameter: value});
            let error = detect(&model, &daily(0, &[1.0, 2.0, 4.0]), &daily(3, &[1.0])).unwrap_err().to_string();
            assert!(error.starts_with(&format!("LocalOutlierFactor: {parameter} = ")), "{error}");
        }
    }
}
