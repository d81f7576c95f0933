//! From equations to graphs: every element of every variable becomes one node for the run and one for the start.

use std::collections::HashMap;
use std::rc::Rc;

use super::error::CompileError;
use super::graph::{Binary, Graph, Id, Motion, Node, Points, Reading, State, Unary};
use super::scalar;
use crate::sd::dialect::Dialect;
use crate::sd::expr::{BinaryOp, Expr, ExprKind, Span, Subscript, UnaryOp};
use crate::sd::graph::dependencies;
use crate::sd::model::{Interpolation, Kind, Model, TimeSpec, Variable, canonical};

/// What Vensim writes for `:NA:` (−2¹⁰⁹).
pub(crate) const NOT_AVAILABLE: f64 = -649_037_107_316_853_453_566_312_041_152_512.0;

/// Macros inside macros deeper than this call themselves.
const DEEPEST: usize = 64;

/// Whether an equation is read during the run or at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Current,
    Initial,
}

/// Where an expression is read: for which element, with which subscripts, during the run or at its start.
#[derive(Clone, Debug)]
pub(crate) struct Env {
    pub(crate) scope: usize,
    pub(crate) owner: u32,
    pub(crate) mode: Mode,
    /// Position in each dimension that the left side names.
    pub(crate) places: Rc<Vec<(usize, usize)>>,
    /// Position in each dimension that a reduction runs over.
    pub(crate) running: Rc<Vec<(usize, usize)>>,
}

impl Env {
    pub(crate) fn at(&self, mode: Mode) -> Self {
        Self { mode, ..self.clone() }
    }
}

/// A dimension with canonical names.
pub(crate) struct Axis {
    pub(crate) name: String,
    pub(crate) elements: Vec<String>,
    positions: HashMap<String, usize>,
    /// Target dimension; for each element here its counterpart there, an element or a subrange.
    mappings: Vec<(String, Vec<String>)>,
}

impl Axis {
    pub(crate) fn position(&self, element: &str) -> Option<usize> {
        self.positions.get(element).copied()
    }
}

/// A variable with its place among the elements.
pub(crate) struct Info<'m> {
    pub(crate) variable: &'m Variable,
    pub(crate) name: String,
    pub(crate) scope: usize,
    pub(crate) axes: Vec<usize>,
    pub(crate) first: u32,
    pub(crate) count: u32,
}

/// One number of a variable.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    pub(crate) variable: usize,
    /// Value during the run; `None` for lookups.
    pub(crate) current: Option<Id>,
    /// Value at the start.
    pub(crate) initial: Option<Id>,
    pub(crate) stock: bool,
    begun: bool,
}

enum Bound<'m> {
    Argument(&'m Expr, Env),
}

#[derive(Default)]
struct Scope<'m> {
    variables: HashMap<String, usize>,
    bound: HashMap<String, Bound<'m>>,
    depth: usize,
}

/// The lowering of one model.
pub(crate) struct Lowering<'m> {
    pub(crate) model: &'m Model,
    pub(crate) time: TimeSpec,
    pub(crate) graph: Graph,
    pub(crate) tables: Vec<Points>,
    pub(crate) table_of: HashMap<(usize, usize), u32>,
    pub(crate) states: Vec<State>,
    pub(crate) infos: Vec<Info<'m>>,
    pub(crate) elements: Vec<Element>,
    pub(crate) axes: Vec<Axis>,
    pub(crate) axis_of: HashMap<String, usize>,
    scopes: Vec<Scope<'m>>,
    series: HashMap<(String, Vec<String>), usize>,
    pub(crate) occurrences: u32,
    /// Flow → the stock that limits it, and whether the stock's inflows count. Places in the model's list of variables.
    limited: HashMap<usize, (usize, bool)>,
    /// Whether the model has conveyors.
    pub(crate) belted: bool,
    /// Conveyors by the element of their stock.
    pub(crate) belts: HashMap<u32, super::calls::container::Belt>,
}

impl<'m> Lowering<'m> {
    /// Lowers the whole model.
    pub(crate) fn new(model: &'m Model, time: TimeSpec) -> Result<Self, CompileError> {
        let axes: Vec<Axis> = model
            .dimensions
            .iter()
            .map(|dimension| {
                let elements: Vec<String> = dimension.elements.iter().map(|name| canonical(name)).collect();
                Axis {
                    name: canonical(&dimension.name),
                    positions: elements.iter().enumerate().map(|(i, name)| (name.clone(), i)).collect(),
                    elements,
                    mappings: dimension
                        .mappings
                        .iter()
                        .map(|(to, names)| (canonical(to), names.iter().map(|name| canonical(name)).collect()))
                        .collect(),
                }
            })
            .collect();
        let axis_of = axes.iter().enumerate().map(|(i, axis)| (axis.name.clone(), i)).collect();
        let series = model
            .data
            .iter()
            .enumerate()
            .map(|(i, series)| {
                ((canonical(&series.variable), series.element.iter().map(|name| canonical(name)).collect()), i)
            })
            .collect();
        let mut lowering = Self {
            model,
            time,
            graph: Graph::default(),
            tables: Vec::new(),
            table_of: HashMap::new(),
            states: Vec::new(),
            infos: Vec::new(),
            elements: Vec::new(),
            axes,
            axis_of,
            scopes: vec![Scope::default()],
            series,
            occurrences: 0,
            limited: HashMap::new(),
            belted: model
                .variables
                .iter()
                .any(|variable| matches!(variable.container, Some(super::super::model::Container::Conveyor(_)))),
            belts: HashMap::new(),
        };
        for variable in &model.variables {
            lowering.declare(variable, 0, variable.name.clone())?;
        }
        lowering.find_limited();
        // Macros add elements while the list is walked.
        let mut next = 0;
        while next < lowering.elements.len() {
            lowering.element(next as u32)?;
            next += 1;
        }
        Ok(lowering)
    }

    fn declare(&mut self, variable: &'m Variable, scope: usize, name: String) -> Result<usize, CompileError> {
        let mut axes = Vec::new();
        let mut count = 1usize;
        for dimension in &variable.dimensions {
            let Some(&axis) = self.axis_of.get(&canonical(dimension)) else {
                return Err(CompileError::UnknownName {
                    name: dimension.clone(),
                    variable: variable.name.clone(),
                    span: Span::default(),
                    known: self.model.dimensions.iter().map(|dimension| dimension.name.clone()).collect(),
                });
            };
            count *= self.axes[axis].elements.len();
            axes.push(axis);
        }
        let index = self.infos.len();
        let first = self.elements.len() as u32;
        let stock = matches!(variable.kind, Kind::Stock { .. });
        for _ in 0..count {
            self.elements.push(Element { variable: index, current: None, initial: None, stock, begun: false });
        }
        self.scopes[scope].variables.insert(canonical(&variable.name), index);
        self.infos.push(Info { variable, name, scope, axes, first, count: count as u32 });
        Ok(index)
    }

    /// The positions of an element along the axes of its variable.
    pub(crate) fn places(&self, info: &Info<'m>, flat: usize) -> Vec<usize> {
        let mut rest = flat;
        let mut places = vec![0; info.axes.len()];
        for (place, &axis) in places.iter_mut().zip(&info.axes).rev() {
            let size = self.axes[axis].elements.len().max(1);
            *place = rest % size;
            rest /= size;
        }
        places
    }

    /// The name of an element with its subscripts, as written.
    pub(crate) fn element_name(&self, element: u32) -> String {
        let info = &self.infos[self.elements[element as usize].variable];
        if info.axes.is_empty() {
            return info.name.clone();
        }
        let places = self.places(info, (element - info.first) as usize);
        let names: Vec<&str> = info
            .axes
            .iter()
            .zip(places)
            .map(|(&axis, place)| self.model.dimensions[axis].elements[place].as_str())
            .collect();
        format!("{}[{}]", info.name, names.join(","))
    }

    fn element(&mut self, element: u32) -> Result<(), CompileError> {
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
            && scope == 0
            && let Some(node) = self.driven(index, element)?
        {
            self.elements[element as usize].current = Some(node);
            self.elements[element as usize].initial = Some(node);
            return Ok(());
        }
        let Some((which, env_places, literal)) = self.equation_for(index, &places) else {
            if matches!(variable.kind, Kind::Lookup) {
                return Ok(());
            }
            if variable.equations.iter().any(|equation| !equation.subscripts.is_empty()) {
                // Vensim leaves elements without equation undefined; whatever reads them is no number.
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
            self.table_of.insert((index, (element - first) as usize), self.tables.len() as u32);
            self.tables.push(Points { x: table.x.clone(), y: table.y.clone() });
            return Ok(());
        }
        if let (Kind::Lookup, Some(Expr { kind: ExprKind::Table(points), .. })) = (&variable.kind, &equation.expr) {
            self.table_of.insert((index, (element - first) as usize), self.tables.len() as u32);
            self.tables
                .push(Points { x: points.iter().map(|p| p.0).collect(), y: points.iter().map(|p| p.1).collect() });
            return Ok(());
        }
        let start = equation.initial.as_ref().or(equation.expr.as_ref());
        let initial_env = env.at(Mode::Initial);
        let wrap = |this: &mut Self, node: Id| -> Id {
            if let Some(table) = &equation.table {
                let at = this.tables.len() as u32;
                this.tables.push(Points { x: table.x.clone(), y: table.y.clone() });
                return this.graph.add(Node::Lookup(at, table.kind.into(), node));
            }
            node
        };
        if let Kind::Stock { inflows, outflows, rate } = &variable.kind {
            let initial = match start {
                Some(expr) => self.value_or_literal(expr, literal, &initial_env)?,
                None => self.graph.number(0.0),
            };
            self.elements[element as usize].initial = Some(initial);
            if variable.container.is_some() {
                let belt = self.belt(element)?;
                self.elements[element as usize].current = Some(belt.content);
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
        current = wrap(self, current);
        let after = std::mem::replace(&mut self.occurrences, counted);
        let mut initial = match start {
            Some(start) => self.value_or_literal(start, literal, &initial_env)?,
            None => current,
        };
        self.occurrences = self.occurrences.max(after);
        initial = wrap(self, initial);
        if variable.non_negative {
            let zero = self.graph.number(0.0);
            current = self.graph.binary(Binary::Max, zero, current);
            initial = self.graph.binary(Binary::Max, zero, initial);
        }
        if scope == 0 && matches!(variable.kind, Kind::Flow) {
            current = self.admitted(index, element, current)?;
        }
        if scope == 0 && self.limited.contains_key(&index) {
            current = self.limit(index, current, &env)?;
        }
        self.elements[element as usize].current = Some(current);
        self.elements[element as usize].initial = Some(initial);
        Ok(())
    }

    /// A flow of a stock; dimensions that the stock does not have are summed, as Stella does.
    pub(crate) fn flow_of_stock(&mut self, name: &str, env: &Env) -> Result<Id, CompileError> {
        let key = canonical(name);
        let missing: Vec<usize> = match self.find(&key, env.scope) {
            Some(index) => {
                let axes = self.infos[index].axes.iter().copied();
                axes.filter(|axis| self.translate(*axis, *axis, &env.places).is_none()).collect()
            }
            None => Vec::new(),
        };
        if missing.is_empty() {
            return self.reference(name, &[], Span::default(), env);
        }
        let mut items = Vec::new();
        for env in self.over(&missing, env) {
            items.push(self.reference(name, &[], Span::default(), &env)?);
        }
        Ok(self.fold(Binary::Add, &items, 0.0))
    }

    /// An outflow of a stock that may not fall below zero: no more than is there, after the outflows before it.
    fn limit(&mut self, index: usize, flow: Id, env: &Env) -> Result<Id, CompileError> {
        let Some(&(stock, with_inflows)) = self.limited.get(&index) else {
            return Ok(flow);
        };
        let variable = self.infos[stock].variable;
        let Kind::Stock { inflows, outflows, .. } = &variable.kind else {
            return Ok(flow);
        };
        let level = self.reference(&variable.name, &[], Span::default(), env)?;
        let step = self.graph.number(self.time.dt);
        let mut left = self.graph.quotient(level, step);
        if with_inflows {
            for name in inflows {
                let inflow = self.reference(name, &[], Span::default(), env)?;
                left = self.graph.sum(left, inflow);
            }
        }
        let own = canonical(&self.infos[index].variable.name);
        for name in outflows.iter().take_while(|name| canonical(name) != own) {
            let before = self.reference(name, &[], Span::default(), env)?;
            left = self.graph.difference(left, before);
        }
        let zero = self.graph.number(0.0);
        let left = self.graph.binary(Binary::Max, zero, left);
        Ok(self.graph.binary(Binary::Min, left, flow))
    }

    /// Which flows leave exactly one stock that may not fall below zero, and whether what flows in may be counted:
    /// not where an inflow depends on an outflow in the same instant.
    fn find_limited(&mut self) {
        let model = self.model;
        let mut sources: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, variable) in model.variables.iter().enumerate() {
            if let Kind::Stock { outflows, .. } = &variable.kind {
                for name in outflows {
                    sources.entry(canonical(name)).or_default().push(index);
                }
            }
        }
        let limits = |index: usize| model.variables[index].non_negative && model.variables[index].container.is_none();
        if !(0..model.variables.len())
            .any(|index| matches!(model.variables[index].kind, Kind::Stock { .. }) && limits(index))
        {
            return;
        }
        let next = dependencies(model);
        for (flow, variable) in model.variables.iter().enumerate() {
            let Some([stock]) = sources.get(&canonical(&variable.name)).map(Vec::as_slice) else { continue };
            let Kind::Stock { inflows, outflows, .. } = &model.variables[*stock].kind else { continue };
            if !limits(*stock) || variable.leak.is_some() || variable.overflow {
                continue;
            }
            let place =
                |name: &String| model.variables.iter().position(|other| canonical(&other.name) == canonical(name));
            let leaving: Vec<usize> = outflows.iter().filter_map(place).collect();
            let mut seen = vec![false; model.variables.len()];
            let mut stack: Vec<usize> = inflows.iter().filter_map(place).collect();
            let mut depends = false;
            while let Some(at) = stack.pop() {
                if std::mem::replace(&mut seen[at], true) {
                    continue;
                }
                depends |= leaving.contains(&at);
                if !matches!(model.variables[at].kind, Kind::Stock { .. }) {
                    stack.extend(&next[at]);
                    // A limited flow also needs what fills its stock.
                    if let Some([source]) = sources.get(&canonical(&model.variables[at].name)).map(Vec::as_slice)
                        && let Kind::Stock { inflows, .. } = &model.variables[*source].kind
                    {
                        stack.extend(inflows.iter().filter_map(place));
                    }
                }
            }
            self.limited.insert(flow, (*stock, !depends));
        }
    }

    /// The value of a time setting that Vensim keeps among the variables.
    fn control(&self, key: &str) -> Option<f64> {
        let value = match key {
            "initial_time" => self.time.initial_time,
            "final_time" => self.time.final_time,
            "time_step" => self.time.dt,
            "saveper" => self.time.save_step.unwrap_or(self.time.dt),
            _ => return None,
        };
        value.is_finite().then_some(value)
    }

    /// An equation's value; of an array literal the entry at `literal`.
    fn value_or_literal(&mut self, expr: &'m Expr, literal: usize, env: &Env) -> Result<Id, CompileError> {
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
    fn equation_for(&self, index: usize, places: &[usize]) -> Option<(usize, Vec<(usize, usize)>, usize)> {
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

    fn series_value(&mut self, element: u32, index: usize, places: &[usize]) -> Result<Option<(Id, Id)>, CompileError> {
        let Some((table, reading)) = self.series_table(index, places) else {
            let info = &self.infos[index];
            if info.variable.equations.iter().any(|equation| equation.expr.is_some()) {
                return Ok(None);
            }
            return Err(CompileError::Equation {
                variable: self.element_name(element),
                span: Span::default(),
                reason: "the data variable has no series: give one with the data files or as exogenous data".to_owned(),
            });
        };
        let time = self.graph.add(Node::StepTime);
        let current = self.graph.add(Node::Lookup(table, reading, time));
        let start = self.graph.number(self.time.initial_time);
        let initial = self.graph.add(Node::Lookup(table, reading, start));
        Ok(Some((current, initial)))
    }

    /// The table that holds the series of an element of a data variable.
    pub(crate) fn series_table(&mut self, index: usize, places: &[usize]) -> Option<(u32, Reading)> {
        let info = &self.infos[index];
        let mut names: Vec<String> =
            info.axes.iter().zip(places).map(|(&axis, &place)| self.axes[axis].elements[place].clone()).collect();
        let name = canonical(&info.variable.name);
        let mut flat = 0;
        for (&axis, &place) in info.axes.iter().zip(places) {
            flat = flat * self.axes[axis].elements.len() + place;
        }
        let found = self.series.get(&(name.clone(), std::mem::take(&mut names))).copied()?;
        let series = &self.model.data[found];
        let reading = match series.interpolation {
            Interpolation::Linear => Reading::Linear,
            Interpolation::Hold => Reading::Backward,
            Interpolation::Forward => Reading::Forward,
            Interpolation::Raw => Reading::Raw,
        };
        if let Some(&table) = self.table_of.get(&(index, flat)) {
            return Some((table, reading));
        }
        let table = self.tables.len() as u32;
        self.tables.push(Points { x: series.times.clone(), y: series.values.clone() });
        self.table_of.insert((index, flat), table);
        Some((table, reading))
    }

    /// An error in the equation that is being read.
    pub(crate) fn fault(&self, env: &Env, span: Span, reason: impl Into<String>) -> CompileError {
        CompileError::Equation { variable: self.element_name(env.owner), span, reason: reason.into() }
    }

    /// A refusal of a function or construct.
    pub(crate) fn refuse(&self, env: &Env, span: Span, function: &str, reason: impl Into<String>) -> CompileError {
        CompileError::Unsupported {
            function: function.to_owned(),
            variable: self.element_name(env.owner),
            span,
            reason: reason.into(),
        }
    }

    /// Lowers an expression.
    pub(crate) fn lower(&mut self, expr: &'m Expr, env: &Env) -> Result<Id, CompileError> {
        Ok(match &expr.kind {
            ExprKind::Number(value) => self.graph.number(*value),
            ExprKind::Missing => self.graph.number(NOT_AVAILABLE),
            ExprKind::Reference { name, subscripts } => self.reference(name, subscripts, expr.span, env)?,
            ExprKind::Unary(op, a) => {
                let a = self.lower(a, env)?;
                match op {
                    UnaryOp::Minus => self.graph.unary(Unary::Negative, a),
                    UnaryOp::Plus => a,
                    UnaryOp::Not => self.graph.unary(Unary::Not, a),
                }
            }
            ExprKind::Binary(op, a, b) => {
                if let (BinaryOp::Equal | BinaryOp::NotEqual, Some(left), Some(right)) =
                    (op, self.element_meant(a, env), self.element_meant(b, env))
                {
                    // Subscripts are compared as elements: their positions differ from range to range.
                    return Ok(self.graph.number(f64::from((left == right) == (*op == BinaryOp::Equal))));
                }
                let a = self.lower(a, env)?;
                let b = self.lower(b, env)?;
                let op = match op {
                    BinaryOp::Add => Binary::Add,
                    BinaryOp::Subtract => Binary::Subtract,
                    BinaryOp::Multiply => Binary::Multiply,
                    BinaryOp::Divide => Binary::Divide,
                    BinaryOp::Power => Binary::Power,
                    BinaryOp::Modulo => self.modulo(),
                    BinaryOp::Equal => Binary::Equal,
                    BinaryOp::NotEqual => Binary::NotEqual,
                    BinaryOp::Less => Binary::Less,
                    BinaryOp::LessEqual => Binary::LessEqual,
                    BinaryOp::Greater => Binary::Greater,
                    BinaryOp::GreaterEqual => Binary::GreaterEqual,
                    BinaryOp::And => Binary::And,
                    BinaryOp::Or => Binary::Or,
                };
                self.graph.binary(op, a, b)
            }
            ExprKind::If(c, a, b) => {
                let c = self.lower(c, env)?;
                let a = self.lower(a, env)?;
                let b = self.lower(b, env)?;
                self.graph.select(c, a, b)
            }
            ExprKind::Call { function, subscripts, arguments } => {
                self.call(function, subscripts, arguments, expr.span, env)?
            }
            ExprKind::Literal(rows) if rows.len() == 1 && rows[0].len() == 1 => self.graph.number(rows[0][0]),
            ExprKind::Literal(_) => {
                return Err(self.fault(env, expr.span, "a list of numbers can only be a whole right side"));
            }
            ExprKind::Table(_) => {
                return Err(self.fault(env, expr.span, "a table needs an argument: WITH LOOKUP(x, table)"));
            }
            ExprKind::Text(text) => return Err(self.fault(env, expr.span, format!("the text {text:?} has no value"))),
        })
    }

    /// The element that a bare subscript name in an expression means: that of a range in use, or an element by name.
    fn element_meant(&self, expr: &Expr, env: &Env) -> Option<&str> {
        let ExprKind::Reference { name, subscripts } = &expr.kind else { return None };
        let key = canonical(name);
        if !subscripts.is_empty()
            || self.scopes[env.scope].bound.contains_key(&key)
            || self.find(&key, env.scope).is_some()
        {
            return None;
        }
        if let Some(&axis) = self.axis_of.get(&key) {
            let place = env.running.iter().chain(env.places.iter()).find(|place| place.0 == axis)?;
            return self.axes[axis].elements.get(place.1).map(String::as_str);
        }
        self.axes.iter().find_map(|axis| Some(axis.elements[axis.position(&key)?].as_str()))
    }

    pub(crate) fn modulo(&self) -> Binary {
        match self.model.dialect {
            Dialect::Vensim => Binary::Remainder,
            Dialect::Xmile => Binary::Modulo,
        }
    }

    /// The variable, or the argument bound to a macro's parameter, that a name stands for.
    pub(crate) fn find(&self, name: &str, scope: usize) -> Option<usize> {
        self.scopes[scope].variables.get(name).copied()
    }

    /// Follows parameters of macros to the expression that was given.
    pub(crate) fn unbind(&self, expr: &'m Expr, env: &Env) -> (&'m Expr, Env) {
        let (mut expr, mut env) = (expr, env.clone());
        for _ in 0..DEEPEST {
            let ExprKind::Reference { name, subscripts } = &expr.kind else { break };
            if !subscripts.is_empty() {
                break;
            }
            let Some(Bound::Argument(bound, outer)) = self.scopes[env.scope].bound.get(&canonical(name)) else { break };
            let mode = env.mode;
            expr = bound;
            env = outer.at(mode);
        }
        (expr, env)
    }

    /// Lowers a reference.
    pub(crate) fn reference(
        &mut self,
        name: &str,
        subscripts: &'m [Subscript],
        span: Span,
        env: &Env,
    ) -> Result<Id, CompileError> {
        let key = canonical(name);
        if subscripts.is_empty()
            && let Some(Bound::Argument(expr, outer)) = self.scopes[env.scope].bound.get(&key)
        {
            let (expr, outer) = (*expr, outer.at(env.mode));
            return self.lower(expr, &outer);
        }
        // A dollar sign calls the outer model's time settings inside a Vensim macro.
        let plain = key.trim_end_matches('$').trim_end_matches('_').to_owned();
        let Some(index) = self.find(&key, env.scope) else {
            return match self.special(&plain, env) {
                Some(node) => Ok(node),
                None => Err(self.unknown(name, span, env)),
            };
        };
        let element = self.element_at(index, subscripts, span, env)?;
        match element {
            At::Fixed(element) => self.element_value(element, span, env),
            At::Moving(index, offset) => {
                let mut arguments = vec![offset];
                let (first, count) = (self.infos[index].first, self.infos[index].count);
                for element in first..first + count {
                    arguments.push(self.element_value(element, span, env)?);
                }
                Ok(self.graph.call(crate::sd::functions::call::Function::Pick, arguments))
            }
        }
    }

    pub(crate) fn element_value(&mut self, element: u32, span: Span, env: &Env) -> Result<Id, CompileError> {
        let info = &self.infos[self.elements[element as usize].variable];
        let table_only = matches!(info.variable.kind, Kind::Lookup);
        if table_only {
            let name = info.name.clone();
            return Err(self.fault(env, span, format!("the lookup {name:?} needs an argument: {name}(x)")));
        }
        Ok(self.graph.add(match env.mode {
            Mode::Current => Node::Variable(element),
            Mode::Initial => Node::VariableInitial(element),
        }))
    }

    pub(crate) fn unknown(&self, name: &str, span: Span, env: &Env) -> CompileError {
        CompileError::UnknownName {
            name: name.to_owned(),
            variable: self.element_name(env.owner),
            span,
            known: self
                .infos
                .iter()
                .filter(|info| info.scope == env.scope)
                .map(|info| info.variable.name.clone())
                .collect(),
        }
    }

    /// Names that are no variables: time and its settings, constants, subscripts as numbers.
    fn special(&mut self, key: &str, env: &Env) -> Option<Id> {
        let time = self.time.clone();
        let value = match key {
            "time" => {
                return Some(match env.mode {
                    Mode::Current => self.graph.add(Node::Time),
                    Mode::Initial => self.graph.number(time.initial_time),
                });
            }
            "self" => {
                return Some(self.graph.add(match env.mode {
                    Mode::Current => Node::Variable(env.owner),
                    Mode::Initial => Node::VariableInitial(env.owner),
                }));
            }
            "dt" | "time_step" => time.dt,
            "initial_time" | "starttime" | "start_time" => time.initial_time,
            "final_time" | "stoptime" | "stop_time" => time.final_time,
            "saveper" => time.save_step.unwrap_or(time.dt),
            "pi" => std::f64::consts::PI,
            "inf" | "infinity" => f64::INFINITY,
            "nan" => f64::NAN,
            "true" => 1.0,
            "false" => 0.0,
            _ => {
                if let Some(&axis) = self.axis_of.get(key) {
                    let place = env.running.iter().chain(env.places.iter()).find(|place| place.0 == axis)?;
                    (place.1 + 1) as f64
                } else {
                    let axis = self.axes.iter().find(|axis| axis.position(key).is_some())?;
                    (axis.position(key)? + 1) as f64
                }
            }
        };
        Some(self.graph.number(value))
    }

    /// The position along `axis` of the target that a subscript means.
    fn place(&mut self, axis: usize, subscript: &'m Subscript, span: Span, env: &Env) -> Result<Place, CompileError> {
        match subscript {
            Subscript::Name(name) => {
                let key = canonical(name);
                if let Some(position) = self.axes[axis].position(&key) {
                    return Ok(Place::Fixed(position));
                }
                // XMILE: `Dimension.element`, and `@2` for a position.
                if let Some((_, element)) = key.rsplit_once('.')
                    && let Some(position) = self.axes[axis].position(element)
                {
                    return Ok(Place::Fixed(position));
                }
                let key = key.trim_start_matches('@').to_owned();
                if let Some(&range) = self.axis_of.get(&key) {
                    return match self
                        .translate(axis, range, &env.places)
                        .or_else(|| self.translate(axis, range, &env.running))
                    {
                        Some(position) => Ok(Place::Fixed(position)),
                        None => Err(self.fault(
                            env,
                            span,
                            format!(
                                "the subscript {name:?} stands for no element of {:?} here",
                                self.model.dimensions[axis].name
                            ),
                        )),
                    };
                }
                if let Ok(number) = key.parse::<usize>()
                    && (1..=self.axes[axis].elements.len()).contains(&number)
                {
                    return Ok(Place::Fixed(number - 1));
                }
                if self.find(&key, env.scope).is_some() {
                    let index = self.reference(name, &[], span, env)?;
                    return Ok(self.moving(index));
                }
                Err(CompileError::UnknownName {
                    name: name.clone(),
                    variable: self.element_name(env.owner),
                    span,
                    known: self.model.dimensions[axis].elements.clone(),
                })
            }
            Subscript::Reduce(name) => {
                let range = match name {
                    Some(name) => self.axis_of.get(&canonical(name)).copied().unwrap_or(axis),
                    None => axis,
                };
                match self.translate(axis, range, &env.running) {
                    Some(position) => Ok(Place::Fixed(position)),
                    None => Err(self.fault(
                        env,
                        span,
                        format!(
                            "{:?} over all elements is only possible inside SUM, MIN, MAX and the like",
                            self.model.dimensions[range].name
                        ),
                    )),
                }
            }
            Subscript::Index(expr) => {
                let index = self.lower(expr, env)?;
                Ok(self.moving(index))
            }
        }
    }

    fn moving(&mut self, index: Id) -> Place {
        match self.graph.value(index) {
            Some(value) if value >= 1.0 => Place::Fixed(value as usize - 1),
            _ => Place::Moving(index),
        }
    }

    /// The element of `target` that `range` stands for, given positions in other dimensions.
    fn translate(&self, target: usize, range: usize, places: &[(usize, usize)]) -> Option<usize> {
        let target = &self.axes[target];
        if let Some(&(_, place)) = places.iter().find(|place| place.0 == range) {
            let element = &self.axes[range].elements[place];
            if let Some(position) = target.position(element) {
                return Some(position);
            }
            // The range is mapped onto the target, element by element.
            for (to, names) in &self.axes[range].mappings {
                if *to == target.name {
                    return names.get(place).and_then(|name| target.position(name));
                }
            }
            return None;
        }
        // A dimension that is not on the left side: through a mapping between it and one that is.
        for &(left, place) in places {
            let element = &self.axes[left].elements[place];
            for (to, names) in &self.axes[range].mappings {
                let through = *to == self.axes[left].name
                    || self.axis_of.get(to).is_some_and(|&to| self.axes[to].position(element).is_some());
                if !through {
                    continue;
                }
                let found = names.iter().position(|name| {
                    name == element
                        || self.axis_of.get(name).is_some_and(|&group| self.axes[group].position(element).is_some())
                });
                if let Some(found) = found
                    && let Some(position) = target.position(&self.axes[range].elements[found])
                {
                    return Some(position);
                }
            }
            for (to, names) in &self.axes[left].mappings {
                if *to == self.axes[range].name
                    && let Some(name) = names.get(place)
                    && let Some(position) = target.position(name)
                {
                    return Some(position);
                }
            }
        }
        // Subranges of one range name the same element.
        for &(left, place) in places {
            let element = &self.axes[left].elements[place];
            if self.axes[range].position(element).is_some()
                && let Some(position) = target.position(element)
            {
                return Some(position);
            }
        }
        None
    }

    /// The element that subscripts mean.
    pub(crate) fn element_at(
        &mut self,
        index: usize,
        subscripts: &'m [Subscript],
        span: Span,
        env: &Env,
    ) -> Result<At, CompileError> {
        let axes = self.infos[index].axes.clone();
        let first = self.infos[index].first;
        if !subscripts.is_empty() && subscripts.len() != axes.len() {
            let reason = format!(
                "{:?} has {} subscripts here and {} dimensions",
                self.infos[index].name,
                subscripts.len(),
                axes.len()
            );
            return Err(self.fault(env, span, reason));
        }
        let mut places = Vec::with_capacity(axes.len());
        for (j, &axis) in axes.iter().enumerate() {
            if let Some(subscript) = subscripts.get(j) {
                places.push(self.place(axis, subscript, span, env)?);
                continue;
            }
            let found = env.running.iter().find(|place| place.0 == axis).map(|place| place.1);
            let found = found.or_else(|| self.translate(axis, axis, &env.places));
            if let Some(position) = found {
                places.push(Place::Fixed(position));
            } else {
                let reason = format!(
                    "{:?} is an array over {:?}: name an element",
                    self.infos[index].name, self.model.dimensions[axis].name
                );
                return Err(self.fault(env, span, reason));
            }
        }
        let mut fixed = Some(0usize);
        for (place, &axis) in places.iter().zip(&axes) {
            let size = self.axes[axis].elements.len();
            fixed = match (fixed, place) {
                (Some(sum), Place::Fixed(position)) if *position < size => Some(sum * size + position),
                (_, Place::Fixed(position)) if *position >= size => {
                    return Err(self.fault(
                        env,
                        span,
                        format!(
                            "index {} of {:?} is beyond its {size} elements",
                            position + 1,
                            self.model.dimensions[axis].name
                        ),
                    ));
                }
                _ => None,
            };
        }
        if let Some(flat) = fixed {
            return Ok(At::Fixed(first + flat as u32));
        }
        // offset = Σ position·stride, positions from zero
        let mut offset = self.graph.number(0.0);
        for (place, &axis) in places.iter().zip(&axes) {
            let size = self.graph.number(self.axes[axis].elements.len() as f64);
            offset = self.graph.product(offset, size);
            let position = match place {
                Place::Fixed(position) => self.graph.number(*position as f64),
                Place::Moving(node) => {
                    let one = self.graph.number(1.0);
                    self.graph.difference(*node, one)
                }
            };
            offset = self.graph.sum(offset, position);
        }
        Ok(At::Moving(index, offset))
    }

    /// Makes an instance of a macro and returns its main output.
    pub(crate) fn instantiate(
        &mut self,
        which: usize,
        output: Option<&str>,
        arguments: &'m [Expr],
        span: Span,
        env: &Env,
    ) -> Result<Id, CompileError> {
        let model = self.model;
        let definition = &model.macros[which];
        let wanted = canonical(output.unwrap_or(&definition.name));
        if arguments.len() != definition.parameters.len() {
            return Err(self.fault(
                env,
                span,
                format!("{} takes {} arguments, not {}", definition.name, definition.parameters.len(), arguments.len()),
            ));
        }
        let depth = self.scopes[env.scope].depth + 1;
        if depth > DEEPEST {
            return Err(self.fault(env, span, format!("the macro {} calls itself", definition.name)));
        }
        // At the start the equations of the run's instance are read: both modes share one instance.
        let scope = self.scopes.len();
        let mut bound = HashMap::new();
        for (parameter, argument) in definition.parameters.iter().zip(arguments) {
            bound.insert(canonical(parameter), Bound::Argument(argument, env.at(Mode::Current)));
        }
        self.scopes.push(Scope { variables: HashMap::new(), bound, depth });
        let prefix = self.element_name(env.owner);
        let mut main = None;
        for variable in &definition.variables {
            let key = canonical(&variable.name);
            if self.scopes[scope].bound.contains_key(&key) {
                continue;
            }
            let index = self.declare(variable, scope, format!("{prefix}·{}·{}", definition.name, variable.name))?;
            if key == wanted {
                main = Some(self.infos[index].first);
            }
        }
        let Some(main) = main else {
            return Err(self.fault(env, span, format!("the macro {} has no equation for {wanted:?}", definition.name)));
        };
        Ok(self.graph.add(match env.mode {
            Mode::Current => Node::Variable(main),
            Mode::Initial => Node::VariableInitial(main),
        }))
    }

    /// The value of a node if every parameter keeps its default; `None` if it is no constant.
    pub(crate) fn constant(&self, id: Id) -> Option<f64> {
        self.constant_within(id, 200)
    }

    /// As [`Lowering::constant`], lowering the variables that the node names if their turn has not come.
    pub(crate) fn constant_now(&mut self, id: Id) -> Result<Option<f64>, CompileError> {
        let mut stack = vec![id];
        let mut seen = std::collections::HashSet::new();
        while let Some(id) = stack.pop() {
            if !seen.insert(id) {
                continue;
            }
            let node = self.graph.node(id).clone();
            if let Node::Variable(element) | Node::VariableInitial(element) = node {
                self.element(element)?;
                stack.extend(self.elements[element as usize].current);
            }
            node.arguments(|argument| stack.push(argument));
        }
        Ok(self.constant(id))
    }

    fn constant_within(&self, id: Id, depth: usize) -> Option<f64> {
        if depth == 0 {
            return None;
        }
        let value = |id: Id| self.constant_within(id, depth - 1);
        match self.graph.node(id) {
            Node::Number(bits) => Some(f64::from_bits(*bits)),
            Node::Variable(element) | Node::VariableInitial(element) => {
                let element = &self.elements[*element as usize];
                if element.stock { None } else { value(element.current?) }
            }
            Node::Unary(op, a) => Some(scalar::unary::<true>(*op, value(*a)?)),
            Node::Binary(op, a, b) => Some(scalar::binary::<true>(*op, value(*a)?, value(*b)?)),
            Node::Select(c, a, b) => {
                if value(*c)? == 0.0 {
                    value(*b)
                } else {
                    value(*a)
                }
            }
            Node::Lookup(table, reading, a) => {
                Some(scalar::lookup(&self.tables[*table as usize], *reading, value(*a)?))
            }
            _ => None,
        }
    }
}

enum Place {
    Fixed(usize),
    Moving(Id),
}

/// Where subscripts point.
pub(crate) enum At {
    /// One element.
    Fixed(u32),
    /// An element of the variable whose offset is computed during the run.
    Moving(usize, Id),
}
