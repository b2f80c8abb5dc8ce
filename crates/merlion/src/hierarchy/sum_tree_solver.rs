//! Least squares along a tree: the adjustment of all forecasts that makes them add up, in time proportional to their number.
//! Which weights are used is `weights`' business.
//!
//! Given forecasts `ŷ_v` with weights `w_v` (variances), wanted are the `ỹ` that add up and minimise `Σ_v (ỹ_v - ŷ_v)² / w_v`, that
//! is `ỹ = S (Sᵀ W⁻¹ S)⁻¹ Sᵀ W⁻¹ ŷ`. On a tree the normal equations are solved by elimination from the leaves upward, which is
//! the Kalman filter and smoother of "a sum of independent parts, observed with noise". With `T_v` and `s_v` the sums of `a_c` and
//! `V_c` over the parts `c` of `v`,
//!
//! ```text
//! up, leaf       a_v = ŷ_v                        V_v = w_v
//! up, sum        a_v = T_v + α_v (ŷ_v - T_v)      V_v = w_v s_v / (w_v + s_v)      α_v = s_v / (w_v + s_v)
//! down, top      ỹ_v = a_v
//! down, part c   ỹ_c = a_c + k_c (ỹ_v - T_v)      k_c = V_c / s_v
//! ```
//!
//! Variances follow the same two passes. If the forecasts have independent errors of variance `σ_v²` (equal to `w_v` or not), then
//! `A_v = Var a_v` is `σ_v²` for a leaf and `α_v² σ_v² + (1 - α_v)² Σ A_c` for a sum. On the way down what is added to `a_v` is a
//! multiple of `a_v` itself plus something independent of everything below `v`: `ỹ_v = κ_v a_v + n_v`, with `κ = 1`, `n = 0` at a top
//! and, writing `γ_v = 1 - κ_v (1 - α_v)` and `ν_v = Var n_v`,
//!
//! ```text
//! κ_c = 1 - k_c γ_v      ν_c = k_c² (κ_v² α_v² σ_v² + ν_v + γ_v² Σ_{d ≠ c} A_d)      Var ỹ_v = κ_v² A_v + ν_v
//! ```
//!
//! Every difference from one here is computed as a sum of positive terms (`1 - k_c` is the rest of the parts' `V` over `s_v`), so
//! weights of very different sizes cost no digits.
//!
//! Zero weights are a limit. Merlion inverts `U W Uᵀ` by pseudo-inverse, where `U ŷ` is by how much each sum differs from its
//! leaves; since `M⁺` acts on `W Uᵀ` as `lim (M + ε)⁻¹`, and adding `ε` to `U W Uᵀ` is adding it to the weights of the sums, a zero
//! weight means: exact for a leaf; infinitesimal, equally so, for a sum. [`Small`] calculates with such weights.

use super::SumTree;

/// `head + tail ε` for an infinitesimal `ε`; the tail counts only where the head is zero.
#[derive(Debug, Clone, Copy, Default)]
struct Small {
    head: f64,
    tail: f64,
}

impl Small {
    fn plus(self, other: Self) -> Self {
        Self { head: self.head + other.head, tail: self.tail + other.tail }
    }

    fn is_zero(self) -> bool {
        self.head == 0.0 && self.tail == 0.0
    }

    /// The limit of `self / whole`, where `whole` is not zero and at least as large.
    fn share(self, whole: Self) -> f64 {
        if whole.head > 0.0 { self.head / whole.head } else { self.tail / whole.tail }
    }
}

/// What is known about a series when its parts have been taken into account, and later when everything has.
#[derive(Debug, Clone, Copy, Default)]
struct Node {
    /// `a`, later `ỹ`.
    value: f64,
    /// `V`.
    weight: Small,
    /// `A`.
    variance: f64,
    /// `α`.
    alpha: f64,
    /// `1 - α`.
    from_parts: f64,
    /// `κ`.
    kappa: f64,
    /// `1 - κ`.
    lost: f64,
    /// `ν`.
    nu: f64,
    /// Sums of `V` and `A` over the earlier parts of the same sum.
    before: (Small, f64),
}

/// Forecasts that add up, and their variances if those of the forecasts are given.
pub(super) fn solve(
    tree: &SumTree,
    mean: &[f64],
    weights: &[f64],
    variances: Option<&[f64]>,
) -> (Vec<f64>, Option<Vec<f64>>) {
    let mut nodes = vec![Node::default(); tree.len()];
    let variance_of = |node: usize| variances.map_or(0.0, |variances| variances[node]);
    for at in tree.top_down().rev() {
        nodes[at] = up(tree.children(at), &nodes, mean[at], weights[at], variance_of(at));
    }
    for at in tree.top_down() {
        if tree.parent(at).is_none() {
            nodes[at].kappa = 1.0;
        }
        down(tree.children(at), &mut nodes, at, variance_of(at));
    }
    let mut values: Vec<f64> = nodes.iter().map(|node| node.value).collect();
    // The sums are right to rounding already; this makes them the sums of their parts to the last digit.
    tree.add_up(&mut values);
    let variance = |node: &Node| node.kappa * node.kappa * node.variance + node.nu;
    (values, variances.map(|_| nodes.iter().map(variance).collect()))
}

fn up(parts: &[u32], nodes: &[Node], mean: f64, weight: f64, variance: f64) -> Node {
    if parts.is_empty() {
        return Node { value: mean, weight: Small { head: weight, tail: 0.0 }, variance, ..Node::default() };
    }
    let own = Small { head: weight, tail: if weight == 0.0 { 1.0 } else { 0.0 } };
    let (total, below, noise) = totals(parts, nodes);
    let both = own.plus(below);
    let (alpha, from_parts) = (below.share(both), own.share(both));
    // Of two infinitely different weights the smaller one remains.
    let weight = match (own.head > 0.0, below.head > 0.0) {
        (true, true) => Small { head: own.head * alpha, tail: 0.0 },
        (true, false) => below,
        (false, true) => own,
        (false, false) => Small { head: 0.0, tail: own.tail * alpha },
    };
    Node {
        value: total + alpha * (mean - total),
        weight,
        variance: alpha * alpha * variance + from_parts * from_parts * noise,
        alpha,
        from_parts,
        ..Node::default()
    }
}

fn down(parts: &[u32], nodes: &mut [Node], at: usize, variance: f64) {
    let sum = nodes[at];
    let (total, below, _) = totals(parts, nodes);
    let gap = sum.value - total;
    let gamma = sum.lost + sum.kappa * sum.alpha;
    let through = sum.kappa * sum.alpha;
    let outside = through * through * variance + sum.nu;
    let mut before = (Small::default(), 0.0);
    for &part in parts {
        let part = &mut nodes[part as usize];
        part.before = before;
        before = (before.0.plus(part.weight), before.1 + part.variance);
    }
    let mut after = (Small::default(), 0.0);
    for &part in parts.iter().rev() {
        let part = &mut nodes[part as usize];
        let rest = (part.before.0.plus(after.0), part.before.1 + after.1);
        after = (after.0.plus(part.weight), after.1 + part.variance);
        // Parts that are all exact cannot give way.
        let (k, not_k) = if below.is_zero() { (0.0, 1.0) } else { (part.weight.share(below), rest.0.share(below)) };
        part.value += k * gap;
        part.lost = k * gamma;
        part.kappa = not_k + k * sum.kappa * sum.from_parts;
        part.nu = k * k * (outside + gamma * gamma * rest.1);
    }
}

/// Sums of `a`, `V` and `A` over the parts.
fn totals(parts: &[u32], nodes: &[Node]) -> (f64, Small, f64) {
    parts.iter().fold((0.0, Small::default(), 0.0), |(total, weight, variance), &part| {
        let part = &nodes[part as usize];
        (total + part.value, weight.plus(part.weight), variance + part.variance)
    })
}
