//! The types Spark's CSV inference can find, and how two of them widen into one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A column type as Spark's `inferSchema` names it.
///
/// ```text
/// int -> bigint -> decimal(p,0) -> double     date -> timestamp     anything else mixed -> string
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SparkType {
    /// No value seen yet; [`SparkType::or_string`] turns it into the string column Spark makes of it.
    Null,
    /// 32-bit integer.
    Int,
    /// 64-bit integer.
    BigInt,
    /// Integers beyond 64 bits: `decimal(p,0)`, p ≤ 38.
    Decimal(u8),
    /// 64-bit float.
    Double,
    /// Day without a time: only the exact form `yyyy-MM-dd`.
    Date,
    /// Instant with microseconds, read in the session time zone.
    Timestamp,
    /// `true`/`false` in any case.
    Boolean,
    /// Text, as it is.
    String,
}

/// The largest precision a Spark decimal has.
const MAX_PRECISION: u8 = 38;

impl SparkType {
    /// The type of a column that has values of both types (Spark's `compatibleType`).
    ///
    /// Associative but for decimals beside integers, where Spark's own answer depends on the order, too.
    pub fn merge(self, other: Self) -> Self {
        use SparkType::{BigInt, Date, Decimal, Double, Int, Null, String, Timestamp};
        match (self, other) {
            (a, b) if a == b => a,
            (Null, t) | (t, Null) => t,
            (Int, BigInt) | (BigInt, Int) => BigInt,
            (Int | BigInt, Double) | (Double, Int | BigInt) => Double,
            (Double, Decimal(_)) | (Decimal(_), Double) => Double,
            (Int, Decimal(p)) | (Decimal(p), Int) => Self::decimal(p.max(10)),
            (BigInt, Decimal(p)) | (Decimal(p), BigInt) => Self::decimal(p.max(20)),
            (Decimal(p), Decimal(q)) => Self::decimal(p.max(q)),
            (Date, Timestamp) | (Timestamp, Date) => Timestamp,
            _ => String,
        }
    }

    /// `decimal(precision,0)`, or double when no Spark decimal is that wide.
    pub(crate) fn decimal(precision: u8) -> Self {
        if precision > MAX_PRECISION { Self::Double } else { Self::Decimal(precision) }
    }

    /// The type of the finished column: one without any value is a string column.
    pub fn or_string(self) -> Self {
        if self == Self::Null { Self::String } else { self }
    }

    /// Whether values of this type are numbers.
    pub fn is_numeric(self) -> bool {
        matches!(self, Self::Int | Self::BigInt | Self::Decimal(_) | Self::Double)
    }

    /// Whether values of this type are days or instants.
    pub fn is_time(self) -> bool {
        matches!(self, Self::Date | Self::Timestamp)
    }
}

impl fmt::Display for SparkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("void"),
            Self::Int => f.write_str("int"),
            Self::BigInt => f.write_str("bigint"),
            Self::Decimal(precision) => write!(f, "decimal({precision},0)"),
            Self::Double => f.write_str("double"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Boolean => f.write_str("boolean"),
            Self::String => f.write_str("string"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SparkType::{BigInt, Boolean, Date, Decimal, Double, Int, Null, String, Timestamp};

    #[test]
    fn types_widen_as_spark_widens_them() {
        let cases = [
            (Null, Int, Int),
            (Int, BigInt, BigInt),
            (Int, Decimal(19), Decimal(19)),
            (BigInt, Decimal(19), Decimal(20)),
            (Decimal(38), Decimal(20), Decimal(38)),
            (Decimal(20), Double, Double),
            (Int, Double, Double),
            (Date, Timestamp, Timestamp),
            (Date, Int, String),
            (Boolean, Int, String),
            (Boolean, Boolean, Boolean),
            (Timestamp, String, String),
        ];
        for (a, b, want) in cases {
            assert_eq!(a.merge(b), want, "{a} with {b}");
            assert_eq!(b.merge(a), want, "{b} with {a}");
        }
    }

    #[test]
    fn types_print_as_spark_prints_them() {
        assert_eq!(Decimal(19).to_string(), "decimal(19,0)");
        assert_eq!(BigInt.to_string(), "bigint");
        assert_eq!(Null.or_string().to_string(), "string");
    }
}
