//! Windows of the month: as [`WindStats`], with the day of the month in place of the weekday.

use chrono::Datelike;
use serde::{Deserialize, Serialize};

use super::wind_stats::WindStats;
use super::wind_stats::table::{self, Table};
use crate::models::{Capabilities, Detector, FitContext, FittedDetector, ModelError, Observations, Scores};
use crate::postprocess::{Supervision, ThresholdRule};
use crate::time::Timestamp;
use crate::transform::{DifferenceTransform, TransformSpec};

/// Comparison with the same time of day on the same day of some months before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MonthlyWindStats {
    /// Length of a window in minutes; 30 as in Merlion.
    pub wind_sz: i64,
    /// How many of the latest days are compared with; 4 as in Merlion.
    pub max_day: usize,
}

impl Default for MonthlyWindStats {
    fn default() -> Self {
        let WindStats { wind_sz, max_day } = WindStats::default();
        Self { wind_sz, max_day }
    }
}

impl Detector for MonthlyWindStats {
    const NAME: &'static str = "MonthlyWindStats";
    const SUMMARY: &'static str = "Comparison with the same time of day on the same day of some months before";
    const CAPABILITIES: Capabilities = table::CAPABILITIES;
    const QUANTILE: bool = false;
    type Fitted = FittedMonthlyWindStats;

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
    ) -> Result<FittedMonthlyWindStats, ModelError> {
        let table = Table::new(input, self.wind_sz, self.max_day, day_of_month);
        Ok(FittedMonthlyWindStats { train: table.scores(input, day_of_month), table })
    }
}

fn day_of_month(t: Timestamp) -> i64 {
    t.to_utc().day().into()
}

/// A trained [`MonthlyWindStats`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedMonthlyWindStats {
    table: Table,
    #[serde(skip)]
    train: Scores,
}

impl FittedDetector for FittedMonthlyWindStats {
    fn train_scores(&self) -> Scores {
        self.train.clone()
    }

    fn score(
        &self,
        new: &Observations<'_>,
        _: Option<&Observations<'_>>,
        _: &FitContext,
    ) -> Result<Scores, ModelError> {
        Ok(self.table.scores(new, day_of_month))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{every, fit, noise};

    #[test]
    fn an_observation_is_compared_with_its_day_of_the_month() {
        // 1970-01-01 to 02-28, ten-minute values; payday is the tenth.
        let days = |days: std::ops::Range<usize>| -> Vec<f64> {
            let payday = |day: usize| if day % 31 == 9 { 100.0 } else { 0.0 };
            (days.start * 144..days.end * 144).map(|t| payday(t / 144) + noise(t)).collect()
        };
        let model = json!({
            "name": "MonthlyWindStats", "wind_sz": 360, "transform": "Identity", "enable_calibrator": false,
        });
        let fitted = fit(&model, &every(600, 0, &days(0..31))).unwrap();
        let mut february = days(31..59);
        february[1000] = 100.0;
        let scores = fitted.detect(&every(600, 31 * 144, &february), None).unwrap().raw;
        let strange: Vec<usize> = (0..scores.len()).filter(|&t| scores[t].abs() > 50.0).collect();
        assert_eq!(strange, [1000], "the tenth is as it was in January");
    }
}
