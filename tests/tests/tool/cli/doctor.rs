//! `doctor`, in made-up surroundings.

use maquette_tests::tool::Tool;
use serde_json::Value;
use std::path::Path;

fn put(folder: &Path, name: &str) {
    let file = folder.join(name);
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
    std::fs::write(file, "x").expect("it can be written");
}

fn doctor(home: &Path) -> Tool {
    let at = |name: &str| home.join(name).display().to_string();
    Tool::new("doctor")
        .folder(home)
        .env("HOME", &at(""))
        .env("XDG_CACHE_HOME", &at("cache"))
        .env("RUSTUP_HOME", &at("rustup"))
        .env("PATH", &at("bin"))
}

#[test]
fn rv_53_doctor_finds_what_is_there_and_names_the_command_for_the_rest() {
    let home = tempfile::tempdir().expect("a folder");
    put(home.path(), "cache/maquette/linux-riscv/7.2/stamp");
    let current = home.path().join("cache/maquette/linux-riscv/current");
    std::os::unix::fs::symlink("7.2", current).expect("a link");
    put(home.path(), "bin/cargo");
    let done = doctor(home.path()).finish();
    done.expect_code(0);
    for line in [
        "part linux-riscv  in the cache, 7.2",
        "cargo             in ",
    ] {
        assert!(done.stdout.contains(line), "{line}: {}", done.stdout);
    }
    for remedy in [
        "`cargo xtask real-parts opensbi`",
        "`cargo xtask real-parts qemu`",
        "`rustup toolchain install`",
    ] {
        assert!(done.stdout.contains(remedy), "{remedy}: {}", done.stdout);
    }
    let blocked = home.path().join("cache/maquette/linux-riscv/7.2/stamp");
    let blocked = blocked.display().to_string();
    let done = doctor(home.path()).env("XDG_CACHE_HOME", &blocked).finish();
    let line =
        format!("{blocked}/maquette cannot be used: {blocked} cannot be written: not a directory");
    assert!(done.stdout.contains(&line), "{}", done.stdout);
    let json = doctor(home.path()).arg("--json").finish();
    json.expect_code(0);
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json["usable"], true);
    let findings = json["findings"].as_array().expect("a list");
    let of = |name: &str| findings.iter().find(|f| f["name"] == name);
    assert_eq!(of("cargo").expect("cargo")["ok"], true);
    let qemu = of("part qemu").expect("qemu");
    assert_eq!(qemu["ok"], false);
    assert_eq!(qemu["remedy"], "run `cargo xtask real-parts qemu`");
}
