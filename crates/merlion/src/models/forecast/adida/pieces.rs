//! Sums over pieces of a series, smoothed: for one length of pieces or for several, whose forecasts are averaged.

use serde::Serialize;

use crate::models::forecast::croston::{Smoothed, best_alpha, intervals};
use crate::models::running::Running;

/// The mean time between demands, rounded (to even at halves); 1 without demand.
pub(in crate::models::forecast) fn mean_interval(y: &[f64]) -> usize {
    let intervals = intervals(y);
    if intervals.is_empty() {
        return 1;
    }
    let mean = intervals.iter().sum::<f64>() / intervals.len() as f64;
    (mean.round_ties_even() as usize).max(1)
}

/// Smoothed sums for some lengths of pieces.
///
/// Pieces end at the newest observation. So that each observation can be the newest, sums are smoothed for every place in a
/// piece at which the series may end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pieces {
    lengths: Vec<Length>,
    /// The newest observations, as many as the longest piece has, in a ring.
    window: Vec<f64>,
    /// Observations so far.
    count: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Length {
    /// Smoothed sums, by the number of observations modulo the length.
    sums: Vec<Smoothed>,
    /// Sum of the newest piece.
    newest: f64,
}

impl Pieces {
    /// A state that has seen nothing; `y` is for the smoothing parameters.
    pub(in crate::models::forecast) fn new(lengths: &[usize], y: &[f64]) -> Self {
        let longest = lengths.iter().copied().max().unwrap_or(1);
        let length = |&length: &usize| {
            let sums: Vec<f64> = y[y.len() % length..].chunks(length).map(|piece| piece.iter().sum()).collect();
            Length { sums: vec![Smoothed::new(best_alpha(&sums)); length], newest: 0.0 }
        };
        Self { lengths: lengths.iter().map(length).collect(), window: vec![0.0; longest], count: 0 }
    }
}

impl Running for Pieces {
    fn observe(&mut self, y: f64) {
        let ring = self.window.len();
        for Length { sums, newest } in &mut self.lengths {
            let length = sums.len();
            // Before there is a whole piece the ring holds zeros.
            *newest += y - self.window[(self.count + ring - length) % ring];
            if self.count + 1 >= length {
                sums[(self.count + 1) % length].observe(*newest);
            }
        }
        self.window[self.count % ring] = y;
        self.count += 1;
    }

    fn ahead(&self, _: usize) -> f64 {
        let rate = |Length { sums, newest }: &Length| match sums[self.count % sums.len()].level() {
            Some(level) => level / sums.len() as f64,
            // Less than a piece so far.
            None => newest / self.count.max(1) as f64,
        };
        self.lengths.iter().map(rate).sum::<f64>() / self.lengths.len() as f64
    }
}
