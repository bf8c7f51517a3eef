//! The terminal in raw mode, and back on every way out.
//!
//! In raw mode each key reaches the guest at once, Control-C included. Output processing stays on,
//! so that a guest that ends its lines with a bare line feed is still readable.
//!
//! The mode before is kept in one place for the whole process. It is put back by [`RawMode`]'s drop,
//! which covers every ordinary end, signals that end a run, and unwinding; by a panic hook, so that
//! the panic's message is readable too; and by the handlers of signals that stop or kill the process.
//!
//! A process in the background leaves the mode alone: the terminal is its shell's. Raw mode waits until
//! the process is in the foreground (again).

#![expect(
    unsafe_code,
    reason = "a signal handler reads the mode to restore, and must not take a lock"
)]

use crate::handlers;
use rustix::io::Errno;
use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, OutputModes, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};
use signal_hook::consts::SIGCONT;
use std::io::{self, IsTerminal};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Arc, OnceLock};

/// Whether a [`RawMode`] lives.
static WANTED: AtomicBool = AtomicBool::new(false);
/// The mode to go back to; null unless this process has made the terminal raw.
static BEFORE: AtomicPtr<Termios> = AtomicPtr::new(ptr::null_mut());
/// Set when the process goes on after a stop.
static CONTINUED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// The terminal at standard input is raw while this lives and the process is in the foreground.
#[derive(Debug)]
pub struct RawMode(());

impl RawMode {
    /// Makes the terminal at standard input raw, at once or as soon as the process is in the
    /// foreground. `None` if there is no terminal, or it is raw already.
    ///
    /// # Errors
    /// When the terminal refuses.
    pub fn enter() -> io::Result<Option<Self>> {
        if !io::stdin().is_terminal() || WANTED.swap(true, Ordering::Relaxed) {
            return Ok(None);
        }
        let held = Self(());
        if CONTINUED.get().is_none() {
            let flag = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(SIGCONT, Arc::clone(&flag))?;
            handlers::restore_before_defaults()?;
            restore_before_panic_messages();
            CONTINUED.get_or_init(|| flag);
        }
        if in_foreground() {
            make_raw()?;
        }
        Ok(Some(held))
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        restore();
    }
}

/// Puts the terminal's first mode back, if it was changed. May be called at any time.
pub fn restore() {
    WANTED.store(false, Ordering::Relaxed);
    put_back();
}

/// Puts the mode back for now. Also called in signal handlers.
pub(crate) fn put_back() {
    let held = BEFORE.load(Ordering::Acquire);
    // SAFETY: the pointer is null or comes from `make_raw`, which never frees it.
    let Some(before) = (unsafe { held.as_ref() }) else {
        return;
    };
    if in_foreground() {
        // A terminal that is gone cannot be restored and need not be.
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, before);
    }
    // Forgotten only now: a handler in another thread that finds nothing to restore ends the process.
    let _ = BEFORE.compare_exchange(held, ptr::null_mut(), Ordering::AcqRel, Ordering::Acquire);
}

/// Makes the terminal raw and remembers how it was.
fn make_raw() -> Result<(), Errno> {
    let input = rustix::stdio::stdin();
    let first = tcgetattr(input)?;
    let mut raw = first.clone();
    raw.make_raw();
    raw.output_modes |= OutputModes::OPOST;
    // Never freed: a handler may read it at any time. It is a few bytes for each stop of a run.
    let first = ptr::from_mut(Box::leak(Box::new(first)));
    // Before the change, so that no signal finds the terminal raw with nothing to restore; and again
    // after it, because a stop in between has taken it out.
    BEFORE.store(first, Ordering::Release);
    let made = tcsetattr(input, OptionalActions::Now, &raw);
    let after = made.map_or(ptr::null_mut(), |()| first);
    BEFORE.store(after, Ordering::Release);
    made
}

/// Whether keys typed now are for this process. If they are, the terminal is raw again, should a stop
/// or a time in the background have ended that.
pub(crate) fn is_ours() -> bool {
    if !in_foreground() {
        return false;
    }
    if !WANTED.load(Ordering::Relaxed) {
        return true;
    }
    let continued = CONTINUED
        .get()
        .is_some_and(|c| c.swap(false, Ordering::Relaxed));
    // A stop that cannot be caught (SIGSTOP) left the mode to the shell.
    if continued && is_cooked() {
        BEFORE.store(ptr::null_mut(), Ordering::Release);
    }
    if BEFORE.load(Ordering::Acquire).is_null() {
        // A terminal that refuses now is gone, which reading from it will tell.
        let _ = make_raw();
    }
    true
}

fn is_cooked() -> bool {
    let mode = tcgetattr(rustix::stdio::stdin());
    mode.is_ok_and(|m| m.local_modes.contains(LocalModes::ICANON))
}

/// Whether the process may use the terminal at standard input. One that is not its controlling
/// terminal knows no background.
fn in_foreground() -> bool {
    tcgetpgrp(rustix::stdio::stdin()).map_or(true, |group| group == getpgrp())
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
