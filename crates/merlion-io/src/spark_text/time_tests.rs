//! Tests of the readers and printers of days and instants, on tokens PySpark 3.5 was asked about.

use super::*;

fn timestamp(token: &str) -> Option<String> {
    parse_timestamp(token.as_bytes(), &SessionZone::Utc).map(|micros| {
        let mut out = Vec::new();
        push_timestamp(&mut out, micros, &SessionZone::Utc);
        String::from_utf8(out).unwrap()
    })
}

fn date(token: &str) -> Option<String> {
    parse_date(token.as_bytes()).map(|days| {
        let mut out = Vec::new();
        push_date(&mut out, i64::from(days));
        String::from_utf8(out).unwrap()
    })
}

#[test]
fn timestamps_are_read_leniently() {
    let cases = [
        ("2012-11-02 00:00:00", Some("2012-11-02 00:00:00")),
        ("2012-11-02 23:59:59.999999", Some("2012-11-02 23:59:59.999999")),
        ("2012-11-02 23:59:59.9999999", Some("2012-11-02 23:59:59.999999")),
        ("2012-11-02 01:02:03.5", Some("2012-11-02 01:02:03.5")),
        ("2012-11-02 00:00", Some("2012-11-02 00:00:00")),
        ("2012-11-02 00", Some("2012-11-02 00:00:00")),
        ("2012-11-02T00:00:00.000Z", Some("2012-11-02 00:00:00")),
        ("2012-11-02T00:00:00+01:00", Some("2012-11-01 23:00:00")),
        ("2012-11-02T23:00:00-05:00", Some("2012-11-03 04:00:00")),
        ("2012-11-02 00:00:00 UTC", Some("2012-11-02 00:00:00")),
        ("2012-11-02 00:00:00 Asia/Tokyo", Some("2012-11-01 15:00:00")),
        ("2012", Some("2012-01-01 00:00:00")),
        ("2012-11", Some("2012-11-01 00:00:00")),
        ("2012-1-5", Some("2012-01-05 00:00:00")),
        (" 2012-11-02 ", Some("2012-11-02 00:00:00")),
        ("12012-01-01", Some("+12012-01-01 00:00:00")),
        ("-0001-01-01", Some("-0001-01-01 00:00:00")),
        ("+2012-11-02", Some("2012-11-02 00:00:00")),
        ("2012-11-02 1:2:3", Some("2012-11-02 01:02:03")),
        ("2012-11-02 25:00:00", None),
        ("2012-11-02 00:00Z", None),
        ("2012-11-02+01:00", None),
        ("2012-11-02T", None),
        ("2012-11-02 foo", None),
        ("2012-13-02", None),
        ("2012-02-30", None),
        ("11/2/2012", None),
        ("20121102", None),
        ("2012.5", None),
        ("abc", None),
        ("", None),
        ("-", None),
    ];
    for (token, want) in cases {
        assert_eq!(timestamp(token).as_deref(), want, "{token}");
    }
}

#[test]
fn a_time_alone_is_today_s() {
    let midnight = parse_timestamp(b"00:00:00", &SessionZone::Utc).unwrap();
    let now = chrono::Utc::now().timestamp();
    let days = now.div_euclid(SECONDS_PER_DAY) - midnight / MICROS_PER_SECOND / SECONDS_PER_DAY;
    assert!((0..=1).contains(&days), "{days} days between now and today's midnight");
    assert_eq!(midnight % (SECONDS_PER_DAY * MICROS_PER_SECOND), 0);
}

#[test]
fn dates_are_read_leniently_and_ignore_what_follows() {
    let cases = [
        ("2012-11-02", Some("2012-11-02")),
        ("2012-11-2", Some("2012-11-02")),
        ("2012-1", Some("2012-01-01")),
        ("2012", Some("2012-01-01")),
        ("2012-11-02 foo", Some("2012-11-02")),
        ("2012-11-02T", Some("2012-11-02")),
        ("2012-11-02 25:00:00", Some("2012-11-02")),
        (" 2012-11-02 ", Some("2012-11-02")),
        ("+2012-11-02", Some("2012-11-02")),
        ("-0001-01-01", Some("-0001-01-01")),
        ("99999-01-01", Some("+99999-01-01")),
        ("2012-11 foo", None),
        ("2012-11-02+01:00", None),
        ("11/2/2012", None),
        ("20121102", None),
        ("2012-02-30", None),
        ("today", None),
        ("", None),
    ];
    for (token, want) in cases {
        assert_eq!(date(token).as_deref(), want, "{token}");
    }
}

#[test]
fn inference_calls_only_the_strict_form_a_date() {
    let yes = ["2012-11-02", "0099-01-01", "1582-10-10", "+12012-01-01", "-0001-01-01"];
    let no = ["2012-11", "2012-11-2", "12012-01-01", "+2012-11-02", "2012-02-30", " 2012-11-02", "2012-11-02 ", ""];
    for token in yes {
        assert!(is_iso_date(token.as_bytes()), "{token}");
    }
    for token in no {
        assert!(!is_iso_date(token.as_bytes()), "{token}");
    }
}

#[test]
fn a_time_without_zone_is_local_to_the_session() {
    let la: SessionZone = "America/Los_Angeles".parse().unwrap();
    let mut out = Vec::new();
    push_timestamp(&mut out, parse_timestamp(b"2012-11-02T00:00:00Z", &la).unwrap(), &la);
    assert_eq!(out, b"2012-11-01 17:00:00");
    assert_eq!(parse_timestamp(b"2012-11-02 00:00:00", &la), parse_timestamp(b"2012-11-02T07:00:00Z", &la));
}
