//! How far predictions are from what came: sums over rows, and losses of single rows.

use std::ops::Range;

/// A mean that grows row by row, without NaN.
pub(super) struct Mean {
    width: usize,
    total: Vec<f64>,
    count: Vec<u32>,
}

impl Mean {
    /// No row yet.
    pub(super) fn new(rows: usize, width: usize) -> Self {
        Self { width, total: vec![0.0; rows * width], count: vec![0; rows * width] }
    }

    /// Counts one row.
    pub(super) fn add(&mut self, row: usize, values: &[f64]) {
        let range: Range<usize> = row * self.width..(row + 1) * self.width;
        let places = self.total[range.clone()].iter_mut().zip(&mut self.count[range]);
        for ((total, count), value) in places.zip(values) {
            if !value.is_nan() {
                *total += value;
                *count += 1;
            }
        }
    }

    /// Counts all rows.
    pub(super) fn add_all(&mut self, values: &[f64]) {
        for ((total, count), value) in self.total.iter_mut().zip(&mut self.count).zip(values) {
            if !value.is_nan() {
                *total += value;
                *count += 1;
            }
        }
    }

    /// The means; NaN where nothing was counted.
    pub(super) fn finish(self) -> Vec<f64> {
        self.total
            .into_iter()
            .zip(self.count)
            .map(|(total, count)| if count == 0 { f64::NAN } else { total / f64::from(count) })
            .collect()
    }
}

/// Weighted means of columns, without NaN.
pub(super) fn averages(values: &[f64], weights: &[f64], width: usize) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); width];
    for (row, &weight) in values.chunks(width.max(1)).zip(weights) {
        for ((sum, count), value) in sums.iter_mut().zip(row) {
            if !value.is_nan() {
                *sum += weight * value;
                *count += weight;
            }
        }
    }
    sums.into_iter().map(|(sum, count)| if count > 0.0 { sum / count } else { f64::NAN }).collect()
}

/// Appends sums of weights, squared, absolute and relative absolute errors; an answer of zero has no relative error,
/// so that its column's sum is NaN.
pub(super) fn sums_of_errors(actual: &[f64], predicted: &[f64], weights: &[f64], width: usize, out: &mut Vec<f64>) {
    sums(
        actual,
        predicted,
        weights,
        width,
        out,
        |weight, value, error| {
            if value == 0.0 { f64::NAN } else { weight * error / value.abs() }
        },
    );
}

/// Appends sums of weights, squared and absolute errors of scores, and of squared scores.
pub(super) fn sums_of_scores(actual: &[f64], predicted: &[f64], weights: &[f64], width: usize, out: &mut Vec<f64>) {
    sums(actual, predicted, weights, width, out, |weight, value, _| weight * value * value);
}

/// Appends sums of weights, squared and absolute errors, and what `last` says of weight, value and absolute error.
fn sums(
    actual: &[f64],
    predicted: &[f64],
    weights: &[f64],
    width: usize,
    out: &mut Vec<f64>,
    last: impl Fn(f64, f64, f64) -> f64,
) {
    let mut sums = vec![0.0; 4 * width];
    for (row, &weight) in weights.iter().enumerate() {
        for t in 0..width {
            let value = actual[row * width + t];
            let error = (value - predicted[row * width + t]).abs();
            if !error.is_nan() {
                sums[t] += weight;
                sums[width + t] += weight * error * error;
                sums[2 * width + t] += weight * error;
                sums[3 * width + t] += last(weight, value, error);
            }
        }
    }
    out.extend(sums);
}

/// Adds each row's mean squared error over the indicators of each outcome.
pub(super) fn row_losses(actual: &[f64], predicted: &[f64], owners: &[usize], outcomes: usize, out: &mut Mean) {
    let (q, j) = (owners.len(), outcomes);
    let mut sums = vec![(0.0, 0.0); j];
    let mut losses = vec![0.0; j];
    for (row, (real, found)) in actual.chunks(q.max(1)).zip(predicted.chunks(q.max(1))).enumerate() {
        sums.fill((0.0, 0.0));
        for (t, &owner) in owners.iter().enumerate() {
            let error = real[t] - found[t];
            if !error.is_nan() {
                let (sum, count) = &mut sums[owner];
                *sum += error * error;
                *count += 1.0;
            }
        }
        for (loss, (sum, count)) in losses.iter_mut().zip(&sums) {
            *loss = if *count > 0.0 { sum / count } else { f64::NAN };
        }
        out.add(row, &losses);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_answers_and_failed_predictions_are_left_out() {
        let nan = f64::NAN;
        let actual = [2.0, nan, 4.0, 0.0, -2.0, 5.0];
        let predicted = [1.0, 3.0, nan, 1.0, -4.0, 5.0];
        let mut out = Vec::new();
        sums_of_errors(&actual, &predicted, &[1.0, 1.0, 2.0], 2, &mut out);
        assert_eq!(out[..6], [3.0, 3.0, 9.0, 1.0, 5.0, 1.0]);
        assert_eq!(out[6], 0.5 + 2.0);
        // An answer of zero has no relative error.
        assert!(out[7].is_nan());
        let mut scores = Vec::new();
        sums_of_scores(&actual, &predicted, &[1.0, 1.0, 2.0], 2, &mut scores);
        assert_eq!(scores[6..], [4.0 + 8.0, 50.0]);
        let mut mean = Mean::new(3, 1);
        row_losses(&actual, &predicted, &[0, 0], 1, &mut mean);
        let losses = mean.finish();
        assert_eq!(losses, [1.0, 1.0, 2.0]);
        assert_eq!(averages(&actual, &[1.0, 1.0, 2.0], 2), [(2.0 + 4.0 - 4.0) / 4.0, 10.0 / 3.0]);
        assert!(Mean::new(1, 1).finish()[0].is_nan());
    }
}
