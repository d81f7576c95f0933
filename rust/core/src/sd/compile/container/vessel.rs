//! Conveyors, queues and ovens as machines: any transit time, arrests, samples, batches, limits.

use super::belt::Leaks;
use super::{Holder, Role, Slats};
use crate::sd::compile::error::CompileError;
use crate::sd::compile::graph::{Binary, Id, Node};
use crate::sd::compile::lower::{Env, Lowering, Mode};
use crate::sd::expr::{Expr, ExprKind, Span};
use crate::sd::functions::conveyor::{self, Spread};
use crate::sd::functions::machine::{Kind as Machine, Query};
use crate::sd::functions::queue;
use crate::sd::model::{self, Container, Kind, canonical};

impl<'m> Lowering<'m> {
    fn flows(&self, element: u32) -> (usize, &'m [String], &'m [String]) {
        let index = self.elements[element as usize].variable;
        match &self.infos[index].variable.kind {
            Kind::Stock { inflows, outflows, .. } => (index, inflows, outflows),
            _ => (index, &[], &[]),
        }
    }

    /// Refuses a time that is a constant and no positive number.
    fn positive(&mut self, env: &Env, expr: &Expr, time: Id, what: &str) -> Result<(), CompileError> {
        match self.constant_now(time)? {
            Some(value) if value.is_nan() || value <= 0.0 => {
                Err(self.fault(env, expr.span, format!("the {what} is {value}: expected a positive time")))
            }
            _ => Ok(()),
        }
    }

    fn optional(&mut self, expr: Option<&'m Expr>, env: &Env, default: f64) -> Result<Id, CompileError> {
        match expr {
            Some(expr) => self.lower(expr, env),
            None => Ok(self.graph.number(default)),
        }
    }

    /// What is in a container at the start: its equation's value, or the numbers of a list.
    fn contents(&mut self, element: u32) -> Vec<Id> {
        let list = self.initial_list(element);
        match list {
            Some(numbers) => numbers.into_iter().map(|number| self.graph.number(number)).collect(),
            None => vec![self.graph.add(Node::VariableInitial(element))],
        }
    }

    /// The list of numbers that a container starts from, if its equation is one (XMILE: an entry a slat, unit of time or batch).
    pub(crate) fn initial_list(&self, element: u32) -> Option<Vec<f64>> {
        let info = &self.infos[self.elements[element as usize].variable];
        let places = self.places(info, (element - info.first) as usize);
        let (which, ..) = self.equation_for(self.elements[element as usize].variable, &places)?;
        let equation = &info.variable.equations[which];
        match &equation.initial.as_ref().or(equation.expr.as_ref())?.kind {
            ExprKind::Literal(rows) if info.variable.container.is_some() => {
                Some(rows.iter().flatten().copied().collect())
            }
            _ => None,
        }
    }

    /// Whether what a flow runs into stands still, and what that is; none: nothing there can stop it.
    fn stopped(&mut self, flow: usize, element: u32) -> Result<Option<Id>, CompileError> {
        for (stock, role) in self.roles_of(flow) {
            if !matches!(role, Role::In(_)) {
                continue;
            }
            let place = self.beside(stock, flow, element)?;
            let arrest = match self.container_of(stock) {
                Some(Container::Conveyor(options)) => options.arrest.as_ref(),
                Some(Container::Oven(_)) => {
                    return Err(self.refusal(
                        element,
                        "oven",
                        "what a conveyor or oven delivers cannot wait for an oven's door: put a queue between them",
                    ));
                }
                _ => None,
            };
            if let Some(arrest) = arrest {
                let env = self.env_of(place);
                return self.lower(arrest, &env).map(Some);
            }
        }
        Ok(None)
    }

    /// The value of the equation that covers an element of a flow: the fraction of a leak.
    fn fraction(&mut self, flow: usize, element: u32, mode: Mode) -> Result<Option<Id>, CompileError> {
        let variable = self.infos[flow].variable;
        let own = variable.leak.as_ref().map(|leak| &leak.fraction);
        let written = variable.equations.first().and_then(|equation| equation.expr.as_ref());
        let mut env = self.env_of(element).at(mode);
        if own.is_some() && own != written {
            return own.map(|expr| self.lower(expr, &env)).transpose();
        }
        let places = self.places(&self.infos[flow], (element - self.infos[flow].first) as usize);
        let Some((which, named, literal)) = self.equation_for(flow, &places) else { return Ok(None) };
        env.places = std::rc::Rc::new(named);
        let equation = &variable.equations[which];
        let expr = match mode {
            Mode::Initial => equation.initial.as_ref().or(equation.expr.as_ref()),
            Mode::Current => equation.expr.as_ref(),
        };
        let Some(expr) = expr else { return Ok(None) };
        let value = self.value_or_literal(expr, literal, &env)?;
        Ok(Some(self.tabled(element, equation, value)))
    }

    /// The leakage of a conveyor. The first outflow that is no leak is its end; others without the mark leak by their equation
    /// (XMILE 1.0 §4.2.1).
    fn leaks(&mut self, element: u32) -> Result<(Leaks, usize), CompileError> {
        let (stock, _, outflows) = self.flows(element);
        let scope = self.infos[stock].scope;
        let mut leaks = Leaks { zones: Vec::new(), ways: Vec::new(), fractions: Vec::new(), starts: Vec::new() };
        let mut end = None;
        for (way, name) in outflows.iter().enumerate() {
            let Some(flow) = self.find(&canonical(name), scope) else { continue };
            let marked = self.infos[flow].variable.leak.as_ref();
            if marked.is_none() && end.is_none() {
                end = Some(way);
                continue;
            }
            let place = self.infos[flow].first + (element - self.infos[stock].first);
            self.beside(stock, flow, place)?;
            let fraction = self.fraction(flow, place, Mode::Current)?;
            let start = self.fraction(flow, place, Mode::Initial)?;
            let (Some(mut fraction), Some(start)) = (fraction, start) else {
                return Err(self.refusal(place, "leak", "the leakage has no fraction: expected an equation"));
            };
            if let Some(stopped) = self.stopped(flow, place)? {
                let zero = self.graph.number(0.0);
                fraction = self.graph.select(stopped, zero, fraction);
            }
            let zone = marked.map_or((0.0, 1.0), |leak| leak.zone);
            let proper = zone.0 >= 0.0 && zone.1 <= 1.0 && zone.0 < zone.1;
            if !proper {
                let reason =
                    format!("the zone is {} to {}: expected two numbers from 0 to 1 that rise", zone.0, zone.1);
                return Err(self.refusal(place, "leak", &reason));
            }
            leaks.zones.push(conveyor::Leak { zone, integers: marked.is_some_and(|leak| leak.integers) });
            leaks.ways.push(way);
            leaks.fractions.push(fraction);
            leaks.starts.push(start);
        }
        match end {
            Some(end) => Ok((leaks, end)),
            None => {
                Err(self.refusal(element, "conveyor", "it has no outflow at its end: expected one that does not leak"))
            }
        }
    }

    /// How an inflow spreads over the conveyor that it enters, and from which machine's leakage where it is by the source.
    fn spread(&mut self, flow: usize, element: u32) -> Result<(Spread, Option<(u32, usize)>), CompileError> {
        let Some(spread) = &self.infos[flow].variable.spread else { return Ok((Spread::Entry, None)) };
        Ok((
            match spread.method.to_ascii_lowercase().as_str() {
                "beginning" | "begin" | "entry" => Spread::Entry,
                "even" => Spread::Even,
                "dest" => Spread::Content,
                "dist" => {
                    let env = self.env_of(element);
                    let reason = "the profile must be a graphical function";
                    let Some(profile) = &spread.profile else {
                        return Err(self.refusal(element, "spreadflow", reason));
                    };
                    let Ok((table, _)) = self.table_of_expr(profile, &env) else {
                        return Err(self.refusal(element, "spreadflow", reason));
                    };
                    let points = self.whole(table);
                    Spread::Profile(points.x.iter().copied().zip(points.y.iter().copied()).collect())
                }
                "source" => {
                    for (stock, role) in self.roles_of(flow) {
                        let Role::Out(way) = role else { continue };
                        let place = self.beside(stock, flow, element)?;
                        if !matches!(self.container_of(stock), Some(Container::Conveyor(_))) {
                            continue;
                        }
                        let (leaks, _) = self.leaks(place)?;
                        let Some(leak) = leaks.ways.iter().position(|&one| one == way) else { continue };
                        if let Slats::Machine(machine, _) = self.holder(place)?.slats {
                            return Ok((Spread::Source, Some((machine, leak))));
                        }
                    }
                    let reason = "only a leakage of a conveyor can be spread by its source";
                    return Err(self.refusal(element, "spreadflow", reason));
                }
                other => {
                    let reason = format!("{other:?} is no way of spreading: expected even, dest, source or dist");
                    return Err(self.refusal(element, "spreadflow", &reason));
                }
            },
            None,
        ))
    }

    /// Whether one of the flows of a conveyor spreads, which only the machine does.
    fn spreads(&self, element: u32) -> bool {
        let (stock, inflows, outflows) = self.flows(element);
        let scope = self.infos[stock].scope;
        let spreads = |name: &String| {
            self.find(&canonical(name), scope).and_then(|flow| self.infos[flow].variable.spread.as_ref())
        };
        inflows.iter().any(|name| spreads(name).is_some())
            || outflows.iter().any(|name| spreads(name).is_some_and(|spread| spread.method == "source"))
    }

    pub(super) fn conveyor(&mut self, element: u32, options: &'m model::Conveyor) -> Result<Holder, CompileError> {
        let env = self.env_of(element);
        let initial_env = env.at(Mode::Initial);
        let (stock, inflows, outflows) = self.flows(element);
        let scope = self.infos[stock].scope;
        let (leaks, end) = self.leaks(element)?;
        let mut hold = None;
        if let Some(flow) = self.find(&canonical(&outflows[end]), scope) {
            let place = self.infos[flow].first + (element - self.infos[stock].first);
            hold = self.stopped(flow, place)?;
        }
        if hold.is_none()
            && !self.spreads(element)
            && self.initial_list(element).is_none()
            && let Some(holder) = self.belt(element, options, &env, &leaks, outflows.len())?
        {
            return Ok(holder);
        }
        let mut start = vec![self.lower(&options.transit_time, &initial_env)?];
        self.positive(&env, &options.transit_time, start[0], "transit time")?;
        start.extend(&leaks.starts);
        start.extend(self.contents(element));
        let zero = self.graph.number(0.0);
        let mut told = Vec::new();
        for env in [&env, &initial_env] {
            let mut controls = vec![self.lower(&options.transit_time, env)?];
            controls.push(self.optional(options.capacity.as_ref(), env, f64::INFINITY)?);
            controls.push(self.optional(options.inflow_limit.as_ref(), env, f64::INFINITY)?);
            controls.push(self.optional(options.sample.as_ref(), env, 1.0)?);
            controls.push(self.optional(options.arrest.as_ref(), env, 0.0)?);
            let initial = env.mode == Mode::Initial;
            controls.push(if initial { zero } else { hold.unwrap_or(zero) });
            controls.extend(if initial { &leaks.starts } else { &leaks.fractions });
            told.push(controls);
        }
        let kind = Machine::Conveyor(conveyor::Options {
            spreads: Vec::new(),
            leaks: leaks.zones.clone(),
            exponential: options.exponential_leak,
            discrete: options.discrete,
        });
        let which = self.machine(element, kind, start.clone());
        let exit = (self.machine_output(which, &told[0], 1), self.first_output(which, &told[1], 1));
        let mut ways = vec![exit; outflows.len()];
        for (k, &way) in leaks.ways.iter().enumerate() {
            ways[way] = (self.machine_output(which, &told[0], 3 + k), self.first_output(which, &told[1], 3 + k));
        }
        let limited = options.capacity.is_some() || options.inflow_limit.is_some() || options.arrest.is_some();
        let holder = Holder {
            content: self.ask(which, &[], Query::Content, &[], false),
            ways,
            room: limited.then(|| self.machine_output(which, &told[0], 2)),
            slats: Slats::Machine(which, start),
        };
        self.holders.insert(element, holder.clone());
        // Spreading by the source looks at other conveyors, which may look at this one.
        let mut spreads = Vec::new();
        let mut sources = Vec::new();
        for (k, name) in inflows.iter().enumerate() {
            let Some(flow) = self.find(&canonical(name), scope) else { continue };
            let place = self.infos[flow].first + (element - self.infos[stock].first);
            self.beside(stock, flow, place)?;
            let (spread, source) = self.spread(flow, place)?;
            spreads.push(spread);
            sources.extend(source.map(|(machine, leak)| (k, machine, leak)));
        }
        let plan = &mut self.machines[which as usize];
        plan.sources = sources;
        if let Machine::Conveyor(options) = &mut plan.kind {
            options.spreads = spreads;
        }
        let inflows = self.inflows_of(element)?;
        self.tell(which, &told[0], inflows);
        Ok(holder)
    }

    pub(super) fn queue(&mut self, element: u32) -> Result<Holder, CompileError> {
        let (stock, _, outflows) = self.flows(element);
        let scope = self.infos[stock].scope;
        let mut outlets = Vec::new();
        let mut rooms = Vec::new();
        let free = self.graph.number(f64::INFINITY);
        for (way, name) in outflows.iter().enumerate() {
            let mut outlet = queue::Outlet::default();
            let mut room = free;
            if let Some(flow) = self.find(&canonical(name), scope) {
                let place = self.infos[flow].first + (element - self.infos[stock].first);
                outlet.overflow = self.infos[flow].variable.overflow;
                if outlet.overflow && way == 0 {
                    return Err(self.refusal(place, "overflow", "the first flow out of a queue cannot overflow"));
                }
                for (other, role) in self.roles_of(flow) {
                    let Role::In(k) = role else { continue };
                    match self.container_of(other) {
                        Some(Container::Conveyor(options)) => {
                            outlet.one_at_a_time = options.one_at_a_time;
                            outlet.whole_batches = options.batch_integrity;
                        }
                        Some(Container::Oven(options)) => {
                            outlet.one_at_a_time = options.one_at_a_time;
                            outlet.whole_batches = options.batch_integrity;
                            outlet.redirects = false;
                        }
                        _ => continue,
                    }
                    let place = self.beside(other, flow, place)?;
                    room = self.room(place, k)?.unwrap_or(free);
                }
            }
            outlets.push(outlet);
            rooms.push(room);
        }
        let start = self.contents(element);
        let which = self.machine(element, Machine::Queue(outlets), start.clone());
        // At the start nothing that was not there can leave; what is downstream is not asked.
        let open = vec![free; rooms.len()];
        let ways = (0..rooms.len())
            .map(|k| (self.machine_output(which, &rooms, 1 + k), self.first_output(which, &open, 1 + k)))
            .collect();
        let content = self.ask(which, &[], Query::Content, &[], false);
        let holder = Holder { content, ways, room: None, slats: Slats::Machine(which, start) };
        self.holders.insert(element, holder.clone());
        let mut inflows = self.inflows_of(element)?;
        let zero = self.graph.number(0.0);
        for inflow in &mut inflows {
            *inflow = self.graph.binary(Binary::Max, zero, *inflow);
        }
        self.tell(which, &rooms, inflows);
        Ok(holder)
    }

    pub(super) fn oven(&mut self, element: u32, options: &'m model::Oven) -> Result<Holder, CompileError> {
        let (stock, _, outflows) = self.flows(element);
        let scope = self.infos[stock].scope;
        let [outflow] = outflows else {
            let reason = format!("it has {} outflows: expected one", outflows.len());
            return Err(self.refusal(element, "oven", &reason));
        };
        let env = self.env_of(element);
        let initial_env = env.at(Mode::Initial);
        let mut hold = None;
        if let Some(flow) = self.find(&canonical(outflow), scope) {
            let place = self.infos[flow].first + (element - self.infos[stock].first);
            self.beside(stock, flow, place)?;
            hold = self.stopped(flow, place)?;
        }
        let zero = self.graph.number(0.0);
        let mut told = Vec::new();
        for env in [&env, &initial_env] {
            let mut controls = vec![self.lower(&options.cook_time, env)?];
            controls.push(self.optional(options.capacity.as_ref(), env, f64::INFINITY)?);
            controls.push(self.optional(options.fill_time.as_ref(), env, f64::NAN)?);
            controls.push(self.optional(options.clean_time.as_ref(), env, 0.0)?);
            controls.push(self.optional(options.arrest.as_ref(), env, 0.0)?);
            controls.push(self.optional(options.sample.as_ref(), env, 1.0)?);
            controls.push(if env.mode == Mode::Initial { zero } else { hold.unwrap_or(zero) });
            told.push(controls);
        }
        let [content] = self.contents(element)[..] else {
            return Err(self.refusal(element, "oven", "its start is a list: expected one number"));
        };
        let start = vec![content, told[1][0]];
        let which = self.machine(element, Machine::Oven, start.clone());
        let holder = Holder {
            content: self.ask(which, &[], Query::Content, &[], false),
            ways: vec![(self.machine_output(which, &told[0], 1), self.first_output(which, &told[1], 1))],
            room: Some(self.machine_output(which, &told[0], 2)),
            slats: Slats::Machine(which, start),
        };
        let state = (self.machine_output(which, &told[0], 3), self.first_output(which, &told[1], 3));
        self.ovens.insert(element, state);
        self.holders.insert(element, holder.clone());
        let inflows = self.inflows_of(element)?;
        self.tell(which, &told[0], inflows);
        Ok(holder)
    }

    /// What is in a container at the start, where its equation is a list.
    pub(crate) fn content_of_list(&mut self, element: u32) -> Result<Id, CompileError> {
        let holder = self.holder(element)?;
        let Slats::Machine(which, _) = holder.slats else {
            return Err(CompileError::Equation {
                variable: self.element_name(element),
                span: Span::default(),
                reason: "a list of numbers cannot start this container".to_owned(),
            });
        };
        let start = self.machines[which as usize].start.clone();
        Ok(self.ask(which, &start, Query::Content, &[], true))
    }
}
