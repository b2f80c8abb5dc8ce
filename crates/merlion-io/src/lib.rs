#![doc = include_str!("../README.md")]

pub mod chunk;
pub mod csv;
pub mod dataset;
pub mod path;
pub mod scan;
pub mod spark_text;
pub mod write;
