//! Cholesky factor of a small symmetric matrix (Golub & Van Loan 2013, Matrix Computations, §4.2), in lanes.

use crate::lanes::Real;

/// A pivot of a correlation matrix below this is taken as zero: the matrix is singular to working precision.
///
/// The pivot is one minus a squared multiple correlation, so 1e-12 means a tolerance of 1e-6 on the residual
/// standard deviation, some four digits above what rounding leaves of an exact dependence.
pub const PIVOT: f64 = 1e-12;

/// The lower factor of an `n` × `n` matrix, row after row, with the reciprocal of its diagonal.
#[derive(Clone, Debug, Default)]
pub struct Factor<V> {
    n: usize,
    lower: Vec<V>,
    inverse: Vec<V>,
}

impl<V: Real> Factor<V> {
    /// An empty factor.
    pub fn new() -> Self {
        Self { n: 0, lower: Vec::new(), inverse: Vec::new() }
    }

    /// Room for matrices up to `n` × `n`, so that later factoring allocates nothing.
    pub fn with_capacity(n: usize) -> Self {
        Self { n: 0, lower: Vec::with_capacity(n * n), inverse: Vec::with_capacity(n) }
    }

    /// Factors the matrix whose lower triangle `entry(i, j)`, `j <= i`, gives. Returns the lanes whose matrix is
    /// singular (a pivot below [`PIVOT`]) or holds a NaN; what they hold afterwards means nothing.
    #[inline(always)]
    pub fn factor(&mut self, n: usize, entry: impl Fn(usize, usize) -> V) -> u8 {
        self.n = n;
        self.lower.resize(n * n, V::zero());
        self.inverse.resize(n, V::zero());
        let mut good = V::ALL;
        for i in 0..n {
            for j in 0..=i {
                let mut sum = entry(i, j);
                for k in 0..j {
                    sum = (-self.lower[i * n + k]).mul_add(self.lower[j * n + k], sum);
                }
                if i == j {
                    good &= V::splat(PIVOT).less(sum);
                    let root = sum.sqrt();
                    self.lower[i * n + i] = root;
                    self.inverse[i] = V::one() / root;
                } else {
                    self.lower[i * n + j] = sum * self.inverse[j];
                }
            }
        }
        !good & V::ALL
    }

    /// Solves `A x = b` in place.
    #[inline(always)]
    pub fn solve(&self, b: &mut [V]) {
        let n = self.n;
        let b = &mut b[..n];
        for i in 0..n {
            let mut sum = b[i];
            for k in 0..i {
                sum = (-self.lower[i * n + k]).mul_add(b[k], sum);
            }
            b[i] = sum * self.inverse[i];
        }
        for i in (0..n).rev() {
            let mut sum = b[i];
            for k in i + 1..n {
                sum = (-self.lower[k * n + i]).mul_add(b[k], sum);
            }
            b[i] = sum * self.inverse[i];
        }
    }

    /// Diagonal of the inverse of `A`: the variance inflation factors when `A` is a correlation matrix.
    #[inline(always)]
    pub fn inverse_diagonal(&self, out: &mut [V], scratch: &mut Vec<V>) {
        let n = self.n;
        scratch.resize(n.max(scratch.len()), V::zero());
        for j in 0..n {
            // Column j of the inverse of the lower factor; the diagonal of A⁻¹ is its squared length.
            let mut length = V::zero();
            for i in j..n {
                let mut sum = if i == j { V::one() } else { V::zero() };
                for k in j..i {
                    sum = (-self.lower[i * n + k]).mul_add(scratch[k], sum);
                }
                scratch[i] = sum * self.inverse[i];
                length = scratch[i].mul_add(scratch[i], length);
            }
            out[j] = length;
        }
    }

    /// Natural logarithm of the determinant of `A`, lane by lane.
    #[inline(always)]
    pub fn log_determinant(&self) -> V {
        let mut sum = V::zero();
        for i in 0..self.n {
            sum = sum + self.lower[i * self.n + i].map(f64::ln);
        }
        sum + sum
    }
}

/// Solves `A x = b` for a matrix of a size known to the compiler, by the factors L D L' in registers (Golub & Van Loan
/// 2013, §4.1.2). `entry(i, j)`, `j <= i`, gives the lower triangle; returns the lanes whose matrix is singular.
#[inline(always)]
pub fn solve_sized<V: Real, const K: usize>(entry: impl Fn(usize, usize) -> V, b: &mut [V]) -> u8 {
    let b = &mut b[..K];
    let mut good = V::ALL;
    let mut upper = [[V::zero(); K]; K];
    let mut lower = [[V::zero(); K]; K];
    let mut inverse = [V::zero(); K];
    for j in 0..K {
        for i in j..K {
            let mut sum = entry(i, j);
            for k in 0..j {
                sum = (-upper[i][k]).mul_add(lower[j][k], sum);
            }
            upper[i][j] = sum;
        }
        good &= V::splat(PIVOT).less(upper[j][j]);
        inverse[j] = upper[j][j].recip();
        for i in j + 1..K {
            lower[i][j] = upper[i][j] * inverse[j];
        }
    }
    let mut x = [V::zero(); K];
    for i in 0..K {
        let mut sum = b[i];
        for k in 0..i {
            sum = (-lower[i][k]).mul_add(x[k], sum);
        }
        x[i] = sum;
    }
    for i in (0..K).rev() {
        let mut sum = x[i] * inverse[i];
        for k in i + 1..K {
            sum = (-lower[k][i]).mul_add(x[k], sum);
        }
        x[i] = sum;
    }
    b.copy_from_slice(&x);
    !good & V::ALL
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> [[f64; 3]; 3] {
        [[1.0, 0.5, 0.2], [0.5, 1.0, -0.3], [0.2, -0.3, 1.0]]
    }

    #[test]
    fn solves_and_inverts() {
        let a = matrix();
        let mut factor = Factor::<f64>::new();
        assert_eq!(factor.factor(3, |i, j| a[i][j]), 0);
        let mut x = [1.0, 2.0, 3.0];
        factor.solve(&mut x);
        for i in 0..3 {
            let back: f64 = (0..3).map(|j| a[i][j] * x[j]).sum();
            assert!((back - (i as f64 + 1.0)).abs() < 1e-14);
        }
        let mut sized = [1.0, 2.0, 3.0];
        assert_eq!(solve_sized::<f64, 3>(|i, j| a[i][j], &mut sized), 0);
        assert!(x.iter().zip(&sized).all(|(x, y)| (x - y).abs() < 1e-14));
        let mut diagonal = [0.0; 3];
        factor.inverse_diagonal(&mut diagonal, &mut Vec::new());
        for j in 0..3 {
            let mut unit = [0.0; 3];
            unit[j] = 1.0;
            factor.solve(&mut unit);
            assert!((unit[j] - diagonal[j]).abs() < 1e-14);
        }
        let determinant: f64 = 1.0 - 0.25 - 0.04 - 0.09 - 2.0 * 0.5 * 0.3 * 0.2;
        assert!((factor.log_determinant() - determinant.ln()).abs() < 1e-14);
    }

    #[test]
    fn a_dependent_column_is_found() {
        let a = [[1.0, 1.0], [1.0, 1.0]];
        assert_eq!(Factor::<f64>::new().factor(2, |i, j| a[i][j]), 1);
    }
}
