//! The text of an XMILE file made into an XML document: what real files break of XML is mended where there is one way to mend it.

use roxmltree::{Document, Error, ParsingOptions};

use crate::sd::error::{ModelError, Place};

/// How many faults of one file are mended.
const MENDS: usize = 16;

/// Text with comments replaced by blanks (line breaks stay): real files have `--` inside them, which XML forbids.
pub(super) fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.trim_start_matches('\u{feff}');
    while let Some(start) = rest.find("<!") {
        let tail = &rest[start..];
        let (end, comment) = if tail.starts_with("<!--") {
            (tail.find("-->").map(|end| end + 3), true)
        } else if tail.starts_with("<![CDATA[") {
            (tail.find("]]>").map(|end| end + 3), false)
        } else {
            (Some(2), false)
        };
        let Some(end) = end else { break };
        out.push_str(&rest[..start]);
        if comment {
            out.extend(tail[..end].chars().filter(|&character| character == '\n'));
        } else {
            out.push_str(&tail[..end]);
        }
        rest = &tail[end..];
    }
    out.push_str(rest);
    out
}

/// The text as XML that a parser takes, with remarks on what was mended.
///
/// Mended are prefixes without a declaration (xmutil writes `isee:` so) and a variable that is never closed. Documents with a type declaration are refused:
/// entities are not expanded.
pub(super) fn mended(text: &str, remarks: &mut Vec<(u32, String)>) -> Result<String, ModelError> {
    let mut text = without_comments(text);
    for _ in 0..MENDS {
        let Err(error) = Document::parse_with_options(&text, ParsingOptions::default()) else { return Ok(text) };
        match &error {
            Error::UnknownNamespace(prefix, _) => {
                let Some(at) = root_name_end(&text) else { return Err(refuse(&error)) };
                text.insert_str(at, &format!(" xmlns:{prefix}=\"urn:undeclared:{prefix}\""));
            }
            Error::UnexpectedCloseTag(expected, actual, position)
                if matches!(expected.as_str(), "flow" | "stock" | "aux") && actual == "variables" =>
            {
                let Some(at) = offset(&text, position.row, position.col).and_then(|at| text.get(..at + 2)?.rfind("</"))
                else {
                    return Err(refuse(&error));
                };
                text.insert_str(at, &format!("</{expected}>"));
                remarks.push((
                    position.row,
                    format!("a <{expected}> is never closed: it was closed at the end of the variables"),
                ));
            }
            _ => return Err(refuse(&error)),
        }
    }
    Err(ModelError::File { message: "the file is not XML: too many faults".to_owned(), place: Box::default() })
}

fn refuse(error: &Error) -> ModelError {
    let message = match error {
        Error::DtdDetected => {
            "the file has a document type declaration: expected XMILE without one (entities are not expanded)"
                .to_owned()
        }
        other => format!("the file is not XML: {other}"),
    };
    ModelError::File { message, place: Box::new(Place { line: error.pos().row, ..Place::default() }) }
}

/// The place after the name of the root element.
fn root_name_end(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        at += text.get(at..)?.find('<')?;
        let next = text.get(at + 1..)?.chars().next()?;
        if next != '?' && next != '!' {
            let name = text.get(at + 1..)?;
            return Some(at + 1 + name.find(|c: char| c.is_whitespace() || c == '>' || c == '/')?);
        }
        at += 1;
    }
}

/// The byte of a row and column, both from one.
fn offset(text: &str, row: u32, column: u32) -> Option<usize> {
    let mut start = 0;
    for _ in 1..row {
        start += text.get(start..)?.find('\n')? + 1;
    }
    let (inside, _) = text.get(start..)?.char_indices().nth(column.saturating_sub(1) as usize)?;
    Some(start + inside)
}

/// Lines by byte, in a time that does not grow with the file.
pub(super) struct Lines {
    breaks: Vec<usize>,
}

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        Self { breaks: text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect() }
    }

    /// The line of a byte, from one.
    pub(super) fn at(&self, byte: usize) -> u32 {
        self.breaks.partition_point(|&at| at < byte) as u32 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::{mended, without_comments};

    #[test]
    fn comments_go_and_lines_stay() {
        assert_eq!(without_comments("a<!-- x -- \n y -->b<![CDATA[<!--]]>c"), "a\nb<![CDATA[<!--]]>c");
    }

    #[test]
    fn undeclared_prefixes_are_declared() {
        let mut remarks = Vec::new();
        assert!(mended("<?xml version='1.0'?>\n<xmile><isee:prefs a:b='1'/></xmile>", &mut remarks).is_ok());
    }

    #[test]
    fn entities_are_refused() {
        let bomb = "<!DOCTYPE xmile [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><xmile>&b;</xmile>";
        assert!(mended(bomb, &mut Vec::new()).unwrap_err().to_string().contains("document type"));
    }
}
