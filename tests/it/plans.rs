//! The plan of each job, frozen. `MERLION_ACCEPT=1 cargo test -p merlion-tests plans` writes the approved files anew.

use std::fs;
use std::path::Path;

use crate::program::{THREE_WEEKS, WEEKLY, run, text, weekly_sales};

fn assert_approved(name: &str, plan: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("approved").join(format!("{name}.txt"));
    // What differs from run to run: ids, sizes and folders.
    let table = weekly_sales().canonicalize().expect("the example is there");
    let plan = plan.replace(text(&table).trim_start_matches('/'), "weekly_sales.csv").trim().to_owned();
    if std::env::var_os("MERLION_ACCEPT").is_some() {
        fs::write(&path, plan + "\n").expect("approved plans can be written");
        return;
    }
    let approved = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(plan, approved.trim(), "the plan of '{name}' has changed; if that is meant, MERLION_ACCEPT=1");
}

fn explain(more: &[&str]) -> String {
    let table = weekly_sales().canonicalize().expect("the example is there");
    let mut args = vec![
        "forecast",
        "--explain",
        "--model",
        "{'name': 'ETS'}",
        "--train_data",
        text(&table),
        "--output_path",
        "unused",
        "--master",
        "local[2]",
    ];
    args.extend(WEEKLY);
    args.extend(THREE_WEEKS);
    args.extend(more);
    let outcome = run(&args);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    outcome.stdout
}

#[test]
fn a_flat_job_shuffles_once() {
    let plan = explain(&[]);
    assert_eq!(plan.matches("RepartitionExec").count(), 1, "{plan}");
    assert_approved("forecast_flat", &plan);
}

#[test]
fn a_model_of_several_columns_is_shown_them_all() {
    assert_approved(
        "forecast_columns",
        &explain(&["--data_cols", "['Weekly_Sales', 'CPI', 'IsHoliday']", "--compat", "merlion"]),
    );
}

#[test]
fn a_hierarchical_job_shuffles_its_sums_its_series_its_times_and_its_output() {
    let plan = explain(&["--hierarchical", "--level", "95"]);
    assert_eq!(plan.matches("RepartitionExec").count(), 4, "{plan}");
    assert_approved("forecast_hierarchical", &plan);
}
