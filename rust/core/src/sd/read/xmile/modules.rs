//! Models inside models: flattened to names such as `module.variable` (XMILE §2.6, §4.8).

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::Node;

use super::{Reader, attribute, behavior_of, child, children, file, name_of};
use crate::sd::dialect::Dialect;
use crate::sd::error::ModelError;
use crate::sd::expr::{Expr, ExprKind, NameUse, Span, Subscript, parse, print};
use crate::sd::model::{Container, Equation, Kind, Model, Variable, canonical};

/// How deep modules may stand in modules.
const DEEPEST: usize = 32;

/// How many modules a model may have in all: nesting multiplies them.
const MOST: usize = 10_000;

/// How many variables a model may have in all.
const VARIABLES: usize = 500_000;

/// A `<model>` as it stands in the file.
struct Part {
    variables: Vec<Variable>,
    modules: Vec<Module>,
    names: BTreeSet<String>,
}

/// A use of a model, and what its inputs are connected to.
struct Module {
    name: String,
    model: String,
    connections: Vec<(String, String)>,
    line: u32,
}

impl Reader {
    /// Reads all models and puts the main one, flattened, into `model`.
    pub(super) fn models(&mut self, root: Node<'_, '_>, model: &mut Model) -> Result<(), ModelError> {
        let mut parts: BTreeMap<String, Part> = BTreeMap::new();
        let mut main = None;
        for node in children(root, "model") {
            let name = canonical(&name_of(attribute(node, "name").unwrap_or("")));
            let part = self.part(node)?;
            if main.is_none() || (name.is_empty() && main.as_ref().is_some_and(|other: &String| !other.is_empty())) {
                main = Some(name.clone());
            }
            if parts.insert(name.clone(), part).is_some() {
                return Err(file(format!("model {name:?} stands in the file twice: expected one"), self.line(node)));
            }
        }
        let Some(main) = main else { return Ok(()) };
        let mut used = 0;
        let mut flat = Flat { parts: &parts, out: Vec::new(), used: &mut used, remarks: Vec::new(), root: &main };
        flat.add(&main, "", &[], 0)?;
        model.variables = flat.out;
        self.remarks.extend(flat.remarks);
        Ok(())
    }

    fn part(&mut self, node: Node<'_, '_>) -> Result<Part, ModelError> {
        let outer = self.defaults;
        if let Some(behavior) = child(node, "behavior") {
            self.defaults = behavior_of(behavior, outer);
        }
        let mut variables = Vec::new();
        let mut modules = Vec::new();
        // Old isee files have the variables directly in the model.
        for list in children(node, "variables").chain([node]) {
            self.variables(list, &mut variables)?;
            for inner in children(list, "module") {
                let name = name_of(attribute(inner, "name").unwrap_or(""));
                if attribute(inner, "resource").is_some_and(|text| !text.is_empty()) {
                    return Err(self.refuse(
                        inner,
                        "module",
                        &name,
                        "its model stands in another file: put it into this one",
                    ));
                }
                let connections = children(inner, "connect")
                    .filter_map(|one| attribute(one, "to").zip(attribute(one, "from")))
                    .map(|(to, from)| (to.to_owned(), from.to_owned()))
                    .collect();
                let model = attribute(inner, "model").map_or_else(|| name.clone(), name_of);
                modules.push(Module { name, model: canonical(&model), connections, line: self.line(inner) });
            }
        }
        self.defaults = outer;
        let names = variables.iter().map(|one| canonical(&one.name)).collect();
        Ok(Part { variables, modules, names })
    }
}

struct Flat<'a> {
    parts: &'a BTreeMap<String, Part>,
    out: Vec<Variable>,
    used: &'a mut usize,
    remarks: Vec<(u32, String)>,
    root: &'a str,
}

impl Flat<'_> {
    /// Adds a model under a prefix (empty, or ending with a dot). `inputs`: canonical name inside to full name outside.
    fn add(&mut self, name: &str, prefix: &str, inputs: &[(String, String)], depth: usize) -> Result<(), ModelError> {
        let parts = self.parts;
        let Some(part) = parts.get(name) else { return Ok(()) };
        *self.used += 1;
        if depth > DEEPEST || *self.used > MOST || self.out.len() > VARIABLES {
            return Err(file(
                format!(
                    "module {:?} contains itself, or modules multiply beyond what can be run",
                    prefix.trim_end_matches('.')
                ),
                0,
            ));
        }
        for variable in &part.variables {
            let mut variable = variable.clone();
            let inside = canonical(&variable.name);
            if let Some((_, source)) = inputs.iter().find(|(to, _)| *to == inside) {
                connect(&mut variable, source);
            } else {
                self.rename(&mut variable, part, prefix);
            }
            variable.name = format!("{prefix}{}", variable.name);
            if variable.group.is_empty() {
                prefix.trim_end_matches('.').clone_into(&mut variable.group);
            }
            self.out.push(variable);
        }
        for module in &part.modules {
            let Some(target) = parts.get(&module.model) else {
                return Err(file(
                    format!("module {:?} has no model in the file: expected <model name=…>", module.name),
                    module.line,
                ));
            };
            let own = canonical(&module.name);
            let mut inner = Vec::new();
            for (to, from) in &module.connections {
                let wanted = canonical(to);
                let inside = wanted.strip_prefix(&format!("{own}.")).unwrap_or(&wanted).to_owned();
                let source =
                    self.resolve(from, part, prefix).unwrap_or_else(|| from.trim_start_matches('.').to_owned());
                if target.names.contains(&inside) {
                    inner.push((inside, source));
                } else {
                    let remark = format!(
                        "module {:?} has no variable {to:?} to connect {from:?} to: the connection is left out",
                        module.name
                    );
                    self.remarks.push((module.line, remark));
                }
            }
            self.add(&module.model, &format!("{prefix}{}.", module.name), &inner, depth + 1)?;
        }
        Ok(())
    }

    /// The full name of what a name means inside a model, `None` when it is not a variable there.
    fn resolve(&self, name: &str, part: &Part, prefix: &str) -> Option<String> {
        let key = canonical(name);
        if let Some(absolute) = key.strip_prefix('.') {
            let root = self.parts.get(self.root)?;
            return if root.names.contains(absolute) {
                Some(absolute.to_owned())
            } else {
                self.resolve(absolute, part, prefix)
            };
        }
        if part.names.contains(&key) {
            return Some(format!("{prefix}{}", name.trim()));
        }
        let (first, rest) = key.split_once('.')?;
        let module = part.modules.iter().find(|module| canonical(&module.name) == first);
        if let Some(module) = module {
            let inner = self.parts.get(&module.model)?;
            return self.resolve(rest, inner, &format!("{prefix}{}.", module.name));
        }
        // From the top: the path of modules is written in full.
        let root = self.parts.get(self.root)?;
        let top = root.modules.iter().any(|module| canonical(&module.name) == first);
        (top && !prefix.is_empty()).then(|| key.clone())
    }

    fn rename(&self, variable: &mut Variable, part: &Part, prefix: &str) {
        if prefix.is_empty() && part.modules.is_empty() {
            return;
        }
        let mut change = |name: &mut String, kind: NameUse| {
            if kind != NameUse::Subscript
                && let Some(full) = self.resolve(name, part, prefix)
            {
                *name = full;
            }
        };
        let mut each = |expr: &mut Expr| expr.rename(&mut change);
        for equation in &mut variable.equations {
            if let Some(expr) = &mut equation.expr {
                each(expr);
                equation.source = rewritten(expr);
            }
            if let Some(initial) = &mut equation.initial {
                each(initial);
                equation.initial_source = Some(rewritten(initial));
            }
        }
        match &mut variable.container {
            Some(Container::Conveyor(conveyor)) => {
                each(&mut conveyor.transit_time);
                let rest =
                    [&mut conveyor.capacity, &mut conveyor.inflow_limit, &mut conveyor.sample, &mut conveyor.arrest];
                rest.into_iter().flatten().for_each(&mut each);
            }
            Some(Container::Oven(oven)) => {
                each(&mut oven.cook_time);
                let rest = [&mut oven.capacity, &mut oven.fill_time, &mut oven.sample, &mut oven.arrest];
                rest.into_iter().flatten().for_each(&mut each);
            }
            Some(Container::Queue) | None => {}
        }
        if let Some(leak) = &mut variable.leak {
            each(&mut leak.fraction);
        }
        if let Some(profile) = variable.spread.as_mut().and_then(|spread| spread.profile.as_mut()) {
            each(profile);
        }
        if let Kind::Stock { inflows, outflows, .. } = &mut variable.kind {
            for name in inflows.iter_mut().chain(outflows) {
                if let Some(full) = self.resolve(name, part, prefix) {
                    *name = full;
                }
            }
        }
    }
}

/// The text of an expression with full names; its spans then point into that text.
fn rewritten(expr: &mut Expr) -> String {
    let text = print(expr, Dialect::Xmile);
    if let Ok(again) = parse(&text, Dialect::Xmile) {
        *expr = again;
    }
    text
}

/// Makes an input of a module the same as the variable outside.
fn connect(variable: &mut Variable, source: &str) {
    let subscripts = variable.dimensions.iter().cloned().map(Subscript::Name).collect();
    let line = variable.equations.first().map_or(0, |one| one.line);
    let expr = Expr { span: Span::default(), kind: ExprKind::Reference { name: source.to_owned(), subscripts } };
    let equation = Equation {
        subscripts: variable.dimensions.clone(),
        expr: Some(expr),
        source: crate::sd::expr::print::print_name(source, Dialect::Xmile),
        line,
        ..Equation::default()
    };
    variable.kind = Kind::Auxiliary;
    variable.equations = vec![equation];
    variable.container = None;
}
