//! The forecasters.

pub mod auto_ets;
pub mod default_forecaster;
pub mod drift;
pub mod ets;
pub mod extra_trees_forecaster;
pub mod historic_average;
pub mod lgbm_forecaster;
pub mod naive;
pub mod random_forest_forecaster;
pub mod seasonal_naive;
pub mod seasonality_layer;
pub mod vector_ar;

use super::Entry;

/// The forecasters, in the order of the documentation.
pub static CATALOG: &[Entry] = &[
    Entry::forecaster::<default_forecaster::DefaultForecaster>(),
    Entry::forecaster::<auto_ets::AutoEts>(),
    Entry::forecaster::<ets::Ets>(),
    Entry::forecaster::<seasonality_layer::SeasonalityLayer>(),
    Entry::forecaster::<vector_ar::VectorAr>(),
    Entry::forecaster::<lgbm_forecaster::LgbmForecaster>(),
    Entry::forecaster::<random_forest_forecaster::RandomForestForecaster>(),
    Entry::forecaster::<extra_trees_forecaster::ExtraTreesForecaster>(),
    Entry::forecaster::<naive::Naive>(),
    Entry::forecaster::<seasonal_naive::SeasonalNaive>(),
    Entry::forecaster::<drift::Drift>(),
    Entry::forecaster::<historic_average::HistoricAverage>(),
];
