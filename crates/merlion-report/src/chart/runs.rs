//! Where a line is broken: at values that are not finite, and at times that are missing.

/// Nanoseconds since 1970 in UTC, and the value. A value that is not a number is a gap.
pub type Point = (i64, f64);

/// The runs of finite points no further apart than `bridge` nanoseconds.
pub(super) fn runs(points: &[Point], bridge: i64) -> Vec<&[Point]> {
    let missing = |pair: &[Point]| !pair[0].1.is_finite() || !pair[1].1.is_finite() || apart(pair) > bridge;
    let mut runs = Vec::new();
    let mut start = 0;
    for (at, pair) in points.windows(2).enumerate() {
        if missing(pair) {
            runs.push(&points[start..=at]);
            start = at + 1;
        }
    }
    runs.push(&points[start..]);
    runs.retain(|run| run.first().is_some_and(|(_, value)| value.is_finite()));
    runs
}

/// The longest time in nanoseconds between two neighbours that is not a gap: half as much again as the distance that nine in ten
/// neighbours keep. So weekends are not gaps in a series of working days, and neither are the days by which months differ.
pub(crate) fn longest_bridge(points: &[Point]) -> i64 {
    let mut distances: Vec<i64> = points.windows(2).map(apart).filter(|distance| *distance > 0).collect();
    if distances.is_empty() {
        return i64::MAX;
    }
    let at = (distances.len() - 1) * 9 / 10;
    let (_, usual, _) = distances.select_nth_unstable(at);
    usual.saturating_add(*usual / 2)
}

fn apart(pair: &[Point]) -> i64 {
    pair[1].0.saturating_sub(pair[0].0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(times: &[i64]) -> Vec<Point> {
        times.iter().map(|&time| (time, 1.0)).collect()
    }

    #[test]
    fn a_line_breaks_at_what_is_not_a_number() {
        let points = [(0, f64::NAN), (1, 1.0), (2, 2.0), (3, f64::INFINITY), (4, 4.0), (5, f64::NAN)];
        assert_eq!(runs(&points, 10), [&points[1..3], &points[4..5]]);
        assert!(runs(&[], 10).is_empty());
        assert!(runs(&points[..1], 10).is_empty());
    }

    #[test]
    fn a_line_breaks_where_a_time_is_missing() {
        let points = at(&[0, 7, 14, 28, 35, 42, 49, 56, 63, 70, 77, 84]);
        let bridge = longest_bridge(&points);
        let lengths: Vec<usize> = runs(&points, bridge).iter().map(|run| run.len()).collect();
        assert_eq!(lengths, [3, 9], "bridging {bridge}");
    }

    #[test]
    fn weekends_and_long_months_are_no_gaps() {
        let working: Vec<i64> = (0..365).filter(|day| day % 7 < 5).collect();
        assert_eq!(runs(&at(&working), longest_bridge(&at(&working))).len(), 1);
        let months = at(&[0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]);
        assert_eq!(runs(&months, longest_bridge(&months)).len(), 1);
    }

    #[test]
    fn points_at_one_time_do_not_shorten_the_bridge() {
        assert_eq!(longest_bridge(&at(&[0, 0, 0, 0, 10, 10, 20])), 15);
        assert_eq!(longest_bridge(&at(&[5])), i64::MAX);
        assert_eq!(longest_bridge(&at(&[i64::MIN, i64::MAX])), i64::MAX);
    }
}
