//! Flows of stocks: sums over the dimensions a stock lacks, and stocks that may not fall below zero.

use std::collections::HashMap;

use super::{Env, Lowering};
use crate::sd::compile::error::CompileError;
use crate::sd::compile::graph::{Binary, Id};
use crate::sd::expr::Span;
use crate::sd::graph::dependencies;
use crate::sd::model::{Kind, canonical};

impl Lowering<'_> {
    /// A flow of a stock; dimensions that the stock does not have are summed, as Stella does.
    pub(crate) fn flow_of_stock(&mut self, name: &str, env: &Env) -> Result<Id, CompileError> {
        let key = canonical(name);
        let missing: Vec<usize> = match self.find(&key, env.scope) {
            Some(index) => {
                let axes = self.infos[index].axes.iter().copied();
                axes.filter(|axis| self.translate(*axis, *axis, &env.places).is_none()).collect()
            }
            None => Vec::new(),
        };
        if missing.is_empty() {
            return self.reference(name, &[], Span::default(), env);
        }
        let mut items = Vec::new();
        for env in self.over(&missing, env) {
            items.push(self.reference(name, &[], Span::default(), &env)?);
        }
        Ok(self.fold(Binary::Add, &items, 0.0))
    }

    /// An outflow of a stock that may not fall below zero: no more than is there, after the outflows before it.
    pub(super) fn limit(&mut self, index: usize, flow: Id, env: &Env) -> Result<Id, CompileError> {
        let Some(&(stock, with_inflows)) = self.limited.get(&index) else {
            return Ok(flow);
        };
        let variable = self.infos[stock].variable;
        let Kind::Stock { inflows, outflows, .. } = &variable.kind else {
            return Ok(flow);
        };
        let level = self.reference(&variable.name, &[], Span::default(), env)?;
        let step = self.graph.number(self.time.dt);
        let mut left = self.graph.quotient(level, step);
        if with_inflows {
            for name in inflows {
                let inflow = self.reference(name, &[], Span::default(), env)?;
                left = self.graph.sum(left, inflow);
            }
        }
        let own = canonical(&self.infos[index].variable.name);
        for name in outflows.iter().take_while(|name| canonical(name) != own) {
            let before = self.reference(name, &[], Span::default(), env)?;
            left = self.graph.difference(left, before);
        }
        let zero = self.graph.number(0.0);
        let left = self.graph.binary(Binary::Max, zero, left);
        Ok(self.graph.binary(Binary::Min, left, flow))
    }

    /// Which flows leave exactly one stock that may not fall below zero, and whether what flows in may be counted:
    /// not where an inflow depends on an outflow in the same instant.
    pub(super) fn find_limited(&mut self) {
        let model = self.model;
        let mut sources: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, variable) in model.variables.iter().enumerate() {
            if let Kind::Stock { outflows, .. } = &variable.kind {
                for name in outflows {
                    sources.entry(canonical(name)).or_default().push(index);
                }
            }
        }
        let limits = |index: usize| model.variables[index].non_negative && model.variables[index].container.is_none();
        if !(0..model.variables.len())
            .any(|index| matches!(model.variables[index].kind, Kind::Stock { .. }) && limits(index))
        {
            return;
        }
        let next = dependencies(model);
        for (flow, variable) in model.variables.iter().enumerate() {
            let Some([stock]) = sources.get(&canonical(&variable.name)).map(Vec::as_slice) else { continue };
            let Kind::Stock { inflows, outflows, .. } = &model.variables[*stock].kind else { continue };
            if !limits(*stock) || variable.leak.is_some() || variable.overflow {
                continue;
            }
            let place =
                |name: &String| model.variables.iter().position(|other| canonical(&other.name) == canonical(name));
            let leaving: Vec<usize> = outflows.iter().filter_map(place).collect();
            let mut seen = vec![false; model.variables.len()];
            let mut stack: Vec<usize> = inflows.iter().filter_map(place).collect();
            let mut depends = false;
            while let Some(at) = stack.pop() {
                if std::mem::replace(&mut seen[at], true) {
                    continue;
                }
                depends |= leaving.contains(&at);
                if !matches!(model.variables[at].kind, Kind::Stock { .. }) {
                    stack.extend(&next[at]);
                    // A limited flow also needs what fills its stock.
                    if let Some([source]) = sources.get(&canonical(&model.variables[at].name)).map(Vec::as_slice)
                        && let Kind::Stock { inflows, .. } = &model.variables[*source].kind
                    {
                        stack.extend(inflows.iter().filter_map(place));
                    }
                }
            }
            self.limited.insert(flow, (*stock, !depends));
        }
    }
}
