//! Reconciliation of whole forecast series: brought to common times, then time stamp by time stamp.

use super::{HierarchyError, MinTrace, SumStructure};
use crate::align::{AlignOptions, align, interpolate_at};
use crate::series::{TimeSeries, Univariate};

impl MinTrace {
    /// Reconciles forecasts that span several time stamps, in order of the hierarchy's series, and returns them with their standard
    /// errors, if any were given. Python Merlion's `minT_reconciliation` with [`Weighting::Variance`](super::Weighting::Variance):
    /// the forecasts are aligned by an outer join, and standard errors read at the common times. Names are kept.
    ///
    /// A standard error missing at one time stamp is guessed there; Merlion looks at the first time stamp only and lets missing
    /// values at later ones spoil every forecast.
    ///
    /// # Errors
    /// As [`reconcile`](Self::reconcile); [`HierarchyError::Series`] if the forecasts cannot be aligned.
    pub fn reconcile_series<S: SumStructure>(
        &self,
        structure: &S,
        forecasts: &[Univariate],
        stderrs: &[Option<Univariate>],
    ) -> Result<Vec<(Univariate, Option<Univariate>)>, HierarchyError> {
        let expected = structure.n_series();
        let lengths = [("forecasts", forecasts.len()), ("standard errors", stderrs.len())];
        if let Some(&(what, got)) = lengths.iter().find(|(_, got)| *got != expected) {
            return Err(HierarchyError::LengthMismatch { what, got, expected });
        }
        // Names need not differ, columns must.
        let numbered = |(at, series): (usize, &Univariate)| {
            Univariate::new(&at.to_string(), series.times().to_vec(), series.values().to_vec())
        };
        let columns = forecasts.iter().enumerate().map(numbered).collect::<Result<_, _>>()?;
        let aligned = align(&TimeSeries::from_univariates(columns)?, &AlignOptions::default())?;
        let times = aligned.times().into_owned();
        let errors: Vec<Option<Vec<f64>>> = stderrs
            .iter()
            .map(|series| series.as_ref().map(|series| interpolate_at(series.times(), series.values(), &times)))
            .collect();

        let mut means = vec![Vec::with_capacity(times.len()); expected];
        let mut deviations = vec![Vec::with_capacity(times.len()); expected];
        for step in 0..times.len() {
            let mean: Vec<f64> = aligned.univariates().iter().map(|column| column.values()[step]).collect();
            let stderr: Vec<f64> = errors.iter().map(|e| e.as_ref().map_or(f64::NAN, |e| e[step])).collect();
            let reconciled = self.reconcile(structure, &mean, Some(&stderr))?;
            means.iter_mut().zip(reconciled.mean).for_each(|(all, value)| all.push(value));
            let stderr = reconciled.stderr.unwrap_or_else(|| vec![f64::NAN; expected]);
            deviations.iter_mut().zip(stderr).for_each(|(all, value)| all.push(value));
        }
        let any_error = errors.iter().any(Option::is_some);
        let named = |((forecast, mean), deviation): ((&Univariate, Vec<f64>), Vec<f64>)| {
            let mean = Univariate::new(forecast.name(), times.clone(), mean)?;
            let name = format!("{}_err", forecast.name());
            let stderr = any_error.then(|| Univariate::new(&name, times.clone(), deviation)).transpose()?;
            Ok((mean, stderr))
        };
        forecasts.iter().zip(means).zip(deviations).map(named).collect()
    }
}
