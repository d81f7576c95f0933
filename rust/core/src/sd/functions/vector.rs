//! Functions of whole vectors: order, rank, selection.
//!
//! Sources: vensim.com/documentation/fn_vector_sort_order.html, fn_vector_rank.html, fn_vector_select.html; XMILE 1.0 §3.7.1.4 and
//! Stella's help, "Array builtins", for RANK.

/// VECTOR SORT ORDER: the places of the items, counted from zero, in ascending order where `direction` is above zero, else in
/// descending order. Equal items keep their order.
pub fn sort_order(items: &[f64], direction: f64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..items.len()).collect();
    if direction > 0.0 {
        places.sort_by(|&a, &b| items[a].total_cmp(&items[b]));
    } else {
        places.sort_by(|&a, &b| items[b].total_cmp(&items[a]));
    }
    places
}

/// VECTOR RANK: the rank of each item, counted from one; equal items have ranks that follow each other.
pub fn ranks(items: &[f64], direction: f64, out: &mut [f64]) {
    for (rank, place) in sort_order(items, direction).into_iter().enumerate() {
        if let Some(entry) = out.get_mut(place) {
            *entry = (rank + 1) as f64;
        }
    }
}

/// RANK(array, rank[, ties]) of XMILE: the place, counted from one, of the item with a rank in ascending order; equal items are
/// ordered by `ties` if there are any. Outside the array it is not a number.
pub fn item_of_rank(items: &[f64], rank: f64, ties: &[f64]) -> f64 {
    let mut places: Vec<usize> = (0..items.len()).collect();
    let tie = |place: usize| ties.get(place).copied().unwrap_or(0.0);
    places.sort_by(|&a, &b| items[a].total_cmp(&items[b]).then(tie(a).total_cmp(&tie(b))));
    let at = rank.round();
    if at >= 1.0 && at <= items.len() as f64 { (places[at as usize - 1] + 1) as f64 } else { f64::NAN }
}

/// VECTOR SELECT: of the values whose selection is not zero, according to the action
/// 0 the weighted sum, 1 the product of weight and value, 2 their least, 3 their greatest, 4 their mean, 5 the product of
/// value to the power of weight (the manual says the reverse, Vensim's results say this), 6 the sum, 7 the product, 8 the least, 9 the greatest, 10 the mean of the values alone.
///
/// Without a selection it is `missing`. The error action 1 wants one selection at least, 2 one at most, 3 exactly one;
/// a breach, and an unknown action, is not a number (Vensim stops).
pub fn select(pairs: &[(f64, f64)], missing: f64, action: f64, error: f64) -> f64 {
    let chosen = || pairs.iter().filter(|pair| pair.0 != 0.0);
    let count = chosen().count();
    let error = error.round();
    if ((error == 1.0 || error == 3.0) && count == 0) || ((error == 2.0 || error == 3.0) && count > 1) {
        return f64::NAN;
    }
    if count == 0 {
        return missing;
    }
    let weighted = || chosen().map(|&(weight, value)| weight * value);
    let plain = || chosen().map(|&(_, value)| value);
    match action.round() {
        0.0 => weighted().sum(),
        1.0 => weighted().product(),
        2.0 => weighted().fold(f64::INFINITY, least),
        3.0 => weighted().fold(f64::NEG_INFINITY, greatest),
        4.0 => weighted().sum::<f64>() / count as f64,
        5.0 => chosen().map(|&(weight, value)| libm::pow(value, weight)).product(),
        6.0 => plain().sum(),
        7.0 => plain().product(),
        8.0 => plain().fold(f64::INFINITY, least),
        9.0 => plain().fold(f64::NEG_INFINITY, greatest),
        10.0 => plain().sum::<f64>() / count as f64,
        _ => f64::NAN,
    }
}

fn least(a: f64, b: f64) -> f64 {
    if a < b || a.is_nan() { a } else { b }
}

fn greatest(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranks_are_those_of_the_manual() {
        let mut out = [0.0; 3];
        ranks(&[5000.0, 3000.0, 8000.0], 1.0, &mut out);
        assert_eq!(out, [2.0, 1.0, 3.0]);
        ranks(&[5000.0, 3000.0, 8000.0], 0.0, &mut out);
        assert_eq!(out, [2.0, 3.0, 1.0]);
        assert_eq!(sort_order(&[2.0, 1.0, 2.0], 1.0), [1, 0, 2]);
        assert_eq!(sort_order(&[2.0, 1.0, 2.0], -1.0), [0, 2, 1]);
    }

    #[test]
    fn ties_are_broken() {
        assert_eq!(item_of_rank(&[3.0, 1.0, 3.0], 1.0, &[]), 2.0);
        assert_eq!(item_of_rank(&[3.0, 1.0, 3.0], 2.0, &[]), 1.0);
        assert_eq!(item_of_rank(&[3.0, 1.0, 3.0], 2.0, &[5.0, 0.0, 4.0]), 3.0);
        assert!(item_of_rank(&[3.0], 2.0, &[]).is_nan() && item_of_rank(&[3.0], 0.0, &[]).is_nan());
    }

    #[test]
    fn selections_are_those_of_the_manual() {
        let pairs = [(2.0, 3.0), (0.0, 9.0), (0.5, 4.0)];
        let expected = [8.0, 12.0, 2.0, 6.0, 4.0, 18.0, 7.0, 12.0, 3.0, 4.0, 3.5];
        for (action, value) in expected.iter().enumerate() {
            assert_eq!(select(&pairs, -1.0, action as f64, 0.0), *value, "{action}");
        }
        assert_eq!(select(&[(0.0, 9.0)], -12345.0, 6.0, 0.0), -12345.0);
        assert!(select(&pairs, -1.0, 11.0, 0.0).is_nan());
        // reference/sd/test-models/tests/vector_select/output.tab, Aout1 1: six digits.
        let pairs = [(1.0, 0.5), (0.3, 1.2), (-1.0, 0.3), (0.5, 1.0), (1.0, 1.0)];
        assert!((select(&pairs, 0.0, 5.0, 0.0) - 1.76037).abs() < 1e-5);
    }

    #[test]
    fn the_error_action_counts_selections() {
        let (none, one, two) = ([(0.0, 1.0)], [(1.0, 1.0)], [(1.0, 1.0), (1.0, 1.0)]);
        let fails = |pairs: &[(f64, f64)], error: f64| select(pairs, 0.0, 0.0, error).is_nan();
        assert_eq!(
            [fails(&none, 0.0), fails(&none, 1.0), fails(&none, 2.0), fails(&none, 3.0)],
            [false, true, false, true]
        );
        assert_eq!([fails(&one, 1.0), fails(&one, 2.0), fails(&one, 3.0)], [false, false, false]);
        assert_eq!(
            [fails(&two, 0.0), fails(&two, 1.0), fails(&two, 2.0), fails(&two, 3.0)],
            [false, false, true, true]
        );
    }

    proptest! {
        #[test]
        fn an_order_sorts_and_ranks_undo_it(items in prop::collection::vec(-9.0f64..9.0, 1..20), up: bool) {
            let direction = if up { 1.0 } else { -1.0 };
            let order = sort_order(&items, direction);
            prop_assert!(order.windows(2).all(|pair| direction * (items[pair[1]] - items[pair[0]]) >= 0.0));
            let mut out = vec![0.0; items.len()];
            ranks(&items, direction, &mut out);
            prop_assert!(order.iter().enumerate().all(|(rank, &place)| out[place] == (rank + 1) as f64));
        }
    }
}
