//! One series of a forecast report: what it is, its chart, and its forecast as a table.

use std::borrow::Cow;

use crate::axis::extent;
use crate::calendar::Precision;
use crate::chart::{Band, Chart, Line, LineStyle, Point, Strip, longest_bridge};
use crate::escape::{Escaped, shortened};
use crate::number;
use crate::page::table;

use super::window::{focus, joint, rule, split};

/// Rows of a forecast's table; what is more is in the output of the job.
const ROWS: usize = 500;

/// More of a text from the table than this is cut.
const KEY_CHARACTERS: usize = 300;

/// A series to draw.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeriesPanel {
    /// What tells the series from others; empty if there is only one.
    pub key: Vec<KeyColumn>,
    /// The name of what is forecast.
    pub target: String,
    /// What its values are counted in.
    pub unit: Option<String>,
    /// The model that was used, or what stands in for it.
    pub model: String,
    /// What became of the series.
    pub outcome: Outcome,
    /// What was observed. Times that are missing, and values that are not finite, are gaps in the chart.
    pub history: Vec<Point>,
    /// What is forecast.
    pub forecast: Vec<Point>,
    /// Between which values the truth may lie, for each time of the forecast.
    pub intervals: Vec<Interval>,
}

/// A column of the key and its value in a series.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyColumn {
    /// The column's name.
    pub column: String,
    /// The value as text.
    pub value: String,
}

/// What became of a series.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Outcome {
    /// A model forecast it.
    #[default]
    Modelled,
    /// Something simple stands in for a model that failed.
    Fallback {
        /// Why the model failed.
        reason: String,
    },
    /// There is no forecast.
    Skipped {
        /// Why not.
        reason: String,
    },
}

impl Outcome {
    /// What is said of a series without a model: a mark, a heading, and the reason.
    fn mark(&self) -> Option<(&'static str, &'static str, &str)> {
        match self {
            Self::Modelled => None,
            Self::Fallback { reason } => Some(("Fallback", "A stand-in, because the model failed", reason)),
            Self::Skipped { reason } => Some(("No forecast", "No forecast, because the model failed", reason)),
        }
    }
}

/// Bounds that hold the truth with some probability.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Interval {
    /// The probability, between 0 and 1.
    pub level: f64,
    /// The lower bound at each time of the forecast; not finite where there is none.
    pub lower: Vec<f64>,
    /// The upper bound at each time of the forecast; not finite where there is none.
    pub upper: Vec<f64>,
}

impl SeriesPanel {
    /// The panel as HTML; `number` tells it from others on the page.
    pub(super) fn render(&self, number: usize) -> String {
        let mark = self.outcome.mark();
        let mut html = format!(
            "<article class=\"panel\" id=\"series-{number}\"{}>\n<header><h3 class=\"key\">{}</h3>\n<div class=\"model\">",
            if mark.is_some() { " data-marked=\"1\"" } else { "" },
            self.heading()
        );
        html.push_str(&format!("<bdi>{}</bdi>", Escaped(&self.model)));
        if let Some((mark, ..)) = mark {
            html.push_str(&format!("<span class=\"badge\"><span aria-hidden=\"true\">⚠ </span>{mark}</span>"));
        }
        html.push_str("</div></header>\n");
        if let Some((_, heading, reason)) = mark {
            html.push_str(&format!(
                "<p class=\"reason\"><strong>{heading}:</strong> {}</p>\n",
                Escaped(&shortened(reason, super::MESSAGE_CHARACTERS))
            ));
        }
        html.push_str(&self.figure(number));
        html.push_str(&self.values());
        html.push_str("</article>\n");
        html
    }

    fn heading(&self) -> String {
        if self.key.is_empty() {
            return format!("<bdi>{}</bdi>", Escaped(&self.target));
        }
        let pair = |pair: &KeyColumn| {
            let value = match pair.value.as_str() {
                "" => "<em>empty</em>".to_owned(),
                value => format!("<bdi>{}</bdi>", Escaped(&shortened(value, KEY_CHARACTERS))),
            };
            let column = shortened(&pair.column, KEY_CHARACTERS);
            format!("<span class=\"pair\"><span class=\"column\"><bdi>{}</bdi></span> {value}</span>", Escaped(&column))
        };
        self.key.iter().map(pair).collect::<Vec<_>>().join(" ")
    }

    /// The key in a sentence.
    fn name(&self) -> String {
        let pairs = self.key.iter().map(|pair| format!("{} {}", pair.column, pair.value)).collect::<Vec<_>>();
        if pairs.is_empty() { "the table".to_owned() } else { pairs.join(", ") }
    }

    /// The target, with its unit if it has one.
    fn what(&self) -> String {
        match &self.unit {
            Some(unit) => format!("{} ({unit})", self.target),
            None => self.target.clone(),
        }
    }

    fn style(&self) -> LineStyle {
        if self.outcome == Outcome::Modelled { LineStyle::Forecast } else { LineStyle::StandIn }
    }

    /// The intervals, the widest first, as long as the forecast.
    fn ordered_intervals(&self) -> Vec<&Interval> {
        let mut intervals: Vec<&Interval> = self.intervals.iter().collect();
        intervals.sort_by(|a, b| b.level.total_cmp(&a.level));
        intervals
    }

    fn figure(&self, number: usize) -> String {
        let history = in_order(&self.history);
        let forecast_order = order(&self.forecast);
        let forecast: Vec<Point> = forecast_order.iter().map(|&at| self.forecast[at]).collect();
        let (Some(start), Some(end)) = (
            history.iter().chain(&forecast).map(|(time, _)| *time).min(),
            history.iter().chain(&forecast).map(|(time, _)| *time).max(),
        ) else {
            return "<p class=\"aside\">There is nothing to draw.</p>\n".to_owned();
        };
        let times: Vec<i64> = forecast.iter().map(|(time, _)| *time).collect();
        let bridge = longest_bridge(&history);
        let bounds: Vec<(Vec<f64>, Vec<f64>)> = self
            .ordered_intervals()
            .iter()
            .map(|interval| {
                let pick = |values: &[f64]| -> Vec<f64> {
                    forecast_order.iter().map(|&at| values.get(at).copied().unwrap_or(f64::NAN)).collect()
                };
                (pick(&interval.lower), pick(&interval.upper))
            })
            .collect();
        let bands = bounds.iter().map(|(lower, upper)| Band { times: &times, lower, upper }).collect();
        // A forecast may be asked for at any times, so nothing in it is a gap but what is no number.
        let observed = Line { style: LineStyle::Observed, points: &history, bridge, from: None, notes: Vec::new() };
        let forecast_line = Line {
            style: self.style(),
            points: &forecast,
            bridge: i64::MAX,
            from: joint(&history, &forecast, bridge),
            notes: forecast_order.iter().map(|&at| self.note(at)).collect(),
        };
        let lines: Vec<Line<'_>> =
            [observed, forecast_line].into_iter().filter(|line| !line.points.is_empty()).collect();
        let focus = focus(&history, &forecast);
        let window = (focus.unwrap_or(start), end);
        let chart = Chart {
            id: format!("chart-{number}"),
            title: format!("{} of {}", self.what(), self.name()),
            description: self.description(&history, &forecast),
            window,
            lines: lines.clone(),
            bands,
            rule: rule(&history, &forecast),
        };
        let drawing = chart.draw();
        let mut html = format!("<figure style=\"--gutter:{}ch\">\n{}{}", drawing.gutter, self.legend(), drawing.html);
        if focus.is_some() {
            html.push_str(&Strip { lines, window: (start, end), marked: window }.draw());
        }
        let mut remarks = Vec::new();
        if focus.is_some() {
            remarks.push("The strip is the whole series; the chart shows the marked part of it.");
        }
        if drawing.is_cut {
            remarks.push("The intervals reach beyond the chart; the table has their ends.");
        }
        if !remarks.is_empty() {
            html.push_str(&format!("<figcaption>{}</figcaption>\n", remarks.join(" ")));
        }
        html.push_str("</figure>\n");
        html
    }

    fn legend(&self) -> String {
        let mut html = format!("<ul class=\"legend\"><li class=\"what\"><bdi>{}</bdi></li>", Escaped(&self.what()));
        let mut entry = |class: &str, label: &str| {
            html.push_str(&format!(
                "<li><svg aria-hidden=\"true\" viewBox=\"0 0 22 12\"><path class=\"line {class}\" d=\"M2 6h18\"/></svg>{label}</li>"
            ));
        };
        if !self.history.is_empty() {
            entry(LineStyle::Observed.class(), "Observed");
        }
        if !self.forecast.is_empty() {
            entry(self.style().class(), if self.style() == LineStyle::Forecast { "Forecast" } else { "Fallback" });
            for (rank, interval) in self.ordered_intervals().iter().enumerate().rev() {
                // As in the chart, where the narrower band lies on the wider ones.
                let layers = "<rect class=\"band\" width=\"22\" height=\"12\"/>".repeat(rank + 1);
                html.push_str(&format!(
                    "<li><svg aria-hidden=\"true\" viewBox=\"0 0 22 12\">{layers}</svg>{} interval</li>",
                    number::level(interval.level)
                ));
            }
        }
        html.push_str("</ul>\n");
        html
    }

    /// The intervals at one time of the forecast, for those who point at it.
    fn note(&self, at: usize) -> String {
        let of = |interval: &&Interval| {
            let end = |values: &[f64]| number::value(values.get(at).copied().unwrap_or(f64::NAN));
            format!("{}: {} to {}", number::level(interval.level), end(&interval.lower), end(&interval.upper))
        };
        // Narrow before wide, as one would say it.
        self.ordered_intervals().iter().rev().map(of).collect::<Vec<_>>().join("|")
    }

    /// What can be seen in the chart, in words.
    fn description(&self, history: &[Point], forecast: &[Point]) -> String {
        let of = |points: &[Point]| {
            let precision = Precision::of(points.iter().map(|(time, _)| *time));
            let values = match extent(points.iter().map(|(_, value)| *value)) {
                None => "without a number".to_owned(),
                Some((low, high)) if low == high => format!("all {}", number::value(low)),
                Some((low, high)) => format!("between {} and {}", number::value(low), number::value(high)),
            };
            let ends = [points.first(), points.last()].map(|point| point.map_or(0, |(time, _)| *time));
            let ends = ends.map(|time| precision.text(time));
            let count = number::count(points.len() as u64);
            match points {
                [(_, value)] => format!("{} on {}", number::value(*value), ends[0]),
                _ => format!("{count} values from {} to {}, {values}", ends[0], ends[1]),
            }
        };
        let mut parts = Vec::new();
        if !history.is_empty() {
            parts.push(format!("Observed: {}.", of(history)));
        }
        if !forecast.is_empty() {
            parts.push(format!("Forecast: {}.", of(forecast)));
        }
        if !forecast.is_empty() && !self.intervals.is_empty() {
            let levels = self.ordered_intervals().iter().rev().map(|i| number::level(i.level)).collect::<Vec<_>>();
            parts.push(format!("Intervals of {}.", levels.join(" and ")));
        }
        parts.join(" ")
    }

    /// The forecast as a table, folded up. Predictions of the past are left to the output.
    fn values(&self) -> String {
        if self.forecast.is_empty() {
            return String::new();
        }
        let precision = Precision::of(self.forecast.iter().map(|(time, _)| *time));
        let mut intervals = self.ordered_intervals();
        intervals.reverse();
        let mut headings = vec!["Time (UTC)".to_owned(), self.what()];
        for interval in &intervals {
            let level = number::level(interval.level);
            headings.extend([format!("{level}, from"), format!("{level}, to")]);
        }
        let row = |at: usize| {
            let bound = |values: &[f64]| values.get(at).copied().unwrap_or(f64::NAN);
            let bounds = intervals.iter().flat_map(|interval| [bound(&interval.lower), bound(&interval.upper)]);
            std::iter::once(self.forecast[at].1).chain(bounds).collect::<Vec<_>>()
        };
        let order = order(&self.forecast);
        let points: Vec<Point> = order.iter().map(|&at| self.forecast[at]).collect();
        let first = split(&in_order(&self.history), &points)
            .map_or(0, |(_, first)| points.partition_point(|(time, _)| *time < first));
        let shown = &order[first..order.len().min(first + ROWS)];
        let numbers = number::aligned(&shown.iter().flat_map(|&at| row(at)).collect::<Vec<_>>());
        let times = shown.iter().map(|&at| precision.text(self.forecast[at].0));
        let rows: Vec<Vec<String>> = times
            .zip(numbers.chunks(headings.len() - 1))
            .map(|(time, numbers)| std::iter::once(time).chain(numbers.iter().cloned()).collect())
            .collect();
        let rest = self.forecast.len() - rows.len();
        let more = match rest {
            0 => String::new(),
            rest => format!("<p class=\"aside\">and {} more in the output</p>\n", number::count(rest as u64)),
        };
        format!(
            "<details class=\"values-of\"><summary>The forecast in numbers</summary>\n\
             <div class=\"scroll\" role=\"region\" aria-label=\"The forecast in numbers\" tabindex=\"0\">\n{}{more}</div>\n</details>\n",
            table("", &headings, &rows, 1)
        )
    }
}

/// The positions of points in the order of time.
fn order(points: &[Point]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by_key(|&at| points[at].0);
    order
}

fn in_order(points: &[Point]) -> Cow<'_, [Point]> {
    if points.is_sorted_by_key(|(time, _)| *time) {
        return Cow::Borrowed(points);
    }
    Cow::Owned(order(points).into_iter().map(|at| points[at]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::DAY;

    #[test]
    fn unsorted_points_are_sorted_with_their_intervals() {
        let panel = SeriesPanel {
            forecast: vec![(2 * DAY, 20.0), (DAY, 10.0)],
            intervals: vec![Interval { level: 0.9, lower: vec![19.0, 9.0], upper: vec![21.0, 11.0] }],
            ..SeriesPanel::default()
        };
        let html = panel.render(1);
        let (first, second) = (html.find("10|90 %: 9 to 11").unwrap(), html.find("20|90 %: 19 to 21").unwrap());
        assert!(first < second, "{html}");
    }
}
