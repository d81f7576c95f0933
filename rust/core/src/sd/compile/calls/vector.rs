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
            "vector_lookup" => {
                self.arity(call, 5, 5)?;
                let mut arguments = (1..5).map(|k| self.argument(call, k)).collect::<Result<Vec<_>, _>>()?;
                arguments.extend(self.last_dimension(call.at(0), call.env)?);
                self.graph.call(Function::VectorLookup, arguments)
            }
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
                    // The vectors are named by their first elements: the quantity by its last dimension, the profile by
                    // the one before its last.
                    let quantities = self.last_dimension(call.at(side), call.env)?;
                    if side == 0 {
                        demands = quantities.len();
                    }
                    let profiles = self.profiles(call.at(side + 1), quantities.len(), call.env)?;
                    for (quantity, profile) in quantities.into_iter().zip(profiles) {
                        sides.push(quantity);
                        sides.extend(profile);
                    }
                }
                let mut arguments = vec![self.graph.number(demands as f64)];
                arguments.extend(sides);
                self.graph.call(Function::MarketPrice, arguments)
            }
            _ => return Ok(None),
        }))
    }

    /// The elements of the last dimension of an array from the one that is named to the end.
    fn last_dimension(&mut self, expr: &'m Expr, env: &Env) -> Result<Vec<Id>, CompileError> {
        let (expr, env) = self.unbind(expr, env);
        let ExprKind::Reference { name, subscripts } = &expr.kind else {
            return Err(self.fault(&env, expr.span, "the first element of a vector is expected here"));
        };
        let Some(index) = self.find(&canonical(name), env.scope) else {
            return Err(self.unknown(name, expr.span, &env));
        };
        let At::Fixed(first) = self.element_at(index, subscripts, expr.span, &env)? else {
            return Err(self.fault(&env, expr.span, "the first element of a vector is expected here"));
        };
        let info = &self.infos[index];
        let length = info.axes.last().map_or(1, |&axis| self.axes[axis].elements.len() as u32);
        let place = (first - info.first) % length;
        (first..first + length - place).map(|element| self.element_value(element, expr.span, &env)).collect()
    }

    /// Type, priority, width and extra: the elements of the last dimension from the one that is named.
    fn profile(&mut self, expr: &'m Expr, env: &Env) -> Result<Vec<Id>, CompileError> {
        Ok(self.profiles(expr, 1, env)?.pop().unwrap_or_default())
    }

    /// The profiles of `count` elements of the dimension before the last, from the one that is named.
    fn profiles(&mut self, expr: &'m Expr, count: usize, env: &Env) -> Result<Vec<Vec<Id>>, CompileError> {
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
        let length = info.axes.last().map_or(1, |&axis| self.axes[axis].elements.len() as u32);
        let mut found = Vec::new();
        for step in 0..count as u32 {
            let from = first + step * length;
            if from >= end {
                return Err(self.fault(&env, expr.span, "there are fewer priority profiles than quantities"));
            }
            let mut entries = Vec::new();
            for k in 0..4 {
                entries.push(if from + k < end {
                    self.element_value(from + k, expr.span, &env)?
                } else {
                    self.graph.number(0.0)
                });
            }
            found.push(entries);
        }
        Ok(found)
    }

    /// VECTOR SELECT(selection, values, missing, action, error action)
    fn vector_select(&mut self, call: &Call<'m, '_>) -> Result<Id, CompileError> {
        self.arity(call, 5, 5)?;
        let mut axes = Vec::new();
        self.runs_over(call.at(0), call.env, &mut axes);
        self.runs_over(call.at(1), call.env, &mut axes);
        let (missing, action) = (self.argument(call, 2)?, self.argument(call, 3)?);
        let error = self.argument(call, 4)?;
        let sums = self.constant_now(error)? == Some(0.0)
            && self.constant_now(action)?.is_some_and(|action| action.round() == 0.0);
        let zero = self.graph.number(0.0);
        let mut any = zero;
        let mut items = Vec::new();
        let mut arguments = vec![missing, action, error];
        for env in self.over(&axes, call.env) {
            let chosen = self.lower(call.at(0), &env)?;
            let value = self.lower(call.at(1), &env)?;
            if sums {
                any = self.graph.binary(Binary::Or, any, chosen);
                let weighted = self.graph.product(chosen, value);
                items.push(self.graph.select(chosen, weighted, zero));
            } else {
                arguments.extend([chosen, value]);
            }
        }
        if sums {
            // The common case in plain operations.
            let value = self.fold(Binary::Add, &items, 0.0);
            return Ok(self.graph.select(any, value, missing));
        }
        Ok(self.graph.call(Function::Select, arguments))
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
        if let Some(steps) = self.constant_now(offset)? {
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
