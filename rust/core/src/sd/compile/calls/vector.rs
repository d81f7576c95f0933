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
    ///
    /// It is the last one that the argument names, as Vensim has it. Where the left side does not name it, the place is that of
    /// a dimension mapped onto it (`order[slot] = VECTOR SORT ORDER(x[company], 1)` with `slot -> company`), else that of the
    /// last dimension of the left side that has as many elements and that the argument does not name.
    fn along(&self, call: &Call<'m, '_>, k: usize) -> Result<(usize, usize), CompileError> {
        let mut axes = Vec::new();
        self.named_axes(call.at(k), call.env, &mut axes);
        let left = |axis: usize| call.env.places.iter().find(|place| place.0 == axis).map(|place| place.1);
        let place = axes.last().and_then(|&axis| {
            left(axis).or_else(|| self.translate(axis, axis, &call.env.places)).or_else(|| {
                let size = self.axes[axis].elements.len();
                let own = &self.infos[self.elements[call.env.owner as usize].variable].axes;
                let free = own.iter().rev().find(|&own| !axes.contains(own) && self.axes[*own].elements.len() == size);
                free.and_then(|&axis| left(axis))
            })
        });
        axes.last().copied().zip(place).ok_or_else(|| {
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
            "determinant" => {
                self.arity(call, 1, 2)?;
                let size = if call.arguments.len() == 2 { Some(call.at(1)) } else { None };
                let arguments = self.square(call.at(0), size, call.env)?;
                self.graph.call(Function::Determinant, arguments)
            }
            "allocate" => self.allocate_over(call)?,
            "transpose" => self.transposed(call)?,
            "rank" => {
                self.arity(call, 2, 3)?;
                let mut arguments = vec![self.argument(call, 1)?];
                arguments.extend(self.elements_of(call.at(0), call.env)?);
                let items = arguments.len();
                if let Some(ties) = call.arguments.get(2) {
                    arguments.extend(self.elements_of(ties, call.env)?);
                    if arguments.len() != 2 * items - 1 {
                        return Err(self.fault(call.env, ties.span, "as many tie breakers as items are expected here"));
                    }
                    self.graph.call(Function::ItemOfRankWithTies, arguments)
                } else {
                    self.graph.call(Function::ItemOfRank, arguments)
                }
            }
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
    ///
    /// The matrix runs over the last two dimensions of the variable that is named. Which entry of the inverse this element
    /// is follows from the names where the left side has both of them; else (`a[Row,Col] = INVERT MATRIX(b[Row,Row], n)`)
    /// from the last two dimensions of the left side.
    fn inverse(&mut self, call: &Call<'m, '_>) -> Result<Id, CompileError> {
        self.arity(call, 2, 2)?;
        let mut axes = Vec::new();
        self.named_axes(call.at(0), call.env, &mut axes);
        let own = self.infos[self.elements[call.env.owner as usize].variable].axes.clone();
        let at = |axis: usize| call.env.places.iter().find(|place| place.0 == axis).map(|place| place.1);
        let named = match axes[..] {
            [.., rows, columns] => at(rows).zip(at(columns)),
            _ => None,
        };
        let last = match own[..] {
            [.., rows, columns] if rows != columns => at(rows).zip(at(columns)),
            _ => None,
        };
        let Some((row, column)) = named.or(last) else {
            return Err(self.fault(
                call.env,
                call.at(0).span,
                "a matrix is expected here, and two dimensions on the left side",
            ));
        };
        let arguments = self.square(call.at(0), Some(call.at(1)), call.env)?;
        let n = arguments.len().isqrt();
        if row >= n || column >= n {
            return Ok(self.graph.number(0.0));
        }
        Ok(self.output(Function::Inverse, arguments, row * n + column))
    }

    /// The entries of a square matrix by rows: the last two dimensions of the variable that is named, of the given size or
    /// as large as they are.
    fn square(&mut self, matrix: &'m Expr, size: Option<&'m Expr>, env: &Env) -> Result<Vec<Id>, CompileError> {
        let (expr, inner) = self.unbind(matrix, env);
        let ExprKind::Reference { name, subscripts } = &expr.kind else {
            return Err(self.fault(env, expr.span, "a matrix over two dimensions is expected here, by its name"));
        };
        let Some(index) = self.find(&canonical(name), inner.scope) else {
            return Err(self.unknown(name, expr.span, &inner));
        };
        let [before @ .., rows, columns] = &self.infos[index].axes[..] else {
            return Err(self.fault(env, expr.span, "a matrix over two dimensions is expected here"));
        };
        let (height, width) = (self.axes[*rows].elements.len(), self.axes[*columns].elements.len());
        let before = before.len();
        let most = height.min(width);
        let n = match size {
            None if height == width => Some(height),
            None => None,
            Some(size) => {
                let node = self.lower(size, env)?;
                self.constant_now(node)?.filter(|size| *size >= 0.5).map(|size| size.round() as usize)
            }
        };
        let Some(n) = n.filter(|&n| n <= most) else {
            return Err(self.fault(env, expr.span, format!("a square matrix is expected, of a size from 1 to {most}")));
        };
        // Dimensions before the last two are chosen by their subscripts; of the matrix itself the first entry is meant.
        let mut first = self.infos[index].first;
        if before > 0 {
            if subscripts.len() < before {
                return Err(self.fault(env, expr.span, "name an element of each dimension before the last two"));
            }
            let At::Fixed(here) = self.element_at(index, subscripts, expr.span, &inner)? else {
                return Err(self.fault(env, expr.span, "a matrix cannot be chosen by a computed subscript"));
            };
            first = here - (here - first) % (height * width) as u32;
        }
        let mut entries = Vec::with_capacity(n * n);
        for r in 0..n {
            for c in 0..n {
                entries.push(self.element_value(first + (r * width + c) as u32, expr.span, &inner)?);
            }
        }
        Ok(entries)
    }

    /// XMILE's `array'`: rows for columns (§3.7.1).
    fn transposed(&mut self, call: &Call<'m, '_>) -> Result<Id, CompileError> {
        self.arity(call, 1, 1)?;
        let (expr, env) = self.unbind(call.at(0), call.env);
        let ExprKind::Reference { name, subscripts } = &expr.kind else {
            return Err(self.fault(&env, expr.span, "an array is expected here, by its name"));
        };
        let Some(index) = self.find(&canonical(name), env.scope) else {
            return Err(self.unknown(name, expr.span, &env));
        };
        let ([rows, columns], true) = (&self.infos[index].axes[..], subscripts.is_empty()) else {
            return Err(self.fault(
                &env,
                expr.span,
                "an array with two dimensions and without subscripts is expected here",
            ));
        };
        let (rows, columns) = (*rows, *columns);
        if rows != columns {
            // Dimensions are found by their names, whatever their order.
            return self.lower(expr, &env);
        }
        let own = &self.infos[self.elements[env.owner as usize].variable];
        let (true, &[row, column]) =
            (own.axes == [rows, columns], &self.places(own, (env.owner - own.first) as usize)[..])
        else {
            return Err(self.fault(&env, expr.span, "the left side must have the dimensions of the transposed array"));
        };
        let element = self.infos[index].first + (column * self.axes[columns].elements.len() + row) as u32;
        self.element_value(element, expr.span, &env)
    }

    /// Stella's ALLOCATE(available, dimension, request, priority, width[, type[, extra]]): `ALLOCATE AVAILABLE` with the
    /// profile in separate arrays; without a type the curves are normal.
    fn allocate_over(&mut self, call: &Call<'m, '_>) -> Result<Id, CompileError> {
        self.arity(call, 5, 7)?;
        let (expr, _) = self.unbind(call.at(1), call.env);
        let axis = match &expr.kind {
            ExprKind::Reference { name, .. } => self.axis_of.get(&canonical(name)).copied(),
            _ => None,
        };
        let Some(axis) = axis else {
            return Err(self.fault(call.env, expr.span, "the dimension to allocate over is expected here"));
        };
        let Some(place) = self.translate(axis, axis, &call.env.places) else {
            return Err(self.fault(call.env, expr.span, "the left side must run over the dimension to allocate over"));
        };
        let mut arguments = vec![self.argument(call, 0)?];
        for other in 0..self.axes[axis].elements.len() {
            let mut env = Self::moved(call.env, axis, other);
            let mut running = (*env.running).clone();
            running.insert(0, (axis, other));
            env.running = Rc::new(running);
            // In the order of a profile: request, type, priority, width, extra.
            for (k, default) in [(2, 0.0), (5, 3.0), (3, 0.0), (4, 0.0), (6, 0.0)] {
                arguments.push(match call.arguments.get(k) {
                    Some(expr) => self.lower(expr, &env)?,
                    None => self.graph.number(default),
                });
            }
        }
        Ok(self.output(Function::AllocateExactly, arguments, place))
    }
}
