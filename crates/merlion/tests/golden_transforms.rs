//! Transforms and their inverses against what Python Merlion computed.
//!
//! The reference is read at run time from `$MERLION_REFERENCE`, or from `shared/reference/merlion` beside the repository; without
//! it the test says so and passes. Everything is arithmetic on a handful of values, so 1e-9 relative leaves room for nothing but
//! another order of summation. The one exception is the most likely Box-Cox power, the flat top of a curve: 1e-6 is what scipy's search
//! for it can tell, so there the power is held to that and everything that follows from Merlion's power to 1e-9 again.
//!
//! Inverses are compared with `invert_as_merlion`; and where ours is another (a Box-Cox power below 0, which Merlion inverts as if it
//! were 0), it has to give back what went in.

#![expect(
    clippy::unwrap_used,
    reason = "a reference of another shape than expected should stop the test where it is read"
)]

use merlion::series::TimeSeries;
use merlion::time::{Offset, Timestamp};
use merlion::transform::{FittedTransform, TransformSpec};
use serde_json::{Map, Value, json};

mod reference;
use reference::{golden, series};

const TOLERANCE: f64 = 1e-9;
const POWER_TOLERANCE: f64 = 1e-6;

/// What differs between two series, if anything.
fn difference(got: &TimeSeries, expected: &TimeSeries, tolerance: f64) -> Option<String> {
    if !got.names().eq(expected.names()) {
        let list = |series: &TimeSeries| series.names().collect::<Vec<_>>().join(", ");
        return Some(format!("columns {}, expected {}", list(got), list(expected)));
    }
    for (got, expected) in got.univariates().iter().zip(expected.univariates()) {
        let name = got.name();
        if got.times() != expected.times() {
            let texts = |times: &[Timestamp]| times.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Some(format!("column {name} at {}\nexpected {}", texts(got.times()), texts(expected.times())));
        }
        for ((t, value), (_, wanted)) in got.iter().zip(expected.iter()) {
            let close =
                (value - wanted).abs() <= tolerance * wanted.abs().max(1.0) || (value.is_nan() && wanted.is_nan());
            if !close {
                return Some(format!("column {name} at {t} is {value}, expected {wanted}"));
            }
        }
    }
    None
}

/// What differs between two pieces of JSON, numbers compared with a tolerance.
fn json_difference(got: &Value, expected: &Value, tolerance: f64) -> Option<String> {
    match (got, expected) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            ((a - b).abs() > tolerance * b.abs().max(1.0)).then(|| format!("{a}, expected {b}"))
        }
        (Value::Object(a), Value::Object(b)) if a.len() == b.len() => b.iter().find_map(|(key, b)| {
            let a = a.get(key).unwrap_or(&Value::Null);
            let steps = [a, b].map(|step| step.as_str().map(Offset::parse));
            // `1MS` and `MS` are the same step.
            let same_step = key == "granularity" && steps[0].is_some() && steps[0] == steps[1];
            if same_step { None } else { json_difference(a, b, tolerance).map(|text| format!("{key}: {text}")) }
        }),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).find_map(|(a, b)| json_difference(a, b, tolerance))
        }
        (a, b) => (a != b).then(|| format!("{a}, expected {b}")),
    }
}

/// The transform JSON of a label such as `MovingAverage(weights=[0.1,0.2,0.7])`.
fn transform(label: &str) -> Value {
    let lag = |k: u32, pad: bool| json!({"name": "LagTransform", "k": k, "pad": pad});
    let average = |n: u32| json!({"name": "MovingAverage", "n_steps": n});
    let (name, parameters) = label.trim_end_matches(')').split_once('(').unwrap();
    let members = match label {
        "TransformSequence([MovingAverage(3),DifferenceTransform(),MeanVarNormalize()])" => {
            json!([average(3), "DifferenceTransform", "MeanVarNormalize"])
        }
        "InvertibleTransformSequence([BoxCoxTransform(0.5),MinMaxNormalize(),LagTransform(2)])" => {
            json!([{"name": "BoxCoxTransform", "lmbda": 0.5}, "MinMaxNormalize", lag(2, false)])
        }
        "TransformStack([Identity(),LagTransform(2,pad=True),MovingAverage(4)])" => {
            json!(["Identity", lag(2, true), average(4)])
        }
        "TransformStack([Rescale(1,2),DifferenceTransform()])" => {
            json!([{"name": "Rescale", "bias": 1, "scale": 2}, "DifferenceTransform"])
        }
        _ => {
            let text = parameters.replace("True", "true").replace("False", "false").replace("None", "null");
            let mut json = Map::from_iter([("name".to_owned(), Value::from(name))]);
            let mut rest = text.replace('\'', "\"");
            while !rest.is_empty() {
                let (key, tail) = rest.split_once('=').unwrap();
                // A value ends where the next key begins: at the last comma before the next `=`.
                let end = tail.find('=').map_or(tail.len(), |next| tail[..next].rfind(',').unwrap());
                json.insert(key.to_owned(), serde_json::from_str(&tail[..end]).unwrap());
                rest = tail.get(end + 1..).unwrap_or("").to_owned();
            }
            return json.into();
        }
    };
    json!({"name": name, "transforms": members})
}

/// Whether some column has a Box-Cox power below 0.
fn has_negative_power(fitted: &FittedTransform) -> bool {
    let json = fitted.state().to_json();
    json.get("lmbda")
        .and_then(Value::as_object)
        .is_some_and(|powers| powers.values().any(|power| power.as_f64().unwrap() < 0.0))
}

/// What a case differs in.
fn differences(case: &Value, inputs: &Value) -> Vec<String> {
    let json = transform(case["label"].as_str().unwrap());
    let spec = TransformSpec::from_json(&json).unwrap();
    let input = |key: &str| case[key].as_str().map(|name| series(&inputs[name]));
    let train = input("train_input").unwrap();
    let fitted = spec.fit(&train).unwrap();
    let mut found = Vec::new();
    if let Some(error) = case.get("error") {
        // The alias of a class that Merlion no longer has; here it is another name of the sequence.
        assert!(error.as_str().unwrap().contains("'InvertibleTransformSequence' is not defined"), "{case}");
        let (transformed, state) = fitted.apply_with_state(&train).unwrap();
        found.extend(difference(&fitted.invert(&transformed, &state).unwrap(), &train, TOLERANCE));
        return found;
    }

    let searched = json["name"] == "BoxCoxTransform" && json["lmbda"].is_null();
    // How the reference writes the transforms of a stack is no JSON.
    if json["name"] != "TransformStack" {
        let tolerance = if searched { POWER_TOLERANCE } else { TOLERANCE };
        found.extend(json_difference(&fitted.state().to_json(), &case["state"], tolerance));
    }
    let inversion = fitted.inversion();
    // Merlion's sequence leaves the state to its transforms; here it is part of the sequence's.
    let state_elsewhere = json["name"] == "TransformSequence";
    for (flag, got) in [
        ("proper_inversion", inversion.proper),
        ("identity_inversion", inversion.identity),
        ("requires_inversion_state", inversion.requires_state && !state_elsewhere),
    ] {
        if case[flag] != got {
            found.push(format!("{flag} is {got}"));
        }
    }

    let fitted = match searched {
        true => TransformSpec::from_json(&case["state"]).unwrap().fit(&train).unwrap(),
        false => fitted,
    };
    for role in ["train", "test"] {
        let Some(output) = case.get(format!("{role}_output")) else { continue };
        let input = input(&format!("{role}_input")).unwrap();
        let (transformed, state) = fitted.apply_with_state(&input).unwrap();
        let mut note = |what: &str, got: &TimeSeries, expected: &TimeSeries| {
            found.extend(difference(got, expected, TOLERANCE).map(|text| format!("{role} {what}: {text}")));
        };
        note("transformed", &transformed, &series(output));
        if let Some(expected) = case.get(format!("{role}_inverted")) {
            note("inverted", &fitted.invert_as_merlion(&transformed, &state).unwrap(), &series(expected));
            let ours = fitted.invert(&transformed, &state).unwrap();
            if has_negative_power(&fitted) {
                note("inverted our way", &ours, &input);
            } else {
                note("inverted our way", &ours, &series(expected));
            }
        }
        if case.get(format!("{role}_inverted_error")).is_some() && fitted.invert(&transformed, &state).is_ok() {
            found.push(format!("{role} inverted, which is expected to fail"));
        }
    }
    found
}

#[test]
fn transforms_are_merlions() {
    let Some(golden) = golden("components/transforms.json") else { return };
    let cases = golden["cases"].as_array().unwrap();
    let mut different = Vec::new();
    let mut powers_below_zero = 0;
    for case in cases {
        let found = differences(case, &golden["inputs"]);
        let powers = case["state"].get("lmbda").and_then(Value::as_object);
        powers_below_zero += usize::from(powers.is_some_and(|p| p.values().any(|p| p.as_f64().unwrap() < 0.0)));
        if !found.is_empty() {
            different.push(format!("{} of {}: {}", case["label"], case["train_input"], found.join("; ")));
        }
    }
    println!("{} cases compared, {powers_below_zero} with a power below 0 inverted another way", cases.len());
    assert!(different.is_empty(), "{} of {} cases differ:\n{}", different.len(), cases.len(), different.join("\n"));
}
