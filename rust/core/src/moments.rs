//! Placeholder of the PLS room.
