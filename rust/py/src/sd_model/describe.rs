//! A model to plain values of Python, in the shape of its specification.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use sembada_core::sd::dialect::Dialect;
use sembada_core::sd::graph::{Names, edges};
use sembada_core::sd::model::{Equation, Interpolation, Kind, Method, Model, Table, TableKind, TimeSpec, Variable};
use sembada_core::sd::read::spec;

type Dict<'py> = Bound<'py, PyDict>;

/// The name of a dialect.
pub(super) fn dialect(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Xmile => "xmile",
        Dialect::Vensim => "vensim",
    }
}

fn interpolation(interpolation: Interpolation) -> &'static str {
    match interpolation {
        Interpolation::Linear => "linear",
        Interpolation::Hold => "hold",
        Interpolation::Forward => "forward",
        Interpolation::Raw => "raw",
    }
}

fn table<'py>(py: Python<'py>, table: &Table) -> PyResult<Dict<'py>> {
    let out = PyDict::new(py);
    out.set_item("x", &table.x)?;
    out.set_item("y", &table.y)?;
    let kind = match table.kind {
        TableKind::Continuous => "continuous",
        TableKind::Extrapolate => "extrapolate",
        TableKind::Discrete => "discrete",
    };
    out.set_item("kind", kind)?;
    out.set_item("frame", table.frame.map(Vec::from))?;
    Ok(out)
}

fn time<'py>(py: Python<'py>, time: &TimeSpec) -> PyResult<Dict<'py>> {
    let out = PyDict::new(py);
    out.set_item("initial_time", time.initial_time)?;
    out.set_item("final_time", time.final_time)?;
    out.set_item("dt", time.dt)?;
    out.set_item("save_step", time.save_step)?;
    let method = match time.method {
        Method::Euler => "euler",
        Method::Rk2 => "rk2",
        Method::Rk4 => "rk4",
        Method::Rk45 => "rk45",
    };
    out.set_item("method", method)?;
    out.set_item("unit", &time.unit)?;
    Ok(out)
}

fn equation<'py>(py: Python<'py>, equation: &Equation, dialect: Dialect) -> PyResult<Dict<'py>> {
    let out = PyDict::new(py);
    out.set_item("subscripts", &equation.subscripts)?;
    out.set_item("except", &equation.except)?;
    let source = (!equation.source.is_empty()).then_some(&equation.source);
    out.set_item("source", source)?;
    out.set_item("initial", &equation.initial_source)?;
    // The points of Vensim's WITH LOOKUP stand in the source.
    let written = equation.table.as_ref().filter(|_| dialect == Dialect::Xmile || equation.source.is_empty());
    out.set_item("table", written.map(|one| table(py, one)).transpose()?)?;
    out.set_item("line", equation.line)?;
    Ok(out)
}

fn list<'py, T>(py: Python<'py>, all: &[T], make: impl Fn(&T) -> PyResult<Dict<'py>>) -> PyResult<Bound<'py, PyList>> {
    let items = all.iter().map(make).collect::<PyResult<Vec<_>>>()?;
    PyList::new(py, items)
}

fn variable<'py>(
    py: Python<'py>,
    one: &Variable,
    all: &[Variable],
    known: &Names,
    dialect: Dialect,
) -> PyResult<Dict<'py>> {
    let out = PyDict::new(py);
    out.set_item("name", &one.name)?;
    let none = Vec::new();
    let (kind, inflows, outflows) = match &one.kind {
        Kind::Stock { inflows, outflows, .. } => ("stock", inflows, outflows),
        Kind::Flow => ("flow", &none, &none),
        Kind::Auxiliary => ("auxiliary", &none, &none),
        Kind::Parameter => ("parameter", &none, &none),
        Kind::Lookup => ("lookup", &none, &none),
        Kind::Data => ("data", &none, &none),
    };
    out.set_item("kind", kind)?;
    out.set_item("dimensions", &one.dimensions)?;
    out.set_item("equations", list(py, &one.equations, |each| equation(py, each, dialect))?)?;
    out.set_item("inflows", inflows)?;
    out.set_item("outflows", outflows)?;
    out.set_item("unit", &one.unit)?;
    out.set_item("comment", &one.comment)?;
    out.set_item("non_negative", one.non_negative)?;
    out.set_item("limits", one.limits)?;
    out.set_item("group", &one.group)?;
    out.set_item("interpolation", interpolation(one.interpolation))?;
    let options = list(py, &spec::options(one, dialect), |option| {
        let out = PyDict::new(py);
        out.set_item("kind", &option.kind)?;
        let parts = PyDict::new(py);
        for (name, text) in &option.parts {
            parts.set_item(name, text)?;
        }
        out.set_item("parts", parts)?;
        out.set_item("switches", &option.switches)?;
        Ok(out)
    })?;
    out.set_item("options", options)?;
    out.set_item("line", one.equations.first().map_or(0, |first| first.line))?;
    let (mut needed, mut at_start) = (Vec::new(), Vec::new());
    for edge in edges(one, known, dialect) {
        let name = all[edge.target].name.as_str();
        if !needed.contains(&name) {
            needed.push(name);
        }
        if edge.start && !at_start.contains(&name) {
            at_start.push(name);
        }
    }
    out.set_item("dependencies", needed)?;
    out.set_item("initial_dependencies", at_start)?;
    Ok(out)
}

fn variables<'py>(py: Python<'py>, all: &[Variable], dialect: Dialect) -> PyResult<Bound<'py, PyList>> {
    let known = Names::new(all);
    list(py, all, |one| variable(py, one, all, &known, dialect))
}

/// The specification of a model.
pub(super) fn model<'py>(py: Python<'py>, model: &Model) -> PyResult<Dict<'py>> {
    let out = PyDict::new(py);
    out.set_item("name", &model.name)?;
    out.set_item("dialect", dialect(model.dialect))?;
    out.set_item("time", time(py, &model.time)?)?;
    let imports = list(py, &model.imports, |one| {
        let out = PyDict::new(py);
        out.set_item("resource", &one.resource)?;
        out.set_item("worksheet", &one.worksheet)?;
        out.set_item("horizontal", one.horizontal)?;
        out.set_item("line", one.line)?;
        Ok(out)
    })?;
    out.set_item("imports", imports)?;
    out.set_item("moving_end", model.moving_end)?;
    out.set_item("date", model.date)?;
    let dimensions = list(py, &model.dimensions, |one| {
        let out = PyDict::new(py);
        out.set_item("name", &one.name)?;
        out.set_item("elements", &one.elements)?;
        out.set_item("mappings", &one.mappings)?;
        Ok(out)
    })?;
    out.set_item("dimensions", dimensions)?;
    out.set_item("variables", variables(py, &model.variables, model.dialect)?)?;
    let macros = list(py, &model.macros, |one| {
        let out = PyDict::new(py);
        out.set_item("name", &one.name)?;
        out.set_item("parameters", &one.parameters)?;
        out.set_item("outputs", &one.outputs)?;
        out.set_item("variables", variables(py, &one.variables, model.dialect)?)?;
        Ok(out)
    })?;
    out.set_item("macros", macros)?;
    let data = list(py, &model.data, |one| {
        let out = PyDict::new(py);
        out.set_item("variable", &one.variable)?;
        out.set_item("element", &one.element)?;
        out.set_item("times", &one.times)?;
        out.set_item("values", &one.values)?;
        out.set_item("interpolation", interpolation(one.interpolation))?;
        Ok(out)
    })?;
    out.set_item("data", data)?;
    let units = list(py, &model.units, |one| {
        let out = PyDict::new(py);
        out.set_item("name", &one.name)?;
        out.set_item("equation", &one.equation)?;
        out.set_item("aliases", &one.aliases)?;
        Ok(out)
    })?;
    out.set_item("units", units)?;
    Ok(out)
}
