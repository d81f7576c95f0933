//! The part of a model that a run needs: names gone, varied values and saved values marked, constants folded.

use std::collections::HashMap;

use super::error::CompileError;
use super::graph::{Binary, Curve, Graph, Id, Machine, Motion, Node, Points, Reading, State, Unary};
use super::lower::Lowering;
use super::scalar;
use crate::sd::functions::call::{Ask, Function, Noise};
use crate::sd::model::{Kind, Method, Model, TimeSpec, canonical};

/// What a program is compiled for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Names of the variables to save; `None`: every variable that has a value over time.
    pub save: Option<Vec<String>>,
    /// Names of what runs may vary.
    pub varied: Vec<String>,
    /// Lookups and series whose points runs may vary. Their values stand behind those of the names.
    pub curves: Vec<Shaped>,
    /// The method in place of the model's.
    pub method: Option<Method>,
    /// Initial time, final time, step and save step in place of the model's.
    pub time: Option<(f64, f64, f64, Option<f64>)>,
    /// Saved times in place of a save step.
    pub save_times: Option<Vec<f64>>,
    /// Relative and absolute tolerance of the adaptive method.
    pub tolerance: Option<(f64, f64)>,
}

/// A lookup or series whose points vary: its arguments, where each run has its own, and its values are varied values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shaped {
    /// Its name. Of an array all elements have the same points.
    pub name: String,
    /// How many points it has.
    pub points: usize,
    /// Whether each run has its own arguments; otherwise they are those of the model.
    pub own_x: bool,
}

/// A saved variable and the columns that hold its elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The variable's name.
    pub name: String,
    /// Names of its dimensions.
    pub dimensions: Vec<String>,
    /// Its first column.
    pub first: usize,
    /// How many columns it has.
    pub count: usize,
}

/// How a lookup is changed by a varied value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    ScaleX,
    ScaleY,
    ShiftX,
    ShiftY,
}

/// The flat graph of a run.
#[derive(Clone, Debug)]
pub struct Flat {
    /// The operations; no node names a variable.
    pub graph: Graph,
    /// The states that the saved values depend on. Their nodes are `Node::State` of the position here.
    pub states: Vec<State>,
    /// The machines that the saved values depend on. Their calls have the position here.
    pub machines: Vec<Machine>,
    /// The name of the variable behind each state.
    pub state_names: Vec<String>,
    /// The value of each saved column.
    pub saves: Vec<Id>,
    /// The name of each saved column.
    pub columns: Vec<String>,
    /// The saved variables.
    pub layout: Vec<Column>,
    /// The points of the lookups.
    pub tables: Vec<Points>,
    /// The points that each run has for itself.
    pub curves: Vec<Curve>,
    /// The default of each varied value, NaN where it is no constant.
    pub defaults: Vec<f64>,
    /// Time.
    pub time: TimeSpec,
    /// The saved times when they were given.
    pub save_times: Option<Vec<f64>>,
    /// Relative and absolute tolerance of the adaptive method.
    pub tolerance: (f64, f64),
}

struct Flattening<'a, 'm> {
    from: &'a Lowering<'m>,
    graph: Graph,
    values: Vec<Option<Id>>,
    // Elements whose value is a column of the design, during the run and at the start.
    replaced: HashMap<u32, u32>,
    started: HashMap<u32, u32>,
    shapes: HashMap<u32, Vec<(Shape, u32)>>,
    // Tables whose points are varied values.
    curve_of: HashMap<u32, u32>,
    state_of: HashMap<u32, u32>,
    states: Vec<u32>,
    machine_of: HashMap<u32, u32>,
    machines: Vec<u32>,
}

/// Flattens a model.
pub fn flatten(model: &Model, options: &Options) -> Result<Flat, CompileError> {
    let mut time = model.time.clone();
    if let Some((initial, last, dt, save)) = options.time {
        time = TimeSpec { initial_time: initial, final_time: last, dt, save_step: save, ..time };
    }
    if let Some(method) = options.method {
        time.method = method;
    }
    check_time(&time)?;
    let lowering = Lowering::new(model, time.clone())?;
    let mut flattening = Flattening {
        values: vec![None; lowering.graph.nodes().len()],
        from: &lowering,
        graph: Graph::default(),
        replaced: HashMap::new(),
        started: HashMap::new(),
        shapes: HashMap::new(),
        curve_of: HashMap::new(),
        state_of: HashMap::new(),
        states: Vec::new(),
        machine_of: HashMap::new(),
        machines: Vec::new(),
    };
    let mut defaults = Vec::with_capacity(options.varied.len());
    for (slot, name) in options.varied.iter().enumerate() {
        defaults.push(flattening.vary(name, slot as u32)?);
    }
    let mut curves = Vec::with_capacity(options.curves.len());
    for shaped in &options.curves {
        let curve = flattening.bend(shaped, curves.len() as u32, &mut defaults)?;
        curves.push(curve);
    }
    let mut layout = Vec::new();
    let mut columns = Vec::new();
    let mut elements = Vec::new();
    for index in saved(&lowering, options)? {
        let info = &lowering.infos[index];
        layout.push(Column {
            name: info.name.clone(),
            dimensions: info.variable.dimensions.clone(),
            first: columns.len(),
            count: info.count as usize,
        });
        for element in info.first..info.first + info.count {
            columns.push(lowering.element_name(element));
            elements.push(element);
        }
    }
    let mut saves = Vec::with_capacity(elements.len());
    for &element in &elements {
        saves.push(flattening.element(element, false)?);
    }
    // States bring in what moves them, which may bring in further states and machines.
    let mut states = Vec::new();
    let mut machines: Vec<Machine> = Vec::new();
    let mut next = 0;
    while next < flattening.states.len() || machines.len() < flattening.machines.len() {
        if let Some(&index) = flattening.machines.get(machines.len()) {
            let mut machine = lowering.machines[index as usize].clone();
            for id in &mut machine.start {
                *id = flattening.resolve(*id)?;
            }
            for (_, source, _) in &mut machine.sources {
                *source = flattening.machine(*source);
            }
            machines.push(machine);
            continue;
        }
        let state = lowering.states[flattening.states[next] as usize].clone();
        let initial = match flattening.started.get(&state.owner).copied() {
            Some(slot) if lowering.elements[state.owner as usize].initial == Some(state.initial) => {
                flattening.graph.add(Node::Input(slot))
            }
            _ => flattening.resolve(state.initial)?,
        };
        let motion = match state.motion {
            Motion::Stock { rate, floor } => Motion::Stock { rate: flattening.resolve(rate)?, floor },
            Motion::Hold { next } => Motion::Hold { next: flattening.resolve(next)? },
            Motion::Ring { input, steps, moving } => {
                Motion::Ring { input: flattening.resolve(input)?, steps: flattening.resolve(steps)?, moving }
            }
        };
        states.push(State { owner: state.owner, initial, motion });
        next += 1;
    }
    for machine in &mut machines {
        machine.state = machine.state.and_then(|state| flattening.state_of.get(&state).copied());
    }
    Ok(Flat {
        state_names: states.iter().map(|state| lowering.element_name(state.owner)).collect(),
        graph: flattening.graph,
        states,
        machines,
        saves,
        columns,
        layout,
        tables: lowering.tables,
        curves,
        defaults,
        time,
        save_times: options.save_times.clone(),
        tolerance: options.tolerance.unwrap_or((1e-6, 1e-9)),
    })
}

fn check_time(time: &TimeSpec) -> Result<(), CompileError> {
    let problem = if !time.dt.is_finite() || time.dt <= 0.0 {
        format!("dt is {}: expected a positive number", time.dt)
    } else if !time.initial_time.is_finite() || !time.final_time.is_finite() {
        format!("time runs from {} to {}: expected finite numbers", time.initial_time, time.final_time)
    } else if time.final_time < time.initial_time {
        format!("final_time {} is before initial_time {}", time.final_time, time.initial_time)
    } else if (time.final_time - time.initial_time) / time.dt > 1e9 {
        format!("{} steps are too many: enlarge dt {}", (time.final_time - time.initial_time) / time.dt, time.dt)
    } else if time.save_step.is_some_and(|step| !step.is_finite() || step < 0.0) {
        format!("save_step is {:?}: expected a positive number or none", time.save_step)
    } else {
        return Ok(());
    };
    Err(CompileError::Option(problem))
}

fn saved(lowering: &Lowering<'_>, options: &Options) -> Result<Vec<usize>, CompileError> {
    let has_value = |index: usize| {
        let info = &lowering.infos[index];
        !matches!(info.variable.kind, Kind::Lookup)
            && (info.first..info.first + info.count)
                .all(|element| lowering.elements[element as usize].current.is_some())
    };
    let Some(names) = &options.save else {
        return Ok((0..lowering.infos.len()).filter(|&i| lowering.infos[i].scope == 0 && has_value(i)).collect());
    };
    names
        .iter()
        .map(|name| match lowering.find(&canonical(name), 0) {
            Some(index) if has_value(index) => Ok(index),
            Some(_) => Err(CompileError::Option(format!("{name:?} is a lookup: it has no value over time to save"))),
            None => Err(unknown(lowering, name)),
        })
        .collect()
}

fn unknown(lowering: &Lowering<'_>, name: &str) -> CompileError {
    CompileError::UnknownName {
        name: name.to_owned(),
        variable: String::new(),
        span: crate::sd::expr::Span::default(),
        known: lowering.infos.iter().filter(|info| info.scope == 0).map(|info| info.variable.name.clone()).collect(),
    }
}

impl Flattening<'_, '_> {
    /// Marks what a name of the design stands for and returns its default.
    fn vary(&mut self, written: &str, slot: u32) -> Result<f64, CompileError> {
        let lowering = self.from;
        let shape = |prefix: &str| {
            let rest = written.trim().strip_prefix(prefix)?;
            Some(rest.strip_prefix('(')?.strip_suffix(')')?.trim())
        };
        for (prefix, kind) in
            [("XSCALE", Shape::ScaleX), ("YSCALE", Shape::ScaleY), ("XSHIFT", Shape::ShiftX), ("YSHIFT", Shape::ShiftY)]
        {
            if let Some(name) = shape(prefix) {
                let (index, elements) = self.named(name)?;
                for element in elements {
                    let flat = (element - lowering.infos[index].first) as usize;
                    let Some(&table) = lowering.table_of.get(&(index, flat)) else {
                        return Err(CompileError::Option(format!("{name:?} in the varied {written:?} is no lookup")));
                    };
                    self.shapes.entry(table).or_default().push((kind, slot));
                }
                return Ok(if matches!(kind, Shape::ScaleX | Shape::ScaleY) { 1.0 } else { 0.0 });
            }
        }
        let (name, initial) = match shape("INITIAL") {
            Some(name) => (name, true),
            None => (written, false),
        };
        let (_, elements) = self.named(name)?;
        let mut default = f64::NAN;
        for (k, &element) in elements.iter().enumerate() {
            let facts = &lowering.elements[element as usize];
            if initial != facts.stock {
                let cure = if initial { "leave INITIAL( ) away" } else { "vary its start as INITIAL(name)" };
                let what = if facts.stock { "a stock" } else { "no stock" };
                return Err(CompileError::Option(format!("{name:?} is {what}: {cure}")));
            }
            let node = if initial { facts.initial } else { facts.current };
            let Some(node) = node else {
                return Err(CompileError::Option(format!("{name:?} is a lookup: vary its shape as YSCALE({name})")));
            };
            let value = lowering.constant(node).unwrap_or(f64::NAN);
            if k == 0 {
                default = value;
            } else if default != value {
                default = f64::NAN;
            }
            if initial {
                self.started.insert(element, slot);
            } else {
                self.replaced.insert(element, slot);
                self.started.insert(element, slot);
            }
        }
        Ok(default)
    }

    /// Marks the tables of a lookup or series whose points are varied values, and adds their defaults.
    fn bend(&mut self, shaped: &Shaped, curve: u32, defaults: &mut Vec<f64>) -> Result<Curve, CompileError> {
        let lowering = self.from;
        let (name, count) = (&shaped.name, shaped.points);
        let (index, elements) = self.named(name)?;
        let mut tables: Vec<u32> = Vec::new();
        for element in elements {
            let flat = (element - lowering.infos[index].first) as usize;
            tables.extend(lowering.table_of.get(&(index, flat)));
            tables.extend(lowering.graphical.get(&element).into_iter().flatten());
        }
        let Some(points) = tables.first().map(|&table| &lowering.tables[table as usize]) else {
            return Err(CompileError::Option(format!("{name:?} has no points to vary: it is no lookup and no series")));
        };
        if tables.iter().any(|table| lowering.whole.contains(table)) {
            return Err(CompileError::Option(format!(
                "the points of {name:?} are read as a whole, so that they are part of the program"
            )));
        }
        let same = |table: &u32| lowering.tables[*table as usize].x == points.x;
        if !shaped.own_x && (points.x.len() != count || !tables.iter().all(same)) {
            return Err(CompileError::Option(format!(
                "{name:?} has {} points in the model: expected {count}, as its runs share their arguments",
                points.x.len()
            )));
        }
        let mut take = |values: &[f64]| {
            let first = defaults.len() as u32;
            let known = values.len() == count;
            defaults.extend((0..count).map(|k| if known { values[k] } else { f64::NAN }));
            first
        };
        let first_x = shaped.own_x.then(|| take(&points.x));
        let first_y = take(&points.y);
        for table in tables {
            if self.curve_of.insert(table, curve).is_some() {
                return Err(CompileError::Option(format!("the points of {name:?} are varied twice")));
            }
        }
        let x = if shaped.own_x { Vec::new() } else { points.x.clone() };
        Ok(Curve { x, first_x, first_y, count })
    }

    /// The variable and the elements that a name outside of equations means: `name` or `name[a,b]`.
    fn named(&self, written: &str) -> Result<(usize, Vec<u32>), CompileError> {
        let lowering = self.from;
        if let Some(index) = lowering.find(&canonical(written), 0) {
            let info = &lowering.infos[index];
            return Ok((index, (info.first..info.first + info.count).collect()));
        }
        let parts = written.trim().strip_suffix(']').and_then(|rest| rest.split_once('['));
        let Some((name, subscripts)) = parts else {
            return Err(unknown(lowering, written));
        };
        let Some(index) = lowering.find(&canonical(name), 0) else {
            return Err(unknown(lowering, name));
        };
        let info = &lowering.infos[index];
        let names: Vec<String> = subscripts.split(',').map(canonical).collect();
        if names.len() != info.axes.len() {
            return Err(CompileError::Option(format!(
                "{written:?} has {} subscripts: expected {}",
                names.len(),
                info.axes.len()
            )));
        }
        let mut elements = Vec::new();
        for element in info.first..info.first + info.count {
            let places = lowering.places(info, (element - info.first) as usize);
            let fits = names.iter().zip(info.axes.iter().zip(&places)).all(|(name, (&axis, &place))| {
                let here = &lowering.axes[axis].elements[place];
                name == here
                    || lowering.axis_of.get(name).is_some_and(|&range| lowering.axes[range].position(here).is_some())
            });
            if fits {
                elements.push(element);
            }
        }
        if elements.is_empty() {
            return Err(CompileError::UnknownName {
                name: written.to_owned(),
                variable: String::new(),
                span: crate::sd::expr::Span::default(),
                known: (info.first..info.first + info.count).map(|element| lowering.element_name(element)).collect(),
            });
        }
        Ok((index, elements))
    }

    fn element(&mut self, element: u32, initial: bool) -> Result<Id, CompileError> {
        let replaced = if initial { &self.started } else { &self.replaced };
        if let Some(&slot) = replaced.get(&element) {
            return Ok(self.graph.add(Node::Input(slot)));
        }
        let facts = &self.from.elements[element as usize];
        match if initial { facts.initial } else { facts.current } {
            Some(node) => self.resolve(node),
            None => Err(CompileError::Option(format!("{:?} has no value", self.from.element_name(element)))),
        }
    }

    /// What stands behind a node that names an element of a variable.
    fn target(&self, node: &Node) -> Option<Result<Id, u32>> {
        let (element, initial) = match node {
            Node::Variable(element) => (*element, false),
            Node::VariableInitial(element) => (*element, true),
            _ => return None,
        };
        let replaced = if initial { &self.started } else { &self.replaced };
        if let Some(&slot) = replaced.get(&element) {
            return Some(Err(slot));
        }
        let facts = &self.from.elements[element as usize];
        if initial { facts.initial } else { facts.current }.map(Ok)
    }

    /// The flat node of a lowered node. An explicit stack: chains of variables may be long.
    fn resolve(&mut self, root: Id) -> Result<Id, CompileError> {
        let from = self.from;
        let mut stack: Vec<(Id, bool)> = vec![(root, false)];
        // Nodes between their first and last visit: meeting one again is a circle.
        let mut open: Vec<Id> = Vec::new();
        let mut is_open: HashMap<Id, usize> = HashMap::new();
        while let Some((id, ready)) = stack.pop() {
            if self.values[id as usize].is_some() {
                if ready {
                    open.pop();
                    is_open.remove(&id);
                }
                continue;
            }
            let node = from.graph.node(id);
            if ready {
                let value = self.finish(node);
                self.values[id as usize] = Some(value);
                open.pop();
                is_open.remove(&id);
                continue;
            }
            if is_open.contains_key(&id) {
                return Err(self.circle(&open, id));
            }
            is_open.insert(id, open.len());
            open.push(id);
            if let Node::Variable(element) | Node::VariableInitial(element) = node
                && from.blank.contains(element)
                && matches!(self.target(node), Some(Ok(_)))
            {
                return Err(self.unwritten(&open, *element));
            }
            stack.push((id, true));
            let before = stack.len();
            if let Some(Ok(target)) = self.target(node) {
                stack.push((target, false));
            }
            node.arguments(|argument| stack.push((argument, false)));
            // Arguments that are done need no visit; open ones must be met last to be seen as circles.
            let values = &self.values;
            let mut kept = before;
            for k in before..stack.len() {
                if values[stack[k].0 as usize].is_none() {
                    stack.swap(kept, k);
                    kept += 1;
                }
            }
            stack.truncate(kept);
        }
        Ok(self.values[root as usize].unwrap_or_default())
    }

    /// The error of an element without equation that something reads.
    fn unwritten(&self, open: &[Id], element: u32) -> CompileError {
        let from = self.from;
        let readers = open.iter().rev().skip(1).find_map(|&id| match from.graph.node(id) {
            Node::Variable(reader) | Node::VariableInitial(reader) => Some(from.element_name(*reader)),
            _ => None,
        });
        let reader = readers.map_or_else(String::new, |name| format!(" of {name:?}"));
        CompileError::Equation {
            variable: from.element_name(element),
            span: crate::sd::expr::Span::default(),
            reason: format!(
                "no equation covers this element, and an equation{reader} reads it: write one for it, or leave it out there"
            ),
        }
    }

    fn circle(&self, open: &[Id], again: Id) -> CompileError {
        let from = self.from;
        let start = open.iter().position(|&id| id == again).unwrap_or(0);
        let mut circle: Vec<String> = Vec::new();
        let mut initial = false;
        for &id in &open[start..] {
            let element = match from.graph.node(id) {
                Node::Variable(element) => *element,
                Node::VariableInitial(element) => {
                    initial = true;
                    *element
                }
                _ => continue,
            };
            circle.push(from.element_name(element));
        }
        if let Some(first) = circle.first().cloned() {
            circle.push(first);
        }
        CompileError::Circular { circle, initial }
    }

    fn value(&self, id: Id) -> Id {
        self.values[id as usize].unwrap_or_default()
    }

    fn finish(&mut self, node: &Node) -> Id {
        match node {
            Node::Variable(_) | Node::VariableInitial(_) => match self.target(node) {
                Some(Ok(target)) => self.value(target),
                Some(Err(slot)) => self.graph.add(Node::Input(slot)),
                None => self.graph.number(f64::NAN),
            },
            Node::State(state) => {
                let index = self.state(*state);
                self.graph.add(Node::State(index))
            }
            Node::Call(Function::Machine(machine, ask), arguments, key) if *ask != Ask::Hold => {
                // A machine that is only asked how it starts never moves.
                if !Function::Machine(*machine, *ask).first()
                    && let Some(state) = self.from.machines[*machine as usize].state
                {
                    self.state(state);
                }
                let machine = self.machine(*machine);
                let arguments = arguments.iter().map(|&id| self.value(id)).collect();
                self.graph.add(Node::Call(Function::Machine(machine, *ask), arguments, *key))
            }
            Node::Lookup(table, reading, at) => {
                let at = self.value(*at);
                self.lookup(*table, *reading, at)
            }
            other => {
                let mapped = other.map(|id| self.value(id));
                simplify(&mut self.graph, mapped, &self.from.tables)
            }
        }
    }

    /// The place of a state among those that the run needs.
    fn state(&mut self, state: u32) -> u32 {
        let next = self.states.len() as u32;
        let index = *self.state_of.entry(state).or_insert(next);
        if index == next {
            self.states.push(state);
        }
        index
    }

    /// The place of a machine among those that the run needs.
    fn machine(&mut self, machine: u32) -> u32 {
        let next = self.machines.len() as u32;
        let index = *self.machine_of.entry(machine).or_insert(next);
        if index == next {
            self.machines.push(machine);
        }
        index
    }

    fn lookup(&mut self, table: u32, reading: Reading, at: Id) -> Id {
        let shapes = self.shapes.get(&table).cloned().unwrap_or_default();
        let mut at = at;
        // y = scale · f((x − shift) / scale) + shift
        for wanted in [Shape::ShiftX, Shape::ScaleX] {
            for &(_, slot) in shapes.iter().filter(|shape| shape.0 == wanted) {
                let factor = self.graph.add(Node::Input(slot));
                let op = if wanted == Shape::ShiftX { Binary::Subtract } else { Binary::Divide };
                at = self.graph.binary(op, at, factor);
            }
        }
        let mut value = match self.curve_of.get(&table) {
            Some(&curve) => self.graph.add(Node::Curve(curve, reading, at)),
            None => simplify(&mut self.graph, Node::Lookup(table, reading, at), &self.from.tables),
        };
        for wanted in [Shape::ScaleY, Shape::ShiftY] {
            for &(_, slot) in shapes.iter().filter(|shape| shape.0 == wanted) {
                let factor = self.graph.add(Node::Input(slot));
                let op = if wanted == Shape::ScaleY { Binary::Multiply } else { Binary::Add };
                value = self.graph.binary(op, value, factor);
            }
        }
        value
    }
}

/// Adds a node, folded if its arguments are numbers and in its plainest form.
pub fn simplify(graph: &mut Graph, node: Node, tables: &[Points]) -> Id {
    match &node {
        Node::Unary(op, a) => {
            if let Some(a) = graph.value(*a) {
                return graph.number(scalar::unary::<true>(*op, a));
            }
            if *op == Unary::Negative
                && let Node::Unary(Unary::Negative, inner) = graph.node(*a)
            {
                return *inner;
            }
        }
        Node::Binary(op, a, b) => {
            let (op, a, b) = (*op, *a, *b);
            match (graph.value(a), graph.value(b)) {
                (Some(x), Some(y)) => return graph.number(scalar::binary::<true>(op, x, y)),
                (Some(x), None) => match op {
                    Binary::Add if x == 0.0 => return b,
                    Binary::Multiply if x == 1.0 => return b,
                    Binary::And if x == 0.0 => return graph.number(0.0),
                    Binary::Or if x != 0.0 => return graph.number(1.0),
                    _ => {}
                },
                (None, Some(y)) => match op {
                    Binary::Add | Binary::Subtract if y == 0.0 => return a,
                    Binary::Multiply | Binary::Divide if y == 1.0 => return a,
                    Binary::Power if y == 1.0 => return a,
                    // A square is one product; both are rounded once.
                    Binary::Power if y == 2.0 => return graph.product(a, a),
                    Binary::And if y == 0.0 => return graph.number(0.0),
                    Binary::Or if y != 0.0 => return graph.number(1.0),
                    // Dividing by a power of two is exact either way.
                    Binary::Divide if y.is_normal() && (1.0 / y).is_normal() && y.to_bits() << 12 == 0 => {
                        let inverse = graph.number(1.0 / y);
                        return graph.product(a, inverse);
                    }
                    // A number comes first, so that what is not a number in the other passes on.
                    Binary::Min | Binary::Max => return graph.binary(op, b, a),
                    _ => {}
                },
                (None, None) => {}
            }
            // A sign moves out of products and into sums, where it costs nothing; both are exact.
            let bare = |graph: &Graph, id: Id| match graph.node(id) {
                Node::Unary(Unary::Negative, inner) => Some(*inner),
                _ => None,
            };
            match (op, bare(graph, a), bare(graph, b)) {
                (Binary::Add, _, Some(b)) => return simplify(graph, Node::Binary(Binary::Subtract, a, b), tables),
                (Binary::Add, Some(a), _) => return simplify(graph, Node::Binary(Binary::Subtract, b, a), tables),
                (Binary::Subtract, _, Some(b)) => return simplify(graph, Node::Binary(Binary::Add, a, b), tables),
                (Binary::Multiply | Binary::Divide, Some(a), Some(b)) => {
                    return simplify(graph, Node::Binary(op, a, b), tables);
                }
                (Binary::Multiply | Binary::Divide, Some(a), None) => {
                    let value = simplify(graph, Node::Binary(op, a, b), tables);
                    return graph.unary(Unary::Negative, value);
                }
                (Binary::Multiply | Binary::Divide, None, Some(b)) => {
                    let value = simplify(graph, Node::Binary(op, a, b), tables);
                    return graph.unary(Unary::Negative, value);
                }
                _ => {}
            }
            // One order for operations whose arguments may change places.
            if matches!(
                op,
                Binary::Add | Binary::Multiply | Binary::And | Binary::Or | Binary::Equal | Binary::NotEqual
            ) && a > b
            {
                return graph.binary(op, b, a);
            }
        }
        Node::Select(c, a, b) => {
            if let Some(c) = graph.value(*c) {
                return if c == 0.0 { *b } else { *a };
            }
            if a == b {
                return *a;
            }
            if let Node::Unary(Unary::Not, inner) = graph.node(*c) {
                let (inner, a, b) = (*inner, *a, *b);
                return simplify(graph, Node::Select(inner, b, a), tables);
            }
        }
        Node::Lookup(table, reading, at) => {
            if let Some(at) = graph.value(*at) {
                return graph.number(scalar::lookup(&tables[*table as usize], *reading, at));
            }
        }
        Node::Call(function, arguments, _) if !function.random() && function.results(arguments.len()) == 1 => {
            let values: Option<Vec<f64>> = arguments.iter().map(|&a| graph.value(a)).collect();
            if let Some(values) = values {
                let mut out = [0.0];
                function.evaluate(&values, &Noise::default(), 0, &mut out);
                return graph.number(out[0]);
            }
            // A fixed place needs no call.
            if *function == crate::sd::functions::call::Function::Pick
                && let Some(k) = graph.value(arguments[0])
                && k.round() >= 0.0
                && (k.round() as usize) < arguments.len() - 1
            {
                return arguments[1 + k.round() as usize];
            }
        }
        Node::Output(call, k) => {
            if let Node::Call(function, arguments, _) = graph.node(*call)
                && !function.random()
                && let Some(values) = arguments.iter().map(|&a| graph.value(a)).collect::<Option<Vec<f64>>>()
            {
                let mut out = vec![0.0; function.results(values.len())];
                function.evaluate(&values, &Noise::default(), 0, &mut out);
                let value = out.get(*k as usize).copied().unwrap_or(f64::NAN);
                return graph.number(value);
            }
        }
        _ => {}
    }
    graph.add(node)
}
