//! The world outside of one run: signals, a person at the keyboard, the host's clock.

use crate::escape::{Escape, HELP, Key};
use crate::live_line::LiveLine;
use crate::network::UserNetwork;
use crate::output::Output;
use crate::pace::{Clock, Pace};
use crate::signals::Signals;
use crate::terminal;
use maquette_model::{Message, PortId, SimTime};
use maquette_sim::{ComponentId, Input, Rim, RimAction};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How often the keyboard is looked at while the guest is busy.
const GLANCE: Duration = Duration::from_millis(4);

/// How often a run in the background looks whether the terminal is its own again: nothing says so.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Why the outside ended a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// A signal arrived.
    Signal(i32),
    /// The person pressed the key for it.
    Quit,
    /// The person's terminal is gone.
    Terminal,
    /// The time on the host's clock is over.
    HostTime,
    /// Nobody reads the output any more, or it cannot be written.
    Output,
    /// The host refused to wait.
    Host,
    /// The debugger killed it.
    Debugger,
}

/// Where typed keys go.
#[derive(Clone, Copy, Debug)]
pub struct Keyboard {
    /// The component that takes them.
    pub to: ComponentId,
    /// At which port.
    pub port: PortId,
}

/// The rim of a run on the host. It reads the host's clock; what it feeds in is logged by the
/// engine, so that a run is replayable.
pub struct Outside {
    signals: Rc<Signals>,
    output: Output,
    keyboard: Option<Keyboard>,
    escape: Escape,
    typed: VecDeque<u8>,
    networks: Vec<UserNetwork>,
    clock: Clock,
    deadline: Option<Instant>,
    next_glance: Instant,
    ended: Option<Ended>,
    live: Option<LiveLine>,
}

impl Outside {
    /// A run that begins now. `keyboard` is where standard input goes, if anywhere; `host_time` is
    /// how long the run may take.
    #[must_use]
    pub fn new(
        signals: &Rc<Signals>,
        output: &Output,
        pace: Pace,
        keyboard: Option<Keyboard>,
        host_time: Option<Duration>,
    ) -> Self {
        let now = Instant::now();
        Self {
            signals: Rc::clone(signals),
            output: output.clone(),
            keyboard,
            escape: Escape::default(),
            typed: VecDeque::new(),
            networks: Vec::new(),
            clock: Clock::new(pace, now),
            deadline: host_time.and_then(|t| now.checked_add(t)),
            next_glance: now,
            ended: None,
            live: None,
        }
    }

    /// The same with these networks.
    #[must_use]
    pub fn with_networks(mut self, networks: Vec<UserNetwork>) -> Self {
        self.networks = networks;
        self
    }

    /// Shows a line about the run, unless a person has the terminal.
    #[must_use]
    pub fn with_live_line(mut self, line: Option<LiveLine>) -> Self {
        self.live = line.filter(|_| self.keyboard.is_none());
        self
    }

    /// Why the outside ended the run, if it did.
    #[must_use]
    pub const fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// The debugger wants the run to end.
    pub fn kill(&mut self) {
        self.ended.get_or_insert(Ended::Debugger);
    }

    fn end(&mut self, why: Ended) -> RimAction {
        self.ended.get_or_insert(why);
        RimAction::Stop
    }

    /// What ends the run without looking at the clock.
    fn ending(&mut self) -> Option<RimAction> {
        if self.ended.is_some() {
            return Some(RimAction::Stop);
        }
        if let Some(signal) = self.signals.pending() {
            return Some(self.end(Ended::Signal(signal)));
        }
        if self.output.has_lost_terminal() {
            return Some(self.end(Ended::Terminal));
        }
        if self.output.has_failed() {
            return Some(self.end(Ended::Output));
        }
        None
    }

    /// Something on its way in, to arrive at `at` or as soon after it as it can.
    fn input(&mut self, at: SimTime) -> Option<RimAction> {
        self.typed(at).or_else(|| {
            let mut inputs = self.networks.iter_mut();
            inputs
                .find_map(|network| network.input(at))
                .map(RimAction::Inject)
        })
    }

    /// Lets networks get on.
    fn attend(&mut self) {
        for network in &mut self.networks {
            network.attend();
        }
    }

    /// A typed byte.
    fn typed(&mut self, at: SimTime) -> Option<RimAction> {
        let keyboard = self.keyboard?;
        let byte = self.typed.pop_front()?;
        Some(RimAction::Inject(Input {
            at,
            to: keyboard.to,
            port: keyboard.port,
            msg: Message::Byte(byte),
        }))
    }

    /// Waits until a key, a network, a signal or the end of `most`; `None` is for ever.
    fn sleep(&mut self, most: Option<Duration>) {
        // In the background, keys are somebody else's; reading them would stop the run.
        let watched = self.keyboard.is_some() && terminal::is_ours();
        let most = match most {
            most if watched || self.keyboard.is_none() => most,
            most => Some(most.map_or(LOOK_AGAIN, |m| m.min(LOOK_AGAIN))),
        };
        let wake = PollFd::from_borrowed_fd(self.signals.wake_fd(), PollFlags::IN);
        let input = rustix::stdio::stdin();
        let key = PollFd::from_borrowed_fd(input, PollFlags::IN);
        let mut fds = vec![wake];
        if watched {
            fds.push(key);
        }
        for network in &self.networks {
            network.watch(&mut fds);
        }
        let time = most.map(timespec);
        let result = poll(&mut fds, time.as_ref());
        let key = fds.get(1).filter(|_| watched);
        let seen = key.map_or(PollFlags::empty(), PollFd::revents);
        drop(fds);
        self.attend();
        let gone = seen.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL);
        match result {
            Ok(_) if gone => {
                self.end(Ended::Terminal);
            }
            Ok(_) if !seen.is_empty() => self.read_keys(),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => {
                self.end(Ended::Host);
            }
        }
    }

    fn read_keys(&mut self) {
        let mut buffer = [0; 256];
        match rustix::io::read(rustix::stdio::stdin(), &mut buffer) {
            // What a terminal that is gone says.
            Ok(0) => {
                self.end(Ended::Terminal);
            }
            Ok(count) => {
                for byte in buffer.iter().take(count) {
                    self.key(*byte);
                }
            }
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            // In the background without a shell that could bring it back.
            Err(_) => self.keyboard = None,
        }
    }

    fn key(&mut self, byte: u8) {
        match self.escape.key(byte) {
            Key::Type(byte) => self.typed.push_back(byte),
            Key::Quit => {
                self.end(Ended::Quit);
            }
            Key::Help => self.output.put_text(HELP),
            Key::Nothing => {}
        }
    }

    fn show_live_line(&mut self, now: Instant, reached: SimTime) {
        if let Some(line) = &mut self.live
            && self.output.leaves_room()
        {
            line.show(now, reached);
        }
    }

    fn glance(&mut self, now: Instant) {
        self.next_glance = now + GLANCE;
        self.output.flush();
        if self.keyboard.is_some() {
            self.sleep(Some(Duration::ZERO));
        } else {
            self.attend();
        }
    }

    fn out_of_time(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|end| now >= end)
    }

    /// The shorter of `wait` and what is left of the host time.
    fn until_deadline(&self, wait: Option<Duration>, now: Instant) -> Option<Duration> {
        let left = self.deadline.map(|end| end.saturating_duration_since(now));
        match (wait, left) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}

impl Rim for Outside {
    fn before(&mut self, t: SimTime) -> RimAction {
        loop {
            if let Some(action) = self.ending() {
                return action;
            }
            let now = Instant::now();
            if self.out_of_time(now) {
                return self.end(Ended::HostTime);
            }
            if now >= self.next_glance {
                self.glance(now);
                self.show_live_line(now, t);
            } else if self.networks.iter().any(UserNetwork::is_asked) {
                self.attend();
            }
            let wait = self.clock.wait(t, now);
            if let Some(action) = self.input(self.clock.arrival(wait, now)) {
                return action;
            }
            if wait.is_zero() {
                // What the glance found.
                return self.ending().unwrap_or(RimAction::Go);
            }
            self.output.flush();
            self.sleep(self.until_deadline(Some(wait), now));
        }
    }

    fn idle(&mut self) -> RimAction {
        self.output.flush();
        loop {
            if let Some(action) = self.ending() {
                return action;
            }
            let now = Instant::now();
            if self.out_of_time(now) {
                return self.end(Ended::HostTime);
            }
            self.attend();
            if let Some(action) = self.input(self.clock.arrival(Duration::MAX, now)) {
                return action;
            }
            let open = self.networks.iter().any(UserNetwork::is_open);
            if self.keyboard.is_none() && !open {
                return RimAction::Go;
            }
            self.sleep(self.until_deadline(None, now));
        }
    }
}

fn timespec(t: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(t.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: t.subsec_nanos().into(),
    }
}

/// What the host said about the output, in words.
#[must_use]
pub fn output_failure(output: &Output) -> String {
    match output.failure() {
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            "nobody reads the output any more".to_owned()
        }
        Some(error) => format!("the output cannot be written ({error})"),
        None => "the output cannot be written".to_owned(),
    }
}
