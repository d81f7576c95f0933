//! PLS path models: one pipeline from row weights to a flat vector of statistics.
//!
//! resample (replicate `i` → row weights) ► moments (weights → sums of products) ► estimate (correlations → weights,
//! loadings, paths) ► statistics (a flat vector with a layout). Products of scores pass through it once more.

mod across;
mod batch;
mod block;
mod copula;
mod each;
mod engine;
mod error;
mod estimate;
mod kernels;
mod layout;
mod losses;
mod predict;
mod prepare;
mod product;
mod program;
mod quality;
mod ratios;
mod spec;
mod statistics;
#[cfg(test)]
mod tests;

pub use copula::{Endogenous, copula};
pub use engine::{Fit, Options, Replicates, fit, replicate};
pub use error::{PlsError, Result, Status};
pub use kernels::multiply_adds;
pub use layout::{Entry, Layout, Statistic};
pub use predict::{Crossed, Request as PredictionRequest, SOURCES, Target, cross_validate, prediction_layout};
pub use prepare::{Moments, Preparation, expectation_maximisation, monotone, polychoric};
pub use program::{Block, FactorOf, Item, Product, Program, Stage};
pub use spec::{Approach, Construct, HigherOrder, Interaction, Method, Mode, Rule, Scale, Scheme, Sign, Spec};
