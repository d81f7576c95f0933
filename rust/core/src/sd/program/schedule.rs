//! The order of instructions for one run: what needs a result stands some way behind what makes it, and instructions of
//! one kind stand together.
//!
//! A value goes through memory from one instruction to the next, which takes about eight cycles besides the operation
//! itself; the processor looks some hundred operations ahead, but a chain of neighbours leaves it nothing else to do.
//! List scheduling (Gibbons & Muchnick 1986, SIGPLAN Notices 21(7)) by the longest way to the end of the section. The
//! jump to another function takes longer than a plain operation, so that of what can be done next, what the last
//! function does goes first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::code::{Instruction, Link, Op, Place};
use crate::sd::compile::graph::{Binary, Unary};
use crate::sd::compile::quick::Map;

/// Cycles for a value to pass through memory.
const THROUGH_MEMORY: u32 = 8;
/// Cycles on the longest way that an instruction of a kind may be behind, for each other of the kind that is ready.
const COMPANY: u32 = 8;

/// Cycles until the result of an instruction can be read, and until the next instruction can begin.
fn cost(op: &Op) -> (u32, u32) {
    let link = |link: &Link| if matches!(link, Link::Divide | Link::DivideInto) { 13 } else { 4 };
    let (latency, begin) = match op {
        Op::Chain(links) => (links.iter().map(link).sum(), 2 + links.len() as u32),
        Op::Pair(a, b, c) => (link(a).max(link(b)) + link(c), 5),
        Op::Choose(_) | Op::Select | Op::Move | Op::Store(_) | Op::Skip(..) => (4, 3),
        Op::Unary(Unary::Exp | Unary::Ln) => (45, 9),
        Op::Unary(Unary::Negative | Unary::Abs | Unary::Not) => (2, 3),
        Op::Unary(_) => (40, 12),
        Op::Binary(Binary::Power) => (110, 24),
        Op::Binary(_) => (6, 4),
        Op::Lookup(..) => (25, 7),
        Op::Call(..) | Op::Curve(..) | Op::Advance(_) => (60, 40),
        Op::Total(count, _) => (4 * count, 4 * count),
        Op::Vector(op, count, _) => {
            let (latency, begin) = cost(op);
            let all = 30 + begin * count.div_ceil(8);
            (latency + all, all)
        }
    };
    (latency + THROUGH_MEMORY, begin)
}

/// Instructions of one kind take the same function; zero for those that stand alone.
fn kind(op: &Op) -> u32 {
    match op {
        Op::Chain(links) => links.iter().fold(0, |kind, link| kind * 9 + 1 + *link as u32),
        Op::Pair(a, b, c) => 1000 + (*a as u32 * 9 + *b as u32) * 9 + *c as u32,
        Op::Choose(op) => 2000 + *op as u32,
        Op::Select => 2100,
        Op::Unary(op) => 2200 + *op as u32,
        Op::Binary(op) => 2300 + *op as u32,
        Op::Lookup(..) => 2400,
        Op::Move => 2500,
        Op::Store(_) => 2600,
        Op::Call(..) | Op::Curve(..) | Op::Advance(_) | Op::Skip(..) | Op::Vector(..) | Op::Total(..) => 0,
    }
}

/// Instructions that stay together: one, or a skip with what it may skip.
struct Unit {
    first: usize,
    count: usize,
    kind: u32,
    latency: u32,
    begin: u32,
    /// Units that wait for this one.
    next: Vec<usize>,
    waits: usize,
    /// Cycles from its begin to the end of the section along the longest way.
    height: u32,
}

/// The units of a section and what waits for what.
fn divide(code: &[Instruction]) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::with_capacity(code.len());
    let mut writer: Map<Place, usize> = Map::default();
    let mut at = 0;
    while at < code.len() {
        let count = match code[at].op {
            Op::Skip(count, _) => 1 + count as usize,
            _ => 1,
        };
        let unit = units.len();
        let (mut latency, mut begin) = (0, 0);
        let mut before: Vec<usize> = Vec::new();
        for instruction in &code[at..(at + count).min(code.len())] {
            instruction.reads(|place| {
                if let Some(&other) = writer.get(&place)
                    && other != unit
                    && !before.contains(&other)
                {
                    before.push(other);
                }
            });
            instruction.writes(|place| {
                writer.insert(place, unit);
            });
            let (one, issue) = cost(&instruction.op);
            (latency, begin) = (latency.max(begin + one), begin + issue);
        }
        for &other in &before {
            units[other].next.push(unit);
        }
        let (kind, waits) = (kind(&code[at].op), before.len());
        units.push(Unit { first: at, count, kind, latency, begin, next: Vec::new(), waits, height: 0 });
        at += count;
    }
    for unit in (0..units.len()).rev() {
        let rest = units[unit].next.iter().map(|&next| units[next].height).max().unwrap_or(0);
        units[unit].height = units[unit].latency + rest;
    }
    units
}

/// Reorders a section in which every place is written once.
pub(super) fn schedule(code: Vec<Instruction>) -> Vec<Instruction> {
    let mut units = divide(&code);
    let mut ready: BTreeMap<u32, BinaryHeap<(u32, Reverse<usize>)>> = BTreeMap::new();
    let mut waiting: BinaryHeap<Reverse<(u32, usize)>> = BinaryHeap::new();
    let mut earliest = vec![0u32; units.len()];
    for (unit, item) in units.iter().enumerate() {
        if item.waits == 0 {
            waiting.push(Reverse((0, unit)));
        }
    }
    let mut code: Vec<Option<Instruction>> = code.into_iter().map(Some).collect();
    let mut out = Vec::with_capacity(code.len());
    let mut now = 0;
    let mut last = 0;
    loop {
        while let Some(&Reverse((time, unit))) = waiting.peek() {
            if time > now {
                break;
            }
            waiting.pop();
            ready.entry(units[unit].kind).or_default().push((units[unit].height, Reverse(unit)));
        }
        let best = if last != 0 && ready.contains_key(&last) {
            Some(last)
        } else {
            let score = |heap: &BinaryHeap<(u32, Reverse<usize>)>| {
                heap.peek().map_or(0, |&(height, _)| height + COMPANY * (heap.len() as u32 - 1).min(8))
            };
            ready.iter().max_by_key(|(_, heap)| score(heap)).map(|(&kind, _)| kind)
        };
        let unit = match best {
            Some(kind) => {
                let Some(heap) = ready.get_mut(&kind) else { break };
                let Some((_, Reverse(unit))) = heap.pop() else { break };
                if heap.is_empty() {
                    ready.remove(&kind);
                }
                unit
            }
            None => match waiting.pop() {
                Some(Reverse((_, unit))) => unit,
                None => break,
            },
        };
        let done = now + units[unit].latency;
        // Without a jump the next begins sooner.
        now +=
            if units[unit].kind == last && last != 0 { units[unit].begin.saturating_sub(2) } else { units[unit].begin };
        last = units[unit].kind;
        let (first, count) = (units[unit].first, units[unit].count);
        out.extend(code.iter_mut().skip(first).take(count).filter_map(Option::take));
        for next in std::mem::take(&mut units[unit].next) {
            earliest[next] = earliest[next].max(done);
            units[next].waits -= 1;
            if units[next].waits == 0 {
                waiting.push(Reverse((earliest[next], next)));
            }
        }
    }
    out
}
