//! Transforms: what happens to a series before a model sees it, and what happens to its answers afterwards. A transform is its
//! own configuration; fitting it to a series gives the transform that is applied. The JSON is Merlion's:
//! `{"name": "TemporalResample", "granularity": "1h"}`.

mod error;
mod identity;
mod json;
mod temporal_resample;

pub use error::TransformError;
pub use identity::Identity;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
pub use temporal_resample::{FittedTemporalResample, TemporalResample};

use crate::series::TimeSeries;

/// A transform as JSON names it, not yet fitted.
///
/// ```
/// use merlion::transform::TransformSpec;
/// let spec = TransformSpec::from_json(&serde_json::json!({"name": "TemporalResample", "granularity": "1h"}));
/// assert_eq!(spec.map(|spec| spec.name()), Ok("TemporalResample"));
/// let error = TransformSpec::from_json(&serde_json::json!({"name": "TemporalResample", "granluarity": "1h"}));
/// assert!(error.is_err_and(|error| error.to_string().ends_with("did you mean 'granularity'?")));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TransformSpec {
    /// Leaves the series alone.
    Identity,
    /// Resamples to a regular grid.
    TemporalResample(TemporalResample),
}

impl TransformSpec {
    /// The default of models that count steps: resampling to the grid found in the training data.
    #[must_use]
    pub fn default_resample() -> Self {
        Self::TemporalResample(TemporalResample::default())
    }

    /// The name in JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Identity => Identity::NAME,
            Self::TemporalResample(_) => TemporalResample::NAME,
        }
    }

    /// Reads `{"name": …, …}`, or a bare name for a transform with its defaults. Keys whose value is null count as absent.
    ///
    /// # Errors
    /// A [`TransformError`] naming what is wrong and the nearest name there is.
    pub fn from_json(json: &Value) -> Result<Self, TransformError> {
        json::read(json)
    }

    /// The transform as JSON, ready for [`TransformSpec::from_json`].
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Identity => json::write(Identity::NAME, &Identity),
            Self::TemporalResample(resample) => json::write(TemporalResample::NAME, resample),
        }
    }

    /// Learns from a training series what the transform needs to know.
    ///
    /// # Errors
    /// [`TransformError::Series`] when the series does not allow it.
    pub fn fit(&self, series: &TimeSeries) -> Result<FittedTransform, TransformError> {
        match self {
            Self::Identity => Ok(FittedTransform::Identity(Identity)),
            Self::TemporalResample(resample) => resample.fit(series).map(FittedTransform::TemporalResample),
        }
    }
}

impl Default for TransformSpec {
    fn default() -> Self {
        Self::default_resample()
    }
}

impl Serialize for TransformSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TransformSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_json(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A transform that knows what it needs to be applied.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FittedTransform {
    /// Leaves the series alone.
    Identity(Identity),
    /// Resamples to a regular grid.
    TemporalResample(FittedTemporalResample),
}

impl FittedTransform {
    /// The series as the model is to see it.
    ///
    /// # Errors
    /// [`TransformError::Series`] when the series does not allow it.
    pub fn apply(&self, series: &TimeSeries) -> Result<TimeSeries, TransformError> {
        match self {
            Self::Identity(identity) => Ok(identity.apply(series)),
            Self::TemporalResample(resample) => resample.apply(series),
        }
    }

    /// A series of the transformed kind, such as a forecast, carried back.
    ///
    /// # Errors
    /// None with today's transforms.
    pub fn invert(&self, series: &TimeSeries) -> Result<TimeSeries, TransformError> {
        match self {
            Self::Identity(_) | Self::TemporalResample(_) => Ok(series.clone()),
        }
    }

    /// Whether [`FittedTransform::invert`] gives back what went in.
    #[must_use]
    pub const fn proper_inversion(&self) -> bool {
        // Resampling too counts as properly inverted, as in Merlion: forecasts stay on the grid.
        true
    }

    /// Whether [`FittedTransform::invert`] changes nothing, so that callers can leave it out.
    #[must_use]
    pub const fn identity_inversion(&self) -> bool {
        match self {
            Self::Identity(_) | Self::TemporalResample(_) => true,
        }
    }

    /// The transform with what it learned, as a configuration that learns the same again.
    #[must_use]
    pub fn state(&self) -> TransformSpec {
        match self {
            Self::Identity(_) => TransformSpec::Identity,
            Self::TemporalResample(resample) => TransformSpec::TemporalResample(resample.state()),
        }
    }
}
