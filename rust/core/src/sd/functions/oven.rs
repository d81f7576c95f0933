//! Stella's ovens: fill, close the door, cook, unload everything at once, clean.
//!
//! Source: Stella's help, "Oven Computation". Times are read when their phase begins and rounded to the nearest step.

use super::clock::Clock;

/// What may change from step to step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Controls {
    /// How long the door stays closed.
    pub cook_time: f64,
    /// Cooking begins when this much is inside; infinite: no limit.
    pub capacity: f64,
    /// Cooking begins so long after the first material came in; not a number: no limit. Without capacity and fill time
    /// the oven fills for one step.
    pub fill_time: f64,
    /// How long the oven stays empty after unloading.
    pub clean_time: f64,
    /// Not zero: everything stands still.
    pub arrest: f64,
    /// Not zero: the cook time is read anew.
    pub sample: f64,
    /// Not zero: the oven cannot unload, because what is behind it stands still.
    pub hold: f64,
}

/// What the oven does: the values of Stella's `OSTATE` in order (the help names four states).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    Filling { left: Option<usize> },
    Cooking { left: usize },
    Cleaning { left: usize },
}

/// The flows of a step, as rates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flows {
    /// What is unloaded.
    pub exit: f64,
    /// The most that may enter.
    pub room: f64,
    /// 0 empty, 1 filling, 2 cooking, 3 cleaning.
    pub state: f64,
}

/// An oven.
#[derive(Clone, Debug, PartialEq)]
pub struct Oven {
    content: f64,
    cook_time: f64,
    phase: Phase,
}

impl Oven {
    /// An oven that begins to cook what it holds at the start, or waits to be filled.
    pub fn start(content: f64, controls: &Controls, clock: Clock) -> Self {
        let phase = if content > 0.0 { Phase::Cooking { left: clock.steps(controls.cook_time) } } else { Phase::Idle };
        Self { content: content.max(0.0), cook_time: controls.cook_time, phase }
    }

    /// What is inside: the value of the stock.
    pub fn content(&self) -> f64 {
        self.content
    }

    /// The flows of the step that begins now.
    pub fn flows(&self, controls: &Controls, clock: Clock) -> Flows {
        let state = match self.phase {
            Phase::Idle => 0.0,
            Phase::Filling { .. } => 1.0,
            Phase::Cooking { .. } => 2.0,
            Phase::Cleaning { .. } => 3.0,
        };
        if controls.arrest != 0.0 {
            return Flows { exit: 0.0, room: 0.0, state };
        }
        let (exit, room) = match self.phase {
            Phase::Idle | Phase::Filling { .. } => (0.0, ((controls.capacity - self.content) / clock.dt).max(0.0)),
            Phase::Cooking { left: 0 } if controls.hold == 0.0 => (self.content / clock.dt, 0.0),
            Phase::Cooking { .. } | Phase::Cleaning { .. } => (0.0, 0.0),
        };
        Flows { exit, room, state }
    }

    /// Moves by one step, with the inflow that was let in.
    pub fn advance(&mut self, controls: &Controls, inflow: f64, clock: Clock) {
        if controls.arrest != 0.0 {
            return;
        }
        if controls.sample != 0.0 {
            self.cook_time = controls.cook_time;
        }
        match self.phase {
            Phase::Idle | Phase::Filling { .. } => {
                self.content += inflow * clock.dt;
                if self.content <= 0.0 {
                    return;
                }
                let left = match self.phase {
                    Phase::Filling { left } => left,
                    _ if controls.fill_time.is_nan() && controls.capacity == f64::INFINITY => Some(1),
                    _ if controls.fill_time.is_nan() => None,
                    _ => Some(clock.steps(controls.fill_time).max(1)),
                };
                let left = left.map(|left| left - 1);
                // Full but for rounding is full.
                let full = self.content >= controls.capacity * (1.0 - 1e-12);
                self.phase = if full || left == Some(0) {
                    Phase::Cooking { left: clock.steps(self.cook_time) }
                } else {
                    Phase::Filling { left }
                };
            }
            Phase::Cooking { left: 0 } if controls.hold != 0.0 => {}
            Phase::Cooking { left: 0 } => {
                self.content = 0.0;
                let left = clock.steps(controls.clean_time);
                self.phase = if left == 0 { Phase::Idle } else { Phase::Cleaning { left } };
            }
            Phase::Cooking { left } => self.phase = Phase::Cooking { left: left - 1 },
            Phase::Cleaning { left } => {
                self.phase = if left <= 1 { Phase::Idle } else { Phase::Cleaning { left: left - 1 } };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONTROLS: Controls = Controls {
        cook_time: 2.0,
        capacity: 6.0,
        fill_time: f64::NAN,
        clean_time: 0.0,
        arrest: 0.0,
        sample: 1.0,
        hold: 0.0,
    };

    fn exits(controls: Controls, inflow: f64, steps: u32, dt: f64) -> Vec<(f64, f64)> {
        let mut oven = Oven::start(0.0, &controls, Clock { time: 0.0, dt });
        let mut out = Vec::new();
        for step in 0..steps {
            let clock = Clock { time: f64::from(step) * dt, dt };
            let flows = oven.flows(&controls, clock);
            if flows.exit > 0.0 {
                out.push((clock.time, flows.exit * dt));
            }
            oven.advance(&controls, inflow.min(flows.room), clock);
        }
        out
    }

    #[test]
    fn a_full_oven_cooks_and_unloads_at_once() {
        // Two a step fill six by t = 3, cooked until t = 5, unloaded in that step; the next round begins at t = 6.
        assert_eq!(exits(CONTROLS, 2.0, 20, 1.0), [(5.0, 6.0), (11.0, 6.0), (17.0, 6.0)]);
    }

    #[test]
    fn cleaning_keeps_the_oven_empty() {
        assert_eq!(exits(Controls { clean_time: 3.0, ..CONTROLS }, 2.0, 20, 1.0), [(5.0, 6.0), (14.0, 6.0)]);
    }

    #[test]
    fn the_fill_time_closes_the_door_on_what_is_there() {
        let controls = Controls { capacity: f64::INFINITY, fill_time: 1.0, ..CONTROLS };
        assert_eq!(exits(controls, 2.0, 8, 0.5), [(3.0, 2.0)]);
        // Without both it fills for one step.
        let controls = Controls { capacity: f64::INFINITY, ..CONTROLS };
        assert_eq!(exits(controls, 2.0, 4, 1.0), [(3.0, 2.0)]);
    }

    #[test]
    fn an_arrested_oven_stands_still() {
        let clock = Clock { time: 0.0, dt: 1.0 };
        let mut oven = Oven::start(6.0, &CONTROLS, clock);
        let stopped = Controls { arrest: 1.0, ..CONTROLS };
        for _ in 0..9 {
            oven.advance(&stopped, 0.0, clock);
        }
        oven.advance(&CONTROLS, 0.0, clock);
        oven.advance(&CONTROLS, 0.0, clock);
        assert_eq!(oven.flows(&CONTROLS, clock).exit, 6.0);
        assert_eq!(oven.flows(&CONTROLS, clock).state, 2.0);
    }

    #[test]
    fn an_oven_that_cannot_unload_waits_and_keeps_what_it_sampled() {
        let clock = Clock { time: 0.0, dt: 1.0 };
        let mut oven = Oven::start(6.0, &CONTROLS, clock);
        let held = Controls { hold: 1.0, sample: 0.0, cook_time: 9.0, ..CONTROLS };
        for _ in 0..5 {
            assert_eq!(oven.flows(&held, clock).exit, 0.0);
            oven.advance(&held, 0.0, clock);
        }
        assert_eq!(oven.flows(&CONTROLS, clock).exit, 6.0);
        let free = Controls { hold: 0.0, ..held };
        oven.advance(&free, 0.0, clock);
        oven.advance(&free, 6.0, clock);
        for _ in 0..2 {
            assert_eq!(oven.flows(&free, clock).exit, 0.0);
            oven.advance(&free, 0.0, clock);
        }
        assert_eq!(oven.flows(&free, clock).exit, 6.0);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            inflows in prop::collection::vec(0.0f64..5.0, 40), cook in 0.0f64..3.0, clean in 0.0f64..2.0,
            capacity in 1.0f64..9.0, fill in 0.2f64..4.0, content in 0.0f64..4.0,
        ) {
            let controls = Controls { cook_time: cook, capacity, fill_time: fill, clean_time: clean, arrest: 0.0, sample: 1.0, hold: 0.0 };
            let mut oven = Oven::start(content, &controls, Clock { time: 0.0, dt: 0.5 });
            let mut balance = content;
            for (step, &inflow) in inflows.iter().enumerate() {
                let clock = Clock { time: 0.5 * step as f64, dt: 0.5 };
                let flows = oven.flows(&controls, clock);
                let inflow = inflow.min(flows.room);
                oven.advance(&controls, inflow, clock);
                balance += 0.5 * (inflow - flows.exit);
                prop_assert!((oven.content() - balance).abs() < 1e-9);
                prop_assert!(oven.content() <= capacity.max(content) + 1e-9);
            }
        }
    }
}
