//! Names: unknown, doubled, called with the wrong number of arguments, and equations that need each other.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Severity};
use crate::sd::dialect::Dialect;
use crate::sd::error::{ModelError, Place, near};
use crate::sd::expr::{Expr, ExprKind, Span, Subscript};
use crate::sd::functions::table::{self, Entry, is_value};
use crate::sd::graph::{Edge, Names, circle, circles, edges};
use crate::sd::model::{Equation, Kind, Macro, Model, Variable, canonical};

/// Adds the findings on names.
pub(crate) fn check(model: &Model, out: &mut Vec<Finding>) {
    let scope = Scope::new(model, &model.variables, None);
    scope.variables(&model.variables, out);
    for each in &model.macros {
        Scope::new(model, &each.variables, Some(each)).variables(&each.variables, out);
    }
    duplicates(model, out);
    circular(model, out);
}

/// The place of a span in an equation.
pub(crate) fn place(
    model: &Model,
    variable: &Variable,
    equation: Option<&Equation>,
    source: &str,
    span: Span,
) -> Place {
    Place {
        path: model.path.clone(),
        line: equation.map_or(0, |equation| equation.line),
        variable: variable.name.clone(),
        source: source.to_owned(),
        span,
    }
}

fn unknown(
    what: &'static str,
    name: &str,
    near: Vec<String>,
    place: Place,
    code: &'static str,
    out: &mut Vec<Finding>,
) {
    let error = ModelError::Unknown { what, name: name.to_owned(), near, place: Box::new(place) };
    out.push(Finding { severity: Severity::Error, code, error });
}

/// What names mean at one place: in the model, or inside a macro.
struct Scope<'a> {
    model: &'a Model,
    /// Canonical name to place; parameters of a macro have none.
    variables: BTreeMap<String, Option<usize>>,
    macros: BTreeMap<String, &'a Macro>,
    subscripts: BTreeSet<String>,
    functions: BTreeMap<String, &'static Entry>,
    own: &'a [Variable],
}

impl<'a> Scope<'a> {
    fn new(model: &'a Model, own: &'a [Variable], inside: Option<&'a Macro>) -> Self {
        let mut variables = BTreeMap::new();
        for (place, variable) in own.iter().enumerate() {
            variables.entry(canonical(&variable.name)).or_insert(Some(place));
        }
        for parameter in inside.map_or(&[][..], |each| &each.parameters) {
            variables.entry(canonical(parameter)).or_insert(None);
        }
        let mut macros = BTreeMap::new();
        for each in &model.macros {
            macros.insert(canonical(&each.name), each);
            for output in &each.outputs {
                macros.insert(canonical(&format!("{}:{output}", each.name)), each);
            }
        }
        let mut subscripts = BTreeSet::new();
        for dimension in &model.dimensions {
            subscripts.insert(canonical(&dimension.name));
            for element in &dimension.elements {
                subscripts.insert(canonical(element));
                subscripts.insert(canonical(&format!("{}.{element}", dimension.name)));
            }
        }
        // The dialect's own meaning first; the other's functions run as well where their name is free.
        let mut functions = BTreeMap::new();
        let other = match model.dialect {
            Dialect::Xmile => Dialect::Vensim,
            Dialect::Vensim => Dialect::Xmile,
        };
        for dialect in [model.dialect, other] {
            for name in table::names(dialect) {
                if let Some(entry) = table::find(dialect, name) {
                    functions.entry(canonical(name)).or_insert(entry);
                }
            }
        }
        Self { model, variables, macros, subscripts, functions, own }
    }

    fn variables(&self, variables: &[Variable], out: &mut Vec<Finding>) {
        for variable in variables {
            for (index, equation) in variable.equations.iter().enumerate() {
                let initial = equation.initial_source.as_deref().unwrap_or(&equation.source);
                if let Some(expr) = &equation.expr {
                    self.expr(expr, variable, equation, &equation.source, out);
                }
                if let Some(expr) = &equation.initial {
                    self.expr(expr, variable, equation, initial, out);
                }
                if let Kind::Stock { rate, .. } = &variable.kind
                    && let Some(expr) = rate.get(index)
                {
                    self.expr(expr, variable, equation, &equation.source, out);
                }
                self.left_side(variable, equation, out);
            }
            self.dimensions(variable, out);
            self.flows(variable, out);
            self.presence(variable, out);
        }
    }

    /// Vensim: `name$` inside a macro is the variable of the model.
    fn is_outer(&self, key: &str) -> bool {
        let Some(outer) = key.strip_suffix('$') else { return false };
        is_value(outer) || self.model.variables.iter().any(|variable| canonical(&variable.name) == outer)
    }

    fn near_variables(&self, name: &str) -> Vec<String> {
        near(name, self.own.iter().map(|variable| variable.name.as_str()))
    }

    fn near_subscripts(&self, name: &str) -> Vec<String> {
        let dimensions = &self.model.dimensions;
        let all = dimensions
            .iter()
            .flat_map(|one| std::iter::once(one.name.as_str()).chain(one.elements.iter().map(String::as_str)));
        let mut out = near(name, all);
        out.dedup();
        out
    }

    fn is_subscript(&self, name: &str) -> bool {
        // Positions (`@1`) and numbers belong to dimensions without names; the compiler knows their range.
        name.starts_with('@') || name.chars().all(|c| c.is_ascii_digit()) || self.subscripts.contains(&canonical(name))
    }

    fn subscripts(
        &self,
        subscripts: &[Subscript],
        span: Span,
        variable: &Variable,
        equation: &Equation,
        source: &str,
        out: &mut Vec<Finding>,
    ) {
        for subscript in subscripts {
            let name = match subscript {
                Subscript::Name(name) | Subscript::Reduce(Some(name)) => name,
                Subscript::Reduce(None) | Subscript::Index(_) => continue,
            };
            let as_index = self.model.dialect == Dialect::Xmile && self.variables.contains_key(&canonical(name));
            if !self.is_subscript(name) && !as_index {
                let at = place(self.model, variable, Some(equation), source, span);
                unknown("subscript", name, self.near_subscripts(name), at, "unknown-subscript", out);
            }
        }
    }

    fn expr(&self, expr: &Expr, variable: &Variable, equation: &Equation, source: &str, out: &mut Vec<Finding>) {
        expr.walk(&mut |node| {
            let at = |span| place(self.model, variable, Some(equation), source, span);
            match &node.kind {
                ExprKind::Reference { name, subscripts } => {
                    let key = canonical(name);
                    // A dimension named in an expression is the number of the element (XMILE §3.7.1, Vensim).
                    let known = self.variables.contains_key(&key)
                        || is_value(&key)
                        || self.subscripts.contains(&key)
                        || self.is_outer(&key);
                    if !known {
                        unknown("variable", name, self.near_variables(name), at(node.span), "unknown-variable", out);
                    }
                    self.subscripts(subscripts, node.span, variable, equation, source, out);
                }
                ExprKind::Call { function, subscripts, arguments } => {
                    self.call(function, arguments, at(node.span), out);
                    self.subscripts(subscripts, node.span, variable, equation, source, out);
                }
                _ => {}
            }
            true
        });
    }

    fn call(&self, function: &str, arguments: &[Expr], at: Place, out: &mut Vec<Finding>) {
        let key = canonical(function);
        let count = arguments.len();
        let mut wrong = |at: Place, expected: String| {
            let plural = if count == 1 { "" } else { "s" };
            let message = format!("{function} has {count} argument{plural}: expected {expected}");
            out.push(Finding {
                severity: Severity::Error,
                code: "arguments",
                error: ModelError::Meaning { message, place: Box::new(at) },
            });
        };
        if let Some(each) = self.macros.get(&key) {
            if each.parameters.len() != count {
                wrong(at, format!("{} ({})", each.parameters.len(), each.parameters.join(", ")));
            }
        } else if self.variables.contains_key(&key) {
            if count != 1 {
                wrong(at, "one: a lookup is called with its argument".to_owned());
            }
        } else if let Some(entry) = self.functions.get(&key) {
            if !entry.accepts(count) {
                wrong(at, format!("{}, {}", entry.expected(), entry.signature()));
            }
        } else if key != ":" && !is_value(&key) {
            let lookups = self.own.iter().map(|variable| variable.name.as_str());
            let macros = self.model.macros.iter().map(|each| each.name.as_str());
            let mut all: Vec<&str> = table::names(self.model.dialect).collect();
            all.extend(macros.chain(lookups));
            unknown("function", function, near(function, all), at, "unknown-function", out);
        }
    }

    fn left_side(&self, variable: &Variable, equation: &Equation, out: &mut Vec<Finding>) {
        for name in equation.subscripts.iter().chain(equation.except.iter().flatten()) {
            if !self.is_subscript(name) {
                let at = place(self.model, variable, Some(equation), "", Span::default());
                unknown("subscript", name, self.near_subscripts(name), at, "unknown-subscript", out);
            }
        }
    }

    fn dimensions(&self, variable: &Variable, out: &mut Vec<Finding>) {
        for name in &variable.dimensions {
            let key = canonical(name);
            if !self.model.dimensions.iter().any(|dimension| canonical(&dimension.name) == key) {
                let at = place(self.model, variable, variable.equations.first(), "", Span::default());
                let near = near(name, self.model.dimensions.iter().map(|dimension| dimension.name.as_str()));
                unknown("dimension", name, near, at, "unknown-dimension", out);
            }
        }
    }

    fn flows(&self, variable: &Variable, out: &mut Vec<Finding>) {
        let Kind::Stock { inflows, outflows, .. } = &variable.kind else { return };
        for (what, names) in [("inflow", inflows), ("outflow", outflows)] {
            for name in names {
                if !self.variables.contains_key(&canonical(name)) {
                    let at = place(self.model, variable, variable.equations.first(), "", Span::default());
                    unknown(what, name, self.near_variables(name), at, "unknown-flow", out);
                }
            }
        }
    }

    /// Variables that need an equation and have none.
    fn presence(&self, variable: &Variable, out: &mut Vec<Finding>) {
        let driven = |name: &str| {
            let key = canonical(name);
            self.own.iter().any(|stock| match &stock.kind {
                Kind::Stock { inflows, outflows, .. } if stock.container.is_some() => {
                    inflows.iter().chain(outflows).any(|flow| canonical(flow) == key)
                }
                _ => false,
            })
        };
        let equation = variable.equations.first();
        let missing = match variable.kind {
            Kind::Data => false,
            Kind::Lookup => {
                variable.equations.iter().any(|one| one.expr.is_none() && one.table.is_none()) || equation.is_none()
            }
            Kind::Flow => {
                (equation.is_none() || variable.equations.iter().any(|one| one.expr.is_none()))
                    && !driven(&variable.name)
            }
            Kind::Stock { .. } | Kind::Auxiliary | Kind::Parameter => {
                equation.is_none() || variable.equations.iter().any(|one| one.expr.is_none())
            }
        };
        if missing {
            let expected = match variable.kind {
                Kind::Stock { .. } => "an initial value",
                Kind::Lookup => "points",
                _ => "an equation",
            };
            let message = format!("{:?} has no equation: expected {expected}", variable.name);
            let at = place(self.model, variable, equation, "", Span::default());
            out.push(Finding {
                severity: Severity::Error,
                code: "missing-equation",
                error: ModelError::Meaning { message, place: Box::new(at) },
            });
        }
    }
}

fn duplicates(model: &Model, out: &mut Vec<Finding>) {
    let mut add = |message: String, line: u32, variable: &str| {
        let place = Place { path: model.path.clone(), line, variable: variable.to_owned(), ..Place::default() };
        let error = ModelError::Structure { message, place: Box::new(place) };
        out.push(Finding { severity: Severity::Error, code: "duplicate", error });
    };
    let scopes = std::iter::once(&model.variables).chain(model.macros.iter().map(|each| &each.variables));
    for variables in scopes {
        let mut seen: BTreeMap<String, &Variable> = BTreeMap::new();
        for variable in variables {
            let line = variable.equations.first().map_or(0, |one| one.line);
            if let Some(first) = seen.insert(canonical(&variable.name), variable) {
                let message = format!(
                    "{:?} is defined twice{}: expected one definition (case, blanks and underscores do not tell names apart)",
                    variable.name,
                    if first.name == variable.name { String::new() } else { format!(", first as {:?}", first.name) }
                );
                add(message, line, &variable.name);
            }
            let mut parts: BTreeSet<Vec<String>> = BTreeSet::new();
            for equation in &variable.equations {
                let key = equation.subscripts.iter().map(|name| canonical(name)).collect();
                if !parts.insert(key) && equation.except.is_empty() {
                    let written = equation.subscripts.join(", ");
                    let what =
                        if written.is_empty() { "its equation".to_owned() } else { format!("the part [{written}]") };
                    add(
                        format!("{:?} defines {what} twice: expected one equation", variable.name),
                        equation.line,
                        &variable.name,
                    );
                }
            }
        }
    }
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for dimension in &model.dimensions {
        if let Some(first) = seen.insert(canonical(&dimension.name), &dimension.name) {
            add(
                format!("dimension {:?} is defined twice, first as {first:?}: expected one definition", dimension.name),
                0,
                "",
            );
        }
        for (to, names) in &dimension.mappings {
            if names.len() != dimension.elements.len() {
                add(
                    format!(
                        "dimension {:?} is mapped onto {to:?} by {} names: expected {}, one an element",
                        dimension.name,
                        names.len(),
                        dimension.elements.len()
                    ),
                    0,
                    "",
                );
            }
        }
        let mut elements = BTreeSet::new();
        for element in &dimension.elements {
            if !elements.insert(canonical(element)) {
                add(
                    format!(
                        "dimension {:?} has the element {element:?} twice: expected different elements",
                        dimension.name
                    ),
                    0,
                    "",
                );
            }
        }
    }
}

/// Circles among variables in the same instant, and among values at the start.
///
/// Variables with subscripts are left to the compiler, which knows their elements: `a[t2] = a[t1] + 1` is no circle.
fn circular(model: &Model, out: &mut Vec<Finding>) {
    let scopes =
        std::iter::once((&model.variables, None)).chain(model.macros.iter().map(|each| (&each.variables, Some(each))));
    for (variables, _inside) in scopes {
        let known = Names::new(variables);
        let all: Vec<Vec<Edge>> = variables.iter().map(|variable| edges(variable, &known, model.dialect)).collect();
        let scalar = |place: usize| {
            let variable = &variables[place];
            variable.dimensions.is_empty() && variable.equations.iter().all(|equation| equation.subscripts.is_empty())
        };
        let graph = |needed: &dyn Fn(&Edge) -> bool| -> Vec<Vec<usize>> {
            all.iter()
                .enumerate()
                .map(|(from, edges)| {
                    let kept = edges.iter().filter(|edge| needed(edge) && scalar(from) && scalar(edge.target));
                    kept.map(|edge| edge.target).collect()
                })
                .collect()
        };
        let now = graph(&|edge| edge.now);
        let found = circles(&now);
        for part in &found {
            report(model, variables, &all, &circle(&now, part), "circular", out);
        }
        let start = graph(&|edge| edge.start);
        for part in circles(&start) {
            // A circle in every instant is also one at the start: once is enough.
            if !found.iter().any(|other| other.iter().any(|node| part.contains(node))) {
                report(model, variables, &all, &circle(&start, &part), "circular-start", out);
            }
        }
    }
}

fn report(
    model: &Model,
    variables: &[Variable],
    all: &[Vec<Edge>],
    path: &[usize],
    code: &'static str,
    out: &mut Vec<Finding>,
) {
    let (Some(&first), Some(&second)) = (path.first(), path.get(1)) else { return };
    let edge = all[first].iter().find(|edge| edge.target == second);
    let variable = &variables[first];
    let equation = edge.and_then(|edge| variable.equations.get(edge.equation));
    let source = equation.map_or("", |equation| equation.source.as_str());
    let at = place(model, variable, equation, source, edge.map_or_else(Span::default, |edge| edge.span));
    let circle = path.iter().map(|&place| variables[place].name.clone()).collect();
    out.push(Finding { severity: Severity::Error, code, error: ModelError::Circular { circle, place: Box::new(at) } });
}
