//! So many replicates and nothing else, for a tool that counts instructions: see `benches/compare/callgrind.py`.
//!
//! Arguments: the kernel, `real` or `likert`, `standard` or `everything`, the number of replicates.
#![allow(missing_docs, clippy::unwrap_used)]

#[allow(dead_code, unreachable_pub)] // each bench uses what it needs
mod ecsi;

use sembada_core::cancel::Control;
use sembada_core::lanes::Kernel;
use sembada_core::pls::{Layout, replicate};
use sembada_core::resample::Plan;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let argument = |k: usize, default: &'static str| arguments.get(k).map_or(default, String::as_str);
    let kernel = Kernel::parse(argument(0, "auto")).unwrap();
    let data = ecsi::data(argument(1, "real") == "likert");
    let statistics = if argument(2, "standard") == "everything" { &ecsi::EVERYTHING[..] } else { &ecsi::STANDARD[..] };
    let replicates = argument(3, "64").parse().unwrap();
    let program = ecsi::program();
    let layout = Layout::new(&program, Some(statistics)).unwrap();
    let plan = Plan::bootstrap([3, 4], replicates, 0, &[true; ecsi::N], None, None).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let options = ecsi::options(kernel);
    let found = replicate(&program, &data, ecsi::N, &plan, &layout, &options, &pool, &Control::new()).unwrap();
    assert!(found.status.iter().all(|status| status[0] == 0));
}
