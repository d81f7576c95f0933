//! From equations to graphs: every element of every variable becomes one node for the run and one for the start.

mod constant;
mod element;
mod expression;
mod macros;
mod series;
mod stock;
mod subscript;

use std::collections::HashMap;
use std::rc::Rc;

pub(crate) use subscript::At;

use super::container::{Holder, Role};
use super::error::CompileError;
use super::graph::{Binary, Graph, Id, Machine, Points, State};
use crate::sd::dialect::Dialect;
use crate::sd::expr::{Expr, Span};
use crate::sd::model::{Kind, Model, TimeSpec, Variable, canonical};

/// What Vensim writes for `:NA:` (−2¹⁰⁹).
pub(crate) const NOT_AVAILABLE: f64 = -649_037_107_316_853_453_566_312_041_152_512.0;

/// Macros inside macros deeper than this call themselves.
pub(crate) const DEEPEST: usize = 64;

/// Whether an equation is read during the run or at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Current,
    Initial,
}

/// Where an expression is read: for which element, with which subscripts, during the run or at its start.
#[derive(Clone, Debug)]
pub(crate) struct Env {
    pub(crate) scope: usize,
    pub(crate) owner: u32,
    pub(crate) mode: Mode,
    /// Position in each dimension that the left side names.
    pub(crate) places: Rc<Vec<(usize, usize)>>,
    /// Position in each dimension that a reduction runs over.
    pub(crate) running: Rc<Vec<(usize, usize)>>,
}

impl Env {
    pub(crate) fn at(&self, mode: Mode) -> Self {
        Self { mode, ..self.clone() }
    }
}

/// A dimension with canonical names.
pub(crate) struct Axis {
    pub(crate) name: String,
    pub(crate) elements: Vec<String>,
    positions: HashMap<String, usize>,
    /// Target dimension; for each element here its counterpart there, an element or a subrange.
    mappings: Vec<(String, Vec<String>)>,
}

impl Axis {
    pub(crate) fn position(&self, element: &str) -> Option<usize> {
        self.positions.get(element).copied()
    }
}

/// A variable with its place among the elements.
pub(crate) struct Info<'m> {
    pub(crate) variable: &'m Variable,
    pub(crate) name: String,
    pub(crate) scope: usize,
    pub(crate) axes: Vec<usize>,
    pub(crate) first: u32,
    pub(crate) count: u32,
}

/// One number of a variable.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    pub(crate) variable: usize,
    /// Value during the run; `None` for lookups.
    pub(crate) current: Option<Id>,
    /// Value at the start.
    pub(crate) initial: Option<Id>,
    pub(crate) stock: bool,
    begun: bool,
}

enum Bound<'m> {
    Argument(&'m Expr, Env),
}

#[derive(Default)]
struct Scope<'m> {
    variables: HashMap<String, usize>,
    bound: HashMap<String, Bound<'m>>,
    depth: usize,
}

/// The lowering of one model.
pub(crate) struct Lowering<'m> {
    pub(crate) model: &'m Model,
    pub(crate) time: TimeSpec,
    pub(crate) graph: Graph,
    pub(crate) tables: Vec<Points>,
    pub(crate) table_of: HashMap<(usize, usize), u32>,
    /// The tables of elements that read their own equation through a graphical function.
    pub(crate) graphical: HashMap<u32, Vec<u32>>,
    /// Tables whose points some function reads as a whole, or the shape of an equation hangs on.
    pub(crate) whole: std::collections::BTreeSet<u32>,
    pub(crate) states: Vec<State>,
    pub(crate) infos: Vec<Info<'m>>,
    pub(crate) elements: Vec<Element>,
    pub(crate) axes: Vec<Axis>,
    pub(crate) axis_of: HashMap<String, usize>,
    scopes: Vec<Scope<'m>>,
    series: HashMap<(String, Vec<String>), usize>,
    pub(crate) occurrences: u32,
    /// Flow → the stock that limits it, and whether the stock's inflows count. Places in the model's list of variables.
    limited: HashMap<usize, (usize, bool)>,
    /// The containers that a flow leaves and enters, by its place among the variables.
    pub(crate) roles: HashMap<usize, Vec<(usize, Role)>>,
    /// Containers by the element of their stock.
    pub(crate) holders: HashMap<u32, Holder>,
    /// The state of ovens by the element of their stock: during the run and at its start.
    pub(crate) ovens: HashMap<u32, (Id, Id)>,
    /// Machines in the order in which they were met.
    pub(crate) machines: Vec<Machine>,
    /// Vensim's queues by the element that is defined as one.
    pub(crate) queues: HashMap<u32, u32>,
    /// How many names of graphical functions are being followed to where their points stand.
    pub(crate) follows: usize,
    /// What SHIFT IF TRUE adds to the rate of elements of stocks.
    pub(crate) shifts: Vec<(u32, Id)>,
    /// Places of values that are held within a Runge–Kutta step.
    pub(crate) held: HashMap<Id, u32>,
    /// Elements that no equation covers.
    pub(crate) blank: std::collections::BTreeSet<u32>,
}

impl<'m> Lowering<'m> {
    /// Lowers the whole model.
    pub(crate) fn new(model: &'m Model, time: TimeSpec) -> Result<Self, CompileError> {
        let axes: Vec<Axis> = model
            .dimensions
            .iter()
            .map(|dimension| {
                let elements: Vec<String> = dimension.elements.iter().map(|name| canonical(name)).collect();
                Axis {
                    name: canonical(&dimension.name),
                    positions: elements.iter().enumerate().map(|(i, name)| (name.clone(), i)).collect(),
                    elements,
                    mappings: dimension
                        .mappings
                        .iter()
                        .map(|(to, names)| (canonical(to), names.iter().map(|name| canonical(name)).collect()))
                        .collect(),
                }
            })
            .collect();
        let axis_of = axes.iter().enumerate().map(|(i, axis)| (axis.name.clone(), i)).collect();
        let series = model
            .data
            .iter()
            .enumerate()
            .map(|(i, series)| {
                ((canonical(&series.variable), series.element.iter().map(|name| canonical(name)).collect()), i)
            })
            .collect();
        let mut lowering = Self {
            model,
            time,
            graph: Graph::default(),
            tables: Vec::new(),
            table_of: HashMap::new(),
            graphical: HashMap::new(),
            whole: std::collections::BTreeSet::new(),
            states: Vec::new(),
            infos: Vec::new(),
            elements: Vec::new(),
            axes,
            axis_of,
            scopes: vec![Scope::default()],
            series,
            occurrences: 0,
            limited: HashMap::new(),
            roles: HashMap::new(),
            holders: HashMap::new(),
            ovens: HashMap::new(),
            machines: Vec::new(),
            queues: HashMap::new(),
            follows: 0,
            shifts: Vec::new(),
            held: HashMap::new(),
            blank: std::collections::BTreeSet::new(),
        };
        for variable in &model.variables {
            lowering.declare(variable, 0, variable.name.clone())?;
        }
        lowering.note_containers(0);
        lowering.find_limited();
        // Macros add elements while the list is walked.
        let mut next = 0;
        while next < lowering.elements.len() {
            lowering.element(next as u32)?;
            next += 1;
        }
        lowering.apply_shifts();
        Ok(lowering)
    }

    fn declare(&mut self, variable: &'m Variable, scope: usize, name: String) -> Result<usize, CompileError> {
        let mut axes = Vec::new();
        let mut count = 1usize;
        for dimension in &variable.dimensions {
            let Some(&axis) = self.axis_of.get(&canonical(dimension)) else {
                return Err(CompileError::UnknownName {
                    name: dimension.clone(),
                    variable: variable.name.clone(),
                    span: Span::default(),
                    known: self.model.dimensions.iter().map(|dimension| dimension.name.clone()).collect(),
                });
            };
            count *= self.axes[axis].elements.len();
            axes.push(axis);
        }
        let index = self.infos.len();
        let first = self.elements.len() as u32;
        let stock = matches!(variable.kind, Kind::Stock { .. });
        for _ in 0..count {
            self.elements.push(Element { variable: index, current: None, initial: None, stock, begun: false });
        }
        self.scopes[scope].variables.insert(canonical(&variable.name), index);
        self.infos.push(Info { variable, name, scope, axes, first, count: count as u32 });
        Ok(index)
    }

    /// The positions of an element along the axes of its variable.
    pub(crate) fn places(&self, info: &Info<'m>, flat: usize) -> Vec<usize> {
        let mut rest = flat;
        let mut places = vec![0; info.axes.len()];
        for (place, &axis) in places.iter_mut().zip(&info.axes).rev() {
            let size = self.axes[axis].elements.len().max(1);
            *place = rest % size;
            rest /= size;
        }
        places
    }

    /// The name of an element with its subscripts, as written.
    pub(crate) fn element_name(&self, element: u32) -> String {
        let info = &self.infos[self.elements[element as usize].variable];
        if info.axes.is_empty() {
            return info.name.clone();
        }
        let places = self.places(info, (element - info.first) as usize);
        let names: Vec<&str> = info
            .axes
            .iter()
            .zip(places)
            .map(|(&axis, place)| self.model.dimensions[axis].elements[place].as_str())
            .collect();
        format!("{}[{}]", info.name, names.join(","))
    }

    /// An error in the equation that is being read.
    pub(crate) fn fault(&self, env: &Env, span: Span, reason: impl Into<String>) -> CompileError {
        CompileError::Equation { variable: self.element_name(env.owner), span, reason: reason.into() }
    }

    /// A refusal of a function or construct.
    pub(crate) fn refuse(&self, env: &Env, span: Span, function: &str, reason: impl Into<String>) -> CompileError {
        CompileError::Unsupported {
            function: function.to_owned(),
            variable: self.element_name(env.owner),
            span,
            reason: reason.into(),
        }
    }

    pub(crate) fn unknown(&self, name: &str, span: Span, env: &Env) -> CompileError {
        CompileError::UnknownName {
            name: name.to_owned(),
            variable: self.element_name(env.owner),
            span,
            known: self
                .infos
                .iter()
                .filter(|info| info.scope == env.scope)
                .map(|info| info.variable.name.clone())
                .collect(),
        }
    }

    pub(crate) fn modulo(&self) -> Binary {
        match self.model.dialect {
            Dialect::Vensim => Binary::Remainder,
            Dialect::Xmile => Binary::Modulo,
        }
    }

    /// The variable, or the argument bound to a macro's parameter, that a name stands for.
    pub(crate) fn find(&self, name: &str, scope: usize) -> Option<usize> {
        self.scopes[scope].variables.get(name).copied()
    }
}
