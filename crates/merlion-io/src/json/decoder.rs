//! The second pass: lines to record batches, for the columns a plan needs and in the reading it needs them.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::Object;
use crate::csv::rows::{PartialLine, Rows};
use crate::csv::{DecodeError, DecoderOptions, Projected, is_blank, strip_bom};

/// Turns the bytes of a file, or of a [`LineRange`](crate::csv::LineRange) of one, into record batches.
///
/// ```
/// # use merlion_io::csv::{DecoderOptions, Projected, Read, SparkType};
/// # use merlion_io::json::JsonDecoder;
/// let id = Projected { name: "id".into(), index: 0, read: Read::Utf8SparkString(SparkType::BigInt) };
/// let mut decoder = JsonDecoder::new(&[id], &["Id".into()], DecoderOptions::default())?;
/// decoder.push(b"{\"y\":1.5,\"I")?; // bytes may be cut anywhere
/// decoder.push(b"d\":7}\n")?;
/// decoder.finish()?;
/// let batch = decoder.next_batch().unwrap();
/// assert_eq!(batch.num_rows(), 1);
/// # Ok::<(), merlion_io::csv::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct JsonDecoder {
    /// The field that each column of the batches is.
    fields: Vec<Vec<u8>>,
    rows: Rows,
    object: Object,
    partial: PartialLine,
    at_file_start: bool,
    /// Which column each field of the last line was, if any.
    order: Vec<Option<usize>>,
    /// Which field of the line at hand each column is.
    found: Vec<Option<usize>>,
}

impl JsonDecoder {
    /// A decoder of these columns out of the fields of these names.
    ///
    /// # Errors
    /// A time column of a type that Spark cannot cast to a date.
    pub fn new(projection: &[Projected], fields: &[String], options: DecoderOptions) -> Result<Self, DecodeError> {
        if let Some(beyond) = projection.get(fields.len()) {
            let (name, index) = (beyond.name.clone(), fields.len());
            return Err(DecodeError::NoSuchColumn { name, index, columns: fields.len() });
        }
        Ok(Self {
            fields: fields.iter().map(|name| name.as_bytes().to_vec()).collect(),
            rows: Rows::new(projection, &options)?,
            object: Object::default(),
            partial: PartialLine::default(),
            at_file_start: false,
            order: Vec::new(),
            found: vec![None; projection.len()],
        })
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        self.rows.schema()
    }

    /// Says that the next bytes are the first of a file, which may have a byte order mark.
    pub fn begin_file(&mut self) {
        self.at_file_start = true;
    }

    /// Takes in the next bytes, which may be cut anywhere. Full batches wait in [`next_batch`](Self::next_batch).
    ///
    /// # Errors
    /// A time outside of the years that nanoseconds can hold.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        let mut partial = std::mem::take(&mut self.partial);
        let decoded = partial.push(bytes, |lines| self.decode(lines));
        self.partial = partial;
        decoded
    }

    /// Ends the last line and the last batch.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub fn finish(&mut self) -> Result<(), DecodeError> {
        let mut partial = std::mem::take(&mut self.partial);
        partial.end(|line| self.decode(line))?;
        self.rows.finish()
    }

    /// The next batch that is ready.
    pub fn next_batch(&mut self) -> Option<RecordBatch> {
        self.rows.next_batch()
    }

    fn decode(&mut self, lines: &[u8]) -> Result<(), DecodeError> {
        let lines = if std::mem::take(&mut self.at_file_start) { strip_bom(lines) } else { lines };
        let Self { fields, rows, object, order, found, .. } = self;
        for line in lines.split(|b| matches!(b, b'\n' | b'\r')).filter(|line| !is_blank(line)) {
            // The survey has counted and named these.
            if object.parse(line).is_err() {
                continue;
            }
            found.fill(None);
            for (position, (name, _)) in object.fields(line).enumerate() {
                if let Some(column) = column_of(fields, order, position, name) {
                    found[column] = Some(position);
                }
            }
            for (column, position) in found.iter().enumerate() {
                let value = position.and_then(|position| object.field(line, position));
                match value.and_then(super::Value::token) {
                    None => rows.append(column, &[])?,
                    Some([]) => rows.append_empty(column),
                    Some(token) => rows.append(column, token)?,
                }
            }
            rows.end_record(line.len())?;
        }
        Ok(())
    }
}

/// The column that a field is, if any: lines mostly have the same fields in the same order.
#[inline]
fn column_of(fields: &[Vec<u8>], order: &mut Vec<Option<usize>>, position: usize, name: &[u8]) -> Option<usize> {
    if let Some(Some(column)) = order.get(position)
        && fields[*column] == name
    {
        return Some(*column);
    }
    let column = fields.iter().position(|field| field == name);
    order.resize(order.len().max(position + 1), None);
    order[position] = column;
    column
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csv::{Read, SparkType};
    use arrow::util::display::array_value_to_string;

    fn decode(lines: &[u8], cut: usize) -> Vec<String> {
        let column = |name: &str, read| Projected { name: name.to_owned(), index: 0, read };
        let projection = [
            column("id", Read::Utf8SparkString(SparkType::String)),
            column("t", Read::TimeAsTimestamp(SparkType::Date)),
            column("y", Read::Float64),
        ];
        let fields = ["id", "t", "y"].map(str::to_owned);
        let options = DecoderOptions { batch_size: 2, ..DecoderOptions::default() };
        let mut decoder = JsonDecoder::new(&projection, &fields, options).unwrap();
        decoder.begin_file();
        for piece in lines.chunks(cut) {
            decoder.push(piece).unwrap();
        }
        decoder.finish().unwrap();
        let mut rows = Vec::new();
        while let Some(batch) = decoder.next_batch() {
            for row in 0..batch.num_rows() {
                let cell = |array: &arrow::array::ArrayRef| match array.is_null(row) {
                    true => "null".to_owned(),
                    false => array_value_to_string(array, row).unwrap(),
                };
                rows.push(batch.columns().iter().map(cell).collect::<Vec<_>>().join("|"));
            }
        }
        rows
    }

    #[test]
    fn records_are_decoded_wherever_the_bytes_are_cut() {
        let lines = "\u{feff}{\"y\":1.5,\"t\":\"2012-11-02\",\"id\":\"a\\u0062\"}\r\n\nnonsense\n{\"id\":\"\",\"y\":\"NaN\"}\n\
                     {\"id\":7,\"x\":[1],\"t\":null,\"y\":null}\n{\"y\":1,\"y\":2}";
        let want = ["ab|2012-11-02T00:00:00|1.5", "|null|NaN", "7|null|null", "null|null|2.0"];
        for cut in [1, 2, 7, 1000] {
            assert_eq!(decode(lines.as_bytes(), cut), want, "cut every {cut}");
        }
    }
}
