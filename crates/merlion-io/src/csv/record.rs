//! The tokenizer: records and fields out of the bytes of whole lines, as Spark's univocity parser cuts them.
//!
//! An unquoted field is a slice of the input; a quoted one is unescaped into a buffer that lives as long as the
//! [`Splitter`]. The rare ways a quote can be wrong are in [`quoted`].

#[path = "quoted.rs"]
mod quoted;

use memchr::{memchr2, memchr3};

use super::lines::{end_of_line, is_blank};

/// Where a field's bytes are: in the input, or in the scratch buffer.
#[derive(Debug, Clone, Copy)]
enum Span {
    Input(usize, usize),
    Scratch(usize, usize),
}

/// Buffers of the tokenizer, kept from chunk to chunk, and how many fields of each record are wanted.
#[derive(Debug, Clone)]
pub struct Splitter {
    spans: Vec<Span>,
    scratch: Vec<u8>,
    limit: usize,
}

impl Splitter {
    /// A splitter that finds the first `limit` fields of each record and passes over the others.
    pub fn new(limit: usize) -> Self {
        Self { spans: Vec::with_capacity(limit.min(64)), scratch: Vec::new(), limit }
    }

    /// The records of `lines`. The last one may lack its line break.
    pub fn records<'a>(&'a mut self, lines: &'a [u8]) -> Records<'a> {
        Records { splitter: self, data: lines, pos: 0 }
    }
}

/// The records of some lines, one after the other. Blank lines are none.
#[derive(Debug)]
pub struct Records<'a> {
    splitter: &'a mut Splitter,
    data: &'a [u8],
    pos: usize,
}

impl Records<'_> {
    /// The next record, or `None` at the end of the lines.
    #[inline]
    pub fn next_record(&mut self) -> Option<Record<'_>> {
        let data = self.data;
        let Splitter { spans, scratch, limit } = &mut *self.splitter;
        let mut start = self.pos;
        loop {
            match data.get(start) {
                None => return None,
                Some(&b) if b <= b' ' => {
                    let end = start + end_of_line(&data[start..]);
                    if is_blank(&data[start..end]) {
                        start = end + 1;
                        continue;
                    }
                    break;
                }
                Some(_) => break,
            }
        }

        spans.clear();
        scratch.clear();
        let mut at = start;
        let line_end = loop {
            if spans.len() == *limit {
                break at + end_of_line(&data[at..]);
            }
            if data.get(at) == Some(&b'"') {
                let end = at + end_of_line(&data[at..]);
                let from = scratch.len();
                let next = quoted::unquote(&data[at..end], scratch);
                spans.push(Span::Scratch(from, scratch.len()));
                match next {
                    None => break end,
                    Some(behind_delimiter) => at += behind_delimiter,
                }
                continue;
            }
            match memchr3(b',', b'\n', b'\r', &data[at..]) {
                None => {
                    spans.push(Span::Input(at, data.len()));
                    break data.len();
                }
                Some(len) => {
                    spans.push(Span::Input(at, at + len));
                    at += len;
                    if data[at] != b',' {
                        break at;
                    }
                    at += 1;
                }
            }
        };
        self.pos = line_end + 1;
        Some(Record { data, scratch, spans, line: (start, line_end) })
    }

    /// How many of the bytes have been read: up to the end of the last record's line.
    pub fn consumed(&self) -> usize {
        self.pos.min(self.data.len())
    }
}

/// One record: its line, and its fields.
#[derive(Debug, Clone, Copy)]
pub struct Record<'r> {
    data: &'r [u8],
    scratch: &'r [u8],
    spans: &'r [Span],
    line: (usize, usize),
}

impl<'r> Record<'r> {
    /// How many fields the record has, up to the splitter's limit.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether the record has no field. Never so for what [`Records`] returns, unless the limit is 0.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The field at `index`. Empty means null, and so does the end of a short record.
    #[inline]
    pub fn field(&self, index: usize) -> &'r [u8] {
        match self.spans.get(index) {
            Some(&Span::Input(from, to)) => &self.data[from..to],
            Some(&Span::Scratch(from, to)) => &self.scratch[from..to],
            None => &[],
        }
    }

    /// The fields in order.
    pub fn fields(&self) -> impl Iterator<Item = &'r [u8]> + use<'r> {
        let record = *self;
        (0..self.len()).map(move |index| record.field(index))
    }

    /// The line as it stands in the file, without its line break.
    #[inline]
    pub fn line(&self) -> &'r [u8] {
        &self.data[self.line.0..self.line.1]
    }
}

/// The fields of one line, as owned bytes.
pub(crate) fn split_line(line: &[u8]) -> Vec<Vec<u8>> {
    let mut splitter = Splitter::new(usize::MAX);
    let end = memchr2(b'\n', b'\r', line).unwrap_or(line.len());
    let mut records = splitter.records(&line[..end]);
    records.next_record().map(|record| record.fields().map(<[u8]>::to_vec).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(lines: &str) -> Vec<Vec<String>> {
        let mut splitter = Splitter::new(usize::MAX);
        let mut records = splitter.records(lines.as_bytes());
        let mut out = Vec::new();
        while let Some(record) = records.next_record() {
            out.push(record.fields().map(|f| String::from_utf8_lossy(f).into_owned()).collect());
        }
        out
    }

    #[test]
    fn every_line_break_ends_a_record_and_blank_lines_are_none() {
        assert_eq!(records("a,b\r\n1,2\n\n   \n3,4\r5,\t"), [["a", "b"], ["1", "2"], ["3", "4"], ["5", "\t"]]);
        assert_eq!(records("1,\"x\ny\"\n2,z"), [vec!["1", "x"], vec!["y\""], vec!["2", "z"]]);
        assert_eq!(records(""), Vec::<Vec<String>>::new());
    }

    #[test]
    fn short_and_long_records_keep_what_they_have() {
        assert_eq!(records("1,2\n3,4,5,\n,\n"), [vec!["1", "2"], vec!["3", "4", "5", ""], vec!["", ""]]);
    }

    #[test]
    fn a_leading_blank_belongs_to_the_field() {
        assert_eq!(records(" a, b \n"), [[" a", " b "]]);
    }

    #[test]
    fn fields_past_the_limit_are_passed_over_and_the_line_is_whole() {
        let mut splitter = Splitter::new(2);
        let mut records = splitter.records(b"a,b,\"c,d\",e\n1,2\n");
        let record = records.next_record().unwrap();
        assert_eq!((record.len(), record.field(1), record.line()), (2, &b"b"[..], &b"a,b,\"c,d\",e"[..]));
        assert_eq!(record.field(2), b"");
        assert_eq!(records.next_record().unwrap().field(0), b"1");
        assert!(records.next_record().is_none());
        assert_eq!(records.consumed(), 16);
    }

    #[test]
    fn a_field_of_quotes_is_unquoted_with_backslash_as_escape() {
        assert_eq!(records("\"x,y\",\"a\\\"b\",\"\",\"c\\\\\",\"d\\n\""), [["x,y", "a\"b", "", "c\\", "d\\n"]]);
        assert_eq!(records("2,\"he said \"\"hi\"\"\",x"), [["2", "\"he said \"\"hi\"\"\"", "x"]]);
        assert_eq!(records("un\"quoted,back\\slash"), [["un\"quoted", "back\\slash"]]);
        assert_eq!(records("4,\"unterminated"), [["4", "unterminated"]]);
    }
}
