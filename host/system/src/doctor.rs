//! What this host can do, what is missing, and the command that mends it.
//!
//! Facts are gathered into [`Host`] first; [`examine`] is a function of them, so that a test can be any
//! host.

use crate::causes::with_causes;
use crate::locate::Places;
use crate::units::show_size;
use maquette_rim::{
    Kvm, NoFolder, address_space_limit, file_size_limit, free_bytes, has_terminal, kvm,
};
use serde_json::{Value, json};
use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The target that guests are built for.
const TARGET: &str = "riscv64gc-unknown-none-elf";
/// Real parts, and what each is for.
const PARTS: [(&str, &str); 4] = [
    ("linux-riscv", "the Linux systems"),
    ("opensbi", "systems/linux-opensbi.toml"),
    ("qemu", "tests and benchmarks that compare with QEMU"),
    ("gdb", "tests with a debugger"),
];
/// What all parts together take, packages included, with some air.
const CACHE_WANTS: u64 = 2 << 30;
/// The smallest address space in which the systems of the project run.
const MEMORY_WANTS: u64 = 1 << 30;

/// What is known of a host.
#[derive(Debug)]
pub struct Host {
    /// Where parts and guests are looked for.
    pub places: Places,
    /// `HOME`.
    pub home: PathBuf,
    /// `RUSTUP_HOME`, if it is set.
    pub rustup: Option<PathBuf>,
    /// `PATH`.
    pub path: OsString,
    /// Free bytes where the cache is, or why it cannot be there.
    pub free: Result<u64, NoFolder>,
    /// The limit of the address space.
    pub address_space: Option<u64>,
    /// The limit of a file's size.
    pub file_size: Option<u64>,
    /// Whether a person can take over the console.
    pub terminal: bool,
    /// The host's hypervisor.
    pub kvm: Kvm,
}

impl Host {
    /// This host, for somebody who works in the current folder.
    #[must_use]
    pub fn this() -> Self {
        let places = Places::of(Path::new("x.toml"));
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        Self {
            free: free_bytes(&places.cache),
            places,
            home: set("HOME").unwrap_or_default().into(),
            rustup: set("RUSTUP_HOME").map(PathBuf::from),
            path: set("PATH").unwrap_or_default(),
            address_space: address_space_limit(),
            file_size: file_size_limit(),
            terminal: has_terminal(),
            kvm: kvm(Path::new("/dev/kvm")),
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What.
    pub name: String,
    /// What was found.
    pub found: String,
    /// What to do about it; `None` where all is well.
    pub remedy: Option<String>,
}

/// Everything that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnosis {
    /// In the order in which they are shown.
    pub findings: Vec<Finding>,
    /// Whether anything can be run at all.
    pub usable: bool,
}

/// Looks at everything.
#[must_use]
pub fn examine(host: &Host) -> Diagnosis {
    let guests = guests(host);
    let parts: Vec<Finding> = PARTS.iter().map(|part| real_part(host, *part)).collect();
    let memory = memory(host);
    let linux = parts.first().is_some_and(|linux| linux.remedy.is_none());
    let usable = (guests.remedy.is_none() || linux) && memory.remedy.is_none();
    let mut findings = vec![guests];
    findings.extend(parts);
    findings.extend([
        program(host, "cargo", "install rustup, see https://rustup.rs"),
        target(host),
        disk(host),
        memory,
        files(host),
        terminal(host),
        hypervisor(host),
    ]);
    Diagnosis { findings, usable }
}

fn finding(name: impl Into<String>, found: impl Into<String>, remedy: Option<&str>) -> Finding {
    Finding {
        name: name.into(),
        found: found.into(),
        remedy: remedy.map(str::to_owned),
    }
}

fn guests(host: &Host) -> Finding {
    let built = host.places.guests.iter();
    match built.map(|f| f.join("hello")).find(|f| f.is_file()) {
        Some(hello) => {
            let folder = hello.parent().unwrap_or(&hello);
            finding("guests", format!("built, in {}", folder.display()), None)
        }
        None => {
            let remedy = "run `cargo xtask guests` in the project";
            finding(
                "guests",
                "not built, or not in sight of this folder",
                Some(remedy),
            )
        }
    }
}

/// A part is whole when its stamp is there, which is written last.
fn real_part(host: &Host, (name, purpose): (&str, &str)) -> Finding {
    let current = host.places.cache.join(name).join("current");
    let label = format!("part {name}");
    let stamp = current.join("stamp");
    let unreadable = match stamp.metadata() {
        Ok(_) => None,
        Err(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => None,
            _ => Some(error),
        },
    };
    if let Some(error) = unreadable {
        let found = format!("cannot be looked for: {}: {error}", current.display());
        let remedy =
            "give yourself the right to read that folder, or set XDG_CACHE_HOME to another";
        return finding(label, found, Some(remedy));
    }
    if stamp.is_file() {
        let version = current.canonicalize().ok();
        let version = version.as_deref().and_then(Path::file_name);
        let version = version.map_or_else(String::new, |v| v.to_string_lossy().into_owned());
        return finding(label, format!("in the cache, {version}"), None);
    }
    let remedy = format!("run `cargo xtask real-parts {name}`");
    let found = format!("not in the cache; for {purpose}");
    finding(label, found, Some(&remedy))
}

fn program(host: &Host, name: &str, remedy: &str) -> Finding {
    let mut folders = env::split_paths(&host.path).filter(|f| f.is_absolute());
    match folders.find(|folder| folder.join(name).is_file()) {
        Some(folder) => finding(name, format!("in {}", folder.display()), None),
        None => finding(name, "in no folder of PATH", Some(remedy)),
    }
}

/// rustup keeps a folder for each target of each toolchain.
fn target(host: &Host) -> Finding {
    let rustup = host.rustup.clone();
    let toolchains = rustup
        .unwrap_or_else(|| host.home.join(".rustup"))
        .join("toolchains");
    let entries = std::fs::read_dir(&toolchains)
        .into_iter()
        .flatten()
        .flatten();
    let has = |folder: &Path| folder.join("lib/rustlib").join(TARGET).is_dir();
    let mut with: Vec<String> = entries
        .filter(|entry| has(&entry.path()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    with.sort();
    if with.is_empty() {
        let remedy = "run `rustup toolchain install` in the project; guests cannot be built before";
        let found = format!("{TARGET} is in no toolchain of {}", toolchains.display());
        return finding("Rust target", found, Some(remedy));
    }
    finding(
        "Rust target",
        format!("{TARGET} in {}", with.join(", ")),
        None,
    )
}

fn disk(host: &Host) -> Finding {
    let cache = host.places.cache.display();
    match &host.free {
        Ok(free) if *free >= CACHE_WANTS => {
            let found = format!("{} free for {cache}", rounded(*free));
            finding("cache space", found, None)
        }
        Ok(free) => {
            let found = format!(
                "{} free for {cache}, {} wanted",
                rounded(*free),
                show_size(CACHE_WANTS)
            );
            let remedy = "make room, or set XDG_CACHE_HOME to a folder with room";
            finding("cache space", found, Some(remedy))
        }
        Err(why) => {
            let remedy = "set XDG_CACHE_HOME to a folder that you can write";
            let found = format!("{cache} cannot be used: {}", with_causes(why));
            finding("cache space", found, Some(remedy))
        }
    }
}

fn memory(host: &Host) -> Finding {
    match host.address_space {
        None => finding("memory", "no limit of the address space", None),
        Some(limit) if limit >= MEMORY_WANTS => {
            let found = format!("address space limited to {}", rounded(limit));
            finding("memory", found, None)
        }
        Some(limit) => {
            let wants = show_size(MEMORY_WANTS);
            let found = format!(
                "address space limited to {}, {wants} wanted",
                rounded(limit)
            );
            finding("memory", found, Some("run `ulimit -v unlimited` before"))
        }
    }
}

fn files(host: &Host) -> Finding {
    match host.file_size {
        None => finding("file size", "no limit", None),
        Some(limit) => {
            let found = format!(
                "files limited to {}: disk images and recordings may not fit",
                rounded(limit)
            );
            finding("file size", found, Some("run `ulimit -f unlimited` before"))
        }
    }
}

fn terminal(host: &Host) -> Finding {
    if host.terminal {
        return finding("terminal", "a person can take over a console", None);
    }
    let remedy = "run it from a terminal, without redirecting standard input and error";
    finding(
        "terminal",
        "none: `--interactive` is not possible",
        Some(remedy),
    )
}

/// Nothing needs it yet: machines run without a hypervisor.
fn hypervisor(host: &Host) -> Finding {
    let (found, remedy) = match &host.kvm {
        Kvm::Present => ("/dev/kvm can be opened".to_owned(), None),
        Kvm::Absent => (
            "no /dev/kvm; no system of this project needs it".to_owned(),
            Some("load the module kvm-intel or kvm-amd, if this host has the hardware"),
        ),
        Kvm::NoPermission => (
            "/dev/kvm is there, but not for this user".to_owned(),
            Some("run `sudo usermod -aG kvm $USER` and log in again"),
        ),
        Kvm::Broken(error) => (
            format!("/dev/kvm cannot be opened: {error}"),
            Some("look at the host's log: `dmesg | grep kvm`"),
        ),
    };
    finding("KVM", found, remedy)
}

/// A size to the MiB below, and from 10 GiB on to the GiB.
fn rounded(bytes: u64) -> String {
    let unit: u64 = if bytes >= 10 << 30 { 1 << 30 } else { 1 << 20 };
    show_size(bytes / unit * unit)
}

impl Diagnosis {
    /// 0 if something can be run, else 1.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        if self.usable { 0 } else { crate::EXIT_SETUP }
    }

    /// One line each, and the remedy below where one is needed.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let width = self
            .findings
            .iter()
            .map(|f| f.name.len())
            .max()
            .unwrap_or(0);
        for f in &self.findings {
            let state = if f.remedy.is_none() {
                "ok     "
            } else {
                "missing"
            };
            let _ = writeln!(out, "{state}  {:width$}  {}", f.name, f.found);
            if let Some(remedy) = &f.remedy {
                let _ = writeln!(out, "{:9}{:width$}  remedy: {remedy}", "", "");
            }
        }
        let missing = self.findings.iter().filter(|f| f.remedy.is_some()).count();
        let verdict = match (self.usable, missing) {
            (true, 0) => "everything is there",
            (true, _) => "systems can be run; what is missing is for more",
            (false, _) => "nothing can be run yet",
        };
        let _ = writeln!(out, "{verdict}");
        out
    }

    /// The same for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let findings: Vec<Value> = (self.findings.iter())
            .map(|f| {
                json!({
                    "name": f.name,
                    "ok": f.remedy.is_none(),
                    "found": f.found,
                    "remedy": f.remedy,
                })
            })
            .collect();
        json!({ "usable": self.usable, "findings": findings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn put(folder: &Path, name: &str) {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
        fs::write(file, "x").expect("it can be written");
    }

    /// A host that lacks nothing.
    fn whole(folder: &Path) -> Host {
        put(folder, "guests/hello");
        put(folder, "bin/cargo");
        for (part, _) in PARTS {
            put(folder, &format!("cache/{part}/current/stamp"));
        }
        let target = format!(".rustup/toolchains/1.0/lib/rustlib/{TARGET}/x");
        put(folder, &target);
        Host {
            places: Places {
                base: folder.to_path_buf(),
                cache: folder.join("cache"),
                guests: vec![folder.join("guests")],
            },
            home: folder.to_path_buf(),
            rustup: None,
            path: folder.join("bin").into(),
            free: Ok(100 << 30),
            address_space: None,
            file_size: None,
            terminal: true,
            kvm: Kvm::Present,
        }
    }

    fn missing(host: &Host) -> Vec<String> {
        let all = examine(host).findings.into_iter();
        all.filter(|f| f.remedy.is_some()).map(|f| f.name).collect()
    }

    #[test]
    fn rv_53_a_host_that_lacks_nothing_has_no_remedy() {
        let folder = tempfile::tempdir().expect("a folder");
        let diagnosis = examine(&whole(folder.path()));
        assert_eq!(missing(&whole(folder.path())), [""; 0]);
        assert_eq!(diagnosis.exit_code(), 0);
        assert!(diagnosis.text().ends_with("everything is there\n"));
        assert!(!diagnosis.text().contains("remedy"));
    }

    #[test]
    fn rv_53_each_thing_that_lacks_is_named_alone_with_its_remedy() {
        let folder = tempfile::tempdir().expect("a folder");
        let lacks = |name: &str, remedy: &str, change: &dyn Fn(&mut Host)| {
            let mut host = whole(folder.path());
            change(&mut host);
            let diagnosis = examine(&host);
            assert_eq!(missing(&host), [name]);
            let text = diagnosis.text();
            assert!(text.contains(remedy), "{name}: {text}");
            assert_eq!(diagnosis.usable, name != "memory", "{name}");
            let json = diagnosis.json();
            let of = |f: &&Value| f["name"] == name;
            let found = json["findings"].as_array().and_then(|a| a.iter().find(of));
            assert_eq!(found.expect("the finding")["ok"], false);
        };
        lacks("guests", "`cargo xtask guests`", &|h| {
            h.places.guests.clear()
        });
        lacks("cargo", "https://rustup.rs", &|h| {
            h.path = "/nowhere".into()
        });
        lacks("Rust target", "`rustup toolchain install`", &|h| {
            h.rustup = Some("/nowhere".into());
        });
        lacks("cache space", "XDG_CACHE_HOME", &|h| h.free = Ok(1 << 30));
        lacks("cache space", "XDG_CACHE_HOME", &|h| {
            h.free = Err(NoFolder {
                place: "/a/file".into(),
                source: ErrorKind::NotADirectory.into(),
            });
        });
        lacks("part qemu", "right to read", &|h| {
            let qemu = folder.path().join("other/qemu");
            put(folder.path(), "other/x");
            for (part, _) in PARTS.iter().filter(|(part, _)| *part != "qemu") {
                put(folder.path(), &format!("other/{part}/current/stamp"));
            }
            // Root may read every folder, but not what a link to itself leads to.
            let _ = std::os::unix::fs::symlink("qemu", &qemu);
            h.places.cache = folder.path().join("other");
        });
        lacks("memory", "`ulimit -v unlimited`", &|h| {
            h.address_space = Some(100 << 20);
        });
        lacks("file size", "`ulimit -f unlimited`", &|h| {
            h.file_size = Some(1 << 20);
        });
        lacks("terminal", "from a terminal", &|h| h.terminal = false);
        lacks("KVM", "usermod", &|h| h.kvm = Kvm::NoPermission);
        lacks("KVM", "module", &|h| h.kvm = Kvm::Absent);
    }

    #[test]
    fn rv_53_with_neither_guest_nor_kernel_nothing_can_be_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut host = whole(folder.path());
        host.places.guests.clear();
        host.places.cache = "/nowhere".into();
        let diagnosis = examine(&host);
        assert_eq!(diagnosis.exit_code(), 1);
        assert!(diagnosis.text().ends_with("nothing can be run yet\n"));
        for (part, _) in PARTS {
            let remedy = format!("`cargo xtask real-parts {part}`");
            assert!(diagnosis.text().contains(&remedy), "{part}");
        }
    }
}
