//! Functions of what a variable was: HISTORY, DERIVN, ENDVAL; and integrals and waves under other names.

use super::{Call, CompileError, Lowering};
use crate::sd::compile::graph::{Binary, Id, Motion, Node, Unary};
use crate::sd::compile::lower::Mode;

impl<'m> Lowering<'m> {
    pub(crate) fn history(&mut self, call: &Call<'m, '_>) -> Result<Option<Id>, CompileError> {
        Ok(Some(match call.name {
            "history" => self.value_at(call)?,
            "derivn" => self.derivative(call)?,
            "endval" => {
                // The first run of a session answers with the initial value: every run here is one.
                self.arity(call, 1, 2)?;
                if call.arguments.len() < 2 {
                    return Err(self.refuse(
                        call.env,
                        call.span,
                        "ENDVAL",
                        "it answers with the end of an earlier run of the session: runs here do not know each other; \
                         give the value to begin with as its second argument",
                    ));
                }
                self.start_of(call, 1)?
            }
            "percent" => {
                self.arity(call, 1, 1)?;
                let (x, hundred) = (self.argument(call, 0)?, self.graph.number(100.0));
                self.graph.product(x, hundred)
            }
            "sinwave" | "coswave" => {
                self.arity(call, 2, 2)?;
                let (amplitude, period) = (self.argument(call, 0)?, self.argument(call, 1)?);
                let time = match call.env.mode {
                    Mode::Current => self.graph.add(Node::Time),
                    Mode::Initial => self.graph.number(self.time.initial_time),
                };
                let turn = self.graph.number(2.0 * std::f64::consts::PI);
                let angle = self.graph.product(turn, time);
                let angle = self.graph.quotient(angle, period);
                let wave = self.graph.unary(if call.name == "sinwave" { Unary::Sin } else { Unary::Cos }, angle);
                self.graph.product(amplitude, wave)
            }
            "sinteg" => {
                // The noise and the limits that follow serve Vensim's Kalman filter; a run integrates.
                self.arity(call, 2, 5)?;
                let start = self.start_of(call, 1)?;
                if call.env.mode == Mode::Initial {
                    return Ok(Some(start));
                }
                let (index, level) = self.hidden_stock(call.env.owner, start);
                let rate = self.argument(call, 0)?;
                self.set_rate(index, rate);
                level
            }
            "time_base" => {
                self.arity(call, 2, 2)?;
                let (start, slope) = (self.argument(call, 0)?, self.argument(call, 1)?);
                let time = match call.env.mode {
                    Mode::Current => self.graph.add(Node::Time),
                    Mode::Initial => self.graph.number(self.time.initial_time),
                };
                let gone = self.graph.product(time, slope);
                self.graph.sum(start, gone)
            }
            _ => return Ok(None),
        }))
    }

    /// HISTORY(input, time): the input at an earlier time of the run, at the nearest step; before the run what it was at the
    /// start, from now on what it is. The time is a constant, or the time of the run less a constant.
    fn value_at(&mut self, call: &Call<'m, '_>) -> Result<Id, CompileError> {
        self.arity(call, 2, 2)?;
        let start = self.start_of(call, 0)?;
        if call.env.mode == Mode::Initial {
            return Ok(start);
        }
        let input = self.argument(call, 0)?;
        let time = self.step_time(Mode::Current);
        let step = self.graph.number(self.time.dt);
        let when = self.argument(call, 1)?;
        let (since, fixed) = match self.graph.node(when).clone() {
            _ if self.constant_now(when)?.is_some() => (self.graph.difference(time, when), true),
            Node::Binary(Binary::Subtract, now, age)
                if matches!(self.graph.node(now), Node::Time | Node::StepTime) && self.constant_now(age)?.is_some() =>
            {
                (age, false)
            }
            _ => {
                return Err(self.refuse(
                    call.env,
                    call.span,
                    "HISTORY",
                    "its time must be a constant or TIME less a constant: what is to be kept of the past depends on it",
                ));
            }
        };
        let ratio = self.graph.quotient(since, step);
        let steps = self.graph.unary(Unary::Round, ratio);
        // A ring answers at the next step, when a fixed time is one step longer ago.
        let one = self.graph.number(1.0);
        let length = if fixed { self.graph.sum(steps, one) } else { steps };
        let (index, past) = self.state(call.env.owner, start, Motion::Hold { next: 0 });
        self.states[index].motion = Motion::Ring { input, steps: length, moving: true };
        if !fixed {
            // The input itself only where nothing lies between: else a variable may hang on its own history.
            let age = self.constant_now(steps)?.unwrap_or(1.0);
            return Ok(if age < 0.5 { input } else { past });
        }
        let half = self.graph.number(0.5);
        let now = self.graph.binary(Binary::Less, steps, half);
        Ok(self.graph.select(now, input, past))
    }

    /// DERIVN(input, order): differences over the last steps, zero while there are none.
    fn derivative(&mut self, call: &Call<'m, '_>) -> Result<Id, CompileError> {
        self.arity(call, 1, 2)?;
        let order = self.argument_or(call, 1, 1.0)?;
        let order = match self.constant_now(order)? {
            Some(order) if (-0.5..16.5).contains(&order) => order.round() as usize,
            _ => {
                return Err(self.fault(
                    call.env,
                    call.span,
                    "the order of a derivative must be a constant from 0 to 16",
                ));
            }
        };
        let zero = self.graph.number(0.0);
        if call.env.mode == Mode::Initial {
            return if order == 0 { self.argument(call, 0) } else { Ok(zero) };
        }
        let step = self.graph.number(self.time.dt);
        let mut value = self.argument(call, 0)?;
        let mut start = self.start_of(call, 0)?;
        for _ in 0..order {
            let (index, before) = self.state(call.env.owner, start, Motion::Hold { next: 0 });
            self.states[index].motion = Motion::Hold { next: value };
            let gap = self.graph.difference(value, before);
            value = self.graph.quotient(gap, step);
            start = zero;
        }
        Ok(value)
    }
}
