//! Text to tokens, for XMILE 1.0 (§3.1 to §3.3) and Vensim.

use super::tree::Span;
use crate::sd::dialect::Dialect;

/// An equation that cannot be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SyntaxError {
    /// Something stands where something else was expected.
    #[error("unexpected {found}: expected {expected}")]
    Unexpected {
        /// What stands there.
        found: String,
        /// What could stand there.
        expected: String,
        /// Where.
        span: Span,
    },
    /// A bracket, quote or comment is never closed.
    #[error("this {what} is never closed")]
    Unclosed {
        /// What was opened.
        what: &'static str,
        /// Where it was opened.
        span: Span,
    },
    /// A number that cannot be read.
    #[error("{text:?} is not a number")]
    Number {
        /// The text.
        text: String,
        /// Where.
        span: Span,
    },
    /// Brackets or operators are nested too deeply.
    #[error("the expression is nested more than {limit} levels deep: split it into several variables")]
    Deep {
        /// The limit.
        limit: u32,
        /// Where the limit was passed.
        span: Span,
    },
    /// There is no expression.
    #[error("the equation is empty: expected an expression")]
    Empty {
        /// Where.
        span: Span,
    },
}

impl SyntaxError {
    /// Where the error stands.
    pub fn span(&self) -> Span {
        match self {
            Self::Unexpected { span, .. }
            | Self::Unclosed { span, .. }
            | Self::Number { span, .. }
            | Self::Deep { span, .. }
            | Self::Empty { span } => *span,
        }
    }
}

/// The words that XMILE reserves as operators (§3.2.2.3, §3.3.1), and what they are.
const RESERVED: [(&str, Token); 7] = [
    ("and", Token::And),
    ("or", Token::Or),
    ("not", Token::Not),
    ("mod", Token::Mod),
    ("if", Token::If),
    ("then", Token::Then),
    ("else", Token::Else),
];

/// What a piece of text is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// A number.
    Number(f64),
    /// A name; words with blanks between them are one name.
    Name(String),
    /// A name in double quotes, without them.
    Quoted(String),
    /// Text in single quotes, without them.
    Text(String),
    Plus,
    Minus,
    Star,
    Slash,
    SafeSlash,
    Caret,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
    Not,
    Mod,
    If,
    Then,
    Else,
    Missing,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Comma,
    Semicolon,
    Colon,
    Bang,
    Transpose,
    At,
    End,
}

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lexeme {
    pub(crate) token: Token,
    pub(crate) span: Span,
}

/// Whether an unquoted name may begin with the character.
pub(crate) fn starts_name(character: char) -> bool {
    character.is_alphabetic()
        || character == '_'
        || character == '$'
        || (!character.is_ascii() && !character.is_whitespace())
}

/// Whether the character may stand inside a word of an unquoted name.
pub(crate) fn in_name(character: char, dialect: Dialect) -> bool {
    starts_name(character)
        || character.is_ascii_digit()
        || character == '.'
        || (dialect == Dialect::Vensim && character == '\'')
}

fn reserved(word: &str, dialect: Dialect) -> Option<Token> {
    if dialect == Dialect::Vensim {
        return None;
    }
    RESERVED.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, token)| token.clone())
}

struct Lexer<'a> {
    text: &'a str,
    position: usize,
    dialect: Dialect,
}

/// All tokens of an equation, with one `End` at the end.
pub(crate) fn lex(text: &str, dialect: Dialect) -> Result<Vec<Lexeme>, SyntaxError> {
    let mut lexer = Lexer { text, position: 0, dialect };
    let mut out = Vec::new();
    loop {
        let lexeme = lexer.next()?;
        let end = lexeme.token == Token::End;
        out.push(lexeme);
        if end {
            return Ok(out);
        }
    }
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.position..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn span(&self, start: usize) -> Span {
        Span { start: start as u32, end: self.position as u32 }
    }

    /// Blanks, comments in braces, and Vensim's continuation (a backslash before a line break).
    fn skip(&mut self) -> Result<(), SyntaxError> {
        loop {
            match self.peek() {
                Some('{') => {
                    let start = self.position;
                    let Some(length) = self.rest().find('}') else {
                        self.position += 1;
                        return Err(SyntaxError::Unclosed { what: "comment", span: self.span(start) });
                    };
                    self.position += length + 1;
                }
                Some('\\') if self.rest()[1..].trim_start_matches([' ', '\t', '\r']).starts_with('\n') => {
                    self.position += 1;
                }
                Some(character) if character.is_whitespace() || character == '\u{feff}' => {
                    self.position += character.len_utf8();
                }
                _ => return Ok(()),
            }
        }
    }

    fn word(&mut self) -> String {
        let rest = self.rest();
        let end = rest.find(|character| !in_name(character, self.dialect)).unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.position += end;
        word
    }

    fn name(&mut self) -> Result<Token, SyntaxError> {
        let mut name = self.word();
        if let Some(token) = reserved(&name, self.dialect) {
            return Ok(token);
        }
        loop {
            let before = self.position;
            self.skip()?;
            let next = self.peek();
            if before == self.position
                || !next.is_some_and(|character| starts_name(character) || character.is_ascii_digit())
            {
                self.position = before;
                return Ok(Token::Name(name));
            }
            let word = self.word();
            if reserved(&word, self.dialect).is_some() {
                self.position = before;
                return Ok(Token::Name(name));
            }
            name.push(' ');
            name.push_str(&word);
        }
    }

    fn number(&mut self) -> Result<Token, SyntaxError> {
        let start = self.position;
        let bytes = self.text.as_bytes();
        let digits = |position: &mut usize| {
            while bytes.get(*position).is_some_and(u8::is_ascii_digit) {
                *position += 1;
            }
        };
        digits(&mut self.position);
        if bytes.get(self.position) == Some(&b'.') {
            self.position += 1;
            digits(&mut self.position);
        }
        if matches!(bytes.get(self.position), Some(b'e' | b'E')) {
            let mut end = self.position + 1;
            if matches!(bytes.get(end), Some(b'+' | b'-')) {
                end += 1;
            }
            if bytes.get(end).is_some_and(u8::is_ascii_digit) {
                digits(&mut end);
                self.position = end;
            }
        }
        if self.peek().is_some_and(|character| in_name(character, Dialect::Xmile)) {
            self.word();
            return Err(SyntaxError::Number {
                text: self.text[start..self.position].to_owned(),
                span: self.span(start),
            });
        }
        let text = &self.text[start..self.position];
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Token::Number(value)),
            _ => Err(SyntaxError::Number { text: text.to_owned(), span: self.span(start) }),
        }
    }

    /// Text up to the closing quote; a backslash escapes a quote and itself.
    fn quoted(&mut self, quote: char, what: &'static str) -> Result<String, SyntaxError> {
        let start = self.position;
        self.position += 1;
        let mut out = String::new();
        let mut characters = self.rest().char_indices();
        while let Some((offset, character)) = characters.next() {
            if character == quote {
                self.position += offset + 1;
                return Ok(out);
            }
            if character != '\\' {
                out.push(if character == '\n' || character == '\r' || character == '\t' { ' ' } else { character });
                continue;
            }
            match characters.next() {
                Some((_, escaped)) if escaped == quote || escaped == '\\' => out.push(escaped),
                Some((_, 'n')) if quote == '"' => out.push(' '),
                Some((_, other)) => {
                    out.push('\\');
                    out.push(other);
                }
                None => break,
            }
        }
        Err(SyntaxError::Unclosed { what, span: self.span(start) })
    }

    /// Vensim's `:AND:`, `:OR:`, `:NOT:`, `:NA:`; a colon otherwise.
    fn colon(&mut self) -> Token {
        let rest = &self.rest()[1..];
        if let Some(end) = rest.find(':') {
            let token = match rest[..end].trim().to_ascii_uppercase().as_str() {
                "AND" => Some(Token::And),
                "OR" => Some(Token::Or),
                "NOT" => Some(Token::Not),
                "NA" => Some(Token::Missing),
                _ => None,
            };
            if let Some(token) = token {
                self.position += end + 2;
                return token;
            }
        }
        self.position += 1;
        Token::Colon
    }

    fn next(&mut self) -> Result<Lexeme, SyntaxError> {
        self.skip()?;
        let start = self.position;
        let Some(first) = self.peek() else {
            return Ok(Lexeme { token: Token::End, span: self.span(start) });
        };
        let second = self.rest().chars().nth(1);
        let pairs = [('<', '>', Token::NotEqual), ('<', '=', Token::LessEqual), ('>', '=', Token::GreaterEqual)];
        let token = if starts_name(first) || (first == '.' && second.is_some_and(starts_name)) {
            self.name()?
        } else if first.is_ascii_digit() || (first == '.' && second.is_some_and(|c| c.is_ascii_digit())) {
            self.number()?
        } else if first == '"' {
            Token::Quoted(self.quoted('"', "quoted name")?)
        } else if first == '\'' && self.dialect == Dialect::Vensim {
            Token::Text(self.quoted('\'', "text")?)
        } else if first == ':' {
            self.colon()
        } else if first == '/' && second == Some('/') && self.dialect == Dialect::Xmile {
            self.position += 2;
            Token::SafeSlash
        } else if let Some((.., token)) = pairs.iter().find(|(a, b, _)| *a == first && Some(*b) == second) {
            self.position += 2;
            token.clone()
        } else {
            self.position += first.len_utf8();
            match first {
                '+' => Token::Plus,
                '-' => Token::Minus,
                '*' => Token::Star,
                '/' => Token::Slash,
                '^' => Token::Caret,
                '=' => Token::Equal,
                '<' => Token::Less,
                '>' => Token::Greater,
                '(' => Token::Open,
                ')' => Token::Close,
                '[' => Token::OpenBracket,
                ']' => Token::CloseBracket,
                ',' => Token::Comma,
                ';' => Token::Semicolon,
                '!' => Token::Bang,
                '\'' => Token::Transpose,
                '@' => Token::At,
                other => {
                    return Err(SyntaxError::Unexpected {
                        found: format!("{other:?}"),
                        expected: "a name, a number or an operator".to_owned(),
                        span: self.span(start),
                    });
                }
            }
        };
        Ok(Lexeme { token, span: self.span(start) })
    }
}

impl Token {
    /// How the token is named in messages.
    pub(crate) fn describe(&self, text: &str) -> String {
        match self {
            Self::End => "end of the equation".to_owned(),
            _ => format!("{text:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Dialect, SyntaxError, Token, lex};

    fn tokens(text: &str, dialect: Dialect) -> Vec<Token> {
        lex(text, dialect).unwrap().into_iter().map(|lexeme| lexeme.token).collect()
    }

    #[test]
    fn words_with_blanks_between_them_are_one_name() {
        let expected = vec![Token::Name("Layer 2 depth".into()), Token::Slash, Token::Name("dt".into()), Token::End];
        assert_eq!(tokens("Layer 2\n\t depth/dt", Dialect::Vensim), expected);
        assert_eq!(tokens("Layer 2 depth / dt", Dialect::Xmile), expected);
    }

    #[test]
    fn operators_that_are_words_end_a_name_in_xmile_only() {
        assert_eq!(
            tokens("a b MOD 2", Dialect::Xmile),
            [Token::Name("a b".into()), Token::Mod, Token::Number(2.0), Token::End]
        );
        assert_eq!(tokens("a mod 2", Dialect::Vensim), [Token::Name("a mod 2".into()), Token::End]);
    }

    #[test]
    fn comments_and_continuations_are_blanks() {
        assert_eq!(tokens("a {b} +\\\n\t\t1", Dialect::Vensim)[1..3], [Token::Plus, Token::Number(1.0)]);
        assert!(matches!(lex("a {b", Dialect::Xmile), Err(SyntaxError::Unclosed { what: "comment", .. })));
    }

    #[test]
    fn quoted_names_keep_escaped_quotes() {
        assert_eq!(tokens(r#""a \"b\" c""#, Dialect::Vensim)[0], Token::Quoted("a \"b\" c".into()));
    }

    #[test]
    fn numbers_of_every_spelling() {
        for (text, value) in
            [("1", 1.0), ("1.", 1.0), (".5", 0.5), ("0.25", 0.25), ("1e3", 1e3), ("1.5E-2", 0.015), ("2e+06", 2e6)]
        {
            assert_eq!(tokens(text, Dialect::Xmile)[0], Token::Number(value), "{text}");
        }
        assert!(matches!(lex("2x", Dialect::Xmile), Err(SyntaxError::Number { .. })));
    }
}
