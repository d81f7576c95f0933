//! Which variable made a run fail: the first in the order of evaluation that was not finite.

use super::lanes;
use crate::cancel::{Cancelled, Control};
use crate::par;
use crate::sd::compile::Options;
use crate::sd::compile::graph::{Id, Node};
use crate::sd::expr::ExprKind;
use crate::sd::integrate::{Block, Ending, Snapshot};
use crate::sd::model::{Method, Model};
use crate::sd::program::Program;

/// The options of a program that shows every variable at every step of the runs of another.
pub fn everything(options: &Options) -> Options {
    let time = options.time.map(|(initial, last, dt, _)| (initial, last, dt, Some(dt)));
    Options { save: None, save_times: None, time, ..options.clone() }
}

/// Finds time and variable of runs that failed: `rows` has the varied values of each, `numbers` its number. The variable of an
/// ending is the number of a state of `program`, or the number of states plus the number of a column.
pub fn diagnose(
    program: &Program,
    model: &Model,
    rows: &[f64],
    numbers: &[u64],
    key: [u64; 2],
    pool: &rayon::ThreadPool,
    control: &Control,
) -> Result<Vec<Ending>, Cancelled> {
    let width = program.flat.defaults.len();
    let runs = numbers.len();
    let adaptive = program.flat.time.method == Method::Rk45;
    // Lanes draw the numbers of runs that follow each other.
    let block = if adaptive || program.random() { 1 } else { lanes(program, runs, pool.current_num_threads()).min(64) };
    let whole = Control::new();
    let parts = par::chunks(
        pool,
        &whole,
        runs,
        block,
        || Block::new(program, block),
        |machine, range| {
            let (start, count) = (range.start, range.len());
            let inputs = |slot: usize, lane: usize| rows[(start + lane) * width + slot];
            let seen = machine.watch(count, numbers[start], key, inputs, control)?;
            if adaptive && seen.iter().all(Option::is_none) {
                return super::run(program, &rows[start * width..(start + 1) * width], numbers[start], key, control)
                    .map(|(_, ending)| vec![first_name(program, model, ending)]);
            }
            Ok(seen
                .iter()
                .map(|seen| seen.as_ref().map_or(Ending::COMPLETE, |seen| blame(program, model, seen)))
                .collect())
        },
    )?;
    Ok(parts.into_iter().flatten().collect())
}

/// The first that was not finite: nothing that it is computed from was.
fn blame(program: &Program, model: &Model, seen: &Snapshot) -> Ending {
    let flat = &program.flat;
    let states = flat.states.len();
    let named = |variable: usize| Ending { time: seen.time, variable: variable as i32, stalled: false };
    // After the start a state moves before anything is computed from it.
    if let (false, Some(state)) = (seen.start, seen.states.iter().position(|&odd| odd)) {
        return named(state);
    }
    let mut columns: Vec<usize> = (0..flat.saves.len()).filter(|&column| seen.columns[column]).collect();
    columns.sort_by_key(|&column| (alias(model, &flat.columns[column]), column));
    let column_of = |id: Id| columns.iter().copied().find(|&column| flat.saves[column] == id);
    // At the start a state stands for what it begins with.
    let begun = |id: Id| match flat.graph.node(id) {
        Node::State(state) if seen.start => Some(*state as usize),
        _ => None,
    };
    let judged = columns.iter().map(|&column| flat.saves[column]).filter(|&id| flat.graph.value(id).is_none());
    let mut roots: Vec<Id> = judged.collect();
    roots.sort_unstable();
    let odd_states = (0..states).filter(|&state| seen.start && seen.states[state]);
    let mut visited = std::collections::HashSet::new();
    let mut stack: Vec<(Id, Option<usize>, bool)> = Vec::new();
    // Columns in the order of evaluation, then states that nothing shows.
    let starts: Vec<(Id, Option<usize>)> = roots
        .into_iter()
        .map(|id| (id, None))
        .chain(odd_states.map(|state| (flat.states[state].initial, Some(state))))
        .collect();
    for (id, state) in starts {
        stack.push((id, state, false));
        while let Some((id, state, left)) = stack.pop() {
            if left {
                if let Some(column) = column_of(id) {
                    return named(states + column);
                }
                if let Some(state) = state.or(begun(id)).filter(|&state| seen.states[state]) {
                    return named(state);
                }
                continue;
            }
            if state.is_none() && !visited.insert(id) {
                continue;
            }
            stack.push((id, state, true));
            if let Some(state) = begun(id) {
                stack.push((flat.states[state].initial, Some(state), false));
            }
            let before = stack.len();
            flat.graph.node(id).arguments(|argument| stack.push((argument, None, false)));
            stack[before..].reverse();
        }
    }
    named(columns.first().map_or(0, |&column| states + column))
}

/// The same failure with the name that others stand for, where several columns are one value.
fn first_name(program: &Program, model: &Model, ending: Ending) -> Ending {
    let flat = &program.flat;
    let states = flat.states.len();
    let Some(column) = usize::try_from(ending.variable).ok().and_then(|variable| variable.checked_sub(states)) else {
        return ending;
    };
    let same = (0..flat.saves.len()).filter(|&other| flat.saves[other] == flat.saves[column]);
    let first = same.min_by_key(|&other| (alias(model, &flat.columns[other]), other)).unwrap_or(column);
    Ending { variable: (states + first) as i32, ..ending }
}

/// Whether the equation of a variable is but another name: the other one is to blame.
fn alias(model: &Model, column: &str) -> bool {
    let name = column.split('[').next().unwrap_or_default();
    model.variable(name).is_some_and(|variable| {
        variable
            .equations
            .iter()
            .any(|equation| equation.expr.as_ref().is_some_and(|expr| matches!(expr.kind, ExprKind::Reference { .. })))
    })
}
