//! The expression language: one tree for XMILE and Vensim equations.

pub mod tree;

pub use tree::{BinaryOp, Expr, ExprKind, Span, Subscript, UnaryOp};
