//! Merlion's multi-scale exponential smoother: forecasts from several past observations at once, each with the velocity and the
//! acceleration of its distance.
//!
//! Merlion's documentation of `MSES`. With `Δ_s` the difference to `s` steps before and `EMA` an exponential moving average,
//!
//! ```text
//! x̂_b(t+h) = x_{t-b} + EMA(Δ_s x) + a EMA(Δ_s Δ_s x)      s = b + h,  b = 0 … B
//! x̂(t+h)   = Σ_b p_b x̂_b(t+h)                               p = softmax of -inflation · error of the scale s
//! ```
//!
//! where the error of a scale is `s^φ` times the moving average of its absolute losses times their standard error, or the standard
//! deviation of its velocities, or a mixture of both. Losses come from walking through the training data by windows of the
//! horizon. The error of a forecast is the mean of the absolute moving averages of losses below and above.

mod scales;

use serde::{Deserialize, Serialize};

use super::naive::newer;
use crate::models::{
    Capabilities, FitContext, FittedForecaster, Forecast, Forecaster, InSample, ModelError, Request, TrainInput,
};
use crate::time::Timestamp;
use scales::Scales;

/// Observations the walk begins with, as in Merlion.
const FIRST: usize = 2;
/// The horizon when `max_forecast_steps` does not say: a share of the series, and at most this.
const HORIZON: (usize, usize) = (4, 50);

/// Forecasts from several past observations, with velocity and acceleration at each distance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mses {
    /// How far back observations are that forecasts start from. Null: as far as `max_forecast_steps` goes ahead, as in Merlion.
    pub max_backstep: Option<usize>,
    /// Weight of the newest value in moving averages; 0.5 as in Merlion.
    pub recency_weight: f64,
    /// Weight of the acceleration; 1 as in Merlion.
    pub accel_weight: f64,
    /// Whether acceleration is left out for the longer half of distances, as in Merlion.
    pub optimize_acc: bool,
    /// How fast recency weights are tuned by newer observations; 0, not at all, as in Merlion.
    pub eta: f64,
    /// Share of the velocity's error in the error of a scale, the rest is the losses'; 0 as in Merlion.
    pub rho: f64,
    /// Power of the distance by which losses count more; 2 as in Merlion.
    pub phi: f64,
    /// How sharply the better distances are preferred; 1, a softmax, as in Merlion.
    pub inflation: f64,
    /// Whether errors are measured in steps of the series before they are compared. Yes, because a softmax of errors in units of the
    /// data keeps a single distance for large data and averages all for small; no is Merlion's way.
    pub scale_free: bool,
    #[serde(skip)]
    max_forecast_steps: Option<usize>,
}

impl Default for Mses {
    fn default() -> Self {
        Self {
            max_backstep: None,
            recency_weight: 0.5,
            accel_weight: 1.0,
            optimize_acc: true,
            eta: 0.0,
            rho: 0.0,
            phi: 2.0,
            inflation: 1.0,
            scale_free: true,
            max_forecast_steps: None,
        }
    }
}

impl Mses {
    /// The size of a step of the series: its mean absolute difference, or its mean size where it has none.
    fn unit(&self, y: &[f64]) -> f64 {
        let mean = |sum: f64, n: usize| sum / n.max(1) as f64;
        let step = mean(y.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum(), y.len().saturating_sub(1));
        let size = mean(y.iter().map(|y| y.abs()).sum(), y.len());
        // Steps that are rounding are none.
        match self.scale_free {
            true if step > 1e-12 * size => step,
            true if size > 0.0 => size,
            _ => 1.0,
        }
    }
}

impl Forecaster for Mses {
    const NAME: &'static str = "MSES";
    const SUMMARY: &'static str =
        "Merlion's multi-scale exponential smoother: velocity and acceleration at several distances";
    const CAPABILITIES: Capabilities = Capabilities { online: true, ..Capabilities::CLASSICAL };
    type Fitted = FittedMses;

    fn into_merlion(self) -> Self {
        Self { scale_free: false, ..self }
    }

    fn with_max_forecast_steps(self, max_forecast_steps: Option<usize>) -> Self {
        Self { max_forecast_steps, ..self }
    }

    fn validate(&self) -> Result<(), ModelError> {
        let Self { recency_weight, accel_weight, eta, rho, phi, inflation, .. } = *self;
        for (parameter, value, usable, reason) in [
            (
                "recency_weight",
                recency_weight,
                recency_weight > 0.0 && recency_weight <= 1.0,
                "a share above 0 and up to 1",
            ),
            ("accel_weight", accel_weight, accel_weight.is_finite(), "a number"),
            ("eta", eta, eta.is_finite() && eta >= 0.0, "a rate of 0 or more"),
            ("rho", rho, (0.0..=1.0).contains(&rho), "a share from 0 to 1"),
            ("phi", phi, phi.is_finite() && phi >= 1.0, "a power of 1 or more"),
            ("inflation", inflation, inflation.is_finite() && inflation >= 0.0, "0 or more"),
        ] {
            if !usable {
                return Err(ModelError::InvalidParameter {
                    model: Self::NAME,
                    parameter,
                    value: value.to_string(),
                    reason: reason.into(),
                });
            }
        }
        Ok(())
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedMses, ModelError> {
        let y = input.target;
        if y.len() < FIRST {
            return Err(ModelError::TooShort { got: y.len(), needed: FIRST });
        }
        let (share, most) = HORIZON;
        let horizon = self.max_forecast_steps.unwrap_or((y.len() / share).min(most)).max(1);
        let unit = self.unit(y);
        let mut fitted = FittedMses {
            model: self.clone(),
            horizon,
            unit,
            scales: Scales::new(self, horizon),
            fitted: y[..FIRST].to_vec(),
            errors: vec![0.0; FIRST],
            last_time: input.times.last().copied(),
        };
        let z: Vec<f64> = y.iter().map(|y| y / unit).collect();
        fitted.scales.absorb(&z[..FIRST]);
        let mut weights = Vec::new();
        for window in z[FIRST..].chunks(horizon) {
            for h in 1..=window.len() {
                context.check()?;
                let step = fitted.scales.forecast(self, h, &mut weights);
                fitted.fitted.push(step.mean * unit);
                fitted.errors.push(step.error() * unit);
            }
            fitted.scales.learn(self, window, false);
            fitted.scales.absorb(window);
        }
        if let Some(position) = fitted.fitted.iter().position(|y| !y.is_finite()) {
            return Err(ModelError::Numerical(format!("prediction {} is not finite", position + 1)));
        }
        Ok(fitted)
    }
}

/// A trained [`Mses`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedMses {
    #[serde(skip)]
    model: Mses,
    /// Steps ahead that were learnt; the forecast stays at the last of them beyond.
    horizon: usize,
    /// What errors are measured in.
    unit: f64,
    scales: Scales,
    fitted: Vec<f64>,
    errors: Vec<f64>,
    last_time: Option<Timestamp>,
}

impl FittedMses {
    /// Learns from newer observations and takes them in.
    fn take_in(&mut self, newer: &[f64], context: &FitContext) -> Result<(), ModelError> {
        let z: Vec<f64> = newer.iter().map(|y| y / self.unit).collect();
        for window in z.chunks(self.horizon) {
            context.check()?;
            self.scales.learn(&self.model, window, true);
            self.scales.absorb(window);
        }
        Ok(())
    }
}

impl FittedForecaster for FittedMses {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        let newer = newer(request, self.last_time);
        let mut moved = None;
        if !newer.is_empty() {
            let mut model = self.clone();
            model.take_in(newer, request.context)?;
            moved = Some(model);
        }
        let model = moved.as_ref().unwrap_or(self);
        let mut weights = Vec::new();
        let mut mean = Vec::with_capacity(request.times.len());
        let mut stderr = Vec::with_capacity(request.times.len());
        for h in 1..=request.times.len().min(self.horizon) {
            request.context.check()?;
            let step = model.scales.forecast(&self.model, h, &mut weights);
            mean.push(step.mean * self.unit);
            stderr.push(step.error() * self.unit);
        }
        if let (Some(&last), Some(&error)) = (mean.last(), stderr.last()) {
            mean.resize(request.times.len(), last);
            stderr.resize(request.times.len(), error);
        }
        if let Some(step) = mean.iter().zip(&stderr).position(|(mean, s)| !mean.is_finite() || !s.is_finite()) {
            return Err(ModelError::Numerical(format!("the forecast of step {} is not finite", step + 1)));
        }
        Ok(Forecast { mean, stderr: Some(stderr), intervals: Vec::new() })
    }

    /// As in Merlion: the first two values, then the forecasts of the walk, from one step ahead to the horizon.
    fn in_sample(&self) -> InSample {
        InSample { mean: self.fitted.clone(), stderr: Some(self.errors.clone()) }
    }

    fn update(&mut self, new: &TrainInput<'_>) -> Result<(), ModelError> {
        let known = new.times.partition_point(|time| self.last_time.is_some_and(|last| *time <= last));
        self.take_in(&new.target[known..], &FitContext::default())?;
        self.last_time = new.times.last().copied().max(self.last_time);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::*;

    // Velocity 2 and acceleration 0 at every distance: but for the moving averages, which start from 0.
    #[test]
    fn a_line_goes_on() {
        let y: Vec<f64> = (0..200).map(|t| 2.0 * f64::from(t)).collect();
        let model = Mses::default().with_max_forecast_steps(Some(5));
        let ahead = forecast(&fit(&model, &y).unwrap(), 7, None).mean;
        for (h, got) in ahead.iter().enumerate() {
            let expected = 398.0 + 2.0 * (h + 1).min(5) as f64;
            assert!((got - expected).abs() < 1e-6, "step {}: {ahead:?}", h + 1);
        }
    }

    // By hand, B = H = 1 and w = 0.5, on 1, 3, 4. After 1, 3: v_1 = 1. The walk forecasts 4: from 3, 3 + 1 = 4; from 1 at scale 2,
    // 1 + 0. Scale 1 loses 0, scale 2 loses -3. Then v_1 = (1 + 1) / 2 = 1, v_2 = 3 / 2; acceleration only at scale 1: (1 - 2) / 2.
    #[test]
    fn three_observations_by_hand() {
        let model = Mses { scale_free: false, ..Mses::default() }.with_max_forecast_steps(Some(1));
        let fitted = fit(&model, &[1.0, 3.0, 4.0]).unwrap();
        // Of the first forecast nothing is known: both count the same.
        assert_eq!(fitted.in_sample().mean, [1.0, 3.0, (4.0 + 1.0) / 2.0]);
        let forecasts = [4.0 + 1.0 - 0.5, 3.0 + 1.5];
        // Losses |0| and |-3| after a first 1: means 1/2 and 2; squares 1/2 and 5; deviations √(2 (E x² - (E x)²)), over √2.
        let errors = [1.0f64 * 0.5 * 0.25f64.sqrt(), 4.0 * 2.0 * 1f64.sqrt()];
        let share = 1.0 / (1.0 + (errors[0] - errors[1]).exp());
        let expected = share * forecasts[0] + (1.0 - share) * forecasts[1];
        let got = forecast(&fitted, 1, None).mean[0];
        assert!((got - expected).abs() < 1e-9, "{got} vs {expected}");
    }

    #[test]
    fn an_update_is_a_forecast_from_newer_data() {
        let y: Vec<f64> = (0..40).map(|t| 10.0 + f64::from(t * 37 % 11)).collect();
        let mut fitted = fit(&Mses { eta: 0.5, ..Mses::default() }, &y[..30]).unwrap();
        let expected = forecast(&fitted, 3, Some((25, &y[25..]))).mean;
        let (times, granularity) =
            (super::super::naive::tests::days(25..40), crate::time::Granularity::of(crate::time::Offset::Fixed(1)));
        let new = TrainInput { times: &times, target: &y[25..], covariates: &[], exog: &[], granularity: &granularity };
        fitted.update(&new).unwrap();
        assert_eq!(forecast(&fitted, 3, None).mean, expected);
        assert_ne!(forecast(&fit(&Mses::default(), &y[..30]).unwrap(), 3, None).mean, expected);
    }

    #[test]
    fn parameters_out_of_range_are_named() {
        for (model, words) in [
            (Mses { rho: 1.5, ..Mses::default() }, "rho = 1.5"),
            (Mses { phi: 0.5, ..Mses::default() }, "phi = 0.5"),
            (Mses { recency_weight: 0.0, ..Mses::default() }, "recency_weight = 0"),
        ] {
            let error = fit(&model, &[1.0, 2.0, 3.0]).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        assert_eq!(fit(&Mses::default(), &[1.0]).unwrap_err(), ModelError::TooShort { got: 1, needed: 2 });
    }
}
