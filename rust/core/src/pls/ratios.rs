//! Means of correlations within and between blocks, for the heterotrait-monotrait ratios (Henseler, Ringle & Sarstedt
//! 2015; with geometric means Roemer, Schuberth & Henseler 2021).

use super::across::Across;
use super::program::{Program, Stage};
use crate::lanes::Real;

/// Absolute correlations (as Henseler, Ringle & Sarstedt 2015 are usually read), or their logarithms, added up.
///
/// The logarithm is taken of products of at most sixteen correlations: none is so small that these underflow.
#[derive(Clone, Copy)]
struct Mean<V> {
    sum: V,
    product: V,
    factors: usize,
}

impl<V: Real> Mean<V> {
    #[inline(always)]
    fn new() -> Self {
        Self { sum: V::zero(), product: V::one(), factors: 0 }
    }

    #[inline(always)]
    fn add(&mut self, value: V, geometric: bool) {
        if geometric {
            self.product = self.product * value.abs();
            self.factors += 1;
            if self.factors == 16 {
                self.close();
            }
        } else {
            self.sum = self.sum + value.abs();
        }
    }

    #[inline(always)]
    fn close(&mut self) {
        if self.factors > 0 {
            self.sum = self.sum + self.product.map(f64::ln);
            self.product = V::one();
            self.factors = 0;
        }
    }

    #[inline(always)]
    fn of(mut self, count: usize) -> V {
        self.close();
        self.sum * V::splat(1.0 / count as f64)
    }
}

/// Mean of the correlations within a block (its logarithm for the geometric one); a single item's counts as one.
#[inline(always)]
pub(super) fn monotrait<V: Real>(stage: &Stage, r: &[V], b: usize, geometric: bool) -> V {
    let (m, block) = (stage.items.len(), &stage.blocks[b]);
    let k = block.len();
    if k == 1 {
        return if geometric { V::zero() } else { V::one() };
    }
    let mut mean = Mean::new();
    for i in block.start..block.end {
        for value in &r[i * m + i + 1..i * m + block.end] {
            mean.add(*value, geometric);
        }
    }
    mean.of(k * (k - 1) / 2)
}

/// Mean of the correlations between the items of two nodes of different stages.
pub(super) fn distant<V: Real>(program: &Program, across: &Across<V>, a: usize, b: usize, geometric: bool) -> V {
    let ids = |node: usize| {
        let (s, block) = program.place[node];
        let block = &program.stages[s].blocks[block];
        &program.stages[s].ids[block.start..block.end]
    };
    let mut mean = Mean::new();
    for &i in ids(a) {
        for &q in ids(b) {
            mean.add(across.between(i, q), geometric);
        }
    }
    mean.of(ids(a).len() * ids(b).len())
}

/// Mean of the correlations between two blocks.
#[inline(always)]
pub(super) fn heterotrait<V: Real>(stage: &Stage, r: &[V], a: usize, b: usize, geometric: bool) -> V {
    let (m, a, b) = (stage.items.len(), &stage.blocks[a], &stage.blocks[b]);
    let mut mean = Mean::new();
    for i in a.start..a.end {
        for value in &r[i * m + b.start..i * m + b.end] {
            mean.add(*value, geometric);
        }
    }
    mean.of(a.len() * b.len())
}
