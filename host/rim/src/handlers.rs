//! What must be done while a signal is being handled, because later is too late.
//!
//! Most signals only ask for an end, and [`crate::Signals`] lets the run notice. Here is the rest: a
//! process that is about to stop or to die by the signal's default puts the terminal back first, and
//! one that was asked to end twice ends on the spot.
//!
//! Everything that runs in a handler is atomic or a plain system call: no lock, no allocation.

#![expect(
    unsafe_code,
    reason = "what runs in a signal handler must be async-signal-safe, which no compiler checks"
)]

use crate::terminal;
use rustix::time::{ClockId, clock_gettime};
use signal_hook::consts::{
    SIGABRT, SIGBUS, SIGINT, SIGQUIT, SIGSYS, SIGTERM, SIGTRAP, SIGTSTP, SIGTTIN, SIGTTOU,
};
use signal_hook::low_level::{emulate_default_handler, exit, register};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Stop the process, or kill it while its state is beyond repair.
const DEFAULTS: [i32; 7] = [SIGABRT, SIGBUS, SIGSYS, SIGTRAP, SIGTSTP, SIGTTIN, SIGTTOU];

/// Whoever sends one of these again means it.
const INSISTING: [i32; 3] = [SIGINT, SIGQUIT, SIGTERM];

/// What arrives so soon after the first is the same request: `timeout` signals the process and then
/// its group.
const SAME_REQUEST_MS: u64 = 200;

static ARMED: AtomicBool = AtomicBool::new(false);
/// Runs that listen: they end in the ordinary way when they are asked to.
pub(crate) static LISTENERS: AtomicUsize = AtomicUsize::new(0);
/// When the process was first asked to end; 0 before. One word, because handlers run in several
/// threads at once.
static FIRST_AT_MS: AtomicU64 = AtomicU64::new(0);

/// From now on, a stop or a crash finds the terminal as it was.
pub(crate) fn restore_before_defaults() -> io::Result<()> {
    if ARMED.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    for signal in DEFAULTS {
        // SAFETY: `put_back` and `emulate_default_handler` are async-signal-safe.
        unsafe { register(signal, move || put_back_and_default(signal)) }?;
    }
    Ok(())
}

fn put_back_and_default(signal: i32) {
    terminal::put_back();
    // Fails for signals that it does not know, of which there are none above.
    let _ = emulate_default_handler(signal);
}

/// From now on, the end can be forced by asking for it again, and needs no asking again where nobody
/// listens any more.
pub(crate) fn force_when_asked_again(signal: i32) -> io::Result<()> {
    // SAFETY: `asked` reads the clock and atomics, and may put the terminal back and `_exit`.
    unsafe { register(signal, move || asked(signal)) }?;
    Ok(())
}

fn asked(signal: i32) {
    let now = now_ms();
    let listens = LISTENERS.load(Ordering::Relaxed) > 0;
    let first = FIRST_AT_MS.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
    let is_first = first.is_ok();
    let same = now.saturating_sub(first.unwrap_or_else(|at| at)) < SAME_REQUEST_MS;
    let again = !is_first && !same && INSISTING.contains(&signal);
    let unheard = !listens && (is_first || !same);
    if again || unheard {
        terminal::put_back();
        exit(signal.saturating_add(128));
    }
}

/// Never 0.
fn now_ms() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let ms = u64::try_from(now.tv_nsec / 1_000_000).unwrap_or(0);
    seconds.saturating_mul(1000).saturating_add(ms).max(1)
}
