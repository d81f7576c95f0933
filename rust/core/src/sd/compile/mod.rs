//! From the typed model to a flat graph of scalar operations, and from there to a program.

mod calls;
pub(crate) mod container;
pub mod error;
pub mod flat;
pub mod graph;
pub(crate) mod lower;
pub(crate) mod quick;
pub mod scalar;

pub use error::CompileError;
pub use flat::{Column, Flat, Options, Shaped, flatten};
