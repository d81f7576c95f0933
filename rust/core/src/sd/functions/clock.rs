//! The moment at which a machine is asked or moved.

/// The moment of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// The time at which the step begins.
    pub time: f64,
    /// Its length.
    pub dt: f64,
}

impl Clock {
    /// A duration in whole steps, rounded to the nearest; not a number and anything below zero is zero.
    pub fn steps(self, duration: f64) -> usize {
        // Halves go up; 1e-6 absorbs the rounding of `duration / dt`.
        let steps = (duration / self.dt + 0.5 + 1e-6).floor();
        if steps >= 1.0 { steps.min(1e9) as usize } else { 0 }
    }

    /// A duration in whole steps, rounded up: the length of Vensim's pipelines.
    pub fn steps_up(self, duration: f64) -> usize {
        let steps = (duration / self.dt - 1e-6).ceil();
        if steps >= 1.0 { steps.min(1e9) as usize } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_errors_add_no_step() {
        let clock = Clock { time: 0.0, dt: 0.1 };
        assert_eq!((clock.steps(0.3), clock.steps_up(0.3)), (3, 3));
        assert_eq!((clock.steps(0.34), clock.steps_up(0.34)), (3, 4));
        assert_eq!((clock.steps(0.35), clock.steps_up(0.0)), (4, 0));
        assert_eq!((clock.steps(f64::NAN), clock.steps_up(-1.0)), (0, 0));
    }
}
