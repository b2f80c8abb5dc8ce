//! Seeds: one for each series, from the user's seed and the series' key.

/// The seed of a series: a hash of the user's seed and the series' key (FNV-1a, then SplitMix64's finaliser to spread it over all
/// bits). The same on every machine, in every version.
#[must_use]
pub fn seed_for(seed: u64, key: &[u8]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash = key.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::seed_for;

    #[test]
    fn seeds_differ_by_user_seed_and_by_key_and_never_by_version() {
        let seeds = [seed_for(0, b"a"), seed_for(1, b"a"), seed_for(0, b"b"), seed_for(0, b"")];
        for (i, a) in seeds.iter().enumerate() {
            assert!(seeds[..i].iter().all(|b| a != b), "{seeds:?}");
        }
        assert_eq!(seed_for(0, b"Store=1, Dept=1"), 0x1718_28c2_258f_c871, "frozen: forecasts depend on it");
    }
}
