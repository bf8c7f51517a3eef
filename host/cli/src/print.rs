//! Printing that no closed pipe can turn into a panic.

use maquette_rim::error_columns;
use maquette_system::Style;
use std::fs::File;
use std::io::{self, Write};
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
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// A file that will be written at the end of the run.
pub struct Later {
    path: PathBuf,
    file: File,
}

/// Creates a file for later.
pub fn create(path: &Path) -> Result<Later, String> {
    match File::create(path) {
        Ok(file) => Ok(Later {
            path: path.to_path_buf(),
            file,
        }),
        Err(error) => Err(format!(
            "maquette: --stats {}: {error}\n  remedy: name a file in a folder that exists\n",
            path.display()
        )),
    }
}

impl Later {
    /// Writes the whole content.
    pub fn write(mut self, text: &str) -> Result<(), String> {
        self.file.write_all(text.as_bytes()).map_err(|error| {
            let path = self.path.display();
            format!("maquette: --stats {path} cannot be written: {error}\n")
        })
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
        .with_writer(io::stderr)
        .with_ansi(colors)
        .try_init()
        .map_err(|error| format!("maquette: no log: {error}\n"))
}
