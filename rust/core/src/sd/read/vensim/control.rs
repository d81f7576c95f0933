//! Time and settings: the four control variables, the integration method, the units with other spellings.

use crate::sd::expr::{BinaryOp, Expr, ExprKind, UnaryOp};
use crate::sd::model::{Method, Model, TimeSpec, UnitDefinition, canonical};

/// How deep constants may hang on constants.
const DEEPEST: usize = 64;

/// The value of a constant expression: numbers, constants of the model, arithmetic.
fn value(model: &Model, expr: &Expr, depth: usize) -> Option<f64> {
    if depth > DEEPEST {
        return None;
    }
    let of = |expr: &Expr| value(model, expr, depth + 1);
    match &expr.kind {
        ExprKind::Number(number) => Some(*number),
        ExprKind::Unary(UnaryOp::Minus, operand) => of(operand).map(|number| -number),
        ExprKind::Unary(UnaryOp::Plus, operand) => of(operand),
        ExprKind::Binary(operator, left, right) => {
            let (left, right) = (of(left)?, of(right)?);
            match operator {
                BinaryOp::Add => Some(left + right),
                BinaryOp::Subtract => Some(left - right),
                BinaryOp::Multiply => Some(left * right),
                BinaryOp::Divide => Some(left / right),
                BinaryOp::Power => Some(left.powf(right)),
                _ => None,
            }
        }
        ExprKind::Reference { name, subscripts } if subscripts.is_empty() => {
            let variable = model.variable(name)?;
            match variable.equations.as_slice() {
                [only] if only.subscripts.is_empty() && only.table.is_none() => of(only.expr.as_ref()?),
                _ => None,
            }
        }
        ExprKind::Call { function, arguments, .. } => {
            let values: Vec<f64> = arguments.iter().map(of).collect::<Option<_>>()?;
            match (canonical(function).as_str(), values.as_slice()) {
                ("max", [a, b]) => Some(a.max(*b)),
                ("min", [a, b]) => Some(a.min(*b)),
                ("integer", [a]) => Some(a.trunc()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The value of a control variable: `None` when there is none, NaN when it is no constant.
fn control(model: &Model, name: &str) -> Option<f64> {
    let variable = model.variable(name)?;
    let expr = variable.equations.first()?.expr.as_ref()?;
    Some(value(model, expr, 0).unwrap_or(f64::NAN))
}

/// The time of a model from its control variables. What changes during a run is NaN.
pub(super) fn time(model: &Model, settings: &str) -> TimeSpec {
    let defaults = TimeSpec::default();
    let unit = ["TIME STEP", "FINAL TIME", "INITIAL TIME"]
        .iter()
        .filter_map(|name| model.variable(name))
        .map(|variable| variable.unit.clone())
        .find(|unit| !unit.is_empty())
        .unwrap_or_default();
    let dt = control(model, "TIME STEP").unwrap_or(defaults.dt);
    let save = control(model, "SAVEPER").filter(|step| *step != dt);
    TimeSpec {
        initial_time: control(model, "INITIAL TIME").unwrap_or(0.0),
        final_time: control(model, "FINAL TIME").unwrap_or(100.0),
        dt,
        save_step: save,
        method: method(settings),
        unit,
    }
}

/// Line `15:` of the settings; its fourth number is the method.
fn method(settings: &str) -> Method {
    let code = settings
        .lines()
        .find_map(|line| line.trim().strip_prefix("15:"))
        .and_then(|rest| rest.split(',').nth(3))
        .and_then(|code| code.trim().parse::<u32>().ok());
    match code {
        Some(1 | 5) => Method::Rk4,
        Some(3 | 4) => Method::Rk2,
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
