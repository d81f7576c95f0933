//! Functions that are evaluated lane by lane: random draws, arrays as a whole, special functions.

use crate::rng::{Philox, Stream, normal_quantile};
use crate::sd::compile::lower::NOT_AVAILABLE;

/// A function evaluated on plain numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Function {
    /// Offset from zero, then the items.
    Pick,
    /// ln Γ(x)
    GammaLn,
    Factorial,
    NormalCdf,
    /// Value, then `x, y` pairs.
    LookupInvert,
    /// Direction, then the items: places from zero in sorted order.
    SortOrder,
    /// Direction, then the items: each item's rank from one.
    Rank,
    /// The entries of a square matrix by rows: its inverse.
    Inverse,
    /// Available amount, then request, type, priority, width and extra of each.
    Allocate,
    /// Available amount, width, then request and priority of each.
    AllocateByPriority,
    /// Number of demands, then quantity, type, priority, width and extra of each demand and each supply.
    MarketPrice,
    /// Price, then quantity, type, priority, width and extra.
    DemandAtPrice,
    /// Price, then quantity, type, priority, width and extra.
    SupplyAtPrice,
    Uniform,
    Normal,
    NormalTruncated,
    Exponential,
    ExponentialTruncated,
    LogNormal,
    Poisson,
    PoissonTruncated,
    Triangular,
    TriangularTruncated,
    Binomial,
    BinomialTruncated,
    Beta,
    BetaTruncated,
    Gamma,
    GammaTruncated,
    Weibull,
    WeibullTruncated,
    NegativeBinomial,
    NegativeBinomialTruncated,
    Geometric,
    Logistic,
    Pareto,
    RandomLookup,
}

/// Which random numbers a run draws: a function of the seed, the run, the step and the place in the model alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Noise {
    /// The key of the generator.
    pub key: [u64; 2],
    /// The run.
    pub run: u64,
    /// The step.
    pub step: u64,
}

impl Function {
    /// Whether the value depends on more than the arguments.
    pub fn random(self) -> bool {
        (self as u32) >= (Self::Uniform as u32)
    }

    /// How many results there are for so many arguments.
    pub fn results(self, arguments: usize) -> usize {
        match self {
            Self::SortOrder | Self::Rank => arguments.saturating_sub(1),
            Self::Inverse => arguments,
            Self::Allocate => arguments.saturating_sub(1) / 5,
            Self::AllocateByPriority => arguments.saturating_sub(2) / 2,
            _ => 1,
        }
    }

    /// Evaluates the function. `out` has as many places as [`Function::results`] says.
    pub fn evaluate(self, x: &[f64], noise: &Noise, place: u32, out: &mut [f64]) {
        if self.random() {
            let mut philox =
                Philox::new(noise.key, [u64::from(place) << 32, Stream::Noise as u64, noise.run, noise.step]);
            out[0] = draw(self, x, &mut philox);
            return;
        }
        match self {
            Self::SortOrder => {
                for (k, place) in order(x).into_iter().enumerate() {
                    out[k] = place as f64;
                }
            }
            Self::Rank => {
                for (k, place) in order(x).into_iter().enumerate() {
                    out[place] = (k + 1) as f64;
                }
            }
            Self::Inverse => invert(x, out),
            Self::Allocate => allocate(x[0], &profiles(&x[1..]), out),
            Self::AllocateByPriority => {
                let profiles: Vec<Profile> = x[2..]
                    .chunks_exact(2)
                    .map(|pair| Profile { quantity: pair[0], kind: 1, priority: pair[1], width: x[1], extra: 0.0 })
                    .collect();
                allocate(x[0], &profiles, out);
            }
            _ => out[0] = self.single(x),
        }
    }

    fn single(self, x: &[f64]) -> f64 {
        match self {
            Self::Pick => {
                // Rounded, so that an index computed with rounding errors still finds its element.
                let k = x[0].round();
                if k >= 0.0 && k < (x.len() - 1) as f64 { x[1 + k as usize] } else { NOT_AVAILABLE }
            }
            Self::GammaLn => libm::lgamma(x[0]),
            Self::Factorial => libm::tgamma(x[0].round() + 1.0).round(),
            Self::NormalCdf => {
                let cdf = |z: f64| 0.5 * libm::erfc(-z / std::f64::consts::SQRT_2);
                match *x {
                    [a] => cdf(a),
                    [a, b] => cdf(b) - cdf(a),
                    [a, mean, deviation] => cdf((a - mean) / deviation),
                    [a, b, mean, deviation, ..] => cdf((b - mean) / deviation) - cdf((a - mean) / deviation),
                    [] => f64::NAN,
                }
            }
            Self::LookupInvert => {
                let (at, points) = (x[0], &x[1..]);
                let n = points.len() / 2;
                let (px, py) = (|i: usize| points[2 * i], |i: usize| points[2 * i + 1]);
                for i in 0..n.saturating_sub(1) {
                    let (low, high) = (py(i), py(i + 1));
                    if (low <= at && at <= high) || (high <= at && at <= low) {
                        return if high == low {
                            px(i)
                        } else {
                            px(i) + (px(i + 1) - px(i)) * (at - low) / (high - low)
                        };
                    }
                }
                if n == 0 {
                    f64::NAN
                } else if (at < py(0)) == (py(0) <= py(n - 1)) {
                    px(0)
                } else {
                    px(n - 1)
                }
            }
            Self::MarketPrice => {
                let demands = x[0].max(0.0) as usize * 5;
                let (demand, supply) = (profiles(&x[1..=demands]), profiles(&x[1 + demands..]));
                market_price(&demand, &supply)
            }
            Self::DemandAtPrice => profiles(&x[1..]).first().map_or(f64::NAN, |profile| profile.demand(x[0])),
            Self::SupplyAtPrice => profiles(&x[1..]).first().map_or(f64::NAN, |profile| profile.supply(x[0])),
            _ => f64::NAN,
        }
    }
}

fn order(x: &[f64]) -> Vec<usize> {
    let (direction, items) = (x[0], &x[1..]);
    let mut places: Vec<usize> = (0..items.len()).collect();
    // Stable: equal items keep their order.
    if direction >= 0.0 {
        places.sort_by(|&a, &b| items[a].total_cmp(&items[b]));
    } else {
        places.sort_by(|&a, &b| items[b].total_cmp(&items[a]));
    }
    places
}

/// Gauss–Jordan elimination with partial pivoting; a singular matrix gives NaN.
fn invert(x: &[f64], out: &mut [f64]) {
    let n = (x.len() as f64).sqrt().round() as usize;
    let mut a = x.to_vec();
    for (k, entry) in out.iter_mut().enumerate() {
        *entry = if k / n == k % n { 1.0 } else { 0.0 };
    }
    for column in 0..n {
        let mut pivot = column;
        for row in column + 1..n {
            if a[row * n + column].abs() > a[pivot * n + column].abs() {
                pivot = row;
            }
        }
        let divisor = a[pivot * n + column];
        if divisor == 0.0 || divisor.is_nan() {
            out.fill(f64::NAN);
            return;
        }
        for k in 0..n {
            a.swap(column * n + k, pivot * n + k);
            out.swap(column * n + k, pivot * n + k);
        }
        for k in 0..n {
            a[column * n + k] /= divisor;
            out[column * n + k] /= divisor;
        }
        for row in 0..n {
            let factor = a[row * n + column];
            if row != column && factor != 0.0 {
                for k in 0..n {
                    a[row * n + k] -= factor * a[column * n + k];
                    out[row * n + k] -= factor * out[column * n + k];
                }
            }
        }
    }
}

/// A demand or supply curve of Vensim's allocation functions.
#[derive(Clone, Copy, Debug)]
struct Profile {
    quantity: f64,
    kind: i32,
    priority: f64,
    width: f64,
    extra: f64,
}

fn profiles(x: &[f64]) -> Vec<Profile> {
    x.chunks_exact(5)
        .map(|p| Profile { quantity: p[0], kind: p[1].round() as i32, priority: p[2], width: p[3], extra: p[4] })
        .collect()
}

impl Profile {
    /// The share that is demanded at a price: one far below the priority, zero far above.
    fn share(&self, price: f64) -> f64 {
        let gap = self.priority - price;
        if self.width <= 0.0 && self.kind != 0 {
            return if gap >= 0.0 { 1.0 } else { 0.0 };
        }
        let z = gap / self.width;
        match self.kind {
            0 => 1.0,
            2 => {
                // The integral of a triangle over [−½, ½].
                if z <= -0.5 {
                    0.0
                } else if z >= 0.5 {
                    1.0
                } else if z <= 0.0 {
                    2.0 * (z + 0.5) * (z + 0.5)
                } else {
                    1.0 - 2.0 * (0.5 - z) * (0.5 - z)
                }
            }
            3 => 0.5 * libm::erfc(-z / std::f64::consts::SQRT_2),
            4 => {
                // Laplace distribution.
                if z < 0.0 { 0.5 * libm::exp(z) } else { 1.0 - 0.5 * libm::exp(-z) }
            }
            5 => 1.0 / (1.0 + libm::exp(-z)),
            _ => (z + 0.5).clamp(0.0, 1.0),
        }
    }

    fn demand(&self, price: f64) -> f64 {
        if self.kind == 6 {
            // Constant elasticity: the quantity at the priority price, the elasticity in `extra`.
            return self.quantity * libm::pow(price / self.priority, -self.extra.abs());
        }
        self.quantity * self.share(price)
    }

    fn supply(&self, price: f64) -> f64 {
        if self.kind == 6 {
            return self.quantity * libm::pow(price / self.priority, self.extra.abs());
        }
        if self.kind == 0 { self.quantity } else { self.quantity * (1.0 - self.share(price)) }
    }

    /// Prices beyond which nothing changes.
    fn reach(&self) -> f64 {
        match self.kind {
            1 | 2 => self.width.abs() * 0.5,
            3 => self.width.abs() * 10.0,
            _ => self.width.abs() * 40.0,
        }
    }
}

/// Bisection for the price at which a falling function of it passes zero.
fn root(excess: impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    let (mut low, mut high) = (low, high);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if excess(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Gives each what its curve demands at the one price that exhausts what is available.
fn allocate(available: f64, profiles: &[Profile], out: &mut [f64]) {
    let total: f64 = profiles.iter().map(|profile| profile.quantity.max(0.0)).sum();
    if available >= total {
        for (share, profile) in out.iter_mut().zip(profiles) {
            *share = profile.quantity.max(0.0);
        }
        return;
    }
    if available <= 0.0 {
        out.fill(0.0);
        return;
    }
    let low = profiles.iter().map(|p| p.priority - p.reach()).fold(f64::INFINITY, f64::min) - 1.0;
    let high = profiles.iter().map(|p| p.priority + p.reach()).fold(f64::NEG_INFINITY, f64::max) + 1.0;
    let at = |price: f64| profiles.iter().map(|p| p.quantity.max(0.0) * p.share(price)).sum::<f64>();
    let price = root(|price| at(price) - available, low, high);
    // Where curves jump, the demands on the two sides of the price are mixed so that nothing is left over.
    let step = (high - low) * 1e-13;
    let (more, less) = (at(price - step), at(price + step));
    let weight = if more > less { ((available - less) / (more - less)).clamp(0.0, 1.0) } else { 1.0 };
    for (share, profile) in out.iter_mut().zip(profiles) {
        let quantity = profile.quantity.max(0.0);
        *share = quantity * (weight * profile.share(price - step) + (1.0 - weight) * profile.share(price + step));
    }
}

fn market_price(demand: &[Profile], supply: &[Profile]) -> f64 {
    let all = || demand.iter().chain(supply);
    let elastic = all().any(|p| p.kind == 6);
    let mut low = all().map(|p| p.priority - p.reach()).fold(f64::INFINITY, f64::min);
    let mut high = all().map(|p| p.priority + p.reach()).fold(f64::NEG_INFINITY, f64::max);
    if elastic {
        low = 1e-12;
        high = high.abs().max(1.0) * 1e6;
    }
    let excess = |price: f64| {
        demand.iter().map(|p| p.demand(price)).sum::<f64>() - supply.iter().map(|p| p.supply(price)).sum::<f64>()
    };
    root(excess, low, high)
}

fn truncated(low: f64, high: f64, philox: &mut Philox, mut next: impl FnMut(&mut Philox) -> f64) -> f64 {
    // Draws outside are drawn again, as in Vensim; an empty range ends at its nearest bound.
    for _ in 0..1000 {
        let value = next(philox);
        if value >= low && value <= high {
            return value;
        }
    }
    next(philox).max(low).min(high)
}

/// Marsaglia & Tsang (2000), ACM TOMS 26(3).
fn gamma(shape: f64, philox: &mut Philox) -> f64 {
    if !(shape > 0.0) {
        return f64::NAN;
    }
    if shape < 1.0 {
        let u = philox.uniform_open();
        return gamma(shape + 1.0, philox) * libm::pow(u, 1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let z = philox.normal();
        let v = 1.0 + c * z;
        if v <= 0.0 {
            continue;
        }
        let v = v * v * v;
        if libm::log(philox.uniform_open()) < 0.5 * z * z + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

/// Below 30 the product of uniforms (Knuth), above the transformed rejection of Hörmann (1993), Insurance: Math. & Econ. 12.
fn poisson(mean: f64, philox: &mut Philox) -> f64 {
    if !(mean > 0.0) {
        return if mean == 0.0 { 0.0 } else { f64::NAN };
    }
    if mean < 30.0 {
        let limit = libm::exp(-mean);
        let (mut product, mut count) = (philox.uniform_open(), 0.0);
        while product > limit {
            product *= philox.uniform_open();
            count += 1.0;
        }
        return count;
    }
    let smu = mean.sqrt();
    let b = 0.931 + 2.53 * smu;
    let a = -0.059 + 0.02483 * b;
    let inverse = 1.1239 + 1.1328 / (b - 3.4);
    let accept = 0.9277 - 3.6224 / (b - 2.0);
    loop {
        let u = philox.uniform_open() - 0.5;
        let v = philox.uniform_open();
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + mean + 0.43).floor();
        if us >= 0.07 && v <= accept {
            return k;
        }
        if k < 0.0 || (us < 0.013 && v > us) {
            continue;
        }
        if libm::log(v * inverse / (a / (us * us) + b)) <= k * libm::log(mean) - mean - libm::lgamma(k + 1.0) {
            return k;
        }
    }
}

fn binomial(n: f64, p: f64, philox: &mut Philox) -> f64 {
    let n = n.round();
    if !(0.0..=1.0).contains(&p) || n < 0.0 || n > 1e9 {
        return f64::NAN;
    }
    // By order statistics: the median of n uniforms is beta; halve until few are left (Devroye 1986, X.4).
    let (mut n, mut p, mut count) = (n, p, 0.0);
    while n > 50.0 {
        let i = ((n + 1.0) / 2.0).floor();
        let (a, b) = (gamma(i, philox), gamma(n + 1.0 - i, philox));
        let y = a / (a + b);
        if y <= p {
            count += i;
            n -= i;
            p = (p - y) / (1.0 - y);
        } else {
            n = i - 1.0;
            p /= y;
        }
    }
    for _ in 0..n as u32 {
        if philox.uniform() < p {
            count += 1.0;
        }
    }
    count
}

fn draw(function: Function, x: &[f64], philox: &mut Philox) -> f64 {
    let triangular = |low: f64, mode: f64, high: f64, u: f64| {
        let cut = (mode - low) / (high - low);
        if u < cut {
            low + (u * (high - low) * (mode - low)).sqrt()
        } else {
            high - ((1.0 - u) * (high - low) * (high - mode)).sqrt()
        }
    };
    let weibull = |shape: f64, philox: &mut Philox| libm::pow(philox.exponential(), 1.0 / shape);
    let beta = |a: f64, b: f64, philox: &mut Philox| {
        let (p, q) = (gamma(a, philox), gamma(b, philox));
        p / (p + q)
    };
    // The failures before the n-th success.
    let negative = |p: f64, n: f64, philox: &mut Philox| {
        let rate = gamma(n, philox) * (1.0 - p) / p;
        poisson(rate, philox)
    };
    match function {
        Function::Uniform => match *x {
            [low, high, ..] => low + (high - low) * philox.uniform(),
            _ => philox.uniform(),
        },
        Function::Normal => x[0] + x[1] * philox.normal(),
        Function::NormalTruncated => truncated(x[0], x[1], philox, |philox| x[2] + x[3] * philox.normal()),
        Function::Exponential => x[0] * philox.exponential(),
        Function::ExponentialTruncated => truncated(x[0], x[1], philox, |philox| x[2] + x[3] * philox.exponential()),
        Function::LogNormal => {
            // Mean and standard deviation of the variable itself, as in Stella.
            let ratio = x[1] / x[0];
            let variance = libm::log1p(ratio * ratio);
            libm::exp(libm::log(x[0]) - 0.5 * variance + variance.sqrt() * philox.normal())
        }
        Function::Poisson => poisson(x[0], philox),
        Function::PoissonTruncated => truncated(x[0], x[1], philox, |philox| x[3] + x[4] * poisson(x[2], philox)),
        Function::Triangular => triangular(x[0], x[1], x[2], philox.uniform()),
        Function::TriangularTruncated => {
            truncated(x[0], x[1], philox, |philox| triangular(x[2], x[3], x[4], philox.uniform()))
        }
        Function::Binomial => binomial(x[0], x[1], philox),
        Function::BinomialTruncated => {
            truncated(x[0], x[1], philox, |philox| x[4] + x[5] * binomial(x[3], x[2], philox))
        }
        Function::Beta => beta(x[0], x[1], philox),
        Function::BetaTruncated => truncated(x[0], x[1], philox, |philox| x[4] + x[5] * beta(x[2], x[3], philox)),
        Function::Gamma => x[1] * gamma(x[0], philox),
        Function::GammaTruncated => truncated(x[0], x[1], philox, |philox| x[3] + x[4] * gamma(x[2], philox)),
        Function::Weibull => x[1] * weibull(x[0], philox),
        Function::WeibullTruncated => truncated(x[0], x[1], philox, |philox| x[3] + x[4] * weibull(x[2], philox)),
        Function::NegativeBinomial => negative(x[1], x[0], philox),
        Function::NegativeBinomialTruncated => {
            truncated(x[0], x[1], philox, |philox| x[4] + x[5] * negative(x[2], x[3], philox))
        }
        Function::Geometric => (libm::log(philox.uniform_open()) / libm::log1p(-x[0])).floor(),
        Function::Logistic => {
            let u = philox.uniform_open();
            x[0] + x[1] * libm::log(u / (1.0 - u))
        }
        Function::Pareto => x[1] * libm::pow(philox.uniform_open(), -1.0 / x[0]),
        Function::RandomLookup => {
            let points = &x[4..];
            let n = points.len() / 2;
            let area = |i: usize| 0.5 * (points[2 * i + 1] + points[2 * i + 3]) * (points[2 * i + 2] - points[2 * i]);
            let total: f64 = (0..n.saturating_sub(1)).map(area).sum();
            truncated(x[0], x[1], philox, |philox| {
                let mut left = philox.uniform() * total;
                for i in 0..n.saturating_sub(1) {
                    let part = area(i);
                    if left <= part || i + 2 == n {
                        let (y0, y1, width) = (points[2 * i + 1], points[2 * i + 3], points[2 * i + 2] - points[2 * i]);
                        let slope = (y1 - y0) / width;
                        // The root of ½·slope·t² + y0·t = left in its stable form.
                        let root = (y0 * y0 + 2.0 * slope * left).max(0.0).sqrt();
                        let t = if y0 + root > 0.0 { 2.0 * left / (y0 + root) } else { 0.0 };
                        return x[2] + x[3] * (points[2 * i] + t.min(width));
                    }
                    left -= part;
                }
                f64::NAN
            })
        }
        _ => normal_quantile(philox.uniform_open()),
    }
}
