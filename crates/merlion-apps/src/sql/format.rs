//! How results are written: the formats of ballista-cli.

use std::io::Write;
use std::sync::Arc;

use clap::ValueEnum;
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::csv::WriterBuilder;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::{ArrayWriter, LineDelimitedWriter};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::arrow::util::pretty::pretty_format_batches_with_options;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table on a terminal, CSV elsewhere
    Automatic,
    /// A header, and a line per row with commas
    Csv,
    /// The same with tabs
    Tsv,
    /// A table with borders
    Table,
    /// A list of objects
    Json,
    /// An object per line
    #[value(name = "nd-json", alias = "ndjson")]
    NdJson,
}

/// Writes the batches of one result.
pub(super) struct Printer<'a, W: Write> {
    format: Format,
    schema: SchemaRef,
    options: FormatOptions<'a>,
    output: W,
    /// The rows so far, where columns can only be laid out when all are there.
    held: Vec<RecordBatch>,
    rows: usize,
}

impl<'a, W: Write> Printer<'a, W> {
    pub(super) fn new(format: Format, schema: SchemaRef, options: FormatOptions<'a>, output: W) -> Self {
        Self { format, schema, options, output, held: Vec::new(), rows: 0 }
    }

    /// Takes the next batch; formats that can, write it.
    pub(super) fn write(&mut self, batch: RecordBatch) -> Result<(), ArrowError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let first = self.rows == 0;
        self.rows += batch.num_rows();
        match self.format {
            Format::Csv | Format::Automatic => self.delimited(&batch, b',', first),
            Format::Tsv => self.delimited(&batch, b'\t', first),
            Format::NdJson => {
                let mut writer = LineDelimitedWriter::new(&mut self.output);
                writer.write(&batch)?;
                writer.finish()
            }
            Format::Table | Format::Json => {
                self.held.push(batch);
                Ok(())
            }
        }
    }

    /// Writes what was held back, and says how many rows there were.
    pub(super) fn finish(mut self) -> Result<usize, ArrowError> {
        let empty = RecordBatch::new_empty(Arc::clone(&self.schema));
        match self.format {
            Format::Table => {
                if self.held.is_empty() {
                    self.held.push(empty);
                }
                writeln!(self.output, "{}", pretty_format_batches_with_options(&self.held, &self.options)?)?;
            }
            Format::Json => {
                let mut writer = ArrayWriter::new(&mut self.output);
                writer.write_batches(&self.held.iter().collect::<Vec<_>>())?;
                writer.finish()?;
                writeln!(self.output)?;
            }
            Format::Csv | Format::Automatic if self.rows == 0 => self.delimited(&empty, b',', true)?,
            Format::Tsv if self.rows == 0 => self.delimited(&empty, b'\t', true)?,
            Format::Csv | Format::Automatic | Format::Tsv | Format::NdJson => {}
        }
        self.output.flush()?;
        Ok(self.rows)
    }

    fn delimited(&mut self, batch: &RecordBatch, delimiter: u8, header: bool) -> Result<(), ArrowError> {
        let batch = flat(batch, &self.options)?;
        let mut writer = WriterBuilder::new().with_header(header).with_delimiter(delimiter).build(&mut self.output);
        writer.write(&batch)
    }
}

/// The batch with structs and lists as text: a cell has no structure.
fn flat(batch: &RecordBatch, options: &FormatOptions<'_>) -> Result<RecordBatch, ArrowError> {
    let (mut fields, mut columns): (Vec<Field>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if !field.data_type().is_nested() {
            fields.push(field.as_ref().clone());
            columns.push(Arc::clone(column));
            continue;
        }
        let formatter = ArrayFormatter::try_new(column.as_ref(), options)?;
        let texts: StringArray =
            (0..column.len()).map(|row| column.is_valid(row).then(|| formatter.value(row).to_string())).collect();
        fields.push(Field::new(field.name(), DataType::Utf8, true));
        columns.push(Arc::new(texts));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Float64Array, StructArray};
    use datafusion::arrow::datatypes::Fields;

    use super::*;

    fn batch(values: &[f64]) -> RecordBatch {
        let y: ArrayRef = Arc::new(Float64Array::from(values.to_vec()));
        let fields = Fields::from(vec![Field::new("lower", DataType::Float64, true)]);
        let f: ArrayRef = Arc::new(StructArray::new(fields, vec![Arc::clone(&y)], None));
        RecordBatch::try_from_iter([("y", y), ("f", f)]).unwrap()
    }

    fn written(format: Format, batches: &[&[f64]]) -> String {
        let mut output = Vec::new();
        let mut printer = Printer::new(format, batch(&[]).schema(), FormatOptions::default(), &mut output);
        for values in batches {
            printer.write(batch(values)).unwrap();
        }
        let rows = printer.finish().unwrap();
        assert_eq!(rows, batches.iter().map(|values| values.len()).sum::<usize>());
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn batches_make_one_result_in_every_format() {
        let two: &[&[f64]] = &[&[1.5], &[], &[2.5]];
        assert_eq!(written(Format::Csv, two), "y,f\n1.5,{lower: 1.5}\n2.5,{lower: 2.5}\n");
        assert_eq!(written(Format::Tsv, two), "y\tf\n1.5\t{lower: 1.5}\n2.5\t{lower: 2.5}\n");
        assert_eq!(
            written(Format::Json, two),
            "[{\"y\":1.5,\"f\":{\"lower\":1.5}},{\"y\":2.5,\"f\":{\"lower\":2.5}}]\n"
        );
        assert_eq!(
            written(Format::NdJson, two),
            "{\"y\":1.5,\"f\":{\"lower\":1.5}}\n{\"y\":2.5,\"f\":{\"lower\":2.5}}\n"
        );
        let table = written(Format::Table, two);
        assert_eq!(table.lines().count(), 6, "one frame around both batches:\n{table}");
    }

    #[test]
    fn a_result_without_rows_still_has_its_columns() {
        assert_eq!(written(Format::Csv, &[]), "y,f\n");
        assert_eq!(written(Format::Tsv, &[]), "y\tf\n");
        assert_eq!(written(Format::Json, &[]), "[]\n");
        assert_eq!(written(Format::NdJson, &[]), "");
        assert!(written(Format::Table, &[]).contains("| y | f |"));
    }
}
