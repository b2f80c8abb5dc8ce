//! What can be wrong with time stamps and offsets.

/// What can be wrong with time stamps and offsets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// A sampling step cannot be inferred.
    #[error("need at least 2 time stamps to infer the sampling step, got {got}")]
    TooFewTimestamps {
        /// Time stamps there are.
        got: usize,
    },
    /// Time stamps that do not increase.
    #[error("time stamps must increase, but number {position} ({after}) is not after {before}")]
    NotIncreasing {
        /// Position of the offending time stamp, from 0.
        position: usize,
        /// The time stamp before it.
        before: super::Timestamp,
        /// The time stamp.
        after: super::Timestamp,
    },
    /// Text that is no pandas offset.
    #[error("'{text}' is not a time offset: {reason}")]
    InvalidOffset {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A step that stands still or goes backwards.
    #[error("a sampling step must be positive, got {offset}")]
    NotPositive {
        /// The step.
        offset: String,
    },
    /// Text that is no time.
    #[error("'{text}' is not a time: write 2012-11-02 or 2012-11-02 13:30:00")]
    InvalidTime {
        /// The text.
        text: String,
    },
    /// Text that is no span of time.
    #[error("'{text}' is not a span of time: write 4w, 1h or 1 days 02:30:00")]
    InvalidTimedelta {
        /// The text.
        text: String,
    },
    /// A grid with more points than any series needs.
    #[error("a grid of step {step} from {first} to {last} has more than {limit} points; choose a coarser step")]
    GridTooFine {
        /// The step.
        step: String,
        /// Where the grid starts.
        first: super::Timestamp,
        /// Where it ends.
        last: super::Timestamp,
        /// Points allowed.
        limit: usize,
    },
    /// A grid would leave the representable range.
    #[error("time out of the nanosecond range (1677-09-21 to 2262-04-11)")]
    OutOfRange,
}
