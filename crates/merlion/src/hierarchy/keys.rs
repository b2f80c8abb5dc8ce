//! The prefix hierarchy of series keys: which series there are, their numbers, and the tree they make. The numbers themselves are
//! summed and reconciled elsewhere.
//!
//! Index columns `["store", "dept"]` make departments leaves, then a sum for each store, then one for everything; never a sum for
//! each department. In the key of a sum the columns summed over are [`AGGREGATED`]. Series are numbered as Merlion's
//! `create_hier_dataset` does: leaves first, in the order of their keys as strings; then the sums over the last column, over the
//! last two, and so on, each level in order of the keys. Keys with a null come last within their level, and a null in a column
//! comes after every value. (Merlion's own handling of nulls at this point depends on pandas and loses such groups.)

use super::{HierarchyError, SumTree};

/// The value of an index column that a series is summed over; reserved, never a real value.
pub const AGGREGATED: &str = "__aggregated__";

/// Series, their keys and numbers, and the tree of their sums. See the [module](crate::hierarchy) for an example.
#[derive(Debug, Clone, PartialEq)]
pub struct Hierarchy {
    /// The keys, one after the other in order of their numbers.
    keys: Vec<Option<String>>,
    width: usize,
    /// The first series of each run of keys that can be searched: equal bucket, level and presence of nulls.
    runs: Vec<usize>,
    tree: SumTree,
}

/// A series while the tree is built: the first `depth` columns of one of the given keys.
#[derive(Debug, Clone, Copy)]
struct Node {
    row: usize,
    depth: usize,
    has_null: bool,
    /// Position in the walk, which is depth first.
    parent: Option<usize>,
    childless: bool,
}

/// The order of values in a column.
fn rank(value: Option<&str>) -> (u8, &str) {
    match value {
        Some(AGGREGATED) => (0, ""),
        Some(value) => (1, value),
        None => (2, ""),
    }
}

fn part<S: AsRef<str>>(value: &Option<S>) -> Option<&str> {
    value.as_ref().map(AsRef::as_ref)
}

/// A key as an error message shows it.
fn show<S: AsRef<str>>(key: &[Option<S>]) -> String {
    let parts: Vec<&str> = key.iter().map(|value| part(value).unwrap_or("null")).collect();
    format!("({})", parts.join(", "))
}

impl Hierarchy {
    /// The whole hierarchy over these leaves: a sum for each prefix of their keys, and one for everything. A single index column
    /// gives the leaves and their total; none gives one series, which is a leaf and nobody's part.
    ///
    /// # Errors
    /// [`HierarchyError::ReservedValue`], [`HierarchyError::DuplicateKey`], [`HierarchyError::KeyWidth`].
    pub fn from_leaves<K: AsRef<[Option<S>]>, S: AsRef<str>>(leaves: &[K]) -> Result<Self, HierarchyError> {
        let width = width(leaves)?;
        if let Some(key) = leaves.iter().find(|key| key.as_ref().iter().any(|value| part(value) == Some(AGGREGATED))) {
            return Err(HierarchyError::ReservedValue { key: show(key.as_ref()) });
        }
        let mut walk = Vec::with_capacity(leaves.len() + leaves.len() / 2);
        // The sums that the walk is inside of: one for each depth but the last.
        let mut open: Vec<usize> = Vec::with_capacity(width);
        let mut previous: Option<usize> = None;
        for row in sorted(leaves)? {
            let key = leaves[row].as_ref();
            let shared = previous.map_or(0, |previous| common_prefix(leaves[previous].as_ref(), key));
            open.truncate(if previous.is_some() { shared + 1 } else { 0 });
            for depth in open.len()..width {
                walk.push(Node::new(key, row, depth, open.last().copied()));
                open.push(walk.len() - 1);
            }
            walk.push(Node::new(key, row, width, open.last().copied()));
            previous = Some(row);
        }
        Ok(Self::number(leaves, width, walk)?.0)
    }

    /// The hierarchy of exactly these series, sums among them, and the number of each in the order given: what one time stamp of
    /// a table looks like. A series is part of the nearest sum there is above it; a sum of which no part is there stands for itself,
    /// as a leaf, and is numbered after the leaves proper.
    ///
    /// ```
    /// use merlion::hierarchy::{AGGREGATED, Hierarchy};
    /// let rows = [[AGGREGATED, AGGREGATED], ["1", "b"], ["1", "a"]].map(|key| key.map(Some));
    /// let (hierarchy, ids) = Hierarchy::from_keys(&rows)?;
    /// assert_eq!(ids, [2, 1, 0]);
    /// assert_eq!(hierarchy.tree().children(2), [0, 1]);
    /// # Ok::<(), merlion::hierarchy::HierarchyError>(())
    /// ```
    ///
    /// # Errors
    /// [`HierarchyError::NotAPrefix`], [`HierarchyError::DuplicateKey`], [`HierarchyError::KeyWidth`].
    pub fn from_keys<K: AsRef<[Option<S>]>, S: AsRef<str>>(keys: &[K]) -> Result<(Self, Vec<usize>), HierarchyError> {
        let width = width(keys)?;
        let mut walk: Vec<Node> = Vec::with_capacity(keys.len());
        let mut open: Vec<usize> = Vec::with_capacity(width);
        for row in sorted(keys)? {
            let key = keys[row].as_ref();
            let is_sum = |value: &Option<S>| part(value) == Some(AGGREGATED);
            let depth = key.iter().position(is_sum).unwrap_or(width);
            if !key[depth..].iter().all(is_sum) {
                return Err(HierarchyError::NotAPrefix { key: show(key) });
            }
            let contains = |at: &usize| {
                let sum: &Node = &walk[*at];
                sum.depth < depth && common_prefix(keys[sum.row].as_ref(), &key[..depth]) >= sum.depth
            };
            while open.last().is_some_and(|at| !contains(at)) {
                open.pop();
            }
            walk.push(Node::new(key, row, depth, open.last().copied()));
            open.push(walk.len() - 1);
        }
        Self::number(keys, width, walk)
    }

    /// From series in depth-first order of their keys to numbered ones, and the number of the series of each row.
    fn number<K: AsRef<[Option<S>]>, S: AsRef<str>>(
        rows: &[K],
        width: usize,
        mut walk: Vec<Node>,
    ) -> Result<(Self, Vec<usize>), HierarchyError> {
        for at in 0..walk.len() {
            if let Some(parent) = walk[at].parent {
                walk[parent].childless = false;
            }
        }
        // Within a level the walk is in order of the keys already, so a stable sort by small numbers is all there is to do.
        let run = |node: &Node| (!node.childless, width - node.depth, node.has_null);
        let mut order: Vec<usize> = (0..walk.len()).collect();
        order.sort_by_key(|&at| run(&walk[at]));
        let mut ids = vec![0; walk.len()];
        order.iter().enumerate().for_each(|(id, &at)| ids[at] = id);

        let mut keys = Vec::with_capacity(walk.len() * width);
        let mut row_ids = vec![0; rows.len()];
        for (id, &at) in order.iter().enumerate() {
            let Node { row, depth, .. } = walk[at];
            let key = rows[row].as_ref();
            keys.extend(key[..depth].iter().map(|value| part(value).map(String::from)));
            keys.extend((depth..width).map(|_| Some(AGGREGATED.to_owned())));
            if key.get(depth).is_none_or(|value| part(value) == Some(AGGREGATED)) {
                row_ids[row] = id;
            }
        }
        let runs =
            (0..order.len()).filter(|&id| id == 0 || run(&walk[order[id]]) != run(&walk[order[id - 1]])).collect();
        let parents: Vec<Option<usize>> = order.iter().map(|&at| walk[at].parent.map(|parent| ids[parent])).collect();
        let tree = SumTree::from_parents(&parents)?;
        Ok((Self { keys, width, runs, tree }, row_ids))
    }

    /// How many series there are, sums included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tree.len()
    }

    /// Whether there is no series.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tree.is_empty()
    }

    /// How many leaves there are; they have the lowest numbers.
    #[must_use]
    pub fn n_leaves(&self) -> usize {
        self.tree.n_leaves()
    }

    /// The key of a series.
    ///
    /// # Panics
    /// If there is no series of this number.
    #[must_use]
    pub fn key(&self, id: usize) -> &[Option<String>] {
        assert!(id < self.len(), "series {id} of {}", self.len());
        &self.keys[id * self.width..(id + 1) * self.width]
    }

    /// The number of the series with this key, if there is one.
    #[must_use]
    pub fn id<S: AsRef<str>>(&self, key: &[Option<S>]) -> Option<usize> {
        let ends = self.runs.iter().skip(1).copied().chain([self.len()]);
        self.runs.iter().zip(ends).find_map(|(&start, end)| {
            let before = |id: usize| self.key(id).iter().map(part).map(rank).lt(key.iter().map(part).map(rank));
            let (mut low, mut high) = (start, end);
            while low < high {
                let middle = usize::midpoint(low, high);
                if before(middle) { low = middle + 1 } else { high = middle }
            }
            let found = low < end && self.key(low).iter().map(part).eq(key.iter().map(part));
            found.then_some(low)
        })
    }

    /// Which series is part of which.
    #[must_use]
    pub fn tree(&self) -> &SumTree {
        &self.tree
    }
}

impl Node {
    fn new<S: AsRef<str>>(key: &[Option<S>], row: usize, depth: usize, parent: Option<usize>) -> Self {
        Self { row, depth, has_null: key[..depth].iter().any(Option::is_none), parent, childless: true }
    }
}

/// How many index columns the keys have.
fn width<K: AsRef<[Option<S>]>, S: AsRef<str>>(keys: &[K]) -> Result<usize, HierarchyError> {
    let expected = keys.first().map_or(0, |key| key.as_ref().len());
    match keys.iter().map(AsRef::as_ref).find(|key| key.len() != expected) {
        Some(key) => Err(HierarchyError::KeyWidth { key: show(key), got: key.len(), expected }),
        None => Ok(expected),
    }
}

/// The rows in order of their keys, in which a sum comes right before its parts.
fn sorted<K: AsRef<[Option<S>]>, S: AsRef<str>>(keys: &[K]) -> Result<Vec<usize>, HierarchyError> {
    let ranks = |row: usize| keys[row].as_ref().iter().map(part).map(rank);
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_unstable_by(|&a, &b| ranks(a).cmp(ranks(b)));
    match order.windows(2).find(|pair| ranks(pair[0]).eq(ranks(pair[1]))) {
        Some(pair) => Err(HierarchyError::DuplicateKey { key: show(keys[pair[0]].as_ref()) }),
        None => Ok(order),
    }
}

fn common_prefix<S: AsRef<str>>(a: &[Option<S>], b: &[Option<S>]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| part(*a) == part(*b)).count()
}
