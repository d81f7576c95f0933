//! Plain values of Python to the specification of a model.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyString};
use sembada_core::sd::dialect::Dialect;
use sembada_core::sd::expr::print::print_number;
use sembada_core::sd::model::{Dimension, Interpolation, Method, Series, Table, TableKind, TimeSpec, UnitDefinition};
use sembada_core::sd::read::spec::{Declared, EquationSpec, MacroSpec, ModelSpec, OptionSpec, VariableSpec};

use crate::errors::{Class, Value, error};

type Dict<'a, 'py> = &'a Bound<'py, PyDict>;

fn bad(what: &str, value: &str, expected: &str) -> PyErr {
    let message = format!("{what} is {value}: expected {expected}");
    error(Class::SpecificationError, message, vec![("value", Value::Text(value.to_owned()))])
}

/// The value of a key that is there and not `None`.
fn get<'py>(from: Dict<'_, 'py>, key: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    Ok(from.get_item(key)?.filter(|value| !value.is_none()))
}

fn extract<T: for<'a> FromPyObject<'a, 'a, Error: Into<PyErr>>>(
    from: Dict<'_, '_>,
    key: &str,
    expected: &str,
) -> PyResult<Option<T>> {
    let Some(value) = get(from, key)? else { return Ok(None) };
    value.extract().map(Some).map_err(|_| bad(&format!("{key:?}"), &value.to_string(), expected))
}

fn text(from: Dict<'_, '_>, key: &str) -> PyResult<String> {
    Ok(extract(from, key, "a text")?.unwrap_or_default())
}

fn texts(from: Dict<'_, '_>, key: &str) -> PyResult<Vec<String>> {
    Ok(extract(from, key, "a list of texts")?.unwrap_or_default())
}

fn flag(from: Dict<'_, '_>, key: &str) -> PyResult<bool> {
    Ok(extract(from, key, "True or False")?.unwrap_or_default())
}

fn numbers(from: Dict<'_, '_>, key: &str) -> PyResult<Vec<f64>> {
    Ok(extract(from, key, "a list of numbers")?.unwrap_or_default())
}

fn each<T>(from: Dict<'_, '_>, key: &str, make: impl Fn(Dict<'_, '_>) -> PyResult<T>) -> PyResult<Vec<T>> {
    let Some(list) = get(from, key)? else { return Ok(Vec::new()) };
    let mut out = Vec::new();
    for item in list.try_iter()? {
        let item = item?;
        let item =
            item.cast::<PyDict>().map_err(|_| bad(&format!("an item of {key:?}"), &item.to_string(), "a dict"))?;
        out.push(make(item)?);
    }
    Ok(out)
}

/// A right side: text, or a number.
fn source(from: Dict<'_, '_>, key: &str) -> PyResult<Option<String>> {
    let Some(value) = get(from, key)? else { return Ok(None) };
    if value.is_instance_of::<PyString>() {
        return value.extract().map(Some);
    }
    if value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>() {
        let number: f64 = value.extract()?;
        if number.is_finite() {
            return Ok(Some(print_number(number)));
        }
    }
    Err(bad(&format!("{key:?}"), &value.to_string(), "an equation or a finite number"))
}

/// How a series answers between its times.
pub(super) fn interpolation(name: &str) -> PyResult<Interpolation> {
    Ok(match name {
        "linear" => Interpolation::Linear,
        "hold" => Interpolation::Hold,
        "forward" => Interpolation::Forward,
        "raw" => Interpolation::Raw,
        other => return Err(bad("interpolation", &format!("{other:?}"), "'linear', 'hold', 'forward' or 'raw'")),
    })
}

fn table(from: Dict<'_, '_>) -> PyResult<Option<Table>> {
    let Some(value) = get(from, "table")? else { return Ok(None) };
    let value =
        value.cast::<PyDict>().map_err(|_| bad("\"table\"", &value.to_string(), "a dict with x, y and kind"))?;
    let (x, y) = (numbers(value, "x")?, numbers(value, "y")?);
    if x.len() != y.len() || x.is_empty() {
        return Err(bad("a lookup", &format!("{} x and {} y", x.len(), y.len()), "as many x as y, at least one"));
    }
    let kind = match text(value, "kind")?.as_str() {
        "" | "continuous" => TableKind::Continuous,
        "extrapolate" => TableKind::Extrapolate,
        "discrete" => TableKind::Discrete,
        other => {
            return Err(bad(
                "the kind of a lookup",
                &format!("{other:?}"),
                "'continuous', 'extrapolate' or 'discrete'",
            ));
        }
    };
    let frame: Option<Vec<f64>> = extract(value, "frame", "four numbers")?;
    let frame = frame.and_then(|frame| <[f64; 4]>::try_from(frame).ok());
    Ok(Some(Table { x, y, kind, frame }))
}

fn equation(from: Dict<'_, '_>) -> PyResult<EquationSpec> {
    Ok(EquationSpec {
        subscripts: texts(from, "subscripts")?,
        except: extract(from, "except", "a list of lists of texts")?.unwrap_or_default(),
        source: source(from, "source")?,
        initial: source(from, "initial")?,
        table: table(from)?,
        line: extract(from, "line", "a line number")?.unwrap_or_default(),
    })
}

fn variable(from: Dict<'_, '_>) -> PyResult<VariableSpec> {
    let limits: Option<Vec<Option<f64>>> = extract(from, "limits", "a pair of numbers or None")?;
    let limits = match limits.as_deref() {
        None | Some([]) => (None, None),
        Some([low, high]) => (*low, *high),
        Some(other) => return Err(bad("\"limits\"", &format!("{} values", other.len()), "a pair of numbers or None")),
    };
    let declared = match text(from, "kind")?.as_str() {
        "stock" => Declared::Stock,
        "flow" => Declared::Flow,
        "auxiliary" => Declared::Auxiliary,
        "parameter" => Declared::Parameter,
        "lookup" => Declared::Lookup,
        "data" => Declared::Data,
        other => {
            let expected = "'stock', 'flow', 'auxiliary', 'parameter', 'lookup' or 'data'";
            return Err(bad("the kind of a variable", &format!("{other:?}"), expected));
        }
    };
    Ok(VariableSpec {
        name: text(from, "name")?,
        declared,
        dimensions: texts(from, "dimensions")?,
        equations: each(from, "equations", equation)?,
        inflows: texts(from, "inflows")?,
        outflows: texts(from, "outflows")?,
        unit: text(from, "unit")?,
        comment: text(from, "comment")?,
        non_negative: flag(from, "non_negative")?,
        limits,
        group: text(from, "group")?,
        options: each(from, "options", |one| {
            let parts: Option<std::collections::BTreeMap<String, String>> = extract(one, "parts", "a dict of texts")?;
            Ok(OptionSpec {
                kind: text(one, "kind")?,
                parts: parts.unwrap_or_default().into_iter().collect(),
                switches: texts(one, "switches")?,
            })
        })?,
        interpolation: extract::<String>(from, "interpolation", "a text")?
            .map(|name| interpolation(&name))
            .transpose()?
            .unwrap_or_default(),
    })
}

fn time(from: Dict<'_, '_>) -> PyResult<TimeSpec> {
    let Some(value) = get(from, "time")? else { return Ok(TimeSpec::default()) };
    let value = value.cast::<PyDict>().map_err(|_| bad("\"time\"", &value.to_string(), "a dict"))?;
    let defaults = TimeSpec::default();
    let number = |key: &str, default: f64| Ok::<f64, PyErr>(extract(value, key, "a number")?.unwrap_or(default));
    let method = match text(value, "method")?.as_str() {
        "" | "euler" => Method::Euler,
        "rk2" => Method::Rk2,
        "rk4" => Method::Rk4,
        "rk45" => Method::Rk45,
        other => return Err(bad("the integration method", &format!("{other:?}"), "'euler', 'rk2', 'rk4' or 'rk45'")),
    };
    Ok(TimeSpec {
        initial_time: number("initial_time", defaults.initial_time)?,
        final_time: number("final_time", defaults.final_time)?,
        dt: number("dt", defaults.dt)?,
        save_step: extract(value, "save_step", "a number or None")?,
        method,
        unit: text(value, "unit")?,
    })
}

fn dimension(from: Dict<'_, '_>) -> PyResult<Dimension> {
    Ok(Dimension {
        name: text(from, "name")?,
        elements: texts(from, "elements")?,
        mappings: extract(from, "mappings", "a list of [target, elements]")?.unwrap_or_default(),
    })
}

fn series(from: Dict<'_, '_>) -> PyResult<Series> {
    Ok(Series {
        variable: text(from, "variable")?,
        element: texts(from, "element")?,
        times: numbers(from, "times")?,
        values: numbers(from, "values")?,
        interpolation: extract::<String>(from, "interpolation", "a text")?
            .map(|name| interpolation(&name))
            .transpose()?
            .unwrap_or_default(),
    })
}

pub(super) fn dialect(name: &str) -> PyResult<Dialect> {
    match name {
        "" | "xmile" => Ok(Dialect::Xmile),
        "vensim" => Ok(Dialect::Vensim),
        other => Err(bad("the dialect", &format!("{other:?}"), "'xmile' or 'vensim'")),
    }
}

/// The specification of a whole model.
pub(super) fn model(from: Dict<'_, '_>) -> PyResult<ModelSpec> {
    let dialect = dialect(&text(from, "dialect")?)?;
    Ok(ModelSpec {
        name: text(from, "name")?,
        dialect,
        time: time(from)?,
        moving_end: extract(from, "moving_end", "True or False")?.unwrap_or_default(),
        date: extract(from, "date", "a year, a month and a day")?,
        dimensions: each(from, "dimensions", dimension)?,
        variables: each(from, "variables", variable)?,
        macros: each(from, "macros", |one| {
            Ok(MacroSpec {
                name: text(one, "name")?,
                parameters: texts(one, "parameters")?,
                outputs: texts(one, "outputs")?,
                variables: each(one, "variables", variable)?,
            })
        })?,
        data: each(from, "data", series)?,
        units: each(from, "units", |one| {
            Ok(UnitDefinition {
                name: text(one, "name")?,
                equation: text(one, "equation")?,
                aliases: texts(one, "aliases")?,
            })
        })?,
    })
}
