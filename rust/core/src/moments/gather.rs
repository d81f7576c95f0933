//! Moments of any data under any weights: the rows that count are gathered once and weighted, tile by tile.

use super::table::{Table, place};
use crate::lanes::Real;

/// Rows that one pass reads: at 24 columns they fill half the first cache, at 200 the second.
const PASS_BYTES: usize = 1 << 18;

/// Scratch of one worker.
#[derive(Clone, Debug, Default)]
pub struct Gather {
    rows: Vec<u32>,
    weights: Vec<f64>,
    dense: Vec<f64>,
    sums: Vec<f64>,
}

/// One tile: `MR` columns from `a` with `NV` registers of columns from `b`, over the rows of a pass.
#[inline(always)]
fn tile<V: Real, const MR: usize, const NV: usize>(
    table: &Table,
    rows: &[u32],
    weights: &[f64],
    a: usize,
    b: usize,
    dense: &mut [f64],
    first: bool,
) {
    let stride = table.packed_stride;
    let mut acc = [[V::zero(); NV]; MR];
    if !first {
        for r in 0..MR {
            for v in 0..NV {
                acc[r][v] = V::load(&dense[(a + r) * stride + b + v * V::LANES..]);
            }
        }
    }
    let groups = table.packed.as_chunks::<8>().0;
    let (per_row, part) = (stride / 8, 8 / V::LANES);
    let (left_group, left_start) = (a / 8, a % 8 / MR * MR);
    for (&row, &weight) in rows.iter().zip(weights) {
        let x = &groups[row as usize * per_row..][..per_row];
        let weight = V::splat(weight);
        let mut columns = [V::zero(); NV];
        for v in 0..NV {
            let at = b / V::LANES + v;
            columns[v] = weight * V::load(&x[at / part][at % part * V::LANES..]);
        }
        let left = &x[left_group][left_start..left_start + MR];
        for r in 0..MR {
            let value = V::splat(left[r]);
            for v in 0..NV {
                acc[r][v] = value.mul_add(columns[v], acc[r][v]);
            }
        }
    }
    for r in 0..MR {
        for v in 0..NV {
            acc[r][v].store(&mut dense[(a + r) * stride + b + v * V::LANES..]);
        }
    }
}

/// Weighted sums of the columns themselves.
#[inline(always)]
fn totals<V: Real, const NV: usize>(table: &Table, rows: &[u32], weights: &[f64], b: usize, sums: &mut [f64]) {
    let stride = table.packed_stride;
    let mut acc = [V::zero(); NV];
    for v in 0..NV {
        acc[v] = V::load(&sums[b + v * V::LANES..]);
    }
    for (&row, &weight) in rows.iter().zip(weights) {
        let x = &table.packed[row as usize * stride..(row as usize + 1) * stride];
        let weight = V::splat(weight);
        for v in 0..NV {
            acc[v] = weight.mul_add(V::load(&x[b + v * V::LANES..]), acc[v]);
        }
    }
    for v in 0..NV {
        acc[v].store(&mut sums[b + v * V::LANES..]);
    }
}

/// Sum of numbers, in a fixed order.
#[inline(always)]
fn total<V: Real>(values: &[f64]) -> f64 {
    let mut acc = [V::zero(); 4];
    let mut parts = values.chunks_exact(4 * V::LANES);
    for part in &mut parts {
        for (k, acc) in acc.iter_mut().enumerate() {
            *acc = *acc + V::load(&part[k * V::LANES..]);
        }
    }
    let sum = (acc[0] + acc[1]) + (acc[2] + acc[3]);
    (0..V::LANES).map(|lane| sum.lane(lane)).sum::<f64>() + parts.remainder().iter().sum::<f64>()
}

/// All tiles of `MR` columns by up to three registers that touch the upper triangle.
#[inline(always)]
fn triangle<V: Real, const MR: usize>(
    table: &Table,
    rows: &[u32],
    weights: &[f64],
    dense: &mut [f64],
    sums: &mut [f64],
    first: bool,
) {
    let stride = table.packed_stride;
    for a in (0..stride).step_by(MR) {
        let mut b = a / V::LANES * V::LANES;
        while b < stride {
            match (stride - b) / V::LANES {
                1 => tile::<V, MR, 1>(table, rows, weights, a, b, dense, first),
                2 | 4 => tile::<V, MR, 2>(table, rows, weights, a, b, dense, first),
                _ => tile::<V, MR, 3>(table, rows, weights, a, b, dense, first),
            }
            b += match (stride - b) / V::LANES {
                1 => 1,
                2 | 4 => 2,
                _ => 3,
            } * V::LANES;
        }
    }
    let mut b = 0;
    while b < stride {
        let left = (stride - b) / V::LANES;
        if left >= 4 {
            totals::<V, 4>(table, rows, weights, b, sums);
            b += 4 * V::LANES;
        } else {
            totals::<V, 1>(table, rows, weights, b, sums);
            b += V::LANES;
        }
    }
}

/// Weighted sums of products of all pairs of extended columns for one replicate: pair `q` goes to `out[q * step]`.
/// Weights of rows that do not take part must be zero.
#[inline(always)]
pub fn gather<V: Real>(table: &Table, weights: &[f64], scratch: &mut Gather, out: &mut [f64], step: usize) {
    let (stride, e) = (table.packed_stride, table.extended);
    scratch.rows.resize(table.n, 0);
    scratch.weights.resize(table.n, 0.0);
    let mut used = 0;
    for (row, &weight) in (0u32..).zip(weights) {
        // Written always and kept only when it counts: no branch to mispredict.
        scratch.rows[used] = row;
        scratch.weights[used] = weight;
        used += usize::from(weight != 0.0);
    }
    let total = total::<V>(&scratch.weights[..used]);
    scratch.dense.resize(stride * stride, 0.0);
    scratch.sums.clear();
    scratch.sums.resize(stride, 0.0);
    let pass = (PASS_BYTES / 8 / stride).max(64);
    let mut first = true;
    let mut from = 0;
    while first || from < used {
        let to = (from + pass).min(used);
        let (rows, weights) = (&scratch.rows[from..to], &scratch.weights[from..to]);
        if V::LANES == 8 {
            triangle::<V, 8>(table, rows, weights, &mut scratch.dense, &mut scratch.sums, first);
        } else {
            triangle::<V, 4>(table, rows, weights, &mut scratch.dense, &mut scratch.sums, first);
        }
        first = false;
        from = to;
    }
    out[0] = total;
    for (place, sum) in out.iter_mut().step_by(step).skip(1).zip(&scratch.sums[..e - 1]) {
        *place = *sum;
    }
    for i in 1..e {
        let from = place(e, i, i);
        let row = &scratch.dense[(i - 1) * stride + i - 1..(i - 1) * stride + e - 1];
        for (place, value) in out[from * step..].iter_mut().step_by(step).zip(row) {
            *place = *value;
        }
    }
}
