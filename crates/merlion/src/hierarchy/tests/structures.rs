//! Keys, numbers, trees and matrices.

use super::*;

fn key<const N: usize>(parts: [&str; N]) -> [Option<&str>; N] {
    parts.map(|part| (part != "null").then_some(part))
}

fn shown(hierarchy: &Hierarchy) -> Vec<String> {
    let text =
        |id| hierarchy.key(id).iter().map(|part| part.as_deref().unwrap_or("null")).collect::<Vec<_>>().join("/");
    (0..hierarchy.len()).map(|id| text(id).replace(AGGREGATED, "*")).collect()
}

#[test]
fn leaves_come_first_in_order_of_their_keys_as_strings_then_level_by_level() {
    let leaves = [["2", "x"], ["10", "b"], ["1", "10"], ["1", "2"]].map(key);
    let hierarchy = Hierarchy::from_leaves(&leaves).unwrap();
    assert_eq!(shown(&hierarchy), ["1/10", "1/2", "10/b", "2/x", "1/*", "10/*", "2/*", "*/*"]);
    let parents: Vec<_> = (0..8).map(|id| hierarchy.tree().parent(id)).collect();
    assert_eq!(parents, [Some(4), Some(4), Some(5), Some(6), Some(7), Some(7), Some(7), None]);
    for id in 0..8 {
        assert_eq!(hierarchy.id(hierarchy.key(id)), Some(id));
    }
    assert_eq!(hierarchy.id(&key(["1", "3"])), None);
    assert_eq!(hierarchy.n_leaves(), 4);
}

#[test]
fn nulls_are_values_that_come_last() {
    let leaves = [["null", "a"], ["1", "null"], ["2", "b"], ["null", "null"]].map(key);
    let hierarchy = Hierarchy::from_leaves(&leaves).unwrap();
    let expected = ["2/b", "1/null", "null/a", "null/null", "1/*", "2/*", "null/*", "*/*"];
    assert_eq!(shown(&hierarchy), expected);
    for (id, name) in expected.iter().enumerate() {
        assert_eq!(hierarchy.id(hierarchy.key(id)), Some(id), "{name}");
    }
}

#[test]
fn one_index_column_gives_leaves_and_total_and_none_gives_one_series() {
    let hierarchy = Hierarchy::from_leaves(&["b", "a"].map(|leaf| key([leaf]))).unwrap();
    assert_eq!(shown(&hierarchy), ["a", "b", "*"]);
    assert_eq!(hierarchy.tree().to_dense(), [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]);
    let single = Hierarchy::from_leaves::<[Option<&str>; 0], &str>(&[[]]).unwrap();
    assert_eq!((single.len(), single.n_leaves(), single.id::<&str>(&[])), (1, 1, Some(0)));
    let none = Hierarchy::from_leaves::<[Option<&str>; 2], &str>(&[]).unwrap();
    assert!(none.is_empty() && none.id(&key(["a", "b"])).is_none());
}

#[test]
fn keys_in_any_order_make_the_hierarchy_of_their_leaves() {
    let leaves = [["us", "ca", "a"], ["us", "ny", "a"], ["us", "ca", "b"], ["fr", "null", "z"]].map(key);
    let hierarchy = Hierarchy::from_leaves(&leaves).unwrap();
    let mut keys: Vec<_> = (0..hierarchy.len()).map(|id| hierarchy.key(id)).collect();
    keys.reverse();
    let (again, ids) = Hierarchy::from_keys(&keys).unwrap();
    assert_eq!(again, hierarchy);
    assert_eq!(ids, (0..hierarchy.len()).rev().collect::<Vec<_>>());
}

#[test]
fn among_given_keys_a_series_is_part_of_the_nearest_sum_there_is() {
    // No sum for store 1; store 2 without departments.
    let keys =
        [["*", "*"], ["2", "*"], ["1", "b"], ["1", "a"]].map(|k| key(k.map(|p| if p == "*" { AGGREGATED } else { p })));
    let (hierarchy, ids) = Hierarchy::from_keys(&keys).unwrap();
    assert_eq!(shown(&hierarchy), ["1/a", "1/b", "2/*", "*/*"]);
    assert_eq!(ids, [3, 2, 1, 0]);
    let expected = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 1.0]];
    assert_eq!(hierarchy.tree().to_dense(), expected);
    assert_eq!(hierarchy.id(&keys[1]), Some(2));
}

#[test]
fn keys_that_make_no_hierarchy_are_errors_that_name_them() {
    let error = Hierarchy::from_leaves(&[key(["1", AGGREGATED])]).unwrap_err();
    assert_eq!(error, HierarchyError::ReservedValue { key: format!("(1, {AGGREGATED})") });
    let error = Hierarchy::from_keys(&[key([AGGREGATED, "1"])]).unwrap_err();
    assert_eq!(error, HierarchyError::NotAPrefix { key: format!("({AGGREGATED}, 1)") });
    let error = Hierarchy::from_leaves(&[key(["1", "null"]), key(["2", "2"]), key(["1", "null"])]).unwrap_err();
    assert_eq!(error, HierarchyError::DuplicateKey { key: "(1, null)".to_owned() });
    let error = Hierarchy::from_keys(&[vec![Some("1")], vec![Some("1"), None]]).unwrap_err();
    assert_eq!(error, HierarchyError::KeyWidth { key: "(1, null)".to_owned(), got: 2, expected: 1 });
}

#[test]
fn parents_that_run_in_a_circle_are_no_tree() {
    let error = SumTree::from_parents(&[None, Some(2), Some(1)]).unwrap_err();
    assert_eq!(error, HierarchyError::NotATree { node: 1, parent: 2 });
    let error = SumTree::from_parents(&[Some(7)]).unwrap_err();
    assert_eq!(error, HierarchyError::NotATree { node: 0, parent: 7 });
}

#[test]
fn the_matrix_of_a_tree_is_known_to_be_one() {
    let mut random = Random(9);
    for _ in 0..50 {
        // Leaves first: leaves are those of a random tree.
        let tree = random.tree(25);
        let dense = tree.to_dense();
        let (leaves, sums): (Vec<usize>, Vec<usize>) = (0..25).partition(|&node| tree.children(node).is_empty());
        let rows: Vec<Vec<f64>> = leaves.iter().chain(&sums).map(|&node| dense[node].clone()).collect();
        let matrix = SumMatrix::from_dense(&rows, LeafOrder::First).unwrap();
        assert_eq!(matrix.tree().map(SumTree::to_dense), Some(rows));
        assert_eq!(matrix.row_sums()[..leaves.len()], vec![1.0; leaves.len()]);
    }
}

#[test]
fn rows_that_make_no_summing_matrix_are_errors() {
    let row = |error: HierarchyError| match error {
        HierarchyError::InvalidRow { row, reason } => (row, reason),
        other => panic!("{other}"),
    };
    let error = SumMatrix::new(2, LeafOrder::First, &[vec![(0, 1.0)], vec![(2, 1.0)]]).unwrap_err();
    assert_eq!(row(error), (3, "leaf 2 of 2".to_owned()));
    let error = SumMatrix::new(2, LeafOrder::Last, &[vec![(1, 1.0), (0, 1.0), (1, 1.0)]]).unwrap_err();
    assert_eq!(row(error), (0, "leaf 1 occurs twice".to_owned()));
    let error = SumMatrix::from_dense(&[vec![1.0, 1.0], vec![1.0, 0.0], vec![0.0, 1.0]], LeafOrder::First).unwrap_err();
    assert_eq!(row(error), (0, "not the row of leaf 0 alone".to_owned()));
}
