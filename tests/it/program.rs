//! The program under test, run to its end or as a server; tables to run it on.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long anything may take before the test gives it up. Only a hang is that slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(400);

/// Columns and key of the example data.
pub(crate) const WEEKLY: [&str; 6] =
    ["--target_col", "Weekly_Sales", "--index_cols", r#"["Store", "Dept"]"#, "--time_col", "Date"];

/// Three weeks after the example data.
pub(crate) const THREE_WEEKS: [&str; 2] = ["--time_stamps", r#"["2012-11-02", "2012-11-09", "2012-11-16"]"#];

/// A command of the program.
pub(crate) fn merlion(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_merlion-under-test"));
    command.args(args).env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// What a finished command said.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command to its end.
pub(crate) fn run(args: &[&str]) -> Outcome {
    let output = merlion(args).output().expect("the program starts");
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs `merlion forecast` on a table.
pub(crate) fn forecast(table: &Path, output: &Path, more: &[&str]) -> Outcome {
    let mut args = vec!["forecast", "--train_data", text(table), "--output_path", text(output)];
    args.extend(more);
    run(&args)
}

/// The path as text.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("test paths are UTF-8")
}

/// The example data.
pub(crate) fn weekly_sales() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/weekly_sales.csv")
}

/// The part files of an output folder, in order.
pub(crate) fn parts(output: &Path) -> Vec<PathBuf> {
    let mut parts: Vec<PathBuf> =
        fs::read_dir(output).map(|entries| entries.map(|e| e.expect("readable").path()).collect()).unwrap_or_default();
    parts.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("part-")));
    parts.sort();
    parts
}

/// Header and rows of an output folder, in the order of its files.
pub(crate) fn rows(output: &Path) -> (String, Vec<String>) {
    let (mut header, mut rows) = (String::new(), Vec::new());
    for part in parts(output) {
        let text = fs::read_to_string(&part).expect("part files are text");
        let mut lines = text.lines().map(str::to_owned);
        let first = lines.next().expect("part files have a header");
        assert!(header.is_empty() || header == first, "{} has the header {first}, not {header}", part.display());
        header = first;
        rows.extend(lines);
    }
    (header, rows)
}

/// A table of daily series for slow fits: `count` series of `points` days.
pub(crate) fn daily_table(folder: &Path, count: usize, points: usize) -> PathBuf {
    let mut csv = String::from("id,day,y\n");
    for series in 0..count {
        let mut state = 12_345 + 7919 * series as u64;
        for point in 0..points {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let noise = (state >> 40) as f64 / (1u64 << 24) as f64;
            let season = (point as f64 * std::f64::consts::TAU / 7.0).sin();
            let (year, day) = (2020 + point / 336, point % 336);
            let value = 100.0 + series as f64 + 0.05 * point as f64 + 10.0 * season + 8.0 * noise;
            csv.push_str(&format!("s{series:04},{year}-{:02}-{:02},{value:.3}\n", 1 + day / 28, 1 + day % 28));
        }
    }
    let path = folder.join("daily.csv");
    fs::write(&path, csv).expect("the table can be written");
    path
}

/// A model that takes about a second per series: thousands of simulated paths, thousands of steps long.
pub(crate) const SLOW_MODEL: &str =
    r#"{"name": "ETS", "error": "mul", "trend": "mul", "damped_trend": true, "seasonal": null, "simulations": 10000}"#;

/// Times that go with [`daily_table`] and make [`SLOW_MODEL`] slow.
pub(crate) fn far_times() -> String {
    let days: Vec<String> = (1..=28).map(|day| format!("\"2030-01-{day:02}\"")).collect();
    format!("[{}]", days.join(","))
}

/// A port nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener.local_addr().expect("bound").port()
}

/// A process that serves until it is dropped, and what it has logged.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts a command and waits until it listens on `port`.
    pub(crate) fn start(mut command: Command, port: u16) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the server starts");
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, sink) = (BufReader::new(child.stderr.take().expect("piped")), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                sink.lock().expect("no test panics while it reads the log").push(line);
            }
        });
        let mut server = Self { child, log };
        let listening = wait_for(|| {
            assert!(server.child.try_wait().expect("waitable").is_none(), "the server died:\n{}", server.log());
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        assert!(listening, "the server does not listen on {port}:\n{}", server.log());
        server
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("no test panics while it reads the log").join("\n")
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killable");
        self.child.wait().expect("waitable");
    }

    /// Seconds of processor time it has used.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).expect("alive");
        let after_name = stat.rsplit(')').next().expect("a stat line");
        let ticks: f64 =
            after_name.split_whitespace().skip(11).take(2).map(|t| t.parse::<f64>().expect("a number")).sum();
        ticks / 100.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A scheduler and executors in processes of their own.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) scheduler: Server,
    pub(crate) executors: Vec<Server>,
    pub(crate) master: String,
}

impl Cluster {
    /// Starts a scheduler and `executors` executors with one slot each.
    pub(crate) fn start(executors: usize) -> Self {
        Self::start_with(executors, &[])
    }

    /// The same, executor `n` keeping its data in the folder `n` of `work`.
    pub(crate) fn start_in(executors: usize, work: &Path) -> Self {
        Self::start_each(executors, &[], |n| vec!["--work-dir".to_owned(), text(&work.join(n.to_string())).to_owned()])
    }

    /// The same with more arguments for every process, such as `--conf`.
    pub(crate) fn start_with(executors: usize, more: &[&str]) -> Self {
        Self::start_each(executors, more, |_| Vec::new())
    }

    fn start_each(executors: usize, more: &[&str], own: impl Fn(usize) -> Vec<String>) -> Self {
        let port = free_port();
        let master = format!("ballista://127.0.0.1:{port}");
        let mut command = merlion(&["scheduler", "--port", &port.to_string()]);
        let scheduler = Server::start(
            {
                command.args(more);
                command
            },
            port,
        );
        let executors: Vec<Server> = (0..executors)
            .map(|n| {
                let (port, control) = (free_port(), free_port());
                let mut command = merlion(&["executor", "--master", &master, "--cores", "1"]);
                command
                    .args(["--port", &port.to_string(), "--grpc-port", &control.to_string()])
                    .args(more)
                    .args(own(n));
                Server::start(command, control)
            })
            .collect();
        Self { scheduler, executors, master }
    }
}

/// Sends a signal to a process.
pub(crate) fn signal(pid: u32, name: &str) {
    // The shell's own: a bare machine has no program of that name.
    let status = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status().expect("sh is there");
    assert!(status.success(), "kill -{name} {pid}");
}

/// Waits until a condition holds; whether it did.
pub(crate) fn wait_for(mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

/// Waits for the end of a process.
pub(crate) fn wait_for_end(child: &mut Child) -> ExitStatus {
    let mut status = None;
    let ended = wait_for(|| {
        status = child.try_wait().expect("waitable");
        status.is_some()
    });
    if !ended {
        child.kill().expect("killable");
        panic!("the program did not end within {PATIENCE:?}");
    }
    status.expect("just seen")
}
