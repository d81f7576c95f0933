//! Cross-validated predictions for Python.

use std::sync::Arc;

use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sembada_core::pls::{Crossed, Options, PredictionRequest, Preparation, Sign, Target, cross_validate};

use crate::gate;
use crate::pls::{PlsEngine, kernel_of, matrix, missing_of, raise};

/// Predicts each fold from the others.
#[pyfunction]
#[pyo3(signature = (engine, data, folds, *, outcomes, owners, columns, chains, regressors, earliest=None, whole=false,
    in_sample=false, weights=None, missing="error", threads=None, progress=None, kernel="auto"))]
pub(crate) fn pls_cross_validate<'py>(
    py: Python<'py>,
    engine: &PlsEngine,
    data: PyReadonlyArray2<'py, f64>,
    folds: PyReadonlyArray2<'py, i64>,
    outcomes: Vec<usize>,
    owners: Vec<usize>,
    columns: Vec<usize>,
    chains: Vec<Vec<usize>>,
    regressors: Vec<Vec<usize>>,
    earliest: Option<Vec<usize>>,
    whole: bool,
    in_sample: bool,
    weights: Option<PyReadonlyArray1<'py, f64>>,
    missing: &str,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
    kernel: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let program = Arc::clone(&engine.program);
    let data = matrix(&data, program.spec.columns.len())?;
    let repeats = folds.shape()[0];
    let folds: Vec<i64> = folds.as_array().iter().copied().collect();
    let weights: Option<Vec<f64>> = weights.map(|w| w.as_array().iter().copied().collect());
    let (missing, kernel) = (missing_of(missing)?, kernel_of(kernel)?);
    let targets: Vec<Target> = owners
        .into_iter()
        .zip(columns)
        .zip(chains)
        .map(|((owner, column), chain)| Target { owner, column, chain })
        .collect();
    let (rows, q, j) = (data.rows, targets.len(), outcomes.len());
    let found: Crossed = gate::long(py, threads, progress, raise, |scope| {
        let request = PredictionRequest { folds: &folds, earliest, outcomes, targets, regressors, whole, in_sample };
        let options =
            Options { missing, weights: weights.as_deref(), sign: Sign::None, kernel, preparation: &Preparation::None };
        cross_validate(&program, &data.values, data.rows, &request, &options, scope.pool, scope.control)
    })?;
    let square = |values: Vec<f64>, width: usize| PyArray1::from_vec(py, values).reshape([rows, width]);
    let sums = |values: Vec<f64>, width: usize| PyArray1::from_vec(py, values).reshape([repeats, 4, width]);
    let out = PyDict::new(py);
    let (predictions, metrics, losses) = (PyDict::new(py), PyDict::new(py), PyDict::new(py));
    for (source, name) in ["pls", "lm", "ia"].into_iter().enumerate() {
        predictions.set_item(name, square(found.predictions[source].clone(), q)?)?;
        metrics.set_item(name, sums(found.metrics[source].clone(), q)?)?;
        losses.set_item(name, square(found.losses[source].clone(), j)?)?;
    }
    out.set_item("predictions", predictions)?;
    out.set_item("metrics", metrics)?;
    out.set_item("losses", losses)?;
    let [predicted, actual] = found.scores;
    out.set_item("scores", (square(predicted, j)?, square(actual, j)?))?;
    out.set_item("score_metrics", sums(found.score_metrics, j)?)?;
    out.set_item("status", found.status.to_pyarray(py).reshape([repeats, found.folds])?)?;
    out.set_item("failed", found.failed.to_pyarray(py).reshape([repeats, found.folds])?)?;
    Ok(out)
}
