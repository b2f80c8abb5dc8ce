#![doc = include_str!("../README.md")]

pub mod aggregate;
mod collected;
mod documentation;
pub mod options;
mod output;
mod run;
pub mod scalar;
mod series_input;
pub mod stop;

use std::sync::Arc;

use datafusion_expr::{AggregateUDF, ScalarUDF};
pub use merlion;
use merlion::models::Catalog;
pub use output::{forecast_element, forecast_type};
pub use run::{STATUS_FAILED, STATUS_FALLBACK, STATUS_OK};

/// Every aggregate function of this crate, over the models of `catalog`.
#[must_use]
pub fn all_aggregate_functions(catalog: &Arc<Catalog>) -> Vec<Arc<AggregateUDF>> {
    vec![
        aggregate::forecast::forecast_udaf(Arc::clone(catalog)),
        aggregate::reconcile::reconcile_udaf(),
        aggregate::spark_aggregate::spark_aggregate_udaf(),
    ]
}

/// Every scalar function of this crate.
#[must_use]
pub fn all_scalar_functions() -> Vec<Arc<ScalarUDF>> {
    vec![scalar::interval_bound::interval_bound_udf()]
}
