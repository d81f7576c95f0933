//! Vensim's DELAY CONVEYOR: a belt whose speed follows the conveyance time, with leakage along all of it.
//!
//! Sources: vensim.com/documentation/fn_delay_conveyor.html (the leakage of a step is the leak rate times what is on the belt
//! after the outflow and the inflow of the step), mgu09_initialization_of_conveyors.html (the profile says how the first
//! material comes out, scaled to the total and to the time).

use super::clock::Clock;
use super::lookup::masses;

/// Material that lies evenly on a stretch of the belt; zero is the entry, one the end.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Lot {
    amount: f64,
    front: f64,
    width: f64,
}

impl Lot {
    /// The part of the lot beyond a place.
    fn beyond(&self, place: f64) -> f64 {
        if self.front <= place {
            0.0
        } else if self.width <= 0.0 {
            1.0
        } else {
            ((self.front - place) / self.width).min(1.0)
        }
    }
}

/// A belt in motion.
#[derive(Clone, Debug, PartialEq)]
pub struct Belt {
    lots: Vec<Lot>,
}

impl Belt {
    /// A belt with a total that will come out over the first conveyance time as the profile says (a profile without area is flat).
    pub fn start(profile: &[(f64, f64)], total: f64, time: f64, clock: Clock) -> Self {
        let steps = clock.steps(time).max(1);
        let width = 1.0 / steps as f64;
        let lots = masses(profile, steps)
            .into_iter()
            .enumerate()
            .map(|(k, share)| Lot { amount: total * share, front: 1.0 - k as f64 * width, width })
            .collect();
        Self { lots }
    }

    /// Everything on the belt.
    pub fn content(&self) -> f64 {
        self.lots.iter().map(|lot| lot.amount).sum()
    }

    /// What comes off in this step, as a rate.
    pub fn value(&self, time: f64, clock: Clock) -> f64 {
        let end = 1.0 - stride(time, clock);
        self.lots.iter().fold(0.0, |sum, lot| sum + lot.amount * lot.beyond(end)) / clock.dt
    }

    /// Moves by one step; gives what leaked in it, as a rate.
    pub fn advance(&mut self, input: f64, time: f64, leak: f64, clock: Clock) -> f64 {
        let stride = stride(time, clock);
        let end = 1.0 - stride;
        self.lots.retain_mut(|lot| {
            let part = lot.beyond(end);
            if part >= 1.0 {
                return false;
            }
            if part > 0.0 {
                lot.amount *= 1.0 - part;
                lot.width *= 1.0 - part;
                lot.front = end;
            }
            lot.front += stride;
            true
        });
        self.lots.push(Lot { amount: input * clock.dt, front: stride, width: stride });
        let kept = 1.0 - (leak * clock.dt).clamp(0.0, 1.0);
        let leaked = self.content() * (1.0 - kept) / clock.dt;
        if kept < 1.0 {
            for lot in &mut self.lots {
                lot.amount *= kept;
            }
        }
        leaked
    }
}

/// How far the belt moves in a step: the whole of it at most. Rounded to a whole fraction where it is one but for
/// rounding, so that a constant time makes a fixed delay to the last bit.
fn stride(time: f64, clock: Clock) -> f64 {
    let steps = time / clock.dt;
    if steps.is_nan() || steps <= 1.0 {
        return 1.0;
    }
    let whole = steps.round();
    if (steps - whole).abs() < 1e-9 * whole { 1.0 / whole } else { 1.0 / steps }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FLAT: [(f64, f64); 2] = [(0.0, 1.0), (1.0, 1.0)];

    #[test]
    fn a_constant_time_is_a_fixed_delay() {
        let clock = Clock { time: 0.0, dt: 0.5 };
        let mut belt = Belt::start(&FLAT, 12.0, 3.0, clock);
        for step in 0..20 {
            // Twelve over three is four a unit of time until the input of time zero arrives.
            let expected = if step < 6 { 4.0 } else { f64::from(step - 6) };
            // The places of six lots on the belt are sums of sixths.
            assert!((belt.value(3.0, clock) - expected).abs() < 1e-9, "{step}: {}", belt.value(3.0, clock));
            belt.advance(f64::from(step), 3.0, 0.0, clock);
        }
    }

    #[test]
    fn the_profile_comes_out_as_it_is_drawn() {
        let clock = Clock { time: 0.0, dt: 1.0 };
        let rising = [(0.0, 0.0), (4.0, 8.0)];
        let mut belt = Belt::start(&rising, 32.0, 4.0, clock);
        for expected in [2.0, 6.0, 10.0, 14.0, 0.0] {
            assert!((belt.value(4.0, clock) - expected).abs() < 1e-9);
            belt.advance(0.0, 4.0, 0.0, clock);
        }
    }

    #[test]
    fn a_faster_belt_lets_out_more() {
        let clock = Clock { time: 0.0, dt: 0.5 };
        let belt = Belt::start(&FLAT, 12.0, 3.0, clock);
        assert!((belt.value(1.5, clock) - 8.0).abs() < 1e-9);
    }

    #[test]
    fn leakage_is_what_the_manual_computes() {
        // total leakage = leak·(convey total + dt·(input − convey out))
        let clock = Clock { time: 0.0, dt: 0.25 };
        let mut belt = Belt::start(&FLAT, 50.0, 5.0, clock);
        for step in 0..40 {
            let (total, out, input) = (belt.content(), belt.value(5.0, clock), f64::from(step % 7));
            let leaked = belt.advance(input, 5.0, 0.1, clock);
            assert!((leaked - 0.1 * (total + 0.25 * (input - out))).abs() < 1e-9);
            assert!((belt.content() - (total + 0.25 * (input - out - leaked))).abs() < 1e-9);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            inputs in prop::collection::vec(0.0f64..9.0, 40), times in prop::collection::vec(0.2f64..6.0, 40), leak in 0.0f64..1.0,
        ) {
            let clock = Clock { time: 0.0, dt: 0.5 };
            let mut belt = Belt::start(&FLAT, 20.0, 3.0, clock);
            let mut balance = belt.content();
            prop_assert!((balance - 20.0).abs() < 1e-9);
            for (&input, &time) in inputs.iter().zip(&times) {
                let out = belt.value(time, clock);
                let leaked = belt.advance(input, time, leak, clock);
                balance += 0.5 * (input - out - leaked);
                prop_assert!((belt.content() - balance).abs() < 1e-9);
            }
        }
    }
}
