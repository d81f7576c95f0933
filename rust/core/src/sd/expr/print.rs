//! A tree back to text, with as few brackets as the precedence allows.

use super::lexer::{in_name, starts_name};
use super::tree::{BinaryOp, Expr, ExprKind, Subscript, UnaryOp};
use crate::sd::dialect::Dialect;

/// The text of an expression in a dialect. `parse(print(tree))` is the same tree but for spans.
pub fn print(expr: &Expr, dialect: Dialect) -> String {
    let mut out = String::new();
    Printer { out: &mut out, dialect }.expr(expr, 0);
    out
}

/// A name as the dialect writes it in an equation: bare where that is possible, in quotes otherwise.
pub fn print_name(name: &str, dialect: Dialect) -> String {
    let words =
        || name.split(|character: char| character.is_whitespace() || character == '_').filter(|word| !word.is_empty());
    let bare = name.chars().next().is_some_and(starts_name)
        && name.chars().all(|character| character == ' ' || (in_name(character, dialect)))
        && !name.ends_with(' ')
        && !name.contains("  ")
        && (dialect == Dialect::Xmile || !name.contains(['.', '\u{a0}']))
        && (dialect == Dialect::Vensim
            || !words().any(|word| {
                ["and", "or", "not", "mod", "if", "then", "else"]
                    .iter()
                    .any(|reserved| reserved.eq_ignore_ascii_case(word))
            }));
    if bare && dialect == Dialect::Xmile {
        return name.replace(' ', "_");
    }
    if bare { name.to_owned() } else { format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")) }
}

/// The shortest text that reads back as the same number.
pub fn print_number(value: f64) -> String {
    if value == 0.0 {
        return if value.is_sign_negative() { "-0".to_owned() } else { "0".to_owned() };
    }
    let size = value.abs();
    if (1e-5..1e15).contains(&size) { format!("{value}") } else { format!("{value:e}") }
}

struct Printer<'a> {
    out: &'a mut String,
    dialect: Dialect,
}

/// How tightly an operator binds.
fn strength(operator: BinaryOp) -> u8 {
    match operator {
        BinaryOp::Or => 1,
        BinaryOp::And => 2,
        BinaryOp::Equal | BinaryOp::NotEqual => 4,
        BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual => 5,
        BinaryOp::Add | BinaryOp::Subtract => 6,
        BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo => 7,
        BinaryOp::Power => 9,
    }
}

fn symbol(operator: BinaryOp, dialect: Dialect) -> &'static str {
    match (operator, dialect) {
        (BinaryOp::Or, Dialect::Xmile) => " OR ",
        (BinaryOp::Or, Dialect::Vensim) => " :OR: ",
        (BinaryOp::And, Dialect::Xmile) => " AND ",
        (BinaryOp::And, Dialect::Vensim) => " :AND: ",
        (BinaryOp::Equal, _) => " = ",
        (BinaryOp::NotEqual, _) => " <> ",
        (BinaryOp::Less, _) => " < ",
        (BinaryOp::LessEqual, _) => " <= ",
        (BinaryOp::Greater, _) => " > ",
        (BinaryOp::GreaterEqual, _) => " >= ",
        (BinaryOp::Add, _) => " + ",
        (BinaryOp::Subtract, _) => " - ",
        (BinaryOp::Multiply, _) => " * ",
        (BinaryOp::Divide, _) => " / ",
        (BinaryOp::Modulo, _) => " MOD ",
        (BinaryOp::Power, _) => " ^ ",
    }
}

/// The strength of a sign; `:NOT:` of Vensim is looser than comparisons.
const SIGN: u8 = 8;
const VENSIM_NOT: u8 = 3;

impl Printer<'_> {
    fn list(&mut self, items: &[Expr]) {
        for (index, item) in items.iter().enumerate() {
            if let ExprKind::Call { function, arguments, .. } = &item.kind
                && function == ":"
            {
                self.out.push_str(" : ");
                self.list(arguments);
                continue;
            }
            if index > 0 {
                self.out.push_str(", ");
            }
            // An argument left out.
            if item.kind == ExprKind::Missing && item.span.start == item.span.end && items.len() > 1 {
                continue;
            }
            self.expr(item, 0);
        }
    }

    fn name(&mut self, name: &str) {
        self.out.push_str(&print_name(name, self.dialect));
    }

    fn subscripts(&mut self, subscripts: &[Subscript]) {
        if subscripts.is_empty() {
            return;
        }
        self.out.push('[');
        for (index, subscript) in subscripts.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            match subscript {
                Subscript::Name(name) if name.starts_with('@') || name.starts_with(|c: char| c.is_ascii_digit()) => {
                    if name.chars().all(|c| c.is_ascii_digit() || c == '@') {
                        self.out.push_str(name);
                    } else {
                        self.name(name);
                    }
                }
                Subscript::Name(name) => self.name(name),
                Subscript::Reduce(None) => self.out.push('*'),
                Subscript::Reduce(Some(name)) => {
                    self.name(name);
                    self.out.push('!');
                }
                Subscript::Index(expr) => {
                    // A lone name or number would read as an element.
                    let lone = matches!(&expr.kind, ExprKind::Reference { .. } | ExprKind::Number(_));
                    self.expr(expr, if lone { u8::MAX } else { 0 });
                }
            }
        }
        self.out.push(']');
    }

    /// Prints `expr` in a place that binds with `around`: looser things get brackets.
    fn expr(&mut self, expr: &Expr, around: u8) {
        let own = match &expr.kind {
            ExprKind::Binary(operator, ..) => strength(*operator),
            ExprKind::Unary(UnaryOp::Not, _) if self.dialect == Dialect::Vensim => VENSIM_NOT,
            ExprKind::Unary(..) => SIGN,
            ExprKind::Number(value) if value.is_sign_negative() => SIGN,
            ExprKind::If(..) if self.dialect == Dialect::Xmile => 0,
            // `a // b` and `a'` are written as calls.
            _ => 10,
        };
        let bracket = own < around || (around == u8::MAX);
        if bracket {
            self.out.push('(');
        }
        match &expr.kind {
            ExprKind::Number(value) => self.out.push_str(&print_number(*value)),
            ExprKind::Missing => self.out.push_str(":NA:"),
            ExprKind::Text(text) => {
                self.out.push('\'');
                self.out.push_str(&text.replace('\\', "\\\\").replace('\'', "\\'"));
                self.out.push('\'');
            }
            ExprKind::Reference { name, subscripts } => {
                self.name(name);
                self.subscripts(subscripts);
            }
            ExprKind::Unary(operator, operand) => {
                let text = match operator {
                    UnaryOp::Minus => "-",
                    UnaryOp::Plus => "+",
                    UnaryOp::Not if self.dialect == Dialect::Vensim => ":NOT: ",
                    UnaryOp::Not => "NOT ",
                };
                self.out.push_str(text);
                self.expr(operand, own);
            }
            ExprKind::Binary(BinaryOp::Modulo, left, right) if self.dialect == Dialect::Vensim => {
                self.out.push_str("MODULO(");
                self.expr(left, 0);
                self.out.push_str(", ");
                self.expr(right, 0);
                self.out.push(')');
            }
            ExprKind::Binary(operator, left, right) => {
                // `^` associates to the right and takes a sign on its right side; the others to the left.
                let (before, after) = if *operator == BinaryOp::Power { (own + 1, SIGN) } else { (own, own + 1) };
                self.expr(left, before);
                self.out.push_str(symbol(*operator, self.dialect));
                self.expr(right, after);
            }
            ExprKind::If(condition, yes, no) => {
                let words = match self.dialect {
                    Dialect::Xmile => ["IF ", " THEN ", " ELSE ", ""],
                    Dialect::Vensim => ["IF THEN ELSE(", ", ", ", ", ")"],
                };
                for (word, part) in words.iter().zip([Some(condition), Some(yes), Some(no), None]) {
                    self.out.push_str(word);
                    if let Some(part) = part {
                        self.expr(part, 0);
                    }
                }
            }
            ExprKind::Call { function, subscripts, arguments } => {
                self.name(function);
                self.subscripts(subscripts);
                self.out.push('(');
                self.list(arguments);
                self.out.push(')');
            }
            ExprKind::Table(points) => {
                self.out.push('(');
                for (index, (x, y)) in points.iter().enumerate() {
                    if index > 0 {
                        self.out.push(',');
                    }
                    self.out.extend(["(", &print_number(*x), ",", &print_number(*y), ")"]);
                }
                self.out.push(')');
            }
            ExprKind::Literal(rows) => {
                for row in rows {
                    let cells: Vec<String> = row.iter().map(|value| print_number(*value)).collect();
                    self.out.push_str(&cells.join(","));
                    if rows.len() > 1 {
                        self.out.push(';');
                    }
                }
            }
        }
        if bracket {
            self.out.push(')');
        }
    }
}
