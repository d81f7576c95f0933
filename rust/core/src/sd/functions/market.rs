//! FIND MARKET PRICE, DEMAND AT PRICE, SUPPLY AT PRICE: one price for many who ask and many who offer.
//!
//! Source: vensim.com/documentation, "Allocation Functions", many-to-many allocation (24335.html and its neighbours).

use super::curve::{Curve, Shape, bracket, reach};

/// The price at which what is asked for and what is offered are equal.
///
/// Without a crossing it is the lowest price at which any curve moves when there is too little demand, the highest when
/// there is too little supply. Curves of unknown shape give no price (not a number), and so do quantities that never move
/// with the price on both sides.
pub fn market_price(demand: &[Curve], supply: &[Curve]) -> f64 {
    let moving = |curve: &&Curve| curve.shape != Shape::Fixed;
    if demand.iter().chain(supply).any(|curve| curve.shape == Shape::Unknown || curve.quantity.is_nan()) {
        return f64::NAN;
    }
    let (low, high) = reach(demand.iter().chain(supply).filter(moving));
    if !(low.is_finite() && high.is_finite()) {
        return f64::NAN;
    }
    let excess = |price: f64| {
        demand.iter().map(|curve| curve.demand(price)).sum::<f64>()
            - supply.iter().map(|curve| curve.supply(price)).sum::<f64>()
    };
    if excess(low) <= 0.0 {
        return low;
    }
    if excess(high) > 0.0 {
        return high;
    }
    let (below, above) = bracket(low, high, excess);
    0.5 * (below + above)
}

/// DEMAND AT PRICE: what one who asks wants at a price.
pub fn demand_at_price(curve: &Curve, price: f64) -> f64 {
    curve.demand(price)
}

/// SUPPLY AT PRICE: what one who offers gives at a price.
pub fn supply_at_price(curve: &Curve, price: f64) -> f64 {
    curve.supply(price)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sides(kind: f64, scale: f64) -> (Vec<Curve>, Vec<Curve>) {
        let curve = |quantity: f64, priority: f64| Curve::new(quantity, [kind, priority, 1.0, 0.0]);
        (
            vec![curve(scale * 500.0, 1.0), curve(scale * 300.0, 2.0)],
            vec![curve(200.0, 1.0), curve(300.0, 2.0), curve(450.0, 3.0)],
        )
    }

    #[test]
    fn prices_agree_with_vensim() {
        // reference/sd/sdeverywhere/allocate_price/allocate_price.dat: demand scale t/12. Vensim stops searching when the
        // amounts agree to about 1e-6, and a triangle is flat at its ends, so that its price is known to the root of that.
        for (kind, tolerance, rows) in [
            (1.0, 1e-5, [(0.0, 0.5), (2.0, 0.970588), (6.0, 1.38889), (12.0, 1.66667)]),
            (2.0, 1e-3, [(0.0, 0.5), (2.0, 0.985071), (6.0, 1.2643), (12.0, 1.78867)]),
            (3.0, 1e-5, [(0.0, -4.0), (2.0, 0.622241), (6.0, 1.28018), (12.0, 1.69346)]),
            (4.0, 1e-5, [(0.0, -9.0), (2.0, 0.426918), (6.0, 1.18737), (12.0, 1.67861)]),
        ] {
            for (time, vensim) in rows {
                let (demand, supply) = sides(kind, time / 12.0);
                let price = market_price(&demand, &supply);
                assert!((price - vensim).abs() <= tolerance * (1.0 + vensim.abs()), "{kind} {time}: {price} {vensim}");
            }
        }
    }

    #[test]
    fn amounts_agree_with_vensim() {
        // The same file, t = 6.
        for (kind, demanded, supplied) in [
            (1.0, [27.7778, 150.0], [177.778, 0.0, 0.0]),
            (2.0, [27.7775, 150.0], [177.778, 0.0, 0.0]),
            (3.0, [97.4177, 114.626], [122.066, 70.7471, 19.2304]),
            (4.0, [103.642, 116.723], [117.086, 66.5534, 36.7255]),
        ] {
            let (demand, supply) = sides(kind, 0.5);
            let price = market_price(&demand, &supply);
            // Vensim's own two sides differ by 3e-4 in these rows.
            for (curve, vensim) in demand.iter().zip(demanded) {
                assert!((demand_at_price(curve, price) - vensim).abs() <= 5e-4, "{kind}");
            }
            for (curve, vensim) in supply.iter().zip(supplied) {
                assert!((supply_at_price(curve, price) - vensim).abs() <= 5e-4, "{kind}");
            }
        }
    }

    #[test]
    fn fixed_quantities_have_no_price() {
        let (demand, supply) = sides(0.0, 0.5);
        assert!(market_price(&demand, &supply).is_nan());
    }

    proptest! {
        #[test]
        fn at_the_price_the_two_sides_agree(kind in 1u8..5, scale in 0.05f64..3.0) {
            let (demand, supply) = sides(f64::from(kind), scale);
            let price = market_price(&demand, &supply);
            let wanted: f64 = demand.iter().map(|curve| curve.demand(price)).sum();
            let given: f64 = supply.iter().map(|curve| curve.supply(price)).sum();
            prop_assert!((wanted - given).abs() < 1e-9 * (1.0 + wanted), "{wanted} {given} at {price}");
        }
    }
}
