//! Where the files that a description names are.
//!
//! * a plain path is relative to the folder of the system file;
//! * `part:NAME/FILE` is a file of a real part in the cache
//!   (`${XDG_CACHE_HOME:-~/.cache}/maquette/NAME/current/FILE`);
//! * `guest:NAME` is a built guest program: `target/guests/NAME` in the project that holds the system
//!   file or the working directory, or `guests/NAME` beside the `maquette` binary.

use crate::problem::Fault;
use crate::suggest;
use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

/// What surrounds a description: the places that names are looked up in.
#[derive(Clone, Debug)]
pub struct Places {
    /// The folder of the system file.
    pub base: PathBuf,
    /// The cache of real parts.
    pub cache: PathBuf,
    /// Folders that may hold built guests, in the order in which they are tried.
    pub guests: Vec<PathBuf>,
}

impl Places {
    /// The places that belong to a system file, after the environment's variables.
    #[must_use]
    pub fn of(file: &Path) -> Self {
        let base = file.parent().map(Path::to_path_buf).unwrap_or_default();
        Self {
            cache: cache(env::var_os("XDG_CACHE_HOME"), env::var_os("HOME")),
            guests: guest_folders(&base),
            base,
        }
    }

    /// The path that `name` stands for. The file need not be there.
    ///
    /// # Errors
    /// When a `part:` or `guest:` name is malformed, or a guest is nowhere.
    pub fn resolve(&self, name: &str) -> Result<PathBuf, Fault> {
        if let Some(guest) = name.strip_prefix("guest:") {
            return self.guest(guest);
        }
        if let Some(part) = name.strip_prefix("part:") {
            return self.part(part);
        }
        Ok(self.base.join(name))
    }

    fn guest(&self, name: &str) -> Result<PathBuf, Fault> {
        if !plain(name) || name.contains('/') {
            return Err(bad_name("guest:", name, "guest:hello"));
        }
        let tried = self.guests.iter().map(|folder| folder.join(name));
        if let Some(path) = tried.clone().find(|path| path.is_file()) {
            return Ok(path);
        }
        let build = "run `cargo xtask guests`, and look for the name in guest/";
        let built = self.guests.iter().map(|folder| names(folder));
        let built = built.into_iter().find(|names| !names.is_empty());
        Err(Fault::File {
            what: format!("the guest program `{name}` is not built"),
            path: tried.into_iter().next().unwrap_or_else(|| name.into()),
            remedy: match built {
                None => build.to_owned(),
                Some(built) => format!("{}; else {build}", chosen_from(name, &built)),
            },
        })
    }

    fn part(&self, name: &str) -> Result<PathBuf, Fault> {
        let Some((part, file)) = name.split_once('/').filter(|_| plain(name)) else {
            return Err(bad_name("part:", name, "part:linux-riscv/vmlinuz"));
        };
        let folder = self.cache.join(part).join("current");
        let path = folder.join(file);
        match path.try_exists() {
            Ok(true) => return Ok(path),
            Ok(false) => {}
            Err(error) => return Err(file_fault(&path, &error)),
        }
        let fetch = format!("run `cargo xtask real-parts {part}`");
        let mut there = names(&folder);
        // What says that the part is whole is no file of it.
        there.retain(|name| name != "stamp");
        let (what, remedy) = if there.is_empty() {
            (format!("the real part `{part}` is not in the cache"), fetch)
        } else {
            let what = format!("the real part `{part}` has no file `{file}`");
            (what, chosen_from(file, &there))
        };
        Err(Fault::File { what, path, remedy })
    }
}

/// The names in a folder, sorted; none if it cannot be read.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn chosen_from(name: &str, there: &[String]) -> String {
    let there: Vec<&str> = there.iter().map(String::as_str).collect();
    suggest::remedy(name, &there)
}

/// Whether a name is a path of plain components: nothing that leads out of its folder.
fn plain(name: &str) -> bool {
    !name.is_empty()
        && !name.ends_with('/')
        && Path::new(name)
            .components()
            .all(|c| matches!(c, Component::Normal(_)))
}

fn bad_name(scheme: &'static str, name: &str, example: &str) -> Fault {
    Fault::Combination {
        what: format!("`{scheme}{name}` names no file"),
        remedy: format!("write it as \"{example}\""),
    }
}

fn cache(xdg: Option<OsString>, home: Option<OsString>) -> PathBuf {
    match xdg.filter(|dir| !dir.is_empty()) {
        Some(dir) => PathBuf::from(dir),
        None => PathBuf::from(home.unwrap_or_default()).join(".cache"),
    }
    .join("maquette")
}

fn guest_folders(base: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let here = env::current_dir().ok();
    let start = std::fs::canonicalize(if base.as_os_str().is_empty() {
        Path::new(".")
    } else {
        base
    });
    for top in [start.ok(), here].into_iter().flatten() {
        folders.extend(top.ancestors().map(|dir| dir.join("target/guests")));
    }
    if let Some(beside) = env::current_exe().ok().as_deref().and_then(Path::parent) {
        folders.push(beside.join("guests"));
        // A binary in target/release stands beside target/guests.
        folders.extend(beside.parent().map(|dir| dir.join("guests")));
    }
    // The first is named when a guest is nowhere: prefer one whose project exists.
    folders.sort_by_key(|folder| !folder.parent().is_some_and(Path::exists));
    folders
}

/// What the host said about a file, in words, with the remedy.
#[must_use]
pub fn file_fault(path: &Path, error: &io::Error) -> Fault {
    let dangling = path.is_symlink() && !path.exists();
    let (what, remedy) = match error.kind() {
        io::ErrorKind::NotFound if dangling => (
            "this link leads to a file that is not there".to_owned(),
            "correct the link or name the file itself",
        ),
        io::ErrorKind::NotFound => (
            "there is no such file".to_owned(),
            "correct the path; it is relative to the folder of the system file",
        ),
        io::ErrorKind::PermissionDenied => (
            "the host refuses to open this file".to_owned(),
            "give yourself the permission, or use a copy",
        ),
        io::ErrorKind::InvalidInput if path.as_os_str().as_encoded_bytes().contains(&0) => (
            "this path has a zero byte in it".to_owned(),
            "remove the zero byte (`\\u0000`) from the path",
        ),
        io::ErrorKind::InvalidFilename => (
            "this path is too long for the host".to_owned(),
            "name the file by a shorter path: at most 255 bytes between two `/`, and 4095 in all",
        ),
        _ if maquette_rim::is_link_loop(error) => (
            "this link leads back to itself".to_owned(),
            "point the link at a file, or name the file itself",
        ),
        io::ErrorKind::IsADirectory => ("this is a directory".to_owned(), "name a file in it"),
        _ => (
            format!("the file cannot be read ({error})"),
            "try to read it with another tool; the disk or file system may be damaged",
        ),
    };
    Fault::File {
        what,
        path: path.to_path_buf(),
        remedy: remedy.to_owned(),
    }
}

/// Reads a whole file of at most `most` bytes; `too_large` is the remedy for a larger one.
///
/// # Errors
/// When it is not there, is no regular file, is too large or cannot be read.
pub fn read_file(path: &Path, most: u64, too_large: &str) -> Result<Vec<u8>, Fault> {
    let refuse = |error: io::Error| file_fault(path, &error);
    let meta = std::fs::metadata(path).map_err(refuse)?;
    if meta.is_dir() {
        return Err(refuse(io::ErrorKind::IsADirectory.into()));
    }
    if !meta.is_file() {
        return Err(Fault::File {
            what: "this is a device or a pipe".to_owned(),
            path: path.to_path_buf(),
            remedy: "name a regular file".to_owned(),
        });
    }
    if meta.len() > most {
        return Err(Fault::File {
            what: format!(
                "this file has {} bytes, more than the {} that can be of use",
                meta.len(),
                crate::units::show_size(most)
            ),
            path: path.to_path_buf(),
            remedy: too_large.to_owned(),
        });
    }
    std::fs::read(path).map_err(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(folder: &Path) -> Places {
        Places {
            base: folder.join("systems"),
            cache: folder.join("cache"),
            guests: vec![folder.join("guests")],
        }
    }

    #[test]
    fn resolve_plain_path_is_relative_to_the_system_file() {
        let folder = Path::new("/x");
        assert_eq!(
            places(folder).resolve("a/b.img").ok(),
            Some(folder.join("systems/a/b.img"))
        );
        assert_eq!(
            places(folder).resolve("/abs.img").ok(),
            Some(PathBuf::from("/abs.img"))
        );
    }

    #[test]
    fn resolve_absent_part_and_guest_name_the_command_that_makes_them() {
        let p = places(Path::new("/nowhere"));
        let part = p.resolve("part:linux-riscv/vmlinuz").expect_err("absent");
        assert_eq!(part.remedy(), "run `cargo xtask real-parts linux-riscv`");
        let guest = p.resolve("guest:hello").expect_err("absent");
        assert!(guest.remedy().contains("`cargo xtask guests`"));
    }

    #[test]
    fn resolve_name_that_leads_out_of_its_folder_is_refused() {
        let p = places(Path::new("/nowhere"));
        for name in [
            "part:",
            "part:a",
            "part:a/",
            "part:../x/y",
            "part:a/../b",
            "guest:",
            "guest:a/b",
            "guest:..",
        ] {
            assert!(
                matches!(p.resolve(name), Err(Fault::Combination { .. })),
                "{name}"
            );
        }
    }

    #[test]
    fn cache_follows_xdg_then_home() {
        assert_eq!(
            cache(Some("/c".into()), Some("/h".into())),
            PathBuf::from("/c/maquette")
        );
        assert_eq!(
            cache(Some("".into()), Some("/h".into())),
            PathBuf::from("/h/.cache/maquette")
        );
    }

    #[test]
    fn file_that_cannot_be_named_says_why() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path();
        std::os::unix::fs::symlink(dir.join("a"), dir.join("b")).expect("a link");
        std::os::unix::fs::symlink(dir.join("b"), dir.join("a")).expect("a link");
        for (name, what, remedy) in [
            ("a", "leads back to itself", "point the link at a file"),
            ("a/x", "leads back to itself", "point the link at a file"),
            (
                &"x".repeat(300),
                "too long for the host",
                "at most 255 bytes",
            ),
            (&"x/".repeat(3_000), "too long for the host", "4095 in all"),
            ("x\0y", "a zero byte", "remove the zero byte"),
        ] {
            let fault = read_file(&dir.join(name), 99, "").expect_err(what);
            assert!(fault.to_string().contains(what), "{name}: {fault}");
            assert!(
                fault.remedy().contains(remedy),
                "{name}: {}",
                fault.remedy()
            );
        }
    }

    #[test]
    fn read_file_of_every_unreadable_kind_says_which() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path();
        std::os::unix::fs::symlink(dir.join("absent"), dir.join("link")).expect("a link");
        std::fs::write(dir.join("big"), [0; 100]).expect("a file");
        for (name, word) in [
            ("absent", "no such file"),
            ("link", "link leads"),
            ("", "directory"),
            ("big", "100 bytes"),
        ] {
            let fault = read_file(&dir.join(name), 99, "").expect_err(name);
            assert!(fault.to_string().contains(word), "{name}: {fault}");
        }
        let null = read_file(Path::new("/dev/null"), 99, "").expect_err("a device");
        assert!(null.to_string().contains("device or a pipe"));
    }
}
