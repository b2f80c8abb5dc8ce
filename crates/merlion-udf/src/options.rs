//! The options literal of the series functions: `{model: 'ETS', horizon: 12, level: [80, 95]}` or the same as JSON text.
//!
//! Whatever the user wrote travels as one JSON string, so that a plan means the same on every process.

use std::time::Duration;

use arrow::array::{Array, AsArray};
use datafusion_common::{DataFusionError, Result, ScalarValue};
use merlion::models::{Catalog, Compat, ModelSpec};
use merlion::nearest;
use merlion::time::Timestamp;
use serde_json::{Map, Value};

/// What becomes of a series that cannot be modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// The mean of its training values, without a standard error.
    #[default]
    Fallback,
    /// Rows with null forecasts.
    Null,
    /// No rows.
    Skip,
    /// The whole query fails.
    Abort,
}

impl OnError {
    const NAMES: [(&'static str, Self); 4] =
        [("fallback", Self::Fallback), ("null", Self::Null), ("skip", Self::Skip), ("abort", Self::Abort)];
}

/// What is to be forecast.
#[derive(Debug, Clone, PartialEq)]
pub enum Horizon {
    /// This many steps after the last observation of each series.
    Steps(usize),
    /// These times, in every series.
    Times(Vec<Timestamp>),
}

/// The options of `forecast`.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastOptions {
    /// The model and its parameters.
    pub model: ModelSpec,
    /// What to forecast.
    pub horizon: Horizon,
    /// Levels of the prediction intervals, in per cent.
    pub level: Vec<f64>,
    /// What becomes of a series that cannot be modelled.
    pub on_error: OnError,
    /// Seed of everything random.
    pub seed: u64,
    /// Whether the one-step predictions over the training data come first.
    pub predict_on_train: bool,
    /// Whose answers to give.
    pub compat: Compat,
    /// Longest time one series may take.
    pub timeout: Option<Duration>,
    /// Whether the first row of a series tells of the fit: parameters, points and seconds.
    pub details: bool,
}

/// What is wrong with an options literal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// Not a struct and not JSON.
    #[error("the options are one struct literal {{…}} or one JSON dict, not {0}")]
    NotOptions(String),
    /// JSON that does not parse.
    #[error("the options are not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// No such option.
    #[error("no option '{name}'{}", nearest.as_ref().map(|n| format!(", did you mean '{n}'?")).unwrap_or_default())]
    Unknown {
        /// The name.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// A value the option cannot take.
    #[error("option {name} = {value}: expected {expected}")]
    Value {
        /// The option.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
    /// Neither or both of `horizon` and `time_stamps`.
    #[error("give either horizon (a number of steps) or time_stamps (a list of times)")]
    Horizon,
    /// The model does not exist or cannot take a parameter.
    #[error(transparent)]
    Model(#[from] merlion::models::ModelError),
}

impl From<OptionsError> for DataFusionError {
    fn from(error: OptionsError) -> Self {
        Self::Plan(format!("forecast: {error}"))
    }
}

/// An option, as users are told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionDoc {
    /// Its name.
    pub name: &'static str,
    /// What it is if it is not given; nothing if that needs no saying.
    pub default: Option<&'static str>,
    /// What it means and what it takes.
    pub meaning: &'static str,
}

/// The options there are.
pub const OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        name: "model",
        default: Some(DEFAULT_MODEL),
        meaning: "the model: a name, or JSON text with a name and parameters",
    },
    OptionDoc { name: "horizon", default: None, meaning: "how many steps to forecast; this or time_stamps" },
    OptionDoc {
        name: "time_stamps",
        default: None,
        meaning: "the times to forecast: a list of texts, or of seconds since 1970",
    },
    OptionDoc {
        name: "level",
        default: Some("none"),
        meaning: "levels of the prediction intervals in per cent: a number or a list",
    },
    OptionDoc {
        name: "on_error",
        default: Some("'fallback'"),
        meaning: "what becomes of a series that cannot be modelled: 'fallback' (the mean of its values), 'null' (rows without a \
                  forecast), 'skip' (no rows) or 'abort' (the query fails)",
    },
    OptionDoc { name: "seed", default: Some("0"), meaning: "seed of everything random" },
    OptionDoc {
        name: "predict_on_train",
        default: Some("false"),
        meaning: "whether the one-step predictions over the training data come first; their step is 0 or less",
    },
    OptionDoc {
        name: "compat",
        default: None,
        meaning: "'merlion' for Merlion's answer where it differs from the default",
    },
    OptionDoc { name: "timeout", default: Some("600"), meaning: "longest time one series may take, in seconds" },
    OptionDoc {
        name: "details",
        default: Some("false"),
        meaning: "whether the first row of each series tells of the fit as JSON: points, seconds, parameters",
    },
];

impl ForecastOptions {
    /// Reads and checks the options, the model's included.
    ///
    /// # Errors
    /// An [`OptionsError`] naming the option.
    pub fn from_json(json: &Value, catalog: &Catalog) -> Result<Self, OptionsError> {
        let Value::Object(map) = json else { return Err(OptionsError::NotOptions(json.to_string())) };
        if let Some(name) = map.keys().find(|name| OPTIONS.iter().all(|option| option.name != *name)) {
            let nearest = nearest::nearest(name, OPTIONS.iter().map(|option| option.name)).map(str::to_owned);
            return Err(OptionsError::Unknown { name: name.clone(), nearest });
        }
        let get = |name: &str| map.get(name).filter(|value| !value.is_null());
        let model = match get("model") {
            None => ModelSpec::named(DEFAULT_MODEL),
            // A model with parameters may come as text, as it does on a command line.
            Some(Value::String(text)) if text.trim_start().starts_with('{') => {
                ModelSpec::from_json(&serde_json::from_str(text)?)?
            }
            Some(value) => ModelSpec::from_json(value)?,
        };
        let compat = match get("compat") {
            None => Compat::None,
            Some(Value::String(system)) if system == "merlion" => Compat::Merlion,
            Some(value) => return Err(wrong("compat", value, "'merlion'")),
        };
        model.build(catalog, compat)?;
        let horizon = match (get("horizon"), get("time_stamps")) {
            (Some(steps), None) => Horizon::Steps(
                steps
                    .as_u64()
                    .and_then(|n| usize::try_from(n).ok())
                    .filter(|n| *n > 0)
                    .ok_or_else(|| wrong("horizon", steps, "a positive whole number"))?,
            ),
            (None, Some(times)) => Horizon::Times(times_of(times)?),
            _ => return Err(OptionsError::Horizon),
        };
        let level = match get("level") {
            None => Vec::new(),
            Some(value) => levels_of(value)
                .ok_or_else(|| wrong("level", value, "levels in per cent, from 1 to below 100 (95, not 0.95)"))?,
        };
        let on_error = match get("on_error") {
            None => OnError::default(),
            Some(value) => OnError::NAMES
                .iter()
                .find(|(name, _)| value.as_str() == Some(name))
                .map(|(_, policy)| *policy)
                .ok_or_else(|| wrong("on_error", value, "'fallback', 'null', 'skip' or 'abort'"))?,
        };
        let seed = match get("seed") {
            None => 0,
            Some(value) => value.as_u64().ok_or_else(|| wrong("seed", value, "a whole number, not negative"))?,
        };
        let switch = |name: &'static str| match get(name) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or_else(|| wrong(name, value, "true or false")),
        };
        let predict_on_train = switch("predict_on_train")?;
        let details = switch("details")?;
        let timeout = match get("timeout") {
            None => None,
            Some(value) => Some(
                value
                    .as_f64()
                    .filter(|s| *s > 0.0)
                    .and_then(|s| Duration::try_from_secs_f64(s).ok())
                    .ok_or_else(|| wrong("timeout", value, "seconds, more than 0"))?,
            ),
        };
        Ok(Self { model, horizon, level, on_error, seed, predict_on_train, compat, timeout, details })
    }

    /// The options as JSON, ready for [`ForecastOptions::from_json`].
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("model".into(), self.model.to_json());
        match &self.horizon {
            Horizon::Steps(steps) => map.insert("horizon".into(), (*steps).into()),
            Horizon::Times(times) => {
                map.insert("time_stamps".into(), times.iter().map(ToString::to_string).collect::<Vec<_>>().into())
            }
        };
        if !self.level.is_empty() {
            map.insert("level".into(), self.level.clone().into());
        }
        if let Some((name, _)) = OnError::NAMES.iter().find(|(_, policy)| *policy == self.on_error) {
            map.insert("on_error".into(), (*name).into());
        }
        map.insert("seed".into(), self.seed.into());
        map.insert("predict_on_train".into(), self.predict_on_train.into());
        if self.compat == Compat::Merlion {
            map.insert("compat".into(), "merlion".into());
        }
        if self.details {
            map.insert("details".into(), true.into());
        }
        if let Some(timeout) = self.timeout {
            map.insert("timeout".into(), timeout.as_secs_f64().into());
        }
        Value::Object(map)
    }
}

/// The model of a call that names none.
pub const DEFAULT_MODEL: &str = "DefaultForecaster";

fn wrong(name: &'static str, value: &Value, expected: &'static str) -> OptionsError {
    OptionsError::Value { name, value: value.to_string(), expected }
}

fn levels_of(value: &Value) -> Option<Vec<f64>> {
    let one = |v: &Value| v.as_f64().filter(|level| (1.0..100.0).contains(level));
    match value {
        Value::Array(levels) => levels.iter().map(one).collect(),
        single => one(single).map(|level| vec![level]),
    }
}

fn times_of(value: &Value) -> Result<Vec<Timestamp>, OptionsError> {
    let expected = "a list of times (\"2012-11-02\", \"2012-11-02 13:00:00\", or seconds since 1970)";
    let Value::Array(items) = value else { return Err(wrong("time_stamps", value, expected)) };
    if items.is_empty() {
        return Err(wrong("time_stamps", value, expected));
    }
    items
        .iter()
        .map(|item| match item {
            Value::String(text) => Timestamp::parse(text).map_err(|_| wrong("time_stamps", item, expected)),
            Value::Number(seconds) => seconds
                .as_f64()
                .and_then(Timestamp::from_seconds_f64)
                .ok_or_else(|| wrong("time_stamps", item, expected)),
            _ => Err(wrong("time_stamps", item, expected)),
        })
        .collect()
}

/// The JSON of an options literal: a struct, or JSON text in any of Arrow's string forms.
///
/// # Errors
/// [`OptionsError::NotOptions`] when it is neither, [`OptionsError::Json`] when the text is not JSON.
pub fn literal_to_json(literal: &ScalarValue) -> Result<Value, OptionsError> {
    match literal {
        ScalarValue::Dictionary(_, value) => literal_to_json(value),
        ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) | ScalarValue::Utf8View(Some(text)) => {
            Ok(serde_json::from_str(text)?)
        }
        ScalarValue::Struct(_) => scalar_to_json(literal),
        other => Err(OptionsError::NotOptions(other.to_string())),
    }
}

fn scalar_to_json(scalar: &ScalarValue) -> Result<Value, OptionsError> {
    let unusable = || OptionsError::NotOptions(format!("a struct with {} in it", scalar.data_type()));
    if scalar.is_null() {
        return Ok(Value::Null);
    }
    Ok(match scalar {
        ScalarValue::Boolean(Some(b)) => (*b).into(),
        ScalarValue::Utf8(Some(s)) | ScalarValue::LargeUtf8(Some(s)) | ScalarValue::Utf8View(Some(s)) => {
            s.as_str().into()
        }
        ScalarValue::Float64(Some(x)) => (*x).into(),
        ScalarValue::Float32(Some(x)) => f64::from(*x).into(),
        ScalarValue::Struct(array) => {
            let mut map = Map::new();
            for (field, column) in array.fields().iter().zip(array.columns()) {
                let value = ScalarValue::try_from_array(column, 0).map_err(|_| unusable())?;
                map.insert(field.name().clone(), scalar_to_json(&value)?);
            }
            Value::Object(map)
        }
        ScalarValue::List(array) => list_to_json(&array.value(0), &unusable)?,
        ScalarValue::LargeList(array) => list_to_json(&array.value(0), &unusable)?,
        ScalarValue::FixedSizeList(array) => list_to_json(&array.value(0), &unusable)?,
        ScalarValue::Decimal128(..) => match scalar.cast_to(&arrow::datatypes::DataType::Float64) {
            Ok(ScalarValue::Float64(Some(x))) => x.into(),
            _ => return Err(unusable()),
        },
        other if other.data_type().is_integer() => match other.cast_to(&arrow::datatypes::DataType::Int64) {
            Ok(ScalarValue::Int64(Some(i))) => i.into(),
            _ => return Err(unusable()),
        },
        other if other.data_type().is_temporal() => {
            let array = other.to_array().map_err(|_| unusable())?;
            let text = arrow::compute::cast(&array, &arrow::datatypes::DataType::Utf8).map_err(|_| unusable())?;
            text.as_string::<i32>().value(0).into()
        }
        _ => return Err(unusable()),
    })
}

fn list_to_json(values: &dyn Array, unusable: &dyn Fn() -> OptionsError) -> Result<Value, OptionsError> {
    (0..values.len())
        .map(|i| scalar_to_json(&ScalarValue::try_from_array(values, i).map_err(|_| unusable())?))
        .collect::<Result<Vec<_>, _>>()
        .map(Value::Array)
}
