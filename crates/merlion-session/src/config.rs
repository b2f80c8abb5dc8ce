//! Our part of the session's configuration. It travels to scheduler and executors as plain text: nothing secret belongs here.

use datafusion::common::config::ConfigExtension;
use datafusion::common::extensions_options;

extensions_options! {
    /// Settings of this project, under `merlion.` in SQL's `SET`.
    pub struct MerlionConfig {
        /// Endpoint of an S3-compatible store; Amazon's own if unset
        pub s3_endpoint: Option<String>, default = None
        /// Region of the S3 store
        pub s3_region: Option<String>, default = None
        /// Whether the bucket is part of the path rather than of the host name
        pub s3_path_style: bool, default = true
        /// Whether the S3 store may be reached without TLS
        pub s3_allow_http: bool, default = false
        /// Time zone in which dates are taken from times (`spark.sql.session.timeZone`)
        pub time_zone: String, default = "UTC".to_owned()
    }
}

impl ConfigExtension for MerlionConfig {
    const PREFIX: &'static str = "merlion";
}
