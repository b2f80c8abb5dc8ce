//! Ensembles of regression trees: gradient boosting on histograms, random forests, extremely randomised trees. Columns of
//! numbers in, numbers out; no series and no time in here.

pub mod boosting;
pub mod forest;
mod tree;

pub use boosting::{Boosted, Boosting, BoostingSet};
pub use forest::{Forest, ForestSettings, Sampling};
pub use tree::Tree;
