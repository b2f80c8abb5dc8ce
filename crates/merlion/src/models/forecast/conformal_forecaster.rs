//! Prediction intervals from the errors a model has made, around any model.
//!
//! Split conformal prediction (Vovk, Gammerman & Shafer 2005, "Algorithmic Learning in a Random World"; Lei et al. 2018,
//! "Distribution-free predictive inference for regression", JASA 113) with scores in units of a scale, as in Papadopoulos,
//! Gammerman & Vovk (2008), "Normalized nonconformity measures for regression conformal prediction". From several points in the
//! second half of the series the model is trained on what comes before and forecasts what comes next; with `s_h` its standard
//! error for step `h`, or `√h` where it has none, the scores are `|y - ŷ| / s_h`. Of `N` scores the `⌈(N+1) p⌉`-th smallest, `q_p`,
//! makes the interval
//!
//! ```text
//! ŷ_h ± q_p s_h
//! ```
//!
//! which covers a share `p` of the future if errors go on as they were, whatever their distribution. What the series is too short to
//! say (`(N+1) p > N`) is the largest score, stretched as a normal distribution would have it.

use serde::{Deserialize, Serialize};

use crate::math::normal;
use crate::models::members::{self, Failure};
use crate::models::{
    Capabilities, DynFittedForecaster, DynForecaster, FitContext, FittedForecaster, Forecast, Forecaster, InSample,
    Interval, ModelError, ModelSpec, Origin, Request, TrainInput,
};

/// Any model, with intervals from the errors it has made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConformalForecaster {
    /// The inner model; the dynamic optimised θ model, which is trained again for every window in no time.
    pub model: ModelSpec,
    /// How many points in the second half of the series are forecast from, if there is room; ten, for scores enough.
    pub windows: usize,
    /// Steps ahead that are scored. Null: as many as will be asked for, or a tenth of the series.
    pub horizon: Option<usize>,
    #[serde(skip)]
    origin: Origin,
    #[serde(skip)]
    max_forecast_steps: Option<usize>,
}

impl Default for ConformalForecaster {
    fn default() -> Self {
        Self {
            model: ModelSpec::named(super::dynamic_optimized_theta::DynamicOptimizedTheta::NAME),
            windows: 10,
            horizon: None,
            origin: Origin::default(),
            max_forecast_steps: None,
        }
    }
}

/// The level whose interval is one standard error to each side.
const ONE_SIGMA: f64 = 0.682_689_492_137_085_9;

impl ConformalForecaster {
    fn inner(&self) -> Result<Box<dyn DynForecaster>, ModelError> {
        Ok(self.model.build_model(&self.origin)?.with_max_forecast_steps(self.max_forecast_steps))
    }
}

impl Forecaster for ConformalForecaster {
    const NAME: &'static str = "ConformalForecaster";
    const SUMMARY: &'static str = "Another model with prediction intervals from the errors it has made";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    const INNER: Option<&'static str> = Some("model");
    type Fitted = FittedConformalForecaster;

    fn with_origin(self, origin: &Origin) -> Self {
        Self { origin: origin.clone(), ..self }
    }

    fn with_max_forecast_steps(self, max_forecast_steps: Option<usize>) -> Self {
        Self { max_forecast_steps, ..self }
    }

    fn with_season_length(self, length: usize) -> Option<Self> {
        let inner = self.inner().ok()?.with_season_length(length)?;
        let parameters = inner.parameters().as_object().cloned()?;
        Some(Self { model: ModelSpec { parameters, ..self.model.clone() }, ..self })
    }

    fn capabilities(&self) -> Capabilities {
        let inner = self.inner().map_or(Self::CAPABILITIES, |model| model.capabilities());
        Capabilities { standard_errors: true, online: false, ..inner }
    }

    fn check_columns(&self, columns: usize) -> Result<(), ModelError> {
        self.inner()?.check_columns(columns)
    }

    fn validate(&self) -> Result<(), ModelError> {
        for (parameter, value) in [("windows", Some(self.windows)), ("horizon", self.horizon)] {
            if value == Some(0) {
                return Err(ModelError::InvalidParameter {
                    model: Self::NAME,
                    parameter,
                    value: "0".into(),
                    reason: "there is nothing to learn from".into(),
                });
            }
        }
        self.inner().map(|_| ())
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedConformalForecaster, ModelError> {
        let inner = self.inner()?;
        let n = input.target.len();
        let model = inner.fit(input, context)?;
        let horizon = members::backtest_horizon(n, self.horizon.or(self.max_forecast_steps));
        let (mut tests, mut failures) = (Vec::new(), Vec::new());
        for origin in members::origins(n, horizon, self.windows) {
            match members::backtest(&*inner, input, (origin, horizon), context) {
                Ok(forecast) => tests.push((origin, forecast)),
                // A part of the series can be too short for a model that the whole is long enough for.
                Err(error) => failures.push(Failure::of(inner.name(), error)?),
            }
        }
        let usable = |stderr: &Option<Vec<f64>>| {
            stderr.as_ref().is_some_and(|stderr| stderr.iter().all(|s| s.is_finite() && *s > 0.0))
        };
        // Scales are the model's own where they all are: zeros and scores do not go together.
        let own_scale = usable(&model.in_sample().stderr) && tests.iter().all(|(_, forecast)| usable(&forecast.stderr));
        let mut scores = Vec::new();
        for (origin, forecast) in &tests {
            let scales = scales(forecast, own_scale);
            for ((mean, scale), y) in forecast.mean.iter().zip(scales).zip(&input.target[*origin..]) {
                scores.push((y - mean).abs() / scale);
            }
        }
        if scores.is_empty() {
            // No room for a backtest: the one-step errors of the training data have to do.
            let in_sample = model.in_sample();
            let scale = |t: usize| match &in_sample.stderr {
                Some(stderr) if own_scale => stderr[t],
                _ => 1.0,
            };
            let errors = input.target.iter().zip(&in_sample.mean).enumerate();
            scores = errors.map(|(t, (y, mean))| (y - mean).abs() / scale(t)).collect();
        }
        scores.retain(|score| score.is_finite());
        scores.sort_by(f64::total_cmp);
        Ok(FittedConformalForecaster { model, own_scale, scores, failures })
    }
}

/// The scale of each step: the model's standard error, or the root of the number of steps.
fn scales(forecast: &Forecast, own: bool) -> Vec<f64> {
    match &forecast.stderr {
        Some(stderr) if own => stderr.clone(),
        _ => (1..=forecast.mean.len()).map(|h| (h as f64).sqrt()).collect(),
    }
}

/// A trained [`ConformalForecaster`].
#[derive(Debug, Serialize)]
pub struct FittedConformalForecaster {
    #[serde(serialize_with = "members::state")]
    model: Box<dyn DynFittedForecaster>,
    /// Whether scores are in units of the model's standard errors.
    own_scale: bool,
    /// The scores, in increasing order.
    scores: Vec<f64>,
    /// Backtests that failed.
    failures: Vec<Failure>,
}

impl FittedConformalForecaster {
    /// The scores, in increasing order.
    #[must_use]
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// The score that a share of the future will not exceed.
    fn quantile(&self, share: f64) -> f64 {
        let n = self.scores.len();
        let Some(&largest) = self.scores.last() else { return 0.0 };
        let rank = ((n as f64 + 1.0) * share).ceil();
        if rank <= n as f64 {
            return self.scores[(rank as usize).max(1) - 1];
        }
        let deviate = |share: f64| normal::quantile(0.5 + share / 2.0);
        largest * deviate(share) / deviate(n as f64 / (n as f64 + 1.0))
    }
}

impl FittedForecaster for FittedConformalForecaster {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        let inner = self.model.forecast(&Request { levels: &[], ..*request })?;
        let scales = scales(&inner, self.own_scale);
        let sigma = self.quantile(ONE_SIGMA);
        let interval = |&level: &f64| {
            let q = self.quantile(level / 100.0);
            let bound = |sign: f64| inner.mean.iter().zip(&scales).map(|(mean, s)| mean + sign * q * s).collect();
            Interval { level, lower: bound(-1.0), upper: bound(1.0) }
        };
        let intervals = request.levels.iter().map(interval).collect();
        let stderr = Some(scales.iter().map(|s| sigma * s).collect());
        Ok(Forecast { mean: inner.mean, stderr, intervals })
    }

    fn in_sample(&self) -> InSample {
        let InSample { mean, stderr } = self.model.in_sample();
        let sigma = self.quantile(ONE_SIGMA);
        let stderr = match stderr {
            Some(stderr) if self.own_scale => stderr.into_iter().map(|s| s * sigma).collect(),
            _ => vec![sigma; mean.len()],
        };
        InSample { mean, stderr: Some(stderr) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::{days, fit};
    use super::*;
    use crate::math::rng;

    fn conformal(name: &str) -> ConformalForecaster {
        ConformalForecaster { model: ModelSpec::named(name), ..ConformalForecaster::default() }
    }

    fn intervals(fitted: &FittedConformalForecaster, horizon: i64, levels: &[f64]) -> Forecast {
        let times = days(1000..1000 + horizon);
        let context = FitContext::default();
        let request = Request { times: &times, history: None, exog: &[], levels, context: &context };
        FittedForecaster::forecast(fitted, &request).unwrap()
    }

    // By hand: a tenth of 20 is 2 steps; five windows leave ten to train on. Naive has errors of 1 and 2 times the slope; its standard
    // error is √h for steps of 1, so scores are 1 and 2/√2 = √2.
    #[test]
    fn scores_are_the_errors_of_backtests_in_standard_errors() {
        let y: Vec<f64> = (0..20).map(f64::from).collect();
        let fitted = fit(&conformal("Naive"), &y).unwrap();
        assert_eq!(fitted.scores().len(), 10);
        let expected = [1.0, 1.0, 1.0, 1.0, 1.0, 2f64.sqrt(), 2f64.sqrt(), 2f64.sqrt(), 2f64.sqrt(), 2f64.sqrt()];
        for (got, expected) in fitted.scores().iter().zip(expected) {
            assert!((got - expected).abs() < 1e-9, "{:?}", fitted.scores());
        }
        // ⌈11 · 0.4⌉ = 5 and ⌈11 · 0.8⌉ = 9.
        let forecast = intervals(&fitted, 4, &[40.0, 80.0]);
        for (interval, q) in forecast.intervals.iter().zip([1.0, 2f64.sqrt()]) {
            for (h, (lower, upper)) in interval.lower.iter().zip(&interval.upper).enumerate() {
                let half = q * ((h + 1) as f64).sqrt();
                assert!((19.0 - half - lower).abs() < 1e-9 && (19.0 + half - upper).abs() < 1e-9, "{interval:?}");
            }
        }
        assert_eq!(forecast.mean, [19.0; 4]);
    }

    // Errors with heavy tails: a twentieth are ten times as large. The normal interval of 95 % covers too much of the rest.
    #[test]
    fn intervals_cover_what_they_say_whatever_the_distribution() {
        let mut stream = rng::stream(3, 7);
        let mut draw = || {
            let large = rng::uniform(&mut stream) < 0.05;
            rng::standard_normal(&mut stream) * if large { 10.0 } else { 1.0 }
        };
        let model = ConformalForecaster { windows: 100, horizon: Some(1), ..conformal("HistoricAverage") };
        let (mut covered, mut asked) = (0.0, 0.0);
        for _ in 0..40 {
            let y: Vec<f64> = (0..220).map(|_| draw()).collect();
            let forecast = intervals(&fit(&model, &y[..200]).unwrap(), 20, &[80.0]);
            let interval = &forecast.intervals[0];
            for (h, y) in y[200..].iter().enumerate() {
                covered += f64::from(u8::from(interval.lower[h] <= *y && *y <= interval.upper[h]));
                asked += 1.0;
            }
        }
        // 800 draws: a standard error of 1.4 %, as much again from the 40 samples of 100 scores.
        let share = covered / asked;
        assert!((share - 0.8).abs() < 0.05, "{share} covered");
    }

    #[test]
    fn levels_beyond_the_scores_are_stretched_and_constants_have_no_width() {
        let y: Vec<f64> = (0..12).map(|t| f64::from(t * 7 % 5)).collect();
        let forecast = intervals(&fit(&conformal("Naive"), &y).unwrap(), 3, &[50.0, 90.0, 99.9]);
        let widths: Vec<f64> =
            forecast.intervals.iter().map(|interval| interval.upper[0] - interval.lower[0]).collect();
        assert!(widths.is_sorted() && widths[2] > widths[1] && widths[2].is_finite(), "{widths:?}");
        let flat = intervals(&fit(&conformal("Naive"), &[4.0; 12]).unwrap(), 2, &[95.0]);
        assert_eq!((flat.intervals[0].lower.clone(), flat.stderr), (vec![4.0; 2], Some(vec![0.0; 2])));
        // A single observation has no error at all.
        assert_eq!(fit(&conformal("Naive"), &[4.0]).unwrap().scores(), [0.0]);
    }

    #[test]
    fn the_season_is_the_inner_models() {
        let model = conformal("SeasonalNaive").with_season_length(4).unwrap();
        let y: Vec<f64> = (0..24).map(|t| [1.0, 5.0, 2.0, 9.0][t % 4]).collect();
        assert_eq!(intervals(&fit(&model, &y).unwrap(), 4, &[]).mean, [1.0, 5.0, 2.0, 9.0]);
        assert!(conformal("Naive").with_season_length(4).is_none());
    }
}
