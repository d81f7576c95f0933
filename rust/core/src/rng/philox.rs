//! Philox4x64-10 (Salmon, Moraes, Dror & Shaw 2011, SC '11, §3.3), bit-identical to `numpy.random.Philox`.
//!
//! `numpy.random.Philox(key=key, counter=counter)` increments its counter before the first block, so stream
//! `(key, counter)` here starts with the block of `counter + 1`, as there.

pub(super) const MULTIPLIERS: [u64; 2] = [0xD2E7_470E_E14C_6C93, 0xCA5A_8263_9512_1157];
pub(super) const WEYL: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xBB67_AE85_84CA_A73B];
pub(super) const ROUNDS: usize = 10;
const TO_UNIT: f64 = 1.0 / (1u64 << 53) as f64;

/// What a stream of random numbers is for; a part of the counter, so that two uses never share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Stream {
    /// Row draws of a bootstrap, weights of a Bayesian bootstrap.
    Resample = 0,
    /// Permutations and fold assignments.
    Shuffle = 1,
    /// Simulated data.
    Data = 2,
    /// Noise inside a simulation run.
    Noise = 3,
    /// Starting values of searches.
    Start = 4,
}

/// A generator for one `(key, stream, replicate)`: the counter is `(block, stream, replicate, substream)`.
#[derive(Clone, Debug)]
pub struct Philox {
    key: [u64; 2],
    counter: [u64; 4],
    buffer: [u64; 4],
    position: usize,
}

impl Philox {
    /// The generator of `numpy.random.Philox(key=key, counter=counter)`.
    pub fn new(key: [u64; 2], counter: [u64; 4]) -> Self {
        Self { key, counter, buffer: [0; 4], position: 4 }
    }

    /// The generator of one replicate (or run) of one stream.
    pub fn replicate(key: [u64; 2], stream: Stream, replicate: u64) -> Self {
        Self::new(key, [0, stream as u64, replicate, 0])
    }

    /// The block of four numbers at `counter`: the bare bijection.
    #[inline]
    pub fn block(key: [u64; 2], counter: [u64; 4]) -> [u64; 4] {
        let mut c = counter;
        let mut k = key;
        for round in 0..ROUNDS {
            if round > 0 {
                k[0] = k[0].wrapping_add(WEYL[0]);
                k[1] = k[1].wrapping_add(WEYL[1]);
            }
            let p0 = u128::from(MULTIPLIERS[0]) * u128::from(c[0]);
            let p1 = u128::from(MULTIPLIERS[1]) * u128::from(c[2]);
            c = [(p1 >> 64) as u64 ^ c[1] ^ k[0], p1 as u64, (p0 >> 64) as u64 ^ c[3] ^ k[1], p0 as u64];
        }
        c
    }

    /// The next 64 random bits, as `numpy.random.Philox(…).random_raw()`.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        if self.position == 4 {
            for word in &mut self.counter {
                *word = word.wrapping_add(1);
                if *word != 0 {
                    break;
                }
            }
            self.buffer = Self::block(self.key, self.counter);
            self.position = 0;
        }
        let value = self.buffer[self.position];
        self.position += 1;
        value
    }

    /// Uniform on [0, 1) with 53 bits, as `numpy.random.Generator.random()`.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * TO_UNIT
    }

    /// Uniform on (0, 1): for logarithms and quantile functions.
    #[inline]
    pub fn uniform_open(&mut self) -> f64 {
        ((self.next_u64() >> 12) as f64 + 0.5) * (2.0 * TO_UNIT)
    }

    /// Standard exponential by inversion.
    #[inline]
    pub fn exponential(&mut self) -> f64 {
        -self.uniform_open().ln()
    }

    /// Standard normal by inversion of the distribution function (Wichura 1988, AS 241): one draw a number, so
    /// that the `i`-th normal of a stream depends on the `i`-th word alone.
    #[inline]
    pub fn normal(&mut self) -> f64 {
        super::normal::quantile(self.uniform_open())
    }

    /// Unbiased draw from `0..n` (Lemire 2019, ACM TOMACS 29(1), the multiply-shift method with rejection).
    ///
    /// `n` must not be zero; zero gives zero.
    #[inline]
    pub fn index(&mut self, n: u64) -> u64 {
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            let low = product as u64;
            if low >= n || low >= n.wrapping_neg().checked_rem(n).unwrap_or(0) {
                return (product >> 64) as u64;
            }
        }
    }

    /// A uniformly random order of `items` (Fisher & Yates; Durstenfeld 1964).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let chosen = self.index(last as u64 + 1) as usize;
            items.swap(last, chosen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_words_are_those_of_numpy() {
        // numpy 2.4: np.random.Philox(key=[11, 22], counter=[1, 2, 3, 4]).random_raw(6)
        let mut philox = Philox::new([11, 22], [1, 2, 3, 4]);
        let words: Vec<u64> = (0..6).map(|_| philox.next_u64()).collect();
        assert_eq!(words, NUMPY_WORDS);
    }

    const NUMPY_WORDS: [u64; 6] = [
        1730346170048615351,
        9979334398553596327,
        7252431032303315030,
        10707463782261373081,
        14536535791752764871,
        11641336881927604691,
    ];

    #[test]
    fn the_counter_carries_into_its_next_word() {
        let mut carried = Philox::new([5, 6], [u64::MAX, 7, 0, 0]);
        assert_eq!(carried.next_u64(), Philox::block([5, 6], [0, 8, 0, 0])[0]);
    }

    #[test]
    fn index_draws_are_uniform() {
        let mut philox = Philox::replicate([1, 2], Stream::Resample, 3);
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[philox.index(7) as usize] += 1;
        }
        let chi2: f64 = counts.iter().map(|&c| (f64::from(c) - 10_000.0).powi(2) / 10_000.0).sum();
        assert!(chi2 < 22.5, "chi-square {chi2} with 6 degrees of freedom: beyond the 0.1 % point");
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..100).collect();
        Philox::replicate([1, 2], Stream::Shuffle, 0).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
