//! The functions in SQL.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Float64Type, Int64Type};
use datafusion::prelude::SessionContext;
use merlion_session::stores::Credentials;
use merlion_session::{runtime_env, session_config, session_state};

/// Ten series of forty rows: two stores of five departments; the value is 100 store + dept.
const SALES: &str = "CREATE VIEW sales AS
    SELECT s.value AS store, d.value AS dept, arrow_cast((1577836800 + 86400 * t.value) * 1000000000, 'Timestamp(Nanosecond, None)') AS ds,
           CAST(100 * s.value + d.value AS DOUBLE) AS y
    FROM generate_series(1, 2) s, generate_series(1, 5) d, generate_series(0, 39) t";

async fn context(partitions: usize) -> SessionContext {
    let config = session_config().with_target_partitions(partitions);
    let runtime = runtime_env(&config, &Credentials::default(), None).unwrap();
    let context = SessionContext::new_with_state(session_state(config, runtime).unwrap());
    context.sql(SALES).await.unwrap().collect().await.unwrap();
    context
}

async fn collect(context: &SessionContext, sql: &str) -> RecordBatch {
    let frame = context.sql(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let batches = frame.collect().await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    datafusion::arrow::compute::concat_batches(&batches.first().map_or(schema, RecordBatch::schema), &batches).unwrap()
}

async fn error(sql: &str) -> String {
    let context = context(2).await;
    match context.sql(sql).await {
        Err(error) => error.to_string(),
        Ok(frame) => frame.collect().await.expect_err(sql).to_string(),
    }
}

const FORECASTS: &str = "SELECT store, dept, f['ds'] AS ds, f['yhat'] AS yhat, f['step'] AS step FROM (
    SELECT store, dept, unnest(forecast(ds, y, {model: 'Naive', horizon: 3})) AS f FROM sales GROUP BY store, dept)";

#[tokio::test(flavor = "multi_thread")]
async fn a_forecast_is_a_row_per_series_and_step() {
    let rows = collect(&context(4).await, &format!("{FORECASTS} ORDER BY store, dept, ds")).await;
    assert_eq!(rows.num_rows(), 30);
    let (stores, depts) = (rows.column(0).as_primitive::<Int64Type>(), rows.column(1).as_primitive::<Int64Type>());
    for row in 0..30 {
        let want = (1 + row / 15, 1 + row / 3 % 5, row % 3 + 1);
        let step = rows.column(4).as_primitive::<datafusion::arrow::datatypes::Int32Type>().value(row);
        assert_eq!(
            (stores.value(row) as usize, depts.value(row) as usize, step as usize),
            want,
            "row {row} is out of order"
        );
        let yhat = rows.column(3).as_primitive::<Float64Type>().value(row);
        assert_eq!(yhat, (100 * want.0 + want.1) as f64, "row {row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unnested_rows_can_be_grouped_and_made_distinct_again() {
    let context = context(4).await;
    let count = |sql: String| {
        let context = context.clone();
        async move { collect(&context, &sql).await }
    };
    let by_row = count(format!(
        "SELECT count(*) FROM (SELECT store, dept, ds, count(*) FROM ({FORECASTS}) GROUP BY store, dept, ds)"
    ))
    .await;
    assert_eq!(by_row.column(0).as_primitive::<Int64Type>().value(0), 30, "grouped by series and time");
    let by_series = count(format!("SELECT store, dept, count(*) AS n FROM ({FORECASTS}) GROUP BY store, dept")).await;
    assert_eq!(by_series.num_rows(), 10, "grouped by series");
    assert!(by_series.column(2).as_primitive::<Int64Type>().values().iter().all(|n| *n == 3), "{by_series:?}");
    let by_store = count(format!("SELECT store, count(*) AS n FROM ({FORECASTS}) GROUP BY store")).await;
    assert_eq!(by_store.num_rows(), 2, "grouped by store");
    let distinct = count(format!("SELECT count(*) FROM (SELECT DISTINCT store, dept, step FROM ({FORECASTS}))")).await;
    assert_eq!(distinct.column(0).as_primitive::<Int64Type>().value(0), 30, "distinct");
}

/// The defect our rule works around. When this test fails, upstream has mended it, and `rules/unnest_dependencies.rs` can go.
#[tokio::test(flavor = "multi_thread")]
async fn datafusion_alone_still_believes_that_groups_determine_unnested_rows() {
    let plain = SessionContext::new();
    plain.sql(SALES).await.unwrap().collect().await.unwrap();
    let sql = "SELECT count(*) FROM (SELECT store, dept, f, count(*) FROM (
                   SELECT store, dept, unnest(array_agg(ds)) AS f FROM sales GROUP BY store, dept) GROUP BY store, dept, f)";
    let rows = collect(&plain, sql).await.column(0).as_primitive::<Int64Type>().value(0);
    assert_ne!(rows, 400, "upstream is right now: remove the rule");
    let ours = collect(&context(4).await, sql).await.column(0).as_primitive::<Int64Type>().value(0);
    assert_eq!(ours, 400, "our sessions are right");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_does_not_depend_on_partitions_or_on_the_form_of_the_options() {
    let forms = [
        "forecast(ds, y, {model: 'ETS', horizon: 3, level: [80, 95], seed: 7})",
        r#"forecast(ds, y, '{"model": {"name": "ETS"}, "horizon": 3, "level": [80, 95], "seed": 7}')"#,
        r#"forecast(ds, y, {model: '{"name": "ETS"}', horizon: 3, level: [80, 95], seed: 7}, dept)"#,
    ];
    let mut answers = Vec::new();
    for (form, partitions) in forms.iter().zip([1, 3, 8]) {
        let sql = format!(
            "SELECT store, dept, f FROM (SELECT store, dept, unnest({form}) AS f FROM sales GROUP BY store, dept) ORDER BY store, dept, f['ds']"
        );
        let rows = collect(&context(partitions).await, &sql).await;
        answers.push(datafusion::arrow::util::pretty::pretty_format_batches(&[rows]).unwrap().to_string());
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    assert!(answers[0].contains("95"), "the levels are there:\n{}", answers[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_without_groups_and_one_with_a_filter_are_forecast_too() {
    let context = context(4).await;
    let one = collect(&context, "SELECT unnest(forecast(ds, y, {model: 'Naive', horizon: 2}) FILTER (WHERE store = 2 AND dept = 3)) AS f FROM sales").await;
    assert_eq!(one.num_rows(), 2);
    let yhat = one.column(0).as_struct().column_by_name("yhat").unwrap().as_primitive::<Float64Type>().clone();
    assert_eq!(yhat.value(0), 203.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_call_is_said_while_it_is_planned() {
    let call = |options: &str| format!("SELECT store, forecast(ds, y, {options}) FROM sales GROUP BY store");
    let cases = [
        ("{modle: 'ETS', horizon: 3}", "did you mean 'model'"),
        ("{model: 'EST', horizon: 3}", "did you mean 'ETS'"),
        ("{model: 'ETS'}", "horizon"),
        ("{model: 'ETS', horizon: 0}", "horizon = 0"),
        ("{model: 'ETS', horizon: 3, level: 200}", "level"),
        ("'not json'", "not JSON"),
        ("store", "options"),
    ];
    for (options, words) in cases {
        let error = error(&call(options)).await;
        assert!(error.contains(words), "{options}: no '{words}' in: {error}");
    }
    let no_time = error("SELECT forecast(store, y, {horizon: 3}) FROM sales").await;
    assert!(no_time.contains("ds is a time"), "{no_time}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_that_fails_is_handled_as_asked() {
    let context = context(2).await;
    let with = |policy: &str| {
        format!(
        "SELECT f['yhat'] AS yhat, f['status'] AS status, f['error'] AS error FROM (
             SELECT unnest(forecast(ds, y, {{model: 'ETS', horizon: 2, on_error: '{policy}'}})) AS f FROM sales WHERE ds = TIMESTAMP '2020-01-01 00:00:00' GROUP BY store, dept)"
    )
    };
    let fallback = collect(&context, &with("fallback")).await;
    assert_eq!(fallback.num_rows(), 20);
    assert_eq!(fallback.column(1).as_string::<i32>().value(0), "fallback");
    assert!(fallback.column(2).as_string::<i32>().value(0).contains("2 time stamps"));
    let null = collect(&context, &with("null")).await;
    assert_eq!((null.num_rows(), null.column(0).null_count()), (20, 20));
    assert_eq!(collect(&context, &with("skip")).await.num_rows(), 0);
    let abort = context.sql(&with("abort")).await.unwrap().collect().await.unwrap_err().to_string();
    assert!(abort.contains("2 time stamps"), "{abort}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reconciled_forecasts_add_up() {
    // Two stores, two departments; the total is 1.5 too high. Equal errors: each series gives the same.
    let base = "(VALUES ('1', 'a', 10.0, 1.0), ('1', 'b', 20.0, 1.0), ('2', 'a', 5.0, 1.0), ('1', '__aggregated__', 30.0, 1.0),
        ('2', '__aggregated__', 5.0, 1.0), ('__aggregated__', '__aggregated__', 36.5, 1.0)) AS f(store, dept, yhat, stderr)";
    let sql = |options: &str| {
        format!(
            "SELECT r['store'] AS store, r['dept'] AS dept, r['yhat'] AS yhat, r['stderr'] AS stderr FROM (
                 SELECT ds, unnest(reconcile({{store: store, dept: dept}}, yhat, stderr{options})) AS r
                 FROM (SELECT DATE '2024-01-01' AS ds, * FROM {base}) GROUP BY ds) ORDER BY store, dept"
        )
    };
    let context = context(3).await;
    let rows = collect(&context, &sql("")).await;
    let yhat = rows.column(2).as_primitive::<Float64Type>();
    let by = |row: usize| (rows.column(0).as_string::<i32>().value(row), rows.column(1).as_string::<i32>().value(row));
    let at = |store: &str, dept: &str| yhat.value((0..6).find(|row| by(*row) == (store, dept)).unwrap());
    let (total, one, two) =
        (at("__aggregated__", "__aggregated__"), at("1", "__aggregated__"), at("2", "__aggregated__"));
    assert!((total - one - two).abs() < 1e-9 && (one - at("1", "a") - at("1", "b")).abs() < 1e-9, "{rows:?}");
    assert!(total > 35.0 && total < 36.5, "{total} is between the sum of the leaves and the forecast of the total");
    let same = collect(&context, &sql(", {method: 'wls_std', missing: 'unchanged'}")).await;
    assert_eq!(same.column(2), rows.column(2), "errors of 1 are their own variances");

    for (options, words) in [
        (", {method: 'ols'}", "'wls_var', 'wls_std' or 'wls_struct'"),
        (", {methd: 'wls_var'}", "did you mean 'method'?"),
    ] {
        let error = match context.sql(&sql(options)).await {
            Err(error) => error.to_string(),
            Ok(frame) => frame.collect().await.expect_err(options).to_string(),
        };
        assert!(error.contains(words), "{options}: no '{words}' in: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn aggregates_do_not_depend_on_the_order_of_rows() {
    let context = context(4).await;
    let sum = |order: &str| {
        format!(
            "SELECT spark_aggregate(v, 'sum') AS s, spark_aggregate(v, 'median') AS m FROM (
                 SELECT (CASE WHEN g.value % 3 = 0 THEN 1e15 WHEN g.value % 3 = 1 THEN -1e15 ELSE 0.1 END) AS v
                 FROM generate_series(1, 3000) g ORDER BY g.value {order})"
        )
    };
    for order in ["ASC", "DESC"] {
        let rows = collect(&context, &sum(order)).await;
        let value = |column: usize| rows.column(column).as_primitive::<Float64Type>().value(0);
        assert_eq!((value(0), value(1)), (100.0, 0.1), "{order}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bounds_are_taken_by_level() {
    let sql = "SELECT interval_bound(f['intervals'], 95, 'lower') AS low, interval_bound(f['intervals'], 95, 'upper') AS high,
                      interval_bound(f['intervals'], 50, 'upper') AS none, f['yhat'] AS yhat
               FROM (SELECT unnest(forecast(ds, y + sin(y * date_part('day', ds)), {model: 'ETS', horizon: 2, level: [80, 95]})) AS f
                     FROM sales GROUP BY store, dept)";
    let rows = collect(&context(2).await, sql).await;
    assert_eq!((rows.num_rows(), rows.column(2).null_count()), (20, 20));
    let value = |column: usize, row: usize| rows.column(column).as_primitive::<Float64Type>().value(row);
    for row in 0..20 {
        let (low, yhat, high) = (value(0, row), value(3, row), value(1, row));
        assert!(low < yhat && yhat < high, "row {row}: {low}, {yhat}, {high}");
    }
}
