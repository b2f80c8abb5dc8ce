use super::*;

const RANDOM_FOREST: ForestSettings =
    ForestSettings { trees: 30, sampling: Sampling::Bootstrap, max_depth: None, min_samples_split: 2, seed: 1 };
const EXTRA_TREES: ForestSettings = ForestSettings { sampling: Sampling::Thresholds, ..RANDOM_FOREST };

fn columns(n: usize) -> [Vec<f64>; 3] {
    let mut rng = rng::stream(3, 3);
    std::array::from_fn(|_| (0..n).map(|_| rng::standard_normal(&mut rng)).collect())
}

fn fit(settings: &ForestSettings, x: &[Vec<f64>], y: &[&[f64]]) -> Forest {
    let x: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
    settings.fit(&x, y, &FitContext::default()).unwrap()
}

fn predict(forest: &Forest, x: &[Vec<f64>], row: usize) -> Vec<f64> {
    let features: Vec<f64> = x.iter().map(|column| column[row]).collect();
    let mut outputs = vec![0.0; forest.outputs()];
    forest.predict(&features, &mut outputs);
    outputs
}

#[test]
fn extremely_randomised_trees_know_their_rows_by_heart() {
    let x = columns(60);
    let y: Vec<f64> = x[0].iter().zip(&x[1]).map(|(a, b)| a * b).collect();
    let forest = fit(&EXTRA_TREES, &x, &[&y]);
    for (row, y) in y.iter().enumerate() {
        let got = predict(&forest, &x, row)[0];
        assert!((got - y).abs() < 1e-12, "row {row}: {got} for {y}");
    }
    assert!(forest.trees().iter().all(|tree| tree.leaves() == 60));
}

#[test]
fn a_bootstrap_sample_has_63_percent_of_the_rows() {
    let x = columns(400);
    let forest = fit(&RANDOM_FOREST, &x, &[&x[0]]);
    let leaves: Vec<usize> = forest.trees().iter().map(Tree::leaves).collect();
    let mean = leaves.iter().sum::<usize>() as f64 / 30.0 / 400.0;
    // 1 - 1/e; a sample's share varies by 1.6 %, the mean of 30 by 0.3 %.
    assert!((mean - 0.632).abs() < 0.01, "{mean}: {leaves:?}");
}

#[test]
fn a_step_is_split_where_it_is() {
    let x = [(0..40).map(f64::from).collect::<Vec<_>>()];
    let y: Vec<f64> = x[0].iter().map(|x| if *x < 17.0 { -1.0 } else { 5.0 }).collect();
    let forest = fit(&ForestSettings { trees: 1, max_depth: Some(1), ..RANDOM_FOREST }, &x, &[&y]);
    assert_eq!(forest.trees()[0].leaves(), 2);
    let at = |x: f64| forest.trees()[0].predict(&[x])[0];
    // The sample may lack the rows next to the step.
    assert_eq!([at(13.0), at(21.0)], [-1.0, 5.0]);
}

#[test]
fn several_targets_share_their_trees() {
    let x = columns(80);
    let other: Vec<f64> = x[1].iter().map(|v| -3.0 * v).collect();
    for settings in [RANDOM_FOREST, EXTRA_TREES] {
        let both = fit(&settings, &x, &[&x[0], &other]);
        for row in 0..80 {
            let got = predict(&both, &x, row);
            assert!((got[0] - x[0][row]).abs() < 1.5 && (got[1] - other[row]).abs() < 3.0, "row {row}: {got:?}");
        }
        let same = fit(&settings, &x, &[&x[0], &x[0]]);
        let alone = fit(&settings, &x, &[&x[0]]);
        assert_eq!(predict(&same, &x, 5), [predict(&alone, &x, 5)[0]; 2], "{settings:?}");
    }
}

#[test]
fn the_seed_decides_and_the_unit_of_the_data_does_not() {
    let x = columns(70);
    let y: Vec<f64> = (0..70).map(|i| x[0][i] + x[1][i] * x[2][i]).collect();
    for settings in [RANDOM_FOREST, EXTRA_TREES] {
        let plain = fit(&settings, &x, &[&y]);
        assert_eq!(plain, fit(&settings, &x, &[&y]));
        assert_ne!(plain, fit(&ForestSettings { seed: 2, ..settings }, &x, &[&y]));
        for factor in [1e-200, 1e3, 1e200] {
            let scaled: Vec<f64> = y.iter().map(|y| y * factor).collect();
            let far = (0..70)
                .map(|row| {
                    let got = predict(&fit(&settings, &x, &[&scaled]), &x, row)[0] / factor;
                    (got - predict(&plain, &x, row)[0]).abs()
                })
                .fold(0.0, f64::max);
            assert!(far < 1e-9, "× {factor:e}: {far:e}");
        }
    }
}

#[test]
fn rows_that_cannot_be_told_apart_and_limits_end_the_growth() {
    let x = [vec![1.0; 20], vec![1.0; 20]];
    let y: Vec<f64> = (0..20).map(f64::from).collect();
    for settings in [RANDOM_FOREST, EXTRA_TREES] {
        assert!(fit(&settings, &x, &[&y]).trees().iter().all(|tree| tree.leaves() == 1), "{settings:?}");
        let x = [y.clone()];
        let depth = fit(&ForestSettings { max_depth: Some(2), ..settings }, &x, &[&y]);
        assert!(depth.trees().iter().all(|tree| (2..=4).contains(&tree.leaves())), "{settings:?}");
        let wide = fit(&ForestSettings { min_samples_split: 21, ..settings }, &x, &[&y]);
        assert!(wide.trees().iter().all(|tree| tree.leaves() == 1), "{settings:?}");
    }
    let mean = predict(&fit(&EXTRA_TREES, &x, &[&y]), &x, 3)[0];
    assert!((mean - 9.5).abs() < 1e-12, "{mean}");
}

#[test]
fn of_equal_splits_every_feature_has_its_turn() {
    let x: Vec<Vec<f64>> = vec![(0..30).map(f64::from).collect(); 4];
    for settings in [RANDOM_FOREST, ForestSettings { trees: 60, ..EXTRA_TREES }] {
        let forest = fit(&ForestSettings { max_depth: Some(1), trees: 200, ..settings }, &x, &[&x[0]]);
        let mut counts = [0; 4];
        for tree in forest.trees() {
            counts[tree.split_features().next().unwrap()] += 1;
        }
        // 50 each, give or take 6.
        assert!(counts.iter().all(|count| (25..=75).contains(count)), "{settings:?}: {counts:?}");
    }
}

#[test]
fn values_of_any_size_are_learnt() {
    let x = [vec![1e308, -1e308, 5e-324, 0.0, 1.0, 1e308]];
    // Sums of all trees must be finite.
    for y in [vec![1e306, -1e306, 1e306, -1e306, 1e306, 0.0], vec![5e-324, 0.0, 1e-320, 0.0, 5e-324, 1e-310]] {
        for settings in [RANDOM_FOREST, EXTRA_TREES] {
            let forest = fit(&settings, &x, &[&y]);
            for row in 0..6 {
                let got = predict(&forest, &x, row)[0];
                assert!(got.is_finite(), "{settings:?}, row {row}: {got}");
            }
        }
    }
}

#[test]
fn a_cancelled_forest_is_not_grown() {
    let x = columns(50);
    let context = FitContext::default();
    context.stop.stop();
    for settings in [RANDOM_FOREST, EXTRA_TREES] {
        let fitted = settings.fit(&[&x[0]], &[&x[1]], &context);
        assert_eq!(fitted, Err(ModelError::Cancelled));
    }
}
