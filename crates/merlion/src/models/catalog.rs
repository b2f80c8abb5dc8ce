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

type Build = fn(Map<String, Value>, Compat) -> Result<Box<dyn DynForecaster>, ModelError>;

/// Whose answers a model gives where Merlion's are not what a user would want.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compat {
    /// The answer a user would want.
    #[default]
    None,
    /// Merlion's.
    Merlion,
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
            build: build::<F>,
        }
    }

    /// The model with these hyper-parameters, validated.
    ///
    /// # Errors
    /// [`ModelError::UnknownParameter`] with the nearest name, [`ModelError::InvalidParameter`], or
    /// [`ModelError::InvalidSpec`] for a value of the wrong type.
    pub fn build(&self, parameters: Map<String, Value>, compat: Compat) -> Result<Box<dyn DynForecaster>, ModelError> {
        (self.build)(parameters, compat)
    }

    /// The model's hyper-parameters with their defaults.
    #[must_use]
    pub fn defaults(&self) -> Value {
        self.build(Map::new(), Compat::None).map(|model| model.parameters()).unwrap_or_default()
    }
}

fn build<F: Forecaster>(parameters: Map<String, Value>, compat: Compat) -> Result<Box<dyn DynForecaster>, ModelError> {
    let known = serde_json::to_value(F::default()).map_err(|e| ModelError::InvalidSpec(e.to_string()))?;
    let known: Vec<&str> = known.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
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
    let mut all = match compat {
        Compat::None => Map::new(),
        // Merlion's way where the user did not choose.
        Compat::Merlion => match serde_json::to_value(F::default().into_merlion()) {
            Ok(Value::Object(defaults)) => defaults,
            _ => Map::new(),
        },
    };
    all.extend(parameters);
    let model: F = serde_json::from_value(Value::Object(all))
        .map_err(|error| ModelError::InvalidSpec(format!("{}: {error}", F::NAME)))?;
    model.validate()?;
    Ok(Box::new(model))
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

impl Default for Catalog {
    /// This crate's models.
    fn default() -> Self {
        Self::new(&[super::forecast::CATALOG])
    }
}
