//! How well the model's implied correlations reproduce those of the indicators.
//!
//! Between blocks the model implies `λᵢ r λⱼ`; within a common factor `λᵢ λⱼ`; a composite keeps the correlations of its
//! own block (Henseler, Hubona & Ray 2016). The saturated model takes the construct correlations as they are, the
//! estimated one those that its paths imply.

use super::estimate::Outcome;
use super::layout::Statistic;
use super::program::{Program, Stage};
use super::statistics::Solution;
use crate::lanes::Real;
use crate::linalg::{Factor, symmetric_eigenvalues};

/// Correlations of the constructs that the paths imply: `(I − B)⁻¹ Ψ (I − B)⁻ᵀ` (Bollen 1989, ch. 4).
///
/// Ψ holds the correlations of constructs without predecessors, the variances `1 − R²` of the residuals, and the
/// covariances of linked residuals. The diagonal of the result is not one; its readers take one there.
#[inline(always)]
fn implied<V: Real>(stage: &Stage, x: &Solution<V>) -> Vec<V> {
    let j = stage.blocks.len();
    let exogenous = |b: usize| stage.predecessors[b].is_empty();
    let mut psi = vec![V::zero(); j * j];
    for a in 0..j {
        for b in 0..j {
            if exogenous(a) && exogenous(b) {
                psi[a * j + b] = x.c[a * j + b];
            }
        }
        if !exogenous(a) {
            psi[a * j + a] = V::one() - x.r2[a];
        }
    }
    for &(a, b) in stage.links.iter().filter(|&&(a, b)| !(exogenous(a) && exogenous(b))) {
        // What is left of their correlation when each is freed from its predictors.
        let mut value = x.c[a * j + b];
        for (&e, &from) in stage.incoming[a].iter().zip(&stage.predecessors[a]) {
            value = value - x.standardised[e] * x.c[from * j + b];
            for (&f, &other) in stage.incoming[b].iter().zip(&stage.predecessors[b]) {
                value = (x.standardised[e] * x.standardised[f]).mul_add(x.c[from * j + other], value);
            }
        }
        for (&f, &other) in stage.incoming[b].iter().zip(&stage.predecessors[b]) {
            value = value - x.standardised[f] * x.c[a * j + other];
        }
        psi[a * j + b] = value;
        psi[b * j + a] = value;
    }
    // Row `to` of (I − B)⁻¹: what each disturbance comes to in `to`, predecessors first.
    let mut spread = vec![V::zero(); j * j];
    for &to in &stage.order {
        spread[to * j + to] = V::one();
        for (&e, &from) in stage.incoming[to].iter().zip(&stage.predecessors[to]) {
            for k in 0..j {
                spread[to * j + k] = x.standardised[e].mul_add(spread[from * j + k], spread[to * j + k]);
            }
        }
    }
    let turned: Vec<V> = (0..j * j).map(|k| spread[k % j * j + k / j]).collect();
    multiply(&multiply(&spread, &psi, j), &turned, j)
}

/// Product of two `j` × `j` matrices.
#[inline(always)]
fn multiply<V: Real>(left: &[V], right: &[V], j: usize) -> Vec<V> {
    let mut out = vec![V::zero(); j * j];
    for a in 0..j {
        for k in 0..j {
            for b in 0..j {
                out[a * j + b] = left[a * j + k].mul_add(right[k * j + b], out[a * j + b]);
            }
        }
    }
    out
}

/// Sum of squared differences between the indicators' correlations and the implied ones, each pair once.
#[inline(always)]
fn squared_distance<V: Real>(stage: &Stage, r: &[V], loadings: &[V], c: &[V]) -> V {
    let (m, j) = (stage.items.len(), stage.blocks.len());
    let mut sum = V::zero();
    for (a, x) in stage.blocks.iter().enumerate() {
        for (b, y) in stage.blocks[..=a].iter().enumerate() {
            if a == b && !x.factor {
                continue;
            }
            for i in x.start..x.end {
                let (left, end) = if a == b { (loadings[i], i) } else { (loadings[i] * c[a * j + b], y.end) };
                let mut part = V::zero();
                for q in y.start..end {
                    let rest = (-left).mul_add(loadings[q], r[i * m + q]);
                    part = rest.mul_add(rest, part);
                }
                sum = sum + part;
            }
        }
    }
    sum
}

/// Implied correlations of the indicators: a composite keeps its own block, a factor's follows from its loadings.
#[inline(always)]
fn sigma<V: Real>(stage: &Stage, r: &[V], loadings: &[V], c: &[V]) -> Vec<V> {
    let (m, j) = (stage.items.len(), stage.blocks.len());
    let mut out = vec![V::one(); m * m];
    for (a, x) in stage.blocks.iter().enumerate() {
        for (b, y) in stage.blocks.iter().enumerate() {
            for i in x.start..x.end {
                for q in y.start..y.end {
                    out[i * m + q] = if i == q {
                        V::one()
                    } else if a == b && !x.factor {
                        r[i * m + q]
                    } else if a == b {
                        loadings[i] * loadings[q]
                    } else {
                        loadings[i] * loadings[q] * c[a * j + b]
                    };
                }
            }
        }
    }
    out
}

/// Whether the measures have a meaning: no item is a product, and none stands in two blocks.
fn defined(stage: &Stage) -> bool {
    stage.products.is_empty()
        && !stage.blocks.iter().any(|block| block.product)
        && stage.ids.iter().enumerate().all(|(k, id)| !stage.ids[..k].contains(id))
}

/// One measure for the saturated and the estimated model.
///
/// SRMR over the lower triangle with the diagonal (Hu & Bentler 1999; Henseler et al. 2014); d_ULS, half the squared
/// Euclidean distance, and d_G, half the sum of squared logarithms of the eigenvalues of `S⁻¹ Σ` (Dijkstra & Henseler
/// 2015, CSDA 81, 10–23), with the decadic logarithm that the R package cSEM takes; NFI, `1 − F/F₀` of maximum
/// likelihood (Bentler & Bonett 1980). NaN where a matrix is not positive definite.
#[inline(always)]
pub(super) fn measure<V: Real>(
    program: &Program,
    statistic: Statistic,
    base: &[V],
    loadings: &[V],
    x: &Solution<V>,
    outcome: &Outcome,
    out: &mut [V],
) {
    let stage = program.last();
    let m = stage.items.len();
    if !defined(stage) {
        out.fill(V::splat(f64::NAN));
        return;
    }
    let r = if stage.direct { base } else { &x.stages[program.stages.len() - 1].r };
    for (place, estimated) in out.iter_mut().zip([false, true]) {
        let c = if estimated { implied(stage, x) } else { x.c.clone() };
        if matches!(statistic, Statistic::Srmr | Statistic::DUls) {
            let sum = squared_distance(stage, r, loadings, &c);
            *place =
                if statistic == Statistic::DUls { sum } else { (sum * V::splat(2.0 / (m * (m + 1)) as f64)).sqrt() };
            continue;
        }
        let s = sigma(stage, r, loadings, &c);
        *place = if statistic == Statistic::DG {
            let mut value = V::splat(f64::NAN);
            for lane in (0..V::LANES).filter(|&lane| outcome.status[lane].keeps_values()) {
                let flat = |values: &[V]| values.iter().map(|v| v.lane(lane)).collect::<Vec<f64>>();
                value = value.with_lane(lane, geodesic(&flat(r), &flat(&s), m));
            }
            value
        } else {
            let (mut own, mut model) = (Factor::new(), Factor::new());
            let bad = own.factor(m, |i, q| r[i * m + q]) | model.factor(m, |i, q| s[i * m + q]);
            let mut trace = V::zero();
            let mut column = vec![V::zero(); m];
            for i in 0..m {
                column.copy_from_slice(&r[i * m..(i + 1) * m]);
                model.solve(&mut column);
                trace = trace + column[i];
            }
            let null = -own.log_determinant();
            let discrepancy = model.log_determinant() + null + trace - V::splat(m as f64);
            // Uncorrelated indicators leave nothing for a model to explain.
            let bad = bad | (V::ALL & !V::zero().less(null));
            V::select(bad, V::splat(f64::NAN), V::one() - discrepancy / null)
        };
    }
}

/// Half the sum of squared decadic logarithms of the eigenvalues of S⁻¹ Σ; NaN when S or Σ is not positive definite.
fn geodesic(s: &[f64], sigma: &[f64], m: usize) -> f64 {
    let mut lower = vec![0.0; m * m];
    for i in 0..m {
        for j in 0..=i {
            let sum = s[i * m + j] - (0..j).map(|k| lower[i * m + k] * lower[j * m + k]).sum::<f64>();
            lower[i * m + j] = if i == j { sum.sqrt() } else { sum / lower[j * m + j] };
        }
    }
    // L⁻¹ Σ, then its transpose from the left once more: L⁻¹ Σ L⁻ᵀ has the eigenvalues of S⁻¹ Σ.
    let mut a = sigma.to_vec();
    for _ in 0..2 {
        for column in 0..m {
            for i in 0..m {
                let sum = a[i * m + column] - (0..i).map(|k| lower[i * m + k] * a[k * m + column]).sum::<f64>();
                a[i * m + column] = sum / lower[i * m + i];
            }
        }
        a = (0..m * m).map(|k| a[k % m * m + k / m]).collect();
    }
    if a.iter().any(|v| !v.is_finite()) {
        return f64::NAN;
    }
    let values = symmetric_eigenvalues(&a, m);
    // The eigenvalues are ratios of variances: rounding leaves about 1e-13 where a matrix is singular.
    if values.iter().any(|&value| value <= 1e-12) {
        return f64::NAN;
    }
    values.iter().map(|value| libm::log10(*value).powi(2)).sum::<f64>() / 2.0
}
