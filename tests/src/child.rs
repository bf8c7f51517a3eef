//! Child processes that always end, with both their outputs collected.

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a child may take before it is killed.
#[derive(Clone, Copy, Debug)]
pub struct Limit(pub Duration);

impl Limit {
    /// So many seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

/// A child that has ended.
#[derive(Debug)]
pub struct Finished {
    /// How it ended; a child killed at its limit shows the signal.
    pub status: ExitStatus,
    /// Whether it was killed because its time was over.
    pub timed_out: bool,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error output.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
}

impl Finished {
    /// The exit code, if it exited by itself.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Both outputs, for the message of a failed assertion.
    #[must_use]
    pub fn describe(&self) -> String {
        format!(
            "{} after {:.2} s{}\n--- stdout ---\n{}\n--- stderr ---\n{}",
            self.status,
            self.took.as_secs_f64(),
            if self.timed_out {
                ", killed at its limit"
            } else {
                ""
            },
            tail(&self.stdout),
            tail(&self.stderr),
        )
    }

    /// Asserts the exit code; the message shows both outputs.
    ///
    /// # Panics
    /// The code differs.
    #[track_caller]
    pub fn expect_code(&self, code: i32) -> &Self {
        assert_eq!(
            self.code(),
            Some(code),
            "expected exit code {code}, got {}",
            self.describe()
        );
        self
    }
}

fn tail(text: &str) -> &str {
    const KEEP: usize = 4000;
    let mut from = text.len().saturating_sub(KEEP);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    &text[from..]
}

/// Runs a command to its end, feeding `input` to it.
///
/// # Panics
/// The command cannot be started.
#[must_use]
pub fn run(mut command: Command, input: &[u8], limit: Limit) -> Finished {
    let child = start(&mut command);
    finish(child, input.to_vec(), limit)
}

fn start(command: &mut Command) -> Child {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"))
}

fn finish(mut child: Child, input: Vec<u8>, limit: Limit) -> Finished {
    let begin = Instant::now();
    if let Some(mut stdin) = child.stdin.take() {
        // In a thread of its own: the child may not read before it has written.
        thread::spawn(move || stdin.write_all(&input));
    }
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let end = begin + limit.0;
    let mut timed_out = false;
    // Waiting for the end of the output is waiting for the child, without polling.
    let out = match until(&stdout, end) {
        Some(bytes) => bytes,
        None => {
            timed_out = true;
            let _ = child.kill();
            stdout.recv().unwrap_or_default()
        }
    };
    let status = wait(&mut child, end, &mut timed_out);
    let err = stderr.recv().unwrap_or_default();
    Finished {
        status,
        timed_out,
        stdout: String::from_utf8_lossy(&out).into_owned(),
        stderr: String::from_utf8_lossy(&err).into_owned(),
        took: begin.elapsed(),
    }
}

fn collect(from: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (tell, hear) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            let _: io::Result<usize> = from.read_to_end(&mut bytes);
        }
        let _ = tell.send(bytes);
    });
    hear
}

fn until(hear: &Receiver<Vec<u8>>, end: Instant) -> Option<Vec<u8>> {
    match hear.recv_timeout(end.saturating_duration_since(Instant::now())) {
        Ok(bytes) => Some(bytes),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => Some(Vec::new()),
    }
}

/// Waits for a child whose output has ended. It nearly always has exited by then; one that closed
/// its output and lives on is killed at the limit.
fn wait(child: &mut Child, end: Instant, timed_out: &mut bool) -> ExitStatus {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status,
            Ok(None) if Instant::now() < end => thread::yield_now(),
            Ok(None) => {
                *timed_out = true;
                let _ = child.kill();
                return child.wait().expect("a killed child can be waited for");
            }
            Err(error) => panic!("the child cannot be waited for: {error}"),
        }
    }
}

/// A child with a conversation: what it prints is read until a text appears, then something is
/// typed.
pub struct Dialogue {
    child: Child,
    hear: Receiver<Vec<u8>>,
    heard: Vec<u8>,
    seen: usize,
    begin: Instant,
    end: Instant,
}

impl Dialogue {
    /// Starts the command. Everything must be over within `limit`.
    ///
    /// # Panics
    /// The command cannot be started.
    #[must_use]
    pub fn start(mut command: Command, limit: Limit) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        let hear = pieces(child.stdout.take());
        let begin = Instant::now();
        Self {
            child,
            hear,
            heard: Vec::new(),
            seen: 0,
            begin,
            end: begin + limit.0,
        }
    }

    /// Waits until the child has printed `text` (after what an earlier wait has found), and returns
    /// how long after the start that was.
    ///
    /// # Panics
    /// The child ends, or the limit is over, before that.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> Duration {
        let wanted = text.as_bytes();
        loop {
            let from = &self.heard[self.seen..];
            if let Some(at) = from.windows(wanted.len()).position(|w| w == wanted) {
                self.seen += at + wanted.len();
                return self.begin.elapsed();
            }
            match self
                .hear
                .recv_timeout(self.end.saturating_duration_since(Instant::now()))
            {
                Ok(more) => self.heard.extend(more),
                Err(why) => {
                    let _ = self.child.kill();
                    panic!(
                        "waiting for {text:?}: {why}; last output:\n{}",
                        tail(&self.text())
                    );
                }
            }
        }
    }

    /// Types a text.
    ///
    /// # Panics
    /// The child no longer reads.
    #[track_caller]
    pub fn type_in(&mut self, text: &str) {
        let stdin = self
            .child
            .stdin
            .as_mut()
            .expect("the child's input is open");
        stdin
            .write_all(text.as_bytes())
            .expect("the child reads its input");
        stdin.flush().expect("the child reads its input");
    }

    /// The CPU time that the child has used so far, of all its threads, to a hundredth of a second.
    ///
    /// # Panics
    /// The child has been waited for, or the kernel keeps no account.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        let path = format!("/proc/{}/stat", self.child.id());
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        ticks(&text).unwrap_or_else(|| panic!("{path} is not as proc(5) has it: {text}"))
    }

    /// What has been printed so far.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.heard).into_owned()
    }

    /// Waits for the child's end and returns everything it printed.
    #[must_use]
    pub fn finish(mut self) -> Finished {
        drop(self.child.stdin.take());
        let mut timed_out = false;
        loop {
            match self
                .hear
                .recv_timeout(self.end.saturating_duration_since(Instant::now()))
            {
                Ok(more) => self.heard.extend(more),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    timed_out = true;
                    let _ = self.child.kill();
                    break;
                }
            }
        }
        let status = wait(&mut self.child, self.end, &mut timed_out);
        Finished {
            status,
            timed_out,
            stdout: self.text(),
            stderr: String::new(),
            took: self.begin.elapsed(),
        }
    }
}

impl Drop for Dialogue {
    /// A test that fails half way leaves no child behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `utime` and `stime` of proc(5)'s `stat`, the 14th and 15th field, in ticks of 10 ms. The second field
/// is a name in parentheses that may hold anything.
fn ticks(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split(' ').skip(11);
    let mut next = || times.next()?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (next()? + next()?)))
}

fn pieces(from: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (tell, hear) = mpsc::channel();
    thread::spawn(move || {
        let Some(mut from) = from else { return };
        let mut buffer = [0; 4096];
        while let Ok(length) = from.read(&mut buffer) {
            if length == 0 || tell.send(buffer[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    hear
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::ticks;

    #[test]
    fn ticks_are_read_behind_any_name() {
        let stat = "7 (a) b 1) S 1 7 7 0 -1 4194560 99 0 0 0 12 30 0 0 20 0 1 0 5";
        assert_eq!(ticks(stat), Some(Duration::from_millis(420)));
        assert_eq!(ticks("7 (a) S 1"), None);
    }
}
