//! Whole numbers as times, which Spark refuses and this project reads (W-13): the unit is told by the magnitude.

/// What a number of an epoch time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EpochUnit {
    /// Seconds since 1970-01-01T00:00:00Z.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
    Nanoseconds,
}

/// The unit of an epoch time, from its magnitude: below 1e11 seconds (until the year 5138), below 1e14 milliseconds,
/// below 1e17 microseconds, else nanoseconds.
///
/// Each unit so reaches from early 1973 on; times nearer to 1970 than that are told right only in seconds. The bounds
/// are pandas' habit, not Spark's: Spark casts no number to a date.
///
/// ```
/// # use merlion_io::csv::{EpochUnit, epoch_unit};
/// assert_eq!(epoch_unit(1_351_814_400), EpochUnit::Seconds);
/// assert_eq!(epoch_unit(1_351_814_400_000), EpochUnit::Milliseconds);
/// ```
pub fn epoch_unit(value: i64) -> EpochUnit {
    match value.unsigned_abs() {
        0..100_000_000_000 => EpochUnit::Seconds,
        100_000_000_000..100_000_000_000_000 => EpochUnit::Milliseconds,
        100_000_000_000_000..100_000_000_000_000_000 => EpochUnit::Microseconds,
        _ => EpochUnit::Nanoseconds,
    }
}

/// Nanoseconds since 1970-01-01T00:00:00Z of an epoch time; `None` beyond the year 2262.
///
/// ```
/// # use merlion_io::csv::epoch_to_nanos;
/// assert_eq!(epoch_to_nanos(1_351_814_400), Some(1_351_814_400_000_000_000));
/// assert_eq!(epoch_to_nanos(99_999_999_999), None); // the year 5138
/// ```
pub fn epoch_to_nanos(value: i64) -> Option<i64> {
    value.checked_mul(match epoch_unit(value) {
        EpochUnit::Seconds => 1_000_000_000,
        EpochUnit::Milliseconds => 1_000_000,
        EpochUnit::Microseconds => 1_000,
        EpochUnit::Nanoseconds => 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instant_in_four_units_is_one_instant() {
        let nanos = 1_351_814_400_123_456_789;
        for (value, want) in [
            (1_351_814_400, 1_351_814_400_000_000_000),
            (1_351_814_400_123, 1_351_814_400_123_000_000),
            (1_351_814_400_123_456, 1_351_814_400_123_456_000),
            (nanos, nanos),
            (-1, -1_000_000_000),
            (0, 0),
        ] {
            assert_eq!(epoch_to_nanos(value), Some(want), "{value}");
        }
        assert_eq!(epoch_unit(i64::MIN), EpochUnit::Nanoseconds);
    }
}
