//! GET TIME VALUE: time in the units of the calendar.

use super::{Call, CompileError, Lowering};
use crate::sd::compile::graph::Id;
use crate::sd::functions::calendar;
use crate::sd::functions::call::Function;

impl<'m> Lowering<'m> {
    /// GET TIME VALUE(relative to, offset, measure)
    pub(crate) fn time_value(&mut self, call: &Call<'m, '_>) -> Result<Id, CompileError> {
        self.arity(call, 3, 3)?;
        let offset = self.argument(call, 1)?;
        let relative = self.argument(call, 0)?;
        let measure = self.argument(call, 2)?;
        let (Some(relative), Some(measure)) = (self.constant_now(relative)?, self.constant_now(measure)?) else {
            return Err(self.fault(
                call.env,
                call.span,
                "the first and third argument of GET TIME VALUE must be constants",
            ));
        };
        let refuse = |this: &Self, reason: &str| Err(this.refuse(call.env, call.span, "GET TIME VALUE", reason));
        let origin = match relative.round() as i64 {
            0 => self.step_time(call.env.mode),
            1 => self.graph.number(self.time.initial_time),
            2 => return refuse(self, "a time relative to the computer's clock would make runs irreproducible"),
            other => {
                return Err(self.fault(
                    call.env,
                    call.at(0).span,
                    format!("relative to {other}: expected 0 (the time) or 1 (the initial time)"),
                ));
            }
        };
        let time = self.graph.sum(origin, offset);
        let measure = measure.round();
        if measure == 0.0 {
            return Ok(time);
        }
        if !(1.0..=10.0).contains(&measure) {
            return Err(self.fault(call.env, call.at(2).span, format!("the measure is {measure}: expected 0 to 10")));
        }
        let Some((days, even)) = calendar::unit(&self.time.unit) else {
            return refuse(
                self,
                "measures of the calendar need a unit of time from year to second: give TIME STEP one of them",
            );
        };
        let Some(date) = self.model.date else {
            return refuse(
                self,
                "measures of the calendar need the date of time zero, which the file's settings do not say",
            );
        };
        if even && (measure == f64::from(calendar::WEEKDAY) || measure == f64::from(calendar::DAYS)) {
            return refuse(
                self,
                "Vensim does not say which day of the week, or how many days since 1 BC, a day in a year of 360 days is; use a \
                 model in weeks or days",
            );
        }
        let numbers =
            [measure, days, f64::from(date.0), f64::from(date.1), f64::from(date.2), f64::from(u8::from(even))];
        let mut arguments: Vec<Id> = numbers.iter().map(|&number| self.graph.number(number)).collect();
        arguments.push(time);
        Ok(self.graph.call(Function::Calendar, arguments))
    }
}
