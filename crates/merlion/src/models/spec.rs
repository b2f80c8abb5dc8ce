//! Model JSON: `{"name": "ETS", "seasonal": "mul", "transform": {…}}`, read once and turned into a pipeline.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{Catalog, Compat, DynForecaster, Kind, ModelError, Origin};
use crate::nearest::nearest;
use crate::pipeline::{DetectionPipeline, ForecastPipeline};
use crate::postprocess::{AnomScoreCalibrator, ThresholdRule};
use crate::transform::TransformSpec;

/// The keys every model's JSON may carry beside its own hyper-parameters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CommonParameters {
    /// What happens to the data before the model sees it; the model's own default if absent.
    pub transform: Option<TransformSpec>,
    /// The longest horizon that may be asked for.
    pub max_forecast_steps: Option<usize>,
    /// Which column is forecast; needed when there are several.
    pub target_seq_index: Option<usize>,
    /// Whether forecasts are carried back through the transform; `None` lets the transform decide.
    pub invert_transform: Option<bool>,
    /// What only detectors have.
    pub detection: DetectionParameters,
}

/// The keys every detector's JSON may carry, and no forecaster's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DetectionParameters {
    /// Which scores deserve an alarm; the detector's own default if absent.
    pub threshold: Option<ThresholdRule>,
    /// How scores become z-scores, if they do.
    pub calibrator: Option<AnomScoreCalibrator>,
    /// Whether there is a threshold; by default there is.
    pub enable_threshold: Option<bool>,
    /// Whether scores become z-scores; the detector decides if absent.
    pub enable_calibrator: Option<bool>,
    /// The largest score before calibration, for a calibrator that is not given itself.
    pub max_score: Option<f64>,
}

/// The names of those of [`CommonParameters`] that every model has, for suggestions and help.
pub const COMMON_PARAMETERS: &[&str] = &["transform", "max_forecast_steps", "target_seq_index", "invert_transform"];

/// The names of [`DetectionParameters`], for suggestions and help.
pub const DETECTION_PARAMETERS: &[&str] =
    &["threshold", "calibrator", "enable_threshold", "enable_calibrator", "max_score"];

impl DetectionParameters {
    /// The parameters that are set, as JSON.
    fn to_json(&self) -> Map<String, Value> {
        let values = [
            self.threshold.as_ref().map(ThresholdRule::to_json),
            self.calibrator.as_ref().map(AnomScoreCalibrator::to_json),
            self.enable_threshold.map(Value::from),
            self.enable_calibrator.map(Value::from),
            self.max_score.map(Value::from),
        ];
        let named = DETECTION_PARAMETERS.iter().zip(values);
        named.filter_map(|(name, value)| Some(((*name).to_owned(), value?))).collect()
    }

    /// Takes over what is not set here.
    fn or(&mut self, other: Self) {
        self.threshold = self.threshold.take().or(other.threshold);
        self.calibrator = self.calibrator.take().or(other.calibrator);
        self.enable_threshold = self.enable_threshold.or(other.enable_threshold);
        self.enable_calibrator = self.enable_calibrator.or(other.enable_calibrator);
        self.max_score = self.max_score.or(other.max_score);
    }
}

/// A model as JSON names it: which one, the pipeline's settings, and its hyper-parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSpec {
    /// The model's name or alias.
    pub name: String,
    /// The settings every model shares.
    pub common: CommonParameters,
    /// The model's own hyper-parameters.
    pub parameters: Map<String, Value>,
}

impl ModelSpec {
    /// A model by its name, with its defaults.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), common: CommonParameters::default(), parameters: Map::new() }
    }

    /// Reads `{"name": …, …}`, or a bare string for a model with its defaults.
    ///
    /// # Errors
    /// [`ModelError::InvalidSpec`] when it is neither, or a common key has a value of the wrong type.
    pub fn from_json(json: &Value) -> Result<Self, ModelError> {
        let mut parameters = match json {
            Value::String(name) => return Ok(Self::named(name)),
            Value::Object(map) => map.clone(),
            other => {
                return Err(ModelError::InvalidSpec(format!("a model is a JSON dict with a \"name\", not {other}")));
            }
        };
        let name = match parameters.shift_remove("name") {
            Some(Value::String(name)) => name,
            Some(other) => {
                return Err(ModelError::InvalidSpec(format!("the model's \"name\" is a string, not {other}")));
            }
            None => return Err(ModelError::InvalidSpec("the model has no \"name\"".to_owned())),
        };
        let mut take = |key: &str| parameters.shift_remove(key).filter(|value| !value.is_null());
        let transform = take("transform").map(|value| TransformSpec::from_json(&value)).transpose()?;
        let common = CommonParameters {
            transform,
            max_forecast_steps: take("max_forecast_steps").map(|v| count("max_forecast_steps", &v)).transpose()?,
            target_seq_index: take("target_seq_index").map(|v| count("target_seq_index", &v)).transpose()?,
            invert_transform: take("invert_transform").map(|v| flag("invert_transform", &v)).transpose()?,
            detection: DetectionParameters {
                threshold: take("threshold").map(|v| ThresholdRule::from_json(&v)).transpose()?,
                calibrator: take("calibrator").map(|v| AnomScoreCalibrator::from_json(&v)).transpose()?,
                enable_threshold: take("enable_threshold").map(|v| flag("enable_threshold", &v)).transpose()?,
                enable_calibrator: take("enable_calibrator").map(|v| flag("enable_calibrator", &v)).transpose()?,
                max_score: take("max_score").map(|v| positive("max_score", &v)).transpose()?,
            },
        };
        Ok(Self { name, common, parameters })
    }

    /// The model as JSON, ready for [`ModelSpec::from_json`].
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut map = Map::from_iter([("name".to_owned(), Value::from(self.name.clone()))]);
        if let Some(transform) = &self.common.transform {
            map.insert("transform".to_owned(), transform.to_json());
        }
        if let Some(steps) = self.common.max_forecast_steps {
            map.insert("max_forecast_steps".to_owned(), steps.into());
        }
        if let Some(index) = self.common.target_seq_index {
            map.insert("target_seq_index".to_owned(), index.into());
        }
        if let Some(invert) = self.common.invert_transform {
            map.insert("invert_transform".to_owned(), invert.into());
        }
        map.extend(self.common.detection.to_json());
        map.extend(self.parameters.clone());
        Value::Object(map)
    }

    /// The trainable pipeline of the forecaster this describes. The common settings of a model inside this one are the pipeline's
    /// too, where this one has none; its transform follows that of this one.
    ///
    /// # Errors
    /// [`ModelError`] when the model or a parameter does not exist or has an unusable value, or it is a detector.
    pub fn build(&self, catalog: &Catalog, compat: Compat) -> Result<ForecastPipeline, ModelError> {
        let Self { name, mut common, parameters } = self.clone().with_inner_settings(catalog)?;
        let origin = Origin { catalog: catalog.clone(), compat };
        let model =
            catalog.get(&name)?.build_in(parameters, &origin).map_err(|error| hinted(error, &[COMMON_PARAMETERS]))?;
        if let Some((parameter, _)) = common.detection.to_json().into_iter().next() {
            return Err(ModelError::UnknownParameter { model: name, parameter, nearest: None });
        }
        let model = model.with_max_forecast_steps(common.max_forecast_steps);
        common.transform = in_sequence(common.transform, model.transform())?;
        Ok(ForecastPipeline::new(model, common).with_compat(compat))
    }

    /// The trainable pipeline of the detector this describes; settings of inner models as in [`ModelSpec::build`].
    ///
    /// Merlion's way of naming a detector around a detector, `{"name": "AutoETS", "model": {"name": "ETSDetector"}}`, is understood.
    ///
    /// # Errors
    /// [`ModelError`] when the model or a parameter does not exist or has an unusable value, or it is a forecaster.
    pub fn build_detector(&self, catalog: &Catalog, compat: Compat) -> Result<DetectionPipeline, ModelError> {
        let Self { name, mut common, parameters } =
            self.clone().with_detectors_inside(catalog)?.with_inner_settings(catalog)?;
        let origin = Origin { catalog: catalog.clone(), compat };
        let model = catalog
            .get(&name)?
            .build_detector(parameters, &origin)
            .map_err(|error| hinted(error, &[COMMON_PARAMETERS, DETECTION_PARAMETERS]))?;
        let outer = common.transform.take().unwrap_or_else(|| model.default_transform());
        common.transform = in_sequence(Some(outer), model.transform())?;
        DetectionPipeline::new(model, common, compat)
    }

    /// A layer of forecasters around a detector is the layer's detector around the inner one's forecaster.
    fn with_detectors_inside(mut self, catalog: &Catalog) -> Result<Self, ModelError> {
        let entry = catalog.get(&self.name)?;
        let (Kind::Forecaster, Some(key)) = (entry.kind(), entry.inner) else { return Ok(self) };
        let Some(json) = self.parameters.get_mut(key) else { return Ok(self) };
        let inner = Self::from_json(json)?.with_detectors_inside(catalog)?;
        if let (Some(outer), Some(twin)) = (catalog.detector_of(entry.name), catalog.get(&inner.name)?.twin) {
            *json = Self { name: twin.to_owned(), ..inner }.to_json();
            outer.name.clone_into(&mut self.name);
        }
        Ok(self)
    }

    /// The model alone, for a model that contains it.
    ///
    /// # Errors
    /// As [`ModelSpec::build`]; [`ModelError::InvalidSpec`] for settings of a pipeline, of which there is none here.
    pub fn build_model(&self, origin: &Origin) -> Result<Box<dyn DynForecaster>, ModelError> {
        if self.common != CommonParameters::default() {
            return Err(ModelError::InvalidSpec(format!(
                "{} is inside another model, which is the one to have {}",
                self.name,
                [COMMON_PARAMETERS, DETECTION_PARAMETERS].concat().join(", ")
            )));
        }
        origin.catalog.get(&self.name)?.build_in(self.parameters.clone(), origin)
    }

    /// Takes the common settings out of the JSON of an inner model.
    fn with_inner_settings(mut self, catalog: &Catalog) -> Result<Self, ModelError> {
        let Some(key) = catalog.get(&self.name)?.inner else { return Ok(self) };
        let Some(json @ Value::Object(_)) = self.parameters.get_mut(key) else { return Ok(self) };
        let inner = Self::from_json(json)?.with_inner_settings(catalog)?;
        let (common, theirs) = (&mut self.common, inner.common);
        common.transform = in_sequence(common.transform.take(), theirs.transform)?;
        common.max_forecast_steps = common.max_forecast_steps.or(theirs.max_forecast_steps);
        common.target_seq_index = common.target_seq_index.or(theirs.target_seq_index);
        common.invert_transform = common.invert_transform.or(theirs.invert_transform);
        common.detection.or(theirs.detection);
        *json = Self { name: inner.name, common: CommonParameters::default(), parameters: inner.parameters }.to_json();
        Ok(self)
    }
}

impl Serialize for ModelSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ModelSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_json(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// One transform after the other. A series is resampled once, as the outer model has it.
fn in_sequence(
    first: Option<TransformSpec>,
    second: Option<TransformSpec>,
) -> Result<Option<TransformSpec>, ModelError> {
    let (Some(a), Some(b)) = (&first, &second) else { return Ok(first.or(second)) };
    if [a.name(), b.name()] == [TransformSpec::default().name(); 2] {
        return Ok(first);
    }
    let sequence = json!({"name": "TransformSequence", "transforms": [a.to_json(), b.to_json()]});
    Ok(Some(TransformSpec::from_json(&sequence)?))
}

/// An unknown parameter's error with the nearest of the names that every model of a kind has, where the model has none that is near.
fn hinted(error: ModelError, common: &[&[&'static str]]) -> ModelError {
    let ModelError::UnknownParameter { model, parameter, nearest: near } = error else { return error };
    let near = near.or_else(|| nearest(&parameter, common.iter().copied().flatten().copied()).map(str::to_owned));
    ModelError::UnknownParameter { model, parameter, nearest: near }
}

fn flag(key: &str, value: &Value) -> Result<bool, ModelError> {
    value.as_bool().ok_or_else(|| ModelError::InvalidSpec(format!("{key} is true, false or null, not {value}")))
}

fn positive(key: &str, value: &Value) -> Result<f64, ModelError> {
    let positive = value.as_f64().filter(|value| *value > 0.0);
    positive.ok_or_else(|| ModelError::InvalidSpec(format!("{key} is a positive number or null, not {value}")))
}

fn count(key: &str, value: &Value) -> Result<usize, ModelError> {
    value
        .as_u64()
        .and_then(|n| usize::try_from(n).ok())
        .ok_or_else(|| ModelError::InvalidSpec(format!("{key} is a whole number or null, not {value}")))
}
