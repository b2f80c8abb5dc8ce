//! Paths as users type them, as object stores.

use std::path::{Component, PathBuf};
use std::sync::Arc;

use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::csv::header::is_hidden;
use crate::dataset::DatasetError;

/// An object store and the URL that plans know it by.
#[derive(Debug, Clone)]
pub struct Store {
    /// The store.
    pub store: Arc<dyn ObjectStore>,
    /// Its URL: `file:///`, `s3://bucket/`.
    pub url: String,
}

/// The store and folder an output path means.
///
/// # Errors
/// When the path is none, or its storage is not supported.
pub fn output(runtime: &RuntimeEnv, path: &str) -> Result<(Store, Path), DatasetError> {
    resolve(runtime, path)
}

/// The files of an input path: the file it names, or the files of the folder it names as Spark lists them.
///
/// # Errors
/// [`DatasetError::NotFound`] when there are none.
pub(crate) async fn input(runtime: &RuntimeEnv, path: &str) -> Result<(Store, Vec<ObjectMeta>), DatasetError> {
    let (store, location) = resolve(runtime, path)?;
    let failed = |source| DatasetError::Storage { path: path.to_owned(), source };
    match store.store.head(&location).await {
        Ok(meta) => return Ok((store, vec![meta])),
        Err(object_store::Error::NotFound { .. } | object_store::Error::Generic { .. }) => {}
        Err(source) => return Err(failed(source)),
    }
    let mut files: Vec<ObjectMeta> = store
        .store
        .list(Some(&location))
        .try_filter(|meta| {
            // As Spark: the folder's own files, not those of folders in it.
            let own = meta
                .location
                .prefix_match(&location)
                .is_some_and(|mut rest| rest.next().is_some() && rest.next().is_none());
            let hidden = meta.location.filename().is_none_or(is_hidden);
            futures::future::ready(own && !hidden && meta.size > 0)
        })
        .try_collect()
        .await
        .map_err(failed)?;
    files.sort_by(|a, b| a.location.cmp(&b.location));
    if files.is_empty() {
        return Err(DatasetError::NotFound { path: path.to_owned() });
    }
    Ok((store, files))
}

/// The absolute path without `.` and `..`: resolved by the file system as far as it exists, by its text beyond.
fn real_path(path: &str) -> std::io::Result<PathBuf> {
    let mut real = PathBuf::new();
    for component in std::path::absolute(path)?.components() {
        match component {
            Component::ParentDir => {
                real.pop();
            }
            Component::CurDir => {}
            component => {
                real.push(component);
                if let Ok(resolved) = real.canonicalize() {
                    real = resolved;
                }
            }
        }
    }
    Ok(real)
}

fn resolve(runtime: &RuntimeEnv, path: &str) -> Result<(Store, Path), DatasetError> {
    let invalid = |reason: String| DatasetError::Path { path: path.to_owned(), reason };
    let (url, location) = match path.split_once("://") {
        Some((scheme, rest)) if scheme != "file" => {
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            let location = Path::parse(key.trim_end_matches('/')).map_err(|e| invalid(e.to_string()))?;
            (format!("{scheme}://{bucket}/"), location)
        }
        _ => {
            let local = path.strip_prefix("file://").unwrap_or(path);
            if local.is_empty() {
                return Err(invalid("it is empty".to_owned()));
            }
            let location = Path::from_absolute_path(real_path(local).map_err(|e| invalid(e.to_string()))?)
                .map_err(|e| invalid(e.to_string()))?;
            ("file:///".to_owned(), location)
        }
    };
    let parsed = ObjectStoreUrl::parse(&url).map_err(|e| invalid(e.to_string()))?;
    let store = runtime.object_store(&parsed).map_err(|e| invalid(e.message().into_owned()))?;
    Ok((Store { store, url }, location))
}
