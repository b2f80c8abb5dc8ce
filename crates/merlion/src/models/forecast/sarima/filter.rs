//! The Kalman filter of a seasonal ARIMA model, with the state vector of statsmodels' `SARIMAX`.
//!
//! Harvey (1989), "Forecasting, Structural Time Series Models and the Kalman Filter", sections 3.3 and 3.4. The state is
//!
//! ```text
//! y_{t-1}, Δy_{t-1}, …               d of them
//! lags 1 … m of ΔᵈΔ_mᵇ y             for b = 0 … D - 1
//! the ARMA process and its lags      r = max(p + Pm, q + Qm + 1), in Harvey's form
//! ```
//!
//! so that the observation is a sum of some elements, without noise. Differences are known once `d + Dm` observations are; from
//! then on only the ARMA block has a covariance ([`State::differences_known`]), and an observation makes its first row vanish:
//! a step costs `r²/2` multiplications. With nothing known (statsmodels without enforced stationarity) all elements have the
//! same large variance at the start.

use super::orders::Orders;
use super::polynomial::Coefficients;
use super::presample::PresampleCovariance;

/// Relative change of the innovation variance that counts as none.
const STEADY: f64 = 1e-14;

/// The system matrices, as far as they are not zeros and ones.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StateSpace {
    d: usize,
    seasonal_d: usize,
    period: usize,
    /// `φ_1 … φ_r`.
    ar: Vec<f64>,
    /// `1, θ_1 … θ_{r-1}`.
    selection: Vec<f64>,
    /// Added to the ARMA process in each step.
    pub(super) intercept: f64,
    pub(super) sigma2: f64,
}

/// Mean and covariance of the state before an observation.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct State {
    pub(super) mean: Vec<f64>,
    /// Of the ARMA block alone while the differences are known; rows of a square matrix.
    covariance: Vec<f64>,
    differences_known: bool,
}

/// What the filter saw.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Innovations {
    /// Predictions of the observations.
    pub(super) mean: Vec<f64>,
    /// Their variances.
    pub(super) variance: Vec<f64>,
}

/// Working memory of the filter.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    gain: Vec<f64>,
    matrix: Vec<f64>,
}

impl StateSpace {
    pub(super) fn new(orders: &Orders, c: &Coefficients, intercept: f64, sigma2: f64) -> Self {
        let mut space = Self {
            d: orders.d,
            seasonal_d: orders.seasonal_d,
            period: orders.period,
            ar: Vec::new(),
            selection: Vec::new(),
            intercept,
            sigma2,
        };
        space.set(orders, c);
        space
    }

    /// Puts other coefficients in.
    pub(super) fn set(&mut self, orders: &Orders, c: &Coefficients) {
        let r = orders.arma_states();
        c.write_ar(orders.period, &mut self.ar);
        self.ar.resize(r, 0.0);
        c.write_ma(orders.period, &mut self.selection);
        self.selection.insert(0, 1.0);
        self.selection.resize(r, 0.0);
    }

    /// First element of the ARMA block.
    fn arma(&self) -> usize {
        self.d + self.seasonal_d * self.period
    }

    pub(super) fn len(&self) -> usize {
        self.arma() + self.ar.len()
    }

    /// The last element of a seasonal block.
    fn last(&self, block: usize) -> usize {
        self.d + (block + 1) * self.period - 1
    }

    /// The state of which nothing is known but that its elements are about 0, give or take the root of `variance`.
    pub(super) fn diffuse(&self, variance: f64, state: &mut State) {
        let k = self.len();
        state.differences_known = false;
        state.mean.clear();
        state.mean.resize(k, 0.0);
        state.covariance.clear();
        state.covariance.resize(k * k, 0.0);
        for i in 0..k {
            state.covariance[i * k + i] = variance;
        }
    }

    /// The state after the first `d + Dm` observations, the ARMA process coming out of an infinite past; `None` when it is not
    /// stationary.
    pub(super) fn stationary(&self, orders: &Orders, c: &Coefficients, first: &[f64]) -> Option<State> {
        let r = self.ar.len();
        let mut presample = Vec::new();
        PresampleCovariance::default().write(orders, c, &mut presample)?;
        let size = orders.ar_lags().max(orders.ma_lags());
        let mut covariance = vec![0.0; r * r];
        for i in 0..r {
            for j in 0..=i {
                let before = if i < size { presample[i * size + j] } else { 0.0 };
                covariance[i * r + j] = self.sigma2 * (before + self.selection[i] * self.selection[j]);
                covariance[j * r + i] = covariance[i * r + j];
            }
        }
        let mut mean = Vec::with_capacity(self.len());
        let mut differences = first.to_vec();
        for _ in 0..self.d {
            mean.push(differences.last().copied().unwrap_or(0.0));
            super::orders::difference(&mut differences, 1);
        }
        for _ in 0..self.seasonal_d {
            mean.extend(differences.iter().rev().take(self.period));
            super::orders::difference(&mut differences, self.period);
        }
        // The mean μ of the process, and of its state.
        let mu = self.intercept / (1.0 - self.ar.iter().sum::<f64>());
        // A root that rounding cannot tell from 1 leaves no mean.
        let mu = if mu.is_finite() { mu } else { 0.0 };
        mean.push(mu);
        mean.extend((1..r).map(|i| mu * self.ar[i..].iter().sum::<f64>()));
        Some(State { mean, covariance, differences_known: true })
    }

    fn observe(&self, x: &[f64]) -> f64 {
        x[..self.d].iter().sum::<f64>()
            + (0..self.seasonal_d).map(|block| x[self.last(block)]).sum::<f64>()
            + x[self.arma()]
    }

    /// `T x`, in place.
    fn advance(&self, x: &mut [f64]) {
        let arma = self.arma();
        let w = x[arma];
        let r = self.ar.len();
        // Σ over the seasonal blocks from the last to the first, each with those after it.
        let mut seasonal = w;
        for block in (0..self.seasonal_d).rev() {
            let last = self.last(block);
            seasonal += x[last];
            let start = last + 1 - self.period;
            x.copy_within(start..last, start + 1);
            x[start] = seasonal;
        }
        let mut sum = seasonal;
        for x in x[..self.d].iter_mut().rev() {
            sum += *x;
            *x = sum;
        }
        for i in 0..r - 1 {
            x[arma + i] = self.ar[i] * w + x[arma + i + 1];
        }
        x[arma + r - 1] = self.ar[r - 1] * w;
    }

    /// `T P` for a matrix of rows of `k`, whose ARMA block begins at row `arma`; without the differences' rows if that is 0.
    fn advance_rows(&self, p: &mut [f64], k: usize, arma: usize, spare: &mut Vec<f64>) {
        let r = self.ar.len();
        let add = |p: &mut [f64], to: usize, from: usize| {
            for j in 0..k {
                p[to * k + j] += p[from * k + j];
            }
        };
        spare.clear();
        spare.extend_from_slice(&p[arma * k..(arma + 1) * k]);
        for i in 0..r {
            let (to, phi) = (arma + i, self.ar[i]);
            if i + 1 < r {
                p.copy_within((to + 1) * k..(to + 2) * k, to * k);
            } else {
                p[to * k..(to + 1) * k].fill(0.0);
            }
            if phi != 0.0 {
                p[to * k..(to + 1) * k].iter_mut().zip(&*spare).for_each(|(p, w)| *p += phi * w);
            }
        }
        if arma == 0 {
            return;
        }
        // The sum that enters the differences, from the last block to the first, then up the plain ones.
        for block in (0..self.seasonal_d).rev() {
            let last = self.last(block);
            let start = last + 1 - self.period;
            spare.iter_mut().zip(&p[last * k..(last + 1) * k]).for_each(|(sum, p)| *sum += p);
            p.copy_within(start * k..last * k, (start + 1) * k);
            p[start * k..(start + 1) * k].copy_from_slice(spare);
        }
        for i in (0..self.d).rev() {
            if i + 1 < self.d {
                add(p, i, i + 1);
            } else {
                p[i * k..(i + 1) * k].iter_mut().zip(&*spare).for_each(|(p, sum)| *p += sum);
            }
        }
    }

    /// `Tᵀ v`, in place.
    fn retreat(&self, v: &mut [f64]) {
        let arma = self.arma();
        let plain: f64 = v[..self.d].iter().sum();
        let mut into_arma = plain + self.ar.iter().zip(&v[arma..]).map(|(phi, v)| phi * v).sum::<f64>();
        for i in (1..self.d).rev() {
            v[i] = v[..=i].iter().sum();
        }
        let mut from_blocks = plain;
        for block in 0..self.seasonal_d {
            let last = self.last(block);
            let start = last + 1 - self.period;
            from_blocks += v[start];
            into_arma += v[start];
            v.copy_within(start + 1..=last, start);
            v[last] = from_blocks;
        }
        let end = v.len();
        v.copy_within(arma..end - 1, arma + 1);
        v[arma] = into_arma;
    }

    /// Runs over the observations and moves the state behind them. NaN is a missing observation. Returns the sum of the
    /// log-densities from observation `burn` on; the predictions go to `out`, if wanted.
    pub(super) fn run(
        &self,
        y: &[f64],
        state: &mut State,
        burn: usize,
        scratch: &mut Scratch,
        mut out: Option<&mut Innovations>,
    ) -> f64 {
        let k = self.len();
        let (mut log_likelihood, mut quiet, mut last_variance) = (0.0, 0, f64::NAN);
        for (t, &y) in y.iter().enumerate() {
            let known = state.differences_known;
            let (from, size) = if known { (self.arma(), self.ar.len()) } else { (0, k) };
            let steady = quiet > k;
            let prediction = self.observe(&state.mean);
            if !steady {
                self.gain(state, known, size, &mut scratch.gain);
            }
            let variance = if known { scratch.gain[0] } else { self.observe(&scratch.gain) };
            if let Some(out) = out.as_deref_mut() {
                out.mean.push(prediction);
                out.variance.push(variance);
            }
            if y.is_nan() {
                if known && self.arma() > 0 {
                    self.expand(state);
                }
                (quiet, last_variance) = (0, f64::NAN);
                self.predict(state, scratch);
            } else {
                let innovation = y - prediction;
                if t >= burn {
                    log_likelihood -=
                        0.5 * ((2.0 * std::f64::consts::PI * variance).ln() + innovation * innovation / variance);
                }
                let share = if variance > 0.0 { 1.0 / variance } else { 0.0 };
                let weight = innovation * share;
                state.mean[from..].iter_mut().zip(&scratch.gain).for_each(|(a, g)| *a += g * weight);
                if steady {
                    self.advance(&mut state.mean);
                    state.mean[self.arma()] += self.intercept;
                } else if known {
                    self.predict_known(state, &scratch.gain, share);
                } else {
                    for (i, g) in scratch.gain.iter().enumerate() {
                        let weight = g * share;
                        let row = &mut state.covariance[i * k..=i * k + i];
                        row.iter_mut().zip(&scratch.gain).for_each(|(p, g)| *p -= weight * g);
                    }
                    // What rounding makes of a symmetric matrix would grow.
                    symmetric(&mut state.covariance, k);
                    self.predict(state, scratch);
                }
                // The variance settles when the covariance does; as many steps in a row as there are states rule out chance.
                quiet = if (variance - last_variance).abs() <= STEADY * variance { quiet + 1 } else { 0 };
                last_variance = variance;
            }
        }
        log_likelihood
    }

    /// `P Zᵀ`.
    fn gain(&self, state: &State, known: bool, size: usize, gain: &mut Vec<f64>) {
        gain.clear();
        if known {
            gain.extend_from_slice(&state.covariance[..size]);
        } else {
            gain.extend(state.covariance.chunks_exact(size).map(|row| self.observe(row)));
        }
    }

    /// The next step after an observation, the differences being known: the first row of the covariance has vanished.
    fn predict_known(&self, state: &mut State, gain: &[f64], share: f64) {
        let r = self.ar.len();
        let p = &mut state.covariance;
        for i in 0..r {
            let noise = self.sigma2 * self.selection[i];
            if i + 1 < r {
                let weight = gain[i + 1] * share;
                for j in 0..=i {
                    p[i * r + j] = p[(i + 1) * r + j + 1] - weight * gain[j + 1] + noise * self.selection[j];
                }
            } else {
                for j in 0..=i {
                    p[i * r + j] = noise * self.selection[j];
                }
            }
        }
        // Only the first row is read as a row.
        for i in 1..r {
            p[i] = p[i * r];
        }
        self.advance(&mut state.mean);
        state.mean[self.arma()] += self.intercept;
    }

    /// The next step from any state.
    fn predict(&self, state: &mut State, scratch: &mut Scratch) {
        let arma = self.arma();
        self.advance(&mut state.mean);
        state.mean[arma] += self.intercept;
        let (known, r) = (state.differences_known, self.ar.len());
        let k = if known { r } else { self.len() };
        if known {
            symmetric(&mut state.covariance, r);
        }
        let p = &mut state.covariance;
        // P Tᵀ row by row, then T times that: the same sums over whole rows.
        if known {
            for row in p.chunks_exact_mut(k) {
                let w = row[0];
                for i in 0..r {
                    row[i] = self.ar[i] * w + row.get(i + 1).copied().unwrap_or(0.0);
                }
            }
        } else {
            p.chunks_exact_mut(k).for_each(|row| self.advance(row));
        }
        self.advance_rows(p, k, if known { 0 } else { arma }, &mut scratch.matrix);
        let first = k - r;
        for (i, a) in self.selection.iter().enumerate() {
            let row = &mut p[(first + i) * k + first..(first + i + 1) * k];
            row.iter_mut().zip(&self.selection).for_each(|(p, b)| *p += self.sigma2 * a * b);
        }
    }

    /// Gives the known differences their place in the covariance.
    fn expand(&self, state: &mut State) {
        let (arma, r, k) = (self.arma(), self.ar.len(), self.len());
        symmetric(&mut state.covariance, r);
        let mut all = vec![0.0; k * k];
        for i in 0..r {
            let row = (arma + i) * k + arma;
            all[row..row + r].copy_from_slice(&state.covariance[i * r..(i + 1) * r]);
        }
        state.covariance = all;
        state.differences_known = false;
    }

    /// Predictions of what follows, and their variances.
    pub(super) fn forecast(&self, state: &State, horizon: usize) -> Innovations {
        let (arma, k, r) = (self.arma(), self.len(), self.ar.len());
        let mut mean = state.mean.clone();
        // Z Tʰ⁻¹: how the state enters the observation of step h.
        let mut row = vec![0.0; k];
        row[..self.d].fill(1.0);
        for block in 0..self.seasonal_d {
            row[self.last(block)] = 1.0;
        }
        row[arma] = 1.0;
        let mut covariance = state.covariance.clone();
        let (from, size) = if state.differences_known { (arma, r) } else { (0, k) };
        symmetric(&mut covariance, size);
        let mut later = 0.0;
        let mut out = Innovations::default();
        for _ in 0..horizon {
            out.mean.push(self.observe(&mean));
            self.advance(&mut mean);
            mean[arma] += self.intercept;
            let mut variance = later;
            for (p, weight) in covariance.chunks_exact(size).zip(&row[from..]) {
                variance += weight * p.iter().zip(&row[from..]).map(|(p, v)| p * v).sum::<f64>();
            }
            out.variance.push(variance.max(0.0));
            // The error after the first step, seen from one step farther.
            let effect: f64 = row[arma..].iter().zip(&self.selection).map(|(v, s)| v * s).sum();
            later += self.sigma2 * effect * effect;
            self.retreat(&mut row);
        }
        out
    }
}

/// Copies the lower triangle to the upper.
fn symmetric(p: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..i {
            p[j * n + i] = p[i * n + j];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::exact::Exact;
    use super::*;

    fn values(n: usize) -> Vec<f64> {
        let noise = |t: usize| ((t * 7919 + 13) % 101) as f64 / 50.0 - 1.0;
        (0..n).map(|t| noise(t) + 0.1 * t as f64 + [0.0, 2.0, -1.0, 0.5][t % 4]).collect()
    }

    fn model() -> (Orders, Coefficients) {
        let c = Coefficients { ar: vec![0.5, -0.2], ma: vec![0.4], seasonal_ar: vec![0.3], seasonal_ma: vec![-0.6] };
        (Orders::new([2, 1, 1], [1, 1, 1, 4]), c)
    }

    #[test]
    fn the_likelihood_is_the_exact_one() {
        let (orders, c) = model();
        let y = values(60);
        let w = orders.differenced(&y);
        let mut exact = Exact::new(w, Vec::new());
        let expected = -55.0 * exact.evaluate(&orders, &c).unwrap();
        let space = StateSpace::new(&orders, &c, 0.0, exact.sigma2);
        let mut state = space.stationary(&orders, &c, &y[..5]).unwrap();
        let mut innovations = Innovations::default();
        let got = space.run(&y[5..], &mut state, 0, &mut Scratch::default(), Some(&mut innovations));
        assert!((got - expected).abs() < 1e-9, "{got} vs {expected}");
        assert_eq!(innovations.mean.len(), 55);
        // The same without knowing that the differences are known.
        let mut state = space.stationary(&orders, &c, &y[..5]).unwrap();
        space.expand(&mut state);
        let all = space.run(&y[5..], &mut state, 0, &mut Scratch::default(), None);
        assert!((all - expected).abs() < 1e-9, "{all} vs {expected}");
    }

    #[test]
    fn a_missing_observation_is_the_forecast_of_two_steps() {
        let (orders, c) = model();
        let y = values(60);
        let space = StateSpace::new(&orders, &c, 0.1, 1.3);
        let run = |y: &[f64]| {
            let mut state = space.stationary(&orders, &c, &y[..5]).unwrap();
            space.run(&y[5..], &mut state, 0, &mut Scratch::default(), None);
            state
        };
        let forecast = space.forecast(&run(&y), 4);
        let mut gap = y.clone();
        gap.push(f64::NAN);
        let after = space.forecast(&run(&gap), 3);
        for h in 0..3 {
            assert!((forecast.mean[h + 1] - after.mean[h]).abs() < 1e-9, "{forecast:?} {after:?}");
            assert!((forecast.variance[h + 1] - after.variance[h]).abs() < 1e-9, "{forecast:?} {after:?}");
        }
        assert!(forecast.variance.is_sorted(), "{forecast:?}");
    }

    // A random walk with drift: y + h c, variance h σ².
    #[test]
    fn a_random_walk_with_drift_is_known_by_hand() {
        let orders = Orders::new([0, 1, 0], [0, 0, 0, 1]);
        let c = Coefficients::default();
        let space = StateSpace::new(&orders, &c, 0.5, 4.0);
        let mut state = space.stationary(&orders, &c, &[10.0]).unwrap();
        space.run(&[11.0, 12.0], &mut state, 0, &mut Scratch::default(), None);
        let forecast = space.forecast(&state, 3);
        assert_eq!((forecast.mean, forecast.variance), (vec![12.5, 13.0, 13.5], vec![4.0, 8.0, 12.0]));
    }

    #[test]
    fn the_steady_state_gives_the_same_answer() {
        let orders = Orders::new([1, 0, 1], [0, 0, 0, 1]);
        let c = Coefficients { ar: vec![0.6], ma: vec![0.3], ..Coefficients::default() };
        let space = StateSpace::new(&orders, &c, 0.0, 1.0);
        let y = values(400);
        let whole = {
            let mut state = space.stationary(&orders, &c, &[]).unwrap();
            space.run(&y, &mut state, 0, &mut Scratch::default(), None)
        };
        // Begun anew with every observation it never settles.
        let mut state = space.stationary(&orders, &c, &[]).unwrap();
        let steps: f64 = y.iter().map(|y| space.run(&[*y], &mut state, 0, &mut Scratch::default(), None)).sum();
        assert!((whole - steps).abs() < 1e-9, "{whole} vs {steps}");
    }

    #[test]
    fn a_nearly_diffuse_start_forgets_itself() {
        let (orders, c) = model();
        // The seasonal moving average forgets by 0.6 in every season.
        let y = values(240);
        let space = StateSpace::new(&orders, &c, 0.0, 1.0);
        let mut diffuse = State::default();
        space.diffuse(1e6, &mut diffuse);
        let mut known = space.stationary(&orders, &c, &y[..5]).unwrap();
        space.run(&y, &mut diffuse, space.len(), &mut Scratch::default(), None);
        space.run(&y[5..], &mut known, 0, &mut Scratch::default(), None);
        let (a, b) = (space.forecast(&diffuse, 6), space.forecast(&known, 6));
        for h in 0..6 {
            assert!(
                (a.mean[h] - b.mean[h]).abs() < 1e-4 && (a.variance[h] - b.variance[h]).abs() < 1e-4,
                "{a:?} {b:?}"
            );
        }
    }
}
