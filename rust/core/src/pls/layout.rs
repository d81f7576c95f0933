//! Which statistics a model has and where each stands in the flat vector of a replicate.

use super::error::{PlsError, Result};
use super::program::Program;

macro_rules! statistics {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $kind:literal);* $(;)?) => {
        /// A family of numbers that every estimation yields.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Statistic { $($(#[$doc])* $variant),* }

        impl Statistic {
            /// All of them, in the default order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What a row of its labels holds.
            pub const fn kind(self) -> &'static str {
                match self { $(Self::$variant => $kind),* }
            }
        }
    };
}

statistics! {
    /// Outer weights.
    Weights = "weights", "node-item";
    /// Loadings: correlations of items with their own proxy; corrected under consistent estimation.
    Loadings = "loadings", "node-item";
    /// Path coefficients.
    Paths = "paths", "from-to";
    /// Explained variance.
    R2 = "r2", "node";
    /// Adjusted explained variance.
    R2Adjusted = "r2_adjusted", "node";
    /// Direct and indirect effects together.
    TotalEffects = "total_effects", "from-to";
    /// Sum of all indirect effects.
    IndirectEffects = "indirect_effects", "from-to";
    /// Each chain of two paths or more.
    SpecificIndirect = "specific_indirect", "chain";
    /// Effect size of a path on fixed scores (Cohen 1988, §9.2).
    F2 = "f2", "from-to";
    /// Variance inflation of a predictor.
    Vif = "vif", "from-to";
    /// Variance inflation of an indicator in its block.
    ItemVif = "item_vif", "node-item";
    /// Cronbach's alpha, standardised.
    Alpha = "alpha", "node";
    /// Dijkstra & Henseler's rho_A.
    RhoA = "rho_a", "node";
    /// Composite reliability (Jöreskog's rho).
    RhoC = "rho_c", "node";
    /// Average variance extracted.
    Ave = "ave", "node";
    /// Heterotrait-monotrait ratio (Henseler, Ringle & Sarstedt 2015).
    Htmt = "htmt", "pair";
    /// The same with geometric means (Roemer, Schuberth & Henseler 2021).
    Htmt2 = "htmt2", "pair";
    /// Correlations of the constructs; corrected under consistent estimation.
    ConstructCorrelations = "construct_correlations", "pair";
    /// Correlations of items with all proxies of their stage.
    CrossLoadings = "cross_loadings", "item-node";
    /// Standardised root mean square residual, saturated and estimated.
    Srmr = "srmr", "fit";
    /// Squared Euclidean distance.
    DUls = "d_uls", "fit";
    /// Geodesic distance.
    DG = "d_g", "fit";
    /// Normed fit index.
    Nfi = "nfi", "fit";
    /// Means of the data columns.
    Means = "means", "item";
    /// Standard deviations of the data columns.
    Sds = "sds", "item";
}

impl Statistic {
    /// The statistic called `name`.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL.iter().copied().find(|s| s.name() == name).ok_or_else(|| PlsError::UnknownOption {
            option: "statistic",
            value: name.to_owned(),
            expected: Self::ALL.iter().map(|s| s.name()).collect::<Vec<_>>().join(", "),
        })
    }
}

/// One statistic's part of the flat vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Which one.
    pub statistic: Statistic,
    /// Its first place.
    pub start: usize,
    /// What each place holds: nodes and items by number.
    pub labels: Vec<Vec<usize>>,
    /// Where each place comes from, for statistics that look it up: stage and blocks of a pair, edges of a chain,
    /// place among the total effects.
    pub(super) links: Vec<Vec<usize>>,
}

/// The flat vector of a replicate.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Its parts, in order.
    pub entries: Vec<Entry>,
    /// Its length.
    pub width: usize,
}

/// More chains than this are refused: the table could be neither stored nor read.
const MOST_CHAINS: usize = 1_000_000;

impl Layout {
    /// The flat vector that holds `statistics` of a model; all of them for `None`.
    pub fn new(program: &Program, statistics: Option<&[Statistic]>) -> Result<Self> {
        let mut entries = Vec::new();
        let mut width = 0;
        for &statistic in statistics.unwrap_or(Statistic::ALL) {
            let labels = labels(program, statistic)?;
            let start = width;
            width += labels.len();
            let links = labels.iter().map(|label| links(program, statistic, label)).collect();
            entries.push(Entry { statistic, start, labels, links });
        }
        Ok(Self { entries, width })
    }

    /// The part of one statistic.
    pub fn entry(&self, statistic: Statistic) -> Option<&Entry> {
        self.entries.iter().find(|e| e.statistic == statistic)
    }
}

/// Latest stage in which both nodes stand, with their blocks.
fn together(program: &Program, a: usize, b: usize) -> Option<(usize, usize, usize)> {
    program.stages.iter().enumerate().rev().find_map(|(s, stage)| Some((s, stage.block_of[a]?, stage.block_of[b]?)))
}

fn links(program: &Program, statistic: Statistic, label: &[usize]) -> Vec<usize> {
    let stage = program.last();
    let block = |node: usize| stage.block_of[node].unwrap_or(0);
    let edge = |from: usize, to: usize| stage.edges.iter().position(|&edge| edge == (block(from), block(to)));
    match statistic {
        Statistic::Htmt | Statistic::Htmt2 => {
            together(program, label[0], label[1]).map_or_else(Vec::new, |(s, a, b)| vec![s, a, b])
        }
        // Scores of the last stage; others are correlated across the stages.
        Statistic::ConstructCorrelations => {
            let last = program.stages.len() - 1;
            let reported = |node: usize| (program.place[node].0 == last).then_some(program.place[node].1);
            reported(label[0]).zip(reported(label[1])).map_or_else(Vec::new, |(a, b)| vec![a, b])
        }
        Statistic::SpecificIndirect => label.windows(2).filter_map(|pair| edge(pair[0], pair[1])).collect(),
        Statistic::TotalEffects => vec![block(label[0]) * stage.blocks.len() + block(label[1])],
        Statistic::IndirectEffects => std::iter::once(block(label[0]) * stage.blocks.len() + block(label[1]))
            .chain(edge(label[0], label[1]))
            .collect(),
        _ => Vec::new(),
    }
}

/// For each block of the last stage, the blocks that paths lead to, directly or not.
fn reachable(program: &Program) -> Vec<Vec<bool>> {
    let stage = program.last();
    let j = stage.blocks.len();
    let mut reach = vec![vec![false; j]; j];
    for from in 0..j {
        let mut walk = vec![from];
        while let Some(at) = walk.pop() {
            for &next in &stage.successors[at] {
                if !reach[from][next] {
                    reach[from][next] = true;
                    walk.push(next);
                }
            }
        }
    }
    reach
}

fn chains(program: &Program) -> Result<Vec<Vec<usize>>> {
    let stage = program.last();
    let mut found = Vec::new();
    for from in 0..stage.blocks.len() {
        let mut walks = vec![vec![from]];
        while let Some(walk) = walks.pop() {
            let end = walk[walk.len() - 1];
            for &next in stage.successors[end].iter().rev() {
                if walk.contains(&next) {
                    continue;
                }
                let mut longer = walk.clone();
                longer.push(next);
                walks.push(longer);
            }
            if walk.len() > 2 {
                found.push(walk);
            }
            if found.len() > MOST_CHAINS {
                return Err(PlsError::Invalid {
                    what: format!("the model has more than {MOST_CHAINS} specific indirect effects: leave them out"),
                });
            }
        }
    }
    Ok(found.into_iter().map(|walk| walk.into_iter().map(|b| stage.blocks[b].node).collect()).collect())
}

fn labels(program: &Program, statistic: Statistic) -> Result<Vec<Vec<usize>>> {
    let stage = program.last();
    let node = |block: usize| stage.blocks[block].node;
    let nodes = 0..program.nodes.len();
    Ok(match statistic {
        Statistic::Weights | Statistic::Loadings | Statistic::ItemVif => nodes
            .flat_map(|n| {
                let (s, b) = program.place[n];
                let block = &program.stages[s].blocks[b];
                program.stages[s].ids[block.start..block.end].iter().map(move |&id| vec![n, id])
            })
            .collect(),
        Statistic::Paths | Statistic::F2 | Statistic::Vif => {
            stage.edges.iter().map(|&(from, to)| vec![node(from), node(to)]).collect()
        }
        Statistic::R2 | Statistic::R2Adjusted => {
            (0..stage.blocks.len()).filter(|&b| !stage.predecessors[b].is_empty()).map(|b| vec![node(b)]).collect()
        }
        Statistic::TotalEffects | Statistic::IndirectEffects => {
            let reach = reachable(program);
            let j = stage.blocks.len();
            (0..j)
                .flat_map(|from| (0..j).map(move |to| (from, to)))
                .filter(|&(from, to)| {
                    reach[from][to]
                        && (statistic == Statistic::TotalEffects
                            || stage.successors[from].iter().any(|&via| reach[via][to]))
                })
                .map(|(from, to)| vec![node(from), node(to)])
                .collect()
        }
        Statistic::SpecificIndirect => chains(program)?,
        Statistic::Alpha | Statistic::RhoA | Statistic::RhoC | Statistic::Ave => nodes.map(|n| vec![n]).collect(),
        Statistic::Htmt | Statistic::Htmt2 | Statistic::ConstructCorrelations => {
            nodes.clone().flat_map(|a| (a + 1..nodes.end).map(move |b| (a, b))).map(|(a, b)| vec![a, b]).collect()
        }
        Statistic::CrossLoadings => nodes
            .clone()
            .flat_map(|n| nodes.clone().map(move |other| (n, other)))
            .flat_map(|(n, other)| {
                let (s, b) = program.place[n];
                let block = &program.stages[s].blocks[b];
                program.stages[s].ids[block.start..block.end].iter().map(move |&id| vec![id, other])
            })
            .collect(),
        Statistic::Srmr | Statistic::DUls | Statistic::DG | Statistic::Nfi => vec![vec![0], vec![1]],
        Statistic::Means | Statistic::Sds => program.base.iter().map(|&column| vec![column]).collect(),
    })
}
