//! Simulated sample paths, for the models whose forecast variance has no closed form.

use super::components::{Component, Smoothing, State, Variant, damped_ratio};
use crate::math::{normal, rng};
use crate::models::{FitContext, ModelError};
use Component::{Additive, Multiplicative};

/// Key of the random stream of these simulations.
const STREAM: u64 = 0x4554_5321;
/// Where a simulated multiplied trend is stopped from becoming zero or negative, where it has no power.
const SMALLEST_RATIO: f64 = 1e-6;

/// Paths drawn between two looks at the clock and the stop flag.
const CHECK_EVERY: usize = 4096;

/// What the sample paths say about each coming step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Simulated {
    /// Standard deviation across the paths.
    pub(super) deviation: Vec<f64>,
    /// For each of the asked probabilities, the quantile of the paths at each step.
    pub(super) quantiles: Vec<Vec<f64>>,
}

/// Draws `paths` futures with normal errors and summarises them.
///
/// The errors of each step are stratified: one from each of `paths` equally likely intervals, in random order (McKay,
/// Beckman & Conover 1979), so that the spread of a single step carries no sampling noise. A path that overflows is left out
/// of the summary from there on.
pub(super) fn simulate(
    variant: Variant,
    p: Smoothing,
    last: &State,
    sigma: f64,
    (horizon, paths): (usize, usize),
    probabilities: &[f64],
    context: &FitContext,
) -> Result<Simulated, ModelError> {
    let mut random = rng::stream(context.seed, STREAM);
    let mut order: Vec<usize> = (0..paths).collect();
    let mut levels = vec![last.level; paths];
    let mut trends = vec![last.trend; paths];
    let m = last.seasonal.len();
    let mut seasons: Vec<f64> = (0..paths).flat_map(|_| last.seasonal.iter().copied()).collect();
    let mut values = Vec::with_capacity(paths);
    let mut result =
        Simulated { deviation: Vec::with_capacity(horizon), quantiles: vec![Vec::new(); probabilities.len()] };
    for h in 0..horizon {
        rng::shuffle(&mut random, &mut order);
        values.clear();
        for (path, &stratum) in order.iter().enumerate() {
            if path % CHECK_EVERY == 0 {
                context.check()?;
            }
            let error = sigma * normal::quantile((stratum as f64 + rng::uniform(&mut random)) / paths as f64);
            let season = (m > 0).then(|| &mut seasons[path * m + h % m]);
            let value = step(variant, p, error, &mut levels[path], &mut trends[path], season);
            if value.is_finite() {
                values.push(value);
            }
        }
        result.deviation.push(deviation(&values));
        if !probabilities.is_empty() {
            values.sort_unstable_by(f64::total_cmp);
            for (quantiles, &probability) in result.quantiles.iter_mut().zip(probabilities) {
                quantiles.push(quantile(&values, probability));
            }
        }
    }
    Ok(result)
}

/// One observation with the error `ε`, and the state after it (see `recursion.rs` for the symbols).
fn step(variant: Variant, p: Smoothing, epsilon: f64, level: &mut f64, b: &mut f64, season: Option<&mut f64>) -> f64 {
    let growth = match variant.trend {
        None => 0.0,
        Some(Additive) => p.phi * *b,
        Some(Multiplicative) => damped_ratio(*b, p.phi),
    };
    let base = match variant.trend {
        None => *level,
        Some(Additive) => *level + growth,
        Some(Multiplicative) => *level * growth,
    };
    let s = season.as_deref().copied().unwrap_or(0.0);
    let fitted = match variant.seasonal {
        None => base,
        Some(Additive) => base + s,
        Some(Multiplicative) => base * s,
    };
    let error = if variant.error == Multiplicative { fitted * epsilon } else { epsilon };
    let d = if variant.seasonal == Some(Multiplicative) { error / s } else { error };
    *b = match variant.trend {
        None => 0.0,
        Some(Additive) => growth + p.beta * d,
        Some(Multiplicative) => (growth + p.beta * d / *level).max(SMALLEST_RATIO),
    };
    *level = base + p.alpha * d;
    if let Some(season) = season {
        *season = s + p.gamma * if variant.seasonal == Some(Multiplicative) { error / base } else { error };
    }
    fitted + error
}

/// Sample standard deviation; where paths explode, as those of a multiplied trend may, the largest number there is.
fn deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let n = values.len() as f64;
    let mean = values.iter().map(|v| v / n).sum::<f64>();
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
    if variance.is_finite() { variance.sqrt() } else { f64::MAX }
}

/// Quantile of sorted values, interpolated between order statistics (Hyndman & Fan 1996, type 7). When every path overflowed
/// there are no values, and the bound is as good as infinite.
fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::MAX };
    let position = probability.clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    let weight = position - below as f64;
    (1.0 - weight) * sorted[below] + weight * sorted[above]
}

#[cfg(test)]
mod tests {
    use super::super::variance::forecast_variance;
    use super::*;

    const SMOOTHING: Smoothing = Smoothing { alpha: 0.4, beta: 0.08, gamma: 0.15, phi: 0.9 };

    fn last(variant: Variant) -> State {
        let seasonal = match variant.seasonal {
            None => vec![],
            Some(Additive) => vec![5.0, -5.0, 0.0],
            Some(Multiplicative) => vec![1.2, 0.8, 1.0],
        };
        State { level: 50.0, trend: 1.0, seasonal }
    }

    /// The independent check of the closed forms: classes 1, 2 and 3 against simulation.
    #[test]
    fn closed_forms_agree_with_simulation() {
        for error in [Additive, Multiplicative] {
            for seasonal in [None, Some(Additive), Some(Multiplicative)] {
                let variant = Variant {
                    error,
                    trend: Some(Additive),
                    damped: true,
                    seasonal,
                    period: if seasonal.is_some() { 3 } else { 1 },
                };
                let sigma: f64 = if error == Additive { 4.0 } else { 0.15 };
                let Some(exact) = forecast_variance(variant, SMOOTHING, &last(variant), sigma * sigma, 9) else {
                    continue;
                };
                let simulated =
                    simulate(variant, SMOOTHING, &last(variant), sigma, (9, 100_000), &[], &FitContext::with_seed(1))
                        .unwrap();
                for (h, (v, s)) in exact.iter().zip(&simulated.deviation).enumerate() {
                    assert!(
                        (s / v.sqrt() - 1.0).abs() < 0.015,
                        "{} h = {}: {s} vs {}",
                        variant.name(),
                        h + 1,
                        v.sqrt()
                    );
                }
            }
        }
    }

    #[test]
    fn quantiles_of_one_step_are_normal() {
        let variant =
            Variant { error: Additive, trend: None, damped: false, seasonal: Some(Multiplicative), period: 3 };
        let simulated =
            simulate(variant, SMOOTHING, &last(variant), 4.0, (1, 1000), &[0.1, 0.5, 0.9], &FitContext::with_seed(1))
                .unwrap();
        for (q, z) in simulated.quantiles.iter().zip([-1.281_551_565_5, 0.0, 1.281_551_565_5]) {
            assert!((q[0] - (60.0 + 4.0 * z)).abs() < 0.05, "{} vs {}", q[0], 60.0 + 4.0 * z);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_paths() {
        let variant = Variant { error: Additive, trend: Some(Multiplicative), damped: true, seasonal: None, period: 1 };
        let state = State { level: 50.0, trend: 1.01, seasonal: vec![] };
        let run =
            |seed| simulate(variant, SMOOTHING, &state, 4.0, (20, 500), &[0.5], &FitContext::with_seed(seed)).unwrap();
        assert_eq!(run(3), run(3));
        assert_ne!(run(3), run(4));
    }
}
