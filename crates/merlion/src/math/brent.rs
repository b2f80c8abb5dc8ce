//! The minimum of a function of one variable: bracketed by going downhill, then closed in on by Brent's method.
//!
//! Brent (1973), "Algorithms for Minimization without Derivatives", chapter 5; the bracketing is that of Press et al., "Numerical
//! Recipes", section 10.1. Constants and order of steps are those of `scipy.optimize.brent`, whose minima these are.

/// A function value far enough down to be worth a parabola, but not farther than this many steps.
const GROW_LIMIT: f64 = 110.0;
const GOLDEN: f64 = 1.618_034;
/// What is left of the larger part after a golden-section step.
const SECTION: f64 = 0.381_966_0;
const RELATIVE: f64 = 1.48e-8;
const ABSOLUTE: f64 = 1e-11;

/// Where `f` is least, searched downhill from `a` and `b`; `None` if it falls forever or is not finite.
pub fn minimum(mut f: impl FnMut(f64) -> f64, a: f64, b: f64) -> Option<f64> {
    let (low, middle, high) = bracket(&mut f, a, b)?;
    Some(close_in(&mut f, low.min(high), middle, low.max(high)))
}

/// Three points of which the middle one is lowest.
fn bracket(f: &mut impl FnMut(f64) -> f64, a: f64, b: f64) -> Option<(f64, f64, f64)> {
    let (mut a, mut b, mut fa, mut fb) = (a, b, f(a), f(b));
    if fa < fb {
        (a, b, fa, fb) = (b, a, fb, fa);
    }
    let mut c = b + GOLDEN * (b - a);
    let mut fc = f(c);
    for _ in 0..1000 {
        if fc.is_nan() || fb.is_nan() || !c.is_finite() {
            return None;
        }
        if fc >= fb {
            // Flat on one side at most.
            return ((fb < fc && fb <= fa) || (fb < fa && fb <= fc)).then_some((a, b, c));
        }
        // The lowest point of the parabola through the three.
        let (left, right) = ((b - a) * (fb - fc), (b - c) * (fb - fa));
        let curvature = right - left;
        let slope = 2.0 * if curvature.abs() < 1e-21 { 1e-21 } else { curvature };
        let mut u = b - ((b - c) * right - (b - a) * left) / slope;
        let limit = b + GROW_LIMIT * (c - b);
        let mut fu;
        if (u - c) * (b - u) > 0.0 {
            fu = f(u);
            if fu < fc {
                return Some((b, u, c));
            }
            if fu > fb {
                return Some((a, b, u));
            }
            u = c + GOLDEN * (c - b);
            fu = f(u);
        } else if (u - limit) * (limit - c) >= 0.0 {
            u = limit;
            fu = f(u);
        } else if (u - limit) * (c - u) > 0.0 {
            fu = f(u);
            if fu < fc {
                (b, c, fb, fc) = (c, u, fc, fu);
                u = c + GOLDEN * (c - b);
                fu = f(u);
            }
        } else {
            u = c + GOLDEN * (c - b);
            fu = f(u);
        }
        (a, b, c, fa, fb, fc) = (b, c, u, fb, fc, fu);
    }
    None
}

/// The minimum between `a` and `b`, within which `x` is lower than both.
fn close_in(f: &mut impl FnMut(f64) -> f64, mut a: f64, mut x: f64, mut b: f64) -> f64 {
    // The lowest, the second lowest and the one that was the second lowest before.
    let (mut w, mut v) = (x, x);
    let mut fx = f(x);
    let (mut fw, mut fv) = (fx, fx);
    let (mut step, mut step_before) = (0.0_f64, 0.0_f64);
    for _ in 0..500 {
        let tolerance = RELATIVE * x.abs() + ABSOLUTE;
        let middle = 0.5 * (a + b);
        if (x - middle).abs() < 2.0 * tolerance - 0.5 * (b - a) {
            break;
        }
        let mut parabolic = false;
        if step_before.abs() > tolerance {
            let r = (x - w) * (fx - fv);
            let q = (x - v) * (fx - fw);
            let mut p = (x - v) * q - (x - w) * r;
            let mut q = 2.0 * (q - r);
            if q > 0.0 {
                p = -p;
            }
            q = q.abs();
            let limit = (0.5 * q * step_before).abs();
            step_before = step;
            if p > q * (a - x) && p < q * (b - x) && p.abs() < limit {
                parabolic = true;
                step = p / q;
                let u = x + step;
                if u - a < 2.0 * tolerance || b - u < 2.0 * tolerance {
                    step = if middle >= x { tolerance } else { -tolerance };
                }
            }
        }
        if !parabolic {
            step_before = if x >= middle { a - x } else { b - x };
            step = SECTION * step_before;
        }
        let u = x + if step.abs() >= tolerance { step } else { tolerance.copysign(step) };
        let fu = f(u);
        if fu > fx {
            if u < x {
                a = u;
            } else {
                b = u;
            }
            if fu <= fw || w == x {
                (v, w, fv, fw) = (w, u, fw, fu);
            } else if fu <= fv || v == x || v == w {
                (v, fv) = (u, fu);
            }
        } else {
            if u >= x {
                a = x;
            } else {
                b = x;
            }
            (v, w, x, fv, fw, fx) = (w, x, u, fw, fx, fu);
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minima_are_found_wherever_the_search_starts() {
        for (a, b) in [(-2.0, 2.0), (2.0, -2.0), (0.0, 0.1), (500.0, 501.0), (-80.0, 3.0)] {
            let parabola = minimum(|x| 10.0 * x * x + 3.0 * x + 5.0, a, b).unwrap();
            assert!((parabola + 0.15).abs() < 1e-7, "from {a} and {b}: {parabola}, expected -0.15");
            let well = minimum(|x| (x - 7.0).abs().powf(1.5) + 0.01 * x, a, b).unwrap();
            let expected = 7.0 - (0.01_f64 / 1.5).powi(2);
            assert!((well - expected).abs() < 1e-6, "from {a} and {b}: {well}, expected {expected}");
        }
    }

    #[test]
    fn a_function_without_a_minimum_has_none() {
        assert_eq!(minimum(|x| -x, -2.0, 2.0), None);
        assert_eq!(minimum(|_| f64::NAN, -2.0, 2.0), None);
        assert_eq!(minimum(|_| 1.0, -2.0, 2.0), None);
    }
}
