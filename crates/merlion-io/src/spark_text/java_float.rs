//! `Float.toString` and `Double.toString` of the JDKs that Spark 3 runs on (8 to 18), digit for digit.
//!
//! Plain notation for 1e-3 ≤ |v| < 1e7, otherwise `d.dddE±x`; always one digit behind the point. The digits are the
//! shortest that read back as the same number, but for integers from 2^25 (float) or 2^54 (double) on, where these
//! JDKs round to the digits that are significant for certain: `1.23456792E8`, not `1.2345679E8`.
//!
//! Known to differ from JDK 17, always reading back as the same number: a few numbers from 2^63 on (`1e23` there is
//! `9.999999999999999E22`), some subnormals in their last digit, and exact powers of two below 1e-3, which there may
//! have one digit more (2^-27 is `7.4505806E-9`, here `7.450581E-9`).

use std::fmt::{Arguments, LowerExp};
use std::io::Write;
use std::str::FromStr;

const POWERS: [f64; 19] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

/// Appends `value` as `Float.toString` prints it.
///
/// ```
/// let mut out = Vec::new();
/// merlion_io::spark_text::push_float(&mut out, 21_595.498);
/// assert_eq!(out, b"21595.498");
/// ```
pub fn push_float(out: &mut Vec<u8>, value: f32) {
    let wide = f64::from(value);
    let magnitude = wide.abs();
    if push_special(out, wide) {
        return;
    }
    if (1e-3..1e7).contains(&magnitude) {
        // 24 bits of the float and at most 28 of the power of five: the product is exact, so its rounding is, too.
        for (places, power) in POWERS.iter().enumerate().take(13) {
            let scaled = (magnitude * power).round_ties_even();
            if scaled >= 1e10 {
                break;
            }
            if (scaled / power) as f32 == magnitude as f32 {
                return push_fixed(out, scaled as u64, places);
            }
        }
    }
    if integer_digits(out, magnitude, 24) {
        return;
    }
    push_shortest(out, value.abs(), true);
}

/// Appends `value` as `Double.toString` prints it.
///
/// ```
/// let mut out = Vec::new();
/// merlion_io::spark_text::push_double(&mut out, 1e7);
/// assert_eq!(out, b"1.0E7");
/// ```
pub fn push_double(out: &mut Vec<u8>, value: f64) {
    let magnitude = value.abs();
    if push_special(out, value) {
        return;
    }
    if (1e-3..1e7).contains(&magnitude) {
        // Up to 15 digits a decimal number is the only one of its length that reads as its double: if the double has
        // one so short, then the rounding to 15 digits is that one with zeros behind it.
        let places = 14 - POWERS[1..8].iter().take_while(|&&power| magnitude >= power).count();
        let scaled = (magnitude * POWERS[places]).round_ties_even();
        if scaled / POWERS[places] == magnitude {
            let (mut number, mut places) = (scaled as u64, places);
            for (digits, power) in [(8, 100_000_000), (4, 10_000), (2, 100), (1, 10)] {
                while places >= digits && number % power == 0 {
                    number /= power;
                    places -= digits;
                }
            }
            return push_fixed(out, number, places);
        }
    }
    if integer_digits(out, magnitude, 53) {
        return;
    }
    // Half way between two 17-digit texts lies only a number of 18 digits in all: few bits behind the point.
    let plain = (1e-3..1e7).contains(&magnitude);
    push_shortest(out, magnitude, !plain || (magnitude * 4_194_304.0).fract() == 0.0);
}

/// Appends the sign, and the whole text of what has no digits; says whether it was that.
fn push_special(out: &mut Vec<u8>, value: f64) -> bool {
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
        return true;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    if value.is_infinite() {
        out.extend_from_slice(b"Infinity");
    } else if value == 0.0 {
        out.extend_from_slice(b"0.0");
    } else {
        return false;
    }
    true
}

/// Appends `number / 10^places` in plain notation.
fn push_fixed(out: &mut Vec<u8>, mut number: u64, places: usize) {
    let mut buffer = [b'0'; 24];
    let mut at = buffer.len();
    if places == 0 {
        at -= 2;
        buffer[at] = b'.';
    } else {
        for _ in 0..places {
            at -= 1;
            buffer[at] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        at -= 1;
        buffer[at] = b'.';
    }
    loop {
        at -= 1;
        buffer[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&buffer[at..]);
}

/// Appends an integer of 1e7 to 2^63 in scientific notation by the JDK's own rule; `mantissa` is the width of the type.
fn integer_digits(out: &mut Vec<u8>, magnitude: f64, mantissa: u32) -> bool {
    if !(1e7..9_223_372_036_854_775_808.0).contains(&magnitude) || magnitude.trunc() != magnitude {
        return false;
    }
    let mut number = magnitude as u64;
    let bits = number.ilog2();
    let spare = bits.saturating_sub(mantissa + 1);
    if spare > 1 {
        let power = 10_u64.pow((f64::from(spare) * std::f64::consts::LOG10_2) as u32);
        let rest = number % power;
        number -= rest;
        if power > 1 && rest >= power / 2 {
            number += power;
        }
    }
    let mut buffer = [0_u8; 20];
    let mut at = buffer.len();
    while number > 0 {
        at -= 1;
        buffer[at] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    let digits = &buffer[at..];
    let significant = digits.iter().rposition(|&d| d != b'0').map_or(1, |last| last + 1);
    push_scientific(out, &digits[..significant], digits.len() as i32 - 1);
    true
}

/// Appends the shortest digits that read back as the number, but two at least: `4.9E-324`.
fn push_shortest<F: LowerExp + FromStr + PartialEq>(out: &mut Vec<u8>, magnitude: F, may_tie: bool) {
    let mut text = [0_u8; 32];
    let mut len = format_into(&mut text, format_args!("{magnitude:e}"));
    if text[1] == b'e' {
        len = format_into(&mut text, format_args!("{magnitude:.1e}"));
    } else if may_tie {
        // The number may lie half way between two such texts: Rust then takes the upper, Java the even one.
        let places = text[..len].iter().position(|&b| b == b'e').map_or(0, |e| e - 2);
        let mut even = [0_u8; 32];
        let even_len = format_into(&mut even, format_args!("{magnitude:.places$e}"));
        let same = std::str::from_utf8(&even[..even_len])
            .is_ok_and(|text| text.parse::<F>().is_ok_and(|read| read == magnitude));
        if same {
            (text, len) = (even, even_len);
        }
    }
    push_scientific_text(out, &text[..len]);
}

/// Formats into a buffer that is long enough; returns the length.
fn format_into(text: &mut [u8], arguments: Arguments<'_>) -> usize {
    let size = text.len();
    let mut rest = text;
    let written = rest.write_fmt(arguments);
    debug_assert!(written.is_ok(), "a number in scientific notation has fewer than {size} characters");
    size - rest.len()
}

/// Appends Rust's `d.ddde±x` as Java prints it.
fn push_scientific_text(out: &mut Vec<u8>, text: &[u8]) {
    let mut digits = [0_u8; 20];
    let mut count = 0;
    let mut exponent = 0_i32;
    let mut parts = text.split(|&b| b == b'e');
    for &b in parts.next().unwrap_or_default() {
        if b != b'.' {
            digits[count] = b;
            count += 1;
        }
    }
    let tail = parts.next().unwrap_or_default();
    for &b in tail {
        if b != b'-' {
            exponent = exponent * 10 + i32::from(b - b'0');
        }
    }
    if tail.first() == Some(&b'-') {
        exponent = -exponent;
    }
    while count > 1 && digits[count - 1] == b'0' {
        count -= 1;
    }
    push_scientific(out, &digits[..count], exponent);
}

/// Appends digits with the point behind the first and a power of ten, or plainly where Java does.
fn push_scientific(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    match exponent {
        -3..=-1 => {
            out.extend_from_slice(&b"0.00"[..(1 - exponent) as usize]);
            out.extend_from_slice(digits);
        }
        0..=6 => {
            let integer = exponent as usize + 1;
            for at in 0..integer {
                out.push(digits.get(at).copied().unwrap_or(b'0'));
            }
            out.push(b'.');
            out.extend_from_slice(digits.get(integer..).filter(|rest| !rest.is_empty()).unwrap_or(b"0"));
        }
        _ => {
            out.push(digits[0]);
            out.push(b'.');
            out.extend_from_slice(if digits.len() > 1 { &digits[1..] } else { b"0" });
            out.push(b'E');
            if exponent < 0 {
                out.push(b'-');
            }
            super::time::push_padded(out, u64::from(exponent.unsigned_abs()), 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(value: f32) -> String {
        let mut out = Vec::new();
        push_float(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    fn double(value: f64) -> String {
        let mut out = Vec::new();
        push_double(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn doubles_print_as_jdk_17_prints_them() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (100.0, "100.0"),
            (9_999_999.0, "9999999.0"),
            (9_999_999.9, "9999999.9"),
            (1e7, "1.0E7"),
            (12_345_678.9, "1.23456789E7"),
            (0.001, "0.001"),
            (0.012, "0.012"),
            (9.999e-4, "9.999E-4"),
            (1e-4, "1.0E-4"),
            (1.0 / 3.0, "0.3333333333333333"),
            (123_456_789.123_456_79, "1.2345678912345679E8"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1234.5678901234567, "1234.5678901234567"),
            (9_007_199_254_740_993.0, "9.007199254740992E15"),
            (1_365_641_725_257_175.0 + 0.25, "1.3656417252571752E15"),
            (2_f64.powi(-25), "2.9802322387695312E-8"),
            (1.0 + 2_f64.powi(-17), "1.0000076293945312"),
            (1e22, "1.0E22"),
            (1e21, "1.0E21"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157E308"),
            (2.225_073_858_507_201_4e-308, "2.2250738585072014E-308"),
            (5e-324, "4.9E-324"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, want) in cases {
            assert_eq!(double(value), want, "{value:e}");
        }
    }

    #[test]
    fn floats_print_as_jdk_17_prints_them() {
        let cases = [
            (21_595.498, "21595.498"),
            (0.1, "0.1"),
            (2_f32.powi(21) + 0.25, "2097152.2"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (12_345_679.0, "1.2345679E7"),
            (33_554_432.0, "3.3554432E7"),
            (123_456_790.0, "1.23456792E8"),
            (9_007_199_300_000_000.0, "9.0071993E15"),
            (8_589_934_500.0, "8.5899346E9"),
            (1e10, "1.0E10"),
            (1e21, "1.0E21"),
            (1e-5, "1.0E-5"),
            (1.234_5e-4, "1.2345E-4"),
            (3.402_823_5e38, "3.4028235E38"),
            (1e-45, "1.4E-45"),
            (3e-44, "2.9E-44"),
            (f32::INFINITY, "Infinity"),
        ];
        for (value, want) in cases {
            assert_eq!(float(value), want, "{value:e}");
        }
    }

    #[test]
    fn every_text_reads_back_as_its_number() {
        let mut state = 7_u64;
        for _ in 0..50_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(state ^ (state >> 29));
            if value.is_finite() {
                assert_eq!(double(value).parse(), Ok(value), "{value:e}");
            }
            let value = f32::from_bits((state >> 32) as u32);
            if value.is_finite() {
                assert_eq!(float(value).parse(), Ok(value), "{value:e}");
            }
        }
    }
}
