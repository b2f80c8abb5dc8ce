//! What the forecast app writes.

use std::fs;

use tempfile::tempdir;

use crate::program::{THREE_WEEKS, WEEKLY, forecast, parts, rows, run, weekly_sales};

fn weekly(more: &[&'static str]) -> Vec<&'static str> {
    WEEKLY.iter().chain(&THREE_WEEKS).copied().chain(more.iter().copied()).collect()
}

#[test]
fn the_example_is_forecast_as_spark_would_have_written_it() {
    let folder = tempdir().unwrap();
    let output = folder.path().join("out");
    let outcome = forecast(&weekly_sales(), &output, &weekly(&["--master", "local[2]"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stdout.is_empty(), "standard output is for results alone: {}", outcome.stdout);
    assert!(outcome.stderr.contains("21 series in, 21 series out, 1 fallbacks, 63 rows"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("Store=3, Dept=1"), "the fallback is named: {}", outcome.stderr);

    let (header, rows) = rows(&output);
    assert_eq!(header, "Store,Dept,Date,Weekly_Sales,Weekly_Sales_err");
    assert_eq!(rows.len(), 63);
    assert!(rows[0].starts_with("1,1,2012-11-02,"), "{}", rows[0]);
    assert!(rows[3].starts_with("1,10,2012-11-02,"), "keys are in text order: {}", rows[3]);
    let fallback: Vec<&String> = rows.iter().filter(|row| row.starts_with("3,1,")).collect();
    assert_eq!(fallback.len(), 3);
    assert!(fallback.iter().all(|row| row.ends_with(',')), "a fallback has no error: {fallback:?}");
    assert_eq!(fs::metadata(output.join("_SUCCESS")).unwrap().len(), 0);
    let names: Vec<String> =
        parts(&output).iter().map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert!(
        names
            .iter()
            .enumerate()
            .all(|(i, name)| name.starts_with(&format!("part-{i:05}-")) && name.ends_with("-c000.csv")),
        "{names:?}"
    );
    let left = fs::read_dir(&output).unwrap().count();
    assert_eq!(left, names.len() + 1, "only part files and _SUCCESS are left");
}

#[test]
fn output_is_replaced_as_a_whole() {
    let folder = tempdir().unwrap();
    let output = folder.path().join("out");
    fs::create_dir(&output).unwrap();
    for stale in ["part-00000-stale.csv", "notes.txt", ".part-00000-stale.csv.crc", "_SUCCESS"] {
        fs::write(output.join(stale), "stale").unwrap();
    }
    let outcome = forecast(&weekly_sales(), &output, &weekly(&["--master", "local[1]"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let mut names: Vec<String> =
        fs::read_dir(&output).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0] == "_SUCCESS" && !names[1].contains("stale"), "{names:?}");
    assert_eq!(fs::read_to_string(output.join("_SUCCESS")).unwrap(), "");
}

#[test]
fn a_plain_file_in_the_place_of_the_output_folder_is_replaced() {
    let folder = tempdir().unwrap();
    let output = folder.path().join("out");
    fs::write(&output, "a file").unwrap();
    let outcome = forecast(&weekly_sales(), &output, &weekly(&["--master", "local[1]"]));
    // A folder cannot be made beside it; the file is not lost for nothing.
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert_eq!(fs::read_to_string(&output).unwrap(), "a file");
}

#[test]
fn training_rows_come_first_when_asked_for() {
    let folder = tempdir().unwrap();
    let table = folder.path().join("t.csv");
    fs::write(&table, "t,y\n2020-01-01,1\n2020-01-02,2\n2020-01-03,4\n").unwrap();
    let output = folder.path().join("out");
    let outcome = forecast(
        &table,
        &output,
        &[
            "--target_col",
            "y",
            "--time_stamps",
            "['2020-01-04']",
            "--predict_on_train",
            "--model",
            "{'name': 'Naive'}",
            "--master",
            "local[1]",
        ],
    );
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let (header, rows) = rows(&output);
    assert_eq!(header, "t,y,y_err");
    let short: Vec<String> = rows.iter().map(|row| row.rsplit_once(',').unwrap().0.to_owned()).collect();
    assert_eq!(short, ["2020-01-01,1.0", "2020-01-02,1.0", "2020-01-03,2.0", "2020-01-04,4.0"]);
}

#[test]
fn hours_are_kept_unless_merlion_is_to_be_copied() {
    let folder = tempdir().unwrap();
    let table = folder.path().join("t.csv");
    let lines: String =
        (0..48).map(|h| format!("2020-01-{:02} {:02}:00:00,{}\n", 1 + h / 24, h % 24, h % 24)).collect();
    fs::write(&table, format!("t,y\n{lines}")).unwrap();
    let answer = |more: &[&str]| {
        let output = folder.path().join("out");
        let mut args = vec!["--target_col", "y", "--time_stamps", "['2020-01-03 00:00:00', '2020-01-03 01:00:00']"];
        args.extend(["--model", "{'name': 'SeasonalNaive', 'season_length': 24}", "--master", "local[1]"]);
        args.extend(more);
        let outcome = forecast(&table, &output, &args);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        rows(&output).1.iter().map(|row| row.rsplit_once(',').unwrap().0.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(answer(&[]), ["2020-01-03T00:00:00.000Z,0.0", "2020-01-03T01:00:00.000Z,1.0"]);
    // Merlion's app cuts times to days before it looks at the data: two days are left, and one day's forecast is asked for twice.
    let merlion = answer(&["--compat", "merlion"]);
    assert!(merlion.iter().all(|row| row.starts_with("2020-01-03,")), "{merlion:?}");
}

#[test]
fn a_folder_of_files_is_one_table() {
    let folder = tempdir().unwrap();
    let input = folder.path().join("in");
    fs::create_dir(&input).unwrap();
    fs::write(input.join("b.csv"), "t,y\n2020-01-03,3\n2020-01-04,4\n").unwrap();
    fs::write(input.join("a.csv"), "t,y\r\n2020-01-01,1\r\n2020-01-02,2").unwrap();
    fs::write(input.join("_hidden.csv"), "t,y\n2020-01-05,99\n").unwrap();
    let output = folder.path().join("out");
    let args = [
        "--target_col",
        "y",
        "--time_stamps",
        "['2020-01-05']",
        "--model",
        "{'name': 'Drift'}",
        "--master",
        "local[2]",
    ];
    let outcome = forecast(&input, &output, &args);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(rows(&output).1[0].starts_with("2020-01-05,5.0,"), "{:?}", rows(&output).1);
}

#[test]
fn help_lists_merlions_flags_and_models_lists_the_catalogue() {
    let help = run(&["forecast", "--help"]);
    assert_eq!(help.code, Some(0));
    for flag in [
        "--train_data",
        "--output_path",
        "--time_stamps",
        "--target_col",
        "--predict_on_train",
        "--file_format",
        "--model",
        "--index_cols",
        "--hierarchical",
        "--agg_dict",
        "--time_col",
        "--data_cols",
    ] {
        assert!(help.stdout.contains(flag), "no {flag} in:\n{}", help.stdout);
    }
    let models = run(&["models"]);
    for entry in merlion_session::catalog().iter() {
        assert!(models.stdout.contains(entry.name), "no {} in:\n{}", entry.name, models.stdout);
        let one = run(&["models", entry.name]);
        assert!(one.code == Some(0) && one.stdout.contains(entry.summary), "{}", one.stdout);
    }
    let unknown = run(&["models", "Nave"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("did you mean 'Naive'"), "{}", unknown.stderr);
}
