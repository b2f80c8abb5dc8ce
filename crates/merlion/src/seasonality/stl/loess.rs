//! Locally weighted regression on evenly spaced points: a straight line through the nearest ones, nearer ones counting more.

/// Shares of the window's half width within which a point has full weight, and beyond which it has none.
const FULL: f64 = 0.001;
const NONE: f64 = 0.999;

/// The local line through the points `left..=right` (positions from 0) at the place `at`; `None` when no point has a weight.
///
/// The window is `window` points wide, which may be more than there are. `scratch` has room for every point.
pub(super) fn line_at(
    y: &[f64],
    weights: Option<&[f64]>,
    window: usize,
    at: f64,
    (left, right): (usize, usize),
    scratch: &mut [f64],
) -> Option<f64> {
    let n = y.len();
    let mut half = (at - left as f64).max(right as f64 - at);
    if window > n {
        half += ((window - n) / 2) as f64;
    }
    let scratch = &mut scratch[left..=right];
    let mut total = 0.0;
    for (j, w) in (left..).zip(scratch.iter_mut()) {
        let distance = (j as f64 - at).abs();
        *w = if distance <= FULL * half {
            1.0
        } else if distance <= NONE * half {
            let ratio = distance / half;
            let rest = 1.0 - ratio * ratio * ratio;
            rest * rest * rest
        } else {
            0.0
        };
        if let Some(weights) = weights {
            *w *= weights[j];
        }
        total += *w;
    }
    if total <= 0.0 {
        return None;
    }
    let (mut centre, mut spread) = (0.0, 0.0);
    for (j, w) in (left..).zip(scratch.iter_mut()) {
        *w /= total;
        centre += *w * j as f64;
    }
    for (j, w) in (left..).zip(scratch.iter()) {
        spread += w * (j as f64 - centre) * (j as f64 - centre);
    }
    // Points too close together for a slope leave their mean.
    let sloped = half > 0.0 && spread.sqrt() > 0.001 * (n as f64 - 1.0);
    let slope = if sloped { (at - centre) / spread } else { 0.0 };
    let value = |(j, w): (usize, &f64)| w * (slope * (j as f64 - centre) + 1.0) * y[j];
    Some((left..).zip(scratch.iter()).map(value).sum())
}

/// The local line at every point, in `smooth`. With a `jump` it is found at every so many points, and straight in between.
pub(super) fn smooth(
    y: &[f64],
    weights: Option<&[f64]>,
    window: usize,
    jump: usize,
    smooth: &mut [f64],
    scratch: &mut [f64],
) {
    let n = y.len();
    if n < 2 {
        smooth.copy_from_slice(y);
        return;
    }
    let jump = jump.clamp(1, n - 1);
    let half = window.div_ceil(2);
    let neighbours = |i: usize| {
        if window >= n {
            (0, n - 1)
        } else {
            let left = (i + 1).saturating_sub(half).min(n - window);
            (left, left + window - 1)
        }
    };
    let mut last = 0;
    let mut i = 0;
    loop {
        smooth[i] = line_at(y, weights, window, i as f64, neighbours(i), scratch).unwrap_or(y[i]);
        if i > last + 1 {
            let (from, step) = (smooth[last], (smooth[i] - smooth[last]) / (i - last) as f64);
            for (k, between) in (1..).zip(&mut smooth[last + 1..i]) {
                *between = from + step * f64::from(k);
            }
        }
        if i == n - 1 {
            return;
        }
        last = i;
        i = (i + jump).min(n - 1);
    }
}
