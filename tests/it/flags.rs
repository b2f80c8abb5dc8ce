//! The flags that Merlion does not have.

use std::fs;

use tempfile::tempdir;

use crate::program::{THREE_WEEKS, WEEKLY, forecast, parts, rows, text, weekly_sales};

const ETS: [&str; 2] = ["--model", "{'name': 'ETS'}"];

fn weekly(more: &[&str]) -> (String, Vec<String>, String) {
    let folder = tempdir().unwrap();
    let output = folder.path().join("out");
    let outcome = forecast(&weekly_sales(), &output, &[&WEEKLY[..], &ETS, more].concat());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let (header, rows) = rows(&output);
    (header, rows, outcome.stderr)
}

fn refused(more: &[&str]) -> String {
    let folder = tempdir().unwrap();
    let outcome = forecast(&weekly_sales(), &folder.path().join("out"), &[&WEEKLY[..], &ETS, more].concat());
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    outcome.stderr
}

#[test]
fn a_horizon_is_that_many_steps_after_each_series() {
    let (_, by_steps, _) = weekly(&["--horizon", "3"]);
    let (_, by_times, _) = weekly(&THREE_WEEKS);
    // The series of one row has no step, so nobody knows the times of its forecasts.
    let timed = |rows: &[String]| rows.iter().filter(|row| !row.starts_with("3,1,")).cloned().collect::<Vec<_>>();
    assert_eq!(timed(&by_steps), timed(&by_times));
    assert!(refused(&["--horizon", "3", "--time_stamps", "['2012-11-02']"]).contains("not both"));
    assert!(refused(&[]).contains("--horizon (a number of steps)"));
    assert!(refused(&["--horizon", "0"]).contains("at least one step"));
    assert!(refused(&["--time_stamps", "2012-11-02"]).contains("a JSON list looks like"));
}

#[test]
fn levels_add_bounds_around_the_forecast_and_nothing_else() {
    let (plain_header, plain, _) = weekly(&THREE_WEEKS);
    let (header, rows, _) = weekly(&[&THREE_WEEKS[..], &["--level", "80,97.5"]].concat());
    assert_eq!(
        header,
        format!(
            "{plain_header},Weekly_Sales_lower_80,Weekly_Sales_upper_80,Weekly_Sales_lower_97.5,Weekly_Sales_upper_97.5"
        )
    );
    for (row, plain) in rows.iter().zip(&plain) {
        assert!(row.starts_with(plain.as_str()), "{row}, without bounds {plain}");
        let numbers: Vec<f64> = row.split(',').skip(3).filter_map(|cell| cell.parse().ok()).collect();
        if let [mean, _, low80, high80, low97, high97] = numbers[..] {
            assert!(low97 < low80 && low80 < mean && mean < high80 && high80 < high97, "{row}");
        } else {
            assert!(row.starts_with("3,1,"), "{row}: only the fallback has no bounds");
        }
    }
    for level in ["120", "0.95"] {
        assert!(refused(&[&THREE_WEEKS[..], &["--level", level]].concat()).contains("95, not 0.95"), "{level}");
    }
}

#[test]
fn diagnostics_are_a_row_per_series_in_the_same_order() {
    let folder = tempdir().unwrap();
    let (output, told) = (folder.path().join("out"), folder.path().join("told"));
    let args = [&WEEKLY[..], &ETS, &THREE_WEEKS, &["--diagnostics_path", text(&told)]].concat();
    let outcome = forecast(&weekly_sales(), &output, &args);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let (header, diagnostics) = rows(&told);
    assert_eq!(header, "Store,Dept,model,status,error,points,seconds,parameters");
    let key = |row: &String| row.split(',').take(2).map(str::to_owned).collect::<Vec<_>>();
    let mut series: Vec<_> = rows(&output).1.iter().map(key).collect();
    series.dedup();
    assert_eq!(diagnostics.iter().map(key).collect::<Vec<_>>(), series);
    let failed = diagnostics.iter().find(|row| row.starts_with("3,1,")).expect("the series of one row");
    assert!(failed.starts_with("3,1,Mean,fallback,") && failed.contains("2 time stamps"), "{failed}");
    let fitted = diagnostics.iter().find(|row| row.starts_with("1,1,")).expect("a whole series");
    assert!(fitted.starts_with("1,1,ETS,ok,,143,0.00") || fitted.starts_with("1,1,ETS,ok,,143,"), "{fitted}");
    assert!(fitted.contains("alpha") && !fitted.contains("\"fitted\""), "{fitted}");
    assert!(told.join("_SUCCESS").exists());
}

#[test]
fn what_becomes_of_a_broken_series_is_the_users_choice() {
    let (_, rows, stderr) = weekly(&[&THREE_WEEKS[..], &["--on_error", "skip"]].concat());
    assert!(!rows.iter().any(|row| row.starts_with("3,1,")), "{rows:?}");
    assert!(stderr.contains("21 series in, 20 series out"), "{stderr}");
    let folder = tempdir().unwrap();
    let output = folder.path().join("out");
    let outcome =
        forecast(&weekly_sales(), &output, &[&WEEKLY[..], &ETS, &THREE_WEEKS, &["--on_error", "abort"]].concat());
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("Store=3, Dept=1"), "{}", outcome.stderr);
    assert!(parts(&output).is_empty() && !output.join("_SUCCESS").exists());
}

#[test]
fn a_frequency_is_taken_instead_of_the_inferred_one() {
    let folder = tempdir().unwrap();
    let table = folder.path().join("daily.csv");
    let days: String = (1..=28).map(|day| format!("2024-02-{day:02},{}\n", 100 + day)).collect();
    fs::write(&table, format!("day,y\n{days}")).unwrap();
    let dates = |freq: &[&str]| {
        let output = folder.path().join("out");
        let args =
            [&["--target_col", "y", "--time_col", "day", "--horizon", "2", "--model", "{'name': 'Naive'}"], freq]
                .concat();
        let outcome = forecast(&table, &output, &args);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        rows(&output).1.iter().map(|row| row.split(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(dates(&[]), ["2024-02-29", "2024-03-01"]);
    assert_eq!(dates(&["--freq", "7D"]), ["2024-03-06", "2024-03-13"]);
    // Calendar steps are the calendar's, whatever day the data end on.
    assert_eq!(dates(&["--freq", "W-WED"]), ["2024-03-06", "2024-03-13"]);
    assert_eq!(dates(&["--freq", "SM"]), ["2024-02-29", "2024-03-15"]);
    let told = refused(&["--horizon", "2", "--freq", "fortnight"]);
    assert!(told.contains("--freq fortnight"), "{told}");
}

#[test]
fn times_and_numbers_are_written_as_asked() {
    let (_, rows, _) = weekly(&[&THREE_WEEKS[..], &["--time_type", "timestamp", "--value_type", "double"]].concat());
    let cells: Vec<&str> = rows[0].split(',').collect();
    assert_eq!(cells[2], "2012-11-02T00:00:00.000Z");
    let double: f64 = cells[3].parse().unwrap();
    let (_, rows, _) = weekly(&THREE_WEEKS);
    let float: f32 = rows[0].split(',').nth(3).unwrap().parse().unwrap();
    assert!(cells[3].len() > 10 && double as f32 == float, "{double} and {float}");
}

#[test]
fn a_report_shows_totals_failures_and_charts_and_no_secrets() {
    let folder = tempdir().unwrap();
    let (output, page) = (folder.path().join("out"), folder.path().join("report.html"));
    let more = ["--report", text(&page), "--hierarchical", "--conf", "spark.hadoop.fs.s3a.secret.key=hush"];
    let outcome = forecast(&weekly_sales(), &output, &[&WEEKLY[..], &ETS, &THREE_WEEKS, &more].concat());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let html = fs::read_to_string(&page).unwrap();
    assert!(!html.contains("hush"), "the secret of the command line is on the page");
    for words in ["Forecast of Weekly_Sales", "secret.key=…", "need at least 2 time stamps", "80 % interval", "<svg"]
    {
        assert!(html.contains(words), "no '{words}' on the page");
    }
    // All series of so small a table, or nearly; the sums among them, with what they are sums of as their history.
    assert!(html.matches("<article").count() >= 12, "{}", html.matches("<article").count());
    assert!(html.contains("<bdi>all</bdi>") || html.contains(">all<"), "no panel of a sum");
}
