//! Elementary functions that a compiler turns into straight vector code, within one unit in the last place.
//!
//! With `FUSED` they use fused multiply-add and give the same bits whether the processor or a library does it;
//! without, they are plain multiplications and additions, or the software functions of `libm`, which give the same
//! bits on every processor. Odd arguments (zero, subnormal, huge, not a number) take a slow path, lane by lane.
//!
//! Sources: Cody & Waite (1980), Software Manual for the Elementary Functions, for the reductions; the expansion of
//! `2·artanh` for the logarithm; Dekker (1971), Numer. Math. 18, for the products in two parts.

// 1.5 · 2⁵²: adding it rounds to an integer that then stands in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
// ln 2 in two parts; the first has 32 trailing zero bits, so that small multiples of it are exact.
const LN2_HIGH: f64 = 6.931_471_803_691_238_164_90e-01;
const LN2_LOW: f64 = 1.908_214_929_270_587_700_02e-10;

#[inline(always)]
fn fma<const FUSED: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// `e^(x + low)` for `|x| < 708` and tiny `low`: reduction by multiples of ln 2, Taylor polynomial of degree 13.
#[inline(always)]
fn exp_core<const FUSED: bool>(x: f64, low: f64) -> f64 {
    let shifted = fma::<FUSED>(x, std::f64::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = fma::<FUSED>(-n, LN2_HIGH, x);
    let r = fma::<FUSED>(-n, LN2_LOW, r) + low;
    let (r2, r4) = (r * r, (r * r) * (r * r));
    let r8 = r4 * r4;
    let p23 = fma::<FUSED>(r, 1.666_666_666_666_666_6e-01, 0.5);
    let p45 = fma::<FUSED>(r, 8.333_333_333_333_333_3e-03, 4.166_666_666_666_666_4e-02);
    let p67 = fma::<FUSED>(r, 1.984_126_984_126_984_1e-04, 1.388_888_888_888_888_9e-03);
    let p89 = fma::<FUSED>(r, 2.755_731_922_398_589_3e-06, 2.480_158_730_158_730_2e-05);
    let pab = fma::<FUSED>(r, 2.505_210_838_544_171_9e-08, 2.755_731_922_398_588_8e-07);
    let pcd = fma::<FUSED>(r, 1.605_904_383_682_161_5e-10, 2.087_675_698_786_809_9e-09);
    let high = fma::<FUSED>(r4, pcd, fma::<FUSED>(r2, pab, p89));
    let middle = fma::<FUSED>(r4, fma::<FUSED>(r2, p67, p45), r2 * p23);
    // 1 + (r + small) loses less than (1 + r) + small.
    let q = 1.0 + (r + fma::<FUSED>(r8, high, middle));
    f64::from_bits(q.to_bits().wrapping_add(shifted.to_bits() << 52))
}

/// Exponent (as a number) and mantissa in [√½, √2) of a positive normal number.
#[inline(always)]
fn split(x: f64) -> (f64, f64) {
    let bits = x.to_bits();
    let e = bits.wrapping_sub(0x3fe6_a09e_667f_3bcd).wrapping_add(2048 << 52) >> 52;
    let mantissa = f64::from_bits(bits.wrapping_sub(e.wrapping_sub(2048) << 52));
    // 2⁵² + e as a number, by writing e below the exponent of 2⁵².
    let exponent = f64::from_bits(e | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 2048.0);
    (exponent, mantissa)
}

#[inline(always)]
fn ln_core<const FUSED: bool>(x: f64) -> f64 {
    let (e, m) = split(x);
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    // The coefficients of fdlibm's e_log (Sun Microsystems 1993): minimax for (ln(1+f) − 2s)/s on this range.
    let t1 = w * fma::<FUSED>(
        w,
        fma::<FUSED>(w, 1.531_383_769_920_937_332e-01, 2.222_219_843_214_978_396e-01),
        3.999_999_999_940_941_908e-01,
    );
    let t2 = z * fma::<FUSED>(
        w,
        fma::<FUSED>(
            w,
            fma::<FUSED>(w, 1.479_819_860_511_658_591e-01, 1.818_357_216_161_805_012e-01),
            2.857_142_874_366_239_149e-01,
        ),
        6.666_666_666_666_735_130e-01,
    );
    let half = 0.5 * f * f;
    let tail = fma::<FUSED>(s, half + (t1 + t2), e * LN2_LOW);
    fma::<FUSED>(e, LN2_HIGH, f - (half - tail))
}

/// Whether `ln_core` may take this argument.
#[inline(always)]
fn ordinary(x: f64) -> bool {
    (1e-300..1e300).contains(&x)
}

/// `x^y` from the logarithm in two parts, so that large exponents lose nothing. Needs fused multiply-add.
#[inline(always)]
fn pow_core(x: f64, y: f64) -> (f64, bool) {
    let (e, m) = split(x);
    let (f, g) = (m - 1.0, m + 1.0);
    let g_low = m - (g - 1.0);
    let inverse = 1.0 / g;
    let s = f * inverse;
    let s_low = (-s).mul_add(g_low, (-s).mul_add(g, f)) * inverse;
    // s² and s³/3 in two parts, the rest of 2·artanh(s) = 2s + 2s³/3 + 2s⁵/5 + … in one.
    let z = s * s;
    let z_low = s.mul_add(s, -z) + 2.0 * s * s_low;
    let w = z * z;
    let p = w.mul_add(
        w.mul_add(w.mul_add(1.176_470_588_235_294_2e-01, 1.538_461_538_461_538_5e-01), 2.222_222_222_222_222_1e-01),
        4.000_000_000_000_000_2e-01,
    );
    let q = w.mul_add(
        w.mul_add(w.mul_add(1.052_631_578_947_368_4e-01, 1.333_333_333_333_333_3e-01), 1.818_181_818_181_818_2e-01),
        2.857_142_857_142_857e-01,
    );
    // u = 2/3 + z·(p + z·q): the factor of s³, in two parts.
    let tail = z * z.mul_add(q, p);
    let u = 2.0 / 3.0 + tail;
    let u_low = (2.0 / 3.0 - u) + tail + 3.700_743_415_417_188_3e-17;
    let c = s * z;
    let c_low = s.mul_add(z, -c) + s.mul_add(z_low, s_low * z);
    let d = c * u;
    let d_low = c.mul_add(u, -d) + c.mul_add(u_low, c_low * u);
    // e·ln 2 + 2s + d, largest first; e·LN2_HIGH is exact.
    let a = e * LN2_HIGH;
    let b = 2.0 * s;
    let sum = a + b;
    let shift = sum - a;
    let sum_low = (a - (sum - shift)) + (b - shift);
    let high = sum + d;
    let shift = high - sum;
    let high_low = (sum - (high - shift)) + (d - shift);
    let low = high_low + (sum_low + (e.mul_add(LN2_LOW, 2.0 * s_low) + d_low));
    let product = y * high;
    let product_low = y.mul_add(high, -product) + y * low;
    (exp_core::<true>(product, product_low), product.abs() < 700.0)
}

// π/2 in three parts of 33 bits and the rest.
const HALF_PI: [f64; 3] =
    [1.570_796_326_734_125_614_17, 6.077_100_506_303_965_976_60e-11, 2.022_266_248_795_950_631_54e-21];

#[inline(always)]
fn sine_core(x: f64, quarter: u64) -> f64 {
    let shifted = x.mul_add(std::f64::consts::FRAC_2_PI, ROUND);
    let n = shifted - ROUND;
    let quadrant = shifted.to_bits().wrapping_add(quarter);
    let r1 = (-n).mul_add(HALF_PI[0], x);
    let r = (-n).mul_add(HALF_PI[1], r1);
    let low = (-n).mul_add(HALF_PI[2], (-n).mul_add(HALF_PI[1], r1 - r));
    let z = r * r;
    let w = z * z;
    // fdlibm's kernels (Sun Microsystems 1993) on |r| ≤ π/4.
    let s = z.mul_add(
        w * z.mul_add(1.589_690_995_211_550_102_21e-10, -2.505_076_025_340_686_341_95e-08)
            + z.mul_add(2.755_731_370_707_006_767_89e-06, -1.984_126_982_985_794_931_34e-04),
        8.333_333_333_322_489_461_24e-03,
    );
    let v = z * r;
    let sine = r - (z.mul_add(0.5f64.mul_add(low, -(v * s)), -low) - v * -1.666_666_666_666_663_243_48e-01);
    let c = z.mul_add(4.166_666_666_666_660_190_37e-02, w * -1.388_888_888_887_410_957_49e-03)
        + w * (z * z.mul_add(-2.755_731_435_139_066_330_35e-07, 2.480_158_728_947_672_941_78e-05)
            + w * z * z.mul_add(-1.135_964_755_778_819_482_65e-11, 2.087_572_321_298_174_827_90e-09));
    let half = 0.5 * z;
    let head = 1.0 - half;
    let cosine = head + (((1.0 - head) - half) + z.mul_add(c, -(r * low)));
    let value = if quadrant & 1 == 0 { sine } else { cosine };
    f64::from_bits(value.to_bits() ^ ((quadrant & 2) << 62))
}

/// Applies `core` to a chunk and `slow` to the lanes that `core` must not take.
#[inline(always)]
fn patched<const L: usize>(
    x: [f64; L],
    core: impl Fn(f64) -> f64,
    good: impl Fn(f64) -> bool,
    slow: impl Fn(f64) -> f64,
) -> [f64; L] {
    let mut out = [0.0; L];
    let mut all = true;
    for k in 0..L {
        all &= good(x[k]);
    }
    for k in 0..L {
        out[k] = core(x[k]);
    }
    if !all {
        for k in 0..L {
            if !good(x[k]) {
                out[k] = slow(x[k]);
            }
        }
    }
    out
}

/// `e^x` of a chunk.
#[inline(always)]
pub fn exp<const FUSED: bool, const L: usize>(x: [f64; L]) -> [f64; L] {
    patched(x, |x| exp_core::<FUSED>(x, 0.0), |x| x.abs() < 708.0, libm::exp)
}

/// Natural logarithm of a chunk.
#[inline(always)]
pub fn ln<const FUSED: bool, const L: usize>(x: [f64; L]) -> [f64; L] {
    patched(x, ln_core::<FUSED>, ordinary, libm::log)
}

/// Sine of a chunk.
#[inline(always)]
pub fn sin<const FUSED: bool, const L: usize>(x: [f64; L]) -> [f64; L] {
    if FUSED { patched(x, |x| sine_core(x, 0), |x| x.abs() < 1e5, libm::sin) } else { x.map(libm::sin) }
}

/// Cosine of a chunk.
#[inline(always)]
pub fn cos<const FUSED: bool, const L: usize>(x: [f64; L]) -> [f64; L] {
    if FUSED { patched(x, |x| sine_core(x, 1), |x| x.abs() < 1e5, libm::cos) } else { x.map(libm::cos) }
}

/// `x^y` of two chunks. Whole small exponents are exact products only by accident: use multiplication for those.
#[inline(always)]
pub fn pow<const FUSED: bool, const L: usize>(x: [f64; L], y: [f64; L]) -> [f64; L] {
    let mut out = [0.0; L];
    if !FUSED {
        for k in 0..L {
            out[k] = libm::pow(x[k], y[k]);
        }
        return out;
    }
    let mut good = [true; L];
    let mut all = true;
    for k in 0..L {
        let (value, fits) = pow_core(x[k], y[k]);
        out[k] = value;
        good[k] = fits & ordinary(x[k]);
    }
    for k in 0..L {
        all &= good[k];
    }
    if !all {
        for k in 0..L {
            if !good[k] {
                out[k] = libm::pow(x[k], y[k]);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distance in units of the last place of the expected value.
    fn ulps(found: f64, expected: f64) -> f64 {
        if found == expected || (found.is_nan() && expected.is_nan()) {
            return 0.0;
        }
        let next = f64::from_bits(expected.abs().to_bits() + 1);
        (found - expected).abs() / (next - expected.abs())
    }

    /// Low-discrepancy points in (0, 1).
    fn points(n: u32) -> impl Iterator<Item = (f64, f64)> {
        (1..=n).map(|i| {
            ((f64::from(i) * 0.618_033_988_749_894_9).fract(), (f64::from(i) * 0.754_877_666_246_692_7).fract())
        })
    }

    #[test]
    fn within_two_units_of_libm() {
        // libm itself is within one unit of the true value, and so are these: two between them.
        for (u, v) in points(200_000) {
            let x = (u - 0.5) * 1400.0;
            assert!(ulps(exp::<true, 1>([x])[0], libm::exp(x)) <= 2.0, "exp {x}");
            assert!(ulps(exp::<false, 1>([x])[0], libm::exp(x)) <= 2.0, "portable exp {x}");
            let x = libm::exp((u - 0.5) * 40.0);
            assert!(ulps(ln::<true, 1>([x])[0], libm::log(x)) <= 2.0, "ln {x}");
            assert!(ulps(ln::<false, 1>([x])[0], libm::log(x)) <= 2.0, "portable ln {x}");
            let y = (v - 0.5) * 60.0;
            let found = pow::<true, 1>([x], [y])[0];
            assert!(ulps(found, libm::pow(x, y)) <= 2.0, "{x}^{y}: {found} {}", libm::pow(x, y));
            let x = (u - 0.5) * 200.0;
            assert!(ulps(sin::<true, 1>([x])[0], libm::sin(x)) <= 2.0, "sin {x}");
            assert!(ulps(cos::<true, 1>([x])[0], libm::cos(x)) <= 2.0, "cos {x}");
        }
    }

    #[test]
    fn odd_arguments_are_those_of_libm() {
        let odd =
            [0.0, -0.0, 1.0, -1.0, 2.5, -3.0, 1e-320, 1e308, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 800.0, -800.0];
        for x in odd {
            assert!(ulps(exp::<true, 1>([x])[0], libm::exp(x)) <= 1.0, "exp {x}");
            assert!(ulps(ln::<true, 1>([x])[0], libm::log(x)) <= 1.0, "ln {x}");
            assert!(ulps(sin::<true, 1>([x])[0], libm::sin(x)) <= 1.0, "sin {x}");
            for y in odd {
                assert!(ulps(pow::<true, 1>([x], [y])[0], libm::pow(x, y)) <= 1.0, "{x}^{y}");
            }
        }
    }

    #[test]
    fn a_lane_does_not_depend_on_its_neighbours() {
        let x = [0.5, f64::NAN, 900.0, -2.0, 1e-310, 3.0, 0.0, 7.0];
        let (e, l, p) = (exp::<true, 8>(x), ln::<true, 8>(x), pow::<true, 8>(x, [1.5; 8]));
        for k in 0..8 {
            assert_eq!(e[k].to_bits(), exp::<true, 1>([x[k]])[0].to_bits());
            assert_eq!(l[k].to_bits(), ln::<true, 1>([x[k]])[0].to_bits());
            assert_eq!(p[k].to_bits(), pow::<true, 1>([x[k]], [1.5])[0].to_bits());
        }
    }
}
