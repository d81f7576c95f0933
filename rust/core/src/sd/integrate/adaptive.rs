//! The embedded method of Dormand & Prince (1980), J. Comput. Appl. Math. 6, 5(4), with error control and dense output.
//!
//! Test inputs, data, held values and pipelines move at multiples of dt only, so a step never crosses one: every edge of a
//! STEP or PULSE is met exactly, and between them the right side is as smooth as the model.

use super::Ending;
use super::block::{Block, Sink};
use crate::cancel::{Cancelled, Control};
use crate::sd::functions::call::Noise;

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
/// Smallest step as a share of dt; below it the run is given up.
const SMALLEST: f64 = 1e-12;

impl Block<'_> {
    /// Carries the first run of the block on its own steps.
    pub(super) fn adaptive(
        &mut self,
        noise: Noise,
        sink: &mut dyn Sink,
        control: &Control,
    ) -> Result<Vec<Ending>, Cancelled> {
        let mut frame = self.frame(1, noise);
        self.begin(&mut frame);
        let program = self.program;
        let memory = self.memory.start();
        let (stocks, states) = (program.stocks, program.flat.states.len());
        let (lanes, dt) = (self.lanes, program.flat.time.dt);
        let (relative, absolute) = program.flat.tolerance;
        let y = self.vector(self.areas.state[0]);
        let z = self.vector(self.areas.state[1]);
        let rate = self.vector(self.areas.rate);
        let stage = self.vector(self.areas.sum);
        let pending = self.vector(self.areas.pending);
        let k = |s: usize, i: usize| stage + (s * states + i) * lanes;
        let mut ending = Ending::COMPLETE;
        let mut next_save = 0;
        let mut h = dt;
        let last = program.times.last().copied().unwrap_or(program.flat.time.initial_time);
        let slack = 1e-9 * dt;
        let mut step = 0u64;
        let result = 'run: loop {
            if step.is_multiple_of(16)
                && let Err(cancelled) = control.check()
            {
                break 'run Err(cancelled);
            }
            let start = program.time_at(step);
            frame.noise.step = step;
            frame.clock.time = start;
            self.set_time(start, start);
            // Saved times at the start of the interval.
            while program.times.get(next_save).is_some_and(|&at| at <= start + slack) {
                self.give(&mut frame, 0, next_save, sink, &mut ending);
                next_save += 1;
            }
            if start >= last - slack {
                break Ok(());
            }
            Self::execute(memory, &self.code.holds, &mut frame);
            let mut at = 0.0;
            // A run that failed stays where it is; what is saved of it is not a number.
            while dt - at > slack && ending.complete() {
                let mut size = h.min(dt - at);
                if dt - at - size < slack {
                    size = dt - at;
                }
                for s in 0..7 {
                    let numbers = self.memory.numbers();
                    for i in 0..stocks {
                        let mut sum = 0.0;
                        for (j, weight) in STAGES[s].iter().enumerate().take(s) {
                            sum += weight * numbers[k(j, i)];
                        }
                        numbers[z + i * lanes] = numbers[y + i * lanes] + size * sum;
                    }
                    for i in stocks..states {
                        numbers[z + i * lanes] = numbers[y + i * lanes];
                    }
                    self.set_time(start + at + NODES[s] * size, start);
                    frame.inside = at > 0.0 || s > 0;
                    Self::execute(memory, &self.code.rates[1], &mut frame);
                    let numbers = self.memory.numbers();
                    for i in 0..stocks {
                        numbers[k(s, i)] = numbers[rate + i * lanes];
                    }
                }
                // The point of the seventh stage is the new state.
                let numbers = self.memory.numbers();
                let (mut worst, mut culprit) = (0.0f64, 0);
                for i in 0..stocks {
                    let error: f64 = (0..7).map(|s| ERROR[s] * numbers[k(s, i)]).sum::<f64>() * size;
                    let scale = absolute + relative * numbers[y + i * lanes].abs().max(numbers[z + i * lanes].abs());
                    let share = (error / scale).abs();
                    if share > worst || share.is_nan() {
                        (worst, culprit) = (if share.is_nan() { f64::INFINITY } else { share }, i);
                    }
                }
                if worst > 1.0 {
                    h = size * (0.9 * libm::pow(worst, -0.2)).clamp(0.1, 0.9);
                    if h < SMALLEST * dt {
                        ending = Ending { time: start + at, variable: culprit as i32 };
                        // What is evaluated where the step would end comes before the state that it moves.
                        let mut columns = vec![0.0; program.flat.saves.len() * lanes];
                        (frame.sink, frame.pitch, frame.bad) = (columns.as_mut_ptr(), lanes, false);
                        Self::execute(memory, &self.code.save[1], &mut frame);
                        let mut found = [Ending::COMPLETE];
                        // SAFETY: there is room for every lane of every column.
                        unsafe { self.note_columns(1, columns.as_mut_ptr(), lanes, start + at, &mut found) };
                        if !found[0].complete() {
                            ending = found[0];
                        }
                        self.memory.numbers()[y..y + states * lanes].fill(f64::NAN);
                        break;
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
                    let ends: Vec<f64> = (0..stocks).map(|i| numbers[z + i * lanes]).collect();
                    for i in 0..stocks {
                        let (y0, y1) = (numbers[y + i * lanes], ends[i]);
                        let rise = y1 - y0;
                        let bow = size * numbers[k(0, i)] - rise;
                        let skew = rise - size * numbers[k(6, i)] - bow;
                        let rest: f64 = size * (0..7).map(|s| DENSE[s] * numbers[k(s, i)]).sum::<f64>();
                        let other = 1.0 - theta;
                        numbers[z + i * lanes] = y0 + theta * (rise + other * (bow + theta * (skew + other * rest)));
                    }
                    self.set_time(program.times[next_save], start);
                    self.give(&mut frame, 1, next_save, sink, &mut ending);
                    let numbers = self.memory.numbers();
                    for (i, end) in ends.into_iter().enumerate() {
                        numbers[z + i * lanes] = end;
                    }
                    next_save += 1;
                }
                let numbers = self.memory.numbers();
                numbers.copy_within(z..z + stocks * lanes, y);
                at += size;
                let grow = if worst == 0.0 { 5.0 } else { (0.9 * libm::pow(worst, -0.2)).clamp(0.2, 5.0) };
                h = (size * grow).max(h.min(dt)).min(dt);
                if grow < 1.0 {
                    h = size * grow;
                }
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
        };
        self.give_back(frame);
        result.map(|()| vec![ending])
    }
}
