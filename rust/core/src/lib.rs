//! The engines of sembada. This crate knows no Python, reads no file, no clock and no environment.
//!
//! Floors, bottom to top: [`lanes`], [`rng`], [`linalg`], [`par`] → [`resample`], [`moments`] → [`pls`], [`sd`].
//! An import never climbs, and `pls` and `sd` do not know each other.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::format_collect))]

pub mod cancel;
pub mod lanes;
pub mod linalg;
pub mod moments;
pub mod par;
pub mod pls;
pub mod resample;
pub mod rng;
pub mod sd;
