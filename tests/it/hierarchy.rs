//! Hierarchical jobs: sums over the index columns, and forecasts that add up.

use std::collections::BTreeMap;

use tempfile::tempdir;

use crate::program::{THREE_WEEKS, WEEKLY, forecast, rows, run, text, weekly_sales};

const SUM: &str = "__aggregated__";

fn hierarchical(more: &[&str]) -> (String, Vec<String>, String) {
    let folder = tempdir().unwrap();
    let output = folder.path().join("out");
    let mut args = vec!["--hierarchical", "--model", "{'name': 'ETS'}"];
    args.extend(WEEKLY);
    args.extend(THREE_WEEKS);
    args.extend(more);
    let outcome = forecast(&weekly_sales(), &output, &args);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let (header, rows) = rows(&output);
    (header, rows, outcome.stderr)
}

/// Forecasts by date and key.
fn values(rows: &[String]) -> BTreeMap<(String, String, String), f64> {
    let one = |row: &String| {
        let cells: Vec<&str> = row.split(',').collect();
        ((cells[2].to_owned(), cells[0].to_owned(), cells[1].to_owned()), cells[3].parse().unwrap())
    };
    rows.iter().map(one).collect()
}

#[test]
fn levels_add_up_and_come_after_the_leaves() {
    for compat in [&[][..], &["--compat", "merlion"]] {
        let (header, rows, stderr) = hierarchical(&[&["--value_type", "double"], compat].concat());
        assert_eq!(header, "Store,Dept,Date,Weekly_Sales,Weekly_Sales_err");
        assert_eq!(rows.len(), 25 * 3, "21 series, 3 stores and everything, three weeks each");
        assert!(stderr.contains("21 series in, 21 series and 4 sums out"), "{stderr}");
        let level = |row: &String| row.split(',').take(2).filter(|cell| *cell == SUM).count();
        let levels: Vec<usize> = rows.iter().map(level).collect();
        assert!(levels.is_sorted(), "leaves, stores, everything: {levels:?}");

        let values = values(&rows);
        let dates: Vec<&String> = values.keys().map(|(date, ..)| date).collect();
        for date in dates {
            let at = |store: &str, dept: &str| values[&(date.clone(), store.to_owned(), dept.to_owned())];
            let sum = |keep: &dyn Fn(&str, &str) -> bool| -> f64 {
                values.iter().filter(|((d, s, k), _)| d == date && keep(s, k)).map(|(_, value)| value).sum()
            };
            let off = |sum: f64, level: f64| ((sum - level) / level).abs();
            let total = at(SUM, SUM);
            assert!(off(sum(&|s, d| s != SUM && d == SUM), total) < 1e-6, "{date}: stores for {total}");
            for store in ["1", "2", "3"] {
                let level = at(store, SUM);
                let parts = sum(&|s, d| s == store && d != SUM);
                assert!(off(parts, level) < 1e-6, "{date}, store {store}: {parts} for {level}");
            }
        }
    }
}

#[test]
fn the_answer_does_not_depend_on_the_number_of_tasks() {
    let more = ["--predict_on_train", "--value_type", "double"];
    let alone = hierarchical(&[&more[..], &["--master", "local[1]"]].concat());
    let many = hierarchical(&[&more[..], &["--master", "local[7]"]].concat());
    assert_eq!(alone.1, many.1);
}

#[test]
fn sums_are_made_of_the_columns_that_have_an_aggregation() {
    let columns = ["--data_cols", "['Weekly_Sales', 'CPI', 'Temperature']", "--compat", "merlion"];
    let plan = |aggregations: &str| {
        let folder = tempdir().unwrap();
        let table = weekly_sales();
        let mut args =
            vec!["forecast", "--explain", "--hierarchical", "--agg_dict", aggregations, "--model", "{'name': 'ETS'}"];
        args.extend(["--train_data", text(&table), "--output_path", text(folder.path())]);
        args.extend(WEEKLY);
        args.extend(THREE_WEEKS);
        args.extend(columns);
        let outcome = run(&args);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        (outcome.stdout, outcome.stderr)
    };
    let (with_mean, said) = plan("{'CPI': 'mean', 'Weekly_Sales': 'max', 'Nope': 'sum', }");
    assert!(with_mean.contains("aggr=[Weekly_Sales, CPI]"), "{with_mean}");
    assert!(said.contains("'Nope' is not among the data columns"), "{said}");
    assert!(said.contains("not its max"), "{said}");
    let (target_only, _) = plan("{}");
    assert!(target_only.contains("aggr=[Weekly_Sales]"), "{target_only}");

    // The models of sums get two columns, those of leaves three; ETS looks at the target alone.
    let (_, rows, stderr) = hierarchical(&[&columns[..], &["--agg_dict", "{'CPI': 'mean'}"]].concat());
    assert_eq!(rows.len(), 75, "{stderr}");
    let sums = rows.iter().filter(|row| row.contains(SUM));
    assert!(sums.clone().all(|row| !row.ends_with(',') || row.starts_with('3')), "{:?}", sums.collect::<Vec<_>>());
}

#[test]
fn an_aggregation_that_does_not_exist_is_a_usage_error() {
    let folder = tempdir().unwrap();
    let mut args = vec!["--hierarchical", "--agg_dict", "{'CPI': 'avrg'}", "--horizon", "3"];
    args.extend(WEEKLY);
    let outcome = forecast(&weekly_sales(), &folder.path().join("out"), &args);
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("no aggregation 'avrg', did you mean 'avg'?"), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
}

#[test]
fn without_index_columns_there_is_nothing_to_sum_and_the_user_is_told() {
    let folder = tempdir().unwrap();
    let output = folder.path().join("out");
    let args =
        ["--target_col", "Weekly_Sales", "--time_col", "Date", "--horizon", "3", "--hierarchical", "--model", "Naive"];
    let outcome = forecast(&weekly_sales(), &output, &[&args[..8], &["{'name': 'Naive'}"]].concat());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("no index columns to sum over"), "{}", outcome.stderr);
    assert_eq!(rows(&output).1.len(), 3);
}

#[test]
fn a_time_asked_for_twice_is_refused_since_sums_have_one_value_at_a_time() {
    let folder = tempdir().unwrap();
    let mut args = vec!["--hierarchical", "--time_stamps", "['2012-11-02', '2012-11-02']"];
    args.extend(WEEKLY);
    let outcome = forecast(&weekly_sales(), &folder.path().join("out"), &args);
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("is there twice"), "{}", outcome.stderr);
}
