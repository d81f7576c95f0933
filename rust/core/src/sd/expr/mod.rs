//! The expression language: one tree for XMILE and Vensim equations.

pub mod lexer;
pub mod parser;
pub mod print;
#[cfg(test)]
pub(crate) mod properties;
pub mod tree;

pub use lexer::SyntaxError;
pub use parser::parse;
pub use print::print;
pub use tree::{BinaryOp, Expr, ExprKind, NameUse, Span, Subscript, UnaryOp};
