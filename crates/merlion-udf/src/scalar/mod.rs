//! The scalar functions.

pub mod interval_bound;
