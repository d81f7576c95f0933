//! The small dense algebra that PLS needs, generic over one or many numbers side by side.

mod cholesky;
mod eigen;
mod lu;

pub use cholesky::{Factor, PIVOT, solve_sized};
pub use eigen::{first_component, symmetric_eigen, symmetric_eigenvalues};
pub use lu::inverse;
