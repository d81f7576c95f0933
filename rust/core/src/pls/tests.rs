//! The engine against the slow, obvious algorithm on raw rows, and against itself.

use proptest::prelude::*;

use super::spec::tests::simple;
use super::*;
use crate::cancel::Control;
use crate::lanes::Kernel;
use crate::moments::Missing;
use crate::resample::Plan;
use crate::rng::{Philox, Stream};

fn data(n: usize, columns: usize, seed: u64, whole: bool) -> Vec<f64> {
    let mut philox = Philox::replicate([seed, 7], Stream::Data, 0);
    (0..n)
        .flat_map(|_| {
            let general = philox.normal();
            (0..columns)
                .map(|_| {
                    let value = 4.0 + 1.2 * general + philox.normal();
                    if whole { value.round() } else { value }
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Mode A, path scheme, on score vectors, as a textbook writes it.
struct Oracle {
    weights: Vec<f64>,
    paths: Vec<f64>,
    r2: Vec<f64>,
}

fn standardised(column: &[f64]) -> Vec<f64> {
    let n = column.len() as f64;
    let mean = column.iter().sum::<f64>() / n;
    let sd = (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    column.iter().map(|x| (x - mean) / sd).collect()
}

fn covariance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>() / (a.len() as f64 - 1.0)
}

fn regression(y: &[f64], xs: &[&Vec<f64>]) -> Vec<f64> {
    let k = xs.len();
    let a: Vec<f64> = (0..k * k).map(|i| covariance(xs[i / k], xs[i % k])).collect();
    let inverse = crate::linalg::inverse(&a, k).unwrap();
    (0..k).map(|i| (0..k).map(|q| inverse[i * k + q] * covariance(xs[q], y)).sum()).collect()
}

fn oracle(spec: &Spec, rows: &[Vec<f64>]) -> Oracle {
    let z: Vec<Vec<f64>> =
        (0..spec.columns.len()).map(|c| standardised(&rows.iter().map(|row| row[c]).collect::<Vec<_>>())).collect();
    let n = rows.len();
    let j = spec.constructs.len();
    let mut w: Vec<Vec<f64>> = spec.constructs.iter().map(|c| vec![1.0; c.columns.len()]).collect();
    let mut scores: Vec<Vec<f64>> = Vec::new();
    for _ in 0..spec.max_iter {
        scores.clear();
        for (construct, w) in spec.constructs.iter().zip(&mut w) {
            let raw: Vec<f64> =
                (0..n).map(|i| construct.columns.iter().zip(w.iter()).map(|(&c, w)| w * z[c][i]).sum()).collect();
            let sd = covariance(&raw, &raw).sqrt();
            for w in w.iter_mut() {
                *w /= sd;
            }
            scores.push(raw.iter().map(|x| x / sd).collect());
        }
        let mut change = 0.0;
        let mut fresh = Vec::new();
        for a in 0..j {
            let predictors: Vec<usize> = spec.paths.iter().filter(|p| p.1 == a).map(|p| p.0).collect();
            let mut inner = vec![0.0; n];
            if !predictors.is_empty() {
                let xs: Vec<&Vec<f64>> = predictors.iter().map(|&p| &scores[p]).collect();
                for (b, x) in regression(&scores[a], &xs).iter().zip(xs) {
                    inner.iter_mut().zip(x).for_each(|(y, x)| *y += b * x);
                }
            }
            for path in spec.paths.iter().filter(|p| p.0 == a) {
                let c = covariance(&scores[a], &scores[path.1]);
                inner.iter_mut().zip(&scores[path.1]).for_each(|(y, x)| *y += c * x);
            }
            let new: Vec<f64> = spec.constructs[a].columns.iter().map(|&c| covariance(&z[c], &inner)).collect();
            let raw: Vec<f64> =
                (0..n).map(|i| spec.constructs[a].columns.iter().zip(&new).map(|(&c, w)| w * z[c][i]).sum()).collect();
            let sd = covariance(&raw, &raw).sqrt();
            fresh.push(new.iter().map(|w| w / sd).collect::<Vec<f64>>());
        }
        for (old, new) in w.iter_mut().zip(fresh) {
            change += old.iter().zip(&new).map(|(a, b)| (a - b).abs()).sum::<f64>();
            *old = new;
        }
        if change < spec.tol {
            break;
        }
    }
    let scores: Vec<Vec<f64>> = spec
        .constructs
        .iter()
        .zip(&w)
        .map(|(c, w)| (0..n).map(|i| c.columns.iter().zip(w).map(|(&c, w)| w * z[c][i]).sum()).collect())
        .collect();
    let mut paths = vec![0.0; spec.paths.len()];
    let mut r2 = Vec::new();
    for to in 0..j {
        let list: Vec<usize> = (0..spec.paths.len()).filter(|&e| spec.paths[e].1 == to).collect();
        if list.is_empty() {
            continue;
        }
        let xs: Vec<&Vec<f64>> = list.iter().map(|&e| &scores[spec.paths[e].0]).collect();
        let b = regression(&scores[to], &xs);
        r2.push(b.iter().zip(&xs).map(|(b, x)| b * covariance(x, &scores[to])).sum());
        for (e, b) in list.into_iter().zip(b) {
            paths[e] = b;
        }
    }
    Oracle { weights: w.concat(), paths, r2 }
}

fn options(kernel: Kernel) -> Options<'static> {
    Options { missing: Missing::Error, weights: None, preparation: &Preparation::None, sign: Sign::None, kernel }
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

fn model() -> Spec {
    let mut spec = simple(&[3, 2, 1, 4], &[(0, 1), (0, 2), (1, 3), (2, 3), (0, 3)]);
    spec.tol = 1e-12;
    spec
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Rounding of sums over 40 rows is about 1e-14; 1e-9 leaves room for ill-conditioned samples.
    #[test]
    fn every_kernel_agrees_with_the_textbook_on_raw_rows(seed in 0u64..1000, whole in any::<bool>()) {
        let spec = model();
        let (n, p) = (40, spec.columns.len());
        let data = data(n, p, seed, whole);
        let program = Program::compile(spec.clone()).unwrap();
        let statistics = [Statistic::Weights, Statistic::Paths, Statistic::R2];
        let layout = Layout::new(&program, Some(&statistics)).unwrap();
        let plan = Plan::bootstrap([seed, 1], 11, 0, &vec![true; n], None, None).unwrap();
        for kernel in Kernel::available() {
            let found =
                replicate(&program, &data, n, &plan, &layout, &options(kernel), &pool(1), &Control::new()).unwrap();
            for b in 0..11 {
                let mut w = vec![0.0; n];
                plan.weights(Kernel::Portable, b, &mut crate::resample::Scratch::default(), &mut w);
                let rows: Vec<Vec<f64>> = (0..n)
                    .flat_map(|i| vec![data[i * p..(i + 1) * p].to_vec(); w[i] as usize])
                    .collect();
                if found.status[b][0] != 0 {
                    continue;
                }
                let oracle = oracle(&spec, &rows);
                let expected = [oracle.weights, oracle.paths, oracle.r2].concat();
                for (x, y) in found.values[b * layout.width..].iter().zip(&expected) {
                    prop_assert!((x - y).abs() < 1e-9, "{kernel}: {x} {y}");
                }
            }
        }
    }

    #[test]
    fn kernels_agree_and_threads_change_no_bit(seed in 0u64..1000, whole in any::<bool>()) {
        let program = Program::compile(model()).unwrap();
        let n = 60;
        let data = data(n, 10, seed, whole);
        // A geometric mean turns the last bit of a correlation that is exactly zero into a visible number.
        let statistics: Vec<Statistic> =
            Statistic::ALL.iter().copied().filter(|&s| !(whole && s == Statistic::Htmt2)).collect();
        let layout = Layout::new(&program, Some(&statistics)).unwrap();
        let inflation = [Statistic::Vif, Statistic::ItemVif].map(|s| layout.entry(s).unwrap());
        let plan = Plan::bootstrap([seed, 2], 150, 0, &vec![true; n], None, None).unwrap();
        let run = |kernel, threads| {
            let control = Control::new();
            replicate(&program, &data, n, &plan, &layout, &options(kernel), &pool(threads), &control).unwrap()
        };
        let portable = run(Kernel::Portable, 1);
        for kernel in Kernel::available() {
            let (one, three) = (run(kernel, 1), run(kernel, 3));
            prop_assert!(one.values.iter().zip(&three.values).all(|(a, b)| a.to_bits() == b.to_bits()));
            prop_assert_eq!(&one.status, &portable.status);
            for (one, other) in one.values.chunks(layout.width).zip(portable.values.chunks(layout.width)) {
                // Rounding of the correlations, some 1e-15, reaches coefficients times the inflation of variance.
                let inflated =
                    inflation.iter().flat_map(|e| &other[e.start..e.start + e.labels.len()]).fold(1.0, |a: f64, b| a.max(*b));
                for entry in &layout.entries {
                    // Logarithms of correlations near zero: rounding counts relative to the smallest of them.
                    let base = if entry.statistic == Statistic::Htmt2 { 1e-9 } else { 1e-12 };
                    for k in entry.start..entry.start + entry.labels.len() {
                        let (a, b) = (one[k], other[k]);
                        let same = a == b || (a.is_nan() && b.is_nan());
                        let allowed = base * inflated * b.abs().max(1.0);
                        prop_assert!(same || (a - b).abs() <= allowed, "{kernel} {:?}: {a} {b}", entry.statistic);
                    }
                }
            }
        }
    }
}

#[test]
fn leaving_out_by_subtraction_is_leaving_out() {
    let program = Program::compile(model()).unwrap();
    let n = 30;
    let data = data(n, 10, 5, false);
    let layout = Layout::new(&program, Some(&[Statistic::Paths, Statistic::Loadings])).unwrap();
    let run = |plan: &Plan| {
        let options = options(Kernel::detect());
        replicate(&program, &data, n, plan, &layout, &options, &pool(1), &Control::new()).unwrap().values
    };
    let folds: Vec<usize> = (0..n).map(|row| row % 5).collect();
    let without = |leave: &dyn Fn(usize, usize) -> bool, count: usize| Plan::Weights {
        weights: (0..count * n).map(|k| f64::from(u8::from(!leave(k / n, k % n)))).collect(),
    };
    for (fast, slow) in [
        (Plan::Jackknife, without(&|b, row| b == row, n)),
        (Plan::Folds { folds: folds.clone(), count: 5 }, without(&|b, row| folds[row] == b, 5)),
    ] {
        // Both sum the same thirty rows in another order.
        assert!(run(&fast).iter().zip(run(&slow)).all(|(a, b)| (a - b).abs() < 1e-9));
    }
}

#[test]
fn a_permuted_group_by_subtraction_is_that_group() {
    let program = Program::compile(model()).unwrap();
    let n = 50;
    let data = data(n, 10, 9, false);
    let layout = Layout::new(&program, Some(&[Statistic::Paths, Statistic::Loadings])).unwrap();
    for kernel in Kernel::available() {
        let run = |plan: &Plan| {
            replicate(&program, &data, n, plan, &layout, &options(kernel), &pool(1), &Control::new()).unwrap().values
        };
        for sizes in [vec![20, 30], vec![30, 20], vec![30, 10], vec![20, 15, 15]] {
            let rows: Vec<u32> = (0..sizes.iter().sum::<usize>() as u32).collect();
            let plan = Plan::Permutation { key: [1, 2], permutations: 7, first: 3, sizes, rows };
            let mut weights = vec![0.0; plan.replicates(n) * n];
            for (replicate, weights) in weights.chunks_mut(n).enumerate() {
                plan.weights(kernel, replicate, &mut crate::resample::Scratch::default(), weights);
            }
            let slow = run(&Plan::Weights { weights });
            // Both sum the same fifty rows in another order; the iteration's tolerance is 1e-12.
            assert!(run(&plan).iter().zip(slow).all(|(a, b)| (a - b).abs() < 1e-9), "{kernel}");
        }
    }
}

#[test]
fn a_constant_column_is_named_and_hides_no_other_replicate() {
    let program = Program::compile(model()).unwrap();
    let n = 20;
    let mut data = data(n, 10, 6, false);
    for row in 0..n {
        data[row * 10 + 4] = f64::from(u8::from(row == 0));
    }
    let indices: Vec<u32> = (0..n as u32).chain((0..n as u32).map(|row| row.max(1))).collect();
    let plan = Plan::Indices { indices, size: n };
    let layout = Layout::new(&program, Some(&[Statistic::Paths])).unwrap();
    let found =
        replicate(&program, &data, n, &plan, &layout, &options(Kernel::detect()), &pool(1), &Control::new()).unwrap();
    assert_eq!(found.status, [[0, -1], [Status::ZeroVariance as i32, 4]]);
    assert!(found.values[..layout.width].iter().all(|v| v.is_finite()));
    assert!(found.values[layout.width..].iter().all(|v| v.is_nan()));
}

#[test]
fn weights_as_counts_are_repeated_rows() {
    let program = Program::compile(model()).unwrap();
    let layout = Layout::new(&program, None).unwrap();
    let (n, p) = (25, 10);
    let data = data(n, p, 8, false);
    let counts: Vec<f64> = (0..n).map(|row| (row % 3) as f64).collect();
    let repeated: Vec<f64> =
        (0..n).flat_map(|row| vec![data[row * p..(row + 1) * p].to_vec(); row % 3].concat()).collect();
    let weighted = Options { weights: Some(&counts), ..options(Kernel::Portable) };
    let a = fit(&program, &data, n, &layout, &weighted).unwrap();
    let b = fit(&program, &repeated, repeated.len() / p, &layout, &options(Kernel::Portable)).unwrap();
    assert_eq!(a.n_obs, b.n_obs);
    assert!(a.values.iter().zip(&b.values).all(|(x, y)| (x - y).abs() < 1e-9 * y.abs().max(1.0)));
}
