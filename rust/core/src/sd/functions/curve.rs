//! Priority profiles: the demand and supply curves of Vensim's allocation functions.
//!
//! Source: vensim.com/documentation/24330.html and 24335.html ("Prioritization, Demand and Supply Curves", "Specifying the
//! Curves"). A profile is `(ptype, ppriority, pwidth, pextra)`; each curve is the integral of the named density around the
//! priority. The rectangle and the triangle are as wide as the width says, the normal curve's standard deviation and the
//! (two-sided) exponential's scale are the width. Types 10 to 14 are types 0 to 4 in whole units.

/// The shape of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Type 0: the quantity whatever the price.
    Fixed,
    /// Type 1.
    Rectangular,
    /// Type 2.
    Triangular,
    /// Type 3, as Vensim computes it.
    Normal,
    /// Type 3, as Stella computes it: to the last digits.
    ExactNormal,
    /// Type 4.
    Exponential,
    /// Anything else, with type 5: Vensim's truncated curve of constant elasticity has no published formula, so that a
    /// number would be a guess.
    Unknown,
}

/// A quantity and how it answers to a price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve {
    /// What is asked for or offered at most; below zero counts as zero.
    pub quantity: f64,
    /// The shape.
    pub shape: Shape,
    /// The middle of the curve.
    pub priority: f64,
    /// How far it spreads; at or below zero the curve is a step.
    pub width: f64,
    /// Whether only whole units are given (ten added to the type).
    pub whole: bool,
}

impl Curve {
    /// The curve of a quantity with the profile `(ptype, ppriority, pwidth, pextra)`.
    pub fn new(quantity: f64, profile: [f64; 4]) -> Self {
        let [kind, priority, width, _] = profile;
        let whole = kind > 9.5;
        let shape = match (if whole { kind - 10.0 } else { kind }).round() {
            0.0 => Shape::Fixed,
            1.0 => Shape::Rectangular,
            2.0 => Shape::Triangular,
            3.0 => Shape::Normal,
            4.0 => Shape::Exponential,
            _ => Shape::Unknown,
        };
        Self { quantity: quantity.max(0.0), shape, priority, width, whole }
    }

    /// Makes a normal curve exact, as Stella has it (`allocate.csv` of the reference agrees with it to ten digits).
    pub fn exactly(&mut self) {
        if self.shape == Shape::Normal {
            self.shape = Shape::ExactNormal;
        }
    }

    /// The share of the quantity on the far side of a distance: one well above zero, zero well below it.
    fn share(&self, distance: f64) -> f64 {
        // A fixed quantity asks for no price, not even whether there is one.
        if self.shape == Shape::Fixed {
            return 1.0;
        }
        if self.shape == Shape::Unknown || distance.is_nan() || self.width.is_nan() {
            return f64::NAN;
        }
        if self.width <= 0.0 {
            return if distance >= 0.0 { 1.0 } else { 0.0 };
        }
        let z = distance / self.width;
        match self.shape {
            Shape::Rectangular => (z + 0.5).clamp(0.0, 1.0),
            Shape::Triangular => {
                let tail = (0.5 - z.abs()).max(0.0);
                let small = 2.0 * tail * tail;
                if z < 0.0 { small } else { 1.0 - small }
            }
            Shape::Normal => normal_share(z),
            Shape::ExactNormal => super::special::normal_cdf(z),
            _ => {
                let small = 0.5 * libm::exp(-z.abs());
                if z < 0.0 { small } else { 1.0 - small }
            }
        }
    }

    /// What is asked for at a price: falls as the price rises.
    pub fn demand(&self, price: f64) -> f64 {
        self.quantity * self.share(self.priority - price)
    }

    /// What is offered at a price: rises with it.
    pub fn supply(&self, price: f64) -> f64 {
        self.quantity * self.share(price - self.priority)
    }

    /// The prices between which the curve lives: half the width for the bounded shapes, five deviations for the normal and
    /// ten scales for the exponential one, as Vensim's search takes them (`allocate_price.dat` at time zero: without any
    /// demand the price is 0.5, 0.5, −4 and −9 for a least priority of 1 and a width of 1).
    pub fn reach(&self) -> (f64, f64) {
        let widths = match self.shape {
            Shape::Fixed | Shape::Unknown => 0.0,
            Shape::Rectangular | Shape::Triangular => 0.5,
            Shape::Normal => 5.0,
            Shape::ExactNormal => 9.0,
            Shape::Exponential => 10.0,
        };
        let far = widths * self.width.max(0.0);
        (self.priority - far, self.priority + far)
    }
}

/// The normal distribution function as Vensim computes it: Abramowitz & Stegun (1964) 26.2.16, within 1e-5.
///
/// Found from `allocate_price.dat`: the supplies at five, six and seven deviations below the priority are 5.84116e-05/200,
/// 3.04499e-07/300 and 5.98521e-10/450; this formula gives each to five digits, the exact function is 2 to 4 % off there
/// and gives prices that differ in the fifth digit.
fn normal_share(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.33267 * z.abs());
    let density = std::f64::consts::FRAC_2_SQRT_PI * 0.5 * std::f64::consts::FRAC_1_SQRT_2 * libm::exp(-0.5 * z * z);
    let tail = density * t * (0.4361836 + t * (-0.1201676 + t * 0.9372980));
    if z < 0.0 { tail } else { 1.0 - tail }
}

/// The prices between which all curves live.
pub fn reach<'a>(curves: impl Iterator<Item = &'a Curve>) -> (f64, f64) {
    curves.map(Curve::reach).fold((f64::INFINITY, f64::NEG_INFINITY), |all, one| (all.0.min(one.0), all.1.max(one.1)))
}

/// Where a falling function crosses zero between two prices, as the last two prices of a bisection: one with a value above
/// zero and one with a value at or below it, next to each other in the floating-point numbers.
pub(crate) fn bracket(mut low: f64, mut high: f64, excess: impl Fn(f64) -> f64) -> (f64, f64) {
    loop {
        let middle = 0.5 * (low + high);
        if !(middle > low && middle < high) {
            return (low, high);
        }
        if excess(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_curve_is_half_way_at_its_priority() {
        for kind in [1.0, 2.0, 3.0, 4.0] {
            let curve = Curve::new(8.0, [kind, 3.0, 2.0, 0.0]);
            // 26.2.16 is 5.5e-8 off at its middle.
            assert!((curve.demand(3.0) - 4.0).abs() <= 1e-6, "{kind}");
            assert!((curve.supply(3.0) - 4.0).abs() <= 1e-6, "{kind}");
        }
        assert_eq!(Curve::new(8.0, [0.0, 3.0, 2.0, 0.0]).demand(99.0), 8.0);
        assert!(Curve::new(8.0, [5.0, 3.0, 2.0, 1.0]).demand(3.0).is_nan());
        assert!(Curve::new(8.0, [13.0, 3.0, 2.0, 1.0]).whole);
    }

    proptest! {
        #[test]
        fn demand_falls_and_supply_mirrors_it(
            kind in 1u8..5, priority in -5.0f64..5.0, width in 0.0f64..4.0, price in -20.0f64..20.0, more in 0.0f64..5.0,
        ) {
            let curve = Curve::new(10.0, [f64::from(kind), priority, width, 0.0]);
            prop_assert!(curve.demand(price + more) <= curve.demand(price));
            // Where the width is zero both sides hold the whole quantity at the priority itself.
            if width > 0.0 {
                let slack = if curve.shape == Shape::Normal && price == priority { 2e-6 } else { 1e-12 };
                prop_assert!((curve.demand(price) + curve.supply(price) - 10.0).abs() < slack);
            }
        }
    }
}
