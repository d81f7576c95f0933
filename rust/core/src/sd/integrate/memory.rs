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
    /// Zeros.
    pub(super) fn new(length: usize) -> Self {
        Self { lines: vec![Line([0.0; 8]); length.div_ceil(8)], length }
    }

    pub(super) fn start(&mut self) -> *mut f64 {
        self.lines.as_mut_ptr().cast()
    }

    pub(super) fn numbers(&mut self) -> &mut [f64] {
        // SAFETY: a line is eight numbers without padding, and `length` does not exceed them.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.length) }
    }
}
