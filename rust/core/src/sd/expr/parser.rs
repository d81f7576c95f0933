//! Tokens to a tree, with the precedence of XMILE 1.0 §3.3.1 and of Vensim.
//!
//! From tight to loose: subscripts and calls, `^` (from the right), sign and `NOT`, `* / MOD`, `+ -`, comparisons, `= <>`, `AND`, `OR`,
//! `IF`. In Vensim `:NOT:` is looser than comparisons.

use super::lexer::{Lexeme, SyntaxError, Token, lex};
use super::tree::{BinaryOp, Expr, ExprKind, Span, Subscript, UnaryOp};
use crate::sd::dialect::Dialect;

/// How deep a tree may be: every later pass walks it by recursion, also on threads with small stacks.
pub const DEPTH: u32 = 600;

/// How deep brackets and prefix operators may be nested.
const NESTING: u32 = 150;

/// Reads an expression.
///
/// # Errors
/// [`SyntaxError`] with the span of the first place that does not fit.
pub fn parse(text: &str, dialect: Dialect) -> Result<Expr, SyntaxError> {
    parse_framed(text, dialect).map(|(expr, _)| expr)
}

/// Reads an expression, and the frame of the last points written in it.
///
/// # Errors
/// As [`parse`].
pub fn parse_framed(text: &str, dialect: Dialect) -> Result<(Expr, Option<[f64; 4]>), SyntaxError> {
    let mut parser = Parser::new(text, dialect)?;
    if parser.token() == &Token::End {
        return Err(SyntaxError::Empty { span: Span { start: 0, end: text.len() as u32 } });
    }
    let tree = parser.expression()?;
    match parser.token() {
        Token::End => Ok((tree.expr, parser.frame)),
        _ => Err(parser.unexpected("an operator or the end of the equation")),
    }
}

/// Points of a lookup, and the frame around them: lowest x, lowest y, highest x, highest y.
pub type Points = (Vec<(f64, f64)>, Option<[f64; 4]>);

/// A tree and its height.
struct Tree {
    expr: Expr,
    height: u32,
}

struct Parser<'a> {
    text: &'a str,
    lexemes: Vec<Lexeme>,
    position: usize,
    dialect: Dialect,
    nesting: u32,
    frame: Option<[f64; 4]>,
}

/// Binary operators from loose to tight, one row a level.
const LEVELS: [&[(Token, BinaryOp)]; 6] = [
    &[(Token::Or, BinaryOp::Or)],
    &[(Token::And, BinaryOp::And)],
    &[(Token::Equal, BinaryOp::Equal), (Token::NotEqual, BinaryOp::NotEqual)],
    &[
        (Token::Less, BinaryOp::Less),
        (Token::LessEqual, BinaryOp::LessEqual),
        (Token::Greater, BinaryOp::Greater),
        (Token::GreaterEqual, BinaryOp::GreaterEqual),
    ],
    &[(Token::Plus, BinaryOp::Add), (Token::Minus, BinaryOp::Subtract)],
    &[(Token::Star, BinaryOp::Multiply), (Token::Slash, BinaryOp::Divide), (Token::Mod, BinaryOp::Modulo)],
];

/// The level of equality: Vensim's `:NOT:` stands just outside it.
const EQUALITY: usize = 2;

impl<'a> Parser<'a> {
    fn new(text: &'a str, dialect: Dialect) -> Result<Self, SyntaxError> {
        Ok(Self { text, lexemes: lex(text, dialect)?, position: 0, dialect, nesting: 0, frame: None })
    }

    fn token(&self) -> &Token {
        // The lexer ends every list with `End` and `advance` never passes it.
        self.lexemes.get(self.position).map_or(&Token::End, |lexeme| &lexeme.token)
    }

    fn peek(&self) -> &Token {
        self.lexemes.get(self.position + 1).map_or(&Token::End, |lexeme| &lexeme.token)
    }

    fn span(&self) -> Span {
        self.lexemes.get(self.position).map_or_else(Span::default, |lexeme| lexeme.span)
    }

    fn advance(&mut self) -> Token {
        let token = self.token().clone();
        if self.position + 1 < self.lexemes.len() {
            self.position += 1;
        }
        token
    }

    fn accept(&mut self, token: &Token) -> bool {
        let found = self.token() == token;
        if found {
            self.advance();
        }
        found
    }

    fn unexpected(&self, expected: &str) -> SyntaxError {
        let span = self.span();
        let text = self.text.get(span.start as usize..span.end as usize).unwrap_or("");
        SyntaxError::Unexpected { found: self.token().describe(text), expected: expected.to_owned(), span }
    }

    fn close(&mut self, token: &Token, what: &'static str, opened: Span) -> Result<Span, SyntaxError> {
        let span = self.span();
        if self.accept(token) {
            return Ok(span);
        }
        if self.token() == &Token::End {
            return Err(SyntaxError::Unclosed { what, span: opened });
        }
        Err(self.unexpected(if what == "bracket" { "',' or ']'" } else { "an operator, ',' or ')'" }))
    }

    fn node(kind: ExprKind, start: Span, end: Span, height: u32) -> Result<Tree, SyntaxError> {
        let span = Span { start: start.start, end: end.end };
        if height > DEPTH {
            return Err(SyntaxError::Deep { limit: DEPTH, span });
        }
        Ok(Tree { expr: Expr { span, kind }, height })
    }

    fn expression(&mut self) -> Result<Tree, SyntaxError> {
        self.nesting += 1;
        if self.nesting > NESTING {
            return Err(SyntaxError::Deep { limit: NESTING, span: self.span() });
        }
        let tree = self.level(0);
        self.nesting -= 1;
        tree
    }

    fn level(&mut self, level: usize) -> Result<Tree, SyntaxError> {
        if level == EQUALITY && self.dialect == Dialect::Vensim && self.token() == &Token::Not {
            return self.prefix(UnaryOp::Not, |parser| parser.level(EQUALITY));
        }
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.level(level + 1)?;
        while let Some((_, operator)) = operators.iter().find(|(token, _)| token == self.token()) {
            self.advance();
            let right = self.level(level + 1)?;
            let (start, end) = (left.expr.span, right.expr.span);
            let height = left.height.max(right.height) + 1;
            left =
                Self::node(ExprKind::Binary(*operator, Box::new(left.expr), Box::new(right.expr)), start, end, height)?;
        }
        Ok(left)
    }

    fn prefix(
        &mut self,
        operator: UnaryOp,
        operand: impl FnOnce(&mut Self) -> Result<Tree, SyntaxError>,
    ) -> Result<Tree, SyntaxError> {
        let start = self.span();
        self.advance();
        self.nesting += 1;
        if self.nesting > NESTING {
            return Err(SyntaxError::Deep { limit: NESTING, span: start });
        }
        let tree = operand(self)?;
        self.nesting -= 1;
        let end = tree.expr.span;
        Self::node(ExprKind::Unary(operator, Box::new(tree.expr)), start, end, tree.height + 1)
    }

    fn unary(&mut self) -> Result<Tree, SyntaxError> {
        let operator = match self.token() {
            Token::Minus => UnaryOp::Minus,
            Token::Plus => UnaryOp::Plus,
            Token::Not => UnaryOp::Not,
            _ => return self.power(),
        };
        self.prefix(operator, Self::unary)
    }

    fn power(&mut self) -> Result<Tree, SyntaxError> {
        let mut base = self.primary()?;
        loop {
            if self.accept(&Token::Caret) {
                self.nesting += 1;
                if self.nesting > NESTING {
                    return Err(SyntaxError::Deep { limit: NESTING, span: self.span() });
                }
                let exponent = self.unary()?;
                self.nesting -= 1;
                let (start, end) = (base.expr.span, exponent.expr.span);
                let height = base.height.max(exponent.height) + 1;
                let kind = ExprKind::Binary(BinaryOp::Power, Box::new(base.expr), Box::new(exponent.expr));
                return Self::node(kind, start, end, height);
            }
            // XMILE §3.7.1: a name followed by ' is transposed. `a // b` is Stella's short form of SAFEDIV.
            let (name, operand) = match self.token() {
                Token::Transpose => ("TRANSPOSE", false),
                Token::SafeSlash => ("SAFEDIV", true),
                _ => return Ok(base),
            };
            let mut end = self.span();
            self.advance();
            let start = base.expr.span;
            let mut height = base.height + 1;
            let mut arguments = vec![base.expr];
            if operand {
                let right = self.unary()?;
                end = right.expr.span;
                height = height.max(right.height + 1);
                arguments.push(right.expr);
            }
            let kind = ExprKind::Call { function: name.to_owned(), subscripts: Vec::new(), arguments };
            base = Self::node(kind, start, end, height)?;
        }
    }

    fn conditional(&mut self) -> Result<Tree, SyntaxError> {
        let start = self.span();
        self.advance();
        let condition = self.expression()?;
        if !self.accept(&Token::Then) {
            return Err(self.unexpected("an operator or THEN"));
        }
        let yes = self.expression()?;
        if !self.accept(&Token::Else) {
            return Err(self.unexpected("an operator or ELSE"));
        }
        let no = self.expression()?;
        let end = no.expr.span;
        let height = condition.height.max(yes.height).max(no.height) + 1;
        Self::node(ExprKind::If(Box::new(condition.expr), Box::new(yes.expr), Box::new(no.expr)), start, end, height)
    }

    fn primary(&mut self) -> Result<Tree, SyntaxError> {
        let start = self.span();
        match self.token().clone() {
            Token::Number(value) => {
                self.advance();
                Self::node(ExprKind::Number(value), start, start, 1)
            }
            Token::Missing => {
                self.advance();
                Self::node(ExprKind::Missing, start, start, 1)
            }
            Token::Text(text) => {
                self.advance();
                Self::node(ExprKind::Text(text), start, start, 1)
            }
            Token::If => self.conditional(),
            Token::Open => {
                self.advance();
                if self.points_ahead() {
                    let (points, frame) = self.points()?;
                    self.frame = frame;
                    let end = self.close(&Token::Close, "parenthesis", start)?;
                    return Self::node(ExprKind::Table(points), start, end, 1);
                }
                let inner = self.expression()?;
                let end = self.close(&Token::Close, "parenthesis", start)?;
                // The span of the brackets: a caret under the whole. The tree needs no node for them.
                let Tree { mut expr, height } = inner;
                expr.span = Span { start: start.start, end: end.end };
                Ok(Tree { expr, height })
            }
            // XMILE's operator is a function of Stella as well: `MOD(a, b)`.
            Token::Mod if self.peek() == &Token::Open => {
                self.advance();
                self.named("MOD".to_owned(), false, start)
            }
            Token::Name(name) | Token::Quoted(name) => {
                let quoted = matches!(self.token(), Token::Quoted(_));
                self.advance();
                self.named(name, quoted, start)
            }
            _ => Err(self.unexpected("a number, a name or '('")),
        }
    }

    fn named(&mut self, name: String, quoted: bool, start: Span) -> Result<Tree, SyntaxError> {
        let mut end = start;
        let mut height = 1;
        let mut subscripts = Vec::new();
        // XMILE §3.7.1.3: `array[element][slat]` of an array of containers; the slat is one more subscript.
        while self.token() == &Token::OpenBracket && (subscripts.is_empty() || self.dialect == Dialect::Xmile) {
            let opened = self.span();
            self.advance();
            loop {
                let (subscript, inner) = self.subscript()?;
                height = height.max(inner + 1);
                subscripts.push(subscript);
                if !self.accept(&Token::Comma) {
                    break;
                }
            }
            end = self.close(&Token::CloseBracket, "bracket", opened)?;
        }
        if self.token() != &Token::Open {
            return Self::node(ExprKind::Reference { name, subscripts }, start, end, height);
        }
        let opened = self.span();
        self.advance();
        let mut arguments = Vec::new();
        if self.token() != &Token::Close {
            loop {
                // Vensim allows an argument to be left out: `FUNCTION(a,,b)`.
                if self.dialect == Dialect::Vensim && matches!(self.token(), Token::Comma | Token::Close) {
                    let here = self.span();
                    arguments.push(Expr { span: Span { start: here.start, end: here.start }, kind: ExprKind::Missing });
                } else {
                    let argument = self.expression()?;
                    height = height.max(argument.height + 1);
                    arguments.push(argument.expr);
                }
                if !self.accept(&Token::Comma) {
                    break;
                }
            }
        }
        if self.dialect == Dialect::Vensim && self.token() == &Token::Colon {
            let (outputs, inner) = self.outputs()?;
            height = height.max(inner + 1);
            arguments.push(outputs);
        }
        end = self.close(&Token::Close, "parenthesis", opened).inspect(|span| end = *span)?;
        let upper = crate::sd::model::canonical(&name);
        if self.dialect == Dialect::Vensim && !quoted && upper == "if_then_else" && arguments.len() == 3 {
            let mut parts = arguments.into_iter().map(Box::new);
            if let (Some(condition), Some(yes), Some(no)) = (parts.next(), parts.next(), parts.next()) {
                return Self::node(ExprKind::If(condition, yes, no), start, end, height);
            }
            return Err(self.unexpected("three arguments"));
        }
        Self::node(ExprKind::Call { function: name, subscripts, arguments }, start, end, height)
    }

    /// The further outputs of a Vensim macro call, `MACRO(a, b : c, d)`, as a call of ":" with the names.
    fn outputs(&mut self) -> Result<(Expr, u32), SyntaxError> {
        let start = self.span();
        self.advance();
        let mut arguments = Vec::new();
        let mut height = 1;
        loop {
            let argument = self.expression()?;
            height = height.max(argument.height + 1);
            arguments.push(argument.expr);
            if !self.accept(&Token::Comma) {
                break;
            }
        }
        let end = arguments.last().map_or(start, |last| last.span);
        let kind = ExprKind::Call { function: ":".to_owned(), subscripts: Vec::new(), arguments };
        Ok((Expr { span: Span { start: start.start, end: end.end }, kind }, height))
    }

    fn subscript(&mut self) -> Result<(Subscript, u32), SyntaxError> {
        let ends = |token: &Token| matches!(token, Token::Comma | Token::CloseBracket);
        match self.token().clone() {
            Token::Star if ends(self.peek()) => {
                self.advance();
                return Ok((Subscript::Reduce(None), 1));
            }
            Token::Name(name) | Token::Quoted(name) if ends(self.peek()) => {
                self.advance();
                return Ok((Subscript::Name(name), 1));
            }
            Token::Name(name) | Token::Quoted(name) if self.peek() == &Token::Bang => {
                self.advance();
                self.advance();
                return Ok((Subscript::Reduce(Some(name)), 1));
            }
            // Stella writes `dimension.*` for all elements of a dimension.
            Token::Number(_) if ends(self.peek()) => {
                let span = self.span();
                self.advance();
                let text = self.text.get(span.start as usize..span.end as usize).unwrap_or("");
                return Ok((Subscript::Name(text.to_owned()), 1));
            }
            Token::At => {
                self.advance();
                if let Token::Number(position) = *self.token() {
                    self.advance();
                    return Ok((Subscript::Name(format!("@{position}")), 1));
                }
                return Err(self.unexpected("the position of a dimension, such as @1"));
            }
            _ => {}
        }
        let tree = self.expression()?;
        Ok((Subscript::Index(tree.expr), tree.height))
    }

    /// Whether what follows an opening bracket is a list of points, `[(` or `(number,`.
    fn points_ahead(&self) -> bool {
        if self.dialect != Dialect::Vensim {
            return false;
        }
        let at = |offset: usize| self.lexemes.get(self.position + offset).map_or(&Token::End, |lexeme| &lexeme.token);
        if at(0) == &Token::OpenBracket {
            return true;
        }
        if at(0) != &Token::Open {
            return false;
        }
        let offset = usize::from(matches!(at(1), Token::Minus | Token::Plus));
        matches!(at(1 + offset), Token::Number(_)) && at(2 + offset) == &Token::Comma
    }

    fn signed(&mut self) -> Result<f64, SyntaxError> {
        let mut sign = 1.0;
        while matches!(self.token(), Token::Minus | Token::Plus) {
            if self.advance() == Token::Minus {
                sign = -sign;
            }
        }
        match *self.token() {
            Token::Number(value) => {
                self.advance();
                Ok(sign * value)
            }
            _ => Err(self.unexpected("a number")),
        }
    }

    fn pair(&mut self) -> Result<(f64, f64), SyntaxError> {
        let opened = self.span();
        if !self.accept(&Token::Open) {
            return Err(self.unexpected("a point (x, y)"));
        }
        let x = self.signed()?;
        if !self.accept(&Token::Comma) {
            return Err(self.unexpected("','"));
        }
        let y = self.signed()?;
        self.close(&Token::Close, "parenthesis", opened)?;
        Ok((x, y))
    }

    /// `[(0,0)-(10,10),(1,1),…],(0,1),(2,3)`: the frame and its reference points are read over.
    fn points(&mut self) -> Result<Points, SyntaxError> {
        let mut frame = None;
        if self.token() == &Token::OpenBracket {
            let opened = self.span();
            self.advance();
            let low = self.pair()?;
            if !self.accept(&Token::Minus) {
                return Err(self.unexpected("'-' and the upper corner of the frame"));
            }
            let high = self.pair()?;
            while self.accept(&Token::Comma) {
                self.pair()?;
            }
            self.close(&Token::CloseBracket, "bracket", opened)?;
            frame = Some([low.0, low.1, high.0, high.1]);
            self.accept(&Token::Comma);
        }
        let mut points = Vec::new();
        while self.token() == &Token::Open {
            points.push(self.pair()?);
            if !self.accept(&Token::Comma) {
                break;
            }
        }
        Ok((points, frame))
    }
}

/// The points of a Vensim lookup, `([(0,0)-(10,10)],(0,1),(2,3))` or the old form `x1,x2,…,y1,y2,…`, and their frame.
///
/// # Errors
/// [`SyntaxError`] with the span of the first place that does not fit.
pub fn parse_points(text: &str) -> Result<Points, SyntaxError> {
    let mut parser = Parser::new(text, Dialect::Vensim)?;
    let opened = parser.span();
    let outer = parser.token() == &Token::Open && matches!(parser.peek(), Token::Open | Token::OpenBracket);
    if outer {
        parser.advance();
    }
    let out =
        if matches!(parser.token(), Token::OpenBracket | Token::Open) { parser.points()? } else { parser.halves()? };
    if outer {
        parser.close(&Token::Close, "parenthesis", opened)?;
    }
    match parser.token() {
        Token::End => Ok(out),
        _ => Err(parser.unexpected("',' or the end of the lookup")),
    }
}

/// Numbers of a Vensim array literal, `1,2;3,4;`, a row a list; `None` when the text is something else.
pub fn parse_literal(text: &str) -> Option<Vec<Vec<f64>>> {
    if !text.contains([',', ';']) {
        return None;
    }
    let mut parser = Parser::new(text, Dialect::Vensim).ok()?;
    let mut rows = vec![Vec::new()];
    while parser.token() != &Token::End {
        let value = if parser.accept(&Token::Missing) { f64::NAN } else { parser.signed().ok()? };
        rows.last_mut()?.push(value);
        match parser.token() {
            Token::Comma => {
                parser.advance();
            }
            Token::Semicolon => {
                parser.advance();
                if parser.token() != &Token::End {
                    rows.push(Vec::new());
                }
            }
            Token::End => {}
            _ => return None,
        }
    }
    Some(rows)
}

impl Parser<'_> {
    /// The old form of a lookup: all x, then all y.
    fn halves(&mut self) -> Result<Points, SyntaxError> {
        let start = self.span();
        let mut numbers = vec![self.signed()?];
        while self.accept(&Token::Comma) {
            numbers.push(self.signed()?);
        }
        if numbers.len() % 2 == 1 {
            return Err(SyntaxError::Unexpected {
                found: format!("a list of {} numbers", numbers.len()),
                expected: "as many x as y".to_owned(),
                span: Span { start: start.start, end: self.span().start },
            });
        }
        let (x, y) = numbers.split_at(numbers.len() / 2);
        Ok((x.iter().copied().zip(y.iter().copied()).collect(), None))
    }
}
