//! Small models for tests, one line a variable: `stock customers = 100 + joining - leaving | person`.

use super::dialect::Dialect;
use super::expr::parse;
use super::model::{Equation, Kind, Model, Table, Variable};

/// A model from lines of `kind name = equation | unit`; a stock's equation is its initial value, then `+ inflow` and `- outflow` after `;`.
pub(crate) fn model(dialect: Dialect, time_unit: &str, lines: &str) -> Model {
    let mut model = Model { dialect, ..Model::default() };
    time_unit.clone_into(&mut model.time.unit);
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (left, unit) = line.split_once('|').unwrap_or((line, ""));
        let (head, right) = left.split_once('=').unwrap_or((left, ""));
        let (kind, name) = head.trim().split_once(' ').unwrap();
        model.variables.push(variable(dialect, kind, name.trim(), right.trim(), unit.trim()));
    }
    model
}

fn variable(dialect: Dialect, kind: &str, name: &str, right: &str, unit: &str) -> Variable {
    let mut equation = Equation { source: right.to_owned(), ..Equation::default() };
    let mut formula = right;
    let kind = match kind {
        "stock" => {
            let (initial, flows) = right.split_once(';').unwrap_or((right, ""));
            formula = initial;
            let pick = |sign: &str| -> Vec<String> {
                flows.split_whitespace().filter_map(|word| word.strip_prefix(sign)).map(str::to_owned).collect()
            };
            Kind::Stock { inflows: pick("+"), outflows: pick("-"), rate: Vec::new() }
        }
        // `net rate, initial` of Vensim.
        "level" => {
            let (rate, initial) = right.split_once(';').unwrap();
            formula = initial;
            Kind::Stock { inflows: Vec::new(), outflows: Vec::new(), rate: vec![parse(rate, dialect).unwrap()] }
        }
        "flow" => Kind::Flow,
        "aux" => Kind::Auxiliary,
        "par" => Kind::Parameter,
        "lookup" => {
            formula = "";
            let (x, y) = right.split_once(';').unwrap();
            let numbers = |text: &str| text.split_whitespace().map(|word| word.parse().unwrap()).collect();
            equation.table = Some(Table { x: numbers(x), y: numbers(y), ..Table::default() });
            Kind::Lookup
        }
        other => panic!("kind {other:?}"),
    };
    equation.expr = (!formula.trim().is_empty()).then(|| parse(formula.trim(), dialect).unwrap());
    Variable { name: name.to_owned(), kind, equations: vec![equation], unit: unit.to_owned(), ..Variable::default() }
}
