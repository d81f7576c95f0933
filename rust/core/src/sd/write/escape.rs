//! Texts inside files.

/// A text inside an XML element or attribute.
pub(super) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            // XML 1.0 has no other control characters.
            character if character.is_control() => out.push(' '),
            character => out.push(character),
        }
    }
    out
}

/// A comment or unit inside a Vensim equation, which `~` and `|` would end.
pub(super) fn vensim(text: &str) -> String {
    text.chars().map(|character| if matches!(character, '~' | '|') { '/' } else { character }).collect()
}
