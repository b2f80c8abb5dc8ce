//! Fewer points for the same picture: of all points in a column of pixels, its extremes and its ends are what can be seen.

use super::runs::Point;

/// The first, the least, the greatest and the last point of each column, in the order of time.
///
/// Columns are numbers that `column` gives to times, ascending with them. With the ends of a column the lines between columns
/// stay where they were (Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014).
pub(super) fn thin(points: &[Point], column: impl Fn(i64) -> i64) -> Vec<Point> {
    let mut kept = Vec::new();
    for members in points.chunk_by(|a, b| column(a.0) == column(b.0)) {
        let last = members.len() - 1;
        let (mut least, mut greatest) = (0, 0);
        for (at, (_, value)) in members.iter().enumerate() {
            if *value < members[least].1 {
                least = at;
            }
            if *value > members[greatest].1 {
                greatest = at;
            }
        }
        let mut chosen = [0, least.min(greatest), least.max(greatest), last].to_vec();
        chosen.dedup();
        kept.extend(chosen.into_iter().map(|at| members[at]));
    }
    kept
}

/// The widest extent of a band in each column, at the column's first time.
pub(super) fn envelope(areas: &[(i64, f64, f64)], column: impl Fn(i64) -> i64) -> Vec<(i64, f64, f64)> {
    let widest = |members: &[(i64, f64, f64)]| {
        let wider = |(time, lower, upper): (i64, f64, f64), other: &(i64, f64, f64)| {
            (time, lower.min(other.1), upper.max(other.2))
        };
        members.iter().skip(1).fold(members[0], wider)
    };
    areas.chunk_by(|a, b| column(a.0) == column(b.0)).map(widest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A curve with spikes at places that no regular sampling would find.
    fn spiky(length: i64) -> Vec<Point> {
        let value = |i: i64| {
            (i as f64 * 0.01).sin() + if i % 977 == 13 { 50.0 } else { 0.0 } - if i % 1_409 == 7 { 80.0 } else { 0.0 }
        };
        (0..length).map(|i| (i, value(i))).collect()
    }

    #[test]
    fn every_column_keeps_its_extremes_and_ends() {
        let points = spiky(20_000);
        let column = |time: i64| time / 37;
        let kept = thin(&points, column);
        for number in 0..=20_000 / 37 {
            let of =
                |points: &[Point]| -> Vec<Point> { points.iter().copied().filter(|p| column(p.0) == number).collect() };
            let (all, kept) = (of(&points), of(&kept));
            let extremes = |points: &[Point]| {
                points.iter().fold((f64::MAX, f64::MIN), |(low, high), (_, value)| (low.min(*value), high.max(*value)))
            };
            assert_eq!(extremes(&kept), extremes(&all), "column {number}");
            assert_eq!((kept.first(), kept.last()), (all.first(), all.last()), "column {number}");
            assert!(kept.len() <= 4, "column {number} keeps {}", kept.len());
        }
        assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0), "the order of time is lost");
    }

    #[test]
    fn a_sparse_line_is_kept_whole() {
        let points = spiky(500);
        assert_eq!(thin(&points, |time| time / 2), points);
        assert!(thin(&[], |time| time).is_empty());
    }

    #[test]
    fn an_envelope_holds_every_area() {
        let areas = [(0, 1.0, 2.0), (1, 0.5, 3.0), (2, 0.7, 5.0), (10, 4.0, 4.5)];
        assert_eq!(envelope(&areas, |time| time / 10), [(0, 0.5, 5.0), (10, 4.0, 4.5)]);
    }
}
