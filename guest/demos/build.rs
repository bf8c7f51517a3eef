//! Gives every binary its linker script, so that nobody needs flags to build.

use std::path::Path;
use std::{env, fs};

/// Binaries that are S-mode kernels; all others are bare M-mode programs.
const SUPERVISOR: [&str; 2] = ["smode", "reboot"];

fn main() {
    let here = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let scripts = Path::new(&here).join("../rt/ld");
    println!("cargo:rerun-if-changed={}", scripts.display());
    println!("cargo:rerun-if-changed=src/bin");
    for entry in fs::read_dir(Path::new(&here).join("src/bin")).expect("src/bin is a folder") {
        let path = entry.expect("src/bin can be listed").path();
        let name = path
            .file_stem()
            .expect("files have names")
            .to_string_lossy();
        let kind = if SUPERVISOR.contains(&&*name) {
            "supervisor"
        } else {
            "machine"
        };
        println!("cargo:rustc-link-arg-bin={name}=-L{}", scripts.display());
        println!("cargo:rustc-link-arg-bin={name}=-T{kind}.ld");
    }
}
