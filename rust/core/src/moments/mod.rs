//! Weighted moments of the data columns: row weights → sums of products → correlations.

mod gather;
mod integer;
mod plain;
mod standardise;
mod table;

pub use gather::{Gather, MOST_ROWS, RowWeights, gather};
pub use integer::{MOST, RowProducts, SIDE};
pub use plain::sums as plain_sums;
pub use standardise::{Standard, standardise};
pub use table::{Missing, Table, TableError, place};
