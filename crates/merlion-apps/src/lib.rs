#![doc = include_str!("../README.md")]

pub mod args;
pub mod cli;
pub mod error;
pub mod forecast;
pub mod json_arg;
pub mod models;
pub mod progress;
pub mod sql;

pub use error::AppError;
