//! The expression tree that both readers build and the compiler lowers.

/// A range of bytes in the source text of an equation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// An expression and where it stands in its equation.
#[derive(Clone, Debug, Default, PartialEq)]
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
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ExprKind {
    /// A number.
    Number(f64),
    /// Vensim's `:NA:`.
    #[default]
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

impl Expr {
    /// Calls `visit` on this expression and on all below it, parents first; below is skipped where it returns `false`.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Expr) -> bool) {
        if !visit(self) {
            return;
        }
        let mut inside = |subscripts: &'a [Subscript]| {
            for subscript in subscripts {
                if let Subscript::Index(expr) = subscript {
                    expr.walk(visit);
                }
            }
        };
        match &self.kind {
            ExprKind::Number(_) | ExprKind::Missing | ExprKind::Table(_) | ExprKind::Literal(_) | ExprKind::Text(_) => {
            }
            ExprKind::Reference { subscripts, .. } => inside(subscripts),
            ExprKind::Unary(_, operand) => operand.walk(visit),
            ExprKind::Binary(_, left, right) => {
                left.walk(visit);
                right.walk(visit);
            }
            ExprKind::If(condition, yes, no) => {
                condition.walk(visit);
                yes.walk(visit);
                no.walk(visit);
            }
            ExprKind::Call { subscripts, arguments, .. } => {
                inside(subscripts);
                for argument in arguments {
                    argument.walk(visit);
                }
            }
        }
    }

    /// Changes every name in place: of references, functions and subscripts.
    pub fn rename(&mut self, change: &mut impl FnMut(&mut String, NameUse)) {
        fn inside(subscripts: &mut [Subscript], change: &mut impl FnMut(&mut String, NameUse)) {
            for subscript in subscripts {
                match subscript {
                    Subscript::Name(name) | Subscript::Reduce(Some(name)) => change(name, NameUse::Subscript),
                    Subscript::Reduce(None) => {}
                    Subscript::Index(expr) => expr.rename(change),
                }
            }
        }
        match &mut self.kind {
            ExprKind::Number(_) | ExprKind::Missing | ExprKind::Table(_) | ExprKind::Literal(_) | ExprKind::Text(_) => {
            }
            ExprKind::Reference { name, subscripts } => {
                change(name, NameUse::Variable);
                inside(subscripts, change);
            }
            ExprKind::Unary(_, operand) => operand.rename(change),
            ExprKind::Binary(_, left, right) => {
                left.rename(change);
                right.rename(change);
            }
            ExprKind::If(condition, yes, no) => {
                condition.rename(change);
                yes.rename(change);
                no.rename(change);
            }
            ExprKind::Call { function, subscripts, arguments } => {
                change(function, NameUse::Function);
                inside(subscripts, change);
                for argument in arguments {
                    argument.rename(change);
                }
            }
        }
    }

    /// The number that the expression is, when it is a number with or without a sign.
    pub fn number(&self) -> Option<f64> {
        match &self.kind {
            ExprKind::Number(value) => Some(*value),
            ExprKind::Unary(UnaryOp::Minus, operand) => operand.number().map(|value| -value),
            ExprKind::Unary(UnaryOp::Plus, operand) => operand.number(),
            _ => None,
        }
    }
}

/// What a name in an expression stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameUse {
    /// A variable (or a built-in value such as `TIME`).
    Variable,
    /// A function, macro or lookup that is called.
    Function,
    /// An element or a dimension.
    Subscript,
}
