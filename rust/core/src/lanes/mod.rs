//! The number types of both engines (one, or many side by side), their elementary functions, and dispatch by processor.

mod aligned;
mod kernel;
pub mod math;
mod real;

pub use aligned::Aligned;
pub use kernel::{Kernel, UnknownKernel};
#[cfg(target_arch = "x86_64")]
pub use real::{Avx2, Avx512};
pub use real::{LISTED, Pack, Real};
