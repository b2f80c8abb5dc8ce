//! The recursion of complex exponential smoothing, in real numbers, with as many states as it needs.

use serde::{Deserialize, Serialize};

/// Which seasonal states there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seasonality {
    /// None.
    #[default]
    None,
    /// Each phase of the season is a series of its own.
    Simple,
    /// A level, and one added state for each phase.
    Partial,
    /// A level, and a pair of added states for each phase.
    Full,
}

/// Smoothing parameters: `α = α_0 + iα_1` of the level, `β = β_0 + iβ_1` of the season.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Smoothing {
    pub(super) alpha: [f64; 2],
    pub(super) beta: [f64; 2],
}

/// Real part, which is the value, and imaginary part.
pub(super) type Pair = [f64; 2];

/// The states: the level, and the season's phases by time modulo period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct States {
    pub(super) level: Pair,
    pub(super) season: Vec<Pair>,
}

impl States {
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.level = other.level;
        self.season.clone_from(&other.season);
    }
}

fn moved([real, imaginary]: Pair, [a, b]: [f64; 2], e: f64) -> Pair {
    [real - (1.0 - b) * imaginary + (a - b) * e, real + (1.0 - a) * imaginary + (a + b) * e]
}

/// Period and parameters: everything but the states.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter {
    pub(super) seasonality: Seasonality,
    /// 1 without season.
    pub(super) period: usize,
    pub(super) smoothing: Smoothing,
}

impl Filter {
    /// The expectation of the next observation, whose phase this is.
    #[inline]
    pub(super) fn predict(&self, states: &States, phase: usize) -> f64 {
        match self.seasonality {
            Seasonality::None => states.level[0],
            Seasonality::Simple => states.season[phase][0],
            Seasonality::Partial | Seasonality::Full => states.level[0] + states.season[phase][0],
        }
    }

    /// Moves the states on, the observation having been `e` above its expectation.
    #[inline]
    pub(super) fn step(&self, states: &mut States, phase: usize, e: f64) {
        let Smoothing { alpha, beta } = self.smoothing;
        if self.seasonality != Seasonality::Simple {
            states.level = moved(states.level, alpha, e);
        }
        match self.seasonality {
            Seasonality::None => {}
            Seasonality::Simple => states.season[phase] = moved(states.season[phase], alpha, e),
            Seasonality::Partial => states.season[phase][0] += beta[0] * e,
            Seasonality::Full => states.season[phase] = moved(states.season[phase], beta, e),
        }
    }

    /// Goes through the observations of positions `order`, of which the first has the phase 0, and returns the sum of squared
    /// errors.
    fn pass(&self, states: &mut States, y: &[f64], order: impl Iterator<Item = usize>) -> f64 {
        let mut squares = 0.0;
        for t in order {
            let phase = if self.period == 1 { 0 } else { t % self.period };
            let e = y[t] - self.predict(states, phase);
            squares += e * e;
            self.step(states, phase, e);
        }
        squares
    }

    /// Carries the states beyond an end of the series, without errors: the level by a step, each phase by its next turn. What they
    /// are there is what the same recursion needs to come back.
    fn turn(&self, states: &mut States) {
        let Smoothing { alpha, beta } = self.smoothing;
        match self.seasonality {
            Seasonality::Simple => states.season.iter_mut().for_each(|pair| *pair = moved(*pair, alpha, 0.0)),
            Seasonality::Full => states.season.iter_mut().for_each(|pair| *pair = moved(*pair, beta, 0.0)),
            Seasonality::None | Seasonality::Partial => {}
        }
        states.level = moved(states.level, alpha, 0.0);
    }

    /// Leaves in `states` what precedes the series: forwards, backwards, and around both ends.
    pub(super) fn backcast(&self, states: &mut States, y: &[f64]) {
        self.pass(states, y, 0..y.len());
        self.turn(states);
        self.pass(states, y, (0..y.len()).rev());
        self.turn(states);
    }

    /// The sum of squared errors; the states end behind the series.
    pub(super) fn squares(&self, states: &mut States, y: &[f64]) -> f64 {
        self.pass(states, y, 0..y.len())
    }
}
