//! The slow, obvious reading of a model: expression trees walked number by number, one run, Euler. Tests hold the program against it.

use std::collections::HashMap;

use super::compile::graph::{Binary, Points, Reading, Unary};
use super::compile::scalar;
use super::expr::{BinaryOp, Expr, ExprKind, UnaryOp};
use super::model::{Kind, Model, canonical};

/// The state of a run.
pub(crate) struct Oracle<'m> {
    model: &'m Model,
    stocks: HashMap<String, f64>,
    time: f64,
}

impl<'m> Oracle<'m> {
    /// Runs a model of scalars without functions that remember, and gives the stock `name` at every step.
    pub(crate) fn run(model: &'m Model, name: &str) -> Vec<f64> {
        let mut oracle = Self { model, stocks: HashMap::new(), time: model.time.initial_time };
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
                    let mut sum: f64 = rate.iter().map(|expr| oracle.value(expr)).sum();
                    sum += inflows.iter().map(|flow| oracle.variable(&canonical(flow))).sum::<f64>();
                    sum -= outflows.iter().map(|flow| oracle.variable(&canonical(flow))).sum::<f64>();
                    *next.get_mut(&canonical(&variable.name)).unwrap() += model.time.dt * sum;
                }
            }
            oracle.stocks = next;
            out.push(oracle.stocks[&canonical(name)]);
        }
        out
    }

    fn variable(&self, key: &str) -> f64 {
        if key == "time" {
            return self.time;
        }
        if let Some(value) = self.stocks.get(key) {
            return *value;
        }
        let variable = self.model.variables.iter().find(|variable| canonical(&variable.name) == key).unwrap();
        self.value(variable.equations[0].expr.as_ref().unwrap())
    }

    fn value(&self, expr: &Expr) -> f64 {
        match &expr.kind {
            ExprKind::Number(value) => *value,
            ExprKind::Reference { name, .. } => self.variable(&canonical(name)),
            ExprKind::Unary(op, a) => {
                let a = self.value(a);
                match op {
                    UnaryOp::Minus => -a,
                    UnaryOp::Plus => a,
                    UnaryOp::Not => scalar::unary::<true>(Unary::Not, a),
                }
            }
            ExprKind::Binary(op, a, b) => {
                let (a, b) = (self.value(a), self.value(b));
                let truth = |value: bool| if value { 1.0 } else { 0.0 };
                match op {
                    BinaryOp::Add => a + b,
                    BinaryOp::Subtract => a - b,
                    BinaryOp::Multiply => a * b,
                    BinaryOp::Divide => a / b,
                    BinaryOp::Power => a.powf(b),
                    BinaryOp::Modulo => scalar::binary::<true>(Binary::Modulo, a, b),
                    BinaryOp::Equal => truth(a == b),
                    BinaryOp::NotEqual => truth(a != b),
                    BinaryOp::Less => truth(a < b),
                    BinaryOp::LessEqual => truth(a <= b),
                    BinaryOp::Greater => truth(a > b),
                    BinaryOp::GreaterEqual => truth(a >= b),
                    BinaryOp::And => truth(a != 0.0 && b != 0.0),
                    BinaryOp::Or => truth(a != 0.0 || b != 0.0),
                }
            }
            ExprKind::If(c, a, b) => {
                if self.value(c) != 0.0 {
                    self.value(a)
                } else {
                    self.value(b)
                }
            }
            ExprKind::Call { function, arguments, .. } => {
                let name = canonical(function);
                let x: Vec<f64> = arguments.iter().map(|argument| self.value(argument)).collect();
                match name.as_str() {
                    "min" => x[0].min(x[1]),
                    "max" => x[0].max(x[1]),
                    "exp" => x[0].exp(),
                    "ln" => x[0].ln(),
                    "sin" => x[0].sin(),
                    "cos" => x[0].cos(),
                    "sqrt" => x[0].sqrt(),
                    "abs" => x[0].abs(),
                    "int" => x[0].floor(),
                    "step" => {
                        if self.time + 0.5 * self.model.time.dt > x[1] {
                            x[0]
                        } else {
                            0.0
                        }
                    }
                    _ => {
                        let variable =
                            self.model.variables.iter().find(|variable| canonical(&variable.name) == name).unwrap();
                        let table = variable.equations[0].table.as_ref().unwrap();
                        let points = Points { x: table.x.clone(), y: table.y.clone() };
                        scalar::lookup(&points, Reading::Linear, x[0])
                    }
                }
            }
            other => panic!("the oracle does not know {other:?}"),
        }
    }
}
