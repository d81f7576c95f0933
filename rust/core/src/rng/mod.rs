//! Counter-based random numbers: a draw is a pure function of a key and a counter.

mod normal;
mod philox;

pub use normal::quantile as normal_quantile;
pub use philox::{Philox, Stream};
