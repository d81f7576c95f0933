//! Which stocks a flow joins, also where a Vensim level only has a net rate.

use std::collections::{BTreeMap, BTreeSet};

use super::expr::{BinaryOp, Expr, ExprKind, Subscript, UnaryOp};
use super::model::{Kind, Model, Variable, canonical, is_control, is_whole};

/// A flow with the stocks at its ends, by place in the model; no stock is a cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pipe {
    /// The flow.
    pub flow: usize,
    /// The stock that it leaves.
    pub from: Option<usize>,
    /// The stock that it enters.
    pub to: Option<usize>,
}

/// The flows of all stocks, in the order of the model.
pub fn pipes(model: &Model) -> Vec<Pipe> {
    let places: BTreeMap<String, usize> =
        model.variables.iter().enumerate().map(|(place, variable)| (canonical(&variable.name), place)).collect();
    let mut ends: BTreeMap<usize, (Option<usize>, Option<usize>)> = BTreeMap::new();
    for (place, variable) in model.variables.iter().enumerate() {
        let Kind::Stock { inflows, outflows, rate } = &variable.kind else { continue };
        let named =
            if rate.is_empty() { Some((inflows.clone(), outflows.clone())) } else { named_flows(model, variable) };
        let (inflows, outflows) = named.unwrap_or_default();
        for flow in inflows.iter().filter_map(|name| places.get(&canonical(name))) {
            ends.entry(*flow).or_default().1.get_or_insert(place);
        }
        for flow in outflows.iter().filter_map(|name| places.get(&canonical(name))) {
            ends.entry(*flow).or_default().0.get_or_insert(place);
        }
    }
    ends.into_iter().map(|(flow, (from, to))| Pipe { flow, from, to }).collect()
}

/// Terms of a net flow that are plain variables: those that flow in, those that flow out.
fn decompose(rate: &Expr) -> Option<(Vec<&Expr>, Vec<&Expr>)> {
    fn collect<'e>(expr: &'e Expr, negative: bool, terms: &mut [Vec<&'e Expr>; 2]) -> Option<()> {
        match &expr.kind {
            ExprKind::Reference { .. } => terms[usize::from(negative)].push(expr),
            ExprKind::Number(value) if *value == 0.0 => {}
            ExprKind::Unary(UnaryOp::Minus, inner) => collect(inner, !negative, terms)?,
            ExprKind::Unary(UnaryOp::Plus, inner) => collect(inner, negative, terms)?,
            ExprKind::Binary(BinaryOp::Add, a, b) => {
                collect(a, negative, terms)?;
                collect(b, negative, terms)?;
            }
            ExprKind::Binary(BinaryOp::Subtract, a, b) => {
                collect(a, negative, terms)?;
                collect(b, !negative, terms)?;
            }
            _ => return None,
        }
        Some(())
    }
    let mut terms = [Vec::new(), Vec::new()];
    collect(rate, false, &mut terms)?;
    let [plus, minus] = terms;
    Some((plus, minus))
}

/// Flows by name out of the net flow of a Vensim level, where each term is a variable over the same dimensions that can be a flow.
pub(crate) fn named_flows(model: &Model, stock: &Variable) -> Option<(Vec<String>, Vec<String>)> {
    let Kind::Stock { rate, .. } = &stock.kind else { return None };
    let [rate] = rate.as_slice() else { return None };
    let equation = stock.equations.first()?;
    if !is_whole(stock, equation) {
        return None;
    }
    let (plus, minus) = decompose(rate)?;
    let mut seen = BTreeSet::new();
    let mut flow = |expr: &&Expr| {
        let ExprKind::Reference { name, subscripts } = &expr.kind else { return None };
        let variable = model.variable(name)?;
        let same = subscripts.len() == equation.subscripts.len()
            && subscripts
                .iter()
                .zip(&equation.subscripts)
                .all(|(own, left)| matches!(own, Subscript::Name(own) if canonical(own) == canonical(left)))
            && variable.dimensions.len() == stock.dimensions.len()
            && variable.dimensions.iter().zip(&stock.dimensions).all(|(a, b)| canonical(a) == canonical(b));
        let can = matches!(variable.kind, Kind::Auxiliary | Kind::Flow) && !is_control(&canonical(name));
        (same && can && seen.insert(canonical(name))).then(|| variable.name.clone())
    };
    let inflows = plus.iter().map(&mut flow).collect::<Option<Vec<_>>>()?;
    let outflows = minus.iter().map(&mut flow).collect::<Option<Vec<_>>>()?;
    Some((inflows, outflows))
}
