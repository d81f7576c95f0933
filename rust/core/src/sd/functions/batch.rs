//! Vensim's DELAY BATCH: a stream is collected, worked on in batches one at a time, and let out in one step each.
//!
//! Source: vensim.com/documentation/fn_delay_batch.html.

use super::clock::Clock;

/// A batch process in motion.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    backlog: f64,
    /// The rate at which the batch in process will come out, and in how many steps.
    process: Option<(f64, usize)>,
}

impl Batch {
    /// A process with a first batch that comes out as `batch` (a rate) at a time, and something waiting to be worked on.
    pub fn start(batch: f64, batch_time: f64, backlog: f64, clock: Clock) -> Self {
        let process = (batch > 0.0).then(|| (batch, clock.steps(batch_time - clock.time)));
        Self { backlog, process }
    }

    /// What comes out in this step, as a rate; zero while no batch is finished.
    pub fn value(&self) -> f64 {
        match self.process {
            Some((rate, 0)) => rate,
            _ => 0.0,
        }
    }

    /// Everything that is inside, with the batch in process.
    pub fn content(&self, dt: f64) -> f64 {
        self.backlog + self.process.map_or(0.0, |(rate, _)| rate * dt)
    }

    /// Moves by one step. A batch begins when its size is there and no other is in process; its time is read then.
    pub fn advance(&mut self, input: f64, size: f64, time: f64, clock: Clock) {
        self.process = match self.process {
            Some((_, 0)) | None => None,
            Some((rate, left)) => Some((rate, left - 1)),
        };
        self.backlog += input * clock.dt;
        // Collected but for rounding is collected; a batch of nothing never begins.
        if self.process.is_none() && size > 0.0 && self.backlog >= size * (1.0 - 1e-12) {
            self.backlog -= size;
            self.process = Some((size / clock.dt, clock.steps(time).max(1) - 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn batches_come_out_one_after_the_other() {
        let clock = |step: u32| Clock { time: f64::from(step), dt: 1.0 };
        // DELAY BATCH(60, 100, 3, 100, 2, 20), after the manual's example.
        let mut batch = Batch::start(100.0, 2.0, 20.0, clock(0));
        let mut out = Vec::new();
        for step in 0..10 {
            out.push(batch.value());
            batch.advance(60.0, 100.0, 3.0, clock(step));
        }
        // The first is out at 2; the next begins in that step and is out three later.
        assert_eq!(out, [0.0, 0.0, 100.0, 0.0, 0.0, 100.0, 0.0, 0.0, 100.0, 0.0]);
    }

    #[test]
    fn a_first_batch_that_is_due_comes_out_at_once() {
        assert_eq!(Batch::start(7.0, -3.0, 0.0, Clock { time: 0.0, dt: 0.5 }).value(), 7.0);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            inputs in prop::collection::vec(0.0f64..9.0, 40), size in 0.5f64..20.0, time in 0.1f64..4.0, backlog in 0.0f64..9.0,
        ) {
            let dt = 0.5;
            let mut batch = Batch::start(3.0, 1.0, backlog, Clock { time: 0.0, dt });
            let mut balance = backlog + 3.0 * dt;
            for (step, &input) in inputs.iter().enumerate() {
                balance += dt * (input - batch.value());
                batch.advance(input, size, time, Clock { time: dt * step as f64, dt });
                prop_assert!((batch.content(dt) - balance).abs() < 1e-9);
            }
        }
    }
}
