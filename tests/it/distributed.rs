//! One job in one process and in several.

use tempfile::tempdir;

use crate::program::{Cluster, THREE_WEEKS, WEEKLY, forecast, rows, weekly_sales};

#[test]
fn embedded_one_executor_and_two_executors_write_the_same_rows() {
    let folder = tempdir().unwrap();
    let mut answers = Vec::new();
    let clusters = [None, Some(Cluster::start(1)), Some(Cluster::start(2))];
    for (number, cluster) in clusters.iter().enumerate() {
        let output = folder.path().join(format!("out{number}"));
        let master = cluster.as_ref().map_or("local[2]", |cluster| &cluster.master);
        let mut args = vec!["--master", master, "--model", r#"{"name": "ETS", "error": "mul"}"#];
        args.extend(WEEKLY);
        args.extend(THREE_WEEKS);
        let outcome = forecast(&weekly_sales(), &output, &args);
        assert_eq!(outcome.code, Some(0), "on {master}: {}", outcome.stderr);
        let (header, mut rows) = rows(&output);
        rows.sort();
        answers.push((header, rows));
    }
    assert_eq!(answers[0].1.len(), 21 * 3);
    assert_eq!(answers[0], answers[1], "one executor differs from the embedded cluster");
    assert_eq!(answers[0], answers[2], "two executors differ from the embedded cluster");
}

#[test]
fn part_files_are_in_global_order_however_many_there_are() {
    let folder = tempdir().unwrap();
    for master in ["local[1]", "local[7]"] {
        let output = folder.path().join(master);
        let mut args = vec!["--master", master, "--model", r#"{"name": "Naive"}"#];
        args.extend(WEEKLY);
        args.extend(THREE_WEEKS);
        let outcome = forecast(&weekly_sales(), &output, &args);
        assert_eq!(outcome.code, Some(0), "on {master}: {}", outcome.stderr);
        let (_, rows) = rows(&output);
        let keys: Vec<(&str, &str, &str)> = rows
            .iter()
            .map(|row| {
                let mut fields = row.split(',');
                (fields.next().unwrap(), fields.next().unwrap(), fields.next().unwrap())
            })
            .collect();
        assert!(keys.is_sorted(), "on {master}: {keys:?}");
    }
}
