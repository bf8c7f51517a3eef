//! How state becomes bytes and back.
//!
//! The encoding is fixed-width little-endian without tags: the (kind, version) pair in front of a
//! payload says what it is, and a reader must consume every byte. The same bytes feed the final
//! digest of the trace hash, so two equal states must encode equally.

use crate::SimTime;
use thiserror::Error;

/// Why saved state was refused.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum LoadError {
    /// The payload ends before the state does.
    #[error("the saved state ends {missing} bytes early")]
    Short {
        /// How many bytes more were wanted.
        missing: usize,
    },
    /// The payload goes on after the state.
    #[error("{extra} bytes are left over after the saved state")]
    Trailing {
        /// How many bytes were not consumed.
        extra: usize,
    },
    /// A field has a value that the state cannot have.
    #[error("the saved field `{field}` cannot be {value}")]
    Value {
        /// Which field.
        field: &'static str,
        /// What it held.
        value: u64,
    },
    /// A text is no UTF-8.
    #[error("the saved text `{field}` is not UTF-8")]
    Text {
        /// Which field.
        field: &'static str,
    },
}

/// Collects the bytes of saved state.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Appends one byte.
    pub fn u8(&mut self, v: u8) {
        self.bytes.push(v);
    }
    /// Appends a boolean as one byte.
    pub fn bool(&mut self, v: bool) {
        self.u8(u8::from(v));
    }
    /// Appends 16 bits.
    pub fn u16(&mut self, v: u16) {
        self.bytes.extend_from_slice(&v.to_le_bytes());
    }
    /// Appends 32 bits.
    pub fn u32(&mut self, v: u32) {
        self.bytes.extend_from_slice(&v.to_le_bytes());
    }
    /// Appends 64 bits.
    pub fn u64(&mut self, v: u64) {
        self.bytes.extend_from_slice(&v.to_le_bytes());
    }
    /// Appends a length and that many bytes.
    pub fn bytes(&mut self, v: &[u8]) {
        self.u64(v.len() as u64);
        self.bytes.extend_from_slice(v);
    }
    /// Appends a text with its length.
    pub fn str(&mut self, v: &str) {
        self.bytes(v.as_bytes());
    }
    /// Appends a time.
    pub fn time(&mut self, v: SimTime) {
        self.u64(v.as_ps());
    }
    /// Makes room for `more` bytes: for large states.
    pub fn reserve(&mut self, more: usize) {
        self.bytes.reserve(more);
    }
    /// Appends bytes whose number the reader knows.
    pub fn raw(&mut self, v: &[u8]) {
        self.bytes.extend_from_slice(v);
    }
    /// What was collected.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Takes saved state apart.
pub struct Reader<'a> {
    rest: &'a [u8],
    version: Option<u16>,
}

impl<'a> Reader<'a> {
    /// Reads from `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            version: None,
        }
    }

    /// Reads from `bytes`, which `version` of a type has written.
    #[must_use]
    pub const fn of_version(bytes: &'a [u8], version: u16) -> Self {
        Self {
            rest: bytes,
            version: Some(version),
        }
    }

    /// The version that wrote the payload, for a type that loads older ones too; `None` is its own.
    #[must_use]
    pub const fn version(&self) -> Option<u16> {
        self.version
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], LoadError> {
        match self.rest.split_first_chunk::<N>() {
            Some((head, tail)) => {
                self.rest = tail;
                Ok(*head)
            }
            None => Err(LoadError::Short {
                missing: N - self.rest.len(),
            }),
        }
    }

    /// Takes one byte.
    ///
    /// # Errors
    /// When no byte is left.
    pub fn u8(&mut self) -> Result<u8, LoadError> {
        Ok(u8::from_le_bytes(self.array()?))
    }
    /// Takes a boolean.
    ///
    /// # Errors
    /// When no byte is left or it is neither 0 nor 1.
    pub fn bool(&mut self, field: &'static str) -> Result<bool, LoadError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            v => Err(LoadError::Value {
                field,
                value: v.into(),
            }),
        }
    }
    /// Takes 16 bits.
    ///
    /// # Errors
    /// When the payload is too short.
    pub fn u16(&mut self) -> Result<u16, LoadError> {
        Ok(u16::from_le_bytes(self.array()?))
    }
    /// Takes 32 bits.
    ///
    /// # Errors
    /// When the payload is too short.
    pub fn u32(&mut self) -> Result<u32, LoadError> {
        Ok(u32::from_le_bytes(self.array()?))
    }
    /// Takes 64 bits.
    ///
    /// # Errors
    /// When the payload is too short.
    pub fn u64(&mut self) -> Result<u64, LoadError> {
        Ok(u64::from_le_bytes(self.array()?))
    }
    /// Takes 64 bits that have to be these: what the state has in common with whoever loads it.
    ///
    /// # Errors
    /// When the payload is too short or says something else.
    pub fn same(&mut self, field: &'static str, expected: u64) -> Result<(), LoadError> {
        match self.u64()? {
            value if value == expected => Ok(()),
            value => Err(LoadError::Value { field, value }),
        }
    }
    /// Takes a length and that many bytes.
    ///
    /// # Errors
    /// When the payload is too short.
    pub fn bytes(&mut self) -> Result<&'a [u8], LoadError> {
        let len = usize::try_from(self.u64()?).unwrap_or(usize::MAX);
        self.raw(len)
    }
    /// Takes a text with its length.
    ///
    /// # Errors
    /// When the payload is too short or the text is no UTF-8.
    pub fn str(&mut self, field: &'static str) -> Result<&'a str, LoadError> {
        core::str::from_utf8(self.bytes()?).map_err(|_| LoadError::Text { field })
    }
    /// Takes a time.
    ///
    /// # Errors
    /// When the payload is too short.
    pub fn time(&mut self) -> Result<SimTime, LoadError> {
        Ok(SimTime::from_ps(self.u64()?))
    }
    /// Takes exactly `len` bytes.
    ///
    /// # Errors
    /// When the payload is too short.
    pub fn raw(&mut self, len: usize) -> Result<&'a [u8], LoadError> {
        match self.rest.split_at_checked(len) {
            Some((head, tail)) => {
                self.rest = tail;
                Ok(head)
            }
            None => Err(LoadError::Short {
                missing: len - self.rest.len(),
            }),
        }
    }
    /// Ends the reading.
    ///
    /// # Errors
    /// When bytes are left over.
    pub const fn finish(self) -> Result<(), LoadError> {
        match self.rest.len() {
            0 => Ok(()),
            extra => Err(LoadError::Trailing { extra }),
        }
    }
}

/// State that can be saved and loaded.
///
/// `kind` and `version` are methods, not constants, because devices live behind `dyn Device`.
pub trait Snapshot {
    /// Names the type of the payload, for example `uart16550`.
    fn kind(&self) -> &'static str;
    /// The payload's version; raised whenever its layout changes.
    fn version(&self) -> u16;
    /// The oldest version that [`Snapshot::load`] still understands; it asks [`Reader::version`].
    fn oldest_version(&self) -> u16 {
        self.version()
    }
    /// Appends all state that the guest could observe.
    fn save(&self, w: &mut Writer);
    /// Replaces all state.
    ///
    /// # Errors
    /// When the payload is no state of this type. The state is then unspecified but sound.
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError>;
}

impl<T: Snapshot + ?Sized> Snapshot for Box<T> {
    fn kind(&self) -> &'static str {
        (**self).kind()
    }
    fn version(&self) -> u16 {
        (**self).version()
    }
    fn oldest_version(&self) -> u16 {
        (**self).oldest_version()
    }
    fn save(&self, w: &mut Writer) {
        (**self).save(w);
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        (**self).load(r)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reader_takes_back_what_writer_wrote() {
        let mut w = Writer::default();
        w.u8(1);
        w.bool(true);
        w.u32(0xdead_beef);
        w.bytes(b"abc");
        w.u64(7);
        let bytes = w.into_bytes();
        let mut r = Reader::new(&bytes);
        assert_eq!(r.u8(), Ok(1));
        assert_eq!(r.bool("x"), Ok(true));
        assert_eq!(r.u32(), Ok(0xdead_beef));
        assert_eq!(r.bytes(), Ok(&b"abc"[..]));
        assert_eq!(r.u64(), Ok(7));
        assert_eq!(r.finish(), Ok(()));
    }

    #[test]
    fn reader_refuses_short_long_and_absurd_payloads() {
        assert_eq!(
            Reader::new(&[1, 2]).u32(),
            Err(LoadError::Short { missing: 2 })
        );
        assert_eq!(
            Reader::new(&[1]).finish(),
            Err(LoadError::Trailing { extra: 1 })
        );
        assert_eq!(
            Reader::new(&[2]).bool("b"),
            Err(LoadError::Value {
                field: "b",
                value: 2
            })
        );
        let absurd = u64::MAX.to_le_bytes();
        assert!(matches!(
            Reader::new(&absurd).bytes(),
            Err(LoadError::Short { .. })
        ));
    }
}
