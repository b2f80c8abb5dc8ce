//! How far a job is: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Shows how far a job is.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A bar if standard error is a terminal, lines if it is not.
    #[must_use]
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {pos}/{len} series {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { bar }
    }

    /// Shows nothing.
    #[must_use]
    pub const fn hidden() -> Self {
        Self { bar: None }
    }

    /// What is being done.
    pub fn stage(&self, name: &'static str) {
        match &self.bar {
            Some(bar) => bar.set_message(name),
            None => log::info!("{name}"),
        }
    }

    /// How often [`Progress::series`] is worth calling.
    #[must_use]
    pub fn interval(&self) -> Duration {
        if self.bar.is_some() { Duration::from_millis(500) } else { Duration::from_secs(10) }
    }

    /// Series written so far, and in all.
    pub fn series(&self, done: u64, all: u64) {
        match &self.bar {
            Some(bar) => {
                bar.set_length(all);
                bar.set_position(done);
            }
            None => eprintln!("{done} of {all} series"),
        }
    }

    /// Takes the bar away.
    pub fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.done();
    }
}
