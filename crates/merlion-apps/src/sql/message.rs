//! What is wrong with a statement, in one line: DataFusion's words without its wrapping, and the nearest table where it names none.

use datafusion::common::TableReference;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::parser::ParserError;
use merlion::nearest::nearest;

/// What layers of the engine put before a message. The kind of an error tells users nothing that its text does not.
const WRAPPINGS: [&str; 14] = [
    "Error during planning: ",
    "Execution error: ",
    "Schema error: ",
    "External error: ",
    "Arrow error: ",
    "Invalid or Unsupported Configuration: ",
    "Object Store error: ",
    "This feature is not implemented: ",
    "Optimizer rule '",
    "type_coercion",
    "caused by",
    "Job failed due to stage ",
    "Task failed due to runtime execution error: ",
    "IO error: ",
];

/// The shells of an error that came through another process, where it was printed for programmers.
const DEBUG_NAMES: [&str; 11] = [
    "DataFusionError",
    "Shared",
    "External",
    "ArrowError",
    "Execution",
    "Plan",
    "Internal",
    "Context",
    "ComputeError",
    "InvalidArgumentError",
    "CastError",
];

/// The error as one line.
pub(super) fn one_line(error: &DataFusionError, context: &SessionContext) -> String {
    let root = error.find_root();
    if let DataFusionError::SQL(parser, _) = root {
        let (ParserError::ParserError(text) | ParserError::TokenizerError(text)) = parser.as_ref() else {
            return "syntax: the statement is nested too deeply".to_owned();
        };
        return format!("syntax: {}", joined(text));
    }
    let text = plain(&root.strip_backtrace());
    match missing_table(&text) {
        Some(table) => no_table(&table, context),
        None => text,
    }
}

/// The text without wrapping and line breaks.
fn plain(text: &str) -> String {
    let text = text.split("\nThis issue was likely caused by a bug").next().unwrap_or(text);
    let mut text = unescaped(text);
    loop {
        let before = text.len();
        text = text.trim_start_matches(['\n', ' ', ':']).trim_end().to_owned();
        for wrapping in WRAPPINGS {
            let Some(rest) = text.strip_prefix(wrapping) else { continue };
            text = match wrapping {
                // `Optimizer rule 'x' failed`, `Job failed due to stage 2 failed: `
                "Optimizer rule '" => rest.split_once("' failed").map_or(rest, |(_, rest)| rest).to_owned(),
                "Job failed due to stage " => rest.split_once(" failed: ").map_or(rest, |(_, rest)| rest).to_owned(),
                _ => rest.to_owned(),
            };
        }
        // `Job 7Hq2ZxR failed: `
        if let Some((id, rest)) = text.strip_prefix("Job ").and_then(|rest| rest.split_once(" failed: "))
            && id.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
        {
            text = rest.to_owned();
        }
        for name in DEBUG_NAMES {
            if let Some(inner) = text.strip_prefix(name).and_then(|rest| rest.strip_prefix('(')?.strip_suffix(')')) {
                // What came with it, such as where it happened, was for programmers.
                let inner = inner.trim_end_matches(", None").trim_end_matches(", Some(\"\")");
                text = inner.trim_matches('"').to_owned();
            }
        }
        if text.len() == before {
            return joined(&text);
        }
    }
}

/// Errors that came through another process are printed for programmers: `Execution("…")`.
fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\\"", "\"").replace("\\'", "'")
}

fn joined(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn missing_table(text: &str) -> Option<String> {
    let table = text.strip_prefix("table '")?.strip_suffix("' not found")?;
    Some(table.to_owned())
}

fn no_table(table: &str, context: &SessionContext) -> String {
    let state = context.state();
    let catalog = &state.config_options().catalog;
    let standard = format!("{}.{}.", catalog.default_catalog, catalog.default_schema);
    let name = table.strip_prefix(&standard).unwrap_or(table);
    let tables = state.schema_for_ref(TableReference::bare(name)).map(|s| s.table_names()).unwrap_or_default();
    match nearest(name, tables.iter().map(String::as_str)) {
        Some(near) => format!("no table '{name}', did you mean '{near}'?"),
        None if name.contains(['/', '.']) => {
            format!("no table '{name}', and no file of a known format (csv, json, parquet, arrow) there")
        }
        None if tables.is_empty() => format!("no table '{name}'; there are no tables yet"),
        None => {
            let mut tables = tables;
            tables.sort();
            format!("no table '{name}'; there are {}", tables.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_is_taken_off_and_lines_are_joined() {
        let cases = [
            ("Error during planning: forecast: option horizon = 0", "forecast: option horizon = 0"),
            ("Schema error: No field named x.\nValid fields are y.", "No field named x. Valid fields are y."),
            ("type_coercion\ncaused by\nError during planning: no", "no"),
            ("Optimizer rule 'simplify_expressions' failed\ncaused by\nError during planning: no", "no"),
            (
                "Execution error: Job aB3 failed: Job failed due to stage 1 failed: Task failed due to runtime execution error: DataFusionError(Execution error: no)",
                "no",
            ),
            (
                "Execution error: Job a1 failed: DataFusionError(Shared(External(ArrowError(DivideByZero, None))))\n",
                "DivideByZero",
            ),
            (
                "Execution error: Job a1 failed: DataFusionError(Execution(\"forecast: \\\"x\\\" is no time\"))",
                "forecast: \"x\" is no time",
            ),
        ];
        for (wrapped, want) in cases {
            assert_eq!(plain(wrapped), want);
        }
    }
}
