//! Many Philox words and index draws at once: the same numbers as [`Philox`], several blocks side by side.

use super::philox::{MULTIPLIERS, Philox, ROUNDS, Stream, WEYL};
use crate::lanes::Kernel;

/// Blocks side by side: one 512-bit register a word.
const SIDE: usize = 8;
type Lanes = [u64; SIDE];

const LOW: u64 = 0xFFFF_FFFF;

/// High and low words of `x * m`, from 32-bit halves, so that the compiler finds vector multiplications.
#[inline(always)]
fn multiply(x: Lanes, m: u64) -> (Lanes, Lanes) {
    let (m0, m1) = (m & LOW, m >> 32);
    let (mut high, mut low) = ([0; SIDE], [0; SIDE]);
    for l in 0..SIDE {
        let (x0, x1) = (x[l] & LOW, x[l] >> 32);
        let p00 = x0 * m0;
        let p01 = x0 * m1;
        let p10 = x1 * m0;
        let p11 = x1 * m1;
        let middle = p10 + (p00 >> 32);
        let carry = p01 + (middle & LOW);
        high[l] = p11 + (middle >> 32) + (carry >> 32);
        low[l] = (carry << 32) | (p00 & LOW);
    }
    (high, low)
}

/// The blocks of counters `(first + lane, stream, replicate, 0)`, one after the other.
#[inline(always)]
fn side_by_side(key: [u64; 2], first: u64, stream: u64, replicate: u64, out: &mut [u64; 4 * SIDE]) {
    let mut c: [Lanes; 4] = [[0; SIDE], [stream; SIDE], [replicate; SIDE], [0; SIDE]];
    for (lane, value) in c[0].iter_mut().enumerate() {
        *value = first.wrapping_add(lane as u64);
    }
    let mut k = key;
    for round in 0..ROUNDS {
        if round > 0 {
            k[0] = k[0].wrapping_add(WEYL[0]);
            k[1] = k[1].wrapping_add(WEYL[1]);
        }
        let (high0, low0) = multiply(c[0], MULTIPLIERS[0]);
        let (high1, low1) = multiply(c[2], MULTIPLIERS[1]);
        let (mut next0, mut next2) = ([0; SIDE], [0; SIDE]);
        for l in 0..SIDE {
            next0[l] = high1[l] ^ c[1][l] ^ k[0];
            next2[l] = high0[l] ^ c[3][l] ^ k[1];
        }
        c = [next0, low1, next2, low0];
    }
    for l in 0..SIDE {
        for word in 0..4 {
            out[4 * l + word] = c[word][l];
        }
    }
}

#[inline(always)]
fn words_body(key: [u64; 2], stream: u64, replicate: u64, out: &mut [u64]) {
    let mut block = [0; 4 * SIDE];
    let mut counter = 1; // the counter moves before the first block, as NumPy's does
    for part in out.chunks_mut(4 * SIDE) {
        side_by_side(key, counter, stream, replicate, &mut block);
        part.copy_from_slice(&block[..part.len()]);
        counter += SIDE as u64;
    }
}

/// Indices below `n` from the 32-bit halves of `words`, low half first; says whether a draw must be rejected.
#[inline(always)]
fn indices_body(words: &[u64], n: u32, out: &mut [u32]) -> bool {
    let threshold = n.wrapping_neg().checked_rem(n).unwrap_or(0);
    let mut rejected = false;
    for (pair, &word) in out.chunks_mut(2).zip(words) {
        let halves = [word & LOW, word >> 32];
        for (index, half) in pair.iter_mut().zip(halves) {
            let product = half * u64::from(n);
            rejected |= (product as u32) < threshold;
            *index = (product >> 32) as u32;
        }
    }
    rejected
}

/// The same draws one after the other, with rejection.
fn indices_with_rejection(key: [u64; 2], stream: Stream, replicate: u64, n: u32, out: &mut [u32]) {
    let threshold = n.wrapping_neg().checked_rem(n).unwrap_or(0);
    let mut philox = Philox::replicate(key, stream, replicate);
    let mut word = 0;
    let mut half = 2;
    for index in out {
        loop {
            if half == 2 {
                word = philox.next_u64();
                half = 0;
            }
            let product = ((word >> (32 * half)) & LOW) * u64::from(n);
            half += 1;
            if (product as u32) >= threshold {
                *index = (product >> 32) as u32;
                break;
            }
        }
    }
}

#[inline(always)]
fn draw_body(key: [u64; 2], stream: u64, replicate: u64, n: u32, words: &mut [u64], out: &mut [u32]) -> bool {
    words_body(key, stream, replicate, words);
    indices_body(words, n, out)
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    /// # Safety
    /// The processor must have AVX2.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn draw_avx2(k: [u64; 2], s: u64, r: u64, n: u32, words: &mut [u64], out: &mut [u32]) -> bool {
        super::draw_body(k, s, r, n, words, out)
    }

    /// # Safety
    /// The processor must have AVX-512 F, DQ and VL.
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    pub(super) unsafe fn draw_avx512(k: [u64; 2], s: u64, r: u64, n: u32, words: &mut [u64], out: &mut [u32]) -> bool {
        super::draw_body(k, s, r, n, words, out)
    }
}

/// Fills `out` with unbiased draws from `0..n` for one replicate of a stream.
///
/// Draw `i` comes from a 32-bit half of the stream's words, low half first, by Lemire's multiply-shift method with
/// rejection (2019, ACM TOMACS 29(1)). The numbers are the same for every `kernel`. `words` is scratch space.
pub fn fill_indices(
    kernel: Kernel,
    key: [u64; 2],
    stream: Stream,
    replicate: u64,
    n: u32,
    words: &mut Vec<u64>,
    out: &mut [u32],
) {
    words.resize(out.len().div_ceil(2), 0);
    let rejected = match kernel {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: these kernels are only handed out on processors that have the features.
        Kernel::Avx512 => unsafe { x86::draw_avx512(key, stream as u64, replicate, n, words, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Kernel::Avx2 => unsafe { x86::draw_avx2(key, stream as u64, replicate, n, words, out) },
        _ => draw_body(key, stream as u64, replicate, n, words, out),
    };
    if rejected {
        indices_with_rejection(key, stream, replicate, n, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bulk_words_are_those_of_the_generator() {
        for length in [1, 4, 31, 32, 33, 100] {
            let mut words = vec![0; length];
            words_body([7, 8], Stream::Data as u64, 5, &mut words);
            let mut philox = Philox::replicate([7, 8], Stream::Data, 5);
            assert!(words.iter().all(|&word| word == philox.next_u64()), "length {length}");
        }
    }

    proptest! {
        #[test]
        fn every_kernel_draws_what_rejection_one_by_one_draws(
            key in any::<[u64; 2]>(), replicate in any::<u64>(), n in 1u32.., length in 1usize..300
        ) {
            let mut expected = vec![0; length];
            indices_with_rejection(key, Stream::Resample, replicate, n, &mut expected);
            let mut words = Vec::new();
            for kernel in Kernel::available() {
                let mut out = vec![0; length];
                fill_indices(kernel, key, Stream::Resample, replicate, n, &mut words, &mut out);
                prop_assert_eq!(&out, &expected, "{}", kernel);
            }
            prop_assert!(expected.iter().all(|&index| index < n));
        }
    }
}
