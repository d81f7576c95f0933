//! The PLS engine for Python.

use std::sync::Arc;

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use sembada_core::lanes::Kernel;
use sembada_core::moments::{Missing, TableError};
use sembada_core::pls::{
    Approach, Construct, Endogenous, HigherOrder, Interaction, Layout, Method, Mode, Moments, Options, PlsError,
    Preparation, Program, Rule, Scale, Scheme, Sign, Spec, Statistic, Status, copula, expectation_maximisation, fit,
    monotone, multiply_adds, polychoric, replicate,
};
use sembada_core::resample::{Plan, PlanError, Scratch};

use crate::errors::{Class, Value, error};
use crate::gate;

pub(crate) fn raise(failure: PlsError) -> PyErr {
    let message = failure.to_string();
    match failure {
        PlsError::Cancelled(_) => pyo3::exceptions::PyKeyboardInterrupt::new_err(()),
        PlsError::Cycle { circle } => error(Class::CircularError, message, vec![("circle", Value::Texts(circle))]),
        PlsError::Table(TableError::NotFinite { column, row, value }) => error(
            Class::DataError,
            message,
            vec![("column", Value::Text(column)), ("row", Value::Int(row as i64)), ("value", Value::Float(value))],
        ),
        PlsError::Table(TableError::TooFewRows { rows, needed }) => error(
            Class::DataError,
            message,
            vec![("rows", Value::Int(rows as i64)), ("needed", Value::Int(needed as i64))],
        ),
        PlsError::Plan(PlanError::BadWeight { row, value }) => {
            error(Class::DataError, message, vec![("row", Value::Int(row as i64)), ("value", Value::Float(value))])
        }
        PlsError::Plan(_) | PlsError::Shape { .. } => error(Class::DataError, message, vec![]),
        PlsError::EmptyBlock { construct } => {
            error(Class::SpecificationError, message, vec![("construct", Value::Text(construct))])
        }
        PlsError::UnknownOption { option, value, .. } => error(
            Class::SpecificationError,
            message,
            vec![("option", Value::Text(option.to_owned())), ("value", Value::Text(value))],
        ),
        _ => error(Class::SpecificationError, message, vec![]),
    }
}

fn invalid(what: impl Into<String>) -> PyErr {
    error(Class::SpecificationError, what, vec![])
}

fn get<'py, T>(dict: &Bound<'py, PyDict>, key: &str) -> PyResult<Option<T>>
where
    T: for<'a> FromPyObject<'a, 'py>,
{
    match dict.get_item(key)? {
        Some(value) if !value.is_none() => value
            .extract::<T>()
            .map(Some)
            .map_err(|_| invalid(format!("{key}={}: not of the expected type", shown(&value)))),
        _ => Ok(None),
    }
}

fn need<'py, T>(dict: &Bound<'py, PyDict>, key: &str) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py>,
{
    get(dict, key)?.ok_or_else(|| invalid(format!("the key {key:?} is missing")))
}

fn shown(value: &Bound<'_, PyAny>) -> String {
    value.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string())
}

fn parse<T>(result: Result<T, PlsError>) -> PyResult<T> {
    result.map_err(raise)
}

fn spec_of(dict: &Bound<'_, PyDict>) -> PyResult<Spec> {
    let constructs = need::<Vec<Bound<'_, PyDict>>>(dict, "constructs")?
        .iter()
        .map(|c| {
            Ok(Construct {
                name: need(c, "name")?,
                mode: parse(Mode::parse(&get::<String>(c, "mode")?.unwrap_or_else(|| "A".to_owned())))?,
                columns: need(c, "columns")?,
                fixed: get(c, "fixed")?.unwrap_or_default(),
                dominant: get(c, "dominant")?,
                reflective: get(c, "reflective")?.unwrap_or(false),
                reliability: get(c, "reliability")?,
            })
        })
        .collect::<PyResult<Vec<_>>>()?;
    let higher_order = get::<Vec<Bound<'_, PyDict>>>(dict, "higher_order")?
        .unwrap_or_default()
        .iter()
        .map(|h| {
            Ok(HigherOrder {
                name: need(h, "name")?,
                dimensions: need(h, "dimensions")?,
                mode: parse(Mode::parse(&get::<String>(h, "mode")?.unwrap_or_else(|| "A".to_owned())))?,
                reflective: get(h, "reflective")?.unwrap_or(false),
                approach: parse(Approach::parse(
                    &get::<String>(h, "approach")?.unwrap_or_else(|| "two-stage".to_owned()),
                ))?,
            })
        })
        .collect::<PyResult<Vec<_>>>()?;
    let interactions = get::<Vec<Bound<'_, PyDict>>>(dict, "interactions")?
        .unwrap_or_default()
        .iter()
        .map(|i| {
            Ok(Interaction {
                name: need(i, "name")?,
                factors: need(i, "factors")?,
                mode: parse(Mode::parse(&get::<String>(i, "mode")?.unwrap_or_else(|| "A".to_owned())))?,
                method: parse(Method::parse(&get::<String>(i, "method")?.unwrap_or_else(|| "two-stage".to_owned())))?,
            })
        })
        .collect::<PyResult<Vec<_>>>()?;
    let rule = parse(Rule::parse(&get::<String>(dict, "consistent_rule")?.unwrap_or_else(|| "factors".to_owned())))?;
    Ok(Spec {
        columns: need(dict, "columns")?,
        constructs,
        higher_order,
        interactions,
        paths: get::<Vec<[usize; 2]>>(dict, "paths")?
            .unwrap_or_default()
            .iter()
            .map(|&[from, to]| (from, to))
            .collect(),
        links: get::<Vec<[usize; 2]>>(dict, "links")?.unwrap_or_default().iter().map(|&[a, b]| (a, b)).collect(),
        scheme: parse(Scheme::parse(&get::<String>(dict, "scheme")?.unwrap_or_else(|| "path".to_owned())))?,
        raw: get(dict, "raw")?.unwrap_or(false),
        consistent: get::<bool>(dict, "consistent")?.unwrap_or(false).then_some(rule),
        max_iter: get(dict, "max_iter")?.unwrap_or(300),
        tol: get(dict, "tol")?.unwrap_or(1e-7),
    })
}

pub(crate) fn missing_of(name: &str) -> PyResult<Missing> {
    Missing::parse(name).ok_or_else(|| {
        let expected = Missing::ALL.map(|(_, name)| format!("{name:?}")).join(", ");
        error(
            Class::SpecificationError,
            format!("missing={name:?} is not known: expected one of {expected}"),
            vec![("option", Value::Text("missing".to_owned())), ("value", Value::Text(name.to_owned()))],
        )
    })
}

fn preparation_of(dict: Option<&Bound<'_, PyDict>>, columns: usize) -> PyResult<Preparation> {
    let Some(dict) = dict else { return Ok(Preparation::None) };
    let kind: String = need(dict, "kind")?;
    let sized = |name: &str, length: usize| {
        if length == columns {
            Ok(())
        } else {
            Err(invalid(format!("{name} has {length} entries: expected {columns}, one a column")))
        }
    };
    Ok(match kind.as_str() {
        "regression" => Preparation::Regression,
        "em" => Preparation::Em,
        "spearman" => Preparation::Spearman,
        "polychoric" => {
            let ordinal: Vec<bool> = need(dict, "ordinal")?;
            sized("ordinal", ordinal.len())?;
            Preparation::Polychoric { ordinal }
        }
        "scaling" => {
            let names: Vec<String> = need(dict, "scales")?;
            sized("scales", names.len())?;
            let scales = names.iter().map(|name| parse(Scale::parse(name))).collect::<PyResult<Vec<_>>>()?;
            Preparation::Scaling { scales }
        }
        _ => {
            return Err(error(
                Class::SpecificationError,
                format!(
                    "preparation kind {kind:?} is not known: expected one of \"regression\", \"em\", \"spearman\", \
                     \"polychoric\", \"scaling\""
                ),
                vec![("value", Value::Text(kind))],
            ));
        }
    })
}

pub(crate) fn kernel_of(name: &str) -> PyResult<Kernel> {
    Kernel::parse(name).map_err(|failure| {
        error(Class::SpecificationError, failure.to_string(), vec![("value", Value::Text(name.to_owned()))])
    })
}

/// Numbers of a matrix, row after row.
pub(crate) struct Matrix {
    pub(crate) values: Vec<f64>,
    pub(crate) rows: usize,
}

pub(crate) fn matrix(array: &PyReadonlyArray2<'_, f64>, columns: usize) -> PyResult<Matrix> {
    let shape = array.shape();
    if shape[1] != columns {
        return Err(error(
            Class::DataError,
            format!("data has shape ({}, {}): expected {columns} columns", shape[0], shape[1]),
            vec![("columns", Value::Int(shape[1] as i64)), ("expected", Value::Int(columns as i64))],
        ));
    }
    Ok(Matrix { rows: shape[0], values: array.as_array().iter().copied().collect() })
}

fn labels(array: Option<PyReadonlyArray1<'_, i64>>) -> Option<Vec<i64>> {
    array.map(|a| a.as_array().iter().copied().collect())
}

fn plan_of(dict: &Bound<'_, PyDict>, usable: &[bool]) -> PyResult<Plan> {
    let n = usable.len();
    let kind: String = need(dict, "kind")?;
    let key = || -> PyResult<[u64; 2]> { need(dict, "key") };
    let replicates = || need::<usize>(dict, "n");
    let first = || -> PyResult<u64> { Ok(get(dict, "first")?.unwrap_or(0)) };
    Ok(match kind.as_str() {
        "bootstrap" => {
            let strata = labels(get(dict, "strata")?);
            let clusters = labels(get(dict, "clusters")?);
            Plan::bootstrap(key()?, replicates()?, first()?, usable, strata.as_deref(), clusters.as_deref())
                .map_err(|failure| raise(failure.into()))?
        }
        "bayesian" => Plan::Bayesian { key: key()?, replicates: replicates()?, first: first()? },
        "jackknife" => Plan::Jackknife,
        "permutation" => {
            let groups = labels(Some(need(dict, "groups")?)).unwrap_or_default();
            if groups.len() != n {
                return Err(error(
                    Class::DataError,
                    format!("groups has shape ({},): expected ({n},): one label a row", groups.len()),
                    vec![],
                ));
            }
            let count = groups.iter().copied().max().map_or(0, |g| g + 1).max(0) as usize;
            let mut sizes = vec![0; count];
            let mut rows = Vec::new();
            for (row, &group) in groups.iter().enumerate() {
                // A negative label leaves the row out.
                if group >= 0 && usable[row] {
                    sizes[group as usize] += 1;
                    rows.push(row as u32);
                }
            }
            Plan::Permutation { key: key()?, permutations: replicates()?, first: first()?, sizes, rows }
        }
        "folds" => {
            let folds = labels(Some(need(dict, "folds")?)).unwrap_or_default();
            if let Some(bad) = folds.iter().find(|f| **f < 0) {
                return Err(invalid(format!("fold {bad}: expected numbers from 0")));
            }
            let folds: Vec<usize> = folds.into_iter().map(|f| f as usize).collect();
            Plan::Folds { count: folds.iter().max().map_or(0, |f| f + 1), folds }
        }
        "indices" => {
            let array: PyReadonlyArray2<'_, i64> = need(dict, "indices")?;
            let size = array.shape()[1];
            let mut indices = Vec::with_capacity(array.len());
            for &row in array.as_array() {
                let checked = u32::try_from(row).ok().filter(|&r| (r as usize) < n);
                indices.push(checked.ok_or_else(|| raise(PlanError::NoSuchRow { row, rows: n }.into()))?);
            }
            Plan::Indices { indices, size }
        }
        "weights" => {
            let array: PyReadonlyArray2<'_, f64> = need(dict, "weights")?;
            if array.shape()[1] != n {
                return Err(error(
                    Class::DataError,
                    format!("weights has shape ({}, {}): expected {n} columns", array.shape()[0], array.shape()[1]),
                    vec![],
                ));
            }
            Plan::Weights { weights: array.as_array().iter().copied().collect() }
        }
        _ => {
            return Err(error(
                Class::SpecificationError,
                format!(
                    "plan kind {kind:?} is not known: expected one of \"bootstrap\", \"bayesian\", \"jackknife\", \
                     \"permutation\", \"folds\", \"indices\", \"weights\""
                ),
                vec![("value", Value::Text(kind))],
            ));
        }
    })
}

/// A compiled PLS path model.
#[pyclass(frozen, module = "sembada._core")]
pub(crate) struct PlsEngine {
    pub(crate) program: Arc<Program>,
    spec: Py<PyDict>,
}

impl PlsEngine {
    fn layout_of(&self, statistics: Option<Vec<String>>) -> PyResult<Layout> {
        let list = statistics
            .map(|names| names.iter().map(|name| parse(Statistic::parse(name))).collect::<PyResult<Vec<_>>>())
            .transpose()?;
        parse(Layout::new(&self.program, list.as_deref()))
    }

    /// Rows that a treatment of missing values leaves in.
    fn usable(&self, data: &Matrix, missing: Missing) -> Vec<bool> {
        let width = self.program.spec.columns.len();
        (0..data.rows)
            .map(|row| {
                missing != Missing::Listwise
                    || self.program.base.iter().all(|&c| !data.values[row * width + c].is_nan())
            })
            .collect()
    }
}

#[pymethods]
impl PlsEngine {
    #[new]
    fn new(py: Python<'_>, spec: &Bound<'_, PyDict>) -> PyResult<Self> {
        let program = parse(Program::compile(spec_of(spec)?))?;
        let copy = py.import("copy")?.call_method1("deepcopy", (spec,))?;
        Ok(Self { program: Arc::new(program), spec: copy.cast_into::<PyDict>().map_err(PyErr::from)?.unbind() })
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        let spec = slf.get().spec.clone_ref(py);
        PyTuple::new(py, [slf.get_type().into_any(), PyTuple::new(py, [spec])?.into_any()])
    }

    #[getter]
    fn spec<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("copy")?.call_method1("deepcopy", (&self.spec,))
    }

    #[getter]
    fn nodes(&self) -> Vec<String> {
        self.program.nodes.clone()
    }

    #[getter]
    fn items(&self) -> Vec<String> {
        self.program.items.clone()
    }

    #[getter]
    #[allow(clippy::unused_self)] // the list may come to depend on the model
    fn statistics(&self) -> Vec<&'static str> {
        Statistic::ALL.iter().map(|s| s.name()).collect()
    }

    #[pyo3(signature = (statistics=None))]
    fn layout<'py>(&self, py: Python<'py>, statistics: Option<Vec<String>>) -> PyResult<Bound<'py, PyDict>> {
        let layout = self.layout_of(statistics)?;
        let out = PyDict::new(py);
        for entry in &layout.entries {
            let width = entry.labels.iter().map(Vec::len).max().unwrap_or(0);
            let mut flat = vec![-1i64; entry.labels.len() * width];
            for (row, label) in entry.labels.iter().enumerate() {
                for (k, &value) in label.iter().enumerate() {
                    flat[row * width + k] = value as i64;
                }
            }
            let item = PyDict::new(py);
            item.set_item("start", entry.start)?;
            item.set_item("length", entry.labels.len())?;
            item.set_item("kind", entry.statistic.kind())?;
            item.set_item("labels", flat.to_pyarray(py).reshape([entry.labels.len(), width])?)?;
            out.set_item(entry.statistic.name(), item)?;
        }
        Ok(out)
    }

    #[pyo3(signature = (data, *, statistics=None, weights=None, missing="error", prepare=None, kernel="auto"))]
    fn fit<'py>(
        &self,
        py: Python<'py>,
        data: PyReadonlyArray2<'py, f64>,
        statistics: Option<Vec<String>>,
        weights: Option<PyReadonlyArray1<'py, f64>>,
        missing: &str,
        prepare: Option<Bound<'py, PyDict>>,
        kernel: &str,
    ) -> PyResult<Bound<'py, PyDict>> {
        let layout = self.layout_of(statistics)?;
        let kernel = kernel_of(kernel)?;
        let missing = missing_of(missing)?;
        let program = Arc::clone(&self.program);
        let width = program.spec.columns.len();
        let preparation = preparation_of(prepare.as_ref(), width)?;
        let data = matrix(&data, width)?;
        let weights: Option<Vec<f64>> = weights.map(|w| w.as_array().iter().copied().collect());
        let found = gate::quick(py, raise, || {
            let options =
                Options { missing, weights: weights.as_deref(), preparation: &preparation, sign: Sign::None, kernel };
            fit(&program, &data.values, data.rows, &layout, &options)
        })?;
        let (nodes, items) = (program.nodes.len(), program.items.len());
        let square = |values: &[f64], rows: usize, columns: usize| values.to_pyarray(py).reshape([rows, columns]);
        let out = PyDict::new(py);
        out.set_item("values", found.values.to_pyarray(py))?;
        out.set_item("status", found.status as i32)?;
        out.set_item("detail", found.detail)?;
        out.set_item("n_iter", found.passes.clone())?;
        out.set_item("converged", found.status != Status::NotConverged && found.status.keeps_values())?;
        out.set_item("n_obs", found.n_obs)?;
        out.set_item("means", found.means.to_pyarray(py))?;
        out.set_item("sds", found.sds.to_pyarray(py))?;
        out.set_item("scores", square(&found.scores, data.rows, nodes)?)?;
        out.set_item("correlations", square(&found.correlations, items, items)?)?;
        out.set_item("construct_correlations", square(&found.constructs, nodes, nodes)?)?;
        out.set_item("proxy_correlations", square(&found.proxies, nodes, nodes)?)?;
        out.set_item("outer_weights", square(&found.outer_weights, items, nodes)?)?;
        out.set_item("cross_loadings", square(&found.cross_loadings, items, nodes)?)?;
        out.set_item("path_matrix", square(&found.paths, nodes, nodes)?)?;
        out.set_item("rho_a", found.rho_a.to_pyarray(py))?;
        if let Some(prepared) = &found.prepared {
            out.set_item("prepared", square(prepared, data.rows, width)?)?;
        }
        out.set_item("kernel", kernel.name())?;
        Ok(out)
    }

    #[pyo3(signature = (data, plan, *, statistics=None, weights=None, missing="error", prepare=None, sign="none", threads=None, progress=None, kernel="auto"))]
    #[allow(clippy::type_complexity)]
    fn replicate<'py>(
        &self,
        py: Python<'py>,
        data: PyReadonlyArray2<'py, f64>,
        plan: &Bound<'py, PyDict>,
        statistics: Option<Vec<String>>,
        weights: Option<PyReadonlyArray1<'py, f64>>,
        missing: &str,
        prepare: Option<Bound<'py, PyDict>>,
        sign: &str,
        threads: Option<usize>,
        progress: Option<Py<PyAny>>,
        kernel: &str,
    ) -> PyResult<(Bound<'py, PyArray2<f64>>, Bound<'py, PyArray1<i32>>, Bound<'py, PyArray1<i32>>)> {
        let layout = self.layout_of(statistics)?;
        let kernel = kernel_of(kernel)?;
        let missing = missing_of(missing)?;
        let sign = parse(Sign::parse(sign))?;
        let program = Arc::clone(&self.program);
        let data = matrix(&data, program.spec.columns.len())?;
        let preparation = preparation_of(prepare.as_ref(), program.spec.columns.len())?;
        let plan = plan_of(plan, &self.usable(&data, missing))?;
        let weights: Option<Vec<f64>> = weights.map(|w| w.as_array().iter().copied().collect());
        let width = layout.width;
        let found = gate::long(py, threads, progress, raise, |scope| {
            let options = Options { missing, weights: weights.as_deref(), preparation: &preparation, sign, kernel };
            replicate(&program, &data.values, data.rows, &plan, &layout, &options, scope.pool, scope.control)
        })?;
        let replicates = found.status.len();
        let codes: Vec<i32> = found.status.iter().map(|s| s[0]).collect();
        let details: Vec<i32> = found.status.iter().map(|s| s[1]).collect();
        let values = PyArray1::from_vec(py, found.values).reshape([replicates, width])?;
        Ok((values, codes.to_pyarray(py), details.to_pyarray(py)))
    }

    #[pyo3(signature = (data, plan, outcome, predictors, terms, *, two_scope=false, weights=None, missing="error", prepare=None, threads=None, progress=None))]
    #[allow(clippy::type_complexity)]
    fn copula<'py>(
        &self,
        py: Python<'py>,
        data: PyReadonlyArray2<'py, f64>,
        plan: &Bound<'py, PyDict>,
        outcome: usize,
        predictors: Vec<usize>,
        terms: Vec<bool>,
        two_scope: bool,
        weights: Option<PyReadonlyArray1<'py, f64>>,
        missing: &str,
        prepare: Option<Bound<'py, PyDict>>,
        threads: Option<usize>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<(Bound<'py, PyArray2<f64>>, Bound<'py, PyArray1<i32>>, Bound<'py, PyArray1<i32>>)> {
        let missing = missing_of(missing)?;
        let program = Arc::clone(&self.program);
        let data = matrix(&data, program.spec.columns.len())?;
        let preparation = preparation_of(prepare.as_ref(), program.spec.columns.len())?;
        let plan = plan_of(plan, &self.usable(&data, missing))?;
        let weights: Option<Vec<f64>> = weights.map(|w| w.as_array().iter().copied().collect());
        let what = Endogenous { outcome, predictors, terms, two_scope };
        let found = gate::long(py, threads, progress, raise, |scope| {
            let options = Options {
                missing,
                weights: weights.as_deref(),
                preparation: &preparation,
                sign: Sign::None,
                kernel: Kernel::Portable,
            };
            copula(&program, &data.values, data.rows, &plan, &what, &options, scope.pool, scope.control)
        })?;
        let replicates = found.status.len();
        let width = found.values.len() / replicates.max(1);
        let codes: Vec<i32> = found.status.iter().map(|s| s[0]).collect();
        let details: Vec<i32> = found.status.iter().map(|s| s[1]).collect();
        let values = PyArray1::from_vec(py, found.values).reshape([replicates, width])?;
        Ok((values, codes.to_pyarray(py), details.to_pyarray(py)))
    }

    #[pyo3(signature = (data, plan, replicate, missing="error"))]
    fn resample<'py>(
        &self,
        py: Python<'py>,
        data: PyReadonlyArray2<'py, f64>,
        plan: &Bound<'py, PyDict>,
        replicate: usize,
        missing: &str,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let data = matrix(&data, self.program.spec.columns.len())?;
        let plan = plan_of(plan, &self.usable(&data, missing_of(missing)?))?;
        let limit = plan.replicates(data.rows);
        if replicate >= limit {
            return Err(raise(PlsError::OutOfRange { what: "replicate", index: replicate, limit }));
        }
        let mut weights = vec![0.0; data.rows];
        plan.weights(Kernel::Portable, replicate, &mut Scratch::default(), &mut weights);
        Ok(weights.to_pyarray(py))
    }

    fn __repr__(&self) -> String {
        format!(
            "<PlsEngine: {} nodes, {} paths, {} columns>",
            self.program.nodes.len(),
            self.program.last().edges.len(),
            self.program.spec.columns.len()
        )
    }
}

/// Names of the status codes: index = code.
#[pyfunction]
pub(crate) fn pls_status() -> Vec<&'static str> {
    Status::NAMES.to_vec()
}

fn plain(values: PyReadonlyArray2<'_, f64>) -> (Vec<f64>, usize, usize) {
    let (n, columns) = (values.shape()[0], values.shape()[1]);
    (values.as_array().iter().copied().collect(), n, columns)
}

fn plain_weights(weights: Option<PyReadonlyArray1<'_, f64>>, n: usize) -> PyResult<Vec<f64>> {
    let weights = weights.map_or_else(|| vec![1.0; n], |w| w.as_array().iter().copied().collect());
    if weights.len() == n {
        return Ok(weights);
    }
    Err(error(Class::DataError, format!("weights has shape ({},): expected ({n},)", weights.len()), vec![]))
}

/// Moments of normal data with missing values; `None` when they have not settled.
#[pyfunction]
#[pyo3(signature = (values, weights=None, mean=None, covariance=None))]
#[allow(clippy::type_complexity)]
pub(crate) fn pls_em<'py>(
    py: Python<'py>,
    values: PyReadonlyArray2<'py, f64>,
    weights: Option<PyReadonlyArray1<'py, f64>>,
    mean: Option<PyReadonlyArray1<'py, f64>>,
    covariance: Option<PyReadonlyArray2<'py, f64>>,
) -> PyResult<Option<(Bound<'py, PyArray1<f64>>, Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<f64>>)>> {
    let (values, n, columns) = plain(values);
    let weights = plain_weights(weights, n)?;
    let start = mean.zip(covariance).map(|(mean, covariance)| Moments {
        mean: mean.as_array().iter().copied().collect(),
        covariance: covariance.as_array().iter().copied().collect(),
    });
    if start.as_ref().is_some_and(|s| s.mean.len() != columns || s.covariance.len() != columns * columns) {
        return Err(error(Class::DataError, format!("the start has another size than {columns} columns"), vec![]));
    }
    let found = gate::quick(py, raise, || Ok(expectation_maximisation(&values, n, columns, &weights, start.as_ref())))?;
    let Some((moments, completed)) = found else { return Ok(None) };
    Ok(Some((
        moments.mean.to_pyarray(py),
        moments.covariance.to_pyarray(py).reshape([columns, columns])?,
        completed.to_pyarray(py).reshape([n, columns])?,
    )))
}

/// Polychoric, polyserial and Pearson correlations; the number of a column without variance instead if there is one.
#[pyfunction]
#[pyo3(signature = (values, ordinal, weights=None))]
pub(crate) fn pls_polychoric<'py>(
    py: Python<'py>,
    values: PyReadonlyArray2<'py, f64>,
    ordinal: Vec<bool>,
    weights: Option<PyReadonlyArray1<'py, f64>>,
) -> PyResult<Bound<'py, PyAny>> {
    let (values, n, columns) = plain(values);
    let weights = plain_weights(weights, n)?;
    if ordinal.len() != columns {
        return Err(invalid(format!("ordinal has {} entries: expected {columns}", ordinal.len())));
    }
    let found = gate::quick(py, raise, || Ok(polychoric(&values, n, columns, &ordinal, &weights)))?;
    Ok(match found {
        Ok(r) => r.to_pyarray(py).reshape([columns, columns])?.into_any(),
        Err(column) => column.into_pyobject(py)?.into_any(),
    })
}

/// The closest sequence that never falls.
#[pyfunction]
pub(crate) fn pls_monotone(values: Vec<f64>, weights: Vec<f64>) -> Vec<f64> {
    monotone(&values, &weights)
}

/// Runs the multiply-adds of `reps` bootstrap moment matrices and nothing else.
#[pyfunction]
#[pyo3(signature = (n, p, reps, kernel="auto"))]
pub(crate) fn multiply_add_limit(py: Python<'_>, n: usize, p: usize, reps: usize, kernel: &str) -> PyResult<f64> {
    let kernel = kernel_of(kernel)?;
    // A bootstrap sample holds 1 - 1/e of the rows.
    let each = 0.632 * n as f64 * (p * (p + 1) / 2) as f64;
    gate::quick(py, raise, || Ok(multiply_adds(kernel, (each * reps as f64) as u64)))
}
