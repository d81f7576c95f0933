//! Class `SdProgram`: a model compiled for what a run varies and saves.

use std::mem::MaybeUninit;
use std::sync::{Arc, OnceLock};

use numpy::ndarray::Array2;
use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2,
    PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use sembada_core::cancel::Cancelled;
use sembada_core::lanes::Kernel;
use sembada_core::sd::compile::{Options, Shaped};
use sembada_core::sd::integrate::Ending;
use sembada_core::sd::model::{Method, Model};
use sembada_core::sd::program::Program;
use sembada_core::sd::sweep;

use crate::errors::{Class, Value, error};
use crate::gate;
use crate::sd_model::{SdModel, model_error};
use crate::sd_reduce::{EndingArrays, SdReduction};

/// Work below which a run is not worth a thread of its own: instructions times steps.
const QUICK: usize = 20_000_000;

/// A compiled system-dynamics model.
#[pyclass(frozen, module = "sembada._core")]
pub(crate) struct SdProgram {
    /// The program, shared with what reduces its sweeps.
    pub(crate) program: Arc<Program>,
    model: Arc<Model>,
    options: Options,
    /// The same runs with every variable shown at every step; made when a run fails.
    everything: OnceLock<Option<Program>>,
}

pub(crate) fn cancelled(_: Cancelled) -> PyErr {
    pyo3::exceptions::PyKeyboardInterrupt::new_err(())
}

fn specification(message: String) -> PyErr {
    error(Class::SpecificationError, message, Vec::new())
}

/// The key of the generator for a seed: the seed, and a word that tells runs of models from other uses.
fn key(seed: u64) -> [u64; 2] {
    [seed, 0x5344_5255_4e53_0001]
}

fn method(name: &str) -> PyResult<Method> {
    match name.to_ascii_lowercase().as_str() {
        "euler" => Ok(Method::Euler),
        "rk2" => Ok(Method::Rk2),
        "rk4" => Ok(Method::Rk4),
        "rk45" => Ok(Method::Rk45),
        _ => Err(error(
            Class::SpecificationError,
            format!("method={name:?}: expected \"euler\", \"rk2\", \"rk4\" or \"rk45\""),
            vec![("method", Value::Text(name.to_owned()))],
        )),
    }
}

fn method_name(method: Method) -> &'static str {
    match method {
        Method::Euler => "euler",
        Method::Rk2 => "rk2",
        Method::Rk4 => "rk4",
        Method::Rk45 => "rk45",
    }
}

/// Names of states and columns.
fn names(program: &Program) -> impl Iterator<Item = &String> {
    program.flat.state_names.iter().chain(&program.flat.columns)
}

/// Values, status, time and variable of a sweep.
type SweptArrays<'py> =
    (Bound<'py, PyArray3<f64>>, Bound<'py, PyArray1<u8>>, Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<i32>>);

/// Status, time and variable of every run.
pub(crate) fn endings<'py>(
    py: Python<'py>,
    endings: &[Ending],
) -> (Bound<'py, PyArray1<u8>>, Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<i32>>) {
    let status: Vec<u8> = endings.iter().map(|ending| ending.status()).collect();
    let times: Vec<f64> = endings.iter().map(|ending| ending.time).collect();
    let variables: Vec<i32> = endings.iter().map(|ending| ending.variable).collect();
    (status.into_pyarray(py), times.into_pyarray(py), variables.into_pyarray(py))
}

impl SdProgram {
    /// Finds of each run that failed the first variable that was not finite, and when.
    fn diagnose(
        &self,
        endings: &mut [Ending],
        design: &[f64],
        first: u64,
        key: [u64; 2],
        scope: &gate::Scope<'_>,
    ) -> Result<(), Cancelled> {
        let failed: Vec<usize> = (0..endings.len()).filter(|&run| !endings[run].complete()).collect();
        if failed.is_empty() {
            return Ok(());
        }
        let program = self
            .everything
            .get_or_init(|| Program::compile(&self.model, &sweep::everything(&self.options), self.program.kernel).ok());
        let Some(program) = program else { return Ok(()) };
        let width = program.flat.defaults.len();
        let rows: Vec<f64> = failed.iter().flat_map(|&run| &design[run * width..(run + 1) * width]).copied().collect();
        let numbers: Vec<u64> = failed.iter().map(|&run| first + run as u64).collect();
        let found = sweep::diagnose(program, &self.model, &rows, &numbers, key, scope.pool, scope.control)?;
        for (run, found) in failed.into_iter().zip(found) {
            // A run of which every variable is finite at every step failed at none that is shown.
            if found.complete() {
                endings[run].variable = self.same(program, endings[run].variable);
            } else {
                endings[run] = found;
            }
        }
        Ok(())
    }

    /// The number that a state or column of the program has where everything is shown.
    fn same(&self, everything: &Program, variable: i32) -> i32 {
        let name = names(&self.program).nth(usize::try_from(variable).unwrap_or(usize::MAX));
        name.and_then(|name| names(everything).position(|other| other == name)).map_or(-1, |at| at as i32)
    }

    /// The design as rows, checked for its width.
    pub(crate) fn design(&self, design: &PyReadonlyArray2<'_, f64>) -> PyResult<(Vec<f64>, usize)> {
        let view = design.as_array();
        let (runs, width) = view.dim();
        let wanted = self.program.flat.defaults.len();
        if width != wanted {
            return Err(specification(format!(
                "the design has {width} columns: expected {wanted}, one for each varied name"
            )));
        }
        // Rows as they stand, or name by name: an array of columns turned on its side.
        let rows = match (view.as_slice(), view.t().as_slice()) {
            (Some(rows), _) => rows.to_vec(),
            (None, Some(columns)) => {
                let mut rows = vec![0.0; runs * width];
                for (at, column) in columns.chunks_exact(runs.max(1)).enumerate() {
                    for (row, &value) in rows.chunks_exact_mut(width).zip(column) {
                        row[at] = value;
                    }
                }
                rows
            }
            _ => view.iter().copied().collect(),
        };
        Ok((rows, runs))
    }
}

#[pymethods]
impl SdProgram {
    /// Compiles a model.
    #[staticmethod]
    #[pyo3(signature = (model, save=None, varied=Vec::new(), method=None, time=None, save_times=None, tolerance=None, kernel="auto", curves=Vec::new()))]
    #[allow(clippy::needless_pass_by_value)] // arrays come in as they are extracted
    fn compile(
        py: Python<'_>,
        model: &SdModel,
        save: Option<Vec<String>>,
        varied: Vec<String>,
        method: Option<&str>,
        time: Option<(f64, f64, f64, Option<f64>)>,
        save_times: Option<PyReadonlyArray1<'_, f64>>,
        tolerance: Option<(f64, f64)>,
        kernel: &str,
        curves: Vec<(String, usize, bool)>,
    ) -> PyResult<Self> {
        let kernel = Kernel::parse(kernel).map_err(|cause| specification(cause.to_string()))?;
        let options = Options {
            save,
            varied,
            curves: curves.into_iter().map(|(name, points, own_x)| Shaped { name, points, own_x }).collect(),
            method: method.map(self::method).transpose()?,
            time,
            save_times: save_times.map(|times| times.as_array().iter().copied().collect()),
            tolerance,
        };
        let model = Arc::clone(&model.model);
        let program = gate::quick(
            py,
            |cause| model_error(&cause),
            || Program::compile(&model, &options, kernel).map_err(|cause| cause.locate(&model)),
        )?;
        Ok(Self { program: Arc::new(program), model, options, everything: OnceLock::new() })
    }

    /// Names of the saved columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.program.flat.columns.clone()
    }

    /// Name, dimensions, first column and number of columns of each saved variable.
    #[getter]
    fn layout(&self) -> Vec<(String, Vec<String>, usize, usize)> {
        let layout = self.program.flat.layout.iter();
        layout.map(|item| (item.name.clone(), item.dimensions.clone(), item.first, item.count)).collect()
    }

    /// Saved times.
    #[getter]
    fn times<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, &self.program.times)
    }

    /// Defaults of the varied values.
    #[getter]
    fn defaults<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, &self.program.flat.defaults)
    }

    /// The integration method.
    #[getter]
    fn method(&self) -> &'static str {
        method_name(self.program.flat.time.method)
    }

    /// The kernels in use.
    #[getter]
    fn kernel(&self) -> &'static str {
        self.program.kernel.name()
    }

    /// The time step.
    #[getter]
    fn dt(&self) -> f64 {
        self.program.flat.time.dt
    }

    /// Relative and absolute tolerance of the adaptive method.
    #[getter]
    fn tolerance(&self) -> (f64, f64) {
        self.program.flat.tolerance
    }

    /// Whether a run may draw random numbers.
    #[getter]
    fn random(&self) -> bool {
        self.program.random()
    }

    /// Number of states.
    #[getter]
    fn n_states(&self) -> usize {
        self.program.flat.states.len()
    }

    /// Every instruction as text.
    #[pyo3(signature = (narrow=false))]
    fn disassemble(&self, narrow: bool) -> String {
        self.program.disassemble(narrow)
    }

    /// Whether a run of the other program is the beginning of a run of this one.
    fn continues(&self, other: &Self) -> bool {
        self.program.continues(&other.program)
    }

    /// The variable behind the `variable` of a status.
    fn state_name(&self, index: usize) -> PyResult<String> {
        let shown = self.everything.get().and_then(Option::as_ref);
        names(shown.unwrap_or(&self.program))
            .nth(index)
            .cloned()
            .ok_or_else(|| pyo3::exceptions::PyIndexError::new_err(format!("there is no state or column {index}")))
    }

    /// One run.
    #[pyo3(signature = (values, seed=0, run=0))]
    #[allow(clippy::needless_pass_by_value)] // arrays come in as they are extracted
    fn run<'py>(
        &self,
        py: Python<'py>,
        values: PyReadonlyArray1<'py, f64>,
        seed: u64,
        run: u64,
    ) -> PyResult<(Bound<'py, PyArray2<f64>>, i32, f64, i32)> {
        let values: Vec<f64> = values.as_array().iter().copied().collect();
        let wanted = self.program.flat.defaults.len();
        if values.len() != wanted {
            return Err(specification(format!(
                "{} values were given: expected {wanted}, one for each varied name",
                values.len()
            )));
        }
        let program = Arc::clone(&self.program);
        let plan = &program.lanes;
        let code = plan.euler.code.len() + 4 * plan.rates.code.len() + plan.save.code.len();
        // How many steps the adaptive method takes, nobody knows before.
        let fixed = program.flat.time.method != Method::Rk45;
        let (rows, ending) = if fixed && code.saturating_mul(program.steps() as usize) < QUICK {
            let control = sembada_core::cancel::Control::new();
            gate::quick(py, cancelled, || sweep::run(&program, &values, run, key(seed), &control))?
        } else {
            gate::long(py, Some(1), None, cancelled, |scope| {
                sweep::run(&program, &values, run, key(seed), scope.control)
            })?
        };
        let mut endings = [ending];
        if !ending.complete() {
            gate::long(py, Some(1), None, cancelled, |scope| {
                self.diagnose(&mut endings, &values, run, key(seed), scope)
            })?;
        }
        let [ending] = endings;
        let shape = (self.program.times.len(), self.program.flat.saves.len());
        let rows = Array2::from_shape_vec(shape, rows).map_err(|cause| specification(cause.to_string()))?;
        let rows = rows.into_pyarray(py);
        Ok((rows, i32::from(ending.status()), ending.time, ending.variable))
    }

    /// Every row of a design.
    #[pyo3(signature = (design, seed=0, first_run=0, threads=None, progress=None, block=0))]
    #[allow(clippy::needless_pass_by_value)] // arrays come in as they are extracted
    fn sweep<'py>(
        &self,
        py: Python<'py>,
        design: PyReadonlyArray2<'py, f64>,
        seed: u64,
        first_run: u64,
        threads: Option<usize>,
        progress: Option<Py<PyAny>>,
        block: usize,
    ) -> PyResult<SweptArrays<'py>> {
        let (design, runs) = self.design(&design)?;
        let program = Arc::clone(&self.program);
        let shape = [self.program.flat.saves.len(), self.program.times.len(), runs];
        // SAFETY: nobody sees the array before every number is written: a call that fails drops it.
        let values = unsafe { PyArray3::<f64>::new(py, shape, false) };
        // SAFETY: the array is fresh, contiguous and nowhere else; it lives until the call is over.
        let room = unsafe { std::slice::from_raw_parts_mut(values.data().cast::<MaybeUninit<f64>>(), values.len()) };
        let swept = gate::long(py, threads, progress, cancelled, move |scope| {
            let (pool, control) = (scope.pool, scope.control);
            let mut ends =
                sweep::sweep_into(&program, &design, runs, first_run, key(seed), block, pool, control, room)?;
            self.diagnose(&mut ends, &design, first_run, key(seed), scope)?;
            Ok::<_, Cancelled>(ends)
        })?;
        let (status, times, variables) = endings(py, &swept);
        Ok((values, status, times, variables))
    }

    /// Every row of a design into running statistics.
    #[pyo3(signature = (design, state, group=None, seed=0, first_run=0, threads=None, progress=None, block=0))]
    #[allow(clippy::needless_pass_by_value)] // arrays come in as they are extracted
    fn reduce<'py>(
        &self,
        py: Python<'py>,
        design: PyReadonlyArray2<'py, f64>,
        state: &SdReduction,
        group: Option<PyReadonlyArray1<'py, i64>>,
        seed: u64,
        first_run: u64,
        threads: Option<usize>,
        progress: Option<Py<PyAny>>,
        block: usize,
    ) -> PyResult<EndingArrays<'py>> {
        let (design, runs) = self.design(&design)?;
        let shape = (self.program.flat.saves.len(), self.program.times.len());
        let (columns, times, groups) = state.with(|own| (own.columns, own.times, own.groups));
        if (columns, times) != shape {
            return Err(specification(format!(
                "the statistics are for {columns} columns and {times} times: expected {} and {} of this program",
                shape.0, shape.1
            )));
        }
        let group: Vec<u32> = match group {
            Some(group) => group.as_array().iter().map(|&group| u32::try_from(group).unwrap_or(u32::MAX)).collect(),
            None => vec![0; runs],
        };
        if group.len() != runs || group.iter().any(|&group| group as usize >= groups) {
            return Err(specification(format!(
                "group: expected {runs} whole numbers from 0 to {}, one for each row of the design",
                groups - 1
            )));
        }
        let program = Arc::clone(&self.program);
        let swept = gate::long(py, threads, progress, cancelled, move |scope| {
            state.change(|own| {
                let key = key(seed);
                let swept =
                    own.sweep(&program, &design, runs, &group, first_run, key, block, scope.pool, scope.control);
                if swept.is_err() {
                    // Part of the runs would be no statistics of anything.
                    own.clear();
                }
                swept
            })
        })?;
        Ok(endings(py, &swept))
    }

    fn __repr__(&self) -> String {
        let program = &self.program;
        format!(
            "SdProgram({} columns, {} states, {} varied, {}, kernel {})",
            program.flat.saves.len(),
            program.flat.states.len(),
            program.flat.defaults.len(),
            method_name(program.flat.time.method),
            program.kernel
        )
    }
}
