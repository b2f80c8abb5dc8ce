//! Spark's texts: how the JVM and Spark write numbers, days and instants, how they read days and instants from text,
//! and the CSV and JSON that Spark writes. Nothing here knows files or plans.

pub mod cast;
mod civil;
mod csv_writer;
pub mod java_float;
mod json_writer;
mod plain_time;
mod time;
mod values;
mod zone;

pub use cast::spark_string;
pub use civil::{civil_from_days, days_from_civil};
pub use csv_writer::CsvTextWriter;
pub use java_float::{push_double, push_float};
pub use json_writer::JsonTextWriter;
pub(crate) use plain_time::PlainTimes;
pub use time::{MICROS_PER_SECOND, SECONDS_PER_DAY, is_iso_date, parse_date, parse_timestamp};
pub use time::{push_date, push_timestamp};
pub use values::WriteError;
pub use zone::{SessionZone, UnknownZone};
