//! The windows of a series as columns of features and columns of what follows them. Every column is a part of the series itself.

use super::Features;
use crate::models::TrainInput;

/// All windows of a series.
#[derive(Debug)]
pub(super) struct Windows<'a> {
    /// The target, then the other columns.
    columns: Vec<&'a [f64]>,
    exog: &'a [Vec<f64>],
    lags: usize,
    stride: usize,
    /// How far the regressors are ahead of the other columns.
    ahead: usize,
}

impl<'a> Windows<'a> {
    pub(super) fn new(input: &TrainInput<'a>, lags: usize, stride: usize, features: Features) -> Self {
        let columns = std::iter::once(input.target).chain(input.covariates.iter().map(Vec::as_slice)).collect();
        let ahead = match features {
            Features::Aligned => 1,
            Features::Merlion => 0,
        };
        Self { columns, exog: input.exog, lags, stride, ahead }
    }

    /// Windows with all they are to predict after them.
    fn count(&self) -> usize {
        self.columns[0].len() + 1 - self.lags - self.stride
    }

    /// A column for each time of a window and each column of the series and the regressors.
    pub(super) fn features(&self) -> Vec<&'a [f64]> {
        let count = self.count();
        (0..self.lags)
            .flat_map(|lag| {
                let own = self.columns.iter().map(move |column| &column[lag..lag + count]);
                let ahead = lag + self.ahead;
                own.chain(self.exog.iter().map(move |column| &column[ahead..ahead + count]))
            })
            .collect()
    }

    /// What follows each window: the next values of all columns, or several of the target.
    pub(super) fn targets(&self) -> Vec<&'a [f64]> {
        let after = |column: &'a [f64], step: usize| &column[self.lags + step..self.lags + step + self.count()];
        if self.stride == 1 {
            return self.columns.iter().map(|column| after(column, 0)).collect();
        }
        (0..self.stride).map(|step| after(self.columns[0], step)).collect()
    }

    /// The features of one window, also of one whose future is not all known.
    pub(super) fn row(&self, window: usize, features: &mut Vec<f64>) {
        features.clear();
        for time in window..window + self.lags {
            features.extend(self.columns.iter().map(|column| column[time]));
            features.extend(self.exog.iter().map(|column| column[time + self.ahead]));
        }
    }
}
