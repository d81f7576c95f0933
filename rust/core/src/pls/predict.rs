//! Cross-validated predictions (Shmueli, Ray, Velasquez Estrada & Chatla 2016, JBR 69, 4552–4564).
//!
//! A fold's rows weigh nothing while the model is estimated from the others, whose sums of products are those of all
//! rows less the fold's. A prediction is then the structural model on the fold's scores, a chain of loadings, and a
//! change of units. The linear benchmark solves its normal equations in the same correlations.

use std::ops::Range;

use super::block::{Context, Signs, Worker, solve};
use super::engine::{Options, own_weights, scores, table};
use super::error::{PlsError, Result};
use super::layout::{Layout, Statistic};
use super::program::{Item, Program};
use super::statistics::Needs;
use crate::cancel::Control;
use crate::linalg::{Factor, symmetric_eigen};
use crate::moments::{Table, place};
use crate::par;

/// Where predictions come from: the path model, the linear regression, the average of the indicator.
pub const SOURCES: usize = 3;

/// An indicator that is predicted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Position of its construct among the outcomes.
    pub owner: usize,
    /// Its data column.
    pub column: usize,
    /// Places in the flat vector of the loadings from the construct down to it.
    pub chain: Vec<usize>,
}

/// What is predicted, and how.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Fold of each row, repeats × rows; rows with a negative fold are trained on and not predicted.
    pub folds: &'a [i64],
    /// Endogenous nodes in an order in which predecessors come first, to predict from exogenous scores alone;
    /// `None` to predict from the scores of direct predecessors.
    pub earliest: Option<Vec<usize>>,
    /// The nodes whose indicators are predicted.
    pub outcomes: Vec<usize>,
    /// Their indicators.
    pub targets: Vec<Target>,
    /// Data columns that the linear regression of each outcome's indicators takes.
    pub regressors: Vec<Vec<usize>>,
    /// Whether the average benchmark is of all rows, not of the training rows.
    pub whole: bool,
    /// Whether the rows trained on are predicted instead.
    pub in_sample: bool,
}

/// What a cross-validation found; means over repeats leave NaN out.
#[derive(Clone, Debug, PartialEq)]
pub struct Crossed {
    /// Mean predictions by source, rows × targets.
    pub predictions: [Vec<f64>; SOURCES],
    /// Mean predicted and actual scores, rows × outcomes.
    pub scores: [Vec<f64>; 2],
    /// By source: sums over rows of weights, squared, absolute and relative absolute errors, repeats × 4 × targets.
    pub metrics: [Vec<f64>; SOURCES],
    /// Sums of weights, squared and absolute errors and squared scores, repeats × 4 × outcomes.
    pub score_metrics: Vec<f64>,
    /// Mean squared error of each row over the indicators of an outcome, by source, rows × outcomes.
    pub losses: [Vec<f64>; SOURCES],
    /// Status of each estimation, repeats × folds.
    pub status: Vec<i32>,
    /// Whether it gave no predictions.
    pub failed: Vec<bool>,
    /// Largest number of folds.
    pub folds: usize,
}

/// The flat vector that [`Target::chain`] refers to.
pub fn prediction_layout(program: &Program) -> Result<Layout> {
    Layout::new(program, Some(&[Statistic::Loadings, Statistic::Paths]))
}

struct Job<'a> {
    program: &'a Program,
    table: &'a Table,
    layout: &'a Layout,
    request: &'a Request<'a>,
    own: &'a [f64],
    /// Sums of products of all rows.
    total: &'a [f64],
    /// Base column of each data column.
    base: &'a [usize],
    /// Averages of all rows, by target.
    whole: &'a [f64],
}

/// Predictions for the rows of one fold.
struct Fold {
    rows: Vec<usize>,
    pls: Vec<f64>,
    lm: Vec<f64>,
    average: Vec<f64>,
    predicted: Vec<f64>,
    actual: Vec<f64>,
    status: i32,
    failed: bool,
}

/// Linear regressions of all targets, in standard units.
struct Regression {
    columns: Vec<usize>,
    slopes: Vec<f64>,
}

/// Predicts every fold of every repeat from the others.
pub fn cross_validate(
    program: &Program,
    data: &[f64],
    n: usize,
    request: &Request<'_>,
    options: &Options<'_>,
    pool: &rayon::ThreadPool,
    control: &Control,
) -> Result<Crossed> {
    let layout = prediction_layout(program)?;
    check(program, &layout, request, n)?;
    let table = table(program, data, n, options)?;
    let own = own_weights(&table, options);
    let width = program.spec.columns.len();
    let mut base = vec![usize::MAX; width];
    for (k, &column) in program.base.iter().enumerate() {
        base[column] = k;
    }
    let mut total = vec![0.0; table.products()];
    add_rows(&table, 0..n, &own, &mut total);
    let (q, j) = (request.targets.len(), request.outcomes.len());
    // What is really there: NaN for answers that are missing and rows that are left out.
    let mut actual = vec![f64::NAN; n * q];
    for row in (0..n).filter(|&row| table.usable[row]) {
        for (t, target) in request.targets.iter().enumerate() {
            actual[row * q + t] = data[row * width + target.column];
        }
    }
    let whole = averages(&actual, &own, q);
    let job =
        Job { program, table: &table, layout: &layout, request, own: &own, total: &total, base: &base, whole: &whole };
    let repeats = request.folds.len() / n;
    let counts: Vec<usize> = request
        .folds
        .chunks(n)
        .map(|of| of.iter().copied().max().map_or(0, |most| usize::try_from(most + 1).unwrap_or(0)))
        .collect();
    let folds = counts.iter().copied().max().unwrap_or(0);
    control.set_total(counts.iter().map(|&count| count as u64).sum());
    let weights: Vec<f64> = (0..n).map(|row| options.weights.map_or(1.0, |w| w[row])).collect();
    let mut means: [Mean; SOURCES] = std::array::from_fn(|_| Mean::new(n, q));
    let mut score_means: [Mean; 2] = std::array::from_fn(|_| Mean::new(n, j));
    let mut losses: [Mean; SOURCES] = std::array::from_fn(|_| Mean::new(n, j));
    let mut metrics: [Vec<f64>; SOURCES] = std::array::from_fn(|_| Vec::with_capacity(repeats * 4 * q));
    let mut score_metrics = Vec::with_capacity(repeats * 4 * j);
    let mut status = vec![0; repeats * folds];
    let mut failed = vec![false; repeats * folds];
    for (repeat, of) in request.folds.chunks(n).enumerate() {
        let mut found: [Mean; SOURCES] = std::array::from_fn(|_| Mean::new(n, q));
        let mut found_scores: [Mean; 2] = std::array::from_fn(|_| Mean::new(n, j));
        // Folds at a time: as many as keep the predictions of rows trained on within some 32 MB.
        let batch = if request.in_sample { (4_000_000 / (n * q).max(1)).max(1) } else { counts[repeat].max(1) };
        for first in (0..counts[repeat]).step_by(batch) {
            let last = (first + batch).min(counts[repeat]);
            let results = par::chunks(
                pool,
                control,
                last - first,
                1,
                || Worker::<f64>::new(program, &table, layout.width),
                |worker, range| Ok::<_, PlsError>(job.fold(of, (first + range.start) as i64, worker)),
            )?;
            for (fold, result) in (first..last).zip(results) {
                status[repeat * folds + fold] = result.status;
                failed[repeat * folds + fold] = result.failed;
                for (r, &row) in result.rows.iter().enumerate() {
                    found[0].add(row, &result.pls[r * q..(r + 1) * q]);
                    found[1].add(row, &result.lm[r * q..(r + 1) * q]);
                    found[2].add(row, &result.average);
                    found_scores[0].add(row, &result.predicted[r * j..(r + 1) * j]);
                    found_scores[1].add(row, &result.actual[r * j..(r + 1) * j]);
                }
            }
        }
        for (source, mean) in found.into_iter().enumerate() {
            let values = mean.finish();
            sums_of_errors(&actual, &values, &weights, q, &mut metrics[source]);
            row_losses(&actual, &values, request, &mut losses[source]);
            means[source].add_all(&values);
        }
        let [predicted, real] = found_scores.map(Mean::finish);
        sums_of_scores(&real, &predicted, &weights, j, &mut score_metrics);
        score_means[0].add_all(&predicted);
        score_means[1].add_all(&real);
    }
    Ok(Crossed {
        predictions: means.map(Mean::finish),
        scores: score_means.map(Mean::finish),
        metrics,
        score_metrics,
        losses: losses.map(Mean::finish),
        status,
        failed,
        folds,
    })
}

fn check(program: &Program, layout: &Layout, request: &Request<'_>, n: usize) -> Result<()> {
    if n == 0 || request.folds.is_empty() || !request.folds.len().is_multiple_of(n) {
        return Err(PlsError::Shape {
            what: "folds",
            given: format!("{} numbers", request.folds.len()),
            expected: format!("(repeats, {n})"),
        });
    }
    let columns = program.spec.columns.len();
    let nodes = program.nodes.len();
    let bad = |what, index, limit| Err(PlsError::OutOfRange { what, index, limit });
    let order = request.earliest.iter().flatten();
    if let Some(&node) = request.outcomes.iter().chain(order).find(|&&node| node >= nodes) {
        return bad("node", node, nodes);
    }
    for target in &request.targets {
        if target.owner >= request.outcomes.len() {
            return bad("outcome", target.owner, request.outcomes.len());
        }
        if let Some(&at) = target.chain.iter().find(|&&at| at >= layout.width) {
            return bad("place", at, layout.width);
        }
    }
    let used = request.targets.iter().map(|target| target.column).chain(request.regressors.iter().flatten().copied());
    for column in used {
        if !program.base.contains(&column) {
            return bad("column", column, columns);
        }
    }
    if request.regressors.len() != request.outcomes.len() {
        return bad("regressors", request.regressors.len(), request.outcomes.len());
    }
    if let Some(&fold) = request.folds.iter().find(|&&fold| fold >= n as i64) {
        return bad("fold", usize::try_from(fold).unwrap_or(0), n);
    }
    Ok(())
}

/// Adds the weighted products of some rows.
fn add_rows(table: &Table, rows: impl IntoIterator<Item = usize>, own: &[f64], out: &mut [f64]) {
    let e = table.extended;
    for row in rows {
        let weight = own[row];
        if weight == 0.0 {
            continue;
        }
        let x = &table.row(row)[..e];
        for i in 0..e {
            let left = weight * x[i];
            let from = place(e, i, i);
            for (sum, right) in out[from..from + e - i].iter_mut().zip(&x[i..]) {
                *sum += left * right;
            }
        }
    }
}

impl Job<'_> {
    fn fold(&self, of: &[i64], fold: i64, worker: &mut Worker<f64>) -> Fold {
        let Job { program, table, layout, request, own, .. } = *self;
        let n = table.n;
        let out: Vec<usize> = (0..n).filter(|&row| of[row] == fold).collect();
        let mut sums = vec![0.0; table.products()];
        if out.len() * 2 <= n {
            add_rows(table, out.iter().copied(), own, &mut sums);
            for (sum, total) in sums.iter_mut().zip(self.total) {
                *sum = total - *sum;
            }
        } else {
            // So few rows are left that a difference would lose digits.
            add_rows(table, (0..n).filter(|&row| of[row] != fold), own, &mut sums);
        }
        let weights: Vec<f64> = if program.has_products() {
            (0..n).map(|row| if of[row] == fold { 0.0 } else { own[row] }).collect()
        } else {
            Vec::new()
        };
        let needs = Needs::of(program, layout);
        solve(Context { program, table, layout, needs, signs: &Signs::Own }, &sums, 1, &[&weights], worker);
        let failed = !worker.outcome.status[0].keeps_values();
        let rows = if request.in_sample { (0..n).filter(|&row| of[row] != fold).collect() } else { out };
        let mut result = Fold {
            pls: vec![f64::NAN; rows.len() * request.targets.len()],
            lm: vec![f64::NAN; rows.len() * request.targets.len()],
            average: self.whole.to_vec(),
            predicted: vec![f64::NAN; rows.len() * request.outcomes.len()],
            actual: vec![f64::NAN; rows.len() * request.outcomes.len()],
            rows,
            status: worker.outcome.status[0] as i32,
            failed,
        };
        if !request.whole {
            for (value, target) in result.average.iter_mut().zip(&request.targets) {
                let k = self.base[target.column];
                *value = worker.standard.mean[k] + table.shift[k];
            }
        }
        self.regress(worker, &mut result);
        if !failed {
            self.model(worker, &mut result);
        }
        result
    }

    /// Standardised answers of a row; zero where one is missing.
    fn standardised(&self, worker: &Worker<f64>, row: usize, out: &mut [f64]) {
        let x = self.table.row(row);
        for (k, value) in out.iter_mut().enumerate() {
            let seen = x[self.table.observed[k].unwrap_or(0)];
            *value = (x[1 + k] - worker.standard.mean[k] * seen) / worker.standard.sd[k];
        }
    }

    /// Predictions of the path model.
    fn model(&self, worker: &Worker<f64>, out: &mut Fold) {
        let Job { program, table, layout, request, .. } = *self;
        let (nodes, u) = (program.nodes.len(), table.columns);
        let (q, j) = (request.targets.len(), request.outcomes.len());
        let mut paths = Vec::new();
        if let Some(entry) = layout.entry(Statistic::Paths) {
            for (at, label) in (entry.start..).zip(&entry.labels) {
                paths.push((label[0], label[1], worker.out[at]));
            }
        }
        // Units of each target for one standard deviation of its construct.
        let slopes: Vec<f64> = request
            .targets
            .iter()
            .map(|target| {
                let loading: f64 = target.chain.iter().map(|&at| worker.out[at]).product();
                loading * worker.standard.sd[self.base[target.column]]
            })
            .collect();
        let means: Vec<f64> = request
            .targets
            .iter()
            .map(|target| {
                let k = self.base[target.column];
                worker.standard.mean[k] + table.shift[k]
            })
            .collect();
        // Scores are sums of standardised columns, but for products, which need a pass over the rows.
        let whole = if program.has_products() { scores(program, table, worker) } else { Vec::new() };
        let mut combined = vec![0.0; if whole.is_empty() { nodes * u } else { 0 }];
        if whole.is_empty() {
            for node in 0..nodes {
                let (s, b) = program.place[node];
                combine(program, worker, s, b, 1.0, &mut combined[node * u..(node + 1) * u]);
            }
        }
        let mut z = vec![0.0; u];
        let mut score = vec![0.0; nodes];
        for (r, &row) in out.rows.iter().enumerate() {
            if !table.usable[row] {
                continue;
            }
            if whole.is_empty() {
                self.standardised(worker, row, &mut z);
                for (node, value) in score.iter_mut().enumerate() {
                    *value = combined[node * u..(node + 1) * u].iter().zip(&z).map(|(c, z)| c * z).sum();
                }
            } else {
                score.copy_from_slice(&whole[row * nodes..(row + 1) * nodes]);
            }
            for (value, &node) in out.actual[r * j..(r + 1) * j].iter_mut().zip(&request.outcomes) {
                *value = score[node];
            }
            if let Some(order) = &request.earliest {
                for &node in order {
                    score[node] =
                        paths.iter().filter(|(_, to, _)| *to == node).map(|(from, _, beta)| score[*from] * beta).sum();
                }
            }
            let predicted = &mut out.predicted[r * j..(r + 1) * j];
            for (value, &node) in predicted.iter_mut().zip(&request.outcomes) {
                *value = if request.earliest.is_some() {
                    score[node]
                } else {
                    paths.iter().filter(|(_, to, _)| *to == node).map(|(from, _, beta)| score[*from] * beta).sum()
                };
            }
            for (t, target) in request.targets.iter().enumerate() {
                out.pls[r * q + t] = predicted[target.owner] * slopes[t] + means[t];
            }
        }
    }

    /// Predictions of the linear benchmark.
    fn regress(&self, worker: &Worker<f64>, out: &mut Fold) {
        let Job { table, request, .. } = *self;
        let (q, u) = (request.targets.len(), table.columns);
        let r = &worker.standard.r;
        let mut factor = Factor::<f64>::new();
        let mut singular = false;
        let mut inverse = Vec::new();
        let mut done: Vec<Regression> = Vec::new();
        for (owner, wanted) in request.regressors.iter().enumerate() {
            // A column without variance explains nothing.
            let columns: Vec<usize> =
                wanted.iter().map(|&column| self.base[column]).filter(|&k| worker.standard.flat[k] == 0).collect();
            let m = columns.len();
            if done.last().is_none_or(|last| last.columns != columns) {
                singular = m > 0 && factor.factor(m, |a, b| r[columns[a] * u + columns[b]]) != 0;
                inverse = if singular { pseudo_inverse(r, u, &columns) } else { Vec::new() };
            }
            let mut slopes = Vec::new();
            for target in request.targets.iter().filter(|target| target.owner == owner) {
                let y = self.base[target.column];
                let mut b: Vec<f64> = columns.iter().map(|&k| r[k * u + y]).collect();
                if worker.standard.flat[y] != 0 {
                    b.fill(0.0);
                } else if singular {
                    b = (0..m).map(|a| (0..m).map(|c| inverse[a * m + c] * b[c]).sum()).collect();
                } else if m > 0 {
                    factor.solve(&mut b);
                }
                slopes.extend(b);
            }
            done.push(Regression { columns, slopes });
        }
        let mut z = vec![0.0; u];
        for (place, &row) in out.rows.iter().enumerate() {
            if !table.usable[row] {
                continue;
            }
            self.standardised(worker, row, &mut z);
            let mut used = vec![0; done.len()];
            for (t, target) in request.targets.iter().enumerate() {
                let Regression { columns, slopes } = &done[target.owner];
                let own = &slopes[used[target.owner] * columns.len()..(used[target.owner] + 1) * columns.len()];
                used[target.owner] += 1;
                let y = self.base[target.column];
                let sum: f64 = own.iter().zip(columns).map(|(slope, &k)| slope * z[k]).sum();
                let spread = if worker.standard.flat[y] == 0 { worker.standard.sd[y] * sum } else { 0.0 };
                out.lm[place * q + t] = worker.standard.mean[y] + table.shift[y] + spread;
            }
        }
    }
}

/// Adds `scale` times the score of a block, as a sum of standardised columns.
fn combine(program: &Program, worker: &Worker<f64>, s: usize, b: usize, scale: f64, out: &mut [f64]) {
    let stage = &program.stages[s];
    let block = &stage.blocks[b];
    for i in block.start..block.end {
        let weight = scale * worker.solution.stages[s].w[i];
        match stage.items[i] {
            Item::Column(k) => out[k] += weight,
            Item::Score(node) => {
                // The score that the dimension has in the latest stage before this one.
                let from = (0..s).rev().find_map(|earlier| Some((earlier, program.stages[earlier].block_of[node]?)));
                if let Some((earlier, inner)) = from {
                    combine(program, worker, earlier, inner, weight, out);
                }
            }
            Item::Product(_) => {}
        }
    }
}

/// The Moore–Penrose inverse of some correlations: collinear regressors share their coefficient.
fn pseudo_inverse(r: &[f64], u: usize, columns: &[usize]) -> Vec<f64> {
    let m = columns.len();
    let mut square = vec![0.0; m * m];
    for (a, &k) in columns.iter().enumerate() {
        for (b, &l) in columns.iter().enumerate() {
            square[a * m + b] = r[k * u + l];
        }
    }
    let (values, vectors) = symmetric_eigen(&square, m);
    let least = values.first().copied().unwrap_or(0.0) * 1e-12;
    let mut inverse = vec![0.0; m * m];
    for (k, &value) in values.iter().enumerate().filter(|(_, value)| **value > least) {
        for a in 0..m {
            for b in 0..m {
                inverse[a * m + b] += vectors[k * m + a] * vectors[k * m + b] / value;
            }
        }
    }
    inverse
}

/// A mean that grows row by row, without NaN.
struct Mean {
    width: usize,
    total: Vec<f64>,
    count: Vec<u32>,
}

impl Mean {
    fn new(rows: usize, width: usize) -> Self {
        Self { width, total: vec![0.0; rows * width], count: vec![0; rows * width] }
    }

    fn add(&mut self, row: usize, values: &[f64]) {
        let range: Range<usize> = row * self.width..(row + 1) * self.width;
        let places = self.total[range.clone()].iter_mut().zip(&mut self.count[range]);
        for ((total, count), value) in places.zip(values) {
            if !value.is_nan() {
                *total += value;
                *count += 1;
            }
        }
    }

    fn add_all(&mut self, values: &[f64]) {
        for ((total, count), value) in self.total.iter_mut().zip(&mut self.count).zip(values) {
            if !value.is_nan() {
                *total += value;
                *count += 1;
            }
        }
    }

    fn finish(self) -> Vec<f64> {
        self.total
            .into_iter()
            .zip(self.count)
            .map(|(total, count)| if count == 0 { f64::NAN } else { total / f64::from(count) })
            .collect()
    }
}

fn averages(values: &[f64], weights: &[f64], width: usize) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); width];
    for (row, &weight) in values.chunks(width.max(1)).zip(weights) {
        for ((sum, count), value) in sums.iter_mut().zip(row) {
            if !value.is_nan() {
                *sum += weight * value;
                *count += weight;
            }
        }
    }
    sums.into_iter().map(|(sum, count)| if count > 0.0 { sum / count } else { f64::NAN }).collect()
}

/// Appends sums of weights, squared, absolute and relative absolute errors; an answer of zero has no relative error,
/// so that its column's sum is NaN.
fn sums_of_errors(actual: &[f64], predicted: &[f64], weights: &[f64], width: usize, out: &mut Vec<f64>) {
    let mut sums = vec![0.0; 4 * width];
    for (row, &weight) in weights.iter().enumerate() {
        for t in 0..width {
            let value = actual[row * width + t];
            let error = (value - predicted[row * width + t]).abs();
            if !error.is_nan() {
                sums[t] += weight;
                sums[width + t] += weight * error * error;
                sums[2 * width + t] += weight * error;
                sums[3 * width + t] += if value == 0.0 { f64::NAN } else { weight * error / value.abs() };
            }
        }
    }
    out.extend(sums);
}

/// Appends sums of weights, squared and absolute errors of scores, and of squared scores.
fn sums_of_scores(actual: &[f64], predicted: &[f64], weights: &[f64], width: usize, out: &mut Vec<f64>) {
    let mut sums = vec![0.0; 4 * width];
    for (row, &weight) in weights.iter().enumerate() {
        for t in 0..width {
            let value = actual[row * width + t];
            let error = (value - predicted[row * width + t]).abs();
            if !error.is_nan() {
                sums[t] += weight;
                sums[width + t] += weight * error * error;
                sums[2 * width + t] += weight * error;
                sums[3 * width + t] += weight * value * value;
            }
        }
    }
    out.extend(sums);
}

/// Adds each row's mean squared error over the indicators of each outcome.
fn row_losses(actual: &[f64], predicted: &[f64], request: &Request<'_>, out: &mut Mean) {
    let (q, j) = (request.targets.len(), request.outcomes.len());
    let mut sums = vec![(0.0, 0.0); j];
    let mut losses = vec![0.0; j];
    for (row, (real, found)) in actual.chunks(q.max(1)).zip(predicted.chunks(q.max(1))).enumerate() {
        sums.fill((0.0, 0.0));
        for (t, target) in request.targets.iter().enumerate() {
            let error = real[t] - found[t];
            if !error.is_nan() {
                let (sum, count) = &mut sums[target.owner];
                *sum += error * error;
                *count += 1.0;
            }
        }
        for (loss, (sum, count)) in losses.iter_mut().zip(&sums) {
            *loss = if *count > 0.0 { sum / count } else { f64::NAN };
        }
        out.add(row, &losses);
    }
}
