//! Spectral residual: what stands out of a series is what its spectrum does not lead one to expect.
//!
//! Ren et al. (2019), "Time-Series Anomaly Detection Service at Microsoft", KDD '19. With the Fourier transform `F` of the series, its
//! amplitude `A` and phase `φ`, and `h_q` the average of `q` neighbours,
//!
//! ```text
//! L = ln A     R = L - h_q * L     S = |F⁻¹ exp(R + iφ)|     s_t = (S_t - S̄_t) / (S̄_t + 1e-8)
//! ```
//!
//! where `S̄_t` is the mean of `S` over the up to `local_wind_sz` points before `t`. So that the last points are not at the edge, the
//! series is continued by `estimated_points` copies of a value on the line through the last ones.

use serde::{Deserialize, Serialize};

use crate::math::fft::{self, Complex};
use crate::models::{Capabilities, Detector, FitContext, FittedDetector, ModelError, Observations, Scores};
use crate::postprocess::Supervision;

/// Points that stand out of the series' spectrum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SpectralResidual {
    /// How many points before a point its saliency is compared with; 21 as in Merlion and the paper.
    pub local_wind_sz: usize,
    /// How many frequencies an amplitude is compared with; 3 as in Merlion and the paper.
    pub q: usize,
    /// How many points are added at the end; 5 as in Merlion and the paper.
    pub estimated_points: usize,
    /// How many points before the last one determine the added ones; 5 as in Merlion and the paper.
    pub predicting_points: usize,
}

impl Default for SpectralResidual {
    fn default() -> Self {
        Self { local_wind_sz: 21, q: 3, estimated_points: 5, predicting_points: 5 }
    }
}

impl Detector for SpectralResidual {
    const NAME: &'static str = "SpectralResidual";
    const SUMMARY: &'static str = "Points that stand out of the series' spectrum";
    const CAPABILITIES: Capabilities = Capabilities {
        univariate_only: true,
        exogenous: false,
        even_sampling: true,
        standard_errors: false,
        online: false,
    };
    type Fitted = FittedSpectralResidual;

    fn validate(&self) -> Result<(), ModelError> {
        for (parameter, value) in [
            ("local_wind_sz", self.local_wind_sz),
            ("q", self.q),
            ("predicting_points", self.predicting_points.max(usize::from(self.estimated_points == 0))),
        ] {
            if value == 0 {
                let (value, reason) = ("0".to_owned(), "must be at least 1".to_owned());
                return Err(ModelError::InvalidParameter { model: Self::NAME, parameter, value, reason });
            }
        }
        if self.estimated_points > 1_000_000 {
            let (parameter, value) = ("estimated_points", self.estimated_points.to_string());
            let reason = "must be at most a million".to_owned();
            return Err(ModelError::InvalidParameter { model: Self::NAME, parameter, value, reason });
        }
        Ok(())
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        _: Option<&Supervision<'_>>,
        _: &FitContext,
    ) -> Result<FittedSpectralResidual, ModelError> {
        let train = Scores::new(input.times, self.scores(input.target()));
        Ok(FittedSpectralResidual { model: self.clone(), train })
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of points")]
impl SpectralResidual {
    fn scores(&self, x: &[f64]) -> Vec<f64> {
        let saliency = self.saliency(x);
        let mut scores = Vec::with_capacity(x.len());
        for t in 0..x.len() {
            let before = &saliency[t.saturating_sub(self.local_wind_sz)..t];
            let mean = before.iter().sum::<f64>() / before.len().max(1) as f64;
            scores.push(if t == 0 { 0.0 } else { (saliency[t] - mean) / (mean + 1e-8) });
        }
        scores
    }

    fn saliency(&self, x: &[f64]) -> Vec<f64> {
        let mut padded = x.to_vec();
        padded.resize(x.len() + self.estimated_points, self.next_value(x));
        let (low, high) = padded.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
        let largest = low.abs().max(high.abs());
        if high - low <= padded.len() as f64 * f64::EPSILON * largest {
            // In a constant nothing stands out. Its spectrum is rounding, but for the mean.
            return vec![1.0; x.len()];
        }
        let values: Vec<Complex> = padded.iter().map(|x| Complex { re: *x, im: 0.0 }).collect();
        let spectrum = fft::forward(&values);
        let top = spectrum.iter().map(|z| z.abs()).fold(0.0, f64::max);
        // An amplitude of zero has no logarithm; below this it is rounding.
        let log: Vec<f64> = spectrum.iter().map(|z| z.abs().max(top * f64::EPSILON).ln()).collect();
        let residual = |k: usize| log[k] - self.average(&log, k);
        let cleaned: Vec<Complex> =
            spectrum.iter().enumerate().map(|(k, z)| Complex::polar(residual(k).exp(), z.arg())).collect();
        fft::inverse(&cleaned).iter().take(x.len()).map(|z| z.abs()).collect()
    }

    /// The average of `q` values around the k-th, zeros beyond the ends: numpy's "same" convolution.
    fn average(&self, values: &[f64], k: usize) -> f64 {
        let reach = (self.q - 1) / 2;
        let last = (k + reach).min(values.len() - 1);
        let first = (k + reach + 1).saturating_sub(self.q);
        values[first.min(values.len())..=last].iter().sum::<f64>() / self.q as f64
    }

    /// The value that the series is continued by.
    fn next_value(&self, x: &[f64]) -> f64 {
        let [.., last] = *x else { return 0.0 };
        let m = self.predicting_points.min(x.len() - 1);
        if m == 0 {
            return last;
        }
        let slopes = (1..=m).map(|back| (last - x[x.len() - 1 - back]) / back as f64);
        x[x.len() - m] + slopes.sum::<f64>() / m as f64 * m as f64
    }
}

/// A trained [`SpectralResidual`], which has nothing to remember: every series is compared with itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedSpectralResidual {
    model: SpectralResidual,
    #[serde(skip)]
    train: Scores,
}

impl FittedDetector for FittedSpectralResidual {
    fn train_scores(&self) -> Scores {
        self.train.clone()
    }

    fn score(
        &self,
        new: &Observations<'_>,
        history: Option<&Observations<'_>>,
        _: &FitContext,
    ) -> Result<Scores, ModelError> {
        let before = history.map_or(&[][..], Observations::target);
        let scores = self.model.scores(&[before, new.target()].concat());
        Ok(Scores::new(new.times, scores[before.len()..].to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{daily, detect, fit, noise};
    use super::*;

    fn wave(n: usize) -> Vec<f64> {
        (0..n).map(|t| 10.0 + (t as f64 * 0.4).sin() + 0.1 * noise(t)).collect()
    }

    #[test]
    fn a_spike_stands_out() {
        let mut x = wave(300);
        x[180] += 3.0;
        let scores = SpectralResidual::default().scores(&x);
        let top = (0..300).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
        assert_eq!(top, 180, "{:?}", &scores[175..185]);
        assert_eq!(scores[0], 0.0, "there is nothing before it");
    }

    #[test]
    fn a_constant_has_no_anomaly_and_a_jump_at_its_end_is_one() {
        assert_eq!(SpectralResidual::default().scores(&[0.1; 40]), [0.0; 40]);
        let detections =
            detect(&json!({"name": "SpectralResidual"}), &daily(0, &[7.0; 40]), &daily(40, &[7.0; 9])).unwrap();
        assert_eq!(detections.raw, [0.0; 9]);
    }

    #[test]
    fn history_is_looked_at_and_not_scored() {
        let x = wave(120);
        let fitted = fit(&json!({"name": "SpectralResidual"}), &daily(0, &x[..100])).unwrap();
        let with = fitted.detect(&daily(100, &x[100..]), Some(&daily(0, &x[..100]))).unwrap();
        assert_eq!(with.raw, SpectralResidual::default().scores(&x)[100..]);
        assert_eq!(with.times.len(), 20);
    }

    #[test]
    fn few_points_and_odd_windows_are_fine() {
        for n in 1..8 {
            for q in [1, 2, 3, 9, 40] {
                let model = SpectralResidual { q, ..SpectralResidual::default() };
                let scores = model.scores(&wave(n));
                assert!(scores.len() == n && scores.iter().all(|s| s.is_finite()), "n = {n}, q = {q}: {scores:?}");
            }
        }
        assert!(SpectralResidual { q: 0, ..SpectralResidual::default() }.validate().is_err());
        let unpadded = SpectralResidual { estimated_points: 0, predicting_points: 0, ..SpectralResidual::default() };
        assert_eq!(unpadded.validate(), Ok(()));
    }
}
