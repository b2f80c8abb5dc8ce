//! Maximum likelihood: the starts of the search and what it finds.

use serde::{Deserialize, Serialize};

use super::components::{Component, Smoothing, State, Variant};
use super::recursion::{Pass, Sums};
use super::search::{Search, Units, mean_loss, smoothing_at};
use super::start::Start;
use crate::math::lbfgsb::{Minimizer, Options};
use crate::models::{FitContext, ModelError};
use Component::Additive;

/// Starts in (α, β*, γ*, φ). The first is statsmodels' own; the others cover quick and slow levels and trends.
const STARTS: [[f64; 4]; 7] = [
    [0.1, 0.1, 0.011, 0.98],
    [0.5, 0.1, 0.1, 0.9],
    [0.9, 0.01, 0.1, 0.85],
    [0.01, 0.1, 0.1, 0.9],
    [0.3, 0.5, 0.3, 0.95],
    [0.9, 0.5, 0.5, 0.95],
    [0.1, 0.01, 0.6, 0.9],
];
/// How many starts beside the first are followed to their optimum.
const FOLLOWED: usize = 3;

/// How thoroughly the likelihood is maximised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimation {
    /// The maximum over all parameters and initial states, looked for from several starts.
    #[default]
    Maximum,
    /// What statsmodels 0.14 finds, for results comparable with Merlion's. Its search has one start, works in units of the
    /// data and takes its gradients from differences of 1e-8. Coordinates that hardly change the likelihood per unit of the
    /// data, such as the initial level of sales of 10,000, therefore stay where they start; and the first guess of the
    /// seasonal terms starts in reversed order.
    Merlion,
}

/// Optimiser settings of [`Estimation::Maximum`]. The likelihood is of order one.
const MAXIMUM: Options = Options { memory: 10, max_iterations: 1000, gradient_tolerance: 1e-6, value_tolerance: 1e-11 };
/// When the search from one of several starts ends; the best of them is then followed to its optimum. On the M3 competition this
/// halves the time and changes no forecast but one.
const ROUGH: Options = Options { value_tolerance: 1e-5, ..MAXIMUM };
/// Optimiser settings of [`Estimation::Merlion`]: those of scipy's L-BFGS-B.
const MERLION: Options =
    Options { memory: 10, max_iterations: 1000, gradient_tolerance: 1e-5, value_tolerance: 2.2e-9 };

/// One variant fitted to one series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EtsFit {
    /// The model.
    pub variant: Variant,
    /// Its smoothing parameters.
    pub smoothing: Smoothing,
    /// The state before the first observation.
    pub initial: State,
    /// The state after the last observation.
    pub last: State,
    /// One-step predictions of the observations.
    pub fitted: Vec<f64>,
    /// Mean squared residual: relative residuals for multiplicative errors.
    pub sigma2: f64,
    /// Maximised log-likelihood, constants included.
    pub log_likelihood: f64,
}

impl EtsFit {
    /// Number of estimated quantities, the variance included.
    fn degrees(&self) -> f64 {
        self.variant.parameter_count() as f64 + 1.0
    }

    /// The same model with its state moved over newer observations; estimates, fitted values and likelihood stay those of
    /// the training data. An observation the model cannot take (a multiplied trend that would turn negative) moves the
    /// state as a missing one would: along the forecast.
    pub(super) fn continued(&self, newer: &[f64]) -> Self {
        let mut moved = self.clone();
        for &y in newer {
            let mut pass = Pass::default();
            pass.prepare(1, self.variant);
            pass.set_seasonal(&moved.last.seasonal);
            if pass.forward(&[y], self.variant, self.smoothing, moved.last.level, moved.last.trend).is_some() {
                moved.last = pass.last_state(self.variant);
            } else {
                moved.last.advance(self.variant, self.smoothing.phi, 0);
                let turns = usize::from(!moved.last.seasonal.is_empty());
                moved.last.seasonal.rotate_left(turns);
            }
        }
        moved
    }

    /// Akaike's information criterion.
    #[must_use]
    pub fn aic(&self) -> f64 {
        -2.0 * self.log_likelihood + 2.0 * self.degrees()
    }

    /// Akaike's criterion corrected for small samples; infinite when there are no more observations than parameters.
    #[must_use]
    pub fn aicc(&self) -> f64 {
        let (n, k) = (self.fitted.len() as f64, self.degrees());
        if n - k - 1.0 > 0.0 { -2.0 * self.log_likelihood + 2.0 * k * n / (n - k - 1.0) } else { f64::INFINITY }
    }

    /// Schwarz's information criterion.
    #[must_use]
    pub fn bic(&self) -> f64 {
        -2.0 * self.log_likelihood + self.degrees() * (self.fitted.len() as f64).ln()
    }
}

/// A series made ready for fitting one variant after another: scaled, with first guesses and working memory shared.
///
/// ```
/// use merlion::models::FitContext;
/// use merlion::models::forecast::ets::{Estimation, Ets, Workspace};
///
/// let y: Vec<f64> = (0..30).map(|t| f64::from(10 + t + t % 3)).collect();
/// let mut workspace = Workspace::new(&y)?;
/// let damped = workspace.fit(Ets::default().variant(), Estimation::Maximum, None, &FitContext::default())?;
/// let season = Ets { seasonal_periods: Some(3), ..Ets::default() };
/// let seasonal = workspace.fit(season.variant(), Estimation::Maximum, None, &FitContext::default())?;
/// assert_eq!((damped.variant.name().as_str(), seasonal.variant.name().as_str()), ("AAdN", "AAdA"));
/// assert!(seasonal.aic() < damped.aic());
/// # Ok::<(), merlion::models::ModelError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The observations over `unit`.
    y: Vec<f64>,
    /// The power of two nearest below the largest magnitude, so that scaling is exact and tiny or huge data are alike.
    unit: f64,
    /// The first observation that is not positive.
    not_positive: Option<(f64, usize)>,
    constant: bool,
    /// Upper bound of β* = β/α.
    trend_limit: f64,
    starts: Vec<((Option<Component>, usize), Start)>,
    pass: Pass,
    minimizer: Minimizer,
}

impl Workspace {
    /// Prepares a series.
    ///
    /// # Errors
    /// [`ModelError::TooShort`] below two observations.
    pub fn new(y: &[f64]) -> Result<Self, ModelError> {
        if y.len() < 2 {
            return Err(ModelError::TooShort { got: y.len(), needed: 2 });
        }
        let largest = y.iter().fold(0.0f64, |largest, y| largest.max(y.abs()));
        let unit = if largest > 0.0 { largest.log2().floor().clamp(-1000.0, 1000.0).exp2() } else { 1.0 };
        Ok(Self {
            y: y.iter().map(|y| y / unit).collect(),
            unit,
            not_positive: y.iter().enumerate().find(|(_, y)| **y <= 0.0).map(|(position, y)| (*y, position)),
            constant: y.iter().all(|value| value == &y[0]),
            trend_limit: 1.0,
            starts: Vec::new(),
            pass: Pass::default(),
            minimizer: Minimizer::default(),
        })
    }

    /// The same with β limited to this share of α, so that no trend changes quicker than that. From above 0 to 1.
    #[must_use]
    pub fn with_trend_limit(mut self, limit: f64) -> Self {
        self.trend_limit = limit;
        self
    }

    /// Maximises the likelihood of a variant, over smoothing parameters and initial states alike. `warm` is a fit of the same
    /// variant to similar data: one more start of the search, or its only one with [`Estimation::Merlion`].
    ///
    /// With no more observations than parameters the likelihood has no maximum; the initial states then stay at their
    /// first guess.
    ///
    /// # Errors
    /// [`ModelError::TooShort`] for less than two seasons, [`ModelError::UnsuitableValue`] where a multiplicative component
    /// meets an observation that is not positive, and the context's reasons to stop.
    pub fn fit(
        &mut self,
        variant: Variant,
        estimation: Estimation,
        warm: Option<&EtsFit>,
        context: &FitContext,
    ) -> Result<EtsFit, ModelError> {
        self.check(variant)?;
        context.check()?;
        self.pass.prepare(self.y.len(), variant);
        if self.constant {
            let smoothing = smoothing_at(&STARTS[0], variant);
            return self.evaluated(variant, smoothing, Start::flat(&self.y, variant));
        }
        let guess = self.guess(variant);
        let warm_smoothing = warm.map(|fit| fit.smoothing);
        let (origin, starts) = match (estimation, warm) {
            (Estimation::Maximum, _) => self.feasible_starts(variant, guess, &STARTS)?,
            (Estimation::Merlion, None) => self.feasible_starts(variant, guess.reversed(variant), &STARTS[..1])?,
            (Estimation::Merlion, Some(fit)) => (fit.initial.clone().scaled(variant, 1.0 / self.unit), Vec::new()),
        };
        let starts: Vec<Smoothing> = starts.into_iter().chain(warm_smoothing).collect();
        let hold_states = self.y.len() <= variant.free_count();
        let (options, units) = match estimation {
            Estimation::Maximum => (MAXIMUM, Units::Error(self.pass.rms_error())),
            Estimation::Merlion => (MERLION, Units::Data(1.0 / self.unit)),
        };
        let mut search = Search::new(variant, origin, units);
        let (mut lower, mut upper) = search.bounds(hold_states, self.trend_limit);
        if estimation == Estimation::Merlion {
            search.hold_stiff(&self.y, &mut self.pass, &starts[0], (&mut lower, &mut upper));
        }
        let mut starts: Vec<Vec<f64>> = starts.iter().map(|start| search.coordinates(start)).collect();
        let several = starts.len() > 1 && estimation == Estimation::Maximum;
        let (y, pass) = (&self.y, &mut self.pass);
        let mut minimize = |x: &mut [f64], options| {
            self.minimizer.options = options;
            let objective = |x: &[f64], gradient: &mut [f64]| search.objective(y, pass, x, gradient);
            self.minimizer.minimize(x, (&lower, &upper), objective, || context.check())
        };
        let mut best: Option<(f64, Vec<f64>)> = None;
        for x in &mut starts {
            let minimum = minimize(x, if several { ROUGH } else { options })?;
            if minimum.value.is_finite() && best.as_ref().is_none_or(|(value, _)| minimum.value < *value) {
                best = Some((minimum.value, std::mem::take(x)));
            }
        }
        let Some((_, mut x)) = best else {
            return Err(ModelError::Numerical(format!("the likelihood of {} is not finite", variant.name())));
        };
        if several {
            minimize(&mut x, options)?;
        }
        let (smoothing, state) = search.point(&x);
        self.evaluated(variant, smoothing, state)
    }

    /// Runs a variant with given parameters from a given state over the series, without estimating anything.
    ///
    /// # Errors
    /// As [`Self::fit`]; [`ModelError::Numerical`] where the parameters leave the model's domain.
    pub fn smooth(&mut self, variant: Variant, smoothing: Smoothing, initial: State) -> Result<EtsFit, ModelError> {
        self.pass.prepare(self.y.len(), variant);
        let state = initial.scaled(variant, 1.0 / self.unit);
        self.evaluated(variant, smoothing, state)
    }

    /// Runs a variant with given parameters from the first guess of the initial states.
    ///
    /// # Errors
    /// As [`Self::smooth`].
    pub fn smooth_from_guess(&mut self, variant: Variant, smoothing: Smoothing) -> Result<EtsFit, ModelError> {
        self.check(variant)?;
        self.pass.prepare(self.y.len(), variant);
        let guess = if self.constant { Start::flat(&self.y, variant) } else { self.guess(variant) };
        self.evaluated(variant, smoothing, guess.clone()).or_else(|_| {
            let flat = Start::flat(&self.y, variant);
            self.evaluated(variant, smoothing, flat)
        })
    }

    fn check(&self, variant: Variant) -> Result<(), ModelError> {
        let needed = if variant.seasonal.is_some() { 2 * variant.period } else { 2 };
        if self.y.len() < needed {
            return Err(ModelError::TooShort { got: self.y.len(), needed });
        }
        match self.not_positive {
            Some((value, position)) if variant.needs_positive_data() => Err(ModelError::UnsuitableValue {
                what: "multiplicative error, trend or season needs positive observations",
                value,
                position,
            }),
            _ => Ok(()),
        }
    }

    /// The first guess of the initial state, made once per kind of season.
    fn guess(&mut self, variant: Variant) -> State {
        let key = (variant.seasonal, variant.period);
        let known = self.starts.iter().position(|(k, _)| *k == key).unwrap_or_else(|| {
            self.starts.push((key, Start::new(&self.y, variant.seasonal, variant.period)));
            self.starts.len() - 1
        });
        self.starts[known].1.state(variant)
    }

    /// An initial state the variant is defined from, with the smoothing parameters to start from: the first candidate always,
    /// then the most likely of the others. Leaves the pass at the first.
    fn feasible_starts(
        &mut self,
        variant: Variant,
        guess: State,
        candidates: &[[f64; 4]],
    ) -> Result<(State, Vec<Smoothing>), ModelError> {
        let n = self.y.len() as f64;
        for (origin, candidates) in [(guess, candidates), (Start::flat(&self.y, variant), &STARTS)] {
            let mut starts: Vec<(f64, Smoothing)> = candidates
                .iter()
                .map(|start| smoothing_at(start, variant))
                .map(|p| (self.run(variant, p, &origin).map_or(f64::INFINITY, |sums| mean_loss(sums, n)), p))
                .collect();
            starts[1..].sort_by(|a, b| a.0.total_cmp(&b.0));
            starts.truncate(1 + FOLLOWED);
            starts.retain(|(loss, _)| loss.is_finite());
            if let Some(&(_, first)) = starts.first()
                && self.run(variant, first, &origin).is_some()
            {
                return Ok((origin, starts.into_iter().map(|(_, smoothing)| smoothing).collect()));
            }
        }
        Err(ModelError::Numerical(format!("no start of {} is within its domain", variant.name())))
    }

    fn run(&mut self, variant: Variant, smoothing: Smoothing, from: &State) -> Option<Sums> {
        self.pass.set_seasonal(&from.seasonal);
        self.pass.forward(&self.y, variant, smoothing, from.level, from.trend)
    }

    /// The result at given parameters, in the units of the data.
    fn evaluated(&mut self, variant: Variant, smoothing: Smoothing, from: State) -> Result<EtsFit, ModelError> {
        let sums = self.run(variant, smoothing, &from).ok_or_else(|| {
            ModelError::Numerical(format!("{} leaves its domain with the given parameters", variant.name()))
        })?;
        let n = self.y.len() as f64;
        let unit = if variant.error == Additive { self.unit } else { 1.0 };
        let sigma2 = sums.squares / n * unit * unit;
        if !sigma2.is_finite() {
            return Err(ModelError::Numerical(format!("the variance of {} overflows", variant.name())));
        }
        let log_likelihood = -n
            * (0.5 * ((2.0 * std::f64::consts::PI).ln() + 1.0) + mean_loss(sums, self.y.len() as f64) + self.unit.ln());
        Ok(EtsFit {
            variant,
            smoothing,
            initial: from.scaled(variant, self.unit),
            last: self.pass.last_state(variant).scaled(variant, self.unit),
            fitted: self.pass.fitted().map(|f| f * self.unit).collect(),
            sigma2,
            log_likelihood,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::search::tests::{all_variants, series};
    use super::*;

    #[test]
    fn every_variant_fits_and_is_a_maximum() {
        let y = series(60);
        let mut workspace = Workspace::new(&y).unwrap();
        for variant in all_variants(4) {
            let fit = workspace.fit(variant, Estimation::Maximum, None, &FitContext::default()).unwrap();
            assert!(fit.log_likelihood.is_finite() && fit.aicc() > fit.aic(), "{fit:?}");
            // A small move of the level lowers the likelihood.
            for factor in [0.999, 1.001] {
                let mut moved = fit.initial.clone();
                moved.level *= factor;
                let lower = workspace.smooth(variant, fit.smoothing, moved).unwrap().log_likelihood;
                assert!(lower < fit.log_likelihood, "{}: {lower} vs {}", variant.name(), fit.log_likelihood);
            }
        }
    }

    #[test]
    fn scaling_by_a_power_of_two_scales_the_fit_exactly() {
        let y = series(60);
        let scaled: Vec<f64> = y.iter().map(|y| y * 2f64.powi(40)).collect();
        for variant in all_variants(4) {
            let fit = |y: &[f64]| {
                Workspace::new(y).unwrap().fit(variant, Estimation::Maximum, None, &FitContext::default()).unwrap()
            };
            let (small, large) = (fit(&y), fit(&scaled));
            assert_eq!(small.smoothing, large.smoothing, "{}", variant.name());
            assert_eq!(small.last.level * 2f64.powi(40), large.last.level, "{}", variant.name());
        }
    }

    #[test]
    fn tiny_and_huge_data_give_the_same_forecasts_in_their_units() {
        let y = series(60);
        for factor in [1e-9, 1e12] {
            let scaled: Vec<f64> = y.iter().map(|y| y * factor).collect();
            for variant in all_variants(4) {
                let path = |y: &[f64]| {
                    let fit = Workspace::new(y)
                        .unwrap()
                        .fit(variant, Estimation::Maximum, None, &FitContext::default())
                        .unwrap();
                    fit.last.path(variant, fit.smoothing.phi, 8)
                };
                for (plain, scaled) in path(&y).iter().zip(path(&scaled)) {
                    assert!((scaled / factor / plain - 1.0).abs() < 1e-5, "{}: {plain} vs {scaled}", variant.name());
                }
            }
        }
    }

    #[test]
    fn a_limited_trend_is_no_quicker_than_its_limit() {
        // A trend that turns round wants to be followed quickly.
        let y: Vec<f64> = (0..60).map(|t| 50.0 - f64::from((t % 24 - 12i32).abs())).collect();
        let variant = all_variants(4)[3];
        let fit = |limit| {
            let workspace = Workspace::new(&y).unwrap();
            workspace.with_trend_limit(limit).fit(variant, Estimation::Maximum, None, &FitContext::default()).unwrap()
        };
        let (free, limited) = (fit(1.0), fit(0.1));
        let ratio = |fit: &EtsFit| fit.smoothing.beta / fit.smoothing.alpha;
        assert!(ratio(&free) > 0.2 && ratio(&limited) <= 0.1 + 1e-12, "{} and {}", ratio(&free), ratio(&limited));
        assert!(limited.log_likelihood < free.log_likelihood);
    }

    #[test]
    fn a_constant_series_stays_constant() {
        for variant in all_variants(4) {
            let fit = Workspace::new(&[7.3; 20])
                .unwrap()
                .fit(variant, Estimation::Maximum, None, &FitContext::default())
                .unwrap();
            assert_eq!(fit.sigma2, 0.0, "{}", variant.name());
            assert!(fit.log_likelihood.is_finite());
            assert_eq!(fit.last.path(variant, fit.smoothing.phi, 6), [7.3; 6], "{}", variant.name());
        }
    }

    #[test]
    fn short_series_fit_or_say_how_many_observations_they_lack() {
        for n in 0..16 {
            for variant in all_variants(4) {
                let y = series(n);
                let fit = Workspace::new(&y)
                    .and_then(|mut w| w.fit(variant, Estimation::Maximum, None, &FitContext::default()));
                let needed = if variant.seasonal.is_some() { 8 } else { 2 };
                match fit {
                    Ok(fit) => {
                        let path = fit.last.path(variant, fit.smoothing.phi, 5);
                        assert!(n >= needed && path.iter().all(|y| y.is_finite()), "n = {n}: {fit:?} {path:?}");
                    }
                    Err(error) => assert!(
                        n < needed && matches!(error, ModelError::TooShort { got, .. } if got == n),
                        "n = {n} {}: {error}",
                        variant.name()
                    ),
                }
            }
        }
    }

    #[test]
    fn multiplicative_models_name_the_first_observation_that_is_not_positive() {
        let mut y = series(30);
        y[17] = 0.0;
        let mut workspace = Workspace::new(&y).unwrap();
        for variant in all_variants(4).into_iter().filter(Variant::needs_positive_data) {
            let error = workspace.fit(variant, Estimation::Maximum, None, &FitContext::default()).unwrap_err();
            assert!(matches!(error, ModelError::UnsuitableValue { position: 17, value: 0.0, .. }), "{error}");
        }
    }

    #[test]
    fn a_cancelled_fit_ends() {
        let context = FitContext::default();
        context.stop.stop();
        let variant = all_variants(4)[2];
        let result = Workspace::new(&series(30)).unwrap().fit(variant, Estimation::Maximum, None, &context);
        assert_eq!(result, Err(ModelError::Cancelled));
    }
}
