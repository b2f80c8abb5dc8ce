//! What happens to anomaly scores after a detector gave them: a calibrator turns them into z-scores, and a threshold leaves those
//! that deserve an alarm. Both learn from the scores of the training data. The JSON is Merlion's.

mod adaptive_aggregate_alarms;
mod adaptive_threshold;
mod aggregate_alarms;
mod anom_score_calibrator;
mod json;
mod post_rule;
mod supervision;
mod threshold;
mod threshold_rule;

pub use adaptive_aggregate_alarms::AdaptiveAggregateAlarms;
pub use adaptive_threshold::AdaptiveThreshold;
pub use aggregate_alarms::AggregateAlarms;
pub use anom_score_calibrator::{AnomScoreCalibrator, Calibration};
pub use post_rule::{FittedPostRule, PostRule};
pub use supervision::{Labels, Objective, Supervision, Training};
pub use threshold::Threshold;
pub use threshold_rule::{AlarmRule, ThresholdRule};

/// Nanoseconds of a minute.
const MINUTE: f64 = 60e9;

/// Minutes as nanoseconds; a span beyond what time stamps can tell is the longest there is.
#[expect(clippy::cast_possible_truncation, reason = "a conversion to integers saturates")]
fn minutes(minutes: f64) -> i64 {
    (minutes * MINUTE).round() as i64
}
