//! The socket at which a debugger connects: one at a time, nobody waits for one that does not read.

use crate::Signals;
use crate::outside::Outside;
use maquette_model::SimTime;
use maquette_sim::{Rim, RimAction};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};
use thiserror::Error;

/// How often a machine that runs looks whether the debugger has something to say.
const GLANCE: Duration = Duration::from_millis(4);
/// What a second debugger is told, as a packet of GDB's protocol.
const REFUSAL: &[u8] = b"+$E.another debugger is attached#23";

/// Why nobody can be listened for.
#[derive(Debug, Error)]
pub enum DebugPortError {
    /// The text is no address.
    #[error("`--listen {0}` is no address")]
    Address(String),
    /// Somebody else listens there.
    #[error("`--listen {0}`: the address is in use")]
    InUse(String),
    /// Something else has the socket's name.
    #[error("`--listen {0}`: there is a file of that name, and no socket")]
    NoSocket(String),
    /// The host refuses.
    #[error("`--listen {address}`: the host refuses")]
    Host {
        /// Where.
        address: String,
        /// Its words.
        source: io::Error,
    },
}

impl DebugPortError {
    /// What the user can do.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Address(_) => "write HOST:PORT, as in 127.0.0.1:1234, or unix:PATH",
            Self::InUse(address) if address.starts_with("unix:") => {
                "name another socket, or end who listens there"
            }
            Self::InUse(_) => "name another address, or port 0 for a free one",
            Self::NoSocket(_) => "name a file that does not exist yet",
            Self::Host { .. } => {
                "name an address of this host and a port above 1023, or unix:PATH in a folder that you may write"
            }
        }
    }
}

/// What happened at the port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DebugEvent {
    /// A debugger has connected.
    Connected,
    /// It sent this.
    Bytes(Vec<u8>),
    /// It is gone.
    Gone,
    /// A signal wants the run to end, or the host refuses to wait.
    Interrupted,
}

enum Listener {
    Tcp(TcpListener),
    // While the socket is open, no other file can become the one that it is.
    Unix(SocketFile, UnixListener),
}

/// The name of a socket in the file system, taken away with this unless something else has it by then.
struct SocketFile {
    path: PathBuf,
    /// Which file the socket is, if that could be asked.
    file: Option<FileId>,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.file.is_some() && FileId::of(&self.path) == self.file {
            // Nobody can do anything about a name that stays.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A file, whatever its name.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::symlink_metadata(path).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }
}

enum Client {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(l) => l.as_fd(),
            Self::Unix(_, l) => l.as_fd(),
        }
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(s) => s.as_fd(),
            Self::Unix(s) => s.as_fd(),
        }
    }
}

impl Client {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(s) => s.read(buf),
            Self::Unix(s) => s.read(buf),
        }
    }

    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(s) => s.write(buf),
            Self::Unix(s) => s.write(buf),
        }
    }
}

/// Listens for debuggers and talks to one of them.
pub struct DebugPort {
    listener: Listener,
    client: Option<Client>,
    signals: Rc<Signals>,
    next_glance: Instant,
}

impl DebugPort {
    /// Listens at `HOST:PORT` (port 0: a free one) or `unix:PATH`.
    ///
    /// # Errors
    /// When that is no address, or somebody listens there, or the host refuses.
    pub fn listen(address: &str, signals: &Rc<Signals>) -> Result<Self, DebugPortError> {
        let refused = |source: io::Error| match source.kind() {
            ErrorKind::AddrInUse if is_other_file(address) => {
                DebugPortError::NoSocket(address.to_owned())
            }
            ErrorKind::AddrInUse => DebugPortError::InUse(address.to_owned()),
            ErrorKind::InvalidInput => DebugPortError::Address(address.to_owned()),
            _ => DebugPortError::Host {
                address: address.to_owned(),
                source,
            },
        };
        let listener = match address.strip_prefix("unix:") {
            Some("") => return Err(DebugPortError::Address(address.to_owned())),
            Some(path) => listen_unix(Path::new(path)),
            None => TcpListener::bind(address).map(Listener::Tcp),
        };
        let listener = listener.map_err(refused)?;
        match &listener {
            Listener::Tcp(l) => l.set_nonblocking(true),
            Listener::Unix(_, l) => l.set_nonblocking(true),
        }
        .map_err(refused)?;
        Ok(Self {
            listener,
            client: None,
            signals: Rc::clone(signals),
            next_glance: Instant::now(),
        })
    }

    /// Where it listens, as GDB's `target remote` wants it.
    #[must_use]
    pub fn address(&self) -> String {
        match &self.listener {
            Listener::Tcp(l) => l
                .local_addr()
                .map_or_else(|e| e.to_string(), |a| a.to_string()),
            Listener::Unix(file, _) => file.path.display().to_string(),
        }
    }

    /// Waits for something to happen.
    pub fn wait(&mut self) -> DebugEvent {
        loop {
            if let Some(event) = self.look_for(None) {
                return event;
            }
        }
    }

    /// What has happened already, if anything.
    pub fn look(&mut self) -> Option<DebugEvent> {
        self.look_for(Some(Duration::ZERO))
    }

    /// Whether something has happened; asks the host only every few milliseconds.
    fn has_news(&mut self) -> bool {
        let now = Instant::now();
        if now < self.next_glance {
            return false;
        }
        self.next_glance = now + GLANCE;
        let (_, listener, client) = self.ready(Some(Duration::ZERO));
        if listener && self.client.is_some() {
            self.refuse();
            return client;
        }
        listener || client
    }

    /// Waits for at most `most`. Says whether there is a signal, somebody at the door, something to read.
    fn ready(&self, most: Option<Duration>) -> (bool, bool, bool) {
        let mut fds = vec![
            PollFd::from_borrowed_fd(self.signals.wake_fd(), PollFlags::IN),
            PollFd::new(&self.listener, PollFlags::IN),
        ];
        fds.extend(self.client.as_ref().map(|c| PollFd::new(c, PollFlags::IN)));
        let time = most.and_then(|t| Timespec::try_from(t).ok());
        match poll(&mut fds, time.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return (true, false, false),
        }
        let seen = |i: usize| fds.get(i).is_some_and(|fd| !fd.revents().is_empty());
        (
            self.signals.pending().is_some() || seen(0),
            seen(1),
            seen(2),
        )
    }

    fn look_for(&mut self, most: Option<Duration>) -> Option<DebugEvent> {
        let (signal, listener, client) = self.ready(most);
        if signal {
            return Some(DebugEvent::Interrupted);
        }
        if client {
            return self.read();
        }
        if !listener {
            return None;
        }
        if self.client.is_some() {
            self.refuse();
            return None;
        }
        self.client = Some(self.accept().ok()?);
        Some(DebugEvent::Connected)
    }

    fn read(&mut self) -> Option<DebugEvent> {
        let mut buffer = [0; 4096];
        match self.client.as_mut()?.read(&mut buffer) {
            Ok(0) => {}
            Ok(count) => {
                return Some(DebugEvent::Bytes(
                    buffer.iter().take(count).copied().collect(),
                ));
            }
            Err(e) if matches!(e.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {
                return None;
            }
            Err(_) => {}
        }
        self.client = None;
        Some(DebugEvent::Gone)
    }

    fn accept(&self) -> io::Result<Client> {
        match &self.listener {
            Listener::Tcp(l) => {
                let (stream, _) = l.accept()?;
                stream.set_nonblocking(true)?;
                // Packets are small and each is answered.
                stream.set_nodelay(true)?;
                Ok(Client::Tcp(stream))
            }
            Listener::Unix(_, l) => {
                let (stream, _) = l.accept()?;
                stream.set_nonblocking(true)?;
                Ok(Client::Unix(stream))
            }
        }
    }

    /// Sends a second debugger away.
    fn refuse(&self) {
        if let Ok(mut second) = self.accept() {
            // It may be gone by now.
            let _ = second.write(REFUSAL);
            tell("a second debugger was refused: one is attached already");
        }
    }

    /// Sends to the debugger. One that is gone, or does not read until a signal comes, is told nothing.
    pub fn send(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(client) = self.client.as_mut().filter(|_| !rest.is_empty()) {
            match client.write(rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    let mut fds = [
                        PollFd::from_borrowed_fd(self.signals.wake_fd(), PollFlags::IN),
                        PollFd::new(client, PollFlags::OUT),
                    ];
                    let waited = poll(&mut fds, None);
                    let [signal, _] = &fds;
                    let failed = waited.is_err_and(|e| e != rustix::io::Errno::INTR);
                    if failed || !signal.revents().is_empty() {
                        return;
                    }
                }
                // The next read says that it is gone.
                Err(_) => return,
            }
        }
    }

    /// Ends the connection with the debugger; another one may come.
    pub fn close(&mut self) {
        self.client = None;
    }
}

/// Whether an address names a file that is no socket.
fn is_other_file(address: &str) -> bool {
    let path = address.strip_prefix("unix:");
    let meta = path.and_then(|path| fs::symlink_metadata(path).ok());
    meta.is_some_and(|meta| !meta.file_type().is_socket())
}

/// A name that nobody listens at any more is taken over.
fn listen_unix(path: &Path) -> io::Result<Listener> {
    let bound = UnixListener::bind(path).or_else(|error| {
        // Connecting to an ordinary file is refused too; that one is not ours to remove.
        let is_socket = fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket());
        let left_over = error.kind() == ErrorKind::AddrInUse
            && is_socket
            && UnixStream::connect(path).is_err_and(|e| e.kind() == ErrorKind::ConnectionRefused);
        if !left_over {
            return Err(error);
        }
        fs::remove_file(path)?;
        UnixListener::bind(path)
    })?;
    let file = SocketFile {
        path: path.to_owned(),
        file: FileId::of(path),
    };
    Ok(Listener::Unix(file, bound))
}

/// Says something about the debugger at standard error. Nobody is harmed if it cannot be written.
pub fn tell(text: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "maquette: {text}");
}

/// The outside of a run with a debugger: the run pauses when the debugger has something to say.
pub struct Debugged<'a> {
    outside: &'a mut Outside,
    port: &'a mut DebugPort,
}

impl<'a> Debugged<'a> {
    /// The outside, and where the debugger is.
    pub const fn new(outside: &'a mut Outside, port: &'a mut DebugPort) -> Self {
        Self { outside, port }
    }
}

impl Rim for Debugged<'_> {
    fn before(&mut self, t: SimTime) -> RimAction {
        match self.outside.before(t) {
            RimAction::Go if self.port.has_news() => RimAction::Pause,
            action => action,
        }
    }

    fn idle(&mut self) -> RimAction {
        self.outside.idle()
    }

    fn window(&self) -> SimTime {
        self.outside.window()
    }
}
