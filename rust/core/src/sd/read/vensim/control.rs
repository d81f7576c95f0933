//! Time and settings: the four control variables, the integration method, the units with other spellings.

use crate::sd::expr::{BinaryOp, Expr, ExprKind, UnaryOp};
use crate::sd::model::{Kind, Method, Model, TimeSpec, UnitDefinition, canonical};

/// How deep constants may hang on constants.
const DEEPEST: usize = 64;

/// How many parts of equations a control variable may take: constants that hang on constants twice each, and those again,
/// would never end.
const PARTS: u32 = 10_000;

/// Reads control variables before there is a program: numbers, constants of the model, arithmetic, conditions.
struct Reading<'m> {
    model: &'m Model,
    /// The time of the start; with it time and stocks have values too.
    start: Option<f64>,
    parts: u32,
}

impl Reading<'_> {
    fn value(&mut self, expr: &Expr, depth: usize) -> Option<f64> {
        self.parts = self.parts.checked_sub(1)?;
        if depth > DEEPEST {
            return None;
        }
        match &expr.kind {
            ExprKind::Number(number) => Some(*number),
            ExprKind::Unary(operator, operand) => {
                let number = self.value(operand, depth + 1)?;
                Some(match operator {
                    UnaryOp::Minus => -number,
                    UnaryOp::Plus => number,
                    UnaryOp::Not => f64::from(number == 0.0),
                })
            }
            ExprKind::Binary(operator, left, right) => {
                let (left, right) = (self.value(left, depth + 1)?, self.value(right, depth + 1)?);
                let truth = f64::from;
                Some(match operator {
                    BinaryOp::Add => left + right,
                    BinaryOp::Subtract => left - right,
                    BinaryOp::Multiply => left * right,
                    BinaryOp::Divide => left / right,
                    BinaryOp::Power => left.powf(right),
                    BinaryOp::Equal => truth(left == right),
                    BinaryOp::NotEqual => truth(left != right),
                    BinaryOp::Less => truth(left < right),
                    BinaryOp::LessEqual => truth(left <= right),
                    BinaryOp::Greater => truth(left > right),
                    BinaryOp::GreaterEqual => truth(left >= right),
                    BinaryOp::And => truth(left != 0.0 && right != 0.0),
                    BinaryOp::Or => truth(left != 0.0 || right != 0.0),
                    BinaryOp::Modulo => return None,
                })
            }
            ExprKind::Reference { name, subscripts } if subscripts.is_empty() => {
                let Some(variable) = self.model.variable(name) else {
                    return self.start.filter(|_| canonical(name) == "time");
                };
                if matches!(variable.kind, Kind::Stock { .. }) && self.start.is_none() {
                    return None;
                }
                match variable.equations.as_slice() {
                    [only] if only.subscripts.is_empty() && only.table.is_none() => {
                        self.value(only.initial.as_ref().or(only.expr.as_ref())?, depth + 1)
                    }
                    _ => None,
                }
            }
            ExprKind::If(condition, then, otherwise) => self.branch([condition, then, otherwise], depth),
            ExprKind::Call { function, arguments, .. } => {
                let name = canonical(function);
                if let ("if_then_else", [condition, then, otherwise]) = (name.as_str(), arguments.as_slice()) {
                    return self.branch([condition, then, otherwise], depth);
                }
                let values: Vec<f64> =
                    arguments.iter().map(|argument| self.value(argument, depth + 1)).collect::<Option<_>>()?;
                match (name.as_str(), values.as_slice()) {
                    ("max", [a, b]) => Some(a.max(*b)),
                    ("min", [a, b]) => Some(a.min(*b)),
                    ("integer", [a]) => Some(a.trunc()),
                    ("abs", [a]) => Some(a.abs()),
                    ("sqrt", [a]) => Some(a.sqrt()),
                    ("exp", [a]) => Some(a.exp()),
                    ("ln", [a]) => Some(a.ln()),
                    ("modulo", [a, b]) => Some(a % b),
                    ("power", [a, b]) => Some(a.powf(*b)),
                    ("zidz", [a, b]) => Some(if b.abs() < 1e-6 { 0.0 } else { a / b }),
                    ("xidz", [a, b, x]) => Some(if b.abs() < 1e-6 { *x } else { a / b }),
                    ("initial" | "game", [a]) => Some(*a),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn branch(&mut self, parts: [&Expr; 3], depth: usize) -> Option<f64> {
        let [condition, then, otherwise] = parts;
        // Both branches must be known: a constant does not hang on what is not one.
        let (condition, then, otherwise) =
            (self.value(condition, depth + 1)?, self.value(then, depth + 1)?, self.value(otherwise, depth + 1)?);
        Some(if condition == 0.0 { otherwise } else { then })
    }
}

/// The value of a control variable: `None` when there is none, NaN when it is no constant (with `start`: and is not known then).
fn control(model: &Model, name: &str, start: Option<f64>) -> Option<f64> {
    let variable = model.variable(name)?;
    let expr = variable.equations.first()?.expr.as_ref()?;
    Some(Reading { model, start, parts: PARTS }.value(expr, 0).unwrap_or(f64::NAN))
}

/// The time of a model from its control variables, and whether its end moves during the run. What else changes is NaN.
pub(super) fn time(model: &Model, settings: &str) -> (TimeSpec, bool) {
    let defaults = TimeSpec::default();
    let unit = ["TIME STEP", "FINAL TIME", "INITIAL TIME"]
        .iter()
        .filter_map(|name| model.variable(name))
        .map(|variable| variable.unit.clone())
        .find(|unit| !unit.is_empty())
        .unwrap_or_default();
    let dt = control(model, "TIME STEP", None).unwrap_or(defaults.dt);
    let save = control(model, "SAVEPER", None).filter(|step| *step != dt);
    let initial_time = control(model, "INITIAL TIME", None).unwrap_or(0.0);
    let mut final_time = control(model, "FINAL TIME", None).unwrap_or(100.0);
    let mut moving = false;
    if final_time.is_nan() && initial_time.is_finite() {
        final_time = control(model, "FINAL TIME", Some(initial_time)).unwrap_or(f64::NAN);
        moving = final_time.is_finite();
    }
    (TimeSpec { initial_time, final_time, dt, save_step: save, method: method(settings), unit }, moving)
}

/// Lines `37:` to `39:` of the settings: year, month and day of time zero.
pub(super) fn date(settings: &str) -> Option<(i32, u32, u32)> {
    let number =
        |mark: &str| settings.lines().find_map(|line| line.trim().strip_prefix(mark))?.trim().parse::<i32>().ok();
    let (year, month, day) = (number("37:")?, number("38:")?, number("39:")?);
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some((year, month as u32, day as u32))
}

/// Line `15:` of the settings; its fourth number is the method.
fn method(settings: &str) -> Method {
    let code = settings
        .lines()
        .find_map(|line| line.trim().strip_prefix("15:"))
        .and_then(|rest| rest.split(',').nth(3))
        .unwrap_or_default();
    method_of(code)
}

/// The method behind its number in the settings.
pub(crate) fn method_of(code: &str) -> Method {
    match code.trim() {
        "1" | "5" => Method::Rk4,
        "3" | "4" => Method::Rk2,
        _ => Method::Euler,
    }
}

/// Lines `22:` of the settings.
pub(super) fn units(settings: &str) -> Vec<UnitDefinition> {
    let mut out = Vec::new();
    for line in settings.lines() {
        let Some(list) = line.trim().strip_prefix("22:") else { continue };
        let mut names = list.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        if let Some(name) = names.next() {
            out.push(UnitDefinition { name, equation: String::new(), aliases: names.collect() });
        }
    }
    out
}
