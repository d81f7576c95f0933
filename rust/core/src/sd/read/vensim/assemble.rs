//! Statements put together to variables: several equations of one name are one variable.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, Ranges, Resolve, structure, texts};
use crate::sd::dialect::Dialect;
use crate::sd::error::ModelError;
use crate::sd::expr::{Expr, ExprKind, print};
use crate::sd::model::{Dimension, Equation, Interpolation, Kind, Macro, Model, Series, Table, Variable, canonical};
use crate::sd::read::external::reads_file;
use crate::sd::read::one_line;
use crate::sd::read::side::Role;

/// One statement, read.
pub(super) struct Piece {
    pub(super) name: String,
    pub(super) equation: Equation,
    pub(super) role: Role,
    pub(super) unit: String,
    pub(super) limits: (Option<f64>, Option<f64>),
    pub(super) comment: String,
    pub(super) group: String,
    pub(super) interpolation: Option<Interpolation>,
}

/// `Month [0,100,1]`: the unit and the range.
pub(super) fn unit(text: &str) -> (String, (Option<f64>, Option<f64>)) {
    let Some((unit, rest)) = text.rsplit_once('[') else { return (text.trim().to_owned(), (None, None)) };
    let Some((inside, after)) = rest.split_once(']') else { return (text.trim().to_owned(), (None, None)) };
    if !after.trim().is_empty() {
        return (text.trim().to_owned(), (None, None));
    }
    let mut bounds = inside.split(',').map(|bound| bound.trim().parse::<f64>().ok().filter(|value| value.is_finite()));
    (unit.trim().to_owned(), (bounds.next().flatten(), bounds.next().flatten()))
}

/// Builds variables; knows the subscript ranges.
pub(super) struct Builder<'a> {
    dimensions: &'a [Dimension],
    ranges: Ranges,
    pub(super) data: Vec<Series>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(dimensions: &'a [Dimension]) -> Self {
        Self { dimensions, ranges: Ranges::new(dimensions), data: Vec::new() }
    }

    /// The variables of one scope, in the order of the file.
    pub(super) fn variables(
        &mut self,
        pieces: Vec<Piece>,
        files: &mut Option<&mut dyn Resolve>,
    ) -> Result<Vec<Variable>, ModelError> {
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut groups: Vec<Vec<Piece>> = Vec::new();
        for piece in pieces {
            let place = *places.entry(canonical(&piece.name)).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[place].push(piece);
        }
        groups.into_iter().map(|group| self.variable(group, files)).collect()
    }

    fn variable(&mut self, group: Vec<Piece>, files: &mut Option<&mut dyn Resolve>) -> Result<Variable, ModelError> {
        let mut variable = Variable::default();
        let mut roles = Vec::new();
        let mut rates = Vec::new();
        for piece in group {
            if variable.name.is_empty() {
                variable.name = piece.name;
            }
            // Vensim puts unit and comment at the last equation of a variable.
            if !piece.unit.is_empty() {
                variable.unit = piece.unit;
            }
            if !piece.comment.is_empty() {
                variable.comment = piece.comment;
            }
            if piece.limits != (None, None) {
                variable.limits = piece.limits;
            }
            variable.group = piece.group;
            variable.interpolation = piece.interpolation.unwrap_or(variable.interpolation);
            if let Role::Stock(rate) = &piece.role {
                rates.push(rate.clone());
            }
            roles.push(piece.role);
            variable.equations.push(piece.equation);
        }
        let line = variable.equations.first().map_or(0, |one| one.line);
        variable.dimensions = self.family(&variable, line)?;
        let all = |wanted: &Role| roles.iter().all(|role| role == wanted);
        let any = |wanted: &Role| roles.contains(wanted);
        variable.kind = if rates.len() == roles.len() {
            Kind::Stock { inflows: Vec::new(), outflows: Vec::new(), rate: rates }
        } else if !rates.is_empty() {
            let message =
                format!("{:?} is a stock in some of its equations only: expected INTEG in each", variable.name);
            return Err(structure(message, line));
        } else if all(&Role::Lookup) {
            Kind::Lookup
        } else if any(&Role::Lookup) {
            let message =
                format!("{:?} is a lookup in some of its equations only: expected points in each", variable.name);
            return Err(structure(message, line));
        } else if any(&Role::Data) {
            Kind::Data
        } else if all(&Role::Parameter) {
            Kind::Parameter
        } else {
            Kind::Auxiliary
        };
        if let Some(files) = files {
            self.answer(&mut variable, &mut **files)?;
        }
        if variable.kind == Kind::Data {
            // A bare declaration has no right side; its series comes from outside.
            variable.equations.retain(|one| one.expr.is_some());
        }
        Ok(variable)
    }

    /// The elements that a subscript of a left side stands for; `None` when it is no range.
    fn range(&self, name: &str) -> Option<&'a [String]> {
        self.ranges.dimensions.get(&canonical(name)).map(|&place| self.dimensions[place].elements.as_slice())
    }

    /// The dimensions of a variable: at each place the range that holds all elements that its equations name.
    fn family(&self, variable: &Variable, line: u32) -> Result<Vec<String>, ModelError> {
        let Some(first) = variable.equations.first() else { return Ok(Vec::new()) };
        let count = first.subscripts.len();
        if let Some(other) = variable.equations.iter().find(|one| one.subscripts.len() != count) {
            let message = format!(
                "{:?} has {count} subscripts in one equation and {} in another: expected as many",
                variable.name,
                other.subscripts.len()
            );
            return Err(structure(message, other.line));
        }
        let mut out = Vec::with_capacity(count);
        for place in 0..count {
            let written: Vec<&String> = variable.equations.iter().filter_map(|one| one.subscripts.get(place)).collect();
            if let Some(only) = written.first()
                && written.iter().all(|other| canonical(other) == canonical(only))
                && self.range(only).is_some()
            {
                out.push((*only).clone());
                continue;
            }
            let mut used: BTreeSet<String> = BTreeSet::new();
            for name in &written {
                match self.range(name) {
                    Some(elements) => used.extend(elements.iter().map(|element| canonical(element))),
                    None => {
                        used.insert(canonical(name));
                    }
                }
            }
            let holds = |dimension: &Dimension| {
                let own: BTreeSet<String> = dimension.elements.iter().map(|element| canonical(element)).collect();
                used.is_subset(&own)
            };
            let named = written.iter().filter_map(|name| self.ranges.dimensions.get(&canonical(name)));
            let named = named.map(|&at| &self.dimensions[at]).find(|dimension| holds(dimension));
            let family = named.or_else(|| {
                let candidates = self.ranges.elements.get(used.iter().next()?)?;
                let fitting = candidates.iter().map(|&at| &self.dimensions[at]).filter(|dimension| holds(dimension));
                fitting.min_by_key(|dimension| dimension.elements.len())
            });
            match family {
                Some(dimension) => out.push(dimension.name.clone()),
                // An unknown subscript: the checks name it and what is like it.
                None if written
                    .iter()
                    .any(|name| self.range(name).is_none() && !self.ranges.elements.contains_key(&canonical(name))) =>
                {
                    out.push(written.first().map_or_else(String::new, |name| (*name).clone()));
                }
                None => {
                    let list: Vec<&str> = written.iter().map(|name| name.as_str()).collect();
                    let message = format!(
                        "{:?} is defined for {}: no subscript range holds them all. Define one",
                        variable.name,
                        list.join(", ")
                    );
                    return Err(structure(message, line));
                }
            }
        }
        Ok(out)
    }

    /// Puts the data of files in the place of the calls that ask for it.
    fn answer(&mut self, variable: &mut Variable, files: &mut dyn Resolve) -> Result<(), ModelError> {
        let mut out = Vec::new();
        for mut equation in std::mem::take(&mut variable.equations) {
            let call = equation.expr.as_ref().and_then(|expr| match &expr.kind {
                ExprKind::Call { function, arguments, .. } => Some((function.clone(), texts(arguments))),
                _ => None,
            });
            let asks = call.filter(|(function, _)| reads_file(&canonical(function)));
            let Some((function, arguments)) = asks else {
                out.push(equation);
                continue;
            };
            let ranging: Vec<&[String]> = equation.subscripts.iter().filter_map(|name| self.range(name)).collect();
            let shape: Vec<usize> = ranging.iter().map(|elements| elements.len()).collect();
            let size: usize = shape.iter().product();
            let line = equation.line;
            let refuse = |message: String| structure(format!("{function} of {:?}: {message}", variable.name), line);
            match files.resolve(&function, &arguments, &shape).map_err(&refuse)? {
                Answer::Constants(values) => {
                    if values.len() != size {
                        return Err(refuse(format!("{} values were found: expected {size}", values.len())));
                    }
                    let span = equation.expr.as_ref().map(|expr| expr.span).unwrap_or_default();
                    let kind = match (values.as_slice(), shape.last()) {
                        ([only], None) if only.is_nan() => ExprKind::Missing,
                        ([only], None) => ExprKind::Number(*only),
                        (_, last) => ExprKind::Literal(
                            values.chunks(last.copied().unwrap_or(1).max(1)).map(<[f64]>::to_vec).collect(),
                        ),
                    };
                    let expr = Expr { span, kind };
                    equation.source = print(&expr, Dialect::Vensim);
                    equation.expr = Some(expr);
                    out.push(equation);
                }
                Answer::Series(x, values) => {
                    if values.len() != size {
                        return Err(refuse(format!("{} series were found: expected {size}", values.len())));
                    }
                    for (subscripts, row) in self.elements(&equation.subscripts).into_iter().zip(values) {
                        if row.len() != x.len() {
                            return Err(refuse(format!("a series has {} values for {} points", row.len(), x.len())));
                        }
                        let kept = x.iter().copied().zip(row).filter(|(_, value)| !value.is_nan());
                        let (x, y): (Vec<f64>, Vec<f64>) = kept.unzip();
                        if x.is_empty() {
                            return Err(refuse("no values were found".to_owned()));
                        }
                        if variable.kind == Kind::Lookup {
                            let table = Some(Table { x, y, ..Table::default() });
                            out.push(Equation { subscripts, table, line, ..Equation::default() });
                        } else {
                            self.data.push(Series {
                                variable: variable.name.clone(),
                                element: subscripts,
                                times: x,
                                values: y,
                                interpolation: variable.interpolation,
                            });
                        }
                    }
                }
                Answer::Names(_) => return Err(refuse("it was answered with names".to_owned())),
            }
        }
        variable.equations = out;
        Ok(())
    }

    /// All elements of a left side, the last subscript fastest.
    fn elements(&self, subscripts: &[String]) -> Vec<Vec<String>> {
        let mut out = vec![Vec::new()];
        for name in subscripts {
            let own = [name.clone()];
            let elements = self.range(name).unwrap_or(&own);
            out = out
                .iter()
                .flat_map(|before: &Vec<String>| {
                    elements.iter().map(|element| before.iter().chain([element]).cloned().collect())
                })
                .collect();
        }
        out
    }
}

/// Makes variables of the further outputs of macro calls, `y = MACRO(a : z)`.
pub(super) fn outputs(model: &mut Model) {
    let macros: Vec<(String, Vec<String>)> =
        model.macros.iter().map(|one: &Macro| (canonical(&one.name), one.outputs.clone())).collect();
    if macros.iter().all(|(_, outputs)| outputs.is_empty()) {
        return;
    }
    let mut scopes: Vec<&mut Vec<Variable>> = vec![&mut model.variables];
    scopes.extend(model.macros.iter_mut().map(|one| &mut one.variables));
    for variables in scopes {
        let mut made = Vec::new();
        for variable in variables.iter_mut() {
            for equation in &mut variable.equations {
                let Some(Expr { kind: ExprKind::Call { function, arguments, .. }, span }) = &mut equation.expr else {
                    continue;
                };
                let Some(Expr { kind: ExprKind::Call { function: mark, arguments: names, .. }, .. }) = arguments.last()
                else {
                    continue;
                };
                let Some((_, outputs)) = macros.iter().find(|(name, _)| mark == ":" && *name == canonical(function))
                else {
                    continue;
                };
                let names: Vec<String> = names
                    .iter()
                    .filter_map(|name| match &name.kind {
                        ExprKind::Reference { name, .. } => Some(name.clone()),
                        _ => None,
                    })
                    .collect();
                arguments.pop();
                for (name, output) in names.into_iter().zip(outputs) {
                    let kind = ExprKind::Call {
                        function: format!("{function}:{output}"),
                        subscripts: Vec::new(),
                        arguments: arguments.clone(),
                    };
                    let expr = Expr { span: *span, kind };
                    let own = Equation {
                        subscripts: equation.subscripts.clone(),
                        except: equation.except.clone(),
                        source: one_line(&print(&expr, Dialect::Vensim)),
                        expr: Some(expr),
                        line: equation.line,
                        ..Equation::default()
                    };
                    made.push(Variable {
                        name,
                        dimensions: variable.dimensions.clone(),
                        equations: vec![own],
                        group: variable.group.clone(),
                        ..Variable::default()
                    });
                }
            }
        }
        variables.extend(made);
    }
}
