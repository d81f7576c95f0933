//! XMILE queues: batches that wait until what is downstream takes them, first in, first out.
//!
//! Sources: XMILE 1.0 §3.7.3, §4.2.1; Stella's help, "Queue Computation": what a flow delivers in one step is a batch, each
//! inflow its own, the first inflow first; the stock downstream says whether a batch may be split and whether more than
//! one batch may go in a step. What leaves in a step was there when it began (neither text says so; it is what stocks do
//! and keeps the outflow of a step free of its inflow).

use std::collections::VecDeque;

/// A way out of a queue, in order of priority.
#[expect(clippy::struct_excessive_bools, reason = "four independent switches of the XMILE standard")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlet {
    /// At most one batch in a step.
    pub one_at_a_time: bool,
    /// A batch goes whole or not at all.
    pub whole_batches: bool,
    /// Takes only what the way before it had to refuse.
    pub overflow: bool,
    /// What it refuses goes to the next overflow: a conveyor that is full, limited or arrested, but not an oven that cooks.
    pub redirects: bool,
}

impl Default for Outlet {
    /// To a stock or a cloud: takes everything.
    fn default() -> Self {
        Self { one_at_a_time: false, whole_batches: false, overflow: false, redirects: true }
    }
}

/// A queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    batches: VecDeque<f64>,
}

impl Queue {
    /// A queue with given batches, the first to leave first.
    pub fn start(batches: &[f64]) -> Self {
        Self { batches: batches.iter().copied().filter(|&batch| batch > 0.0).collect() }
    }

    /// Everything that waits: the value of the stock.
    pub fn content(&self) -> f64 {
        // From zero: the sum of nothing is minus zero.
        self.batches.iter().fold(0.0, |sum, batch| sum + batch)
    }

    /// The batch at place `k` from one at the front: `queue[k]` of XMILE §3.7.1.3, Stella's `QELEM`.
    pub fn batch(&self, k: usize) -> Option<f64> {
        self.batches.get(k.checked_sub(1)?).copied()
    }

    /// Every batch, the one that leaves first in front.
    pub fn all(&self) -> Vec<f64> {
        self.batches.iter().copied().collect()
    }

    /// How many batches wait.
    pub fn batches(&self) -> usize {
        self.batches.len()
    }

    /// The rate through each outlet in this step, given the most that each may take as a rate.
    pub fn flows(&self, outlets: &[Outlet], rooms: &[f64], dt: f64) -> Vec<f64> {
        let mut batches = self.batches.clone();
        serve(&mut batches, outlets, rooms, dt)
    }

    /// Takes out what [`Queue::flows`] says and puts the inflows in, a batch each.
    pub fn advance(&mut self, outlets: &[Outlet], rooms: &[f64], inflows: &[f64], dt: f64) {
        serve(&mut self.batches, outlets, rooms, dt);
        self.batches.extend(inflows.iter().map(|inflow| inflow * dt).filter(|&batch| batch > 0.0));
    }
}

fn serve(batches: &mut VecDeque<f64>, outlets: &[Outlet], rooms: &[f64], dt: f64) -> Vec<f64> {
    let mut rates = Vec::with_capacity(outlets.len());
    // What the outlets before had to refuse, for those that take overflow.
    let mut refused = 0.0;
    for (outlet, &room) in outlets.iter().zip(rooms) {
        let room = if room.is_nan() { 0.0 } else { room.max(0.0) * dt };
        let mut left = if outlet.overflow { room.min(refused) } else { room };
        // Room that is short of a batch only by rounding takes it whole.
        let slack = 1e-9 * (1.0 + if left.is_finite() { left } else { 0.0 });
        let mut taken = 0.0;
        let mut blocked = false;
        let mut served = 0;
        while let Some(&front) = batches.front() {
            if outlet.one_at_a_time && served == 1 {
                break;
            }
            if front <= left + slack {
                batches.pop_front();
                taken += front;
                left -= front;
                served += 1;
                continue;
            }
            blocked = true;
            if !outlet.whole_batches && left > 0.0 {
                taken += left;
                if let Some(first) = batches.front_mut() {
                    *first -= left;
                }
            }
            break;
        }
        if outlet.overflow {
            refused = (refused - taken).max(0.0);
        } else if blocked && outlet.redirects {
            refused = if outlet.one_at_a_time { batches.front().copied().unwrap_or(0.0) } else { batches.iter().sum() };
        } else {
            refused = 0.0;
        }
        rates.push(taken / dt);
    }
    rates
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FREE: f64 = f64::INFINITY;

    #[test]
    fn an_open_way_empties_the_queue() {
        let outlets = [Outlet::default()];
        let mut queue = Queue::start(&[4.0]);
        assert_eq!(queue.flows(&outlets, &[FREE], 0.5), [8.0]);
        queue.advance(&outlets, &[FREE], &[10.0, 6.0], 0.5);
        assert_eq!((queue.batch(1), queue.batch(2), queue.batch(3)), (Some(5.0), Some(3.0), None));
        assert_eq!(queue.flows(&outlets, &[FREE], 0.5), [16.0]);
    }

    #[test]
    fn batches_go_as_the_downstream_asks() {
        let queue = Queue::start(&[3.0, 2.0, 4.0]);
        let taken = |one_at_a_time, whole_batches, room| {
            queue.flows(&[Outlet { one_at_a_time, whole_batches, ..Outlet::default() }], &[room], 1.0)[0]
        };
        assert_eq!(taken(true, false, 6.0), 3.0);
        assert_eq!(taken(false, false, 6.0), 6.0);
        assert_eq!(taken(false, true, 6.0), 5.0);
        assert_eq!(taken(true, true, 2.0), 0.0);
        assert_eq!(taken(true, false, 2.0), 2.0);
    }

    #[test]
    fn overflow_takes_what_was_refused() {
        let main = Outlet::default();
        let over = Outlet { overflow: true, ..Outlet::default() };
        let queue = Queue::start(&[3.0, 2.0]);
        assert_eq!(queue.flows(&[main, over], &[4.0, FREE], 1.0), [4.0, 1.0]);
        assert_eq!(queue.flows(&[main, over], &[FREE, FREE], 1.0), [5.0, 0.0]);
        // Nothing was refused when the way takes one batch at a time and had room for it.
        let single = Outlet { one_at_a_time: true, ..main };
        assert_eq!(queue.flows(&[single, over], &[9.0, FREE], 1.0), [3.0, 0.0]);
        assert_eq!(queue.flows(&[single, over], &[1.0, FREE], 1.0), [1.0, 2.0]);
        // An oven that cooks makes things wait.
        let oven = Outlet { redirects: false, ..main };
        assert_eq!(queue.flows(&[oven, over], &[0.0, FREE], 1.0), [0.0, 0.0]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            inflows in prop::collection::vec(0.0f64..9.0, 25), rooms in prop::collection::vec(0.0f64..9.0, 25),
            one_at_a_time: bool, whole_batches: bool, overflow: bool, start in 0.0f64..9.0,
        ) {
            let outlets = [
                Outlet { one_at_a_time, whole_batches, ..Outlet::default() },
                Outlet { overflow, ..Outlet::default() },
            ];
            let mut queue = Queue::start(&[start]);
            let mut balance = start;
            for (&inflow, &room) in inflows.iter().zip(&rooms) {
                let limits = [room, 2.0];
                let rates = queue.flows(&outlets, &limits, 0.5);
                prop_assert!(rates.iter().all(|&rate| rate >= 0.0) && rates[0] <= room + 1e-6);
                queue.advance(&outlets, &limits, &[inflow, 1.0], 0.5);
                balance += 0.5 * (inflow + 1.0 - rates[0] - rates[1]);
                prop_assert!((queue.content() - balance).abs() < 1e-9);
            }
        }
    }
}
