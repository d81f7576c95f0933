//! GET TIME VALUE of Vensim: years, months, days and hours of a model's time.
//!
//! Source: vensim.com/documentation/fn_get_time_value.html. A model in years, quarters or months has years of 360 days in twelve
//! months of 30; one in weeks, days or less has the days of the (proleptic) Gregorian calendar. Days are counted from 1 January
//! of 1 BC, which is the year zero.

/// What GET TIME VALUE answers beyond time itself.
pub const YEAR: u8 = 1;
/// Quarter of the year, 1 to 4.
pub const QUARTER: u8 = 2;
/// Month of the year, 1 to 12.
pub const MONTH: u8 = 3;
/// Day of the month, 1 to 31.
pub const DAY: u8 = 4;
/// Day of the week, 0 (Sunday) to 6.
pub const WEEKDAY: u8 = 5;
/// Days since 1 January of 1 BC.
pub const DAYS: u8 = 6;
/// Hour of the day, 0 to 23.
pub const HOUR: u8 = 7;
/// Minute of the hour, 0 to 59.
pub const MINUTE: u8 = 8;
/// Second of the minute, with its fraction.
pub const SECOND: u8 = 9;
/// Seconds modulo 500,000.
pub const SECONDS: u8 = 10;

/// The days of a unit of time, and whether its years have 360 days; `None` for a word that names no unit of time.
pub fn unit(name: &str) -> Option<(f64, bool)> {
    let name = name.trim().to_lowercase();
    let word = name.strip_suffix('s').unwrap_or(&name);
    Some(match word {
        "year" | "yr" => (360.0, true),
        "quarter" | "qtr" => (90.0, true),
        "month" | "mo" => (30.0, true),
        "week" | "wk" => (7.0, false),
        "day" => (1.0, false),
        "hour" | "hr" => (1.0 / 24.0, false),
        "minute" | "min" => (1.0 / 1440.0, false),
        "second" | "sec" => (1.0 / 86_400.0, false),
        _ => return None,
    })
}

/// Days since 1 January of the year zero (H. Hinnant, "chrono-compatible low-level date algorithms", days_from_civil).
pub fn days_from_date(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    // The era of the year zero begins on 1 March, 60 days after the first of January.
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year + 60
}

/// Year, month and day of a day number: the inverse of [`days_from_date`].
pub fn date_from_days(days: i64) -> (i64, i64, i64) {
    let z = days - 60;
    let era = z.div_euclid(146_097);
    let of_era = z - era * 146_097;
    let y = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * y + y / 4 - y / 100);
    let m = (5 * of_year + 2) / 153;
    let month = if m < 10 { m + 3 } else { m - 9 };
    (y + era * 400 + i64::from(month <= 2), month, of_year - (153 * m + 2) / 5 + 1)
}

/// A measure of the moment `days` after the beginning of the day `start` (year, month, day).
///
/// Not a number for an unknown measure, for a moment too far to count, and with `even` years for the day of the week and the
/// days since 1 BC, which the source does not define for years of 360 days.
pub fn measure(measure: f64, days: f64, start: [f64; 3], even: bool) -> f64 {
    if !(days.is_finite() && days.abs() < 1e12 && start.iter().all(|part| part.is_finite() && part.abs() < 1e6)) {
        return f64::NAN;
    }
    let [year, month, day] = start.map(|part| part.round() as i64);
    // A moment that is whole but for rounding belongs to the day that it begins: a tenth of a millisecond.
    let days = (days * 864e6).round() / 864e6;
    let whole = days.floor();
    let seconds = ((days - whole) * 864e6).round() / 1e4;
    let date = if even {
        let all = year * 360 + (month - 1) * 30 + (day - 1) + whole as i64;
        (all.div_euclid(360), all.rem_euclid(360) / 30 + 1, all.rem_euclid(30) + 1)
    } else {
        date_from_days(days_from_date(year, month, day) + whole as i64)
    };
    match measure.round() as u8 {
        YEAR => date.0 as f64,
        QUARTER => ((date.1 - 1) / 3 + 1) as f64,
        MONTH => date.1 as f64,
        DAY => date.2 as f64,
        // 1 January of the year zero was a Saturday.
        WEEKDAY if !even => (days_from_date(date.0, date.1, date.2) + 6).rem_euclid(7) as f64,
        DAYS if !even => days_from_date(date.0, date.1, date.2) as f64,
        HOUR => (seconds / 3600.0).floor(),
        MINUTE => (seconds / 60.0).floor().rem_euclid(60.0),
        SECOND => seconds.rem_euclid(60.0),
        SECONDS => (days * 86_400.0).rem_euclid(500_000.0),
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_dates_have_their_numbers() {
        assert_eq!(days_from_date(0, 1, 1), 0);
        // The Unix epoch is 719,528 days after the first of January of the year zero, a Thursday.
        assert_eq!(days_from_date(1970, 1, 1), 719_528);
        assert_eq!(measure(5.0, 0.0, [1970.0, 1.0, 1.0], false), 4.0);
        assert_eq!(measure(6.0, 1.0, [1970.0, 1.0, 1.0], false), 719_529.0);
        assert_eq!(date_from_days(days_from_date(2024, 2, 29)), (2024, 2, 29));
        assert_eq!(date_from_days(days_from_date(2024, 2, 29) + 1), (2024, 3, 1));
    }

    #[test]
    fn measures_of_a_moment() {
        // 2000-01-01 and 59.5 days: 29 February, noon (2000 was a leap year).
        let at = |what: u8| measure(f64::from(what), 59.5 + 90.25 / 86_400.0, [2000.0, 1.0, 1.0], false);
        assert_eq!((at(YEAR), at(QUARTER), at(MONTH), at(DAY)), (2000.0, 1.0, 2.0, 29.0));
        assert_eq!((at(HOUR), at(MINUTE), at(SECOND)), (12.0, 1.0, 30.25));
        // 2000-02-29 was a Tuesday.
        assert_eq!(at(WEEKDAY), 2.0);
        // In a model of months each has 30 days.
        let even = |what: u8, months: f64| measure(f64::from(what), 30.0 * months, [2000.0, 1.0, 1.0], true);
        assert_eq!((even(YEAR, 14.5), even(MONTH, 14.5), even(DAY, 14.5)), (2001.0, 3.0, 16.0));
        assert_eq!((even(YEAR, -1.0), even(MONTH, -1.0), even(QUARTER, -1.0)), (1999.0, 12.0, 4.0));
        assert!(even(WEEKDAY, 1.0).is_nan());
    }

    proptest! {
        #[test]
        fn days_and_dates_are_each_other(days in -4_000_000i64..4_000_000) {
            let (year, month, day) = date_from_days(days);
            prop_assert_eq!(days_from_date(year, month, day), days);
            prop_assert!((1..=12).contains(&month) && (1..=31).contains(&day));
        }
    }
}
