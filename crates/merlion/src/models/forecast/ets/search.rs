//! The coordinates in which the likelihood is maximised, and the likelihood and its gradient in them.

use super::components::{Component, Smoothing, State, Variant};
use super::recursion::{Pass, Sums};
use Component::Multiplicative;

/// Bounds of α, β* and γ*.
const WEIGHT: (f64, f64) = (1e-4, 1.0 - 1e-4);
/// Bounds of φ.
const DAMPING: (f64, f64) = (0.8, 0.98);
/// Smallest mean squared residual the likelihood sees, for a series whose largest value is about one: the square of some
/// fifty units in the last place. A perfect fit then has a finite likelihood.
const FLOOR: f64 = 1e-28;

/// Gradient per unit of the data below which statsmodels' search leaves an initial state where it is. Its own limit is 1e-5;
/// from there to some 1e-4 its steps are too short to matter, as trials on twenty series showed.
const STIFF: f64 = 1e-4;

/// The parameters at a point (α, β*, γ*, φ): β = α β*, γ = (1 - α) γ*.
pub(super) fn smoothing_at(&[alpha, beta, gamma, phi]: &[f64; 4], variant: Variant) -> Smoothing {
    Smoothing {
        alpha,
        beta: if variant.trend.is_some() { alpha * beta } else { 0.0 },
        gamma: if variant.seasonal.is_some() { (1.0 - alpha) * gamma } else { 0.0 },
        phi: if variant.damped { phi } else { 1.0 },
    }
}

/// Units of the initial states among the coordinates.
#[derive(Debug, Clone, Copy)]
pub(super) enum Units {
    /// The typical error, here the root mean square at the start: all coordinates are then of order one.
    Error(f64),
    /// The unit of the data, whatever that is, as in statsmodels.
    Data(f64),
}

/// The coordinates of the search: α, β*, γ*, φ as far as the variant has them, then level, trend and all seasonal terms but
/// the first, as differences from `origin`.
pub(super) struct Search {
    variant: Variant,
    origin: State,
    level_unit: f64,
    trend_unit: f64,
    seasonal_unit: f64,
}

impl Search {
    pub(super) fn new(variant: Variant, origin: State, units: Units) -> Self {
        let (additive, multiplicative, trend) = match units {
            Units::Error(rms) => {
                let unit = rms.max(1e-12);
                // A change of the trend is felt over many observations.
                (unit, unit / origin.level.abs().max(1e-12), 0.1)
            }
            Units::Data(one) => (one, 1.0, 1.0),
        };
        let of = |c: Option<Component>| if c == Some(Multiplicative) { multiplicative } else { additive };
        Self {
            level_unit: additive,
            trend_unit: trend * of(variant.trend),
            seasonal_unit: of(variant.seasonal),
            variant,
            origin,
        }
    }

    /// Narrows the bounds of the initial states down to the origin where the gradient there is smaller than [`STIFF`].
    pub(super) fn hold_stiff(
        &mut self,
        y: &[f64],
        pass: &mut Pass,
        start: &Smoothing,
        (lower, upper): (&mut [f64], &mut [f64]),
    ) {
        let x = self.coordinates(start);
        let mut gradient = vec![0.0; x.len()];
        self.objective(y, pass, &x, &mut gradient);
        for i in self.variant.smoothing_count()..x.len() {
            if gradient[i].abs() < STIFF {
                (lower[i], upper[i]) = (0.0, 0.0);
            }
        }
    }

    /// Bounds of the coordinates; `trend_limit` is that of β*.
    pub(super) fn bounds(&self, hold_states: bool, trend_limit: f64) -> (Vec<f64>, Vec<f64>) {
        let smoothing = self.variant.smoothing_count();
        let states = if hold_states { 0.0 } else { f64::INFINITY };
        let mut bounds = vec![(-states, states); self.variant.free_count()];
        bounds[..smoothing].fill(WEIGHT);
        if self.variant.trend.is_some() {
            bounds[1].1 = trend_limit.clamp(WEIGHT.0, WEIGHT.1);
        }
        if self.variant.damped {
            bounds[smoothing - 1] = DAMPING;
        }
        bounds.into_iter().unzip()
    }

    /// The coordinates of these smoothing parameters at the origin.
    pub(super) fn coordinates(&self, p: &Smoothing) -> Vec<f64> {
        let mut x = vec![p.alpha];
        if self.variant.trend.is_some() {
            x.push(p.beta / p.alpha);
        }
        if self.variant.seasonal.is_some() {
            x.push(p.gamma / (1.0 - p.alpha));
        }
        if self.variant.damped {
            x.push(p.phi);
        }
        x.resize(self.variant.free_count(), 0.0);
        x
    }

    /// Places of β*, γ*, φ and the level among the coordinates; a place is meaningless where the variant lacks the part.
    fn places(&self) -> (usize, usize, usize, usize) {
        let beta = 1;
        let gamma = beta + usize::from(self.variant.trend.is_some());
        let phi = gamma + usize::from(self.variant.seasonal.is_some());
        (beta, gamma, phi, phi + usize::from(self.variant.damped))
    }

    fn smoothing(&self, x: &[f64]) -> Smoothing {
        let (beta, gamma, phi, _) = self.places();
        smoothing_at(
            &[x[0], x[beta.min(x.len() - 1)], x[gamma.min(x.len() - 1)], x[phi.min(x.len() - 1)]],
            self.variant,
        )
    }

    fn level_and_trend(&self, x: &[f64]) -> (f64, f64) {
        let (.., level) = self.places();
        let trend = if self.variant.trend.is_some() { x[level + 1] * self.trend_unit } else { 0.0 };
        (self.origin.level + x[level] * self.level_unit, self.origin.trend + trend)
    }

    /// Place of the first free seasonal term, which is the second term.
    fn seasonal_place(&self) -> usize {
        let (.., level) = self.places();
        level + 1 + usize::from(self.variant.trend.is_some())
    }

    pub(super) fn point(&self, x: &[f64]) -> (Smoothing, State) {
        let (level, trend) = self.level_and_trend(x);
        let mut seasonal = self.origin.seasonal.clone();
        for (s, x) in seasonal.iter_mut().skip(1).zip(&x[self.seasonal_place()..]) {
            *s += x * self.seasonal_unit;
        }
        (self.smoothing(x), State { level, trend, seasonal })
    }

    /// Value and gradient. Allocates nothing.
    pub(super) fn objective(&mut self, y: &[f64], pass: &mut Pass, x: &[f64], gradient: &mut [f64]) -> f64 {
        let p = self.smoothing(x);
        let (level, trend) = self.level_and_trend(x);
        let terms = self.seasonal_place();
        if self.variant.seasonal.is_some() {
            pass.seasonal[..self.variant.period].copy_from_slice(&self.origin.seasonal);
            for (s, x) in pass.seasonal[1..].iter_mut().zip(&x[terms..]) {
                *s += x * self.seasonal_unit;
            }
        }
        let Some(sums) = pass.forward(y, self.variant, p, level, trend) else {
            return f64::INFINITY;
        };
        let n = y.len() as f64;
        let a = pass.backward(self.variant, p, sums.squares + n * FLOOR);

        let (beta, gamma, phi, state) = self.places();
        gradient[0] = a.alpha;
        if self.variant.trend.is_some() {
            gradient[0] += a.beta * x[beta];
            gradient[beta] = a.beta * p.alpha;
            gradient[state + 1] = a.trend * self.trend_unit;
        }
        if self.variant.seasonal.is_some() {
            gradient[0] -= a.gamma * x[gamma];
            gradient[gamma] = a.gamma * (1.0 - p.alpha);
            for (g, s_bar) in gradient[terms..].iter_mut().zip(&pass.seasonal_adjoint(self.variant)[1..]) {
                *g = s_bar * self.seasonal_unit;
            }
        }
        if self.variant.damped {
            gradient[phi] = a.phi;
        }
        gradient[state] = a.level * self.level_unit;
        mean_loss(sums, n)
    }
}

/// What the search minimises: the negative log-likelihood over n, without its constants.
pub(super) fn mean_loss(sums: Sums, n: f64) -> f64 {
    0.5 * (sums.squares / n + FLOOR).ln() + sums.log_fitted / n
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::start::Start;
    use super::*;
    use Component::Additive;

    /// Positive data with a trend, a season of four and noise from a small congruential generator.
    pub(in super::super) fn series(n: usize) -> Vec<f64> {
        let mut state = 12_345u64;
        (0..n)
            .map(|t| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let noise = (state >> 33) as f64 / 2f64.powi(31) - 0.5;
                10.0 + 0.1 * t as f64 + [1.0, -2.0, 0.5, 0.5][t % 4] + noise
            })
            .collect()
    }

    pub(in super::super) fn all_variants(period: usize) -> Vec<Variant> {
        let mut variants = Vec::new();
        for error in [Additive, Multiplicative] {
            for (trend, damped) in [
                (None, false),
                (Some(Additive), false),
                (Some(Additive), true),
                (Some(Multiplicative), false),
                (Some(Multiplicative), true),
            ] {
                for seasonal in [None, Some(Additive), Some(Multiplicative)] {
                    let period = if seasonal.is_some() { period } else { 1 };
                    variants.push(Variant { error, trend, damped, seasonal, period });
                }
            }
        }
        variants
    }

    #[test]
    fn the_gradient_of_every_variant_agrees_with_central_differences() {
        let y: Vec<f64> = series(40).iter().map(|y| y / 8.0).collect();
        for variant in all_variants(4) {
            let mut pass = Pass::default();
            pass.prepare(y.len(), variant);
            let origin = Start::new(&y, variant.seasonal, variant.period).state(variant);
            let mut search = Search::new(variant, origin, Units::Error(0.1));
            let smoothing = smoothing_at(&[0.37, 0.23, 0.31, 0.91], variant);
            let mut x = search.coordinates(&smoothing);
            for (i, x) in x.iter_mut().enumerate().skip(variant.smoothing_count()) {
                *x = 0.3 - 0.1 * i as f64;
            }
            let mut gradient = vec![0.0; x.len()];
            search.objective(&y, &mut pass, &x, &mut gradient);
            let mut unused = vec![0.0; x.len()];
            for i in 0..x.len() {
                let h = 1e-5;
                let mut at = |x_i: f64| {
                    let mut moved = x.clone();
                    moved[i] = x_i;
                    search.objective(&y, &mut pass, &moved, &mut unused)
                };
                let numeric = (at(x[i] + h) - at(x[i] - h)) / (2.0 * h);
                assert!(
                    (gradient[i] - numeric).abs() < 1e-7 * (1.0 + numeric.abs()),
                    "{} coordinate {i}: {} vs {numeric}",
                    variant.name(),
                    gradient[i]
                );
            }
        }
    }
}
