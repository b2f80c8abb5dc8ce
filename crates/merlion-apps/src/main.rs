//! `merlion`: arguments in, exit code out.

use std::process::ExitCode;

// The system's allocator keeps what a burst of batches took; this one gives it back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    merlion_apps::cli::main()
}
