//! A chart of values over time as inline SVG: lines, shaded bands, axes, and a rule that divides what was from what may come. It knows
//! neither forecasts nor pages.
//!
//! The drawing stretches with the page while its text does not: curves live in an inner `svg` of fixed units that is scaled without
//! keeping its proportions, strokes excepted; texts and grid lines are placed in per cent of the outer one.

mod canvas;
mod runs;
mod strip;
mod thin;

use std::fmt::Write;

use crate::axis::{TimeTick, extent, time_ticks, value_span, value_ticks};
use crate::calendar::{DAY, Precision};
use crate::escape::Escaped;
use crate::number;
use canvas::Canvas;

pub use runs::Point;
pub(crate) use runs::longest_bridge;
pub(crate) use strip::Strip;

/// Ticks of the axis of time on a wide page, and on a telephone.
const TIME_TICKS: [(&str, usize); 2] = [("wide", 8), ("narrow", 4)];
const VALUE_TICKS: usize = 5;

/// Up to so many points of a forecast are marked one by one.
const MARKED: usize = 20;

/// Up to so many points can be read by pointing at them; in a denser line nobody could aim.
const READABLE: usize = 1_200;

/// A band is drawn up to so many times the range of the lines beyond them. What is wider would flatten the lines.
const BAND_ROOM: f64 = 2.0;

/// Fewer points than these say nothing about how wide a band may be.
const TELLING: usize = 8;

/// What a line is drawn as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineStyle {
    /// What was measured.
    Observed,
    /// What a model says.
    Forecast,
    /// What stands in for a model.
    StandIn,
}

impl LineStyle {
    /// The class in the style sheet.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Forecast => "forecast",
            Self::StandIn => "stand-in",
        }
    }
}

/// Values in the order of time.
#[derive(Debug, Clone)]
pub(crate) struct Line<'a> {
    pub(crate) style: LineStyle,
    pub(crate) points: &'a [Point],
    /// The longest time in nanoseconds that the line may bridge; what is longer is a gap.
    pub(crate) bridge: i64,
    /// A point of another line that this one starts from.
    pub(crate) from: Option<Point>,
    /// What is said of each point when it is pointed at, beyond its value; none, or one for each.
    pub(crate) notes: Vec<String>,
}

/// The area between two curves; where one of them is not finite there is none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Band<'a> {
    pub(crate) times: &'a [i64],
    pub(crate) lower: &'a [f64],
    pub(crate) upper: &'a [f64],
}

impl Band<'_> {
    /// The area at each time, the lower end first.
    fn areas(&self) -> impl Iterator<Item = (i64, f64, f64)> {
        let ends = self.lower.iter().zip(self.upper).map(|(&a, &b)| if a <= b { (a, b) } else { (b, a) });
        self.times.iter().zip(ends).map(|(&time, (lower, upper))| (time, lower, upper))
    }
}

/// A vertical line with a text.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) at: i64,
    pub(crate) label: String,
}

/// A chart.
#[derive(Debug, Clone)]
pub(crate) struct Chart<'a> {
    /// Unique on the page.
    pub(crate) id: String,
    /// What it is, for those who hear it.
    pub(crate) title: String,
    /// What can be seen in it, for those who hear it.
    pub(crate) description: String,
    /// The part of time to draw, both ends included.
    pub(crate) window: (i64, i64),
    /// The first is drawn first, below the others.
    pub(crate) lines: Vec<Line<'a>>,
    /// Their tints add up where they lie on each other.
    pub(crate) bands: Vec<Band<'a>>,
    pub(crate) rule: Option<Rule>,
}

/// A chart that is drawn.
#[derive(Debug, Clone)]
pub(crate) struct Drawing {
    pub(crate) html: String,
    /// Characters of the longest label on the left: room that the page has to leave, for this chart and what is below it.
    pub(crate) gutter: usize,
    /// Whether a band reaches beyond the chart.
    pub(crate) is_cut: bool,
}

impl Chart<'_> {
    /// Draws it.
    pub(crate) fn draw(&self) -> Drawing {
        let (start, end) = widened(self.window);
        let ((low, high), is_cut) = self.values();
        let canvas = Canvas::new((start, end), (low, high), 2_400);
        let value_ticks = value_ticks(low, high, VALUE_TICKS);
        let gutter = value_ticks.iter().map(|tick| tick.label.chars().count()).max().unwrap_or(1);

        let mut html = format!(
            "<div class=\"frame\"{}>\n<svg class=\"plot\" role=\"img\" \
             aria-labelledby=\"{id}-title\" aria-describedby=\"{id}-desc\">\n<title id=\"{id}-title\">{}</title>\n\
             <desc id=\"{id}-desc\">{}</desc>\n",
            self.readings(&canvas),
            Escaped(&self.title),
            Escaped(&self.description),
            id = self.id,
        );
        html.push_str("<g class=\"values\">\n");
        for tick in &value_ticks {
            let y = percent(canvas.down(tick.at));
            let zero = if tick.at == 0.0 && low < 0.0 { " class=\"zero\"" } else { "" };
            let _ = writeln!(
                html,
                "<line{zero} x2=\"100%\" y1=\"{y}\" y2=\"{y}\"/><text x=\"-8\" y=\"{y}\" dy=\".32em\">{}</text>",
                tick.label
            );
        }
        html.push_str("</g>\n");
        time_axes(&mut html, &canvas, self.precision());
        html.push_str(&canvas.open());
        for band in &self.bands {
            let areas: Vec<_> = band.areas().filter(|(time, ..)| self.shows(*time)).collect();
            html.push_str(&canvas.band(&areas));
        }
        for line in &self.lines {
            let class = line.style.class();
            let runs = self.runs(line, &canvas);
            html.push_str(&canvas.line(class, &runs, line.from.filter(|(time, _)| self.shows(*time))));
            if line.style != LineStyle::Observed && line.points.len() <= MARKED {
                html.push_str(&canvas.dots(class, runs.iter().flatten()));
            } else {
                html.push_str(&canvas.dots(class, runs.iter().filter(|run| run.len() == 1).flatten()));
            }
        }
        html.push_str("</svg>\n");
        if let Some(rule) = &self.rule {
            let across = canvas.across(rule.at);
            let x = percent(across);
            let side = if across > 0.6 { "end" } else { "start" };
            let _ = writeln!(
                html,
                "<g class=\"rule\"><line x1=\"{x}\" x2=\"{x}\" y1=\"-14\" y2=\"100%\"/><text x=\"{x}\" y=\"-6\" \
                 dx=\"{}\" text-anchor=\"{side}\">{}</text></g>",
                if side == "end" { -6 } else { 6 },
                Escaped(&rule.label)
            );
        }
        html.push_str("</svg>\n</div>\n");
        Drawing { html, gutter, is_cut }
    }

    fn shows(&self, time: i64) -> bool {
        (self.window.0..=self.window.1).contains(&time)
    }

    fn precision(&self) -> Precision {
        let times = self.lines.iter().flat_map(|line| line.points.iter().map(|(time, _)| *time));
        Precision::of(times.filter(|time| self.shows(*time)))
    }

    /// The span of the axis of values, and whether a band does not fit in it.
    fn values(&self) -> ((f64, f64), bool) {
        let in_lines = self.lines.iter().flat_map(|line| line.points.iter().copied().chain(line.from));
        let in_lines: Vec<f64> = in_lines.filter(|(time, _)| self.shows(*time)).map(|(_, value)| value).collect();
        let in_bands = self.bands.iter().flat_map(Band::areas).filter(|(time, ..)| self.shows(*time));
        let in_bands: Vec<f64> =
            in_bands.flat_map(|(_, lower, upper)| [lower, upper]).filter(|v| v.is_finite()).collect();
        let (low, high) = extent(in_lines.iter().copied()).unwrap_or_default();
        let finite = in_lines.iter().filter(|value| value.is_finite()).count();
        let room = if finite >= TELLING { (high - low) * BAND_ROOM } else { 0.0 };
        if room == 0.0 {
            return (value_span(in_lines.into_iter().chain(in_bands)), false);
        }
        // Of the largest numbers the room may be infinite, and then nothing is cut.
        let (least, most) = (low - room, high + room);
        let is_cut = in_bands.iter().any(|&value| value < least || value > most);
        let in_bands = in_bands.into_iter().map(|value| value.clamp(least, most));
        (value_span(in_lines.into_iter().chain(in_bands)), is_cut)
    }

    /// The points of a line that are drawn, gap by gap.
    fn runs(&self, line: &Line<'_>, canvas: &Canvas) -> Vec<Vec<Point>> {
        let visible: Vec<Point> = line.points.iter().copied().filter(|(time, _)| self.shows(*time)).collect();
        runs::runs(&visible, line.bridge).into_iter().map(|run| thin::thin(run, |time| canvas.column(time))).collect()
    }

    /// What can be read by pointing: attributes for the script of the page.
    fn readings(&self, canvas: &Canvas) -> String {
        let (start, end) = canvas.times();
        let mut html = format!(
            " data-start=\"{}\" data-span=\"{}\" data-digits=\"{}\"",
            start as f64 / 1e6,
            (i128::from(end) - i128::from(start)) as f64 / 1e6,
            self.precision().text(0).len(),
        );
        for line in &self.lines {
            let runs = self.runs(line, canvas);
            if runs.iter().map(Vec::len).sum::<usize>() > READABLE {
                continue;
            }
            let _ = write!(html, " data-{}=\"", line.style.class());
            let mut points = line.points.iter().zip(line.notes.iter().map(Some).chain(std::iter::repeat(None)));
            for (time, value) in runs.iter().flatten() {
                let note = points.find(|((at, _), _)| at == time).and_then(|(_, note)| note);
                let offset = (i128::from(*time) - i128::from(start)) as f64 / 1e6;
                let _ = write!(html, "{offset}={}", number::value(*value));
                if let Some(note) = note {
                    let _ = write!(html, "|{}", Escaped(note));
                }
                html.push(';');
            }
            html.push('"');
        }
        html
    }
}

/// The labels below a chart, for wide pages and for narrow ones; the style sheet shows one of them.
fn time_axes(html: &mut String, canvas: &Canvas, precision: Precision) {
    let (start, end) = canvas.times();
    for (class, target) in TIME_TICKS {
        time_axis(html, canvas, class, &time_ticks(start, end, target, precision.unit()));
    }
}

fn time_axis(html: &mut String, canvas: &Canvas, width: &str, ticks: &[TimeTick]) {
    let _ = writeln!(html, "<g class=\"times {width}\">");
    for tick in ticks {
        let x = percent(canvas.across(tick.at));
        let _ = write!(
            html,
            "<line x1=\"{x}\" x2=\"{x}\" y2=\"100%\"/><text x=\"{x}\" y=\"100%\" dy=\"1.6em\">{}</text>",
            tick.label
        );
        if let Some(context) = &tick.context {
            // At the right edge it would leave the page.
            let end = if canvas.across(tick.at) > 0.95 { " end" } else { "" };
            let _ = write!(html, "<text class=\"context{end}\" x=\"{x}\" y=\"100%\" dy=\"2.8em\">{context}</text>");
        }
        html.push('\n');
    }
    html.push_str("</g>\n");
}

/// A span of time with a little room at its ends, so that the outermost points are not cut in half.
fn widened((start, end): (i64, i64)) -> (i64, i64) {
    let span = (i128::from(end) - i128::from(start)).max(0);
    let room = if span == 0 { 2 * DAY } else { (span / 100).max(1) as i64 };
    (start.saturating_sub(room), end.saturating_add(room))
}

/// A fraction as an SVG length.
fn percent(fraction: f64) -> String {
    format!("{}%", (fraction * 1e4).round() / 1e2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[Point]) -> Line<'_> {
        Line { style: LineStyle::Observed, points, bridge: i64::MAX, from: None, notes: Vec::new() }
    }

    fn chart<'a>(lines: Vec<Line<'a>>, bands: Vec<Band<'a>>) -> Chart<'a> {
        let times = lines.iter().flat_map(|line| line.points.iter().map(|(time, _)| *time));
        let window = times.fold((i64::MAX, i64::MIN), |(start, end), time| (start.min(time), end.max(time)));
        Chart { id: "c".into(), title: "t".into(), description: "d".into(), window, lines, bands, rule: None }
    }

    #[test]
    fn any_numbers_make_a_drawing_of_finite_numbers() {
        let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -f64::MAX, 5e-324, 0.0, -0.0, 1.0];
        for first in odd {
            for second in odd {
                let points = [(i64::MIN, first), (0, second), (i64::MAX, first)];
                let times = points.map(|(time, _)| time);
                let (lower, upper) = ([first, second, first], [second, first, second]);
                let band = Band { times: &times, lower: &lower, upper: &upper };
                let html = chart(vec![line(&points)], vec![band]).draw().html;
                for wrong in ["NaN", "inf"] {
                    assert!(!html.contains(wrong), "{wrong} in the drawing of {first:e} and {second:e}:\n{html}");
                }
            }
        }
    }

    #[test]
    fn a_band_that_would_flatten_the_line_is_cut() {
        let points: Vec<Point> = (0..10).map(|at| (at, 10.0 + at as f64 / 5.0)).collect();
        let wide = Band { times: &[0, 1], lower: &[9.0, 0.0], upper: &[13.0, 1e9] };
        let drawn = chart(vec![line(&points)], vec![wide]);
        let ((_, high), is_cut) = drawn.values();
        assert!(is_cut && high < 20.0, "the axis ends at {high}, cut: {is_cut}");
        let narrow = Band { times: &[0, 1], lower: &[9.0, 10.0], upper: &[13.0, 14.0] };
        assert!(!chart(vec![line(&points)], vec![narrow]).draw().is_cut);
        assert!(!chart(vec![line(&points[..7])], vec![wide]).draw().is_cut, "seven points say little about the range");
    }

    #[test]
    fn only_the_window_counts() {
        let points = [(0, 1e9), (10, 1.0), (11, 2.0)];
        let drawn = Chart { window: (10, 11), ..chart(vec![line(&points)], Vec::new()) };
        assert!(drawn.values().0.1 < 3.0, "{:?}", drawn.values());
        let html = drawn.draw().html;
        assert!(!html.contains("1e9") && !html.contains("1,000,000,000"), "{html}");
    }

    #[test]
    fn a_point_can_be_read_where_it_is() {
        let points = [(0, 1.5), (2 * DAY, 2.5)];
        let html = chart(vec![line(&points)], Vec::new()).draw().html;
        let room = 2 * DAY / 100 / 1_000_000;
        let expected = format!("data-observed=\"{room}=1.5;{}=2.5;\"", room + 2 * DAY / 1_000_000);
        assert!(html.contains(&expected), "no {expected} in\n{html}");
    }

    #[test]
    fn a_moment_alone_gets_an_axis() {
        let html = chart(vec![line(&[(0, 7.0)])], Vec::new()).draw().html;
        assert!(html.contains("1 Jan") && html.contains(">7.0<"), "{html}");
    }
}
