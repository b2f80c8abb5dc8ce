//! Time-series intelligence: series, transforms and models.

pub mod align;
pub mod evaluate;
pub mod generate;
pub mod hierarchy;
pub mod math;
pub mod models;
pub mod nearest;
pub mod pipeline;
pub mod postprocess;
pub mod seasonality;
pub mod series;
pub mod time;
pub mod transform;
pub mod trees;
