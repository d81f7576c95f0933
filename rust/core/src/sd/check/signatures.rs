//! How functions depend on their arguments in the instant, and names that stand for a value.
//!
//! Names and numbers of arguments stand in [`crate::sd::functions::table`].

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

/// The first argument enters a hidden stock; the number is the place of the argument that says where it starts.
#[rustfmt::skip]
const STATE: &[(&str, usize)] = &[
    ("previous", 1), ("delay", 2), ("delay1", 2), ("delay2", 2), ("delay3", 2), ("delayn", 3), ("smth1", 2), ("smth3", 2), ("smthn", 3),
    ("delay1i", 2), ("delay3i", 2), ("delay_n", 2), ("delay_fixed", 2), ("delay_information", 2), ("delay_material", 2),
    ("delay_conveyor", 3), ("smooth", usize::MAX), ("smoothi", 2), ("smooth3", usize::MAX), ("smooth3i", 2), ("smooth_n", 2),
    ("queue_fifo", usize::MAX), ("delayp", usize::MAX), ("delay_batch", 3), ("history", usize::MAX),
];

/// How the function of this canonical name depends on `given` arguments.
pub(crate) fn timing(name: &str, given: usize) -> Timing {
    if matches!(name, "init" | "initial" | "reinitial") {
        return Timing::Start;
    }
    match STATE.iter().find(|(state, _)| *state == name) {
        Some((_, place)) if *place < given => Timing::StateFrom(*place),
        Some(_) => Timing::State,
        None => Timing::Now,
    }
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
