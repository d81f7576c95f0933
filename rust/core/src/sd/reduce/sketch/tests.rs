use proptest::prelude::*;

use super::*;

/// Values of a shape that sketches find hard or easy.
fn stream(kind: u32, n: usize) -> Vec<f64> {
    let golden = |k: usize| (k as f64 * 0.618_033_988_749_894_9).fract();
    (0..n)
        .map(|k| match kind {
            0 => golden(k),
            1 => k as f64,
            2 => -(k as f64),
            3 => libm::exp(20.0 * golden(k)),
            4 => (golden(k) * 5.0).floor(),
            5 => 7.0,
            // Each value in the middle of those before: the worst for sketches.
            6 => (if k % 2 == 0 { 1.0 } else { -1.0 }) / (1.0 + k as f64),
            // Two scenarios far apart, one after the other.
            7 => golden(k) + if k < n / 2 { 0.0 } else { 1e6 },
            _ => (golden(k) - 0.5) * 1e-9 + 1e6,
        })
        .collect()
}

fn extremes(values: &[f64]) -> [f64; 2] {
    [values.iter().copied().fold(f64::INFINITY, f64::min), values.iter().copied().fold(f64::NEG_INFINITY, f64::max)]
}

fn sketch(values: &[f64], portion: usize, share: f64) -> Sketch {
    let (mut own, mut scratch) = (Sketch::default(), Scratch::new(Kernel::detect()));
    for (k, part) in values.chunks(portion).enumerate() {
        own.take(part, extremes(&values[..k * portion]), share, &mut scratch);
    }
    own
}

/// How far the answers are from their ranks, as a share of the values.
fn worst(own: &Sketch, values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len();
    let q: Vec<f64> = (0..=200).map(|k| f64::from(k) / 200.0).collect();
    let mut out = vec![0.0; q.len()];
    own.quantiles(&q, sorted[0], sorted[n - 1], &mut out);
    let mut worst: f64 = 0.0;
    for (q, found) in q.iter().zip(&out) {
        let rank = q * (n - 1) as f64;
        let below = sorted.partition_point(|value| value < found) as f64;
        let through = sorted.partition_point(|value| value <= found) as f64;
        // Between two values the rank of either is right.
        worst = worst.max((below - 1.0 - rank).max(rank - through).max(0.0));
    }
    assert!(out.windows(2).all(|pair| pair[0] <= pair[1]), "{out:?}");
    worst / n as f64
}

/// Greenwald & Khanna (2001), theorem 1, with an error of half the share: 11/share · log2(share · n).
fn most(share: f64, n: u32) -> usize {
    (11.0 / share * (share * f64::from(n)).log2()) as usize
}

#[test]
fn few_values_give_exact_quantiles() {
    let own = sketch(&[3.0, 1.0, 2.0, 5.0], 3, 0.01);
    let mut out = [0.0; 3];
    own.quantiles(&[0.0, 0.5, 0.9], 1.0, 5.0, &mut out);
    // numpy.quantile([3, 1, 2, 5], [0, .5, .9])
    assert_eq!(out, [1.0, 2.5, 4.4]);
    assert_eq!(own.bound(), 0.0);
}

#[test]
fn the_error_keeps_its_bound_for_every_order_of_values() {
    for kind in 0..9 {
        for portion in [17, 256, 1000] {
            let values = stream(kind, 40_000);
            let own = sketch(&values, portion, 0.01);
            let (bound, found) = (own.bound(), worst(&own, &values));
            assert!(bound <= 0.01, "{kind} {portion}: {bound}");
            assert!(found <= bound + 1e-12, "{kind} {portion}: {found} {bound}");
            assert!(own.edges.len() <= most(0.01, 40_000), "{kind} {portion}: {}", own.edges.len());
        }
    }
}

#[test]
fn memory_does_not_grow_with_the_values() {
    let sizes: Vec<usize> =
        [10_000, 100_000, 400_000].iter().map(|&n| sketch(&stream(0, n), 500, 0.01).edges.len()).collect();
    assert!(sizes.iter().all(|&size| size <= room(0.01)), "{sizes:?}");
}

#[test]
fn merging_keeps_the_bound() {
    for kind in 0..9 {
        let values = stream(kind, 60_000);
        let (mut own, mut scratch) = (Sketch::default(), Scratch::new(Kernel::detect()));
        for (k, part) in values.chunks(3_000).enumerate() {
            let before = extremes(&values[..k * 3_000]);
            own.merge(before, &sketch(part, 256, 0.01), extremes(part), 0.01, &mut scratch);
        }
        let (bound, found) = (own.bound(), worst(&own, &values));
        assert!(bound <= 0.01, "{kind}: {bound}");
        assert!(found <= bound + 1e-12, "{kind}: {found} {bound}");
        assert!(own.edges.len() <= most(0.01, 60_000), "{kind}: {}", own.edges.len());
        assert_eq!(own.count, 60_000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_values_in_any_portions_keep_the_bound(
        values in prop::collection::vec(prop_oneof![
            -1e9..1e9f64, (-20i32..20).prop_map(f64::from), Just(0.0), Just(-0.0), Just(f64::MAX), Just(f64::MIN)
        ], 1..4000),
        portion in 1usize..900,
        cut in 0.0..1.0f64,
    ) {
        let middle = (cut * values.len() as f64) as usize;
        let share = 0.02;
        let (mut own, mut scratch) = (sketch(&values[..middle], portion, share), Scratch::new(Kernel::detect()));
        let (first, second) = values.split_at(middle);
        own.merge(extremes(first), &sketch(second, portion, share), extremes(second), share, &mut scratch);
        prop_assert!(own.bound() <= share);
        prop_assert!(worst(&own, &values) <= own.bound() + 1e-12);
        let Parts { exact, edges, counts, slack, guess, count } = own.parts();
        let again = Sketch::from_parts(
            exact.to_vec(), edges.to_vec(), counts.to_vec(), slack.to_vec(), guess.to_vec(), count
        );
        prop_assert_eq!(again, Some(own));
    }
}
