//! A model from parts given by a program: the door for models written in Python.

use super::number_list;
use super::side::{Role, Side, is_constant, read};
use crate::sd::dialect::Dialect;
use crate::sd::error::{ModelError, Place};
use crate::sd::expr::{Expr, ExprKind, parse, print};
use crate::sd::model::{
    Container, Conveyor, Dimension, Equation, Interpolation, Kind, Leak, Macro, Model, Oven, Series, Spread, Table,
    TimeSpec, UnitDefinition, Variable, canonical,
};

/// What a variable is declared to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Declared {
    /// A stock.
    Stock,
    /// A flow.
    Flow,
    /// An auxiliary.
    #[default]
    Auxiliary,
    /// A constant.
    Parameter,
    /// A graphical function.
    Lookup,
    /// A series from outside.
    Data,
}

/// One equation of a variable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EquationSpec {
    /// Subscripts of the left side.
    pub subscripts: Vec<String>,
    /// Exceptions.
    pub except: Vec<Vec<String>>,
    /// The right side; of a stock its initial value.
    pub source: Option<String>,
    /// The value at the start where it differs.
    pub initial: Option<String>,
    /// The graphical function.
    pub table: Option<Table>,
    /// Line in the file it comes from, zero when there is none.
    pub line: u32,
}

/// What a stock or a flow does beyond adding up: a word for it, expressions and switches by name.
///
/// Kinds of a stock: `conveyor` (transit_time, capacity, inflow_limit, sample, arrest; discrete, batch_integrity, one_at_a_time,
/// exponential_leak), `queue`, `oven` (cook_time, capacity, fill_time, clean_time, sample, arrest;
/// batch_integrity, one_at_a_time). Kinds of a flow: `leak` (fraction, start, end;
/// integers), `overflow`, and a way of spreading `even`, `dest`, `source`, `dist` (profile).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptionSpec {
    /// The word.
    pub kind: String,
    /// Names and texts of expressions.
    pub parts: Vec<(String, String)>,
    /// Names of the switches that are on.
    pub switches: Vec<String>,
}

/// A variable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VariableSpec {
    /// Its name.
    pub name: String,
    /// What it is.
    pub declared: Declared,
    /// Names of its dimensions.
    pub dimensions: Vec<String>,
    /// Its equations.
    pub equations: Vec<EquationSpec>,
    /// Flows into a stock.
    pub inflows: Vec<String>,
    /// Flows out of a stock.
    pub outflows: Vec<String>,
    /// Unit.
    pub unit: String,
    /// Documentation.
    pub comment: String,
    /// Whether it may not fall below zero.
    pub non_negative: bool,
    /// Sensible range.
    pub limits: (Option<f64>, Option<f64>),
    /// Group.
    pub group: String,
    /// How a data variable answers between its times.
    pub interpolation: Interpolation,
    /// What it does beyond adding up.
    pub options: Vec<OptionSpec>,
}

/// A macro.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MacroSpec {
    /// Its name.
    pub name: String,
    /// Names of its parameters.
    pub parameters: Vec<String>,
    /// Names of further outputs.
    pub outputs: Vec<String>,
    /// Its variables.
    pub variables: Vec<VariableSpec>,
}

/// A whole model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelSpec {
    /// Its name.
    pub name: String,
    /// Its dialect.
    pub dialect: Dialect,
    /// Time.
    pub time: TimeSpec,
    /// Whether `FINAL TIME` is computed during the run.
    pub moving_end: bool,
    /// Year, month and day of time zero.
    pub date: Option<(i32, u32, u32)>,
    /// Dimensions.
    pub dimensions: Vec<Dimension>,
    /// Variables.
    pub variables: Vec<VariableSpec>,
    /// Macros.
    pub macros: Vec<MacroSpec>,
    /// Series.
    pub data: Vec<Series>,
    /// Units.
    pub units: Vec<UnitDefinition>,
}

/// Builds the model.
///
/// # Errors
/// [`ModelError::Equation`] for an equation that cannot be read, [`ModelError::Structure`] for parts that do not fit.
pub fn build(spec: ModelSpec) -> Result<Model, ModelError> {
    let dialect = spec.dialect;
    let time = &spec.time;
    // Vensim lets control variables change during a run: the reader gives them as NaN, and so does a description of what was read.
    let open =
        dialect == Dialect::Vensim && [time.initial_time, time.final_time, time.dt].iter().any(|value| value.is_nan());
    if !open {
        check_time(time)?;
    }
    let variables =
        |all: Vec<VariableSpec>| all.into_iter().map(|one| variable(one, dialect)).collect::<Result<Vec<_>, _>>();
    let mut macros = Vec::new();
    for one in spec.macros {
        macros.push(Macro {
            name: one.name,
            parameters: one.parameters,
            outputs: one.outputs,
            variables: variables(one.variables)?,
        });
    }
    Ok(Model {
        name: spec.name,
        dialect,
        time: spec.time,
        moving_end: spec.moving_end,
        date: spec.date,
        dimensions: spec.dimensions,
        variables: variables(spec.variables)?,
        macros,
        data: spec.data,
        units: spec.units,
        ..Model::default()
    })
}

fn structure(message: String) -> ModelError {
    ModelError::Structure { message, place: Box::default() }
}

/// Refuses times that cannot be run.
///
/// # Errors
/// [`ModelError::Structure`].
pub fn check_time(time: &TimeSpec) -> Result<(), ModelError> {
    if !(time.dt.is_finite() && time.dt > 0.0) {
        return Err(structure(format!("dt is {}: expected a positive number", time.dt)));
    }
    if !time.initial_time.is_finite() || !time.final_time.is_finite() || time.final_time < time.initial_time {
        return Err(structure(format!(
            "time runs from {} to {}: expected a final time that is not before the initial time",
            time.initial_time, time.final_time
        )));
    }
    if let Some(step) = time.save_step
        && !(step.is_finite() && step > 0.0)
    {
        return Err(structure(format!("the save step is {step}: expected a positive number")));
    }
    Ok(())
}

fn variable(spec: VariableSpec, dialect: Dialect) -> Result<Variable, ModelError> {
    let name = spec.name;
    if canonical(&name).is_empty() {
        return Err(structure(format!("{name:?} is no name: expected at least one letter")));
    }
    let contained = spec.options.iter().any(|option| matches!(option.kind.as_str(), "conveyor" | "queue"));
    let mut equations = Vec::new();
    let mut rates = Vec::new();
    let mut role = None;
    for one in spec.equations {
        let source = one.source.unwrap_or_default();
        let at = |source: &str, error| ModelError::Equation {
            place: Box::new(Place {
                line: one.line,
                variable: name.clone(),
                source: source.to_owned(),
                span: crate::sd::expr::SyntaxError::span(&error),
                path: String::new(),
            }),
            error,
        };
        let mut equation = Equation {
            subscripts: one.subscripts,
            except: one.except,
            table: one.table,
            line: one.line,
            ..Equation::default()
        };
        if !source.trim().is_empty() {
            let list = number_list(&source).filter(|_| contained);
            let Side { role: found, expr, initial, table } = match list {
                Some(expr) => Side { role: Role::Auxiliary, expr, initial: None, table: None },
                None => read(&source, dialect).map_err(|error| at(&source, error))?,
            };
            equation.expr = Some(expr);
            equation.initial = initial;
            equation.table = equation.table.or(table);
            if let Role::Stock(rate) = found {
                rates.push(rate);
                role.get_or_insert(Role::Stock(Expr::default()));
            } else {
                role.get_or_insert(found);
            }
        }
        if let Some(text) = one.initial {
            equation.initial = Some(parse(&text, dialect).map_err(|error| at(&text, error))?);
            equation.initial_source = Some(text);
        }
        equation.source = source;
        equations.push(equation);
    }
    let kind = match (spec.declared, role) {
        (Declared::Stock, _) | (_, Some(Role::Stock(_))) => {
            if !rates.is_empty() && rates.len() != equations.len() {
                return Err(structure(format!(
                    "{name:?} is a stock in {} of its {} equations: expected INTEG in each",
                    rates.len(),
                    equations.len()
                )));
            }
            Kind::Stock { inflows: spec.inflows, outflows: spec.outflows, rate: rates }
        }
        (Declared::Flow, _) => Kind::Flow,
        (Declared::Auxiliary, Some(Role::Lookup)) | (Declared::Lookup, _) => Kind::Lookup,
        (Declared::Auxiliary, Some(Role::Data)) | (Declared::Data, _) => Kind::Data,
        (Declared::Parameter, _) if equations.iter().all(|one| one.expr.as_ref().is_some_and(is_constant)) => {
            Kind::Parameter
        }
        // A parameter of which one is not a number is an auxiliary: a run cannot set it.
        (Declared::Auxiliary | Declared::Parameter, _) => Kind::Auxiliary,
    };
    let mut variable = Variable {
        name,
        kind,
        dimensions: spec.dimensions,
        equations,
        unit: spec.unit,
        comment: spec.comment,
        non_negative: spec.non_negative,
        limits: spec.limits,
        group: spec.group,
        interpolation: spec.interpolation,
        ..Variable::default()
    };
    for option in spec.options {
        apply(&mut variable, &option, dialect)?;
    }
    Ok(variable)
}

/// Gives a variable one of its options.
fn apply(variable: &mut Variable, option: &OptionSpec, dialect: Dialect) -> Result<(), ModelError> {
    let name = variable.name.clone();
    let part = |key: &str| -> Result<Option<Expr>, ModelError> {
        let Some((_, text)) = option.parts.iter().find(|(name, _)| name == key) else { return Ok(None) };
        parse(text, dialect).map(Some).map_err(|error| ModelError::Equation {
            place: Box::new(Place {
                variable: name.clone(),
                source: text.clone(),
                span: error.span(),
                ..Place::default()
            }),
            error,
        })
    };
    let needed = |key: &str| {
        part(key)?
            .ok_or_else(|| structure(format!("the {} {name:?} has no {key}: expected an expression", option.kind)))
    };
    let on = |key: &str| option.switches.iter().any(|name| name == key);
    match option.kind.as_str() {
        "conveyor" => {
            variable.container = Some(Container::Conveyor(Box::new(Conveyor {
                transit_time: needed("transit_time")?,
                capacity: part("capacity")?,
                inflow_limit: part("inflow_limit")?,
                sample: part("sample")?,
                arrest: part("arrest")?,
                discrete: on("discrete"),
                batch_integrity: on("batch_integrity"),
                one_at_a_time: on("one_at_a_time"),
                exponential_leak: on("exponential_leak"),
            })));
        }
        "queue" => variable.container = Some(Container::Queue),
        "oven" => {
            variable.container = Some(Container::Oven(Box::new(Oven {
                cook_time: needed("cook_time")?,
                capacity: part("capacity")?,
                fill_time: part("fill_time")?,
                clean_time: part("clean_time")?,
                sample: part("sample")?,
                arrest: part("arrest")?,
                batch_integrity: on("batch_integrity"),
                one_at_a_time: on("one_at_a_time"),
            })));
        }
        "leak" => {
            let place =
                |key, default| Ok::<_, ModelError>(part(key)?.and_then(|expr| expr.number()).unwrap_or(default));
            let zone = (place("start", 0.0)?, place("end", 1.0)?);
            variable.leak = Some(Leak { fraction: needed("fraction")?, integers: on("integers"), zone });
        }
        "overflow" => variable.overflow = true,
        "even" | "dest" | "source" | "dist" => {
            variable.spread = Some(Spread { method: option.kind.clone(), profile: part("profile")? });
        }
        other => {
            let expected = "conveyor, queue, oven, leak, overflow, even, dest, source or dist";
            return Err(structure(format!("{name:?} has the option {other:?}: expected {expected}")));
        }
    }
    Ok(())
}

/// The options of a variable in the form in which [`build`] takes them.
pub fn options(variable: &Variable, dialect: Dialect) -> Vec<OptionSpec> {
    let mut out = Vec::new();
    let mut add = |kind: &str, parts: &[(&str, Option<&Expr>)], switches: &[(&str, bool)]| {
        let text = |(name, expr): &(&str, Option<&Expr>)| expr.map(|expr| ((*name).to_owned(), print(expr, dialect)));
        let parts = parts.iter().filter_map(text).collect();
        let switches = switches.iter().filter(|(_, on)| *on).map(|(name, _)| (*name).to_owned()).collect();
        out.push(OptionSpec { kind: kind.to_owned(), parts, switches });
    };
    match &variable.container {
        Some(Container::Conveyor(own)) => add(
            "conveyor",
            &[
                ("transit_time", Some(&own.transit_time)),
                ("capacity", own.capacity.as_ref()),
                ("inflow_limit", own.inflow_limit.as_ref()),
                ("sample", own.sample.as_ref()),
                ("arrest", own.arrest.as_ref()),
            ],
            &[
                ("discrete", own.discrete),
                ("batch_integrity", own.batch_integrity),
                ("one_at_a_time", own.one_at_a_time),
                ("exponential_leak", own.exponential_leak),
            ],
        ),
        Some(Container::Queue) => add("queue", &[], &[]),
        Some(Container::Oven(own)) => add(
            "oven",
            &[
                ("cook_time", Some(&own.cook_time)),
                ("capacity", own.capacity.as_ref()),
                ("fill_time", own.fill_time.as_ref()),
                ("clean_time", own.clean_time.as_ref()),
                ("sample", own.sample.as_ref()),
                ("arrest", own.arrest.as_ref()),
            ],
            &[("batch_integrity", own.batch_integrity), ("one_at_a_time", own.one_at_a_time)],
        ),
        None => {}
    }
    if let Some(leak) = &variable.leak {
        let bound = |value: f64| Expr { kind: ExprKind::Number(value), ..Expr::default() };
        let (start, end) = (bound(leak.zone.0), bound(leak.zone.1));
        let parts = [("fraction", Some(&leak.fraction)), ("start", Some(&start)), ("end", Some(&end))];
        add("leak", &parts, &[("integers", leak.integers)]);
    }
    if variable.overflow {
        add("overflow", &[], &[]);
    }
    if let Some(spread) = &variable.spread {
        add(&spread.method, &[("profile", spread.profile.as_ref())], &[]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Declared, EquationSpec, ModelSpec, VariableSpec, build};
    use crate::sd::dialect::Dialect;
    use crate::sd::model::{Kind, TimeSpec};

    fn one(declared: Declared, source: &str) -> ModelSpec {
        let equations = vec![EquationSpec { source: Some(source.into()), ..EquationSpec::default() }];
        let variable = VariableSpec { name: "my rate".into(), declared, equations, ..VariableSpec::default() };
        ModelSpec { variables: vec![variable], ..ModelSpec::default() }
    }

    #[test]
    fn a_bad_equation_draws_a_caret() {
        let error = build(one(Declared::Flow, "births * (2 + ")).unwrap_err();
        let expected = "unexpected end of the equation: expected a number, a name or '(' (equation of \"my rate\")\n    births * (2 + \n                  ^";
        assert_eq!(error.full(), expected);
    }

    #[test]
    fn vensim_stocks_keep_their_net_flow() {
        let spec = ModelSpec { dialect: Dialect::Vensim, ..one(Declared::Auxiliary, "INTEG(a - b, 5)") };
        let model = build(spec).unwrap();
        assert!(matches!(&model.variables[0].kind, Kind::Stock { rate, .. } if rate.len() == 1));
    }

    #[test]
    fn impossible_times_are_refused() {
        for time in [
            TimeSpec { dt: 0.0, ..TimeSpec::default() },
            TimeSpec { final_time: -1.0, ..TimeSpec::default() },
            TimeSpec { save_step: Some(f64::NAN), ..TimeSpec::default() },
        ] {
            assert!(build(ModelSpec { time, ..one(Declared::Flow, "1") }).is_err());
        }
    }
}
