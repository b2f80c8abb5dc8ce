//! The aggregate functions.

pub mod forecast;
