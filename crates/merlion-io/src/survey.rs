//! What one pass over a table has found out, whatever its format, and the pass over tables of text.

use std::convert::Infallible;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use crate::bytes::{PartReader, ReadError};
use crate::csv::rows::PartialLine;
use crate::csv::{ColumnInference, CsvSurvey, KeySample, Sighting, SparkType, SurveyOptions, TimeRange};
use crate::csv::{first_line, strip_bom};
use crate::dataset::DatasetError;
use crate::format::{Compression, FileFormat};
use crate::json::{BadLines, JsonSurvey};
use crate::path::{self, Store};
use crate::scan::{FilePart, Piece};
use crate::spark_text::SessionZone;

/// Bytes of a file that one survey task reads.
const SURVEY_BYTES: u64 = 16 << 20;

/// The longest header that is looked for.
const MAX_HEADER: usize = 1 << 20;

/// Where a table is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    /// Its path as the user typed it.
    pub(crate) typed: &'a str,
    pub(crate) store: &'a Store,
    pub(crate) files: &'a [ObjectMeta],
    pub(crate) zone: SessionZone,
}

impl Input<'_> {
    /// A file as the user would write it.
    pub(crate) fn shown(&self, file: &Path) -> String {
        path::shown(self.typed, self.store, file)
    }

    fn failed(&self, file: &Path, error: ReadError) -> DatasetError {
        let path = self.shown(file);
        match error {
            ReadError::Storage(source) => DatasetError::Storage { path, source },
            ReadError::Damaged { compression, source } => DatasetError::Damaged {
                path,
                what: format!("the {compression} file is damaged or cut short"),
                reason: source.to_string(),
            },
        }
    }

    /// A whole file as a part.
    fn whole(&self, file: &ObjectMeta) -> FilePart {
        FilePart { path: file.location.to_string(), size: file.size, start: 0, end: file.size }
    }

    fn reader(&self, part: &FilePart, file: &Path) -> PartReader {
        PartReader::new(Arc::clone(&self.store.store), file.clone(), part)
    }
}

/// What is known of a column.
#[derive(Debug, Clone)]
pub(crate) struct ColumnSurvey {
    /// What its values are read as, as times or numbers.
    pub(crate) found: SparkType,
    /// What they are read as to become texts.
    pub(crate) text: SparkType,
    /// What the tokens in the sample of the keys are read as to become texts.
    pub(crate) sampled: SparkType,
    /// The type in the file's own words, when it says more than [`ColumnSurvey::found`].
    pub(crate) described: Option<String>,
    pub(crate) nulls: u64,
    pub(crate) not_a_number: Option<Sighting>,
    pub(crate) not_a_time: Option<Sighting>,
    pub(crate) time_range: Option<TimeRange>,
}

impl ColumnSurvey {
    /// A column of this type of which nothing else is known.
    pub(crate) fn of(found: SparkType) -> Self {
        Self {
            found,
            text: found,
            sampled: found,
            described: None,
            nulls: 0,
            not_a_number: None,
            not_a_time: None,
            time_range: None,
        }
    }

    /// A column whose type was inferred from its tokens.
    pub(crate) fn inferred(column: &ColumnInference, zone: &SessionZone) -> Self {
        Self {
            nulls: column.nulls(),
            not_a_number: column.not_a_number().cloned(),
            not_a_time: column.not_a_time().cloned(),
            time_range: column.time_range(zone),
            ..Self::of(column.finish())
        }
    }
}

/// What is known of a table.
#[derive(Debug, Clone)]
pub(crate) struct TableSurvey {
    pub(crate) names: Vec<String>,
    pub(crate) columns: Vec<ColumnSurvey>,
    pub(crate) records: u64,
    /// Bytes, unpacked.
    pub(crate) bytes: u64,
    pub(crate) keys: Option<KeySample>,
    pub(crate) bad_lines: Option<BadLines>,
    /// What a scan may be made of.
    pub(crate) pieces: Vec<Piece>,
}

/// Refuses files whose names say that they are of another format, or compressed in a way that is not read.
pub(crate) fn check_names(input: &Input<'_>, format: FileFormat) -> Result<(), DatasetError> {
    let name = |file: &ObjectMeta| file.location.filename().unwrap_or_default().to_owned();
    let claims = input.files.iter().filter_map(|file| Some((file, crate::format::claimed(&name(file))?)));
    let mut first: Option<(&ObjectMeta, &'static str)> = None;
    for (file, claimed) in claims {
        match first {
            Some((other, found)) if found != claimed => {
                return Err(DatasetError::Mixed {
                    path: input.typed.to_owned(),
                    first: (name(other), found),
                    second: (name(file), claimed),
                });
            }
            _ => first = Some((file, claimed)),
        }
    }
    match first {
        Some((file, "orc")) => return Err(DatasetError::Orc { path: input.shown(&file.location) }),
        Some((file, found)) if found != format.name() => {
            return Err(DatasetError::OtherFormat { path: input.shown(&file.location), found, asked: format });
        }
        _ => {}
    }
    let unread = |compression| format == FileFormat::Parquet || compression == Compression::Other;
    match input.files.iter().find(|file| Compression::of(&name(file)).is_some_and(unread)) {
        Some(file) => Err(DatasetError::Compressed { path: input.shown(&file.location), format }),
        None => Ok(()),
    }
}

/// The first line of the first file that has one.
pub(crate) async fn first_header(input: &Input<'_>) -> Result<Vec<u8>, DatasetError> {
    for file in input.files.iter().filter(|file| file.size > 0) {
        let mut part = input.whole(file);
        part.end = part.end.min(MAX_HEADER as u64);
        let mut reader = input.reader(&part, &file.location);
        let mut begin = Vec::new();
        while begin.len() < MAX_HEADER {
            let Some(block) = reader.next().await.map_err(|error| input.failed(&file.location, error))? else { break };
            if begin.is_empty()
                && let Some(found) = binary(&block)
            {
                let path = input.shown(&file.location);
                return Err(DatasetError::OtherFormat { path, found, asked: FileFormat::Csv });
            }
            begin.extend_from_slice(&block);
            // A header that the block cuts short is not the header.
            if let Some((line, rest)) = first_line(strip_bom(&begin))
                && !rest.is_empty()
            {
                return Ok(line.to_vec());
            }
        }
        if let Some((line, _)) = first_line(strip_bom(&begin)) {
            return Ok(line.to_vec());
        }
    }
    Err(DatasetError::Empty { path: input.typed.to_owned() })
}

/// Names and types of the fields on the first lines of a JSON file.
pub(crate) async fn first_fields(
    input: &Input<'_>,
    file: &ObjectMeta,
) -> Result<(Vec<String>, Vec<SparkType>), DatasetError> {
    let mut part = input.whole(file);
    part.end = part.end.min(MAX_HEADER as u64);
    let mut reader = input.reader(&part, &file.location);
    let mut survey = JsonSurvey::new(&[], input.zone);
    let mut partial = PartialLine::default();
    let mut read = 0;
    while read < MAX_HEADER
        && let Some(block) = reader.next().await.map_err(|error| input.failed(&file.location, error))?
    {
        read += block.len();
        let Ok(()) = partial.push(&block, |lines| {
            survey.update(lines);
            Ok::<(), Infallible>(())
        });
    }
    Ok((survey.names(), survey.kinds()))
}

/// The format that the first bytes of a file give away.
fn binary(begin: &[u8]) -> Option<&'static str> {
    match begin {
        [b'P', b'A', b'R', b'1', ..] => Some("parquet"),
        [b'O', b'R', b'C', ..] => Some("orc"),
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        _ => None,
    }
}

/// A survey of lines that may be made in parts.
pub(crate) trait LineSurvey: Clone + Send + 'static {
    fn fresh(&self) -> Self;
    fn update(&mut self, lines: &[u8]);
    fn merge(&mut self, later: &Self);
}

impl LineSurvey for CsvSurvey {
    fn fresh(&self) -> Self {
        self.fresh()
    }

    fn update(&mut self, lines: &[u8]) {
        self.update(lines);
    }

    fn merge(&mut self, later: &Self) {
        self.merge(later);
    }
}

impl LineSurvey for JsonSurvey {
    fn fresh(&self) -> Self {
        self.fresh()
    }

    fn update(&mut self, lines: &[u8]) {
        self.update(lines);
    }

    fn merge(&mut self, later: &Self) {
        self.merge(later);
    }
}

/// A CSV table.
pub(crate) async fn survey_csv(
    input: &Input<'_>,
    header: &[u8],
    key_columns: Vec<usize>,
) -> Result<TableSurvey, DatasetError> {
    let empty = CsvSurvey::new(header, SurveyOptions { zone: input.zone, key_columns });
    let (survey, bytes) = survey_lines(input, empty).await?;
    Ok(TableSurvey {
        names: survey.names().to_vec(),
        columns: survey.columns().iter().map(|column| ColumnSurvey::inferred(column, &input.zone)).collect(),
        records: survey.records(),
        bytes,
        keys: survey.keys().cloned(),
        bad_lines: None,
        pieces: pieces(input),
    })
}

/// A table of JSON lines.
pub(crate) async fn survey_json(input: &Input<'_>, key_names: &[String]) -> Result<TableSurvey, DatasetError> {
    let (survey, bytes) = survey_lines(input, JsonSurvey::new(key_names, input.zone)).await?;
    let columns = survey.tokens().into_iter().zip(survey.kinds()).map(|((tokens, nulls), kind)| ColumnSurvey {
        text: kind,
        sampled: kind,
        nulls,
        ..ColumnSurvey::inferred(tokens, &input.zone)
    });
    Ok(TableSurvey {
        names: survey.names(),
        columns: columns.collect(),
        records: survey.records(),
        bytes,
        keys: survey.keys().cloned(),
        bad_lines: survey.bad_lines().cloned(),
        pieces: pieces(input),
    })
}

fn pieces(input: &Input<'_>) -> Vec<Piece> {
    let piece = |file: &ObjectMeta| {
        let part = input.whole(file);
        let cuttable = Compression::of(&part.path).is_none();
        Piece { part, cuttable }
    };
    input.files.iter().filter(|file| file.size > 0).map(piece).collect()
}

/// Surveys all lines, and counts the bytes.
async fn survey_lines<S: LineSurvey>(input: &Input<'_>, empty: S) -> Result<(S, u64), DatasetError> {
    let tasks = std::thread::available_parallelism().map_or(1, Into::into);
    let mut parts = Vec::new();
    for (file, piece) in input.files.iter().filter(|file| file.size > 0).zip(pieces(input)) {
        let step = if piece.cuttable { SURVEY_BYTES } else { file.size };
        for start in (0..file.size).step_by(usize::try_from(step).unwrap_or(usize::MAX)) {
            let end = file.size.min(start + step);
            parts.push((file, FilePart { start, end, ..piece.part.clone() }));
        }
    }
    futures::stream::iter(parts)
        .map(|(file, part)| {
            let survey = survey_part(Arc::clone(&input.store.store), file.location.clone(), part, empty.fresh());
            async move { (file, tokio::spawn(survey).await) }
        })
        .buffered(tasks)
        .map(|(file, joined)| match joined {
            Ok(survey) => survey.map_err(|error| input.failed(&file.location, error)),
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        })
        // In file order: record numbers count from the first file's first row.
        .try_fold((empty.fresh(), 0), |(mut whole, total), (part, bytes)| async move {
            whole.merge(&part);
            Ok((whole, total + bytes))
        })
        .await
}

async fn survey_part<S: LineSurvey>(
    store: Arc<dyn ObjectStore>,
    path: Path,
    part: FilePart,
    mut survey: S,
) -> Result<(S, u64), ReadError> {
    let mut reader = PartReader::new(store, path, &part);
    let mut partial = PartialLine::default();
    let mut at_start = part.start == 0;
    let mut bytes = 0;
    let mut update = |lines: &[u8]| {
        let lines = if std::mem::take(&mut at_start) { strip_bom(lines) } else { lines };
        survey.update(lines);
        Ok::<(), Infallible>(())
    };
    while let Some(block) = reader.next().await? {
        bytes += block.len() as u64;
        let Ok(()) = partial.push(&block, &mut update);
    }
    let Ok(()) = partial.end(&mut update);
    Ok((survey, bytes))
}
