//! Numbers for people: counts, shares, durations, and values of any size.

/// A whole number with commas between thousands.
pub(crate) fn count(number: u64) -> String {
    with_commas(&number.to_string())
}

/// A share of a whole in per cent, which says 0 and 100 only when it is exactly that.
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let percent = part as f64 / whole as f64 * 100.0;
    match percent {
        _ if part == 0 => "0 %".to_owned(),
        _ if part == whole => "100 %".to_owned(),
        p if p < 0.1 => "< 0.1 %".to_owned(),
        p if p > 99.9 && p < 100.0 => "> 99.9 %".to_owned(),
        p => format!("{p:.1} %"),
    }
}

/// A duration in the units one would say it in.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".to_owned();
    }
    if seconds < 9.995 {
        return format!("{seconds:.2} s");
    }
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    if whole < 3_600 {
        return format!("{} min {:02} s", whole / 60, whole % 60);
    }
    let minutes = whole / 60;
    format!("{} h {:02} min", count(minutes / 60), minutes % 60)
}

/// A confidence level, given as a fraction, in per cent.
pub(crate) fn level(fraction: f64) -> String {
    let percent = (fraction * 1e6).round() / 1e4;
    if percent.is_finite() { format!("{percent} %") } else { "? %".to_owned() }
}

/// A value with six digits that count: `24,924.5`, `0.00123457`, `1.5e21`.
pub(crate) fn value(value: f64) -> String {
    if value.is_nan() {
        return "–".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    let magnitude = value.abs();
    let text = if magnitude == 0.0 {
        "0".to_owned()
    } else if (1e-4..1e15).contains(&magnitude) {
        let integer_digits = magnitude.log10().floor() as i32 + 1;
        let decimals = (6 - integer_digits).clamp(0, 9) as usize;
        let text = format!("{magnitude:.decimals$}");
        with_commas(if decimals > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text })
    } else {
        let text = format!("{magnitude:.5e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
    };
    if value < 0.0 { format!("−{text}") } else { text }
}

/// Values for one table: with as many decimals each, so that they can be compared down a column.
pub(crate) fn aligned(values: &[f64]) -> Vec<String> {
    let finite = || values.iter().map(|value| value.abs()).filter(|value| value.is_finite());
    let greatest = finite().fold(0.0, f64::max);
    let least = finite().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
    let decimals = (5.0 - greatest.max(1e-4).log10().floor()).clamp(0.0, 9.0);
    // A value that would become zero is better off alone.
    if greatest >= 1e15 || least < 0.5 * 10f64.powf(-decimals) {
        return values.iter().copied().map(value).collect();
    }
    let text = |value: f64, decimals: usize| format!("{:.decimals$}", value.abs());
    let decimals = decimals as usize;
    let idle = |value: f64| text(value, decimals).chars().rev().take(decimals).take_while(|c| *c == '0').count();
    let decimals = decimals - finite().map(idle).min().unwrap_or(decimals);
    let one = |&number: &f64| match number {
        number if !number.is_finite() => value(number),
        number if number < 0.0 => format!("−{}", with_commas(&text(number, decimals))),
        number => with_commas(&text(number, decimals)),
    };
    values.iter().map(one).collect()
}

/// Commas between the thousands of the digits before the decimal point.
pub(crate) fn with_commas(digits: &str) -> String {
    let (integer, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = String::with_capacity(digits.len() + integer.len() / 3);
    for (at, digit) in integer.chars().enumerate() {
        if at > 0 && (integer.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_six_digits_and_no_idle_zeros() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (24_924.5, "24,924.5"),
            (-1_643_690.9, "−1,643,691"),
            (0.1 + 0.2, "0.3"),
            (123.0, "123"),
            (100_000.0, "100,000"),
            (0.000_123_456_7, "0.000123457"),
            (1.5e21, "1.5e21"),
            (2.5e-9, "2.5e-9"),
            (-f64::MAX, "−1.79769e308"),
            (5e-324, "4.94066e-324"),
            (f64::NAN, "–"),
            (f64::INFINITY, "∞"),
            (f64::NEG_INFINITY, "−∞"),
        ] {
            assert_eq!(value(number), text, "{number:e}");
        }
    }

    #[test]
    fn values_of_a_table_have_as_many_decimals_each() {
        assert_eq!(aligned(&[24_081.23, 24_308.0, -5.5]), ["24,081.2", "24,308.0", "−5.5"]);
        assert_eq!(aligned(&[24_081.0, 24_308.0]), ["24,081", "24,308"]);
        assert_eq!(aligned(&[1.5, f64::NAN, 0.25, 0.0]), ["1.50", "–", "0.25", "0.00"]);
        assert_eq!(aligned(&[1e12, 3.0]), ["1,000,000,000,000", "3"]);
        assert_eq!(aligned(&[1e6, 1e-3]), ["1,000,000", "0.001"], "no value may vanish");
        assert_eq!(aligned(&[2e-7, 1e20]), ["2e-7", "1e20"]);
        assert_eq!(aligned(&[0.0, 0.0]), ["0", "0"]);
        assert_eq!(aligned(&[f64::INFINITY]), ["∞"]);
        assert!(aligned(&[]).is_empty());
    }

    #[test]
    fn a_share_is_whole_only_when_it_is() {
        assert_eq!(share(1, 100_000), "< 0.1 %");
        assert_eq!(share(99_999, 100_000), "> 99.9 %");
        assert_eq!(share(0, 7), "0 %");
        assert_eq!(share(7, 7), "100 %");
        assert_eq!(share(1, 3), "33.3 %");
        assert_eq!(share(0, 0), "–");
    }

    #[test]
    fn durations_are_said_in_fitting_units() {
        for (seconds, text) in [
            (0.512, "0.51 s"),
            (9.999, "10.0 s"),
            (59.97, "1 min 00 s"),
            (252.4, "4 min 12 s"),
            (3_599.9, "1 h 00 min"),
            (4_000_000.0, "1,111 h 06 min"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds} s");
        }
    }

    #[test]
    fn levels_are_per_cent_without_rounding_dust() {
        assert_eq!(level(0.8), "80 %");
        assert_eq!(level(0.95), "95 %");
        assert_eq!(level(0.975), "97.5 %");
        assert_eq!(level(0.57), "57 %");
        assert_eq!(level(f64::NAN), "? %");
    }

    #[test]
    fn thousands_are_separated_before_the_point_only() {
        assert_eq!(with_commas("1234567.891011"), "1,234,567.891011");
        assert_eq!(with_commas("123"), "123");
        assert_eq!(count(1_000), "1,000");
    }
}
