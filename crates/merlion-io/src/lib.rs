#![doc = include_str!("../README.md")]

mod bytes;
pub mod chunk;
pub mod csv;
pub mod dataset;
pub mod format;
mod glob;
pub mod json;
mod parquet;
pub mod path;
pub mod scan;
pub mod spark_text;
mod survey;
pub mod write;
