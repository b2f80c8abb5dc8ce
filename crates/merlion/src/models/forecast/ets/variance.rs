//! Forecast variances in closed form, for the classes of models that have one.
//!
//! Hyndman, Koehler, Ord & Snyder (2008), chapter 6: class 1 (additive error, trend and season), class 2 (multiplicative
//! error, additive trend and season) and class 3 (multiplicative error and season, additive trend). For class 3 the book's
//! formula takes level and season as independent, which is exact within one season only; here the joint second moments are
//! carried along, which is exact at every horizon for normal errors. The other models are simulated, see `simulate.rs`.

use super::components::{Component, Smoothing, State, Variant};
use Component::{Additive, Multiplicative};

/// Variances of the next `horizon` observations, or `None` for the models without a closed form.
pub(super) fn forecast_variance(
    variant: Variant,
    p: Smoothing,
    last: &State,
    sigma2: f64,
    horizon: usize,
) -> Option<Vec<f64>> {
    match (variant.error, variant.trend, variant.seasonal) {
        (_, Some(Multiplicative), _) | (Additive, _, Some(Multiplicative)) => None,
        (Additive, ..) => Some(class_1(variant, p, sigma2, horizon)),
        (Multiplicative, _, None | Some(Additive)) => Some(class_2(variant, p, last, sigma2, horizon)),
        (Multiplicative, _, Some(Multiplicative)) => Some(class_3(variant, p, last, sigma2, horizon)),
    }
}

/// Weights `c_j` of the error `j` steps before an observation: `α + β (φ + ... + φ^j)`, plus `γ` every full season.
fn weights(variant: Variant, p: Smoothing) -> impl Iterator<Item = f64> {
    let mut damping = 1.0;
    let mut trend = 0.0;
    (1..).map(move |j: usize| {
        damping *= p.phi;
        trend += damping;
        let season = if variant.seasonal.is_some() && j.is_multiple_of(variant.period) { p.gamma } else { 0.0 };
        p.alpha + p.beta * trend + season
    })
}

/// `v_h = σ² (1 + Σ_{j<h} c_j²)`.
fn class_1(variant: Variant, p: Smoothing, sigma2: f64, horizon: usize) -> Vec<f64> {
    let mut sum = 1.0;
    let mut weights = weights(variant, p);
    (0..horizon)
        .map(|_| {
            let v = sigma2 * sum;
            sum += weights.next().map_or(0.0, |c| c * c);
            v
        })
        .collect()
}

/// `v_h = (1 + σ²) θ_h - μ_h²` with `θ_h = μ_h² + σ² Σ_{j<h} c_j² θ_{h-j}`.
fn class_2(variant: Variant, p: Smoothing, last: &State, sigma2: f64, horizon: usize) -> Vec<f64> {
    let squares: Vec<f64> = weights(variant, p).take(horizon).map(|c| c * c).collect();
    let mut theta: Vec<f64> = Vec::with_capacity(horizon);
    last.path(variant, p.phi, horizon)
        .into_iter()
        .map(|mu| {
            // The excess θ - μ² is carried, so that nothing cancels.
            let excess = sigma2 * squares.iter().zip(theta.iter().rev()).map(|(c2, theta)| c2 * theta).sum::<f64>();
            theta.push(mu * mu + excess);
            excess + sigma2 * (mu * mu + excess)
        })
        .collect()
}

/// First and second moments of `(q, φ b)` times the seasonal term of one slot, where `q = ℓ + φ b`.
///
/// A step multiplies `q` by `1 + α ε`, adds `β q ε` to `φ b`, and multiplies the seasonal term by `1 + γ ε` when it is the
/// slot's turn. The moments of these factors are polynomials in σ² for normal `ε`.
fn class_3(variant: Variant, p: Smoothing, last: &State, sigma2: f64, horizon: usize) -> Vec<f64> {
    let Smoothing { alpha, beta, phi, .. } = p;
    let fourth = 3.0 * sigma2 * sigma2;
    let mut variances = vec![0.0; horizon];
    for slot in 0..variant.period.min(horizon) {
        let s = last.seasonal[slot];
        // Means and second moments of (ℓ s, b s).
        let (mut l, mut b) = (last.level * s, last.trend * s);
        let (mut ll, mut lb, mut bb) = (l * l, l * b, b * b);
        for (step, variance) in variances.iter_mut().enumerate() {
            let q = l + phi * b;
            let growth = phi * b;
            let qq = ll + 2.0 * phi * lb + phi * phi * bb;
            let qg = phi * lb + phi * phi * bb;
            let gg = phi * phi * bb;
            let turn = step % variant.period == slot;
            if turn {
                *variance = (1.0 + sigma2) * qq - q * q;
            }
            let gamma = if turn { p.gamma } else { 0.0 };
            (l, b) = (q * (1.0 + alpha * gamma * sigma2), growth + beta * gamma * sigma2 * q);
            let both = alpha * alpha + 4.0 * alpha * gamma + gamma * gamma;
            ll = qq * (1.0 + both * sigma2 + alpha * alpha * gamma * gamma * fourth);
            let one = 1.0 + (gamma * gamma + 2.0 * alpha * gamma) * sigma2;
            let odd = (alpha + 2.0 * gamma) * sigma2 + alpha * gamma * gamma * fourth;
            lb = qg * one + qq * beta * odd;
            bb = gg * (1.0 + gamma * gamma * sigma2)
                + 4.0 * beta * gamma * sigma2 * qg
                + beta * beta * qq * (sigma2 + gamma * gamma * fourth);
        }
    }
    variances
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMOOTHING: Smoothing = Smoothing { alpha: 0.3, beta: 0.06, gamma: 0.2, phi: 0.9 };

    fn variant(error: Component, trend: bool, damped: bool, seasonal: Option<Component>) -> Variant {
        let period = if seasonal.is_some() { 4 } else { 1 };
        Variant { error, trend: trend.then_some(Additive), damped, seasonal, period }
    }

    /// The formulas of Hyndman & Athanasopoulos, table 6.2 / 8.8, as statsmodels 0.14.2 writes them.
    fn closed_form(v: Variant, p: Smoothing, h: f64) -> f64 {
        let (a, b, g, f, m) = (p.alpha, p.beta, p.gamma, p.phi, v.period as f64);
        let k = ((h - 1.0) / m).floor();
        let damped = b * f * h / (1.0 - f).powi(2) * (2.0 * a * (1.0 - f) + b * f)
            - b * f * (1.0 - f.powf(h)) / ((1.0 - f).powi(2) * (1.0 - f * f))
                * (2.0 * a * (1.0 - f * f) + b * f * (1.0 + 2.0 * f - f.powf(h)));
        let level = 1.0 + a * a * (h - 1.0);
        match v.name().as_str() {
            "ANN" => level,
            "AAN" => 1.0 + (h - 1.0) * (a * a + a * b * h + b * b * h / 6.0 * (2.0 * h - 1.0)),
            "AAdN" => level + damped,
            "ANA" => level + g * k * (2.0 * a + g),
            "AAA" => {
                1.0 + (h - 1.0) * (a * a + a * b * h + b * b / 6.0 * h * (2.0 * h - 1.0))
                    + g * k * (2.0 * a + g + b * m * (k + 1.0))
            }
            "AAdA" => {
                level
                    + damped
                    + g * k * (2.0 * a + g)
                    + 2.0 * b * g * f / ((1.0 - f) * (1.0 - f.powf(m)))
                        * (k * (1.0 - f.powf(m)) - f.powf(m) * (1.0 - f.powf(m * k)))
            }
            other => unreachable!("{other}"),
        }
    }

    #[test]
    fn additive_models_agree_with_the_published_formulas() {
        for (trend, damped, seasonal) in [
            (false, false, false),
            (true, false, false),
            (true, true, false),
            (false, false, true),
            (true, false, true),
            (true, true, true),
        ] {
            let v = variant(Additive, trend, damped, seasonal.then_some(Additive));
            let p = Smoothing {
                beta: if trend { SMOOTHING.beta } else { 0.0 },
                phi: if damped { SMOOTHING.phi } else { 1.0 },
                ..SMOOTHING
            };
            for (h, got) in class_1(v, p, 2.0, 30).into_iter().enumerate() {
                let expected = 2.0 * closed_form(v, p, h as f64 + 1.0);
                assert!((got / expected - 1.0).abs() < 1e-12, "{} h = {}: {got} vs {expected}", v.name(), h + 1);
            }
        }
    }

    #[test]
    fn relative_errors_become_absolute_ones_when_they_are_small() {
        // For small σ a multiplicative error on a flat path is an additive one with standard deviation σ ℓ.
        let last = State { level: 50.0, trend: 0.0, seasonal: vec![1.0; 4] };
        let additive = class_1(variant(Additive, true, true, None), SMOOTHING, 1e-8 * 2500.0, 12);
        let class_2 = class_2(variant(Multiplicative, true, true, None), SMOOTHING, &last, 1e-8, 12);
        for (h, (a, m)) in additive.iter().zip(&class_2).enumerate() {
            assert!((m / a - 1.0).abs() < 1e-6, "h = {}: {m} vs {a}", h + 1);
        }
        let additive = class_1(variant(Additive, true, true, Some(Additive)), SMOOTHING, 1e-8 * 2500.0, 12);
        let class_3 = class_3(variant(Multiplicative, true, true, Some(Multiplicative)), SMOOTHING, &last, 1e-8, 12);
        for (h, (a, m)) in additive.iter().zip(&class_3).enumerate() {
            assert!((m / a - 1.0).abs() < 1e-6, "h = {}: {m} vs {a}", h + 1);
        }
    }

    #[test]
    fn a_season_that_never_changes_makes_class_3_class_2_times_the_season() {
        let p = Smoothing { gamma: 0.0, ..SMOOTHING };
        let last = State { level: 50.0, trend: 1.0, seasonal: vec![0.5, 1.0, 1.5, 2.0] };
        let plain = class_2(variant(Multiplicative, true, true, None), p, &last, 0.04, 10);
        let seasonal = class_3(variant(Multiplicative, true, true, Some(Multiplicative)), p, &last, 0.04, 10);
        for h in 0..10 {
            let expected = plain[h] * last.seasonal[h % 4].powi(2);
            assert!((seasonal[h] / expected - 1.0).abs() < 1e-12, "h = {}: {} vs {expected}", h + 1, seasonal[h]);
        }
    }
}
