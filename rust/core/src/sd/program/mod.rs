//! The compiled program: sections of instructions, their tables, and where values stand.

pub(crate) mod bind;
mod branches;
pub(crate) mod build;
pub mod code;
pub(crate) mod curves;
pub(crate) mod elements;
pub(crate) mod kernels;
pub(crate) mod machines;
pub mod plan;
mod rows;
mod schedule;
mod steps;
pub(crate) mod table;
mod text;
pub(crate) mod thread;
mod vectors;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use build::Goal;
use plan::{Goals, Shape};
pub use plan::{Plan, Uniform};

use crate::lanes::Kernel;
use crate::sd::compile::flat::simplify;
use crate::sd::compile::graph::{Binary, Id, Motion, Node};
use crate::sd::compile::{CompileError, Flat, Options, flatten};
use crate::sd::functions::call::{Ask, Function};
use crate::sd::model::{Method, Model, TimeSpec};

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
    /// The code for runs side by side.
    pub lanes: Plan,
    /// The code for a run on its own, made when the first such run is asked for.
    narrow: OnceLock<Plan>,
    /// The same, bound to places in memory.
    threaded: OnceLock<Arc<bind::Code>>,
    /// Values of time alone by step, made when the first block of runs is.
    uniform_table: OnceLock<Option<Vec<f64>>>,
    /// The values of time alone that its runs read, by point in time.
    timetable: OnceLock<Arc<Vec<f64>>>,
    goals: Goals,
    /// Rings.
    pub rings: Vec<RingPlan>,
    /// How many values are held within a Runge–Kutta step.
    pub held: usize,
    /// Stocks that stop at zero.
    pub floors: Vec<u32>,
    /// Number of stocks; they come first among the states.
    pub stocks: usize,
    /// Saved steps (for adaptive methods: places in `times`) and times.
    pub times: Vec<f64>,
    /// The step at which each saved time stands, and where between it and the next.
    pub save_steps: Vec<(u64, f64)>,
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
        let goals = Goals {
            saves: flat.saves.iter().enumerate().map(|(k, &id)| Goal::Save(id, k as u32)).collect(),
            nexts,
            rates,
            stocks,
        };
        let lanes = Plan::new(&flat, &goals, &rings, Shape::Lanes);
        let held = flat.graph.nodes().iter().filter_map(|node| match node {
            Node::Call(Function::Machine(slot, Ask::Hold), ..) => Some(*slot as usize + 1),
            _ => None,
        });
        let held = held.max().unwrap_or(0);
        let mut program = Self {
            kernel,
            lanes,
            narrow: OnceLock::new(),
            threaded: OnceLock::new(),
            uniform_table: OnceLock::new(),
            timetable: OnceLock::new(),
            goals,
            rings,
            held,
            floors,
            stocks,
            times: Vec::new(),
            save_steps: Vec::new(),
            flat,
        };
        program.plan_saves()?;
        Ok(program)
    }

    /// The code for a run on its own.
    pub fn narrow(&self) -> &Plan {
        self.narrow.get_or_init(|| Plan::new(&self.flat, &self.goals, &self.rings, Shape::Narrow))
    }

    /// The code for a run on its own, bound to places in memory: every such run reads the same.
    pub(crate) fn threaded(&self) -> Arc<bind::Code> {
        Arc::clone(self.threaded.get_or_init(|| Arc::new(bind::Code::new(self, 1))))
    }

    /// Values of time alone for runs side by side, by step, where they are at most half a million (4 MB).
    pub(crate) fn uniform_table(&self) -> Option<&[f64]> {
        let make = || {
            let plan = &self.lanes;
            let steps = self.steps() as usize + 1;
            let size = steps.saturating_mul(plan.uniforms.len());
            if size == 0 || size > 1 << 19 {
                return None;
            }
            let mut values = plan.scalars_at_start();
            let mut table = Vec::with_capacity(size);
            for step in 0..steps as u64 {
                let time = self.time_at(step);
                self.uniforms(time, time, &mut values);
                table.extend(plan.uniforms.iter().map(|uniform| values[uniform.slot as usize]));
            }
            Some(table)
        };
        self.uniform_table.get_or_init(make).as_deref()
    }

    /// Computes the values of time alone for runs side by side into scalar slots.
    pub(crate) fn uniforms(&self, time: f64, step_time: f64, values: &mut [f64]) {
        if self.kernel == Kernel::Portable {
            self.lanes.uniform::<false>(&self.flat.tables, time, step_time, values);
        } else {
            self.lanes.uniform::<true>(&self.flat.tables, time, step_time, values);
        }
    }

    /// The values of time alone, when a run on its own has computed them.
    pub(crate) fn timetable(&self) -> Option<Arc<Vec<f64>>> {
        self.timetable.get().map(Arc::clone)
    }

    /// Keeps them: they are the same in every run.
    pub(crate) fn keep_timetable(&self, table: Vec<f64>) {
        self.timetable.get_or_init(|| Arc::new(table));
    }

    /// The last step at which something is saved, where a run ends.
    pub(crate) fn last_step(&self) -> u64 {
        self.save_steps.last().map_or(0, |&(step, _)| step)
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
                if plan.last().is_some_and(|&(_, before)| (at - before) / time.dt < -slack) {
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

    /// Whether a run of the other program is the beginning of a run of this one: they differ in their final time alone.
    pub fn continues(&self, other: &Self) -> bool {
        let (flat, short) = (&self.flat, &other.flat);
        let time = TimeSpec { final_time: short.time.final_time, ..flat.time.clone() };
        // Adaptive steps may be cut by the end.
        time.method != Method::Rk45
            && time == short.time
            && self.times.starts_with(&other.times)
            && flat.graph.nodes() == short.graph.nodes()
            && flat.states == short.states
            && flat.machines == short.machines
            && flat.saves == short.saves
            && flat.columns == short.columns
            && flat.tables == short.tables
            && flat.curves == short.curves
    }

    /// Whether a run may draw random numbers: then the number of a run is a part of it.
    pub fn random(&self) -> bool {
        self.flat.graph.nodes().iter().any(|node| matches!(node, Node::Call(call, ..) if call.random()))
    }

    /// Every instruction as text, of the code for runs side by side or of that for one run on its own.
    pub fn disassemble(&self, narrow: bool) -> String {
        text::disassemble(self, if narrow { Shape::Narrow } else { Shape::Lanes })
    }
}

/// Puts stocks before held states and rings, and elements of an array side by side.
fn order_states(flat: &mut Flat) {
    let mut order: Vec<u32> = (0..flat.states.len() as u32).collect();
    let mut variables: HashMap<&str, usize> = HashMap::new();
    let mut owned: HashMap<u32, usize> = HashMap::new();
    let keys: Vec<(bool, usize, usize, u32)> = (0..flat.states.len())
        .map(|k| {
            let state = &flat.states[k];
            let variable = flat.state_names[k].split('[').next().unwrap_or_default();
            let next = variables.len();
            let variable = *variables.entry(variable).or_insert(next);
            // A delay has several states an element: all the first ones, then all the second ones.
            let before = owned.entry(state.owner).or_default();
            *before += 1;
            (!matches!(state.motion, Motion::Stock { .. }), variable, *before, state.owner)
        })
        .collect();
    order.sort_by_key(|&k| keys[k as usize]);
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
    for machine in &mut flat.machines {
        machine.state = machine.state.map(|state| new_of[state as usize]);
        for id in &mut machine.start {
            *id = map(*id);
        }
    }
    flat.saves = flat.saves.iter().map(|&id| map(id)).collect();
    flat.graph = graph;
}
