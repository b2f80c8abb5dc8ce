//! A sample of the distinct keys of a table that does not depend on how the table is cut or ordered: those with the
//! smallest hashes (bottom-k), and from the largest of these an estimate of how many keys there are.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use super::Record;

/// How many keys a sample keeps: the estimate of the number of keys is then good to about 1.6 % (1/√k).
pub const KEY_SAMPLE_SIZE: usize = 4096;

/// How many keys are counted exactly. Beyond, counting would cost more memory than knowing is worth.
const MOST_COUNTED: usize = 4 << 20;

/// The keys are hashes already.
#[derive(Debug, Clone, Copy, Default)]
struct Unhashed(u64);

impl Hasher for Unhashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

type Hashes = HashSet<u64, BuildHasherDefault<Unhashed>>;

/// Stands for the length of a token that is null.
const NULL: u32 = u32::MAX;

/// A bottom-k sample of key tuples: the raw tokens of the key columns.
#[derive(Debug, Clone)]
pub struct KeySample {
    columns: Vec<usize>,
    /// Encoded keys by hash; of keys with the same hash the smallest, so that the order of the rows does not matter.
    keys: BTreeMap<u64, Box<[u8]>>,
    /// Hashes from here on are of no interest to the sample.
    ceiling: u64,
    /// The hashes of all keys, until they are too many.
    all: Option<Hashes>,
    previous: Vec<u8>,
    current: Vec<u8>,
}

impl KeySample {
    /// An empty sample of the keys in these columns.
    pub fn new(columns: Vec<usize>) -> Self {
        Self {
            columns,
            keys: BTreeMap::new(),
            ceiling: u64::MAX,
            all: Some(Hashes::default()),
            previous: Vec::new(),
            current: Vec::new(),
        }
    }

    /// The columns that make the key.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Takes in a record's key; an empty token is null.
    #[inline]
    pub fn update(&mut self, record: &Record<'_>) {
        let columns = std::mem::take(&mut self.columns);
        self.update_with(columns.len(), |part| {
            let token = record.field(columns[part]);
            (!token.is_empty()).then_some(token)
        });
        self.columns = columns;
    }

    /// Takes in a key of `parts` parts.
    #[inline]
    pub(crate) fn update_with<'t>(&mut self, parts: usize, token: impl Fn(usize) -> Option<&'t [u8]>) {
        if self.is_previous(parts, &token) {
            return;
        }
        self.current.clear();
        for part in 0..parts {
            let token = token(part);
            self.current.extend_from_slice(&token.map_or(NULL, |token| token.len() as u32).to_le_bytes());
            self.current.extend_from_slice(token.unwrap_or_default());
        }
        std::mem::swap(&mut self.previous, &mut self.current);
        let hash = hash(&self.previous);
        count(&mut self.all, hash);
        if hash < self.ceiling {
            insert(&mut self.keys, &mut self.ceiling, hash, &self.previous);
        }
    }

    #[inline]
    fn is_previous<'t>(&self, parts: usize, token: impl Fn(usize) -> Option<&'t [u8]>) -> bool {
        let mut rest = self.previous.as_slice();
        for part in 0..parts {
            let token = token(part);
            let Some((len, tail)) = rest.split_first_chunk::<4>() else { return false };
            let bytes = token.unwrap_or_default();
            if u32::from_le_bytes(*len) != token.map_or(NULL, |token| token.len() as u32) || !tail.starts_with(bytes) {
                return false;
            }
            rest = &tail[bytes.len()..];
        }
        !self.previous.is_empty()
    }

    /// Takes in another sample of the same columns. The order of merging does not matter.
    pub fn merge(&mut self, other: &Self) {
        match &other.all {
            Some(theirs) => theirs.iter().for_each(|hash| count(&mut self.all, *hash)),
            None => self.all = None,
        }
        for (&hash, key) in &other.keys {
            if hash < self.ceiling {
                insert(&mut self.keys, &mut self.ceiling, hash, key);
            }
        }
    }

    /// How many distinct keys there are: exact up to four million (but for keys that share a 64-bit hash), an estimate beyond.
    pub fn distinct(&self) -> u64 {
        if let Some(all) = &self.all {
            return all.len() as u64;
        }
        match self.keys.last_key_value() {
            Some((&largest, _)) if self.keys.len() >= KEY_SAMPLE_SIZE => {
                // k-1 keys lie below the k-th smallest hash, so the density of keys is (k-1)/h.
                ((KEY_SAMPLE_SIZE - 1) as f64 * (u64::MAX as f64 / largest as f64)).round() as u64
            }
            _ => self.keys.len() as u64,
        }
    }

    /// Whether [`distinct`](Self::distinct) is exact.
    pub fn is_exact(&self) -> bool {
        self.all.is_some()
    }

    /// Whether [`keys`](Self::keys) are all keys.
    pub fn is_complete(&self) -> bool {
        self.keys.len() < KEY_SAMPLE_SIZE
    }

    /// The sampled keys, as raw tokens, in the order of their hashes.
    pub fn keys(&self) -> impl Iterator<Item = Vec<Option<&[u8]>>> {
        self.keys.values().map(|key| {
            let mut rest = &key[..];
            let mut tokens = Vec::with_capacity(self.columns.len());
            while let Some((len, tail)) = rest.split_first_chunk::<4>() {
                let len = u32::from_le_bytes(*len);
                let (token, tail) = tail.split_at(if len == NULL { 0 } else { (len as usize).min(tail.len()) });
                tokens.push((len != NULL).then_some(token));
                rest = tail;
            }
            tokens
        })
    }
}

fn count(all: &mut Option<Hashes>, hash: u64) {
    if let Some(hashes) = all {
        hashes.insert(hash);
        if hashes.len() > MOST_COUNTED {
            *all = None;
        }
    }
}

#[cold]
fn insert(keys: &mut BTreeMap<u64, Box<[u8]>>, ceiling: &mut u64, hash: u64, key: &[u8]) {
    let kept = keys.entry(hash).or_insert_with(|| key.into());
    if key < &kept[..] {
        *kept = key.into();
    }
    while keys.len() > KEY_SAMPLE_SIZE {
        keys.pop_last();
    }
    if keys.len() == KEY_SAMPLE_SIZE
        && let Some((&largest, _)) = keys.last_key_value()
    {
        // The largest itself stays welcome, should a smaller key share its hash.
        *ceiling = largest.saturating_add(1);
    }
}

/// A 64-bit hash of bytes that is the same on every machine: 8 bytes at a time, folded by a wide multiplication.
fn hash(bytes: &[u8]) -> u64 {
    const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
    const FACTOR: u64 = 0xd6e8_feb8_6659_fd93;
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        (product >> 64) as u64 ^ product as u64
    };
    let mut state = SEED ^ bytes.len() as u64;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let word = chunk.iter().rev().fold(0_u64, |word, &b| word << 8 | u64::from(b));
        state = fold(state ^ word, FACTOR);
    }
    let word = chunks.remainder().iter().rev().fold(0_u64, |word, &b| word << 8 | u64::from(b));
    state = fold(state ^ word, FACTOR);
    // murmur3's finish: the order of the hashes is what is used, so the high bits must be good.
    state ^= state >> 33;
    state = state.wrapping_mul(0xff51_afd7_ed55_8ccd);
    state ^= state >> 33;
    state = state.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    state ^ state >> 33
}

#[cfg(test)]
mod tests {
    use super::super::Splitter;
    use super::*;

    fn sample(lines: &[String]) -> KeySample {
        let mut sample = KeySample::new(vec![0, 1]);
        let text = lines.concat();
        let mut splitter = Splitter::new(3);
        let mut records = splitter.records(text.as_bytes());
        while let Some(record) = records.next_record() {
            sample.update(&record);
        }
        sample
    }

    fn rows(keys: usize) -> Vec<String> {
        (0..keys * 3).map(|row| format!("{},{},{row}\n", row % keys % 100, row % keys / 100)).collect()
    }

    #[test]
    fn few_keys_are_counted_exactly_and_nulls_are_keys() {
        let sample = sample(&["a,b,1\n".into(), "a,b,2\n".into(), "a,,3\n".into(), ",b,4\n".into(), "a\n".into()]);
        assert_eq!((sample.distinct(), sample.is_complete()), (3, true));
        let mut keys: Vec<_> = sample.keys().collect();
        keys.sort();
        let (a, b) = (Some(&b"a"[..]), Some(&b"b"[..]));
        assert_eq!(keys, [vec![None, b], vec![a, None], vec![a, b]]);
    }

    #[test]
    fn many_keys_are_estimated_within_five_percent() {
        for keys in [5_000, 40_000, 200_000] {
            let mut sample = sample(&rows(keys));
            assert_eq!(sample.distinct(), keys as u64, "counted");
            sample.all = None;
            let distinct = sample.distinct() as f64;
            let error = distinct / keys as f64 - 1.0;
            assert!(error.abs() < 0.05, "{keys} keys estimated as {distinct}");
        }
    }

    #[test]
    fn order_and_partitions_do_not_matter() {
        let mut lines = rows(20_000);
        let whole: Vec<_> = sample(&lines).keys.into_iter().collect();
        lines.reverse();
        let mut merged = sample(&lines[..1234]);
        merged.merge(&sample(&lines[30_000..]));
        merged.merge(&sample(&lines[1234..30_000]));
        assert_eq!(merged.keys.into_iter().collect::<Vec<_>>(), whole);
    }
}
