//! placeholder
pub mod fp;
