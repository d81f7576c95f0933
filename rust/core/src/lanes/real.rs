//! The number type of both engines: one number, or several side by side in a register.
//!
//! Code generic over [`Real`] runs on `f64` (the oracle) and on the packs. Every operation is elementwise, so what a
//! lane holds never depends on its neighbours. All methods are `inline(always)`: a kernel is one function with
//! `#[target_feature]` into which the generic code is inlined.

use std::ops::{Add, Div, Mul, Neg, Sub};

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

    use super::Real;

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
    }
}
