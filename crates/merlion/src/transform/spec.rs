//! What a transform is: an unfitted transform that is its own configuration, and the fitted one it turns into. Authors implement
//! [`Transform`] and [`Fitted`]; everybody else holds the erased forms [`TransformSpec`] and [`FittedTransform`].

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{HistoryEnd, Identity, Inversion, InversionState, TemporalResample, TransformError, json};
use crate::series::TimeSeries;
use crate::time::Granularity;

/// A transform as the user configures it: the struct *is* the parameters.
///
/// Unknown keys are rejected before `serde` sees them, by comparison with the serialised default; so every field must be
/// serialised. Parameters that JSON must give still have a default, one that leaves the series alone if there is such a value.
pub trait Transform:
    Debug + Clone + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The name in transform JSON; also the type's name and, in snake case, the file's.
    const NAME: &'static str;
    /// Other accepted names.
    const ALIASES: &'static [&'static str] = &[];
    /// One line of description.
    const SUMMARY: &'static str;
    /// The parameters that JSON must give.
    const REQUIRED: &'static [&'static str] = &[];
    /// The transform after training.
    type Fitted: Fitted;

    /// Checks the parameters against each other, before any data is seen.
    ///
    /// # Errors
    /// [`TransformError::InvalidParameter`] naming the parameter and its value.
    fn validate(&self) -> Result<(), TransformError> {
        Ok(())
    }

    /// Learns from a training series what the transform needs to know.
    ///
    /// # Errors
    /// A [`TransformError`] that says why the series does not allow it.
    fn fit(&self, series: &TimeSeries) -> Result<Self::Fitted, TransformError>;
}

/// A transform that knows what it needs to be applied.
pub trait Fitted: Debug + Send + Sync + 'static {
    /// How well it can be undone.
    fn inversion(&self) -> Inversion;

    /// The transform with what it learned, as a configuration.
    fn spec(&self) -> TransformSpec;

    /// The calendar's grid that series come out on, if that is known; otherwise it is found in them.
    fn grid(&self) -> Option<Granularity> {
        None
    }

    /// The series as the model is to see it, and what [`Fitted::invert`] needs to undo that.
    ///
    /// # Errors
    /// A [`TransformError`] that says why the series does not allow it.
    fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError>;

    /// Undoes [`Fitted::apply_with_state`], whose second result is `state`.
    ///
    /// # Errors
    /// [`TransformError::NotInvertible`], [`TransformError::WrongState`].
    fn invert(&self, series: &TimeSeries, state: &InversionState) -> Result<TimeSeries, TransformError>;

    /// Merlion's inverse, where it differs.
    ///
    /// # Errors
    /// As [`Fitted::invert`].
    fn invert_as_merlion(&self, series: &TimeSeries, state: &InversionState) -> Result<TimeSeries, TransformError> {
        self.invert(series, state)
    }

    /// What [`Fitted::invert_forecast`] needs to know of the untransformed series that the forecast continues.
    ///
    /// # Errors
    /// A [`TransformError`] that says why the series does not allow it.
    fn end(&self, _history: &TimeSeries) -> Result<InversionState, TransformError> {
        Ok(InversionState::Nothing)
    }

    /// Carries back a forecast of some of the columns, which goes on from where the history ended.
    ///
    /// # Errors
    /// As [`Fitted::invert`].
    fn invert_forecast(&self, forecast: &TimeSeries, end: &InversionState) -> Result<TimeSeries, TransformError> {
        self.invert(forecast, end)
    }

    /// Carries back predictions of the transformed `history`, each of them made from what preceded it.
    ///
    /// # Errors
    /// As [`Fitted::invert`].
    fn invert_one_step(&self, predictions: &TimeSeries, _history: &TimeSeries) -> Result<TimeSeries, TransformError> {
        self.invert(predictions, &InversionState::Nothing)
    }
}

/// A transform of any kind.
trait DynTransform: Debug + Send + Sync {
    fn name(&self) -> &'static str;
    fn to_json(&self) -> Value;
    fn fit(&self, series: &TimeSeries) -> Result<FittedTransform, TransformError>;
    fn as_any(&self) -> &dyn Any;
    fn equals(&self, other: &dyn DynTransform) -> bool;
}

impl<T: Transform> DynTransform for T {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn to_json(&self) -> Value {
        json::write(T::NAME, self)
    }

    fn fit(&self, series: &TimeSeries) -> Result<FittedTransform, TransformError> {
        self.validate()?;
        Ok(FittedTransform(Arc::new(Transform::fit(self, series)?)))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn equals(&self, other: &dyn DynTransform) -> bool {
        other.as_any().downcast_ref::<T>() == Some(self)
    }
}

/// A transform as JSON names it, not yet fitted.
///
/// ```
/// use merlion::transform::TransformSpec;
/// let spec = TransformSpec::from_json(&serde_json::json!({"name": "TemporalResample", "granularity": "1h"}));
/// assert_eq!(spec.map(|spec| spec.name()), Ok("TemporalResample"));
/// let error = TransformSpec::from_json(&serde_json::json!({"name": "TemporalResample", "granluarity": "1h"}));
/// assert!(error.is_err_and(|error| error.to_string().ends_with("did you mean 'granularity'?")));
/// ```
#[derive(Debug, Clone)]
pub struct TransformSpec(Arc<dyn DynTransform>);

impl TransformSpec {
    /// The transform that leaves the series alone.
    #[must_use]
    pub fn identity() -> Self {
        Identity {}.into()
    }

    /// The default of models that count steps: resampling to the grid found in the training data.
    #[must_use]
    pub fn default_resample() -> Self {
        TemporalResample::default().into()
    }

    /// The name in JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// The transform, if it is of this kind.
    #[must_use]
    pub fn downcast_ref<T: Transform>(&self) -> Option<&T> {
        self.0.as_any().downcast_ref()
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
        self.0.to_json()
    }

    /// Learns from a training series what the transform needs to know.
    ///
    /// # Errors
    /// A [`TransformError`] that says why the parameters or the series do not allow it.
    pub fn fit(&self, series: &TimeSeries) -> Result<FittedTransform, TransformError> {
        self.0.fit(series)
    }
}

impl<T: Transform> From<T> for TransformSpec {
    fn from(transform: T) -> Self {
        Self(Arc::new(transform))
    }
}

impl Default for TransformSpec {
    fn default() -> Self {
        Self::default_resample()
    }
}

impl PartialEq for TransformSpec {
    fn eq(&self, other: &Self) -> bool {
        self.0.equals(&*other.0)
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

/// A transform of any kind that knows what it needs to be applied.
///
/// ```
/// use merlion::series::TimeSeries;
/// use merlion::time::Timestamp;
/// use merlion::transform::TransformSpec;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let times = [1, 2, 3].map(Timestamp::from_nanos).to_vec();
/// let series = TimeSeries::from_columns(times, vec![("y".to_owned(), vec![10.0, 11.0, 13.0])])?;
/// let difference = TransformSpec::from_json(&serde_json::json!("DifferenceTransform"))?.fit(&series)?;
/// let (steps, state) = difference.apply_with_state(&series)?;
/// assert_eq!(steps.univariates()[0].values(), [1.0, 2.0]);
/// assert_eq!(difference.invert(&steps, &state)?, series);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct FittedTransform(Arc<dyn Fitted>);

impl FittedTransform {
    /// The series as the model is to see it.
    ///
    /// # Errors
    /// A [`TransformError`] that says why the series does not allow it.
    pub fn apply(&self, series: &TimeSeries) -> Result<TimeSeries, TransformError> {
        Ok(self.0.apply_with_state(series)?.0)
    }

    /// The series as the model is to see it, and what [`FittedTransform::invert`] needs to undo that.
    ///
    /// # Errors
    /// A [`TransformError`] that says why the series does not allow it.
    pub fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError> {
        self.0.apply_with_state(series)
    }

    /// Undoes [`FittedTransform::apply_with_state`], whose second result is `state`.
    ///
    /// # Errors
    /// [`TransformError::NotInvertible`], [`TransformError::WrongState`].
    pub fn invert(&self, series: &TimeSeries, state: &InversionState) -> Result<TimeSeries, TransformError> {
        self.0.invert(series, state)
    }

    /// Merlion's inverse. It differs for a Box-Cox power below 0, for a padded lag whose input goes on elsewhere, and for a moving
    /// average whose weights do not add up to 1.
    ///
    /// # Errors
    /// As [`FittedTransform::invert`].
    pub fn invert_as_merlion(&self, series: &TimeSeries, state: &InversionState) -> Result<TimeSeries, TransformError> {
        self.0.invert_as_merlion(series, state)
    }

    /// What [`FittedTransform::invert_forecast`] needs to know of the untransformed series that the forecast continues.
    ///
    /// # Errors
    /// A [`TransformError`] that says why the series does not allow it.
    pub fn end_of(&self, history: &TimeSeries) -> Result<HistoryEnd, TransformError> {
        self.0.end(history).map(HistoryEnd)
    }

    /// Carries back a forecast of some of the transformed columns, which goes on from where the history ended: differences, for
    /// one, are added up from the last value.
    ///
    /// # Errors
    /// As [`FittedTransform::invert`].
    pub fn invert_forecast(&self, end: &HistoryEnd, forecast: &TimeSeries) -> Result<TimeSeries, TransformError> {
        self.0.invert_forecast(forecast, &end.0)
    }

    /// Carries back predictions of the transformed `history`, each of them made from what preceded it: a predicted difference, for
    /// one, is added to the value before. `history` is not transformed.
    ///
    /// # Errors
    /// As [`FittedTransform::invert`].
    pub fn invert_one_step(
        &self,
        predictions: &TimeSeries,
        history: &TimeSeries,
    ) -> Result<TimeSeries, TransformError> {
        self.0.invert_one_step(predictions, history)
    }

    /// How well the transform can be undone.
    #[must_use]
    pub fn inversion(&self) -> Inversion {
        self.0.inversion()
    }

    /// The calendar's grid that series come out on, if that is known; otherwise it is found in them.
    #[must_use]
    pub fn grid(&self) -> Option<Granularity> {
        self.0.grid()
    }

    /// The transform with what it learned, as a configuration.
    #[must_use]
    pub fn state(&self) -> TransformSpec {
        self.0.spec()
    }
}

impl PartialEq for FittedTransform {
    fn eq(&self, other: &Self) -> bool {
        self.state() == other.state()
    }
}
