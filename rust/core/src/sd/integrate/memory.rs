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
