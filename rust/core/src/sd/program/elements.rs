//! Vector instructions of a run on its own: the kernels of runs side by side, with elements in place of runs.

use super::kernels::{Bound, Frame, WIDE, store};

/// Numbers of scratch memory besides those that are gathered: a chunk of each argument.
pub(crate) const SCRATCH: usize = 4 * WIDE;

/// A vector instruction bound to memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BoundVector {
    /// The kernel and where its first arguments stand.
    pub(crate) bound: Bound,
    /// How many arguments it has.
    pub(crate) few: usize,
    /// How many elements it has: at least a chunk.
    pub(crate) count: usize,
    /// How far each argument moves from one element to the next.
    pub(crate) paces: [u32; 4],
    /// Where scratch memory begins, and how much of it a gathered argument takes.
    pub(crate) scratch: usize,
    pub(crate) gathered: usize,
}

impl BoundVector {
    /// Runs the kernel over the elements.
    ///
    /// # Safety
    /// As for every kernel; scratch memory lies inside the memory.
    pub(super) unsafe fn run(&self, r: *mut f64, frame: &mut Frame<'_>) {
        let mut bound = self.bound;
        let chunks = frame.chunks;
        // SAFETY: as promised.
        unsafe {
            for k in 0..self.few {
                let from = r.add(bound.a[k] as usize).cast_const();
                match self.paces[k] {
                    0 => {
                        let place = self.scratch + k * WIDE;
                        store::<WIDE>(r.add(place), [*from; WIDE]);
                        (bound.a[k], bound.stride[k]) = (place as u32, 0);
                    }
                    1 => bound.stride[k] = WIDE as u32,
                    pace => {
                        let place = self.scratch + SCRATCH + k * self.gathered;
                        for element in 0..self.count {
                            *r.add(place + element) = *from.add(element * pace as usize);
                        }
                        (bound.a[k], bound.stride[k]) = (place as u32, WIDE as u32);
                    }
                }
            }
            frame.chunks = self.count / WIDE;
            (bound.run)(&bound, r, frame);
            let rest = self.count % WIDE;
            if rest > 0 {
                // The last chunk begins earlier and does some elements again: no argument stands where results go.
                let back = (self.count - WIDE) as u32;
                for k in 0..self.few {
                    bound.a[k] += if bound.stride[k] == 0 { 0 } else { back };
                }
                bound.to += back;
                frame.chunks = 1;
                (bound.run)(&bound, r, frame);
            }
        }
        frame.chunks = chunks;
    }

    /// Hands the elements to the sink.
    ///
    /// # Safety
    /// As for every kernel; the sink has room for every column.
    pub(super) unsafe fn store(&self, r: *mut f64, frame: &mut Frame<'_>) {
        let (pace, pitch) = (self.paces[0] as usize, frame.pitch);
        let mut odd = 0.0;
        // SAFETY: as promised.
        unsafe {
            let from = r.add(self.bound.a[0] as usize).cast_const();
            let to = frame.sink.add(self.bound.number as usize * pitch);
            if pace == 1 && pitch == 1 {
                std::ptr::copy_nonoverlapping(from, to, self.count);
                for element in 0..self.count {
                    // Zero times what is not finite is not a number.
                    odd += *from.add(element) * 0.0;
                }
            } else {
                for element in 0..self.count {
                    let value = *from.add(element * pace);
                    *to.add(element * pitch) = value;
                    odd += value * 0.0;
                }
            }
        }
        frame.bad |= self.bound.aux != 0 && odd != 0.0;
    }
}
