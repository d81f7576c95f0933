//! Room for numbers that starts where a cache line starts: a register of eight numbers never lies across two lines.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line.
const LINE: usize = 64;

/// Numbers in a row, the first at the start of a cache line.
#[derive(Debug, Default)]
pub struct Aligned {
    data: Vec<f64>,
    length: usize,
}

impl Aligned {
    /// So many zeros.
    pub fn new(length: usize) -> Self {
        Self { data: vec![0.0; length + LINE / 8], length }
    }

    /// Makes room for so many numbers; what they hold is not said.
    pub fn resize(&mut self, length: usize) {
        if self.length != length {
            *self = Self::new(length);
        }
    }

    fn start(&self) -> usize {
        self.data.as_ptr().align_offset(LINE).min(self.data.len() - self.length)
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Self {
        let mut copy = Self::new(self.length);
        copy.copy_from_slice(self);
        copy
    }
}

impl Deref for Aligned {
    type Target = [f64];

    #[inline]
    fn deref(&self) -> &[f64] {
        &self.data[self.start()..][..self.length]
    }
}

impl DerefMut for Aligned {
    #[inline]
    fn deref_mut(&mut self) -> &mut [f64] {
        let start = self.start();
        &mut self.data[start..][..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_start_at_a_line_and_a_copy_holds_them() {
        for length in [0, 1, 7, 1000] {
            let mut room = Aligned::new(length);
            for (k, place) in room.iter_mut().enumerate() {
                *place = k as f64;
            }
            let copies: Vec<Aligned> = (0..4).map(|_| room.clone()).collect();
            for copy in &copies {
                assert_eq!(copy.as_ptr() as usize % LINE, 0);
                assert_eq!(copy[..], room[..]);
            }
        }
        assert!(Aligned::default().is_empty());
    }
}
