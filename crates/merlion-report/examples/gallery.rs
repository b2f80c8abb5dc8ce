//! A page with all that a forecast report can show, to look at after a change:
//!
//! ```sh
//! cargo run -p merlion-report --example gallery > target/gallery.html
//! ```

use std::f64::consts::TAU;

use merlion_report::{Failure, ForecastReport, Interval, KeyColumn, ModelCount, Outcome, Point, SeriesPanel, Totals};

const HOUR: i64 = 3_600_000_000_000;
const DAY: i64 = 24 * HOUR;
/// 2010-02-05, a Friday.
const FRIDAY: i64 = 14_645 * DAY;

/// Noise that is the same everywhere: xorshift, summed up to be roughly normal with a standard deviation of 1.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        let mut sum = 0.0;
        for _ in 0..12 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            sum += (self.0 >> 11) as f64 / (1u64 << 53) as f64;
        }
        sum - 6.0
    }
}

fn key(pairs: &[(&str, &str)]) -> Vec<KeyColumn> {
    pairs.iter().map(|(column, value)| KeyColumn { column: (*column).into(), value: (*value).into() }).collect()
}

/// Intervals that widen with the square root of the step.
fn intervals(forecast: &[Point], error: f64) -> Vec<Interval> {
    let of = |(level, quantile): (f64, f64)| {
        let end = |sign: f64| {
            let value = |(step, (_, value)): (usize, &Point)| {
                value + sign * quantile * error * (1.0 + 0.08 * step as f64).sqrt()
            };
            forecast.iter().enumerate().map(value).collect()
        };
        Interval { level, lower: end(-1.0), upper: end(1.0) }
    };
    [(0.8, 1.282), (0.95, 1.96)].map(of).to_vec()
}

fn sales(week: i64) -> f64 {
    let season = (week as f64 / 52.18 * TAU).sin();
    let december = if matches!((week + 5) % 52, 51 | 50) { 16_000.0 } else { 0.0 };
    24_000.0 + 25.0 * week as f64 + 3_500.0 * season + december
}

fn weekly(store: &str, weeks: i64, horizon: i64, missing: &[i64]) -> SeriesPanel {
    let mut noise = Noise(7 + weeks as u64);
    let at = |week: i64| FRIDAY + week * 7 * DAY;
    let forecast: Vec<Point> = (weeks..weeks + horizon).map(|week| (at(week), sales(week))).collect();
    SeriesPanel {
        key: key(&[("Store", store), ("Dept", "1")]),
        target: "Weekly_Sales".into(),
        unit: Some("USD".into()),
        model: "AutoETS".into(),
        history: (0..weeks)
            .filter(|week| !missing.contains(week))
            .map(|week| (at(week), sales(week) + 1_800.0 * noise.next()))
            .collect(),
        intervals: intervals(&forecast, 1_900.0),
        forecast,
        ..SeriesPanel::default()
    }
}

fn hourly() -> SeriesPanel {
    let mut noise = Noise(99);
    let start = 15_340 * DAY;
    let load = |hour: i64| {
        let of_day = hour as f64 / 24.0 * TAU;
        let weekday = if (hour / 24) % 7 < 5 { 3_000.0 } else { 0.0 };
        let of_year = (hour as f64 / 8_766.0 * TAU).cos();
        31_000.0 + weekday + 6_500.0 * (of_day - 2.2).sin() + 2_000.0 * (2.0 * of_day).sin() + 5_000.0 * of_year
    };
    let hours = 2 * 8_766;
    let forecast: Vec<Point> = (hours..hours + 168).map(|hour| (start + hour * HOUR, load(hour))).collect();
    SeriesPanel {
        key: key(&[("region", "PJM East"), ("meter", "")]),
        target: "load".into(),
        unit: Some("MW".into()),
        model: "SeasonalityLayer(ETS)".into(),
        history: (0..hours)
            .filter(|hour| !(hours - 300..hours - 270).contains(hour))
            .map(|hour| (start + hour * HOUR, load(hour) + 900.0 * noise.next()))
            .collect(),
        intervals: intervals(&forecast, 1_100.0),
        forecast,
        ..SeriesPanel::default()
    }
}

fn plain(name: &str, history: Vec<Point>, forecast: Vec<Point>, error: f64) -> SeriesPanel {
    let intervals = if error > 0.0 { intervals(&forecast, error) } else { Vec::new() };
    SeriesPanel {
        key: key(&[("series", name)]),
        target: "y".into(),
        model: "ETS".into(),
        history,
        forecast,
        intervals,
        ..SeriesPanel::default()
    }
}

fn daily(days: std::ops::Range<i64>, value: impl Fn(i64) -> f64) -> Vec<Point> {
    days.map(|day| (FRIDAY + day * DAY, value(day))).collect()
}

fn main() {
    let short = "need at least 2 time stamps to infer the sampling step, got 1";
    let hostile = r#"</title><script>alert("owned")</script><img src=x onerror=alert(1)>"#;
    let mut noise = Noise(3);
    let noisy =
        daily(0..70, |_| 0.0).into_iter().map(|(time, _)| (time, 60.0 + 8.0 * noise.next())).collect::<Vec<_>>();
    let mut holes = daily(0..60, |day| 1e-6 * (2.0 + (f64::from(day as i32) / 5.0).sin()));
    for at in [3, 20, 21, 22, 40, 42] {
        holes[at].1 = if at % 2 == 0 { f64::NAN } else { f64::INFINITY };
    }
    let series = vec![
        weekly("1", 143, 39, &[]),
        weekly("2", 143, 3, &[50, 51, 52, 110, 112]),
        hourly(),
        SeriesPanel {
            model: "Mean".into(),
            outcome: Outcome::Fallback {
                reason: "ETS: the values must be positive for a multiplicative season, got -3.2".into(),
            },
            ..plain("falls back", noisy.clone(), daily(70..84, |_| 60.1), 0.0)
        },
        SeriesPanel {
            outcome: Outcome::Skipped { reason: short.into() },
            ..plain("one observation", daily(0..1, |_| 7.25), Vec::new(), 0.0)
        },
        plain("one observation and a forecast", daily(0..1, |_| 7.25), daily(1..2, |_| 7.5), 0.4),
        SeriesPanel {
            target: hostile.into(),
            model: "<b>ETS</b>".into(),
            ..plain(hostile, noisy, daily(70..77, |_| 60.0), 9.0)
        },
        plain(
            "predicted over its past, too",
            daily(0..500, |day| 50.0 + 20.0 * (day as f64 / 9.0).sin() + 5.0 * (day as f64 * 1.7).cos()),
            daily(20..530, |day| 50.0 + 20.0 * (day as f64 / 9.0).sin()),
            0.0,
        ),
        plain("constant", daily(0..40, |_| 1_250_000.0), daily(40..50, |_| 1_250_000.0), 0.0),
        plain("holes and tiny numbers", holes, daily(60..70, |_| 2e-6), 4e-7),
        plain("intervals that explode", daily(0..60, |day| (day as f64 / 6.0).sin()), daily(60..80, |_| 0.1), 50.0),
        plain("no forecast", daily(0..60, |day| -1e9 * day as f64), Vec::new(), 0.0),
        plain("nothing at all", Vec::new(), Vec::new(), 0.0),
    ];
    let report = ForecastReport {
        title: "Forecasts of weekly sales and hourly load".into(),
        created: "2012-11-01 09:30 UTC, merlion 0.1.0".into(),
        command: Some(
            "merlion forecast --train_data examples/weekly_sales.csv --output_path target/forecast --target_col Weekly_Sales \
             --index_cols '[\"Store\", \"Dept\"]' --time_col Date --report target/report.html"
                .into(),
        ),
        totals: Totals {
            series_in: 3_331,
            series_out: 3_318,
            fallbacks: 42,
            skipped: 13,
            rows: 129_402,
            seconds: 75.3,
            ..Totals::default()
        },
        models: [("AutoETS", 3_102), ("SeasonalityLayer(ETS)", 174), ("Mean", 42)]
            .map(|(name, series)| ModelCount { name: name.into(), series })
            .to_vec(),
        failures: vec![
            Failure { key: "Store=3, Dept=1".into(), error: short.into(), is_skipped: false },
            Failure {
                key: "Store=12, Dept=47".into(),
                error: "ETS: the values must be positive for a multiplicative season, got -3.2".into(),
                is_skipped: false,
            },
            Failure { key: format!("Store={hostile}"), error: "ten minutes were not enough".into(), is_skipped: true },
        ],
        failures_omitted: 52,
        series,
    };
    print!("{}", report.render());
}
