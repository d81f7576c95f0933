use proptest::prelude::*;

use super::*;
use crate::lanes::Kernel;
use crate::sd::compile::{Options, Shaped};
use crate::sd::dialect::Dialect;
use crate::sd::model::{Model, Table as Points, TableKind, TimeSpec};
use crate::sd::oracle::Oracle;
use crate::sd::testing::model;

fn timed(mut model: Model, last: f64, dt: f64) -> Model {
    model.time = TimeSpec { initial_time: 0.0, final_time: last, dt, ..TimeSpec::default() };
    model
}

fn program(model: &Model, varied: &[&str], save: &[&str], method: Method, kernel: Kernel) -> Program {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let options =
        Options { varied: names(varied), save: Some(names(save)), method: Some(method), ..Options::default() };
    Program::compile(model, &options, kernel).unwrap()
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

fn single(program: &Program, values: &[f64]) -> (Vec<f64>, Ending) {
    run(program, values, 0, [1, 2], &Control::new()).unwrap()
}

fn cooling() -> Model {
    timed(
        model(
            Dialect::Xmile,
            "",
            "stock tea = 180 ; -loss
             flow loss = (tea - room) / tau
             par room = 70
             par tau = 10",
        ),
        30.0,
        0.125,
    )
}

#[test]
fn methods_converge_to_the_exponential_at_their_order() {
    let exact = 70.0 + 110.0 * (-3.0f64).exp();
    // The error of one step is h^(p+1)/(p+1)!, of the run about h^p: with h/tau = 0.0125 and 240 steps these bounds hold.
    for (method, bound) in [(Method::Euler, 0.2), (Method::Rk2, 1e-3), (Method::Rk4, 1e-7), (Method::Rk45, 1e-6)] {
        let (values, ending) = single(&program(&cooling(), &[], &["tea"], method, Kernel::detect()), &[]);
        assert!(ending.complete());
        let error = (values[240] - exact).abs();
        assert!(error < bound, "{method:?}: {error}");
    }
}

#[test]
fn the_adaptive_method_keeps_its_tolerance_with_long_steps_and_between_them() {
    let mut model = cooling();
    model.time.dt = 10.0;
    let options = Options {
        method: Some(Method::Rk45),
        save: Some(vec!["tea".to_owned()]),
        save_times: Some(vec![0.0, 3.3, 10.0, 17.7, 30.0]),
        tolerance: Some((1e-9, 1e-9)),
        ..Options::default()
    };
    let program = Program::compile(&model, &options, Kernel::detect()).unwrap();
    let (values, _) = single(&program, &[]);
    for (time, value) in [0.0f64, 3.3, 10.0, 17.7, 30.0].iter().zip(values) {
        let exact = 70.0 + 110.0 * (-time / 10.0).exp();
        // Global error: the tolerance of a step (1e-9 of 180) times the number of steps, some tens.
        assert!((value - exact).abs() < 1e-5, "{time}: {value} {exact}");
    }
}

#[test]
fn a_delay_of_second_order_answers_a_step_as_its_closed_form() {
    let model = timed(
        model(Dialect::Xmile, "", "aux out = DELAYN(STEP(1, 0), 2, 2, 0)\n stock level = 0 ; +in\n flow in = out"),
        4.0,
        1.0 / 1024.0,
    );
    let (values, _) = single(&program(&model, &[], &["out"], Method::Rk4, Kernel::detect()), &[]);
    for step in [512usize, 2048, 4096] {
        let t = step as f64 / 1024.0;
        let exact = 1.0 - (1.0 + t) * (-t).exp();
        assert!((values[step] - exact).abs() < 1e-10, "{t}: {} {exact}", values[step]);
    }
}

#[test]
fn blocks_threads_and_the_narrow_path_give_the_same_bits() {
    let model = timed(
        model(
            Dialect::Xmile,
            "",
            "stock x = 1 ; +grow -shrink
             flow grow = x * rate * bend(x) + SMTH3(x, 2) * 0.01 + NORMAL(0, 0.1) * noise
             flow shrink = x ^ 1.5 * 0.02 + MAX(0, DELAY(x, 1.5)) * 0.01 + EXP(-x) + LN(1 + x)
             lookup bend = 0 1 2 4 8 ; 1 0.9 0.7 0.4 0
             par rate = 0.3
             par noise = 1",
        ),
        20.0,
        0.25,
    );
    let program = program(&model, &["rate", "INITIAL(x)"], &["x", "grow"], Method::Euler, Kernel::detect());
    let design: Vec<f64> = (0..150).flat_map(|i| [0.1 + 0.002 * f64::from(i), 0.5 + 0.01 * f64::from(i)]).collect();
    let reference = sweep(&program, &design, 150, 0, [7, 8], 16, &pool(1), &Control::new()).unwrap();
    for (block, threads) in [(0, 2), (32, 2), (64, 1), (256, 1), (1, 2)] {
        let other = sweep(&program, &design, 150, 0, [7, 8], block, &pool(threads), &Control::new()).unwrap();
        assert!(other.values.iter().zip(&reference.values).all(|(a, b)| a.to_bits() == b.to_bits()), "{block}");
    }
    let (alone, _) = run(&program, &design[2 * 99..2 * 100], 99, [7, 8], &Control::new()).unwrap();
    let times = program.times.len();
    for time in 0..times {
        assert_eq!(alone[2 * time].to_bits(), reference.values[time * 150 + 99].to_bits());
    }
}

#[test]
fn runs_of_one_program_at_once_and_after_failures_and_cancels_are_those_of_a_new_one() {
    let lines = "stock x = 1 ; +grow -shrink
         flow grow = x * rate + SMTH3(x, 2) * 0.01 + NORMAL(0, 0.1) + LN(x + 20 * rate)
         flow shrink = DELAY FIXED(x, 1.5, 1) * 0.2 + IF THEN ELSE(x > 2, x ^ 1.5, bend(x))
         lookup bend = 0 1 2 4 8 ; 1 0.9 0.7 0.4 0
         par rate = 0.3";
    let model = timed(model(Dialect::Vensim, "", lines), 20.0, 0.25);
    for method in [Method::Euler, Method::Rk4] {
        let fresh = |rate: f64, number: u64| {
            let program = program(&model, &["rate"], &["x", "grow"], method, Kernel::detect());
            let (values, ending) = run(&program, &[rate], number, [7, 8], &Control::new()).unwrap();
            (values.iter().map(|value| value.to_bits()).collect::<Vec<_>>(), ending.complete())
        };
        let rates = [0.1, -3.0, 0.3, 0.2];
        let expected: Vec<_> = rates.iter().zip(0..).map(|(&rate, number)| fresh(rate, number)).collect();
        assert_eq!(expected.iter().map(|(_, complete)| *complete).collect::<Vec<_>>(), [true, false, true, true]);
        let shared = program(&model, &["rate"], &["x", "grow"], method, Kernel::detect());
        let cancelled = Control::new();
        cancelled.cancel();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (shared, expected, cancelled) = (&shared, &expected, &cancelled);
                scope.spawn(move || {
                    for k in 0..40 {
                        let at = (k * 3 + thread) % 4;
                        if k % 7 == 0 {
                            assert!(run(shared, &[0.2], 9, [7, 8], cancelled).is_err());
                        }
                        let (values, ending) = run(shared, &[rates[at]], at as u64, [7, 8], &Control::new()).unwrap();
                        let bits: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
                        assert!(bits == expected[at].0 && ending.complete() == expected[at].1, "{method:?} {at}");
                    }
                });
            }
        });
    }
}

#[test]
fn kernels_agree() {
    let mut results = Vec::new();
    for kernel in Kernel::available() {
        let model = timed(
            model(
                Dialect::Xmile,
                "",
                "stock x = 1 ; +f\n flow f = EXP(-x) * x ^ 0.7 + SIN(TIME) * COS(x) - LN(1 + x) * rate\n par rate = 0.3",
            ),
            50.0,
            0.25,
        );
        let program = program(&model, &["rate"], &["x"], Method::Rk4, kernel);
        results.push(sweep(&program, &[0.1, 0.2, 0.3], 3, 0, [0, 0], 0, &pool(1), &Control::new()).unwrap().values);
    }
    for other in &results[1..] {
        for (a, b) in results[0].iter().zip(other) {
            // Fused and separate rounding differ in the last bit of a step; a stable model does not enlarge that.
            assert!((a - b).abs() <= 1e-12 * a.abs().max(1.0), "{a} {b}");
        }
    }
}

#[test]
fn a_run_that_turns_non_finite_is_nan_from_then_with_time_and_variable() {
    let model = timed(
        model(Dialect::Xmile, "", "stock x = 1 ; +f\n flow f = x * x * rate\n aux calm = TIME\n par rate = 1"),
        40.0,
        1.0,
    );
    let program = program(&model, &["rate"], &["x", "calm"], Method::Euler, Kernel::detect());
    let swept = sweep(&program, &[0.0, 1.0, 0.01], 3, 0, [0, 0], 0, &pool(1), &Control::new()).unwrap();
    assert!(swept.endings[0].complete() && !swept.endings[1].complete());
    assert_eq!(swept.endings[1].variable, 0);
    let times = program.times.len();
    for (k, time) in program.times.iter().enumerate() {
        let calm = swept.values[(times + k) * 3 + 1];
        assert_eq!(calm.is_nan(), *time >= swept.endings[1].time, "{time} {calm}");
        assert_eq!(swept.values[(times + k) * 3], *time);
    }
}

/// Runs every row and says when and where each failed.
fn failures(lines: &str, method: Method, rows: &[f64], varied: &[&str]) -> Vec<(f64, String)> {
    let model = timed(model(Dialect::Xmile, "", lines), 20.0, 1.0);
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let options = Options { varied: names(varied), method: Some(method), ..Options::default() };
    let program = Program::compile(&model, &everything(&options), Kernel::detect()).unwrap();
    let numbers: Vec<u64> = (0..(rows.len() / varied.len().max(1)).max(1) as u64).collect();
    let found = diagnose(&program, &model, rows, &numbers, [0, 0], &pool(2), &Control::new()).unwrap();
    let flat = &program.flat;
    let name = |at: i32| flat.state_names.iter().chain(&flat.columns).nth(at as usize).cloned().unwrap_or_default();
    found.into_iter().map(|ending| (ending.time, name(ending.variable))).collect()
}

#[test]
fn the_first_variable_that_is_not_finite_is_named() {
    let all = [Method::Euler, Method::Rk2, Method::Rk4, Method::Rk45];
    // The root of a falling stock, seen through two more variables that stand before it in the model.
    let lines = "aux above = middle + 1
         aux middle = root * 2
         aux again = root
         aux root = SQRT(x + shift)
         stock y = 0 ; +above
         stock x = 4 ; -out
         flow out = 1
         par shift = 0";
    assert_eq!(failures(lines, Method::Euler, &[0.0, 2.0], &["shift"]), [(5.0, "root".into()), (7.0, "root".into())]);
    for method in all {
        let found = failures(lines, method, &[0.0, 2.0, 3.0], &["shift"]);
        assert!(found.iter().all(|(_, name)| name == "root"), "{method:?} {found:?}");
        for ((time, _), zero) in found.iter().zip([4.0, 6.0, 7.0]) {
            assert!((zero..=zero + 1.0).contains(time), "{method:?} {time}");
        }
    }
    // A stock that overflows though what moves it is finite.
    let lines = "stock x = 1e308 ; +in\n flow in = 1e308\n aux seen = x - 1";
    for method in [Method::Euler, Method::Rk2, Method::Rk4] {
        let (time, name) = &failures(lines, method, &[], &[])[0];
        assert!((*time - 1.0).abs() <= 0.5 && name == "x" || name == "seen", "{method:?} {time} {name}");
    }
    // What an initial value is computed from comes before the stock and what shows it.
    let lines = "aux shown = x * 2\n stock x = start ; +in\n flow in = 1\n aux start = LN(low)\n par low = 1";
    for method in all {
        assert_eq!(failures(lines, method, &[-1.0], &["low"]), [(0.0, "start".into())], "{method:?}");
    }
    let lines = "aux shown = x * 2\n stock x = LN(low) ; +in\n flow in = 1\n par low = 1";
    for method in [Method::Euler, Method::Rk2, Method::Rk4] {
        assert_eq!(failures(lines, method, &[-1.0], &["low"]), [(0.0, "x".into())], "{method:?}");
    }
}

#[test]
fn statistics_are_those_of_the_values() {
    use crate::sd::reduce::{Reduction, Side, Threshold};
    let program = program(&cooling(), &["tau"], &["tea"], Method::Euler, Kernel::detect());
    let design: Vec<f64> = (0..500).map(|i| 2.0 + 0.05 * f64::from(i)).collect();
    let swept = sweep(&program, &design, 500, 0, [0, 0], 0, &pool(1), &Control::new()).unwrap();
    let times = program.times.len();
    let limit = Threshold { column: 0, side: Side::Below, limit: 100.0 };
    let mut reduction = Reduction::new(1, times, 2, true, 200.0, vec![limit]);
    let group: Vec<u32> = (0..500).map(|i| u32::from(i >= 200)).collect();
    reduction.sweep(&program, &design, 500, &group, 0, [0, 0], 0, &pool(2), &Control::new()).unwrap();
    let means = reduction.by_group(crate::sd::reduce::Moments::mean);
    let variances = reduction.by_group(crate::sd::reduce::Moments::variance);
    for time in [0usize, 17, times - 1] {
        let row = &swept.values[time * 500..][200..500];
        let mean = row.iter().sum::<f64>() / 300.0;
        let variance = row.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / 299.0;
        // Sums of 300 numbers in another order: some units in the last place.
        assert!((means[times + time] - mean).abs() < 1e-11 * mean);
        assert!((variances[times + time] - variance).abs() < 1e-10 * (1.0 + variance));
    }
    let passage = reduction.first_passage();
    let below = swept.values[(times - 1) * 500..][..200].iter().filter(|v| **v < 100.0).count();
    // Cooling only falls: who is below at the end has passed once.
    assert!((passage[..times].iter().sum::<f64>() - below as f64 / 200.0).abs() < 1e-12);
    assert_eq!(Reduction::from_bytes(&reduction.to_bytes()).unwrap(), reduction);
    assert!(Reduction::from_bytes(&reduction.to_bytes()[..100]).is_err());
}

#[test]
fn what_need_not_be_computed_in_a_step_is_not() {
    use crate::sd::program::code::{Op, Place};
    let text = "stock x = 1 ; +f
         flow f = x * (rate * 2 + 1) + x * (rate * 2 + 1) * SIN(TIME) * (2 * 3 + 4)
         aux unused = EXP(x)
         aux a = COS(x)
         aux b = COS(a) + a
         aux c = COS(b) + b
         aux d = COS(c) + c
         par rate = 0.5";
    let model = timed(model(Dialect::Xmile, "", text), 4.0, 0.5);
    let lean = program(&model, &["rate"], &["x"], Method::Euler, Kernel::detect());
    let values: Vec<f64> = lean.lanes.constants.iter().map(|&(_, value)| value).collect();
    // Folded: the product and the sum of numbers are one number.
    assert!(values.contains(&10.0) && !values.contains(&6.0), "{values:?}");
    // Hoisted: what depends on varied values alone is one number a run, the sine one number a step for all lanes.
    let reads = |place: Place| lean.lanes.euler.code.iter().filter(|i| i.arguments.contains(&place)).count();
    assert_eq!(lean.lanes.kept, 1);
    assert!(!lean.disassemble(false).split("step:").nth(1).unwrap().contains("Sin"));
    // Common: the product of the state and the run-constant is made once.
    assert_eq!(reads(Place::Kept(0)), 1);
    // Fused: four operations and the step itself in three instructions at most.
    assert!(lean.lanes.euler.code.len() <= 3, "{}", lean.disassemble(false));
    // Dead: nothing that is not saved and moves no state.
    assert!(!lean.disassemble(false).contains("Exp"));
    let wide = program(&model, &["rate"], &["unused", "d"], Method::Euler, Kernel::detect());
    assert!(wide.disassemble(false).contains("Exp"));
    // Reused: many values in few places.
    let written = |i: &&crate::sd::program::code::Instruction| matches!(i.to, Place::Temporary(_));
    let temporaries = wide.lanes.save.code.iter().filter(|i| !matches!(i.op, Op::Store(_))).filter(written).count();
    assert!(temporaries >= 7 && wide.lanes.save.temporaries <= 4, "{}", wide.disassemble(false));
}

#[test]
fn a_branch_that_no_lane_takes_is_skipped_and_says_the_same() {
    let text = "stock x = 1 ; +f
         flow f = IF gate > 0 THEN EXP(-x) * LN(1 + x) ^ 1.3 ELSE -x * 0.1
         par gate = 1";
    let plain = "stock x = 1 ; +f\n flow f = EXP(-x) * LN(1 + x) ^ 1.3\n par gate = 1";
    let still = "stock x = 1 ; +f\n flow f = -x * 0.1\n par gate = 1";
    let compiled = |text: &str| {
        let model = timed(model(Dialect::Xmile, "", text), 10.0, 1.0);
        program(&model, &["gate"], &["x"], Method::Euler, Kernel::detect())
    };
    let program = compiled(text);
    assert!(program.disassemble(false).contains("Skip"));
    let go = |program: &Program, gates: &[f64]| {
        struct Keep(Vec<f64>, usize);
        impl Sink for Keep {
            fn target(&mut self, time: usize) -> (*mut f64, usize) {
                (self.0[time * self.1..].as_mut_ptr(), self.1)
            }
            fn stored(&mut self, _: usize, _: &[bool]) {}
        }
        let mut keep = Keep(vec![0.0; 11 * gates.len()], gates.len());
        let mut block = Block::new(program, gates.len());
        block.run(gates.len(), 0, [0, 0], |_, lane| gates[lane], &mut keep, &Control::new()).unwrap();
        (keep.0, block.skipped)
    };
    let (on, off) = (go(&compiled(plain), &[1.0]).0, go(&compiled(still), &[1.0]).0);
    for lanes in [1usize, 20] {
        // Taken everywhere: nothing is skipped. Nowhere: the three functions of the branch at each of ten steps.
        let (values, skipped) = go(&program, &vec![1.0; lanes]);
        assert_eq!((values[10 * lanes], skipped), (on[10], 0));
        let (values, skipped) = go(&program, &vec![-1.0; lanes]);
        assert_eq!(values[10 * lanes], off[10]);
        assert!(skipped >= 10 * 4, "{skipped}");
    }
    // One lane that takes it keeps it for all, and each lane has its own side.
    let mut gates = vec![-1.0; 20];
    gates[17] = 1.0;
    let (values, skipped) = go(&program, &gates);
    assert_eq!((values[10 * 20], values[10 * 20 + 17], skipped), (off[10], on[10], 0));
}

/// Equations over a fixed cast of names that stay finite.
fn equation() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("x".to_owned()),
        Just("y".to_owned()),
        Just("a".to_owned()),
        Just("TIME".to_owned()),
        (-30i32..30).prop_map(|n| format!("({})", f64::from(n) / 8.0)),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            (
                two.clone(),
                prop_oneof![
                    Just("+"),
                    Just("-"),
                    Just("*"),
                    Just("<"),
                    Just(">="),
                    Just("="),
                    Just("AND"),
                    Just("<="),
                    Just(">"),
                    Just("<>"),
                    Just("OR")
                ]
            )
                .prop_map(|((a, b), op)| format!("({a} {op} {b})")),
            two.clone().prop_map(|(a, b)| format!("({a} / (1 + ABS({b})))")),
            two.clone().prop_map(|(a, b)| format!("MIN({a}, {b})")),
            two.prop_map(|(a, b)| format!("MAX({a}, {b})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(c, a, b)| format!("(IF {c} > 0 THEN {a} ELSE {b})")),
            inner.clone().prop_map(|a| format!("SIN({a})")),
            inner.clone().prop_map(|a| format!("EXP(-ABS({a}))")),
            inner.clone().prop_map(|a| format!("LN(1 + ABS({a}))")),
            inner.clone().prop_map(|a| format!("SQRT(ABS({a}))")),
            inner.clone().prop_map(|a| format!("ARCTAN({a})")),
            inner.clone().prop_map(|a| format!("TANH({a})")),
            inner.clone().prop_map(|a| format!("LOG10(2 + ABS({a}))")),
            (inner.clone(), 0u8..8).prop_map(|(a, b)| format!("SAFEDIV(SIN({a}), INT(ABS({a})), {b})")),
            (-8i32..8, 0u8..12, 0u8..4).prop_map(|(a, b, c)| format!(
                "RAMP(({a}), {}, {})",
                f64::from(b) / 4.0,
                f64::from(b + c) / 4.0
            )),
            (inner.clone(), 0u8..16).prop_map(|(a, b)| format!("PULSE({a}, {})", f64::from(b) / 4.0)),
            (inner.clone(), 0u8..16).prop_map(|(a, b)| format!("STEP({a}, {})", f64::from(b) / 4.0)),
            inner.clone().prop_map(|a| format!("(NOT ({a} > 1))")),
            inner.clone().prop_map(|a| format!("({a} MOD 3)")),
            inner.clone().prop_map(|a| format!("INT({a})")),
            inner.clone().prop_map(|a| format!("((1 + ABS({a})) ^ 0.3)")),
            inner.clone().prop_map(|a| format!("bend({a})")),
            inner.clone().prop_map(|a| format!("short({a})")),
            inner.clone().prop_map(|a| format!("(-{a})")),
            (inner.clone(), inner.clone()).prop_map(|(c, a)| {
                format!("(IF {c} > 1 THEN EXP(-ABS({a})) * LN(2 + ABS({a})) ^ 1.5 ELSE INT({a}))")
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn programs_do_what_the_trees_say(f in equation(), g in equation(), aux in equation()) {
        // The auxiliary must not name itself.
        let aux = aux.replace('a', "x").replace("xBS", "ABS").replace("Mxx", "Max");
        let lines = format!(
            "stock x = 1 ; +f -g
             stock y = 2 ; +g
             flow f = SIN({f})
             flow g = COS({g})
             aux a = SIN({aux})
             lookup short = -1 0 2 5 ; 3 1 -1 0.5
             lookup bend = -2 -1 0 1 2 3 4 5 6 7 8 9 ; 1 0.9 0.7 0.4 0 -1 -1 2 3 5 4 0"
        );
        let model = timed(model(Dialect::Xmile, "", &lines), 4.0, 0.5);
        let (expected, knife) = Oracle::run(&model, "x");
        // A comparison that roundings decide says nothing; no more than one model in five has one.
        prop_assume!(!knife);
        for kernel in Kernel::available() {
            let program = program(&model, &["INITIAL(y)"], &["x"], Method::Euler, kernel);
            let swept = sweep(&program, &[2.0; 5], 5, 0, [0, 0], 0, &pool(1), &Control::new()).unwrap();
            let (alone, _) = single(&program, &[2.0]);
            for (k, wanted) in expected.iter().enumerate() {
                let found = swept.values[k * 5 + 2];
                prop_assert!(
                    (found - wanted.number).abs() <= wanted.error,
                    "{kernel} step {k}: {found} {wanted:?}\n{lines}"
                );
            }
            for (k, value) in alone.iter().enumerate() {
                prop_assert_eq!(value.to_bits(), swept.values[k * 5].to_bits());
            }
        }
    }

    #[test]
    fn one_run_and_any_width_give_the_same_bits(f in equation(), g in equation(), aux in equation()) {
        let aux = aux.replace('a', "x").replace("xBS", "ABS").replace("Mxx", "Max");
        let lines = format!(
            "stock x = 1 ; +f -g
             stock y = 2 ; +g
             flow f = SIN({f}) + PULSE(1, 1, 2) + DELAY(x, 1) * 0.01 + SMTH3(a, 2) * 0.1 + NORMAL(0, 0.01)
             flow g = COS({g}) - MODULO(TIME, 3) * 0.1
             aux a = SIN({aux}) + ARCTAN(y)
             lookup short = -1 0 2 5 ; 3 1 -1 0.5
             lookup bend = -2 -1 0 1 2 3 4 5 6 7 8 9 ; 1 0.9 0.7 0.4 0 -1 -1 2 3 5 4 0"
        );
        let model = timed(model(Dialect::Xmile, "", &lines), 4.0, 0.5);
        let design: Vec<f64> = (0..40).map(|k| 0.1 * f64::from(k)).collect();
        for (kernel, method) in Kernel::available().into_iter().flat_map(|kernel| {
            [Method::Euler, Method::Rk2, Method::Rk4].map(|method| (kernel, method))
        }) {
            let program = program(&model, &["INITIAL(y)"], &["x", "a"], method, kernel);
            let wide = sweep(&program, &design, 40, 0, [3, 4], 64, &pool(1), &Control::new()).unwrap();
            let slim = sweep(&program, &design, 40, 0, [3, 4], 16, &pool(1), &Control::new()).unwrap();
            let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&wide.values), bits(&slim.values));
            for member in [0usize, 23, 39] {
                let (alone, _) =
                    run(&program, &design[member..=member], member as u64, [3, 4], &Control::new()).unwrap();
                for (k, value) in alone.iter().enumerate() {
                    let (time, column) = (k / 2, k % 2);
                    let other = wide.values[(column * program.times.len() + time) * 40 + member];
                    prop_assert_eq!(value.to_bits(), other.to_bits(), "{} {:?} {}", lines, method, kernel);
                }
            }
        }
    }
}

#[test]
fn many_times_inside_one_step_are_saved() {
    let mut model = cooling();
    model.time.dt = 30.0;
    let times: Vec<f64> = (0..=30).map(f64::from).collect();
    let options = Options {
        method: Some(Method::Rk45),
        save: Some(vec!["tea".to_owned()]),
        save_times: Some(times.clone()),
        tolerance: Some((1e-9, 1e-9)),
        ..Options::default()
    };
    let program = Program::compile(&model, &options, Kernel::detect()).unwrap();
    let (values, _) = single(&program, &[]);
    for (time, value) in times.iter().zip(values) {
        let exact = 70.0 + 110.0 * (-time / 10.0).exp();
        // As above: the tolerance of a step times some tens of steps.
        assert!((value - exact).abs() < 1e-5, "{time}: {value} {exact}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Points that are varied values give the bits of points that are part of the program, in every reading and kernel.
    #[test]
    fn points_of_each_run_are_points_of_the_program(
        seed in any::<u32>(),
        count in 1usize..26,
        own_x in any::<bool>(),
        reading in prop::sample::select(vec!["bend(x)", "bend(0.7 * TIME)", "LOOKUPFORWARD(bend, x)", "LOOKUPBACKWARD(bend, x)",
            "bend(30 * flat)"]),
        kind in prop::sample::select(vec![TableKind::Continuous, TableKind::Extrapolate, TableKind::Discrete]),
    ) {
        let runs = 21;
        let mut state = u64::from(seed);
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let rising = |draw: &mut dyn FnMut() -> f64| {
            let mut at = -2.0;
            (0..count).map(|_| { at += 0.1 + 0.9 * draw(); at }).collect::<Vec<f64>>()
        };
        let shared = rising(&mut draw);
        let points: Vec<(Vec<f64>, Vec<f64>)> = (0..runs).map(|_| {
            let x = if own_x { rising(&mut draw) } else { shared.clone() };
            (x, (0..count).map(|_| 4.0 * draw() - 1.0).collect())
        }).collect();
        let made = |points: &(Vec<f64>, Vec<f64>)| {
            let lines = format!(
                "stock x = 0.3 ; +f
                 flow f = {reading} - 0.2 * x
                 par flat = 0.02
                 lookup bend = 0 ; 0"
            );
            let mut model = timed(model(Dialect::Xmile, "", &lines), 5.0, 0.25);
            let bend = model.variables.last_mut().unwrap();
            bend.equations[0].table = Some(Points { x: points.0.clone(), y: points.1.clone(), kind, ..Points::default() });
            model
        };
        for kernel in Kernel::available() {
            let shaped = Shaped { name: "bend".to_owned(), points: count, own_x };
            let options = Options {
                save: Some(vec!["x".to_owned(), "f".to_owned()]),
                varied: vec!["flat".to_owned()],
                curves: vec![shaped],
                ..Options::default()
            };
            let together = Program::compile(&made(&points[0]), &options, kernel).unwrap();
            let mut design = Vec::new();
            for (run, (x, y)) in points.iter().enumerate() {
                design.push(0.02 + 0.01 * run as f64);
                design.extend(if own_x { &x[..] } else { &[] });
                design.extend(y);
            }
            let width = together.flat.defaults.len();
            prop_assert_eq!(width, 1 + count * if own_x { 2 } else { 1 });
            prop_assert_eq!(&together.flat.defaults[width - count..], &points[0].1[..]);
            let swept = sweep(&together, &design, runs, 0, [0, 0], 0, &pool(1), &Control::new()).unwrap();
            for (at, own) in points.iter().enumerate() {
                let alone = Program::compile(&made(own), &Options { curves: Vec::new(), ..options.clone() }, kernel).unwrap();
                let flat = [0.02 + 0.01 * at as f64];
                let expected = run(&alone, &flat, 0, [0, 0], &Control::new()).unwrap().0;
                let narrow = run(&together, &design[at * width..(at + 1) * width], 0, [0, 0], &Control::new()).unwrap().0;
                for (time, row) in expected.chunks_exact(2).enumerate() {
                    for (column, value) in row.iter().enumerate() {
                        let lanes = swept.values[(column * expected.len() / 2 + time) * runs + at];
                        prop_assert_eq!(value.to_bits(), lanes.to_bits(), "run {} at {}: {} {}", at, time, value, lanes);
                        prop_assert_eq!(value.to_bits(), narrow[2 * time + column].to_bits());
                    }
                }
            }
        }
    }
}

#[test]
fn points_that_a_function_reads_as_a_whole_are_no_varied_values() {
    let model = timed(
        model(Dialect::Xmile, "", "aux slope = LOOKUPSLOPE(bend, TIME)\n lookup bend = 0 1 2 ; 0 1 4\n par c = 1"),
        5.0,
        0.25,
    );
    for (name, points, reason) in
        [("bend", 3, "read as a whole"), ("bend", 2, "read as a whole"), ("c", 3, "no lookup and no series")]
    {
        let curves = vec![Shaped { name: name.to_owned(), points, own_x: false }];
        let options = Options { curves, ..Options::default() };
        let found = Program::compile(&model, &options, Kernel::detect()).unwrap_err().to_string();
        assert!(found.contains(reason), "{found}");
    }
}

/// A bit pattern that no run computes.
const UNWRITTEN: u64 = 0x7ff4_dead_beef_0001;

#[test]
fn every_number_of_the_result_is_written_whatever_the_method_and_the_failures() {
    let grow = timed(
        model(
            Dialect::Xmile,
            "",
            "stock x = 1 ; +in
             flow in = SQRT(limit - x)
             par limit = 3
             aux shown = x * 2",
        ),
        8.0,
        0.25,
    );
    // Some limits are reached, where the square root has no value.
    let design: Vec<f64> = (0..53).map(|i| 1.5 + 0.7 * f64::from(i)).collect();
    for method in [Method::Euler, Method::Rk2, Method::Rk4, Method::Rk45] {
        for save in [&["x", "shown"][..], &["shown"], &["x"], &[]] {
            let program = program(&grow, &["limit"], save, method, Kernel::detect());
            let size = save.len() * program.times.len() * 53;
            for (block, threads) in [(0, 1), (16, 2), (1, 3)] {
                let mut values = vec![f64::from_bits(UNWRITTEN); size];
                let (pool, control) = (pool(threads), Control::new());
                let room = room(&mut values);
                let endings = sweep_into(&program, &design, 53, 0, [1, 2], block, &pool, &control, room).unwrap();
                assert!(values.iter().all(|value| value.to_bits() != UNWRITTEN), "{method:?} {save:?} {block}");
                let failed = endings.iter().filter(|ending| !ending.complete()).count();
                assert!(save.is_empty() || method == Method::Rk45 || (1..53).contains(&failed), "{method:?} {failed}");
                let nan = |run: usize| (0..size / 53).any(|row| values[row * 53 + run].is_nan());
                assert!(save.is_empty() || (0..53).all(|run| endings[run].complete() != nan(run)), "{method:?}");
            }
        }
    }
}

#[test]
fn a_large_result_has_the_same_bits_for_any_number_of_threads() {
    let program = program(&cooling(), &["tau"], &["tea"], Method::Euler, Kernel::detect());
    let runs = LARGE / program.times.len() + 1;
    let design: Vec<f64> = (0..runs).map(|i| 1.0 + i as f64 * 1e-3).collect();
    let alone = sweep(&program, &design, runs, 0, [1, 2], 0, &pool(1), &Control::new()).unwrap();
    assert!(alone.values.len() > LARGE);
    let shared = sweep(&program, &design, runs, 0, [1, 2], 0, &pool(3), &Control::new()).unwrap();
    assert!(alone.values.iter().zip(&shared.values).all(|(a, b)| a.to_bits() == b.to_bits()));
}

#[test]
fn every_thread_has_as_many_blocks_as_the_others() {
    let program = program(&cooling(), &["tau"], &["tea"], Method::Euler, Kernel::detect());
    for (runs, threads) in [(4096, 2), (1500, 2), (1280, 2), (100, 2), (40, 3), (1, 4), (1000, 7)] {
        let block = lanes(&program, runs, threads);
        let blocks = runs.div_ceil(block);
        assert!(block <= WIDEST && (block.is_multiple_of(WIDE) || runs == 1), "{runs} {threads}: {block}");
        // Blocks are whole chunks of lanes: where there are few runs, some threads have none.
        assert!(blocks.is_multiple_of(threads) || block == WIDE || runs == 1, "{runs} {threads}: {blocks} of {block}");
    }
}

#[test]
fn a_cancelled_sweep_gives_nothing() {
    let program = program(&cooling(), &["tau"], &["tea"], Method::Euler, Kernel::detect());
    let design = vec![10.0; 1000];
    let control = Control::new();
    control.cancel();
    for threads in [1, 2] {
        assert!(sweep(&program, &design, 1000, 0, [1, 2], 0, &pool(threads), &control).is_err());
    }
}
