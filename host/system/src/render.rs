//! How problems are shown: all together, each with its place and remedy, and never more than a person
//! can read.

use crate::problem::Problem;
use crate::source::{At, Sources};
use std::fmt::{self, Write as _};

/// Most problems that are shown; the others are counted.
const MOST_SHOWN: usize = 50;
/// Most characters of a message or a remedy.
const MOST_TEXT: usize = 800;
/// Most characters of a name: a file, an option, a field.
const MOST_NAME: usize = 400;
/// Most characters of a quoted line.
const MOST_LINE: usize = 160;

/// Everything that is wrong with one description.
#[derive(Debug)]
pub struct Problems {
    /// The texts that the places refer to.
    pub sources: Sources,
    /// The file's name, for problems that are nowhere in the text.
    pub file: String,
    /// In the order of the text; at least one.
    pub list: Vec<Problem>,
}

/// How problems are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// One `file:line:column: field: what` line each, the source line and the remedy: for pipes and editors.
    Plain,
    /// Drawn for a terminal of so many columns.
    Drawn {
        /// Columns of the terminal.
        width: usize,
        /// Whether to use colours.
        color: bool,
    },
}

impl Problems {
    /// Sorts by place, so that a reader goes through the file once.
    #[must_use]
    pub fn new(sources: Sources, file: &str, mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|p| p.at);
        Self {
            sources,
            file: file.to_owned(),
            list,
        }
    }

    /// The whole report as text, of a length that a person can read whatever the file holds.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let mut out = String::new();
        for problem in self.list.iter().take(MOST_SHOWN) {
            // Writing to a String does not fail; a drawing that fails falls back to plain.
            let drawn = match style {
                Style::Plain => false,
                Style::Drawn { width, color } => {
                    crate::draw::draw(&mut out, self, problem, width, color).is_ok()
                }
            };
            if !drawn {
                let _ = self.plain(&mut out, problem);
            }
        }
        let (file, count) = (clip(&self.file, MOST_NAME), self.list.len());
        if count > MOST_SHOWN {
            let more = count - MOST_SHOWN;
            let _ = writeln!(out, "{file}: {count} errors; {more} more are not shown");
        } else if count > 1 {
            let _ = writeln!(out, "{file}: {count} errors");
        }
        out
    }

    fn plain(&self, out: &mut String, problem: &Problem) -> fmt::Result {
        writeln!(out, "{}: error: {}", self.place(problem), headline(problem))?;
        if let Some(at) = problem.at {
            self.excerpt(out, at)?;
        }
        writeln!(out, "  remedy: {}", remedy(problem))
    }

    /// The line of a place, or the part of a long one that matters, with marks below.
    fn excerpt(&self, out: &mut String, at: At) -> fmt::Result {
        let place = self.sources.line_column(at);
        let (text, column) = window(self.sources.line_text(at), place.column - 1);
        if text.trim().is_empty() {
            return Ok(());
        }
        let number = match self.sources.of(at) {
            Some(source) if source.is_option => String::new(),
            _ => place.line.to_string(),
        };
        let room = text.chars().count().saturating_sub(column);
        let marks = at.end.saturating_sub(at.start).min(room).max(1);
        writeln!(out, "{number:>5} | {text}")?;
        let pad: String = text
            .chars()
            .take(column)
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        writeln!(out, "      | {pad}{}", "^".repeat(marks))
    }

    fn place(&self, problem: &Problem) -> String {
        let source = problem.at.and_then(|at| Some((at, self.sources.of(at)?)));
        match source {
            None => clip(&self.file, MOST_NAME),
            Some((_, source)) if source.is_option => clip(&source.name, MOST_NAME),
            Some((at, source)) => {
                let place = self.sources.line_column(at);
                let name = clip(&source.name, MOST_NAME);
                format!("{name}:{}:{}", place.line, place.column)
            }
        }
    }
}

/// What is wrong, with the field in front.
pub fn headline(problem: &Problem) -> String {
    let what = clip(&problem.fault.to_string(), MOST_TEXT);
    if problem.field.is_empty() {
        what
    } else {
        format!("{}: {what}", clip(&problem.field, MOST_NAME))
    }
}

/// What to do about it.
pub fn remedy(problem: &Problem) -> String {
    clip(&problem.fault.remedy(), MOST_TEXT)
}

/// The text without what could command a terminal; each character keeps its column.
#[must_use]
pub fn printable(text: &str) -> String {
    let harmless = |c: char| {
        if c.is_control() && c != '\t' {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    text.chars().map(harmless).collect()
}

/// One printable line of at most about `most` characters: what is too much goes from the middle.
#[must_use]
pub fn clip(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return printable(text);
    }
    let (head, tail) = (most * 2 / 3, most / 3);
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(count - tail).collect();
    printable(&format!("{start} […] {end}"))
}

/// The part of a line around column `at` (from 0), and where that column is in it.
fn window(line: &str, at: usize) -> (String, usize) {
    let count = line.chars().count();
    if count <= MOST_LINE {
        return (printable(line), at);
    }
    let skip = at.saturating_sub(MOST_LINE / 3);
    let part: String = line.chars().skip(skip).take(MOST_LINE).collect();
    let before = if skip > 0 { "…" } else { "" };
    let after = if skip + MOST_LINE < count { "…" } else { "" };
    let shown = format!("{before}{part}{after}");
    (printable(&shown), at - skip + usize::from(skip > 0))
}

/// Whether the text can be drawn as it stands: short lines, and nothing that commands a terminal.
pub fn is_tame(text: &str) -> bool {
    text.lines().all(|line| {
        line.len() <= MOST_LINE && !line.contains(|c: char| c.is_control() && c != '\t')
    })
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Style::Plain))
    }
}

impl std::error::Error for Problems {}
