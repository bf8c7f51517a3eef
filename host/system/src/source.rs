//! The texts that a description comes from, and places in them.
//!
//! A description has one file and any number of overrides (`--set machine.harts=4`); each is a source
//! of its own, so that a mistake in an override is shown as the option that was written.

use std::sync::Arc;

/// One text with the name that errors show.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file's path as the user gave it, or `--set KEY=VALUE`.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Whether it is an option of the command line, which has no lines to count.
    pub is_option: bool,
    /// Where each line begins: looking one up does not go through the text again.
    lines: Vec<usize>,
}

impl Source {
    fn new(name: String, text: &str, is_option: bool) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            name,
            text: text.to_owned(),
            is_option,
            lines: std::iter::once(0)
                .chain(ends.map(|(at, _)| at + 1))
                .collect(),
        }
    }

    /// The number of the line, from 0, that holds byte `at`.
    fn line_of(&self, at: usize) -> usize {
        self.lines
            .partition_point(|start| *start <= at)
            .saturating_sub(1)
    }

    /// Lines `first` to `last`, counted from 0, those that exist, with their line ends.
    fn lines(&self, first: usize, last: usize) -> &str {
        let start = self.lines.get(first).copied().unwrap_or(self.text.len());
        let end = self.lines.get(last + 1).copied().unwrap_or(self.text.len());
        self.text.get(start..end).unwrap_or("")
    }
}

/// All texts of one description. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Arc<Source>>);

/// A range of bytes in one source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
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
    /// Adds a file's text; places in it are made with [`Sources::at`].
    pub fn add(&mut self, name: &str, text: &str) -> usize {
        self.push(Source::new(name.to_owned(), text, false))
    }

    /// Adds an override as the user wrote it behind `--set`.
    pub fn add_option(&mut self, text: &str) -> usize {
        self.push(Source::new(format!("--set {text}"), text, true))
    }

    fn push(&mut self, source: Source) -> usize {
        self.0.push(Arc::new(source));
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
        let Some(source) = self.of(at) else {
            return LineColumn { line: 1, column: 1 };
        };
        let line = source.line_of(at.start);
        let start = source.lines.get(line).copied().unwrap_or(0);
        let before = at.start.saturating_sub(start);
        let chars = source.lines(line, line).char_indices();
        LineColumn {
            line: line + 1,
            column: chars
                .take_while(|(i, c)| i + c.len_utf8() <= before)
                .count()
                + 1,
        }
    }

    /// The whole line in which a place starts.
    #[must_use]
    pub fn line_text(&self, at: At) -> &str {
        let line = self.of(at).map_or("", |s| {
            let line = s.line_of(at.start);
            s.lines(line, line)
        });
        let line = line.strip_suffix('\n').unwrap_or(line);
        line.strip_suffix('\r').unwrap_or(line)
    }

    /// The line in which a place starts, with the one before and the one after it.
    #[must_use]
    pub fn neighbourhood(&self, at: At) -> &str {
        self.of(at).map_or("", |s| {
            let line = s.line_of(at.start);
            s.lines(line.saturating_sub(1), line + 1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn line_column_counts_characters_from_one() {
        let mut sources = Sources::default();
        let id = sources.add("a.toml", "a = 1\nµ = \"é\" # x\n");
        let at = sources.at(id, "a = 1\nµ = ".len(), 100);
        assert_eq!(sources.line_column(at), LineColumn { line: 2, column: 5 });
        assert_eq!(sources.line_text(at), "µ = \"é\" # x");
    }

    proptest! {
        #[test]
        fn line_column_counts_like_a_walk_from_the_beginning(
            text in "[aé\n\r\t]{0,30}", start in 0usize..40,
        ) {
            let mut sources = Sources::default();
            let id = sources.add("x", &text);
            let mut start = start.min(text.len());
            while !text.is_char_boundary(start) {
                start -= 1;
            }
            let before = &text[..start];
            let (line, column) = before.chars().fold((1, 1), |(line, column), c| {
                if c == '\n' { (line + 1, 1) } else { (line, column + 1) }
            });
            let at = sources.at(id, start, start);
            prop_assert_eq!(sources.line_column(at), LineColumn { line, column });
            let lines: Vec<_> = text.split('\n').collect();
            let text = lines[line - 1];
            prop_assert_eq!(sources.line_text(at), text.strip_suffix('\r').unwrap_or(text));
        }
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
