//! Several seasons taken out by loess, one after the other, and any model for what is left.
//!
//! Bandara, Hyndman & Bergmeir (2021), "MSTL: A seasonal-trend decomposition algorithm for time series with multiple seasonal
//! patterns", arXiv:2107.13462. Seasons are found by STL ([`crate::seasonality::stl`]), the shortest first, each in the series
//! without the others, and then once more. The inner model forecasts the series without seasons; the last course of each
//! season is added.

use serde::{Deserialize, Deserializer, Serialize};

use super::theta::validate_season;
use crate::models::members;
use crate::models::{
    Capabilities, DynFittedForecaster, DynForecaster, FitContext, FittedForecaster, Forecast, Forecaster, InSample,
    ModelError, ModelSpec, Origin, Request, TrainInput,
};
use crate::seasonality::stl::Stl;
use crate::seasonality::{self, Options, Strategy};
use crate::time::Timestamp;

/// Any model on the series without its seasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mstl {
    /// The model of what is left; the dynamic optimised θ model, which is quick and follows trends. A season of its own is turned off.
    pub model: ModelSpec,
    /// Lengths of the seasons in observations, a number or a list. Null: told from the data. What was not seen twice is no season.
    #[serde(deserialize_with = "one_or_more")]
    pub season_length: Option<Vec<usize>>,
    /// Windows of the seasons' smoothing, in seasons, the shortest season first; odd. Null for 11, 15, 19, …, as in the paper.
    pub seasonal_windows: Option<Vec<usize>>,
    /// Whether outliers are weighed down when seasons are taken out; no as in the paper.
    pub robust: bool,
    #[serde(skip)]
    origin: Origin,
    #[serde(skip)]
    max_forecast_steps: Option<usize>,
}

impl Default for Mstl {
    fn default() -> Self {
        Self {
            model: ModelSpec::named(super::dynamic_optimized_theta::DynamicOptimizedTheta::NAME),
            season_length: None,
            seasonal_windows: None,
            robust: false,
            origin: Origin::default(),
            max_forecast_steps: None,
        }
    }
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<usize>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Lengths {
        One(usize),
        More(Vec<usize>),
    }
    let lengths = Option::<Lengths>::deserialize(deserializer)
        .map_err(|_| serde::de::Error::custom("a whole number, a list of them, or null"))?;
    Ok(lengths.map(|lengths| match lengths {
        Lengths::One(length) => vec![length],
        Lengths::More(lengths) => lengths,
    }))
}

/// How often all seasons are found anew, as in the paper.
const TURNS: usize = 2;

impl Mstl {
    fn inner(&self) -> Result<Box<dyn DynForecaster>, ModelError> {
        let model = self.model.build_model(&self.origin)?.with_max_forecast_steps(self.max_forecast_steps);
        Ok(model.with_season_length(1).unwrap_or(model))
    }

    /// The seasons that were seen twice, the shortest first.
    fn periods(&self, y: &[f64], context: &FitContext) -> Result<Vec<usize>, ModelError> {
        let mut periods = match &self.season_length {
            Some(lengths) => lengths.clone(),
            None => seasonality::detect(y, &Options { strategy: Strategy::All, ..Options::default() }, context)?,
        };
        periods.retain(|period| *period > 1 && y.len() >= 2 * period);
        periods.sort_unstable();
        periods.dedup();
        Ok(periods)
    }

    fn window(&self, season: usize) -> usize {
        let given = self.seasonal_windows.as_ref().and_then(|windows| windows.get(season).or(windows.last()).copied());
        given.unwrap_or(11 + 4 * season)
    }
}

impl Forecaster for Mstl {
    const NAME: &'static str = "MSTL";
    const SUMMARY: &'static str = "Takes several seasons out by loess and trains another model on the rest";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    const INNER: Option<&'static str> = Some("model");
    type Fitted = FittedMstl;

    fn with_origin(self, origin: &Origin) -> Self {
        Self { origin: origin.clone(), ..self }
    }

    fn with_max_forecast_steps(self, max_forecast_steps: Option<usize>) -> Self {
        Self { max_forecast_steps, ..self }
    }

    fn with_season_length(self, length: usize) -> Option<Self> {
        Some(Self { season_length: Some(vec![length]), ..self })
    }

    fn capabilities(&self) -> Capabilities {
        self.inner().map_or(Self::CAPABILITIES, |model| model.capabilities())
    }

    fn check_columns(&self, columns: usize) -> Result<(), ModelError> {
        self.inner()?.check_columns(columns)
    }

    fn validate(&self) -> Result<(), ModelError> {
        for length in self.season_length.iter().flatten() {
            validate_season(Self::NAME, Some(*length))?;
        }
        for window in self.seasonal_windows.iter().flatten() {
            if *window < 3 || window % 2 == 0 {
                return Err(ModelError::InvalidParameter {
                    model: Self::NAME,
                    parameter: "seasonal_windows",
                    value: window.to_string(),
                    reason: "an odd number from 3 on".into(),
                });
            }
        }
        if !self.inner()?.capabilities().even_sampling {
            return Err(ModelError::InvalidParameter {
                model: Self::NAME,
                parameter: "model",
                value: self.model.name.clone(),
                reason: "it does not count steps, and seasons here are counted in steps".into(),
            });
        }
        Ok(())
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedMstl, ModelError> {
        let y = input.target;
        let periods = self.periods(y, context)?;
        let mut seasons = vec![vec![0.0; y.len()]; periods.len()];
        let mut rest = y.to_vec();
        // A single season is found at once.
        for _ in 0..if periods.len() > 1 { TURNS } else { periods.len() } {
            for (k, (period, season)) in periods.iter().zip(&mut seasons).enumerate() {
                rest.iter_mut().zip(season.iter()).for_each(|(rest, s)| *rest += s);
                let stl =
                    Stl { seasonal: self.window(k), robust: self.robust, every_point: false, ..Stl::new(*period) };
                *season = stl.decompose(&rest, context)?.seasonal;
                rest.iter_mut().zip(season.iter()).for_each(|(rest, s)| *rest -= s);
            }
        }
        let seasonal: Vec<f64> = (0..y.len()).map(|t| seasons.iter().map(|season| season[t]).sum()).collect();
        let last = |(season, period): (Vec<f64>, usize)| Season::ending(&season, period);
        let seasons = seasons.into_iter().zip(periods).map(last).collect();
        let model = self.inner()?.fit(&TrainInput { target: &rest, ..*input }, context)?;
        Ok(FittedMstl { seasons, model, seasonal, last_time: input.times.last().copied() })
    }
}

/// The last course of a season.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Season(Vec<f64>);

impl Season {
    fn ending(season: &[f64], period: usize) -> Self {
        Self(season[season.len() - period..].to_vec())
    }

    /// The season so many steps after the training data, before it if negative.
    fn at(&self, step: i64) -> f64 {
        let period = self.0.len() as i64;
        self.0[(step - 1).rem_euclid(period) as usize]
    }
}

/// A trained [`Mstl`].
#[derive(Debug, Serialize)]
pub struct FittedMstl {
    /// The last course of each season.
    seasons: Vec<Season>,
    #[serde(serialize_with = "members::state")]
    model: Box<dyn DynFittedForecaster>,
    /// The sum of the seasons over the training data.
    seasonal: Vec<f64>,
    last_time: Option<Timestamp>,
}

impl FittedMstl {
    /// Lengths of the seasons that were taken out, the shortest first.
    #[must_use]
    pub fn periods(&self) -> Vec<usize> {
        self.seasons.iter().map(|season| season.0.len()).collect()
    }

    fn season(&self, step: i64) -> f64 {
        self.seasons.iter().map(|season| season.at(step)).sum()
    }

    /// How many of these times are not after the training data.
    fn known(&self, times: &[Timestamp]) -> i64 {
        times.partition_point(|time| self.last_time.is_some_and(|last| *time <= last)) as i64
    }

    /// Observations without their seasons.
    fn rest(&self, input: &TrainInput<'_>) -> Vec<f64> {
        let known = self.known(input.times);
        input.target.iter().zip(1 - known..).map(|(y, step)| y - self.season(step)).collect()
    }
}

impl FittedForecaster for FittedMstl {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        let rest = request.history.as_ref().map(|history| self.rest(history));
        let history = request.history.zip(rest.as_ref()).map(|(history, rest)| TrainInput { target: rest, ..history });
        let newer = history.map_or(0, |history| history.times.len() as i64 - self.known(history.times));
        let mut forecast = self.model.forecast(&Request { history, ..*request })?;
        let add = |values: &mut Vec<f64>| {
            values.iter_mut().zip(newer + 1..).for_each(|(value, step)| *value += self.season(step));
        };
        add(&mut forecast.mean);
        for interval in &mut forecast.intervals {
            add(&mut interval.lower);
            add(&mut interval.upper);
        }
        Ok(forecast)
    }

    fn in_sample(&self) -> InSample {
        let mut in_sample = self.model.in_sample();
        in_sample.mean.iter_mut().zip(&self.seasonal).for_each(|(mean, season)| *mean += season);
        in_sample
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::*;

    /// A line with the hours of a day and the days of a week.
    fn hourly(n: usize) -> Vec<f64> {
        let hour = |t: usize| 10.0 * (std::f64::consts::TAU * t as f64 / 24.0).sin();
        let day = |t: usize| [0.0, 1.0, 2.0, 1.0, 0.0, -8.0, -6.0][t / 24 % 7];
        (0..n).map(|t| 100.0 + 0.02 * t as f64 + hour(t) + day(t) + ((t * 7919) % 101) as f64 / 200.0).collect()
    }

    fn mstl(json: serde_json::Value) -> Mstl {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn two_seasons_go_on() {
        let model = mstl(serde_json::json!({"season_length": [168, 24], "model": "Drift"}));
        let y = hourly(168 * 5);
        let fitted = fit(&model, &y[..168 * 4]).unwrap();
        assert_eq!(fitted.periods(), [24, 168]);
        let ahead = forecast(&fitted, 168, None).mean;
        let apart = ahead.iter().zip(&y[168 * 4..]).map(|(got, y)| (got - y).abs()).sum::<f64>() / 168.0;
        assert!(apart < 1.0, "mean error {apart}");
    }

    #[test]
    fn newer_observations_turn_the_seasons() {
        let model = mstl(serde_json::json!({"season_length": 24, "model": "Naive"}));
        let y = hourly(24 * 12);
        let fitted = fit(&model, &y[..240]).unwrap();
        let plain = forecast(&fitted, 30, None).mean;
        let moved = forecast(&fitted, 25, Some((230, &y[230..245]))).mean;
        // What is left has moved by a number, the season goes on where it was.
        let shift = moved[0] - plain[5];
        for (moved, plain) in moved.iter().zip(&plain[5..]) {
            assert!((moved - plain - shift).abs() < 1e-9, "{moved} vs {plain} + {shift}");
        }
        let in_sample = FittedForecaster::in_sample(&fitted).mean;
        let apart = in_sample.iter().zip(&y).map(|(got, y)| (got - y).abs()).sum::<f64>() / 240.0;
        assert!(apart < 2.0, "mean error {apart}");
    }

    #[test]
    fn a_series_without_season_is_the_inner_models() {
        let y: Vec<f64> = (0..20).map(|t| f64::from(t * 31 % 7)).collect();
        let model = mstl(serde_json::json!({"season_length": 12, "model": "Drift"}));
        let fitted = fit(&model, &y).unwrap();
        assert_eq!(fitted.periods(), [0usize; 0]);
        let drift = fit(&super::super::drift::Drift {}, &y).unwrap();
        assert_eq!(forecast(&fitted, 3, None), forecast(&drift, 3, None));
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (json, words) in [
            (serde_json::json!({"season_length": [7, 0]}), "season_length = 0"),
            (serde_json::json!({"seasonal_windows": [8]}), "seasonal_windows = 8"),
        ] {
            let error = mstl(json.clone()).validate().unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
        let error = serde_json::from_str::<Mstl>(r#"{"season_length": "week"}"#).unwrap_err().to_string();
        assert!(error.contains("a whole number, a list of them, or null"), "{error}");
    }
}
