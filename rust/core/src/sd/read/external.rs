//! What a model asks of files: calls that someone outside answers, for core reads no file.

use crate::sd::dialect::Dialect;
use crate::sd::expr::{Expr, ExprKind, print};
use crate::sd::model::{Model, canonical};

/// An answer to a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Constants, one an element, the last subscript fastest.
    Constants(Vec<f64>),
    /// Arguments or times, and for each element a value at each; NaN: no value there.
    Series(Vec<f64>, Vec<Vec<f64>>),
    /// Names of elements.
    Names(Vec<String>),
}

/// Someone who answers calls. The text of a refusal goes into the error's message.
pub trait Resolve {
    /// Answers `function(arguments)` for an equation whose ranging subscripts have these sizes.
    ///
    /// # Errors
    /// Why there is no answer.
    fn resolve(&mut self, function: &str, arguments: &[String], shape: &[usize]) -> Result<Answer, String>;
}

/// A call that waits for a file.
#[derive(Clone, Debug, PartialEq)]
pub struct External {
    /// The variable.
    pub variable: String,
    /// The function.
    pub function: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Sizes of the ranging subscripts.
    pub shape: Vec<usize>,
    /// Line in the file.
    pub line: u32,
}

/// The calls of a model that wait for a file, in the order of the model.
pub fn externals(model: &Model) -> Vec<External> {
    let mut out = Vec::new();
    let sizes = |subscripts: &[String]| {
        let size = |name: &String| {
            let key = canonical(name);
            model.dimensions.iter().find(|one| canonical(&one.name) == key).map(|one| one.elements.len())
        };
        subscripts.iter().filter_map(size).collect()
    };
    for variable in &model.variables {
        for equation in &variable.equations {
            let Some(Expr { kind: ExprKind::Call { function, arguments, .. }, .. }) = &equation.expr else { continue };
            if !reads_file(&canonical(function)) {
                continue;
            }
            out.push(External {
                variable: variable.name.clone(),
                function: function.clone(),
                arguments: texts(arguments),
                shape: sizes(&equation.subscripts),
                line: equation.line,
            });
        }
    }
    out
}

/// Whether a function (by its canonical name) reads a file.
pub(crate) fn reads_file(name: &str) -> bool {
    let source =
        ["get_xls_", "get_direct_", "get_123_", "get_vdf_", "get_odbc_"].iter().any(|start| name.starts_with(start));
    source && ["_constants", "_data", "_lookups"].iter().any(|end| name.ends_with(end))
}

/// Arguments of a call that reads a file: text, or a name or number as it is written.
pub(crate) fn texts(arguments: &[Expr]) -> Vec<String> {
    let text = |argument: &Expr| match &argument.kind {
        ExprKind::Text(text) => text.clone(),
        ExprKind::Reference { name, .. } => name.clone(),
        ExprKind::Missing => String::new(),
        _ => print(argument, Dialect::Vensim),
    };
    arguments.iter().map(text).collect()
}
