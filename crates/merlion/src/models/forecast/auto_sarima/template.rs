//! The Sarima inside AutoSarima: orders of which some may be "auto".

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::super::sarima::Sarima;
use crate::models::{CommonParameters, Forecaster, ModelSpec};

/// A Sarima with the places of orders that are to be chosen.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Template {
    /// The model; orders to be chosen are 0.
    pub model: Sarima,
    /// Which of `p, d, q, P, D, Q, m` are "auto".
    pub chosen: [bool; 7],
}

/// The parameters that hold orders, with the place of their first.
const ORDERS: [(&str, usize); 2] = [("order", 0), ("seasonal_order", 3)];

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Ok(Value::Object(mut parameters)) = serde_json::to_value(&self.model) else {
            return Err(S::Error::custom("Sarima is not a JSON dict"));
        };
        for (key, from) in ORDERS {
            let orders = parameters.get_mut(key).and_then(Value::as_array_mut);
            for (value, _) in orders.into_iter().flatten().zip(&self.chosen[from..]).filter(|(_, chosen)| **chosen) {
                *value = "auto".into();
            }
        }
        ModelSpec { parameters, ..ModelSpec::named(Sarima::NAME) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spec = ModelSpec::deserialize(deserializer)?;
        if spec.name != Sarima::NAME {
            return Err(D::Error::custom(format!(
                "the search is among Sarima models, of which '{}' is none",
                spec.name
            )));
        }
        if spec.common != CommonParameters::default() {
            return Err(D::Error::custom("transform and the like belong to the outer model"));
        }
        let mut chosen = [false; 7];
        let mut parameters: Map<String, Value> = spec.parameters;
        for (key, from) in ORDERS {
            let orders = parameters.get_mut(key).and_then(Value::as_array_mut);
            for (value, chosen) in orders.into_iter().flatten().zip(&mut chosen[from..]) {
                if value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("auto")) {
                    (*value, *chosen) = (0.into(), true);
                }
            }
        }
        let model = serde_json::from_value(Value::Object(parameters)).map_err(D::Error::custom)?;
        Ok(Self { model, chosen })
    }
}
