//! The texts that a description comes from, and places in them.
//!
//! A description has one file and any number of overrides (`--set machine.harts=4`); each is a source
//! of its own, so that a mistake in an override is shown in the override.

use std::sync::Arc;

/// One text with the name that errors show.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file's path as the user gave it, or `--set`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// All texts of one description. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Arc<Source>>);

/// A range of bytes in one source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct At {
    source: usize,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A place as people count: lines and columns from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Sources {
    /// Adds a text; places in it are made with [`Sources::at`].
    pub fn add(&mut self, name: &str, text: &str) -> usize {
        self.0.push(Arc::new(Source {
            name: name.to_owned(),
            text: text.to_owned(),
        }));
        self.0.len() - 1
    }

    /// The texts in the order in which they were added.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|source| source.text.as_str())
    }

    /// A range of source number `source`, cut to what exists.
    #[must_use]
    pub fn at(&self, source: usize, start: usize, end: usize) -> At {
        let len = self.0.get(source).map_or(0, |s| s.text.len());
        let start = start.min(len);
        At {
            source,
            start,
            end: end.clamp(start, len),
        }
    }

    /// The text that a place is in.
    #[must_use]
    pub fn of(&self, at: At) -> Option<&Source> {
        self.0.get(at.source).map(Arc::as_ref)
    }

    /// The line and column where a place starts.
    #[must_use]
    pub fn line_column(&self, at: At) -> LineColumn {
        let text = self.of(at).map_or("", |s| s.text.as_str());
        let mut start = at.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = text.get(..start).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |n| n + 1);
        LineColumn {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or("").chars().count() + 1,
        }
    }

    /// The whole line in which a place starts.
    #[must_use]
    pub fn line_text(&self, at: At) -> &str {
        let text = self.of(at).map_or("", |s| s.text.as_str());
        text.lines()
            .nth(self.line_column(at).line - 1)
            .unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_column_counts_characters_from_one() {
        let mut sources = Sources::default();
        let id = sources.add("a.toml", "a = 1\nµ = \"é\" # x\n");
        let at = sources.at(id, "a = 1\nµ = ".len(), 100);
        assert_eq!(sources.line_column(at), LineColumn { line: 2, column: 5 });
        assert_eq!(sources.line_text(at), "µ = \"é\" # x");
    }

    #[test]
    fn line_column_of_any_range_never_fails() {
        let mut sources = Sources::default();
        let text = "é\n\n=µµ";
        let id = sources.add("x", text);
        for start in 0..20 {
            for end in 0..20 {
                let at = sources.at(id, start, end);
                let _ = (sources.line_column(at), sources.line_text(at));
            }
        }
    }
}
