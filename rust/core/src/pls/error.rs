//! What can be wrong with a path model, its data or a plan; every error carries its facts.

use crate::cancel::Cancelled;
use crate::moments::TableError;
use crate::resample::PlanError;

/// A model, data set or plan that the engine refuses.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlsError {
    /// The model has no constructs or no indicators.
    #[error("the model has no constructs: expected at least one block")]
    EmptyModel,
    /// A block without indicators.
    #[error("construct {construct:?} has no indicators: expected at least one")]
    EmptyBlock {
        /// Name of the construct.
        construct: String,
    },
    /// Two nodes with one name.
    #[error("the name {name:?} is used by two constructs: names must be unique")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A number that names no node or column.
    #[error("{what} {index} does not exist: expected a number below {limit}")]
    OutOfRange {
        /// What was looked for.
        what: &'static str,
        /// The number given.
        index: usize,
        /// One above the largest allowed number.
        limit: usize,
    },
    /// An option value that is not known.
    #[error("{option}={value:?} is not known: expected one of {expected}")]
    UnknownOption {
        /// Name of the option.
        option: &'static str,
        /// What was given.
        value: String,
        /// What is known.
        expected: String,
    },
    /// The paths run in a circle.
    #[error("the paths run in a circle: {}; ordinary least squares needs a recursive model, remove one of these paths", .circle.join(" → "))]
    Cycle {
        /// The nodes of the circle, the first one repeated at the end.
        circle: Vec<String>,
    },
    /// A path given twice.
    #[error("the path {from} → {to} is given twice")]
    DuplicatePath {
        /// Predictor.
        from: String,
        /// Outcome.
        to: String,
    },
    /// Something that the model asks for and the engine cannot do.
    #[error("{what}")]
    Invalid {
        /// What, where and the cure.
        what: String,
    },
    /// Data of another shape than the model's.
    #[error("{what} has shape {given}: expected {expected}")]
    Shape {
        /// Which input.
        what: &'static str,
        /// Shape given.
        given: String,
        /// Shape expected.
        expected: String,
    },
    /// Data that cannot be used.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A plan that does not fit the data.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The caller stopped the call.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Result of the PLS engine.
pub type Result<T> = std::result::Result<T, PlsError>;

/// How one estimation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Status {
    /// Converged and admissible.
    Ok = 0,
    /// The weights had not settled after `max_iter` passes; detail: the stage.
    NotConverged = 1,
    /// A column has no variance in this sample; detail: the data column.
    ZeroVariance = 2,
    /// The indicators of a block are linearly dependent; detail: the node.
    SingularBlock = 3,
    /// The predictors of an outcome are linearly dependent; detail: the outcome's node.
    SingularPredictors = 4,
    /// A reliability (rho_A) that is not in (0, 1]; detail: the node.
    Reliability = 5,
    /// A loading beyond one; detail: the node.
    Loading = 6,
    /// An explained variance beyond one; detail: the node.
    ExplainedVariance = 7,
    /// The construct correlations are not positive definite; detail: -1.
    NotPositiveDefinite = 8,
    /// No row, or only one, has a positive weight; detail: -1.
    TooFewRows = 9,
    /// A number turned non-finite for another reason; detail: the node.
    NotFinite = 10,
    /// The completion of missing answers had not settled; detail: -1.
    Completion = 11,
    /// The values of the categories had not settled; detail: -1.
    Scaling = 12,
}

impl Status {
    /// Name of every code: index = code.
    pub const NAMES: [&str; 13] = [
        "ok",
        "not converged",
        "zero variance",
        "singular block",
        "singular predictors",
        "inadmissible reliability",
        "inadmissible loading",
        "inadmissible explained variance",
        "construct correlations not positive definite",
        "too few rows",
        "not finite",
        "completion not settled",
        "scaling not settled",
    ];

    /// Whether the numbers of such an estimation still mean something.
    pub const fn keeps_values(self) -> bool {
        matches!(
            self,
            Self::Ok | Self::Reliability | Self::Loading | Self::ExplainedVariance | Self::NotPositiveDefinite
        )
    }
}
