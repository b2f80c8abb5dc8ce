//! Numerical tools that models share: optimisers, random streams, distributions. Slices in, `Vec` or scalars out; no model
//! and no time in here.

pub mod brent;
pub mod dense;
pub mod lbfgsb;
pub mod normal;
pub mod rng;
pub mod seed;
pub mod unit_root;
