//! Key ranges: how rows are spread over tasks so that part files written in parallel are in global order.
//!
//! A chunk is a range of series keys, in the order of the output. Chunk `c` holds the keys between two neighbouring bounds, so
//! that part file `c` comes after part file `c - 1` as a whole. Rows travel by the hash of the chunk's *label*; labels are chosen
//! so that each hashes to a task of its own.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_plan::Partitioning;
use datafusion::physical_plan::metrics::Time;
use datafusion::physical_plan::repartition::BatchPartitioner;
use merlion::hierarchy::AGGREGATED;
use serde::{Deserialize, Serialize};

/// The texts of a series' index columns; `None` is null.
pub type Key = Vec<Option<String>>;

/// The order of keys in the output: level by level, the leaves of a hierarchy first and the sum of everything last; in a level
/// column by column as text, keys with a null in them last.
#[must_use]
pub fn compare_keys<T: AsRef<str>>(a: &[Option<T>], b: &[Option<T>]) -> Ordering {
    let is_sum = |part: &Option<T>| part.as_ref().is_some_and(|part| part.as_ref() == AGGREGATED);
    let depth = |key: &[Option<T>]| key.iter().position(is_sum).unwrap_or(key.len());
    let has_null = |key: &[Option<T>]| key.iter().any(Option::is_none);
    depth(b).cmp(&depth(a)).then_with(|| has_null(a).cmp(&has_null(b))).then_with(|| {
        for (a, b) in a.iter().zip(b) {
            let order = match (a, b) {
                (Some(a), Some(b)) => a.as_ref().cmp(b.as_ref()),
                (a, b) => a.is_none().cmp(&b.is_none()),
            };
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    })
}

/// The chunks of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunks {
    /// The first key of every chunk but the first, increasing.
    bounds: Vec<Key>,
    /// The label of each chunk.
    labels: Vec<i32>,
}

impl Chunks {
    /// Chunks of about equal numbers of series, from a sample of the keys. There are at most `count`, fewer when the sample has
    /// fewer keys.
    ///
    /// # Errors
    /// When the hash of the query engine cannot be computed.
    pub fn from_sample(mut sample: Vec<Key>, count: usize) -> Result<Self> {
        sample.sort_by(|a, b| compare_keys(a, b));
        sample.dedup();
        let count = count.clamp(1, sample.len().max(1));
        let bounds = (1..count).map(|c| sample[c * sample.len() / count].clone()).collect();
        Ok(Self { bounds, labels: labels(count)? })
    }

    /// How many chunks there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// There is always at least one chunk.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The label of each chunk, in order.
    #[must_use]
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// The chunk of a key.
    fn chunk_of(&self, key: &[Option<&str>]) -> usize {
        self.bounds.partition_point(|bound| {
            let bound: Vec<Option<&str>> = bound.iter().map(Option::as_deref).collect();
            compare_keys(&bound, key).is_le()
        })
    }
}

/// For each of `count` tasks, a number that hashes to it.
fn labels(count: usize) -> Result<Vec<i32>> {
    let schema = Arc::new(Schema::new(vec![Field::new("label", DataType::Int32, false)]));
    let mut labels = vec![None; count];
    let mut missing = count;
    let mut first = 0i32;
    // Each block finds the most of what is missing; 32 blocks leave a chance below e^-500 of any task left over.
    for _ in 0..32 {
        let size = i32::try_from(count * 16).unwrap_or(i32::MAX / 64);
        let candidates = Int32Array::from_iter_values(first..first + size);
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(candidates)])?;
        let partitioning = Partitioning::Hash(vec![col("label", &schema)?], count);
        let mut partitioner = BatchPartitioner::try_new(partitioning, Time::new(), 0, 1)?;
        partitioner.partition(batch, |task, part| {
            if labels[task].is_none() && part.num_rows() > 0 {
                let column: &Int32Array = part.column(0).as_primitive();
                labels[task] = Some(column.value(0));
                missing -= 1;
            }
            Ok(())
        })?;
        if missing == 0 {
            return Ok(labels.into_iter().flatten().collect());
        }
        first += size;
    }
    exec_err!("no labels found for {count} chunks")
}

/// The scalar function `range_chunk(chunks, key…)`: the label of the chunk each row's key falls in.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct RangeChunk {
    signature: Signature,
}

/// The function's name.
pub const RANGE_CHUNK: &str = "range_chunk";

/// The function as DataFusion registers it.
#[must_use]
pub fn range_chunk_udf() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(RangeChunk { signature: Signature::variadic_any(Volatility::Immutable) }))
}

impl ScalarUDFImpl for RangeChunk {
    fn name(&self) -> &str {
        RANGE_CHUNK
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int32)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some((ColumnarValue::Scalar(ScalarValue::Utf8(Some(chunks))), keys)) = args.args.split_first() else {
            return exec_err!("{RANGE_CHUNK}: the first argument is the chunks as JSON text");
        };
        let chunks: Chunks = serde_json::from_str(chunks)
            .map_err(|error| DataFusionError::Execution(format!("{RANGE_CHUNK}: {error}")))?;
        let keys: Vec<ArrayRef> =
            keys.iter().map(|key| key.clone().into_array(args.number_rows)).collect::<Result<_>>()?;
        let keys: Vec<&StringArray> = keys
            .iter()
            .map(|key| {
                key.as_string_opt::<i32>().ok_or_else(|| {
                    DataFusionError::Execution(format!("{RANGE_CHUNK}: keys are text, not {}", key.data_type()))
                })
            })
            .collect::<Result<_>>()?;
        let mut key = vec![None; keys.len()];
        let mut previous: Option<(Vec<Option<&str>>, i32)> = None;
        let labels: Int32Array = (0..args.number_rows)
            .map(|row| {
                for (part, column) in key.iter_mut().zip(&keys) {
                    *part = column.is_valid(row).then(|| column.value(row));
                }
                // Rows of one series often follow each other.
                match &previous {
                    Some((last, label)) if *last == key => *label,
                    _ => {
                        let label = chunks.labels[chunks.chunk_of(&key)];
                        previous = Some((key.clone(), label));
                        label
                    }
                }
            })
            .collect::<Vec<i32>>()
            .into();
        Ok(ColumnarValue::Array(Arc::new(labels)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(parts: &[&str]) -> Key {
        parts.iter().map(|p| Some((*p).to_owned())).collect()
    }

    #[test]
    fn keys_are_ordered_as_text_with_nulls_last() {
        let mut keys =
            [key(&["2", "1"]), vec![Some("1".into()), None], key(&["10", "1"]), key(&["1", "9"]), key(&["1", "10"])];
        keys.sort_by(|a, b| compare_keys(a, b));
        let text: Vec<String> =
            keys.iter().map(|k| k.iter().map(|p| p.as_deref().unwrap_or("-")).collect::<Vec<_>>().join("/")).collect();
        assert_eq!(text, ["1/10", "1/9", "10/1", "2/1", "1/-"]);
    }

    #[test]
    fn sums_come_after_what_they_are_made_of() {
        let mut keys = [["__aggregated__"; 2], ["1", "__aggregated__"], ["9", "9"], ["1", "1"]].map(|k| key(&k));
        keys.sort_by(|a, b| compare_keys(a, b));
        assert_eq!(keys, [["1", "1"], ["9", "9"], ["1", "__aggregated__"], ["__aggregated__"; 2]].map(|k| key(&k)));
    }

    #[test]
    fn chunks_are_balanced_and_in_order() {
        let sample: Vec<Key> = (0..1000).map(|i| key(&[&format!("{i:04}")])).collect();
        let chunks = Chunks::from_sample(sample.clone(), 7).unwrap();
        let of: Vec<usize> =
            sample.iter().map(|k| chunks.chunk_of(&k.iter().map(Option::as_deref).collect::<Vec<_>>())).collect();
        assert!(of.is_sorted(), "{of:?}");
        for c in 0..7 {
            let n = of.iter().filter(|x| **x == c).count();
            assert!((142..=144).contains(&n), "chunk {c} has {n} of 1000");
        }
    }

    #[test]
    fn every_label_hashes_to_a_task_of_its_own() {
        for count in [1, 2, 3, 16, 200] {
            let labels = labels(count).unwrap();
            let schema = Arc::new(Schema::new(vec![Field::new("label", DataType::Int32, false)]));
            let batch =
                RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(Int32Array::from(labels.clone()))]).unwrap();
            let hash = Partitioning::Hash(vec![col("label", &schema).unwrap()], count);
            let mut seen = Vec::new();
            BatchPartitioner::try_new(hash, Time::new(), 0, 1)
                .unwrap()
                .partition(batch, |task, part| {
                    seen.push((task, part.num_rows()));
                    Ok(())
                })
                .unwrap();
            seen.retain(|(_, rows)| *rows > 0);
            assert_eq!(seen.len(), count, "{count} chunks land in {} tasks", seen.len());
        }
    }

    #[test]
    fn more_chunks_than_keys_are_not_made() {
        let chunks = Chunks::from_sample(vec![key(&["a"]), key(&["b"]), key(&["a"])], 16).unwrap();
        assert_eq!(chunks.len(), 2);
        assert_eq!(Chunks::from_sample(Vec::new(), 16).unwrap().len(), 1);
    }
}
