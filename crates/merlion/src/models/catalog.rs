//! The catalogue: one line per model, from which JSON names, `merlion models`, documentation and conformance tests follow.

use serde_json::{Map, Value};

use super::{Capabilities, DynForecaster, Forecaster, ModelError};
use crate::nearest::nearest;

/// Merlion's names, so that one that is still missing here is told from a typing error.
const MERLION_MODELS: &[&str] = &[
    "DefaultForecaster",
    "Arima",
    "ETS",
    "MSES",
    "Prophet",
    "Sarima",
    "VectorAR",
    "RandomForestForecaster",
    "ExtraTreesForecaster",
    "LGBMForecaster",
    "TransformerForecaster",
    "InformerForecaster",
    "AutoformerForecaster",
    "ETSformerForecaster",
    "DeepARForecaster",
    "ForecasterEnsemble",
    "SeasonalityLayer",
    "AutoETS",
    "AutoProphet",
    "AutoSarima",
    "DefaultDetector",
    "ArimaDetector",
    "DynamicBaseline",
    "IsolationForest",
    "LocalOutlierFactor",
    "LOF",
    "ETSDetector",
    "MSESDetector",
    "ProphetDetector",
    "RandomCutForest",
    "SarimaDetector",
    "WindStats",
    "MonthlyWindStats",
    "SpectralResidual",
    "ZMS",
    "StatThreshold",
    "AutoEncoder",
    "VAE",
    "DAGMM",
    "LSTMED",
    "BOCPD",
    "DetectorEnsemble",
];

type Build = fn(Map<String, Value>, &Origin) -> Result<Box<dyn DynForecaster>, ModelError>;

/// Whose answers a model gives where Merlion's are not what a user would want.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compat {
    /// The answer a user would want.
    #[default]
    None,
    /// Merlion's.
    Merlion,
}

/// Where the models inside a model come from, and whose answers they give.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Origin {
    /// The models there are.
    pub catalog: Catalog,
    /// Whose answers they give.
    pub compat: Compat,
}

/// What the catalogue knows of one model.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The name in model JSON.
    pub name: &'static str,
    /// Other accepted names.
    pub aliases: &'static [&'static str],
    /// One line of description.
    pub summary: &'static str,
    /// What the model can do.
    pub capabilities: Capabilities,
    /// The parameter that holds an inner model, for a model around another one.
    pub inner: Option<&'static str>,
    build: Build,
}

impl Entry {
    /// The entry of the forecaster `F`.
    #[must_use]
    pub const fn forecaster<F: Forecaster>() -> Self {
        Self {
            name: F::NAME,
            aliases: F::ALIASES,
            summary: F::SUMMARY,
            capabilities: F::CAPABILITIES,
            inner: F::INNER,
            build: build::<F>,
        }
    }

    /// The model with these hyper-parameters, validated.
    ///
    /// # Errors
    /// [`ModelError::UnknownParameter`] with the nearest name, [`ModelError::InvalidParameter`], or
    /// [`ModelError::InvalidSpec`] for a value of the wrong type.
    pub fn build(&self, parameters: Map<String, Value>, compat: Compat) -> Result<Box<dyn DynForecaster>, ModelError> {
        self.build_in(parameters, &Origin { compat, ..Origin::default() })
    }

    /// The same with inner models from elsewhere than this crate.
    ///
    /// # Errors
    /// As [`Entry::build`], for inner models too.
    pub fn build_in(
        &self,
        parameters: Map<String, Value>,
        origin: &Origin,
    ) -> Result<Box<dyn DynForecaster>, ModelError> {
        (self.build)(parameters, origin)
    }

    /// The model's hyper-parameters with their defaults.
    #[must_use]
    pub fn defaults(&self) -> Value {
        self.build(Map::new(), Compat::None).map(|model| model.parameters()).unwrap_or_default()
    }
}

fn build<F: Forecaster>(
    mut parameters: Map<String, Value>,
    origin: &Origin,
) -> Result<Box<dyn DynForecaster>, ModelError> {
    let defaults = serde_json::to_value(F::default()).map_err(|e| ModelError::InvalidSpec(e.to_string()))?;
    if let Some(inner) = F::INNER {
        forward(F::NAME, &mut parameters, inner, &defaults, &origin.catalog)?;
    }
    let known: Vec<&str> = defaults.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
    if let Some(unknown) = parameters.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(ModelError::UnknownParameter {
            model: F::NAME.to_owned(),
            parameter: unknown.clone(),
            nearest: nearest(unknown, known.iter().copied()).map(str::to_owned),
        });
    }
    // One parameter at a time first, so that the message names the culprit; serde's own does not.
    for (key, value) in &parameters {
        let alone = Map::from_iter([(key.clone(), value.clone())]);
        if let Err(error) = serde_json::from_value::<F>(Value::Object(alone)) {
            return Err(ModelError::InvalidSpec(format!("{}: {key} = {value}: {error}", F::NAME)));
        }
    }
    let mut all = match origin.compat {
        Compat::None => Map::new(),
        // Merlion's way where the user did not choose.
        Compat::Merlion => match serde_json::to_value(F::default().into_merlion()) {
            Ok(Value::Object(defaults)) => defaults,
            _ => Map::new(),
        },
    };
    if let Some(inner) = F::INNER
        && let (Some(Value::Object(defaults)), Some(Value::Object(given))) = (all.get(inner), parameters.get_mut(inner))
        && defaults.get("name") == given.get("name")
    {
        *given = defaults.clone().into_iter().chain(std::mem::take(given)).collect();
    }
    all.extend(parameters);
    let model: F = serde_json::from_value(Value::Object(all))
        .map_err(|error| ModelError::InvalidSpec(format!("{}: {error}", F::NAME)))?;
    let model = model.with_origin(origin);
    model.validate()?;
    Ok(Box::new(model))
}

/// Moves the parameters a model does not know into the JSON of its inner model, unless they are there already.
///
/// What neither knows is an error in the name of the outer model, with the nearest name of either. (An inner model that has
/// an inner model itself is left to do the same.)
fn forward(
    model: &str,
    parameters: &mut Map<String, Value>,
    inner: &str,
    defaults: &Value,
    catalog: &Catalog,
) -> Result<(), ModelError> {
    let mut json = match parameters.shift_remove(inner) {
        None | Some(Value::Null) => Map::from_iter([("name".to_owned(), defaults[inner]["name"].clone())]),
        Some(Value::String(name)) => Map::from_iter([("name".to_owned(), name.into())]),
        Some(Value::Object(json)) => json,
        Some(other) => {
            return Err(ModelError::InvalidSpec(format!("{model}: {inner} is a model's JSON dict, not {other}")));
        }
    };
    let Some(name) = json.get("name").and_then(Value::as_str) else {
        return Err(ModelError::InvalidSpec(format!("{model}: {inner} has no \"name\"")));
    };
    let entry = catalog.get(name)?;
    let inner_defaults = entry.defaults();
    let is_of = |defaults: &Value, key: &str| defaults.get(key).is_some();
    let (own, foreign): (Map<_, _>, Map<_, _>) =
        std::mem::take(parameters).into_iter().partition(|(key, _)| is_of(defaults, key));
    *parameters = own;
    let mut unknown = foreign.keys().chain(json.keys().filter(|key| *key != "name"));
    if entry.inner.is_none()
        && let Some(unknown) = unknown.find(|key| !is_of(&inner_defaults, key))
    {
        let names = [defaults, &inner_defaults].into_iter().filter_map(Value::as_object).flat_map(Map::keys);
        return Err(ModelError::UnknownParameter {
            model: if foreign.contains_key(unknown) { model.to_owned() } else { name.to_owned() },
            parameter: unknown.clone(),
            nearest: nearest(unknown, names.map(String::as_str)).map(str::to_owned),
        });
    }
    for (key, value) in foreign {
        json.entry(key).or_insert(value);
    }
    parameters.insert(inner.to_owned(), json.into());
    Ok(())
}

/// The models a process knows: the slices of every crate that has some, put together once.
#[derive(Debug, Clone)]
pub struct Catalog {
    entries: Vec<&'static Entry>,
}

impl Catalog {
    /// Puts slices together, in order.
    #[must_use]
    pub fn new(slices: &[&'static [Entry]]) -> Self {
        Self { entries: slices.iter().copied().flatten().collect() }
    }

    /// The models, in the order of the documentation.
    pub fn iter(&self) -> impl Iterator<Item = &'static Entry> {
        self.entries.iter().copied()
    }

    /// The entry of this name or alias.
    ///
    /// # Errors
    /// [`ModelError::UnknownModel`] with the nearest name.
    pub fn get(&self, name: &str) -> Result<&'static Entry, ModelError> {
        self.iter().find(|entry| entry.name == name || entry.aliases.contains(&name)).ok_or_else(|| {
            if MERLION_MODELS.contains(&name) {
                return ModelError::NotAvailable { name: name.to_owned() };
            }
            let names = self.iter().flat_map(|entry| std::iter::once(entry.name).chain(entry.aliases.iter().copied()));
            ModelError::UnknownModel { name: name.to_owned(), nearest: nearest(name, names).map(str::to_owned) }
        })
    }
}

impl PartialEq for Catalog {
    /// Whether both have the same entries, not merely equal ones.
    fn eq(&self, other: &Self) -> bool {
        self.entries.len() == other.entries.len()
            && self.entries.iter().zip(&other.entries).all(|(a, b)| std::ptr::eq(*a, *b))
    }
}

impl Default for Catalog {
    /// This crate's models.
    fn default() -> Self {
        Self::new(&[super::forecast::CATALOG])
    }
}
