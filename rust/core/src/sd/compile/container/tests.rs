//! Containers in whole models: against the machine alone, closed forms and balances.

use proptest::prelude::*;

use crate::cancel::Control;
use crate::lanes::Kernel;
use crate::sd::compile::CompileError;
use crate::sd::compile::flat::Options;
use crate::sd::functions::clock::Clock;
use crate::sd::functions::conveyor::{self, Controls, Conveyor};
use crate::sd::model::Method;
use crate::sd::program::Program;
use crate::sd::sweep;

/// A model of stocks and flows: time from 0 to 6 by 0.5.
fn file(variables: &str) -> String {
    format!(
        "<xmile version='1.0' xmlns='http://docs.oasis-open.org/xmile/ns/XMILE/v1.0'><header/>
        <sim_specs><start>0</start><stop>6</stop><dt>0.5</dt></sim_specs>
        <model><variables>{variables}</variables></model></xmile>"
    )
}

fn compiled(text: &str, save: &[&str], varied: &[&str], method: Method) -> Result<Program, CompileError> {
    let model = crate::sd::read::xmile::read(text, "containers.xmile").unwrap();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let options =
        Options { save: Some(names(save)), varied: names(varied), method: Some(method), ..Options::default() };
    Program::compile(&model, &options, Kernel::Portable)
}

/// Each saved variable over time.
fn run(text: &str, save: &[&str], method: Method) -> Result<Vec<Vec<f64>>, CompileError> {
    let program = compiled(text, save, &[], method)?;
    let (values, ending) = sweep::run(&program, &[], 0, [0, 0], &Control::default()).unwrap();
    assert!(ending.complete(), "{ending:?}");
    let columns = program.flat.columns.len();
    Ok((0..columns).map(|column| values.iter().skip(column).step_by(columns).copied().collect()).collect())
}

fn columns(text: &str, save: &[&str]) -> Vec<Vec<f64>> {
    run(text, save, Method::Euler).unwrap()
}

fn leaky(conveyor: &str, inflow: &str, content: &str) -> String {
    file(&format!(
        "<stock name='belt'><eqn>{content}</eqn><inflow>arriving</inflow><outflow>departing</outflow>
        <outflow>seepage</outflow><outflow>spillage</outflow>{conveyor}</stock>
        <aux name='transit'><eqn>2</eqn></aux>
        <flow name='arriving'><eqn>{inflow}</eqn></flow><flow name='departing'/>
        <flow name='seepage' leak_start='0' leak_end='1'><eqn>0.05</eqn><leak/></flow>
        <flow name='spillage' leak_start='0.5' leak_end='1'><eqn>0.1</eqn><leak/></flow>"
    ))
}

const LEAKY: [&str; 5] = ["belt", "departing", "seepage", "spillage", "arriving"];

#[test]
fn slats_and_machines_move_as_the_conveyor_does() {
    // As reference/sd/conveyors/leaky_conveyor.xmile, with and without a first content, linear and exponential, and full.
    // A length that is a number lies in slats, one that is a variable in a machine.
    for (exponential, content, capacity) in
        [(false, 0.0, f64::INFINITY), (false, 80.0, f64::INFINITY), (true, 80.0, f64::INFINITY), (false, 80.0, 150.0)]
    {
        let limit = if capacity.is_finite() { format!("<capacity>{capacity}</capacity>") } else { String::new() };
        for length in ["2", "transit"] {
            let conveyor = format!("<conveyor exponential_leak='{exponential}'><len>{length}</len>{limit}</conveyor>");
            let found = columns(&leaky(&conveyor, "100 + 10 * TIME", &content.to_string()), &LEAKY);
            let leak = |from: f64| conveyor::Leak { zone: (from, 1.0), integers: false };
            let options =
                conveyor::Options { leaks: vec![leak(0.0), leak(0.5)], exponential, ..conveyor::Options::default() };
            let fractions = [0.05, 0.1];
            let mut belt = Conveyor::start(&options, content, 2.0, &fractions, Clock { time: 0.0, dt: 0.5 });
            for step in 0..12 {
                let clock = Clock { time: 0.5 * step as f64, dt: 0.5 };
                let controls = Controls {
                    transit_time: 2.0,
                    capacity,
                    inflow_limit: f64::INFINITY,
                    sample: 1.0,
                    arrest: 0.0,
                    hold: 0.0,
                    fractions: &fractions,
                };
                let flows = belt.flows(&options, &controls, clock);
                let inflow = (100.0 + 10.0 * clock.time).min(flows.room);
                let expected = [belt.content(), flows.exit, flows.leaks[0], flows.leaks[1], inflow];
                for (column, value) in expected.iter().enumerate() {
                    // The same sums in another order.
                    assert!(
                        (found[column][step] - value).abs() < 1e-10,
                        "{length} {column} {step}: {} {value}",
                        found[column][step]
                    );
                }
                belt.advance(&options, &controls, &[inflow], |_| Vec::new(), clock);
            }
        }
    }
}

/// A chain with everything: reservoir → queue → conveyor with an overflow → oven behind a second queue → reservoir.
fn chain(arrivals: &str, options: &str) -> String {
    file(&format!(
        "<stock name='source'><eqn>400</eqn><outflow>arriving</outflow><non_negative/></stock>
        <stock name='waiting'><eqn>3</eqn><inflow>arriving</inflow><outflow>boarding</outflow><outflow>balking</outflow><queue/></stock>
        <stock name='balked'><eqn>0</eqn><inflow>balking</inflow></stock>
        <stock name='belt'><eqn>4</eqn><inflow>boarding</inflow><outflow>departing</outflow><outflow>losing</outflow>
        <conveyor discrete='true' {options}><len>transit</len><capacity>12</capacity><in_limit>6</in_limit></conveyor></stock>
        <stock name='lost'><eqn>0</eqn><inflow>losing</inflow></stock>
        <stock name='shelf'><eqn>0</eqn><inflow>departing</inflow><outflow>loading</outflow><queue/></stock>
        <stock name='kiln'><eqn>2</eqn><inflow>loading</inflow><outflow>unloading</outflow>
        <oven one_at_a_time='false'><len>1</len><capacity>5</capacity><fill_time>1.5</fill_time><clean_time>0.5</clean_time></oven></stock>
        <stock name='done'><eqn>0</eqn><inflow>unloading</inflow></stock>
        <aux name='transit'><eqn>1.5</eqn></aux>
        <flow name='arriving'><eqn>{arrivals}</eqn></flow><flow name='boarding'><eqn>0</eqn></flow>
        <flow name='balking'><overflow/></flow><flow name='departing'/><flow name='losing'><eqn>0.1</eqn><leak/></flow>
        <flow name='loading'/><flow name='unloading'/>"
    ))
}

const CHAIN: [&str; 8] = ["source", "waiting", "balked", "belt", "lost", "shelf", "kiln", "done"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_chain_of_containers_loses_nothing(
        level in 0.0f64..20.0, wave in 0.0f64..20.0, one: bool, whole: bool, exponential: bool, method in 0usize..4,
    ) {
        let options = format!("one_at_a_time='{one}' batch_integrity='{whole}' exponential_leak='{exponential}'");
        let text = chain(&format!("{level} + {wave} * SIN(3 * TIME)"), &options);
        let method = [Method::Euler, Method::Rk2, Method::Rk4, Method::Rk45][method];
        let found = run(&text, &CHAIN, method).unwrap();
        for step in 0..found[0].len() {
            let total: f64 = found.iter().map(|column| column[step]).sum();
            // 400 + 3 + 4 + 2, in some hundred additions.
            prop_assert!((total - 409.0).abs() < 1e-9, "{step}: {total}");
            prop_assert!(found.iter().all(|column| column[step] > -1e-9));
            prop_assert!(found[3][step] <= 12.0 + 1e-9 && found[6][step] <= 5.0 + 1e-9);
        }
    }
}

#[test]
fn lanes_and_single_runs_have_the_same_bits() {
    let text = chain("arrivals", "one_at_a_time='false'")
        .replace("<aux name='transit'>", "<aux name='arrivals'><eqn>9</eqn></aux><aux name='transit'>");
    for method in [Method::Euler, Method::Rk4] {
        let program = compiled(&text, &CHAIN, &["arrivals", "transit"], method).unwrap();
        let designs: Vec<[f64; 2]> = (0..37).map(f64::from).map(|k| [1.5 * k % 17.0, 0.5 + (0.37 * k) % 4.0]).collect();
        let flat: Vec<f64> = designs.iter().flatten().copied().collect();
        let columns = program.flat.columns.len();
        for (threads, block) in [(1, 0), (2, 0), (2, 16)] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let control = Control::default();
            let swept = sweep::sweep(&program, &flat, 37, 0, [0, 0], block, &pool, &control).unwrap();
            for (k, design) in designs.iter().enumerate() {
                let (single, _) = sweep::run(&program, design, k as u64, [0, 0], &control).unwrap();
                for (place, value) in single.iter().enumerate() {
                    let (time, column) = (place / columns, place % columns);
                    let other = swept.values[(column * program.times.len() + time) * 37 + k];
                    assert_eq!(value.to_bits(), other.to_bits(), "{method:?} {threads} {k} {column} {time}");
                }
            }
        }
    }
}
