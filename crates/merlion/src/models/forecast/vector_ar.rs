//! Autoregression: every value is a linear function of the last ones, of all columns.
//!
//! Lütkepohl, "New Introduction to Multiple Time Series Analysis" (2005), chapters 2 and 3 for several columns (`multivariate.rs`);
//! Brockwell & Davis, "Introduction to Time Series and Forecasting" (2016), sections 5.1.1 and 6.6 for one (`univariate.rs`). As in
//! Merlion's `VectorAR`, one column is estimated by Yule and Walker's equations, several by least squares.

mod multivariate;
mod univariate;

use serde::{Deserialize, Serialize};

use self::multivariate::Multivariate;
use self::univariate::Univariate;
use crate::models::{
    Capabilities, FitContext, FittedForecaster, Forecast, Forecaster, InSample, ModelError, Request, TrainInput,
};
use crate::time::Timestamp;

/// The last values of all columns and the regressors of the moment, added up with weights.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VectorAr {
    /// Observations looked back on; null for a tenth of the series, at most 20, but at least the longest horizon that may be asked for,
    /// and no more than the series has equations for.
    pub maxlags: Option<usize>,
    #[serde(skip)]
    max_forecast_steps: Option<usize>,
}

impl VectorAr {
    /// How far to look back in `n` observations of `columns` columns.
    fn lags(&self, n: usize, columns: usize, regressors: usize) -> Result<usize, ModelError> {
        // Each lag costs an observation of the start; several columns need an equation more than they have coefficients.
        let (each, fixed) = if columns == 1 { (1, regressors + 1) } else { (1 + columns, regressors + 2) };
        let most = n.saturating_sub(fixed) / each;
        let lags = match self.maxlags {
            Some(lags) => lags,
            None => (n / 10).min(20).max(self.max_forecast_steps.unwrap_or(1)).min(most).max(1),
        };
        if lags > most {
            return Err(ModelError::TooShort { got: n, needed: lags * each + fixed });
        }
        Ok(lags)
    }
}

impl Forecaster for VectorAr {
    const NAME: &'static str = "VectorAR";
    const SUMMARY: &'static str = "Autoregression of one column or several";
    const CAPABILITIES: Capabilities =
        Capabilities { univariate_only: false, exogenous: true, ..Capabilities::CLASSICAL };
    type Fitted = FittedVectorAr;

    fn with_max_forecast_steps(self, max_forecast_steps: Option<usize>) -> Self {
        Self { max_forecast_steps, ..self }
    }

    fn validate(&self) -> Result<(), ModelError> {
        if self.maxlags == Some(0) {
            return Err(ModelError::InvalidParameter {
                model: Self::NAME,
                parameter: "maxlags",
                value: "0".into(),
                reason: "at least 1".into(),
            });
        }
        Ok(())
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedVectorAr, ModelError> {
        let columns = 1 + input.covariates.len();
        let lags = self.lags(input.target.len(), columns, input.exog.len())?;
        let equations = if columns == 1 {
            Equations::One(Univariate::fit(input.target, input.exog, lags, context)?)
        } else {
            let all: Vec<&[f64]> =
                std::iter::once(input.target).chain(input.covariates.iter().map(Vec::as_slice)).collect();
            Equations::Several(Multivariate::fit(&all, input.exog, lags, context)?)
        };
        Ok(FittedVectorAr { equations, regressors: input.exog.len(), last_time: input.times.last().copied() })
    }
}

/// A trained [`VectorAr`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedVectorAr {
    equations: Equations,
    regressors: usize,
    last_time: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Equations {
    One(Univariate),
    Several(Multivariate),
}

/// Observations newer than the training data: the target, the other columns, and the regressors of their times.
#[derive(Debug, Default)]
struct Newer<'a> {
    columns: Vec<&'a [f64]>,
    exog: Vec<&'a [f64]>,
}

impl FittedVectorAr {
    fn newer<'a>(&self, request: &Request<'a>) -> Result<Newer<'a>, ModelError> {
        let Some(history) = request.history else { return Ok(Newer::default()) };
        let known = history.times.partition_point(|time| self.last_time.is_some_and(|last| *time <= last));
        if known == history.times.len() {
            return Ok(Newer::default());
        }
        let columns: Vec<&[f64]> =
            std::iter::once(history.target).chain(history.covariates.iter().map(Vec::as_slice)).collect();
        let trained = match &self.equations {
            Equations::One(_) => 1,
            Equations::Several(several) => several.columns(),
        };
        if (columns.len(), history.exog.len()) != (trained, self.regressors) {
            return Err(ModelError::Request(format!(
                "newer data have {} columns and {} regressors, the model was trained on {trained} and {}",
                columns.len(),
                history.exog.len(),
                self.regressors
            )));
        }
        let from = |column: &&'a [f64]| &column[known..];
        Ok(Newer {
            columns: columns.iter().map(from).collect(),
            exog: history.exog.iter().map(|column| &column[known..]).collect(),
        })
    }
}

impl FittedForecaster for FittedVectorAr {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        let horizon = request.times.len();
        if request.exog.len() != self.regressors || request.exog.iter().any(|column| column.len() < horizon) {
            return Err(ModelError::Request(format!(
                "the model was trained with {} regressors, {} are given for {horizon} steps",
                self.regressors,
                request.exog.len()
            )));
        }
        let newer = self.newer(request)?;
        let (mean, stderr) = match &self.equations {
            Equations::One(one) => one.forecast(&newer, request.exog, horizon),
            Equations::Several(several) => several.forecast(&newer, request.exog, horizon),
        };
        if mean.iter().chain(&stderr).any(|value| !value.is_finite()) {
            return Err(ModelError::Numerical("the autoregression grows beyond all numbers".into()));
        }
        Ok(Forecast { mean, stderr: Some(stderr), intervals: Vec::new() })
    }

    fn in_sample(&self) -> InSample {
        let (mean, sigma) = match &self.equations {
            Equations::One(one) => one.in_sample(),
            Equations::Several(several) => several.in_sample(),
        };
        InSample { mean: mean.to_vec(), stderr: Some(vec![sigma; mean.len()]) }
    }
}

#[cfg(test)]
mod tests;
