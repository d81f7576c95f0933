//! The distributions of the RANDOM family: distribution functions and their inverses.
//!
//! Sources: vensim.com/documentation/fn_random.htm; Stella's help, "Statistical builtins"; distribution functions in
//! Johnson, Kotz & Balakrishnan, *Continuous Univariate Distributions*, and Johnson, Kemp & Kotz, *Univariate Discrete Distributions*.

use super::special::{beta_quantile, gamma_ln, gamma_quantile, incomplete_beta, incomplete_gamma, normal_cdf};
use crate::rng::normal_quantile;

/// A distribution. The comment gives its parameters in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Distribution {
    /// Least, most.
    Uniform,
    /// None: mean zero, standard deviation one.
    Normal,
    /// Mean and standard deviation of the variable itself, not of its logarithm.
    LogNormal,
    /// None: mean one.
    Exponential,
    /// Shape; scale one.
    Gamma,
    /// Alpha, beta.
    Beta,
    /// Shape; scale one.
    Weibull,
    /// Shape; mean one (Vensim).
    WeibullOfMeanOne,
    /// None: mean zero, scale one.
    Logistic,
    /// Shape; least value one.
    Pareto,
    /// Least, peak, most.
    Triangular,
    /// `x, y` pairs of a density that is linear between them; it need not have area one, below zero counts as zero.
    Lookup,
    /// Mean.
    Poisson,
    /// Trials, probability.
    Binomial,
    /// Successes, probability: the failures before that many successes.
    NegativeBinomial,
    /// Successes, probability: the trials up to that many successes (Vensim).
    NegativeBinomialTrials,
    /// Probability: the trials up to the first success.
    Geometric,
    /// Probability: one or zero.
    Bernoulli,
}

impl Distribution {
    /// How many parameters there are; `None` for the points of a lookup.
    pub fn parameters(self) -> Option<usize> {
        match self {
            Self::Normal | Self::Exponential | Self::Logistic => Some(0),
            Self::Gamma
            | Self::Weibull
            | Self::WeibullOfMeanOne
            | Self::Pareto
            | Self::Poisson
            | Self::Geometric
            | Self::Bernoulli => Some(1),
            Self::Uniform
            | Self::LogNormal
            | Self::Beta
            | Self::Binomial
            | Self::NegativeBinomial
            | Self::NegativeBinomialTrials => Some(2),
            Self::Triangular => Some(3),
            Self::Lookup => None,
        }
    }

    /// Whether only whole numbers are drawn.
    pub fn discrete(self) -> bool {
        matches!(
            self,
            Self::Poisson
                | Self::Binomial
                | Self::NegativeBinomial
                | Self::NegativeBinomialTrials
                | Self::Geometric
                | Self::Bernoulli
        )
    }

    /// The probability of a value at or below `x`; not a number where the parameters make no distribution.
    pub fn cdf(self, p: &[f64], x: f64) -> f64 {
        if !self.possible(p) {
            return f64::NAN;
        }
        let at = |k: usize| p.get(k).copied().unwrap_or(f64::NAN);
        let positive = x.max(0.0);
        match self {
            Self::Uniform => {
                if at(1) > at(0) {
                    ((x - at(0)) / (at(1) - at(0))).clamp(0.0, 1.0)
                } else if x >= at(0) {
                    1.0
                } else {
                    0.0
                }
            }
            Self::Normal => normal_cdf(x),
            Self::LogNormal => {
                let (middle, deviation) = of_logarithm(at(0), at(1));
                if x <= 0.0 { 0.0 } else { normal_cdf((libm::log(x) - middle) / deviation) }
            }
            Self::Exponential => -libm::expm1(-positive),
            Self::Gamma => incomplete_gamma(at(0), positive).0,
            Self::Beta => incomplete_beta(x, at(0), at(1)),
            Self::Weibull => -libm::expm1(-libm::pow(positive, at(0))),
            Self::WeibullOfMeanOne => -libm::expm1(-libm::pow(positive / scale_of_mean_one(at(0)), at(0))),
            Self::Logistic => 1.0 / (1.0 + libm::exp(-x)),
            Self::Pareto => -libm::expm1(-at(0) * libm::log(x.max(1.0))),
            Self::Triangular => triangular_cdf(at(0), at(1), at(2), x),
            Self::Lookup => density_cdf(p, x),
            _ => self.count_below(p, x.floor()),
        }
    }

    fn possible(self, p: &[f64]) -> bool {
        let at = |k: usize| p.get(k).copied().unwrap_or(f64::NAN);
        let positive = |k: usize| at(k) > 0.0 && at(k).is_finite();
        let share = |k: usize| (0.0..=1.0).contains(&at(k));
        match self {
            Self::Normal | Self::Exponential | Self::Logistic => true,
            Self::Uniform => at(0) <= at(1) && at(0).is_finite() && at(1).is_finite(),
            Self::LogNormal | Self::Beta => positive(0) && positive(1),
            Self::Gamma | Self::Weibull | Self::WeibullOfMeanOne | Self::Pareto => positive(0),
            Self::Triangular => at(0) <= at(1) && at(1) <= at(2) && at(0).is_finite() && at(2).is_finite(),
            Self::Lookup => p.len() >= 4 && p.len().is_multiple_of(2) && area(p) > 0.0,
            Self::Poisson => at(0) >= 0.0 && at(0).is_finite(),
            Self::Binomial => at(0) >= 0.0 && at(0).is_finite() && share(1),
            Self::NegativeBinomial | Self::NegativeBinomialTrials => positive(0) && positive(1) && share(1),
            Self::Geometric => positive(0) && share(0),
            Self::Bernoulli => share(0),
        }
    }

    /// The probability of a whole number at or below `k`.
    fn count_below(self, p: &[f64], k: f64) -> f64 {
        let k = match self {
            Self::NegativeBinomialTrials => k - p[0],
            _ => k,
        };
        if k < 0.0 {
            return 0.0;
        }
        match self {
            Self::Poisson if p[0] == 0.0 => 1.0,
            Self::Poisson => incomplete_gamma(k + 1.0, p[0]).1,
            Self::Binomial => {
                let trials = p[0].round();
                if k >= trials { 1.0 } else { 1.0 - incomplete_beta(p[1], k + 1.0, trials - k) }
            }
            Self::NegativeBinomial | Self::NegativeBinomialTrials => incomplete_beta(p[1], p[0], k + 1.0),
            Self::Geometric => {
                if k < 1.0 {
                    0.0
                } else {
                    -libm::expm1(k * libm::log1p(-p[0]))
                }
            }
            _ => {
                if k < 1.0 {
                    1.0 - p[0]
                } else {
                    1.0
                }
            }
        }
    }

    /// The value that is not exceeded with probability `u` (for whole numbers the least one that reaches it); not a
    /// number where the parameters make no distribution.
    pub fn quantile(self, p: &[f64], u: f64) -> f64 {
        if !self.possible(p) || !(0.0..=1.0).contains(&u) {
            return f64::NAN;
        }
        let at = |k: usize| p.get(k).copied().unwrap_or(f64::NAN);
        match self {
            Self::Uniform => at(0) + (at(1) - at(0)) * u,
            Self::Normal => normal_quantile(u),
            Self::LogNormal => {
                let (middle, deviation) = of_logarithm(at(0), at(1));
                libm::exp(middle + deviation * normal_quantile(u))
            }
            Self::Exponential => -libm::log1p(-u),
            Self::Gamma => gamma_quantile(u, at(0)),
            Self::Beta => beta_quantile(u, at(0), at(1)),
            Self::Weibull => libm::pow(-libm::log1p(-u), 1.0 / at(0)),
            Self::WeibullOfMeanOne => scale_of_mean_one(at(0)) * libm::pow(-libm::log1p(-u), 1.0 / at(0)),
            Self::Logistic => libm::log(u) - libm::log1p(-u),
            Self::Pareto => libm::exp(-libm::log1p(-u) / at(0)),
            Self::Triangular => {
                let (low, peak, high) = (at(0), at(1), at(2));
                let below = u * (high - low);
                if below < peak - low {
                    low + (below * (peak - low)).sqrt()
                } else {
                    high - ((1.0 - u) * (high - low) * (high - peak)).sqrt()
                }
            }
            Self::Lookup => density_quantile(p, u),
            Self::Poisson => self.count(p, u, p[0], p[0], 1.0, f64::INFINITY),
            Self::Binomial => {
                let (n, q) = (p[0].round(), p[1]);
                self.count(p, u, n * q, n * q * (1.0 - q), 1.0 - 2.0 * q, n)
            }
            Self::NegativeBinomial | Self::NegativeBinomialTrials => {
                let (n, q) = (p[0], p[1]);
                let mean = n * (1.0 - q) / q;
                let failures = Self::NegativeBinomial.count(p, u, mean, mean / q, 1.0 + (1.0 - q) / q, f64::INFINITY);
                if self == Self::NegativeBinomial { failures } else { failures + n }
            }
            Self::Geometric => {
                if at(0) >= 1.0 {
                    1.0
                } else {
                    (libm::log1p(-u) / libm::log1p(-at(0))).ceil().max(1.0)
                }
            }
            Self::Bernoulli => {
                if u > 1.0 - at(0) {
                    1.0
                } else {
                    0.0
                }
            }
        }
    }

    /// The least whole number whose distribution function reaches `u`, searched from the guess of Cornish & Fisher (1938):
    /// with a variance above 10⁶ the guess, less than a thousandth of a deviation off, is the answer.
    fn count(self, p: &[f64], u: f64, mean: f64, variance: f64, skew_times_deviation: f64, most: f64) -> f64 {
        if variance == 0.0 {
            return mean.round().min(most);
        }
        if u >= 1.0 {
            return most;
        }
        let z = normal_quantile(u.max(1e-300));
        let deviation = variance.sqrt();
        let guess = (mean + deviation * z + skew_times_deviation * (z * z - 1.0) / 6.0).floor().clamp(0.0, most);
        if variance > 1e6 {
            return guess;
        }
        let reaches = |k: f64| k >= most || self.count_below(p, k) >= u;
        let (mut low, mut high, mut step) = (guess, guess, 1.0);
        if reaches(guess) {
            loop {
                low = high - step;
                if low < 0.0 {
                    low = -1.0;
                    break;
                }
                if !reaches(low) {
                    break;
                }
                high = low;
                step *= 2.0;
            }
        } else {
            loop {
                high = low + step;
                if reaches(high) {
                    break;
                }
                low = high;
                step *= 2.0;
            }
        }
        while high - low > 1.0 {
            let middle = (0.5 * (low + high)).floor();
            if reaches(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        high.min(most)
    }
}

/// Mean and standard deviation of the logarithm of a log-normal variable with a mean and a standard deviation.
fn of_logarithm(mean: f64, deviation: f64) -> (f64, f64) {
    let ratio = deviation / mean;
    let variance = libm::log1p(ratio * ratio);
    (libm::log(mean) - 0.5 * variance, variance.sqrt())
}

fn scale_of_mean_one(shape: f64) -> f64 {
    libm::exp(-gamma_ln(1.0 + 1.0 / shape))
}

fn triangular_cdf(low: f64, peak: f64, high: f64, x: f64) -> f64 {
    if x <= low && low < high {
        0.0
    } else if x >= high {
        1.0
    } else if x < peak {
        (x - low) * (x - low) / ((high - low) * (peak - low))
    } else {
        1.0 - (high - x) * (high - x) / ((high - low) * (high - peak))
    }
}

fn pieces(points: &[f64]) -> impl Iterator<Item = (f64, f64, f64, f64)> + '_ {
    let n = points.len() / 2;
    (1..n).map(|i| (points[2 * i - 2], points[2 * i - 1].max(0.0), points[2 * i], points[2 * i + 1].max(0.0)))
}

fn area(points: &[f64]) -> f64 {
    pieces(points).map(|(x0, y0, x1, y1)| 0.5 * (y0 + y1) * (x1 - x0)).sum()
}

fn density_cdf(points: &[f64], x: f64) -> f64 {
    let mut below = 0.0;
    for (x0, y0, x1, y1) in pieces(points) {
        if x <= x0 {
            break;
        }
        if x >= x1 {
            below += 0.5 * (y0 + y1) * (x1 - x0);
        } else {
            let t = x - x0;
            below += t * (y0 + 0.5 * t * (y1 - y0) / (x1 - x0));
        }
    }
    (below / area(points)).clamp(0.0, 1.0)
}

fn density_quantile(points: &[f64], u: f64) -> f64 {
    let mut left = u * area(points);
    let mut last = f64::NAN;
    for (x0, y0, x1, y1) in pieces(points) {
        let part = 0.5 * (y0 + y1) * (x1 - x0);
        if part > 0.0 {
            if left <= part {
                // The root of ½·slope·t² + y0·t = left, in the form that does not cancel.
                let slope = (y1 - y0) / (x1 - x0);
                let root = (y0 * y0 + 2.0 * slope * left).max(0.0).sqrt();
                let t = if y0 + root > 0.0 { 2.0 * left / (y0 + root) } else { 0.0 };
                return x0 + t.min(x1 - x0);
            }
            left -= part;
            last = x1;
        }
    }
    last
}
