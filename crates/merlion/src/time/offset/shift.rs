//! The difference of two instants in calendar terms (months, then days and less), which pandas calls a `DateOffset`: it moves a
//! whole grid so that its last point falls on a given instant.

use super::DAY;
use super::anchor::{first_of, last_of, month_and_day};
use crate::time::Timestamp;

/// A shift by calendar months, then by a fixed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateShift {
    months: i64,
    nanos: i64,
}

impl DateShift {
    /// The shift that takes `from` to `to` field by field: months, day of the month, time of day.
    pub(crate) fn between(from: Timestamp, to: Timestamp) -> Self {
        let ((month_from, day_from), (month_to, day_to)) = (month_and_day(from.days()), month_and_day(to.days()));
        Self {
            months: month_to - month_from,
            nanos: (day_to - day_from) * DAY + (to.nanos_of_day() - from.nanos_of_day()),
        }
    }

    /// Whether nothing moves.
    pub(crate) const fn is_zero(self) -> bool {
        self.months == 0 && self.nanos == 0
    }

    /// `t` shifted; the day of the month is cut to the target month's length before the fixed part is added.
    pub(crate) fn apply(self, t: Timestamp) -> Option<Timestamp> {
        let moved = if self.months == 0 {
            t
        } else {
            let (month, day_of_month) = month_and_day(t.days());
            let month = month + self.months;
            let day = (first_of(month)? + day_of_month - 1).min(last_of(month)?);
            Timestamp::from_day(day, t.nanos_of_day())?
        };
        moved.checked_add(self.nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::stamp;

    #[test]
    fn months_come_before_days() {
        // As pandas: Timestamp("2020-01-31") + DateOffset(months=1, days=-14) is 2020-02-15.
        let shift = DateShift::between(stamp("2020-02-29"), stamp("2020-03-15 06:00:00"));
        assert_eq!(shift.apply(stamp("2020-01-31")), Some(stamp("2020-02-15 06:00:00")));
        assert_eq!(shift.apply(stamp("2020-02-29")), Some(stamp("2020-03-15 06:00:00")));
        assert!(DateShift::between(stamp("2020-02-29"), stamp("2020-02-29")).is_zero());
    }
}
