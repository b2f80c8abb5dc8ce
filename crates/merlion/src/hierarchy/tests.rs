//! Reconciliation against the formulas written down densely, with a pseudo-inverse from eigenvalues.

use super::*;

mod dense;
mod limits;
mod structures;

use dense::Dense;

/// Uniform numbers in `[0, 1)`.
pub(super) struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() * n as f64) as usize
    }

    fn vector(&mut self, n: usize, low: f64, high: f64) -> Vec<f64> {
        (0..n).map(|_| low + (high - low) * self.next()).collect()
    }

    /// A tree of `n` series with numbers in no particular order, sometimes several trees.
    fn tree(&mut self, n: usize) -> SumTree {
        let mut names: Vec<usize> = (0..n).collect();
        (1..n).rev().for_each(|i| names.swap(i, self.below(i + 1)));
        let mut parents = vec![None; n];
        for i in 1..n {
            if self.next() < 0.95 {
                parents[names[i]] = Some(names[self.below(i)]);
            }
        }
        SumTree::from_parents(&parents).unwrap()
    }

    /// Sums over random sets of leaves with random coefficients.
    fn matrix(&mut self, n_leaves: usize, n_sums: usize, order: LeafOrder) -> SumMatrix {
        let mut sums = Vec::new();
        for _ in 0..n_sums {
            let chosen = (0..n_leaves).filter(|_| self.next() < 0.4).collect::<Vec<_>>();
            let plain = self.next() < 0.5;
            sums.push(chosen.into_iter().map(|l| (l, if plain { 1.0 } else { 0.2 + self.next() })).collect::<Vec<_>>());
            if sums.last().is_some_and(Vec::is_empty) {
                sums.pop();
            }
        }
        SumMatrix::new(n_leaves, order, &sums).unwrap()
    }
}

/// The largest difference, relative to the larger of one and the expected value.
pub(super) fn distance(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    got.iter().zip(expected).map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f64::max)
}

#[test]
fn a_tree_is_reconciled_as_by_the_dense_formula() {
    let mut random = Random(1);
    let mut worst = [0.0f64; 2];
    for case in 0..300 {
        let n = 1 + random.below(30);
        let tree = random.tree(n);
        let mean = random.vector(n, -50.0, 100.0);
        let weights: Vec<f64> = random.vector(n, -3.0, 3.0).into_iter().map(f64::exp).collect();
        let variances = random.vector(n, 0.1, 9.0);
        let (value, variance) = tree.solve(&mean, &weights, Some(&variances)).unwrap();
        let expected = Dense::of_tree(&tree).reconcile(&mean, &weights, &variances);
        let off = [distance(&value, &expected.0), distance(&variance.unwrap(), &expected.1)];
        assert!(off.iter().all(|off| *off < 1e-9), "case {case}, {n} series: off by {off:?}");
        worst = [worst[0].max(off[0]), worst[1].max(off[1])];
    }
    println!("worst of 300 trees: means {:.1e}, variances {:.1e}", worst[0], worst[1]);
}

#[test]
fn a_matrix_that_is_no_tree_is_reconciled_as_by_the_dense_formula() {
    let mut random = Random(2);
    let mut worst = [0.0f64; 2];
    let mut others = 0;
    for case in 0..200 {
        let (leaves, sums) = (2 + random.below(9), 1 + random.below(8));
        let order = if case % 2 == 0 { LeafOrder::First } else { LeafOrder::Last };
        let matrix = random.matrix(leaves, sums, order);
        others += usize::from(matrix.tree().is_none());
        let n = matrix.len();
        let mean = random.vector(n, -50.0, 100.0);
        let weights: Vec<f64> = random.vector(n, -2.0, 2.0).into_iter().map(f64::exp).collect();
        let variances = if case % 3 == 0 { weights.clone() } else { random.vector(n, 0.1, 9.0) };
        let (value, variance) = matrix.solve(&mean, &weights, Some(&variances)).unwrap();
        let expected = Dense::of_matrix(&matrix).reconcile(&mean, &weights, &variances);
        let off = [distance(&value, &expected.0), distance(&variance.unwrap(), &expected.1)];
        assert!(off.iter().all(|off| *off < 1e-9), "case {case}, {n} series: off by {off:?}");
        worst = [worst[0].max(off[0]), worst[1].max(off[1])];
    }
    assert!(others > 150, "only {others} of 200 were no trees");
    println!("worst of 200 matrices: means {:.1e}, variances {:.1e}", worst[0], worst[1]);
}

#[test]
fn weighted_by_variances_the_error_is_the_textbook_one() {
    // S (Sᵀ W⁻¹ S)⁻¹ Sᵀ for two leaves and their sum, W = 1, 4, 2: the information of the leaves is
    // [[1 + 1/2, 1/2], [1/2, 1/4 + 1/2]], of determinant 7/8, so that its inverse is [[6, -4], [-4, 12]] / 7.
    let tree = SumTree::from_parents(&[Some(2), Some(2), None]).unwrap();
    let reconciled = MinTrace::default().reconcile(&tree, &[3.0, 5.0, 15.0], Some(&[1.0, 2.0, 2f64.sqrt()])).unwrap();
    let stderr = reconciled.stderr.unwrap();
    let expected = [6.0f64 / 7.0, 12.0 / 7.0, 10.0 / 7.0].map(f64::sqrt);
    assert!(distance(&stderr, &expected) < 1e-14, "{stderr:?} vs {expected:?}");
    // Seven too little below, shared 1 : 4 : 2.
    assert!(distance(&reconciled.mean, &[4.0, 9.0, 13.0]) < 1e-14, "{:?}", reconciled.mean);
}

#[test]
fn reconciliation_never_adds_variance_when_weighted_by_variances() {
    let mut random = Random(3);
    for _ in 0..50 {
        let n = 2 + random.below(40);
        let tree = random.tree(n);
        let stderr: Vec<f64> = random.vector(n, -6.0, 6.0).into_iter().map(f64::exp).collect();
        let got = MinTrace::default().reconcile(&tree, &random.vector(n, 0.0, 9.0), Some(&stderr)).unwrap();
        for (node, (after, before)) in got.stderr.unwrap().iter().zip(&stderr).enumerate() {
            assert!(*after <= before * (1.0 + 1e-12), "series {node}: {before} became {after}");
        }
    }
}

#[test]
fn reconciled_forecasts_add_up() {
    let mut random = Random(4);
    for weighting in [Weighting::Variance, Weighting::Stderr, Weighting::Structural] {
        let tree = random.tree(500);
        let (mean, stderr) = (random.vector(500, -1e6, 1e6), random.vector(500, 0.0, 50.0));
        let got = MinTrace { weighting, ..MinTrace::default() }.reconcile(&tree, &mean, Some(&stderr)).unwrap();
        let mut sums = got.mean.clone();
        tree.add_up(&mut sums);
        assert!(distance(&got.mean, &sums) < 1e-9, "{weighting:?}: off by {:.1e}", distance(&got.mean, &sums));
    }
}

#[test]
fn forecasts_that_add_up_already_are_left_alone() {
    let mut random = Random(5);
    let tree = random.tree(200);
    let mut mean = random.vector(200, 0.0, 100.0);
    tree.add_up(&mut mean);
    let stderr = random.vector(200, 0.5, 5.0);
    let got = MinTrace::default().reconcile(&tree, &mean, Some(&stderr)).unwrap().mean;
    assert!(distance(&got, &mean) < 1e-12, "off by {:.1e}", distance(&got, &mean));

    let matrix = random.matrix(8, 5, LeafOrder::Last);
    let dense = Dense::of_matrix(&matrix);
    let mean = dense.sums(&random.vector(8, 0.0, 100.0));
    let got = MinTrace::default().reconcile(&matrix, &mean, None).unwrap().mean;
    assert!(distance(&got, &mean) < 1e-12, "off by {:.1e}", distance(&got, &mean));
}

#[test]
fn missing_standard_errors_are_guessed_from_the_size() {
    let tree = SumTree::from_parents(&[Some(2), Some(2), None]).unwrap();
    let (mean, nan) = ([1.0, 2.0, 5.0], f64::NAN);
    for (weighting, guess) in [(Weighting::Stderr, (2.0 / 1.0 + 6.0 / 2.0) / 2.0), (Weighting::Variance, 11f64.sqrt())]
    {
        // By variance: (4 / 1 + 36 / 2) / 2 = 11.
        let model = MinTrace { weighting, ..MinTrace::default() };
        let got = model.reconcile(&tree, &mean, Some(&[2.0, nan, 6.0])).unwrap();
        let expected = model.reconcile(&tree, &mean, Some(&[2.0, guess, 6.0])).unwrap();
        assert!(distance(&got.mean, &expected.mean) < 1e-14, "{weighting:?}: {got:?} vs {expected:?}");
        assert!(distance(&got.stderr.unwrap(), &expected.stderr.unwrap()) < 1e-14, "{weighting:?}");
    }
}

#[test]
fn without_standard_errors_sums_give_way_in_proportion_to_their_size() {
    let tree = SumTree::from_parents(&[Some(2), Some(2), None]).unwrap();
    let got = MinTrace::default().reconcile(&tree, &[1.0, 2.0, 7.0], Some(&[f64::NAN; 3])).unwrap();
    // Four apart, shared 1 : 1 : 2.
    assert!(distance(&got.mean, &[2.0, 3.0, 5.0]) < 1e-14, "{:?}", got.mean);
    assert_eq!(got.stderr, None);
}
