//! Expressions of one dialect in the words of the other, with the same value.

use std::collections::BTreeMap;

use crate::sd::dialect::Dialect;
use crate::sd::expr::{BinaryOp, Expr, ExprKind, Span, Subscript, UnaryOp};
use crate::sd::model::{Kind, Model, TableKind, Variable, canonical, is_control};

/// Why an expression cannot be said.
#[derive(Clone, Debug)]
pub(super) struct Unsaid {
    pub(super) what: &'static str,
    pub(super) name: String,
    pub(super) reason: String,
    pub(super) span: Span,
}

type Said = Result<Expr, Unsaid>;

fn node(kind: ExprKind) -> Expr {
    Expr { span: Span::default(), kind }
}

fn number(value: f64) -> Expr {
    node(ExprKind::Number(value))
}

/// A name without subscripts.
pub(super) fn name(text: &str) -> Expr {
    node(ExprKind::Reference { name: text.to_owned(), subscripts: Vec::new() })
}

fn call(function: &str, arguments: Vec<Expr>) -> Expr {
    node(ExprKind::Call { function: function.to_owned(), subscripts: Vec::new(), arguments })
}

fn binary(operator: BinaryOp, a: Expr, b: Expr) -> Expr {
    node(ExprKind::Binary(operator, Box::new(a), Box::new(b)))
}

fn minus(a: Expr) -> Expr {
    node(ExprKind::Unary(UnaryOp::Minus, Box::new(a)))
}

fn choice(condition: Expr, yes: Expr, no: Expr) -> Expr {
    node(ExprKind::If(Box::new(condition), Box::new(yes), Box::new(no)))
}

/// Names that stand for time itself: XMILE's and Vensim's.
const CLOCK: [(&str, &str); 4] =
    [("DT", "TIME STEP"), ("STARTTIME", "INITIAL TIME"), ("STOPTIME", "FINAL TIME"), ("TIME", "Time")];

/// Functions with the same arguments and value in both: XMILE's name, Vensim's name.
const SAME: [(&str, &str); 24] = [
    ("ABS", "ABS"),
    ("ARCCOS", "ARCCOS"),
    ("ARCSIN", "ARCSIN"),
    ("ARCTAN", "ARCTAN"),
    ("COS", "COS"),
    ("EXP", "EXP"),
    ("LN", "LN"),
    ("SIN", "SIN"),
    ("SQRT", "SQRT"),
    ("TAN", "TAN"),
    ("SINH", "SINH"),
    ("COSH", "COSH"),
    ("TANH", "TANH"),
    ("STEP", "STEP"),
    ("INIT", "INITIAL"),
    ("TREND", "TREND"),
    ("FORCST", "FORECAST"),
    ("SMTH1", "SMOOTHI"),
    ("SMTH3", "SMOOTH3I"),
    ("DELAY1", "DELAY1I"),
    ("DELAY3", "DELAY3I"),
    ("DELAY", "DELAY FIXED"),
    ("SAFEDIV", "XIDZ"),
    ("SUM", "SUM"),
];

/// Translates the expressions of one model.
pub(super) struct Translator<'m> {
    model: &'m Model,
    variables: BTreeMap<String, &'m Variable>,
    to: Dialect,
}

impl<'m> Translator<'m> {
    pub(super) fn new(model: &'m Model, to: Dialect) -> Self {
        let variables = model.variables.iter().map(|variable| (canonical(&variable.name), variable)).collect();
        Self { model, variables, to }
    }

    /// Whether the expressions stay as they are.
    pub(super) fn is_same(&self) -> bool {
        self.model.dialect == self.to
    }

    /// The expression in the target's words. `left` are the subscripts of the equation's left side.
    pub(super) fn expr(&self, expr: &Expr, left: &[String]) -> Said {
        if self.is_same() {
            return Ok(expr.clone());
        }
        self.walk(expr, left)
    }

    fn unsaid<T>(what: &'static str, name: &str, reason: &str, span: Span) -> Result<T, Unsaid> {
        Err(Unsaid { what, name: name.to_owned(), reason: reason.to_owned(), span })
    }

    fn target(&self) -> &'static str {
        match self.to {
            Dialect::Xmile => "XMILE",
            Dialect::Vensim => "Vensim",
        }
    }

    fn all(&self, parts: &[Expr], left: &[String]) -> Result<Vec<Expr>, Unsaid> {
        parts.iter().map(|part| self.walk(part, left)).collect()
    }

    fn walk(&self, expr: &Expr, left: &[String]) -> Said {
        match &expr.kind {
            ExprKind::Number(_) | ExprKind::Literal(_) | ExprKind::Text(_) => Ok(expr.clone()),
            ExprKind::Missing => Self::unsaid("value", ":NA:", "XMILE has no missing value; write a number", expr.span),
            ExprKind::Table(_) => {
                Self::unsaid("lookup", "inside an expression", "make it a variable of its own", expr.span)
            }
            ExprKind::Reference { name: written, subscripts } => self.reference(written, subscripts, left, expr.span),
            ExprKind::Unary(operator, inner) => Ok(node(ExprKind::Unary(*operator, Box::new(self.walk(inner, left)?)))),
            ExprKind::Binary(BinaryOp::Modulo, a, b) => {
                let (a, b) = (self.walk(a, left)?, self.walk(b, left)?);
                // XMILE rounds down, Vensim towards zero: the second remainder brings negative ones up.
                let inner = call("MODULO", vec![a, b.clone()]);
                Ok(call("MODULO", vec![binary(BinaryOp::Add, inner, b.clone()), b]))
            }
            ExprKind::Binary(operator, a, b) => Ok(binary(*operator, self.walk(a, left)?, self.walk(b, left)?)),
            ExprKind::If(condition, yes, no) => {
                Ok(choice(self.walk(condition, left)?, self.walk(yes, left)?, self.walk(no, left)?))
            }
            ExprKind::Call { function, subscripts, arguments } => {
                self.call(function, subscripts, arguments, left, expr.span)
            }
        }
    }

    fn reference(&self, written: &str, subscripts: &[Subscript], left: &[String], span: Span) -> Said {
        let key = canonical(written);
        let Some(variable) = self.variables.get(&key).filter(|_| !is_control(&key)) else {
            let pair = CLOCK.iter().find(|(xmile, vensim)| key == canonical(xmile) || key == canonical(vensim));
            if let Some((xmile, vensim)) = pair {
                return Ok(name(if self.to == Dialect::Xmile { xmile } else { vensim }));
            }
            return match key.as_str() {
                "pi" => Ok(number(std::f64::consts::PI)),
                "saveper" => Ok(number(self.model.time.save_step.unwrap_or(self.model.time.dt))),
                "inf" => Self::unsaid("value", "INF", "Vensim has no infinity; write a large number", span),
                "self" => Self::unsaid("name", "SELF", "Vensim has no such name", span),
                _ => Ok(Expr {
                    span,
                    kind: ExprKind::Reference { name: written.to_owned(), subscripts: subscripts.to_vec() },
                }),
            };
        };
        let subscripts = self.subscripts(variable, subscripts, left, span)?;
        Ok(Expr { span, kind: ExprKind::Reference { name: written.to_owned(), subscripts } })
    }

    /// Subscripts in the target's words; where XMILE leaves those of the left side out, Vensim needs them.
    fn subscripts(
        &self,
        variable: &Variable,
        written: &[Subscript],
        left: &[String],
        span: Span,
    ) -> Result<Vec<Subscript>, Unsaid> {
        let own = &variable.dimensions;
        if written.is_empty() && self.to == Dialect::Vensim && !own.is_empty() {
            let implied = own.iter().map(|dimension| {
                let wanted = canonical(dimension);
                left.iter().find(|subscript| canonical(subscript) == wanted || self.has_element(dimension, subscript))
            });
            return match implied.collect::<Option<Vec<_>>>() {
                Some(found) => Ok(found.into_iter().map(|subscript| Subscript::Name(subscript.clone())).collect()),
                None => Self::unsaid("array", &variable.name, "it is used whole; write its subscripts", span),
            };
        }
        let mut out = Vec::new();
        for (at, subscript) in written.iter().enumerate() {
            out.push(match subscript {
                Subscript::Name(text) if self.to == Dialect::Vensim => {
                    if text.starts_with('@') || text.starts_with(|c: char| c.is_ascii_digit()) {
                        return Self::unsaid(
                            "subscript",
                            text,
                            "elements of a Vensim model need names that begin with a letter",
                            span,
                        );
                    }
                    let known = self.model.dimensions.iter().any(|one| {
                        canonical(&one.name) == canonical(text)
                            || one.elements.iter().any(|element| canonical(element) == canonical(text))
                    });
                    if !known {
                        return Self::unsaid("subscript", text, "Vensim has no variable index", span);
                    }
                    subscript.clone()
                }
                Subscript::Name(_) => subscript.clone(),
                Subscript::Reduce(None) => match own.get(at) {
                    Some(dimension) => Subscript::Reduce(Some(dimension.clone())),
                    None => return Self::unsaid("subscript", "*", "the variable has no such dimension", span),
                },
                Subscript::Reduce(Some(dimension)) => {
                    if own.get(at).is_none_or(|one| canonical(one) != canonical(dimension)) {
                        return Self::unsaid(
                            "subscript",
                            &format!("{dimension}!"),
                            "XMILE reduces over whole dimensions only",
                            span,
                        );
                    }
                    Subscript::Reduce(None)
                }
                Subscript::Index(_) => {
                    return Self::unsaid("subscript", "an expression", "Vensim has no variable index", span);
                }
            });
        }
        Ok(out)
    }

    fn has_element(&self, dimension: &str, element: &str) -> bool {
        let (wanted, element) = (canonical(dimension), canonical(element));
        let found = self.model.dimensions.iter().find(|one| canonical(&one.name) == wanted);
        found.is_some_and(|one| one.elements.iter().any(|each| canonical(each) == element))
    }

    fn call(&self, function: &str, subscripts: &[Subscript], arguments: &[Expr], left: &[String], span: Span) -> Said {
        let key = canonical(function);
        if let Some(variable) = self.variables.get(&key) {
            return self.lookup(variable, function, subscripts, self.all(arguments, left)?, left, span);
        }
        if self
            .model
            .macros
            .iter()
            .any(|each| canonical(&each.name) == key || key.starts_with(&format!("{}:", canonical(&each.name))))
        {
            return Self::unsaid("macro", function, &format!("macros are not translated to {}", self.target()), span);
        }
        if arguments
            .iter()
            .any(|argument| argument.kind == ExprKind::Missing && argument.span.start == argument.span.end)
        {
            return Self::unsaid("call", function, "an argument is left out", span);
        }
        if key == "lookup"
            && self.to == Dialect::Vensim
            && let [Expr { kind: ExprKind::Reference { name: table, subscripts }, .. }, at] = arguments
            && let Some(variable) = self.variables.get(&canonical(table))
        {
            return self.lookup(variable, table, subscripts, vec![self.walk(at, left)?], left, span);
        }
        if arguments.is_empty() && matches!(key.as_str(), "pi" | "time" | "dt" | "starttime" | "stoptime" | "inf") {
            return self.reference(function, &[], left, span);
        }
        let given = self.all(arguments, left)?;
        let translated = match self.to {
            Dialect::Vensim => self.to_vensim(&key, given),
            Dialect::Xmile => self.to_xmile(&key, given, arguments),
        };
        match translated {
            Some(expr) => Ok(Expr { span, kind: expr.kind }),
            None => Self::unsaid(
                "function",
                function,
                &format!("{} has no function that does the same", self.target()),
                span,
            ),
        }
    }

    /// A lookup called with its argument; how it goes on beyond its points is part of the call in Vensim.
    fn lookup(
        &self,
        variable: &Variable,
        written: &str,
        subscripts: &[Subscript],
        mut given: Vec<Expr>,
        left: &[String],
        span: Span,
    ) -> Said {
        let subscripts = self.subscripts(variable, subscripts, left, span)?;
        let kind = variable
            .equations
            .iter()
            .find_map(|equation| equation.table.as_ref())
            .map_or(TableKind::Continuous, |table| table.kind);
        let special = match (self.to, kind) {
            (Dialect::Vensim, TableKind::Extrapolate) => Some("LOOKUP EXTRAPOLATE"),
            (Dialect::Vensim, TableKind::Discrete) => Some("LOOKUP BACKWARD"),
            _ => None,
        };
        if variable.kind != Kind::Lookup {
            return Self::unsaid("call", written, "it is no lookup", span);
        }
        Ok(match special {
            Some(function) => {
                given.insert(0, node(ExprKind::Reference { name: written.to_owned(), subscripts }));
                call(function, given)
            }
            None => node(ExprKind::Call { function: written.to_owned(), subscripts, arguments: given }),
        })
    }

    fn to_vensim(&self, key: &str, given: Vec<Expr>) -> Option<Expr> {
        use BinaryOp::{Add, Divide, Greater, Multiply, Subtract};
        let count = given.len();
        let time_step = || name("TIME STEP");
        let mut parts = given.clone().into_iter();
        let mut next = || parts.next().unwrap_or_default();
        Some(match (key, count) {
            ("smth1", 2) => call("SMOOTH", given),
            ("smth3", 2) => call("SMOOTH3", given),
            ("delay1", 2) => call("DELAY1", given),
            ("delay3", 2) => call("DELAY3", given),
            ("delay", 2) => {
                let (input, time) = (next(), next());
                constant(&time, self).then(|| call("DELAY FIXED", vec![input.clone(), time, input]))?
            }
            ("delay", 3) if !constant(&given[1], self) => return None,
            // XMILE: input, time, order, start. Vensim: input, time, start, order.
            ("smthn" | "delayn", 3 | 4) => {
                let (input, time, order) = (next(), next(), next());
                let start = if count == 4 { next() } else { input.clone() };
                call(if key == "smthn" { "SMOOTH N" } else { "DELAY N" }, vec![input, time, start, order])
            }
            ("trend", 2) => call("TREND", vec![next(), next(), number(0.0)]),
            ("previous", 2) => {
                let (input, start) = (next(), next());
                call("DELAY FIXED", vec![input, time_step(), start])
            }
            ("safediv", 2) => call("ZIDZ", given),
            ("max" | "min", 1) => call(if key == "max" { "VMAX" } else { "VMIN" }, given),
            ("max" | "min", _) => {
                let function = if key == "max" { "MAX" } else { "MIN" };
                let first = next();
                parts.fold(first, |before, part| call(function, vec![before, part]))
            }
            ("prod", 1) => call("PROD", given),
            ("log10", 1) => call("LOG", vec![next(), number(10.0)]),
            ("int", 1) => {
                // Down, not towards zero.
                let input = next();
                let whole = call("INTEGER", vec![input.clone()]);
                choice(binary(Greater, whole.clone(), input), binary(Subtract, whole.clone(), number(1.0)), whole)
            }
            ("ramp", 1) => call("RAMP", vec![next(), name("INITIAL TIME"), name("FINAL TIME")]),
            ("ramp", 2) => call("RAMP", vec![next(), next(), name("FINAL TIME")]),
            // A volume in one step.
            ("pulse", 2) => {
                let (volume, first) = (next(), next());
                let on = call("PULSE", vec![first, time_step()]);
                binary(Multiply, binary(Divide, volume, time_step()), on)
            }
            ("pulse", 3) => {
                let (volume, first, interval) = (next(), next(), next());
                // Vensim repeats at least each step; XMILE takes an interval of zero for "once".
                if interval.number().is_none_or(|value| value <= 0.0) {
                    return None;
                }
                let end = binary(Add, name("FINAL TIME"), time_step());
                let on = call("PULSE TRAIN", vec![first, time_step(), interval, end]);
                binary(Multiply, binary(Divide, volume, time_step()), on)
            }
            ("random" | "uniform", 2 | 3) => {
                let (low, high) = (next(), next());
                call("RANDOM UNIFORM", vec![low, high, if count == 3 { next() } else { number(0.0) }])
            }
            ("normal", 2 | 3) => {
                let (mean, deviation) = (next(), next());
                let seed = if count == 3 { next() } else { number(0.0) };
                call("RANDOM NORMAL", vec![number(-1e30), number(1e30), mean, deviation, seed])
            }
            ("init" | "delay", 1 | 3)
            | ("smth1" | "smth3" | "delay1" | "delay3" | "safediv" | "trend" | "forcst", 3) => {
                same(key, &given, self.to)?
            }
            (_, 1 | 2) => same(key, &given, self.to)?,
            _ => return None,
        })
    }

    fn to_xmile(&self, key: &str, given: Vec<Expr>, written: &[Expr]) -> Option<Expr> {
        use BinaryOp::{Add, And, Divide, GreaterEqual, Less, LessEqual, Modulo, Multiply, Subtract};
        let count = given.len();
        let mut parts = given.clone().into_iter();
        let mut next = || parts.next().unwrap_or_default();
        // Half a step on: Vensim's rule against rounding of time.
        let middle = || binary(Add, name("TIME"), binary(Divide, name("DT"), number(2.0)));
        let wide = |width: Expr| match width.number() {
            Some(0.0) => name("DT"),
            Some(_) => width,
            None => choice(binary(BinaryOp::Equal, width.clone(), number(0.0)), name("DT"), width),
        };
        Some(match (key, count) {
            ("smooth", 2) => call("SMTH1", given),
            ("smooth3", 2) => call("SMTH3", given),
            ("delay1", 2) => call("DELAY1", given),
            ("delay3", 2) => call("DELAY3", given),
            ("smooth_n" | "delay_n", 4) => {
                let (input, time, start, order) = (next(), next(), next(), next());
                call(if key == "smooth_n" { "SMTHN" } else { "DELAYN" }, vec![input, time, order, start])
            }
            ("delay_fixed", 3) if !constant(&given[1], self) => return None,
            ("zidz", 2) => call("SAFEDIV", given),
            ("max" | "min", 2) => call(if key == "max" { "MAX" } else { "MIN" }, given),
            ("vmax" | "vmin", 1) => call(if key == "vmax" { "MAX" } else { "MIN" }, given),
            ("prod", 1) => call("PROD", given),
            ("log", 2) => match (next(), next()) {
                (input, base) if base.number() == Some(10.0) => call("LOG10", vec![input]),
                (input, base) => binary(Divide, call("LN", vec![input]), call("LN", vec![base])),
            },
            ("power", 2) => binary(BinaryOp::Power, next(), next()),
            ("integer", 1) => truncated(next()),
            ("quantum", 2) => {
                let (input, step) = (next(), next());
                let rounded = binary(Multiply, step.clone(), truncated(binary(Divide, input.clone(), step.clone())));
                // Without a step there is nothing to round to.
                match step.number() {
                    Some(value) if value > 0.0 => rounded,
                    _ => choice(binary(LessEqual, step, number(0.0)), input, rounded),
                }
            }
            ("modulo", 2) => {
                let (input, by) = (next(), next());
                let below = minus(binary(Modulo, minus(input.clone()), by.clone()));
                choice(binary(Less, input.clone(), number(0.0)), below, binary(Modulo, input, by))
            }
            ("ramp", 3) => {
                let (slope, first, last) = (next(), next(), next());
                if last.kind == name("STOPTIME").kind {
                    return Some(call("RAMP", vec![slope, first]));
                }
                let up = call("RAMP", vec![slope.clone(), first]);
                binary(Subtract, up, call("RAMP", vec![slope, last]))
            }
            ("pulse", 2) => {
                let (first, width) = (next(), next());
                let begun = binary(BinaryOp::Greater, middle(), first.clone());
                let open = binary(Less, middle(), binary(Add, first, wide(width)));
                choice(binary(And, begun, open), number(1.0), number(0.0))
            }
            ("pulse_train", 4) => {
                let (first, width, between, last) = (next(), next(), next(), next());
                let since = binary(Subtract, middle(), first);
                let begun = binary(GreaterEqual, since.clone(), number(0.0));
                let open = binary(Less, binary(Modulo, since, between), wide(width));
                let before = binary(LessEqual, name("TIME"), last);
                choice(binary(And, binary(And, begun, open), before), number(1.0), number(0.0))
            }
            ("random_uniform", 3) => call("RANDOM", given),
            ("random_normal", 5) => {
                let (low, high, mean, deviation, seed) = (next(), next(), next(), next(), next());
                call("NORMAL", vec![mean, deviation, seed, low, high])
            }
            ("random_0_1", 0 | 1) => call("RANDOM", vec![number(0.0), number(1.0)]),
            ("elmcount", 1) => {
                let ExprKind::Reference { name, .. } = &written[0].kind else { return None };
                let wanted = canonical(name);
                let found = self.model.dimensions.iter().find(|one| canonical(&one.name) == wanted)?;
                number(found.elements.len() as f64)
            }
            ("game", 1) => next(),
            ("init" | "initial", 1) => call("INIT", given),
            _ => same(key, &given, self.to)?,
        })
    }
}

fn truncated(input: Expr) -> Expr {
    let below = minus(call("INT", vec![minus(input.clone())]));
    choice(binary(BinaryOp::Less, input.clone(), number(0.0)), below, call("INT", vec![input]))
}

/// A pipeline has a fixed length in Vensim and a changing one in XMILE: they agree where the time is constant.
fn constant(time: &Expr, translator: &Translator<'_>) -> bool {
    match &time.kind {
        ExprKind::Number(_) => true,
        ExprKind::Reference { name, .. } => {
            let key = canonical(name);
            is_control(&key)
                || key == "dt"
                || translator.variables.get(&key).is_some_and(|variable| variable.kind == Kind::Parameter)
        }
        _ => false,
    }
}

fn same(key: &str, given: &[Expr], to: Dialect) -> Option<Expr> {
    SAME.iter().find_map(|(xmile, vensim)| {
        let (from, name) = if to == Dialect::Xmile { (vensim, xmile) } else { (xmile, vensim) };
        (canonical(from) == key).then(|| call(name, given.to_vec()))
    })
}
