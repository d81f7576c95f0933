//! Expressions and the names in them.

use super::{At, Bound, DEEPEST, Env, Lowering, Mode, NOT_AVAILABLE};
use crate::sd::compile::error::CompileError;
use crate::sd::compile::graph::{Binary, Id, Node, Unary};
use crate::sd::expr::{BinaryOp, Expr, ExprKind, Span, Subscript, UnaryOp};
use crate::sd::model::{Kind, canonical};

impl<'m> Lowering<'m> {
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
                // A condition on subscripts alone chooses per element: `IF Age = 1 THEN births ELSE older[Age - 1]`.
                if let Some(value) = self.known(c) {
                    return self.lower(if value == 0.0 { b } else { a }, env);
                }
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
        if let Some((axis, place)) = self.element_of_dimension(&key) {
            return Some(self.axes[axis].elements[place].as_str());
        }
        self.axes.iter().find_map(|axis| Some(axis.elements[axis.position(&key)?].as_str()))
    }

    /// `dimension.element` of XMILE (§3.7.1): which dimension, and the element's place in it.
    fn element_of_dimension(&self, key: &str) -> Option<(usize, usize)> {
        let (dimension, element) = key.rsplit_once('.')?;
        let &axis = self.axis_of.get(dimension)?;
        Some((axis, self.axes[axis].position(element)?))
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
        if let Some(slat) = self.slat(index, subscripts, span, env)? {
            return Ok(slat);
        }
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
                    let place =
                        self.translate(axis, axis, &env.running).or_else(|| self.translate(axis, axis, &env.places))?;
                    (place + 1) as f64
                } else if let Some((_, place)) = self.element_of_dimension(key) {
                    (place + 1) as f64
                } else {
                    let axis = self.axes.iter().find(|axis| axis.position(key).is_some())?;
                    (axis.position(key)? + 1) as f64
                }
            }
        };
        Some(self.graph.number(value))
    }
}
