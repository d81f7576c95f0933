//! The order of instructions for one run: what needs a result stands some way behind what makes it.
//!
//! A value goes through memory from one instruction to the next, which takes about eight cycles besides the operation
//! itself; the processor looks some hundred operations ahead, but a chain of neighbours leaves it nothing else to do.
//! List scheduling (Gibbons & Muchnick 1986, SIGPLAN Notices 21(7)) by the longest way to the end of the section.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::code::{Instruction, Link, Op, Place};
use crate::sd::compile::graph::{Binary, Unary};

/// Cycles for a value to pass through memory.
const THROUGH_MEMORY: u32 = 8;

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
    };
    (latency + THROUGH_MEMORY, begin)
}

/// Instructions that stay together: one, or a skip with what it may skip.
struct Unit {
    first: usize,
    count: usize,
    latency: u32,
    begin: u32,
    /// Units that wait for this one.
    next: Vec<usize>,
    waits: usize,
    /// Cycles from its begin to the end of the section along the longest way.
    height: u32,
}

fn writes(instruction: &Instruction, mut visit: impl FnMut(Place)) {
    match &instruction.op {
        Op::Call(_, _, results) => results.iter().for_each(|&(_, place)| visit(place)),
        Op::Store(_) | Op::Skip(..) => {}
        _ => visit(instruction.to),
    }
}

/// Reorders a section in which every place is written once.
pub(super) fn schedule(code: Vec<Instruction>) -> Vec<Instruction> {
    let mut units: Vec<Unit> = Vec::with_capacity(code.len());
    let mut writer: HashMap<Place, usize> = HashMap::with_capacity(code.len());
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
            for place in &instruction.arguments {
                if let Some(&other) = writer.get(place)
                    && other != unit
                    && !before.contains(&other)
                {
                    before.push(other);
                }
            }
            writes(instruction, |place| {
                writer.insert(place, unit);
            });
            let (one, issue) = cost(&instruction.op);
            (latency, begin) = (latency.max(begin + one), begin + issue);
        }
        for &other in &before {
            units[other].next.push(unit);
        }
        units.push(Unit { first: at, count, latency, begin, next: Vec::new(), waits: before.len(), height: 0 });
        at += count;
    }
    for unit in (0..units.len()).rev() {
        let rest = units[unit].next.iter().map(|&next| units[next].height).max().unwrap_or(0);
        units[unit].height = units[unit].latency + rest;
    }
    let mut ready: BinaryHeap<(u32, Reverse<usize>)> = BinaryHeap::new();
    let mut waiting: BinaryHeap<Reverse<(u32, usize)>> = BinaryHeap::new();
    let mut earliest = vec![0u32; units.len()];
    for (unit, item) in units.iter().enumerate() {
        if item.waits == 0 {
            ready.push((item.height, Reverse(unit)));
        }
    }
    let mut code: Vec<Option<Instruction>> = code.into_iter().map(Some).collect();
    let mut out = Vec::with_capacity(code.len());
    let mut now = 0;
    loop {
        while let Some(&Reverse((time, unit))) = waiting.peek() {
            if time > now {
                break;
            }
            waiting.pop();
            ready.push((units[unit].height, Reverse(unit)));
        }
        let unit = match ready.pop() {
            Some((_, Reverse(unit))) => unit,
            None => match waiting.pop() {
                Some(Reverse((_, unit))) => unit,
                None => break,
            },
        };
        let done = now + units[unit].latency;
        now += units[unit].begin;
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
