//! Exit codes, reports, signals, the terminal.

mod exit_codes;
mod output;
mod signals;
mod terminal;
mod verbs;
