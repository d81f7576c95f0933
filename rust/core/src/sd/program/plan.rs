//! The sections of code that carry runs through time, for runs side by side or for one on its own.

use std::collections::HashMap;

use super::RingPlan;
use super::build::{Builder, Goal, classify};
use super::code::{Op, Place, Section};
use super::table::{Table, Way};
use crate::sd::compile::graph::{Id, Node, Points, Reading};
use crate::sd::compile::quick::Map;
use crate::sd::compile::{Flat, scalar};
use crate::sd::functions::call::Noise;
use crate::sd::model::Method;

/// What sections are to reach, by the order of the states.
#[derive(Clone, Debug)]
pub(super) struct Goals {
    pub(super) saves: Vec<Goal>,
    pub(super) nexts: Vec<Goal>,
    pub(super) rates: Vec<Goal>,
    pub(super) stocks: usize,
}

/// What the code is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Runs side by side: values of time alone are computed once for all of them, outside the code.
    Lanes,
    /// One run: everything stands in the code, in an order that suits the processor; values of time alone in a section
    /// of their own.
    Narrow,
}

/// A value of time alone.
#[derive(Clone, Debug)]
pub struct Uniform {
    /// Its slot.
    pub slot: u32,
    /// The operation; arguments are slots.
    pub node: Node,
}

/// Sections of code with their constants and tables.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Computes the values of time alone of a run on its own; for runs side by side `uniforms` says how.
    pub time: Section,
    /// Computes run-constants and the states at the start.
    pub start: Section,
    /// Computes the rings' numbers of steps, into rate places.
    pub ring_steps: Section,
    /// One Euler step: every state into its next place.
    pub euler: Section,
    /// One Euler step that also stores the saved values.
    pub euler_save: Section,
    /// The rates of the stocks.
    pub rates: Section,
    /// The next values of held states and rings.
    pub holds: Section,
    /// Stores the saved values.
    pub save: Section,
    /// Lookups as the code numbers them.
    pub(crate) tables: Vec<Table>,
    table_of: HashMap<(u32, Reading), u32>,
    /// Slot and value of constants.
    pub constants: Vec<(u32, f64)>,
    /// Values of time alone, in order.
    pub uniforms: Vec<Uniform>,
    /// Number of values of time alone that the code for a run on its own reads.
    pub timed: usize,
    /// Number of scalar slots.
    pub scalars: usize,
    /// Number of run-constants, with the start values of machines behind them.
    pub kept: usize,
    /// Where each machine's start values stand among the run-constants.
    pub machine_starts: Vec<u32>,
}

impl Plan {
    pub(super) fn new(flat: &Flat, goals: &Goals, rings: &[RingPlan], shape: Shape) -> Self {
        let classes = classify(&flat.graph);
        let mut builder = Builder {
            graph: &flat.graph,
            classes: &classes,
            scalars: Map::default(),
            uniforms: Vec::new(),
            kept: Map::default(),
            copies: [Vec::new(), Vec::new()],
            laid: Map::default(),
            timed: Vec::new(),
            starting: false,
            timing: false,
            narrow: shape == Shape::Narrow,
        };
        let mut both = goals.saves.clone();
        both.extend(goals.nexts.iter().copied());
        let mut plan = Self::default();
        if flat.time.method == Method::Euler {
            plan.euler = builder.section(&goals.nexts);
            plan.euler_save = builder.section(&both);
        } else {
            plan.rates = builder.section(&goals.rates);
            plan.holds = builder.section(&goals.nexts[goals.stocks..]);
        }
        plan.save = builder.section(&goals.saves);
        let mut kept: Vec<(Id, u32)> = builder.kept.iter().map(|(&id, &slot)| (id, slot)).collect();
        kept.extend_from_slice(&builder.copies[1]);
        kept.sort_unstable_by_key(|&(_, slot)| slot);
        plan.kept = kept.len();
        let mut first: Vec<Goal> = kept.iter().map(|&(id, slot)| Goal::Put(id, Place::Kept(slot))).collect();
        for (index, state) in flat.states.iter().enumerate() {
            first.push(Goal::Put(state.initial, Place::State(index as u32)));
        }
        for machine in &flat.machines {
            plan.machine_starts.push(plan.kept as u32);
            for &id in &machine.start {
                first.push(Goal::Put(id, Place::Kept(plan.kept as u32)));
                plan.kept += 1;
            }
        }
        let lengths: Vec<Goal> = rings
            .iter()
            .filter(|ring| !ring.moving)
            .map(|ring| Goal::Put(ring.steps, Place::Rate(ring.state)))
            .collect();
        builder.starting = true;
        plan.start = builder.section(&first);
        plan.ring_steps = builder.section(&lengths);
        builder.starting = false;
        builder.timing = true;
        plan.timed = builder.timed.len();
        let timed: Vec<Goal> = builder.timed.iter().zip(0..).map(|(&id, k)| Goal::Put(id, Place::Timed(k))).collect();
        plan.time = builder.section(&timed);
        let scalars = builder.scalars.iter().map(|(&id, &slot)| (id, slot)).chain(builder.copies[0].iter().copied());
        plan.constants = scalars.filter_map(|(id, slot)| flat.graph.value(id).map(|value| (slot, value))).collect();
        plan.constants.sort_unstable_by_key(|&(slot, _)| slot);
        plan.uniforms = uniforms(&builder);
        plan.scalars = builder.scalars.len() + builder.copies[0].len();
        plan.prepare_tables(flat);
        plan
    }

    /// All sections.
    pub fn sections(&self) -> [&Section; 8] {
        [&self.time, &self.start, &self.ring_steps, &self.euler, &self.euler_save, &self.rates, &self.holds, &self.save]
    }

    /// The most temporaries that a section needs at once.
    pub fn temporaries(&self) -> usize {
        self.sections().iter().map(|section| section.temporaries as usize).max().unwrap_or_default()
    }

    fn prepare_tables(&mut self, flat: &Flat) {
        let mut used: Vec<(u32, Reading)> = Vec::new();
        for section in self.sections() {
            for instruction in &section.code {
                if let Op::Lookup(table, reading) = *instruction.op.single() {
                    used.push((table, reading));
                }
            }
        }
        for key in used {
            if !self.table_of.contains_key(&key) {
                self.table_of.insert(key, self.tables.len() as u32);
                self.tables.push(Table::new(&flat.tables[key.0 as usize], key.1));
            }
        }
    }

    /// The number of a prepared lookup and how it is read.
    pub(crate) fn table(&self, table: u32, reading: Reading) -> (u32, Way) {
        let index = self.table_of.get(&(table, reading)).copied().unwrap_or_default();
        (index, self.tables.get(index as usize).map_or(Way::Search, |table| table.way))
    }

    /// The scalar slots as a run finds them: constants, and zeros for the values of time alone.
    pub(crate) fn scalars_at_start(&self) -> Vec<f64> {
        let mut values = vec![0.0; self.scalars];
        for &(slot, value) in &self.constants {
            values[slot as usize] = value;
        }
        values
    }

    /// Computes the values of time alone into scalar slots.
    pub fn uniform<const FUSED: bool>(&self, tables: &[Points], time: f64, step_time: f64, values: &mut [f64]) {
        for uniform in &self.uniforms {
            let at = |slot: u32| values[slot as usize];
            let value = match &uniform.node {
                Node::Time => time,
                Node::StepTime => step_time,
                Node::Unary(op, a) => scalar::unary::<FUSED>(*op, at(*a)),
                Node::Binary(op, a, b) => scalar::binary::<FUSED>(*op, at(*a), at(*b)),
                Node::Select(c, a, b) => {
                    if at(*c) != 0.0 {
                        at(*a)
                    } else {
                        at(*b)
                    }
                }
                Node::Lookup(table, reading, a) => {
                    let points: &Points = &tables[*table as usize];
                    scalar::lookup(points, *reading, at(*a))
                }
                Node::Call(function, arguments, k) => {
                    let arguments: Vec<f64> = arguments.iter().map(|&a| at(a)).collect();
                    let mut out = vec![0.0; function.results(arguments.len())];
                    function.evaluate(&arguments, &Noise::default(), 0, &mut out);
                    out.get(*k as usize).copied().unwrap_or(f64::NAN)
                }
                _ => f64::NAN,
            };
            values[uniform.slot as usize] = value;
        }
    }
}

fn uniforms(builder: &Builder<'_>) -> Vec<Uniform> {
    let slot = |id: Id| builder.scalars.get(&id).copied().unwrap_or_default();
    let graph = builder.graph;
    let uniform = |&id: &Id| {
        let node = match graph.node(id) {
            // One result of a call with several: the key carries which.
            Node::Output(call, k) => match graph.node(*call) {
                Node::Call(function, arguments, _) => {
                    Node::Call(*function, arguments.iter().map(|&a| slot(a)).collect(), *k)
                }
                other => other.clone(),
            },
            Node::Call(function, arguments, _) => {
                Node::Call(*function, arguments.iter().map(|&a| slot(a)).collect(), 0)
            }
            node => node.map(slot),
        };
        Uniform { slot: slot(id), node }
    };
    builder.uniforms.iter().map(uniform).collect()
}
