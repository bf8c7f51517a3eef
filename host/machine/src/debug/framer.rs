//! Packets out of a stream of bytes (GDB manual, "Overview" of the remote protocol).
//!
//! Everything that is no whole, unharmed packet ends here, so that the protocol sees only those.

use super::MOST_PACKET;

/// What a byte completed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Frame {
    /// Nothing.
    Nothing,
    /// A packet that was harmed on its way, to be asked for again.
    Harmed,
    /// A packet that is not kept, for its length.
    TooLong,
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
}

const INTERRUPT: u8 = 3;

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
            Frame::TooLong
        } else if body(&packet).is_some() {
            Frame::Packet(packet)
        } else {
            Frame::Harmed
        }
    }
}

/// A body with its frame.
pub(super) fn framed(body: &[u8]) -> Vec<u8> {
    let sum = body.iter().fold(0u8, |sum, b| sum.wrapping_add(*b));
    let mut packet = vec![b'$'];
    packet.extend_from_slice(body);
    packet.extend_from_slice(format!("#{sum:02x}").as_bytes());
    packet
}

/// The body of a packet whose checksum is right.
pub(super) fn body(packet: &[u8]) -> Option<&[u8]> {
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

    fn all(framer: &mut Framer, bytes: &[u8]) -> Vec<Frame> {
        let frames = bytes.iter().map(|b| framer.push(*b));
        frames.filter(|f| *f != Frame::Nothing).collect()
    }

    #[test]
    fn framer_keeps_no_packet_longer_than_the_longest() {
        let mut framer = Framer::default();
        let long = framed(&vec![b'x'; MOST_PACKET + 1]);
        assert_eq!(all(&mut framer, &long), [Frame::TooLong]);
        let most = framed(&vec![b'x'; MOST_PACKET]);
        assert_eq!(all(&mut framer, &most), [Frame::Packet(most)]);
    }

    #[test]
    fn framer_refuses_a_wrong_checksum() {
        let mut framer = Framer::default();
        assert_eq!(all(&mut framer, b"$g#68"), [Frame::Harmed]);
        assert_eq!(all(&mut framer, b"$g#zz"), [Frame::Harmed]);
        assert_eq!(
            all(&mut framer, b"$g#67"),
            [Frame::Packet(b"$g#67".to_vec())]
        );
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
