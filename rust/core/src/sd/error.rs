//! What can be wrong with a model: one enum with the facts, one way to draw the place.

use super::expr::{Span, SyntaxError};

/// Where in a model something stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// The file, empty when there is none.
    pub path: String,
    /// Line in the file, from one; zero when there is no file.
    pub line: u32,
    /// The variable, empty when there is none.
    pub variable: String,
    /// The text of the equation, empty when there is none.
    pub source: String,
    /// Where in the text.
    pub span: Span,
}

impl Place {
    /// The file and line, the variable, and the line of the equation with a caret under the span.
    pub fn draw(&self) -> String {
        let mut out = self.head();
        if !self.source.is_empty() {
            out.push('\n');
            out.push_str(&caret(&self.source, self.span));
        }
        out
    }

    fn head(&self) -> String {
        let mut parts = Vec::new();
        if !self.path.is_empty() && self.line > 0 {
            parts.push(format!("{}:{}", self.path, self.line));
        } else if !self.path.is_empty() {
            parts.push(self.path.clone());
        } else if self.line > 0 {
            parts.push(format!("line {}", self.line));
        }
        if !self.variable.is_empty() {
            parts.push(format!("equation of {:?}", self.variable));
        }
        if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
    }
}

/// How many characters of a long line are shown on each side of the caret.
const AROUND: usize = 60;

/// The line of `source` that holds `span`, and under it `^^^`.
pub fn caret(source: &str, span: Span) -> String {
    let floor = |mut index: usize| {
        index = index.min(source.len());
        while !source.is_char_boundary(index) {
            index -= 1;
        }
        index
    };
    let (start, end) = (floor(span.start as usize), floor(span.end as usize));
    let first = source[..start].rfind('\n').map_or(0, |index| index + 1);
    let last = source[start..].find('\n').map_or(source.len(), |index| start + index);
    let line: Vec<char> = source[first..last].chars().map(|c| if c == '\t' || c == '\r' { ' ' } else { c }).collect();
    let column = source[first..start].chars().count();
    let width = source[start..end.clamp(start, last)].chars().count().max(1);
    let (low, high) = (column.saturating_sub(AROUND), (column + width + AROUND).min(line.len()));
    let (before, after) = (if low > 0 { "…" } else { "" }, if high < line.len() { "…" } else { "" });
    let shown: String = line[low.min(high)..high].iter().collect();
    let indent = " ".repeat(column - low + usize::from(low > 0));
    format!("    {before}{shown}{after}\n    {indent}{}", "^".repeat(width))
}

/// A model that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// An equation that cannot be read.
    #[error("{error}")]
    Equation {
        /// What is wrong.
        error: SyntaxError,
        /// Where.
        place: Box<Place>,
    },
    /// An equation that can be read and makes no sense: a wrong number of arguments, a lookup without an argument.
    #[error("{message}")]
    Meaning {
        /// What is wrong, what was expected, and the cure.
        message: String,
        /// Where.
        place: Box<Place>,
    },
    /// A name that the model does not have.
    #[error("unknown {what} {name:?}: {}", cure(near))]
    Unknown {
        /// What kind of thing was looked for.
        what: &'static str,
        /// The name.
        name: String,
        /// Names like it, best first.
        near: Vec<String>,
        /// Where.
        place: Box<Place>,
    },
    /// Variables that need each other's value at the same instant.
    #[error("circular equations: {}. A stock or a delay somewhere in the circle breaks it", circle.join(" → "))]
    Circular {
        /// The circle, the first name again at the end.
        circle: Vec<String>,
        /// The equation of its first variable.
        place: Box<Place>,
    },
    /// Something that another tool knows and sembada refuses to guess.
    #[error("{what} {name:?} is not supported: {reason}")]
    Unsupported {
        /// What kind of thing it is.
        what: &'static str,
        /// Its name.
        name: String,
        /// Why, and what to do instead.
        reason: String,
        /// Where.
        place: Box<Place>,
    },
    /// A specification or a file whose parts do not fit.
    #[error("{message}")]
    Structure {
        /// What is wrong, what was expected, and the cure.
        message: String,
        /// Where.
        place: Box<Place>,
    },
    /// A file that is not a model file, or is damaged.
    #[error("{message}")]
    File {
        /// What is wrong, what was expected, and the cure.
        message: String,
        /// Where.
        place: Box<Place>,
    },
}

impl ModelError {
    /// Where it stands.
    pub fn place(&self) -> &Place {
        match self {
            Self::Equation { place, .. }
            | Self::Meaning { place, .. }
            | Self::Unknown { place, .. }
            | Self::Circular { place, .. }
            | Self::Unsupported { place, .. }
            | Self::Structure { place, .. }
            | Self::File { place, .. } => place,
        }
    }

    /// The message with the file, the line and the equation with a caret.
    pub fn full(&self) -> String {
        format!("{self}{}", self.place().draw())
    }

    /// The same error, standing in this file.
    #[must_use]
    pub fn within(mut self, path: &str) -> Self {
        let place = match &mut self {
            Self::Equation { place, .. }
            | Self::Meaning { place, .. }
            | Self::Unknown { place, .. }
            | Self::Circular { place, .. }
            | Self::Unsupported { place, .. }
            | Self::Structure { place, .. }
            | Self::File { place, .. } => place,
        };
        path.clone_into(&mut place.path);
        self
    }
}

fn cure(near: &[String]) -> String {
    if near.is_empty() {
        return "the model has no name like it".to_owned();
    }
    let quoted: Vec<String> = near.iter().map(|name| format!("{name:?}")).collect();
    format!("did you mean {}?", quoted.join(" or "))
}

/// The known names that look like `name`, best first, at most three: by edit distance over canonical names.
pub fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let wanted: Vec<char> = super::model::canonical(name).chars().collect();
    let mut ranked: Vec<(f64, &str)> = known
        .into_iter()
        .filter_map(|candidate| {
            let other: Vec<char> = super::model::canonical(candidate).chars().collect();
            let longest = wanted.len().max(other.len());
            // Far too long or short to be meant; it also keeps the work small.
            if longest == 0 || wanted.len().abs_diff(other.len()) * 2 > longest || longest > 200 {
                return None;
            }
            let likeness = 1.0 - distance(&wanted, &other) as f64 / longest as f64;
            (likeness >= 0.5).then_some((likeness, candidate))
        })
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked.into_iter().take(3).map(|(_, candidate)| candidate.to_owned()).collect()
}

/// Edits (insert, delete, replace, swap of neighbours) from one text to the other: optimal string alignment.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1; b.len() + 1];
        for j in 0..b.len() {
            let replaced = last[j] + usize::from(a[i] != b[j]);
            row[j + 1] = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Span, caret, near};

    #[test]
    fn the_caret_stands_under_the_span() {
        assert_eq!(caret("a + ünknown * 2", Span { start: 4, end: 12 }), "    a + ünknown * 2\n        ^^^^^^^");
        assert_eq!(caret("a +\n  b", Span { start: 6, end: 7 }), "      b\n      ^");
    }

    #[test]
    fn the_caret_never_leaves_the_text() {
        for (start, end) in [(0, 0), (5, 2), (9, 99), (1, 3)] {
            caret("aß\n\tb", Span { start, end });
        }
        let long = "x + ".repeat(100);
        assert!(caret(&long, Span { start: 200, end: 201 }).lines().all(|line| line.chars().count() < 130));
    }

    #[test]
    fn near_names_come_best_first() {
        let known = ["customers", "costs", "revenue", "Customer Rate"];
        assert_eq!(near("custmers", known)[0], "customers");
        assert_eq!(near("customer_rat", known)[0], "Customer Rate");
        assert!(near("zzz", known).is_empty());
    }
}
