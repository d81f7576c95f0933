//! The expression tree that both readers build and the compiler lowers.

/// A range of bytes in the source text of an equation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// An expression and where it stands in its equation.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// Where the expression stands.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// One subscript of a reference.
#[derive(Clone, Debug, PartialEq)]
pub enum Subscript {
    /// An element or a dimension (range) by name, or a number for an indexed dimension.
    Name(String),
    /// Vensim's `range!`, XMILE's `*`: the reduction around it runs over the dimension (none: the one declared at that place).
    Reduce(Option<String>),
    /// An expression whose value is an index (XMILE).
    Index(Expr),
}

/// The operators of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-x`
    Minus,
    /// `+x`
    Plus,
    /// `NOT x`
    Not,
}

/// The operators of two arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `^`
    Power,
    /// `MOD`
    Modulo,
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `AND`
    And,
    /// `OR`
    Or,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A number.
    Number(f64),
    /// Vensim's `:NA:`.
    Missing,
    /// A variable (or `TIME`), with its subscripts if any are written. The name is as the author wrote it;
    /// [`crate::sd::model::canonical`] makes it comparable.
    Reference {
        /// The name as written.
        name: String,
        /// The subscripts as written.
        subscripts: Vec<Subscript>,
    },
    /// An operator of one argument.
    Unary(UnaryOp, Box<Expr>),
    /// An operator of two arguments.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `IF c THEN a ELSE b` and Vensim's `IF THEN ELSE(c, a, b)`.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// A function, macro or lookup called by name.
    Call {
        /// The function's name as written.
        function: String,
        /// Subscripts of a subscripted lookup.
        subscripts: Vec<Subscript>,
        /// The arguments.
        arguments: Vec<Expr>,
    },
    /// Points written inside an expression (Vensim `WITH LOOKUP`), or an array literal with one row a list.
    Table(Vec<(f64, f64)>),
    /// Vensim's array literal `1,2;3,4;`: rows of numbers.
    Literal(Vec<Vec<f64>>),
    /// A quoted string: arguments of GET DATA functions and the like.
    Text(String),
}
