//! The catalogue: one line per model, from which JSON names, `merlion models`, documentation and conformance tests follow.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Capabilities, Detector, DynDetector, DynForecaster, Forecaster, Kind, ModelError, read_parameters};
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

/// How a model comes out of its parameters.
type Make<M> = fn(Map<String, Value>, &Origin) -> Result<Box<M>, ModelError>;

/// The same, by what the model is.
#[derive(Debug, Clone, Copy)]
enum Build {
    Forecaster(Make<dyn DynForecaster>),
    Detector(Make<dyn DynDetector>),
}

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
    /// Of a detector, the forecaster that belongs to it.
    pub twin: Option<&'static str>,
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
            twin: None,
            build: Build::Forecaster(forecaster::<F>),
        }
    }

    /// The entry of the detector `D`.
    #[must_use]
    pub const fn detector<D: Detector>() -> Self {
        Self {
            name: D::NAME,
            aliases: D::ALIASES,
            summary: D::SUMMARY,
            capabilities: D::CAPABILITIES,
            inner: D::INNER,
            twin: D::TWIN,
            build: Build::Detector(detector::<D>),
        }
    }

    /// Whether the model forecasts or detects anomalies.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.build {
            Build::Forecaster(_) => Kind::Forecaster,
            Build::Detector(_) => Kind::Detector,
        }
    }

    /// The forecaster with these hyper-parameters, validated.
    ///
    /// # Errors
    /// [`ModelError::UnknownParameter`] with the nearest name, [`ModelError::InvalidParameter`],
    /// [`ModelError::InvalidSpec`] for a value of the wrong type, or [`ModelError::WrongKind`] for a detector.
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
        match self.build {
            Build::Forecaster(build) => build(parameters, origin),
            Build::Detector(_) => Err(origin.catalog.wrong_kind(self)),
        }
    }

    /// The detector with these hyper-parameters, validated, and inner models from `origin`.
    ///
    /// # Errors
    /// As [`Entry::build_in`], [`ModelError::WrongKind`] being for a forecaster.
    pub fn build_detector(
        &self,
        parameters: Map<String, Value>,
        origin: &Origin,
    ) -> Result<Box<dyn DynDetector>, ModelError> {
        match self.build {
            Build::Detector(build) => build(parameters, origin),
            Build::Forecaster(_) => Err(origin.catalog.wrong_kind(self)),
        }
    }

    /// The model's hyper-parameters with their defaults.
    #[must_use]
    pub fn defaults(&self) -> Value {
        let origin = Origin::default();
        let defaults = match self.build {
            Build::Forecaster(build) => build(Map::new(), &origin).map(|model| model.parameters()),
            Build::Detector(build) => build(Map::new(), &origin).map(|model| model.parameters()),
        };
        defaults.unwrap_or_default()
    }
}

fn forecaster<F: Forecaster>(
    parameters: Map<String, Value>,
    origin: &Origin,
) -> Result<Box<dyn DynForecaster>, ModelError> {
    let model = build::<F>(F::NAME, F::INNER, F::into_merlion, parameters, origin)?.with_origin(origin);
    model.validate()?;
    Ok(Box::new(model))
}

fn detector<D: Detector>(parameters: Map<String, Value>, origin: &Origin) -> Result<Box<dyn DynDetector>, ModelError> {
    let model = build::<D>(D::NAME, D::INNER, D::into_merlion, parameters, origin)?.with_origin(origin);
    model.validate()?;
    Ok(Box::new(model))
}

/// A model of either kind out of the parameters that are set, the others being the defaults of whom `origin` names.
fn build<M: Default + Serialize + DeserializeOwned>(
    name: &'static str,
    inner: Option<&'static str>,
    into_merlion: fn(M) -> M,
    mut parameters: Map<String, Value>,
    origin: &Origin,
) -> Result<M, ModelError> {
    if let Some(inner) = inner {
        let defaults = serde_json::to_value(M::default()).map_err(|e| ModelError::InvalidSpec(e.to_string()))?;
        forward(name, &mut parameters, inner, &defaults, &origin.catalog)?;
    }
    let model = read_parameters::<M>(name, &parameters)?;
    if origin.compat == Compat::None {
        return Ok(model);
    }
    // Merlion's way where the user did not choose.
    let mut all = match serde_json::to_value(into_merlion(M::default())) {
        Ok(Value::Object(defaults)) => defaults,
        _ => Map::new(),
    };
    if let Some(inner) = inner
        && let (Some(Value::Object(defaults)), Some(Value::Object(given))) = (all.get(inner), parameters.get_mut(inner))
        && defaults.get("name") == given.get("name")
    {
        *given = defaults.clone().into_iter().chain(std::mem::take(given)).collect();
    }
    all.extend(parameters);
    serde_json::from_value(Value::Object(all)).map_err(|error| ModelError::InvalidSpec(format!("{name}: {error}")))
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

    /// The models of one kind, in the order of the documentation.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &'static Entry> {
        self.iter().filter(move |entry| entry.kind() == kind)
    }

    /// The detector that belongs to a forecaster.
    #[must_use]
    pub fn detector_of(&self, forecaster: &str) -> Option<&'static Entry> {
        self.iter().find(|entry| entry.twin == Some(forecaster))
    }

    /// The error of asking for a model of one kind where the other is wanted.
    fn wrong_kind(&self, entry: &Entry) -> ModelError {
        let twin = match entry.kind() {
            Kind::Forecaster => self.detector_of(entry.name).map(|detector| detector.name),
            Kind::Detector => entry.twin.filter(|twin| self.get(twin).is_ok()),
        };
        ModelError::WrongKind { name: entry.name, kind: entry.kind(), twin }
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
        Self::new(&[super::forecast::CATALOG, super::anomaly::CATALOG])
    }
}
