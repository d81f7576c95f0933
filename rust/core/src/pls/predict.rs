//! Cross-validated predictions (Shmueli, Ray, Velasquez Estrada & Chatla 2016, JBR 69, 4552–4564).
//!
//! A fold's rows weigh nothing while the model is estimated from the others, whose sums of products are those of all
//! rows less the fold's. A prediction is then the structural model on the fold's scores, a chain of loadings, and a
//! change of units. The linear benchmark solves its normal equations in the same correlations.

use super::block::{Context, Signs, Worker, solve};
use super::engine::{Options, own_weights, scores, table};
use super::error::{PlsError, Result};
use super::layout::{Layout, Statistic};
use super::losses::{Mean, averages, row_losses, sums_of_errors, sums_of_scores};
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
    let owners: Vec<usize> = request.targets.iter().map(|target| target.owner).collect();
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
            row_losses(&actual, &values, &owners, j, &mut losses[source]);
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

#[cfg(test)]
mod tests {
    use super::super::spec::tests::simple;
    use super::super::{Preparation, Sign, fit};
    use super::*;
    use crate::lanes::Kernel;
    use crate::moments::Missing;
    use crate::rng::{Philox, Stream};

    const N: usize = 60;

    fn options() -> Options<'static> {
        Options {
            missing: Missing::Error,
            weights: None,
            preparation: &Preparation::None,
            sign: Sign::None,
            kernel: Kernel::Portable,
        }
    }

    /// Two blocks of two columns, a path from the first to the second.
    fn model() -> (Program, Vec<f64>) {
        let spec = simple(&[2, 2], &[(0, 1)]);
        let mut philox = Philox::replicate([1, 2], Stream::Data, 0);
        let data = (0..N)
            .flat_map(|_| {
                let x = philox.normal();
                let y = 0.7 * x + 0.5 * philox.normal();
                [x, x, y, y].map(|value| value + 0.4 * philox.normal())
            })
            .collect();
        (Program::compile(spec).unwrap(), data)
    }

    fn request<'a>(program: &Program, folds: &'a [i64]) -> Request<'a> {
        let layout = prediction_layout(program).unwrap();
        let loadings = layout.entry(Statistic::Loadings).unwrap();
        let targets = (2..4)
            .map(|column| {
                let at = loadings.labels.iter().position(|label| label[1] == column).unwrap();
                Target { owner: 0, column, chain: vec![loadings.start + at] }
            })
            .collect();
        Request {
            folds,
            earliest: None,
            outcomes: vec![1],
            targets,
            regressors: vec![vec![0, 1]],
            whole: false,
            in_sample: false,
        }
    }

    fn run(program: &Program, data: &[f64], request: &Request<'_>) -> Result<Crossed> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        cross_validate(program, data, N, request, &options(), &pool, &Control::new())
    }

    #[test]
    fn a_fold_is_predicted_by_the_model_of_the_others() {
        let (program, data) = model();
        let folds: Vec<i64> = (0..N as i64).map(|row| row % 4).collect();
        let request = request(&program, &folds);
        let found = run(&program, &data, &request).unwrap();
        let layout = prediction_layout(&program).unwrap();
        for fold in 0..4 {
            let weights: Vec<f64> = folds.iter().map(|f| f64::from(u8::from(*f != fold))).collect();
            let training = Options { weights: Some(&weights), ..options() };
            let one = fit(&program, &data, N, &layout, &training).unwrap();
            let beta = one.values[layout.entry(Statistic::Paths).unwrap().start];
            for row in (0..N).filter(|&row| folds[row] == fold) {
                for (t, target) in request.targets.iter().enumerate() {
                    let score = one.scores[row * 2] * beta;
                    let expected =
                        score * one.values[target.chain[0]] * one.sds[target.column] + one.means[target.column];
                    // One subtracts a fold's sums from all, the other adds the training rows up.
                    assert!((found.predictions[0][row * 2 + t] - expected).abs() < 1e-10);
                    assert!((found.predictions[2][row * 2 + t] - one.means[target.column]).abs() < 1e-12);
                }
                assert!((found.scores[1][row] - one.scores[row * 2 + 1]).abs() < 1e-10);
            }
        }
        assert_eq!(found.status, [0; 4]);
    }

    #[test]
    fn a_request_that_does_not_fit_is_an_error() {
        let (program, data) = model();
        let folds: Vec<i64> = (0..N as i64).map(|row| row % 4).collect();
        let good = request(&program, &folds);
        let spoil = |change: &dyn Fn(&mut Request<'_>)| {
            let mut bad = good.clone();
            change(&mut bad);
            run(&program, &data, &bad).is_err()
        };
        assert!(spoil(&|bad| bad.folds = &[0, 1, 2]));
        assert!(spoil(&|bad| bad.folds = &[]));
        assert!(spoil(&|bad| bad.outcomes = vec![9]));
        assert!(spoil(&|bad| bad.targets[0].owner = 3));
        assert!(spoil(&|bad| bad.targets[0].column = 17));
        assert!(spoil(&|bad| bad.targets[0].chain = vec![1_000]));
        assert!(spoil(&|bad| bad.regressors = vec![vec![99]]));
        assert!(spoil(&|bad| bad.regressors = vec![]));
        assert!(spoil(&|bad| bad.earliest = Some(vec![5])));
        let far = vec![N as i64; N];
        let mut bad = request(&program, &far);
        bad.whole = true;
        assert!(run(&program, &data, &bad).is_err());
    }
}
