//! System dynamics: the typed model, its expression language, and the compiled program that runs it.

pub mod check;
pub mod compile;
pub mod dialect;
pub mod error;
pub mod expr;
pub mod functions;
pub mod graph;
pub mod integrate;
pub mod loops;
pub mod model;
#[cfg(test)]
mod oracle;
pub mod pipes;
pub mod program;
pub mod read;
pub mod reduce;
mod signs;
pub mod sweep;
#[cfg(test)]
pub(crate) mod testing;
pub mod units;
pub mod write;
