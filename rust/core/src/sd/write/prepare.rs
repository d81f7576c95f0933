//! A model of one dialect as a model of the other: what the writer then writes.

use std::collections::{BTreeMap, BTreeSet};

use super::expand::expanded;
use super::refuse;
use super::translate::{Translator, Unsaid, name};
use crate::sd::dialect::Dialect;
use crate::sd::error::{ModelError, Place};
use crate::sd::expr::{BinaryOp, Expr, ExprKind, Span, UnaryOp};
use crate::sd::model::{
    Equation, Interpolation, Kind, Model, Table, TableKind, Variable, canonical, is_control, is_whole,
};
use crate::sd::pipes::named_flows;

/// The model in the words of `to`; the same model when it already is.
pub(super) fn prepare(model: &Model, to: Dialect) -> Result<Model, ModelError> {
    if model.dialect == to {
        return Ok(model.clone());
    }
    if let Some(each) = model.macros.first() {
        let reason = "macros are not translated between XMILE and Vensim; write its equations into the model";
        return Err(refuse(model, &Variable::default(), None, Span::default(), "macro", &each.name, reason));
    }
    let mut out =
        Model { dialect: to, display: String::new(), variables: Vec::new(), data: Vec::new(), ..model.clone() };
    if model.moving_end {
        let reason = "XMILE has no final time that is computed during the run; give the model a fixed one";
        return Err(refuse(model, &Variable::default(), None, Span::default(), "final time", "FINAL TIME", reason));
    }
    let translator = Translator::new(model, to);
    match to {
        Dialect::Xmile => to_xmile(model, &translator, &mut out)?,
        Dialect::Vensim => to_vensim(model, &translator, &mut out)?,
    }
    Ok(out)
}

fn said(model: &Model, variable: &Variable, equation: &Equation, unsaid: &Unsaid) -> ModelError {
    refuse(model, variable, Some(equation), unsaid.span, unsaid.what, &unsaid.name, &unsaid.reason)
}

/// The equations of a variable, translated.
fn equations(model: &Model, translator: &Translator<'_>, variable: &Variable) -> Result<Vec<Equation>, ModelError> {
    let one = |equation: &Equation| {
        let change = |expr: &Option<Expr>| {
            let changed = expr.as_ref().map(|expr| translator.expr(expr, &equation.subscripts)).transpose();
            changed.map_err(|unsaid| said(model, variable, equation, &unsaid))
        };
        Ok(Equation { expr: change(&equation.expr)?, initial: change(&equation.initial)?, ..equation.clone() })
    };
    variable.equations.iter().map(one).collect()
}

fn to_xmile(model: &Model, translator: &Translator<'_>, out: &mut Model) -> Result<(), ModelError> {
    // Where a mapping is used, the writer refuses the equation.
    for dimension in &mut out.dimensions {
        dimension.mappings.clear();
    }
    let time = &model.time;
    if !(time.initial_time.is_finite() && time.final_time.is_finite() && time.dt.is_finite()) {
        let reason = "XMILE wants numbers for the times of a run";
        return Err(refuse(
            model,
            &Variable::default(),
            None,
            Span::default(),
            "control variable",
            "TIME STEP",
            reason,
        ));
    }
    // A flow has one stock at each end: a variable that enters two net flows on the same side stays an auxiliary.
    let mut ends: [BTreeMap<String, usize>; 2] = [BTreeMap::new(), BTreeMap::new()];
    for stock in &model.variables {
        let (inflows, outflows) = named_flows(model, stock).unwrap_or_default();
        for (side, names) in [inflows, outflows].iter().enumerate() {
            for name in names {
                *ends[side].entry(canonical(name)).or_default() += 1;
            }
        }
    }
    let single = |names: &[String], side: usize| names.iter().all(|name| ends[side].get(&canonical(name)) == Some(&1));
    let mut flows: BTreeSet<String> = BTreeSet::new();
    for variable in model.variables.iter().filter(|variable| !is_control(&canonical(&variable.name))) {
        let mut copy = Variable { equations: equations(model, translator, variable)?, ..variable.clone() };
        if let Kind::Stock { rate, .. } = &variable.kind {
            let found = named_flows(model, variable).filter(|(plus, minus)| single(plus, 0) && single(minus, 1));
            if let Some((inflows, outflows)) = found {
                flows.extend(inflows.iter().chain(&outflows).map(|name| canonical(name)));
                copy.kind = Kind::Stock { inflows, outflows, rate: Vec::new() };
            } else {
                let flow = net_flow(model, translator, variable, rate)?;
                copy.kind = Kind::Stock { inflows: vec![flow.name.clone()], outflows: Vec::new(), rate: Vec::new() };
                out.variables.push(flow);
            }
        }
        if variable.kind == Kind::Data {
            series(model, variable, &mut copy, Dialect::Xmile)?;
        }
        out.variables.push(copy);
    }
    for variable in &mut out.variables {
        if flows.contains(&canonical(&variable.name)) {
            variable.kind = Kind::Flow;
        }
    }
    Ok(())
}

/// The net flow of a level as a variable of its own.
fn net_flow(
    model: &Model,
    translator: &Translator<'_>,
    stock: &Variable,
    rate: &[Expr],
) -> Result<Variable, ModelError> {
    let mut label = format!("{} net flow", stock.name);
    while model.variable(&label).is_some() {
        label.push_str(" 2");
    }
    let mut equations = Vec::new();
    for (equation, expr) in stock.equations.iter().zip(rate) {
        let expr =
            translator.expr(expr, &equation.subscripts).map_err(|unsaid| said(model, stock, equation, &unsaid))?;
        equations.push(Equation { expr: Some(expr), initial: None, table: None, ..equation.clone() });
    }
    let unit = match (stock.unit.trim(), model.time.unit.trim()) {
        ("", _) | (_, "") => String::new(),
        (unit, time) => format!("({unit})/{time}"),
    };
    Ok(Variable {
        name: label,
        kind: Kind::Flow,
        dimensions: stock.dimensions.clone(),
        equations,
        unit,
        group: stock.group.clone(),
        ..Variable::default()
    })
}

/// The elements of a variable, the last dimension fastest.
fn elements(model: &Model, variable: &Variable) -> Vec<Vec<String>> {
    let mut out = vec![Vec::new()];
    for name in &variable.dimensions {
        let wanted = canonical(name);
        let dimension = model.dimensions.iter().find(|dimension| canonical(&dimension.name) == wanted);
        let names = dimension.map_or(&[][..], |dimension| &dimension.elements);
        out = out
            .iter()
            .flat_map(|head: &Vec<String>| {
                names.iter().map(|name| head.iter().chain(std::iter::once(name)).cloned().collect())
            })
            .collect();
    }
    out
}

/// A series as a lookup of time.
pub(super) fn series(model: &Model, variable: &Variable, copy: &mut Variable, to: Dialect) -> Result<(), ModelError> {
    let wanted = canonical(&variable.name);
    let cannot = |reason: &str| {
        refuse(model, variable, variable.equations.first(), Span::default(), "series", &variable.name, reason)
    };
    let all: Vec<_> = model.data.iter().filter(|series| canonical(&series.variable) == wanted).collect();
    if all.is_empty() && variable.equations.iter().all(|equation| equation.expr.is_none()) {
        return Err(cannot("its values are not in the model; hand them over before writing"));
    }
    copy.kind = Kind::Auxiliary;
    // Elements that are constants stay.
    copy.equations.retain(|equation| equation.expr.is_some());
    let absent: Vec<Vec<String>> = elements(model, variable)
        .into_iter()
        .filter(|element| {
            let same = |names: &[String]| {
                names.len() == element.len() && names.iter().zip(element).all(|(a, b)| canonical(a) == canonical(b))
            };
            !all.iter().any(|one| same(&one.element)) && copy.equations.is_empty()
        })
        .collect();
    if !absent.is_empty() && to == Dialect::Xmile {
        return Err(cannot("some of its elements have no series: XMILE has no value for what is not available"));
    }
    for subscripts in absent {
        let missing = Expr { kind: ExprKind::Missing, ..Expr::default() };
        copy.equations.push(Equation { subscripts, expr: Some(missing), ..Equation::default() });
    }
    for one in all {
        let kind = match one.interpolation {
            Interpolation::Linear => TableKind::Continuous,
            Interpolation::Hold => TableKind::Discrete,
            Interpolation::Forward | Interpolation::Raw => {
                return Err(cannot("only linear and backward-holding series can be written as a lookup of time"));
            }
        };
        if kind == TableKind::Discrete && to == Dialect::Vensim {
            return Err(cannot("Vensim's WITH LOOKUP is linear"));
        }
        copy.equations.push(Equation {
            subscripts: one.element.clone(),
            expr: Some(name(if to == Dialect::Xmile { "TIME" } else { "Time" })),
            table: Some(Table { x: one.times.clone(), y: one.values.clone(), kind, frame: None }),
            ..Equation::default()
        });
    }
    Ok(())
}

fn to_vensim(model: &Model, translator: &Translator<'_>, out: &mut Model) -> Result<(), ModelError> {
    for dimension in &model.dimensions {
        if let Some(element) = dimension.elements.iter().find(|name| name.starts_with(|c: char| c.is_ascii_digit())) {
            let reason = "elements of a Vensim model need names that begin with a letter";
            return Err(refuse(
                model,
                &Variable::default(),
                None,
                Span::default(),
                "element",
                &format!("{}.{element}", dimension.name),
                reason,
            ));
        }
    }
    for variable in &model.variables {
        let cannot = |what: &'static str, reason: &str| {
            Err(refuse(model, variable, variable.equations.first(), Span::default(), what, &variable.name, reason))
        };
        if variable.container.is_some() {
            return cannot("conveyor, queue or oven", "Vensim has no such stock");
        }
        if variable.leak.is_some() || variable.overflow || variable.spread.is_some() {
            return cannot("leak or overflow", "Vensim has no such flow");
        }
        let mut copy = Variable { equations: equations(model, translator, variable)?, ..variable.clone() };
        // What XMILE says of one element after the equation for all, Vensim excepts from it.
        if let [first, others @ ..] = copy.equations.as_mut_slice()
            && is_whole(variable, first)
        {
            first.except = others.iter().map(|equation| equation.subscripts.clone()).collect();
        }
        for equation in &copy.equations {
            if equation.expr.is_some()
                && equation.table.as_ref().is_some_and(|table| table.kind != TableKind::Continuous)
            {
                return cannot(
                    "graphical function",
                    "Vensim's WITH LOOKUP is linear between its points; make the function a variable of its own and call it",
                );
            }
        }
        match &variable.kind {
            Kind::Stock { inflows, outflows, .. } => {
                if variable.non_negative {
                    return cannot(
                        "non-negative stock",
                        "Vensim's levels can fall below zero; limit the outflows and clear the flag",
                    );
                }
                let mut rates = Vec::new();
                for equation in &copy.equations {
                    let plain: Vec<(bool, Expr)> = inflows
                        .iter()
                        .map(|flow| (false, name(flow)))
                        .chain(outflows.iter().map(|flow| (true, name(flow))))
                        .collect();
                    rates.push(
                        sum(plain, translator, equation).map_err(|unsaid| said(model, variable, equation, &unsaid))?,
                    );
                }
                copy.kind = Kind::Stock { inflows: Vec::new(), outflows: Vec::new(), rate: rates };
            }
            Kind::Flow => {
                copy.kind = Kind::Auxiliary;
                if variable.non_negative {
                    copy.non_negative = false;
                    for equation in &mut copy.equations {
                        equation.expr = equation.expr.take().map(not_below_zero);
                    }
                }
            }
            Kind::Data => series(model, variable, &mut copy, Dialect::Vensim)?,
            Kind::Auxiliary | Kind::Parameter | Kind::Lookup => {}
        }
        out.variables.push(copy);
    }
    Ok(())
}

fn sum(terms: Vec<(bool, Expr)>, translator: &Translator<'_>, equation: &Equation) -> Result<Expr, Unsaid> {
    let mut total: Option<Expr> = None;
    for (negative, term) in terms {
        let term = translator.expr(&term, &equation.subscripts)?;
        let kind = match (total, negative) {
            (None, false) => term.kind,
            (None, true) => ExprKind::Unary(UnaryOp::Minus, Box::new(term)),
            (Some(before), false) => ExprKind::Binary(BinaryOp::Add, Box::new(before), Box::new(term)),
            (Some(before), true) => ExprKind::Binary(BinaryOp::Subtract, Box::new(before), Box::new(term)),
        };
        total = Some(Expr { span: Span::default(), kind });
    }
    Ok(total.unwrap_or(Expr { span: Span::default(), kind: ExprKind::Number(0.0) }))
}

fn not_below_zero(expr: Expr) -> Expr {
    let zero = Expr { span: Span::default(), kind: ExprKind::Number(0.0) };
    let kind = ExprKind::Call { function: "MAX".to_owned(), subscripts: Vec::new(), arguments: vec![zero, expr] };
    Expr { span: Span::default(), kind }
}

/// The equations of a variable as XMILE has them: one for the whole array, or one an element.
pub(super) fn by_element(model: &Model, variable: &Variable) -> Result<Vec<Equation>, ModelError> {
    let mut out = Vec::new();
    for equation in &variable.equations {
        // The rows of an array literal go to the elements in order; the list that a container starts from is one equation.
        if let (Some(ExprKind::Literal(rows)), None) =
            (equation.expr.as_ref().map(|expr| &expr.kind), &variable.container)
        {
            let values = rows.concat();
            let many = expanded(model, equation).filter(|many| many.len() == values.len());
            let Some(many) = many else {
                let message = format!("{:?} has {} values: expected one an element", variable.name, values.len());
                let place = Place { variable: variable.name.clone(), line: equation.line, ..Place::default() };
                return Err(ModelError::Structure { message, place: Box::new(place) });
            };
            out.extend(many.into_iter().zip(values).map(|(one, value)| {
                let expr = Expr { span: Span::default(), kind: ExprKind::Number(value) };
                Equation { expr: Some(expr), ..one }
            }));
        } else if is_whole(variable, equation) {
            out.push(equation.clone());
        } else {
            let many = expanded(model, equation);
            out.extend(many.ok_or_else(|| {
                refuse(
                    model,
                    variable,
                    Some(equation),
                    Span::default(),
                    "array",
                    &variable.name,
                    "it has too many elements to be written one by one",
                )
            })?);
        }
    }
    Ok(out)
}
