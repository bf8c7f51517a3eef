//! What the end of a run means.

use crate::description::{End, Expect};
use crate::units;
use maquette_model::SimTime;
use maquette_rim::{HANGUP, signal_name};
use std::cmp::Reverse;
use std::fmt;

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The guest switched the machine off.
    PowerOff,
    /// The guest reported a failure.
    Failure(u32),
    /// A hart cannot go on; the text says which, where and why.
    HartFailure(String),
    /// Nothing is left that could wake a hart; the text names each with its pc.
    Deadlock(String),
    /// A forbidden text appeared on the console.
    Forbidden(String),
    /// The system file's limit of virtual time.
    TimeLimit(SimTime),
    /// The system file's limit of instructions.
    InstructionLimit(u64),
    /// The system file's limit of time on the host.
    HostTimeLimit,
    /// The virtual time within which the run should have ended.
    Late(SimTime),
    /// Another machine of the system ended the run.
    CutShort,
    /// A signal.
    Signal(i32),
    /// The person at the terminal.
    Quit,
    /// The debugger.
    Killed,
    /// The person's terminal is gone.
    TerminalGone,
    /// A snapshot was taken, and nothing more was wanted.
    Saved,
    /// A replay has come to where the recorded run was ended from outside; the text says how that was.
    Recorded(String),
    /// The host failed; the text says how.
    Host(String),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PowerOff => f.write_str("the guest switched the machine off"),
            Self::Failure(code) => write!(f, "the guest reported failure, with status {code}"),
            Self::HartFailure(what) => f.write_str(what),
            Self::Deadlock(harts) => write!(f, "deadlock: {harts}"),
            Self::Forbidden(text) => {
                write!(
                    f,
                    "the console shows {text:?}, which `expect.forbid` forbids"
                )
            }
            Self::TimeLimit(t) => {
                write!(f, "`limits.time` of {} was reached", units::show_time(*t))
            }
            Self::InstructionLimit(n) => {
                write!(f, "`limits.instructions` of {n} was reached")
            }
            Self::HostTimeLimit => f.write_str("`limits.host_time` was reached"),
            Self::Late(t) => write!(
                f,
                "the run did not end within `expect.time` of {}",
                units::show_time(*t)
            ),
            Self::CutShort => f.write_str("the run ended before this machine did"),
            Self::Signal(number) => write!(f, "ended by {}", signal_name(*number)),
            Self::Quit => f.write_str("ended from the terminal"),
            Self::Killed => f.write_str("ended by the debugger"),
            Self::TerminalGone => f.write_str("the terminal is gone"),
            Self::Saved => f.write_str("the snapshot is written"),
            Self::Recorded(how) => write!(f, "as recorded: {how}"),
            Self::Host(what) => f.write_str(what),
        }
    }
}

impl Ending {
    /// The guest's own status, if it gave one.
    #[must_use]
    pub const fn guest_status(&self) -> Option<u32> {
        match self {
            Self::PowerOff => Some(0),
            Self::Failure(code) => Some(*code),
            _ => None,
        }
    }

    /// Whether something outside the simulation brought the end about, at a time that another run would
    /// not have.
    #[must_use]
    pub const fn is_from_outside(&self) -> bool {
        matches!(
            self,
            Self::HostTimeLimit
                | Self::Signal(_)
                | Self::Quit
                | Self::Killed
                | Self::TerminalGone
                | Self::Host(_)
                | Self::Saved
                | Self::Recorded(_)
        )
    }

    /// Whether the run was still going on: a time was reached, or something outside ended it.
    #[must_use]
    pub const fn is_a_cut(&self) -> bool {
        matches!(self, Self::TimeLimit(_) | Self::Late(_)) || self.is_from_outside()
    }

    /// What is made of an end that the guest did not bring about; `None` where that depends on what is
    /// expected of it.
    const fn imposed(&self) -> Option<Verdict> {
        match self {
            Self::Quit | Self::Killed | Self::Saved | Self::Recorded(_) => Some(Verdict::Clean),
            Self::TimeLimit(_) | Self::InstructionLimit(_) | Self::HostTimeLimit => {
                Some(Verdict::Limit)
            }
            Self::Host(_) => Some(Verdict::HostFailure),
            Self::Signal(number) => Some(Verdict::Signal(*number)),
            Self::TerminalGone => Some(Verdict::Signal(HANGUP)),
            Self::PowerOff
            | Self::Failure(_)
            | Self::HartFailure(_)
            | Self::Deadlock(_)
            | Self::Forbidden(_)
            | Self::CutShort
            | Self::Late(_) => None,
        }
    }
}

/// What is made of it, and the class of each thing that is wrong.
///
/// Where several are, of one machine or of several, the greatest is the run's: whoever sends a signal wants to see that it was
/// heard; a failure of the host makes everything else doubtful; and a guest that was cut short may
/// have been about to do what was still missing. This order is the only one; documentation repeats it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// As it should be.
    Clean,
    /// The guest did not do what it should.
    GuestFailure,
    /// A limit cut the run short.
    Limit,
    /// The host did not do what it should.
    HostFailure,
    /// A signal ended the run.
    Signal(i32),
}

/// One thing that is wrong with a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// Whose failure it is.
    pub class: Verdict,
    /// A sentence.
    pub text: String,
    /// What to do about it, where that is known.
    pub remedy: Option<&'static str>,
}

impl Reason {
    /// Something is wrong, and what to do depends on what is wanted.
    pub fn new(class: Verdict, text: impl Into<String>) -> Self {
        Self {
            class,
            text: text.into(),
            remedy: None,
        }
    }

    /// The same with what to do about it.
    #[must_use]
    pub const fn with_remedy(mut self, remedy: &'static str) -> Self {
        self.remedy = Some(remedy);
        self
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class.name(), self.text)
    }
}

/// The exit code for wrong usage and for systems that cannot be set up.
pub const EXIT_SETUP: u8 = 1;

impl Verdict {
    /// The exit code of the process.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::GuestFailure => 2,
            Self::HostFailure => 3,
            Self::Limit => 124,
            Self::Signal(number) => u8::try_from(number).map_or(3, |n| n.saturating_add(128)),
        }
    }

    /// The name in statistics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::GuestFailure => "guest failure",
            Self::HostFailure => "host failure",
            Self::Limit => "limit",
            Self::Signal(_) => "signal",
        }
    }
}

/// What was still to come when the run ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unmet<'a> {
    /// The expected text that did not appear.
    pub console: Option<&'a str>,
    /// The text that the script waited for.
    pub script: Option<&'a str>,
    /// Failures of the host during the run.
    pub host_errors: &'a [String],
}

/// Judges a run; the second value holds what is wrong, what decides first.
#[must_use]
pub fn judge(expect: &Expect, ending: &Ending, unmet: Unmet<'_>) -> (Verdict, Vec<Reason>) {
    let (end, texts) = match ending.imposed() {
        Some(Verdict::Clean) => (None, Vec::new()),
        Some(class) => (Some((class, ending.to_string())), missing(unmet)),
        None => {
            let wrong = wrong_end(expect, ending);
            (
                wrong.map(|text| (Verdict::GuestFailure, text)),
                missing(unmet),
            )
        }
    };
    let host = unmet.host_errors.iter().cloned();
    let host = host.map(|text| (Verdict::HostFailure, text));
    let texts = texts.into_iter().map(|text| (Verdict::GuestFailure, text));
    let mut reasons: Vec<Reason> = host
        .chain(end)
        .chain(texts)
        .map(|(class, text)| Reason::new(class, text))
        .collect();
    (gravest(&mut reasons), reasons)
}

/// Puts what decides first; the verdict over all of it.
pub fn gravest(reasons: &mut [Reason]) -> Verdict {
    reasons.sort_by_key(|reason| Reverse(reason.class));
    reasons.first().map_or(Verdict::Clean, |r| r.class)
}

/// What is wrong with how the run ended.
fn wrong_end(expect: &Expect, ending: &Ending) -> Option<String> {
    let is_expected = match ending {
        Ending::PowerOff => expect.end == End::PowerOff,
        Ending::Failure(_) => expect.end == End::Failure,
        Ending::HartFailure(_) => expect.end == End::HartFailure,
        Ending::Deadlock(_) => expect.end == End::Deadlock,
        _ => false,
    };
    if !is_expected {
        return Some(ending.to_string());
    }
    match (expect.status, ending.guest_status()) {
        (Some(wanted), Some(status)) if wanted != status => {
            Some(format!("the guest's status is {status}, expected {wanted}"))
        }
        _ => None,
    }
}

fn missing(unmet: Unmet<'_>) -> Vec<String> {
    let console = unmet
        .console
        .map(|text| format!("the console never showed {text:?}, which `expect.console` asks for"));
    let script = unmet
        .script
        .map(|text| format!("the script still waits for {text:?}"));
    console.into_iter().chain(script).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expect(end: End, status: Option<u32>) -> Expect {
        Expect {
            console: Vec::new(),
            forbid: Vec::new(),
            end,
            status,
            time: None,
        }
    }

    fn code(end: End, status: Option<u32>, ending: &Ending) -> u8 {
        let (verdict, reasons) = judge(&expect(end, status), ending, Unmet::default());
        assert_eq!(
            verdict == Verdict::Clean,
            reasons.is_empty(),
            "{ending:?}: {reasons:?}"
        );
        verdict.exit_code()
    }

    #[test]
    fn ending_other_than_expected_is_a_guest_failure() {
        let dead = Ending::Deadlock("hart0".to_owned());
        let stuck = Ending::HartFailure("hart0".to_owned());
        assert_eq!(code(End::PowerOff, None, &Ending::PowerOff), 0);
        assert_eq!(code(End::PowerOff, None, &Ending::Failure(3)), 2);
        assert_eq!(code(End::PowerOff, None, &dead), 2);
        assert_eq!(code(End::PowerOff, None, &stuck), 2);
        assert_eq!(code(End::Deadlock, None, &dead), 0);
        assert_eq!(code(End::HartFailure, None, &stuck), 0);
        assert_eq!(code(End::Deadlock, None, &Ending::PowerOff), 2);
        assert_eq!(code(End::Failure, Some(3), &Ending::Failure(3)), 0);
        assert_eq!(code(End::Failure, Some(3), &Ending::Failure(4)), 2);
        assert_eq!(code(End::Failure, None, &Ending::PowerOff), 2);
    }

    #[test]
    fn ending_from_outside_has_its_own_code() {
        let t = SimTime::from_ms(1);
        assert_eq!(code(End::PowerOff, None, &Ending::TimeLimit(t)), 124);
        assert_eq!(code(End::PowerOff, None, &Ending::InstructionLimit(1)), 124);
        assert_eq!(code(End::PowerOff, None, &Ending::HostTimeLimit), 124);
        assert_eq!(code(End::PowerOff, None, &Ending::Late(t)), 2);
        assert_eq!(code(End::PowerOff, None, &Ending::Signal(2)), 130);
        assert_eq!(code(End::PowerOff, None, &Ending::Signal(15)), 143);
        assert_eq!(code(End::PowerOff, None, &Ending::Quit), 0);
        assert_eq!(code(End::PowerOff, None, &Ending::Host("x".to_owned())), 3);
    }

    #[test]
    fn unmet_expectation_or_host_error_spoils_a_power_off() {
        let e = expect(End::PowerOff, None);
        let console = Unmet {
            console: Some("login:"),
            ..Unmet::default()
        };
        let (verdict, reasons) = judge(&e, &Ending::PowerOff, console);
        assert_eq!(verdict, Verdict::GuestFailure);
        assert!(reasons[0].text.contains("login:"), "{reasons:?}");
        let errors = ["disk gone".to_owned()];
        let host = Unmet {
            host_errors: &errors,
            ..Unmet::default()
        };
        let (verdict, reasons) = judge(&e, &Ending::PowerOff, host);
        assert_eq!((verdict, reasons.len()), (Verdict::HostFailure, 1));
    }

    #[test]
    fn several_failures_keep_their_classes_and_the_gravest_decides() {
        use Verdict::{GuestFailure, HostFailure, Limit, Signal};
        let host = ["disk gone".to_owned()];
        let limit = Ending::TimeLimit(SimTime::from_ms(1));
        let judged = |ending: &Ending, host_errors: &[String], text: Option<&'static str>| {
            let unmet = Unmet {
                console: text,
                script: None,
                host_errors,
            };
            let (verdict, reasons) = judge(&expect(End::PowerOff, None), ending, unmet);
            let classes: Vec<Verdict> = reasons.iter().map(|r| r.class).collect();
            (verdict.exit_code(), classes)
        };
        let text = Some("login:");
        assert_eq!(judged(&limit, &[], None), (124, vec![Limit]));
        assert_eq!(judged(&limit, &[], text), (124, vec![Limit, GuestFailure]));
        assert_eq!(judged(&limit, &host, None), (3, vec![HostFailure, Limit]));
        assert_eq!(
            judged(&limit, &host, text),
            (3, vec![HostFailure, Limit, GuestFailure])
        );
        assert_eq!(
            judged(&Ending::Failure(0), &host, None),
            (3, vec![HostFailure, GuestFailure])
        );
        assert_eq!(
            judged(&Ending::Signal(15), &host, None),
            (143, vec![Signal(15), HostFailure])
        );
        assert_eq!(judged(&Ending::Quit, &host, text), (3, vec![HostFailure]));
        assert_eq!(judged(&Ending::TerminalGone, &[], None).0, 129);
    }
}
