//! Measures of anomaly detection: alarms or scores against labels.
//!
//! | here | of | against |
//! |---|---|---|
//! | [`TsadScore`], [`TsadMetric`] | alarms | labelled windows, with Merlion's definitions |
//! | [`nab`] | scores | labelled windows, as the Numenta Anomaly Benchmark counts |
//! | [`volume`] | scores | labels with soft edges, over all thresholds: VUS-PR, VUS-ROC |
//! | [`affiliation`] | alarms | labels, by how near they are to each other in time |
//!
//! Point-wise counts reward whoever hits every point of a long anomaly; point-adjusted ones forgive all points of an anomaly that was
//! hit once, so that random alarms do well on long anomalies. Merlion's revision, the default, counts each anomaly once, and each
//! false alarm once.

pub mod affiliation;
mod error;
pub mod nab;
mod objective;
mod score;
pub mod volume;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use error::TsadError;
pub use score::{ScoreType, Tolerance, TsadScore};

use crate::nearest::nearest;

/// A measure of alarms against labels, under Merlion's names.
///
/// ```
/// use merlion::evaluate::TsadMetric;
/// assert_eq!("F1".parse(), Ok(TsadMetric::F1));
/// assert_eq!(serde_json::json!(TsadMetric::NabScoreLowFp), "NABScoreLowFP");
/// assert!("f1".parse::<TsadMetric>().is_err_and(|error| error.to_string().ends_with("did you mean 'F1'?")));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum TsadMetric {
    /// Mean time from the beginning of a detected anomaly to its first alarm, in whole seconds: the less, the better.
    MeanTimeToDetect,
    /// Harmonic mean of precision and recall, revised point-adjusted.
    F1,
    /// Detected anomalies among detected anomalies and false alarms.
    Precision,
    /// Detected anomalies among all anomalies.
    Recall,
    /// Harmonic mean of precision and recall, point by point.
    PointwiseF1,
    /// Alarms that are right.
    PointwisePrecision,
    /// Anomalous points that raise an alarm.
    PointwiseRecall,
    /// Harmonic mean of precision and recall, where one alarm in an anomaly stands for all of its points.
    PointAdjustedF1,
    /// Alarms that are right, where one alarm in an anomaly stands for all of its points.
    PointAdjustedPrecision,
    /// Points of detected anomalies among those of all.
    PointAdjustedRecall,
    /// Merlion's NAB score, standard profile: from 0 for no alarm to 1.
    NabScore,
    /// Merlion's NAB score where a missed anomaly costs double.
    NabScoreLowFn,
    /// Merlion's NAB score where a false alarm costs double.
    NabScoreLowFp,
    /// Harmonic mean of precision and recall in which recall counts double.
    F2,
    /// Harmonic mean of precision and recall in which recall counts five times.
    F5,
}

impl TsadMetric {
    /// All metrics, in the order of the documentation.
    pub const ALL: [Self; 15] = [
        Self::MeanTimeToDetect,
        Self::F1,
        Self::Precision,
        Self::Recall,
        Self::PointwiseF1,
        Self::PointwisePrecision,
        Self::PointwiseRecall,
        Self::PointAdjustedF1,
        Self::PointAdjustedPrecision,
        Self::PointAdjustedRecall,
        Self::NabScore,
        Self::NabScoreLowFn,
        Self::NabScoreLowFp,
        Self::F2,
        Self::F5,
    ];

    /// The name in JSON, which is Merlion's.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MeanTimeToDetect => "MeanTimeToDetect",
            Self::F1 => "F1",
            Self::Precision => "Precision",
            Self::Recall => "Recall",
            Self::PointwiseF1 => "PointwiseF1",
            Self::PointwisePrecision => "PointwisePrecision",
            Self::PointwiseRecall => "PointwiseRecall",
            Self::PointAdjustedF1 => "PointAdjustedF1",
            Self::PointAdjustedPrecision => "PointAdjustedPrecision",
            Self::PointAdjustedRecall => "PointAdjustedRecall",
            Self::NabScore => "NABScore",
            Self::NabScoreLowFn => "NABScoreLowFN",
            Self::NabScoreLowFp => "NABScoreLowFP",
            Self::F2 => "F2",
            Self::F5 => "F5",
        }
    }

    /// Whether more is better, which it is but for the time to detect.
    #[must_use]
    pub const fn more_is_better(self) -> bool {
        !matches!(self, Self::MeanTimeToDetect)
    }

    /// The metric of these counts.
    #[must_use]
    pub fn value(self, score: &TsadScore) -> f64 {
        use ScoreType::{PointAdjusted, Pointwise, RevisedPointAdjusted};
        match self {
            Self::MeanTimeToDetect => score.mean_time_to_detect(),
            Self::F1 => score.f_beta(RevisedPointAdjusted, 1.0),
            Self::Precision => score.precision(RevisedPointAdjusted),
            Self::Recall => score.recall(RevisedPointAdjusted),
            Self::PointwiseF1 => score.f_beta(Pointwise, 1.0),
            Self::PointwisePrecision => score.precision(Pointwise),
            Self::PointwiseRecall => score.recall(Pointwise),
            Self::PointAdjustedF1 => score.f_beta(PointAdjusted, 1.0),
            Self::PointAdjustedPrecision => score.precision(PointAdjusted),
            Self::PointAdjustedRecall => score.recall(PointAdjusted),
            Self::NabScore => score.nab_score(&nab::Profile::STANDARD),
            Self::NabScoreLowFn => score.nab_score(&nab::Profile::LOW_FN),
            Self::NabScoreLowFp => score.nab_score(&nab::Profile::LOW_FP),
            Self::F2 => score.f_beta(RevisedPointAdjusted, 2.0),
            Self::F5 => score.f_beta(RevisedPointAdjusted, 5.0),
        }
    }
}

impl fmt::Display for TsadMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl From<TsadMetric> for &'static str {
    fn from(metric: TsadMetric) -> Self {
        metric.name()
    }
}

impl FromStr for TsadMetric {
    type Err = TsadError;

    /// Reads `F1`, or `TSADMetric.F1` as Merlion's ensembles write it.
    fn from_str(text: &str) -> Result<Self, TsadError> {
        let name = text.strip_prefix("TSADMetric.").unwrap_or(text);
        Self::ALL.into_iter().find(|metric| metric.name() == name).ok_or_else(|| TsadError::Unknown {
            name: text.to_owned(),
            nearest: nearest(name, Self::ALL.map(Self::name)).map(str::to_owned),
        })
    }
}

impl TryFrom<String> for TsadMetric {
    type Error = TsadError;

    fn try_from(text: String) -> Result<Self, TsadError> {
        text.parse()
    }
}

/// The maximal runs of `true`, as ranges of positions.
pub(crate) fn runs(labels: &[bool]) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for (position, _) in labels.iter().enumerate().filter(|(_, label)| **label) {
        match runs.last_mut() {
            Some(run) if run.end == position => run.end += 1,
            _ => runs.push(position..position + 1),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for metric in TsadMetric::ALL {
            assert_eq!(metric.name().parse(), Ok(metric));
            assert_eq!(serde_json::from_value::<TsadMetric>(serde_json::json!(metric)).unwrap(), metric);
        }
        assert_eq!("TSADMetric.PointwiseF1".parse(), Ok(TsadMetric::PointwiseF1));
    }

    #[test]
    fn runs_of_labels_are_maximal() {
        let labels = [true, true, false, true, false, false, true];
        assert_eq!(runs(&labels), [0..2, 3..4, 6..7]);
        assert!(runs(&[false; 3]).is_empty() && runs(&[]).is_empty());
    }
}
