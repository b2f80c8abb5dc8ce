//! `COPY … TO` as it must be sent to a scheduler so that it arrives as it was written.
//!
//! On its way through Ballista 55 such a statement loses its OPTIONS, a relative path means another folder, and two of the quote
//! styles of CSV are taken for each other. Here the options are put into the file type, which does travel; the path is made
//! absolute; and the two styles are exchanged beforehand. (`rules/csv_sink.rs` does the rest: the formats of times.)

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::common::parsers::CsvQuoteStyle;
use datafusion::datasource::file_format::csv::{CsvFormat, CsvFormatFactory};
use datafusion::datasource::file_format::json::{JsonFormat, JsonFormatFactory};
use datafusion::datasource::file_format::parquet::{ParquetFormat, ParquetFormatFactory};
use datafusion::datasource::file_format::{FileFormatFactory, file_type_to_format, format_as_file_type};
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::dml::CopyTo;

/// The plan, if it is a COPY, as it must be sent.
pub(crate) fn to_send(plan: &LogicalPlan, session: &dyn Session) -> Result<Option<LogicalPlan>> {
    let LogicalPlan::Copy(copy) = plan else { return Ok(None) };
    let format = file_type_to_format(&copy.file_type)?.create(session, &copy.options)?;
    let factory: Arc<dyn FileFormatFactory> = if let Some(csv) = format.downcast_ref::<CsvFormat>() {
        let mut options = csv.options().clone();
        options.quote_style = match options.quote_style {
            CsvQuoteStyle::Always => CsvQuoteStyle::Necessary,
            CsvQuoteStyle::Necessary => CsvQuoteStyle::Always,
            other => other,
        };
        Arc::new(CsvFormatFactory::new_with_options(options))
    } else if let Some(json) = format.downcast_ref::<JsonFormat>() {
        Arc::new(JsonFormatFactory::new_with_options(json.options().clone()))
    } else if let Some(parquet) = format.downcast_ref::<ParquetFormat>() {
        Arc::new(ParquetFormatFactory::new_with_options(parquet.options().clone()))
    } else {
        return Ok(None);
    };
    Ok(Some(LogicalPlan::Copy(CopyTo::new(
        Arc::clone(&copy.input),
        absolute(&copy.output_url)?,
        copy.partition_by.clone(),
        format_as_file_type(factory),
        HashMap::new(),
    ))))
}

/// The path as every process on a machine understands it. A slash at its end, which makes it a folder, stays.
fn absolute(path: &str) -> Result<String> {
    if path.contains("://") || path.starts_with('/') {
        return Ok(path.to_owned());
    }
    let folder = std::env::current_dir()?;
    Ok(format!("{}/{path}", folder.display()))
}
