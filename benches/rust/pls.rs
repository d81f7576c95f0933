//! Bootstrap replicates of a model of the size of the mobile ECSI, beside the bare multiply-adds of their moments.
#![allow(missing_docs, clippy::unwrap_used)]

#[allow(dead_code, unreachable_pub)] // each bench uses what it needs
mod ecsi;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sembada_core::cancel::Control;
use sembada_core::lanes::Kernel;
use sembada_core::pls::{Layout, multiply_adds, replicate};
use sembada_core::resample::Plan;

use ecsi::{EVERYTHING, N, STANDARD};

const REPLICATES: usize = 4096;

fn bootstrap(c: &mut Criterion) {
    let program = ecsi::program();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let mut group = c.benchmark_group("replicate");
    group.throughput(Throughput::Elements(REPLICATES as u64));
    for kernel in Kernel::available() {
        let options = ecsi::options(kernel);
        for (kind, whole) in [("real", false), ("likert", true)] {
            let data = ecsi::data(whole);
            for (set, statistics) in [("standard", &STANDARD[..]), ("everything", &EVERYTHING[..])] {
                let layout = Layout::new(&program, Some(statistics)).unwrap();
                let plan = Plan::bootstrap([3, 4], REPLICATES, 0, &[true; N], None, None).unwrap();
                group.bench_function(format!("{kernel}/{kind}/{set}"), |b| {
                    b.iter(|| replicate(&program, &data, N, &plan, &layout, &options, &pool, &Control::new()).unwrap());
                });
            }
        }
        group.bench_function(format!("{kernel}/limit"), |b| {
            b.iter(|| multiply_adds(kernel, ecsi::multiply_adds_of(REPLICATES)));
        });
    }
    group.finish();
}

criterion_group!(benches, bootstrap);
criterion_main!(benches);
