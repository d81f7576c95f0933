//! Sums, products and extremes over the elements of arrays.

use std::rc::Rc;

use super::{Call, CompileError, Lowering};
use crate::sd::compile::graph::{Binary, Id, Unary};
use crate::sd::compile::lower::Env;
use crate::sd::expr::{Expr, ExprKind, Subscript};
use crate::sd::model::canonical;

/// The functions that run over elements themselves.
pub(crate) fn reduces(name: &str, arguments: usize) -> bool {
    match name {
        "sum" | "prod" | "vmin" | "vmax" | "mean" | "stddev" | "size" => true,
        "min" | "max" => arguments == 1,
        _ => name.starts_with("vector_") || name.starts_with("allocate"),
    }
}

impl<'m> Lowering<'m> {
    /// The dimensions that an expression runs over: `dim!`, `*`, and arrays without subscripts.
    pub(crate) fn runs_over(&self, expr: &'m Expr, env: &Env, found: &mut Vec<usize>) {
        let mut note = |axis: usize| {
            if !found.contains(&axis) && !env.running.iter().any(|place| place.0 == axis) {
                found.push(axis);
            }
        };
        let mut of_subscripts = |this: &Self, axes: Option<&[usize]>, subscripts: &'m [Subscript]| {
            for (j, subscript) in subscripts.iter().enumerate() {
                if let Subscript::Reduce(name) = subscript {
                    let named = name.as_ref().and_then(|name| this.axis_of.get(&canonical(name)).copied());
                    if let Some(axis) = named.or_else(|| axes.and_then(|axes| axes.get(j).copied())) {
                        note(axis);
                    }
                }
            }
        };
        match &expr.kind {
            ExprKind::Reference { name, subscripts } => {
                let (bound, outer) = self.unbind(expr, env);
                if !std::ptr::eq(bound, expr) {
                    self.runs_over(bound, &outer, found);
                    return;
                }
                let index = self.find(&canonical(name), env.scope);
                let axes = index.map(|index| self.infos[index].axes.as_slice());
                of_subscripts(self, axes, subscripts);
                if subscripts.is_empty() {
                    for &axis in axes.unwrap_or_default() {
                        note(axis);
                    }
                }
            }
            ExprKind::Unary(_, a) => self.runs_over(a, env, found),
            ExprKind::Binary(_, a, b) => {
                self.runs_over(a, env, found);
                self.runs_over(b, env, found);
            }
            ExprKind::If(a, b, c) => {
                for part in [a, b, c] {
                    self.runs_over(part, env, found);
                }
            }
            ExprKind::Call { function, subscripts, arguments } => {
                let name = canonical(function);
                let index = self.find(&name, env.scope);
                of_subscripts(self, index.map(|index| self.infos[index].axes.as_slice()), subscripts);
                if !reduces(&name, arguments.len()) {
                    for argument in arguments {
                        self.runs_over(argument, env, found);
                    }
                }
            }
            ExprKind::Number(_) | ExprKind::Missing | ExprKind::Table(_) | ExprKind::Literal(_) | ExprKind::Text(_) => {
            }
        }
    }

    /// The environments of every element that `axes` run over, the last axis fastest.
    pub(crate) fn over(&self, axes: &[usize], env: &Env) -> Vec<Env> {
        let mut all = vec![env.clone()];
        for &axis in axes {
            let mut next = Vec::with_capacity(all.len() * self.axes[axis].elements.len());
            for env in &all {
                for place in 0..self.axes[axis].elements.len() {
                    let mut running = (*env.running).clone();
                    running.insert(0, (axis, place));
                    next.push(Env { running: Rc::new(running), ..env.clone() });
                }
            }
            all = next;
        }
        all
    }

    /// The values of an expression at every element that it runs over.
    pub(crate) fn elements_of(&mut self, expr: &'m Expr, env: &Env) -> Result<Vec<Id>, CompileError> {
        let mut axes = Vec::new();
        self.runs_over(expr, env, &mut axes);
        let all = self.over(&axes, env);
        all.iter().map(|env| self.lower(expr, env)).collect()
    }

    pub(crate) fn fold(&mut self, op: Binary, items: &[Id], empty: f64) -> Id {
        let mut items = items.iter().copied();
        let Some(first) = items.next() else {
            return self.graph.number(empty);
        };
        items.fold(first, |sum, item| self.graph.binary(op, sum, item))
    }

    pub(crate) fn reduction(&mut self, call: &Call<'m, '_>) -> Result<Option<Id>, CompileError> {
        if !matches!(call.name, "sum" | "prod" | "vmin" | "vmax" | "min" | "max" | "mean" | "stddev") {
            return Ok(None);
        }
        let mut items = Vec::new();
        for expr in call.arguments {
            items.extend(self.elements_of(expr, call.env)?);
        }
        Ok(Some(match call.name {
            "sum" => self.fold(Binary::Add, &items, 0.0),
            "prod" => self.fold(Binary::Multiply, &items, 1.0),
            "vmin" | "min" => self.fold(Binary::Min, &items, f64::INFINITY),
            "vmax" | "max" => self.fold(Binary::Max, &items, f64::NEG_INFINITY),
            name => {
                let count = self.graph.number(items.len() as f64);
                let sum = self.fold(Binary::Add, &items, 0.0);
                let mean = self.graph.quotient(sum, count);
                if name == "mean" {
                    return Ok(Some(mean));
                }
                // Stella's STDDEV divides by the number of elements.
                let squares: Vec<Id> = items
                    .iter()
                    .map(|&item| {
                        let gap = self.graph.difference(item, mean);
                        self.graph.product(gap, gap)
                    })
                    .collect();
                let sum = self.fold(Binary::Add, &squares, 0.0);
                let variance = self.graph.quotient(sum, count);
                self.graph.unary(Unary::Sqrt, variance)
            }
        }))
    }
}
