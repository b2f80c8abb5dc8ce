//! The anomaly detectors.

pub mod auto_ets_detector;
pub mod bocpd;
pub mod copod;
pub mod default_detector;
pub mod detector_ensemble;
pub mod dynamic_baseline;
pub mod ecod;
pub mod ets_detector;
pub mod hampel;
pub mod isolation_forest;
pub mod knn;
pub mod local_outlier_factor;
pub mod matrix_profile;
pub mod monthly_wind_stats;
pub mod random_cut_forest;
pub mod residual_detector;
pub mod spectral_residual;
pub mod stat_threshold;
pub mod wind_stats;
pub mod zms;

use super::{Entry, ModelError, Observations};
use crate::transform::{DifferenceTransform, Shingle, TransformSequence, TransformSpec};

/// The detectors, in the order of the documentation.
pub static CATALOG: &[Entry] = &[
    Entry::detector::<default_detector::DefaultDetector>(),
    Entry::detector::<detector_ensemble::DetectorEnsemble>(),
    Entry::detector::<auto_ets_detector::AutoEtsDetector>(),
    Entry::detector::<ets_detector::EtsDetector>(),
    Entry::detector::<dynamic_baseline::DynamicBaseline>(),
    Entry::detector::<wind_stats::WindStats>(),
    Entry::detector::<monthly_wind_stats::MonthlyWindStats>(),
    Entry::detector::<spectral_residual::SpectralResidual>(),
    Entry::detector::<zms::Zms>(),
    Entry::detector::<bocpd::Bocpd>(),
    Entry::detector::<stat_threshold::StatThreshold>(),
    Entry::detector::<hampel::Hampel>(),
    Entry::detector::<isolation_forest::IsolationForest>(),
    Entry::detector::<random_cut_forest::RandomCutForest>(),
    Entry::detector::<local_outlier_factor::LocalOutlierFactor>(),
    Entry::detector::<knn::Knn>(),
    Entry::detector::<ecod::Ecod>(),
    Entry::detector::<copod::Copod>(),
    Entry::detector::<matrix_profile::MatrixProfile>(),
];

/// What detectors of points are shown: steps, and each together with those before it, so that a shape of `size` steps is a point. Several
/// columns are not put together, because they are points already.
fn difference_shingle(size: usize) -> TransformSpec {
    let shingle = Shingle { size, stride: 1, multivar_skip: true };
    TransformSequence::new(vec![DifferenceTransform {}.into(), shingle.into()]).into()
}

/// Refuses rows of other columns than the training data's.
fn check_dim(rows: &Observations<'_>, dim: usize) -> Result<(), ModelError> {
    match rows.columns.len() {
        got if got == dim => Ok(()),
        got => Err(ModelError::Request(format!("{got} columns, trained on {dim}"))),
    }
}

/// What the tests of detectors share.
#[cfg(test)]
pub(crate) mod testing {
    use serde_json::Value;

    use crate::models::{Catalog, Compat, FitContext, ModelError, ModelSpec};
    use crate::pipeline::{Detections, FittedDetectionPipeline};
    use crate::series::TimeSeries;
    use crate::time::Timestamp;

    /// A value every `seconds`, from the `first` on.
    pub(crate) fn every(seconds: i64, first: i64, values: &[f64]) -> TimeSeries {
        let times = (first..).map(|k| Timestamp::from_seconds(seconds * k).unwrap()).take(values.len()).collect();
        TimeSeries::from_columns(times, vec![("y".to_owned(), values.to_vec())]).unwrap()
    }

    /// A value a day, from the `first` day of 1970 on.
    pub(crate) fn daily(first: i64, values: &[f64]) -> TimeSeries {
        every(86_400, first, values)
    }

    pub(crate) fn fit(model: &Value, series: &TimeSeries) -> Result<FittedDetectionPipeline, ModelError> {
        fit_as(model, series, Compat::None)
    }

    pub(crate) fn fit_as(
        model: &Value,
        series: &TimeSeries,
        compat: Compat,
    ) -> Result<FittedDetectionPipeline, ModelError> {
        let pipeline = ModelSpec::from_json(model)?.build_detector(&Catalog::default(), compat)?;
        pipeline.fit(series, None, &FitContext::default())
    }

    pub(crate) fn detect(model: &Value, train: &TimeSeries, test: &TimeSeries) -> Result<Detections, ModelError> {
        fit(model, train)?.detect(test, None)
    }

    /// Noise in (-0.5, 0.5), the same everywhere.
    pub(crate) fn noise(t: usize) -> f64 {
        let mixed = (t as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed >> 11) as f64) / (53f64).exp2() - 0.5
    }
}
