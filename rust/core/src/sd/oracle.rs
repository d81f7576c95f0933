//! The slow, obvious reading of a model: expression trees walked number by number, one run, Euler. Tests hold the program
//! against it. It shares no code with the engine but the parser, and carries with each number a bound of how far another
//! evaluation of the same tree may be from it, so that a comparison needs no tolerance of its own.
//!
//! It knows scalars, every operator, choices, lookups, test inputs and elementary functions. What remembers (delays, smooths,
//! queues), arrays, data and random numbers are not in it: those are held against closed forms and against results of other
//! engines by the tests of their functions and by the corpus of models.

use std::cell::Cell;
use std::collections::HashMap;

use super::expr::{BinaryOp, Expr, ExprKind, UnaryOp};
use super::model::{Kind, Model, canonical};

/// One unit in the last place of one, twice the relative error of a rounding: products and sums may be fused or not.
const UNIT: f64 = f64::EPSILON;
/// Own elementary functions and those of the C library are within one unit in the last place of the truth each.
const FUNCTION: f64 = 2.0 * UNIT;

/// A number, and how far the same number by other roundings may be from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) number: f64,
    pub(crate) error: f64,
}

impl Value {
    fn exact(number: f64) -> Self {
        Self { number, error: 0.0 }
    }

    fn rounded(number: f64, carried: f64) -> Self {
        Self { number, error: carried + UNIT * number.abs() }
    }

    fn of_function(number: f64, carried: f64) -> Self {
        Self { number, error: carried + FUNCTION * number.abs() }
    }

    /// The least distance from zero.
    fn least(self) -> f64 {
        (self.number.abs() - self.error).max(0.0)
    }
}

/// The state of a run.
pub(crate) struct Oracle<'m> {
    model: &'m Model,
    stocks: HashMap<String, Value>,
    time: f64,
    knife: Cell<bool>,
}

impl<'m> Oracle<'m> {
    /// Runs a model of scalars without functions that remember, and gives the stock `name` at every step; and whether some
    /// comparison or jump might fall on its other side by roundings.
    pub(crate) fn run(model: &'m Model, name: &str) -> (Vec<Value>, bool) {
        let mut oracle = Self { model, stocks: HashMap::new(), time: model.time.initial_time, knife: Cell::new(false) };
        for variable in &model.variables {
            if let (Kind::Stock { .. }, Some(expr)) = (&variable.kind, &variable.equations[0].expr) {
                let value = oracle.value(expr);
                oracle.stocks.insert(canonical(&variable.name), value);
            }
        }
        let steps = ((model.time.final_time - model.time.initial_time) / model.time.dt).round() as u32;
        let mut out = vec![oracle.stocks[&canonical(name)]];
        for step in 0..steps {
            oracle.time = model.time.initial_time + f64::from(step) * model.time.dt;
            let mut next = oracle.stocks.clone();
            for variable in &model.variables {
                if let Kind::Stock { inflows, outflows, rate } = &variable.kind {
                    let mut sum = Value::exact(0.0);
                    for expr in rate {
                        sum = add(sum, oracle.value(expr));
                    }
                    for flow in inflows {
                        sum = add(sum, oracle.variable(&canonical(flow)));
                    }
                    for flow in outflows {
                        sum = add(sum, negative(oracle.variable(&canonical(flow))));
                    }
                    let change = multiply(Value::exact(model.time.dt), sum);
                    let key = canonical(&variable.name);
                    next.insert(key.clone(), add(oracle.stocks[&key], change));
                }
            }
            oracle.stocks = next;
            out.push(oracle.stocks[&canonical(name)]);
        }
        (out, oracle.knife.get())
    }

    fn variable(&self, key: &str) -> Value {
        if key == "time" {
            return Value::exact(self.time);
        }
        if let Some(value) = self.stocks.get(key) {
            return *value;
        }
        let variable = self.model.variables.iter().find(|variable| canonical(&variable.name) == key).unwrap();
        self.value(variable.equations[0].expr.as_ref().unwrap())
    }

    /// Notes that two numbers are compared: whoever rounds otherwise may see them the other way round.
    fn compare(&self, a: Value, b: Value) {
        let doubt = a.error + b.error;
        if doubt > 0.0 && (a.number - b.number).abs() <= doubt {
            self.knife.set(true);
        }
    }

    fn truth(&self, value: Value) -> bool {
        self.compare(value, Value::exact(0.0));
        value.number != 0.0
    }

    fn value(&self, expr: &Expr) -> Value {
        match &expr.kind {
            ExprKind::Number(value) => Value::exact(*value),
            ExprKind::Reference { name, .. } => self.variable(&canonical(name)),
            ExprKind::Unary(op, a) => {
                let a = self.value(a);
                match op {
                    UnaryOp::Minus => negative(a),
                    UnaryOp::Plus => a,
                    UnaryOp::Not => logical(!self.truth(a)),
                }
            }
            ExprKind::Binary(op, a, b) => self.binary(*op, self.value(a), self.value(b)),
            ExprKind::If(c, a, b) => {
                let chosen = if self.truth(self.value(c)) { a } else { b };
                self.value(chosen)
            }
            ExprKind::Call { function, arguments, .. } => {
                let x: Vec<Value> = arguments.iter().map(|argument| self.value(argument)).collect();
                self.call(&canonical(function), &x)
            }
            other => panic!("the oracle does not know {other:?}"),
        }
    }

    fn binary(&self, op: BinaryOp, a: Value, b: Value) -> Value {
        use BinaryOp::{
            Add, And, Divide, Equal, Greater, GreaterEqual, Less, LessEqual, Modulo, Multiply, NotEqual, Or, Power,
            Subtract,
        };
        let (x, y) = (a.number, b.number);
        if matches!(op, Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual) {
            self.compare(a, b);
        }
        match op {
            Add => add(a, b),
            Subtract => add(a, negative(b)),
            Multiply => multiply(a, b),
            Divide => divide(a, b),
            // Positive bases only: d(x^y) = x^y (y dx / x + ln x dy).
            Power => {
                let number = x.powf(y);
                let relative = (y.abs() + b.error) * a.error / a.least() + x.ln().abs() * b.error;
                Value::of_function(number, number.abs() * relative.exp_m1())
            }
            // XMILE: the sign of the divisor, x − y · floor(x / y).
            Modulo => {
                let quotient = divide(a, b);
                self.jump(quotient);
                let whole = Value::exact(quotient.number.floor());
                // What is left is rounded as the numbers are that it is left of.
                let left = add(a, negative(multiply(b, whole)));
                Value { number: left.number, error: left.error + UNIT * x.abs() }
            }
            Equal => logical(x == y),
            NotEqual => logical(x != y),
            Less => logical(x < y),
            LessEqual => logical(x <= y),
            Greater => logical(x > y),
            GreaterEqual => logical(x >= y),
            And => {
                let (a, b) = (self.truth(a), self.truth(b));
                logical(a && b)
            }
            Or => {
                let (a, b) = (self.truth(a), self.truth(b));
                logical(a || b)
            }
        }
    }

    /// Notes that a number is cut to a whole one.
    fn jump(&self, value: Value) {
        self.compare(value, Value::exact(value.number.round()));
    }

    fn call(&self, name: &str, x: &[Value]) -> Value {
        let number = x[0].number;
        match name {
            "min" => Value { number: number.min(x[1].number), error: x[0].error.max(x[1].error) },
            "max" => Value { number: number.max(x[1].number), error: x[0].error.max(x[1].error) },
            "exp" => Value::of_function(number.exp(), number.exp() * x[0].error.exp_m1()),
            "ln" => Value::of_function(number.ln(), x[0].error / x[0].least()),
            // Of the argument's error all, and of the function's own a unit of one: arguments are reduced.
            "sin" => Value { number: number.sin(), error: x[0].error + FUNCTION },
            "cos" => Value { number: number.cos(), error: x[0].error + FUNCTION },
            "sqrt" => Value::rounded(number.sqrt(), (number + x[0].error).sqrt() - x[0].least().sqrt()),
            // Slopes of at most one; those of libm and of the C library are within two units in the last place.
            "arctan" => Value { number: number.atan(), error: x[0].error + 2.0 * FUNCTION * number.atan().abs() },
            "tanh" => Value { number: number.tanh(), error: x[0].error + 2.0 * FUNCTION * number.tanh().abs() },
            "log10" => {
                let found = number.log10();
                Value { number: found, error: x[0].error / x[0].least() + 2.0 * FUNCTION * found.abs() }
            }
            "safediv" => {
                if self.truth(x[1]) {
                    divide(x[0], x[1])
                } else {
                    x.get(2).copied().unwrap_or(Value::exact(0.0))
                }
            }
            "ramp" => {
                let last = x.get(2).map_or(self.time, |end| self.time.min(end.number));
                let since = Value::exact(if self.time > x[1].number { last - x[1].number } else { 0.0 });
                multiply(x[0], since)
            }
            "pulse" => {
                let since = self.time + 0.5 * self.model.time.dt - x[1].number;
                let on = since > 0.0 && since < self.model.time.dt;
                if on { divide(x[0], Value::exact(self.model.time.dt)) } else { Value::exact(0.0) }
            }
            "abs" => Value { number: number.abs(), error: x[0].error },
            "int" => {
                self.jump(x[0]);
                Value::exact(number.floor())
            }
            "step" => {
                let begun = self.time + 0.5 * self.model.time.dt > x[1].number;
                if begun { x[0] } else { Value::exact(0.0) }
            }
            _ => self.lookup(name, x[0]),
        }
    }

    /// Straight lines between points, level outside.
    fn lookup(&self, name: &str, at: Value) -> Value {
        let variable = self.model.variables.iter().find(|variable| canonical(&variable.name) == name).unwrap();
        let table = variable.equations[0].table.as_ref().unwrap();
        let points: Vec<(f64, f64)> = table.x.iter().copied().zip(table.y.iter().copied()).collect();
        let (mut steepest, mut highest) = (0.0f64, 0.0f64);
        for pair in points.windows(2) {
            steepest = steepest.max(((pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0)).abs());
        }
        for point in &points {
            highest = highest.max(point.1.abs());
        }
        let x = at.number;
        let mut number = points[points.len() - 1].1;
        if x <= points[0].0 {
            number = points[0].1;
        } else {
            for pair in points.windows(2) {
                let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
                if x0 < x && x <= x1 {
                    number = y0 + (y1 - y0) * ((x - x0) / (x1 - x0));
                }
            }
        }
        // Four roundings of numbers no larger than the table, and the argument's own.
        let own = 4.0 * UNIT * (highest + steepest * x.abs().min(points[points.len() - 1].0.abs() + points[0].0.abs()));
        Value { number, error: steepest * at.error + own }
    }
}

fn logical(value: bool) -> Value {
    Value::exact(if value { 1.0 } else { 0.0 })
}

fn negative(a: Value) -> Value {
    Value { number: -a.number, error: a.error }
}

fn add(a: Value, b: Value) -> Value {
    Value::rounded(a.number + b.number, a.error + b.error)
}

fn multiply(a: Value, b: Value) -> Value {
    let carried = a.number.abs() * b.error + b.number.abs() * a.error + a.error * b.error;
    Value::rounded(a.number * b.number, carried)
}

fn divide(a: Value, b: Value) -> Value {
    let number = a.number / b.number;
    Value::rounded(number, (a.error + number.abs() * b.error) / b.least())
}
