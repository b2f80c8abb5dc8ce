//! Values between observations: the known points of a column, read at any position.

use super::MissingValuePolicy;

/// The points whose value is not missing. Positions increase.
pub(super) fn known(points: impl Iterator<Item = (i64, f64)>) -> Vec<(i64, f64)> {
    points.filter(|(_, value)| !value.is_nan()).collect()
}

/// The value at each position of `at` by a policy; what the policy leaves open at the ends is the nearest known value, and NaN if
/// nothing is known. Increasing positions cost one pass.
pub(super) fn evaluate(policy: MissingValuePolicy, known: &[(i64, f64)], at: impl Iterator<Item = i64>) -> Vec<f64> {
    // Number of known points before the position.
    let mut before = 0;
    at.map(|x| {
        if before > 0 && known[before - 1].0 >= x {
            before = known.partition_point(|point| point.0 < x);
        }
        while before < known.len() && known[before].0 < x {
            before += 1;
        }
        let right = known.get(before);
        let left = before.checked_sub(1).map(|k| known[k]);
        match (left, right) {
            (_, Some(&(position, value))) if position == x => value,
            _ if policy == MissingValuePolicy::ZFill => 0.0,
            (None, None) => f64::NAN,
            (Some((_, value)), None) | (None, Some(&(_, value))) => value,
            (Some(left), Some(&right)) => between(policy, left, right, x),
        }
    })
    .collect()
}

/// The value at `x`, strictly between two neighbouring known points.
#[expect(clippy::cast_precision_loss, reason = "a ratio of durations needs no more than 53 bits")]
fn between(policy: MissingValuePolicy, left: (i64, f64), right: (i64, f64), x: i64) -> f64 {
    let (since, until) = (x.abs_diff(left.0), right.0.abs_diff(x));
    match policy {
        MissingValuePolicy::FFill => left.1,
        MissingValuePolicy::BFill => right.1,
        MissingValuePolicy::Nearest if since <= until => left.1,
        MissingValuePolicy::Nearest => right.1,
        MissingValuePolicy::Interpolate => {
            let span = right.0.abs_diff(left.0);
            left.1 + (right.1 - left.1) * (since as f64 / span as f64)
        }
        MissingValuePolicy::ZFill => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::Lcg;

    #[test]
    fn any_order_of_positions_gives_the_same_values() {
        let mut random = Lcg::new(1);
        let policies = [
            MissingValuePolicy::FFill,
            MissingValuePolicy::BFill,
            MissingValuePolicy::Nearest,
            MissingValuePolicy::Interpolate,
            MissingValuePolicy::ZFill,
        ];
        for round in 0..500 {
            let policy = policies[round % policies.len()];
            let mut position = 0;
            let known: Vec<(i64, f64)> = (0..random.below(6))
                .map(|_| {
                    position += 1 + random.below(5);
                    (position, random.unit())
                })
                .collect();
            let mut at: Vec<i64> = (0..20).map(|_| random.below(30)).collect();
            let one_by_one: Vec<u64> =
                at.iter().map(|&x| evaluate(policy, &known, std::iter::once(x))[0].to_bits()).collect();
            let together: Vec<u64> = evaluate(policy, &known, at.iter().copied()).iter().map(|v| v.to_bits()).collect();
            assert_eq!(together, one_by_one, "{policy:?} of {known:?} at {at:?}");
            at.sort_unstable();
            let sorted = evaluate(policy, &known, at.iter().copied());
            for (x, value) in at.iter().zip(&sorted) {
                let bounds = known.iter().fold((f64::MAX, f64::MIN), |(lo, hi), (_, v)| (lo.min(*v), hi.max(*v)));
                let within =
                    known.is_empty() || policy == MissingValuePolicy::ZFill || (bounds.0..=bounds.1).contains(value);
                assert!(within, "{policy:?} of {known:?} at {x} is {value}, outside the known values");
            }
        }
    }

    #[test]
    fn the_whole_range_of_time_stamps_does_not_overflow() {
        let known = [(i64::MIN, 0.0), (i64::MAX, 1.0)];
        assert_eq!(evaluate(MissingValuePolicy::Interpolate, &known, [0].into_iter()), [0.5]);
    }
}
