//! The built `maquette` binary, driven as a user drives it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::child::{self, Finished, Limit};
use crate::places;

/// One call of the tool.
///
/// It runs in the checkout, so that paths such as `systems/hello.toml` mean what they mean in the
/// documentation.
#[derive(Debug)]
pub struct Tool {
    arguments: Vec<PathBuf>,
    environment: Vec<(String, String)>,
    input: Vec<u8>,
    limit: Limit,
    folder: PathBuf,
}

impl Tool {
    /// `maquette <verb>`.
    #[must_use]
    pub fn new(verb: &str) -> Self {
        Self {
            arguments: vec![verb.into()],
            environment: Vec::new(),
            input: Vec::new(),
            limit: Limit::seconds(60),
            folder: places::workspace(),
        }
    }

    /// `maquette run FILE`.
    #[must_use]
    pub fn run(file: impl AsRef<Path>) -> Self {
        Self::new("run").arg(file)
    }

    /// `maquette check FILE`.
    #[must_use]
    pub fn check(file: impl AsRef<Path>) -> Self {
        Self::new("check").arg(file)
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<Path>) -> Self {
        self.arguments.push(argument.as_ref().to_path_buf());
        self
    }

    /// An environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What the tool reads from its standard input.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// The time after which the tool is killed; a minute, if nothing is said.
    #[must_use]
    pub const fn limit(mut self, limit: Limit) -> Self {
        self.limit = limit;
        self
    }

    /// The folder to run in.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// The command, for a test that wants to hold the process itself (signals, terminals).
    ///
    /// # Panics
    /// The tool has not been built; the message says how to.
    #[must_use]
    pub fn command(&self) -> Command {
        let tool = places::tool();
        assert!(
            tool.is_file(),
            "{} does not exist; run `cargo build --release -p maquette-cli` (`cargo xtask test` does)",
            tool.display()
        );
        let mut command = Command::new(tool);
        command.args(&self.arguments).current_dir(&self.folder);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the tool to its end.
    #[must_use]
    pub fn finish(self) -> Finished {
        child::run(self.command(), &self.input, self.limit)
    }
}

/// The trace hash that a run printed.
#[must_use]
pub fn trace_hash(run: &Finished) -> Option<String> {
    let line = run.stdout.lines().chain(run.stderr.lines()).rev();
    line.filter_map(|line| line.split_once("trace hash: "))
        .map(|(_, hash)| hash.trim().to_owned())
        .next()
}
