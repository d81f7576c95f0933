//! Correlations of the normal variables behind ordinal answers: polychoric and polyserial.
//!
//! Both steps of Olsson (1979), Psychometrika 44, 443–460: thresholds from the margins, then each correlation by
//! maximum likelihood; polyserial after Olsson, Drasgow & Dorans (1982), Psychometrika 47, 337–347.

use super::{Codes, Failure, Grid};
use crate::linalg::symmetric_eigen;
use crate::rng::normal_quantile;

/// A correlation of one has no likelihood.
const LARGEST: f64 = 0.9995;
/// A probability below this is rounding.
const TINY: f64 = 1e-12;
/// Pairwise correlations need not be positive definite: smaller eigenvalues are raised to this.
const SMALLEST: f64 = 1e-6;

/// Gauss–Legendre nodes and weights on (0, 1) (Golub & Welsch 1969; here by Newton's method on the recurrence).
fn legendre(count: usize) -> Vec<(f64, f64)> {
    let n = count as f64;
    (0..count)
        .map(|k| {
            let mut x = libm::cos(std::f64::consts::PI * (k as f64 + 0.75) / (n + 0.5));
            let mut slope = 1.0;
            for _ in 0..100 {
                let (mut before, mut now) = (1.0, x);
                for j in 2..=count {
                    let j = j as f64;
                    (before, now) = (now, ((2.0 * j - 1.0) * x * now - (j - 1.0) * before) / j);
                }
                slope = n * (x * now - before) / (x * x - 1.0);
                let step = now / slope;
                x -= step;
                if step.abs() < 1e-16 {
                    break;
                }
            }
            (0.5 * (1.0 + x), 1.0 / ((1.0 - x * x) * slope * slope))
        })
        .collect()
}

fn distribution(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// Rules of several accuracies: the integrand bends more over a longer way, and near a correlation of one.
#[derive(Clone, Debug)]
pub(super) struct Rules([Vec<(f64, f64)>; 5]);

impl Rules {
    pub(super) fn new() -> Self {
        Self([legendre(3), legendre(6), legendre(12), legendre(24), legendre(48)])
    }

    /// The rule for the way between two angles.
    fn of(&self, from: f64, to: f64) -> &[(f64, f64)] {
        let length = (to - from).abs() / libm::cos(from.abs().max(to.abs()));
        &self.0[[0.004, 0.1, 0.45, 1.3].iter().filter(|&&limit| length > limit).count()]
    }
}

/// Beyond nine standard deviations the density is nothing; the limit keeps infinite thresholds out.
const FAR: f64 = 9.0;

fn inside(x: f64) -> f64 {
    x.clamp(-FAR, FAR)
}

/// Adds `∫ exp(…) dθ / 2π` between two angles to a grid (Plackett 1954): what the bivariate normal distribution
/// function gains from one correlation, the sine of the first angle, to another.
fn advance(rules: &Rules, h: &[f64], k: &[f64], from: f64, to: f64, out: &mut [f64]) {
    let per_angle = (to - from) / (2.0 * std::f64::consts::PI);
    for &(node, weight) in rules.of(from, to) {
        let angle = from + (to - from) * node;
        let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
        let (per, weight) = (0.5 / (cosine * cosine), weight * per_angle);
        for (row, &a) in out.chunks_mut(k.len()).zip(h).filter(|(_, a)| a.abs() < FAR) {
            for (place, &b) in row.iter_mut().zip(k).filter(|(_, b)| b.abs() < FAR) {
                *place += weight * libm::exp(-(a * a + b * b - 2.0 * a * b * sine) * per);
            }
        }
    }
}

/// Bivariate normal distribution function on a grid: Φ(h)Φ(k), and what it gains from no correlation to this one.
pub(super) fn cdf(rules: &Rules, h: &[f64], k: &[f64], rho: f64, out: &mut [f64]) {
    for (row, &a) in out.chunks_mut(k.len()).zip(h) {
        let left = distribution(inside(a));
        for (place, &b) in row.iter_mut().zip(k) {
            *place = left * distribution(inside(b));
        }
    }
    advance(rules, h, k, 0.0, libm::asin(rho), out);
}

fn density(h: f64, k: f64, rho: f64) -> f64 {
    if !h.is_finite() || !k.is_finite() {
        return 0.0;
    }
    let square = 1.0 - rho * rho;
    let (h, k) = (inside(h), inside(k));
    libm::exp(-(h * h + k * k - 2.0 * rho * h * k) / (2.0 * square)) / (2.0 * std::f64::consts::PI * square.sqrt())
}

/// Fisher scoring; steps are halved to stay inside.
fn scoring(start: f64, mut derivatives: impl FnMut(f64) -> (f64, f64)) -> f64 {
    let mut rho = start.clamp(-0.95, 0.95);
    for _ in 0..60 {
        let (score, information) = derivatives(rho);
        let step = (score / information.max(1e-300)).clamp(-0.5, 0.5);
        let new = (rho + step).clamp(f64::midpoint(rho, -LARGEST), f64::midpoint(rho, LARGEST));
        let change = (new - rho).abs();
        rho = new;
        if change.is_nan() || change < 1e-10 {
            break;
        }
    }
    rho
}

fn both(rules: &Rules, counts: &[f64], h: &[f64], k: &[f64], start: f64) -> f64 {
    let (rows, columns) = (h.len() - 1, k.len() - 1);
    let total: f64 = counts.iter().sum();
    let mut corner = vec![0.0; h.len() * k.len()];
    let mut slope = vec![0.0; h.len() * k.len()];
    let mut at: Option<f64> = None;
    scoring(start, |rho| {
        // Each step of the scoring is short: what it changes is cheaper than the whole.
        let angle = libm::asin(rho);
        match at {
            Some(before) => advance(rules, h, k, before, angle, &mut corner),
            None => cdf(rules, h, k, rho, &mut corner),
        }
        at = Some(angle);
        for (row, &a) in slope.chunks_mut(k.len()).zip(h) {
            for (place, &b) in row.iter_mut().zip(k) {
                *place = density(a, b, rho);
            }
        }
        let (mut score, mut information) = (0.0, 0.0);
        for a in 0..rows {
            for b in 0..columns {
                let cell = |values: &[f64]| {
                    let at = |i: usize, j: usize| values[i * k.len() + j];
                    at(a + 1, b + 1) - at(a, b + 1) - at(a + 1, b) + at(a, b)
                };
                let probability = cell(&corner).max(TINY);
                let d = cell(&slope);
                score += counts[a * columns + b] * d / probability;
                information += total * d * d / probability;
            }
        }
        (score, information)
    })
}

fn one(x: &[f64], codes: &[usize], cuts: &[f64], weights: &[f64], start: f64) -> f64 {
    scoring(start, |rho| {
        let root = (1.0 - rho * rho).sqrt();
        let (mut score, mut information) = (0.0, 0.0);
        for ((&x, &code), &w) in x.iter().zip(codes).zip(weights) {
            if w == 0.0 {
                continue;
            }
            let part = |cut: f64| {
                if !cut.is_finite() {
                    return (if cut > 0.0 { 1.0 } else { 0.0 }, 0.0);
                }
                let limit = (cut - rho * x) / root;
                let bell = libm::exp(-0.5 * limit * limit) / (2.0 * std::f64::consts::PI).sqrt();
                (distribution(limit), bell * (cut * rho - x))
            };
            let (high, low) = (part(cuts[code + 1]), part(cuts[code]));
            let slope = (high.1 - low.1) / (root * root * root) / (high.0 - low.0).max(TINY);
            score += w * slope;
            information += w * slope * slope;
        }
        (score, information)
    })
}

/// An ordinal column in one sample: categories that nobody chose are left out.
struct Ordinal {
    codes: Vec<usize>,
    cuts: Vec<f64>,
}

fn ordinal(codes: &Codes, weights: &[f64], total: f64) -> Ordinal {
    let mut count = vec![0.0; codes.count];
    for (row, &w) in weights.iter().enumerate() {
        if w > 0.0 {
            count[codes.of[row]] += w;
        }
    }
    let mut number = vec![0; codes.count];
    let mut cuts = vec![f64::NEG_INFINITY];
    let mut sum = 0.0;
    for (k, &size) in count.iter().enumerate() {
        if size > 0.0 {
            if sum > 0.0 {
                cuts.push(normal_quantile((sum / total).clamp(0.0, 1.0)));
            }
            number[k] = cuts.len() - 1;
            sum += size;
        }
    }
    cuts.push(f64::INFINITY);
    Ordinal { codes: codes.of.iter().map(|&k| if k < number.len() { number[k] } else { 0 }).collect(), cuts }
}

/// Correlations of all columns: polychoric for two ordinal ones, polyserial for mixed pairs, Pearson's for the rest.
pub(super) fn correlations(
    grid: &Grid,
    codes: &[Option<Codes>],
    rules: &Rules,
    weights: &[f64],
) -> Result<(Vec<f64>, Vec<f64>, Vec<f64>), Failure> {
    let (u, n) = (grid.u, grid.n);
    let rows: Vec<usize> = (0..n).filter(|&row| weights[row] > 0.0).collect();
    let total: f64 = rows.iter().map(|&row| weights[row]).sum();
    let mut mean = vec![0.0; u];
    let mut scale = vec![0.0; u];
    let mut z = vec![vec![0.0; n]; u];
    for k in 0..u {
        let sum: f64 = rows.iter().map(|&row| weights[row] * (grid.at(row, k) - grid.shift[k])).sum();
        let offset = sum / total;
        let square: f64 =
            rows.iter().map(|&row| weights[row] * (grid.at(row, k) - grid.shift[k] - offset).powi(2)).sum();
        let size: f64 = rows.iter().map(|&row| weights[row] * (grid.at(row, k) - grid.shift[k]).powi(2)).sum();
        if square.is_nan() || square <= 1e-12 * size {
            return Err(grid.flat(k));
        }
        mean[k] = grid.shift[k] + offset;
        scale[k] = (square / total).sqrt();
        for &row in &rows {
            z[k][row] = (grid.at(row, k) - mean[k]) / scale[k];
        }
    }
    let answers: Vec<Option<Ordinal>> =
        codes.iter().map(|c| c.as_ref().map(|codes| ordinal(codes, weights, total))).collect();
    let mut r = vec![1.0; u * u];
    for a in 0..u {
        for b in 0..a {
            let pearson = rows.iter().map(|&row| weights[row] * z[a][row] * z[b][row]).sum::<f64>() / total;
            let value = match (&answers[a], &answers[b]) {
                (Some(x), Some(y)) => {
                    let width = y.cuts.len() - 1;
                    let mut counts = vec![0.0; (x.cuts.len() - 1) * width];
                    for &row in &rows {
                        counts[x.codes[row] * width + y.codes[row]] += weights[row];
                    }
                    both(rules, &counts, &x.cuts, &y.cuts, pearson)
                }
                (Some(x), None) => one(&z[b], &x.codes, &x.cuts, weights, pearson),
                (None, Some(y)) => one(&z[a], &y.codes, &y.cuts, weights, pearson),
                (None, None) => pearson,
            };
            r[a * u + b] = value;
            r[b * u + a] = value;
        }
    }
    let (values, vectors) = symmetric_eigen(&r, u);
    if values.last().is_some_and(|&value| value < SMALLEST) {
        let mut raised = vec![0.0; u * u];
        for (k, &value) in values.iter().enumerate() {
            for i in 0..u {
                for j in 0..u {
                    raised[i * u + j] += value.max(SMALLEST) * vectors[k * u + i] * vectors[k * u + j];
                }
            }
        }
        for i in 0..u {
            for j in 0..u {
                r[i * u + j] =
                    if i == j { 1.0 } else { raised[i * u + j] / (raised[i * u + i] * raised[j * u + j]).sqrt() };
            }
        }
    }
    Ok((mean, scale, r))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_integrate_polynomials_exactly() {
        for count in [3, 6, 12, 24, 48] {
            let rule = legendre(count);
            for power in [0, 1, 5, 2 * count - 1] {
                let sum: f64 = rule.iter().map(|&(x, w)| w * x.powi(power as i32)).sum();
                assert!((sum - 1.0 / (power as f64 + 1.0)).abs() < 1e-13, "{count} {power} {sum}");
            }
        }
    }

    #[test]
    fn many_short_ways_are_one_long_way() {
        let (h, k) = ([-1.3, 0.2, 2.0, f64::INFINITY], [-0.7, 0.9]);
        let rules = Rules::new();
        for end in [-0.95, 0.3, 0.9] {
            let (mut whole, mut parts) = ([0.0; 8], [0.0; 8]);
            cdf(&rules, &h, &k, end, &mut whole);
            cdf(&rules, &h, &k, 0.0, &mut parts);
            let (mut at, steps) = (0.0, [0.5, 0.9, 0.97, 0.999, 0.9999, 1.0]);
            for share in steps {
                let to = libm::asin(end * share);
                advance(&rules, &h, &k, at, to, &mut parts);
                at = to;
            }
            for (a, b) in whole.iter().zip(parts) {
                assert!((a - b).abs() < 1e-11, "{end}: {a} {b}");
            }
        }
    }

    #[test]
    fn the_quadrant_has_sheppards_probability() {
        // Sheppard (1899): P(X < 0, Y < 0) = 1/4 + asin ρ / 2π.
        for rho in [-0.995, -0.6, 0.0, 0.3, 0.5, 0.79, 0.9, 0.9995] {
            let mut out = [0.0];
            cdf(&Rules::new(), &[0.0], &[0.0], rho, &mut out);
            assert!((out[0] - 0.25 - libm::asin(rho) / (2.0 * std::f64::consts::PI)).abs() < 1e-14);
        }
    }
}
