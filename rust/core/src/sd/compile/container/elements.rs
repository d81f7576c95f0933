//! What equations ask of a container: its slats or batches, one by one or together (XMILE 1.0 §3.7.1.3), and an oven's state.

use super::Slats;
use crate::sd::compile::calls::Call;
use crate::sd::compile::error::CompileError;
use crate::sd::compile::graph::{Binary, Id, Node, Unary};
use crate::sd::compile::lower::{At, Env, Lowering, Mode};
use crate::sd::expr::{Expr, ExprKind, Span, Subscript};
use crate::sd::functions::call::{Ask, Function};
use crate::sd::functions::machine::Query;
use crate::sd::model::{Container, canonical};

impl<'m> Lowering<'m> {
    /// The container's element that an expression names, if it names one.
    fn container_meant(&mut self, expr: &'m Expr, env: &Env) -> Result<Option<u32>, CompileError> {
        let (expr, env) = self.unbind(expr, env);
        let ExprKind::Reference { name, subscripts } = &expr.kind else { return Ok(None) };
        let Some(index) = self.find(&canonical(name), env.scope) else { return Ok(None) };
        let info = &self.infos[index];
        let whole = subscripts.len() == info.axes.len()
            && !subscripts.iter().any(|subscript| matches!(subscript, Subscript::Reduce(_)));
        if info.variable.container.is_none() || !whole {
            return Ok(None);
        }
        Ok(match self.element_at(index, subscripts, expr.span, &env)? {
            At::Fixed(element) => Some(element),
            At::Moving(..) => None,
        })
    }

    /// MIN, MAX, MEAN, STDDEV, SIZE of a container: over its slats or batches.
    pub(crate) fn of_container(&mut self, call: &Call<'m, '_>) -> Result<Option<Id>, CompileError> {
        let query = match (call.name, call.arguments) {
            ("min", [_]) => Query::Least,
            ("max", [_]) => Query::Most,
            ("mean", [_]) => Query::Mean,
            ("stddev", [_]) => Query::Deviation,
            ("size", [_]) => Query::Elements,
            ("prod", [_]) => {
                let container = self.container_meant(call.at(0), call.env)?;
                return match container {
                    Some(_) => Err(self.refuse(call.env, call.span, "PROD", "its argument is a container")),
                    None => Ok(None),
                };
            }
            ("qelem", [_, place]) => {
                let Some(element) = self.container_meant(call.at(0), call.env)? else {
                    return Err(self.fault(call.env, call.span, "QELEM needs a queue or conveyor"));
                };
                let place = self.lower(place, call.env)?;
                return self.element_of_container(element, place, call.env).map(Some);
            }
            ("ostate", [_]) => {
                let element = self.container_meant(call.at(0), call.env)?;
                let oven = element.filter(|&element| {
                    let index = self.elements[element as usize].variable;
                    matches!(self.container_of(index), Some(Container::Oven(_)))
                });
                let Some(element) = oven else { return Err(self.fault(call.env, call.span, "OSTATE needs an oven")) };
                self.holder(element)?;
                let initial = call.env.mode == Mode::Initial;
                return Ok(self.ovens.get(&element).map(|&(now, start)| if initial { start } else { now }));
            }
            ("cycletime" | "ctmean" | "ctmax" | "ctmin" | "ctstddev" | "throughput" | "transtime", _) => {
                return Err(self.refuse(
                    call.env,
                    call.span,
                    &call.name.to_uppercase(),
                    "material is not stamped with the time of its entry, so that cycle times are not known",
                ));
            }
            _ => return Ok(None),
        };
        let Some(element) = self.container_meant(call.at(0), call.env)? else { return Ok(None) };
        let initial = call.env.mode == Mode::Initial;
        let slats: Vec<Id> = match self.holder(element)?.slats {
            Slats::Machine(which, start) => return Ok(Some(self.ask(which, &start, query, &[], initial))),
            Slats::Fixed(slats) => slats.into_iter().map(|(now, start)| if initial { start } else { now }).collect(),
        };
        let count = self.graph.number(slats.len() as f64);
        let sum = self.fold(Binary::Add, &slats, 0.0);
        let mean = self.graph.quotient(sum, count);
        Ok(Some(match query {
            Query::Elements => count,
            Query::Least => self.fold(Binary::Min, &slats, 0.0),
            Query::Most => self.fold(Binary::Max, &slats, 0.0),
            Query::Mean => mean,
            _ => {
                let squares: Vec<Id> = slats
                    .iter()
                    .map(|&slat| {
                        let gap = self.graph.difference(slat, mean);
                        self.graph.product(gap, gap)
                    })
                    .collect();
                let sum = self.fold(Binary::Add, &squares, 0.0);
                let variance = self.graph.quotient(sum, count);
                self.graph.unary(Unary::Sqrt, variance)
            }
        }))
    }

    /// `belt[k]`: a slat or batch of a container, if the subscripts of a reference are one more than its dimensions.
    pub(crate) fn slat(
        &mut self,
        index: usize,
        subscripts: &'m [Subscript],
        span: Span,
        env: &Env,
    ) -> Result<Option<Id>, CompileError> {
        let info = &self.infos[index];
        if info.variable.container.is_none() || subscripts.len() != info.axes.len() + 1 {
            return Ok(None);
        }
        let (own, last) = subscripts.split_at(info.axes.len());
        let place = match &last[0] {
            Subscript::Index(expr) => self.lower(expr, env)?,
            Subscript::Name(name) => match name.parse::<f64>() {
                Ok(number) => self.graph.number(number),
                Err(_) => self.reference(name, &[], span, env)?,
            },
            Subscript::Reduce(_) => {
                return Err(self.fault(
                    env,
                    span,
                    "ask for the slats of a container by a number, or use SUM, MEAN, MIN, MAX",
                ));
            }
        };
        let At::Fixed(element) = self.element_at(index, own, span, env)? else {
            return Err(self.fault(env, span, "a slat cannot be taken of a container that is chosen during the run"));
        };
        self.element_of_container(element, place, env).map(Some)
    }

    fn element_of_container(&mut self, element: u32, place: Id, env: &Env) -> Result<Id, CompileError> {
        let initial = env.mode == Mode::Initial;
        match self.holder(element)?.slats {
            Slats::Machine(which, start) => Ok(self.ask(which, &start, Query::Element, &[place], initial)),
            Slats::Fixed(slats) => {
                let slats: Vec<Id> = slats.into_iter().map(|(now, start)| if initial { start } else { now }).collect();
                let none = self.graph.number(f64::NAN);
                if let Some(k) = self.graph.value(place) {
                    let k = k.round();
                    let found = if k >= 1.0 { slats.get(k as usize - 1).copied() } else { None };
                    return Ok(found.unwrap_or(none));
                }
                let one = self.graph.number(1.0);
                let count = self.graph.number(slats.len() as f64);
                let mut arguments = vec![self.graph.difference(place, one)];
                arguments.extend(slats);
                let value = self.graph.call(Function::Pick, arguments);
                let place = self.graph.unary(Unary::Round, place);
                let (low, high) =
                    (self.graph.binary(Binary::Less, place, one), self.graph.binary(Binary::Greater, place, count));
                let outside = self.graph.binary(Binary::Or, low, high);
                Ok(self.graph.select(outside, none, value))
            }
        }
    }

    /// A question to a machine, now or at the start of the run.
    pub(crate) fn ask(&mut self, which: u32, start: &[Id], query: Query, arguments: &[Id], initial: bool) -> Id {
        let mut given = if initial { start.to_vec() } else { Vec::new() };
        given.extend(arguments);
        let ask = if initial { Ask::FirstQuery(query) } else { Ask::Query(query) };
        self.graph.add(Node::Call(Function::Machine(which, ask), given.into_boxed_slice(), 0))
    }
}
