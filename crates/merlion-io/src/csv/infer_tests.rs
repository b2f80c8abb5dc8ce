//! Tests of the type inference, on the columns PySpark 3.5 was asked about.

use super::*;

fn column(tokens: &[&str]) -> ColumnInference {
    let mut column = ColumnInference::default();
    for (record, token) in tokens.iter().enumerate() {
        column.update(token.as_bytes(), record as u64 + 1, &SessionZone::Utc);
    }
    column
}

#[test]
fn columns_have_the_types_spark_gives_them() {
    let cases: [(&[&str], &str); 33] = [
        (&["1", "2", "-3"], "int"),
        (&["+5", "6", "7"], "int"),
        (&["007", "08", "1"], "int"),
        (&["2147483648", "1", "2"], "bigint"),
        (&["1", "2147483648"], "bigint"),
        (&["9223372036854775808", "1", "2"], "decimal(19,0)"),
        (&["2147483648", "9223372036854775808"], "decimal(20,0)"),
        (&["123456789012345678901234567890123456789012", "1"], "double"),
        (&["1.5", "2", "3"], "double"),
        (&["1", "2", "3.5"], "double"),
        (&["1e5", "1.0E10", "2"], "double"),
        (&["NaN", "1.5", "2"], "double"),
        (&["nan", "1.5", "2"], "string"),
        (&["Inf", "1.5", "-Inf"], "double"),
        (&["1d", "2f", "3"], "double"),
        (&[" 1", "2 ", " 3 "], "double"),
        (&["0x10", "1", "2"], "string"),
        (&["1_000", "1", "2"], "string"),
        (&["true", "False", "TRUE"], "boolean"),
        (&["true", "1", "0"], "string"),
        (&["1", "true"], "string"),
        (&["1", "2.5", "x"], "string"),
        (&["", "", ""], "string"),
        (&["1", "", "3"], "int"),
        (&["2012-11-02", "", "2012-11-16"], "date"),
        (&["2012-11-02", "2012-11-02 01:00:00", "2012-11-03"], "timestamp"),
        (&["2012-11-02 00:00:00", "2012-11-02"], "timestamp"),
        (&["2012-11-02", "5", "6"], "string"),
        (&["2012-11-02 00:00:00", "foo", "x"], "string"),
        (&["2012-11", "2012-1-5"], "timestamp"),
        (&["2012-11-02", "2012"], "timestamp"),
        (&["2012", "2012-11-02"], "string"),
        (&[".5", "5.", "-.5"], "double"),
    ];
    for (tokens, want) in cases {
        assert_eq!(column(tokens).finish().to_string(), want, "{tokens:?}");
    }
}

#[test]
fn a_column_cut_in_two_has_the_same_type_and_notes() {
    let cases: [&[&str]; 7] = [
        &["1", "2", "3.5", "4", "x", "y"],
        &["2012-11-02", "2012-11-03", "2012-11-02 01:00:00", ""],
        &["", "1", "2147483648", "7"],
        &["true", "1"],
        &["2012-11-02 01:00:00", "2012-11-02 01:00:00", "abc", "7", "abc"],
        &["", "", "NaN"],
        &["a", "2012-11-02", "1"],
    ];
    for tokens in cases {
        let whole = column(tokens);
        for cut in 0..=tokens.len() {
            let mut left = column(&tokens[..cut]);
            left.merge(&column(&tokens[cut..]), cut as u64);
            assert_eq!(left.finish(), whole.finish(), "{tokens:?} cut at {cut}");
            assert_eq!(left.nulls(), whole.nulls(), "{tokens:?} cut at {cut}");
            assert_eq!(left.not_a_number(), whole.not_a_number(), "{tokens:?} cut at {cut}");
            assert_eq!(left.not_a_time(), whole.not_a_time(), "{tokens:?} cut at {cut}");
            let zone = SessionZone::Utc;
            assert_eq!(left.time_range(&zone), whole.time_range(&zone), "{tokens:?} cut at {cut}");
        }
    }
}

#[test]
fn the_first_tokens_that_do_not_fit_are_remembered_with_their_records() {
    let numbers = column(&["1", "2.5", "", "n/a", "none"]);
    assert_eq!(numbers.not_a_number(), Some(&Sighting { token: "n/a".into(), record: 4 }));
    assert_eq!(numbers.not_a_time(), Some(&Sighting { token: "1".into(), record: 1 }));
    assert_eq!(numbers.nulls(), 1);
    let times = column(&["2012-11-02 00:00:00", "2012-11-02 25:00:00", "", "soon"]);
    assert_eq!(times.not_a_number().map(|s| s.record), Some(1));
    assert_eq!(times.not_a_time(), Some(&Sighting { token: "soon".into(), record: 4 }));
    assert_eq!(column(&["1", "2.5"]).not_a_number(), None);
}

#[test]
fn time_columns_know_their_first_and_last_instant() {
    let day = SECONDS_PER_DAY * MICROS_PER_SECOND;
    let dates = column(&["1970-01-03", "1970-01-02", "1970-01-04"]);
    assert_eq!(dates.time_range(&SessionZone::Fixed(3600)), Some(TimeRange { min: day, max: 3 * day }));
    let mixed = column(&["1970-01-02 00:00:01", "1970-01-02", "1970-01-01T00:00:00Z"]);
    assert_eq!(mixed.time_range(&SessionZone::Utc), Some(TimeRange { min: 0, max: day + MICROS_PER_SECOND }));
    assert_eq!(column(&["1", "2"]).time_range(&SessionZone::Utc), None);
}
