//! Lowered equations: a graph of scalar operations in which equal operations are one node.

use super::quick::Map;
use crate::sd::functions::call::Function;
use crate::sd::model::TableKind;

/// A node of a [`Graph`].
pub type Id = u32;

/// Set in the key of a random call that belongs to the start of a run: it is drawn once.
pub const AT_START: u32 = 1 << 31;

/// Operations of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Unary {
    Negative,
    Not,
    Abs,
    Exp,
    Ln,
    Log10,
    Sqrt,
    Sin,
    Cos,
    Tan,
    Arcsin,
    Arccos,
    Arctan,
    Sinh,
    Cosh,
    Tanh,
    Floor,
    Truncate,
    Round,
    Sign,
}

/// Operations of two arguments. Comparisons and logic give one or zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Min,
    Max,
    Power,
    /// Sign of the dividend (Vensim).
    Remainder,
    /// Sign of the divisor (XMILE).
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
    Arctan2,
}

/// How a lookup is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reading {
    /// Linear, end values beyond.
    Linear,
    /// Linear, end pieces beyond.
    Extrapolate,
    /// The value of the point at or before.
    Backward,
    /// The value of the point at or after.
    Forward,
    /// Only at the points; elsewhere not available.
    Raw,
}

impl From<TableKind> for Reading {
    fn from(kind: TableKind) -> Self {
        match kind {
            TableKind::Continuous => Self::Linear,
            TableKind::Extrapolate => Self::Extrapolate,
            TableKind::Discrete => Self::Backward,
        }
    }
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A number, by its bits.
    Number(u64),
    /// The time of the evaluation: within a Runge–Kutta step it moves.
    Time,
    /// The time at which the step began: test inputs and data are held within a step.
    StepTime,
    /// A varied value by its column in the design.
    Input(u32),
    /// The value of an element of a variable.
    Variable(u32),
    /// Its value at the start of the run.
    VariableInitial(u32),
    /// A state.
    State(u32),
    /// One argument.
    Unary(Unary, Id),
    /// Two arguments.
    Binary(Binary, Id, Id),
    /// The second where the first is not zero, the third elsewhere.
    Select(Id, Id, Id),
    /// A table read at an argument.
    Lookup(u32, Reading, Id),
    /// A table whose points vary from run to run, read at an argument.
    Curve(u32, Reading, Id),
    /// A function evaluated lane by lane; the number tells calls of random functions apart.
    Call(Function, Box<[Id]>, u32),
    /// One result of a call that has several.
    Output(Id, u32),
}

impl Node {
    /// Calls `visit` with every argument.
    pub fn arguments(&self, mut visit: impl FnMut(Id)) {
        match self {
            Self::Number(_)
            | Self::Time
            | Self::StepTime
            | Self::Input(_)
            | Self::Variable(_)
            | Self::VariableInitial(_)
            | Self::State(_) => {}
            Self::Unary(_, a) | Self::Lookup(_, _, a) | Self::Curve(_, _, a) | Self::Output(a, _) => visit(*a),
            Self::Binary(_, a, b) => {
                visit(*a);
                visit(*b);
            }
            Self::Select(a, b, c) => {
                visit(*a);
                visit(*b);
                visit(*c);
            }
            Self::Call(_, arguments, _) => arguments.iter().copied().for_each(visit),
        }
    }

    /// The same operation on other arguments.
    #[must_use]
    pub fn map(&self, mut to: impl FnMut(Id) -> Id) -> Self {
        match self {
            Self::Unary(op, a) => Self::Unary(*op, to(*a)),
            Self::Lookup(table, reading, a) => Self::Lookup(*table, *reading, to(*a)),
            Self::Curve(curve, reading, a) => Self::Curve(*curve, *reading, to(*a)),
            Self::Output(a, k) => Self::Output(to(*a), *k),
            Self::Binary(op, a, b) => {
                let a = to(*a);
                Self::Binary(*op, a, to(*b))
            }
            Self::Select(a, b, c) => {
                let (a, b) = (to(*a), to(*b));
                Self::Select(a, b, to(*c))
            }
            Self::Call(function, arguments, key) => {
                Self::Call(*function, arguments.iter().map(|&a| to(a)).collect(), *key)
            }
            other => other.clone(),
        }
    }
}

/// What moves a state from one step to the next.
#[derive(Clone, Debug, PartialEq)]
pub enum Motion {
    /// The integral of a rate.
    Stock {
        /// Change a unit of time.
        rate: Id,
        /// Whether it stops at zero.
        floor: bool,
    },
    /// Takes a value at the end of each step.
    Hold {
        /// The value for the next step.
        next: Id,
    },
    /// What went in some steps ago.
    Ring {
        /// What goes in.
        input: Id,
        /// How many steps, at least one; fixed at the start unless `moving`.
        steps: Id,
        /// Whether the number of steps is read anew each step.
        moving: bool,
    },
}

/// A state: a stock, a hidden stock of a smooth or delay, a held value, a ring buffer.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The element of a variable that it belongs to.
    pub owner: u32,
    /// Its value at the start.
    pub initial: Id,
    /// How it moves.
    pub motion: Motion,
}

/// A machine: a queue, oven, conveyor or the like. Calls of [`Function::Machine`] ask it; its state moves it.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// What it is.
    pub kind: crate::sd::functions::machine::Kind,
    /// The values that it starts from, once a run.
    pub start: Vec<Id>,
    /// The held state whose next value is the call that tells it the controls and inflows of a step; none for a machine that
    /// is only asked how it starts.
    pub state: Option<u32>,
    /// Inflows that leak out of another machine and fall onto the same places: inflow, machine, leak.
    pub sources: Vec<(usize, u32, usize)>,
}

/// The points of a lookup.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// Arguments, ascending.
    pub x: Vec<f64>,
    /// Values.
    pub y: Vec<f64>,
}

/// The points of a lookup or series that each run has for itself, as varied values.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Arguments that all runs share; empty where each run has its own.
    pub x: Vec<f64>,
    /// The slot of the first argument, where each run has its own.
    pub first_x: Option<u32>,
    /// The slot of the first value.
    pub first_y: u32,
    /// How many points there are.
    pub count: usize,
}

/// Nodes in an order in which arguments come before what uses them.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    known: Map<Node, Id>,
}

impl Graph {
    /// The nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node at `id`.
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    /// Adds a node as it is, or finds the equal one.
    pub fn add(&mut self, node: Node) -> Id {
        if let Some(&id) = self.known.get(&node) {
            return id;
        }
        let id = self.nodes.len() as Id;
        self.nodes.push(node.clone());
        self.known.insert(node, id);
        id
    }

    /// A number.
    pub fn number(&mut self, value: f64) -> Id {
        self.add(Node::Number(value.to_bits()))
    }

    /// The value of a node that is a number.
    pub fn value(&self, id: Id) -> Option<f64> {
        match self.node(id) {
            Node::Number(bits) => Some(f64::from_bits(*bits)),
            _ => None,
        }
    }

    /// One argument.
    pub fn unary(&mut self, op: Unary, a: Id) -> Id {
        self.add(Node::Unary(op, a))
    }

    /// Two arguments.
    pub fn binary(&mut self, op: Binary, a: Id, b: Id) -> Id {
        self.add(Node::Binary(op, a, b))
    }

    /// `a + b`
    pub fn sum(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Add, a, b)
    }

    /// `a - b`
    pub fn difference(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Subtract, a, b)
    }

    /// `a * b`
    pub fn product(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Multiply, a, b)
    }

    /// `a / b`
    pub fn quotient(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Divide, a, b)
    }

    /// `if c then a else b`
    pub fn select(&mut self, c: Id, a: Id, b: Id) -> Id {
        self.add(Node::Select(c, a, b))
    }

    /// A call without memory of where it stands.
    pub fn call(&mut self, function: Function, arguments: Vec<Id>) -> Id {
        self.add(Node::Call(function, arguments.into_boxed_slice(), 0))
    }
}
