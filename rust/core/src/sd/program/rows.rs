//! Places for temporaries that stand in rows.

use super::code::{Instruction, Place, Section};

/// Temporaries that stand in a row: the first, and how many.
pub(super) type Row = (u32, u32);

/// The free stretches among the places of temporaries.
#[derive(Default)]
struct Free {
    /// First place and length, in order, none touching the next.
    gaps: Vec<(u32, u32)>,
    end: u32,
}

/// Places of a row: whole cache lines, so that the next row begins on one.
fn room(count: u32) -> u32 {
    if count == 1 { 1 } else { count.next_multiple_of(8) }
}

impl Free {
    fn take(&mut self, count: u32) -> u32 {
        let wanted = room(count);
        for k in 0..self.gaps.len() {
            let (first, length) = self.gaps[k];
            // Rows begin on whole cache lines.
            let skip = if count > 1 { first.next_multiple_of(8) - first } else { 0 };
            if length >= wanted + skip {
                let behind = (first + skip + wanted, length - skip - wanted);
                let before = (first, skip);
                self.gaps.splice(k..=k, [before, behind].into_iter().filter(|gap| gap.1 > 0));
                return first + skip;
            }
        }
        let first = if count > 1 { self.end.next_multiple_of(8) } else { self.end };
        if first > self.end {
            self.give(self.end, first - self.end);
        }
        self.end = first + wanted;
        first
    }

    fn give(&mut self, first: u32, length: u32) {
        let at = self.gaps.partition_point(|gap| gap.0 < first);
        self.gaps.insert(at, (first, length));
        if at + 1 < self.gaps.len() && first + length == self.gaps[at + 1].0 {
            self.gaps[at].1 += self.gaps.remove(at + 1).1;
        }
        if at > 0 && self.gaps[at - 1].0 + self.gaps[at - 1].1 == first {
            self.gaps[at - 1].1 += self.gaps.remove(at).1;
        }
    }
}

/// Gives rows of temporaries that live at different times the same places.
pub(super) fn allocate(mut code: Vec<Instruction>, rows: &[Row]) -> Section {
    let row_of = |t: u32| rows.partition_point(|row| row.0 <= t) - 1;
    let mut last: Vec<Option<usize>> = vec![None; rows.len()];
    for (k, instruction) in code.iter().enumerate() {
        for place in &instruction.arguments {
            if let Place::Temporary(t) = place {
                last[row_of(*t)] = Some(k);
            }
        }
        instruction.writes(|place| {
            if let Place::Temporary(t) = place {
                let row = row_of(t);
                last[row] = last[row].max(Some(k));
            }
        });
    }
    let mut free = Free::default();
    let mut places: Vec<Option<u32>> = vec![None; rows.len()];
    for (k, instruction) in code.iter_mut().enumerate() {
        let mut touched: Vec<usize> = Vec::new();
        let mut settle = |place: &mut Place| {
            if let Place::Temporary(t) = place {
                let row = row_of(*t);
                let first = *places[row].get_or_insert_with(|| free.take(rows[row].1));
                if !touched.contains(&row) {
                    touched.push(row);
                }
                *place = Place::Temporary(first + *t - rows[row].0);
            }
        };
        instruction.arguments.iter_mut().for_each(&mut settle);
        instruction.place_results(settle);
        // Results never take the place of an argument: elements of a vector are not read in the order of writing.
        for row in touched {
            if last[row] == Some(k)
                && let Some(first) = places[row]
            {
                free.give(first, room(rows[row].1));
            }
        }
    }
    Section { code, temporaries: free.end }
}
