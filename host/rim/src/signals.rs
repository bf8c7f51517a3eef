//! Signals that ask the process to end.
//!
//! A handler only stores the signal's number and writes a byte to a socket, so that a rim that is
//! asleep in `poll` wakes. The run then ends in the ordinary way: terminal restored, report printed,
//! files closed.

use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What ends a run.
const ENDING: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

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
    }
}

/// The name of a signal for messages.
#[must_use]
pub fn name(signal: i32) -> &'static str {
    signal_hook::low_level::signal_name(signal).unwrap_or("a signal")
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
        assert_eq!(name(SIGHUP), "SIGHUP");
    }
}
