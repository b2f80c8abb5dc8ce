//! One isolation tree: random cuts until each point is alone, or the tree is deep enough.

use rand_pcg::Pcg64;
use serde::Serialize;

use crate::math::rng;
use crate::math::rows::Rows;

/// The `axis` of a leaf.
const LEAF: u32 = u32::MAX;

/// Euler's constant.
const EULER: f64 = 0.577_215_664_901_532_9;

/// The mean path length of an unsuccessful search in a binary search tree of `n` points, `c(n)` in the paper.
pub(super) fn mean_path(n: usize) -> f64 {
    match n {
        0 | 1 => 0.0,
        2 => 1.0,
        n => {
            let n = n as f64;
            2.0 * ((n - 1.0).ln() + EULER) - 2.0 * (n - 1.0) / n
        }
    }
}

/// Two children of a cut, or a leaf. The children follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Node {
    /// Where the axis is cut: what is not greater goes to the first child. In a leaf, the path length of what ends there.
    value: f64,
    axis: u32,
    children: u32,
}

/// A tree of random cuts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// Grows a tree on the rows in `sample`, which it reorders, and adds their path lengths to `paths`.
    pub(super) fn grow(rows: &Rows, sample: &mut [u32], deepest: usize, paths: &mut [f64], stream: &mut Pcg64) -> Self {
        let mut nodes = vec![Node { value: 0.0, axis: LEAF, children: 0 }];
        let mut axes: Vec<u32> = (0..).take(rows.dim()).collect();
        let mut open = vec![(0_usize, 0_usize, sample.len(), 0_usize)];
        while let Some((node, start, end, depth)) = open.pop() {
            let points = &mut sample[start..end];
            let cut = if points.len() > 1 && depth < deepest { cut(rows, points, &mut axes, stream) } else { None };
            let Some((axis, value)) = cut else {
                let path = depth as f64 + mean_path(points.len());
                nodes[node].value = path;
                for &point in points.iter() {
                    paths[point as usize] += path;
                }
                continue;
            };
            let middle = start + partition(points, |point| rows.row(point as usize)[axis as usize] <= value);
            let children = nodes.len();
            // A tree has fewer nodes than twice its points, which are counted in 32 bits.
            nodes[node] = Node { value, axis, children: children as u32 };
            nodes.extend([Node { value: 0.0, axis: LEAF, children: 0 }; 2]);
            open.push((children + 1, middle, end, depth + 1));
            open.push((children, start, middle, depth + 1));
        }
        Self { nodes }
    }

    /// The path length of a point.
    pub(super) fn path(&self, point: &[f64]) -> f64 {
        let mut node = &self.nodes[0];
        while node.axis != LEAF {
            let right = point[node.axis as usize] > node.value;
            node = &self.nodes[node.children as usize + usize::from(right)];
        }
        node.value
    }
}

/// A random axis among those in which the points differ, and a random place between them.
fn cut(rows: &Rows, points: &[u32], axes: &mut [u32], stream: &mut Pcg64) -> Option<(u32, f64)> {
    for tried in 0..axes.len() {
        let chosen = tried + rng::below(stream, axes.len() - tried);
        axes.swap(tried, chosen);
        let axis = axes[tried];
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for &point in points {
            let value = rows.row(point as usize)[axis as usize];
            low = if value < low { value } else { low };
            high = if value > high { value } else { high };
        }
        if low < high {
            let place = low + (high - low) * rng::uniform(stream);
            // Rounding may reach the upper end, which would leave the second child empty.
            return Some((axis, if place < high { place } else { low }));
        }
    }
    None
}

/// Puts the points that belong to the first child first; how many there are.
fn partition(points: &mut [u32], first: impl Fn(u32) -> bool) -> usize {
    let mut end = 0;
    for i in 0..points.len() {
        // Without a branch, which would be guessed wrong half of the time.
        let belongs = first(points[i]);
        points.swap(i, end);
        end += usize::from(belongs);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_paths_are_those_of_the_paper() {
        assert_eq!([mean_path(0), mean_path(1), mean_path(2)], [0.0, 0.0, 1.0]);
        // c(256), the sample size the paper recommends: 2 (H_255 - 1 + …) with H approximated by ln + γ.
        assert!((mean_path(256) - 10.244_770_920_119_917).abs() < 1e-12, "{}", mean_path(256));
    }

    #[test]
    fn points_are_cut_apart() {
        let rows = Rows::from_columns(&[(0..64).map(f64::from).collect(), vec![7.0; 64]]);
        let mut sample: Vec<u32> = (0..64).collect();
        let mut paths = vec![0.0; 64];
        let tree = Tree::grow(&rows, &mut sample, 63, &mut paths, &mut rng::stream(0, 0));
        // 64 leaves of one point each, and 63 cuts.
        assert_eq!(tree.nodes.len(), 127);
        for (i, path) in paths.iter().enumerate() {
            assert_eq!(tree.path(rows.row(i)), *path, "a point that was there ends where it ended");
        }
        sample.sort_unstable();
        assert_eq!(sample, (0..64).collect::<Vec<_>>());
    }

    #[test]
    fn equal_points_stay_together() {
        let rows = Rows::from_columns(&[vec![1.0; 10]]);
        let mut paths = vec![0.0; 10];
        let tree = Tree::grow(&rows, &mut (0..10).collect::<Vec<_>>(), 4, &mut paths, &mut rng::stream(0, 0));
        assert_eq!((tree.nodes.len(), paths[3]), (1, mean_path(10)));
    }
}
