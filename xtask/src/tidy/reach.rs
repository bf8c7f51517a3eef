//! Which code a guest or a file can reach, and which code must be deterministic.

use std::path::Path;

/// Code in which a panic would be a guest's, or a file's, to cause.
pub fn may_not_panic(package: &Path) -> bool {
    package.starts_with("protocols") || package.starts_with("host")
}

/// Models: what they do depends on what they are told and on nothing else (STYLE rule 1).
pub fn is_model(package: &Path) -> bool {
    const MODELS: [&str; 9] = [
        "host/model",
        "host/trace",
        "host/sim",
        "host/devices",
        "host/virtio",
        "host/network",
        "host/pci",
        "host/rv64",
        "host/machine",
    ];
    package.starts_with("protocols") || MODELS.iter().any(|model| package == Path::new(model))
}

/// Packages in which clippy looks for an index or a cast that a guest or a file could make wrong: all that
/// hostile input reaches first. `rv64` and `machine` are not among them yet: their indices are masked, or
/// bounded by what they built themselves.
pub fn is_checked(package: &Path) -> bool {
    const CHECKED: [&str; 8] = [
        "host/devices",
        "host/model",
        "host/network",
        "host/rim",
        "host/sim",
        "host/system",
        "host/trace",
        "host/virtio",
    ];
    package.starts_with("protocols") || CHECKED.iter().any(|name| package == Path::new(name))
}

/// Files whose values a system file gives.
pub fn is_configuration(path: &Path) -> bool {
    let system = Path::new("host/system/src");
    path.starts_with(system.join("schema")) || path == system.join("description.rs")
}

/// Modules of `std` that reach the host; `machine` and `sim` may run on several threads.
pub fn forbidden_module(package: &Path, module: &str) -> bool {
    let threads_allowed = [Path::new("host/machine"), Path::new("host/sim")].contains(&package);
    match module {
        "thread" => !threads_allowed,
        "net" | "fs" | "process" | "env" => true,
        _ => false,
    }
}

/// Types whose behaviour differs from run to run.
pub fn forbidden_type(name: &str) -> Option<&'static str> {
    match name {
        "Instant" | "SystemTime" => Some("reads the host's clock; inside, all time is virtual"),
        "HashMap" | "HashSet" | "RandomState" => {
            Some("is seeded at random; use the B-tree kind or a fixed hasher")
        }
        _ => None,
    }
}

/// Libraries whose clock is what their caller says: their `Instant` is a number.
pub fn is_told_the_time(library: &str) -> bool {
    library == "smoltcp"
}
