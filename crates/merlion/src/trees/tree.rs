//! One regression tree.

use serde::Serialize;

/// Marks a node without a split.
const LEAF: u32 = u32::MAX;

/// A node: a split, whose two sides stand next to each other, or a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Node {
    /// Values up to and including this one go left.
    threshold: f64,
    /// The feature that is asked, or [`LEAF`].
    feature: u32,
    /// The left side (the right one follows), or the number of the leaf.
    target: u32,
}

/// A binary tree of thresholds, with one value for each output at each leaf.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tree {
    nodes: Vec<Node>,
    /// The values of leaf 0, then of leaf 1, and so on.
    values: Vec<f64>,
    outputs: usize,
}

impl Tree {
    /// A tree of one leaf, which is node 0, without a value yet.
    pub(super) fn new(outputs: usize) -> Self {
        Self { nodes: vec![Node { threshold: 0.0, feature: LEAF, target: 0 }], values: Vec::new(), outputs }
    }

    /// Splits a node; its sides are the returned node and the one after it.
    pub(super) fn split(&mut self, node: usize, feature: usize, threshold: f64) -> usize {
        let left = self.nodes.len();
        self.nodes[node] = Node { threshold, feature: feature as u32, target: left as u32 };
        self.nodes.extend([Node { threshold: 0.0, feature: LEAF, target: 0 }; 2]);
        left
    }

    /// Makes a node a leaf with these values.
    pub(super) fn set_leaf(&mut self, node: usize, values: &[f64]) {
        self.nodes[node].target = (self.values.len() / self.outputs) as u32;
        self.values.extend_from_slice(values);
    }

    /// The values at the leaf that `features` lead to.
    #[must_use]
    pub fn predict(&self, features: &[f64]) -> &[f64] {
        let mut node = &self.nodes[0];
        while node.feature != LEAF {
            let right = usize::from(features[node.feature as usize] > node.threshold);
            node = &self.nodes[node.target as usize + right];
        }
        let at = node.target as usize * self.outputs;
        &self.values[at..at + self.outputs]
    }

    /// How many leaves it has.
    #[must_use]
    pub fn leaves(&self) -> usize {
        self.values.len() / self.outputs
    }

    /// The features its splits ask, in the order the splits were made.
    pub fn split_features(&self) -> impl Iterator<Item = usize> {
        self.nodes.iter().filter(|node| node.feature != LEAF).map(|node| node.feature as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_up_to_the_threshold_go_left() {
        let mut tree = Tree::new(2);
        let left = tree.split(0, 1, 3.0);
        tree.set_leaf(left, &[1.0, 10.0]);
        tree.set_leaf(left + 1, &[2.0, 20.0]);
        assert_eq!(tree.predict(&[9.0, 3.0]), [1.0, 10.0]);
        assert_eq!(tree.predict(&[-9.0, 3.1]), [2.0, 20.0]);
        assert_eq!((tree.leaves(), tree.split_features().collect::<Vec<_>>()), (2, vec![1]));
    }
}
