//! Transform JSON: which transform a name means, and which of its keys are understood.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Transform, TransformError, TransformSpec, catalog};
use crate::nearest::nearest;

pub(super) fn read(json: &Value) -> Result<TransformSpec, TransformError> {
    let empty = Map::new();
    let (name, parameters) = match json {
        Value::String(name) => (name, &empty),
        Value::Object(map) => match map.get("name") {
            Some(Value::String(name)) => (name, map),
            Some(other) => {
                return Err(TransformError::InvalidSpec(format!("the transform's \"name\" is a string, not {other}")));
            }
            None => return Err(TransformError::InvalidSpec("the transform has no \"name\"".to_owned())),
        },
        other => {
            return Err(TransformError::InvalidSpec(format!(
                "a transform is a JSON dict with a \"name\", not {other}"
            )));
        }
    };
    catalog::get(name)?.build(parameters)
}

/// The parameters of `T` with their defaults.
pub(super) fn parameters<T: Transform>() -> Value {
    // A transform is a struct of plain fields: its serialisation cannot fail.
    serde_json::to_value(T::default()).unwrap_or_default()
}

/// The transform `T` with some of its parameters set. Each is read on its own first, so that an error can name it.
pub(super) fn build<T: Transform>(parameters: &Map<String, Value>) -> Result<TransformSpec, TransformError> {
    let transform = T::NAME;
    let defaults = self::parameters::<T>();
    let known: Vec<&str> = defaults.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
    let mut set = Map::new();
    for (parameter, value) in parameters.iter().filter(|(key, _)| *key != "name") {
        if !known.contains(&parameter.as_str()) {
            let nearest = nearest(parameter, known.iter().copied()).map(str::to_owned);
            return Err(TransformError::UnknownParameter { transform, parameter: parameter.clone(), nearest });
        }
        if value.is_null() {
            continue;
        }
        let alone = Map::from_iter([(parameter.clone(), value.clone())]);
        if let Err(error) = serde_json::from_value::<T>(Value::Object(alone)) {
            return Err(TransformError::invalid(transform, parameter, value, error.to_string()));
        }
        set.insert(parameter.clone(), value.clone());
    }
    if let Some(parameter) = T::REQUIRED.iter().find(|parameter| !set.contains_key(**parameter)) {
        return Err(TransformError::MissingParameter { transform, parameter });
    }
    let read: T = serde_json::from_value(Value::Object(set))
        .map_err(|error| TransformError::InvalidSpec(format!("{transform}: {error}")))?;
    read.validate()?;
    Ok(read.into())
}

/// The transform and its name as a JSON dict.
pub(super) fn write(name: &str, transform: &impl Serialize) -> Value {
    let mut map = Map::from_iter([("name".to_owned(), Value::from(name))]);
    // A transform is a struct of plain fields: anything but a dict cannot come out, and a struct without fields has none.
    if let Ok(Value::Object(parameters)) = serde_json::to_value(transform) {
        map.extend(parameters);
    }
    Value::Object(map)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn transforms_survive_a_round_trip_through_json() {
        for text in [
            json!("Identity"),
            json!({"name": "Identity"}),
            json!({"name": "TemporalResample"}),
            json!({"name": "TemporalResample", "granularity": 1800.5, "origin": 1_614_557_100}),
            json!({"name": "TemporalResample", "granularity": "2MS", "aggregation_policy": "Sum", "missing_value_policy": null}),
            json!({"name": "merlion.transform.resample:TemporalResample", "granularity": "5min", "trainable_granularity": true}),
            json!("MeanVarNormalize"),
            json!({"name": "Rescale", "bias": {"x": 1, "y": 2.5}, "scale": 3}),
            json!({"name": "BoxCoxTransform", "lmbda": 0.5}),
            json!({"name": "MovingAverage", "weights": [0.25, 0.75]}),
            json!({"name": "TransformStack", "transforms": ["AbsVal", {"name": "Shingle", "size": 3, "stride": 2}]}),
            json!({"name": "InvertibleTransformSequence", "transforms": ["DifferenceTransform", {"name": "LagTransform", "k": 7}]}),
        ] {
            let spec = TransformSpec::from_json(&text).unwrap();
            assert_eq!(TransformSpec::from_json(&spec.to_json()), Ok(spec.clone()), "{text} became {}", spec.to_json());
            assert_eq!(serde_json::from_value::<TransformSpec>(serde_json::to_value(&spec).unwrap()).unwrap(), spec);
        }
    }

    #[test]
    fn json_that_is_no_transform_is_told_why() {
        for (json, message) in [
            (json!(3), "a transform is a JSON dict with a \"name\", not 3"),
            (json!({}), "the transform has no \"name\""),
            (json!({"name": 1}), "the transform's \"name\" is a string, not 1"),
            (
                json!({"name": "temporal_resample"}),
                "unknown transform 'temporal_resample', did you mean 'TemporalResample'?",
            ),
            (json!({"name": "Foo"}), "unknown transform 'Foo'"),
            (
                json!({"name": "merlion.transform.anomalize:LevelShift"}),
                "transform 'LevelShift' exists in Merlion but is not available yet",
            ),
            (json!({"name": "LagTransform"}), "LagTransform needs a value for 'k'"),
            (
                json!({"name": "TransformSequence", "transforms": ["Identity", {"name": "LagTransform", "n": 3}]}),
                "TransformSequence: transforms = [\"Identity\",{\"name\":\"LagTransform\",\"n\":3}]: \
                 LagTransform has no parameter 'n', did you mean 'k'?",
            ),
            (
                json!({"name": "TemporalResample", "granularty": "1h"}),
                "TemporalResample has no parameter 'granularty', did you mean 'granularity'?",
            ),
            (json!({"name": "Identity", "x": 1}), "Identity has no parameter 'x'"),
        ] {
            assert_eq!(TransformSpec::from_json(&json).unwrap_err().to_string(), message, "{json}");
        }
        for (parameter, value, reason) in [
            ("aggregation_policy", json!("mean"), "expected one of `Mean`, `Sum`"),
            ("granularity", json!("1 fortnight"), "unknown unit 'fortnight'"),
            ("granularity", json!(-5), "must be positive"),
            ("remove_non_overlapping", json!("yes"), "expected a boolean"),
            ("origin", json!(1e30), "outside the range"),
        ] {
            let error = TransformSpec::from_json(&json!({"name": "TemporalResample", parameter: value}))
                .unwrap_err()
                .to_string();
            assert!(error.contains(parameter) && error.contains(reason), "{parameter} = {value}: {error}");
        }
    }
}
