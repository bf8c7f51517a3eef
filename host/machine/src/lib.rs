//! Boards: CPU, RAM, bus, devices and boot.

pub mod board;
pub mod boot;
