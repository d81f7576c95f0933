//! The instructions of a program, before they are bound to kernels and memory.

use crate::sd::compile::graph::{Binary, Reading, Unary};
use crate::sd::functions::call::Function;

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The same number for all lanes: a constant or a value of time alone.
    Scalar(u32),
    /// A value of time alone, of a run on its own.
    Timed(u32),
    /// A varied value.
    Input(u32),
    /// A value that is fixed during the run.
    Kept(u32),
    /// A state as the code reads it.
    State(u32),
    /// A state as the code writes it.
    Next(u32),
    /// The rate of a stock.
    Rate(u32),
    /// A value within a section.
    Temporary(u32),
}

impl Place {
    /// The place so many further on in the same area.
    #[must_use]
    pub fn beyond(self, by: u32) -> Self {
        match self {
            Self::Scalar(k) => Self::Scalar(k + by),
            Self::Input(k) => Self::Input(k + by),
            Self::Kept(k) => Self::Kept(k + by),
            Self::State(k) => Self::State(k + by),
            Self::Next(k) => Self::Next(k + by),
            Self::Rate(k) => Self::Rate(k + by),
            Self::Timed(k) => Self::Timed(k + by),
            Self::Temporary(k) => Self::Temporary(k + by),
        }
    }
}

/// An operation of a fused chain: what is applied to the value so far and one more argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    /// `so far + argument`
    Add,
    /// `so far - argument`
    Subtract,
    /// `argument - so far`
    SubtractFrom,
    /// `so far * argument`
    Multiply,
    /// `so far / argument`
    Divide,
    /// `argument / so far`
    DivideInto,
    /// The smaller of argument and so far.
    Min,
    /// The larger of argument and so far.
    Max,
}

/// What an instruction does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Up to three operations in a row; the first takes two arguments, each further one more.
    Chain(Vec<Link>),
    /// `outer(first(a, b), second(c, d))`
    Pair(Link, Link, Link),
    /// One argument.
    Unary(Unary),
    /// Two arguments.
    Binary(Binary),
    /// The third argument where the comparison of the first two holds, the fourth elsewhere.
    Choose(Binary),
    /// The second argument where the first is not zero, the third elsewhere.
    Select,
    /// A table read at the argument.
    Lookup(u32, Reading),
    /// A table whose points each run has for itself, read at the argument.
    Curve(u32, Reading),
    /// A function lane by lane; results go to the places.
    Call(Function, u32, Vec<(u32, Place)>),
    /// A copy.
    Move,
    /// Hands the argument to the sink as this column.
    Store(u32),
    /// Moves a ring buffer one step on: arguments are the input and the number of steps.
    Advance(u32),
    /// Skips so many instructions where the argument is zero (or, inverted, not zero) in all lanes.
    Skip(u32, bool),
    /// The same on so many elements: how far each argument moves from one to the next. Results stand in a row.
    Vector(Box<Op>, u32, [u32; 4]),
    /// The sum of so many arguments in their order, each so far from the one before.
    Total(u32, u32),
}

impl Op {
    /// What a vector instruction does on each element; any other instruction as it is.
    pub fn single(&self) -> &Self {
        match self {
            Self::Vector(op, ..) => op,
            other => other,
        }
    }
}

/// One instruction.
#[derive(Clone, Debug, PartialEq)]
pub struct Instruction {
    /// What it does.
    pub op: Op,
    /// Where the result goes.
    pub to: Place,
    /// Its arguments.
    pub arguments: Vec<Place>,
}

impl Instruction {
    /// Calls `visit` with every place that it writes.
    pub fn writes(&self, mut visit: impl FnMut(Place)) {
        match &self.op {
            Op::Call(_, _, results) => results.iter().for_each(|&(_, place)| visit(place)),
            Op::Store(_) | Op::Skip(..) => {}
            Op::Vector(op, ..) if matches!(**op, Op::Store(_)) => {}
            Op::Vector(_, count, _) => (0..*count).for_each(|k| visit(self.to.beyond(k))),
            _ => visit(self.to),
        }
    }

    /// Puts its results elsewhere: `place` changes where each goes. What writes nothing points to its argument.
    pub fn place_results(&mut self, mut place: impl FnMut(&mut Place)) {
        match &mut self.op {
            Op::Call(_, _, results) => {
                for (_, to) in results.iter_mut() {
                    place(to);
                }
                if let Some(&(_, to)) = results.first() {
                    self.to = to;
                }
            }
            Op::Store(_) | Op::Skip(..) => self.to = self.arguments[0],
            Op::Vector(op, ..) if matches!(**op, Op::Store(_)) => self.to = self.arguments[0],
            _ => place(&mut self.to),
        }
    }

    /// Calls `visit` with every place that it reads.
    pub fn reads(&self, mut visit: impl FnMut(Place)) {
        for (k, place) in self.arguments.iter().enumerate() {
            match &self.op {
                Op::Total(count, pace) => (0..*count).for_each(|element| visit(place.beyond(element * pace))),
                Op::Vector(_, count, paces) if paces[k] > 0 => {
                    (0..*count).for_each(|element| visit(place.beyond(element * paces[k])));
                }
                _ => visit(*place),
            }
        }
    }
}

/// A section of code.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// The instructions in order.
    pub code: Vec<Instruction>,
    /// How many temporaries it needs at once.
    pub temporaries: u32,
}
