//! Signals that ask the process to end.
//!
//! A handler only stores the signal's number and writes a byte to a socket, so that a rim that is
//! asleep in `poll` wakes. The run then ends in the ordinary way: terminal restored, report printed,
//! files closed. Who cannot wait for that asks a second time.

use crate::handlers::{LISTENERS, force_when_asked_again};
use rustix::process::Signal;
use signal_hook::SigId;
use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM,
    SIGXCPU, SIGXFSZ,
};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What ends a run: everything that would kill the process and leaves it able to end by itself.
const ENDING: [i32; 13] = [
    SIGHUP,
    SIGINT,
    SIGQUIT,
    SIGTERM,
    SIGUSR1,
    SIGUSR2,
    SIGALRM,
    SIGVTALRM,
    SIGPROF,
    SIGXCPU,
    SIGIO,
    POWER,
    STACK_FAULT,
];
const POWER: i32 = Signal::POWER.as_raw();
const STACK_FAULT: i32 = Signal::STKFLT.as_raw();

/// The signal that says that the terminal is gone.
pub const HANGUP: i32 = SIGHUP;

/// Whether the end can be forced; that is for the whole process.
static FORCIBLE: Mutex<bool> = Mutex::new(false);

/// Listens for the signals that end a run, from [`Signals::listen`] until it is dropped.
#[derive(Debug)]
pub struct Signals {
    last: Arc<AtomicUsize>,
    wake: UnixStream,
    ids: Vec<SigId>,
}

impl Signals {
    /// Begins to listen. From now on these signals no longer kill the process.
    ///
    /// # Errors
    /// When the host refuses a socket or a handler.
    pub fn listen() -> io::Result<Self> {
        let (wake, sender) = UnixStream::pair()?;
        make_forcible()?;
        LISTENERS.fetch_add(1, Ordering::Relaxed);
        let mut signals = Self {
            last: Arc::new(AtomicUsize::new(0)),
            wake,
            ids: Vec::new(),
        };
        for signal in ENDING {
            // First the number, then the byte: whoever is woken finds the number.
            let number = usize::try_from(signal).unwrap_or(0);
            let flag =
                signal_hook::flag::register_usize(signal, Arc::clone(&signals.last), number)?;
            signals.ids.push(flag);
            let byte = signal_hook::low_level::pipe::register(signal, sender.try_clone()?)?;
            signals.ids.push(byte);
        }
        Ok(signals)
    }

    /// The signal that arrived last, if any did.
    #[must_use]
    pub fn pending(&self) -> Option<i32> {
        match self.last.load(Ordering::Relaxed) {
            0 => None,
            number => i32::try_from(number).ok(),
        }
    }

    /// Readable as soon as a signal has arrived, and for ever after.
    pub(crate) fn wake_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            signal_hook::low_level::unregister(id);
        }
        LISTENERS.fetch_sub(1, Ordering::Relaxed);
    }
}

fn make_forcible() -> io::Result<()> {
    let mut done = FORCIBLE.lock().unwrap_or_else(PoisonError::into_inner);
    if !*done {
        for signal in ENDING {
            force_when_asked_again(signal)?;
        }
        *done = true;
    }
    Ok(())
}

/// Makes a file that grows past the process's limit (`ulimit -f`) an error of the write, instead of
/// the end of the process by SIGXFSZ.
///
/// # Errors
/// When the host refuses a handler.
pub fn make_file_limit_an_error() -> io::Result<()> {
    // A handler that does nothing of use: the write then returns EFBIG.
    signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    Ok(())
}

/// The name of a signal for messages.
#[must_use]
pub fn name(signal: i32) -> &'static str {
    match signal {
        POWER => "SIGPWR",
        STACK_FAULT => "SIGSTKFLT",
        _ => signal_hook::low_level::signal_name(signal).unwrap_or("a signal"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signal_is_pending_and_wakes_whoever_polls() {
        let signals = Signals::listen().expect("handlers");
        assert_eq!(signals.pending(), None);
        signal_hook::low_level::raise(SIGHUP).expect("raised");
        assert_eq!(signals.pending(), Some(SIGHUP));
        let mut fds = [rustix::event::PollFd::new(
            &signals.wake,
            rustix::event::PollFlags::IN,
        )];
        assert_eq!(rustix::event::poll(&mut fds, None), Ok(1));
        for (signal, word) in [(SIGHUP, "SIGHUP"), (30, "SIGPWR"), (16, "SIGSTKFLT")] {
            assert_eq!(name(signal), word);
        }
    }
}
