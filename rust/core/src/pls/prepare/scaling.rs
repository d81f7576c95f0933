//! Optimal scaling: numbers for the categories of ordinal and nominal indicators (non-metric PLS).
//!
//! Each category gets the value that correlates best with the inner proxy of its construct: its mean of the proxy if
//! the column is nominal, the monotone regression of these means if it is ordinal. Quantification and estimation
//! alternate until neither moves; the fixed point is that of Russolillo (2012), Electron. J. Stat. 6, 1641–1669, where
//! one pass of each is taken at a time.
//!
//! The rows are read once a sample: their counts by pairs of categories are all that the alternation needs.

use super::{Codes, Failure, Grid, sums_of};
use crate::moments::Table;
use crate::pls::block::{Context, Signs, Worker, solve};
use crate::pls::error::Status;
use crate::pls::estimate::{Outcome, Scratch, inner_weights};
use crate::pls::layout::Layout;
use crate::pls::program::{Item, Program};
use crate::pls::spec::Scale;
use crate::pls::statistics::Needs;

/// The categories have settled when no standardised value moves by more than this.
const SETTLED: f64 = 1e-10;
const PASSES: usize = 1_000;

/// The monotone regression of a sequence: the closest one that never falls, by pooling adjacent violators (Barlow,
/// Bartholomew, Bremner & Brunk 1972).
pub fn monotone(values: &[f64], weights: &[f64]) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (&value, &weight) in values.iter().zip(weights) {
        let mut pool = (value, weight, 1);
        while let Some(&(mean, size, count)) = pools.last() {
            if mean <= pool.0 {
                break;
            }
            pools.pop();
            pool = ((mean * size + pool.0 * pool.1) / (size + pool.1), size + pool.1, count + pool.2);
        }
        pools.push(pool);
    }
    pools.into_iter().flat_map(|(mean, _, count)| std::iter::repeat_n(mean, count)).collect()
}

/// What the scaling of a sample comes to: values of the categories of each scaled column, and the moments of all.
pub(super) struct Scaled {
    pub(super) values: Vec<Vec<f64>>,
    pub(super) mean: Vec<f64>,
    pub(super) sd: Vec<f64>,
    pub(super) r: Vec<f64>,
}

/// A column in the cross-products: its first place and how many it has (one if numeric).
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    size: usize,
}

/// Standardises category values: mean zero, standard deviation one with the sum of weights less one.
fn standardise(values: &mut [f64], sizes: &[f64], total: f64) {
    let mean = values.iter().zip(sizes).map(|(v, s)| v * s).sum::<f64>() / total;
    let square: f64 = values.iter().zip(sizes).map(|(v, s)| s * (v - mean) * (v - mean)).sum();
    let sd = (square / (total - 1.0)).sqrt();
    for value in values {
        *value = if sd > 0.0 { (*value - mean) / sd } else { *value - mean };
    }
}

/// Scales the categories of one sample.
pub(super) fn scale(
    program: &Program,
    grid: &Grid,
    codes: &[Option<Codes>],
    scales: &[Scale],
    frame: &Table,
    weights: &[f64],
) -> Result<Scaled, Failure> {
    let (u, n) = (grid.u, grid.n);
    let rows: Vec<usize> = (0..n).filter(|&row| weights[row] > 0.0).collect();
    let total: f64 = rows.iter().map(|&row| weights[row]).sum();
    let mut spans = Vec::with_capacity(u);
    let mut width = 0;
    for code in codes {
        let size = code.as_ref().map_or(1, |c| c.count);
        spans.push(Span { start: width, size });
        width += size;
    }
    let (mut mean, mut sd) = (vec![0.0; u], vec![1.0; u]);
    for k in (0..u).filter(|&k| codes[k].is_none()) {
        let offset = rows.iter().map(|&row| weights[row] * (grid.at(row, k) - grid.shift[k])).sum::<f64>() / total;
        mean[k] = grid.shift[k] + offset;
        let square: f64 = rows.iter().map(|&row| weights[row] * (grid.at(row, k) - mean[k]).powi(2)).sum();
        let size: f64 = rows.iter().map(|&row| weights[row] * (grid.at(row, k) - grid.shift[k]).powi(2)).sum();
        if square.is_nan() || square <= 1e-12 * size {
            return Err(grid.flat(k));
        }
        sd[k] = (square / (total - 1.0)).sqrt();
    }
    // Cross-products of category indicators and standardised numeric columns.
    let mut cross = vec![0.0; width * width];
    let mut places = vec![(0, 0.0); u];
    for &row in &rows {
        for (k, place) in places.iter_mut().enumerate() {
            *place = match &codes[k] {
                Some(code) => (spans[k].start + code.of[row], 1.0),
                None => (spans[k].start, (grid.at(row, k) - mean[k]) / sd[k]),
            };
        }
        let w = weights[row];
        for (k, &(i, x)) in places.iter().enumerate() {
            for &(j, y) in &places[..=k] {
                cross[i * width + j] += w * x * y;
            }
        }
    }
    for a in 0..u {
        for b in 0..a {
            for i in spans[a].start..spans[a].start + spans[a].size {
                for j in spans[b].start..spans[b].start + spans[b].size {
                    cross[j * width + i] = cross[i * width + j];
                }
            }
        }
    }
    let sizes = |k: usize| -> Vec<f64> {
        (spans[k].start..spans[k].start + spans[k].size).map(|i| cross[i * width + i]).collect()
    };
    let mut values: Vec<Vec<f64>> = Vec::with_capacity(u);
    for k in 0..u {
        let mut own: Vec<f64> = (0..spans[k].size).map(|c| c as f64).collect();
        if codes[k].is_some() {
            let size = sizes(k);
            if size.iter().filter(|&&s| s > 0.0).count() < 2 {
                return Err(grid.flat(k));
            }
            standardise(&mut own, &size, total);
        } else {
            own[0] = 1.0;
        }
        values.push(own);
    }
    let stage = program.last();
    let blocks = stage.blocks.len();
    let layout = Layout { entries: Vec::new(), width: 0 };
    let needs =
        Needs { all: false, pairs: true, rho_a: false, inverse: false, total: false, across: false, moments: false };
    let mut worker = Worker::<f64>::new(program, frame, 0);
    let mut scratch = Scratch::new(&program.stages);
    let mut outcome = Outcome::new(program.stages.len());
    let (zero, one) = (vec![0.0; u], vec![1.0; u]);
    let mut r = vec![1.0; u * u];
    for _ in 0..PASSES {
        for a in 0..u {
            for b in 0..a {
                let mut sum = 0.0;
                for (i, x) in values[a].iter().enumerate() {
                    let row = &cross[(spans[a].start + i) * width + spans[b].start..][..spans[b].size];
                    sum += x * row.iter().zip(&values[b]).map(|(c, y)| c * y).sum::<f64>();
                }
                r[a * u + b] = sum / (total - 1.0);
                r[b * u + a] = r[a * u + b];
            }
        }
        let sums = sums_of(frame, total, &zero, &one, &r);
        let x = Context { program, table: frame, layout: &layout, needs, signs: &Signs::Own };
        solve(x, &sums, 1, &[weights], &mut worker);
        if !worker.outcome.status[0].keeps_values() {
            return Err(Failure { status: worker.outcome.status[0], detail: worker.outcome.detail[0] });
        }
        let estimate = &worker.solution.stages[program.stages.len() - 1];
        inner_weights(stage, program.spec.scheme, &estimate.c, &mut scratch, 1, &mut outcome);
        let mut change: f64 = 0.0;
        for (a, block) in stage.blocks.iter().enumerate() {
            for item in block.start..block.end {
                let Item::Column(k) = stage.items[item] else { continue };
                if codes[k].is_none() || stage.neighbours[a].is_empty() {
                    continue;
                }
                let size = sizes(k);
                let mut new = vec![0.0; spans[k].size];
                for &b in &stage.neighbours[a] {
                    let inner = scratch.inner(blocks, a, b);
                    for other in stage.blocks[b].start..stage.blocks[b].end {
                        let Item::Column(q) = stage.items[other] else { continue };
                        let factor = inner * estimate.w[other];
                        for (c, place) in new.iter_mut().enumerate() {
                            let row = &cross[(spans[k].start + c) * width + spans[q].start..][..spans[q].size];
                            *place += factor * row.iter().zip(&values[q]).map(|(x, y)| x * y).sum::<f64>();
                        }
                    }
                }
                for (place, &s) in new.iter_mut().zip(&size) {
                    *place = if s > 0.0 { *place / s } else { 0.0 };
                }
                if scales[k] == Scale::Ordinal {
                    ordered(&mut new, &size);
                }
                standardise(&mut new, &size, total);
                for (c, &s) in size.iter().enumerate() {
                    if s > 0.0 {
                        change = change.max((new[c] - values[k][c]).abs());
                    }
                }
                values[k] = new;
            }
        }
        if change < SETTLED {
            return Ok(Scaled { values, mean, sd, r });
        }
    }
    Err(Failure { status: Status::Scaling, detail: -1 })
}

/// Of the two monotone regressions the one that keeps more of the variance correlates better.
fn ordered(values: &mut [f64], sizes: &[f64]) {
    let used: Vec<usize> = (0..values.len()).filter(|&k| sizes[k] > 0.0).collect();
    let means: Vec<f64> = used.iter().map(|&k| values[k]).collect();
    let weights: Vec<f64> = used.iter().map(|&k| sizes[k]).collect();
    let rising = monotone(&means, &weights);
    let down: Vec<f64> = means.iter().map(|v| -v).collect();
    let falling: Vec<f64> = monotone(&down, &weights).into_iter().map(|v| -v).collect();
    let overall = means.iter().zip(&weights).map(|(m, w)| m * w).sum::<f64>() / weights.iter().sum::<f64>();
    let kept = |v: &[f64]| v.iter().zip(&weights).map(|(v, w)| w * (v - overall) * (v - overall)).sum::<f64>();
    let best = if kept(&rising) >= kept(&falling) { rising } else { falling };
    for (&k, value) in used.iter().zip(best) {
        values[k] = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violators_are_pooled() {
        assert_eq!(monotone(&[1.0, 3.0, 2.0, 4.0], &[1.0; 4]), [1.0, 2.5, 2.5, 4.0]);
        assert_eq!(monotone(&[3.0, 2.0, 1.0], &[1.0, 1.0, 2.0]), [1.75; 3]);
    }
}
