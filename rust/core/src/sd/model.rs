//! The typed model: what the readers build, the checks read and the compiler lowers.

use super::dialect::Dialect;
use super::error::{ModelError, Place, near};
use super::expr::Expr;

/// Whether a canonical name is one of Vensim's variables that control a run.
pub fn is_control(key: &str) -> bool {
    matches!(key, "initial_time" | "final_time" | "time_step" | "saveper")
}

/// Whether an equation holds for the whole array.
pub fn is_whole(variable: &Variable, equation: &Equation) -> bool {
    equation.except.is_empty()
        && equation.subscripts.len() == variable.dimensions.len()
        && equation.subscripts.iter().zip(&variable.dimensions).all(|(a, b)| canonical(a) == canonical(b))
}

/// A name with case, underscores, blanks, line breaks and outer quotes made equal (XMILE 1.0 §3.2.2): what is compared.
pub fn canonical(name: &str) -> String {
    let trimmed = name.trim();
    let inner = trimmed.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(trimmed);
    let mut out = String::with_capacity(inner.len());
    let mut gap = false;
    if inner.is_ascii() && !inner.contains('\\') {
        // Names are compared often, and most are plain.
        for byte in inner.bytes() {
            if matches!(byte, b'_' | b' ' | b'\t'..=b'\r') {
                gap = true;
                continue;
            }
            if gap && !out.is_empty() {
                out.push('_');
            }
            gap = false;
            out.push(char::from(byte.to_ascii_lowercase()));
        }
        return out;
    }
    let text = inner.replace("\\n", " ");
    for character in text.chars() {
        if character == '_' || character.is_whitespace() || character == '\u{a0}' {
            gap = true;
            continue;
        }
        if gap && !out.is_empty() {
            out.push('_');
        }
        gap = false;
        out.extend(character.to_lowercase());
    }
    out
}

/// How a run moves through time.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeSpec {
    /// First time.
    pub initial_time: f64,
    /// Last time.
    pub final_time: f64,
    /// The step.
    pub dt: f64,
    /// The distance between saved times; `None` saves each step.
    pub save_step: Option<f64>,
    /// The integration method that the model file asks for.
    pub method: Method,
    /// The unit of time.
    pub unit: String,
}

/// How stocks are integrated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// Forward Euler.
    #[default]
    Euler,
    /// Heun's second-order method.
    Rk2,
    /// The classical fourth-order Runge–Kutta method.
    Rk4,
    /// Dormand–Prince 5(4) with error control.
    Rk45,
}

/// A dimension (Vensim: subscript range).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dimension {
    /// Its name as written.
    pub name: String,
    /// The names of its elements in order.
    pub elements: Vec<String>,
    /// Vensim's mappings: the target dimension and, for each element here, the element there.
    pub mappings: Vec<(String, Vec<String>)>,
}

/// How a graphical function answers between and beyond its points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TableKind {
    /// Linear between points, the end values beyond.
    #[default]
    Continuous,
    /// Linear between points and beyond them along the end pieces.
    Extrapolate,
    /// The value of the point to the left.
    Discrete,
}

/// A graphical function (lookup).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Arguments in order.
    pub x: Vec<f64>,
    /// Values.
    pub y: Vec<f64>,
    /// Between and beyond the points.
    pub kind: TableKind,
    /// The frame that the author drew around the points: lowest x, lowest y, highest x, highest y. It does not act on values.
    pub frame: Option<[f64; 4]>,
}

impl Table {
    /// Puts the points in the order of x, as Vensim does; whether they were not.
    pub fn sort(&mut self) -> bool {
        if self.x.is_sorted() || self.x.len() != self.y.len() {
            return false;
        }
        let mut points: Vec<(f64, f64)> = self.x.iter().copied().zip(self.y.iter().copied()).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        (self.x, self.y) = points.into_iter().unzip();
        true
    }
}

/// One equation of a variable: a variable with subscripts may have several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Equation {
    /// The subscripts on the left side: names of dimensions or elements; empty for a scalar.
    pub subscripts: Vec<String>,
    /// Vensim's `:EXCEPT:` lists.
    pub except: Vec<Vec<String>>,
    /// The right side. `None` for a lookup, a data variable, and a stock that only has flows.
    pub expr: Option<Expr>,
    /// What the right side says at the start (XMILE `init_eqn`, Vensim `ACTIVE INITIAL`); `None`: the same.
    pub initial: Option<Expr>,
    /// The graphical function of the equation. With an `expr` the variable is the function of that expression.
    pub table: Option<Table>,
    /// The text of the right side, for messages and documentation; spans of `expr` point into it.
    pub source: String,
    /// The text that spans of `initial` point into when that is not `source` (XMILE `init_eqn`).
    pub initial_source: Option<String>,
    /// Line in the model file, from one; zero when there is no file.
    pub line: u32,
}

/// What a variable is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Kind {
    /// A stock: `expr` is its initial value. `rate` is Vensim's net flow (the first argument of `INTEG`).
    Stock {
        /// Names of the flows in.
        inflows: Vec<String>,
        /// Names of the flows out, in order of priority.
        outflows: Vec<String>,
        /// Net flow for stocks without named flows, one an equation of the variable, in the same order.
        rate: Vec<Expr>,
    },
    /// A flow.
    Flow,
    /// An auxiliary.
    #[default]
    Auxiliary,
    /// A constant that a run may change.
    Parameter,
    /// A graphical function that is called by name.
    Lookup,
    /// A series given from outside (or by a file, see [`Model::data`]).
    Data,
}

/// A stock that does more than add up: XMILE 1.0 §4.2.1 and §3.7.2.
#[derive(Clone, Debug, PartialEq)]
pub enum Container {
    /// What enters leaves after the transit time.
    Conveyor(Box<Conveyor>),
    /// First in, first out, batch by batch; what leaves is what the container downstream takes.
    Queue,
    /// Fills, closes, and empties after the cook time.
    Oven(Box<Oven>),
}

impl Container {
    /// Its expressions.
    pub fn expressions(&self) -> Vec<&Expr> {
        let (first, rest) = match self {
            Self::Conveyor(own) => {
                (&own.transit_time, vec![&own.capacity, &own.inflow_limit, &own.sample, &own.arrest])
            }
            Self::Oven(own) => {
                (&own.cook_time, vec![&own.capacity, &own.fill_time, &own.clean_time, &own.sample, &own.arrest])
            }
            Self::Queue => return Vec::new(),
        };
        std::iter::once(first).chain(rest.into_iter().flatten()).collect()
    }
}

/// The options of a conveyor.
#[expect(clippy::struct_excessive_bools, reason = "four independent switches of the XMILE standard")]
#[derive(Clone, Debug, PartialEq)]
pub struct Conveyor {
    /// How long material stays.
    pub transit_time: Expr,
    /// The most it holds; none: no limit.
    pub capacity: Option<Expr>,
    /// The most that enters in one unit of time; none: no limit.
    pub inflow_limit: Option<Expr>,
    /// A new transit time is read where this is not zero; none: always.
    pub sample: Option<Expr>,
    /// The conveyor stands still where this is not zero; none: never.
    pub arrest: Option<Expr>,
    /// Material moves in batches, one a step.
    pub discrete: bool,
    /// A batch enters whole or not at all.
    pub batch_integrity: bool,
    /// At most one batch enters in a step.
    pub one_at_a_time: bool,
    /// Leakage follows a constant proportion of what is there instead of spreading linearly.
    pub exponential_leak: bool,
}

/// The options of an oven.
#[derive(Clone, Debug, PartialEq)]
pub struct Oven {
    /// How long it stays closed.
    pub cook_time: Expr,
    /// The most it holds; none: no limit.
    pub capacity: Option<Expr>,
    /// How long it stays open for filling; none: until it is full, or one step where it has no capacity.
    pub fill_time: Option<Expr>,
    /// How long it stays empty after unloading; none: not at all.
    pub clean_time: Option<Expr>,
    /// A new cook time is read where this is not zero; none: always.
    pub sample: Option<Expr>,
    /// The oven stands still where this is not zero; none: never.
    pub arrest: Option<Expr>,
    /// A batch of a queue before it enters whole or not at all.
    pub batch_integrity: bool,
    /// At most one batch of a queue before it enters in a step.
    pub one_at_a_time: bool,
}

/// A flow out of a conveyor before the end: part of what enters leaks on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Leak {
    /// The fraction that leaks.
    pub fraction: Expr,
    /// Whole units leak.
    pub integers: bool,
    /// Where the leak zone begins and ends, as fractions of the conveyor.
    pub zone: (f64, f64),
}

/// A variable of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Variable {
    /// Its name as written, blanks where the file has blanks or underscores.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Names of its dimensions, in order; empty for a scalar.
    pub dimensions: Vec<String>,
    /// Its equations.
    pub equations: Vec<Equation>,
    /// Its unit as written.
    pub unit: String,
    /// Its documentation.
    pub comment: String,
    /// Whether a stock or flow may not fall below zero.
    pub non_negative: bool,
    /// The range that the author gave: lowest and highest sensible value.
    pub limits: (Option<f64>, Option<f64>),
    /// The group or view that the variable stands in.
    pub group: String,
    /// What a stock does beyond adding up.
    pub container: Option<Container>,
    /// A flow that leaks out of a conveyor.
    pub leak: Option<Leak>,
    /// A flow that takes what the container before it could not pass on.
    pub overflow: bool,
    /// How what a flow brings spreads over a conveyor, where not all enters at its beginning (Stella's `spreadflow`).
    pub spread: Option<Spread>,
    /// How a data variable answers between its times.
    pub interpolation: Interpolation,
}

/// How an inflow spreads over a conveyor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spread {
    /// Stella's word for it: `even`, `dest`, `source`, `dist`.
    pub method: String,
    /// The profile of `dist`.
    pub profile: Option<Expr>,
}

/// A macro: a small model that is called like a function.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Macro {
    /// Its name.
    pub name: String,
    /// The names of its parameters in order.
    pub parameters: Vec<String>,
    /// The names of the outputs after the main one (Vensim `:` outputs).
    pub outputs: Vec<String>,
    /// Its variables, with the main output among them (named as the macro).
    pub variables: Vec<Variable>,
}

/// A series over time for a [`Kind::Data`] variable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Name of the variable (one element of it if subscripted).
    pub variable: String,
    /// The element's subscripts, empty for a scalar.
    pub element: Vec<String>,
    /// Times in order.
    pub times: Vec<f64>,
    /// Values.
    pub values: Vec<f64>,
    /// How values between times are found.
    pub interpolation: Interpolation,
}

/// How a data variable answers between its times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Interpolation {
    /// Linear, and the end values beyond.
    #[default]
    Linear,
    /// The last value before (`:HOLD BACKWARD:`).
    Hold,
    /// The next value (`:LOOK FORWARD:`).
    Forward,
    /// Only at the times given (`:RAW:`).
    Raw,
}

/// A unit of measurement with its other spellings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnitDefinition {
    /// Its name.
    pub name: String,
    /// What it is made of, empty for a base unit.
    pub equation: String,
    /// Other spellings.
    pub aliases: Vec<String>,
}

/// A file whose values stand in place of those in the model (XMILE `<data><import>`): whoever reads files applies it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Import {
    /// The file as the model names it.
    pub resource: String,
    /// The sheet of it; empty for the first.
    pub worksheet: String,
    /// Whether names stand in the first column, with values to their right.
    pub horizontal: bool,
    /// Where the import stands.
    pub line: u32,
}

/// A whole model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Whose meanings its functions have.
    pub dialect: Dialect,
    /// Time.
    pub time: TimeSpec,
    /// Whether `FINAL TIME` is computed during the run: the final time above is what it is at the start, and the run ends with
    /// the first step that has reached it.
    pub moving_end: bool,
    /// Year, month and day of time zero (Vensim's settings), for functions of the calendar.
    pub date: Option<(i32, u32, u32)>,
    /// Dimensions and subranges.
    pub dimensions: Vec<Dimension>,
    /// Variables in the order of the file.
    pub variables: Vec<Variable>,
    /// Macros.
    pub macros: Vec<Macro>,
    /// Series for data variables.
    pub data: Vec<Series>,
    /// Units with other spellings.
    pub units: Vec<UnitDefinition>,
    /// The drawing as the file has it (XMILE `<views>`, Vensim's sketch), kept for the writer of the same dialect.
    pub display: String,
    /// The file that the model comes from, for messages; empty when there is none.
    pub path: String,
    /// Files with values for variables.
    pub imports: Vec<Import>,
    /// What the reader mended or left out: line and remark. The checks repeat them as warnings.
    pub remarks: Vec<(u32, String)>,
}

impl Default for TimeSpec {
    /// XMILE's defaults: from 1 to 13 by 1, Euler.
    fn default() -> Self {
        Self {
            initial_time: 1.0,
            final_time: 13.0,
            dt: 1.0,
            save_step: None,
            method: Method::Euler,
            unit: String::new(),
        }
    }
}

impl Model {
    /// The variable of this name, spelt in any way that XMILE calls equal.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        let wanted = canonical(name);
        self.variables.iter().find(|variable| canonical(&variable.name) == wanted)
    }

    /// The model with a series for a variable, or for one element of it, which becomes a data variable.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] if there is no such variable, [`ModelError::Structure`] if the series cannot be one.
    pub fn with_data(
        &self,
        name: &str,
        element: Vec<String>,
        times: Vec<f64>,
        values: Vec<f64>,
        interpolation: Option<Interpolation>,
    ) -> Result<Self, ModelError> {
        let place = || Box::new(Place { path: self.path.clone(), variable: name.to_owned(), ..Place::default() });
        let wanted = canonical(name);
        let Some(index) = self.variables.iter().position(|variable| canonical(&variable.name) == wanted) else {
            let near = near(name, self.variables.iter().map(|variable| variable.name.as_str()));
            return Err(ModelError::Unknown { what: "variable", name: name.to_owned(), near, place: place() });
        };
        let structure = |message| Err(ModelError::Structure { message, place: place() });
        if times.len() != values.len() || times.is_empty() {
            return structure(format!(
                "a series has {} times and {} values: expected as many, at least one",
                times.len(),
                values.len()
            ));
        }
        if let Some(&[before, after]) = times.windows(2).find(|pair| matches!(pair, [a, b] if a >= b)) {
            return structure(format!("a series has time {after} after {before}: expected times that rise"));
        }
        if times.iter().any(|time| !time.is_finite()) {
            return structure("a series has a time that is not finite: expected finite times".to_owned());
        }
        let mut model = self.clone();
        let variable = &mut model.variables[index];
        if element.len() != variable.dimensions.len() {
            let (given, needed) = (element.len(), variable.dimensions.len());
            return structure(format!(
                "{name:?} has {needed} dimensions, the series names {given} elements: expected one a dimension"
            ));
        }
        if variable.kind != Kind::Data {
            variable.kind = Kind::Data;
            variable.equations.clear();
        }
        let interpolation = interpolation.unwrap_or(variable.interpolation);
        variable.interpolation = interpolation;
        let variable = variable.name.clone();
        let same = |one: &Series| {
            canonical(&one.variable) == wanted
                && one.element.len() == element.len()
                && one.element.iter().zip(&element).all(|(a, b)| canonical(a) == canonical(b))
        };
        model.data.retain(|one| !same(one));
        model.data.push(Series { variable, element, times, values, interpolation });
        Ok(model)
    }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn names_that_xmile_calls_equal_are_equal() {
        for name in ["Order Rate", "order_rate", " ORDER  RATE ", "\"order rate\"", "Order\\nRate", "order\nrate"] {
            assert_eq!(canonical(name), "order_rate", "{name:?}");
        }
        assert_ne!(canonical("order rate"), canonical("orderrate"));
    }
}
