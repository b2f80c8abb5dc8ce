#![doc = include_str!("../README.md")]

mod axis;
mod calendar;
mod chart;
mod escape;
mod forecast_report;
mod number;
mod page;

pub use forecast_report::{
    Failure, ForecastReport, Interval, KeyColumn, ModelCount, Outcome, Point, SeriesPanel, Totals,
};
