//! The `maquette` binary: the command line, and nothing else.
//!
//! It parses arguments, calls `maquette-system`, prints what that returns and turns it into an exit
//! code. A decision that is worth a test does not belong here.
//!
//! # Invariants
//!
//! * Standard output carries what was asked for (the guest's console, a list, information); everything
//!   else goes to standard error.
//! * A reader that goes away is no panic.
//! * Wrong usage exits with 1, as a system that cannot be set up does.
//!
//! # What is not here
//!
//! Everything else.

mod args;
mod print;
mod runs;
mod stats;

use args::{CheckArgs, Cli, Command, Topic};
use clap::Parser;
use maquette_system::doctor::{Host, examine};
use maquette_system::{EXIT_SETUP, Problems, info};
use print::{complain, print, style};
use std::path::Path;
use std::process::ExitCode;

const CLEAN: u8 = 0;
const HOST_FAILURE: u8 = 3;

fn main() -> ExitCode {
    // Without it a file at its limit ends the process, as it does other programs.
    let _ = maquette_rim::make_file_limit_an_error();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked_for = !error.use_stderr();
            let result = error.print();
            return ExitCode::from(if asked_for {
                print::printed(result)
            } else {
                EXIT_SETUP
            });
        }
    };
    if let Err(message) = print::start_log(&cli.log) {
        complain(&message);
        return ExitCode::from(EXIT_SETUP);
    }
    ExitCode::from(match cli.command {
        Command::Run(args) => runs::run(&args),
        Command::Resume(args) => runs::resume(&args),
        Command::Replay(args) => runs::replay(&args),
        Command::Gdb(args) => runs::gdb(args),
        Command::Inspect(args) => runs::inspect(&args),
        Command::Check(args) => check(&args),
        Command::List { folder } => list(&folder),
        Command::Doctor { json } => doctor(json),
        Command::Info { topic } => print(&information(topic)),
    })
}

/// Every file is checked; the worst of them decides.
fn check(args: &CheckArgs) -> u8 {
    let codes = args.files.iter().map(|file| check_file(file, &args.set));
    codes.max().unwrap_or(CLEAN)
}

fn check_file(file: &Path, overrides: &[String]) -> u8 {
    let checked =
        maquette_system::open(file, overrides).and_then(|opened| maquette_system::check(&opened));
    match checked {
        Ok(()) => print(&format!("{}: no errors\n", file.display())),
        Err(problems) => set_up(&problems),
    }
}

fn list(folder: &Path) -> u8 {
    match maquette_system::list(folder) {
        Ok(systems) => print(&maquette_system::show_list(&systems)),
        Err(fault) => {
            complain(&format!(
                "maquette: {fault}\n  remedy: {}\n",
                fault.remedy()
            ));
            EXIT_SETUP
        }
    }
}

fn doctor(json: bool) -> u8 {
    let diagnosis = examine(&Host::this());
    let text = if json {
        format!("{:#}\n", diagnosis.json())
    } else {
        diagnosis.text()
    };
    match print(&text) {
        CLEAN => diagnosis.exit_code(),
        failure => failure,
    }
}

fn information(topic: Option<Topic>) -> String {
    match topic {
        Some(Topic::Isa) => info::isa(),
        Some(Topic::Boards) => info::boards(),
        Some(Topic::Devices) => info::devices(),
        Some(Topic::Parameters) => info::parameters(),
        Some(Topic::Statistics) => info::statistics(),
        None => info::all(),
    }
}

fn set_up(problems: &Problems) -> u8 {
    complain(&problems.render(style()));
    EXIT_SETUP
}
