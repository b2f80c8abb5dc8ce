//! The two kinds of models.

use std::fmt;

/// Whether a model forecasts or detects anomalies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It forecasts.
    Forecaster,
    /// It detects anomalies.
    Detector,
}

impl Kind {
    /// The kind this one is not.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Forecaster => Self::Detector,
            Self::Detector => Self::Forecaster,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forecaster => "forecaster",
            Self::Detector => "detector",
        })
    }
}
