//! The random number generator of core, shown to Python so that the tests hold it against NumPy.

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2, PyUntypedArrayMethods, ToPyArray};
use pyo3::prelude::*;
use sembada_core::rng::{Philox, Stream};

fn draw<T: numpy::Element>(
    py: Python<'_>,
    key: [u64; 2],
    counter: [u64; 4],
    n: usize,
    next: impl Fn(&mut Philox) -> T,
) -> Bound<'_, PyArray1<T>> {
    let mut philox = Philox::new(key, counter);
    (0..n).map(|_| next(&mut philox)).collect::<Vec<T>>().to_pyarray(py)
}

/// The first `n` words of `numpy.random.Philox(key=key, counter=counter)`.
#[pyfunction]
pub(crate) fn philox_raw(py: Python<'_>, key: [u64; 2], counter: [u64; 4], n: usize) -> Bound<'_, PyArray1<u64>> {
    draw(py, key, counter, n, Philox::next_u64)
}

/// `n` uniform draws on [0, 1).
#[pyfunction]
pub(crate) fn philox_uniform(py: Python<'_>, key: [u64; 2], counter: [u64; 4], n: usize) -> Bound<'_, PyArray1<f64>> {
    draw(py, key, counter, n, Philox::uniform)
}

/// `n` standard normal draws.
#[pyfunction]
pub(crate) fn philox_normal(py: Python<'_>, key: [u64; 2], counter: [u64; 4], n: usize) -> Bound<'_, PyArray1<f64>> {
    draw(py, key, counter, n, Philox::normal)
}

/// `n` draws from `0..bound` without bias.
#[pyfunction]
pub(crate) fn philox_index(
    py: Python<'_>,
    key: [u64; 2],
    counter: [u64; 4],
    bound: u64,
    n: usize,
) -> Bound<'_, PyArray1<u64>> {
    draw(py, key, counter, n, |philox| philox.index(bound))
}

/// Permutations `first` to `first + count` of the rows `0..n`, one a row, as a permutation plan deals them.
#[pyfunction]
pub(crate) fn philox_permutations(
    py: Python<'_>,
    key: [u64; 2],
    first: u64,
    count: usize,
    n: usize,
) -> PyResult<Bound<'_, PyArray2<u32>>> {
    let mut all = Vec::with_capacity(count * n);
    for replicate in 0..count as u64 {
        let start = all.len();
        all.extend(0..n as u32);
        Philox::replicate(key, Stream::Shuffle, first + replicate).shuffle(&mut all[start..]);
    }
    PyArray1::from_vec(py, all).reshape([count, n])
}

/// Means of `count` bootstrap samples of each row of `values`; all rows of a replicate draw the same places.
#[pyfunction]
pub(crate) fn philox_bootstrap_means<'py>(
    py: Python<'py>,
    key: [u64; 2],
    values: PyReadonlyArray2<'py, f64>,
    count: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (series, n) = (values.shape()[0], values.shape()[1]);
    // Place after place, so that a draw reads neighbours.
    let turned: Vec<f64> = values.as_array().t().iter().copied().collect();
    let means = py.detach(|| {
        let mut means = vec![0.0; count * series];
        for (replicate, sums) in means.chunks_mut(series.max(1)).enumerate() {
            let mut philox = Philox::replicate(key, Stream::Resample, replicate as u64);
            for _ in 0..n {
                let place = philox.index(n as u64) as usize;
                for (sum, value) in sums.iter_mut().zip(&turned[place * series..]) {
                    *sum += value;
                }
            }
            for sum in sums {
                *sum /= n as f64;
            }
        }
        means
    });
    PyArray1::from_vec(py, means).reshape([count, series])
}
