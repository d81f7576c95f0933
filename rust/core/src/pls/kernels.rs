//! The engine's inner functions, compiled once for each instruction set.

use super::block::{Context, Worker, solve_to};
use crate::lanes::{Kernel, Pack, Real};
use crate::moments::{Gather, RowWeights, Table, gather};

/// A pack type with the functions that work on it, compiled for its instruction set.
pub(super) trait Lanes: Real {
    /// Estimates a pack of samples and writes their flat vectors to `rows`.
    fn solve(x: Context<'_>, s: &[f64], step: usize, weights: &[&[f64]], worker: &mut Worker<Self>, rows: &mut [f64]);
    /// Sums of products of the replicates of a pack: see [`gather`].
    fn gather(table: &Table, weights: RowWeights<'_>, scratch: &mut Gather, out: &mut [f64]);
    /// Does nothing but `count` multiply-adds.
    fn multiply_adds(count: u64) -> f64;
}

/// Implements [`Lanes`] for a type of so many lanes whose processor has room for tiles of so many registers of columns
/// and for so many independent chains of multiply-adds, under the features that the type's instructions need.
macro_rules! lanes {
    ($type:ty, $lanes:literal lanes, $columns:literal columns, $chains:literal chains $(, $features:literal)?) => {
        #[allow(unused_unsafe)] // a type without features needs none
        #[allow(unsafe_code)]
        impl Lanes for $type {
            fn solve(
                x: Context<'_>,
                s: &[f64],
                step: usize,
                weights: &[&[f64]],
                worker: &mut Worker<Self>,
                rows: &mut [f64],
            ) {
                $(#[target_feature(enable = $features)])?
                fn inner(
                    x: Context<'_>,
                    s: &[f64],
                    step: usize,
                    weights: &[&[f64]],
                    worker: &mut Worker<$type>,
                    rows: &mut [f64],
                ) {
                    solve_to(x, s, step, weights, worker, rows);
                }
                // SAFETY: this type is chosen only by `replicate` and `multiply_adds`, from a kernel that
                // `Kernel::available` found.
                unsafe { inner(x, s, step, weights, worker, rows) }
            }

            fn gather(table: &Table, weights: RowWeights<'_>, scratch: &mut Gather, out: &mut [f64]) {
                $(#[target_feature(enable = $features)])?
                fn inner(table: &Table, weights: RowWeights<'_>, scratch: &mut Gather, out: &mut [f64]) {
                    gather::<$type, $lanes, $columns>(table, weights, scratch, out);
                }
                // SAFETY: as above.
                unsafe { inner(table, weights, scratch, out) }
            }

            fn multiply_adds(count: u64) -> f64 {
                $(#[target_feature(enable = $features)])?
                fn inner(count: u64) -> f64 {
                    chains::<$type, $chains>(count)
                }
                // SAFETY: as above.
                unsafe { inner(count) }
            }
        }
    };
}

// Sixteen registers of two numbers on x86-64, thirty-two on AArch64.
lanes!(Pack<4, false>, 4 lanes, 1 columns, 7 chains);
#[cfg(not(target_arch = "x86_64"))]
lanes!(Pack<4, true>, 4 lanes, 2 columns, 12 chains);
#[cfg(target_arch = "x86_64")]
lanes!(crate::lanes::Avx2, 4 lanes, 3 columns, 12 chains, "avx2,fma");
#[cfg(target_arch = "x86_64")]
lanes!(crate::lanes::Avx512, 8 lanes, 3 columns, 12 chains, "avx512f,avx512dq,avx512vl,fma");

/// Does nothing but `count` multiply-adds in registers and returns what they came to: the physical limit of a kernel.
pub fn multiply_adds(kernel: Kernel, count: u64) -> f64 {
    match kernel {
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx2 => crate::lanes::Avx2::multiply_adds(count),
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx512 => crate::lanes::Avx512::multiply_adds(count),
        #[cfg(not(target_arch = "x86_64"))]
        Kernel::Neon => Pack::<4, true>::multiply_adds(count),
        _ => Pack::<4, false>::multiply_adds(count),
    }
}

/// Independent chains, enough to hide the latency of two multiply-adds a cycle. Each product has the sum as a factor:
/// a constant product would be taken out of the loop.
#[inline(always)]
fn chains<V: Real, const CHAINS: usize>(count: u64) -> f64 {
    let mut sums = [V::zero(); CHAINS];
    let x = V::splat(std::hint::black_box(0.999));
    let y = V::splat(std::hint::black_box(2e-3));
    for _ in 0..count.div_ceil((CHAINS * V::LANES) as u64) {
        for sum in &mut sums {
            *sum = sum.mul_add(x, y);
        }
    }
    sums.iter().fold(V::zero(), |a, b| a + *b).lane(0)
}
