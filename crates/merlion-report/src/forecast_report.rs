//! What a forecast job has to show: totals, what became of the table, the models, and charts of some series.

mod panel;
mod window;

use crate::escape::{Escaped, shortened};
use crate::number;
use crate::page::{Page, Tile, table};

pub use crate::chart::Point;
pub use panel::{Interval, KeyColumn, Outcome, SeriesPanel};

/// More failures than these are counted, not listed: nobody reads them on a page.
const LISTED_FAILURES: usize = 200;

/// More of a message than this is cut.
const MESSAGE_CHARACTERS: usize = 1_000;

/// A report on a forecast job. Only [`ForecastReport::title`] is needed; what is empty is left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ForecastReport {
    /// The heading of the page.
    pub title: String,
    /// When and by what the report was made, as it should be shown.
    pub created: String,
    /// The command line that made the forecasts.
    pub command: Option<String>,
    /// What went in and came out.
    pub totals: Totals,
    /// The models in use, each once, in the order of the list; usually the most frequent first.
    pub models: Vec<ModelCount>,
    /// Series that have no model, with the reason. Of a long list the first 200 are shown and the rest is counted.
    pub failures: Vec<Failure>,
    /// How many more such series there were that are not in the list.
    pub failures_omitted: u64,
    /// The series to draw.
    pub series: Vec<SeriesPanel>,
}

/// What went into a job and came out of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
    /// Series in the table.
    pub series_in: u64,
    /// Whether [`Totals::series_in`] is an estimate.
    pub series_in_is_estimated: bool,
    /// Series with a forecast, fallbacks among them.
    pub series_out: u64,
    /// Series with a stand-in for the model that failed.
    pub fallbacks: u64,
    /// Series without a forecast.
    pub skipped: u64,
    /// Rows written.
    pub rows: u64,
    /// How long the job took, in seconds.
    pub seconds: f64,
}

/// How many series a model was used for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelCount {
    /// The model's name.
    pub name: String,
    /// Series it was used for.
    pub series: u64,
}

/// A series without a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// Which series, as one text: `Store=3, Dept=1`.
    pub key: String,
    /// Why.
    pub error: String,
    /// Whether nothing stands in for the model, so that the series has no forecast at all.
    pub is_skipped: bool,
}

impl ForecastReport {
    /// The report as one HTML file that refers to nothing outside of it.
    #[must_use]
    pub fn render(&self) -> String {
        let mut page = Page::new(&self.title, &self.created);
        page.add_tiles(&self.totals.tiles());
        if let Some(command) = &self.command {
            page.add(&format!(
                "<section id=\"command\">\n<details open><summary>Command</summary>\n<pre><code>{}</code></pre>\n</details>\n\
                 </section>\n",
                Escaped(command)
            ));
        }
        page.add("<div class=\"columns\">\n");
        page.add_section("outcome", "What became of the table", &self.totals.split());
        if !self.models.is_empty() {
            page.add_section("models", "Models", &self.models());
        }
        page.add("</div>\n");
        if !self.failures.is_empty() || self.failures_omitted > 0 {
            page.add_section("failures", "Series without a model", &self.failures());
        }
        page.add_section("series", "Series", &self.series());
        page.to_html()
    }

    fn models(&self) -> String {
        let most = self.models.iter().map(|model| model.series).max().unwrap_or(0).max(1);
        let all = self.models.iter().map(|model| model.series).sum();
        let row = |model: &ModelCount| {
            let length = (model.series as f64 / most as f64 * 1e3).round() / 10.0;
            vec![
                format!("<bdi>{}</bdi>", Escaped(&model.name)),
                format!("<span class=\"measure\" style=\"width:{length}%\"></span>"),
                number::count(model.series),
                number::share(model.series, all),
            ]
        };
        let rows: Vec<_> = self.models.iter().map(row).collect();
        table("list measured", &["Model", "", "Series", "Share"].map(str::to_owned), &rows, 2)
    }

    fn failures(&self) -> String {
        let row = |failure: &Failure| {
            let what = if failure.is_skipped { "nothing" } else { "fallback" };
            vec![
                format!("<bdi>{}</bdi>", Escaped(&shortened(&failure.key, MESSAGE_CHARACTERS))),
                what.to_owned(),
                Escaped(&shortened(&failure.error, MESSAGE_CHARACTERS)).to_string(),
            ]
        };
        let rows: Vec<_> = self.failures.iter().take(LISTED_FAILURES).map(row).collect();
        let mut html = String::new();
        if !rows.is_empty() {
            let headings = ["Series", "Instead", "Reason"].map(str::to_owned);
            html = table("list reasons", &headings, &rows, usize::MAX);
        }
        let rest = self.failures_omitted + (self.failures.len() - rows.len()) as u64;
        if rest > 0 {
            let more = if rows.is_empty() { "" } else { " more" };
            html.push_str(&format!("<p class=\"aside\">{}{more}, not listed here</p>\n", number::count(rest)));
        }
        html
    }

    fn series(&self) -> String {
        if self.series.is_empty() {
            return "<p class=\"aside\">No series was chosen to be drawn.</p>\n".to_owned();
        }
        let drawn = self.series.len() as u64;
        let mut html = match self.totals.series_in.max(drawn) {
            1 => String::new(),
            all if all == drawn => format!("<p class=\"aside\">All {} series are drawn.</p>\n", number::count(all)),
            all => {
                format!("<p class=\"aside\">{} of {} series are drawn.</p>\n", number::count(drawn), number::count(all))
            }
        };
        if drawn > 1 {
            html.push_str(
                "<form class=\"filter\" hidden onsubmit=\"return false\">\n\
                 <input type=\"search\" placeholder=\"Find a series or a model\" aria-label=\"Find a series or a model\">\n",
            );
            if self.series.iter().any(|panel| panel.outcome != Outcome::Modelled) {
                html.push_str("<label><input type=\"checkbox\"> only those without a model</label>\n");
            }
            html.push_str("<output aria-live=\"polite\"></output>\n</form>\n");
        }
        for (number, panel) in self.series.iter().enumerate() {
            html.push_str(&panel.render(number + 1));
        }
        html
    }
}

impl Totals {
    fn tiles(&self) -> Vec<Tile> {
        let tile = |label, value, note: &str| Tile { label, value, note: note.to_owned(), is_warning: false };
        let about = if self.series_in_is_estimated { "about " } else { "" };
        let mut tiles = vec![
            tile("Series in", format!("{about}{}", number::count(self.series_in)), "in the table"),
            tile("Series out", number::count(self.series_out), "with a forecast"),
            Tile {
                is_warning: self.fallbacks > 0,
                ..tile("Fallbacks", number::count(self.fallbacks), "a stand-in for the model")
            },
        ];
        if self.skipped > 0 {
            tiles.push(Tile { is_warning: true, ..tile("Skipped", number::count(self.skipped), "without a forecast") });
        }
        tiles.push(tile("Rows", number::count(self.rows), "written"));
        tiles.push(tile("Time", number::duration(self.seconds), ""));
        tiles
    }

    /// A bar of three parts, and what they are.
    fn split(&self) -> String {
        let modelled = self.series_out.saturating_sub(self.fallbacks);
        let all = modelled + self.fallbacks + self.skipped;
        if all == 0 {
            return "<p class=\"aside\">No series came out.</p>\n".to_owned();
        }
        let parts = [
            ("modelled", "Forecast by a model", modelled),
            ("fallback", "Fallback", self.fallbacks),
            ("skipped", "Without a forecast", self.skipped),
        ];
        let mut html = String::from("<div class=\"split\" aria-hidden=\"true\">");
        for (class, _, series) in parts.iter().filter(|(.., series)| *series > 0) {
            html.push_str(&format!("<span class=\"{class}\" style=\"flex:{series}\"></span>"));
        }
        html.push_str("</div>\n");
        let row = |(class, label, series): &(&str, &str, u64)| {
            vec![
                format!("<span class=\"swatch {class}\"></span>{label}"),
                number::count(*series),
                number::share(*series, all),
            ]
        };
        let rows: Vec<_> = parts.iter().map(row).collect();
        html + &table("list", &["Outcome", "Series", "Share"].map(str::to_owned), &rows, 1)
    }
}
