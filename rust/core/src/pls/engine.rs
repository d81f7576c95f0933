//! One estimation, or all replicates of a plan.

use super::batch::{Batch, Source};
use super::block::{Context, Signs, Worker, solve};
use super::error::{PlsError, Result, Status};
use super::kernels::Lanes;
use super::layout::{Layout, Statistic};
use super::prepare::{self, Preparation};
use super::program::{Item, Program};
use super::spec::Sign;
use super::statistics::{Needs, attenuation};
use crate::cancel::Control;
use crate::lanes::{Kernel, Pack};
use crate::moments::{Missing, Table, plain_sums};
use crate::par;
use crate::resample::{Plan, PlanError};

/// How data are read and replicates are treated.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// What is done about missing values.
    pub missing: Missing,
    /// Weights of the rows; one each for `None`.
    pub weights: Option<&'a [f64]>,
    /// What is done to each sample before its moments are taken.
    pub preparation: &'a Preparation,
    /// What is done about signs.
    pub sign: Sign,
    /// Instruction set.
    pub kernel: Kernel,
}

/// One estimation.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The flat vector.
    pub values: Vec<f64>,
    /// How it ended.
    pub status: Status,
    /// Column, node or stage that the status is about; -1 for none.
    pub detail: i32,
    /// Passes of each stage.
    pub passes: Vec<u32>,
    /// Sum of the weights of the rows used.
    pub n_obs: f64,
    /// Means of the data columns; NaN for those that the model does not use.
    pub means: Vec<f64>,
    /// Standard deviations of the data columns.
    pub sds: Vec<f64>,
    /// Scores, rows × nodes; NaN for rows that are left out.
    pub scores: Vec<f64>,
    /// Correlations of items; NaN where two items never stand in one stage.
    pub correlations: Vec<f64>,
    /// Correlations of constructs as reported (corrected under consistent estimation), nodes × nodes.
    pub constructs: Vec<f64>,
    /// Correlations of proxies, nodes × nodes.
    pub proxies: Vec<f64>,
    /// Outer weights, items × nodes; zero where none.
    pub outer_weights: Vec<f64>,
    /// Correlations of items with proxies, items × nodes; NaN where they never stand in one stage.
    pub cross_loadings: Vec<f64>,
    /// Path coefficients, from × to.
    pub paths: Vec<f64>,
    /// rho_A of each node.
    pub rho_a: Vec<f64>,
    /// The rows as they were after a preparation, rows × data columns; NaN for those left out.
    pub prepared: Option<Vec<f64>>,
}

impl Fit {
    /// An estimation that has no numbers.
    pub(super) fn failed(program: &Program, layout: &Layout, n: usize, status: Status, detail: i32) -> Self {
        let (nodes, items, width) = (program.nodes.len(), program.items.len(), program.spec.columns.len());
        let nan = |count: usize| vec![f64::NAN; count];
        Self {
            values: nan(layout.width),
            status,
            detail,
            passes: vec![0; program.stages.len()],
            n_obs: f64::NAN,
            means: nan(width),
            sds: nan(width),
            scores: nan(n * nodes),
            correlations: nan(items * items),
            constructs: nan(nodes * nodes),
            proxies: nan(nodes * nodes),
            outer_weights: nan(items * nodes),
            cross_loadings: nan(items * nodes),
            paths: nan(nodes * nodes),
            rho_a: nan(nodes),
            prepared: None,
        }
    }
}

/// All replicates of a plan.
#[derive(Clone, Debug)]
pub struct Replicates {
    /// Flat vectors, replicates × width.
    pub values: Vec<f64>,
    /// Status and detail of each.
    pub status: Vec<[i32; 2]>,
}

/// Checks the shape of data and weights.
pub(super) fn check(program: &Program, data: &[f64], n: usize, options: &Options<'_>) -> Result<()> {
    let width = program.spec.columns.len();
    if data.len() != n * width {
        return Err(PlsError::Shape {
            what: "data",
            given: format!("{} numbers", data.len()),
            expected: format!("{n} rows of {width} columns"),
        });
    }
    program.check_missing(options.missing)?;
    if let Some(weights) = options.weights {
        if weights.len() != n {
            return Err(PlsError::Shape {
                what: "weights",
                given: format!("({},)", weights.len()),
                expected: format!("({n},): one weight a row"),
            });
        }
        if let Some(row) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
            return Err(PlanError::BadWeight { row, value: weights[row] }.into());
        }
    }
    Ok(())
}

pub(super) fn table(program: &Program, data: &[f64], n: usize, options: &Options<'_>) -> Result<Table> {
    check(program, data, n, options)?;
    let width = program.spec.columns.len();
    Ok(Table::new(data, n, width, &program.base, &program.spec.columns, options.missing)?)
}

/// Row weights of the sample itself.
pub(super) fn own_weights(table: &Table, options: &Options<'_>) -> Vec<f64> {
    let one = |row: usize| options.weights.map_or(1.0, |w| w[row]);
    (0..table.n).map(|row| if table.usable[row] { one(row) } else { 0.0 }).collect()
}

fn solve_one(program: &Program, table: &Table, layout: &Layout, weights: &[f64], all: bool) -> Worker<f64> {
    let needs = Needs::of(program, layout);
    let needs = if all { needs.everything() } else { needs };
    let mut sums = vec![0.0; table.products()];
    plain_sums(table, weights, &mut sums);
    let mut worker = Worker::<f64>::new(program, table, layout.width);
    let x = Context { program, table, layout, needs, signs: &Signs::Own };
    solve(x, &sums, 1, &[weights], &mut worker);
    worker
}

/// Estimates the model once, in plain scalar arithmetic: the same bits on every processor.
pub fn fit(program: &Program, data: &[f64], n: usize, layout: &Layout, options: &Options<'_>) -> Result<Fit> {
    if *options.preparation != Preparation::None {
        return prepare::fit(program, data, n, layout, options);
    }
    let table = table(program, data, n, options)?;
    let weights = own_weights(&table, options);
    let worker = solve_one(program, &table, layout, &weights, true);
    Ok(collect(program, &table, worker))
}

/// What a worker has found about one sample, in terms of the model.
pub(super) fn collect(program: &Program, table: &Table, worker: Worker<f64>) -> Fit {
    let (nodes, items, width) = (program.nodes.len(), program.items.len(), program.spec.columns.len());
    let nan = f64::NAN;
    let mut out = Fit {
        status: worker.outcome.status[0],
        detail: worker.outcome.detail[0],
        passes: worker.outcome.passes.iter().map(|p| p[0]).collect(),
        n_obs: worker.standard.n_obs,
        means: vec![nan; width],
        sds: vec![nan; width],
        scores: scores(program, table, &worker),
        correlations: vec![nan; items * items],
        constructs: vec![nan; nodes * nodes],
        proxies: vec![nan; nodes * nodes],
        outer_weights: vec![0.0; items * nodes],
        cross_loadings: vec![nan; items * nodes],
        paths: vec![0.0; nodes * nodes],
        rho_a: worker.solution.rho_a.clone(),
        prepared: None,
        values: Vec::new(),
    };
    for (k, &column) in program.base.iter().enumerate() {
        out.means[column] = worker.standard.mean[k] + table.shift[k];
        out.sds[column] = worker.standard.sd[k];
    }
    let last = program.stages.len() - 1;
    for (s, stage) in program.stages.iter().enumerate() {
        let estimate = &worker.solution.stages[s];
        let r = worker.solution.correlations(stage, s, &worker.standard.r);
        let (m, j) = (stage.items.len(), stage.blocks.len());
        for a in 0..m {
            for b in 0..m {
                out.correlations[stage.ids[a] * items + stage.ids[b]] = r[a * m + b];
            }
            for (b, block) in stage.blocks.iter().enumerate() {
                out.cross_loadings[stage.ids[a] * nodes + block.node] = estimate.rw[b * m + a];
            }
        }
        for (a, x) in stage.blocks.iter().enumerate() {
            for (b, y) in stage.blocks.iter().enumerate() {
                let at = x.node * nodes + y.node;
                out.proxies[at] = estimate.c[a * j + b];
                out.constructs[at] = if s == last { worker.solution.c[a * j + b] } else { estimate.c[a * j + b] };
            }
            if program.place[x.node].0 == s {
                for i in x.start..x.end {
                    out.outer_weights[stage.ids[i] * nodes + x.node] = estimate.w[i];
                }
            }
        }
    }
    if program.has_levels() {
        // As correlations of the scores that are reported, across the stages.
        let across = &worker.solution.across;
        let rho = &worker.solution.rho_a;
        for stage in &program.stages {
            for &item in &stage.ids {
                let row = item * nodes..(item + 1) * nodes;
                out.cross_loadings[row.clone()].copy_from_slice(&across.loadings[row]);
            }
        }
        for a in 0..nodes {
            for b in (0..nodes).filter(|&b| b != a) {
                let value = across.nodes[a * nodes + b];
                out.proxies[a * nodes + b] = value;
                out.constructs[a * nodes + b] = value / (attenuation(program, a, rho) * attenuation(program, b, rho));
            }
        }
    }
    let stage = program.last();
    for (e, &(from, to)) in stage.edges.iter().enumerate() {
        out.paths[stage.blocks[from].node * nodes + stage.blocks[to].node] = worker.solution.coefficient[e];
    }
    out.values = worker.out;
    out
}

/// Scores of all nodes, rows × nodes; NaN for rows that are left out.
pub(super) fn scores(program: &Program, table: &Table, worker: &Worker<f64>) -> Vec<f64> {
    let (nodes, u, e, n) = (program.nodes.len(), table.columns, table.extended, worker.standard.n_obs);
    let mut out = vec![f64::NAN; table.n * nodes];
    let standard = &worker.standard;
    let z = |row: &[f64], k: usize| {
        let seen = row[table.observed[k].unwrap_or(0)];
        (row[1 + k] - standard.mean[k] * seen) / standard.sd[k]
    };
    // Standardised values of the products; the last stage has them all.
    let mut products = vec![vec![0.0; table.n]; program.products.len()];
    let stage = program.last();
    if !stage.products.is_empty() {
        let (factors, sums) = worker.products(program.stages.len() - 1);
        let mut scratch = vec![0.0; factors.list.len()];
        let mut values = vec![0.0; stage.products.len()];
        for row in (0..table.n).filter(|&row| table.usable[row]) {
            let x = table.row(row);
            factors.values(x, &mut scratch, &mut values);
            for (a, &p) in stage.products.iter().enumerate() {
                let mut value = values[a] - sums[a] / n;
                for (i, &k) in program.products[p].residual_on.iter().enumerate() {
                    value -= worker.beta(p, i) * z(x, k);
                }
                products[p][row] = value / worker.product_sd[p];
            }
        }
        debug_assert_eq!(factors.coefficients.len(), factors.list.len() * e);
    }
    for row in (0..table.n).filter(|&row| table.usable[row]) {
        let x = table.row(row);
        for node in 0..nodes {
            let (s, b) = program.place[node];
            out[row * nodes + node] = block_score(program, worker, s, b, &|k| z(x, k), &|p| products[p][row]);
        }
    }
    debug_assert_eq!(u, program.base.len());
    out
}

fn block_score(
    program: &Program,
    worker: &Worker<f64>,
    s: usize,
    b: usize,
    column: &dyn Fn(usize) -> f64,
    product: &dyn Fn(usize) -> f64,
) -> f64 {
    let stage = &program.stages[s];
    let block = &stage.blocks[b];
    let mut sum = 0.0;
    for i in block.start..block.end {
        let value = match stage.items[i] {
            Item::Column(k) => column(k),
            Item::Score(node) => {
                // The score that the dimension has in the latest stage before this one.
                let from = program.stages[..s]
                    .iter()
                    .enumerate()
                    .rev()
                    .find_map(|(earlier, stage)| stage.block_of[node].map(|b| (earlier, b)));
                from.map_or(f64::NAN, |(s, b)| block_score(program, worker, s, b, column, product))
            }
            Item::Product(p) => product(p),
        };
        sum += worker.solution.stages[s].w[i] * value;
    }
    if block.product && s + 1 == program.stages.len() { sum * worker.solution.scale[b] } else { sum }
}

/// Estimates every replicate of a plan.
pub fn replicate(
    program: &Program,
    data: &[f64],
    n: usize,
    plan: &Plan,
    layout: &Layout,
    options: &Options<'_>,
    pool: &rayon::ThreadPool,
    control: &Control,
) -> Result<Replicates> {
    plan.check(n)?;
    if *options.preparation != Preparation::None {
        return prepare::replicate(program, data, n, plan, layout, options, pool, control);
    }
    let table = table(program, data, n, options)?;
    let own = own_weights(&table, options);
    let signs = original_signs(program, layout, options.sign, || solve_one(program, &table, layout, &own, false));
    let job = Job { program, table: &table, plan, layout, own: &own, signs: &signs, kernel: options.kernel };
    match options.kernel {
        Kernel::Portable => job.run::<Pack<4, false>>(pool, control),
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx2 => job.run::<crate::lanes::Avx2>(pool, control),
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx512 => job.run::<crate::lanes::Avx512>(pool, control),
        #[cfg(not(target_arch = "x86_64"))]
        _ => job.run::<Pack<4, true>>(pool, control),
        #[cfg(target_arch = "x86_64")]
        Kernel::Neon => job.run::<Pack<4, false>>(pool, control),
    }
}

/// Signs that replicates are to take from the `original` sample.
pub(super) fn original_signs(
    program: &Program,
    layout: &Layout,
    sign: Sign,
    original: impl FnOnce() -> Worker<f64>,
) -> Signs {
    match sign {
        Sign::None => Signs::Own,
        Sign::Indicator => {
            let worker = original();
            let mut values = vec![0.0; layout.width];
            for entry in &layout.entries {
                if matches!(
                    entry.statistic,
                    Statistic::Weights
                        | Statistic::Loadings
                        | Statistic::Paths
                        | Statistic::TotalEffects
                        | Statistic::IndirectEffects
                        | Statistic::SpecificIndirect
                        | Statistic::ConstructCorrelations
                        | Statistic::CrossLoadings
                ) {
                    let part = entry.start..entry.start + entry.labels.len();
                    values[part.clone()].copy_from_slice(&worker.out[part]);
                }
            }
            Signs::Each(values)
        }
        Sign::Construct => {
            let worker = original();
            let loadings = program
                .stages
                .iter()
                .zip(&worker.solution.stages)
                .map(|(stage, estimate)| {
                    let m = stage.items.len();
                    stage
                        .blocks
                        .iter()
                        .enumerate()
                        .flat_map(|(b, block)| (block.start..block.end).map(move |i| estimate.rw[b * m + i]))
                        .collect()
                })
                .collect();
            Signs::Construct(loadings)
        }
    }
}

struct Job<'a> {
    program: &'a Program,
    table: &'a Table,
    plan: &'a Plan,
    layout: &'a Layout,
    own: &'a [f64],
    signs: &'a Signs,
    kernel: Kernel,
}

/// The most replicates that one task works on: a multiple of every batch.
const CHUNK: usize = 64;

/// Tasks that few replicates are divided into at least, so that no thread waits long for the last one.
const TASKS: usize = 64;

impl Job<'_> {
    fn run<V: Lanes>(&self, pool: &rayon::ThreadPool, control: &Control) -> Result<Replicates> {
        let replicates = self.plan.replicates(self.table.n);
        let width = self.layout.width;
        control.set_total(replicates as u64);
        let source = Source::new::<V>(self.table, self.plan, self.own, self.kernel, self.program.has_products());
        let side = source.side::<V>();
        let chunk = (replicates / TASKS).next_multiple_of(side).clamp(side, CHUNK);
        let mut values = vec![0.0; replicates * width];
        let scratch = || (source.batch::<V>(), Box::new(Worker::<V>::new(self.program, self.table, width)));
        let status = par::fill(pool, control, &mut values, replicates, chunk, scratch, |scratch, range, values| {
            let (batch, worker) = scratch;
            let mut status = vec![[0, -1]; range.len()];
            for (part, status) in status.chunks_mut(side).enumerate() {
                control.check()?;
                let from = part * side;
                let values = &mut values[from * width..(from + status.len()) * width];
                source.fill::<V>(batch, range.start + from, status.len());
                self.solve(batch, worker, side, values, status);
            }
            Ok::<_, PlsError>(status)
        })?;
        Ok(Replicates { values, status: status.concat() })
    }

    /// Estimates a batch pack by pack.
    fn solve<V: Lanes>(
        &self,
        batch: &Batch,
        worker: &mut Worker<V>,
        side: usize,
        values: &mut [f64],
        status: &mut [[i32; 2]],
    ) {
        let (n, width, lanes) = (self.table.n, self.layout.width, V::LANES);
        let needs = Needs::of(self.program, self.layout);
        let x = Context { program: self.program, table: self.table, layout: self.layout, needs, signs: self.signs };
        for (pack, status) in status.chunks_mut(lanes).enumerate() {
            let from = pack * lanes;
            let mut weights: [&[f64]; 8] = [&[]; 8];
            if !batch.weights.is_empty() {
                for (lane, place) in weights[..lanes].iter_mut().enumerate() {
                    *place = &batch.weights[(from + lane) * n..(from + lane + 1) * n];
                }
            }
            let rows = &mut values[from * width..(from + status.len()) * width];
            V::solve(x, &batch.sums[from..], side, &weights, worker, rows);
            for (lane, place) in status.iter_mut().enumerate() {
                let outcome = &worker.outcome;
                *place = [outcome.status[lane] as i32, outcome.detail[lane]];
                if !outcome.status[lane].keeps_values() {
                    rows[lane * width..(lane + 1) * width].fill(f64::NAN);
                }
            }
        }
    }
}
