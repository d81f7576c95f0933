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

/// Where what an inflow brings is put.
///
/// Source: Stella's help, "Spreading Conveyor Inputs".
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Spread {
    /// All at the entry.
    #[default]
    Entry,
    /// The same amount at each place.
    Even,
    /// In proportion to what is there; at the entry of an empty belt.
    Content,
    /// In proportion to a profile over the fraction of the way that is still to go, from zero at the end to one at the
    /// entry: a share at x stays for the fraction x of the transit time.
    Profile(Vec<(f64, f64)>),
    /// At the places that it leaked from on another belt.
    Source,
}

/// What does not change during a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// How each inflow spreads; those beyond the list enter at the beginning.
    pub spreads: Vec<Spread>,
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
    /// Not zero: what comes to the end waits there, because what is behind the end stands still.
    pub hold: f64,
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
    if zone.0 <= 0.0 && zone.1 >= 1.0 {
        return 1.0 / n;
    }
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
        let steps = slats(clock, transit_time);
        if content == 0.0 || content.is_nan() {
            return conveyor;
        }
        // One unit followed along the whole belt gives the shape; the sum of what is left at each place, the scale.
        let mut lot = Lot { amount: 1.0, entered: 1.0, steps, left: steps };
        let mut total = 0.0;
        let mut parts = vec![0.0; options.leaks.len()];
        let mut lots = Vec::with_capacity(steps as usize);
        for left in (1..=steps).rev() {
            lot.left = left;
            lots.push(lot);
            total += lot.amount;
            leaks_of(&lot, options, fractions, clock.dt, &mut parts);
            lot.amount -= parts.iter().sum::<f64>();
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
        let steps = slats(clock, transit_time) as usize;
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
        // From zero: the sum of nothing is minus zero.
        self.lots.iter().fold(0.0, |sum, lot| sum + lot.amount)
    }

    /// The amount that leaves in so many steps, counted from one at the end of the belt: `conveyor[k]` of XMILE §3.7.1.3.
    pub fn slat(&self, k: usize) -> f64 {
        self.lots.iter().filter(|lot| lot.left as usize == k).map(|lot| lot.amount).sum()
    }

    /// The amount of every slat, the one that leaves first in front.
    pub fn all(&self, clock: Clock) -> Vec<f64> {
        let mut amounts = vec![0.0; self.slats(clock)];
        for lot in &self.lots {
            amounts[lot.left as usize - 1] += lot.amount;
        }
        amounts
    }

    /// How many slats there are: the steps until the last of it leaves, at least those of the transit time.
    pub fn slats(&self, clock: Clock) -> usize {
        let last = self.lots.iter().map(|lot| lot.left as usize).max().unwrap_or(0);
        last.max(slats(clock, self.transit) as usize)
    }

    /// The flows of the step that begins now.
    pub fn flows(&self, options: &Options, controls: &Controls<'_>, clock: Clock) -> Flows {
        if controls.arrest != 0.0 {
            return Flows { exit: 0.0, leaks: vec![0.0; options.leaks.len()], room: 0.0 };
        }
        let leakage = self.leakage(options, controls, clock);
        let mut exit = 0.0;
        for (lot, kept) in self.lots.iter().zip(&leakage.kept) {
            if lot.left == 1 && controls.hold == 0.0 {
                exit += kept;
            }
        }
        let out = exit + leakage.totals.iter().sum::<f64>();
        let mut room = f64::INFINITY;
        if controls.capacity < f64::INFINITY {
            room = ((controls.capacity - self.content() + out) / clock.dt).max(0.0);
        }
        if controls.inflow_limit < f64::INFINITY {
            let limit = if options.discrete {
                // The budget begins anew with each whole unit of time.
                let used = if unit_of(clock) > self.unit { 0.0 } else { self.admitted };
                (controls.inflow_limit - used) / clock.dt
            } else {
                controls.inflow_limit
            };
            room = room.min(limit.max(0.0));
        }
        Flows { exit: exit / clock.dt, leaks: leakage.totals.iter().map(|leak| leak / clock.dt).collect(), room }
    }

    /// What a leakage takes in this step, from where: how far from the entry, as a fraction of the way, and how much.
    pub fn leaked(&self, options: &Options, controls: &Controls<'_>, leak: usize, clock: Clock) -> Vec<(f64, f64)> {
        if controls.arrest != 0.0 {
            return Vec::new();
        }
        let parts = self.leakage(options, controls, clock).parts;
        let count = options.leaks.len();
        self.lots
            .iter()
            .zip(parts.iter().skip(leak).step_by(count.max(1)))
            .filter(|(_, part)| **part > 0.0)
            .map(|(lot, &part)| ((f64::from(lot.steps - lot.left.min(lot.steps)) + 0.5) / f64::from(lot.steps), part))
            .collect()
    }

    /// Moves the belt by one step, with the inflows that were let in; `places` gives for an inflow that spreads by its
    /// source where it comes from, as [`Conveyor::leaked`].
    pub fn advance(
        &mut self,
        options: &Options,
        controls: &Controls<'_>,
        inflows: &[f64],
        places: impl Fn(usize) -> Vec<(f64, f64)>,
        clock: Clock,
    ) {
        if controls.arrest != 0.0 {
            return;
        }
        if controls.sample != 0.0 && controls.transit_time.is_finite() {
            self.transit = controls.transit_time;
        }
        let leakage = self.leakage(options, controls, clock);
        for (lot, kept) in self.lots.iter_mut().zip(&leakage.kept) {
            lot.amount = *kept;
        }
        self.pending = leakage.pending;
        if controls.hold == 0.0 {
            self.lots.retain(|lot| lot.left > 1);
        }
        for lot in &mut self.lots {
            lot.left = (lot.left - 1).max(1);
        }
        if unit_of(clock) > self.unit {
            self.unit = unit_of(clock);
            self.admitted = 0.0;
        }
        let steps = slats(clock, self.transit);
        let before = self.lots.len();
        for (k, inflow) in inflows.iter().enumerate() {
            let amount = inflow * clock.dt;
            self.admitted += amount;
            if amount == 0.0 {
                continue;
            }
            let entry = vec![(steps, 1.0)];
            let shares: Vec<(u32, f64)> = match options.spreads.get(k).unwrap_or(&Spread::Entry) {
                Spread::Entry => entry,
                Spread::Even => (1..=steps).map(|left| (left, 1.0)).collect(),
                Spread::Content => self.lots[..before].iter().map(|lot| (lot.left, lot.amount)).collect(),
                Spread::Profile(points) => (1..=steps)
                    .map(|left| {
                        let x = (f64::from(left) - 0.5) / f64::from(steps);
                        (left, super::lookup::value(points, x, false).max(0.0))
                    })
                    .collect(),
                Spread::Source => places(k)
                    .into_iter()
                    .map(|(from_entry, part)| {
                        let gone = (from_entry * f64::from(steps)).floor().clamp(0.0, f64::from(steps - 1));
                        (steps - gone as u32, part)
                    })
                    .collect(),
            };
            let total: f64 = shares.iter().map(|share| share.1).sum();
            let shares = if total > 0.0 && total.is_finite() { shares } else { vec![(steps, 1.0)] };
            let total: f64 = shares.iter().map(|share| share.1).sum();
            for (left, share) in shares {
                let part = amount * (share / total);
                if part != 0.0 {
                    self.put(Lot { amount: part, entered: part, steps: steps.max(left), left });
                }
            }
        }
    }

    /// Puts a lot on the belt, together with one that has the same way before it.
    fn put(&mut self, lot: Lot) {
        // The newest stand at the end; a belt that spreads its inflows keeps as many lots as it has places.
        let same = |other: &&mut Lot| other.left == lot.left && other.steps == lot.steps;
        if let Some(found) = self.lots.iter_mut().rev().find(same) {
            found.amount += lot.amount;
            found.entered += lot.entered;
        } else {
            self.lots.push(lot);
        }
    }

    /// What leaks in this step.
    fn leakage(&self, options: &Options, controls: &Controls<'_>, clock: Clock) -> Leakage {
        let count = options.leaks.len();
        let mut found = Leakage {
            kept: self.lots.iter().map(|lot| lot.amount).collect(),
            totals: vec![0.0; count],
            parts: vec![0.0; self.lots.len() * count],
            pending: self.pending.clone(),
        };
        if count == 0 {
            return found;
        }
        for (i, lot) in self.lots.iter().enumerate() {
            let parts = &mut found.parts[i * count..(i + 1) * count];
            leaks_of(lot, options, controls.fractions, clock.dt, parts);
            for (k, part) in parts.iter_mut().enumerate() {
                if options.leaks[k].integers {
                    found.pending[k] += std::mem::take(part);
                } else {
                    found.totals[k] += *part;
                    found.kept[i] -= *part;
                }
            }
        }
        // Whole units are taken from the end of the zone first (the help does not say from where: choice of ours).
        for (k, leak) in options.leaks.iter().enumerate().filter(|(_, leak)| leak.integers) {
            let mut order: Vec<usize> = (0..self.lots.len()).filter(|&i| self.lots[i].share(leak.zone) > 0.0).collect();
            order.sort_by_key(|&i| self.lots[i].left);
            // Where less stands in the zone than waits to leak, whole units of it leave and the rest waits.
            let there: f64 = order.iter().map(|&i| found.kept[i].max(0.0)).sum();
            let mut units = (found.pending[k].min(there) + 1e-9).floor();
            for i in order {
                let part = units.min(found.kept[i]).max(0.0);
                found.kept[i] -= part;
                found.parts[i * count + k] += part;
                found.totals[k] += part;
                found.pending[k] -= part;
                units -= part;
            }
        }
        found
    }
}

/// What leaks in a step.
struct Leakage {
    /// What is left of each lot.
    kept: Vec<f64>,
    /// Through each leakage.
    totals: Vec<f64>,
    /// Of each lot through each leakage, lot by lot.
    parts: Vec<f64>,
    /// What waits in each leakage to become whole units.
    pending: Vec<f64>,
}

/// A transit time in slats. More than a million are one million: a belt that no run crosses.
fn slats(clock: Clock, transit: f64) -> u32 {
    clock.steps(transit).clamp(1, 1 << 20) as u32
}

fn unit_of(clock: Clock) -> f64 {
    (clock.time + 1e-6 * clock.dt).floor()
}

/// What each leakage takes of a lot in one step, in order of priority, never more than there is.
fn leaks_of(lot: &Lot, options: &Options, fractions: &[f64], dt: f64, parts: &mut [f64]) {
    let mut left = lot.amount;
    for ((part, leak), &fraction) in parts.iter_mut().zip(&options.leaks).zip(fractions) {
        let share = lot.share(leak.zone);
        let wanted = if options.exponential {
            // The share of this step that lies in the zone.
            lot.amount * fraction * dt * (share * (leak.zone.1 - leak.zone.0) * f64::from(lot.steps))
        } else {
            lot.entered * fraction * share
        };
        // Not a number leaks nothing.
        *part = if wanted > 0.0 { wanted.min(left.max(0.0)) } else { 0.0 };
        left -= *part;
    }
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
            hold: 0.0,
            fractions,
        }
    }

    const WHOLE: (f64, f64) = (0.0, 1.0);

    fn nowhere(_: usize) -> Vec<(f64, f64)> {
        Vec::new()
    }

    #[test]
    fn what_enters_leaves_after_the_transit_time() {
        let (options, dt) = (Options::default(), 0.25);
        let mut conveyor = Conveyor::start(&options, 0.0, 2.0, &[], Clock { time: 0.0, dt });
        for step in 0..40 {
            let clock = Clock { time: f64::from(step) * dt, dt };
            let flows = conveyor.flows(&options, &controls(2.0, &[]), clock);
            let expected = if step >= 8 { f64::from(step - 8) + 1.0 } else { 0.0 };
            assert_eq!(flows.exit, expected, "{step}");
            conveyor.advance(&options, &controls(2.0, &[]), &[f64::from(step) + 1.0], nowhere, clock);
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
            conveyor.advance(&options, &controls(4.0, &[]), &[250.0], nowhere, clock);
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
            let options = Options { leaks: vec![leak], exponential: kind, ..Options::default() };
            let fractions = [fraction];
            let clock = Clock { time: 0.0, dt };
            let mut filled = Conveyor::start(&options, 0.0, transit, &fractions, clock);
            for _ in 0..20 {
                filled.advance(&options, &controls(transit, &fractions), &[inflow], nowhere, clock);
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
                conveyor.advance(
                    &options,
                    &controls(4.0, &[0.3]),
                    &[if step == 0 { 200.0 } else { 0.0 }],
                    nowhere,
                    clock,
                );
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
            conveyor.advance(&options, &controls(transit, &[]), &[inflow], nowhere, clock);
        }
        assert_eq!(exits, [0.0, 0.0, 0.0, 7.0, 5.0, 0.0, 0.0]);
    }

    #[test]
    fn a_sample_keeps_the_transit_time() {
        let options = Options::default();
        let mut conveyor = Conveyor::start(&options, 0.0, 3.0, &[], Clock { time: 0.0, dt: 1.0 });
        let kept = Controls { sample: 0.0, ..controls(1.0, &[]) };
        conveyor.advance(&options, &kept, &[4.0], nowhere, Clock { time: 0.0, dt: 1.0 });
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
            conveyor.advance(&options, &limited, &[inflow], nowhere, clock);
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
            conveyor.advance(&options, &controls(4.0, &[0.4]), &[if step < 10 { 3.0 } else { 0.0 }], nowhere, clock);
        }
        assert_eq!(leaked + out, 30.0);
        assert!((leaked - 12.0).abs() <= 1.0, "{leaked}");
    }

    #[test]
    fn less_than_a_unit_in_the_zone_waits() {
        let options = Options { leaks: vec![Leak { zone: WHOLE, integers: true }], ..Options::default() };
        let clock = Clock { time: 0.0, dt: 1.0 };
        let mut conveyor = Conveyor::start_with(&options, &[0.4, 0.5], 2.0, clock);
        conveyor.pending = vec![1.25];
        let flows = conveyor.flows(&options, &controls(2.0, &[0.0]), clock);
        assert_eq!((flows.leaks[0], conveyor.content()), (0.0, 0.9));
        let mut conveyor = Conveyor::start_with(&options, &[0.75, 0.5], 2.0, clock);
        conveyor.pending = vec![3.0];
        assert_eq!(conveyor.flows(&options, &controls(2.0, &[0.0]), clock).leaks[0], 1.0);
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

    #[test]
    fn what_spreads_leaves_as_its_places_say() {
        // Ten a unit of time once, on a belt of five units: how much leaves in each of the next five steps.
        let exits = |spread: Spread, first: f64| {
            let options = Options { spreads: vec![spread], ..Options::default() };
            let clock = |step: u32| Clock { time: f64::from(step), dt: 1.0 };
            let mut conveyor = Conveyor::start(&options, first, 5.0, &[], clock(0));
            let source = |_| vec![(0.1, 3.0), (0.9, 1.0)];
            conveyor.advance(&options, &controls(5.0, &[]), &[10.0], source, clock(0));
            (1..=5u32)
                .map(|step| {
                    let exit = conveyor.flows(&options, &controls(5.0, &[]), clock(step)).exit;
                    conveyor.advance(&options, &controls(5.0, &[]), &[], nowhere, clock(step));
                    exit
                })
                .collect::<Vec<f64>>()
        };
        assert_eq!(exits(Spread::Entry, 0.0), [0.0, 0.0, 0.0, 0.0, 10.0]);
        assert_eq!(exits(Spread::Even, 0.0), [2.0; 5]);
        // What was there moved by one: four places of two each.
        assert_eq!(exits(Spread::Content, 10.0), [4.5, 4.5, 4.5, 4.5, 0.0]);
        assert_eq!(exits(Spread::Content, 0.0), [0.0, 0.0, 0.0, 0.0, 10.0]);
        // Rising with the way to go: the middles of five slices, 0.1 … 0.9.
        let rising = exits(Spread::Profile(vec![(0.0, 0.0), (1.0, 1.0)]), 0.0);
        for (found, expected) in rising.iter().zip([0.4, 1.2, 2.0, 2.8, 3.6]) {
            assert!((found - expected).abs() < 1e-12, "{rising:?}");
        }
        assert_eq!(exits(Spread::Source, 0.0), [2.5, 0.0, 0.0, 0.0, 7.5]);
    }

    #[test]
    fn what_is_held_at_the_end_waits_there() {
        let options = Options::default();
        let clock = |step: u32| Clock { time: f64::from(step), dt: 1.0 };
        let mut conveyor = Conveyor::start(&options, 6.0, 3.0, &[], clock(0));
        let mut exits = Vec::new();
        for step in 0..5 {
            let controls = Controls { hold: f64::from(step < 2), ..controls(3.0, &[]) };
            exits.push(conveyor.flows(&options, &controls, clock(step)).exit);
            conveyor.advance(&options, &controls, &[1.0], nowhere, clock(step));
        }
        assert_eq!(exits, [0.0, 0.0, 6.0, 1.0, 1.0]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            inflows in prop::collection::vec(0.0f64..20.0, 30), transits in prop::collection::vec(0.5f64..6.0, 30),
            fraction in 0.0f64..0.5, second in 0.0f64..0.5, cut in 0.1f64..0.9, exponential: bool, integers: bool,
            content in 0.0f64..50.0, spread in 0usize..4,
        ) {
            let spreads = [Spread::Entry, Spread::Even, Spread::Content, Spread::Profile(vec![(0.0, 1.0), (1.0, 0.0)])];
            let options = Options {
                spreads: vec![spreads[spread].clone()],
                leaks: vec![Leak { zone: (0.0, cut), integers }, Leak { zone: (0.2, 1.0), integers: false }],
                exponential,
                ..Options::default()
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
                conveyor.advance(&options, &controls, &[inflow], nowhere, clock);
                balance += dt * (inflow - flows.exit - flows.leaks.iter().sum::<f64>());
                // Some sixty additions of numbers up to sixty.
                prop_assert!((conveyor.content() - balance).abs() < 1e-9);
                prop_assert!(conveyor.content() <= 60.0 + 1e-9);
            }
        }
    }
}
