//! The number types of both engines (one, or many side by side), their elementary functions, and dispatch by processor.

mod kernel;

pub use kernel::{Kernel, UnknownKernel};
