//! Synthetic data: series from formulas ([`Generator`]), and anomalies put into series, with labels ([`Anomalizer`]). Both are their own
//! configuration under Merlion's names, and both give the same answer for the same seed on every machine.
//!
//! ```
//! use merlion::generate::{Anomalizer, Generator};
//! let generator: Generator = serde_json::from_value(serde_json::json!({
//!     "name": "TimeSeriesGenerator", "n": 200, "tdelta": "1h", "noise": {"name": "Normal", "std": 0.1},
//!     "f": {"name": "Sine", "amplitude": 3, "period": 24},
//! }))?;
//! let shocks: Anomalizer = serde_json::from_value(serde_json::json!({"name": "Shock", "anom_prob": 0.02}))?;
//! let series = shocks.inject(&generator.generate(7)?, 8)?;
//! assert_eq!(series.names().collect::<Vec<_>>(), ["y", "anomaly"]);
//! assert!(series.univariates()[1].values().contains(&1.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod anomalize;
mod error;
mod function;
mod generator;
mod noise;

pub use anomalize::{Anomalizer, LevelShift, Shock, TrendChange};
pub use error::GenerateError;
pub use function::Function;
pub use generator::{Generator, GeneratorComposer, GeneratorConcatenator, TimeSeriesGenerator};
pub use noise::{Distort, Noise};
