//! Why a model cannot be compiled.

use crate::sd::error::{ModelError, Place, near};
use crate::sd::expr::Span;
use crate::sd::model::Model;

/// A model or an option that cannot be compiled.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CompileError {
    /// A name that nothing in the model has.
    #[error("unknown name {name:?} in the equation of {variable:?}")]
    UnknownName {
        /// The name as written.
        name: String,
        /// The variable whose equation mentions it; empty for an option.
        variable: String,
        /// Where the name stands in the equation.
        span: Span,
        /// The names that exist.
        known: Vec<String>,
    },
    /// A function that does not exist here.
    #[error("{function:?} in the equation of {variable:?} is not supported: {reason}")]
    Unsupported {
        /// The function or construct.
        function: String,
        /// The variable whose equation uses it.
        variable: String,
        /// Where it stands.
        span: Span,
        /// What exactly is not possible, and what to do.
        reason: String,
    },
    /// An equation that means nothing.
    #[error("{reason} in the equation of {variable:?}")]
    Equation {
        /// The variable.
        variable: String,
        /// Where the fault stands.
        span: Span,
        /// What is wrong, with the value and the cure.
        reason: String,
    },
    /// Variables that need each other in the same instant.
    #[error("circular equations: {}", circle.join(" → "))]
    Circular {
        /// The names along the circle, the first again at the end.
        circle: Vec<String>,
        /// Whether the circle is in the initial values.
        initial: bool,
    },
    /// An option that cannot be.
    #[error("{0}")]
    Option(String),
}

impl CompileError {
    /// The same error with the equation of the model that it stands in.
    pub fn locate(self, model: &Model) -> ModelError {
        let place = |variable: &str, span: Span| {
            let bare = variable.split('[').next().unwrap_or_default();
            let equation = model.variable(bare).and_then(|variable| variable.equations.first());
            Box::new(Place {
                path: model.path.clone(),
                line: equation.map_or(0, |equation| equation.line),
                variable: variable.to_owned(),
                // A variable with several equations: which one is meant is not known here.
                source: model
                    .variable(bare)
                    .filter(|variable| variable.equations.len() == 1)
                    .and(equation)
                    .map_or_else(String::new, |equation| equation.source.clone()),
                span,
            })
        };
        match self {
            Self::UnknownName { name, variable, span, known } => ModelError::Unknown {
                what: "name",
                near: near(&name, known.iter().map(String::as_str)),
                place: place(&variable, span),
                name,
            },
            Self::Unsupported { function, variable, span, reason } => {
                ModelError::Unsupported { what: "function", name: function, reason, place: place(&variable, span) }
            }
            Self::Equation { variable, span, reason } => {
                ModelError::Meaning { message: format!("{reason}, in {variable:?}"), place: place(&variable, span) }
            }
            Self::Circular { circle, .. } => {
                let first = circle.first().cloned().unwrap_or_default();
                ModelError::Circular { circle, place: place(&first, Span::default()) }
            }
            Self::Option(message) => ModelError::Structure { message, place: Box::default() },
        }
    }
}
