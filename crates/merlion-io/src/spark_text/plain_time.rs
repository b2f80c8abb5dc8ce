//! The fast way to read the usual tokens of a time column, `yyyy-MM-dd` and `yyyy-MM-dd HH:mm:ss`: the day of the last
//! token is kept, with its midnight in the session's zone. Everything else is left to the general readers.

use super::time::{SECONDS_PER_DAY, iso_date, iso_time};
use super::zone::SessionZone;

/// A plain time: a day, and a second of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlainTime {
    /// Days since 1970-01-01, of the local date in the token.
    pub(crate) days: i64,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub(crate) instant: i64,
    /// The day is as long as a day: no change of clocks, so every local time of it exists, on that same day.
    pub(crate) regular: bool,
}

/// Reads plain times in one zone.
#[derive(Debug, Clone)]
pub(crate) struct PlainTimes {
    date: [u8; 10],
    days: i64,
    midnight: i64,
    regular: bool,
}

impl Default for PlainTimes {
    /// Knows no day yet: no token has zero bytes for a date.
    fn default() -> Self {
        Self { date: [0; 10], days: 0, midnight: 0, regular: false }
    }
}

impl PlainTimes {
    /// The time of a plain token, `None` for any other. Always to be asked with the same zone.
    #[inline]
    pub(crate) fn read(&mut self, token: &[u8], zone: &SessionZone) -> Option<PlainTime> {
        let (date, rest) = token.split_first_chunk::<10>()?;
        let second = match rest {
            [] => 0,
            [b' ' | b'T', time @ ..] => iso_time(<&[u8; 8]>::try_from(time).ok()?)?,
            _ => return None,
        };
        if *date != self.date {
            self.days = iso_date(date)?;
            self.date = *date;
            let local = self.days * SECONDS_PER_DAY;
            self.midnight = zone.instant_of(local);
            self.regular = zone.instant_of(local + SECONDS_PER_DAY) - self.midnight == SECONDS_PER_DAY
                && zone.local_of(self.midnight) == local;
        }
        let instant = match self.regular {
            true => self.midnight + second,
            false => zone.instant_of(self.days * SECONDS_PER_DAY + second),
        };
        Some(PlainTime { days: self.days, instant, regular: self.regular })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MICROS_PER_SECOND, parse_timestamp};
    use super::*;

    #[test]
    fn plain_times_are_those_of_the_general_reader_through_a_year_of_each_zone() {
        for name in ["UTC", "+05:30", "America/Los_Angeles", "America/Sao_Paulo", "Pacific/Apia", "Australia/Lord_Howe"]
        {
            let zone: SessionZone = name.parse().unwrap();
            let mut plain = PlainTimes::default();
            for month in 1..=12 {
                for day in 1..=31 {
                    for time in ["", " 00:00:00", "T00:30:00", " 02:15:59", " 23:59:59"] {
                        let token = format!("2011-{month:02}-{day:02}{time}");
                        let got = plain.read(token.as_bytes(), &zone);
                        let want = parse_timestamp(token.as_bytes(), &zone).map(|micros| micros / MICROS_PER_SECOND);
                        assert_eq!(got.map(|time| time.instant), want, "{token} in {name}");
                        if let Some(time) = got.filter(|time| time.regular) {
                            assert_eq!(zone.local_of(time.instant).div_euclid(SECONDS_PER_DAY), time.days, "{token}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn other_tokens_are_left_to_the_general_reader() {
        let mut plain = PlainTimes::default();
        for token in ["", "2012-11-2", "2012-11-02 ", "2012-11-02 1:2:3", "2012-11-02 00:00:00Z", "2012-02-30", "x"] {
            assert_eq!(plain.read(token.as_bytes(), &SessionZone::Utc), None, "{token}");
        }
    }
}
