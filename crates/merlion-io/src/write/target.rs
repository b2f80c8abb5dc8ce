//! What an output folder holds already, and whether what is to come fits to it.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use super::committer::{CommitError, Layout};
use super::encoder::{empty_file, parquet_schema, spark_name};
use crate::csv::header::{column_names, is_hidden};
use crate::csv::{SparkType, first_line};
use crate::format::{FileFormat, claimed};
use crate::path::Store;
use crate::spark_text::SessionZone;
use crate::survey::{self, Input};

/// Refuses to append to files of another format or with other columns.
pub(super) async fn check(
    store: &Arc<dyn ObjectStore>,
    folder: &Path,
    typed: &str,
    output: &Layout,
) -> Result<(), CommitError> {
    let unreadable = |reason: String| CommitError::Unreadable { path: typed.to_owned(), reason };
    let listed = store.list_with_delimiter(Some(folder)).await.map_err(|error| unreadable(error.to_string()))?;
    let mut files: Vec<ObjectMeta> = listed.objects;
    files.retain(|file| !file.location.filename().is_none_or(is_hidden));
    files.sort_by(|a, b| a.location.cmp(&b.location));
    let mismatch = |there: String| CommitError::Mismatch {
        path: typed.to_owned(),
        there,
        ours: described(output.format, &our_columns(output)),
    };
    let name = |file: &ObjectMeta| file.location.filename().unwrap_or_default().to_owned();
    for file in &files {
        match claimed(&name(file)) {
            Some(found) if found == output.format.name() => {}
            Some(found) => return Err(mismatch(format!("a {found} file, {}", name(file)))),
            None => return Err(mismatch(format!("a file of unknown format, {}", name(file)))),
        }
    }
    let Some(file) = files.into_iter().find(|file| file.size > 0) else { return Ok(()) };
    let store = Store { store: Arc::clone(store), url: String::new() };
    let input = Input { typed, store: &store, files: std::slice::from_ref(&file), zone: SessionZone::Utc };
    let there = columns(&input, &file, output).await.map_err(|error| unreadable(error.to_string()))?;
    match there {
        Some(there) if there != our_columns(output) => Err(mismatch(described(output.format, &there))),
        _ => Ok(()),
    }
}

fn described(format: FileFormat, columns: &[String]) -> String {
    format!("{format} with the columns {}", columns.join(", "))
}

/// Our columns in the words in which [`columns`] says what is there: CSV has no types.
fn our_columns(output: &Layout) -> Vec<String> {
    match output.format {
        FileFormat::Csv => {
            let header = empty_file(FileFormat::Csv, &output.schema).unwrap_or_default();
            first_line(&header).map(|(line, _)| column_names(line)).unwrap_or_default()
        }
        FileFormat::Parquet => typed_columns(&parquet_schema(&output.schema)),
        FileFormat::Json => output.schema.fields().iter().map(|field| field.name().clone()).collect(),
    }
}

fn typed_columns(schema: &Schema) -> Vec<String> {
    schema.fields().iter().map(|field| format!("{} {}", field.name(), spark_name(field.data_type()))).collect()
}

/// The columns of a file; `None` when it may have ours.
async fn columns(
    input: &Input<'_>,
    file: &ObjectMeta,
    output: &Layout,
) -> Result<Option<Vec<String>>, Box<dyn std::error::Error + Send + Sync>> {
    match output.format {
        FileFormat::Csv => Ok(Some(column_names(&survey::first_header(input).await?))),
        FileFormat::Parquet => {
            let schema =
                crate::parquet::schema(Arc::clone(&input.store.store), file.location.clone(), file.size).await?;
            Ok(Some(typed_columns(&schema)))
        }
        FileFormat::Json => {
            let (names, kinds) = survey::first_fields(input, file).await?;
            // Fields that are null are not there; those that are must be ours, and be texts where ours are.
            let fits = names.iter().zip(kinds).all(|(name, kind)| {
                output.schema.field_with_name(name).is_ok_and(|field| match field.data_type() {
                    DataType::Float32 | DataType::Float64 => kind != SparkType::Boolean,
                    _ => kind == SparkType::String,
                })
            });
            Ok((!fits).then_some(names))
        }
    }
}
