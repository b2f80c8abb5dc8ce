//! Exact nearest neighbours: a k-d tree (Bentley 1975) with a bounding box at each node.
//!
//! Among equally distant points the one that was given first is nearer, so that answers do not depend on how the tree was cut.

use serde::{Deserialize, Serialize};

use super::rows::Rows;

/// The distance `(Σ |a_i - b_i|^p)^(1/p)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Minkowski {
    /// `p = 1`.
    Manhattan,
    /// `p = 2`.
    Euclidean,
    /// `p = ∞`: the largest difference.
    Chebyshev,
    /// Another `p ≥ 1`.
    Power(f64),
}

impl Minkowski {
    /// The distance of this power.
    #[must_use]
    pub fn new(p: f64) -> Self {
        match p {
            1.0 => Self::Manhattan,
            2.0 => Self::Euclidean,
            f64::INFINITY => Self::Chebyshev,
            p => Self::Power(p),
        }
    }

    /// What a difference in one dimension adds to the reduced distance, which grows with the distance but is cheaper.
    fn part(self, difference: f64) -> f64 {
        match self {
            Self::Manhattan | Self::Chebyshev => difference.abs(),
            Self::Euclidean => difference * difference,
            Self::Power(p) => difference.abs().powf(p),
        }
    }

    fn join(self, reduced: f64, part: f64) -> f64 {
        if self == Self::Chebyshev { if part > reduced { part } else { reduced } } else { reduced + part }
    }

    fn full(self, reduced: f64) -> f64 {
        match self {
            Self::Manhattan | Self::Chebyshev => reduced,
            Self::Euclidean => reduced.sqrt(),
            Self::Power(p) => reduced.powf(1.0 / p),
        }
    }
}

/// A neighbour of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbor {
    /// Its distance.
    pub distance: f64,
    /// Its position among the points of the tree.
    pub index: usize,
}

/// Points that can be asked for those nearest to a point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KdTree {
    dim: usize,
    metric: Minkowski,
    /// Positions of the points, leaf by leaf.
    order: Vec<usize>,
    /// The points, leaf by leaf, and within a leaf dimension by dimension, so that distances to all of them are computed at once.
    values: Vec<f64>,
    nodes: Vec<Node>,
    /// Least and greatest value of each node in each dimension.
    boxes: Vec<(f64, f64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Node {
    start: usize,
    end: usize,
    /// The first of two children, which follow each other; 0, the root, for a leaf.
    children: usize,
}

/// Where a search has got to.
struct Search<'a> {
    point: &'a [f64],
    wanted: usize,
    /// Reduced distance and position, nearest first.
    found: &'a mut Vec<(f64, usize)>,
    distances: Vec<f64>,
}

impl Search<'_> {
    /// The reduced distance beyond which nothing is of interest.
    fn limit(&self) -> f64 {
        if self.found.len() < self.wanted { f64::INFINITY } else { self.found.last().map_or(0.0, |last| last.0) }
    }

    fn offer(&mut self, candidate: (f64, usize)) {
        let before = |other: &(f64, usize)| (other.0, other.1) < candidate;
        if self.found.len() == self.wanted {
            if self.found.last().is_none_or(before) {
                return;
            }
            self.found.pop();
        }
        let position = self.found.partition_point(before);
        self.found.insert(position, candidate);
    }
}

impl KdTree {
    /// A tree of finite points with up to `leaf_size` of them in a leaf.
    #[must_use]
    pub fn new(rows: &Rows, leaf_size: usize, metric: Minkowski) -> Self {
        let (n, dim) = (rows.len(), rows.dim());
        let mut order: Vec<usize> = (0..n).collect();
        let mut nodes = vec![Node { start: 0, end: n, children: 0 }];
        let mut boxes = Vec::new();
        let mut next = 0;
        while next < nodes.len() {
            let Node { start, end, .. } = nodes[next];
            let first = boxes.len();
            boxes.resize(first + dim, (f64::INFINITY, f64::NEG_INFINITY));
            for &i in &order[start..end] {
                for (bounds, value) in boxes[first..].iter_mut().zip(rows.row(i)) {
                    *bounds = (bounds.0.min(*value), bounds.1.max(*value));
                }
            }
            let widths = boxes[first..].iter().map(|bounds| bounds.1 - bounds.0).enumerate();
            let widest = widths.max_by(|a, b| a.1.total_cmp(&b.1));
            if let Some((axis, width)) = widest
                && width > 0.0
                && end - start > leaf_size.max(1)
            {
                let middle = (end - start) / 2;
                order[start..end]
                    .select_nth_unstable_by(middle, |&a, &b| rows.row(a)[axis].total_cmp(&rows.row(b)[axis]));
                nodes[next].children = nodes.len();
                nodes.push(Node { start, end: start + middle, children: 0 });
                nodes.push(Node { start: start + middle, end, children: 0 });
            }
            next += 1;
        }
        let mut values = vec![0.0; n * dim];
        for node in nodes.iter().filter(|node| node.children == 0) {
            let length = node.end - node.start;
            for (place, &i) in order[node.start..node.end].iter().enumerate() {
                for (axis, value) in rows.row(i).iter().enumerate() {
                    values[node.start * dim + axis * length + place] = *value;
                }
            }
        }
        Self { dim, metric, order, values, nodes, boxes }
    }

    /// How many points there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is no point.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The `wanted` points nearest to `point`, nearest first: all there are, if those are fewer. A point of the tree is its own
    /// neighbour.
    #[must_use]
    pub fn nearest(&self, point: &[f64], wanted: usize) -> Vec<Neighbor> {
        let mut found = Vec::with_capacity(wanted + 1);
        if wanted > 0 && !self.is_empty() {
            let mut search = Search { point, wanted, found: &mut found, distances: Vec::new() };
            self.visit(0, self.to_box(0, point), &mut search);
        }
        let full = |(reduced, index)| Neighbor { distance: self.metric.full(reduced), index };
        found.into_iter().map(full).collect()
    }

    /// The reduced distance to a node's box.
    fn to_box(&self, node: usize, point: &[f64]) -> f64 {
        let bounds = &self.boxes[node * self.dim..(node + 1) * self.dim];
        bounds.iter().zip(point).fold(0.0, |reduced, ((low, high), x)| {
            let outside = if x < low {
                low - x
            } else if x > high {
                x - high
            } else {
                0.0
            };
            self.metric.join(reduced, self.metric.part(outside))
        })
    }

    fn visit(&self, node: usize, distance: f64, search: &mut Search<'_>) {
        // Not `>=`: an equally distant point that was given earlier is still of interest.
        if distance > search.limit() {
            return;
        }
        let Node { start, end, children } = self.nodes[node];
        if children == 0 {
            self.scan(start, end, search);
            return;
        }
        let (a, b) = (self.to_box(children, search.point), self.to_box(children + 1, search.point));
        if b < a {
            self.visit(children + 1, b, search);
            self.visit(children, a, search);
        } else {
            self.visit(children, a, search);
            self.visit(children + 1, b, search);
        }
    }

    fn scan(&self, start: usize, end: usize, search: &mut Search<'_>) {
        let length = end - start;
        let mut distances = std::mem::take(&mut search.distances);
        distances.clear();
        distances.resize(length, 0.0);
        let columns = self.values[start * self.dim..end * self.dim].chunks_exact(length);
        for (column, x) in columns.zip(search.point) {
            // One loop for each distance, so that each is computed several points at a time.
            match self.metric {
                Minkowski::Euclidean => {
                    for (distance, value) in distances.iter_mut().zip(column) {
                        *distance += (x - value) * (x - value);
                    }
                }
                metric => {
                    for (distance, value) in distances.iter_mut().zip(column) {
                        *distance = metric.join(*distance, metric.part(x - value));
                    }
                }
            }
        }
        let mut limit = search.limit();
        for (distance, index) in distances.iter().zip(&self.order[start..end]) {
            if *distance <= limit {
                search.offer((*distance, *index));
                limit = search.limit();
            }
        }
        search.distances = distances;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng;

    fn brute(rows: &Rows, point: &[f64], wanted: usize, p: f64) -> Vec<Neighbor> {
        let distance = |row: &[f64]| {
            let parts = row.iter().zip(point).map(|(a, b)| (a - b).abs());
            if p.is_infinite() {
                parts.fold(0.0, f64::max)
            } else {
                parts.map(|d| d.powf(p)).sum::<f64>().powf(1.0 / p)
            }
        };
        let mut all: Vec<Neighbor> =
            rows.iter().enumerate().map(|(index, row)| Neighbor { distance: distance(row), index }).collect();
        all.sort_by(|a, b| a.distance.total_cmp(&b.distance).then(a.index.cmp(&b.index)));
        all.truncate(wanted);
        all
    }

    #[test]
    fn the_tree_finds_what_a_look_at_every_point_finds() {
        let mut stream = rng::stream(1, 1);
        for (dim, n) in [(1, 50), (2, 300), (5, 400)] {
            let columns: Vec<Vec<f64>> =
                (0..dim).map(|_| (0..n).map(|_| rng::standard_normal(&mut stream)).collect()).collect();
            let rows = Rows::from_columns(&columns);
            for p in [1.0, 2.0, 3.5, f64::INFINITY] {
                let tree = KdTree::new(&rows, 10, Minkowski::new(p));
                for query in 0..20 {
                    let shifted: Vec<f64> = rows.row(query).iter().map(|x| x + 0.1 * (query % 3) as f64).collect();
                    let (got, expected) = (tree.nearest(&shifted, 7), brute(&rows, &shifted, 7, p));
                    for (got, expected) in got.iter().zip(&expected) {
                        assert_eq!(got.index, expected.index, "p = {p}, dim = {dim}");
                        assert!((got.distance - expected.distance).abs() < 1e-12, "{got:?} vs {expected:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn of_equally_distant_points_the_first_is_nearer() {
        // A grid of whole numbers, each point twice: nothing but ties.
        let columns =
            [(0..200).map(|i| f64::from(i % 10)).collect(), (0..200).map(|i| f64::from(i / 10 % 10)).collect()];
        let rows = Rows::from_columns(&columns);
        for leaf_size in [1, 3, 30, 500] {
            let tree = KdTree::new(&rows, leaf_size, Minkowski::Euclidean);
            for query in [0, 37, 99, 137] {
                assert_eq!(
                    tree.nearest(rows.row(query), 11).iter().map(|n| n.index).collect::<Vec<_>>(),
                    brute(&rows, rows.row(query), 11, 2.0).iter().map(|n| n.index).collect::<Vec<_>>(),
                    "leaves of {leaf_size}, point {query}"
                );
            }
        }
    }

    #[test]
    fn few_points_are_all_neighbours() {
        let rows = Rows::from_columns(&[vec![3.0, 1.0, 1.0]]);
        let tree = KdTree::new(&rows, 30, Minkowski::Euclidean);
        assert_eq!(tree.nearest(&[1.0], 9).iter().map(|n| n.index).collect::<Vec<_>>(), [1, 2, 0]);
        assert!(tree.nearest(&[1.0], 0).is_empty());
        assert!(KdTree::new(&Rows::from_columns(&[vec![]]), 30, Minkowski::Manhattan).nearest(&[1.0], 3).is_empty());
    }
}
