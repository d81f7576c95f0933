//! Many runs of a program: blocks of lanes over the threads of a pool, results by index.

mod diagnose;

pub use diagnose::{diagnose, everything};

use std::mem::MaybeUninit;

use rayon::prelude::*;

use crate::cancel::{Cancelled, Control};
use crate::par;
use crate::sd::compile::graph::Curve;
use crate::sd::integrate::{Block, Ending, Sink};
use crate::sd::model::Method;
use crate::sd::program::Program;
use crate::sd::program::kernels::WIDE;

/// Memory that a block should not exceed, in numbers: a block that stays in the second-level cache.
const CACHED: usize = 32 * 1024;
/// Most lanes of a block.
const WIDEST: usize = 256;
/// Results of so many numbers are spread over the threads before the runs begin: eight huge pages.
const LARGE: usize = 1 << 21;
/// Numbers in a huge page, and in the smallest page of any processor.
const PAGES: [usize; 2] = [1 << 18, 1 << 9];

/// What a sweep gives.
#[derive(Clone, Debug)]
pub struct Swept {
    /// Values by column, saved time and run.
    pub values: Vec<f64>,
    /// How each run ended.
    pub endings: Vec<Ending>,
}

/// A raw pointer that several workers may hold: each writes only the runs of its own block.
#[derive(Clone, Copy)]
struct Shared(*mut MaybeUninit<f64>);
// SAFETY: workers write disjoint runs, and the memory outlives them.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

struct Table {
    start: Shared,
    times: usize,
    runs: usize,
    first: usize,
}

impl Sink for Table {
    fn target(&mut self, time: usize) -> (*mut f64, usize) {
        // SAFETY: `time` and `first` lie inside the table of columns × times × runs.
        (unsafe { self.start.0.add(time * self.runs + self.first).cast() }, self.times * self.runs)
    }
    fn stored(&mut self, _: usize, _: &[bool]) {}
}

/// Numbers that one lane of a program needs.
fn numbers_a_lane(program: &Program) -> usize {
    let states = program.flat.states.len();
    let stages = if program.flat.time.method == Method::Euler { 2 } else { 5 };
    // Of long series a step reads few points.
    let points = |curve: &Curve| curve.count * if curve.first_x.is_some() { 2 } else { 1 };
    let unread: usize = program.flat.curves.iter().map(|curve| points(curve).saturating_sub(32)).sum();
    program.flat.defaults.len() - unread + program.lanes.kept + stages * states + program.lanes.temporaries()
}

/// Lanes of a block: as many as stay in cache, fewer when there are few runs for the threads.
pub fn lanes(program: &Program, runs: usize, threads: usize) -> usize {
    if runs <= 1 || program.flat.time.method == Method::Rk45 {
        return 1;
    }
    let fitting = (CACHED / numbers_a_lane(program).max(1)).clamp(WIDE, WIDEST) / WIDE * WIDE;
    // As many blocks for each thread as for the others, and all of about one size.
    let threads = threads.max(1);
    let blocks = runs.div_ceil(fitting).next_multiple_of(threads);
    fitting.min(runs.div_ceil(blocks).next_multiple_of(WIDE))
}

/// Runs one member.
pub fn run(
    program: &Program,
    values: &[f64],
    run: u64,
    key: [u64; 2],
    control: &Control,
) -> Result<(Vec<f64>, Ending), Cancelled> {
    // One run is stored by time and column: a row a time.
    struct Rows {
        values: Vec<f64>,
        columns: usize,
    }
    impl Sink for Rows {
        fn target(&mut self, time: usize) -> (*mut f64, usize) {
            (self.values[time * self.columns..].as_mut_ptr(), 1)
        }
        fn stored(&mut self, _: usize, _: &[bool]) {}
    }
    let columns = program.flat.saves.len();
    let mut sink = Rows { values: vec![0.0; columns * program.times.len()], columns };
    let mut block = Block::new(program, 1);
    let endings = block.run(1, run, key, |slot, _| values[slot], &mut sink, control)?;
    Ok((sink.values, endings.first().copied().unwrap_or(Ending::COMPLETE)))
}

/// Runs every row of a design (runs × varied values).
pub fn sweep(
    program: &Program,
    design: &[f64],
    runs: usize,
    first: u64,
    key: [u64; 2],
    block: usize,
    pool: &rayon::ThreadPool,
    control: &Control,
) -> Result<Swept, Cancelled> {
    let size = program.flat.saves.len() * program.times.len() * runs;
    let mut values = Vec::with_capacity(size);
    let room = &mut values.spare_capacity_mut()[..size];
    let endings = sweep_into(program, design, runs, first, key, block, pool, control, room)?;
    // SAFETY: a sweep that ends has written every number.
    unsafe { values.set_len(size) };
    Ok(Swept { values, endings })
}

/// As [`sweep`], into memory for columns × times × runs, of which every number is written unless the call is cancelled.
pub fn sweep_into(
    program: &Program,
    design: &[f64],
    runs: usize,
    first: u64,
    key: [u64; 2],
    block: usize,
    pool: &rayon::ThreadPool,
    control: &Control,
    values: &mut [MaybeUninit<f64>],
) -> Result<Vec<Ending>, Cancelled> {
    control.set_total(runs as u64);
    spread(values, pool);
    sweep_part(program, design, runs, first, key, block, pool, control, control, values)
}

/// Touches every page once, each thread its own stretch. The runs of all threads go through time together and would wait for
/// each other at every new page: the system clears it when it is first touched.
fn spread(values: &mut [MaybeUninit<f64>], pool: &rayon::ThreadPool) {
    let [huge, small] = PAGES;
    if values.len() >= LARGE && pool.current_num_threads() > 1 {
        let touch = |part: &mut [MaybeUninit<f64>]| {
            for page in part.chunks_mut(small) {
                page[0].write(0.0);
            }
        };
        pool.install(|| values.par_chunks_mut(huge).for_each(touch));
    }
}

/// Numbers as memory to write to.
pub(crate) fn room(values: &mut [f64]) -> &mut [MaybeUninit<f64>] {
    // SAFETY: the two have the same layout, and a sweep writes numbers only.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), values.len()) }
}

/// As [`sweep_into`], a part of a longer call: progress goes to `part`, a cancel is seen in `whole`.
pub(crate) fn sweep_part(
    program: &Program,
    design: &[f64],
    runs: usize,
    first: u64,
    key: [u64; 2],
    block: usize,
    pool: &rayon::ThreadPool,
    part: &Control,
    whole: &Control,
    values: &mut [MaybeUninit<f64>],
) -> Result<Vec<Ending>, Cancelled> {
    let width = program.flat.defaults.len();
    let times = program.times.len();
    debug_assert_eq!(values.len(), program.flat.saves.len() * times * runs, "workers write all of it");
    let shared = Shared(values.as_mut_ptr());
    let threads = pool.current_num_threads();
    // Runs with steps of their own go one by one.
    let own = block == 0 || program.flat.time.method == Method::Rk45;
    let block = if own { lanes(program, runs, threads) } else { block };
    let parts = par::chunks(
        pool,
        part,
        runs,
        block,
        || Block::new(program, block),
        |machine, range| {
            let mut sink = Table { start: shared, times, runs, first: range.start };
            machine.run(
                range.len(),
                first + range.start as u64,
                key,
                |slot, lane| design[(range.start + lane) * width + slot],
                &mut sink,
                whole,
            )
        },
    )?;
    Ok(parts.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests;
