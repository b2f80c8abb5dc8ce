//! Scores against labels over all thresholds, with soft edges: Paparrizos et al. (2022), "Volume under the surface: a new accuracy
//! evaluation measure for time-series anomaly detection", PVLDB 15(11), section 3.
//!
//! Around each anomaly from `s` to `e` a buffer of `ℓ / 2` values counts as partly anomalous:
//!
//! ```text
//! label_i    1 within an anomaly, √(1 - d / ℓ) at distance d ≤ ℓ / 2 from one (sums at most 1), 0 elsewhere
//! TP         Σ label_i over the alarms
//! P          (Σ label_i + number of anomalous values) / 2
//! recall     min(TP / P, 1) × part of the anomalies, with buffers, that have an alarm
//! precision  TP / number of alarms
//! FPR        (number of alarms - TP) / (n - P)
//! ```
//!
//! R-AUC-PR(ℓ) and R-AUC-ROC(ℓ) are the areas under the curves of precision over recall and recall over FPR, by the trapezoidal rule,
//! as the threshold passes all scores. VUS-PR and VUS-ROC are their means over ℓ = 0, 1, …, L: the volumes under the surfaces. A
//! detector that is one step late loses little, where a point-wise curve would lose everything.
//!
//! The authors' program samples 250 thresholds; here every score is one.

use super::{TsadError, runs};

/// Areas under the two curves, or volumes under the two surfaces.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Areas {
    /// Of precision over recall.
    pub pr: f64,
    /// Of recall over the false positive rate.
    pub roc: f64,
}

/// The volumes VUS-PR and VUS-ROC for buffers up to `longest` values, of which half are on either side of an anomaly. The paper takes
/// the length of the data's period, or of a typical anomaly.
///
/// ```
/// use merlion::evaluate::anomaly_metrics::volume::volumes;
/// let labels = [false, false, true, true, false, false];
/// let late = volumes(&labels, &[0.0, 0.0, 0.1, 0.9, 0.8, 0.0], 4)?;
/// let wrong = volumes(&labels, &[0.9, 0.8, 0.1, 0.0, 0.0, 0.0], 4)?;
/// assert!(late.pr > 0.8 && wrong.pr < 0.6);
/// # Ok::<(), merlion::evaluate::TsadError>(())
/// ```
///
/// # Errors
/// [`TsadError::Empty`] without an anomaly, [`TsadError::LengthMismatch`], [`TsadError::NotANumber`].
pub fn volumes(labels: &[bool], scores: &[f64], longest: usize) -> Result<Areas, TsadError> {
    let ranked = Ranked::new(labels, scores)?;
    let mut sum = Areas { pr: 0.0, roc: 0.0 };
    for length in 0..=longest {
        let areas = ranked.areas(length);
        sum.pr += areas.pr;
        sum.roc += areas.roc;
    }
    let lengths = (longest + 1) as f64;
    Ok(Areas { pr: sum.pr / lengths, roc: sum.roc / lengths })
}

/// The areas R-AUC-PR and R-AUC-ROC for one length of buffer.
///
/// # Errors
/// As [`volumes`].
pub fn range_areas(labels: &[bool], scores: &[f64], length: usize) -> Result<Areas, TsadError> {
    Ok(Ranked::new(labels, scores)?.areas(length))
}

struct Ranked<'a> {
    anomalies: Vec<std::ops::Range<usize>>,
    anomalous: usize,
    scores: &'a [f64],
    /// Positions, greatest score first.
    order: Vec<usize>,
}

impl<'a> Ranked<'a> {
    fn new(labels: &[bool], scores: &'a [f64]) -> Result<Self, TsadError> {
        if scores.len() != labels.len() {
            return Err(TsadError::LengthMismatch { what: "scores", got: scores.len(), expected: labels.len() });
        }
        if let Some(position) = scores.iter().position(|score| score.is_nan()) {
            return Err(TsadError::NotANumber { position });
        }
        let anomalies = runs(labels);
        if anomalies.is_empty() {
            return Err(TsadError::Empty { what: "anomalies" });
        }
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let anomalous = anomalies.iter().map(ExactSizeIterator::len).sum();
        Ok(Self { anomalies, anomalous, scores, order })
    }

    fn areas(&self, length: usize) -> Areas {
        let n = self.scores.len();
        let soft = self.soft_labels(length);
        // Anomalies whose buffers meet are one.
        let segments = runs(&soft.iter().map(|label| *label > 0.0).collect::<Vec<_>>());
        let mut segment_of = vec![usize::MAX; n];
        for (index, segment) in segments.iter().enumerate() {
            segment_of[segment.clone()].fill(index);
        }
        let mut hit = vec![false; segments.len()];
        let (mut tp, mut alarms, mut hits) = (0.0, 0.0, 0.0);
        let positives = (soft.iter().sum::<f64>() + self.anomalous as f64) / 2.0;
        let negatives = n as f64 - positives;
        let (mut recall, mut precision, mut fpr) = (0.0, 1.0, 0.0);
        let mut areas = Areas { pr: 0.0, roc: 0.0 };
        for group in self.order.chunk_by(|&a, &b| self.scores[a] == self.scores[b]) {
            for &position in group {
                tp += soft[position];
                if let Some(hit) = hit.get_mut(segment_of[position]).filter(|hit| !**hit) {
                    *hit = true;
                    hits += 1.0;
                }
            }
            alarms += group.len() as f64;
            let now = (
                (tp / positives).min(1.0) * hits / segments.len() as f64,
                tp / alarms,
                if negatives > 0.0 { (alarms - tp) / negatives } else { 0.0 },
            );
            areas.pr += (now.0 - recall) * (now.1 + precision) / 2.0;
            areas.roc += (now.2 - fpr) * (now.0 + recall) / 2.0;
            (recall, precision, fpr) = now;
        }
        // The last alarms are right in part, so that the curve ends before (1, 1).
        areas.roc += (1.0 - fpr) * (1.0 + recall) / 2.0;
        areas
    }

    fn soft_labels(&self, length: usize) -> Vec<f64> {
        let mut soft = vec![0.0; self.scores.len()];
        for anomaly in &self.anomalies {
            soft[anomaly.clone()].fill(1.0);
            for distance in 1..=length / 2 {
                let label = (1.0 - distance as f64 / length as f64).sqrt();
                for position in [anomaly.start.checked_sub(distance), Some(anomaly.end - 1 + distance)] {
                    if let Some(soft) = position.and_then(|position| soft.get_mut(position)) {
                        *soft = (*soft + label).min(1.0);
                    }
                }
            }
        }
        soft
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_with_a_buffer_worked_out_by_hand() {
        let labels = [false, false, true, false, false];
        let scores = [0.1, 0.2, 0.9, 0.3, 0.4];
        // ℓ = 2: soft labels 0, r, 1, r, 0 with r = √½; P = (1 + 2r + 1) / 2 = 1 + r.
        let r = 0.5_f64.sqrt();
        let p = 1.0 + r;
        // (recall, precision) after each score: the anomaly itself, then a miss, then its right and left neighbours.
        let curve = [(0.0, 1.0), (1.0 / p, 1.0), (1.0 / p, 0.5), (1.0, p / 3.0), (1.0, (p + r) / 4.0)];
        let expected: f64 = curve.windows(2).map(|pair| (pair[1].0 - pair[0].0) * (pair[1].1 + pair[0].1) / 2.0).sum();
        let areas = range_areas(&labels, &scores, 2).unwrap();
        assert!((areas.pr - expected).abs() < 1e-12, "{} vs {expected}", areas.pr);
        // False positive rates 0, 1, 2 - r, … over 4 - r negatives; recall is 1 / p up to the second alarm.
        let q = 5.0 - p;
        let curve = [
            (0.0, 0.0),
            (0.0, 1.0 / p),
            (1.0 / q, 1.0 / p),
            ((2.0 - r) / q, 1.0),
            ((3.0 - 2.0 * r) / q, 1.0),
            ((4.0 - 2.0 * r) / q, 1.0),
            (1.0, 1.0),
        ];
        let expected: f64 = curve.windows(2).map(|pair| (pair[1].0 - pair[0].0) * (pair[1].1 + pair[0].1) / 2.0).sum();
        assert!((areas.roc - expected).abs() < 1e-12, "{} vs {expected}", areas.roc);
    }

    #[test]
    fn without_a_buffer_the_areas_are_the_usual_ones() {
        let labels = [true, false, true, false];
        // Scores rank true, false, true, false.
        let areas = range_areas(&labels, &[0.9, 0.8, 0.7, 0.1], 0).unwrap();
        // Recall carries the part of anomalies that were hit: ½ · ½ after the first.
        let expected = 0.25 + 0.75 * (0.5 + 2.0 / 3.0) / 2.0;
        assert!((areas.pr - expected).abs() < 1e-12, "{} vs {expected}", areas.pr);
        // ¼ up to the first false alarm at a rate of ½, then 1.
        assert!((areas.roc - (0.5 * 0.25 + 0.5 * 1.0)).abs() < 1e-12, "{}", areas.roc);
        let perfect = range_areas(&[false, true, true], &[0.0, 1.0, 1.0], 0).unwrap();
        assert_eq!(perfect, Areas { pr: 1.0, roc: 1.0 });
    }

    #[test]
    fn the_volume_is_the_mean_of_the_areas() {
        let labels = [false, false, true, true, false, false, false, true];
        let scores = [0.3, 0.7, 0.2, 0.9, 0.8, 0.1, 0.5, 0.6];
        let areas: Vec<Areas> = (0..=4).map(|length| range_areas(&labels, &scores, length).unwrap()).collect();
        let volumes = volumes(&labels, &scores, 4).unwrap();
        assert!((volumes.pr - areas.iter().map(|area| area.pr).sum::<f64>() / 5.0).abs() < 1e-15);
        assert!((volumes.roc - areas.iter().map(|area| area.roc).sum::<f64>() / 5.0).abs() < 1e-15);
        assert!(areas[4].pr > areas[0].pr, "{areas:?}: neighbours of anomalies score high");
    }

    #[test]
    fn equal_scores_are_one_threshold() {
        // One alarm everywhere: recall 1 at precision ½, reached in one step from (0, 1).
        let areas = range_areas(&[true, false], &[7.0, 7.0], 0).unwrap();
        assert_eq!(areas.pr, 0.75);
        assert_eq!(areas.roc, 0.5);
    }

    #[test]
    fn what_cannot_be_ranked_is_an_error() {
        assert!(matches!(volumes(&[false; 2], &[1.0, 2.0], 3), Err(TsadError::Empty { .. })));
        assert!(matches!(volumes(&[true], &[1.0, 2.0], 3), Err(TsadError::LengthMismatch { got: 2, expected: 1, .. })));
        assert_eq!(volumes(&[true, false], &[1.0, f64::NAN], 3), Err(TsadError::NotANumber { position: 1 }));
        let all = volumes(&[true, true], &[1.0, 2.0], 3).unwrap();
        assert!(all.pr.is_finite() && all.roc.is_finite(), "{all:?}");
    }
}
