//! Test inputs: step, ramp, pulse, pulse train; and random numbers.

use super::{Call, CompileError, Lowering};
use crate::sd::compile::graph::{AT_START, Binary, Id, Node, Unary};
use crate::sd::compile::lower::{Env, Mode};
use crate::sd::dialect::Dialect;
use crate::sd::functions::call::Function;
use crate::sd::functions::distribution::Distribution;
use crate::sd::functions::random::Seeding;

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

    /// A draw: the arguments of either dialect in the order of [`Function::Random`].
    fn random(&mut self, call: &Call<'m, '_>) -> Result<Option<Id>, CompileError> {
        use Distribution as D;
        use Slot::{Argument, Nothing, Number};
        let n = call.arguments.len();
        // Vensim: least, most, parameters, shift, stretch, stream.
        let vensim = |distribution: D, parameters: usize| {
            let shift = 2 + parameters;
            let own = (2..shift).map(Argument).collect();
            let place = [Argument(0), Argument(1), Argument(shift), Argument(shift + 1), Argument(shift + 2), Nothing];
            (distribution, own, place, shift + 2, shift + 3)
        };
        // Stella: parameters, then seed, least, most and sample where they are given; the last parameters may be the
        // shift and the stretch of a standard distribution.
        let stella = |distribution: D, own: Vec<Slot>, shift: Slot, stretch: Slot, parameters: usize| {
            let p = parameters;
            let place = [Argument(p + 1), Argument(p + 2), shift, stretch, Argument(p), Argument(p + 3)];
            (distribution, own, place, p, p + 4)
        };
        let plain = |distribution: D, parameters: usize| {
            stella(distribution, (0..parameters).map(Argument).collect(), Number(0.0), Number(1.0), parameters)
        };
        let name = call.name;
        let mut seeding = if name.starts_with("random_") { Seeding::Stream } else { Seeding::Fixed };
        let (distribution, own, place, least, most) = match name {
            "random_0_1" => stella(D::Uniform, vec![Number(0.0), Number(1.0)], Number(0.0), Number(1.0), 0),
            "random_uniform" => {
                let place = [Nothing, Nothing, Number(0.0), Number(1.0), Argument(2), Nothing];
                (D::Uniform, vec![Argument(0), Argument(1)], place, 2, 3)
            }
            "random" if n < 2 => stella(D::Uniform, vec![Number(0.0), Number(1.0)], Number(0.0), Number(1.0), 0),
            "random" | "uniform" => plain(D::Uniform, 2),
            "random_normal" => vensim(D::Normal, 0),
            "random_exponential" => vensim(D::Exponential, 0),
            "random_poisson" => vensim(D::Poisson, 1),
            "random_beta" => vensim(D::Beta, 2),
            "random_gamma" => vensim(D::Gamma, 1),
            "random_weibull" => vensim(D::WeibullOfMeanOne, 1),
            // Vensim names the probability first, the distributions the count.
            "random_binomial" | "random_negative_binomial" => {
                let (_, _, place, least, most) = vensim(D::Binomial, 2);
                let kind = if name == "random_binomial" { D::Binomial } else { D::NegativeBinomialTrials };
                (kind, vec![Argument(3), Argument(2)], place, least, most)
            }
            "random_triangular" => {
                let place = [Argument(0), Argument(1), Number(0.0), Number(1.0), Argument(5), Nothing];
                (D::Triangular, (2..5).map(Argument).collect(), place, 5, 6)
            }
            "normal" => stella(D::Normal, vec![], Argument(0), Argument(1), 2),
            "logistic" => stella(D::Logistic, vec![], Argument(0), Argument(1), 2),
            "exprnd" => stella(D::Exponential, vec![], Number(0.0), Argument(0), 1),
            "gamma" if n < 2 => plain(D::Gamma, 1),
            "gamma" => stella(D::Gamma, vec![Argument(0)], Number(0.0), Argument(1), 2),
            "weibull" => stella(D::Weibull, vec![Argument(0)], Number(0.0), Argument(1), 2),
            "pareto" => stella(D::Pareto, vec![Argument(0)], Number(0.0), Argument(1), 2),
            "lognormal" => plain(D::LogNormal, 2),
            "poisson" => plain(D::Poisson, 1),
            "beta" => plain(D::Beta, 2),
            "binomial" => plain(D::Binomial, 2),
            "negbinomial" => plain(D::NegativeBinomial, 2),
            "geometric" => plain(D::Geometric, 1),
            "triangular" => plain(D::Triangular, 3),
            "montecarlo" => return self.monte_carlo(call).map(Some),
            "random_lookup" => return self.random_lookup(call),
            "random_pink_noise" => return self.pink_noise(call),
            _ => return Ok(None),
        };
        if name == "random_0_1" {
            seeding = Seeding::Stream;
        }
        self.arity(call, least, most)?;
        let mut arguments = Vec::new();
        for slot in place.into_iter().chain(own) {
            let id = match slot {
                Argument(k) => self.argument_or(call, k, f64::NAN)?,
                Number(value) => self.graph.number(value),
                Nothing => self.graph.number(f64::NAN),
            };
            arguments.push(id);
        }
        if place[5] != Nothing && n > most - 1 {
            // A sample interval in time becomes a number of steps.
            let step = self.graph.number(self.time.dt);
            arguments[5] = self.graph.quotient(arguments[5], step);
        }
        Ok(Some(self.noise(call.env.mode, Function::Random(distribution, seeding), arguments)))
    }

    /// MONTECARLO(percent[, seed]): one with the probability that makes so many percent a unit of time, else zero.
    fn monte_carlo(&mut self, call: &Call<'m, '_>) -> Result<Id, CompileError> {
        self.arity(call, 1, 2)?;
        let percent = self.argument(call, 0)?;
        let share = self.graph.number(self.time.dt / 100.0);
        let probability = self.graph.product(percent, share);
        let one = self.graph.number(1.0);
        let probability = self.graph.binary(Binary::Min, probability, one);
        let (none, zero) = (self.graph.number(f64::NAN), self.graph.number(0.0));
        let seed = self.argument_or(call, 1, f64::NAN)?;
        let arguments = vec![none, none, zero, one, seed, none, probability];
        Ok(self.noise(call.env.mode, Function::Random(Distribution::Bernoulli, Seeding::Fixed), arguments))
    }

    /// A random draw that no other place in the model shares.
    pub(crate) fn noise(&mut self, mode: Mode, function: Function, arguments: Vec<Id>) -> Id {
        self.occurrences += 1;
        let key = self.occurrences | if mode == Mode::Initial { AT_START } else { 0 };
        self.graph.add(Node::Call(function, arguments.into_boxed_slice(), key))
    }

    /// RANDOM LOOKUP(lookup, least, most, shift, stretch, stream): the lookup is a density.
    fn random_lookup(&mut self, call: &Call<'m, '_>) -> Result<Option<Id>, CompileError> {
        self.arity(call, 5, 6)?;
        let (table, _) = self.table_argument(call, 0)?;
        let mut arguments = Vec::new();
        for k in 1..7 {
            arguments.push(self.argument_or(call, k, f64::NAN)?);
        }
        arguments.extend(self.points_of(table));
        Ok(Some(self.noise(call.env.mode, Function::Random(Distribution::Lookup, Seeding::Stream), arguments)))
    }

    /// RANDOM PINK NOISE(mean, standard deviation, correlation time, stream): white noise behind a first-order smooth,
    /// scaled so that the standard deviation is as asked; it starts at the mean and a draw of the same deviation
    /// (vensim.com/documentation/random_pink_noise.html; Sterman 2000, Business Dynamics, appendix B).
    fn pink_noise(&mut self, call: &Call<'m, '_>) -> Result<Option<Id>, CompileError> {
        self.arity(call, 3, 4)?;
        let initial = call.env.at(Mode::Initial);
        let start = {
            let (mean, deviation) = (self.start_of(call, 0)?, self.start_of(call, 1)?);
            let draw = self.standard_normal(call, Mode::Initial, &initial)?;
            let shock = self.graph.product(deviation, draw);
            self.graph.sum(mean, shock)
        };
        if mode_is_initial(call) {
            return Ok(Some(start));
        }
        let mean = self.argument(call, 0)?;
        let (deviation, correlation) = (self.argument(call, 1)?, self.argument(call, 2)?);
        let step = self.graph.number(self.time.dt);
        // white = mean + deviation · √((2 − dt/τ)/(dt/τ)) · N(0, 1)
        let ratio = self.graph.quotient(step, correlation);
        let two = self.graph.number(2.0);
        let over = self.graph.difference(two, ratio);
        let variance = self.graph.quotient(over, ratio);
        let scale = self.graph.unary(Unary::Sqrt, variance);
        let draw = self.standard_normal(call, call.env.mode, call.env)?;
        let scaled = self.graph.product(deviation, scale);
        let shock = self.graph.product(scaled, draw);
        let white = self.graph.sum(mean, shock);
        let pink = self.hidden_stock(call.env.owner, start);
        let gap = self.graph.difference(white, pink.1);
        let rate = self.graph.quotient(gap, correlation);
        self.set_rate(pink.0, rate);
        Ok(Some(pink.1))
    }

    /// A standard normal draw cut at six deviations, as Vensim's pink noise has it.
    fn standard_normal(&mut self, call: &Call<'m, '_>, mode: Mode, env: &Env) -> Result<Id, CompileError> {
        let seed = match call.arguments.get(3) {
            Some(expr) => self.lower(expr, env)?,
            None => self.graph.number(f64::NAN),
        };
        let arguments = [-6.0, 6.0, 0.0, 1.0, f64::NAN, f64::NAN].map(|value| self.graph.number(value));
        let mut arguments = arguments.to_vec();
        arguments[4] = seed;
        let function = Function::Random(Distribution::Normal, Seeding::Stream);
        if mode == Mode::Initial {
            // The start of the stock and the value at the start are the same draw, by the place where the call stands.
            let place = call.env.owner.wrapping_mul(61).wrapping_add(call.span.start);
            let key = AT_START | (1 << 30) | (place & ((1 << 30) - 1));
            return Ok(self.graph.add(Node::Call(function, arguments.into_boxed_slice(), key)));
        }
        Ok(self.noise(mode, function, arguments))
    }
}

/// Where an argument of a draw comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Slot {
    Argument(usize),
    Number(f64),
    Nothing,
}

fn mode_is_initial(call: &Call<'_, '_>) -> bool {
    call.env.mode == Mode::Initial
}
