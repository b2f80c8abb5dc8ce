//! Forecasting with a regression: the next values from the last ones. What the tree models share; Merlion's `SKLearnForecaster`.
//!
//! A row of features is a window of `maxlags` observations of all columns, oldest first. With one column the regression gives the next
//! `prediction_stride` values at once, which become observations for the next round. With several it gives the next value of every
//! column, and goes on from there; or, with a longer stride, the next values of the target alone, and there is no going on.
//! Regressors whose future is known are seen one step ahead: the last row of the window has their values at the first time that is
//! forecast.

mod windows;

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use self::windows::Windows;
use super::{FitContext, FittedForecaster, Forecast, InSample, ModelError, Request, TrainInput};
use crate::seasonality::{Options, Strategy, Test, detect};
use crate::time::Timestamp;

/// How features are laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Features {
    /// Each feature means the same in training and in every step of a forecast.
    #[default]
    Aligned,
    /// As in Merlion: forecasts of several columns put lags in other places from the second step on, and the regression learns from
    /// regressors one step older than those it forecasts with.
    Merlion,
}

/// How the next values are predicted from the last ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Autoregression {
    /// Observations in a window; `None` for a number that suits the series.
    pub maxlags: Option<usize>,
    /// Values predicted at once.
    pub prediction_stride: usize,
    /// The longest horizon that will be asked for.
    pub max_forecast_steps: Option<usize>,
    /// How features are laid out.
    pub features: Features,
}

/// What has learnt to predict numbers from numbers.
pub trait Regressor: Debug + Serialize + Send + Sync + 'static {
    /// The prediction of all outputs for one row of features.
    fn predict(&self, features: &[f64], outputs: &mut [f64]);
}

/// Observations in a window that is found without a season.
const LAGS: usize = 20;

impl Autoregression {
    /// Checks the parameters on behalf of a model.
    ///
    /// # Errors
    /// [`ModelError::InvalidParameter`].
    pub fn validate(&self, model: &'static str) -> Result<(), ModelError> {
        let least_one = |parameter, value: Option<usize>| {
            if value == Some(0) {
                let reason = "at least 1".into();
                return Err(ModelError::InvalidParameter { model, parameter, value: "0".into(), reason });
            }
            Ok(())
        };
        least_one("maxlags", self.maxlags)?;
        least_one("prediction_stride", Some(self.prediction_stride))
    }

    /// Trains a regression on the windows of a series. `learn` is given columns of features and columns of what is to be predicted.
    ///
    /// # Errors
    /// [`ModelError::TooShort`] for a series without a single window; those of `learn`.
    pub fn fit<R: Regressor>(
        &self,
        input: &TrainInput<'_>,
        context: &FitContext,
        learn: impl FnOnce(&[&[f64]], &[&[f64]]) -> Result<R, ModelError>,
    ) -> Result<FittedAutoregression<R>, ModelError> {
        let n = input.target.len();
        let lags = match self.maxlags {
            Some(lags) => lags,
            None => self.suitable_lags(input.target, context)?,
        };
        let stride = match self.max_forecast_steps {
            // Several columns cannot go on from the target alone, so all steps are predicted at once.
            Some(steps) if self.prediction_stride > 1 && !input.covariates.is_empty() => {
                steps.min(n.saturating_sub(lags)).max(1)
            }
            _ => self.prediction_stride,
        };
        if n < lags + stride {
            return Err(ModelError::TooShort { got: n, needed: lags + stride });
        }
        let windows = Windows::new(input, lags, stride, self.features);
        let regressor = learn(&windows.features(), &windows.targets())?;
        let mut fitted = input.target[..lags].to_vec();
        let (mut features, mut outputs) = (Vec::new(), vec![0.0; windows.targets().len()]);
        for window in 0..n - lags {
            context.check()?;
            windows.row(window, &mut features);
            regressor.predict(&features, &mut outputs);
            fitted.push(outputs[0]);
        }
        let columns = std::iter::once(input.target).chain(input.covariates.iter().map(Vec::as_slice));
        Ok(FittedAutoregression {
            regressor,
            lags,
            stride,
            features: self.features,
            tail: columns.map(|column| column[n - lags..].to_vec()).collect(),
            exog_tail: input.exog.iter().map(|column| column[n - lags + 1..].to_vec()).collect(),
            fitted,
            last_time: input.times.last().copied(),
        })
    }

    /// The season, if the series has one that an eighth of it shows, but no fewer than 20 observations, nor than are to be forecast.
    fn suitable_lags(&self, target: &[f64], context: &FitContext) -> Result<usize, ModelError> {
        let longest = (target.len() / 8).clamp(10, 500);
        // Merlion's test, whatever it finds in noise: a window that is longer than need be does little harm.
        let options = Options { strategy: Strategy::Max, pval: 0.01, max_lag: Some(longest), test: Test::Merlion };
        let season = detect(target, &options, context)?.first().copied().unwrap_or(1);
        let needed = self.max_forecast_steps.unwrap_or(1).max(self.prediction_stride);
        Ok(season.max(longest.min(LAGS)).max(needed))
    }
}

/// A trained regression, and the end of what it was trained on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedAutoregression<R> {
    regressor: R,
    lags: usize,
    stride: usize,
    features: Features,
    /// The last window: the target, then the other columns.
    tail: Vec<Vec<f64>>,
    /// The regressors at the times of the last window but the first: those one step ahead of it, as far as the series goes.
    exog_tail: Vec<Vec<f64>>,
    /// The first window's observations stand for their own predictions.
    fitted: Vec<f64>,
    last_time: Option<Timestamp>,
}

impl<R: Regressor> FittedAutoregression<R> {
    /// What was trained.
    pub fn regressor(&self) -> &R {
        &self.regressor
    }

    /// Observations in a window.
    pub fn lags(&self) -> usize {
        self.lags
    }

    /// The last window before the requested times, row by row; the regressors one step ahead.
    fn last_window(&self, request: &Request<'_>) -> Result<Vec<f64>, ModelError> {
        let (mut tail, mut exog_tail) = (self.tail.clone(), self.exog_tail.clone());
        if let Some(history) = request.history {
            let known = history.times.partition_point(|time| self.last_time.is_some_and(|last| *time <= last));
            let given = (1 + history.covariates.len(), history.exog.len());
            if known < history.times.len() && given != (tail.len(), exog_tail.len()) {
                return Err(ModelError::Request(format!(
                    "newer data have {} columns and {} regressors, the model was trained on {} and {}",
                    given.0,
                    given.1,
                    tail.len(),
                    exog_tail.len()
                )));
            }
            let columns = std::iter::once(history.target).chain(history.covariates.iter().map(Vec::as_slice));
            for (tail, newer) in tail.iter_mut().zip(columns) {
                tail.extend_from_slice(&newer[known..]);
            }
            for (tail, newer) in exog_tail.iter_mut().zip(history.exog) {
                tail.extend_from_slice(&newer[known..]);
            }
        }
        for (tail, future) in exog_tail.iter_mut().zip(request.exog) {
            tail.push(future[0]);
        }
        let all: Vec<&Vec<f64>> = tail.iter().chain(&exog_tail).collect();
        Ok((0..self.lags)
            .flat_map(|row| all.iter().map(move |column| column[column.len() - self.lags + row]))
            .collect())
    }

    /// The window after one more step, of which these are the values.
    fn advance(&self, window: &mut [f64], next: &[f64]) {
        let width = next.len();
        if self.features == Features::Merlion && self.tail.len() > 1 {
            // Merlion takes rows of times for rows of columns (W-23).
            for (row, next) in window.chunks_exact_mut(self.lags).zip(next) {
                row.copy_within(1.., 0);
                row[self.lags - 1] = *next;
            }
            return;
        }
        window.copy_within(width.., 0);
        let last = window.len() - width;
        window[last..].copy_from_slice(next);
    }
}

impl<R: Regressor> FittedForecaster for FittedAutoregression<R> {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        let horizon = request.times.len();
        let none = |mean| Ok(Forecast { mean, stderr: None, intervals: Vec::new() });
        if request.exog.len() != self.exog_tail.len() || request.exog.iter().any(|column| column.len() < horizon) {
            return Err(ModelError::Request(format!(
                "the model was trained with {} regressors, {} are given for {horizon} steps",
                self.exog_tail.len(),
                request.exog.len()
            )));
        }
        if horizon == 0 {
            return none(Vec::new());
        }
        let several = self.tail.len() > 1;
        if several && self.stride > 1 && horizon > self.stride {
            return Err(ModelError::Request(format!(
                "{horizon} steps asked for; a model of several columns with a stride predicts {} (prediction_stride, or \
                 max_forecast_steps if that is given)",
                self.stride
            )));
        }
        let mut window = self.last_window(request)?;
        let outputs = if self.stride == 1 { self.tail.len() } else { self.stride };
        let mut next = vec![0.0; outputs];
        let mut mean = Vec::with_capacity(horizon + self.stride);
        let mut row = Vec::with_capacity(self.tail.len() + self.exog_tail.len());
        loop {
            request.context.check()?;
            self.regressor.predict(&window, &mut next);
            mean.extend_from_slice(if several && self.stride == 1 { &next[..1] } else { &next });
            if mean.len() >= horizon {
                break;
            }
            // One row of all columns, or several of the only one.
            let width = self.tail.len();
            for (step, values) in next.chunks_exact(width).enumerate() {
                let at = mean.len() - self.stride + step + 1;
                row.clear();
                row.extend_from_slice(values);
                row.extend(request.exog.iter().map(|column| column[at]));
                self.advance(&mut window, &row);
            }
        }
        mean.truncate(horizon);
        none(mean)
    }

    fn in_sample(&self) -> InSample {
        InSample { mean: self.fitted.clone(), stderr: None }
    }
}

#[cfg(test)]
mod tests;
