//! Tests of the writers: what is written, what is refused, and that translated expressions keep their meaning.

use super::translate::Translator;
use super::{vensim, xmile};
use crate::sd::dialect::Dialect::{self, Vensim, Xmile};
use crate::sd::expr::{parse, print};
use crate::sd::model::{Container, Dimension, Equation, Kind, Macro, Model, TableKind, UnitDefinition, Variable};
use crate::sd::testing::model;

fn lines(dialect: Dialect) -> Model {
    let mut out = model(
        dialect,
        "month",
        "stock customers = 100; +joining -leaving | person
         flow joining = contacts * (1000 - customers) | person/month
         flow leaving = customers / stay | person/month
         par contacts = 0.02 | 1/month
         par stay = 20 | month
         lookup effect = 0 1 2; 0 0.5 1
         aux strange name & more = effect(customers / 1000)",
    );
    out.name = "customers".into();
    out.time.save_step = Some(1.0);
    out.time.dt = 0.25;
    out
}

/// An expression in the other dialect's words.
fn translated(text: &str, from: Dialect, to: Dialect) -> Result<String, String> {
    let model = lines(from);
    let expr = parse(text, from).unwrap();
    Translator::new(&model, to).expr(&expr, &[]).map(|expr| print(&expr, to)).map_err(|unsaid| unsaid.name)
}

#[test]
fn xmile_functions_are_said_in_vensim() {
    for (xmile, vensim) in [
        ("IF a > 1 AND NOT b THEN TIME ELSE DT", "IF THEN ELSE(a > 1 :AND: :NOT: b, Time, TIME STEP)"),
        ("STARTTIME + STOPTIME + PI", "INITIAL TIME + FINAL TIME + 3.141592653589793"),
        ("SMTH1(a, 5)", "SMOOTH(a, 5)"),
        ("SMTH1(a, 5, 2)", "SMOOTHI(a, 5, 2)"),
        ("SMTH3(a, 5, 2)", "SMOOTH3I(a, 5, 2)"),
        ("SMTHN(a, 5, 4)", "SMOOTH N(a, 5, a, 4)"),
        ("DELAYN(a, 5, 4, 7)", "DELAY N(a, 5, 7, 4)"),
        ("DELAY(a, 5)", "DELAY FIXED(a, 5, a)"),
        ("DELAY(a, stay, 1)", "DELAY FIXED(a, stay, 1)"),
        ("TREND(a, 5)", "TREND(a, 5, 0)"),
        ("FORCST(a, 5, 10)", "FORECAST(a, 5, 10)"),
        ("SAFEDIV(a, b)", "ZIDZ(a, b)"),
        ("SAFEDIV(a, b, 1)", "XIDZ(a, b, 1)"),
        ("MAX(a, b, c)", "MAX(MAX(a, b), c)"),
        ("LOG10(a)", "LOG(a, 10)"),
        ("INT(a)", "IF THEN ELSE(INTEGER(a) > a, INTEGER(a) - 1, INTEGER(a))"),
        ("a MOD 3", "MODULO(MODULO(a, 3) + 3, 3)"),
        ("INIT(a)", "INITIAL(a)"),
        ("PREVIOUS(a, 1)", "DELAY FIXED(a, TIME STEP, 1)"),
        ("PULSE(a, 5)", "a / TIME STEP * PULSE(5, TIME STEP)"),
        ("PULSE(a, 5, 10)", "a / TIME STEP * PULSE TRAIN(5, TIME STEP, 10, FINAL TIME + TIME STEP)"),
        ("STEP(a, 5) + RAMP(2, 3)", "STEP(a, 5) + RAMP(2, 3, FINAL TIME)"),
        ("RANDOM(0, 1)", "RANDOM UNIFORM(0, 1, 0)"),
        ("LOOKUP(effect, a)", "effect(a)"),
        ("effect(a)", "effect(a)"),
    ] {
        assert_eq!(translated(xmile, Xmile, Vensim).as_deref(), Ok(vensim), "{xmile}");
    }
}

#[test]
fn vensim_functions_are_said_in_xmile() {
    for (vensim, xmile) in [
        ("IF THEN ELSE(a > 1 :OR: b < 2, Time, TIME STEP)", "IF a > 1 OR b < 2 THEN TIME ELSE DT"),
        ("INITIAL TIME + FINAL TIME + SAVEPER", "STARTTIME + STOPTIME + 1"),
        ("SMOOTH3I(a, 5, 2)", "SMTH3(a, 5, 2)"),
        ("SMOOTH N(a, 5, 7, 4)", "SMTHN(a, 5, 4, 7)"),
        ("DELAY FIXED(a, stay, 1)", "DELAY(a, stay, 1)"),
        ("ZIDZ(a, b) + XIDZ(a, b, 1)", "SAFEDIV(a, b) + SAFEDIV(a, b, 1)"),
        ("INTEGER(a)", "IF a < 0 THEN -INT(-a) ELSE INT(a)"),
        ("MODULO(a, 3)", "IF a < 0 THEN -(-a MOD 3) ELSE a MOD 3"),
        ("LOG(a, 10)", "LOG10(a)"),
        ("LOG(a, 2)", "LN(a) / LN(2)"),
        ("POWER(a, 2)", "a ^ 2"),
        ("RAMP(2, 3, 9)", "RAMP(2, 3) - RAMP(2, 9)"),
        ("RAMP(2, 3, FINAL TIME)", "RAMP(2, 3)"),
        ("PULSE(5, 0)", "IF TIME + DT / 2 > 5 AND TIME + DT / 2 < 5 + DT THEN 1 ELSE 0"),
        ("INITIAL(a)", "INIT(a)"),
        ("RANDOM NORMAL(0, 9, 5, 1, 3)", "NORMAL(5, 1, 3, 0, 9)"),
        ("GAME(a)", "a"),
    ] {
        assert_eq!(translated(vensim, Vensim, Xmile).as_deref(), Ok(xmile), "{vensim}");
    }
}

#[test]
fn what_the_other_cannot_say_is_refused_by_name() {
    for (text, from, name) in [
        ("ALLOCATE AVAILABLE(a, b, c)", Vensim, "ALLOCATE AVAILABLE"),
        ("VECTOR SELECT(a, b, 0, 0, 1)", Vensim, "VECTOR SELECT"),
        ("a + :NA:", Vensim, ":NA:"),
        ("DELAY FIXED(a, customers, 1)", Vensim, "DELAY FIXED"),
        ("INF", Xmile, "INF"),
        ("DELAY(a, customers)", Xmile, "DELAY"),
        ("IRR(a)", Xmile, "IRR"),
        ("PULSE(a, 5, 0)", Xmile, "PULSE"),
        ("customers(3)", Xmile, "customers"),
    ] {
        let to = if from == Vensim { Xmile } else { Vensim };
        assert_eq!(translated(text, from, to), Err(name.to_owned()), "{text}");
    }
}

#[test]
fn xmile_is_well_formed_and_whole() {
    let mut model = lines(Xmile);
    model.units =
        vec![UnitDefinition { name: "person".into(), equation: String::new(), aliases: vec!["people".into()] }];
    model.variables[0].comment = "all < \"paying\" & more".into();
    let text = xmile::write(&model).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    assert_eq!(document.root_element().tag_name().namespace(), Some("http://docs.oasis-open.org/xmile/ns/XMILE/v1.0"));
    for part in [
        "<sim_specs method=\"euler\" time_units=\"month\" isee:save_interval=\"1\">",
        "<dt>0.25</dt>",
        "<inflow>joining</inflow>",
        "<outflow>leaving</outflow>",
        "<doc>all &lt; &quot;paying&quot; &amp; more</doc>",
        "<alias>people</alias>",
        "<aux name=\"strange name &amp; more\">",
        "<gf type=\"continuous\">",
        "<xpts>0,1,2</xpts>",
        "<view view_type=\"stock_flow\">",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn vensim_has_equations_control_sketch_and_settings() {
    let text = vensim::write(&lines(Xmile)).unwrap();
    for part in [
        "{UTF-8}\n",
        "customers= INTEG (\n\tjoining - leaving,\n\t\t100)\n\t~\tperson\n",
        "effect(\n\t(0,0),(1,0.5),(2,1))",
        "\"strange name & more\"=\n\teffect(customers / 1000)",
        "\t.Control\n",
        "TIME STEP = 0.25\n\t~\tmonth",
        "\\\\\\---/// Sketch information",
        "///---\\\\\\\n:L\u{7f}<%^E!@\n",
        "15:0,0,0,0,0,0",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn levels_of_vensim_get_flows_by_name_or_a_net_flow() {
    let model = model(
        Vensim,
        "month",
        "level tank = rain - use; 5 | litre
         level tea = (20 - tea) / 10; 90 | degree
         aux rain = 1 | litre/month
         aux use = tank / 5 | litre/month",
    );
    let text = xmile::write(&model).unwrap();
    assert!(text.contains("<inflow>rain</inflow>") && text.contains("<flow name=\"use\">"), "{text}");
    assert!(text.contains("<inflow>tea_net_flow</inflow>") && text.contains("<eqn>(20 - tea) / 10</eqn>"), "{text}");
    assert!(text.contains("<units>(degree)/month</units>"), "{text}");
}

#[test]
fn a_flow_that_fills_two_levels_stays_an_auxiliary() {
    let model = model(Vensim, "", "level a = f; 0\n level b = f; 0\n aux f = 1");
    let text = xmile::write(&model).unwrap();
    assert!(
        text.contains("<aux name=\"f\">")
            && text.contains("<flow name=\"a net flow\">")
            && text.contains("<flow name=\"b net flow\">")
    );
}

fn arrayed() -> Model {
    let mut model = model(Vensim, "", "aux x = y * 2\n aux y = 3");
    let elements = ["North", "South", "West"].map(String::from).to_vec();
    model.dimensions.push(Dimension { name: "Region".into(), elements, mappings: Vec::new() });
    model.dimensions.push(Dimension {
        name: "Cold".into(),
        elements: vec!["North".into(), "West".into()],
        mappings: Vec::new(),
    });
    for variable in &mut model.variables {
        variable.dimensions = vec!["Region".into()];
        variable.equations[0].subscripts = vec!["Region".into()];
    }
    let read = |text: &str| Some(parse(text, Vensim).unwrap());
    model.variables[0].equations[0].expr = read("y[Region] * 2");
    model.variables[0].equations[0].except = vec![vec!["Cold".into()]];
    let cold = Equation { subscripts: vec!["Cold".into()], expr: read("y[Cold] * 3"), ..Equation::default() };
    model.variables[0].equations.push(cold);
    model
}

#[test]
fn subranges_and_exceptions_are_written_out_for_xmile() {
    let text = xmile::write(&arrayed()).unwrap();
    for part in [
        "<element subscript=\"South\">\n          <eqn>y[South] * 2</eqn>",
        "<element subscript=\"North\">\n          <eqn>y[North] * 3</eqn>",
        "<element subscript=\"West\">\n          <eqn>y[West] * 3</eqn>",
        "<dim name=\"Region\">",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let text = vensim::write(&arrayed()).unwrap();
    assert!(text.contains("x[Region] :EXCEPT: [Cold]=\n\ty[Region] * 2\n\t~~|\nx[Cold]=\n\ty[Cold] * 3"), "{text}");
    assert!(text.contains("Region:\n\tNorth, South, West\n"), "{text}");
}

#[test]
fn arrays_of_xmile_get_their_subscripts_in_vensim() {
    let mut model = arrayed();
    model.dialect = Xmile;
    let read = |text: &str| Some(parse(text, Xmile).unwrap());
    model.variables[0].equations =
        vec![Equation { subscripts: vec!["Region".into()], expr: read("y * SUM(y[*])"), ..Equation::default() }];
    model.variables[0].equations.push(Equation {
        subscripts: vec!["North".into()],
        expr: read("y + 1"),
        ..Equation::default()
    });
    let text = vensim::write(&model).unwrap();
    assert!(text.contains("x[Region] :EXCEPT: [North]=\n\ty[Region] * SUM(y[Region!])"), "{text}");
    assert!(text.contains("x[North]=\n\ty[North] + 1"), "{text}");
}

#[test]
fn structures_without_a_counterpart_are_refused() {
    let refused = |model: &Model, to: Dialect| {
        let written = if to == Vensim { vensim::write(model) } else { xmile::write(model) };
        written.unwrap_err().to_string()
    };
    let mut with = lines(Xmile);
    with.variables[0].non_negative = true;
    assert!(refused(&with, Vensim).contains("non-negative stock \"customers\""));
    let mut with = lines(Xmile);
    with.variables[0].container = Some(Container::Queue);
    assert!(refused(&with, Vensim).contains("queue"));
    let mut with = lines(Xmile);
    with.variables[1].overflow = true;
    assert!(refused(&with, Vensim).contains("overflow"));
    let mut with = lines(Xmile);
    with.variables[5].equations[0].expr = parse("customers", Xmile).ok();
    with.variables[5].kind = Kind::Auxiliary;
    with.variables[5].equations[0].table.as_mut().unwrap().kind = TableKind::Discrete;
    with.variables.pop();
    assert!(refused(&with, Vensim).contains("graphical function"));
    let mut with = lines(Vensim);
    with.macros.push(Macro { name: "twice".into(), ..Macro::default() });
    assert!(refused(&with, Xmile).contains("macro \"twice\""));
    let mut with = lines(Vensim);
    with.variables.push(Variable { name: "history".into(), kind: Kind::Data, ..Variable::default() });
    assert!(refused(&with, Xmile).contains("series \"history\""));
    let mut with = lines(Vensim);
    with.time.dt = f64::NAN;
    assert!(refused(&with, Xmile).contains("TIME STEP"));
    let mut with = arrayed();
    with.variables[0].equations = vec![Equation {
        subscripts: vec!["Region".into()],
        expr: parse("y[Cold]", Vensim).ok(),
        ..Equation::default()
    }];
    assert!(refused(&with, Xmile).contains("subscript \"Cold\""));
}

#[test]
fn flows_that_may_not_fall_below_zero_keep_to_it() {
    let mut with = lines(Xmile);
    with.variables[2].non_negative = true;
    assert!(vensim::write(&with).unwrap().contains("leaving=\n\tMAX(0, customers / stay)"));
}

#[test]
fn lookups_keep_how_they_go_on_beyond_their_points() {
    let mut with = lines(Xmile);
    with.variables[5].equations[0].table.as_mut().unwrap().kind = TableKind::Extrapolate;
    assert!(vensim::write(&with).unwrap().contains("LOOKUP EXTRAPOLATE(effect, customers / 1000)"));
}
