//! The slow, obvious moments: the oracle of the kernels.

use super::table::{Table, place};

/// Weighted sums of products of all pairs of extended columns, upper triangle row after row.
pub fn sums(table: &Table, weights: &[f64], out: &mut [f64]) {
    let e = table.extended;
    out.fill(0.0);
    for row in 0..table.n {
        let w = weights[row];
        if w == 0.0 || !table.usable[row] {
            continue;
        }
        let x = table.row(row);
        for i in 0..e {
            for j in i..e {
                out[place(e, i, j)] += w * x[i] * x[j];
            }
        }
    }
}
