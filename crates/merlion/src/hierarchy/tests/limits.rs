//! Weights of zero, of very different sizes, missing forecasts, and input that cannot be used.

use super::*;

/// Zeroes a good part of the numbers.
fn with_zeros(random: &mut Random, values: Vec<f64>) -> Vec<f64> {
    values.into_iter().map(|value| if random.next() < 0.45 { 0.0 } else { value }).collect()
}

#[test]
fn zero_weights_on_a_tree_mean_what_the_pseudo_inverse_makes_of_them() {
    let mut random = Random(6);
    let mut worst = 0.0f64;
    for case in 0..400 {
        let n = 2 + random.below(14);
        let tree = random.tree(n);
        let mean = random.vector(n, -50.0, 100.0);
        let weights = random.vector(n, 0.2, 4.0);
        let weights = with_zeros(&mut random, weights);
        let (value, variance) = tree.solve(&mean, &weights, Some(&weights)).unwrap();
        let expected = Dense::of_tree(&tree).reconcile(&mean, &weights, &weights);
        let off = distance(&value, &expected.0).max(distance(&variance.unwrap(), &expected.1));
        assert!(off < 1e-9, "case {case}: {value:?} vs {:?}, weights {weights:?}", expected.0);
        worst = worst.max(off);
    }
    println!("worst of 400 trees with zero weights: {worst:.1e}");
}

#[test]
fn zero_weights_in_a_matrix_mean_what_the_pseudo_inverse_makes_of_them() {
    let mut random = Random(7);
    let mut worst = 0.0f64;
    for case in 0..200 {
        let (leaves, sums) = (2 + random.below(7), 2 + random.below(6));
        let matrix = random.matrix(leaves, sums, LeafOrder::First);
        let n = matrix.len();
        let mean = random.vector(n, -50.0, 100.0);
        let weights = random.vector(n, 0.2, 4.0);
        let weights = with_zeros(&mut random, weights);
        let (value, variance) = matrix.solve(&mean, &weights, Some(&weights)).unwrap();
        let expected = Dense::of_matrix(&matrix).reconcile(&mean, &weights, &weights);
        let off = distance(&value, &expected.0).max(distance(&variance.unwrap(), &expected.1));
        assert!(off < 1e-9, "case {case}: {value:?} vs {:?}, weights {weights:?}", expected.0);
        worst = worst.max(off);
    }
    println!("worst of 200 matrices with zero weights: {worst:.1e}");
}

#[test]
fn exact_leaves_stay_and_win_over_exact_sums() {
    let tree = SumTree::from_parents(&[Some(2), Some(2), None]).unwrap();
    let got = MinTrace::SPARK.reconcile(&tree, &[1.0, 2.0, 9.0], Some(&[0.0; 3])).unwrap();
    assert_eq!((got.mean, got.stderr), (vec![1.0, 2.0, 3.0], Some(vec![0.0; 3])));
}

#[test]
fn an_exact_sum_is_kept_by_leaves_that_are_not() {
    let tree = SumTree::from_parents(&[Some(2), Some(2), None]).unwrap();
    let got = MinTrace::default().reconcile(&tree, &[1.0, 2.0, 9.0], Some(&[1.0, 1.0, 0.0])).unwrap();
    assert!(distance(&got.mean, &[4.0, 5.0, 9.0]) < 1e-14, "{:?}", got.mean);
    assert_eq!(got.stderr.unwrap()[2], 0.0);
}

#[test]
fn weights_of_very_different_sizes_cost_no_digits() {
    // One leaf known to 1e8, its sum and its sibling to one: the leaf follows from the two, with variance 1 + 1.
    let tree = SumTree::from_parents(&[Some(2), Some(2), None]).unwrap();
    let got = MinTrace::default().reconcile(&tree, &[5.0, 2.0, 9.0], Some(&[1e8, 1.0, 1.0])).unwrap();
    assert!(distance(&got.mean, &[7.0, 2.0, 9.0]) < 1e-14, "{:?}", got.mean);
    assert!(distance(&got.stderr.clone().unwrap(), &[2f64.sqrt(), 1.0, 1.0]) < 1e-14, "{:?}", got.stderr);
}

#[test]
fn with_a_forecast_missing_nothing_changes_unless_asked() {
    let tree = SumTree::from_parents(&[Some(3), Some(3), Some(3), None]).unwrap();
    let mean = [1.0, f64::NAN, 2.0, 9.0];
    let stderr = [1.0, 3.0, 1.0, 0.0];
    let got = MinTrace::default().reconcile(&tree, &mean, Some(&stderr)).unwrap();
    assert_eq!(got.status, Status::Unchanged { missing: 1 });
    assert_eq!((got.mean[0], got.mean[3], got.stderr), (1.0, 9.0, Some(stderr.to_vec())));

    let restrict = MinTrace { missing: MissingRows::Restrict, ..MinTrace::default() };
    let got = restrict.reconcile(&tree, &mean, Some(&stderr)).unwrap();
    assert_eq!(got.status, Status::Restricted { missing: 1 });
    assert!(got.mean[1].is_nan() && distance(&[got.mean[0], got.mean[2], got.mean[3]], &[4.0, 5.0, 9.0]) < 1e-14);
}

#[test]
fn a_sum_without_leaves_stands_for_itself() {
    // Leaves 0 and 1 of sum 3 are missing; 2 alone is in sum 4; 5 is everything.
    let tree = SumTree::from_parents(&[Some(3), Some(3), Some(4), Some(5), Some(5), None]).unwrap();
    let mean = [f64::NAN, f64::NAN, 2.0, 4.0, 2.0, 9.0];
    let restrict = MinTrace { missing: MissingRows::Restrict, ..MinTrace::default() };
    let got = restrict.reconcile(&tree, &mean, Some(&[1.0, 1.0, 0.0, 1.0, 0.0, 1.0])).unwrap();
    assert!(distance(&got.mean[2..], &[2.0, 5.5, 2.0, 7.5]) < 1e-14, "{:?}", got.mean);
}

#[test]
fn in_a_matrix_a_sum_without_leaves_stays_as_it_is() {
    // Two by two shops and products, and everything.
    let sums = [vec![0, 1], vec![2, 3], vec![0, 2], vec![1, 3], vec![0, 1, 2, 3]]
        .map(|leaves: Vec<usize>| leaves.into_iter().map(|leaf| (leaf, 1.0)).collect());
    let matrix = SumMatrix::new(4, LeafOrder::First, &sums).unwrap();
    assert_eq!(matrix.tree(), None);
    let restrict = MinTrace { missing: MissingRows::Restrict, ..MinTrace::default() };
    let mean = [f64::NAN, f64::NAN, 1.0, 2.0, 7.0, 5.0, 1.0, 2.0, 5.0];
    let got = restrict.reconcile(&matrix, &mean, None).unwrap();
    assert_eq!(got.mean[4], 7.0);
    let sum = got.mean[2] + got.mean[3];
    assert!(distance(&[got.mean[5], got.mean[8]], &[sum, sum]) < 1e-14, "{:?}", got.mean);
    assert!(got.mean[2] == got.mean[6] && got.mean[3] == got.mean[7], "{:?}", got.mean);
}

#[test]
fn input_that_cannot_be_used_is_named() {
    let tree = SumTree::from_parents(&[Some(2), Some(2), None]).unwrap();
    let model = MinTrace::default();
    let error = model.reconcile(&tree, &[1.0], None).unwrap_err();
    assert_eq!(error, HierarchyError::LengthMismatch { what: "forecasts", got: 1, expected: 3 });
    let error = model.reconcile(&tree, &[1.0; 3], Some(&[1.0, -2.0, 1.0])).unwrap_err();
    assert_eq!(error, HierarchyError::NegativeError { node: 1, value: -2.0 });
    let profit = SumMatrix::new(2, LeafOrder::First, &[vec![(0, 1.0), (1, -1.0)]]).unwrap();
    let error = model.reconcile(&profit, &[3.0, 1.0, 2.5], None).unwrap_err();
    assert_eq!(error, HierarchyError::RowSum { row: 2, sum: 0.0 });
    let got = model.reconcile(&profit, &[3.0, 1.0, 2.5], Some(&[1.0; 3])).unwrap();
    assert!((got.mean[0] - got.mean[1] - got.mean[2]).abs() < 1e-14, "{:?}", got.mean);
    let pairs: Vec<_> = (0..1001).map(|i| vec![(i, 1.0), (i + 1, 1.0)]).collect();
    let chain = SumMatrix::new(1002, LeafOrder::Last, &pairs).unwrap();
    let error = model.reconcile(&chain, &[1.0; 2003], None).unwrap_err();
    assert_eq!(error, HierarchyError::TooLarge { got: 1001, limit: 1000 });
}

#[test]
fn settings_have_short_names_in_json() {
    let json = r#"{"weighting":"wls_std","missing":"unchanged"}"#;
    assert_eq!(serde_json::to_string(&MinTrace::SPARK).unwrap(), json);
    assert_eq!(serde_json::from_str::<MinTrace>("{}").unwrap(), MinTrace::default());
}

/// A dense matrix of this hierarchy would take 80 GB.
#[test]
fn a_hundred_thousand_leaves_need_no_dense_matrix() {
    let text = |n: usize| Some(format!("{n:05}"));
    let leaves: Vec<[Option<String>; 2]> = (0..100_000).map(|leaf| [text(leaf / 100), text(leaf % 100)]).collect();
    let hierarchy = Hierarchy::from_leaves(&leaves).unwrap();
    assert_eq!(hierarchy.len(), 100_000 + 1000 + 1);
    let keys: Vec<_> = (0..hierarchy.len()).map(|id| hierarchy.key(id)).collect();
    let (again, _) = Hierarchy::from_keys(&keys).unwrap();
    assert_eq!(again, hierarchy);
    let mut random = Random(8);
    let (mean, stderr) = (random.vector(again.len(), 0.0, 100.0), random.vector(again.len(), 1.0, 9.0));
    for stderr in [None, Some(stderr.as_slice())] {
        let got = MinTrace::default().reconcile(again.tree(), &mean, stderr).unwrap();
        assert_eq!(got.status, Status::Reconciled);
        let (leaves, total) = (got.mean[..100_000].iter().sum::<f64>(), got.mean[again.len() - 1]);
        assert!((leaves - total).abs() < 1e-9 * total.abs(), "leaves add up to {leaves}, the total is {total}");
    }
}

#[test]
fn crossed_sums_of_many_leaves_are_solved_densely_in_the_sums_alone() {
    // Leaves by shop and by product.
    let mut sums = vec![Vec::new(); 300];
    (0..20_000).for_each(|leaf| [leaf % 100, 100 + leaf / 100].iter().for_each(|&s| sums[s].push((leaf, 1.0))));
    let crossed = SumMatrix::new(20_000, LeafOrder::First, &sums).unwrap();
    crossed.solve(&vec![1.0; 20_300], &vec![1.0; 20_300], Some(&vec![2.0; 20_300])).unwrap();
}
