//! Windows of the week: an observation against those of the same time of day on the same weekday before.
//!
//! The training data is cut into windows of `wind_sz` minutes. With `μ_d` and `σ_d` the mean and standard deviation in the window
//! of the observation's weekday and time of day on the day `d`, and of those days the latest `max_day`,
//!
//! ```text
//! s_t = (x_t - μ_d) / σ_d     for the day d that makes it smallest in magnitude, and 0 where σ_d = 0
//! ```
//!
//! Merlion takes the days with the largest day of the year for the latest ones, which goes wrong over New Year.

pub(super) mod table;

use serde::{Deserialize, Serialize};

use crate::models::{Capabilities, Detector, FitContext, FittedDetector, ModelError, Observations, Scores};
use crate::postprocess::{AggregateAlarms, Supervision, ThresholdRule};
use crate::time::Timestamp;
use crate::transform::{DifferenceTransform, TransformSpec};
use table::Table;

/// Comparison with the same time of day on the same weekday of some weeks before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WindStats {
    /// Length of a window in minutes; 30 as in Merlion.
    pub wind_sz: i64,
    /// How many of the latest days are compared with; 4 as in Merlion.
    pub max_day: usize,
}

impl Default for WindStats {
    fn default() -> Self {
        Self { wind_sz: 30, max_day: 4 }
    }
}

impl Detector for WindStats {
    const NAME: &'static str = "WindStats";
    const SUMMARY: &'static str = "Comparison with the same time of day on the same weekday of some weeks before";
    const CAPABILITIES: Capabilities = table::CAPABILITIES;
    const QUANTILE: bool = false;
    type Fitted = FittedWindStats;

    fn default_transform(&self) -> TransformSpec {
        DifferenceTransform::default().into()
    }

    fn default_threshold(&self, calibrated: bool) -> Option<ThresholdRule> {
        Some(table::threshold(self.wind_sz, calibrated))
    }

    fn validate(&self) -> Result<(), ModelError> {
        table::validate(Self::NAME, self.wind_sz, self.max_day)
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        _: Option<&Supervision<'_>>,
        _: &FitContext,
    ) -> Result<FittedWindStats, ModelError> {
        let table = Table::new(input, self.wind_sz, self.max_day, weekday);
        Ok(FittedWindStats { train: table.scores(input, weekday), table })
    }
}

/// Days since Monday.
fn weekday(t: Timestamp) -> i64 {
    // The epoch was a Thursday.
    (t.days() + 3).rem_euclid(7)
}

/// A trained [`WindStats`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedWindStats {
    table: Table,
    #[serde(skip)]
    train: Scores,
}

impl FittedDetector for FittedWindStats {
    fn train_scores(&self) -> Scores {
        self.train.clone()
    }

    fn score(
        &self,
        new: &Observations<'_>,
        _: Option<&Observations<'_>>,
        _: &FitContext,
    ) -> Result<Scores, ModelError> {
        Ok(self.table.scores(new, weekday))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{every, fit, noise};
    use super::*;

    /// Ten-minute values of a week's rhythm.
    fn rhythm(weeks: std::ops::Range<usize>) -> Vec<f64> {
        (weeks.start * 1008..weeks.end * 1008).map(|t| ((t / 144) % 7 * 10) as f64 + noise(t)).collect()
    }

    #[test]
    fn an_observation_is_compared_with_its_weekday() {
        let model = json!({"name": "WindStats", "transform": "Identity", "enable_calibrator": false});
        let fitted = fit(&model, &every(600, 0, &rhythm(0..4))).unwrap();
        let mut week = rhythm(4..5);
        week[300] = week[900];
        let scores = fitted.detect(&every(600, 4 * 1008, &week), None).unwrap();
        let strange: Vec<usize> = (0..1008).filter(|&t| scores.raw[t].abs() > 20.0).collect();
        assert_eq!(strange, [300], "{:?}", scores.raw[300]);
        let normal = scores.normal.unwrap();
        assert!((normal.expected[300] - 20.0).abs() < 1.0, "the value of the third day, not {}", normal.expected[300]);
    }

    #[test]
    fn the_latest_days_are_kept_over_new_year() {
        // Mondays of 2018-12-03 to 2019-01-28, a value every ten minutes from midnight to one.
        let first = Timestamp::from_seconds(1_543_795_200).unwrap();
        let mut times = Vec::new();
        let mut values = Vec::new();
        for week in 0..9 {
            for k in 0..6 {
                times.push(first.checked_add((week * 7 * 86_400 + k * 600) * 1_000_000_000).unwrap());
                values.push((100 * week + k) as f64);
            }
        }
        let series = crate::series::TimeSeries::from_columns(times.clone(), vec![("y".into(), values)]).unwrap();
        let model = json!({"name": "WindStats", "transform": "Identity", "wind_sz": 60, "max_day": 2});
        let state = fit(&model, &series).unwrap().state();
        let days: Vec<f64> = state["model"]["table"]["groups"][0]["days"]
            .as_array()
            .unwrap()
            .iter()
            .map(|day| day["mean"].as_f64().unwrap())
            .collect();
        assert_eq!(days, [702.5, 802.5]);
    }

    #[test]
    fn the_threshold_depends_on_the_calibrator() {
        let rule =
            |calibrated| WindStats { wind_sz: 45, ..WindStats::default() }.default_threshold(calibrated).unwrap();
        assert_eq!((rule(true).threshold(), rule(false).threshold()), (Some(3.0), Some(8.8)));
        assert_eq!(rule(true).to_json()["alm_window_minutes"], 45.0);
        for (json, words) in [(json!({"wind_sz": 0}), "wind_sz"), (json!({"max_day": 0}), "max_day")] {
            let mut json = json;
            json["name"] = "WindStats".into();
            assert!(fit(&json, &every(600, 0, &[1.0; 9])).unwrap_err().to_string().contains(words), "{json}");
        }
    }
}
