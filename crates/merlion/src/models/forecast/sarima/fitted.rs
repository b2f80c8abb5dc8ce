//! A trained seasonal ARIMA model: its state at the end of the data, and what follows from it.

use serde::Serialize;

use super::filter::{Innovations, Scratch, State, StateSpace};
use super::fit::{DIFFUSE, SarimaFit};
use crate::models::{FittedForecaster, Forecast, InSample, ModelError, Request, TrainInput};
use crate::time::Timestamp;

/// A trained [`Sarima`](super::Sarima), or any model that ends in one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedSarima {
    fit: SarimaFit,
    /// Whether the state begins as statsmodels' without enforced stationarity.
    diffuse_start: bool,
    last_time: Option<Timestamp>,
    /// Predictions of the training data, and their standard errors.
    fitted: Vec<f64>,
    stderr: Vec<f64>,
    #[serde(skip)]
    space: StateSpace,
    /// Before the first observation after the data.
    #[serde(skip)]
    last: State,
}

impl FittedSarima {
    /// Runs a fit's model over its training data.
    ///
    /// # Errors
    /// [`ModelError::Numerical`] when the predictions overflow.
    pub fn new(fit: SarimaFit, input: &TrainInput<'_>, diffuse_start: bool) -> Result<Self, ModelError> {
        let space = StateSpace::new(&fit.orders, &fit.coefficients, fit.intercept, fit.sigma2);
        let mut fitted = Self {
            fit,
            diffuse_start,
            last_time: input.times.last().copied(),
            fitted: Vec::new(),
            stderr: Vec::new(),
            space,
            last: State::default(),
        };
        let rest = fitted.without_regressors(input.target, input.exog)?;
        let (last, innovations, skipped) = fitted.filtered(&rest)?;
        let sigma = fitted.fit.sigma2.sqrt();
        fitted.last = last;
        for (t, y) in input.target.iter().enumerate() {
            let driven = y - rest[t];
            let (mean, stderr) = match t.checked_sub(skipped) {
                None => (*y, sigma),
                // Merlion's: the same for all.
                Some(at) if diffuse_start => (innovations.mean[at] + driven, sigma),
                Some(at) => (innovations.mean[at] + driven, innovations.variance[at].max(0.0).sqrt()),
            };
            if !mean.is_finite() || !stderr.is_finite() {
                return Err(ModelError::Numerical(format!("the prediction of observation {} is not finite", t + 1)));
            }
            fitted.fitted.push(mean);
            fitted.stderr.push(stderr);
        }
        Ok(fitted)
    }

    /// A model whose parameters are known, run over data: `fit` without its likelihood and number of observations, which are
    /// worked out here.
    ///
    /// # Errors
    /// [`ModelError::TooShort`]; [`ModelError::Numerical`] when the parameters have no likelihood.
    pub fn at(mut fit: SarimaFit, input: &TrainInput<'_>, diffuse_start: bool) -> Result<Self, ModelError> {
        let orders = fit.orders;
        let space = StateSpace::new(&orders, &fit.coefficients, fit.intercept, fit.sigma2);
        let without = if diffuse_start { space.len() } else { orders.lost() };
        fit.observations = input.target.len().saturating_sub(without);
        let mut fitted = Self::new(fit, input, diffuse_start)?;
        let rest = fitted.without_regressors(input.target, input.exog)?;
        let (from, mut state) = if diffuse_start {
            let mut state = State::default();
            space.diffuse(DIFFUSE, &mut state);
            (0, state)
        } else {
            let first = &rest[..orders.lost()];
            (orders.lost(), space.stationary(&orders, &fitted.fit.coefficients, first).unwrap_or_default())
        };
        let burn = without - from;
        fitted.fit.log_likelihood = space.run(&rest[from..], &mut state, burn, &mut Scratch::default(), None);
        Ok(fitted)
    }

    /// Estimates and likelihood.
    #[must_use]
    pub fn fit(&self) -> &SarimaFit {
        &self.fit
    }

    /// What the regressors leave of a series.
    fn without_regressors(&self, y: &[f64], exog: &[Vec<f64>]) -> Result<Vec<f64>, ModelError> {
        let driven = self.driven(exog, y.len())?;
        Ok(y.iter().zip(driven).map(|(y, x)| y - x).collect())
    }

    /// What the regressors add.
    fn driven(&self, exog: &[Vec<f64>], n: usize) -> Result<Vec<f64>, ModelError> {
        if exog.len() != self.fit.beta.len() || exog.iter().any(|x| x.len() != n) {
            return Err(ModelError::Request(format!(
                "{} regressors of {n} values needed, as in training; got {:?}",
                self.fit.beta.len(),
                exog.iter().map(Vec::len).collect::<Vec<_>>()
            )));
        }
        let mut sum = vec![0.0; n];
        for (beta, x) in self.fit.beta.iter().zip(exog) {
            sum.iter_mut().zip(x).for_each(|(sum, x)| *sum += beta * x);
        }
        Ok(sum)
    }

    /// The state after a series, begun with it, and the innovations of all but the first observations, which there are no
    /// predictions of: their number comes last.
    fn filtered(&self, y: &[f64]) -> Result<(State, Innovations, usize), ModelError> {
        let orders = &self.fit.orders;
        let mut innovations = Innovations::default();
        let mut scratch = Scratch::default();
        if self.diffuse_start {
            let mut state = State::default();
            self.space.diffuse(DIFFUSE, &mut state);
            self.space.run(y, &mut state, 0, &mut scratch, Some(&mut innovations));
            return Ok((state, innovations, 0));
        }
        let lost = orders.lost();
        if y.len() < lost {
            return Err(ModelError::TooShort { got: y.len(), needed: lost });
        }
        let mut state = self.space.stationary(orders, &self.fit.coefficients, &y[..lost]).ok_or_else(|| {
            ModelError::Numerical(format!("the estimates of ARIMA{} are not stationary", orders.name()))
        })?;
        self.space.run(&y[lost..], &mut state, 0, &mut scratch, Some(&mut innovations));
        Ok((state, innovations, lost))
    }

    /// The state after newer observations. When they do not reach back to the training data it is begun with them.
    fn moved_along(&self, history: &TrainInput<'_>) -> Result<State, ModelError> {
        let y = self.without_regressors(history.target, history.exog)?;
        let newer = history.times.partition_point(|time| self.last_time.is_some_and(|last| *time <= last));
        let follows = newer > 0
            || match (self.last_time, history.times.first()) {
                (Some(last), Some(&first)) => history.granularity.after(last, 1)?.contains(&first),
                _ => true,
            };
        if !follows {
            return Ok(self.filtered(&y)?.0);
        }
        let mut state = self.last.clone();
        self.space.run(&y[newer..], &mut state, 0, &mut Scratch::default(), None);
        Ok(state)
    }
}

impl FittedForecaster for FittedSarima {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        let moved = match &request.history {
            Some(history) if !history.target.is_empty() => Some(self.moved_along(history)?),
            _ => None,
        };
        let horizon = request.times.len();
        let driven = self.driven(request.exog, horizon)?;
        let ahead = self.space.forecast(moved.as_ref().unwrap_or(&self.last), horizon);
        let mean: Vec<f64> = ahead.mean.iter().zip(driven).map(|(y, x)| y + x).collect();
        let stderr: Vec<f64> = ahead.variance.iter().map(|v| v.sqrt()).collect();
        if let Some(step) = (0..horizon).find(|h| !mean[*h].is_finite() || !stderr[*h].is_finite()) {
            return Err(ModelError::Numerical(format!("the forecast of step {} is not finite", step + 1)));
        }
        Ok(Forecast { mean, stderr: Some(stderr), intervals: Vec::new() })
    }

    fn in_sample(&self) -> InSample {
        InSample { mean: self.fitted.clone(), stderr: Some(self.stderr.clone()) }
    }
}
