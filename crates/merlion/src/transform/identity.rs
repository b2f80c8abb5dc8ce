//! The transform that leaves the series alone.

use serde::{Deserialize, Serialize};

use crate::series::TimeSeries;

/// Leaves the series alone. It has nothing to configure and nothing to learn, so it is its own fitted form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Identity;

impl Identity {
    /// The name in transform JSON.
    pub const NAME: &'static str = "Identity";

    /// The series itself, sharing its data.
    #[must_use]
    pub fn apply(&self, series: &TimeSeries) -> TimeSeries {
        series.clone()
    }
}
