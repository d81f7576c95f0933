//! Who depends on whom.

use std::collections::BTreeMap;

use super::dialect::Dialect;
use super::expr::{Expr, ExprKind, Span, Subscript};
use super::functions::table::{Timing, timing};
use super::model::{Kind, Model, Variable, canonical};

/// A dependence of one variable on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Place of the variable that is needed.
    pub target: usize,
    /// Place of the equation in which it is named.
    pub equation: usize,
    /// Where.
    pub span: Span,
    /// Whether it is needed in the same instant; otherwise through a hidden stock, or only at the start.
    pub now: bool,
    /// Whether it is needed to start.
    pub start: bool,
}

/// Names to places of variables.
#[derive(Clone, Debug, Default)]
pub struct Names {
    places: BTreeMap<String, usize>,
}

impl Names {
    /// The names of these variables; of variables with the same name the first.
    pub fn new(variables: &[Variable]) -> Self {
        let mut places = BTreeMap::new();
        for (place, variable) in variables.iter().enumerate() {
            places.entry(canonical(&variable.name)).or_insert(place);
        }
        Self { places }
    }

    /// The place of the variable of this name.
    pub fn get(&self, name: &str) -> Option<usize> {
        self.places.get(&canonical(name)).copied()
    }
}

/// What a name is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Need {
    now: bool,
    start: bool,
}

/// Calls `visit` with each name of an expression and what it is needed for.
fn names(expr: &Expr, dialect: Dialect, need: Need, visit: &mut dyn FnMut(&str, Span, Need)) {
    let inside = |subscripts: &[Subscript], visit: &mut dyn FnMut(&str, Span, Need)| {
        for subscript in subscripts {
            match subscript {
                Subscript::Index(expr) => names(expr, dialect, need, visit),
                // XMILE: a variable may stand as an index. Elements are no variables, so this adds nothing wrong.
                Subscript::Name(name) if dialect == Dialect::Xmile => visit(name, expr.span, need),
                _ => {}
            }
        }
    };
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Missing | ExprKind::Table(_) | ExprKind::Literal(_) | ExprKind::Text(_) => {}
        ExprKind::Reference { name, subscripts } => {
            visit(name, expr.span, need);
            inside(subscripts, visit);
        }
        ExprKind::Unary(_, operand) => names(operand, dialect, need, visit),
        ExprKind::Binary(_, left, right) => {
            names(left, dialect, need, visit);
            names(right, dialect, need, visit);
        }
        ExprKind::If(condition, yes, no) => {
            for part in [condition, yes, no] {
                names(part, dialect, need, visit);
            }
        }
        ExprKind::Call { function, subscripts, arguments } => {
            visit(function, expr.span, need);
            inside(subscripts, visit);
            let timing = timing(dialect, function, arguments.len());
            for (place, argument) in arguments.iter().enumerate() {
                let own = match timing {
                    Timing::Start => Need { now: false, ..need },
                    Timing::State if place == 0 => Need { now: false, ..need },
                    Timing::StateFrom(_) if place == 0 => Need { now: false, start: false },
                    Timing::StateFrom(from) if place == from => Need { now: false, ..need },
                    Timing::Each(letters) => match letters.as_bytes().get(place) {
                        Some(b's') => Need { now: false, ..need },
                        Some(b'-') => Need { now: false, start: false },
                        _ => need,
                    },
                    Timing::Now | Timing::State | Timing::StateFrom(_) => need,
                };
                names(argument, dialect, own, visit);
            }
        }
    }
}

/// The dependences of one variable on others among `variables`.
pub fn edges(variable: &Variable, known: &Names, dialect: Dialect) -> Vec<Edge> {
    let mut out = Vec::new();
    let mut add = |expr: &Expr, equation: usize, need: Need| {
        names(expr, dialect, need, &mut |name, span, need| {
            if let Some(target) = known.get(name) {
                out.push(Edge { target, equation, span, now: need.now, start: need.start });
            }
        });
    };
    let stock = matches!(variable.kind, Kind::Stock { .. });
    for (place, equation) in variable.equations.iter().enumerate() {
        if let Some(expr) = &equation.expr {
            add(expr, place, Need { now: !stock, start: equation.initial.is_none() || stock });
        }
        if let Some(initial) = &equation.initial {
            add(initial, place, Need { now: false, start: true });
        }
    }
    // What controls a container, a leak or a spread acts on flows; it closes no circle by itself.
    let options = variable.container.iter().flat_map(super::model::Container::expressions);
    let spread = variable.spread.iter().filter_map(|spread| spread.profile.as_ref());
    for expr in options.chain(variable.leak.iter().map(|leak| &leak.fraction)).chain(spread) {
        add(expr, 0, Need { now: false, start: false });
    }
    if let Kind::Stock { inflows, outflows, rate } = &variable.kind {
        for (place, expr) in rate.iter().enumerate() {
            add(expr, place, Need { now: false, start: false });
        }
        for name in inflows.iter().chain(outflows) {
            if let Some(target) = known.get(name) {
                out.push(Edge { target, equation: 0, span: Span::default(), now: false, start: false });
            }
        }
    }
    out
}

/// For each variable of the model the places of the variables it depends on, each once, in order of first mention.
pub fn dependencies(model: &Model) -> Vec<Vec<usize>> {
    let known = Names::new(&model.variables);
    model
        .variables
        .iter()
        .map(|variable| {
            let mut out = Vec::new();
            for edge in edges(variable, &known, model.dialect) {
                if !out.contains(&edge.target) {
                    out.push(edge.target);
                }
            }
            out
        })
        .collect()
}

/// The strongly connected parts of a graph that hold a circle, each with its nodes in ascending order (Tarjan 1972, without recursion).
pub fn circles(next: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let n = next.len();
    let (mut order, mut low, mut on_stack) = (vec![NEW; n], vec![0; n], vec![false; n]);
    let (mut stack, mut out, mut counter) = (Vec::new(), Vec::new(), 0);
    for root in 0..n {
        if order[root] != NEW {
            continue;
        }
        let mut work = vec![(root, 0)];
        while let Some((node, child)) = work.pop() {
            if child == 0 {
                order[node] = counter;
                low[node] = counter;
                counter += 1;
                stack.push(node);
                on_stack[node] = true;
            }
            if let Some(&target) = next[node].get(child) {
                work.push((node, child + 1));
                if order[target] == NEW {
                    work.push((target, 0));
                } else if on_stack[target] {
                    low[node] = low[node].min(order[target]);
                }
                continue;
            }
            if let Some(&(parent, _)) = work.last() {
                low[parent] = low[parent].min(low[node]);
            }
            if low[node] == order[node] {
                let mut part = Vec::new();
                while let Some(top) = stack.pop() {
                    on_stack[top] = false;
                    part.push(top);
                    if top == node {
                        break;
                    }
                }
                if part.len() > 1 || next[node].contains(&node) {
                    part.sort_unstable();
                    out.push(part);
                }
            }
        }
    }
    out.sort();
    out
}

/// A shortest circle through the first node of a strongly connected part, the first node again at the end.
pub fn circle(next: &[Vec<usize>], part: &[usize]) -> Vec<usize> {
    let Some(&start) = part.first() else { return Vec::new() };
    let mut from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for &target in &next[node] {
            if target == start {
                let mut path = vec![start, node];
                let mut at = node;
                while at != start {
                    match from.get(&at) {
                        Some(&before) => at = before,
                        None => return path,
                    }
                    path.push(at);
                }
                if node == start {
                    path.truncate(2);
                }
                path.reverse();
                return path;
            }
            if part.binary_search(&target).is_ok() && target != start && !from.contains_key(&target) {
                from.insert(target, node);
                queue.push_back(target);
            }
        }
    }
    vec![start]
}

#[cfg(test)]
mod tests {
    use super::{circle, circles};

    #[test]
    fn circles_are_found_and_shown_shortest() {
        let next = vec![vec![1], vec![2, 3], vec![0], vec![3], vec![]];
        let parts = circles(&next);
        assert_eq!(parts, [vec![0, 1, 2], vec![3]]);
        assert_eq!(circle(&next, &parts[0]), [0, 1, 2, 0]);
        assert_eq!(circle(&next, &parts[1]), [3, 3]);
    }

    #[test]
    fn a_chain_of_a_million_does_not_overflow() {
        let next: Vec<Vec<usize>> =
            (0..1_000_000).map(|i| if i + 1 < 1_000_000 { vec![i + 1] } else { vec![] }).collect();
        assert!(circles(&next).is_empty());
    }
}
