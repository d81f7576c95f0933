//! INVERT MATRIX and DETERMINANT of small matrices given by rows.
//!
//! Source: vensim.com/documentation, INVERT MATRIX; Gauss–Jordan elimination with partial pivoting (Golub & Van Loan, *Matrix
//! Computations*, §3.4).

/// Writes the inverse of a matrix of `n` rows; not numbers where it is singular: a pivot is below `n` units of rounding of
/// the largest entry.
pub fn invert(matrix: &[f64], n: usize, out: &mut [f64]) {
    if n == 0 || matrix.len() != n * n || out.len() != n * n {
        out.fill(f64::NAN);
        return;
    }
    let mut a = matrix.to_vec();
    for (k, entry) in out.iter_mut().enumerate() {
        *entry = if k / n == k % n { 1.0 } else { 0.0 };
    }
    let size = a.iter().fold(0.0_f64, |most, entry| most.max(entry.abs()));
    let tiny = size * f64::EPSILON * n as f64;
    for column in 0..n {
        let pivot = (column..n)
            .fold(column, |best, row| if a[row * n + column].abs() > a[best * n + column].abs() { row } else { best });
        let divisor = a[pivot * n + column];
        if divisor.abs() <= tiny || !divisor.is_finite() {
            out.fill(f64::NAN);
            return;
        }
        for k in 0..n {
            a.swap(column * n + k, pivot * n + k);
            out.swap(column * n + k, pivot * n + k);
        }
        for k in 0..n {
            a[column * n + k] /= divisor;
            out[column * n + k] /= divisor;
        }
        for row in 0..n {
            let factor = a[row * n + column];
            if row != column && factor != 0.0 {
                for k in 0..n {
                    a[row * n + k] -= factor * a[column * n + k];
                    out[row * n + k] -= factor * out[column * n + k];
                }
            }
        }
    }
}

/// The determinant of a matrix of `n` rows.
pub fn determinant(matrix: &[f64], n: usize) -> f64 {
    if n == 0 || matrix.len() != n * n {
        return f64::NAN;
    }
    let mut a = matrix.to_vec();
    let mut product = 1.0;
    for column in 0..n {
        let pivot = (column..n)
            .fold(column, |best, row| if a[row * n + column].abs() > a[best * n + column].abs() { row } else { best });
        let divisor = a[pivot * n + column];
        if divisor == 0.0 {
            return 0.0;
        }
        if pivot != column {
            product = -product;
            for k in 0..n {
                a.swap(column * n + k, pivot * n + k);
            }
        }
        product *= divisor;
        for row in column + 1..n {
            let factor = a[row * n + column] / divisor;
            for k in column..n {
                a[row * n + k] -= factor * a[column * n + k];
            }
        }
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn inverse(matrix: &[f64], n: usize) -> Vec<f64> {
        let mut out = vec![0.0; n * n];
        invert(matrix, n, &mut out);
        out
    }

    #[test]
    fn a_small_matrix_is_inverted() {
        assert_eq!(inverse(&[0.0, 2.0, 4.0, 0.0], 2), [0.0, 0.25, 0.5, 0.0]);
        assert_eq!(determinant(&[0.0, 2.0, 4.0, 0.0], 2), -8.0);
        assert_eq!(determinant(&[2.0, 1.0, 1.0, 3.0, 2.0, 1.0, 1.0, 1.0, 4.0], 3).round(), 4.0);
    }

    #[test]
    fn a_singular_matrix_has_no_inverse() {
        assert!(inverse(&[1.0, 2.0, 2.0, 4.0], 2).iter().all(|entry| entry.is_nan()));
        assert!(inverse(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], 3).iter().all(|entry| entry.is_nan()));
        assert!(inverse(&[f64::NAN], 1)[0].is_nan());
        assert_eq!(determinant(&[1.0, 2.0, 2.0, 4.0], 2), 0.0);
    }

    proptest! {
        #[test]
        fn a_matrix_times_its_inverse_is_one(entries in prop::collection::vec(-1.0f64..1.0, 25)) {
            // Diagonally dominant, so that the condition number stays below about ten.
            let matrix: Vec<f64> = entries.iter().enumerate().map(|(k, entry)| if k / 5 == k % 5 { entry + 6.0 } else { *entry }).collect();
            let out = inverse(&matrix, 5);
            for row in 0..5 {
                for column in 0..5 {
                    let sum: f64 = (0..5).map(|k| matrix[row * 5 + k] * out[k * 5 + column]).sum();
                    let one = f64::from(u8::from(row == column));
                    prop_assert!((sum - one).abs() < 1e-13);
                }
            }
            prop_assert!((determinant(&matrix, 5) * determinant(&out, 5) - 1.0).abs() < 1e-12);
        }
    }
}
