//! Parameters read one by one, so that an error can name the culprit: `serde`'s own does not.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::ModelError;
use crate::nearest::nearest;

/// The thing called `name` with some of its parameters set and the others as in its default, which must serialise all of them.
pub(crate) fn read_parameters<T: Default + Serialize + DeserializeOwned>(
    name: &str,
    parameters: &Map<String, Value>,
) -> Result<T, ModelError> {
    let defaults = serde_json::to_value(T::default()).map_err(|error| ModelError::InvalidSpec(error.to_string()))?;
    let known: Vec<&str> = defaults.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
    if let Some(unknown) = parameters.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(ModelError::UnknownParameter {
            model: name.to_owned(),
            parameter: unknown.clone(),
            nearest: nearest(unknown, known.iter().copied()).map(str::to_owned),
        });
    }
    for (key, value) in parameters {
        let alone = Map::from_iter([(key.clone(), value.clone())]);
        if let Err(error) = serde_json::from_value::<T>(Value::Object(alone)) {
            return Err(ModelError::InvalidSpec(format!("{name}: {key} = {value}: {error}")));
        }
    }
    serde_json::from_value(Value::Object(parameters.clone()))
        .map_err(|error| ModelError::InvalidSpec(format!("{name}: {error}")))
}
