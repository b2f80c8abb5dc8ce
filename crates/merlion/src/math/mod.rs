//! Numerical tools that models share: optimisers, random streams, distributions. Slices in, `Vec` or scalars out; no model
//! and no time in here.

pub mod brent;
pub mod exact_sum;
pub mod lbfgsb;
pub mod least_squares;
pub mod normal;
pub mod rng;
pub mod seed;
