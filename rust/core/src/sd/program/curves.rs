//! Lookups and series whose points each run has for itself: they stand among the varied values, a vector a point.
//!
//! The numbers are those of [`scalar::lookup`], so that a run gives the same bits whether its points are part of the
//! program or varied values.

use super::kernels::{Bound, Frame, load, store};
use crate::sd::compile::graph::{Curve, Reading};
use crate::sd::compile::scalar;

/// Most points that are compared one after the other in all lanes.
const COMPARED: usize = 17;

/// A curve bound to memory.
#[derive(Clone, Debug)]
pub(crate) struct BoundCurve {
    reading: Reading,
    count: usize,
    /// Arguments that all runs share.
    x: Vec<f64>,
    /// Where the first argument stands, where each run has its own.
    own: Option<usize>,
    /// Where the first value stands.
    y: usize,
    /// Distance from point to point.
    pitch: usize,
}

impl BoundCurve {
    pub(crate) fn new(curve: &Curve, reading: Reading, place: impl Fn(u32) -> usize) -> Self {
        let y = place(curve.first_y);
        let pitch = place(curve.first_y + 1) - y;
        Self { reading, count: curve.count, x: curve.x.clone(), own: curve.first_x.map(&place), y, pitch }
    }
}

/// The value of a curve in a run on its own.
///
/// # Safety
/// The points of the curve lie inside the memory, one lane each.
pub(super) unsafe fn curve_at(curve: &BoundCurve, r: *const f64, at: f64) -> f64 {
    // SAFETY: as promised; the points of one lane stand side by side.
    unsafe {
        let points = |first: usize| std::slice::from_raw_parts(r.add(first), curve.count);
        let x = curve.own.map_or(&curve.x[..], points);
        scalar::read(x, points(curve.y), curve.reading, at)
    }
}

/// Reads a curve in every lane.
///
/// # Safety
/// As for every kernel.
#[inline(always)]
pub(super) unsafe fn curve_body<const L: usize>(i: &Bound, r: *mut f64, frame: &mut Frame<'_>) {
    let curve = &frame.curves[i.aux as usize];
    let straight = matches!(curve.reading, Reading::Linear | Reading::Extrapolate);
    // SAFETY: places lie inside the memory for all chunks.
    unsafe {
        match curve.own {
            None if i.stride[0] == 0 => at_once::<L>(i, r, curve, frame.chunks),
            Some(x) if straight && (2..=COMPARED).contains(&curve.count) => {
                let x = r.add(x).cast_const();
                compared::<L>(i, r, curve, frame.chunks, |k, lane| load(x.add(k * curve.pitch + lane)));
            }
            None if straight && (2..=COMPARED).contains(&curve.count) => {
                compared::<L>(i, r, curve, frame.chunks, |k, _| [curve.x[k]; L]);
            }
            Some(x) => {
                let x = r.add(x).cast_const();
                searched::<L>(i, r, curve, frame.chunks, |k, lane| *x.add(k * curve.pitch + lane));
            }
            None => searched::<L>(i, r, curve, frame.chunks, |k, _| curve.x[k]),
        }
    }
}

/// All lanes read the same piece of a curve whose arguments they share: a series at the time of the step.
#[inline(always)]
unsafe fn at_once<const L: usize>(i: &Bound, r: *mut f64, curve: &BoundCurve, chunks: usize) {
    // SAFETY: as promised for every kernel.
    unsafe {
        let at = *r.add(i.a[0] as usize);
        let before = curve.x.partition_point(|&point| point <= at);
        let y = r.add(curve.y).cast_const();
        let to = r.add(i.to as usize);
        for lane in (0..chunks * L).step_by(L) {
            let mut out = [0.0; L];
            for (k, out) in out.iter_mut().enumerate() {
                let y = |point: usize| *y.add(point * curve.pitch + lane + k);
                *out = scalar::piece(curve.count, curve.reading, at, before, |point| curve.x[point], y);
            }
            store::<L>(to.add(lane), out);
        }
    }
}

/// Compares the argument with every point but the ends.
#[inline(always)]
unsafe fn compared<const L: usize>(
    i: &Bound,
    r: *mut f64,
    curve: &BoundCurve,
    chunks: usize,
    x: impl Fn(usize, usize) -> [f64; L],
) {
    // SAFETY: as promised for every kernel.
    unsafe {
        let y = r.add(curve.y).cast_const();
        let y = |k: usize, lane: usize| load::<L>(y.add(k * curve.pitch + lane));
        let from = r.add(i.a[0] as usize).cast_const();
        let to = r.add(i.to as usize);
        let last = curve.count - 1;
        for chunk in 0..chunks {
            let lane = chunk * L;
            let at = load::<L>(from.add(chunk * i.stride[0] as usize));
            let (mut x0, mut y0, mut x1, mut y1) = (x(0, lane), y(0, lane), x(1, lane), y(1, lane));
            let (first, bottom) = (x0, y0);
            let (mut xq, mut yq) = (x1, y1);
            for q in 1..last {
                let (xn, yn) = (x(q + 1, lane), y(q + 1, lane));
                for k in 0..L {
                    let beyond = at[k] >= xq[k];
                    x0[k] = if beyond { xq[k] } else { x0[k] };
                    y0[k] = if beyond { yq[k] } else { y0[k] };
                    x1[k] = if beyond { xn[k] } else { x1[k] };
                    y1[k] = if beyond { yn[k] } else { y1[k] };
                }
                (xq, yq) = (xn, yn);
            }
            let mut out = [0.0; L];
            for k in 0..L {
                let slope = (y1[k] - y0[k]) / (x1[k] - x0[k]);
                out[k] = y0[k] + slope * (at[k] - x0[k]);
            }
            if curve.reading == Reading::Linear {
                for k in 0..L {
                    out[k] = if at[k] < first[k] { bottom[k] } else { out[k] };
                    out[k] = if at[k] >= xq[k] { yq[k] } else { out[k] };
                }
            }
            store::<L>(to.add(lane), out);
        }
    }
}

/// Searches in each lane.
#[inline(always)]
unsafe fn searched<const L: usize>(
    i: &Bound,
    r: *mut f64,
    curve: &BoundCurve,
    chunks: usize,
    x: impl Fn(usize, usize) -> f64,
) {
    // SAFETY: as promised for every kernel.
    unsafe {
        let y = r.add(curve.y).cast_const();
        let to = r.add(i.to as usize);
        for chunk in 0..chunks {
            let from = r.add(i.a[0] as usize + chunk * i.stride[0] as usize);
            for k in 0..L {
                let (lane, at) = (chunk * L + k, *from.add(k));
                let (mut before, mut beyond) = (0, curve.count);
                while before < beyond {
                    let middle = usize::midpoint(before, beyond);
                    if x(middle, lane) <= at {
                        before = middle + 1;
                    } else {
                        beyond = middle;
                    }
                }
                let y = |point: usize| *y.add(point * curve.pitch + lane);
                *to.add(lane) = scalar::piece(curve.count, curve.reading, at, before, |point| x(point, lane), y);
            }
        }
    }
}
