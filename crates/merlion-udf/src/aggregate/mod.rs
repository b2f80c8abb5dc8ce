//! The aggregate functions.

pub mod forecast;
pub mod reconcile;
pub mod spark_aggregate;
