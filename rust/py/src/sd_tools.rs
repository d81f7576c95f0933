//! Links, loops, units and files of a model, as plain values.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use sembada_core::sd::dialect::Dialect;
use sembada_core::sd::functions::table;
use sembada_core::sd::loops::{Link, graph};
use sembada_core::sd::model::{Kind, Model};
use sembada_core::sd::units::infer;

fn is_stock(model: &Model, place: usize) -> bool {
    model.variables.get(place).is_some_and(|variable| matches!(variable.kind, Kind::Stock { .. }))
}

/// The feedback loops: all up to a limit, or the shortest independent ones.
pub(crate) fn loops<'py>(
    py: Python<'py>,
    model: &Model,
    limit: usize,
    independent: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let (graph, found) = py.detach(|| {
        let graph = graph(model);
        let found = if independent { graph.independent() } else { graph.loops(limit) };
        (graph, found)
    });
    let name = |place: &usize| model.variables[*place].name.as_str();
    let mut all = Vec::with_capacity(found.loops.len());
    for each in &found.loops {
        let next = |at: usize| each.variables[(at + 1) % each.variables.len()];
        let delayed = (0..each.variables.len()).any(|at| {
            let found = graph.links.iter().find(|link| (link.from, link.to) == (each.variables[at], next(at)));
            found.is_some_and(|link| !link.now && !is_stock(model, link.to))
        });
        let row = PyDict::new(py);
        row.set_item("variables", each.variables.iter().map(name).collect::<Vec<_>>())?;
        row.set_item("signs", each.signs.iter().map(|sign| sign.symbol()).collect::<Vec<_>>())?;
        row.set_item("polarity", each.polarity.symbol())?;
        row.set_item("stocks", each.stocks.iter().map(name).collect::<Vec<_>>())?;
        row.set_item("delayed", delayed)?;
        all.push(row);
    }
    let out = PyDict::new(py);
    out.set_item("loops", all)?;
    out.set_item("complete", found.complete)?;
    Ok(out)
}

/// The links between variables.
pub(crate) fn links<'py>(py: Python<'py>, model: &Model) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let graph = py.detach(|| graph(model));
    let row = |link: &Link| {
        let row = PyDict::new(py);
        row.set_item("cause", &model.variables[link.from].name)?;
        row.set_item("effect", &model.variables[link.to].name)?;
        row.set_item("sign", link.sign.symbol())?;
        row.set_item("delayed", !link.now && !link.initial && !is_stock(model, link.to))?;
        row.set_item("initial", link.initial)?;
        Ok(row)
    };
    graph.links.iter().map(row).collect()
}

/// The functions of a dialect: name, signature, least and most arguments (none: no limit), kind.
pub(crate) fn functions(py: Python<'_>, dialect: Dialect) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let row = |entry: &table::Entry| {
        let (least, most) = entry.arity();
        let row = PyDict::new(py);
        row.set_item("name", entry.name)?;
        row.set_item("signature", entry.signature())?;
        row.set_item("least", least)?;
        row.set_item("most", most)?;
        row.set_item("kind", format!("{:?}", entry.lowering).to_lowercase())?;
        Ok(row)
    };
    table::names(dialect).filter_map(|name| table::find(dialect, name)).map(row).collect()
}

/// The units that equations imply for variables without one.
pub(crate) fn implied_units<'py>(py: Python<'py>, model: &Model) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    for each in py.detach(|| infer(model)) {
        out.set_item(each.variable, each.unit)?;
    }
    Ok(out)
}
