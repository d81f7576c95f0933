//! From the flat graph to sections: what is computed once a run, once a step for all lanes, and once a step in each lane.

use super::branches::{Branches, Item};
use super::code::{Instruction, Link, Op, Place, Section};
use super::rows;
use super::schedule::schedule;
use super::vectors;
use crate::sd::compile::graph::{AT_START, Binary, Graph, Id, Node};
use crate::sd::compile::quick::Map;

/// When a node's value can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Never.
    Constant,
    /// From run to run.
    Run,
    /// From step to step, alike in all runs.
    Uniform,
    /// From step to step and from run to run.
    Lane,
}

/// The class of every node.
pub(crate) fn classify(graph: &Graph) -> Vec<Class> {
    let mut classes: Vec<Class> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let class = match node {
            Node::Number(_) => Class::Constant,
            Node::Input(_) => Class::Run,
            Node::Time | Node::StepTime => Class::Uniform,
            Node::State(_) => Class::Lane,
            Node::Call(function, _, key) if function.random() => {
                if key & AT_START != 0 || function.first() {
                    Class::Run
                } else {
                    Class::Lane
                }
            }
            other => {
                let mut class = Class::Constant;
                if let Node::Curve(..) = other {
                    class = Class::Run;
                }
                other.arguments(|argument| {
                    let found = classes[argument as usize];
                    class = match (class, found) {
                        (Class::Run, Class::Uniform) | (Class::Uniform, Class::Run) => Class::Lane,
                        (a, b) => a.max(b),
                    };
                });
                class
            }
        };
        classes.push(class);
    }
    classes
}

/// What a section is to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// Put the node's value there.
    Put(Id, Place),
    /// Hand it to the sink as this column.
    Save(Id, u32),
    /// Move a ring on: input, number of steps, ring, state.
    Advance(Id, Id, u32, u32),
}

/// Finds places for values that other sections compute.
pub(crate) struct Builder<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) classes: &'a [Class],
    /// Slot of each constant and uniform node.
    pub(crate) scalars: Map<Id, u32>,
    /// Uniform nodes in order.
    pub(crate) uniforms: Vec<Id>,
    /// Slot of each run-constant node that steps read.
    pub(crate) kept: Map<Id, u32>,
    /// Further slots of constants and run-constants, laid in a row for vector instructions.
    pub(crate) copies: [Vec<(Id, u32)>; 2],
    /// Where rows of them begin.
    pub(crate) laid: Map<(bool, Vec<Id>), u32>,
    /// Values of time alone that the code for one run reads, in order.
    pub(crate) timed: Vec<Id>,
    /// Whether values of time alone are computed here or read, in the code for one run.
    pub(crate) timing: bool,
    /// Whether run-constants are computed here (the section that starts a run) or read.
    pub(crate) starting: bool,
    /// Whether the code is for one run, in an order that suits the processor.
    pub(crate) narrow: bool,
}

impl Builder<'_> {
    /// Whether the section itself computes the node.
    fn here(&self, id: Id) -> bool {
        match self.classes[id as usize] {
            Class::Constant => false,
            Class::Uniform => self.timing && self.narrow && !matches!(self.graph.node(id), Node::Time | Node::StepTime),
            Class::Run => self.starting && !matches!(self.graph.node(id), Node::Input(_)),
            Class::Lane => !matches!(self.graph.node(id), Node::State(_)),
        }
    }

    /// The place of a node that the section does not compute.
    fn outside(&mut self, id: Id) -> Place {
        match self.graph.node(id) {
            Node::Input(slot) => return Place::Input(*slot),
            Node::State(state) => return Place::State(*state),
            _ => {}
        }
        if self.classes[id as usize] == Class::Run {
            let next = self.next(true);
            return Place::Kept(*self.kept.entry(id).or_insert(next));
        }
        if self.classes[id as usize] == Class::Uniform && self.narrow && !self.timing {
            let place = self.timed.iter().position(|&timed| timed == id).unwrap_or_else(|| {
                self.timed.push(id);
                self.timed.len() - 1
            });
            return Place::Timed(place as u32);
        }
        if self.classes[id as usize] == Class::Uniform {
            self.uniform(id);
        }
        let next = self.next(false);
        Place::Scalar(*self.scalars.entry(id).or_insert(next))
    }

    /// The next free slot of run-constants, or of scalars.
    fn next(&self, kept: bool) -> u32 {
        let known = if kept { self.kept.len() } else { self.scalars.len() };
        (known + self.copies[usize::from(kept)].len()) as u32
    }

    /// The first slot of a row of run-constants, or of constants.
    pub(crate) fn lay(&mut self, ids: Vec<Id>, kept: bool) -> u32 {
        let first = self.next(kept);
        *self.laid.entry((kept, ids)).or_insert_with_key(|(_, ids)| {
            self.copies[usize::from(kept)].extend(ids.iter().zip(first..).map(|(&id, slot)| (id, slot)));
            first
        })
    }

    /// Adds a uniform node and what it needs to the list of what is computed each step.
    fn uniform(&mut self, id: Id) {
        if self.scalars.contains_key(&id) {
            return;
        }
        // Depth first without recursion: the graph may be deep.
        let mut stack = vec![(id, false)];
        while let Some((id, ready)) = stack.pop() {
            if self.scalars.contains_key(&id) {
                continue;
            }
            if ready {
                let next = self.next(false);
                self.scalars.insert(id, next);
                if self.classes[id as usize] == Class::Uniform {
                    self.uniforms.push(id);
                }
                continue;
            }
            stack.push((id, true));
            // A call with several results is evaluated where a result is read.
            let node = match self.graph.node(id) {
                Node::Output(call, _) => self.graph.node(*call),
                node => node,
            };
            node.arguments(|argument| stack.push((argument, false)));
        }
    }

    /// Writes a section that reaches the goals.
    pub(crate) fn section(&mut self, goals: &[Goal]) -> Section {
        let order = self.order(goals);
        let mut code = self.emit(&order, goals);
        if self.narrow && !self.starting {
            if let Some((code, rows)) = vectors::pack(&code, self) {
                return rows::allocate(schedule(code), &rows);
            }
            code = schedule(code);
        }
        allocate(code)
    }

    /// The nodes that the section computes, arguments first.
    fn order(&self, goals: &[Goal]) -> Vec<Id> {
        let mut order = Vec::new();
        let mut seen = vec![false; self.graph.nodes().len()];
        let mut stack: Vec<(Id, bool)> = Vec::new();
        for goal in goals {
            match *goal {
                Goal::Put(id, _) | Goal::Save(id, _) => stack.push((id, false)),
                Goal::Advance(input, steps, _, _) => {
                    stack.push((steps, false));
                    stack.push((input, false));
                }
            }
            while let Some((id, ready)) = stack.pop() {
                if ready {
                    order.push(id);
                    continue;
                }
                if seen[id as usize] || !self.here(id) {
                    continue;
                }
                seen[id as usize] = true;
                stack.push((id, true));
                let before = stack.len();
                self.graph.node(id).arguments(|argument| stack.push((argument, false)));
                stack[before..].reverse();
            }
        }
        order
    }

    fn emit(&mut self, order: &[Id], goals: &[Goal]) -> Vec<Instruction> {
        let graph = self.graph;
        // How often each value is read, by instructions or goals.
        let mut uses: Map<Id, u32> = Map::default();
        for &id in order {
            graph.node(id).arguments(|argument| *uses.entry(argument).or_default() += 1);
        }
        let mut put: Map<Id, Place> = Map::default();
        for goal in goals {
            match *goal {
                Goal::Put(id, place) => {
                    *uses.entry(id).or_default() += 1;
                    if self.here(id) && !put.contains_key(&id) {
                        put.insert(id, place);
                    }
                }
                Goal::Save(id, _) => *uses.entry(id).or_default() += 2,
                Goal::Advance(input, steps, _, _) => {
                    *uses.entry(input).or_default() += 2;
                    *uses.entry(steps).or_default() += 2;
                }
            }
        }
        // What is stored or put somewhere is needed whatever a choice says.
        let mut wanted = vec![false; graph.nodes().len()];
        for goal in goals {
            match *goal {
                Goal::Put(id, _) | Goal::Save(id, _) => wanted[id as usize] = true,
                Goal::Advance(input, steps, _, _) => {
                    wanted[input as usize] = true;
                    wanted[steps as usize] = true;
                }
            }
        }
        let branches = Branches::find(graph, order, |id| wanted[id as usize]);
        let single = |id: Id| uses.get(&id) == Some(&1) && !put.contains_key(&id);
        // Chains, pairs and chosen comparisons swallow values that only they read.
        let mut made: Map<Id, (Op, Vec<Id>)> = Map::default();
        let mut swallowed: Vec<bool> = vec![false; graph.nodes().len()];
        for &id in order {
            let item = match graph.node(id) {
                Node::Binary(op, a, b) if link(*op).is_some() => {
                    let Some(last) = link(*op) else { continue };
                    let (a, b) = (*a, *b);
                    let chain = |id: Id, made: &Map<Id, (Op, Vec<Id>)>| match made.get(&id) {
                        Some((Op::Chain(links), arguments)) if single(id) => Some((links.clone(), arguments.clone())),
                        _ => None,
                    };
                    let (left, right) = (chain(a, &made), chain(b, &made));
                    let simple = |links: &[Link]| links.iter().all(|link| !matches!(link, Link::Min | Link::Max));
                    match (left, right) {
                        (Some((x, mut p)), Some((y, q)))
                            if x.len() == 1 && y.len() == 1 && simple(&x) && simple(&y) && simple(&[last]) =>
                        {
                            swallowed[a as usize] = true;
                            swallowed[b as usize] = true;
                            p.extend(q);
                            (Op::Pair(x[0], y[0], last), p)
                        }
                        (Some((mut x, mut p)), right)
                            if x.len() < 3
                                && right.as_ref().is_none_or(|y| y.0.len() <= x.len() || y.0.len() > 2)
                                && fits(&x, last) =>
                        {
                            swallowed[a as usize] = true;
                            x.push(last);
                            p.push(b);
                            (Op::Chain(x), p)
                        }
                        (_, Some((mut y, mut q))) if y.len() < 3 && fits(&y, reversed(last)) => {
                            swallowed[b as usize] = true;
                            y.push(reversed(last));
                            q.push(a);
                            (Op::Chain(y), q)
                        }
                        _ => (Op::Chain(vec![last]), vec![a, b]),
                    }
                }
                Node::Select(c, a, b) => match graph.node(*c) {
                    Node::Binary(op, x, y) if compares(*op) && single(*c) && self.here(*c) && !branches.any(id) => {
                        swallowed[*c as usize] = true;
                        (Op::Choose(*op), vec![*x, *y, *a, *b])
                    }
                    _ => (Op::Select, vec![*c, *a, *b]),
                },
                Node::Unary(op, a) => (Op::Unary(*op), vec![*a]),
                Node::Binary(op, a, b) => (Op::Binary(*op), vec![*a, *b]),
                Node::Lookup(table, reading, a) => (Op::Lookup(*table, *reading), vec![*a]),
                Node::Curve(curve, reading, a) => (Op::Curve(*curve, *reading), vec![*a]),
                Node::Call(function, arguments, place) => (Op::Call(*function, *place, Vec::new()), arguments.to_vec()),
                _ => continue,
            };
            made.insert(id, item);
        }
        let mut outputs: Map<Id, Vec<(u32, Id)>> = Map::default();
        for &id in order {
            if let Node::Output(call, k) = graph.node(id) {
                outputs.entry(*call).or_default().push((*k, id));
            }
        }
        let mut code = Vec::new();
        let mut places: Map<Id, Place> = Map::default();
        let mut temporaries = 0;
        let mut fresh = |id: Id, put: &Map<Id, Place>| {
            put.get(&id).copied().unwrap_or_else(|| {
                temporaries += 1;
                Place::Temporary(temporaries - 1)
            })
        };
        // Skips that are open: where they stand in the code.
        let mut skips: Vec<usize> = Vec::new();
        for item in branches.gather(order.to_vec()) {
            let id = match item {
                Item::Node(id) | Item::Ready(id) => id,
                Item::Begin((choice, zero)) => {
                    let Node::Select(condition, ..) = *graph.node(choice) else { continue };
                    let from = match places.get(&condition) {
                        Some(&place) => place,
                        None => self.outside(condition),
                    };
                    skips.push(code.len());
                    code.push(Instruction { op: Op::Skip(0, zero), to: from, arguments: vec![from] });
                    continue;
                }
                Item::End => {
                    let Some(at) = skips.pop() else { continue };
                    let count = (code.len() - at - 1) as u32;
                    if let Op::Skip(length, _) = &mut code[at].op {
                        *length = count;
                    }
                    continue;
                }
            };
            if swallowed[id as usize] {
                continue;
            }
            let Some((op, arguments)) = made.remove(&id) else { continue };
            let arguments: Vec<Place> = arguments
                .into_iter()
                .map(|argument| match places.get(&argument) {
                    Some(&place) => place,
                    None => self.outside(argument),
                })
                .collect();
            if let Op::Call(function, key, _) = op {
                let results: Vec<(u32, Place)> = if let Some(found) = outputs.get(&id) {
                    found
                        .iter()
                        .map(|&(k, output)| {
                            let place = fresh(output, &put);
                            places.insert(output, place);
                            (k, place)
                        })
                        .collect()
                } else {
                    let place = fresh(id, &put);
                    places.insert(id, place);
                    vec![(0, place)]
                };
                let Some(&(_, to)) = results.first() else { continue };
                code.push(Instruction { op: Op::Call(function, key, results), to, arguments });
                continue;
            }
            let to = fresh(id, &put);
            places.insert(id, to);
            code.push(Instruction { op, to, arguments });
        }
        let place_of = |this: &mut Self, id: Id| places.get(&id).copied().unwrap_or_else(|| this.outside(id));
        for goal in goals {
            match *goal {
                Goal::Put(id, to) => {
                    let from = place_of(self, id);
                    if from != to {
                        code.push(Instruction { op: Op::Move, to, arguments: vec![from] });
                    }
                }
                Goal::Save(id, column) => {
                    let from = place_of(self, id);
                    code.push(Instruction { op: Op::Store(column), to: from, arguments: vec![from] });
                }
                Goal::Advance(input, steps, ring, state) => {
                    let arguments = vec![place_of(self, input), place_of(self, steps)];
                    code.push(Instruction { op: Op::Advance(ring), to: Place::Next(state), arguments });
                }
            }
        }
        code
    }
}

/// The chain operation of an operator.
fn link(op: Binary) -> Option<Link> {
    Some(match op {
        Binary::Add => Link::Add,
        Binary::Subtract => Link::Subtract,
        Binary::Multiply => Link::Multiply,
        Binary::Divide => Link::Divide,
        Binary::Min => Link::Min,
        Binary::Max => Link::Max,
        _ => return None,
    })
}

/// The same operation with its arguments exchanged.
fn reversed(link: Link) -> Link {
    match link {
        Link::Subtract => Link::SubtractFrom,
        Link::Divide => Link::DivideInto,
        other => other,
    }
}

/// Whether there is a kernel for the chain with one more operation: smallest and largest only in chains of two.
fn fits(chain: &[Link], next: Link) -> bool {
    let extreme = |link: &Link| matches!(link, Link::Min | Link::Max);
    chain.len() == 1 || !(chain.iter().any(extreme) || extreme(&next))
}

fn compares(op: Binary) -> bool {
    matches!(
        op,
        Binary::Equal | Binary::NotEqual | Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual
    )
}

/// Gives temporaries that live at different times the same place (linear scan).
fn allocate(mut code: Vec<Instruction>) -> Section {
    let mut last: Map<u32, usize> = Map::default();
    for (k, instruction) in code.iter().enumerate() {
        for place in &instruction.arguments {
            if let Place::Temporary(t) = place {
                last.insert(*t, k);
            }
        }
    }
    let mut free: Vec<u32> = Vec::new();
    let mut count = 0;
    let mut assigned: Map<u32, u32> = Map::default();
    for (k, instruction) in code.iter_mut().enumerate() {
        let mut ended = Vec::new();
        for place in &mut instruction.arguments {
            if let Place::Temporary(t) = place {
                if last.get(t) == Some(&k) && !ended.contains(t) {
                    ended.push(*t);
                }
                *place = Place::Temporary(assigned.get(t).copied().unwrap_or_default());
            }
        }
        // A chunk is read before it is written, so a result may take the place of an argument that ends here,
        // except where an instruction has several results.
        let several = matches!(instruction.op, Op::Call(..));
        if !several {
            free.extend(ended.iter().filter_map(|t| assigned.get(t).copied()));
        }
        instruction.place_results(|place| {
            if let Place::Temporary(t) = place {
                let slot = *assigned.entry(*t).or_insert_with(|| {
                    free.pop().unwrap_or_else(|| {
                        count += 1;
                        count - 1
                    })
                });
                if !last.contains_key(t) {
                    free.push(slot);
                }
                *place = Place::Temporary(slot);
            }
        });
        if several {
            free.extend(ended.iter().filter_map(|t| assigned.get(t).copied()));
        }
    }
    Section { code, temporaries: count }
}
