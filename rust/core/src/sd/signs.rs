//! The sign of a link: which way an effect moves when its cause alone rises, read off the equations.
//!
//! A product needs the sign of its other factor. Numbers and parameters have theirs; a stock counts as non-negative when its initial value is not
//! known to be negative, which is the convention of causal-loop diagrams (Sterman 2000, §5.2); everything else follows from its equation.
//! What depends on a difference, or moves up here and down there, is unknown.

use std::collections::BTreeMap;

use super::expr::{BinaryOp, Expr, ExprKind, Subscript, UnaryOp};
use super::graph::{Names, dependencies};
use super::model::{Equation, Kind, Model, Table, Variable, canonical};

/// A sign: of a value, or of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sign {
    /// Not below zero; the effect moves with its cause.
    Plus,
    /// Not above zero; the effect moves against its cause.
    Minus,
    /// Cannot be known from the equations.
    Unknown,
}

impl Sign {
    /// `"+"`, `"-"`, `"?"`.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Unknown => "?",
        }
    }

    /// The sign of a product.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (a, b) if a == b => Self::Plus,
            _ => Self::Minus,
        }
    }

    /// The sign of a sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        if self == other { self } else { Self::Unknown }
    }

    fn negated(self) -> Self {
        self.times(Self::Minus)
    }

    fn of(value: f64) -> Self {
        if value >= 0.0 {
            Self::Plus
        } else if value < 0.0 {
            Self::Minus
        } else {
            Self::Unknown
        }
    }
}

/// How a cause enters an equation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// The sign of the effect.
    pub(super) sign: Sign,
    /// Whether the effect follows in the same instant, without a stock or delay between.
    pub(super) now: bool,
}

impl Way {
    fn join(self, other: Self) -> Self {
        Self { sign: self.sign.plus(other.sign), now: self.now || other.now }
    }
}

/// The causes of something, by place of the variable.
pub(super) type Causes = BTreeMap<usize, Way>;

/// What is known about an expression.
struct Effect {
    value: Sign,
    /// Neither varies nor is zero by accident: the number.
    number: Option<f64>,
    causes: Causes,
}

impl Effect {
    fn plain(value: Sign) -> Self {
        Self { value, number: None, causes: Causes::new() }
    }
}

fn merge(into: &mut Causes, causes: Causes, factor: Sign) {
    for (place, way) in causes {
        let way = Way { sign: way.sign.times(factor), now: way.now };
        into.entry(place).and_modify(|old| *old = old.join(way)).or_insert(way);
    }
}

fn later(mut causes: Causes) -> Causes {
    for way in causes.values_mut() {
        way.now = false;
    }
    causes
}

/// Reads signs off the equations of one model.
pub(super) struct Reader<'m> {
    model: &'m Model,
    names: Names,
    /// Signs of values, as far as they are found.
    values: Vec<Sign>,
}

impl<'m> Reader<'m> {
    pub(super) fn new(model: &'m Model) -> Self {
        let values = vec![Sign::Unknown; model.variables.len()];
        let mut reader = Self { model, names: Names::new(&model.variables), values };
        // The sign of a stock is that of its start, which its flows do not set.
        let mut needed = dependencies(model);
        for (place, variable) in model.variables.iter().enumerate() {
            if matches!(variable.kind, Kind::Stock { .. }) {
                let starts = variable.equations.iter().filter_map(|equation| equation.expr.as_ref());
                needed[place] = starts.flat_map(|expr| reader.open(expr).into_keys()).collect();
                reader.values[place] = Sign::Plus;
            }
        }
        for place in order(&needed) {
            reader.values[place] = reader.value(place);
        }
        reader
    }

    /// The causes of a variable over time; what only sets its start is left out.
    pub(super) fn causes(&mut self, place: usize) -> Causes {
        let variable = &self.model.variables[place];
        let mut out = Causes::new();
        if let Kind::Stock { inflows, outflows, rate } = &variable.kind {
            for (flows, sign) in [(inflows, Sign::Plus), (outflows, Sign::Minus)] {
                for flow in flows {
                    if let Some(flow) = self.names.get(flow) {
                        merge(&mut out, Causes::from([(flow, Way { sign, now: false })]), Sign::Plus);
                    }
                }
            }
            for expr in rate {
                let causes = self.effect(expr).causes;
                merge(&mut out, later(causes), Sign::Plus);
            }
            self.container(variable, &mut out);
        } else {
            for equation in &variable.equations {
                let causes = self.equation(equation).causes;
                merge(&mut out, causes, Sign::Plus);
            }
        }
        out
    }

    /// Times, capacities and limits of a conveyor or oven: they matter, the sign is open.
    fn container(&mut self, variable: &Variable, out: &mut Causes) {
        for part in variable.container.iter().flat_map(super::model::Container::expressions) {
            merge(out, later(self.open(part)), Sign::Plus);
        }
    }

    fn equation(&mut self, equation: &Equation) -> Effect {
        let Some(expr) = &equation.expr else {
            return Effect::plain(equation.table.as_ref().map_or(Sign::Unknown, |table| height(&table.y)));
        };
        let inner = self.effect(expr);
        match &equation.table {
            Some(table) => through(table, inner.causes),
            None => inner,
        }
    }

    /// The sign of a variable's value, from the values found before; on a circle the first is unknown.
    fn value(&mut self, place: usize) -> Sign {
        let variable = &self.model.variables[place];
        if variable.non_negative || variable.limits.0.is_some_and(|low| low >= 0.0) {
            return Sign::Plus;
        }
        let signs: Vec<Sign> = variable.equations.iter().map(|equation| self.equation(equation).value).collect();
        let sign = signs.into_iter().reduce(Sign::plus).unwrap_or(Sign::Unknown);
        // The convention for stocks: a quantity, unless it starts below zero.
        if matches!(variable.kind, Kind::Stock { .. }) && sign == Sign::Unknown { Sign::Plus } else { sign }
    }

    /// All that an expression names, with open signs.
    fn open(&self, expr: &Expr) -> Causes {
        let mut out = Causes::new();
        expr.walk(&mut |node| {
            match &node.kind {
                ExprKind::Reference { name, .. } => {
                    if let Some(place) = self.names.get(name) {
                        out.insert(place, Way { sign: Sign::Unknown, now: true });
                    }
                }
                ExprKind::Call { function, .. } => {
                    if let Some(place) = self.names.get(function) {
                        out.insert(place, Way { sign: Sign::Unknown, now: true });
                    }
                    // Only the start counts.
                    return !matches!(canonical(function).as_str(), "init" | "initial" | "reinitial");
                }
                _ => {}
            }
            true
        });
        out
    }

    fn subscripts(&self, subscripts: &[Subscript], out: &mut Causes) {
        for subscript in subscripts {
            match subscript {
                Subscript::Index(expr) => merge(out, self.open(expr), Sign::Plus),
                Subscript::Name(name) => {
                    if let Some(place) = self.names.get(name) {
                        merge(out, Causes::from([(place, Way { sign: Sign::Unknown, now: true })]), Sign::Plus);
                    }
                }
                Subscript::Reduce(_) => {}
            }
        }
    }

    fn effect(&mut self, expr: &Expr) -> Effect {
        match &expr.kind {
            ExprKind::Number(value) => Effect { value: Sign::of(*value), number: Some(*value), causes: Causes::new() },
            ExprKind::Missing | ExprKind::Text(_) => Effect::plain(Sign::Unknown),
            ExprKind::Table(points) => Effect::plain(height(&points.iter().map(|point| point.1).collect::<Vec<_>>())),
            ExprKind::Literal(rows) => Effect::plain(height(&rows.concat())),
            ExprKind::Reference { name, subscripts } => {
                let Some(place) = self.names.get(name) else {
                    let time =
                        matches!(canonical(name).as_str(), "time" | "dt" | "time_step" | "saveper" | "pi" | "inf");
                    return Effect::plain(if time { Sign::Plus } else { Sign::Unknown });
                };
                let mut causes = Causes::from([(place, Way { sign: Sign::Plus, now: true })]);
                self.subscripts(subscripts, &mut causes);
                Effect { value: self.values[place], number: None, causes }
            }
            ExprKind::Unary(operator, inner) => {
                let inner = self.effect(inner);
                match operator {
                    UnaryOp::Plus => inner,
                    UnaryOp::Minus => {
                        let mut causes = Causes::new();
                        merge(&mut causes, inner.causes, Sign::Minus);
                        Effect { value: inner.value.negated(), number: inner.number.map(|value| -value), causes }
                    }
                    UnaryOp::Not => {
                        let mut causes = Causes::new();
                        merge(&mut causes, inner.causes, Sign::Minus);
                        Effect { value: Sign::Plus, number: None, causes }
                    }
                }
            }
            ExprKind::Binary(operator, left, right) => self.binary(*operator, left, right),
            ExprKind::If(condition, yes, no) => {
                let (yes, no) = (self.effect(yes), self.effect(no));
                let mut causes = yes.causes;
                merge(&mut causes, no.causes, Sign::Plus);
                let asked = self.open(condition);
                merge(&mut causes, asked, Sign::Unknown);
                Effect { value: yes.value.plus(no.value), number: None, causes }
            }
            ExprKind::Call { function, subscripts, arguments } => {
                let mut out = self.call(function, arguments, expr);
                self.subscripts(subscripts, &mut out.causes);
                out
            }
        }
    }

    fn binary(&mut self, operator: BinaryOp, left: &Expr, right: &Expr) -> Effect {
        let (a, b) = (self.effect(left), self.effect(right));
        let number = match (operator, a.number, b.number) {
            (BinaryOp::Add, Some(a), Some(b)) => Some(a + b),
            (BinaryOp::Subtract, Some(a), Some(b)) => Some(a - b),
            (BinaryOp::Multiply, Some(a), Some(b)) => Some(a * b),
            (BinaryOp::Divide, Some(a), Some(b)) => Some(a / b),
            _ => None,
        };
        if let Some(number) = number {
            return Effect { value: Sign::of(number), number: Some(number), causes: Causes::new() };
        }
        // The signs of ∂/∂a and ∂/∂b, and of the value.
        let (by_a, by_b, value) = match operator {
            BinaryOp::Add => (Sign::Plus, Sign::Plus, a.value.plus(b.value)),
            BinaryOp::Subtract => (Sign::Plus, Sign::Minus, a.value.plus(b.value.negated())),
            BinaryOp::Multiply => (b.value, a.value, a.value.times(b.value)),
            BinaryOp::Divide => (b.value, a.value.negated(), a.value.times(b.value)),
            BinaryOp::Power => power(&a, &b),
            BinaryOp::Less | BinaryOp::LessEqual => (Sign::Minus, Sign::Plus, Sign::Plus),
            BinaryOp::Greater | BinaryOp::GreaterEqual => (Sign::Plus, Sign::Minus, Sign::Plus),
            BinaryOp::And | BinaryOp::Or => (Sign::Plus, Sign::Plus, Sign::Plus),
            BinaryOp::Equal | BinaryOp::NotEqual => (Sign::Unknown, Sign::Unknown, Sign::Plus),
            BinaryOp::Modulo => (Sign::Unknown, Sign::Unknown, a.value),
        };
        let mut causes = Causes::new();
        merge(&mut causes, a.causes, by_a);
        merge(&mut causes, b.causes, by_b);
        Effect { value, number: None, causes }
    }

    fn call(&mut self, function: &str, arguments: &[Expr], whole: &Expr) -> Effect {
        let key = canonical(function);
        if let Some(place) = self.names.get(function) {
            return self.lookup(place, arguments);
        }
        match (key.as_str(), arguments) {
            ("init" | "initial" | "reinitial", [inner]) => Effect::plain(self.effect(inner).value),
            ("zidz" | "xidz" | "safediv", [a, b, rest @ ..]) => {
                let mut out = self.binary(BinaryOp::Divide, a, b);
                for other in rest {
                    let other = self.effect(other);
                    out.value = out.value.plus(other.value);
                    merge(&mut out.causes, other.causes, Sign::Plus);
                }
                out
            }
            ("power", [a, b]) => self.binary(BinaryOp::Power, a, b),
            ("active_initial", [a, _]) => self.effect(a),
            ("lookup" | "lookup_extrapolate" | "lookup_forward" | "lookup_backward", [table, at]) => {
                let ExprKind::Reference { name, .. } = &table.kind else { return self.unknown(whole) };
                match self.names.get(name) {
                    Some(place) => self.lookup(place, std::slice::from_ref(at)),
                    None => self.unknown(whole),
                }
            }
            ("with_lookup", [at, table]) => {
                let ExprKind::Table(points) = &table.kind else { return self.unknown(whole) };
                let (x, y) = points.iter().copied().unzip();
                let inner = self.effect(at);
                through(&Table { x, y, ..Table::default() }, inner.causes)
            }
            ("abs", [inner]) => {
                let inner = self.effect(inner);
                let mut causes = Causes::new();
                merge(&mut causes, inner.causes, inner.value);
                Effect { value: Sign::Plus, number: None, causes }
            }
            ("exp" | "sqrt", [inner]) => Effect { value: Sign::Plus, ..self.effect(inner) }.no_number(),
            ("ln" | "log10" | "arctan" | "tanh" | "sinh", [inner]) => {
                Effect { value: Sign::Unknown, ..self.effect(inner) }.no_number()
            }
            ("int" | "integer" | "round" | "sum" | "vmax" | "vmin" | "game" | "uniflow", [inner]) => {
                self.effect(inner).no_number()
            }
            ("max" | "min" | "mean", [_, ..]) => {
                let parts: Vec<Effect> = arguments.iter().map(|argument| self.effect(argument)).collect();
                let any_plus = parts.iter().any(|part| part.value == Sign::Plus);
                let joined = parts.iter().map(|part| part.value).reduce(Sign::plus).unwrap_or(Sign::Unknown);
                let value = if key == "max" && any_plus { Sign::Plus } else { joined };
                let mut causes = Causes::new();
                for part in parts {
                    merge(&mut causes, part.causes, Sign::Plus);
                }
                Effect { value, number: None, causes }
            }
            ("step", [height, time]) => {
                let mut out = self.effect(height).no_number();
                merge(&mut out.causes, self.open(time), Sign::Unknown);
                out
            }
            (name, [input, time, rest @ ..]) if KEEPERS.contains(&name) => {
                let mut out = self.effect(input).no_number();
                out.causes = later(out.causes);
                merge(&mut out.causes, self.open(time), Sign::Unknown);
                // What comes after sets the start or an order.
                for other in rest {
                    let start = self.effect(other);
                    out.value = out.value.plus(start.value);
                }
                out
            }
            ("previous", [input, ..]) => {
                let mut out = self.effect(input).no_number();
                out.causes = later(out.causes);
                out
            }
            _ => self.unknown(whole),
        }
    }

    fn unknown(&self, whole: &Expr) -> Effect {
        Effect { value: Sign::Unknown, number: None, causes: self.open(whole) }
    }

    /// A lookup called with its argument.
    fn lookup(&mut self, place: usize, arguments: &[Expr]) -> Effect {
        let mut out = Effect::plain(self.values[place]);
        let tables: Vec<Sign> =
            self.model.variables[place].equations.iter().filter_map(|one| one.table.as_ref()).map(slope).collect();
        let slope = tables.into_iter().reduce(Sign::plus).unwrap_or(Sign::Unknown);
        for argument in arguments {
            let inner = self.effect(argument);
            merge(&mut out.causes, inner.causes, slope);
        }
        out.causes.insert(place, Way { sign: Sign::Plus, now: true });
        out
    }
}

impl Effect {
    fn no_number(self) -> Self {
        Self { number: None, ..self }
    }
}

/// The variables, each after those that it depends on where there is no circle; without recursion, for long chains.
fn order(dependencies: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; dependencies.len()];
    let mut out = Vec::with_capacity(dependencies.len());
    for root in 0..dependencies.len() {
        let mut calls = vec![(root, 0)];
        while let Some((place, next)) = calls.pop() {
            if next == 0 && std::mem::replace(&mut seen[place], true) {
                continue;
            }
            match dependencies[place].get(next) {
                Some(&needed) => {
                    calls.push((place, next + 1));
                    if !seen[needed] {
                        calls.push((needed, 0));
                    }
                }
                None => out.push(place),
            }
        }
    }
    out
}

/// Functions that keep the shape of their first argument over a time that the second gives.
const KEEPERS: [&str; 16] = [
    "smooth",
    "smoothi",
    "smooth3",
    "smooth3i",
    "smooth_n",
    "smth1",
    "smth3",
    "smthn",
    "delay",
    "delay1",
    "delay1i",
    "delay3",
    "delay3i",
    "delay_fixed",
    "delayn",
    "delay_n",
];

/// The signs of ∂/∂a, ∂/∂b and the value of a^b.
fn power(a: &Effect, b: &Effect) -> (Sign, Sign, Sign) {
    let value = if a.value == Sign::Plus { Sign::Plus } else { Sign::Unknown };
    let by_a = match b.number {
        // x³ rises wherever x is.
        Some(exponent) if exponent > 0.0 && exponent.rem_euclid(2.0) == 1.0 => Sign::Plus,
        _ if a.value == Sign::Plus => b.value,
        Some(exponent) if exponent > 0.0 && exponent.rem_euclid(2.0) == 0.0 => a.value,
        _ => Sign::Unknown,
    };
    let by_b = match a.number {
        Some(base) if base >= 1.0 => Sign::Plus,
        Some(base) if (0.0..1.0).contains(&base) => Sign::Minus,
        _ => Sign::Unknown,
    };
    (by_a, by_b, value)
}

fn height(values: &[f64]) -> Sign {
    values.iter().map(|value| Sign::of(*value)).reduce(Sign::plus).unwrap_or(Sign::Unknown)
}

/// Rising, falling, or both.
fn slope(table: &Table) -> Sign {
    let steps = || table.y.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step != 0.0);
    steps().map(Sign::of).reduce(Sign::plus).unwrap_or(Sign::Unknown)
}

fn through(table: &Table, causes: Causes) -> Effect {
    let mut out = Effect::plain(height(&table.y));
    merge(&mut out.causes, causes, slope(table));
    out
}
