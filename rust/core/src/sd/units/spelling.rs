//! Spellings of units: what `1/Month`, `person/(month*year)`, `Dmnl`, `dollars per person per year` and `$` mean in a model.

use std::collections::BTreeMap;

use super::algebra::{Ratio, Unit};
use crate::sd::model::{Model, UnitDefinition, canonical};

/// A unit that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the unit {text:?} cannot be read: {reason} at character {}; write it like person/(month*year)", position + 1)]
pub struct UnitError {
    /// The unit as written.
    pub text: String,
    /// What is wrong.
    pub reason: &'static str,
    /// Where, in characters from zero.
    pub position: usize,
}

/// Spellings that Vensim makes equal in every new model (its default units equivalents), and the other units of time.
const EQUAL: [&[&str]; 12] = [
    &["$", "dollar", "dollars", "$s", "usd", "us$"],
    &["hour", "hours", "hr", "hrs"],
    &["month", "months", "mo"],
    &["person", "people", "persons"],
    &["unit", "units"],
    &["week", "weeks", "wk"],
    &["year", "years", "yr", "yrs"],
    &["day", "days"],
    &["minute", "minutes", "min", "mins"],
    &["second", "seconds", "sec", "secs"],
    &["quarter", "quarters"],
    &["decade", "decades"],
];

/// Spellings of the dimensionless unit: Vensim's `Dmnl`, Stella's `unitless`; an angle in radians is a ratio of lengths.
const DIMENSIONLESS: [&str; 12] = [
    "dmnl",
    "dimensionless",
    "unitless",
    "fraction",
    "fractions",
    "1",
    "none",
    "no_units",
    "no_unit",
    "nounits",
    "radian",
    "radians",
];

/// The deepest chain of unit definitions that is followed.
const CHAIN: u32 = 16;

/// What the spellings of one model mean.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    /// Canonical spelling → unit.
    meanings: BTreeMap<String, Unit>,
    /// Base → how the model writes it.
    shown: BTreeMap<String, String>,
}

/// A spelling without the plural of its last word, so that `widget` and `widgets` are one unit. Vensim takes them for two and reports
/// an error in every equation; nobody has ever meant two.
fn singular(name: &str) -> String {
    let long = name.chars().count() > 3;
    for ending in ["ches", "shes", "sses", "xes"] {
        if long && name.ends_with(ending) {
            return name[..name.len() - 2].to_owned();
        }
    }
    if long && name.ends_with("ies") {
        return format!("{}y", &name[..name.len() - 3]);
    }
    if long && name.ends_with('s') && !["ss", "us", "is"].iter().any(|ending| name.ends_with(ending)) {
        return name[..name.len() - 1].to_owned();
    }
    name.to_owned()
}

impl Registry {
    /// The spellings that hold everywhere and those that the model defines.
    pub fn new(model: &Model) -> Self {
        let mut out = Self::default();
        for name in DIMENSIONLESS {
            out.meanings.insert(name.to_owned(), Unit::one());
        }
        for group in EQUAL {
            for name in group {
                out.meanings.insert((*name).to_owned(), Unit::named(group[0]));
            }
        }
        // Names first, so that definitions may use each other in any order.
        for definition in &model.units {
            out.define(definition);
        }
        for definition in model.units.iter().filter(|definition| !definition.equation.trim().is_empty()) {
            out.expand(&model.units, definition, CHAIN);
        }
        let written = std::iter::once(&model.time.unit).chain(model.variables.iter().map(|variable| &variable.unit));
        for text in written {
            out.note_spellings(text);
        }
        out
    }

    /// All names of a definition mean one base, or what one of them already means.
    fn define(&mut self, definition: &UnitDefinition) {
        let names: Vec<&str> = std::iter::once(definition.name.as_str())
            .chain(definition.aliases.iter().map(String::as_str))
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        let simple = |name: &&&str| !name.contains(['/', '*', '^', '(']);
        // `22:Watt,J/s`: a name and what it is made of.
        let compound = names.iter().find(|name| !simple(name)).and_then(|name| self.parse(name).ok());
        let known = names.iter().filter(simple).find_map(|name| self.meanings.get(&canonical(name)).cloned());
        let Some(first) = names.iter().find(simple) else { return };
        let meaning = compound.or(known).unwrap_or_else(|| Unit::named(&singular(&canonical(first))));
        for name in names.iter().filter(simple) {
            self.meanings.insert(canonical(name), meaning.clone());
        }
    }

    /// Replaces a defined name by what its equation says.
    fn expand(&mut self, all: &[UnitDefinition], definition: &UnitDefinition, left: u32) -> Option<Unit> {
        let unit = self.parse(&definition.equation).ok()?;
        let mut out = Unit::one();
        for (base, exponent) in unit.factors() {
            let inner = all.iter().find(|other| {
                !other.equation.trim().is_empty()
                    && self
                        .meanings
                        .get(&canonical(&other.name))
                        .is_some_and(|meaning| *meaning == Unit::base(base.clone()))
            });
            let expanded = match inner {
                // A circle of definitions defines nothing.
                Some(_) if left == 0 => return None,
                Some(inner) => self.expand(all, inner, left - 1)?,
                None => Unit::base(base.clone()),
            };
            out = out.times_power(&expanded, exponent);
        }
        let names = std::iter::once(&definition.name).chain(&definition.aliases);
        for name in names {
            self.meanings.insert(canonical(name), out.clone());
        }
        Some(out)
    }

    /// Remembers how the model writes each base, for messages: the first spelling wins.
    fn note_spellings(&mut self, text: &str) {
        for word in split_words(text) {
            let name = word.trim();
            if let Some((super::algebra::Base::Named(base), _)) = self.name(name).factors().next()
                && self.name(name) == Unit::named(base)
            {
                self.shown.entry(base.clone()).or_insert_with(|| name.to_owned());
            }
        }
    }

    fn name(&self, name: &str) -> Unit {
        let key = canonical(name);
        let single = singular(&key);
        self.meanings.get(&key).or_else(|| self.meanings.get(&single)).cloned().unwrap_or_else(|| Unit::named(&single))
    }

    /// The unit that a spelling means; `None` when nothing is written. A range in brackets, `[0,?]`, is passed over.
    ///
    /// # Errors
    /// [`UnitError`] with the place.
    pub fn read(&self, text: &str) -> Result<Option<Unit>, UnitError> {
        let without = match (text.find('['), text.rfind(']')) {
            (Some(open), Some(close)) if open < close => format!("{}{}", &text[..open], &text[close + 1..]),
            _ => text.to_owned(),
        };
        if without.trim().is_empty() || without.trim() == "?" {
            return Ok(None);
        }
        self.parse(&without).map(Some)
    }

    /// The unit as the model writes its bases.
    pub fn print(&self, unit: &Unit) -> String {
        unit.print(|name| self.shown.get(name).cloned().unwrap_or_else(|| name.to_owned()))
    }

    fn parse(&self, text: &str) -> Result<Unit, UnitError> {
        let text = text.replace("**", "^").replace(['·', '×'], "*");
        let tokens = tokens(&text)?;
        let mut parser = Parser { registry: self, text: &text, tokens, position: 0, depth: 0 };
        let unit = parser.product()?;
        if parser.position < parser.tokens.len() {
            return Err(parser.error("an operator is missing"));
        }
        Ok(unit)
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Times,
    Over,
    Power,
    Open,
    Close,
}

fn split_words(text: &str) -> Vec<String> {
    tokens(text)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(token, _)| if let Token::Name(name) = token { Some(name) } else { None })
        .collect()
}

/// Names may hold blanks (`tons CO2`); the word `per` divides.
fn tokens(text: &str) -> Result<Vec<(Token, usize)>, UnitError> {
    let characters: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        let token = match characters[at] {
            '*' => Token::Times,
            '/' => Token::Over,
            '^' => Token::Power,
            '(' => Token::Open,
            ')' => Token::Close,
            character if character.is_whitespace() => {
                at += 1;
                continue;
            }
            _ => {
                let start = at;
                while at < characters.len() && !"*/^()".contains(characters[at]) {
                    at += 1;
                }
                let run: String = characters[start..at].iter().collect();
                push_names(&mut out, &run, start);
                continue;
            }
        };
        out.push((token, at));
        at += 1;
    }
    if out.is_empty() {
        return Err(UnitError { text: text.to_owned(), reason: "there is nothing", position: 0 });
    }
    Ok(out)
}

fn push_names(out: &mut Vec<(Token, usize)>, run: &str, start: usize) {
    let quoted = run.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let mut words: Vec<&str> = Vec::new();
    for word in quoted.unwrap_or(run).split_whitespace() {
        if quoted.is_none() && word.eq_ignore_ascii_case("per") {
            if !words.is_empty() {
                out.push((Token::Name(words.join(" ")), start));
            } else if !matches!(out.last(), Some((Token::Name(_) | Token::Close, _))) {
                out.push((Token::Name("1".to_owned()), start));
            }
            out.push((Token::Over, start));
            words.clear();
        } else {
            words.push(word);
        }
    }
    if !words.is_empty() {
        out.push((Token::Name(words.join(" ")), start));
    }
}

/// How deep brackets may be nested.
const NESTING: u32 = 50;

struct Parser<'a> {
    registry: &'a Registry,
    text: &'a str,
    tokens: Vec<(Token, usize)>,
    position: usize,
    depth: u32,
}

impl Parser<'_> {
    fn token(&self) -> Option<&Token> {
        self.tokens.get(self.position).map(|(token, _)| token)
    }

    fn error(&self, reason: &'static str) -> UnitError {
        let position = self.tokens.get(self.position).map_or(self.text.chars().count(), |(_, position)| *position);
        UnitError { text: self.text.to_owned(), reason, position }
    }

    /// `a*b/c`: from the left, so that `a/b*c` is `(a/b)*c`.
    fn product(&mut self) -> Result<Unit, UnitError> {
        let mut unit = self.factor()?;
        loop {
            match self.token() {
                Some(Token::Times) => {
                    self.position += 1;
                    unit = unit.times(&self.factor()?);
                }
                Some(Token::Over) => {
                    self.position += 1;
                    unit = unit.over(&self.factor()?);
                }
                _ => return Ok(unit),
            }
        }
    }

    fn factor(&mut self) -> Result<Unit, UnitError> {
        let unit = match self.token().cloned() {
            Some(Token::Name(name)) => {
                self.position += 1;
                self.registry.name(&name)
            }
            Some(Token::Open) => {
                self.depth += 1;
                if self.depth > NESTING {
                    return Err(self.error("brackets are nested too deeply"));
                }
                self.position += 1;
                let unit = self.product()?;
                if self.token() != Some(&Token::Close) {
                    return Err(self.error("a bracket is never closed"));
                }
                self.position += 1;
                self.depth -= 1;
                unit
            }
            _ => return Err(self.error("a unit is missing")),
        };
        if self.token() != Some(&Token::Power) {
            return Ok(unit);
        }
        self.position += 1;
        Ok(unit.power(self.exponent()?))
    }

    /// `2`, `-1`, `0.5`, `(1/2)`.
    fn exponent(&mut self) -> Result<Ratio, UnitError> {
        let opened = self.token() == Some(&Token::Open);
        if opened {
            self.position += 1;
        }
        let mut value = self.number()?;
        if opened && self.token() == Some(&Token::Over) {
            self.position += 1;
            value /= self.number()?;
        }
        if opened {
            if self.token() != Some(&Token::Close) {
                return Err(self.error("a bracket is never closed"));
            }
            self.position += 1;
        }
        Ratio::from_number(value).ok_or_else(|| self.error("an exponent must be a simple fraction"))
    }

    fn number(&mut self) -> Result<f64, UnitError> {
        let value = match self.token() {
            Some(Token::Name(text)) => text.parse().ok(),
            _ => None,
        };
        let value = value.ok_or_else(|| self.error("an exponent is missing"))?;
        self.position += 1;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::{Registry, singular};
    use crate::sd::model::{Model, UnitDefinition};
    use proptest::prelude::*;

    fn same(registry: &Registry, a: &str, b: &str) {
        assert_eq!(registry.read(a).unwrap(), registry.read(b).unwrap(), "{a:?} and {b:?}");
    }

    fn definition(name: &str, equation: &str, aliases: &[&str]) -> UnitDefinition {
        UnitDefinition {
            name: name.to_owned(),
            equation: equation.to_owned(),
            aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        }
    }

    #[test]
    fn spellings_of_one_unit_are_equal() {
        let registry = Registry::new(&Model::default());
        for (a, b) in [
            ("1/Month", "per month"),
            ("person/(month*year)", "People/Months/Years"),
            ("Dmnl", "1"),
            ("Dmnl", "month/months"),
            ("dollars", "$"),
            ("$/Year", "dollars per year"),
            ("Month*Month", "month^2"),
            ("month**2", "month^2"),
            ("Widget [0,100]", "widgets"),
            ("year [2010,2100,1]", "Year"),
            ("Person*Hours/Week", "hours*people/week"),
            ("watt/(meter*meter)", "watt/meter^2"),
            ("m^(1/2)*m^0.5", "m"),
            ("boxes", "box"),
            ("companies", "company"),
            ("tons CO2", "Tons_CO2"),
            ("1/(1/month)", "month"),
            ("dollars per person per year", "$/(person*year)"),
        ] {
            same(&registry, a, b);
        }
    }

    #[test]
    fn different_units_stay_different() {
        let registry = Registry::new(&Model::default());
        for (a, b) in [
            ("month", "year"),
            ("percent", "Dmnl"),
            ("1/month", "month"),
            ("gas", "ga"),
            ("mass", "mas"),
            ("a/b*c", "a/(b*c)"),
        ] {
            assert_ne!(registry.read(a).unwrap(), registry.read(b).unwrap(), "{a:?} and {b:?}");
        }
    }

    #[test]
    fn nothing_written_is_unknown() {
        let registry = Registry::new(&Model::default());
        for text in ["", "  ", "[0,?]", " [nan, nan] ", "?"] {
            assert_eq!(registry.read(text).unwrap(), None, "{text:?}");
        }
    }

    #[test]
    fn malformed_units_are_refused_with_the_place() {
        let registry = Registry::new(&Model::default());
        for (text, position) in
            [("person/", 7), ("(a*b", 4), ("a^", 2), ("a^b", 2), ("a*)", 2), ("/month", 0), ("a(b)", 1)]
        {
            assert_eq!(registry.read(text).unwrap_err().position, position, "{text:?}");
        }
    }

    #[test]
    fn a_model_defines_its_own_units() {
        let model = Model {
            units: vec![
                definition("Ton", "", &["ton", "Tons", "t"]),
                definition("watt", "joule/second", &[]),
                definition("power_density", "watt/metre^2", &["pd"]),
                definition("litre", "", &["dm3", "l"]),
                definition("Yr", "", &["year", "years"]),
            ],
            ..Model::default()
        };
        let registry = Registry::new(&model);
        same(&registry, "t/yr", "tons/years");
        same(&registry, "pd", "joule/sec/metre/metre");
        same(&registry, "L", "dm3");
    }

    #[test]
    fn a_circle_of_definitions_ends() {
        let model = Model { units: vec![definition("a", "b*c", &[]), definition("b", "a/c", &[])], ..Model::default() };
        assert!(Registry::new(&model).read("a").unwrap().is_some());
    }

    #[test]
    fn plurals_fold() {
        for (many, one) in [
            ("widgets", "widget"),
            ("boxes", "box"),
            ("gas", "gas"),
            ("bus", "bus"),
            ("mass", "mass"),
            ("analysis", "analysis"),
        ] {
            assert_eq!(singular(many), one);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z$*/^() 0-9.\\[\\]per-]{0,20}") {
            let _ = Registry::new(&Model::default()).read(&text);
        }

        #[test]
        fn what_is_printed_reads_back(text in "[abc]([*/][abc](\\^[2-4])?){0,6}") {
            let registry = Registry::new(&Model::default());
            let unit = registry.read(&text).unwrap().unwrap();
            prop_assert_eq!(registry.read(&registry.print(&unit)).unwrap().unwrap(), unit);
        }
    }
}
