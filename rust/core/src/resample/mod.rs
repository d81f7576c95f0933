//! Plans of resampling: replicate `i` → row weights.
//!
//! Every plan is one function of the replicate's number, so replicates can be made in any order and on any thread.

use crate::lanes::Kernel;
use crate::rng::{Philox, Stream, fill_indices};

/// A plan that does not fit the data.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// A row that does not exist.
    #[error("row {row} does not exist: expected a number below {rows}")]
    NoSuchRow {
        /// The number given.
        row: i64,
        /// Rows in the data.
        rows: usize,
    },
    /// Labels or weights of another length than the data.
    #[error("{what} has shape {given}: expected {expected}")]
    Shape {
        /// Which input.
        what: &'static str,
        /// Shape given.
        given: String,
        /// Shape expected.
        expected: String,
    },
    /// A weight below zero or not finite.
    #[error("weight {value} of row {row}: expected a finite number that is not negative")]
    BadWeight {
        /// Row, counted from zero.
        row: usize,
        /// The value.
        value: f64,
    },
}

/// What a bootstrap draws in one stratum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Units {
    /// Rows, all from zero up to a number.
    All(usize),
    /// Some rows.
    Rows(Vec<u32>),
    /// Whole clusters of rows.
    Clusters(Vec<Vec<u32>>),
}

impl Units {
    /// How many there are.
    fn size(&self) -> usize {
        match self {
            Self::All(rows) => *rows,
            Self::Rows(rows) => rows.len(),
            Self::Clusters(clusters) => clusters.len(),
        }
    }
}

/// A way to resample `n` rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// Rows drawn with replacement (Efron 1979).
    Bootstrap {
        /// Key of the random numbers.
        key: [u64; 2],
        /// Replicates.
        replicates: usize,
        /// Number of the first replicate.
        first: u64,
        /// Units that are drawn, by stratum.
        strata: Vec<Units>,
    },
    /// Exponential weights that sum to the number of rows (Rubin 1981).
    Bayesian {
        /// Key of the random numbers.
        key: [u64; 2],
        /// Replicates.
        replicates: usize,
        /// Number of the first replicate.
        first: u64,
    },
    /// Each row left out once.
    Jackknife,
    /// Rows dealt to groups of the given sizes at random; one replicate a group.
    Permutation {
        /// Key of the random numbers.
        key: [u64; 2],
        /// Permutations.
        permutations: usize,
        /// Number of the first permutation.
        first: u64,
        /// Size of each group.
        sizes: Vec<usize>,
        /// Rows that take part.
        rows: Vec<u32>,
    },
    /// All rows but those of one fold.
    Folds {
        /// Fold of each row.
        folds: Vec<usize>,
        /// Number of folds.
        count: usize,
    },
    /// Row numbers, `replicates` × `size`.
    Indices {
        /// The numbers.
        indices: Vec<u32>,
        /// How many of them make a replicate.
        size: usize,
    },
    /// Row weights, replicates × rows.
    Weights {
        /// The weights.
        weights: Vec<f64>,
    },
}

/// What a worker reuses from replicate to replicate.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    words: Vec<u64>,
    indices: Vec<u32>,
    /// Key and number of the permutation that `indices` holds: its groups share it.
    shuffled: Option<([u64; 2], u64)>,
}

impl Plan {
    /// A bootstrap of single rows; with `strata`, within each stratum; with `clusters`, of whole clusters.
    pub fn bootstrap(
        key: [u64; 2],
        replicates: usize,
        first: u64,
        usable: &[bool],
        strata: Option<&[i64]>,
        clusters: Option<&[i64]>,
    ) -> Result<Self, PlanError> {
        let n = usable.len();
        for (what, labels) in [("strata", strata), ("clusters", clusters)] {
            if let Some(labels) = labels
                && labels.len() != n
            {
                return Err(PlanError::Shape {
                    what,
                    given: format!("({},)", labels.len()),
                    expected: format!("({n},): one label a row"),
                });
            }
        }
        let mut order: Vec<i64> = Vec::new();
        let mut groups: Vec<Vec<Vec<u32>>> = Vec::new();
        let mut units: std::collections::BTreeMap<(i64, i64), usize> = std::collections::BTreeMap::new();
        for row in (0..n).filter(|&row| usable[row]) {
            let stratum = strata.map_or(0, |s| s[row]);
            let at = order.iter().position(|&s| s == stratum).unwrap_or_else(|| {
                order.push(stratum);
                groups.push(Vec::new());
                order.len() - 1
            });
            match clusters {
                None => groups[at].push(vec![row as u32]),
                Some(clusters) => {
                    let unit = *units.entry((stratum, clusters[row])).or_insert_with(|| {
                        groups[at].push(Vec::new());
                        groups[at].len() - 1
                    });
                    groups[at][unit].push(row as u32);
                }
            }
        }
        let strata = groups
            .into_iter()
            .map(|units| {
                if clusters.is_some() {
                    return Units::Clusters(units);
                }
                let rows: Vec<u32> = units.into_iter().flatten().collect();
                if rows.len() == n { Units::All(n) } else { Units::Rows(rows) }
            })
            .collect();
        Ok(Self::Bootstrap { key, replicates, first, strata })
    }

    /// How many replicates the plan has for `n` rows.
    pub fn replicates(&self, n: usize) -> usize {
        match self {
            Self::Bootstrap { replicates, .. } | Self::Bayesian { replicates, .. } => *replicates,
            Self::Jackknife => n,
            Self::Permutation { permutations, sizes, .. } => permutations * sizes.len(),
            Self::Folds { count, .. } => *count,
            Self::Indices { indices, size } => indices.len() / (*size).max(1),
            Self::Weights { weights } => weights.len() / n.max(1),
        }
    }

    /// The most rows that a replicate holds, and the most often that one row is counted.
    pub fn bounds(&self, n: usize) -> (usize, usize) {
        match self {
            Self::Indices { indices, size } => {
                let mut counts = vec![0usize; n];
                let mut most = 0;
                for replicate in indices.chunks((*size).max(1)) {
                    counts.fill(0);
                    for &row in replicate {
                        counts[row as usize] += 1;
                        most = most.max(counts[row as usize]);
                    }
                }
                (*size, most)
            }
            // One row of n, drawn n times, is counted k times with a chance below 1 / k!: none is counted 100 times.
            Self::Bootstrap { strata, .. } => {
                let rows = strata.iter().map(|units| match units {
                    Units::Clusters(clusters) => clusters.len() * clusters.iter().map(Vec::len).max().unwrap_or(0),
                    units => units.size(),
                });
                (rows.sum(), n.min(100))
            }
            _ => (n, 1),
        }
    }

    /// Fails if the plan does not fit `n` rows.
    pub fn check(&self, n: usize) -> Result<(), PlanError> {
        match self {
            Self::Indices { indices, .. } => indices
                .iter()
                .find(|&&row| row as usize >= n)
                .map_or(Ok(()), |&row| Err(PlanError::NoSuchRow { row: i64::from(row), rows: n })),
            Self::Weights { weights } => {
                if weights.len() % n.max(1) != 0 {
                    return Err(PlanError::Shape {
                        what: "weights",
                        given: format!("{} numbers", weights.len()),
                        expected: format!("(replicates, {n})"),
                    });
                }
                weights
                    .iter()
                    .position(|w| !w.is_finite() || *w < 0.0)
                    .map_or(Ok(()), |at| Err(PlanError::BadWeight { row: at % n, value: weights[at] }))
            }
            Self::Folds { folds, .. } if folds.len() != n => Err(PlanError::Shape {
                what: "folds",
                given: format!("({},)", folds.len()),
                expected: format!("({n},): one fold a row"),
            }),
            _ => Ok(()),
        }
    }

    /// Whether a replicate is a list of drawn rows.
    pub const fn counts(&self) -> bool {
        matches!(self, Self::Bootstrap { .. } | Self::Permutation { .. } | Self::Indices { .. })
    }

    /// Tells `visit` every row that one replicate draws, as often as it is drawn; `false` for plans of weights.
    pub fn draw(&self, kernel: Kernel, replicate: usize, scratch: &mut Scratch, mut visit: impl FnMut(usize)) -> bool {
        match self {
            Self::Bootstrap { key, first, strata, .. } => {
                let replicate = first + replicate as u64;
                scratch.shuffled = None;
                for (substream, units) in strata.iter().enumerate() {
                    let size = units.size() as u32;
                    scratch.indices.resize(units.size(), 0);
                    if substream == 0 {
                        let Scratch { words, indices, .. } = scratch;
                        fill_indices(kernel, *key, Stream::Resample, replicate, size, words, indices);
                    } else {
                        let counter = [0, Stream::Resample as u64, replicate, substream as u64];
                        let mut philox = Philox::new(*key, counter);
                        for index in &mut scratch.indices {
                            *index = philox.index(u64::from(size)) as u32;
                        }
                    }
                    match units {
                        Units::All(_) => scratch.indices.iter().for_each(|&row| visit(row as usize)),
                        Units::Rows(rows) => {
                            scratch.indices.iter().for_each(|&unit| visit(rows[unit as usize] as usize));
                        }
                        Units::Clusters(clusters) => {
                            for &unit in &scratch.indices {
                                clusters[unit as usize].iter().for_each(|&row| visit(row as usize));
                            }
                        }
                    }
                }
            }
            Self::Permutation { key, first, sizes, rows, .. } => {
                let groups = sizes.len();
                let number = first + (replicate / groups) as u64;
                if scratch.shuffled != Some((*key, number)) || scratch.indices.len() != rows.len() {
                    scratch.indices.clone_from(rows);
                    Philox::replicate(*key, Stream::Shuffle, number).shuffle(&mut scratch.indices);
                    scratch.shuffled = Some((*key, number));
                }
                let group = replicate % groups;
                let from: usize = sizes[..group].iter().sum();
                scratch.indices.iter().skip(from).take(sizes[group]).for_each(|&row| visit(row as usize));
            }
            Self::Indices { indices, size } => {
                indices[replicate * size..(replicate + 1) * size].iter().for_each(|&row| visit(row as usize));
            }
            _ => return false,
        }
        true
    }

    /// Row weights of one replicate.
    pub fn weights(&self, kernel: Kernel, replicate: usize, scratch: &mut Scratch, out: &mut [f64]) {
        match self {
            Self::Bootstrap { .. } | Self::Permutation { .. } | Self::Indices { .. } => {
                out.fill(0.0);
                self.draw(kernel, replicate, scratch, |row| out[row] += 1.0);
            }
            Self::Bayesian { key, first, .. } => {
                let mut philox = Philox::replicate(*key, Stream::Resample, first + replicate as u64);
                let mut sum = 0.0;
                for value in out.iter_mut() {
                    *value = philox.exponential();
                    sum += *value;
                }
                let scale = out.len() as f64 / sum;
                for value in out.iter_mut() {
                    *value *= scale;
                }
            }
            Self::Jackknife => {
                out.fill(1.0);
                out[replicate] = 0.0;
            }
            Self::Folds { folds, .. } => {
                for (value, &fold) in out.iter_mut().zip(folds) {
                    *value = f64::from(u8::from(fold != replicate));
                }
            }
            Self::Weights { weights } => {
                let n = out.len();
                out.copy_from_slice(&weights[replicate * n..(replicate + 1) * n]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(plan: &Plan, replicate: usize, out: &mut [f64]) {
        plan.weights(Kernel::detect(), replicate, &mut Scratch::default(), out);
    }

    #[test]
    fn bootstrap_counts_sum_to_the_rows_and_each_row_is_drawn_alike() {
        let usable = vec![true; 50];
        let plan = Plan::bootstrap([1, 2], 2000, 0, &usable, None, None).unwrap();
        let mut total = vec![0.0; 50];
        let mut w = vec![0.0; 50];
        for replicate in 0..2000 {
            draw(&plan, replicate, &mut w);
            assert_eq!(w.iter().sum::<f64>(), 50.0);
            for (t, v) in total.iter_mut().zip(&w) {
                *t += v;
            }
        }
        let chi2: f64 = total.iter().map(|t| (t - 2000.0).powi(2) / 2000.0).sum();
        assert!(chi2 < 85.4, "chi-square {chi2} with 49 degrees of freedom: beyond the 0.1 % point");
    }

    #[test]
    fn strata_keep_their_sizes_and_clusters_stay_whole() {
        let usable = vec![true; 12];
        let strata: Vec<i64> = (0..12).map(|i| i64::from(i >= 4)).collect();
        let plan = Plan::bootstrap([3, 4], 20, 0, &usable, Some(&strata), None).unwrap();
        let mut w = vec![0.0; 12];
        for replicate in 0..20 {
            draw(&plan, replicate, &mut w);
            assert_eq!(w[..4].iter().sum::<f64>(), 4.0);
        }
        let clusters: Vec<i64> = (0..12).map(|i| i / 3).collect();
        let plan = Plan::bootstrap([3, 4], 20, 0, &usable, None, Some(&clusters)).unwrap();
        for replicate in 0..20 {
            draw(&plan, replicate, &mut w);
            for cluster in w.chunks(3) {
                assert!(cluster.iter().all(|v| *v == cluster[0]));
            }
        }
    }

    #[test]
    fn the_groups_of_a_permutation_share_the_rows() {
        let plan =
            Plan::Permutation { key: [1, 1], permutations: 3, first: 0, sizes: vec![4, 6], rows: (0..10).collect() };
        let (mut a, mut b) = (vec![0.0; 10], vec![0.0; 10]);
        draw(&plan, 2, &mut a);
        draw(&plan, 3, &mut b);
        assert_eq!(a.iter().sum::<f64>(), 4.0);
        assert!(a.iter().zip(&b).all(|(x, y)| x + y == 1.0));
    }
}
