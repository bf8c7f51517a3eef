//! QEMU 11 out of Debian 13's backports, run in place.
//!
//! The packages and everything they depend on, the C library included, are unpacked into one tree.
//! Each program starts through that tree's own loader, so it runs on an older machine without a
//! chroot: it sees the host's files and sockets, needs no root, and leaves no mount behind.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::apt::Apt;
use super::{Recipe, Resolved};
use crate::process;
use crate::progress::Progress;

const META: &str = "qemu-system-riscv";
const ROOTS: [&str; 4] = [META, "qemu-system-x86", "opensbi", "seabios"];
const PROGRAMS: [&str; 3] = ["qemu-system-riscv64", "qemu-system-x86_64", "qemu-img"];
const BACKPORTS: &str = "trixie-backports";

pub(super) const RECIPE: Recipe = Recipe {
    name: "qemu",
    arch: "amd64",
    suites: &["trixie", BACKPORTS],
    revision: 1,
    resolve,
    build,
};

const LAUNCHER: &str = r#"#!/bin/sh
# Runs a program of this tree with the tree's own loader and libraries.
tree="$(dirname "$(dirname "$(readlink -f "$0")")")/root"
libs="$tree/usr/lib/x86_64-linux-gnu"
program="$tree/usr/bin/${0##*/}"
case "${0##*/}" in
qemu-system-*) set -- -L "$tree/usr/share/qemu" -L "$tree/usr/share/seabios" "$@" ;;
esac
QEMU_MODULE_DIR="$libs/qemu" exec "$libs/ld-linux-x86-64.so.2" --library-path "$libs" "$program" "$@"
"#;

fn resolve(apt: &Apt) -> Result<Resolved> {
    let mut roots = ROOTS.to_vec();
    roots.push("qemu-utils");
    let packages = apt.closure(&roots, BACKPORTS)?;
    let Some(main) = packages.iter().find(|p| p.name == META) else {
        bail!("{META} is not among the packages that apt would fetch for it");
    };
    Ok(Resolved {
        version: main.version.clone(),
        via: META,
        packages,
    })
}

fn build(unpacked: &Path, part: &Path, say: &Progress) -> Result<()> {
    if cfg!(not(all(target_os = "linux", target_arch = "x86_64"))) {
        bail!("the qemu part is made for x86-64 Linux machines only");
    }
    let tree = part.join("root");
    fs::rename(unpacked, &tree).with_context(|| tree.display().to_string())?;
    fs::create_dir_all(unpacked)?;
    let programs = part.join("bin");
    fs::create_dir(&programs)?;
    for name in PROGRAMS {
        let path = programs.join(name);
        fs::write(&path, LAUNCHER)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        say.step(format!("trying {name}"));
        process::output(Command::new(&path).arg("--version"))?;
    }
    Ok(())
}
