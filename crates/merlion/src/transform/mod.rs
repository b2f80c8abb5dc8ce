//! Transforms: what happens to a series before a model sees it, and what happens to its answers afterwards. A transform is its
//! own configuration; fitting it to a series gives the transform that is applied and inverted. The JSON is Merlion's:
//! `{"name": "TemporalResample", "granularity": "1h"}`. All transforms treat every column alike, and leave missing values (NaN)
//! missing unless they say otherwise.

mod abs_val;
mod box_cox_transform;
mod catalog;
mod difference_transform;
mod error;
mod exponential_moving_average;
mod identity;
mod inversion;
mod json;
mod lag_transform;
mod lower_upper_clip;
mod mean_var_normalize;
mod min_max_normalize;
mod moving_average;
mod moving_percentile;
mod per_column;
mod recursion;
mod rescale;
mod shingle;
mod spec;
mod temporal_resample;
#[cfg(test)]
mod tests;
mod transform_sequence;
mod transform_stack;

pub use abs_val::AbsVal;
pub use box_cox_transform::{BoxCoxTransform, FittedBoxCoxTransform};
pub use catalog::{CATALOG, Entry};
pub use difference_transform::DifferenceTransform;
pub use error::TransformError;
pub use exponential_moving_average::ExponentialMovingAverage;
pub use identity::Identity;
pub use inversion::{HistoryEnd, Inversion, InversionState, RunningAverage};
pub use lag_transform::LagTransform;
pub use lower_upper_clip::LowerUpperClip;
pub(crate) use mean_var_normalize::moments;
pub use mean_var_normalize::{FittedMeanVarNormalize, MeanVarNormalize};
pub use min_max_normalize::{FittedMinMaxNormalize, MinMaxNormalize};
pub use moving_average::{FittedMovingAverage, MovingAverage};
pub use moving_percentile::MovingPercentile;
pub use per_column::PerColumn;
pub use rescale::Rescale;
pub use shingle::Shingle;
pub use spec::{Fitted, FittedTransform, Transform, TransformSpec};
pub use temporal_resample::{FittedTemporalResample, TemporalResample};
pub use transform_sequence::{FittedTransformSequence, TransformSequence};
pub use transform_stack::{FittedTransformStack, TransformStack};
