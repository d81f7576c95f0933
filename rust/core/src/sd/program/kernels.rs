//! The kernels: each instruction is a loop over chunks of lanes that the compiler turns into vector code.
//!
//! The bodies are written once and compiled for each instruction set. A run on its own takes threaded code instead.

use std::sync::Arc;

use super::code::{Link, Op};
use super::curves::{BoundCurve, curve_body};
use super::elements::BoundVector;
use super::machines::{Bank, machine_body};
use super::steps::{
    Add, And, Divide, DivideInto, Equal, FirstMax, FirstMin, Less, LessEqual, Max, Min, Multiply, NotEqual, Or, Step,
    Subtract, SubtractFrom, by_link, first, further, plain, second,
};
use super::table::{Table, Way};
use super::thread::Cell;
use crate::lanes::{Kernel, math};
use crate::sd::compile::graph::{Binary, Machine as Plan, Reading, Unary};
use crate::sd::compile::scalar;
use crate::sd::functions::call::{Function, Noise};
use crate::sd::functions::clock::Clock;

/// Lanes of a chunk in a sweep.
pub(crate) const WIDE: usize = 16;

/// A bound instruction: a kernel and where its arguments stand, in numbers from the start of the memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) run: Run,
    pub(crate) to: u32,
    pub(crate) a: [u32; 4],
    /// Distance from chunk to chunk: the width, or zero for what is alike in all lanes.
    pub(crate) stride: [u32; 4],
    /// Column, ring, number of instructions to skip.
    pub(crate) number: u32,
    /// Index into the tables or calls.
    pub(crate) aux: u32,
}

/// A kernel.
///
/// # Safety
/// The places of the instruction must lie inside the memory for all chunks of the frame.
pub(crate) type Run = unsafe fn(&Bound, *mut f64, &mut Frame<'_>);

/// A function call bound to memory.
#[derive(Clone, Debug)]
pub(crate) struct BoundCall {
    pub(crate) function: Function,
    pub(crate) key: u32,
    pub(crate) arguments: Vec<(u32, u32)>,
    /// Which result, and where it goes.
    pub(crate) results: Vec<(u32, u32)>,
    pub(crate) count: usize,
}

/// A ring buffer of every lane.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ring {
    /// Values by step and lane.
    pub(crate) values: Vec<f64>,
    /// How many steps it can hold.
    pub(crate) length: usize,
    /// Number of steps of each lane, where it is fixed.
    pub(crate) steps: Vec<u32>,
    /// Whether the number of steps is read anew each step.
    pub(crate) moving: bool,
    /// The value before anything went in.
    pub(crate) initial: Vec<f64>,
}

/// What kernels need beyond memory.
pub(crate) struct Frame<'a> {
    /// Chunks to work on.
    pub(crate) chunks: usize,
    /// Lanes that are runs; the rest are padding.
    pub(crate) lanes: usize,
    /// Lanes of the block.
    pub(crate) block: usize,
    pub(crate) tables: &'a [Table],
    pub(crate) calls: Arc<[BoundCall]>,
    pub(crate) curves: Arc<[BoundCurve]>,
    pub(crate) vectors: Arc<[BoundVector]>,
    pub(crate) rings: Vec<Ring>,
    /// The machines as they were compiled.
    pub(crate) plans: &'a [Plan],
    pub(crate) machines: Vec<Bank>,
    /// Values held within a step, by place and lane.
    pub(crate) held: Vec<f64>,
    /// Whether the step has begun and the values that it holds are fixed.
    pub(crate) inside: bool,
    /// The time at which the step began.
    pub(crate) clock: Clock,
    pub(crate) noise: Noise,
    /// Where saved values go: column `c` starts at `sink + c * pitch`.
    pub(crate) sink: *mut f64,
    pub(crate) pitch: usize,
    /// Set when a stored value is not finite.
    pub(crate) bad: bool,
    /// Instructions to skip next.
    pub(crate) skip: usize,
    /// Where threaded code goes on.
    pub(crate) next: *const Cell,
    /// Instructions that were skipped.
    #[cfg(test)]
    pub(crate) skipped: usize,
    /// Scratch for calls.
    pub(crate) scratch: Vec<f64>,
    pub(crate) results: Vec<f64>,
}

#[inline(always)]
pub(super) unsafe fn load<const L: usize>(at: *const f64) -> [f64; L] {
    // SAFETY: the caller promises that a chunk stands there.
    unsafe { at.cast::<[f64; L]>().read_unaligned() }
}

#[inline(always)]
pub(super) unsafe fn store<const L: usize>(at: *mut f64, value: [f64; L]) {
    // SAFETY: as for `load`.
    unsafe { at.cast::<[f64; L]>().write_unaligned(value) }
}

/// Applies `f` to the chunks of `N` arguments.
#[inline(always)]
unsafe fn each<const N: usize, const L: usize>(
    i: &Bound,
    r: *mut f64,
    frame: &mut Frame<'_>,
    f: impl Fn([[f64; L]; N]) -> [f64; L],
) {
    // SAFETY: places lie inside the memory for all chunks.
    unsafe {
        let mut to = r.add(i.to as usize);
        let mut at: [*const f64; N] = [r.cast_const(); N];
        for k in 0..N {
            at[k] = r.add(i.a[k] as usize);
        }
        for _ in 0..frame.chunks {
            let mut x = [[0.0; L]; N];
            for k in 0..N {
                x[k] = load::<L>(at[k]);
                at[k] = at[k].add(i.stride[k] as usize);
            }
            store::<L>(to, f(x));
            to = to.add(L);
        }
    }
}

/// As [`each`], `P` lanes of a chunk of `L` at a time, for functions that hold more values than there are registers.
#[inline(always)]
unsafe fn parts<const N: usize, const L: usize, const P: usize>(
    i: &Bound,
    r: *mut f64,
    frame: &mut Frame<'_>,
    f: impl Fn([[f64; P]; N]) -> [f64; P],
) {
    // SAFETY: as for `each`.
    unsafe {
        let mut to = r.add(i.to as usize);
        let mut at: [*const f64; N] = [r.cast_const(); N];
        for k in 0..N {
            at[k] = r.add(i.a[k] as usize);
        }
        for _ in 0..frame.chunks * (L / P) {
            let mut x = [[0.0; P]; N];
            for k in 0..N {
                x[k] = load::<P>(at[k]);
                at[k] = at[k].add((i.stride[k] as usize).min(P));
            }
            store::<P>(to, f(x));
            to = to.add(P);
        }
    }
}

#[inline(always)]
unsafe fn chain1_body<P: Step, const L: usize>(i: &Bound, r: *mut f64, frame: &mut Frame<'_>) {
    // SAFETY: as promised for every kernel.
    unsafe {
        each::<2, L>(i, r, frame, |x| std::array::from_fn(|k| P::of(x[0][k], x[1][k])));
    }
}

#[inline(always)]
unsafe fn chain2_body<P: Step, Q: Step, const L: usize>(i: &Bound, r: *mut f64, frame: &mut Frame<'_>) {
    // SAFETY: as promised for every kernel.
    unsafe {
        each::<3, L>(i, r, frame, |x| std::array::from_fn(|k| Q::of(P::of(x[0][k], x[1][k]), x[2][k])));
    }
}

#[inline(always)]
unsafe fn chain3_body<P: Step, Q: Step, S: Step, const L: usize>(i: &Bound, r: *mut f64, frame: &mut Frame<'_>) {
    // SAFETY: as promised for every kernel.
    unsafe {
        each::<4, L>(i, r, frame, |x| std::array::from_fn(|k| S::of(Q::of(P::of(x[0][k], x[1][k]), x[2][k]), x[3][k])));
    }
}

#[inline(always)]
unsafe fn pair_body<P: Step, Q: Step, S: Step, const L: usize>(i: &Bound, r: *mut f64, frame: &mut Frame<'_>) {
    // SAFETY: as promised for every kernel.
    unsafe {
        each::<4, L>(i, r, frame, |x| std::array::from_fn(|k| S::of(P::of(x[0][k], x[1][k]), Q::of(x[2][k], x[3][k]))));
    }
}

#[inline(always)]
unsafe fn choose_body<P: Step, const L: usize>(i: &Bound, r: *mut f64, frame: &mut Frame<'_>) {
    // SAFETY: as promised for every kernel.
    unsafe {
        each::<4, L>(i, r, frame, |x| {
            std::array::from_fn(|k| if P::of(x[0][k], x[1][k]) != 0.0 { x[2][k] } else { x[3][k] })
        });
    }
}

#[inline(always)]
unsafe fn select_body<const L: usize>(i: &Bound, r: *mut f64, frame: &mut Frame<'_>) {
    // SAFETY: as promised for every kernel.
    unsafe {
        each::<3, L>(i, r, frame, |x| std::array::from_fn(|k| if x[0][k] != 0.0 { x[1][k] } else { x[2][k] }));
    }
}

#[inline(always)]
unsafe fn count_body<const L: usize, const P: usize>(i: &Bound, r: *mut f64, frame: &mut Frame<'_>) {
    let table = &frame.tables[i.aux as usize];
    let (x, y, slopes) = (table.points.x.as_ptr(), table.points.y.as_ptr(), table.slopes.as_ptr());
    let pieces = table.slopes.len();
    let extrapolate = table.reading == Reading::Extrapolate;
    // SAFETY: a counted table has at least one piece; places as promised for every kernel.
    unsafe {
        let (low, high) = if extrapolate { (f64::NEG_INFINITY, f64::INFINITY) } else { (*x, *x.add(pieces)) };
        parts::<1, L, P>(i, r, frame, |[at]| {
            // Comparisons so written that what is not a number stays so.
            let at: [f64; P] = std::array::from_fn(|k| {
                let t = if low > at[k] { low } else { at[k] };
                if high < t { high } else { t }
            });
            let (mut x0, mut y0, mut s0) = ([*x; P], [*y; P], [*slopes; P]);
            for q in 1..pieces {
                let (xq, yq, sq) = (*x.add(q), *y.add(q), *slopes.add(q));
                for k in 0..P {
                    let beyond = at[k] >= xq;
                    x0[k] = if beyond { xq } else { x0[k] };
                    y0[k] = if beyond { yq } else { y0[k] };
                    s0[k] = if beyond { sq } else { s0[k] };
                }
            }
            let mut out: [f64; P] = std::array::from_fn(|k| y0[k] + s0[k] * (at[k] - x0[k]));
            if !extrapolate {
                // The last point itself, not the end of the last piece.
                let (end, last) = (*x.add(pieces), *y.add(pieces));
                for k in 0..P {
                    out[k] = if at[k] >= end { last } else { out[k] };
                }
            }
            out
        });
    }
}

/// As [`count_body`], with the table in registers: the number of points passed picks from them. One register holds a
/// table of up to eight pieces, `REGISTERS` two one of up to sixteen.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
unsafe fn count_registers<const REGISTERS: usize>(i: &Bound, r: *mut f64, frame: &mut Frame<'_>) {
    use std::arch::x86_64::{
        __m512d, __m512i, _CMP_GE_OQ, _mm512_add_pd, _mm512_cmp_pd_mask, _mm512_loadu_pd, _mm512_mask_add_epi64,
        _mm512_mask_blend_pd, _mm512_max_pd, _mm512_min_pd, _mm512_mul_pd, _mm512_permutex2var_pd,
        _mm512_permutexvar_pd, _mm512_set1_epi64, _mm512_set1_pd, _mm512_setzero_si512, _mm512_storeu_pd,
        _mm512_sub_pd,
    };
    let table = &frame.tables[i.aux as usize];
    let pieces = table.slopes.len();
    let extrapolate = table.reading == Reading::Extrapolate;
    let padded = |values: &[f64]| {
        let mut out = [0.0; 16];
        out[..pieces].copy_from_slice(&values[..pieces]);
        out
    };
    let (px, py, ps) = (padded(&table.points.x), padded(&table.points.y), padded(&table.slopes));
    // SAFETY: places as promised for every kernel; a chunk is two registers.
    unsafe {
        let load = |values: &[f64; 16]| (_mm512_loadu_pd(values.as_ptr()), _mm512_loadu_pd(values.as_ptr().add(8)));
        let (xs, ys, slopes) = (load(&px), load(&py), load(&ps));
        let pick = |piece: __m512i, from: (__m512d, __m512d)| {
            if REGISTERS == 1 {
                _mm512_permutexvar_pd(piece, from.0)
            } else {
                _mm512_permutex2var_pd(from.0, piece, from.1)
            }
        };
        let (first, end) = (table.points.x[0], table.points.x[pieces]);
        let (low, high) = if extrapolate { (f64::NEG_INFINITY, f64::INFINITY) } else { (first, end) };
        let (low, high) = (_mm512_set1_pd(low), _mm512_set1_pd(high));
        let (end, top) = (_mm512_set1_pd(end), _mm512_set1_pd(table.points.y[pieces]));
        let one = _mm512_set1_epi64(1);
        let (mut to, mut at) = (r.add(i.to as usize), r.add(i.a[0] as usize));
        for _ in 0..frame.chunks {
            // The second argument passes on where one is not a number.
            let clamp = |half: usize| _mm512_min_pd(high, _mm512_max_pd(low, _mm512_loadu_pd(at.add(half * 8))));
            let x = [clamp(0), clamp(1)];
            let mut piece = [_mm512_setzero_si512(); WIDE / 8];
            for point in &px[1..pieces] {
                let point = _mm512_set1_pd(*point);
                for half in 0..WIDE / 8 {
                    let passed = _mm512_cmp_pd_mask::<_CMP_GE_OQ>(x[half], point);
                    piece[half] = _mm512_mask_add_epi64(piece[half], passed, piece[half], one);
                }
            }
            for half in 0..WIDE / 8 {
                let gap = _mm512_sub_pd(x[half], pick(piece[half], xs));
                let rise = _mm512_mul_pd(pick(piece[half], slopes), gap);
                let mut value = _mm512_add_pd(pick(piece[half], ys), rise);
                if !extrapolate {
                    value = _mm512_mask_blend_pd(_mm512_cmp_pd_mask::<_CMP_GE_OQ>(x[half], end), value, top);
                }
                _mm512_storeu_pd(to.add(half * 8), value);
            }
            to = to.add(WIDE);
            at = at.add(i.stride[0] as usize);
        }
    }
}

#[inline(always)]
unsafe fn grid_body<const L: usize>(i: &Bound, r: *mut f64, frame: &mut Frame<'_>) {
    let table = &frame.tables[i.aux as usize];
    let (x, y, slopes) = (table.points.x.as_ptr(), table.points.y.as_ptr(), table.slopes.as_ptr());
    let cells = table.cells.as_ptr();
    let last = (table.cells.len() - 1) as f64;
    let pieces = table.slopes.len();
    let extrapolate = table.reading == Reading::Extrapolate;
    let inverse = table.inverse;
    // SAFETY: cells name pieces of the table and the index is held within them; a NaN index is cast to zero.
    unsafe {
        let (first, end, top) = (*x, *x.add(pieces), *y.add(pieces));
        let (low, high) = if extrapolate { (f64::NEG_INFINITY, f64::INFINITY) } else { (first, end) };
        each::<1, L>(i, r, frame, |[at]| {
            std::array::from_fn(|k| {
                let t = if low > at[k] { low } else { at[k] };
                let t = if high < t { high } else { t };
                let cell = (t - first) * inverse;
                let cell = if cell > 0.0 { cell } else { 0.0 };
                let cell = if cell < last { cell } else { last };
                let mut piece = *cells.add(cell.to_int_unchecked::<i32>() as usize) as usize;
                piece += usize::from(piece + 1 < pieces && t >= *x.add(piece + 1));
                piece += usize::from(piece + 1 < pieces && t >= *x.add(piece + 1));
                let value = *y.add(piece) + *slopes.add(piece) * (t - *x.add(piece));
                if !extrapolate && t >= end { top } else { value }
            })
        });
    }
}

#[inline(always)]
unsafe fn search_body<const L: usize>(i: &Bound, r: *mut f64, frame: &mut Frame<'_>) {
    let tables = frame.tables;
    let table = &tables[i.aux as usize];
    // SAFETY: as promised for every kernel.
    unsafe {
        each::<1, L>(i, r, frame, |[at]| at.map(|at| table.at(at)));
    }
}

#[inline(always)]
unsafe fn store_body<const L: usize>(i: &Bound, r: *mut f64, frame: &mut Frame<'_>) {
    // SAFETY: the sink has room for the lanes of every column.
    unsafe {
        let from = r.add(i.a[0] as usize);
        let to = frame.sink.add(i.number as usize * frame.pitch);
        let mut odd = [0; L];
        let mut lane = 0;
        for chunk in 0..frame.chunks {
            let x = load::<L>(from.add(chunk * i.stride[0] as usize));
            if lane + L <= frame.lanes {
                store::<L>(to.add(lane), x);
            } else {
                for k in 0..frame.lanes.saturating_sub(lane) {
                    *to.add(lane + k) = x[k];
                }
            }
            for k in 0..L {
                // One more in the exponent of what is not finite reaches the sign bit.
                odd[k] |= (x[k].to_bits() & (0x7ff << 52)) + (1 << 52);
            }
            lane += L;
        }
        frame.bad |= i.aux != 0 && odd.iter().any(|odd| odd >> 63 == 1);
    }
}

#[inline(always)]
pub(super) unsafe fn call_body(aux: u32, lanes: usize, r: *mut f64, frame: &mut Frame<'_>) {
    if matches!(frame.calls[aux as usize].function, Function::Machine(..)) {
        // SAFETY: as promised for every kernel.
        return unsafe { machine_body(aux, lanes, r, frame) };
    }
    let mut scratch = std::mem::take(&mut frame.scratch);
    let mut results = std::mem::take(&mut frame.results);
    let call = &frame.calls[aux as usize];
    scratch.resize(call.arguments.len(), 0.0);
    results.clear();
    results.resize(call.count, 0.0);
    for lane in 0..lanes {
        // SAFETY: as promised for every kernel.
        unsafe {
            for (value, &(at, stride)) in scratch.iter_mut().zip(&call.arguments) {
                *value = *r.add(at as usize + if stride == 0 { 0 } else { lane });
            }
            let noise = Noise { run: frame.noise.run + lane as u64, ..frame.noise };
            call.function.evaluate(&scratch, &noise, call.key, &mut results);
            for &(k, to) in &call.results {
                *r.add(to as usize + lane) = results.get(k as usize).copied().unwrap_or(f64::NAN);
            }
        }
    }
    frame.scratch = scratch;
    frame.results = results;
}

#[inline(always)]
pub(super) unsafe fn advance_body(
    ring: u32,
    places: [(u32, u32); 2],
    to: u32,
    lanes: usize,
    r: *mut f64,
    frame: &mut Frame<'_>,
) {
    let (block, step) = (frame.block, frame.noise.step as usize);
    let ring = &mut frame.rings[ring as usize];
    for lane in 0..lanes {
        // SAFETY: as promised for every kernel.
        unsafe {
            let at = |k: usize| *r.add(places[k].0 as usize + if places[k].1 == 0 { 0 } else { lane });
            let (input, wanted) = (at(0), at(1));
            let length = if ring.moving { wanted.max(1.0) as usize } else { ring.steps[lane] as usize };
            ring.values[(step % ring.length) * block + lane] = input;
            // The value for the next step went in `length − 1` steps ago.
            let value = match (step + 1).checked_sub(length) {
                Some(then) => ring.values[(then % ring.length) * block + lane],
                None => ring.initial[lane],
            };
            *r.add(to as usize + lane) = value;
        }
    }
}

#[inline(always)]
unsafe fn skip_body<const L: usize>(i: &Bound, r: *mut f64, frame: &mut Frame<'_>) {
    // SAFETY: as promised for every kernel.
    unsafe {
        let inverted = i.aux == 1;
        let from = r.add(i.a[0] as usize);
        for chunk in 0..frame.chunks {
            let x = load::<L>(from.add(chunk * i.stride[0] as usize));
            let mut any = false;
            for k in 0..L {
                any |= (x[k] != 0.0) != inverted;
            }
            if any {
                return;
            }
        }
        frame.skip = i.number as usize;
    }
}

macro_rules! target {
    ($module:ident, $fused:literal, $few:literal, $part:literal $(, $feature:meta)?) => {
        #[allow(unsafe_op_in_unsafe_fn)] // every body states its promise
        mod $module {
            use super::*;
            type F<'a> = Frame<'a>;

            $(#[$feature])?
            unsafe fn chain1<P: Step, const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                chain1_body::<P, L>(i, r, f);
            }
            $(#[$feature])?
            unsafe fn chain2<P: Step, Q: Step, const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                chain2_body::<P, Q, L>(i, r, f);
            }
            $(#[$feature])?
            unsafe fn chain3<P: Step, Q: Step, S: Step, const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                chain3_body::<P, Q, S, L>(i, r, f);
            }
            $(#[$feature])?
            unsafe fn pair<P: Step, Q: Step, S: Step, const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                pair_body::<P, Q, S, L>(i, r, f);
            }
            $(#[$feature])?
            unsafe fn choose<P: Step, const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                choose_body::<P, L>(i, r, f);
            }
            $(#[$feature])?
            unsafe fn select<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                select_body::<L>(i, r, f);
            }
            $(#[$feature])?
            unsafe fn count<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                count_body::<L, $few>(i, r, f);
            }
            $(#[$feature])?
            unsafe fn grid<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                grid_body::<L>(i, r, f);
            }
            $(#[$feature])?
            unsafe fn search<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                search_body::<L>(i, r, f);
            }
            $(#[$feature])?
            unsafe fn curve<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                curve_body::<L>(i, r, f);
            }
            $(#[$feature])?
            unsafe fn save<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                store_body::<L>(i, r, f);
            }
            $(#[$feature])?
            unsafe fn skip<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                skip_body::<L>(i, r, f);
            }
            unsafe fn call<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                call_body(i.aux, f.chunks * L, r, f);
            }
            unsafe fn advance<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                let places = [(i.a[0], i.stride[0]), (i.a[1], i.stride[1])];
                advance_body(i.number, places, i.to, f.chunks * L, r, f);
            }
            $(#[$feature])?
            unsafe fn copy<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                each::<1, L>(i, r, f, |[x]| x);
            }
            $(#[$feature])?
            unsafe fn negative<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                each::<1, L>(i, r, f, |[x]| std::array::from_fn(|k| -x[k]));
            }
            $(#[$feature])?
            unsafe fn abs<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                each::<1, L>(i, r, f, |[x]| std::array::from_fn(|k| x[k].abs()));
            }
            $(#[$feature])?
            unsafe fn sqrt<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                each::<1, L>(i, r, f, |[x]| std::array::from_fn(|k| x[k].sqrt()));
            }
            $(#[$feature])?
            unsafe fn exp<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                parts::<1, L, $few>(i, r, f, |[x]| math::exp::<$fused, $few>(x));
            }
            $(#[$feature])?
            unsafe fn ln<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                parts::<1, L, $few>(i, r, f, |[x]| math::ln::<$fused, $few>(x));
            }
            $(#[$feature])?
            unsafe fn sin<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                each::<1, L>(i, r, f, |[x]| math::sin::<$fused, L>(x));
            }
            $(#[$feature])?
            unsafe fn cos<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                each::<1, L>(i, r, f, |[x]| math::cos::<$fused, L>(x));
            }
            $(#[$feature])?
            unsafe fn pow<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                parts::<2, L, $part>(i, r, f, |[x, y]| math::pow::<$fused, $part>(x, y));
            }
            unsafe fn unary<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                let op = UNARY[i.aux as usize];
                each::<1, L>(i, r, f, |[x]| std::array::from_fn(|k| scalar::unary::<$fused>(op, x[k])));
            }
            unsafe fn binary<const L: usize>(i: &Bound, r: *mut f64, f: &mut F<'_>) {
                let op = BINARY[i.aux as usize];
                each::<2, L>(i, r, f, |[x, y]| std::array::from_fn(|k| scalar::binary::<$fused>(op, x[k], y[k])));
            }

            pub(super) fn kernel<const L: usize>(op: &Op, way: Way) -> Run {
                match op {
                    Op::Chain(links) => match links[..] {
                        [p] => first!(p, P => chain1::<P, L> as Run),
                        [p, q] => first!(p, P => second!(q, Q => chain2::<P, Q, L> as Run)),
                        [p, q, s, ..] => plain!(p, P => further!(q, Q => further!(s, S => chain3::<P, Q, S, L> as Run))),
                        [] => copy::<L>,
                    },
                    Op::Pair(p, q, s) => plain!(*p, P => plain!(*q, Q => plain!(*s, S => pair::<P, Q, S, L> as Run))),
                    Op::Choose(op) => match op {
                        Binary::Equal => choose::<Equal, L>,
                        Binary::NotEqual => choose::<NotEqual, L>,
                        Binary::Less | Binary::Greater => choose::<Less, L>,
                        _ => choose::<LessEqual, L>,
                    },
                    Op::Unary(op) => match op {
                        Unary::Negative => negative::<L>,
                        Unary::Abs => abs::<L>,
                        Unary::Sqrt => sqrt::<L>,
                        Unary::Exp => exp::<L>,
                        Unary::Ln => ln::<L>,
                        Unary::Sin => sin::<L>,
                        Unary::Cos => cos::<L>,
                        _ => unary::<L>,
                    },
                    Op::Binary(op) => match op {
                        Binary::Power => pow::<L>,
                        Binary::Equal => chain1::<Equal, L>,
                        Binary::NotEqual => chain1::<NotEqual, L>,
                        Binary::Less | Binary::Greater => chain1::<Less, L>,
                        Binary::LessEqual | Binary::GreaterEqual => chain1::<LessEqual, L>,
                        Binary::And => chain1::<And, L>,
                        Binary::Or => chain1::<Or, L>,
                        _ => binary::<L>,
                    },
                    Op::Select => select::<L>,
                    Op::Lookup(..) => match way {
                        Way::Count => count::<L>,
                        Way::Grid => grid::<L>,
                        Way::Search => search::<L>,
                    },
                    Op::Curve(..) => curve::<L>,
                    Op::Call(..) => call::<L>,
                    Op::Move => copy::<L>,
                    Op::Store(_) => save::<L>,
                    Op::Advance(_) => advance::<L>,
                    Op::Skip(..) => skip::<L>,
                    Op::Vector(op, ..) => kernel::<L>(op, way),
                    // Only a run on its own has totals.
                    Op::Total(..) => copy::<L>,
                }
            }
        }
    };
}

/// Operations that have no kernel of their own, by their place in an instruction.
pub(super) const UNARY: [Unary; 20] = [
    Unary::Negative,
    Unary::Not,
    Unary::Abs,
    Unary::Exp,
    Unary::Ln,
    Unary::Log10,
    Unary::Sqrt,
    Unary::Sin,
    Unary::Cos,
    Unary::Tan,
    Unary::Arcsin,
    Unary::Arccos,
    Unary::Arctan,
    Unary::Sinh,
    Unary::Cosh,
    Unary::Tanh,
    Unary::Floor,
    Unary::Truncate,
    Unary::Round,
    Unary::Sign,
];
/// The place of an operation in [`UNARY`].
pub(crate) fn number_of_unary(op: Unary) -> u32 {
    UNARY.iter().position(|&other| other == op).unwrap_or_default() as u32
}

/// The place of an operation in [`BINARY`].
pub(crate) fn number_of_binary(op: Binary) -> u32 {
    BINARY.iter().position(|&other| other == op).unwrap_or_default() as u32
}

/// As [`UNARY`].
pub(super) const BINARY: [Binary; 18] = [
    Binary::Add,
    Binary::Subtract,
    Binary::Multiply,
    Binary::Divide,
    Binary::Min,
    Binary::Max,
    Binary::Power,
    Binary::Remainder,
    Binary::Modulo,
    Binary::Equal,
    Binary::NotEqual,
    Binary::Less,
    Binary::LessEqual,
    Binary::Greater,
    Binary::GreaterEqual,
    Binary::And,
    Binary::Or,
    Binary::Arctan2,
];

target!(portable, false, 16, 16);
#[cfg(target_arch = "x86_64")]
target!(avx2, true, 8, 8, target_feature(enable = "avx2,fma"));
#[cfg(target_arch = "x86_64")]
target!(avx512, true, 16, 16, target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma"));
#[cfg(target_arch = "aarch64")]
target!(neon, true, 16, 16);

/// The kernel of an operation for an instruction set; of a lookup also by the way that it is read and its pieces.
pub(crate) fn kernel(set: Kernel, op: &Op, way: Way, pieces: usize) -> Run {
    match set {
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx512 if matches!(op, Op::Lookup(..)) && way == Way::Count => count_registers::<1>,
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx512 if matches!(op, Op::Lookup(..)) && way == Way::Grid && pieces <= 16 => count_registers::<2>,
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx512 => avx512::kernel::<WIDE>(op, way),
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx2 => avx2::kernel::<WIDE>(op, way),
        #[cfg(target_arch = "aarch64")]
        Kernel::Neon => neon::kernel::<WIDE>(op, way),
        _ => portable::kernel::<WIDE>(op, way),
    }
}
