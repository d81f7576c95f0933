//! Statistics of a sweep that are updated run by run and need memory independent of the number of runs.

mod digest;
mod store;

pub use digest::Digest;
pub use store::StoreError;

use rayon::prelude::*;

use crate::cancel::{Cancelled, Control};
use crate::sd::integrate::Ending;
use crate::sd::program::Program;
use crate::sd::sweep;

/// Numbers that a wave of runs may hold before they are reduced: 64 MB.
const WAVE: usize = 8 << 20;

/// Which side of a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

/// A limit whose crossing is counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// The column.
    pub column: usize,
    /// Which side counts.
    pub side: Side,
    /// The limit.
    pub limit: f64,
}

impl Threshold {
    fn beyond(&self, value: f64) -> bool {
        match self.side {
            Side::Above => value > self.limit,
            Side::AtLeast => value >= self.limit,
            Side::Below => value < self.limit,
            Side::AtMost => value <= self.limit,
        }
    }
}

/// Moments of the values of one group, column and time. Sums are about the first value, so that nothing cancels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// How many finite values came.
    pub count: u64,
    shift: f64,
    sum: f64,
    squares: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
}

impl Moments {
    #[inline]
    fn push(&mut self, value: f64) {
        if self.count == 0 {
            *self = Self { shift: value, least: value, greatest: value, ..Self::default() };
        }
        let gap = value - self.shift;
        self.count += 1;
        self.sum += gap;
        self.squares += gap * gap;
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
    }

    fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (n, move_by) = (other.count as f64, other.shift - self.shift);
        self.squares += other.squares + 2.0 * move_by * other.sum + n * move_by * move_by;
        self.sum += other.sum + n * move_by;
        self.count += other.count;
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
    }

    /// The mean; NaN without values.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.shift + self.sum / self.count as f64 }
    }

    /// The variance with divisor n − 1; NaN with fewer than two values.
    pub fn variance(&self) -> f64 {
        if self.count < 2 {
            return f64::NAN;
        }
        let n = self.count as f64;
        ((self.squares - self.sum * self.sum / n) / (n - 1.0)).max(0.0)
    }
}

/// Running statistics by group, column and time.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduction {
    /// Number of groups.
    pub groups: usize,
    /// Number of columns.
    pub columns: usize,
    /// Number of saved times.
    pub times: usize,
    /// Resolution of the quantile sketch.
    pub compression: f64,
    /// Limits that are counted.
    pub thresholds: Vec<Threshold>,
    /// Moments by column, time and group.
    moments: Vec<Moments>,
    /// Sketches in the same order; empty when quantiles are not wanted.
    digests: Vec<Digest>,
    /// Runs of each group.
    runs: Vec<u64>,
    /// Runs beyond each limit by threshold, time and group.
    beyond: Vec<u64>,
    /// Runs first beyond each limit by threshold, time (one more: never) and group.
    first: Vec<u64>,
}

impl Reduction {
    /// Empty statistics.
    pub fn new(
        columns: usize,
        times: usize,
        groups: usize,
        quantiles: bool,
        compression: f64,
        thresholds: Vec<Threshold>,
    ) -> Self {
        let cells = groups * columns * times;
        Self {
            groups,
            columns,
            times,
            compression,
            moments: vec![Moments::default(); cells],
            digests: if quantiles { vec![Digest::default(); cells] } else { Vec::new() },
            runs: vec![0; groups],
            beyond: vec![0; thresholds.len() * times * groups],
            first: vec![0; thresholds.len() * (times + 1) * groups],
            thresholds,
        }
    }

    /// Runs a design in waves and takes every run in, in the order of the rows: the bits do not depend on waves,
    /// blocks or threads. `group` gives the group of each row.
    pub fn sweep(
        &mut self,
        program: &Program,
        design: &[f64],
        runs: usize,
        group: &[u32],
        first: u64,
        key: [u64; 2],
        block: usize,
        pool: &rayon::ThreadPool,
        control: &Control,
    ) -> Result<Vec<Ending>, Cancelled> {
        let width = program.flat.defaults.len();
        let wave = (WAVE / (self.columns * self.times).max(1)).clamp(64, 16_384);
        let mut endings = Vec::with_capacity(runs);
        let mut start = 0;
        control.set_total(runs as u64);
        while start < runs {
            let count = wave.min(runs - start);
            let part = Control::new();
            let rows = &design[start * width..(start + count) * width];
            control.check()?;
            let swept =
                sweep::sweep_watched(program, rows, count, first + start as u64, key, block, pool, &part, control)?;
            self.take(&swept.values, count, &group[start..start + count], pool);
            endings.extend(swept.endings);
            control.advance(count as u64);
            start += count;
        }
        Ok(endings)
    }

    /// Takes in values by column, time and run.
    fn take(&mut self, values: &[f64], runs: usize, group: &[u32], pool: &rayon::ThreadPool) {
        let (groups, times, compression) = (self.groups, self.times, self.compression);
        for &group in group {
            self.runs[group as usize] += 1;
        }
        let moments = &mut self.moments;
        let digests = &mut self.digests;
        pool.install(|| {
            moments.par_chunks_mut(groups).zip(values.par_chunks(runs)).for_each(|(cells, values)| {
                for (&value, &group) in values.iter().zip(group) {
                    if value.is_finite() {
                        cells[group as usize].push(value);
                    }
                }
            });
            digests.par_chunks_mut(groups).zip(values.par_chunks(runs)).for_each(|(cells, values)| {
                for (&value, &group) in values.iter().zip(group) {
                    if value.is_finite() {
                        cells[group as usize].push(value, compression);
                    }
                }
            });
        });
        let mut passed = vec![false; runs];
        for (k, threshold) in self.thresholds.iter().enumerate() {
            passed.fill(false);
            for time in 0..times {
                let row = &values[(threshold.column * times + time) * runs..][..runs];
                for (run, &value) in row.iter().enumerate() {
                    let group = group[run] as usize;
                    if threshold.beyond(value) {
                        self.beyond[(k * times + time) * groups + group] += 1;
                        if !passed[run] {
                            passed[run] = true;
                            self.first[(k * (times + 1) + time) * groups + group] += 1;
                        }
                    }
                }
            }
            for (run, &passed) in passed.iter().enumerate() {
                if !passed {
                    self.first[(k * (times + 1) + times) * groups + group[run] as usize] += 1;
                }
            }
        }
    }

    /// Whether another one can be merged: the same shape, limits and resolution.
    pub fn fits(&self, other: &Self) -> bool {
        (self.groups, self.columns, self.times) == (other.groups, other.columns, other.times)
            && self.thresholds == other.thresholds
            && self.compression == other.compression
            && self.digests.len() == other.digests.len()
    }

    /// Takes in what another one holds; it must fit.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.moments.iter_mut().zip(&other.moments) {
            mine.merge(theirs);
        }
        for (mine, theirs) in self.digests.iter_mut().zip(&other.digests) {
            mine.merge(theirs, self.compression);
        }
        let add = |mine: &mut [u64], theirs: &[u64]| {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine += theirs;
            }
        };
        add(&mut self.runs, &other.runs);
        add(&mut self.beyond, &other.beyond);
        add(&mut self.first, &other.first);
    }

    /// One number of every cell, by group, column and time.
    pub fn by_group<T>(&self, value: impl Fn(&Moments) -> T) -> Vec<T> {
        let cells = self.columns * self.times;
        (0..self.groups)
            .flat_map(|group| (0..cells).map(move |cell| (group, cell)))
            .map(|(group, cell)| value(&self.moments[cell * self.groups + group]))
            .collect()
    }

    /// Quantiles by group, column, time and `q`; `None` when no sketch is kept.
    pub fn quantiles(&self, q: &[f64]) -> Option<Vec<f64>> {
        if self.digests.is_empty() {
            return None;
        }
        let cells = self.columns * self.times;
        let mut out = vec![f64::NAN; self.groups * cells * q.len()];
        for group in 0..self.groups {
            for cell in 0..cells {
                let at = (group * cells + cell) * q.len();
                self.digests[cell * self.groups + group].quantiles(q, self.compression, &mut out[at..at + q.len()]);
            }
        }
        Some(out)
    }

    /// Share of the runs beyond each limit, by group, threshold and time; of the runs that are finite then.
    pub fn exceedance(&self) -> Vec<f64> {
        let mut out = Vec::with_capacity(self.beyond.len());
        for group in 0..self.groups {
            for (k, threshold) in self.thresholds.iter().enumerate() {
                for time in 0..self.times {
                    let count = self.moments[(threshold.column * self.times + time) * self.groups + group].count;
                    out.push(self.beyond[(k * self.times + time) * self.groups + group] as f64 / count as f64);
                }
            }
        }
        out
    }

    /// Share of the runs that are first beyond a limit at each time, and never, by group, threshold and time.
    pub fn first_passage(&self) -> Vec<f64> {
        let mut out = Vec::with_capacity(self.first.len());
        for group in 0..self.groups {
            for k in 0..self.thresholds.len() {
                for time in 0..=self.times {
                    let count = self.first[(k * (self.times + 1) + time) * self.groups + group];
                    out.push(count as f64 / self.runs[group] as f64);
                }
            }
        }
        out
    }
}
