//! Functions that are evaluated lane by lane: the face of this directory towards a program, in plain numbers.

use super::curve::{Curve, Shape};
use super::distribution::Distribution;
use super::machine::Query;
use super::random::{Place, Range, Seeding};
use super::{allocate, calendar, finance, lookup, market, matrix, random, special, vector};
use crate::sd::compile::lower::NOT_AVAILABLE;

/// A function evaluated on plain numbers. The comment gives its arguments in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// Offset from zero, then the items.
    Pick,
    /// ln Γ(x)
    GammaLn,
    /// n
    Factorial,
    /// n, r
    Combinations,
    /// n, r
    Permutations,
    /// Left, right, then mean and deviation if they are not zero and one; a single argument is the right bound.
    NormalCdf,
    /// Probability, then mean and deviation if they are not zero and one.
    InverseNormal,
    /// Rate, periods, payment, present value.
    FutureValue,
    /// Rate, periods, payment, future value.
    PresentValue,
    /// Rate, periods, present value, future value.
    Payment,
    /// Value, then `x, y` pairs.
    LookupInvert,
    /// Start, end, then `x, y` pairs.
    LookupArea,
    /// Start, end, whether the end pieces are drawn on, then `x, y` pairs: nothing beyond the points unless they are.
    LookupAreaInside,
    /// Start, end, whether the end pieces are drawn on, then `x, y` pairs: the mean of x weighted by y.
    LookupMean,
    /// What of a date ([`super::calendar::Measure`] as its number in Vensim), days of a unit of time, year, month and day of
    /// time zero, whether a year has 360 days, time.
    Calendar,
    /// Argument, mode, then `x, y` pairs.
    LookupSlope,
    /// Argument, least, most, mode, then the items.
    VectorLookup,
    /// Missing value, action, error action, then pairs of selection and value.
    Select,
    /// Direction, then the items: places from zero in sorted order.
    SortOrder,
    /// Direction, then the items: each item's rank from one.
    Rank,
    /// Rank, then the items.
    ItemOfRank,
    /// Rank, then the items, then as many tie breakers.
    ItemOfRankWithTies,
    /// The entries of a square matrix by rows: its inverse.
    Inverse,
    /// The entries of a square matrix by rows.
    Determinant,
    /// Available amount, then request, type, priority, width and extra of each.
    Allocate,
    /// As `Allocate`, with Stella's normal curves, which are exact where Vensim's are an approximation.
    AllocateExactly,
    /// Available amount, width, then request and priority of each.
    AllocateByPriority,
    /// Number of demands, then quantity, type, priority, width and extra of each demand and each supply.
    MarketPrice,
    /// Price, then quantity, type, priority, width and extra.
    DemandAtPrice,
    /// Price, then quantity, type, priority, width and extra.
    SupplyAtPrice,
    /// Least, most, shift, stretch, seed, steps that a number is held, then the parameters of the distribution.
    Random(Distribution, Seeding),
    /// What a machine of the program says or is told.
    Machine(u32, Ask),
}

/// What is asked of a machine ([`super::machine::Machine`]). Answered by the blocks that keep the machines, not by [`Function::evaluate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// So many outputs in this step; the arguments are the controls.
    Outputs(u32),
    /// A question about its state.
    Query(Query),
    /// So many outputs at the start of the run; the arguments are the start values, then the controls.
    FirstOutputs(u32),
    /// A question about its state at the start of the run; the arguments are the start values, then those of the question.
    FirstQuery(Query),
    /// Tells it the controls and the inflows of this step, with which it moves at the step's end. The answer is zero, or
    /// not a number where an inflow is not finite.
    Turn,
    /// The argument as it was when the step began: Runge–Kutta steps look at it several times.
    Hold,
}

/// How many arguments of a random function stand before the parameters of its distribution.
pub const BEFORE_PARAMETERS: usize = 6;

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
        matches!(self, Self::Random(..) | Self::Machine(..))
    }

    /// Whether the answer stands before the first step is made, whatever the machine does later.
    pub fn first(self) -> bool {
        matches!(self, Self::Machine(_, Ask::FirstOutputs(_) | Ask::FirstQuery(_)))
    }

    /// How many results there are for so many arguments.
    pub fn results(self, arguments: usize) -> usize {
        match self {
            Self::SortOrder | Self::Rank => arguments.saturating_sub(1),
            Self::Inverse => arguments,
            Self::Allocate | Self::AllocateExactly => arguments.saturating_sub(1) / 5,
            Self::AllocateByPriority => arguments.saturating_sub(2) / 2,
            Self::Machine(_, Ask::Outputs(outputs) | Ask::FirstOutputs(outputs)) => outputs as usize,
            _ => 1,
        }
    }

    /// Evaluates the function. `out` has as many places as [`Function::results`] says.
    pub fn evaluate(self, x: &[f64], noise: &Noise, place: u32, out: &mut [f64]) {
        match self {
            Self::Machine(..) => out.fill(f64::NAN),
            Self::Random(distribution, seeding) => {
                let at = |k: usize| x.get(k).copied().unwrap_or(f64::NAN);
                let place = Place { key: noise.key, run: noise.run, step: noise.step, call: place };
                let range = Range { least: at(0), most: at(1), shift: at(2), stretch: at(3) };
                let u = random::uniform(place, seeding, at(4), at(5));
                put(out, random::draw(distribution, x.get(BEFORE_PARAMETERS..).unwrap_or(&[]), range, u));
            }
            Self::SortOrder => {
                let order = x.split_first().map(|(direction, items)| vector::sort_order(items, *direction));
                for (entry, place) in out.iter_mut().zip(order.unwrap_or_default()) {
                    *entry = place as f64;
                }
            }
            Self::Rank => {
                if let Some((direction, items)) = x.split_first() {
                    vector::ranks(items, *direction, out);
                }
            }
            Self::Inverse => matrix::invert(x, side(x), out),
            Self::Allocate | Self::AllocateExactly => {
                if let Some((available, curves)) = x.split_first() {
                    let mut curves = curves_of(curves);
                    if self == Self::AllocateExactly {
                        curves.iter_mut().for_each(Curve::exactly);
                    }
                    allocate::allocate(&curves, *available, out);
                }
            }
            Self::AllocateByPriority => {
                if let [supply, width, pairs @ ..] = x {
                    let curves: Vec<Curve> =
                        pairs.chunks_exact(2).map(|pair| Curve::new(pair[0], [1.0, pair[1], *width, 0.0])).collect();
                    allocate::allocate(&curves, *supply, out);
                }
            }
            _ => put(out, self.single(x)),
        }
    }

    fn single(self, x: &[f64]) -> f64 {
        match (self, x) {
            (Self::Pick, [at, items @ ..]) => {
                // Rounded, so that an index computed with rounding errors still finds its element.
                let k = at.round();
                if k >= 0.0 { items.get(k as usize).copied().unwrap_or(NOT_AVAILABLE) } else { NOT_AVAILABLE }
            }
            (Self::GammaLn, [x, ..]) => special::gamma_ln(*x),
            (Self::Factorial, [n, ..]) => special::factorial(*n),
            (Self::Combinations, [n, r, ..]) => special::combinations(*n, *r),
            (Self::Permutations, [n, r, ..]) => special::permutations(*n, *r),
            (Self::NormalCdf, [right]) => special::normal_cdf(*right),
            (Self::NormalCdf, [left, right]) => special::normal_between(*left, *right, 0.0, 1.0),
            (Self::NormalCdf, [left, right, mean]) => special::normal_between(*left, *right, *mean, 1.0),
            (Self::NormalCdf, [left, right, mean, deviation, ..]) => {
                special::normal_between(*left, *right, *mean, *deviation)
            }
            (Self::InverseNormal, [p]) => special::inverse_normal(*p, 0.0, 1.0),
            (Self::InverseNormal, [p, mean]) => special::inverse_normal(*p, *mean, 1.0),
            (Self::InverseNormal, [p, mean, deviation, ..]) => special::inverse_normal(*p, *mean, *deviation),
            (Self::FutureValue, [rate, periods, payment, present, ..]) => {
                finance::future_value(*rate, *periods, *payment, *present)
            }
            (Self::PresentValue, [rate, periods, payment, future, ..]) => {
                finance::present_value(*rate, *periods, *payment, *future)
            }
            (Self::Payment, [rate, periods, present, future, ..]) => {
                finance::payment(*rate, *periods, *present, *future)
            }
            (Self::LookupInvert, [y, points @ ..]) => lookup::invert(&pairs(points), *y, false),
            (Self::LookupArea, [start, end, points @ ..]) => lookup::area(&pairs(points), *start, *end, false),
            (Self::LookupAreaInside, [start, end, drawn, points @ ..]) => {
                lookup::area_inside(&pairs(points), *start, *end, *drawn != 0.0)
            }
            (Self::LookupMean, [start, end, drawn, points @ ..]) => {
                lookup::mean(&pairs(points), *start, *end, *drawn != 0.0)
            }
            (Self::Calendar, [measure, days, year, month, day, even, time]) => {
                calendar::measure(*measure, *time * *days, [*year, *month, *day], *even != 0.0)
            }
            (Self::LookupSlope, [x, mode, points @ ..]) => lookup::slope(&pairs(points), *x, *mode),
            (Self::VectorLookup, [x, least, most, mode, items @ ..]) => {
                lookup::vector_lookup(items, *x, *least, *most, *mode)
            }
            (Self::Select, [missing, action, error, chosen @ ..]) => {
                vector::select(&pairs(chosen), *missing, *action, *error)
            }
            (Self::ItemOfRank, [rank, items @ ..]) => vector::item_of_rank(items, *rank, &[]),
            (Self::ItemOfRankWithTies, [rank, both @ ..]) => {
                let (items, ties) = both.split_at(both.len() / 2);
                vector::item_of_rank(items, *rank, ties)
            }
            (Self::Determinant, _) => matrix::determinant(x, side(x)),
            (Self::MarketPrice, [demands, curves @ ..]) => {
                let curves = curves_of(curves);
                let (demand, supply) = curves.split_at((demands.max(0.0) as usize).min(curves.len()));
                if curves.iter().all(|curve| curve.shape == Shape::Fixed) {
                    // Quantities that never move have no price; a run goes on with Vensim's mark for that.
                    return NOT_AVAILABLE;
                }
                market::market_price(demand, supply)
            }
            (Self::DemandAtPrice, [price, curve @ ..]) => {
                curves_of(curve).first().map_or(f64::NAN, |curve| market::demand_at_price(curve, *price))
            }
            (Self::SupplyAtPrice, [price, curve @ ..]) => {
                curves_of(curve).first().map_or(f64::NAN, |curve| market::supply_at_price(curve, *price))
            }
            _ => f64::NAN,
        }
    }
}

fn put(out: &mut [f64], value: f64) {
    if let Some(first) = out.first_mut() {
        *first = value;
    }
}

fn pairs(x: &[f64]) -> Vec<(f64, f64)> {
    x.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

fn curves_of(x: &[f64]) -> Vec<Curve> {
    x.chunks_exact(5).map(|p| Curve::new(p[0], [p[1], p[2], p[3], p[4]])).collect()
}

fn side(x: &[f64]) -> usize {
    x.len().isqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(function: Function, x: &[f64]) -> f64 {
        let mut out = vec![0.0; function.results(x.len())];
        function.evaluate(x, &Noise::default(), 0, &mut out);
        out.first().copied().unwrap_or(f64::NAN)
    }

    #[test]
    fn each_function_has_a_value() {
        for (function, x, expected) in [
            (Function::Pick, &[1.0, 5.0, 6.0][..], 6.0),
            (Function::Pick, &[2.0, 5.0, 6.0], NOT_AVAILABLE),
            (Function::GammaLn, &[2.0], 0.0),
            (Function::Factorial, &[4.0], 24.0),
            (Function::Combinations, &[5.0, 2.0], 10.0),
            (Function::Permutations, &[5.0, 2.0], 20.0),
            (Function::NormalCdf, &[0.0], 0.5),
            (Function::InverseNormal, &[0.5, 3.0, 2.0], 3.0),
            (Function::FutureValue, &[0.0, 2.0, -1.0, -5.0], 7.0),
            (Function::PresentValue, &[0.0, 2.0, -1.0, 7.0], -5.0),
            (Function::Payment, &[0.0, 2.0, -5.0, 7.0], -1.0),
            (Function::LookupInvert, &[1.0, 0.0, 0.0, 2.0, 2.0], 1.0),
            (Function::LookupArea, &[0.0, 2.0, 0.0, 0.0, 2.0, 2.0], 2.0),
            (Function::LookupSlope, &[1.0, 0.0, 0.0, 0.0, 2.0, 2.0], 1.0),
            (Function::LookupAreaInside, &[-1.0, 3.0, 0.0, 0.0, 0.0, 2.0, 2.0], 2.0),
            (Function::LookupMean, &[0.0, 3.0, 0.0, 0.0, 0.0, 3.0, 3.0], 2.0),
            (Function::Calendar, &[1.0, 30.0, 2000.0, 1.0, 1.0, 1.0, 12.0], 2001.0),
            (Function::VectorLookup, &[0.5, 0.0, 1.0, 0.0, 3.0, 5.0], 4.0),
            (Function::Select, &[-1.0, 6.0, 0.0, 1.0, 3.0, 0.0, 4.0], 3.0),
            (Function::SortOrder, &[1.0, 7.0, 2.0], 1.0),
            (Function::Rank, &[1.0, 7.0, 2.0], 2.0),
            (Function::ItemOfRank, &[1.0, 7.0, 2.0], 2.0),
            (Function::ItemOfRankWithTies, &[1.0, 7.0, 7.0, 2.0, 1.0], 2.0),
            (Function::Inverse, &[4.0], 0.25),
            (Function::Determinant, &[1.0, 2.0, 3.0, 4.0], -2.0),
            (Function::Allocate, &[5.0, 9.0, 0.0, 1.0, 1.0, 0.0], 5.0),
            (Function::AllocateExactly, &[5.0, 9.0, 3.0, 1.0, 1.0, 0.0], 5.0),
            (Function::AllocateByPriority, &[5.0, 1.0, 9.0, 1.0], 5.0),
            (Function::MarketPrice, &[1.0, 4.0, 1.0, 2.0, 1.0, 0.0, 4.0, 1.0, 2.0, 1.0, 0.0], 2.0),
            (Function::DemandAtPrice, &[2.0, 4.0, 1.0, 2.0, 1.0, 0.0], 2.0),
            (Function::SupplyAtPrice, &[2.0, 4.0, 1.0, 2.0, 1.0, 0.0], 2.0),
        ] {
            assert!((single(function, x) - expected).abs() < 1e-12, "{function:?}: {}", single(function, x));
            // A call with too few numbers is not a number and no panic.
            assert!(function == Function::Pick || single(function, &[]).is_nan() || function.results(0) == 0);
        }
    }

    #[test]
    fn a_random_call_takes_its_range_and_parameters() {
        let function = Function::Random(Distribution::Uniform, Seeding::Stream);
        let none = f64::NAN;
        let x = single(function, &[none, none, 0.0, 1.0, none, none, 3.0, 4.0]);
        assert!((3.0..4.0).contains(&x) && function.random());
        let cut = single(function, &[3.9, none, 0.0, 1.0, none, none, 3.0, 4.0]);
        assert!((3.9..4.0).contains(&cut));
    }
}
