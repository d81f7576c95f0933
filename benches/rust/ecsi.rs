//! A model and data of the size of the mobile ECSI: 250 rows, 24 indicators, 7 constructs, 12 paths.

use sembada_core::lanes::Kernel;
use sembada_core::moments::Missing;
use sembada_core::pls::{Construct, Mode, Options, Preparation, Program, Scheme, Sign, Spec, Statistic};
use sembada_core::rng::{Philox, Stream};

pub const N: usize = 250;
pub const BLOCKS: [usize; 7] = [5, 3, 7, 2, 3, 1, 3];
const PATHS: [(usize, usize); 12] =
    [(0, 1), (0, 4), (0, 6), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4), (4, 5), (4, 6), (5, 6)];

/// Weights, loadings, paths, R² and total effects.
pub const STANDARD: [Statistic; 5] =
    [Statistic::Weights, Statistic::Loadings, Statistic::Paths, Statistic::R2, Statistic::TotalEffects];

/// The same and reliabilities, ratios, effect sizes, every chain of paths, SRMR.
pub const EVERYTHING: [Statistic; 17] = [
    Statistic::Weights,
    Statistic::Loadings,
    Statistic::Paths,
    Statistic::R2,
    Statistic::R2Adjusted,
    Statistic::TotalEffects,
    Statistic::IndirectEffects,
    Statistic::SpecificIndirect,
    Statistic::F2,
    Statistic::Vif,
    Statistic::Alpha,
    Statistic::RhoA,
    Statistic::RhoC,
    Statistic::Ave,
    Statistic::Htmt,
    Statistic::Htmt2,
    Statistic::Srmr,
];

pub fn program() -> Program {
    let mut next = 0;
    let constructs = BLOCKS
        .iter()
        .enumerate()
        .map(|(k, &size)| {
            next += size;
            Construct {
                name: format!("C{k}"),
                mode: Mode::A,
                columns: (next - size..next).collect(),
                fixed: Vec::new(),
                dominant: None,
                reflective: false,
                reliability: None,
            }
        })
        .collect();
    Program::compile(Spec {
        columns: (0..next).map(|k| format!("x{k}")).collect(),
        constructs,
        higher_order: Vec::new(),
        interactions: Vec::new(),
        paths: PATHS.to_vec(),
        links: Vec::new(),
        scheme: Scheme::Path,
        raw: false,
        consistent: None,
        max_iter: 300,
        tol: 1e-7,
    })
    .unwrap()
}

/// Answers that hang together, real or whole from 1 to 10.
pub fn data(whole: bool) -> Vec<f64> {
    let mut out = Vec::new();
    let mut philox = Philox::replicate([1, 2], Stream::Data, 0);
    for _ in 0..N {
        let general = philox.normal();
        for &size in &BLOCKS {
            let score = 0.7 * general + 0.7 * philox.normal();
            for _ in 0..size {
                let value = 6.5 + 1.8 * (0.75 * score + 0.66 * philox.normal());
                out.push(if whole { value.round().clamp(1.0, 10.0) } else { value });
            }
        }
    }
    out
}

pub fn options(kernel: Kernel) -> Options<'static> {
    Options { missing: Missing::Error, weights: None, preparation: &Preparation::None, sign: Sign::None, kernel }
}

/// Multiply-adds of the moments of so many replicates: a bootstrap sample holds 1 - 1/e of the rows.
pub fn multiply_adds_of(replicates: usize) -> u64 {
    let p: usize = BLOCKS.iter().sum();
    (0.632 * (N * p * (p + 1) / 2) as f64 * replicates as f64) as u64
}
