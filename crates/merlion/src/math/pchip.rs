//! A smooth curve through points that rises and falls only where they do: piecewise cubic Hermite interpolation.
//!
//! Fritsch & Butland (1984), "A method for constructing local monotone piecewise cubic interpolants", SIAM J. Sci. Stat. Comput. 5; the
//! slopes at the ends are Moler's (2004, "Numerical Computing with MATLAB", section 3.6), as in SciPy's `PchipInterpolator`.

use serde::Serialize;

/// The curve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pchip {
    points: Vec<(f64, f64)>,
    slopes: Vec<f64>,
}

impl Pchip {
    /// The curve through at least two points whose first coordinates increase strictly; `None` for other points.
    #[must_use]
    pub fn new(points: &[(f64, f64)]) -> Option<Self> {
        let increasing = points.windows(2).all(|pair| pair[0].0 < pair[1].0);
        if points.len() < 2 || !increasing || points.iter().any(|(x, y)| !x.is_finite() || !y.is_finite()) {
            return None;
        }
        Some(Self { slopes: slopes(points), points: points.to_vec() })
    }

    /// The curve at `x`; beyond the ends the first and last cubic go on.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        let last = self.points.len() - 2;
        let piece = self.points.partition_point(|(known, _)| *known <= x).saturating_sub(1).min(last);
        let ((x0, y0), (x1, y1)) = (self.points[piece], self.points[piece + 1]);
        let (h, s) = (x1 - x0, x - x0);
        let (secant, d0, d1) = ((y1 - y0) / h, self.slopes[piece], self.slopes[piece + 1]);
        let quadratic = (3.0 * secant - 2.0 * d0 - d1) / h;
        let cubic = (d0 + d1 - 2.0 * secant) / (h * h);
        y0 + s * (d0 + s * (quadratic + s * cubic))
    }

    /// The last point, and the slope there.
    #[must_use]
    pub fn end(&self) -> ((f64, f64), f64) {
        let last = self.points.len() - 1;
        (self.points[last], self.slopes[last])
    }
}

fn slopes(points: &[(f64, f64)]) -> Vec<f64> {
    let h: Vec<f64> = points.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let m: Vec<f64> = points.windows(2).zip(&h).map(|(pair, h)| (pair[1].1 - pair[0].1) / h).collect();
    let n = m.len();
    if n == 1 {
        return vec![m[0]; 2];
    }
    let mut slopes = Vec::with_capacity(n + 1);
    slopes.push(end_slope(h[0], h[1], m[0], m[1]));
    for k in 1..n {
        if m[k - 1] * m[k] <= 0.0 || m[k - 1].signum() != m[k].signum() {
            slopes.push(0.0);
            continue;
        }
        // The weighted harmonic mean of the neighbours.
        let (w1, w2) = (2.0 * h[k] + h[k - 1], h[k] + 2.0 * h[k - 1]);
        slopes.push((w1 + w2) / (w1 / m[k - 1] + w2 / m[k]));
    }
    slopes.push(end_slope(h[n - 1], h[n - 2], m[n - 1], m[n - 2]));
    slopes
}

/// The three-point slope at an end, kept from overshooting.
fn end_slope(h0: f64, h1: f64, m0: f64, m1: f64) -> f64 {
    let slope = ((2.0 * h0 + h1) * m0 - h0 * m1) / (h0 + h1);
    if slope * m0 <= 0.0 {
        0.0
    } else if m0 * m1 <= 0.0 && slope.abs() > 3.0 * m0.abs() {
        3.0 * m0
    } else {
        slope
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // scipy.interpolate.PchipInterpolator([0, 1, 3, 4], [0, 2, 3, 7]), at -0.5, 0.5, 2, 3.5 and 5; its derivative at 4.
    #[test]
    fn values_agree_with_scipy() {
        let curve = Pchip::new(&[(0.0, 0.0), (1.0, 2.0), (3.0, 3.0), (4.0, 7.0)]).unwrap();
        for (x, expected) in [
            (-0.5, -1.133_928_571_428_571_6),
            (0.5, 1.205_357_142_857_142_8),
            (2.0, 2.471_042_471_042_471),
            (3.5, 4.475_788_288_288_288),
            (5.0, 9.612_612_612_612_615),
        ] {
            let got = curve.at(x);
            assert!((got - expected).abs() < 1e-12, "x = {x}: {got} vs {expected}");
        }
        assert!((curve.end().1 - 5.166_666_666_666_668).abs() < 1e-12, "{:?}", curve.end());
    }

    #[test]
    fn two_points_make_a_line_and_fewer_or_unordered_ones_nothing() {
        let line = Pchip::new(&[(1.0, 1.0), (2.0, 3.0)]).unwrap();
        assert_eq!((line.at(0.0), line.at(3.0)), (-1.0, 5.0));
        for points in [&[(1.0, 1.0)][..], &[(1.0, 1.0), (1.0, 2.0)], &[(0.0, f64::NAN), (1.0, 1.0)]] {
            assert_eq!(Pchip::new(points), None);
        }
    }
}
