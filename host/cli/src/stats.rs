//! Where `--stats` goes: a file that takes its place when it is complete, or an output.

use super::print;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// A place that can be written at the end of the run.
pub struct Stats {
    path: PathBuf,
    to: To,
}

enum To {
    /// The file next to `path` that becomes it; `None` when it has.
    File(File, Option<PathBuf>),
    Output,
    Error,
    Nowhere,
}

/// Whether `path` is a file's and not that of an output.
pub fn is_file(path: &Path) -> bool {
    !matches!(
        path.to_str(),
        Some("-" | "/dev/stdout" | "/dev/stderr" | "/dev/null")
    )
}

/// Makes sure that `path` can be written later, and leaves what stands there as it is.
pub fn create(path: &Path) -> Result<Stats, String> {
    let to = match path.to_str() {
        Some("-" | "/dev/stdout") => To::Output,
        Some("/dev/stderr") => To::Error,
        Some("/dev/null") => To::Nowhere,
        _ => file(path).map_err(|(what, remedy)| {
            format!(
                "maquette: --stats {}: {what}\n  remedy: {remedy}\n",
                path.display()
            )
        })?,
    };
    let path = path.to_path_buf();
    Ok(Stats { path, to })
}

fn file(path: &Path) -> Result<To, (String, &'static str)> {
    let refuse = |what: &str, remedy| Err((what.to_owned(), remedy));
    match path.metadata() {
        Ok(meta) if meta.is_dir() => return refuse("this is a folder", "name a file in it"),
        Ok(meta) if !meta.is_file() => {
            let remedy = "name a file, or `-` for standard output, /dev/stderr or /dev/null";
            return refuse("this is a pipe, a socket or a device", remedy);
        }
        Ok(_) if !may_replace(path) => {
            let remedy = "name a new file, or delete that one first";
            return refuse("the file there holds something else", remedy);
        }
        Ok(_) | Err(_) => {}
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let remedy = "name a file in a folder that exists and that you may write";
    let file = File::create(&part).map_err(|error| (error.to_string(), remedy))?;
    Ok(To::File(file, Some(part)))
}

/// Whether an existing file looks like earlier statistics: nobody's kernel or disk is overwritten by
/// a slip of the fingers.
fn may_replace(path: &Path) -> bool {
    let mut first = [0];
    match File::open(path).and_then(|mut file| file.read(&mut first)) {
        Ok(0) => true,
        Ok(_) => first == *b"{",
        Err(_) => false,
    }
}

impl Stats {
    /// Writes the whole content and puts it in its place.
    pub fn write(mut self, text: &str) -> Result<(), String> {
        let written = self.try_write(text);
        written.map_err(|error| {
            let path = self.path.display();
            format!(
                "maquette: host failure: --stats {path} cannot be written: {error}\n  remedy: make room, or name a file on another disk\n"
            )
        })
    }

    fn try_write(&mut self, text: &str) -> io::Result<()> {
        match &mut self.to {
            To::File(file, part) => {
                file.write_all(text.as_bytes())?;
                // Some file systems say only here that there was no room.
                file.sync_all()?;
                if let Some(from) = part {
                    fs::rename(from, &self.path)?;
                }
                *part = None;
            }
            To::Output => {
                let mut out = io::stdout().lock();
                out.write_all(text.as_bytes()).and_then(|()| out.flush())?;
            }
            To::Error => print::complain(text),
            To::Nowhere => {}
        }
        Ok(())
    }
}

impl Drop for Stats {
    fn drop(&mut self) {
        if let To::File(_, Some(part)) = &self.to {
            // Nothing more can be done about a file that cannot be removed.
            let _ = fs::remove_file(part);
        }
    }
}
