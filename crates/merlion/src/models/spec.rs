//! Model JSON: `{"name": "ETS", "seasonal": "mul", "transform": {…}}`, read once and turned into a pipeline.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{Catalog, Compat, DynForecaster, ModelError, Origin};
use crate::pipeline::ForecastPipeline;
use crate::transform::TransformSpec;

/// The keys every forecaster's JSON may carry beside its own hyper-parameters.
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
}

/// The names of [`CommonParameters`], for suggestions and help.
pub const COMMON_PARAMETERS: &[&str] = &["transform", "max_forecast_steps", "target_seq_index", "invert_transform"];

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
            invert_transform: match take("invert_transform") {
                None => None,
                Some(Value::Bool(invert)) => Some(invert),
                Some(other) => {
                    return Err(ModelError::InvalidSpec(format!(
                        "invert_transform is true, false or null, not {other}"
                    )));
                }
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
        map.extend(self.parameters.clone());
        Value::Object(map)
    }

    /// The trainable pipeline this describes. The common settings of a model inside this one are the pipeline's too, where
    /// this one has none; its transform follows that of this one.
    ///
    /// # Errors
    /// [`ModelError`] when the model or a parameter does not exist or has an unusable value.
    pub fn build(&self, catalog: &Catalog, compat: Compat) -> Result<ForecastPipeline, ModelError> {
        let Self { name, mut common, parameters } = self.clone().with_inner_settings(catalog)?;
        let origin = Origin { catalog: catalog.clone(), compat };
        let model = catalog.get(&name)?.build_in(parameters, &origin).map_err(|error| match error {
            ModelError::UnknownParameter { model, parameter, nearest } => {
                let nearest = nearest.or_else(|| {
                    crate::nearest::nearest(&parameter, COMMON_PARAMETERS.iter().copied()).map(str::to_owned)
                });
                ModelError::UnknownParameter { model, parameter, nearest }
            }
            other => other,
        })?;
        let model = model.with_max_forecast_steps(common.max_forecast_steps);
        common.transform = in_sequence(common.transform, model.transform())?;
        Ok(ForecastPipeline::new(model, common).with_compat(compat))
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
                COMMON_PARAMETERS.join(", ")
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

fn count(key: &str, value: &Value) -> Result<usize, ModelError> {
    value
        .as_u64()
        .and_then(|n| usize::try_from(n).ok())
        .ok_or_else(|| ModelError::InvalidSpec(format!("{key} is a whole number or null, not {value}")))
}
