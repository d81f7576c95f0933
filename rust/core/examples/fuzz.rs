//! Damages model files and equations and reads them: no panic, no input that takes long.
//!
//! ```text
//! cargo run --release -p sembada-core --example fuzz -- 1000000 7 FOLDER…
//! ```
//!
//! The arguments: how many inputs each of the four readers takes (or `first..last`), the seed, and folders of model files to
//! damage (`.mdl`, `.xmile`, `.stmx`). The same arguments give the same inputs on any number of threads. Ends with 1 where a panic or a slow
//! input was found; each is printed and kept in `fuzz-found/`.

#![allow(clippy::disallowed_methods, reason = "a tool that measures time, not a part of the core")]

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sembada_core::rng::Philox;
use sembada_core::sd::check::check;
use sembada_core::sd::compile::{Options, flatten};
use sembada_core::sd::dialect::Dialect;
use sembada_core::sd::expr::{Expr, parse, print};
use sembada_core::sd::model::Model;
use sembada_core::sd::read::{vensim, xmile};
use sembada_core::sd::write;
use tokens::TOKENS;

#[path = "../src/sd/read/tokens.rs"]
mod tokens;

/// A reader that needs longer for a few kilobytes hangs for practical purposes.
const SLOW: Duration = Duration::from_secs(10);
/// Larger files are damaged too rarely in the places that matter.
const LARGEST: usize = 24_000;

/// Numbers that depend on the seed and the number of the input alone.
struct Dice {
    key: [u64; 2],
    stream: u64,
    at: u64,
    block: [u64; 4],
}

impl Dice {
    fn new(seed: u64, stream: u64) -> Self {
        Self { key: [seed, 0], stream, at: 0, block: [0; 4] }
    }

    fn next(&mut self) -> u64 {
        let place = (self.at % 4) as usize;
        if place == 0 {
            self.block = Philox::block(self.key, [self.at / 4, self.stream, 0, 0]);
        }
        self.at += 1;
        self.block[place]
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// A text with some damage: pieces cut, doubled, moved, taken from another file, tokens put in, bytes changed.
fn damaged(dice: &mut Dice, from: &str, other: &str) -> String {
    let mut bytes = from.as_bytes().to_vec();
    for _ in 0..=dice.below(5) {
        let start = dice.below(bytes.len() + 1);
        let reach = [1, 4, 20, 200][dice.below(4)];
        let end = (start + dice.below(reach + 1)).min(bytes.len());
        match dice.below(7) {
            0 => drop(bytes.splice(start..end, [])),
            1 => {
                let piece = bytes[start..end].to_vec();
                drop(bytes.splice(start..start, piece));
            }
            2 => {
                let piece = bytes[start..end].to_vec();
                let to = dice.below(bytes.len() + 1);
                drop(bytes.splice(to..to, piece));
            }
            3 => {
                let source = other.as_bytes();
                let first = dice.below(source.len() + 1);
                let last = (first + dice.below(300)).min(source.len());
                drop(bytes.splice(start..end, source[first..last].iter().copied()));
            }
            4 if start < bytes.len() => bytes[start] ^= 1 << dice.below(8),
            5 => bytes.truncate(bytes.len().max(2) - dice.below(bytes.len().max(2) / 2)),
            _ => drop(bytes.splice(start..end, TOKENS[dice.below(TOKENS.len())].bytes())),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Everything that is done with a model that was read.
fn use_model(model: &Model) {
    drop(check(model));
    for written in [write::xmile::write(model), write::vensim::write(model)] {
        if let Err(error) = written {
            drop(error.to_string());
        }
    }
    let steps = (model.time.final_time - model.time.initial_time) / model.time.dt;
    if steps.is_finite() && steps < 1e7 {
        let _ = flatten(model, &Options::default());
    }
}

fn use_expression(text: &str, dialect: Dialect) {
    match parse(text, dialect) {
        Ok(expr) => drop(print(&expr, dialect)),
        Err(error) => drop(error.to_string()),
    }
}

/// The equations of a model as text, to damage one by one.
fn equations(model: &Model) -> Vec<String> {
    let all = model.variables.iter().flat_map(|variable| &variable.equations);
    let printed = all.filter_map(|equation| equation.expr.as_ref()).map(|expr: &Expr| print(expr, model.dialect));
    printed.filter(|text| text.len() < 4000).collect()
}

fn collect(folder: &Path, found: &mut BTreeMap<String, String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
            continue;
        }
        let known =
            path.extension().and_then(|end| end.to_str()).is_some_and(|end| ["mdl", "xmile", "stmx"].contains(&end));
        if known && let Ok(raw) = fs::read(&path) {
            let mut text = String::from_utf8_lossy(&raw).into_owned();
            // The drawing is not read: what stands before it is what can be damaged.
            for mark in ["\\\\\\---///", "<views"] {
                if let Some(at) = text.find(mark)
                    && mark.starts_with('\\')
                {
                    text.truncate(at);
                }
            }
            if text.len() <= LARGEST {
                found.insert(path.display().to_string(), text);
            }
        }
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let counts = arguments.next().unwrap_or_default();
    let (first, last) = counts.split_once("..").unwrap_or(("0", &counts));
    let first: u64 = first.parse().unwrap_or(0);
    let count: u64 = last.parse().unwrap_or(10_000);
    let seed: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut files = BTreeMap::new();
    for folder in arguments {
        collect(Path::new(&folder), &mut files);
    }
    let (mut mdl, mut xml) = (Vec::new(), Vec::new());
    for (name, text) in files {
        if Path::new(&name).extension().is_some_and(|end| end == "mdl") { mdl.push(text) } else { xml.push(text) }
    }
    mdl.push("{UTF-8}\nx[a] = 1 ~~|\na: b, c ~~|\ny = INTEG(SUM(x[a!]), 0) ~~|\nTIME STEP = 1 ~~|\n".to_owned());
    xml.push("<xmile><model><variables><aux name='x'><eqn>1</eqn></aux></variables></model></xmile>".to_owned());
    let of = |models: Vec<Model>| models.iter().flat_map(equations).collect::<Vec<_>>();
    let said_in_vensim = of(mdl.iter().filter_map(|text| vensim::read(text, "", None).ok()).collect());
    let said_in_xmile = of(xml.iter().filter_map(|text| xmile::read(text, "").ok()).collect());
    println!("{} + {} files, {} + {} equations", mdl.len(), xml.len(), said_in_vensim.len(), said_in_xmile.len());
    // A panic is told in one line, with its place.
    std::panic::set_hook(Box::new(|panic| {
        println!("  at {}", panic.location().map_or(String::new(), ToString::to_string));
    }));
    let found = AtomicU64::new(0);
    let read = AtomicU64::new(0);
    let one = |kind: u64, number: u64| {
        let mut dice = Dice::new(seed, number * 4 + kind);
        let pool = [&mdl, &xml, &said_in_vensim, &said_in_xmile][kind as usize];
        let (first, second) = (dice.below(pool.len()), dice.below(pool.len()));
        let text = damaged(&mut dice, &pool[first], &pool[second]);
        let began = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| match kind {
            0 | 1 => {
                let model = if kind == 0 { vensim::read(&text, "f.mdl", None) } else { xmile::read(&text, "f.xmile") };
                match model {
                    Ok(model) => {
                        read.fetch_add(1, Ordering::Relaxed);
                        use_model(&model);
                    }
                    Err(error) => drop(error.full()),
                }
            }
            2 => use_expression(&text, Dialect::Vensim),
            _ => use_expression(&text, Dialect::Xmile),
        }));
        let what = match outcome {
            Err(cause) => {
                let message = cause.downcast_ref::<String>().cloned();
                let message = message.or_else(|| cause.downcast_ref::<&str>().map(|&text| text.to_owned()));
                format!("panic: {}", message.unwrap_or_default())
            }
            Ok(()) if began.elapsed() > SLOW => format!("slow: {:?}", began.elapsed()),
            Ok(()) => return,
        };
        println!("reader {kind}, input {number}: {what}");
        found.fetch_add(1, Ordering::Relaxed);
        let _ = fs::create_dir_all("fuzz-found");
        let _ = fs::write(Path::new("fuzz-found").join(format!("{kind}-{number}.txt")), text);
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    for kind in 0..4 {
        let began = Instant::now();
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let one = &one;
                // Deep equations need the stack that a thread of the program has.
                let run =
                    move || (first + thread..count).step_by(threads as usize).for_each(|number| one(kind, number));
                let spawned = std::thread::Builder::new().stack_size(8 << 20).spawn_scoped(scope, run);
                drop(spawned);
            }
        });
        let seconds = began.elapsed().as_secs_f64();
        println!("reader {kind}: {count} inputs, {seconds:.0} s, {} models read so far", read.load(Ordering::Relaxed));
    }
    let found = found.into_inner();
    println!("{found} found");
    if found == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
