//! The forecast job, free of flags: what it is, and how it runs from the table to the committed output.

mod hierarchy;
mod physical;
mod plan;
mod report;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::displayable;
use datafusion::prelude::SessionConfig;
use merlion::hierarchy::{MinTrace, MissingRows};
pub use merlion::models::Compat;
use merlion::models::ModelSpec;
use merlion::transform::TransformSpec;
use merlion_io::dataset::{Dataset, DatasetRequest, TimeType};
use merlion_io::format::FileFormat;
use merlion_io::write::{CommitReport, Committer, Layout, SaveMode, StagingCommitter, diagnostics_schema, empty_file};
use merlion_session::cluster::Cluster;
use merlion_session::job::{Finished, Job, JobError};
use merlion_session::master::Master;
use merlion_session::stores::Credentials;
use merlion_session::{MerlionConfig, catalog, runtime_env, session_config, session_state};
pub use merlion_udf::aggregate::spark_aggregate::SparkAggregate;
pub use merlion_udf::options::OnError;
use merlion_udf::options::{ForecastOptions, OptionsError};
use merlion_udf::{STATUS_FAILED, STATUS_FALLBACK};
use object_store::ObjectStoreExt;
use serde_json::{Value, json};
use uuid::Uuid;

use self::hierarchy::Levels;
use crate::error::AppError;
use crate::progress::Progress;

/// A forecast of every series of a table.
#[derive(Debug, Clone)]
pub struct ForecastJob {
    /// The table.
    pub train_data: String,
    /// The folder for the forecasts.
    pub output_path: String,
    /// How the table is stored.
    pub input_format: FileFormat,
    /// How the forecasts are stored.
    pub output_format: FileFormat,
    /// What becomes of what the output folder holds.
    pub save_mode: SaveMode,
    /// The column to forecast.
    pub target_col: String,
    /// The column with the time; the first that is neither index nor data if absent.
    pub time_col: Option<String>,
    /// The columns that tell the series apart.
    pub index_cols: Vec<String>,
    /// The columns the model sees, the target among them.
    pub data_cols: Vec<String>,
    /// The model as JSON.
    pub model: Value,
    /// What to forecast.
    pub horizon: Horizon,
    /// The sampling step of the series, as a pandas offset; inferred for each series if absent.
    pub freq: Option<String>,
    /// Levels of the prediction intervals, in per cent.
    pub level: Vec<f64>,
    /// Whether sums over the index columns are forecast too, and all forecasts made to add up.
    pub hierarchical: bool,
    /// How data columns are made for sums. Those that are not here are not there; the target is summed.
    pub agg_dict: BTreeMap<String, SparkAggregate>,
    /// What becomes of a series that cannot be modelled.
    pub on_error: OnError,
    /// How times are read and written.
    pub time_type: TimeChoice,
    /// How numbers are written.
    pub value_type: ValueType,
    /// The folder for a row per series: model, status, error, points, seconds, parameters.
    pub diagnostics_path: Option<String>,
    /// The file for a page about the job.
    pub report: Option<String>,
    /// The command line, for that page.
    pub command: Option<String>,
    /// Whether the predictions over the training data come first.
    pub predict_on_train: bool,
    /// Whose answers to give.
    pub compat: Compat,
    /// The seed of everything random.
    pub seed: u64,
    /// Where to run.
    pub master: Master,
    /// Settings of the stores.
    pub settings: MerlionConfig,
    /// Secrets of the stores.
    pub credentials: Credentials,
    /// Memory for all tasks of an embedded cluster.
    pub memory_limit: Option<usize>,
}

/// What to forecast.
#[derive(Debug, Clone, PartialEq)]
pub enum Horizon {
    /// This many steps after the end of each series.
    Steps(usize),
    /// These times, as JSON.
    Times(Vec<Value>),
}

/// How times are read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeChoice {
    /// As they are: days as days, instants as instants.
    #[default]
    Auto,
    /// As days, whatever they are: as Merlion.
    Date,
    /// As instants, whatever they are.
    Timestamp,
}

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ValueType {
    /// 32 bits: as Merlion.
    #[default]
    Float,
    /// 64 bits.
    Double,
}

/// What a job did.
#[derive(Debug, Clone)]
pub struct ForecastReport {
    /// Series in the table.
    pub series_in: u64,
    /// Whether [`ForecastReport::series_in`] was counted, not estimated.
    pub series_counted: bool,
    /// What was written.
    pub committed: CommitReport,
    /// How long it took.
    pub elapsed: Duration,
}

impl ForecastReport {
    /// Series whose model failed.
    #[must_use]
    pub fn fallbacks(&self) -> u64 {
        [STATUS_FALLBACK, STATUS_FAILED].iter().filter_map(|status| self.committed.statuses.get(*status)).sum()
    }
}

impl ForecastJob {
    /// The job, if its parts make sense without the data.
    ///
    /// # Errors
    /// [`AppError::Usage`] naming the flag.
    pub fn checked(self) -> Result<Self, AppError> {
        self.options()?;
        let mut seen = Vec::new();
        for column in self.index_cols.iter().chain(&self.data_cols).chain(&self.time_col) {
            if seen.contains(&column) {
                return Err(AppError::Usage(format!(
                    "column '{column}' has two uses among time, index and data columns"
                )));
            }
            seen.push(column);
        }
        Ok(self)
    }

    /// What the aggregate function is told.
    fn options(&self) -> Result<ForecastOptions, AppError> {
        let mut model =
            ModelSpec::from_json(&self.model).map_err(|error| AppError::Usage(format!("--model: {error}")))?;
        // As Merlion's app: the target's position among the data columns, whatever the model JSON says.
        model.common.target_seq_index = self.visible_columns(&model)?.iter().position(|c| *c == self.target_col);
        if let Some(freq) = &self.freq {
            if model.common.transform.is_some() {
                return Err(AppError::Usage("--freq: the model has a transform of its own, which says".to_owned()));
            }
            let resample = json!({"name": "TemporalResample", "granularity": freq, "on_calendar": true});
            let transform = TransformSpec::from_json(&resample);
            model.common.transform =
                Some(transform.map_err(|error| AppError::Usage(format!("--freq {freq}: {error}")))?);
        }
        let mut json = json!({
            "model": model.to_json(),
            "seed": self.seed,
            "predict_on_train": self.predict_on_train,
            "level": self.level,
            "details": self.diagnostics_path.is_some(),
        });
        let horizon_flag = match &self.horizon {
            Horizon::Steps(steps) => {
                json["horizon"] = (*steps).into();
                "--horizon"
            }
            Horizon::Times(times) => {
                json["time_stamps"] = times.clone().into();
                "--time_stamps"
            }
        };
        if self.compat == Compat::Merlion {
            json["compat"] = "merlion".into();
        }
        let mut options = ForecastOptions::from_json(&json, &catalog()).map_err(|error| {
            let flag = match &error {
                OptionsError::Model(_) => "--model",
                OptionsError::Value { name: "level", .. } => "--level",
                _ => horizon_flag,
            };
            AppError::Usage(format!("{flag}: {error}"))
        })?;
        options.on_error = self.on_error;
        self.check_distinct(&options)?;
        Ok(options)
    }

    /// A sum has one value at a time.
    fn check_distinct(&self, options: &ForecastOptions) -> Result<(), AppError> {
        let merlion_udf::options::Horizon::Times(times) = &options.horizon else { return Ok(()) };
        let mut sorted = times.clone();
        sorted.sort_unstable();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) if self.is_hierarchical() => Err(AppError::Usage(format!(
                "--time_stamps: {} is there twice, and --hierarchical needs each once",
                pair[0]
            ))),
            _ => Ok(()),
        }
    }

    /// Whether there are sums: without index columns there is nothing to sum over.
    #[must_use]
    pub fn is_hierarchical(&self) -> bool {
        self.hierarchical && !self.index_cols.is_empty()
    }

    /// How sums are made of the columns the model is shown, in a hierarchical job.
    fn levels(&self, visible: &[String]) -> Option<Levels> {
        let aggregate = |column: &String| {
            if *column == self.target_col { Some(SparkAggregate::Sum) } else { self.agg_dict.get(column).copied() }
        };
        self.is_hierarchical().then(|| Levels {
            columns: visible.iter().map(aggregate).collect(),
            reconciliation: match (self.compat, self.on_error) {
                (Compat::Merlion, _) => MinTrace::SPARK,
                // A leaf that is missing because it could not be forecast is still in its sums.
                (Compat::None, OnError::Skip | OnError::Null) => MinTrace::default(),
                // One that has no value at a time of the table is not.
                (Compat::None, _) => MinTrace { missing: MissingRows::Restrict, ..MinTrace::default() },
            },
            round: self.compat == Compat::Merlion,
        })
    }

    /// The data columns the model is shown: a model of one column is spared the others, unless Merlion's answer is wanted, where
    /// their missing values shorten the series.
    fn visible_columns(&self, model: &ModelSpec) -> Result<Vec<String>, AppError> {
        let entry = catalog().get(&model.name).map_err(|error| AppError::Usage(format!("--model: {error}")))?;
        if entry.capabilities.univariate_only && self.compat != Compat::Merlion {
            return Ok(vec![self.target_col.clone()]);
        }
        Ok(self.data_cols.clone())
    }

    /// Refuses what the model cannot be shown, before a cluster is touched.
    fn check_columns(&self, options: &ForecastOptions, columns: usize) -> Result<(), AppError> {
        let model = options.model.build(&catalog(), options.compat);
        model
            .and_then(|model| model.check_columns(columns))
            .map_err(|error| AppError::Data(format!("--model: {error}")))
    }

    /// Finds and surveys the table: everything that can be wrong with the data is found before a cluster is touched.
    async fn open(&self, runtime: &RuntimeEnv, options: &ForecastOptions) -> Result<Dataset, AppError> {
        let request = DatasetRequest {
            path: self.train_data.clone(),
            format: self.input_format,
            time_col: self.time_col.clone(),
            index_cols: self.index_cols.clone(),
            data_cols: self.data_cols.clone(),
            date_only: self.is_date_only(),
            time_zone: self.settings.time_zone.clone(),
        };
        let visible = self.visible_columns(&options.model)?;
        self.check_columns(options, visible.len())?;
        let dataset = Dataset::open(runtime, &request).await?.with_data_columns(&visible)?;
        self.check_times(options, &dataset)?;
        Ok(dataset)
    }

    fn outputs(&self, runtime: &RuntimeEnv, shape: &plan::Shape) -> Result<Outputs, AppError> {
        let job = Uuid::new_v4();
        let format = self.output_format;
        let folder = |path: &str, schema: SchemaRef| -> Result<Output, AppError> {
            let (store, output) = merlion_io::path::output(runtime, path)?;
            let empty = empty_file(format, &schema).map_err(|error| DataFusionError::External(Box::new(error)))?;
            let committer = StagingCommitter::new((store.store, output), path, job, format.extension(), empty);
            let committer = match self.save_mode {
                SaveMode::Overwrite => committer,
                SaveMode::Append => committer.appending(Layout { format, schema }),
            };
            Ok(Output { store: store.url, committer })
        };
        let forecasts = folder(&self.output_path, shape.output_schema())?;
        let diagnostics = match &self.diagnostics_path {
            Some(path) => Some(folder(path, diagnostics_schema(&self.index_cols))?),
            None => None,
        };
        Ok(Outputs { forecasts, diagnostics })
    }

    fn session(&self) -> Result<(SessionConfig, Arc<RuntimeEnv>), AppError> {
        let config = session_config().with_option_extension(self.settings.clone());
        let runtime = runtime_env(&config, &self.credentials, None)?;
        Ok((config, runtime))
    }

    /// The plan as text.
    ///
    /// # Errors
    /// An [`AppError`] when the data are not as the job says.
    pub async fn explain(&self) -> Result<String, AppError> {
        let (config, runtime) = self.session()?;
        let options = self.options()?;
        let dataset = self.open(&runtime, &options).await?;
        let shape = plan::Shape::new(self, &dataset, self.levels(&self.visible_columns(&options.model)?));
        let outputs = self.outputs(&runtime, &shape)?;
        let state = session_state(config, runtime)?;
        let plan = plan::forecast_plan(&state, &dataset, &shape, &options, &outputs)?;
        Ok(displayable(plan.as_ref()).indent(false).to_string())
    }

    /// Runs the job.
    ///
    /// # Errors
    /// An [`AppError`]; the output is untouched then.
    pub async fn run(&self, progress: &Progress) -> Result<ForecastReport, AppError> {
        let start = Instant::now();
        let (config, runtime) = self.session()?;
        let options = self.options()?;
        progress.stage("reading");
        let dataset = self.open(&runtime, &options).await?;
        let shape = plan::Shape::new(self, &dataset, self.levels(&self.visible_columns(&options.model)?));
        let outputs = self.outputs(&runtime, &shape)?;
        outputs.forecasts.committer.begin().await?;
        if let Some(diagnostics) = &outputs.diagnostics {
            diagnostics.committer.begin().await.map_err(AppError::diagnostics)?;
        }
        let outcome = self.run_on_cluster(&shape, &dataset, &options, &outputs, config, progress).await;
        let committed = match outcome {
            // Interrupting a commit would leave half of each output.
            Ok(finished) => {
                let parts = usize::try_from(finished.rows).ok();
                let committed = outputs.forecasts.committer.commit(parts).await?;
                if let Some(diagnostics) = &outputs.diagnostics {
                    diagnostics.committer.commit(parts).await.map_err(AppError::diagnostics)?;
                }
                committed
            }
            Err(error) => {
                for output in outputs.all() {
                    if let Err(untidy) = output.committer.abort().await {
                        log::warn!("staging folder left behind: {untidy}");
                    }
                }
                return Err(error);
            }
        };
        let report = ForecastReport {
            series_in: dataset.series(),
            series_counted: dataset.series_is_exact(),
            committed,
            elapsed: start.elapsed(),
        };
        if let Some(path) = &self.report {
            progress.stage("reporting");
            self.write_page(path, &dataset, &options, &report, runtime).await?;
        }
        progress.done();
        Ok(report)
    }

    /// Writes the page about a job that has ended well.
    async fn write_page(
        &self,
        path: &str,
        dataset: &Dataset,
        options: &ForecastOptions,
        report: &ForecastReport,
        runtime: Arc<RuntimeEnv>,
    ) -> Result<(), AppError> {
        let (store, file) = merlion_io::path::output(&runtime, path)?;
        let context = Arc::new(TaskContext::default().with_runtime(runtime));
        let page = report::render(self, dataset, &self.visible_columns(&options.model)?, report, &context).await?;
        let written = store.store.put(&file, page.into_bytes().into()).await;
        written.map(|_| ()).map_err(|error| AppError::Data(format!("--report: cannot write to {path}: {error}")))
    }

    async fn run_on_cluster(
        &self,
        shape: &plan::Shape,
        dataset: &Dataset,
        options: &ForecastOptions,
        outputs: &Outputs,
        config: SessionConfig,
        progress: &Progress,
    ) -> Result<Finished, AppError> {
        let interrupt = interrupted();
        tokio::pin!(interrupt);
        let cluster = tokio::select! {
            cluster = Cluster::connect(self.master.clone(), config, self.credentials.clone(), self.memory_limit) => cluster?,
            exit = &mut interrupt => return Err(AppError::Cancelled { exit }),
        };
        let plan = plan::forecast_plan(&cluster.context().state(), dataset, shape, options, outputs)?;
        let job = Job::submit(&cluster, &plan).await?;
        log::info!("job {} on {}", job.id(), cluster.master());
        progress.stage("forecasting");
        let watch = async {
            loop {
                tokio::time::sleep(progress.interval()).await;
                if let Ok((_, series)) = outputs.forecasts.committer.progress().await {
                    progress.series(series, dataset.series());
                }
            }
        };
        tokio::select! {
            finished = job.wait() => match finished {
                Ok(finished) => Ok(finished),
                Err(JobError::Cancelled) => Err(AppError::Cancelled { exit: 1 }),
                Err(error) => Err(error.into()),
            },
            () = watch => unreachable!("the watch never ends"),
            exit = &mut interrupt => {
                progress.stage("cancelling");
                // The job's tasks write to the staging folder until they have ended; the caller empties it.
                let ended = async {
                    job.cancel().await?;
                    job.wait().await.map(|_| ())
                };
                match tokio::time::timeout(Duration::from_secs(5), ended).await {
                    Ok(Ok(()) | Err(JobError::Cancelled)) | Err(_) => {}
                    Ok(Err(error)) => log::warn!("cancelling: {error}"),
                }
                Err(AppError::Cancelled { exit })
            }
        }
    }

    fn check_times(&self, options: &ForecastOptions, dataset: &Dataset) -> Result<(), AppError> {
        let merlion_udf::options::Horizon::Times(times) = &options.horizon else { return Ok(()) };
        let (Some(last), Some((first_row, last_row))) = (times.iter().max(), dataset.time_range()) else {
            return Ok(());
        };
        if *last < first_row {
            return Err(AppError::Data(format!(
                "--time_stamps: {last} is before the data, which goes from {first_row} to {last_row}"
            )));
        }
        Ok(())
    }

    /// How the output's time column is written.
    fn time_type(&self, dataset: &Dataset) -> TimeType {
        match self.time_type {
            _ if self.is_date_only() => TimeType::Date,
            TimeChoice::Timestamp => TimeType::Timestamp,
            _ => dataset.time_type(),
        }
    }

    /// Whether times are cut to days.
    fn is_date_only(&self) -> bool {
        match self.time_type {
            TimeChoice::Auto => self.compat == Compat::Merlion,
            choice => choice == TimeChoice::Date,
        }
    }
}

/// A folder that is written.
#[derive(Debug)]
struct Output {
    /// The store's URL, as plans know it.
    store: String,
    committer: StagingCommitter,
}

/// The folders that a job writes.
#[derive(Debug)]
struct Outputs {
    forecasts: Output,
    diagnostics: Option<Output>,
}

impl Outputs {
    fn all(&self) -> impl Iterator<Item = &Output> {
        std::iter::once(&self.forecasts).chain(&self.diagnostics)
    }
}

/// Ends with SIGINT or SIGTERM, and says which exit code it stands for.
pub(crate) async fn interrupted() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut term) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => 130,
        _ = term.recv() => 143,
    }
}
