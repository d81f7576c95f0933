//! The number type of both engines: one number, or several side by side in a register.
//!
//! Code generic over [`Real`] runs on `f64` (the oracle) and on the packs. Every operation is elementwise, so what a
//! lane holds never depends on its neighbours. All methods are `inline(always)`: a kernel is one function with
//! `#[target_feature]` into which the generic code is inlined.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// Places that [`Real::list_counts`] may write to beyond those that it fills.
pub const LISTED: usize = 16;

/// A number, or [`Real::LANES`] numbers side by side.
pub trait Real:
    Copy
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// How many numbers stand side by side; at most 8.
    const LANES: usize;

    /// The same number in every lane.
    fn splat(value: f64) -> Self;
    /// The first `LANES` numbers of `values`.
    ///
    /// # Panics
    /// If `values` is shorter than `LANES`.
    fn load(values: &[f64]) -> Self;
    /// Writes the lanes to the first `LANES` places of `out`.
    ///
    /// # Panics
    /// If `out` is shorter than `LANES`.
    fn store(self, out: &mut [f64]);
    /// The number in one lane.
    fn lane(self, lane: usize) -> f64;
    /// The same numbers but `value` in one lane.
    fn with_lane(self, lane: usize, value: f64) -> Self;
    /// `self * factor + term`, rounded once where the processor's kernel fuses, twice in the portable one.
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// One divided by the number, to the last bit or next to it.
    #[inline(always)]
    fn recip(self) -> Self {
        Self::one() / self
    }
    /// One divided by the square root, to the last bit or next to it.
    #[inline(always)]
    fn rsqrt(self) -> Self {
        Self::one() / self.sqrt()
    }
    /// Bit `l` is set where lane `l` is less than that of `other`; never where one is NaN.
    fn less(self, other: Self) -> u8;
    /// Lanes of `yes` where the bit of `mask` is set, of `no` elsewhere.
    fn select(mask: u8, yes: Self, no: Self) -> Self;
    /// Every lane takes the number of the lane that stands `by` places after it, the last ones those of the first.
    /// Fast for a constant of at most half the lanes.
    #[inline(always)]
    fn rotate(self, by: usize) -> Self {
        let mut out = self;
        for lane in 0..Self::LANES {
            out = out.with_lane(lane, self.lane((lane + by) % Self::LANES));
        }
        out
    }

    /// Lane `k` of the `l`-th number changes places with lane `l` of the `k`-th: as many numbers as lanes.
    #[inline(always)]
    fn transpose(numbers: &mut [Self]) {
        for l in 1..Self::LANES {
            for k in 0..l {
                let (upper, lower) = (numbers[k].lane(l), numbers[l].lane(k));
                numbers[k] = numbers[k].with_lane(l, lower);
                numbers[l] = numbers[l].with_lane(k, upper);
            }
        }
    }

    /// Lists the counts that are not zero, as `place << 8 | count` with places from `first` on, and returns how many
    /// there are. `out` has [`LISTED`] places more than there are counts.
    #[inline(always)]
    fn list_counts(first: u32, counts: &[u8], out: &mut [u32]) -> usize {
        let out = &mut out[..counts.len()];
        let mut used = 0;
        for (place, &count) in (first..).zip(counts) {
            // Written always and kept only when it counts: no branch to mispredict.
            out[used] = place << 8 | u32::from(count);
            used += usize::from(count != 0);
        }
        used
    }

    /// Zero in every lane.
    #[inline(always)]
    fn zero() -> Self {
        Self::splat(0.0)
    }
    /// One in every lane.
    #[inline(always)]
    fn one() -> Self {
        Self::splat(1.0)
    }
    /// The mask of all lanes.
    const ALL: u8 = ((1u16 << Self::LANES) - 1) as u8;

    /// Applies a scalar function to each lane: for the rare function that has no vector form.
    #[inline(always)]
    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        let mut out = self;
        for lane in 0..Self::LANES {
            out = out.with_lane(lane, f(self.lane(lane)));
        }
        out
    }
}

impl Real for f64 {
    const LANES: usize = 1;

    #[inline(always)]
    fn splat(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn load(values: &[f64]) -> Self {
        values[0]
    }
    #[inline(always)]
    fn store(self, out: &mut [f64]) {
        out[0] = self;
    }
    #[inline(always)]
    fn lane(self, _: usize) -> f64 {
        self
    }
    #[inline(always)]
    fn with_lane(self, _: usize, value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        self * factor + term
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f64::abs(self)
    }
    #[inline(always)]
    fn less(self, other: Self) -> u8 {
        u8::from(self < other)
    }
    #[inline(always)]
    fn select(mask: u8, yes: Self, no: Self) -> Self {
        if mask & 1 == 1 { yes } else { no }
    }
}

/// `N` numbers in plain Rust; `FUSED` says whether multiply-add rounds once.
///
/// `Pack<4, false>` is the portable kernel. `Pack<4, true>` serves processors whose baseline has fused multiply-add
/// (AArch64), where the compiler turns the loops into vector instructions.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(32))]
pub struct Pack<const N: usize, const FUSED: bool>([f64; N]);

macro_rules! elementwise {
    ($($trait:ident $method:ident $op:tt),*) => {$(
        #[allow(clippy::assign_op_pattern)] // the operator is an argument of the macro
        impl<const N: usize, const FUSED: bool> $trait for Pack<N, FUSED> {
            type Output = Self;
            #[inline(always)]
            fn $method(mut self, other: Self) -> Self {
                for lane in 0..N {
                    self.0[lane] = self.0[lane] $op other.0[lane];
                }
                self
            }
        }
    )*};
}
elementwise!(Add add +, Sub sub -, Mul mul *, Div div /);

impl<const N: usize, const FUSED: bool> Neg for Pack<N, FUSED> {
    type Output = Self;
    #[inline(always)]
    fn neg(mut self) -> Self {
        for lane in 0..N {
            self.0[lane] = -self.0[lane];
        }
        self
    }
}

impl<const N: usize, const FUSED: bool> Real for Pack<N, FUSED> {
    const LANES: usize = N;

    #[inline(always)]
    fn splat(value: f64) -> Self {
        Self([value; N])
    }
    #[inline(always)]
    fn load(values: &[f64]) -> Self {
        let mut out = [0.0; N];
        out.copy_from_slice(&values[..N]);
        Self(out)
    }
    #[inline(always)]
    fn store(self, out: &mut [f64]) {
        out[..N].copy_from_slice(&self.0);
    }
    #[inline(always)]
    fn lane(self, lane: usize) -> f64 {
        self.0[lane]
    }
    #[inline(always)]
    fn with_lane(mut self, lane: usize, value: f64) -> Self {
        self.0[lane] = value;
        self
    }
    #[inline(always)]
    fn mul_add(mut self, factor: Self, term: Self) -> Self {
        for lane in 0..N {
            self.0[lane] = if FUSED {
                self.0[lane].mul_add(factor.0[lane], term.0[lane])
            } else {
                self.0[lane] * factor.0[lane] + term.0[lane]
            };
        }
        self
    }
    #[inline(always)]
    fn sqrt(mut self) -> Self {
        for lane in 0..N {
            self.0[lane] = self.0[lane].sqrt();
        }
        self
    }
    #[inline(always)]
    fn abs(mut self) -> Self {
        for lane in 0..N {
            self.0[lane] = self.0[lane].abs();
        }
        self
    }
    #[inline(always)]
    fn less(self, other: Self) -> u8 {
        let mut mask = 0;
        for lane in 0..N {
            mask |= u8::from(self.0[lane] < other.0[lane]) << lane;
        }
        mask
    }
    #[inline(always)]
    fn select(mask: u8, yes: Self, no: Self) -> Self {
        let mut out = no;
        for lane in 0..N {
            if mask >> lane & 1 == 1 {
                out.0[lane] = yes.0[lane];
            }
        }
        out
    }
}

#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86 {
    #[allow(clippy::wildcard_imports)] // some forty intrinsics
    use std::arch::x86_64::*;
    use std::ops::{Add, Div, Mul, Neg, Sub};

    use super::{LISTED, Real};

    /// Four numbers in an AVX register. Only for code behind a check for AVX2 and FMA.
    #[derive(Clone, Copy, Debug)]
    #[repr(transparent)]
    pub struct Avx2(__m256d);

    /// Eight numbers in an AVX-512 register. Only for code behind a check for AVX-512 F, DQ and VL.
    #[derive(Clone, Copy, Debug)]
    #[repr(transparent)]
    pub struct Avx512(__m512d);

    // SAFETY of every block below: values of these types are made and used only inside functions that carry the
    // `target_feature` (dispatch checks the processor first), and loads and stores check the length of the slice.
    macro_rules! elementwise {
        ($type:ident: $($trait:ident $method:ident $intrinsic:ident),*) => {$(
            impl $trait for $type {
                type Output = Self;
                #[inline(always)]
                fn $method(self, other: Self) -> Self {
                    Self(unsafe { $intrinsic(self.0, other.0) })
                }
            }
        )*};
    }
    elementwise!(Avx2: Add add _mm256_add_pd, Sub sub _mm256_sub_pd, Mul mul _mm256_mul_pd, Div div _mm256_div_pd);
    elementwise!(Avx512: Add add _mm512_add_pd, Sub sub _mm512_sub_pd, Mul mul _mm512_mul_pd, Div div _mm512_div_pd);

    impl Neg for Avx2 {
        type Output = Self;
        #[inline(always)]
        fn neg(self) -> Self {
            Self(unsafe { _mm256_xor_pd(self.0, _mm256_set1_pd(-0.0)) })
        }
    }

    impl Neg for Avx512 {
        type Output = Self;
        #[inline(always)]
        fn neg(self) -> Self {
            Self(unsafe { _mm512_xor_pd(self.0, _mm512_set1_pd(-0.0)) })
        }
    }

    impl Real for Avx2 {
        const LANES: usize = 4;

        #[inline(always)]
        fn splat(value: f64) -> Self {
            Self(unsafe { _mm256_set1_pd(value) })
        }
        #[inline(always)]
        fn load(values: &[f64]) -> Self {
            let values = &values[..4];
            Self(unsafe { _mm256_loadu_pd(values.as_ptr()) })
        }
        #[inline(always)]
        fn store(self, out: &mut [f64]) {
            let out = &mut out[..4];
            unsafe { _mm256_storeu_pd(out.as_mut_ptr(), self.0) }
        }
        #[inline(always)]
        fn lane(self, lane: usize) -> f64 {
            let mut out = [0.0; 4];
            self.store(&mut out);
            out[lane]
        }
        #[inline(always)]
        fn with_lane(self, lane: usize, value: f64) -> Self {
            let mut out = [0.0; 4];
            self.store(&mut out);
            out[lane] = value;
            Self::load(&out)
        }
        #[inline(always)]
        fn mul_add(self, factor: Self, term: Self) -> Self {
            Self(unsafe { _mm256_fmadd_pd(self.0, factor.0, term.0) })
        }
        #[inline(always)]
        fn sqrt(self) -> Self {
            Self(unsafe { _mm256_sqrt_pd(self.0) })
        }
        #[inline(always)]
        fn abs(self) -> Self {
            Self(unsafe { _mm256_andnot_pd(_mm256_set1_pd(-0.0), self.0) })
        }
        #[inline(always)]
        fn less(self, other: Self) -> u8 {
            unsafe { _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_LT_OQ>(self.0, other.0)) as u8 }
        }
        #[inline(always)]
        fn select(mask: u8, yes: Self, no: Self) -> Self {
            unsafe {
                let bits = _mm256_set_epi64x(8, 4, 2, 1);
                let lanes = _mm256_cmpeq_epi64(_mm256_and_si256(_mm256_set1_epi64x(i64::from(mask)), bits), bits);
                Self(_mm256_blendv_pd(no.0, yes.0, _mm256_castsi256_pd(lanes)))
            }
        }
        #[inline(always)]
        fn rotate(self, by: usize) -> Self {
            Self(unsafe {
                match by % 4 {
                    1 => _mm256_permute4x64_pd::<0b00_11_10_01>(self.0),
                    2 => _mm256_permute4x64_pd::<0b01_00_11_10>(self.0),
                    3 => _mm256_permute4x64_pd::<0b10_01_00_11>(self.0),
                    _ => self.0,
                }
            })
        }
        #[inline(always)]
        fn transpose(numbers: &mut [Self]) {
            let n: &mut [Self; 4] = &mut numbers.as_chunks_mut().0[0];
            unsafe {
                let (a, b) = (_mm256_unpacklo_pd(n[0].0, n[1].0), _mm256_unpackhi_pd(n[0].0, n[1].0));
                let (c, d) = (_mm256_unpacklo_pd(n[2].0, n[3].0), _mm256_unpackhi_pd(n[2].0, n[3].0));
                n[0].0 = _mm256_permute2f128_pd::<0x20>(a, c);
                n[1].0 = _mm256_permute2f128_pd::<0x20>(b, d);
                n[2].0 = _mm256_permute2f128_pd::<0x31>(a, c);
                n[3].0 = _mm256_permute2f128_pd::<0x31>(b, d);
            }
        }
    }

    impl Real for Avx512 {
        const LANES: usize = 8;

        #[inline(always)]
        fn splat(value: f64) -> Self {
            Self(unsafe { _mm512_set1_pd(value) })
        }
        #[inline(always)]
        fn load(values: &[f64]) -> Self {
            let values = &values[..8];
            Self(unsafe { _mm512_loadu_pd(values.as_ptr()) })
        }
        #[inline(always)]
        fn store(self, out: &mut [f64]) {
            let out = &mut out[..8];
            unsafe { _mm512_storeu_pd(out.as_mut_ptr(), self.0) }
        }
        #[inline(always)]
        fn lane(self, lane: usize) -> f64 {
            let mut out = [0.0; 8];
            self.store(&mut out);
            out[lane]
        }
        #[inline(always)]
        fn with_lane(self, lane: usize, value: f64) -> Self {
            let mut out = [0.0; 8];
            self.store(&mut out);
            out[lane] = value;
            Self::load(&out)
        }
        #[inline(always)]
        fn mul_add(self, factor: Self, term: Self) -> Self {
            Self(unsafe { _mm512_fmadd_pd(self.0, factor.0, term.0) })
        }
        #[inline(always)]
        fn sqrt(self) -> Self {
            Self(unsafe { _mm512_sqrt_pd(self.0) })
        }
        // Fourteen bits from the table and two of Newton's steps, each of which doubles them: the divider would take
        // several times as long.
        #[inline(always)]
        fn recip(self) -> Self {
            let mut y = Self(unsafe { _mm512_rcp14_pd(self.0) });
            for _ in 0..2 {
                let rest = (-self).mul_add(y, Self::one());
                y = y.mul_add(rest, y);
            }
            y
        }
        #[inline(always)]
        fn rsqrt(self) -> Self {
            let mut y = Self(unsafe { _mm512_rsqrt14_pd(self.0) });
            let half = self * Self::splat(0.5);
            for _ in 0..2 {
                let rest = (-(half * y)).mul_add(y, Self::splat(0.5));
                y = y.mul_add(rest, y);
            }
            y
        }
        #[inline(always)]
        fn abs(self) -> Self {
            Self(unsafe { _mm512_abs_pd(self.0) })
        }
        #[inline(always)]
        fn less(self, other: Self) -> u8 {
            unsafe { _mm512_cmp_pd_mask::<_CMP_LT_OQ>(self.0, other.0) }
        }
        #[inline(always)]
        fn select(mask: u8, yes: Self, no: Self) -> Self {
            Self(unsafe { _mm512_mask_blend_pd(mask, no.0, yes.0) })
        }
        #[inline(always)]
        fn rotate(self, by: usize) -> Self {
            Self(unsafe {
                let bits = _mm512_castpd_si512(self.0);
                _mm512_castsi512_pd(match by % 8 {
                    1 => _mm512_alignr_epi64::<1>(bits, bits),
                    2 => _mm512_alignr_epi64::<2>(bits, bits),
                    3 => _mm512_alignr_epi64::<3>(bits, bits),
                    4 => _mm512_alignr_epi64::<4>(bits, bits),
                    5 => _mm512_alignr_epi64::<5>(bits, bits),
                    6 => _mm512_alignr_epi64::<6>(bits, bits),
                    7 => _mm512_alignr_epi64::<7>(bits, bits),
                    _ => bits,
                })
            })
        }
        #[inline(always)]
        fn transpose(numbers: &mut [Self]) {
            let n: &mut [Self; 8] = &mut numbers.as_chunks_mut().0[0];
            unsafe {
                // Pairs of lanes, then pairs of quarters, then pairs of halves change places.
                for k in [0, 2, 4, 6] {
                    let (a, b) = (n[k].0, n[k + 1].0);
                    n[k].0 = _mm512_unpacklo_pd(a, b);
                    n[k + 1].0 = _mm512_unpackhi_pd(a, b);
                }
                for k in [0, 1, 4, 5] {
                    let (a, b) = (n[k].0, n[k + 2].0);
                    n[k].0 = _mm512_shuffle_f64x2::<0b10_00_10_00>(a, b);
                    n[k + 2].0 = _mm512_shuffle_f64x2::<0b11_01_11_01>(a, b);
                }
                // Registers k and k + 2 now hold lanes k, k + 4 and k + 2, k + 6 of the first four numbers.
                for k in 0..4 {
                    let (a, b) = (n[k].0, n[k + 4].0);
                    n[k].0 = _mm512_shuffle_f64x2::<0b10_00_10_00>(a, b);
                    n[k + 4].0 = _mm512_shuffle_f64x2::<0b11_01_11_01>(a, b);
                }
            }
        }
        #[inline(always)]
        fn list_counts(first: u32, counts: &[u8], out: &mut [u32]) -> usize {
            let mut used = 0;
            let mut last = [0; LISTED];
            let (parts, rest) = counts.as_chunks::<LISTED>();
            last[..rest.len()].copy_from_slice(rest);
            for (part, start) in parts.iter().chain([&last]).zip((first..).step_by(LISTED)) {
                let out = &mut out[used..][..LISTED];
                unsafe {
                    let counts = _mm512_cvtepu8_epi32(_mm_loadu_si128(part.as_ptr().cast()));
                    let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
                    let places = _mm512_add_epi32(_mm512_set1_epi32(start as i32), lanes);
                    let listed = _mm512_or_si512(_mm512_slli_epi32::<8>(places), counts);
                    let mask = _mm512_test_epi32_mask(counts, counts);
                    _mm512_storeu_si512(out.as_mut_ptr().cast(), _mm512_maskz_compress_epi32(mask, listed));
                    used += mask.count_ones() as usize;
                }
            }
            used
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns_and_lists<V: Real>() {
        let number = |l: usize| V::load(&std::array::from_fn::<f64, 8, _>(|k| (10 * l + k) as f64));
        for by in 0..V::LANES {
            let turned = number(0).rotate(by);
            for k in 0..V::LANES {
                assert_eq!(turned.lane(k), ((k + by) % V::LANES) as f64);
            }
        }
        let counts: Vec<u8> = (0..50).map(|k| (k % 3) as u8 * (k % 7) as u8).collect();
        let expected: Vec<u32> =
            (9..).zip(&counts).filter(|(_, c)| **c > 0).map(|(k, &c)| k << 8 | u32::from(c)).collect();
        let mut listed = [7; 50 + LISTED];
        let used = V::list_counts(9, &counts, &mut listed);
        assert_eq!(listed[..used], expected);
        let mut numbers: Vec<V> = (0..V::LANES).map(number).collect();
        V::transpose(&mut numbers);
        for (l, number) in numbers.iter().enumerate() {
            for k in 0..V::LANES {
                assert_eq!(number.lane(k), (10 * k + l) as f64);
            }
        }
    }

    #[test]
    fn lanes_change_places() {
        turns_and_lists::<f64>();
        turns_and_lists::<Pack<4, false>>();
        turns_and_lists::<Pack<8, true>>();
        #[cfg(target_arch = "x86_64")]
        for kernel in super::super::Kernel::available() {
            match kernel {
                super::super::Kernel::Avx2 => turns_and_lists::<Avx2>(),
                super::super::Kernel::Avx512 => turns_and_lists::<Avx512>(),
                _ => {}
            }
        }
    }
}
