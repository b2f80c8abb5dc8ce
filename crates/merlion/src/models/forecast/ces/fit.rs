//! Estimation: the least sum of squared one-step errors, with the initial states found by backcasting.

use super::filter::{Filter, Seasonality, Smoothing, States};
use crate::math::lbfgsb::{Minimizer, Options};
use crate::models::{FitContext, ModelError};
use crate::seasonality::classical::{Decomposition, SeasonalIndices};

/// Bounds of `α_0`, `α_1`, `β_0`, `β_1`; within them the smoother is stable only where [`is_stable`] says so.
const BOUNDS: ([f64; 4], [f64; 4]) = ([0.01; 4], [1.8, 1.9, 1.5, 1.5]);
/// Where the search begins: as in statsforecast.
const START: [f64; 4] = [1.3, 1.0, 1.3, 1.0];
/// The same for the one seasonal parameter of a partial season.
const PARTIAL_START: f64 = 0.1;
/// `2^40`: a little more than twelve decimal digits.
const DIGITS: f64 = 1_099_511_627_776.0;
/// Distance of the central differences that stand for derivatives.
const DIFFERENCE: f64 = 1e-6;

/// A fit of one kind of season.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fit {
    pub(super) seasonality: Seasonality,
    pub(super) period: usize,
    pub(super) smoothing: Smoothing,
    /// The states before the first observation.
    pub(super) initial: States,
    pub(super) squares: f64,
    /// Estimates that an information criterion counts.
    pub(super) parameters: usize,
}

impl Fit {
    pub(super) fn filter(&self) -> Filter {
        Filter { seasonality: self.seasonality, period: self.period, smoothing: self.smoothing }
    }
}

/// Whether the weights of past observations die away: the eigenvalues of the pair's transition, error included, lie in the
/// unit circle (Svetunkov, Kourentzes & Ord 2022, section 3.2).
fn is_stable([a, b]: [f64; 2]) -> bool {
    let determinant = (1.0 - a) * (1.0 - a) + (1.0 - a) + b * b - b;
    let trace = 2.0 - 2.0 * a + b;
    determinant.abs() < 1.0 && trace.abs() < 1.0 + determinant
}

fn free(seasonality: Seasonality) -> usize {
    match seasonality {
        Seasonality::None | Seasonality::Simple => 2,
        Seasonality::Partial => 3,
        Seasonality::Full => 4,
    }
}

fn smoothing(seasonality: Seasonality, x: &[f64]) -> Smoothing {
    let at = |i: usize| x.get(i).copied().unwrap_or(0.0);
    let beta = match seasonality {
        Seasonality::None | Seasonality::Simple => [0.0; 2],
        Seasonality::Partial => [at(2), 0.0],
        Seasonality::Full => [at(2), at(3)],
    };
    Smoothing { alpha: [at(0), at(1)], beta }
}

/// The states the backcasting starts from.
fn guess(y: &[f64], seasonality: Seasonality, period: usize) -> States {
    // Svetunkov's starting values: an imaginary part a little smaller than the real one.
    let pair = |real: f64| [real, real / 1.1];
    let mean = |n: usize| y[..n].iter().sum::<f64>() / n as f64;
    let phases = || SeasonalIndices::of(y, period, Decomposition::Additive).map(|s| s.indices().to_vec());
    match seasonality {
        Seasonality::None => States { level: pair(mean(y.len().min(10))), season: Vec::new() },
        Seasonality::Simple => States { level: [0.0; 2], season: y[..period].iter().map(|y| pair(*y)).collect() },
        Seasonality::Partial => States {
            level: pair(mean(period)),
            season: phases().unwrap_or_else(|| vec![0.0; period]).into_iter().map(|s| [s, 0.0]).collect(),
        },
        Seasonality::Full => States {
            level: pair(mean(period)),
            season: phases().unwrap_or_else(|| vec![0.0; period]).into_iter().map(pair).collect(),
        },
    }
}

/// The least squares. Seasonal kinds need two seasons of data.
pub(super) fn fit(y: &[f64], seasonality: Seasonality, period: usize, context: &FitContext) -> Result<Fit, ModelError> {
    let period = if seasonality == Seasonality::None { 1 } else { period };
    let n = free(seasonality);
    // In units of the data nothing is very large or small.
    let scale = y.iter().fold(0.0f64, |scale, y| scale.max(y.abs()));
    let scale = if scale > 0.0 { scale } else { 1.0 };
    let z: Vec<f64> = y.iter().map(|y| y / scale).collect();
    // The search sees twelve digits, so that it takes the same way in every unit of the data.
    let searched: Vec<f64> = z.iter().map(|z| (z * DIGITS).round() / DIGITS).collect();
    let guessed = guess(&searched, seasonality, period);
    let mut states = guessed.clone();
    let mut squares = |x: &[f64]| {
        let smoothing = smoothing(seasonality, x);
        if !is_stable(smoothing.alpha) || (seasonality == Seasonality::Full && !is_stable(smoothing.beta)) {
            return f64::INFINITY;
        }
        let filter = Filter { seasonality, period, smoothing };
        states.copy_from(&guessed);
        filter.backcast(&mut states, &searched);
        filter.squares(&mut states, &searched)
    };
    // Below this the errors are rounding.
    let rounding = 1e-24 * z.len() as f64;
    let mut objective = |x: &[f64]| 0.5 * (squares(x) / z.len() as f64 + rounding).ln();
    let mut x = START[..n].to_vec();
    if seasonality == Seasonality::Partial {
        x[2] = PARTIAL_START;
    }
    let mut minimizer = Minimizer::new(Options {
        max_iterations: 100,
        gradient_tolerance: 1e-6,
        value_tolerance: 1e-9,
        ..Options::default()
    });
    let mut probe = vec![0.0; n];
    let value = |x: &[f64], gradient: &mut [f64]| {
        for i in 0..n {
            probe.copy_from_slice(x);
            probe[i] = x[i] + DIFFERENCE;
            let above = objective(&probe);
            probe[i] = x[i] - DIFFERENCE;
            gradient[i] = (above - objective(&probe)) / (2.0 * DIFFERENCE);
        }
        objective(x)
    };
    minimizer.minimize(&mut x, (&BOUNDS.0[..n], &BOUNDS.1[..n]), value, || context.check())?;

    let smoothing = smoothing(seasonality, &x);
    let filter = Filter { seasonality, period, smoothing };
    let mut initial = guess(&z, seasonality, period);
    filter.backcast(&mut initial, &z);
    let mut last = initial.clone();
    let squares = filter.squares(&mut last, &z) * scale * scale;
    for pair in std::iter::once(&mut initial.level).chain(&mut initial.season) {
        *pair = pair.map(|state| state * scale);
    }
    if !squares.is_finite() {
        return Err(ModelError::Numerical("no smoothing parameter gives a finite sum of squares".into()));
    }
    // The level's pair and the season's states of one phase, as in the paper's sections on selection, and the variance.
    let components = match seasonality {
        Seasonality::None | Seasonality::Simple => 2,
        Seasonality::Partial => 3,
        Seasonality::Full => 4,
    };
    Ok(Fit { seasonality, period, smoothing, initial, squares, parameters: components + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Airline passengers by month.
    fn passengers() -> Vec<f64> {
        super::super::super::theta::tests::by_month()
    }

    // statsforecast 2.1.1: auto_ces(y, 12, model=…): parameters, sum of squared residuals and forecasts.
    #[test]
    fn at_the_parameters_of_statsforecast_errors_and_forecasts_are_its_own() {
        let y = passengers();
        for (seasonality, alpha, beta, expected, ahead) in [
            (
                Seasonality::None,
                [1.799_999_999_999_999_8, 0.983_928_871_154_791_1],
                [0.0; 2],
                186_054.239_097_435_78,
                [425.490_976_001_424_8, 418.237_663_298_575_4, 417.202_193_162_320_6],
            ),
            (
                Seasonality::Simple,
                [1.8, 1.193_902_370_333_671_3],
                [0.0; 2],
                59_602.836_248_225_75,
                [445.995_919_053_564_2, 422.518_096_396_444_1, 480.086_315_040_218_5],
            ),
            (
                Seasonality::Partial,
                [1.8, 1.007_868_331_035_206_1],
                [0.725_820_710_375_421_4, 0.0],
                29_558.921_120_009_483,
                [452.348_179_212_600_6, 445.456_653_646_836_2, 493.067_979_855_519_1],
            ),
            (
                Seasonality::Full,
                [1.273_423_658_726_32, 1.009_404_057_854_051],
                [1.499_670_401_470_459_2, 1.131_882_082_325_680_3],
                19_563.676_766_502_53,
                [453.018_220_470_951_5, 429.322_917_650_295, 488.627_669_600_629_4],
            ),
        ] {
            let period = if seasonality == Seasonality::None { 1 } else { 12 };
            let filter = Filter { seasonality, period, smoothing: Smoothing { alpha, beta } };
            let mut states = guess(&y, seasonality, period);
            filter.backcast(&mut states, &y);
            let squares = filter.squares(&mut states, &y);
            // The parameters are given to sixteen figures, the rest is rounding.
            assert!((squares / expected - 1.0).abs() < 1e-9, "{seasonality:?}: {squares} vs {expected}");
            for (h, expected) in ahead.into_iter().enumerate() {
                let phase = (y.len() + h) % period;
                let got = filter.predict(&states, phase);
                filter.step(&mut states, phase, 0.0);
                assert!((got / expected - 1.0).abs() < 1e-9, "{seasonality:?}, step {}: {got} vs {expected}", h + 1);
            }
        }
    }

    // The inequalities of the paper, section 3.2, at points on both sides of each.
    #[test]
    fn the_stable_region_is_that_of_the_paper() {
        for a in 0..40 {
            for b in 0..40 {
                let (a, b) = (f64::from(a) * 0.05 + 0.013, f64::from(b) * 0.05 + 0.017);
                let paper = (a - 2.5f64).powi(2) + b * b > 1.25
                    && (a - 0.5).powi(2) + (b - 1.0).powi(2) > 0.25
                    && (a - 1.5).powi(2) + (b - 0.5).powi(2) < 1.5;
                assert_eq!(is_stable([a, b]), paper, "({a}, {b})");
            }
        }
    }
}
