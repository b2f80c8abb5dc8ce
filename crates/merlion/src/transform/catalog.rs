//! The catalogue: one line per transform, from which JSON names, documentation and conformance tests follow.

use serde_json::{Map, Value};

use super::{
    AbsVal, BoxCoxTransform, DifferenceTransform, ExponentialMovingAverage, Identity, LagTransform, LowerUpperClip,
    MeanVarNormalize, MinMaxNormalize, MovingAverage, MovingPercentile, Rescale, Shingle, TemporalResample, Transform,
    TransformError, TransformSequence, TransformSpec, TransformStack, json,
};
use crate::nearest::nearest;

/// The transforms, in the order of the documentation.
pub static CATALOG: &[Entry] = &[
    Entry::of::<Identity>(),
    Entry::of::<TemporalResample>(),
    Entry::of::<AbsVal>(),
    Entry::of::<LowerUpperClip>(),
    Entry::of::<Rescale>(),
    Entry::of::<MeanVarNormalize>(),
    Entry::of::<MinMaxNormalize>(),
    Entry::of::<BoxCoxTransform>(),
    Entry::of::<MovingAverage>(),
    Entry::of::<MovingPercentile>(),
    Entry::of::<ExponentialMovingAverage>(),
    Entry::of::<DifferenceTransform>(),
    Entry::of::<LagTransform>(),
    Entry::of::<Shingle>(),
    Entry::of::<TransformSequence>(),
    Entry::of::<TransformStack>(),
];

/// Merlion's other transforms (synthetic anomalies), so that one that is still missing here is told from a typing error.
const NOT_YET: &[&str] = &["Shock", "LevelShift", "TrendChange"];

/// What the catalogue knows of one transform.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The name in transform JSON.
    pub name: &'static str,
    /// Other accepted names.
    pub aliases: &'static [&'static str],
    /// One line of description.
    pub summary: &'static str,
    /// The parameters that JSON must give.
    pub required: &'static [&'static str],
    build: fn(&Map<String, Value>) -> Result<TransformSpec, TransformError>,
    defaults: fn() -> Value,
}

impl Entry {
    /// The entry of the transform `T`.
    #[must_use]
    pub const fn of<T: Transform>() -> Self {
        Self {
            name: T::NAME,
            aliases: T::ALIASES,
            summary: T::SUMMARY,
            required: T::REQUIRED,
            build: json::build::<T>,
            defaults: json::parameters::<T>,
        }
    }

    /// The transform with these parameters, validated. A key `name` is not looked at.
    ///
    /// # Errors
    /// [`TransformError::UnknownParameter`] with the nearest name, [`TransformError::MissingParameter`],
    /// [`TransformError::InvalidParameter`].
    pub fn build(&self, parameters: &Map<String, Value>) -> Result<TransformSpec, TransformError> {
        (self.build)(parameters)
    }

    /// The parameters with their defaults; those of [`Entry::required`] have none that JSON could rely on.
    #[must_use]
    pub fn defaults(&self) -> Value {
        (self.defaults)()
    }
}

/// The entry of a name or alias, with or without Merlion's module before it (`merlion.transform.resample:TemporalResample`).
pub(super) fn get(name: &str) -> Result<&'static Entry, TransformError> {
    let wanted = name.rsplit(':').next().unwrap_or(name);
    CATALOG.iter().find(|entry| entry.name == wanted || entry.aliases.contains(&wanted)).ok_or_else(|| {
        if NOT_YET.contains(&wanted) {
            return TransformError::NotAvailable { name: wanted.to_owned() };
        }
        let names = CATALOG.iter().flat_map(|entry| std::iter::once(entry.name).chain(entry.aliases.iter().copied()));
        TransformError::Unknown { name: wanted.to_owned(), nearest: nearest(wanted, names).map(str::to_owned) }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// `MeanVarNormalize` as a file name.
    fn snake(name: &str) -> String {
        let mut file = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && !file.is_empty() {
                file.push('_');
            }
            file.extend(letter.to_lowercase());
        }
        file
    }

    #[test]
    fn every_transform_has_its_file_and_every_name_is_used_once() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/transform");
        let rest = ["mod", "catalog", "error", "inversion", "json", "per_column", "recursion", "spec", "tests"];
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .filter(|file| !rest.contains(&file.as_str()))
            .collect();
        assert_eq!(files, CATALOG.iter().map(|entry| snake(entry.name)).collect());
        let names: Vec<&str> =
            CATALOG.iter().flat_map(|entry| std::iter::once(entry.name).chain(entry.aliases.iter().copied())).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }

    #[test]
    fn required_parameters_exist_and_are_asked_for() {
        for entry in CATALOG {
            for parameter in entry.required {
                assert!(entry.defaults().get(parameter).is_some(), "{}: {parameter}", entry.name);
                let error = entry.build(&Map::new()).unwrap_err();
                assert!(matches!(error, TransformError::MissingParameter { .. }), "{}: {error}", entry.name);
            }
        }
    }

    #[test]
    fn names_are_found_with_module_and_alias() {
        for (name, entry) in [
            ("merlion.transform.moving_average:MovingPercentile", "MovingPercentile"),
            ("InvertibleTransformSequence", "TransformSequence"),
            ("merlion.transform.sequence:TransformSequence", "TransformSequence"),
        ] {
            assert_eq!(get(name).unwrap().name, entry);
        }
        assert_eq!(get("Shock").unwrap_err(), TransformError::NotAvailable { name: "Shock".to_owned() });
        assert_eq!(get("Lag").unwrap_err().to_string(), "unknown transform 'Lag'");
    }
}
