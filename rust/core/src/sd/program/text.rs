//! A program as text.

use std::fmt::Write;

use super::code::{Op, Place, Section};
use super::plan::Shape;
use super::{Plan, Program};

fn place(place: Place) -> String {
    match place {
        Place::Scalar(k) => format!("c{k}"),
        Place::Timed(k) => format!("u{k}"),
        Place::Input(k) => format!("in{k}"),
        Place::Kept(k) => format!("k{k}"),
        Place::State(k) => format!("s{k}"),
        Place::Next(k) => format!("s{k}'"),
        Place::Rate(k) => format!("d{k}"),
        Place::Temporary(k) => format!("t{k}"),
    }
}

/// A place, or the first and last of a row with the distance between its elements.
fn row(first: Place, row: Option<(u32, u32)>) -> String {
    match row {
        Some((count, pace)) if pace > 0 => {
            let step = if pace > 1 { format!("/{pace}") } else { String::new() };
            format!("{}..{}{step}", place(first), place(first.beyond((count - 1) * pace)))
        }
        _ => place(first),
    }
}

fn section(out: &mut String, name: &str, section: &Section) {
    if section.code.is_empty() {
        return;
    }
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{name}: {} instructions, {} temporaries", section.code.len(), section.temporaries);
    for instruction in &section.code {
        let rows = |k: usize| match &instruction.op {
            Op::Vector(_, count, paces) => Some((*count, paces.get(k).copied().unwrap_or(1))),
            Op::Total(count, pace) if k == 0 => Some((*count, *pace)),
            _ => None,
        };
        let arguments: Vec<String> = instruction.arguments.iter().enumerate().map(|(k, &a)| row(a, rows(k))).collect();
        let op = match instruction.op.single() {
            Op::Chain(links) => links.iter().map(|link| format!("{link:?}")).collect::<Vec<_>>().join("."),
            Op::Call(function, _, results) => {
                let to: Vec<String> = results.iter().map(|&(_, to)| place(to)).collect();
                format!("{function:?}→{}", to.join(","))
            }
            Op::Total(..) => "Total".to_owned(),
            other => format!("{other:?}"),
        };
        let count = match instruction.op {
            Op::Vector(_, count, _) => format!("{count} × "),
            _ => String::new(),
        };
        let to = match instruction.op.single() {
            Op::Store(_) => rows(0),
            _ => rows(usize::MAX),
        };
        let _ = writeln!(out, "  {:>5} = {count}{op} {}", row(instruction.to, to), arguments.join(" "));
    }
}

/// Every section of a program in one of its shapes.
pub(super) fn disassemble(program: &Program, shape: Shape) -> String {
    let mut out = String::new();
    let flat = &program.flat;
    let plan: &Plan = match shape {
        Shape::Lanes => &program.lanes,
        Shape::Narrow => program.narrow(),
    };
    let _ = writeln!(
        out,
        "{} states ({} stocks), {} varied, {} run-constants, {} scalars of which {} change with time, {} lookups, kernel {}",
        flat.states.len(),
        program.stocks,
        flat.defaults.len(),
        plan.kept,
        plan.scalars,
        plan.uniforms.len(),
        plan.tables.len(),
        program.kernel
    );
    for (k, name) in flat.state_names.iter().enumerate() {
        let _ = writeln!(out, "  s{k}: {name}");
    }
    for (k, name) in flat.columns.iter().enumerate() {
        let _ = writeln!(out, "  column {k}: {name}");
    }
    if !plan.uniforms.is_empty() {
        let _ = writeln!(
            out,
            "{}",
            match shape {
                Shape::Lanes => "each step, once for all lanes:",
                Shape::Narrow => "each step, outside the code:",
            }
        );
        for uniform in &plan.uniforms {
            let _ = writeln!(out, "  c{} = {:?}", uniform.slot, uniform.node);
        }
    }
    section(&mut out, "time", &plan.time);
    section(&mut out, "start", &plan.start);
    section(&mut out, "step", &plan.euler);
    section(&mut out, "step that saves", &plan.euler_save);
    section(&mut out, "rates", &plan.rates);
    section(&mut out, "held", &plan.holds);
    section(&mut out, "save", &plan.save);
    out
}
