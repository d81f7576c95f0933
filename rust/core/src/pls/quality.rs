//! How well the model's implied correlations reproduce those of the indicators.

use super::estimate::Outcome;
use super::layout::Statistic;
use super::program::{Program, Stage};
use super::statistics::Solution;
use crate::lanes::Real;
use crate::linalg::{Factor, symmetric_eigen};

/// Correlations of the constructs that the paths imply: residuals are uncorrelated and have variance 1 − R².
#[inline(always)]
fn implied<V: Real>(stage: &Stage, x: &Solution<V>) -> Vec<V> {
    let j = stage.blocks.len();
    let mut c = x.c.clone();
    // Constructs without predecessors keep their correlations, wherever they stand.
    let mut known: Vec<usize> = (0..j).filter(|&b| stage.predecessors[b].is_empty()).collect();
    for &to in &stage.order {
        let predictors = &stage.predecessors[to];
        if predictors.is_empty() {
            continue;
        }
        for &other in &known {
            let mut sum = V::zero();
            for (&e, &from) in stage.incoming[to].iter().zip(predictors) {
                sum = x.standardised[e].mul_add(c[from * j + other], sum);
            }
            c[to * j + other] = sum;
            c[other * j + to] = sum;
        }
        let mut variance = V::one() - x.r2[to];
        for (&e, &from) in stage.incoming[to].iter().zip(predictors) {
            variance = x.standardised[e].mul_add(c[from * j + to], variance);
        }
        c[to * j + to] = variance;
        known.push(to);
    }
    c
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

/// One measure for the saturated model (the constructs' own correlations) and the estimated one (those that the paths
/// imply), after the definitions of Dijkstra & Henseler (2015, CSDA 81) for the distances, Hu & Bentler (1999) for SRMR
/// with the diagonal counted, and Bentler & Bonett (1980) for NFI on the maximum-likelihood discrepancy.
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
    let r = if stage.direct { base } else { &x.stages[program.stages.len() - 1].r };
    for (place, estimated) in out.iter_mut().zip([false, true]) {
        let c = if estimated { implied(stage, x) } else { x.c.clone() };
        let s = sigma(stage, r, loadings, &c);
        *place = match statistic {
            Statistic::Srmr | Statistic::DUls => {
                let mut sum = V::zero();
                for i in 0..m {
                    for q in 0..i {
                        let rest = r[i * m + q] - s[i * m + q];
                        sum = rest.mul_add(rest, sum);
                    }
                }
                if statistic == Statistic::DUls { sum } else { (sum * V::splat(2.0 / (m * (m + 1)) as f64)).sqrt() }
            }
            Statistic::DG => {
                let mut value = V::splat(f64::NAN);
                for lane in (0..V::LANES).filter(|&lane| outcome.status[lane].keeps_values()) {
                    let flat = |values: &[V]| values.iter().map(|v| v.lane(lane)).collect::<Vec<f64>>();
                    value = value.with_lane(lane, geodesic(&flat(r), &flat(&s), m));
                }
                value
            }
            _ => {
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
                V::select(bad, V::splat(f64::NAN), V::one() - discrepancy / null)
            }
        };
    }
}

/// Half the sum of squared natural logarithms of the eigenvalues of S⁻¹ Σ; NaN when S is not positive definite.
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
    symmetric_eigen(&a, m).0.iter().map(|value| value.ln().powi(2)).sum::<f64>() / 2.0
}
