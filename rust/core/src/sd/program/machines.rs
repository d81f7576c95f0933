//! Machines in a program: queues, ovens, conveyors and the like, one in every lane, asked during a step and moved at its end.

use super::kernels::Frame;
use crate::sd::functions::call::{Ask, Function};
use crate::sd::functions::machine::{Leaked, Machine};

/// A machine of the program in every lane.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bank {
    /// What it is in each lane; empty before the run begins.
    pub(crate) lanes: Vec<Machine>,
    /// The controls and inflows of the step, lane by lane.
    pub(crate) told: Vec<f64>,
    /// How many numbers it is told.
    pub(crate) count: usize,
}

/// Asks or tells a machine, lane by lane.
///
/// # Safety
/// As for every kernel: the places of the call lie inside the memory for all lanes.
pub(super) unsafe fn machine_body(call: u32, lanes: usize, r: *mut f64, frame: &mut Frame<'_>) {
    let mut scratch = std::mem::take(&mut frame.scratch);
    let mut results = std::mem::take(&mut frame.results);
    let call = &frame.calls[call as usize];
    let Function::Machine(which, ask) = call.function else { return };
    let which = which as usize;
    scratch.resize(call.arguments.len(), 0.0);
    results.clear();
    results.resize(call.count, f64::NAN);
    for lane in 0..lanes {
        // SAFETY: as promised for every kernel.
        unsafe {
            for (value, &(at, stride)) in scratch.iter_mut().zip(&call.arguments) {
                *value = *r.add(at as usize + if stride == 0 { 0 } else { lane });
            }
        }
        match ask {
            Ask::Outputs(_) => {
                if let Some(machine) = frame.machines[which].lanes.get(lane) {
                    machine.outputs(&frame.plans[which].kind, &scratch, frame.clock, &mut results);
                }
            }
            Ask::Query(query) => {
                if let Some(machine) = frame.machines[which].lanes.get(lane) {
                    results[0] = machine.query(query, &scratch, frame.clock);
                }
            }
            Ask::FirstOutputs(_) | Ask::FirstQuery(_) => {
                let plan = &frame.plans[which];
                let (start, rest) = scratch.split_at(plan.start.len().min(scratch.len()));
                let machine = Machine::start(&plan.kind, start, frame.clock);
                match ask {
                    Ask::FirstQuery(query) => results[0] = machine.query(query, rest, frame.clock),
                    _ => machine.outputs(&plan.kind, rest, frame.clock, &mut results),
                }
            }
            Ask::Turn => {
                let bank = &mut frame.machines[which];
                bank.count = scratch.len();
                let at = lane * scratch.len();
                if bank.told.len() < at + scratch.len() {
                    bank.told.resize(at + scratch.len(), f64::NAN);
                }
                bank.told[at..at + scratch.len()].copy_from_slice(&scratch);
                let inflows = scratch.get(frame.plans[which].kind.controls()..).unwrap_or(&[]);
                results[0] = inflows.iter().map(|inflow| inflow * 0.0).sum();
            }
            Ask::Hold => {
                let at = which * frame.block + lane;
                if !frame.inside {
                    frame.held[at] = scratch[0];
                }
                results[0] = frame.held[at];
            }
        }
        // SAFETY: as promised for every kernel.
        unsafe {
            for &(k, to) in &call.results {
                *r.add(to as usize + lane) = results.get(k as usize).copied().unwrap_or(f64::NAN);
            }
        }
    }
    frame.scratch = scratch;
    frame.results = results;
}

impl Frame<'_> {
    /// Moves every machine by a step, as it was told; what leaks from one onto another is noted before any moves.
    #[inline]
    pub(crate) fn settle(&mut self) {
        if !self.machines.is_empty() {
            self.settle_all();
        }
    }

    fn settle_all(&mut self) {
        let lanes = self.machines.iter().map(|bank| bank.lanes.len()).max().unwrap_or(0);
        for lane in 0..lanes {
            let leaked: Vec<Vec<Leaked>> = self
                .plans
                .iter()
                .map(|plan| {
                    let of = |&(inflow, source, leak): &(usize, u32, usize)| {
                        let (bank, kind) = (&self.machines[source as usize], &self.plans[source as usize].kind);
                        let told = bank.told.get(lane * bank.count..(lane + 1) * bank.count).unwrap_or(&[]);
                        let places = bank.lanes.get(lane).map(|it| it.leaked(kind, told, leak, self.clock));
                        Leaked { inflow, places: places.unwrap_or_default() }
                    };
                    plan.sources.iter().map(of).collect()
                })
                .collect();
            for ((bank, plan), leaked) in self.machines.iter_mut().zip(self.plans).zip(&leaked) {
                let told = bank.told.get(lane * bank.count..(lane + 1) * bank.count).unwrap_or(&[]);
                let (controls, inflows) = told.split_at(plan.kind.controls().min(told.len()));
                if let Some(machine) = bank.lanes.get_mut(lane) {
                    machine.advance(&plan.kind, controls, inflows, leaked, self.clock);
                }
            }
        }
    }
}
