//! Functions with memory: smooths, delays, trends, held values, pipelines. Each becomes states of the model.

use super::{Call, CompileError, Lowering};
use crate::sd::compile::graph::{Binary, Id, Motion, Node, State, Unary};
use crate::sd::compile::lower::Mode;
use crate::sd::dialect::Dialect;

impl<'m> Lowering<'m> {
    pub(crate) fn state(&mut self, owner: u32, initial: Id, motion: Motion) -> (usize, Id) {
        let index = self.states.len();
        self.states.push(State { owner, initial, motion });
        (index, self.graph.add(Node::State(index as u32)))
    }

    /// A stock that the author did not write. Its rate is set later, because it may depend on itself.
    pub(crate) fn hidden_stock(&mut self, owner: u32, initial: Id) -> (usize, Id) {
        self.state(owner, initial, Motion::Stock { rate: 0, floor: false })
    }

    pub(crate) fn set_rate(&mut self, state: usize, rate: Id) {
        self.states[state].motion = Motion::Stock { rate, floor: false };
    }

    pub(crate) fn delay(&mut self, call: &Call<'m, '_>) -> Result<Option<Id>, CompileError> {
        let vensim = self.model.dialect == Dialect::Vensim;
        Ok(Some(match call.name {
            "smooth" | "smth1" | "smoothi" => self.smooth(call, 2, 1)?,
            "smooth3" | "smth3" | "smooth3i" => self.smooth(call, 2, 3)?,
            "delay1" | "delay1i" => self.material(call, 2, 1)?,
            "delay3" | "delay3i" => self.material(call, 2, 3)?,
            "smooth_n" | "smoothn" | "smthn" | "delay_n" | "delayn" => {
                self.arity(call, 3, 4)?;
                // Vensim: input, time, initial, order. XMILE: input, time, order, initial.
                let spaced = matches!(call.name, "smooth_n" | "delay_n");
                let (order_at, initial_at) =
                    if spaced || (vensim && call.arguments.len() == 4) { (3, 2) } else { (2, 3) };
                if order_at >= call.arguments.len() {
                    self.arity(call, 4, 4)?;
                }
                let order = self.order(call, order_at)?;
                if call.name.starts_with("sm") {
                    self.smooth(call, initial_at, order)?
                } else {
                    self.material(call, initial_at, order)?
                }
            }
            "trend" => {
                self.arity(call, 2, 3)?;
                self.trend(call, 2)?
            }
            "forecast" | "forcst" => {
                self.arity(call, 3, 4)?;
                let trend = self.trend(call, 3)?;
                let (input, horizon) = (self.argument(call, 0)?, self.argument(call, 2)?);
                let one = self.graph.number(1.0);
                let growth = self.graph.product(trend, horizon);
                let factor = self.graph.sum(one, growth);
                self.graph.product(input, factor)
            }
            "sample_if_true" => {
                self.arity(call, 3, 3)?;
                if call.env.mode == Mode::Initial {
                    let (c, x, start) = (self.argument(call, 0)?, self.argument(call, 1)?, self.argument(call, 2)?);
                    return Ok(Some(self.graph.select(c, x, start)));
                }
                let start = self.start_of(call, 2)?;
                let (index, held) = self.state(call.env.owner, start, Motion::Hold { next: 0 });
                let (c, x) = (self.argument(call, 0)?, self.argument(call, 1)?);
                let next = self.graph.select(c, x, held);
                self.states[index].motion = Motion::Hold { next };
                next
            }
            "previous" => {
                self.arity(call, 1, 2)?;
                let start = self.start_of(call, call.arguments.len() - 1)?;
                if call.env.mode == Mode::Initial {
                    return Ok(Some(start));
                }
                let (index, held) = self.state(call.env.owner, start, Motion::Hold { next: 0 });
                let next = self.argument(call, 0)?;
                self.states[index].motion = Motion::Hold { next };
                held
            }
            "delay_fixed" => {
                self.arity(call, 3, 3)?;
                self.pipeline(call, 2, false)?
            }
            "delay" | "delayp" | "delay_pipeline" => {
                self.arity(call, 2, 3)?;
                self.pipeline(call, if call.arguments.len() == 3 { 2 } else { 0 }, !vensim)?
            }
            "reinitial" => self.start_of(call, 0)?,
            "counter" | "history" => {
                return Err(self.refuse(
                    call.env,
                    call.span,
                    &call.name.replace('_', " ").to_uppercase(),
                    "the function is known and not yet built; write the delay as stocks and flows",
                ));
            }
            _ => return Ok(None),
        }))
    }

    fn order(&mut self, call: &Call<'m, '_>, k: usize) -> Result<usize, CompileError> {
        let node = self.argument(call, k)?;
        // Vensim reads an order that moves at the start only.
        let mut order = self.constant_now(node)?;
        if order.is_none() {
            let start = self.start_of(call, k)?;
            order = self.constant_now(start)?;
        }
        match order {
            Some(order) if (0.5..1000.5).contains(&order) => Ok(order.round() as usize),
            Some(order) => Err(self.fault(
                call.env,
                call.at(k).span,
                format!("the order of a delay is {order}: expected 1 to 1000"),
            )),
            None => Err(self.fault(
                call.env,
                call.at(k).span,
                "the order of a delay must be a constant: it decides how many stocks there are",
            )),
        }
    }

    /// The start value of a function with memory: its argument, or the input at the start.
    fn start(&mut self, call: &Call<'m, '_>, k: usize) -> Result<Id, CompileError> {
        self.start_of(call, if k < call.arguments.len() { k } else { 0 })
    }

    /// An `order`-fold exponential average: the stages hold the averages.
    fn smooth(&mut self, call: &Call<'m, '_>, initial_at: usize, order: usize) -> Result<Id, CompileError> {
        self.arity(call, 2, 4)?;
        let start = self.start(call, initial_at)?;
        if call.env.mode == Mode::Initial {
            return Ok(start);
        }
        let stages: Vec<_> = (0..order).map(|_| self.hidden_stock(call.env.owner, start)).collect();
        let mut from = self.argument(call, 0)?;
        let time = self.argument(call, 1)?;
        let time = self.shared(time, order);
        for &(index, level) in &stages {
            let gap = self.graph.difference(from, level);
            let rate = self.graph.quotient(gap, time);
            self.set_rate(index, rate);
            from = level;
        }
        Ok(from)
    }

    /// An `order`-fold material delay: the stages hold what is on its way.
    fn material(&mut self, call: &Call<'m, '_>, initial_at: usize, order: usize) -> Result<Id, CompileError> {
        self.arity(call, 2, 4)?;
        let start = self.start(call, initial_at)?;
        if call.env.mode == Mode::Initial {
            return Ok(start);
        }
        let time_start = self.start_of(call, 1)?;
        let time_start = self.shared(time_start, order);
        let level_start = self.graph.product(start, time_start);
        let stages: Vec<_> = (0..order).map(|_| self.hidden_stock(call.env.owner, level_start)).collect();
        let mut inflow = self.argument(call, 0)?;
        let time = self.argument(call, 1)?;
        let time = self.shared(time, order);
        for &(index, level) in &stages {
            let outflow = self.graph.quotient(level, time);
            let rate = self.graph.difference(inflow, outflow);
            self.set_rate(index, rate);
            inflow = outflow;
        }
        Ok(inflow)
    }

    fn shared(&mut self, time: Id, order: usize) -> Id {
        if order == 1 {
            return time;
        }
        let order = self.graph.number(order as f64);
        self.graph.quotient(time, order)
    }

    /// Fractional change a unit of time against an exponential average (Sterman 2000, chapter 16).
    fn trend(&mut self, call: &Call<'m, '_>, initial_at: usize) -> Result<Id, CompileError> {
        let start = self.start_of(call, 0)?;
        let trend_start =
            if initial_at < call.arguments.len() { self.start_of(call, initial_at)? } else { self.graph.number(0.0) };
        if call.env.mode == Mode::Initial {
            return Ok(trend_start);
        }
        let one = self.graph.number(1.0);
        let time_start = self.start_of(call, 1)?;
        let grown = self.graph.product(trend_start, time_start);
        let factor = self.graph.sum(one, grown);
        let initial = self.graph.quotient(start, factor);
        let (index, average) = self.hidden_stock(call.env.owner, initial);
        let (input, time) = (self.argument(call, 0)?, self.argument(call, 1)?);
        let gap = self.graph.difference(input, average);
        let rate = self.graph.quotient(gap, time);
        self.set_rate(index, rate);
        let size = self.graph.unary(Unary::Abs, average);
        let scale = self.graph.product(time, size);
        let limit = self.graph.number(1e-6);
        let zero = self.graph.number(0.0);
        let tiny = self.graph.binary(Binary::Less, scale, limit);
        let ratio = self.graph.quotient(gap, scale);
        Ok(self.graph.select(tiny, zero, ratio))
    }

    /// What went in a fixed time ago; at least one step ago, as in Vensim.
    fn pipeline(&mut self, call: &Call<'m, '_>, initial_at: usize, moving: bool) -> Result<Id, CompileError> {
        let start = self.start_of(call, initial_at)?;
        if call.env.mode == Mode::Initial {
            return Ok(start);
        }
        let mut time = self.start_of(call, 1)?;
        let moving = moving && {
            let now = self.argument(call, 1)?;
            let fixed = self.constant_now(now)?.is_some();
            if !fixed {
                time = now;
            }
            !fixed
        };
        let (index, value) = self.state(call.env.owner, start, Motion::Hold { next: 0 });
        let input = self.argument(call, 0)?;
        let step = self.graph.number(self.time.dt);
        let ratio = self.graph.quotient(time, step);
        // A time that is a whole number of steps but for rounding keeps that number.
        let slack = self.graph.number(1e-6);
        let ratio = if self.model.dialect == Dialect::Vensim {
            // Vensim's pipeline is as long as the first whole number of steps not below the delay time.
            let one = self.graph.number(1.0);
            let less = self.graph.difference(ratio, slack);
            let whole = self.graph.unary(Unary::Floor, less);
            self.graph.sum(whole, one)
        } else {
            let more = self.graph.sum(ratio, slack);
            self.graph.unary(Unary::Round, more)
        };
        self.states[index].motion = Motion::Ring { input, steps: ratio, moving };
        Ok(value)
    }
}
