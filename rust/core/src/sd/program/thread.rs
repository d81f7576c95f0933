//! Threaded code for a run on its own: each instruction jumps to the next (Bell 1973, Communications of the ACM 16(6)).
//!
//! An instruction is a function that ends by calling the function of the instruction behind it; an optimising compiler
//! turns that into a jump. Where it does not, the stack grows by one frame an instruction, so every `STRETCH`
//! instructions one returns to the loop in [`run`]. Neighbours that take the same function are a row: the first of them
//! does them all before it jumps.

use super::code::{Link, Op};
use super::curves::curve_at;
use super::kernels::{BINARY, Frame, UNARY, advance_body, call_body};
use super::steps::{
    Add, And, Divide, DivideInto, Equal, FirstMax, FirstMin, Less, LessEqual, Max, Min, Multiply, NotEqual, Or, Step,
    Subtract, SubtractFrom, by_link, first, further, plain, second,
};
use super::table::{Table, Way};
use crate::lanes::{Kernel, math};
use crate::sd::compile::graph::{Binary, Reading, Unary};
use crate::sd::compile::scalar;

/// Instructions between two returns to the loop.
const STRETCH: usize = 128;
/// Powers and the like that are computed side by side.
const TOGETHER: usize = 4;

/// A bound instruction. Places are distances from the start of the memory in bytes.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Cell {
    pub(crate) run: Run,
    pub(crate) to: u32,
    pub(crate) a: [u32; 4],
    /// What an operation needs besides: its number in a list, a table, a column; or how many cells are left of a row.
    pub(crate) aux: u32,
}

/// The function of an instruction.
///
/// # Safety
/// The cell stands in a list that ends with [`end`], and its places lie inside the memory.
pub(crate) type Run = unsafe fn(*const Cell, *mut f64, *mut Frame<'_>);

/// A lookup that is read by comparing, as it stands in memory: the inner points and the end (what is not a number is
/// never reached), the range, and `x, y, slope` of each piece, the last of which is the end alone.
pub(crate) const TABLE: usize = 88;
/// Most points to pass in such a lookup.
const MOST: usize = 16;
const RANGE: usize = 16;
const PIECES: usize = 20;

/// Whether the code reads a lookup by comparing.
pub(crate) fn counted(table: &Table) -> bool {
    table.way != Way::Search && table.slopes.len() <= MOST && table.points.x.iter().all(|x| x.is_finite())
}

/// Writes a lookup as the code reads it.
pub(crate) fn lay_table(table: &Table, to: &mut [f64]) {
    let (x, y, pieces) = (&table.points.x, &table.points.y, table.slopes.len());
    to[..RANGE].fill(f64::NAN);
    to[..pieces - 1].copy_from_slice(&x[1..pieces]);
    for piece in 0..pieces {
        to[PIECES + 4 * piece..PIECES + 4 * piece + 3].copy_from_slice(&[x[piece], y[piece], table.slopes[piece]]);
    }
    if table.reading == Reading::Extrapolate {
        to[RANGE..RANGE + 2].copy_from_slice(&[f64::NEG_INFINITY, f64::INFINITY]);
        return;
    }
    to[RANGE..RANGE + 2].copy_from_slice(&[x[0], x[pieces]]);
    // At the end the last point itself: minus zero times a distance of zero changes no bit of it.
    to[pieces - 1] = x[pieces];
    to[PIECES + 4 * pieces..PIECES + 4 * pieces + 3].copy_from_slice(&[x[pieces], y[pieces], -0.0]);
}

#[inline(always)]
unsafe fn get(r: *mut f64, at: u32) -> f64 {
    // SAFETY: places of a cell lie inside the memory.
    unsafe { *r.byte_add(at as usize) }
}

#[inline(always)]
unsafe fn next(cell: *const Cell, r: *mut f64, f: *mut Frame<'_>) {
    // SAFETY: the list goes on: only its last cell does not come here.
    unsafe {
        let cell = cell.add(1);
        ((*cell).run)(cell, r, f);
    }
}

/// Runs a list of cells from its start to its end.
///
/// # Safety
/// As for [`Run`].
pub(crate) unsafe fn run(code: &[Cell], r: *mut f64, frame: &mut Frame<'_>) {
    frame.next = code.as_ptr();
    while !frame.next.is_null() {
        let cell = frame.next;
        // SAFETY: as promised.
        unsafe { ((*cell).run)(cell, r, frame) };
    }
}

/// Where the cell of an operation counts those that are left of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// It stands alone.
    Alone,
    /// In `aux`.
    Aux,
    /// In the last argument.
    Last,
    /// In `aux`, and all arguments are read before anything is written.
    Together,
}

/// How cells of an operation form a row.
pub(crate) fn row(op: &Op, way: Way) -> Row {
    match op {
        Op::Chain(_) | Op::Pair(..) | Op::Choose(_) | Op::Select | Op::Move => Row::Aux,
        Op::Unary(Unary::Negative | Unary::Abs | Unary::Sqrt) => Row::Aux,
        Op::Unary(Unary::Exp | Unary::Ln | Unary::Sin | Unary::Cos) | Op::Binary(Binary::Power) => Row::Together,
        Op::Binary(
            Binary::Equal
            | Binary::NotEqual
            | Binary::Less
            | Binary::LessEqual
            | Binary::Greater
            | Binary::GreaterEqual
            | Binary::And
            | Binary::Or,
        ) => Row::Aux,
        Op::Lookup(..) if way == Way::Count => Row::Last,
        Op::Store(_) => Row::Last,
        _ => Row::Alone,
    }
}

/// Joins neighbours that take the same function. Each counts from itself, so that a skip may lead into a row.
fn join(cells: &mut [Cell], rows: &[Row]) {
    let mut left = 0;
    for k in (0..cells.len()).rev() {
        let same = left > 0
            && !(k + 1).is_multiple_of(STRETCH)
            && cells[k].run as usize == cells[k + 1].run as usize
            && rows[k] == rows[k + 1]
            && (rows[k] != Row::Together
                || cells[k + 1..=k + left].iter().all(|cell| !cell.a[..2].contains(&cells[k].to)));
        left = if same { left + 1 } else { 1 };
        match rows[k] {
            Row::Alone => {}
            Row::Aux | Row::Together => cells[k].aux = left as u32,
            Row::Last => cells[k].a[3] = left as u32,
        }
    }
}

/// Joins rows, adds the pauses and the end to a list, and lets the skips, whose places are given, reach over pauses.
pub(crate) fn stretches(mut cells: Vec<Cell>, rows: &[Row], skips: &[usize]) -> Vec<Cell> {
    join(&mut cells, rows);
    let count = cells.len();
    // Behind the last cell stands the end, without a pause before it.
    let place = |k: usize| if k == count { k + k.saturating_sub(1) / STRETCH } else { k + k / STRETCH };
    let lengths: Vec<usize> = skips.iter().map(|&k| place(k + 1 + cells[k].a[1] as usize) - place(k) - 1).collect();
    for (&k, length) in skips.iter().zip(lengths) {
        cells[k].a[1] = length as u32;
    }
    let empty = |run: Run| Cell { run, to: 0, a: [0; 4], aux: 0 };
    let mut out = Vec::with_capacity(place(cells.len()) + 1);
    for part in cells.chunks(STRETCH) {
        if !out.is_empty() {
            out.push(empty(pause));
        }
        out.extend_from_slice(part);
    }
    out.push(empty(end));
    out
}

/// Returns to the loop, to go on behind.
unsafe fn pause(cell: *const Cell, _: *mut f64, f: *mut Frame<'_>) {
    // SAFETY: another cell stands behind a pause.
    unsafe { (*f).next = cell.add(1) };
}

/// Ends the list.
unsafe fn end(_: *const Cell, _: *mut f64, f: *mut Frame<'_>) {
    // SAFETY: the frame is that of the loop.
    unsafe { (*f).next = std::ptr::null() };
}

/// Defines functions of cells: the body computes the result from the arguments by number, cell by cell of a row.
macro_rules! cells {
    ($($(#[$meta:meta])* fn $name:ident $([$($t:ident),*])? ($($x:ident $k:literal),*) $body:block)*) => {$(
        $(#[$meta])*
        unsafe fn $name $(<$($t: Step),*>)? (mut cell: *const Cell, r: *mut f64, f: *mut Frame<'_>) {
            // SAFETY: as promised for every cell; a row counts at least its own cell.
            unsafe {
                let mut left = (*cell).aux;
                loop {
                    $(let $x = get(r, (*cell).a[$k]);)*
                    *r.byte_add((*cell).to as usize) = $body;
                    left = left.wrapping_sub(1);
                    if left == 0 {
                        break;
                    }
                    cell = cell.add(1);
                }
                next(cell, r, f);
            }
        }
    )*};
}

/// Defines functions of cells that compute `TOGETHER` of a row side by side.
macro_rules! together {
    ($($(#[$meta:meta])* fn $name:ident ($($x:ident $k:literal),*) $of:expr)*) => {$(
        $(#[$meta])*
        unsafe fn $name(mut cell: *const Cell, r: *mut f64, f: *mut Frame<'_>) {
            // SAFETY: as promised for every cell; a row counts at least its own cell.
            unsafe {
                let mut left = (*cell).aux as usize;
                while left > 1 {
                    // A row that ends early repeats its last cell.
                    let last = (left - 1).min(TOGETHER - 1);
                    $(let mut $x = [0.0; TOGETHER];)*
                    for k in 0..TOGETHER {
                        $($x[k] = get(r, (*cell.add(k.min(last))).a[$k]);)*
                    }
                    let values: [f64; TOGETHER] = $of($($x),*);
                    for k in 0..TOGETHER {
                        *r.byte_add((*cell.add(k.min(last))).to as usize) = values[k];
                    }
                    cell = cell.add(last + 1);
                    left -= last + 1;
                }
                if left == 0 {
                    cell = cell.sub(1);
                } else {
                    $(let $x = [get(r, (*cell).a[$k])];)*
                    let [value] = $of($($x),*);
                    *r.byte_add((*cell).to as usize) = value;
                }
                next(cell, r, f);
            }
        }
    )*};
}

// Nothing here is fused or reordered, so one version serves all instruction sets.
cells! {
    fn copy(x 0) { x }
    fn negative(x 0) { -x }
    fn abs(x 0) { x.abs() }
    fn sqrt(x 0) { x.sqrt() }
    fn chain1[P](x 0, y 1) { P::of(x, y) }
    fn chain2[P, Q](x 0, y 1, z 2) { Q::of(P::of(x, y), z) }
    fn chain3[P, Q, S](x 0, y 1, z 2, w 3) { S::of(Q::of(P::of(x, y), z), w) }
    fn pair[P, Q, S](x 0, y 1, z 2, w 3) { S::of(P::of(x, y), Q::of(z, w)) }
    fn choose[P](x 0, y 1, z 2, w 3) { if P::of(x, y) != 0.0 { z } else { w } }
    fn select(x 0, y 1, z 2) { if x != 0.0 { y } else { z } }
}

unsafe fn store(mut cell: *const Cell, r: *mut f64, f: *mut Frame<'_>) {
    // SAFETY: as promised for every cell; the sink has room for every column; a row counts at least its own cell.
    unsafe {
        let mut left = (*cell).a[3];
        let mut bad = false;
        loop {
            let x = get(r, (*cell).a[0]);
            *(*f).sink.add((*cell).a[1] as usize * (*f).pitch) = x;
            bad |= (*cell).aux != 0 && !x.is_finite();
            left = left.wrapping_sub(1);
            if left == 0 {
                break;
            }
            cell = cell.add(1);
        }
        (*f).bad |= bad;
        next(cell, r, f);
    }
}

unsafe fn call(cell: *const Cell, r: *mut f64, f: *mut Frame<'_>) {
    // SAFETY: as promised for every cell.
    unsafe {
        call_body((*cell).aux, 1, r, &mut *f);
        next(cell, r, f);
    }
}

unsafe fn curve(cell: *const Cell, r: *mut f64, f: *mut Frame<'_>) {
    // SAFETY: as promised for every cell; the points stand among the varied values.
    unsafe {
        let value = curve_at(&(&(*f).curves)[(*cell).aux as usize], r, get(r, (*cell).a[0]));
        *r.byte_add((*cell).to as usize) = value;
        next(cell, r, f);
    }
}

unsafe fn vector(cell: *const Cell, r: *mut f64, f: *mut Frame<'_>) {
    // SAFETY: as promised for every cell.
    unsafe {
        let vector = (&(*f).vectors)[(*cell).aux as usize];
        vector.run(r, &mut *f);
        next(cell, r, f);
    }
}

unsafe fn store_vector(cell: *const Cell, r: *mut f64, f: *mut Frame<'_>) {
    // SAFETY: as promised for every cell.
    unsafe {
        let vector = (&(*f).vectors)[(*cell).aux as usize];
        vector.store(r, &mut *f);
        next(cell, r, f);
    }
}

/// The sum of numbers that stand at one distance.
unsafe fn total(cell: *const Cell, r: *mut f64, f: *mut Frame<'_>) {
    // SAFETY: as promised for every cell: the first number, the distance in bytes and how many there are.
    unsafe {
        let [first, pace, count, _] = (*cell).a;
        let mut sum = get(r, first);
        for k in 1..count {
            sum += get(r, first + k * pace);
        }
        *r.byte_add((*cell).to as usize) = sum;
        next(cell, r, f);
    }
}

unsafe fn advance(cell: *const Cell, r: *mut f64, f: *mut Frame<'_>) {
    // SAFETY: as promised for every cell.
    unsafe {
        let Cell { a, to, aux, .. } = *cell;
        advance_body(aux, [(a[0] / 8, 0), (a[1] / 8, 0)], to / 8, 1, r, &mut *f);
        next(cell, r, f);
    }
}

/// Goes on as many cells further on where the argument is zero, or, with `aux`, where it is not.
unsafe fn skip(cell: *const Cell, r: *mut f64, f: *mut Frame<'_>) {
    // SAFETY: as promised for every cell; what is skipped ends inside the list.
    unsafe {
        let skipped = (get(r, (*cell).a[0]) != 0.0) == ((*cell).aux == 1);
        #[cfg(test)]
        if skipped {
            (*f).skipped += (*cell).a[1] as usize;
        }
        next(if skipped { cell.add((*cell).a[1] as usize) } else { cell }, r, f);
    }
}

unsafe fn grid(cell: *const Cell, r: *mut f64, f: *mut Frame<'_>) {
    // SAFETY: cells name pieces of the table and the index is held within them; a NaN index is cast to zero.
    unsafe {
        let table = &(*f).tables[(*cell).aux as usize];
        let (x, y, slopes) = (table.points.x.as_ptr(), table.points.y.as_ptr(), table.slopes.as_ptr());
        let (pieces, last) = (table.slopes.len(), (table.cells.len() - 1) as f64);
        let extrapolate = table.reading == Reading::Extrapolate;
        let (first, end) = (*x, *x.add(pieces));
        let (low, high) = if extrapolate { (f64::NEG_INFINITY, f64::INFINITY) } else { (first, end) };
        let at = get(r, (*cell).a[0]);
        let t = if low > at { low } else { at };
        let t = if high < t { high } else { t };
        let place = (t - first) * table.inverse;
        let place = if place > 0.0 { place } else { 0.0 };
        let place = if place < last { place } else { last };
        let mut piece = *table.cells.as_ptr().add(place.to_int_unchecked::<i32>() as usize) as usize;
        piece += usize::from(piece + 1 < pieces && t >= *x.add(piece + 1));
        piece += usize::from(piece + 1 < pieces && t >= *x.add(piece + 1));
        let value = *y.add(piece) + *slopes.add(piece) * (t - *x.add(piece));
        *r.byte_add((*cell).to as usize) = if !extrapolate && t >= end { *y.add(pieces) } else { value };
        next(cell, r, f);
    }
}

unsafe fn search(cell: *const Cell, r: *mut f64, f: *mut Frame<'_>) {
    // SAFETY: as promised for every cell.
    unsafe {
        let table = &(*f).tables[(*cell).aux as usize];
        *r.byte_add((*cell).to as usize) = table.at(get(r, (*cell).a[0]));
        next(cell, r, f);
    }
}

/// The number of inner points at or before `at`.
#[inline(always)]
unsafe fn passed(points: *const f64, at: f64) -> usize {
    let mut count = 0;
    for k in 0..MOST {
        // SAFETY: the points stand in memory.
        count += usize::from(at >= unsafe { *points.add(k) });
    }
    count
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2,fma,popcnt")]
unsafe fn passed_avx2(points: *const f64, at: f64) -> usize {
    use std::arch::x86_64::{_CMP_GE_OQ, _mm256_cmp_pd, _mm256_loadu_pd, _mm256_movemask_pd, _mm256_set1_pd};
    let at = _mm256_set1_pd(at);
    let mut mask = 0;
    for part in 0..MOST / 4 {
        // SAFETY: as above.
        let points = unsafe { _mm256_loadu_pd(points.add(part * 4)) };
        mask = mask << 4 | _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_GE_OQ>(at, points));
    }
    mask.count_ones() as usize
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma,popcnt")]
unsafe fn passed_avx512(points: *const f64, at: f64) -> usize {
    use std::arch::x86_64::{_CMP_GE_OQ, _mm512_cmp_pd_mask, _mm512_loadu_pd, _mm512_set1_pd};
    let at = _mm512_set1_pd(at);
    // SAFETY: as above.
    let (low, high) = unsafe { (_mm512_loadu_pd(points), _mm512_loadu_pd(points.add(8))) };
    let low = u32::from(_mm512_cmp_pd_mask::<_CMP_GE_OQ>(at, low));
    (low << 8 | u32::from(_mm512_cmp_pd_mask::<_CMP_GE_OQ>(at, high))).count_ones() as usize
}

macro_rules! set {
    ($module:ident, $fused:literal, $passed:ident $(, $feature:meta)?) => {
        mod $module {
            use super::*;

            together! {
                $(#[$feature])? fn exp(x 0) math::exp::<$fused, _>
                $(#[$feature])? fn ln(x 0) math::ln::<$fused, _>
                $(#[$feature])? fn sin(x 0) math::sin::<$fused, _>
                $(#[$feature])? fn cos(x 0) math::cos::<$fused, _>
                $(#[$feature])? fn pow(x 0, y 1) math::pow::<$fused, _>
            }

            unsafe fn unary(cell: *const Cell, r: *mut f64, f: *mut Frame<'_>) {
                // SAFETY: as promised for every cell.
                unsafe {
                    let op = UNARY[(*cell).aux as usize];
                    *r.byte_add((*cell).to as usize) = scalar::unary::<$fused>(op, get(r, (*cell).a[0]));
                    next(cell, r, f);
                }
            }

            unsafe fn binary(cell: *const Cell, r: *mut f64, f: *mut Frame<'_>) {
                // SAFETY: as promised for every cell.
                unsafe {
                    let op = BINARY[(*cell).aux as usize];
                    let (x, y) = (get(r, (*cell).a[0]), get(r, (*cell).a[1]));
                    *r.byte_add((*cell).to as usize) = scalar::binary::<$fused>(op, x, y);
                    next(cell, r, f);
                }
            }

            $(#[$feature])?
            unsafe fn count(mut cell: *const Cell, r: *mut f64, f: *mut Frame<'_>) {
                // SAFETY: as promised for every cell; a counted table stands at `aux`; a row counts at least its own cell.
                unsafe {
                    let mut left = (*cell).a[3];
                    loop {
                        let table = r.byte_add((*cell).aux as usize).cast_const();
                        let at = get(r, (*cell).a[0]);
                        // Comparisons so written that what is not a number stays so.
                        let t = if *table.add(RANGE) > at { *table.add(RANGE) } else { at };
                        let t = if *table.add(RANGE + 1) < t { *table.add(RANGE + 1) } else { t };
                        let piece = table.add(PIECES + 4 * $passed(table, t));
                        *r.byte_add((*cell).to as usize) = *piece.add(1) + *piece.add(2) * (t - *piece);
                        left = left.wrapping_sub(1);
                        if left == 0 {
                            break;
                        }
                        cell = cell.add(1);
                    }
                    next(cell, r, f);
                }
            }

            pub(super) fn function(op: &Op, way: Way) -> Run {
                match op {
                    Op::Unary(Unary::Exp) => exp,
                    Op::Unary(Unary::Ln) => ln,
                    Op::Unary(Unary::Sin) => sin,
                    Op::Unary(Unary::Cos) => cos,
                    Op::Binary(Binary::Power) => pow,
                    Op::Unary(_) => unary,
                    Op::Lookup(..) if way == Way::Count => count,
                    _ => binary,
                }
            }
        }
    };
}

set!(portable, false, passed);
#[cfg(target_arch = "x86_64")]
set!(avx2, true, passed_avx2, target_feature(enable = "avx2,fma,popcnt"));
#[cfg(target_arch = "x86_64")]
set!(avx512, true, passed_avx512, target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma,popcnt"));
#[cfg(target_arch = "aarch64")]
set!(neon, true, passed);

/// The function of an operation for an instruction set.
pub(crate) fn function(set: Kernel, op: &Op, way: Way) -> Run {
    match op {
        Op::Chain(links) => match links[..] {
            [p] => first!(p, P => chain1::<P> as Run),
            [p, q] => first!(p, P => second!(q, Q => chain2::<P, Q> as Run)),
            [p, q, s, ..] => plain!(p, P => further!(q, Q => further!(s, S => chain3::<P, Q, S> as Run))),
            [] => copy,
        },
        Op::Pair(p, q, s) => plain!(*p, P => plain!(*q, Q => plain!(*s, S => pair::<P, Q, S> as Run))),
        Op::Choose(op) => match op {
            Binary::Equal => choose::<Equal>,
            Binary::NotEqual => choose::<NotEqual>,
            Binary::Less | Binary::Greater => choose::<Less>,
            _ => choose::<LessEqual>,
        },
        Op::Unary(Unary::Negative) => negative,
        Op::Unary(Unary::Abs) => abs,
        Op::Unary(Unary::Sqrt) => sqrt,
        Op::Binary(Binary::Equal) => chain1::<Equal>,
        Op::Binary(Binary::NotEqual) => chain1::<NotEqual>,
        Op::Binary(Binary::Less | Binary::Greater) => chain1::<Less>,
        Op::Binary(Binary::LessEqual | Binary::GreaterEqual) => chain1::<LessEqual>,
        Op::Binary(Binary::And) => chain1::<And>,
        Op::Binary(Binary::Or) => chain1::<Or>,
        Op::Select => select,
        Op::Lookup(..) if way == Way::Grid => grid,
        Op::Lookup(..) if way == Way::Search => search,
        Op::Call(..) => call,
        Op::Curve(..) => curve,
        Op::Vector(op, ..) if matches!(**op, Op::Store(_)) => store_vector,
        Op::Vector(..) => vector,
        Op::Total(..) => total,
        Op::Move => copy,
        Op::Store(_) => store,
        Op::Advance(_) => advance,
        Op::Skip(..) => skip,
        Op::Unary(_) | Op::Binary(_) | Op::Lookup(..) => match set {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => avx512::function(op, way),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => avx2::function(op, way),
            #[cfg(target_arch = "aarch64")]
            Kernel::Neon => neon::function(op, way),
            _ => portable::function(op, way),
        },
    }
}
