//! The time value of money: FV, PV, PMT and the internal rate of return.
//!
//! Source: Stella's help, "Financial builtins", which follow the spreadsheet functions of these names (payments at the end
//! of a period; money received is above zero, money paid below).

/// The factor `(1 + rate)^periods` and the value of a unit paid in each period.
fn growth(rate: f64, periods: f64) -> (f64, f64) {
    // log1p and expm1 keep the digits of small rates.
    let exponent = periods * libm::log1p(rate);
    let annuity = if rate == 0.0 { periods } else { libm::expm1(exponent) / rate };
    (libm::exp(exponent), annuity)
}

/// FV(rate, periods, payment, present value)
pub fn future_value(rate: f64, periods: f64, payment: f64, present: f64) -> f64 {
    let (factor, annuity) = growth(rate, periods);
    -(present * factor + payment * annuity)
}

/// PV(rate, periods, payment, future value)
pub fn present_value(rate: f64, periods: f64, payment: f64, future: f64) -> f64 {
    let (factor, annuity) = growth(rate, periods);
    -(future + payment * annuity) / factor
}

/// PMT(rate, periods, present value, future value)
pub fn payment(rate: f64, periods: f64, present: f64, future: f64) -> f64 {
    let (factor, annuity) = growth(rate, periods);
    -(present * factor + future) / annuity
}

/// The rate at which a series of flows, one a period, is worth nothing today; not a number where there is none above −1.
///
/// The root is searched on growing intervals around the guess, so that of several roots the nearest is found.
pub fn internal_rate(flows: &[f64], guess: f64) -> f64 {
    let value = |rate: f64| {
        let divisor = 1.0 + rate;
        // Horner from the last flow.
        flows.iter().rev().fold(0.0, |sum, flow| sum / divisor + flow)
    };
    let guess = if guess > -1.0 { guess } else { 0.1 };
    let (mut low, mut high) = (guess, guess);
    let mut step = 0.01;
    let found = loop {
        let (next_low, next_high) = (-1.0 + (low + 1.0) / (1.0 + step), high + step);
        if value(next_low) * value(low) <= 0.0 {
            break Some((next_low, low));
        }
        if value(next_high) * value(high) <= 0.0 {
            break Some((high, next_high));
        }
        (low, high) = (next_low, next_high);
        step *= 1.5;
        if step > 1e9 {
            break None;
        }
    };
    let Some((mut low, mut high)) = found else {
        return f64::NAN;
    };
    let sign = value(low).signum();
    loop {
        let middle = 0.5 * (low + high);
        if !(middle > low && middle < high) {
            return middle;
        }
        if value(middle).signum() == sign {
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
    fn spreadsheets_agree() {
        // numpy-financial 1.0: fv(0.05/12, 120, -100, -100), pv(0.05/12, 120, -100, 15692.93), pmt(0.075/12, 180, 200000),
        // irr([-100, 39, 59, 55, 20]); its examples print eight to ten digits.
        assert!((future_value(0.05 / 12.0, 120.0, -100.0, -100.0) - 15692.92889433575).abs() < 1e-7);
        assert!((present_value(0.05 / 12.0, 120.0, -100.0, 15692.93) - -100.00067131625819).abs() < 1e-9);
        assert!((payment(0.075 / 12.0, 180.0, 200000.0, 0.0) - -1854.0247200054619).abs() < 1e-8);
        assert!((internal_rate(&[-100.0, 39.0, 59.0, 55.0, 20.0], 0.1) - 0.2809484).abs() < 1e-7);
    }

    #[test]
    fn a_rate_of_zero_adds_up() {
        assert_eq!(future_value(0.0, 10.0, -5.0, -100.0), 150.0);
        assert_eq!(payment(0.0, 10.0, 100.0, 0.0), -10.0);
        assert!(internal_rate(&[1.0, 2.0], 0.1).is_nan());
    }

    proptest! {
        #[test]
        fn values_and_payments_undo_each_other(rate in -0.02f64..0.2, periods in 1.0f64..60.0, pay in -9.0f64..9.0, present in -99.0f64..99.0) {
            let future = future_value(rate, periods, pay, present);
            let scale = 1e-9 * (1.0 + future.abs());
            prop_assert!((present_value(rate, periods, pay, future) - present).abs() < scale);
            prop_assert!((payment(rate, periods, present, future) - pay).abs() < scale);
        }
    }
}
