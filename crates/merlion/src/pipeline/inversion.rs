//! Carrying a model's answers back through the transform of its data.
//!
//! Point forecasts are inverted as they are. Of a standard error, the two values one standard error away are inverted, and half their
//! distance is the new one, as in Merlion. Both bounds of an interval are inverted. A transform that adds up (differences) adds up
//! these bounds too, which takes all steps to err in the same direction: wide rather than narrow.

use crate::models::{Compat, Forecast, InSample, ModelError};
use crate::series::{TimeSeries, Univariate};
use crate::time::Timestamp;
use crate::transform::{FittedTransform, HistoryEnd, InversionState, TransformError};

/// Whether answers are to be carried back: as the user says, or if that is properly possible; and only if it changes anything.
pub(super) fn is_wanted(transform: &FittedTransform, setting: Option<bool>) -> bool {
    let inversion = transform.inversion();
    setting.unwrap_or(inversion.proper) && !inversion.identity
}

/// The way back from what a model sees to what the user sees.
#[derive(Debug)]
pub(super) struct Inversion {
    transform: FittedTransform,
    /// The transformed column that is forecast.
    column: String,
    context: Context,
}

/// What a forecast continues.
#[derive(Debug)]
enum Context {
    /// The training data's end.
    End(HistoryEnd),
    /// Their start, as in Merlion.
    Start(InversionState),
}

impl Inversion {
    /// The way back through a transform, for forecasts of one of its columns that follow what a series has up to `last`.
    ///
    /// # Errors
    /// [`ModelError::Transform`] if there is none.
    pub(super) fn new(
        transform: FittedTransform,
        series: &TimeSeries,
        column: &str,
        last: Timestamp,
        compat: Compat,
    ) -> Result<Self, ModelError> {
        let context = match compat {
            // A model of several columns is trained as far as all of them go.
            Compat::None => Context::End(transform.end_of(&series.bisect(last, true).0)?),
            Compat::Merlion => Context::Start(transform.apply_with_state(series)?.1),
        };
        let inversion = Self { transform, column: column.to_owned(), context };
        // Whether the column can be carried back is better known before the model is trained.
        inversion.carry(&[], &[], |transformed| inversion.continued(transformed))?;
        Ok(inversion)
    }

    /// Carries back forecasts at `times`.
    pub(super) fn forecast(&self, times: &[Timestamp], forecast: &mut Forecast) -> Result<(), ModelError> {
        let back = |values: &[f64]| self.carry(times, values, |transformed| self.continued(transformed));
        forecast.stderr = forecast.stderr.take().map(|stderr| spread(&forecast.mean, &stderr, back)).transpose()?;
        forecast.mean = back(&forecast.mean)?;
        for interval in &mut forecast.intervals {
            (interval.lower, interval.upper) = in_order(&back(&interval.lower)?, &back(&interval.upper)?);
        }
        Ok(())
    }

    /// Carries back one-step predictions of the training series at `times`.
    pub(super) fn in_sample(
        &self,
        series: &TimeSeries,
        times: &[Timestamp],
        in_sample: InSample,
    ) -> Result<InSample, ModelError> {
        let back = |values: &[f64]| {
            self.carry(times, values, |predictions| match &self.context {
                Context::End(_) => self.transform.invert_one_step(predictions, series),
                Context::Start(state) => self.transform.invert_as_merlion(predictions, state),
            })
        };
        let stderr = in_sample.stderr.map(|stderr| spread(&in_sample.mean, &stderr, back)).transpose()?;
        Ok(InSample { mean: back(&in_sample.mean)?, stderr })
    }

    fn continued(&self, transformed: &TimeSeries) -> Result<TimeSeries, TransformError> {
        match &self.context {
            Context::End(end) => self.transform.invert_forecast(end, transformed),
            Context::Start(state) => self.transform.invert_as_merlion(transformed, state),
        }
    }

    /// The values carried back, at the same times: the inverse may have more of them (Merlion's has the start of the context).
    fn carry(
        &self,
        times: &[Timestamp],
        values: &[f64],
        invert: impl Fn(&TimeSeries) -> Result<TimeSeries, TransformError>,
    ) -> Result<Vec<f64>, ModelError> {
        let column = Univariate::new(&self.column, times.to_vec(), values.to_vec())?;
        let inverted = invert(&TimeSeries::from_univariates(vec![column])?)?;
        let [inverted, ..] = inverted.univariates() else { return Err(ModelError::Empty) };
        let at = |t| inverted.times().binary_search(t).map_or(f64::NAN, |position| inverted.values()[position]);
        Ok(times.iter().map(at).collect())
    }
}

/// Half the distance between what becomes of the values one standard error above and below.
fn spread(
    mean: &[f64],
    stderr: &[f64],
    back: impl Fn(&[f64]) -> Result<Vec<f64>, ModelError>,
) -> Result<Vec<f64>, ModelError> {
    let bound = |sign: f64| -> Vec<f64> { mean.iter().zip(stderr).map(|(m, s)| m + sign * s.abs()).collect() };
    let (lower, upper) = (back(&bound(-1.0))?, back(&bound(1.0))?);
    Ok(lower.iter().zip(&upper).map(|(lower, upper)| (upper - lower).abs() / 2.0).collect())
}

/// Bounds of which the lower is below: a transform may turn the scale around.
fn in_order(a: &[f64], b: &[f64]) -> (Vec<f64>, Vec<f64>) {
    a.iter().zip(b).map(|(a, b)| if a > b { (*b, *a) } else { (*a, *b) }).unzip()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::models::{Catalog, Compat, FitContext, ModelError, ModelSpec};
    use crate::pipeline::{FittedForecastPipeline, Target, TimedForecast};
    use crate::series::TimeSeries;
    use crate::time::Timestamp;

    fn daily(values: impl IntoIterator<Item = f64>) -> TimeSeries {
        let values: Vec<f64> = values.into_iter().collect();
        let times = (0..).map(|day| Timestamp::from_seconds(86_400 * day).unwrap()).take(values.len()).collect();
        TimeSeries::from_columns(times, vec![("y".to_owned(), values)]).unwrap()
    }

    fn fit(model: &Value, series: &TimeSeries, compat: Compat) -> Result<FittedForecastPipeline, ModelError> {
        ModelSpec::from_json(model)?.build(&Catalog::default(), compat)?.fit(series, &FitContext::default())
    }

    fn forecast(model: &Value, series: &TimeSeries, compat: Compat) -> TimedForecast {
        fit(model, series, compat).unwrap().forecast(Target::Steps(6), &[95.0]).unwrap()
    }

    fn close(got: &[f64], expected: &[f64]) {
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
        assert!(got.len() == expected.len() && got.iter().zip(expected).all(near), "{got:?}\nexpected {expected:?}");
    }

    #[test]
    fn differences_go_on_from_the_end_of_the_training_data() {
        let line = daily((0..20).map(|t| 100.0 - 2.5 * f64::from(t)));
        for model in ["Drift", "Naive", "HistoricAverage"] {
            let model = json!({"name": model, "transform": "DifferenceTransform"});
            close(&forecast(&model, &line, Compat::None).forecast.mean, &[50.0, 47.5, 45.0, 42.5, 40.0, 37.5]);
            // Merlion adds them to the first value instead (W-21).
            let merlion = forecast(&model, &line, Compat::Merlion).forecast.mean;
            close(&merlion, &[97.5, 95.0, 92.5, 90.0, 87.5, 85.0]);
        }
    }

    #[test]
    fn lags_go_on_with_the_last_season() {
        let seasonal = daily((0..24).map(|t| [10.0, 20.0, 5.0, 7.0][t % 4] + t as f64));
        for pad in [false, true] {
            let model = json!({"name": "Naive", "transform": {"name": "LagTransform", "k": 4, "pad": pad}});
            close(&forecast(&model, &seasonal, Compat::None).forecast.mean, &[34.0, 45.0, 31.0, 34.0, 38.0, 49.0]);
        }
        let model = json!({"name": "Naive", "transform": {"name": "LagTransform", "k": 4}});
        close(&forecast(&model, &seasonal, Compat::Merlion).forecast.mean, &[14.0, 25.0, 11.0, 14.0, 18.0, 29.0]);
    }

    #[test]
    fn averages_go_on_with_what_they_averaged() {
        let line = || (0..30).map(|t| 3.0 * f64::from(t));
        for transform in [
            json!({"name": "MovingAverage", "weights": [0.1, 0.2, 0.7]}),
            json!({"name": "ExponentialMovingAverage", "alpha": 0.6, "normalize": false}),
            json!({"name": "TransformSequence", "transforms": [
                {"name": "MovingAverage", "n_steps": 2}, "DifferenceTransform", "MeanVarNormalize",
            ]}),
        ] {
            // Smoothed over long, the averages of a line are a line again.
            let model = json!({"name": "Naive", "transform": {"name": "TransformSequence", "transforms": [
                transform, "DifferenceTransform",
            ]}});
            let expected: Vec<f64> = (30..36).map(|t| 3.0 * f64::from(t)).collect();
            let got = forecast(&model, &daily(line()), Compat::None).forecast.mean;
            let near = got.iter().zip(&expected).all(|(got, expected)| (got - expected).abs() < 1e-6);
            assert!(near, "{model}: {got:?}, expected {expected:?}");
        }
    }

    #[test]
    fn logarithms_and_powers_forecast_positive_numbers_between_their_bounds() {
        let growing = daily((0..30_u32).map(|t| 2.0 * 1.2_f64.powi(t as i32) * if t % 2 == 0 { 1.3 } else { 0.7 }));
        for lambda in [json!(0), json!(null), json!(0.3)] {
            let transform = json!({"name": "BoxCoxTransform", "lmbda": lambda});
            let model = json!({"name": "Drift", "transform": transform});
            let forecast = forecast(&model, &growing, Compat::None).forecast;
            let interval = &forecast.intervals[0];
            for (h, mean) in forecast.mean.iter().enumerate() {
                let (lower, upper) = (interval.lower[h], interval.upper[h]);
                assert!(0.0 <= lower && lower < *mean && *mean < upper, "{lambda}: {lower} to {upper} around {mean}");
                assert!(upper - mean > mean - lower, "{lambda}: the wider side is the upper one");
            }
        }
        let exact = daily((0..12).map(|t| 3.0 * 2.0_f64.powi(t)));
        let model = json!({"name": "Drift", "transform": {"name": "BoxCoxTransform", "lmbda": 0}});
        let expected: Vec<f64> = (12..18).map(|t| 3.0 * 2.0_f64.powi(t)).collect();
        close(&forecast(&model, &exact, Compat::None).forecast.mean, &expected);
    }

    #[test]
    fn errors_and_bounds_are_those_of_the_untransformed_model_where_that_is_the_same() {
        let series = daily((0..40).map(|t| f64::from(t) + f64::from(t * t % 7)));
        let plain = forecast(&json!({"name": "Drift"}), &series, Compat::None).forecast;
        for transform in [
            json!({"name": "Rescale", "bias": 5, "scale": -0.25}),
            json!("MeanVarNormalize"),
            json!({"name": "TransformSequence", "transforms": ["TemporalResample", "MinMaxNormalize"]}),
        ] {
            for compat in [Compat::None, Compat::Merlion] {
                let model = json!({"name": "Drift", "transform": transform});
                let carried = forecast(&model, &series, compat).forecast;
                close(&carried.mean, &plain.mean);
                close(carried.stderr.as_ref().unwrap(), plain.stderr.as_ref().unwrap());
                close(&carried.intervals[0].lower, &plain.intervals[0].lower);
                close(&carried.intervals[0].upper, &plain.intervals[0].upper);
                let fitted = [fit(&model, &series, compat), fit(&json!({"name": "Drift"}), &series, compat)];
                let [carried, plain] = fitted.map(|fitted| fitted.unwrap().in_sample().1);
                close(&carried.mean, &plain.mean);
            }
        }
    }

    #[test]
    fn one_of_several_columns_is_carried_back_by_itself_from_where_training_ended() {
        let line = |name: &str, step: f64, length: usize| {
            let values = (0..).map(|t| step * f64::from(t)).take(length);
            daily(values).rename(&[name]).unwrap()
        };
        // Forecasts begin after the tenth day, where `b` ends, although `a` goes on to the twelfth.
        let series = line("a", 2.0, 12).beside(&line("b", 5.0, 10)).unwrap();
        for transform in [json!(["DifferenceTransform"]), json!(["DifferenceTransform", "MinMaxNormalize"])] {
            for (target, expected) in [(0, [20.0, 22.0]), (1, [50.0, 55.0])] {
                let transform = json!({"name": "TransformSequence", "transforms": transform});
                let model = json!({"name": "Naive", "target_seq_index": target, "transform": transform});
                close(&forecast(&model, &series, Compat::None).forecast.mean[..2], &expected);
            }
        }
    }

    #[test]
    fn one_step_predictions_go_on_from_the_value_before() {
        let series = daily([1.0, 4.0, 5.0, 9.0, 11.0]);
        let model = json!({"name": "HistoricAverage", "transform": "DifferenceTransform"});
        let fitted = fit(&model, &series, Compat::None).unwrap();
        let (times, in_sample) = fitted.in_sample();
        assert_eq!(times.len(), 4);
        close(&in_sample.mean, &[3.5, 6.5, 7.5, 11.5]);
        let merlion = fit(&model, &series, Compat::Merlion).unwrap().in_sample().1;
        close(&merlion.mean, &[3.5, 6.0, 8.5, 11.0]);
    }

    #[test]
    fn the_setting_decides_unless_nothing_would_change() {
        let series = daily((0..20).map(f64::from));
        let last = |transform: &Value, invert: Value| {
            let model = json!({"name": "Naive", "transform": transform, "invert_transform": invert});
            forecast(&model, &series, Compat::None).forecast.mean[0]
        };
        let rescale = json!({"name": "Rescale", "bias": 10});
        let clipped =
            json!({"name": "TransformSequence", "transforms": [{"name": "LowerUpperClip", "upper": 15}, rescale]});
        assert_eq!(last(&rescale, json!(null)), 19.0);
        assert_eq!(last(&rescale, json!(false)), 9.0);
        assert_eq!(last(&clipped, json!(null)), 5.0, "a clip in the sequence turns inversion off");
        assert_eq!(last(&clipped, json!(true)), 15.0);
        assert_eq!(last(&json!({"name": "LowerUpperClip", "upper": 15}), json!(true)), 15.0);
    }

    #[test]
    fn a_column_that_cannot_be_carried_back_is_refused_before_training() {
        let series = daily((0..20).map(f64::from));
        for (transform, message) in [
            (json!({"name": "Shingle", "size": 3}), "Shingle cannot be inverted: 'y_0' are values of earlier steps"),
            (
                json!({"name": "TransformStack", "transforms": ["AbsVal", "Identity"]}),
                "TransformStack cannot be inverted: it is undone through '1', not '0'",
            ),
        ] {
            let error = fit(&json!({"name": "Naive", "transform": transform}), &series, Compat::None).unwrap_err();
            assert!(error.to_string().starts_with(message), "{error}");
            let as_is = json!({"name": "Naive", "transform": transform, "invert_transform": false});
            assert!(fit(&as_is, &series, Compat::None).is_ok());
        }
        let percentile = json!({"name": "MovingPercentile", "n_steps": 3, "q": 50});
        let model = json!({"name": "Naive", "transform": percentile, "invert_transform": true});
        assert!(fit(&model, &series, Compat::None).unwrap_err().to_string().contains("a percentile does not tell"));
    }
}
