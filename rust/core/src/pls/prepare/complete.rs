//! Missing answers: completion by regression, and by expectation–maximisation (Dempster, Laird & Rubin 1977).
//!
//! EM for normal data needs the rows only once: what they add to its sums follows, for each pattern of missing
//! answers, from that pattern's own moments (Little & Rubin 2019, §11.2).

use super::{Failure, Grid};
use crate::linalg::{inverse, symmetric_eigen};
use crate::pls::error::Status;

/// EM has settled when no mean or covariance moves by more than this, on standardised columns.
const SETTLED: f64 = 1e-9;
const PASSES: usize = 2_000;

/// Rows that miss the same answers.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    rows: Vec<usize>,
    have: Vec<usize>,
    gap: Vec<usize>,
}

/// Means and maximum-likelihood covariances.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// Means of the columns.
    pub mean: Vec<f64>,
    /// Covariances, columns × columns.
    pub covariance: Vec<f64>,
}

/// The patterns of missing answers, in the order in which they first occur.
pub(super) fn patterns(grid: &Grid) -> Vec<Pattern> {
    let mut found: Vec<Pattern> = Vec::new();
    for row in 0..grid.n {
        let gap: Vec<usize> = (0..grid.u).filter(|&k| grid.at(row, k).is_nan()).collect();
        if let Some(pattern) = found.iter_mut().find(|p| p.gap == gap) {
            pattern.rows.push(row);
        } else {
            let have = (0..grid.u).filter(|k| !gap.contains(k)).collect();
            found.push(Pattern { rows: vec![row], have, gap });
        }
    }
    found
}

/// Regression of the missing columns of a pattern on the others: slopes `have × gap` and the residual covariances.
struct Regression {
    slope: Vec<f64>,
    rest: Vec<f64>,
}

/// By the inverse of the whole covariance matrix where it exists: then only the missing part is to be solved for.
fn regression(pattern: &Pattern, covariance: &[f64], precision: Option<&[f64]>, u: usize) -> Regression {
    let (h, g) = (pattern.have.len(), pattern.gap.len());
    if let Some(p) = precision {
        let own: Vec<f64> = pattern.gap.iter().flat_map(|&i| pattern.gap.iter().map(move |&k| p[i * u + k])).collect();
        if let Some(rest) = inverse(&own, g) {
            let mut slope = vec![0.0; h * g];
            for (a, &i) in pattern.have.iter().enumerate() {
                for b in 0..g {
                    slope[a * g + b] = -(0..g).map(|c| p[i * u + pattern.gap[c]] * rest[c * g + b]).sum::<f64>();
                }
            }
            return Regression { slope, rest };
        }
    }
    let block = |rows: &[usize], columns: &[usize]| -> Vec<f64> {
        rows.iter().flat_map(|&i| columns.iter().map(move |&k| covariance[i * u + k])).collect()
    };
    let with = block(&pattern.have, &pattern.gap);
    let slope = multiply(&pseudo_inverse(&block(&pattern.have, &pattern.have), h), &with, h, h, g);
    let mut rest = block(&pattern.gap, &pattern.gap);
    for a in 0..g {
        for b in 0..g {
            rest[a * g + b] -= (0..h).map(|c| with[c * g + a] * slope[c * g + b]).sum::<f64>();
        }
    }
    Regression { slope, rest }
}

/// Product of an `a × b` and a `b × c` matrix.
fn multiply(x: &[f64], y: &[f64], a: usize, b: usize, c: usize) -> Vec<f64> {
    let mut out = vec![0.0; a * c];
    for i in 0..a {
        for k in 0..b {
            let value = x[i * b + k];
            for j in 0..c {
                out[i * c + j] += value * y[k * c + j];
            }
        }
    }
    out
}

/// A symmetric function of a symmetric matrix.
fn spectral(a: &[f64], n: usize, f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let (values, vectors) = symmetric_eigen(a, n);
    let largest = values.first().copied().unwrap_or(0.0).max(0.0);
    let mut out = vec![0.0; n * n];
    for (k, &value) in values.iter().enumerate() {
        let size = f(value.max(0.0), largest);
        let vector = &vectors[k * n..(k + 1) * n];
        for i in 0..n {
            for j in 0..n {
                out[i * n + j] += size * vector[i] * vector[j];
            }
        }
    }
    out
}

/// Eigenvalues below this share of the largest one are rounding.
const RANK: f64 = 1e-14;

fn pseudo_inverse(a: &[f64], n: usize) -> Vec<f64> {
    spectral(a, n, |value, largest| if value > RANK * largest { 1.0 / value } else { 0.0 })
}

/// Estimates means and covariances of normal data with missing values from weighted rows.
pub(super) fn em(
    grid: &Grid,
    patterns: &[Pattern],
    weights: &[f64],
    start: Option<&Moments>,
) -> Result<Moments, Failure> {
    let u = grid.u;
    let total: f64 = weights.iter().sum();
    let mut center = vec![0.0; u];
    let mut scale = vec![0.0; u];
    for k in 0..u {
        let seen = || (0..grid.n).filter(|&row| weights[row] > 0.0 && !grid.at(row, k).is_nan());
        let count: f64 = seen().map(|row| weights[row]).sum();
        let mean = seen().map(|row| weights[row] * grid.at(row, k)).sum::<f64>() / count;
        let square: f64 = seen().map(|row| weights[row] * (grid.at(row, k) - mean).powi(2)).sum();
        let size: f64 = seen().map(|row| weights[row] * (grid.at(row, k) - grid.shift[k]).powi(2)).sum();
        if count.is_nan() || count <= 0.0 || square <= 1e-12 * size {
            return Err(grid.flat(k));
        }
        center[k] = mean;
        scale[k] = (square / count).sqrt();
    }
    let z = |row: usize, k: usize| (grid.at(row, k) - center[k]) / scale[k];
    // Moments of the rows of each pattern, on the columns that it has.
    let mut fixed = vec![0.0; u * u];
    let mut fixed_sum = vec![0.0; u];
    let mut open = Vec::new();
    for pattern in patterns {
        let (h, mut weight) = (pattern.have.len(), 0.0);
        let (mut sum, mut square) = (vec![0.0; h], vec![0.0; h * h]);
        let mut x = vec![0.0; h];
        for &row in pattern.rows.iter().filter(|&&row| weights[row] > 0.0) {
            let w = weights[row];
            weight += w;
            for (place, &k) in x.iter_mut().zip(&pattern.have) {
                *place = z(row, k);
            }
            for a in 0..h {
                sum[a] += w * x[a];
                for b in 0..=a {
                    square[a * h + b] += w * x[a] * x[b];
                }
            }
        }
        for a in 0..h {
            for b in 0..a {
                square[b * h + a] = square[a * h + b];
            }
        }
        if weight == 0.0 {
            continue;
        }
        for (a, &i) in pattern.have.iter().enumerate() {
            fixed_sum[i] += sum[a];
            for (b, &k) in pattern.have.iter().enumerate() {
                fixed[i * u + k] += square[a * h + b];
            }
        }
        if !pattern.gap.is_empty() {
            open.push((pattern, weight, sum, square));
        }
    }
    let mut mean = vec![0.0; u];
    let mut cov = vec![0.0; u * u];
    match start {
        Some(start) => {
            for i in 0..u {
                mean[i] = (start.mean[i] - center[i]) / scale[i];
                for k in 0..u {
                    cov[i * u + k] = start.covariance[i * u + k] / (scale[i] * scale[k]);
                }
            }
        }
        // Missing answers at the mean, which is zero.
        None => cov.iter_mut().zip(&fixed).for_each(|(place, value)| *place = value / total),
    }
    let mut settled = open.is_empty() && start.is_none();
    for _ in 0..PASSES {
        if settled {
            break;
        }
        let precision = inverse(&cov, u);
        let mut first = fixed_sum.clone();
        let mut second = fixed.clone();
        for (pattern, weight, sum, square) in &open {
            let (h, g) = (pattern.have.len(), pattern.gap.len());
            let Regression { slope, rest } = regression(pattern, &cov, precision.as_deref(), u);
            let constant: Vec<f64> = (0..g)
                .map(|b| {
                    let part: f64 = (0..h).map(|a| mean[pattern.have[a]] * slope[a * g + b]).sum();
                    mean[pattern.gap[b]] - part
                })
                .collect();
            let moved = multiply(sum, &slope, 1, h, g);
            let cross = multiply(square, &slope, h, h, g);
            for b in 0..g {
                let k = pattern.gap[b];
                first[k] += weight * constant[b] + moved[b];
                for a in 0..h {
                    let value = sum[a] * constant[b] + cross[a * g + b];
                    let i = pattern.have[a];
                    second[i * u + k] += value;
                    second[k * u + i] += value;
                }
                for c in 0..g {
                    let inner: f64 = (0..h).map(|a| slope[a * g + b] * cross[a * g + c]).sum();
                    second[k * u + pattern.gap[c]] += weight * (constant[b] * constant[c] + rest[b * g + c])
                        + constant[b] * moved[c]
                        + moved[b] * constant[c]
                        + inner;
                }
            }
        }
        let mut change: f64 = 0.0;
        for i in 0..u {
            first[i] /= total;
            change = change.max((first[i] - mean[i]).abs());
        }
        for i in 0..u {
            for k in 0..u {
                let value = second[i * u + k] / total - first[i] * first[k];
                change = change.max((value - cov[i * u + k]).abs());
                cov[i * u + k] = value;
            }
        }
        mean = first;
        settled = change < SETTLED;
        if change.is_nan() {
            break;
        }
    }
    if !settled {
        return Err(Failure { status: Status::Completion, detail: -1 });
    }
    for i in 0..u {
        mean[i] = mean[i] * scale[i] + center[i];
        for k in 0..u {
            cov[i * u + k] *= scale[i] * scale[k];
        }
    }
    Ok(Moments { mean, covariance: cov })
}

/// Fills the gaps with their conditional means under `moments`.
pub(super) fn predict(grid: &Grid, patterns: &[Pattern], moments: &Moments) -> Vec<f64> {
    let u = grid.u;
    let mut out = grid.values.clone();
    let scale: Vec<f64> = (0..u).map(|k| moments.covariance[k * u + k].max(0.0).sqrt()).collect();
    let size = |k: usize| if scale[k] > 0.0 { scale[k] } else { 1.0 };
    let r: Vec<f64> = (0..u * u).map(|at| moments.covariance[at] / (size(at / u) * size(at % u))).collect();
    let precision = inverse(&r, u);
    for pattern in patterns.iter().filter(|p| !p.gap.is_empty()) {
        let g = pattern.gap.len();
        let Regression { slope, .. } = regression(pattern, &r, precision.as_deref(), u);
        for &row in &pattern.rows {
            for (b, &k) in pattern.gap.iter().enumerate() {
                let mut value = 0.0;
                for (a, &i) in pattern.have.iter().enumerate() {
                    value += (grid.at(row, i) - moments.mean[i]) / size(i) * slope[a * g + b];
                }
                out[row * u + k] = moments.mean[k] + value * size(k);
            }
        }
    }
    out
}

/// Means and covariances of the complete rows; fails when they are not more than the columns.
pub(super) fn complete_rows(grid: &Grid, patterns: &[Pattern], weights: &[f64]) -> Result<Moments, Failure> {
    let u = grid.u;
    let complete: Vec<usize> = patterns
        .iter()
        .filter(|p| p.gap.is_empty())
        .flat_map(|p| p.rows.iter().copied())
        .filter(|&row| weights[row] > 0.0)
        .collect();
    if complete.len() <= u {
        return Err(Failure { status: Status::TooFewRows, detail: -1 });
    }
    let total: f64 = complete.iter().map(|&row| weights[row]).sum();
    let mean: Vec<f64> =
        (0..u).map(|k| complete.iter().map(|&row| weights[row] * grid.at(row, k)).sum::<f64>() / total).collect();
    let mut covariance = vec![0.0; u * u];
    for &row in &complete {
        for i in 0..u {
            let left = weights[row] * (grid.at(row, i) - mean[i]) / total;
            for k in 0..u {
                covariance[i * u + k] += left * (grid.at(row, k) - mean[k]);
            }
        }
    }
    Ok(Moments { mean, covariance })
}

/// Moves rows, `n × u`, by the smallest linear map that gives them the wanted moments: the optimal transport between
/// normal distributions, `C^-½ (C^½ Σ C^½)^½ C^-½` (Olkin & Pukelsheim 1982).
pub(super) fn carry(values: &mut [f64], weights: &[f64], u: usize, target: &Moments) {
    let total: f64 = weights.iter().sum();
    let used = |row: usize, values: &[f64]| weights[row] > 0.0 && !values[row * u].is_nan();
    let n = weights.len();
    let scale: Vec<f64> = (0..u)
        .map(|k| target.covariance[k * u + k].max(0.0).sqrt())
        .map(|size| if size > 0.0 { size } else { 1.0 })
        .collect();
    let mut mean = vec![0.0; u];
    for row in (0..n).filter(|&row| used(row, values)) {
        for k in 0..u {
            mean[k] += weights[row] * values[row * u + k] / total;
        }
    }
    let mut have = vec![0.0; u * u];
    for row in (0..n).filter(|&row| used(row, values)) {
        let x = &values[row * u..(row + 1) * u];
        for i in 0..u {
            let left = weights[row] / total * (x[i] - mean[i]) / scale[i];
            for k in 0..u {
                have[i * u + k] += left * (x[k] - mean[k]) / scale[k];
            }
        }
    }
    let wanted: Vec<f64> = (0..u * u).map(|at| target.covariance[at] / (scale[at / u] * scale[at % u])).collect();
    let root = spectral(&have, u, |value, _| value.sqrt());
    // Directions that the rows do not have cannot be given to them.
    let back = spectral(
        &have,
        u,
        |value, largest| {
            if value.sqrt() > 1e-8 * largest.sqrt() { 1.0 / value.sqrt() } else { 0.0 }
        },
    );
    let middle = multiply(&multiply(&root, &wanted, u, u, u), &root, u, u, u);
    let map = multiply(&multiply(&back, &spectral(&middle, u, |value, _| value.sqrt()), u, u, u), &back, u, u, u);
    let mut x = vec![0.0; u];
    for row in values.chunks_mut(u) {
        for k in 0..u {
            x[k] = (row[k] - mean[k]) / scale[k];
        }
        for (k, place) in row.iter_mut().enumerate() {
            let moved: f64 = (0..u).map(|i| x[i] * map[i * u + k]).sum();
            *place = target.mean[k] + moved * scale[k];
        }
    }
}
