//! The forecast job, free of flags: what it is, and how it runs from the table to the committed output.

mod plan;

use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::displayable;
use datafusion::prelude::SessionConfig;
pub use merlion::models::Compat;
use merlion::models::ModelSpec;
use merlion_io::dataset::{Dataset, DatasetRequest, TimeType};
use merlion_io::write::{CommitReport, Committer, StagingCommitter};
use merlion_session::cluster::Cluster;
use merlion_session::job::{Finished, Job, JobError};
use merlion_session::master::Master;
use merlion_session::stores::Credentials;
use merlion_session::{MerlionConfig, catalog, runtime_env, session_config, session_state};
use merlion_udf::options::{ForecastOptions, Horizon, OptionsError};
use merlion_udf::{STATUS_FAILED, STATUS_FALLBACK};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::AppError;
use crate::progress::Progress;

/// A forecast of every series of a table.
#[derive(Debug, Clone)]
pub struct ForecastJob {
    /// The table.
    pub train_data: String,
    /// The folder for the forecasts.
    pub output_path: String,
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
    /// The times to forecast, as JSON.
    pub time_stamps: Vec<Value>,
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
        let mut json = json!({
            "model": model.to_json(),
            "time_stamps": self.time_stamps,
            "seed": self.seed,
            "predict_on_train": self.predict_on_train,
        });
        if self.compat == Compat::Merlion {
            json["compat"] = "merlion".into();
        }
        ForecastOptions::from_json(&json, &catalog()).map_err(|error| {
            let flag = if matches!(error, OptionsError::Model(_)) { "--model" } else { "--time_stamps" };
            AppError::Usage(format!("{flag}: {error}"))
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
            time_col: self.time_col.clone(),
            index_cols: self.index_cols.clone(),
            data_cols: self.data_cols.clone(),
            date_only: self.compat == Compat::Merlion,
            time_zone: self.settings.time_zone.clone(),
        };
        let visible = self.visible_columns(&options.model)?;
        self.check_columns(options, visible.len())?;
        let dataset = Dataset::open(runtime, &request).await?.with_data_columns(&visible)?;
        self.check_times(options, &dataset)?;
        Ok(dataset)
    }

    fn committer(&self, runtime: &RuntimeEnv, shape: &plan::Shape) -> Result<(StagingCommitter, String), AppError> {
        let (store, output) = merlion_io::path::output(runtime, &self.output_path)?;
        let output = (store.store, output);
        Ok((StagingCommitter::new(output, &self.output_path, Uuid::new_v4(), "csv", shape.header()?), store.url))
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
        let shape = plan::Shape::new(self, &dataset);
        let (committer, store) = self.committer(&runtime, &shape)?;
        let state = session_state(config, runtime)?;
        let plan = plan::forecast_plan(&state, &dataset, &shape, &options, &store, &committer)?;
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
        let shape = plan::Shape::new(self, &dataset);
        let (committer, store) = self.committer(&runtime, &shape)?;
        committer.begin().await?;
        let outcome = self.run_on_cluster(&shape, &dataset, &options, &store, &committer, config, progress).await;
        let committed = match outcome {
            // Interrupting a commit would leave half of each output.
            Ok(finished) => committer.commit(usize::try_from(finished.rows).ok()).await?,
            Err(error) => {
                if let Err(untidy) = committer.abort().await {
                    log::warn!("staging folder left behind: {untidy}");
                }
                return Err(error);
            }
        };
        progress.done();
        Ok(ForecastReport {
            series_in: dataset.series(),
            series_counted: dataset.series_is_exact(),
            committed,
            elapsed: start.elapsed(),
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the stations of one run, in the order they are passed")]
    async fn run_on_cluster(
        &self,
        shape: &plan::Shape,
        dataset: &Dataset,
        options: &ForecastOptions,
        store: &str,
        committer: &StagingCommitter,
        config: SessionConfig,
        progress: &Progress,
    ) -> Result<Finished, AppError> {
        let interrupt = interrupted();
        tokio::pin!(interrupt);
        let cluster = tokio::select! {
            cluster = Cluster::connect(self.master.clone(), config, self.credentials.clone(), self.memory_limit) => cluster?,
            exit = &mut interrupt => return Err(AppError::Cancelled { exit }),
        };
        let plan = plan::forecast_plan(&cluster.context().state(), dataset, shape, options, store, committer)?;
        let job = Job::submit(&cluster, &plan).await?;
        log::info!("job {} on {}", job.id(), cluster.master());
        progress.stage("forecasting");
        let watch = async {
            loop {
                tokio::time::sleep(progress.interval()).await;
                if let Ok((_, series)) = committer.progress().await {
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
        let Horizon::Times(times) = &options.horizon else { return Ok(()) };
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
        match self.compat {
            Compat::Merlion => TimeType::Date,
            Compat::None => dataset.time_type(),
        }
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
