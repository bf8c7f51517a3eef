//! Printing that no closed pipe can turn into a panic.

use maquette_rim::error_columns;
use maquette_system::Style;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use tracing_subscriber::EnvFilter;

/// Prints what was asked for. A reader that has seen enough is no error.
pub fn print(text: &str) -> u8 {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => super::CLEAN,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => super::CLEAN,
        Err(error) => {
            complain(&format!(
                "maquette: standard output cannot be written: {error}\n"
            ));
            super::HOST_FAILURE
        }
    }
}

/// Prints something about the run. Nothing can be done if nobody hears it.
pub fn complain(text: &str) {
    complain_bytes(text.as_bytes());
}

fn complain_bytes(bytes: &[u8]) {
    let _ = io::stderr().lock().write_all(bytes);
}

/// A file that takes its place when it is complete, at the end of the run.
pub struct Later {
    path: PathBuf,
    file: File,
    /// Where it is until then; `None` for devices and pipes.
    part: Option<PathBuf>,
}

/// Makes sure that `path` can be written later, and leaves what stands there as it is.
pub fn create(path: &Path) -> Result<Later, String> {
    let refuse = |what: String, remedy: &str| {
        format!(
            "maquette: --stats {}: {what}\n  remedy: {remedy}\n",
            path.display()
        )
    };
    let special = match path.metadata() {
        Ok(meta) if meta.is_dir() => {
            return Err(refuse("this is a folder".to_owned(), "name a file in it"));
        }
        Ok(meta) if meta.is_file() => {
            if !may_replace(path) {
                let what = "the file there holds something else".to_owned();
                return Err(refuse(what, "name a new file, or delete that one first"));
            }
            false
        }
        Ok(_) => true,
        Err(_) => false,
    };
    let remedy = "name a file in a folder that exists and that you may write";
    if special {
        let file = File::options().write(true).open(path);
        let file = file.map_err(|error| refuse(error.to_string(), remedy))?;
        return Ok(Later {
            path: path.to_path_buf(),
            file,
            part: None,
        });
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let file = File::create(&part).map_err(|error| refuse(error.to_string(), remedy))?;
    Ok(Later {
        path: path.to_path_buf(),
        file,
        part: Some(part),
    })
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

impl Later {
    /// Writes the whole content and puts it in its place.
    pub fn write(mut self, text: &str) -> Result<(), String> {
        let written = self
            .file
            .write_all(text.as_bytes())
            .and_then(|()| match &self.part {
                Some(part) => fs::rename(part, &self.path),
                None => Ok(()),
            });
        if written.is_ok() {
            self.part = None;
        }
        written.map_err(|error| {
            let path = self.path.display();
            format!("maquette: --stats {path} cannot be written: {error}\n")
        })
    }
}

impl Drop for Later {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            // Nothing more can be done about a file that cannot be removed.
            let _ = fs::remove_file(part);
        }
    }
}

/// Standard error for logs: a log that nobody can read is dropped, not a panic.
struct Quiet;

impl Write for Quiet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        complain_bytes(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Drawn for a terminal, plain otherwise. `NO_COLOR` is respected (<https://no-color.org>).
pub fn style() -> Style {
    match error_columns() {
        Some(width) => Style::Drawn {
            width,
            color: std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        },
        None => Style::Plain,
    }
}

/// Sends logs to standard error.
pub fn start_log(directives: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(directives).map_err(|error| {
        format!(
            "maquette: --log {directives}: {error}\n  remedy: use off, error, warn, info, debug or trace\n"
        )
    })?;
    let colors = matches!(style(), Style::Drawn { color: true, .. });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Quiet)
        .with_ansi(colors)
        .try_init()
        .map_err(|error| format!("maquette: no log: {error}\n"))
}
