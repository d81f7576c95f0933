//! Code bound to places in memory. It holds distances only, so that one serves every block of a width, in any thread.

use std::sync::Arc;

use super::code::{Op, Place, Section};
use super::curves::BoundCurve;
use super::elements::{BoundVector, SCRATCH};
use super::kernels::{self, Bound, BoundCall, WIDE};
use super::table::Way;
use super::thread::{self, Cell};
use super::{Plan, Program};
use crate::sd::compile::graph::{Binary, Node};
use crate::sd::model::Method;

/// Areas of memory, in places of one vector each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Areas {
    pub(crate) inputs: usize,
    pub(crate) kept: usize,
    pub(crate) state: [usize; 2],
    pub(crate) rate: usize,
    pub(crate) sum: usize,
    pub(crate) pending: usize,
    pub(crate) timed: usize,
    temporary: usize,
    count: usize,
}

/// A section bound to memory.
#[derive(Debug)]
pub(crate) enum Bind {
    /// Kernels over chunks of lanes.
    Lanes(Vec<Bound>),
    /// Threaded code for one run.
    Thread(Vec<Cell>),
}

impl Default for Bind {
    fn default() -> Self {
        Self::Lanes(Vec::new())
    }
}

/// Code bound to memory, by the state area that it reads, and the memory as a run finds it.
#[derive(Debug, Default)]
pub(crate) struct Code {
    pub(crate) time: Bind,
    pub(crate) start: Bind,
    pub(crate) ring_steps: Bind,
    pub(crate) euler: [Bind; 2],
    pub(crate) euler_save: [Bind; 2],
    pub(crate) rates: [Bind; 2],
    /// The rates at the start of a Runge–Kutta step, into their sum.
    pub(crate) first: Bind,
    pub(crate) holds: Bind,
    pub(crate) save: [Bind; 2],
    pub(crate) calls: Arc<[BoundCall]>,
    pub(crate) curves: Arc<[BoundCurve]>,
    pub(crate) packed: Arc<[BoundVector]>,
    pub(crate) areas: Areas,
    /// Lanes of a block.
    pub(crate) lanes: usize,
    /// Lanes of a chunk.
    pub(crate) width: usize,
    /// Whether a step reads neither the time nor anything but memory.
    pub(crate) timeless: bool,
    /// Numbers of a row of values of time alone.
    pub(crate) timed: usize,
    /// Where vectors begin, in numbers.
    vectors: usize,
    /// Where lookups stand, in numbers.
    tables: usize,
    /// Where scratch memory of vector instructions stands, and how much of it a gathered argument takes.
    scratch: usize,
    gathered: usize,
    /// Numbers in all.
    pub(crate) size: usize,
    /// The first of them as a run finds them: constants, and lookups where the code reads them there. Zeros follow.
    pub(crate) image: Vec<f64>,
    /// Columns whose values must be finite: a constant that the author wrote as not a number is meant so.
    pub(crate) judged: Vec<bool>,
    /// Those columns in the order in which they are evaluated.
    pub(crate) order: Vec<usize>,
    /// States that no such column shows.
    pub(crate) unseen: Vec<usize>,
}

/// The columns whose values must be finite, in the order in which they are evaluated: arguments have lower numbers.
fn evaluation(program: &Program) -> Vec<usize> {
    let flat = &program.flat;
    let mut order: Vec<usize> =
        (0..flat.saves.len()).filter(|&column| flat.graph.value(flat.saves[column]).is_none()).collect();
    order.sort_by_key(|&column| flat.saves[column]);
    order
}

/// The states that no column shows whose values must be finite.
fn unseen(program: &Program) -> Vec<usize> {
    let flat = &program.flat;
    let mut seen = vec![false; flat.states.len()];
    for &id in &flat.saves {
        if let Node::State(state) = flat.graph.node(id) {
            seen[*state as usize] = true;
        }
    }
    (0..seen.len()).filter(|&state| !seen[state]).collect()
}

/// The elements of the longest vector instruction, and of the longest that gathers an argument, in whole chunks.
fn longest(plan: &Plan) -> (usize, usize) {
    let (mut longest, mut gathered) = (0, 0);
    for instruction in plan.sections().iter().flat_map(|section| &section.code) {
        if let Op::Vector(_, count, paces) = &instruction.op {
            let count = (*count as usize).next_multiple_of(WIDE);
            longest = longest.max(count);
            gathered = gathered.max(if paces.iter().any(|&pace| pace > 1) { count } else { 0 });
        }
    }
    (longest, gathered)
}

impl Code {
    /// Binds the code of a program for blocks of `lanes` runs; one lane takes the narrow path.
    pub(crate) fn new(program: &Program, lanes: usize) -> Self {
        let (plan, width) = if lanes > 1 { (&program.lanes, WIDE) } else { (program.narrow(), 1) };
        let lanes = lanes.max(1).div_ceil(width) * width;
        let states = program.flat.states.len();
        let mut next = 0;
        let mut area = |count: usize| {
            let first = next;
            // Areas of one run begin on whole cache lines.
            next += if width == 1 { count.next_multiple_of(8) } else { count };
            first
        };
        let inputs = area(program.flat.defaults.len());
        let kept = area(plan.kept);
        let state = [area(states), area(states)];
        let rate = area(states);
        let runge = program.flat.time.method != Method::Euler;
        let sum = area(if runge { states * 7 } else { 0 });
        let pending = area(if runge { states } else { 0 });
        // Whole cache lines.
        let timed_count = plan.timed.next_multiple_of(8);
        let timed = area(timed_count);
        let temporary = area(plan.temporaries());
        let areas = Areas { inputs, kept, state, rate, sum, pending, timed, temporary, count: next };
        let vectors = plan.scalars.next_multiple_of(8) * width;
        // Lookups stand behind all vectors, on whole cache lines.
        let tables = (vectors + areas.count * lanes).next_multiple_of(8);
        let laid = if width == 1 { plan.tables.len() * thread::TABLE } else { 0 };
        let (longest, gathered) = longest(plan);
        let scratch = tables + laid;
        let size = scratch + if longest > 0 { SCRATCH + 4 * gathered + WIDE } else { 0 };
        let mut image = vec![0.0; if width == 1 { size } else { vectors }];
        if width == 1 {
            for (table, to) in plan.tables.iter().zip(image[tables..].chunks_exact_mut(thread::TABLE)) {
                if thread::counted(table) {
                    thread::lay_table(table, to);
                }
            }
        }
        for &(slot, value) in &plan.constants {
            image[slot as usize * width..(slot as usize + 1) * width].fill(value);
        }
        let mut code = Self {
            areas,
            lanes,
            width,
            vectors,
            tables,
            timed: timed_count,
            scratch,
            gathered,
            size,
            image,
            judged: program.flat.saves.iter().map(|&id| program.flat.graph.value(id).is_none()).collect(),
            order: evaluation(program),
            unseen: unseen(program),
            ..Self::default()
        };
        let (mut calls, mut curves, mut packed) = (Vec::new(), Vec::new(), Vec::new());
        let mut bind = |section: &Section, here, there| {
            code.bind(program, plan, section, here, there, &mut calls, &mut curves, &mut packed)
        };
        let time = bind(&plan.time, state[0], state[1]);
        let start = bind(&plan.start, state[0], state[1]);
        let ring_steps = bind(&plan.ring_steps, state[0], state[1]);
        let holds = bind(&plan.holds, state[0], pending);
        let mut banks = |section: &Section| [0, 1].map(|bank| bind(section, state[bank], state[1 - bank]));
        let (euler, euler_save) = (banks(&plan.euler), banks(&plan.euler_save));
        let (rates, save) = (banks(&plan.rates), banks(&plan.save));
        code.areas.rate = sum;
        let first = code.bind(program, plan, &plan.rates, state[0], state[1], &mut calls, &mut curves, &mut packed);
        code.areas = areas;
        let timeless = plan.uniforms.is_empty()
            && calls.is_empty()
            && program.rings.is_empty()
            && program.flat.machines.is_empty();
        let (calls, curves, packed) = (calls.into(), curves.into(), packed.into());
        Self {
            time,
            start,
            ring_steps,
            euler,
            euler_save,
            rates,
            first,
            holds,
            save,
            calls,
            curves,
            packed,
            timeless,
            ..code
        }
    }

    /// Where a vector place stands, in numbers from the start.
    pub(crate) fn vector(&self, index: usize) -> usize {
        self.vectors + index * self.lanes
    }

    /// Where a place stands, in numbers from the start, and the distance from chunk to chunk.
    fn locate(&self, place: Place, here: usize, there: usize) -> (u32, u32) {
        let areas = self.areas;
        let vector = |index: usize| (self.vector(index) as u32, self.width as u32);
        match place {
            Place::Scalar(k) => ((k as usize * self.width) as u32, 0),
            Place::Input(k) => vector(areas.inputs + k as usize),
            Place::Kept(k) => vector(areas.kept + k as usize),
            Place::State(k) => vector(here + k as usize),
            Place::Next(k) => vector(there + k as usize),
            Place::Rate(k) => vector(areas.rate + k as usize),
            Place::Timed(k) => vector(areas.timed + k as usize),
            Place::Temporary(k) => vector(areas.temporary + k as usize),
        }
    }

    fn bind(
        &self,
        program: &Program,
        plan: &Plan,
        section: &Section,
        here: usize,
        there: usize,
        calls: &mut Vec<BoundCall>,
        curves: &mut Vec<BoundCurve>,
        packed: &mut Vec<BoundVector>,
    ) -> Bind {
        let mut bound = Vec::with_capacity(section.code.len());
        let mut cells = Vec::with_capacity(section.code.len());
        let mut skips = Vec::new();
        let mut rows = Vec::with_capacity(section.code.len());
        for instruction in &section.code {
            let mut way = Way::Search;
            let (mut number, mut aux) = (0, 0);
            let mut arguments = [Place::Scalar(0); 4];
            let few = instruction.arguments.len().min(4);
            arguments[..few].copy_from_slice(&instruction.arguments[..few]);
            let (elements, mut paces) = match &instruction.op {
                Op::Vector(_, count, paces) => (*count as usize, *paces),
                _ => (0, [0; 4]),
            };
            match instruction.op.single() {
                Op::Lookup(table, reading) => {
                    (aux, way) = plan.table(*table, *reading);
                    if self.width == 1 && elements == 0 && thread::counted(&plan.tables[aux as usize]) {
                        way = Way::Count;
                    }
                }
                Op::Curve(curve, reading) => {
                    let place = |slot: u32| self.vector(self.areas.inputs + slot as usize);
                    aux = curves.len() as u32;
                    curves.push(BoundCurve::new(&program.flat.curves[*curve as usize], *reading, place));
                }
                Op::Store(column) => {
                    number = *column;
                    aux = u32::from(self.judged[*column as usize]);
                }
                Op::Advance(ring) => number = *ring,
                Op::Skip(count, inverted) => {
                    number = *count;
                    aux = u32::from(*inverted);
                }
                Op::Unary(op) => aux = kernels::number_of_unary(*op),
                Op::Binary(op) => {
                    aux = kernels::number_of_binary(*op);
                    if matches!(op, Binary::Greater | Binary::GreaterEqual) {
                        arguments.swap(0, 1);
                        paces.swap(0, 1);
                    }
                }
                Op::Choose(Binary::Greater | Binary::GreaterEqual) => {
                    arguments.swap(0, 1);
                    paces.swap(0, 1);
                }
                Op::Call(function, key, results) => {
                    aux = calls.len() as u32;
                    let call = BoundCall {
                        function: *function,
                        key: *key,
                        arguments: instruction.arguments.iter().map(|&place| self.locate(place, here, there)).collect(),
                        results: results.iter().map(|&(k, place)| (k, self.locate(place, here, there).0)).collect(),
                        count: function.results(instruction.arguments.len()),
                    };
                    calls.push(call);
                }
                _ => {}
            }
            let (mut a, mut stride) = ([0; 4], [0; 4]);
            for (k, &place) in arguments[..few].iter().enumerate() {
                (a[k], stride[k]) = self.locate(place, here, there);
            }
            let to = self.locate(instruction.to, here, there).0;
            if self.width > 1 || elements > 0 {
                let pieces = match way {
                    Way::Search => 0,
                    _ => plan.tables[aux as usize].slopes.len(),
                };
                let run = kernels::kernel(program.kernel, instruction.op.single(), way, pieces);
                let kernel = Bound { run, to, a, stride, number, aux };
                if elements == 0 {
                    bound.push(kernel);
                    continue;
                }
                let (scratch, gathered) = (self.scratch, self.gathered);
                aux = packed.len() as u32;
                packed.push(BoundVector { bound: kernel, few, count: elements, paces, scratch, gathered });
                let run = thread::function(program.kernel, &instruction.op, way);
                cells.push(Cell { run, to: 0, a: [0; 4], aux });
                rows.push(thread::Row::Alone);
                continue;
            }
            let mut a = a.map(|at| at * 8);
            match &instruction.op {
                Op::Store(_) => a[1] = number,
                Op::Total(count, pace) => (a[1], a[2]) = (pace * 8, *count),
                Op::Skip(..) => {
                    a[1] = number;
                    skips.push(cells.len());
                }
                Op::Advance(_) => aux = number,
                Op::Lookup(..) if way == Way::Count => aux = ((self.tables + aux as usize * thread::TABLE) * 8) as u32,
                _ => {}
            }
            let run = thread::function(program.kernel, &instruction.op, way);
            cells.push(Cell { run, to: to * 8, a, aux });
            rows.push(thread::row(&instruction.op, way));
        }
        if self.width > 1 { Bind::Lanes(bound) } else { Bind::Thread(thread::stretches(cells, &rows, &skips)) }
    }
}
