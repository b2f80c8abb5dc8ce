//! One robust random cut tree (Guha et al. 2016, section 2): points can be put in and taken out, and after either the tree is one that
//! could have been cut from the points alone.

use rand_pcg::Pcg64;
use serde::Serialize;

use crate::math::rng;

/// No node.
const NONE: usize = usize::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Node {
    parent: usize,
    /// [`NONE`] in a leaf.
    left: usize,
    right: usize,
    axis: usize,
    /// What is not greater along the axis is to the left.
    cut: f64,
    /// Points below.
    mass: usize,
}

/// A tree of random cuts with the bounding box of every node.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Tree {
    dim: usize,
    root: usize,
    nodes: Vec<Node>,
    /// Least values of a node in all dimensions, then its greatest. In a leaf both are the point.
    bounds: Vec<f64>,
    free: Vec<usize>,
}

impl Tree {
    pub(super) fn new(dim: usize) -> Self {
        Self { dim, root: NONE, nodes: Vec::new(), bounds: Vec::new(), free: Vec::new() }
    }

    /// Points in the tree.
    pub(super) fn mass(&self) -> usize {
        if self.root == NONE { 0 } else { self.nodes[self.root].mass }
    }

    fn low(&self, node: usize) -> &[f64] {
        &self.bounds[2 * node * self.dim..(2 * node + 1) * self.dim]
    }

    fn high(&self, node: usize) -> &[f64] {
        &self.bounds[(2 * node + 1) * self.dim..(2 * node + 2) * self.dim]
    }

    fn is_leaf(&self, node: usize) -> bool {
        self.nodes[node].left == NONE
    }

    fn allocate(&mut self, node: Node) -> usize {
        if let Some(id) = self.free.pop() {
            self.nodes[id] = node;
            return id;
        }
        self.nodes.push(node);
        self.bounds.resize(self.bounds.len() + 2 * self.dim, 0.0);
        self.nodes.len() - 1
    }

    fn leaf(&mut self, point: &[f64], parent: usize) -> usize {
        let leaf = self.allocate(Node { parent, left: NONE, right: NONE, axis: 0, cut: 0.0, mass: 1 });
        let from = 2 * leaf * self.dim;
        self.bounds[from..from + self.dim].copy_from_slice(point);
        self.bounds[from + self.dim..from + 2 * self.dim].copy_from_slice(point);
        leaf
    }

    /// Makes a node's box hold the point.
    fn stretch(&mut self, node: usize, point: &[f64]) {
        let from = 2 * node * self.dim;
        let (low, high) = self.bounds[from..from + 2 * self.dim].split_at_mut(self.dim);
        for ((low, high), x) in low.iter_mut().zip(high).zip(point) {
            *low = if x < low { *x } else { *low };
            *high = if x > high { *x } else { *high };
        }
    }

    /// Makes a node's box that of its children.
    fn shrink(&mut self, node: usize) {
        let Node { left, right, .. } = self.nodes[node];
        let (from, dim) = (2 * node * self.dim, self.dim);
        for i in 0..dim {
            self.bounds[from + i] = self.low(left)[i].min(self.low(right)[i]);
            self.bounds[from + dim + i] = self.high(left)[i].max(self.high(right)[i]);
        }
    }

    /// Puts a point in; the leaf it is in, which equal points share.
    pub(super) fn insert(&mut self, point: &[f64], stream: &mut Pcg64) -> usize {
        if self.root == NONE {
            self.root = self.leaf(point, NONE);
            return self.root;
        }
        let mut node = self.root;
        loop {
            if self.is_leaf(node) && self.low(node) == point {
                self.nodes[node].mass += 1;
                return node;
            }
            if let Some((axis, cut)) = self.separate(node, point, stream) {
                return self.split(node, point, axis, cut);
            }
            self.nodes[node].mass += 1;
            self.stretch(node, point);
            let Node { left, right, axis, cut, .. } = self.nodes[node];
            node = if point[axis] <= cut { left } else { right };
        }
    }

    /// A random cut of the box that a node and the point would share, if it separates the two; otherwise the node's own cut stands.
    fn separate(&self, node: usize, point: &[f64], stream: &mut Pcg64) -> Option<(usize, f64)> {
        let (low, high) = (self.low(node), self.high(node));
        let width = |i: usize| high[i].max(point[i]) - low[i].min(point[i]);
        let total: f64 = (0..self.dim).map(width).sum();
        let mut rest = rng::uniform(stream) * total;
        for (i, &x) in point.iter().enumerate() {
            let width = width(i);
            if rest < width {
                // Cuts are between the two: below the upper of them, so that it is to the right.
                let (from, to) = if x < low[i] {
                    (x, low[i])
                } else if x > high[i] {
                    (high[i], x)
                } else {
                    break;
                };
                let cut = low[i].min(x) + rest;
                if (from..to).contains(&cut) {
                    return Some((i, cut));
                }
                break;
            }
            rest -= width;
        }
        if !self.is_leaf(node) {
            return None;
        }
        // Rounding put the cut on a leaf, or behind all widths; two different points must be cut apart all the same.
        let axis = (0..self.dim).find(|&i| low[i] != point[i])?;
        Some((axis, low[axis].min(point[axis])))
    }

    /// Puts a cut above a node, with the point on its other side.
    fn split(&mut self, node: usize, point: &[f64], axis: usize, cut: f64) -> usize {
        let parent = self.nodes[node].parent;
        let leaf = self.leaf(point, NONE);
        let (left, right) = if point[axis] <= cut { (leaf, node) } else { (node, leaf) };
        let mass = self.nodes[node].mass + 1;
        let fork = self.allocate(Node { parent, left, right, axis, cut, mass });
        self.nodes[leaf].parent = fork;
        self.nodes[node].parent = fork;
        self.replace(parent, node, fork);
        self.shrink(fork);
        leaf
    }

    /// Makes `new` the child of `parent` that `old` was.
    fn replace(&mut self, parent: usize, old: usize, new: usize) {
        if parent == NONE {
            self.root = new;
        } else if self.nodes[parent].left == old {
            self.nodes[parent].left = new;
        } else {
            self.nodes[parent].right = new;
        }
    }

    /// Takes out a point of a leaf.
    pub(super) fn remove(&mut self, leaf: usize) {
        let mut above = self.nodes[leaf].parent;
        let gone = self.nodes[leaf].mass == 1;
        if gone {
            self.free.push(leaf);
            if above == NONE {
                self.root = NONE;
                return;
            }
            let Node { parent, left, right, .. } = self.nodes[above];
            let sibling = if left == leaf { right } else { left };
            self.nodes[sibling].parent = parent;
            self.replace(parent, above, sibling);
            self.free.push(above);
            above = parent;
        } else {
            self.nodes[leaf].mass -= 1;
        }
        while above != NONE {
            self.nodes[above].mass -= 1;
            if gone {
                self.shrink(above);
            }
            above = self.nodes[above].parent;
        }
    }

    /// The score of a point in this tree: what depth it would be at, were it put in, as an expectation over its cut.
    ///
    /// A point at depth `d` counts `1 / (d + 1)`; one that is in the tree already `1 / (d + log2(m + 1))` with the mass `m` of its leaf,
    /// less up to half of it as it is a large part of the tree. The sum is scaled by `log2(mass + 1)`.
    ///
    /// `way` is room for the way down, to be used again by the next tree.
    pub(super) fn score(&self, point: &[f64], way: &mut Vec<usize>) -> f64 {
        if self.root == NONE {
            return 0.0;
        }
        way.clear();
        let mut node = self.root;
        while !self.is_leaf(node) {
            way.push(node);
            let Node { left, right, axis, cut, .. } = self.nodes[node];
            node = if point[axis] <= cut { left } else { right };
        }
        let mass = self.mass() as f64;
        let unseen = |depth: usize| 1.0 / (depth as f64 + 1.0);
        let depth = way.len();
        let scale = (mass + 1.0).log2();
        if self.low(node) == point {
            let leaf = self.nodes[node].mass as f64;
            return scale * (1.0 - leaf / (2.0 * mass)) / (depth as f64 + (leaf + 1.0).log2());
        }
        let mut score = unseen(depth);
        for (depth, node) in way.iter().enumerate().rev() {
            let separation = self.separation(*node, point);
            if separation <= 0.0 {
                // Inside of this box, and so inside of those above.
                break;
            }
            score = separation * unseen(depth) + (1.0 - separation) * score;
        }
        scale * score
    }

    /// The probability that a random cut separates the point from a node.
    fn separation(&self, node: usize, point: &[f64]) -> f64 {
        let (mut outside, mut total) = (0.0, 0.0);
        for ((low, high), x) in self.low(node).iter().zip(self.high(node)).zip(point) {
            let beyond = if x < low {
                low - x
            } else if x > high {
                x - high
            } else {
                0.0
            };
            outside += beyond;
            total += high - low + beyond;
        }
        if outside > 0.0 { outside / total } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every box holds its children and nothing else, every mass is the sum below, every cut divides.
    fn check(tree: &Tree, node: usize) -> usize {
        let Node { left, right, axis, cut, mass, .. } = tree.nodes[node];
        if tree.is_leaf(node) {
            return mass;
        }
        assert_eq!((tree.nodes[left].parent, tree.nodes[right].parent), (node, node));
        assert_eq!(check(tree, left) + check(tree, right), mass);
        assert!(tree.high(left)[axis] <= cut && tree.low(right)[axis] > cut, "{:?}", tree.nodes[node]);
        for i in 0..tree.dim {
            assert_eq!(tree.low(node)[i], tree.low(left)[i].min(tree.low(right)[i]));
            assert_eq!(tree.high(node)[i], tree.high(left)[i].max(tree.high(right)[i]));
        }
        mass
    }

    #[test]
    fn a_tree_stays_a_tree_as_points_come_and_go() {
        let mut stream = rng::stream(3, 3);
        let mut tree = Tree::new(2);
        let mut leaves = Vec::new();
        for step in 0..2_000 {
            // A coarse grid, so that points meet.
            let point = [rng::below(&mut stream, 12) as f64, rng::below(&mut stream, 3) as f64 / 3.0];
            leaves.push(tree.insert(&point, &mut stream));
            if leaves.len() > 40 {
                let chosen = rng::below(&mut stream, leaves.len());
                tree.remove(leaves.swap_remove(chosen));
            }
            if step % 50 == 0 {
                assert_eq!(check(&tree, tree.root), leaves.len());
            }
        }
        assert!(tree.nodes.len() <= 2 * 41, "{} nodes: those that were freed are used again", tree.nodes.len());
        for leaf in leaves {
            tree.remove(leaf);
        }
        assert_eq!((tree.mass(), tree.score(&[0.0, 0.0], &mut Vec::new())), (0, 0.0));
    }

    #[test]
    fn cuts_are_as_likely_as_their_boxes_are_wide() {
        // Of 0, 1 and 4, the first cut separates 4 with probability 3 / 4, in whatever order they came.
        let share = |points: [f64; 3]| {
            let mut apart = 0;
            for seed in 0..4_000 {
                let mut stream = rng::stream(seed, 1);
                let mut tree = Tree::new(1);
                for point in points {
                    tree.insert(&[point], &mut stream);
                }
                apart += usize::from(tree.nodes[tree.root].cut >= 1.0);
            }
            apart as f64 / 4_000.0
        };
        for points in [[0.0, 1.0, 4.0], [4.0, 0.0, 1.0], [1.0, 4.0, 0.0]] {
            // Four standard errors.
            assert!(
                (share(points) - 0.75).abs() < 4.0 * (0.1875_f64 / 4_000.0).sqrt(),
                "{points:?}: {}",
                share(points)
            );
        }
    }

    #[test]
    fn far_points_score_high_and_repeated_ones_low() {
        let mut stream = rng::stream(1, 1);
        let mut tree = Tree::new(1);
        for _ in 0..100 {
            tree.insert(&[rng::standard_normal(&mut stream)], &mut stream);
        }
        for _ in 0..50 {
            tree.insert(&[0.25], &mut stream);
        }
        let [far, near, repeated] = [50.0, 0.1, 0.25].map(|x| tree.score(&[x], &mut Vec::new()));
        assert!(far > 4.0 * near && near > repeated, "{far}, {near}, {repeated}");
    }
}
