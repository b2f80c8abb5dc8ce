//! Whether a series is foreseen better once the means of a season's phases are taken out of it.
//!
//! ETS(A,A,N) foresees the series one step ahead, following its level and trend. With the phase means of period `m` taken out
//! (those of the series about its straight line), it is fitted again. With `Q_0` and `Q_m` the sums of squared errors,
//!
//! ```text
//! F_m = ((Q_0 - Q_m) / (m - 1)) / (Q_m / (n - m))
//! ```
//!
//! is compared with the F distribution. A level that wanders is no season, because the model follows it in either case; a
//! smooth season is one, because without it the level need not wander. `F` becomes a normal deviate `z` by Paulson (1942), "An
//! approximate normalization of the analysis of variance distribution", Ann. Math. Stat. 13.
//!
//! Not every period is worth two fits. Those are that are peaks of the autocorrelation, or that show in the one-step errors:
//! these, written in rows of `m` (the table of Buys Ballot, 1847), have phase means of their own, by the periodogram of
//! Sokolove & Bushell (1978), "The chi square periodogram: its utility for analysis of circadian rhythms", J. Theor. Biol. 72.
//!
//! Three rules keep silly seasons out. All periods share one probability of error, the shorter ones getting more of it: period
//! `m` is significant at `(p/2) (1/m) / Σ_k 1/k`. A further season must improve on the series without the first. And errors
//! beyond six (robust) standard deviations count as six, so that two outliers are no season.

use super::autocorrelation::{autocorrelations, peaks};
use super::{Options, Strategy, one_step_errors};
use crate::math::normal;
use crate::models::forecast::ets::Estimation;
use crate::models::{FitContext, ModelError};

/// Longest period looked for: the minutes of a day are 1,440, the hours of two months 1,464.
const LONGEST: usize = 1500;
/// Robust standard deviations beyond which an error is an outlier.
const OUTLIER: f64 = 6.0;
/// Largest share of outliers: what is more frequent belongs to the series.
const OUTLIERS: f64 = 0.02;
/// Share of the data's magnitude below which errors are rounding.
const ROUNDING: f64 = 1e-11;
/// Peaks of the autocorrelation, and of the errors' periodogram, that are tested.
const TESTED: usize = 3;
/// Most seasons looked for, the longer ones within the shorter.
const SEASONS: usize = 3;

/// Significant periods with their `z`, the first season first.
pub(super) fn evidence(
    values: &[f64],
    options: &Options,
    context: &FitContext,
) -> Result<Vec<(usize, f64)>, ModelError> {
    let n = values.len();
    let longest = options.max_lag.unwrap_or(LONGEST).min(n.saturating_sub(1) / 2);
    let shares: f64 = (2..=longest).map(|m| 1.0 / m as f64).sum();
    let critical = |m: usize| normal::quantile(1.0 - options.pval / 2.0 / (m as f64 * shares));
    let magnitude = values.iter().fold(0.0f64, |largest, y| largest.max(y.abs()));
    let seasons = if options.strategy == Strategy::Strongest { 1 } else { SEASONS };
    let mut series = values.to_vec();
    let mut found = Vec::new();
    for _ in 0..seasons {
        let Some(errors) = one_step_errors(&series, Estimation::Maximum, context)? else { break };
        let bound = outlier(&errors);
        let without = squares(&errors, bound);
        if longest < 2 || without <= n as f64 * (ROUNDING * magnitude).powi(2) {
            break;
        }
        let about_line = clipped(about_line(&series));
        let mut best: Option<(usize, f64, Vec<f64>)> = None;
        for m in worth_testing(&about_line, &clipped(errors), longest) {
            let means = phase_means(&about_line, m);
            let rest: Vec<f64> = series.iter().enumerate().map(|(t, y)| y - means[t % m]).collect();
            let Some(errors) = one_step_errors(&rest, Estimation::Maximum, context)? else { continue };
            let with = squares(&errors, bound).max(1e-15 * without);
            let (degrees, rest_degrees) = ((m - 1) as f64, (n - m) as f64);
            let z = normal_deviate((without - with) / degrees / (with / rest_degrees), degrees, rest_degrees);
            if z > critical(m) && best.as_ref().is_none_or(|(_, highest, _)| z > *highest) {
                best = Some((m, z, rest));
            }
        }
        let Some((m, z, rest)) = best else { break };
        found.push((m, z));
        series = rest;
    }
    Ok(found)
}

/// The periods that may be seasons, by the autocorrelation and by the periodogram of the errors.
fn worth_testing(about_line: &[f64], errors: &[f64], longest: usize) -> Vec<usize> {
    let z = |series: &[f64]| -> Vec<f64> {
        let total: f64 = series.iter().map(|e| e * e).sum();
        let mut z = explained(series, longest);
        for (m, z) in z.iter_mut().enumerate().skip(2) {
            let (degrees, rest_degrees) = ((m - 1) as f64, (series.len() - m) as f64);
            let rest = (total - *z).max(1e-15 * total);
            *z = normal_deviate(*z / degrees / (rest / rest_degrees), degrees, rest_degrees);
        }
        z
    };
    // The biased autocorrelation has its peaks a little early.
    let near = |m: usize| m.saturating_sub(1 + m / 25).max(2)..=(m + 1 + m / 25).min(longest);
    let best_of = |z: &[f64], range: std::ops::RangeInclusive<usize>| range.max_by(|a, b| z[*a].total_cmp(&z[*b]));

    let rho = autocorrelations(about_line, longest + 2);
    let mut lags: Vec<usize> = peaks(&rho).into_iter().filter(|lag| (2..=longest).contains(lag)).collect();
    lags.sort_by(|a, b| rho[*b].total_cmp(&rho[*a]));
    let z_line = z(about_line);
    let mut periods: Vec<usize> = lags.into_iter().take(TESTED).filter_map(|lag| best_of(&z_line, near(lag))).collect();

    let z_errors = z(errors);
    let mut maxima: Vec<usize> = (2..=longest).filter(|&m| best_of(&z_errors, near(m)) == Some(m)).collect();
    maxima.sort_by(|a, b| z_errors[*b].total_cmp(&z_errors[*a]));
    periods.extend(maxima.into_iter().take(TESTED).filter(|&m| z_errors[m] > 0.0));
    periods.sort_unstable();
    periods.dedup();
    periods
}

/// For every period from 2 to `longest`, at its place, the squares its phase means explain of a series with mean 0:
/// `Σ_j S_j² / c_j` with `S_j` the sum of the `c_j` values of phase `j`.
fn explained(errors: &[f64], longest: usize) -> Vec<f64> {
    let mut explained = vec![0.0; longest + 1];
    let mut sums = vec![0.0; longest];
    for m in 2..=longest {
        let sums = &mut sums[..m];
        sums.fill(0.0);
        for row in errors.chunks(m) {
            for (sum, e) in sums.iter_mut().zip(row) {
                *sum += e;
            }
        }
        let (full, last) = (errors.len() / m, errors.len() % m);
        let longer: f64 = sums[..last].iter().map(|s| s * s).sum();
        let shorter: f64 = sums[last..].iter().map(|s| s * s).sum();
        explained[m] = longer / (full + 1) as f64 + shorter / full as f64;
    }
    explained
}

/// The normal deviate as extreme as `f` with these degrees of freedom.
fn normal_deviate(f: f64, degrees: f64, rest_degrees: f64) -> f64 {
    let (a, b) = (2.0 / (9.0 * degrees), 2.0 / (9.0 * rest_degrees));
    let root = f.max(0.0).cbrt();
    ((1.0 - b) * root - (1.0 - a)) / (b * root * root + a).sqrt()
}

/// The mean of each phase.
fn phase_means(values: &[f64], period: usize) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); period];
    for (t, y) in values.iter().enumerate() {
        let sum = &mut sums[t % period];
        *sum = (sum.0 + y, sum.1 + 1.0);
    }
    sums.into_iter().map(|(sum, count)| sum / count).collect()
}

/// The series about its least-squares line.
fn about_line(values: &[f64]) -> Vec<f64> {
    let centre = (values.len() as f64 - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let (mut products, mut squares) = (0.0, 0.0);
    for (t, y) in values.iter().enumerate() {
        let t = t as f64 - centre;
        (products, squares) = (products + t * (y - mean), squares + t * t);
    }
    let slope = products / squares;
    values.iter().enumerate().map(|(t, y)| y - mean - slope * (t as f64 - centre)).collect()
}

/// The distance from 0 beyond which a value is an outlier.
fn outlier(values: &[f64]) -> f64 {
    let mut distances: Vec<f64> = values.iter().map(|e| e.abs()).collect();
    let mut quantile = |share: f64| {
        let place = (share * (distances.len() - 1) as f64) as usize;
        *distances.select_nth_unstable_by(place, f64::total_cmp).1
    };
    (OUTLIER * 1.4826 * quantile(0.5)).max(quantile(1.0 - OUTLIERS))
}

fn squares(errors: &[f64], bound: f64) -> f64 {
    errors.iter().map(|e| e.abs().min(bound).powi(2)).sum()
}

/// The values about their mean, outliers brought to their bound.
fn clipped(values: Vec<f64>) -> Vec<f64> {
    let bound = outlier(&values);
    let mean = values.iter().map(|e| e.clamp(-bound, bound)).sum::<f64>() / values.len() as f64;
    values.into_iter().map(|e| e.clamp(-bound, bound) - mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // scipy 1.11.4: norm.isf(f.sf(x, a, b)).
    #[test]
    fn deviates_are_as_extreme_as_f() {
        for ((f, a, b), expected) in [
            ((3.0, 3.0, 60.0), 1.7805),
            ((2.0, 51.0, 156.0), 3.2295),
            ((4.0, 11.0, 132.0), 3.8982),
            ((1.0, 6.0, 30.0), 0.1420),
        ] {
            let got = normal_deviate(f, a, b);
            assert!((got - expected).abs() < 0.03, "F = {f} with {a}, {b}: {got} vs {expected}");
        }
    }

    // Rows 1 5 3 | 2 6 1 | 3 -> phases (1, 2, 3), (5, 6), (3, 1) about the mean 3: sums -3, 5, -2.
    #[test]
    fn phases_explain_the_squares_of_their_sums() {
        let e = [-2.0, 2.0, 0.0, -1.0, 3.0, -2.0, 0.0];
        assert!((explained(&e, 3)[3] - (9.0 / 3.0 + 25.0 / 2.0 + 4.0 / 2.0)).abs() < 1e-12, "{:?}", explained(&e, 3));
    }

    #[test]
    fn outliers_are_brought_to_six_deviations() {
        let mut errors: Vec<f64> = (0..101).map(|t| f64::from(t) - 50.0).collect();
        errors[57] = 1e9;
        let bound = 6.0 * 1.4826 * 26.0;
        assert!((outlier(&errors) - bound).abs() < 10.0, "{} vs {bound}", outlier(&errors));
        let clipped = clipped(errors.clone());
        assert!((clipped[57] - bound).abs() < 10.0 && (clipped[0] + 50.0).abs() < 5.0, "{clipped:?}");
        // One in ten is not rare.
        errors.iter_mut().step_by(10).for_each(|e| *e = 1e6);
        assert_eq!(outlier(&errors), 1e6);
    }

    #[test]
    fn a_line_with_a_pattern_is_taken_apart() {
        let y: Vec<f64> = (0..16).map(|t| 3.0 + 0.5 * f64::from(t) + [1.0, -1.0, -1.0, 1.0][t as usize % 4]).collect();
        for (mean, expected) in phase_means(&about_line(&y), 4).into_iter().zip([1.0, -1.0, -1.0, 1.0]) {
            assert!((mean - expected).abs() < 1e-12, "{mean} vs {expected}");
        }
    }
}
