//! The ETS recursion forward over the data, and its adjoint backward for the gradient of the likelihood.
//!
//! With `r = φ b` (or `b^φ`), `q = ℓ + r` (or `ℓ r`) and `ŷ = q + s` (or `q s`), one step is
//!
//! ```text
//! e  = y - ŷ                     the error in units of the data
//! d  = e        or  e / s        the same without the season
//! ℓ' = q + α d
//! b' = r + β d  or  r + β d / ℓ
//! s' = s + γ e  or  s + γ e / q
//! ```
//!
//! for additive or multiplicative components. The recursion is the same for additive and multiplicative errors (Hyndman et
//! al. 2008, table 2.2 and 2.3, after substituting `ε = e / ŷ`); only the likelihood differs.

use super::components::{Component, Smoothing, State, Variant, damped_ratio};
use Component::{Additive, Multiplicative};

/// What the likelihood needs to know of one pass over the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sums {
    /// Sum of squared residuals: `e` for additive errors, `e / ŷ` for multiplicative ones.
    pub(super) squares: f64,
    /// Sum of `ln ŷ` for multiplicative errors, 0 for additive ones.
    pub(super) log_fitted: f64,
}

/// Derivatives of a function of the pass.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Adjoint {
    pub(super) alpha: f64,
    pub(super) beta: f64,
    pub(super) gamma: f64,
    pub(super) phi: f64,
    pub(super) level: f64,
    pub(super) trend: f64,
}

/// One step's intermediate values, kept for the way back.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    level: f64,
    trend: f64,
    growth: f64,
    base: f64,
    fitted: f64,
    error: f64,
}

/// The memory of a pass. `seasonal` holds the initial terms in the first `period` places, in order of use, and the term that
/// step `t` makes in place `t + period`.
#[derive(Debug, Clone, Default)]
pub(super) struct Pass {
    steps: Vec<Step>,
    pub(super) seasonal: Vec<f64>,
    seasonal_adjoint: Vec<f64>,
    last_level: f64,
    last_trend: f64,
}

impl Pass {
    /// Makes room for `n` observations and a season.
    pub(super) fn prepare(&mut self, n: usize, variant: Variant) {
        self.steps.resize(n, Step::default());
        let terms = if variant.seasonal.is_some() { n + variant.period } else { 0 };
        self.seasonal.clear();
        self.seasonal.resize(terms, 0.0);
        self.seasonal_adjoint.clear();
        self.seasonal_adjoint.resize(terms, 0.0);
    }

    /// Runs over the data from a level, a trend and the seasonal terms already in place. `None` where the model is not
    /// defined: a multiplied trend or a fitted value of a multiplicative error that is not positive, or an overflow.
    pub(super) fn forward(&mut self, y: &[f64], v: Variant, p: Smoothing, level: f64, trend: f64) -> Option<Sums> {
        // Literal arguments of an inlined function: the compiler makes a loop without branches for each of the nine forms.
        match v.trend {
            None => self.forward_with_trend(None, y, v, p, level, trend),
            Some(Additive) => self.forward_with_trend(Some(Additive), y, v, p, level, trend),
            Some(Multiplicative) => self.forward_with_trend(Some(Multiplicative), y, v, p, level, trend),
        }
    }

    #[inline(always)]
    fn forward_with_trend(
        &mut self,
        trend: Option<Component>,
        y: &[f64],
        v: Variant,
        p: Smoothing,
        l: f64,
        b: f64,
    ) -> Option<Sums> {
        match v.seasonal {
            None => self.forward_loop((trend, None), y, v, p, l, b),
            Some(Additive) => self.forward_loop((trend, Some(Additive)), y, v, p, l, b),
            Some(Multiplicative) => self.forward_loop((trend, Some(Multiplicative)), y, v, p, l, b),
        }
    }

    #[inline(always)]
    fn forward_loop(
        &mut self,
        (trend, seasonal): (Option<Component>, Option<Component>),
        y: &[f64],
        v: Variant,
        p: Smoothing,
        mut level: f64,
        mut b: f64,
    ) -> Option<Sums> {
        let mut squares = 0.0;
        let mut product = LogProduct::default();
        let relative = v.error == Multiplicative;
        let mut defined = true;
        for (t, (&y, step)) in y.iter().zip(&mut self.steps).enumerate() {
            let growth = match trend {
                None => 0.0,
                Some(Additive) => p.phi * b,
                Some(Multiplicative) => damped_ratio(b, p.phi),
            };
            let base = match trend {
                None => level,
                Some(Additive) => level + growth,
                Some(Multiplicative) => level * growth,
            };
            let s = if seasonal.is_some() { self.seasonal[t] } else { 0.0 };
            let fitted = match seasonal {
                None => base,
                Some(Additive) => base + s,
                Some(Multiplicative) => base * s,
            };
            let error = y - fitted;
            *step = Step { level, trend: b, growth, base, fitted, error };
            if relative {
                defined &= fitted > 0.0;
                let residual = error / fitted;
                squares += residual * residual;
                product.push(fitted);
            } else {
                squares += error * error;
            }
            let d = if seasonal == Some(Multiplicative) { error / s } else { error };
            match trend {
                None => {}
                Some(Additive) => b = growth + p.beta * d,
                Some(Multiplicative) => {
                    b = growth + p.beta * d / level;
                    defined &= b > 0.0;
                }
            }
            level = base + p.alpha * d;
            match seasonal {
                None => {}
                Some(Additive) => self.seasonal[t + v.period] = s + p.gamma * error,
                Some(Multiplicative) => self.seasonal[t + v.period] = s + p.gamma * error / base,
            }
        }
        (self.last_level, self.last_trend) = (level, b);
        let sums = Sums { squares, log_fitted: product.ln() };
        (defined && sums.squares.is_finite() && sums.log_fitted.is_finite()).then_some(sums)
    }

    /// Puts the initial seasonal terms in place.
    pub(super) fn set_seasonal(&mut self, terms: &[f64]) {
        self.seasonal[..terms.len()].copy_from_slice(terms);
    }

    /// Root mean square of the errors of the last forward pass, in units of the data.
    pub(super) fn rms_error(&self) -> f64 {
        (self.steps.iter().map(|step| step.error * step.error).sum::<f64>() / self.steps.len() as f64).sqrt()
    }

    /// One-step predictions of the last forward pass.
    pub(super) fn fitted(&self) -> impl Iterator<Item = f64> + '_ {
        self.steps.iter().map(|step| step.fitted)
    }

    /// The state behind the last observation of the last forward pass.
    pub(super) fn last_state(&self, v: Variant) -> State {
        let from = self.seasonal.len() - v.seasonal.map_or(0, |_| v.period);
        State { level: self.last_level, trend: self.last_trend, seasonal: self.seasonal[from..].to_vec() }
    }

    /// Derivatives of the initial seasonal terms after [`Self::backward`].
    pub(super) fn seasonal_adjoint(&self, v: Variant) -> &[f64] {
        &self.seasonal_adjoint[..v.seasonal.map_or(0, |_| v.period)]
    }

    /// Derivatives of `½ ln(Σ residual²) + Σ ln ŷ / n` (the second term for multiplicative errors) at the last forward
    /// pass. `squares` is the sum of squares, with whatever was added to it.
    pub(super) fn backward(&mut self, v: Variant, p: Smoothing, squares: f64) -> Adjoint {
        match v.trend {
            None => self.backward_with_trend(None, v, p, squares),
            Some(Additive) => self.backward_with_trend(Some(Additive), v, p, squares),
            Some(Multiplicative) => self.backward_with_trend(Some(Multiplicative), v, p, squares),
        }
    }

    #[inline(always)]
    fn backward_with_trend(&mut self, trend: Option<Component>, v: Variant, p: Smoothing, squares: f64) -> Adjoint {
        match v.seasonal {
            None => self.backward_loop((trend, None), v, p, squares),
            Some(Additive) => self.backward_loop((trend, Some(Additive)), v, p, squares),
            Some(Multiplicative) => self.backward_loop((trend, Some(Multiplicative)), v, p, squares),
        }
    }

    /// The transpose of [`Self::forward_loop`], line by line from its end; `x_bar` is the derivative by `x`.
    #[inline(always)]
    fn backward_loop(
        &mut self,
        (trend, seasonal): (Option<Component>, Option<Component>),
        v: Variant,
        p: Smoothing,
        squares: f64,
    ) -> Adjoint {
        let mut a = Adjoint::default();
        let inverse_n = 1.0 / self.steps.len() as f64;
        let inverse_squares = 1.0 / squares;
        self.seasonal_adjoint.fill(0.0);
        for (t, step) in self.steps.iter().enumerate().rev() {
            let &Step { level, trend: b, growth, base, fitted, error } = step;
            let (level_next_bar, b_next_bar) = (a.level, a.trend);
            let (mut error_bar, mut fitted_bar) = match v.error {
                Additive => (error * inverse_squares, 0.0),
                Multiplicative => {
                    let inverse_fitted = 1.0 / fitted;
                    let residual = error * inverse_fitted;
                    // residual = y / ŷ - 1, so its derivative by ŷ is -(1 + residual) / ŷ.
                    (0.0, (inverse_n - residual * inverse_squares * (1.0 + residual)) * inverse_fitted)
                }
            };
            let s = if seasonal.is_some() { self.seasonal[t] } else { 1.0 };
            let mut base_bar = level_next_bar;
            let mut s_bar = 0.0;
            if seasonal.is_some() {
                let s_next_bar = self.seasonal_adjoint[t + v.period];
                s_bar = s_next_bar;
                let share = if seasonal == Some(Multiplicative) { s_next_bar / base } else { s_next_bar };
                a.gamma += share * error;
                error_bar += share * p.gamma;
                if seasonal == Some(Multiplicative) {
                    base_bar -= share * p.gamma * error / base;
                }
            }
            let d = if seasonal == Some(Multiplicative) { error / s } else { error };
            let mut d_bar = p.alpha * level_next_bar;
            a.alpha += level_next_bar * d;
            let mut level_bar = 0.0;
            let mut growth_bar = b_next_bar;
            match trend {
                None => growth_bar = 0.0,
                Some(Additive) => {
                    a.beta += b_next_bar * d;
                    d_bar += b_next_bar * p.beta;
                }
                Some(Multiplicative) => {
                    let share = b_next_bar / level;
                    a.beta += share * d;
                    d_bar += share * p.beta;
                    level_bar -= share * p.beta * d / level;
                }
            }
            if seasonal == Some(Multiplicative) {
                error_bar += d_bar / s;
                s_bar -= d_bar * d / s;
            } else {
                error_bar += d_bar;
            }
            fitted_bar -= error_bar;
            match seasonal {
                None => base_bar += fitted_bar,
                Some(Additive) => {
                    base_bar += fitted_bar;
                    s_bar += fitted_bar;
                }
                Some(Multiplicative) => {
                    base_bar += fitted_bar * s;
                    s_bar += fitted_bar * base;
                }
            }
            if seasonal.is_some() {
                self.seasonal_adjoint[t] = s_bar;
            }
            match trend {
                None => (a.level, a.trend) = (base_bar, 0.0),
                Some(Additive) => {
                    growth_bar += base_bar;
                    a.phi += growth_bar * b;
                    (a.level, a.trend) = (level_bar + base_bar, growth_bar * p.phi);
                }
                Some(Multiplicative) => {
                    growth_bar += base_bar * level;
                    if v.damped {
                        a.phi += growth_bar * growth * b.ln();
                    }
                    (a.level, a.trend) = (level_bar + base_bar * growth, growth_bar * p.phi * growth / b);
                }
            }
        }
        a
    }
}

/// The logarithm of a product of positive numbers, with a logarithm only where the product would leave the number range.
#[derive(Debug, Clone, Copy)]
struct LogProduct {
    product: f64,
    logarithm: f64,
}

impl Default for LogProduct {
    fn default() -> Self {
        Self { product: 1.0, logarithm: 0.0 }
    }
}

impl LogProduct {
    #[inline(always)]
    fn push(&mut self, factor: f64) {
        self.product *= factor;
        if !(1e-100..1e100).contains(&self.product) {
            self.logarithm += self.product.ln();
            self.product = 1.0;
        }
    }

    fn ln(self) -> f64 {
        self.logarithm + self.product.ln()
    }
}
