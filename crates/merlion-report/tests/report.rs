//! Whole reports, seen from outside.

use std::path::Path;

use merlion_report::{Failure, ForecastReport, Interval, KeyColumn, ModelCount, Outcome, Point, SeriesPanel, Totals};

const DAY: i64 = 86_400_000_000_000;
/// 2012-07-06, a Friday.
const START: i64 = 15_527 * DAY;

const HOSTILE: &str = "\"'></title></svg><script>alert(1)</script><img src=x onerror=alert(2)><!-- \0 & {{x}}";

fn key(column: &str, value: &str) -> Vec<KeyColumn> {
    vec![KeyColumn { column: column.into(), value: value.into() }]
}

fn weekly(weeks: std::ops::Range<i64>, value: impl Fn(i64) -> f64) -> Vec<Point> {
    weeks.map(|week| (START + week * 7 * DAY, value(week))).collect()
}

/// A page about one series.
fn page(panel: SeriesPanel) -> String {
    ForecastReport { title: "A page".into(), series: vec![panel], ..ForecastReport::default() }.render()
}

/// One series by a model with a gap and two intervals, one that fell back, and what was said of them.
fn small() -> ForecastReport {
    let mut history = weekly(0..20, |week| 1_500.0 + 100.0 * f64::from([3, 0, 4, 1, 5][(week % 5) as usize]));
    history.remove(7);
    history[12].1 = f64::NAN;
    ForecastReport {
        title: "Sales & returns".into(),
        created: "2012-11-23 08:00 UTC".into(),
        command: Some("merlion forecast --target_col 'Weekly Sales' --report out.html".into()),
        totals: Totals {
            series_in: 3,
            series_out: 2,
            fallbacks: 1,
            skipped: 1,
            rows: 4,
            seconds: 0.51,
            ..Totals::default()
        },
        models: vec![ModelCount { name: "AutoETS".into(), series: 1 }, ModelCount { name: "Mean".into(), series: 1 }],
        failures: vec![
            Failure { key: "Store=2".into(), error: "need at least 2 time stamps, got 1".into(), is_skipped: false },
            Failure { key: "Store=<3>".into(), error: "no finite value".into(), is_skipped: true },
        ],
        failures_omitted: 0,
        series: vec![
            SeriesPanel {
                key: key("Store", "1"),
                target: "Weekly Sales".into(),
                unit: Some("USD".into()),
                model: "AutoETS".into(),
                outcome: Outcome::Modelled,
                history,
                forecast: weekly(20..22, |week| 1_800.0 + week as f64),
                intervals: vec![
                    Interval { level: 0.8, lower: vec![1_700.0, 1_690.0], upper: vec![1_940.0, 1_950.0] },
                    Interval { level: 0.95, lower: vec![1_600.0, 1_580.0], upper: vec![2_040.0, 2_060.0] },
                ],
            },
            SeriesPanel {
                key: key("Store", "2"),
                target: "Weekly Sales".into(),
                model: "Mean".into(),
                outcome: Outcome::Fallback { reason: "need at least 2 time stamps, got 1".into() },
                history: weekly(0..1, |_| 12.5),
                forecast: weekly(20..22, |_| 12.5),
                ..SeriesPanel::default()
            },
        ],
    }
}

/// Walks through all tags: each that is opened must be closed, in order, and attributes must be quoted.
fn assert_well_formed(html: &str) {
    const VOID: [&str; 4] = ["meta", "link", "input", "!DOCTYPE"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find('>').unwrap_or_else(|| panic!("a tag without an end: {rest:.80}"));
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let last = open.pop();
            assert_eq!(last, Some(name), "</{name}> closes {last:?} within {open:?}");
            continue;
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes do not match in <{tag}>");
        let name = tag.split([' ', '\n', '/']).next().unwrap_or_default();
        if tag.ends_with('/') || VOID.contains(&name) {
            continue;
        }
        open.push(name);
        if name == "script" || name == "style" {
            // Their content is no markup.
            rest = &rest[rest.find("</").unwrap_or_else(|| panic!("<{name}> without an end"))..];
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
}

#[test]
fn a_small_report_is_as_approved() {
    let html = small().render();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/approved/small.html");
    if std::env::var_os("MERLION_ACCEPT").is_some() {
        std::fs::write(&path, &html).unwrap();
    }
    let approved = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for (number, (line, expected)) in html.lines().zip(approved.lines()).enumerate() {
        assert_eq!(line, expected, "line {} has changed; if that is meant, MERLION_ACCEPT=1", number + 1);
    }
    assert_eq!(html.len(), approved.len(), "the length has changed; if that is meant, MERLION_ACCEPT=1");
}

#[test]
fn a_report_is_well_formed_and_refers_to_nothing() {
    let html = small().render();
    assert_well_formed(&html);
    for reference in [" src=", "http:", "https:", "@import", "url("] {
        assert!(!html.contains(reference), "'{reference}' in the page");
    }
}

#[test]
fn hostile_texts_stay_texts_wherever_they_are() {
    let text = || HOSTILE.to_owned();
    let report = ForecastReport {
        title: text(),
        created: text(),
        command: Some(text()),
        models: vec![ModelCount { name: text(), series: 1 }],
        failures: vec![Failure { key: text(), error: text(), is_skipped: true }],
        series: vec![
            SeriesPanel {
                key: key(HOSTILE, HOSTILE),
                target: text(),
                unit: Some(text()),
                model: text(),
                outcome: Outcome::Fallback { reason: text() },
                history: weekly(0..9, |week| week as f64),
                forecast: weekly(9..11, |week| week as f64),
                ..SeriesPanel::default()
            };
            2
        ],
        ..ForecastReport::default()
    };
    let html = report.render();
    assert_well_formed(&html);
    assert_eq!(html.matches("<script").count(), 1, "scripts besides the page's own");
    for wrong in ["<img", "<!--", "\0", "</title></svg>"] {
        assert!(!html.contains(wrong), "{wrong:?} in the page");
    }
    let shown = "&quot;&#39;&gt;&lt;/title&gt;&lt;/svg&gt;&lt;script&gt;alert(1)&lt;/script&gt;";
    // Title (in the head and on the page), time, command, model, key and error of the failure; then, twice: column, value, model,
    // reason, twice in the chart's title each, in the legend and over the table.
    assert!(html.matches(shown).count() >= 7 + 2 * 8, "{} times", html.matches(shown).count());
}

#[test]
fn an_empty_report_is_a_page() {
    let html = ForecastReport::default().render();
    assert_well_formed(&html);
    assert!(html.contains("No series was chosen to be drawn."), "{html}");
    assert!(html.contains("No series came out."), "{html}");
    assert!(!html.contains("Models"), "{html}");
}

#[test]
fn the_same_data_make_the_same_page() {
    assert_eq!(small().render(), small().render());
}

#[test]
fn a_series_without_anything_says_so() {
    let html = page(SeriesPanel::default());
    assert_well_formed(&html);
    assert!(html.contains("There is nothing to draw."), "{html}");
    assert!(!html.contains("The forecast in numbers"), "{html}");
}

#[test]
fn fallbacks_are_marked_with_their_reason_and_not_by_colour_alone() {
    let html = small().render();
    for expected in [
        "data-marked=\"1\"",
        "</span>Fallback</span>",
        "A stand-in, because the model failed:</strong> need at least 2 time stamps, got 1",
        "class=\"line stand-in\"",
        "<div class=\"warning\"><dt>Fallbacks</dt><dd>1</dd>",
    ] {
        assert!(html.contains(expected), "no {expected} in\n{html}");
    }
    let modelled = page(small().series[0].clone());
    assert!(!modelled.contains("data-marked") && !modelled.contains("line stand-in"), "{modelled}");
}

#[test]
fn a_gap_in_the_history_breaks_the_line() {
    let starts = |panel: &SeriesPanel| {
        let html = page(panel.clone());
        let line = html.split("<path class=\"line observed\" d=\"").filter(|rest| !rest.starts_with("M2 6h18")).nth(1);
        line.and_then(|rest| rest.split('"').next()).map(|path| path.matches('M').count())
    };
    let panel = SeriesPanel { history: weekly(0..40, |week| week as f64), ..SeriesPanel::default() };
    assert_eq!(starts(&panel), Some(1));
    let mut with_hole = panel.clone();
    with_hole.history.remove(20);
    assert_eq!(starts(&with_hole), Some(2), "a week is missing");
    let mut with_nan = panel;
    with_nan.history[20].1 = f64::NAN;
    assert_eq!(starts(&with_nan), Some(2), "a value is missing");
}

#[test]
fn a_hundred_thousand_points_are_a_small_page() {
    let hour = DAY / 24;
    let panel = SeriesPanel {
        target: "load".into(),
        history: (0..100_000).map(|at| (at * hour, (at as f64 * 0.7).sin() * 1e4)).collect(),
        forecast: (100_000..100_168).map(|at| (at * hour, 0.0)).collect(),
        ..SeriesPanel::default()
    };
    let html = page(panel);
    let empty = page(SeriesPanel::default());
    let kilobytes = (html.len() - empty.len()) / 1_000;
    // Four points of at most 10 characters in each of 960 columns for the strip, and four weeks of hours in the chart.
    assert!(kilobytes < 80, "{kilobytes} kB for a series");
    assert!(html.contains("class=\"marked\""), "the part that the chart shows is not marked");
}

#[test]
fn any_numbers_make_a_well_formed_page() {
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 5e-324, -0.0, 1.0];
    for value in odd {
        for (history, forecast) in [(1, 0), (0, 1), (1, 1), (2, 2), (100, 3)] {
            let at =
                |range: std::ops::Range<i64>| weekly(range, |week| if week % 3 == 0 { value } else { week as f64 });
            let (history, forecast) = (at(0..history), at(history..history + forecast));
            // Bounds that are short, the wrong way round, and no numbers.
            let interval = Interval { level: value, lower: vec![value], upper: vec![-1.0, value, 3.0, 4.0] };
            let html = page(SeriesPanel { history, forecast, intervals: vec![interval], ..SeriesPanel::default() });
            assert_well_formed(&html);
            for attribute in html.split('"').skip(1).step_by(2).filter(|text| !text.contains('=')) {
                assert!(!attribute.contains("NaN") && !attribute.contains("inf"), "{value:e}: \"{attribute}\"");
            }
        }
    }
}

#[test]
fn a_long_list_of_failures_is_capped_and_the_rest_counted() {
    let failure = |number| Failure { key: format!("Store={number}"), error: "short".into(), is_skipped: false };
    let report = ForecastReport {
        failures: (0..1_000).map(failure).collect(),
        failures_omitted: 2_500,
        ..ForecastReport::default()
    };
    let html = report.render();
    assert_eq!(html.matches(">short<").count(), 200);
    assert!(html.contains("3,300 more, not listed here"), "{html}");
}

#[test]
fn the_table_has_the_forecast_in_numbers() {
    let html = page(small().series[0].clone());
    let row = "<tr><th scope=\"row\">2012-11-23</th><td class=\"number\">1,820</td><td class=\"number\">1,700</td>\
               <td class=\"number\">1,940</td><td class=\"number\">1,600</td><td class=\"number\">2,040</td></tr>";
    assert!(html.contains(row), "no {row} in\n{html}");
}

#[test]
fn the_table_begins_with_the_future() {
    let history = weekly(0..600, |_| 1.0);
    let html = page(SeriesPanel { history, forecast: weekly(3..602, |week| week as f64), ..SeriesPanel::default() });
    assert_eq!(html.matches("<tr><th scope=\"row\">").count(), 2, "{html}");
    assert!(html.contains("<td class=\"number\">600</td></tr>"), "{html}");
    assert!(html.contains("and 597 more in the output"), "{html}");
}

#[test]
fn a_chart_can_be_heard() {
    let html = page(small().series[0].clone());
    for expected in [
        "<title id=\"chart-1-title\">Weekly Sales (USD) of Store 1</title>",
        "Observed: 19 values from 2012-07-06 to 2012-11-16, between 1,500 and 2,000.",
        "Forecast: 2 values from 2012-11-23 to 2012-11-30, between 1,820 and 1,821. Intervals of 80 % and 95 %.",
    ] {
        assert!(html.contains(expected), "no {expected} in\n{html}");
    }
}

#[test]
fn extreme_times_have_room_on_the_axis() {
    let panel = SeriesPanel {
        history: vec![(i64::MIN, 1.0), (0, 2.0)],
        forecast: vec![(i64::MAX, 3.0)],
        ..SeriesPanel::default()
    };
    let html = page(panel);
    assert_well_formed(&html);
    assert!(html.contains(">1700<") && html.contains(">2250<"), "{html}");
}
