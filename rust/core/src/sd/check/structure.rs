//! Structure: what nothing uses, stocks that cannot change, flows that lead nowhere, lookups out of order, time that cannot pass.

use std::collections::{BTreeMap, BTreeSet};

use super::names::place;
use super::{Finding, Severity};
use crate::sd::error::{ModelError, Place};
use crate::sd::expr::{ExprKind, Span};
use crate::sd::graph::dependencies;
use crate::sd::model::{Kind, Model, Table, Variable, canonical, is_control};

/// Adds the findings on structure.
///
/// Codes: `unused`, `output`, `stock-without-flows`, `unattached-flow`, `flow-twice`, `lookup-points`, `time`.
pub(crate) fn check(model: &Model, out: &mut Vec<Finding>) {
    unused(model, out);
    flows(model, out);
    for variable in model.variables.iter().chain(model.macros.iter().flat_map(|each| &each.variables)) {
        for equation in &variable.equations {
            if let Some(fault) = equation.table.as_ref().and_then(points) {
                let at = place(model, variable, Some(equation), "", Span::default());
                let (severity, text) = fault;
                add(out, severity, "lookup-points", format!("the lookup {:?} {text}", variable.name), at);
            }
        }
    }
    time(model, out);
}

fn add(out: &mut Vec<Finding>, severity: Severity, code: &'static str, message: String, place: Place) {
    out.push(Finding { severity, code, error: ModelError::Meaning { message, place: Box::new(place) } });
}

fn at(model: &Model, variable: &Variable) -> Place {
    place(model, variable, variable.equations.first(), "", Span::default())
}

/// Parameters, lookups and series that nothing uses are most likely forgotten; an auxiliary that nothing uses is an output.
fn unused(model: &Model, out: &mut Vec<Finding>) {
    let mut used: BTreeSet<usize> = BTreeSet::new();
    for (place, needed) in dependencies(model).into_iter().enumerate() {
        used.extend(needed.into_iter().filter(|other| *other != place));
    }
    // Macros see their arguments only, so no name of the model counts as used there.
    let mut outputs: Vec<&str> = Vec::new();
    for (place, variable) in model.variables.iter().enumerate() {
        let control = is_control(&canonical(&variable.name));
        if used.contains(&place) || control {
            continue;
        }
        let what = match variable.kind {
            Kind::Parameter => "parameter",
            Kind::Lookup => "lookup",
            Kind::Data => "series",
            Kind::Auxiliary => {
                outputs.push(&variable.name);
                continue;
            }
            Kind::Flow | Kind::Stock { .. } => continue,
        };
        let message = format!("the {what} {:?} is used by nothing: changing it changes no result", variable.name);
        add(out, Severity::Warning, "unused", message, at(model, variable));
    }
    if let Some(first) = outputs.first() {
        let message = match outputs.len() {
            1 => format!("{first:?} is used by no other variable: an output"),
            count => {
                let names: Vec<String> = outputs.iter().take(10).map(|name| format!("{name:?}")).collect();
                let more = if count > 10 { ", …" } else { "" };
                format!("{count} auxiliaries are used by no other variable (outputs): {}{more}", names.join(", "))
            }
        };
        add(out, Severity::Note, "output", message, Place { path: model.path.clone(), ..Place::default() });
    }
}

fn flows(model: &Model, out: &mut Vec<Finding>) {
    // Flow → the stocks that it fills, the stocks that it drains.
    let mut ends: BTreeMap<String, [Vec<&str>; 2]> = BTreeMap::new();
    for variable in &model.variables {
        let Kind::Stock { inflows, outflows, rate } = &variable.kind else { continue };
        for (side, names) in [inflows, outflows].into_iter().enumerate() {
            for name in names {
                ends.entry(canonical(name)).or_default()[side].push(&variable.name);
            }
        }
        let still = rate.iter().all(|expr| matches!(expr.kind, ExprKind::Number(value) if value == 0.0));
        if inflows.is_empty() && outflows.is_empty() && still {
            let message =
                format!("the stock {:?} has no flow and never changes: a parameter would say so", variable.name);
            let severity = if rate.is_empty() { Severity::Warning } else { Severity::Note };
            add(out, severity, "stock-without-flows", message, at(model, variable));
        }
    }
    for variable in &model.variables {
        let Some([fills, drains]) = ends.get(&canonical(&variable.name)) else {
            if variable.kind == Kind::Flow {
                let message = format!("the flow {:?} is attached to no stock: it moves nothing", variable.name);
                add(out, Severity::Warning, "unattached-flow", message, at(model, variable));
            }
            continue;
        };
        for (stocks, way) in [(fills, "fills"), (drains, "drains")] {
            if stocks.len() > 1 {
                let message = format!(
                    "the flow {:?} {way} {}: a flow has one end there, so this much more is moved than flows",
                    variable.name,
                    stocks.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" and ")
                );
                add(out, Severity::Warning, "flow-twice", message, at(model, variable));
            }
        }
        if let Some(both) = fills.iter().find(|name| drains.contains(name)) {
            let message = format!("the flow {:?} fills and drains {both:?}: it changes nothing", variable.name);
            add(out, Severity::Warning, "flow-twice", message, at(model, variable));
        }
    }
}

/// What is wrong with the points of a lookup.
fn points(table: &Table) -> Option<(Severity, String)> {
    if table.x.len() != table.y.len() {
        return Some((
            Severity::Error,
            format!("has {} x and {} y: expected as many of each", table.x.len(), table.y.len()),
        ));
    }
    if table.x.is_empty() {
        return Some((Severity::Error, "has no points: expected at least one".to_owned()));
    }
    if let Some(at) = table.x.windows(2).position(|pair| pair[0] > pair[1]) {
        let (before, after) = (table.x[at], table.x[at + 1]);
        let text = format!("has points out of order: x = {after} comes after x = {before}; expected x to rise");
        return Some((Severity::Error, text));
    }
    table
        .x
        .windows(2)
        .zip(table.y.windows(2))
        .find(|(x, y)| x[0] == x[1] && y[0] != y[1])
        .map(|(x, y)| (Severity::Note, format!("jumps from {} to {} at x = {}", y[0], y[1], x[0])))
}

fn time(model: &Model, out: &mut Vec<Finding>) {
    let spec = &model.time;
    let place = || Place { path: model.path.clone(), ..Place::default() };
    if spec.dt <= 0.0 {
        add(
            out,
            Severity::Error,
            "time",
            format!("the time step is {}: expected a number above zero", spec.dt),
            place(),
        );
        return;
    }
    if spec.final_time < spec.initial_time {
        let text = format!("time ends at {} before it begins at {}", spec.final_time, spec.initial_time);
        add(out, Severity::Error, "time", text, place());
    }
    // Steps such as 0.1 have no exact binary form; what is left over is of the size of rounding.
    let whole = |steps: f64| !steps.is_finite() || (steps - steps.round()).abs() <= 1e-6 * steps.abs().max(1.0);
    let steps = (spec.final_time - spec.initial_time) / spec.dt;
    if steps >= 0.0 && !whole(steps) {
        let end = spec.initial_time + steps.floor() * spec.dt;
        let text = format!(
            "the time step {} does not lead from {} to {}: a run ends at {end}",
            spec.dt, spec.initial_time, spec.final_time
        );
        add(out, Severity::Warning, "time", text, place());
    }
    if let Some(step) = spec.save_step.filter(|step| !whole(step / spec.dt)) {
        let text = format!("the save step {step} is no multiple of the time step {}", spec.dt);
        add(out, Severity::Note, "time", text, place());
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::sd::dialect::Dialect::{Vensim, Xmile};
    use crate::sd::model::Model;
    use crate::sd::testing::model;

    fn codes(model: &Model) -> Vec<(&'static str, String)> {
        let mut out = Vec::new();
        check(model, &mut out);
        out.iter().map(|finding| (finding.code, finding.error.to_string())).collect()
    }

    #[test]
    fn a_sound_model_has_no_findings() {
        let sound = model(
            Xmile,
            "",
            "stock s = 1; +f -g\n flow f = p * s\n flow g = effect(s)\n par p = 2\n lookup effect = 0 1; 0 1",
        );
        assert_eq!(codes(&sound), []);
    }

    #[test]
    fn each_fault_is_named() {
        for (lines, code, part) in [
            ("par p = 2", "unused", "the parameter \"p\" is used by nothing"),
            ("lookup p = 0 1; 0 1", "unused", "the lookup \"p\""),
            ("stock s = 1", "stock-without-flows", "never changes"),
            ("flow f = 1", "unattached-flow", "attached to no stock"),
            ("stock a = 1; +f\n stock b = 1; +f\n flow f = 1", "flow-twice", "fills \"a\" and \"b\""),
            ("stock a = 1; +f -f\n flow f = 1", "flow-twice", "fills and drains \"a\""),
            ("lookup l = 0 2 1; 0 1 2\n stock a = 1; +f\n flow f = l(a)", "lookup-points", "x = 1 comes after x = 2"),
            ("lookup l = 0 1 1; 0 1 2\n stock a = 1; +f\n flow f = l(a)", "lookup-points", "jumps from 1 to 2"),
            ("lookup l = 0 1; 0 1 2\n stock a = 1; +f\n flow f = l(a)", "lookup-points", "2 x and 3 y"),
            ("aux a = 1", "output", "\"a\" is used by no other variable"),
        ] {
            let found = codes(&model(Xmile, "", lines));
            assert_eq!(found.len(), 1, "{lines}: {found:?}");
            assert_eq!(found[0].0, code);
            assert!(found[0].1.contains(part), "{lines}: {found:?}");
        }
    }

    #[test]
    fn outputs_are_named_together() {
        let found = codes(&model(Xmile, "", "aux a = 1\n aux b = 2"));
        assert_eq!(found.len(), 1);
        assert!(found[0].1.starts_with("2 auxiliaries are used by no other variable (outputs): \"a\", \"b\""));
    }

    #[test]
    fn a_vensim_level_that_stands_still_is_a_note_and_controls_are_used() {
        let found = codes(&model(Vensim, "", "level l = 0; 5\n par TIME STEP = 1\n par FINAL TIME = 9"));
        assert_eq!(found.iter().map(|finding| finding.0).collect::<Vec<_>>(), ["stock-without-flows"]);
    }

    #[test]
    fn time_must_pass() {
        let mut sound = model(Xmile, "", "aux a = 1");
        let mut time = |initial: f64, last: f64, dt: f64, save: f64| {
            sound.time.initial_time = initial;
            sound.time.final_time = last;
            sound.time.dt = dt;
            sound.time.save_step = Some(save);
            codes(&sound).into_iter().filter(|finding| finding.0 == "time").count()
        };
        assert_eq!(time(0.0, 10.0, 0.1, 0.3), 0);
        assert_eq!(time(0.0, 10.0, 0.0, 1.0), 1);
        assert_eq!(time(10.0, 0.0, 1.0, 1.0), 1);
        assert_eq!(time(0.0, 10.0, 0.25, 0.6), 1);
        assert_eq!(time(0.0, 10.0, 3.0, 3.0), 1);
        assert_eq!(time(0.0, 1.0, 0.3, 0.9), 1);
        assert_eq!(time(-0.1, 0.2, 0.1, 0.1), 0);
        assert_eq!(time(f64::NAN, 10.0, 1.0, 1.0), 0);
    }
}
