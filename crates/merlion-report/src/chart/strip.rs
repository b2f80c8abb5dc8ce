//! The whole of a long series in a strip, with the part marked that the chart above it shows.

use super::canvas::Canvas;
use super::{Line, runs, thin, time_axes, widened};
use crate::axis::tight_span;
use crate::calendar::Precision;

/// The strip below a chart.
#[derive(Debug, Clone)]
pub(crate) struct Strip<'a> {
    /// The first is drawn first, below the others.
    pub(crate) lines: Vec<Line<'a>>,
    /// All of time, both ends included.
    pub(crate) window: (i64, i64),
    /// The part that the chart shows.
    pub(crate) marked: (i64, i64),
}

impl Strip<'_> {
    /// Draws it. It repeats what the chart has said, so it is not read aloud.
    pub(crate) fn draw(&self) -> String {
        let (start, end) = widened(self.window);
        let values = self.lines.iter().flat_map(|line| line.points).map(|(_, value)| *value);
        let canvas = Canvas::new((start, end), tight_span(values), 480);
        let mut html = String::from("<div class=\"frame strip\">\n<svg class=\"plot\" aria-hidden=\"true\">\n");
        let times = self.lines.iter().flat_map(|line| line.points).map(|(time, _)| *time);
        time_axes(&mut html, &canvas, Precision::of(times));
        html.push_str(&canvas.open());
        html.push_str(&canvas.span("marked", self.marked.0, self.marked.1));
        for line in &self.lines {
            let runs: Vec<_> = runs::runs(line.points, line.bridge)
                .into_iter()
                .map(|run| thin::thin(run, |time| canvas.column(time)))
                .collect();
            html.push_str(&canvas.line(line.style.class(), &runs, line.from));
            html.push_str(&canvas.dots(line.style.class(), runs.iter().filter(|run| run.len() == 1).flatten()));
        }
        html.push_str(&canvas.span("faded", start, self.marked.0));
        html.push_str("</svg>\n</svg>\n</div>\n");
        html
    }
}
