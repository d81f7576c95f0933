//! Vensim's QUEUE FIFO: a level that knows how long each part of it has been there, and the QUEUE AGE functions.
//!
//! Source: vensim.com/documentation/fn_queue_fifo.html, fn_queue_age_average.html, fn_queue_age_in_range.html, fn_queue_age_oldest.html:
//! fn_queue_fifo_attrib.html and fn_queue_attrib_*.html (what comes in has an attribute, which changes at a rate in the step in
//! which it comes in as in all others):
//! the first content lies on ages from one step to the age range and one step, in the shape of the profile; a negative
//! inflow is an outflow and the other way round; a queue below zero counts as one entry of the last step.

use std::collections::VecDeque;

use super::clock::Clock;

/// What went in together.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Lot {
    amount: f64,
    age: f64,
    attribute: f64,
}

/// A queue in motion; the oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Fifo {
    lots: VecDeque<Lot>,
    short: f64,
}

impl Fifo {
    /// A queue with a content on ages from one step upwards, with the shape of the profile (flat where it has no area). The
    /// attribute is the second number of `attributes` times its profile over the ages (whose arguments are scaled to the range).
    pub fn start(
        profile: &[(f64, f64)],
        attributes: (&[(f64, f64)], f64),
        initial: f64,
        range: f64,
        clock: Clock,
    ) -> Self {
        let steps = clock.steps(range).max(1);
        let masses = super::lookup::masses(profile, steps);
        let lots = masses
            .iter()
            .enumerate()
            .rev()
            .map(|(k, mass)| Lot {
                amount: initial * mass,
                age: (k + 1) as f64 * clock.dt,
                attribute: attributes.1 * across(attributes.0, (k as f64 + 0.5) / steps as f64),
            })
            .filter(|lot| lot.amount > 0.0)
            .collect();
        Self { lots, short: if initial < 0.0 { initial } else { 0.0 } }
    }

    /// The value of the level.
    pub fn content(&self) -> f64 {
        self.lots.iter().fold(self.short, |sum, lot| sum + lot.amount)
    }

    /// Moves by one step; what comes in has the attribute, and all attributes change at a rate.
    pub fn advance(&mut self, inflow: f64, outflow: f64, attribute: f64, change: f64, clock: Clock) {
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
            self.lots.push_back(Lot { amount: entering - filled, age: clock.dt, attribute });
        }
        for lot in &mut self.lots {
            lot.attribute += change * clock.dt;
        }
    }

    /// QUEUE ATTRIB AVERAGE: the mean attribute of the oldest `quantity`, of everything where that is not above zero or too
    /// much; zero for an empty queue.
    pub fn attribute_average(&self, quantity: f64) -> f64 {
        self.mean_of_oldest(quantity, |lot| lot.attribute)
    }

    /// QUEUE ATTRIB IN RANGE: how much has an attribute from the one to the other; not a number is no bound.
    pub fn attribute_in_range(&self, least: f64, most: f64) -> f64 {
        self.amount_between(least, most, |lot| lot.attribute)
    }

    /// QUEUE ATTRIB MIN and QUEUE ATTRIB MAX; zero for an empty queue.
    pub fn attribute_extreme(&self, most: bool) -> f64 {
        let all = self.lots.iter().map(|lot| lot.attribute);
        let found = if most { all.reduce(f64::max) } else { all.reduce(f64::min) };
        found.unwrap_or(0.0)
    }

    /// QUEUE ATTRIB QUANTITY: so much of the oldest that amount times attribute makes `total`; everything where it is too little.
    pub fn attribute_quantity(&self, total: f64) -> f64 {
        let (mut left, mut sum) = (total, 0.0);
        for lot in &self.lots {
            let load = lot.amount * lot.attribute;
            if load > left {
                return sum + (left / lot.attribute).max(0.0);
            }
            left -= load;
            sum += lot.amount;
        }
        sum
    }

    /// QUEUE AGE AVERAGE: the mean age of the oldest `quantity`, of everything where that is not above zero or too much.
    pub fn age_average(&self, quantity: f64, clock: Clock) -> f64 {
        if self.content() < 0.0 { clock.dt } else { self.mean_of_oldest(quantity, |lot| lot.age) }
    }

    /// QUEUE AGE IN RANGE: how much is at least as old as the one and not older than the other; not a number is no bound.
    pub fn age_in_range(&self, youngest: f64, oldest: f64) -> f64 {
        self.amount_between(youngest, oldest, |lot| lot.age)
    }

    /// QUEUE AGE OLDEST; zero for an empty queue.
    pub fn age_oldest(&self, clock: Clock) -> f64 {
        if self.content() < 0.0 { clock.dt } else { self.lots.front().map_or(0.0, |lot| lot.age) }
    }

    /// The mean of a property of the oldest `quantity`, of everything where that is not above zero or too much; zero for
    /// an empty queue.
    fn mean_of_oldest(&self, quantity: f64, property: impl Fn(&Lot) -> f64) -> f64 {
        let content: f64 = self.lots.iter().map(|lot| lot.amount).sum();
        if content <= 0.0 {
            return 0.0;
        }
        let wanted = if quantity > 0.0 { quantity.min(content) } else { content };
        let (mut left, mut sum) = (wanted, 0.0);
        for lot in &self.lots {
            let part = lot.amount.min(left);
            sum += part * property(lot);
            left -= part;
        }
        sum / wanted
    }

    /// How much has a property from the one to the other; not a number is no bound.
    fn amount_between(&self, least: f64, most: f64, property: impl Fn(&Lot) -> f64) -> f64 {
        let within = |value: f64| (least.is_nan() || value >= least) && (most.is_nan() || value <= most);
        self.lots.iter().filter(|lot| within(property(lot))).map(|lot| lot.amount).sum()
    }
}

/// A profile read at a fraction of its width; one where there is none.
fn across(profile: &[(f64, f64)], fraction: f64) -> f64 {
    match (profile.first(), profile.last()) {
        (Some(first), Some(last)) => super::lookup::value(profile, first.0 + fraction * (last.0 - first.0), false),
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FLAT: [(f64, f64); 2] = [(0.0, 1.0), (1.0, 1.0)];
    const NONE: (&[(f64, f64)], f64) = (&[], 0.0);
    const CLOCK: Clock = Clock { time: 0.0, dt: 1.0 };

    #[test]
    fn the_first_content_has_ages() {
        let queue = Fifo::start(&FLAT, NONE, 100.0, 4.0, CLOCK);
        assert_eq!(queue.content(), 100.0);
        assert_eq!(queue.age_oldest(CLOCK), 4.0);
        assert_eq!(queue.age_average(0.0, CLOCK), 2.5);
        assert_eq!(queue.age_average(25.0, CLOCK), 4.0);
        assert_eq!(queue.age_in_range(2.0, 3.0), 50.0);
        assert_eq!(queue.age_in_range(f64::NAN, 1.0), 25.0);
    }

    #[test]
    fn the_oldest_leave_first() {
        let mut queue = Fifo::start(&FLAT, NONE, 0.0, 1.0, CLOCK);
        queue.advance(5.0, 0.0, 0.0, 0.0, CLOCK);
        queue.advance(3.0, 0.0, 0.0, 0.0, CLOCK);
        queue.advance(0.0, 6.0, 0.0, 0.0, CLOCK);
        assert_eq!((queue.content(), queue.age_oldest(CLOCK)), (2.0, 2.0));
        // A negative inflow takes out.
        queue.advance(-2.0, -4.0, 0.0, 0.0, CLOCK);
        assert_eq!((queue.content(), queue.age_oldest(CLOCK)), (4.0, 1.0));
    }

    #[test]
    fn a_queue_below_zero_is_young() {
        let mut queue = Fifo::start(&FLAT, NONE, 1.0, 1.0, CLOCK);
        queue.advance(0.0, 3.0, 0.0, 0.0, CLOCK);
        assert_eq!((queue.content(), queue.age_average(0.0, CLOCK)), (-2.0, 1.0));
        queue.advance(5.0, 0.0, 0.0, 0.0, CLOCK);
        assert_eq!(queue.content(), 3.0);
    }

    #[test]
    fn attributes_come_in_and_change() {
        // As the manual: one comes in at 10 with the attribute 7, which changes by 2 a unit of time; a step is 0.5.
        let clock = Clock { time: 10.0, dt: 0.5 };
        let mut queue = Fifo::start(&FLAT, NONE, 0.0, 1.0, clock);
        queue.advance(2.0, 0.0, 7.0, 2.0, clock);
        assert_eq!(queue.attribute_average(0.0), 8.0);
        queue.advance(6.0, 0.0, 1.0, 2.0, clock);
        assert_eq!((queue.attribute_extreme(true), queue.attribute_extreme(false)), (9.0, 2.0));
        // One with nine and three with two.
        assert_eq!((queue.attribute_average(0.0), queue.attribute_average(1.0)), (15.0 / 4.0, 9.0));
        assert_eq!((queue.attribute_in_range(2.0, 5.0), queue.attribute_in_range(f64::NAN, f64::NAN)), (3.0, 4.0));
        assert_eq!([0.0, 4.5, 11.0, 15.0, 99.0].map(|load| queue.attribute_quantity(load)), [0.0, 0.5, 2.0, 4.0, 4.0]);
    }

    #[test]
    fn the_first_attributes_follow_their_profile() {
        let rising = [(0.0, 0.0), (10.0, 2.0)];
        let queue = Fifo::start(&FLAT, (&rising, 8.0), 100.0, 4.0, CLOCK);
        // Four ages: the middles of quarters of the range, 0.25, 0.75, 1.25 and 1.75 times eight.
        assert_eq!((queue.attribute_extreme(false), queue.attribute_extreme(true)), (2.0, 14.0));
        assert_eq!(queue.attribute_average(25.0), 14.0);
    }

    proptest! {
        #[test]
        fn it_is_a_level(flows in prop::collection::vec((-9.0f64..9.0, -9.0f64..9.0), 30), initial in -5.0f64..20.0) {
            let clock = Clock { time: 0.0, dt: 0.25 };
            let mut queue = Fifo::start(&FLAT, NONE, initial, 3.0, clock);
            let mut level = initial;
            for (inflow, outflow) in flows {
                queue.advance(inflow, outflow, 0.0, 0.0, clock);
                level += 0.25 * (inflow - outflow);
                prop_assert!((queue.content() - level).abs() < 1e-9);
            }
        }
    }
}
