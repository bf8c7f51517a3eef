//! placeholder
pub mod fp;
pub mod isa;
