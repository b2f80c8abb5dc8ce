//! Tests that cross crates. They start the real program, on loopback, and stop what they started by process id.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says where")]

/// Wrong command lines, wrong data: one clear line, the right exit code, nothing half-written.
mod bad_input;
/// Ending a job from outside.
mod cancel;
/// Executors that die.
mod chaos;
/// One job in one process and in several.
mod distributed;
/// The examples of the documentation.
mod docs;
/// The flags that Merlion does not have.
mod flags;
/// What the forecast app writes.
mod forecast_app;
/// Formats of tables and of outputs.
mod formats;
/// Sums that add up.
mod hierarchy;
/// Less memory than a partition needs.
mod memory;
/// The plan of each job, frozen.
mod plans;
/// What the tests share.
mod program;
/// Storage that is not a local disk.
mod s3;
/// The functions in SQL.
mod sql;
/// The shell.
mod sql_shell;
