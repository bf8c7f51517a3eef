//! What a long step is doing: a moving line on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The display of one chore.
pub struct Progress {
    bar: ProgressBar,
    chore: String,
    begin: Instant,
}

impl Progress {
    /// Starts the display of `chore`.
    pub fn new(chore: &str) -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        bar.set_style(spinner());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self {
            bar,
            chore: chore.to_owned(),
            begin: Instant::now(),
        }
    }

    /// A new step of no known length.
    pub fn step(&self, text: impl AsRef<str>) {
        self.bar.set_style(spinner());
        self.show(text.as_ref());
    }

    /// A new step of a known number of bytes.
    pub fn bytes(&self, text: impl AsRef<str>, length: u64) {
        self.measured(
            text.as_ref(),
            length,
            "{msg} [{bar:30}] {bytes}/{total_bytes}",
        );
    }

    /// A new step of a known number of things.
    pub fn count(&self, text: impl AsRef<str>, length: u64) {
        self.measured(text.as_ref(), length, "{msg} [{bar:30}] {pos}/{len}");
    }

    fn measured(&self, text: &str, length: u64, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("=> "));
        }
        self.bar.set_length(length);
        self.bar.set_position(0);
        self.show(text);
    }

    fn show(&self, text: &str) {
        let message = format!("{}: {text}", self.chore);
        if self.bar.is_hidden() {
            eprintln!("{message}");
        } else {
            self.bar.set_message(message);
        }
    }

    /// How far the step is.
    pub fn at(&self, position: u64) {
        self.bar.set_position(position);
    }

    /// A line that stays.
    pub fn say(&self, text: impl AsRef<str>) {
        let line = format!("{}: {}", self.chore, text.as_ref());
        self.bar.suspend(|| eprintln!("{line}"));
    }

    /// The last line.
    pub fn done(self, text: impl AsRef<str>) {
        self.bar.finish_and_clear();
        let seconds = self.begin.elapsed().as_secs_f64();
        eprintln!("{}: {} ({seconds:.1} s)", self.chore, text.as_ref());
    }
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg} ({elapsed})")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}
