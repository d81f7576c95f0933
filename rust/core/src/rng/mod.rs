//! Counter-based random numbers: a draw is a pure function of a key and a counter.

mod bulk;
mod normal;
mod philox;

pub use bulk::fill_indices;
pub use normal::quantile as normal_quantile;
pub use philox::{Philox, Stream};
