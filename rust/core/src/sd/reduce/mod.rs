//! Statistics of a sweep that are updated run by run and need memory independent of the number of runs.

mod sketch;
mod store;

pub use sketch::Sketch;
pub use store::StoreError;

use rayon::prelude::*;

use crate::cancel::{Cancelled, Control};
use crate::lanes::Kernel;
use crate::sd::integrate::Ending;
use crate::sd::program::Program;
use crate::sd::sweep;
use sketch::Scratch;

/// Numbers that a wave of runs may hold before they are reduced: 32 MB.
const WAVE: usize = 4 << 20;
/// Most lanes of a block.
const LANES: usize = 256;

/// The groups of the runs of a wave, and how the values of each are found.
enum Company {
    /// Group, first and last run of each stretch of runs of one group.
    Stretches(Vec<(usize, usize, usize)>),
    /// The runs of each group in their order.
    Lists(Vec<(usize, Vec<u32>)>),
}

impl Company {
    fn of(group: &[u32]) -> Self {
        let mut stretches: Vec<(usize, usize, usize)> = Vec::new();
        for (run, &group) in group.iter().enumerate() {
            match stretches.last_mut() {
                Some(last) if last.0 == group as usize => last.2 = run + 1,
                _ => stretches.push((group as usize, run, run + 1)),
            }
        }
        // Stretches of a few runs are cheaper to collect.
        if stretches.len() <= 1 + group.len() / 64 {
            return Self::Stretches(stretches);
        }
        let mut lists: Vec<Vec<u32>> = Vec::new();
        for (run, &group) in group.iter().enumerate() {
            if group as usize >= lists.len() {
                lists.resize_with(group as usize + 1, Vec::new);
            }
            lists[group as usize].push(run as u32);
        }
        Self::Lists(lists.into_iter().enumerate().filter(|(_, runs)| !runs.is_empty()).collect())
    }

    /// Calls `visit` with each group and its finite values.
    fn visit(&self, values: &[f64], room: &mut Vec<f64>, visit: &mut dyn FnMut(usize, &[f64])) {
        match self {
            Self::Stretches(stretches) => {
                for &(group, start, end) in stretches {
                    let part = &values[start..end];
                    if side_by_side(part, 0.0, |odd, value| odd + value * 0.0).iter().all(|&odd| odd == 0.0) {
                        visit(group, part);
                        continue;
                    }
                    room.clear();
                    room.extend(part.iter().filter(|value| value.is_finite()));
                    visit(group, room);
                }
            }
            Self::Lists(lists) => {
                for (group, runs) in lists {
                    room.clear();
                    room.extend(runs.iter().map(|&run| values[run as usize]).filter(|value| value.is_finite()));
                    visit(*group, room);
                }
            }
        }
    }
}

/// Eight folds that do not wait for each other, over every eighth value each.
#[inline]
fn side_by_side(values: &[f64], start: f64, step: impl Fn(f64, f64) -> f64) -> [f64; 8] {
    let mut held = [start; 8];
    let mut groups = values.chunks_exact(8);
    for group in groups.by_ref() {
        for (held, &value) in held.iter_mut().zip(group) {
            *held = step(*held, value);
        }
    }
    for (held, &value) in held.iter_mut().zip(groups.remainder()) {
        *held = step(*held, value);
    }
    held
}

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

/// Moments of the values of one group, column and time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// How many finite values came.
    pub count: u64,
    mean: f64,
    squares: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
}

impl Moments {
    /// Those of finite values: the mean first, then squares about it, in eight sums that do not wait for each other.
    fn of(values: &[f64]) -> Self {
        let Some(&first) = values.first() else {
            return Self::default();
        };
        let n = values.len() as f64;
        let sums = side_by_side(values, 0.0, |sum, value| sum + (value - first));
        let least = side_by_side(values, first, |held, value| if value < held { value } else { held });
        let greatest = side_by_side(values, first, |held, value| if value > held { value } else { held });
        let mean = first + sums.iter().sum::<f64>() / n;
        let squares = side_by_side(values, 0.0, |sum, value| sum + (value - mean) * (value - mean));
        Self {
            count: values.len() as u64,
            mean,
            squares: squares.iter().sum(),
            least: least.iter().copied().fold(first, f64::min),
            greatest: greatest.iter().copied().fold(first, f64::max),
        }
    }

    /// Chan, Golub & LeVeque (1983), Algorithms for computing the sample variance, The American Statistician 37, eq. 2.1.
    fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (n, m) = (self.count as f64, other.count as f64);
        let gap = other.mean - self.mean;
        self.squares += other.squares + gap * gap * (n * m / (n + m));
        self.mean += gap * (m / (n + m));
        self.count += other.count;
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
    }

    fn extremes(&self) -> [f64; 2] {
        [self.least, self.greatest]
    }

    /// The mean; NaN without values.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.mean }
    }

    /// The variance with divisor n − 1; NaN with fewer than two values.
    pub fn variance(&self) -> f64 {
        if self.count < 2 { f64::NAN } else { self.squares / (self.count - 1) as f64 }
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
    /// Quantiles are within one part in this many of the ranks.
    pub compression: f64,
    /// Limits that are counted.
    pub thresholds: Vec<Threshold>,
    /// Moments by column, time and group.
    moments: Vec<Moments>,
    /// Sketches in the same order; empty when quantiles are not wanted.
    sketches: Vec<Sketch>,
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
            sketches: if quantiles { vec![Sketch::default(); cells] } else { Vec::new() },
            runs: vec![0; groups],
            beyond: vec![0; thresholds.len() * times * groups],
            first: vec![0; thresholds.len() * (times + 1) * groups],
            thresholds,
        }
    }

    /// Forgets every run.
    pub fn clear(&mut self) {
        let thresholds = std::mem::take(&mut self.thresholds);
        let quantiles = !self.sketches.is_empty();
        *self = Self::new(self.columns, self.times, self.groups, quantiles, self.compression, thresholds);
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
        let cells = (self.columns * self.times).max(1);
        // Whole blocks of lanes, as long as a wave of them is not far too large.
        let wave = match WAVE / cells {
            many @ LANES.. => (many / LANES * LANES).min(16_384),
            few @ 64.. => few / 64 * 64,
            few => few.max(16),
        };
        let mut endings = Vec::with_capacity(runs);
        let mut values = vec![0.0; cells * wave.min(runs)];
        // No group but one has so many for certain.
        let many = self.groups == 1 && runs > sketch::EXACT;
        let mut start = 0;
        control.set_total(runs as u64);
        while start < runs {
            let count = wave.min(runs - start);
            let part = Control::new();
            let rows = &design[start * width..(start + count) * width];
            control.check()?;
            let values = &mut values[..self.columns * self.times * count];
            let (number, room) = (first + start as u64, sweep::room(values));
            endings.extend(sweep::sweep_part(program, rows, count, number, key, block, pool, &part, control, room)?);
            self.take(values, count, &group[start..start + count], many, program.kernel, pool);
            control.advance(count as u64);
            start += count;
        }
        // It waits for others to be merged with.
        self.sketches.iter_mut().for_each(Sketch::fit);
        Ok(endings)
    }

    /// Takes in values by column, time and run.
    fn take(
        &mut self,
        values: &[f64],
        runs: usize,
        group: &[u32],
        many: bool,
        kernel: Kernel,
        pool: &rayon::ThreadPool,
    ) {
        let (groups, times, share) = (self.groups, self.times, 1.0 / self.compression);
        for &group in group {
            self.runs[group as usize] += 1;
        }
        let company = Company::of(group);
        let mut none = Vec::new();
        // Without sketches there is nothing to take part.
        let sketches = if self.sketches.is_empty() {
            none.resize_with(self.moments.len() / groups, Default::default);
            none.iter_mut().map(Vec::as_mut_slice).collect::<Vec<&mut [Sketch]>>()
        } else {
            self.sketches.chunks_mut(groups).collect()
        };
        let moments = &mut self.moments;
        pool.install(|| {
            moments.par_chunks_mut(groups).zip(sketches).zip(values.par_chunks(runs)).with_min_len(16).for_each_init(
                || (Vec::new(), Scratch::new(kernel)),
                |(room, scratch), ((moments, sketches), values)| {
                    company.visit(values, room, &mut |group, values| {
                        if let Some(sketch) = sketches.get_mut(group) {
                            let extremes = moments[group].extremes();
                            if many {
                                sketch.take_of_many(values, extremes, share, scratch);
                            } else {
                                sketch.take(values, extremes, share, scratch);
                            }
                        }
                        moments[group].merge(&Moments::of(values));
                    });
                },
            );
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
            && self.sketches.len() == other.sketches.len()
    }

    /// Takes in what another one holds; it must fit.
    pub fn merge(&mut self, other: &Self, pool: &rayon::ThreadPool) {
        let share = 1.0 / self.compression;
        let extremes = self.moments.par_iter().zip(&other.moments);
        pool.install(|| {
            let sketches = self.sketches.par_iter_mut().zip(&other.sketches).zip(extremes).with_min_len(64);
            sketches.for_each_init(
                || Scratch::new(Kernel::Portable),
                |scratch, ((mine, theirs), (own, others))| {
                    mine.merge(own.extremes(), theirs, others.extremes(), share, scratch);
                },
            );
        });
        for (mine, theirs) in self.moments.iter_mut().zip(&other.moments) {
            mine.merge(theirs);
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

    /// Quantiles by group, column of a range, time and `q`; `None` when no sketch is kept.
    pub fn quantiles(&self, q: &[f64], columns: std::ops::Range<usize>) -> Option<Vec<f64>> {
        let cells = columns.start * self.times..columns.end * self.times;
        let mut out = vec![f64::NAN; self.groups * cells.len() * q.len()];
        if self.sketches.is_empty() {
            return None;
        }
        let mut parts = out.chunks_exact_mut(q.len().max(1));
        for group in 0..self.groups {
            for cell in cells.clone() {
                let at = cell * self.groups + group;
                let Moments { count, least, greatest, .. } = self.moments[at];
                if let Some(out) = parts.next()
                    && count > 0
                {
                    self.sketches[at].quantiles(q, least, greatest, out);
                }
            }
        }
        Some(out)
    }

    /// The proven error of the quantiles as a share of the ranks, by group, column and time; zero where they are exact.
    pub fn bounds(&self) -> Option<Vec<f64>> {
        let cells = self.columns * self.times;
        let bound = |group: usize, cell: usize| self.sketches[cell * self.groups + group].bound();
        (!self.sketches.is_empty())
            .then(|| (0..self.groups).flat_map(|group| (0..cells).map(move |cell| bound(group, cell))).collect())
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
