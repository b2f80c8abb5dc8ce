//! Axes: where ticks go and what they say. The axis of values is here, the axis of time in `axis/time.rs`.

mod time;

use crate::number::with_commas;

pub(crate) use time::{TimeTick, time_ticks};

/// Suffixes for thousands, millions, … in the order in which they are tried.
const UNITS: [(f64, &str); 5] = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"), (1.0, "")];

/// The largest magnitude a chart can have: beyond it, twice the magnitude would not be a number.
pub(crate) const LARGEST: f64 = 1e300;

/// A tick of the axis of values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ValueTick {
    pub(crate) at: f64,
    pub(crate) label: String,
}

/// The least and the greatest of these values, those that are not finite passed over; none if there are no others.
pub(crate) fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    finite.fold(None, |extent, value| {
        let (low, high) = extent.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

/// The span of an axis for these values: room above and below, and zero where it is near.
///
/// Without a finite value the span is from 0 to 1. It is never empty.
pub(crate) fn value_span(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let Some((low, high)) = extent(values) else { return (0.0, 1.0) };
    let (padded_low, padded_high) = padded(low, high);
    // Heights can be compared by eye when they stand on zero; where that would flatten the curve, they do not.
    let stands = |near: f64, far: f64| low != high && near * far >= 0.0 && near.abs() <= far.abs() * 0.4;
    let span_low = if low >= 0.0 && stands(low, high) { 0.0 } else { padded_low };
    let span_high = if high <= 0.0 && stands(high, low) { 0.0 } else { padded_high };
    (span_low, span_high)
}

/// The span of an axis for these values, with a little room above and below and nothing else.
pub(crate) fn tight_span(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    extent(values).map_or((0.0, 1.0), |(low, high)| padded(low, high))
}

/// Both ends moved out, within what can be drawn.
fn padded(low: f64, high: f64) -> (f64, f64) {
    let (low, high) = (low.clamp(-LARGEST, LARGEST), high.clamp(-LARGEST, LARGEST));
    let magnitude = low.abs().max(high.abs());
    // Rounding noise of a constant is not a movement; and below 1e-290 a tick's step would not be a number.
    let is_constant = high - low <= magnitude * 1e-9 || high - low < 1e-290;
    let room = match magnitude {
        _ if !is_constant => (high - low) * 0.05,
        magnitude if magnitude < 1e-280 => 1.0,
        magnitude => magnitude * 0.1,
    };
    (low - room, high + room)
}

/// About `target` round ticks between two values, labelled in one unit: `0`, `0.5M`, `1.0M`.
pub(crate) fn value_ticks(low: f64, high: f64, target: usize) -> Vec<ValueTick> {
    let raw = (high - low) / target.max(1) as f64;
    if !(raw.is_finite() && raw > 0.0) {
        return Vec::new();
    }
    let exponent = raw.log10().floor() as i32;
    let power = 10f64.powi(exponent);
    // The nearest of the round numbers, on the scale of ratios.
    let multiple = match raw / power {
        ratio if ratio < 2f64.sqrt() => 1.0,
        ratio if ratio < 10f64.sqrt() => 2.0,
        ratio if ratio < 50f64.sqrt() => 5.0,
        _ => 10.0,
    };
    let step = multiple * power;
    let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
    let values: Vec<f64> = (first..=last)
        .map(|k| {
            // Dividing by a whole power keeps 0.3 at 0.3.
            let k = k as f64 * multiple;
            if (-22..0).contains(&exponent) { k / 10f64.powi(-exponent) } else { k * power }
        })
        .collect();
    let labels = labels(&values, step);
    values.into_iter().zip(labels).map(|(at, label)| ValueTick { at, label }).collect()
}

/// One label for each value, all in one unit and with as many decimals as the step between them needs.
fn labels(values: &[f64], step: f64) -> Vec<String> {
    let magnitude = values.iter().fold(0.0f64, |most, value| most.max(value.abs()));
    let decimals = |unit: f64| (-(step / unit).log10() - 1e-9).ceil().max(0.0) as usize;
    let signed = |value: f64, text: String| if value < 0.0 { format!("−{text}") } else { text };
    let fixed = |unit: f64, suffix: &str| {
        let decimals = decimals(unit);
        let label = |&value: &f64| match value {
            v if v.abs() < step * 1e-6 => "0".to_owned(),
            v => signed(v, with_commas(&format!("{:.decimals$}", v.abs() / unit)) + suffix),
        };
        values.iter().map(label).collect()
    };
    if (1e-4..1e15).contains(&magnitude) {
        // The largest unit whose labels stay short; a narrow range far from zero has to be spelled out.
        let unit = UNITS.iter().find(|(unit, _)| *unit <= magnitude && decimals(*unit) <= 2);
        let (unit, suffix) = unit.copied().unwrap_or((1.0, ""));
        return fixed(unit, suffix);
    }
    let exponent = |value: f64| (value.log10() + 1e-9).floor();
    let digits = (exponent(magnitude) - exponent(step)).clamp(0.0, 15.0) as usize;
    let label = |&value: &f64| match value {
        v if v.abs() < step * 1e-6 => "0".to_owned(),
        v => signed(v, format!("{:.digits$e}", v.abs())),
    };
    values.iter().map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(low: f64, high: f64) -> Vec<String> {
        value_ticks(low, high, 5).into_iter().map(|tick| tick.label).collect()
    }

    /// Spans of every size, around, above and below zero.
    fn spans() -> Vec<(f64, f64)> {
        let mut spans = Vec::new();
        for exponent in (-280..=299).step_by(7) {
            let size = 10f64.powi(exponent);
            for (low, high) in [(0.0, 1.0), (-3.7, 9.1), (1.0, 1.003), (-1.0, -0.2), (0.0, 0.77), (99.0, 103.3)] {
                spans.push((low * size, high * size));
            }
        }
        spans
    }

    #[test]
    fn ticks_are_inside_the_span_ascending_and_even() {
        for (low, high) in spans() {
            let ticks: Vec<f64> = value_ticks(low, high, 5).iter().map(|tick| tick.at).collect();
            assert!((2..=11).contains(&ticks.len()), "{} ticks from {low:e} to {high:e}", ticks.len());
            let slack = (high - low) * 1e-6;
            for pair in ticks.windows(2) {
                let (step, first) = (pair[1] - pair[0], ticks[1] - ticks[0]);
                assert!((step - first).abs() <= slack, "steps {step:e} and {first:e} from {low:e} to {high:e}");
            }
            for tick in ticks {
                assert!(tick >= low - slack && tick <= high + slack, "{tick:e} is not within {low:e} and {high:e}");
            }
        }
    }

    #[test]
    fn no_two_ticks_say_the_same() {
        for (low, high) in spans() {
            let mut labels = texts(low, high);
            labels.sort();
            let all = labels.len();
            labels.dedup();
            assert_eq!(labels.len(), all, "from {low:e} to {high:e}: {:?}", texts(low, high));
        }
    }

    #[test]
    fn labels_of_an_axis_share_a_unit() {
        assert_eq!(texts(0.0, 2_000_000.0), ["0", "0.5M", "1.0M", "1.5M", "2.0M"]);
        assert_eq!(texts(0.0, 52_000.0), ["0", "10k", "20k", "30k", "40k", "50k"]);
        assert_eq!(texts(-1_200.0, 1_300.0), ["−1.0k", "−0.5k", "0", "0.5k", "1.0k"]);
        assert_eq!(texts(0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(3.1e9, 3.6e9), ["3.1B", "3.2B", "3.3B", "3.4B", "3.5B", "3.6B"]);
    }

    #[test]
    fn a_narrow_range_far_from_zero_is_spelled_out() {
        assert_eq!(
            texts(1_000_000.0, 1_000_010.0),
            ["1,000,000", "1,000,002", "1,000,004", "1,000,006", "1,000,008", "1,000,010"]
        );
    }

    #[test]
    fn numbers_beyond_words_are_powers_of_ten() {
        assert_eq!(texts(0.0, 9e19), ["0", "2e19", "4e19", "6e19", "8e19"]);
        assert_eq!(texts(-2e-7, 4.1e-7), ["−2e-7", "−1e-7", "0", "1e-7", "2e-7", "3e-7", "4e-7"]);
        assert_eq!(texts(0.0, 1.2e20), ["0", "2.0e19", "4.0e19", "6.0e19", "8.0e19", "1.0e20", "1.2e20"]);
    }

    #[test]
    fn a_constant_gets_room_on_both_sides() {
        for value in [0.0, 5.0, -3e12, 1e300, 4e-290, f64::MAX] {
            let (low, high) = value_span([value, value]);
            let drawn = value.clamp(-LARGEST, LARGEST);
            assert!(low < drawn && drawn < high, "{drawn:e} between {low:e} and {high:e}");
            assert!(!value_ticks(low, high, 5).is_empty(), "no ticks from {low:e} to {high:e}");
        }
    }

    #[test]
    fn a_span_holds_all_finite_values() {
        let values = [3.0, f64::NAN, -7.5, f64::INFINITY, 1e6, f64::NEG_INFINITY];
        let (low, high) = value_span(values);
        assert!(low < -7.5 && high > 1e6 && high < 1.1e6, "{low} to {high}");
        assert_eq!(value_span([f64::NAN]), (0.0, 1.0));
        let (low, high) = value_span([-f64::MAX, f64::MAX]);
        assert!((high - low).is_finite(), "{low:e} to {high:e}");
    }

    #[test]
    fn positive_values_stand_on_zero_unless_that_flattens_them() {
        assert_eq!(value_span([2.0, 10.0]).0, 0.0);
        assert!(value_span([99.0, 100.0]).0 > 98.0);
        assert_eq!(value_span([-10.0, -2.0]).1, 0.0);
    }
}
