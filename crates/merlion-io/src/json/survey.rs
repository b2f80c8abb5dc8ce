//! One pass over the lines of a table: its columns and their types, how many records it has, and which keys.

use std::collections::HashMap;

use super::{Object, Value};
use crate::csv::{ColumnInference, KeySample, Sighting, SparkType, is_blank, parse_decimal, parse_long};
use crate::spark_text::SessionZone;

/// Lines that are no JSON objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLines {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: Sighting,
}

/// What is known of a column.
#[derive(Debug, Clone)]
struct Column {
    name: String,
    /// What Spark's JSON inference makes of the values: a text stays a text.
    kind: SparkType,
    /// What the tokens could be read as, for a column of times or numbers.
    tokens: ColumnInference,
    /// Values that are neither null nor missing.
    present: u64,
    /// Which part of the key the column is.
    key: Option<usize>,
}

/// What has been learnt of a table so far. Surveys of parts of a table merge into the survey of all of it.
///
/// ```
/// # use merlion_io::{csv::SparkType, json::JsonSurvey, spark_text::SessionZone};
/// let mut survey = JsonSurvey::new(&["id".to_owned()], SessionZone::Utc);
/// survey.update(br#"{"t":"2012-11-02","id":"a","y":1}
/// {"y":2.5,"id":"b"}
/// "#);
/// assert_eq!(survey.names(), ["id", "t", "y"]);
/// assert_eq!(survey.kinds(), [SparkType::String, SparkType::String, SparkType::Double]);
/// assert_eq!((survey.records(), survey.keys().map(|keys| keys.distinct())), (2, Some(2)));
/// ```
#[derive(Debug, Clone)]
pub struct JsonSurvey {
    columns: Vec<Column>,
    by_name: HashMap<Vec<u8>, usize>,
    /// Lines, without the blank ones.
    lines: u64,
    bad: Option<BadLines>,
    key_names: Vec<String>,
    keys: Option<KeySample>,
    zone: SessionZone,
    object: Object,
    /// The column that each field of the last line was.
    order: Vec<usize>,
}

impl JsonSurvey {
    /// A survey that samples the keys in these columns, if there are any.
    pub fn new(key_names: &[String], zone: SessionZone) -> Self {
        Self {
            columns: Vec::new(),
            by_name: HashMap::new(),
            lines: 0,
            bad: None,
            key_names: key_names.to_vec(),
            keys: (!key_names.is_empty()).then(|| KeySample::new((0..key_names.len()).collect())),
            zone,
            object: Object::default(),
            order: Vec::new(),
        }
    }

    /// Takes in whole lines; the last may lack its line break. The first of a file go through
    /// [`strip_bom`](crate::csv::strip_bom) first.
    pub fn update(&mut self, lines: &[u8]) {
        for line in lines.split(|b| matches!(b, b'\n' | b'\r')).filter(|line| !is_blank(line)) {
            self.lines += 1;
            let mut object = std::mem::take(&mut self.object);
            match object.parse(line) {
                Ok(()) => self.record(&object, line),
                Err(_) => self.bad_line(line),
            }
            self.object = object;
        }
    }

    fn record(&mut self, object: &Object, line: &[u8]) {
        let mut parts: Vec<Option<&[u8]>> = vec![None; self.key_names.len()];
        for (position, (name, value)) in object.fields(line).enumerate() {
            let index = self.column(position, name);
            let column = &mut self.columns[index];
            column.update(value, self.lines, &self.zone);
            if let Some(part) = column.key {
                parts[part] = value.token();
            }
        }
        if let Some(keys) = &mut self.keys {
            keys.update_with(parts.len(), |part| parts[part]);
        }
    }

    /// The column of a field: lines mostly have the same fields in the same order.
    #[inline]
    fn column(&mut self, position: usize, name: &[u8]) -> usize {
        if let Some(index) = self.order.get(position)
            && self.columns[*index].name.as_bytes() == name
        {
            return *index;
        }
        let index = match self.by_name.get(name) {
            Some(index) => *index,
            None => {
                self.by_name.insert(name.to_vec(), self.columns.len());
                let name = String::from_utf8_lossy(name).into_owned();
                let key = self.key_names.iter().position(|key| *key == name);
                let (kind, tokens) = (SparkType::Null, ColumnInference::default());
                self.columns.push(Column { name, kind, tokens, present: 0, key });
                self.columns.len() - 1
            }
        };
        self.order.resize(self.order.len().max(position + 1), 0);
        self.order[position] = index;
        index
    }

    #[cold]
    fn bad_line(&mut self, line: &[u8]) {
        let first = Sighting::of(line, self.lines);
        self.bad.get_or_insert(BadLines { count: 0, first }).count += 1;
    }

    /// Takes in the survey of lines that come *after* these.
    pub fn merge(&mut self, other: &Self) {
        for theirs in &other.columns {
            match self.by_name.get(theirs.name.as_bytes()) {
                Some(index) => {
                    let ours = &mut self.columns[*index];
                    ours.kind = ours.kind.merge(theirs.kind);
                    ours.tokens.merge(&theirs.tokens, self.lines);
                    ours.present += theirs.present;
                }
                None => {
                    self.by_name.insert(theirs.name.clone().into_bytes(), self.columns.len());
                    let mut tokens = ColumnInference::default();
                    tokens.merge(&theirs.tokens, self.lines);
                    self.columns.push(Column { tokens, ..theirs.clone() });
                }
            }
        }
        if let Some(theirs) = &other.bad {
            let mut first = theirs.first.clone();
            first.record += self.lines;
            self.bad.get_or_insert(BadLines { count: 0, first }).count += theirs.count;
        }
        self.lines += other.lines;
        if let (Some(ours), Some(theirs)) = (&mut self.keys, &other.keys) {
            ours.merge(theirs);
        }
    }

    /// A survey of the same table that has seen nothing, for another part of the table.
    pub fn fresh(&self) -> Self {
        Self::new(&self.key_names, self.zone)
    }

    fn sorted(&self) -> Vec<&Column> {
        let mut columns: Vec<&Column> = self.columns.iter().collect();
        columns.sort_by(|a, b| a.name.cmp(&b.name));
        columns
    }

    /// The names of the columns, sorted as Spark sorts them.
    pub fn names(&self) -> Vec<String> {
        self.sorted().into_iter().map(|column| column.name.clone()).collect()
    }

    /// The types that Spark's inference finds, in the order of the names.
    pub fn kinds(&self) -> Vec<SparkType> {
        self.sorted().into_iter().map(|column| column.kind.or_string()).collect()
    }

    /// What the values of each column could be read as, and how many are null or missing, in the order of the names.
    pub fn tokens(&self) -> Vec<(&ColumnInference, u64)> {
        let nulls = |column: &Column| self.records().saturating_sub(column.present);
        self.sorted().into_iter().map(|column| (&column.tokens, nulls(column))).collect()
    }

    /// How many records there are, bad lines not counted.
    pub fn records(&self) -> u64 {
        self.lines - self.bad.as_ref().map_or(0, |bad| bad.count)
    }

    /// The sample of the keys, if one was asked for.
    pub fn keys(&self) -> Option<&KeySample> {
        self.keys.as_ref()
    }

    /// The lines that are no JSON objects.
    pub fn bad_lines(&self) -> Option<&BadLines> {
        self.bad.as_ref()
    }
}

impl Column {
    #[inline]
    fn update(&mut self, value: Value<'_>, record: u64, zone: &SessionZone) {
        // As Spark: a text of no characters says nothing about the type.
        let Some(token) = value.token().filter(|token| !token.is_empty()) else { return };
        self.present += 1;
        if self.kind != SparkType::String {
            self.kind = self.kind.merge(kind(value));
        }
        self.tokens.update(token, record, zone);
    }
}

fn kind(value: Value<'_>) -> SparkType {
    match value {
        Value::Null => SparkType::Null,
        Value::Text(_) | Value::Nested(_) => SparkType::String,
        Value::Boolean(_) => SparkType::Boolean,
        Value::Number(token) if token.iter().any(|b| !matches!(b, b'0'..=b'9' | b'-')) => SparkType::Double,
        Value::Number(token) if parse_long(token).is_some() => SparkType::BigInt,
        Value::Number(token) => {
            parse_decimal(token).map_or(SparkType::Double, |(digits, _)| SparkType::decimal(digits))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &[u8] = br#"{"id":"a","t":"2012-11-02","y":1,"z":true}
{"y":"x","id":1.5,"t":"2012-11-03 01:00:00"}

not json
{"big":123456789012345678901,"id":"","t":null}
{"id":null}
{"more":{"a":1},"id":"a","y":NaN}"#;

    fn surveyed(lines: &[u8]) -> JsonSurvey {
        let mut survey = JsonSurvey::new(&["id".to_owned()], SessionZone::Utc);
        survey.update(lines);
        survey
    }

    fn summary(survey: &JsonSurvey) -> String {
        let tokens: Vec<_> = survey
            .tokens()
            .into_iter()
            .map(|(tokens, nulls)| (tokens.finish(), nulls, tokens.not_a_number().cloned()))
            .collect();
        let mut keys: Vec<_> = survey.keys().unwrap().keys().map(|key| format!("{key:?}")).collect();
        keys.sort();
        format!(
            "{:?}\n{:?}\n{tokens:?}\n{}\n{:?}\n{keys:?}",
            survey.names(),
            survey.kinds(),
            survey.records(),
            survey.bad_lines()
        )
    }

    #[test]
    fn columns_are_sorted_and_typed_as_spark_types_them() {
        let survey = surveyed(LINES);
        use SparkType::{Boolean, Decimal, String};
        assert_eq!(survey.names(), ["big", "id", "more", "t", "y", "z"]);
        assert_eq!(survey.kinds(), [Decimal(21), String, String, String, String, Boolean]);
        assert_eq!(survey.records(), 5);
        let tokens = survey.tokens();
        assert_eq!((tokens[3].0.finish(), tokens[3].1), (SparkType::Timestamp, 3), "times are read from texts");
        assert_eq!(tokens[4].0.not_a_number().map(|s| (s.token.as_str(), s.record)), Some(("x", 2)));
        let bad = survey.bad_lines().unwrap();
        assert_eq!((bad.count, bad.first.token.as_str(), bad.first.record), (1, "not json", 3));
        // 'a', '1.5', the empty text, and null.
        assert_eq!(survey.keys().unwrap().distinct(), 4);
    }

    #[test]
    fn a_survey_of_parts_is_the_survey_of_the_whole() {
        let whole = summary(&surveyed(LINES));
        for cut in (0..LINES.len()).filter(|&at| at == 0 || LINES[at - 1] == b'\n') {
            let mut left = surveyed(&LINES[..cut]);
            left.merge(&surveyed(&LINES[cut..]));
            assert_eq!(summary(&left), whole, "cut at {cut}");
        }
    }
}
