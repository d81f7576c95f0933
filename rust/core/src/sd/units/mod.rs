//! Units of measurement: their algebra, their spellings, and the check that the equations of a model agree with them.

pub mod algebra;
mod check;
mod expression;
mod rules;
pub mod spelling;
#[cfg(test)]
mod tests;

pub use algebra::{Base, Ratio, Unit};
pub use check::{Inferred, check, infer};
pub use spelling::{Registry, UnitError};
