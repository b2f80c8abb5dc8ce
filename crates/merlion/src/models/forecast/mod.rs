//! The forecasters.

pub mod auto_ets;
pub mod default_forecaster;
pub mod drift;
pub mod ets;
pub mod historic_average;
pub mod naive;
pub mod seasonal_naive;
pub mod seasonality_layer;

pub mod auto_theta;
pub mod dynamic_optimized_theta;
pub mod dynamic_theta;
pub mod optimized_theta;
pub mod theta;

use super::Entry;

/// The forecasters, in the order of the documentation.
pub static CATALOG: &[Entry] = &[
    Entry::forecaster::<default_forecaster::DefaultForecaster>(),
    Entry::forecaster::<auto_ets::AutoEts>(),
    Entry::forecaster::<ets::Ets>(),
    Entry::forecaster::<seasonality_layer::SeasonalityLayer>(),
    Entry::forecaster::<naive::Naive>(),
    Entry::forecaster::<seasonal_naive::SeasonalNaive>(),
    Entry::forecaster::<drift::Drift>(),
    Entry::forecaster::<historic_average::HistoricAverage>(),
    Entry::forecaster::<theta::Theta>(),
    Entry::forecaster::<optimized_theta::OptimizedTheta>(),
    Entry::forecaster::<dynamic_theta::DynamicTheta>(),
    Entry::forecaster::<dynamic_optimized_theta::DynamicOptimizedTheta>(),
    Entry::forecaster::<auto_theta::AutoTheta>(),
];
