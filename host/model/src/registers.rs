//! Register tables: a device lists its registers once, as data, and then works with names.
//!
//! A table is a constant slice of [`Register`], each one register or an array of equal ones. An access
//! is looked up with [`find`], which gives the name, the element and the byte inside it; the device
//! decides which widths it takes.

use crate::Width;

/// One register, or an array of equal ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Register<I> {
    /// Offset of the first element from the start of the region.
    pub offset: u64,
    /// Size of an element.
    pub width: Width,
    /// Distance from one element to the next, at least the size.
    pub stride: u64,
    /// How many elements, at least 1.
    pub count: usize,
    /// The device's name for it.
    pub id: I,
}

impl<I> Register<I> {
    /// A single register.
    #[must_use]
    pub const fn one(offset: u64, width: Width, id: I) -> Self {
        Self {
            offset,
            width,
            stride: width.bytes(),
            count: 1,
            id,
        }
    }

    /// `count` registers, one every `stride` bytes.
    #[must_use]
    pub const fn array(offset: u64, width: Width, stride: u64, count: usize, id: I) -> Self {
        Self {
            offset,
            width,
            stride,
            count,
            id,
        }
    }

    /// The element and the byte in it that lie at `off`.
    fn locate(&self, off: u64) -> Option<(usize, u64)> {
        let distance = off.checked_sub(self.offset)?;
        let index = usize::try_from(distance.checked_div(self.stride)?).ok()?;
        let byte = distance.checked_rem(self.stride)?;
        (index < self.count && byte < self.width.bytes()).then_some((index, byte))
    }
}

/// What lies at an offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit<I> {
    /// Which register.
    pub id: I,
    /// Which element of it.
    pub index: usize,
    /// Which byte of the element.
    pub byte: u64,
    /// The element's size.
    pub width: Width,
}

/// Looks up what lies at `off`. Tables are short, so this walks them.
#[must_use]
pub fn find<I: Copy>(table: &[Register<I>], off: u64) -> Option<Hit<I>> {
    table.iter().find_map(|r| {
        let (index, byte) = r.locate(off)?;
        Some(Hit {
            id: r.id,
            index,
            byte,
            width: r.width,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [Register<char>; 3] = [
        Register::one(0, Width::B4, 'a'),
        Register::array(0x100, Width::B4, 0x80, 3, 'b'),
        Register::array(0x104, Width::B8, 0x80, 3, 'c'),
    ];

    #[test]
    fn find_names_element_and_byte() {
        let hit = |off| find(&TABLE, off).map(|h| (h.id, h.index, h.byte));
        assert_eq!(hit(0), Some(('a', 0, 0)));
        assert_eq!(hit(3), Some(('a', 0, 3)));
        assert_eq!(hit(4), None);
        assert_eq!(hit(0x201), Some(('b', 2, 1)));
        assert_eq!(hit(0x18b), Some(('c', 1, 7)));
        assert_eq!(hit(0x280), None, "past the last element");
        assert_eq!(hit(u64::MAX), None);
    }
}
