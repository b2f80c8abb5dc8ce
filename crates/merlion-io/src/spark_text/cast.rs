//! Spark's cast of a CSV column to a string: the token is first read as the column's type, then printed.
//!
//! `001` in an integer column is the string `1`, ` 2` makes a column of doubles and is `2.0`.

use super::{SessionZone, parse_date, parse_timestamp, push_date, push_double, push_timestamp};
use crate::csv::{SparkType, parse_boolean, parse_decimal, parse_double, parse_long};

/// Appends what `cast(column as string)` makes of a token of a column with the inferred type `spark_type`.
///
/// Returns whether it is a value: `false` is null, which an empty token is, and one that the type cannot read.
///
/// ```
/// # use merlion_io::{csv::SparkType, spark_text::{SessionZone, spark_string}};
/// let mut out = Vec::new();
/// assert!(spark_string(b"007", SparkType::Int, &SessionZone::Utc, &mut out));
/// assert_eq!(out, b"7");
/// ```
#[inline]
pub fn spark_string(token: &[u8], spark_type: SparkType, zone: &SessionZone, out: &mut Vec<u8>) -> bool {
    if token.is_empty() {
        return false;
    }
    match spark_type {
        SparkType::Int => {
            if token.len() <= 9 && is_canonical_integer(token) {
                out.extend_from_slice(token);
                return true;
            }
            push_some(parse_long(token).filter(|&value| i32::try_from(value).is_ok()), |value| push_long(out, value))
        }
        SparkType::BigInt => {
            if token.len() <= 18 && is_canonical_integer(token) {
                out.extend_from_slice(token);
                return true;
            }
            push_some(parse_long(token), |value| push_long(out, value))
        }
        SparkType::Decimal(precision) => {
            let value = parse_decimal(token).filter(|(digits, _)| *digits <= precision);
            push_some(value, |(_, value)| out.extend_from_slice(value.to_string().as_bytes()))
        }
        SparkType::Double => push_some(parse_double(token), |value| push_double(out, value)),
        SparkType::Date => push_some(parse_date(token), |days| push_date(out, i64::from(days))),
        SparkType::Timestamp => push_some(parse_timestamp(token, zone), |micros| push_timestamp(out, micros, zone)),
        SparkType::Boolean => {
            push_some(parse_boolean(token), |value| out.extend_from_slice(if value { b"true" } else { b"false" }))
        }
        SparkType::String | SparkType::Null => {
            push_utf8(out, token);
            true
        }
    }
}

fn push_some<T>(value: Option<T>, push: impl FnOnce(T)) -> bool {
    match value {
        Some(value) => {
            push(value);
            true
        }
        None => false,
    }
}

/// Whether an integer's text is already the one Java prints.
#[inline]
fn is_canonical_integer(token: &[u8]) -> bool {
    let digits = match token {
        [b'0'] => return true,
        [b'-', rest @ ..] => rest,
        _ => token,
    };
    matches!(digits.first(), Some(b'1'..=b'9')) && digits.iter().all(u8::is_ascii_digit)
}

/// Appends a token as valid UTF-8: what is not becomes U+FFFD, as when Java decodes.
#[inline]
pub(crate) fn push_utf8(out: &mut Vec<u8>, token: &[u8]) {
    if token.is_ascii() || std::str::from_utf8(token).is_ok() {
        out.extend_from_slice(token);
    } else {
        out.extend_from_slice(String::from_utf8_lossy(token).as_bytes());
    }
}

/// Appends an integer.
pub(crate) fn push_long(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    super::time::push_padded(out, value.unsigned_abs(), 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cast(token: &str, spark_type: SparkType) -> Option<String> {
        let mut out = Vec::new();
        spark_string(token.as_bytes(), spark_type, &SessionZone::Utc, &mut out).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_token_is_read_as_its_type_and_printed_as_java_prints_it() {
        let cases = [
            ("001", SparkType::Int, Some("1")),
            ("+5", SparkType::Int, Some("5")),
            ("-0", SparkType::Int, Some("0")),
            ("-12", SparkType::Int, Some("-12")),
            ("2147483648", SparkType::Int, None),
            ("2147483648", SparkType::BigInt, Some("2147483648")),
            ("-9223372036854775808", SparkType::BigInt, Some("-9223372036854775808")),
            ("9223372036854775808", SparkType::Decimal(20), Some("9223372036854775808")),
            (" 2", SparkType::Double, Some("2.0")),
            ("1e10", SparkType::Double, Some("1.0E10")),
            ("NaN", SparkType::Double, Some("NaN")),
            ("x", SparkType::Double, None),
            ("TRUE", SparkType::Boolean, Some("true")),
            ("2012-11-02", SparkType::Date, Some("2012-11-02")),
            ("2012-11-02T01:02:03.50Z", SparkType::Timestamp, Some("2012-11-02 01:02:03.5")),
            (" a ", SparkType::String, Some(" a ")),
            ("", SparkType::String, None),
            ("", SparkType::Int, None),
        ];
        for (token, spark_type, want) in cases {
            assert_eq!(cast(token, spark_type).as_deref(), want, "{token} as {spark_type}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_become_replacement_characters() {
        let mut out = Vec::new();
        push_utf8(&mut out, b"a\xffb");
        assert_eq!(String::from_utf8(out).unwrap(), "a\u{fffd}b");
    }
}
