//! Branches that no lane may take: what only one side of a choice needs, so that it can be skipped.

use crate::sd::compile::graph::{Binary, Graph, Id, Node, Unary};
use crate::sd::functions::call::Function;

/// Work, in additions, from which a branch is worth a look at its condition.
const WORTH: u32 = 12;

/// The side of a choice that a node belongs to: the choice, and whether it is what holds where the condition is zero.
pub(super) type Side = (Id, bool);

/// For each node the innermost side of a choice that alone needs it.
pub(super) struct Branches {
    side: Vec<Option<Side>>,
    /// Whether a choice has such a side.
    skips: Vec<bool>,
}

fn work(node: &Node) -> u32 {
    match node {
        Node::Unary(Unary::Negative | Unary::Abs | Unary::Not, _) | Node::Select(..) => 1,
        Node::Unary(..) => 8,
        Node::Binary(Binary::Power, ..) => 20,
        Node::Binary(Binary::Divide, ..) => 3,
        Node::Binary(Binary::Remainder | Binary::Modulo | Binary::Arctan2, ..) => 20,
        Node::Lookup(..) => 6,
        Node::Call(..) | Node::Curve(..) => 30,
        Node::Binary(..) => 1,
        _ => 0,
    }
}

/// Whether a node keeps something beyond its value: machines are told and asked in every step.
fn remembers(node: &Node) -> bool {
    matches!(node, Node::Call(Function::Machine(..), ..))
}

impl Branches {
    /// Looks for branches among the nodes of a section, in their order; what `wanted` says is needed in any case.
    pub(super) fn find(graph: &Graph, order: &[Id], wanted: impl Fn(Id) -> bool) -> Self {
        let count = graph.nodes().len();
        let mut found = Self { side: vec![None; count], skips: vec![false; count] };
        if !order.iter().any(|&id| matches!(graph.node(id), Node::Select(..))) {
            return found;
        }
        let mut here = vec![false; count];
        let mut users: Vec<Vec<Id>> = vec![Vec::new(); count];
        for &id in order {
            here[id as usize] = true;
            graph.node(id).arguments(|argument| users[argument as usize].push(id));
        }
        // Outer choices come later in the order than those inside their branches, which take their nodes over.
        for &choice in order.iter().rev() {
            let Node::Select(condition, yes, no) = *graph.node(choice) else { continue };
            for (root, other, zero) in [(yes, no, false), (no, yes, true)] {
                if root == other || root == condition || !here[root as usize] {
                    continue;
                }
                let mut inside = std::collections::HashSet::from([root]);
                let mut members = Vec::new();
                // Users come behind what they use: the highest numbers first.
                let mut open = std::collections::BTreeSet::from([root]);
                while let Some(id) = open.pop_last() {
                    let alone = users[id as usize].iter().all(|user| {
                        if id == root { *user == choice } else { *user != choice && inside.contains(user) }
                    });
                    if !alone || wanted(id) || !here[id as usize] || remembers(graph.node(id)) {
                        inside.remove(&id);
                        continue;
                    }
                    inside.insert(id);
                    members.push(id);
                    graph.node(id).arguments(|argument| {
                        open.insert(argument);
                    });
                }
                if members.iter().map(|&id| work(graph.node(id))).sum::<u32>() < WORTH {
                    continue;
                }
                found.skips[choice as usize] = true;
                for id in members {
                    found.side[id as usize] = Some((choice, zero));
                }
            }
        }
        found
    }

    /// Whether a side of the choice is skipped where no lane takes it.
    pub(super) fn any(&self, choice: Id) -> bool {
        self.skips[choice as usize]
    }

    /// The order with the nodes of each side together, right before its choice.
    pub(super) fn gather(&self, order: Vec<Id>) -> Vec<Item> {
        let mut sides: std::collections::HashMap<Side, Vec<Id>> = std::collections::HashMap::new();
        let mut plain = Vec::new();
        for id in order {
            match self.side[id as usize] {
                Some(side) => sides.entry(side).or_default().push(id),
                None => plain.push(id),
            }
        }
        let mut out = Vec::new();
        // Depth first without recursion: choices may stand deep inside one another.
        let mut stack: Vec<Item> = plain.into_iter().rev().map(Item::Node).collect();
        while let Some(item) = stack.pop() {
            if let Item::Node(id) = item
                && self.any(id)
            {
                stack.push(Item::Ready(id));
                for zero in [true, false] {
                    if let Some(members) = sides.remove(&(id, zero)) {
                        stack.push(Item::End);
                        stack.extend(members.into_iter().rev().map(Item::Node));
                        stack.push(Item::Begin((id, zero)));
                    }
                }
                continue;
            }
            out.push(match item {
                Item::Ready(id) => Item::Node(id),
                other => other,
            });
        }
        out
    }
}

/// A node, or where a side begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Node(Id),
    /// A choice whose sides are behind it.
    Ready(Id),
    Begin(Side),
    End,
}
