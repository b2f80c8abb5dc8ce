//! Random streams: one per seed and key, the same on every machine and in every run.

use rand::Rng;
use rand_pcg::Pcg64;

use super::normal;

/// The random stream of one purpose: `key` separates the streams that share a user's `seed`.
///
/// Seed and key pass through SplitMix64 (Steele, Lea & Flood 2014), so that neighbouring values give unrelated streams.
#[must_use]
pub fn stream(seed: u64, key: u64) -> Pcg64 {
    let mut state = seed;
    let words = [split_mix(&mut state), split_mix(&mut state)];
    let mut state = key ^ words[0];
    let keyed = [split_mix(&mut state), split_mix(&mut state)];
    let wide = |high: u64, low: u64| (u128::from(high) << 64) | u128::from(low);
    Pcg64::new(wide(words[1], keyed[0]), wide(keyed[1], words[0]))
}

/// The next output of SplitMix64.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A uniform draw from the open interval (0, 1), on a grid of 2^-53.
pub fn uniform(rng: &mut impl Rng) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) * (-53f64).exp2()
}

/// A standard normal draw, by inversion: one uniform each, monotone in it.
pub fn standard_normal(rng: &mut impl Rng) -> f64 {
    normal::quantile(uniform(rng))
}

/// A uniform draw from `0..n`; the bias is below `n / 2^64`.
pub fn below(rng: &mut impl Rng, n: usize) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

/// Puts `items` in random order (Fisher-Yates).
pub fn shuffle<T>(rng: &mut impl Rng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(rng, last + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_fixed_by_seed_and_key() {
        let draw = |seed, key| {
            let mut rng = stream(seed, key);
            [rng.next_u64(), rng.next_u64()]
        };
        assert_eq!(draw(7, 3), draw(7, 3));
        assert_ne!(draw(7, 3), draw(7, 4));
        assert_ne!(draw(7, 3), draw(8, 3));
        assert_ne!(draw(3, 7), draw(7, 3));
        // Forecasts with simulated standard errors change when this does.
        assert_eq!(draw(0, 0), [2_551_361_736_787_756_687, 9_251_859_709_199_346_641]);
    }

    #[test]
    fn normal_draws_have_mean_zero_and_variance_one() {
        let mut rng = stream(1, 2);
        let draws: Vec<f64> = (0..200_000).map(|_| standard_normal(&mut rng)).collect();
        let mean = draws.iter().sum::<f64>() / 200_000.0;
        let variance = draws.iter().map(|x| x * x).sum::<f64>() / 200_000.0;
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.01, "mean {mean}, variance {variance}");
    }

    #[test]
    fn shuffling_keeps_every_item() {
        let mut items: Vec<usize> = (0..100).collect();
        shuffle(&mut stream(5, 5), &mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
