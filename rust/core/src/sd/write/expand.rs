//! Equations for parts of an array, written out element by element: subranges and exceptions, which XMILE does not have.

use crate::sd::expr::{Expr, NameUse};
use crate::sd::model::{Equation, Model, canonical};

/// More elements than this are not written one by one.
const MOST: usize = 100_000;

fn elements<'m>(model: &'m Model, name: &str) -> Option<&'m [String]> {
    let wanted = canonical(name);
    model.dimensions.iter().find(|one| canonical(&one.name) == wanted).map(|one| one.elements.as_slice())
}

/// The equation once for each element that it stands for; `None` when there are too many, or a name is unknown.
pub(super) fn expanded(model: &Model, equation: &Equation) -> Option<Vec<Equation>> {
    let mut tuples: Vec<Vec<String>> = vec![Vec::new()];
    for subscript in &equation.subscripts {
        let own = [subscript.clone()];
        let choices = elements(model, subscript).unwrap_or(&own);
        if tuples.len().checked_mul(choices.len())? > MOST {
            return None;
        }
        tuples = tuples
            .iter()
            .flat_map(|head| choices.iter().map(|last| head.iter().chain([last]).cloned().collect()))
            .collect();
    }
    let excepted = |tuple: &[String]| {
        equation.except.iter().any(|parts| {
            parts.len() == tuple.len()
                && parts.iter().zip(tuple).all(|(part, element)| {
                    canonical(part) == canonical(element)
                        || elements(model, part)
                            .is_some_and(|all| all.iter().any(|one| canonical(one) == canonical(element)))
                })
        })
    };
    let change = |expr: &Option<Expr>, tuple: &[String]| {
        let mut expr = expr.clone()?;
        expr.rename(&mut |name, what| {
            if what == NameUse::Function {
                return;
            }
            let place = equation.subscripts.iter().position(|subscript| canonical(subscript) == canonical(name));
            if let Some(place) = place {
                name.clone_from(&tuple[place]);
            }
        });
        Some(expr)
    };
    let kept = tuples.into_iter().filter(|tuple| !excepted(tuple));
    Some(
        kept.map(|tuple| Equation {
            expr: change(&equation.expr, &tuple),
            initial: change(&equation.initial, &tuple),
            except: Vec::new(),
            subscripts: tuple,
            ..equation.clone()
        })
        .collect(),
    )
}
