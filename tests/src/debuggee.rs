//! `maquette gdb`, and a debugger that speaks GDB's remote protocol and nothing more.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::child::{Finished, Limit};
use crate::tool::Tool;

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);
const WAITS: &str = "target remote ";

/// A run that waits for a debugger, or has one.
pub struct Debuggee {
    child: Child,
    address: String,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    /// What was said before the address.
    said: String,
    begin: Instant,
}

impl Debuggee {
    /// Starts `maquette gdb FILE` as `tool` says, at a free port, and waits until it listens.
    ///
    /// # Panics
    /// It ends before.
    #[must_use]
    pub fn start(tool: Tool) -> Self {
        let tool = tool.arg("--listen").arg("127.0.0.1:0");
        let mut child = tool
            .command()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the tool starts");
        let stdout = lines(child.stdout.take());
        let stderr = lines(child.stderr.take());
        let mut said = String::new();
        let address = loop {
            let line = match stderr.recv_timeout(PATIENCE) {
                Ok(line) => line,
                Err(e) => {
                    let _ = child.kill();
                    panic!("the tool does not listen ({e}): {said}");
                }
            };
            said.push_str(&line);
            if let Some((_, address)) = line.split_once(WAITS) {
                break address.trim().to_owned();
            }
        };
        Self {
            child,
            address,
            stdout,
            stderr,
            said,
            begin: Instant::now(),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The process.
    #[must_use]
    pub const fn process(&self) -> &Child {
        &self.child
    }

    /// Waits for the next line of the guest's console.
    ///
    /// # Panics
    /// There is none.
    pub fn console_line(&mut self) -> String {
        self.stdout
            .recv_timeout(PATIENCE)
            .expect("a line of the console")
    }

    /// Connects, without a word of the protocol.
    ///
    /// # Panics
    /// Nobody listens.
    #[must_use]
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("the tool listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        stream.set_nodelay(true).expect("a socket");
        stream
    }

    /// Connects as a debugger.
    #[must_use]
    pub fn debug(&self) -> Client {
        Client::new(self.connect())
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// It does not come.
    #[must_use]
    pub fn finish(mut self, limit: Limit) -> Finished {
        let end = Instant::now() + limit.0;
        let mut timed_out = false;
        let mut rest = |lines: &Receiver<String>, text: &mut String| {
            loop {
                match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                    Ok(line) => text.push_str(&line),
                    Err(mpsc::RecvTimeoutError::Disconnected) => return,
                    Err(mpsc::RecvTimeoutError::Timeout) => {
                        timed_out = true;
                        return;
                    }
                }
            }
        };
        let (mut stdout, mut stderr) = (String::new(), std::mem::take(&mut self.said));
        rest(&self.stdout, &mut stdout);
        rest(&self.stderr, &mut stderr);
        if timed_out {
            let _ = self.child.kill();
        }
        Finished {
            status: self.child.wait().expect("the tool ends"),
            timed_out,
            stdout,
            stderr,
            took: self.begin.elapsed(),
        }
    }
}

impl Drop for Debuggee {
    /// A test that fails half way leaves no child behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(from: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (tell, hear) = mpsc::channel();
    thread::spawn(move || {
        let Some(from) = from else { return };
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while let Ok(1..) = from.read_until(b'\n', &mut line) {
            let text = String::from_utf8_lossy(&line).into_owned();
            if tell.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
    hear
}

/// A debugger.
pub struct Client {
    stream: TcpStream,
}

impl Client {
    fn new(stream: TcpStream) -> Self {
        let mut client = Self { stream };
        client.send(&packet(b"QStartNoAckMode"));
        assert_eq!(client.reply(), "OK");
        client
    }

    /// A connection that has been used already; the answer being sent is read first.
    ///
    /// # Panics
    /// The protocol does not begin.
    #[must_use]
    pub fn resumed(stream: TcpStream) -> Self {
        let mut client = Self { stream };
        while client.byte() != b'#' {}
        let _checksum = (client.byte(), client.byte());
        client.send(&packet(b"QStartNoAckMode"));
        assert_eq!(client.reply(), "OK");
        client
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    /// Nobody takes them.
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the tool reads");
    }

    /// Sends a packet and waits for the answer.
    #[track_caller]
    pub fn ask(&mut self, body: &str) -> String {
        self.send(&packet(body.as_bytes()));
        self.reply()
    }

    /// Asks for something that is answered by OK.
    ///
    /// # Panics
    /// It is not.
    #[track_caller]
    pub fn order(&mut self, body: &str) {
        assert_eq!(self.ask(body), "OK", "{body}");
    }

    /// Waits for a packet; acknowledgements are skipped, repetitions written out.
    ///
    /// # Panics
    /// None comes.
    #[track_caller]
    pub fn reply(&mut self) -> String {
        while self.byte() != b'$' {}
        let mut body = Vec::new();
        loop {
            match self.byte() {
                b'#' => break,
                b'*' => {
                    let count = self.byte() - 29;
                    let last = *body.last().expect("something to repeat");
                    body.extend(std::iter::repeat_n(last, count.into()));
                }
                byte => body.push(byte),
            }
        }
        let _checksum = (self.byte(), self.byte());
        String::from_utf8(body).expect("answers are text")
    }

    #[track_caller]
    fn byte(&mut self) -> u8 {
        let mut byte = [0];
        self.stream.read_exact(&mut byte).expect("the tool answers");
        byte[0]
    }

    /// Everything until the connection ends.
    ///
    /// # Panics
    /// It does not end.
    pub fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        self.stream
            .read_to_end(&mut rest)
            .expect("the connection ends");
        String::from_utf8_lossy(&rest).into_owned()
    }

    /// The register with this number, of the hart that was last chosen.
    ///
    /// # Panics
    /// There is none.
    #[track_caller]
    pub fn register(&mut self, number: usize) -> u64 {
        let text = self.ask(&format!("p{number:x}"));
        let value = u64::from_str_radix(&text, 16);
        value
            .unwrap_or_else(|e| panic!("register {number}: {text} ({e})"))
            .swap_bytes()
    }

    /// The program counter.
    #[track_caller]
    pub fn pc(&mut self) -> u64 {
        self.register(32)
    }

    /// Lets the harts run as `actions` (of `vCont`) say, until they stop.
    #[track_caller]
    pub fn go(&mut self, actions: &str) -> String {
        self.ask(&format!("vCont;{actions}"))
    }
}

/// A body with its frame.
#[must_use]
pub fn packet(body: &[u8]) -> Vec<u8> {
    let sum = body.iter().fold(0u8, |sum, b| sum.wrapping_add(*b));
    let mut bytes = vec![b'$'];
    bytes.extend_from_slice(body);
    bytes.extend_from_slice(format!("#{sum:02x}").as_bytes());
    bytes
}
