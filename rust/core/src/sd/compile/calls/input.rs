//! Test inputs: step, ramp, pulse, pulse train; and random numbers.

use super::{Call, CompileError, Lowering};
use crate::sd::compile::graph::{AT_START, Binary, Id, Node, Unary};
use crate::sd::compile::lower::Mode;
use crate::sd::dialect::Dialect;
use crate::sd::functions::call::Function;

impl<'m> Lowering<'m> {
    /// The time at which the step began.
    pub(crate) fn step_time(&mut self, mode: Mode) -> Id {
        match mode {
            Mode::Current => self.graph.add(Node::StepTime),
            Mode::Initial => self.graph.number(self.time.initial_time),
        }
    }

    /// Half a step later: times that differ by rounding then compare as they should, as in Vensim.
    fn between(&mut self, mode: Mode) -> Id {
        let time = self.step_time(mode);
        let half = self.graph.number(0.5 * self.time.dt);
        self.graph.sum(time, half)
    }

    /// One where `start < between < start + width`.
    fn within(&mut self, between: Id, start: Id, width: Id) -> Id {
        let end = self.graph.sum(start, width);
        let begun = self.graph.binary(Binary::Greater, between, start);
        let open = self.graph.binary(Binary::Less, between, end);
        self.graph.binary(Binary::And, begun, open)
    }

    pub(crate) fn input(&mut self, call: &Call<'m, '_>) -> Result<Option<Id>, CompileError> {
        let mode = call.env.mode;
        let dt = self.time.dt;
        Ok(Some(match call.name {
            "step" => {
                self.arity(call, 2, 2)?;
                let (height, start) = (self.argument(call, 0)?, self.argument(call, 1)?);
                let between = self.between(mode);
                let begun = self.graph.binary(Binary::Greater, between, start);
                let zero = self.graph.number(0.0);
                self.graph.select(begun, height, zero)
            }
            "ramp" => {
                self.arity(call, 2, 3)?;
                let (slope, start) = (self.argument(call, 0)?, self.argument(call, 1)?);
                let time = match (self.model.dialect, mode) {
                    (Dialect::Xmile, Mode::Current) => self.graph.add(Node::Time),
                    _ => self.step_time(mode),
                };
                let mut last = time;
                if call.arguments.len() == 3 {
                    let end = self.argument(call, 2)?;
                    last = self.graph.binary(Binary::Min, time, end);
                }
                let begun = self.graph.binary(Binary::Greater, time, start);
                let since = self.graph.difference(last, start);
                let height = self.graph.product(slope, since);
                let zero = self.graph.number(0.0);
                self.graph.select(begun, height, zero)
            }
            "pulse" if self.model.dialect == Dialect::Vensim => {
                self.arity(call, 2, 2)?;
                let (start, width) = (self.argument(call, 0)?, self.argument(call, 1)?);
                let width = self.at_least_a_step(width);
                let between = self.between(mode);
                self.within(between, start, width)
            }
            "pulse" => {
                self.arity(call, 1, 3)?;
                let height = self.argument(call, 0)?;
                let start = self.argument_or(call, 1, self.time.initial_time)?;
                let step = self.graph.number(dt);
                let between = self.between(mode);
                let mut on = self.within(between, start, step);
                if call.arguments.len() == 3 {
                    let interval = self.argument(call, 2)?;
                    let since = self.since_last(between, start, interval);
                    let begun = self.graph.binary(Binary::Greater, between, start);
                    let fresh = self.graph.binary(Binary::Less, since, step);
                    let zero = self.graph.number(0.0);
                    let repeats = self.graph.binary(Binary::Greater, interval, zero);
                    let train = self.graph.binary(Binary::And, begun, fresh);
                    on = self.graph.select(repeats, train, on);
                }
                let rate = self.graph.quotient(height, step);
                let zero = self.graph.number(0.0);
                self.graph.select(on, rate, zero)
            }
            "pulse_train" => {
                self.arity(call, 4, 4)?;
                let (start, width) = (self.argument(call, 0)?, self.argument(call, 1)?);
                let (interval, end) = (self.argument(call, 2)?, self.argument(call, 3)?);
                let width = self.at_least_a_step(width);
                let between = self.between(mode);
                let since = self.since_last(between, start, interval);
                let begun = self.graph.binary(Binary::Greater, between, start);
                let open = self.graph.binary(Binary::Less, since, width);
                let on = self.graph.binary(Binary::And, begun, open);
                let time = self.step_time(mode);
                let before = self.graph.binary(Binary::LessEqual, time, end);
                self.graph.binary(Binary::And, on, before)
            }
            _ => return self.random(call),
        }))
    }

    fn at_least_a_step(&mut self, width: Id) -> Id {
        let zero = self.graph.number(0.0);
        let step = self.graph.number(self.time.dt);
        let none = self.graph.binary(Binary::LessEqual, width, zero);
        self.graph.select(none, step, width)
    }

    /// Time since the last of the moments `start + k·interval`.
    fn since_last(&mut self, time: Id, start: Id, interval: Id) -> Id {
        let since = self.graph.difference(time, start);
        let count = self.graph.quotient(since, interval);
        let whole = self.graph.unary(Unary::Floor, count);
        let gone = self.graph.product(whole, interval);
        self.graph.difference(since, gone)
    }

    fn random(&mut self, call: &Call<'m, '_>) -> Result<Option<Id>, CompileError> {
        // Function, number of distribution arguments, whether the last argument may be a seed.
        let n = call.arguments.len();
        let (function, takes) = match call.name {
            "random_0_1" => (Function::Uniform, 0),
            "random_uniform" | "random" | "uniform" => (Function::Uniform, if n >= 2 { 2 } else { 0 }),
            "random_normal" => (Function::NormalTruncated, 4),
            "normal" => (Function::Normal, 2),
            "random_exponential" => (Function::ExponentialTruncated, 4),
            "exprnd" => (Function::Exponential, 1),
            "lognormal" => (Function::LogNormal, 2),
            "poisson" => (Function::Poisson, 1),
            "random_poisson" => (Function::PoissonTruncated, 5),
            "random_triangular" => (Function::TriangularTruncated, 5),
            "triangular" => (Function::Triangular, 3),
            "random_binomial" => (Function::BinomialTruncated, 6),
            "binomial" => (Function::Binomial, 2),
            "random_beta" => (Function::BetaTruncated, 6),
            "beta" => (Function::Beta, 2),
            "random_gamma" => (Function::GammaTruncated, 5),
            "gamma" => (Function::Gamma, 2),
            "random_weibull" => (Function::WeibullTruncated, 5),
            "weibull" => (Function::Weibull, 2),
            "random_negative_binomial" => (Function::NegativeBinomialTruncated, 6),
            "negbinomial" => (Function::NegativeBinomial, 2),
            "geometric" => (Function::Geometric, 1),
            "logistic" => (Function::Logistic, 2),
            "pareto" => (Function::Pareto, 2),
            "random_lookup" => return self.random_lookup(call),
            "random_pink_noise" => return self.pink_noise(call),
            _ => return Ok(None),
        };
        self.arity(call, takes, takes + 1)?;
        let mut arguments = Vec::new();
        for k in 0..n {
            arguments.push(self.argument(call, k)?);
        }
        Ok(Some(self.noise(call.env.mode, function, arguments)))
    }

    /// A random draw that no other place in the model shares.
    pub(crate) fn noise(&mut self, mode: Mode, function: Function, arguments: Vec<Id>) -> Id {
        self.occurrences += 1;
        let key = self.occurrences | if mode == Mode::Initial { AT_START } else { 0 };
        self.graph.add(Node::Call(function, arguments.into_boxed_slice(), key))
    }

    /// RANDOM LOOKUP(lookup, min, max, shift, stretch, seed): the lookup is a density; drawn by inversion of its integral.
    fn random_lookup(&mut self, call: &Call<'m, '_>) -> Result<Option<Id>, CompileError> {
        self.arity(call, 5, 6)?;
        let (table, _) = self.table_argument(call, 0)?;
        let mut arguments = Vec::new();
        for k in 1..5 {
            arguments.push(self.argument(call, k)?);
        }
        let points = self.tables[table as usize].clone();
        for (x, y) in points.x.iter().zip(&points.y) {
            let (x, y) = (self.graph.number(*x), self.graph.number(*y));
            arguments.extend([x, y]);
        }
        Ok(Some(self.noise(call.env.mode, Function::RandomLookup, arguments)))
    }

    /// RANDOM PINK NOISE(mean, standard deviation, correlation time, time step, seed): white noise behind a first-order
    /// smooth, scaled so that the standard deviation is as asked (Sterman 2000, Business Dynamics, appendix B).
    fn pink_noise(&mut self, call: &Call<'m, '_>) -> Result<Option<Id>, CompileError> {
        self.arity(call, 4, 5)?;
        let mean = self.argument(call, 0)?;
        if mode_is_initial(call) {
            return Ok(Some(mean));
        }
        let (deviation, correlation) = (self.argument(call, 1)?, self.argument(call, 2)?);
        let step = self.graph.number(self.time.dt);
        // white = mean + deviation · √((2 − dt/τ)/(dt/τ)) · N(0, 1)
        let ratio = self.graph.quotient(step, correlation);
        let two = self.graph.number(2.0);
        let over = self.graph.difference(two, ratio);
        let variance = self.graph.quotient(over, ratio);
        let scale = self.graph.unary(Unary::Sqrt, variance);
        let (zero, one) = (self.graph.number(0.0), self.graph.number(1.0));
        let draw = self.noise(call.env.mode, Function::Normal, vec![zero, one]);
        let scaled = self.graph.product(deviation, scale);
        let shock = self.graph.product(scaled, draw);
        let white = self.graph.sum(mean, shock);
        let start = self.start_of(call, 0)?;
        let pink = self.hidden_stock(call.env.owner, start);
        let gap = self.graph.difference(white, pink.1);
        let rate = self.graph.quotient(gap, correlation);
        self.set_rate(pink.0, rate);
        Ok(Some(pink.1))
    }
}

fn mode_is_initial(call: &Call<'_, '_>) -> bool {
    call.env.mode == Mode::Initial
}
