//! `forecast_by('table', 'ds', 'y', 'keys', {options})`: the aggregate `forecast` as a table, for those who would rather not write
//! GROUP BY and `unnest`. It takes literals only and becomes the aggregate's plan while the query is planned, so that nothing of it
//! has to travel.

use std::sync::Arc;

use datafusion::catalog::{Session, TableFunction, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Column, DFSchema, Result, ScalarValue, TableReference, internal_datafusion_err, plan_err};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::execution::SessionState;
use datafusion::functions::core::expr_fn::{get_field, named_struct};
use datafusion::logical_expr::{AggregateUDF, Expr, LogicalPlan, LogicalPlanBuilder, lit};
use futures::FutureExt;
use merlion::models::Catalog;
use merlion::nearest::nearest;
use merlion_udf::forecast_element;
use merlion_udf::options::{ForecastOptions, literal_to_json};

/// The name in SQL.
pub const NAME: &str = "forecast_by";

/// How it is called.
pub const SYNTAX: &str = "forecast_by(table, ds, y [, keys [, options]])";

/// What it does.
pub const SUMMARY: &str = "The forecasts of every series of a table as rows: the keys, then ds, yhat, stderr, intervals, step, model, \
                           status and error.";

/// An example.
pub const EXAMPLE: &str = "SELECT * FROM forecast_by('sales', 'ds', 'y', 'store, dept', {model: 'AutoETS', horizon: 28})\n\
                           ORDER BY store, dept, ds;";

/// Its arguments, each with what it is.
pub const ARGUMENTS: [(&str, &str); 5] = [
    ("table", "the name of a table or view, or the path of a file, as text"),
    ("ds", "the column with the time, as text"),
    ("y", "the column to forecast, as text"),
    ("keys", "the columns that tell the series apart, as text with commas between them; '' for one series"),
    ("options", "the options of forecast: a struct {…} or JSON text"),
];

/// The function as DataFusion registers it.
pub(crate) fn forecast_by(catalog: Arc<Catalog>, forecast: Arc<AggregateUDF>) -> Arc<TableFunction> {
    Arc::new(TableFunction::new(NAME.to_owned(), Arc::new(ForecastBy { catalog, forecast })))
}

#[derive(Debug)]
struct ForecastBy {
    catalog: Arc<Catalog>,
    forecast: Arc<AggregateUDF>,
}

impl TableFunctionImpl for ForecastBy {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let exprs = args.exprs();
        if !(3..=5).contains(&exprs.len()) {
            return plan_err!("{NAME} takes (table, ds, y [, keys [, options]]), got {} arguments", exprs.len());
        }
        let table = text("table", &exprs[0])?;
        let (ds, y) = (text("ds", &exprs[1])?, text("y", &exprs[2])?);
        let keys = exprs.get(3).map_or(Ok(Vec::new()), |keys| names("keys", keys))?;
        let options = self.options(exprs.get(4))?;
        let (reference, provider) = look_up(args.session(), table)?;
        let source = LogicalPlanBuilder::scan(reference, provider_as_source(provider), None)?.build()?;
        let call = Call {
            ds: column("ds", ds, table, source.schema())?,
            y: column("y", y, table, source.schema())?,
            keys: keys.iter().map(|key| column("keys", key, table, source.schema())).collect::<Result<_>>()?,
            options,
        };
        Ok(Arc::new(ViewTable::new(call.plan(source, &self.forecast)?, None)))
    }
}

impl ForecastBy {
    /// The options, checked, as the literal that ships.
    fn options(&self, expr: Option<&Expr>) -> Result<Expr> {
        let json = match expr {
            None => serde_json::json!({}),
            Some(Expr::Literal(literal, _)) => match literal_to_json(literal) {
                Ok(json) => json,
                Err(error) => return plan_err!("{NAME}: options: {error}"),
            },
            Some(other) => return plan_err!("{NAME}: options: one literal, not {other}"),
        };
        match ForecastOptions::from_json(&json, &self.catalog) {
            Ok(options) => Ok(lit(options.to_json().to_string())),
            Err(error) => plan_err!("{NAME}: options: {error}"),
        }
    }
}

/// A call, understood.
struct Call {
    ds: Column,
    y: Column,
    keys: Vec<Column>,
    options: Expr,
}

impl Call {
    /// `SELECT keys, unnest(forecast(ds, y, options, {keys})) FROM source GROUP BY keys`, the struct taken apart.
    fn plan(self, source: LogicalPlan, forecast: &Arc<AggregateUDF>) -> Result<LogicalPlan> {
        const ROWS: &str = "forecast";
        let element = forecast_element();
        let datafusion::arrow::datatypes::DataType::Struct(fields) = element.data_type() else {
            return Err(internal_datafusion_err!("forecast returns a list of {}", element.data_type()));
        };
        for (position, key) in self.keys.iter().enumerate() {
            if fields.find(&key.name).is_some() || key.name == ROWS {
                return plan_err!("{NAME}: keys: '{}' is also a column of the result; rename it in a view", key.name);
            }
            if self.keys[..position].contains(key) {
                return plan_err!("{NAME}: keys: '{}' is there twice", key.name);
            }
        }
        let mut args = vec![Expr::Column(self.ds), Expr::Column(self.y), self.options];
        if !self.keys.is_empty() {
            let pairs = self.keys.iter().flat_map(|key| [lit(key.name.clone()), Expr::Column(key.clone())]);
            args.push(named_struct(pairs.collect()));
        }
        let keys: Vec<Expr> = self.keys.into_iter().map(Expr::Column).collect();
        let rows = get_rows(ROWS);
        let columns: Vec<Expr> = keys
            .iter()
            .cloned()
            .chain(fields.iter().map(|field| get_field(rows.clone(), field.name().as_str()).alias(field.name())))
            .collect();
        LogicalPlanBuilder::new(source)
            .aggregate(keys.clone(), [forecast.call(args).alias(ROWS)])?
            .project(keys.into_iter().chain([rows]))?
            .unnest_column(Column::new_unqualified(ROWS))?
            .project(columns)?
            .build()
    }
}

fn get_rows(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

fn text<'a>(argument: &str, expr: &'a Expr) -> Result<&'a str> {
    match expr {
        Expr::Literal(
            ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) | ScalarValue::Utf8View(Some(text)),
            _,
        ) => Ok(text),
        other => plan_err!("{NAME}: {argument}: a name in single quotes, not {other}"),
    }
}

/// Names with commas between them; one with a comma in it stands in double quotes.
fn names(argument: &str, expr: &Expr) -> Result<Vec<String>> {
    let text = text(argument, expr)?;
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let (mut names, mut name, mut quoted) = (Vec::new(), String::new(), false);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => names.push(std::mem::take(&mut name)),
            _ => name.push(letter),
        }
    }
    names.push(name);
    let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
    if quoted || names.iter().any(String::is_empty) {
        return plan_err!("{NAME}: {argument}: '{text}' is not a list of column names");
    }
    Ok(names)
}

/// The column of that name, or of that name in another case if there is only one.
fn column(argument: &str, name: &str, table: &str, schema: &DFSchema) -> Result<Column> {
    let name = name.trim().trim_matches('"');
    let found: Vec<Column> = schema.columns().into_iter().filter(|column| column.name == name).collect();
    let found = match found.len() {
        0 => schema.columns().into_iter().filter(|column| column.name.eq_ignore_ascii_case(name)).collect(),
        _ => found,
    };
    match found.as_slice() {
        [column] => Ok(column.clone()),
        [] => {
            let names: Vec<String> = schema.columns().into_iter().map(|column| column.name).collect();
            let meant = nearest(name, names.iter().map(String::as_str));
            let meant = meant.map(|near| format!(", did you mean '{near}'?")).unwrap_or_default();
            plan_err!(
                "{NAME}: {argument}: no column '{name}' in '{table}'{meant}; the columns are {}",
                names.join(", ")
            )
        }
        several => plan_err!(
            "{NAME}: {argument}: '{name}' could be any of {}",
            several.iter().map(|column| format!("'{}'", column.name)).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// Finds a table, a view or, in sessions that read files by their path, a file.
fn look_up(session: &dyn Session, name: &str) -> Result<(TableReference, Arc<dyn TableProvider>)> {
    let Some(state) = session.as_any().downcast_ref::<SessionState>() else {
        return plan_err!("{NAME}: this session cannot look up tables");
    };
    let mut tried = Vec::new();
    for reference in [TableReference::parse_str(name), TableReference::bare(name)] {
        if tried.contains(&reference) {
            continue;
        }
        // A path with dots in it reads like a table in a schema that does not exist.
        if let Ok(schema) = state.schema_for_ref(reference.clone())
            && let Some(table) = wait(schema.table(reference.table()))??
        {
            return Ok((reference, table));
        }
        tried.push(reference);
    }
    let tables = state.schema_for_ref(TableReference::bare(name)).map(|schema| schema.table_names())?;
    let meant = nearest(name, tables.iter().map(String::as_str));
    let meant = meant.map(|near| format!(", did you mean '{near}'?")).unwrap_or_default();
    plan_err!("{NAME}: table: no table, view or file '{name}'{meant}")
}

/// What a future answers, in a place that cannot await. Tables in memory answer at once; files are looked at.
fn wait<T>(future: impl Future<Output = T>) -> Result<T> {
    let mut future = std::pin::pin!(future);
    if let Some(answer) = future.as_mut().now_or_never() {
        return Ok(answer);
    }
    match tokio::runtime::Handle::try_current() {
        Ok(handle) if handle.runtime_flavor() == tokio::runtime::RuntimeFlavor::MultiThread => {
            Ok(tokio::task::block_in_place(|| handle.block_on(future)))
        }
        _ => plan_err!("{NAME}: table: a file can only be looked at on several threads; make it a table first"),
    }
}
