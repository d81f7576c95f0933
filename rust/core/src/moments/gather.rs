//! Moments of any data under any weights: the rows that count are gathered once, scaled by the root of their weight,
//! and multiplied with themselves tile by tile.
//!
//! A panel is as many columns as a register has lanes; the scaled rows stand in slabs of up to four panels, row after
//! row, so that they are written in one stream and read in few. The product of a panel with itself is symmetric: its register times the same register
//! rotated by nought to half its lanes gives every pair once, where a full tile would give nearly every pair twice.

use super::table::{Table, place};
use crate::lanes::{Aligned, LISTED, Real};

/// Bytes of the streams that a tile reads in one pass.
const PASS_BYTES: usize = 18 << 10;

/// Bytes of the table's rows that all replicates of a pack read one after the other, when their sums fit in
/// [`SUMS_BYTES`]: with the streams of a pass they stay in a first-level cache of 48 KB.
const BLOCK_BYTES: usize = 24 << 10;

/// Bytes of a pack's sums up to which replicates take turns: beyond, their traffic costs more than that of the rows.
const SUMS_BYTES: usize = 1 << 18;

/// Scratch of one worker.
#[derive(Clone, Debug, Default)]
pub struct Gather {
    /// Rows that count, in order.
    rows: Rows,
    /// Scaled rows of one pass, slab after slab.
    slabs: Aligned,
    /// Sums of products as the tiles leave them, replicate after replicate.
    raw: Aligned,
    /// Sums of the columns, replicate after replicate.
    sums: Aligned,
    /// Which pair each number of `raw` belongs to; the number of pairs where a later one has the same or there is none.
    pairs: Vec<u32>,
}

/// Rows of a sample.
#[derive(Clone, Debug)]
struct Rows {
    /// Roots of the counts.
    root_of: Vec<f64>,
    /// Row and count of each row that is counted, `row << 8 | count`, for each replicate.
    counted: Vec<Vec<u32>>,
    /// Each row that has a weight, and the root of its weight, for each replicate.
    weighted: Vec<Vec<(u32, f64)>>,
    /// How many of a replicate's rows stand before the end of each block of the table, replicate after replicate.
    ends: Vec<usize>,
}

impl Default for Rows {
    fn default() -> Self {
        let root_of = (0..=u8::MAX).map(|count| f64::from(count).sqrt()).collect();
        Self { root_of, counted: Vec::new(), weighted: Vec::new(), ends: Vec::new() }
    }
}

/// The most rows of a table whose rows can be counted.
pub const MOST_ROWS: usize = 1 << 24;

/// Takes the rows that are counted, notes how many there are at the end of each block, and returns the sum of the counts.
#[inline(always)]
fn take_counts<V: Real>(counts: &[u8], block: usize, counted: &mut Vec<u32>, ends: &mut Vec<usize>) -> f64 {
    counted.resize(counts.len() + LISTED, 0);
    let mut used = 0;
    for (start, counts) in (0..).step_by(block).zip(counts.chunks(block)) {
        used += V::list_counts(start, counts, &mut counted[used..]);
        ends.push(used);
    }
    f64::from(counts.iter().map(|&count| u32::from(count)).sum::<u32>())
}

/// Takes the rows that have a weight, as [`take_counts`] does, and returns the sum of the weights.
#[inline(always)]
fn take_weights(weights: &[f64], block: usize, weighted: &mut Vec<(u32, f64)>, ends: &mut Vec<usize>) -> f64 {
    weighted.clear();
    let mut total = 0.0;
    for (start, weights) in (0..).step_by(block).zip(weights.chunks(block)) {
        for (row, &weight) in (start..).zip(weights) {
            if weight != 0.0 {
                weighted.push((row, weight.sqrt()));
                total += weight;
            }
        }
        ends.push(weighted.len());
    }
    total
}

/// Weights of the rows of a pack's replicates, one replicate after the other.
#[derive(Clone, Copy, Debug)]
pub enum RowWeights<'a> {
    /// How often each row is drawn.
    Counts(&'a [u8]),
    /// Any weights, not negative; zero for rows that do not take part.
    Weights(&'a [f64]),
}

/// Registers of a panel's product with itself.
const fn half(lanes: usize) -> usize {
    lanes / 2 + 1
}

/// First register of the products of panel `a` with itself and with later panels.
const fn row_start(panels: usize, lanes: usize, a: usize) -> usize {
    // Panels before it have panels - 1, panels - 2, … later ones.
    a * half(lanes) + lanes * (a * (2 * panels - a - 1) / 2)
}

/// Where the pair of columns `i <= j` stands among the tiles' sums.
const fn raw_place(panels: usize, lanes: usize, i: usize, j: usize) -> usize {
    let (a, b) = (i / lanes, j / lanes);
    let start = row_start(panels, lanes, a);
    if a == b {
        // Register k holds the products of each lane with the k-th lane after it.
        let k = j - i;
        if k < half(lanes) { (start + k) * lanes + i % lanes } else { (start + lanes - k) * lanes + j % lanes }
    } else {
        (start + half(lanes) + (b - a - 1) * lanes + i % lanes) * lanes + j % lanes
    }
}

/// Panels of a table's columns.
#[inline(always)]
fn panels(table: &Table, lanes: usize) -> usize {
    (table.extended - 1).div_ceil(lanes)
}

/// Panels of a slab.
const SLAB: usize = 4;

/// Where panel `a` of `count` starts among slabs of `room` rows, and how far its rows are apart.
#[inline(always)]
fn panel(room: usize, count: usize, a: usize) -> (usize, usize) {
    let first = a / SLAB * SLAB;
    (first * room + a % SLAB, (count - first).min(SLAB))
}

/// One tile: panel `a` times `NV` panels from `b` on, and, for `OWN`, times itself; for `OWN = 2` panel `b` times itself
/// as well. `L` is `V::LANES`, `room` the rows that a slab has room for.
#[inline(always)]
fn tile<V: Real, const L: usize, const NV: usize, const OWN: usize>(
    slabs: &[[f64; L]],
    room: usize,
    rows: usize,
    count: usize,
    a: usize,
    b: usize,
    raw: &mut [f64],
    first: bool,
) {
    let (from, apart) = panel(room, count, a);
    let left = &slabs[from..];
    // Loops, not `array::from_fn`: what that calls is compiled without the kernel's features when it is not inlined.
    let mut right = [(left, apart); NV];
    for v in 0..NV {
        let (from, apart) = panel(room, count, b + v);
        right[v] = (&slabs[from..], apart);
    }
    let own_at = row_start(count, L, a);
    let at = own_at + half(L) + (b - a - 1) * L;
    let next_at = row_start(count, L, a + 1);
    let (mut acc, mut own, mut next) = ([[V::zero(); NV]; L], [V::zero(); 5], [V::zero(); 5]);
    if !first {
        for r in 0..L {
            for v in 0..NV {
                acc[r][v] = V::load(&raw[(at + v * L + r) * L..]);
            }
        }
        for k in 0..half(L) {
            if OWN > 0 {
                own[k] = V::load(&raw[(own_at + k) * L..]);
            }
            if OWN > 1 {
                next[k] = V::load(&raw[(next_at + k) * L..]);
            }
        }
    }
    for row in 0..rows {
        let x = &left[row * apart];
        let mut columns = [V::zero(); NV];
        for v in 0..NV {
            columns[v] = V::load(&right[v].0[row * right[v].1]);
        }
        for r in 0..L {
            let value = V::splat(x[r]);
            for v in 0..NV {
                acc[r][v] = value.mul_add(columns[v], acc[r][v]);
            }
        }
        if OWN > 0 {
            let x = V::load(x);
            for k in 0..half(L) {
                own[k] = x.mul_add(x.rotate(k), own[k]);
            }
        }
        if OWN > 1 {
            let x = columns[0];
            for k in 0..half(L) {
                next[k] = x.mul_add(x.rotate(k), next[k]);
            }
        }
    }
    for r in 0..L {
        for v in 0..NV {
            acc[r][v].store(&mut raw[(at + v * L + r) * L..]);
        }
    }
    for k in 0..half(L) {
        if OWN > 0 {
            own[k].store(&mut raw[(own_at + k) * L..]);
        }
        if OWN > 1 {
            next[k].store(&mut raw[(next_at + k) * L..]);
        }
    }
}

/// Scales the rows of a pass into the slab of `NP` panels from `a` on and adds up their columns. `pick` says which row
/// and by what.
#[inline(always)]
fn scale<V: Real, R: Copy, const L: usize, const NP: usize>(
    table: &Table,
    rows: &[R],
    pick: impl Fn(R) -> (u32, f64),
    a: usize,
    slab: &mut [[f64; L]],
    sums: &mut [f64],
) {
    let groups = table.packed.as_chunks::<L>().0;
    let per_row = table.packed_stride / L;
    let mut acc = [V::zero(); NP];
    for v in 0..NP {
        acc[v] = V::load(&sums[(a + v) * L..]);
    }
    for (&row, out) in rows.iter().zip(slab.as_chunks_mut::<NP>().0) {
        let (row, root) = pick(row);
        let Some(x) = groups.get(row as usize * per_row + a..).and_then(<[_]>::first_chunk::<NP>) else { continue };
        let root = V::splat(root);
        for v in 0..NP {
            let scaled = root * V::load(&x[v]);
            acc[v] = root.mul_add(scaled, acc[v]);
            scaled.store(&mut out[v]);
        }
    }
    for v in 0..NP {
        acc[v].store(&mut sums[(a + v) * L..]);
    }
}

/// All tiles of one pass: `NV` panels of columns at a time, and what remains together with the panel's own product.
#[inline(always)]
fn triangle<V: Real, const L: usize, const NV: usize>(
    slabs: &[[f64; L]],
    room: usize,
    rows: usize,
    count: usize,
    raw: &mut [f64],
    first: bool,
) {
    for a in 0..count {
        let mut b = a + 1;
        let later = count - b;
        match if NV == 1 { later.min(1) } else { later % NV } {
            1 if later == 1 => {
                tile::<V, L, 1, 2>(slabs, room, rows, count, a, b, raw, first);
                return;
            }
            1 => {
                tile::<V, L, 1, 1>(slabs, room, rows, count, a, b, raw, first);
                b += 1;
            }
            2 => {
                tile::<V, L, 2, 1>(slabs, room, rows, count, a, b, raw, first);
                b += 2;
            }
            _ => tile::<V, L, 0, 1>(slabs, room, rows, count, a, b, raw, first),
        }
        while b < count {
            tile::<V, L, NV, 0>(slabs, room, rows, count, a, b, raw, first);
            b += NV;
        }
    }
}

/// Products of some rows of one replicate, pass by pass, added to those that `raw` and `sums` hold but for the `first`.
#[inline(always)]
fn passes<V: Real, R: Copy, const L: usize, const NV: usize>(
    table: &Table,
    rows: &[R],
    pick: impl Fn(R) -> (u32, f64) + Copy,
    slabs: &mut [[f64; L]],
    room: usize,
    raw: &mut [f64],
    sums: &mut [f64],
    mut first: bool,
) {
    let count = panels(table, L);
    let mut from = 0;
    while first || from < rows.len() {
        let to = (from + room).min(rows.len());
        let rows = &rows[from..to];
        for a in (0..count).step_by(SLAB) {
            let slab = &mut slabs[a * room..];
            match count - a {
                1 => scale::<V, R, L, 1>(table, rows, pick, a, slab, sums),
                2 => scale::<V, R, L, 2>(table, rows, pick, a, slab, sums),
                3 => scale::<V, R, L, 3>(table, rows, pick, a, slab, sums),
                _ => scale::<V, R, L, SLAB>(table, rows, pick, a, slab, sums),
            }
        }
        triangle::<V, L, NV>(slabs, room, rows.len(), count, raw, first);
        first = false;
        from = to;
    }
}

/// Products of the rows of all replicates of a pack, block by block of the table.
#[inline(always)]
fn blocks<V: Real, R: Copy, const L: usize, const NV: usize>(
    table: &Table,
    lists: &[Vec<R>],
    ends: &[usize],
    pick: impl Fn(R) -> (u32, f64) + Copy,
    slabs: &mut [[f64; L]],
    room: usize,
    raw: &mut [f64],
    sums: &mut [f64],
) {
    let (stride, length) = (table.packed_stride, raw.len() / L);
    let count = ends.len() / lists.len().max(1);
    sums.fill(0.0);
    for block in 0..count {
        for (lane, (list, ends)) in lists.iter().zip(ends.chunks(count)).enumerate() {
            let own = &list[if block == 0 { 0 } else { ends[block - 1] }..ends[block]];
            let raw = &mut raw[lane * length..(lane + 1) * length];
            let sums = &mut sums[lane * stride..(lane + 1) * stride];
            passes::<V, R, L, NV>(table, own, pick, slabs, room, raw, sums, block == 0);
        }
    }
}

/// Weighted sums of products of all pairs of extended columns for the replicates of a pack: pair `q` of replicate `l`
/// goes to `out[q * L + l]`. `out` has `L` places more than the pairs need, for what the tiles hold twice. `L` is
/// `V::LANES`, `NV` the registers of columns that a tile has room for: one to three.
#[inline(always)]
pub fn gather<V: Real, const L: usize, const NV: usize>(
    table: &Table,
    weights: RowWeights<'_>,
    scratch: &mut Gather,
    out: &mut [f64],
) {
    let count = panels(table, L);
    let room = (PASS_BYTES / (8 * table.packed_stride.min(4 * 8))).max(64);
    let Gather { rows, slabs, raw, sums, .. } = scratch;
    slabs.resize(count * room * L);
    raw.resize(row_start(count, L, count) * L * L);
    sums.resize(table.packed_stride * L);
    let slabs = slabs.as_chunks_mut::<L>().0;
    let turns = 8 * raw.len() <= SUMS_BYTES;
    let block = if turns { (BLOCK_BYTES / (8 * table.packed_stride)).max(32) } else { table.n };
    let Rows { root_of, counted, weighted, ends } = rows;
    ends.clear();
    match weights {
        RowWeights::Counts(counts) => {
            counted.resize(L, Vec::new());
            for (lane, (counts, counted)) in counts.chunks(table.n).zip(&mut *counted).enumerate() {
                out[lane] = take_counts::<V>(counts, block, counted, ends);
            }
            let root_of = &root_of[..256];
            let pick = |row: u32| (row >> 8, root_of[row as usize & 255]);
            blocks::<V, u32, L, NV>(table, counted, ends, pick, slabs, room, raw, sums);
        }
        RowWeights::Weights(weights) => {
            weighted.resize(L, Vec::new());
            for (lane, (weights, weighted)) in weights.chunks(table.n).zip(&mut *weighted).enumerate() {
                out[lane] = take_weights(weights, block, weighted, ends);
            }
            blocks::<V, (u32, f64), L, NV>(table, weighted, ends, |row| row, slabs, room, raw, sums);
        }
    }
    spread::<V, L>(table, scratch, out);
}

/// Puts the sums of a pack's replicates side by side.
#[inline(always)]
fn spread<V: Real, const L: usize>(table: &Table, scratch: &mut Gather, out: &mut [f64]) {
    let (stride, e) = (table.packed_stride, table.extended);
    let count = panels(table, L);
    let length = row_start(count, L, count) * L;
    let Gather { raw, sums, pairs, .. } = scratch;
    if pairs.len() != length {
        pairs.clear();
        pairs.resize(length, table.products() as u32);
        for i in 0..e - 1 {
            for j in i..e - 1 {
                pairs[raw_place(count, L, i, j)] = place(e, i + 1, j + 1) as u32;
            }
        }
    }
    let out = out.as_chunks_mut::<L>().0;
    for a in 0..count {
        let mut block = [V::zero(); L];
        for lane in 0..L {
            block[lane] = V::load(&sums[lane * stride + a * L..]);
        }
        V::transpose(&mut block);
        for (value, place) in block.iter().zip(&mut out[1..e.min(1 + stride)][a * L..]) {
            value.store(place);
        }
    }
    for (t, pairs) in pairs.as_chunks::<L>().0.iter().enumerate() {
        let mut block = [V::zero(); L];
        for lane in 0..L {
            block[lane] = V::load(&raw[lane * length + t * L..]);
        }
        V::transpose(&mut block);
        for (value, &pair) in block.iter().zip(pairs) {
            value.store(&mut out[pair as usize]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::Pack;
    use crate::moments::{Missing, plain_sums};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_tiles_give_the_plain_sums(
            n in 2usize..400, columns in 1usize..40,
            raw in prop::collection::vec(-1.0f64..1.0, 64), drawn in prop::collection::vec(0u8..4, 64),
        ) {
            let data: Vec<f64> = (0..n * columns).map(|k| raw[k * 7 % 61] + raw[k * k % 53]).collect();
            let base: Vec<usize> = (0..columns).collect();
            let names: Vec<String> = base.iter().map(|c| format!("x{c}")).collect();
            let table = Table::new(&data, n, columns, &base, &names, Missing::Error).unwrap();
            let counts: Vec<u8> = (0..n).map(|row| drawn[row * 5 % 64]).collect();
            let weights: Vec<f64> = counts.iter().map(|&c| f64::from(c)).collect();
            let mut expected = vec![0.0; table.products()];
            plain_sums(&table, &weights, &mut expected);
            // Both add up at most 1,200 products below four in another order, and scale by rounded roots.
            let check = |found: &[f64], lanes: usize| {
                for (pair, value) in expected.iter().enumerate() {
                    for lane in 0..lanes {
                        let found = found[lanes * pair + lane];
                        assert!((found - value).abs() < 1e-11, "{pair}: {found} {value}");
                    }
                }
            };
            let (counts, weights) = (counts.repeat(8), weights.repeat(8));
            for whole in [true, false] {
                let weights = |lanes: usize| {
                    if whole { RowWeights::Counts(&counts[..lanes * n]) } else { RowWeights::Weights(&weights[..lanes * n]) }
                };
                let mut four = vec![f64::NAN; (table.products() + 1) * 4];
                let mut scratch = Gather::default();
                gather::<Pack<4, false>, 4, 1>(&table, weights(4), &mut scratch, &mut four);
                check(&four, 4);
                gather::<Pack<4, false>, 4, 3>(&table, weights(4), &mut scratch, &mut four);
                check(&four, 4);
                let mut eight = vec![f64::NAN; (table.products() + 1) * 8];
                gather::<Pack<8, false>, 8, 3>(&table, weights(8), &mut Gather::default(), &mut eight);
                check(&eight, 8);
            }
        }
    }
}
