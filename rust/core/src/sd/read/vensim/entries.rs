//! A Vensim text cut into entries: `equation ~ unit ~ comment ~ flags |`, groups, macros; then the sketch and the settings.

use crate::sd::error::{ModelError, Place};
use crate::sd::expr::Span;

/// Where the sketch begins: everything after it is drawing and settings.
const SKETCH: &str = "\\\\---///";

/// Where the sketch ends and the settings begin.
const SETTINGS: &str = "///---\\\\\\";

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Entry {
    /// An equation with its unit, comment, and the line on which it begins.
    Equation(Box<Statement>),
    /// A headline: what follows belongs to the group.
    Group(String),
    /// `:MACRO: name(parameters : outputs)`.
    Macro {
        /// Its name.
        name: String,
        /// Its parameters.
        parameters: Vec<String>,
        /// Its outputs after the main one.
        outputs: Vec<String>,
    },
    /// `:END OF MACRO:`.
    EndOfMacro,
}

/// An equation with its unit and comment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Statement {
    /// The equation without comments in braces.
    pub(super) text: String,
    /// What stands after the first `~`.
    pub(super) unit: String,
    /// What stands after the second.
    pub(super) comment: String,
    /// The line of the file on which the equation begins.
    pub(super) line: u32,
}

/// The parts of a file.
pub(super) struct Parts<'a> {
    pub(super) entries: Vec<Entry>,
    pub(super) sketch: &'a str,
    pub(super) settings: &'a str,
}

/// Cuts a file.
pub(super) fn cut(text: &str) -> Result<Parts<'_>, ModelError> {
    // Three backslashes in Vensim's own files, two in some of other tools.
    let (body, rest) = match text.find(SKETCH) {
        Some(at) => text.split_at(text[..at].trim_end_matches('\\').len()),
        None => (text, ""),
    };
    let (body, own) = match body.find(SETTINGS) {
        Some(at) => (&body[..at], &body[at..]),
        None => (body, ""),
    };
    let (sketch, settings) = match rest.find(SETTINGS) {
        Some(at) => (&rest[..at], &rest[at..]),
        None => (rest, own),
    };
    let mut cutter = Cutter { text: body, position: 0, line: 1 };
    let mut entries = Vec::new();
    while let Some(entry) = cutter.next()? {
        entries.push(entry);
    }
    Ok(Parts { entries, sketch, settings })
}

struct Cutter<'a> {
    text: &'a str,
    position: usize,
    line: u32,
}

fn error(message: &str, line: u32, source: &str) -> ModelError {
    let source: String = source.trim().lines().next().unwrap_or("").to_owned();
    let span = Span { start: 0, end: source.len() as u32 };
    ModelError::File { message: message.to_owned(), place: Box::new(Place { line, source, span, ..Place::default() }) }
}

impl<'a> Cutter<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or("")
    }

    /// Moves on by so many bytes and counts lines.
    fn take(&mut self, length: usize) -> &'a str {
        let piece = self.rest().get(..length).unwrap_or(self.rest());
        self.position += piece.len();
        self.line += piece.bytes().filter(|byte| *byte == b'\n').count() as u32;
        piece
    }

    /// Blanks, byte order marks and comments before an entry.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let blank =
                rest.len() - rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '|').len();
            self.take(blank);
            let rest = self.rest();
            if !rest.starts_with('{') {
                return;
            }
            let length = rest.find('}').map_or(rest.len(), |end| end + 1);
            self.take(length);
        }
    }

    fn next(&mut self) -> Result<Option<Entry>, ModelError> {
        self.skip();
        let rest = self.rest();
        if rest.is_empty() {
            return Ok(None);
        }
        if starts_with(rest, ":END OF MACRO:") {
            self.take(":END OF MACRO:".len());
            return Ok(Some(Entry::EndOfMacro));
        }
        if starts_with(rest, ":MACRO:") {
            let line = self.line;
            let head =
                rest.find(')').ok_or_else(|| error("a macro's head is never closed: expected ')'", line, rest))? + 1;
            let head = self.take(head);
            return macro_head(&head[":MACRO:".len()..], line).map(Some);
        }
        let line = self.line;
        let (equation, closed) = self.equation();
        let mut statement = Statement { text: equation, line, ..Statement::default() };
        if closed == Some('~') {
            let rest = self.rest();
            let end = rest.find('|').unwrap_or(rest.len());
            let tail = self.take(end);
            self.take(1);
            let mut parts = tail.split('~');
            statement.unit = super::super::one_line(parts.next().unwrap_or(""));
            statement.comment = paragraph(parts.next().unwrap_or(""));
        }
        let text = statement.text.trim();
        if let Some(inside) = text.strip_prefix("***") {
            let name = inside.trim_matches(|c: char| c == '*' || c.is_whitespace());
            return Ok(Some(Entry::Group(name.to_owned())));
        }
        if text.is_empty() {
            return self.next();
        }
        if closed.is_none() && !text.contains(['=', '(', ':']) {
            return Err(error("the file ends inside an entry: expected '|'", line, text));
        }
        Ok(Some(Entry::Equation(Box::new(statement))))
    }

    /// The equation up to `~` or `|`, without comments in braces. Quotes hide both.
    fn equation(&mut self) -> (String, Option<char>) {
        let rest = self.rest();
        let mut out = String::new();
        let mut characters = rest.char_indices();
        let mut quote: Option<char> = None;
        let mut before = ' ';
        while let Some((at, character)) = characters.next() {
            match (quote, character) {
                (Some(open), _) => {
                    out.push(character);
                    if character == '\\' {
                        out.extend(characters.next().map(|(_, next)| next));
                    } else if character == open {
                        quote = None;
                    }
                }
                (None, '~' | '|') => {
                    self.take(at + 1);
                    return (out, Some(character));
                }
                (None, '{') => {
                    let mut depth = 1;
                    for (_, inside) in characters.by_ref() {
                        match inside {
                            '}' => depth -= 1,
                            '\n' => out.push('\n'),
                            _ => {}
                        }
                        if depth == 0 {
                            break;
                        }
                    }
                    out.push(' ');
                }
                (None, '"') => {
                    quote = Some('"');
                    out.push(character);
                }
                // An apostrophe inside a name is part of it.
                (None, '\'') if !(before.is_alphanumeric() || before == '_' || before == '\'') => {
                    quote = Some('\'');
                    out.push(character);
                }
                (None, _) => out.push(character),
            }
            before = character;
        }
        self.take(rest.len());
        (out, None)
    }
}

fn starts_with(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
}

fn macro_head(text: &str, line: u32) -> Result<Entry, ModelError> {
    let Some((name, inside)) = text.split_once('(') else {
        return Err(error("a macro has no parameters: expected NAME(a, b)", line, text));
    };
    let inside = inside.trim_end_matches(')');
    let (parameters, outputs) = inside.split_once(':').unwrap_or((inside, ""));
    let names = |list: &str| {
        list.split(',')
            .map(super::super::one_line)
            .filter(|name| !name.is_empty())
            .map(|name| super::plain(&name))
            .collect()
    };
    Ok(Entry::Macro {
        name: super::plain(&super::super::one_line(name)),
        parameters: names(parameters),
        outputs: names(outputs),
    })
}

/// A comment as a person reads it: continued lines joined, others kept.
fn paragraph(text: &str) -> String {
    let joined = text.replace("\r\n", "\n");
    let mut out = String::new();
    for line in joined.trim().lines() {
        let trimmed = line.trim();
        if let Some(part) = trimmed.strip_suffix('\\') {
            out.push_str(part.trim_end());
            out.push(' ');
        } else {
            out.push_str(trimmed);
            out.push('\n');
        }
    }
    out.trim().to_owned()
}
