//! Matrix profile (Yeh et al. 2016, "Matrix Profile I: all pairs similarity joins for time series", ICDM): windows unlike any other, the
//! discords of Keogh, Lin & Fu (2005, "HOT SAX", ICDM).
//!
//! The score at a time is the distance of the window that ends there, scaled to mean 0 and variance 1, to the nearest window of the
//! training data, scaled likewise: from 0 for a window that has been there before to `2 √m` for one that is opposite to all. Windows that
//! overlap by more than three quarters of their length do not count as neighbours. All pairs are compared (`join.rs`), so that the answer is
//! exact; the first times, which no window ends at, take the score of the first window.

mod join;

use serde::{Deserialize, Serialize};

use crate::models::{Capabilities, Detector, FitContext, FittedDetector, ModelError, Observations, Scores};
use crate::postprocess::Supervision;
use crate::time::Timestamp;
use join::Windows;

/// The shortest window: two values always correlate, and three almost.
const SHORTEST: usize = 4;

/// The longest window that is chosen by itself.
const LONGEST: usize = 32;

/// Windows unlike any other.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MatrixProfile {
    /// How many values a window has: about as many as what is looked for. By default an eighth of the training data, from 4 to 32.
    pub window: Option<usize>,
}

/// How far apart neighbours must begin: a quarter of the window, as in the authors' programs.
fn apart(window: usize) -> usize {
    window.div_ceil(4)
}

impl Detector for MatrixProfile {
    const NAME: &'static str = "MatrixProfile";
    const SUMMARY: &'static str = "Windows unlike any other";
    const CAPABILITIES: Capabilities = Capabilities {
        univariate_only: true,
        exogenous: false,
        even_sampling: true,
        standard_errors: false,
        online: false,
    };
    type Fitted = FittedMatrixProfile;

    fn validate(&self) -> Result<(), ModelError> {
        match self.window {
            Some(window) if window < SHORTEST => Err(ModelError::InvalidParameter {
                model: Self::NAME,
                parameter: "window",
                value: window.to_string(),
                reason: format!("must be at least {SHORTEST}"),
            }),
            _ => Ok(()),
        }
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        _: Option<&Supervision<'_>>,
        context: &FitContext,
    ) -> Result<FittedMatrixProfile, ModelError> {
        let x = input.target();
        let window = self.window.unwrap_or((x.len() / 8).clamp(SHORTEST, LONGEST));
        // Every window must have a neighbour, that in the middle, too.
        let needed = window + 2 * apart(window) + 1;
        if x.len() < needed {
            return Err(ModelError::TooShort { got: x.len(), needed });
        }
        let profile = Windows::new(x, window).self_join(apart(window), context)?;
        let first = profile.first().copied().unwrap_or(0.0);
        let scores = std::iter::repeat_n(first, window - 1).chain(profile).collect();
        Ok(FittedMatrixProfile {
            window,
            known: x.to_vec(),
            last: input.times.last().copied(),
            train: Scores::new(input.times, scores),
        })
    }
}

/// A trained [`MatrixProfile`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedMatrixProfile {
    window: usize,
    /// The training data.
    known: Vec<f64>,
    /// Their last time.
    last: Option<Timestamp>,
    #[serde(skip)]
    train: Scores,
}

impl FittedDetector for FittedMatrixProfile {
    fn train_scores(&self) -> Scores {
        self.train.clone()
    }

    /// The first windows reach back into the history, or else into the training data, which the new rows are taken to follow.
    fn score(
        &self,
        new: &Observations<'_>,
        history: Option<&Observations<'_>>,
        context: &FitContext,
    ) -> Result<Scores, ModelError> {
        let m = self.window;
        let mut x = self.known.clone();
        if let Some(history) = history {
            let later = history.times.partition_point(|t| self.last.is_some_and(|last| *t <= last));
            // What was in the training data is there already; of the rest, what the first window and its distance need.
            let later = later.max(history.len().saturating_sub(m + apart(m)));
            x.extend_from_slice(&history.target()[later..]);
        }
        let start = x.len();
        x.extend_from_slice(new.target());
        let windows = Windows::new(&x, m);
        let known = self.known.len() + 1 - m;
        let scores = windows.join(known, start + 1 - m, apart(m), context)?;
        Ok(Scores::new(new.times, scores))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{daily, detect, fit, noise};

    /// A noisy wave with a period of 20.
    fn wave(from: usize, n: usize) -> Vec<f64> {
        (from..from + n).map(|t| (t as f64 * std::f64::consts::TAU / 20.0).sin() + 0.1 * noise(t)).collect()
    }

    #[test]
    fn an_upside_down_wave_is_a_discord() {
        let mut values = wave(0, 600);
        for value in &mut values[300..310] {
            *value = -*value;
        }
        let model = json!({"name": "MatrixProfile", "window": 20});
        let raw = fit(&model, &daily(0, &values)).unwrap().train_detections().raw.clone();
        let strangest = (0..600).max_by(|&a, &b| raw[a].total_cmp(&raw[b])).unwrap();
        assert!((300..330).contains(&strangest), "{strangest}");
        assert!(raw[strangest] > 4.0 * raw[200], "{} vs {}", raw[strangest], raw[200]);
    }

    #[test]
    fn what_follows_the_training_data_is_seen_in_one_with_them() {
        let values = wave(0, 400);
        let mut test = wave(400, 60);
        for value in &mut test[30..36] {
            *value += 2.0;
        }
        let model = json!({"name": "MatrixProfile", "window": 20});
        let fitted = fit(&model, &daily(0, &values)).unwrap();
        let all = fitted.detect(&daily(400, &test), None).unwrap().raw;
        let usual = all[..30].iter().copied().fold(0.0, f64::max);
        assert!(all[35] > 2.0 * usual, "{} vs {usual}", all[35]);
        // With everything up to then as history, the rest has the same scores.
        let history = [values.as_slice(), &test[..25]].concat();
        let rest = fitted.detect(&daily(425, &test[25..]), Some(&daily(0, &history))).unwrap().raw;
        for (a, b) in rest.iter().zip(&all[25..]) {
            assert!((a - b).abs() < 1e-6, "{a} vs {b}");
        }
    }

    #[test]
    fn short_series_and_short_windows_are_named() {
        let error = fit(&json!({"name": "MatrixProfile", "window": 3}), &daily(0, &wave(0, 50))).unwrap_err();
        assert_eq!(error.to_string(), "MatrixProfile: window = 3: must be at least 4");
        let model = json!({"name": "MatrixProfile", "window": 8});
        let error = fit(&model, &daily(0, &wave(0, 12))).unwrap_err();
        assert_eq!(error.to_string(), "12 observations, at least 13 needed");
        let least = detect(&model, &daily(0, &wave(0, 13)), &daily(13, &wave(13, 1))).unwrap();
        assert!(least.raw[0].is_finite());
    }
}
