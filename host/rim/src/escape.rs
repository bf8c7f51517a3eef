//! The escape key: how a person talks to the tool while every other key goes to the guest.

/// Control-A.
const ESCAPE: u8 = 0x01;

/// What a typed byte turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    /// A byte for the guest.
    Type(u8),
    /// The person wants to end the run.
    Quit,
    /// The person wants to know the keys.
    Help,
    /// Part of an escape sequence, or one that means nothing.
    Nothing,
}

/// What the help key prints.
pub const HELP: &str =
    "\r\nmaquette: Ctrl-A x ends the run, Ctrl-A Ctrl-A sends Ctrl-A, Ctrl-A h shows this\r\n";

/// Sorts typed bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Escape {
    pressed: bool,
}

impl Escape {
    /// What `byte` means after the bytes before it.
    pub const fn key(&mut self, byte: u8) -> Key {
        if !self.pressed {
            self.pressed = byte == ESCAPE;
            return if self.pressed {
                Key::Nothing
            } else {
                Key::Type(byte)
            };
        }
        self.pressed = false;
        match byte {
            ESCAPE => Key::Type(ESCAPE),
            b'x' | b'X' => Key::Quit,
            b'h' | b'H' | b'?' => Key::Help,
            _ => Key::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut escape = Escape::default();
        bytes.iter().map(|b| escape.key(*b)).collect()
    }

    #[test]
    fn escape_sequences_are_for_the_tool_and_the_rest_for_the_guest() {
        use Key::{Help, Nothing, Quit, Type};
        assert_eq!(keys(b"x\x03"), [Type(b'x'), Type(3)]);
        assert_eq!(keys(b"\x01x"), [Nothing, Quit]);
        assert_eq!(keys(b"\x01hh"), [Nothing, Help, Type(b'h')]);
        assert_eq!(keys(b"\x01\x01x"), [Nothing, Type(1), Type(b'x')]);
        assert_eq!(keys(b"\x01zx"), [Nothing, Nothing, Type(b'x')]);
    }
}
