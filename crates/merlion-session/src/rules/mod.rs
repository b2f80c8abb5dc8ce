//! The optimizer rules that every session has beside DataFusion's and Ballista's.

pub(crate) mod csv_sink;
pub(crate) mod series_aggregate;
pub(crate) mod unnest_dependencies;

use std::sync::Arc;

use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;

/// Our analyzer rule runs first, before any rule has believed a wrong dependency.
pub(crate) fn analyzer_rules(
    defaults: Vec<Arc<dyn AnalyzerRule + Send + Sync>>,
) -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    let ours: Arc<dyn AnalyzerRule + Send + Sync> = Arc::new(unnest_dependencies::UnnestDependencies);
    std::iter::once(ours).chain(defaults).collect()
}

/// Our physical rules run last, when distribution is settled.
pub(crate) fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = PhysicalOptimizer::default().rules;
    rules.push(Arc::new(series_aggregate::SeriesAggregate));
    rules.push(Arc::new(csv_sink::CsvSinkFormats));
    rules
}
