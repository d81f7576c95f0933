//! Vensim's DELAY MATERIAL and DELAY INFORMATION: fixed delays whose time may change.
//!
//! Sources: vensim.com/documentation/fn_delay_material.html: like DELAY FIXED; what arrives at one time is added, and a
//! given value stands where nothing arrives. DELAY INFORMATION, its sister for what is not conserved: what arrives later replaces what is older,
//! and the last value stands where nothing arrives.

use std::collections::VecDeque;

use super::clock::Clock;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Adds what arrives together; nothing is lost.
    Material,
    /// The latest news replaces what was on its way behind it.
    Information,
}

/// A delay in motion.
#[derive(Clone, Debug, PartialEq)]
pub struct Delay {
    kind: Kind,
    coming: VecDeque<Option<f64>>,
    last: f64,
}

impl Delay {
    /// A delay that gives `initial` until what goes in now comes out.
    pub fn start(kind: Kind, initial: f64, delay_time: f64, clock: Clock) -> Self {
        let steps = clock.steps_up(delay_time).max(1);
        Self { kind, coming: std::iter::repeat_n(Some(initial), steps).collect(), last: initial }
    }

    /// What comes out in this step; `missing` where nothing arrives.
    pub fn value(&self, missing: f64) -> f64 {
        match (self.coming.front().copied().flatten(), self.kind) {
            (Some(value), _) => value,
            (None, Kind::Material) => missing,
            (None, Kind::Information) => self.last,
        }
    }

    /// Moves by one step; what goes in now comes out after the delay time of now, one step at least.
    pub fn advance(&mut self, input: f64, delay_time: f64, clock: Clock) {
        if let Some(Some(value)) = self.coming.pop_front() {
            self.last = value;
        }
        let place = clock.steps_up(delay_time).max(1) - 1;
        if self.coming.len() <= place {
            self.coming.resize(place + 1, None);
        }
        match self.kind {
            Kind::Material => {
                let there = self.coming[place].unwrap_or(0.0);
                self.coming[place] = Some(there + input);
            }
            Kind::Information => {
                self.coming.truncate(place + 1);
                self.coming[place] = Some(input);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(kind: Kind, times: &[f64]) -> Vec<f64> {
        let clock = Clock { time: 0.0, dt: 1.0 };
        let mut delay = Delay::start(kind, -1.0, times[0], clock);
        times
            .iter()
            .enumerate()
            .map(|(step, &time)| {
                let value = delay.value(0.0);
                delay.advance(step as f64, time, clock);
                value
            })
            .collect()
    }

    #[test]
    fn a_constant_time_is_a_fixed_delay() {
        for kind in [Kind::Material, Kind::Information] {
            assert_eq!(run(kind, &[3.0; 7]), [-1.0, -1.0, -1.0, 0.0, 1.0, 2.0, 3.0]);
        }
    }

    #[test]
    fn a_falling_time_adds_material_and_replaces_information() {
        // What went in at 0 with time 3 and at 1 with time 2 arrives at 3.
        let times = [3.0, 2.0, 2.0, 2.0, 2.0];
        assert_eq!(run(Kind::Material, &times), [-1.0, -1.0, -1.0, 1.0, 2.0]);
        let times = [3.0, 3.0, 1.0, 1.0, 1.0, 1.0];
        assert_eq!(run(Kind::Material, &times), [-1.0, -1.0, -1.0, 2.0, 1.0 + 3.0, 4.0]);
        assert_eq!(run(Kind::Information, &times), [-1.0, -1.0, -1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn a_rising_time_leaves_a_gap() {
        let times = [1.0, 1.0, 3.0, 3.0, 3.0, 3.0];
        assert_eq!(run(Kind::Material, &times), [-1.0, 0.0, 1.0, 0.0, 0.0, 2.0]);
        assert_eq!(run(Kind::Information, &times), [-1.0, 0.0, 1.0, 1.0, 1.0, 2.0]);
    }

    proptest! {
        #[test]
        fn material_is_not_lost(inputs in prop::collection::vec(0.0f64..9.0, 20), times in prop::collection::vec(0.1f64..6.0, 20)) {
            let clock = Clock { time: 0.0, dt: 0.5 };
            let mut delay = Delay::start(Kind::Material, 0.0, 2.0, clock);
            let mut out = 0.0;
            for (&input, &time) in inputs.iter().zip(&times) {
                out += delay.value(0.0);
                delay.advance(input, time, clock);
            }
            for _ in 0..20 {
                out += delay.value(0.0);
                delay.advance(0.0, 0.5, clock);
            }
            prop_assert!((out - inputs.iter().sum::<f64>()).abs() < 1e-9);
        }
    }
}
