//! From times and values to paths. Coordinates are whole numbers, so that relative steps add up exactly and texts stay short.

use std::fmt::Write;

use super::runs::Point;
use super::thin::envelope;
use crate::axis::LARGEST;

/// Units across; a column of pixels on a wide page is ten of them.
const WIDTH: f64 = 9_600.0;
const COLUMN: f64 = 10.0;

/// A rectangle of times and values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Canvas {
    times: (i64, i64),
    values: (f64, f64),
    height: i64,
}

impl Canvas {
    /// `height` in the units of the width, of which there are 9,600. Neither span may be empty.
    pub(super) fn new(times: (i64, i64), values: (f64, f64), height: i64) -> Self {
        Self { times, values, height }
    }

    pub(super) fn times(&self) -> (i64, i64) {
        self.times
    }

    /// How far from the left a time is, from 0 to 1.
    pub(super) fn across(&self, time: i64) -> f64 {
        let from_start = |time: i64| (i128::from(time) - i128::from(self.times.0)) as f64;
        (from_start(time) / from_start(self.times.1)).clamp(0.0, 1.0)
    }

    /// How far from the top a value is: from 0 to 1, and somewhat beyond for values that are not on the canvas.
    pub(super) fn down(&self, value: f64) -> f64 {
        let (low, high) = self.values;
        ((high - value.clamp(-LARGEST, LARGEST)) / (high - low)).clamp(-0.5, 1.5)
    }

    /// The column of pixels of a time.
    pub(super) fn column(&self, time: i64) -> i64 {
        (self.across(time) * WIDTH / COLUMN) as i64
    }

    fn place(&self, (time, value): Point) -> (i64, i64) {
        ((self.across(time) * WIDTH).round() as i64, (self.down(value) * self.height as f64).round() as i64)
    }

    /// The start of the `svg` that holds the paths.
    pub(super) fn open(&self) -> String {
        format!(
            "<svg class=\"curves\" viewBox=\"0 0 {WIDTH} {}\" preserveAspectRatio=\"none\" width=\"100%\" height=\"100%\">\n",
            self.height
        )
    }

    /// A line through each run of points, the first of them starting from a point of another line.
    pub(super) fn line(&self, class: &str, runs: &[Vec<Point>], from: Option<Point>) -> String {
        let mut path = String::new();
        for (at, run) in runs.iter().enumerate() {
            let from = from.filter(|(_, value)| at == 0 && value.is_finite());
            let places: Vec<_> = from.into_iter().chain(run.iter().copied()).map(|point| self.place(point)).collect();
            if places.len() > 1 {
                trace(&mut path, &places);
            }
        }
        if path.is_empty() { path } else { format!("<path class=\"line {class}\" d=\"{path}\"/>\n") }
    }

    /// A dot on each point.
    pub(super) fn dots<'p>(&self, class: &str, points: impl IntoIterator<Item = &'p Point>) -> String {
        let mut path = String::new();
        for point in points {
            let (x, y) = self.place(*point);
            let _ = write!(path, "M{x} {y}h0");
        }
        if path.is_empty() { path } else { format!("<path class=\"dots {class}\" d=\"{path}\"/>\n") }
    }

    /// The area between two curves, as (time, lower, upper); where it has a single time, a bar.
    pub(super) fn band(&self, areas: &[(i64, f64, f64)]) -> String {
        let (mut path, mut bars) = (String::new(), String::new());
        let is_drawn = |(_, lower, upper): &(i64, f64, f64)| lower.is_finite() && upper.is_finite();
        for run in areas.chunk_by(|a, b| is_drawn(a) == is_drawn(b)).filter(|run| is_drawn(&run[0])) {
            let run = envelope(run, |time| self.column(time));
            let lower = run.iter().rev().map(|&(time, lower, _)| self.place((time, lower)));
            let outline: Vec<_> = run.iter().map(|&(time, _, upper)| self.place((time, upper))).chain(lower).collect();
            if run.len() == 1 {
                trace(&mut bars, &outline);
            } else {
                trace(&mut path, &outline);
                path.push('z');
            }
        }
        let mut html = String::new();
        for (class, path) in [("band", path), ("bar", bars)] {
            if !path.is_empty() {
                let _ = writeln!(html, "<path class=\"{class}\" d=\"{path}\"/>");
            }
        }
        html
    }

    /// A rectangle over the whole height.
    pub(super) fn span(&self, class: &str, start: i64, end: i64) -> String {
        let (left, right) = (self.across(start) * WIDTH, self.across(end) * WIDTH);
        format!(
            "<rect class=\"{class}\" x=\"{}\" width=\"{}\" height=\"{}\"/>\n",
            left.round(),
            right.round() - left.round(),
            self.height
        )
    }
}

/// Adds a line through places: an absolute start, then relative steps.
fn trace(path: &mut String, places: &[(i64, i64)]) {
    let Some(&(mut x, mut y)) = places.first() else { return };
    let _ = write!(path, "M{x} {y}");
    for (at, &(next_x, next_y)) in places[1..].iter().enumerate() {
        let (dx, dy) = (next_x - x, next_y - y);
        let lead = if at == 0 { "l" } else { " " };
        let gap = if dy < 0 { "" } else { " " };
        let _ = write!(path, "{}{dx}{gap}{dy}", if dx < 0 && at > 0 { "" } else { lead });
        (x, y) = (next_x, next_y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canvas() -> Canvas {
        Canvas::new((0, 9_600), (0.0, 2_400.0), 2_400)
    }

    #[test]
    fn a_line_goes_by_relative_steps_from_an_absolute_start() {
        let runs = [vec![(0, 0.0), (100, 100.0), (200, 50.0)], vec![(300, 0.0), (400, 2_400.0)]];
        assert_eq!(
            canvas().line("x", &runs, None),
            "<path class=\"line x\" d=\"M0 2400l100-100 100 50M300 2400l100-2400\"/>\n"
        );
    }

    #[test]
    fn a_line_may_start_from_another() {
        let runs = [vec![(100, 100.0)]];
        assert_eq!(canvas().line("x", &runs, None), "");
        assert_eq!(canvas().line("x", &runs, Some((0, f64::NAN))), "");
        assert_eq!(canvas().line("x", &runs, Some((0, 0.0))), "<path class=\"line x\" d=\"M0 2400l100-100\"/>\n");
    }

    #[test]
    fn a_band_is_broken_where_it_is_not_finite() {
        let areas = [(0, 0.0, 100.0), (100, 0.0, 100.0), (200, f64::NAN, 100.0), (300, 0.0, 100.0)];
        assert_eq!(
            canvas().band(&areas),
            "<path class=\"band\" d=\"M0 2300l100 0 0 100-100 0z\"/>\n<path class=\"bar\" d=\"M300 2300l0 100\"/>\n"
        );
        assert_eq!(canvas().band(&areas[2..3]), "");
    }

    #[test]
    fn what_is_far_outside_ends_near_the_edge() {
        assert_eq!(canvas().place((-5, 1e12)), (0, -1_200));
        assert_eq!(canvas().place((i64::MAX, -1e12)), (9_600, 3_600));
    }
}
