//! Writers: the typed model as a file of another tool. What the target cannot say is refused by name, never written as something else.

mod escape;
mod expand;
mod layout;
mod prepare;
mod translate;
pub mod vensim;
pub mod xmile;

#[cfg(test)]
mod tests;

use super::error::{ModelError, Place};
use super::expr::Span;
use super::model::{Equation, Model, Variable};

/// The refusal of something that the target cannot say.
fn refuse(
    model: &Model,
    variable: &Variable,
    equation: Option<&Equation>,
    span: Span,
    what: &'static str,
    name: &str,
    reason: &str,
) -> ModelError {
    let place = Place {
        path: model.path.clone(),
        line: equation.map_or(0, |equation| equation.line),
        variable: variable.name.clone(),
        source: equation.map(|equation| equation.source.clone()).unwrap_or_default(),
        span,
    };
    ModelError::Unsupported { what, name: name.to_owned(), reason: reason.to_owned(), place: Box::new(place) }
}
