//! The score of the Numenta Anomaly Benchmark, as its papers describe it: Lavin & Ahmad (2015), "Evaluating real-time anomaly
//! detection algorithms", ICMLA, sections II.C and II.D; Ahmad et al. (2017), "Unsupervised real-time anomaly detection for streaming
//! data", Neurocomputing 262, section 4.
//!
//! A window surrounds each anomaly. With `y` the position of an alarm relative to a window, from -1 at its left to 0 at its right edge
//! and growing beyond, and `σ(y) = 2 / (1 + exp(5 y)) - 1`:
//!
//! ```text
//! window with an alarm      A_TP σ(y) / σ(-1)    of its first alarm
//! window without            -A_FN
//! alarm after a window      A_FP σ(y)            y in lengths of that window; -1 beyond three of them
//! alarm before all windows  -A_FP
//!
//! NAB = 100 (S - S_null) / (S_perfect - S_null)
//! ```
//!
//! `S_null = -A_FN W` is the score of a detector without alarms, `S_perfect = A_TP W` that of one with an alarm at the left edge of each
//! of the `W` windows and nowhere else. A probationary period at the beginning of each file does not count. One threshold serves all
//! files: the one with the greatest score.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{TsadError, runs};

/// What right and wrong alarms are worth to a user.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Gained for an alarm at the beginning of a window.
    pub tp_weight: f64,
    /// Lost for an alarm far from any window.
    pub fp_weight: f64,
    /// Lost for a window without an alarm.
    pub fn_weight: f64,
}

impl Profile {
    /// NAB's `standard` profile.
    pub const STANDARD: Self = Self { tp_weight: 1.0, fp_weight: 0.11, fn_weight: 1.0 };
    /// NAB's `reward_low_FP_rate` profile.
    pub const LOW_FP: Self = Self { tp_weight: 1.0, fp_weight: 0.22, fn_weight: 1.0 };
    /// NAB's `reward_low_FN_rate` profile.
    pub const LOW_FN: Self = Self { tp_weight: 1.0, fp_weight: 0.11, fn_weight: 2.0 };
}

/// Part of a file at whose beginning detectors may still learn.
const PROBATION: f64 = 0.15;

/// The length of file from which the probationary period grows no longer.
const LONGEST: usize = 5_000;

/// The scores of a detector over one file, beside the windows of its anomalies.
#[derive(Debug, Clone, PartialEq)]
pub struct File<'a> {
    scores: &'a [f64],
    windows: Vec<Range<usize>>,
}

impl<'a> File<'a> {
    /// A file with a label for each score, true in the windows.
    ///
    /// # Errors
    /// [`TsadError::LengthMismatch`]; [`TsadError::NotANumber`] for a missing score.
    pub fn new(scores: &'a [f64], labels: &[bool]) -> Result<Self, TsadError> {
        if scores.len() != labels.len() {
            return Err(TsadError::LengthMismatch { what: "scores", got: scores.len(), expected: labels.len() });
        }
        if let Some(position) = scores.iter().position(|score| score.is_nan()) {
            return Err(TsadError::NotANumber { position });
        }
        let probation = probation(scores.len());
        let windows = runs(labels).into_iter().filter(|window| window.end > probation).collect();
        Ok(Self { scores, windows })
    }

    /// The windows that count.
    #[must_use]
    pub fn windows(&self) -> &[Range<usize>] {
        &self.windows
    }
}

/// How many values at the beginning of a file of this length do not count.
#[must_use]
pub fn probation(length: usize) -> usize {
    // Whole and not negative, because the length is.
    (PROBATION * length.min(LONGEST) as f64).floor() as usize
}

/// A detector's result over a benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct NabScore {
    /// From 0 for a detector without alarms to 100 for a perfect one; negative for many false alarms.
    pub normalized: f64,
    /// The sum of gains and losses.
    pub raw: f64,
    /// The least score that is an alarm; `None` if it is best to raise none.
    pub threshold: Option<f64>,
    /// Windows with an alarm.
    pub detected: usize,
    /// Windows without.
    pub missed: usize,
    /// Alarms outside of windows.
    pub false_alarms: usize,
}

/// The score at the threshold that suits a profile best, the greatest of several equally good ones.
///
/// # Errors
/// [`TsadError::Empty`] when no file has a window.
pub fn optimized(files: &[File<'_>], profile: &Profile) -> Result<NabScore, TsadError> {
    let sweep = Sweep::new(files, profile)?;
    Ok(sweep.best())
}

/// The score of the alarms at or above a threshold.
///
/// # Errors
/// [`TsadError::Empty`] when no file has a window.
pub fn at_threshold(files: &[File<'_>], profile: &Profile, threshold: f64) -> Result<NabScore, TsadError> {
    let mut sweep = Sweep::new(files, profile)?;
    sweep.rows.retain(|row| row.score >= threshold);
    let last = sweep.rows.len();
    Ok(sweep.states().find(|state| state.1 == last).map(|state| state.0).unwrap_or_else(|| sweep.null()))
}

/// A value of a detector, with what an alarm there would be worth.
struct Row {
    score: f64,
    worth: f64,
    /// The window it is in, counted over all files.
    window: Option<usize>,
}

/// All values of all files that count, greatest score first.
struct Sweep<'a> {
    rows: Vec<Row>,
    windows: usize,
    profile: &'a Profile,
}

impl<'a> Sweep<'a> {
    fn new(files: &[File<'_>], profile: &'a Profile) -> Result<Self, TsadError> {
        let mut rows = Vec::new();
        let mut windows = 0;
        for file in files {
            let mut next = 0;
            for position in probation(file.scores.len())..file.scores.len() {
                while file.windows.get(next).is_some_and(|window| window.end <= position) {
                    next += 1;
                }
                let inside = file.windows.get(next).filter(|window| window.contains(&position));
                let worth = match (inside, next.checked_sub(1).map(|before| &file.windows[before])) {
                    (Some(window), _) => {
                        let left = (window.end - position) as f64 / window.len() as f64;
                        profile.tp_weight * sigmoid(-left) / sigmoid(-1.0)
                    }
                    (None, Some(before)) => {
                        let past = (position + 1 - before.end) as f64;
                        // A window of one value has no length to measure with.
                        let length = before.len() - 1;
                        profile.fp_weight * if length == 0 { -1.0 } else { sigmoid(past / length as f64) }
                    }
                    (None, None) => -profile.fp_weight,
                };
                rows.push(Row { score: file.scores[position], worth, window: inside.map(|_| windows + next) });
            }
            windows += file.windows.len();
        }
        if windows == 0 {
            return Err(TsadError::Empty { what: "anomalies after the probationary periods" });
        }
        rows.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(Self { rows, windows, profile })
    }

    /// The result without alarms.
    fn null(&self) -> NabScore {
        let raw = -self.profile.fn_weight * self.windows as f64;
        NabScore { normalized: 0.0, raw, threshold: None, detected: 0, missed: self.windows, false_alarms: 0 }
    }

    /// The results as the threshold falls from one score to the next, each with the number of alarms.
    fn states(&self) -> impl Iterator<Item = (NabScore, usize)> + '_ {
        let mut gains: Vec<Option<f64>> = vec![None; self.windows];
        let null = self.null();
        let span = self.profile.tp_weight * self.windows as f64 - null.raw;
        let (mut gained, mut lost, mut state) = (0.0, 0.0, null.clone());
        self.rows.chunk_by(|a, b| a.score == b.score).scan(0, move |alarms, group| {
            *alarms += group.len();
            for row in group {
                let Some(window) = row.window else {
                    lost += row.worth;
                    state.false_alarms += 1;
                    continue;
                };
                match &mut gains[window] {
                    Some(gain) => {
                        gained += (row.worth - *gain).max(0.0);
                        *gain = gain.max(row.worth);
                    }
                    empty => {
                        gained += row.worth;
                        *empty = Some(row.worth);
                        state.detected += 1;
                        state.missed -= 1;
                    }
                }
            }
            state.raw = gained + lost - self.profile.fn_weight * state.missed as f64;
            state.normalized = if span == 0.0 { 0.0 } else { 100.0 * (state.raw - null.raw) / span };
            state.threshold = group.first().map(|row| row.score);
            Some((state.clone(), *alarms))
        })
    }

    fn best(&self) -> NabScore {
        let states = self.states().map(|(state, _)| state);
        states.fold(self.null(), |best, state| if state.raw > best.raw { state } else { best })
    }
}

/// From almost 1 at the left edge of a window over 0 at its right to -1 three lengths behind it.
fn sigmoid(y: f64) -> f64 {
    if y > 3.0 { -1.0 } else { 2.0 / (1.0 + (5.0 * y).exp()) - 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with windows from and to these positions, the latter excluded.
    fn labels(length: usize, windows: &[(usize, usize)]) -> Vec<bool> {
        (0..length).map(|i| windows.iter().any(|(start, end)| (*start..*end).contains(&i))).collect()
    }

    #[test]
    fn the_null_detector_scores_what_nab_published() {
        // NAB 1.1 has 58 files with 116 windows; its null detector gives 0.5 everywhere, under the threshold 1. Published: raw scores
        // -116, -116 and -232 under the three profiles, 0.0 normalised.
        let constant = vec![0.5; 1_000];
        let with_windows = labels(1_000, &[(300, 350), (700, 750)]);
        let files: Vec<_> = (0..58).map(|_| File::new(&constant, &with_windows).unwrap()).collect();
        for (profile, raw) in [(Profile::STANDARD, -116.0), (Profile::LOW_FP, -116.0), (Profile::LOW_FN, -232.0)] {
            let score = at_threshold(&files, &profile, 1.0).unwrap();
            assert_eq!((score.raw, score.normalized, score.missed), (raw, 0.0, 116), "{profile:?}");
        }
    }

    #[test]
    fn the_perfect_detector_scores_a_hundred() {
        let windows = [(300, 350), (700, 750)];
        let mut scores = vec![0.0; 1_000];
        for window in &windows {
            scores[window.0] = 1.0;
        }
        let with_windows = labels(1_000, &windows);
        let file = File::new(&scores, &with_windows).unwrap();
        for profile in [Profile::STANDARD, Profile::LOW_FP, Profile::LOW_FN] {
            let score = optimized(std::slice::from_ref(&file), &profile).unwrap();
            assert_eq!((score.normalized, score.threshold), (100.0, Some(1.0)), "{profile:?}");
            assert_eq!((score.detected, score.missed, score.false_alarms), (2, 0, 0));
        }
    }

    #[test]
    fn alarms_are_worth_what_the_sigmoid_says() {
        // 100 values: 15 of probation, a window of 20 values from 40 on.
        let with_window = labels(100, &[(40, 60)]);
        let sigma = |y: f64| 2.0 / (1.0 + (5.0 * y).exp()) - 1.0;
        for (alarm, expected) in [
            (14, -1.0),
            (20, -1.0 - 0.11),
            (50, sigma(-0.5) / sigma(-1.0)),
            (59, sigma(-0.05) / sigma(-1.0)),
            (60, -1.0 + 0.11 * sigma(1.0 / 19.0)),
            (78, -1.0 + 0.11 * sigma(1.0)),
        ] {
            let mut scores = vec![0.0; 100];
            scores[alarm] = 1.0;
            let file = File::new(&scores, &with_window).unwrap();
            let score = at_threshold(&[file], &Profile::STANDARD, 1.0).unwrap();
            assert!((score.raw - expected).abs() < 1e-12, "alarm at {alarm}: {}, expected {expected}", score.raw);
        }
    }

    #[test]
    fn only_the_first_alarm_of_a_window_counts() {
        let with_window = labels(100, &[(40, 60)]);
        let mut scores = vec![0.0; 100];
        scores[45..55].fill(1.0);
        let once = at_threshold(&[File::new(&scores, &with_window).unwrap()], &Profile::STANDARD, 1.0).unwrap();
        scores[46..55].fill(0.0);
        let first = at_threshold(&[File::new(&scores, &with_window).unwrap()], &Profile::STANDARD, 1.0).unwrap();
        assert_eq!(once, first);
    }

    #[test]
    fn one_threshold_serves_all_files() {
        let with_window = labels(100, &[(40, 60)]);
        let (mut low, mut high) = (vec![0.0; 100], vec![0.0; 100]);
        // In one file the anomaly scores 0.5; in the other false alarms score 0.6, and the anomaly 0.9.
        low[40] = 0.5;
        high[40] = 0.9;
        high[20..23].fill(0.6);
        let files = [File::new(&low, &with_window).unwrap(), File::new(&high, &with_window).unwrap()];
        let score = optimized(&files, &Profile::STANDARD).unwrap();
        assert_eq!((score.threshold, score.detected, score.false_alarms), (Some(0.5), 2, 3));
        assert!((score.raw - (2.0 - 0.33)).abs() < 1e-12, "{}", score.raw);
        // Where false alarms cost more than a window is worth, the second file's window is enough.
        let strict = Profile { fp_weight: 1.0, ..Profile::STANDARD };
        let score = optimized(&files, &strict).unwrap();
        assert_eq!((score.threshold, score.detected, score.false_alarms), (Some(0.9), 1, 0));
    }

    #[test]
    fn without_a_window_there_is_no_score() {
        let scores = [0.0; 10];
        let file = File::new(&scores, &[false; 10]).unwrap();
        assert!(matches!(optimized(&[file], &Profile::STANDARD), Err(TsadError::Empty { .. })));
        let missing = File::new(&[0.0, f64::NAN], &[false, true]).unwrap_err();
        assert_eq!(missing, TsadError::NotANumber { position: 1 });
        assert_eq!((probation(100), probation(5_000), probation(20_000)), (15, 750, 750));
    }
}
