//! The functions of XMILE and Vensim, lowered to operations, states and calls.

mod calendar;
mod data;
mod delay;
mod finance;
mod history;
mod input;
mod lookup;
mod machine;
mod reduction;
mod vector;

use super::error::CompileError;
use super::graph::{Binary, Id, Node, Points, Reading, Unary};
use super::lower::{At, DEEPEST, Env, Lowering, Mode};
use crate::sd::dialect::Dialect;
use crate::sd::expr::{Expr, ExprKind, Span, Subscript};
use crate::sd::functions::call::Function;
use crate::sd::functions::table;
use crate::sd::model::{Equation, Kind, canonical};

/// A call as it stands in an equation.
pub(crate) struct Call<'m, 'a> {
    /// The canonical name.
    pub(crate) name: &'a str,
    /// The arguments.
    pub(crate) arguments: &'m [Expr],
    /// Where it stands.
    pub(crate) span: Span,
    /// For which element it is read.
    pub(crate) env: &'a Env,
}

impl<'m> Call<'m, '_> {
    pub(crate) fn at(&self, k: usize) -> &'m Expr {
        &self.arguments[k]
    }
}

impl<'m> Lowering<'m> {
    /// Lowers the call of a lookup, a macro or a function.
    pub(crate) fn call(
        &mut self,
        function: &'m str,
        subscripts: &'m [Subscript],
        arguments: &'m [Expr],
        span: Span,
        env: &Env,
    ) -> Result<Id, CompileError> {
        let name = canonical(function);
        if let Some((table, reading)) = self.table_called(&name, subscripts, span, env)? {
            let [argument] = arguments else {
                return Err(self.fault(
                    env,
                    span,
                    format!("the lookup {function:?} takes one argument, not {}", arguments.len()),
                ));
            };
            let at = self.lower(argument, env)?;
            return Ok(self.graph.add(Node::Lookup(table, reading, at)));
        }
        let model = self.model;
        // `MAC:out` is a further output of the macro MAC.
        let (main, output) = match name.split_once(':') {
            Some((main, output)) => (main, Some(output)),
            None => (name.as_str(), None),
        };
        if let Some(which) = model.macros.iter().position(|item| canonical(&item.name) == main) {
            return self.instantiate(which, output, arguments, span, env);
        }
        let call = Call { name: &name, arguments, span, env };
        let families = [
            Self::of_container,
            Self::arithmetic,
            Self::input,
            Self::graphical,
            Self::history,
            Self::finance,
            Self::machines,
            Self::delay,
            Self::reduction,
            Self::vector,
            Self::data,
        ];
        for family in families {
            if let Some(node) = family(self, &call)? {
                return Ok(node);
            }
        }
        let reason =
            if table::find(model.dialect, function).or_else(|| table::elsewhere(model.dialect, function)).is_some() {
                "the function is known and not built"
            } else {
                "there is no such function, lookup or macro"
            };
        Err(self.refuse(env, span, function, reason))
    }

    /// Checks the number of arguments.
    pub(crate) fn arity(&self, call: &Call<'m, '_>, least: usize, most: usize) -> Result<(), CompileError> {
        let n = call.arguments.len();
        if (least..=most).contains(&n) {
            return Ok(());
        }
        let wanted = if least == most { format!("{least}") } else { format!("{least} to {most}") };
        Err(self.fault(call.env, call.span, format!("{} takes {wanted} arguments, not {n}", call.name.to_uppercase())))
    }

    /// Lowers argument `k`.
    pub(crate) fn argument(&mut self, call: &Call<'m, '_>, k: usize) -> Result<Id, CompileError> {
        self.lower(call.at(k), call.env)
    }

    /// Lowers argument `k`, or gives a number if it is not there.
    pub(crate) fn argument_or(&mut self, call: &Call<'m, '_>, k: usize, default: f64) -> Result<Id, CompileError> {
        match call.arguments.get(k) {
            Some(expr) => self.lower(expr, call.env),
            None => Ok(self.graph.number(default)),
        }
    }

    /// Lowers argument `k` as it is at the start of the run.
    pub(crate) fn start_of(&mut self, call: &Call<'m, '_>, k: usize) -> Result<Id, CompileError> {
        self.lower(call.at(k), &call.env.at(Mode::Initial))
    }

    /// The table behind a name that is called or passed to LOOKUP.
    pub(crate) fn table_called(
        &mut self,
        name: &str,
        subscripts: &'m [Subscript],
        span: Span,
        env: &Env,
    ) -> Result<Option<(u32, Reading)>, CompileError> {
        let Some(index) = self.find(name, env.scope) else {
            return Ok(None);
        };
        let variable = self.infos[index].variable;
        let lookup =
            matches!(variable.kind, Kind::Lookup) || variable.equations.iter().any(|equation| equation.table.is_some());
        if !lookup {
            return Ok(None);
        }
        let At::Fixed(element) = self.element_at(index, subscripts, span, env)? else {
            return Err(self.fault(env, span, "a lookup cannot be chosen by a computed subscript"));
        };
        let flat = (element - self.infos[index].first) as usize;
        Ok(self.table_of_element(index, flat))
    }

    fn table_of_element(&mut self, index: usize, flat: usize) -> Option<(u32, Reading)> {
        let variable = self.infos[index].variable;
        let places = self.places(&self.infos[index], flat);
        if let Some(equation) = self.equation_with_table(index, &places) {
            let Some(table) = &variable.equations[equation].table else {
                return None;
            };
            let reading = Reading::from(table.kind);
            if let Some(&known) = self.table_of.get(&(index, flat)) {
                return Some((known, reading));
            }
            let known = self.tables.len() as u32;
            self.tables.push(Points { x: table.x.clone(), y: table.y.clone() });
            self.table_of.insert((index, flat), known);
            return Some((known, reading));
        }
        self.series_table(index, &places).map(|(table, _)| (table, Reading::Linear))
    }

    /// The table that argument `k` names, for LOOKUP EXTRAPOLATE and its kin.
    pub(crate) fn table_argument(&mut self, call: &Call<'m, '_>, k: usize) -> Result<(u32, Reading), CompileError> {
        self.table_of_expr(call.at(k), call.env)
    }

    /// The table that an expression names.
    pub(crate) fn table_of_expr(&mut self, expr: &'m Expr, env: &Env) -> Result<(u32, Reading), CompileError> {
        let (expr, env) = self.unbind(expr, env);
        match &expr.kind {
            ExprKind::Reference { name, subscripts } => {
                if let Some(found) = self.table_called(&canonical(name), subscripts, expr.span, &env)? {
                    return Ok(found);
                }
                if let Some(index) = self.find(&canonical(name), env.scope)
                    && let At::Fixed(element) = self.element_at(index, subscripts, expr.span, &env)?
                {
                    let flat = (element - self.infos[index].first) as usize;
                    let places = self.places(&self.infos[index], flat);
                    if let Some(found) = self.series_table(index, &places) {
                        return Ok(found);
                    }
                    // A module's input, or another variable that only repeats a graphical function.
                    if let [Equation { expr: Some(same), table: None, .. }] = &self.infos[index].variable.equations[..]
                        && matches!(same.kind, ExprKind::Reference { .. })
                        && !matches!(self.infos[index].variable.kind, Kind::Stock { .. })
                        && self.follows < DEEPEST
                    {
                        let env = Env { mode: env.mode, ..self.env_of(element) };
                        self.follows += 1;
                        let found = self.table_of_expr(same, &env);
                        self.follows -= 1;
                        return found;
                    }
                }
                Err(self.fault(&env, expr.span, format!("{name:?} is no lookup and no data variable")))
            }
            ExprKind::Table(points) => {
                let known = self.tables.len() as u32;
                self.tables.push(Points {
                    x: points.iter().map(|point| point.0).collect(),
                    y: points.iter().map(|point| point.1).collect(),
                });
                Ok((known, Reading::Linear))
            }
            _ => Err(self.fault(&env, expr.span, "a lookup is expected here")),
        }
    }

    fn read(&mut self, call: &Call<'m, '_>, table: usize, at: usize, reading: Reading) -> Result<Id, CompileError> {
        let (points, own) = self.table_argument(call, table)?;
        let reading = if reading == Reading::Linear { own } else { reading };
        let at = self.argument(call, at)?;
        Ok(self.graph.add(Node::Lookup(points, reading, at)))
    }

    fn arithmetic(&mut self, call: &Call<'m, '_>) -> Result<Option<Id>, CompileError> {
        let unary = match call.name {
            "abs" => Some(Unary::Abs),
            "exp" => Some(Unary::Exp),
            "ln" => Some(Unary::Ln),
            "log10" => Some(Unary::Log10),
            "sqrt" => Some(Unary::Sqrt),
            "sin" => Some(Unary::Sin),
            "cos" => Some(Unary::Cos),
            "tan" => Some(Unary::Tan),
            "arcsin" | "asin" => Some(Unary::Arcsin),
            "arccos" | "acos" => Some(Unary::Arccos),
            "arctan" | "atan" if call.arguments.len() == 1 => Some(Unary::Arctan),
            "sinh" => Some(Unary::Sinh),
            "cosh" => Some(Unary::Cosh),
            "tanh" => Some(Unary::Tanh),
            "int" => Some(if self.model.dialect == Dialect::Vensim { Unary::Truncate } else { Unary::Floor }),
            "integer" => Some(Unary::Truncate),
            "floor" => Some(Unary::Floor),
            "not" => Some(Unary::Not),
            "sign" | "sgn" => Some(Unary::Sign),
            "round" if call.arguments.len() == 1 => Some(Unary::Round),
            _ => None,
        };
        if let Some(op) = unary {
            self.arity(call, 1, 1)?;
            let a = self.argument(call, 0)?;
            return Ok(Some(self.graph.unary(op, a)));
        }
        let n = call.arguments.len();
        Ok(Some(match call.name {
            "min" | "max" if n == 2 => {
                let op = if call.name == "min" { Binary::Min } else { Binary::Max };
                let (a, b) = (self.argument(call, 0)?, self.argument(call, 1)?);
                self.graph.binary(op, a, b)
            }
            "min" | "max" if n > 2 => {
                let op = if call.name == "min" { Binary::Min } else { Binary::Max };
                let mut sum = self.argument(call, 0)?;
                for k in 1..n {
                    let next = self.argument(call, k)?;
                    sum = self.graph.binary(op, sum, next);
                }
                sum
            }
            "power" | "modulo" | "mod" | "arctan2" | "atan2" | "and" | "or" => {
                self.arity(call, 2, 2)?;
                let op = match call.name {
                    "power" => Binary::Power,
                    "modulo" | "mod" => self.modulo(),
                    "and" => Binary::And,
                    "or" => Binary::Or,
                    _ => Binary::Arctan2,
                };
                let (a, b) = (self.argument(call, 0)?, self.argument(call, 1)?);
                self.graph.binary(op, a, b)
            }
            "pi" | "inf" if n == 0 => {
                self.graph.number(if call.name == "pi" { std::f64::consts::PI } else { f64::INFINITY })
            }
            "log" => {
                self.arity(call, 1, 2)?;
                let a = self.argument(call, 0)?;
                if n == 1 {
                    return Ok(Some(self.graph.unary(Unary::Log10, a)));
                }
                let b = self.argument(call, 1)?;
                let (a, b) = (self.graph.unary(Unary::Ln, a), self.graph.unary(Unary::Ln, b));
                self.graph.quotient(a, b)
            }
            "logn" => {
                self.arity(call, 1, 1)?;
                let a = self.argument(call, 0)?;
                self.graph.unary(Unary::Ln, a)
            }
            "quantum" => {
                self.arity(call, 2, 2)?;
                let (a, q) = (self.argument(call, 0)?, self.argument(call, 1)?);
                let ratio = self.graph.quotient(a, q);
                let whole = self.graph.unary(Unary::Truncate, ratio);
                let value = self.graph.product(q, whole);
                let zero = self.graph.number(0.0);
                let proper = self.graph.binary(Binary::Greater, q, zero);
                self.graph.select(proper, value, a)
            }
            "round" => {
                self.arity(call, 2, 2)?;
                let (a, digits) = (self.argument(call, 0)?, self.argument(call, 1)?);
                let ten = self.graph.number(10.0);
                let scale = self.graph.binary(Binary::Power, ten, digits);
                let scaled = self.graph.product(a, scale);
                let whole = self.graph.unary(Unary::Round, scaled);
                self.graph.quotient(whole, scale)
            }
            "zidz" | "xidz" | "safediv" => {
                self.arity(call, 2, 3)?;
                let (a, b) = (self.argument(call, 0)?, self.argument(call, 1)?);
                let instead = self.argument_or(call, 2, 0.0)?;
                let size = self.graph.unary(Unary::Abs, b);
                // Vensim takes a divisor below 1e-6 for zero; Stella's SAFEDIV only zero itself.
                let limit = self.graph.number(if call.name == "safediv" { 0.0 } else { 1e-6 });
                let op = if call.name == "safediv" { Binary::LessEqual } else { Binary::Less };
                let tiny = self.graph.binary(op, size, limit);
                let ratio = self.graph.quotient(a, b);
                self.graph.select(tiny, instead, ratio)
            }
            "if_then_else" => {
                self.arity(call, 3, 3)?;
                let (c, a, b) = (self.argument(call, 0)?, self.argument(call, 1)?, self.argument(call, 2)?);
                self.graph.select(c, a, b)
            }
            "game" => {
                self.arity(call, 1, 1)?;
                self.argument(call, 0)?
            }
            "with_lookup" => {
                self.arity(call, 2, 2)?;
                self.read(call, 1, 0, Reading::Linear)?
            }
            "lookup" | "lookup_extrapolate" | "lookup_forward" | "lookup_backward" | "table_xtr" => {
                self.arity(call, 2, 2)?;
                let reading = match call.name {
                    "lookup" => Reading::Linear,
                    "lookup_forward" => Reading::Forward,
                    "lookup_backward" => Reading::Backward,
                    _ => Reading::Extrapolate,
                };
                self.read(call, 0, 1, reading)?
            }
            "lookup_invert" | "lookupinv" => self.over_points(call, Function::LookupInvert, 1)?,
            "lookup_slope" => self.over_points(call, Function::LookupSlope, 2)?,
            "lookup_area" => self.over_points(call, Function::LookupArea, 2)?,
            "gamma_ln" | "gammaln" => self.pure(call, Function::GammaLn, 1, 1)?,
            "factorial" => self.pure(call, Function::Factorial, 1, 1)?,
            "combinations" => self.pure(call, Function::Combinations, 2, 2)?,
            "permutations" => self.pure(call, Function::Permutations, 2, 2)?,
            "normalcdf" => self.pure(call, Function::NormalCdf, 1, 4)?,
            "invnorm" => self.pure(call, Function::InverseNormal, 1, 3)?,
            "fv" => self.pure(call, Function::FutureValue, 4, 4)?,
            "pv" => self.pure(call, Function::PresentValue, 4, 4)?,
            "pmt" => self.pure(call, Function::Payment, 4, 4)?,
            "init" | "initial" => {
                self.arity(call, 1, 1)?;
                self.start_of(call, 0)?
            }
            "active_initial" => {
                self.arity(call, 2, 2)?;
                match call.env.mode {
                    Mode::Current => self.argument(call, 0)?,
                    Mode::Initial => self.argument(call, 1)?,
                }
            }
            "elmcount" | "size" if n == 1 => return self.count_of(call).map(Some),
            _ => return Ok(None),
        }))
    }

    /// A function of its arguments alone.
    fn pure(&mut self, call: &Call<'m, '_>, function: Function, least: usize, most: usize) -> Result<Id, CompileError> {
        self.arity(call, least, most)?;
        let arguments = (0..call.arguments.len()).map(|k| self.argument(call, k)).collect::<Result<_, _>>()?;
        Ok(self.graph.call(function, arguments))
    }

    /// A function of a lookup's points and of the `numbers` arguments after it.
    fn over_points(&mut self, call: &Call<'m, '_>, function: Function, numbers: usize) -> Result<Id, CompileError> {
        self.arity(call, numbers + 1, numbers + 1)?;
        let (table, _) = self.table_argument(call, 0)?;
        let mut arguments = (1..=numbers).map(|k| self.argument(call, k)).collect::<Result<Vec<_>, _>>()?;
        arguments.extend(self.points_of(table));
        Ok(self.graph.call(function, arguments))
    }

    /// The points of a table, for something that a run cannot change.
    pub(crate) fn whole(&mut self, table: u32) -> &Points {
        self.whole.insert(table);
        &self.tables[table as usize]
    }

    /// The points of a table as `x, y` pairs of numbers.
    pub(crate) fn points_of(&mut self, table: u32) -> Vec<Id> {
        let points = self.whole(table).clone();
        points.x.iter().zip(&points.y).flat_map(|(x, y)| [self.graph.number(*x), self.graph.number(*y)]).collect()
    }

    /// ELMCOUNT of a dimension, SIZE of an array.
    fn count_of(&mut self, call: &Call<'m, '_>) -> Result<Id, CompileError> {
        let (expr, env) = self.unbind(call.at(0), call.env);
        let ExprKind::Reference { name, .. } = &expr.kind else {
            return Err(self.fault(&env, expr.span, "a dimension or an array is expected here"));
        };
        let key = canonical(name);
        if let Some(&axis) = self.axis_of.get(&key) {
            let count = self.axes[axis].elements.len();
            return Ok(self.graph.number(count as f64));
        }
        if let Some(index) = self.find(&key, env.scope) {
            let elements = self.elements_of(expr, &env)?.len();
            let _ = index;
            return Ok(self.graph.number(elements as f64));
        }
        Err(self.unknown(name, expr.span, &env))
    }
}
