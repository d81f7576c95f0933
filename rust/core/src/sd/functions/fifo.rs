//! Vensim's QUEUE FIFO: a level that knows how long each part of it has been there, and the QUEUE AGE functions.
//!
//! Source: vensim.com/documentation/fn_queue_fifo.html, fn_queue_age_average.html, fn_queue_age_in_range.html, fn_queue_age_oldest.html:
//! the first content lies on ages from one step to the age range and one step, in the shape of the profile; a negative
//! inflow is an outflow and the other way round; a queue below zero counts as one entry of the last step.

use std::collections::VecDeque;

use super::clock::Clock;

/// What went in together.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Lot {
    amount: f64,
    age: f64,
}

/// A queue in motion; the oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Fifo {
    lots: VecDeque<Lot>,
    short: f64,
}

impl Fifo {
    /// A queue with a content on ages from one step upwards, with the shape of the profile (flat where it has no area).
    pub fn start(profile: &[(f64, f64)], initial: f64, range: f64, clock: Clock) -> Self {
        let steps = clock.steps(range).max(1);
        let masses = super::lookup::masses(profile, steps);
        let lots = masses
            .iter()
            .enumerate()
            .rev()
            .map(|(k, mass)| Lot { amount: initial * mass, age: (k + 1) as f64 * clock.dt })
            .filter(|lot| lot.amount > 0.0)
            .collect();
        Self { lots, short: initial.min(0.0) }
    }

    /// The value of the level.
    pub fn content(&self) -> f64 {
        self.short + self.lots.iter().map(|lot| lot.amount).sum::<f64>()
    }

    /// Moves by one step.
    pub fn advance(&mut self, inflow: f64, outflow: f64, clock: Clock) {
        let entering = (inflow.max(0.0) + (-outflow).max(0.0)) * clock.dt;
        let mut leaving = (outflow.max(0.0) + (-inflow).max(0.0)) * clock.dt;
        while leaving > 0.0 {
            let Some(front) = self.lots.front_mut() else {
                self.short -= leaving;
                break;
            };
            if front.amount > leaving {
                front.amount -= leaving;
                break;
            }
            leaving -= front.amount;
            self.lots.pop_front();
        }
        for lot in &mut self.lots {
            lot.age += clock.dt;
        }
        // What comes in first fills what is missing.
        let filled = entering.min(-self.short);
        self.short += filled;
        if entering > filled {
            self.lots.push_back(Lot { amount: entering - filled, age: clock.dt });
        }
    }

    /// QUEUE AGE AVERAGE: the mean age of the oldest `quantity`, of everything where that is not above zero or too much.
    pub fn age_average(&self, quantity: f64, clock: Clock) -> f64 {
        let content: f64 = self.lots.iter().map(|lot| lot.amount).sum();
        if self.content() < 0.0 {
            return clock.dt;
        }
        if content <= 0.0 {
            return 0.0;
        }
        let wanted = if quantity > 0.0 { quantity.min(content) } else { content };
        let (mut left, mut sum) = (wanted, 0.0);
        for lot in &self.lots {
            let part = lot.amount.min(left);
            sum += part * lot.age;
            left -= part;
        }
        sum / wanted
    }

    /// QUEUE AGE IN RANGE: how much is at least as old as the one and not older than the other; not a number is no bound.
    pub fn age_in_range(&self, youngest: f64, oldest: f64) -> f64 {
        self.lots
            .iter()
            .filter(|lot| (youngest.is_nan() || lot.age >= youngest) && (oldest.is_nan() || lot.age <= oldest))
            .map(|lot| lot.amount)
            .sum()
    }

    /// QUEUE AGE OLDEST; zero for an empty queue.
    pub fn age_oldest(&self, clock: Clock) -> f64 {
        if self.content() < 0.0 { clock.dt } else { self.lots.front().map_or(0.0, |lot| lot.age) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FLAT: [(f64, f64); 2] = [(0.0, 1.0), (1.0, 1.0)];
    const CLOCK: Clock = Clock { time: 0.0, dt: 1.0 };

    #[test]
    fn the_first_content_has_ages() {
        let queue = Fifo::start(&FLAT, 100.0, 4.0, CLOCK);
        assert_eq!(queue.content(), 100.0);
        assert_eq!(queue.age_oldest(CLOCK), 4.0);
        assert_eq!(queue.age_average(0.0, CLOCK), 2.5);
        assert_eq!(queue.age_average(25.0, CLOCK), 4.0);
        assert_eq!(queue.age_in_range(2.0, 3.0), 50.0);
        assert_eq!(queue.age_in_range(f64::NAN, 1.0), 25.0);
    }

    #[test]
    fn the_oldest_leave_first() {
        let mut queue = Fifo::start(&FLAT, 0.0, 1.0, CLOCK);
        queue.advance(5.0, 0.0, CLOCK);
        queue.advance(3.0, 0.0, CLOCK);
        queue.advance(0.0, 6.0, CLOCK);
        assert_eq!((queue.content(), queue.age_oldest(CLOCK)), (2.0, 2.0));
        // A negative inflow takes out.
        queue.advance(-2.0, -4.0, CLOCK);
        assert_eq!((queue.content(), queue.age_oldest(CLOCK)), (4.0, 1.0));
    }

    #[test]
    fn a_queue_below_zero_is_young() {
        let mut queue = Fifo::start(&FLAT, 1.0, 1.0, CLOCK);
        queue.advance(0.0, 3.0, CLOCK);
        assert_eq!((queue.content(), queue.age_average(0.0, CLOCK)), (-2.0, 1.0));
        queue.advance(5.0, 0.0, CLOCK);
        assert_eq!(queue.content(), 3.0);
    }

    proptest! {
        #[test]
        fn it_is_a_level(flows in prop::collection::vec((-9.0f64..9.0, -9.0f64..9.0), 30), initial in -5.0f64..20.0) {
            let clock = Clock { time: 0.0, dt: 0.25 };
            let mut queue = Fifo::start(&FLAT, initial, 3.0, clock);
            let mut level = initial;
            for (inflow, outflow) in flows {
                queue.advance(inflow, outflow, clock);
                level += 0.25 * (inflow - outflow);
                prop_assert!((queue.content() - level).abs() < 1e-9);
            }
        }
    }
}
