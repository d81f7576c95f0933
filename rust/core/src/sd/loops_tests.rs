//! Loops against the slow obvious search, and signs on known structures.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Sign, circuits, components, graph, shortest_independent};
use crate::sd::dialect::Dialect::{Vensim, Xmile};
use crate::sd::testing::model;

/// Every simple circle, found by extending every simple path; each begins with its smallest vertex.
fn brute(effects: &[Vec<usize>]) -> BTreeSet<Vec<usize>> {
    fn extend(effects: &[Vec<usize>], path: &mut Vec<usize>, out: &mut BTreeSet<Vec<usize>>) {
        for &next in &effects[path[path.len() - 1]] {
            if next == path[0] {
                out.insert(path.clone());
            } else if next > path[0] && !path.contains(&next) {
                path.push(next);
                extend(effects, path, out);
                path.pop();
            }
        }
    }
    let mut out = BTreeSet::new();
    for start in 0..effects.len() {
        extend(effects, &mut vec![start], &mut out);
    }
    out
}

fn any_graph() -> impl Strategy<Value = Vec<Vec<usize>>> {
    (1..8_usize).prop_flat_map(|size| {
        proptest::collection::vec(proptest::collection::btree_set(0..size, 0..=size.min(4)), size)
            .prop_map(|rows| rows.into_iter().map(|row| row.into_iter().collect()).collect())
    })
}

/// The rank of the circles as vectors over the links.
fn rank(circles: &[Vec<usize>], size: usize) -> usize {
    let mut rows: Vec<Vec<f64>> = circles
        .iter()
        .map(|circle| {
            let mut row = vec![0.0; size * size];
            for at in 0..circle.len() {
                row[circle[at] * size + circle[(at + 1) % circle.len()]] = 1.0;
            }
            row
        })
        .collect();
    let mut rank = 0;
    for column in 0..size * size {
        let Some(pivot) = (rank..rows.len()).find(|row| rows[*row][column].abs() > 1e-9) else { continue };
        rows.swap(rank, pivot);
        let top = rows[rank].clone();
        for row in rows.iter_mut().skip(rank + 1) {
            let factor = row[column] / top[column];
            row.iter_mut().zip(&top).for_each(|(cell, above)| *cell -= factor * above);
        }
        rank += 1;
    }
    rank
}

proptest! {
    #[test]
    fn all_circles_are_found_once(effects in any_graph()) {
        let expected = brute(&effects);
        let (found, complete) = circuits(&effects, usize::MAX);
        prop_assert!(complete);
        prop_assert_eq!(found.len(), expected.len());
        prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
    }

    #[test]
    fn the_limit_holds_and_says_so(effects in any_graph(), limit in 0..5_usize) {
        let all = brute(&effects).len();
        let (found, complete) = circuits(&effects, limit);
        prop_assert_eq!(found.len(), all.min(limit));
        prop_assert_eq!(complete, all <= limit);
    }

    #[test]
    fn independent_loops_are_loops_cover_all_links_and_are_independent(effects in any_graph()) {
        let all = brute(&effects);
        let chosen = shortest_independent(&effects);
        let links = |circle: &Vec<usize>| -> Vec<(usize, usize)> {
            (0..circle.len()).map(|at| (circle[at], circle[(at + 1) % circle.len()])).collect()
        };
        for circle in &chosen {
            prop_assert!(all.contains(circle));
        }
        let covered: BTreeSet<_> = chosen.iter().flat_map(links).collect();
        let wanted: BTreeSet<_> = all.iter().flat_map(links).collect();
        prop_assert_eq!(&covered, &wanted);
        prop_assert_eq!(rank(&chosen, effects.len()), chosen.len());
        // No more than the dimension of the cycle space: links − vertices + 1 in each component (Kampmann 1996).
        let bound: usize = components(&effects, 0)
            .iter()
            .map(|component| {
                let inner: usize = component.iter().map(|v| effects[*v].iter().filter(|t| component.contains(t)).count()).sum();
                inner + 1 - component.len()
            })
            .sum();
        prop_assert!(chosen.len() <= bound);
        // The shortest loop of each link is as short as the one chosen first for it.
        for link in wanted {
            let shortest = all.iter().filter(|circle| links(circle).contains(&link)).map(Vec::len).min().unwrap();
            prop_assert!(chosen.iter().any(|circle| links(circle).contains(&link) && circle.len() <= shortest));
        }
    }
}

#[test]
fn a_complete_graph_has_as_many_circles_as_the_formula_says() {
    // Sum over k of C(n, k) (k − 1)! (Johnson 1975).
    for (size, count) in [(2, 1), (3, 5), (4, 20), (5, 84), (6, 409)] {
        let effects: Vec<Vec<usize>> = (0..size).map(|v| (0..size).filter(|w| *w != v).collect()).collect();
        assert_eq!(circuits(&effects, usize::MAX).0.len(), count);
    }
}

#[test]
fn a_long_circle_needs_no_deep_stack() {
    let size = 100_000;
    let effects: Vec<Vec<usize>> = (0..size).map(|v| vec![(v + 1) % size]).collect();
    assert_eq!(circuits(&effects, 10).0.len(), 1);
    assert_eq!(components(&effects, 0).len(), 1);
}

/// The sign of the link between two variables.
fn sign(lines: &str, from: &str, to: &str) -> Sign {
    let model = model(Xmile, "", lines);
    let place = |name: &str| model.variables.iter().position(|variable| variable.name == name).unwrap();
    graph(&model).link(place(from), place(to)).unwrap().sign
}

#[test]
fn signs_follow_from_equations() {
    use Sign::{Minus, Plus, Unknown};
    let base = "par p = 2\n par n = -2\n stock s = 5\n aux gap = p - s\n lookup up = 0 1 2; 0 1 1\n lookup down = 0 1; 1 0\n lookup hump = 0 1 2; 0 1 0\n";
    for (equation, from, expected) in [
        ("p + s", "s", Plus),
        ("p - s", "s", Minus),
        ("s * p", "s", Plus),
        ("s * n", "s", Minus),
        ("p / s", "s", Minus),
        ("s / p", "s", Plus),
        ("gap / p", "gap", Plus),
        ("gap / p", "p", Unknown),
        ("gap * s", "s", Unknown),
        ("s ^ 2", "s", Plus),
        ("gap ^ 2", "gap", Unknown),
        ("gap ^ 3", "gap", Plus),
        ("2 ^ gap", "gap", Plus),
        ("0.5 ^ gap", "gap", Minus),
        ("s * (p - s)", "s", Unknown),
        ("max(0, gap)", "gap", Plus),
        ("s * max(0, gap)", "s", Plus),
        ("exp(-s)", "s", Minus),
        ("s * exp(gap)", "s", Plus),
        ("sqrt(s) + ln(s)", "s", Plus),
        ("smth1(gap, p)", "gap", Plus),
        ("smth1(gap, p)", "p", Unknown),
        ("up(s)", "s", Plus),
        ("down(s)", "s", Minus),
        ("hump(s)", "s", Unknown),
        ("up(s)", "up", Plus),
        ("if s > 1 then p else 0", "s", Unknown),
        ("if time > 1 then s else 2 * s", "s", Plus),
        ("if time > 1 then s else -s", "s", Unknown),
        ("safediv(s, p)", "p", Minus),
        ("surprising(s)", "s", Unknown),
        ("1 - s / p", "s", Minus),
        ("abs(s)", "s", Plus),
        ("abs(gap)", "gap", Unknown),
        ("s > p", "p", Minus),
        ("not (s > p)", "p", Plus),
    ] {
        assert_eq!(sign(&format!("{base} aux x = {equation}"), from, "x"), expected, "{equation}: {from}");
    }
}

const PREY: &str = "
    stock hares = 100; +births -deaths
    flow births = hares * birth rate
    flow deaths = lynxes * kills
    stock lynxes = 10; +lynx births -lynx_deaths
    aux kills = hares / area
    flow lynx births = lynxes * hares * efficiency
    flow lynx_deaths = lynxes * 0.2
    par birth rate = 1.2
    par area = 50
    par efficiency = 0.01
";

#[test]
fn loops_have_polarity_and_stocks() {
    let lines = PREY.replace("lynx births", "lynx_births").replace("birth rate", "birth_rate");
    let model = model(Xmile, "", &lines);
    let found = graph(&model).loops(100);
    assert!(found.complete);
    let name = |place: &usize| model.variables[*place].name.as_str();
    let shown: Vec<(Vec<&str>, Sign)> =
        found.loops.iter().map(|each| (each.variables.iter().map(name).collect(), each.polarity)).collect();
    assert_eq!(
        shown,
        [
            (vec!["hares", "births"], Sign::Plus),
            (vec!["lynxes", "lynx_births"], Sign::Plus),
            (vec!["lynxes", "lynx_deaths"], Sign::Minus),
            (vec!["hares", "kills", "deaths"], Sign::Minus),
            (vec!["hares", "lynx_births", "lynxes", "deaths"], Sign::Minus),
        ]
    );
    assert_eq!(found.loops[4].stocks.len(), 2);
    assert_eq!(graph(&model).independent().loops.len(), 5);
}

#[test]
fn net_flows_of_vensim_close_loops() {
    let model = model(Vensim, "", "level tea = (room - tea) / delay; 90\n par room = 20\n par delay = 10");
    let found = graph(&model).loops(10).loops;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].variables.as_slice(), found[0].polarity), ([0].as_slice(), Sign::Minus));
}

#[test]
fn initial_values_close_no_loop() {
    let model = model(Xmile, "", "stock a = b * 2; +f\n flow f = 1\n aux b = init(a) + smth1(c, 5, a)\n aux c = 1");
    let all = graph(&model);
    assert_eq!(all.loops(10).loops, []);
    let initial: Vec<(usize, usize)> =
        all.links.iter().filter(|link| link.initial).map(|link| (link.from, link.to)).collect();
    assert_eq!(initial, [(0, 2), (2, 0)]);
}

#[test]
fn a_delay_closes_a_loop_without_a_stock() {
    let model = model(Xmile, "", "aux expected = smth1(actual, 5)\n aux actual = 10 - expected");
    let found = graph(&model).loops(10).loops;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].polarity, Sign::Minus);
    assert!(found[0].stocks.is_empty());
}

#[test]
fn circles_between_elements_in_one_instant_are_no_feedback() {
    let model = model(Xmile, "", "aux x = x[North] + 1\n aux y = z[North]\n aux z = y[South]");
    assert_eq!(graph(&model).loops(10).loops, []);
}
