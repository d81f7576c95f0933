//! Functions of whole arrays: selection, order, maps, inverse, allocation.

use std::rc::Rc;

use super::{Call, CompileError, Lowering};
use crate::sd::compile::graph::{Binary, Id, Node};
use crate::sd::compile::lower::{At, Env, NOT_AVAILABLE};
use crate::sd::expr::{Expr, ExprKind, Subscript};
use crate::sd::functions::call::Function;
use crate::sd::model::canonical;

impl<'m> Lowering<'m> {
    /// The dimensions that an expression names without running over them, in order.
    fn named_axes(&self, expr: &'m Expr, env: &Env, found: &mut Vec<usize>) {
        match &expr.kind {
            ExprKind::Reference { name, subscripts } => {
                let (bound, outer) = self.unbind(expr, env);
                if !std::ptr::eq(bound, expr) {
                    self.named_axes(bound, &outer, found);
                    return;
                }
                if subscripts.is_empty()
                    && let Some(index) = self.find(&canonical(name), env.scope)
                {
                    for &axis in &self.infos[index].axes {
                        if !found.contains(&axis) {
                            found.push(axis);
                        }
                    }
                }
                for subscript in subscripts {
                    if let Subscript::Name(name) = subscript
                        && let Some(&axis) = self.axis_of.get(&canonical(name))
                        && !found.contains(&axis)
                    {
                        found.push(axis);
                    }
                }
            }
            ExprKind::Unary(_, a) => self.named_axes(a, env, found),
            ExprKind::Binary(_, a, b) => {
                self.named_axes(a, env, found);
                self.named_axes(b, env, found);
            }
            ExprKind::If(a, b, c) => {
                for part in [a, b, c] {
                    self.named_axes(part, env, found);
                }
            }
            ExprKind::Call { arguments, .. } => {
                for argument in arguments {
                    self.named_axes(argument, env, found);
                }
            }
            ExprKind::Number(_) | ExprKind::Missing | ExprKind::Table(_) | ExprKind::Literal(_) | ExprKind::Text(_) => {
            }
        }
    }

    /// The environment in which `axis` stands at `place`.
    fn moved(env: &Env, axis: usize, place: usize) -> Env {
        let mut places = (*env.places).clone();
        places.insert(0, (axis, place));
        Env { places: Rc::new(places), ..env.clone() }
    }

    /// The dimension that a vector argument runs along, and where this element stands on it.
    fn along(&self, call: &Call<'m, '_>, k: usize) -> Result<(usize, usize), CompileError> {
        let mut axes = Vec::new();
        self.named_axes(call.at(k), call.env, &mut axes);
        let found = axes
            .iter()
            .rev()
            .find_map(|&axis| call.env.places.iter().find(|place| place.0 == axis).map(|place| (axis, place.1)));
        found.ok_or_else(|| {
            self.fault(call.env, call.at(k).span, "an array over a dimension of the left side is expected here")
        })
    }

    fn vector_items(&mut self, call: &Call<'m, '_>, k: usize, axis: usize) -> Result<Vec<Id>, CompileError> {
        (0..self.axes[axis].elements.len())
            .map(|place| self.lower(call.at(k), &Self::moved(call.env, axis, place)))
            .collect()
    }

    fn output(&mut self, function: Function, arguments: Vec<Id>, k: usize) -> Id {
        let call = self.graph.call(function, arguments);
        self.graph.add(Node::Output(call, k as u32))
    }

    pub(crate) fn vector(&mut self, call: &Call<'m, '_>) -> Result<Option<Id>, CompileError> {
        Ok(Some(match call.name {
            "vector_select" => self.vector_select(call)?,
            "vector_sort_order" | "vector_rank" => {
                self.arity(call, 2, 2)?;
                let (axis, place) = self.along(call, 0)?;
                let mut arguments = vec![self.argument(call, 1)?];
                arguments.extend(self.vector_items(call, 0, axis)?);
                let function = if call.name == "vector_rank" { Function::Rank } else { Function::SortOrder };
                self.output(function, arguments, place)
            }
            "vector_reorder" => {
                self.arity(call, 2, 2)?;
                let (axis, _) = self.along(call, 0)?;
                let mut arguments = vec![self.argument(call, 1)?];
                arguments.extend(self.vector_items(call, 0, axis)?);
                self.graph.call(Function::Pick, arguments)
            }
            "vector_elm_map" => self.element_map(call)?,
            "vector_lookup" => return Err(self.refuse(call.env, call.span, "VECTOR LOOKUP", "not built")),
            "invert_matrix" => self.inverse(call)?,
            "allocate_available" => {
                self.arity(call, 3, 3)?;
                let (axis, place) = self.along(call, 0)?;
                let mut arguments = vec![self.argument(call, 2)?];
                for other in 0..self.axes[axis].elements.len() {
                    let env = Self::moved(call.env, axis, other);
                    arguments.push(self.lower(call.at(0), &env)?);
                    arguments.extend(self.profile(call.at(1), &env)?);
                }
                self.output(Function::Allocate, arguments, place)
            }
            "allocate_by_priority" => {
                self.arity(call, 5, 5)?;
                let (axis, place) = self.along(call, 0)?;
                let mut arguments = vec![self.argument(call, 4)?, self.argument(call, 3)?];
                for other in 0..self.axes[axis].elements.len() {
                    let env = Self::moved(call.env, axis, other);
                    arguments.push(self.lower(call.at(0), &env)?);
                    arguments.push(self.lower(call.at(1), &env)?);
                }
                self.output(Function::AllocateByPriority, arguments, place)
            }
            "demand_at_price" | "supply_at_price" => {
                self.arity(call, 3, 3)?;
                let mut arguments = vec![self.argument(call, 2)?, self.argument(call, 0)?];
                arguments.extend(self.profile(call.at(1), call.env)?);
                let function =
                    if call.name == "demand_at_price" { Function::DemandAtPrice } else { Function::SupplyAtPrice };
                self.graph.call(function, arguments)
            }
            "find_market_price" => {
                self.arity(call, 4, 4)?;
                let mut sides = Vec::new();
                let mut demands = 0;
                for side in [0, 2] {
                    let mut axes = Vec::new();
                    self.runs_over(call.at(side), call.env, &mut axes);
                    if axes.is_empty() {
                        self.named_axes(call.at(side), call.env, &mut axes);
                    }
                    let Some(&axis) = axes.last() else {
                        return Err(self.fault(call.env, call.at(side).span, "an array is expected here"));
                    };
                    let size = self.axes[axis].elements.len();
                    if side == 0 {
                        demands = size;
                    }
                    for place in 0..size {
                        let mut env = Self::moved(call.env, axis, place);
                        let mut running = (*env.running).clone();
                        running.insert(0, (axis, place));
                        env.running = Rc::new(running);
                        sides.push(self.lower(call.at(side), &env)?);
                        sides.extend(self.profile(call.at(side + 1), &env)?);
                    }
                }
                let mut arguments = vec![self.graph.number(demands as f64)];
                arguments.extend(sides);
                self.graph.call(Function::MarketPrice, arguments)
            }
            _ => return Ok(None),
        }))
    }

    /// Type, priority, width and extra: the elements of the last dimension from the one that is named.
    fn profile(&mut self, expr: &'m Expr, env: &Env) -> Result<Vec<Id>, CompileError> {
        let (expr, env) = self.unbind(expr, env);
        let ExprKind::Reference { name, subscripts } = &expr.kind else {
            return Err(self.fault(&env, expr.span, "a priority profile is a reference to its first entry"));
        };
        let Some(index) = self.find(&canonical(name), env.scope) else {
            return Err(self.unknown(name, expr.span, &env));
        };
        let At::Fixed(first) = self.element_at(index, subscripts, expr.span, &env)? else {
            return Err(self.fault(&env, expr.span, "a priority profile cannot be chosen by a computed subscript"));
        };
        let info = &self.infos[index];
        let end = info.first + info.count;
        let mut entries = Vec::new();
        for k in 0..4 {
            entries.push(if first + k < end {
                self.element_value(first + k, expr.span, &env)?
            } else {
                self.graph.number(0.0)
            });
        }
        Ok(entries)
    }

    /// VECTOR SELECT(selection, values, missing, action, error action): sum, product, least or greatest of the selected.
    fn vector_select(&mut self, call: &Call<'m, '_>) -> Result<Id, CompileError> {
        self.arity(call, 5, 5)?;
        let mut axes = Vec::new();
        self.runs_over(call.at(0), call.env, &mut axes);
        self.runs_over(call.at(1), call.env, &mut axes);
        let action = self.argument(call, 3)?;
        let Some(action) = self.constant(action) else {
            return Err(self.fault(
                call.env,
                call.at(3).span,
                "the action must be a constant: 0 sum, 1 product, 2 least, 3 greatest",
            ));
        };
        let (op, neutral) = match action.round() as i64 {
            0 => (Binary::Add, 0.0),
            1 => (Binary::Multiply, 1.0),
            2 => (Binary::Min, f64::INFINITY),
            3 => (Binary::Max, f64::NEG_INFINITY),
            other => {
                return Err(self.fault(
                    call.env,
                    call.at(3).span,
                    format!("the action is {other}: expected 0 sum, 1 product, 2 least or 3 greatest"),
                ));
            }
        };
        let neutral_node = self.graph.number(neutral);
        let mut items = Vec::new();
        let mut any = self.graph.number(0.0);
        for env in self.over(&axes, call.env) {
            let chosen = self.lower(call.at(0), &env)?;
            let value = self.lower(call.at(1), &env)?;
            any = self.graph.binary(Binary::Or, any, chosen);
            items.push(self.graph.select(chosen, value, neutral_node));
        }
        let value = self.fold(op, &items, neutral);
        let missing = self.argument(call, 2)?;
        Ok(self.graph.select(any, value, missing))
    }

    /// VECTOR ELM MAP(first element, offset): the element so many places further.
    fn element_map(&mut self, call: &Call<'m, '_>) -> Result<Id, CompileError> {
        self.arity(call, 2, 2)?;
        let (expr, env) = self.unbind(call.at(0), call.env);
        let ExprKind::Reference { name, subscripts } = &expr.kind else {
            return Err(self.fault(&env, expr.span, "an element of an array is expected here"));
        };
        let Some(index) = self.find(&canonical(name), env.scope) else {
            return Err(self.unknown(name, expr.span, &env));
        };
        let At::Fixed(base) = self.element_at(index, subscripts, expr.span, &env)? else {
            return Err(self.fault(&env, expr.span, "an element of an array is expected here"));
        };
        let (first, count) = (self.infos[index].first, self.infos[index].count);
        let offset = self.argument(call, 1)?;
        if let Some(steps) = self.constant(offset) {
            let at = f64::from(base - first) + steps.round();
            if at >= 0.0 && at < f64::from(count) {
                return self.element_value(first + at as u32, expr.span, &env);
            }
            return Ok(self.graph.number(NOT_AVAILABLE));
        }
        let start = self.graph.number(f64::from(base - first));
        let mut arguments = vec![self.graph.sum(start, offset)];
        for element in first..first + count {
            arguments.push(self.element_value(element, expr.span, &env)?);
        }
        Ok(self.graph.call(Function::Pick, arguments))
    }

    /// INVERT MATRIX(matrix, size)
    fn inverse(&mut self, call: &Call<'m, '_>) -> Result<Id, CompileError> {
        self.arity(call, 2, 2)?;
        let mut axes = Vec::new();
        self.named_axes(call.at(0), call.env, &mut axes);
        let [.., rows, columns] = axes[..] else {
            return Err(self.fault(
                call.env,
                call.at(0).span,
                "a matrix over two dimensions of the left side is expected here",
            ));
        };
        let at = |axis: usize| call.env.places.iter().find(|place| place.0 == axis).map(|place| place.1);
        let (Some(row), Some(column)) = (at(rows), at(columns)) else {
            return Err(self.fault(
                call.env,
                call.at(0).span,
                "a matrix over two dimensions of the left side is expected here",
            ));
        };
        let n = self.axes[rows].elements.len();
        if n != self.axes[columns].elements.len() {
            return Err(self.fault(call.env, call.at(0).span, "only a square matrix has an inverse"));
        }
        let mut arguments = Vec::new();
        for r in 0..n {
            for c in 0..n {
                let env = Self::moved(&Self::moved(call.env, columns, c), rows, r);
                arguments.push(self.lower(call.at(0), &env)?);
            }
        }
        Ok(self.output(Function::Inverse, arguments, row * n + column))
    }
}
