//! Readings of lookups beyond interpolation: inverse, area, slope, and the share of the area in equal slices.
//!
//! Sources: vensim.com/documentation, LOOKUP INVERT, LOOKUP AREA, LOOKUP SLOPE, and fn_vector_lookup.html, which names all modes.
//! Points are `(x, y)` with x ascending.

/// The value at `x`: linear between the points; beyond them the end values, or the end pieces drawn on.
pub fn value(points: &[(f64, f64)], x: f64, extrapolate: bool) -> f64 {
    let n = points.len();
    if n == 0 || x.is_nan() {
        return f64::NAN;
    }
    if n == 1 {
        return points[0].1;
    }
    if !extrapolate {
        if x <= points[0].0 {
            return points[0].1;
        }
        if x >= points[n - 1].0 {
            return points[n - 1].1;
        }
    }
    let (a, b) = piece(points, x);
    a.1 + (b.1 - a.1) / (b.0 - a.0) * (x - a.0)
}

/// The two points around `x`, the first or last two beyond the ends.
fn piece(points: &[(f64, f64)], x: f64) -> ((f64, f64), (f64, f64)) {
    let after = points.partition_point(|point| point.0 <= x).clamp(1, points.len() - 1);
    (points[after - 1], points[after])
}

/// The value of the last point at or before `x`; before all points the first.
pub fn backward(points: &[(f64, f64)], x: f64) -> f64 {
    if points.is_empty() || x.is_nan() {
        return f64::NAN;
    }
    points[points.partition_point(|point| point.0 <= x).max(1) - 1].1
}

/// The value of the first point at or after `x`; after all points the last.
pub fn forward(points: &[(f64, f64)], x: f64) -> f64 {
    if points.is_empty() || x.is_nan() {
        return f64::NAN;
    }
    points[points.partition_point(|point| point.0 < x).min(points.len() - 1)].1
}

/// LOOKUP INVERT: the first x at which the lookup has the value; outside its values the x of the nearer end, or, with
/// `extrapolate`, where the end piece drawn on would have it.
pub fn invert(points: &[(f64, f64)], y: f64, extrapolate: bool) -> f64 {
    let n = points.len();
    if n == 0 || y.is_nan() {
        return f64::NAN;
    }
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        if (y0 <= y && y <= y1) || (y1 <= y && y <= y0) {
            return if y1 == y0 { x0 } else { x0 + (x1 - x0) * (y - y0) / (y1 - y0) };
        }
    }
    let rising = points[0].1 <= points[n - 1].1;
    let at_start = (y < points[0].1) == rising;
    if extrapolate && n > 1 {
        let (a, b) = if at_start { (points[0], points[1]) } else { (points[n - 2], points[n - 1]) };
        if a.1 != b.1 {
            return a.0 + (b.0 - a.0) * (y - a.1) / (b.1 - a.1);
        }
    }
    if at_start { points[0].0 } else { points[n - 1].0 }
}

/// LOOKUP AREA: the area under the lookup from `start` to `end`, negative when they are the wrong way round; beyond the
/// points it has the end values, or, with `extrapolate`, the end pieces drawn on.
pub fn area(points: &[(f64, f64)], start: f64, end: f64, extrapolate: bool) -> f64 {
    if points.is_empty() || start.is_nan() || end.is_nan() {
        return f64::NAN;
    }
    if end < start {
        return -area(points, end, start, extrapolate);
    }
    let inner = points.iter().map(|point| point.0).filter(|&x| x > start && x < end);
    let (mut x0, mut sum) = (start, 0.0);
    for x1 in inner.chain(std::iter::once(end)) {
        sum += 0.5 * (value(points, x0, extrapolate) + value(points, x1, extrapolate)) * (x1 - x0);
        x0 = x1;
    }
    sum
}

/// LOOKUPAREA(graphical, to, from) of Stella: the area whichever way round the ends are; nothing lies beyond the points, unless
/// the end pieces are drawn on.
pub fn area_inside(points: &[(f64, f64)], start: f64, end: f64, extrapolate: bool) -> f64 {
    moments(points, start, end, extrapolate).0
}

/// LOOKUPMEAN(graphical, to, from) of Stella: the mean of x where each x weighs as much as the graphical has there.
pub fn mean(points: &[(f64, f64)], start: f64, end: f64, extrapolate: bool) -> f64 {
    let (area, moment) = moments(points, start, end, extrapolate);
    moment / area
}

/// The area under the points and its first moment, ∫ y dx and ∫ x·y dx.
fn moments(points: &[(f64, f64)], start: f64, end: f64, extrapolate: bool) -> (f64, f64) {
    if points.len() < 2 || start.is_nan() || end.is_nan() {
        return (f64::NAN, f64::NAN);
    }
    let (low, high) = (start.min(end), start.max(end));
    let (mut area, mut moment) = (0.0, 0.0);
    let last = points.len() - 2;
    for (i, pair) in points.windows(2).enumerate() {
        let (a, b) = (pair[0], pair[1]);
        if a.0 >= b.0 {
            continue;
        }
        let from = if i == 0 && extrapolate { low } else { low.max(a.0) };
        let to = if i == last && extrapolate { high } else { high.min(b.0) };
        if from >= to {
            continue;
        }
        let at = |x: f64| a.1 + (b.1 - a.1) / (b.0 - a.0) * (x - a.0);
        let middle = 0.5 * (from + to);
        // Simpson's rule is exact for x·y, which is quadratic on a piece.
        area += (to - from) * at(middle);
        moment += (to - from) / 6.0 * (from * at(from) + 4.0 * middle * at(middle) + to * at(to));
    }
    (area, moment)
}

/// LOOKUP SLOPE(lookup, x, mode) (vensim.com/documentation/fn_lookup_slope.html): the slope of the piece around `x`, at a point the
/// mean of the pieces before and after it (at an end the one there is). Beyond the points it is zero with mode 0, that of
/// the end piece with mode 1, not available with mode −1; nor is it where several points have this x.
pub fn slope(points: &[(f64, f64)], x: f64, mode: f64) -> f64 {
    let n = points.len();
    if n == 0 || x.is_nan() {
        return f64::NAN;
    }
    let outside = x < points[0].0 || x > points[n - 1].0;
    if outside && mode < -0.5 {
        return f64::NAN;
    }
    if n == 1 || (outside && mode < 0.5) {
        return 0.0;
    }
    let of = |i: usize| (points[i + 1].1 - points[i].1) / (points[i + 1].0 - points[i].0);
    let (from, to) = (points.partition_point(|point| point.0 < x), points.partition_point(|point| point.0 <= x));
    match to - from {
        0 => of(from.clamp(1, n - 1) - 1),
        1 if from == 0 => of(0),
        1 if to == n => of(n - 2),
        1 => 0.5 * (of(from - 1) + of(from)),
        _ => f64::NAN,
    }
}

/// VECTOR LOOKUP(vec, x, xmin, xmax, mode): a vector as the y values of a lookup on equal intervals from `xmin` to
/// `xmax`, read in one of ten ways.
pub fn vector_lookup(vector: &[f64], x: f64, least: f64, most: f64, mode: f64) -> f64 {
    let n = vector.len();
    if n == 0 || most <= least || least.is_nan() || most.is_nan() {
        return f64::NAN;
    }
    let width = (most - least) / (n - 1).max(1) as f64;
    let points: Vec<(f64, f64)> = vector.iter().enumerate().map(|(i, &y)| (least + i as f64 * width, y)).collect();
    match mode.round() {
        0.0 => value(&points, x, false),
        1.0 => area(&points, least, x, false),
        2.0 => backward(&points, x),
        3.0 => value(&points, x, true),
        4.0 => forward(&points, x),
        5.0 => invert(&points, x, false),
        6.0 => slope(&points, x, 0.0),
        7.0 => area(&points, least, x, true),
        8.0 => invert(&points, x, true),
        9.0 => slope(&points, x, 1.0),
        _ => f64::NAN,
    }
}

/// The share of a profile's area in each of `n` equal slices of its range, equal shares where there is no area. Values below zero count as zero.
pub fn masses(profile: &[(f64, f64)], n: usize) -> Vec<f64> {
    let positive: Vec<(f64, f64)> = profile.iter().map(|&(x, y)| (x, y.max(0.0))).collect();
    let (Some(first), Some(last)) = (positive.first(), positive.last()) else {
        return vec![1.0 / n as f64; n];
    };
    let (start, width) = (first.0, (last.0 - first.0) / n as f64);
    let total = area(&positive, first.0, last.0, false);
    if total <= 0.0 || total.is_nan() {
        return vec![1.0 / n as f64; n];
    }
    (0..n).map(|k| area(&positive, start + k as f64 * width, start + (k + 1) as f64 * width, false) / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn area_and_mean_stay_inside_the_points() {
        let triangle = [(0.0, 0.0), (1.0, 1.0), (2.0, 0.0)];
        assert_eq!(area_inside(&triangle, -5.0, 9.0, false), 1.0);
        assert_eq!(area_inside(&triangle, 9.0, -5.0, false), 1.0);
        assert!((mean(&triangle, 0.0, 2.0, false) - 1.0).abs() < 1e-15);
        // ∫ x·x dx / ∫ x dx over [0, 1]
        assert!((mean(&triangle, 0.0, 1.0, false) - 2.0 / 3.0).abs() < 1e-15);
        // Drawn on, the last piece falls below zero: 1 − 1/2.
        assert!((area_inside(&triangle, 0.0, 3.0, true) - 0.5).abs() < 1e-15);
        // A step: two points with one x.
        let step = [(0.0, 1.0), (1.0, 1.0), (1.0, 3.0), (2.0, 3.0)];
        assert_eq!(area_inside(&step, 0.0, 2.0, false), 4.0);
        assert_eq!(mean(&step, 0.0, 2.0, false), (0.5 + 4.5) / 4.0);
    }
    use proptest::prelude::*;

    const POINTS: [(f64, f64); 4] = [(0.0, 0.0), (1.0, 2.0), (3.0, 4.0), (4.0, 4.0)];

    #[test]
    fn the_readings_are_those_of_the_manual() {
        assert_eq!(
            (value(&POINTS, 2.0, false), value(&POINTS, 9.0, false), value(&POINTS, -1.0, true)),
            (3.0, 4.0, -2.0)
        );
        assert_eq!((backward(&POINTS, 2.9), backward(&POINTS, 3.0), backward(&POINTS, -1.0)), (2.0, 4.0, 0.0));
        assert_eq!((forward(&POINTS, 1.1), forward(&POINTS, 1.0), forward(&POINTS, 9.0)), (4.0, 2.0, 4.0));
        assert_eq!((invert(&POINTS, 3.0, false), invert(&POINTS, 4.0, false)), (2.0, 3.0));
        assert_eq!(
            (invert(&POINTS, 9.0, false), invert(&POINTS, -2.0, false), invert(&POINTS, -2.0, true)),
            (4.0, 0.0, -1.0)
        );
        assert_eq!((area(&POINTS, 0.0, 4.0, false), area(&POINTS, 4.0, 0.0, false)), (11.0, -11.0));
        assert_eq!(
            (area(&POINTS, 4.0, 6.0, false), area(&POINTS, -1.0, 0.0, false), area(&POINTS, -1.0, 0.0, true)),
            (8.0, 0.0, -1.0)
        );
        assert_eq!((slope(&POINTS, 0.5, 0.0), slope(&POINTS, 1.0, 0.0), slope(&POINTS, 4.0, 0.0)), (2.0, 1.5, 0.0));
        // The manual's example: LOOK((0,1),(1,2),(2,2.5)) beyond its points and between them.
        let look = [(0.0, 1.0), (1.0, 2.0), (2.0, 2.5)];
        assert!(slope(&look, -1.0, -1.0).is_nan());
        let at = |x: f64, mode: f64| slope(&look, x, mode);
        assert_eq!(
            (at(-1.0, 0.0), at(-1.0, 1.0), at(1.0, 0.0), at(0.5, 0.0), at(1.5, 0.0)),
            (0.0, 1.0, 0.75, 1.0, 0.5)
        );
    }

    #[test]
    fn a_vector_is_a_lookup() {
        let vector = [0.0, 2.0, 6.0];
        let at = |x: f64, mode: f64| vector_lookup(&vector, x, 10.0, 14.0, mode);
        assert_eq!((at(11.0, 0.0), at(13.0, 0.0), at(20.0, 0.0), at(15.0, 3.0)), (1.0, 4.0, 6.0, 8.0));
        assert_eq!(
            (at(14.0, 1.0), at(13.0, 2.0), at(11.0, 4.0), at(4.0, 5.0), at(8.0, 8.0)),
            (10.0, 2.0, 2.0, 13.0, 15.0)
        );
        assert_eq!((at(11.0, 6.0), at(20.0, 6.0), at(20.0, 9.0), at(8.0, 7.0)), (1.0, 0.0, 2.0, 2.0));
        assert!(at(1.0, 10.0).is_nan() && vector_lookup(&[], 1.0, 0.0, 1.0, 0.0).is_nan());
    }

    proptest! {
        #[test]
        fn areas_add_up_and_their_slope_is_the_value(a in -2.0f64..6.0, b in -2.0f64..6.0, c in -2.0f64..6.0, drawn_on: bool) {
            let whole = area(&POINTS, a, c, drawn_on);
            let parts = area(&POINTS, a, b, drawn_on) + area(&POINTS, b, c, drawn_on);
            prop_assert!((whole - parts).abs() < 1e-12 * (1.0 + whole.abs() + parts.abs()) * 10.0);
            let h = 1e-5;
            let derivative = (area(&POINTS, a, b + h, drawn_on) - area(&POINTS, a, b - h, drawn_on)) / (2.0 * h);
            // A central difference across a bend is off by the step times the jump of the slope.
            prop_assert!((derivative - value(&POINTS, b, drawn_on)).abs() < 1e-4);
        }

        #[test]
        fn an_inverse_undoes(y in 0.0f64..4.0) {
            prop_assert!((value(&POINTS, invert(&POINTS, y, false), false) - y).abs() < 1e-12);
        }

        #[test]
        fn masses_are_shares(n in 1usize..40) {
            let shares = masses(&POINTS, n);
            prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12 && shares.iter().all(|&share| share >= 0.0));
        }
    }
}
