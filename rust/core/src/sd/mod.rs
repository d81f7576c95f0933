//! System dynamics: the typed model, its expression language, and the compiled program that runs it.

pub mod check;
pub mod dialect;
pub mod error;
pub mod expr;
pub mod functions;
pub mod graph;
pub mod loops;
pub mod model;
pub mod read;
mod signs;
#[cfg(test)]
pub(crate) mod testing;
pub mod units;
