//! Powers that make a distribution more normal.

use serde::{Deserialize, Serialize};

use super::{Fitted, Inversion, InversionState, PerColumn, Transform, TransformError, TransformSpec};
use crate::math::brent;
use crate::series::{TimeSeries, Univariate};

/// The power transform of Box & Cox (1964), "An Analysis of Transformations":
///
/// ```text
/// y = ((x + offset)^λ - 1) / λ,   or ln(x + offset) for λ = 0
/// ```
///
/// Without a `λ`, each column gets its most likely one. Where a forecast leaves the range of the transform, the inverse is the end of
/// the scale of `x`: `-offset` for `λ > 0` (as in Merlion), infinity for `λ < 0`. Merlion's inverse takes every `λ < 0` for 0.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BoxCoxTransform {
    /// The power `λ`, for all columns or for each; the most likely one if absent.
    pub lmbda: Option<PerColumn>,
    /// What is added to make values positive.
    pub offset: f64,
}

impl Transform for BoxCoxTransform {
    const NAME: &'static str = "BoxCoxTransform";
    const SUMMARY: &'static str = "Power or logarithm that makes a distribution more normal";
    type Fitted = FittedBoxCoxTransform;

    fn validate(&self) -> Result<(), TransformError> {
        let powers = || self.lmbda.iter().flat_map(PerColumn::numbers);
        match powers().chain([self.offset]).find(|number| !number.is_finite()) {
            Some(number) => Err(TransformError::invalid(Self::NAME, "lmbda or offset", number, "must be finite")),
            None => Ok(()),
        }
    }

    fn fit(&self, series: &TimeSeries) -> Result<FittedBoxCoxTransform, TransformError> {
        let lambda = match &self.lmbda {
            None => PerColumn::learn(series, |column| most_likely(column, self.offset))?,
            Some(given) => PerColumn::learn(series, |column| given.of(column.name(), Self::NAME, "lmbda"))?,
        };
        Ok(FittedBoxCoxTransform { lambda, offset: self.offset })
    }
}

/// A [`BoxCoxTransform`] that knows its powers.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedBoxCoxTransform {
    lambda: PerColumn,
    offset: f64,
}

impl FittedBoxCoxTransform {
    fn lambda(&self, column: &str) -> Result<f64, TransformError> {
        self.lambda.of(column, BoxCoxTransform::NAME, "lmbda")
    }

    fn invert_with(&self, series: &TimeSeries, inverse: fn(f64, f64) -> f64) -> Result<TimeSeries, TransformError> {
        let lambdas = series.names().map(|name| self.lambda(name)).collect::<Result<Vec<_>, _>>()?;
        let mut lambdas = lambdas.into_iter();
        Ok(series.map_columns(|column| {
            let lambda = lambdas.next().unwrap_or_default();
            column.values().iter().map(|&y| inverse(y, lambda) - self.offset).collect()
        }))
    }
}

impl Fitted for FittedBoxCoxTransform {
    fn inversion(&self) -> Inversion {
        Inversion::STATELESS
    }

    fn spec(&self) -> TransformSpec {
        BoxCoxTransform { lmbda: Some(self.lambda.clone()), offset: self.offset }.into()
    }

    fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError> {
        let mut lambdas = Vec::with_capacity(series.dim());
        for column in series.univariates() {
            lambdas.push(self.lambda(column.name())?);
            check_positive(column, self.offset)?;
        }
        let mut lambdas = lambdas.into_iter();
        let transformed = series.map_columns(|column| {
            let lambda = lambdas.next().unwrap_or_default();
            column.values().iter().map(|&x| power(x + self.offset, lambda)).collect()
        });
        Ok((transformed, InversionState::Nothing))
    }

    fn invert(&self, series: &TimeSeries, _: &InversionState) -> Result<TimeSeries, TransformError> {
        self.invert_with(series, root)
    }

    fn invert_as_merlion(&self, series: &TimeSeries, _: &InversionState) -> Result<TimeSeries, TransformError> {
        self.invert_with(series, |y, lambda| root(y, lambda.max(0.0)))
    }
}

fn power(x: f64, lambda: f64) -> f64 {
    // By way of expm1, which keeps the digits of powers near 0.
    if lambda == 0.0 { x.ln() } else { (lambda * x.ln()).exp_m1() / lambda }
}

fn root(y: f64, lambda: f64) -> f64 {
    // Below -1 there is no such power: the logarithm's -infinity stands for all of it.
    if lambda == 0.0 { y.exp() } else { ((lambda * y).max(-1.0 + 0.0 * y).ln_1p() / lambda).exp() }
}

fn check_positive(column: &Univariate, offset: f64) -> Result<(), TransformError> {
    match column.iter().find(|(_, x)| x + offset <= 0.0) {
        Some((t, x)) => Err(unsuitable(column, format!("must be above {}, but is {x} at {t}", -offset))),
        None => Ok(()),
    }
}

fn unsuitable(column: &Univariate, reason: String) -> TransformError {
    TransformError::UnsuitableColumn { transform: BoxCoxTransform::NAME, column: column.name().to_owned(), reason }
}

/// The power under which the values of a column are most likely to come from a normal distribution; missing values are left out.
///
/// With `z = x / g`, `g` the geometric mean of `x`, the log-likelihood is, up to a constant, `-n/2 ln var((z^λ - 1) / λ)`. Scaled like
/// this it does not lose digits where `x^λ` is huge or tiny.
#[expect(clippy::cast_precision_loss, reason = "a count of observations")]
fn most_likely(column: &Univariate, offset: f64) -> Result<f64, TransformError> {
    check_positive(column, offset)?;
    let mut logs: Vec<f64> = column.values().iter().map(|x| (x + offset).ln()).filter(|log| !log.is_nan()).collect();
    let Some(&first) = logs.first() else { return Err(unsuitable(column, "has no observation".to_owned())) };
    if logs.iter().all(|log| *log == first) {
        return Err(unsuitable(column, "is constant, so no power is more likely than another".to_owned()));
    }
    let n = logs.len() as f64;
    let mean_log = logs.iter().sum::<f64>() / n;
    logs.iter_mut().for_each(|log| *log -= mean_log);
    let log_variance = |lambda: f64| {
        let value = |log: &f64| if lambda == 0.0 { *log } else { (lambda * log).exp_m1() / lambda };
        let mean = logs.iter().map(value).sum::<f64>() / n;
        (logs.iter().map(value).map(|v| (v - mean) * (v - mean)).sum::<f64>() / n).ln()
    };
    brent::minimum(log_variance, -2.0, 2.0)
        .ok_or_else(|| unsuitable(column, "has no most likely power: give lmbda".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::{Lcg, seconds};

    fn series(values: &[f64]) -> TimeSeries {
        let times: Vec<i64> = (0..).take(values.len()).collect();
        TimeSeries::from_columns(seconds(&times), vec![("x".to_owned(), values.to_vec())]).unwrap()
    }

    fn fitted(lambda: f64, offset: f64) -> FittedBoxCoxTransform {
        FittedBoxCoxTransform { lambda: PerColumn::Same(lambda), offset }
    }

    #[test]
    fn the_most_likely_power_is_scipys_and_does_not_depend_on_the_unit() {
        // scipy.stats.boxcox([1, 2, 3, 5, 8, 13, 21])[1]
        let x = [1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0];
        for unit in [1e-9, 1.0, 1e6] {
            let column = series(&x.map(|x| x * unit)).univariates()[0].clone();
            let lambda = most_likely(&column, 0.0).unwrap();
            assert!((lambda - 0.055_747_787_591).abs() < 1e-6, "unit {unit}: {lambda}");
        }
    }

    #[test]
    fn the_exponent_of_powers_of_normal_values_is_found() {
        let mut random = Lcg::new(3);
        let normal: Vec<f64> = (0..4000).map(|_| 10.0 + (0..12).map(|_| random.unit()).sum::<f64>() * 0.5).collect();
        for (power, lambda) in [(1.0_f64, 1.0_f64), (2.0, 0.5), (4.0, 0.25), (-1.0, -1.0)] {
            let column = series(&normal.iter().map(|x| x.powf(power)).collect::<Vec<_>>()).univariates()[0].clone();
            let found = most_likely(&column, 0.0).unwrap();
            assert!((found - lambda).abs() < 0.35 / power.abs(), "{found}, expected about {lambda}");
        }
    }

    #[test]
    fn data_that_have_no_power_are_refused() {
        for (values, offset, reason) in [
            (&[1.0, 0.0][..], 0.0, "must be above -0, but is 0 at 1970-01-01 00:00:01"),
            (&[1.0, -2.0], 1.5, "must be above -1.5, but is -2 at 1970-01-01 00:00:01"),
            (&[3.0, 3.0], 0.0, "is constant, so no power is more likely than another"),
            (&[f64::NAN], 0.0, "has no observation"),
        ] {
            let spec = BoxCoxTransform { lmbda: None, offset };
            let error = spec.fit(&series(values)).unwrap_err().to_string();
            assert_eq!(error, format!("BoxCoxTransform: column 'x' {reason}"));
        }
        assert!(fitted(0.0, 0.0).apply_with_state(&series(&[-1.0])).is_err());
    }

    #[test]
    fn forecasts_beyond_the_range_are_at_the_end_of_the_scale() {
        let invert = |lambda, offset, y| {
            fitted(lambda, offset).invert(&series(&[y]), &InversionState::Nothing).unwrap().univariates()[0].values()[0]
        };
        assert_eq!(invert(0.5, 1.0, -2.5), -1.0);
        assert_eq!(invert(-0.5, 1.0, 2.5), f64::INFINITY);
        assert!(invert(0.5, 0.0, f64::NAN).is_nan(), "a missing value stays missing");
        assert!(invert(0.0, 0.0, -700.0) > 0.0);
    }

    #[test]
    fn merlion_takes_negative_powers_for_zero() {
        let y = series(&[0.7]);
        let merlion = fitted(-0.5, 0.0).invert_as_merlion(&y, &InversionState::Nothing).unwrap();
        assert_eq!(merlion, fitted(0.0, 0.0).invert(&y, &InversionState::Nothing).unwrap());
    }
}
