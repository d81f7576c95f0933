//! The specification of a path model, as plain numbers and names.

use super::error::{PlsError, Result};

macro_rules! named {
    ($(#[$meta:meta])* $type:ident, $option:literal { $($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type { $($(#[$doc])* $variant),* }

        impl $type {
            /// The value called `name`.
            pub fn parse(name: &str) -> Result<Self> {
                match name {
                    $($name => Ok(Self::$variant),)*
                    _ => Err(PlsError::UnknownOption {
                        option: $option,
                        value: name.to_owned(),
                        expected: [$($name),*].map(|name| format!("{name:?}")).join(", "),
                    }),
                }
            }

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

named! {
    /// How the weights of a block are found.
    Mode, "mode" {
        /// Correlation weights.
        A = "A",
        /// Regression weights.
        B = "B",
        /// Regression weights that are not negative.
        Nnls = "nnls",
        /// Equal weights on standardised indicators (sum scores).
        Unit = "unit",
        /// First principal component.
        Pca = "pca",
        /// Weights that the user gives, up to a common factor.
        Fixed = "fixed",
    }
}

named! {
    /// How the inner proxies are formed.
    Scheme, "scheme" {
        /// Regression on predecessors, correlation with successors.
        Path = "path",
        /// Correlations with all neighbours.
        Factorial = "factorial",
        /// Signs of the correlations with all neighbours.
        Centroid = "centroid",
        /// First principal component of the neighbours.
        Pca = "pca",
    }
}

named! {
    /// How an interaction term is measured.
    Method, "method" {
        /// The product of first-stage scores.
        TwoStage = "two-stage",
        /// All products of standardised indicators.
        Product = "product",
        /// The products' residuals on the indicators.
        Orthogonal = "orthogonal",
    }
}

named! {
    /// What the numbers of a column mean.
    Scale, "scale" {
        /// Numbers.
        Numeric = "numeric",
        /// Categories in an order.
        Ordinal = "ordinal",
        /// Categories.
        Nominal = "nominal",
    }
}

named! {
    /// How a higher-order construct is estimated.
    Approach, "higher_order" {
        /// Disjoint two-stage: first its dimensions in its place, then their scores as indicators.
        TwoStage = "two-stage",
        /// Embedded two-stage: first with repeated indicators, then the dimensions' scores as indicators.
        Embedded = "embedded",
        /// All indicators of its dimensions again.
        Repeated = "repeated",
    }
}

named! {
    /// Which blocks the consistent estimation corrects.
    Rule, "consistent_rule" {
        /// Reflective blocks only (Dijkstra & Henseler 2015).
        Factors = "factors",
        /// Mode A composites too, as the R package seminr does in mixed models.
        Seminr = "seminr",
    }
}

named! {
    /// What is done about signs that differ from the original sample's.
    Sign, "sign" {
        /// Nothing.
        None = "none",
        /// Each weight, loading and coefficient takes the original sign.
        Indicator = "indicator",
        /// A construct is reversed when its loadings are nearer to the reversed original ones.
        Construct = "construct",
    }
}

/// A construct measured by data columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Construct {
    /// Its name.
    pub name: String,
    /// How its weights are found.
    pub mode: Mode,
    /// Its data columns.
    pub columns: Vec<usize>,
    /// Weights of mode "fixed".
    pub fixed: Vec<f64>,
    /// The column whose loading is made positive.
    pub dominant: Option<usize>,
    /// Whether it is a common factor.
    pub reflective: bool,
    /// A reliability that is known from elsewhere; the consistent estimation takes it in place of rho_A.
    pub reliability: Option<f64>,
}

/// A construct measured by constructs.
#[derive(Clone, Debug, PartialEq)]
pub struct HigherOrder {
    /// Its name.
    pub name: String,
    /// Nodes that measure it.
    pub dimensions: Vec<usize>,
    /// How its weights are found.
    pub mode: Mode,
    /// Whether it is a common factor of its dimensions.
    pub reflective: bool,
    /// How it is estimated.
    pub approach: Approach,
}

/// A product of constructs as a predictor.
#[derive(Clone, Debug, PartialEq)]
pub struct Interaction {
    /// Its name.
    pub name: String,
    /// Nodes whose product it is; one may stand twice.
    pub factors: Vec<usize>,
    /// How the weights of its products are found, where it has several.
    pub mode: Mode,
    /// How it is measured.
    pub method: Method,
}

/// A path model. Nodes are numbered constructs first, then higher-order constructs, then interactions.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Names of the data columns.
    pub columns: Vec<String>,
    /// First-order constructs.
    pub constructs: Vec<Construct>,
    /// Higher-order constructs.
    pub higher_order: Vec<HigherOrder>,
    /// Interactions.
    pub interactions: Vec<Interaction>,
    /// Paths between nodes, from predictor to outcome.
    pub paths: Vec<(usize, usize)>,
    /// Pairs of nodes that are neighbours in the inner scheme without a path between them.
    pub links: Vec<(usize, usize)>,
    /// Inner scheme.
    pub scheme: Scheme,
    /// Whether indicators are taken in their own units, so that those with more variance count more.
    pub raw: bool,
    /// Consistent estimation, and by which rule.
    pub consistent: Option<Rule>,
    /// Passes at most.
    pub max_iter: usize,
    /// The weights have settled when the sum of their absolute changes is below this.
    pub tol: f64,
}

impl Spec {
    /// Names of all nodes.
    pub fn nodes(&self) -> Vec<String> {
        let constructs = self.constructs.iter().map(|c| c.name.clone());
        let higher = self.higher_order.iter().map(|h| h.name.clone());
        let products = self.interactions.iter().map(|i| i.name.clone());
        constructs.chain(higher).chain(products).collect()
    }

    /// Fails on the first thing that cannot be.
    pub fn check(&self) -> Result<()> {
        let nodes = self.nodes();
        let node = |index: usize| {
            if index < nodes.len() {
                Ok(())
            } else {
                Err(PlsError::OutOfRange { what: "node", index, limit: nodes.len() })
            }
        };
        if self.constructs.is_empty() {
            return Err(PlsError::EmptyModel);
        }
        for (k, name) in nodes.iter().enumerate() {
            if nodes[..k].contains(name) {
                return Err(PlsError::DuplicateName { name: name.clone() });
            }
        }
        for construct in &self.constructs {
            if construct.columns.is_empty() {
                return Err(PlsError::EmptyBlock { construct: construct.name.clone() });
            }
            for &index in construct.columns.iter().chain(&construct.dominant) {
                if index >= self.columns.len() {
                    return Err(PlsError::OutOfRange { what: "column", index, limit: self.columns.len() });
                }
            }
            for (k, column) in construct.columns.iter().enumerate() {
                if construct.columns[..k].contains(column) {
                    return Err(PlsError::Invalid {
                        what: format!(
                            "construct {:?} names the indicator {:?} twice",
                            construct.name, self.columns[*column]
                        ),
                    });
                }
            }
            if let Some(dominant) = construct.dominant
                && !construct.columns.contains(&dominant)
            {
                return Err(PlsError::Invalid {
                    what: format!(
                        "the dominant indicator {:?} of construct {:?} is not one of its indicators",
                        self.columns[dominant], construct.name
                    ),
                });
            }
            if let Some(value) = construct.reliability
                && !(value > 0.0 && value <= 1.0)
            {
                return Err(PlsError::Invalid {
                    what: format!(
                        "construct {:?} has the reliability {value}: expected a number above 0 and up to 1",
                        construct.name
                    ),
                });
            }
            if construct.mode == Mode::Fixed
                && (construct.fixed.len() != construct.columns.len()
                    || construct.fixed.iter().any(|w| !w.is_finite())
                    || construct.fixed.iter().all(|w| *w == 0.0))
            {
                return Err(PlsError::Invalid {
                    what: format!(
                        "construct {:?} needs {} finite fixed weights, not all zero: got {:?}",
                        construct.name,
                        construct.columns.len(),
                        construct.fixed
                    ),
                });
            }
        }
        let first = self.constructs.len();
        for (k, higher) in self.higher_order.iter().enumerate() {
            if higher.dimensions.is_empty() {
                return Err(PlsError::EmptyBlock { construct: higher.name.clone() });
            }
            if higher.mode == Mode::Fixed {
                return Err(PlsError::Invalid {
                    what: format!("higher-order construct {:?} cannot have fixed weights", higher.name),
                });
            }
            for &dimension in &higher.dimensions {
                if dimension >= first + self.higher_order.len() {
                    return Err(PlsError::OutOfRange {
                        what: "dimension",
                        index: dimension,
                        limit: first + self.higher_order.len(),
                    });
                }
                if dimension >= first + k {
                    return Err(PlsError::Invalid {
                        what: format!(
                            "higher-order construct {:?} is measured by {:?}, which must come before it",
                            higher.name, nodes[dimension]
                        ),
                    });
                }
            }
        }
        let products = first + self.higher_order.len();
        for interaction in &self.interactions {
            if interaction.mode == Mode::Fixed {
                return Err(PlsError::Invalid {
                    what: format!("interaction {:?} cannot have fixed weights", interaction.name),
                });
            }
            if interaction.factors.len() < 2 {
                return Err(PlsError::Invalid {
                    what: format!("interaction {:?} needs at least two factors", interaction.name),
                });
            }
            for &factor in &interaction.factors {
                if factor >= products {
                    return Err(PlsError::OutOfRange { what: "factor", index: factor, limit: products });
                }
                if interaction.method != Method::TwoStage && factor >= first {
                    return Err(PlsError::Invalid {
                        what: format!(
                            "interaction {:?}: {:?} has no indicators of its own, use method \"two-stage\"",
                            interaction.name, nodes[factor]
                        ),
                    });
                }
            }
        }
        for (k, &(from, to)) in self.paths.iter().enumerate() {
            node(from)?;
            node(to)?;
            if self.paths[..k].contains(&(from, to)) {
                return Err(PlsError::DuplicatePath { from: nodes[from].clone(), to: nodes[to].clone() });
            }
            if to >= products {
                return Err(PlsError::Invalid {
                    what: format!("the interaction {:?} cannot be an outcome", nodes[to]),
                });
            }
        }
        for &(a, b) in &self.links {
            node(a)?;
            node(b)?;
        }
        if self.max_iter == 0 {
            return Err(PlsError::Invalid { what: "max_iter=0: expected at least 1".to_owned() });
        }
        if !self.tol.is_finite() || self.tol <= 0.0 {
            return Err(PlsError::Invalid { what: format!("tol={}: expected a positive number", self.tol) });
        }
        self.acyclic(&nodes)
    }

    fn acyclic(&self, nodes: &[String]) -> Result<()> {
        // 0 = not seen, 1 = on the current walk, 2 = done.
        let mut colour = vec![0u8; nodes.len()];
        for start in 0..nodes.len() {
            let mut walk: Vec<(usize, usize)> = vec![(start, 0)];
            if colour[start] != 0 {
                continue;
            }
            colour[start] = 1;
            while let Some(&mut (at, ref mut next)) = walk.last_mut() {
                let Some(&(_, to)) = self.paths.iter().filter(|(from, _)| *from == at).nth(*next) else {
                    colour[at] = 2;
                    walk.pop();
                    continue;
                };
                *next += 1;
                match colour[to] {
                    0 => {
                        colour[to] = 1;
                        walk.push((to, 0));
                    }
                    1 => {
                        let from = walk.iter().position(|&(node, _)| node == to).unwrap_or(0);
                        let mut circle: Vec<String> =
                            walk[from..].iter().map(|&(node, _)| nodes[node].clone()).collect();
                        circle.push(nodes[to].clone());
                        return Err(PlsError::Cycle { circle });
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A model of mode A blocks over consecutive columns.
    pub(crate) fn simple(blocks: &[usize], paths: &[(usize, usize)]) -> Spec {
        let mut next = 0;
        let constructs = blocks
            .iter()
            .enumerate()
            .map(|(k, &size)| {
                next += size;
                Construct {
                    name: format!("C{k}"),
                    mode: Mode::A,
                    columns: (next - size..next).collect(),
                    fixed: Vec::new(),
                    dominant: None,
                    reflective: false,
                    reliability: None,
                }
            })
            .collect();
        Spec {
            columns: (0..next).map(|k| format!("x{k}")).collect(),
            constructs,
            higher_order: Vec::new(),
            interactions: Vec::new(),
            paths: paths.to_vec(),
            links: Vec::new(),
            scheme: Scheme::Path,
            raw: false,
            consistent: None,
            max_iter: 300,
            tol: 1e-7,
        }
    }

    #[test]
    fn a_circle_is_shown() {
        let spec = simple(&[1, 1, 1, 1], &[(0, 1), (1, 2), (2, 3), (3, 1)]);
        let Err(PlsError::Cycle { circle }) = spec.check() else { panic!("no circle found") };
        assert_eq!(circle, ["C1", "C2", "C3", "C1"]);
    }

    #[test]
    fn a_recursive_model_in_any_order_passes() {
        assert_eq!(simple(&[1, 1, 1], &[(1, 2), (0, 1), (0, 2)]).check(), Ok(()));
    }

    #[test]
    fn an_empty_block_is_named() {
        assert_eq!(simple(&[1, 0], &[(0, 1)]).check(), Err(PlsError::EmptyBlock { construct: "C1".to_owned() }));
    }
}
