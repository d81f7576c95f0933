//! The small dense algebra that PLS needs.
