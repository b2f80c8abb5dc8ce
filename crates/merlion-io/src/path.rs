//! Paths as users type them, as object stores.

use std::path::{Component, PathBuf};
use std::sync::Arc;

use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::csv::header::is_hidden;
use crate::dataset::DatasetError;
use crate::glob;

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

/// The files of an input path: the file it names, the files of the folder it names as Spark lists them, or those of everything a
/// pattern matches.
///
/// # Errors
/// [`DatasetError::NotFound`] when there are none.
pub(crate) async fn input(runtime: &RuntimeEnv, path: &str) -> Result<(Store, Vec<ObjectMeta>), DatasetError> {
    let (store, location) = resolve(runtime, path)?;
    // What is there under that very name comes first: brackets and braces are good names, too.
    let mut files = named(store.store.as_ref(), &location, path).await?;
    if files.is_empty() && glob::is_pattern(path) {
        for pattern in glob::expand_braces(path) {
            let (other, pattern) = resolve(runtime, &pattern)?;
            if other.url != store.url {
                let reason = format!("a pattern over several stores, {} and {}", store.url, other.url);
                return Err(DatasetError::Path { path: path.to_owned(), reason });
            }
            files.extend(matching(store.store.as_ref(), &pattern, path).await?);
        }
    }
    files.sort_by(|a, b| a.location.cmp(&b.location));
    files.dedup_by(|a, b| a.location == b.location);
    if files.is_empty() {
        return Err(DatasetError::NotFound { path: path.to_owned() });
    }
    Ok((store, files))
}

/// The file of this name, or the visible files of the folder of this name.
async fn named(store: &dyn ObjectStore, location: &Path, typed: &str) -> Result<Vec<ObjectMeta>, DatasetError> {
    let failed = |source| DatasetError::Storage { path: typed.to_owned(), source };
    match store.head(location).await {
        Ok(meta) => return Ok(vec![meta]),
        Err(object_store::Error::NotFound { .. } | object_store::Error::Generic { .. }) => {}
        Err(source) => return Err(failed(source)),
    }
    // As Spark: the folder's own files, not those of folders in it.
    let listed = store.list_with_delimiter(Some(location)).await.map_err(failed)?;
    Ok(listed.objects.into_iter().filter(|meta| is_visible(&meta.location) && meta.size > 0).collect())
}

/// The files that match a pattern, and those of the folders that do.
async fn matching(store: &dyn ObjectStore, pattern: &Path, typed: &str) -> Result<Vec<ObjectMeta>, DatasetError> {
    let failed = |source| DatasetError::Storage { path: typed.to_owned(), source };
    let parts: Vec<String> = pattern.parts().map(|part| part.as_ref().to_owned()).collect();
    let Some(first) = parts.iter().position(|part| glob::is_pattern(part)) else {
        return named(store, pattern, typed).await;
    };
    let parse = |text: &str| {
        Path::parse(text).map_err(|e| DatasetError::Path { path: typed.to_owned(), reason: e.to_string() })
    };
    let mut folders = vec![parse(&parts[..first].join("/"))?];
    let mut files = Vec::new();
    for (depth, part) in parts.iter().enumerate().skip(first) {
        let last = depth + 1 == parts.len();
        let is_match = |path: &Path| path.filename().is_some_and(|name| glob::matches(part, name)) && is_visible(path);
        let mut next = Vec::new();
        for folder in &folders {
            if !glob::is_pattern(part) && !last {
                next.push(parse(&format!("{folder}/{part}"))?);
                continue;
            }
            let listed = store.list_with_delimiter(Some(folder)).await.map_err(failed)?;
            next.extend(listed.common_prefixes.into_iter().filter(|path| is_match(path)));
            if last {
                files.extend(listed.objects.into_iter().filter(|meta| is_match(&meta.location) && meta.size > 0));
            }
        }
        folders = next;
    }
    for folder in &folders {
        files.extend(named(store, folder, typed).await?);
    }
    Ok(files)
}

fn is_visible(path: &Path) -> bool {
    path.filename().is_some_and(|name| !is_hidden(name))
}

/// A file of an input as the user would write it: as typed, within the folder as typed, or in full.
pub(crate) fn shown(typed: &str, store: &Store, file: &Path) -> String {
    let name = file.filename().unwrap_or_default();
    if typed.ends_with(name) {
        typed.to_owned()
    } else if glob::is_pattern(typed) {
        full(&store.url, file.as_ref())
    } else {
        format!("{}/{name}", typed.trim_end_matches('/'))
    }
}

/// A file of a store in full: `/data/a.csv`, `s3://lake/a.csv`.
pub(crate) fn full(store_url: &str, file: &str) -> String {
    let root = if store_url == "file:///" { "/" } else { store_url };
    format!("{root}{file}")
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
