//! The embedded method of Dormand & Prince (1980), J. Comput. Appl. Math. 6, 5(4), with error control and dense output.
//!
//! Test inputs, data, held values and pipelines move at multiples of dt only, so a step never crosses one: every edge of a
//! STEP or PULSE is met exactly, and between them the right side is as smooth as the model. Kinks at other times (a RAMP that
//! begins inside a step, IF on a TIME in between) are met as in every code with error control: steps that cross one are refused until
//! what it does to them is below the tolerance.
//!
//! Steps are chosen as in the authors' DOPRI5: the proportional-integral controller of Gustafsson (1991), and a first step from
//! the slope and its change (Hairer, Nørsett & Wanner 1993, §II.4). The error is that of the worst stock, not a mean of all.

use super::Ending;
use super::block::{Block, Sink};
use crate::cancel::{Cancelled, Control};
use crate::sd::functions::call::Noise;
use crate::sd::program::kernels::Frame;

const NODES: [f64; 7] = [0.0, 0.2, 0.3, 0.8, 8.0 / 9.0, 1.0, 1.0];
const STAGES: [[f64; 6]; 7] = [
    [0.0; 6],
    [0.2, 0.0, 0.0, 0.0, 0.0, 0.0],
    [3.0 / 40.0, 9.0 / 40.0, 0.0, 0.0, 0.0, 0.0],
    [44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0, 0.0, 0.0, 0.0],
    [19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0, 0.0, 0.0],
    [9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0, 0.0],
    [35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
];
/// Fifth minus fourth order.
const ERROR: [f64; 7] =
    [71.0 / 57600.0, 0.0, -71.0 / 16695.0, 71.0 / 1920.0, -17253.0 / 339_200.0, 22.0 / 525.0, -1.0 / 40.0];
/// Dense output of fourth order: Hairer, Nørsett & Wanner (1993), Solving Ordinary Differential Equations I, §II.6.
const DENSE: [f64; 7] = [
    -12_715_105_075.0 / 11_282_082_432.0,
    0.0,
    87_487_479_700.0 / 32_700_410_799.0,
    -10_690_763_975.0 / 1_880_347_072.0,
    701_980_252_875.0 / 199_316_789_632.0,
    -1_453_857_185.0 / 822_651_844.0,
    69_997_945.0 / 29_380_423.0,
];
/// Differences of time that rounding may swallow, as a share of the largest time at hand: no step is shorter.
const RESOLUTION: f64 = 8.0 * f64::EPSILON;
/// Share of the step that the estimate promises.
const SAFETY: f64 = 0.9;
/// Weight of the error of the step before.
const MEMORY: f64 = 0.04;
/// Least and most that a step grows.
const GROWTH: (f64, f64) = (0.2, 10.0);
/// Steps between looks at whether somebody wants the run to stop.
const PATIENCE: u32 = 64;

/// Chooses steps from errors.
struct Steps {
    /// The next step.
    size: f64,
    before: f64,
    refused: bool,
}

impl Steps {
    /// After a step whose error stood to the tolerance as `error` to one; whether it stands. `cut`: it was shorter than chosen.
    fn judge(&mut self, taken: f64, error: f64, cut: bool) -> bool {
        let share = libm::pow(error, 0.2 - 0.75 * MEMORY);
        if error > 1.0 {
            self.size = taken * (SAFETY / share).max(GROWTH.0);
            self.refused = true;
            return false;
        }
        let mut factor = (SAFETY * libm::pow(self.before, MEMORY) / share).clamp(GROWTH.0, GROWTH.1);
        if self.refused {
            factor = factor.min(1.0);
        }
        // An edge that cut a step short says nothing against longer ones.
        self.size = if cut && factor >= 1.0 { self.size.max(taken * factor) } else { taken * factor };
        self.before = error.max(1e-4);
        self.refused = false;
        true
    }
}

impl<'p> Block<'p> {
    /// Carries the first run of the block on its own steps.
    pub(super) fn adaptive(
        &mut self,
        noise: Noise,
        sink: &mut dyn Sink,
        control: &Control,
    ) -> Result<Vec<Ending>, Cancelled> {
        let mut frame = self.frame(1, noise);
        self.begin(&mut frame);
        let mut ending = Ending::COMPLETE;
        let result = self.on_its_own_steps(&mut frame, sink, control, &mut ending);
        self.give_back(frame);
        result.map(|()| vec![ending])
    }

    fn on_its_own_steps(
        &mut self,
        frame: &mut Frame<'p>,
        sink: &mut dyn Sink,
        control: &Control,
        ending: &mut Ending,
    ) -> Result<(), Cancelled> {
        let program = self.program;
        let memory = self.memory.start();
        let (stocks, states) = (program.stocks, program.flat.states.len());
        let (lanes, dt) = (self.lanes, program.flat.time.dt);
        let y = self.vector(self.areas.state[0]);
        let z = self.vector(self.areas.state[1]);
        let stage = self.vector(self.areas.sum);
        let pending = self.vector(self.areas.pending);
        let k = |s: usize, i: usize| stage + (s * states + i) * lanes;
        let mut steps = Steps { size: f64::NAN, before: 1e-4, refused: false };
        let mut ends = vec![0.0; stocks];
        let mut next_save = 0;
        let last = program.times.last().copied().unwrap_or(program.flat.time.initial_time);
        let slack = 1e-9 * dt;
        let mut step = 0u64;
        let mut looked = 0;
        loop {
            let start = program.time_at(step);
            frame.noise.step = step;
            frame.clock.time = start;
            self.set_time(frame, start, start);
            // Saved times at the start of the interval.
            while program.times.get(next_save).is_some_and(|&at| at <= start + slack) {
                self.give(frame, 0, next_save, sink, ending);
                next_save += 1;
            }
            if start >= last - slack {
                return Ok(());
            }
            Self::execute(memory, &self.code.holds, frame);
            if !frame.machines.is_empty() {
                // What flows between machines is held from where they are told, before the slopes look inside the interval.
                Self::execute(memory, &self.code.rates[0], frame);
            }
            frame.inside = true;
            let mut at = 0.0;
            let mut known = false;
            // A run that failed stays where it is; what is saved of it is not a number.
            while dt - at > slack && ending.complete() {
                if looked == 0 {
                    control.check()?;
                    looked = PATIENCE;
                }
                looked -= 1;
                if !known {
                    // The last slope of a step is the first of the next, but not over an edge.
                    let odd = self.slope(frame, 0, start + at, start);
                    known = true;
                    if let Some(stock) = odd {
                        self.memory.numbers().copy_within(y..y + states * lanes, z);
                        self.give_up(
                            frame,
                            Ending { time: start + at, variable: stock as i32, stalled: false },
                            ending,
                        );
                        continue;
                    }
                }
                if steps.size.is_nan() {
                    steps.size = self.first_step(frame, start);
                }
                let left = dt - at;
                let mut size = steps.size.min(dt);
                if left <= size + slack {
                    size = left;
                } else if left < 2.0 * size {
                    // Two even steps are better than a long and a short one.
                    size = 0.5 * left;
                }
                let cut = size < steps.size;
                let mut odd = None;
                for s in 1..7 {
                    let numbers = self.memory.numbers();
                    for i in 0..stocks {
                        let mut sum = 0.0;
                        for (j, weight) in STAGES[s].iter().enumerate().take(s) {
                            sum += weight * numbers[k(j, i)];
                        }
                        numbers[z + i * lanes] = numbers[y + i * lanes] + size * sum;
                    }
                    numbers.copy_within(y + stocks * lanes..y + states * lanes, z + stocks * lanes);
                    odd = self.slope(frame, s, start + at + NODES[s] * size, start);
                    if odd.is_some() {
                        break;
                    }
                }
                // The point of the seventh stage is the new state.
                let (worst, culprit) = odd.map_or_else(|| self.error(size), |stock| (f64::INFINITY, stock));
                if !steps.judge(size, worst, cut) {
                    if steps.size < RESOLUTION * start.abs().max(dt) {
                        let found = Ending { time: start + at, variable: culprit as i32, stalled: odd.is_none() };
                        self.give_up(frame, found, ending);
                    }
                    continue;
                }
                // Saved times inside the step.
                while program
                    .times
                    .get(next_save)
                    .is_some_and(|&t| t < start + at + size - slack && t < start + dt - slack)
                {
                    let theta = ((program.times[next_save] - start - at) / size).clamp(0.0, 1.0);
                    let numbers = self.memory.numbers();
                    for (i, end) in ends.iter_mut().enumerate() {
                        *end = numbers[z + i * lanes];
                        let (y0, y1) = (numbers[y + i * lanes], *end);
                        let rise = y1 - y0;
                        let bow = size * numbers[k(0, i)] - rise;
                        let skew = rise - size * numbers[k(6, i)] - bow;
                        let rest: f64 = size * (0..7).map(|s| DENSE[s] * numbers[k(s, i)]).sum::<f64>();
                        let other = 1.0 - theta;
                        numbers[z + i * lanes] = y0 + theta * (rise + other * (bow + theta * (skew + other * rest)));
                    }
                    self.set_time(frame, program.times[next_save], start);
                    self.give(frame, 1, next_save, sink, ending);
                    let numbers = self.memory.numbers();
                    for (i, end) in ends.iter().enumerate() {
                        numbers[z + i * lanes] = *end;
                    }
                    next_save += 1;
                }
                let numbers = self.memory.numbers();
                numbers.copy_within(z..z + stocks * lanes, y);
                numbers.copy_within(k(6, 0)..k(6, 0) + stocks * lanes, k(0, 0));
                at += size;
            }
            let numbers = self.memory.numbers();
            for &stock in &program.floors {
                let value = &mut numbers[y + stock as usize * lanes];
                *value = if 0.0 > *value { 0.0 } else { *value };
            }
            numbers.copy_within(pending + stocks * lanes..pending + states * lanes, y + stocks * lanes);
            frame.inside = false;
            frame.settle();
            step += 1;
        }
    }

    /// Puts the slope at a time into a stage: the first from the state, others from the point in between. The first stock
    /// whose slope is not finite.
    fn slope(&mut self, frame: &mut Frame<'p>, stage: usize, time: f64, start: f64) -> Option<usize> {
        // At an edge both sides have a say: a slope is that within the interval.
        let end = start + self.program.flat.time.dt;
        let margin = RESOLUTION * start.abs().max(end.abs());
        self.set_time(frame, time.max(start + margin).min(end - margin), start);
        Self::execute(self.memory.start(), &self.code.rates[usize::from(stage > 0)], frame);
        let (from, count) = (self.vector(self.areas.rate), self.program.stocks * self.lanes);
        let to = self.vector(self.areas.sum) + stage * self.program.flat.states.len() * self.lanes;
        let numbers = self.memory.numbers();
        numbers.copy_within(from..from + count, to);
        numbers[to..to + count].iter().position(|slope| !slope.is_finite()).map(|at| at / self.lanes)
    }

    /// The first step, from the first slope and how fast it changes.
    fn first_step(&mut self, frame: &mut Frame<'p>, start: f64) -> f64 {
        let (stocks, states) = (self.program.stocks, self.program.flat.states.len());
        let (lanes, dt) = (self.lanes, self.program.flat.time.dt);
        let (relative, absolute) = self.program.flat.tolerance;
        let y = self.vector(self.areas.state[0]);
        let z = self.vector(self.areas.state[1]);
        let stage = self.vector(self.areas.sum);
        let k = |s: usize, i: usize| stage + (s * states + i) * lanes;
        let numbers = self.memory.numbers();
        let scale: Vec<f64> = (0..stocks).map(|i| absolute + relative * numbers[y + i * lanes].abs()).collect();
        let most = |of: &dyn Fn(usize) -> f64| (0..stocks).map(|i| (of(i) / scale[i]).abs()).fold(0.0, f64::max);
        let level = most(&|i| numbers[y + i * lanes]);
        let slope = most(&|i| numbers[k(0, i)]);
        let small = if level < 1e-5 || slope < 1e-5 { 1e-6 * dt } else { (0.01 * level / slope).min(dt) };
        for i in 0..states {
            let step = if i < stocks { small * numbers[k(0, i)] } else { 0.0 };
            numbers[z + i * lanes] = numbers[y + i * lanes] + step;
        }
        if self.slope(frame, 1, start + small, start).is_some() {
            return small;
        }
        let numbers = self.memory.numbers();
        let bend =
            (0..stocks).map(|i| ((numbers[k(1, i)] - numbers[k(0, i)]) / scale[i]).abs()).fold(0.0, f64::max) / small;
        let steepest = slope.max(bend);
        // Nothing moves: as far as an edge.
        if steepest == 0.0 {
            return dt;
        }
        let size = libm::pow(0.01 / steepest, 0.2);
        if size.is_finite() { size.min(100.0 * small).min(dt) } else { small }
    }

    /// The error of a step as a multiple of what the tolerance allows, of the worst stock, and which that is.
    fn error(&mut self, size: f64) -> (f64, usize) {
        let (stocks, states, lanes) = (self.program.stocks, self.program.flat.states.len(), self.lanes);
        let (relative, absolute) = self.program.flat.tolerance;
        let y = self.vector(self.areas.state[0]);
        let z = self.vector(self.areas.state[1]);
        let stage = self.vector(self.areas.sum);
        let numbers = self.memory.numbers();
        let (mut worst, mut culprit) = (0.0f64, 0);
        for i in 0..stocks {
            let error: f64 = (0..7).map(|s| ERROR[s] * numbers[stage + (s * states + i) * lanes]).sum::<f64>() * size;
            let scale = absolute + relative * numbers[y + i * lanes].abs().max(numbers[z + i * lanes].abs());
            let share = (error / scale).abs();
            if share > worst || share.is_nan() {
                (worst, culprit) = (share, i);
            }
        }
        (worst, culprit)
    }

    /// Ends the run: what is evaluated at the point in between comes before the stock that it moves, so if any of that is not
    /// finite, it is to blame.
    fn give_up(&mut self, frame: &mut Frame<'p>, found: Ending, ending: &mut Ending) {
        let (lanes, states) = (self.lanes, self.program.flat.states.len());
        let mut columns = vec![0.0; self.program.flat.saves.len() * lanes];
        (frame.sink, frame.pitch, frame.bad) = (columns.as_mut_ptr(), lanes, false);
        Self::execute(self.memory.start(), &self.code.save[1], frame);
        let mut seen = [Ending::COMPLETE];
        // SAFETY: there is room for every lane of every column.
        unsafe { self.note_columns(1, columns.as_mut_ptr(), lanes, found.time, &mut seen) };
        *ending = if seen[0].complete() { found } else { seen[0] };
        let y = self.vector(self.areas.state[0]);
        self.memory.numbers()[y..y + states * lanes].fill(f64::NAN);
    }
}
