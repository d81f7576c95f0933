//! Module `sembada._core`: conversion at the door, one gate for every long call, errors with fields.

#![allow(clippy::needless_pass_by_value)] // PyO3 hands arguments over by value

mod errors;
mod gate;
mod pls;
mod pls_predict;
mod random;
mod sd_model;
mod sd_reduce;
mod sd_run;
mod sd_tools;

use pyo3::prelude::*;

#[pymodule]
mod _core {
    use super::{Bound, PyModule, PyModuleMethods, PyResult, gate};

    #[pymodule_export]
    use crate::gate::{available_kernels, panic_for_test, wait_for_test};
    #[pymodule_export]
    use crate::pls::{PlsEngine, multiply_add_limit, pls_em, pls_monotone, pls_polychoric, pls_status};
    #[pymodule_export]
    use crate::pls_predict::pls_cross_validate;
    #[pymodule_export]
    use crate::random::{
        philox_bootstrap_means, philox_index, philox_normal, philox_permutations, philox_raw, philox_uniform,
    };

    #[pymodule_export]
    use crate::sd_model::SdModel;
    #[pymodule_export]
    use crate::sd_reduce::SdReduction;
    #[pymodule_export]
    use crate::sd_run::SdProgram;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        gate::install_panic_hook();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
