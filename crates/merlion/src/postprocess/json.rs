//! JSON of rules: which one a name means, and which of its keys are understood.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{AlarmRule, AnomScoreCalibrator};
use crate::models::{ModelError, read_parameters};
use crate::nearest::nearest;

/// Name and parameters of `{"name": …, …}` or of a bare name, without module before it.
pub(super) fn named(json: &Value, kind: &str) -> Result<(String, Map<String, Value>), ModelError> {
    let (name, parameters) = match json {
        Value::String(name) => (name, Map::new()),
        Value::Object(map) => match map.get("name") {
            Some(Value::String(name)) => (name, map.clone()),
            Some(other) => {
                return Err(ModelError::InvalidSpec(format!("the {kind}'s \"name\" is a string, not {other}")));
            }
            None => return Err(ModelError::InvalidSpec(format!("the {kind} has no \"name\""))),
        },
        other => {
            return Err(ModelError::InvalidSpec(format!("a {kind} is a JSON dict with a \"name\", not {other}")));
        }
    };
    let name = name.rsplit(':').next().unwrap_or(name).to_owned();
    let parameters = parameters.into_iter().filter(|(key, value)| key != "name" && !value.is_null()).collect();
    Ok((name, parameters))
}

pub(super) fn unknown(name: &str, kind: &str, names: &[&'static str]) -> ModelError {
    let hint = nearest(name, names.iter().copied()).map(|name| format!(", did you mean '{name}'?"));
    ModelError::InvalidSpec(format!("unknown {kind} '{name}'{}", hint.unwrap_or_default()))
}

pub(super) fn rule<R: AlarmRule>(parameters: &Map<String, Value>) -> Result<R, ModelError> {
    let rule: R = read_parameters(R::NAME, parameters)?;
    rule.validate()?;
    Ok(rule)
}

pub(super) fn write(name: &str, rule: &impl Serialize) -> Value {
    let mut map = Map::from_iter([("name".to_owned(), Value::from(name))]);
    // A rule is a struct of plain fields: anything but a dict cannot come out.
    if let Ok(Value::Object(parameters)) = serde_json::to_value(rule) {
        map.extend(parameters);
    }
    Value::Object(map)
}

impl AnomScoreCalibrator {
    /// Reads `{"name": "AnomScoreCalibrator", "max_score": …, …}`. Unlike Merlion, `max_score` has a default.
    ///
    /// # Errors
    /// A [`ModelError`] naming what is wrong and the nearest name there is.
    pub fn from_json(json: &Value) -> Result<Self, ModelError> {
        let (name, parameters) = named(json, "calibrator")?;
        if name != Self::NAME {
            return Err(unknown(&name, "calibrator", &[Self::NAME]));
        }
        let calibrator: Self = read_parameters(Self::NAME, &parameters)?;
        calibrator.validate()?;
        Ok(calibrator)
    }

    /// The calibrator as JSON, ready for [`AnomScoreCalibrator::from_json`].
    #[must_use]
    pub fn to_json(&self) -> Value {
        write(Self::NAME, self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn calibrators_survive_a_round_trip_and_errors_name_the_parameter() {
        let json = json!({"name": "AnomScoreCalibrator", "max_score": 1.0, "anchors": [[0.0, 0.0], [1.0, 5.0]]});
        let calibrator = AnomScoreCalibrator::from_json(&json).unwrap();
        assert_eq!(AnomScoreCalibrator::from_json(&calibrator.to_json()), Ok(calibrator));
        for (json, words) in [
            (json!({"name": "Calibrator"}), "unknown calibrator 'Calibrator'"),
            (json!({"name": "AnomScoreCalibrator", "max_scores": 1}), "did you mean 'max_score'?"),
            (json!({"name": "AnomScoreCalibrator", "max_score": -1}), "must be positive"),
        ] {
            let error = AnomScoreCalibrator::from_json(&json).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
    }
}
