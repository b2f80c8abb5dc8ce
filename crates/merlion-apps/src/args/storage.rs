//! Storage settings, the same for every command that touches data.

use merlion_session::MerlionConfig;
use merlion_session::stores::{Credentials, apply_s3a_property};

use crate::error::AppError;

/// Storage settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct StorageArgs {
    /// A Spark property; those of the S3 store, spark.hadoop.fs.s3a.*, have an effect. Without them the AWS_* environment counts
    #[arg(long = "conf", value_name = "KEY=VALUE")]
    pub conf: Vec<String>,
}

impl StorageArgs {
    /// The settings that travel with the session, and the secrets that stay here.
    ///
    /// # Errors
    /// [`AppError::Usage`] for a property that is none, or has an unusable value.
    pub fn resolve(&self) -> Result<(MerlionConfig, Credentials), AppError> {
        let (mut settings, mut credentials) = (MerlionConfig::default(), Credentials::default());
        for property in &self.conf {
            let (key, value) = property
                .split_once('=')
                .ok_or_else(|| AppError::Usage(format!("--conf: '{property}' is not KEY=VALUE")))?;
            let known = apply_s3a_property(key.trim(), value.trim(), &mut settings, &mut credentials)
                .map_err(|error| AppError::Usage(format!("--conf: {error}")))?;
            if !known {
                log::warn!("--conf {key}: no effect");
            }
        }
        Ok((settings, credentials))
    }
}
