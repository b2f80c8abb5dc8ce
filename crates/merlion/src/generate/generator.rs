//! Series from formulas: one function over a grid, functions of functions, and pieces one after the other.

use std::sync::Arc;

use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Distort, Function, GenerateError, Noise};
use crate::math::rng;
use crate::nearest::nearest;
use crate::series::TimeSeries;
use crate::time::{Offset, Timestamp};

/// The random stream of generated series.
const STREAM: u64 = 0x6765_6e65_7261_7465;

/// The most values of a series: what a grid of times may have elsewhere, too.
const MOST_VALUES: usize = 10_000_000;

/// A generator of synthetic series, under Merlion's names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", try_from = "Value")]
#[non_exhaustive]
pub enum Generator {
    /// A function over a grid.
    TimeSeriesGenerator(TimeSeriesGenerator),
    /// A function of functions over a grid.
    GeneratorComposer(GeneratorComposer),
    /// Pieces one after the other.
    GeneratorConcatenator(GeneratorConcatenator),
}

/// `y_i = scale · distort(f(x_i), noise)` with `x_i = x0 + i step`, at the times `t0 + i tdelta`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeSeriesGenerator {
    /// The function; a [`GeneratorComposer`] ignores it. The default is 0 everywhere: noise alone.
    pub f: Function,
    /// How many values. Merlion has no default; 1,000 is enough to see something.
    pub n: usize,
    /// Where the grid begins.
    pub x0: f64,
    /// The step of the grid, positive.
    pub step: f64,
    /// What everything is multiplied by, noise included. Positive.
    pub scale: f64,
    /// The disturbance of each value; standard normal as in Merlion.
    pub noise: Noise,
    /// How the disturbance gets into the value.
    pub distort: Distort,
    /// The name of the column (`name` in Merlion, which here tells the kind of generator).
    pub column: String,
    /// The first time.
    #[serde(with = "time_text")]
    pub t0: Timestamp,
    /// The step from one time to the next; five minutes as in Merlion.
    pub tdelta: Offset,
}

impl Default for TimeSeriesGenerator {
    fn default() -> Self {
        Self {
            f: Function::Constant { value: 0.0 },
            n: 1_000,
            x0: 0.0,
            step: 1.0,
            scale: 1.0,
            noise: Noise::default(),
            distort: Distort::default(),
            column: "y".to_owned(),
            t0: Timestamp::from_nanos(0),
            tdelta: Offset::Fixed(300_000_000_000),
        }
    }
}

/// The functions of several generators, the first applied last: `f_1(f_2(… f_k(x)))`, over the grid of `grid`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GeneratorComposer {
    /// The generators. Only their functions count, and their noise if `per_generator_noise`.
    pub generators: Vec<TimeSeriesGenerator>,
    /// Whether each function's value is disturbed with its own generator's noise, instead of the last with that of `grid`.
    pub per_generator_noise: bool,
    /// Grid, times, scale and noise; its keys stand beside the others.
    #[serde(flatten)]
    pub grid: TimeSeriesGenerator,
}

/// The values of several generators one after the other, as a series that changes its ways.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GeneratorConcatenator {
    /// The generators. Their grids begin and step as if they were one, which begins at `x0` of `grid` and has its step.
    pub generators: Vec<TimeSeriesGenerator>,
    /// Whether each piece is moved so that it continues the one before.
    pub string_outputs: bool,
    /// Whether each piece is disturbed with its own noise, instead of that of `grid`.
    pub per_generator_noise: bool,
    /// Beginning and step of the grid, times and noise; its keys stand beside the others.
    #[serde(flatten)]
    pub grid: TimeSeriesGenerator,
}

impl Default for GeneratorConcatenator {
    /// As in Merlion: joined, with one noise for all.
    fn default() -> Self {
        Self {
            generators: Vec::new(),
            string_outputs: true,
            per_generator_noise: false,
            grid: TimeSeriesGenerator::default(),
        }
    }
}

/// A [`Generator`] whose keys were checked: keys that a flattened struct does not know, `serde` passes over.
#[derive(Deserialize)]
#[serde(tag = "name")]
enum Checked {
    TimeSeriesGenerator(TimeSeriesGenerator),
    GeneratorComposer(GeneratorComposer),
    GeneratorConcatenator(GeneratorConcatenator),
}

impl TryFrom<Value> for Generator {
    type Error = GenerateError;

    fn try_from(json: Value) -> Result<Self, GenerateError> {
        let invalid = |error: serde_json::Error| GenerateError::InvalidSpec(error.to_string());
        let known = match json.get("name").and_then(Value::as_str) {
            Some("GeneratorComposer") => serde_json::to_value(GeneratorComposer::default()),
            Some("GeneratorConcatenator") => serde_json::to_value(GeneratorConcatenator::default()),
            _ => serde_json::to_value(TimeSeriesGenerator::default()),
        }
        .map_err(invalid)?;
        let known: Vec<&str> = known.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
        let mut keys = json.as_object().into_iter().flat_map(Map::keys).map(String::as_str);
        if let Some(unknown) = keys.find(|key| *key != "name" && !known.contains(key)) {
            let nearest = nearest(unknown, known.iter().copied()).map(str::to_owned);
            return Err(GenerateError::UnknownParameter { parameter: unknown.to_owned(), nearest });
        }
        Ok(match serde_json::from_value(json).map_err(invalid)? {
            Checked::TimeSeriesGenerator(generator) => Self::TimeSeriesGenerator(generator),
            Checked::GeneratorComposer(generator) => Self::GeneratorComposer(generator),
            Checked::GeneratorConcatenator(generator) => Self::GeneratorConcatenator(generator),
        })
    }
}

impl Generator {
    /// A series of one column. Equal seeds give equal series.
    ///
    /// # Errors
    /// [`GenerateError::InvalidParameter`]; [`GenerateError::Time`] when the times leave their range.
    pub fn generate(&self, seed: u64) -> Result<TimeSeries, GenerateError> {
        match self {
            Self::TimeSeriesGenerator(generator) => generator.generate(seed),
            Self::GeneratorComposer(generator) => generator.generate(seed),
            Self::GeneratorConcatenator(generator) => generator.generate(seed),
        }
    }
}

impl TimeSeriesGenerator {
    const NAME: &'static str = "TimeSeriesGenerator";

    /// A series of one column. Equal seeds give equal series.
    ///
    /// # Errors
    /// As [`Generator::generate`].
    pub fn generate(&self, seed: u64) -> Result<TimeSeries, GenerateError> {
        self.validate()?;
        let mut stream = rng::stream(seed, STREAM);
        let values = (0..self.n).map(|i| self.value(self.f.at(self.x(i)), &mut stream)).collect();
        self.series(values)
    }

    fn validate(&self) -> Result<(), GenerateError> {
        for (parameter, value) in [("step", self.step), ("scale", self.scale)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(GenerateError::invalid(Self::NAME, parameter, value, "must be positive"));
            }
        }
        if !self.x0.is_finite() {
            return Err(GenerateError::invalid(Self::NAME, "x0", self.x0, "must be finite"));
        }
        check_length(Self::NAME, self.n)?;
        self.f.validate()?;
        self.noise.validate()
    }

    fn x(&self, i: usize) -> f64 {
        self.x0 + i as f64 * self.step
    }

    fn value(&self, f: f64, stream: &mut Pcg64) -> f64 {
        self.scale * self.distort.apply(f, self.noise.draw(stream))
    }

    fn series(&self, values: Vec<f64>) -> Result<TimeSeries, GenerateError> {
        let mut times = Vec::with_capacity(values.len());
        let mut t = self.tdelta.rollforward(self.t0)?;
        for i in 0..values.len() {
            times.push(t);
            if i + 1 < values.len() {
                t = self.tdelta.advance(t, 1)?;
            }
        }
        if times.windows(2).any(|pair| pair[1] <= pair[0]) {
            return Err(GenerateError::invalid(Self::NAME, "tdelta", self.tdelta.to_string(), "must be positive"));
        }
        Ok(TimeSeries::aligned(times, vec![(Arc::from(self.column.as_str()), values)]))
    }
}

impl GeneratorComposer {
    /// A series of one column. Equal seeds give equal series.
    ///
    /// # Errors
    /// As [`Generator::generate`].
    pub fn generate(&self, seed: u64) -> Result<TimeSeries, GenerateError> {
        self.grid.validate()?;
        self.generators.iter().try_for_each(TimeSeriesGenerator::validate)?;
        let mut stream = rng::stream(seed, STREAM);
        let mut value = |i: usize| {
            let x = self.grid.x(i);
            if self.per_generator_noise {
                let disturbed = |x: f64, inner: &TimeSeriesGenerator| {
                    inner.distort.apply(inner.f.at(x), inner.noise.draw(&mut stream))
                };
                return self.grid.scale * self.generators.iter().rev().fold(x, disturbed);
            }
            let composed = self.generators.iter().rev().fold(x, |x, inner| inner.f.at(x));
            self.grid.value(composed, &mut stream)
        };
        let values = (0..self.grid.n).map(&mut value).collect();
        self.grid.series(values)
    }
}

impl GeneratorConcatenator {
    const NAME: &'static str = "GeneratorConcatenator";

    /// A series of one column, as long as the pieces together. Equal seeds give equal series.
    ///
    /// # Errors
    /// As [`Generator::generate`].
    pub fn generate(&self, seed: u64) -> Result<TimeSeries, GenerateError> {
        self.grid.validate()?;
        self.generators.iter().try_for_each(TimeSeriesGenerator::validate)?;
        let length = self.generators.iter().fold(0_usize, |sum, piece| sum.saturating_add(piece.n));
        check_length(Self::NAME, length)?;
        let mut stream = rng::stream(seed, STREAM);
        let mut values = Vec::with_capacity(length);
        // Where the undisturbed series is, so that noise does not move what follows.
        let mut level: Option<f64> = None;
        for piece in &self.generators {
            let x = |i: usize| self.grid.x(i);
            let plain = |i: usize| piece.scale * piece.f.at(x(i));
            let first = values.len();
            let shift = match level {
                // The piece's own value at the last place of the one before.
                Some(level) if self.string_outputs => level - piece.scale * piece.f.at(x(first) - self.grid.step),
                _ => 0.0,
            };
            let noise = if self.per_generator_noise { piece } else { &self.grid };
            for i in first..first + piece.n {
                let disturbed = noise.distort.apply(piece.f.at(x(i)), noise.noise.draw(&mut stream));
                values.push(piece.scale * disturbed + shift);
                level = Some(plain(i) + shift);
            }
        }
        self.grid.series(values)
    }
}

fn check_length(name: &'static str, n: usize) -> Result<(), GenerateError> {
    if n <= MOST_VALUES {
        return Ok(());
    }
    Err(GenerateError::invalid(name, "n", n, "at most 10,000,000"))
}

/// Times as text, as people write them.
mod time_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::time::Timestamp;

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(time)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Timestamp::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn generator(json: serde_json::Value) -> Generator {
        serde_json::from_value(json).unwrap()
    }

    fn values(json: serde_json::Value) -> Vec<f64> {
        generator(json).generate(0).unwrap().univariates()[0].values().to_vec()
    }

    #[test]
    fn a_function_over_a_grid() {
        let generator = generator(json!({
            "name": "TimeSeriesGenerator", "f": {"name": "Polynomial", "coefficients": [0, 2]}, "n": 3, "x0": 1,
            "step": 0.5, "scale": 10, "noise": {"name": "None"}, "column": "load", "t0": "2020-01-31", "tdelta": "1h",
        }));
        let series = generator.generate(0).unwrap();
        let column = &series.univariates()[0];
        assert_eq!((column.name(), column.values()), ("load", &[20.0, 30.0, 40.0][..]));
        assert_eq!(column.times()[2].to_string(), "2020-01-31 02:00:00");
        assert_eq!(serde_json::from_value::<Generator>(json!(generator)).unwrap(), generator);
    }

    #[test]
    fn a_seed_gives_the_same_series_and_another_seed_another() {
        let noise = generator(json!({"name": "TimeSeriesGenerator", "n": 50}));
        assert_eq!(noise.generate(3).unwrap(), noise.generate(3).unwrap());
        assert_ne!(noise.generate(3).unwrap(), noise.generate(4).unwrap());
        let first = noise.generate(0).unwrap().univariates()[0].values()[0];
        assert_eq!(first, -0.600_292_048_310_359_8, "series that were generated once must come again");
    }

    #[test]
    fn pieces_are_joined_as_in_merlions_documentation() {
        let pieces = |joined: bool| {
            values(json!({
                "name": "GeneratorConcatenator", "string_outputs": joined, "noise": {"name": "None"}, "generators": [
                    {"f": {"name": "Constant", "value": 0}, "n": 3},
                    {"f": {"name": "Polynomial", "coefficients": [0, 2]}, "n": 3},
                ],
            }))
        };
        assert_eq!(pieces(false), [0.0, 0.0, 0.0, 6.0, 8.0, 10.0]);
        assert_eq!(pieces(true), [0.0, 0.0, 0.0, 2.0, 4.0, 6.0]);
    }

    #[test]
    fn noise_does_not_move_the_pieces_that_follow() {
        let json = |noise: serde_json::Value| {
            let constant = json!({"f": {"name": "Constant", "value": 5}, "n": 1});
            json!({"name": "GeneratorConcatenator", "noise": noise, "generators": vec![constant; 2_000]})
        };
        let noisy = values(json(json!({"name": "Normal"})));
        // A walk over 2,000 joints would be some 45 away.
        let furthest = noisy.iter().map(|y| (y - 5.0).abs()).fold(0.0, f64::max);
        assert!(furthest < 6.0, "{furthest}");
        assert!(values(json(json!({"name": "None"}))).iter().all(|y| *y == 5.0));
    }

    #[test]
    fn the_first_of_composed_functions_is_applied_last() {
        let composed = |own_noise: bool| {
            json!({
                "name": "GeneratorComposer", "n": 3, "noise": {"name": "None"}, "per_generator_noise": own_noise, "generators": [
                    {"f": {"name": "Polynomial", "coefficients": [1, 1]}, "noise": {"name": "Uniform", "low": 10, "high": 10}},
                    {"f": {"name": "Polynomial", "coefficients": [0, 3]}, "noise": {"name": "Uniform", "low": 1, "high": 1}},
                ],
            })
        };
        assert_eq!(values(composed(false)), [1.0, 4.0, 7.0]);
        assert_eq!(values(composed(true)), [12.0, 15.0, 18.0]);
    }

    #[test]
    fn what_cannot_be_generated_is_refused_by_name() {
        for (json, message) in [
            (json!({"name": "TimeSeriesGenerator", "step": 0}), "TimeSeriesGenerator: step = 0.0: must be positive"),
            (
                json!({"name": "TimeSeriesGenerator", "scale": -1}),
                "TimeSeriesGenerator: scale = -1.0: must be positive",
            ),
            (
                json!({"name": "TimeSeriesGenerator", "n": 20_000_000}),
                "TimeSeriesGenerator: n = 20000000: at most 10,000,000",
            ),
            (
                json!({"name": "TimeSeriesGenerator", "t0": "2262-01-01", "tdelta": "1000D"}),
                "time out of the nanosecond range (1677-09-21 to 2262-04-11)",
            ),
        ] {
            assert_eq!(generator(json).generate(0).unwrap_err().to_string(), message);
        }
        for json in [
            json!({"name": "Generator"}),
            json!({"name": "TimeSeriesGenerator", "steps": 1}),
            json!({"name": "GeneratorComposer", "generators": [{"steps": 1}]}),
            json!({"name": "GeneratorConcatenator", "steps": 1}),
            json!({"name": "TimeSeriesGenerator", "t0": "yesterday"}),
        ] {
            assert!(serde_json::from_value::<Generator>(json.clone()).is_err(), "{json}");
        }
        let error = serde_json::from_value::<Generator>(json!({"name": "GeneratorComposer", "steps": 1})).unwrap_err();
        assert_eq!(error.to_string(), "there is no parameter 'steps', did you mean 'step'?");
        let empty = generator(json!({"name": "TimeSeriesGenerator", "n": 0})).generate(0).unwrap();
        assert!(empty.is_empty());
    }
}
