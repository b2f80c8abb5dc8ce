//! The forecasters.

pub mod arima;
pub mod auto_arima;
pub mod auto_ets;
pub mod auto_sarima;
pub mod default_forecaster;
pub mod drift;
pub mod ets;
pub mod historic_average;
pub mod naive;
pub mod sarima;
pub mod seasonal_naive;
pub mod seasonality_layer;

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
    Entry::forecaster::<naive::Naive>(),
    Entry::forecaster::<seasonal_naive::SeasonalNaive>(),
    Entry::forecaster::<drift::Drift>(),
    Entry::forecaster::<historic_average::HistoricAverage>(),
];
