//! Gaussian copula terms for endogenous predictors, replicate by replicate.
//!
//! The term of a predictor is `Φ⁻¹` of its distribution function in the sample (Park & Gupta 2012, Marketing Science
//! 31(4), 567–586; Hult et al. 2018 for PLS scores), the last step taken as n/(n + 1) (Becker, Proksch & Ringle 2022);
//! "2sCOPE" frees it of what the exogenous predictors' terms explain (Yang, Qian & Xie 2025). Scores are estimated anew
//! in every replicate, and the equation is least squares on scores and terms.

use super::block::{Context, Signs, Worker, solve};
use super::each::each;
use super::engine::{Options, Replicates, own_weights, scores, table};
use super::error::{PlsError, Result, Status};
use super::layout::Layout;
use super::prepare::{Preparation, Ready};
use super::program::Program;
use super::statistics::Needs;
use crate::cancel::Control;
use crate::linalg::Factor;
use crate::moments::{Table, plain_sums};
use crate::resample::Plan;
use crate::rng::normal_quantile;

/// An equation with copula terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endogenous {
    /// The node that is explained.
    pub outcome: usize,
    /// The nodes that explain it.
    pub predictors: Vec<usize>,
    /// Which of the predictors get a term.
    pub terms: Vec<bool>,
    /// Whether terms are freed of the exogenous predictors' terms.
    pub two_scope: bool,
}

/// The term of one column: rows of equal value share a step.
fn term(column: &[f64], weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    let mut order: Vec<usize> = (0..column.len()).collect();
    order.sort_by(|&a, &b| column[a].total_cmp(&column[b]));
    let mut out = vec![0.0; column.len()];
    let (mut at, mut below) = (0, 0.0);
    while at < order.len() {
        let mut end = at;
        while end < order.len() && column[order[end]] == column[order[at]] {
            below += weights[order[end]];
            end += 1;
        }
        let share = below / total;
        let share = if share >= 1.0 - 1e-12 { total / (total + 1.0) } else { share };
        let value = normal_quantile(share.max(0.5 / total));
        for &row in &order[at..end] {
            out[row] = value;
        }
        at = end;
    }
    out
}

/// Least squares of `y` on `columns` with a constant; `None` when they are linearly dependent.
fn regress(y: &[f64], columns: &[&[f64]], weights: &[f64]) -> Option<Vec<f64>> {
    let (k, total) = (columns.len(), weights.iter().sum::<f64>());
    let mean = |x: &[f64]| x.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>() / total;
    let means: Vec<f64> = columns.iter().map(|column| mean(column)).collect();
    let cross = |a: &[f64], m: f64, b: &[f64], o: f64| {
        a.iter().zip(b).zip(weights).map(|((x, y), w)| w * (x - m) * (y - o)).sum::<f64>()
    };
    let own = mean(y);
    let scale: Vec<f64> = columns.iter().zip(&means).map(|(column, &m)| cross(column, m, column, m).sqrt()).collect();
    let mut a = vec![1.0; k * k];
    for i in 0..k {
        for j in 0..i {
            a[i * k + j] = cross(columns[i], means[i], columns[j], means[j]) / (scale[i] * scale[j]);
        }
    }
    let mut b: Vec<f64> = (0..k).map(|i| cross(columns[i], means[i], y, own) / scale[i]).collect();
    let mut factor = Factor::<f64>::new();
    if factor.factor(k, |i, j| a[i * k + j]) != 0 {
        return None;
    }
    factor.solve(&mut b);
    Some(b.iter().zip(&scale).map(|(value, scale)| value / scale).collect())
}

/// Coefficients of predictors and terms from scores; `None` when the equation has no solution.
fn equation(scores: &[f64], nodes: usize, what: &Endogenous, weights: &[f64]) -> Option<Vec<f64>> {
    let rows: Vec<usize> = (0..weights.len())
        .filter(|&row| weights[row] > 0.0 && scores[row * nodes..(row + 1) * nodes].iter().all(|v| v.is_finite()))
        .collect();
    let w: Vec<f64> = rows.iter().map(|&row| weights[row]).collect();
    let column = |node: usize| rows.iter().map(|&row| scores[row * nodes + node]).collect::<Vec<f64>>();
    let mut columns: Vec<Vec<f64>> = what.predictors.iter().map(|&node| column(node)).collect();
    let others: Vec<Vec<f64>> = what
        .terms
        .iter()
        .zip(&columns)
        .filter(|(endogenous, _)| what.two_scope && !**endogenous)
        .map(|(_, values)| term(values, &w))
        .collect();
    let others: Vec<&[f64]> = others.iter().map(Vec::as_slice).collect();
    for number in 0..what.predictors.len() {
        if what.terms[number] {
            let mut values = term(&columns[number], &w);
            if !others.is_empty() {
                let slopes = regress(&values, &others, &w)?;
                for (other, slope) in others.iter().zip(slopes) {
                    for (value, x) in values.iter_mut().zip(*other) {
                        *value -= slope * x;
                    }
                }
            }
            columns.push(values);
        }
    }
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    regress(&column(what.outcome), &columns, &w)
}

/// Estimates the equation in every replicate of a plan; predictors first, then the terms.
pub fn copula(
    program: &Program,
    data: &[f64],
    n: usize,
    plan: &Plan,
    what: &Endogenous,
    options: &Options<'_>,
    pool: &rayon::ThreadPool,
    control: &Control,
) -> Result<Replicates> {
    plan.check(n)?;
    let nodes = program.nodes.len();
    if what.terms.len() != what.predictors.len()
        || what.predictors.iter().chain([&what.outcome]).any(|&node| node >= nodes)
    {
        return Err(PlsError::Invalid {
            what: "a copula equation names nodes that the model does not have".to_owned(),
        });
    }
    let prepared = *options.preparation != Preparation::None;
    let ready = if prepared { Some(Ready::new(program, data, n, options)?) } else { None };
    let plain = if prepared { None } else { Some(table(program, data, n, options)?) };
    let own = match (&ready, &plain) {
        (Some(ready), _) => ready.own_weights(options),
        (None, Some(plain)) => own_weights(plain, options),
        (None, None) => vec![1.0; n],
    };
    let layout = Layout { entries: Vec::new(), width: 0 };
    let needs = Needs::of(program, &layout);
    let width = what.predictors.len() + what.terms.iter().filter(|&&term| term).count();
    let one = |weights: &[f64], values: &mut [f64]| -> [i32; 2] {
        let run = |table: &Table, mut worker: Worker<f64>, solved: bool, values: &mut [f64]| {
            if !solved {
                let mut sums = vec![0.0; table.products()];
                plain_sums(table, weights, &mut sums);
                let x = Context { program, table, layout: &layout, needs, signs: &Signs::Own };
                solve(x, &sums, 1, &[weights], &mut worker);
            }
            let (status, detail) = (worker.outcome.status[0], worker.outcome.detail[0]);
            if !status.keeps_values() {
                return [status as i32, detail];
            }
            match equation(&scores(program, table, &worker), nodes, what, weights) {
                Some(found) => {
                    values.copy_from_slice(&found);
                    [status as i32, detail]
                }
                None => [Status::SingularPredictors as i32, what.outcome as i32],
            }
        };
        match (&ready, &plain) {
            (Some(ready), _) => match ready.sample(weights, true) {
                Ok(sample) => {
                    let mut worker = ready.worker(0);
                    match ready.solve(sample, weights, &layout, needs, &Signs::Own, &mut worker) {
                        Some(table) => run(&table, worker, true, values),
                        None => [Status::NotFinite as i32, -1],
                    }
                }
                Err(failure) => failure.code(),
            },
            (None, Some(plain)) => run(plain, Worker::new(program, plain, 0), false, values),
            (None, None) => [Status::NotFinite as i32, -1],
        }
    };
    each(plan, &own, width, pool, control, || (), |(), weights, values| one(weights, values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_a_step_and_the_last_step_stays_below_one() {
        let found = term(&[2.0, 1.0, 2.0, 5.0], &[1.0; 4]);
        let expected = [0.75, 0.25, 0.75, 0.8].map(normal_quantile);
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15));
    }

    #[test]
    fn a_line_is_found_and_a_dependent_column_refused() {
        let x = [0.0, 1.0, 2.0, 4.0];
        let z = [1.0, 0.0, 3.0, 1.0];
        let y: Vec<f64> = x.iter().zip(&z).map(|(x, z)| 2.0 + 3.0 * x - z).collect();
        let found = regress(&y, &[&x, &z], &[1.0, 2.0, 1.0, 1.0]).unwrap();
        assert!((found[0] - 3.0).abs() < 1e-12 && (found[1] + 1.0).abs() < 1e-12);
        assert_eq!(regress(&y, &[&x, &x], &[1.0; 4]), None);
    }
}
