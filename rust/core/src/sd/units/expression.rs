//! Units of expressions.

use super::algebra::{Ratio, Unit};
use super::check::{Dim, Walk};
use super::rules::{find, pattern};
use crate::sd::check::Severity;
use crate::sd::expr::{BinaryOp, Expr, ExprKind, Span, Subscript, UnaryOp};
use crate::sd::model::canonical;

impl Walk<'_> {
    /// Things that are added, compared or chosen between: their common unit.
    fn join(&mut self, parts: &[(&Dim, Span)], what: &str) -> Dim {
        let mut common: Option<(Unit, bool)> = None;
        for (dim, span) in parts.iter().filter(|(dim, _)| dim.literal.is_none()) {
            match &common {
                None => common = Some((dim.unit.clone(), dim.unit.is_known())),
                Some((unit, known)) => {
                    let (unit, known) = (unit.clone(), *known);
                    if !self.agree(&unit, &dim.unit) {
                        let (left, right) = (self.show(&unit), self.show(&dim.unit));
                        self.report(
                            Severity::Warning,
                            "units",
                            *span,
                            format!("{what} of {left} and {right}: they must be the same"),
                        );
                        return Dim::of(self.hole());
                    }
                    if !known && dim.unit.is_known() {
                        common = Some((dim.unit.clone(), true));
                    }
                }
            }
        }
        let Some((unit, known)) = common else { return Dim::number(f64::NAN) };
        // `TIME > 5` needs no parameter.
        if known && !unit.is_one() && unit != self.time {
            for (dim, span) in parts {
                if let Some(value) = dim.literal
                    && value != 0.0
                    && value.is_finite()
                {
                    let shown = self.show(&unit);
                    let message = format!(
                        "{what} of {shown} and the bare number {value}, which has no unit: make it a parameter in {shown}"
                    );
                    self.report(Severity::Note, "units-number", *span, message);
                }
            }
        }
        Dim::of(unit)
    }

    fn subscripts(&mut self, subscripts: &[Subscript]) {
        for subscript in subscripts {
            if let Subscript::Index(expr) = subscript {
                self.expr(expr);
            }
        }
    }

    /// The unit of an expression; what is wrong inside is reported on the way.
    pub(super) fn expr(&mut self, expr: &Expr) -> Dim {
        match &expr.kind {
            ExprKind::Number(value) => Dim::number(*value),
            ExprKind::Missing | ExprKind::Text(_) | ExprKind::Table(_) | ExprKind::Literal(_) => Dim::number(f64::NAN),
            ExprKind::Reference { name, subscripts } => {
                self.subscripts(subscripts);
                self.reference(name)
            }
            ExprKind::Unary(operator, inner) => {
                let dim = self.expr(inner);
                match operator {
                    UnaryOp::Not => Dim::of(Unit::one()),
                    UnaryOp::Plus => dim,
                    UnaryOp::Minus => Dim { unit: dim.unit, literal: dim.literal.map(|value| -value) },
                }
            }
            ExprKind::Binary(operator, left, right) => self.binary(*operator, left, right),
            ExprKind::If(condition, yes, no) => {
                self.expr(condition);
                let (yes_dim, no_dim) = (self.expr(yes), self.expr(no));
                self.join(&[(&yes_dim, yes.span), (&no_dim, no.span)], "a choice")
            }
            ExprKind::Call { function, subscripts, arguments } => {
                self.subscripts(subscripts);
                self.call(function, arguments, expr.span)
            }
        }
    }

    fn reference(&mut self, name: &str) -> Dim {
        let key = canonical(name);
        if let Some(unit) = self.local.get(&key).or_else(|| self.units.get(&key)) {
            return Dim::of(unit.clone());
        }
        if self.elements.contains(&key) {
            return Dim::of(Unit::one());
        }
        let time = key.trim_end_matches('$');
        match find(time, self.model.dialect).filter(|rule| rule.arguments.is_empty()) {
            Some(rule) if rule.result == "t" => Dim::of(self.time.clone()),
            Some(_) => Dim::number(f64::NAN),
            None => Dim::of(self.hole()),
        }
    }

    fn binary(&mut self, operator: BinaryOp, left: &Expr, right: &Expr) -> Dim {
        let (a, b) = (self.expr(left), self.expr(right));
        // Numbers among themselves are a number.
        let literal = (a.literal.is_some() && b.literal.is_some()).then_some(f64::NAN);
        let parts = [(&a, left.span), (&b, right.span)];
        match operator {
            BinaryOp::Multiply => Dim { unit: a.unit.times(&b.unit), literal },
            BinaryOp::Divide => Dim { unit: a.unit.over(&b.unit), literal },
            BinaryOp::Add => self.join(&parts, "a sum"),
            BinaryOp::Subtract => self.join(&parts, "a difference"),
            BinaryOp::Modulo => self.join(&parts, "a remainder"),
            BinaryOp::Power => self.power(&a, &b, left.span, right.span),
            BinaryOp::And | BinaryOp::Or => Dim::of(Unit::one()),
            BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Less
            | BinaryOp::LessEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterEqual => {
                self.join(&parts, "a comparison");
                Dim::of(Unit::one())
            }
        }
    }

    fn power(&mut self, base: &Dim, exponent: &Dim, base_span: Span, exponent_span: Span) -> Dim {
        if exponent.literal.is_none() {
            self.dimensionless(exponent, exponent_span, "an exponent");
        }
        if base.literal.is_some() {
            return if exponent.literal.is_some() { Dim::number(f64::NAN) } else { Dim::of(Unit::one()) };
        }
        if base.unit.is_one() {
            return Dim::of(Unit::one());
        }
        if let Some(value) = exponent.literal {
            match Ratio::from_number(value) {
                Some(ratio) => Dim::of(base.unit.power(ratio)),
                None => Dim::of(self.hole()),
            }
        } else {
            self.dimensionless(base, base_span, "the base of a power whose exponent varies");
            Dim::of(if base.unit.is_known() { Unit::one() } else { self.hole() })
        }
    }

    fn dimensionless(&mut self, dim: &Dim, span: Span, what: &str) {
        if dim.literal.is_none() && !self.agree(&Unit::one(), &dim.unit) {
            let unit = self.show(&dim.unit);
            self.report(Severity::Warning, "units", span, format!("{what} must be dimensionless and is in {unit}"));
        }
    }

    fn call(&mut self, function: &str, arguments: &[Expr], span: Span) -> Dim {
        let key = canonical(function);
        if self.lookups.contains(&key) {
            for argument in arguments {
                let dim = self.expr(argument);
                self.looked_up(&dim, function, argument);
            }
            return Dim::of(self.variable_unit(&key));
        }
        match (key.as_str(), arguments) {
            ("sqrt", [inner]) => {
                let dim = self.expr(inner);
                let half = Ratio::from_number(0.5).unwrap_or(Ratio::ONE);
                return Dim { unit: dim.unit.power(half), literal: dim.literal.map(|_| f64::NAN) };
            }
            ("power", [base, exponent]) => {
                let (a, b) = (self.expr(base), self.expr(exponent));
                return self.power(&a, &b, base.span, exponent.span);
            }
            ("with_lookup", [at, ..]) => {
                let dim = self.expr(at);
                let name = self.place.variable.clone();
                self.looked_up(&dim, &name, at);
                return Dim::number(f64::NAN);
            }
            (
                "lookup" | "lookup_forward" | "lookup_backward" | "lookup_extrapolate" | "lookup_mean",
                [table, at, ..],
            ) => {
                let out = self.expr(table);
                let dim = self.expr(at);
                let name =
                    if let ExprKind::Reference { name, .. } = &table.kind { name.clone() } else { String::new() };
                self.looked_up(&dim, &name, at);
                return Dim::of(out.unit);
            }
            _ => {}
        }
        let dims: Vec<Dim> = arguments.iter().map(|argument| self.expr(argument)).collect();
        match find(&key, self.model.dialect) {
            Some(rule) if rule.result != "?" => {
                self.apply(function, rule.arguments, rule.result, &dims, arguments, span)
            }
            _ => Dim::of(self.hole()),
        }
    }

    /// A function's rule: `a` and `b` are found from the arguments, then every argument is compared with its pattern.
    fn apply(
        &mut self,
        function: &str,
        patterns: &str,
        result: &str,
        dims: &[Dim],
        arguments: &[Expr],
        span: Span,
    ) -> Dim {
        let mut words: Vec<&str> = patterns.split(' ').filter(|word| !word.is_empty()).collect();
        let repeats = words.last() == Some(&"*");
        if repeats {
            words.pop();
            let last = words.last().copied().unwrap_or("_");
            words.resize(words.len().max(dims.len()), last);
        }
        let mut letters: [Option<Unit>; 2] = [None, None];
        let placed =
            || words.iter().zip(dims.iter().zip(arguments)).filter_map(|(word, pair)| Some((pattern(word)?, pair)));
        // First the letters: from what is known before what is a hole, and never from bare numbers.
        for known in [true, false] {
            for ([a, b, t], (dim, _)) in placed() {
                let index = usize::from(a == 0);
                let free = (a != 0) ^ (b != 0);
                if dim.literal.is_none() && free && letters[index].is_none() && dim.unit.is_known() == known {
                    let exponent = Ratio::new(i64::from(a + b), 1).and_then(Ratio::inverse).unwrap_or(Ratio::ONE);
                    let rest = dim.unit.over(&self.monomial([0, 0, t], &letters));
                    letters[index] = Some(rest.power(exponent));
                }
            }
        }
        let mut joined = true;
        for ([a, b, t], (dim, argument)) in placed() {
            let open = (a != 0 && letters[0].is_none()) || (b != 0 && letters[1].is_none());
            if open {
                continue;
            }
            let wanted = self.monomial([a, b, t], &letters);
            match dim.literal {
                None if !self.agree(&wanted, &dim.unit) => {
                    let (found, wanted) = (self.show(&dim.unit), self.show(&wanted));
                    let message = format!("an argument of {function} is in {found} and should be in {wanted}");
                    self.report(Severity::Warning, "units", argument.span, message);
                    joined = false;
                }
                Some(value)
                    if repeats && value != 0.0 && value.is_finite() && wanted.is_known() && !wanted.is_one() =>
                {
                    let wanted = self.show(&wanted);
                    let message = format!(
                        "{function} of something in {wanted} and the bare number {value}, which has no unit: make it a parameter in {wanted}"
                    );
                    self.report(Severity::Note, "units-number", argument.span, message);
                }
                _ => {}
            }
        }
        let Some([a, b, t]) = pattern(result) else { return Dim::of(self.hole()) };
        let _ = span;
        if !joined && (a != 0 || b != 0) {
            return Dim::of(self.hole());
        }
        if (a != 0 && letters[0].is_none()) || (b != 0 && letters[1].is_none()) {
            // Only bare numbers: STEP(10, 5) takes the unit that is wanted.
            return Dim::number(f64::NAN);
        }
        Dim::of(self.monomial([a, b, t], &letters))
    }

    fn monomial(&self, exponents: [i8; 3], letters: &[Option<Unit>; 2]) -> Unit {
        let one = Unit::one();
        let bases = [letters[0].as_ref().unwrap_or(&one), letters[1].as_ref().unwrap_or(&one), &self.time];
        bases.iter().zip(exponents).fold(Unit::one(), |unit, (base, exponent)| {
            unit.times_power(base, Ratio::new(i64::from(exponent), 1).unwrap_or(Ratio::ZERO))
        })
    }
}
