//! From the first line of a file to column names, and which files Spark reads at all. Pure functions of text.

use std::collections::HashMap;

use super::record::split_line;

/// The column names of a header line, without a byte order mark, by Spark's rules: an empty name becomes `_c<position>`,
/// and names that are equal but for case get their position as suffix, all of them.
///
/// ```
/// # use merlion_io::csv::header::column_names;
/// assert_eq!(column_names(b"a,,A,\"b c\""), ["a0", "_c1", "A2", "b c"]);
/// ```
pub fn column_names(header: &[u8]) -> Vec<String> {
    let names: Vec<String> = split_line(header).iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for name in &names {
        *seen.entry(name.to_lowercase()).or_default() += 1;
    }
    names
        .into_iter()
        .enumerate()
        .map(|(position, name)| match seen.get(&name.to_lowercase()) {
            _ if name.is_empty() => format!("_c{position}"),
            Some(2..) => format!("{name}{position}"),
            _ => name,
        })
        .collect()
}

/// Whether Spark leaves out a file (or folder) of this name, even if it is asked for by name: `_SUCCESS`, `.part.crc`.
///
/// Folders of partitioned data, `_col=value`, are no hidden ones; a file still being copied is.
pub fn is_hidden(file_name: &str) -> bool {
    let underscore = file_name.starts_with('_') && !file_name.contains('=');
    let metadata = file_name.starts_with("_common_metadata") || file_name.starts_with("_metadata");
    (underscore && !metadata) || file_name.starts_with('.') || file_name.ends_with("._COPYING_")
}

/// Column and value of a partition folder's name, `Store=1`. `None` as value is Spark's null partition.
///
/// ```
/// # use merlion_io::csv::header::partition_folder;
/// assert_eq!(partition_folder("Store=1"), Some(("Store", Some("1"))));
/// assert_eq!(partition_folder("Store=__HIVE_DEFAULT_PARTITION__"), Some(("Store", None)));
/// assert_eq!(partition_folder("plain"), None);
/// ```
pub fn partition_folder(folder_name: &str) -> Option<(&str, Option<&str>)> {
    let (column, value) =
        folder_name.split_once('=').filter(|(column, value)| !column.is_empty() && !value.is_empty())?;
    Some((column, Some(value).filter(|&value| value != "__HIVE_DEFAULT_PARTITION__")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_safe_as_spark_makes_them() {
        let cases: [(&str, &[&str]); 8] = [
            ("a,b", &["a", "b"]),
            ("a,a,A,b", &["a0", "a1", "A2", "b"]),
            ("a,,b", &["a", "_c1", "b"]),
            (" a , b", &[" a ", " b"]),
            ("a,b,", &["a", "b", "_c2"]),
            ("\"a\",\"b c\"", &["a", "b c"]),
            ("ü,b", &["ü", "b"]),
            ("a\tb", &["a\tb"]),
        ];
        for (header, want) in cases {
            assert_eq!(column_names(header.as_bytes()), want, "{header}");
        }
    }

    #[test]
    fn hidden_files_begin_with_an_underscore_or_a_dot() {
        for name in ["_SUCCESS", "_hidden.csv", ".dot.csv", ".part-00000.csv.crc"] {
            assert!(is_hidden(name), "{name}");
        }
        for name in ["part-00000.csv", "notes.txt", "_year=2012", "a_b.csv"] {
            assert!(!is_hidden(name), "{name}");
        }
    }
}
