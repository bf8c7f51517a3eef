//! What the end of a run means.

use crate::description::{End, Expect};
use crate::units;
use maquette_model::SimTime;
use maquette_rim::signal_name;
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
    /// The host failed; the text says how.
    Host(String),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PowerOff => f.write_str("the guest switched the machine off"),
            Self::Failure(code) => write!(f, "the guest reported failure {code}"),
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

    /// Whether every component came to the same end, so that the trace hash means something.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        !matches!(
            self,
            Self::HostTimeLimit | Self::Signal(_) | Self::Quit | Self::Host(_)
        )
    }
}

/// What is made of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// As it should be.
    Clean,
    /// The guest did not do what it should.
    GuestFailure,
    /// The host did not.
    HostFailure,
    /// A limit cut the run short.
    Limit,
    /// A signal did.
    Signal(i32),
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

    /// Of several machines, the one with the heaviest verdict decides that of the run.
    #[must_use]
    pub const fn weight(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::GuestFailure => 1,
            Self::Limit => 2,
            Self::HostFailure => 3,
            Self::Signal(_) => 4,
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

/// Judges a run; the second value names what is wrong, one sentence each.
#[must_use]
pub fn judge(expect: &Expect, ending: &Ending, unmet: Unmet<'_>) -> (Verdict, Vec<String>) {
    let verdict = match ending {
        Ending::Signal(number) => Some(Verdict::Signal(*number)),
        Ending::Quit => Some(Verdict::Clean),
        Ending::Host(_) => Some(Verdict::HostFailure),
        Ending::TimeLimit(_) | Ending::InstructionLimit(_) | Ending::HostTimeLimit => {
            Some(Verdict::Limit)
        }
        _ => None,
    };
    let mut reasons = unmet.host_errors.to_vec();
    if let Some(verdict) = verdict {
        if verdict != Verdict::Clean {
            reasons.push(ending.to_string());
            reasons.extend(missing(unmet));
        }
        let failed = verdict == Verdict::Clean && !unmet.host_errors.is_empty();
        return (
            if failed {
                Verdict::HostFailure
            } else {
                verdict
            },
            reasons,
        );
    }
    let mut guest = wrong_end(expect, ending);
    guest.extend(missing(unmet));
    let verdict = match (reasons.is_empty(), guest.is_empty()) {
        (false, _) => Verdict::HostFailure,
        (true, false) => Verdict::GuestFailure,
        (true, true) => Verdict::Clean,
    };
    reasons.extend(guest);
    (verdict, reasons)
}

/// What is wrong with how the run ended.
fn wrong_end(expect: &Expect, ending: &Ending) -> Vec<String> {
    let is_expected = match ending {
        Ending::PowerOff => expect.end == End::PowerOff,
        Ending::Failure(_) => expect.end == End::Failure,
        Ending::HartFailure(_) => expect.end == End::HartFailure,
        Ending::Deadlock(_) => expect.end == End::Deadlock,
        _ => false,
    };
    if !is_expected {
        return vec![ending.to_string()];
    }
    match (expect.status, ending.guest_status()) {
        (Some(wanted), Some(status)) if wanted != status => {
            vec![format!("the guest's status is {status}, expected {wanted}")]
        }
        _ => Vec::new(),
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
        assert!(reasons[0].contains("login:"), "{reasons:?}");
        let errors = ["disk gone".to_owned()];
        let host = Unmet {
            host_errors: &errors,
            ..Unmet::default()
        };
        let (verdict, reasons) = judge(&e, &Ending::PowerOff, host);
        assert_eq!((verdict, reasons.len()), (Verdict::HostFailure, 1));
    }
}
