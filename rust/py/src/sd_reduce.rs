//! Class `SdReduction`: running statistics of sweeps.

use std::sync::Mutex;

use numpy::{IntoPyArray, PyArray1, PyArray3, PyArray4, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sembada_core::cancel::Cancelled;
use sembada_core::sd::reduce::{Reduction, Side, Threshold};

use crate::errors::{Class, error};
use crate::gate;
use crate::sd_run::{SdProgram, cancelled};

/// Running statistics by group, column and time.
#[pyclass(frozen, module = "sembada._core")]
pub(crate) struct SdReduction {
    /// The statistics; one sweep at a time adds to them.
    state: Mutex<Reduction>,
}

fn specification(message: String) -> PyErr {
    error(Class::SpecificationError, message, Vec::new())
}

fn unkept() -> PyErr {
    specification("no quantiles were kept: make SdReduction with quantiles=True".to_owned())
}

impl SdReduction {
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Reduction) -> T) -> T {
        match self.state.lock() {
            Ok(mut state) => change(&mut state),
            Err(poisoned) => change(&mut poisoned.into_inner()),
        }
    }

    pub(crate) fn with<T>(&self, read: impl FnOnce(&Reduction) -> T) -> T {
        match self.state.lock() {
            Ok(state) => read(&state),
            Err(poisoned) => read(&poisoned.into_inner()),
        }
    }

    fn cells<'py>(
        &self,
        py: Python<'py>,
        value: impl Fn(&sembada_core::sd::reduce::Moments) -> f64,
    ) -> PyResult<Bound<'py, PyArray3<f64>>> {
        let (values, shape) = self.with(|state| (state.by_group(value), [state.groups, state.columns, state.times]));
        values.into_pyarray(py).reshape(shape)
    }
}

#[pymethods]
impl SdReduction {
    #[new]
    #[pyo3(signature = (program, groups=1, quantiles=true, compression=100.0, thresholds=Vec::new()))]
    fn new(
        program: &SdProgram,
        groups: usize,
        quantiles: bool,
        compression: f64,
        thresholds: Vec<(usize, String, f64)>,
    ) -> PyResult<Self> {
        if groups == 0 || !(20.0..=100_000.0).contains(&compression) {
            return Err(specification(format!(
                "groups={groups}, compression={compression}: expected at least one group and a compression of 20 to 100000"
            )));
        }
        let columns = program.program.flat.saves.len();
        let thresholds: PyResult<Vec<Threshold>> = thresholds
            .into_iter()
            .map(|(column, side, limit)| {
                let side = match side.as_str() {
                    ">" => Side::Above,
                    ">=" => Side::AtLeast,
                    "<" => Side::Below,
                    "<=" => Side::AtMost,
                    _ => {
                        return Err(specification(format!(
                            "threshold side {side:?}: expected \">\", \">=\", \"<\" or \"<=\""
                        )));
                    }
                };
                if column >= columns || limit.is_nan() {
                    return Err(specification(format!(
                        "threshold ({column}, {limit}): expected a column below {columns} and a number"
                    )));
                }
                Ok(Threshold { column, side, limit })
            })
            .collect();
        let state = Reduction::new(columns, program.program.times.len(), groups, quantiles, compression, thresholds?);
        Ok(Self { state: Mutex::new(state) })
    }

    /// Finite values by group, column and time.
    fn count<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray3<i64>>> {
        let (values, shape) =
            self.with(|state| (state.by_group(|cell| cell.count as i64), [state.groups, state.columns, state.times]));
        values.into_pyarray(py).reshape(shape)
    }

    /// Means.
    fn mean<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray3<f64>>> {
        self.cells(py, sembada_core::sd::reduce::Moments::mean)
    }

    /// Variances with divisor n − 1.
    fn variance<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray3<f64>>> {
        self.cells(py, sembada_core::sd::reduce::Moments::variance)
    }

    /// Least values.
    fn minimum<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray3<f64>>> {
        self.cells(py, |cell| if cell.count == 0 { f64::NAN } else { cell.least })
    }

    /// Greatest values.
    fn maximum<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray3<f64>>> {
        self.cells(py, |cell| if cell.count == 0 { f64::NAN } else { cell.greatest })
    }

    /// Quantiles by group, column, time and q; of the columns `first` to `stop` (exclusive).
    #[pyo3(signature = (q, first=0, stop=None))]
    #[allow(clippy::needless_pass_by_value)] // arrays come in as they are extracted
    fn quantile<'py>(
        &self,
        py: Python<'py>,
        q: PyReadonlyArray1<'py, f64>,
        first: usize,
        stop: Option<usize>,
    ) -> PyResult<Bound<'py, PyArray4<f64>>> {
        let q: Vec<f64> = q.as_array().iter().copied().collect();
        if let Some(odd) = q.iter().find(|q| !(0.0..=1.0).contains(*q)) {
            return Err(specification(format!("quantile {odd}: expected 0 to 1")));
        }
        let columns = self.with(|state| state.columns);
        let stop = stop.unwrap_or(columns);
        if first > stop || stop > columns {
            return Err(specification(format!("columns {first} to {stop}: expected 0 to {columns}, ascending")));
        }
        let (values, shape) = py.detach(|| {
            self.with(|state| (state.quantiles(&q, first..stop), [state.groups, stop - first, state.times, q.len()]))
        });
        let Some(values) = values else {
            return Err(unkept());
        };
        values.into_pyarray(py).reshape(shape)
    }

    /// The proven error of the quantiles as a share of the ranks, by group, column and time; zero where they are exact.
    fn rank_error<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray3<f64>>> {
        let (values, shape) = self.with(|state| (state.bounds(), [state.groups, state.columns, state.times]));
        let Some(values) = values else {
            return Err(unkept());
        };
        values.into_pyarray(py).reshape(shape)
    }

    /// Share of runs beyond each limit by group, threshold and time.
    fn exceedance<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray3<f64>>> {
        let (values, shape) =
            self.with(|state| (state.exceedance(), [state.groups, state.thresholds.len(), state.times]));
        values.into_pyarray(py).reshape(shape)
    }

    /// Share of runs first beyond each limit by group, threshold and time; the last place: never.
    fn first_passage<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray3<f64>>> {
        let (values, shape) =
            self.with(|state| (state.first_passage(), [state.groups, state.thresholds.len(), state.times + 1]));
        values.into_pyarray(py).reshape(shape)
    }

    /// Takes in what another one holds.
    #[pyo3(signature = (other, threads=None))]
    fn merge(&self, py: Python<'_>, other: &Self, threads: Option<usize>) -> PyResult<()> {
        if std::ptr::eq(self, other) || !other.with(|theirs| self.with(|own| own.fits(theirs))) {
            return Err(specification(
                "statistics of another shape, other limits or another compression, or these same ones, cannot be merged"
                    .to_owned(),
            ));
        }
        gate::long(py, threads, None, cancelled, |scope| {
            other.with(|theirs| self.change(|own| own.merge(theirs, scope.pool)));
            Ok::<_, Cancelled>(())
        })
    }

    /// Forgets every run.
    fn clear(&self) {
        self.change(Reduction::clear);
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        Ok((py.get_type::<Self>().getattr("from_bytes")?, (self.to_bytes(py),)))
    }

    /// The statistics as bytes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.with(Reduction::to_bytes))
    }

    /// The statistics from their bytes.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        match Reduction::from_bytes(data) {
            Ok(state) => Ok(Self { state: Mutex::new(state) }),
            Err(cause) => Err(error(Class::DataError, cause.to_string(), Vec::new())),
        }
    }
}

/// Status, time and variable of every run.
pub(crate) type EndingArrays<'py> = (Bound<'py, PyArray1<u8>>, Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<i32>>);
