//! The compiled program: sections of instructions, their tables, and where values stand.

pub(crate) mod build;
pub mod code;
pub(crate) mod kernels;
pub(crate) mod table;
mod text;

use std::collections::HashMap;

use build::{Builder, Goal, classify};
use code::Section;
use table::{Table, Way};

use crate::lanes::Kernel;
use crate::sd::compile::flat::simplify;
use crate::sd::compile::graph::{Binary, Id, Motion, Node, Points, Reading};
use crate::sd::compile::{CompileError, Flat, Options, flatten, scalar};
use crate::sd::functions::call::Noise;
use crate::sd::model::{Method, Model};

/// A ring buffer of the program.
#[derive(Clone, Debug)]
pub struct RingPlan {
    /// The state that shows its value.
    pub state: u32,
    /// The number of steps.
    pub steps: Id,
    /// Whether that is read anew each step.
    pub moving: bool,
}

/// A compiled model.
#[derive(Clone, Debug)]
pub struct Program {
    /// The flat graph that it was made from.
    pub flat: Flat,
    /// Kernels in use.
    pub kernel: Kernel,
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
    /// Rings.
    pub rings: Vec<RingPlan>,
    /// Stocks that stop at zero.
    pub floors: Vec<u32>,
    /// Slot and value of constants.
    pub constants: Vec<(u32, f64)>,
    /// Values of time alone, in order.
    pub uniforms: Vec<Uniform>,
    /// Number of scalar slots.
    pub scalars: usize,
    /// Number of run-constants.
    pub kept: usize,
    /// Number of stocks; they come first among the states.
    pub stocks: usize,
    /// Saved steps (for adaptive methods: places in `times`) and times.
    pub times: Vec<f64>,
    /// The step at which each saved time stands, and where between it and the next.
    pub save_steps: Vec<(u64, f64)>,
}

/// A value of time alone.
#[derive(Clone, Debug)]
pub struct Uniform {
    /// Its slot.
    pub slot: u32,
    /// The operation; arguments are slots.
    pub node: Node,
}

impl Program {
    /// Compiles a model.
    pub fn compile(model: &Model, options: &Options, kernel: Kernel) -> Result<Self, CompileError> {
        Self::new(flatten(model, options)?, kernel)
    }

    /// Makes the program of a flat graph.
    pub fn new(mut flat: Flat, kernel: Kernel) -> Result<Self, CompileError> {
        order_states(&mut flat);
        let stocks = flat.states.iter().filter(|state| matches!(state.motion, Motion::Stock { .. })).count();
        let dt = flat.graph.number(flat.time.dt);
        // Euler: next = state + dt · rate.
        let mut nexts = Vec::new();
        let mut rates = Vec::new();
        let mut rings = Vec::new();
        let mut floors = Vec::new();
        for index in 0..flat.states.len() {
            let state = index as u32;
            match flat.states[index].motion.clone() {
                Motion::Stock { rate, floor } => {
                    let change = simplify(&mut flat.graph, Node::Binary(Binary::Multiply, dt, rate), &[]);
                    let here = flat.graph.add(Node::State(state));
                    let mut next = simplify(&mut flat.graph, Node::Binary(Binary::Add, here, change), &[]);
                    if floor {
                        let zero = flat.graph.number(0.0);
                        next = simplify(&mut flat.graph, Node::Binary(Binary::Max, zero, next), &[]);
                        floors.push(state);
                    }
                    nexts.push(Goal::Put(next, code::Place::Next(state)));
                    rates.push(Goal::Put(rate, code::Place::Rate(state)));
                }
                Motion::Hold { next } => nexts.push(Goal::Put(next, code::Place::Next(state))),
                Motion::Ring { input, steps, moving } => {
                    nexts.push(Goal::Advance(input, steps, rings.len() as u32, state));
                    rings.push(RingPlan { state, steps, moving });
                }
            }
        }
        let classes = classify(&flat.graph);
        let mut builder = Builder {
            graph: &flat.graph,
            classes: &classes,
            scalars: HashMap::new(),
            uniforms: Vec::new(),
            kept: HashMap::new(),
            starting: false,
        };
        let saves: Vec<Goal> = flat.saves.iter().enumerate().map(|(k, &id)| Goal::Save(id, k as u32)).collect();
        let mut both = saves.clone();
        both.extend(nexts.iter().copied());
        let euler = flat.time.method == Method::Euler;
        let holds: Vec<Goal> = nexts[stocks..].to_vec();
        let none = Section::default;
        let (euler, euler_save, rates, holds) = if euler {
            (builder.section(&nexts), builder.section(&both), none(), none())
        } else {
            (none(), none(), builder.section(&rates), builder.section(&holds))
        };
        let save = builder.section(&saves);
        let mut kept: Vec<(Id, u32)> = builder.kept.iter().map(|(&id, &slot)| (id, slot)).collect();
        kept.sort_unstable_by_key(|&(_, slot)| slot);
        let mut goals: Vec<Goal> = kept.iter().map(|&(id, slot)| Goal::Put(id, code::Place::Kept(slot))).collect();
        for (index, state) in flat.states.iter().enumerate() {
            goals.push(Goal::Put(state.initial, code::Place::State(index as u32)));
        }
        let ring_goals: Vec<Goal> = rings
            .iter()
            .filter(|ring| !ring.moving)
            .map(|ring| Goal::Put(ring.steps, code::Place::Rate(ring.state)))
            .collect();
        builder.starting = true;
        let start = builder.section(&goals);
        let ring_steps = builder.section(&ring_goals);
        let constants = builder
            .scalars
            .iter()
            .filter_map(|(&id, &slot)| flat.graph.value(id).map(|value| (slot, value)))
            .collect::<Vec<_>>();
        let mut constants = constants;
        constants.sort_unstable_by_key(|&(slot, _)| slot);
        let uniforms: Vec<Uniform> = builder
            .uniforms
            .iter()
            .map(|&id| {
                let slot = |id: Id| builder.scalars.get(&id).copied().unwrap_or_default();
                let node = match flat.graph.node(id) {
                    // One result of a call with several: the key carries which.
                    Node::Output(call, k) => match flat.graph.node(*call) {
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
            })
            .collect();
        let scalars = builder.scalars.len();
        let kept = kept.len();
        let mut program = Self {
            kernel,
            start,
            ring_steps,
            euler,
            euler_save,
            rates,
            holds,
            save,
            tables: Vec::new(),
            table_of: HashMap::new(),
            rings,
            floors,
            constants,
            uniforms,
            scalars,
            kept,
            stocks,
            times: Vec::new(),
            save_steps: Vec::new(),
            flat,
        };
        program.plan_saves()?;
        let mut used: Vec<(u32, Reading)> = Vec::new();
        for section in [
            &program.start,
            &program.ring_steps,
            &program.euler,
            &program.euler_save,
            &program.rates,
            &program.holds,
            &program.save,
        ] {
            for instruction in &section.code {
                if let code::Op::Lookup(table, reading) = instruction.op {
                    used.push((table, reading));
                }
            }
        }
        for key in used {
            if !program.table_of.contains_key(&key) {
                program.table_of.insert(key, program.tables.len() as u32);
                program.tables.push(Table::new(&program.flat.tables[key.0 as usize], key.1));
            }
        }
        Ok(program)
    }

    /// The number of a prepared lookup and how it is read.
    pub(crate) fn table(&self, table: u32, reading: Reading) -> (u32, Way) {
        let index = self.table_of.get(&(table, reading)).copied().unwrap_or_default();
        (index, self.tables.get(index as usize).map_or(Way::Search, |table| table.way))
    }

    /// The time at a step: by index, so that nothing accumulates.
    pub fn time_at(&self, step: u64) -> f64 {
        self.flat.time.initial_time + step as f64 * self.flat.time.dt
    }

    /// Steps from the first to the last time.
    pub fn steps(&self) -> u64 {
        let time = &self.flat.time;
        ((time.final_time - time.initial_time) / time.dt + 1e-6).floor().max(0.0) as u64
    }

    fn plan_saves(&mut self) -> Result<(), CompileError> {
        let time = self.flat.time.clone();
        let steps = self.steps();
        let mut plan: Vec<(u64, f64)> = Vec::new();
        if let Some(times) = &self.flat.save_times {
            for &at in times {
                let position = (at - time.initial_time) / time.dt;
                let slack = 1e-6;
                if !at.is_finite()
                    || position < -slack
                    || position > (time.final_time - time.initial_time) / time.dt + slack
                {
                    return Err(CompileError::Option(format!(
                        "the saved time {at} is outside {} to {}",
                        time.initial_time, time.final_time
                    )));
                }
                if plan.last().is_some_and(|&(step, _)| (step as f64) > position + slack) {
                    return Err(CompileError::Option(format!("the saved times must ascend: {at} comes too late")));
                }
                let nearest = position.round();
                if (position - nearest).abs() > slack && time.method != Method::Rk45 {
                    return Err(CompileError::Option(format!(
                        "the saved time {at} is no step of dt {}: choose a multiple or another dt",
                        time.dt
                    )));
                }
                plan.push(((nearest.max(0.0) as u64).min(steps), at));
            }
        } else {
            let every = time.save_step.filter(|step| *step > time.dt).unwrap_or(time.dt);
            // The first step at or after each multiple of the save step.
            let mut k = 0u64;
            loop {
                let at = k as f64 * every;
                let step = (at / time.dt - 1e-6).ceil().max(0.0) as u64;
                if step > steps {
                    break;
                }
                if plan.last().is_none_or(|&(last, _)| last < step) {
                    plan.push((step, self.time_at(step)));
                }
                k += 1;
            }
        }
        self.times = plan.iter().map(|&(_, at)| at).collect();
        self.save_steps = plan;
        Ok(())
    }

    /// Computes the values of time alone into scalar slots.
    pub fn uniform<const FUSED: bool>(&self, time: f64, step_time: f64, values: &mut [f64]) {
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
                    let points: &Points = &self.flat.tables[*table as usize];
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

    /// Every instruction as text.
    pub fn disassemble(&self) -> String {
        text::disassemble(self)
    }
}

/// Puts stocks before held states and rings.
fn order_states(flat: &mut Flat) {
    let mut order: Vec<u32> = (0..flat.states.len() as u32).collect();
    order.sort_by_key(|&k| !matches!(flat.states[k as usize].motion, Motion::Stock { .. }));
    if order.iter().enumerate().all(|(k, &old)| k as u32 == old) {
        return;
    }
    let mut new_of = vec![0; order.len()];
    for (new, &old) in order.iter().enumerate() {
        new_of[old as usize] = new as u32;
    }
    // Nodes keep their numbers: a graph of the same shape with other state numbers.
    let mut graph = crate::sd::compile::graph::Graph::default();
    let mut ids = Vec::with_capacity(flat.graph.nodes().len());
    for node in flat.graph.nodes() {
        let mapped = match node {
            Node::State(state) => Node::State(new_of[*state as usize]),
            other => other.map(|id| ids[id as usize]),
        };
        ids.push(graph.add(mapped));
    }
    let map = |id: Id| ids[id as usize];
    flat.states = order
        .iter()
        .map(|&old| {
            let mut state = flat.states[old as usize].clone();
            state.initial = map(state.initial);
            state.motion = match state.motion {
                Motion::Stock { rate, floor } => Motion::Stock { rate: map(rate), floor },
                Motion::Hold { next } => Motion::Hold { next: map(next) },
                Motion::Ring { input, steps, moving } => Motion::Ring { input: map(input), steps: map(steps), moving },
            };
            state
        })
        .collect();
    flat.state_names = order.iter().map(|&old| flat.state_names[old as usize].clone()).collect();
    flat.saves = flat.saves.iter().map(|&id| map(id)).collect();
    flat.graph = graph;
}
