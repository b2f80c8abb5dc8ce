//! JSON on the command line, read as Merlion's apps read it: strictly first, then with single quotes for double ones. A comma before
//! a closing bracket is let pass, because the manifests in circulation have one.

use serde_json::Value;

use crate::error::AppError;

/// Reads the JSON value of a flag.
///
/// # Errors
/// [`AppError::Usage`] naming the flag, what is wrong, and where.
pub fn parse(flag: &str, text: &str) -> Result<Value, AppError> {
    let strict = serde_json::from_str(text);
    let error = match strict {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let relaxed = without_trailing_commas(&text.replace('\'', "\""));
    match serde_json::from_str(&relaxed) {
        Ok(value) => Ok(value),
        // Of two failed readings the one is told that got the quotes right.
        Err(second) => {
            let error = if text.contains('\'') { second } else { error };
            Err(AppError::Usage(format!("{flag}: not JSON: {error}: {text}")))
        }
    }
}

/// Reads a flag that is a JSON list of texts; null and nothing are the empty list.
///
/// # Errors
/// [`AppError::Usage`] naming the flag.
pub fn string_list(flag: &str, text: &str) -> Result<Vec<String>, AppError> {
    let value = parse(flag, text)
        .map_err(|error| AppError::Usage(format!("{error} (a JSON list looks like [\"Store\", \"Dept\"])")))?;
    let items = match &value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(items) => items,
        other => return Err(AppError::Usage(format!("{flag}: expected a JSON list, got {other}"))),
    };
    items
        .iter()
        .map(|item| match item {
            Value::String(name) => Ok(name.clone()),
            other => Err(AppError::Usage(format!("{flag}: expected a JSON list of column names, got {other} in it"))),
        })
        .collect()
}

/// Removes commas that only white space separates from a closing bracket, outside strings.
fn without_trailing_commas(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c == '"' {
            in_string = true;
        } else if c == ',' && text[at + 1..].trim_start().starts_with([']', '}']) {
            continue;
        }
        kept.push(c);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn strict_json_keeps_its_apostrophes() {
        assert_eq!(parse("--x", r#"["it's"]"#).unwrap(), json!(["it's"]));
    }

    #[test]
    fn single_quotes_and_trailing_commas_pass() {
        assert_eq!(parse("--x", "{'a': 'sum', 'b': ['x', ], }").unwrap(), json!({"a": "sum", "b": ["x"]}));
        assert_eq!(parse("--x", r#"["a,]", "b\",]",]"#).unwrap(), json!(["a,]", "b\",]"]));
    }

    #[test]
    fn an_error_names_the_flag_and_the_place() {
        let error = parse("--model", r#"{"name": ETS}"#).unwrap_err().to_string();
        assert!(error.starts_with("--model: not JSON") && error.contains("column 10"), "{error}");
    }

    #[test]
    fn lists_are_lists_of_names() {
        assert_eq!(string_list("--index_cols", "['Store', 'Dept']").unwrap(), ["Store", "Dept"]);
        assert!(string_list("--index_cols", "null").unwrap().is_empty());
        for bad in ["3", "[1]", "{}"] {
            let error = string_list("--index_cols", bad).unwrap_err().to_string();
            assert!(error.starts_with("--index_cols: expected a JSON list"), "{error}");
        }
    }
}
