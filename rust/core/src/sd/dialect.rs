//! What functions of the same name mean in the tools that people use. The dialect is a property of the model.

/// The tool whose meanings a model follows where tools differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OASIS XMILE 1.0 and Stella.
    #[default]
    Xmile,
    /// Vensim.
    Vensim,
}
