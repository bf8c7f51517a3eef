//! The command line, declared.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  maquette list                                  what is there to run
  maquette run systems/hello.toml                run the smallest guest
  maquette run systems/linux.toml                boot Linux to a scripted shell
  maquette run systems/linux.toml --interactive --set boot.cmdline=console=ttyS0
                                                 the same, with you at the keyboard
  maquette run systems/demo.toml --set machine.harts=1 --stats run.json
  maquette run systems/linux.toml --snapshot shell.maqs --when 'linux# ' --stop
  maquette resume shell.maqs --interactive       boot once, begin at the prompt as often as you like
  maquette run my.toml --record bug.maqr         one file that somebody else can replay
  maquette gdb systems/demo.toml                 wait for GDB at the first instruction
  maquette inspect systems/linux.toml --at 1s hart0.csr plic
  maquette check systems/*.toml                  everything wrong with files, without running them
  maquette info parameters                       what can be written into a file

Exit codes:
  0 clean   1 usage or set-up   2 guest failure   3 host failure
  124 a limit of the system file was reached   130 / 143 ended by SIGINT / SIGTERM
  Where several hold: a signal before 3, 3 before 124, 124 before 2; each is named.
  The guest's own status is printed; it becomes the exit code only with --guest-status.";

/// Runs real system software on modelled hardware, on one deterministic clock.
#[derive(Parser, Debug)]
#[command(name = "maquette", version, about, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// What to log to standard error: off, error, warn, info, debug, trace, or directives such as
    /// `info,maquette_machine=debug`
    #[arg(long, global = true, value_name = "LEVEL", default_value = "warn")]
    pub log: String,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run a system until its guest ends, a limit is reached, or you end it
    ///
    /// The guest's console goes to standard output unaltered, everything else to standard error. With
    /// a terminal and no script in the system file, what you type goes to the guest: Ctrl-A x ends the
    /// run, Ctrl-A h shows the keys.
    Run(RunArgs),
    /// Go on from a snapshot that `run --snapshot` has written
    ///
    /// The run ends as the one that was saved would have, with the same trace hash; or you take over
    /// with --interactive, as often as you like from the same moment.
    Resume(ResumeArgs),
    /// Run again what `run --record` has recorded, and say where it differs
    ///
    /// The recording holds the system file and what was typed, with its exact times; images are found
    /// by name and compared by hash. The guest prints what it printed then.
    Replay(ReplayArgs),
    /// Run a system under GDB, from its first instruction on
    ///
    /// The machine waits until `target remote ADDRESS` connects. Harts are threads; `monitor help` lists what
    /// only this machine can tell. After `detach` the run goes on to its end; `kill` ends it.
    Gdb(GdbArgs),
    /// Show the state of every part, at a moment of a run or in a snapshot
    ///
    /// Registers of harts and devices, queues, interrupts, counters, as `path = value`. Looking changes
    /// nothing.
    Inspect(InspectArgs),
    /// Check system files and everything they name, without running them
    ///
    /// Says of each what is wrong with it, all at once. Ends with 0 if nothing is wrong with any of them.
    Check(CheckArgs),
    /// List the systems of a folder, one line each
    List {
        /// The folder
        #[arg(default_value = "systems")]
        folder: PathBuf,
    },
    /// Say what this host can do, what is missing, and the command that mends it
    ///
    /// Ends with 0 if systems can be run, also where something optional is missing, else with 1.
    Doctor {
        /// The same as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what this build can do: ISA, boards, devices, parameters with units and defaults
    Info {
        /// Only this part
        #[arg(value_enum)]
        topic: Option<Topic>,
    },
}

#[derive(Args, Debug)]
pub struct FileArgs {
    /// The system file
    pub file: PathBuf,
    /// Override a parameter, as often as you like: machine.harts=4, device.0.slot=2
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The system files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Override a parameter in each of them, as often as you like: machine.harts=4, device.0.slot=2
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

#[derive(Args, Debug)]
pub struct RunArgs {
    #[command(flatten)]
    pub file: FileArgs,
    /// `virtual`: waiting costs nothing; `real`: not faster than the host's clock. Real is the default
    /// with a person at the terminal, virtual otherwise
    #[arg(long, value_enum)]
    pub pace: Option<PaceArg>,
    /// Take over the console yourself: the file's script, limits and expectations are set aside
    #[arg(short, long)]
    pub interactive: bool,
    /// Record what comes in from outside into a file that `replay` runs again
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    #[command(flatten)]
    pub snapshot: SnapshotArgs,
    #[command(flatten)]
    pub trace: TraceArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Args, Debug)]
pub struct ResumeArgs {
    /// The snapshot
    pub file: PathBuf,
    /// Where the system's files are, if not where they were: the folder of the system file
    #[arg(long, value_name = "FOLDER")]
    pub root: Option<PathBuf>,
    /// As for `run`
    #[arg(long, value_enum)]
    pub pace: Option<PaceArg>,
    /// Take over the console yourself: what is left of the script, limits and expectations are set aside
    #[arg(short, long)]
    pub interactive: bool,
    #[command(flatten)]
    pub snapshot: SnapshotArgs,
    #[command(flatten)]
    pub trace: TraceArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Args, Debug)]
pub struct ReplayArgs {
    /// The recording
    pub file: PathBuf,
    /// Where the system's files are, if not where they were: the folder of the system file
    #[arg(long, value_name = "FOLDER")]
    pub root: Option<PathBuf>,
    #[command(flatten)]
    pub trace: TraceArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

/// A trace for a viewer.
#[derive(Args, Debug)]
pub struct TraceArgs {
    /// Write a trace for the viewer at ui.perfetto.dev: register accesses, interrupts, DMA, firmware calls
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Name the functions of this ELF file in the trace, not those of the kernel that is booted
    #[arg(long, value_name = "ELF", requires = "trace")]
    pub symbols: Option<PathBuf>,
}

/// A snapshot on the way.
#[derive(Args, Debug)]
pub struct SnapshotArgs {
    /// Write the whole system's state to a file that `resume` goes on from, at the moment that --at or
    /// --when names
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    #[command(flatten)]
    pub moment: MomentArgs,
    /// End the run with the snapshot
    #[arg(long, requires = "snapshot")]
    pub stop: bool,
}

/// A moment of a run.
#[derive(Args, Debug)]
pub struct MomentArgs {
    /// The moment is this virtual time, such as 1.5s
    #[arg(long, value_name = "TIME", conflicts_with = "when")]
    pub at: Option<String>,
    /// The moment is when the guest has printed this text
    #[arg(long, value_name = "TEXT")]
    pub when: Option<String>,
}

#[derive(Args, Debug)]
pub struct InspectArgs {
    /// A system file, which is run until the moment, or a snapshot
    pub file: PathBuf,
    /// What to show: paths or parts of them, such as hart0.csr or virtio0.queue0.used_idx; else all
    pub paths: Vec<String>,
    #[command(flatten)]
    pub moment: MomentArgs,
    /// Override a parameter of a system file
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Where a snapshot's files are, if not where they were: the folder of the system file
    #[arg(long, value_name = "FOLDER")]
    pub root: Option<PathBuf>,
    /// Also parts at rest, such as interrupt sources that nobody uses
    #[arg(long)]
    pub all: bool,
    /// All of it as JSON
    #[arg(long)]
    pub json: bool,
}

/// What is said at the end of a run.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// Write a JSON file with the guest's status, times, counters and the trace hash; `-` is standard
    /// output, after the guest's console
    #[arg(long, value_name = "FILE")]
    pub stats: Option<PathBuf>,
    /// Exit with the guest's own status (its low 8 bits) where the guest reports a failure; 2 where those
    /// are 0
    #[arg(long)]
    pub guest_status: bool,
    /// No report at the end; errors are still shown
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Args, Debug)]
pub struct GdbArgs {
    #[command(flatten)]
    pub file: FileArgs,
    /// Where to listen: HOST:PORT (port 0 takes a free one and says which) or unix:PATH
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:1234")]
    pub listen: String,
    /// Which machine, in a system of several
    #[arg(long, value_name = "NAME")]
    pub machine: Option<String>,
    #[command(flatten)]
    pub snapshot: SnapshotArgs,
    #[command(flatten)]
    pub trace: TraceArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum PaceArg {
    Virtual,
    Real,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Topic {
    /// The instruction set
    Isa,
    /// The boards
    Boards,
    /// The devices that can be put into slots
    Devices,
    /// The parameters of system files
    Parameters,
    /// The figures of --stats, with units
    Statistics,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn command_line_contradicts_itself_nowhere() {
        Cli::command().debug_assert();
    }
}
