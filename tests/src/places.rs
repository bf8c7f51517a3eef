//! Where things are: the checkout, the build products, the cache of real parts.
//!
//! The environment may override each place, so that the tools that run the tests have the last
//! word: `CARGO_TARGET_DIR`, `XDG_CACHE_HOME`, and `MAQUETTE_BIN` for the tool under test.

use std::env;
use std::path::{Path, PathBuf};

/// The top of the checkout.
///
/// Looked for at run time, upward from the package that cargo runs (else from the current folder):
/// two checkouts that share a target directory share compiled files, so what the compiler knew may
/// be the other one.
#[must_use]
pub fn workspace() -> PathBuf {
    let start = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let start = start
        .or_else(|| env::current_dir().ok())
        .unwrap_or_default();
    let is_top = |folder: &&Path| {
        folder.join("rust-toolchain.toml").is_file() && folder.join("xtask").is_dir()
    };
    let compiled_in = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = start
        .ancestors()
        .find(is_top)
        .or_else(|| compiled_in.parent());
    found.unwrap_or(compiled_in).to_path_buf()
}

/// Cargo's target directory of the host workspace.
#[must_use]
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => workspace().join(dir),
        None => workspace().join("target"),
    }
}

/// Guest programs, one file each, named as the package's binary. This does not follow
/// `CARGO_TARGET_DIR`, because system files refer to guests by a path relative to themselves.
#[must_use]
pub fn guests() -> PathBuf {
    workspace().join("target/guests")
}

/// One JSON file per test that was skipped in the latest run.
#[must_use]
pub fn skips() -> PathBuf {
    target().join("skips")
}

/// The cache of real parts, shared by all checkouts of one user.
#[must_use]
pub fn cache() -> PathBuf {
    let base = match env::var_os("XDG_CACHE_HOME") {
        Some(dir) if !dir.is_empty() => PathBuf::from(dir),
        _ => PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache"),
    };
    base.join("maquette")
}

/// The `maquette` binary that tests drive: the release build, since that is what users run.
#[must_use]
pub fn tool() -> PathBuf {
    match env::var_os("MAQUETTE_BIN") {
        Some(path) => PathBuf::from(path),
        None => target().join("release/maquette"),
    }
}
