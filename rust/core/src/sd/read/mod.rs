//! Readers: text to the typed model. They build it and refuse what they do not know; the checks and the compiler judge it.

pub mod external;
#[cfg(test)]
mod fuzz;
pub mod side;
pub mod spec;
#[cfg(test)]
mod tokens;
pub mod vensim;
pub mod xmile;

use super::expr::{Expr, ExprKind, Span};

/// Text on one line, without comments in braces and Vensim's continuations: what equations are kept as.
///
/// Quoted names stay as they are.
pub(crate) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut quote: Option<char> = None;
    let mut gap = false;
    while let Some(character) = characters.next() {
        if let Some(open) = quote {
            out.push(if character.is_whitespace() { ' ' } else { character });
            if character == '\\' {
                out.extend(characters.next());
            } else if character == open {
                quote = None;
            }
            continue;
        }
        match character {
            '{' => {
                let mut depth = 1;
                while depth > 0 {
                    match characters.next() {
                        Some('}') => depth -= 1,
                        Some(_) => {}
                        None => break,
                    }
                }
                gap = true;
            }
            '\\' if characters.peek().is_none_or(|next| next.is_whitespace()) => gap = true,
            _ if character.is_whitespace() || character == '\u{feff}' => gap = true,
            _ => {
                if gap && !out.is_empty() {
                    out.push(' ');
                }
                gap = false;
                if character == '"' {
                    quote = Some('"');
                }
                out.push(character);
            }
        }
    }
    out
}

/// A list of at least two numbers between commas: what a conveyor or queue may start from.
pub(crate) fn number_list(text: &str) -> Option<Expr> {
    let numbers: Vec<f64> = text.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>().ok()?;
    let span = Span { start: 0, end: text.len() as u32 };
    (numbers.len() > 1).then(|| Expr { span, kind: ExprKind::Literal(vec![numbers]) })
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn equations_are_kept_on_one_line() {
        assert_eq!(one_line(" a\n\t+ {why} \\\n\t\"b  c\" "), "a + \"b  c\"");
        assert_eq!(one_line("a {open"), "a");
        assert_eq!(one_line(r#""a\"b" c"#), r#""a\"b" c"#);
    }
}
