//! Hierarchies of series: which series are sums of which ([`Hierarchy`], [`SumTree`], [`SumMatrix`]), and forecasts of all of them
//! made to add up ([`MinTrace`]). What an aggregated series' values are (a SQL aggregation of the leaves' rows) is the caller's
//! business; nothing here reads data.
//!
//! A hierarchy of `m` series over `n` leaves is described by its *summing matrix* `S`, `m` x `n`: series `i` is
//! `Σ_j S[i, j] leaf_j`, and the rows of the leaves are the identity. Nearly every hierarchy in practice is a tree (each series is
//! part of at most one other at the next level), and then neither `S` nor anything of its size is ever needed: [`SumTree`] keeps
//! one parent per series and reconciles in time proportional to `m`.
//!
//! ```
//! use merlion::hierarchy::{Hierarchy, MinTrace};
//!
//! let leaves = [[Some("1"), Some("a")], [Some("1"), Some("b")], [Some("2"), Some("a")]];
//! let hierarchy = Hierarchy::from_leaves(&leaves)?;
//! // Three leaves, then stores 1 and 2, then everything.
//! assert_eq!(hierarchy.len(), 6);
//! assert_eq!(hierarchy.id(&[Some("1"), Some("__aggregated__")]), Some(3));
//!
//! let mean = [10.0, 20.0, 5.0, 33.0, 5.0, 38.0];
//! let stderr = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
//! let reconciled = MinTrace::default().reconcile(hierarchy.tree(), &mean, Some(&stderr))?;
//! assert!((reconciled.mean[3] - (reconciled.mean[0] + reconciled.mean[1])).abs() < 1e-9);
//! # Ok::<(), merlion::hierarchy::HierarchyError>(())
//! ```

mod error;
mod keys;
mod min_trace;
mod pseudo_inverse;
mod series;
mod sum_matrix;
mod sum_matrix_solver;
mod sum_tree;
mod sum_tree_solver;
#[cfg(test)]
mod tests;
mod weights;

pub use error::HierarchyError;
pub use keys::{AGGREGATED, Hierarchy};
pub use min_trace::{MinTrace, MissingRows, Reconciled, Status, SumStructure};
pub use sum_matrix::{LeafOrder, SumMatrix};
pub use sum_tree::SumTree;
pub use weights::Weighting;
