//! The rows of `forecast`: one list of structs per series.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, Float64Builder, Int32Builder, ListArray, StringBuilder, StructArray, TimestampNanosecondBuilder,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use datafusion_common::Result;
use merlion::time::Timestamp;

static INTERVAL_FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    Fields::from(vec![
        Field::new("level", DataType::Float64, false),
        Field::new("lower", DataType::Float64, false),
        Field::new("upper", DataType::Float64, false),
    ])
});

static FORECAST_FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    Fields::from(vec![
        Field::new("ds", DataType::Timestamp(TimeUnit::Nanosecond, None), true),
        Field::new("yhat", DataType::Float64, true),
        Field::new("stderr", DataType::Float64, true),
        Field::new("intervals", intervals_type(), true),
        Field::new("step", DataType::Int32, false),
        Field::new("model", DataType::Utf8, false),
        Field::new("status", DataType::Utf8, false),
        Field::new("error", DataType::Utf8, true),
        Field::new("details", DataType::Utf8, true),
    ])
});

/// The type of a forecast's prediction intervals.
pub(crate) fn intervals_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Struct(INTERVAL_FIELDS.clone()), false)))
}

/// The element of the list that `forecast` returns. It never depends on an option's value.
#[must_use]
pub fn forecast_element() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Struct(FORECAST_FIELDS.clone()), true))
}

/// What `forecast` returns for each series.
#[must_use]
pub fn forecast_type() -> DataType {
    DataType::List(forecast_element())
}

/// One forecast row.
#[derive(Debug, Clone, Default)]
pub(crate) struct ForecastRow<'a> {
    pub(crate) ds: Option<Timestamp>,
    pub(crate) yhat: Option<f64>,
    pub(crate) stderr: Option<f64>,
    /// (level, lower, upper)
    pub(crate) intervals: &'a [(f64, f64, f64)],
    /// Steps after the training data: 1 is the first forecast; 0 and below are training rows.
    pub(crate) step: i32,
    pub(crate) model: &'a str,
    pub(crate) status: &'a str,
    pub(crate) error: Option<&'a str>,
    /// The fit as JSON, in the first row of a series, if the options ask for it.
    pub(crate) details: Option<&'a str>,
}

/// Builds the list array, series after series.
#[derive(Debug)]
pub(crate) struct ForecastRows {
    offsets: Vec<i32>,
    ds: TimestampNanosecondBuilder,
    yhat: Float64Builder,
    stderr: Float64Builder,
    interval_offsets: Vec<i32>,
    level: Float64Builder,
    lower: Float64Builder,
    upper: Float64Builder,
    step: Int32Builder,
    model: StringBuilder,
    status: StringBuilder,
    error: StringBuilder,
    details: StringBuilder,
    rows: i32,
}

impl ForecastRows {
    pub(crate) fn new() -> Self {
        Self {
            offsets: vec![0],
            ds: TimestampNanosecondBuilder::new(),
            yhat: Float64Builder::new(),
            stderr: Float64Builder::new(),
            interval_offsets: vec![0],
            level: Float64Builder::new(),
            lower: Float64Builder::new(),
            upper: Float64Builder::new(),
            step: Int32Builder::new(),
            model: StringBuilder::new(),
            status: StringBuilder::new(),
            error: StringBuilder::new(),
            details: StringBuilder::new(),
            rows: 0,
        }
    }

    pub(crate) fn push(&mut self, row: &ForecastRow<'_>) {
        self.ds.append_option(row.ds.map(Timestamp::nanos));
        self.yhat.append_option(row.yhat);
        self.stderr.append_option(row.stderr);
        for &(level, lower, upper) in row.intervals {
            self.level.append_value(level);
            self.lower.append_value(lower);
            self.upper.append_value(upper);
        }
        let last = self.interval_offsets.last().copied().unwrap_or(0);
        self.interval_offsets.push(last + i32::try_from(row.intervals.len()).unwrap_or(0));
        self.step.append_value(row.step);
        self.model.append_value(row.model);
        self.status.append_value(row.status);
        self.error.append_option(row.error);
        self.details.append_option(row.details);
        self.rows += 1;
    }

    /// Closes the list of one series.
    pub(crate) fn end_series(&mut self) {
        self.offsets.push(self.rows);
    }

    pub(crate) fn finish(mut self) -> Result<ArrayRef> {
        let interval_values = StructArray::try_new(
            INTERVAL_FIELDS.clone(),
            vec![Arc::new(self.level.finish()), Arc::new(self.lower.finish()), Arc::new(self.upper.finish())],
            None,
        )?;
        let intervals = ListArray::try_new(
            Arc::new(Field::new_list_field(DataType::Struct(INTERVAL_FIELDS.clone()), false)),
            OffsetBuffer::new(self.interval_offsets.into()),
            Arc::new(interval_values),
            None,
        )?;
        let values = StructArray::try_new(
            FORECAST_FIELDS.clone(),
            vec![
                Arc::new(self.ds.finish()),
                Arc::new(self.yhat.finish()),
                Arc::new(self.stderr.finish()),
                Arc::new(intervals),
                Arc::new(self.step.finish()),
                Arc::new(self.model.finish()),
                Arc::new(self.status.finish()),
                Arc::new(self.error.finish()),
                Arc::new(self.details.finish()),
            ],
            None,
        )?;
        let list =
            ListArray::try_new(forecast_element(), OffsetBuffer::new(self.offsets.into()), Arc::new(values), None)?;
        Ok(Arc::new(list))
    }
}
