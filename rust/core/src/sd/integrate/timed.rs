//! Values of time alone: computed once for all lanes of a block; for a run on its own from a table that the first such run
//! of a program leaves to those after it.

use std::sync::Arc;

use super::block::Block;
use crate::sd::compile::graph::Node;
use crate::sd::model::Method;
use crate::sd::program::kernels::Frame;

/// Most numbers of the table that a program keeps: 8 MB, what C-LEARN needs with room to spare.
const KEPT: usize = 1 << 20;

/// The table of a program as a run on its own reads or makes it, a row for each point in time.
#[derive(Default)]
pub(super) struct Timed {
    table: Option<Arc<Vec<f64>>>,
    made: Vec<f64>,
    keep: bool,
}

/// Points in time that a step evaluates, without its end.
fn points(method: Method) -> usize {
    match method {
        Method::Euler | Method::Rk45 => 1,
        Method::Rk2 => 2,
        Method::Rk4 => 3,
    }
}

impl Block<'_> {
    /// Looks whether the program has a table, or whether to make one.
    pub(super) fn open_table(&mut self) {
        let method = self.program.flat.time.method;
        let rows = (self.program.last_step() as usize).saturating_mul(points(method)).saturating_add(1);
        let table = self.program.timetable();
        let keep = table.is_none() && method != Method::Rk45 && rows.saturating_mul(self.code.timed) <= KEPT;
        self.timed = Timed { table, made: Vec::with_capacity(if keep { rows * self.code.timed } else { 0 }), keep };
    }

    /// Leaves a table to other runs if it is complete.
    pub(super) fn close_table(&mut self) {
        let rows = self.program.last_step() as usize * points(self.program.flat.time.method) + 1;
        if self.timed.keep && self.code.timed > 0 && self.timed.made.len() == rows * self.code.timed {
            self.timed.keep = false;
            self.program.keep_timetable(std::mem::take(&mut self.timed.made));
        }
    }

    /// Puts the values of time alone where the code reads them.
    pub(super) fn set_time(&mut self, frame: &mut Frame<'_>, time: f64, step_time: f64) {
        if self.uniform_slots.is_empty() {
            return;
        }
        if self.width == 1 {
            let numbers = self.memory.numbers();
            for uniform in &self.plan.uniforms {
                numbers[uniform.slot as usize] = if uniform.node == Node::Time { time } else { step_time };
            }
            Self::execute(self.memory.start(), &self.code.time, frame);
            return;
        }
        self.program.uniforms(time, step_time, &mut self.scalars);
        self.spread();
    }

    fn spread(&mut self) {
        let width = self.width;
        let numbers = self.memory.numbers();
        for &slot in &self.uniform_slots {
            let at = slot as usize * width;
            numbers[at..at + width].fill(self.scalars[slot as usize]);
        }
    }

    /// As [`Block::set_time`] at the start of a step, from the program's table where there is one.
    #[inline]
    pub(super) fn set_step(&mut self, frame: &mut Frame<'_>, step: u64) {
        let count = self.uniform_slots.len();
        if count == 0 {
            return;
        }
        if self.width == 1 {
            return self.set_point(frame, step, 0, self.program.time_at(step));
        }
        let at = step as usize * count;
        let Some(values) = self.uniform_table.and_then(|table| table.get(at..at + count)) else {
            let time = self.program.time_at(step);
            return self.set_time(frame, time, time);
        };
        let width = self.width;
        let numbers = self.memory.numbers();
        for (&slot, &value) in self.uniform_slots.iter().zip(values) {
            numbers[slot as usize * width..(slot as usize + 1) * width].fill(value);
        }
    }

    /// As [`Block::set_time`] at a point of a step, from the table of the program for a run on its own.
    pub(super) fn set_point(&mut self, frame: &mut Frame<'_>, step: u64, point: usize, time: f64) {
        let now = self.program.time_at(step);
        if self.width > 1 || self.code.timed == 0 {
            return self.set_time(frame, time, now);
        }
        let count = self.code.timed;
        let row = (step as usize * points(self.program.flat.time.method) + point) * count;
        let at = self.code.vector(self.areas.timed);
        if let Some(values) = self.timed.table.as_ref().and_then(|table| table.get(row..row + count)) {
            // Whole cache lines, without a call.
            let to = &mut self.memory.numbers()[at..at + count];
            for (to, values) in to.chunks_exact_mut(8).zip(values.chunks_exact(8)) {
                to.copy_from_slice(values);
            }
            return;
        }
        self.set_time(frame, time, now);
        if self.timed.keep && self.timed.made.len() == row {
            self.timed.made.extend_from_slice(&self.memory.numbers()[at..at + count]);
        }
    }
}
