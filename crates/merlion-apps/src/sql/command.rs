//! The shell's own commands, which begin with a backslash.

use std::fmt::Write;
use std::io::{Write as _, stdout};

use datafusion::execution::SessionState;
use datafusion::logical_expr::Documentation;
use merlion::nearest::nearest;
use merlion_session::forecast_by;

use super::{Next, Shell};
use crate::error::AppError;

/// What `\?` shows.
const HELP: &str = "\
statements end with a semicolon and may span lines
  \\d            the tables and views
  \\d TABLE      the columns of a table
  \\h            the functions
  \\h FUNCTION   what a function does and takes
  \\timing       tell the time of statements, or no longer
  \\q            end (so does Ctrl-D); Ctrl-C ends a statement
";

const TABLES: &str = "SELECT table_name, table_type FROM information_schema.tables \
                      WHERE table_schema <> 'information_schema' ORDER BY table_name";

impl Shell {
    /// Carries out a command.
    pub(super) async fn command(&mut self, command: &str) -> Result<Next, AppError> {
        let (name, argument) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let argument = argument.trim();
        match (name, argument) {
            ("q" | "quit", "") => return Ok(Next::Stop),
            ("?" | "help", "") => show(HELP),
            ("d", "") => return self.statement(TABLES).await,
            ("d", table) => return self.statement(&format!("DESCRIBE {table}")).await,
            ("h", "") => show(&functions(&self.session.context().state())),
            ("h", function) => show(&function_help(&self.session.context().state(), function)?),
            ("timing", "") => {
                self.timing = !self.timing;
                eprintln!("times are {}", if self.timing { "told" } else { "not told" });
            }
            _ => return Err(AppError::Statement(format!("no command \\{command}; \\? shows those there are"))),
        }
        Ok(Next::Go)
    }
}

/// Writes a text; a reader who has closed the pipe has seen enough.
fn show(text: &str) {
    let _ = stdout().write_all(text.as_bytes());
}

/// Every function by name, those of this project first.
fn functions(state: &SessionState) -> String {
    let mut names: Vec<&str> = all_names(state);
    names.sort_unstable();
    names.dedup();
    let mut text = format!("time series: {}, {}\nothers:", merlion_udf::aggregate::forecast::NAME, forecast_by::NAME);
    let mut width = text.len();
    for name in names {
        if width + name.len() > 118 {
            text.push_str("\n ");
            width = 1;
        }
        text.push(' ');
        text.push_str(name);
        width += name.len() + 1;
    }
    text.push('\n');
    text
}

fn all_names(state: &SessionState) -> Vec<&str> {
    let scalars = state.scalar_functions().keys();
    let aggregates = state.aggregate_functions().keys();
    let windows = state.window_functions().keys();
    scalars.chain(aggregates).chain(windows).chain(state.table_functions().keys()).map(String::as_str).collect()
}

fn function_help(state: &SessionState, name: &str) -> Result<String, AppError> {
    let name = name.trim_end_matches("()").to_lowercase();
    if name == forecast_by::NAME {
        return Ok(table_function_help());
    }
    let documentation = state
        .aggregate_functions()
        .get(&name)
        .map(|function| function.documentation())
        .or_else(|| state.window_functions().get(&name).map(|function| function.documentation()))
        .or_else(|| state.scalar_functions().get(&name).map(|function| function.documentation()));
    match documentation {
        Some(Some(documentation)) => Ok(text_of(documentation)),
        Some(None) => Ok(format!("{name}: no documentation\n")),
        None if state.table_functions().contains_key(&name) => Ok(format!("{name}: a table function\n")),
        None => {
            let meant = nearest(&name, all_names(state));
            let meant = meant.map(|near| format!(", did you mean '{near}'?")).unwrap_or_default();
            Err(AppError::Statement(format!("no function '{name}'{meant}")))
        }
    }
}

fn table_function_help() -> String {
    let arguments: Vec<(String, String)> =
        forecast_by::ARGUMENTS.iter().map(|(name, is)| ((*name).to_owned(), (*is).to_owned())).collect();
    let mut text = format!("{}\n\n  {}\n", forecast_by::SYNTAX, forecast_by::SUMMARY);
    list(&mut text, "arguments", &arguments);
    example(&mut text, forecast_by::EXAMPLE);
    text
}

fn text_of(documentation: &Documentation) -> String {
    let mut text = format!("{}\n\n  {}\n", documentation.syntax_example, documentation.description.trim());
    let (options, arguments): (Vec<_>, Vec<_>) =
        documentation.arguments.iter().flatten().cloned().partition(|(name, _)| name.starts_with("options."));
    list(&mut text, "arguments", &arguments);
    let options: Vec<_> =
        options.into_iter().map(|(name, is)| (name.trim_start_matches("options.").to_owned(), is)).collect();
    list(&mut text, "options", &options);
    if let Some(sql) = &documentation.sql_example {
        example(&mut text, sql);
    }
    text
}

fn list(text: &mut String, title: &str, entries: &[(String, String)]) {
    if entries.is_empty() {
        return;
    }
    let width = entries.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\n{title}");
    for (name, is) in entries {
        let _ = writeln!(text, "  {name:width$}  {}", is.trim());
    }
}

fn example(text: &mut String, sql: &str) {
    let _ = writeln!(text, "\nexample");
    for line in sql.lines().filter(|line| !line.trim_start().starts_with("```")) {
        let _ = writeln!(text, "  {line}");
    }
}
