//! Products of columns or scores: the one thing that needs the rows again once the first moments are known.

use super::program::{FactorOf, Product};
use crate::moments::Table;

/// Factors of a set of products as affine functions of the extended columns, for one sample.
#[derive(Clone, Debug, Default)]
pub(super) struct Factors {
    /// Which ones, each once.
    pub(super) list: Vec<FactorOf>,
    /// For each product the positions of its factors in `list`.
    pub(super) of: Vec<Vec<usize>>,
    /// Coefficients, factors × extended columns.
    pub(super) coefficients: Vec<f64>,
}

impl Factors {
    /// The factors of `products`.
    pub(super) fn new(products: &[&Product], extended: usize) -> Self {
        let mut list: Vec<FactorOf> = Vec::new();
        let of = products
            .iter()
            .map(|product| {
                product
                    .factors
                    .iter()
                    .map(|factor| {
                        list.iter().position(|f| f == factor).unwrap_or_else(|| {
                            list.push(*factor);
                            list.len() - 1
                        })
                    })
                    .collect()
            })
            .collect();
        Self { coefficients: vec![0.0; list.len() * extended], list, of }
    }

    /// Sets a factor to the sum of `weights` × standardised columns.
    pub(super) fn set(
        &mut self,
        table: &Table,
        factor: usize,
        mean: &[f64],
        sd: &[f64],
        weights: impl Fn(usize) -> f64,
    ) {
        let e = table.extended;
        let row = &mut self.coefficients[factor * e..(factor + 1) * e];
        row.fill(0.0);
        for i in 0..table.columns {
            let weight = weights(i);
            if weight != 0.0 {
                let slope = weight / sd[i];
                row[1 + i] += slope;
                // A missing value stands at the mean, so the constant counts where the column is observed.
                row[table.observed[i].unwrap_or(0)] -= slope * mean[i];
            }
        }
    }

    /// Values of all products in one row; `factors` is scratch.
    #[inline]
    pub(super) fn values(&self, row: &[f64], factors: &mut [f64], out: &mut [f64]) {
        let e = row.len();
        for (f, value) in factors.iter_mut().enumerate() {
            let coefficients = &self.coefficients[f * e..(f + 1) * e];
            *value = row.iter().zip(coefficients).map(|(x, c)| x * c).sum();
        }
        for (value, of) in out.iter_mut().zip(&self.of) {
            *value = of.iter().map(|&f| factors[f]).product();
        }
    }
}

/// Weighted sums that involve products.
#[derive(Clone, Debug, Default)]
pub(super) struct ProductSums {
    /// Sum of each product.
    pub(super) sum: Vec<f64>,
    /// Products × extended columns.
    pub(super) with_columns: Vec<f64>,
    /// Products × products.
    pub(super) with_products: Vec<f64>,
    factors: Vec<f64>,
    values: Vec<f64>,
}

impl ProductSums {
    /// Adds up one sample.
    pub(super) fn add_up(&mut self, table: &Table, factors: &Factors, weights: &[f64]) {
        let (k, e) = (factors.of.len(), table.extended);
        for (buffer, size) in [
            (&mut self.sum, k),
            (&mut self.with_columns, k * e),
            (&mut self.with_products, k * k),
            (&mut self.factors, factors.list.len()),
            (&mut self.values, k),
        ] {
            buffer.clear();
            buffer.resize(size, 0.0);
        }
        for (row, &weight) in weights.iter().enumerate() {
            if weight == 0.0 || !table.usable[row] {
                continue;
            }
            let x = table.row(row);
            factors.values(x, &mut self.factors, &mut self.values);
            for (p, &value) in self.values.iter().enumerate() {
                let weighted = weight * value;
                self.sum[p] += weighted;
                for (place, column) in self.with_columns[p * e..(p + 1) * e].iter_mut().zip(x) {
                    *place += weighted * column;
                }
                for (place, other) in self.with_products[p * k..(p + 1) * k].iter_mut().zip(&self.values) {
                    *place += weighted * other;
                }
            }
        }
    }
}
