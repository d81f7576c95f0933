//! Reader of Vensim's text format (`.mdl`).

mod assemble;
pub(crate) mod control;
mod dimensions;
mod entries;
mod left;

use std::collections::BTreeMap;

use super::external::{Answer, Resolve, texts};
use super::one_line;
use super::side::{self, Role};
use crate::sd::dialect::Dialect;
use crate::sd::error::{ModelError, Place};
use crate::sd::expr::lexer::{Token, lex};
use crate::sd::expr::parser::parse_points;
use crate::sd::expr::{Expr, ExprKind, Span, SyntaxError, parse};
use crate::sd::model::{Dimension, Equation, Macro, Model, Table, canonical};
use assemble::{Builder, Piece};
use dimensions::{Defined, Item};
use entries::{Entry, Statement};
use left::{Form, Left};

/// A name without outer quotes and escapes.
fn plain(name: &str) -> String {
    let trimmed = name.trim();
    if !trimmed.starts_with('"') {
        return trimmed.to_owned();
    }
    match lex(trimmed, Dialect::Vensim).ok().and_then(|tokens| tokens.into_iter().next()) {
        Some(lexeme) => match lexeme.token {
            Token::Quoted(inner) => inner.trim().to_owned(),
            _ => trimmed.to_owned(),
        },
        None => trimmed.trim_matches('"').to_owned(),
    }
}

/// Reads the text of a Vensim file. `path` is for messages; `files` answers calls such as GET XLS DATA, which stay in the model without it.
///
/// # Errors
/// [`ModelError::File`] for a file that holds no model or is damaged, [`ModelError::Equation`] for an equation that cannot be read,
/// [`ModelError::Structure`] for subscripts that do not fit.
pub fn read(text: &str, path: &str, files: Option<&mut dyn Resolve>) -> Result<Model, ModelError> {
    let mut model = whole(text, files).map_err(|error| error.within(path))?;
    path.clone_into(&mut model.path);
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem).clone_into(&mut model.name);
    Ok(model)
}

fn at(line: u32, variable: &str, source: &str, span: Span) -> Place {
    Place { path: String::new(), line, variable: variable.to_owned(), source: source.to_owned(), span }
}

fn syntax(error: SyntaxError, line: u32, variable: &str, source: &str) -> ModelError {
    let place = at(line, variable, source, error.span());
    ModelError::Equation { error, place: Box::new(place) }
}

fn structure(message: String, line: u32) -> ModelError {
    ModelError::Structure { message, place: Box::new(at(line, "", "", Span::default())) }
}

/// A macro while its body is read.
struct Open {
    name: String,
    parameters: Vec<String>,
    outputs: Vec<String>,
    pieces: Vec<Piece>,
}

fn whole(text: &str, mut files: Option<&mut dyn Resolve>) -> Result<Model, ModelError> {
    let parts = entries::cut(text)?;
    let mut ranges: Vec<Defined> = Vec::new();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut macros: Vec<Open> = Vec::new();
    let mut open: Option<Open> = None;
    let mut group = String::new();
    let mut remarks = Vec::new();
    for entry in parts.entries {
        match entry {
            Entry::Group(name) => group = name,
            Entry::Macro { name, parameters, outputs } => {
                macros.extend(open.take());
                open = Some(Open { name, parameters, outputs, pieces: Vec::new() });
            }
            Entry::EndOfMacro => macros.extend(open.take()),
            Entry::Equation(statement) => {
                let left =
                    left::read(&statement.text).map_err(|error| syntax(error, statement.line, "", &statement.text))?;
                match left.form {
                    Form::RealityCheck => {}
                    Form::Dimension => {
                        let read = dimensions::read(left.name, &left.right, statement.line);
                        ranges.push(read.map_err(|message| structure(message, statement.line))?);
                    }
                    Form::Alias => {
                        let items = vec![Item::Alias(plain(&one_line(&left.right)))];
                        ranges.push(Defined { name: left.name, items, mappings: Vec::new(), line: statement.line });
                    }
                    Form::Equation | Form::Lookup | Form::Data => {
                        let mut piece = piece(left, *statement, &group)?;
                        if piece.equation.table.as_mut().is_some_and(Table::sort) {
                            let remark = format!(
                                "the points of the lookup {:?} are out of order: they were sorted by x, as Vensim does",
                                piece.name
                            );
                            remarks.push((piece.equation.line, remark));
                        }
                        match &mut open {
                            Some(inside) => inside.pieces.push(piece),
                            None => pieces.push(piece),
                        }
                    }
                }
            }
        }
    }
    macros.extend(open);
    let dimensions = resolve_ranges(&ranges, &mut files)?;
    let mut model = Model { dialect: Dialect::Vensim, dimensions, remarks, ..Model::default() };
    let mut builder = Builder::new(&model.dimensions);
    for inside in macros {
        let variables = builder.variables(inside.pieces, &mut None)?;
        model.macros.push(Macro {
            name: inside.name,
            parameters: inside.parameters,
            outputs: inside.outputs,
            variables,
        });
    }
    model.variables = builder.variables(pieces, &mut files)?;
    model.data = std::mem::take(&mut builder.data);
    if model.variables.is_empty() {
        let message =
            "the file holds no variables: expected equations such as \"name = 5 ~ unit ~ comment |\"".to_owned();
        return Err(ModelError::File { message, place: Box::new(at(1, "", "", Span::default())) });
    }
    assemble::outputs(&mut model);
    (model.time, model.moving_end) = control::time(&model, parts.settings);
    model.date = control::date(parts.settings);
    model.units = control::units(parts.settings);
    parts.sketch.clone_into(&mut model.display);
    Ok(model)
}

fn resolve_ranges(ranges: &[Defined], files: &mut Option<&mut dyn Resolve>) -> Result<Vec<Dimension>, ModelError> {
    let names = |range: &Defined, text: &str| {
        let (function, arguments) =
            call_of(text).ok_or_else(|| format!("range {:?} holds {text:?}: expected elements", range.name))?;
        let Some(files) = files.as_deref_mut() else {
            return Err(format!("range {:?} is read from a file by {function}: expected the file's data", range.name));
        };
        match files.resolve(&function, &arguments, &[])? {
            Answer::Names(names) => Ok(names),
            _ => Err(format!("{function} of range {:?} was answered without names", range.name)),
        }
    };
    dimensions::resolve(ranges, names).map_err(|(line, message)| structure(message, line))
}

/// The function and the text arguments of a call.
fn call_of(text: &str) -> Option<(String, Vec<String>)> {
    match parse(text, Dialect::Vensim).ok()?.kind {
        ExprKind::Call { function, arguments, .. } => Some((function, texts(&arguments))),
        _ => None,
    }
}

/// Reads the right side of one statement.
fn piece(left: Left, statement: Statement, group: &str) -> Result<Piece, ModelError> {
    let Statement { unit, comment, line, .. } = statement;
    let Left { name, subscripts, except, interpolation, form, right } = left;
    let (unit, limits) = assemble::unit(&unit);
    let mut equation = Equation { subscripts, except, line, ..Equation::default() };
    let role;
    let fail = |error, source: &str| syntax(error, line, &name, source);
    match form {
        Form::Data => role = Role::Data,
        Form::Lookup if points_like(&right) => {
            let source = one_line(&right);
            let (points, frame) = parse_points(&source).map_err(|error| fail(error, &source))?;
            let (x, y) = points.into_iter().unzip();
            equation.table = Some(Table { x, y, frame, ..Table::default() });
            role = Role::Lookup;
        }
        _ => {
            let source = one_line(&right);
            let read = match left::tabbed(&right) {
                Some(rows) => {
                    let kind = ExprKind::Literal(rows.map_err(|error| fail(error, &source))?);
                    let expr = Expr { span: Span { start: 0, end: source.len() as u32 }, kind };
                    equation.source = crate::sd::expr::print(&expr, Dialect::Vensim);
                    side::Side { role: Role::Parameter, expr, initial: None, table: None }
                }
                None => side::read(&source, Dialect::Vensim).map_err(|error| fail(error, &source))?,
            };
            role = read.role;
            equation.expr = Some(read.expr);
            equation.initial = read.initial;
            equation.table = read.table;
            if equation.source.is_empty() {
                equation.source = source;
            }
        }
    }
    Ok(Piece { name, equation, role, unit, limits, comment, group: group.to_owned(), interpolation })
}

/// Whether the inside of `name( … )` is points and not a call.
fn points_like(text: &str) -> bool {
    text.trim_start()
        .starts_with(|c: char| c == '(' || c == '[' || c == '-' || c == '+' || c == '.' || c.is_ascii_digit())
}

/// Names to places, of dimensions and of elements.
struct Ranges {
    dimensions: BTreeMap<String, usize>,
    elements: BTreeMap<String, Vec<usize>>,
}

impl Ranges {
    fn new(dimensions: &[Dimension]) -> Self {
        let mut out = Self { dimensions: BTreeMap::new(), elements: BTreeMap::new() };
        for (place, dimension) in dimensions.iter().enumerate() {
            out.dimensions.entry(canonical(&dimension.name)).or_insert(place);
            for element in &dimension.elements {
                out.elements.entry(canonical(element)).or_default().push(place);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Resolve, read};
    use crate::sd::check::require;
    use crate::sd::error::ModelError;
    use crate::sd::expr::{ExprKind, print};
    use crate::sd::model::{Interpolation, Kind, Method, Model};

    fn model(text: &str) -> Model {
        read(text, "folder/my model.mdl", None).unwrap()
    }

    fn right(model: &Model, name: &str) -> String {
        print(model.variable(name).unwrap().equations[0].expr.as_ref().unwrap(), model.dialect)
    }

    #[test]
    fn a_small_model_is_read_whole() {
        let text = "{UTF-8}\nTeacup Temperature = INTEG ( - Heat Loss to Room , 180 )\n\t~ Degrees [32,212]\n\t~ The tea,\\\n\t\tstill hot.\n\t|\n\
            Heat Loss to Room = (Teacup Temperature - Room Temperature) / Characteristic\\\n\t Time ~~|\n\
            Room Temperature = 70 ~~|\nCharacteristic Time = 10 ~ Minutes ~ |\n\
            ****\n\t.Control\n****~\n\t\tSimulation Control Parameters\n\t|\n\
            FINAL TIME = 30 ~ Minute ~|\nINITIAL TIME = 0 ~~|\nTIME STEP = 0.125 ~~|\nSAVEPER = TIME STEP * 4 ~~|\n\
            \\\\\\---/// Sketch information\n*View 1\n///---\\\\\\\n15:0,0,0,1,0,0\n22:Month,Months\n";
        let model = model(text);
        assert_eq!(model.name, "my model");
        assert_eq!((model.time.final_time, model.time.dt, model.time.save_step), (30.0, 0.125, Some(0.5)));
        assert_eq!((model.time.method, model.time.unit.as_str()), (Method::Rk4, "Minute"));
        assert_eq!(model.units[0].aliases, ["Months"]);
        let tea = &model.variables[0];
        assert!(matches!(&tea.kind, Kind::Stock { rate, .. } if rate.len() == 1));
        assert_eq!((tea.limits, tea.comment.as_str()), ((Some(32.0), Some(212.0)), "The tea, still hot."));
        assert_eq!(right(&model, "heat_loss_to_room"), "(Teacup Temperature - Room Temperature) / Characteristic Time");
        assert_eq!(model.variable("final time").unwrap().group, ".Control");
        assert_eq!(require(&model), Ok(()));
    }

    #[test]
    fn ranges_subranges_mappings_and_exceptions() {
        let model = model(
            "store: (s1-s3) -> shop ~~|\nshop: big, small, corner ~~|\nSome: s1, s2 ~~|\nAll: Some, s3 ~~|\nagain <-> shop ~~|\n\
             x[store] :EXCEPT: [s3], [s2] = 1 ~~|\nx[s3] = 2 ~~|\nx[s2] = 3 ~~|\ny[Some] = 1, 2 ~~|\ny[s3] = 4 ~~|\n\
             total = SUM(x[store!]) ~~|",
        );
        assert_eq!(
            model.dimensions[0].mappings,
            [("shop".to_owned(), vec!["big".into(), "small".into(), "corner".into()])]
        );
        assert_eq!(model.dimensions[3].elements, ["s1", "s2", "s3"]);
        assert_eq!(model.dimensions[4].elements, ["big", "small", "corner"]);
        assert_eq!(model.variables[0].equations[0].except, [["s3"], ["s2"]]);
        assert_eq!(model.variables[0].dimensions, ["store"]);
        assert_eq!(model.variables[1].dimensions, ["store"]);
        assert!(matches!(model.variables[1].equations[0].expr.as_ref().unwrap().kind, ExprKind::Literal(_)));
        assert_eq!(require(&model), Ok(()));
    }

    #[test]
    fn lookups_of_every_spelling() {
        let model = model(
            "a([(0,0)-(10,10),(1,1)],(0,1),(10,2)) ~~|\nb(0,1,2,5,6,7) ~~|\nc((0,-1),(1,2e+03)) ~~|\n\
             d = WITH LOOKUP(Time, ([(0,0)-(9,9)],(0,1),(9,3))) ~~|\nx = a(Time) + c(1) ~~|\n\
             e((2,-3),(1,-7),(0,-1)) ~~|",
        );
        assert_eq!(model.remarks.len(), 1);
        let table = |name: &str| model.variable(name).unwrap().equations[0].table.clone().unwrap();
        assert_eq!((table("a").x, table("a").y), (vec![0.0, 10.0], vec![1.0, 2.0]));
        assert_eq!((table("b").x, table("b").y), (vec![0.0, 1.0, 2.0], vec![5.0, 6.0, 7.0]));
        assert_eq!(table("c").y, [-1.0, 2000.0]);
        assert_eq!((table("e").x, table("e").y), (vec![0.0, 1.0, 2.0], vec![-1.0, -7.0, -3.0]));
        assert_eq!(table("d").frame, Some([0.0, 0.0, 9.0, 9.0]));
    }

    #[test]
    fn macros_stand_anywhere_and_may_have_more_outputs() {
        let model = model(
            "y = M(2, 3 : z) ~~|\n:MACRO: M(a, b : second)\nM = a + b ~~|\nsecond = a * b ~~|\n:END OF MACRO:\nw = z ~~|",
        );
        assert_eq!(model.macros[0].parameters, ["a", "b"]);
        let ExprKind::Call { function, arguments, .. } =
            &model.variable("z").unwrap().equations[0].expr.as_ref().unwrap().kind
        else {
            panic!()
        };
        assert_eq!((function.as_str(), arguments.len()), ("M:second", 2));
        assert_eq!(require(&model), Ok(()));
    }

    #[test]
    fn data_variables_reality_checks_quotes_and_comments() {
        let model = model(
            "plain ~ Tons ~|\nD: d1, d2 ~~|\nheld[D] :HOLD BACKWARD: ~~|\n\"quoted | ~ \\\"name\\\"\" = 1 {why | not} ~ a \" b ~ c|\n\
             check: THE CONDITION: ~~|\nno :THE CONDITION: x = 1 :IMPLIES: y = 2 ~~|\nDimA': A1 ~~|\nq[DimA'] = 1 ~~|",
        );
        assert_eq!(model.variables[0].kind, Kind::Data);
        assert_eq!(
            (model.variables[1].interpolation, model.variables[1].dimensions.as_slice()),
            (Interpolation::Hold, &["D".to_owned()][..])
        );
        assert_eq!(model.variables[2].name, "quoted | ~ \"name\"");
        assert!(model.variable("no").is_none());
    }

    struct Fixed;

    impl Resolve for Fixed {
        fn resolve(&mut self, function: &str, arguments: &[String], shape: &[usize]) -> Result<Answer, String> {
            match function {
                "GET XLS SUBSCRIPT" => Ok(Answer::Names(vec!["p".into(), "q".into()])),
                "GET DIRECT CONSTANTS" => {
                    Ok(Answer::Constants((0..shape.iter().product::<usize>()).map(|i| i as f64).collect()))
                }
                "GET XLS DATA" => Ok(Answer::Series(vec![0.0, 1.0], vec![vec![5.0, f64::NAN]; shape.iter().product()])),
                _ => Err(format!("no {}", arguments.join(" "))),
            }
        }
    }

    #[test]
    fn files_are_answered_from_outside() {
        let text = "S: GET XLS SUBSCRIPT('a.xls', 'tab', 'A1', 'A', '') ~~|\nc[S] = GET DIRECT CONSTANTS('a', 'b', 'c') ~~|\n\
                    d[S] := GET XLS DATA('a', 'b', 'c', 'd') ~~|";
        let model = read(text, "", Some(&mut Fixed)).unwrap();
        assert_eq!(model.dimensions[0].elements, ["p", "q"]);
        assert_eq!(model.data.len(), 2);
        assert_eq!(
            (model.data[1].element.as_slice(), model.data[1].values.as_slice()),
            (&["q".to_owned()][..], &[5.0][..])
        );
        assert!(matches!(model.variables[0].equations[0].expr.as_ref().unwrap().kind, ExprKind::Literal(_)));
        assert!(matches!(
            read("S: GET XLS SUBSCRIPT('a') ~~|\nx[S] = 1 ~~|", "", None),
            Err(ModelError::Structure { .. })
        ));
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        let error = read("a = 1 ~~|\n\nb = a + ~~|", "m.mdl", None).unwrap_err();
        assert!(error.full().contains("m.mdl:3"), "{}", error.full());
        assert!(read("", "", None).is_err());
        assert!(read("A: B ~~|\nB: A ~~|\nx[A] = 1 ~~|", "", None).is_err());
        assert!(read("A: (a1-b3) ~~|", "", None).is_err());
    }
}
