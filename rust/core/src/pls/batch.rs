//! Sums of products of a batch of replicates, by the cheapest exact way that the plan and the data allow.

use super::kernels::Lanes;
use crate::lanes::{Aligned, Kernel};
use crate::moments::{Gather, MOST, MOST_ROWS, RowProducts, RowWeights, SIDE, Table, place, plain_sums};
use crate::resample::{Plan, Scratch};

/// How the moments of a plan's replicates are made.
#[derive(Debug)]
enum Way {
    /// Whole numbers and counts: a matrix product of counts and row products.
    Integer(RowProducts),
    /// One row taken from the whole sample's sums.
    Jackknife(Vec<f64>),
    /// One fold's sums taken from the whole sample's.
    Folds(Vec<Vec<f64>>),
    /// The rows that are counted, gathered.
    Counts,
    /// The rows that have a weight, gathered.
    Weights,
}

/// What makes the moments of one call.
#[derive(Debug)]
pub(super) struct Source<'a> {
    table: &'a Table,
    plan: &'a Plan,
    own: &'a [f64],
    kernel: Kernel,
    way: Way,
    needs_weights: bool,
    ones: bool,
}

/// What one worker reuses from batch to batch.
#[derive(Debug, Default)]
pub(super) struct Batch {
    counts: Vec<u8>,
    gather: Gather,
    scratch: Scratch,
    /// Sums of products: pair after pair, a batch of replicates side by side.
    pub(super) sums: Aligned,
    /// Row weights of each replicate, where they are needed.
    pub(super) weights: Vec<f64>,
}

impl<'a> Source<'a> {
    pub(super) fn new(table: &'a Table, plan: &'a Plan, own: &'a [f64], kernel: Kernel, needs_weights: bool) -> Self {
        let ones = own.iter().zip(&table.usable).all(|(&w, &usable)| w == 1.0 || (!usable && w == 0.0));
        let way = match plan {
            Plan::Jackknife => {
                let mut total = vec![0.0; table.products()];
                plain_sums(table, own, &mut total);
                Way::Jackknife(total)
            }
            Plan::Folds { folds, count } => {
                let without = |out: Option<usize>| {
                    let keep = |row: usize| out.is_none_or(|fold| folds[row] == fold);
                    let weights: Vec<f64> =
                        own.iter().enumerate().map(|(row, &w)| if keep(row) { w } else { 0.0 }).collect();
                    let mut sums = vec![0.0; table.products()];
                    plain_sums(table, &weights, &mut sums);
                    sums
                };
                let total = without(None);
                let rest = |fold: usize| total.iter().zip(without(Some(fold))).map(|(t, s)| t - s).collect();
                Way::Folds((0..*count).map(rest).collect())
            }
            plan if plan.counts() && ones => {
                let (size, most) = plan.bounds(table.n);
                let fits = most <= usize::from(MOST) && RowProducts::pays(kernel);
                match if fits { RowProducts::new(table, size) } else { None } {
                    Some(products) => Way::Integer(products),
                    None if most <= usize::from(u8::MAX) && table.n < MOST_ROWS => Way::Counts,
                    None => Way::Weights,
                }
            }
            _ => Way::Weights,
        };
        let ones = own.iter().all(|w| *w == 1.0);
        Self { table, plan, own, kernel, way, needs_weights, ones }
    }

    /// Replicates of a batch.
    pub(super) fn side<V: Lanes>(&self) -> usize {
        if matches!(self.way, Way::Integer(_)) { SIDE } else { V::LANES }
    }

    pub(super) fn batch<V: Lanes>(&self) -> Batch {
        let side = self.side::<V>();
        Batch {
            counts: match &self.way {
                Way::Integer(products) => vec![0; products.counts()],
                Way::Counts => vec![0; side * self.table.n],
                _ => Vec::new(),
            },
            // One place more than there are pairs: see `spread`.
            sums: Aligned::new((self.table.products() + 1) * side),
            weights: vec![
                0.0;
                if matches!(self.way, Way::Integer(_) | Way::Counts) && !self.needs_weights {
                    0
                } else {
                    side * self.table.n
                }
            ],
            ..Batch::default()
        }
    }

    fn weights(&self, replicate: usize, scratch: &mut Scratch, out: &mut [f64]) {
        self.plan.weights(self.kernel, replicate, scratch, out);
        if !self.ones {
            for (w, own) in out.iter_mut().zip(self.own) {
                *w *= own;
            }
        }
    }

    /// Fills a batch with the replicates from `first` on; places beyond `count` repeat the last one.
    pub(super) fn fill<V: Lanes>(&self, batch: &mut Batch, first: usize, count: usize) {
        let side = self.side::<V>();
        let (n, e) = (self.table.n, self.table.extended);
        let Batch { counts, gather, scratch, sums, weights } = batch;
        if let Way::Integer(products) = &self.way {
            counts.fill(0);
            for lane in 0..count {
                self.plan.draw(self.kernel, first + lane, scratch, |row| counts[RowProducts::slot(row, lane)] += 1);
            }
            products.sums(self.kernel, counts, &mut sums[..self.table.products() * side]);
            if self.needs_weights {
                for (lane, weights) in weights.chunks_mut(n).enumerate() {
                    for (row, weight) in weights.iter_mut().enumerate() {
                        *weight = f64::from(counts[RowProducts::slot(row, lane)]);
                    }
                }
            }
            return;
        }
        counts.fill(0);
        for lane in 0..side {
            let replicate = first + lane.min(count - 1);
            if matches!(self.way, Way::Counts) {
                let counts = &mut counts[lane * n..(lane + 1) * n];
                self.plan.draw(self.kernel, replicate, scratch, |row| counts[row] += 1);
                if !self.ones {
                    // Given indices may name rows that do not take part.
                    for (count, own) in counts.iter_mut().zip(self.own) {
                        *count *= u8::from(*own != 0.0);
                    }
                }
                if self.needs_weights {
                    for (weight, &count) in weights[lane * n..].iter_mut().zip(&*counts) {
                        *weight = f64::from(count);
                    }
                }
                continue;
            }
            let weights = &mut weights[lane * n..(lane + 1) * n];
            match &self.way {
                Way::Jackknife(total) => {
                    let x = self.table.row(replicate);
                    let weight = self.own[replicate];
                    for i in 0..e {
                        let left = weight * x[i];
                        for j in i..e {
                            let q = place(e, i, j);
                            sums[q * side + lane] = total[q] - left * x[j];
                        }
                    }
                }
                Way::Folds(rest) => {
                    for (q, value) in rest[replicate].iter().enumerate() {
                        sums[q * side + lane] = *value;
                    }
                }
                _ => {
                    self.weights(replicate, scratch, weights);
                    continue;
                }
            }
            if self.needs_weights {
                self.weights(replicate, scratch, weights);
            }
        }
        match self.way {
            Way::Counts => V::gather(self.table, RowWeights::Counts(counts), gather, sums),
            Way::Weights => V::gather(self.table, RowWeights::Weights(weights), gather, sums),
            _ => {}
        }
    }
}
