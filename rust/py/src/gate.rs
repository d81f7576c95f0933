//! The one gate that every long call goes through.
//!
//! It detaches from Python, runs the work on another thread with our own pool, lets the calling thread poll for
//! Ctrl-C and paint progress, and turns a panic into `InternalError`. Where one thread is to work, it is the calling
//! one, which polls whenever the work asks whether it was cancelled.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, LazyLock, Mutex, TryLockError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use sembada_core::cancel::{Cancelled, Control};
use sembada_core::lanes::Kernel;

use crate::errors::{Class, Value, error};

const POLL: Duration = Duration::from_millis(50);

/// What the work of a long call is given.
pub(crate) struct Scope<'a> {
    /// The pool to run on.
    pub(crate) pool: &'a ThreadPool,
    /// Cancellation and progress.
    pub(crate) control: &'a Control,
}

/// Pools by process id and number of threads: a forked child must not touch its parent's threads.
type Pools = HashMap<(u32, usize), Arc<ThreadPool>>;

static POOLS: LazyLock<Mutex<Pools>> = LazyLock::new(Mutex::default);

fn pool(threads: Option<usize>) -> PyResult<Arc<ThreadPool>> {
    #[allow(clippy::disallowed_methods)]
    // the number of threads is a default of the binding; results do not depend on it
    let threads = match threads {
        Some(0) => {
            return Err(error(
                Class::SpecificationError,
                "threads=0: expected a positive number of threads, or None for one a processor",
                vec![("threads", Value::Int(0))],
            ));
        }
        Some(threads) => threads,
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let build = || {
        ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("sembada-{index}"))
            .build()
            .map(Arc::new)
            .map_err(|cause| {
                error(
                    Class::InternalError,
                    format!("could not start {threads} threads: {cause}"),
                    vec![("threads", Value::Int(threads as i64))],
                )
            })
    };
    // A lock that another thread held when this process was forked stays locked for ever: give up and build afresh.
    for _ in 0..1000 {
        match POOLS.try_lock() {
            Ok(mut pools) => {
                let key = (std::process::id(), threads);
                if let Some(found) = pools.get(&key) {
                    return Ok(Arc::clone(found));
                }
                let made = build()?;
                pools.insert(key, Arc::clone(&made));
                return Ok(made);
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_micros(200)),
            Err(TryLockError::Poisoned(_)) => break,
        }
    }
    build()
}

/// How many gates are open: inside one, the panic hook records instead of printing.
static OPEN: AtomicUsize = AtomicUsize::new(0);
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// Panics inside the gate are raised as `InternalError` and not printed to the terminal.
pub(crate) fn install_panic_hook() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if OPEN.load(Ordering::Relaxed) == 0 {
            previous(info);
        } else if let Ok(mut last) = LAST_PANIC.try_lock() {
            *last = info.location().map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
        }
    }));
}

fn internal(payload: &(dyn Any + Send)) -> PyErr {
    let what = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    let place = LAST_PANIC.try_lock().map_or_else(|_| String::new(), |last| last.clone());
    error(
        Class::InternalError,
        format!("a defect in sembada, not in your input: {what}{place}; please report it"),
        vec![("cause", Value::Text(what))],
    )
}

struct Open;

impl Open {
    fn new() -> Self {
        OPEN.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs `work` away from Python, in place. For calls that end within a few milliseconds.
pub(crate) fn quick<T: Send, E: Send>(
    py: Python<'_>,
    to_python: impl Fn(E) -> PyErr,
    work: impl FnOnce() -> Result<T, E> + Send,
) -> PyResult<T> {
    let _open = Open::new();
    match py.detach(|| catch_unwind(AssertUnwindSafe(work))) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(failure)) => Err(to_python(failure)),
        Err(payload) => Err(internal(payload.as_ref())),
    }
}

/// Runs `work` away from Python on its own thread while this one polls for Ctrl-C and reports progress.
///
/// `progress` is called with `(done, total)`. An exception that a signal handler or `progress` raises cancels
/// the work and is raised once the workers have stopped, in place of their `Cancelled`.
pub(crate) fn long<T: Send, E: Send + From<Cancelled>>(
    py: Python<'_>,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
    to_python: impl Fn(E) -> PyErr,
    work: impl FnOnce(&Scope<'_>) -> Result<T, E> + Send,
) -> PyResult<T> {
    let _open = Open::new();
    let pool = pool(threads)?;
    if pool.current_num_threads() == 1 {
        return alone(py, &pool, progress, to_python, work);
    }
    let control = Control::new();
    let mut interruption: Option<PyErr> = None;
    let outcome = py.detach(|| {
        std::thread::scope(|threads| {
            let (sender, receiver) = channel();
            let (pool, control) = (&pool, &control);
            threads.spawn(move || {
                let scope = Scope { pool, control };
                let result = catch_unwind(AssertUnwindSafe(|| work(&scope)));
                // The receiver outlives this thread: it lives in the enclosing scope.
                let _ = sender.send(result);
            });
            loop {
                match receiver.recv_timeout(POLL) {
                    Ok(result) => return Some(result),
                    Err(RecvTimeoutError::Disconnected) => return None,
                    Err(RecvTimeoutError::Timeout) => {
                        if interruption.is_none()
                            && let Err(raised) = Python::attach(|py| poll(py, control, progress.as_ref()))
                        {
                            control.cancel();
                            interruption = Some(raised);
                        }
                    }
                }
            }
        })
    });
    finish(py, &control, interruption, outcome, progress, to_python)
}

#[allow(clippy::disallowed_methods)] // when to poll; results do not depend on it
fn now() -> Instant {
    Instant::now()
}

/// What the calling thread keeps while it works itself.
struct Watch {
    thread: ThreadId,
    last: Instant,
    progress: Option<Py<PyAny>>,
    interruption: Option<PyErr>,
}

impl Watch {
    /// Polls when it is time to, in the thread of the call.
    fn look(&mut self, control: &Control) {
        if self.interruption.is_some() || self.last.elapsed() < POLL || thread::current().id() != self.thread {
            return;
        }
        if let Err(raised) = Python::attach(|py| poll(py, control, self.progress.as_ref())) {
            control.cancel();
            self.interruption = Some(raised);
        }
        self.last = now();
    }
}

/// As [`long`], in place.
fn alone<T: Send, E: Send + From<Cancelled>>(
    py: Python<'_>,
    pool: &ThreadPool,
    progress: Option<Py<PyAny>>,
    to_python: impl Fn(E) -> PyErr,
    work: impl FnOnce(&Scope<'_>) -> Result<T, E> + Send,
) -> PyResult<T> {
    let watch = Arc::new(Mutex::new(Watch {
        thread: thread::current().id(),
        last: now(),
        progress: progress.as_ref().map(|progress| progress.clone_ref(py)),
        interruption: None,
    }));
    let shared = Arc::clone(&watch);
    let control = Control::watched(move |control| {
        // Another thread of the work that finds it taken has nothing to do.
        if let Ok(mut watch) = shared.try_lock() {
            watch.look(control);
        }
    });
    let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(|| work(&Scope { pool, control: &control }))));
    let interruption = watch.try_lock().ok().and_then(|mut watch| watch.interruption.take());
    finish(py, &control, interruption, Some(outcome), progress, to_python)
}

/// Turns what the work came to into what the call returns.
fn finish<T, E>(
    py: Python<'_>,
    control: &Control,
    interruption: Option<PyErr>,
    outcome: Option<thread::Result<Result<T, E>>>,
    progress: Option<Py<PyAny>>,
    to_python: impl Fn(E) -> PyErr,
) -> PyResult<T> {
    if let Some(raised) = interruption {
        return Err(raised);
    }
    py.check_signals()?;
    match outcome {
        Some(Ok(Ok(value))) => {
            if let Some(progress) = progress {
                progress.call1(py, control.progress())?;
            }
            Ok(value)
        }
        Some(Ok(Err(failure))) => Err(to_python(failure)),
        Some(Err(payload)) => Err(internal(payload.as_ref())),
        None => Err(internal(&"the worker thread vanished")),
    }
}

fn poll(py: Python<'_>, control: &Control, progress: Option<&Py<PyAny>>) -> PyResult<()> {
    py.check_signals()?;
    if let Some(progress) = progress {
        progress.call1(py, control.progress())?;
    }
    Ok(())
}

/// The kernels that this processor runs, slowest first.
#[pyfunction]
pub(crate) fn available_kernels() -> Vec<&'static str> {
    Kernel::available().iter().map(|kernel| kernel.name()).collect()
}

fn cancelled(_: Cancelled) -> PyErr {
    pyo3::exceptions::PyKeyboardInterrupt::new_err(())
}

/// Works for `seconds` in small steps: the tests of the gate interrupt it.
#[pyfunction]
#[pyo3(signature = (seconds, threads=None, progress=None))]
pub(crate) fn wait_for_test(
    py: Python<'_>,
    seconds: f64,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
) -> PyResult<usize> {
    let steps = (seconds * 100.0) as usize;
    long(py, threads, progress, cancelled, |scope| {
        scope.control.set_total(steps as u64);
        sembada_core::par::chunks(
            scope.pool,
            scope.control,
            steps,
            1,
            || (),
            |(), range| {
                std::thread::sleep(Duration::from_millis(10));
                Ok::<_, Cancelled>(range.len())
            },
        )
        .map(|parts| parts.into_iter().sum())
    })
}

/// Panics on a worker of the pool: the tests of the gate catch it.
#[pyfunction]
pub(crate) fn panic_for_test(py: Python<'_>) -> PyResult<()> {
    long(py, Some(2), None, cancelled, |scope| {
        sembada_core::par::chunks(
            scope.pool,
            scope.control,
            4,
            1,
            || (),
            |(), range| {
                #[allow(clippy::panic, clippy::manual_assert)] // this is what the function is for
                if range.start == 2 {
                    panic!("on purpose");
                }
                Ok::<_, Cancelled>(())
            },
        )
        .map(|_| ())
    })
}
