//! The formats of tables, and what the name of a file says of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a table is stored.
///
/// ```
/// # use merlion_io::format::FileFormat;
/// assert_eq!("Parquet".parse(), Ok(FileFormat::Parquet));
/// assert!("orc".parse::<FileFormat>().unwrap_err().to_string().contains("ORC"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    /// Spark's CSV with a header.
    #[default]
    Csv,
    /// Apache Parquet.
    Parquet,
    /// JSON, an object per line.
    Json,
}

impl FileFormat {
    /// What the names of part files end in, without the dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "snappy.parquet",
            Self::Json => "json",
        }
    }

    /// The name it is asked for by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A format that is not read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownFormat {
    /// Spark knows it, this project does not.
    #[error("ORC is not supported: csv, parquet or json")]
    Orc,
    /// Nobody knows it.
    #[error("unknown format: csv, parquet or json")]
    Other,
}

impl FromStr for FileFormat {
    type Err = UnknownFormat;

    /// As Spark's `format(…)`, whatever the case.
    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text.to_ascii_lowercase().as_str() {
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
            "json" => Ok(Self::Json),
            "orc" => Err(UnknownFormat::Orc),
            _ => Err(UnknownFormat::Other),
        }
    }
}

/// How a file of text is compressed, which its name alone says, as in Spark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// `.gz`.
    Gzip,
    /// `.zst`.
    Zstd,
    /// `.bz2`.
    Bzip2,
    /// A compression that is known by name and not read.
    Other,
}

impl Compression {
    /// The compression of the file with this name, if any.
    #[must_use]
    pub fn of(file_name: &str) -> Option<Self> {
        match extension(file_name)?.as_str() {
            "gz" => Some(Self::Gzip),
            "zst" => Some(Self::Zstd),
            "bz2" => Some(Self::Bzip2),
            "xz" | "lz4" | "lzo" | "snappy" | "deflate" | "z" | "br" | "zip" => Some(Self::Other),
            _ => None,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Other => "compressed",
        })
    }
}

/// What a file's name claims about its format, `None` for names that claim nothing, such as `notes.txt`.
pub(crate) fn claimed(file_name: &str) -> Option<&'static str> {
    let plain = match Compression::of(file_name) {
        Some(_) => file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem),
        None => file_name,
    };
    match extension(plain)?.as_str() {
        "csv" => Some("csv"),
        "parquet" | "pq" => Some("parquet"),
        "json" | "jsonl" | "ndjson" => Some("json"),
        "orc" => Some("orc"),
        "avro" => Some("avro"),
        "xls" | "xlsx" => Some("excel"),
        _ => None,
    }
}

fn extension(file_name: &str) -> Option<String> {
    let name = file_name.rsplit('/').next().unwrap_or(file_name);
    name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_format_and_compression() {
        for (name, format, compression) in [
            ("a.csv", Some("csv"), None),
            ("a.CSV.gz", Some("csv"), Some(Compression::Gzip)),
            ("a.jsonl.zst", Some("json"), Some(Compression::Zstd)),
            ("part-0-c000.gz.parquet", Some("parquet"), None),
            ("part-0-c000.snappy.orc", Some("orc"), None),
            ("a.csv.xz", Some("csv"), Some(Compression::Other)),
            ("notes.txt", None, None),
            ("part-00000", None, None),
            ("some.csv/part-00000", None, None),
        ] {
            assert_eq!((claimed(name), Compression::of(name)), (format, compression), "{name}");
        }
    }

    #[test]
    fn formats_are_known_by_name() {
        for format in [FileFormat::Csv, FileFormat::Parquet, FileFormat::Json] {
            assert_eq!(format.to_string().to_uppercase().parse(), Ok(format));
        }
        assert_eq!("orc".parse::<FileFormat>(), Err(UnknownFormat::Orc));
        assert_eq!("delta".parse::<FileFormat>(), Err(UnknownFormat::Other));
    }
}
