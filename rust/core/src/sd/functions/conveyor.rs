//! XMILE conveyors: what enters leaves after the transit time, less what leaks on the way.
//!
//! Sources: XMILE 1.0 §3.7.2, §4.2.1; Stella's help, "Traditional Conveyor Computation" (slats of one step, placement by
//! the transit time at entry, leakage by the transit time at entry); "Steady-State Initialization of Conveyors" (isee
//! systems, 2010), whose totals the initial belt has; Stella's help, "Equation tab" (capacity, inflow limit, arrest).
//!
//! A conveyor is asked for its flows at the start of a step ([`Conveyor::flows`]), which depend on what is on it and not on
//! what enters in the step; the inflow that is let in follows from the room; then it moves ([`Conveyor::advance`]).

use super::clock::Clock;

/// A leakage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leak {
    /// Where the zone begins and ends, as fractions of the way from the entry.
    pub zone: (f64, f64),
    /// Only whole units leak; the rest waits until it makes one.
    pub integers: bool,
}

/// What does not change during a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The leakages in order of priority.
    pub leaks: Vec<Leak>,
    /// A leak takes the fraction of what is there each unit of time; without this, the fraction of what entered in equal
    /// parts over the zone.
    pub exponential: bool,
    /// The inflow limit is a budget for each unit of time, free to be used in one step.
    pub discrete: bool,
}

/// What may change from step to step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Controls<'a> {
    /// How long what enters now will stay.
    pub transit_time: f64,
    /// The most that the conveyor holds; infinite: no limit.
    pub capacity: f64,
    /// The most that enters in a unit of time; infinite: no limit.
    pub inflow_limit: f64,
    /// Not zero: the transit time is read anew.
    pub sample: f64,
    /// Not zero: everything stands still.
    pub arrest: f64,
    /// The fraction of each leakage.
    pub fractions: &'a [f64],
}

/// The flows of a step, as rates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flows {
    /// Off the end.
    pub exit: f64,
    /// Through each leakage.
    pub leaks: Vec<f64>,
    /// The most that may enter; infinite: no limit.
    pub room: f64,
}

/// What entered together and leaves together.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Lot {
    amount: f64,
    entered: f64,
    steps: u32,
    left: u32,
}

/// The part of a step, counted as the steps that are `left` of all, that lies in a zone, as a fraction of the zone.
pub(crate) fn share(steps: u32, left: u32, zone: (f64, f64)) -> f64 {
    let length = zone.1 - zone.0;
    if length <= 0.0 {
        return 0.0;
    }
    let n = f64::from(steps);
    let from = f64::from(steps - left) / n;
    let to = f64::from(steps - left + 1) / n;
    (to.min(zone.1) - from.max(zone.0)).max(0.0) / length
}

impl Lot {
    fn share(&self, zone: (f64, f64)) -> f64 {
        share(self.steps, self.left, zone)
    }
}

/// A conveyor in motion.
#[derive(Clone, Debug, PartialEq)]
pub struct Conveyor {
    lots: Vec<Lot>,
    transit: f64,
    pending: Vec<f64>,
    admitted: f64,
    unit: f64,
}

impl Conveyor {
    /// A conveyor that holds `content` in a steady state: spread evenly without leakage, falling towards the end with it.
    pub fn start(options: &Options, content: f64, transit_time: f64, fractions: &[f64], clock: Clock) -> Self {
        let mut conveyor = Self::empty(options, transit_time, clock);
        let steps = clock.steps(transit_time).max(1) as u32;
        if content == 0.0 || content.is_nan() {
            return conveyor;
        }
        // One unit followed along the whole belt gives the shape; the sum of what is left at each place, the scale.
        let mut lot = Lot { amount: 1.0, entered: 1.0, steps, left: steps };
        let mut total = 0.0;
        let mut lots = Vec::with_capacity(steps as usize);
        for left in (1..=steps).rev() {
            lot.left = left;
            lots.push(lot);
            total += lot.amount;
            let leaks = leaks_of(&lot, options, fractions, clock.dt);
            lot.amount -= leaks.iter().sum::<f64>();
        }
        let scale = if total > 0.0 { content / total } else { 0.0 };
        for lot in &mut lots {
            lot.amount *= scale;
            lot.entered *= scale;
        }
        conveyor.lots = lots;
        conveyor
    }

    /// A conveyor that holds given amounts, the first at the end of the belt, one for each unit of time of the transit
    /// (spread over its steps) or one for each step. The last is repeated if there are too few.
    pub fn start_with(options: &Options, amounts: &[f64], transit_time: f64, clock: Clock) -> Self {
        let mut conveyor = Self::empty(options, transit_time, clock);
        let steps = clock.steps(transit_time).max(1);
        let per_unit = clock.steps(1.0).max(1);
        let each = if amounts.len() >= steps { 1 } else { per_unit };
        for place in 0..steps {
            let index = (place / each).min(amounts.len().saturating_sub(1));
            let amount = amounts.get(index).copied().unwrap_or(0.0) / each as f64;
            conveyor.lots.push(Lot { amount, entered: amount, steps: steps as u32, left: place as u32 + 1 });
        }
        conveyor
    }

    fn empty(options: &Options, transit_time: f64, clock: Clock) -> Self {
        Self {
            lots: Vec::new(),
            transit: transit_time,
            pending: vec![0.0; options.leaks.len()],
            admitted: 0.0,
            unit: clock.time.floor(),
        }
    }

    /// Everything on the belt: the value of the stock.
    pub fn content(&self) -> f64 {
        self.lots.iter().map(|lot| lot.amount).sum()
    }

    /// The amount that leaves in so many steps, counted from one at the end of the belt: `conveyor[k]` of XMILE §3.7.1.3.
    pub fn slat(&self, k: usize) -> f64 {
        self.lots.iter().filter(|lot| lot.left as usize == k).map(|lot| lot.amount).sum()
    }

    /// How many slats there are: the steps until the last of it leaves, at least those of the transit time.
    pub fn slats(&self, clock: Clock) -> usize {
        let last = self.lots.iter().map(|lot| lot.left as usize).max().unwrap_or(0);
        last.max(clock.steps(self.transit).max(1))
    }

    /// The flows of the step that begins now.
    pub fn flows(&self, options: &Options, controls: &Controls<'_>, clock: Clock) -> Flows {
        if controls.arrest != 0.0 {
            return Flows { exit: 0.0, leaks: vec![0.0; options.leaks.len()], room: 0.0 };
        }
        let (lots, leaked, _) = self.leaked(options, controls, clock);
        let exit: f64 = lots.iter().filter(|lot| lot.left == 1).map(|lot| lot.amount).sum();
        let out = exit + leaked.iter().sum::<f64>();
        let mut room = f64::INFINITY;
        if controls.capacity.is_finite() {
            room = ((controls.capacity - self.content() + out) / clock.dt).max(0.0);
        }
        if controls.inflow_limit.is_finite() {
            let limit = if options.discrete {
                // The budget begins anew with each whole unit of time.
                let used = if unit_of(clock) > self.unit { 0.0 } else { self.admitted };
                (controls.inflow_limit - used) / clock.dt
            } else {
                controls.inflow_limit
            };
            room = room.min(limit.max(0.0));
        }
        Flows { exit: exit / clock.dt, leaks: leaked.iter().map(|leak| leak / clock.dt).collect(), room }
    }

    /// Moves the belt by one step, with the inflow that was let in.
    pub fn advance(&mut self, options: &Options, controls: &Controls<'_>, inflow: f64, clock: Clock) {
        if controls.sample != 0.0 {
            self.transit = controls.transit_time;
        }
        if controls.arrest != 0.0 {
            return;
        }
        let (lots, _, pending) = self.leaked(options, controls, clock);
        self.lots = lots;
        self.pending = pending;
        self.lots.retain(|lot| lot.left > 1);
        for lot in &mut self.lots {
            lot.left -= 1;
        }
        let amount = inflow * clock.dt;
        if unit_of(clock) > self.unit {
            self.unit = unit_of(clock);
            self.admitted = 0.0;
        }
        self.admitted += amount;
        if amount != 0.0 {
            let steps = clock.steps(self.transit).max(1) as u32;
            self.lots.push(Lot { amount, entered: amount, steps, left: steps });
        }
    }

    /// What is on the belt after the leaks of this step, what leaked, and what waits to become whole units.
    fn leaked(&self, options: &Options, controls: &Controls<'_>, clock: Clock) -> (Vec<Lot>, Vec<f64>, Vec<f64>) {
        let mut lots = self.lots.clone();
        let mut leaked = vec![0.0; options.leaks.len()];
        let mut pending = self.pending.clone();
        if options.leaks.is_empty() {
            return (lots, leaked, pending);
        }
        for lot in &mut lots {
            let taken = leaks_of(lot, options, controls.fractions, clock.dt);
            for (k, part) in taken.iter().enumerate() {
                if options.leaks[k].integers {
                    pending[k] += part;
                } else {
                    leaked[k] += part;
                    lot.amount -= part;
                }
            }
        }
        // Whole units are taken from the end of the zone first (the help does not say from where: choice of ours).
        for (k, leak) in options.leaks.iter().enumerate().filter(|(_, leak)| leak.integers) {
            let mut units = (pending[k] + 1e-9).floor();
            let mut order: Vec<usize> = (0..lots.len()).filter(|&i| lots[i].share(leak.zone) > 0.0).collect();
            order.sort_by_key(|&i| lots[i].left);
            for i in order {
                let part = units.min(lots[i].amount);
                lots[i].amount -= part;
                leaked[k] += part;
                pending[k] -= part;
                units -= part;
            }
        }
        (lots, leaked, pending)
    }
}

fn unit_of(clock: Clock) -> f64 {
    (clock.time + 1e-6 * clock.dt).floor()
}

/// What each leakage takes of a lot in one step, in order of priority, never more than there is.
fn leaks_of(lot: &Lot, options: &Options, fractions: &[f64], dt: f64) -> Vec<f64> {
    let mut left = lot.amount;
    options
        .leaks
        .iter()
        .zip(fractions)
        .map(|(leak, &fraction)| {
            let share = lot.share(leak.zone);
            let wanted = if options.exponential {
                // The share of this step that lies in the zone.
                lot.amount * fraction * dt * (share * (leak.zone.1 - leak.zone.0) * f64::from(lot.steps))
            } else {
                lot.entered * fraction * share
            };
            let part = wanted.clamp(0.0, left.max(0.0));
            left -= part;
            part
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn controls(transit_time: f64, fractions: &[f64]) -> Controls<'_> {
        Controls {
            transit_time,
            capacity: f64::INFINITY,
            inflow_limit: f64::INFINITY,
            sample: 1.0,
            arrest: 0.0,
            fractions,
        }
    }

    const WHOLE: (f64, f64) = (0.0, 1.0);

    #[test]
    fn what_enters_leaves_after_the_transit_time() {
        let (options, dt) = (Options::default(), 0.25);
        let mut conveyor = Conveyor::start(&options, 0.0, 2.0, &[], Clock { time: 0.0, dt });
        for step in 0..40 {
            let clock = Clock { time: f64::from(step) * dt, dt };
            let flows = conveyor.flows(&options, &controls(2.0, &[]), clock);
            let expected = if step >= 8 { f64::from(step - 8) + 1.0 } else { 0.0 };
            assert_eq!(flows.exit, expected, "{step}");
            conveyor.advance(&options, &controls(2.0, &[]), f64::from(step) + 1.0, clock);
        }
    }

    #[test]
    fn a_steady_state_stays() {
        // reference/sd/conveyors/minimal_conveyor.xmile: 1000 students, 4 years, 250 a year.
        let (options, dt) = (Options::default(), 0.25);
        let mut conveyor = Conveyor::start(&options, 1000.0, 4.0, &[], Clock { time: 0.0, dt });
        for step in 0..50 {
            let clock = Clock { time: f64::from(step) * dt, dt };
            assert_eq!(conveyor.flows(&options, &controls(4.0, &[]), clock).exit, 250.0);
            assert_eq!(conveyor.content(), 1000.0);
            conveyor.advance(&options, &controls(4.0, &[]), 250.0, clock);
        }
    }

    #[test]
    fn steady_states_with_leakage_hold_what_isee_says() {
        let (dt, transit, inflow, fraction) = (0.5, 4.0, 10.0, 0.2);
        let n: f64 = transit / dt;
        let leak = Leak { zone: WHOLE, integers: false };
        // Linear: transit·inflow − (length − 1)·leakage·dt/2; exponential: inflow·(1 − (1 − f·dt)^length)/f.
        let linear = transit * inflow - (n - 1.0) * fraction * inflow * dt / 2.0;
        let exponential = inflow * (1.0 - (1.0 - fraction * dt).powf(n)) / fraction;
        for (kind, total, exit) in
            [(false, linear, inflow * (1.0 - fraction)), (true, exponential, inflow * (1.0 - fraction * dt).powf(n))]
        {
            let options = Options { leaks: vec![leak], exponential: kind, discrete: false };
            let fractions = [fraction];
            let clock = Clock { time: 0.0, dt };
            let mut filled = Conveyor::start(&options, 0.0, transit, &fractions, clock);
            for _ in 0..20 {
                filled.advance(&options, &controls(transit, &fractions), inflow, clock);
            }
            // Sums of eight numbers in another order: a few units in the last place.
            assert!((filled.content() - total).abs() < 1e-12, "{kind}: {} {total}", filled.content());
            let flows = filled.flows(&options, &controls(transit, &fractions), clock);
            assert!((flows.exit - exit).abs() < 1e-12 && (flows.exit + flows.leaks[0] - inflow).abs() < 1e-12);
            let started = Conveyor::start(&options, total, transit, &fractions, clock);
            for k in 1..=8 {
                assert!((started.slat(k) - filled.slat(k)).abs() < 1e-12, "{kind} {k}");
            }
        }
    }

    #[test]
    fn a_zone_changes_where_it_leaks_and_not_how_much() {
        let dt = 0.5;
        for zone in [(0.0, 1.0), (0.5, 1.0), (0.1, 0.35), (0.0, 0.25)] {
            let options = Options { leaks: vec![Leak { zone, integers: false }], ..Options::default() };
            let mut conveyor = Conveyor::start(&options, 0.0, 4.0, &[0.3], Clock { time: 0.0, dt });
            let (mut leaked, mut out) = (0.0, 0.0);
            for step in 0..12 {
                let clock = Clock { time: f64::from(step) * dt, dt };
                let flows = conveyor.flows(&options, &controls(4.0, &[0.3]), clock);
                leaked += flows.leaks[0] * dt;
                out += flows.exit * dt;
                conveyor.advance(&options, &controls(4.0, &[0.3]), if step == 0 { 200.0 } else { 0.0 }, clock);
            }
            assert!((leaked - 30.0).abs() < 1e-12 && (out - 70.0).abs() < 1e-12, "{zone:?} {leaked} {out}");
        }
    }

    #[test]
    fn a_shorter_transit_time_lets_the_later_leave_first() {
        let options = Options::default();
        let mut conveyor = Conveyor::start(&options, 0.0, 4.0, &[], Clock { time: 0.0, dt: 1.0 });
        let mut exits = Vec::new();
        for step in 0..7 {
            let clock = Clock { time: f64::from(step), dt: 1.0 };
            let transit = if step < 1 { 4.0 } else { 2.0 };
            exits.push(conveyor.flows(&options, &controls(transit, &[]), clock).exit);
            let inflow = [5.0, 7.0, 0.0, 0.0, 0.0, 0.0, 0.0][step as usize];
            conveyor.advance(&options, &controls(transit, &[]), inflow, clock);
        }
        assert_eq!(exits, [0.0, 0.0, 0.0, 7.0, 5.0, 0.0, 0.0]);
    }

    #[test]
    fn a_sample_keeps_the_transit_time() {
        let options = Options::default();
        let mut conveyor = Conveyor::start(&options, 0.0, 3.0, &[], Clock { time: 0.0, dt: 1.0 });
        let kept = Controls { sample: 0.0, ..controls(1.0, &[]) };
        conveyor.advance(&options, &kept, 4.0, Clock { time: 0.0, dt: 1.0 });
        assert_eq!((conveyor.slat(1), conveyor.slat(3)), (0.0, 4.0));
    }

    #[test]
    fn capacity_and_limit_leave_room() {
        let options = Options::default();
        let clock = Clock { time: 0.0, dt: 0.5 };
        let conveyor = Conveyor::start(&options, 100.0, 5.0, &[], clock);
        let full = Controls { capacity: 104.0, ..controls(5.0, &[]) };
        // (capacity − content)/dt + outflow = 4/0.5 + 20
        assert_eq!(conveyor.flows(&options, &full, clock).room, 28.0);
        let limited = Controls { inflow_limit: 3.0, ..full };
        assert_eq!(conveyor.flows(&options, &limited, clock).room, 3.0);
        let stopped = Controls { arrest: 1.0, ..full };
        assert_eq!(conveyor.flows(&options, &stopped, clock), Flows { exit: 0.0, leaks: vec![], room: 0.0 });
    }

    #[test]
    fn a_discrete_conveyor_spends_its_budget_once_a_unit_of_time() {
        let options = Options { discrete: true, ..Options::default() };
        let limited = Controls { inflow_limit: 3.0, ..controls(4.0, &[]) };
        let mut conveyor = Conveyor::start(&options, 0.0, 4.0, &[], Clock { time: 0.0, dt: 0.25 });
        let mut admitted = Vec::new();
        for step in 0..8 {
            let clock = Clock { time: f64::from(step) * 0.25, dt: 0.25 };
            let inflow = conveyor.flows(&options, &limited, clock).room.min(8.0);
            conveyor.advance(&options, &limited, inflow, clock);
            admitted.push(inflow * 0.25);
        }
        assert_eq!(admitted, [2.0, 1.0, 0.0, 0.0, 2.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn whole_units_leak_when_there_is_one() {
        let options = Options { leaks: vec![Leak { zone: WHOLE, integers: true }], ..Options::default() };
        let mut conveyor = Conveyor::start(&options, 0.0, 4.0, &[0.4], Clock { time: 0.0, dt: 1.0 });
        let (mut leaked, mut out) = (0.0, 0.0);
        for step in 0..20 {
            let clock = Clock { time: f64::from(step), dt: 1.0 };
            let flows = conveyor.flows(&options, &controls(4.0, &[0.4]), clock);
            assert_eq!(flows.leaks[0].fract(), 0.0);
            leaked += flows.leaks[0];
            out += flows.exit;
            conveyor.advance(&options, &controls(4.0, &[0.4]), if step < 10 { 3.0 } else { 0.0 }, clock);
        }
        assert_eq!(leaked + out, 30.0);
        assert!((leaked - 12.0).abs() <= 1.0, "{leaked}");
    }

    #[test]
    fn given_contents_leave_in_order() {
        let clock = Clock { time: 0.0, dt: 0.5 };
        let conveyor = Conveyor::start_with(&Options::default(), &[10.0, 20.0], 3.0, clock);
        let slats: Vec<f64> = (1..=6).map(|k| conveyor.slat(k)).collect();
        assert_eq!(slats, [5.0, 5.0, 10.0, 10.0, 10.0, 10.0]);
        let conveyor = Conveyor::start_with(&Options::default(), &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3.0, clock);
        assert_eq!((conveyor.slat(1), conveyor.slat(6)), (1.0, 6.0));
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            inflows in prop::collection::vec(0.0f64..20.0, 30), transits in prop::collection::vec(0.5f64..6.0, 30),
            fraction in 0.0f64..0.5, second in 0.0f64..0.5, cut in 0.1f64..0.9, exponential: bool, integers: bool,
            content in 0.0f64..50.0,
        ) {
            let options = Options {
                leaks: vec![Leak { zone: (0.0, cut), integers }, Leak { zone: (0.2, 1.0), integers: false }],
                exponential, discrete: false,
            };
            let fractions = [fraction, second];
            let dt = 0.5;
            let mut conveyor = Conveyor::start(&options, content, 3.0, &fractions, Clock { time: 0.0, dt });
            prop_assert!((conveyor.content() - content).abs() < 1e-9);
            let mut balance = conveyor.content();
            for (step, (&inflow, &transit)) in inflows.iter().zip(&transits).enumerate() {
                let clock = Clock { time: step as f64 * dt, dt };
                let controls = Controls { capacity: 60.0, ..controls(transit, &fractions) };
                let flows = conveyor.flows(&options, &controls, clock);
                prop_assert!(flows.exit >= 0.0 && flows.leaks.iter().all(|&leak| leak >= 0.0));
                let inflow = inflow.min(flows.room);
                conveyor.advance(&options, &controls, inflow, clock);
                balance += dt * (inflow - flows.exit - flows.leaks.iter().sum::<f64>());
                // Some sixty additions of numbers up to sixty.
                prop_assert!((conveyor.content() - balance).abs() < 1e-9);
                prop_assert!(conveyor.content() <= 60.0 + 1e-9);
            }
        }
    }
}
