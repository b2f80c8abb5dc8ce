//! A baseline that knows the time of day, the weekday or the day of the month.
//!
//! Observations are sorted into segments by any of the three. With the mean `μ` and the standard deviation `σ` (of a sample) of the
//! segment an observation belongs to,
//!
//! ```text
//! s_t = (x_t - μ) / (σ + 1e-8)     and 0 where the segment has fewer than two observations
//! ```
//!
//! Segments are made of the observations of a fixed period, or of a window that rolls along with [`FittedDetector::update`].

use std::collections::BTreeMap;
use std::fmt;

use chrono::Datelike;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::models::{Capabilities, Detector, FitContext, FittedDetector, ModelError, Observations, Scores};
use crate::postprocess::Supervision;
use crate::time::{Timestamp, parse_timedelta};

/// Nanoseconds of a minute.
const MINUTE: i64 = 60_000_000_000;

/// What the baseline may depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Trend {
    /// The time of day.
    Daily,
    /// The weekday.
    Weekly,
    /// The day of the month.
    Monthly,
}

impl TryFrom<String> for Trend {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match name.to_lowercase().as_str() {
            "daily" => Ok(Self::Daily),
            "weekly" => Ok(Self::Weekly),
            "monthly" => Ok(Self::Monthly),
            _ => Err(format!("'{name}' is not one of daily, weekly, monthly")),
        }
    }
}

impl From<Trend> for String {
    fn from(trend: Trend) -> Self {
        trend.to_string()
    }
}

impl fmt::Display for Trend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        })
    }
}

/// Distance from what is usual at this time of day, weekday or day of the month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DynamicBaseline {
    /// First and last time of the observations that count, dates or seconds; null for a rolling window. Does not count beside
    /// `train_window`.
    pub fixed_period: Option<(Value, Value)>,
    /// Length of the rolling window; null for Merlion's: 14 weeks with a monthly trend, else 4 with a weekly one, else 2.
    pub train_window: Option<String>,
    /// Length of the pieces a day is cut into, if there is a daily trend; an hour as in Merlion.
    pub wind_sz: String,
    /// Any of "daily", "weekly" and "monthly"; null for Merlion's weekly and daily ones.
    pub trends: Option<Vec<Trend>>,
}

impl Default for DynamicBaseline {
    fn default() -> Self {
        Self { fixed_period: None, train_window: None, wind_sz: "1h".to_owned(), trends: None }
    }
}

/// Which observations count.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
enum Scope {
    /// Those between two times, both included.
    Period(Timestamp, Timestamp),
    /// The latest of so many nanoseconds.
    Window(i64),
}

impl DynamicBaseline {
    fn trends(&self) -> Vec<Trend> {
        self.trends.clone().unwrap_or_else(|| vec![Trend::Weekly, Trend::Daily])
    }

    fn scope(&self) -> Result<Scope, ModelError> {
        match (&self.fixed_period, &self.train_window) {
            (Some((first, last)), None) => Ok(Scope::Period(time(first)?, time(last)?)),
            (_, Some(window)) => Ok(Scope::Window(span("train_window", window)?)),
            (None, None) => {
                let trends = self.trends();
                let window = match () {
                    () if trends.contains(&Trend::Monthly) => "14w",
                    () if trends.contains(&Trend::Weekly) => "4w",
                    () => "2w",
                };
                Ok(Scope::Window(span("train_window", window)?))
            }
        }
    }
}

fn invalid(parameter: &'static str, value: String, reason: String) -> ModelError {
    ModelError::InvalidParameter { model: DynamicBaseline::NAME, parameter, value, reason }
}

fn span(parameter: &'static str, text: &str) -> Result<i64, ModelError> {
    parse_timedelta(text).map_err(|error| invalid(parameter, text.to_owned(), error.to_string()))
}

fn time(json: &Value) -> Result<Timestamp, ModelError> {
    let bad = |reason: String| invalid("fixed_period", json.to_string(), reason);
    match json {
        Value::String(text) => Timestamp::parse(text).map_err(|error| bad(error.to_string())),
        other => {
            let seconds = other.as_f64().and_then(Timestamp::from_seconds_f64);
            seconds.ok_or_else(|| bad("must be two dates, or seconds since 1970".to_owned()))
        }
    }
}

impl Detector for DynamicBaseline {
    const NAME: &'static str = "DynamicBaseline";
    const SUMMARY: &'static str = "Distance from what is usual at this time of day, weekday or day of the month";
    const CAPABILITIES: Capabilities = Capabilities {
        univariate_only: true,
        exogenous: false,
        even_sampling: false,
        standard_errors: true,
        online: true,
    };
    const QUANTILE: bool = false;
    type Fitted = FittedDynamicBaseline;

    fn validate(&self) -> Result<(), ModelError> {
        if let Scope::Period(first, last) = self.scope()?
            && first > last
        {
            let reason = "ends before it begins".to_owned();
            return Err(invalid("fixed_period", format!("{first} to {last}"), reason));
        }
        let piece = span("wind_sz", &self.wind_sz)?;
        // Times of day are told to the minute, as in Merlion.
        if piece < MINUTE {
            return Err(invalid("wind_sz", self.wind_sz.clone(), "a piece of a day is a minute at least".to_owned()));
        }
        Ok(())
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        _: Option<&Supervision<'_>>,
        _: &FitContext,
    ) -> Result<FittedDynamicBaseline, ModelError> {
        let mut fitted = FittedDynamicBaseline {
            scope: self.scope()?,
            wind_sz: span("wind_sz", &self.wind_sz)?,
            trends: self.trends(),
            data: Vec::new(),
            segments: BTreeMap::new(),
            train: Scores::default(),
        };
        fitted.absorb(input);
        if fitted.data.is_empty() {
            return Err(ModelError::Empty);
        }
        fitted.train = fitted.scores(input);
        Ok(fitted)
    }
}

/// Day of the month, weekday and piece of the day, each 0 where there is no such trend.
type Key = (u32, i64, i64);

/// Mean and standard deviation of a segment, the latter unless there is but one observation.
type Segment = (f64, Option<f64>);

/// A trained [`DynamicBaseline`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedDynamicBaseline {
    scope: Scope,
    wind_sz: i64,
    trends: Vec<Trend>,
    /// The observations that count, in time order.
    data: Vec<(Timestamp, f64)>,
    #[serde(serialize_with = "as_list")]
    segments: BTreeMap<Key, Segment>,
    #[serde(skip)]
    train: Scores,
}

fn as_list<S: serde::Serializer>(segments: &BTreeMap<Key, Segment>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(segments)
}

impl FittedDynamicBaseline {
    /// Mean and standard deviation that are usual at a time; `None` where nothing was observed, no deviation where one value was.
    #[must_use]
    pub fn baseline(&self, t: Timestamp) -> Option<(f64, Option<f64>)> {
        self.segments.get(&self.key(t)).copied()
    }

    fn key(&self, t: Timestamp) -> Key {
        let has = |trend| self.trends.contains(&trend);
        let day = if has(Trend::Monthly) { t.to_utc().day() } else { 0 };
        // The epoch was a Thursday.
        let weekday = if has(Trend::Weekly) { (t.days() + 3).rem_euclid(7) } else { 0 };
        let piece = if has(Trend::Daily) { t.nanos_of_day() / MINUTE * MINUTE / self.wind_sz } else { 0 };
        (day, weekday, piece)
    }

    /// Takes in what counts of rows that are newer than what is known, and drops what counts no more.
    fn absorb(&mut self, rows: &Observations<'_>) {
        let known = self.data.last().map(|(t, _)| *t);
        let new = rows.times.iter().copied().zip(rows.target().iter().copied());
        self.data.extend(new.filter(|(t, _)| known.is_none_or(|known| *t > known)));
        match self.scope {
            Scope::Period(first, last) => self.data.retain(|(t, _)| (first..=last).contains(t)),
            Scope::Window(window) => {
                let last = self.data.last().map_or(0, |(t, _)| t.nanos());
                self.data.retain(|(t, _)| t.nanos() >= last.saturating_sub(window));
            }
        }
        let mut grouped: BTreeMap<Key, Vec<f64>> = BTreeMap::new();
        for (t, x) in &self.data {
            grouped.entry(self.key(*t)).or_default().push(*x);
        }
        self.segments = grouped.into_iter().map(|(key, x)| (key, segment(&x))).collect();
    }

    fn scores(&self, rows: &Observations<'_>) -> Scores {
        let n = rows.len();
        let (mut values, mut expected, mut deviations) =
            (Vec::with_capacity(n), Vec::with_capacity(n), Vec::with_capacity(n));
        for (t, &x) in rows.times.iter().zip(rows.target()) {
            // Where nothing is known the observation is as normal as any.
            let (score, mean, deviation) = match self.baseline(*t) {
                Some((mean, Some(deviation))) => ((x - mean) / (deviation + 1e-8), mean, deviation),
                _ => (0.0, x, 0.0),
            };
            values.push(score);
            expected.push(mean);
            deviations.push(deviation);
        }
        Scores::new(rows.times, values).with_expected(expected, Some(deviations))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of observations")]
fn segment(x: &[f64]) -> Segment {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let squares: f64 = x.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (x.len() > 1).then(|| (squares / (n - 1.0)).sqrt()))
}

impl FittedDetector for FittedDynamicBaseline {
    fn train_scores(&self) -> Scores {
        self.train.clone()
    }

    fn score(
        &self,
        new: &Observations<'_>,
        _: Option<&Observations<'_>>,
        _: &FitContext,
    ) -> Result<Scores, ModelError> {
        Ok(self.scores(new))
    }

    fn update(&mut self, new: &Observations<'_>, _: &FitContext) -> Result<(), ModelError> {
        self.absorb(new);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{every, fit, noise};
    use super::*;

    /// Hourly values with a rhythm of days and of weeks.
    fn hours(range: std::ops::Range<usize>) -> Vec<f64> {
        range.map(|t| (t % 24) as f64 + if (t / 24) % 7 > 4 { 100.0 } else { 0.0 } + noise(t)).collect()
    }

    #[test]
    fn a_weekday_on_a_sunday_is_strange() {
        let model = json!({"name": "DynamicBaseline", "enable_calibrator": false});
        let fitted = fit(&model, &every(3600, 0, &hours(0..672))).unwrap();
        let mut week = hours(672..840);
        week[130] -= 100.0;
        let scores = fitted.detect(&every(3600, 672, &week), None).unwrap();
        let strange: Vec<usize> = (0..168).filter(|&t| scores.raw[t].abs() > 20.0).collect();
        assert_eq!(strange, [130]);
        assert!((scores.normal.unwrap().expected[130] - 110.0).abs() < 1.0);
    }

    #[test]
    fn the_window_rolls_along_with_updates() {
        let model = json!({"name": "DynamicBaseline", "train_window": "1w", "trends": []});
        let mut fitted = fit(&model, &every(3600, 0, &vec![0.0; 400])).unwrap();
        fitted.update(&every(3600, 400, &[10.0; 100])).unwrap();
        let count = |fitted: &crate::pipeline::FittedDetectionPipeline| {
            let data = fitted.state()["model"]["data"].clone();
            let data: Vec<(i64, f64)> = serde_json::from_value(data).unwrap();
            (data.len(), data.iter().filter(|(_, x)| *x == 10.0).count())
        };
        // A week, both ends included.
        assert_eq!(count(&fitted), (169, 100));
        fitted.update(&every(3600, 450, &[20.0; 60])).unwrap();
        assert_eq!(count(&fitted), (169, 100), "what was known is not taken in again");
    }

    #[test]
    fn only_the_fixed_period_counts() {
        let model = json!({"name": "DynamicBaseline", "fixed_period": ["1970-01-01", 18_000], "trends": ["DAILY"]});
        let fitted = fit(&model, &every(3600, 0, &hours(0..48))).unwrap();
        assert_eq!(fitted.state()["model"]["data"].as_array().unwrap().len(), 6);
        assert!(fitted.train_detections().raw.iter().all(|score| *score == 0.0), "one value in each segment");
        let elsewhere = json!({"name": "DynamicBaseline", "fixed_period": ["1980-01-01", "1980-02-01"]});
        assert_eq!(fit(&elsewhere, &every(3600, 0, &hours(0..48))).unwrap_err(), ModelError::Empty);
    }

    #[test]
    fn parameters_that_cannot_be_are_named() {
        for (json, words) in [
            (json!({"trends": ["yearly"]}), "not one of daily, weekly, monthly"),
            (json!({"train_window": "4 fortnights"}), "train_window"),
            (json!({"wind_sz": "10s"}), "a minute at least"),
            (json!({"fixed_period": ["2020-01-02", "2020-01-01"]}), "ends before it begins"),
            (json!({"fixed_period": ["soon", "later"]}), "'soon' is not a time"),
        ] {
            let mut json = json;
            json["name"] = "DynamicBaseline".into();
            let error = fit(&json, &every(3600, 0, &[1.0; 9])).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
    }
}
