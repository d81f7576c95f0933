//! Everything that is read off an estimation: coefficients, reliabilities, ratios, effects.

use super::across::Across;
use super::error::Status;
use super::estimate::{Estimate, Outcome, regress};
use super::layout::{Layout, Statistic};
use super::program::{Item, Program, Stage};
use super::quality::measure;
use super::ratios::{distant, heterotrait, monotrait};
use super::spec::Mode;
use crate::lanes::Real;
use crate::linalg::{Factor, inverse};

/// The structural part of an estimation, and what the other statistics share.
#[derive(Clone, Debug)]
pub(super) struct Solution<V> {
    /// Estimates by stage.
    pub(super) stages: Vec<Estimate<V>>,
    /// Reliability rho_A of each node.
    pub(super) rho_a: Vec<V>,
    /// Correlations of the last stage's constructs; corrected under consistent estimation.
    pub(super) c: Vec<V>,
    /// Path coefficients by edge, for scores as they are reported.
    pub(super) coefficient: Vec<V>,
    /// Path coefficients by edge, standardised.
    pub(super) standardised: Vec<V>,
    /// Variance inflation by edge.
    pub(super) vif: Vec<V>,
    /// Diagonal of the inverse of the predictors' (corrected) correlations by edge.
    pub(super) inverse: Vec<V>,
    /// Explained variance by block of the last stage.
    pub(super) r2: Vec<V>,
    /// Standard deviation of each block's reported score; one but for products.
    pub(super) scale: Vec<V>,
    /// Total effects, blocks × blocks.
    pub(super) total: Vec<V>,
    /// Number of observations.
    pub(super) n_obs: V,
    /// Correlations across stages, if the model has several levels.
    pub(super) across: Across<V>,
    within: Vec<V>,
    predictors: Factor<V>,
    rhs: Vec<V>,
    scratch: Vec<V>,
    own: Vec<V>,
}

/// The numbers that a set of statistics needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Needs {
    /// All correlations of items with proxies.
    pub(super) all: bool,
    /// Correlations of all pairs of proxies.
    pub(super) pairs: bool,
    /// rho_A.
    pub(super) rho_a: bool,
    /// Inverses of the predictors' correlations.
    pub(super) inverse: bool,
    /// Total effects.
    pub(super) total: bool,
    /// Correlations across stages.
    pub(super) across: bool,
    /// Means or standard deviations of the columns.
    pub(super) moments: bool,
}

impl Needs {
    /// All that tables of a single estimation show.
    pub(super) const fn everything(self) -> Self {
        Self { all: true, pairs: true, rho_a: true, across: true, ..self }
    }

    /// What `layout` needs of a model.
    pub(super) fn of(program: &Program, layout: &Layout) -> Self {
        let has = |list: &[Statistic]| layout.entries.iter().any(|e| list.contains(&e.statistic));
        Self {
            all: has(&[Statistic::CrossLoadings]),
            pairs: has(&[
                Statistic::ConstructCorrelations,
                Statistic::Srmr,
                Statistic::DUls,
                Statistic::DG,
                Statistic::Nfi,
            ]),
            rho_a: program.spec.consistent.is_some() || has(&[Statistic::RhoA]),
            inverse: has(&[Statistic::F2, Statistic::Vif]),
            total: has(&[Statistic::TotalEffects, Statistic::IndirectEffects]),
            across: program.has_levels()
                && has(&[
                    Statistic::CrossLoadings,
                    Statistic::ConstructCorrelations,
                    Statistic::Htmt,
                    Statistic::Htmt2,
                ]),
            moments: has(&[Statistic::Means, Statistic::Sds]),
        }
    }
}

impl<V: Real> Solution<V> {
    /// Room for a model's solution.
    pub(super) fn new(program: &Program) -> Self {
        let stage = program.last();
        let j = stage.blocks.len();
        let largest =
            program.stages.iter().flat_map(|s| &s.blocks).map(super::program::Block::len).max().unwrap_or(0).max(j);
        Self {
            stages: program.stages.iter().map(Estimate::new).collect(),
            rho_a: vec![V::one(); program.nodes.len()],
            c: vec![V::one(); j * j],
            coefficient: vec![V::zero(); stage.edges.len()],
            standardised: vec![V::zero(); stage.edges.len()],
            vif: vec![V::one(); stage.edges.len()],
            inverse: vec![V::one(); stage.edges.len()],
            r2: vec![V::zero(); j],
            scale: vec![V::one(); j],
            total: vec![V::zero(); j * j],
            n_obs: V::zero(),
            across: Across::new(),
            within: vec![V::one(); program.nodes.len()],
            predictors: Factor::with_capacity(largest),
            rhs: vec![V::zero(); largest],
            scratch: vec![V::zero(); largest],
            own: vec![V::zero(); largest],
        }
    }

    /// Correlations of the items of a stage.
    #[inline(always)]
    pub(super) fn correlations<'a>(&'a self, stage: &Stage, number: usize, base: &'a [V]) -> &'a [V] {
        if stage.direct { base } else { &self.stages[number].r }
    }
}

/// rho_A of a block (Dijkstra & Henseler 2015, MIS Quarterly 39(2), eq. 3).
#[inline(always)]
fn rho_a<V: Real>(r: &[V], m: usize, start: usize, w: &[V]) -> V {
    let k = w.len();
    let (mut length, mut fourth, mut numerator) = (V::zero(), V::zero(), V::zero());
    for a in 0..k {
        let square = w[a] * w[a];
        length = length + square;
        fourth = square.mul_add(square, fourth);
        for b in a + 1..k {
            numerator = (w[a] * w[b]).mul_add(r[(start + a) * m + start + b], numerator);
        }
    }
    let denominator = length * length - fourth;
    length * length * (numerator + numerator) / denominator
}

/// Reliability of a dimension of a composite of factors: a dimension that is not corrected counts as measured exactly.
#[inline(always)]
fn dimension_reliability<V: Real>(program: &Program, dimension: usize, rho_a: &[V]) -> V {
    let (s, b) = program.place[dimension];
    if program.stages[s].blocks[b].corrected { rho_a[dimension] } else { V::one() }
}

/// Solves the structural model from the final weights.
#[inline(always)]
pub(super) fn structure<V: Real>(
    program: &Program,
    needs: Needs,
    base: &[V],
    x: &mut Solution<V>,
    outcome: &mut Outcome,
) {
    let stage = program.last();
    let number = program.stages.len() - 1;
    let j = stage.blocks.len();
    if needs.rho_a {
        for node in 0..program.nodes.len() {
            let (s, b) = program.place[node];
            let block = &program.stages[s].blocks[b];
            if block.corrected
                && let Some(known) = program.spec.constructs.get(node).and_then(|construct| construct.reliability)
            {
                x.rho_a[node] = V::splat(known);
                continue;
            }
            if block.compound {
                // 1 − Σ w² (1 − ρ): the share of the composite's variance that is not the dimensions' errors.
                let stage = &program.stages[s];
                let mut error = V::zero();
                for i in block.start..block.end {
                    if let Item::Score(dimension) = stage.items[i] {
                        let w = x.stages[s].w[i];
                        let own = dimension_reliability(program, dimension, &x.rho_a);
                        error = (w * w).mul_add(V::one() - own, error);
                    }
                }
                x.rho_a[node] = V::one() - error;
                continue;
            }
            let plain = block.len() > 1 && !block.product && matches!(block.mode, Mode::A | Mode::Unit);
            x.rho_a[node] = if plain || block.corrected {
                let r = x.correlations(&program.stages[s], s, base);
                rho_a(r, program.stages[s].items.len(), block.start, &x.stages[s].w[block.start..block.end])
            } else {
                V::one()
            };
        }
    }
    x.c.copy_from_slice(&x.stages[number].c);
    if program.spec.consistent.is_some() {
        for block in &stage.blocks {
            if block.corrected {
                let rho = x.rho_a[block.node];
                let good = V::zero().less(rho) & !V::one().less(rho);
                outcome.note(V::ALL & !good, Status::Reliability, block.node as i32);
            }
        }
        let factor = |block: &super::program::Block, rho: &[V]| {
            if block.corrected { rho[block.node].sqrt() } else { V::one() }
        };
        for a in 0..j {
            for b in a + 1..j {
                let value = x.c[a * j + b] / (factor(&stage.blocks[a], &x.rho_a) * factor(&stage.blocks[b], &x.rho_a));
                x.c[a * j + b] = value;
                x.c[b * j + a] = value;
            }
        }
    }
    for to in 0..j {
        let predictors = &stage.predecessors[to];
        let k = predictors.len();
        if k == 0 {
            continue;
        }
        for (place, &from) in x.rhs.iter_mut().zip(predictors) {
            *place = x.c[from * j + to];
        }
        if k > 1 {
            let before = program.spec.consistent.map(|_| x.rhs[..k].to_vec());
            let c = &x.c;
            let indefinite = if needs.inverse {
                let lanes =
                    x.predictors.factor(k, |i, q| if i == q { V::one() } else { c[predictors[i] * j + predictors[q]] });
                x.predictors.inverse_diagonal(&mut x.own, &mut x.scratch);
                x.predictors.solve(&mut x.rhs);
                lanes
            } else {
                regress(c, j, predictors, &mut x.rhs, &mut x.predictors)
            };
            match before {
                Some(before) if indefinite != 0 => indefinite_lanes(stage, to, indefinite, &before, x, outcome),
                _ => outcome.note(indefinite, Status::SingularPredictors, stage.blocks[to].node as i32),
            }
        } else {
            x.own[0] = V::one();
        }
        let mut explained = V::zero();
        for (q, &from) in predictors.iter().enumerate() {
            explained = x.rhs[q].mul_add(x.c[from * j + to], explained);
        }
        x.r2[to] = explained;
        for (q, (&e, &from)) in stage.incoming[to].iter().zip(predictors).enumerate() {
            x.standardised[e] = x.rhs[q];
            x.coefficient[e] = if stage.blocks[from].product { x.rhs[q] / x.scale[from] } else { x.rhs[q] };
            x.vif[e] = x.own[q];
            x.inverse[e] = x.own[q];
        }
        if program.spec.consistent.is_some() && needs.inverse && k > 1 {
            // Collinearity is judged on the scores, not on the corrected correlations.
            let proxies = &x.stages[number].c;
            x.predictors.factor(k, |i, q| if i == q { V::one() } else { proxies[predictors[i] * j + predictors[q]] });
            x.predictors.inverse_diagonal(&mut x.own, &mut x.scratch);
            for (q, &e) in stage.incoming[to].iter().enumerate() {
                x.vif[e] = x.own[q];
            }
        }
        if program.spec.consistent.is_some() {
            outcome.note(V::one().less(explained), Status::ExplainedVariance, stage.blocks[to].node as i32);
        }
    }
    if needs.total {
        x.total.fill(V::zero());
        for &to in &stage.order {
            for (&e, &via) in stage.incoming[to].iter().zip(&stage.predecessors[to]) {
                let step = x.coefficient[e];
                for &from in &stage.sources[via] {
                    let place = from * j + to;
                    x.total[place] = if from == via {
                        x.total[place] + step
                    } else {
                        x.total[from * j + via].mul_add(step, x.total[place])
                    };
                }
            }
        }
    }
}

/// Regression on corrected correlations that are not positive definite, for the lanes that need it: the coefficients
/// exist, the solution is not admissible.
fn indefinite_lanes<V: Real>(
    stage: &Stage,
    to: usize,
    mask: u8,
    target: &[V],
    x: &mut Solution<V>,
    outcome: &mut Outcome,
) {
    let j = stage.blocks.len();
    let predictors = &stage.predecessors[to];
    let k = predictors.len();
    let node = stage.blocks[to].node as i32;
    for lane in (0..V::LANES).filter(|lane| mask >> lane & 1 == 1) {
        let mut a = vec![1.0; k * k];
        for i in 0..k {
            for q in 0..k {
                if i != q {
                    a[i * k + q] = x.c[predictors[i] * j + predictors[q]].lane(lane);
                }
            }
        }
        match inverse(&a, k) {
            Some(inverse) => {
                outcome.note(1 << lane, Status::NotPositiveDefinite, -1);
                for i in 0..k {
                    let value = (0..k).map(|q| inverse[i * k + q] * target[q].lane(lane)).sum();
                    x.rhs[i] = x.rhs[i].with_lane(lane, value);
                    x.own[i] = x.own[i].with_lane(lane, inverse[i * k + i]);
                }
            }
            None => outcome.note(1 << lane, Status::SingularPredictors, node),
        }
    }
}

/// Loading of item `i` of a block.
#[inline(always)]
fn loading<V: Real>(program: &Program, x: &Solution<V>, s: usize, b: usize, i: usize) -> V {
    let stage = &program.stages[s];
    let block = &stage.blocks[b];
    if block.factor {
        let w = &x.stages[s].w[block.start..block.end];
        let mut length = V::zero();
        for value in w {
            length = value.mul_add(*value, length);
        }
        x.stages[s].w[i] * x.rho_a[block.node].sqrt() / length
    } else {
        let own = x.stages[s].rw[b * stage.items.len() + i];
        // The score of a product keeps the products' spread: its loadings are covariances with it.
        if block.product && s + 1 == program.stages.len() { own * x.scale[b] } else { own }
    }
}

/// Writes all statistics of `layout` to `out`.
#[inline(always)]
pub(super) fn write<V: Real>(
    program: &Program,
    layout: &Layout,
    base: &[V],
    x: &mut Solution<V>,
    outcome: &mut Outcome,
    out: &mut [V],
) {
    let last = program.last();
    let j = last.blocks.len();
    if program.spec.consistent.is_some() {
        for (node, &(s, b)) in program.place.iter().enumerate() {
            let block = &program.stages[s].blocks[b];
            if block.factor {
                for i in block.start..block.end {
                    let value = loading(program, x, s, b, i).abs();
                    outcome.note(V::one().less(value), Status::Loading, node as i32);
                }
            }
        }
    }
    for entry in &layout.entries {
        let out = &mut out[entry.start..entry.start + entry.labels.len()];
        match entry.statistic {
            Statistic::Weights => {
                let mut at = 0;
                for &(s, b) in &program.place {
                    let block = &program.stages[s].blocks[b];
                    out[at..at + block.len()].copy_from_slice(&x.stages[s].w[block.start..block.end]);
                    at += block.len();
                }
            }
            Statistic::Loadings => {
                let mut at = 0;
                for &(s, b) in &program.place {
                    let block = &program.stages[s].blocks[b];
                    for i in block.start..block.end {
                        out[at] = loading(program, x, s, b, i);
                        at += 1;
                    }
                }
            }
            Statistic::ItemVif => {
                let mut at = 0;
                for &(s, b) in &program.place {
                    let stage = &program.stages[s];
                    let block = &stage.blocks[b];
                    let (k, m) = (block.len(), stage.items.len());
                    if k == 1 {
                        out[at] = V::one();
                    } else {
                        let r = if stage.direct { base } else { &x.stages[s].r };
                        let singular = x.predictors.factor(k, |i, q| r[(block.start + i) * m + block.start + q]);
                        x.predictors.inverse_diagonal(&mut out[at..at + k], &mut x.scratch);
                        for value in &mut out[at..at + k] {
                            *value = V::select(singular, V::splat(f64::INFINITY), *value);
                        }
                    }
                    at += k;
                }
            }
            // The caller has these.
            Statistic::Means | Statistic::Sds => {}
            Statistic::Paths => out.copy_from_slice(&x.coefficient),
            Statistic::Vif => out.copy_from_slice(&x.vif),
            Statistic::F2 => {
                // The loss of explained variance without predictor k is b_k² / (R⁻¹)_kk.
                for (e, &(_, to)) in last.edges.iter().enumerate() {
                    let b = x.standardised[e];
                    out[e] = b * b / (x.inverse[e] * (V::one() - x.r2[to]));
                }
            }
            Statistic::R2 | Statistic::R2Adjusted => {
                let outcomes = (0..j).filter(|&b| !last.predecessors[b].is_empty());
                for (place, b) in out.iter_mut().zip(outcomes) {
                    let r2 = x.r2[b];
                    *place = if entry.statistic == Statistic::R2 {
                        r2
                    } else {
                        let k = V::splat(last.predecessors[b].len() as f64 + 1.0);
                        V::one() - (V::one() - r2) * (x.n_obs - V::one()) / (x.n_obs - k)
                    };
                }
            }
            Statistic::TotalEffects | Statistic::IndirectEffects => {
                for (place, links) in out.iter_mut().zip(&entry.links) {
                    // The place among the total effects, and the direct path if it is to be left out.
                    *place = x.total[links[0]];
                    if let Some(&e) = links.get(1) {
                        *place = *place - x.coefficient[e];
                    }
                }
            }
            Statistic::SpecificIndirect => {
                for (place, links) in out.iter_mut().zip(&entry.links) {
                    let mut value = V::one();
                    for &e in links {
                        value = value * x.coefficient[e];
                    }
                    *place = value;
                }
            }
            Statistic::Alpha => {
                for (place, &(s, b)) in out.iter_mut().zip(&program.place) {
                    let stage = &program.stages[s];
                    let block = &stage.blocks[b];
                    let (k, m) = (block.len(), stage.items.len());
                    *place = if k == 1 {
                        V::one()
                    } else {
                        let r = if stage.direct { base } else { &x.stages[s].r };
                        let mut sum = V::zero();
                        for i in block.start..block.end {
                            for q in i + 1..block.end {
                                sum = sum + r[i * m + q];
                            }
                        }
                        let size = V::splat(k as f64);
                        // k / (k - 1) (1 - k / sum of all correlations)
                        size / V::splat(k as f64 - 1.0) * (V::one() - size / (sum + sum + size))
                    };
                }
            }
            Statistic::RhoA => out.copy_from_slice(&x.rho_a),
            Statistic::RhoC | Statistic::Ave => {
                for (place, &(s, b)) in out.iter_mut().zip(&program.place) {
                    let block = &program.stages[s].blocks[b];
                    let (mut sum, mut squares) = (V::zero(), V::zero());
                    for i in block.start..block.end {
                        let value = loading(program, x, s, b, i);
                        sum = sum + value;
                        squares = value.mul_add(value, squares);
                    }
                    let size = V::splat(block.len() as f64);
                    *place = if block.len() == 1 {
                        V::one()
                    } else if entry.statistic == Statistic::Ave {
                        squares / size
                    } else {
                        sum * sum / (sum * sum + (size - squares))
                    };
                }
            }
            Statistic::Htmt | Statistic::Htmt2 => {
                let geometric = entry.statistic == Statistic::Htmt2;
                let mut within = std::mem::take(&mut x.within);
                for (value, &(s, b)) in within.iter_mut().zip(&program.place) {
                    let stage = &program.stages[s];
                    let r = if stage.direct { base } else { &x.stages[s].r };
                    *value = monotrait(stage, r, b, geometric);
                }
                for (place, (label, links)) in out.iter_mut().zip(entry.labels.iter().zip(&entry.links)) {
                    let between = if let Some(&s) = links.first() {
                        let stage = &program.stages[s];
                        let r = if stage.direct { base } else { &x.stages[s].r };
                        heterotrait(stage, r, links[1], links[2], geometric)
                    } else {
                        distant(program, &x.across, label[0], label[1], geometric)
                    };
                    let own = within[label[0]] * within[label[1]];
                    *place = if geometric {
                        (between - (within[label[0]] + within[label[1]]) * V::splat(0.5)).map(f64::exp)
                    } else {
                        between / own.sqrt()
                    };
                }
                x.within = within;
            }
            Statistic::ConstructCorrelations => {
                for (place, (label, links)) in out.iter_mut().zip(entry.labels.iter().zip(&entry.links)) {
                    *place = if links.is_empty() {
                        let (a, b) = (label[0], label[1]);
                        x.across.nodes[a * program.nodes.len() + b]
                            / (attenuation(program, a, &x.rho_a) * attenuation(program, b, &x.rho_a))
                    } else {
                        x.c[links[0] * j + links[1]]
                    };
                }
            }
            Statistic::CrossLoadings => {
                let mut at = 0;
                for &(s, b) in &program.place {
                    let stage = &program.stages[s];
                    let block = &stage.blocks[b];
                    for other in 0..program.nodes.len() {
                        let near = stage.block_of[other].filter(|_| program.place[other].0 == s);
                        for i in block.start..block.end {
                            out[at] = near.map_or_else(
                                || x.across.loadings[stage.ids[i] * program.nodes.len() + other],
                                |o| x.stages[s].rw[o * stage.items.len() + i],
                            );
                            at += 1;
                        }
                    }
                }
            }
            Statistic::Srmr | Statistic::DUls | Statistic::DG | Statistic::Nfi => {
                let number = program.stages.len() - 1;
                let mut loadings = vec![V::zero(); last.items.len()];
                for (b, block) in last.blocks.iter().enumerate() {
                    for i in block.start..block.end {
                        loadings[i] = loading(program, x, number, b, i);
                    }
                }
                measure(program, entry.statistic, base, &loadings, x, outcome, out);
            }
        }
    }
}

/// √rho_A of a node that the consistent estimation corrects, one of any other.
pub(super) fn attenuation<V: Real>(program: &Program, node: usize, rho_a: &[V]) -> V {
    let (s, b) = program.place[node];
    if program.stages[s].blocks[b].corrected { rho_a[node].sqrt() } else { V::one() }
}
