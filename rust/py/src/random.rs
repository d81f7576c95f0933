//! The random number generator of core, shown to Python so that the tests hold it against NumPy.

use numpy::{PyArray1, ToPyArray};
use pyo3::prelude::*;
use sembada_core::rng::Philox;

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
