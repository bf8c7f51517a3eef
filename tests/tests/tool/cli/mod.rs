//! Exit codes, reports, signals, the terminal.

mod doctor;
mod exit_codes;
mod full;
mod job_control;
mod live_line;
mod output;
mod outputs;
mod session;
mod signals;
mod stats;
mod terminal;
mod verbs;
