//! Exceptions of `sembada.errors`, raised with their fields.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::{PyErrArguments, PyTypeInfo};

macro_rules! exceptions {
    ($($name:ident),* $(,)?) => {
        mod classes {
            $(pyo3::import_exception!(sembada.errors, $name);)*
        }
        /// The exception classes that the binding raises.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(dead_code, clippy::enum_variant_names)] // the names are those of the Python classes
        pub(crate) enum Class { $(#[doc = stringify!($name)] $name),* }

        impl Class {
            fn exception(self, details: Details) -> PyErr {
                match self { $(Self::$name => raise::<classes::$name>(details)),* }
            }
        }
    };
}

exceptions!(
    CircularError,
    ConvergenceError,
    DataError,
    EquationError,
    EquationNameError,
    InadmissibleError,
    InternalError,
    ModelFileError,
    SimulationError,
    SpecificationError,
    UnitsError,
    UnknownNameError,
    UnsupportedError,
);

/// A fact that an exception carries.
#[derive(Clone, Debug, IntoPyObject)]
#[allow(dead_code)]
pub(crate) enum Value {
    /// A whole number.
    Int(i64),
    /// A real number.
    Float(f64),
    /// A text.
    Text(String),
    /// Several texts.
    Texts(Vec<String>),
    /// Several whole numbers.
    Ints(Vec<i64>),
}

struct Details {
    message: String,
    fields: Vec<(&'static str, Value)>,
}

impl PyErrArguments for Details {
    fn arguments(self, py: Python<'_>) -> Py<PyAny> {
        let fields = PyDict::new(py);
        for (name, value) in self.fields {
            // A field that cannot be converted is left out: the message still says it.
            let _ = fields.set_item(name, value);
        }
        match (self.message, fields).into_pyobject(py) {
            Ok(arguments) => arguments.into_any().unbind(),
            Err(_) => py.None(),
        }
    }
}

fn raise<T: PyTypeInfo>(details: Details) -> PyErr {
    PyErr::new::<T, _>(details)
}

/// Makes the exception of `class` with a message and the facts behind it.
pub(crate) fn error(class: Class, message: impl Into<String>, fields: Vec<(&'static str, Value)>) -> PyErr {
    class.exception(Details { message: message.into(), fields })
}
