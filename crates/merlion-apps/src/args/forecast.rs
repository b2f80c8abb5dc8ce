//! The flags of `merlion forecast`: Merlion's, as typed, and ours.

use clap::{Args, ValueEnum};
use merlion_executor::parse_bytes;
use merlion_io::format::FileFormat;
use merlion_session::master::Master;
use serde_json::Value;

use super::StorageArgs;
use crate::error::AppError;
use crate::forecast::{Compat, ForecastJob};
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
    /// Times to forecast: a JSON list, e.g. ["2012-11-02", "2012-11-09"]
    #[arg(long = "time_stamps", alias = "time-stamps", value_name = "JSON")]
    pub time_stamps: String,
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
    /// Forecast sums over the index columns too, and reconcile
    #[arg(long)]
    pub hierarchical: bool,
    /// How data columns are aggregated for --hierarchical: a JSON dict
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
        let agg_dict = json_arg::parse("--agg_dict", &self.agg_dict)?;
        if !matches!(agg_dict, Value::Object(_) | Value::Null) {
            return usage(format!("--agg_dict: expected a JSON dict, got {agg_dict}"));
        }
        if self.hierarchical && !index_cols.is_empty() {
            return usage("--hierarchical: not available yet; forecast the series as they are without it".to_owned());
        }
        let data_cols =
            match self.data_cols.as_deref().map(|text| json_arg::string_list("--data_cols", text)).transpose()? {
                Some(columns) if !columns.is_empty() => columns,
                _ => vec![self.target_col.clone()],
            };
        if !data_cols.contains(&self.target_col) {
            return usage(format!("--data_cols: the target column '{}' is not among them", self.target_col));
        }
        let times = match json_arg::parse("--time_stamps", &self.time_stamps)? {
            Value::Array(times) if !times.is_empty() => times,
            other => return usage(format!("--time_stamps: expected a non-empty JSON list, got {other}")),
        };
        let master: Master = self.master.parse().map_err(|error| AppError::Usage(format!("--master: {error}")))?;
        let (settings, credentials) = self.storage.resolve()?;
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
            time_stamps: times,
            predict_on_train: self.predict_on_train,
            compat: if self.compat.is_some() { Compat::Merlion } else { Compat::None },
            seed: self.seed,
            master,
            settings,
            credentials,
            memory_limit: self.memory.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        }
        .checked()
    }
}
