//! Printing that no closed pipe can turn into a panic.

use maquette_rim::{erase_live_line, error_columns};
use maquette_system::Style;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use tracing_subscriber::EnvFilter;

/// Whether something that should have been shown at standard error was not.
static LOST: AtomicBool = AtomicBool::new(false);

/// Prints what was asked for.
pub fn print(text: &str) -> u8 {
    let mut out = io::stdout().lock();
    printed(out.write_all(text.as_bytes()))
}

/// The exit code after printing what was asked for. A reader that has seen enough is no error.
pub fn printed(result: io::Result<()>) -> u8 {
    match result.and_then(|()| io::stdout().flush()) {
        Ok(()) => super::CLEAN,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => super::CLEAN,
        Err(error) => {
            complain(&format!(
                "maquette: standard output cannot be written: {error}\n"
            ));
            super::HOST_FAILURE
        }
    }
}

/// Prints something about the run. If it cannot be written, as to a log on a full disk, only the exit
/// code is left to say so: see [`is_something_lost`].
pub fn complain(text: &str) {
    complain_bytes(text.as_bytes());
}

fn complain_bytes(bytes: &[u8]) {
    erase_live_line();
    match io::stderr().lock().write_all(bytes) {
        Ok(()) => {}
        // Nobody wants to know.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(_) => LOST.store(true, Ordering::Relaxed),
    }
}

/// Whether something that was to be shown at standard error could not be written.
pub fn is_something_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Standard error for logs: a log that cannot be written is no panic.
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
