//! The recipe of CONTRIBUTING.md, walked through: model files and catalogue are held against each other, and whatever the page
//! tells people to open or to run is looked up.

#![expect(clippy::unwrap_used, reason = "a page or folder that cannot be read fails the test that wanted it")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use merlion::models::{Catalog, Kind};

/// Models whose file is not called what [`snake_case`] makes of their JSON name, because Merlion spells them its own way: JSON name and
/// file. An entry that is not needed fails.
const SPELLINGS: &[(&str, &str)] = &[];

/// Files in the folders that hold no model of their own.
const SHARED: &[(Kind, &str)] =
    &[(Kind::Forecaster, "mod"), (Kind::Detector, "mod"), (Kind::Detector, "residual_detector")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// `SeasonalNaive` as `seasonal_naive`. An acronym is one word: `ETS` is `ets`, `AutoETS` is `auto_ets`.
fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let after_small = at > 0 && !letters[at - 1].is_uppercase();
        let before_small = at > 0 && letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_small || before_small) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

fn file_of(model: &str) -> String {
    let special = SPELLINGS.iter().find(|(name, _)| *name == model);
    special.map_or_else(|| snake_case(model), |(_, file)| (*file).to_owned())
}

/// The stems of the Rust files directly in a folder.
fn stems(folder: &str) -> BTreeSet<String> {
    let files = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let rust = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// Where the models of a kind live, the trait they implement, and how they are entered.
fn home(kind: Kind) -> (&'static str, &'static str, &'static str) {
    match kind {
        Kind::Forecaster => ("forecast", "Forecaster", "forecaster"),
        Kind::Detector => ("anomaly", "Detector", "detector"),
    }
}

#[test]
fn every_model_file_has_its_line_in_the_catalogue_and_every_line_its_file() {
    for kind in [Kind::Forecaster, Kind::Detector] {
        let mut files = stems(&format!("crates/merlion/src/models/{}", home(kind).0));
        for (_, shared) in SHARED.iter().filter(|(of, _)| *of == kind) {
            assert!(files.remove(*shared), "SHARED: there is no {shared}.rs");
        }
        let catalog = Catalog::default();
        let models: BTreeMap<String, &str> =
            catalog.of_kind(kind).map(|entry| (file_of(entry.name), entry.name)).collect();
        let listed: BTreeSet<String> = models.keys().cloned().collect();
        let unlisted: Vec<_> = files.difference(&listed).collect();
        assert!(unlisted.is_empty(), "files without a line in CATALOG (mod.rs), or in SPELLINGS: {unlisted:?}");
        let homeless: Vec<_> = models.iter().filter(|(file, _)| !files.contains(*file)).collect();
        assert!(homeless.is_empty(), "models whose file is called something else: {homeless:?}");
    }
}

#[test]
fn a_model_file_holds_the_type_and_the_name_it_is_called_after() {
    for entry in Catalog::default().iter() {
        let (folder, implements, constructor) = home(entry.kind());
        let file = format!("crates/merlion/src/models/{folder}/{}.rs", file_of(entry.name));
        let text = read(&file);
        let name = format!(": &'static str = \"{}\";", entry.name);
        assert!(text.contains(&name), "{file} lacks the line {name}");
        // `ETS` is `Ets` in Rust: a type's name is the file's in camel case.
        let camel: String = file_of(entry.name)
            .split('_')
            .map(|word| {
                let (first, rest) = word.split_at(1);
                first.to_uppercase() + rest
            })
            .collect();
        let same_letters = camel.eq_ignore_ascii_case(entry.name);
        assert!(same_letters, "{file}: the type {camel} and the JSON name {} differ in more than capitals", entry.name);
        // A detector out of a forecaster is a type of its own by its name.
        let implemented = text.contains(&format!("impl {implements} for {camel} {{"))
            || text.contains(&format!("pub type {camel} = ResidualDetector<"));
        assert!(implemented, "{file} does not implement {implements} for {camel}");
        let module = read(&format!("crates/merlion/src/models/{folder}/mod.rs"));
        for line in [
            format!("pub mod {};", file_of(entry.name)),
            format!("Entry::{constructor}::<{}::{camel}>(),", file_of(entry.name)),
        ] {
            assert!(module.contains(&line), "mod.rs in {folder} lacks the line {line}");
        }
        assert!(text.starts_with("//! "), "{file} does not say what it is");
        assert!(text.contains("#[cfg(test)]"), "{file} has no tests of its own");
    }
}

#[test]
fn no_spelling_is_listed_that_the_rule_gives_anyway() {
    for (name, file) in SPELLINGS {
        assert_ne!(snake_case(name), *file, "SPELLINGS: {name} needs no exception");
        assert!(Catalog::default().iter().any(|entry| entry.name == *name), "SPELLINGS: there is no model {name}");
    }
}

/// The text between backticks that stands in one line.
fn quoted(page: &str) -> Vec<&str> {
    page.lines().filter(|line| !line.starts_with("```")).flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

/// The lines of the page's `sh` blocks, comments and continuations aside.
fn commands(page: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let (mut inside, mut open) = (false, String::new());
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
            continue;
        }
        if !inside {
            continue;
        }
        let line = line.split(" #").next().unwrap_or(line).trim();
        match line.strip_suffix('\\') {
            Some(part) => open.push_str(part),
            None => {
                open.push_str(line);
                commands.push(std::mem::take(&mut open));
            }
        }
    }
    commands.retain(|command| !command.is_empty() && !command.starts_with('#'));
    commands
}

/// Whether this looks like a path in the repository: a slash, an ending or a folder's slash, no blanks and nothing to fill in.
fn is_path(text: &str) -> bool {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    let ending = text.rsplit('/').next().is_some_and(|name| name.is_empty() || name.contains('.'));
    plain
        && ending
        && (text.contains('/') || text.ends_with(".md") || text.ends_with(".toml"))
        && !text.starts_with('/')
}

#[test]
fn every_path_in_contributing_exists() {
    let page = read("CONTRIBUTING.md");
    let linked =
        page.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|link| !link.contains("://"));
    let linked = linked.map(|link| link.split('#').next().unwrap_or(link)).filter(|link| !link.is_empty());
    let paths: BTreeSet<&str> = quoted(&page).into_iter().filter(|text| is_path(text)).chain(linked).collect();
    assert!(paths.len() >= 8, "the page names hardly a path: {paths:?}");
    let missing: Vec<_> = paths.iter().filter(|path| !root().join(path).exists()).collect();
    assert!(missing.is_empty(), "CONTRIBUTING.md names what does not exist: {missing:?}");
}

#[test]
fn every_command_in_contributing_can_be_run() {
    let page = read("CONTRIBUTING.md");
    let commands = commands(&page);
    assert!(commands.len() >= 5, "the page shows hardly a command: {commands:?}");
    for command in &commands {
        // What is set for one command, as in `RUST_LOG=debug cargo …`.
        let words: Vec<&str> = command.split_whitespace().skip_while(|word| word.contains('=')).collect();
        match words.as_slice() {
            ["cargo", "test" | "build" | "clippy" | "doc" | "fmt" | "run", arguments @ ..] => {
                check_cargo(command, arguments)
            }
            ["bash" | "python3", script, ..] => assert!(root().join(script).is_file(), "'{command}': no {script}"),
            ["cp", from, ..] => assert!(root().join(from).exists(), "'{command}': no {from}"),
            _ => panic!("'{command}': teach this test how to check it"),
        }
    }
}

/// Packages, binaries and test targets a cargo command names are there.
fn check_cargo(command: &str, arguments: &[&str]) {
    let (mut packages, mut tests, mut binaries) = (Vec::new(), Vec::new(), Vec::new());
    for pair in arguments.split(|word| *word == "--").next().unwrap_or_default().windows(2) {
        match pair[0] {
            "-p" | "--package" => packages.push(pair[1]),
            "--test" => tests.push(pair[1]),
            "--bin" => binaries.push(pair[1]),
            _ => {}
        }
    }
    let folders =
        ["crates/merlion", "crates/merlion-udf", "crates/merlion-io", "crates/merlion-session", "crates/scheduler"];
    let folders = folders.into_iter().chain(["crates/executor", "crates/merlion-apps", "tests", "benchmarks"]);
    let manifests: Vec<(&str, String)> =
        folders.map(|folder| (folder, read(&format!("{folder}/Cargo.toml")))).collect();
    let mut chosen: Vec<&str> = Vec::new();
    for package in packages {
        let line = format!("name = \"{package}\"");
        let found = manifests.iter().find(|(_, manifest)| manifest.lines().any(|l| l == line));
        chosen.push(found.unwrap_or_else(|| panic!("'{command}': no package {package}")).0);
    }
    for test in tests {
        let of = |folder: &str| root().join(folder).join("tests").join(format!("{test}.rs")).is_file();
        let declared = |folder: &str| {
            let manifest = manifests.iter().find(|(known, _)| *known == folder).map_or("", |(_, text)| text.as_str());
            manifest.contains(&format!("[[test]]\nname = \"{test}\""))
        };
        assert!(chosen.iter().any(|folder| of(folder) || declared(folder)), "'{command}': no test {test}");
    }
    for binary in binaries {
        let line = format!("name = \"{binary}\"");
        assert!(manifests.iter().any(|(_, manifest)| manifest.contains(&line)), "'{command}': no binary {binary}");
    }
}

#[test]
fn the_helpers_read_pages_as_meant() {
    let names = ["Naive", "SeasonalNaive", "ETS", "AutoETS", "LGBMForecaster"];
    assert_eq!(names.map(snake_case), ["naive", "seasonal_naive", "ets", "auto_ets", "lgbm_forecaster"]);
    assert_eq!(quoted("see `a/b.rs` and `x`\n```sh\n`"), ["a/b.rs", "x", ""]);
    let page = "```sh\n# why\ncargo test -p a \\\n  --test b   # note\n```\n```text\nnot this\n```\n";
    assert_eq!(commands(page), ["cargo test -p a --test b"]);
    assert!(is_path("crates/merlion/src/lib.rs") && is_path("docs/") && is_path("README.md"));
    assert!(!is_path("read/write") && !is_path("a b/c.rs") && !is_path("Vec<u8>") && !is_path("<name>/x.rs"));
}
