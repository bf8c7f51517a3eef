//! Output as it may be shown to anybody: no escape sequences, nothing of the machine's own names.

use std::path::Path;

use maquette_tests::places;

/// What is replaced, and by what; the first that fits wins.
#[derive(Default)]
pub struct Private {
    places: Vec<(String, &'static str)>,
    words: Vec<(String, &'static str)>,
}

impl Private {
    /// The names of this machine. `clone` is where the fresh clone is.
    pub fn here(clone: Option<&Path>) -> Self {
        let mut private = Self::default();
        if let Some(clone) = clone {
            private.place(clone, "<root>");
        }
        private.place(&places::target(), "<root>/target");
        private.place(&places::workspace(), "<root>");
        private.place(&std::env::temp_dir(), "<tmp>");
        private.place(
            Path::new(&std::env::var_os("HOME").unwrap_or_default()),
            "~",
        );
        if let Ok(name) = std::fs::read_to_string("/proc/sys/kernel/hostname") {
            private.word(name.trim(), "<host>");
        }
        private
    }

    /// A folder. The top of the file tree and the current one are nobody's secret.
    pub fn place(&mut self, path: &Path, shown: &'static str) {
        let path = path.to_string_lossy();
        if path.len() > 1 {
            self.places
                .push((path.trim_end_matches('/').to_owned(), shown));
        }
    }

    /// A name, where it stands alone.
    pub fn word(&mut self, word: &str, shown: &'static str) {
        if !word.is_empty() && word != "localhost" {
            self.words.push((word.to_owned(), shown));
        }
    }

    /// One line, cleaned.
    pub fn clean(&self, line: &str) -> String {
        let mut text = without_escapes(line);
        for (place, shown) in &self.places {
            text = replace(&text, place, shown, |c| {
                c.is_alphanumeric() || "-_.".contains(c)
            });
        }
        for (word, shown) in &self.words {
            text = replace(&text, word, shown, |c| {
                c.is_alphanumeric() || "-_./".contains(c)
            });
        }
        text.trim_end().to_owned()
    }
}

/// Replaces what is not a part of a longer name.
fn replace(text: &str, what: &str, by: &str, part: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(what) {
        let (before, after) = (&rest[..at], &rest[at + what.len()..]);
        let last = before.chars().next_back().or(shown.chars().next_back());
        let within = last.is_some_and(&part) || after.starts_with(&part);
        shown.push_str(before);
        shown.push_str(if within { what } else { by });
        rest = after;
    }
    shown + rest
}

/// Drops escape sequences (ECMA-48 §5.4) and other control characters, and what a carriage return
/// has overwritten.
fn without_escapes(line: &str) -> String {
    let line = line.trim_end_matches(['\r', '\n']);
    let line = line.rsplit('\r').next().unwrap_or(line);
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        if c == '\u{1b}' {
            if characters.next() == Some('[') {
                let _ = characters.find(|c| ('@'..='~').contains(c));
            }
        } else if c == '\t' || !c.is_control() {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Private;

    fn private() -> Private {
        let mut private = Private::default();
        private.place(Path::new("/srv/x/target"), "<root>/target");
        private.place(Path::new("/srv/x/"), "<root>");
        private.place(Path::new("/"), "never");
        private.word("box", "<host>");
        private
    }

    #[test]
    fn escape_sequences_and_overwritten_text_are_dropped() {
        assert_eq!(
            private().clean("\u{1b}[1;31mred\u{1b}[0m\u{7} x\r"),
            "red x"
        );
        assert_eq!(private().clean("10 %\r50 %\rdone  "), "done");
    }

    #[test]
    fn names_of_the_machine_are_replaced_where_they_stand_alone() {
        let clean = |text| private().clean(text);
        assert_eq!(
            clean("in /srv/x/target/a, (/srv/x)"),
            "in <root>/target/a, (<root>)"
        );
        assert_eq!(clean("/srv/xy and /opt/srv/x"), "/srv/xy and /opt/srv/x");
        assert_eq!(clean("at box: busybox, box2"), "at <host>: busybox, box2");
    }
}
