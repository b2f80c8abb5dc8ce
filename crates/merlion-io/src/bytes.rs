//! The bytes of a text file's part, whole lines of it, unpacked where the file is compressed.

use std::sync::Arc;

use async_compression::tokio::bufread::{BzDecoder, GzipDecoder, ZstdDecoder};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio_util::io::{ReaderStream, StreamReader};

use crate::csv::LineRange;
use crate::format::Compression;
use crate::scan::FilePart;

/// Bytes asked of the store at once.
const BLOCK: u64 = 4 << 20;

/// Bytes asked for behind the end of a range, where its last line ends.
const TAIL: u64 = 64 << 10;

/// Most bytes that are unpacked at once.
const UNPACKED: usize = 1 << 20;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The store failed.
    #[error("{0}")]
    Storage(#[from] object_store::Error),
    /// What is there is not what the name says.
    #[error("the {compression} file is damaged or cut short: {source}")]
    Damaged {
        /// How it is compressed.
        compression: Compression,
        /// What the decoder says.
        source: std::io::Error,
    },
}

/// Reads the lines that begin within a part of a file; a compressed file is one part.
pub(crate) struct PartReader {
    blocks: BoxStream<'static, Result<Bytes, ReadError>>,
    /// The lines of the part, for a file that is not compressed.
    range: Option<LineRange>,
}

impl PartReader {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, path: Path, part: &FilePart) -> Self {
        match Compression::of(&part.path) {
            None => {
                let range = LineRange::new(part.start, part.end);
                let blocks = blocks(store, path, range.fetch_from(), part.end, part.size);
                Self { blocks: blocks.map_err(ReadError::from).boxed(), range: Some(range) }
            }
            Some(compression) => {
                let packed = blocks(store, path, 0, part.size, part.size).map_err(std::io::Error::other);
                Self { blocks: unpacked(packed.boxed(), compression), range: None }
            }
        }
    }

    /// The next bytes, cut anywhere, `None` behind the last line.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        loop {
            if self.range.as_ref().is_some_and(LineRange::is_complete) {
                return Ok(None);
            }
            let Some(block) = self.blocks.try_next().await? else { return Ok(None) };
            let lines = match &mut self.range {
                Some(range) => block.slice_ref(range.take(&block)),
                None => block,
            };
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
        }
    }
}

/// Blocks of a file from a byte to the end of a range, and further on in smaller ones.
fn blocks(
    store: Arc<dyn ObjectStore>,
    path: Path,
    from: u64,
    end: u64,
    size: u64,
) -> BoxStream<'static, object_store::Result<Bytes>> {
    let within = (from..end.min(size)).step_by(BLOCK as usize).map(move |at| at..(at + BLOCK).min(end).min(size));
    let beyond = (end.min(size)..size).step_by(TAIL as usize).map(move |at| at..(at + TAIL).min(size));
    futures::stream::iter(within.chain(beyond))
        .map(move |range| {
            let (store, path) = (Arc::clone(&store), path.clone());
            async move { store.get_range(&path, range).await }
        })
        // The next block is on its way while one is decoded.
        .buffered(2)
        .boxed()
}

/// What is packed in a file, all of it: files put behind each other are one file.
fn unpacked(
    packed: BoxStream<'static, std::io::Result<Bytes>>,
    compression: Compression,
) -> BoxStream<'static, Result<Bytes, ReadError>> {
    let packed = StreamReader::new(packed);
    let stream = match compression {
        Compression::Gzip => {
            let mut decoder = GzipDecoder::new(packed);
            decoder.multiple_members(true);
            ReaderStream::with_capacity(decoder, UNPACKED).boxed()
        }
        Compression::Zstd => {
            let mut decoder = ZstdDecoder::new(packed);
            decoder.multiple_members(true);
            ReaderStream::with_capacity(decoder, UNPACKED).boxed()
        }
        Compression::Bzip2 => {
            let mut decoder = BzDecoder::new(packed);
            decoder.multiple_members(true);
            ReaderStream::with_capacity(decoder, UNPACKED).boxed()
        }
        Compression::Other => {
            let error = std::io::Error::new(std::io::ErrorKind::Unsupported, "gz, zst and bz2 are read");
            futures::stream::once(async { Err(error) }).boxed()
        }
    };
    stream
        .map_err(move |error| match error.downcast::<object_store::Error>() {
            Ok(storage) => ReadError::Storage(storage),
            Err(source) => ReadError::Damaged { compression, source },
        })
        .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_compression::tokio::bufread::{BzEncoder, GzipEncoder, ZstdEncoder};
    use object_store::memory::InMemory;
    use tokio::io::AsyncReadExt;

    async fn packed(text: &[u8], name: &str) -> Vec<u8> {
        let mut out = Vec::new();
        match name {
            "gz" => GzipEncoder::new(text).read_to_end(&mut out).await.unwrap(),
            "zst" => ZstdEncoder::new(text).read_to_end(&mut out).await.unwrap(),
            _ => BzEncoder::new(text).read_to_end(&mut out).await.unwrap(),
        };
        out
    }

    async fn read(name: &str, bytes: Vec<u8>) -> Result<Vec<u8>, ReadError> {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let path = Path::from(name);
        let size = bytes.len() as u64;
        store.put(&path, bytes.into()).await.unwrap();
        let mut reader = PartReader::new(store, path, &FilePart { path: name.to_owned(), size, start: 0, end: size });
        let mut all = Vec::new();
        while let Some(block) = reader.next().await? {
            all.extend_from_slice(&block);
        }
        Ok(all)
    }

    #[tokio::test]
    async fn compressed_files_behind_each_other_are_one_file() {
        let text: Vec<u8> = (0..200_000).flat_map(|n: u32| format!("{n},x\n").into_bytes()).collect();
        for name in ["gz", "zst", "bz2"] {
            let mut bytes = packed(&text, name).await;
            bytes.extend(packed(b"last\n", name).await);
            let got = read(&format!("a.csv.{name}"), bytes).await.unwrap();
            assert!(got == [&text[..], b"last\n"].concat(), "{name}: {} bytes", got.len());
        }
    }

    #[tokio::test]
    async fn a_file_cut_short_or_damaged_is_no_short_table() {
        let text: Vec<u8> =
            (0..5000u32).flat_map(|n| format!("{n},{}\n", n.wrapping_mul(2_654_435_761)).into_bytes()).collect();
        for name in ["gz", "zst", "bz2"] {
            let whole = packed(&text, name).await;
            for cut in [1, 9, whole.len() / 2, whole.len() - 5, whole.len() - 1] {
                let got = read(&format!("a.csv.{name}"), whole[..cut].to_vec()).await;
                assert!(matches!(got, Err(ReadError::Damaged { .. })), "{name} cut at {cut} of {}", whole.len());
            }
            // This encoder puts no checksum into zstd, so that damage within need not show.
            if name != "zst" {
                let mut damaged = whole.clone();
                damaged[whole.len() / 2] ^= 0x5a;
                let got = read(&format!("a.csv.{name}"), damaged).await;
                assert!(matches!(got, Err(ReadError::Damaged { .. })), "{name} damaged");
            }
            let got = read(&format!("a.csv.{name}"), b"a,b\n1,2\n".to_vec()).await;
            assert!(matches!(got, Err(ReadError::Damaged { .. })), "{name} of plain text");
        }
    }
}
