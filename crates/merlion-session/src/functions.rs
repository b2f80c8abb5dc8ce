//! One list of models and functions for every process.

use std::sync::{Arc, LazyLock};

use datafusion::catalog::TableFunction;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use merlion::models::{Catalog, anomaly, forecast};

/// The models of this build, whichever crate they are in.
#[must_use]
pub fn catalog() -> Arc<Catalog> {
    static CATALOG: LazyLock<Arc<Catalog>> =
        LazyLock::new(|| Arc::new(Catalog::new(&[forecast::CATALOG, anomaly::CATALOG])));
    Arc::clone(&CATALOG)
}

/// Our aggregate functions.
pub(crate) fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    merlion_udf::all_aggregate_functions(&catalog())
}

/// Our scalar functions.
pub(crate) fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    let mut functions = merlion_udf::all_scalar_functions();
    functions.extend([merlion_io::chunk::range_chunk_udf(), crate::rules::unnest_dependencies::undetermined_udf()]);
    functions
}

/// Our table functions.
pub(crate) fn table_functions() -> Vec<Arc<TableFunction>> {
    let forecast = merlion_udf::aggregate::forecast::forecast_udaf(catalog());
    vec![crate::forecast_by::forecast_by(catalog(), forecast)]
}
