//! `cargo xtask <verb>`: every chore of working on Maquette.
//!
//! # Purpose
//!
//! One command per chore, the same for people and for the automatic build, on a fresh machine with
//! rustup, a C linker and the network of cargo and rustup. Each verb installs what it needs, shows
//! what it is doing, and says in one sentence what went wrong and what to do about it.
//!
//! # Invariants
//!
//! - The pinned toolchain is read from `rust-toolchain.toml` and named wherever a tool could choose
//!   another: cargo exports `RUSTUP_TOOLCHAIN`, which wins over that file.
//! - Guests are built from inside `guest/`, so that its own cargo configuration is read.
//! - Nothing but the cache of real parts and cargo's target directory is written, except
//!   `real-parts.lock`, and that only when an archive has dropped a locked version.
//! - This crate knows none of `host/`: it drives the built `maquette` binary. It is built before
//!   everything else on a fresh machine, so its list of dependencies stays short.
//!
//! # Not here
//!
//! What tests need at run time (finding guests, talking to QEMU) is the library in `tests/`. What a
//! user of the tool needs is `maquette` itself.

mod bench;
mod checkout;
mod demo;
mod evidence;
mod fresh;
mod guests;
mod host;
mod parts;
mod process;
mod progress;
mod rows;
mod soak;
mod test;
mod tidy;
mod toolchain;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "The chores of working on Maquette"
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build everything from nothing and run the main example
    Demo,
    /// Check everything: formatting, lints, tidy, documentation, all tests
    Test(test::Options),
    /// Run the tests with ever new seeds, at length; a later call goes on where this one stops
    Soak(soak::Options),
    /// Clone this checkout and run the commands of README.md there, as a newcomer would
    Fresh(fresh::Options),
    /// Run the commands listed in docs/evidence/NAME.toml and write their ends to NAME.md
    Evidence {
        /// The list; without it, say which there are
        name: Option<String>,
    },
    /// Build the guest programs into target/guests
    Guests,
    /// Fetch real components into the cache; without a name, say what is there
    RealParts {
        /// qemu, linux-riscv, opensbi, objdump, linux-riscv-stable, or all
        names: Vec<String>,
    },
    /// List the acceptance rows and those that no test proves; or show that tests notice faults
    Rows(rows::Options),
    /// Measure, against a peer where there is one
    Bench(bench::Options),
    /// Run a command and print the most memory it held, in bytes (part of bench)
    #[command(hide = true)]
    LargestChild {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Check the rules of the code base that no compiler checks
    Tidy {
        /// Only files below these folders
        folders: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().verb {
        Verb::Demo => demo::command(),
        Verb::Test(options) => test::command(&options),
        Verb::Soak(options) => soak::command(&options),
        Verb::Fresh(options) => fresh::command(&options),
        Verb::Evidence { name } => evidence::command(name.as_deref()),
        Verb::Guests => guests::command(),
        Verb::RealParts { names } => parts::command(&names),
        Verb::Rows(options) => rows::command(&options),
        Verb::Bench(options) => bench::command(&options),
        Verb::LargestChild { command } => bench::hello::largest_child(&command),
        Verb::Tidy { folders } => tidy::command(&folders),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
