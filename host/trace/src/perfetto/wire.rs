//! The protobuf wire format, as far as a writer needs it (protobuf.dev, "Encoding").

/// Wire types.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LEN: u64 = 2;

/// Bytes that a nested message's length takes: written when the message is complete, as a varint of
/// this length whatever its value. Longer messages than it can say are not written.
const LENGTH: usize = 4;

/// Fields in the order of writing.
#[derive(Debug, Default)]
pub(super) struct Fields {
    bytes: Vec<u8>,
}

impl Fields {
    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    fn varint(&mut self, mut v: u64) {
        while v >= 0x80 {
            self.bytes.push(low7(v) | 0x80);
            v >>= 7;
        }
        self.bytes.push(low7(v));
    }

    fn tag(&mut self, field: u32, wire: u64) {
        self.varint(u64::from(field) << 3 | wire);
    }

    /// An unsigned number, an enumeration or a boolean.
    pub(super) fn uint(&mut self, field: u32, v: u64) {
        self.tag(field, VARINT);
        self.varint(v);
    }

    pub(super) fn fixed64(&mut self, field: u32, v: u64) {
        self.tag(field, FIXED64);
        self.bytes.extend_from_slice(&v.to_le_bytes());
    }

    pub(super) fn text(&mut self, field: u32, v: &str) {
        self.tag(field, LEN);
        self.varint(v.len() as u64);
        self.bytes.extend_from_slice(v.as_bytes());
    }

    /// A message whose fields `fill` writes.
    pub(super) fn message(&mut self, field: u32, fill: impl FnOnce(&mut Self)) {
        let before = self.bytes.len();
        self.tag(field, LEN);
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; LENGTH]);
        fill(self);
        let mut left = self.bytes.len() - at - LENGTH;
        let Some(place) = self.bytes.get_mut(at..at + LENGTH) else {
            return;
        };
        let last = LENGTH - 1;
        for (i, byte) in place.iter_mut().enumerate() {
            *byte = low7(left as u64) | if i < last { 0x80 } else { 0 };
            left >>= 7;
        }
        if left != 0 {
            self.bytes.truncate(before);
        }
    }
}

fn low7(v: u64) -> u8 {
    v.to_le_bytes()[0] & 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_encoded_as_the_specification_has_it() {
        let mut f = Fields::default();
        f.uint(1, 150);
        f.text(2, "testing");
        f.fixed64(47, 1);
        f.message(3, |m| m.uint(1, 150));
        let expected = [
            &[0x08, 0x96, 0x01][..],
            &[0x12, 0x07],
            b"testing",
            &[0xf9, 0x02, 1, 0, 0, 0, 0, 0, 0, 0],
            // The length 3, in four bytes.
            &[0x1a, 0x83, 0x80, 0x80, 0x00, 0x08, 0x96, 0x01],
        ];
        assert_eq!(f.as_bytes(), expected.concat());
    }
}
