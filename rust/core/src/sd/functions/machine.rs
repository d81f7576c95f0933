//! All machines behind one face of plain numbers: what a program stores, asks and moves.
//!
//! A machine is asked at the start of a step for its outputs, which depend on its state and its controls and never on its
//! inflows, so that an inflow may be cut to the room that the machine says it has. At the end of the step it moves, with
//! the same controls and the inflows as they came to be. Machines know whole steps only: within a Runge–Kutta step they stand still.

use super::clock::Clock;
use super::{batch, belt, conveyor, depreciation, fifo, material, oven, queue, response};

/// What a machine is; the same in all runs. The lists give the numbers in order.
///
/// | kind | start | controls | inflows | outputs |
/// |---|---|---|---|---|
/// | conveyor | transit time, leak fractions…, contents… | transit time, capacity, inflow limit, sample, arrest, hold, leak fractions… | rates… | content, exit, room, leaks… |
/// | queue | batches… | the most that each way takes, as rates… | rates… | content, rate of each way… |
/// | oven | content, cook time | cook time, capacity, fill time, clean time, arrest, sample, hold | rates… | content, exit, room, state |
/// | material, information | initial, delay time | missing | input, delay time | value |
/// | batch | initial batch, initial time, backlog | – | input, size, time | value |
/// | belt | total, time | time | input, leak | value |
/// | response | delay time, initial, growth | – | input, delay time | value |
/// | fifo | initial, age range, initial attribute | – | inflow, outflow, attribute, its change | content |
/// | straight line | lifetime, fiscal period, initial | stream | stream | value |
/// | schedule | lifetime, fiscal start, schedule…, initial… | stream | stream | value |
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// An XMILE conveyor.
    Conveyor(conveyor::Options),
    /// An XMILE queue with its ways out in order of priority.
    Queue(Vec<queue::Outlet>),
    /// A Stella oven.
    Oven,
    /// Vensim's DELAY MATERIAL and DELAY INFORMATION.
    Delay(material::Kind),
    /// Vensim's DELAY BATCH.
    Batch,
    /// Vensim's DELAY CONVEYOR with its first profile.
    Belt(Vec<(f64, f64)>),
    /// Vensim's DELAY PROFILE with its profile.
    Response(Vec<(f64, f64)>),
    /// Vensim's QUEUE FIFO and QUEUE FIFO ATTRIB with the profile of the first content and, of the latter, of its attributes.
    Fifo(Vec<(f64, f64)>, Option<Vec<(f64, f64)>>),
    /// Vensim's DEPRECIATE STRAIGHTLINE.
    StraightLine,
    /// Vensim's DEPRECIATE BY SCHEDULE with so many fiscal periods.
    Schedule(usize),
}

impl Kind {
    /// How many outputs there are.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Conveyor(options) => 3 + options.leaks.len(),
            Self::Queue(outlets) => 1 + outlets.len(),
            Self::Oven => 4,
            _ => 1,
        }
    }

    /// How many controls there are.
    pub fn controls(&self) -> usize {
        match self {
            Self::Conveyor(options) => 6 + options.leaks.len(),
            Self::Queue(outlets) => outlets.len(),
            Self::Oven => 7,
            Self::Delay(_) | Self::Belt(_) | Self::StraightLine | Self::Schedule(_) => 1,
            Self::Batch | Self::Response(_) | Self::Fifo(..) => 0,
        }
    }
}

/// A question to a machine beside its outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Query {
    /// QUEUE AGE AVERAGE(quantity) of a fifo.
    AgeAverage,
    /// QUEUE AGE IN RANGE(youngest, oldest) of a fifo.
    AgeInRange,
    /// QUEUE AGE OLDEST of a fifo.
    AgeOldest,
    /// QUEUE ATTRIB AVERAGE(quantity) of a fifo.
    AttributeAverage,
    /// QUEUE ATTRIB IN RANGE(least, most) of a fifo.
    AttributeInRange,
    /// QUEUE ATTRIB MAX of a fifo.
    AttributeMax,
    /// QUEUE ATTRIB MIN of a fifo.
    AttributeMin,
    /// QUEUE ATTRIB QUANTITY(total) of a fifo.
    AttributeQuantity,
    /// Everything that is inside.
    Content,
    /// The amount in slat or batch k, from one at the end that leaves first; not a number outside.
    Element,
    /// How many slats or batches there are.
    Elements,
    /// The mean of the slats or batches; zero where there is none.
    Mean,
    /// The smallest; zero where there is none.
    Least,
    /// The largest; zero where there is none.
    Most,
    /// Their standard deviation, of all as a population; zero where there is none.
    Deviation,
}

/// An inflow that leaked out of another machine: which, and from where (as [`conveyor::Conveyor::leaked`]).
#[derive(Clone, Debug, PartialEq)]
pub struct Leaked {
    /// The number of the inflow.
    pub inflow: usize,
    /// Fractions of the way and amounts.
    pub places: Vec<(f64, f64)>,
}

/// A machine in motion.
#[derive(Clone, Debug, PartialEq)]
pub enum Machine {
    /// An XMILE conveyor.
    Conveyor(conveyor::Conveyor),
    /// An XMILE queue.
    Queue(queue::Queue),
    /// A Stella oven.
    Oven(oven::Oven),
    /// DELAY MATERIAL, DELAY INFORMATION.
    Delay(material::Delay),
    /// DELAY BATCH.
    Batch(batch::Batch),
    /// DELAY CONVEYOR.
    Belt(belt::Belt),
    /// DELAY PROFILE.
    Response(response::Response),
    /// QUEUE FIFO.
    Fifo(fifo::Fifo),
    /// DEPRECIATE.
    Depreciation(depreciation::Depreciation),
}

fn at(numbers: &[f64], k: usize) -> f64 {
    numbers.get(k).copied().unwrap_or(f64::NAN)
}

fn belt_controls(controls: &[f64]) -> conveyor::Controls<'_> {
    conveyor::Controls {
        transit_time: at(controls, 0),
        capacity: at(controls, 1),
        inflow_limit: at(controls, 2),
        sample: at(controls, 3),
        arrest: at(controls, 4),
        hold: at(controls, 5),
        fractions: controls.get(6..).unwrap_or(&[]),
    }
}

fn oven_controls(controls: &[f64]) -> oven::Controls {
    oven::Controls {
        cook_time: at(controls, 0),
        capacity: at(controls, 1),
        fill_time: at(controls, 2),
        clean_time: at(controls, 3),
        arrest: at(controls, 4),
        sample: at(controls, 5),
        hold: at(controls, 6),
    }
}

impl Machine {
    /// The machine at the start of a run.
    pub fn start(kind: &Kind, start: &[f64], clock: Clock) -> Self {
        let a = |k: usize| at(start, k);
        match kind {
            Kind::Conveyor(options) => {
                let leaks = options.leaks.len();
                let fractions = start.get(1..1 + leaks).unwrap_or(&[]);
                Self::Conveyor(match start.get(1 + leaks..).unwrap_or(&[]) {
                    [content] => conveyor::Conveyor::start(options, *content, a(0), fractions, clock),
                    contents => conveyor::Conveyor::start_with(options, contents, a(0), clock),
                })
            }
            Kind::Queue(_) => Self::Queue(queue::Queue::start(start)),
            Kind::Oven => {
                let controls = oven::Controls {
                    cook_time: a(1),
                    capacity: f64::INFINITY,
                    fill_time: f64::NAN,
                    clean_time: 0.0,
                    arrest: 0.0,
                    sample: 0.0,
                    hold: 0.0,
                };
                Self::Oven(oven::Oven::start(a(0), &controls, clock))
            }
            Kind::Delay(kind) => Self::Delay(material::Delay::start(*kind, a(0), a(1), clock)),
            Kind::Batch => Self::Batch(batch::Batch::start(a(0), a(1), a(2), clock)),
            Kind::Belt(profile) => Self::Belt(belt::Belt::start(profile, a(0), a(1), clock)),
            Kind::Response(profile) => Self::Response(response::Response::start(profile, a(0), a(1), a(2), clock)),
            Kind::Fifo(profile, attributes) => {
                let attributes = attributes.as_deref().map_or((&[][..], 0.0), |profile| (profile, a(2)));
                Self::Fifo(fifo::Fifo::start(profile, attributes, a(0), a(1), clock))
            }
            Kind::StraightLine => {
                Self::Depreciation(depreciation::Depreciation::straight_line(a(0), a(1), a(2), clock))
            }
            Kind::Schedule(n) => Self::Depreciation(depreciation::Depreciation::by_schedule(
                start.get(2..2 + n).unwrap_or(&[]),
                start.get(2 + n..2 + 2 * n).unwrap_or(&[]),
                a(0),
                a(1),
                clock,
            )),
        }
    }

    /// The outputs of the step that begins now; `out` has as many places as [`Kind::outputs`] says. A machine of another kind gives nothing.
    pub fn outputs(&self, kind: &Kind, controls: &[f64], clock: Clock, out: &mut [f64]) {
        let mut put = |values: &[f64]| {
            for (place, value) in out.iter_mut().zip(values) {
                *place = *value;
            }
        };
        match (self, kind) {
            (Self::Conveyor(conveyor), Kind::Conveyor(options)) => {
                let flows = conveyor.flows(options, &belt_controls(controls), clock);
                put(&[conveyor.content(), flows.exit, flows.room]);
                for (place, leak) in out.iter_mut().skip(3).zip(&flows.leaks) {
                    *place = *leak;
                }
            }
            (Self::Queue(queue), Kind::Queue(outlets)) => {
                put(&[queue.content()]);
                for (place, rate) in out.iter_mut().skip(1).zip(queue.flows(outlets, controls, clock.dt)) {
                    *place = rate;
                }
            }
            (Self::Oven(oven), Kind::Oven) => {
                let flows = oven.flows(&oven_controls(controls), clock);
                put(&[oven.content(), flows.exit, flows.room, flows.state]);
            }
            (Self::Delay(delay), Kind::Delay(_)) => put(&[delay.value(at(controls, 0))]),
            (Self::Batch(batch), Kind::Batch) => put(&[batch.value()]),
            (Self::Belt(belt), Kind::Belt(_)) => put(&[belt.value(at(controls, 0), clock)]),
            (Self::Response(response), Kind::Response(_)) => put(&[response.value()]),
            (Self::Fifo(fifo), Kind::Fifo(..)) => put(&[fifo.content()]),
            (Self::Depreciation(depreciation), Kind::StraightLine | Kind::Schedule(_)) => {
                put(&[depreciation.value(at(controls, 0))]);
            }
            _ => out.fill(f64::NAN),
        }
    }

    /// Moves by one step.
    pub fn advance(&mut self, kind: &Kind, controls: &[f64], inflows: &[f64], leaked: &[Leaked], clock: Clock) {
        let a = |k: usize| at(inflows, k);
        match (self, kind) {
            (Self::Conveyor(conveyor), Kind::Conveyor(options)) => {
                let places = |inflow: usize| {
                    leaked.iter().find(|item| item.inflow == inflow).map_or_else(Vec::new, |item| item.places.clone())
                };
                conveyor.advance(options, &belt_controls(controls), inflows, places, clock);
            }
            (Self::Queue(queue), Kind::Queue(outlets)) => queue.advance(outlets, controls, inflows, clock.dt),
            (Self::Oven(oven), Kind::Oven) => oven.advance(&oven_controls(controls), inflows.iter().sum(), clock),
            (Self::Delay(delay), Kind::Delay(_)) => delay.advance(a(0), a(1), clock),
            (Self::Batch(batch), Kind::Batch) => batch.advance(a(0), a(1), a(2), clock),
            (Self::Belt(belt), Kind::Belt(_)) => {
                belt.advance(a(0), at(controls, 0), a(1), clock);
            }
            (Self::Response(response), Kind::Response(profile)) => response.advance(profile, a(0), a(1), clock),
            (Self::Fifo(fifo), Kind::Fifo(_, None)) => fifo.advance(a(0), a(1), 0.0, 0.0, clock),
            (Self::Fifo(fifo), Kind::Fifo(_, Some(_))) => fifo.advance(a(0), a(1), a(2), a(3), clock),
            (Self::Depreciation(depreciation), Kind::StraightLine | Kind::Schedule(_)) => {
                depreciation.advance(a(0), clock);
            }
            _ => {}
        }
    }

    /// What leaks out of a conveyor in this step, from where; nothing of other machines.
    pub fn leaked(&self, kind: &Kind, told: &[f64], leak: usize, clock: Clock) -> Vec<(f64, f64)> {
        match (self, kind) {
            (Self::Conveyor(conveyor), Kind::Conveyor(options)) => {
                let controls = told.get(..kind.controls()).unwrap_or(&[]);
                conveyor.leaked(options, &belt_controls(controls), leak, clock)
            }
            _ => Vec::new(),
        }
    }

    /// The answer to a question; not a number from a machine that cannot answer it.
    pub fn query(&self, query: Query, arguments: &[f64], clock: Clock) -> f64 {
        let a = |k: usize| at(arguments, k);
        match (self, query) {
            (Self::Fifo(fifo), Query::AgeAverage) => fifo.age_average(a(0), clock),
            (Self::Fifo(fifo), Query::AgeInRange) => fifo.age_in_range(a(0), a(1)),
            (Self::Fifo(fifo), Query::AgeOldest) => fifo.age_oldest(clock),
            (Self::Fifo(fifo), Query::AttributeAverage) => fifo.attribute_average(a(0)),
            (Self::Fifo(fifo), Query::AttributeInRange) => fifo.attribute_in_range(a(0), a(1)),
            (Self::Fifo(fifo), Query::AttributeMax) => fifo.attribute_extreme(true),
            (Self::Fifo(fifo), Query::AttributeMin) => fifo.attribute_extreme(false),
            (Self::Fifo(fifo), Query::AttributeQuantity) => fifo.attribute_quantity(a(0)),
            (Self::Conveyor(conveyor), Query::Content) => conveyor.content(),
            (Self::Queue(queue), Query::Content) => queue.content(),
            (Self::Oven(oven), Query::Content) => oven.content(),
            (Self::Conveyor(_) | Self::Queue(_) | Self::Oven(_), _) => self.of_elements(query, a(0), clock),
            _ => f64::NAN,
        }
    }

    /// A question about slats and batches, which XMILE (§3.7.1.3) counts from the end that leaves first; an oven is one batch.
    fn of_elements(&self, query: Query, place: f64, clock: Clock) -> f64 {
        let elements = match self {
            Self::Conveyor(conveyor) => conveyor.all(clock),
            Self::Queue(queue) => queue.all(),
            Self::Oven(oven) => vec![oven.content()],
            _ => return f64::NAN,
        };
        let count = elements.len() as f64;
        match query {
            Query::Elements => count,
            Query::Element => {
                let k = place.round();
                if k >= 1.0 { elements.get(k as usize - 1).copied().unwrap_or(f64::NAN) } else { f64::NAN }
            }
            _ if elements.is_empty() => 0.0,
            Query::Mean => elements.iter().sum::<f64>() / count,
            Query::Least => elements.iter().copied().fold(f64::INFINITY, f64::min),
            Query::Most => elements.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Query::Deviation => {
                let mean = elements.iter().sum::<f64>() / count;
                (elements.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count).sqrt()
            }
            _ => f64::NAN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_before_a_full_conveyor_waits_or_overflows() {
        // As reference/sd/conveyors/queue_coupled_conveyor.xmile: a queue before a conveyor of one unit of time, here with
        // capacity 1 and from time 2 on 22; what the conveyor refuses overflows.
        let belt_kind = Kind::Conveyor(conveyor::Options { discrete: true, ..conveyor::Options::default() });
        let queue_kind = Kind::Queue(vec![
            queue::Outlet { one_at_a_time: true, ..queue::Outlet::default() },
            queue::Outlet { overflow: true, ..queue::Outlet::default() },
        ]);
        let clock = |step: u32| Clock { time: 0.5 * f64::from(step), dt: 0.5 };
        let mut belt = Machine::start(&belt_kind, &[1.0, 0.0], clock(0));
        let mut queue = Machine::start(&queue_kind, &[], clock(0));
        let (mut arrived, mut balked, mut entered) = (0.0, 0.0, 0.0);
        let mut most: f64 = 0.0;
        for step in 0..12 {
            let clock = clock(step);
            let capacity = if clock.time < 2.0 { 1.0 } else { 22.0 };
            let controls = [1.0, capacity, f64::INFINITY, 1.0, 0.0, 0.0];
            let mut conveyed = [0.0; 3];
            belt.outputs(&belt_kind, &controls, clock, &mut conveyed);
            let rooms = [conveyed[2], f64::INFINITY];
            let mut served = [0.0; 3];
            queue.outputs(&queue_kind, &rooms, clock, &mut served);
            assert!(conveyed[0] <= capacity + 1e-12);
            most = most.max(served[2]);
            arrived += 0.5 * conveyed[1];
            balked += 0.5 * served[2];
            entered += 0.5 * (clock.time + 1.0);
            belt.advance(&belt_kind, &controls, &[served[1]], &[], clock);
            queue.advance(&queue_kind, &rooms, &[clock.time + 1.0], &[], clock);
            let mut content = [0.0; 3];
            let mut waiting = [0.0; 3];
            belt.outputs(&belt_kind, &controls, clock, &mut content);
            queue.outputs(&queue_kind, &rooms, clock, &mut waiting);
            assert!((entered - arrived - balked - content[0] - waiting[0]).abs() < 1e-12);
        }
        assert!(most > 0.0, "the conveyor was full once");
    }

    #[test]
    fn every_kind_runs() {
        let flat = vec![(0.0, 1.0), (1.0, 1.0)];
        let clock = Clock { time: 0.0, dt: 0.5 };
        for (kind, start, controls, inflows) in [
            (Kind::Oven, vec![0.0, 1.0], vec![1.0, 4.0, f64::NAN, 0.0, 0.0, 1.0, 0.0], vec![4.0]),
            (Kind::Delay(material::Kind::Material), vec![4.0, 1.0], vec![0.0], vec![4.0, 1.0]),
            (Kind::Batch, vec![0.0, 0.0, 0.0], vec![], vec![4.0, 2.0, 0.5]),
            (Kind::Belt(flat.clone()), vec![4.0, 1.0], vec![1.0], vec![4.0, 0.0]),
            (Kind::Response(flat.clone()), vec![1.0, 4.0, 0.0], vec![], vec![4.0, 1.0]),
            (Kind::Fifo(flat.clone(), None), vec![4.0, 1.0], vec![], vec![4.0, 4.0]),
            (Kind::Fifo(flat.clone(), Some(flat)), vec![4.0, 1.0, 7.0], vec![], vec![4.0, 4.0, 7.0, 0.5]),
            (Kind::StraightLine, vec![2.0, 1.0, 4.0], vec![4.0], vec![4.0]),
            (Kind::Schedule(2), vec![2.0, 0.0, 0.5, 0.5, 2.0, 0.0], vec![4.0], vec![4.0]),
        ] {
            assert_eq!(controls.len(), kind.controls(), "{kind:?}");
            let mut machine = Machine::start(&kind, &start, clock);
            let mut out = vec![f64::NAN; kind.outputs()];
            for step in 0..9 {
                let clock = Clock { time: 0.5 * f64::from(step), dt: 0.5 };
                machine.outputs(&kind, &controls, clock, &mut out);
                assert!(out.iter().all(|value| value.is_finite()), "{kind:?} {out:?}");
                machine.advance(&kind, &controls, &inflows, &[], clock);
            }
            // A stream of four that was always there gives four in the kinds that know no size.
            if !matches!(kind, Kind::Oven | Kind::Batch) {
                assert!((out[0] - 4.0).abs() < 1e-12, "{kind:?} {out:?}");
            }
        }
    }

    #[test]
    fn elements_are_counted_from_the_end_that_leaves() {
        let clock = Clock { time: 0.0, dt: 0.5 };
        let belt = Machine::start(&Kind::Conveyor(conveyor::Options::default()), &[2.0, 40.0], clock);
        assert_eq!(belt.query(Query::Elements, &[], clock), 4.0);
        assert_eq!(belt.query(Query::Element, &[1.0], clock), 10.0);
        assert!(
            belt.query(Query::Element, &[5.0], clock).is_nan() && belt.query(Query::AgeOldest, &[], clock).is_nan()
        );
        let queue = Machine::start(&Kind::Queue(vec![]), &[3.0, 2.0], clock);
        assert_eq!(queue.query(Query::Elements, &[], clock), 2.0);
        assert_eq!(queue.query(Query::Element, &[2.0], clock), 2.0);
    }
}
