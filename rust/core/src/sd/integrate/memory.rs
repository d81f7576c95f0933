//! Numbers aligned to cache lines.

/// A block of memory that starts on a cache line.
pub(super) struct Memory {
    lines: Vec<Line>,
    length: usize,
}

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f64; 8]);

impl Memory {
    /// A copy of the first numbers, zeros behind them.
    pub(super) fn new(length: usize, image: &[f64]) -> Self {
        let mut memory = Self { lines: vec![Line([0.0; 8]); length.div_ceil(8)], length };
        memory.numbers()[..image.len()].copy_from_slice(image);
        memory
    }

    pub(super) fn start(&mut self) -> *mut f64 {
        self.lines.as_mut_ptr().cast()
    }

    pub(super) fn numbers(&mut self) -> &mut [f64] {
        // SAFETY: a line is eight numbers without padding, and `length` does not exceed them.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.length) }
    }
}

/// Asks the processor for memory that is written soon: what waits for it would stop the runs.
pub(super) fn fetch(start: *const f64, count: usize) {
    #[cfg(target_arch = "x86_64")]
    for number in (0..count).step_by(8) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a hint, for any address; nothing is read.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(start.wrapping_add(number).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (start, count);
}
