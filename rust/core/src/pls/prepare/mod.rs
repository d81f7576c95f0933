//! What is done to the rows of a sample before its moments are taken.
//!
//! Completion of missing answers, ranks, polychoric correlations and optimal scaling each turn row weights into a
//! sample (rows, or their moments at once) that takes the same way through the estimation as any other. Each is done
//! anew inside every replicate, from that replicate's weights alone.

mod complete;
mod polychoric;
mod scaling;

pub use complete::Moments;
pub use scaling::monotone;

use super::block::{Context, Signs, Worker, solve};
use super::each::each;
use super::engine::{Fit, Options, Replicates, check, collect, original_signs};
use super::error::{PlsError, Result, Status};
use super::layout::Layout;
use super::program::Program;
use super::spec::Scale;
use super::statistics::Needs;
use crate::cancel::Control;
use crate::moments::{Missing, Table, TableError, place, plain_sums};
use crate::resample::Plan;

/// How a sample is prepared.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Preparation {
    /// Not at all.
    #[default]
    None,
    /// Missing answers are predicted from the others, with the moments of the complete rows.
    Regression,
    /// Missing answers are completed so that the data carry the moments that expectation–maximisation finds.
    Em,
    /// Answers become ranks.
    Spearman,
    /// Correlations are those of the normal variables behind the ordinal columns (by data column).
    Polychoric {
        /// Which columns are ordinal.
        ordinal: Vec<bool>,
    },
    /// Categories become the numbers that fit the model best.
    Scaling {
        /// Scale of each data column.
        scales: Vec<Scale>,
    },
}

/// Why a sample could not be prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: Status,
    pub(super) detail: i32,
}

impl Failure {
    /// As the codes of a replicate.
    pub(super) const fn code(self) -> [i32; 2] {
        [self.status as i32, self.detail]
    }
}

pub(super) type Prepared<T> = std::result::Result<T, Failure>;

/// The columns that the model uses.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    n: usize,
    u: usize,
    values: Vec<f64>,
    /// A number near each column's mean.
    shift: Vec<f64>,
    /// Data column of each.
    base: Vec<usize>,
}

impl Grid {
    #[inline]
    fn at(&self, row: usize, k: usize) -> f64 {
        self.values[row * self.u + k]
    }

    /// The failure of a column without variance.
    fn flat(&self, k: usize) -> Failure {
        Failure { status: Status::ZeroVariance, detail: self.base[k] as i32 }
    }
}

/// Categories of a column.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    /// Category of each row; meaningless in rows that are left out.
    of: Vec<usize>,
    /// Number of categories.
    count: usize,
}

/// A prepared sample.
pub(super) enum Sample {
    /// Rows, for products and scores.
    Rows(Table),
    /// Sums of products, laid out as those of the frame.
    Sums(Vec<f64>),
}

/// Everything about the preparation that stays the same for all replicates.
pub(super) struct Ready<'a> {
    program: &'a Program,
    what: &'a Preparation,
    grid: Grid,
    names: Vec<String>,
    usable: Vec<bool>,
    /// A table of the right columns without the rows.
    frame: Table,
    codes: Vec<Option<Codes>>,
    scales: Vec<Scale>,
    patterns: Vec<complete::Pattern>,
    start: Option<Moments>,
    rules: polychoric::Rules,
}

/// Sums of products of a sample with these moments (standard deviations with the sum of weights less one).
fn sums_of(frame: &Table, total: f64, mean: &[f64], sd: &[f64], r: &[f64]) -> Vec<f64> {
    let (u, e) = (frame.columns, frame.extended);
    let mut sums = vec![0.0; frame.products()];
    sums[0] = total;
    for i in 0..u {
        let m = mean[i] - frame.shift[i];
        sums[place(e, 0, i + 1)] = total * m;
        for k in i..u {
            let own = (total - 1.0) * sd[i] * sd[k] * r[i * u + k];
            sums[place(e, i + 1, k + 1)] = own + total * m * (mean[k] - frame.shift[k]);
        }
    }
    sums
}

impl<'a> Ready<'a> {
    /// Prepares what all samples share.
    pub(super) fn new(program: &'a Program, data: &[f64], n: usize, options: &Options<'a>) -> Result<Self> {
        check(program, data, n, options)?;
        let what = options.preparation;
        let width = program.spec.columns.len();
        let u = program.base.len();
        let completes = matches!(what, Preparation::Regression | Preparation::Em);
        if !completes && !matches!(options.missing, Missing::Error | Missing::Listwise) {
            return Err(PlsError::Invalid {
                what: "this preparation of the sample needs complete rows: choose missing=\"error\" or \"listwise\""
                    .to_owned(),
            });
        }
        let mut values = Vec::with_capacity(n * u);
        let mut usable = vec![true; n];
        for row in 0..n {
            for &column in &program.base {
                let value = data[row * width + column];
                let refused = value.is_nan() && !completes && options.missing == Missing::Error;
                if value.is_infinite() || refused {
                    let column = program.spec.columns[column].clone();
                    return Err(TableError::NotFinite { column, row, value }.into());
                }
                usable[row] &= completes || !value.is_nan();
                values.push(value);
            }
        }
        let rows = usable.iter().filter(|&&used| used).count();
        if rows < 2 {
            return Err(TableError::TooFewRows { rows, needed: 2 }.into());
        }
        let shift: Vec<f64> = (0..u)
            .map(|k| {
                let seen = || (0..n).filter(|&row| usable[row]).map(|row| values[row * u + k]).filter(|v| !v.is_nan());
                let count = seen().count();
                if count > 0 { seen().sum::<f64>() / count as f64 } else { 0.0 }
            })
            .collect();
        let names: Vec<String> = program.base.iter().map(|&c| program.spec.columns[c].clone()).collect();
        let all: Vec<usize> = (0..u).collect();
        let frame = Table::new(&[shift.clone(), shift.clone()].concat(), 2, u, &all, &names, Missing::Error)?;
        let grid = Grid { n, u, values, shift, base: program.base.clone() };
        let scales: Vec<Scale> = match what {
            Preparation::Scaling { scales } => program.base.iter().map(|&c| scales[c]).collect(),
            _ => vec![Scale::Numeric; u],
        };
        let codes = (0..u)
            .map(|k| {
                let coded = match what {
                    Preparation::Spearman => true,
                    Preparation::Polychoric { ordinal } => ordinal[program.base[k]],
                    _ => matches!(scales[k], Scale::Ordinal | Scale::Nominal),
                };
                coded.then(|| codes(&grid, &usable, k))
            })
            .collect();
        let patterns = if completes { complete::patterns(&grid) } else { Vec::new() };
        let mut ready = Self {
            program,
            what,
            grid,
            names,
            usable,
            frame,
            codes,
            scales,
            patterns,
            start: None,
            rules: polychoric::Rules::new(),
        };
        if *what == Preparation::Em {
            // The whole sample's moments are near those of every resample: EM needs fewer passes from there.
            ready.start = complete::em(&ready.grid, &ready.patterns, &ready.own_weights(options), None).ok();
        }
        Ok(ready)
    }

    /// Row weights of the sample itself.
    pub(super) fn own_weights(&self, options: &Options<'_>) -> Vec<f64> {
        let one = |row: usize| options.weights.map_or(1.0, |w| w[row]);
        (0..self.grid.n).map(|row| if self.usable[row] { one(row) } else { 0.0 }).collect()
    }

    fn table(&self, values: &[f64]) -> Prepared<Sample> {
        let all: Vec<usize> = (0..self.grid.u).collect();
        match Table::new(values, self.grid.n, self.grid.u, &all, &self.names, Missing::Listwise) {
            Ok(table) => Ok(Sample::Rows(table)),
            Err(_) => Err(Failure { status: Status::TooFewRows, detail: -1 }),
        }
    }

    /// The sample with these row weights; as `rows`, or as moments where these are at hand.
    pub(super) fn sample(&self, weights: &[f64], rows: bool) -> Prepared<Sample> {
        let (grid, total) = (&self.grid, weights.iter().sum::<f64>());
        if total <= 1.0 {
            return Err(Failure { status: Status::TooFewRows, detail: -1 });
        }
        match self.what {
            Preparation::None => self.table(&grid.values),
            Preparation::Regression => {
                let moments = complete::complete_rows(grid, &self.patterns, weights)?;
                self.table(&complete::predict(grid, &self.patterns, &moments))
            }
            Preparation::Em => {
                let moments = complete::em(grid, &self.patterns, weights, self.start.as_ref())?;
                if rows {
                    let mut values = complete::predict(grid, &self.patterns, &moments);
                    complete::carry(&mut values, weights, grid.u, &moments);
                    return self.table(&values);
                }
                Ok(self.sums(total, &moments.mean, &moments.covariance))
            }
            Preparation::Spearman => {
                let mut values = grid.values.clone();
                for (k, codes) in self.codes.iter().enumerate() {
                    if let Some(codes) = codes {
                        let ranks = ranks(codes, weights);
                        for row in (0..grid.n).filter(|&row| self.usable[row]) {
                            values[row * grid.u + k] = ranks[codes.of[row]];
                        }
                    }
                }
                self.table(&values)
            }
            Preparation::Polychoric { .. } => {
                let (mean, scale, r) = polychoric::correlations(grid, &self.codes, &self.rules, weights)?;
                let u = grid.u;
                let covariance: Vec<f64> = (0..u * u).map(|at| r[at] * scale[at / u] * scale[at % u]).collect();
                if rows {
                    let mut values = grid.values.clone();
                    complete::carry(&mut values, weights, u, &Moments { mean, covariance });
                    return self.table(&values);
                }
                Ok(self.sums(total, &mean, &covariance))
            }
            Preparation::Scaling { .. } => {
                let found = scaling::scale(self.program, grid, &self.codes, &self.scales, &self.frame, weights)?;
                if rows {
                    let mut values = grid.values.clone();
                    for (k, codes) in self.codes.iter().enumerate() {
                        if let Some(codes) = codes {
                            for row in (0..grid.n).filter(|&row| self.usable[row]) {
                                values[row * grid.u + k] = found.values[k][codes.of[row]];
                            }
                        }
                    }
                    return self.table(&values);
                }
                Ok(Sample::Sums(sums_of(&self.frame, total, &found.mean, &found.sd, &found.r)))
            }
        }
    }

    /// Sums of a sample with these means and maximum-likelihood covariances.
    fn sums(&self, total: f64, mean: &[f64], covariance: &[f64]) -> Sample {
        let u = self.grid.u;
        let per: Vec<f64> = covariance.iter().map(|value| value * total / (total - 1.0)).collect();
        Sample::Sums(sums_of(&self.frame, total, mean, &vec![1.0; u], &per))
    }

    /// Estimates one sample in the worker; returns its table if it has rows.
    pub(super) fn solve(
        &self,
        sample: Sample,
        weights: &[f64],
        layout: &Layout,
        needs: Needs,
        signs: &Signs,
        worker: &mut Worker<f64>,
    ) -> Option<Table> {
        let solve_in = |table: &Table, sums: &[f64], worker: &mut Worker<f64>| {
            let x = Context { program: self.program, table, layout, needs, signs };
            solve(x, sums, 1, &[weights], worker);
        };
        match sample {
            Sample::Rows(table) => {
                let mut sums = vec![0.0; table.products()];
                plain_sums(&table, weights, &mut sums);
                solve_in(&table, &sums, worker);
                Some(table)
            }
            Sample::Sums(sums) => {
                solve_in(&self.frame, &sums, worker);
                None
            }
        }
    }

    /// A worker for prepared samples.
    pub(super) fn worker(&self, width: usize) -> Worker<f64> {
        Worker::new(self.program, &self.frame, width)
    }
}

fn codes(grid: &Grid, usable: &[bool], k: usize) -> Codes {
    let mut answers: Vec<f64> = (0..grid.n).filter(|&row| usable[row]).map(|row| grid.at(row, k)).collect();
    answers.sort_by(f64::total_cmp);
    answers.dedup();
    let of = (0..grid.n)
        .map(|row| answers.partition_point(|&answer| answer < grid.at(row, k)).min(answers.len() - 1))
        .collect();
    Codes { of, count: answers.len() }
}

/// Mid-rank of each category: a weight of two counts as two tied rows.
fn ranks(codes: &Codes, weights: &[f64]) -> Vec<f64> {
    let mut count = vec![0.0; codes.count];
    for (&code, &w) in codes.of.iter().zip(weights) {
        if w > 0.0 {
            count[code] += w;
        }
    }
    let mut before = 0.0;
    count
        .iter()
        .map(|&size| {
            before += size;
            before - 0.5 * size + 0.5
        })
        .collect()
}

/// Estimates every replicate of a plan, each sample prepared from its own weights.
pub(super) fn replicate(
    program: &Program,
    data: &[f64],
    n: usize,
    plan: &Plan,
    layout: &Layout,
    options: &Options<'_>,
    pool: &rayon::ThreadPool,
    control: &Control,
) -> Result<Replicates> {
    let ready = Ready::new(program, data, n, options)?;
    let own = ready.own_weights(options);
    let needs = Needs::of(program, layout);
    let rows = program.has_products();
    let width = layout.width;
    let signs = original_signs(program, layout, options.sign, || {
        let mut worker = ready.worker(width);
        if let Ok(sample) = ready.sample(&own, rows) {
            ready.solve(sample, &own, layout, needs, &Signs::Own, &mut worker);
        }
        worker
    });
    each(
        plan,
        &own,
        width,
        pool,
        control,
        || ready.worker(width),
        |worker, weights, values| match ready.sample(weights, rows) {
            Ok(sample) => {
                ready.solve(sample, weights, layout, needs, &signs, worker);
                let status = worker.outcome.status[0];
                if status.keeps_values() {
                    values.copy_from_slice(&worker.out);
                }
                [status as i32, worker.outcome.detail[0]]
            }
            Err(failure) => failure.code(),
        },
    )
}

/// Means and covariances of data with missing values by expectation–maximisation, and the data completed with their
/// conditional means; `None` when it has not settled or a column has no variance.
pub fn expectation_maximisation(
    values: &[f64],
    n: usize,
    u: usize,
    weights: &[f64],
    start: Option<&Moments>,
) -> Option<(Moments, Vec<f64>)> {
    let grid = plain_grid(values, n, u);
    let patterns = complete::patterns(&grid);
    let moments = complete::em(&grid, &patterns, weights, start).ok()?;
    let completed = complete::predict(&grid, &patterns, &moments);
    Some((moments, completed))
}

/// Polychoric, polyserial and Pearson correlations of complete data; the number of the column without variance if
/// there is one.
pub fn polychoric(
    values: &[f64],
    n: usize,
    u: usize,
    ordinal: &[bool],
    weights: &[f64],
) -> std::result::Result<Vec<f64>, usize> {
    let grid = plain_grid(values, n, u);
    let usable: Vec<bool> = weights.iter().map(|&w| w > 0.0).collect();
    let codes: Vec<Option<Codes>> = (0..u).map(|k| ordinal[k].then(|| codes(&grid, &usable, k))).collect();
    polychoric::correlations(&grid, &codes, &polychoric::Rules::new(), weights)
        .map(|(_, _, r)| r)
        .map_err(|failure| failure.detail.max(0) as usize)
}

fn plain_grid(values: &[f64], n: usize, u: usize) -> Grid {
    let shift = (0..u)
        .map(|k| {
            let seen = || (0..n).map(|row| values[row * u + k]).filter(|v| !v.is_nan());
            seen().sum::<f64>() / (seen().count().max(1)) as f64
        })
        .collect();
    Grid { n, u, values: values.to_vec(), shift, base: (0..u).collect() }
}

/// Estimates the model once on a prepared sample.
pub(super) fn fit(program: &Program, data: &[f64], n: usize, layout: &Layout, options: &Options<'_>) -> Result<Fit> {
    let ready = Ready::new(program, data, n, options)?;
    let own = ready.own_weights(options);
    let width = program.spec.columns.len();
    let sample = match ready.sample(&own, true) {
        Ok(sample) => sample,
        Err(failure) => return Ok(Fit::failed(program, layout, n, failure.status, failure.detail)),
    };
    let mut worker = ready.worker(layout.width);
    let needs = Needs::of(program, layout).everything();
    let table = ready.solve(sample, &own, layout, needs, &Signs::Own, &mut worker);
    let table = table.as_ref().unwrap_or(&ready.frame);
    let mut prepared = vec![f64::NAN; n * width];
    for row in (0..n).filter(|&row| table.usable[row]) {
        for (k, &column) in program.base.iter().enumerate() {
            prepared[row * width + column] = table.row(row)[1 + k] + table.shift[k];
        }
    }
    let mut out = collect(program, table, worker);
    out.prepared = Some(prepared);
    Ok(out)
}
