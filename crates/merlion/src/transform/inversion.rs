//! What there is to know about undoing a transform: whether it can be done, and what it takes beside the transformed series.

use super::TransformError;
use crate::series::TimeSeries;

/// How well a transform can be undone, as data that the pipeline reads. The three words are Merlion's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inversion {
    /// Inverting gives back what went in. Resampling counts as such: forecasts stay on the grid.
    pub proper: bool,
    /// Inverting changes nothing, so that callers can leave it out.
    pub identity: bool,
    /// Inverting needs the [`InversionState`] that applying returned.
    pub requires_state: bool,
}

impl Inversion {
    /// There is nothing to undo.
    pub const NOTHING: Self = Self { proper: true, identity: true, requires_state: false };
    /// What was lost cannot be brought back, and the values are left as they are.
    pub const LEFT_AS_IS: Self = Self { proper: false, identity: true, requires_state: false };
    /// Each value tells what it came from.
    pub const STATELESS: Self = Self { proper: true, identity: false, requires_state: false };
    /// The values tell what they came from together with where they started.
    pub const STATEFUL: Self = Self { proper: true, identity: false, requires_state: true };
    /// It cannot be undone.
    pub const IMPOSSIBLE: Self = Self { proper: false, identity: false, requires_state: true };
}

/// What the inverse of a transform needs to know of the series that was transformed, beside the transformed series itself.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum InversionState {
    /// Nothing.
    #[default]
    Nothing,
    /// The observations that the transformed series does not determine.
    Observations(TimeSeries),
    /// Where the running average of each column stands.
    Averages(Vec<(String, RunningAverage)>),
    /// The state of each transform of a sequence.
    Members(Vec<InversionState>),
    /// Which columns of a stack are inverted, by the name in the stack and the name the member knows, and the member's state.
    Member {
        /// The columns' names: in the stack, and as the member wrote them.
        columns: Vec<(String, String)>,
        /// The member's state.
        state: Box<InversionState>,
    },
}

/// An exponentially weighted average on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunningAverage {
    /// The average so far.
    pub mean: f64,
    /// The weight it has against the next observation, before one step of forgetting.
    pub weight: f64,
}

impl InversionState {
    /// The observations of a state that consists of them.
    pub(super) fn observations(&self, transform: &'static str) -> Result<&TimeSeries, TransformError> {
        match self {
            Self::Observations(series) => Ok(series),
            Self::Nothing => Err(TransformError::WrongState { transform, reason: "there is none".to_owned() }),
            _ => Err(TransformError::WrongState { transform, reason: "it is another transform's".to_owned() }),
        }
    }
}

/// What carrying back a forecast needs to know of the series that the forecast continues: the same kinds of things as an
/// [`InversionState`], but of the series' end, so the two are not to be confused.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEnd(pub(super) InversionState);
