//! What to do when a detector fails on a series: Merlion's ladder, from the model to a static threshold to no alarm at all.

use super::{DetectionPipeline, Detections};
use crate::models::{Catalog, CommonParameters, DetectionParameters, FitContext, ModelError, ModelSpec};
use crate::postprocess::Supervision;
use crate::series::TimeSeries;

/// A step of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// The detector that was asked for.
    Model,
    /// [`StatThreshold`](crate::models::anomaly::stat_threshold::StatThreshold) on the first column, with the threshold of the
    /// detector that was asked for.
    StatThreshold,
    /// Score 0 everywhere.
    Zeros,
}

/// Scores, and who gave them.
#[derive(Debug, Clone, PartialEq)]
pub struct Detected {
    /// The step of the ladder that held.
    pub rung: Rung,
    /// Why the steps before it did not: the detectors' names and errors.
    pub failures: Vec<(&'static str, ModelError)>,
    /// Scores of the training data.
    pub train: Detections,
    /// Scores of the data after it.
    pub test: Detections,
}

impl DetectionPipeline {
    /// The detector to try when this one fails.
    ///
    /// # Errors
    /// A [`ModelError`] if the catalogue has no such detector.
    pub fn fallback(&self, catalog: &Catalog) -> Result<Self, ModelError> {
        let threshold = self.threshold().cloned();
        let common = CommonParameters {
            target_seq_index: Some(0),
            detection: DetectionParameters { threshold, ..DetectionParameters::default() },
            ..CommonParameters::default()
        };
        ModelSpec { common, ..ModelSpec::named("StatThreshold") }.build_detector(catalog, self.compat())
    }

    /// Trains on one series, and scores it and the one that follows.
    ///
    /// # Errors
    /// A [`ModelError`] of either.
    pub fn fit_and_detect(
        &self,
        train: &TimeSeries,
        test: &TimeSeries,
        supervision: Option<&Supervision<'_>>,
        context: &FitContext,
    ) -> Result<(Detections, Detections), ModelError> {
        let fitted = self.fit(train, supervision, context)?;
        let test = fitted.detect(test, None)?;
        Ok((fitted.train_detections().clone(), test))
    }
}

/// Trains and scores, and climbs down the ladder as far as it must. A fallback is cheap: it has no deadline.
///
/// # Errors
/// [`ModelError::Cancelled`] alone: a job that is cancelled wants no other answer.
pub fn detect_with_fallback(
    pipeline: &DetectionPipeline,
    catalog: &Catalog,
    train: &TimeSeries,
    test: &TimeSeries,
    supervision: Option<&Supervision<'_>>,
    context: &FitContext,
) -> Result<Detected, ModelError> {
    let mut failures = Vec::new();
    let error = match pipeline.fit_and_detect(train, test, supervision, context) {
        Ok((train, test)) => return Ok(Detected { rung: Rung::Model, failures, train, test }),
        Err(ModelError::Cancelled) => return Err(ModelError::Cancelled),
        Err(error) => error,
    };
    failures.push((pipeline.model_name(), error));
    let patient = FitContext { deadline: None, ..context.clone() };
    let second = pipeline.fallback(catalog);
    match second.and_then(|second| second.fit_and_detect(train, test, supervision, &patient)) {
        Ok((train, test)) => return Ok(Detected { rung: Rung::StatThreshold, failures, train, test }),
        Err(ModelError::Cancelled) => return Err(ModelError::Cancelled),
        Err(error) => failures.push(("StatThreshold", error)),
    }
    let (train, test) = (Detections::none(&train.times()), Detections::none(&test.times()));
    Ok(Detected { rung: Rung::Zeros, failures, train, test })
}
