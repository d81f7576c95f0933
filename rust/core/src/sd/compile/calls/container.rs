//! Conveyors of a fixed length as held values, one a slat: the same steps as [`crate::sd::functions::conveyor`], in lanes.
//!
//! Linear leakage takes of each slat the same part of what entered, so that a slat also remembers what entered.

use super::{CompileError, Lowering};
use crate::sd::compile::graph::{Binary, Id, Motion, Node, State};
use crate::sd::compile::lower::{Env, Mode};
use crate::sd::expr::Span;
use crate::sd::functions::clock::Clock;
use crate::sd::functions::conveyor::{self, Conveyor};
use crate::sd::model::{Container, Kind, canonical};

/// The values that a conveyor has in a step.
#[derive(Clone, Debug)]
pub(crate) struct Belt {
    /// What is on it.
    pub(crate) content: Id,
    exit: Id,
    leaks: Vec<(String, Id)>,
    room: Option<Id>,
}

/// What a flow is to a conveyor.
enum Role {
    Exit,
    Leak(usize),
    Inflow,
}

/// Longest belt that is laid out slat by slat.
const SLATS: usize = 4096;

impl Lowering<'_> {
    /// Conveyors that a variable of the model flows into or out of, in the order of the model.
    fn roles(&self, name: &str) -> Vec<(usize, Role)> {
        let mut found = Vec::new();
        if !self.belted {
            return found;
        }
        let own = canonical(name);
        for (index, stock) in self.model.variables.iter().enumerate() {
            let (Kind::Stock { inflows, outflows, .. }, Some(Container::Conveyor(_))) = (&stock.kind, &stock.container)
            else {
                continue;
            };
            let leak = |name: &String| self.model.variable(name).is_some_and(|flow| flow.leak.is_some());
            let mut leaks = 0;
            for outflow in outflows {
                let leaking = leak(outflow);
                if canonical(outflow) == own {
                    found.push((index, if leaking { Role::Leak(leaks) } else { Role::Exit }));
                }
                leaks += usize::from(leaking);
            }
            if inflows.iter().any(|inflow| canonical(inflow) == own) {
                found.push((index, Role::Inflow));
            }
        }
        found
    }

    /// The value of a flow that a conveyor drives, if one does.
    pub(crate) fn driven(&mut self, index: usize, element: u32) -> Result<Option<Id>, CompileError> {
        for (stock, role) in self.roles(&self.infos[index].variable.name) {
            let belt = match role {
                Role::Inflow => continue,
                _ => self.belt_beside(stock, index, element)?,
            };
            let none = self.graph.number(0.0);
            return Ok(Some(match role {
                Role::Leak(k) => belt.leaks.get(k).map_or(none, |leak| leak.1),
                _ => belt.exit,
            }));
        }
        Ok(None)
    }

    /// An inflow of a conveyor, cut to the room there is after the inflows before it.
    pub(crate) fn admitted(&mut self, index: usize, element: u32, flow: Id) -> Result<Id, CompileError> {
        let name = canonical(&self.infos[index].variable.name);
        for (stock, role) in self.roles(&name) {
            if !matches!(role, Role::Inflow) {
                continue;
            }
            let belt = self.belt_beside(stock, index, element)?;
            let zero = self.graph.number(0.0);
            let flow = self.graph.binary(Binary::Max, zero, flow);
            let Some(mut room) = belt.room else { return Ok(flow) };
            if let Kind::Stock { inflows, .. } = &self.infos[stock].variable.kind {
                for before in inflows.iter().take_while(|before| canonical(before) != name) {
                    let env = self.env_of(index, element);
                    let taken = self.reference(before, &[], Span::default(), &env)?;
                    room = self.graph.difference(room, taken);
                }
            }
            let room = self.graph.binary(Binary::Max, zero, room);
            return Ok(self.graph.binary(Binary::Min, room, flow));
        }
        Ok(flow)
    }

    /// The conveyor of a stock at the element that stands where an element of a flow stands.
    fn belt_beside(&mut self, stock: usize, flow: usize, element: u32) -> Result<Belt, CompileError> {
        let (stock, flow) = (&self.infos[stock], &self.infos[flow]);
        if stock.axes != flow.axes {
            return Err(CompileError::Equation {
                variable: self.element_name(element),
                span: Span::default(),
                reason: format!("the flow and its conveyor {:?} must have the same dimensions", stock.name),
            });
        }
        let place = stock.first + (element - flow.first);
        self.belt(place)
    }

    /// The conveyor at an element of a stock; it is laid out when it is first asked for.
    pub(crate) fn belt(&mut self, element: u32) -> Result<Belt, CompileError> {
        if let Some(belt) = self.belts.get(&element) {
            return Ok(belt.clone());
        }
        let index = self.elements[element as usize].variable;
        let model = self.model;
        let stock = self.infos[index].variable;
        let (Kind::Stock { inflows, outflows, .. }, Some(Container::Conveyor(options))) =
            (&stock.kind, &stock.container)
        else {
            return Err(self.refusal(
                element,
                "queue or oven",
                "queues and ovens are read and written but not run yet",
            ));
        };
        let env = self.env_of(index, element);
        let initial_env = env.at(Mode::Initial);
        let transit = self.lower(&options.transit_time, &initial_env)?;
        let clock = Clock { time: self.time.initial_time, dt: self.time.dt };
        let Some(transit) = self.graph.value(transit) else {
            return Err(self.refusal(
                element,
                "conveyor",
                "the transit time must be a number: write its value as the length",
            ));
        };
        let steps = clock.steps(transit).max(1);
        if steps > SLATS {
            return Err(self.refusal(element, "conveyor", "the transit time is more than 4096 steps"));
        }
        for (given, what) in [(options.sample.is_some(), "sample"), (options.arrest.is_some(), "arrest")] {
            if given {
                return Err(self.refusal(element, "conveyor", &format!("the option {what:?} is not built")));
            }
        }
        // Leak fractions now and at the start, and where they act.
        let (mut zones, mut names, mut fractions, mut starts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for name in outflows {
            let Some(leak) = model.variable(name).and_then(|flow| flow.leak.as_ref()) else { continue };
            if leak.integers {
                return Err(self.refusal(element, "leak_integers", "leakage in whole units is not built"));
            }
            zones.push(conveyor::Leak { zone: leak.zone, integers: false });
            names.push(name.clone());
            fractions.push(self.lower(&leak.fraction, &env)?);
            let start = self.lower(&leak.fraction, &initial_env)?;
            let Some(start) = self.graph.value(start) else {
                return Err(self.refusal(element, "leak", "the leak fraction must be a number at the start"));
            };
            starts.push(start);
        }
        let plain =
            conveyor::Options { leaks: zones, exponential: options.exponential_leak, discrete: options.discrete };
        // A unit of content in steady state gives the shape of the first belt.
        let shape = Conveyor::start(&plain, 1.0, transit, &starts, clock);
        let total = self.graph.add(Node::VariableInitial(element));
        let mut slats = Vec::new();
        for left in 1..=steps {
            let share = self.graph.number(shape.slat(left));
            let initial = self.graph.product(total, share);
            slats.push(self.held(element, initial));
        }
        let entered: Vec<(usize, Id)> = if plain.leaks.is_empty() || plain.exponential {
            Vec::new()
        } else {
            let share = self.graph.number(shape.slat(steps));
            let initial = self.graph.product(total, share);
            (0..steps).map(|_| self.held(element, initial)).collect()
        };
        let zero = self.graph.number(0.0);
        let step = self.graph.number(clock.dt);
        let mut leaked = vec![zero; plain.leaks.len()];
        let mut after: Vec<Id> = slats.iter().map(|slat| slat.1).collect();
        for left in 1..=steps {
            let amount = after[left - 1];
            let mut rest = amount;
            for (k, leak) in plain.leaks.iter().enumerate() {
                let share = conveyor::share(steps as u32, left as u32, leak.zone);
                if share == 0.0 {
                    continue;
                }
                let (base, factor) = if plain.exponential {
                    (amount, clock.dt * share * (leak.zone.1 - leak.zone.0) * steps as f64)
                } else {
                    (entered[left - 1].1, share)
                };
                let factor = self.graph.number(factor);
                let wanted = self.graph.product(base, factor);
                let wanted = self.graph.product(wanted, fractions[k]);
                let wanted = self.graph.binary(Binary::Max, zero, wanted);
                let part = self.graph.binary(Binary::Min, rest, wanted);
                rest = self.graph.difference(rest, part);
                leaked[k] = self.graph.sum(leaked[k], part);
            }
            after[left - 1] = rest;
        }
        let exit = self.graph.quotient(after[0], step);
        let leaks: Vec<(String, Id)> =
            names.into_iter().zip(leaked).map(|(name, amount)| (name, self.graph.quotient(amount, step))).collect();
        let amounts: Vec<Id> = slats.iter().map(|slat| slat.1).collect();
        let content = self.fold(Binary::Add, &amounts, 0.0);
        let mut room = None;
        if let Some(capacity) = &options.capacity {
            let capacity = self.lower(capacity, &env)?;
            let free = self.graph.difference(capacity, content);
            let mut rate = self.graph.quotient(free, step);
            rate = self.graph.sum(rate, exit);
            for leak in &leaks {
                rate = self.graph.sum(rate, leak.1);
            }
            room = Some(rate);
        }
        if let Some(limit) = &options.inflow_limit {
            if options.discrete {
                return Err(self.refusal(element, "in_limit", "the inflow limit of a discrete conveyor is not built"));
            }
            let limit = self.lower(limit, &env)?;
            room = Some(room.map_or(limit, |room| self.graph.binary(Binary::Min, room, limit)));
        }
        let belt = Belt { content, exit, leaks, room };
        self.belts.insert(element, belt.clone());
        // What enters at the end of the step: the inflows as they came to be.
        let mut inflow = zero;
        for name in inflows {
            let flow = self.flow_of_stock(name, &env)?;
            inflow = self.graph.sum(inflow, flow);
        }
        let inflow = self.graph.product(inflow, step);
        for left in 1..=steps {
            let next = if left == steps { inflow } else { after[left] };
            self.states[slats[left - 1].0].motion = Motion::Hold { next };
            if let Some(&(state, _)) = entered.get(left - 1) {
                let next = if left == steps { inflow } else { entered[left].1 };
                self.states[state].motion = Motion::Hold { next };
            }
        }
        Ok(belt)
    }

    fn held(&mut self, owner: u32, initial: Id) -> (usize, Id) {
        let index = self.states.len();
        self.states.push(State { owner, initial, motion: Motion::Hold { next: initial } });
        (index, self.graph.add(Node::State(index as u32)))
    }

    fn refusal(&self, element: u32, function: &str, reason: &str) -> CompileError {
        CompileError::Unsupported {
            function: function.to_owned(),
            variable: self.element_name(element),
            span: Span::default(),
            reason: reason.to_owned(),
        }
    }

    fn env_of(&self, index: usize, element: u32) -> Env {
        let info = &self.infos[index];
        let places = self.places(info, (element - info.first) as usize);
        Env {
            scope: info.scope,
            owner: element,
            mode: Mode::Current,
            places: std::rc::Rc::new(info.axes.iter().copied().zip(places).collect()),
            running: std::rc::Rc::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::Control;
    use crate::lanes::Kernel;
    use crate::sd::compile::flat::Options;
    use crate::sd::functions::conveyor::Controls;
    use crate::sd::program::Program;
    use crate::sd::sweep;

    fn model(conveyor: &str, inflow: &str, content: &str) -> String {
        format!(
            "<xmile version='1.0' xmlns='http://docs.oasis-open.org/xmile/ns/XMILE/v1.0'><header/>
            <sim_specs><start>0</start><stop>6</stop><dt>0.5</dt></sim_specs><model><variables>
            <stock name='belt'><eqn>{content}</eqn><inflow>arriving</inflow><outflow>departing</outflow>
            <outflow>seepage</outflow><outflow>spillage</outflow>{conveyor}</stock>
            <flow name='arriving'><eqn>{inflow}</eqn></flow><flow name='departing'/>
            <flow name='seepage' leak_start='0' leak_end='1'><eqn>0.05</eqn><leak/></flow>
            <flow name='spillage' leak_start='0.5' leak_end='1'><eqn>0.1</eqn><leak/></flow>
            </variables></model></xmile>"
        )
    }

    fn columns(text: &str) -> Result<Vec<Vec<f64>>, CompileError> {
        let model = crate::sd::read::xmile::read(text, "belt.xmile").unwrap();
        let save = ["belt", "departing", "seepage", "spillage", "arriving"].map(str::to_owned).to_vec();
        let options = Options { save: Some(save), ..Options::default() };
        let program = Program::compile(&model, &options, Kernel::Portable)?;
        let (values, _) = sweep::run(&program, &[], 0, [0, 0], &Control::default()).unwrap();
        Ok((0..5).map(|column| values.iter().skip(column).step_by(5).copied().collect()).collect())
    }

    #[test]
    fn slats_move_as_the_conveyor_does() {
        // As reference/sd/conveyors/leaky_conveyor.xmile, with and without a first content, linear and exponential, and full.
        for (exponential, content, capacity) in [
            (false, 0.0, f64::INFINITY),
            (false, 80.0, f64::INFINITY),
            (true, 80.0, f64::INFINITY),
            (false, 80.0, 150.0),
        ] {
            let limit = if capacity.is_finite() { format!("<capacity>{capacity}</capacity>") } else { String::new() };
            let text = model(
                &format!("<conveyor exponential_leak='{exponential}'><len>2</len>{limit}</conveyor>"),
                "100 + 10 * TIME",
                &content.to_string(),
            );
            let found = columns(&text).unwrap();
            let leak = |from: f64| conveyor::Leak { zone: (from, 1.0), integers: false };
            let options = conveyor::Options { leaks: vec![leak(0.0), leak(0.5)], exponential, discrete: false };
            let fractions = [0.05, 0.1];
            let mut belt = Conveyor::start(&options, content, 2.0, &fractions, Clock { time: 0.0, dt: 0.5 });
            for step in 0..12 {
                let clock = Clock { time: 0.5 * step as f64, dt: 0.5 };
                let controls = Controls {
                    transit_time: 2.0,
                    capacity,
                    inflow_limit: f64::INFINITY,
                    sample: 1.0,
                    arrest: 0.0,
                    fractions: &fractions,
                };
                let flows = belt.flows(&options, &controls, clock);
                let inflow = (100.0 + 10.0 * clock.time).min(flows.room);
                let expected = [belt.content(), flows.exit, flows.leaks[0], flows.leaks[1], inflow];
                for (column, value) in expected.iter().enumerate() {
                    // The same sums in another order.
                    assert!(
                        (found[column][step] - value).abs() < 1e-10,
                        "{column} {step}: {} {value}",
                        found[column][step]
                    );
                }
                belt.advance(&options, &controls, inflow, clock);
            }
        }
    }

    #[test]
    fn what_is_not_built_is_refused() {
        for conveyor in [
            "<conveyor><len>TIME + 1</len></conveyor>",
            "<conveyor><len>2</len><arrest>1</arrest></conveyor>",
            "<conveyor><len>2</len><sample>1</sample></conveyor>",
        ] {
            assert!(matches!(columns(&model(conveyor, "1", "0")), Err(CompileError::Unsupported { .. })), "{conveyor}");
        }
    }
}
