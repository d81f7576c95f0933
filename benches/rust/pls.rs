//! Bootstrap replicates of a model of the size of the mobile ECSI, beside the bare multiply-adds of their moments.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sembada_core::cancel::Control;
use sembada_core::lanes::Kernel;
use sembada_core::moments::Missing;
use sembada_core::pls::{
    Construct, Layout, Mode, Options, Preparation, Program, Scheme, Sign, Spec, Statistic, multiply_adds, replicate,
};
use sembada_core::resample::Plan;
use sembada_core::rng::{Philox, Stream};

const N: usize = 250;
const BLOCKS: [usize; 7] = [5, 3, 7, 2, 3, 1, 3];
const PATHS: [(usize, usize); 12] =
    [(0, 1), (0, 4), (0, 6), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4), (4, 5), (4, 6), (5, 6)];
const REPLICATES: usize = 4096;

fn program() -> Program {
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

fn data(whole: bool) -> Vec<f64> {
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

fn bootstrap(c: &mut Criterion) {
    let program = program();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let standard = [Statistic::Weights, Statistic::Loadings, Statistic::Paths, Statistic::R2, Statistic::TotalEffects];
    let everything: Vec<Statistic> =
        Statistic::ALL.iter().copied().filter(|s| !matches!(s, Statistic::DG | Statistic::Nfi)).collect();
    let mut group = c.benchmark_group("replicate");
    group.throughput(Throughput::Elements(REPLICATES as u64));
    for kernel in Kernel::available() {
        for (kind, whole) in [("real", false), ("likert", true)] {
            let data = data(whole);
            for (set, statistics) in [("standard", &standard[..]), ("everything", &everything[..])] {
                let layout = Layout::new(&program, Some(statistics)).unwrap();
                let plan = Plan::bootstrap([3, 4], REPLICATES, 0, &[true; N], None, None).unwrap();
                let options = Options {
                    missing: Missing::Error,
                    weights: None,
                    preparation: &Preparation::None,
                    sign: Sign::None,
                    kernel,
                };
                group.bench_function(format!("{kernel}/{kind}/{set}"), |b| {
                    b.iter(|| replicate(&program, &data, N, &plan, &layout, &options, &pool, &Control::new()));
                });
            }
        }
        let p: usize = BLOCKS.iter().sum();
        let each = 0.632 * (N * p * (p + 1) / 2) as f64;
        group.bench_function(format!("{kernel}/limit"), |b| {
            b.iter(|| multiply_adds(kernel, (each * REPLICATES as f64) as u64));
        });
    }
    group.finish();
}

criterion_group!(benches, bootstrap);
criterion_main!(benches);
