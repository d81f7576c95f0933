//! From sums of products to means, standard deviations and correlations, in lanes.

use super::table::{Table, place};
use crate::lanes::Real;

/// What a sample's moments come to.
#[derive(Clone, Debug)]
pub struct Standard<V> {
    /// Sum of the weights.
    pub n_obs: V,
    /// Means of the data columns, less the shift.
    pub mean: Vec<V>,
    /// Standard deviations (sum of weights less one).
    pub sd: Vec<V>,
    /// Correlations, columns × columns.
    pub r: Vec<V>,
    /// Lanes of each column that have no variance.
    pub flat: Vec<u8>,
    root: Vec<V>,
}

/// A column whose sum of squared deviations is below this share of its sum of squares is constant in the sample.
///
/// Columns are shifted by their mean over all rows, so a true variance this small beside the squared mean cannot come
/// from a resample; rounding leaves about 1e-16 times the number of rows.
const FLAT: f64 = 1e-12;

impl<V: Real> Standard<V> {
    /// Room for a table's columns.
    pub fn new(columns: usize) -> Self {
        Self {
            n_obs: V::zero(),
            mean: vec![V::zero(); columns],
            sd: vec![V::zero(); columns],
            r: vec![V::one(); columns * columns],
            flat: vec![0; columns],
            root: vec![V::zero(); columns],
        }
    }
}

/// Reads the sums `s`, `step` numbers from one pair to the next.
#[inline(always)]
pub fn standardise<V: Real>(table: &Table, s: &[f64], step: usize, out: &mut Standard<V>) {
    let (u, e) = (table.columns, table.extended);
    let at = |i: usize, j: usize| V::load(&s[place(e, i.min(j), i.max(j)) * step..]);
    let n = at(0, 0);
    out.n_obs = n;
    let per_row = V::one() / n;
    let per_degree = V::one() / (n - V::one());
    for i in 0..u {
        let own = table.observed[i].unwrap_or(0);
        let (sum, square, count) = (at(0, i + 1), at(i + 1, i + 1), at(0, own));
        let per = if own == 0 { per_row } else { V::one() / count };
        let mean = sum * per;
        let deviation = square - sum * mean;
        out.flat[i] = V::ALL & !(square * V::splat(FLAT)).less(deviation);
        out.mean[i] = mean;
        // Missing values stand at the mean: they add nothing to the deviations but count as rows.
        let degrees = if table.squares.is_some() && own != 0 { V::one() / (count - V::one()) } else { per_degree };
        out.sd[i] = (deviation * degrees).sqrt();
        out.root[i] = deviation.rsqrt();
    }
    if table.extended == u + 1 {
        for i in 0..u {
            out.r[i * u + i] = V::one();
            let (mean, root) = (-out.mean[i], out.root[i]);
            let from = place(e, i + 1, i + 2) * step;
            let crosses = s[from.min(s.len())..].chunks(step);
            // The sums of the columns themselves stand in the first row.
            let sums = s[(i + 2) * step..].chunks(step);
            for (j, (cross, sum)) in (i + 1..u).zip(crosses.zip(sums)) {
                let value = mean.mul_add(V::load(sum), V::load(cross)) * (root * out.root[j]);
                out.r[i * u + j] = value;
                out.r[j * u + i] = value;
            }
        }
        return;
    }
    for i in 0..u {
        out.r[i * u + i] = V::one();
        for j in i + 1..u {
            let cross = at(i + 1, j + 1);
            let value = match (table.observed[i], table.observed[j], table.squares) {
                (None, None, _) => (-out.mean[i]).mul_add(at(0, j + 1), cross) * (out.root[i] * out.root[j]),
                (a, b, None) => {
                    // Σ w (x_i − m_i o_i)(x_j − m_j o_j), with o = 1 for columns without gaps.
                    let (a, b) = (a.unwrap_or(0), b.unwrap_or(0));
                    let sum = cross - out.mean[j] * at(i + 1, b) - out.mean[i] * at(j + 1, a)
                        + out.mean[i] * out.mean[j] * at(a.min(b), a.max(b));
                    sum * (out.root[i] * out.root[j])
                }
                (a, b, Some(squares)) => {
                    let (a, b) = (a.unwrap_or(0), b.unwrap_or(0));
                    let per = V::one() / at(a.min(b), a.max(b));
                    let (si, sj) = (at(i + 1, b), at(j + 1, a));
                    let vi = at(squares + i, b) - si * si * per;
                    let vj = at(squares + j, a) - sj * sj * per;
                    (cross - si * sj * per) / (vi * vj).sqrt()
                }
            };
            out.r[i * u + j] = value;
            out.r[j * u + i] = value;
        }
    }
}
