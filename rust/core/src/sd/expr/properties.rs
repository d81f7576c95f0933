//! Properties of lexer, parser and printer together.

use proptest::prelude::*;

use super::{BinaryOp, Expr, ExprKind, Span, Subscript, UnaryOp, parse, print};
use crate::sd::dialect::Dialect;

fn at_zero(kind: ExprKind) -> Expr {
    Expr { span: Span::default(), kind }
}

/// The same tree with all spans at zero.
pub(crate) fn bare(expr: &Expr) -> Expr {
    let boxed = |expr: &Expr| Box::new(bare(expr));
    let subscripts = |all: &[Subscript]| {
        all.iter()
            .map(|subscript| match subscript {
                Subscript::Index(expr) => Subscript::Index(bare(expr)),
                Subscript::Name(name) => Subscript::Name(name.replace('_', " ")),
                Subscript::Reduce(name) => Subscript::Reduce(name.as_ref().map(|name| name.replace('_', " "))),
            })
            .collect()
    };
    at_zero(match &expr.kind {
        ExprKind::Reference { name, subscripts: all } => {
            ExprKind::Reference { name: name.replace('_', " "), subscripts: subscripts(all) }
        }
        ExprKind::Unary(operator, operand) => ExprKind::Unary(*operator, boxed(operand)),
        ExprKind::Binary(operator, left, right) => ExprKind::Binary(*operator, boxed(left), boxed(right)),
        ExprKind::If(a, b, c) => ExprKind::If(boxed(a), boxed(b), boxed(c)),
        ExprKind::Call { function, subscripts: all, arguments } => ExprKind::Call {
            function: function.replace('_', " "),
            subscripts: subscripts(all),
            arguments: arguments.iter().map(bare).collect(),
        },
        other => other.clone(),
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,4}( [a-z0-9]{1,3}){0,2}",
        Just("Größe".to_owned()),
        Just("if the rate".to_owned()),
        Just("a+b (c)".to_owned()),
        Just("say \"hi\"".to_owned()),
        Just("2nd".to_owned()),
    ]
}

fn tree() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        prop_oneof![0.0..1e9f64, Just(0.0), Just(1e-9), Just(6.02e23)]
            .prop_map(|value| at_zero(ExprKind::Number(value))),
        name().prop_map(|name| at_zero(ExprKind::Reference { name, subscripts: Vec::new() })),
    ];
    leaf.prop_recursive(5, 60, 4, |inner| {
        let unary = prop_oneof![Just(UnaryOp::Minus), Just(UnaryOp::Plus), Just(UnaryOp::Not)];
        let binary = prop::sample::select(vec![
            BinaryOp::Add,
            BinaryOp::Subtract,
            BinaryOp::Multiply,
            BinaryOp::Divide,
            BinaryOp::Power,
            BinaryOp::Equal,
            BinaryOp::NotEqual,
            BinaryOp::Less,
            BinaryOp::LessEqual,
            BinaryOp::Greater,
            BinaryOp::GreaterEqual,
            BinaryOp::And,
            BinaryOp::Or,
        ]);
        let subscript = prop_oneof![
            name().prop_map(Subscript::Name),
            Just(Subscript::Reduce(None)),
            name().prop_map(|name| Subscript::Reduce(Some(name))),
            inner.clone().prop_map(Subscript::Index),
        ];
        prop_oneof![
            (unary, inner.clone()).prop_map(|(op, a)| at_zero(ExprKind::Unary(op, Box::new(a)))),
            (binary, inner.clone(), inner.clone()).prop_map(|(op, a, b)| at_zero(ExprKind::Binary(
                op,
                Box::new(a),
                Box::new(b)
            ))),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| at_zero(ExprKind::If(
                Box::new(a),
                Box::new(b),
                Box::new(c)
            ))),
            (name(), prop::collection::vec(inner, 0..4)).prop_map(|(function, arguments)| at_zero(ExprKind::Call {
                function,
                subscripts: Vec::new(),
                arguments
            })),
            (name(), prop::collection::vec(subscript, 1..3))
                .prop_map(|(name, subscripts)| at_zero(ExprKind::Reference { name, subscripts })),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_as_the_same_tree_in_xmile(tree in tree()) {
        let text = print(&tree, Dialect::Xmile);
        let again = parse(&text, Dialect::Xmile);
        prop_assert!(again.is_ok(), "{text}: {again:?}");
        prop_assert_eq!(bare(&again.unwrap()), bare(&tree), "{}", text);
    }

    #[test]
    fn what_is_printed_reads_back_as_the_same_tree_in_vensim(tree in tree()) {
        let text = print(&tree, Dialect::Vensim);
        let again = parse(&text, Dialect::Vensim);
        prop_assert!(again.is_ok(), "{text}: {again:?}");
        prop_assert_eq!(bare(&again.unwrap()), bare(&tree), "{}", text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[a-c0-9 ()\\[\\]+*/^<>=!:'\",;{}\\.\\\\\n@-]{0,60}|\\PC{0,30}") {
        for dialect in [Dialect::Xmile, Dialect::Vensim] {
            if let Err(error) = parse(&text, dialect) {
                crate::sd::error::caret(&text, error.span());
            }
        }
    }
}

/// The tree with every operator in brackets.
fn grouped(text: &str, dialect: Dialect) -> String {
    fn show(expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Number(value) => value.to_string(),
            ExprKind::Reference { name, .. } => name.clone(),
            ExprKind::Unary(op, a) => format!("({op:?} {})", show(a)),
            ExprKind::Binary(op, a, b) => format!("({} {op:?} {})", show(a), show(b)),
            ExprKind::If(a, b, c) => format!("(if {} {} {})", show(a), show(b), show(c)),
            other => format!("{other:?}"),
        }
    }
    show(&parse(text, dialect).unwrap())
}

#[test]
fn precedence_is_that_of_xmile() {
    for (text, expected) in [
        ("-2^2", "(Minus (2 Power 2))"),
        ("2^-1", "(2 Power (Minus 1))"),
        ("2^3^2", "(2 Power (3 Power 2))"),
        ("a-b-c", "((a Subtract b) Subtract c)"),
        ("a/b*c mod d", "(((a Divide b) Multiply c) Modulo d)"),
        ("a+b*c", "(a Add (b Multiply c))"),
        ("NOT a = b", "((Not a) Equal b)"),
        ("a < b = c > d", "((a Less b) Equal (c Greater d))"),
        ("a OR b AND c", "(a Or (b And c))"),
        ("IF a THEN b ELSE c + 1", "(if a b (c Add 1))"),
        ("1 + (IF a THEN b ELSE IF c THEN d ELSE e)", "(1 Add (if a b (if c d e)))"),
        ("a*-b", "(a Multiply (Minus b))"),
    ] {
        assert_eq!(grouped(text, Dialect::Xmile), expected, "{text}");
    }
    assert_eq!(grouped(":NOT: a = b :AND: c", Dialect::Vensim), "((Not (a Equal b)) And c)");
    assert_eq!(grouped("IF THEN ELSE ( a , b , c )", Dialect::Vensim), "(if a b c)");
}

#[test]
fn errors_say_where_and_what_was_expected() {
    for (text, message, start) in [
        ("a + ", "unexpected end of the equation: expected a number, a name or '('", 4),
        ("(a + b", "this parenthesis is never closed", 0),
        ("a[i", "this bracket is never closed", 1),
        ("a + b)", "unexpected \")\": expected an operator or the end of the equation", 5),
        ("IF a b", "unexpected end of the equation: expected an operator or THEN", 6),
        ("", "the equation is empty: expected an expression", 0),
        ("a # b", "unexpected '#': expected a name, a number or an operator", 2),
        ("3 4", "unexpected \"4\": expected an operator or the end of the equation", 2),
    ] {
        let error = parse(text, Dialect::Xmile).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.span().start), (message, start), "{text}");
    }
}

#[test]
fn deep_nesting_is_refused_and_does_not_overflow() {
    for text in [
        "(".repeat(100_000),
        "-".repeat(100_000),
        "2^".repeat(100_000),
        "1+".repeat(100_000) + "1",
        "a[".repeat(50_000),
    ] {
        assert!(parse(&text, Dialect::Xmile).is_err());
    }
}

#[test]
fn subscripts_of_every_kind() {
    let Ok(Expr { kind: ExprKind::Reference { subscripts, .. }, .. }) =
        parse("a[Region.North, 2, *, Age!, @2, i+1]", Dialect::Xmile)
    else {
        panic!()
    };
    assert_eq!(subscripts[0], Subscript::Name("Region.North".into()));
    assert_eq!(subscripts[1], Subscript::Name("2".into()));
    assert_eq!(subscripts[2], Subscript::Reduce(None));
    assert_eq!(subscripts[3], Subscript::Reduce(Some("Age".into())));
    assert_eq!(subscripts[4], Subscript::Name("@2".into()));
    assert!(matches!(subscripts[5], Subscript::Index(_)));
}
