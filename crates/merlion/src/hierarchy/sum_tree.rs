//! A hierarchy in which every series is part of at most one other: one parent for each. Reconciling along it is
//! `sum_tree_solver`'s business.

use super::HierarchyError;

const NO_PARENT: u32 = u32::MAX;

/// Series and the sum each is part of, if any. A series without parts is a leaf; several series may be nobody's part.
#[derive(Debug, Clone, PartialEq)]
pub struct SumTree {
    parent: Vec<u32>,
    /// The parts of series `i` are `children[child_start[i]..child_start[i + 1]]`, in order of their numbers.
    child_start: Vec<u32>,
    children: Vec<u32>,
    /// Every series before its parts.
    top_down: Vec<u32>,
    n_leaves: usize,
}

impl SumTree {
    /// The tree in which series `i` is part of series `parents[i]`.
    ///
    /// ```
    /// use merlion::hierarchy::SumTree;
    /// let tree = SumTree::from_parents(&[Some(2), Some(2), None])?;
    /// assert_eq!(tree.to_dense(), [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]);
    /// # Ok::<(), merlion::hierarchy::HierarchyError>(())
    /// ```
    ///
    /// # Errors
    /// [`HierarchyError::NotATree`] if a parent does not exist or the parents run in a circle.
    pub fn from_parents(parents: &[Option<usize>]) -> Result<Self, HierarchyError> {
        let len = parents.len();
        let mut child_start = vec![0u32; len + 1];
        for (node, parent) in parents.iter().enumerate() {
            match *parent {
                Some(parent) if parent >= len => return Err(HierarchyError::NotATree { node, parent }),
                Some(parent) => child_start[parent + 1] += 1,
                None => {}
            }
        }
        let n_leaves = child_start[1..].iter().filter(|&&count| count == 0).count();
        for node in 0..len {
            child_start[node + 1] += child_start[node];
        }
        let mut next = child_start.clone();
        let mut children = vec![0u32; child_start[len] as usize];
        let mut top_down: Vec<u32> = Vec::with_capacity(len);
        for (node, parent) in parents.iter().enumerate() {
            if let Some(parent) = *parent {
                children[next[parent] as usize] = node as u32;
                next[parent] += 1;
            } else {
                top_down.push(node as u32);
            }
        }
        let mut at = 0;
        while let Some(&node) = top_down.get(at) {
            let node = node as usize;
            top_down.extend_from_slice(&children[child_start[node] as usize..child_start[node + 1] as usize]);
            at += 1;
        }
        if top_down.len() < len {
            let mut reached = vec![false; len];
            top_down.iter().for_each(|&node| reached[node as usize] = true);
            let node = reached.iter().position(|reached| !reached).unwrap_or_default();
            return Err(HierarchyError::NotATree { node, parent: parents[node].unwrap_or_default() });
        }
        let parent = parents.iter().map(|parent| parent.map_or(NO_PARENT, |parent| parent as u32)).collect();
        Ok(Self { parent, child_start, children, top_down, n_leaves })
    }

    /// How many series there are, sums included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parent.len()
    }

    /// Whether there is no series.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parent.is_empty()
    }

    /// How many series have no parts.
    #[must_use]
    pub fn n_leaves(&self) -> usize {
        self.n_leaves
    }

    /// The sum a series is part of.
    #[must_use]
    pub fn parent(&self, node: usize) -> Option<usize> {
        let parent = self.parent[node];
        (parent != NO_PARENT).then_some(parent as usize)
    }

    /// The parts of a series; none for a leaf.
    #[must_use]
    pub fn children(&self, node: usize) -> &[u32] {
        &self.children[self.child_start[node] as usize..self.child_start[node + 1] as usize]
    }

    /// The series, each before its parts.
    pub(super) fn top_down(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.top_down.iter().map(|&node| node as usize)
    }

    /// Makes every sum the sum of its parts, bottom up.
    pub(super) fn add_up(&self, values: &mut [f64]) {
        for node in self.top_down().rev() {
            let parts = self.children(node);
            if !parts.is_empty() {
                values[node] = parts.iter().map(|&part| values[part as usize]).sum();
            }
        }
    }

    /// How many leaves each series is the sum of: the row sums of the summing matrix.
    #[must_use]
    pub fn leaf_counts(&self) -> Vec<f64> {
        let mut counts = vec![1.0; self.len()];
        self.add_up(&mut counts);
        counts
    }

    /// The tree of some of its series, each part of the nearest sum above it that is among them, and their numbers here. A sum
    /// that loses all its parts becomes a leaf.
    ///
    /// # Errors
    /// [`HierarchyError::LengthMismatch`] if `keep` does not have one entry for each series.
    pub fn restrict(&self, keep: &[bool]) -> Result<(Self, Vec<usize>), HierarchyError> {
        if keep.len() != self.len() {
            return Err(HierarchyError::LengthMismatch { what: "flags", got: keep.len(), expected: self.len() });
        }
        let kept: Vec<usize> = (0..self.len()).filter(|&node| keep[node]).collect();
        let mut renumbered = vec![0; self.len()];
        kept.iter().enumerate().for_each(|(new, &old)| renumbered[old] = new);
        // For each series, the new number of itself if kept, else of the nearest kept sum above.
        let mut nearest = vec![None; self.len()];
        let mut parents = vec![None; kept.len()];
        for node in self.top_down() {
            let above = self.parent(node).and_then(|parent| nearest[parent]);
            if keep[node] {
                parents[renumbered[node]] = above;
                nearest[node] = Some(renumbered[node]);
            } else {
                nearest[node] = above;
            }
        }
        Ok((Self::from_parents(&parents)?, kept))
    }

    /// The summing matrix, `len` rows of `n_leaves` columns, leaves in order of their numbers: for tests and small hierarchies.
    #[must_use]
    pub fn to_dense(&self) -> Vec<Vec<f64>> {
        let mut rows = vec![vec![0.0; self.n_leaves]; self.len()];
        let leaves = (0..self.len()).filter(|&node| self.children(node).is_empty());
        for (column, leaf) in leaves.enumerate() {
            let mut node = Some(leaf);
            while let Some(at) = node {
                rows[at][column] = 1.0;
                node = self.parent(at);
            }
        }
        rows
    }
}
