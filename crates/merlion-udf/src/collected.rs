//! The rows of many series as an aggregate collects them: blocks in arrival order, gathered per series at the end.

use std::ops::Range;

/// One batch of rows: which group each belongs to, and its values.
#[derive(Debug)]
struct Block {
    groups: Vec<u32>,
    times: Vec<i64>,
    columns: Vec<Vec<f64>>,
}

impl Block {
    /// The same without room to grow.
    fn compact(mut self) -> Self {
        self.groups.shrink_to_fit();
        self.times.shrink_to_fit();
        self.columns.iter_mut().for_each(Vec::shrink_to_fit);
        self
    }

    fn size(&self) -> usize {
        self.groups.capacity() * size_of::<u32>()
            + self.times.capacity() * size_of::<i64>()
            + self.columns.iter().map(|c| c.capacity() * size_of::<f64>()).sum::<usize>()
    }
}

/// Rows of all groups, kept as they arrived. Values are copied out of the batches: an Arrow column read from a shuffle file pins
/// the whole batch it came in, key strings included.
#[derive(Debug)]
pub(crate) struct Collected {
    column_count: usize,
    blocks: Vec<Block>,
    keys: Vec<Option<Box<str>>>,
    bytes: usize,
}

/// The rows of the first groups, group after group.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// The rows of group `g` are `offsets[g]..offsets[g + 1]`.
    pub(crate) offsets: Vec<usize>,
    pub(crate) times: Vec<i64>,
    pub(crate) columns: Vec<Vec<f64>>,
    /// What each group is called, if the query told.
    pub(crate) keys: Vec<Option<Box<str>>>,
}

impl Gathered {
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn rows(&self, group: usize) -> Range<usize> {
        self.offsets[group]..self.offsets[group + 1]
    }
}

impl Collected {
    pub(crate) fn new(column_count: usize) -> Self {
        Self { column_count, blocks: Vec::new(), keys: Vec::new(), bytes: 0 }
    }

    /// Makes room for groups up to `total`.
    pub(crate) fn grow(&mut self, total: usize) {
        if total > self.keys.len() {
            self.keys.resize(total, None);
        }
    }

    /// Whether the group has no name yet.
    pub(crate) fn unnamed(&self, group: usize) -> bool {
        self.keys[group].is_none()
    }

    pub(crate) fn name(&mut self, group: usize, key: Box<str>) {
        self.bytes += key.len();
        self.keys[group] = Some(key);
    }

    /// Adds rows; all vectors have one length.
    pub(crate) fn push(&mut self, groups: Vec<u32>, times: Vec<i64>, columns: Vec<Vec<f64>>) {
        debug_assert_eq!(columns.len(), self.column_count);
        debug_assert!(times.len() == groups.len() && columns.iter().all(|c| c.len() == groups.len()));
        if groups.is_empty() {
            return;
        }
        let block = Block { groups, times, columns };
        self.bytes += block.size() + size_of::<Block>();
        self.blocks.push(block);
    }

    /// Bytes held.
    pub(crate) fn size(&self) -> usize {
        self.bytes + self.keys.capacity() * size_of::<Option<Box<str>>>()
    }

    pub(crate) fn group_count(&self) -> usize {
        self.keys.len()
    }

    /// Takes out the rows of the first `count` groups by a counting sort; the other groups are renumbered from 0.
    pub(crate) fn take_first(&mut self, count: usize) -> Gathered {
        let count = count.min(self.keys.len());
        let mut offsets = vec![0usize; count + 1];
        for block in &self.blocks {
            for &group in &block.groups {
                if (group as usize) < count {
                    offsets[group as usize + 1] += 1;
                }
            }
        }
        for group in 0..count {
            offsets[group + 1] += offsets[group];
        }
        let total = offsets[count];
        let mut next = offsets.clone();
        let mut times = vec![0i64; total];
        let mut columns = vec![vec![0f64; total]; self.column_count];
        let mut kept = Vec::new();
        for block in std::mem::take(&mut self.blocks) {
            let mut rest =
                Block { groups: Vec::new(), times: Vec::new(), columns: vec![Vec::new(); self.column_count] };
            for (row, &group) in block.groups.iter().enumerate() {
                if (group as usize) < count {
                    let to = next[group as usize];
                    next[group as usize] += 1;
                    times[to] = block.times[row];
                    for (column, source) in columns.iter_mut().zip(&block.columns) {
                        column[to] = source[row];
                    }
                } else {
                    rest.groups.push(group - u32::try_from(count).unwrap_or(u32::MAX));
                    rest.times.push(block.times[row]);
                    for (column, source) in rest.columns.iter_mut().zip(&block.columns) {
                        column.push(source[row]);
                    }
                }
            }
            if !rest.groups.is_empty() {
                kept.push(rest.compact());
            }
        }
        let remaining = self.keys.split_off(count);
        let keys = std::mem::replace(&mut self.keys, remaining);
        self.bytes = kept.iter().map(|b| b.size() + size_of::<Block>()).sum::<usize>()
            + self.keys.iter().flatten().map(|k| k.len()).sum::<usize>();
        self.blocks = kept;
        Gathered { offsets, times, columns, keys }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_some_groups_leaves_the_others_renumbered() {
        let mut collected = Collected::new(1);
        collected.grow(3);
        collected.name(2, "c".into());
        collected.push(vec![0, 2, 1], vec![10, 30, 20], vec![vec![1.0, 3.0, 2.0]]);
        collected.push(vec![2, 0], vec![31, 11], vec![vec![3.5, 1.5]]);
        let before = collected.size();

        let first = collected.take_first(2);
        assert_eq!(first.offsets, [0, 2, 3]);
        assert_eq!(first.times, [10, 11, 20]);
        assert_eq!(first.columns, [vec![1.0, 1.5, 2.0]]);
        assert!(collected.size() < before, "{} < {before}", collected.size());

        let rest = collected.take_first(9);
        assert_eq!(rest.offsets, [0, 2]);
        assert_eq!(rest.times, [30, 31]);
        assert_eq!(rest.keys, [Some("c".into())]);
        assert_eq!(collected.group_count(), 0);
    }
}
