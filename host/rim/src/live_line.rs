//! One line at the terminal about a long run, replaced once a second and gone before anything else is
//! printed.
//!
//! There is one standard error for the whole process, and so there is one line.

use maquette_model::SimTime;
use rustix::stdio::stderr;
use rustix::termios::isatty;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often it changes; shorter runs show none.
const EVERY: Duration = Duration::from_secs(1);
/// Carriage return, erase to the end of the line (ECMA-48, EL).
const ERASE: &[u8] = b"\r\x1b[K";

/// Whether it stands at the terminal.
static SHOWN: AtomicBool = AtomicBool::new(false);

/// Asks the machines how many instructions they have retired, and how many accesses have left their harts.
pub type Progress = Box<dyn Fn() -> (u64, u64)>;

/// The line of one run.
pub struct LiveLine {
    progress: Progress,
    next: Instant,
    before: (Instant, u64),
}

impl LiveLine {
    /// A line about a run that begins now, if standard error is a terminal.
    #[must_use]
    pub fn at_terminal(progress: Progress) -> Option<Self> {
        let now = Instant::now();
        isatty(stderr()).then(|| Self {
            progress,
            next: now + EVERY,
            before: (now, 0),
        })
    }

    /// Shows how far the run has come, once a second.
    pub(crate) fn show(&mut self, now: Instant, reached: SimTime) {
        if now < self.next {
            return;
        }
        let (instructions, exits) = (self.progress)();
        let (then, before) = self.before;
        let text = text(
            reached,
            instructions.saturating_sub(before),
            now.saturating_duration_since(then),
            exits,
        );
        self.before = (now, instructions);
        self.next = now + EVERY;
        SHOWN.store(true, Ordering::Relaxed);
        // A terminal that is gone is noticed elsewhere.
        let _ = rustix::io::write(stderr(), &[ERASE, text.as_bytes()].concat());
    }
}

fn text(reached: SimTime, instructions: u64, during: Duration, exits: u64) -> String {
    let micros = u64::try_from(during.as_micros()).unwrap_or(u64::MAX).max(1);
    let mips = instructions / micros;
    let seconds = reached.as_secs_f64();
    format!("{seconds:.3} s simulated, {mips} MIPS, {exits} exits")
}

/// Takes the line away, so that something else can be printed.
pub fn erase_live_line() {
    if SHOWN.swap(false, Ordering::Relaxed) {
        let _ = rustix::io::write(stderr(), ERASE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_says_time_speed_and_exits() {
        let line = text(SimTime::from_ms(1500), 300_000_000, EVERY, 7);
        assert_eq!(line, "1.500 s simulated, 300 MIPS, 7 exits");
        text(SimTime::MAX, u64::MAX, Duration::ZERO, u64::MAX);
    }
}
