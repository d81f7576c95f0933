//! The functions that Vensim and XMILE (with Stella's additions) know, and how many arguments they take.
//!
//! Sources: XMILE 1.0 §3.5; Vensim reference manual, chapter "Functions"; Stella help, "Built-in functions". Whether the engine can run a function is
//! the compiler's matter: a name here is not a misspelling.

use crate::sd::dialect::Dialect;

/// How a function depends on its arguments in the instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timing {
    /// On all of them.
    Now,
    /// Not on the first: it enters a hidden stock whose start is the first argument.
    State,
    /// Not on the first: it enters a hidden stock whose start is the argument at this place (when it is given).
    StateFrom(usize),
    /// Only at the start.
    Start,
}

/// A function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signature {
    pub(crate) least: usize,
    pub(crate) most: usize,
    pub(crate) timing: Timing,
}

/// Any number of arguments.
const ANY: usize = usize::MAX;

/// Name, fewest arguments, most arguments.
type Row = (&'static str, usize, usize);

#[rustfmt::skip]
const BOTH: &[Row] = &[
    ("abs", 1, 1), ("arccos", 1, 1), ("arcsin", 1, 1), ("arctan", 1, 1), ("cos", 1, 1), ("exp", 1, 1), ("ln", 1, 1), ("sin", 1, 1),
    ("sqrt", 1, 1), ("tan", 1, 1), ("max", 1, ANY), ("min", 1, ANY), ("sum", 1, 1), ("prod", 1, 1), ("step", 2, 2), ("sinh", 1, 1),
    ("cosh", 1, 1), ("tanh", 1, 1), ("arcsinh", 1, 1), ("arccosh", 1, 1), ("arctanh", 1, 1), ("if_then_else", 3, 3), ("size", 1, 1),
    ("with_lookup", 2, 2), ("lookup", 2, 2),
];

#[rustfmt::skip]
const XMILE: &[Row] = &[
    ("inf", 0, 0), ("int", 1, 1), ("log10", 1, 1), ("pi", 0, 0), ("round", 1, 1), ("sinwave", 2, 2), ("coswave", 2, 2), ("percent", 1, 1),
    ("exprnd", 1, 4), ("lognormal", 1, 5), ("normal", 1, 5), ("poisson", 1, 4), ("random", 0, 3), ("uniform", 2, 3), ("beta", 2, 5),
    ("binomial", 2, 5), ("gamma", 1, 5), ("geometric", 1, 4), ("logistic", 2, 5), ("negbinomial", 2, 5), ("pareto", 2, 5), ("triangular", 3, 6),
    ("weibull", 2, 5), ("montecarlo", 1, 2), ("combinations", 2, 2), ("factorial", 1, 1), ("gammaln", 1, 1), ("permutations", 2, 2),
    ("pulse", 1, 3), ("ramp", 1, 3), ("derivn", 2, 2), ("endval", 1, 2), ("counter", 2, 2), ("cgrowth", 1, 1), ("dt", 0, 0), ("time", 0, 0),
    ("starttime", 0, 0), ("stoptime", 0, 0), ("init", 1, 1), ("self", 0, 0), ("history", 2, 3), ("safediv", 2, 3), ("transpose", 1, 1),
    ("mean", 1, ANY), ("stddev", 1, 1), ("rank", 1, 3), ("interpolate", 2, ANY), ("lookupinv", 2, 2), ("lookuparea", 2, 3), ("lookupmean", 1, 2),
    ("lookupxy", 2, 3), ("npv", 2, 3), ("irr", 1, 3), ("pmt", 4, 4), ("fv", 4, 4), ("pv", 4, 4), ("previous", 1, 2), ("delay", 2, 3),
    ("delay1", 2, 3), ("delay3", 2, 3), ("delayn", 3, 4), ("smth1", 2, 3), ("smth3", 2, 3), ("smthn", 3, 4), ("trend", 2, 3), ("forcst", 3, 4),
    ("qelem", 2, 2), ("queue", 1, 3), ("conveyor", 1, 3), ("isslipping", 1, 1), ("switch", 2, 2), ("and", 2, ANY), ("or", 2, ANY), ("not", 1, 1),
    ("mod", 2, 2), ("delay2", 2, 3), ("reverse", 1, 1), ("run_name", 0, 0), ("sensirunno", 0, 0), ("simtime", 0, 0), ("trace", 2, 2),
    ("cycletime", 1, ANY), ("throughput", 1, ANY), ("allocate", 3, ANY), ("sample_until", 3, 3), ("reset", 2, 2), ("depreciate", 1, ANY),
    ("power", 2, 2), ("erf", 1, 1), ("normalcdf", 2, 4), ("invnorm", 1, 3), ("pause", 0, 1), ("rootn", 2, 2), ("root", 2, 2),
];

#[rustfmt::skip]
const VENSIM: &[Row] = &[
    ("integ", 2, 2), ("sinteg", 2, 2), ("active_initial", 2, 2), ("initial", 1, 1), ("reinitial", 1, 1), ("game", 1, 2), ("integer", 1, 1),
    ("log", 2, 2), ("modulo", 2, 2), ("power", 2, 2), ("quantum", 2, 2), ("gamma_ln", 1, 1), ("xidz", 3, 3), ("zidz", 2, 2), ("vmax", 1, 1),
    ("vmin", 1, 1), ("elmcount", 1, 1), ("pulse", 2, 2), ("pulse_train", 4, 4), ("ramp", 2, 3), ("delay1", 2, 2), ("delay1i", 3, 3),
    ("delay3", 2, 2), ("delay3i", 3, 3), ("delay_n", 4, 4), ("delay_fixed", 3, 3), ("delay_information", 3, 3), ("delay_material", 4, 4),
    ("delay_conveyor", 3, 7), ("delay_batch", 5, 6), ("delay_profile", 3, 5), ("delayp", 3, 4), ("smooth", 2, 2), ("smoothi", 3, 3),
    ("smooth3", 2, 2), ("smooth3i", 3, 3), ("smooth_n", 4, 4), ("trend", 3, 3), ("forecast", 3, 4), ("sample_if_true", 3, 3),
    ("shift_if_true", 4, 5), ("npv", 4, 4), ("internal_rate_of_return", 1, 3), ("depreciate_straightline", 4, 4), ("depreciate_by_schedule", 3, 4),
    ("lookup_area", 3, 3), ("lookup_backward", 2, 2), ("lookup_forward", 2, 2), ("lookup_extrapolate", 2, 2), ("lookup_invert", 2, 2),
    ("lookup_slope", 3, 3), ("lookup_mean", 1, 3), ("vector_elm_map", 2, 2), ("vector_lookup", 4, 7), ("vector_rank", 2, 2),
    ("vector_reorder", 2, 2), ("vector_select", 5, 5), ("vector_sort_order", 2, 2), ("sort_order", 2, 2), ("allocate_available", 3, 3),
    ("allocate_by_priority", 5, 5), ("demand_at_price", 3, 3), ("supply_at_price", 3, 3), ("find_market_price", 4, 4),
    ("market_price", 4, 4), ("find_zero", 3, ANY), ("simultaneous", 2, 2), ("invert_matrix", 2, 2), ("get_data_at_time", 2, 2),
    ("get_data_between_times", 3, 3), ("get_data_first_time", 1, 1), ("get_data_last_time", 1, 1), ("get_data_max", 3, 3),
    ("get_data_mean", 3, 3), ("get_data_median", 3, 3), ("get_data_min", 3, 3), ("get_data_stdv", 3, 3), ("get_data_total_points", 1, 1),
    ("get_time_value", 3, 3), ("get_123_constants", 3, 3), ("get_123_data", 4, 4), ("get_123_lookups", 4, 4), ("get_xls_constants", 3, 3),
    ("get_xls_data", 4, 4), ("get_xls_lookups", 4, 4), ("get_direct_constants", 3, 3), ("get_direct_data", 4, 4), ("get_direct_lookups", 4, 4),
    ("get_vdf_constants", 3, 3), ("get_vdf_data", 2, 4), ("get_odbc_constants", 1, ANY), ("get_odbc_data", 1, ANY), ("random_0_1", 0, 1),
    ("random_uniform", 3, 3), ("random_normal", 5, 5), ("random_exponential", 5, 5), ("random_poisson", 6, 6), ("random_beta", 7, 7),
    ("random_binomial", 7, 7), ("random_gamma", 6, 6), ("random_lookup", 6, 6), ("random_negative_binomial", 7, 7), ("random_pink_noise", 4, 4),
    ("random_triangular", 6, 6), ("random_weibull", 6, 6), ("queue_fifo", 3, 4), ("queue_fifo_attrib", 2, 4), ("queue_age_average", 1, 2),
    ("queue_age_in_range", 2, 4), ("queue_age_oldest", 1, 1), ("queue_attrib_average", 1, 2), ("queue_attrib_in_range", 2, 4),
    ("queue_attrib_max", 1, 1), ("queue_attrib_min", 1, 1), ("queue_attrib_qty", 2, 3), ("tabbed_array", 1, ANY), ("a_function_of", 1, ANY),
    ("time_base", 2, 2), ("message", 2, 2), ("cumulate", 1, 1), ("cumulatef", 1, 1), ("correlate", 2, 4), ("kalman", 1, ANY), ("log10", 1, 1),
    ("time_shift", 2, 2), ("compare", 2, 2), ("smooth_i", 3, 3),
];

/// The first argument enters a hidden stock; the number is the place of the argument that says where it starts.
#[rustfmt::skip]
const STATE: &[(&str, usize)] = &[
    ("previous", 1), ("delay", 2), ("delay1", 2), ("delay2", 2), ("delay3", 2), ("delayn", 3), ("smth1", 2), ("smth3", 2), ("smthn", 3),
    ("delay1i", 2), ("delay3i", 2), ("delay_n", 2), ("delay_fixed", 2), ("delay_information", 2), ("delay_material", 2),
    ("delay_conveyor", 3), ("smooth", usize::MAX), ("smoothi", 2), ("smooth3", usize::MAX), ("smooth3i", 2), ("smooth_n", 2),
    ("queue_fifo", usize::MAX), ("delayp", usize::MAX), ("delay_batch", 3), ("history", usize::MAX),
];

fn timing(name: &str, given: usize) -> Timing {
    if matches!(name, "init" | "initial" | "reinitial") {
        return Timing::Start;
    }
    match STATE.iter().find(|(state, _)| *state == name) {
        Some((_, place)) if *place < given => Timing::StateFrom(*place),
        Some(_) => Timing::State,
        None => Timing::Now,
    }
}

/// The function of this canonical name with `given` arguments, as the dialect (or else the other one) knows it.
pub(crate) fn find(name: &str, given: usize, dialect: Dialect) -> Option<Signature> {
    let (own, other) = match dialect {
        Dialect::Xmile => (XMILE, VENSIM),
        Dialect::Vensim => (VENSIM, XMILE),
    };
    let row = [own, BOTH, other].iter().find_map(|rows| rows.iter().find(|(known, ..)| *known == name))?;
    Some(Signature { least: row.1, most: row.2, timing: timing(name, given) })
}

/// The names of all functions, for near matches.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    [BOTH, XMILE, VENSIM].into_iter().flatten().map(|(name, ..)| *name)
}

/// Names that stand for a value without being a variable of the model.
pub(crate) fn is_value(name: &str) -> bool {
    matches!(
        name,
        "time"
            | "dt"
            | "starttime"
            | "stoptime"
            | "pi"
            | "inf"
            | "self"
            | "time_step"
            | "initial_time"
            | "final_time"
            | "saveper"
            | "simtime"
            | "nan"
    )
}
