//! Tests of the decoder: cuts, headers, readings, and the errors that name their record.

use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, TimestampNanosecondType};

use super::*;

fn projected(index: usize, read: Read) -> Projected {
    Projected { name: format!("c{index}"), index, read }
}

fn decode(
    projection: &[Projected],
    options: DecoderOptions,
    chunks: &[&[u8]],
) -> Result<Vec<RecordBatch>, DecodeError> {
    let mut decoder = CsvDecoder::new(projection, 9, options)?;
    decoder.begin_file();
    for chunk in chunks {
        decoder.push(chunk)?;
    }
    decoder.finish()?;
    Ok(std::iter::from_fn(|| decoder.next_batch()).collect())
}

fn times(read: Read, zone: &str, tokens: &[&str]) -> Vec<Option<i64>> {
    let text = format!("t\n{}\n", tokens.join(",x\n"));
    let options = DecoderOptions { zone: zone.parse().unwrap(), ..Default::default() };
    let batches = decode(&[projected(0, read)], options, &[text.as_bytes()]).unwrap();
    batches[0].column(0).as_primitive::<TimestampNanosecondType>().iter().collect()
}

const HOUR: i64 = 3600 * 1_000_000_000;
const DAY: i64 = 24 * HOUR;

#[test]
fn bytes_cut_anywhere_give_the_same_rows() {
    let file = b"\xef\xbb\xbfid,t,y\r\n01,2012-11-02,1.5\r\n\r\n \n2,\"2012-11-03\",\r\n,,nope\n3";
    let projection = [
        projected(0, Read::Utf8SparkString(SparkType::Int)),
        projected(1, Read::TimeAsDate(SparkType::Date)),
        projected(2, Read::Float64),
    ];
    let whole = decode(&projection, DecoderOptions::default(), &[file]).unwrap();
    assert_eq!(whole.len(), 1);
    let ids: Vec<_> = whole[0].column(0).as_string::<i32>().iter().collect();
    assert_eq!(ids, [Some("1"), Some("2"), None, Some("3")]);
    let days: Vec<_> = whole[0].column(1).as_primitive::<TimestampNanosecondType>().iter().collect();
    assert_eq!(days, [Some(15_646 * DAY), Some(15_647 * DAY), None, None]);
    let values: Vec<_> = whole[0].column(2).as_primitive::<Float64Type>().iter().collect();
    assert_eq!(values, [Some(1.5), None, None, None]);
    for cut in 0..=file.len() {
        let got = decode(&projection, DecoderOptions::default(), &[&file[..cut], &file[cut..]]).unwrap();
        assert_eq!(got, whole, "cut at {cut}");
    }
}

#[test]
fn batches_have_the_size_asked_for() {
    let options = DecoderOptions { batch_size: 2, ..Default::default() };
    let batches = decode(&[projected(0, Read::Float64)], options, &[b"y\n1\n2\n3\n4\n5\n"]).unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [2, 2, 1]);
}

#[test]
fn no_column_at_all_still_counts_rows() {
    let batches = decode(&[], DecoderOptions::default(), &[b"y\n1\n\n2\n"]).unwrap();
    assert_eq!((batches[0].num_rows(), batches[0].num_columns()), (2, 0));
}

#[test]
fn a_date_is_the_day_in_the_session_s_zone() {
    let read = Read::TimeAsDate(SparkType::Timestamp);
    let tokens = ["1970-01-03T00:00:00Z", "1970-01-03 00:00:00", "1970-01-03T03:00:00+05:30", "1970-01-03"];
    let day = |days: [i64; 4]| days.map(|day| Some(day * DAY)).to_vec();
    assert_eq!(times(read, "UTC", &tokens), day([2, 2, 1, 2]));
    assert_eq!(times(read, "America/Los_Angeles", &tokens), day([1, 2, 1, 2]));
    assert_eq!(times(read, "Asia/Tokyo", &tokens), day([2, 2, 2, 2]));
    assert_eq!(times(read, "+09:00", &tokens), day([2, 2, 2, 2]));
}

#[test]
fn a_timestamp_is_the_instant() {
    let tokens = ["1970-01-01 01:00:00", "1970-01-01T01:00:00.000001Z", "1970-01-02", "", "later"];
    let read = Read::TimeAsTimestamp(SparkType::Timestamp);
    assert_eq!(times(read, "UTC", &tokens), [Some(HOUR), Some(HOUR + 1000), Some(DAY), None, None]);
    assert_eq!(times(read, "+01:00", &tokens), [Some(0), Some(HOUR + 1000), Some(DAY - HOUR), None, None]);
    assert_eq!(times(Read::TimeAsTimestamp(SparkType::Date), "+01:00", &["1970-01-02"]), [Some(DAY - HOUR)]);
}

#[test]
fn a_string_column_is_cast_leniently() {
    let tokens = ["1970-01-02 25:00:00", "1970-1-2", "1970-01-02Tea", "11/2/2012", "null"];
    let day = Some(DAY);
    assert_eq!(times(Read::TimeAsDate(SparkType::String), "UTC", &tokens), [day, day, day, None, None]);
    assert_eq!(times(Read::TimeAsTimestamp(SparkType::String), "UTC", &tokens), [None, day, None, None, None]);
}

#[test]
fn whole_numbers_are_epoch_times() {
    let tokens = ["172800", "1351814400", "1351814400000"];
    let day = 15_646 * DAY;
    assert_eq!(times(Read::TimeAsTimestamp(SparkType::BigInt), "UTC", &tokens), [Some(2 * DAY), Some(day), Some(day)]);
    assert_eq!(times(Read::TimeAsDate(SparkType::Int), "-01:00", &tokens[..1]), [Some(DAY)]);
}

#[test]
fn a_time_beyond_nanoseconds_is_an_error_with_its_record() {
    let options = DecoderOptions { first_record: 100, ..Default::default() };
    let projection = [projected(1, Read::TimeAsDate(SparkType::Date))];
    let error = decode(&projection, options, &[b"a,t\n1,2012-11-02\n2,9999-12-31\n"]).unwrap_err();
    assert_eq!(error.to_string(), "column `c1`, record 101: time `9999-12-31` is outside of 1677-09-21 to 2262-04-11");
}

#[test]
fn columns_that_cannot_be_read_so_are_refused_at_once() {
    let refused = |read| CsvDecoder::new(&[projected(0, read)], 1, DecoderOptions::default()).unwrap_err().to_string();
    assert_eq!(
        refused(Read::TimeAsDate(SparkType::Double)),
        "column `c0` was inferred as double, which cannot be read as a time"
    );
    let error = CsvDecoder::new(&[projected(3, Read::Float64)], 2, DecoderOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "column number 3 (`c3`) is outside of the 2 columns of the file");
}
