//! ALLOCATE AVAILABLE and ALLOCATE BY PRIORITY: a scarce amount among requests with priorities.
//!
//! Source: vensim.com/documentation/fn_allocate_available.html, fn_allocate_by_priority.html, 24337.html: everyone gets what his
//! curve gives at the one price at which the curves together give what is available. ALLOCATE BY PRIORITY is the same
//! with rectangular curves of one width.

use super::curve::{Curve, Shape, bracket, reach};

/// ALLOCATE AVAILABLE: what each curve receives. Nobody receives more than he asks for; a shortage is shared without remainder.
///
/// A request for a curve of unknown shape makes the result not a number.
pub fn allocate(curves: &[Curve], available: f64, out: &mut [f64]) {
    let total: f64 = curves.iter().map(|curve| curve.quantity).sum();
    if available.is_nan() || total.is_nan() || curves.iter().any(|curve| curve.shape == Shape::Unknown) {
        out.fill(f64::NAN);
        return;
    }
    if available >= total {
        fill(out, curves, |curve| curve.quantity);
        return;
    }
    if available <= 0.0 {
        out.fill(0.0);
        return;
    }
    share(curves, available, out);
    if curves.iter().any(|curve| curve.whole) {
        round_to_units(available, out);
    }
}

fn fill(out: &mut [f64], curves: &[Curve], value: impl Fn(&Curve) -> f64) {
    for (place, curve) in out.iter_mut().zip(curves) {
        *place = value(curve);
    }
}

fn share(curves: &[Curve], available: f64, out: &mut [f64]) {
    // Fixed quantities know no price: with any of them in a shortage all are cut in proportion (allocate_ptype.dat, type 0).
    if curves.iter().any(|curve| curve.shape == Shape::Fixed) {
        let total: f64 = curves.iter().map(|curve| curve.quantity).sum();
        fill(out, curves, |curve| curve.quantity * (available / total));
        return;
    }
    let at = |price: f64| curves.iter().map(|curve| curve.demand(price)).sum::<f64>();
    let (mut low, mut high) = reach(curves.iter());
    // The tails of the normal and the exponential curve go on for ever.
    let mut step = (high - low).max(1.0);
    while at(low) < available {
        low -= step;
        step *= 2.0;
    }
    step = (high - low).max(1.0);
    while at(high) > available {
        high += step;
        step *= 2.0;
    }
    let (low, high) = bracket(low, high, |price| at(price) - available);
    // Where curves jump, the two sides of the price are mixed so that what is available is given, no more and no less.
    let (more, less) = (at(low), at(high));
    let weight = if more > less { ((available - less) / (more - less)).clamp(0.0, 1.0) } else { 0.0 };
    fill(out, curves, |curve| {
        let (upper, lower) = (curve.demand(low), curve.demand(high));
        lower + weight * (upper - lower)
    });
}

/// Whole units: each share is cut to whole units, and the units left over go where the cut was largest, the first among
/// equals. Vensim says only that the result is whole; the method of largest remainders keeps the sum (choice of ours).
fn round_to_units(available: f64, out: &mut [f64]) {
    let units = (available + 1e-9).floor();
    let mut left = units;
    let mut cuts: Vec<(usize, f64)> = Vec::with_capacity(out.len());
    for (place, share) in out.iter_mut().enumerate() {
        // A share that is whole but for rounding counts as whole.
        let whole = (*share + 1e-9).floor();
        cuts.push((place, *share - whole));
        *share = whole;
        left -= whole;
    }
    cuts.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    for (place, cut) in cuts {
        if left < 0.5 || cut <= 1e-9 {
            break;
        }
        out[place] += 1.0;
        left -= 1.0;
    }
}

/// ALLOCATE BY PRIORITY(request, priority, size, width, supply).
pub fn allocate_by_priority(requests: &[f64], priorities: &[f64], width: f64, supply: f64, out: &mut [f64]) {
    let curves: Vec<Curve> = requests
        .iter()
        .zip(priorities)
        .map(|(&request, &priority)| Curve::new(request, [1.0, priority, width, 0.0]))
        .collect();
    allocate(&curves, supply, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn given(requests: &[f64], profiles: &[[f64; 4]], available: f64) -> Vec<f64> {
        let curves: Vec<Curve> = requests.iter().zip(profiles).map(|(&q, &p)| Curve::new(q, p)).collect();
        let mut out = vec![0.0; requests.len()];
        allocate(&curves, available, &mut out);
        out
    }

    fn assert_near(ours: &[f64], vensim: &[f64], at: f64) {
        // The rule of the reference tests: Vensim prints six digits and searches to about 1e-6 of the amount.
        for (x, y) in ours.iter().zip(vensim) {
            assert!((x - y).abs() <= 1e-5 + 1e-5 * y.abs() + at * 2e-6, "{ours:?} {vensim:?}");
        }
    }

    #[test]
    fn every_type_of_curve_agrees_with_vensim() {
        // reference/sd/sdeverywhere/allocate_ptype/allocate_ptype.dat: alloc3 and alloc4, types 0 to 4.
        let profile = |kind: f64| [[kind, 0.1, 0.5, 0.0], [kind, 0.9, 0.5, 0.0]];
        let third = [[40.0, 60.0], [0.0, 100.0], [0.0, 99.9998], [3.87908, 96.1207], [11.863, 88.1368]];
        let fourth = [[80.0, 20.0], [50.0, 50.0], [49.9999, 50.0], [57.4714, 42.5285], [58.6115, 41.3884]];
        for (kind, (third, fourth)) in third.iter().zip(&fourth).enumerate() {
            assert_near(&given(&[200.0, 300.0], &profile(kind as f64), 100.0), third, 100.0);
            assert_near(&given(&[200.0, 50.0], &profile(kind as f64), 100.0), fourth, 100.0);
            assert_eq!(given(&[40.0, 60.0], &profile(kind as f64), 100.0), [40.0, 60.0]);
        }
    }

    #[test]
    fn normal_curves_agree_with_vensim_over_a_ramp() {
        // reference/sd/sdeverywhere/allocate/allocate.dat, supply = 10·t/12 at t = 1, 5, 9, 10.
        let profiles = [[3.0, 1.0, 1.0, 1.0], [3.0, 2.0, 1.0, 1.0], [3.0, 3.0, 1.0, 1.0]];
        for (time, vensim) in [
            (1.0, [0.00613038, 0.0611702, 0.766029]),
            (5.0, [0.306989, 0.788443, 3.07123]),
            (9.0, [1.77102, 1.78073, 3.94825]),
            (10.0, [2.40653, 1.93559, 3.99121]),
        ] {
            assert_near(&given(&[3.0, 2.0, 4.0], &profiles, time * 10.0 / 12.0), &vensim, 1.0);
        }
    }

    #[test]
    fn by_priority_agrees_with_vensim() {
        let by_priority = |requests: &[f64], priorities: &[f64], width: f64, supply: f64| {
            let mut out = vec![0.0; requests.len()];
            allocate_by_priority(requests, priorities, width, supply, &mut out);
            out
        };
        // reference/sd/sdeverywhere/allocate_by_priority: t = 5 and 9.
        let ours = by_priority(&[3.0, 2.0, 4.0], &[1.0, 2.0, 3.0], 1.0, 50.0 / 12.0);
        assert_near(&ours, &[0.0, 0.166667, 4.0], 1.0);
        let ours = by_priority(&[3.0, 2.0, 4.0], &[1.0, 2.0, 3.0], 1.0, 7.5);
        assert_near(&ours, &[1.5, 2.0, 4.0], 1.0);
        // reference/sd/test-models/tests/allocate_by_priority/output.tab: allocation2D[B], allocation3D[Y,E] at t = 0, allocation4d at 0.75.
        let ours = by_priority(&[8.0, 1.0, 3.0, 4.0, 0.0], &[5.0, 3.0, 0.0, 1.5, 4.0], 3.0, 10.0);
        assert_near(&ours, &[8.0, 0.8, 0.0, 1.2, 0.0], 1.0);
        let ours = by_priority(&[10.0, 20.0, 5.0], &[0.1, 0.3, 0.8], 10.0, 1.0);
        assert_near(&ours, &[0.0714286, 0.542857, 0.385714], 1.0);
        let ours = by_priority(&[8.0, 5.0, 6.0, 4.0, 7.0], &[1.5, 3.0, 0.0, 1.5, 4.0], 5.0, 2.25);
        assert_near(&ours, &[0.0, 0.354167, 0.0, 0.0, 1.89583], 1.0);
    }

    #[test]
    fn whole_units_are_whole_and_add_up() {
        let profiles = [[13.0, 1.0, 1.0, 0.0], [13.0, 1.2, 1.0, 0.0], [13.0, 0.9, 1.0, 0.0]];
        let out = given(&[5.0, 5.0, 5.0], &profiles, 7.0);
        assert!(out.iter().all(|x| x.fract() == 0.0), "{out:?}");
        assert_eq!(out.iter().sum::<f64>(), 7.0);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nobody_gets_more_than_asked(
            requests in prop::collection::vec(0.0f64..50.0, 1..8), kind in 0u8..5,
            priorities in prop::collection::vec(-3.0f64..3.0, 8), width in 0.0f64..3.0, available in 0.0f64..300.0,
        ) {
            let profiles: Vec<[f64; 4]> = priorities.iter().map(|&p| [f64::from(kind), p, width, 0.0]).collect();
            let out = given(&requests, &profiles, available);
            let total: f64 = requests.iter().sum();
            let sum: f64 = out.iter().sum();
            prop_assert!((sum - available.min(total)).abs() <= 1e-9 * (1.0 + total), "{sum} of {available}, {total}");
            for (got, asked) in out.iter().zip(&requests) {
                prop_assert!(*got >= 0.0 && *got <= asked * (1.0 + 1e-12));
            }
        }

        #[test]
        fn more_supply_takes_from_nobody(
            requests in prop::collection::vec(0.1f64..50.0, 2..6), kind in 0u8..5,
            priorities in prop::collection::vec(-3.0f64..3.0, 6), width in 0.0f64..3.0, first in 0.0f64..100.0, more in 0.0f64..100.0,
        ) {
            let profiles: Vec<[f64; 4]> = priorities.iter().map(|&p| [f64::from(kind), p, width, 0.0]).collect();
            let (before, after) = (given(&requests, &profiles, first), given(&requests, &profiles, first + more));
            for (a, b) in before.iter().zip(&after) {
                prop_assert!(*b >= a - 1e-9 * (1.0 + a));
            }
        }
    }
}
