//! Present values, as Vensim's reference manual writes them with stocks.

use super::{Call, CompileError, Lowering};
use crate::sd::compile::graph::{Id, Unary};
use crate::sd::compile::lower::Mode;

impl<'m> Lowering<'m> {
    pub(crate) fn finance(&mut self, call: &Call<'m, '_>) -> Result<Option<Id>, CompileError> {
        Ok(Some(match call.name {
            // NPV(stream, discount rate, initial value, factor): each payment at the begin of its step.
            "npv" => {
                self.arity(call, 2, 4)?;
                let start = if call.arguments.len() > 2 { self.start_of(call, 2)? } else { self.graph.number(0.0) };
                let one = self.graph.number(1.0);
                self.present_value(call, start, one)?
            }
            // NPVE: each payment at the end of its step, so that the first one is discounted by a step as well
            // (vensim.com/documentation/fn_npve.html).
            "npve" => {
                self.arity(call, 4, 4)?;
                let start = self.start_of(call, 2)?;
                let one = self.graph.number(1.0);
                let step = self.graph.number(self.time.dt);
                let rate = self.start_of(call, 1)?;
                let growth = self.graph.product(rate, step);
                let growth = self.graph.sum(one, growth);
                let first = self.graph.quotient(one, growth);
                self.present_value(call, start, first)?
            }
            _ => return Ok(None),
        }))
    }

    /// Payments so far, discounted, and `start`, times the factor; the first payment is discounted by `first`.
    fn present_value(&mut self, call: &Call<'m, '_>, start: Id, first: Id) -> Result<Id, CompileError> {
        let one = self.graph.number(1.0);
        let step = self.graph.number(self.time.dt);
        let stream = self.argument(call, 0)?;
        let factor = self.argument_or(call, 3, 1.0)?;
        let (discount, sum) = if call.env.mode == Mode::Initial {
            (first, start)
        } else {
            let (discount_at, discount) = self.hidden_stock(call.env.owner, first);
            let (sum_at, sum) = self.hidden_stock(call.env.owner, start);
            let rate = self.argument(call, 1)?;
            let scaled = self.graph.product(rate, step);
            let divisor = self.graph.sum(one, scaled);
            let lost = self.graph.product(discount, rate);
            let lost = self.graph.quotient(lost, divisor);
            let falling = self.graph.unary(Unary::Negative, lost);
            self.set_rate(discount_at, falling);
            let present = self.graph.product(stream, discount);
            self.set_rate(sum_at, present);
            (discount, sum)
        };
        let present = self.graph.product(stream, discount);
        let now = self.graph.product(present, step);
        let value = self.graph.sum(sum, now);
        Ok(self.graph.product(value, factor))
    }
}
