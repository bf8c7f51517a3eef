//! Programs of unpacked packages, run in place.
//!
//! The packages and everything they depend on, the C library included, are unpacked into one tree.
//! Each program starts through that tree's own loader, so it runs on an older machine without a
//! chroot: it sees the host's files and sockets, needs no root, and leaves no mount behind.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::progress::Progress;

const LAUNCHER: &str = r#"#!/bin/sh
# Runs a program of this tree with the tree's own loader and libraries.
tree="$(dirname "$(dirname "$(readlink -f "$0")")")/root"
libs="$tree/usr/lib/x86_64-linux-gnu"
program="$tree/usr/bin/${0##*/}"
case "${0##*/}" in
qemu-system-*) set -- -L "$tree/usr/share/qemu" -L "$tree/usr/share/seabios" "$@" ;;
gdb-multiarch)
    export PYTHONHOME="$tree/usr"
    set -- --data-directory="$tree/usr/share/gdb" "$@"
    ;;
esac
QEMU_MODULE_DIR="$libs/qemu" exec "$libs/ld-linux-x86-64.so.2" --library-path "$libs" "$program" "$@"
"#;

/// Makes the unpacked tree part of the part, with a launcher for each program in `bin`, and tries them.
pub(super) fn install(unpacked: &Path, part: &Path, names: &[&str], say: &Progress) -> Result<()> {
    if cfg!(not(all(target_os = "linux", target_arch = "x86_64"))) {
        bail!("the programs of this part are for x86-64 Linux machines only");
    }
    let tree = part.join("root");
    fs::rename(unpacked, &tree).with_context(|| tree.display().to_string())?;
    fs::create_dir_all(unpacked)?;
    let programs = part.join("bin");
    fs::create_dir(&programs)?;
    for name in names {
        let path = programs.join(name);
        fs::write(&path, LAUNCHER)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        say.step(format!("trying {name}"));
        process::output(Command::new(&path).arg("--version"))?;
    }
    Ok(())
}
