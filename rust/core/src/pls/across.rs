//! Correlations across stages: of scores and items that never stand in one stage together.
//!
//! A dimension is reported from the stage in which it has indicators of its own, a higher-order construct from a later
//! one. Every score is a sum of standardised columns and products, so their correlations follow from the moments.

use super::program::{Item, Program};
use crate::lanes::Real;

/// Scores and items as sums of standardised columns and products, and what follows.
#[derive(Clone, Debug)]
pub(super) struct Across<V> {
    /// Items, each `columns + products` coefficients; zero for items that no stage has.
    items: Vec<V>,
    /// Covariances of each item with the columns and products.
    moved: Vec<V>,
    /// Correlations of the reported scores, nodes × nodes.
    pub(super) nodes: Vec<V>,
    /// Correlations of items with reported scores, items × nodes.
    pub(super) loadings: Vec<V>,
    width: usize,
}

/// Moments of a sample, as one pass leaves them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample<'a, V> {
    /// Correlations of the columns.
    pub(super) r: &'a [V],
    /// Covariances of products with standardised columns.
    pub(super) product_columns: &'a [V],
    /// Covariances of products.
    pub(super) product_products: &'a [V],
    /// Standard deviations of products.
    pub(super) product_sd: &'a [V],
}

impl<V: Real> Across<V> {
    /// Empty; a model of one level never fills it.
    pub(super) fn new() -> Self {
        Self { items: Vec::new(), moved: Vec::new(), nodes: Vec::new(), loadings: Vec::new(), width: 0 }
    }

    /// Fills everything from the weights of all stages, `w(stage)`.
    pub(super) fn fill<'w>(&mut self, program: &Program, sample: Sample<'_, V>, w: impl Fn(usize) -> &'w [V])
    where
        V: 'w,
    {
        let (u, k) = (program.base.len(), program.products.len());
        let (d, nodes, items) = (u + k, program.nodes.len(), program.items.len());
        self.width = d;
        self.items.clear();
        self.items.resize(items * d, V::zero());
        let mut current = vec![V::zero(); nodes * d];
        let mut reported = vec![V::zero(); nodes * d];
        for (s, stage) in program.stages.iter().enumerate() {
            for (item, &id) in stage.items.iter().zip(&stage.ids) {
                let place = &mut self.items[id * d..(id + 1) * d];
                place.fill(V::zero());
                match *item {
                    Item::Column(column) => place[column] = V::one(),
                    Item::Score(node) => place.copy_from_slice(&current[node * d..(node + 1) * d]),
                    Item::Product(p) => place[u + p] = V::one() / sample.product_sd[p],
                }
            }
            let weights = w(s);
            for (b, block) in stage.blocks.iter().enumerate() {
                let row = &mut current[block.node * d..(block.node + 1) * d];
                row.fill(V::zero());
                for i in block.start..block.end {
                    let item = &self.items[stage.ids[i] * d..(stage.ids[i] + 1) * d];
                    for (place, value) in row.iter_mut().zip(item) {
                        *place = weights[i].mul_add(*value, *place);
                    }
                }
                if program.place[block.node] == (s, b) {
                    reported[block.node * d..(block.node + 1) * d].copy_from_slice(row);
                }
            }
        }
        let covariance = |i: usize, j: usize| match (i < u, j < u) {
            (true, true) => sample.r[i * u + j],
            (true, false) => sample.product_columns[(j - u) * u + i],
            (false, true) => sample.product_columns[(i - u) * u + j],
            (false, false) => sample.product_products[(i - u) * k + j - u],
        };
        let through = |from: &[V], out: &mut Vec<V>| {
            out.clear();
            for row in from.chunks(d) {
                for j in 0..d {
                    let mut sum = V::zero();
                    for (i, value) in row.iter().enumerate() {
                        sum = value.mul_add(covariance(i, j), sum);
                    }
                    out.push(sum);
                }
            }
        };
        through(&self.items, &mut self.moved);
        let mut moved = Vec::with_capacity(nodes * d);
        through(&reported, &mut moved);
        self.nodes.clear();
        for a in 0..nodes {
            for b in 0..nodes {
                self.nodes.push(dot(&reported[a * d..(a + 1) * d], &moved[b * d..(b + 1) * d]));
            }
        }
        self.loadings.clear();
        for item in 0..items {
            for b in 0..nodes {
                self.loadings.push(dot(&self.items[item * d..(item + 1) * d], &moved[b * d..(b + 1) * d]));
            }
        }
    }

    /// Correlation of two items.
    pub(super) fn between(&self, a: usize, b: usize) -> V {
        let d = self.width;
        dot(&self.items[a * d..(a + 1) * d], &self.moved[b * d..(b + 1) * d])
    }
}

fn dot<V: Real>(a: &[V], b: &[V]) -> V {
    a.iter().zip(b).fold(V::zero(), |sum, (x, y)| x.mul_add(*y, sum))
}
