//! Time: instants, pandas offsets and the sampling grid of a series. Nanoseconds, offsets and calendars are converted here and
//! in `series.rs`, and nowhere else.

mod error;
mod granularity;
mod offset;
mod parse;
mod timedelta;
mod timestamp;

pub use error::TimeError;
pub use granularity::Granularity;
pub(crate) use offset::DAY;
pub(crate) use offset::shift::DateShift;
pub use offset::{CalendarUnit, MonthPosition, Offset};
pub(crate) use timedelta::parse_timedelta;
pub use timestamp::Timestamp;

/// What the tests of this crate's time code share.
#[cfg(test)]
pub(crate) mod testing {
    use super::Timestamp;

    /// The time stamp `2020-01-31` or `2020-01-31 13:30:00`.
    pub(crate) fn stamp(text: &str) -> Timestamp {
        let text = if text.contains(' ') { text.to_owned() } else { format!("{text} 00:00:00") };
        Timestamp::from_utc(chrono::NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f").unwrap()).unwrap()
    }

    /// Time stamps at whole seconds.
    pub(crate) fn seconds(times: &[i64]) -> Vec<Timestamp> {
        times.iter().map(|&s| Timestamp::from_seconds(s).unwrap()).collect()
    }

    /// A linear congruential generator: test data that is the same everywhere.
    pub(crate) struct Lcg(u64);

    impl Lcg {
        pub(crate) fn new(seed: u64) -> Self {
            Self(seed)
        }

        /// A number from 0 to `bound - 1`.
        pub(crate) fn below(&mut self, bound: i64) -> i64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as i64 % bound
        }

        /// A number from -1 to 1.
        pub(crate) fn unit(&mut self) -> f64 {
            self.below(2_000_001) as f64 / 1e6 - 1.0
        }
    }
}
