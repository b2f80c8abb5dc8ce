//! The discrete Fourier transform of any length in `O(n log n)`.
//!
//! Cooley & Tukey (1965), "An algorithm for the machine calculation of complex Fourier series", for powers of two; the others become a
//! convolution of such a length by Bluestein (1970), "A linear filtering approach to the computation of the discrete Fourier transform".

use std::f64::consts::PI;

/// A complex number.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Complex {
    /// Real part.
    pub re: f64,
    /// Imaginary part.
    pub im: f64,
}

impl Complex {
    /// The number of this magnitude and angle.
    #[must_use]
    pub fn polar(magnitude: f64, angle: f64) -> Self {
        Self { re: magnitude * angle.cos(), im: magnitude * angle.sin() }
    }

    /// Magnitude.
    #[must_use]
    pub fn abs(self) -> f64 {
        self.re.hypot(self.im)
    }

    /// Angle.
    #[must_use]
    pub fn arg(self) -> f64 {
        self.im.atan2(self.re)
    }

    fn times(self, other: Self) -> Self {
        Self { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }

    fn conjugate(self) -> Self {
        Self { re: self.re, im: -self.im }
    }
}

/// `X_k = Σ_t x_t exp(-2πi k t / n)`.
#[must_use]
pub fn forward(x: &[Complex]) -> Vec<Complex> {
    let n = x.len();
    if n < 2 {
        return x.to_vec();
    }
    if n.is_power_of_two() {
        let mut values = x.to_vec();
        power_of_two(&mut values);
        return values;
    }
    bluestein(x)
}

/// `x_t = Σ_k X_k exp(2πi k t / n) / n`, which undoes [`forward`].
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a length")]
pub fn inverse(x: &[Complex]) -> Vec<Complex> {
    let n = x.len() as f64;
    let conjugates: Vec<Complex> = x.iter().map(|z| z.conjugate()).collect();
    forward(&conjugates).into_iter().map(|z| Complex { re: z.re / n, im: -z.im / n }).collect()
}

/// `exp(-πi k / half)`, each from its own sine and cosine, so that errors do not add up.
#[expect(clippy::cast_precision_loss, reason = "a length")]
fn roots(count: usize, half: usize) -> Vec<Complex> {
    (0..count).map(|k| Complex::polar(1.0, -PI * k as f64 / half as f64)).collect()
}

fn power_of_two(x: &mut [Complex]) {
    let n = x.len();
    let shift = usize::BITS - n.trailing_zeros();
    for k in 0..n {
        let reversed = k.reverse_bits() >> shift;
        if k < reversed {
            x.swap(k, reversed);
        }
    }
    let roots = roots(n / 2, n / 2);
    let mut half = 1;
    while half < n {
        let stride = n / (2 * half);
        for block in x.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (k, (a, b)) in low.iter_mut().zip(high).enumerate() {
                let turned = b.times(roots[k * stride]);
                *b = Complex { re: a.re - turned.re, im: a.im - turned.im };
                *a = Complex { re: a.re + turned.re, im: a.im + turned.im };
            }
        }
        half *= 2;
    }
}

fn bluestein(x: &[Complex]) -> Vec<Complex> {
    let n = x.len();
    let m = (2 * n - 1).next_power_of_two();
    // exp(-πi k² / n): the square is reduced first, because a large angle has few digits of its own.
    let all = roots(2 * n, n);
    let chirp: Vec<Complex> = (0..n).map(|k| all[(k as u128 * k as u128 % (2 * n as u128)) as usize]).collect();
    let mut a = vec![Complex::default(); m];
    let mut b = vec![Complex::default(); m];
    for k in 0..n {
        a[k] = x[k].times(chirp[k]);
        b[k] = chirp[k].conjugate();
        b[(m - k) % m] = b[k];
    }
    power_of_two(&mut a);
    power_of_two(&mut b);
    let product: Vec<Complex> = a.iter().zip(&b).map(|(a, b)| a.times(*b)).collect();
    inverse(&product).into_iter().zip(&chirp).map(|(z, chirp)| z.times(*chirp)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_agrees_with_the_definition() {
        for n in [1_usize, 2, 3, 4, 5, 7, 8, 12, 16, 17, 31, 64, 97, 121] {
            let x: Vec<Complex> = (0..n)
                .map(|t| Complex { re: ((t * 37 + 5) % 11) as f64 - 4.0, im: ((t * 13 + 2) % 7) as f64 - 3.0 })
                .collect();
            let by_definition = |k: usize| {
                let turned = |t: usize| x[t].times(Complex::polar(1.0, -2.0 * PI * ((k * t) % n) as f64 / n as f64));
                (0..n).map(turned).fold(Complex::default(), |a, b| Complex { re: a.re + b.re, im: a.im + b.im })
            };
            let spectrum = forward(&x);
            for (k, z) in spectrum.iter().enumerate() {
                let expected = by_definition(k);
                let far = (z.re - expected.re).hypot(z.im - expected.im);
                assert!(far < 1e-11 * (n as f64).max(10.0), "n = {n}, k = {k}: {z:?} and {expected:?}");
            }
            let back = inverse(&spectrum);
            assert!(back.iter().zip(&x).all(|(a, b)| (a.re - b.re).hypot(a.im - b.im) < 1e-12), "n = {n}: {back:?}");
        }
        assert!(forward(&[]).is_empty() && inverse(&[]).is_empty());
    }
}
