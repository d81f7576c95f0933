//! The elements of variables: which equation speaks for one, and what it says during the run and at the start.

use std::rc::Rc;

use super::{Env, Lowering, Mode};
use crate::sd::compile::error::CompileError;
use crate::sd::compile::graph::{Binary, Id, Motion, Node, Points, State, Unary};
use crate::sd::expr::{Expr, ExprKind, Span};
use crate::sd::model::{Equation, Kind, canonical};

impl<'m> Lowering<'m> {
    pub(crate) fn element(&mut self, element: u32) -> Result<(), CompileError> {
        // A constant that decides the shape of another equation is lowered before its turn.
        if std::mem::replace(&mut self.elements[element as usize].begun, true) {
            return Ok(());
        }
        let index = self.elements[element as usize].variable;
        let (variable, scope, first) = {
            let info = &self.infos[index];
            (info.variable, info.scope, info.first)
        };
        let places = self.places(&self.infos[index], (element - first) as usize);
        if let Kind::Data = variable.kind
            && let Some(node) = self.series_value(element, index, &places)?
        {
            self.elements[element as usize].current = Some(node.0);
            self.elements[element as usize].initial = Some(node.1);
            return Ok(());
        }
        if scope == 0
            && let Some(value) = self.control(&canonical(&variable.name))
        {
            let node = self.graph.number(value);
            self.elements[element as usize].current = Some(node);
            self.elements[element as usize].initial = Some(node);
            return Ok(());
        }
        if matches!(variable.kind, Kind::Flow | Kind::Auxiliary)
            && let Some((current, initial)) = self.driven(index, element)?
        {
            self.elements[element as usize].current = Some(current);
            self.elements[element as usize].initial = Some(initial);
            return Ok(());
        }
        let Some((which, env_places, literal)) = self.equation_for(index, &places) else {
            if matches!(variable.kind, Kind::Lookup) {
                return Ok(());
            }
            if variable.equations.iter().any(|equation| !equation.subscripts.is_empty()) {
                // They are shown as no numbers; to read one is refused.
                self.blank.insert(element);
                let node = self.graph.number(f64::NAN);
                self.elements[element as usize].current = Some(node);
                self.elements[element as usize].initial = Some(node);
                return Ok(());
            }
            return Err(CompileError::Equation {
                variable: self.element_name(element),
                span: Span::default(),
                reason: "no equation covers this element".to_owned(),
            });
        };
        let equation = &variable.equations[which];
        let env =
            Env { scope, owner: element, mode: Mode::Current, places: Rc::new(env_places), running: Rc::default() };
        if let (Some(table), None) = (&equation.table, &equation.expr) {
            self.keep_table(index, element, || Points { x: table.x.clone(), y: table.y.clone() });
            return Ok(());
        }
        if let (Kind::Lookup, Some(Expr { kind: ExprKind::Table(points), .. })) = (&variable.kind, &equation.expr) {
            self.keep_table(index, element, || Points {
                x: points.iter().map(|p| p.0).collect(),
                y: points.iter().map(|p| p.1).collect(),
            });
            return Ok(());
        }
        let start = equation.initial.as_ref().or(equation.expr.as_ref());
        let initial_env = env.at(Mode::Initial);
        if let Kind::Stock { inflows, outflows, rate } = &variable.kind {
            if variable.container.is_some() && self.initial_list(element).is_some() {
                let initial = self.content_of_list(element)?;
                self.elements[element as usize].initial = Some(initial);
                self.elements[element as usize].current = Some(self.holder(element)?.content);
                return Ok(());
            }
            let initial = match start {
                Some(expr) => self.value_or_literal(expr, literal, &initial_env)?,
                None => self.graph.number(0.0),
            };
            self.elements[element as usize].initial = Some(initial);
            if variable.container.is_some() {
                self.elements[element as usize].current = Some(self.holder(element)?.content);
                return Ok(());
            }
            let state = self.states.len() as u32;
            self.states.push(State { owner: element, initial, motion: Motion::Stock { rate: 0, floor: false } });
            let current = self.graph.add(Node::State(state));
            self.elements[element as usize].current = Some(current);
            let mut total = match rate.get(which) {
                Some(expr) => Some(self.lower(expr, &env)?),
                None => None,
            };
            for (names, op) in [(inflows, Binary::Add), (outflows, Binary::Subtract)] {
                for name in names {
                    let flow = self.flow_of_stock(name, &env)?;
                    total = Some(match (total, op) {
                        (None, Binary::Add) => flow,
                        (None, _) => self.graph.unary(Unary::Negative, flow),
                        (Some(sum), op) => self.graph.binary(op, sum, flow),
                    });
                }
            }
            let rate = match total {
                Some(rate) => rate,
                None => self.graph.number(0.0),
            };
            self.states[state as usize].motion = Motion::Stock { rate, floor: variable.non_negative };
            return Ok(());
        }
        let Some(expr) = &equation.expr else {
            return Err(CompileError::Equation {
                variable: self.element_name(element),
                span: Span::default(),
                reason: "the equation is empty".to_owned(),
            });
        };
        // Random calls of the start are those of the first step: they count from the same number.
        let counted = self.occurrences;
        let mut current = self.value_or_literal(expr, literal, &env)?;
        current = self.tabled(element, equation, current);
        let after = std::mem::replace(&mut self.occurrences, counted);
        let mut initial = match start {
            Some(start) => self.value_or_literal(start, literal, &initial_env)?,
            None => current,
        };
        self.occurrences = self.occurrences.max(after);
        initial = self.tabled(element, equation, initial);
        if variable.non_negative {
            let zero = self.graph.number(0.0);
            current = self.graph.binary(Binary::Max, zero, current);
            initial = self.graph.binary(Binary::Max, zero, initial);
        }
        let contained = self.contained(index);
        if contained {
            current = self.admitted(index, element, current)?;
        }
        if scope == 0 && self.limited.contains_key(&index) {
            current = self.limit(index, current, &env)?;
        }
        if contained {
            current = self.hold_in_step(current);
        }
        self.elements[element as usize].current = Some(current);
        self.elements[element as usize].initial = Some(initial);
        Ok(())
    }

    /// Notes the points of a lookup, unless an equation before has read them.
    fn keep_table(&mut self, index: usize, element: u32, points: impl FnOnce() -> Points) {
        let flat = (element - self.infos[index].first) as usize;
        if let std::collections::hash_map::Entry::Vacant(place) = self.table_of.entry((index, flat)) {
            place.insert(self.tables.len() as u32);
            self.tables.push(points());
        }
    }

    /// A value read through the graphical function of its equation, if there is one.
    pub(crate) fn tabled(&mut self, element: u32, equation: &Equation, node: Id) -> Id {
        let Some(table) = &equation.table else { return node };
        let at = self.tables.len() as u32;
        self.tables.push(Points { x: table.x.clone(), y: table.y.clone() });
        self.graphical.entry(element).or_default().push(at);
        self.graph.add(Node::Lookup(at, table.kind.into(), node))
    }

    /// The value of a time setting that Vensim keeps among the variables.
    fn control(&self, key: &str) -> Option<f64> {
        let value = match key {
            "initial_time" => self.time.initial_time,
            "final_time" if !self.model.moving_end => self.time.final_time,
            "time_step" => self.time.dt,
            "saveper" => self.time.save_step.unwrap_or(self.time.dt),
            _ => return None,
        };
        value.is_finite().then_some(value)
    }

    /// An equation's value; of an array literal the entry at `literal`.
    pub(crate) fn value_or_literal(&mut self, expr: &'m Expr, literal: usize, env: &Env) -> Result<Id, CompileError> {
        if let ExprKind::Literal(rows) = &expr.kind {
            let Some(&value) = rows.iter().flatten().nth(literal) else {
                return Err(self.fault(
                    env,
                    expr.span,
                    format!(
                        "the list has {} numbers, too few for the subscripts",
                        rows.iter().map(Vec::len).sum::<usize>()
                    ),
                ));
            };
            return Ok(self.graph.number(value));
        }
        self.lower(expr, env)
    }

    /// Which equation covers an element, the positions that its left side names, and the entry of an array literal.
    pub(crate) fn equation_for(&self, index: usize, places: &[usize]) -> Option<(usize, Vec<(usize, usize)>, usize)> {
        let info = &self.infos[index];
        let covers = |axis: usize, place: usize, name: &str| -> Option<Option<(usize, usize)>> {
            let element = &self.axes[axis].elements[place];
            let name = canonical(name);
            if let Some(&range) = self.axis_of.get(&name)
                && (range == axis || self.axes[axis].position(&name).is_none())
            {
                return self.axes[range].position(element).map(|position| Some((range, position)));
            }
            (*element == name).then_some(None)
        };
        let mut best: Option<(usize, usize, Vec<(usize, usize)>, usize)> = None;
        for (which, equation) in info.variable.equations.iter().enumerate() {
            if equation.subscripts.is_empty() || equation.subscripts.len() != info.axes.len() {
                if best.is_none() && equation.subscripts.is_empty() {
                    let named: Vec<_> = info.axes.iter().copied().zip(places.iter().copied()).collect();
                    let mut literal = 0;
                    for &(axis, place) in &named {
                        literal = literal * self.axes[axis].elements.len() + place;
                    }
                    best = Some((which, usize::MAX, named, literal));
                }
                continue;
            }
            let matched: Option<Vec<Option<(usize, usize)>>> = equation
                .subscripts
                .iter()
                .zip(info.axes.iter().zip(places))
                .map(|(name, (&axis, &place))| covers(axis, place, name))
                .collect();
            let Some(matched) = matched else { continue };
            let excepted = equation.except.iter().any(|list| {
                list.len() == info.axes.len()
                    && list
                        .iter()
                        .zip(info.axes.iter().zip(places))
                        .all(|(name, (&axis, &place))| covers(axis, place, name).is_some())
            });
            if excepted {
                continue;
            }
            // The equation that covers the fewest elements speaks for this one.
            let size: usize =
                matched.iter().map(|range| range.map_or(1, |(axis, _)| self.axes[axis].elements.len())).product();
            if best.as_ref().is_none_or(|found| size < found.1) {
                let mut literal = 0;
                let mut named = Vec::new();
                for &(axis, place) in matched.iter().flatten() {
                    literal = literal * self.axes[axis].elements.len() + place;
                    named.push((axis, place));
                }
                // The axes of the variable come last: they answer references without subscripts.
                for (&axis, &place) in info.axes.iter().zip(places) {
                    if !named.contains(&(axis, place)) {
                        named.push((axis, place));
                    }
                }
                best = Some((which, size, named, literal));
            }
        }
        best.map(|(which, _, named, literal)| (which, named, literal))
    }

    /// The equation with a table that covers an element.
    pub(crate) fn equation_with_table(&self, index: usize, places: &[usize]) -> Option<usize> {
        let (which, _, _) = self.equation_for(index, places)?;
        self.infos[index].variable.equations[which].table.is_some().then_some(which)
    }
}
