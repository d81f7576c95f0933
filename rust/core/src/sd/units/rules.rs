//! What functions do with units. One line a function, in a small notation.
//!
//! Each argument has a pattern, a product of powers of three letters: `a` and `b` are any unit, the same wherever the letter stands; `t` is the
//! unit of time; `1` is dimensionless; `_` is not looked at. A `*` at the end repeats the last pattern. `?` as a result: unknown.
//! Sources: Vensim reference manual, functions A–Z; XMILE 1.0 §3.5.

use crate::sd::dialect::Dialect;

/// The rule of a function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    names: &'static str,
    dialect: Option<Dialect>,
    /// Patterns of the arguments, separated by blanks.
    pub(super) arguments: &'static str,
    /// Pattern of the result.
    pub(super) result: &'static str,
}

const fn rule(names: &'static str, arguments: &'static str, result: &'static str) -> Rule {
    Rule { names, dialect: None, arguments, result }
}

const fn only(dialect: Dialect, names: &'static str, arguments: &'static str, result: &'static str) -> Rule {
    Rule { names, dialect: Some(dialect), arguments, result }
}

const RULES: &[Rule] = &[
    rule("abs integer int round initial init game uniflow reinitial", "a", "a"),
    rule("max min vmax vmin mean stddev sum active_initial", "a a *", "a"),
    rule("quantum modulo mod", "a a", "a"),
    rule("exp ln log10 sinh cosh tanh sin cos tan arcsin arccos arctan asin acos atan gamma_ln gammaln", "1", "1"),
    rule("log", "1 1", "1"),
    rule("arctan2 atan2", "a a", "1"),
    rule("zidz", "a b", "a/b"),
    rule("xidz", "a b a/b", "a/b"),
    rule("safediv //", "a b a/b", "a/b"),
    rule("if_then_else", "_ a a", "a"),
    rule("sample_if_true", "_ a a", "a"),
    rule("step", "a t", "a"),
    rule("ramp", "a/t t t", "a"),
    only(Dialect::Vensim, "pulse", "t t", "1"),
    only(Dialect::Xmile, "pulse", "a t t", "a/t"),
    rule("pulse_train", "t t t t", "1"),
    rule("smooth smooth3 smth1 smth3", "a t a", "a"),
    rule("smoothi smooth3i", "a t a", "a"),
    only(Dialect::Vensim, "smooth_n delay_n", "a t a 1", "a"),
    only(Dialect::Xmile, "smthn delayn smooth_n delay_n", "a t 1 a", "a"),
    rule("delay delay1 delay3 delay1i delay3i delay_fixed delay_information", "a t a", "a"),
    rule("delay_material", "a t a a", "a"),
    rule("delayp", "a t _", "a"),
    rule("trend", "a t 1/t", "1/t"),
    rule("forecast", "a t t", "a"),
    rule("forcst", "a t t 1/t", "a"),
    rule("npv", "a 1/t a*t 1", "a*t"),
    rule("previous", "a a", "a"),
    rule("history", "a t", "a"),
    rule("get_data_at_time get_data_between_times", "a t _", "a"),
    rule("get_data_max get_data_min get_data_mean get_data_median get_data_first_time get_data_last_time", "_ *", "?"),
    rule("get_time_value", "_ *", "?"),
    rule("random_uniform", "a a _", "a"),
    rule("random_normal", "a a a a _", "a"),
    rule("random_exponential random_poisson", "a a a a _", "a"),
    rule("random_triangular", "a a a a a _", "a"),
    rule("random_0_1", "", "1"),
    rule("random", "a a _", "a"),
    rule("normal", "a a _ _ _", "a"),
    rule("exprnd", "a _", "a"),
    rule("size elmcount", "_ *", "1"),
    rule("vector_select", "_ a _ _ _", "a"),
    rule("vector_sort_order vector_rank rank", "_ *", "1"),
    rule("vector_reorder vector_elm_map", "a _", "a"),
    rule("invert_matrix", "a _", "1/a"),
    rule("allocate_available", "a _ a", "a"),
    rule("allocate_by_priority", "a _ _ _ a", "a"),
    rule("depreciate_straightline", "a t _ _", "a"),
    rule("pi", "", "1"),
    rule("time dt time_step starttime stoptime initial_time final_time saveper", "", "t"),
];

/// The rule of a function by its canonical name.
pub(super) fn find(name: &str, dialect: Dialect) -> Option<&'static Rule> {
    RULES.iter().find(|rule| {
        rule.dialect.is_none_or(|only| only == dialect) && rule.names.split(' ').any(|known| known == name)
    })
}

/// The exponents of `a`, `b` and `t` in a pattern; `None` for `_` and `?`.
pub(super) fn pattern(text: &str) -> Option<[i8; 3]> {
    let mut out = [0; 3];
    let mut sign = 1;
    for character in text.chars() {
        match character {
            'a' => out[0] += sign,
            'b' => out[1] += sign,
            't' => out[2] += sign,
            '/' => sign = -1,
            '*' => sign = 1,
            '1' => {}
            _ => return None,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{RULES, find, pattern};
    use crate::sd::dialect::Dialect;

    #[test]
    fn every_rule_is_well_formed_and_found() {
        for rule in RULES {
            for word in rule.arguments.split_whitespace() {
                assert!(word == "_" || word == "*" || pattern(word).is_some(), "{rule:?}");
            }
            assert!(rule.result == "?" || pattern(rule.result).is_some(), "{rule:?}");
            for name in rule.names.split(' ') {
                let dialects = rule.dialect.map_or(vec![Dialect::Vensim, Dialect::Xmile], |dialect| vec![dialect]);
                for dialect in dialects {
                    assert_eq!(find(name, dialect).unwrap().names, rule.names, "{name} has two rules");
                }
            }
        }
    }

    #[test]
    fn patterns_have_exponents() {
        assert_eq!(pattern("a/t"), Some([1, 0, -1]));
        assert_eq!(pattern("1/t"), Some([0, 0, -1]));
        assert_eq!(pattern("a*t"), Some([1, 0, 1]));
        assert_eq!(pattern("_"), None);
    }
}
