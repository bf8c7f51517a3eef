//! `cargo xtask real-parts`: real components for tests and demos, fetched into the user's cache.
//!
//! A part is a set of Debian packages, unpacked and arranged; nothing is installed and nobody
//! needs to be root. `real-parts.lock` pins the packages; the cache keeps one folder per version
//! with a link `current`:
//!
//! ```text
//! <cache>/<part>/<version>/…     what the recipe arranged, and `stamp`, written last
//! <cache>/<part>/current         the version in use
//! <cache>/packages/<part>/       fetched packages, until the part is complete
//! <cache>/apt/<part>/            the private apt's lists, until the part is complete
//! ```
//!
//! A part is built beside its place and moved there at the end, so an interrupted run leaves
//! either the whole part or none; fetched packages are kept and checked by the next run.

mod apt;
mod cpio;
mod gdb;
mod launcher;
mod linux;
mod lock;
mod objdump;
mod opensbi;
mod qemu;

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use maquette_tests::places;

use crate::process;
use crate::progress::Progress;
use apt::Apt;
use lock::{Entry, Lock, Package};

pub use maquette_tests::Part;

/// How one part is resolved and made.
struct Recipe {
    /// The part's name in the lock and in the cache.
    name: &'static str,
    arch: &'static str,
    suites: &'static [&'static str],
    /// Counts changes of `build`, so that caches made by an older one are made again.
    revision: u32,
    /// Finds the newest packages.
    resolve: fn(&Apt) -> Result<Resolved>,
    /// Arranges unpacked packages (first folder) into the part (second folder).
    build: fn(&Path, &Path, &Progress) -> Result<()>,
}

/// What a recipe's `resolve` found.
struct Resolved {
    version: String,
    via: &'static str,
    packages: Vec<Package>,
}

impl Resolved {
    /// These packages; the part's version is that of the one called `name`.
    fn named(name: &'static str, packages: Vec<Package>) -> Result<Self> {
        let Some(main) = packages.iter().find(|p| p.name == name) else {
            bail!("{name} is not among the packages that apt would fetch for it");
        };
        Ok(Self {
            version: main.version.clone(),
            via: name,
            packages,
        })
    }
}

/// Fetches a part unless it is there, and says where it is.
pub fn ensure(part: Part) -> Result<PathBuf> {
    match part {
        Part::Qemu => make(&qemu::RECIPE),
        Part::Opensbi => make(&opensbi::RECIPE),
        Part::Objdump => make(&objdump::RECIPE),
        Part::Gdb => make(&gdb::RECIPE),
        Part::LinuxRiscv => make(&linux::RECIPE).or_else(|error| {
            if error.is::<apt::Unreachable>() {
                return Err(error);
            }
            eprintln!("linux-riscv: {error:#}");
            eprintln!("linux-riscv: falling back to Debian 13's kernel");
            let stable = make(&linux::STABLE)?;
            link(&places::cache().join(linux::RECIPE.name), &stable)?;
            Ok(stable)
        }),
    }
}

/// Fetches Debian 13's kernel beside the newest one, for those who want to meet both.
pub fn ensure_stable_linux() -> Result<PathBuf> {
    make(&linux::STABLE)
}

fn make(recipe: &Recipe) -> Result<PathBuf> {
    let say = Progress::new(recipe.name);
    let home = places::cache().join(recipe.name);
    fs::create_dir_all(&home).with_context(|| home.display().to_string())?;
    let _alone = hold(&home, &say)?;
    let mut lock = Lock::load()?;
    if let Some(entry) = lock.get(recipe.name)
        && complete(recipe, entry, &home.join(folder_name(&entry.version)))
    {
        let part = home.join(folder_name(&entry.version));
        link(&home, &part)?;
        say.done(format!("{} is in the cache", entry.version));
        return Ok(part);
    }
    let suites: Vec<String> = recipe.suites.iter().map(ToString::to_string).collect();
    let lists = places::cache().join("apt").join(recipe.name);
    let apt = Apt::open(&lists, recipe.arch, &suites, &say)?;
    let entry = current_entry(recipe, &apt, &mut lock, &say)?;
    let part = home.join(folder_name(&entry.version));
    build(recipe, &entry, &apt, &part, &say)?;
    remove(&lists)?;
    link(&home, &part)?;
    say.done(format!("{} is ready in {}", entry.version, part.display()));
    Ok(part)
}

/// The locked packages if the archive still has them all, else what takes their place.
fn current_entry(recipe: &Recipe, apt: &Apt, lock: &mut Lock, say: &Progress) -> Result<Entry> {
    if let Some(entry) = lock.get(recipe.name) {
        let pinned: Vec<String> = entry.packages.iter().map(Package::pinned).collect();
        let there = apt.show(&pinned)?;
        let gone: Vec<&Package> = entry
            .packages
            .iter()
            .filter(|p| !there.contains(p))
            .collect();
        if gone.is_empty() {
            return Ok(entry.clone());
        }
        for package in gone {
            say.say(format!(
                "{} has left the archive; resolving anew through {}",
                package.pinned(),
                entry.via
            ));
        }
    }
    let Resolved {
        version,
        via,
        packages,
    } = (recipe.resolve)(apt)?;
    say.say(format!(
        "resolved to {version} ({} packages); real-parts.lock is rewritten",
        packages.len()
    ));
    let suites = recipe.suites.iter().map(ToString::to_string).collect();
    let entry = Entry {
        version,
        arch: recipe.arch.to_owned(),
        suites,
        via: via.to_owned(),
        packages,
    };
    lock.put(recipe.name, entry.clone())?;
    Ok(entry)
}

fn build(recipe: &Recipe, entry: &Entry, apt: &Apt, part: &Path, say: &Progress) -> Result<()> {
    let packages = places::cache().join("packages").join(recipe.name);
    let files = apt.download(&entry.packages, &packages, say)?;
    let beside = |what: &str| part.with_file_name(format!(".{what}"));
    let (partial, unpacked, old) = (beside("partial"), beside("unpacked"), beside("old"));
    for folder in [&partial, &unpacked] {
        remove(folder)?;
        fs::create_dir_all(folder)?;
    }
    say.count("unpacking", files.len() as u64);
    for (done, file) in files.iter().enumerate() {
        process::output(
            Command::new("dpkg-deb")
                .arg("--extract")
                .arg(file)
                .arg(&unpacked),
        )?;
        say.at(done as u64 + 1);
    }
    (recipe.build)(&unpacked, &partial, say)?;
    fs::write(partial.join("stamp"), stamp(recipe, entry))?;
    // Somebody may be running the old one: it is out of the way for a moment only.
    remove(&old)?;
    if part.exists() {
        fs::rename(part, &old).with_context(|| part.display().to_string())?;
    }
    fs::rename(&partial, part).with_context(|| part.display().to_string())?;
    for folder in [&old, &unpacked, &packages] {
        remove(folder)?;
    }
    Ok(())
}

/// What must be equal for a folder of the cache to be this part.
fn stamp(recipe: &Recipe, entry: &Entry) -> String {
    let sums = entry
        .packages
        .iter()
        .map(|p| format!("{} {}\n", p.sha256, p.pinned()));
    format!("revision {}\n{}", recipe.revision, sums.collect::<String>())
}

fn complete(recipe: &Recipe, entry: &Entry, part: &Path) -> bool {
    fs::read_to_string(part.join("stamp")).is_ok_and(|found| found == stamp(recipe, entry))
}

/// A version as a folder's name: without Debian's epoch, whose colon some tools trip over.
fn folder_name(version: &str) -> &str {
    version.split_once(':').map_or(version, |(_, rest)| rest)
}

/// Points `current` at a part, at one stroke.
fn link(home: &Path, part: &Path) -> Result<()> {
    fs::create_dir_all(home)?;
    let (fresh, current) = (home.join("current.new"), home.join("current"));
    remove(&fresh)?;
    let target = part.strip_prefix(home).unwrap_or(part);
    symlink(target, &fresh).with_context(|| fresh.display().to_string())?;
    fs::rename(&fresh, &current).with_context(|| current.display().to_string())
}

fn remove(path: &Path) -> Result<()> {
    let result = match path.symlink_metadata() {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => Ok(()),
    };
    result.with_context(|| format!("{} cannot be removed", path.display()))
}

/// Keeps two runs from making the same part at the same time.
fn hold(home: &Path, say: &Progress) -> Result<File> {
    let path = home.join("lock");
    let file = File::create(&path).with_context(|| path.display().to_string())?;
    if file.try_lock().is_err() {
        say.step("waiting for another run that makes the same part");
        file.lock().with_context(|| path.display().to_string())?;
    }
    Ok(file)
}

/// The parts that a name on the command line means.
pub fn named(name: &str) -> Result<Vec<Part>> {
    if name == "all" {
        return Ok(Part::ALL.to_vec());
    }
    match Part::ALL.into_iter().find(|part| part.name() == name) {
        Some(part) => Ok(vec![part]),
        None => {
            let known = Part::ALL.map(Part::name).join(", ");
            bail!("there is no real part {name}; there are {known}, linux-riscv-stable, and all")
        }
    }
}

/// `cargo xtask real-parts [NAME]…`
pub fn command(names: &[String]) -> Result<()> {
    if names.is_empty() {
        for part in Part::ALL {
            match part.find() {
                Ok(found) => println!(
                    "{:12} {}  {}",
                    part.name(),
                    found.version(),
                    part.folder().display()
                ),
                Err(_) => println!("{:12} not fetched: cargo xtask real-parts {0}", part.name()),
            }
        }
        return Ok(());
    }
    for name in names {
        if name == linux::STABLE.name {
            ensure_stable_linux()?;
            continue;
        }
        for part in named(name)? {
            ensure(part)?;
        }
    }
    Ok(())
}
