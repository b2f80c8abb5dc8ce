//! Executors that die.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::tempdir;

use crate::program::{
    Cluster, SLOW_MODEL, daily_table, far_times, forecast, merlion, rows, text, wait_for, wait_for_end,
};

/// Whether the executor with this work folder ran the scan: its stage is the first, in `<job>/1`.
fn holds_shuffled_rows(work: &Path) -> bool {
    let jobs = fs::read_dir(work).map(|jobs| jobs.flatten().collect::<Vec<_>>()).unwrap_or_default();
    jobs.iter().any(|job| job.path().join("1").exists())
}

/// Which of two executors is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    /// The one that holds the shuffled rows which the tasks of both read: the scan has to be done again.
    Holder,
    /// The other one: only its own tasks are done again.
    Other,
}

#[test]
fn an_executor_killed_while_it_fits_loses_nothing_and_doubles_nothing() {
    kill_while_fitting(Victim::Other);
}

#[test]
fn an_executor_killed_with_the_input_of_the_others_loses_nothing_and_doubles_nothing() {
    kill_while_fitting(Victim::Holder);
}

fn kill_while_fitting(victim: Victim) {
    let folder = tempdir().unwrap();
    let table = daily_table(folder.path(), 8, 60);
    let times = far_times();
    let job = [
        "--target_col",
        "y",
        "--index_cols",
        "['id']",
        "--time_col",
        "day",
        "--model",
        SLOW_MODEL,
        "--time_stamps",
        &times,
    ];

    let calm = folder.path().join("calm");
    let mut args = vec!["--master", "local[2]"];
    args.extend(job);
    let outcome = forecast(&table, &calm, &args);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);

    let work = folder.path().join("work");
    (0..2).for_each(|n| fs::create_dir_all(work.join(n.to_string())).unwrap());
    let mut cluster = Cluster::start_in(2, &work);
    let stormy = folder.path().join("stormy");
    let mut command = merlion(&["forecast", "--train_data", text(&table), "--output_path", text(&stormy)]);
    let mut client =
        command.args(["--master", &cluster.master]).args(job).stderr(Stdio::null()).spawn().expect("the client starts");
    // Reading and shuffling take far less: an executor that has used this much is fitting.
    let fitting = wait_for(|| cluster.executors.iter().all(|executor| executor.cpu_seconds() > 1.0));
    assert!(fitting, "the executors never got to work:\n{}", cluster.scheduler.log());
    let holder = (0..2).find(|n| holds_shuffled_rows(&work.join(n.to_string()))).expect("the scan has ended");
    cluster.executors[if victim == Victim::Holder { holder } else { 1 - holder }].kill();
    let status = wait_for_end(&mut client);
    assert_eq!(status.code(), Some(0), "{}", cluster.scheduler.log());
    std::thread::sleep(Duration::from_millis(200));
    let log = cluster.scheduler.log().to_lowercase();
    // Its tasks are given out anew when its results are missed, or when its silence is noticed: whichever is first.
    assert!(log.contains("resubmit") || log.contains("lost executor"), "no word of the lost task:\n{log}");

    assert_eq!(rows(&stormy), rows(&calm), "the rows differ from those of a quiet run");
}
