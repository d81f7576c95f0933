//! The dimension check: every equation of a model against the units that its author stated.
//!
//! A unit that nobody stated is a hole. In the check holes are silent: a difference that holds a hole is no finding. For suggestions the same
//! walk solves for the holes (Kennedy 1996). Numbers have no unit: 0 fits everywhere and an equation that is only numbers takes the unit of its
//! variable, as in Vensim; another number beside a quantity with a unit is a note.

use std::collections::{BTreeMap, BTreeSet};

use super::algebra::{Base, Unit};
use super::spelling::Registry;
use crate::sd::check::{Finding, Severity};
use crate::sd::error::{ModelError, Place};
use crate::sd::expr::{Expr, Span};
use crate::sd::model::{Container, Equation, Kind, Model, Variable, canonical, is_control};

/// A unit that the equations of a model imply for a variable without one.
#[derive(Clone, Debug, PartialEq)]
pub struct Inferred {
    /// The variable.
    pub variable: String,
    /// The unit as the model spells its bases.
    pub unit: String,
}

/// More variables than this without a unit are named in one note together.
const NAMED: usize = 5;

/// Checks the units of all equations; every finding, in the order of the model.
///
/// Codes: `units` (two sides that differ), `units-number` (a bare number beside a unit), `units-lookup` (a lookup of something with a unit),
/// `units-syntax` (a unit that cannot be read), `units-missing` (variables without a unit, with the unit that their uses imply).
pub fn check(model: &Model) -> Vec<Finding> {
    let registry = Registry::new(model);
    let mut walk = Walk::new(model, &registry, false);
    let mut findings = std::mem::take(&mut walk.findings);
    let stated = walk.stated;
    if stated == 0 {
        let message = "no variable has a unit, so units were not checked".to_owned();
        if !model.variables.is_empty() && findings.is_empty() {
            findings.push(finding(Severity::Note, "units-missing", message, Place::default()));
        }
        return findings;
    }
    walk.model();
    findings.append(&mut walk.findings);
    findings.extend(missing(model, &walk, &infer(model)));
    findings
}

/// The units that equations imply for variables without one, in the order of the model. What the stated units contradict is left out.
pub fn infer(model: &Model) -> Vec<Inferred> {
    let registry = Registry::new(model);
    let mut walk = Walk::new(model, &registry, true);
    if walk.stated == 0 {
        return Vec::new();
    }
    walk.model();
    let units: Vec<Unit> =
        model.variables.iter().map(|v| walk.resolve(&walk.variable_unit(&canonical(&v.name)))).collect();
    let open = |variable: &Variable| {
        matches!(registry.read(&variable.unit), Ok(None)) && !is_control(&canonical(&variable.name))
    };
    let pairs = model.variables.iter().zip(&units);
    pairs
        .filter(|(variable, unit)| open(variable) && unit.is_known())
        .map(|(variable, unit)| Inferred { variable: variable.name.clone(), unit: registry.print(unit) })
        .collect()
}

fn finding(severity: Severity, code: &'static str, message: String, place: Place) -> Finding {
    Finding { severity, code, error: ModelError::Meaning { message, place: Box::new(place) } }
}

fn missing(model: &Model, walk: &Walk<'_>, inferred: &[Inferred]) -> Vec<Finding> {
    let open = |variable: &&Variable| {
        matches!(walk.registry.read(&variable.unit), Ok(None)) && !is_control(&canonical(&variable.name))
    };
    let without: Vec<&Variable> = model.variables.iter().filter(open).collect();
    let note = |message: String, place: Place| finding(Severity::Note, "units-missing", message, place);
    let mut out = Vec::new();
    if walk.time_open {
        let message =
            "the model does not state its unit of time, so flows were not compared with their stocks".to_owned();
        out.push(note(message, Place::default()));
    }
    if without.len() > NAMED && without.len() * 2 > model.variables.len() {
        let names: Vec<String> = without.iter().take(NAMED).map(|variable| format!("{:?}", variable.name)).collect();
        let (count, all) = (without.len(), model.variables.len());
        let message = format!("{count} of {all} variables have no unit and were passed over: {} …", names.join(", "));
        out.push(note(message, Place::default()));
        return out;
    }
    for variable in without {
        let line = variable.equations.first().map_or(0, |equation| equation.line);
        let place = Place { path: model.path.clone(), line, variable: variable.name.clone(), ..Place::default() };
        let message = match inferred.iter().find(|inferred| inferred.variable == variable.name) {
            Some(Inferred { unit, .. }) => {
                format!("{:?} has no unit; the equations around it imply {unit}", variable.name)
            }
            None => format!("{:?} has no unit", variable.name),
        };
        out.push(note(message, place));
    }
    out
}

/// The unit of an expression.
#[derive(Clone, Debug)]
pub(super) struct Dim {
    pub(super) unit: Unit,
    /// Made of numbers only: the number, NaN when it was not worked out.
    pub(super) literal: Option<f64>,
}

impl Dim {
    pub(super) fn of(unit: Unit) -> Self {
        Self { unit, literal: None }
    }

    pub(super) fn number(value: f64) -> Self {
        Self { unit: Unit::one(), literal: Some(value) }
    }
}

/// The walk through a model.
pub(super) struct Walk<'m> {
    pub(super) model: &'m Model,
    registry: &'m Registry,
    /// Solve for holes instead of reporting.
    solving: bool,
    /// Canonical name → unit; of macros: of the macro that is being read.
    pub(super) units: BTreeMap<String, Unit>,
    pub(super) local: BTreeMap<String, Unit>,
    pub(super) lookups: BTreeSet<String>,
    pub(super) elements: BTreeSet<String>,
    pub(super) time: Unit,
    time_open: bool,
    stated: usize,
    holes: u32,
    solved: BTreeMap<u32, Unit>,
    findings: Vec<Finding>,
    pub(super) place: Place,
}

impl<'m> Walk<'m> {
    fn new(model: &'m Model, registry: &'m Registry, solving: bool) -> Self {
        let mut walk = Self {
            model,
            registry,
            solving,
            units: BTreeMap::new(),
            local: BTreeMap::new(),
            lookups: BTreeSet::new(),
            elements: BTreeSet::new(),
            time: Unit::one(),
            time_open: false,
            stated: 0,
            holes: 0,
            solved: BTreeMap::new(),
            findings: Vec::new(),
            place: Place::default(),
        };
        walk.time = if let Ok(Some(unit)) = registry.read(&model.time.unit) {
            unit
        } else {
            walk.time_open = true;
            walk.hole()
        };
        for variable in &model.variables {
            let unit = walk.stated_unit(variable);
            walk.units.insert(canonical(&variable.name), unit);
            let called = |equation: &Equation| equation.table.is_some() && equation.expr.is_none();
            if variable.kind == Kind::Lookup || variable.equations.iter().any(called) {
                walk.lookups.insert(canonical(&variable.name));
            }
        }
        for dimension in &model.dimensions {
            let names = std::iter::once(&dimension.name).chain(&dimension.elements);
            walk.elements.extend(names.map(|name| canonical(name)));
        }
        walk
    }

    pub(super) fn hole(&mut self) -> Unit {
        self.holes += 1;
        Unit::base(Base::Hole(self.holes))
    }

    /// The unit that a variable states, or a hole.
    fn stated_unit(&mut self, variable: &Variable) -> Unit {
        match self.registry.read(&variable.unit) {
            Ok(Some(unit)) => {
                self.stated += 1;
                unit
            }
            // The variables of Vensim that control a run are times.
            Ok(None) if is_control(&canonical(&variable.name)) => self.time.clone(),
            Ok(None) => self.hole(),
            Err(error) => {
                let line = variable.equations.first().map_or(0, |equation| equation.line);
                let (path, name) = (self.model.path.clone(), variable.name.clone());
                let place = Place { path, line, variable: name, ..Place::default() };
                self.findings.push(finding(Severity::Warning, "units-syntax", error.to_string(), place));
                self.hole()
            }
        }
    }

    pub(super) fn variable_unit(&self, name: &str) -> Unit {
        self.local.get(name).or_else(|| self.units.get(name)).cloned().unwrap_or_default()
    }

    /// The unit with all solved holes filled in.
    fn resolve(&self, unit: &Unit) -> Unit {
        if self.solved.is_empty() || unit.is_known() {
            return unit.clone();
        }
        let mut out = Unit::one();
        for (base, exponent) in unit.factors() {
            let inner = match base {
                Base::Hole(hole) => self.solved.get(hole).map(|unit| self.resolve(unit)),
                Base::Named(_) => None,
            };
            out = out.times_power(&inner.unwrap_or_else(|| Unit::base(base.clone())), exponent);
        }
        out
    }

    /// Whether two units can be one. Holes can be anything; when solving, they become what they must be.
    pub(super) fn agree(&mut self, a: &Unit, b: &Unit) -> bool {
        let difference = self.resolve(&a.over(b));
        if difference.is_known() {
            return difference.is_one();
        }
        if self.solving {
            let hole = difference.factors().find_map(|(base, exponent)| match base {
                Base::Hole(hole) => Some((*hole, exponent)),
                Base::Named(_) => None,
            });
            if let Some((hole, exponent)) = hole {
                let rest = difference.times_power(&Unit::base(Base::Hole(hole)), exponent.negated());
                if let Some(inverse) = exponent.inverse() {
                    self.solved.insert(hole, rest.power(inverse.negated()));
                }
            }
        }
        true
    }

    pub(super) fn report(&mut self, severity: Severity, code: &'static str, span: Span, message: String) {
        if !self.solving {
            let place = Place { span, ..self.place.clone() };
            self.findings.push(finding(severity, code, message, place));
        }
    }

    pub(super) fn show(&self, unit: &Unit) -> String {
        self.registry.print(unit)
    }

    fn model(&mut self) {
        for variable in &self.model.variables {
            self.variable(variable);
        }
        for each in &self.model.macros {
            let mut local = BTreeMap::new();
            for parameter in &each.parameters {
                local.insert(canonical(parameter), self.hole());
            }
            for variable in &each.variables {
                let name = canonical(&variable.name);
                let known = local.contains_key(&name);
                if !known {
                    let unit = self.stated_unit(variable);
                    local.insert(name, unit);
                }
            }
            self.local = local;
            for variable in &each.variables {
                self.variable(variable);
            }
            self.local = BTreeMap::new();
        }
    }

    fn variable(&mut self, variable: &Variable) {
        let own = self.variable_unit(&canonical(&variable.name));
        for (index, equation) in variable.equations.iter().enumerate() {
            let (path, name) = (self.model.path.clone(), variable.name.clone());
            let source = equation.source.clone();
            self.place = Place { path, line: equation.line, variable: name, source, span: Span::default() };
            if let Some(expr) = &equation.expr {
                let dim = self.expr(expr);
                if equation.table.is_some() {
                    self.looked_up(&dim, &variable.name, expr);
                } else {
                    let what =
                        if matches!(variable.kind, Kind::Stock { .. }) { "its initial value" } else { "its equation" };
                    self.compare(&own, &dim, expr.span, &format!("{:?}", variable.name), what);
                }
            }
            if let Kind::Stock { rate, .. } = &variable.kind
                && let Some(rate) = rate.get(index)
            {
                let dim = self.expr(rate);
                if dim.literal.is_none() {
                    let needed = own.over(&self.time);
                    self.flow_of(&own, &needed, &dim.unit, &variable.name, "the net flow", rate.span);
                }
            }
            if let Some(initial) = &equation.initial {
                if let Some(source) = &equation.initial_source {
                    self.place.source.clone_from(source);
                }
                let dim = self.expr(initial);
                self.compare(&own, &dim, initial.span, &format!("{:?}", variable.name), "its initial value");
            }
        }
        if let Kind::Stock { inflows, outflows, .. } = &variable.kind {
            let line = variable.equations.first().map_or(0, |equation| equation.line);
            let (path, name) = (self.model.path.clone(), variable.name.clone());
            self.place = Place { path, line, variable: name, ..Place::default() };
            for (flows, way) in [(inflows, "inflow"), (outflows, "outflow")] {
                for flow in flows {
                    let unit = self.variable_unit(&canonical(flow));
                    let known = self.units.contains_key(&canonical(flow)) || self.local.contains_key(&canonical(flow));
                    if known {
                        let needed = own.over(&self.time);
                        self.flow_of(
                            &own,
                            &needed,
                            &unit,
                            &variable.name,
                            &format!("its {way} {flow:?}"),
                            Span::default(),
                        );
                    }
                }
            }
            self.container(variable, &own);
        }
    }

    fn flow_of(&mut self, stock: &Unit, needed: &Unit, flow: &Unit, name: &str, what: &str, span: Span) {
        if !self.agree(needed, flow) {
            let (stock, needed, flow) = (self.show(stock), self.show(needed), self.show(flow));
            let message = format!("{what} is in {flow}; the stock {name:?} is in {stock} and needs {needed}");
            self.report(Severity::Warning, "units", span, message);
        }
    }

    /// Transit and cook times are times; what a conveyor holds is counted as the stock is.
    fn container(&mut self, variable: &Variable, own: &Unit) {
        let name = &variable.name;
        let mut parts: Vec<(&Expr, Unit, &str)> = Vec::new();
        match &variable.container {
            Some(Container::Conveyor(conveyor)) => {
                parts.push((&conveyor.transit_time, self.time.clone(), "transit time"));
                parts.extend(conveyor.capacity.as_ref().map(|expr| (expr, own.clone(), "capacity")));
                parts.extend(conveyor.inflow_limit.as_ref().map(|expr| (expr, own.over(&self.time), "inflow limit")));
            }
            Some(Container::Oven(oven)) => {
                parts.push((&oven.cook_time, self.time.clone(), "cook time"));
                parts.extend(oven.capacity.as_ref().map(|expr| (expr, own.clone(), "capacity")));
                parts.extend(oven.fill_time.as_ref().map(|expr| (expr, self.time.clone(), "fill time")));
                parts.extend(oven.clean_time.as_ref().map(|expr| (expr, self.time.clone(), "clean time")));
            }
            Some(Container::Queue) | None => {}
        }
        for (expr, needed, what) in parts {
            self.place.source.clear();
            let dim = self.expr(expr);
            if dim.literal.is_none() && !self.agree(&needed, &dim.unit) {
                let (found, needed) = (self.show(&dim.unit), self.show(&needed));
                let message = format!("the {what} of {name:?} is in {found} and should be in {needed}");
                self.report(Severity::Warning, "units", Span::default(), message);
            }
        }
    }

    fn compare(&mut self, stated: &Unit, dim: &Dim, span: Span, name: &str, what: &str) {
        if dim.literal.is_none() && !self.agree(stated, &dim.unit) {
            let (left, right) = (self.show(stated), self.show(&dim.unit));
            self.report(Severity::Warning, "units", span, format!("{name} is in {left}; {what} gives {right}"));
        }
    }

    pub(super) fn looked_up(&mut self, dim: &Dim, name: &str, at: &Expr) {
        // A series over time is looked up by time.
        let plain = dim.unit.is_one() || dim.unit == self.time || !dim.unit.is_known();
        if dim.literal.is_none() && !plain {
            let unit = self.show(&dim.unit);
            let message = format!(
                "the lookup {name:?} is read at something in {unit}: its points hold for that unit only; divide by a reference value in {unit}"
            );
            self.report(Severity::Note, "units-lookup", at.span, message);
        }
    }
}
