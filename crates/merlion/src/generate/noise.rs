//! Random disturbances of generated series.

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::GenerateError;
use crate::math::rng;

/// Independent random values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", deny_unknown_fields)]
#[non_exhaustive]
pub enum Noise {
    /// The value that [`Distort`] passes over.
    None {},
    /// The normal distribution; standard normal is Merlion's default.
    Normal {
        /// The mean.
        #[serde(default)]
        mean: f64,
        /// The standard deviation.
        #[serde(default = "one")]
        std: f64,
    },
    /// The same density from `low` to `high`.
    Uniform {
        /// The least value.
        low: f64,
        /// The greatest value.
        high: f64,
    },
    /// The double exponential distribution, which has more large values than the normal one.
    Laplace {
        /// The mean.
        #[serde(default)]
        mean: f64,
        /// The mean distance from it.
        #[serde(default = "one")]
        scale: f64,
    },
}

fn one() -> f64 {
    1.0
}

impl Default for Noise {
    fn default() -> Self {
        Self::Normal { mean: 0.0, std: 1.0 }
    }
}

impl Noise {
    /// A value; `None` for no noise, which takes nothing from the stream.
    pub(super) fn draw(&self, stream: &mut impl Rng) -> Option<f64> {
        match *self {
            Self::None {} => None,
            Self::Normal { mean, std } => Some(mean + std * rng::standard_normal(stream)),
            Self::Uniform { low, high } => Some(low + (high - low) * rng::uniform(stream)),
            Self::Laplace { mean, scale } => {
                let u = rng::uniform(stream) - 0.5;
                Some(mean - scale * u.signum() * (1.0 - 2.0 * u.abs()).ln())
            }
        }
    }

    pub(super) fn validate(&self) -> Result<(), GenerateError> {
        let (parameter, value) = match *self {
            Self::Normal { std, .. } => ("std", std),
            Self::Laplace { scale, .. } => ("scale", scale),
            Self::Uniform { low, high } => ("high", high - low),
            Self::None {} => return Ok(()),
        };
        if value >= 0.0 && value.is_finite() {
            return Ok(());
        }
        let reason = "must be finite, and not negative or below the lower bound";
        Err(GenerateError::invalid("noise", parameter, value, reason))
    }
}

/// How noise gets into a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Distort {
    /// It is added: Merlion's default.
    #[default]
    Add,
    /// The value is multiplied by it. Noise around 1 disturbs in proportion.
    Multiply,
}

impl Distort {
    pub(super) fn apply(self, value: f64, noise: Option<f64>) -> f64 {
        match (self, noise) {
            (_, None) => value,
            (Self::Add, Some(noise)) => value + noise,
            (Self::Multiply, Some(noise)) => value * noise,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_mean_and_the_spread_asked_for() {
        for (noise, mean, variance) in [
            (Noise::Normal { mean: 2.0, std: 3.0 }, 2.0, 9.0),
            (Noise::Uniform { low: 1.0, high: 7.0 }, 4.0, 3.0),
            (Noise::Laplace { mean: -1.0, scale: 2.0 }, -1.0, 8.0),
        ] {
            let mut stream = rng::stream(1, 1);
            let draws: Vec<f64> = (0..100_000).filter_map(|_| noise.draw(&mut stream)).collect();
            let m = draws.iter().sum::<f64>() / 1e5;
            let v = draws.iter().map(|x| (x - m).powi(2)).sum::<f64>() / 1e5;
            // Five standard errors of the mean, and of the variance of the Laplace distribution, whose kurtosis is 6.
            assert!((m - mean).abs() < 5.0 * (variance / 1e5_f64).sqrt(), "{noise:?}: mean {m}");
            assert!((v / variance - 1.0).abs() < 5.0 * (5.0 / 1e5_f64).sqrt(), "{noise:?}: variance {v}");
        }
    }

    #[test]
    fn a_negative_spread_is_refused() {
        let error = Noise::Normal { mean: 0.0, std: -1.0 }.validate().unwrap_err().to_string();
        assert!(error.starts_with("noise: std = -1.0"), "{error}");
        assert!(Noise::Uniform { low: 2.0, high: 1.0 }.validate().is_err());
        assert!(Noise::Laplace { mean: 0.0, scale: f64::NAN }.validate().is_err());
    }

    #[test]
    fn no_noise_leaves_values_alone() {
        let nothing = Noise::None {}.draw(&mut rng::stream(0, 0));
        assert_eq!((Distort::Add.apply(3.0, nothing), Distort::Multiply.apply(3.0, nothing)), (3.0, 3.0));
        assert_eq!((Distort::Add.apply(3.0, Some(2.0)), Distort::Multiply.apply(3.0, Some(2.0))), (5.0, 6.0));
    }
}
