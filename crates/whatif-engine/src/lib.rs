//! One robot moves at a time. The files are here; the crate is made of them in the next step.
