//! Multiple z-scores: how unusual an observation is, and how unusual its distance to the ones 1, 2, 4, … steps before.
//!
//! With `Δ_0(x_t) = x_t`, `Δ_k(x_t) = x_t - x_{t-b^{k-1}}` for `k = 1 … n`, and `z_k` the z-score of `Δ_k` against the training data,
//!
//! ```text
//! s_t = z_{k*}(x_t)     k* = argmax_k |z_k(x_t)| / ℓ_k^p     ℓ_0 = 1, ℓ_k = b^{k-1}
//! ```
//!
//! where the lag inflation `p` is the distrust of long lags. Merlion's documentation gives these equations; its code takes the
//! largest `z_k / ℓ_k^p`, sign included, and so overlooks dips.

use serde::{Deserialize, Serialize};

use crate::models::{Capabilities, Detector, FitContext, FittedDetector, ModelError, Observations, Scores};
use crate::postprocess::Supervision;
use crate::transform::{TemporalResample, TransformSpec, moments};

/// By what the z-score of a time is chosen among those of all lags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Selection {
    /// By its magnitude: spikes and dips alike.
    #[default]
    Magnitude,
    /// By its value, as in Merlion: a dip counts only where every lag says so.
    Merlion,
}

/// The largest of the z-scores of an observation and of its changes over exponentially growing lags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename = "ZMS")]
pub struct Zms {
    /// Base of the lags; 2 as in Merlion.
    pub base: usize,
    /// Number of lags; null for as many as the training data has room for.
    pub n_lags: Option<usize>,
    /// Distrust of long lags: z-scores are divided by the lag to this power before they are compared.
    pub lag_inflation: f64,
    /// "magnitude", or "merlion" for spikes only.
    pub selection: Selection,
}

impl Default for Zms {
    fn default() -> Self {
        Self { base: 2, n_lags: None, lag_inflation: 1.0, selection: Selection::Magnitude }
    }
}

impl Detector for Zms {
    const NAME: &'static str = "ZMS";
    const SUMMARY: &'static str = "The largest z-score of an observation and of its changes over 1, 2, 4, … steps";
    const CAPABILITIES: Capabilities = Capabilities {
        univariate_only: true,
        exogenous: false,
        even_sampling: false,
        standard_errors: true,
        online: false,
    };
    type Fitted = FittedZms;

    fn into_merlion(self) -> Self {
        Self { selection: Selection::Merlion, ..self }
    }

    fn default_transform(&self) -> TransformSpec {
        TemporalResample { trainable_granularity: Some(true), ..TemporalResample::default() }.into()
    }

    fn validate(&self) -> Result<(), ModelError> {
        let invalid = |parameter, value: String, reason: &str| {
            Err(ModelError::InvalidParameter { model: Self::NAME, parameter, value, reason: reason.into() })
        };
        if self.base < 2 && self.n_lags != Some(0) {
            return invalid("base", self.base.to_string(), "lags grow from a base of 2 on");
        }
        if self.n_lags.is_some_and(|n| n > 62) {
            return invalid("n_lags", format!("{:?}", self.n_lags), "lags would leave the range of numbers");
        }
        if !(self.lag_inflation >= 0.0 && self.lag_inflation.is_finite()) {
            return invalid("lag_inflation", self.lag_inflation.to_string(), "must not be negative");
        }
        Ok(())
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        _: Option<&Supervision<'_>>,
        _: &FitContext,
    ) -> Result<FittedZms, ModelError> {
        let x = input.target();
        let lags = self.lags(x.len());
        let normal = std::iter::once(0)
            .chain(lags.iter().copied())
            .map(|lag| moments(&(0..x.len()).map(|t| change(x, t, lag)).collect::<Vec<_>>()))
            .collect();
        let mut fitted = FittedZms { model: self.clone(), lags, normal, train: Scores::default() };
        fitted.train = fitted.scores(input, &[]);
        Ok(fitted)
    }
}

impl Zms {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of observations, and the logarithm of one"
    )]
    fn lags(&self, observations: usize) -> Vec<usize> {
        let all = || ((observations.max(1) as f64).ln() / (self.base as f64).ln()) as usize;
        let n = self.n_lags.unwrap_or_else(all);
        (0..n).map(|k| self.base.saturating_pow(u32::try_from(k).unwrap_or(u32::MAX))).collect()
    }
}

/// The change over a lag; where the data begin later than that, from the first value on.
fn change(x: &[f64], t: usize, lag: usize) -> f64 {
    if lag == 0 { x[t] } else { x[t] - x[t.saturating_sub(lag)] }
}

/// A trained [`Zms`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedZms {
    model: Zms,
    lags: Vec<usize>,
    /// Mean and standard deviation of the values, and of the changes over each lag.
    normal: Vec<(f64, f64)>,
    #[serde(skip)]
    train: Scores,
}

impl FittedZms {
    /// Scores of rows that follow `before`.
    #[expect(clippy::cast_precision_loss, reason = "a lag")]
    fn scores(&self, rows: &Observations<'_>, before: &[f64]) -> Scores {
        let x = [before, rows.target()].concat();
        // With one lag there is nothing to be distrusted.
        let distrust = if self.lags.len() > 1 { self.model.lag_inflation } else { 0.0 };
        let weights: Vec<f64> =
            std::iter::once(1.0).chain(self.lags.iter().map(|lag| (*lag as f64).powf(distrust))).collect();
        // Without inflation Merlion goes by the magnitude, and returns it.
        let plain = self.model.selection == Selection::Merlion && distrust == 0.0;
        let signed = self.model.selection == Selection::Merlion && !plain;
        let (mut values, mut expected, mut deviations) = (Vec::new(), Vec::new(), Vec::new());
        for t in before.len()..x.len() {
            let mut best = (f64::NEG_INFINITY, 0.0, 0);
            for (k, ((mean, deviation), weight)) in self.normal.iter().zip(&weights).enumerate() {
                let lag = if k == 0 { 0 } else { self.lags[k - 1] };
                let z = (change(&x, t, lag) - mean) / deviation;
                let compared = if signed { z / weight } else { z.abs() / weight };
                if compared > best.0 {
                    best = (compared, z, k);
                }
            }
            let (_, z, k) = best;
            values.push(if plain { z.abs() } else { z });
            expected.push(x[t] - z * self.normal[k].1);
            deviations.push(self.normal[k].1);
        }
        Scores::new(rows.times, values).with_expected(expected, Some(deviations))
    }
}

impl FittedDetector for FittedZms {
    fn train_scores(&self) -> Scores {
        self.train.clone()
    }

    fn score(
        &self,
        new: &Observations<'_>,
        history: Option<&Observations<'_>>,
        _: &FitContext,
    ) -> Result<Scores, ModelError> {
        Ok(self.scores(new, history.map_or(&[], Observations::target)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{daily, detect, fit, fit_as, noise};
    use crate::models::Compat;

    #[test]
    fn a_dip_is_seen_as_well_as_a_spike() {
        let quiet: Vec<f64> = (0..64).map(|t| 100.0 + noise(t)).collect();
        for jump in [-20.0, 20.0] {
            let mut new: Vec<f64> = (64..80).map(|t| 100.0 + noise(t)).collect();
            new[9] += jump;
            let scores = |compat| {
                let fitted = fit_as(&json!({"name": "ZMS"}), &daily(0, &quiet), compat).unwrap();
                fitted.detect(&daily(64, &new), None).unwrap().raw
            };
            let ours = scores(Compat::None)[9];
            assert!(ours.abs() > 20.0 && ours.signum() == f64::signum(jump), "{jump}: {ours}");
            // Of the z-scores of a dip Merlion takes the one that says so least.
            let merlion = scores(Compat::Merlion)[9];
            assert!((merlion.abs() < 0.9 * ours.abs()) == (jump < 0.0), "{jump}: {merlion} and {ours}");
        }
    }

    #[test]
    fn there_are_as_many_lags_as_fit_and_history_fills_them() {
        let train: Vec<f64> = (0..70).map(|t| 3.0 * f64::from(t)).collect();
        let fitted = fit(&json!({"name": "ZMS"}), &daily(0, &train)).unwrap();
        assert_eq!(fitted.state()["model"]["lags"], json!([1, 2, 4, 8, 16, 32]));
        let next = daily(70, &[210.0, 213.0]);
        let alone = fitted.detect(&next, None).unwrap().raw;
        let followed = fitted.detect(&next, Some(&daily(0, &train))).unwrap().raw;
        // On a line that goes on, only the level is new; alone, the steps seem to have stopped.
        assert!(followed[1].abs() < 2.0 && alone[1].abs() > 2.0, "{followed:?} {alone:?}");
    }

    #[test]
    fn a_constant_series_has_no_anomaly_until_it_moves() {
        let detections = detect(&json!({"name": "ZMS"}), &daily(0, &[5.0; 30]), &daily(30, &[5.0, 5.0, 6.0])).unwrap();
        assert_eq!(detections.raw, [0.0, 0.0, 1.0]);
    }

    #[test]
    fn parameters_that_cannot_be_are_named() {
        for (json, words) in [
            (json!({"name": "ZMS", "base": 1}), "base"),
            (json!({"name": "ZMS", "n_lags": 99}), "n_lags"),
            (json!({"name": "ZMS", "lag_inflation": -1}), "lag_inflation"),
            (json!({"name": "ZMS", "selection": "signed"}), "selection"),
        ] {
            let error = fit(&json, &daily(0, &[1.0; 9])).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
    }
}
