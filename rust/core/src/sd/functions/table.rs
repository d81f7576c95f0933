//! The functions of both dialects: names, arguments, what each becomes, and which arguments it needs in the instant. The one
//! place that knows arities.
//!
//! Sources: Vensim's function reference (vensim.com/documentation, "Reference Guide > Functions"); OASIS XMILE 1.0 §3.5;
//! the builtins pages of Stella's help (iseesystems.com/resources/help) for what XMILE files of Stella use beyond the standard.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::sd::dialect::Dialect;
use crate::sd::model::canonical;

/// Whose function an [`Entry`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Vensim only.
    Vensim,
    /// XMILE and Stella only.
    Xmile,
    /// Both, with the same arguments.
    Both,
}

/// What a call becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lowering {
    /// Operations of the program: arithmetic, comparisons, elementary functions.
    Operation,
    /// A reading of a lookup or of a data series.
    Lookup,
    /// A test input: a function of time alone.
    Input,
    /// Hidden stocks: smooths, delays, trends.
    State,
    /// A ring buffer or a held value that moves once a step.
    Held,
    /// A queue, conveyor, batch or other discrete machine ([`super::machine`]).
    Machine,
    /// A pure function of numbers or arrays, evaluated lane by lane ([`super::call`]).
    Call,
    /// A draw from a distribution ([`super::random`]).
    Random,
    /// A reduction over an array.
    Reduction,
    /// Data from outside, answered when the model is read.
    External,
    /// Something that the reader or the compiler resolves: `INTEG`, `INITIAL`, `ELMCOUNT`.
    Structure,
}

/// How the value in an instant depends on the arguments in that instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// On all of them.
    Now,
    /// Not on the first: it enters a hidden stock whose start is the first argument.
    State,
    /// Not on the first: it enters a hidden stock whose start is the argument at this place.
    StateFrom(usize),
    /// Only at the start.
    Start,
    /// A letter for each argument: `n` acts in the instant, `s` at the start only, `-` later only.
    Each(&'static str),
}

/// Which of the arguments act in the instant.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Acting {
    All,
    /// All but the first, which enters a hidden stock; the one called `initial…` acts at the start.
    ButFirst,
    /// None after the start.
    AtStart,
    /// As [`Timing::Each`].
    Each(&'static str),
}

/// A function: its name, its arguments and what it becomes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// The name as its users write it.
    pub name: &'static str,
    /// Whose it is.
    pub owner: Owner,
    /// Its arguments in order; one that ends in `…` may be repeated.
    pub arguments: &'static [&'static str],
    /// How many of the arguments must be given.
    pub required: usize,
    /// What a call becomes.
    pub lowering: Lowering,
    acting: Acting,
}

impl Entry {
    /// How a call with `given` arguments depends on them in the instant.
    pub fn timing(&self, given: usize) -> Timing {
        match self.acting {
            Acting::All => Timing::Now,
            Acting::AtStart => Timing::Start,
            Acting::Each(letters) => Timing::Each(letters),
            Acting::ButFirst => match self.arguments.iter().position(|name| name.starts_with("initial")) {
                Some(place) if place < given => Timing::StateFrom(place),
                _ => Timing::State,
            },
        }
    }

    const fn delayed(mut self) -> Self {
        self.acting = Acting::ButFirst;
        self
    }

    const fn each(mut self, letters: &'static str) -> Self {
        self.acting = Acting::Each(letters);
        self
    }

    const fn at_start(mut self) -> Self {
        self.acting = Acting::AtStart;
        self
    }

    /// Whether the function exists in a dialect.
    pub fn is_in(&self, dialect: Dialect) -> bool {
        matches!(
            (self.owner, dialect),
            (Owner::Both, _) | (Owner::Vensim, Dialect::Vensim) | (Owner::Xmile, Dialect::Xmile)
        )
    }

    /// Whether the last argument may be repeated.
    pub fn repeats(&self) -> bool {
        self.arguments.last().is_some_and(|last| last.ends_with('…'))
    }

    /// The least and the greatest number of arguments; no greatest when the last may be repeated.
    pub fn arity(&self) -> (usize, Option<usize>) {
        (self.required, if self.repeats() { None } else { Some(self.arguments.len()) })
    }

    /// Whether a call with `n` arguments is possible.
    pub fn accepts(&self, n: usize) -> bool {
        let (least, most) = self.arity();
        n >= least && most.is_none_or(|most| n <= most)
    }

    /// The function with its arguments, optional ones in brackets: `DELAY1(input, delay time[, initial])`.
    pub fn signature(&self) -> String {
        let mut out = format!("{}(", self.name);
        for (position, argument) in self.arguments.iter().enumerate() {
            let optional = position >= self.required;
            if optional {
                out.push('[');
            }
            if position > 0 {
                out.push_str(", ");
            }
            out.push_str(argument);
            if optional {
                out.push(']');
            }
        }
        out.push(')');
        out
    }

    /// What a call may look like, for messages: `"2 or 3 arguments"`.
    pub fn expected(&self) -> String {
        match self.arity() {
            (least, None) => format!("{least} or more arguments"),
            (0, Some(0)) => "no arguments".to_owned(),
            (1, Some(1)) => "1 argument".to_owned(),
            (least, Some(most)) if least == most => format!("{least} arguments"),
            (least, Some(most)) if least + 1 == most => format!("{least} or {most} arguments"),
            (least, Some(most)) => format!("{least} to {most} arguments"),
        }
    }
}

/// The function called `name` (any case, blanks or underscores) in a dialect.
pub fn find(dialect: Dialect, name: &str) -> Option<&'static Entry> {
    static KNOWN: LazyLock<HashMap<(Dialect, String), &'static Entry>> = LazyLock::new(|| {
        let both = [Dialect::Vensim, Dialect::Xmile].into_iter();
        both.flat_map(|dialect| {
            let own = TABLE.iter().filter(move |entry| entry.is_in(dialect));
            own.map(move |entry| ((dialect, canonical(entry.name)), entry))
        })
        .collect()
    });
    KNOWN.get(&(dialect, canonical(name))).copied()
}

/// The function called `name` in the other dialect: for the message that says so.
pub fn elsewhere(dialect: Dialect, name: &str) -> Option<&'static Entry> {
    let other = match dialect {
        Dialect::Vensim => Dialect::Xmile,
        Dialect::Xmile => Dialect::Vensim,
    };
    find(other, name)
}

/// The names of a dialect's functions, in the order of the table: for near matches.
pub fn names(dialect: Dialect) -> impl Iterator<Item = &'static str> {
    TABLE.iter().filter(move |entry| entry.is_in(dialect)).map(|entry| entry.name)
}

/// Names that stand for a value without being a variable of the model.
pub fn is_value(name: &str) -> bool {
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

/// How a call of the function of this canonical name depends on its arguments: the dialect's own function, else the other's.
pub fn timing(dialect: Dialect, name: &str, given: usize) -> Timing {
    find(dialect, name).or_else(|| elsewhere(dialect, name)).map_or(Timing::Now, |entry| entry.timing(given))
}

const fn entry(
    owner: Owner,
    lowering: Lowering,
    name: &'static str,
    required: usize,
    arguments: &'static [&'static str],
) -> Entry {
    Entry { name, owner, arguments, required, lowering, acting: Acting::All }
}

use Lowering::{Call, External, Held, Input, Lookup, Machine, Operation, Random, Reduction, State, Structure};
use Owner::{Both, Vensim, Xmile};

/// Every function.
pub const TABLE: &[Entry] = &[
    // Elementary functions.
    entry(Both, Operation, "ABS", 1, &["x"]),
    entry(Both, Operation, "ARCCOS", 1, &["x"]),
    entry(Both, Operation, "ARCSIN", 1, &["x"]),
    entry(Both, Operation, "ARCTAN", 1, &["x"]),
    entry(Both, Operation, "COS", 1, &["x"]),
    entry(Both, Operation, "SIN", 1, &["x"]),
    entry(Both, Operation, "TAN", 1, &["x"]),
    entry(Vensim, Operation, "COSH", 1, &["x"]),
    entry(Vensim, Operation, "SINH", 1, &["x"]),
    entry(Vensim, Operation, "TANH", 1, &["x"]),
    entry(Both, Operation, "EXP", 1, &["x"]),
    entry(Both, Operation, "LN", 1, &["x"]),
    entry(Vensim, Operation, "LOG", 2, &["x", "base"]),
    entry(Xmile, Operation, "LOG10", 1, &["x"]),
    entry(Xmile, Operation, "LOGN", 1, &["x"]),
    entry(Both, Operation, "SQRT", 1, &["x"]),
    entry(Vensim, Operation, "POWER", 2, &["base", "exponent"]),
    entry(Vensim, Operation, "INTEGER", 1, &["x"]),
    entry(Xmile, Operation, "INT", 1, &["x"]),
    entry(Xmile, Operation, "ROUND", 1, &["x"]),
    entry(Xmile, Operation, "SIGN", 1, &["x"]),
    entry(Xmile, Operation, "PERCENT", 1, &["x"]),
    entry(Xmile, Operation, "SINWAVE", 2, &["amplitude", "period"]),
    entry(Xmile, Operation, "COSWAVE", 2, &["amplitude", "period"]),
    entry(Vensim, Operation, "MODULO", 2, &["x", "divisor"]),
    entry(Xmile, Operation, "MOD", 2, &["x", "divisor"]),
    entry(Vensim, Operation, "QUANTUM", 2, &["x", "step"]),
    entry(Vensim, Operation, "XIDZ", 3, &["numerator", "denominator", "otherwise"]),
    entry(Vensim, Operation, "ZIDZ", 2, &["numerator", "denominator"]),
    entry(Xmile, Operation, "SAFEDIV", 2, &["numerator", "denominator", "otherwise"]),
    entry(Vensim, Operation, "MIN", 2, &["x", "y"]),
    entry(Vensim, Operation, "MAX", 2, &["x", "y"]),
    entry(Xmile, Operation, "MIN", 1, &["x", "y…"]),
    entry(Xmile, Operation, "MAX", 1, &["x", "y…"]),
    entry(Vensim, Operation, "IF THEN ELSE", 3, &["condition", "then", "else"]),
    entry(Xmile, Operation, "IF_THEN_ELSE", 3, &["condition", "then", "else"]),
    entry(Both, Operation, "PI", 0, &[]),
    entry(Xmile, Operation, "INF", 0, &[]),
    entry(Xmile, Operation, "NAN", 0, &[]),
    entry(Vensim, Operation, "GAME", 1, &["x"]),
    entry(Vensim, Operation, "SIMULTANEOUS", 2, &["x", "start"]),
    // Test inputs.
    entry(Both, Input, "STEP", 2, &["height", "time"]),
    entry(Vensim, Input, "RAMP", 3, &["slope", "start", "end"]),
    entry(Xmile, Input, "RAMP", 2, &["slope", "start", "end"]),
    entry(Vensim, Input, "PULSE", 2, &["start", "width"]),
    entry(Xmile, Input, "PULSE", 1, &["magnitude", "first", "interval"]),
    entry(Vensim, Input, "PULSE TRAIN", 4, &["start", "width", "between", "end"]),
    entry(Xmile, Input, "TIME", 0, &[]),
    entry(Xmile, Input, "DT", 0, &[]),
    entry(Xmile, Input, "STARTTIME", 0, &[]),
    entry(Xmile, Input, "STOPTIME", 0, &[]),
    // Smooths, delays and trends.
    entry(Vensim, State, "SMOOTH", 2, &["input", "time"]).delayed(),
    entry(Vensim, State, "SMOOTHI", 3, &["input", "time", "initial"]).delayed(),
    entry(Vensim, State, "SMOOTH3", 2, &["input", "time"]).delayed(),
    entry(Vensim, State, "SMOOTH3I", 3, &["input", "time", "initial"]).delayed(),
    entry(Vensim, State, "SMOOTH N", 4, &["input", "time", "initial", "order"]).delayed(),
    entry(Xmile, State, "SMTH1", 2, &["input", "time", "initial"]).delayed(),
    entry(Xmile, State, "SMTH3", 2, &["input", "time", "initial"]).delayed(),
    entry(Xmile, State, "SMTHN", 3, &["input", "time", "order", "initial"]).delayed(),
    entry(Both, State, "DELAY1", 2, &["input", "time", "initial"]).delayed(),
    entry(Vensim, State, "DELAY1I", 3, &["input", "time", "initial"]).delayed(),
    entry(Both, State, "DELAY3", 2, &["input", "time", "initial"]).delayed(),
    entry(Vensim, State, "DELAY3I", 3, &["input", "time", "initial"]).delayed(),
    entry(Vensim, State, "DELAY N", 4, &["input", "time", "initial", "order"]).delayed(),
    entry(Vensim, State, "DELAYP", 2, &["input", "time", ": pipeline"]).delayed(),
    entry(Xmile, State, "DELAYN", 3, &["input", "time", "order", "initial"]).delayed(),
    entry(Vensim, State, "TREND", 3, &["input", "time", "initial"]),
    entry(Xmile, State, "TREND", 2, &["input", "time", "initial"]),
    entry(Vensim, State, "FORECAST", 3, &["input", "time", "horizon"]),
    entry(Xmile, State, "FORCST", 3, &["input", "time", "horizon", "initial"]),
    entry(Vensim, State, "NPV", 4, &["stream", "rate", "initial", "factor"]),
    entry(Vensim, State, "NPVE", 4, &["stream", "rate", "initial", "factor"]),
    entry(Xmile, State, "NPV", 2, &["stream", "rate", "initial"]),
    entry(Xmile, Held, "DERIVN", 1, &["input", "order"]),
    entry(Vensim, State, "SINTEG", 2, &["rate", "initial", "noise", "low", "high"]).delayed(),
    entry(Vensim, State, "RANDOM PINK NOISE", 4, &["mean", "deviation", "correlation time", "seed"]),
    // What moves once a step.
    entry(Vensim, Held, "DELAY FIXED", 3, &["input", "time", "initial"]).delayed(),
    entry(Vensim, Held, "DELAY INFORMATION", 3, &["input", "time", "initial"]).each("-ss"),
    entry(Xmile, Held, "DELAY", 2, &["input", "time", "initial"]).delayed(),
    entry(Vensim, Held, "SAMPLE IF TRUE", 3, &["condition", "input", "initial"]),
    entry(Xmile, Held, "PREVIOUS", 1, &["input", "initial"]).delayed(),
    entry(Xmile, Held, "HISTORY", 2, &["input", "time"]).delayed(),
    entry(Xmile, Held, "COUNTER", 2, &["start", "end"]),
    entry(Both, Held, "DEPRECIATE STRAIGHTLINE", 4, &["stream", "lifetime", "fiscal period", "initial"]).each("nsss"),
    entry(
        Vensim,
        Held,
        "DEPRECIATE BY SCHEDULE",
        5,
        &["stream", "schedule[]", "initial[]", "lifetime", "fiscal start"],
    )
    .each("nssss"),
    // Machines.
    entry(Vensim, Machine, "DELAY MATERIAL", 4, &["input", "time", "initial", "missing"]).each("-ssn"),
    entry(Vensim, Machine, "DELAY BATCH", 6, &["input", "size", "time", "initial batch", "initial time", "backlog"])
        .each("---sss"),
    entry(
        Vensim,
        Machine,
        "DELAY CONVEYOR",
        6,
        &["input", "time", "leak", "profile()", "initial total", "initial time"],
    )
    .each("-n-sss"),
    entry(Vensim, Machine, "DELAY PROFILE", 5, &["profile()", "input", "time", "initial", "growth"]).each("s-sss"),
    entry(Vensim, Machine, "QUEUE FIFO", 5, &["inflow", "outflow", "profile()", "initial", "age range"]).each("--sss"),
    entry(
        Vensim,
        Machine,
        "QUEUE FIFO ATTRIB",
        9,
        &[
            "inflow",
            "outflow",
            "attribute",
            "change",
            "profile()",
            "attribute profile()",
            "initial",
            "initial attribute",
            "age range",
        ],
    )
    .each("----sssss"),
    entry(Vensim, Machine, "SHIFT IF TRUE", 5, &["stock", "condition", "size", "accumulate", "inflow"]),
    entry(Vensim, Machine, "QUEUE AGE AVERAGE", 1, &["queue", "quantity"]),
    entry(Vensim, Machine, "QUEUE AGE IN RANGE", 3, &["queue", "youngest", "oldest"]),
    entry(Vensim, Machine, "QUEUE AGE OLDEST", 1, &["queue"]),
    entry(Vensim, Machine, "QUEUE ATTRIB AVERAGE", 1, &["queue", "quantity"]),
    entry(Vensim, Machine, "QUEUE ATTRIB IN RANGE", 3, &["queue", "least", "most"]),
    entry(Vensim, Machine, "QUEUE ATTRIB MAX", 1, &["queue"]),
    entry(Vensim, Machine, "QUEUE ATTRIB MIN", 1, &["queue"]),
    entry(Vensim, Machine, "QUEUE ATTRIB QUANTITY", 2, &["queue", "attribute"]),
    entry(Xmile, Machine, "QELEM", 2, &["queue", "element"]),
    entry(Xmile, Machine, "CYCLETIME", 1, &["flow"]),
    entry(Xmile, Machine, "CTMEAN", 1, &["flow"]),
    entry(Xmile, Machine, "CTMAX", 1, &["flow"]),
    entry(Xmile, Machine, "CTMIN", 1, &["flow"]),
    entry(Xmile, Machine, "CTSTDDEV", 1, &["flow"]),
    entry(Xmile, Machine, "THROUGHPUT", 1, &["flow"]),
    entry(Xmile, Machine, "TRANSTIME", 1, &["conveyor"]),
    entry(Xmile, Machine, "OSTATE", 1, &["oven"]),
    // Lookups and data.
    entry(Vensim, Lookup, "WITH LOOKUP", 2, &["x", "points"]),
    entry(Vensim, Lookup, "LOOKUP EXTRAPOLATE", 2, &["lookup()", "x"]),
    entry(Vensim, Lookup, "LOOKUP FORWARD", 2, &["lookup()", "x"]),
    entry(Vensim, Lookup, "LOOKUP BACKWARD", 2, &["lookup()", "x"]),
    entry(Vensim, Lookup, "LOOKUP INVERT", 2, &["lookup()", "y"]),
    entry(Vensim, Lookup, "LOOKUP AREA", 3, &["lookup()", "start", "end"]),
    entry(Vensim, Lookup, "LOOKUP SLOPE", 3, &["lookup()", "x", "mode"]),
    entry(Vensim, Lookup, "TABBED ARRAY", 1, &["numbers"]),
    entry(Xmile, Lookup, "LOOKUP", 2, &["lookup()", "x"]),
    entry(Xmile, Lookup, "LOOKUPAREA", 1, &["lookup()", "to", "from"]),
    entry(Xmile, Lookup, "LOOKUPBACKWARD", 2, &["lookup()", "x"]),
    entry(Xmile, Lookup, "LOOKUPFORWARD", 2, &["lookup()", "x"]),
    entry(Xmile, Lookup, "LOOKUPINV", 2, &["lookup()", "y"]),
    entry(Xmile, Lookup, "LOOKUPMEAN", 1, &["lookup()", "to", "from"]),
    entry(Xmile, Lookup, "LOOKUPSLOPE", 2, &["lookup()", "x"]),
    entry(Vensim, Lookup, "GET DATA AT TIME", 2, &["data", "time"]),
    entry(Vensim, Lookup, "GET DATA BETWEEN TIMES", 3, &["data", "time", "mode"]),
    entry(Vensim, Lookup, "GET DATA FIRST TIME", 1, &["data"]),
    entry(Vensim, Lookup, "GET DATA LAST TIME", 1, &["data"]),
    entry(Vensim, Lookup, "GET DATA MAX", 3, &["data", "start", "end"]),
    entry(Vensim, Lookup, "GET DATA MEAN", 3, &["data", "start", "end"]),
    entry(Vensim, Lookup, "GET DATA MEDIAN", 3, &["data", "start", "end"]),
    entry(Vensim, Lookup, "GET DATA MIN", 3, &["data", "start", "end"]),
    entry(Vensim, Lookup, "GET DATA STDV", 3, &["data", "start", "end"]),
    entry(Vensim, Lookup, "GET DATA TOTAL POINTS", 1, &["data"]),
    entry(Vensim, Lookup, "GET TIME VALUE", 3, &["relative to", "offset", "mode"]),
    // Pure functions of numbers.
    entry(Vensim, Call, "GAMMA LN", 1, &["x"]),
    entry(Xmile, Call, "GAMMALN", 1, &["x"]),
    entry(Xmile, Call, "FACTORIAL", 1, &["n"]),
    entry(Xmile, Call, "COMBINATIONS", 2, &["n", "r"]),
    entry(Xmile, Call, "PERMUTATIONS", 2, &["n", "r"]),
    entry(Xmile, Call, "NORMALCDF", 2, &["left", "right", "mean", "deviation"]),
    entry(Xmile, Call, "INVNORM", 1, &["probability", "mean", "deviation"]),
    entry(Xmile, Call, "FV", 4, &["rate", "periods", "payment", "present value"]),
    entry(Xmile, Call, "PV", 4, &["rate", "periods", "payment", "future value"]),
    entry(Xmile, Call, "PMT", 4, &["rate", "periods", "present value", "future value"]),
    entry(Xmile, State, "IRR", 1, &["stream", "guess"]),
    // Arrays.
    entry(Both, Reduction, "SUM", 1, &["array[]"]),
    entry(Both, Reduction, "PROD", 1, &["array[]"]),
    entry(Vensim, Reduction, "VMAX", 1, &["array[]"]),
    entry(Vensim, Reduction, "VMIN", 1, &["array[]"]),
    entry(Xmile, Reduction, "MEAN", 1, &["x", "y…"]),
    entry(Xmile, Reduction, "STDDEV", 1, &["array[]"]),
    entry(Xmile, Structure, "SIZE", 1, &["array[]"]),
    entry(Xmile, Call, "RANK", 2, &["array[]", "rank", "tie break[]"]),
    entry(Vensim, Call, "VECTOR SELECT", 5, &["selection[]", "values[]", "missing", "action", "error"]),
    entry(Vensim, Call, "VECTOR SORT ORDER", 2, &["array[]", "direction"]),
    entry(Vensim, Call, "VECTOR RANK", 2, &["array[]", "direction"]),
    entry(Vensim, Call, "VECTOR REORDER", 2, &["array[]", "order[]"]),
    entry(Vensim, Call, "VECTOR ELM MAP", 2, &["array[]", "offset"]),
    entry(Vensim, Call, "VECTOR LOOKUP", 5, &["array[]", "x", "least", "most", "mode"]),
    entry(Vensim, Call, "INVERT MATRIX", 2, &["matrix[]", "size"]),
    entry(Vensim, Call, "DETERMINANT", 2, &["matrix[]", "size"]),
    entry(Vensim, Call, "ALLOCATE AVAILABLE", 3, &["request[]", "profile[]", "available"]),
    entry(Vensim, Call, "ALLOCATE BY PRIORITY", 5, &["request[]", "priority[]", "size", "width", "supply"]),
    entry(Vensim, Call, "FIND MARKET PRICE", 4, &["demand[]", "demand profile[]", "supply[]", "supply profile[]"]),
    entry(Vensim, Call, "DEMAND AT PRICE", 3, &["demand[]", "demand profile[]", "price"]),
    entry(Vensim, Call, "SUPPLY AT PRICE", 3, &["supply[]", "supply profile[]", "price"]),
    entry(
        Xmile,
        Call,
        "ALLOCATE",
        5,
        &["available", "dimension", "request[]", "priority[]", "width[]", "type[]", "extra[]"],
    ),
    entry(Vensim, Structure, "ELMCOUNT", 1, &["dimension"]),
    entry(Xmile, Structure, "TRANSPOSE", 1, &["array[]"]),
    entry(Xmile, Structure, "SELF", 0, &[]),
    // Random numbers. Vensim: least, most, own parameters, shift, stretch, stream. Stella: own parameters, then seed, least, most, sample.
    entry(Vensim, Random, "RANDOM 0 1", 0, &[]),
    entry(Vensim, Random, "RANDOM UNIFORM", 3, &["least", "most", "stream"]),
    entry(Vensim, Random, "RANDOM NORMAL", 5, &["least", "most", "mean", "deviation", "stream"]),
    entry(Vensim, Random, "RANDOM EXPONENTIAL", 5, &["least", "most", "shift", "stretch", "stream"]),
    entry(Vensim, Random, "RANDOM POISSON", 6, &["least", "most", "mean", "shift", "stretch", "stream"]),
    entry(Vensim, Random, "RANDOM BETA", 7, &["least", "most", "alpha", "beta", "shift", "stretch", "stream"]),
    entry(
        Vensim,
        Random,
        "RANDOM BINOMIAL",
        7,
        &["least", "most", "probability", "trials", "shift", "stretch", "stream"],
    ),
    entry(
        Vensim,
        Random,
        "RANDOM NEGATIVE BINOMIAL",
        7,
        &["least", "most", "probability", "successes", "shift", "stretch", "stream"],
    ),
    entry(Vensim, Random, "RANDOM GAMMA", 6, &["least", "most", "order", "shift", "stretch", "stream"]),
    entry(Vensim, Random, "RANDOM WEIBULL", 6, &["least", "most", "shape", "shift", "stretch", "stream"]),
    entry(Vensim, Random, "RANDOM TRIANGULAR", 6, &["least", "most", "start", "peak", "end", "stream"]),
    entry(Vensim, Random, "RANDOM LOOKUP", 6, &["lookup()", "least", "most", "shift", "stretch", "stream"]),
    entry(Xmile, Random, "RANDOM", 0, &["least", "most", "seed"]),
    entry(Xmile, Random, "UNIFORM", 2, &["least", "most", "seed", "min", "max", "sample"]),
    entry(Xmile, Random, "NORMAL", 2, &["mean", "deviation", "seed", "min", "max", "sample"]),
    entry(Xmile, Random, "LOGNORMAL", 2, &["mean", "deviation", "seed", "min", "max", "sample"]),
    entry(Xmile, Random, "EXPRND", 1, &["mean", "seed", "min", "max", "sample"]),
    entry(Xmile, Random, "POISSON", 1, &["mean", "seed", "min", "max", "sample"]),
    entry(Xmile, Random, "BETA", 2, &["alpha", "beta", "seed", "min", "max", "sample"]),
    entry(Xmile, Random, "BINOMIAL", 2, &["trials", "probability", "seed", "min", "max", "sample"]),
    entry(Xmile, Random, "NEGBINOMIAL", 2, &["successes", "probability", "seed", "min", "max", "sample"]),
    entry(Xmile, Random, "GAMMA", 1, &["shape", "scale", "seed", "min", "max", "sample"]),
    entry(Xmile, Random, "GEOMETRIC", 1, &["probability", "seed", "min", "max", "sample"]),
    entry(Xmile, Random, "LOGISTIC", 2, &["mean", "scale", "seed", "min", "max", "sample"]),
    entry(Xmile, Random, "PARETO", 2, &["shape", "scale", "seed", "min", "max", "sample"]),
    entry(Xmile, Random, "TRIANGULAR", 3, &["least", "peak", "most", "seed", "min", "max", "sample"]),
    entry(Xmile, Random, "WEIBULL", 2, &["shape", "scale", "seed", "min", "max", "sample"]),
    entry(Xmile, Random, "MONTECARLO", 1, &["percent", "seed"]),
    // Structure.
    entry(Vensim, Structure, "INTEG", 2, &["rate", "initial"]),
    entry(Vensim, Structure, "INITIAL", 1, &["x"]).at_start(),
    entry(Vensim, Operation, "TIME BASE", 2, &["start", "slope"]),
    entry(Vensim, Lookup, "TIME SHIFT", 2, &["data", "shift"]),
    entry(Vensim, Structure, "REINITIAL", 1, &["x"]).at_start(),
    entry(Vensim, Structure, "ACTIVE INITIAL", 2, &["active", "initial"]),
    entry(Vensim, Structure, "A FUNCTION OF", 0, &["x…"]),
    entry(Xmile, Structure, "INIT", 1, &["x"]).at_start(),
    entry(Xmile, Structure, "ENDVAL", 1, &["x", "initial"]),
    // Data from outside.
    entry(Vensim, External, "GET DIRECT DATA", 4, &["file", "sheet", "time", "cell"]),
    entry(Vensim, External, "GET DIRECT CONSTANTS", 3, &["file", "sheet", "cell"]),
    entry(Vensim, External, "GET DIRECT LOOKUPS", 4, &["file", "sheet", "x", "cell"]),
    entry(Vensim, External, "GET DIRECT SUBSCRIPT", 5, &["file", "sheet", "first", "last", "prefix"]),
    entry(Vensim, External, "GET XLS DATA", 4, &["file", "sheet", "time", "cell"]),
    entry(Vensim, External, "GET XLS CONSTANTS", 3, &["file", "sheet", "cell"]),
    entry(Vensim, External, "GET XLS LOOKUPS", 4, &["file", "sheet", "x", "cell"]),
    entry(Vensim, External, "GET XLS SUBSCRIPT", 5, &["file", "sheet", "first", "last", "prefix"]),
    entry(Vensim, External, "GET VDF DATA", 2, &["file", "variable", "offset", "stretch"]),
    entry(Vensim, External, "GET VDF CONSTANTS", 3, &["file", "variable", "time"]),
    entry(Vensim, External, "GET 123 DATA", 4, &["file", "sheet", "time", "cell"]),
    entry(Vensim, External, "GET 123 CONSTANTS", 3, &["file", "sheet", "cell"]),
    entry(Vensim, External, "GET 123 LOOKUPS", 4, &["file", "sheet", "x", "cell"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_they_are_written() {
        for name in ["DELAY FIXED", "delay fixed", "Delay_Fixed"] {
            assert_eq!(find(Dialect::Vensim, name).map(|entry| entry.name), Some("DELAY FIXED"), "{name}");
        }
        assert_eq!(find(Dialect::Xmile, "delay fixed"), None);
        assert_eq!(elsewhere(Dialect::Xmile, "delay fixed").map(|entry| entry.name), Some("DELAY FIXED"));
    }

    #[test]
    fn a_dialect_has_one_meaning_for_each_name() {
        for dialect in [Dialect::Vensim, Dialect::Xmile] {
            let mut seen: Vec<String> = names(dialect).map(canonical).collect();
            let all = seen.len();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), all, "{dialect:?}");
        }
    }

    #[test]
    fn no_entry_asks_for_more_than_it_names() {
        for entry in TABLE {
            assert!(entry.required <= entry.arguments.len(), "{}", entry.name);
            assert!(entry.accepts(entry.required) && entry.accepts(entry.arguments.len()), "{}", entry.name);
        }
    }

    #[test]
    fn arities_differ_by_dialect() {
        let vensim = find(Dialect::Vensim, "PULSE").unwrap();
        assert!(vensim.accepts(2) && !vensim.accepts(3));
        let xmile = find(Dialect::Xmile, "PULSE").unwrap();
        assert!(xmile.accepts(1) && xmile.accepts(3) && !xmile.accepts(0));
        assert!(find(Dialect::Xmile, "MAX").unwrap().accepts(9));
    }

    #[test]
    fn signatures_show_what_is_optional() {
        assert_eq!(find(Dialect::Xmile, "SMTH1").unwrap().signature(), "SMTH1(input, time[, initial])");
        assert_eq!(find(Dialect::Xmile, "PI").unwrap().signature(), "PI()");
        assert_eq!(find(Dialect::Xmile, "SMTH1").unwrap().expected(), "2 or 3 arguments");
        assert_eq!(find(Dialect::Xmile, "MAX").unwrap().expected(), "1 or more arguments");
        assert_eq!(find(Dialect::Xmile, "NORMAL").unwrap().expected(), "2 to 6 arguments");
    }
}
