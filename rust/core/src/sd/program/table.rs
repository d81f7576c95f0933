//! Lookups prepared for fast reading.

use crate::sd::compile::graph::{Points, Reading};
use crate::sd::compile::scalar;

/// Longest table that is read by comparing with every point.
const COUNTED: usize = 9;
/// Most cells of a uniform grid laid over a table.
const CELLS: usize = 4096;

/// A table with its slopes, and a uniform grid over it where one fits.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) points: Points,
    pub(crate) reading: Reading,
    /// Slope of each piece.
    pub(crate) slopes: Vec<f64>,
    /// Inverse width of a grid cell, zero without grid.
    pub(crate) inverse: f64,
    /// The piece that holds the start of each cell.
    pub(crate) cells: Vec<u32>,
    /// How it is read.
    pub(crate) way: Way,
}

/// How a table is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Compare with every point.
    Count,
    /// Uniform grid.
    Grid,
    /// One lane at a time.
    Search,
}

impl Table {
    pub(crate) fn new(points: &Points, reading: Reading) -> Self {
        let x = &points.x;
        let n = x.len();
        let slopes: Vec<f64> = (1..n).map(|i| (points.y[i] - points.y[i - 1]) / (x[i] - x[i - 1])).collect();
        let plain = n >= 2
            && matches!(reading, Reading::Linear | Reading::Extrapolate)
            && x.windows(2).all(|pair| pair[0] < pair[1])
            && slopes.iter().all(|slope| slope.is_finite());
        let mut table =
            Self { points: points.clone(), reading, slopes, inverse: 0.0, cells: Vec::new(), way: Way::Search };
        if !plain {
            return table;
        }
        if n <= COUNTED {
            table.way = Way::Count;
            return table;
        }
        // The grid is fine enough that a cell holds at most one point inside: the piece is the cell's or the next.
        let narrowest = x.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
        let cells = ((x[n - 1] - x[0]) / narrowest).ceil().max(1.0) * 1.01 + 1.0;
        if cells <= CELLS as f64 {
            let cells = cells as usize;
            table.inverse = cells as f64 / (x[n - 1] - x[0]);
            table.cells = (0..=cells)
                .map(|cell| {
                    let start = x[0] + cell as f64 / table.inverse;
                    // One piece early: rounding must not put the start of a cell beyond a point in it.
                    let slack = narrowest * 1e-9;
                    (x.partition_point(|&point| point <= start - slack).max(1) - 1).min(n - 2) as u32
                })
                .collect();
            table.way = Way::Grid;
        }
        table
    }

    /// The value at one argument.
    pub(crate) fn at(&self, x: f64) -> f64 {
        scalar::lookup(&self.points, self.reading, x)
    }
}
