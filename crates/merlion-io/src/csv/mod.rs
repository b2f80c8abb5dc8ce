//! Spark's CSV source, natively: bytes of whole lines in, inferred schema or Arrow batches out. Not a general CSV
//! reader: every rule here is one PySpark 3.5 was measured to follow with `inferSchema=true, header=true`.
//!
//! The way through: [`header`] turns the first line of the first file into column names, a [`CsvSurvey`] reads every
//! byte once to find the column types, and a [`CsvDecoder`] reads them a second time into record batches. Spark ends
//! a record at *every* line break, even within quotes, so a file may be cut into byte ranges anywhere: a
//! [`LineRange`] gives each line to exactly one of them.

mod column;
mod decoder;
mod epoch;
mod error;
pub mod header;
mod infer;
mod key_sample;
mod lines;
mod number;
mod record;
pub(crate) mod rows;
mod survey;
mod types;

pub use decoder::{CsvDecoder, DecoderOptions, Projected, Read};
pub use epoch::{EpochUnit, epoch_to_nanos, epoch_unit};
pub use error::DecodeError;
pub use infer::{ColumnInference, Sighting, TimeRange};
pub use key_sample::{KEY_SAMPLE_SIZE, KeySample};
pub use lines::{LineRange, first_line, is_blank, strip_bom};
pub use number::{parse_boolean, parse_decimal, parse_double, parse_int, parse_long};
pub use record::{Record, Records, Splitter};
pub use survey::{CsvSurvey, SurveyOptions};
pub use types::SparkType;
