//! Numerical tools that models share: optimisers, random streams, distributions. Slices in, `Vec` or scalars out; no model
//! and no time in here.

pub mod brent;
pub mod dense;
pub mod exact_sum;
pub mod fft;
pub mod kd_tree;
pub mod lbfgsb;
pub mod least_squares;
pub mod ln_gamma;
pub mod normal;
pub mod pchip;
pub mod quantile;
pub mod rng;
pub mod rows;
pub mod seed;
pub mod tails;
pub mod unit_root;
