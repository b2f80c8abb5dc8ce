//! The forecasters.

pub mod drift;
pub mod ets;
pub mod historic_average;
pub mod naive;
pub mod seasonal_naive;

use super::Entry;

/// The forecasters, in the order of the documentation.
pub static CATALOG: &[Entry] = &[
    Entry::forecaster::<ets::Ets>(),
    Entry::forecaster::<naive::Naive>(),
    Entry::forecaster::<seasonal_naive::SeasonalNaive>(),
    Entry::forecaster::<drift::Drift>(),
    Entry::forecaster::<historic_average::HistoricAverage>(),
];
