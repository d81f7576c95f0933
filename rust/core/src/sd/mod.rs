//! System dynamics: the typed model, its expression language, and the compiled program that runs it.

pub mod check;
pub mod dialect;
pub mod error;
pub mod expr;
pub mod functions;
pub mod graph;
pub mod model;
pub mod read;
