//! Packets out of a stream of bytes (GDB manual, "Overview" of the remote protocol).
//!
//! Everything that is no whole, unharmed packet ends here, so that the protocol sees only those.

use super::MOST_PACKET;

/// What a byte completed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Frame {
    /// Nothing.
    Nothing,
    /// Something that is answered at once.
    Reply(&'static [u8]),
    /// The wish to stop.
    Interrupt,
    /// A packet with its frame: `$…#xx`.
    Packet(Vec<u8>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Place {
    #[default]
    Between,
    Body,
    Checksum(u8),
}

/// Finds packets.
#[derive(Default)]
pub(super) struct Framer {
    place: Place,
    packet: Vec<u8>,
    /// The packet is longer than it may be, and is only skipped.
    too_long: bool,
    /// The debugger wants no acknowledgements.
    silent: bool,
}

const INTERRUPT: u8 = 3;
/// Takes the packet, and answers it with an error in words.
const TOO_LONG: &[u8] = b"+$E.the packet is too long#8a";
const TOO_MUCH: &[u8] = b"+$E.that is too much memory at once#d2";

impl Framer {
    /// Takes the next byte.
    pub(super) fn push(&mut self, byte: u8) -> Frame {
        match self.place {
            Place::Between => match byte {
                INTERRUPT => return Frame::Interrupt,
                b'$' => self.begin(),
                // Acknowledgements, and noise.
                _ => {}
            },
            // A packet that was cut short, and the next one.
            Place::Body if byte == b'$' => self.begin(),
            Place::Body => {
                self.keep(byte);
                if byte == b'#' {
                    self.place = Place::Checksum(2);
                }
            }
            Place::Checksum(left) => {
                self.keep(byte);
                self.place = Place::Checksum(left.saturating_sub(1));
                if left <= 1 {
                    self.place = Place::Between;
                    return self.complete();
                }
            }
        }
        Frame::Nothing
    }

    /// Answers with an error; who wants no acknowledgement gets none.
    fn error(&self, text: &'static [u8]) -> Frame {
        Frame::Reply(if self.silent {
            text.get(1..).unwrap_or_default()
        } else {
            text
        })
    }

    fn begin(&mut self) {
        self.packet.clear();
        self.packet.push(b'$');
        self.too_long = false;
        self.place = Place::Body;
    }

    fn keep(&mut self, byte: u8) {
        if self.packet.len() < MOST_PACKET + 4 {
            self.packet.push(byte);
        } else {
            self.too_long = true;
        }
    }

    fn complete(&mut self) -> Frame {
        let packet = core::mem::take(&mut self.packet);
        if self.too_long {
            return self.error(TOO_LONG);
        }
        match body(&packet) {
            Some(body) if reads_too_much(body) => self.error(TOO_MUCH),
            Some(body) => {
                self.silent |= body == b"QStartNoAckMode";
                Frame::Packet(packet)
            }
            None if self.silent => Frame::Nothing,
            None => Frame::Reply(b"-"),
        }
    }
}

/// Whether it is `m address,length` with more bytes than a packet can say: an answer without bounds.
fn reads_too_much(body: &[u8]) -> bool {
    let Some(range) = body.strip_prefix(b"m") else {
        return false;
    };
    let length = range.rsplit(|b| *b == b',').next().unwrap_or_default();
    let length = core::str::from_utf8(length).ok();
    let length = length.and_then(|digits| usize::from_str_radix(digits, 16).ok());
    // What is no number is refused by the protocol.
    length.is_some_and(|n| n > MOST_PACKET / 2)
}

/// The body of a packet whose checksum is right.
fn body(packet: &[u8]) -> Option<&[u8]> {
    let (body, end) = packet
        .get(1..)?
        .split_at_checked(packet.len().checked_sub(4)?)?;
    let [b'#', high, low] = *end else {
        return None;
    };
    let digit = |b: u8| char::from(b).to_digit(16);
    let sum = digit(high)? << 4 | digit(low)?;
    let real = body.iter().fold(0u8, |sum, b| sum.wrapping_add(*b));
    (u32::from(real) == sum).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn framed(body: &[u8]) -> Vec<u8> {
        let sum = body.iter().fold(0u8, |sum, b| sum.wrapping_add(*b));
        let mut packet = vec![b'$'];
        packet.extend_from_slice(body);
        packet.extend_from_slice(format!("#{sum:02x}").as_bytes());
        packet
    }

    fn all(framer: &mut Framer, bytes: &[u8]) -> Vec<Frame> {
        let frames = bytes.iter().map(|b| framer.push(*b));
        frames.filter(|f| *f != Frame::Nothing).collect()
    }

    #[test]
    fn framer_answer_to_a_long_packet_is_itself_a_packet() {
        assert!(body(&TOO_LONG[1..]).is_some() && body(&TOO_MUCH[1..]).is_some());
        let mut framer = Framer::default();
        assert_eq!(
            all(&mut framer, &framed(&vec![b'x'; MOST_PACKET + 1])),
            [Frame::Reply(TOO_LONG)]
        );
        let most = framed(&vec![b'x'; MOST_PACKET]);
        assert_eq!(all(&mut framer, &most), [Frame::Packet(most)]);
    }

    #[test]
    fn framer_refuses_a_wrong_checksum_until_told_to_be_silent() {
        let mut framer = Framer::default();
        assert_eq!(all(&mut framer, b"$g#68"), [Frame::Reply(b"-")]);
        let silence = framed(b"QStartNoAckMode");
        assert_eq!(all(&mut framer, &silence), [Frame::Packet(silence)]);
        assert_eq!(all(&mut framer, b"$g#68"), []);
    }

    #[test]
    fn framer_refuses_to_read_more_than_a_packet_holds() {
        let mut framer = Framer::default();
        for (packet, passes) in [
            ("m0,2000", true),
            ("m0,2001", false),
            ("m0,ffffffffffffffff", false),
        ] {
            let packet = framed(packet.as_bytes());
            let expected = if passes {
                Frame::Packet(packet.clone())
            } else {
                Frame::Reply(TOO_MUCH)
            };
            assert_eq!(all(&mut framer, &packet), [expected]);
        }
    }

    proptest! {
        #[test]
        fn framer_finds_a_packet_after_any_noise(
            noise in prop::collection::vec(any::<u8>(), 0..200),
            body in prop::collection::vec(any::<u8>().prop_filter("", |b| !b"$#".contains(b)), 0..50),
        ) {
            let mut framer = Framer::default();
            let _ = all(&mut framer, &noise);
            // Whatever the noise began, three bytes end it.
            let _ = all(&mut framer, b"#00");
            let packet = framed(&body);
            prop_assert_eq!(all(&mut framer, &packet), [Frame::Packet(packet)]);
        }
    }
}
