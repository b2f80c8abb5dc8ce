//! `merlion sql`, free of flags: statements in, results out, in this process or on a cluster.

mod command;
mod edit;
mod format;
mod message;
mod prompt;
mod statements;

use std::io::{BufRead, BufWriter, IsTerminal, stdin, stdout};
use std::time::{Duration, Instant};

use datafusion::arrow::error::ArrowError;
use datafusion::execution::SendableRecordBatchStream;
pub use format::Format;
use format::Printer;
use futures::StreamExt;
use merlion_session::master::Master;
use merlion_session::query::{Query, SqlSession};
use merlion_session::stores::Credentials;
use merlion_session::{MerlionConfig, session_config};
use prompt::{Line, Prompt};
use statements::{Input, Statements};
use tokio::sync::mpsc;

use crate::error::AppError;
use crate::forecast::interrupted;

/// Statements to run, and where.
#[derive(Debug, Clone)]
pub struct SqlJob {
    /// Where to run.
    pub master: Master,
    /// Files of statements; `-` is standard input.
    pub files: Vec<String>,
    /// Statements that come after those of the files.
    pub statements: Vec<String>,
    /// How results are written.
    pub format: Format,
    /// Whether only results are written.
    pub quiet: bool,
    /// Settings of the stores, and the time zone.
    pub settings: MerlionConfig,
    /// Secrets of the stores.
    pub credentials: Credentials,
    /// Memory for all tasks of this process.
    pub memory_limit: Option<usize>,
}

impl SqlJob {
    /// Runs the statements; without any, those of standard input, where a terminal is asked for them one by one.
    ///
    /// # Errors
    /// An [`AppError`] for the first statement that fails, except on a terminal.
    pub async fn run(&self) -> Result<(), AppError> {
        // What can be read is read before a cluster is looked for.
        let texts = self.texts()?;
        let config = session_config()
            .with_option_extension(self.settings.clone())
            .set_str("datafusion.execution.time_zone", &self.settings.time_zone);
        let session = tokio::select! {
            session = SqlSession::connect(&self.master, config, self.credentials.clone(), self.memory_limit) => session?,
            exit = interrupted() => return Err(AppError::Cancelled { exit }),
        };
        let format = match self.format {
            Format::Automatic if stdout().is_terminal() => Format::Table,
            Format::Automatic => Format::Csv,
            format => format,
        };
        let mut shell = Shell { session, format, quiet: self.quiet, timing: true };
        for text in &texts {
            let next = match text {
                Text::Given(text) => shell.run_text(text).await?,
                Text::StandardInput if self.is_interactive() => shell.talk(&self.master).await?,
                Text::StandardInput => shell.run_standard_input().await?,
            };
            if next == Next::Stop {
                break;
            }
        }
        Ok(())
    }

    fn is_interactive(&self) -> bool {
        self.files.is_empty() && self.statements.is_empty() && stdin().is_terminal()
    }

    fn texts(&self) -> Result<Vec<Text>, AppError> {
        let mut texts = Vec::new();
        for file in &self.files {
            texts.push(match file.as_str() {
                "-" => Text::StandardInput,
                path => match std::fs::read_to_string(path) {
                    Ok(text) => Text::Given(text),
                    Err(error) => return Err(AppError::Usage(format!("--file: {path}: {error}"))),
                },
            });
        }
        texts.extend(self.statements.iter().cloned().map(Text::Given));
        if texts.is_empty() {
            texts.push(Text::StandardInput);
        }
        Ok(texts)
    }
}

/// Where statements come from.
enum Text {
    Given(String),
    StandardInput,
}

/// Whether there is more to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Go,
    Stop,
}

/// A session, and how it shows its results.
struct Shell {
    session: SqlSession,
    format: Format,
    quiet: bool,
    /// Whether the time of a statement is told.
    timing: bool,
}

impl Shell {
    async fn run_text(&mut self, text: &str) -> Result<Next, AppError> {
        let mut statements = Statements::default();
        for line in text.lines() {
            for input in statements.push_line(line) {
                if self.run(&input).await? == Next::Stop {
                    return Ok(Next::Stop);
                }
            }
        }
        match statements.finish() {
            Some(input) => self.run(&input).await,
            None => Ok(Next::Go),
        }
    }

    /// Statements run as their lines arrive.
    async fn run_standard_input(&mut self) -> Result<Next, AppError> {
        let (sender, mut lines) = mpsc::channel(16);
        // A thread, because a read that nobody interrupts would keep the process from ending.
        std::thread::spawn(move || {
            for line in stdin().lock().lines() {
                let failed = line.is_err();
                if sender.blocking_send(line).is_err() || failed {
                    return;
                }
            }
        });
        let mut statements = Statements::default();
        loop {
            let line = tokio::select! {
                line = lines.recv() => line,
                exit = interrupted() => return Err(AppError::Cancelled { exit }),
            };
            let Some(line) = line else { break };
            let line = line.map_err(|error| AppError::Data(format!("standard input: {error}")))?;
            for input in statements.push_line(&line) {
                if self.run(&input).await? == Next::Stop {
                    return Ok(Next::Stop);
                }
            }
        }
        match statements.finish() {
            Some(input) => self.run(&input).await,
            None => Ok(Next::Go),
        }
    }

    /// Asks for statements until there are no more. Errors are told and forgotten.
    async fn talk(&mut self, master: &Master) -> Result<Next, AppError> {
        if !self.quiet {
            eprintln!("merlion {} on {master}; \\? for help, \\q to end", env!("CARGO_PKG_VERSION"));
        }
        let mut prompt = Prompt::new();
        let mut statements = Statements::default();
        loop {
            let lead = if statements.is_empty() { "merlion> " } else { "     ... " };
            // The terminal is read here and not on another thread: while it waits there is nothing else to do.
            let line = match prompt.read_line(lead) {
                Ok(Line::Text(line)) => line,
                Ok(Line::Interrupted) => {
                    statements.clear();
                    continue;
                }
                Ok(Line::Ended) => return Ok(Next::Stop),
                Err(error) => return Err(AppError::Data(format!("the terminal: {error}"))),
            };
            for input in statements.push_line(&line) {
                match self.run(&input).await {
                    Ok(Next::Go) => {}
                    Ok(Next::Stop) => return Ok(Next::Stop),
                    // Ctrl-C ends the statement, and a second one at the prompt nothing: \q does.
                    Err(AppError::Cancelled { exit: 130 }) => eprintln!("cancelled"),
                    Err(AppError::Cancelled { exit }) => return Err(AppError::Cancelled { exit }),
                    Err(error) => eprintln!("error: {error}"),
                }
            }
        }
    }

    async fn run(&mut self, input: &Input) -> Result<Next, AppError> {
        match input {
            Input::Statement(sql) => self.statement(sql).await,
            Input::Command(command) => self.command(command).await,
        }
    }

    /// Runs a statement and shows its result.
    async fn statement(&self, sql: &str) -> Result<Next, AppError> {
        let start = Instant::now();
        let interrupt = interrupted();
        tokio::pin!(interrupt);
        let query = tokio::select! {
            query = self.session.query(sql) => match query {
                Ok(query) => query,
                Err(error) => return Err(self.failed(&error).await),
            },
            exit = &mut interrupt => return Err(AppError::Cancelled { exit }),
        };
        let mut batches = match query.execute() {
            Ok(batches) => batches,
            Err(error) => return Err(self.failed(&error).await),
        };
        let shown = tokio::select! {
            shown = self.show(&query, &mut batches) => Some(shown),
            exit = &mut interrupt => {
                query.cancel(batches).await;
                return Err(AppError::Cancelled { exit });
            }
        };
        match shown {
            Some(Ok(rows)) => {
                self.tell(rows, start.elapsed());
                Ok(Next::Go)
            }
            // Whoever read the results has seen enough; a job on a cluster need not go on for nobody.
            Some(Err(Shown::Closed)) | None => {
                query.cancel(batches).await;
                Ok(Next::Stop)
            }
            Some(Err(Shown::Failed(error))) => Err(self.failed(&error).await),
        }
    }

    /// Writes the batches; how many rows there were, if the statement has rows.
    async fn show(&self, query: &Query<'_>, batches: &mut SendableRecordBatchStream) -> Result<Option<usize>, Shown> {
        let state = self.session.context().state();
        let options = (&state.config().options().format).try_into()?;
        let schema = query.schema();
        let has_rows = !schema.fields().is_empty();
        let mut printer = Printer::new(self.format, schema, options, BufWriter::new(stdout()));
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            if has_rows {
                printer.write(batch)?;
            }
        }
        if has_rows { Ok(Some(printer.finish()?)) } else { Ok(None) }
    }

    fn tell(&self, rows: Option<usize>, elapsed: Duration) {
        if self.quiet {
            return;
        }
        let rows = rows.map(|rows| format!("{rows} {}", if rows == 1 { "row" } else { "rows" }));
        let seconds = self.timing.then(|| format!("{:.3} s", elapsed.as_secs_f64()));
        let told: Vec<String> = rows.into_iter().chain(seconds).collect();
        if !told.is_empty() {
            eprintln!("{}", told.join(", "));
        }
    }

    async fn failed(&self, error: &datafusion::error::DataFusionError) -> AppError {
        AppError::Statement(message::one_line(error, self.session.context()))
    }
}

/// Why a result was not shown to its end.
enum Shown {
    /// Nobody reads it any more.
    Closed,
    Failed(datafusion::error::DataFusionError),
}

impl From<datafusion::error::DataFusionError> for Shown {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        Self::Failed(error)
    }
}

impl From<ArrowError> for Shown {
    fn from(error: ArrowError) -> Self {
        match &error {
            ArrowError::IoError(_, cause) if cause.kind() == std::io::ErrorKind::BrokenPipe => Self::Closed,
            // The CSV writer passes on the text of an error only.
            ArrowError::CsvError(text) if text.contains("Broken pipe") => Self::Closed,
            _ => Self::Failed(error.into()),
        }
    }
}
