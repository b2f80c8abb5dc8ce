//! One pass over the bytes of a table: what its columns are, how many records it has, and which keys. Nothing is kept
//! of the records themselves.

use super::header::column_names;
use super::{ColumnInference, KeySample, SparkType, Splitter};
use crate::spark_text::SessionZone;

/// What a survey is to look at.
#[derive(Debug, Clone, Default)]
pub struct SurveyOptions {
    /// The session's time zone, in which times without a zone are read.
    pub zone: SessionZone,
    /// The index columns by number, if the keys are to be sampled; empty for no sample.
    pub key_columns: Vec<usize>,
}

/// What has been learnt of a table so far. Surveys of parts of a table merge into the survey of all of it.
///
/// ```
/// # use merlion_io::csv::{CsvSurvey, SparkType, SurveyOptions};
/// let mut survey = CsvSurvey::new(b"id,t,y", SurveyOptions { key_columns: vec![0], ..Default::default() });
/// survey.update(b"id,t,y\n1,2012-11-02,1.5\n1,2012-11-03,\n2,2012-11-02,2\n");
/// assert_eq!(survey.types(), [SparkType::Int, SparkType::Date, SparkType::Double]);
/// assert_eq!(survey.records(), 3);
/// assert_eq!(survey.keys().map(|keys| keys.distinct()), Some(2));
/// ```
#[derive(Debug, Clone)]
pub struct CsvSurvey {
    header: Vec<u8>,
    names: Vec<String>,
    columns: Vec<ColumnInference>,
    records: u64,
    keys: Option<KeySample>,
    zone: SessionZone,
    splitter: Splitter,
}

impl CsvSurvey {
    /// A survey of a table whose first file begins with the line `header` (see [`first_line`](super::first_line)).
    pub fn new(header: &[u8], options: SurveyOptions) -> Self {
        let names = column_names(header);
        Self {
            header: header.to_vec(),
            columns: vec![ColumnInference::default(); names.len()],
            records: 0,
            keys: (!options.key_columns.is_empty()).then(|| KeySample::new(options.key_columns)),
            zone: options.zone,
            splitter: Splitter::new(names.len()),
            names,
        }
    }

    /// Takes in whole lines; the last may lack its line break. Lines equal to the header are passed over wherever they
    /// stand, and only those: the header of another file counts as a record if it differs, as Spark has it.
    ///
    /// The first chunk of a file goes through [`strip_bom`](super::strip_bom) first.
    pub fn update(&mut self, lines: &[u8]) {
        let Self { header, columns, records, keys, zone, splitter, .. } = self;
        let mut lines = splitter.records(lines);
        while let Some(record) = lines.next_record() {
            // Cheap to refute: lines mostly differ in length, or in the first byte.
            if record.line() == header.as_slice() {
                continue;
            }
            *records += 1;
            for (index, column) in columns.iter_mut().enumerate().take(record.len()) {
                column.update(record.field(index), *records, zone);
            }
            if let Some(keys) = keys {
                keys.update(&record);
            }
        }
    }

    /// Takes in the survey of lines that come *after* these. Types and keys do not depend on where the table was cut;
    /// record numbers in the notes do depend on merging in order.
    pub fn merge(&mut self, other: &Self) {
        for (ours, theirs) in self.columns.iter_mut().zip(&other.columns) {
            ours.merge(theirs, self.records);
        }
        self.records += other.records;
        if let (Some(ours), Some(theirs)) = (&mut self.keys, &other.keys) {
            ours.merge(theirs);
        }
    }

    /// A survey of the same table and options that has seen nothing, for another part of the table.
    pub fn fresh(&self) -> Self {
        let key_columns = self.keys.as_ref().map(|keys| keys.columns().to_vec()).unwrap_or_default();
        Self::new(&self.header, SurveyOptions { zone: self.zone, key_columns })
    }

    /// The column names, made safe by Spark's rules.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The column types; a column without any value is a string column.
    pub fn types(&self) -> Vec<SparkType> {
        self.columns.iter().map(ColumnInference::finish).collect()
    }

    /// What was learnt of each column.
    pub fn columns(&self) -> &[ColumnInference] {
        &self.columns
    }

    /// How many records there are, headers not counted.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The sample of the keys, if one was asked for.
    pub fn keys(&self) -> Option<&KeySample> {
        self.keys.as_ref()
    }

    /// The first file's first line.
    pub fn header(&self) -> &[u8] {
        &self.header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &[u8] = b"id,t,y\r\n1,2012-11-02,1.5\n\n1,2012-11-03 01:00:00,2\nid,t,y\n2,,x,extra\n3\n";

    #[test]
    fn a_survey_of_parts_is_the_survey_of_the_whole() {
        let options = SurveyOptions { key_columns: vec![0], ..Default::default() };
        let mut whole = CsvSurvey::new(b"id,t,y", options);
        whole.update(LINES);
        assert_eq!(whole.records(), 4);
        assert_eq!(whole.types(), [SparkType::Int, SparkType::Timestamp, SparkType::String]);
        assert_eq!(whole.columns()[2].not_a_number().map(|s| (s.token.as_str(), s.record)), Some(("x", 3)));
        for cut in (0..LINES.len()).filter(|&at| at == 0 || LINES[at - 1] == b'\n') {
            let mut left = whole.fresh();
            left.update(&LINES[..cut]);
            let mut right = whole.fresh();
            right.update(&LINES[cut..]);
            left.merge(&right);
            assert_eq!(left.types(), whole.types(), "cut at {cut}");
            assert_eq!(left.records(), whole.records(), "cut at {cut}");
            assert_eq!(left.keys().map(KeySample::distinct), Some(3), "cut at {cut}");
            assert_eq!(left.columns()[2].not_a_number(), whole.columns()[2].not_a_number(), "cut at {cut}");
        }
    }

    #[test]
    fn a_header_that_differs_counts_as_a_record() {
        let mut survey = CsvSurvey::new(b"a,b", SurveyOptions::default());
        survey.update(b"a,b\n1,2\n");
        survey.update(b"b,a\n3,4\n");
        assert_eq!((survey.records(), survey.types()), (3, vec![SparkType::String; 2]));
    }
}
