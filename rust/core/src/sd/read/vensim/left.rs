//! The left side of an entry: what is defined, for which subscripts, and how.

use crate::sd::dialect::Dialect;
use crate::sd::expr::lexer::{in_name, starts_name};
use crate::sd::expr::{Span, SyntaxError};
use crate::sd::model::{Interpolation, canonical};
use crate::sd::read::one_line;

/// What an entry defines.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// `name = …`
    Equation,
    /// `name( points )`
    Lookup,
    /// `name : elements`
    Dimension,
    /// `name <-> name`
    Alias,
    /// `name` alone: a series from outside.
    Data,
    /// A reality check: nothing that runs.
    RealityCheck,
}

/// A left side and the text on the right of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Left {
    pub(super) name: String,
    pub(super) subscripts: Vec<String>,
    pub(super) except: Vec<Vec<String>>,
    pub(super) interpolation: Option<Interpolation>,
    pub(super) form: Form,
    /// The text after the sign, of a lookup what stands in the brackets. Lines as in the file.
    pub(super) right: String,
}

struct Scanner<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or("")
    }

    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.position += rest.len() - trimmed.len();
            let Some(after) = trimmed.strip_prefix('\\') else { return };
            if !after.starts_with(char::is_whitespace) {
                return;
            }
            self.position += 1;
        }
    }

    fn accept(&mut self, sign: &str) -> bool {
        self.skip();
        let found = self.rest().starts_with(sign);
        if found {
            self.position += sign.len();
        }
        found
    }

    fn error(&self, expected: &str) -> SyntaxError {
        let found = self.rest().chars().next().map_or_else(|| "end of the entry".to_owned(), |c| format!("{c:?}"));
        let start = self.position as u32;
        SyntaxError::Unexpected { found, expected: expected.to_owned(), span: Span { start, end: start + 1 } }
    }

    fn name(&mut self) -> Result<String, SyntaxError> {
        self.skip();
        let start = self.position;
        let rest = self.rest();
        if rest.starts_with('"') {
            let mut escaped = false;
            for (at, character) in rest.char_indices().skip(1) {
                match character {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    '"' => {
                        self.position += at + 1;
                        return Ok(super::plain(&one_line(&rest[..=at])));
                    }
                    _ => {}
                }
            }
            return Err(SyntaxError::Unclosed {
                what: "quoted name",
                span: Span { start: start as u32, end: start as u32 + 1 },
            });
        }
        if !rest.chars().next().is_some_and(|c| starts_name(c) || c.is_ascii_digit() || c == '.') {
            return Err(self.error("a name"));
        }
        loop {
            let rest = self.rest();
            let word = rest.find(|c| !in_name(c, Dialect::Vensim)).unwrap_or(rest.len());
            self.position += word;
            let end = self.position;
            self.skip();
            if !self.rest().chars().next().is_some_and(|c| in_name(c, Dialect::Vensim)) {
                let name = one_line(&self.text[start..end]);
                self.position = end;
                return Ok(name);
            }
        }
    }

    fn names(&mut self) -> Result<Vec<String>, SyntaxError> {
        let mut out = vec![self.subscript()?];
        while self.accept(",") {
            out.push(self.subscript()?);
        }
        if !self.accept("]") {
            return Err(self.error("',' or ']'"));
        }
        Ok(out)
    }

    fn subscript(&mut self) -> Result<String, SyntaxError> {
        let name = self.name()?;
        // `range!` on the left side is Vensim's old mark for the same range.
        self.accept("!");
        Ok(name)
    }

    /// A word between colons, in capitals, when one stands here.
    fn keyword(&mut self) -> Option<String> {
        self.skip();
        let inside = self.rest().strip_prefix(':')?;
        let end = inside.find(':')?;
        let word = one_line(&inside[..end]).to_ascii_uppercase();
        let known = ["EXCEPT", "RAW", "INTERPOLATE", "LOOK FORWARD", "HOLD BACKWARD", "THE CONDITION", "TEST INPUT"];
        known.contains(&word.as_str()).then(|| {
            self.position += end + 2;
            word
        })
    }
}

/// Reads the left side of an entry.
pub(super) fn read(text: &str) -> Result<Left, SyntaxError> {
    let mut scanner = Scanner { text, position: 0 };
    let mut left = Left {
        name: scanner.name()?,
        subscripts: Vec::new(),
        except: Vec::new(),
        interpolation: None,
        form: Form::Data,
        right: String::new(),
    };
    if scanner.accept("[") {
        left.subscripts = scanner.names()?;
    }
    while let Some(word) = scanner.keyword() {
        match word.as_str() {
            "EXCEPT" => loop {
                if !scanner.accept("[") {
                    return Err(scanner.error("'['"));
                }
                left.except.push(scanner.names()?);
                if !scanner.accept(",") {
                    break;
                }
            },
            "RAW" => left.interpolation = Some(Interpolation::Raw),
            "INTERPOLATE" => left.interpolation = Some(Interpolation::Linear),
            "LOOK FORWARD" => left.interpolation = Some(Interpolation::Forward),
            "HOLD BACKWARD" => left.interpolation = Some(Interpolation::Hold),
            _ => {
                left.form = Form::RealityCheck;
                return Ok(left);
            }
        }
    }
    left.form = if scanner.accept(":=") || scanner.accept("==") || scanner.accept("=") {
        Form::Equation
    } else if scanner.accept("<->") {
        Form::Alias
    } else if scanner.accept(":") {
        Form::Dimension
    } else if scanner.accept("(") {
        Form::Lookup
    } else if scanner.rest().is_empty() {
        Form::Data
    } else {
        return Err(scanner.error("'=', ':', '(', '[' or the end of the entry"));
    };
    scanner.rest().clone_into(&mut left.right);
    if left.form == Form::Lookup {
        let trimmed = left.right.trim_end();
        let Some(inside) = trimmed.strip_suffix(')') else {
            let at = (scanner.position - 1) as u32;
            return Err(SyntaxError::Unclosed { what: "parenthesis", span: Span { start: at, end: at + 1 } });
        };
        left.right.truncate(inside.len());
    }
    if left.form == Form::Equation && one_line(&left.right).is_empty() {
        return Err(SyntaxError::Empty { span: Span { start: 0, end: text.trim_end().len() as u32 } });
    }
    Ok(left)
}

/// The rows of a `TABBED ARRAY(…)`, when the text is one.
pub(super) fn tabbed(text: &str) -> Option<Result<Vec<Vec<f64>>, SyntaxError>> {
    let open = text.find('(')?;
    if canonical(&one_line(&text[..open])) != "tabbed_array" {
        return None;
    }
    let close = text.rfind(')')?;
    let mut rows = Vec::new();
    // Some tools write a tab as backslash and t.
    for line in text.get(open + 1..close)?.replace("\\t", " ").replace('\\', " ").lines() {
        let mut row = Vec::new();
        for cell in line.split([' ', '\t', ',', '\r']).filter(|cell| !cell.is_empty()) {
            match cell.parse::<f64>() {
                Ok(value) => row.push(value),
                Err(_) => return Some(Err(SyntaxError::Number { text: cell.to_owned(), span: Span::default() })),
            }
        }
        if !row.is_empty() {
            rows.push(row);
        }
    }
    Some(Ok(rows))
}
