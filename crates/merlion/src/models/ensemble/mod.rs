//! Ensembles: how the answers of several models become one.

mod combiner;

pub use combiner::{Combination, Combiner, FittedCombiner, Output};
