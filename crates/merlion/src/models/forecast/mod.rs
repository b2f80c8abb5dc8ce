//! The forecasters.

pub mod arima;
pub mod auto_arima;
pub mod auto_ets;
pub mod auto_sarima;
pub mod default_forecaster;
pub mod drift;
pub mod ets;
pub mod extra_trees_forecaster;
pub mod historic_average;
pub mod lgbm_forecaster;
pub mod naive;
pub mod random_forest_forecaster;
pub mod sarima;
pub mod seasonal_naive;
pub mod seasonality_layer;
pub mod vector_ar;

pub mod adida;
pub mod auto;
pub mod auto_ces;
pub mod auto_theta;
pub mod ces;
pub mod conformal_forecaster;
pub mod croston;
pub mod croston_sba;
pub mod dynamic_optimized_theta;
pub mod dynamic_theta;
pub mod forecaster_ensemble;
pub mod imapa;
pub mod mses;
pub mod mstl;
pub mod optimized_theta;
pub mod seasonal_window_average;
pub mod theta;
pub mod top_ensemble;
pub mod tsb;
pub mod window_average;

use super::Entry;

/// The forecasters, in the order of the documentation.
pub static CATALOG: &[Entry] = &[
    Entry::forecaster::<default_forecaster::DefaultForecaster>(),
    Entry::forecaster::<auto_ets::AutoEts>(),
    Entry::forecaster::<ets::Ets>(),
    Entry::forecaster::<seasonality_layer::SeasonalityLayer>(),
    Entry::forecaster::<auto_arima::AutoArima>(),
    Entry::forecaster::<auto_sarima::AutoSarima>(),
    Entry::forecaster::<arima::Arima>(),
    Entry::forecaster::<sarima::Sarima>(),
    Entry::forecaster::<vector_ar::VectorAr>(),
    Entry::forecaster::<lgbm_forecaster::LgbmForecaster>(),
    Entry::forecaster::<random_forest_forecaster::RandomForestForecaster>(),
    Entry::forecaster::<extra_trees_forecaster::ExtraTreesForecaster>(),
    Entry::forecaster::<naive::Naive>(),
    Entry::forecaster::<seasonal_naive::SeasonalNaive>(),
    Entry::forecaster::<drift::Drift>(),
    Entry::forecaster::<historic_average::HistoricAverage>(),
    Entry::forecaster::<theta::Theta>(),
    Entry::forecaster::<optimized_theta::OptimizedTheta>(),
    Entry::forecaster::<dynamic_theta::DynamicTheta>(),
    Entry::forecaster::<dynamic_optimized_theta::DynamicOptimizedTheta>(),
    Entry::forecaster::<auto_theta::AutoTheta>(),
    Entry::forecaster::<ces::Ces>(),
    Entry::forecaster::<auto_ces::AutoCes>(),
    Entry::forecaster::<auto::Auto>(),
    Entry::forecaster::<top_ensemble::TopEnsemble>(),
    Entry::forecaster::<forecaster_ensemble::ForecasterEnsemble>(),
    Entry::forecaster::<conformal_forecaster::ConformalForecaster>(),
    Entry::forecaster::<mses::Mses>(),
    Entry::forecaster::<mstl::Mstl>(),
    Entry::forecaster::<croston::Croston>(),
    Entry::forecaster::<croston_sba::CrostonSba>(),
    Entry::forecaster::<tsb::Tsb>(),
    Entry::forecaster::<adida::Adida>(),
    Entry::forecaster::<imapa::Imapa>(),
    Entry::forecaster::<window_average::WindowAverage>(),
    Entry::forecaster::<seasonal_window_average::SeasonalWindowAverage>(),
];
