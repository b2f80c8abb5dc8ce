//! `merlion models`: the catalogue as text.

use std::fmt::Write;

use merlion::models::{COMMON_PARAMETERS, Catalog, Entry, Kind, ModelError};

/// All models, a line each: those that forecast, then those that detect anomalies.
#[must_use]
pub fn list(catalog: &Catalog) -> String {
    let width = catalog.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (kind, heading) in
        [(Kind::Forecaster, "Forecasters"), (Kind::Detector, "Anomaly detectors (in the library; the app is to come)")]
    {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}{heading}:", if text.is_empty() { "" } else { "\n" });
        for entry in catalog.of_kind(kind) {
            let _ = writeln!(text, "  {:width$}  {}", entry.name, entry.summary);
        }
    }
    text
}

/// One model with its parameters, as the JSON that selects it.
///
/// # Errors
/// When there is no such model; the error names the nearest.
pub fn show(catalog: &Catalog, name: &str) -> Result<String, ModelError> {
    let entry = catalog.get(name)?;
    let mut text = format!("{}: {}\n", entry.name, entry.summary);
    if !entry.aliases.is_empty() {
        let _ = writeln!(text, "  also called: {}", entry.aliases.join(", "));
    }
    for (can, what) in abilities(entry) {
        let _ = writeln!(text, "  {} {what}", if can { "+" } else { "-" });
    }
    let _ = writeln!(text, "\nparameters and their defaults:");
    if let serde_json::Value::Object(defaults) = entry.defaults() {
        for (parameter, value) in &defaults {
            let _ = writeln!(text, "  {parameter} = {value}");
        }
        if defaults.is_empty() {
            let _ = writeln!(text, "  (none of its own)");
        }
    }
    let _ = writeln!(text, "and of every model: {}", COMMON_PARAMETERS.join(", "));
    Ok(text)
}

fn abilities(entry: &Entry) -> [(bool, &'static str); 5] {
    let can = entry.capabilities;
    [
        (!can.univariate_only, "learns from several columns"),
        (can.exogenous, "uses regressors with a known future"),
        (!can.even_sampling, "takes times as they come (others are resampled to an even grid first)"),
        (can.standard_errors, "gives standard errors"),
        (can.online, "learns on without a new fit"),
    ]
}
