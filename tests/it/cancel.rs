//! Ending a job from outside.

use std::process::Stdio;
use std::time::Duration;

use tempfile::tempdir;

use crate::program::{Cluster, SLOW_MODEL, daily_table, far_times, merlion, signal, text, wait_for, wait_for_end};

#[test]
fn an_interrupt_ends_the_fits_on_the_executors_and_leaves_no_file() {
    let folder = tempdir().unwrap();
    let table = daily_table(folder.path(), 4, 60);
    let output = folder.path().join("out");
    let cluster = Cluster::start(1);
    // One series alone takes minutes.
    let model = SLOW_MODEL.replace("10000", "2000000");
    let mut client = merlion(&["forecast", "--train_data", text(&table), "--output_path", text(&output)])
        .args(["--master", &cluster.master, "--target_col", "y", "--index_cols", "['id']", "--time_col", "day"])
        .args(["--model", &model, "--time_stamps", &far_times()])
        .stderr(Stdio::null())
        .spawn()
        .expect("the client starts");
    let executor = &cluster.executors[0];
    assert!(wait_for(|| executor.cpu_seconds() > 1.5), "the executor never got to work:\n{}", cluster.scheduler.log());

    signal(client.id(), "INT");
    assert_eq!(wait_for_end(&mut client).code(), Some(130));
    // The fit is over when the executor rests.
    let rests = wait_for(|| {
        let before = executor.cpu_seconds();
        std::thread::sleep(Duration::from_millis(500));
        executor.cpu_seconds() - before < 0.1
    });
    assert!(rests, "the executor goes on computing");
    let left: Vec<_> = std::fs::read_dir(&output).map(|d| d.map(|e| e.unwrap().path()).collect()).unwrap_or_default();
    assert!(left.is_empty(), "left behind: {left:?}");
}

#[test]
fn an_interrupt_ends_an_embedded_job_and_keeps_the_old_output() {
    let folder = tempdir().unwrap();
    let table = daily_table(folder.path(), 2, 60);
    let output = folder.path().join("out");
    std::fs::create_dir(&output).unwrap();
    std::fs::write(output.join("part-00000-old.csv"), "old").unwrap();
    let model = SLOW_MODEL.replace("10000", "2000000");
    let mut client = merlion(&["forecast", "--train_data", text(&table), "--output_path", text(&output)])
        .args(["--master", "local[2]", "--target_col", "y", "--index_cols", "['id']", "--time_col", "day"])
        .args(["--model", &model, "--time_stamps", &far_times()])
        .stderr(Stdio::null())
        .spawn()
        .expect("the client starts");
    std::thread::sleep(Duration::from_secs(3));
    signal(client.id(), "TERM");
    assert_eq!(wait_for_end(&mut client).code(), Some(143));
    let left: Vec<_> = std::fs::read_dir(&output).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["part-00000-old.csv"]);
}
