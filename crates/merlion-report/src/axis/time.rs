//! The axis of time: ticks at the starts of years, months, weeks, days, hours, …, in UTC.

use crate::calendar::{DAY, HOUR, MINUTE, Moment, SECOND, start_of_month};

/// A tick of the axis of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimeTick {
    /// Nanoseconds since 1970.
    pub(crate) at: i64,
    /// What tells this tick from its neighbours: `Mar`, `5 Nov`, `06:00`.
    pub(crate) label: String,
    /// What the label is part of (`2012`, `5 Nov 2012`), where that is new.
    pub(crate) context: Option<String>,
}

/// The distance between two ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Parts of a day, which count from midnight.
    Clock(i64),
    /// Whole days; multiples of seven count from a Monday.
    Days(i64),
    /// Calendar months; multiples of twelve count from a year that they divide.
    Months(i64),
}

/// Fractions of a second come from powers of ten, all others from here, in ascending order.
const STEPS: [Step; 29] = [
    Step::Clock(SECOND),
    Step::Clock(2 * SECOND),
    Step::Clock(5 * SECOND),
    Step::Clock(15 * SECOND),
    Step::Clock(30 * SECOND),
    Step::Clock(MINUTE),
    Step::Clock(2 * MINUTE),
    Step::Clock(5 * MINUTE),
    Step::Clock(15 * MINUTE),
    Step::Clock(30 * MINUTE),
    Step::Clock(HOUR),
    Step::Clock(2 * HOUR),
    Step::Clock(3 * HOUR),
    Step::Clock(6 * HOUR),
    Step::Clock(12 * HOUR),
    Step::Days(1),
    Step::Days(2),
    Step::Days(7),
    Step::Days(14),
    Step::Months(1),
    Step::Months(2),
    Step::Months(3),
    Step::Months(6),
    Step::Months(12),
    Step::Months(24),
    Step::Months(60),
    Step::Months(120),
    Step::Months(240),
    Step::Months(600),
];

impl Step {
    /// The least step that makes at most so many ticks in a span, give or take the one at its start.
    fn for_span(span: i128, target: i128, finest: i128) -> Self {
        let fractions = (0..9).flat_map(|power| [1, 2, 5].map(|multiple| Self::Clock(multiple * 10i64.pow(power))));
        fractions
            .chain(STEPS)
            .find(|step| step.nanos() >= finest && span <= step.nanos() * target)
            .unwrap_or(Self::Months(600))
    }

    /// How long it is, a month being taken at its mean.
    fn nanos(self) -> i128 {
        match self {
            Self::Clock(nanos) => i128::from(nanos),
            Self::Days(days) => i128::from(days) * i128::from(DAY),
            Self::Months(months) => i128::from(months) * i128::from(DAY) * 30_436_875 / 1_000_000,
        }
    }

    /// The ticks of this step between two times, both included.
    fn times(self, start: i64, end: i64) -> Vec<i64> {
        let regular = |nanos: i64, phase: i64| {
            let (nanos, phase) = (i128::from(nanos), i128::from(phase));
            let first = (i128::from(start) - phase + nanos - 1).div_euclid(nanos);
            (first..).map(|k| k * nanos + phase).take_while(|at| *at <= i128::from(end)).collect::<Vec<_>>()
        };
        let times = match self {
            Self::Clock(nanos) => regular(nanos, 0),
            // 1970 began on a Thursday; its fifth day was a Monday.
            Self::Days(days) if days % 7 == 0 => regular(days * DAY, 4 * DAY),
            Self::Days(days) => regular(days * DAY, 0),
            Self::Months(months) => {
                let from = Moment::from_nanos(start);
                let first = (from.year * 12 + from.month - 1).div_euclid(months);
                (first..)
                    .map(|k| start_of_month(k * months))
                    .skip_while(|at| *at < i128::from(start))
                    .take_while(|at| *at <= i128::from(end))
                    .collect()
            }
        };
        times.into_iter().filter_map(|at| i64::try_from(at).ok()).collect()
    }

    /// What a tick of this step says, and what that is part of.
    fn texts(self, at: i64) -> (String, String) {
        let moment = Moment::from_nanos(at);
        let (hour, minute, second, nanos) = moment.clock();
        let (year, month, day) = (moment.year, moment.month_name(), moment.day);
        match self {
            Self::Months(months) if months % 12 == 0 => (year.to_string(), String::new()),
            Self::Months(_) => (month.to_owned(), year.to_string()),
            Self::Days(_) => (format!("{day} {month}"), year.to_string()),
            Self::Clock(nanos) if nanos % MINUTE == 0 => {
                (format!("{hour:02}:{minute:02}"), format!("{day} {month} {year}"))
            }
            Self::Clock(nanos) if nanos % SECOND == 0 => {
                (format!("{hour:02}:{minute:02}:{second:02}"), format!("{day} {month} {year}"))
            }
            Self::Clock(step) => {
                let digits = if step % 1_000_000 == 0 { 3 } else { 9 };
                let fraction = nanos / 10i64.pow(9 - digits);
                let width = digits as usize;
                (format!("{second:02}.{fraction:0width$}"), format!("{day} {month} {year}, {hour:02}:{minute:02}"))
            }
        }
    }
}

/// At most `target` ticks (and one more if the span begins with one) between two times, both included; no closer to each other than
/// `finest` nanoseconds, because a series of dates has no hours.
pub(crate) fn time_ticks(start: i64, end: i64, target: usize, finest: i64) -> Vec<TimeTick> {
    let span = i128::from(end) - i128::from(start);
    if span < 0 {
        return Vec::new();
    }
    let step = Step::for_span(span, target.max(1) as i128, i128::from(finest));
    let mut before = String::new();
    let tick = |at| {
        let (label, context) = step.texts(at);
        let is_new = context != before;
        before.clone_from(&context);
        TimeTick { at, label, context: is_new.then_some(context) }
    };
    step.times(start, end).into_iter().map(tick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: i64, month: i64, day: i64) -> i64 {
        i64::try_from(start_of_month(year * 12 + month - 1)).unwrap() + (day - 1) * DAY
    }

    fn texts(start: i64, end: i64) -> Vec<String> {
        let text = |tick: TimeTick| match tick.context {
            None => tick.label,
            Some(context) => format!("{} ({context})", tick.label),
        };
        time_ticks(start, end, 6, 1).into_iter().map(text).collect()
    }

    #[test]
    fn ticks_are_inside_the_span_ascending_and_few() {
        let starts = [0, -1, at(2012, 2, 29), at(1999, 12, 31) + 23 * HOUR, at(1700, 5, 5), i64::MIN];
        let mut span = 10i64;
        while span < 170 * 365 * DAY {
            for start in starts {
                let Some(end) = start.checked_add(span) else { continue };
                for target in [3, 8] {
                    let ticks = time_ticks(start, end, target, 1);
                    assert!(ticks.len() <= target + 1, "{} ticks of {target} over {span} ns", ticks.len());
                    assert!(
                        ticks.iter().all(|tick| (start..=end).contains(&tick.at)),
                        "{ticks:?} from {start} to {end}"
                    );
                    assert!(ticks.windows(2).all(|pair| pair[0].at < pair[1].at), "{ticks:?}");
                }
            }
            span = span / 3 * 5 + 1;
        }
    }

    #[test]
    fn neighbours_can_be_told_apart() {
        let mut span = 100i64;
        while span < 170 * 365 * DAY {
            let ticks = time_ticks(at(1750, 3, 3), at(1750, 3, 3) + span, 8, 1);
            for pair in ticks.windows(2) {
                assert!(pair[0].label != pair[1].label || pair[1].context.is_some(), "{pair:?} over {span} ns");
            }
            span = span / 3 * 5 + 1;
        }
    }

    #[test]
    fn labels_follow_the_range() {
        assert_eq!(texts(at(2003, 6, 1), at(2012, 11, 2)), ["2004", "2006", "2008", "2010", "2012"]);
        assert_eq!(texts(at(2011, 9, 20), at(2012, 3, 5)), ["Oct (2011)", "Nov", "Dec", "Jan (2012)", "Feb", "Mar"]);
        assert_eq!(
            texts(at(2012, 12, 15), at(2013, 1, 14)),
            ["17 Dec (2012)", "24 Dec", "31 Dec", "7 Jan (2013)", "14 Jan"]
        );
        assert_eq!(
            texts(at(2012, 11, 2), at(2012, 11, 3) + HOUR),
            ["00:00 (2 Nov 2012)", "06:00", "12:00", "18:00", "00:00 (3 Nov 2012)"]
        );
        let noon = at(2012, 11, 2) + 12 * HOUR;
        assert_eq!(texts(noon, noon + SECOND)[..2], ["00.000 (2 Nov 2012, 12:00)", "00.200"]);
    }

    #[test]
    fn weeks_begin_on_mondays() {
        // 2012-11-05 was a Monday.
        let ticks = time_ticks(at(2012, 11, 1), at(2012, 12, 5), 6, 1);
        assert_eq!(ticks[0].at, at(2012, 11, 5));
        assert_eq!(ticks[1].at, at(2012, 11, 12));
    }

    #[test]
    fn a_series_of_dates_has_no_hours() {
        let labels =
            |finest| time_ticks(at(2012, 11, 2), at(2012, 11, 4), 8, finest).into_iter().map(|tick| tick.label);
        assert_eq!(labels(DAY).collect::<Vec<_>>(), ["2 Nov", "3 Nov", "4 Nov"]);
        assert_eq!(labels(MINUTE).nth(1).unwrap(), "06:00");
    }

    #[test]
    fn a_single_moment_has_its_tick_if_it_is_a_round_one() {
        assert_eq!(time_ticks(0, 0, 6, 1).len(), 1);
        assert!(time_ticks(1, 0, 6, 1).is_empty());
    }
}
