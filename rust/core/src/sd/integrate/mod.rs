//! Runs of a program: memory for a block of runs, and the methods that carry it through time.

mod adaptive;
mod block;
mod loops;
mod memory;
mod timed;
mod watch;

pub use block::{Block, Sink};
pub use watch::Snapshot;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ending {
    /// The time at which something was first not finite; NaN if the run is complete.
    pub time: f64,
    /// What: the number of a state, or the number of states plus the number of a saved column; −1 if nothing.
    pub variable: i32,
    /// Everything was finite, but the adaptive method could not keep its tolerance with any step that the clock resolves.
    pub stalled: bool,
}

impl Ending {
    /// A run that reached its end.
    pub const COMPLETE: Self = Self { time: f64::NAN, variable: -1, stalled: false };

    /// Whether the run reached its end.
    pub fn complete(self) -> bool {
        self.variable < 0
    }

    /// 0: it did; 1: something was not finite; 2: the step of the adaptive method fell too low.
    pub fn status(self) -> u8 {
        u8::from(!self.complete()) << u8::from(self.stalled)
    }
}
