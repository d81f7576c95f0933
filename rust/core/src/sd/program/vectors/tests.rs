use proptest::prelude::*;

use super::*;
use crate::cancel::Control;
use crate::lanes::Kernel;
use crate::sd::compile::Options;
use crate::sd::dialect::Dialect;
use crate::sd::expr::parse;
use crate::sd::model::{Dimension, Equation, Kind, Method, Model, TimeSpec, canonical};
use crate::sd::oracle::Oracle;
use crate::sd::program::Program;
use crate::sd::sweep::{run, sweep};
use crate::sd::testing::model;

/// What is said of an element `$`, `<` the one before: arrays for the engine, or a variable an element.
struct Text {
    elements: usize,
    flow: String,
    aside: String,
    guard: String,
}

/// Something smooth and bounded enough not to overflow in the steps of a test.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "x$", "x$", "y$", "a$", "x<", "aside<", "b", "z", "TIME", "0.5", "2", "(a$ * b)", "(z + x$)",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 3, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            (pair.clone(), prop::sample::select(vec!["+", "-", "*"]))
                .prop_map(|((p, q), op)| format!("({p} {op} {q})")),
            pair.clone().prop_map(|(p, q)| format!("({p} / (1 + ABS({q})))")),
            (pair.clone(), prop::sample::select(vec!["MIN", "MAX"])).prop_map(|((p, q), f)| format!("{f}({p}, {q})")),
            (inner.clone(), prop::sample::select(vec!["SIN", "COS", "bend", "ABS"]))
                .prop_map(|(p, f)| format!("{f}({p})")),
            inner.clone().prop_map(|p| format!("LN(1 + ABS({p}))")),
            inner.clone().prop_map(|p| format!("EXP(-ABS({p}))")),
            inner.clone().prop_map(|p| format!("(-{p})")),
            (pair, inner).prop_map(|((p, q), r)| format!("(IF {p} > {q} THEN {r} ELSE {q})")),
        ]
    })
}

/// The model with arrays, or with a variable for every element.
fn written(text: &Text, arrays: bool) -> Model {
    let n = text.elements;
    let name = |name: &str, k: usize| if arrays { format!("{name}[r{k}]") } else { format!("{name}_r{k}") };
    let fill = |source: &str, k: usize| {
        let mut out = source.to_owned();
        for variable in ["x", "y", "a", "aside"] {
            out = out.replace(&format!("{variable}$"), &name(variable, k));
            // The first element reads the last.
            out = out.replace(&format!("{variable}<"), &name(variable, if k == 1 { n } else { k - 1 }));
        }
        out
    };
    let total: Vec<String> = (1..=n).map(|k| name("x", k)).collect();
    let mut made = model(
        Dialect::Xmile,
        "",
        &format!(
            "par b = 0.3
             lookup bend = -2 -1 0 0.7 3 ; 0.1 0.4 0.5 1.1 -0.5
             stock z = 0.2 ; +into
             flow into = 0.01 * SIN({})",
            total.join(" + ")
        ),
    );
    let mut add = |head: &str, kind: &dyn Fn(usize) -> Kind, source: &dyn Fn(usize) -> String| {
        let equations = (1..=n).map(|k| {
            let source = source(k);
            let expr = Some(parse(&source, Dialect::Xmile).unwrap());
            let subscripts = if arrays { vec![format!("r{k}")] } else { Vec::new() };
            Equation { subscripts, expr, source, ..Equation::default() }
        });
        if arrays {
            let variable = crate::sd::model::Variable {
                name: head.to_owned(),
                kind: kind(0),
                dimensions: vec!["Region".to_owned()],
                equations: equations.collect(),
                ..Default::default()
            };
            made.variables.push(variable);
            return;
        }
        for (k, equation) in equations.enumerate() {
            let variable = crate::sd::model::Variable {
                name: format!("{head}_r{}", k + 1),
                kind: kind(k + 1),
                equations: vec![equation],
                ..Default::default()
            };
            made.variables.push(variable);
        }
    };
    let stock = |flow: &str| {
        let flow = flow.to_owned();
        move |k: usize| {
            let flow = if k == 0 { flow.clone() } else { format!("{flow}_r{k}") };
            Kind::Stock { inflows: vec![flow], outflows: Vec::new(), rate: Vec::new() }
        }
    };
    add("x", &stock("fx"), &|k| format!("{}", 0.1 + 0.05 * k as f64));
    add("fx", &|_| Kind::Flow, &|k| fill(&format!("COS({}) - 0.1 * x$", text.flow), k));
    // The chain of elements ends at the first, so that nothing needs itself.
    add("aside", &|_| Kind::Auxiliary, &|k| {
        if k == 1 { "0.25 * TIME".to_owned() } else { fill(&format!("SIN({})", text.aside.replace("aside<", "x<")), k) }
    });
    add("y", &stock("fy"), &|k| format!("{}", 1.0 - 0.03 * k as f64));
    add("fy", &|_| Kind::Flow, &|k| {
        fill(&format!("0.2 * (aside$ - y$) * (IF x$ > 0 THEN SIN({}) ELSE 0.1)", text.guard.replace("aside<", "x<")), k)
    });
    add("a", &|_| Kind::Parameter, &|k| format!("{}", 0.2 * k as f64 - 0.7));
    if arrays {
        let elements = (1..=n).map(|k| format!("r{k}")).collect();
        made.dimensions.push(Dimension { name: "Region".to_owned(), elements, ..Default::default() });
    }
    made.time = TimeSpec { initial_time: 0.0, final_time: 3.0, dt: 0.25, ..TimeSpec::default() };
    made
}

fn vectors(program: &Program) -> usize {
    let sections = program.narrow().sections();
    let code = sections.iter().flat_map(|section| &section.code);
    code.filter(|instruction| matches!(instruction.op, Op::Vector(..))).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// A model with arrays says what it says element by element, and what the trees say; in every kernel, method and path.
    #[test]
    fn arrays_are_their_elements(
        elements in prop::sample::select(vec![3, 8, 9, 15, 16, 17, 33, 40]),
        flow in expression(),
        aside in expression(),
        guard in expression(),
        method in prop::sample::select(vec![Method::Euler, Method::Rk4]),
    ) {
        let text = Text { elements, flow, aside, guard };
        let (arrays, apart) = (written(&text, true), written(&text, false));
        let kernels = Kernel::available();
        for kernel in kernels {
            let options = Options { method: Some(method), varied: vec!["b".to_owned()], ..Options::default() };
            let (one, other) =
                (Program::compile(&arrays, &options, kernel).unwrap(), Program::compile(&apart, &options, kernel).unwrap());
            prop_assert!(elements < 16 || vectors(&one) > 0, "{}", one.disassemble(true));
            let design = [0.3, 0.5];
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            let swept = sweep(&other, &design, 2, 0, [0, 0], 0, &pool, &Control::new()).unwrap().values;
            let columns = one.flat.saves.len();
            for (at, b) in design.iter().enumerate() {
                let (rows, _) = run(&one, &[*b], 0, [0, 0], &Control::new()).unwrap();
                for (column, name) in one.flat.columns.iter().enumerate() {
                    let name = canonical(&name.replace('[', "_").replace(']', ""));
                    let same = other.flat.columns.iter().position(|other| canonical(other) == name).unwrap();
                    for time in 0..one.times.len() {
                        let (found, expected) =
                            (rows[time * columns + column], swept[(same * one.times.len() + time) * 2 + at]);
                        prop_assert_eq!(found.to_bits(), expected.to_bits(), "{} at {}: {} {}", name, time, found, expected);
                    }
                }
            }
        }
        if method == Method::Euler {
            let options = Options { save: Some(vec!["x".to_owned()]), ..Options::default() };
            let (rows, _) = run(&Program::compile(&arrays, &options, Kernel::detect()).unwrap(), &[], 0, [0, 0], &Control::new())
                .unwrap();
            let (expected, knife) = Oracle::run(&apart, "x_r2");
            if !knife {
                for (time, value) in expected.iter().enumerate() {
                    let found = rows[time * elements + 1];
                    prop_assert!((found - value.number).abs() <= value.error, "{}: {} {:?}", time, found, value);
                }
            }
        }
    }
}

#[test]
fn elements_that_follow_each_other_are_one_instruction() {
    let text = Text { elements: 40, flow: "x$ * b".to_owned(), aside: "y$".to_owned(), guard: "x$".to_owned() };
    let options = Options { save: Some(["x", "aside", "z"].map(str::to_owned).to_vec()), ..Options::default() };
    let program = Program::compile(&written(&text, true), &options, Kernel::detect()).unwrap();
    let step = &program.narrow().euler.code;
    // Some ten operations of each of forty elements, the sum over all, and what the first element has of its own.
    assert!(step.len() < 40, "{}", program.disassemble(true));
    assert!(step.iter().any(|instruction| instruction.op == Op::Total(40, 1)), "{}", program.disassemble(true));
    assert!(program.disassemble(true).contains("40 × "), "{}", program.disassemble(true));
}
