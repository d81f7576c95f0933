//! Looking at every variable at every step, to find where a run first was not finite.

use super::block::Block;
use crate::cancel::{Cancelled, Control};
use crate::sd::functions::call::Noise;
use crate::sd::model::Method;

/// What was not finite when a run first had something that was not.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The time.
    pub time: f64,
    /// Whether nothing had moved yet.
    pub start: bool,
    /// Of each state whether it was not finite.
    pub states: Vec<bool>,
    /// Of each column whether it was not finite.
    pub columns: Vec<bool>,
}

impl Block<'_> {
    /// Runs members as [`Block::run`] does, up to the first step of each at which something is
    /// not finite; `None` for those that reach the end. Of the adaptive method it looks at the start only.
    pub fn watch(
        &mut self,
        runs: usize,
        first: u64,
        key: [u64; 2],
        inputs: impl Fn(usize, usize) -> f64,
        control: &Control,
    ) -> Result<Vec<Option<Snapshot>>, Cancelled> {
        let runs = runs.min(self.lanes);
        self.load(runs, inputs);
        let program = self.program;
        let method = program.flat.time.method;
        let (steps, lanes, states) = (program.steps(), self.lanes, program.flat.states.len());
        let mut frame = self.frame(runs, Noise { key, run: first, step: 0 });
        let mut seen: Vec<Option<Snapshot>> = vec![None; runs];
        let mut columns = vec![0.0; program.flat.saves.len() * lanes];
        let mut bank = 0;
        self.begin(&mut frame);
        let memory = self.memory.start();
        let mut result = Ok(());
        for step in 0..=steps {
            if step.is_multiple_of(256)
                && let Err(cancelled) = control.check()
            {
                result = Err(cancelled);
                break;
            }
            self.set_step(&mut frame, step);
            frame.noise.step = step;
            frame.clock.time = program.time_at(step);
            (frame.sink, frame.pitch, frame.bad) = (columns.as_mut_ptr(), lanes, false);
            Self::execute(memory, &self.code.save[bank], &mut frame);
            self.look(&mut seen, bank, &columns, program.time_at(step), step == 0);
            if step == steps || method == Method::Rk45 || seen.iter().all(Option::is_some) {
                break;
            }
            if method == Method::Euler {
                Self::execute(memory, &self.code.euler[bank], &mut frame);
                bank = 1 - bank;
                frame.settle();
                continue;
            }
            let y = self.vector(self.areas.state[0]);
            let before = self.memory.numbers()[y..y + states * lanes].to_vec();
            self.runge(&mut frame, step, method);
            let numbers = &self.memory.numbers()[y..y + states * lanes];
            if numbers.iter().any(|value| !value.is_finite()) {
                // Back to the step, to look at the points within it.
                let after = numbers.to_vec();
                self.memory.numbers()[y..y + states * lanes].copy_from_slice(&before);
                self.stages(&mut frame, step, method, &mut columns, &mut seen);
                self.memory.numbers()[y..y + states * lanes].copy_from_slice(&after);
            }
            frame.settle();
        }
        self.give_back(frame);
        result.map(|()| seen)
    }

    /// Takes the points of a Runge–Kutta step again and looks at what is evaluated there.
    fn stages(
        &mut self,
        frame: &mut crate::sd::program::kernels::Frame<'_>,
        step: u64,
        method: Method,
        columns: &mut [f64],
        seen: &mut [Option<Snapshot>],
    ) {
        let memory = self.memory.start();
        let (program, lanes) = (self.program, self.lanes);
        let (now, h) = (program.time_at(step), program.flat.time.dt);
        let [y, z] = self.areas.state.map(|area| self.vector(area));
        let k = self.vector(self.areas.rate);
        let (n, all) = (program.stocks * lanes, program.flat.states.len() * lanes);
        self.set_time(frame, now, now);
        Self::execute(memory, &self.code.rates[0], frame);
        frame.inside = true;
        let numbers = self.memory.numbers();
        numbers.copy_within(y + n..y + all, z + n);
        let points: &[f64] = if method == Method::Rk2 { &[1.0] } else { &[0.5, 0.5, 1.0] };
        for &point in points {
            let numbers = self.memory.numbers();
            for i in 0..n {
                numbers[z + i] = numbers[y + i] + point * h * numbers[k + i];
            }
            let time = now + point * h;
            self.set_time(frame, time, now);
            (frame.sink, frame.pitch, frame.bad) = (columns.as_mut_ptr(), lanes, false);
            Self::execute(memory, &self.code.save[1], frame);
            self.look(seen, 1, columns, time, false);
            Self::execute(memory, &self.code.rates[1], frame);
        }
        frame.inside = false;
    }

    /// Notes the lanes that are not finite for the first time.
    fn look(&mut self, seen: &mut [Option<Snapshot>], bank: usize, columns: &[f64], time: f64, start: bool) {
        let (at, lanes) = (self.vector(self.areas.state[bank]), self.lanes);
        let (states, count) = (self.program.flat.states.len(), self.program.flat.saves.len());
        for (lane, seen) in seen.iter_mut().enumerate() {
            if seen.is_some() {
                continue;
            }
            let numbers = self.memory.numbers();
            let odd = |value: f64| !value.is_finite();
            let bad_state = (0..states).any(|state| odd(numbers[at + state * lanes + lane]));
            if bad_state || self.code.order.iter().any(|&column| odd(columns[column * lanes + lane])) {
                let states = (0..states).map(|state| odd(numbers[at + state * lanes + lane])).collect();
                let columns = (0..count).map(|column| odd(columns[column * lanes + lane])).collect();
                *seen = Some(Snapshot { time, start, states, columns });
            }
        }
    }
}
