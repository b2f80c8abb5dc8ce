//! Distance to the nearest neighbours (Ramaswamy, Rastogi & Shim 2000, "Efficient algorithms for mining outliers from large data sets",
//! SIGMOD; Angiulli & Pizzuti 2002 for the mean): points far from all training points are strange.
//!
//! With a `Shingle` among the transforms, points are subsequences: `{"name": "KNN", "transform": {"name": "Shingle", "size": 24}}` looks
//! for days unlike any other.

use serde::{Deserialize, Serialize};

use super::{check_dim, difference_shingle};
use crate::math::kd_tree::{KdTree, Minkowski, Neighbor};
use crate::math::rows::Rows;
use crate::models::{Capabilities, Detector, FitContext, FittedDetector, ModelError, Observations, Scores};
use crate::postprocess::Supervision;
use crate::transform::TransformSpec;

/// Points in a leaf of the tree.
const LEAF: usize = 64;

/// What is made of the distances to the neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KnnMethod {
    /// The distance to the last of them.
    Largest,
    /// The mean.
    Mean,
    /// The median.
    Median,
}

/// Distance to the nearest training points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Knn {
    /// The number of neighbours, at most one less than there are training rows. 5, so that a few strange training points do not make
    /// others of their kind normal.
    pub n_neighbors: usize,
    /// `largest`, `mean` or `median` of the distances; the largest as in the first paper.
    pub method: KnnMethod,
    /// The power of the Minkowski distance: 2 is the Euclidean one.
    pub p: f64,
}

impl Default for Knn {
    fn default() -> Self {
        Self { n_neighbors: 5, method: KnnMethod::Largest, p: 2.0 }
    }
}

impl Detector for Knn {
    const NAME: &'static str = "KNN";
    const SUMMARY: &'static str = "Distance to the nearest training points";
    const CAPABILITIES: Capabilities = Capabilities {
        univariate_only: false,
        exogenous: false,
        even_sampling: false,
        standard_errors: false,
        online: false,
    };
    type Fitted = FittedKnn;

    /// That of the other detectors of points, so that they can be compared.
    fn default_transform(&self) -> TransformSpec {
        difference_shingle(2)
    }

    /// Distances have the unit of the data.
    fn max_score(&self) -> f64 {
        f64::MAX
    }

    fn validate(&self) -> Result<(), ModelError> {
        let invalid = |parameter, value: String| {
            let reason = "must be at least 1".to_owned();
            Err(ModelError::InvalidParameter { model: Self::NAME, parameter, value, reason })
        };
        if self.n_neighbors == 0 {
            return invalid("n_neighbors", "0".to_owned());
        }
        if self.p.is_nan() || self.p < 1.0 {
            return invalid("p", self.p.to_string());
        }
        Ok(())
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        _: Option<&Supervision<'_>>,
        context: &FitContext,
    ) -> Result<FittedKnn, ModelError> {
        let rows = Rows::from_columns(input.columns);
        let n = rows.len();
        if n < 2 {
            return Err(ModelError::TooShort { got: n, needed: 2 });
        }
        let k = self.n_neighbors.min(n - 1);
        let tree = KdTree::new(&rows, LEAF, Minkowski::new(self.p));
        let mut scores = Vec::with_capacity(n);
        for (i, row) in rows.iter().enumerate() {
            context.check()?;
            let mut neighbors = tree.nearest(row, k + 1);
            // Not the row itself; among more points on each other than are asked for, any one of them.
            let own = neighbors.iter().position(|neighbor| neighbor.index == i).unwrap_or(k);
            neighbors.remove(own);
            scores.push(score(&neighbors, self.method));
        }
        Ok(FittedKnn { dim: rows.dim(), k, method: self.method, tree, train: Scores::new(input.times, scores) })
    }
}

/// What is made of neighbours, nearest first, of whom there is at least one.
fn score(neighbors: &[Neighbor], method: KnnMethod) -> f64 {
    let k = neighbors.len();
    match method {
        KnnMethod::Largest => neighbors[k - 1].distance,
        KnnMethod::Mean => neighbors.iter().map(|neighbor| neighbor.distance / k as f64).sum(),
        KnnMethod::Median => f64::midpoint(neighbors[(k - 1) / 2].distance, neighbors[k / 2].distance),
    }
}

/// A trained [`Knn`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedKnn {
    dim: usize,
    k: usize,
    method: KnnMethod,
    tree: KdTree,
    #[serde(skip)]
    train: Scores,
}

impl FittedDetector for FittedKnn {
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
            scores.push(score(&self.tree.nearest(row, self.k), self.method));
        }
        Ok(Scores::new(new.times, scores))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{daily, fit};

    #[test]
    fn distances_worked_out_by_hand() {
        let train = daily(0, &[0.0, 1.0, 3.0, 7.0]);
        // 5 is 2 from 3 and from 7; 9 is 2 from 7 and 6 from 3.
        for (method, scores, new) in [
            ("largest", [3.0, 2.0, 3.0, 6.0], [2.0, 6.0]),
            ("mean", [2.0, 1.5, 2.5, 5.0], [2.0, 4.0]),
            ("median", [2.0, 1.5, 2.5, 5.0], [2.0, 4.0]),
        ] {
            let model = json!({"name": "KNN", "n_neighbors": 2, "method": method, "transform": {"name": "Identity"}});
            let fitted = fit(&model, &train).unwrap();
            assert_eq!(fitted.train_detections().raw, scores, "{method}");
            let detections = fitted.detect(&daily(4, &[5.0, 9.0]), None).unwrap();
            assert_eq!(detections.raw, new, "{method}");
        }
    }

    #[test]
    fn shingles_make_subsequences_of_points() {
        // A wave in which one crest comes as a trough: every value has been there before, their order has not.
        let wave = |t: u32| (f64::from(t) * std::f64::consts::TAU / 12.0).sin();
        let mut values: Vec<f64> = (0..240).map(wave).collect();
        for value in &mut values[150..156] {
            *value = -*value;
        }
        let model = json!({"name": "KNN", "n_neighbors": 1, "transform": {"name": "Shingle", "size": 12}});
        let raw = fit(&model, &daily(0, &values)).unwrap().train_detections().raw.clone();
        let strangest = (0..240).max_by(|&a, &b| raw[a].total_cmp(&raw[b])).unwrap();
        assert!((150..168).contains(&strangest), "{strangest}");
        let single = json!({"name": "KNN", "n_neighbors": 1, "transform": {"name": "Identity"}});
        let raw = fit(&single, &daily(0, &values)).unwrap().train_detections().raw.clone();
        assert!(raw[150..168].iter().all(|score| *score < 1e-9), "no value alone is strange");
    }
}
