//! The shapes of generated series: functions of one variable, as JSON can say them.

use serde::{Deserialize, Serialize};

use super::GenerateError;

/// A function of one variable.
///
/// ```
/// use merlion::generate::Function;
/// let f: Function = serde_json::from_value(serde_json::json!({"name": "Sum", "terms": [
///     {"name": "Polynomial", "coefficients": [1, 0.5]},
///     {"name": "Sine", "amplitude": 2, "period": 4},
/// ]}))?;
/// assert!((f.at(3.0) - 0.5).abs() < 1e-12);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", deny_unknown_fields)]
#[non_exhaustive]
pub enum Function {
    /// The same everywhere.
    Constant {
        /// The value.
        value: f64,
    },
    /// `x` itself.
    Identity {},
    /// `c_0 + c_1 x + c_2 x² + …`
    Polynomial {
        /// The coefficients, lowest power first.
        coefficients: Vec<f64>,
    },
    /// `amplitude sin(2π (x + phase) / period)`
    Sine {
        /// The largest value.
        #[serde(default = "one")]
        amplitude: f64,
        /// The length of a wave.
        period: f64,
        /// How far the wave is ahead, in the units of `x`.
        #[serde(default)]
        phase: f64,
    },
    /// `amplitude` in the first half of each period, `-amplitude` in the second.
    Square {
        /// The largest value.
        #[serde(default = "one")]
        amplitude: f64,
        /// The length of a wave.
        period: f64,
    },
    /// From `-amplitude` up to `amplitude` in each period.
    Sawtooth {
        /// The largest value.
        #[serde(default = "one")]
        amplitude: f64,
        /// The length of a wave.
        period: f64,
    },
    /// `amplitude exp(rate x)`
    Exponential {
        /// The value at 0.
        #[serde(default = "one")]
        amplitude: f64,
        /// The rate of growth.
        rate: f64,
    },
    /// `amplitude / (1 + exp(-rate (x - middle)))`, a change of level.
    Logistic {
        /// The height of the change.
        #[serde(default = "one")]
        amplitude: f64,
        /// How sudden it is.
        rate: f64,
        /// Where half of it has happened.
        #[serde(default)]
        middle: f64,
    },
    /// The sum of functions.
    Sum {
        /// The functions.
        terms: Vec<Function>,
    },
    /// The product of functions.
    Product {
        /// The functions.
        factors: Vec<Function>,
    },
}

fn one() -> f64 {
    1.0
}

impl Function {
    /// The value at `x`.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        match self {
            Self::Constant { value } => *value,
            Self::Identity {} => x,
            Self::Polynomial { coefficients } => coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c),
            Self::Sine { amplitude, period, phase } => {
                amplitude * (std::f64::consts::TAU * ((x + phase) / period)).sin()
            }
            Self::Square { amplitude, period } => {
                if (x / period).rem_euclid(1.0) < 0.5 {
                    *amplitude
                } else {
                    -amplitude
                }
            }
            Self::Sawtooth { amplitude, period } => amplitude * (2.0 * (x / period).rem_euclid(1.0) - 1.0),
            Self::Exponential { amplitude, rate } => amplitude * (rate * x).exp(),
            Self::Logistic { amplitude, rate, middle } => amplitude / (1.0 + (-rate * (x - middle)).exp()),
            Self::Sum { terms } => terms.iter().map(|term| term.at(x)).sum(),
            Self::Product { factors } => factors.iter().map(|factor| factor.at(x)).product(),
        }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`GenerateError::InvalidParameter`] for a period that is not positive.
    pub fn validate(&self) -> Result<(), GenerateError> {
        match self {
            Self::Sine { period, .. } | Self::Square { period, .. } | Self::Sawtooth { period, .. }
                if !(*period > 0.0 && period.is_finite()) =>
            {
                Err(GenerateError::invalid("f", "period", period, "must be positive"))
            }
            Self::Sum { terms: parts } | Self::Product { factors: parts } => parts.iter().try_for_each(Self::validate),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_have_the_values_they_are_named_after() {
        for (json, x, expected) in [
            (r#"{"name": "Constant", "value": 3}"#, 7.0, 3.0),
            (r#"{"name": "Identity"}"#, 7.0, 7.0),
            (r#"{"name": "Polynomial", "coefficients": [1, 2, 3]}"#, 2.0, 17.0),
            (r#"{"name": "Sine", "period": 4, "phase": 1}"#, 0.0, 1.0),
            (r#"{"name": "Square", "period": 2, "amplitude": 5}"#, 0.75, 5.0),
            (r#"{"name": "Square", "period": 2, "amplitude": 5}"#, -0.25, -5.0),
            (r#"{"name": "Sawtooth", "period": 4}"#, 5.0, -0.5),
            (r#"{"name": "Exponential", "rate": 0.5}"#, 2.0, std::f64::consts::E),
            (r#"{"name": "Logistic", "rate": 9, "middle": 3, "amplitude": 4}"#, 3.0, 2.0),
            (r#"{"name": "Product", "factors": [{"name": "Identity"}, {"name": "Identity"}]}"#, 3.0, 9.0),
        ] {
            let f: Function = serde_json::from_str(json).unwrap();
            assert!((f.at(x) - expected).abs() < 1e-12, "{json} at {x}: {}, expected {expected}", f.at(x));
            assert_eq!(serde_json::from_value::<Function>(serde_json::to_value(&f).unwrap()).unwrap(), f);
        }
    }

    #[test]
    fn a_wave_needs_a_length() {
        let f: Function = serde_json::from_str(r#"{"name": "Sum", "terms": [{"name": "Sine", "period": 0}]}"#).unwrap();
        assert_eq!(f.validate().unwrap_err().to_string(), "f: period = 0.0: must be positive");
        let unknown = serde_json::from_str::<Function>(r#"{"name": "Sine", "period": 1, "frequency": 2}"#).unwrap_err();
        assert!(unknown.to_string().contains("frequency"), "{unknown}");
    }
}
