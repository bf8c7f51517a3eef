//! The guest's console text on its way to standard output.
//!
//! Bytes are gathered and written at the end of a line, when enough have come together, and whenever
//! the rim looks at the world. A reader that is slow delays the run; one that is gone ends it; neither
//! keeps a signal from ending it.

use crate::live_line::erase_live_line;
use crate::signals::Signals;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use rustix::termios::isatty;
use std::cell::RefCell;
use std::io;
use std::rc::Rc;

/// A pipe that is ready takes this many bytes without blocking (`PIPE_BUF`).
const PIECE: usize = 4096;

/// Standard output, shared by the console that fills it and the rim that empties it.
#[derive(Clone, Debug)]
pub struct Output {
    inner: Rc<RefCell<Inner>>,
}

#[derive(Debug)]
struct Inner {
    waiting: Vec<u8>,
    /// Where bytes go, and what ends the waiting for room; `None` when nobody wants them.
    to: Option<(BorrowedFd<'static>, Rc<Signals>)>,
    /// Asked at the beginning: one that is gone is no terminal any more.
    is_terminal: bool,
    /// The last byte that was written.
    last: Option<u8>,
    failed: Option<Errno>,
}

impl Output {
    /// Standard output.
    #[must_use]
    pub fn standard(signals: &Rc<Signals>) -> Self {
        Self::new(Some((rustix::stdio::stdout(), Rc::clone(signals))))
    }

    /// Nowhere.
    #[must_use]
    pub fn discarded() -> Self {
        Self::new(None)
    }

    fn new(to: Option<(BorrowedFd<'static>, Rc<Signals>)>) -> Self {
        let inner = Inner {
            waiting: Vec::new(),
            last: None,
            is_terminal: to.as_ref().is_some_and(|(fd, _)| isatty(fd)),
            to,
            failed: None,
        };
        Self {
            inner: Rc::new(RefCell::new(inner)),
        }
    }

    /// Adds a byte.
    pub fn put(&self, byte: u8) {
        let mut inner = self.inner.borrow_mut();
        if inner.to.is_none() {
            return;
        }
        inner.waiting.push(byte);
        if byte == b'\n' || inner.waiting.len() >= PIECE {
            inner.flush();
        }
    }

    /// Adds a text of the tool's own, such as help.
    pub fn put_text(&self, text: &str) {
        for byte in text.bytes() {
            self.put(byte);
        }
    }

    /// Writes everything that waits.
    pub fn flush(&self) {
        self.inner.borrow_mut().flush();
    }

    /// Why nothing can be written any more.
    #[must_use]
    pub fn failure(&self) -> Option<io::Error> {
        self.inner.borrow().failed.map(io::Error::from)
    }

    /// Whether a line at the terminal would not be put over an unfinished one.
    #[must_use]
    pub(crate) fn leaves_room(&self) -> bool {
        let inner = self.inner.borrow();
        !inner.is_terminal || inner.last.is_none_or(|last| last == b'\n')
    }

    /// Whether writing has failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.inner.borrow().failed.is_some()
    }

    /// Whether it went to a terminal that is gone.
    #[must_use]
    pub fn has_lost_terminal(&self) -> bool {
        let inner = self.inner.borrow();
        // What a terminal answers after a hang-up.
        inner.is_terminal && inner.failed == Some(Errno::IO)
    }
}

impl Inner {
    fn flush(&mut self) {
        let Some((to, signals)) = self.to.clone() else {
            return;
        };
        if let Some(&last) = self.waiting.last() {
            self.last = Some(last);
            erase_live_line();
        }
        let mut from = 0;
        while let Some(rest) = self.waiting.get(from..).filter(|rest| !rest.is_empty()) {
            match write_some(to, rest, &signals) {
                Ok(0) => break,
                Ok(count) => from += count,
                Err(error) => {
                    self.failed = Some(error);
                    self.to = None;
                    break;
                }
            }
        }
        self.waiting.clear();
    }
}

/// Writes a piece as soon as there is room; `Ok(0)` if a signal came first.
fn write_some(to: BorrowedFd<'_>, bytes: &[u8], signals: &Signals) -> Result<usize, Errno> {
    loop {
        let mut fds = [
            PollFd::from_borrowed_fd(to, PollFlags::OUT),
            PollFd::from_borrowed_fd(signals.wake_fd(), PollFlags::IN),
        ];
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error),
        }
        let [room, signal] = &fds;
        if room.revents().is_empty() && !signal.revents().is_empty() {
            return Ok(0);
        }
        let piece = bytes.get(..bytes.len().min(PIECE)).unwrap_or(bytes);
        match rustix::io::write(to, piece) {
            Ok(count) => return Ok(count),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(error),
        }
    }
}
