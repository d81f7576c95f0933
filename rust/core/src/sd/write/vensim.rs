//! Writer of Vensim's text format, `.mdl`.

use std::fmt::Write as _;

use super::escape;
use super::layout::layout;
use super::prepare::{prepare, series};
use super::refuse;
use crate::sd::dialect::Dialect;
use crate::sd::error::ModelError;
use crate::sd::expr::print::{print_name, print_number};
use crate::sd::expr::{Expr, ExprKind, Span, print};
use crate::sd::graph::dependencies;
use crate::sd::model::{
    Equation, Interpolation, Kind, Method, Model, Table, TableKind, Variable, canonical, is_control,
};
use crate::sd::read::vensim::control::method_of;

/// What ends the equations and begins the drawing.
const SKETCH: &str = "\\\\\\---///";

/// The model as the text of a Vensim file. Equations of XMILE models are translated.
///
/// # Errors
/// [`ModelError::Unsupported`] with the name of what Vensim cannot say, such as a conveyor or a non-negative stock.
pub fn write(model: &Model) -> Result<String, ModelError> {
    let mut model = prepare(model, Dialect::Vensim)?;
    // The values of a series stand in another file, so that those in the model are written as lookups of time.
    for place in 0..model.variables.len() {
        let given = model.variables[place].clone();
        let wanted = canonical(&given.name);
        if given.kind == Kind::Data && model.data.iter().any(|one| canonical(&one.variable) == wanted) {
            let mut copy = given.clone();
            series(&model, &given, &mut copy, Dialect::Vensim)?;
            model.variables[place] = copy;
        }
    }
    let mut writer = Writer { model: &model, out: String::from("{UTF-8}\n") };
    writer.document()?;
    Ok(writer.out)
}

struct Writer<'m> {
    model: &'m Model,
    out: String,
}

fn name(text: &str) -> String {
    print_name(text, Dialect::Vensim)
}

fn list(names: &[String]) -> String {
    names.iter().map(|text| name(text)).collect::<Vec<_>>().join(", ")
}

/// `[(0,0)-(10,10)],(1,2),(3,4)`.
fn points(table: &Table) -> String {
    let mut parts = Vec::new();
    if let Some([x0, y0, x1, y1]) = table.frame {
        let [x0, y0, x1, y1] = [x0, y0, x1, y1].map(print_number);
        parts.push(format!("[({x0},{y0})-({x1},{y1})]"));
    }
    let pairs = table.x.iter().zip(&table.y);
    parts.extend(pairs.map(|(x, y)| format!("({},{})", print_number(*x), print_number(*y))));
    parts.join(",")
}

fn expression(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Literal(rows) => {
            let cell = |value: &f64| if value.is_nan() { ":NA:".to_owned() } else { print_number(*value) };
            let line = |row: &Vec<f64>| row.iter().map(cell).collect::<Vec<_>>().join(",");
            let lines: Vec<String> = rows.iter().map(line).collect();
            if rows.len() > 1 { format!("{};", lines.join(";\n\t\t")) } else { lines.concat() }
        }
        _ => print(expr, Dialect::Vensim),
    }
}

impl Writer<'_> {
    fn document(&mut self) -> Result<(), ModelError> {
        for each in &self.model.macros {
            let outputs = if each.outputs.is_empty() { String::new() } else { format!(" : {}", list(&each.outputs)) };
            let _ = writeln!(self.out, ":MACRO: {}({}{outputs})", name(&each.name), list(&each.parameters));
            for variable in &each.variables {
                self.variable(variable)?;
            }
            self.out.push_str(":END OF MACRO:\n\n");
        }
        for dimension in &self.model.dimensions {
            let mut arrows = Vec::new();
            for (target, elements) in &dimension.mappings {
                let own = self.model.dimensions.iter().find(|one| canonical(&one.name) == canonical(target));
                let whole = own.is_some_and(|own| own.elements == *elements);
                arrows.push(if whole { name(target) } else { format!("({}: {})", name(target), list(elements)) });
            }
            let arrow = if arrows.is_empty() { String::new() } else { format!("\n\t\t-> {}", arrows.join(", ")) };
            let _ = writeln!(
                self.out,
                "{}:\n\t{}{arrow}\n\t~\n\t~\t\t|\n",
                name(&dimension.name),
                list(&dimension.elements)
            );
        }
        // A group holds until the next begins, so what has none comes first.
        let mut ordered: Vec<&Variable> = self.model.variables.iter().collect();
        ordered.sort_by_key(|variable| !variable.group.is_empty());
        let mut group = "";
        for variable in ordered {
            if variable.group != group {
                group = &variable.group;
                self.group(group);
            }
            self.variable(variable)?;
        }
        self.control(group);
        self.sketch();
        self.settings();
        Ok(())
    }

    fn group(&mut self, group: &str) {
        let stars = "*".repeat(56);
        let _ = writeln!(self.out, "{stars}\n\t{}\n{stars}~\n\t\t|\n", escape::vensim(group));
    }

    fn cannot(&self, variable: &Variable, what: &'static str, reason: &str) -> ModelError {
        refuse(self.model, variable, variable.equations.first(), Span::default(), what, &variable.name, reason)
    }

    fn variable(&mut self, variable: &Variable) -> Result<(), ModelError> {
        if variable.non_negative && matches!(variable.kind, Kind::Stock { .. }) {
            return Err(self.cannot(
                variable,
                "non-negative stock",
                "Vensim's levels can fall below zero; limit the outflows and clear the flag",
            ));
        }
        if variable.equations.is_empty() {
            let mark = match variable.interpolation {
                Interpolation::Linear => "",
                Interpolation::Hold => " :HOLD BACKWARD:",
                Interpolation::Forward => " :LOOK FORWARD:",
                Interpolation::Raw => " :RAW:",
            };
            let left = if variable.dimensions.is_empty() {
                String::new()
            } else {
                format!("[{}]", list(&variable.dimensions))
            };
            let _ = write!(self.out, "{}{left}{mark}", name(&variable.name));
            self.close(variable, true);
        }
        let count = variable.equations.len();
        for (place, equation) in variable.equations.iter().enumerate() {
            let head = Self::head(variable, equation);
            let right = self.right(variable, equation, place)?;
            self.out.push_str(&head);
            self.out.push_str(&right);
            self.close(variable, place + 1 == count);
        }
        Ok(())
    }

    fn head(variable: &Variable, equation: &Equation) -> String {
        let mut out = name(&variable.name);
        if !equation.subscripts.is_empty() {
            let _ = write!(out, "[{}]", list(&equation.subscripts));
        }
        let except: Vec<String> = equation.except.iter().map(|parts| format!("[{}]", list(parts))).collect();
        if !except.is_empty() {
            let _ = write!(out, " :EXCEPT: {}", except.join(", "));
        }
        if variable.kind == Kind::Data {
            out.push_str(match variable.interpolation {
                Interpolation::Linear => "",
                Interpolation::Hold => " :HOLD BACKWARD:",
                Interpolation::Forward => " :LOOK FORWARD:",
                Interpolation::Raw => " :RAW:",
            });
        }
        out
    }

    fn right(&self, variable: &Variable, equation: &Equation, place: usize) -> Result<String, ModelError> {
        let shape = equation.table.as_ref();
        if let (None, Some(table)) = (&equation.expr, shape) {
            return Ok(format!("(\n\t{})", points(table)));
        }
        let Some(expr) = &equation.expr else {
            return Ok(String::new());
        };
        if let Some(table) = shape {
            if table.kind != TableKind::Continuous {
                return Err(self.cannot(
                    variable,
                    "graphical function",
                    "Vensim's WITH LOOKUP is linear between its points",
                ));
            }
            return Ok(format!("= WITH LOOKUP (\n\t{},\n\t\t({}))", expression(expr), points(table)));
        }
        if let Kind::Stock { inflows, outflows, rate } = &variable.kind {
            let rate = match rate.get(place) {
                Some(rate) => expression(rate),
                None => named(inflows, outflows, &equation.subscripts),
            };
            return Ok(format!("= INTEG (\n\t{rate},\n\t\t{})", expression(expr)));
        }
        if let Some(initial) = &equation.initial {
            return Ok(format!("= ACTIVE INITIAL (\n\t{},\n\t\t{})", expression(expr), expression(initial)));
        }
        if let ExprKind::Call { function, .. } = &expr.kind
            && function.contains(':')
        {
            return Err(self.cannot(variable, "macro output", "write the call with all its outputs by hand"));
        }
        let sign = if variable.kind == Kind::Data { ":=" } else { "=" };
        Ok(format!("{sign}\n\t{}", expression(expr)))
    }

    /// Unit and comment stand behind the last equation of a variable.
    fn close(&mut self, variable: &Variable, last: bool) {
        if !last {
            self.out.push_str("\n\t~~|\n");
            return;
        }
        let bound = |value: Option<f64>| value.map_or("?".to_owned(), print_number);
        let mut unit = escape::vensim(&variable.unit);
        if variable.limits.0.is_some() || variable.limits.1.is_some() {
            let _ = write!(unit, " [{},{}]", bound(variable.limits.0), bound(variable.limits.1));
        }
        let _ = writeln!(self.out, "\n\t~\t{}\n\t~\t{}\n\t|\n", unit.trim(), escape::vensim(variable.comment.trim()));
    }

    /// The variables that control a run, where the model has none of its own.
    fn control(&mut self, group: &str) {
        let time = &self.model.time;
        let step = time.save_step.map_or_else(|| "TIME STEP".to_owned(), print_number);
        let wanted = [
            ("FINAL TIME", print_number(time.final_time), "The final time for the simulation."),
            ("INITIAL TIME", print_number(time.initial_time), "The initial time for the simulation."),
            ("SAVEPER", step, "The frequency with which output is stored."),
            ("TIME STEP", print_number(time.dt), "The time step for the simulation."),
        ];
        let open: Vec<_> = wanted.iter().filter(|(name, ..)| self.model.variable(name).is_none()).collect();
        if !open.is_empty() && group != ".Control" {
            self.group(".Control");
        }
        for (name, value, comment) in open {
            let unit = escape::vensim(&time.unit);
            let _ = writeln!(self.out, "{name} = {value}\n\t~\t{unit}\n\t~\t{comment}\n\t|\n");
        }
    }

    fn sketch(&mut self) {
        if self.model.display.starts_with(SKETCH) {
            // The settings are kept as they were but for the method, which may be another by now.
            let method = format!("15:0,0,0,{},0,0", self.method());
            for line in self.model.display.trim_end().lines() {
                let given = line.trim().strip_prefix("15:").and_then(|rest| rest.split(',').nth(3));
                let other = given.is_some_and(|code| method_of(code) != self.model.time.method);
                self.out.push_str(if other { &method } else { line });
                self.out.push('\n');
            }
            return;
        }
        let drawing = layout(self.model);
        let variables = &self.model.variables;
        let _ = writeln!(self.out, "{SKETCH} Sketch information - do not modify anything except names");
        self.out.push_str("V300  Do not put anything below this section - it will be ignored\n*View 1\n");
        self.out.push_str("$192-192-192,0,Times New Roman|12||0-0-0|0-0-0|0-0-255|-1--1--1|-1--1--1|72,72,100,0\n");
        // Things are numbered: variables first, then valves and clouds.
        let mut next = variables.len() + 1;
        let shown = |place: usize| is_control(&canonical(&variables[place].name));
        for (place, variable) in variables.iter().enumerate().filter(|(place, _)| !shown(*place)) {
            let at = drawing.spots[place];
            let pipe = drawing.pipes.iter().any(|pipe| pipe.flow == place);
            let text = name(&variable.name);
            let line = match (&variable.kind, pipe) {
                (Kind::Stock { .. }, _) => format!("10,{},{text},{},{},50,24,3,3,0,0,0,0,0,0", place + 1, at.x, at.y),
                // A flow's name hangs below its valve.
                (_, true) => format!("10,{},{text},{},{},45,11,40,3,0,0,-1,0,0,0", place + 1, at.x, at.y + 19),
                _ => format!("10,{},{text},{},{},50,11,8,3,0,0,0,0,0,0", place + 1, at.x, at.y),
            };
            self.out.push_str(&line);
            self.out.push('\n');
        }
        let mut arrows = Vec::new();
        for pipe in &drawing.pipes {
            let at = drawing.spots[pipe.flow];
            let mut ends = Vec::new();
            for (end, aside) in [(pipe.from, -110), (pipe.to, 110)] {
                ends.push(end.map_or_else(
                    || {
                        let _ = writeln!(self.out, "12,{next},48,{},{},10,8,0,3,0,0,-1,0,0,0", at.x + aside, at.y);
                        next += 1;
                        next - 1
                    },
                    |end| end + 1,
                ));
            }
            let _ = writeln!(self.out, "11,{next},0,{},{},6,8,34,3,0,0,1,0,0,0", at.x, at.y);
            let valve = next;
            next += 1;
            // 4: an end with material flowing out of the valve, 100: into it.
            for (end, side, shape) in [(ends[1], 1, 4), (ends[0], -1, 100)] {
                arrows.push(format!("{valve},{end},{shape},0,0,22,0,0,0,-1--1--1,,1|({},{})|", at.x + side * 55, at.y));
            }
        }
        for (to, needed) in dependencies(self.model).into_iter().enumerate().filter(|(to, _)| !shown(*to)) {
            for from in needed {
                let piped = drawing
                    .pipes
                    .iter()
                    .any(|pipe| pipe.flow == from && (pipe.from == Some(to) || pipe.to == Some(to)));
                if from != to && !piped && !shown(from) {
                    arrows.push(format!("{},{},0,0,0,0,0,64,0,-1--1--1,,1|(0,0)|", from + 1, to + 1));
                }
            }
        }
        for arrow in arrows {
            let _ = writeln!(self.out, "1,{next},{arrow}");
            next += 1;
        }
    }

    fn settings(&mut self) {
        if self.model.display.contains(":L\u{7f}<%^E!@") {
            return;
        }
        let _ = writeln!(
            self.out,
            "///---\\\\\\\n:L\u{7f}<%^E!@\n1:{}.vdf",
            escape::vensim(&self.model.name).replace(['\n', '\r'], " ")
        );
        for unit in &self.model.units {
            let names: Vec<&str> =
                std::iter::once(unit.name.as_str()).chain(unit.aliases.iter().map(String::as_str)).collect();
            let _ = writeln!(self.out, "22:{}", names.join(","));
        }
        let _ = writeln!(self.out, "15:0,0,0,{},0,0", self.method());
        if let Some((year, month, day)) = self.model.date {
            let _ = writeln!(self.out, "37:{year}\n38:{month}\n39:{day}");
        }
    }

    /// The number of the method in the settings.
    fn method(&self) -> u32 {
        match self.model.time.method {
            Method::Euler => 0,
            // Vensim's adaptive method stands nearest: RK4 Auto.
            Method::Rk45 => 1,
            Method::Rk2 => 4,
            Method::Rk4 => 5,
        }
    }
}

/// The net flow of named flows.
fn named(inflows: &[String], outflows: &[String], subscripts: &[String]) -> String {
    let left = if subscripts.is_empty() { String::new() } else { format!("[{}]", list(subscripts)) };
    let mut out = String::new();
    for (names, sign) in [(inflows, "+"), (outflows, "-")] {
        for flow in names {
            if !(out.is_empty() && sign == "+") {
                out.push_str(sign);
            }
            let _ = write!(out, "{}{left}", name(flow));
        }
    }
    if out.is_empty() { "0".to_owned() } else { out }
}
