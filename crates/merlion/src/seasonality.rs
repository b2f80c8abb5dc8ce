//! How long the season of a series is, told from its values alone.
//!
//! Two tests are on offer. [`Test::Phases`], the default, looks at every period up to half the series and is content only with
//! evidence that chance over all these periods does not explain. [`Test::Merlion`] is Merlion's: peaks of the
//! autocorrelation within the first 40 lags (more from 10,000 observations on), after the θ method's entry to the M4
//! competition. It cannot see the 52 weeks of a year, and finds a season in half of the longer series of noise.
//!
//! ```
//! use merlion::models::FitContext;
//! use merlion::seasonality::{Options, detect};
//!
//! let pattern = [5.0, 1.0, 0.0, 2.0, 1.0, 7.0, 9.0];
//! let y: Vec<f64> = (0..70).map(|t| 0.1 * f64::from(t) + pattern[t as usize % 7] + f64::from(t * t % 11) / 20.0).collect();
//! assert_eq!(detect(&y, &Options::default(), &FitContext::default())?, [7]);
//! # Ok::<(), merlion::models::ModelError>(())
//! ```

mod autocorrelation;
pub mod classical;
mod phases;
pub mod stl;
pub mod strength;

use serde::{Deserialize, Deserializer, Serialize};

use crate::models::forecast::ets::{Component, Estimation, Variant, Workspace};
use crate::models::{FitContext, ModelError};

/// Which of several seasons is taken. JSON in Merlion's spelling or any other case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub enum Strategy {
    /// The one with the strongest evidence.
    #[default]
    #[serde(rename = "ACF")]
    Strongest,
    /// The shortest.
    Min,
    /// The longest.
    Max,
    /// All of them, the strongest first.
    All,
}

impl<'de> Deserialize<'de> for Strategy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // Merlion writes the name of the enumeration before it.
        match text.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "acf" => Ok(Self::Strongest),
            "min" => Ok(Self::Min),
            "max" => Ok(Self::Max),
            "all" => Ok(Self::All),
            _ => Err(serde::de::Error::custom(format!("'{text}' is not one of ACF, Min, Max, All"))),
        }
    }
}

/// What counts as evidence of a season.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// The series is foreseen better without the season, by more than chance over all periods explains.
    #[default]
    Phases,
    /// A peak of the autocorrelation exceeds its standard error, as Merlion has it.
    Merlion,
}

/// What to look for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Which of several seasons is taken.
    pub strategy: Strategy,
    /// Probability of finding a season where there is none (two-sided, as in Merlion; half of it is used); 0.05 as in
    /// Merlion. [`Test::Merlion`] grants it to each lag, [`Test::Phases`] to all of them together.
    pub pval: f64,
    /// Longest period looked for; `None` for the test's own. Less than half the series in any case.
    pub max_lag: Option<usize>,
    /// What counts as evidence.
    pub test: Test,
}

impl Default for Options {
    fn default() -> Self {
        Self { strategy: Strategy::default(), pval: 0.05, max_lag: None, test: Test::default() }
    }
}

impl Options {
    /// Checks the probability on behalf of a model that has it among its parameters.
    ///
    /// # Errors
    /// [`ModelError::InvalidParameter`].
    pub fn validate(&self, model: &'static str) -> Result<(), ModelError> {
        if self.pval > 0.0 && self.pval < 1.0 {
            return Ok(());
        }
        Err(ModelError::InvalidParameter {
            model,
            parameter: "pval",
            value: self.pval.to_string(),
            reason: "a probability between 0 and 1".into(),
        })
    }
}

/// Shortest series whose trend is taken out, as in Merlion.
const TREND_FROM: usize = 10;

/// The seasons of a series, chosen and ordered by the strategy; `[1]` if there is none.
///
/// # Errors
/// The context's reasons to stop.
pub fn detect(values: &[f64], options: &Options, context: &FitContext) -> Result<Vec<usize>, ModelError> {
    let found = match options.test {
        Test::Phases => phases::evidence(values, options, context)?,
        Test::Merlion => autocorrelation::evidence(values, options, context)?,
    };
    let periods: Vec<usize> = found.into_iter().map(|(period, _)| period).collect();
    let chosen = match options.strategy {
        Strategy::Strongest => periods.first().copied(),
        Strategy::Min => periods.iter().min().copied(),
        Strategy::Max => periods.iter().max().copied(),
        Strategy::All if periods.is_empty() => None,
        Strategy::All => return Ok(periods),
    };
    Ok(vec![chosen.unwrap_or(1)])
}

/// What ETS(A,A,N) does not foresee: the series without its trend. `None` where that model cannot be fitted.
fn one_step_errors(
    values: &[f64],
    estimation: Estimation,
    context: &FitContext,
) -> Result<Option<Vec<f64>>, ModelError> {
    if values.len() < TREND_FROM {
        return Ok(None);
    }
    let variant = Variant {
        error: Component::Additive,
        trend: Some(Component::Additive),
        damped: false,
        seasonal: None,
        period: 1,
    };
    match Workspace::new(values)?.fit(variant, estimation, None, context) {
        Ok(fit) => Ok(Some(values.iter().zip(&fit.fitted).map(|(y, fitted)| y - fitted).collect())),
        Err(stop @ (ModelError::Cancelled | ModelError::DeadlineExceeded)) => Err(stop),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng::{standard_normal, stream};

    fn noise(seed: u64, n: usize) -> Vec<f64> {
        let mut rng = stream(seed, 0);
        (0..n).map(|_| standard_normal(&mut rng)).collect()
    }

    const SEEDS: u64 = 40;

    fn wave(t: usize, period: f64) -> f64 {
        (t as f64 * std::f64::consts::TAU / period).sin()
    }

    #[test]
    fn the_seasons_of_the_calendar_are_found() {
        let daily = |t: usize| [0.0, 0.3, 0.75, 1.5, 0.9, 4.5, 5.2][t % 7];
        let hourly = |t: usize| 4.0 * wave(t, 24.0) + if t % 168 < 120 { 2.0 } else { -1.0 };
        let holidays = |t: usize| [0.0, 8.0][usize::from([3, 46, 50].contains(&(t % 52)))];
        type Case<'a> = (&'a str, usize, &'a [usize], u64, &'a dyn Fn(usize) -> f64);
        let cases: [Case<'_>; 7] = [
            ("monthly sales, five years", 60, &[12], 38, &|t| 3.0 * wave(t, 12.0) + 0.2 * t as f64),
            ("daily sales, eight weeks", 56, &[7], 38, &daily),
            // Three smooth waves hardly tell 52 from its neighbours.
            ("weekly sales with summer, three years", 156, &[50, 51, 52, 53], 30, &|t| 10.0 * wave(t, 52.0)),
            ("weekly sales with summer, five years", 260, &[51, 52, 53], 38, &|t| 10.0 * wave(t, 52.0)),
            ("weekly sales with holidays, three years", 156, &[52], 38, &holidays),
            ("hourly load, four weeks", 672, &[24, 168], 40, &hourly),
            ("quarter hours, two weeks", 1344, &[96], 38, &|t| 5.0 * wave(t, 96.0)),
        ];
        for (what, n, periods, least, pattern) in cases {
            let mut found = Vec::new();
            for seed in 0..SEEDS {
                let y: Vec<f64> = noise(seed, n).into_iter().enumerate().map(|(t, e)| pattern(t) + e).collect();
                found.push(detect(&y, &Options::default(), &FitContext::default()).unwrap()[0]);
            }
            let right = found.iter().filter(|period| periods.contains(period)).count();
            println!("{what}: {periods:?} found {right} times of {SEEDS}");
            assert!(right as u64 >= least, "{what}: {periods:?} found {right} times of {SEEDS}: {found:?}");
        }
    }

    #[test]
    fn series_without_a_season_have_none() {
        let phases = Options::default();
        let merlion = Options { test: Test::Merlion, ..phases };
        for (what, n) in [("short", 30), ("long", 150), ("very long", 600)] {
            for (kind, make) in [
                ("noise", (|_, e| e) as fn(&[f64], f64) -> f64),
                ("trend", |y, e| 0.5 * y.len() as f64 + e),
                ("random walk", |y, e| y.last().unwrap_or(&0.0) + e),
                ("slow return", |y, e| 0.8 * y.last().unwrap_or(&0.0) + e),
                ("overshooting", |y, e| -0.3 * y.last().unwrap_or(&0.0) + e),
            ] {
                let none = |options: &Options| {
                    (0..SEEDS)
                        .filter(|&seed| {
                            let mut y = Vec::new();
                            for e in noise(1000 + seed, n) {
                                let next = make(&y, e);
                                y.push(next);
                            }
                            detect(&y, options, &FitContext::default()).unwrap() == [1]
                        })
                        .count()
                };
                let (here, there) = (none(&phases), none(&merlion));
                println!("{what} {kind}: no season in {here} of {SEEDS}, by Merlion's test in {there}");
                // Overshooting every time is near to a season of two.
                let least = if kind == "overshooting" { 32 } else { 37 };
                assert!(here >= least, "{what} {kind}: no season in {here} of {SEEDS}");
            }
        }
    }

    #[test]
    fn constant_and_short_series_and_straight_lines_have_none() {
        // Merlion's test takes the rounding of what is left of a line for a series.
        let line: Vec<f64> = (0..90).map(|t| 0.1 * f64::from(t)).collect();
        assert_eq!(detect(&line, &Options::default(), &FitContext::default()).unwrap(), [1]);
        for y in [vec![3.0; 60], vec![1.0, 5.0, 1.0, 5.0, 1.0], vec![7.0]] {
            for test in [Test::Phases, Test::Merlion] {
                let options = Options { test, ..Options::default() };
                assert_eq!(detect(&y, &options, &FitContext::default()).unwrap(), [1], "{test:?} {}", y.len());
            }
        }
    }

    #[test]
    fn two_outliers_are_no_season() {
        let mut y = noise(5, 150);
        (y[40], y[97]) = (40.0, 40.0);
        assert_eq!(detect(&y, &Options::default(), &FitContext::default()).unwrap(), [1]);
    }

    #[test]
    fn a_week_within_which_days_differ_is_found_beside_the_day() {
        let day = |t: usize| 6.0 * wave(t, 24.0) + 4.0 * wave(t, 168.0);
        let y: Vec<f64> = noise(3, 840).into_iter().enumerate().map(|(t, e)| day(t) + e).collect();
        let found = |strategy| detect(&y, &Options { strategy, ..Options::default() }, &FitContext::default()).unwrap();
        let all = found(Strategy::All);
        assert!(all.contains(&24) && all.contains(&168), "{all:?}");
        assert!(!all.contains(&48) && !all.contains(&72), "multiples that add nothing: {all:?}");
        assert_eq!([found(Strategy::Min), found(Strategy::Max)], [vec![24], vec![168]], "{all:?}");
    }

    #[test]
    fn a_longest_period_is_obeyed() {
        let y: Vec<f64> = noise(4, 300).into_iter().enumerate().map(|(t, e)| 5.0 * wave(t, 60.0) + e).collect();
        let with = |max_lag| detect(&y, &Options { max_lag, ..Options::default() }, &FitContext::default()).unwrap();
        assert_eq!((with(None), with(Some(40))), (vec![60], vec![1]));
    }

    #[test]
    fn a_cancelled_detection_ends() {
        let context = FitContext::default();
        context.stop.stop();
        assert_eq!(detect(&noise(1, 50), &Options::default(), &context), Err(ModelError::Cancelled));
    }

    #[test]
    fn strategies_are_read_in_any_case_and_written_as_merlion_does() {
        for (text, strategy) in
            [("acf", Strategy::Strongest), ("PeriodicityStrategy.MIN", Strategy::Min), ("Max", Strategy::Max)]
        {
            assert_eq!(serde_json::from_str::<Strategy>(&format!("\"{text}\"")).unwrap(), strategy);
        }
        assert_eq!(serde_json::to_string(&Strategy::Strongest).unwrap(), "\"ACF\"");
        assert!(serde_json::from_str::<Strategy>("\"first\"").unwrap_err().to_string().contains("ACF, Min, Max, All"));
    }
}
