//! Where things stand in a drawing, for files of models that have none: stocks in a row along their flows, the rest in rows below.

use std::collections::BTreeMap;

use crate::sd::model::{Kind, Model};
use crate::sd::pipes::{Pipe, pipes};

/// A place on paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) x: i64,
    pub(super) y: i64,
}

/// A drawing.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    pub(super) spots: Vec<Spot>,
    pub(super) pipes: Vec<Pipe>,
}

const STEP: i64 = 200;
const ROW: i64 = 150;
const COLUMNS: i64 = 6;

/// Places all variables.
pub(super) fn layout(model: &Model) -> Layout {
    let pipes = pipes(model);
    let mut spots = vec![Spot::default(); model.variables.len()];
    let mut placed = vec![false; model.variables.len()];
    let mut next = 0;
    // Each stock, then the stocks that its outflows fill, so that chains stay in line.
    for first in 0..model.variables.len() {
        let mut at = Some(first).filter(|place| matches!(model.variables[*place].kind, Kind::Stock { .. }));
        while let Some(stock) = at.filter(|stock| !placed[*stock]) {
            placed[stock] = true;
            spots[stock] = Spot { x: STEP + (next % COLUMNS) * STEP * 2, y: ROW + (next / COLUMNS) * ROW * 3 };
            next += 1;
            at = pipes
                .iter()
                .find(|pipe| pipe.from == Some(stock) && pipe.to.is_some_and(|to| !placed[to]))
                .and_then(|pipe| pipe.to);
        }
    }
    // Flows that share both ends stand one under the other.
    let mut used: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for pipe in &pipes {
        let mut spot = match (pipe.from, pipe.to) {
            (Some(from), Some(to)) => {
                Spot { x: i64::midpoint(spots[from].x, spots[to].x), y: i64::midpoint(spots[from].y, spots[to].y) }
            }
            (Some(from), None) => Spot { x: spots[from].x + STEP, y: spots[from].y },
            (None, Some(to)) => Spot { x: spots[to].x - STEP, y: spots[to].y },
            (None, None) => continue,
        };
        let count = used.entry((spot.x, spot.y)).or_default();
        spot.y += *count * 60;
        *count += 1;
        if !placed[pipe.flow] {
            spots[pipe.flow] = spot;
            placed[pipe.flow] = true;
        }
    }
    let below = (next + COLUMNS - 1) / COLUMNS * ROW * 3 + ROW;
    let mut rest = 0;
    for (place, spot) in spots.iter_mut().enumerate() {
        if !placed[place] {
            *spot = Spot { x: STEP / 2 + (rest % (COLUMNS * 2)) * STEP, y: below + (rest / (COLUMNS * 2)) * 90 };
            rest += 1;
        }
    }
    Layout { spots, pipes }
}
