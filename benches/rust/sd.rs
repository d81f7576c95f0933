//! Sweeps and single runs of model M, and its compilation.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sembada_core::cancel::Control;
use sembada_core::lanes::Kernel;
use sembada_core::sd::compile::Options;
use sembada_core::sd::model::Method;
use sembada_core::sd::program::Program;
use sembada_core::sd::{read, sweep};

const MODEL: &str = include_str!("../compare/models/sme.xmile");

fn options(method: Method) -> Options {
    Options {
        save: Some(["customers", "cash", "price", "quality"].map(str::to_owned).to_vec()),
        varied: ["contact_rate", "construction_delay", "shock_size"].map(str::to_owned).to_vec(),
        time: Some((0.0, 120.0, 0.25, Some(1.0))),
        method: Some(method),
        ..Options::default()
    }
}

fn model_m(criterion: &mut Criterion) {
    let Ok(model) = read::xmile::read(MODEL, "sme.xmile") else { return };
    let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(1).build() else { return };
    let control = Control::new();
    criterion.bench_function("compile M", |bench| {
        bench.iter(|| Program::compile(black_box(&model), &options(Method::Euler), Kernel::detect()).is_ok());
    });
    for (name, method) in [("euler", Method::Euler), ("rk4", Method::Rk4)] {
        let Ok(program) = Program::compile(&model, &options(method), Kernel::detect()) else { continue };
        let design: Vec<f64> = (0..1024u32)
            .flat_map(|row| {
                let share = f64::from(row) / 1024.0;
                [0.03 + 0.05 * share, 3.0 + 6.0 * share, 0.35 * share]
            })
            .collect();
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(1024 * program.steps()));
        group.bench_function("sweep of 1024", |bench| {
            bench.iter(|| sweep::sweep(&program, black_box(&design), 1024, 0, [0, 0], 0, &pool, &control).is_ok());
        });
        group.throughput(Throughput::Elements(program.steps()));
        group.bench_function("one run", |bench| {
            bench.iter(|| sweep::run(&program, black_box(&design[..3]), 0, [0, 0], &control).is_ok());
        });
        group.finish();
    }
}

criterion_group!(benches, model_m);
criterion_main!(benches);
