//! The terminal in raw mode, and back on every way out.
//!
//! In raw mode each key reaches the guest at once, Control-C included. Output processing stays on,
//! so that a guest that ends its lines with a bare line feed is still readable.
//!
//! The first mode is kept in one place for the whole process. It is put back by [`RawMode`]'s drop,
//! which covers every ordinary end, signals (they end a run in the ordinary way) and unwinding; and
//! by a panic hook, so that the panic's message is readable too.

use rustix::termios::{OptionalActions, OutputModes, Termios, tcgetattr, tcsetattr};
use std::io::{self, IsTerminal};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

/// The terminal's mode before it was made raw.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);
static HOOK: Once = Once::new();

/// The terminal at standard input is raw while this lives.
#[derive(Debug)]
pub struct RawMode(());

impl RawMode {
    /// Makes the terminal at standard input raw. `None` if there is no terminal, or it is raw
    /// already.
    ///
    /// # Errors
    /// When the terminal refuses.
    pub fn enter() -> io::Result<Option<Self>> {
        let input = io::stdin();
        if !input.is_terminal() {
            return Ok(None);
        }
        let mut before = saved();
        if before.is_some() {
            return Ok(None);
        }
        let first = tcgetattr(&input)?;
        let mut raw = first.clone();
        raw.make_raw();
        raw.output_modes |= OutputModes::OPOST;
        HOOK.call_once(restore_before_panic_messages);
        tcsetattr(&input, OptionalActions::Now, &raw)?;
        *before = Some(first);
        Ok(Some(Self(())))
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        restore();
    }
}

/// Puts the terminal's first mode back, if it was changed. May be called at any time.
pub fn restore() {
    if let Some(first) = saved().take() {
        // A terminal that is gone cannot be restored and need not be.
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &first);
    }
}

fn saved() -> MutexGuard<'static, Option<Termios>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn restore_before_panic_messages() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        restore();
        before(info);
    }));
}

/// Whether a person sits at standard input.
#[must_use]
pub fn has_person() -> bool {
    io::stdin().is_terminal()
}

/// Columns of the terminal at standard error; `None` if there is none.
#[must_use]
pub fn error_columns() -> Option<usize> {
    let error = io::stderr();
    if !error.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(&error).ok();
    Some(size.map_or(80, |s| usize::from(s.ws_col)).max(20))
}
