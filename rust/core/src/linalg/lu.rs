//! Inverse of a small general matrix by Gauss-Jordan elimination with row pivoting (Golub & Van Loan 2013, §3.4).

/// The inverse of the `n` × `n` matrix `a`, or `None` when it is singular to working precision.
pub fn inverse(a: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut left = a[..n * n].to_vec();
    let mut right = vec![0.0; n * n];
    for i in 0..n {
        right[i * n + i] = 1.0;
    }
    let scale = left.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    for column in 0..n {
        let pivot = (column..n).max_by(|&i, &k| left[i * n + column].abs().total_cmp(&left[k * n + column].abs()))?;
        let size = left[pivot * n + column];
        // Rounding leaves about 1e-16 of the largest entry where an exact dependence has zero.
        if size.is_nan() || size.abs() <= scale * 1e-14 {
            return None;
        }
        for k in 0..n {
            left.swap(column * n + k, pivot * n + k);
            right.swap(column * n + k, pivot * n + k);
        }
        for k in 0..n {
            left[column * n + k] /= size;
            right[column * n + k] /= size;
        }
        for row in (0..n).filter(|&row| row != column) {
            let factor = left[row * n + column];
            for k in 0..n {
                left[row * n + k] -= factor * left[column * n + k];
                right[row * n + k] -= factor * right[column * n + k];
            }
        }
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_indefinite_matrix_times_its_inverse_is_one() {
        let a = [1.0, 1.3, 0.4, 1.3, 1.0, 0.2, 0.4, 0.2, 1.0];
        let inverse = inverse(&a, 3).unwrap();
        for i in 0..3 {
            for j in 0..3 {
                let product: f64 = (0..3).map(|k| a[i * 3 + k] * inverse[k * 3 + j]).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn a_singular_matrix_has_none() {
        assert_eq!(inverse(&[1.0, 2.0, 2.0, 4.0], 2), None);
    }
}
