//! Files that a model reads: a callable of Python answers for them.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use sembada_core::sd::read::external::{Answer, Resolve};

/// A callable that answers; its exception is kept and raised unchanged.
pub(super) struct Files<'py> {
    /// `resolve(function, arguments, shape) -> dict`.
    pub(super) callable: Bound<'py, PyAny>,
    /// What it raised.
    pub(super) raised: Option<PyErr>,
}

impl Files<'_> {
    fn ask(&self, function: &str, arguments: &[String], shape: &[usize]) -> PyResult<Option<Answer>> {
        let answer = self.callable.call1((function, arguments.to_vec(), shape.to_vec()))?;
        let answer = answer.cast_into::<PyDict>()?;
        if let Some(names) = answer.get_item("names")? {
            return Ok(Some(Answer::Names(names.extract()?)));
        }
        let Some(values) = answer.get_item("values")? else { return Ok(None) };
        match answer.get_item("x")? {
            Some(x) => Ok(Some(Answer::Series(x.extract()?, values.extract()?))),
            None => Ok(Some(Answer::Constants(values.extract()?))),
        }
    }
}

impl Resolve for Files<'_> {
    fn resolve(&mut self, function: &str, arguments: &[String], shape: &[usize]) -> Result<Answer, String> {
        match self.ask(function, arguments, shape) {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err("the answer has neither values nor names".to_owned()),
            Err(raised) => {
                let message = raised.to_string();
                self.raised = Some(raised);
                Err(message)
            }
        }
    }
}
