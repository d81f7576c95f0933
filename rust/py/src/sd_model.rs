//! Class `SdModel`: models in, tables out.

mod convert;
mod describe;
mod files;

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use sembada_core::sd::check::{Finding, Severity, check, require};
use sembada_core::sd::error::ModelError;
use sembada_core::sd::graph;
use sembada_core::sd::model::Model;
use sembada_core::sd::pipes;
use sembada_core::sd::read::{external, spec, vensim, xmile};
use sembada_core::sd::write;

use crate::errors::{Class, Value, error};
use crate::sd_tools;

/// A typed system-dynamics model.
#[pyclass(frozen, module = "sembada._core")]
pub(crate) struct SdModel {
    /// The model, shared with programs that are compiled from it.
    pub(crate) model: Arc<Model>,
}

/// The exception of a model error, with the equation and a caret in its message and the facts as fields.
pub(crate) fn model_error(cause: &ModelError) -> PyErr {
    let place = cause.place();
    let text = |value: &str| Value::Text(value.to_owned());
    let mut fields = vec![
        ("path", text(&place.path)),
        ("line", Value::Int(i64::from(place.line))),
        ("variable", text(&place.variable)),
        ("source", text(&place.source)),
        ("span", Value::Ints(vec![i64::from(place.span.start), i64::from(place.span.end)])),
    ];
    let class = match cause {
        ModelError::Equation { .. } | ModelError::Meaning { .. } => Class::EquationError,
        ModelError::Unknown { what, name, near, .. } => {
            fields.extend([("kind", text(what)), ("name", text(name)), ("matches", Value::Texts(near.clone()))]);
            fields.push(("where", text(&place.variable)));
            if place.source.is_empty() { Class::UnknownNameError } else { Class::EquationNameError }
        }
        ModelError::Circular { circle, .. } => {
            fields.push(("circle", Value::Texts(circle.clone())));
            Class::CircularError
        }
        ModelError::Unsupported { what, name, .. } => {
            fields.extend([("kind", text(what)), ("name", text(name))]);
            Class::UnsupportedError
        }
        ModelError::Structure { .. } => Class::SpecificationError,
        ModelError::File { .. } => Class::ModelFileError,
    };
    error(class, cause.full(), fields)
}

fn new(model: Model) -> SdModel {
    SdModel { model: Arc::new(model) }
}

#[pymethods]
impl SdModel {
    /// Builds a model from plain values.
    #[staticmethod]
    fn from_spec(spec: &Bound<'_, PyDict>) -> PyResult<Self> {
        let parts = convert::model(spec)?;
        spec::build(parts).map(new).map_err(|cause| model_error(&cause))
    }

    /// Reads the text of an XMILE file.
    #[staticmethod]
    #[pyo3(signature = (text, path="", resolve=None))]
    fn from_xmile(py: Python<'_>, text: &str, path: &str, resolve: Option<Py<PyAny>>) -> PyResult<Self> {
        // XMILE has no calls that read files. Who can answer those of Vensim also applies what a model imports.
        let read = if resolve.is_some() { xmile::read_with_imports } else { xmile::read };
        py.detach(|| read(text, path)).map(new).map_err(|cause| model_error(&cause))
    }

    /// Reads the text of a Vensim file.
    #[staticmethod]
    #[pyo3(signature = (text, path="", resolve=None))]
    fn from_vensim(py: Python<'_>, text: &str, path: &str, resolve: Option<Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(callable) = resolve else {
            return py.detach(|| vensim::read(text, path, None)).map(new).map_err(|cause| model_error(&cause));
        };
        let mut files = files::Files { callable, raised: None };
        let read = vensim::read(text, path, Some(&mut files));
        match files.raised {
            Some(raised) => Err(raised),
            None => read.map(new).map_err(|cause| model_error(&cause)),
        }
    }

    /// The calls that wait for a file.
    fn externals<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let make = |one: external::External| {
            let out = PyDict::new(py);
            out.set_item("variable", one.variable)?;
            out.set_item("function", one.function)?;
            out.set_item("arguments", one.arguments)?;
            out.set_item("shape", one.shape)?;
            out.set_item("line", one.line)?;
            Ok(out)
        };
        external::externals(&self.model).into_iter().map(make).collect()
    }

    /// The model's name.
    #[getter]
    fn name(&self) -> &str {
        &self.model.name
    }

    /// Whose meanings its functions have.
    #[getter]
    fn dialect(&self) -> &'static str {
        describe::dialect(self.model.dialect)
    }

    /// The specification of the model.
    fn describe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        describe::model(py, &self.model)
    }

    /// All findings, errors first.
    fn check<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let findings = py.detach(|| check(&self.model));
        findings.iter().map(|finding| found(py, finding)).collect()
    }

    /// Raises the first error among the findings.
    fn validate(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| require(&self.model)).map_err(|cause| model_error(&cause))
    }

    /// A series for a variable.
    #[pyo3(signature = (variable, element, times, values, interpolation=None))]
    fn with_data(
        &self,
        variable: &str,
        element: Vec<String>,
        times: Vec<f64>,
        values: Vec<f64>,
        interpolation: Option<&str>,
    ) -> PyResult<Self> {
        let interpolation = interpolation.map(convert::interpolation).transpose()?;
        let series = self.model.with_data(variable, element, times, values, interpolation);
        series.map(new).map_err(|cause| model_error(&cause))
    }

    /// Names of the variables that each variable depends on.
    fn dependencies<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let out = PyDict::new(py);
        for (variable, needed) in self.model.variables.iter().zip(graph::dependencies(&self.model)) {
            let names: Vec<&str> = needed.iter().map(|&place| self.model.variables[place].name.as_str()).collect();
            out.set_item(&variable.name, names)?;
        }
        Ok(out)
    }

    /// The feedback loops.
    #[pyo3(signature = (limit=1000, independent=false))]
    fn loops<'py>(&self, py: Python<'py>, limit: usize, independent: bool) -> PyResult<Bound<'py, PyDict>> {
        sd_tools::loops(py, &self.model, limit, independent)
    }

    /// The links between variables, with their signs.
    fn links<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        sd_tools::links(py, &self.model)
    }

    /// Each flow with the stock that it leaves and the one that it enters.
    fn pipes(&self) -> Vec<(&str, Option<&str>, Option<&str>)> {
        let name = |place: usize| self.model.variables[place].name.as_str();
        pipes::pipes(&self.model).iter().map(|pipe| (name(pipe.flow), pipe.from.map(name), pipe.to.map(name))).collect()
    }

    /// The model as an XMILE file.
    fn to_xmile(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| write::xmile::write(&self.model)).map_err(|cause| model_error(&cause))
    }

    /// The model as a Vensim file.
    fn to_vensim(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| write::vensim::write(&self.model)).map_err(|cause| model_error(&cause))
    }

    /// The functions that a dialect knows.
    #[staticmethod]
    fn functions<'py>(py: Python<'py>, dialect: &str) -> PyResult<Vec<Bound<'py, PyDict>>> {
        sd_tools::functions(py, convert::dialect(dialect)?)
    }

    /// The units that equations imply for variables without one.
    fn implied_units<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        sd_tools::implied_units(py, &self.model)
    }

    fn __repr__(&self) -> String {
        let model = &self.model;
        format!("SdModel({:?}, {} variables, {})", model.name, model.variables.len(), describe::dialect(model.dialect))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let py = slf.py();
        let build = py.get_type::<Self>().getattr("from_spec")?;
        let spec = slf.get().describe(py)?;
        Ok((build, PyTuple::new(py, [spec])?))
    }
}

fn found<'py>(py: Python<'py>, finding: &Finding) -> PyResult<Bound<'py, PyDict>> {
    let place = finding.error.place();
    let out = PyDict::new(py);
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    out.set_item("severity", severity)?;
    out.set_item("code", finding.code)?;
    out.set_item("variable", &place.variable)?;
    out.set_item("message", finding.error.to_string())?;
    out.set_item("line", place.line)?;
    out.set_item("span", (place.span.start, place.span.end))?;
    out.set_item("text", finding.error.full())?;
    Ok(out)
}
