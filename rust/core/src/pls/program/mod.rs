//! A specification compiled to stages: what is estimated in which order, on which items.
//!
//! A stage is one run of the PLS algorithm. Its items are data columns, scores of earlier stages (linear in the data,
//! so their moments follow from those of the data) or products (which need one pass over the rows).

mod compile;

use super::error::{PlsError, Result};
use super::spec::{Mode, Spec};
use crate::moments::Missing;

/// An indicator of a block in one stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// A base column (position in [`Program::base`]).
    Column(usize),
    /// The score that a node has in an earlier stage.
    Score(usize),
    /// A product (position in [`Program::products`]).
    Product(usize),
}

/// A factor of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorOf {
    /// A standardised base column.
    Column(usize),
    /// A node's score of an earlier stage.
    Score(usize),
}

/// A product of standardised columns or scores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// What is multiplied.
    pub factors: Vec<FactorOf>,
    /// Base columns that it is freed from by regression; empty for none.
    pub residual_on: Vec<usize>,
}

/// A block of one stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The node.
    pub node: usize,
    /// How its weights are found.
    pub mode: Mode,
    /// First item.
    pub start: usize,
    /// One past the last item.
    pub end: usize,
    /// Weights of mode "fixed".
    pub fixed: Vec<f64>,
    /// Item whose loading is made positive.
    pub dominant: Option<usize>,
    /// Whether its items are products.
    pub product: bool,
    /// Whether the consistent estimation corrects its correlations.
    pub corrected: bool,
    /// Whether the consistent estimation corrects its loadings: it is a common factor.
    pub factor: bool,
    /// Whether it is a composite of common factors: its reliability follows from theirs.
    pub compound: bool,
}

impl Block {
    /// Number of items.
    pub const fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether it has no items; never true in a checked model.
    pub const fn is_empty(&self) -> bool {
        self.end == self.start
    }
}

/// One run of the PLS algorithm.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Blocks in node order; their items are contiguous.
    pub blocks: Vec<Block>,
    /// Items of all blocks.
    pub items: Vec<Item>,
    /// Number of each item among [`Program::items`].
    pub ids: Vec<usize>,
    /// Block of each node, if the node is in this stage.
    pub block_of: Vec<Option<usize>>,
    /// Paths between blocks.
    pub edges: Vec<(usize, usize)>,
    /// Predecessors of each block, in the order of the paths.
    pub predecessors: Vec<Vec<usize>>,
    /// Successors of each block.
    pub successors: Vec<Vec<usize>>,
    /// Predecessors and successors of each block, ascending.
    pub neighbours: Vec<Vec<usize>>,
    /// Pairs of blocks that are linked without a path; their residuals may correlate.
    pub links: Vec<(usize, usize)>,
    /// Blocks in an order in which predecessors come first.
    pub order: Vec<usize>,
    /// Whether the items are exactly the base columns in their order.
    pub direct: bool,
    /// Products that first appear in this stage.
    pub products: Vec<usize>,
    /// Pairs of blocks `a < b` whose correlation the iteration needs.
    pub pairs: Vec<(usize, usize)>,
    /// Pairs of blocks `a < b` whose correlation the structural model needs.
    pub structural: Vec<(usize, usize)>,
    /// For each block the numbers of the edges from its predecessors.
    pub incoming: Vec<Vec<usize>>,
    /// For each block itself and all blocks from which paths lead to it.
    pub sources: Vec<Vec<usize>>,
    /// For each block the blocks with whose proxies its items' covariances the iteration needs, ascending.
    pub needed: Vec<Vec<usize>>,
}

/// A compiled path model.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// What it was compiled from.
    pub spec: Spec,
    /// Names of all nodes.
    pub nodes: Vec<String>,
    /// Names of all items: data columns first, then derived ones.
    pub items: Vec<String>,
    /// Data columns that the model uses, in the order of the first stage.
    pub base: Vec<usize>,
    /// All products.
    pub products: Vec<Product>,
    /// The stages; the last one holds the structural model as written.
    pub stages: Vec<Stage>,
    /// Stage and block from which each node is reported.
    pub place: Vec<(usize, usize)>,
}

impl Program {
    /// The stage that holds the structural model as written.
    pub fn last(&self) -> &Stage {
        &self.stages[self.stages.len() - 1]
    }

    /// Whether two nodes are reported from different stages.
    pub fn has_levels(&self) -> bool {
        self.place.iter().any(|place| place.0 + 1 < self.stages.len())
    }

    /// Whether a pass over the rows is needed besides the moments.
    pub fn has_products(&self) -> bool {
        !self.products.is_empty()
    }

    /// Fails if this treatment of missing values cannot serve this model.
    pub fn check_missing(&self, missing: Missing) -> Result<()> {
        if missing == Missing::Pairwise && self.has_products() {
            return Err(PlsError::Invalid {
                what:
                    "missing=\"pairwise\" has no meaning for products of rows: choose \"mean\" or \"listwise\" for a \
                       model with interactions"
                        .to_owned(),
            });
        }
        Ok(())
    }
}
