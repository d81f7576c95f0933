//! Conveyors of a fixed length as held values, one a slat: the same steps as [`crate::sd::functions::conveyor`], in lanes.
//!
//! Linear leakage takes of each slat the same part of what entered, so that a slat also remembers what entered.

use super::{Holder, Slats};
use crate::sd::compile::error::CompileError;
use crate::sd::compile::graph::{Binary, Id, Motion, Node, State};
use crate::sd::compile::lower::{Env, Lowering, Mode};
use crate::sd::functions::clock::Clock;
use crate::sd::functions::conveyor::{self, Conveyor};
use crate::sd::model;

/// Longest belt that is laid out slat by slat.
const SLATS: usize = 256;

/// A conveyor's leakage in equations: where it acts and its fraction, during the run.
pub(super) struct Leaks {
    pub(super) zones: Vec<conveyor::Leak>,
    /// The outflow that each is, by its place in the stock's list.
    pub(super) ways: Vec<usize>,
    pub(super) fractions: Vec<Id>,
    pub(super) starts: Vec<Id>,
}

impl<'m> Lowering<'m> {
    /// A conveyor slat by slat, if its length and what leaks at the start are numbers and nothing unusual happens to it.
    pub(super) fn belt(
        &mut self,
        element: u32,
        options: &'m model::Conveyor,
        env: &Env,
        leaks: &Leaks,
        ways: usize,
    ) -> Result<Option<Holder>, CompileError> {
        let transit = self.lower(&options.transit_time, &env.at(Mode::Initial))?;
        let clock = Clock { time: self.time.initial_time, dt: self.time.dt };
        let Some(transit) = self.graph.value(transit) else { return Ok(None) };
        let steps = clock.steps(transit).max(1);
        let starts: Option<Vec<f64>> = leaks.starts.iter().map(|&id| self.graph.value(id)).collect();
        let Some(starts) = starts else { return Ok(None) };
        let unusual = options.sample.is_some()
            || options.arrest.is_some()
            || (options.discrete && options.inflow_limit.is_some())
            || leaks.zones.iter().any(|leak| leak.integers);
        if steps > SLATS || unusual || !transit.is_finite() || transit <= 0.0 {
            return Ok(None);
        }
        let plain = conveyor::Options {
            leaks: leaks.zones.clone(),
            exponential: options.exponential_leak,
            discrete: options.discrete,
            spreads: Vec::new(),
        };
        // A unit of content in steady state gives the shape of the first belt.
        let shape = Conveyor::start(&plain, 1.0, transit, &starts, clock);
        let total = self.graph.add(Node::VariableInitial(element));
        let first = |this: &mut Self, slat: usize| {
            let share = this.graph.number(shape.slat(slat));
            this.graph.product(total, share)
        };
        let initial: Vec<Id> = (1..=steps).map(|left| first(self, left)).collect();
        let slats: Vec<(usize, Id)> = initial.iter().map(|&initial| self.held_state(element, initial)).collect();
        let amounts: Vec<Id> = slats.iter().map(|slat| slat.1).collect();
        let begun = first(self, steps);
        let entered: Vec<(usize, Id)> = if plain.leaks.is_empty() || plain.exponential {
            Vec::new()
        } else {
            (0..steps).map(|_| self.held_state(element, begun)).collect()
        };
        let came: Vec<Id> = entered.iter().map(|slat| slat.1).collect();
        let (after, leaked) = self.leak_of_belt(&plain, &amounts, &came, &leaks.fractions);
        let (after_start, leaked_start) = self.leak_of_belt(&plain, &initial, &vec![begun; steps], &leaks.starts);
        let step = self.graph.number(clock.dt);
        let exit = (self.graph.quotient(after[0], step), self.graph.quotient(after_start[0], step));
        let mut rates = vec![exit; ways];
        let mut out = exit.0;
        for (k, &way) in leaks.ways.iter().enumerate() {
            rates[way] = (self.graph.quotient(leaked[k], step), self.graph.quotient(leaked_start[k], step));
            out = self.graph.sum(out, rates[way].0);
        }
        let content = self.fold(Binary::Add, &amounts, 0.0);
        let mut room = None;
        if let Some(capacity) = &options.capacity {
            let capacity = self.lower(capacity, env)?;
            let free = self.graph.difference(capacity, content);
            let free = self.graph.quotient(free, step);
            room = Some(self.graph.sum(free, out));
        }
        if let Some(limit) = &options.inflow_limit {
            let limit = self.lower(limit, env)?;
            room = Some(room.map_or(limit, |room| self.graph.binary(Binary::Min, room, limit)));
        }
        let both = amounts.iter().copied().zip(initial).collect();
        self.holders.insert(element, Holder { content, ways: rates, room, slats: Slats::Fixed(both) });
        // What enters at the end of the step: the inflows as they came to be.
        let mut inflow = self.graph.number(0.0);
        for flow in self.inflows_of(element)? {
            inflow = self.graph.sum(inflow, flow);
        }
        let inflow = self.graph.product(inflow, step);
        for left in 1..=steps {
            let next = if left == steps { inflow } else { after[left] };
            self.states[slats[left - 1].0].motion = Motion::Hold { next };
            if let Some(&(state, _)) = entered.get(left - 1) {
                let next = if left == steps { inflow } else { came[left] };
                self.states[state].motion = Motion::Hold { next };
            }
        }
        Ok(self.holders.get(&element).cloned())
    }

    /// What is left of each slat after the leaks of a step, and what leaked, as amounts.
    fn leak_of_belt(
        &mut self,
        plain: &conveyor::Options,
        amounts: &[Id],
        entered: &[Id],
        fractions: &[Id],
    ) -> (Vec<Id>, Vec<Id>) {
        let steps = amounts.len();
        let zero = self.graph.number(0.0);
        let mut leaked = vec![zero; plain.leaks.len()];
        let mut after = amounts.to_vec();
        for left in 1..=steps {
            let amount = after[left - 1];
            let mut rest = amount;
            for (k, leak) in plain.leaks.iter().enumerate() {
                let share = conveyor::share(steps as u32, left as u32, leak.zone);
                if share == 0.0 {
                    continue;
                }
                let (base, factor) = if plain.exponential {
                    (amount, self.time.dt * share * (leak.zone.1 - leak.zone.0) * steps as f64)
                } else {
                    (entered[left - 1], share)
                };
                let factor = self.graph.number(factor);
                let wanted = self.graph.product(base, factor);
                let wanted = self.graph.product(wanted, fractions[k]);
                let wanted = self.graph.binary(Binary::Max, zero, wanted);
                let part = self.graph.binary(Binary::Min, rest, wanted);
                rest = self.graph.difference(rest, part);
                leaked[k] = self.graph.sum(leaked[k], part);
            }
            after[left - 1] = rest;
        }
        (after, leaked)
    }

    fn held_state(&mut self, owner: u32, initial: Id) -> (usize, Id) {
        let index = self.states.len();
        self.states.push(State { owner, initial, motion: Motion::Hold { next: initial } });
        (index, self.graph.add(Node::State(index as u32)))
    }
}
