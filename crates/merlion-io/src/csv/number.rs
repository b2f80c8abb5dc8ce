//! Text to number as the JVM does it under Spark: `Integer.parseInt`, `BigDecimal`, `Double.parseDouble`,
//! `String.toBoolean`. ASCII digits only.

/// Powers of ten that a double holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// `Integer.parseInt`: an optional sign and digits, nothing else.
pub fn parse_int(token: &[u8]) -> Option<i32> {
    parse_long(token).and_then(|value| i32::try_from(value).ok())
}

/// `Long.parseLong`: an optional sign and digits, nothing else.
#[inline]
pub fn parse_long(token: &[u8]) -> Option<i64> {
    let (negative, digits) = match token {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, token),
    };
    if digits.is_empty() {
        return None;
    }
    if digits.len() <= 18 {
        let mut value = 0_i64;
        for &b in digits {
            let digit = b.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value * 10 + i64::from(digit);
        }
        return Some(if negative { -value } else { value });
    }
    let mut value = 0_i64;
    for &b in digits {
        let digit = b.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // Downwards, because the smallest long has no positive twin.
        value = value.checked_mul(10)?.checked_sub(i64::from(digit))?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

/// `new BigDecimal(token)` where the result is an integer that a Spark `decimal(p,0)` holds: its precision and value.
///
/// `None` for fractions, for a negative scale (`1e5`), and beyond 38 digits: those Spark reads as doubles.
pub fn parse_decimal(token: &[u8]) -> Option<(u8, i128)> {
    let number = Decimal::shape(token)?;
    let scale = i64::try_from(number.fraction.len()).ok()?.checked_sub(number.exponent)?;
    if scale != 0 {
        return None;
    }
    let mut value = 0_i128;
    let mut precision = 0_u8;
    for &b in number.integer.iter().chain(number.fraction) {
        if precision > 0 || b != b'0' {
            precision += 1;
        }
        if precision > 38 {
            return None;
        }
        value = value * 10 + i128::from(b - b'0');
    }
    Some((precision.max(1), if number.negative { -value } else { value }))
}

/// The parts of `[+-]digits[.digits][e[+-]digits]` with at least one digit before the exponent.
struct Decimal<'a> {
    negative: bool,
    integer: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Decimal<'a> {
    fn shape(token: &'a [u8]) -> Option<Self> {
        let (negative, rest) = match token {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, token),
        };
        let (integer, rest) = split_digits(rest);
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => split_digits(rest),
            _ => (&rest[..0], rest),
        };
        if integer.is_empty() && fraction.is_empty() {
            return None;
        }
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', rest @ ..] => i64::from(parse_int(rest)?),
            _ => return None,
        };
        Some(Self { negative, integer, fraction, exponent })
    }
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len()))
}

/// Whether the token is `[+-]digits[.digits]`: a double for certain, seen without computing it.
#[inline]
pub(crate) fn is_plain_decimal(token: &[u8]) -> bool {
    let digits = match token {
        [b'-' | b'+', rest @ ..] => rest,
        _ => token,
    };
    let mut points = 0;
    for &b in digits {
        if b.wrapping_sub(b'0') > 9 {
            if b != b'.' {
                return false;
            }
            points += 1;
        }
    }
    points <= 1 && digits.len() > points
}

/// `Double.parseDouble`, and Spark's own words `NaN`, `Inf` and `-Inf`.
///
/// Blanks around the number are trimmed; Java's type suffixes (`1d`, `2f`) and hexadecimal floats (`0x1p3`) are read.
#[inline]
pub fn parse_double(token: &[u8]) -> Option<f64> {
    plain_double(token).or_else(|| java_double(token))
}

/// `[+-]digits[.digits]` of so few digits that one division is exact (Clinger).
#[inline]
fn plain_double(token: &[u8]) -> Option<f64> {
    let (negative, digits) = match token {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, token),
    };
    if digits.len() > 19 || digits.is_empty() {
        return None;
    }
    let mut mantissa = 0_u64;
    let mut behind_point = None;
    for (at, &b) in digits.iter().enumerate() {
        let digit = b.wrapping_sub(b'0');
        if digit <= 9 {
            mantissa = mantissa * 10 + u64::from(digit);
        } else if b == b'.' && behind_point.is_none() {
            behind_point = Some(at + 1);
        } else {
            return None;
        }
    }
    let fraction = behind_point.map_or(0, |at| digits.len() - at);
    if mantissa >= 1 << 53 || (behind_point.is_some() && digits.len() == 1) {
        return None;
    }
    let value = mantissa as f64 / EXACT_POWERS[fraction];
    Some(if negative { -value } else { value })
}

#[cold]
fn java_double(token: &[u8]) -> Option<f64> {
    match token {
        b"Inf" => return Some(f64::INFINITY),
        b"-Inf" => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    let text = java_trim(token);
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let magnitude = match unsigned {
        b"NaN" => f64::NAN,
        b"Infinity" => f64::INFINITY,
        [b'0', b'x' | b'X', hex @ ..] => hex_double(hex)?,
        _ => {
            let number = match unsigned {
                [number @ .., b'd' | b'D' | b'f' | b'F'] => number,
                _ => unsigned,
            };
            let (integer, rest) = split_digits(number);
            let (fraction, rest) = match rest {
                [b'.', rest @ ..] => split_digits(rest),
                _ => (&rest[..0], rest),
            };
            if integer.is_empty() && fraction.is_empty() {
                return None;
            }
            if let [e, exponent @ ..] = rest {
                let digits = match exponent {
                    [b'+' | b'-', digits @ ..] => digits,
                    _ => exponent,
                };
                if !matches!(e, b'e' | b'E') || digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                    return None;
                }
            }
            std::str::from_utf8(number).ok()?.parse::<f64>().ok()?
        }
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// `hex[.hex]p[+-]digits[fFdD]` behind the `0x`. Digits beyond the 15th are cut, not rounded: nobody writes them.
fn hex_double(text: &[u8]) -> Option<f64> {
    let at = text.iter().position(|b| matches!(b, b'p' | b'P'))?;
    let (digits, exponent) = (&text[..at], &text[at + 1..]);
    let exponent = match exponent {
        [number @ .., b'd' | b'D' | b'f' | b'F'] => number,
        _ => exponent,
    };
    let mut exponent = i64::from(parse_int(exponent)?);
    let (mut mantissa, mut any, mut point) = (0_u64, false, false);
    for &b in digits {
        if b == b'.' && !point {
            point = true;
            continue;
        }
        let digit = u64::from(char::from(b).to_digit(16)?);
        any = true;
        if mantissa >> 56 == 0 {
            mantissa = mantissa << 4 | digit;
            exponent -= if point { 4 } else { 0 };
        } else if !point {
            exponent += 4;
        }
    }
    any.then(|| {
        // Two steps, so that neither factor leaves the range of a double before the product does.
        let exponent = exponent.clamp(-2200, 2200) as i32;
        mantissa as f64 * 2_f64.powi(exponent / 2) * 2_f64.powi(exponent - exponent / 2)
    })
}

/// Java's `String.trim`: everything up to the blank is dropped from both ends.
pub(crate) fn java_trim(token: &[u8]) -> &[u8] {
    let from = token.iter().position(|&b| b > b' ').unwrap_or(token.len());
    let to = token.iter().rposition(|&b| b > b' ').map_or(from, |at| at + 1);
    &token[from..to]
}

/// `true` or `false` in any case.
pub fn parse_boolean(token: &[u8]) -> Option<bool> {
    if token.eq_ignore_ascii_case(b"true") {
        Some(true)
    } else if token.eq_ignore_ascii_case(b"false") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longs_are_read_to_their_last_value() {
        let cases: [(&str, Option<i64>); 13] = [
            ("1", Some(1)),
            ("-3", Some(-3)),
            ("+5", Some(5)),
            ("007", Some(7)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("000000000000000000000012", Some(12)),
            ("", None),
            ("-", None),
            (" 1", None),
            ("1_000", None),
            ("1.0", None),
        ];
        for (token, want) in cases {
            assert_eq!(parse_long(token.as_bytes()), want, "{token}");
        }
        assert_eq!(parse_int(b"2147483648"), None);
        assert_eq!(parse_int(b"-2147483648"), Some(i32::MIN));
    }

    #[test]
    fn decimals_are_integers_beyond_a_long() {
        let cases: [(&str, Option<(u8, i128)>); 9] = [
            ("9223372036854775808", Some((19, 9_223_372_036_854_775_808))),
            ("-00012", Some((2, -12))),
            ("0", Some((1, 0))),
            ("5.", Some((1, 5))),
            ("1.5e1", Some((2, 15))),
            ("1e5", None),
            ("1.5", None),
            ("123456789012345678901234567890123456789", None),
            (".", None),
        ];
        for (token, want) in cases {
            assert_eq!(parse_decimal(token.as_bytes()), want, "{token}");
        }
    }

    #[test]
    fn doubles_are_read_as_java_reads_them() {
        let cases: [(&str, Option<f64>); 22] = [
            ("1.5", Some(1.5)),
            ("-0.0", Some(-0.0)),
            ("1234567.891", Some(1234567.891)),
            ("0.1", Some(0.1)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1e5", Some(1e5)),
            ("1.0E10", Some(1e10)),
            ("9007199254740993", Some(9007199254740992.0)),
            ("123456789012345678901234567890", Some(1.2345678901234568e29)),
            ("1d", Some(1.0)),
            ("2f", Some(2.0)),
            (" 3 ", Some(3.0)),
            ("Inf", Some(f64::INFINITY)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("0x1.8p1", Some(3.0)),
            ("0x10", None),
            ("nan", None),
            ("inf", None),
            ("1e", None),
            (".", None),
            ("1,5", None),
        ];
        for (token, want) in cases {
            let got = parse_double(token.as_bytes());
            assert_eq!(got.map(f64::to_bits), want.map(f64::to_bits), "{token}: {got:?} for {want:?}");
        }
        assert!(parse_double(b"NaN").is_some_and(f64::is_nan));
    }

    #[test]
    fn the_short_path_agrees_with_the_standard_library() {
        let mut state = 1_u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let digits = (state >> 33) as usize % 12 + 1;
            let number = (state >> 20) as f64 / 10_f64.powi(digits as i32);
            let token = format!("{number:.digits$}");
            assert_eq!(parse_double(token.as_bytes()), token.parse().ok(), "{token}");
            assert!(is_plain_decimal(token.as_bytes()), "{token}");
        }
    }

    #[test]
    fn booleans_are_two_words_in_any_case() {
        assert_eq!(parse_boolean(b"TRUE"), Some(true));
        assert_eq!(parse_boolean(b"False"), Some(false));
        assert_eq!(parse_boolean(b"yes"), None);
    }
}
