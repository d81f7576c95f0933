//! Checks: everything that can be said about a model before it runs. All findings, not the first.

pub mod names;
pub(crate) mod structure;

use super::error::{ModelError, Place};
use super::model::Model;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The model cannot run.
    Error,
    /// The model runs and is probably not what was meant.
    Warning,
    /// Worth knowing.
    Note,
}

/// One finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// A short stable name of the rule.
    pub code: &'static str,
    /// What is wrong, and where.
    pub error: ModelError,
}

/// All findings on a model: errors first, then warnings, then notes, each in the order of the model.
pub fn check(model: &Model) -> Vec<Finding> {
    let mut out = Vec::new();
    for (line, remark) in &model.remarks {
        let place = Place { path: model.path.clone(), line: *line, ..Place::default() };
        let error = ModelError::File { message: remark.clone(), place: Box::new(place) };
        out.push(Finding { severity: Severity::Warning, code: "file", error });
    }
    names::check(model, &mut out);
    structure::check(model, &mut out);
    out.extend(super::units::check(model));
    out.sort_by_key(|finding| finding.severity);
    out
}

/// Passes a model that has no error.
///
/// # Errors
/// The first error among the findings.
pub fn require(model: &Model) -> Result<(), ModelError> {
    let mut out = Vec::new();
    names::check(model, &mut out);
    structure::check(model, &mut out);
    match out.into_iter().find(|finding| finding.severity == Severity::Error) {
        Some(finding) => Err(finding.error),
        None => Ok(()),
    }
}
