//! The right side of an equation: what kind of variable it makes.

use crate::sd::dialect::Dialect;
use crate::sd::expr::parser::{parse_framed, parse_literal};
use crate::sd::expr::{Expr, ExprKind, Span, SyntaxError};
use crate::sd::model::{Table, canonical};

/// What a right side makes of its variable.
#[derive(Clone, Debug, PartialEq)]
pub enum Role {
    /// `INTEG(rate, initial)`: a stock with this net flow.
    Stock(Expr),
    /// A constant.
    Parameter,
    /// A graphical function read from a file.
    Lookup,
    /// A series read from a file.
    Data,
    /// Anything else.
    Auxiliary,
}

/// A right side, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// What it makes of the variable.
    pub role: Role,
    /// The expression: of a stock the initial value, of `WITH LOOKUP` the argument, of `ACTIVE INITIAL` the active part.
    pub expr: Expr,
    /// The initial part of `ACTIVE INITIAL`.
    pub initial: Option<Expr>,
    /// The table of `WITH LOOKUP`.
    pub table: Option<Table>,
}

/// Whether an expression is a constant that a run may change.
pub fn is_constant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(_) => true,
        ExprKind::Call { function, .. } => {
            matches!(canonical(function).as_str(), "get_xls_constants" | "get_direct_constants")
        }
        _ => expr.number().is_some(),
    }
}

/// Reads a right side. Vensim writes stocks, initial values and lookups as functions; in XMILE they stand elsewhere.
///
/// # Errors
/// [`SyntaxError`] with a span in `text`.
pub fn read(text: &str, dialect: Dialect) -> Result<Side, SyntaxError> {
    if dialect == Dialect::Vensim
        && let Some(rows) = parse_literal(text)
    {
        let expr = Expr { span: Span { start: 0, end: text.len() as u32 }, kind: ExprKind::Literal(rows) };
        return Ok(Side { role: Role::Parameter, expr, initial: None, table: None });
    }
    let (expr, frame) = parse_framed(text, dialect)?;
    if dialect == Dialect::Xmile {
        let role = if is_constant(&expr) { Role::Parameter } else { Role::Auxiliary };
        return Ok(Side { role, expr, initial: None, table: None });
    }
    let Expr { span, kind: ExprKind::Call { function, subscripts, mut arguments } } = expr else {
        let role = if is_constant(&expr) { Role::Parameter } else { Role::Auxiliary };
        return Ok(Side { role, expr, initial: None, table: None });
    };
    let count = arguments.len();
    let wrong = |expected: &str| SyntaxError::Unexpected {
        found: format!("{count} argument{} of {function}", if count == 1 { "" } else { "s" }),
        expected: expected.to_owned(),
        span,
    };
    let pair = |arguments: &mut Vec<Expr>| match (arguments.pop(), arguments.pop(), arguments.pop()) {
        (Some(second), Some(first), None) => Some((first, second)),
        _ => None,
    };
    let name = canonical(&function);
    match name.as_str() {
        "integ" => {
            let (rate, expr) = pair(&mut arguments).ok_or_else(|| wrong("two: the net flow and the initial value"))?;
            Ok(Side { role: Role::Stock(rate), expr, initial: None, table: None })
        }
        "active_initial" => {
            let (expr, initial) =
                pair(&mut arguments).ok_or_else(|| wrong("two: the active equation and the initial value"))?;
            Ok(Side { role: Role::Auxiliary, expr, initial: Some(initial), table: None })
        }
        "with_lookup" => {
            let (expr, points) = pair(&mut arguments).ok_or_else(|| wrong("two: the argument and the points"))?;
            let ExprKind::Table(points) = points.kind else {
                return Err(SyntaxError::Unexpected {
                    found: "something else".to_owned(),
                    expected: "points such as ([(0,0)-(10,10)],(0,1),(10,2))".to_owned(),
                    span: points.span,
                });
            };
            let (x, y) = points.into_iter().unzip();
            let table = Table { x, y, frame, ..Table::default() };
            Ok(Side { role: Role::Auxiliary, expr, initial: None, table: Some(table) })
        }
        _ => {
            let role = match name.as_str() {
                "get_xls_lookups" | "get_direct_lookups" => Role::Lookup,
                "get_xls_data" | "get_direct_data" => Role::Data,
                "get_xls_constants" | "get_direct_constants" => Role::Parameter,
                _ => Role::Auxiliary,
            };
            let expr = Expr { span, kind: ExprKind::Call { function, subscripts, arguments } };
            Ok(Side { role, expr, initial: None, table: None })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Dialect, Role, read};

    #[test]
    fn vensim_functions_become_roles() {
        let side = read("INTEG ( births - deaths , 100 )", Dialect::Vensim).unwrap();
        assert!(matches!(side.role, Role::Stock(_)));
        assert_eq!(side.expr.number(), Some(100.0));
        let side = read("WITH LOOKUP (Time, ([(0,0)-(10,2)],(0,1),(10,2)))", Dialect::Vensim).unwrap();
        assert_eq!(side.table.unwrap().frame, Some([0.0, 0.0, 10.0, 2.0]));
        let side = read("ACTIVE INITIAL(a, 3)", Dialect::Vensim).unwrap();
        assert_eq!(side.initial.unwrap().number(), Some(3.0));
        assert_eq!(read("1,2;3,4;", Dialect::Vensim).unwrap().role, Role::Parameter);
        assert_eq!(read("-3.5", Dialect::Xmile).unwrap().role, Role::Parameter);
        assert!(read("INTEG(1)", Dialect::Vensim).is_err());
    }
}
