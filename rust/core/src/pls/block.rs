//! One pack of samples through all stages: the lane-generic heart of the engine.

use super::across::Sample;
use super::error::Status;
use super::estimate::{Outcome, Scratch, finish, iterate, orient};
use super::layout::{Layout, Statistic};
use super::product::{Factors, ProductSums};
use super::program::{FactorOf, Item, Program, Stage};
use super::statistics::{Needs, Solution, structure, write};
use crate::lanes::Real;
use crate::linalg::Factor;
use crate::moments::{Standard, Table, standardise};

/// Signs of the original sample that replicates take.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Signs {
    /// Replicates keep their own.
    Own,
    /// Numbers of the flat vector that carry a sign, by place: the original value.
    Each(Vec<f64>),
    /// Constructs are reversed towards these loadings, by stage and item.
    Construct(Vec<Vec<f64>>),
}

/// What one worker reuses from pack to pack.
#[derive(Clone, Debug)]
pub(super) struct Worker<V> {
    /// Moments of the columns.
    pub(super) standard: Standard<V>,
    /// The estimates.
    pub(super) solution: Solution<V>,
    /// How they ended.
    pub(super) outcome: Outcome,
    /// The flat vectors.
    pub(super) out: Vec<V>,
    /// Scores of all nodes as sums of standardised columns, nodes × columns.
    pub(super) combinations: Vec<V>,
    /// Covariances of products with standardised columns, products × columns.
    pub(super) product_columns: Vec<V>,
    /// Covariances of products.
    pub(super) product_products: Vec<V>,
    /// Standard deviations of products.
    pub(super) product_sd: Vec<V>,
    scratch: Scratch<V>,
    projected: Vec<V>,
    factors: Vec<Factors>,
    sums: ProductSums,
    residual: Factor<V>,
    betas: Vec<V>,
}

impl<V: Real> Worker<V> {
    /// Room for a model, its data and a layout.
    pub(super) fn new(program: &Program, table: &Table, width: usize) -> Self {
        let (u, k) = (table.columns, program.products.len());
        let several = program.stages.len() > 1 || k > 0;
        Self {
            standard: Standard::new(u),
            solution: Solution::new(program),
            outcome: Outcome::new(program.stages.len()),
            out: vec![V::zero(); width],
            combinations: vec![V::zero(); if several { program.nodes.len() * u } else { 0 }],
            product_columns: vec![V::zero(); k * u],
            product_products: vec![V::zero(); k * k],
            product_sd: vec![V::one(); k],
            scratch: Scratch::new(&program.stages),
            projected: vec![V::zero(); if several { program.nodes.len() * u } else { 0 }],
            factors: program
                .stages
                .iter()
                .map(|stage| {
                    let list: Vec<_> = stage.products.iter().map(|&p| &program.products[p]).collect();
                    Factors::new(&list, table.extended)
                })
                .collect(),
            sums: ProductSums::default(),
            residual: Factor::new(),
            betas: vec![V::zero(); k * u],
        }
    }

    /// Factors and sums of the products of a stage, as the last sample left them.
    pub(super) fn products(&self, stage: usize) -> (&Factors, &[f64]) {
        (&self.factors[stage], &self.sums.sum)
    }

    /// Regression coefficient of a product on the `i`-th column that it is freed from.
    pub(super) fn beta(&self, product: usize, i: usize) -> V {
        self.betas[product * self.standard.mean.len() + i]
    }

    /// Lanes whose estimation has failed without numbers.
    fn dead(&self) -> u8 {
        let mut mask = 0;
        for lane in 0..V::LANES {
            mask |= u8::from(!self.outcome.status[lane].keeps_values()) << lane;
        }
        mask
    }
}

/// Everything that stays the same for all packs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    /// The model.
    pub(super) program: &'a Program,
    /// The data.
    pub(super) table: &'a Table,
    /// The flat vector.
    pub(super) layout: &'a Layout,
    /// What it needs.
    pub(super) needs: Needs,
    /// Signs to take.
    pub(super) signs: &'a Signs,
}

/// Estimates the samples whose sums of products stand in `s` (`step` numbers from pair to pair, lanes side by side),
/// and leaves their flat vectors in the worker. `weights` are the row weights, for models with products.
#[inline(always)]
pub(super) fn solve<V: Real>(x: Context<'_>, s: &[f64], step: usize, weights: &[&[f64]], worker: &mut Worker<V>) {
    let Context { program, table, layout, needs, signs } = x;
    let spec = &program.spec;
    worker.outcome.reset();
    standardise(table, s, step, &mut worker.standard);
    worker.solution.n_obs = worker.standard.n_obs;
    worker.outcome.note(V::ALL & !V::one().less(worker.standard.n_obs), Status::TooFewRows, -1);
    for (k, &flat) in worker.standard.flat.iter().enumerate() {
        worker.outcome.note(flat, Status::ZeroVariance, program.base[k] as i32);
    }
    let last = program.stages.len() - 1;
    for (number, stage) in program.stages.iter().enumerate() {
        if !stage.products.is_empty() {
            product_moments(program, table, number, weights, worker);
        }
        if !stage.direct {
            item_correlations(program, number, worker);
        }
        let dead = worker.dead();
        let estimate = &mut worker.solution.stages[number];
        let r = if stage.direct { &worker.standard.r } else { &estimate.r };
        let covariances = spec.raw.then(|| in_own_units(stage, r, &worker.standard.sd));
        iterate(
            stage,
            spec.scheme,
            spec.max_iter,
            spec.tol,
            number,
            dead,
            covariances.as_ref().map_or(r, |(values, _)| values),
            &mut estimate.w,
            &mut estimate.rw,
            &mut estimate.c,
            &mut worker.scratch,
            &mut worker.outcome,
        );
        if let Some((_, units)) = &covariances {
            for (w, unit) in estimate.w.iter_mut().zip(units) {
                *w = *w * *unit;
            }
        }
        orient(stage, r, &mut estimate.w);
        if let Signs::Construct(loadings) = signs {
            // Reversed when the loadings lie nearer to the reversed original ones (Tenenhaus et al. 2005, §5.2).
            let m = stage.items.len();
            for block in &stage.blocks {
                let (mut minus, mut plus) = (V::zero(), V::zero());
                for i in block.start..block.end {
                    let mut loading = V::zero();
                    for q in block.start..block.end {
                        loading = r[i * m + q].mul_add(estimate.w[q], loading);
                    }
                    minus = minus + (V::splat(loadings[number][i]) - loading);
                    plus = plus + (V::splat(loadings[number][i]) + loading);
                }
                let turn = plus.abs().less(minus.abs());
                for value in &mut estimate.w[block.start..block.end] {
                    *value = V::select(turn, -*value, *value);
                }
            }
        }
        finish(stage, r, &estimate.w, &mut estimate.rw, &mut estimate.c, needs.all, needs.pairs);
        if number < last {
            combine(program, number, worker);
        }
    }
    let stage = program.last();
    for (b, block) in stage.blocks.iter().enumerate() {
        if block.product {
            // Henseler & Chin (2010): an interaction's score has the spread that its products have.
            let estimate = &worker.solution.stages[last];
            let (mut spread, mut sum) = (V::zero(), V::zero());
            for i in block.start..block.end {
                if let Item::Product(p) = stage.items[i] {
                    let loading = estimate.rw[b * stage.items.len() + i].abs();
                    spread = worker.product_sd[p].mul_add(loading, spread);
                    sum = sum + loading;
                }
            }
            worker.solution.scale[b] = spread / sum;
        }
    }
    if needs.across && program.has_levels() {
        let Worker { standard, solution, product_columns, product_products, product_sd, .. } = &mut *worker;
        let Solution { across, stages, .. } = solution;
        let sample = Sample { r: &standard.r, product_columns, product_products, product_sd };
        across.fill(program, sample, |s| &stages[s].w);
    }
    structure(program, needs, &worker.standard.r, &mut worker.solution, &mut worker.outcome);
    write(program, layout, &worker.standard.r, &mut worker.solution, &mut worker.outcome, &mut worker.out);
    if needs.moments {
        for entry in layout.entries.iter().filter(|e| matches!(e.statistic, Statistic::Means | Statistic::Sds)) {
            for (k, place) in worker.out[entry.start..entry.start + entry.labels.len()].iter_mut().enumerate() {
                *place = if entry.statistic == Statistic::Sds {
                    worker.standard.sd[k]
                } else {
                    worker.standard.mean[k] + V::splat(table.shift[k])
                };
            }
        }
    }
    if let Signs::Each(original) = signs {
        for (value, &sign) in worker.out.iter_mut().zip(original) {
            if sign > 0.0 {
                *value = value.abs();
            } else if sign < 0.0 {
                *value = -value.abs();
            }
        }
    }
}

/// Covariances of a stage's items in the columns' own units, and what a weight has to be multiplied by to belong to
/// standardised ones again. Each block's units are relative to its mean variance, which leaves its scores as they are.
fn in_own_units<V: Real>(stage: &Stage, r: &[V], sd: &[V]) -> (Vec<V>, Vec<V>) {
    let m = stage.items.len();
    let mut units = vec![V::one(); m];
    for block in &stage.blocks {
        let mut sum = V::zero();
        for i in block.start..block.end {
            if let Item::Column(k) = stage.items[i] {
                units[i] = sd[k];
            }
            sum = units[i].mul_add(units[i], sum);
        }
        let scale = (sum * V::splat(1.0 / block.len() as f64)).rsqrt();
        for unit in &mut units[block.start..block.end] {
            *unit = *unit * scale;
        }
    }
    let values = (0..m * m).map(|at| r[at] * units[at / m] * units[at % m]).collect();
    (values, units)
}

/// Like [`solve`], and writes the flat vectors of the first lanes to `rows`, one after the other.
#[inline(always)]
pub(super) fn solve_to<V: Real>(
    x: Context<'_>,
    s: &[f64],
    step: usize,
    weights: &[&[f64]],
    worker: &mut Worker<V>,
    rows: &mut [f64],
) {
    solve(x, s, step, weights, worker);
    let width = worker.out.len();
    let used = rows.len() / width.max(1);
    for (part, values) in worker.out.chunks(V::LANES).enumerate() {
        let mut block = [V::zero(); 8];
        block[..values.len()].copy_from_slice(values);
        V::transpose(&mut block);
        let mut lanes = [0.0; 8];
        for (lane, value) in block[..used.min(V::LANES)].iter().enumerate() {
            let row = &mut rows[lane * width + part * V::LANES..][..values.len()];
            if values.len() == V::LANES {
                value.store(row);
            } else {
                value.store(&mut lanes);
                row.copy_from_slice(&lanes[..values.len()]);
            }
        }
    }
}

/// Scores of a stage's nodes as sums of standardised columns, for the stages after it.
#[inline(always)]
fn combine<V: Real>(program: &Program, number: usize, worker: &mut Worker<V>) {
    let u = program.base.len();
    let stage = &program.stages[number];
    for block in &stage.blocks {
        let mut row = std::mem::take(&mut worker.projected);
        row[..u].fill(V::zero());
        for i in block.start..block.end {
            let w = worker.solution.stages[number].w[i];
            match stage.items[i] {
                Item::Column(k) => row[k] = row[k] + w,
                Item::Score(node) => {
                    for k in 0..u {
                        row[k] = w.mul_add(worker.combinations[node * u + k], row[k]);
                    }
                }
                Item::Product(_) => {}
            }
        }
        worker.combinations[block.node * u..(block.node + 1) * u].copy_from_slice(&row[..u]);
        worker.projected = row;
    }
}

/// One pass over the rows of each lane's sample for the products of a stage.
#[inline(always)]
fn product_moments<V: Real>(
    program: &Program,
    table: &Table,
    number: usize,
    weights: &[&[f64]],
    worker: &mut Worker<V>,
) {
    let stage = &program.stages[number];
    let (u, e, total) = (table.columns, table.extended, program.products.len());
    let local = stage.products.len();
    for lane in 0..V::LANES {
        let mean: Vec<f64> = worker.standard.mean.iter().map(|v| v.lane(lane)).collect();
        let sd: Vec<f64> = worker.standard.sd.iter().map(|v| v.lane(lane)).collect();
        let n = worker.standard.n_obs.lane(lane);
        let factors = &mut worker.factors[number];
        for f in 0..factors.list.len() {
            match factors.list[f] {
                FactorOf::Column(k) => factors.set(table, f, &mean, &sd, |i| f64::from(u8::from(i == k))),
                FactorOf::Score(node) => {
                    let row = &worker.combinations[node * u..(node + 1) * u];
                    factors.set(table, f, &mean, &sd, |i| row[i].lane(lane));
                }
            }
        }
        worker.sums.add_up(table, factors, weights[lane]);
        for (a, &p) in stage.products.iter().enumerate() {
            for i in 0..u {
                let own = table.observed[i].unwrap_or(0);
                let sum = worker.sums.with_columns[a * e + 1 + i] - mean[i] * worker.sums.with_columns[a * e + own];
                let place = &mut worker.product_columns[p * u + i];
                *place = place.with_lane(lane, sum / (sd[i] * (n - 1.0)));
            }
            for (b, &q) in stage.products.iter().enumerate() {
                let sum = worker.sums.with_products[a * local + b] - worker.sums.sum[a] * worker.sums.sum[b] / n;
                let place = &mut worker.product_products[p * total + q];
                *place = place.with_lane(lane, sum / (n - 1.0));
            }
        }
    }
    let r = &worker.standard.r;
    for &p in &stage.products {
        let on = &program.products[p].residual_on;
        if !on.is_empty() {
            let singular = worker.residual.factor(on.len(), |i, q| r[on[i] * u + on[q]]);
            worker.outcome.note(singular, Status::SingularPredictors, -1);
            let beta = &mut worker.betas[p * u..p * u + on.len()];
            for (place, &k) in beta.iter_mut().zip(on) {
                *place = worker.product_columns[p * u + k];
            }
            worker.residual.solve(beta);
        }
    }
    // Covariances of residuals: first products with products, from the raw covariances with columns.
    for &p in &stage.products {
        for &q in &stage.products {
            let (on_p, on_q) = (&program.products[p].residual_on, &program.products[q].residual_on);
            let mut value = worker.product_products[p * total + q];
            for (i, &k) in on_p.iter().enumerate() {
                let beta = worker.betas[p * u + i];
                value = value - beta * worker.product_columns[q * u + k];
                for (h, &l) in on_q.iter().enumerate() {
                    value = value + beta * worker.betas[q * u + h] * r[k * u + l];
                }
            }
            for (h, &l) in on_q.iter().enumerate() {
                value = value - worker.betas[q * u + h] * worker.product_columns[p * u + l];
            }
            worker.product_products[p * total + q] = value;
        }
    }
    for &p in &stage.products {
        let on = &program.products[p].residual_on;
        worker.projected[..u].copy_from_slice(&worker.product_columns[p * u..(p + 1) * u]);
        for (i, &k) in on.iter().enumerate() {
            let beta = worker.betas[p * u + i];
            for c in 0..u {
                worker.projected[c] = worker.projected[c] - beta * r[k * u + c];
            }
        }
        worker.product_columns[p * u..(p + 1) * u].copy_from_slice(&worker.projected[..u]);
        worker.product_sd[p] = worker.product_products[p * total + p].sqrt();
    }
}

/// Correlations of a stage's items from those of the columns, the scores' coefficients and the products' covariances.
#[inline(always)]
fn item_correlations<V: Real>(program: &Program, number: usize, worker: &mut Worker<V>) {
    let stage = &program.stages[number];
    let (u, m, total) = (program.base.len(), stage.items.len(), program.products.len());
    let base = &worker.standard.r;
    for item in &stage.items {
        if let Item::Score(node) = *item {
            for k in 0..u {
                let mut sum = V::zero();
                for i in 0..u {
                    sum = worker.combinations[node * u + i].mul_add(base[i * u + k], sum);
                }
                worker.projected[node * u + k] = sum;
            }
        }
    }
    let mixed = |coefficients: &[V], values: &[V]| {
        let mut sum = V::zero();
        for (c, v) in coefficients.iter().zip(values) {
            sum = c.mul_add(*v, sum);
        }
        sum
    };
    for a in 0..m {
        for b in 0..=a {
            let value = match (stage.items[a], stage.items[b]) {
                (Item::Column(i), Item::Column(k)) => base[i * u + k],
                (Item::Score(n), Item::Column(k)) | (Item::Column(k), Item::Score(n)) => worker.projected[n * u + k],
                (Item::Score(n), Item::Score(o)) => {
                    mixed(&worker.combinations[o * u..(o + 1) * u], &worker.projected[n * u..(n + 1) * u])
                }
                (Item::Product(p), Item::Column(k)) | (Item::Column(k), Item::Product(p)) => {
                    worker.product_columns[p * u + k] / worker.product_sd[p]
                }
                (Item::Product(p), Item::Score(n)) | (Item::Score(n), Item::Product(p)) => {
                    mixed(&worker.combinations[n * u..(n + 1) * u], &worker.product_columns[p * u..(p + 1) * u])
                        / worker.product_sd[p]
                }
                (Item::Product(p), Item::Product(q)) => {
                    worker.product_products[p * total + q] / (worker.product_sd[p] * worker.product_sd[q])
                }
            };
            let value = if a == b { V::one() } else { value };
            let r = &mut worker.solution.stages[number].r;
            r[a * m + b] = value;
            r[b * m + a] = value;
        }
    }
}
