//! Finds a text in a stream of bytes, byte by byte, in constant time each.

use maquette_model::{LoadError, Reader, Writer};

/// Knuth, Morris and Pratt's automaton for one text.
#[derive(Clone, Debug)]
pub struct Finder {
    wanted: Vec<u8>,
    /// For each number of matched bytes: how many still match after the next one differs.
    fall_back: Vec<usize>,
    matched: usize,
}

impl Finder {
    /// Looks for `text`, which must not be empty: an empty text is never found.
    pub fn new(text: &str) -> Self {
        let wanted = text.as_bytes().to_vec();
        let mut fall_back = vec![0];
        let mut length = 0;
        for at in 1..wanted.len() {
            while length > 0 && wanted.get(length) != wanted.get(at) {
                length = fall_back.get(length - 1).copied().unwrap_or(0);
            }
            length += usize::from(wanted.get(length) == wanted.get(at));
            fall_back.push(length);
        }
        Self {
            wanted,
            fall_back,
            matched: 0,
        }
    }

    /// Takes the next byte; says whether the text ends with it. Occurrences do not overlap.
    pub fn feed(&mut self, byte: u8) -> bool {
        while self.matched > 0 && self.wanted.get(self.matched) != Some(&byte) {
            self.matched = self.fall_back.get(self.matched - 1).copied().unwrap_or(0);
        }
        self.matched += usize::from(self.wanted.get(self.matched) == Some(&byte));
        let found = !self.wanted.is_empty() && self.matched == self.wanted.len();
        if found {
            self.matched = 0;
        }
        found
    }

    /// Appends how much was found to saved state.
    pub fn save(&self, w: &mut Writer) {
        w.u64(self.matched as u64);
    }

    /// Takes how much was found from saved state.
    ///
    /// # Errors
    /// When it cannot be so much.
    pub fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        let value = r.u64()?;
        match usize::try_from(value) {
            Ok(matched) if matched <= self.wanted.len() => {
                self.matched = matched;
                Ok(())
            }
            _ => Err(LoadError::Value {
                field: "characters found",
                value,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The plain way: does what came since the last find end with the text?
    fn plain(text: &str, stream: &[u8]) -> Vec<bool> {
        let mut since = Vec::new();
        let feed = |byte: &u8| {
            since.push(*byte);
            let found = !text.is_empty() && since.ends_with(text.as_bytes());
            if found {
                since.clear();
            }
            found
        };
        stream.iter().map(feed).collect()
    }

    proptest! {
        #[test]
        fn finder_finds_what_a_plain_search_finds(text in "[ab]{0,6}", stream in "[abc]{0,80}") {
            let mut finder = Finder::new(&text);
            let found: Vec<bool> = stream.bytes().map(|b| finder.feed(b)).collect();
            prop_assert_eq!(found, plain(&text, stream.as_bytes()));
        }
    }
}
