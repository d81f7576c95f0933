//! Conveyors, queues and ovens in the equations: what drives their outflows, what limits their inflows.
//!
//! A container is lowered when it is first asked for. What leaves it depends on what is in it and on its options, never on
//! what enters in the same step, so that containers may follow one another in any way, in circles too.

mod belt;
mod elements;
#[cfg(test)]
mod tests;
mod vessel;

use std::rc::Rc;

use super::error::CompileError;
use super::graph::{Binary, Id, Machine, Motion, Node, State};
use super::lower::{Env, Lowering, Mode};
use crate::sd::expr::Span;
use crate::sd::functions::call::{Ask, Function};
use crate::sd::functions::machine;
use crate::sd::model::{Container, Kind, Method, canonical};

/// A container in the equations.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    /// What is in it.
    pub(crate) content: Id,
    /// The rate of each outflow in the order of the stock's list, during the run and at its start.
    ways: Vec<(Id, Id)>,
    /// The most that may enter, as a rate; none: no limit.
    room: Option<Id>,
    slats: Slats,
}

/// The parts of a container.
#[derive(Clone, Debug)]
enum Slats {
    /// The slats of a belt from its end, during the run and at its start.
    Fixed(Vec<(Id, Id)>),
    /// Those of a machine with these start values.
    Machine(u32, Vec<Id>),
}

/// What a flow is to a container: the place in the list of its outflows or inflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Out(usize),
    In(usize),
}

impl<'m> Lowering<'m> {
    /// Notes which flows belong to the containers among the variables from `first` on.
    pub(crate) fn note_containers(&mut self, first: usize) {
        for stock in first..self.infos.len() {
            let (variable, scope) = (self.infos[stock].variable, self.infos[stock].scope);
            let (Kind::Stock { inflows, outflows, .. }, true) = (&variable.kind, variable.container.is_some()) else {
                continue;
            };
            let outs = outflows.iter().enumerate().map(|(k, name)| (name, Role::Out(k)));
            let ins = inflows.iter().enumerate().map(|(k, name)| (name, Role::In(k)));
            for (name, role) in outs.chain(ins) {
                if let Some(flow) = self.find(&canonical(name), scope) {
                    self.roles.entry(flow).or_default().push((stock, role));
                }
            }
        }
    }

    /// The containers that a flow leaves or enters.
    fn roles_of(&self, flow: usize) -> Vec<(usize, Role)> {
        self.roles.get(&flow).cloned().unwrap_or_default()
    }

    fn container_of(&self, stock: usize) -> Option<&'m Container> {
        self.infos[stock].variable.container.as_ref()
    }

    /// The value of a flow that a container drives, if one does: during the run and at its start.
    pub(crate) fn driven(&mut self, index: usize, element: u32) -> Result<Option<(Id, Id)>, CompileError> {
        for (stock, role) in self.roles_of(index) {
            if let Role::Out(k) = role {
                let place = self.beside(stock, index, element)?;
                let (current, initial) = self.holder(place)?.ways[k];
                return Ok(Some((self.hold_in_step(current), initial)));
            }
        }
        if self.infos[index].variable.overflow {
            return Err(self.refusal(element, "overflow", "only a flow out of a queue can overflow"));
        }
        Ok(None)
    }

    /// An inflow of a container, cut to the room there is after the inflows before it.
    pub(crate) fn admitted(&mut self, index: usize, element: u32, flow: Id) -> Result<Id, CompileError> {
        for (stock, role) in self.roles_of(index) {
            let Role::In(k) = role else { continue };
            let place = self.beside(stock, index, element)?;
            let zero = self.graph.number(0.0);
            let flow = self.graph.binary(Binary::Max, zero, flow);
            let Some(room) = self.room(place, k)? else { return Ok(flow) };
            return Ok(self.graph.binary(Binary::Min, room, flow));
        }
        Ok(flow)
    }

    /// Whether a flow belongs to a container.
    pub(crate) fn contained(&self, index: usize) -> bool {
        self.roles.contains_key(&index)
    }

    /// A value as it was when the step began: what moves into and out of containers does not change within a
    /// Runge–Kutta step, so that nothing is lost between them and the stocks around them.
    pub(crate) fn hold_in_step(&mut self, value: Id) -> Id {
        if self.time.method == Method::Euler || self.graph.value(value).is_some() {
            return value;
        }
        let next = self.held.len() as u32;
        let slot = *self.held.entry(value).or_insert(next);
        self.graph.call(Function::Machine(slot, Ask::Hold), vec![value])
    }

    /// The most that inflow `k` of a container may bring: what conveyors and ovens bring comes in any case, and inflows
    /// before it come first.
    fn room(&mut self, element: u32, k: usize) -> Result<Option<Id>, CompileError> {
        let Some(mut room) = self.holder(element)?.room else { return Ok(None) };
        let index = self.elements[element as usize].variable;
        let Kind::Stock { inflows, .. } = &self.infos[index].variable.kind else { return Ok(Some(room)) };
        let scope = self.infos[index].scope;
        for (j, name) in inflows.iter().enumerate() {
            let certain = self.find(&canonical(name), scope).is_some_and(|flow| {
                self.roles_of(flow).iter().any(|&(stock, role)| {
                    matches!(role, Role::Out(_)) && !matches!(self.container_of(stock), Some(Container::Queue))
                })
            });
            if j != k && (j < k || certain) {
                let env = self.env_of(element);
                let taken = self.flow_of_stock(name, &env)?;
                room = self.graph.difference(room, taken);
            }
        }
        let zero = self.graph.number(0.0);
        Ok(Some(self.graph.binary(Binary::Max, zero, room)))
    }

    /// The element of a stock that stands where an element of a flow stands.
    fn beside(&self, stock: usize, flow: usize, element: u32) -> Result<u32, CompileError> {
        let (stock, flow) = (&self.infos[stock], &self.infos[flow]);
        if stock.axes != flow.axes {
            return Err(CompileError::Equation {
                variable: self.element_name(element),
                span: Span::default(),
                reason: format!("the flow and its container {:?} must have the same dimensions", stock.name),
            });
        }
        Ok(stock.first + (element - flow.first))
    }

    /// The container at an element of a stock.
    pub(crate) fn holder(&mut self, element: u32) -> Result<Holder, CompileError> {
        if let Some(holder) = self.holders.get(&element) {
            return Ok(holder.clone());
        }
        let index = self.elements[element as usize].variable;
        match self.container_of(index) {
            Some(Container::Conveyor(options)) => self.conveyor(element, options),
            Some(Container::Queue) => self.queue(element),
            Some(Container::Oven(options)) => self.oven(element, options),
            None => Err(self.refusal(element, "container", "the stock is no conveyor, queue or oven")),
        }
    }

    /// The inflows of a container's element, in the order of its list.
    fn inflows_of(&mut self, element: u32) -> Result<Vec<Id>, CompileError> {
        let index = self.elements[element as usize].variable;
        let Kind::Stock { inflows, .. } = &self.infos[index].variable.kind else { return Ok(Vec::new()) };
        let env = self.env_of(element);
        inflows.iter().map(|name| self.flow_of_stock(name, &env)).collect()
    }

    /// A machine whose inflows are not known yet: its number.
    pub(crate) fn machine(&mut self, owner: u32, kind: machine::Kind, start: Vec<Id>) -> u32 {
        let zero = self.graph.number(0.0);
        let state = self.states.len() as u32;
        self.states.push(State { owner, initial: zero, motion: Motion::Hold { next: zero } });
        self.machines.push(Machine { kind, start, state: Some(state), sources: Vec::new() });
        self.machines.len() as u32 - 1
    }

    /// What a machine is told each step.
    pub(crate) fn tell(&mut self, which: u32, controls: &[Id], inflows: Vec<Id>) {
        let mut told = controls.to_vec();
        told.extend(inflows);
        let next = self.graph.call(Function::Machine(which, Ask::Turn), told);
        if let Some(state) = self.machines[which as usize].state {
            self.states[state as usize].motion = Motion::Hold { next };
        }
    }

    /// Output `k` of a machine in this step.
    pub(crate) fn machine_output(&mut self, which: u32, controls: &[Id], k: usize) -> Id {
        let outputs = self.machines[which as usize].kind.outputs() as u32;
        let call = self.graph.call(Function::Machine(which, Ask::Outputs(outputs)), controls.to_vec());
        self.graph.add(Node::Output(call, k as u32))
    }

    /// Output `k` of a machine at the start of the run, with the controls of then.
    pub(crate) fn first_output(&mut self, which: u32, controls: &[Id], k: usize) -> Id {
        let plan = &self.machines[which as usize];
        let outputs = plan.kind.outputs() as u32;
        let mut arguments = plan.start.clone();
        arguments.extend(controls);
        let call = self.graph.call(Function::Machine(which, Ask::FirstOutputs(outputs)), arguments);
        self.graph.add(Node::Output(call, k as u32))
    }

    fn refusal(&self, element: u32, function: &str, reason: &str) -> CompileError {
        CompileError::Unsupported {
            function: function.to_owned(),
            variable: self.element_name(element),
            span: Span::default(),
            reason: reason.to_owned(),
        }
    }

    /// The environment of a variable's element.
    pub(crate) fn env_of(&self, element: u32) -> Env {
        let info = &self.infos[self.elements[element as usize].variable];
        let places = self.places(info, (element - info.first) as usize);
        Env {
            scope: info.scope,
            owner: element,
            mode: Mode::Current,
            places: Rc::new(info.axes.iter().copied().zip(places).collect()),
            running: Rc::default(),
        }
    }
}
