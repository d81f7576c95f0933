//! The meaning of each operation on one number: what constant folding, run-time constants and the oracle use.

use super::graph::{Binary, Points, Reading, Unary};
use super::lower::NOT_AVAILABLE;
use crate::lanes::math;

fn truth(value: bool) -> f64 {
    if value { 1.0 } else { 0.0 }
}

/// The value of an operation of one argument.
#[inline]
pub fn unary<const FUSED: bool>(op: Unary, x: f64) -> f64 {
    match op {
        Unary::Negative => -x,
        Unary::Not => truth(x == 0.0),
        Unary::Abs => x.abs(),
        Unary::Exp => math::exp::<FUSED, 1>([x])[0],
        Unary::Ln => math::ln::<FUSED, 1>([x])[0],
        Unary::Log10 => libm::log10(x),
        Unary::Sqrt => x.sqrt(),
        Unary::Sin => math::sin::<FUSED, 1>([x])[0],
        Unary::Cos => math::cos::<FUSED, 1>([x])[0],
        Unary::Tan => libm::tan(x),
        Unary::Arcsin => libm::asin(x),
        Unary::Arccos => libm::acos(x),
        Unary::Arctan => libm::atan(x),
        Unary::Sinh => libm::sinh(x),
        Unary::Cosh => libm::cosh(x),
        Unary::Tanh => libm::tanh(x),
        Unary::Floor => x.floor(),
        Unary::Truncate => x.trunc(),
        Unary::Round => x.round(),
        Unary::Sign => {
            if x > 0.0 {
                1.0
            } else if x < 0.0 {
                -1.0
            } else {
                x
            }
        }
    }
}

/// The value of an operation of two arguments. `Min` and `Max` pass on a second argument that is not a number.
#[inline]
pub fn binary<const FUSED: bool>(op: Binary, x: f64, y: f64) -> f64 {
    match op {
        Binary::Add => x + y,
        Binary::Subtract => x - y,
        Binary::Multiply => x * y,
        Binary::Divide => x / y,
        Binary::Min => {
            if x < y {
                x
            } else {
                y
            }
        }
        Binary::Max => {
            if x > y {
                x
            } else {
                y
            }
        }
        Binary::Power => math::pow::<FUSED, 1>([x], [y])[0],
        Binary::Remainder => x % y,
        Binary::Modulo => {
            let remainder = x % y;
            if remainder != 0.0 && (remainder < 0.0) != (y < 0.0) { remainder + y } else { remainder }
        }
        Binary::Equal => truth(x == y),
        Binary::NotEqual => truth(x != y),
        Binary::Less => truth(x < y),
        Binary::LessEqual => truth(x <= y),
        Binary::Greater => truth(x > y),
        Binary::GreaterEqual => truth(x >= y),
        Binary::And => truth(x != 0.0 && y != 0.0),
        Binary::Or => truth(x != 0.0 || y != 0.0),
        Binary::Arctan2 => libm::atan2(x, y),
    }
}

/// The value of a lookup. A table without points, and an argument that is not a number, give NaN; raw data between
/// their times give Vensim's `:NA:`.
pub fn lookup(points: &Points, reading: Reading, at: f64) -> f64 {
    read(&points.x, &points.y, reading, at)
}

/// As [`lookup`], from arguments and values.
pub fn read(x: &[f64], y: &[f64], reading: Reading, at: f64) -> f64 {
    let n = x.len().min(y.len());
    let before = x[..n].partition_point(|&point| point <= at);
    piece(n, reading, at, before, |k| x[k], |k| y[k])
}

/// As [`lookup`], where so many of the `n` points are at or before the argument.
#[inline(always)]
pub(crate) fn piece(
    n: usize,
    reading: Reading,
    at: f64,
    before: usize,
    x: impl Fn(usize) -> f64,
    y: impl Fn(usize) -> f64,
) -> f64 {
    if n == 0 || at.is_nan() {
        return f64::NAN;
    }
    match reading {
        Reading::Raw => {
            if before > 0 && x(before - 1) == at {
                y(before - 1)
            } else {
                NOT_AVAILABLE
            }
        }
        Reading::Backward => y(before.saturating_sub(1)),
        Reading::Forward => {
            if before > 0 && x(before - 1) == at {
                y(before - 1)
            } else {
                y(before.min(n - 1))
            }
        }
        Reading::Linear if before == 0 => y(0),
        Reading::Linear if before == n => y(n - 1),
        Reading::Linear | Reading::Extrapolate => {
            if n == 1 {
                return y(0);
            }
            let i = before.clamp(1, n - 1) - 1;
            let slope = (y(i + 1) - y(i)) / (x(i + 1) - x(i));
            y(i) + slope * (at - x(i))
        }
    }
}
