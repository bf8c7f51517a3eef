//! The pinned Rust toolchain, completed before it is needed.
//!
//! A plain `cargo` call would complete it by itself only where rustup is allowed to
//! (`RUSTUP_AUTO_INSTALL` may be 0) and only if no `RUSTUP_TOOLCHAIN` is set (under `cargo` it is).

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use maquette_tests::places;
use serde::Deserialize;

use crate::process;
use crate::progress::Progress;

/// What `rust-toolchain.toml` asks for.
#[derive(Debug, Deserialize)]
pub struct Toolchain {
    /// The exact version.
    pub channel: String,
    #[serde(default)]
    pub components: Vec<String>,
    #[serde(default)]
    pub targets: Vec<String>,
}

#[derive(Deserialize)]
struct Document {
    toolchain: Toolchain,
}

impl Toolchain {
    /// Reads the file of this checkout.
    pub fn pinned() -> Result<Self> {
        let path = places::workspace().join("rust-toolchain.toml");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let document: Document =
            toml::from_str(&text).with_context(|| path.display().to_string())?;
        Ok(document.toolchain)
    }

    /// Adds the targets of guests that are missing.
    pub fn add_targets(&self) -> Result<()> {
        let missing: Vec<&str> = self
            .targets
            .iter()
            .map(String::as_str)
            .filter(|target| !self.has_target(target))
            .collect();
        self.add("target", &missing)
    }

    /// Adds the tools that checks need: rustfmt, clippy.
    pub fn add_components(&self) -> Result<()> {
        let tool = |name: &str| match name {
            "clippy" => Some("cargo-clippy"),
            "rustfmt" => Some("cargo-fmt"),
            _ => None,
        };
        let absent = |name: &&str| tool(name).is_some_and(|tool| !self.runs(tool));
        let missing: Vec<&str> = self
            .components
            .iter()
            .map(String::as_str)
            .filter(absent)
            .collect();
        self.add("component", &missing)
    }

    /// A cargo of this version, whatever the caller's environment says.
    pub fn cargo(&self) -> Command {
        self.command("cargo")
    }

    /// A compiler of this version.
    pub fn rustc(&self) -> Command {
        self.command("rustc")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("RUSTUP_TOOLCHAIN", &self.channel);
        command
    }

    fn runs(&self, tool: &str) -> bool {
        process::output(self.command(tool).arg("--version")).is_ok()
    }

    /// Asks the compiler, so that a toolchain that rustup does not manage is fine too.
    fn has_target(&self, target: &str) -> bool {
        let ask = ["--print", "target-libdir", "--target", target];
        process::output(self.rustc().args(ask))
            .is_ok_and(|folder| Path::new(folder.trim()).is_dir())
    }

    fn add(&self, kind: &str, names: &[&str]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        if !process::exists("rustup") {
            bail!(
                "the toolchain lacks {}, and there is no rustup to add it",
                names.join(", ")
            );
        }
        let say = Progress::new("toolchain");
        say.step(format!("adding {}", names.join(", ")));
        let fixed = [kind, "add", "--toolchain", &self.channel];
        process::output(Command::new("rustup").args(fixed).args(names)).with_context(|| {
            format!(
                "rustup cannot add {}: is the network there?",
                names.join(", ")
            )
        })?;
        say.done(format!("added {} to {}", names.join(", "), self.channel));
        Ok(())
    }
}
