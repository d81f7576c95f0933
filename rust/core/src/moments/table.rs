//! The data columns of a model, prepared once for all replicates.
//!
//! The extended columns are a constant one, the data columns (shifted by a constant, zero where missing), an indicator
//! of "observed" for each column with missing values, and, for pairwise treatment, the squares. All treatments of
//! missing values inside a replicate follow from the weighted sums of products of these columns.

use crate::lanes::Aligned;

/// What is done about missing values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// They are refused.
    Error,
    /// Rows with one are left out.
    Listwise,
    /// They are replaced by the mean of the sample at hand.
    Mean,
    /// Each correlation uses the rows that have both numbers.
    Pairwise,
}

impl Missing {
    /// Every treatment with its name.
    pub const ALL: [(Self, &str); 4] =
        [(Self::Error, "error"), (Self::Listwise, "listwise"), (Self::Mean, "mean"), (Self::Pairwise, "pairwise")];

    /// The treatment called `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(missing, _)| *missing)
    }
}

/// Data that cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TableError {
    /// A missing or infinite number where none is allowed.
    #[error(
        "column {column:?} holds {value} in row {row}: expected a finite number; choose missing=\"mean\", \"listwise\" or \"pairwise\", or mend the data"
    )]
    NotFinite {
        /// Name of the column.
        column: String,
        /// Row, counted from zero.
        row: usize,
        /// The value.
        value: f64,
    },
    /// Fewer rows than an estimation can use.
    #[error("{rows} usable rows: expected at least {needed}")]
    TooFewRows {
        /// Rows that remain.
        rows: usize,
        /// Rows needed.
        needed: usize,
    },
}

/// Prepared data.
#[derive(Clone, Debug)]
pub struct Table {
    /// Rows.
    pub n: usize,
    /// Data columns.
    pub columns: usize,
    /// Extended columns.
    pub extended: usize,
    /// Numbers from one row to the next.
    pub stride: usize,
    /// `n` × `stride`.
    pub rows: Vec<f64>,
    /// The extended columns without the constant, for the kernels: `n` × `packed_stride`.
    pub packed: Aligned,
    /// Numbers from one packed row to the next: a multiple of eight, padded with zeros.
    pub packed_stride: usize,
    /// What was subtracted from each data column.
    pub shift: Vec<f64>,
    /// Extended column that says where a data column is observed; none if it always is.
    pub observed: Vec<Option<usize>>,
    /// First extended column of the squares, under pairwise treatment.
    pub squares: Option<usize>,
    /// Rows that take part: all, or the complete ones under listwise treatment.
    pub usable: Vec<bool>,
    /// Whether every entry is a whole number, and the largest absolute one.
    pub whole: Option<f64>,
}

/// Place of the pair `i <= j` among the upper triangle of an `e` × `e` matrix, row after row.
#[inline(always)]
pub const fn place(e: usize, i: usize, j: usize) -> usize {
    i * (2 * e - i - 1) / 2 + j
}

impl Table {
    /// Prepares `data`, `n` rows of `width` numbers, of which `base` names the columns to take.
    pub fn new(
        data: &[f64],
        n: usize,
        width: usize,
        base: &[usize],
        names: &[String],
        missing: Missing,
    ) -> Result<Self, TableError> {
        let u = base.len();
        let mut usable = vec![true; n];
        let mut gaps = vec![false; u];
        for row in 0..n {
            for (k, &column) in base.iter().enumerate() {
                let value = data[row * width + column];
                if value.is_infinite() || (value.is_nan() && missing == Missing::Error) {
                    return Err(TableError::NotFinite { column: names[column].clone(), row, value });
                }
                if value.is_nan() {
                    if missing == Missing::Listwise {
                        usable[row] = false;
                    } else {
                        gaps[k] = true;
                    }
                }
            }
        }
        let mut shift = vec![0.0; u];
        let mut whole = true;
        for (k, &column) in base.iter().enumerate() {
            let (mut sum, mut count) = (0.0, 0.0);
            for row in (0..n).filter(|&row| usable[row]) {
                let value = data[row * width + column];
                if !value.is_nan() {
                    sum += value;
                    count += 1.0;
                    whole &= value.fract() == 0.0;
                }
            }
            shift[k] = if count > 0.0 { sum / count } else { 0.0 };
        }
        if whole {
            for value in &mut shift {
                *value = value.round();
            }
        }
        let mut observed = vec![None; u];
        let mut extended = 1 + u;
        for k in 0..u {
            if gaps[k] {
                observed[k] = Some(extended);
                extended += 1;
            }
        }
        let any = gaps.contains(&true);
        let squares = (missing == Missing::Pairwise && any).then_some(extended);
        if squares.is_some() {
            extended += u;
        }
        let stride = extended;
        let mut rows = vec![0.0; n * stride];
        let mut largest: f64 = 1.0;
        for row in (0..n).filter(|&row| usable[row]) {
            let out = &mut rows[row * stride..(row + 1) * stride];
            out[0] = 1.0;
            for (k, &column) in base.iter().enumerate() {
                let value = data[row * width + column];
                let seen = !value.is_nan();
                let x = if seen { value - shift[k] } else { 0.0 };
                out[1 + k] = x;
                largest = largest.max(x.abs());
                if let Some(at) = observed[k] {
                    out[at] = f64::from(u8::from(seen));
                }
                if let Some(at) = squares {
                    out[at + k] = x * x;
                    largest = largest.max(x * x);
                }
            }
        }
        let packed_stride = (extended - 1).div_ceil(8) * 8;
        let mut packed = Aligned::new(n * packed_stride);
        for row in 0..n {
            packed[row * packed_stride..row * packed_stride + extended - 1]
                .copy_from_slice(&rows[row * stride + 1..row * stride + extended]);
        }
        let usable_rows = usable.iter().filter(|&&u| u).count();
        if usable_rows < 2 {
            return Err(TableError::TooFewRows { rows: usable_rows, needed: 2 });
        }
        Ok(Self {
            n,
            columns: u,
            extended,
            stride,
            rows,
            packed,
            packed_stride,
            shift,
            observed,
            squares,
            usable,
            whole: whole.then_some(largest),
        })
    }

    /// Number of sums of products.
    pub const fn products(&self) -> usize {
        self.extended * (self.extended + 1) / 2
    }

    /// One row of extended columns.
    #[inline(always)]
    pub fn row(&self, row: usize) -> &[f64] {
        &self.rows[row * self.stride..row * self.stride + self.extended]
    }
}
