//! Spark's JSON source: an object per line. Another tokenizer in front of the types, keys and columns of [`csv`](crate::csv).
//!
//! As in Spark, columns are sorted by name, a missing field is null, quoted dates are texts until something reads them as
//! times, and numbers without a fraction are `bigint`. A line that is no object is passed over and counted.

mod decoder;
mod object;
mod survey;

pub use decoder::JsonDecoder;
pub use object::{Malformed, Object, Value};
pub use survey::{BadLines, JsonSurvey};
