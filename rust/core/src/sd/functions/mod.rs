//! The numbers behind the functions of system-dynamics models: pure routines on numbers and slices that know no compiler.
//!
//! Each file is one concept and names its source: a page of Vensim's reference, a section of XMILE 1.0, a page of Stella's
//! help, a paper. What the tools do not document is marked as a choice of ours. A result that does not exist is NaN.

pub mod allocate;
pub mod batch;
pub mod belt;
pub mod calendar;
pub mod call;
pub mod clock;
pub mod conveyor;
pub mod curve;
pub mod depreciation;
pub mod distribution;
pub mod fifo;
pub mod finance;
pub mod lookup;
pub mod machine;
pub mod market;
pub mod material;
pub mod matrix;
pub mod oven;
pub mod queue;
pub mod random;
pub mod response;
pub mod special;
pub mod table;
pub mod vector;
