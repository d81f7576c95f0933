//! Feedback: the links between variables with their signs, all loops (Johnson 1975), and the shortest independent ones (Oliva 2004).
//!
//! Sources: D. B. Johnson, "Finding all the elementary circuits of a directed graph", SIAM J. Comput. 4 (1975) 77–84;
//! R. Oliva, "Model structure analysis through graph theory", System Dynamics Review 20 (2004) 313–336.

use std::collections::BTreeSet;

use super::graph::dependencies;
use super::model::{Kind, Model};
pub use super::signs::Sign;
use super::signs::{Reader, Way};

/// A cause and its effect, by place in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The cause.
    pub from: usize,
    /// The effect.
    pub to: usize,
    /// Which way the effect moves when the cause rises.
    pub sign: Sign,
    /// Whether no stock or delay stands between.
    pub now: bool,
    /// Whether the cause only sets the start of the effect; such a link closes no loop.
    pub initial: bool,
}

/// Who acts on whom in a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// How many variables there are.
    pub size: usize,
    /// The links, by cause and then effect, one a pair.
    pub links: Vec<Link>,
    /// Whether each variable is a stock.
    pub stocks: Vec<bool>,
}

/// A feedback loop.
#[derive(Clone, Debug, PartialEq)]
pub struct Loop {
    /// The variables in the order of cause and effect, beginning with the first stock (or the first variable) of the model.
    pub variables: Vec<usize>,
    /// The sign of each link, from the variable at the same place to the next.
    pub signs: Vec<Sign>,
    /// `Plus`: reinforcing; `Minus`: balancing; `Unknown`: a sign on the way is unknown.
    pub polarity: Sign,
    /// The stocks on the way.
    pub stocks: Vec<usize>,
}

/// Some or all loops of a model, the short ones first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loops {
    /// The loops.
    pub loops: Vec<Loop>,
    /// Whether these are all.
    pub complete: bool,
}

/// The links of a model.
pub fn graph(model: &Model) -> Graph {
    let mut reader = Reader::new(model);
    let all = dependencies(model);
    let mut links = Vec::new();
    for (to, needed) in all.iter().enumerate() {
        let causes = reader.causes(to);
        let every: BTreeSet<usize> = needed.iter().copied().chain(causes.keys().copied()).collect();
        for from in every {
            let way = causes.get(&from).copied();
            let Way { sign, now } = way.unwrap_or(Way { sign: Sign::Unknown, now: false });
            links.push(Link { from, to, sign, now, initial: way.is_none() });
        }
    }
    links.sort_unstable();
    let stocks = model.variables.iter().map(|variable| matches!(variable.kind, Kind::Stock { .. })).collect();
    Graph { size: model.variables.len(), links, stocks }
}

impl Graph {
    /// For each variable its effects over time, in order.
    fn effects(&self) -> Vec<Vec<usize>> {
        let mut out = vec![Vec::new(); self.size];
        for link in self.links.iter().filter(|link| !link.initial && link.from < self.size && link.to < self.size) {
            out[link.from].push(link.to);
        }
        out
    }

    fn link(&self, from: usize, to: usize) -> Option<&Link> {
        let first = self.links.partition_point(|link| (link.from, link.to) < (from, to));
        self.links[first..].iter().take_while(|link| (link.from, link.to) == (from, to)).find(|link| !link.initial)
    }

    /// The loop through these variables, or `None` when all of it happens in one instant: between elements of arrays, not in time.
    fn describe(&self, circle: &[usize]) -> Option<Loop> {
        let is_stock = |place: usize| self.stocks.get(place).copied().unwrap_or(false);
        let first = (0..circle.len()).min_by_key(|at| (!is_stock(circle[*at]), circle[*at]))?;
        let variables: Vec<usize> = circle[first..].iter().chain(&circle[..first]).copied().collect();
        let next = |at: usize| variables[(at + 1) % variables.len()];
        let links: Vec<&Link> =
            (0..variables.len()).map(|at| self.link(variables[at], next(at))).collect::<Option<_>>()?;
        if links.iter().all(|link| link.now) {
            return None;
        }
        let signs: Vec<Sign> = links.iter().map(|link| link.sign).collect();
        let polarity = signs.iter().copied().fold(Sign::Plus, Sign::times);
        let stocks = variables.iter().copied().filter(|place| is_stock(*place)).collect();
        Some(Loop { variables, signs, polarity, stocks })
    }

    fn finish(&self, circles: &[Vec<usize>], complete: bool) -> Loops {
        let mut loops: Vec<Loop> = circles.iter().filter_map(|circle| self.describe(circle)).collect();
        loops.sort_by(|a, b| (a.variables.len(), &a.variables).cmp(&(b.variables.len(), &b.variables)));
        Loops { loops, complete }
    }

    /// All feedback loops, but no more than `limit` (a large model has billions; then ask for [`Graph::independent`]).
    pub fn loops(&self, limit: usize) -> Loops {
        let (circles, complete) = circuits(&self.effects(), limit);
        self.finish(&circles, complete)
    }

    /// The shortest independent loop set: the shortest loops such that each brings a link that no shorter one has, and together they have all links
    /// that lie on any loop.
    pub fn independent(&self) -> Loops {
        self.finish(&shortest_independent(&self.effects()), true)
    }
}

/// The strongly connected components with at least one circle, each sorted (Tarjan 1972, without recursion), among vertices from `least` on.
fn components(effects: &[Vec<usize>], least: usize) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let size = effects.len();
    let (mut index, mut low) = (vec![NEW; size], vec![0; size]);
    let (mut on_stack, mut stack, mut count) = (vec![false; size], Vec::new(), 0);
    let mut out = Vec::new();
    for root in least..size {
        if index[root] != NEW {
            continue;
        }
        let mut calls = vec![(root, 0)];
        while let Some((vertex, next)) = calls.pop() {
            if next == 0 {
                index[vertex] = count;
                low[vertex] = count;
                count += 1;
                stack.push(vertex);
                on_stack[vertex] = true;
            }
            let mut at = next;
            let mut called = false;
            while let Some(&target) = effects[vertex].get(at) {
                at += 1;
                if target < least {
                    continue;
                }
                if index[target] == NEW {
                    // Looked at again on return: its low point is known then.
                    calls.push((vertex, at));
                    calls.push((target, 0));
                    called = true;
                    break;
                }
                if on_stack[target] {
                    low[vertex] = low[vertex].min(index[target]);
                }
            }
            if called {
                continue;
            }
            if low[vertex] == index[vertex] {
                let mut component = Vec::new();
                while let Some(member) = stack.pop() {
                    on_stack[member] = false;
                    component.push(member);
                    if member == vertex {
                        break;
                    }
                }
                component.sort_unstable();
                if component.len() > 1 || effects[vertex].contains(&vertex) {
                    out.push(component);
                }
            }
            if let Some((parent, _)) = calls.last() {
                low[*parent] = low[*parent].min(low[vertex]);
            }
        }
    }
    out.sort();
    out
}

/// All elementary circuits, at most `limit`, and whether these are all.
fn circuits(effects: &[Vec<usize>], limit: usize) -> (Vec<Vec<usize>>, bool) {
    let size = effects.len();
    let mut out = Vec::new();
    let mut least = 0;
    while let Some(component) = components(effects, least).into_iter().min_by_key(|component| component[0]) {
        let start = component[0];
        let mut inside = vec![false; size];
        for vertex in &component {
            inside[*vertex] = true;
        }
        let mut blocked = vec![false; size];
        let mut waiting: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); size];
        let mut path = vec![start];
        // Vertex, place of its next effect, whether a circuit was closed below.
        let mut calls = vec![(start, 0, false)];
        blocked[start] = true;
        while let Some((vertex, next, closed)) = calls.last_mut() {
            let vertex = *vertex;
            if let Some(&target) = effects[vertex].get(*next) {
                *next += 1;
                if target == start {
                    if out.len() == limit {
                        return (out, false);
                    }
                    out.push(path.clone());
                    *closed = true;
                } else if inside[target] && !blocked[target] {
                    blocked[target] = true;
                    path.push(target);
                    calls.push((target, 0, false));
                }
                continue;
            }
            let closed = *closed;
            if closed {
                unblock(vertex, &mut blocked, &mut waiting);
            } else {
                for target in effects[vertex].iter().filter(|target| inside[**target]) {
                    waiting[*target].insert(vertex);
                }
            }
            calls.pop();
            path.pop();
            if let Some((_, _, above)) = calls.last_mut() {
                *above |= closed;
            }
        }
        least = start + 1;
    }
    (out, true)
}

fn unblock(vertex: usize, blocked: &mut [bool], waiting: &mut [BTreeSet<usize>]) {
    let mut open = vec![vertex];
    while let Some(vertex) = open.pop() {
        if blocked[vertex] {
            blocked[vertex] = false;
            open.extend(std::mem::take(&mut waiting[vertex]));
        }
    }
}

/// The shortest way from `from` to `to` inside a component, both ends included; ties go to the vertex that comes first.
fn shortest(effects: &[Vec<usize>], inside: &[bool], from: usize, to: usize) -> Option<Vec<usize>> {
    let mut before = vec![usize::MAX; effects.len()];
    let mut queue = std::collections::VecDeque::from([from]);
    before[from] = from;
    while let Some(vertex) = queue.pop_front() {
        if vertex == to {
            let mut path = vec![to];
            let mut at = to;
            while at != from {
                at = before[at];
                path.push(at);
            }
            path.reverse();
            return Some(path);
        }
        for &target in &effects[vertex] {
            if inside[target] && before[target] == usize::MAX {
                before[target] = vertex;
                queue.push_back(target);
            }
        }
    }
    None
}

fn shortest_independent(effects: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut out = Vec::new();
    for component in components(effects, 0) {
        let mut inside = vec![false; effects.len()];
        for vertex in &component {
            inside[*vertex] = true;
        }
        // The shortest loop through each link.
        let mut candidates: Vec<Vec<usize>> = Vec::new();
        for &from in &component {
            for &to in effects[from].iter().filter(|to| inside[**to]) {
                if from == to {
                    candidates.push(vec![from]);
                } else if let Some(path) = shortest(effects, &inside, to, from) {
                    candidates.push(path);
                }
            }
        }
        for candidate in &mut candidates {
            let first = (0..candidate.len()).min_by_key(|at| candidate[*at]).unwrap_or(0);
            candidate.rotate_left(first);
        }
        candidates.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        candidates.dedup();
        let mut seen: BTreeSet<(usize, usize)> = BTreeSet::new();
        for candidate in candidates {
            let links = (0..candidate.len()).map(|at| (candidate[at], candidate[(at + 1) % candidate.len()]));
            // Every link is taken in, also after the first new one.
            if links.filter(|link| seen.insert(*link)).count() > 0 {
                out.push(candidate);
            }
        }
    }
    out
}

#[cfg(test)]
#[path = "loops_tests.rs"]
mod tests;
