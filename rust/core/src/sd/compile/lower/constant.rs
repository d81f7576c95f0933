//! Values that are the same in every run with the default parameters.

use super::Lowering;
use crate::sd::compile::error::CompileError;
use crate::sd::compile::graph::{Id, Node};
use crate::sd::compile::scalar;

impl Lowering<'_> {
    /// The value of a node if every parameter keeps its default; `None` if it is no constant.
    pub(crate) fn constant(&self, id: Id) -> Option<f64> {
        self.constant_within(id, 200)
    }

    /// As [`Lowering::constant`], lowering the variables that the node names if their turn has not come.
    pub(crate) fn constant_now(&mut self, id: Id) -> Result<Option<f64>, CompileError> {
        let mut stack = vec![id];
        let mut seen = std::collections::HashSet::new();
        while let Some(id) = stack.pop() {
            if !seen.insert(id) {
                continue;
            }
            let node = self.graph.node(id).clone();
            if let Node::Variable(element) | Node::VariableInitial(element) = node {
                self.element(element)?;
                let facts = &self.elements[element as usize];
                stack.extend(facts.current);
                stack.extend(facts.initial.filter(|_| !facts.stock));
            }
            if let Node::Lookup(table, ..) = node {
                self.whole.insert(table);
            }
            node.arguments(|argument| stack.push(argument));
        }
        Ok(self.constant(id))
    }

    /// The value of a node that hangs on numbers alone, so that no run can change it.
    pub(crate) fn known(&self, id: Id) -> Option<f64> {
        let mut nodes = 0;
        self.known_within(id, &mut nodes)
    }

    fn known_within(&self, id: Id, nodes: &mut u32) -> Option<f64> {
        // Conditions and indices are short: what is longer is no idiom of arrays.
        *nodes += 1;
        if *nodes > 64 {
            return None;
        }
        match self.graph.node(id) {
            Node::Number(bits) => Some(f64::from_bits(*bits)),
            Node::Unary(op, a) => Some(scalar::unary::<true>(*op, self.known_within(*a, nodes)?)),
            Node::Binary(op, a, b) => {
                let (a, b) = (self.known_within(*a, nodes)?, self.known_within(*b, nodes)?);
                Some(scalar::binary::<true>(*op, a, b))
            }
            _ => None,
        }
    }

    fn constant_within(&self, id: Id, depth: usize) -> Option<f64> {
        if depth == 0 {
            return None;
        }
        let value = |id: Id| self.constant_within(id, depth - 1);
        match self.graph.node(id) {
            Node::Number(bits) => Some(f64::from_bits(*bits)),
            Node::Variable(element) => {
                let element = &self.elements[*element as usize];
                if element.stock { None } else { value(element.current?) }
            }
            Node::VariableInitial(element) => {
                let element = &self.elements[*element as usize];
                if element.stock { None } else { value(element.initial?) }
            }
            Node::Unary(op, a) => Some(scalar::unary::<true>(*op, value(*a)?)),
            Node::Binary(op, a, b) => Some(scalar::binary::<true>(*op, value(*a)?, value(*b)?)),
            Node::Select(c, a, b) => {
                if value(*c)? == 0.0 {
                    value(*b)
                } else {
                    value(*a)
                }
            }
            Node::Lookup(table, reading, a) => {
                Some(scalar::lookup(&self.tables[*table as usize], *reading, value(*a)?))
            }
            _ => None,
        }
    }
}
