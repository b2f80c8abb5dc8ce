//! Wrong command lines, wrong data: one clear line, the right exit code, nothing half-written.

use std::fs;
use std::path::Path;

use tempfile::tempdir;

use crate::program::{Outcome, THREE_WEEKS, WEEKLY, forecast, free_port, run, text, weekly_sales};

/// Asserts the exit code, that standard error is one line with all of `words` in it, and that nothing was written.
fn assert_refused(outcome: &Outcome, output: &Path, code: i32, words: &[&str]) {
    assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "not one line:\n{}", outcome.stderr);
    for word in words {
        assert!(lines[0].contains(word), "no '{word}' in: {}", lines[0]);
    }
    assert!(!output.exists(), "{} was written", output.display());
}

/// The usual arguments with some replaced.
fn arguments<'a>(replaced: &[(&'a str, &'a str)]) -> Vec<&'a str> {
    let mut args: Vec<&str> = WEEKLY.iter().chain(&THREE_WEEKS).copied().chain(["--master", "local[1]"]).collect();
    for (flag, value) in replaced {
        match args.iter().position(|arg| arg == flag) {
            Some(at) => args[at + 1] = value,
            None => args.extend([*flag, *value]),
        }
    }
    args
}

#[test]
fn a_flag_that_makes_no_sense_is_named_with_exit_code_2() {
    let folder = tempdir().unwrap();
    let output = folder.path().join("out");
    type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);
    let cases: &[Case] = &[
        (&[("--time_stamps", "[]")], &["--time_stamps", "non-empty JSON list"]),
        (&[("--time_stamps", "2012-11-02")], &["--time_stamps"]),
        (&[("--time_stamps", r#"["2012-11-02", "soon"]"#)], &["--time_stamps", "soon"]),
        (&[("--time_stamps", r#"["2012-11-02""#)], &["--time_stamps", "column 13"]),
        (&[("--index_cols", "{}")], &["--index_cols", "JSON list"]),
        (&[("--index_cols", "Store")], &["--index_cols", r#"a JSON list looks like ["Store", "Dept"]"#]),
        (&[("--data_cols", r#"["CPI"]"#)], &["--data_cols", "Weekly_Sales"]),
        (&[("--agg_dict", "[]")], &["--agg_dict", "JSON dict"]),
        (&[("--model", r#"{"name": "EST"}"#)], &["--model", "EST", "did you mean 'ETS'"]),
        (&[("--model", r#"{"name": "DeepARForecaster"}"#)], &["--model", "DeepARForecaster", "not available yet"]),
        (
            &[("--model", r#"{"name": "ETS", "seasonal_period": 52}"#)],
            &["--model", "seasonal_period", "did you mean 'seasonal_periods'"],
        ),
        (&[("--model", r#"{"name": "ETS", "trend": "up"}"#)], &["--model", "trend"]),
        (&[("--model", r#"{"name": "ETS", "trend": null, "damped_trend": true}"#)], &["--model", "damped_trend"]),
        (&[("--model", r#"{"nam": "ETS"}"#)], &["--model", "name"]),
        (&[("--model", r#"{"name": ETS}"#)], &["--model", "column 10"]),
        (&[("--master", "yarn")], &["--master", "yarn"]),
        (&[("--file_format", "orc")], &["--file_format", "orc"]),
        (&[("--conf", "no-equals-sign")], &["--conf", "KEY=VALUE"]),
        (&[("--no_such_flag", "1")], &["--no_such_flag"]),
        (&[("--seed", "minus one")], &["--seed", "minus one"]),
        (&[("--time_col", "Store")], &["Store", "two uses"]),
    ];
    for (replaced, words) in cases {
        assert_refused(&forecast(&weekly_sales(), &output, &arguments(replaced)), &output, 2, words);
    }
    let outcome = run(&["forecast", "--train_data", "x.csv"]);
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("--output_path"), "{}", outcome.stderr);
}

#[test]
fn flags_may_be_abbreviated_as_argparse_allows() {
    let folder = tempdir().unwrap();
    let output = folder.path().join("out");
    let table = weekly_sales();
    let mut args = vec!["--target", "Weekly_Sales", "--index", "['Store', 'Dept']", "--master", "local[1]"];
    args.extend(["--time_s", "['2012-11-02']", "--mod", "{'name': 'Naive'}"]);
    let outcome = forecast(&weekly_sales(), &output, &args);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    args.extend(["--train", text(&table), "--out", text(&output)]);
    let outcome = run(&[&["forecast"][..], &args].concat());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

#[test]
fn data_that_cannot_be_read_as_asked_is_named_with_exit_code_1() {
    let folder = tempdir().unwrap();
    let output = folder.path().join("out");
    let table = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let good = "Store,Dept,Date,Weekly_Sales\n1,1,2012-10-19,5\n1,1,2012-10-26,6\n";
    let cases = [
        (folder.path().join("missing.csv"), arguments(&[]), vec!["missing.csv", "no such file"]),
        (table("empty.csv", ""), arguments(&[]), vec!["empty.csv", "empty, not even a header"]),
        (table("blank.csv", "\n\n"), arguments(&[]), vec!["blank.csv", "empty"]),
        (
            table("twins.csv", "Store,Dept,Date,Weekly_Sales\n1,1,2012-10-19,5\n01,1,2012-10-26,6\n"),
            arguments(&[]),
            vec!["twins.csv", "index column 'Store'", "both become '1'"],
        ),
        (table("header.csv", "Store,Dept,Date,Weekly_Sales\n"), arguments(&[]), vec!["header.csv", "no rows"]),
        (
            table("a.csv", good),
            arguments(&[("--target_col", "Weekly_Sale")]),
            vec!["Weekly_Sale", "did you mean 'Weekly_Sales'", "Store, Dept, Date"],
        ),
        (table("b.csv", good), arguments(&[("--time_col", "Day")]), vec!["time column 'Day'"]),
        (table("c.csv", good), arguments(&[("--index_cols", "['Shop']")]), vec!["index column 'Shop'"]),
        (
            table("d.csv", &good.replace(",6", ",six")),
            arguments(&[]),
            vec!["Weekly_Sales", "not numeric", "'six'", "row 2"],
        ),
        (
            table("e.csv", &good.replace("2012-10-26", "26 Oct 2012")),
            arguments(&[]),
            vec!["Date", "26 Oct 2012", "row 2"],
        ),
        (
            table("f.csv", &good.replace(",5", ",").replace(",6", ",")),
            arguments(&[]),
            vec!["Weekly_Sales", "no values"],
        ),
        (
            table("g.csv", good),
            arguments(&[("--time_stamps", "['1999-12-31']")]),
            vec!["--time_stamps", "1999-12-31", "before the data"],
        ),
        (
            table("h.csv", &good.replace("1,1,2012-10-26", "__aggregated__,1,2012-10-26")),
            arguments(&[]),
            vec!["__aggregated__", "Store"],
        ),
        (table("i.csv.gz", good), arguments(&[]), vec!["i.csv.gz", "gzip", "damaged"]),
        (table("j.csv", &good.replace("2012-10-26", "9999-12-31")), arguments(&[]), vec!["9999-12-31"]),
    ];
    for (path, args, words) in cases {
        assert_refused(&forecast(&path, &output, &args), &output, 1, &words);
    }
    let hdfs = Path::new("hdfs://somewhere/x.csv");
    assert_refused(&forecast(hdfs, &output, &arguments(&[])), &output, 1, &["hdfs"]);
}

#[test]
fn an_output_that_cannot_be_written_is_named_before_the_job_runs() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("a_file");
    fs::write(&file, "x").unwrap();
    let output = file.join("out");
    assert_refused(&forecast(&weekly_sales(), &output, &arguments(&[])), &output, 1, &["--output_path", "a_file"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "x");
}

#[test]
fn a_scheduler_that_does_not_answer_is_named() {
    let folder = tempdir().unwrap();
    let output = folder.path().join("out");
    let master = format!("ballista://127.0.0.1:{}", free_port());
    let outcome = forecast(&weekly_sales(), &output, &arguments(&[("--master", &master)]));
    assert_refused(&outcome, &output, 1, &["--master", &master]);
}
