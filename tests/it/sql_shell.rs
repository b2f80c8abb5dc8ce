//! `merlion sql` as users start it: in one process and on a cluster.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use tempfile::tempdir;

use crate::program::{
    Cluster, Outcome, SLOW_MODEL, daily_table, merlion, run, signal, text, wait_for, wait_for_end, weekly_sales,
};

/// Runs `merlion sql` to its end.
fn sql(args: &[&str]) -> Outcome {
    let mut all = vec!["sql", "--quiet"];
    all.extend(args);
    run(&all)
}

/// What a shell that must not fail writes.
fn answer(args: &[&str]) -> String {
    let outcome = sql(args);
    assert_eq!(outcome.code, Some(0), "{args:?}: {}", outcome.stderr);
    outcome.stdout
}

/// Runs `merlion sql` on standard input.
fn sql_from_input(input: &str, args: &[&str]) -> Outcome {
    let mut child = merlion(&["sql", "--quiet"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("the program reads");
    let output = child.wait_with_output().expect("the program ends");
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The example as the table `weekly`, and as the view `sales` with lower-case names and without the odd store.
fn tables() -> String {
    format!(
        "CREATE EXTERNAL TABLE weekly STORED AS CSV LOCATION '{}' OPTIONS ('format.has_header' 'true');
         CREATE VIEW sales AS SELECT \"Store\" AS store, \"Dept\" AS dept, \"Date\" AS ds, \"Weekly_Sales\" AS y
         FROM weekly WHERE \"Store\" < 3;",
        text(&weekly_sales())
    )
}

const FORECAST: &str = "SELECT store, dept, f['ds'] AS ds, f['yhat'] AS yhat, f['intervals'] AS intervals, f['status'] AS status FROM (
    SELECT store, dept, unnest(forecast(ds, y, {model: 'ETS', horizon: 3, level: 90})) AS f FROM sales GROUP BY store, dept)
    ORDER BY store, dept, ds";

#[test]
fn a_forecast_is_the_same_in_one_process_and_on_a_cluster() {
    let cluster = Cluster::start(2);
    let grouped = format!(
        "SELECT store, count(*) AS n, count(DISTINCT dept) AS depts, min(ds) AS first, max(ds) AS last FROM ({FORECAST})
         GROUP BY store ORDER BY store"
    );
    let tables = tables();
    let ask = |master: &str, query: &str| answer(&["--master", master, "--format", "csv", "-e", &tables, "-e", query]);
    let here = ask("local[2]", FORECAST);
    let rows: Vec<&str> = here.lines().skip(1).collect();
    assert_eq!(rows.len(), 2 * 10 * 3, "{here}");
    let keys: Vec<(i32, i32, &str)> = rows
        .iter()
        .map(|row| {
            let mut cells = row.split(',');
            let mut number = || cells.next().unwrap().parse().unwrap();
            let (store, dept) = (number(), number());
            (store, dept, cells.next().unwrap())
        })
        .collect();
    assert!(keys.is_sorted(), "{here}");
    assert!(rows.iter().all(|row| row.contains("level: 90.0") && row.ends_with(",ok")), "{here}");
    assert_eq!(here, ask("local[1]", FORECAST), "the number of processors must not change the answer");
    assert_eq!(here, ask(&cluster.master, FORECAST), "the cluster differs");

    let totals = ask("local[2]", &grouped);
    assert_eq!(
        totals,
        "store,n,depts,first,last\n1,30,10,2012-11-02T00:00:00,2012-11-16T00:00:00\n2,30,10,2012-11-02T00:00:00,2012-11-16T00:00:00\n"
    );
    assert_eq!(totals, ask(&cluster.master, &grouped), "the cluster differs");
    for executor in &cluster.executors {
        assert!(executor.cpu_seconds() > 0.0, "an executor did nothing");
    }
}

#[test]
fn forecast_by_is_the_aggregate_taken_apart() {
    let cluster = Cluster::start(1);
    let by = "SELECT store, dept, ds, yhat, intervals, status FROM forecast_by('sales', 'ds', 'Y', 'store, dept', \
              {model: 'ETS', horizon: 3, level: 90}) AS f ORDER BY store, dept, ds";
    let tables = tables();
    let ask = |master: &str, query: &str| answer(&["--master", master, "--format", "csv", "-e", &tables, "-e", query]);
    // The key is the seed's, and `forecast_by` gives it; ETS has nothing random in it.
    assert_eq!(ask("local[2]", by), ask("local[2]", FORECAST));
    assert_eq!(ask(&cluster.master, by), ask("local[2]", FORECAST), "the cluster differs");
    let columns = ask(
        "local[2]",
        "SELECT * FROM forecast_by('sales', 'ds', 'y', 'store,dept', {horizon: 1, model: 'Naive'}) LIMIT 1",
    );
    assert_eq!(columns.lines().next(), Some("store,dept,ds,yhat,stderr,intervals,step,model,status,error,details"));
    // Grouping what was unnested, joining it, and a file instead of a table.
    let file = text(&weekly_sales()).to_owned();
    let count = format!(
        "SELECT f.\"Dept\", count(*) AS n, count(DISTINCT step) AS steps FROM forecast_by('{file}', 'date', 'weekly_sales', 'Store, Dept', \
         '{{\"model\": \"Naive\", \"horizon\": 2}}') f JOIN (SELECT DISTINCT dept FROM sales) d ON f.\"Dept\" = d.dept GROUP BY f.\"Dept\" ORDER BY 1 LIMIT 2"
    );
    assert_eq!(ask("local[2]", &count), "Dept,n,steps\n1,6,2\n2,4,2\n");
    assert_eq!(ask(&cluster.master, &count), "Dept,n,steps\n1,6,2\n2,4,2\n", "the cluster differs");
    let one =
        ask("local[2]", "SELECT count(*) AS n FROM forecast_by('sales', 'ds', 'y', '', {model: 'Naive', horizon: 4})");
    assert_eq!(one, "n\n4\n", "without keys there is one series");
}

#[test]
fn a_forecast_in_sql_shuffles_once_runs_in_many_tasks_and_can_be_stopped() {
    for query in [FORECAST, "SELECT * FROM forecast_by('sales', 'ds', 'y', 'store, dept', {model: 'ETS', horizon: 3})"]
    {
        let plan = answer(&["--master", "local[3]", "-e", &tables(), "-e", &format!("EXPLAIN {query}")]);
        assert_eq!(plan.matches("RepartitionExec").count(), 1, "{plan}");
        assert!(
            plan.contains("dept@1], 3), input_partitions=1"),
            "one small file is for three processors, too:\n{plan}"
        );
        assert_eq!(plan.matches("AggregateExec").count(), 1, "one stage, not two:\n{plan}");
        assert_eq!(plan.matches("SeriesScopeExec").count(), 1, "{plan}");
    }
}

#[test]
fn forecast_by_names_the_argument_that_is_wrong() {
    let tables = tables();
    let cases = [
        ("'sale', 'ds', 'y', 'store', {horizon: 3}", "table: no table, view or file 'sale', did you mean 'sales'?"),
        ("'sales', 'dt', 'y', 'store', {horizon: 3}", "ds: no column 'dt' in 'sales', did you mean 'ds'?"),
        ("'sales', 'ds', 'yy', 'store', {horizon: 3}", "y: no column 'yy' in 'sales', did you mean 'y'?"),
        ("'sales', 'ds', 'y', 'stores', {horizon: 3}", "keys: no column 'stores' in 'sales', did you mean 'store'?"),
        ("'sales', 'ds', 'y', 'store,', {horizon: 3}", "keys: 'store,' is not a list of column names"),
        ("'sales', 'ds', 'y', 'store, store', {horizon: 3}", "keys: 'store' is there twice"),
        ("'sales', 'ds', 'y', 'ds', {horizon: 3}", "keys: 'ds' is also a column of the result"),
        ("'sales', 'ds', 'y', 'store', {horizons: 3}", "options: no option 'horizons', did you mean 'horizon'?"),
        ("'sales', 'ds', 'y', 'store', {model: 'EST', horizon: 3}", "did you mean 'ETS'"),
        ("'sales', 'ds', 'y', 'store'", "options: give either horizon"),
        ("'sales', 'ds', 7, 'store', {horizon: 3}", "y: a name in single quotes, not"),
        ("'sales', 'ds'", "takes (table, ds, y [, keys [, options]]), got 2 arguments"),
        ("'sales', 'store', 'y', 'dept', {horizon: 3}", "ds is a time"),
    ];
    for (arguments, words) in cases {
        let outcome = sql(&["-e", &tables, "-e", &format!("SELECT * FROM forecast_by({arguments})")]);
        assert_eq!(outcome.code, Some(1), "{arguments}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(words), "{arguments}: no '{words}' in: {}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().count(), 1, "{arguments}: more than a line: {}", outcome.stderr);
    }
}

#[test]
fn every_format_is_written_as_its_name_says() {
    let query = "SELECT 1 AS a, 'x y' AS b UNION ALL SELECT 2, NULL ORDER BY a";
    let write = |format: &str| answer(&["--format", format, "-e", query]);
    assert_eq!(write("csv"), "a,b\n1,x y\n2,\n");
    assert_eq!(write("automatic"), write("csv"), "standard output is no terminal here");
    assert_eq!(write("tsv"), "a\tb\n1\tx y\n2\t\n");
    assert_eq!(write("json"), "[{\"a\":1,\"b\":\"x y\"},{\"a\":2}]\n");
    assert_eq!(write("nd-json"), "{\"a\":1,\"b\":\"x y\"}\n{\"a\":2}\n");
    assert_eq!(write("table"), "+---+-----+\n| a | b   |\n+---+-----+\n| 1 | x y |\n| 2 |     |\n+---+-----+\n");
    let wrong = sql(&["--format", "xml", "-e", query]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
}

#[test]
fn the_first_statement_that_fails_ends_the_run_with_one_line() {
    let tables = tables();
    let cases = [
        ("SELECT stroe FROM sales", "No field named stroe. Did you mean 'sales.store'?"),
        ("SELECT store FROM sale", "no table 'sale', did you mean 'sales'?"),
        ("SELECT Store FROM weekly", "use double quotes to refer to the weekly.\"Store\" column"),
        ("SELECT forcast(ds, y) FROM sales", "Did you mean 'forecast'?"),
        ("SELECT forecast(ds, y, {modle: 'ETS', horizon: 2}) FROM sales", "did you mean 'model'?"),
        ("SELECT forecast(store, y, {horizon: 2}) FROM sales", "forecast: ds is a time (timestamp or date), not Int64"),
        ("SELECT forecast(ds) FROM sales", "forecast takes (ds, y [, options [, key]]), got 1 arguments"),
        ("SELEC 1", "syntax: Expected: an SQL statement, found: SELEC"),
        ("SELECT * FROM 'no/such.csv'", "no table 'no/such.csv'"),
        ("SELECT 1 / 0", "Divide by zero"),
        ("\\nonsense", "no command \\nonsense"),
    ];
    for (statement, words) in cases {
        let outcome = sql(&["-e", &tables, "-e", statement, "-e", "SELECT 'not reached'"]);
        assert_eq!(outcome.code, Some(1), "{statement}: {}", outcome.stderr);
        assert!(outcome.stderr.starts_with("merlion sql: error: "), "{statement}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(words), "{statement}: no '{words}' in: {}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().count(), 1, "{statement}: more than a line: {}", outcome.stderr);
        assert_eq!(outcome.stdout, "", "{statement}");
    }
    for usage in [&["--master", "yarn"][..], &["--time_zone", "Mars"], &["--file", "no/such.sql"], &["--conf", "x"]] {
        let outcome = sql(&[usage, &["-e", "SELECT 1"]].concat());
        assert_eq!(outcome.code, Some(2), "{usage:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(usage[0]), "{usage:?}: {}", outcome.stderr);
    }
    let nobody = sql(&["--master", "ballista://127.0.0.1:1", "-e", "SELECT 1"]);
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.stderr.contains("no scheduler answers at ballista://127.0.0.1:1"), "{}", nobody.stderr);
}

#[test]
fn a_statement_that_fails_on_a_cluster_fails_with_one_line() {
    let cluster = Cluster::start(1);
    let outcome = sql(&[
        "--master",
        &cluster.master,
        "-e",
        &tables(),
        "-e",
        "SELECT 1 / (store - store) FROM sales",
        "-e",
        "SELECT 'not reached'",
    ]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert_eq!(outcome.stderr, "merlion sql: error: DivideByZero\n");
    let memory = sql(&["--master", &cluster.master, "-e", "SELECT * FROM generate_series(1, 3)"]);
    assert_eq!(memory.code, Some(1));
    assert!(memory.stderr.contains("in the memory of this process"), "{}", memory.stderr);
}

#[test]
fn statements_come_from_files_and_from_standard_input() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("tables.sql");
    fs::write(
        &file,
        format!("-- the tables; of the example\n{}\n/* no semicolon; at the end */ SELECT 'file' AS it", tables()),
    )
    .unwrap();
    let both = answer(&[
        "--format",
        "csv",
        "-e",
        "SELECT 'flag' AS it;",
        "--command",
        "SELECT count(*) AS n FROM sales",
        "-f",
        text(&file),
    ]);
    assert_eq!(both, "it\nfile\nit\nflag\nn\n2848\n", "files come first, then -e in order");

    let input = "SELECT 1 AS\n  a;\n\\d\nSELECT 'it''s; so' AS b";
    let read = sql_from_input(input, &["--format", "csv"]);
    assert_eq!(
        (read.code, read.stdout.as_str()),
        (Some(0), "a\n1\ntable_name,table_type\nb\nit's; so\n"),
        "{}",
        read.stderr
    );
    let quit = sql_from_input("SELECT 1 AS a;\n\\q\nSELECT 2 AS a;", &["--format", "csv", "-f", "-"]);
    assert_eq!((quit.code, quit.stdout.as_str()), (Some(0), "a\n1\n"), "{}", quit.stderr);
    let failed = sql_from_input("SELECT 1 AS a;\nSELECT b;\nSELECT 2 AS a;", &["--format", "csv"]);
    assert_eq!((failed.code, failed.stdout.as_str()), (Some(1), "a\n1\n"), "{}", failed.stderr);
    assert_eq!(sql_from_input("", &[]).code, Some(0), "nothing to do is no error");
}

#[test]
fn rows_and_time_are_told_unless_quiet() {
    let loud = run(&["sql", "--format", "csv", "-e", "SELECT 1 AS a", "-e", "\\timing\nSELECT 1 AS a"]);
    assert_eq!(loud.stdout, "a\n1\na\n1\n");
    let lines: Vec<&str> = loud.stderr.lines().collect();
    assert!(lines[0].starts_with("1 row, ") && lines[0].ends_with(" s"), "{lines:?}");
    assert_eq!(lines[1..], ["times are not told", "1 row"]);
    assert_eq!(sql(&["-e", "SELECT 1"]).stderr, "");
}

#[test]
fn tables_are_made_of_files_and_files_of_tables() {
    let cluster = Cluster::start(1);
    for master in ["local[2]", &cluster.master] {
        let folder = tempdir().unwrap();
        let at = |name: &str| text(&folder.path().join(name)).to_owned();
        let ask = |statements: &str, query: &str| {
            let before = tables() + statements;
            answer(&["--master", master, "--format", "csv", "-e", &before, "-e", query])
        };
        // A date, a time, a text that needs quotes, and nothing.
        let rows = "SELECT ds AS day, CAST(ds AS TIMESTAMP) + INTERVAL '90 minutes' AS at, 'a,b' AS words, NULL AS nothing, y \
                    FROM sales WHERE store = 1 AND dept = 10 AND ds >= '2012-10-01' ORDER BY ds";
        for format in ["PARQUET", "JSON", "CSV"] {
            let path = at(&format!("{format}/"));
            let copied = ask("", &format!("COPY ({rows}) TO '{path}' STORED AS {format}"));
            assert_eq!(copied, "count\n4\n", "{format} on {master}");
            let options = if format == "CSV" { "OPTIONS ('format.has_header' 'true')" } else { "" };
            let table = format!("CREATE EXTERNAL TABLE t STORED AS {format} LOCATION '{path}' {options};");
            let read = ask(
                &table,
                "SELECT CAST(day AS DATE) AS day, CAST(at AS TIMESTAMP) AS at, words, y FROM t ORDER BY day LIMIT 1",
            );
            assert_eq!(
                read, "day,at,words,y\n2012-10-05,2012-10-05T01:30:00,\"a,b\",24920.03\n",
                "{format} on {master}"
            );
            assert!(ask(&table, "SHOW TABLES").contains("datafusion,public,t,BASE TABLE"), "on {master}");
            assert!(ask(&table, "DESCRIBE t").contains("\ny,Float64,"), "on {master}");
            assert!(ask(&table, "\\d t").contains("\ny,Float64,"), "on {master}");
        }
        let written = files(&folder.path().join("CSV"));
        assert!(
            written.starts_with("day,at,words,nothing,y\n2012-10-05,2012-10-05T01:30:00,\"a,b\",,24920.03\n"),
            "on {master}: {written}"
        );

        let (semicolons, quoted) = (at("semicolons/"), at("quoted/"));
        ask(
            "",
            &format!("COPY (SELECT 1 AS a, 'x' AS b) TO '{semicolons}' STORED AS CSV OPTIONS ('format.delimiter' ';')"),
        );
        assert_eq!(files(Path::new(&semicolons)), "a;b\n1;x\n", "on {master}");
        ask(
            "",
            &format!(
                "COPY (SELECT 1 AS a, 'x' AS b) TO '{quoted}' STORED AS CSV OPTIONS ('format.quote_style' 'Always')"
            ),
        );
        assert_eq!(files(Path::new(&quoted)), "\"a\",\"b\"\n\"1\",\"x\"\n", "on {master}");

        let into = at("into/");
        let table = format!(
            "CREATE EXTERNAL TABLE t (a INT, day DATE) STORED AS CSV LOCATION '{into}' OPTIONS ('format.has_header' 'true');"
        );
        assert_eq!(ask(&table, "INSERT INTO t VALUES (1, '2012-10-05'), (2, NULL)"), "count\n2\n", "on {master}");
        assert_eq!(ask(&table, "SELECT * FROM t ORDER BY a"), "a,day\n1,2012-10-05\n2,\n", "on {master}");

        // A file by its path, with no table made of it; and results without rows.
        let file = text(&weekly_sales()).to_owned();
        assert_eq!(ask("", &format!("SELECT count(*) AS n FROM '{file}'")), "n\n2849\n", "on {master}");
        assert_eq!(ask("", "SELECT count(*) AS n FROM sales WHERE false"), "n\n0\n", "on {master}");
        assert_eq!(ask("", "SELECT store FROM sales WHERE false"), "store\n", "on {master}");
    }
}

/// The text of the files in a folder.
fn files(folder: &Path) -> String {
    let mut paths: Vec<_> = fs::read_dir(folder).expect("the folder is there").map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).expect("the file is text")).collect()
}

#[test]
fn functions_document_themselves() {
    let shown = answer(&["--format", "csv", "-e", "SHOW FUNCTIONS LIKE 'forecast%'"]);
    assert!(shown.contains("[ds, y, options, key]"), "{shown}");
    assert!(shown.contains("\"forecast(ds, y [, options [, key]])\""), "{shown}");
    assert!(shown.contains("forecast_by,TABLE"), "{shown}");
    let help = answer(&["-e", "\\h forecast"]);
    for words in [
        "forecast(ds, y [, options [, key]])",
        "\n  horizon ",
        "[default: DefaultForecaster]",
        "SeasonalNaive",
        "'abort'",
    ] {
        assert!(help.contains(words), "no '{words}' in:\n{help}");
    }
    assert!(answer(&["-e", "\\h forecast_by"]).contains("keys "));
    assert!(answer(&["-e", "\\h"]).starts_with("time series: forecast, forecast_by\n"));
    assert!(answer(&["-e", "\\h date_bin"]).starts_with("date_bin("));
    let wrong = sql(&["-e", "\\h forcast"]);
    assert!(wrong.stderr.contains("did you mean 'forecast'?"), "{}", wrong.stderr);
    let named = format!(
        "{} SELECT forecast(y => y, ds => ds, options => {{model: 'Naive', horizon: 1}}) IS NOT NULL AS it FROM sales",
        tables()
    );
    assert_eq!(answer(&["--format", "csv", "-e", &named]), "it\ntrue\n");
}

#[test]
fn an_interrupt_ends_the_query_on_the_executors() {
    let folder = tempdir().unwrap();
    let table = daily_table(folder.path(), 4, 60);
    let cluster = Cluster::start(1);
    // One series alone takes minutes.
    let model = SLOW_MODEL.replace("10000", "2000000");
    let query = format!(
        "SELECT id, unnest(forecast(day, y, {{model: '{model}', horizon: 3000}})) AS f FROM '{}' GROUP BY id",
        text(&table)
    );
    let mut client = merlion(&["sql", "--master", &cluster.master, "-e", &query])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the client starts");
    let executor = &cluster.executors[0];
    assert!(wait_for(|| executor.cpu_seconds() > 1.5), "the executor never got to work:\n{}", cluster.scheduler.log());
    signal(client.id(), "INT");
    assert_eq!(wait_for_end(&mut client).code(), Some(130));
    let rests = wait_for(|| {
        let before = executor.cpu_seconds();
        std::thread::sleep(std::time::Duration::from_millis(500));
        executor.cpu_seconds() - before < 0.1
    });
    assert!(rests, "the executor goes on computing");
}

#[test]
fn an_interrupt_ends_a_query_in_this_process() {
    let folder = tempdir().unwrap();
    let table = daily_table(folder.path(), 2, 60);
    let model = SLOW_MODEL.replace("10000", "2000000");
    let query = format!(
        "SELECT id, unnest(forecast(day, y, {{model: '{model}', horizon: 3000}})) AS f FROM '{}' GROUP BY id",
        text(&table)
    );
    let mut client = merlion(&["sql", "--master", "local[2]", "-e", &query])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the client starts");
    std::thread::sleep(std::time::Duration::from_secs(2));
    signal(client.id(), "TERM");
    assert_eq!(wait_for_end(&mut client).code(), Some(143));
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let program = env!("CARGO_BIN_EXE_merlion-under-test");
    let command = format!(
        "'{program}' sql -q --format csv -e 'SELECT value, value + 1 AS next FROM generate_series(1, 3000000)' | head -n 2"
    );
    let output =
        std::process::Command::new("bash").args(["-c", &format!("set -o pipefail; {command}")]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success(), "{:?}", output.status);
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("1,2\n"));
}

#[test]
fn the_time_zone_is_the_sessions() {
    let zone = answer(&["--format", "csv", "--time_zone", "Asia/Kolkata", "-e", "SHOW datafusion.execution.time_zone"]);
    assert!(zone.contains("Asia/Kolkata"), "{zone}");
    let time = answer(&[
        "--format",
        "csv",
        "--time_zone",
        "Asia/Kolkata",
        "-e",
        "SELECT arrow_cast('2020-01-01T00:00:00', 'Timestamp(Second, None)')::timestamptz AS t",
    ]);
    assert_eq!(time, "t\n2020-01-01T00:00:00+05:30\n");
}

#[test]
fn a_terminal_is_asked_line_by_line() {
    if !std::path::Path::new("/dev/pts/ptmx").exists() {
        println!("skipped: no terminals here");
        return;
    }
    let folder = tempdir().unwrap();
    let history = folder.path().join("history");
    let shell = format!("'{}' sql --master 'local[1]'", env!("CARGO_BIN_EXE_merlion-under-test"));
    // `script` of util-linux gives a program a terminal.
    let child = std::process::Command::new("script")
        .args(["--quiet", "--return", "--command", &shell, "/dev/null"])
        .env("MERLION_HISTORY", &history)
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        println!("skipped: no `script` of util-linux here");
        return;
    };
    let typed =
        ["SELECT 6 * 7 AS a,\r", "'x' AS b;\r", "SELECT nope;\r", "\\timing\r", "SELECT 1 AS \"é\";\r", "\\q\r"];
    let mut terminal = child.stdin.take().expect("piped");
    for line in typed {
        terminal.write_all(line.as_bytes()).expect("the terminal reads");
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    let output = child.wait_with_output().expect("the program ends");
    drop(terminal);
    let seen = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{:?}: {seen}", output.status);
    for words in ["merlion> ", "     ... ", "| 42 | x |", "error: No field named nope.", "times are not told", "| é |"]
    {
        assert!(seen.contains(words), "no '{words}' in:\n{seen}");
    }
    let remembered = fs::read_to_string(&history).unwrap();
    assert_eq!(remembered.replace('\n', "\r").split_inclusive('\r').collect::<Vec<_>>(), typed);
}
