//! The flags of `merlion forecast`: Merlion's, as typed, and ours.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use merlion_executor::parse_bytes;
use merlion_io::format::FileFormat;
use merlion_session::master::Master;
use serde_json::{Map, Value};

use super::StorageArgs;
use crate::error::AppError;
use crate::forecast::{Compat, ForecastJob, Horizon, OnError, SparkAggregate, TimeChoice, ValueType};
use crate::json_arg;

/// The flags of `merlion forecast`.
#[derive(Debug, Clone, Args)]
#[command(infer_long_args = true, args_override_self = true)]
pub struct ForecastArgs {
    /// Table to train on: a file, a directory of files or a pattern (data/*.csv.gz), local or s3://
    #[arg(long = "train_data", alias = "train-data", value_name = "PATH")]
    pub train_data: String,
    /// Directory for the forecasts; what is in it is replaced, or kept with --mode append
    // As short as Merlion's users may have it, in spite of --output_format.
    #[arg(
        long = "output_path",
        aliases = ["output-path", "output_", "output-", "output", "outpu", "outp", "out", "ou", "o"],
        value_name = "PATH"
    )]
    pub output_path: String,
    /// Times to forecast: a JSON list, e.g. ["2012-11-02", "2012-11-09"]; or give --horizon
    #[arg(long = "time_stamps", alias = "time-stamps", value_name = "JSON")]
    pub time_stamps: Option<String>,
    /// Column to forecast
    #[arg(long = "target_col", alias = "target-col", value_name = "NAME")]
    pub target_col: String,
    /// Put the predictions over the training data first
    #[arg(long = "predict_on_train", alias = "predict-on-train")]
    pub predict_on_train: bool,
    /// Format of input and output: csv, parquet or json
    #[arg(long = "file_format", alias = "file-format", value_name = "FORMAT", default_value = "csv")]
    pub file_format: String,
    /// Model: a JSON dict, e.g. {"name": "ETS", "seasonal_periods": 52}. `merlion models` lists them
    // As short as Merlion's users may have it, in spite of --mode.
    #[arg(long, aliases = ["mod", "mo"], value_name = "JSON", default_value = r#"{"name": "DefaultForecaster"}"#)]
    pub model: String,
    /// Columns that tell the series apart: a JSON list, e.g. ["Store", "Dept"]
    #[arg(long = "index_cols", alias = "index-cols", value_name = "JSON", default_value = "[]")]
    pub index_cols: String,
    /// Forecast sums over the index columns too, and make all forecasts add up
    #[arg(long)]
    pub hierarchical: bool,
    /// How data columns other than the target are aggregated for --hierarchical, e.g. {"CPI": "mean"}; a column that is not there
    /// is not shown to models of sums
    #[arg(long = "agg_dict", alias = "agg-dict", value_name = "JSON", default_value = "{}")]
    pub agg_dict: String,
    /// Column with the time [default: the first that is neither index nor data]
    #[arg(long = "time_col", alias = "time-col", value_name = "NAME")]
    pub time_col: Option<String>,
    /// Columns the model sees: a JSON list with the target in it [default: the target alone]
    #[arg(long = "data_cols", alias = "data-cols", value_name = "JSON")]
    pub data_cols: Option<String>,

    /// Format of the output alone [default: that of the input]
    #[arg(long = "output_format", alias = "output-format", value_name = "FORMAT", help_heading = "Beyond Merlion")]
    pub output_format: Option<String>,
    /// What becomes of what the output directory holds: overwrite or append
    #[arg(long, value_name = "MODE", default_value = "overwrite", help_heading = "Beyond Merlion")]
    pub mode: String,
    /// Where to run.
    #[arg(
        long,
        value_name = "MASTER",
        default_value = "local[*]",
        help = "Where to run: local, local[N], local[*] or ballista://HOST:PORT",
        help_heading = "Beyond Merlion"
    )]
    pub master: String,
    /// Forecast this many steps after the end of each series, instead of --time_stamps
    #[arg(long, value_name = "STEPS", help_heading = "Beyond Merlion")]
    pub horizon: Option<usize>,
    /// Sampling step of the series as a pandas offset: h, D, W-FRI, MS [default: inferred for each series]
    #[arg(long, value_name = "OFFSET", help_heading = "Beyond Merlion")]
    pub freq: Option<String>,
    /// Prediction intervals of these levels in per cent, e.g. 80,95: columns TARGET_lower_80, TARGET_upper_80, …
    #[arg(long, value_name = "LEVELS", value_delimiter = ',', help_heading = "Beyond Merlion")]
    pub level: Vec<f64>,
    /// What becomes of a series that cannot be modelled: its mean, no rows, or the end of the job
    #[arg(long = "on_error", alias = "on-error", default_value = "fallback", help_heading = "Beyond Merlion")]
    pub on_error: OnErrorArg,
    /// A folder for one row per series: model, status, error, points, seconds, parameters
    #[arg(long = "diagnostics_path", alias = "diagnostics-path", value_name = "PATH", help_heading = "Beyond Merlion")]
    pub diagnostics_path: Option<String>,
    /// A file for a page about the job: totals, what failed, charts of some series
    #[arg(long, value_name = "FILE.html", help_heading = "Beyond Merlion")]
    pub report: Option<String>,
    /// How times are read and written: as they are, as days (Merlion), or as instants
    #[arg(long = "time_type", alias = "time-type", default_value = "auto", help_heading = "Beyond Merlion")]
    pub time_type: TimeTypeArg,
    /// How numbers are written: with 32 bits (Merlion) or 64
    #[arg(long = "value_type", alias = "value-type", default_value = "float", help_heading = "Beyond Merlion")]
    pub value_type: ValueTypeArg,
    /// Time zone of times without one, e.g. Europe/Berlin [default: UTC, or spark.sql.session.timeZone]
    #[arg(long = "time_zone", alias = "time-zone", value_name = "ZONE", help_heading = "Beyond Merlion")]
    pub time_zone: Option<String>,
    /// Print the plan and do nothing
    #[arg(long, help_heading = "Beyond Merlion")]
    pub explain: bool,
    /// Answer as Merlion does even where a user would want something else (docs/compatibility.md)
    #[arg(long, value_name = "SYSTEM", help_heading = "Beyond Merlion")]
    pub compat: Option<CompatArg>,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Beyond Merlion")]
    pub seed: u64,
    /// Memory for all local tasks together, in bytes or with k, m, g [default: unlimited]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes, help_heading = "Beyond Merlion")]
    pub memory: Option<u64>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened: its own fields are documented")]
    pub storage: StorageArgs,
}

/// Whose answers to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompatArg {
    /// Salesforce Merlion 2.0
    Merlion,
}

/// What becomes of a series that cannot be modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnErrorArg {
    /// Its mean, as Merlion
    Fallback,
    /// No rows
    Skip,
    /// The job ends
    Abort,
}

/// How times are read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TimeTypeArg {
    /// As they are
    Auto,
    /// As days
    Date,
    /// As instants
    Timestamp,
}

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ValueTypeArg {
    /// 32 bits
    Float,
    /// 64 bits
    Double,
}

impl ForecastArgs {
    /// What the flags mean, checked as far as it can be without looking at the data.
    ///
    /// # Errors
    /// [`AppError::Usage`] naming the flag.
    pub fn to_job(&self) -> Result<ForecastJob, AppError> {
        let usage = |message: String| Err(AppError::Usage(message));
        let format = |flag: &str, name: &str| {
            name.parse::<FileFormat>().map_err(|error| AppError::Usage(format!("{flag} {name}: {error}")))
        };
        let input_format = format("--file_format", &self.file_format)?;
        let output_format = self.output_format.as_deref().map(|name| format("--output_format", name)).transpose()?;
        let save_mode = self.mode.parse().map_err(|error| AppError::Usage(format!("--mode {}: {error}", self.mode)))?;
        let index_cols = json_arg::string_list("--index_cols", &self.index_cols)?;
        let data_cols =
            match self.data_cols.as_deref().map(|text| json_arg::string_list("--data_cols", text)).transpose()? {
                Some(columns) if !columns.is_empty() => columns,
                _ => vec![self.target_col.clone()],
            };
        if !data_cols.contains(&self.target_col) {
            return usage(format!("--data_cols: the target column '{}' is not among them", self.target_col));
        }
        let agg_dict = self.aggregations(&data_cols)?;
        let master: Master = self.master.parse().map_err(|error| AppError::Usage(format!("--master: {error}")))?;
        let (mut settings, credentials) = self.storage.resolve()?;
        if let Some(zone) = &self.time_zone {
            settings.time_zone.clone_from(zone);
        }
        ForecastJob {
            train_data: self.train_data.clone(),
            output_path: self.output_path.clone(),
            input_format,
            output_format: output_format.unwrap_or(input_format),
            save_mode,
            target_col: self.target_col.clone(),
            time_col: self.time_col.clone(),
            index_cols,
            data_cols,
            model: json_arg::parse("--model", &self.model)?,
            horizon: self.horizon()?,
            freq: self.freq.clone(),
            level: self.level.clone(),
            hierarchical: self.hierarchical,
            agg_dict,
            on_error: match self.on_error {
                OnErrorArg::Fallback => OnError::Fallback,
                OnErrorArg::Skip => OnError::Skip,
                OnErrorArg::Abort => OnError::Abort,
            },
            time_type: match self.time_type {
                TimeTypeArg::Auto => TimeChoice::Auto,
                TimeTypeArg::Date => TimeChoice::Date,
                TimeTypeArg::Timestamp => TimeChoice::Timestamp,
            },
            value_type: match self.value_type {
                ValueTypeArg::Float => ValueType::Float,
                ValueTypeArg::Double => ValueType::Double,
            },
            diagnostics_path: self.diagnostics_path.clone(),
            report: self.report.clone(),
            command: self.report.is_some().then(command_line),
            predict_on_train: self.predict_on_train,
            compat: if self.compat.is_some() { Compat::Merlion } else { Compat::None },
            seed: self.seed,
            master,
            settings,
            credentials,
            memory_limit: self.memory.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        }
        .checked()
        .inspect(|job| {
            if job.hierarchical && !job.is_hierarchical() {
                log::warn!("--hierarchical: there are no index columns to sum over");
            }
        })
    }
    /// What is to be forecast.
    fn horizon(&self) -> Result<Horizon, AppError> {
        let usage = |message: String| Err(AppError::Usage(message));
        match (&self.time_stamps, self.horizon) {
            (Some(_), Some(_)) => usage("give --time_stamps or --horizon, not both".to_owned()),
            (None, None) => usage(
                "give --time_stamps (a JSON list such as [\"2012-11-02\", \"2012-11-09\"]) or --horizon (a number of steps)"
                    .to_owned(),
            ),
            (None, Some(0)) => usage("--horizon 0: at least one step".to_owned()),
            (None, Some(steps)) => Ok(Horizon::Steps(steps)),
            (Some(text), None) => match json_arg::parse("--time_stamps", text) {
                Ok(Value::Array(times)) if !times.is_empty() => Ok(Horizon::Times(times)),
                Ok(other) => usage(format!("--time_stamps: expected a non-empty JSON list, got {other}")),
                Err(error) => usage(format!("{error} (a JSON list looks like [\"2012-11-02\", \"2012-11-09\"])")),
            },
        }
    }

    /// How sums are made of the data columns. Only what is a mistake in any case is refused: the same command works in Merlion.
    fn aggregations(&self, data_cols: &[String]) -> Result<BTreeMap<String, SparkAggregate>, AppError> {
        let map = match json_arg::parse("--agg_dict", &self.agg_dict)? {
            Value::Object(map) => map,
            Value::Null => Map::new(),
            other => return Err(AppError::Usage(format!("--agg_dict: expected a JSON dict, got {other}"))),
        };
        let mut aggregations = BTreeMap::new();
        for (column, name) in map {
            let Value::String(name) = name else {
                return Err(AppError::Usage(format!("--agg_dict: expected an aggregation for '{column}', got {name}")));
            };
            let aggregate: SparkAggregate =
                name.parse().map_err(|error| AppError::Usage(format!("--agg_dict: {column}: {error}")))?;
            if !data_cols.contains(&column) {
                log::warn!("--agg_dict: '{column}' is not among the data columns");
            } else if column == self.target_col && aggregate != SparkAggregate::Sum {
                log::warn!("--agg_dict: forecasts of sums are made of the target's sum, not its {name}");
            }
            aggregations.insert(column, aggregate);
        }
        Ok(aggregations)
    }
}

/// The command as it was typed, with quotes where a shell needs them, and without secrets.
fn command_line() -> String {
    let program = std::env::args().next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let args = std::env::args().skip(1).map(without_secret).map(quoted);
    std::iter::once(program).chain(args).collect::<Vec<_>>().join(" ")
}

fn quoted(arg: String) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,@%+…".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) { arg } else { format!("'{}'", arg.replace('\'', r"'\''")) }
}

/// Hides the value of a setting whose name sounds like a secret.
fn without_secret(arg: String) -> String {
    const SECRETS: [&str; 5] = ["key", "secret", "token", "password", "credential"];
    let lower = arg.to_ascii_lowercase();
    let named = SECRETS.iter().filter_map(|word| lower.find(word)).min();
    match named.and_then(|at| arg[at..].find('=').map(|equals| at + equals)) {
        Some(equals) => format!("{}=…", &arg[..equals]),
        None => arg,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_told_without_its_secrets() {
        let told = |arg: &str| quoted(without_secret(arg.to_owned()));
        assert_eq!(told("--conf=spark.hadoop.fs.s3a.secret.key=abc=def"), "--conf=spark.hadoop.fs.s3a.secret.key=…");
        assert_eq!(told("spark.hadoop.fs.s3a.access.key=AKIA"), "spark.hadoop.fs.s3a.access.key=…");
        assert_eq!(told("{'name': 'ETS'}"), r"'{'\''name'\'': '\''ETS'\''}'");
        assert_eq!(told("--model=ETS"), "--model=ETS");
    }
}
