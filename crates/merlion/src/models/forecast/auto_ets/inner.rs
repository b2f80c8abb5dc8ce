//! The inner ETS in JSON: its parameters and its name.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::super::ets::Ets;
use crate::models::{CommonParameters, Forecaster, ModelSpec};

pub(super) fn serialize<S: Serializer>(model: &Ets, serializer: S) -> Result<S::Ok, S::Error> {
    let Ok(Value::Object(parameters)) = serde_json::to_value(model) else {
        return Err(serde::ser::Error::custom("ETS is not a JSON dict"));
    };
    ModelSpec { parameters, ..ModelSpec::named(Ets::NAME) }.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ets, D::Error> {
    let spec = ModelSpec::deserialize(deserializer)?;
    if spec.name != Ets::NAME {
        return Err(D::Error::custom(format!("the search is among ETS models, of which '{}' is none", spec.name)));
    }
    if spec.common != CommonParameters::default() {
        return Err(D::Error::custom("transform and the like belong to the outer model"));
    }
    serde_json::from_value(Value::Object(spec.parameters)).map_err(D::Error::custom)
}
