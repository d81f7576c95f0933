//! Eigenvalues of a small symmetric matrix by cyclic Jacobi rotations (Golub & Van Loan 2013, §8.5).

/// Eigenvalues (largest first) and eigenvectors (row `k` belongs to value `k`) of the symmetric `n` × `n` matrix `a`.
pub fn symmetric_eigen(a: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut m = a[..n * n].to_vec();
    let mut v = vec![0.0; n * n];
    for i in 0..n {
        v[i * n + i] = 1.0;
    }
    let scale: f64 = m.iter().map(|x| x * x).sum();
    // Jacobi converges quadratically: far fewer than 60 sweeps reach rounding for any matrix.
    for _ in 0..60 {
        let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| m[i * n + j].powi(2)).sum();
        if off.is_nan() || off <= scale * 1e-34 {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                let apq = m[p * n + q];
                if apq == 0.0 {
                    continue;
                }
                let theta = (m[q * n + q] - m[p * n + p]) / (2.0 * apq);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let t = if theta == 0.0 { 1.0 } else { t };
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for k in 0..n {
                    let (x, y) = (m[k * n + p], m[k * n + q]);
                    m[k * n + p] = c * x - s * y;
                    m[k * n + q] = s * x + c * y;
                }
                for k in 0..n {
                    let (x, y) = (m[p * n + k], m[q * n + k]);
                    m[p * n + k] = c * x - s * y;
                    m[q * n + k] = s * x + c * y;
                }
                for k in 0..n {
                    let (x, y) = (v[p * n + k], v[q * n + k]);
                    v[p * n + k] = c * x - s * y;
                    v[q * n + k] = s * x + c * y;
                }
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| m[j * n + j].total_cmp(&m[i * n + i]));
    let values = order.iter().map(|&i| m[i * n + i]).collect();
    let vectors = order.iter().flat_map(|&i| v[i * n..(i + 1) * n].to_vec()).collect();
    (values, vectors)
}

/// Eigenvalues of the symmetric `n` × `n` matrix `a`, in no order: reduced to three diagonals by reflections, then by
/// the implicit QL method (Golub & Van Loan 2013, §8.3; Wilkinson & Reinsch 1971, contributions II/2 and II/3). Several
/// times faster than [`symmetric_eigen`], which finds the vectors as well. NaN when it does not converge.
pub fn symmetric_eigenvalues(a: &[f64], n: usize) -> Vec<f64> {
    let mut a = a[..n * n].to_vec();
    let (mut d, mut e) = (vec![0.0; n], vec![0.0; n]);
    for i in (1..n).rev() {
        // The reflection that leaves row i with one number beside the diagonal.
        let scale: f64 = (0..i).map(|k| a[i * n + k].abs()).sum();
        if i == 1 || scale == 0.0 {
            e[i] = a[i * n + i - 1];
            continue;
        }
        let mut h = 0.0;
        for k in 0..i {
            a[i * n + k] /= scale;
            h += a[i * n + k] * a[i * n + k];
        }
        let f = a[i * n + i - 1];
        let g = if f >= 0.0 { -h.sqrt() } else { h.sqrt() };
        e[i] = scale * g;
        h -= f * g;
        a[i * n + i - 1] = f - g;
        let mut sum = 0.0;
        for j in 0..i {
            let upper: f64 = (0..=j).map(|k| a[j * n + k] * a[i * n + k]).sum();
            let lower: f64 = (j + 1..i).map(|k| a[k * n + j] * a[i * n + k]).sum();
            e[j] = (upper + lower) / h;
            sum += e[j] * a[i * n + j];
        }
        let half = sum / (h + h);
        for j in 0..i {
            let f = a[i * n + j];
            let g = e[j] - half * f;
            e[j] = g;
            for k in 0..=j {
                a[j * n + k] -= f * e[k] + g * a[i * n + k];
            }
        }
    }
    for i in 0..n {
        d[i] = a[i * n + i];
    }
    e.rotate_left(usize::from(n > 0));
    if n > 0 {
        e[n - 1] = 0.0;
    }
    for l in 0..n {
        for pass in 0.. {
            let small = (l..n - 1).find(|&m| {
                let size = d[m].abs() + d[m + 1].abs();
                e[m].abs() <= f64::EPSILON * size
            });
            let m = small.unwrap_or(n - 1);
            if m == l {
                break;
            }
            if pass == 60 || e[l].is_nan() {
                return vec![f64::NAN; n];
            }
            let g = (d[l + 1] - d[l]) / (2.0 * e[l]);
            let r = g.hypot(1.0);
            let mut g = d[m] - d[l] + e[l] / (g + if g >= 0.0 { r } else { -r });
            let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
            let mut ended = false;
            for i in (l..m).rev() {
                let f = s * e[i];
                let b = c * e[i];
                let r = f.hypot(g);
                e[i + 1] = r;
                if r == 0.0 {
                    d[i + 1] -= p;
                    e[m] = 0.0;
                    ended = true;
                    break;
                }
                s = f / r;
                c = g / r;
                let q = d[i + 1] - p;
                let t = (d[i] - q) * s + 2.0 * c * b;
                p = s * t;
                d[i + 1] = q + p;
                g = c * t - b;
            }
            if !ended {
                d[l] -= p;
                e[l] = g;
                e[m] = 0.0;
            }
        }
    }
    d
}

/// First eigenvector of the symmetric matrix `a`, with the sign that makes its sum positive.
pub fn first_component(a: &[f64], n: usize) -> Vec<f64> {
    let (_, vectors) = symmetric_eigen(a, n);
    let first = &vectors[..n];
    let sign = if first.iter().sum::<f64>() < 0.0 { -1.0 } else { 1.0 };
    first.iter().map(|x| sign * x).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_alone_are_those_with_vectors() {
        let n = 12;
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1u32 << 24) - 0.5
        };
        let half: Vec<f64> = (0..n * n).map(|_| next()).collect();
        let a: Vec<f64> = (0..n * n).map(|k| half[k] + half[k % n * n + k / n]).collect();
        let mut alone = symmetric_eigenvalues(&a, n);
        alone.sort_by(|x, y| y.total_cmp(x));
        for (x, y) in alone.iter().zip(symmetric_eigen(&a, n).0) {
            assert!((x - y).abs() < 1e-13);
        }
        let identity: Vec<f64> = (0..n * n).map(|k| f64::from(u8::from(k % n == k / n))).collect();
        assert_eq!(symmetric_eigenvalues(&identity, n), vec![1.0; n]);
        assert_eq!(symmetric_eigenvalues(&[3.0], 1), [3.0]);
        assert!(symmetric_eigenvalues(&[], 0).is_empty());
    }

    #[test]
    fn rebuilds_the_matrix() {
        let a = [2.0, 0.5, -0.3, 0.5, 1.0, 0.2, -0.3, 0.2, 0.7];
        let (values, vectors) = symmetric_eigen(&a, 3);
        assert!(values[0] >= values[1] && values[1] >= values[2]);
        for i in 0..3 {
            for j in 0..3 {
                let back: f64 = (0..3).map(|k| values[k] * vectors[k * 3 + i] * vectors[k * 3 + j]).sum();
                assert!((back - a[i * 3 + j]).abs() < 1e-14);
            }
        }
    }
}
