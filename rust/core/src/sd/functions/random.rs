//! Draws of the RANDOM family, each made by inverting its distribution function.
//!
//! One uniform number makes one draw, so that a draw rises with its uniform number, moves smoothly with its parameters
//! (common random numbers stay common), and is cut to a range without rejection.

use super::distribution::Distribution;
use crate::rng::{Philox, Stream};

/// What a draw depends on besides its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Nothing below is drawn; not a number: no bound.
    pub least: f64,
    /// Nothing above is drawn; not a number: no bound.
    pub most: f64,
    /// Added after stretching.
    pub shift: f64,
    /// Multiplied with the draw.
    pub stretch: f64,
}

impl Default for Range {
    fn default() -> Self {
        Self { least: f64::NAN, most: f64::NAN, shift: 0.0, stretch: 1.0 }
    }
}

/// The draw that belongs to the uniform number `u` of the open unit interval.
///
/// The draw is stretched, then shifted, then cut: the part of the distribution between the bounds is taken and scaled to
/// one (fn_random.htm: "truncation occurs after the output has been stretched and shifted"). A range that holds no
/// probability gives not a number, where Vensim reports an error.
pub fn draw(distribution: Distribution, parameters: &[f64], range: Range, u: f64) -> f64 {
    let Range { least, most, shift, stretch } = range;
    let (least, most) =
        (if least.is_nan() { f64::NEG_INFINITY } else { least }, if most.is_nan() { f64::INFINITY } else { most });
    if stretch == 0.0 {
        return if least <= shift && shift <= most { shift } else { f64::NAN };
    }
    if least == f64::NEG_INFINITY && most == f64::INFINITY {
        return shift + stretch * distribution.quantile(parameters, u);
    }
    let (one, other) = ((least - shift) / stretch, (most - shift) / stretch);
    let (low, high) = if stretch > 0.0 { (one, other) } else { (other, one) };
    // In the upper tail of a symmetric distribution the lower tail has the digits.
    let mirrored = low > 0.0 && matches!(distribution, Distribution::Normal | Distribution::Logistic);
    let (low, high, u) = if mirrored { (-high, -low, 1.0 - u) } else { (low, high, u) };
    let below = if distribution.discrete() { low.ceil() - 1.0 } else { low };
    let (from, to) = (distribution.cdf(parameters, below), distribution.cdf(parameters, high));
    let value = if to > from {
        distribution.quantile(parameters, from + u * (to - from))
    } else if distribution == Distribution::Uniform
        && parameters[0] == parameters[1]
        && low <= parameters[0]
        && parameters[0] <= high
    {
        parameters[0]
    } else {
        return f64::NAN;
    };
    let value = if distribution.discrete() { value.clamp(low.ceil(), high.floor()) } else { value.clamp(low, high) };
    shift + stretch * if mirrored { -value } else { value }
}

/// The place of a draw in a study.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The key that the seed of the study makes.
    pub key: [u64; 2],
    /// The run (replicate).
    pub run: u64,
    /// The step within the run.
    pub step: u64,
    /// The call within the model.
    pub call: u32,
}

/// How the seed argument of a call is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Seeding {
    /// Vensim: the number names a stream beside the seed of the run; each call still has its own numbers.
    Stream,
    /// Stella: with a seed the numbers are the same in every run, and calls with one seed share them; below zero or not a
    /// number is no seed.
    Fixed,
}

/// The uniform number of a call: a function of the study's key, the run, the call and the step, and of the seed if one is given.
///
/// `hold` is how many steps a number stays (Stella's `sample`); not above one is one.
pub fn uniform(place: Place, seeding: Seeding, seed: f64, hold: f64) -> f64 {
    let step = if hold > 1.0 { (place.step as f64 / hold + 1e-9).floor() as u64 } else { place.step };
    let (key, run, call) = match seeding {
        Seeding::Fixed if seed >= 0.0 => ([seed.to_bits(), 0x5EED], 0, 0),
        Seeding::Stream if seed != 0.0 && seed.is_finite() => {
            (place.key, place.run, u64::from(place.call) << 32 | (seed.to_bits() >> 32))
        }
        _ => (place.key, place.run, u64::from(place.call) << 32),
    };
    Philox::new(key, [call, Stream::Noise as u64, run, step]).uniform_open()
}

/// The factor that makes white noise with deviation one, behind a first-order smooth of a correlation time, pink noise
/// with deviation one (vensim.com/documentation/random_pink_noise.html; Sterman 2000, *Business Dynamics*, appendix B).
pub fn pink_scale(dt: f64, correlation_time: f64) -> f64 {
    let ratio = dt / correlation_time;
    ((2.0 - ratio) / ratio).sqrt()
}

#[cfg(test)]
#[allow(clippy::approx_constant)] // the median of the exponential distribution is the logarithm of two
mod tests {
    use super::*;
    use crate::rng::normal_quantile;
    use proptest::prelude::*;

    const ALL: [(Distribution, &[f64]); 18] = [
        (Distribution::Uniform, &[-1.0, 3.0]),
        (Distribution::Normal, &[]),
        (Distribution::LogNormal, &[3.0, 1.5]),
        (Distribution::Exponential, &[]),
        (Distribution::Gamma, &[2.5]),
        (Distribution::Beta, &[2.0, 5.0]),
        (Distribution::Weibull, &[1.7]),
        (Distribution::WeibullOfMeanOne, &[1.7]),
        (Distribution::Logistic, &[]),
        (Distribution::Pareto, &[6.0]),
        (Distribution::Triangular, &[1.0, 2.0, 6.0]),
        (Distribution::Lookup, &[0.0, 0.0, 1.0, 2.0, 3.0, 2.0, 4.0, 0.0]),
        (Distribution::Poisson, &[4.2]),
        (Distribution::Binomial, &[12.0, 0.3]),
        (Distribution::NegativeBinomial, &[3.0, 0.4]),
        (Distribution::NegativeBinomialTrials, &[3.0, 0.4]),
        (Distribution::Geometric, &[0.25]),
        (Distribution::Bernoulli, &[0.35]),
    ];

    #[test]
    fn quantiles_agree_with_scipy() {
        // scipy 1.17: the ppf of each distribution; solved quantiles to 1e-10, closed forms and whole numbers far closer.
        for (which, u, expected) in SCIPY {
            let (distribution, parameters) = ALL[which];
            let ours = distribution.quantile(parameters, u);
            assert!(
                (ours - expected).abs() <= 1e-10 * (1.0 + expected.abs()),
                "{distribution:?} {u}: {ours} {expected}"
            );
        }
    }

    #[test]
    fn draws_have_the_mean_and_variance_of_scipy() {
        // 20,000 draws with one seed; five standard errors, with the fourth moment taken from the draws.
        let n = 20_000;
        for (&(distribution, parameters), (mean, variance)) in ALL.iter().zip(MOMENTS) {
            let draws: Vec<f64> = (0..n)
                .map(|step| {
                    let place = Place { key: [7, 8], run: 3, step, call: distribution as u32 };
                    draw(distribution, parameters, Range::default(), uniform(place, Seeding::Stream, 0.0, 1.0))
                })
                .collect();
            let size = n as f64;
            let average = draws.iter().sum::<f64>() / size;
            let moment = |k: i32| draws.iter().map(|x| (x - average).powi(k)).sum::<f64>() / size;
            assert!((average - mean).abs() < 5.0 * (variance / size).sqrt(), "{distribution:?}: {average} {mean}");
            let error = ((moment(4) - moment(2).powi(2)) / size).sqrt();
            assert!((moment(2) - variance).abs() < 5.0 * error, "{distribution:?}: {} {variance}", moment(2));
        }
    }

    #[test]
    fn draws_follow_the_distribution_function() {
        // Kolmogorov–Smirnov with 4,000 draws: 1.95/√n is its one-in-a-thousand point.
        let n = 4000;
        for &(distribution, parameters) in ALL.iter().filter(|(distribution, _)| !distribution.discrete()) {
            let mut draws: Vec<f64> = (0..n)
                .map(|run| {
                    let place = Place { key: [1, 2], run, step: 5, call: 9 };
                    draw(distribution, parameters, Range::default(), uniform(place, Seeding::Stream, 1.0, 1.0))
                })
                .collect();
            draws.sort_by(f64::total_cmp);
            let size = n as f64;
            let distance = draws
                .iter()
                .enumerate()
                .map(|(i, &x)| {
                    let f = distribution.cdf(parameters, x);
                    (f - i as f64 / size).abs().max((f - (i + 1) as f64 / size).abs())
                })
                .fold(0.0, f64::max);
            assert!(distance < 1.95 / size.sqrt(), "{distribution:?}: {distance}");
        }
    }

    #[test]
    fn a_truncated_normal_has_the_moments_of_scipy() {
        // scipy 1.17: stats.truncnorm(-1.5, 0.5, loc=10, scale=2).stats().
        let range = Range { least: 7.0, most: 11.0, shift: 10.0, stretch: 2.0 };
        let n = 20_000;
        let draws: Vec<f64> =
            (0..n).map(|k| draw(Distribution::Normal, &[], range, (f64::from(k) + 0.5) / f64::from(n))).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
        // The midpoint rule over the quantile function is off by less than the step at the two ends.
        assert!((mean - TRUNCATED.0).abs() < 1e-4 && (variance - TRUNCATED.1).abs() < 1e-4, "{mean} {variance}");
    }

    #[test]
    fn the_far_tail_is_reached_without_rejection() {
        let range = Range { least: 9.0, most: 10.0, shift: 0.0, stretch: 1.0 };
        for k in 1..10 {
            let x = draw(Distribution::Normal, &[], range, f64::from(k) / 10.0);
            assert!((9.0..=10.0).contains(&x) && x < 9.5, "{x}");
        }
    }

    #[test]
    fn a_range_without_probability_gives_no_number() {
        let range = Range { least: 5.0, most: 4.0, ..Range::default() };
        assert!(draw(Distribution::Normal, &[], range, 0.5).is_nan());
        let range = Range { least: -3.0, most: -2.0, ..Range::default() };
        assert!(draw(Distribution::Exponential, &[], range, 0.5).is_nan());
        let range = Range { least: 2.2, most: 2.8, ..Range::default() };
        assert!(draw(Distribution::Poisson, &[3.0], range, 0.5).is_nan());
        assert!(draw(Distribution::Binomial, &[3.0, 1.5], Range::default(), 0.5).is_nan());
        assert!(draw(Distribution::Gamma, &[-1.0], Range::default(), 0.5).is_nan());
    }

    #[test]
    fn large_counts_are_drawn_in_no_time() {
        for (distribution, parameters, mean) in [
            (Distribution::Poisson, [1e12, 0.0], 1e12),
            (Distribution::Binomial, [1e9, 0.5], 5e8),
            (Distribution::Poisson, [5e5, 0.0], 5e5),
            (Distribution::Binomial, [2e6, 0.25], 5e5),
        ] {
            let x = distribution.quantile(&parameters, 0.5);
            assert!((x - mean).abs() <= 1.0, "{distribution:?} {x}");
        }
    }

    #[test]
    fn numbers_depend_on_what_they_should() {
        let place = Place { key: [1, 2], run: 3, step: 4, call: 5 };
        let base = uniform(place, Seeding::Stream, 0.0, 1.0);
        assert_eq!(base, uniform(place, Seeding::Stream, 0.0, 1.0));
        for other in [
            Place { key: [1, 3], ..place },
            Place { run: 4, ..place },
            Place { step: 5, ..place },
            Place { call: 6, ..place },
        ] {
            assert_ne!(base, uniform(other, Seeding::Stream, 0.0, 1.0));
        }
        assert_ne!(base, uniform(place, Seeding::Stream, 1.0, 1.0));
        // A seed of Stella fixes the numbers for every run and call; without a seed they differ.
        let other = Place { key: [9, 9], run: 7, call: 8, ..place };
        assert_eq!(uniform(place, Seeding::Fixed, 147.0, 1.0), uniform(other, Seeding::Fixed, 147.0, 1.0));
        assert_ne!(uniform(place, Seeding::Fixed, 147.0, 1.0), uniform(place, Seeding::Fixed, 148.0, 1.0));
        assert_ne!(uniform(place, Seeding::Fixed, f64::NAN, 1.0), uniform(other, Seeding::Fixed, f64::NAN, 1.0));
    }

    #[test]
    fn a_sample_interval_holds_the_number() {
        let at = |step| uniform(Place { key: [1, 2], step, ..Place::default() }, Seeding::Fixed, f64::NAN, 4.0);
        assert_eq!(at(0), at(3));
        assert_ne!(at(3), at(4));
        assert_eq!(at(4), at(7));
    }

    #[test]
    fn pink_noise_has_the_deviation_and_correlation_that_were_asked() {
        let (dt, time) = (0.25, 2.0);
        let scale = pink_scale(dt, time);
        let (mut level, mut sum, mut squares, mut lagged) = (0.0, 0.0, 0.0, 0.0);
        let n = 200_000;
        for step in 0..n {
            let u = uniform(Place { key: [3, 4], step, ..Place::default() }, Seeding::Stream, 0.0, 1.0);
            let next = level + dt / time * (scale * normal_quantile(u) - level);
            sum += next;
            squares += next * next;
            lagged += next * level;
            level = next;
        }
        let n = n as f64;
        // 200,000 steps of correlation e^(−1/8) hold about 12,000 independent numbers: 0.03 is three standard errors.
        assert!((sum / n).abs() < 0.03);
        assert!((squares / n - 1.0).abs() < 0.04, "{}", squares / n);
        assert!((lagged / squares - (1.0 - dt / time)).abs() < 0.01);
    }

    proptest! {
        #[test]
        fn draws_rise_with_their_uniform_number(which in 0usize..18, u in 0.001f64..0.999, v in 0.001f64..0.999) {
            let (distribution, parameters) = ALL[which];
            let (low, high) = if u < v { (u, v) } else { (v, u) };
            prop_assert!(distribution.quantile(parameters, low) <= distribution.quantile(parameters, high));
        }

        #[test]
        fn distribution_functions_undo_quantiles(which in 0usize..18, u in 0.001f64..0.999) {
            let (distribution, parameters) = ALL[which];
            let x = distribution.quantile(parameters, u);
            let reached = distribution.cdf(parameters, x);
            if distribution.discrete() {
                prop_assert!(reached >= u && distribution.cdf(parameters, x - 1.0) < u);
            } else {
                prop_assert!((reached - u).abs() < 1e-10, "{distribution:?} {u} {x} {reached}");
            }
        }

        #[test]
        fn truncated_draws_stay_inside(
            which in 0usize..18, u in 0.001f64..0.999, least in -2.0f64..2.0, width in 0.5f64..4.0, stretch in -2.0f64..2.0,
        ) {
            let (distribution, parameters) = ALL[which];
            let range = Range { least, most: least + width, shift: 0.5, stretch };
            let x = draw(distribution, parameters, range, u);
            prop_assert!(x.is_nan() || (x >= least - 1e-12 && x <= least + width + 1e-12), "{x}");
        }
    }

    const SCIPY: [(usize, f64, f64); 90] = [
        (0, 0.0001, -0.9996),
        (0, 0.07, -0.72),
        (0, 0.5, 1.0),
        (0, 0.83, 2.32),
        (0, 0.999, 2.996),
        (1, 0.0001, -3.7190164854556804),
        (1, 0.07, -1.4757910281791706),
        (1, 0.5, 0.0),
        (1, 0.83, 0.9541652531461943),
        (1, 0.999, 3.090232306167813),
        (2, 0.0001, 0.4631282810346967),
        (2, 0.07, 1.3363008997317465),
        (2, 0.5, 2.683281572999748),
        (2, 0.83, 4.211293263680468),
        (2, 0.999, 11.551400634094806),
        (3, 0.0001, 0.00010000500033335834),
        (3, 0.07, 0.07257069283483544),
        (3, 0.5, 0.6931471805599453),
        (3, 0.83, 1.771956841931875),
        (3, 0.999, 6.907755278982136),
        (4, 0.0001, 0.041088687914207715),
        (4, 0.07, 0.6736033896145018),
        (4, 0.5, 2.175730095547763),
        (4, 0.83, 3.87973004026751),
        (4, 0.999, 10.257502826216436),
        (5, 0.0001, 0.0025909288174617772),
        (5, 0.07, 0.07568525483802097),
        (5, 0.5, 0.26444998329566005),
        (5, 0.83, 0.44485973047084826),
        (5, 0.999, 0.818613866919134),
        (6, 0.0001, 0.004436817829139068),
        (6, 0.07, 0.21372708878306565),
        (6, 0.5, 0.8060610171859208),
        (6, 0.83, 1.4000672790787985),
        (6, 0.999, 3.1169340533774403),
        (7, 0.0001, 0.004972647986858769),
        (7, 0.07, 0.2395387006413386),
        (7, 0.5, 0.9034082193031293),
        (7, 0.83, 1.5691520375378936),
        (7, 0.999, 3.4933631360533957),
        (8, 0.0001, -9.21024036697585),
        (8, 0.07, -2.5866893440979424),
        (8, 0.5, 0.0),
        (8, 0.83, 1.5856272637403817),
        (8, 0.999, 6.906754778648553),
        (9, 0.0001, 1.000016667638959),
        (9, 0.07, 1.0121685571782402),
        (9, 0.5, 1.122462048309373),
        (9, 0.83, 1.3435644777896265),
        (9, 0.999, 3.1622776601683786),
        (10, 0.0001, 1.022360679774998),
        (10, 0.07, 1.5916079783099617),
        (10, 0.5, 2.8377223398316205),
        (10, 0.83, 4.156091108541422),
        (10, 0.999, 5.858578643762691),
        (11, 0.0001, 0.024494897427831782),
        (11, 0.07, 0.6480740698407861),
        (11, 0.5, 2.0),
        (11, 0.83, 2.9899999999999998),
        (11, 0.999, 3.9225403330758515),
        (12, 0.0001, 0.0),
        (12, 0.07, 1.0),
        (12, 0.5, 4.0),
        (12, 0.83, 6.0),
        (12, 0.999, 12.0),
        (13, 0.0001, 0.0),
        (13, 0.07, 1.0),
        (13, 0.5, 4.0),
        (13, 0.83, 5.0),
        (13, 0.999, 9.0),
        (14, 0.0001, 0.0),
        (14, 0.07, 1.0),
        (14, 0.5, 4.0),
        (14, 0.83, 7.0),
        (14, 0.999, 21.0),
        (15, 0.0001, 3.0),
        (15, 0.07, 4.0),
        (15, 0.5, 7.0),
        (15, 0.83, 10.0),
        (15, 0.999, 24.0),
        (16, 0.0001, 1.0),
        (16, 0.07, 1.0),
        (16, 0.5, 3.0),
        (16, 0.83, 7.0),
        (16, 0.999, 25.0),
        (17, 0.0001, 0.0),
        (17, 0.07, 0.0),
        (17, 0.5, 0.0),
        (17, 0.83, 1.0),
        (17, 0.999, 1.0),
    ];

    /// scipy 1.17: mean and variance.
    const MOMENTS: [(f64, f64); 18] = [
        (1.0, 1.3333333333333333),
        (0.0, 1.0),
        (3.000000000000001, 2.250000000000001),
        (1.0, 1.0),
        (2.5, 2.5),
        (0.2857142857142857, 0.025510204081632654),
        (0.8922445024993241, 0.29185482724585377),
        (1.0, 0.3666056208681753),
        (0.0, 3.289868133696453),
        (1.2, 0.06),
        (3.0, 1.1666666666666667),
        (2.0, 0.833333333333333),
        (4.2, 4.2),
        (3.5999999999999996, 2.5199999999999996),
        (4.499999999999999, 11.249999999999996),
        (7.499999999999999, 11.249999999999996),
        (4.0, 12.0),
        (0.35, 0.22749999999999998),
    ];

    const TRUNCATED: (f64, f64) = (9.28745423164588, 1.1209926006049002);
}
