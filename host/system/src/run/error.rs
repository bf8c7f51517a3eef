//! Why there was no run.

use super::Moment;
use crate::archive::ArchiveError;
use crate::render::Problems;
use crate::symbols::SymbolError;
use maquette_rim::{DebugPortError, TraceFileError};
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why there was no run.
#[derive(Debug, Error)]
pub enum RunError {
    /// The system cannot be built.
    #[error(transparent)]
    Problems(#[from] Problems),
    /// A recording or snapshot cannot be used.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// What is written would destroy something else of the run.
    #[error("`{option}` names {other}: {}", path.display())]
    SameFile {
        /// Which output.
        option: &'static str,
        /// What the file is beside.
        other: String,
        /// The file.
        path: PathBuf,
    },
    /// A recording feeds something in that this system has no place for.
    #[error("the recording feeds `{component}`, which this system does not have")]
    NoComponent {
        /// Its path.
        component: String,
    },
    /// A snapshot of what was before.
    #[error("{at} is past: the run begins at {now}")]
    PastMoment {
        /// The moment.
        at: String,
        /// The beginning.
        now: String,
    },
    /// The moment to look at never came.
    #[error("there is nothing to look at: {}", moment.missed())]
    NoMoment {
        /// The moment.
        moment: Moment,
    },
    /// An interactive run without a person.
    #[error("`--interactive` needs a terminal at standard input")]
    NoTerminal,
    /// An interactive run of several machines.
    #[error("`--interactive` is for a system of one machine, and this one has {0}")]
    SeveralMachines(usize),
    /// No debugger can be listened for.
    #[error(transparent)]
    Debugger(#[from] DebugPortError),
    /// The machine to be debugged is not there.
    #[error("`--machine {name}`: there is no such machine")]
    NoMachine {
        /// What was asked for.
        name: String,
        /// The machines that there are.
        machines: Vec<String>,
    },
    /// The machine to be debugged is not named.
    #[error("this system has several machines, and a debugger is for one")]
    WhichMachine {
        /// The machines.
        machines: Vec<String>,
    },
    /// The trace file cannot be made.
    #[error(transparent)]
    Trace(#[from] TraceFileError),
    /// There are no symbols for the trace.
    #[error(transparent)]
    Symbols(#[from] SymbolError),
    /// The host refuses what every run needs.
    #[error("the host refuses {what}")]
    Host {
        /// What.
        what: &'static str,
        /// Its words.
        #[source]
        source: io::Error,
    },
}

impl RunError {
    /// What to do about it; problems of a system file have remedies of their own.
    #[must_use]
    pub fn remedy(&self) -> String {
        let text = match self {
            Self::Problems(_) => "correct the system file",
            Self::Archive(error) => error.remedy(),
            Self::SameFile { option, .. } => {
                return format!("name another file with `{option}`");
            }
            Self::NoComponent { .. } => "use the version of Maquette that made the recording",
            Self::PastMoment { now, .. } => return format!("name a time after {now}"),
            Self::NoMoment { moment } => moment.remedy(),
            Self::NoTerminal => "run it from a terminal, or leave `--interactive` out",
            Self::SeveralMachines(_) => {
                "leave `--interactive` out; `console.script` of each machine can type"
            }
            Self::Debugger(error) => error.remedy(),
            Self::NoMachine { machines, .. } | Self::WhichMachine { machines } => {
                return format!("say which one with `--machine`: {}", machines.join(", "));
            }
            Self::Trace(error) => error.remedy(),
            Self::Symbols(error) => error.remedy(),
            Self::Host { .. } => {
                "see what the host lacks: open files (`ulimit -n`), memory, or a terminal"
            }
        };
        text.to_owned()
    }
}
