//! Random histories on whole stores.
