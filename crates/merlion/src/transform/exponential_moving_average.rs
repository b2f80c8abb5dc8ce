//! Exponentially weighted averages.

use serde::{Deserialize, Serialize};

use super::recursion::unknown_column;
use super::{Fitted, Inversion, InversionState, RunningAverage, Transform, TransformError, TransformSpec};
use crate::math::normal;
use crate::series::{TimeSeries, Univariate};

/// An average in which an observation counts `1 - alpha` times as much as the one after it:
///
/// ```text
/// y_t = (x_t + (1-α) x_{t-1} + … + (1-α)^t x_0) / (1 + (1-α) + … + (1-α)^t)     normalize
/// y_t = α x_t + (1-α) y_{t-1},   y_0 = x_0                                      otherwise
/// ```
///
/// A missing value leaves the average as it is while the weights go on fading, as in pandas' `ewm`. With `ci`, each column `x` is
/// followed by `x_lb` and `x_ub`, the bounds `y_t ± z s_t` between which a normal variable is with probability `p`, where `s_t` is
/// the exponentially weighted deviation (without bias; the first, which has none, takes the second's).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExponentialMovingAverage {
    /// The weight of a new observation, above 0 and up to 1: the less, the smoother.
    pub alpha: f64,
    /// Whether the weights add up to 1 from the start.
    pub normalize: bool,
    /// The probability of the bounds.
    pub p: f64,
    /// Whether there are bounds.
    pub ci: bool,
}

impl Default for ExponentialMovingAverage {
    /// No smoothing; the other defaults are Merlion's.
    fn default() -> Self {
        Self { alpha: 1.0, normalize: true, p: 0.95, ci: false }
    }
}

impl Transform for ExponentialMovingAverage {
    const NAME: &'static str = "ExponentialMovingAverage";
    const SUMMARY: &'static str = "Exponentially weighted average, with bounds if asked for";
    const REQUIRED: &'static [&'static str] = &["alpha"];
    type Fitted = Self;

    fn validate(&self) -> Result<(), TransformError> {
        if !(self.alpha > 0.0 && self.alpha <= 1.0) {
            return Err(TransformError::invalid(Self::NAME, "alpha", self.alpha, "must be above 0 and at most 1"));
        }
        if !(0.0..1.0).contains(&self.p) {
            return Err(TransformError::invalid(Self::NAME, "p", self.p, "must be from 0 to below 1"));
        }
        Ok(())
    }

    fn fit(&self, _: &TimeSeries) -> Result<Self, TransformError> {
        Ok(*self)
    }
}

impl ExponentialMovingAverage {
    /// The weight of a new observation against that of the average.
    fn weight(&self) -> f64 {
        if self.normalize { 1.0 } else { self.alpha }
    }

    /// The average after the observation `x`, which may be missing.
    fn observe(&self, average: &mut Option<RunningAverage>, x: f64) -> f64 {
        let Some(now) = average else {
            if !x.is_nan() {
                *average = Some(RunningAverage { mean: x, weight: 1.0 });
            }
            return x;
        };
        now.weight *= 1.0 - self.alpha;
        if !x.is_nan() {
            let total = now.weight + self.weight();
            if now.mean != x {
                now.mean = (now.weight * now.mean + self.weight() * x) / total;
            }
            now.weight = if self.normalize { total } else { 1.0 };
        }
        now.mean
    }

    /// The observation that makes the average `y`.
    fn explain(&self, average: Option<RunningAverage>, y: f64) -> f64 {
        average.map_or(y, |now| {
            let weight = now.weight * (1.0 - self.alpha);
            y + weight * (y - now.mean) / self.weight()
        })
    }

    /// The observations whose averages are in `column`, from `average` on; those at the times `missing` are missing.
    fn explain_all(&self, column: &Univariate, mut average: Option<RunningAverage>, missing: &[Missing]) -> Vec<f64> {
        let explain = |(t, y)| {
            let x = if missing.binary_search(&t).is_ok() { f64::NAN } else { self.explain(average, y) };
            self.observe(&mut average, x);
            x
        };
        column.iter().map(explain).collect()
    }

    /// The columns that hold averages, not bounds.
    fn averages(&self, series: &TimeSeries) -> Result<TimeSeries, TransformError> {
        let is_bound = |name: &str| {
            let average = name.strip_suffix(LOWER).or_else(|| name.strip_suffix(UPPER));
            self.ci && average.is_some()
        };
        let columns: Vec<Univariate> =
            series.univariates().iter().filter(|column| !is_bound(column.name())).cloned().collect();
        if columns.is_empty() && series.dim() > 0 {
            let reason = "bounds do not tell the values they were put around".to_owned();
            return Err(TransformError::NotInvertible { transform: Self::NAME, reason });
        }
        Ok(TimeSeries::from_univariates(columns)?)
    }

    /// The exponentially weighted standard deviation of a column, without bias (pandas' `ewm(…).std()`).
    fn deviations(&self, x: &[f64]) -> Vec<f64> {
        let fading = 1.0 - self.alpha;
        let mut average: Option<RunningAverage> = None;
        let (mut variance, mut sum, mut sum_of_squares) = (0.0, 1.0, 1.0);
        let mut deviations: Vec<f64> = Vec::with_capacity(x.len());
        for &x in x {
            let before = average;
            let mean = self.observe(&mut average, x);
            if let Some(before) = before {
                sum *= fading;
                sum_of_squares *= fading * fading;
                if !x.is_nan() {
                    let (old, new) = (before.weight * fading, self.weight());
                    let moved = (before.mean - mean) * (before.mean - mean);
                    variance = (old * (variance + moved) + new * (x - mean) * (x - mean)) / (old + new);
                    sum += new;
                    sum_of_squares += new * new;
                    if !self.normalize {
                        sum /= old + new;
                        sum_of_squares /= (old + new) * (old + new);
                    }
                }
            }
            let correction = sum * sum - sum_of_squares;
            let known = average.is_some() && correction > 0.0;
            deviations.push(if known { (sum * sum / correction * variance).sqrt() } else { f64::NAN });
        }
        if let [first, second, ..] = deviations.as_mut_slice() {
            *first = *second;
        }
        deviations
    }
}

const LOWER: &str = "_lb";
const UPPER: &str = "_ub";

/// The time of a missing observation.
type Missing = crate::time::Timestamp;

impl Fitted for ExponentialMovingAverage {
    fn inversion(&self) -> Inversion {
        Inversion::STATELESS
    }

    fn spec(&self) -> TransformSpec {
        (*self).into()
    }

    fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError> {
        let averages = series.map_columns(|column| {
            let mut average = None;
            column.values().iter().map(|&x| self.observe(&mut average, x)).collect()
        });
        let missing = missing(series)?;
        let state = if missing.is_empty() { InversionState::Nothing } else { InversionState::Observations(missing) };
        if !self.ci {
            return Ok((averages, state));
        }
        let (lower, upper) = (normal::quantile(0.5 * (1.0 - self.p)), normal::quantile(0.5 * (1.0 + self.p)));
        let mut columns = Vec::with_capacity(3 * series.dim());
        for (input, average) in series.univariates().iter().zip(averages.univariates()) {
            let deviations = self.deviations(input.values());
            let bound = |z: f64, suffix| {
                let values = average.values().iter().zip(&deviations).map(|(y, s)| y + z * s).collect();
                average.with_values(values).named(&format!("{}{suffix}", average.name()))
            };
            columns.extend([average.clone(), bound(lower, LOWER), bound(upper, UPPER)]);
        }
        Ok((TimeSeries::from_univariates(columns)?, state))
    }

    fn invert(&self, series: &TimeSeries, state: &InversionState) -> Result<TimeSeries, TransformError> {
        let missing = match state {
            InversionState::Nothing => None,
            state => Some(state.observations(Self::NAME)?),
        };
        Ok(self.averages(series)?.map_columns(|column| {
            let times = missing.and_then(|missing| missing.find(column.name())).map_or(&[][..], Univariate::times);
            self.explain_all(column, None, times)
        }))
    }

    /// Merlion keeps no state.
    fn invert_as_merlion(&self, series: &TimeSeries, _: &InversionState) -> Result<TimeSeries, TransformError> {
        self.invert(series, &InversionState::Nothing)
    }

    fn end(&self, history: &TimeSeries) -> Result<InversionState, TransformError> {
        let mut averages = Vec::with_capacity(history.dim());
        for column in history.univariates() {
            let mut average = None;
            for &x in column.values() {
                self.observe(&mut average, x);
            }
            let unknown = || TransformError::UnsuitableColumn {
                transform: Self::NAME,
                column: column.name().to_owned(),
                reason: "has no observation that a forecast could go on from".to_owned(),
            };
            averages.push((column.name().to_owned(), average.ok_or_else(unknown)?));
        }
        Ok(InversionState::Averages(averages))
    }

    fn invert_forecast(&self, forecast: &TimeSeries, end: &InversionState) -> Result<TimeSeries, TransformError> {
        let InversionState::Averages(ends) = end else {
            let reason = "it holds no averages".to_owned();
            return Err(TransformError::WrongState { transform: Self::NAME, reason });
        };
        let forecast = self.averages(forecast)?;
        for name in forecast.names() {
            if !ends.iter().any(|(column, _)| column == name) {
                return Err(unknown_column(Self::NAME, name));
            }
        }
        Ok(forecast.map_columns(|column| {
            let end = ends.iter().find(|(name, _)| name == column.name()).map(|(_, average)| *average);
            self.explain_all(column, end, &[])
        }))
    }

    fn invert_one_step(&self, predictions: &TimeSeries, history: &TimeSeries) -> Result<TimeSeries, TransformError> {
        let predictions = self.averages(predictions)?;
        if let Some(name) = predictions.names().find(|name| history.find(name).is_none()) {
            return Err(unknown_column(Self::NAME, name));
        }
        Ok(predictions.map_columns(|column| {
            let mut past = history.find(column.name()).into_iter().flat_map(Univariate::iter).peekable();
            let mut average = None;
            let explain = |(t, y)| {
                while let Some((_, x)) = past.next_if(|(at, _)| *at < t) {
                    self.observe(&mut average, x);
                }
                self.explain(average, y)
            };
            column.iter().map(explain).collect()
        }))
    }
}

/// The missing observations of a series.
fn missing(series: &TimeSeries) -> Result<TimeSeries, TransformError> {
    let columns = series.univariates().iter().map(|column| {
        let times: Vec<Missing> = column.iter().filter(|(_, x)| x.is_nan()).map(|(t, _)| t).collect();
        let values = vec![f64::NAN; times.len()];
        Univariate::new(column.name(), times, values)
    });
    Ok(TimeSeries::from_univariates(columns.collect::<Result<_, _>>()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::seconds;

    fn series(values: &[f64]) -> TimeSeries {
        let times: Vec<i64> = (0..).take(values.len()).collect();
        TimeSeries::from_columns(seconds(&times), vec![("x".to_owned(), values.to_vec())]).unwrap()
    }

    fn close(got: &[f64], expected: &[f64]) {
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 || (a.is_nan() && b.is_nan());
        assert!(got.len() == expected.len() && got.iter().zip(expected).all(near), "{got:?}\nexpected {expected:?}");
    }

    #[test]
    fn gaps_are_pandas() {
        // pandas.Series([nan, 1, nan, 4, 2]).ewm(alpha=0.5, adjust=…).mean() and .std()
        let x = [f64::NAN, 1.0, f64::NAN, 4.0, 2.0];
        for (normalize, means, deviations) in [
            (
                true,
                [f64::NAN, 1.0, 1.0, 3.4, 2.538_461_538_461_538_3],
                [2.121_320_343_559_642_4, 1.398_050_590_839_063_5],
            ),
            (false, [f64::NAN, 1.0, 1.0, 3.0, 2.5], [2.121_320_343_559_642_4, 1.430_193_883_868_388_5]),
        ] {
            let average = ExponentialMovingAverage { alpha: 0.5, normalize, ..Default::default() };
            let (y, state) = average.apply_with_state(&series(&x)).unwrap();
            close(y.univariates()[0].values(), &means);
            close(&average.deviations(&x), &[[f64::NAN; 3].as_slice(), &deviations].concat());
            close(average.invert(&y, &state).unwrap().univariates()[0].values(), &x);
        }
    }

    #[test]
    fn bounds_have_no_way_back_of_their_own() {
        let average = ExponentialMovingAverage { alpha: 0.5, ci: true, ..Default::default() };
        let x = series(&[1.0, 3.0, 2.0]);
        let (y, state) = average.apply_with_state(&x).unwrap();
        assert_eq!(y.names().collect::<Vec<_>>(), ["x", "x_lb", "x_ub"]);
        close(average.invert(&y, &state).unwrap().univariates()[0].values(), &[1.0, 3.0, 2.0]);
        assert!(matches!(
            average.invert(&y.select(&["x_lb"]).unwrap(), &state),
            Err(TransformError::NotInvertible { .. })
        ));
    }

    #[test]
    fn a_forecast_goes_on_with_the_average_of_the_history() {
        for normalize in [true, false] {
            let average = ExponentialMovingAverage { alpha: 0.3, normalize, ..Default::default() };
            let x = series(&[5.0, 7.0, f64::NAN, 6.0, 9.0, 4.0]);
            let (y, _) = average.apply_with_state(&x).unwrap();
            let split = seconds(&[4])[0];
            let end = average.end(&x.bisect(split, false).0).unwrap();
            let later = average.invert_forecast(&y.bisect(split, false).1, &end).unwrap();
            close(later.univariates()[0].values(), &[9.0, 4.0]);
            let all = average.invert_one_step(&y.bisect(split, false).1, &x).unwrap();
            close(all.univariates()[0].values(), &[9.0, 4.0]);
        }
    }
}
