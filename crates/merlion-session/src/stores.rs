//! Object stores: local files and S3. Settings travel with the session; credentials stay in the process they were given to.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result, exec_datafusion_err, plan_err};
use datafusion::execution::object_store::ObjectStoreRegistry;
use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use url::Url;

use crate::config::MerlionConfig;

/// The secrets of an S3 store, when they do not come from the environment.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// `fs.s3a.access.key`
    pub access_key: Option<String>,
    /// `fs.s3a.secret.key`
    pub secret_key: Option<String>,
    /// `fs.s3a.session.token`
    pub session_token: Option<String>,
}

impl fmt::Debug for Credentials {
    /// Says what is there, never what it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |secret: &Option<String>| if secret.is_some() { "set" } else { "unset" };
        f.debug_struct("Credentials")
            .field("access_key", &shown(&self.access_key))
            .field("secret_key", &shown(&self.secret_key))
            .field("session_token", &shown(&self.session_token))
            .finish()
    }
}

/// Takes a Hadoop S3 property (`spark.hadoop.fs.s3a.…`) into our settings. Returns whether it was one we know.
///
/// # Errors
/// When the value of a known property cannot be read.
pub fn apply_s3a_property(
    key: &str,
    value: &str,
    settings: &mut MerlionConfig,
    credentials: &mut Credentials,
) -> Result<bool> {
    let Some(key) = key.strip_prefix("spark.hadoop.").unwrap_or(key).strip_prefix("fs.s3a.") else { return Ok(false) };
    let flag = |value: &str| match value {
        "true" => Ok(true),
        "false" => Ok(false),
        other => plan_err!("fs.s3a.{key} is true or false, not '{other}'"),
    };
    match key {
        "endpoint" => {
            // Hadoop takes a bare host name; object_store wants a URL.
            let url = if value.contains("://") { value.to_owned() } else { format!("https://{value}") };
            if url.starts_with("http://") {
                settings.s3_allow_http = true;
            }
            settings.s3_endpoint = Some(url);
        }
        "endpoint.region" => settings.s3_region = Some(value.to_owned()),
        "path.style.access" => settings.s3_path_style = flag(value)?,
        "connection.ssl.enabled" => settings.s3_allow_http = !flag(value)?,
        "access.key" => credentials.access_key = Some(value.to_owned()),
        "secret.key" => credentials.secret_key = Some(value.to_owned()),
        "session.token" => credentials.session_token = Some(value.to_owned()),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Makes the store of a URL the first time it is asked for.
#[derive(Debug)]
pub struct StoreRegistry {
    settings: MerlionConfig,
    credentials: Credentials,
    local: Arc<dyn ObjectStore>,
    remote: std::sync::RwLock<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl StoreRegistry {
    /// A registry with these settings.
    #[must_use]
    pub fn new(settings: MerlionConfig, credentials: Credentials) -> Self {
        // Without cleaning up, every job would leave its staging folder behind, empty.
        let local = Arc::new(LocalFileSystem::new().with_automatic_cleanup(true));
        Self { settings, credentials, local, remote: std::sync::RwLock::default() }
    }

    fn s3(&self, bucket: &str) -> Result<Arc<dyn ObjectStore>> {
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_virtual_hosted_style_request(!self.settings.s3_path_style);
        if self.settings.s3_allow_http {
            builder = builder.with_allow_http(true);
        }
        if let Some(endpoint) = &self.settings.s3_endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(region) = &self.settings.s3_region {
            builder = builder.with_region(region);
        }
        if let (Some(access), Some(secret)) = (&self.credentials.access_key, &self.credentials.secret_key) {
            builder = builder.with_access_key_id(access).with_secret_access_key(secret);
        }
        if let Some(token) = &self.credentials.session_token {
            builder = builder.with_token(token);
        }
        Ok(Arc::new(builder.build().map_err(|e| DataFusionError::External(Box::new(e)))?))
    }
}

impl ObjectStoreRegistry for StoreRegistry {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        // A poisoned lock only says that another thread panicked between two lines that cannot leave the map broken.
        let mut remote = self.remote.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        remote.insert(key_of(url), store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let key = key_of(url);
        if let Some(store) = self.remote.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(store));
        }
        match url.scheme() {
            "file" => Ok(Arc::clone(&self.local)),
            "s3" | "s3a" | "s3n" => {
                let bucket = url.host_str().ok_or_else(|| exec_datafusion_err!("no bucket in {url}"))?;
                let store = self.s3(bucket)?;
                self.register_store(url, Arc::clone(&store));
                Ok(store)
            }
            other => plan_err!("storage '{other}://' is not supported; there are local paths, s3:// and s3a://"),
        }
    }
}

fn key_of(url: &Url) -> String {
    format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hadoop_properties_become_settings_and_secrets_stay_apart() {
        let (mut settings, mut credentials) = (MerlionConfig::default(), Credentials::default());
        let mut take =
            |key: &str, value: &str| apply_s3a_property(key, value, &mut settings, &mut credentials).unwrap();
        assert!(take("spark.hadoop.fs.s3a.endpoint", "http://127.0.0.1:9000"));
        assert!(take("fs.s3a.path.style.access", "true"));
        assert!(take("spark.hadoop.fs.s3a.secret.key", "hush"));
        assert!(!take("spark.executor.cores", "2"));
        assert_eq!(settings.s3_endpoint.as_deref(), Some("http://127.0.0.1:9000"));
        assert!(settings.s3_allow_http, "a plain endpoint allows plain requests");
        let shown = format!("{credentials:?} {settings:?}");
        assert!(!shown.contains("hush"), "{shown}");
    }

    #[test]
    fn an_unknown_scheme_is_named() {
        let registry = StoreRegistry::new(MerlionConfig::default(), Credentials::default());
        let error = registry.get_store(&Url::parse("hdfs://host/x").unwrap()).unwrap_err().to_string();
        assert!(error.contains("hdfs"), "{error}");
    }
}
