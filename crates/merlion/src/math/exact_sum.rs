//! Sums that do not depend on the order of their terms.
//!
//! Shewchuk, "Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates", Discrete & Computational Geometry
//! 18 (1997): the sum is kept without any loss as a short list of numbers that do not overlap, and rounded once, at the end.

/// A sum without rounding errors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExactSum {
    /// The sum's parts, smallest first; they do not overlap.
    parts: Vec<f64>,
    /// The sum of the terms that are not finite, which swallow all others; and of a sum that has overflowed.
    special: Option<f64>,
}

impl ExactSum {
    /// Adds a term.
    pub fn add(&mut self, term: f64) {
        if !term.is_finite() {
            self.special = Some(self.special.unwrap_or(0.0) + term);
            return;
        }
        let mut rest = term;
        let mut kept = 0;
        for i in 0..self.parts.len() {
            let (a, b) = if rest.abs() < self.parts[i].abs() { (self.parts[i], rest) } else { (rest, self.parts[i]) };
            let high = a + b;
            let low = b - (high - a);
            if low != 0.0 {
                self.parts[kept] = low;
                kept += 1;
            }
            rest = high;
        }
        self.parts.truncate(kept);
        if rest.is_finite() {
            self.parts.push(rest);
        } else {
            // Beyond f64: no order of finite terms comes back from there.
            self.special = Some(self.special.unwrap_or(0.0) + rest);
            self.parts.clear();
        }
    }

    /// Numbers that make the same sum when they are added to another one.
    pub fn terms(&self) -> impl Iterator<Item = f64> + '_ {
        self.parts.iter().copied().chain(self.special)
    }

    /// The sum, rounded to the nearest number.
    #[must_use]
    pub fn value(&self) -> f64 {
        if let Some(special) = self.special {
            return special;
        }
        let mut parts = self.parts.iter().rev().copied();
        let Some(mut high) = parts.next() else { return 0.0 };
        let mut low = 0.0;
        for part in parts.by_ref() {
            let sum = high + part;
            low = part - (sum - high);
            high = sum;
            if low != 0.0 {
                break;
            }
        }
        // Half a unit exactly: what is left decides on which side.
        if let Some(next) = parts.next()
            && ((low < 0.0 && next < 0.0) || (low > 0.0 && next > 0.0))
        {
            let doubled = low * 2.0;
            let sum = high + doubled;
            if doubled == sum - high {
                return sum;
            }
        }
        high
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_size(&self) -> usize {
        self.parts.capacity() * size_of::<f64>()
    }
}

impl Extend<f64> for ExactSum {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, terms: I) {
        terms.into_iter().for_each(|term| self.add(term));
    }
}

impl FromIterator<f64> for ExactSum {
    fn from_iter<I: IntoIterator<Item = f64>>(terms: I) -> Self {
        let mut sum = Self::default();
        sum.extend(terms);
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng::{below, stream, uniform};

    fn sum(terms: &[f64]) -> f64 {
        terms.iter().copied().collect::<ExactSum>().value()
    }

    #[test]
    fn what_cancels_leaves_nothing_behind() {
        assert_eq!(sum(&[1e100, 1.0, -1e100]), 1.0);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[1e16, 1.0, 1e-16]), 10_000_000_000_000_002.0, "just above half a unit rounds up");
        assert_eq!(sum(&[]), 0.0);
    }

    #[test]
    fn the_order_and_the_grouping_of_terms_do_not_matter() {
        let mut rng = stream(7, 3);
        let mut terms: Vec<f64> =
            (0..500).map(|_| (uniform(&mut rng) - 0.5) * 10f64.powi(below(&mut rng, 60) as i32 - 30)).collect();
        let forwards = sum(&terms);
        terms.reverse();
        let backwards = sum(&terms);
        terms.sort_by(f64::total_cmp);
        let halves: [ExactSum; 2] = [&terms[..200], &terms[200..]].map(|half| half.iter().copied().collect());
        let mut merged = halves[0].clone();
        merged.extend(halves[1].terms());
        assert_eq!([backwards, sum(&terms), merged.value()], [forwards; 3]);
    }

    #[test]
    fn infinities_and_nan_come_through() {
        assert_eq!(sum(&[1.0, f64::INFINITY, -5.0]), f64::INFINITY);
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        assert!(sum(&[1.0, f64::NAN]).is_nan());
        assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
    }
}
