//! Units as products of powers: a free abelian group with rational exponents (Kennedy 1996, "Programming languages and dimensions").

use std::collections::BTreeMap;

/// A rational exponent in lowest terms, the denominator positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ratio {
    numerator: i64,
    denominator: i64,
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Ratio {
    /// Zero.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };
    /// One.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// `numerator / denominator`; `None` for a denominator of zero or numbers beyond all sense.
    pub fn new(numerator: i64, denominator: i64) -> Option<Self> {
        if denominator == 0 || numerator == i64::MIN || denominator == i64::MIN {
            return None;
        }
        let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs()).max(1) as i64 * denominator.signum();
        Some(Self { numerator: numerator / divisor, denominator: denominator / divisor })
    }

    /// The ratio with a denominator up to 12 that a decimal stands for; `None` when there is none.
    pub fn from_number(value: f64) -> Option<Self> {
        if !value.is_finite() || value.abs() > 1e6 {
            return None;
        }
        (1..=12_i32).find_map(|denominator| {
            let scaled = value * f64::from(denominator);
            // 1/3 is written with as few as six digits.
            ((scaled - scaled.round()).abs() < 1e-5)
                .then(|| Self::new(scaled.round() as i64, i64::from(denominator)))
                .flatten()
        })
    }

    fn plus(self, other: Self) -> Option<Self> {
        let left = self.numerator.checked_mul(other.denominator)?;
        let right = other.numerator.checked_mul(self.denominator)?;
        Self::new(left.checked_add(right)?, self.denominator.checked_mul(other.denominator)?)
    }

    fn times(self, other: Self) -> Option<Self> {
        Self::new(self.numerator.checked_mul(other.numerator)?, self.denominator.checked_mul(other.denominator)?)
    }

    /// `1 / self`; `None` for zero.
    pub fn inverse(self) -> Option<Self> {
        Self::new(self.denominator, self.numerator)
    }

    /// `-self`.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { numerator: -self.numerator, denominator: self.denominator }
    }

    fn is_zero(self) -> bool {
        self.numerator == 0
    }

    fn is_negative(self) -> bool {
        self.numerator < 0
    }

    fn print(self) -> String {
        if self.denominator == 1 {
            self.numerator.to_string()
        } else {
            format!("({}/{})", self.numerator, self.denominator)
        }
    }
}

/// What a unit is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Base {
    /// A named unit, by its canonical spelling.
    Named(String),
    /// A unit that nobody stated.
    Hole(u32),
}

/// A product of powers of bases; empty: dimensionless.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit {
    factors: BTreeMap<Base, Ratio>,
}

impl Unit {
    /// The dimensionless unit.
    pub fn one() -> Self {
        Self::default()
    }

    /// A base.
    pub fn base(base: Base) -> Self {
        Self { factors: BTreeMap::from([(base, Ratio::ONE)]) }
    }

    /// A named unit.
    pub fn named(name: &str) -> Self {
        Self::base(Base::Named(name.to_owned()))
    }

    /// Whether it is dimensionless.
    pub fn is_one(&self) -> bool {
        self.factors.is_empty()
    }

    /// Whether every base is known.
    pub fn is_known(&self) -> bool {
        !self.factors.keys().any(|base| matches!(base, Base::Hole(_)))
    }

    /// The bases and their exponents, in order.
    pub fn factors(&self) -> impl Iterator<Item = (&Base, Ratio)> {
        self.factors.iter().map(|(base, exponent)| (base, *exponent))
    }

    /// `self * other^exponent`.
    #[must_use]
    pub fn times_power(&self, other: &Self, exponent: Ratio) -> Self {
        let mut out = self.clone();
        for (base, power) in &other.factors {
            let before = out.factors.get(base).copied().unwrap_or(Ratio::ZERO);
            // An exponent beyond 64 bits has no meaning; it is left as it was.
            let after = power.times(exponent).and_then(|added| before.plus(added)).unwrap_or(before);
            if after.is_zero() {
                out.factors.remove(base);
            } else {
                out.factors.insert(base.clone(), after);
            }
        }
        out
    }

    /// `self * other`.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        self.times_power(other, Ratio::ONE)
    }

    /// `self / other`.
    #[must_use]
    pub fn over(&self, other: &Self) -> Self {
        self.times_power(other, Ratio::ONE.negated())
    }

    /// `self^exponent`.
    #[must_use]
    pub fn power(&self, exponent: Ratio) -> Self {
        Self::one().times_power(self, exponent)
    }

    /// The unit as Vensim and XMILE write it: `person/(month*year)`, `1/month`, `Dmnl`.
    pub fn print(&self, display: impl Fn(&str) -> String) -> String {
        if self.is_one() {
            return "Dmnl".to_owned();
        }
        let list = |negative: bool| -> Vec<String> {
            self.factors
                .iter()
                .filter(|(_, exponent)| exponent.is_negative() == negative)
                .map(|(base, exponent)| {
                    let name = match base {
                        Base::Named(name) => display(name),
                        Base::Hole(_) => "?".to_owned(),
                    };
                    let size = if negative { exponent.negated() } else { *exponent };
                    if size == Ratio::ONE { name } else { format!("{name}^{}", size.print()) }
                })
                .collect()
        };
        let (above, below) = (list(false), list(true));
        let top = if above.is_empty() { "1".to_owned() } else { above.join("*") };
        match below.len() {
            0 => top,
            1 => format!("{top}/{}", below[0]),
            _ => format!("{top}/({})", below.join("*")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ratio, Unit};
    use proptest::prelude::*;

    fn unit() -> impl Strategy<Value = Unit> {
        proptest::collection::vec((0..4_u8, -6..6_i64, 1..4_i64), 0..4).prop_map(|factors| {
            factors.iter().fold(Unit::one(), |unit, (base, numerator, denominator)| {
                let exponent = Ratio::new(*numerator, *denominator).unwrap();
                unit.times_power(&Unit::named(&format!("u{base}")), exponent)
            })
        })
    }

    proptest! {
        #[test]
        fn units_are_an_abelian_group(a in unit(), b in unit(), c in unit()) {
            prop_assert_eq!(a.times(&b), b.times(&a));
            prop_assert_eq!(a.times(&b).times(&c), a.times(&b.times(&c)));
            prop_assert_eq!(a.times(&Unit::one()), a.clone());
            prop_assert!(a.over(&a).is_one());
            prop_assert_eq!(a.times(&b).over(&b), a);
        }

        #[test]
        fn a_power_undoes_its_root(a in unit(), numerator in 1..7_i64, denominator in 1..7_i64) {
            let exponent = Ratio::new(numerator, denominator).unwrap();
            prop_assert_eq!(a.power(exponent).power(exponent.inverse().unwrap()), a);
        }
    }

    #[test]
    fn exponents_come_from_decimals() {
        assert_eq!(Ratio::from_number(0.333333), Ratio::new(1, 3));
        assert_eq!(Ratio::from_number(-0.5), Ratio::new(-1, 2));
        assert_eq!(Ratio::from_number(2.0), Ratio::new(2, 1));
        assert_eq!(Ratio::from_number(0.7123), None);
        assert_eq!(Ratio::from_number(f64::NAN), None);
    }

    #[test]
    fn units_print_as_modellers_write_them() {
        let name = |text: &str| text.to_owned();
        let (person, month, year) = (Unit::named("person"), Unit::named("month"), Unit::named("year"));
        assert_eq!(person.over(&month).print(name), "person/month");
        assert_eq!(person.over(&month).over(&year).print(name), "person/(month*year)");
        assert_eq!(Unit::one().over(&month).print(name), "1/month");
        assert_eq!(month.times(&month).print(name), "month^2");
        assert_eq!(month.power(Ratio::new(1, 2).unwrap()).print(name), "month^(1/2)");
        assert_eq!(Unit::one().print(name), "Dmnl");
    }
}
