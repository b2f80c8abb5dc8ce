//! Resampling to a regular grid: each grid point stands for the observations since the one before it.

use serde::{Deserialize, Serialize};

use super::{Fitted, Inversion, InversionState, Transform, TransformError, TransformSpec};
use crate::align::{self, AggregationPolicy, AlignOptions, MissingValuePolicy};
use crate::series::TimeSeries;
use crate::time::{Granularity, Offset, Timestamp};

/// Resamples a series to a regular grid, which is found in the training data unless it is given.
///
/// The grid is laid so that the last training observation is on it. Values between observations come from
/// `missing_value_policy`, several observations between two grid points become one by `aggregation_policy`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TemporalResample {
    /// The step of the grid: seconds, or text as [`Offset::from_merlion`] reads it. Found in the training data if absent.
    #[serde(with = "granularity_json")]
    pub granularity: Option<Offset>,
    /// A point of the grid, in seconds since the epoch; by default the last training observation is one.
    #[serde(with = "origin_json")]
    pub origin: Option<Timestamp>,
    /// Whether the grid of a calendar step is the calendar's: first days of months for `MS`, Fridays for `W-FRI`. Periods of which only
    /// a part was seen are left out where their point lies outside of the data. Merlion does not have this: there the grid is moved so
    /// that the last training observation is on it.
    pub on_calendar: bool,
    /// Whether the step is found in the training data even if one is given; by default only if none is given.
    pub trainable_granularity: Option<bool>,
    /// Whether times are left out at which some column has not begun or has ended.
    pub remove_non_overlapping: bool,
    /// What becomes of several observations between two grid points.
    pub aggregation_policy: AggregationPolicy,
    /// The value at a grid point without observations.
    pub missing_value_policy: MissingValuePolicy,
}

impl Default for TemporalResample {
    fn default() -> Self {
        Self {
            granularity: None,
            origin: None,
            on_calendar: false,
            trainable_granularity: None,
            remove_non_overlapping: true,
            aggregation_policy: AggregationPolicy::default(),
            missing_value_policy: MissingValuePolicy::default(),
        }
    }
}

impl Transform for TemporalResample {
    const NAME: &'static str = "TemporalResample";
    const SUMMARY: &'static str = "A regular grid, found in the training data unless it is given";
    type Fitted = FittedTemporalResample;

    /// Finds the grid of a training series, as far as it is not given.
    ///
    /// # Errors
    /// [`TransformError::Series`] when the step is to be found in fewer than two time stamps.
    fn fit(&self, series: &TimeSeries) -> Result<FittedTemporalResample, TransformError> {
        let trainable = self.trainable_granularity.unwrap_or(self.granularity.is_none());
        let step = if trainable { Some(Granularity::infer(&series.times())?.step) } else { self.granularity.clone() };
        let origin = match self.origin {
            Some(origin) if !trainable => Some(origin),
            _ => grid_start(series, step.as_ref()),
        };
        let options = AlignOptions {
            reference: None,
            granularity: step,
            origin,
            on_calendar: self.on_calendar,
            remove_non_overlapping: self.remove_non_overlapping,
            alignment_policy: None,
            aggregation_policy: self.aggregation_policy,
            missing_value_policy: self.missing_value_policy,
        };
        Ok(FittedTemporalResample { options, trainable })
    }
}

/// The first point, not before the series starts, of the grid on which it ends; its start if the step is a calendar's.
fn grid_start(series: &TimeSeries, step: Option<&Offset>) -> Option<Timestamp> {
    let (t0, tf) = (series.t0()?, series.tf()?);
    let rest = match step {
        // In 128 bits, because a span may be longer than the longest duration.
        Some(Offset::Fixed(step)) if *step > 0 => (i128::from(tf.nanos()) - i128::from(t0.nanos())) % i128::from(*step),
        _ => 0,
    };
    t0.checked_add(i64::try_from(rest).ok()?)
}

/// A [`TemporalResample`] that knows its grid.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedTemporalResample {
    options: AlignOptions,
    trainable: bool,
}

impl FittedTemporalResample {
    /// The step of the grid; `None` if it was neither given nor to be found, and series are left as they are.
    #[must_use]
    pub const fn granularity(&self) -> Option<&Offset> {
        self.options.granularity.as_ref()
    }

    /// A point of the grid.
    #[must_use]
    pub const fn origin(&self) -> Option<Timestamp> {
        self.options.origin
    }

    /// The series on the grid. One that is on it already is handed through without a copy.
    ///
    /// # Errors
    /// [`TransformError::Series`] when the grid has too many points or leaves the range of time stamps.
    pub fn apply(&self, series: &TimeSeries) -> Result<TimeSeries, TransformError> {
        if self.options.granularity.is_none() {
            return Ok(series.clone());
        }
        Ok(align::align(series, &self.options)?)
    }

    /// The configuration with what was learned, as Merlion writes a trained transform.
    #[must_use]
    pub fn state(&self) -> TemporalResample {
        TemporalResample {
            granularity: self.options.granularity.clone(),
            origin: self.options.origin,
            on_calendar: self.options.on_calendar,
            trainable_granularity: Some(self.trainable),
            remove_non_overlapping: self.options.remove_non_overlapping,
            aggregation_policy: self.options.aggregation_policy,
            missing_value_policy: self.options.missing_value_policy,
        }
    }
}

impl Fitted for FittedTemporalResample {
    fn inversion(&self) -> Inversion {
        Inversion::NOTHING
    }

    fn spec(&self) -> TransformSpec {
        self.state().into()
    }

    fn grid(&self) -> Option<Granularity> {
        let step = self.options.granularity.clone().filter(|step| self.options.on_calendar && !step.is_fixed())?;
        Some(Granularity::of(step))
    }

    fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError> {
        Ok((self.apply(series)?, InversionState::Nothing))
    }

    fn invert(&self, series: &TimeSeries, _: &InversionState) -> Result<TimeSeries, TransformError> {
        Ok(series.clone())
    }
}

/// A step in Merlion's JSON: seconds if it is a duration, else text.
mod granularity_json {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::time::Offset;

    #[derive(Serialize, Deserialize)]
    #[serde(untagged, expecting = "expected a number of seconds or a string")]
    enum Json {
        Seconds(f64),
        Text(String),
    }

    pub(super) fn serialize<S: Serializer>(step: &Option<Offset>, serializer: S) -> Result<S::Ok, S::Error> {
        let json = step.as_ref().map(|step| match step.fixed_seconds() {
            Some(seconds) => Json::Seconds(seconds),
            None => Json::Text(step.to_string()),
        });
        json.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Offset>, D::Error> {
        let step = match Option::<Json>::deserialize(deserializer)? {
            None => return Ok(None),
            Some(Json::Seconds(seconds)) => Offset::from_seconds(seconds),
            Some(Json::Text(text)) => Offset::from_merlion(&text),
        };
        step.map(Some).map_err(serde::de::Error::custom)
    }
}

/// An instant in Merlion's JSON: seconds since the epoch.
mod origin_json {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::time::Timestamp;

    pub(super) fn serialize<S: Serializer>(origin: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        origin.map(Timestamp::seconds).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        let Some(seconds) = Option::<f64>::deserialize(deserializer)? else { return Ok(None) };
        let origin = Timestamp::from_seconds_f64(seconds);
        origin
            .map(Some)
            .ok_or_else(|| serde::de::Error::custom(format!("{seconds} seconds are outside the range of times")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::{seconds, stamp};

    fn series(times: &[i64], values: &[f64]) -> TimeSeries {
        TimeSeries::from_columns(seconds(times), vec![("y".to_owned(), values.to_vec())]).unwrap()
    }

    #[test]
    fn the_grid_of_the_training_data_ends_with_them_and_goes_on_after_them() {
        let train = series(&[1, 11, 21, 33, 43], &[1., 2., 3., 4., 5.]);
        let fitted = TemporalResample::default().fit(&train).unwrap();
        assert_eq!(
            (fitted.granularity(), fitted.origin()),
            (Some(&Offset::Fixed(10_000_000_000)), seconds(&[3]).first().copied())
        );
        let resampled = fitted.apply(&train).unwrap();
        assert_eq!(resampled.times().as_ref(), seconds(&[3, 13, 23, 33, 43]));
        let later = fitted.apply(&series(&[50, 63], &[6., 8.])).unwrap();
        assert_eq!(later.times().as_ref(), seconds(&[53, 63]), "new data fall on the grid of the training data");
    }

    #[test]
    fn a_given_step_is_kept_unless_it_is_to_be_learned() {
        let train = series(&[0, 10, 20, 30], &[1., 2., 3., 4.]);
        let given = TemporalResample { granularity: Some(Offset::Fixed(20_000_000_000)), ..Default::default() };
        assert_eq!(given.fit(&train).unwrap().apply(&train).unwrap().len(), 2);
        let learned = TemporalResample { trainable_granularity: Some(true), ..given };
        assert_eq!(learned.fit(&train).unwrap().apply(&train).unwrap().len(), 4);
        let neither = TemporalResample { trainable_granularity: Some(false), ..Default::default() };
        assert_eq!(neither.fit(&train).unwrap().apply(&train), Ok(train));
    }

    #[test]
    fn the_state_of_a_fitted_transform_is_a_configuration_that_gives_the_same_grid() {
        let train = series(&[1, 11, 21, 33, 43], &[1., 2., 3., 4., 5.]);
        let fitted = TemporalResample::default().fit(&train).unwrap();
        assert_eq!(fitted.state().fit(&train), Ok(fitted));
    }

    #[test]
    fn one_observation_has_no_step() {
        let error = TemporalResample::default().fit(&series(&[5], &[1.])).unwrap_err();
        assert_eq!(error.to_string(), "need at least 2 time stamps to infer the sampling step, got 1");
    }

    #[test]
    fn weekly_series_on_their_grid_are_cheap() {
        // A guard against accidental work on the usual path, not a benchmark: 20,000 weekly series of 150 points.
        let times: Vec<Timestamp> =
            Offset::parse("W-FRI").unwrap().range(stamp("2010-02-05"), stamp("2012-12-14")).unwrap();
        assert_eq!(times.len(), 150);
        let weekly = TimeSeries::from_columns(times, vec![("y".to_owned(), vec![1.0; 150])]).unwrap();
        let start = std::time::Instant::now();
        for _ in 0..20_000 {
            let resampled = TemporalResample::default().fit(&weekly).unwrap().apply(&weekly).unwrap();
            assert_eq!(resampled.univariates()[0].values().as_ptr(), weekly.univariates()[0].values().as_ptr());
        }
        let taken = start.elapsed().as_secs_f64();
        eprintln!("20,000 series of 150 points: {taken:.3} s");
        assert!(taken < 2.0, "20,000 series took {taken:.3} s");
    }
}
