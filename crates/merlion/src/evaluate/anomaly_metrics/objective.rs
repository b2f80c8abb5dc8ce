//! Merlion's metrics as what thresholds are chosen by.

use super::{Tolerance, TsadMetric, TsadScore};
use crate::postprocess::{Labels, Objective};
use crate::time::Timestamp;

impl Objective for TsadMetric {
    fn value(
        &self,
        truth: &Labels,
        times: &[Timestamp],
        alarms: &[f64],
        max_early: Option<i64>,
        max_delay: Option<i64>,
    ) -> f64 {
        let labels: Vec<f64> = truth.anomalous.iter().map(|anomalous| f64::from(u8::from(*anomalous))).collect();
        let seconds = |nanos: i64| nanos as f64 / 1e9;
        let tolerance = Tolerance { max_early_sec: max_early.map(seconds), max_delay_sec: max_delay.map(seconds) };
        // Without labels nothing is found, and slices of one length are all that could be wrong otherwise.
        TsadScore::from_slices(&truth.times, &labels, times, alarms, tolerance)
            .map_or(0.0, |score| TsadMetric::value(*self, &score))
    }

    fn smaller_is_better(&self) -> bool {
        !self.more_is_better()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::seconds;

    #[test]
    fn a_metric_values_alarms_by_the_tolerance_of_the_rule() {
        let times = seconds(&[0, 60, 120, 180]);
        let truth = Labels { times: times.clone(), anomalous: vec![false, false, true, true] };
        let alarms = [0.0, 3.0, 0.0, 0.0];
        let value = |metric: &dyn Objective, early| metric.value(&truth, &times, &alarms, early, None);
        assert_eq!(value(&TsadMetric::F1, None), 0.0);
        assert_eq!(value(&TsadMetric::F1, Some(60_000_000_000)), 1.0);
        assert_eq!(value(&TsadMetric::MeanTimeToDetect, Some(60_000_000_000)), -60.0);
        assert!(TsadMetric::MeanTimeToDetect.smaller_is_better() && !TsadMetric::F1.smaller_is_better());
        let none = Labels::default();
        assert_eq!(Objective::value(&TsadMetric::F1, &none, &times, &alarms, None, None), 0.0);
    }
}
