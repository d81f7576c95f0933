//! Sums of products of a batch of replicates, by the cheapest exact way that the plan and the data allow.

use super::kernels::Lanes;
use crate::lanes::{Aligned, Kernel};
use crate::moments::{Gather, MOST, MOST_ROWS, RowProducts, RowWeights, SIDE, Table, place};
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
    /// Permutations of two groups: the rows of the smaller one gathered, the other one's sums taken from the whole's.
    Halves {
        /// Which group is the smaller one.
        smaller: usize,
        /// Sums over the rows of both.
        total: Vec<f64>,
    },
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
    /// Sums of the smaller groups.
    half: Aligned,
    scratch: Scratch,
    /// Sums of products: pair after pair, a batch of replicates side by side.
    pub(super) sums: Aligned,
    /// Row weights of each replicate, where they are needed.
    pub(super) weights: Vec<f64>,
}

impl<'a> Source<'a> {
    pub(super) fn new<V: Lanes>(
        table: &'a Table,
        plan: &'a Plan,
        own: &'a [f64],
        kernel: Kernel,
        needs_weights: bool,
    ) -> Self {
        let ones = own.iter().zip(&table.usable).all(|(&w, &usable)| w == 1.0 || (!usable && w == 0.0));
        let way = match plan {
            Plan::Jackknife => Way::Jackknife(sums_of::<V>(table, 1, |_, row| own[row]).concat()),
            Plan::Folds { folds, count } => {
                let of_folds = sums_of::<V>(table, *count, |fold, row| if folds[row] == fold { own[row] } else { 0.0 });
                let total = sums_of::<V>(table, 1, |_, row| own[row]).concat();
                Way::Folds(of_folds.iter().map(|own| total.iter().zip(own).map(|(t, s)| t - s).collect()).collect())
            }
            plan if plan.counts() && ones => {
                let (size, most) = plan.bounds(table.n);
                let fits = most <= usize::from(MOST) && RowProducts::pays(kernel);
                match (if fits { RowProducts::new(table, size) } else { None }, plan) {
                    (Some(products), _) => Way::Integer(products),
                    (None, Plan::Permutation { sizes, rows, .. }) if sizes.len() == 2 && table.n < MOST_ROWS => {
                        let mut part = vec![0.0; table.n];
                        for &row in rows {
                            part[row as usize] = 1.0;
                        }
                        let total = sums_of::<V>(table, 1, |_, row| part[row]).concat();
                        Way::Halves { smaller: usize::from(sizes[1] < sizes[0]), total }
                    }
                    (None, _) if u8::try_from(most).is_ok() && table.n < MOST_ROWS => Way::Counts,
                    (None, _) => Way::Weights,
                }
            }
            _ => Way::Weights,
        };
        let ones = own.iter().all(|w| *w == 1.0);
        Self { table, plan, own, kernel, way, needs_weights, ones }
    }

    /// Replicates of a batch.
    pub(super) fn side<V: Lanes>(&self) -> usize {
        match self.way {
            Way::Integer(_) => SIDE,
            Way::Halves { .. } => 2 * V::LANES,
            _ => V::LANES,
        }
    }

    pub(super) fn batch<V: Lanes>(&self) -> Batch {
        let (side, n) = (self.side::<V>(), self.table.n);
        // One place more than there are pairs: see `gather`.
        let places = self.table.products() + 1;
        let counted = matches!(self.way, Way::Integer(_) | Way::Counts | Way::Halves { .. });
        Batch {
            counts: match &self.way {
                Way::Integer(products) => vec![0; products.counts()],
                Way::Counts | Way::Halves { .. } => vec![0; V::LANES * n],
                _ => Vec::new(),
            },
            half: Aligned::new(if matches!(self.way, Way::Halves { .. }) { places * V::LANES } else { 0 }),
            sums: Aligned::new(places * side),
            weights: vec![0.0; if counted && !self.needs_weights { 0 } else { side * n }],
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
        let Batch { counts, gather, half, scratch, sums, weights } = batch;
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
        if let Way::Halves { smaller, total } = &self.way {
            for (pair, counts) in counts.chunks_mut(n).enumerate() {
                let replicate = first + (2 * pair).min(count - 2) + smaller;
                self.plan.draw(self.kernel, replicate, scratch, |row| counts[row] += 1);
            }
            V::gather(self.table, RowWeights::Counts(counts), gather, half);
            for ((sums, half), total) in sums.chunks_mut(side).zip(half.chunks(V::LANES)).zip(total) {
                for (pair, &half) in sums.chunks_mut(2).zip(half) {
                    pair[*smaller] = half;
                    pair[1 - smaller] = total - half;
                }
            }
        }
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
            if matches!(self.way, Way::Halves { .. }) && !self.needs_weights {
                break;
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
                Way::Halves { .. } => {}
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

/// Sums of products under several sets of row weights, one after the other.
fn sums_of<V: Lanes>(table: &Table, count: usize, weight: impl Fn(usize, usize) -> f64) -> Vec<Vec<f64>> {
    let (n, lanes) = (table.n, V::LANES);
    let mut gather = Gather::default();
    let mut weights = vec![0.0; n * lanes];
    let mut sums = Aligned::new((table.products() + 1) * lanes);
    let mut out = Vec::with_capacity(count);
    for first in (0..count).step_by(lanes) {
        weights.fill(0.0);
        for (lane, weights) in weights.chunks_mut(n).enumerate().take(count - first) {
            for (row, place) in weights.iter_mut().enumerate() {
                *place = weight(first + lane, row);
            }
        }
        V::gather(table, RowWeights::Weights(&weights), &mut gather, &mut sums);
        for lane in 0..lanes.min(count - first) {
            out.push(sums.chunks(lanes).take(table.products()).map(|pair| pair[lane]).collect());
        }
    }
    out
}
