//! Our part of the session's configuration. It travels to scheduler and executors as plain text: nothing secret belongs here.

use std::any::Any;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ExtensionOptions};
use datafusion::common::{Result, plan_err};

/// Settings of this project, under `merlion.` in SQL's `SET`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerlionConfig {
    /// Endpoint of an S3-compatible store; Amazon's own if unset.
    pub s3_endpoint: Option<String>,
    /// Region of the S3 store.
    pub s3_region: Option<String>,
    /// Whether the bucket is part of the path rather than of the host name.
    pub s3_path_style: bool,
    /// Whether the S3 store may be reached without TLS.
    pub s3_allow_http: bool,
    /// Time zone in which dates are taken from times (`spark.sql.session.timeZone`).
    pub time_zone: String,
}

impl Default for MerlionConfig {
    fn default() -> Self {
        Self {
            s3_endpoint: None,
            s3_region: None,
            // What most S3-compatible servers need, and Amazon takes.
            s3_path_style: true,
            s3_allow_http: false,
            time_zone: "UTC".to_owned(),
        }
    }
}

impl ConfigExtension for MerlionConfig {
    const PREFIX: &'static str = "merlion";
}

// By hand: the entries that DataFusion's macro makes lack the prefix, so that they would be lost on their way to an executor.
impl ExtensionOptions for MerlionConfig {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let flag = || match value {
            "true" => Ok(true),
            "false" => Ok(false),
            other => plan_err!("merlion.{key} is true or false, not '{other}'"),
        };
        let text = || (!value.is_empty()).then(|| value.to_owned());
        match key {
            "s3_endpoint" => self.s3_endpoint = text(),
            "s3_region" => self.s3_region = text(),
            "s3_path_style" => self.s3_path_style = flag()?,
            "s3_allow_http" => self.s3_allow_http = flag()?,
            "time_zone" => self.time_zone = value.to_owned(),
            _ => return plan_err!("there is no setting merlion.{key}"),
        }
        Ok(())
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        let entry = |name: &str, value: Option<String>, description| ConfigEntry {
            key: format!("{}.{name}", Self::PREFIX),
            value,
            description,
        };
        vec![
            entry("s3_endpoint", self.s3_endpoint.clone(), "Endpoint of an S3-compatible store"),
            entry("s3_region", self.s3_region.clone(), "Region of the S3 store"),
            entry("s3_path_style", Some(self.s3_path_style.to_string()), "Whether the bucket is part of the path"),
            entry("s3_allow_http", Some(self.s3_allow_http.to_string()), "Whether S3 may be reached without TLS"),
            entry("time_zone", Some(self.time_zone.clone()), "Time zone in which dates are taken from times"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionConfig;

    use super::*;

    #[test]
    fn every_setting_arrives_on_the_other_side() {
        let sent = MerlionConfig {
            s3_endpoint: Some("http://127.0.0.1:9000".to_owned()),
            s3_region: Some("eu-west-1".to_owned()),
            s3_path_style: false,
            s3_allow_http: true,
            time_zone: "Asia/Kolkata".to_owned(),
        };
        let from = SessionConfig::new().with_option_extension(sent.clone());
        let mut to = SessionConfig::new().with_option_extension(MerlionConfig::default());
        for ConfigEntry { key, value, .. } in from.options().entries() {
            if let Some(value) = value.filter(|_| key.starts_with("merlion.")) {
                to.options_mut().set(&key, &value).unwrap();
            }
        }
        assert_eq!(to.options().extensions.get::<MerlionConfig>(), Some(&sent));
    }
}
