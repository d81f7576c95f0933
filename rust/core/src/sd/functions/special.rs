//! Special functions: the logarithm of the gamma function, the incomplete gamma and beta functions and their inverses,
//! the normal distribution, counts of arrangements.
//!
//! Sources: NIST Digital Library of Mathematical Functions (DLMF) §8.2, §8.7, §8.9, §8.17; Lentz's method for continued
//! fractions (Lentz 1976, Applied Optics 15(3); Thompson & Barnett 1986, J. Comput. Phys. 64).

use crate::rng::normal_quantile;

const TINY: f64 = 1e-300;
/// How many terms a series or fraction may need: they converge after a few roots of their largest parameter.
fn rounds(size: f64) -> usize {
    200 + (20.0 * size.max(0.0).sqrt()).min(1e6) as usize
}

/// The logarithm of the absolute value of the gamma function (Vensim `GAMMA LN`, Stella `GAMMALN`).
pub fn gamma_ln(x: f64) -> f64 {
    libm::lgamma(x)
}

/// `n!` (Stella `FACTORIAL`): through the gamma function, so that it is exact up to 22! and infinite after 170!.
pub fn factorial(n: f64) -> f64 {
    if n < 0.0 || n.is_nan() {
        return f64::NAN;
    }
    let n = n.floor();
    if n > 170.0 {
        return f64::INFINITY;
    }
    (1..=n as u32).fold(1.0, |product, k| product * f64::from(k))
}

/// The number of ways to choose `r` of `n` (Stella `COMBINATIONS`).
pub fn combinations(n: f64, r: f64) -> f64 {
    let (n, r) = (n.floor(), r.floor());
    if !(n >= 0.0 && r >= 0.0) {
        return f64::NAN;
    }
    if r > n {
        return 0.0;
    }
    let few = r.min(n - r);
    if few > 1000.0 {
        return libm::exp(gamma_ln(n + 1.0) - gamma_ln(r + 1.0) - gamma_ln(n - r + 1.0));
    }
    // Each partial product is itself a binomial coefficient: exact while it fits 53 bits.
    let mut product = 1.0;
    let mut k = 1.0;
    while k <= few {
        product = product * (n - few + k) / k;
        k += 1.0;
    }
    product
}

/// The number of ordered ways to choose `r` of `n` (Stella `PERMUTATIONS`).
pub fn permutations(n: f64, r: f64) -> f64 {
    let (n, r) = (n.floor(), r.floor());
    if !(n >= 0.0 && r >= 0.0) {
        return f64::NAN;
    }
    if r > n {
        return 0.0;
    }
    let mut product = 1.0_f64;
    let mut k = 0.0;
    while k < r && product.is_finite() {
        product *= n - k;
        k += 1.0;
    }
    product
}

/// The standard normal distribution function, through the complementary error function so that tails keep their digits.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The probability that a normal number falls between two bounds (Stella `NORMALCDF(left, right[, mean[, deviation]])`).
pub fn normal_between(left: f64, right: f64, mean: f64, deviation: f64) -> f64 {
    if deviation <= 0.0 || deviation.is_nan() {
        return f64::NAN;
    }
    let (a, b) = ((left - mean) / deviation, (right - mean) / deviation);
    // On the right of the mean the upper tails are subtracted: both are small there.
    if a > 0.0 { normal_cdf(-a) - normal_cdf(-b) } else { normal_cdf(b) - normal_cdf(a) }
}

/// The normal quantile (Stella `INVNORM(probability[, mean[, deviation]])`).
pub fn inverse_normal(probability: f64, mean: f64, deviation: f64) -> f64 {
    mean + deviation * normal_quantile(probability)
}

/// The regularised incomplete gamma functions `P(a, x)` and `Q(a, x) = 1 − P` (DLMF 8.2.4), each accurate where it is small.
pub fn incomplete_gamma(a: f64, x: f64) -> (f64, f64) {
    if a <= 0.0 || a.is_nan() || x.is_nan() {
        return (f64::NAN, f64::NAN);
    }
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if x == f64::INFINITY {
        return (1.0, 0.0);
    }
    let front = libm::exp(a * libm::log(x) - x - gamma_ln(a));
    if x < a + 1.0 {
        // DLMF 8.7.1, the power series.
        let mut term = 1.0 / a;
        let mut sum = term;
        let mut k = a;
        for _ in 0..rounds(a) {
            k += 1.0;
            term *= x / k;
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        let p = (front * sum).min(1.0);
        return (p, 1.0 - p);
    }
    // DLMF 8.9.2, the continued fraction of Q.
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for i in 1..rounds(a) {
        let i = i as f64;
        let numerator = -i * (i - a);
        b += 2.0;
        d = 1.0 / away_from_zero(numerator * d + b);
        c = away_from_zero(b + numerator / c);
        let change = c * d;
        fraction *= change;
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    let q = (front * fraction).min(1.0);
    (1.0 - q, q)
}

fn away_from_zero(x: f64) -> f64 {
    if x.abs() < TINY { TINY } else { x }
}

/// The regularised incomplete beta function `I_x(a, b)` (DLMF 8.17.2) by the continued fraction 8.17.22.
pub fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if !(a > 0.0 && b > 0.0) || x.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = libm::exp(gamma_ln(a + b) - gamma_ln(a) - gamma_ln(b) + a * libm::log(x) + b * libm::log1p(-x));
    // The fraction converges fast left of the mean; right of it the mirrored function does (DLMF 8.17.4).
    let value = if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(x, a, b) / a
    } else {
        1.0 - front * beta_fraction(1.0 - x, b, a) / b
    };
    value.clamp(0.0, 1.0)
}

fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..rounds(a.max(b)) {
        let m = m as f64;
        for numerator in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / away_from_zero(1.0 + numerator * d);
            c = away_from_zero(1.0 + numerator / c);
            fraction *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

/// The `x` at which an increasing `distance` is zero, between `low` and `high`: Newton's step where it stays inside, else halving.
fn solve(mut low: f64, mut high: f64, start: f64, distance: impl Fn(f64) -> f64, slope: impl Fn(f64) -> f64) -> f64 {
    let mut x = if start > low && start < high { start } else { 0.5 * (low + high) };
    for _ in 0..200 {
        let miss = distance(x);
        if miss == 0.0 {
            return x;
        }
        if miss > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let newton = x - miss / slope(x);
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - x).abs() <= 4.0 * f64::EPSILON * x.abs() || next == low || next == high {
            return next;
        }
        x = next;
    }
    x
}

/// The quantile of the gamma distribution of a shape, scale one.
pub fn gamma_quantile(p: f64, shape: f64) -> f64 {
    if !((0.0..=1.0).contains(&p) && shape > 0.0 && shape.is_finite()) {
        return f64::NAN;
    }
    if p == 0.0 {
        return 0.0;
    }
    if p == 1.0 {
        return f64::INFINITY;
    }
    // Wilson & Hilferty (1931, PNAS 17): the cube root is nearly normal; near zero the first term of the series.
    let z = normal_quantile(p);
    let ninth = 1.0 / (9.0 * shape);
    let cube = 1.0 - ninth + z * ninth.sqrt();
    let near_zero = libm::exp((libm::log(p) + gamma_ln(shape + 1.0)) / shape);
    let start = if cube > 0.3 { shape * cube * cube * cube } else { near_zero };
    let mut high = (2.0 * shape).max(start) + 10.0;
    while incomplete_gamma(shape, high).0 < p {
        high *= 2.0;
    }
    let log_gamma = gamma_ln(shape);
    let density = |x: f64| libm::exp((shape - 1.0) * libm::log(x) - x - log_gamma);
    if p <= 0.5 {
        solve(0.0, high, start, |x| incomplete_gamma(shape, x).0 - p, density)
    } else {
        solve(0.0, high, start, |x| (1.0 - p) - incomplete_gamma(shape, x).1, density)
    }
}

/// The quantile of the beta distribution.
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    if !((0.0..=1.0).contains(&p) && a > 0.0 && b > 0.0) {
        return f64::NAN;
    }
    if p == 0.0 || p == 1.0 {
        return p;
    }
    let log_beta = gamma_ln(a) + gamma_ln(b) - gamma_ln(a + b);
    let density = |x: f64| libm::exp((a - 1.0) * libm::log(x) + (b - 1.0) * libm::log1p(-x) - log_beta);
    solve(0.0, 1.0, a / (a + b), |x| incomplete_beta(x, a, b) - p, density)
}

#[cfg(test)]
#[allow(clippy::approx_constant)] // the quantile of the exponential distribution at 0.9 is the logarithm of ten
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(value: f64, expected: f64, relative: f64) -> bool {
        (value - expected).abs() <= relative * expected.abs()
    }

    #[test]
    fn gamma_ln_is_that_of_vensim() {
        // reference/sd/sdeverywhere/gamma_ln/gamma_ln.dat, printed with six digits; Vensim's own value at one is −3.4e-11.
        for (x, vensim) in [(10.0, 12.8018), (0.5, 0.572365), (1.0, -3.41362e-11)] {
            assert!((gamma_ln(x) - vensim).abs() <= 1e-5 + 1e-5 * vensim, "{x}: {}", gamma_ln(x));
        }
    }

    #[test]
    fn incomplete_functions_agree_with_scipy() {
        // scipy 1.17: special.gammainc, special.gammaincc, special.betainc; the series and fractions stop at 1e-16 a term,
        // and the factor in front carries the error of exp(log) with arguments up to about 100.
        for (a, x, p, q) in SCIPY_GAMMA {
            let (ours_p, ours_q) = incomplete_gamma(a, x);
            assert!(close(ours_p, p, 1e-12) && close(ours_q, q, 1e-12), "{a} {x}: {ours_p} {ours_q}");
        }
        for (x, a, b, expected) in SCIPY_BETA {
            assert!(close(incomplete_beta(x, a, b), expected, 1e-12), "{x} {a} {b}: {}", incomplete_beta(x, a, b));
        }
    }

    #[test]
    fn quantiles_agree_with_scipy() {
        // scipy 1.17: stats.gamma.ppf, stats.beta.ppf; both sides solve their own incomplete function.
        for (p, a, expected) in SCIPY_GAMMA_QUANTILE {
            assert!(close(gamma_quantile(p, a), expected, 1e-10), "{p} {a}: {}", gamma_quantile(p, a));
        }
        for (p, a, b, expected) in SCIPY_BETA_QUANTILE {
            assert!(close(beta_quantile(p, a, b), expected, 1e-10), "{p} {a} {b}: {}", beta_quantile(p, a, b));
        }
    }

    #[test]
    fn arrangements_are_counted() {
        assert_eq!(factorial(5.0), 120.0);
        assert_eq!(factorial(0.0), 1.0);
        assert!(factorial(-1.0).is_nan() && factorial(171.0).is_infinite());
        assert_eq!(combinations(5.0, 3.0), 10.0); // Stella's help
        assert_eq!(combinations(52.0, 5.0), 2598960.0);
        assert_eq!(combinations(3.0, 5.0), 0.0);
        assert_eq!(permutations(5.0, 3.0), 60.0);
    }

    #[test]
    fn normal_probabilities_keep_their_digits_in_both_tails() {
        // scipy 1.17: stats.norm.sf(8), stats.norm.cdf(-8); libm::erfc is within one unit in the last place.
        assert!(close(normal_between(8.0, f64::INFINITY, 0.0, 1.0), 6.220960574271785e-16, 1e-13));
        assert!(close(normal_between(f64::NEG_INFINITY, -8.0, 0.0, 1.0), 6.220960574271785e-16, 1e-13));
        assert!(close(normal_between(-1.96, 1.96, 0.0, 1.0), 0.9500042097035593, 1e-14));
        assert!(close(inverse_normal(0.975, 10.0, 2.0), 13.919927969080108, 1e-14));
    }

    proptest! {
        #[test]
        fn quantiles_undo_distribution_functions(p in 0.001f64..0.999, a in 0.5f64..50.0, b in 0.5f64..50.0) {
            // Shapes from one half keep the density below a few thousand here, so that the last place of x moves p by less than 1e-11.
            prop_assert!((incomplete_gamma(a, gamma_quantile(p, a)).0 - p).abs() < 1e-11);
            prop_assert!((incomplete_beta(beta_quantile(p, a, b), a, b) - p).abs() < 1e-11);
        }

        #[test]
        fn beta_is_mirrored(x in 0.0f64..1.0, a in 0.1f64..100.0, b in 0.1f64..100.0) {
            prop_assert!((incomplete_beta(x, a, b) + incomplete_beta(1.0 - x, b, a) - 1.0).abs() < 1e-10);
        }
    }

    const SCIPY_GAMMA: [(f64, f64, f64, f64); 16] = [
        (0.3, 0.03, 0.38647773522558154, 0.6135222647744185),
        (0.3, 0.27, 0.7087857878594724, 0.29121421214052756),
        (0.3, 0.44999999999999996, 0.796292651614171, 0.20370734838582882),
        (0.3, 1.2, 0.9366052804307409, 0.06339471956925916),
        (1.0, 0.1, 0.09516258196404044, 0.9048374180359595),
        (1.0, 0.9, 0.5934303402594008, 0.4065696597405992),
        (1.0, 1.5, 0.7768698398515702, 0.22313016014842982),
        (1.0, 4.0, 0.9816843611112658, 0.018315638888734182),
        (2.5, 0.25, 0.007876706767370404, 0.9921232932326296),
        (2.5, 2.25, 0.5201165618867003, 0.4798834381132997),
        (2.5, 3.75, 0.813970166397133, 0.186029833602867),
        (2.5, 10.0, 0.9987502694369687, 0.0012497305630313773),
        (30.0, 3.0, 4.277047721426935e-20, 1.0),
        (30.0, 27.0, 0.30653454547215747, 0.6934654545278426),
        (30.0, 45.0, 0.9926628007022035, 0.007337199297796568),
        (30.0, 120.0, 1.0, 2.2544621964063458e-23),
    ];
    const SCIPY_BETA: [(f64, f64, f64, f64); 12] = [
        (0.05, 0.5, 0.5, 0.14356629312870628),
        (0.4, 0.5, 0.5, 0.43590578315102513),
        (0.8, 0.5, 0.5, 0.7048327646991335),
        (0.97, 0.5, 0.5, 0.8891753133955407),
        (0.05, 2.0, 5.0, 0.032773828124999994),
        (0.4, 2.0, 5.0, 0.7667200000000001),
        (0.8, 2.0, 5.0, 0.9984),
        (0.97, 2.0, 5.0, 0.999999857845),
        (0.05, 30.0, 4.0, 4.378838930279021e-36),
        (0.4, 30.0, 4.0, 1.4500985516343097e-09),
        (0.8, 30.0, 4.0, 0.0808127257645497),
        (0.97, 30.0, 4.0, 0.983437755036611),
    ];
    const SCIPY_GAMMA_QUANTILE: [(f64, f64, f64); 20] = [
        (1e-06, 0.3, 6.97269909640939e-21),
        (0.1, 0.3, 0.0003237246218234327),
        (0.5, 0.3, 0.07313113586695198),
        (0.9, 0.3, 0.8848107733602443),
        (0.999, 0.3, 4.618936042791333),
        (1e-06, 1.0, 1.0000005000003338e-06),
        (0.1, 1.0, 0.10536051565782636),
        (0.5, 1.0, 0.6931471805599455),
        (0.9, 1.0, 2.302585092994046),
        (0.999, 1.0, 6.907755278982137),
        (1e-06, 2.5, 0.0064480801032485435),
        (0.1, 2.5, 0.8051539934811613),
        (0.5, 2.5, 2.175730095547763),
        (0.9, 2.5, 4.618178449890562),
        (0.999, 2.5, 10.257502826216436),
        (1e-06, 30.0, 10.71085865075884),
        (0.1, 30.0, 23.22944415010172),
        (0.5, 30.0, 29.66733313822123),
        (0.9, 30.0, 37.1985028596843),
        (0.999, 30.0, 49.80361653492473),
    ];
    const SCIPY_BETA_QUANTILE: [(f64, f64, f64, f64); 15] = [
        (0.0001, 0.5, 0.5, 2.4674010799787785e-08),
        (0.1, 0.5, 0.5, 0.024471741852423214),
        (0.5, 0.5, 0.5, 0.4999999999999999),
        (0.9, 0.5, 0.5, 0.9755282581475768),
        (0.999, 0.5, 0.5, 0.999997532600929),
        (0.0001, 2.0, 5.0, 0.0025909288174617772),
        (0.1, 2.0, 5.0, 0.09259525891312873),
        (0.5, 2.0, 5.0, 0.26444998329566005),
        (0.9, 2.0, 5.0, 0.5103163065514917),
        (0.999, 2.0, 5.0, 0.818613866919134),
        (0.0001, 30.0, 4.0, 0.6025799857834698),
        (0.1, 30.0, 4.0, 0.8086402561531323),
        (0.5, 30.0, 4.0, 0.8898512644844134),
        (0.9, 30.0, 4.0, 0.946071956946056),
        (0.999, 30.0, 4.0, 0.9864780979481593),
    ];
}
