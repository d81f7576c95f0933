//! A block of runs side by side in one stretch of memory, structure of arrays.

use std::sync::Arc;

use super::Ending;
use super::loops::Loops;
use super::memory::{Memory, fetch};
use super::timed::Timed;
use crate::cancel::{Cancelled, Control};
use crate::sd::functions::call::Noise;
use crate::sd::functions::clock::Clock;
use crate::sd::functions::machine::Machine;
use crate::sd::model::Method;
use crate::sd::program::bind::{Areas, Bind, Code};
use crate::sd::program::kernels::{Frame, Ring};
use crate::sd::program::machines::Bank;
use crate::sd::program::{Plan, Program, thread};

/// Where the saved values of a block go.
pub trait Sink {
    /// Where column 0 of the block's first lane at a saved time goes, and the distance to the next column.
    fn target(&mut self, time: usize) -> (*mut f64, usize);
    /// The values of a saved time stand there; lanes that are `dead` hold NaN.
    fn stored(&mut self, time: usize, dead: &[bool]);
}

struct Scratch {
    values: Vec<f64>,
    lanes: usize,
}

impl Sink for Scratch {
    fn target(&mut self, _: usize) -> (*mut f64, usize) {
        (self.values.as_mut_ptr(), self.lanes)
    }
    fn stored(&mut self, _: usize, _: &[bool]) {}
}

/// Saved values of a block that are fetched into the cache before they are written: 32 KB of it.
const FETCHED: usize = 4096;

/// Memory for a block of runs, with code that blocks of the same width share.
pub struct Block<'p> {
    pub(super) program: &'p Program,
    pub(super) plan: &'p Plan,
    pub(super) memory: Memory,
    pub(super) code: Arc<Code>,
    rings: Vec<Ring>,
    machines: Vec<Bank>,
    pub(super) areas: Areas,
    /// Instructions that were skipped.
    #[cfg(test)]
    pub(crate) skipped: usize,
    /// Lanes of the block.
    pub(super) lanes: usize,
    pub(super) width: usize,
    pub(super) scalars: Vec<f64>,
    pub(super) uniform_slots: Vec<u32>,
    // Values of time alone at every step, when they fit.
    pub(super) uniform_table: Option<&'p [f64]>,
    pub(super) timed: Timed,
    loops: Loops,
    dead: Vec<bool>,
}

impl<'p> Block<'p> {
    /// Memory for `lanes` runs; one lane takes the narrow path, whose code is made once a program.
    pub fn new(program: &'p Program, lanes: usize) -> Self {
        let code = if lanes > 1 { Arc::new(Code::new(program, lanes)) } else { program.threaded() };
        let plan = if lanes > 1 { &program.lanes } else { program.narrow() };
        let (lanes, width) = (code.lanes, code.width);
        let mut block = Self {
            program,
            plan,
            memory: Memory::new(code.size, &code.image),
            #[cfg(test)]
            skipped: 0,
            rings: program.rings.iter().map(|ring| Ring { moving: ring.moving, ..Ring::default() }).collect(),
            machines: vec![Bank::default(); program.flat.machines.len()],
            areas: code.areas,
            lanes,
            width,
            scalars: if width > 1 { plan.scalars_at_start() } else { Vec::new() },
            uniform_slots: plan.uniforms.iter().map(|uniform| uniform.slot).collect(),
            uniform_table: if width > 1 { program.uniform_table() } else { None },
            loops: Loops::of(program.kernel),
            timed: Timed::default(),
            dead: vec![false; lanes],
            code,
        };
        if width == 1 {
            block.open_table();
        }
        block
    }

    /// Where a vector place stands, in numbers from the start.
    pub(super) fn vector(&self, index: usize) -> usize {
        self.code.vector(index)
    }

    /// Runs `runs` members: `inputs` gives the varied values by slot and member, `first` is the number of the first run.
    pub fn run(
        &mut self,
        runs: usize,
        first: u64,
        key: [u64; 2],
        inputs: impl Fn(usize, usize) -> f64,
        sink: &mut dyn Sink,
        control: &Control,
    ) -> Result<Vec<Ending>, Cancelled> {
        let runs = runs.min(self.lanes);
        self.load(runs, inputs);
        let noise = Noise { key, run: first, step: 0 };
        let mut endings = vec![Ending::COMPLETE; runs];
        self.dead.fill(false);
        if self.program.flat.time.method == Method::Rk45 {
            debug_assert_eq!(runs, 1, "adaptive runs go one by one");
            return self.adaptive(noise, sink, control);
        }
        if self.pass(runs, noise, sink, None, control)? {
            // Once more, looking at every step, to find when and where.
            let mut scratch =
                Scratch { values: vec![0.0; self.lanes * self.program.flat.saves.len()], lanes: self.lanes };
            self.dead.fill(false);
            self.pass(runs, noise, &mut scratch, Some(&mut endings), control)?;
        }
        Ok(endings)
    }

    /// Puts the varied values in their places; lanes beyond the runs repeat the last one.
    pub(super) fn load(&mut self, runs: usize, inputs: impl Fn(usize, usize) -> f64) {
        for slot in 0..self.program.flat.defaults.len() {
            let start = self.vector(self.areas.inputs + slot);
            let lanes = self.lanes;
            for (lane, value) in self.memory.numbers()[start..start + lanes].iter_mut().enumerate() {
                *value = inputs(slot, lane.min(runs - 1));
            }
        }
    }

    pub(super) fn frame(&mut self, runs: usize, noise: Noise) -> Frame<'p> {
        Frame {
            chunks: runs.div_ceil(self.width),
            lanes: runs,
            block: self.lanes,
            tables: &self.plan.tables,
            calls: Arc::clone(&self.code.calls),
            curves: Arc::clone(&self.code.curves),
            vectors: Arc::clone(&self.code.packed),
            rings: std::mem::take(&mut self.rings),
            machines: std::mem::take(&mut self.machines),
            held: vec![0.0; self.program.held * self.lanes],
            inside: false,
            clock: Clock { time: self.program.flat.time.initial_time, dt: self.program.flat.time.dt },
            plans: &self.program.flat.machines,
            noise,
            sink: std::ptr::null_mut(),
            pitch: 0,
            bad: false,
            skip: 0,
            next: std::ptr::null(),
            #[cfg(test)]
            skipped: 0,
            scratch: Vec::new(),
            results: Vec::new(),
        }
    }

    pub(super) fn give_back(&mut self, frame: Frame<'p>) {
        #[cfg(test)]
        {
            self.skipped += frame.skipped;
        }
        self.rings = frame.rings;
        self.machines = frame.machines;
    }

    /// Runs bound code.
    pub(super) fn execute(start: *mut f64, code: &Bind, frame: &mut Frame<'_>) {
        let code = match code {
            Bind::Lanes(code) => code,
            // SAFETY: `bind` places every argument inside the memory and ends the list.
            Bind::Thread(code) => return unsafe { thread::run(code, start, frame) },
        };
        let mut rest = code.iter();
        while let Some(instruction) = rest.next() {
            // SAFETY: `bind` places every argument inside the memory for all lanes of the block.
            unsafe { (instruction.run)(instruction, start, frame) };
            if frame.skip > 0 {
                let skip = std::mem::take(&mut frame.skip);
                #[cfg(test)]
                {
                    frame.skipped += skip;
                }
                rest.nth(skip - 1);
            }
        }
    }

    /// Everything up to the first step.
    pub(super) fn begin(&mut self, frame: &mut Frame<'p>) {
        let memory = self.memory.start();
        self.set_step(frame, 0);
        frame.noise.step = 0;
        frame.clock.time = self.program.time_at(0);
        Self::execute(memory, &self.code.start, frame);
        self.start_machines(frame);
        if frame.rings.is_empty() {
            return;
        }
        Self::execute(memory, &self.code.ring_steps, frame);
        let most = self.program.steps() as usize + 2;
        for (ring, plan) in frame.rings.iter_mut().zip(&self.program.rings) {
            let state = self.vector(self.areas.state[0] + plan.state as usize);
            let steps = self.vector(self.areas.rate + plan.state as usize);
            let lanes = self.lanes;
            let numbers = self.memory.numbers();
            ring.initial.clear();
            ring.initial.extend_from_slice(&numbers[state..state + lanes]);
            // A pipeline longer than the run needs no more than the run.
            ring.steps = numbers[steps..steps + lanes]
                .iter()
                .map(|&value| if value >= 1.0 { value.min(most as f64) as u32 } else { 1 })
                .collect();
            ring.length = if ring.moving { most } else { ring.steps.iter().copied().max().unwrap_or(1) as usize };
            ring.values.clear();
            ring.values.resize(ring.length * lanes, 0.0);
        }
    }

    /// Every machine from its start values.
    fn start_machines(&mut self, frame: &mut Frame<'p>) {
        let lanes = self.lanes;
        let mut start = Vec::new();
        for (m, plan) in self.program.flat.machines.iter().enumerate() {
            let first = self.plan.machine_starts[m] as usize;
            let places: Vec<usize> = (0..plan.start.len()).map(|k| self.vector(self.areas.kept + first + k)).collect();
            let numbers = self.memory.numbers();
            let bank = &mut frame.machines[m];
            bank.lanes.clear();
            bank.told.clear();
            if plan.state.is_none() {
                continue;
            }
            for lane in 0..lanes.min(frame.chunks * self.width) {
                start.clear();
                start.extend(places.iter().map(|at| numbers[at + lane]));
                bank.lanes.push(Machine::start(&plan.kind, &start, frame.clock));
            }
        }
    }

    fn pass(
        &mut self,
        runs: usize,
        noise: Noise,
        sink: &mut dyn Sink,
        mut precise: Option<&mut Vec<Ending>>,
        control: &Control,
    ) -> Result<bool, Cancelled> {
        let mut frame = self.frame(runs, noise);
        let result = self.walk(&mut frame, runs, sink, &mut precise, control);
        self.give_back(frame);
        result
    }

    fn walk(
        &mut self,
        frame: &mut Frame<'p>,
        runs: usize,
        sink: &mut dyn Sink,
        precise: &mut Option<&mut Vec<Ending>>,
        control: &Control,
    ) -> Result<bool, Cancelled> {
        let program = self.program;
        self.begin(frame);
        let memory = self.memory.start();
        let method = program.flat.time.method;
        let last = program.last_step();
        let save_at = |save: usize| program.save_steps.get(save).map_or(u64::MAX, |&(step, _)| step);
        let (mut next_save, mut next_at) = (0, save_at(0));
        let mut bank = 0;
        let mut any = false;
        let patience =
            (1 << 22) / (self.lanes.max(16) * (self.plan.euler.code.len() + self.plan.rates.code.len() + 8)).max(1);
        let patience = patience.max(1) as u64;
        let (mut step, mut left) = (0, 0);
        loop {
            if left == 0 {
                control.check()?;
                left = patience;
            }
            if step > 0 || method != Method::Euler {
                self.set_step(frame, step);
            }
            frame.noise.step = step;
            frame.clock.time = program.time_at(step);
            let saving = next_at == step;
            if let Some(endings) = precise.as_deref_mut() {
                self.note_states(bank, runs, program.time_at(step), endings);
            }
            if saving {
                let (target, pitch) = sink.target(next_save);
                (frame.sink, frame.pitch, frame.bad) = (target, pitch, false);
                let code = if step < last && method == Method::Euler {
                    &self.code.euler_save[bank]
                } else {
                    &self.code.save[bank]
                };
                Self::execute(memory, code, frame);
                if let Some(endings) = precise.as_deref_mut() {
                    // SAFETY: the sink has room for `runs` lanes of every column.
                    unsafe { self.note_columns(runs, target, pitch, program.times[next_save], endings) };
                }
                let bad = frame.bad || self.states_bad(bank, runs);
                if bad || any {
                    // SAFETY: as above.
                    unsafe { self.bury(bank, runs, target, pitch) };
                    any = any || self.dead.iter().any(|&dead| dead);
                }
                sink.stored(next_save, &self.dead[..runs]);
                next_save += 1;
                next_at = save_at(next_save);
                let columns = program.flat.saves.len();
                if self.width > 1 && next_at != u64::MAX && columns * runs <= FETCHED {
                    let (target, pitch) = sink.target(next_save);
                    (0..columns).for_each(|column| fetch(target.wrapping_add(column * pitch), runs));
                }
            }
            if step == last {
                break;
            }
            match method {
                Method::Euler if saving => bank = 1 - bank,
                Method::Euler => {
                    let end = if precise.is_some() { step + 1 } else { next_at.min(last).min(step + left) };
                    self.glide(frame, step..end, bank);
                    let steps = end - step;
                    bank ^= steps as usize & 1;
                    step += steps - 1;
                    left -= steps - 1;
                }
                Method::Rk2 | Method::Rk4 | Method::Rk45 => self.runge(frame, step, method),
            }
            frame.settle();
            step += 1;
            left -= 1;
        }
        self.close_table();
        Ok(any)
    }

    /// Euler steps that save nothing, the first of which has its time set and the last of which is not settled.
    fn glide(&mut self, frame: &mut Frame<'p>, steps: std::ops::Range<u64>, mut bank: usize) {
        let memory = self.memory.start();
        if self.code.timeless {
            for _ in steps {
                Self::execute(memory, &self.code.euler[bank], frame);
                bank = 1 - bank;
            }
            return;
        }
        for step in steps.clone() {
            if step > steps.start {
                frame.settle();
                self.set_step(frame, step);
                frame.noise.step = step;
                frame.clock.time = self.program.time_at(step);
            }
            Self::execute(memory, &self.code.euler[bank], frame);
            bank = 1 - bank;
        }
    }

    /// A Runge–Kutta step from state area 0 to itself, with area 1 for the points in between.
    pub(super) fn runge(&mut self, frame: &mut Frame<'p>, step: u64, method: Method) {
        let program = self.program;
        let memory = self.memory.start();
        let (now, h) = (program.time_at(step), program.flat.time.dt);
        let (stocks, states) = (program.stocks, program.flat.states.len());
        let lanes = self.lanes;
        let y = self.vector(self.areas.state[0]);
        let z = self.vector(self.areas.state[1]);
        let k = self.vector(self.areas.rate);
        let sum = self.vector(self.areas.sum);
        let pending = self.vector(self.areas.pending);
        let n = stocks * lanes;
        // SAFETY: areas lie inside the memory and do not overlap, and a slice is used in one call only.
        let area = |at: usize| unsafe { std::slice::from_raw_parts_mut(memory.add(at), n) };
        let loops = self.loops;
        // Held states and rings do not move within the step.
        let moved = stocks < states;
        if moved {
            Self::execute(memory, &self.code.holds, frame);
            self.memory.numbers().copy_within(y + n..y + states * lanes, z + n);
        }
        Self::execute(memory, &self.code.first, frame);
        frame.inside = true;
        if method == Method::Rk2 {
            // Heun: the mean of the slopes at both ends.
            // SAFETY: the processor runs the kernel of the program, here and below.
            unsafe { (loops.point)(area(z), area(y), area(sum), h) };
            self.set_point(frame, step, 1, program.time_at(step + 1));
            Self::execute(memory, &self.code.rates[1], frame);
            // SAFETY: as above.
            unsafe { (loops.finish)(area(y), area(sum), area(k), 0.5 * h) };
        } else {
            // SAFETY: as above.
            unsafe { (loops.point)(area(z), area(y), area(sum), 0.5 * h) };
            self.set_point(frame, step, 1, now + 0.5 * h);
            for c in [0.5 * h, h] {
                Self::execute(memory, &self.code.rates[1], frame);
                // SAFETY: as above.
                unsafe { (loops.middle)(area(z), area(sum), area(y), area(k), c) };
            }
            self.set_point(frame, step, 2, program.time_at(step + 1));
            Self::execute(memory, &self.code.rates[1], frame);
            // SAFETY: as above.
            unsafe { (loops.finish)(area(y), area(sum), area(k), h / 6.0) };
        }
        frame.inside = false;
        let numbers = self.memory.numbers();
        for &stock in &program.floors {
            let at = y + stock as usize * lanes;
            for value in &mut numbers[at..at + lanes] {
                *value = if 0.0 > *value { 0.0 } else { *value };
            }
        }
        if moved {
            numbers.copy_within(pending + n..pending + states * lanes, y + n);
        }
    }

    /// Hands the values at a saved time over, from the states of one bank, and judges them.
    pub(super) fn give(
        &mut self,
        frame: &mut Frame<'p>,
        bank: usize,
        time: usize,
        sink: &mut dyn Sink,
        ending: &mut Ending,
    ) {
        let (target, pitch) = sink.target(time);
        (frame.sink, frame.pitch, frame.bad) = (target, pitch, false);
        Self::execute(self.memory.start(), &self.code.save[bank], frame);
        let mut endings = [*ending];
        self.note_states(bank, 1, self.program.times[time], &mut endings);
        // SAFETY: the sink has room for one lane of every column.
        unsafe {
            self.note_columns(1, target, pitch, self.program.times[time], &mut endings);
            if !endings[0].complete() {
                self.dead[0] = true;
                self.bury(bank, 1, target, pitch);
            }
        }
        *ending = endings[0];
        sink.stored(time, &self.dead[..1]);
    }

    /// Whether a state is not finite, of those that no judged column shows.
    fn states_bad(&mut self, bank: usize, runs: usize) -> bool {
        let (start, lanes, odd) = (self.vector(self.areas.state[bank]), self.lanes, self.loops.odd);
        let numbers = self.memory.numbers();
        // SAFETY: the processor runs the kernel of the program.
        self.code
            .unseen
            .iter()
            .any(|&state| unsafe { odd(&numbers[start + state * lanes..start + state * lanes + runs]) })
    }

    /// Marks lanes with a value that is not finite as dead, and writes NaN for every dead lane.
    unsafe fn bury(&mut self, bank: usize, runs: usize, target: *mut f64, pitch: usize) {
        let (start, lanes) = (self.vector(self.areas.state[bank]), self.lanes);
        let states = self.program.flat.states.len();
        let columns = self.program.flat.saves.len();
        let numbers = self.memory.numbers();
        for lane in 0..runs {
            // SAFETY: the caller promises room for `runs` lanes of every column.
            unsafe {
                let dead = self.dead[lane]
                    || (0..states).any(|state| !numbers[start + state * lanes + lane].is_finite())
                    || (0..columns)
                        .any(|column| self.code.judged[column] && !(*target.add(column * pitch + lane)).is_finite());
                if dead {
                    self.dead[lane] = true;
                    for column in 0..columns {
                        *target.add(column * pitch + lane) = f64::NAN;
                    }
                }
            }
        }
    }

    fn note_states(&mut self, bank: usize, runs: usize, time: f64, endings: &mut [Ending]) {
        let (start, lanes) = (self.vector(self.areas.state[bank]), self.lanes);
        let states = self.program.flat.states.len();
        let numbers = self.memory.numbers();
        for (lane, ending) in endings.iter_mut().enumerate().take(runs) {
            if ending.complete()
                && let Some(state) = (0..states).find(|state| !numbers[start + state * lanes + lane].is_finite())
            {
                *ending = Ending { time, variable: state as i32, stalled: false };
            }
        }
    }

    pub(super) unsafe fn note_columns(
        &self,
        runs: usize,
        target: *mut f64,
        pitch: usize,
        time: f64,
        endings: &mut [Ending],
    ) {
        let states = self.program.flat.states.len();
        for (lane, ending) in endings.iter_mut().enumerate().take(runs) {
            // SAFETY: the caller promises room for `runs` lanes of every column.
            let odd = self
                .code
                .order
                .iter()
                .copied()
                .find(|&column| unsafe { !(*target.add(column * pitch + lane)).is_finite() });
            if ending.complete()
                && let Some(column) = odd
            {
                *ending = Ending { time, variable: (states + column) as i32, stalled: false };
            }
        }
    }
}
