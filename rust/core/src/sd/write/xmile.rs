//! Writer of XMILE 1.0 (OASIS, 2015).

use std::fmt::Write as _;

use super::escape::xml;
use super::expand::expanded;
use super::layout::layout;
use super::prepare::{by_element, prepare, series};
use super::refuse;
use crate::sd::dialect::Dialect;
use crate::sd::error::ModelError;
use crate::sd::expr::print::{print_name, print_number};
use crate::sd::expr::{Expr, ExprKind, Span, Subscript, print};
use crate::sd::graph::dependencies;
use crate::sd::model::{
    Container, Dimension, Equation, Kind, Macro, Method, Model, Table, TableKind, Variable, canonical, is_whole,
};

const NAMESPACE: &str = "http://docs.oasis-open.org/xmile/ns/XMILE/v1.0";
/// Stella's extensions: XMILE 1.0 has no place for the save step.
const ISEE: &str = "http://iseesystems.com/XMILE";

/// The model as the text of an XMILE file. Equations of Vensim models are translated.
///
/// # Errors
/// [`ModelError::Unsupported`] with the name of what XMILE cannot say, such as a mapping between dimensions or `ALLOCATE AVAILABLE`.
pub fn write(model: &Model) -> Result<String, ModelError> {
    let model = prepare(model, Dialect::Xmile)?;
    let mut writer = Writer { model: &model, out: String::new(), depth: 0 };
    writer.document()?;
    Ok(writer.out)
}

struct Writer<'m> {
    model: &'m Model,
    out: String,
    depth: usize,
}

/// `key="value"` pairs.
fn attributes(pairs: &[(&str, String)]) -> String {
    pairs.iter().fold(String::new(), |mut out, (key, value)| {
        let _ = write!(out, " {key}=\"{}\"", xml(value));
        out
    })
}

/// A name as an attribute holds it: quotes and backslashes inside it are escaped.
fn label(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"")
}

fn numbers(values: &[f64]) -> String {
    values.iter().map(|value| print_number(*value)).collect::<Vec<_>>().join(",")
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        for _ in 0..self.depth {
            self.out.push_str("  ");
        }
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn open(&mut self, tag: &str, pairs: &[(&str, String)]) {
        let text = format!("<{tag}{}>", attributes(pairs));
        self.line(&text);
        self.depth += 1;
    }

    fn close(&mut self, tag: &str) {
        self.depth -= 1;
        self.line(&format!("</{tag}>"));
    }

    fn empty(&mut self, tag: &str, pairs: &[(&str, String)]) {
        self.line(&format!("<{tag}{}/>", attributes(pairs)));
    }

    fn text(&mut self, tag: &str, pairs: &[(&str, String)], text: &str) {
        self.line(&format!("<{tag}{}>{}</{tag}>", attributes(pairs), xml(text)));
    }

    fn expr(&mut self, tag: &str, expr: &Expr) {
        self.text(tag, &[], &print(expr, Dialect::Xmile));
    }

    fn document(&mut self) -> Result<(), ModelError> {
        self.line("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
        let root = [("version", "1.0".to_owned()), ("xmlns", NAMESPACE.to_owned()), ("xmlns:isee", ISEE.to_owned())];
        self.open("xmile", &root);
        self.header();
        self.times();
        self.units();
        if !self.model.dimensions.is_empty() {
            self.open("dimensions", &[]);
            for dimension in &self.model.dimensions {
                self.dimension(dimension);
            }
            self.close("dimensions");
        }
        self.open("model", &[]);
        self.variables(&self.model.variables)?;
        self.views();
        self.close("model");
        for each in &self.model.macros {
            self.macro_of(each)?;
        }
        self.close("xmile");
        Ok(())
    }

    fn header(&mut self) {
        self.open("header", &[]);
        let rank = self.model.variables.iter().map(|variable| variable.dimensions.len()).max().unwrap_or(0);
        let has = |test: fn(&Container) -> bool| {
            self.model.variables.iter().filter_map(|variable| variable.container.as_ref()).any(test)
        };
        let conveyor = has(|container| !matches!(container, Container::Queue));
        let queue = has(|container| matches!(container, Container::Queue));
        if rank > 0 || conveyor || queue || !self.model.macros.is_empty() {
            self.open("options", &[]);
            if conveyor {
                self.empty("uses_conveyor", &[]);
            }
            if queue {
                let overflow = self.model.variables.iter().any(|variable| variable.overflow);
                let pairs = [("overflow", "true".to_owned())];
                self.empty("uses_queue", if overflow { &pairs } else { &[] });
            }
            if rank > 0 {
                self.empty("uses_arrays", &[("maximum_dimensions", rank.to_string())]);
            }
            if !self.model.macros.is_empty() {
                self.empty("uses_macros", &[]);
            }
            self.close("options");
        }
        self.text("name", &[], &self.model.name);
        self.text("vendor", &[], "sembada");
        self.text(
            "product",
            &[("version", env!("CARGO_PKG_VERSION").to_owned()), ("lang", "en".to_owned())],
            "sembada",
        );
        self.close("header");
    }

    fn times(&mut self) {
        let time = &self.model.time;
        let method = match time.method {
            Method::Euler => "euler",
            Method::Rk2 => "rk2",
            Method::Rk4 => "rk4",
            Method::Rk45 => "rk45",
        };
        let mut pairs = vec![("method", method.to_owned())];
        if !time.unit.is_empty() {
            pairs.push(("time_units", time.unit.clone()));
        }
        if let Some(step) = time.save_step {
            pairs.push(("isee:save_interval", print_number(step)));
        }
        self.open("sim_specs", &pairs);
        for (tag, value) in [("start", time.initial_time), ("stop", time.final_time), ("dt", time.dt)] {
            self.text(tag, &[], &print_number(value));
        }
        self.close("sim_specs");
    }

    fn units(&mut self) {
        if self.model.units.is_empty() {
            return;
        }
        self.open("model_units", &[]);
        for unit in &self.model.units {
            self.open("unit", &[("name", unit.name.clone())]);
            if !unit.equation.is_empty() {
                self.text("eqn", &[], &unit.equation);
            }
            for alias in &unit.aliases {
                self.text("alias", &[], alias);
            }
            self.close("unit");
        }
        self.close("model_units");
    }

    fn dimension(&mut self, dimension: &Dimension) {
        let counted = dimension.elements.iter().enumerate().all(|(at, name)| *name == (at + 1).to_string());
        let name = ("name", label(&dimension.name));
        if counted {
            self.empty("dim", &[name, ("size", dimension.elements.len().to_string())]);
            return;
        }
        self.open("dim", &[name]);
        for element in &dimension.elements {
            self.empty("elem", &[("name", label(element))]);
        }
        self.close("dim");
    }

    fn variables(&mut self, variables: &[Variable]) -> Result<(), ModelError> {
        self.open("variables", &[]);
        for variable in variables {
            self.variable(variable)?;
        }
        let mut groups: Vec<&str> = Vec::new();
        for variable in variables {
            if !variable.group.is_empty() && !groups.contains(&variable.group.as_str()) {
                groups.push(&variable.group);
            }
        }
        for group in groups {
            self.open("group", &[("name", label(group))]);
            for variable in variables.iter().filter(|variable| variable.group == group) {
                self.empty("entity", &[("name", label(&variable.name))]);
            }
            self.close("group");
        }
        self.close("variables");
        Ok(())
    }

    fn variable(&mut self, variable: &Variable) -> Result<(), ModelError> {
        let mut variable = variable.clone();
        if variable.kind == Kind::Data {
            let given = variable.clone();
            series(self.model, &given, &mut variable, Dialect::Xmile)?;
        }
        for equation in &variable.equations {
            self.sayable(&variable, equation)?;
        }
        let tag = match variable.kind {
            Kind::Stock { .. } => "stock",
            Kind::Flow => "flow",
            _ => "aux",
        };
        let mut pairs = vec![("name", label(&variable.name))];
        if let Some(spread) = &variable.spread {
            pairs.push(("spreadflow", spread.method.clone()));
        }
        self.open(tag, &pairs);
        if !variable.comment.is_empty() {
            self.text("doc", &[], &variable.comment);
        }
        self.equations(&variable)?;
        if let Kind::Stock { inflows, outflows, rate } = &variable.kind {
            if let Some(rate) = rate.first() {
                let reason = "name its flows";
                return Err(refuse(self.model, &variable, None, rate.span, "net flow", &variable.name, reason));
            }
            for (tag, names) in [("inflow", inflows), ("outflow", outflows)] {
                for name in names {
                    self.text(tag, &[], &print_name(name, Dialect::Xmile));
                }
            }
        }
        if variable.non_negative && tag != "aux" {
            self.empty("non_negative", &[]);
        }
        self.container(&variable);
        if let Some(leak) = &variable.leak {
            let zone = [("leak_start", print_number(leak.zone.0)), ("leak_end", print_number(leak.zone.1))];
            let own = variable.equations.iter().find_map(|equation| equation.expr.as_ref());
            let fraction =
                if own == Some(&leak.fraction) { String::new() } else { print(&leak.fraction, Dialect::Xmile) };
            self.text("leak", &zone, &fraction);
            if leak.integers {
                self.empty("leak_integers", &[]);
            }
        }
        if variable.overflow {
            self.empty("overflow", &[]);
        }
        if let Some(profile) = variable.spread.as_ref().and_then(|spread| spread.profile.as_ref()) {
            self.expr("distrib_eq", profile);
        }
        let bounds = [("min", variable.limits.0), ("max", variable.limits.1)];
        if bounds.iter().any(|(_, bound)| bound.is_some()) {
            let pairs: Vec<_> =
                bounds.iter().filter_map(|(key, bound)| Some((*key, print_number((*bound)?)))).collect();
            self.empty("range", &pairs);
        }
        if !variable.unit.is_empty() {
            self.text("units", &[], &variable.unit);
        }
        self.close(tag);
        Ok(())
    }

    /// A dimension that is not on the left side (a mapping) or not that of the variable (a subrange) means nothing in XMILE.
    fn sayable(&self, variable: &Variable, equation: &Equation) -> Result<(), ModelError> {
        let mut fault = None;
        let exprs = equation.expr.iter().chain(&equation.initial);
        for expr in exprs {
            expr.walk(&mut |node| {
                if let ExprKind::Reference { name, subscripts } = &node.kind {
                    let target = self.model.variable(name);
                    for (at, subscript) in subscripts.iter().enumerate() {
                        let Subscript::Name(text) = subscript else { continue };
                        let key = canonical(text);
                        let is_dimension = self.model.dimensions.iter().any(|one| canonical(&one.name) == key);
                        let own = target.and_then(|target| target.dimensions.get(at)).map(|one| canonical(one));
                        let replaced = equation.subscripts.iter().any(|left| canonical(left) == key)
                            && !is_whole(variable, equation);
                        let other = own.is_some_and(|own| own != key);
                        let mapped = !equation.subscripts.iter().any(|left| canonical(left) == key);
                        if is_dimension && !replaced && (other || mapped) {
                            fault.get_or_insert((text.clone(), node.span));
                        }
                    }
                }
                fault.is_none()
            });
        }
        match fault {
            Some((name, span)) => {
                let reason = "XMILE reads an array over its own dimensions as they stand on the left side, not over a subrange or by a mapping";
                Err(refuse(self.model, variable, Some(equation), span, "subscript", &name, reason))
            }
            None => Ok(()),
        }
    }

    fn equations(&mut self, variable: &Variable) -> Result<(), ModelError> {
        let mut all = by_element(self.model, variable)?;
        let special = |equation: &Equation| equation.table.is_some() || equation.initial.is_some();
        let whole = all.iter().position(|equation| is_whole(variable, equation));
        if let Some(at) = whole.filter(|_| all.len() > 1 && all.iter().any(special)) {
            // An element would take over the table and the start of the equation for all: every element gets its own.
            let mut general = all.remove(at);
            general.except = all.iter().map(|equation| equation.subscripts.clone()).collect();
            let many = expanded(self.model, &general).ok_or_else(|| {
                refuse(
                    self.model,
                    variable,
                    Some(&general),
                    Span::default(),
                    "array",
                    &variable.name,
                    "it is too large",
                )
            })?;
            all.extend(many);
        }
        let (general, single): (Vec<_>, Vec<_>) = all.into_iter().partition(|equation| is_whole(variable, equation));
        for equation in &general {
            self.equation(equation);
        }
        if !variable.dimensions.is_empty() {
            self.open("dimensions", &[]);
            for dimension in &variable.dimensions {
                self.empty("dim", &[("name", label(dimension))]);
            }
            self.close("dimensions");
        }
        for equation in &single {
            self.open("element", &[("subscript", equation.subscripts.join(", "))]);
            self.equation(equation);
            self.close("element");
        }
        Ok(())
    }

    fn equation(&mut self, equation: &Equation) {
        if let Some(expr) = &equation.expr {
            self.expr("eqn", expr);
        }
        if let Some(expr) = &equation.initial {
            self.expr("init_eqn", expr);
        }
        if let Some(table) = &equation.table {
            self.table(table);
        }
    }

    fn table(&mut self, table: &Table) {
        let kind = match table.kind {
            TableKind::Continuous => "continuous",
            TableKind::Extrapolate => "extrapolate",
            TableKind::Discrete => "discrete",
        };
        self.open("gf", &[("type", kind.to_owned())]);
        if let Some([x0, y0, x1, y1]) = table.frame {
            for (tag, low, high) in [("xscale", x0, x1), ("yscale", y0, y1)] {
                self.empty(tag, &[("min", print_number(low)), ("max", print_number(high))]);
            }
        }
        self.text("xpts", &[], &numbers(&table.x));
        self.text("ypts", &[], &numbers(&table.y));
        self.close("gf");
    }

    fn container(&mut self, variable: &Variable) {
        match &variable.container {
            None => {}
            Some(Container::Queue) => self.empty("queue", &[]),
            Some(Container::Conveyor(conveyor)) => {
                let flags = [
                    ("discrete", conveyor.discrete),
                    ("batch_integrity", conveyor.batch_integrity),
                    ("one_at_a_time", conveyor.one_at_a_time),
                    ("exponential_leak", conveyor.exponential_leak),
                ];
                let pairs: Vec<_> = flags.iter().map(|(key, value)| (*key, value.to_string())).collect();
                self.open("conveyor", &pairs);
                self.expr("len", &conveyor.transit_time);
                let parts = [
                    ("capacity", &conveyor.capacity),
                    ("in_limit", &conveyor.inflow_limit),
                    ("sample", &conveyor.sample),
                    ("arrest", &conveyor.arrest),
                ];
                self.parts(&parts);
                self.close("conveyor");
            }
            Some(Container::Oven(oven)) => {
                let flags = [("batch_integrity", oven.batch_integrity), ("one_at_a_time", oven.one_at_a_time)];
                let pairs: Vec<_> = flags.iter().map(|(key, value)| (*key, value.to_string())).collect();
                self.open("oven", &pairs);
                self.expr("len", &oven.cook_time);
                let parts = [
                    ("capacity", &oven.capacity),
                    ("fill_time", &oven.fill_time),
                    ("clean_time", &oven.clean_time),
                    ("sample", &oven.sample),
                    ("arrest", &oven.arrest),
                ];
                self.parts(&parts);
                self.close("oven");
            }
        }
    }

    fn parts(&mut self, parts: &[(&str, &Option<Expr>)]) {
        for (tag, expr) in parts {
            if let Some(expr) = expr {
                self.expr(tag, expr);
            }
        }
    }

    fn macro_of(&mut self, each: &Macro) -> Result<(), ModelError> {
        if let Some(output) = each.outputs.first() {
            let reason = "XMILE's macros have one output";
            return Err(refuse(
                self.model,
                &Variable::default(),
                None,
                Span::default(),
                "macro output",
                output,
                reason,
            ));
        }
        self.open("macro", &[("name", label(&each.name))]);
        for parameter in &each.parameters {
            self.text("parm", &[], &print_name(parameter, Dialect::Xmile));
        }
        let main = |variable: &&Variable| canonical(&variable.name) == canonical(&each.name);
        let plain = each.variables.iter().filter(main).find_map(|variable| match variable.equations.as_slice() {
            [Equation { expr: Some(expr), initial: None, table: None, .. }]
                if !matches!(variable.kind, Kind::Stock { .. }) =>
            {
                Some(expr)
            }
            _ => None,
        });
        let Some(expr) = plain else {
            let reason = "its output must be a plain equation; let it name the stock or the lookup";
            return Err(refuse(self.model, &Variable::default(), None, Span::default(), "macro", &each.name, reason));
        };
        self.expr("eqn", expr);
        let rest: Vec<Variable> = each.variables.iter().filter(|variable| !main(variable)).cloned().collect();
        if !rest.is_empty() {
            self.variables(&rest)?;
        }
        self.close("macro");
        Ok(())
    }

    /// The author's drawing, or one of our own where there is none (or it shows modules, which are written flat).
    fn views(&mut self) {
        let display = self.model.display.trim();
        let wrapped = format!("<x xmlns=\"{NAMESPACE}\" xmlns:isee=\"{ISEE}\">{display}</x>");
        let sound = roxmltree::Document::parse(&wrapped).is_ok();
        if display.starts_with("<views") && !display.contains("<module") && sound {
            self.line(display);
            return;
        }
        let drawing = layout(self.model);
        let name = |place: usize| label(&self.model.variables[place].name);
        let spot = |place: usize| drawing.spots[place];
        let placed = |place: usize| {
            vec![("x", spot(place).x.to_string()), ("y", spot(place).y.to_string()), ("name", name(place))]
        };
        self.open("views", &[]);
        self.open("view", &[("view_type", "stock_flow".to_owned())]);
        for (place, variable) in self.model.variables.iter().enumerate() {
            match variable.kind {
                Kind::Stock { .. } => self.empty("stock", &placed(place)),
                Kind::Flow => {
                    let pipe = drawing.pipes.iter().find(|pipe| pipe.flow == place);
                    let (from, to) = pipe.map_or((None, None), |pipe| (pipe.from, pipe.to));
                    let x = |end: Option<usize>, aside: i64| end.map_or(spot(place).x + aside, |end| spot(end).x);
                    self.open("flow", &placed(place));
                    self.open("pts", &[]);
                    for x in [x(from, -80), x(to, 80)] {
                        self.empty("pt", &[("x", x.to_string()), ("y", spot(place).y.to_string())]);
                    }
                    self.close("pts");
                    self.close("flow");
                }
                _ => self.empty("aux", &placed(place)),
            }
        }
        let mut uid = 0;
        for (to, needed) in dependencies(self.model).into_iter().enumerate() {
            let stock = matches!(self.model.variables[to].kind, Kind::Stock { .. });
            for from in needed {
                if from != to && !(stock && self.model.variables[from].kind == Kind::Flow) {
                    uid += 1;
                    self.open("connector", &[("uid", uid.to_string()), ("angle", "0".to_owned())]);
                    for (tag, place) in [("from", from), ("to", to)] {
                        self.text(tag, &[], &print_name(&self.model.variables[place].name, Dialect::Xmile));
                    }
                    self.close("connector");
                }
            }
        }
        self.close("view");
        self.close("views");
    }
}
