//! Vensim's DELAY PROFILE: a delay whose response to a pulse is drawn as a lookup.
//!
//! Source: vensim.com/documentation/fn_delay_profile.html: the profile is scaled to a distribution whose mean is the delay
//! time; the delay starts as if the input had been `initial` and growing at a rate before. How the distribution is cut
//! into steps is not published: each step takes the area around its middle, so that the mean is kept (choice of ours),
//! and what would come out in the step in which it goes in comes out in the next.

use std::collections::VecDeque;

use super::clock::Clock;

/// A drawn delay in motion.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    coming: VecDeque<f64>,
}

/// The share of an input that comes out after one, two, three … steps; empty where the profile has no area.
fn shares(profile: &[(f64, f64)], delay_time: f64, clock: Clock) -> Vec<f64> {
    let points: Vec<(f64, f64)> = profile.iter().map(|&(x, y)| (x, y.max(0.0))).collect();
    let (mut area, mut moment) = (0.0, 0.0);
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let width = x1 - x0;
        area += 0.5 * (y0 + y1) * width;
        // ∫ x·y over a straight piece.
        moment += width * (x0 * (2.0 * y0 + y1) + x1 * (y0 + 2.0 * y1)) / 6.0;
    }
    let scale = delay_time * area / moment;
    if !(area > 0.0 && scale > 0.0 && scale.is_finite()) {
        return Vec::new();
    }
    let before = |time: f64| {
        let x = time / scale;
        let mut sum = 0.0;
        for pair in points.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            if x >= x1 {
                sum += 0.5 * (y0 + y1) * (x1 - x0);
            } else if x > x0 {
                sum += (x - x0) * (y0 + 0.5 * (x - x0) * (y1 - y0) / (x1 - x0));
            }
        }
        sum / area
    };
    let end = points.last().map_or(0.0, |point| point.0 * scale);
    let steps = ((end / clock.dt + 0.5).ceil() as usize).max(1);
    (1..=steps)
        .map(|k| {
            let from = if k == 1 { 0.0 } else { before((k as f64 - 0.5) * clock.dt) };
            if k == steps { 1.0 - from } else { before((k as f64 + 0.5) * clock.dt) - from }
        })
        .collect()
}

impl Response {
    /// A delay whose input has been `initial` now and `initial · e^(growth·s)` at times `s` before.
    pub fn start(profile: &[(f64, f64)], delay_time: f64, initial: f64, growth: f64, clock: Clock) -> Self {
        let shares = shares(profile, delay_time, clock);
        let coming = (0..shares.len())
            .map(|step| {
                // What went in `ago` steps before now comes out in this step with the share of `step + ago` steps.
                (1..=shares.len() - step)
                    .map(|ago| initial * libm::exp(-growth * ago as f64 * clock.dt) * shares[step + ago - 1])
                    .sum()
            })
            .collect();
        Self { coming }
    }

    /// What comes out in this step; not a number where the profile has no area.
    pub fn value(&self) -> f64 {
        self.coming.front().copied().unwrap_or(f64::NAN)
    }

    /// Moves by one step.
    pub fn advance(&mut self, profile: &[(f64, f64)], input: f64, delay_time: f64, clock: Clock) {
        self.coming.pop_front();
        let shares = shares(profile, delay_time, clock);
        if self.coming.len() < shares.len() {
            self.coming.resize(shares.len(), 0.0);
        }
        for (place, share) in self.coming.iter_mut().zip(&shares) {
            *place += input * share;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TENT: [(f64, f64); 3] = [(0.0, 0.0), (1.0, 1.0), (2.0, 0.0)];

    #[test]
    fn a_constant_input_stays_constant() {
        let clock = Clock { time: 0.0, dt: 0.25 };
        let mut response = Response::start(&TENT, 3.0, 7.0, 0.0, clock);
        for _ in 0..60 {
            assert!((response.value() - 7.0).abs() < 1e-12);
            response.advance(&TENT, 7.0, 3.0, clock);
        }
    }

    #[test]
    fn a_pulse_comes_out_around_the_delay_time() {
        let clock = Clock { time: 0.0, dt: 0.25 };
        let mut response = Response::start(&TENT, 3.0, 0.0, 0.0, clock);
        let (mut total, mut moment) = (0.0, 0.0);
        for step in 0..60 {
            total += response.value();
            moment += response.value() * f64::from(step) * 0.25;
            response.advance(&TENT, if step == 0 { 5.0 } else { 0.0 }, 3.0, clock);
        }
        // The tent is symmetric, so that cutting it into steps around their middles keeps its mean.
        assert!((total - 5.0).abs() < 1e-12 && (moment / total - 3.0).abs() < 1e-3, "{}", moment / total);
    }

    #[test]
    fn a_growing_input_keeps_growing() {
        let clock = Clock { time: 0.0, dt: 0.125 };
        let growth = 0.05;
        let mut response = Response::start(&TENT, 2.0, 10.0, growth, clock);
        let first = response.value();
        for step in 0..40 {
            let time = f64::from(step) * 0.125;
            assert!((response.value() - first * libm::exp(growth * time)).abs() < 1e-9);
            response.advance(&TENT, 10.0 * libm::exp(growth * time), 2.0, clock);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost(inputs in prop::collection::vec(0.0f64..9.0, 20), times in prop::collection::vec(0.2f64..4.0, 20)) {
            let clock = Clock { time: 0.0, dt: 0.5 };
            let mut response = Response::start(&TENT, 1.0, 0.0, 0.0, clock);
            let mut out = 0.0;
            for step in 0..60 {
                out += response.value();
                response.advance(&TENT, inputs.get(step).copied().unwrap_or(0.0), times[step.min(19)], clock);
            }
            prop_assert!((out - inputs.iter().sum::<f64>()).abs() < 1e-9);
        }
    }
}
