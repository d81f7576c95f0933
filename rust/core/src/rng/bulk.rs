//! Many Philox words and index draws at once: the same numbers as [`Philox`], several blocks side by
//! side where the registers are wide enough.

use super::philox::{MULTIPLIERS, Philox, ROUNDS, Stream, WEYL};
use crate::lanes::Kernel;

const LOW: u64 = 0xFFFF_FFFF;

/// The words of a replicate one block after the other: the widening multiplication of 64-bit integers is fast enough
/// that 256-bit registers, which must build it from four narrow ones, gain nothing.
#[inline(always)]
fn words_body(key: [u64; 2], stream: u64, replicate: u64, out: &mut [u64]) {
    // The counter moves before the first block, as NumPy's does.
    for (counter, part) in (1..).zip(out.chunks_mut(4)) {
        let block = Philox::block(key, [counter, stream, replicate, 0]);
        part.copy_from_slice(&block[..part.len()]);
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

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{
        __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_andnot_si512, _mm512_cmplt_epu32_mask, _mm512_mul_epu32,
        _mm512_or_si512, _mm512_permutex2var_epi64, _mm512_set1_epi32, _mm512_set1_epi64, _mm512_setr_epi64,
        _mm512_setzero_si512, _mm512_slli_epi64, _mm512_srli_epi64, _mm512_storeu_si512, _mm512_unpackhi_epi64,
        _mm512_unpacklo_epi64, _mm512_xor_si512,
    };

    use super::{LOW, MULTIPLIERS, ROUNDS, WEYL};

    /// Blocks side by side: one register a word of the counter.
    const SIDE: usize = 8;

    /// High and low words of `x * m`, from the products of 32-bit halves.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    fn multiply(x: __m512i, m: u64) -> (__m512i, __m512i) {
        let (m0, m1) = (_mm512_set1_epi64(m as i64), _mm512_set1_epi64((m >> 32) as i64));
        let low = _mm512_set1_epi64(LOW as i64);
        let x1 = _mm512_srli_epi64::<32>(x);
        let p00 = _mm512_mul_epu32(x, m0);
        let middle = _mm512_add_epi64(_mm512_mul_epu32(x1, m0), _mm512_srli_epi64::<32>(p00));
        let carry = _mm512_add_epi64(_mm512_mul_epu32(x, m1), _mm512_and_si512(middle, low));
        let above = _mm512_add_epi64(_mm512_mul_epu32(x1, m1), _mm512_srli_epi64::<32>(middle));
        (
            _mm512_add_epi64(above, _mm512_srli_epi64::<32>(carry)),
            _mm512_or_si512(_mm512_slli_epi64::<32>(carry), _mm512_and_si512(p00, low)),
        )
    }

    /// The words of eight consecutive blocks, in order.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    fn blocks(key: [u64; 2], first: u64, stream: u64, replicate: u64) -> [__m512i; 4] {
        let lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
        let mut c = [
            _mm512_add_epi64(_mm512_set1_epi64(first as i64), lanes),
            _mm512_set1_epi64(stream as i64),
            _mm512_set1_epi64(replicate as i64),
            _mm512_setzero_si512(),
        ];
        let mut k = key;
        for round in 0..ROUNDS {
            if round > 0 {
                k[0] = k[0].wrapping_add(WEYL[0]);
                k[1] = k[1].wrapping_add(WEYL[1]);
            }
            let (high0, low0) = multiply(c[0], MULTIPLIERS[0]);
            let (high1, low1) = multiply(c[2], MULTIPLIERS[1]);
            c = [
                _mm512_xor_si512(_mm512_xor_si512(high1, c[1]), _mm512_set1_epi64(k[0] as i64)),
                low1,
                _mm512_xor_si512(_mm512_xor_si512(high0, c[3]), _mm512_set1_epi64(k[1] as i64)),
                low0,
            ];
        }
        // From one register a word to one block after the other.
        let (a, b) = (_mm512_unpacklo_epi64(c[0], c[1]), _mm512_unpackhi_epi64(c[0], c[1]));
        let (d, e) = (_mm512_unpacklo_epi64(c[2], c[3]), _mm512_unpackhi_epi64(c[2], c[3]));
        let left = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
        let right = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
        let even = [_mm512_permutex2var_epi64(a, left, d), _mm512_permutex2var_epi64(a, right, d)];
        let odd = [_mm512_permutex2var_epi64(b, left, e), _mm512_permutex2var_epi64(b, right, e)];
        // Registers now hold blocks (0, 2), (1, 3), (4, 6), (5, 7) in halves of four words.
        let front = _mm512_setr_epi64(0, 1, 2, 3, 8, 9, 10, 11);
        let back = _mm512_setr_epi64(4, 5, 6, 7, 12, 13, 14, 15);
        [
            _mm512_permutex2var_epi64(even[0], front, odd[0]),
            _mm512_permutex2var_epi64(even[0], back, odd[0]),
            _mm512_permutex2var_epi64(even[1], front, odd[1]),
            _mm512_permutex2var_epi64(even[1], back, odd[1]),
        ]
    }

    /// Fills `out` with indices below `n`; says whether a draw must be rejected.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, DQ and VL.
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    pub(super) unsafe fn draw(key: [u64; 2], stream: u64, replicate: u64, n: u32, out: &mut [u32]) -> bool {
        const DRAWS: usize = 8 * SIDE; // two a word, four words a block
        let bound = _mm512_set1_epi64(i64::from(n));
        let low = _mm512_set1_epi64(LOW as i64);
        let threshold = _mm512_set1_epi32(n.wrapping_neg().checked_rem(n).unwrap_or(0) as i32);
        let mut rejected = 0;
        let mut spare = [0u32; DRAWS];
        for (part, first) in out.chunks_mut(DRAWS).zip((1..).step_by(SIDE)) {
            let whole = part.len() == DRAWS;
            let target = if whole { part.as_mut_ptr() } else { spare.as_mut_ptr() };
            for (q, word) in blocks(key, first, stream, replicate).into_iter().enumerate() {
                let even = _mm512_mul_epu32(word, bound);
                let odd = _mm512_mul_epu32(_mm512_srli_epi64::<32>(word), bound);
                let index = _mm512_or_si512(_mm512_srli_epi64::<32>(even), _mm512_andnot_si512(low, odd));
                let rest = _mm512_or_si512(_mm512_and_si512(even, low), _mm512_slli_epi64::<32>(odd));
                let outside = _mm512_cmplt_epu32_mask(rest, threshold);
                // Draws past the end of `out` do not count.
                let wanted = part.len().saturating_sub(2 * SIDE * q).min(2 * SIDE);
                rejected |= outside & ((1u32 << wanted) - 1) as u16;
                // SAFETY: `target` has room for four registers of sixteen indices.
                unsafe { _mm512_storeu_si512(target.add(q * 2 * SIDE).cast(), index) };
            }
            if !whole {
                part.copy_from_slice(&spare[..part.len()]);
            }
        }
        rejected != 0
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
    let rejected = match kernel {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: this kernel is only handed out on processors that have its features.
        Kernel::Avx512 => unsafe { avx512::draw(key, stream as u64, replicate, n, out) },
        _ => {
            words.resize(out.len().div_ceil(2), 0);
            words_body(key, stream as u64, replicate, words);
            indices_body(words, n, out)
        }
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
