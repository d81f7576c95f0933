//! PLS path models.
