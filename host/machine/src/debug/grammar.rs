//! Which packets the protocol's library is given (GDB manual, "Packets").
//!
//! The library ends the connection over a packet that it cannot read, writes what came though another length was
//! said, and takes threads that do not exist. So it sees only packets that are right, and the others are
//! answered here: by an error in words, or, if the kind of packet is not known, by nothing, as the protocol wants.

use super::MOST_PACKET;
use super::arch::REGISTER_BYTES;
use maquette_model::Debuggable;
use maquette_rv64::Hart;
use thiserror::Error;

/// Bytes of all general registers.
const REGISTERS: u64 = (<Hart>::GENERAL_REGISTERS * REGISTER_BYTES) as u64;

/// The machine, as a debugger sees it: its harts are the threads.
const THE_PROCESS: u64 = 1;

/// Why a packet is refused; the debugger shows the words.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(super) enum Refusal {
    #[error("the packet is too long")]
    TooLong,
    #[error("that is too much memory at once")]
    TooMuch,
    #[error("the packet is malformed")]
    Malformed,
    #[error("the length is not that of the data; nothing was written")]
    Length,
    #[error("there is no such hart; ask qfThreadInfo for those there are")]
    NoThread,
    #[error("there is one process, 1")]
    NoProcess,
    #[error("a step is of one hart; name it, as in vCont, s:1")]
    StepOfAll,
    #[error("running from another address is not supported; write pc first")]
    FromAddress,
    #[error("stopping single harts is not supported; send an interrupt")]
    StopOfOne,
}

/// What becomes of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It is right.
    Pass,
    /// It is of a kind that is not known.
    Unknown,
}

/// What the packets so far decide of the next one.
#[derive(Default)]
pub(super) struct Grammar {
    /// `Hc-1` was the last choice: `s` would be a step of all harts.
    all_run: bool,
}

type Checked = Result<(), Refusal>;

impl Grammar {
    /// Looks at the body of a packet for a machine of so many harts.
    pub(super) fn check(&mut self, body: &[u8], harts: usize) -> Result<Verdict, Refusal> {
        let checked = match body {
            b"?" | b"g" | b"k" | b"D" | b"qAttached" | b"qfThreadInfo" | b"qsThreadInfo"
            | b"QStartNoAckMode" | b"vCont?" => Ok(()),
            b"c" => self.runs(),
            b"s" if self.all_run => Err(Refusal::StepOfAll),
            b"s" => self.runs(),
            [b'c' | b's', ..] => Err(Refusal::FromAddress),
            [b'G', values @ ..] if bytes(values)? != REGISTERS => Err(Refusal::Length),
            [b'G', ..] => Ok(()),
            [b'p', number @ ..] => number_of(number).map(drop),
            [b'P', rest @ ..] => {
                let (number, value) = split(rest, b'=')?;
                number_of(number).and(bytes(value)).map(drop)
            }
            [b'm', range @ ..] => read(range),
            [b'M', rest @ ..] => write(rest, bytes),
            [b'X', rest @ ..] => write(rest, escaped),
            [b'Z' | b'z', b'0'..=b'4', b',', place @ ..] => {
                let (address, kind) = split(place, b',')?;
                number_of(address).and(number_of(kind)).map(drop)
            }
            [b'H', op @ (b'g' | b'c'), id @ ..] => self.choose(*op, id, harts),
            [b'T', id @ ..] => one(id, harts),
            _ => return self.check_named(body, harts),
        };
        checked.map(|()| Verdict::Pass)
    }

    /// Packets whose names are words.
    fn check_named(&mut self, body: &[u8], harts: usize) -> Result<Verdict, Refusal> {
        let after = |name: &str| body.strip_prefix(name.as_bytes());
        let checked = if let Some(actions) = after("vCont;") {
            let mut actions = actions.split(|b| *b == b';');
            actions
                .try_for_each(|a| action(a, harts))
                .and_then(|()| self.runs())
        } else if let Some(process) = after("D;").or(after("vKill;")).or(after("qAttached:")) {
            match number_of(process)? {
                THE_PROCESS => Ok(()),
                _ => Err(Refusal::NoProcess),
            }
        } else if let Some(features) = after("qSupported:") {
            let mut features = features.split(|b| *b == b';');
            ensure(features.all(|f| !f.is_empty()))
        } else if let Some(id) = after("qThreadExtraInfo,") {
            one(id, harts)
        } else if let Some(command) = after("qRcmd,") {
            bytes(command).map(drop)
        } else if let Some(read) = after("qXfer:features:read:") {
            let (annex, range) = split(read, b':')?;
            let (offset, length) = split(range, b',')?;
            number_of(offset).and(number_of(length))?;
            ensure(!annex.is_empty())
        } else {
            return Ok(Verdict::Unknown);
        };
        checked.map(|()| Verdict::Pass)
    }

    /// The machine runs. When it stops, the hart that stopped is chosen.
    const fn runs(&mut self) -> Checked {
        self.all_run = false;
        Ok(())
    }

    fn choose(&mut self, op: u8, id: &[u8], harts: usize) -> Checked {
        let (_, chosen) = thread(id, harts)?;
        match (op, chosen) {
            // Registers and memory are those of one hart.
            (b'g', Which::All) => Err(Refusal::NoThread),
            (b'g', _) => Ok(()),
            _ => {
                self.all_run = chosen == Which::All;
                Ok(())
            }
        }
    }
}

fn ensure(right: bool) -> Checked {
    if right {
        Ok(())
    } else {
        Err(Refusal::Malformed)
    }
}

/// The parts before and after the first `at`.
fn split(body: &[u8], at: u8) -> Result<(&[u8], &[u8]), Refusal> {
    let place = body.iter().position(|b| *b == at);
    let (before, after) = place
        .and_then(|i| body.split_at_checked(i))
        .ok_or(Refusal::Malformed)?;
    Ok((before, after.get(1..).unwrap_or_default()))
}

/// A number in hexadecimal.
fn number_of(digits: &[u8]) -> Result<u64, Refusal> {
    let text = core::str::from_utf8(digits).map_err(|_| Refusal::Malformed)?;
    // What parses numbers would take a sign.
    ensure(text.bytes().all(|b| b.is_ascii_hexdigit()) && text.len() <= 16)?;
    u64::from_str_radix(text, 16).map_err(|_| Refusal::Malformed)
}

/// How many bytes so many pairs of hexadecimal digits are.
fn bytes(digits: &[u8]) -> Result<u64, Refusal> {
    let (pairs, rest) = digits.as_chunks::<2>();
    ensure(rest.is_empty() && digits.iter().all(u8::is_ascii_hexdigit))?;
    Ok(pairs.len() as u64)
}

/// How many bytes data with escapes are.
fn escaped(data: &[u8]) -> Result<u64, Refusal> {
    let mut rest = data.iter();
    let mut count = 0;
    while let Some(byte) = rest.next() {
        ensure(*byte != b'}' || rest.next().is_some())?;
        count += 1;
    }
    Ok(count)
}

/// `address,length` to read.
fn read(range: &[u8]) -> Checked {
    let (address, length) = split(range, b',')?;
    number_of(address)?;
    // An answer without bounds.
    if number_of(length)? > MOST_PACKET as u64 / 2 {
        return Err(Refusal::TooMuch);
    }
    Ok(())
}

/// `address,length:data`, whose `count` is to be that length.
fn write(rest: &[u8], count: fn(&[u8]) -> Result<u64, Refusal>) -> Checked {
    let (range, data) = split(rest, b':')?;
    let (address, length) = split(range, b',')?;
    number_of(address)?;
    if number_of(length)? != count(data)? {
        return Err(Refusal::Length);
    }
    Ok(())
}

/// The machine is one process.
const PROCESSES: usize = 1;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Which {
    All,
    Any,
    One,
}

/// A thread's name: `-1`, `0` or a number, behind `pPROCESS.` if need be. Gives the process, and the thread.
fn thread(id: &[u8], harts: usize) -> Result<(Which, Which), Refusal> {
    match id.strip_prefix(b"p") {
        None => Ok((Which::One, which(id, harts)?)),
        Some(id) if !id.contains(&b'.') => Ok((which(id, PROCESSES)?, Which::All)),
        Some(id) => {
            let (process, id) = split(id, b'.')?;
            Ok((which(process, PROCESSES)?, which(id, harts)?))
        }
    }
}

fn which(id: &[u8], most: usize) -> Result<Which, Refusal> {
    match id {
        b"-1" => Ok(Which::All),
        b"0" => Ok(Which::Any),
        digits => match number_of(digits)? {
            n if (1..=most as u64).contains(&n) => Ok(Which::One),
            _ => Err(Refusal::NoThread),
        },
    }
}

/// The name of a thread that is one hart.
fn one(id: &[u8], harts: usize) -> Checked {
    match thread(id, harts)? {
        (Which::One, Which::One) => Ok(()),
        _ => Err(Refusal::NoThread),
    }
}

/// One action of `vCont`.
fn action(text: &[u8], harts: usize) -> Checked {
    let place = text.iter().position(|b| *b == b':');
    let (what, id) = match place {
        None => (text, None),
        Some(_) => split(text, b':').map(|(what, id)| (what, Some(id)))?,
    };
    // An action without a name is for all that have none of their own.
    let (process, of) = id.map_or(Ok((Which::All, Which::All)), |id| thread(id, harts))?;
    ensure(process != Which::Any)?;
    let step = |right: Checked| match of {
        _ if right.is_err() => right,
        Which::One => Ok(()),
        Which::All | Which::Any => Err(Refusal::StepOfAll),
    };
    match what {
        b"c" => Ok(()),
        b"s" => step(Ok(())),
        b"t" => Err(Refusal::StopOfOne),
        [b'C', signal @ ..] => ensure(bytes(signal)? == 1),
        [b'S', signal @ ..] => step(ensure(bytes(signal)? == 1)),
        [b'r', range @ ..] => {
            let (from, to) = split(range, b',')?;
            step(number_of(from).and(number_of(to)).map(drop))
        }
        _ => Err(Refusal::Malformed),
    }
}

#[cfg(test)]
mod tests;
