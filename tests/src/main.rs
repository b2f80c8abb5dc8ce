//! `merlion`, as the tests start it.

use std::process::ExitCode;

fn main() -> ExitCode {
    merlion_apps::cli::main()
}
