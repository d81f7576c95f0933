//! Vector instructions over subscripts: operations that elements of arrays have in common become one, for a run on its own.
//!
//! Instructions are packed from what they read upwards (as superword parallelism is found: Larsen & Amarasinghe 2000,
//! PLDI): those of one level never need each other. What has the same operation on the same areas is put in order by where
//! its arguments stand, so that elements follow each other, and its results stand in that order. Stretches in which every
//! argument moves by the same distance are vector instructions; the rest stay as they are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::build::Builder;
use super::code::{Instruction, Link, Op, Place};
use super::kernels::WIDE;
use super::rows::Row;
use crate::sd::compile::graph::{Binary, Id, Unary};
use crate::sd::compile::quick::Map;

/// Fewest elements of a vector instruction: a chunk of a kernel.
const LEAST: usize = WIDE;
/// Longest distance from element to element.
const FAR: i64 = 1 << 20;

/// What an argument or result of a pack has in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Area {
    /// One place for all.
    Fixed(Place),
    Input,
    State,
    Next,
    Rate,
    Timed,
    /// A row of temporaries.
    Row(usize),
    /// Results that are to have places.
    New,
    /// Run-constants and constants can be laid in any order.
    Kept,
    Constant,
}

/// One instruction among those of its kind.
struct Member {
    at: usize,
    instruction: Instruction,
    /// Where its arguments stand in their areas, with the number of a lookup.
    positions: Vec<i64>,
    /// Where its result goes, or the column.
    to: i64,
    rank: usize,
}

/// How elements follow each other.
#[derive(PartialEq, Eq)]
struct Pace(Vec<i64>);

/// The pass over one section.
struct Packing<'a, 'b> {
    builder: &'a mut Builder<'b>,
    rows: Vec<Row>,
    /// The row of each new temporary.
    row_of: Vec<usize>,
    renamed: Map<u32, u32>,
    kept_ids: Map<u32, Id>,
    constant_ids: Map<u32, Id>,
    /// Instructions, each with the place in the section of the last one that it stands for.
    out: Vec<(usize, Instruction)>,
    found: bool,
}

/// The section with vector instructions, and its rows of temporaries; `None`: nothing can be packed.
pub(super) fn pack(code: &[Instruction], builder: &mut Builder<'_>) -> Option<(Vec<Instruction>, Vec<Row>)> {
    if code.len() < LEAST {
        return None;
    }
    let kept_ids = builder.kept.iter().map(|(&id, &slot)| (slot, id)).collect();
    let graph = builder.graph;
    let constant_ids =
        builder.scalars.iter().filter(|&(&id, _)| graph.value(id).is_some()).map(|(&id, &slot)| (slot, id)).collect();
    let mut packing = Packing {
        builder,
        rows: Vec::new(),
        row_of: Vec::new(),
        renamed: Map::default(),
        kept_ids,
        constant_ids,
        out: Vec::with_capacity(code.len()),
        found: false,
    };
    let sums = sums(code);
    for level in levels(code, &sums) {
        packing.level(code, &level, &sums);
    }
    packing.found.then(|| (ordered(packing.out), packing.rows))
}

/// Long sums: which instruction continues which, by the last one of each with all of them in order.
fn sums(code: &[Instruction]) -> Map<usize, Vec<usize>> {
    let adds = |k: usize| matches!(&code[k].op, Op::Chain(links) if links.iter().all(|link| *link == Link::Add));
    let mut uses: Map<Place, usize> = Map::default();
    let mut writer: Map<Place, usize> = Map::default();
    let mut skipped = 0;
    // Each sum by its last instruction so far.
    let mut found: Map<usize, Vec<usize>> = Map::default();
    for instruction in code {
        instruction.arguments.iter().for_each(|place| *uses.entry(*place).or_default() += 1);
    }
    for (k, instruction) in code.iter().enumerate() {
        if let Op::Skip(count, _) = instruction.op {
            skipped = skipped.max(k + 1 + count as usize);
        }
        if k < skipped || !adds(k) {
            continue;
        }
        let before = instruction.arguments[..2].iter().find_map(|place| match place {
            Place::Temporary(_) if uses.get(place) == Some(&1) => writer.get(place).copied(),
            _ => None,
        });
        let mut all = before.and_then(|before| found.remove(&before)).unwrap_or_default();
        all.push(k);
        found.insert(k, all);
        writer.insert(instruction.to, k);
    }
    found.retain(|_, all| all.len() >= LEAST / 3);
    found
}

/// Instructions by level, skips with what they may skip as one: what a unit reads is written on levels before.
fn levels(code: &[Instruction], sums: &Map<usize, Vec<usize>>) -> Vec<Vec<(usize, usize)>> {
    let mut written: Map<Place, usize> = Map::default();
    let mut levels: Vec<Vec<(usize, usize)>> = Vec::new();
    let mut partial = vec![false; code.len()];
    for last in 0..code.len() {
        let all = sums.get(&last).map_or(&[][..], |all| &all[..]);
        all.iter().filter(|&&k| k != last).for_each(|&k| partial[k] = true);
    }
    let mut at = 0;
    while at < code.len() {
        let count = match code[at].op {
            Op::Skip(count, _) => 1 + count as usize,
            _ => 1,
        };
        let unit = &code[at..(at + count).min(code.len())];
        // A sum stands where its last instruction does.
        let parts = sums.get(&at).map_or(&[][..], |all| &all[..]);
        if partial[at] {
            at += 1;
            continue;
        }
        let level = unit
            .iter()
            .chain(parts.iter().map(|&k| &code[k]))
            .flat_map(|instruction| &instruction.arguments)
            .filter_map(|place| written.get(place).map(|level| level + 1))
            .max()
            .unwrap_or(0);
        for instruction in unit {
            instruction.writes(|place| {
                written.insert(place, level);
            });
        }
        if levels.len() <= level {
            levels.resize_with(level + 1, Vec::new);
        }
        levels[level].push((at, count));
        at += count;
    }
    levels
}

fn packable(op: &Op) -> bool {
    matches!(
        op,
        Op::Chain(_)
            | Op::Pair(..)
            | Op::Unary(_)
            | Op::Binary(_)
            | Op::Choose(_)
            | Op::Select
            | Op::Lookup(..)
            | Op::Move
            | Op::Store(_)
    )
}

impl Packing<'_, '_> {
    fn level(&mut self, code: &[Instruction], units: &[(usize, usize)], sums: &Map<usize, Vec<usize>>) {
        let mut groups: Vec<Vec<Member>> = Vec::new();
        let mut known: Map<(Op, Area, Vec<Area>), usize> = Map::default();
        for &(first, count) in units {
            if let Some(all) = sums.get(&first) {
                self.sum(code, all);
                continue;
            }
            if count > 1 || !packable(&code[first].op) {
                for at in first..(first + count).min(code.len()) {
                    self.alone(at, self.rename(&code[at]));
                }
                continue;
            }
            let (key, member) = self.member(first, &code[first]);
            let next = groups.len();
            let group = *known.entry(key).or_insert(next);
            if group == next {
                groups.push(Vec::new());
            }
            groups[group].push(member);
        }
        for group in groups {
            self.group(group);
        }
    }

    /// A long sum: one instruction where its terms stand in a row.
    fn sum(&mut self, code: &[Instruction], all: &[usize]) {
        let mut terms: Vec<Place> = Vec::new();
        for (n, &k) in all.iter().enumerate() {
            let before = n.checked_sub(1).map(|n| code[all[n]].to);
            let arguments = &self.rename(&code[k]).arguments;
            let own = code[k].arguments.iter().zip(arguments).filter(|(old, _)| Some(**old) != before);
            terms.extend(own.map(|(_, &new)| new));
        }
        // The first two may change places.
        if terms.len() > 2 && self.area(terms[0]).1 > self.area(terms[1]).1 {
            terms.swap(0, 1);
        }
        let (area, first) = self.area(terms[0]);
        let pace = self.area(terms[1]).1 - first;
        let even = (1..=FAR).contains(&pace)
            && !matches!(area, Area::Kept | Area::Constant | Area::Fixed(_))
            && terms.iter().zip(0..).all(|(&term, k)| self.area(term) == (area, first + k * pace));
        if even {
            let op = Op::Total(terms.len() as u32, pace as u32);
            let to = code[all[all.len() - 1]].to;
            self.alone(all[all.len() - 1], Instruction { op, to, arguments: vec![terms[0]] });
            self.found = true;
            return;
        }
        for &k in all {
            self.alone(k, self.rename(&code[k]));
        }
    }

    /// Arguments in their new places.
    fn rename(&self, instruction: &Instruction) -> Instruction {
        let mut instruction = instruction.clone();
        for place in &mut instruction.arguments {
            if let Place::Temporary(t) = place {
                *place = Place::Temporary(self.renamed.get(t).copied().unwrap_or(*t));
            }
        }
        instruction
    }

    /// A row of new temporaries.
    fn row(&mut self, count: usize) -> u32 {
        let first = self.row_of.len() as u32;
        self.row_of.extend(std::iter::repeat_n(self.rows.len(), count));
        self.rows.push((first, count as u32));
        first
    }

    /// Puts an instruction out whose results stand on their own.
    fn alone(&mut self, at: usize, mut instruction: Instruction) {
        instruction.place_results(|place| {
            if let Place::Temporary(t) = *place {
                let new = self.row(1);
                self.renamed.insert(t, new);
                *place = Place::Temporary(new);
            }
        });
        self.out.push((at, instruction));
    }

    fn area(&self, place: Place) -> (Area, i64) {
        match place {
            Place::Temporary(t) => (Area::Row(self.row_of[t as usize]), i64::from(t)),
            Place::Input(k) => (Area::Input, i64::from(k)),
            Place::State(k) => (Area::State, i64::from(k)),
            Place::Next(k) => (Area::Next, i64::from(k)),
            Place::Rate(k) => (Area::Rate, i64::from(k)),
            Place::Timed(k) => (Area::Timed, i64::from(k)),
            Place::Kept(_) => (Area::Kept, 0),
            Place::Scalar(k) if self.constant_ids.contains_key(&k) => (Area::Constant, 0),
            Place::Scalar(_) => (Area::Fixed(place), 0),
        }
    }

    fn member(&self, at: usize, instruction: &Instruction) -> ((Op, Area, Vec<Area>), Member) {
        let mut instruction = self.rename(instruction);
        let (mut op, mut areas, mut positions) = (instruction.op.clone(), Vec::new(), Vec::new());
        for &place in &instruction.arguments {
            let (area, position) = self.area(place);
            areas.push(area);
            positions.push(position);
        }
        // Sums and products are the same the other way round: one order for all elements.
        let exchanges = |link: &Link| matches!(link, Link::Add | Link::Multiply);
        let mut order = |k: usize, areas: &mut Vec<Area>, positions: &mut Vec<i64>| {
            if rank(areas[k]) > rank(areas[k + 1]) {
                areas.swap(k, k + 1);
                positions.swap(k, k + 1);
                instruction.arguments.swap(k, k + 1);
            }
        };
        match &op {
            Op::Chain(links) if links.first().is_some_and(exchanges) => order(0, &mut areas, &mut positions),
            Op::Pair(first, second, _) => {
                if exchanges(first) {
                    order(0, &mut areas, &mut positions);
                }
                if exchanges(second) {
                    order(2, &mut areas, &mut positions);
                }
            }
            _ => {}
        }
        let (to, position) = match instruction.op {
            Op::Store(column) => {
                op = Op::Store(0);
                (Area::New, i64::from(column))
            }
            Op::Lookup(table, reading) => {
                // Of any lookups: their values stand in a row, whether they are read at once or not.
                op = Op::Lookup(0, reading);
                positions.push(i64::from(table));
                self.target(instruction.to)
            }
            _ => self.target(instruction.to),
        };
        ((op, to, areas), Member { at, instruction, positions, to: position, rank: 0 })
    }

    fn target(&self, place: Place) -> (Area, i64) {
        match place {
            Place::Temporary(_) => (Area::New, 0),
            place => self.area(place),
        }
    }

    fn group(&mut self, mut members: Vec<Member>) {
        if members.len() < LEAST {
            for member in members {
                self.alone(member.at, member.instruction);
            }
            return;
        }
        // Two operations on the same arguments belong to two arrays.
        let mut seen: Map<Vec<i64>, usize> = Map::default();
        for member in &mut members {
            let count = seen.entry(member.positions.clone()).or_default();
            member.rank = *count;
            *count += 1;
        }
        members.sort_by(|a, b| (a.rank, &a.positions, a.to).cmp(&(b.rank, &b.positions, b.to)));
        let new = matches!(members[0].instruction.to, Place::Temporary(_))
            && !matches!(members[0].instruction.op, Op::Store(_));
        let stretches = stretches(&members, new);
        let lookups = matches!(members[0].instruction.op, Op::Lookup(..));
        if !lookups && stretches.iter().all(|&(count, _)| count < LEAST) {
            for member in members {
                self.alone(member.at, member.instruction);
            }
            return;
        }
        if new {
            let first = self.row(members.len());
            for (k, member) in members.iter_mut().enumerate() {
                if let Place::Temporary(t) = member.instruction.to {
                    self.renamed.insert(t, first + k as u32);
                    member.instruction.to = Place::Temporary(first + k as u32);
                }
            }
        }
        let mut members = members.into_iter();
        for (count, worth) in stretches {
            let stretch: Vec<Member> = members.by_ref().take(count).collect();
            if !worth {
                for member in stretch {
                    let mut instruction = member.instruction;
                    if matches!(instruction.op, Op::Store(_)) {
                        instruction.to = instruction.arguments[0];
                    }
                    self.out.push((member.at, instruction));
                }
                continue;
            }
            let at = stretch.iter().map(|member| member.at).max().unwrap_or_default();
            let vector = self.vector(&stretch);
            self.out.push((at, vector));
            self.found = true;
        }
    }

    /// One instruction for a stretch.
    fn vector(&mut self, stretch: &[Member]) -> Instruction {
        let first = &stretch[0].instruction;
        let (mut arguments, mut paces) = (Vec::new(), [0; 4]);
        for k in 0..first.arguments.len() {
            let places: Vec<Place> = stretch.iter().map(|member| member.instruction.arguments[k]).collect();
            let (area, from) = self.area(places[0]);
            let (place, pace) = match area {
                _ if places.iter().all(|&place| place == places[0]) => (places[0], 0),
                Area::Kept | Area::Constant => (self.laid(&places), 1),
                _ => (places[0], (self.area(places[1]).1 - from) as u32),
            };
            arguments.push(place);
            paces[k] = pace;
        }
        let to = if matches!(first.op, Op::Store(_)) { arguments[0] } else { first.to };
        Instruction { op: Op::Vector(Box::new(first.op.clone()), stretch.len() as u32, paces), to, arguments }
    }

    /// Constants or run-constants in a row.
    fn laid(&mut self, places: &[Place]) -> Place {
        let mut ids = Vec::with_capacity(places.len());
        let mut slots = Vec::with_capacity(places.len());
        let mut kept = false;
        for &place in places {
            match place {
                Place::Kept(k) => {
                    kept = true;
                    slots.push(k);
                    ids.push(self.kept_ids.get(&k).copied().unwrap_or_default());
                }
                Place::Scalar(k) => {
                    slots.push(k);
                    ids.push(self.constant_ids.get(&k).copied().unwrap_or_default());
                }
                _ => {}
            }
        }
        let here = |k: u32| if kept { Place::Kept(k) } else { Place::Scalar(k) };
        if slots.windows(2).all(|pair| pair[1] == pair[0] + 1) {
            return here(slots[0]);
        }
        here(self.builder.lay(ids, kept))
    }
}

/// An order of areas.
fn rank(area: Area) -> (u8, usize) {
    match area {
        Area::Row(row) => (0, row),
        Area::State => (1, 0),
        Area::Next => (2, 0),
        Area::Rate => (3, 0),
        Area::Timed => (9, 0),
        Area::Input => (4, 0),
        Area::Kept => (5, 0),
        Area::Constant => (6, 0),
        Area::Fixed(Place::Scalar(k)) => (7, k as usize),
        Area::Fixed(_) | Area::New => (8, 0),
    }
}

/// Cuts members into stretches in which everything moves by the same distance; gives their lengths, and whether one
/// instruction is worth while.
fn stretches(members: &[Member], new: bool) -> Vec<(usize, bool)> {
    let pace = |k: usize| -> Option<Pace> {
        let (here, next) = (&members[k], &members[k + 1]);
        let lookup = matches!(here.instruction.op, Op::Lookup(..));
        let moves: Vec<i64> = here.positions.iter().zip(&next.positions).map(|(a, b)| b - a).collect();
        let same_table = !lookup || moves.last() == Some(&0);
        let fine = same_table && moves.iter().all(|step| (0..=FAR).contains(step)) && (new || next.to - here.to == 1);
        fine.then_some(Pace(moves))
    };
    let mut lengths = Vec::new();
    let mut at = 0;
    while at < members.len() {
        let mut count = 1;
        if at + 1 < members.len()
            && let Some(first) = pace(at)
        {
            count = 2;
            while at + count < members.len() && pace(at + count - 1).as_ref() == Some(&first) {
                count += 1;
            }
        }
        let gathered = match count {
            1 => 0,
            _ => pace(at).map_or(0, |pace| pace.0.iter().filter(|&&step| step > 1).count()),
        };
        lengths.push((count, count >= LEAST && pays(&members[at].instruction.op, count, gathered)));
        at += count;
    }
    lengths
}

/// Whether an instruction for so many elements takes fewer cycles than one for each, when so many of its arguments do not
/// stand in a row.
fn pays(op: &Op, count: usize, gathered: usize) -> bool {
    let alone = match op {
        Op::Unary(Unary::Negative | Unary::Abs | Unary::Not) | Op::Chain(_) | Op::Pair(..) => 5,
        Op::Unary(_) | Op::Binary(Binary::Power) => 25,
        Op::Lookup(..) => 10,
        _ => 5,
    };
    // To begin takes some forty cycles, to gather an element two or three, and the operation a fifth as long.
    40 + count * alone / 5 + count * 5 / 2 * gathered < count * alone
}

/// Instructions in the order of the section, as far as what they read allows it.
fn ordered(packed: Vec<(usize, Instruction)>) -> Vec<Instruction> {
    // What may be skipped stays behind its skip.
    let mut units: Vec<(usize, usize)> = Vec::new();
    let mut writer: Map<Place, usize> = Map::default();
    let mut next: Vec<Vec<usize>> = Vec::new();
    let mut waits: Vec<usize> = Vec::new();
    let mut at = 0;
    while at < packed.len() {
        let count = match packed[at].1.op {
            Op::Skip(count, _) => 1 + count as usize,
            _ => 1,
        };
        let unit = units.len();
        let mut before: Vec<usize> = Vec::new();
        for (_, instruction) in &packed[at..at + count] {
            instruction.reads(|place| before.extend(writer.get(&place).filter(|&&other| other != unit)));
            instruction.writes(|place| {
                writer.insert(place, unit);
            });
        }
        before.sort_unstable();
        before.dedup();
        for &other in &before {
            next[other].push(unit);
        }
        waits.push(before.len());
        next.push(Vec::new());
        units.push((at, count));
        at += count;
    }
    let place = |unit: usize| Reverse((packed[units[unit].0].0, unit));
    let mut ready: BinaryHeap<Reverse<(usize, usize)>> =
        (0..units.len()).filter(|&unit| waits[unit] == 0).map(place).collect();
    let mut order = Vec::with_capacity(units.len());
    while let Some(Reverse((_, unit))) = ready.pop() {
        order.push(units[unit]);
        for &other in &next[unit] {
            waits[other] -= 1;
            if waits[other] == 0 {
                ready.push(place(other));
            }
        }
    }
    let mut packed: Vec<Option<Instruction>> = packed.into_iter().map(|(_, instruction)| Some(instruction)).collect();
    order.into_iter().flat_map(|(first, count)| first..first + count).filter_map(|k| packed[k].take()).collect()
}

#[cfg(test)]
mod tests;
