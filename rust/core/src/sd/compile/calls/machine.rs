//! Vensim's discrete delays and queues: DELAY MATERIAL, DELAY BATCH, DELAY CONVEYOR, QUEUE FIFO and their kin, and SHIFT IF TRUE.
//!
//! Each call is a machine ([`crate::sd::functions::machine`]) that moves once a step, as Vensim's do whatever the method.

use super::{Call, CompileError, Lowering};
use crate::sd::compile::graph::{Binary, Id, Motion, Node};
use crate::sd::compile::lower::{At, Mode, NOT_AVAILABLE};
use crate::sd::expr::ExprKind;
use crate::sd::functions::machine::{Kind as Machine, Query};
use crate::sd::functions::material;
use crate::sd::model::{Kind, canonical};

impl<'m> Lowering<'m> {
    pub(crate) fn machines(&mut self, call: &Call<'m, '_>) -> Result<Option<Id>, CompileError> {
        Ok(Some(match call.name {
            "delay_material" => {
                self.arity(call, 4, 4)?;
                let kind = Machine::Delay(material::Kind::Material);
                self.run_machine(call, kind, &[2, 1], &[3], &[0, 1])?
            }
            "delay_information" => {
                self.arity(call, 3, 3)?;
                // What arrives nowhere is no question to information: the last news stand.
                let kind = Machine::Delay(material::Kind::Information);
                self.run_machine(call, kind, &[2, 1], &[2], &[0, 1])?
            }
            "delay_batch" => {
                self.arity(call, 6, 6)?;
                self.run_machine(call, Machine::Batch, &[3, 4, 5], &[], &[0, 1, 2])?
            }
            "delay_conveyor" => {
                self.arity(call, 6, 6)?;
                let profile = self.points_argument(call, 3)?;
                self.run_machine(call, Machine::Belt(profile), &[4, 5], &[1], &[0, 2])?
            }
            "delay_profile" => {
                self.arity(call, 5, 5)?;
                let profile = self.points_argument(call, 0)?;
                self.run_machine(call, Machine::Response(profile), &[2, 3, 4], &[], &[1, 2])?
            }
            "queue_fifo" => {
                self.arity(call, 5, 5)?;
                let profile = self.points_argument(call, 2)?;
                self.run_machine(call, Machine::Fifo(profile, None), &[3, 4], &[], &[0, 1])?
            }
            "queue_fifo_attrib" => {
                self.arity(call, 9, 9)?;
                let (profile, attributes) = (self.points_argument(call, 4)?, self.points_argument(call, 5)?);
                self.run_machine(call, Machine::Fifo(profile, Some(attributes)), &[6, 8, 7], &[], &[0, 1, 2, 3])?
            }
            "queue_age_average" => self.queue_query(call, Query::AgeAverage, 2, false)?,
            "queue_age_in_range" => self.queue_query(call, Query::AgeInRange, 3, false)?,
            "queue_age_oldest" => self.queue_query(call, Query::AgeOldest, 1, false)?,
            "queue_attrib_average" => self.queue_query(call, Query::AttributeAverage, 2, true)?,
            "queue_attrib_in_range" => self.queue_query(call, Query::AttributeInRange, 3, true)?,
            "queue_attrib_max" => self.queue_query(call, Query::AttributeMax, 1, true)?,
            "queue_attrib_min" => self.queue_query(call, Query::AttributeMin, 1, true)?,
            "queue_attrib_quantity" => self.queue_query(call, Query::AttributeQuantity, 2, true)?,
            "depreciate_straightline" => {
                self.arity(call, 4, 4)?;
                self.run_machine(call, Machine::StraightLine, &[1, 2, 3], &[0], &[0])?
            }
            "depreciate_by_schedule" => {
                self.arity(call, 5, 5)?;
                self.by_schedule(call)?
            }
            "shift_if_true" => {
                self.arity(call, 5, 5)?;
                self.shift(call)?
            }
            _ => return Ok(None),
        }))
    }

    /// The points of a lookup that is an argument.
    fn points_argument(&mut self, call: &Call<'m, '_>, k: usize) -> Result<Vec<(f64, f64)>, CompileError> {
        let (table, _) = self.table_argument(call, k)?;
        let points = self.whole(table);
        Ok(points.x.iter().copied().zip(points.y.iter().copied()).collect())
    }

    /// A machine whose start values, controls and inflows are these arguments: its first output.
    fn run_machine(
        &mut self,
        call: &Call<'m, '_>,
        kind: Machine,
        start: &[usize],
        controls: &[usize],
        inflows: &[usize],
    ) -> Result<Id, CompileError> {
        let start = start.iter().map(|&k| self.start_of(call, k)).collect::<Result<Vec<Id>, _>>()?;
        self.started_machine(call, kind, start, controls, inflows)
    }

    fn started_machine(
        &mut self,
        call: &Call<'m, '_>,
        kind: Machine,
        start: Vec<Id>,
        controls: &[usize],
        inflows: &[usize],
    ) -> Result<Id, CompileError> {
        let fifo = matches!(kind, Machine::Fifo(..));
        let which = self.machine(call.env.owner, kind, start);
        // During the run as in the step, at the start as in the first.
        let controls = controls.iter().map(|&k| self.argument(call, k)).collect::<Result<Vec<Id>, _>>()?;
        if call.env.mode == Mode::Initial {
            return Ok(self.first_output(which, &controls, 0));
        }
        if fifo {
            self.queues.insert(call.env.owner, which);
        }
        let inflows = inflows.iter().map(|&k| self.argument(call, k)).collect::<Result<Vec<Id>, _>>()?;
        self.tell(which, &controls, inflows);
        Ok(self.machine_output(which, &controls, 0))
    }

    /// A question to a variable that is defined as a queue; not available of any other, as in Vensim.
    fn queue_query(
        &mut self,
        call: &Call<'m, '_>,
        query: Query,
        arguments: usize,
        attributes: bool,
    ) -> Result<Id, CompileError> {
        // The manual's examples leave out the quantity of an average: everything.
        let average = matches!(query, Query::AgeAverage | Query::AttributeAverage);
        self.arity(call, if average { 1 } else { arguments }, arguments)?;
        let (expr, env) = self.unbind(call.at(0), call.env);
        let element = match &expr.kind {
            ExprKind::Reference { name, subscripts } => match self.find(&canonical(name), env.scope) {
                Some(index) => match self.element_at(index, subscripts, expr.span, &env)? {
                    At::Fixed(element) => Some(element),
                    At::Moving(..) => None,
                },
                None => return Err(self.unknown(name, expr.span, &env)),
            },
            _ => None,
        };
        let Some(element) = element else {
            return Err(self.fault(call.env, call.at(0).span, "the name of a queue is expected here"));
        };
        self.element(element)?;
        let machine = self.queues.get(&element).copied().filter(|&which| {
            matches!(&self.machines[which as usize].kind, Machine::Fifo(_, kept) if kept.is_some() || !attributes)
        });
        let Some(which) = machine else {
            return Err(self.fault(
                call.env,
                call.at(0).span,
                if attributes {
                    "the variable is no queue with attributes: define it as QUEUE FIFO ATTRIB"
                } else {
                    "the variable is no queue: define it as QUEUE FIFO or QUEUE FIFO ATTRIB"
                },
            ));
        };
        let mut given = Vec::new();
        for k in 1..arguments {
            let value = self.argument_or(call, k, 0.0)?;
            // A bound that is not available is none.
            let missing = self.graph.number(NOT_AVAILABLE);
            let none = self.graph.binary(Binary::Equal, value, missing);
            let open = self.graph.number(f64::NAN);
            given.push(self.graph.select(none, open, value));
        }
        let start = self.machines[which as usize].start.clone();
        Ok(self.ask(which, &start, query, &given, call.env.mode == Mode::Initial))
    }

    fn by_schedule(&mut self, call: &Call<'m, '_>) -> Result<Id, CompileError> {
        let initial = call.env.at(Mode::Initial);
        let at_start = Call { env: &initial, ..*call };
        let schedule = self.array_argument(&at_start, 1)?;
        let written_off = self.array_argument(&at_start, 2)?;
        if schedule.len() != written_off.len() || schedule.is_empty() {
            return Err(self.fault(
                call.env,
                call.span,
                format!(
                    "the schedule has {} periods and the initial amounts {}: expected as many, at least one",
                    schedule.len(),
                    written_off.len()
                ),
            ));
        }
        let mut start = vec![self.start_of(call, 3)?, self.start_of(call, 4)?];
        let periods = schedule.len();
        start.extend(schedule);
        start.extend(written_off);
        self.started_machine(call, Machine::Schedule(periods), start, &[0], &[0])
    }

    /// The entries of an array argument: along `dim!`, along the last dimension of a variable without subscripts, or from
    /// the element that is named to the end of its dimension, as Vensim takes the rest of a vector.
    fn array_argument(&mut self, call: &Call<'m, '_>, k: usize) -> Result<Vec<Id>, CompileError> {
        let mut axes = Vec::new();
        self.runs_over(call.at(k), call.env, &mut axes);
        if !axes.is_empty() {
            return self.elements_of(call.at(k), call.env);
        }
        let (expr, env) = self.unbind(call.at(k), call.env);
        if let ExprKind::Reference { name, subscripts } = &expr.kind
            && let Some(index) = self.find(&canonical(name), env.scope)
            && let At::Fixed(element) = self.element_at(index, subscripts, expr.span, &env)?
        {
            let rest = self.to_the_end(element);
            return (0..rest).map(|j| self.element_value(element + j, expr.span, &env)).collect();
        }
        Err(self.fault(call.env, call.at(k).span, "an array is expected here"))
    }

    /// How many elements there are from one to the end of its last dimension.
    fn to_the_end(&self, element: u32) -> u32 {
        let info = &self.infos[self.elements[element as usize].variable];
        let place = self.places(info, (element - info.first) as usize).last().copied().unwrap_or(0);
        let size = info.axes.last().map_or(1, |&axis| self.axes[axis].elements.len());
        (size - place) as u32
    }

    /// SHIFT IF TRUE(stock, condition, size, accumulate, inflow): where the condition holds, each of `size` elements from the
    /// one that is named takes the value of the one before it, the first that of `inflow`; the last takes that of the one
    /// before it too, or adds it. The value is what the last one lost. The stocks change at the end of the step, with their
    /// flows (vensim.com/documentation/fn_shift_if_true.html).
    fn shift(&mut self, call: &Call<'m, '_>) -> Result<Id, CompileError> {
        let (expr, env) = self.unbind(call.at(0), call.env);
        let ExprKind::Reference { name, subscripts } = &expr.kind else {
            return Err(self.fault(call.env, call.at(0).span, "the first element of a stock is expected here"));
        };
        let Some(index) = self.find(&canonical(name), env.scope) else {
            return Err(self.unknown(name, expr.span, &env));
        };
        let fixed = match self.element_at(index, subscripts, expr.span, &env)? {
            At::Fixed(element) => Some(element),
            At::Moving(..) => None,
        };
        let info = &self.infos[index];
        let stock = matches!(info.variable.kind, Kind::Stock { .. }) && info.variable.container.is_none();
        let Some(first) = fixed.filter(|_| stock) else {
            return Err(self.fault(call.env, call.at(0).span, "the first element of a stock is expected here"));
        };
        let size = self.argument(call, 2)?;
        let rest = self.to_the_end(first);
        let size = match self.constant_now(size)? {
            Some(size) if size >= 1.0 && size.round() as u32 <= rest && size < 1e9 => size.round() as u32,
            other => {
                return Err(self.fault(
                    call.env,
                    call.at(2).span,
                    format!(
                        "the number of elements is {}: expected a constant from 1 to {rest}",
                        other.map_or_else(|| "no constant".to_owned(), |size| size.to_string())
                    ),
                ));
            }
        };
        let levels: Vec<Id> = (0..size)
            .map(|j| self.element_value(first + j, expr.span, &env.at(call.env.mode)))
            .collect::<Result<_, _>>()?;
        let condition = self.argument(call, 1)?;
        let (adds, inflow) = (self.argument(call, 3)?, self.argument(call, 4)?);
        let zero = self.graph.number(0.0);
        let last = size as usize - 1;
        let lost = self.graph.select(adds, zero, levels[last]);
        let lost = self.graph.select(condition, lost, zero);
        if call.env.mode == Mode::Initial {
            return Ok(lost);
        }
        let step = self.graph.number(self.time.dt);
        for j in 0..=last {
            let before = if j == 0 { inflow } else { levels[j - 1] };
            let moved = self.graph.difference(before, levels[j]);
            let change = if j == last { self.graph.select(adds, before, moved) } else { moved };
            let change = self.graph.select(condition, change, zero);
            let change = self.graph.quotient(change, step);
            let change = self.hold_in_step(change);
            let element = first + j as u32;
            self.element(element)?;
            self.shifts.push((element, change));
        }
        Ok(lost)
    }

    /// Adds what SHIFT IF TRUE moves to the flows of its stocks; after all of them were lowered.
    pub(crate) fn apply_shifts(&mut self) {
        for (element, change) in std::mem::take(&mut self.shifts) {
            let Some(current) = self.elements[element as usize].current else { continue };
            let Node::State(state) = *self.graph.node(current) else { continue };
            if let Motion::Stock { rate, floor } = self.states[state as usize].motion {
                let rate = self.graph.sum(rate, change);
                self.states[state as usize].motion = Motion::Stock { rate, floor };
            }
        }
    }
}
