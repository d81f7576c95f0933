//! Loops over whole areas of memory, compiled for each instruction set.

use crate::lanes::Kernel;

/// The exponent of a number; one more in that of what is not finite reaches the sign bit.
const EXPONENT: u64 = 0x7ff << 52;

/// The loops of a kernel. Slices of one call have the same length.
#[derive(Clone, Copy)]
pub(super) struct Loops {
    /// `z ← y + c·k`
    pub(super) point: unsafe fn(&mut [f64], &[f64], &[f64], f64),
    /// `sum ← sum + 2·k` and `z ← y + c·k`
    pub(super) middle: unsafe fn(&mut [f64], &mut [f64], &[f64], &[f64], f64),
    /// `y ← y + c·(sum + k)`
    pub(super) finish: unsafe fn(&mut [f64], &[f64], &[f64], f64),
    /// Whether any number is not finite.
    pub(super) odd: unsafe fn(&[f64]) -> bool,
}

#[inline(always)]
fn point_body(z: &mut [f64], y: &[f64], k: &[f64], c: f64) {
    for ((z, &y), &k) in z.iter_mut().zip(y).zip(k) {
        *z = y + c * k;
    }
}

#[inline(always)]
fn middle_body(z: &mut [f64], sum: &mut [f64], y: &[f64], k: &[f64], c: f64) {
    for (((z, sum), &y), &k) in z.iter_mut().zip(sum).zip(y).zip(k) {
        *sum += 2.0 * k;
        *z = y + c * k;
    }
}

#[inline(always)]
fn finish_body(y: &mut [f64], sum: &[f64], k: &[f64], c: f64) {
    for ((y, &sum), &k) in y.iter_mut().zip(sum).zip(k) {
        *y += c * (sum + k);
    }
}

#[inline(always)]
fn odd_body(values: &[f64]) -> bool {
    let mut odd = 0;
    for value in values {
        odd |= (value.to_bits() & EXPONENT) + (1 << 52);
    }
    odd >> 63 == 1
}

macro_rules! target {
    ($module:ident $(, $feature:meta)?) => {
        mod $module {
            use super::{Loops, finish_body, middle_body, odd_body, point_body};

            $(#[$feature])?
            unsafe fn point(z: &mut [f64], y: &[f64], k: &[f64], c: f64) {
                point_body(z, y, k, c);
            }
            $(#[$feature])?
            unsafe fn middle(z: &mut [f64], sum: &mut [f64], y: &[f64], k: &[f64], c: f64) {
                middle_body(z, sum, y, k, c);
            }
            $(#[$feature])?
            unsafe fn finish(y: &mut [f64], sum: &[f64], k: &[f64], c: f64) {
                finish_body(y, sum, k, c);
            }
            $(#[$feature])?
            unsafe fn odd(values: &[f64]) -> bool {
                odd_body(values)
            }
            pub(super) const LOOPS: Loops = Loops { point, middle, finish, odd };
        }
    };
}

target!(portable);
#[cfg(target_arch = "x86_64")]
target!(avx2, target_feature(enable = "avx2,fma"));
#[cfg(target_arch = "x86_64")]
target!(avx512, target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma"));

impl Loops {
    /// The loops for an instruction set. They may be called where the processor runs it.
    pub(super) fn of(kernel: Kernel) -> Self {
        match kernel {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => avx512::LOOPS,
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => avx2::LOOPS,
            _ => portable::LOOPS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_gives_the_bits_of_the_formulas_and_sees_what_is_not_finite() {
        for kernel in Kernel::available() {
            let loops = Loops::of(kernel);
            for n in [0usize, 1, 3, 16, 37, 256] {
                let y: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).sin() * 1e3).collect();
                let k: Vec<f64> = (0..n).map(|i| (i as f64 * 1.3).cos() / 3.0).collect();
                let start: Vec<f64> = (0..n).map(|i| i as f64 / 7.0).collect();
                let (c, mut z, mut sum, mut end) = (0.1, vec![0.0; n], start.clone(), y.clone());
                // SAFETY: the kernel is available.
                unsafe {
                    (loops.point)(&mut z, &y, &k, c);
                    assert!((0..n).all(|i| z[i].to_bits() == (y[i] + c * k[i]).to_bits()), "{kernel} {n}");
                    z.fill(0.0);
                    (loops.middle)(&mut z, &mut sum, &y, &k, c);
                    assert!((0..n).all(|i| z[i].to_bits() == (y[i] + c * k[i]).to_bits()), "{kernel} {n}");
                    assert!((0..n).all(|i| sum[i].to_bits() == (start[i] + 2.0 * k[i]).to_bits()), "{kernel} {n}");
                    (loops.finish)(&mut end, &sum, &k, c);
                    assert!((0..n).all(|i| end[i].to_bits() == (y[i] + c * (sum[i] + k[i])).to_bits()), "{kernel} {n}");
                    assert!(!(loops.odd)(&[&y[..], &[f64::MAX, -0.0, 5e-324]].concat()));
                    for bad in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                        for at in (0..n).step_by(5) {
                            let mut values = y.clone();
                            values[at] = bad;
                            assert!((loops.odd)(&values), "{kernel} {n} {at} {bad}");
                        }
                    }
                }
            }
        }
    }
}
