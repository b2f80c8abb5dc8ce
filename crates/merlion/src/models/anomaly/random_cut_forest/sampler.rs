//! A sample of a stream in which recent points are likelier (Efraimidis & Spirakis 2006, with weights that grow exponentially in
//! time).

use std::collections::BinaryHeap;

use rand_pcg::Pcg64;
use serde::Serialize;

use crate::math::rng;

/// A point of the sample with its random rank: the least ranks stay.
#[derive(Debug, Clone, Copy, Serialize)]
struct Entry {
    rank: f64,
    leaf: usize,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.total_cmp(&other.rank).then(self.leaf.cmp(&other.leaf))
    }
}

/// What is to happen to a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Decision {
    /// It stays out.
    Refused,
    /// It comes in with this rank, and the point in `evicted` goes, if the sample was full.
    Accepted { rank: f64, evicted: Option<usize> },
}

/// A sample of a stream.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Sampler {
    capacity: usize,
    decay: f64,
    entries: BinaryHeap<Entry>,
}

impl PartialEq for Sampler {
    fn eq(&self, other: &Self) -> bool {
        let sorted = |sampler: &Self| sampler.entries.clone().into_sorted_vec();
        (self.capacity, self.decay) == (other.capacity, other.decay) && sorted(self) == sorted(other)
    }
}

impl Sampler {
    /// A sample of `capacity` points, in which a point counts `exp(-decay)` times as much as the one after it.
    pub(super) fn new(capacity: usize, decay: f64) -> Self {
        Self { capacity, decay, entries: BinaryHeap::new() }
    }

    /// Decides on the point number `sequence` of the stream.
    pub(super) fn offer(&mut self, sequence: usize, stream: &mut Pcg64) -> Decision {
        // The logarithm of an exponential variable with the rate `exp(decay · sequence)`, which itself would overflow.
        let rank = (-rng::uniform(stream).ln()).ln() - self.decay * sequence as f64;
        if self.entries.len() < self.capacity {
            return Decision::Accepted { rank, evicted: None };
        }
        match self.entries.peek() {
            Some(worst) if rank < worst.rank => {
                let evicted = self.entries.pop().map(|entry| entry.leaf);
                Decision::Accepted { rank, evicted }
            }
            _ => Decision::Refused,
        }
    }

    /// Takes an accepted point in.
    pub(super) fn accept(&mut self, rank: f64, leaf: usize) {
        self.entries.push(Entry { rank, leaf });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The points that are in the sample after a stream, over many samples.
    fn members(capacity: usize, decay: f64, length: usize) -> Vec<f64> {
        let mut counts = vec![0.0; length];
        for seed in 0..1_000 {
            let mut stream = rng::stream(seed, 9);
            let mut sampler = Sampler::new(capacity, decay);
            for sequence in 0..length {
                if let Decision::Accepted { rank, .. } = sampler.offer(sequence, &mut stream) {
                    sampler.accept(rank, sequence);
                }
            }
            for entry in sampler.entries {
                counts[entry.leaf] += 1.0 / 1_000.0;
            }
        }
        counts
    }

    #[test]
    fn without_decay_every_point_is_as_likely() {
        for share in members(10, 0.0, 100) {
            // Five standard errors.
            assert!((share - 0.1).abs() < 5.0 * (0.09_f64 / 1_000.0).sqrt(), "{share}");
        }
    }

    #[test]
    fn with_decay_recent_points_are_likelier() {
        let shares = members(10, 0.1, 200);
        let (old, recent) = (shares[..100].iter().sum::<f64>(), shares[190..].iter().sum::<f64>());
        assert!(old < 0.05 && recent > 4.0, "{old} of the first hundred, {recent} of the last ten");
        assert!((shares.iter().sum::<f64>() - 10.0).abs() < 1e-9);
    }
}
