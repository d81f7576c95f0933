//! Vensim's DEPRECIATE STRAIGHTLINE and DEPRECIATE BY SCHEDULE: an investment stream written off over fiscal periods.
//!
//! Sources: vensim.com/documentation/fn_depreciate_straightline.html, fn_depreciate_by_schedule.html: what is invested in one
//! fiscal period is lumped together; each lump is written off in its own and the following periods; the share of its own
//! period is taken of the stream as it flows.

use std::collections::VecDeque;

use super::clock::Clock;

/// A stream being written off.
#[derive(Clone, Debug, PartialEq)]
pub struct Depreciation {
    schedule: Vec<f64>,
    /// The rate of earlier investments in this period and the following ones.
    rates: VecDeque<f64>,
    invested: f64,
    steps: usize,
    left: usize,
}

impl Depreciation {
    /// Equal parts over the lifetime, as if the stream had been `initial` before. A lifetime that is no multiple of the
    /// fiscal period is rounded to one.
    pub fn straight_line(lifetime: f64, period: f64, initial: f64, clock: Clock) -> Self {
        let steps = clock.steps(period).max(1);
        let n = (lifetime / (steps as f64 * clock.dt) + 0.5).floor().clamp(1.0, 1e6) as usize;
        let rates = (0..n).map(|k| initial * (n - 1 - k) as f64 / n as f64).collect();
        Self { schedule: vec![1.0 / n as f64; n], rates, invested: 0.0, steps, left: steps }
    }

    /// Parts as a schedule says (scaled to one) over periods that share the lifetime; `initial` is what earlier
    /// investments still write off in each period. A fiscal period begins at `fiscal_start`.
    pub fn by_schedule(schedule: &[f64], initial: &[f64], lifetime: f64, fiscal_start: f64, clock: Clock) -> Self {
        let n = schedule.len().max(1);
        let total: f64 = schedule.iter().sum();
        let steps = clock.steps(lifetime / n as f64).max(1);
        let since = clock.steps((clock.time - fiscal_start).rem_euclid(steps as f64 * clock.dt)) % steps;
        Self {
            schedule: schedule.iter().map(|part| part / total).collect(),
            rates: (0..n).map(|k| initial.get(k).copied().unwrap_or(0.0)).collect(),
            invested: 0.0,
            steps,
            left: steps - since,
        }
    }

    /// What is written off, as a rate, while the stream flows.
    pub fn value(&self, stream: f64) -> f64 {
        self.rates.front().copied().unwrap_or(0.0) + stream * self.schedule.first().copied().unwrap_or(f64::NAN)
    }

    /// Moves by one step.
    pub fn advance(&mut self, stream: f64, clock: Clock) {
        self.invested += stream * clock.dt;
        self.left = self.left.saturating_sub(1);
        if self.left > 0 {
            return;
        }
        let period = self.steps as f64 * clock.dt;
        for (rate, part) in self.rates.iter_mut().zip(&self.schedule) {
            *rate += self.invested * part / period;
        }
        self.rates.pop_front();
        self.rates.push_back(0.0);
        self.invested = 0.0;
        self.left = self.steps;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn straight_lines_agree_with_vensim() {
        // reference/sd/sdeverywhere/depreciate/depreciate.dat: 1e9 in 2022 and 2.5e9 in 2026 over 20 years.
        let clock = Clock { time: 2020.0, dt: 1.0 };
        let mut depreciation = Depreciation::straight_line(20.0, 1.0, 0.0, clock);
        for year in 2020..=2050 {
            let stream = if year == 2022 {
                1e9
            } else if year == 2026 {
                2.5e9
            } else {
                0.0
            };
            let vensim = match year {
                2022..2026 => 5e7,
                2026..2042 => 1.75e8,
                2042..2046 => 1.25e8,
                _ => 0.0,
            };
            // Sums of fifties and hundreds of millions: a few units in the last place.
            assert!((depreciation.value(stream) - vensim).abs() < 1e-6, "{year}");
            depreciation.advance(stream, clock);
        }
    }

    #[test]
    fn a_constant_stream_that_was_always_there_stays() {
        let clock = Clock { time: 0.0, dt: 0.25 };
        let mut depreciation = Depreciation::straight_line(5.0, 1.0, 8.0, clock);
        for _ in 0..60 {
            assert!((depreciation.value(8.0) - 8.0).abs() < 1e-12);
            depreciation.advance(8.0, clock);
        }
    }

    #[test]
    fn a_schedule_is_followed() {
        let clock = Clock { time: 2.0, dt: 1.0 };
        // Two steps a period; the model starts in the middle of one.
        let mut depreciation = Depreciation::by_schedule(&[50.0, 30.0, 20.0], &[1.0, 2.0, 0.0], 6.0, 1.0, clock);
        let mut out = Vec::new();
        for step in 0..8 {
            let stream = if step == 1 { 10.0 } else { 0.0 };
            out.push(depreciation.value(stream));
            depreciation.advance(stream, clock);
        }
        assert_eq!(out, [1.0, 2.0 + 5.0, 2.0, 1.5, 1.5, 1.0, 1.0, 0.0]);
    }

    proptest! {
        #[test]
        fn all_is_written_off_in_time(streams in prop::collection::vec(0.0f64..9.0, 12), periods in 1u32..6, dt in prop::sample::select(vec![0.25, 0.5, 1.0])) {
            let clock = Clock { time: 0.0, dt };
            let mut depreciation = Depreciation::straight_line(f64::from(periods), 1.0, 0.0, clock);
            let mut written = 0.0;
            for step in 0..120 {
                let stream = streams.get(step).copied().unwrap_or(0.0);
                written += dt * depreciation.value(stream);
                depreciation.advance(stream, clock);
            }
            prop_assert!((written - dt * streams.iter().sum::<f64>()).abs() < 1e-9);
        }
    }
}
