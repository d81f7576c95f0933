//! The PLS algorithm on a correlation matrix (Lohmöller 1989, ch. 2; Wold 1982), for one sample or several in lanes.
//!
//! Scores are never formed: the covariance of an item with a proxy, and of two proxies, are sums over the correlation
//! matrix. Start weights are equal, proxies are standardised, nothing is flipped, and a lane that has settled is
//! frozen, so its result does not depend on the lanes beside it.

use std::ops::Range;

use super::error::Status;
use super::program::Stage;
use super::spec::{Mode, Scheme};
use crate::lanes::Real;
use crate::linalg::{Factor, first_component, solve_sized};

/// How the estimations of a pack end, lane by lane.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// Status of each lane.
    pub(super) status: [Status; 8],
    /// Detail of each lane.
    pub(super) detail: [i32; 8],
    /// Passes of each stage and lane.
    pub(super) passes: Vec<[u32; 8]>,
}

impl Outcome {
    /// All lanes well, for a model of so many stages.
    pub(super) fn new(stages: usize) -> Self {
        Self { status: [Status::Ok; 8], detail: [-1; 8], passes: vec![[0; 8]; stages] }
    }

    /// Back to all lanes well.
    pub(super) fn reset(&mut self) {
        self.status = [Status::Ok; 8];
        self.detail = [-1; 8];
        self.passes.fill([0; 8]);
    }

    /// Notes a failure in the lanes of `mask`; the first failure of a lane stands, but one that leaves no numbers
    /// takes the place of one that does.
    #[inline]
    pub(super) fn note(&mut self, mask: u8, status: Status, detail: i32) {
        if mask == 0 {
            return;
        }
        for lane in 0..8 {
            let now = self.status[lane];
            if mask >> lane & 1 == 1 && (now == Status::Ok || (now.keeps_values() && !status.keeps_values())) {
                self.status[lane] = status;
                self.detail[lane] = detail;
            }
        }
    }
}

/// What a stage has been estimated to.
#[derive(Clone, Debug)]
pub(super) struct Estimate<V> {
    /// Correlations of the items, `m` × `m`; empty when the stage is direct.
    pub(super) r: Vec<V>,
    /// Weights of the items; they give proxies of unit variance.
    pub(super) w: Vec<V>,
    /// Correlations of items with proxies, blocks × `m`.
    pub(super) rw: Vec<V>,
    /// Correlations of proxies, blocks × blocks.
    pub(super) c: Vec<V>,
}

impl<V: Real> Estimate<V> {
    /// Room for a stage.
    pub(super) fn new(stage: &Stage) -> Self {
        let (m, j) = (stage.items.len(), stage.blocks.len());
        Self {
            r: vec![V::zero(); if stage.direct { 0 } else { m * m }],
            w: vec![V::zero(); m],
            rw: vec![V::zero(); m * j],
            c: vec![V::one(); j * j],
        }
    }
}

/// Scratch of the iteration.
#[derive(Clone, Debug)]
pub(super) struct Scratch<V> {
    inner: Vec<V>,
    fresh: Vec<V>,
    rhs: Vec<V>,
    regressions: Vec<Factor<V>>,
    predictors: Factor<V>,
    flat: Vec<f64>,
}

impl<V: Real> Scratch<V> {
    /// The inner weight that block `a` of `j` gives to block `b`.
    pub(super) fn inner(&self, j: usize, a: usize, b: usize) -> V {
        self.inner[a * j + b]
    }

    /// Room for the largest stage of a model.
    pub(super) fn new(stages: &[Stage]) -> Self {
        let blocks = stages.iter().map(|s| s.blocks.len()).max().unwrap_or(0);
        let largest = stages.iter().flat_map(|s| &s.blocks).map(super::program::Block::len).max().unwrap_or(0);
        let k = largest.max(blocks);
        Self {
            inner: vec![V::zero(); blocks * blocks],
            fresh: vec![V::zero(); k],
            rhs: vec![V::zero(); k],
            regressions: vec![Factor::new(); blocks],
            predictors: Factor::with_capacity(blocks),
            flat: vec![0.0; k * k],
        }
    }
}

/// Calls a function with the block size as a constant where it is small, so that its loops unroll, and as 0 elsewhere.
macro_rules! sized {
    ($k:expr, $f:ident::<$v:ty>($($argument:expr),* $(,)?)) => {
        match $k {
            1 => $f::<$v, 1>($($argument),*),
            2 => $f::<$v, 2>($($argument),*),
            3 => $f::<$v, 3>($($argument),*),
            4 => $f::<$v, 4>($($argument),*),
            5 => $f::<$v, 5>($($argument),*),
            6 => $f::<$v, 6>($($argument),*),
            7 => $f::<$v, 7>($($argument),*),
            8 => $f::<$v, 8>($($argument),*),
            _ => $f::<$v, 0>($($argument),*),
        }
    };
}

/// `x' R x` over a block.
#[inline(always)]
fn quadratic_sized<V: Real, const K: usize>(r: &[V], m: usize, start: usize, x: &[V]) -> V {
    let k = if K == 0 { x.len() } else { K };
    let x = &x[..k];
    let mut sum = V::zero();
    for a in 0..k {
        let row = &r[(start + a) * m + start..][..k];
        let mut part = V::zero();
        for b in a + 1..k {
            part = row[b].mul_add(x[b], part);
        }
        // Twice the upper triangle plus the diagonal.
        let whole = row[a].mul_add(x[a], part + part);
        sum = whole.mul_add(x[a], sum);
    }
    sum
}

#[inline(always)]
fn quadratic<V: Real>(r: &[V], m: usize, start: usize, x: &[V]) -> V {
    sized!(x.len(), quadratic_sized::<V>(r, m, start, x))
}

#[inline(always)]
fn dot_sized<V: Real, const K: usize>(row: &[V], w: &[V]) -> V {
    let k = if K == 0 { w.len() } else { K };
    let (row, w) = (&row[..k], &w[..k]);
    let mut sum = V::zero();
    for q in 0..k {
        sum = row[q].mul_add(w[q], sum);
    }
    sum
}

#[inline(always)]
fn dot<V: Real>(row: &[V], w: &[V]) -> V {
    sized!(w.len(), dot_sized::<V>(row, w))
}

#[inline(always)]
fn project_sized<V: Real, const K: usize>(r: &[V], m: usize, from: usize, w: &[V], rows: Range<usize>, out: &mut [V]) {
    let k = if K == 0 { w.len() } else { K };
    let w = &w[..k];
    for (i, out) in rows.clone().zip(&mut out[rows]) {
        let row = &r[i * m + from..][..k];
        let mut sum = V::zero();
        for q in 0..k {
            sum = row[q].mul_add(w[q], sum);
        }
        *out = sum;
    }
}

/// Covariances of the items of block `a` with the proxy of block `b`, to row `b` of `rw`.
#[inline(always)]
fn project<V: Real>(stage: &Stage, r: &[V], w: &[V], rw: &mut [V], a: usize, b: usize) {
    let m = stage.items.len();
    let (to, from) = (&stage.blocks[a], &stage.blocks[b]);
    let out = &mut rw[b * m..(b + 1) * m];
    let w = &w[from.start..from.end];
    sized!(w.len(), project_sized::<V>(r, m, from.start, w, to.start..to.end, out));
}

/// Correlation of the proxies of `a` and `b`, given the covariances of `a`'s items with `b`'s proxy.
#[inline(always)]
fn correlate<V: Real>(stage: &Stage, w: &[V], rw: &[V], c: &mut [V], a: usize, b: usize) {
    let (j, m) = (stage.blocks.len(), stage.items.len());
    let block = &stage.blocks[a];
    let sum = dot(&rw[b * m + block.start..], &w[block.start..block.end]);
    c[a * j + b] = sum;
    c[b * j + a] = sum;
}

#[inline(always)]
fn inner_proxy_sized<V: Real, const K: usize>(
    near: &[usize],
    inner: &[V],
    rw: &[V],
    m: usize,
    start: usize,
    out: &mut [V],
) {
    let k = if K == 0 { out.len() } else { K };
    let out = &mut out[..k];
    out.fill(V::zero());
    for &b in near {
        let weight = inner[b];
        let row = &rw[b * m + start..][..k];
        for q in 0..k {
            out[q] = weight.mul_add(row[q], out[q]);
        }
    }
}

/// Covariances of a block's items with its inner proxy.
#[inline(always)]
fn inner_proxy<V: Real>(near: &[usize], inner: &[V], rw: &[V], m: usize, start: usize, out: &mut [V]) {
    sized!(out.len(), inner_proxy_sized::<V>(near, inner, rw, m, start, out));
}

/// Weights that the iteration starts from or keeps: standardised, and `true` where the block takes part in it.
#[inline(always)]
fn start<V: Real>(stage: &Stage, r: &[V], w: &mut [V], s: &mut Scratch<V>, outcome: &mut Outcome) {
    let m = stage.items.len();
    for (b, block) in stage.blocks.iter().enumerate() {
        let k = block.len();
        match block.mode {
            Mode::A | Mode::B | Mode::Nnls | Mode::Unit => w[block.start..block.end].fill(V::one()),
            Mode::Fixed => {
                for (place, &value) in w[block.start..block.end].iter_mut().zip(&block.fixed) {
                    *place = V::splat(value);
                }
            }
            Mode::Pca => {
                for lane in 0..V::LANES {
                    for i in 0..k {
                        for q in 0..k {
                            s.flat[i * k + q] = r[(block.start + i) * m + block.start + q].lane(lane);
                        }
                    }
                    for (q, value) in first_component(&s.flat[..k * k], k).into_iter().enumerate() {
                        w[block.start + q] = w[block.start + q].with_lane(lane, value);
                    }
                }
            }
        }
        if block.mode == Mode::B && k > 1 {
            let singular = s.regressions[b].factor(k, |i, q| r[(block.start + i) * m + block.start + q]);
            outcome.note(singular, Status::SingularBlock, block.node as i32);
        }
        let scale = quadratic(r, m, block.start, &w[block.start..block.end]).rsqrt();
        for value in &mut w[block.start..block.end] {
            *value = *value * scale;
        }
    }
}

/// Regression coefficients of a standardised outcome on proxies, in place of its correlations with them; returns the
/// lanes whose predictors are linearly dependent.
#[inline(always)]
pub(super) fn regress<V: Real>(c: &[V], j: usize, predictors: &[usize], rhs: &mut [V], factor: &mut Factor<V>) -> u8 {
    match predictors.len() {
        2 => regress_sized::<V, 2>(c, j, predictors, rhs),
        3 => regress_sized::<V, 3>(c, j, predictors, rhs),
        4 => regress_sized::<V, 4>(c, j, predictors, rhs),
        5 => regress_sized::<V, 5>(c, j, predictors, rhs),
        k => {
            let singular =
                factor.factor(k, |i, q| if i == q { V::one() } else { c[predictors[i] * j + predictors[q]] });
            factor.solve(rhs);
            singular
        }
    }
}

#[inline(always)]
fn regress_sized<V: Real, const K: usize>(c: &[V], j: usize, predictors: &[usize], rhs: &mut [V]) -> u8 {
    let predictors = &predictors[..K];
    solve_sized::<V, K>(|i, q| if i == q { V::one() } else { c[predictors[i] * j + predictors[q]] }, rhs)
}

/// Inner weights: how much each neighbour's proxy counts in a block's inner proxy.
#[inline(always)]
pub(super) fn inner_weights<V: Real>(
    stage: &Stage,
    scheme: Scheme,
    c: &[V],
    s: &mut Scratch<V>,
    active: u8,
    outcome: &mut Outcome,
) {
    let j = stage.blocks.len();
    for a in 0..j {
        match scheme {
            Scheme::Factorial => {
                for &b in &stage.neighbours[a] {
                    s.inner[a * j + b] = c[a * j + b];
                }
            }
            Scheme::Centroid => {
                for &b in &stage.neighbours[a] {
                    let negative = c[a * j + b].less(V::zero());
                    s.inner[a * j + b] = V::select(negative, -V::one(), V::one());
                }
            }
            Scheme::Path => {
                for &b in &stage.neighbours[a] {
                    s.inner[a * j + b] = c[a * j + b];
                }
                let predictors = &stage.predecessors[a];
                let k = predictors.len();
                if k > 1 {
                    for (place, &b) in s.rhs.iter_mut().zip(predictors) {
                        *place = c[a * j + b];
                    }
                    let singular = regress(c, j, predictors, &mut s.rhs, &mut s.predictors);
                    outcome.note(singular & active, Status::SingularPredictors, stage.blocks[a].node as i32);
                    for (value, &b) in s.rhs.iter().zip(predictors) {
                        s.inner[a * j + b] = *value;
                    }
                }
            }
            Scheme::Pca => {
                let near = &stage.neighbours[a];
                let k = near.len();
                for lane in 0..V::LANES {
                    for i in 0..k {
                        for q in 0..k {
                            s.flat[i * k + q] = if i == q { 1.0 } else { c[near[i] * j + near[q]].lane(lane) };
                        }
                    }
                    let component = first_component(&s.flat[..k * k], k);
                    let with_own: f64 = component.iter().zip(near).map(|(v, &b)| v * c[a * j + b].lane(lane)).sum();
                    let sign = if with_own < 0.0 { -1.0 } else { 1.0 };
                    for (value, &b) in component.iter().zip(near) {
                        s.inner[a * j + b] = s.inner[a * j + b].with_lane(lane, sign * value);
                    }
                }
            }
        }
    }
}

/// Non-negative least squares on normal equations (Lawson & Hanson 1974, ch. 23), one lane.
fn nonnegative(r: &[f64], target: &[f64]) -> Vec<f64> {
    let k = target.len();
    let mut x = vec![0.0; k];
    let mut free = vec![false; k];
    let solve = |free: &[bool]| {
        let list: Vec<usize> = (0..k).filter(|&i| free[i]).collect();
        let mut factor = Factor::<f64>::new();
        factor.factor(list.len(), |i, q| r[list[i] * k + list[q]]);
        let mut b: Vec<f64> = list.iter().map(|&i| target[i]).collect();
        factor.solve(&mut b);
        let mut full = vec![0.0; k];
        for (&i, value) in list.iter().zip(b) {
            full[i] = value;
        }
        full
    };
    for _ in 0..3 * k + 3 {
        let gradient: Vec<f64> = (0..k).map(|i| target[i] - (0..k).map(|q| r[i * k + q] * x[q]).sum::<f64>()).collect();
        let Some(enter) =
            (0..k).filter(|&i| !free[i] && gradient[i] > 1e-12).max_by(|&a, &b| gradient[a].total_cmp(&gradient[b]))
        else {
            break;
        };
        free[enter] = true;
        loop {
            let z = solve(&free);
            let step = (0..k)
                .filter(|&i| free[i] && z[i] <= 0.0)
                .map(|i| if x[i] - z[i] > 0.0 { x[i] / (x[i] - z[i]) } else { 0.0 })
                .fold(f64::INFINITY, f64::min);
            if !step.is_finite() {
                x = z;
                break;
            }
            for i in 0..k {
                if free[i] {
                    x[i] += step * (z[i] - x[i]);
                    if x[i] <= 1e-15 {
                        x[i] = 0.0;
                        free[i] = false;
                    }
                }
            }
            if !free.contains(&true) {
                break;
            }
        }
    }
    x
}

/// Runs the algorithm on the correlations `r` of the stage's items.
///
/// Lanes in `dead` have failed before and are not iterated.
#[inline(always)]
pub(super) fn iterate<V: Real>(
    stage: &Stage,
    scheme: Scheme,
    max_iter: usize,
    tol: f64,
    number: usize,
    dead: u8,
    r: &[V],
    w: &mut [V],
    rw: &mut [V],
    c: &mut [V],
    s: &mut Scratch<V>,
    outcome: &mut Outcome,
) {
    let (m, j) = (stage.items.len(), stage.blocks.len());
    start(stage, r, w, s, outcome);
    let mut active = V::ALL & !dead;
    let tolerance = V::splat(tol);
    let moving = stage
        .blocks
        .iter()
        .zip(&stage.neighbours)
        .any(|(block, near)| !near.is_empty() && matches!(block.mode, Mode::A | Mode::B | Mode::Nnls));
    if !moving {
        for lane in 0..8 {
            outcome.passes[number][lane] = 1;
        }
        active = 0;
    }
    for pass in 1..=max_iter {
        if active == 0 {
            break;
        }
        for a in 0..j {
            for &b in &stage.needed[a] {
                project(stage, r, w, rw, a, b);
            }
        }
        for &(a, b) in &stage.pairs {
            correlate(stage, w, rw, c, a, b);
        }
        inner_weights(stage, scheme, c, s, active, outcome);
        let mut change = V::zero();
        for a in 0..j {
            let block = &stage.blocks[a];
            if stage.neighbours[a].is_empty() {
                continue;
            }
            let k = block.len();
            let fresh = &mut s.fresh[..k];
            inner_proxy(&stage.neighbours[a], &s.inner[a * j..(a + 1) * j], rw, m, block.start, fresh);
            match block.mode {
                Mode::A => {}
                Mode::B => {
                    if k > 1 {
                        s.regressions[a].solve(fresh);
                    }
                }
                Mode::Nnls => {
                    for lane in 0..V::LANES {
                        let flat: Vec<f64> =
                            (0..k * k).map(|i| r[(block.start + i / k) * m + block.start + i % k].lane(lane)).collect();
                        let target: Vec<f64> = fresh.iter().map(|v| v.lane(lane)).collect();
                        for (value, x) in fresh.iter_mut().zip(nonnegative(&flat, &target)) {
                            *value = value.with_lane(lane, x);
                        }
                    }
                }
                Mode::Unit | Mode::Pca | Mode::Fixed => continue,
            }
            let scale = quadratic(r, m, block.start, fresh).rsqrt();
            for (value, old) in fresh.iter().zip(&mut w[block.start..block.end]) {
                let value = *value * scale;
                change = change + (value - *old).abs();
                *old = V::select(active, value, *old);
            }
        }
        let settled = change.less(tolerance) & active;
        let moving = change.less(V::splat(f64::INFINITY)) & !settled & active;
        for lane in 0..V::LANES {
            if active >> lane & 1 == 1 {
                outcome.passes[number][lane] = pass as u32;
            }
        }
        let broken = active & !settled & !moving;
        outcome.note(broken, Status::NotFinite, -1);
        active = moving;
    }
    outcome.note(active, Status::NotConverged, number as i32);
}

/// Turns the weights of blocks with a dominant indicator so that its loading is positive.
#[inline(always)]
pub(super) fn orient<V: Real>(stage: &Stage, r: &[V], w: &mut [V]) {
    let m = stage.items.len();
    for block in &stage.blocks {
        if let Some(dominant) = block.dominant {
            let row = &r[dominant * m + block.start..dominant * m + block.end];
            let negative = dot(row, &w[block.start..block.end]).less(V::zero());
            for value in &mut w[block.start..block.end] {
                *value = V::select(negative, -*value, *value);
            }
        }
    }
}

/// Correlations of items with proxies, and of proxies, from final weights: all of them, those of all pairs of proxies,
/// or what the structural model and the own loadings need.
#[inline(always)]
pub(super) fn finish<V: Real>(stage: &Stage, r: &[V], w: &[V], rw: &mut [V], c: &mut [V], all: bool, pairs: bool) {
    let j = stage.blocks.len();
    for a in 0..j {
        project(stage, r, w, rw, a, a);
        c[a * j + a] = V::one();
    }
    if all {
        for a in 0..j {
            for b in (0..j).filter(|&b| b != a) {
                project(stage, r, w, rw, a, b);
            }
        }
    }
    if all || pairs {
        for a in 0..j {
            for b in a + 1..j {
                finish_pair(stage, r, w, rw, c, all, a, b);
            }
        }
    } else {
        for &(a, b) in &stage.structural {
            finish_pair(stage, r, w, rw, c, all, a, b);
        }
    }
}

#[inline(always)]
fn finish_pair<V: Real>(
    stage: &Stage,
    r: &[V],
    w: &[V],
    rw: &mut [V],
    c: &mut [V],
    projected: bool,
    a: usize,
    b: usize,
) {
    if !projected {
        project(stage, r, w, rw, a, b);
    }
    correlate(stage, w, rw, c, a, b);
}
