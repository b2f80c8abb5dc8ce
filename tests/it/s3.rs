//! Storage that is not a local disk: an S3 server, `moto` from PyPI, on loopback.

use std::net::TcpStream;
use std::process::{Command, Stdio};

use tempfile::tempdir;

use crate::program::{Cluster, Server, THREE_WEEKS, WEEKLY, forecast, free_port, rows, run, wait_for, weekly_sales};

/// The Python with moto in it, if there is one: `MERLION_MOTO_PYTHON`, set by `.ci/run`.
fn moto_python() -> Option<String> {
    let python = std::env::var("MERLION_MOTO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let there = Command::new(&python).args(["-c", "import moto.server, boto3"]).stderr(Stdio::null()).status();
    there.is_ok_and(|status| status.success()).then_some(python)
}

/// Runs a few lines of boto3 against the server.
fn boto(python: &str, port: u16, lines: &str) -> String {
    let program = format!(
        "import boto3, sys\ns3 = boto3.client('s3', endpoint_url='http://127.0.0.1:{port}', region_name='us-east-1', aws_access_key_id='key', aws_secret_access_key='secret')\n{lines}"
    );
    let output = Command::new(python).args(["-c", &program]).output().expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Starts an S3 server.
fn server(python: &str) -> (Server, u16) {
    let port = free_port();
    let mut command = Command::new(python);
    command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
    let server = Server::start(command, port);
    assert!(wait_for(|| TcpStream::connect(("127.0.0.1", port)).is_ok()));
    (server, port)
}

#[test]
fn sql_reads_and_writes_s3_in_one_process_and_on_a_cluster() {
    let Some(python) = moto_python() else {
        println!("skipped: no Python with moto (pip install 'moto[server]' boto3; MERLION_MOTO_PYTHON names it)");
        return;
    };
    let (_server, port) = server(&python);
    let table = weekly_sales();
    boto(
        &python,
        port,
        &format!("s3.create_bucket(Bucket='lake')\ns3.upload_file({table:?}, 'lake', 'in/weekly.csv')"),
    );
    let endpoint = format!("spark.hadoop.fs.s3a.endpoint=http://127.0.0.1:{port}");
    let secrets = ["--conf", "spark.hadoop.fs.s3a.access.key=key", "--conf", "spark.hadoop.fs.s3a.secret.key=secret"];
    let cluster = Cluster::start_with(1, &secrets);
    for (number, master) in ["local[2]", &cluster.master].into_iter().enumerate() {
        let statements = format!(
            "CREATE EXTERNAL TABLE weekly STORED AS CSV LOCATION 's3a://lake/in/weekly.csv' OPTIONS ('format.has_header' 'true');
             COPY (SELECT * FROM forecast_by('weekly', 'Date', 'Weekly_Sales', 'Store, Dept', {{model: 'Naive', horizon: 2}}))
             TO 's3a://lake/out{number}/' STORED AS PARQUET;
             SELECT count(*) AS n, count(DISTINCT \"Dept\") AS depts FROM forecast_by('s3a://lake/in/weekly.csv', 'Date', 'Weekly_Sales',
             'Store, Dept', {{model: 'Naive', horizon: 2}});
             CREATE EXTERNAL TABLE written STORED AS PARQUET LOCATION 's3a://lake/out{number}/';
             SELECT count(*) AS n, count(DISTINCT \"Dept\") AS depts FROM written;"
        );
        let mut args = vec!["sql", "--quiet", "--format", "csv", "--master", master, "--conf", &endpoint];
        args.extend(secrets);
        args.extend(["--conf", "fs.s3a.endpoint.region=us-east-1", "-e", &statements]);
        let outcome = run(&args);
        assert_eq!(outcome.code, Some(0), "on {master}: {}\n{}", outcome.stderr, cluster.executors[0].log());
        assert_eq!(outcome.stdout, "count\n42\nn,depts\n42,10\nn,depts\n42,10\n", "on {master}");
    }
}

#[test]
fn a_table_on_s3_is_forecast_to_s3_embedded_and_on_a_cluster() {
    let Some(python) = moto_python() else {
        println!("skipped: no Python with moto (pip install 'moto[server]' boto3; MERLION_MOTO_PYTHON names it)");
        return;
    };
    let folder = tempdir().unwrap();
    let (_server, port) = server(&python);
    let table = weekly_sales();
    boto(
        &python,
        port,
        &format!(
            "s3.create_bucket(Bucket='lake')\ns3.upload_file({table:?}, 'lake', 'in/weekly.csv')\nimport gzip\ns3.put_object(Bucket='lake', Key='packed/weekly.csv.gz', Body=gzip.compress(open({table:?}, 'rb').read()))\ns3.put_object(Bucket='lake', Key='out/part-00000-old.csv', Body=b'old')"
        ),
    );

    let endpoint = format!("spark.hadoop.fs.s3a.endpoint=http://127.0.0.1:{port}");
    let secrets = ["--conf", "spark.hadoop.fs.s3a.access.key=key", "--conf", "spark.hadoop.fs.s3a.secret.key=secret"];
    let region = ["--conf", "fs.s3a.endpoint.region=us-east-1"];
    let cluster = Cluster::start_with(1, &secrets);

    let local = folder.path().join("local");
    let mut args: Vec<&str> = WEEKLY.iter().chain(&THREE_WEEKS).copied().collect();
    args.extend(["--model", "{'name': 'Naive'}"]);
    assert_eq!(forecast(&table, &local, &args).code, Some(0));

    for (master, table) in
        [("local[2]", "s3a://lake/in/weekly.csv"), (&cluster.master, "s3a://lake/{packed,none}/week*.csv.gz")]
    {
        let mut s3_args = vec![
            "forecast",
            "--train_data",
            table,
            "--output_path",
            "s3a://lake/out",
            "--master",
            master,
            "--conf",
            &endpoint,
        ];
        s3_args.extend(secrets);
        s3_args.extend(region);
        s3_args.extend(&args);
        let outcome = run(&s3_args);
        assert_eq!(outcome.code, Some(0), "on {master}: {}\n{}", outcome.stderr, cluster.executors[0].log());
        let keys = boto(
            &python,
            port,
            "print('\\n'.join(o['Key'] for o in s3.list_objects_v2(Bucket='lake', Prefix='out')['Contents']))",
        );
        let keys: Vec<&str> = keys.lines().collect();
        assert!(
            keys.contains(&"out/_SUCCESS") && !keys.iter().any(|k| k.contains("old") || k.contains("_temporary")),
            "{keys:?}"
        );
        let text = boto(
            &python,
            port,
            "import sys\nfor o in s3.list_objects_v2(Bucket='lake', Prefix='out/part')['Contents']:\n    sys.stdout.write(s3.get_object(Bucket='lake', Key=o['Key'])['Body'].read().decode().split('\\n', 1)[1])",
        );
        assert_eq!(text.lines().map(str::to_owned).collect::<Vec<_>>(), rows(&local).1, "on {master}");
    }
    let logs = format!("{}{}", cluster.scheduler.log(), cluster.executors[0].log());
    assert!(!logs.contains("secret"), "a secret is in a log");
}
