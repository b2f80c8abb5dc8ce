//! Where a job runs: in this process, or on a scheduler somewhere.

use std::fmt;
use std::str::FromStr;

/// Where a job runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Master {
    /// A scheduler and an executor in this process.
    Local {
        /// Tasks that run at once.
        vcores: usize,
    },
    /// A scheduler in another process.
    Remote {
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
    },
}

/// The port schedulers listen on unless told otherwise.
pub const DEFAULT_SCHEDULER_PORT: u16 = 50050;

/// Text that names no master.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no master: local, local[N], local[*] or ballista://host:port")]
pub struct MasterError(String);

impl Master {
    /// As many tasks at once as there are processors.
    #[must_use]
    pub fn all_cores() -> Self {
        Self::Local { vcores: std::thread::available_parallelism().map_or(1, Into::into) }
    }
}

impl FromStr for Master {
    type Err = MasterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || MasterError(text.to_owned());
        if let Some(address) = text.strip_prefix("ballista://").or_else(|| text.strip_prefix("df://")) {
            let address = address.trim_end_matches('/');
            let (host, port) = match address.rsplit_once(':') {
                Some((host, port)) => (host, port.parse().map_err(|_| error())?),
                None => (address, DEFAULT_SCHEDULER_PORT),
            };
            if host.is_empty() || host.contains('/') {
                return Err(error());
            }
            return Ok(Self::Remote { host: host.to_owned(), port });
        }
        match text.strip_prefix("local").ok_or_else(error)? {
            "" => Ok(Self::Local { vcores: 1 }),
            "[*]" => Ok(Self::all_cores()),
            rest => rest
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .and_then(|n| n.parse().ok())
                .filter(|n| *n > 0)
                .map(|vcores| Self::Local { vcores })
                .ok_or_else(error),
        }
    }
}

impl fmt::Display for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local { vcores } => write!(f, "local[{vcores}]"),
            Self::Remote { host, port } => write!(f, "ballista://{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masters_are_read_as_spark_reads_them() {
        assert_eq!("local".parse(), Ok(Master::Local { vcores: 1 }));
        assert_eq!("local[3]".parse(), Ok(Master::Local { vcores: 3 }));
        assert_eq!("local[*]".parse(), Ok(Master::all_cores()));
        let remote = |port| Ok(Master::Remote { host: "h".into(), port });
        assert_eq!("ballista://h:1234".parse(), remote(1234));
        assert_eq!("ballista://h".parse(), remote(DEFAULT_SCHEDULER_PORT));
        for bad in ["", "local[0]", "local[x]", "localhost", "yarn", "ballista://", "ballista://h:port", "local[2"] {
            let parsed: Result<Master, _> = bad.parse();
            assert!(parsed.is_err(), "'{bad}' was read as {parsed:?}");
        }
    }
}
