use super::*;

/// Values between -5 and 5 from whole numbers, the same in every language.
fn columns(n: u64) -> Vec<Vec<f64>> {
    [311, 577, 733, 919].map(|p| (0..n).map(|i| ((i + 1) * p % 1009) as f64 / 1009.0 * 10.0 - 5.0).collect()).to_vec()
}

fn target(x: &[Vec<f64>]) -> Vec<f64> {
    (0..x[0].len()).map(|i| 100.0 + 7.0 * x[0][i] + x[1][i] * x[2][i] + x[3][i] * x[3][i]).collect()
}

fn fit(boosting: &Boosting, x: &[Vec<f64>], y: &[f64]) -> Boosted {
    let x: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
    boosting.fit(&x, y, &FitContext::default()).unwrap()
}

fn row(x: &[Vec<f64>], row: usize) -> Vec<f64> {
    x.iter().map(|column| column[row]).collect()
}

/// How many splits ask each feature.
fn splits(boosted: &Boosted, features: usize) -> Vec<usize> {
    let mut counts = vec![0; features];
    for feature in boosted.trees().iter().flat_map(Tree::split_features) {
        counts[feature] += 1;
    }
    counts
}

// Predictions of rows 0, 7, 50, 123 and 299 and numbers of splits from LightGBM 4.3.0:
// `lightgbm.LGBMRegressor(n_jobs=1, …).fit(x, y)`, `predict(x)`, `feature_importances_`. The rounding of its targets to 32 bits
// shows in the eighth digit.
#[test]
fn trees_are_those_of_lightgbm() {
    type Case<'a> = (&'a str, u64, Boosting, [f64; 5], [usize; 4]);
    let cases: [Case<'_>; 4] = [
        (
            "plain",
            300,
            Boosting::default(),
            [107.95601508607133, 103.16419948383378, 130.40145494223643, 87.86476828021483, 109.21623396176524],
            [237, 304, 263, 258],
        ),
        (
            "shallow",
            300,
            Boosting { trees: 20, learning_rate: 0.3, max_depth: Some(3) },
            [108.8607650485936, 101.0622629328488, 122.16415374662638, 90.4356463354935, 108.82128009599069],
            [31, 15, 9, 41],
        ),
        (
            "more values than bins",
            900,
            Boosting::default(),
            [105.5383943307071, 102.67827496545675, 130.84203882392785, 84.49334796385243, 107.11529174766947],
            [589, 719, 928, 764],
        ),
        // Every fifth target and every second value of a feature are zero, another feature has few values.
        (
            "odd",
            300,
            Boosting::default(),
            [74.49431411086826, 90.09986606475545, 62.85001098575081, 79.32652786607518, 89.35996500854485],
            [342, 155, 134, 428],
        ),
    ];
    for (name, n, boosting, expected, importances) in cases {
        let mut x = columns(n);
        let mut y = target(&x);
        if name == "odd" {
            y.iter_mut().step_by(5).for_each(|y| *y = 0.0);
            x[2].iter_mut().step_by(2).for_each(|v| *v = 0.0);
            x[1].iter_mut().for_each(|v| *v = v.floor());
        }
        let boosted = fit(&boosting, &x, &y);
        let got = [0, 7, 50, 123, 299].map(|at| boosted.predict(&row(&x, at)));
        let far = got.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(far < 2e-6, "{name}: {far:e}: {got:?}\n  LightGBM {expected:?}");
        assert_eq!(splits(&boosted, 4), importances, "{name}");
    }
}

#[test]
fn fewer_than_forty_rows_are_not_split() {
    let x = [(0..39).map(f64::from).collect::<Vec<_>>()];
    let boosted = fit(&Boosting::default(), &x, &x[0]);
    assert_eq!((boosted.trees().len(), boosted.predict(&[5.0])), (0, 19.0));
    let y: Vec<f64> = (0..40).map(f64::from).collect();
    let x = [y.iter().map(|y| f64::from(u8::from(*y >= 20.0))).collect::<Vec<_>>()];
    let boosted = fit(&Boosting { trees: 1, ..Boosting::default() }, &x, &y);
    // The mean of 19.5, and a tenth of the way to the halves' means of 9.5 and 29.5.
    let got = [0.0, 1.0].map(|x| boosted.predict(&[x]));
    assert!((got[0] - 18.5).abs() < 1e-12 && (got[1] - 20.5).abs() < 1e-12, "{got:?}");
}

#[test]
fn the_unit_of_the_data_changes_no_digit() {
    let x = columns(200);
    let y = target(&x);
    let plain = fit(&Boosting::default(), &x, &y);
    for factor in [2f64.powi(40), 2f64.powi(-60), 2f64.powi(400)] {
        let scaled: Vec<f64> = y.iter().map(|y| y * factor).collect();
        let boosted = fit(&Boosting::default(), &x, &scaled);
        for at in 0..200 {
            let (got, expected) = (boosted.predict(&row(&x, at)) / factor, plain.predict(&row(&x, at)));
            assert_eq!(got, expected, "row {at} × {factor:e}");
        }
    }
}

#[test]
fn a_small_movement_far_from_zero_is_learnt() {
    let x = columns(200);
    let y = target(&x);
    let plain = fit(&Boosting::default(), &x, &y);
    let far: Vec<f64> = y.iter().map(|y| y + 1e9).collect();
    let boosted = fit(&Boosting::default(), &x, &far);
    for at in 0..200 {
        let (got, expected) = (boosted.predict(&row(&x, at)) - 1e9, plain.predict(&row(&x, at)));
        assert!((got - expected).abs() < 1e-3, "row {at}: {got} for {expected}");
    }
}

#[test]
fn several_targets_are_learnt_as_if_alone() {
    let x = columns(120);
    let (a, b) = (target(&x), x[3].clone());
    let columns: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
    let set = Boosting::default().fit_all(&columns, &[&a, &b], &FitContext::default()).unwrap();
    assert_eq!(set.models(), [fit(&Boosting::default(), &x, &a), fit(&Boosting::default(), &x, &b)]);
}

#[test]
fn there_is_nothing_to_learn_from_constants_and_nothing() {
    let x = [vec![3.0; 100]];
    let y: Vec<f64> = (0..100).map(f64::from).collect();
    assert_eq!(fit(&Boosting::default(), &x, &y).predict(&[3.0]), 49.5);
    let constant = fit(&Boosting::default(), &[y], &x[0]);
    assert_eq!((constant.trees().len(), constant.predict(&[3.0])), (0, 3.0));
    assert_eq!(fit(&Boosting::default(), &[Vec::new()], &[]).trees().len(), 0);
}

#[test]
fn a_cancelled_training_ends() {
    let x = columns(50);
    let context = FitContext::default();
    context.stop.stop();
    assert_eq!(Boosting::default().fit(&[&x[0]], &x[1], &context), Err(ModelError::Cancelled));
}
