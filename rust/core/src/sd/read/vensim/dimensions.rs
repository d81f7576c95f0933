//! Subscript ranges: elements, numeric ranges, subranges, mappings, aliases.

use std::collections::BTreeMap;

use super::super::one_line;
use crate::sd::model::{Dimension, canonical};

/// How many elements a range may have.
const MOST: usize = 100_000;

/// How many elements all ranges may have together.
const TOTAL: usize = 2_000_000;

/// A range as the file defines it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Defined {
    pub(super) name: String,
    pub(super) items: Vec<Item>,
    pub(super) mappings: Vec<(String, Vec<String>)>,
    pub(super) line: u32,
}

/// One item of a range.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    /// An element, or another range.
    Name(String),
    /// `(A1-A5)`.
    Range(String, String),
    /// The range that this one is another name of.
    Alias(String),
    /// A call that reads names from a file.
    Call(String),
}

/// Cuts a list at commas outside brackets.
fn pieces(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut quoted) = (0_i32, 0, false);
    let mut out = Vec::new();
    for (at, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth <= 0 => {
                out.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    out.push(&text[start..]);
    out.into_iter().map(str::trim).filter(|piece| !piece.is_empty()).collect()
}

/// Reads the right side of `name : …`.
pub(super) fn read(name: String, text: &str, line: u32) -> Result<Defined, String> {
    let text = one_line(text);
    let (left, right) = text.split_once("->").unwrap_or((&text, ""));
    let mut items = Vec::new();
    for piece in pieces(left) {
        if let Some(inside) = piece.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            let (first, last) = inside
                .split_once('-')
                .ok_or_else(|| format!("range {name:?} holds {piece:?}: expected (first-last)"))?;
            items.push(Item::Range(super::plain(first.trim()), super::plain(last.trim())));
        } else if piece.contains('(') {
            items.push(Item::Call(piece.to_owned()));
        } else {
            items.push(Item::Name(super::plain(piece)));
        }
    }
    if items.is_empty() {
        return Err(format!("range {name:?} has no elements: expected at least one"));
    }
    let mut mappings = Vec::new();
    for piece in pieces(right) {
        match piece.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            Some(inside) => {
                let (target, list) = inside
                    .split_once(':')
                    .ok_or_else(|| format!("range {name:?} has the mapping {piece:?}: expected (range: elements)"))?;
                mappings.push((super::plain(target.trim()), pieces(list).into_iter().map(super::plain).collect()));
            }
            None => mappings.push((super::plain(piece), Vec::new())),
        }
    }
    Ok(Defined { name, items, mappings, line })
}

/// The elements of `(A1-A5)`.
fn range(first: &str, last: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("range ({first}-{last}): expected one name with rising numbers at the end, such as (A1-A5)");
    let cut = |name: &str| name.len() - name.chars().rev().take_while(char::is_ascii_digit).count();
    let (stem, low) = first.split_at(cut(first));
    let (other, high) = last.split_at(cut(last));
    if canonical(stem) != canonical(other) {
        return Err(wrong());
    }
    let number = |digits: &str| digits.parse::<u32>().map_err(|_| wrong());
    let (start, end) = (number(low)?, number(high)?);
    if end < start || (end - start) as usize > MOST {
        return Err(wrong());
    }
    // (A01-A12) keeps its zeros.
    let width = if low.len() > 1 && low.starts_with('0') { low.len() } else { 0 };
    Ok((start..=end).map(|index| format!("{stem}{index:0width$}")).collect())
}

/// Makes the dimensions: ranges in ranges are spelt out, mappings get their elements.
pub(super) fn resolve(
    defined: &[Defined],
    mut names: impl FnMut(&Defined, &str) -> Result<Vec<String>, String>,
) -> Result<Vec<Dimension>, (u32, String)> {
    let places: BTreeMap<String, usize> =
        defined.iter().enumerate().rev().map(|(place, one)| (canonical(&one.name), place)).collect();
    let mut done: Vec<Option<Vec<String>>> = vec![None; defined.len()];
    let mut total = 0;
    // Ranges wait for the ranges they name: each round settles at least one, or what is left is a circle.
    for round in 0..=defined.len() {
        let mut waiting = None;
        for place in 0..defined.len() {
            if done[place].is_some() {
                continue;
            }
            let one = &defined[place];
            let mut elements: Vec<String> = Vec::new();
            let mut ready = true;
            for item in &one.items {
                match item {
                    Item::Name(name) | Item::Alias(name) => match places.get(&canonical(name)) {
                        Some(&other) if other != place => match &done[other] {
                            Some(found) => elements.extend(found.iter().cloned()),
                            None => ready = false,
                        },
                        _ if matches!(item, Item::Alias(_)) => {
                            return Err((
                                one.line,
                                format!("range {:?} is another name of {name:?}, which does not exist", one.name),
                            ));
                        }
                        _ => elements.push(name.clone()),
                    },
                    Item::Range(first, last) => {
                        elements.extend(range(first, last).map_err(|message| (one.line, message))?);
                    }
                    Item::Call(text) => elements.extend(names(one, text).map_err(|message| (one.line, message))?),
                }
                if elements.len() > MOST {
                    return Err((one.line, format!("range {:?} has more than {MOST} elements", one.name)));
                }
            }
            if ready {
                total += elements.len();
                if total > TOTAL {
                    return Err((one.line, format!("the ranges have more than {TOTAL} elements together")));
                }
                done[place] = Some(elements);
            } else {
                waiting = Some(place);
            }
        }
        match waiting {
            None => break,
            Some(place) if round == defined.len() => {
                let one = &defined[place];
                return Err((one.line, format!("range {:?} contains itself", one.name)));
            }
            Some(_) => {}
        }
    }
    let elements: Vec<Vec<String>> = done.into_iter().map(Option::unwrap_or_default).collect();
    let mut out = Vec::new();
    for (place, one) in defined.iter().enumerate() {
        let mut mappings = Vec::new();
        for (target, list) in &one.mappings {
            let list = match places.get(&canonical(target)) {
                Some(&other) if list.is_empty() => elements[other].clone(),
                _ => list.clone(),
            };
            mappings.push((target.clone(), list));
        }
        out.push(Dimension { name: one.name.clone(), elements: elements[place].clone(), mappings });
    }
    Ok(out)
}
