//! What can be wrong with a system file, and how it is shown.
//!
//! A [`Problem`] says what is wrong ([`Fault`]), in which field, and where that is written. All
//! problems of a file are collected and shown together; each has a remedy.

use crate::source::{At, Sources};
use crate::suggest;
use crate::units::UnitError;
use std::fmt::{self, Write as _};
use std::path::PathBuf;
use thiserror::Error;

/// One thing that is wrong.
#[derive(Debug, Error)]
pub enum Fault {
    /// The text is no TOML.
    #[error("this is no TOML: {message}")]
    Syntax {
        /// What the parser expected.
        message: String,
    },
    /// An override without `=`.
    #[error("`{text}` is no override")]
    OverrideForm {
        /// The override.
        text: String,
    },
    /// An override whose path leads nowhere.
    #[error("`{path}` is no place in this file")]
    OverridePath {
        /// The path.
        path: String,
    },
    /// A key or section that the schema does not know.
    #[error("there is no {what} `{word}`")]
    Unknown {
        /// "section", "parameter", "device type", …
        what: &'static str,
        /// What was written.
        word: String,
        /// What could have been written.
        known: Vec<&'static str>,
    },
    /// A parameter that must be there.
    #[error("`{name}` is missing")]
    Missing {
        /// The parameter.
        name: &'static str,
        /// What it is, from the schema.
        summary: &'static str,
        /// An example of a value.
        example: &'static str,
    },
    /// A value of another type.
    #[error("expected {expected}, found {found}")]
    Type {
        /// What the schema wants.
        expected: String,
        /// What is there.
        found: &'static str,
        /// A value that would do.
        example: String,
    },
    /// A quantity that cannot be read.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// A value outside its range.
    #[error("{value} is {direction} than {limit}, the {end} possible")]
    Range {
        /// The value as people write it.
        value: String,
        /// "more" or "less".
        direction: &'static str,
        /// The limit as people write it.
        limit: String,
        /// "most" or "least".
        end: &'static str,
        /// The whole range in words.
        range: String,
    },
    /// A value that must be a multiple of another.
    #[error("{value} is no multiple of {unit}")]
    Multiple {
        /// The value.
        value: String,
        /// What it must be a multiple of.
        unit: String,
    },
    /// A value that must be a power of two.
    #[error("{value} is no power of two")]
    PowerOfTwo {
        /// The value.
        value: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// Two devices in one place.
    #[error("slot {slot} is taken by {other}")]
    SlotTaken {
        /// The slot.
        slot: u64,
        /// The device that has it.
        other: String,
        /// A slot that is free, if any.
        free: Option<u64>,
    },
    /// Two things of one name.
    #[error("the name `{name}` is taken by another device")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// Two parameters that exclude each other, or two that need each other.
    #[error("{what}")]
    Combination {
        /// What does not go together.
        what: String,
        /// What to write instead.
        remedy: String,
    },
    /// A file that cannot be used.
    #[error("{what}: {}", path.display())]
    File {
        /// What is wrong, in words.
        what: String,
        /// The file.
        path: PathBuf,
        /// What to do.
        remedy: String,
    },
    /// A component or the machine refused what the description asks for.
    #[error("{message}")]
    Refused {
        /// The component's own words.
        message: String,
        /// What to do.
        remedy: String,
    },
}

impl Fault {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Syntax { .. } => "correct the syntax; see docs/system-files.md".to_owned(),
            Self::OverrideForm { .. } => {
                "write it as KEY=VALUE, for example machine.harts=2".to_owned()
            }
            Self::OverridePath { .. } => {
                "name a section and a parameter, for example machine.harts, or device.0.slot"
                    .to_owned()
            }
            Self::Unknown { word, known, .. } => suggest::remedy(word, known),
            Self::Missing {
                name,
                summary,
                example,
            } => format!("add `{name} = {example}` ({summary})"),
            Self::Type { example, .. } => format!("write it as {example}"),
            Self::Unit(error) => error.remedy(),
            Self::Range { range, .. } => format!("write {range}"),
            Self::Multiple { unit, .. } => format!("write a multiple of {unit}"),
            Self::PowerOfTwo { value, unit } => {
                let below = 1_u64 << value.checked_ilog2().unwrap_or(0);
                let above = below.saturating_mul(2);
                format!(
                    "write a number of {unit} that is a power of two, such as {below} or {above}"
                )
            }
            Self::SlotTaken { free, .. } => free.map_or_else(
                || "remove a device: all slots are taken".to_owned(),
                |slot| format!("use another slot, for example {slot}"),
            ),
            Self::NameTaken { .. } => "give each device a name of its own".to_owned(),
            Self::Combination { remedy, .. }
            | Self::File { remedy, .. }
            | Self::Refused { remedy, .. } => remedy.clone(),
        }
    }
}

/// A fault and its place.
#[derive(Debug)]
pub struct Problem {
    /// Where it is written, if it is written anywhere.
    pub at: Option<At>,
    /// The field by its path, for example `machine.harts`; empty where no field is meant.
    pub field: String,
    /// What is wrong.
    pub fault: Fault,
}

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
        list.sort_by_key(|p| p.at.map_or(0, |at| at.start));
        Self {
            sources,
            file: file.to_owned(),
            list,
        }
    }

    /// The whole report as text.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let mut out = String::new();
        for problem in &self.list {
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
        if self.list.len() > 1 {
            let _ = writeln!(out, "{}: {} errors", self.file, self.list.len());
        }
        out
    }

    fn plain(&self, out: &mut String, problem: &Problem) -> fmt::Result {
        write!(out, "{}: error: ", self.place(problem))?;
        if !problem.field.is_empty() {
            write!(out, "{}: ", problem.field)?;
        }
        writeln!(out, "{}", problem.fault)?;
        if let Some(at) = problem.at {
            let line = self.sources.line_column(at);
            let text = printable(self.sources.line_text(at));
            let room = text.chars().count().saturating_sub(line.column - 1);
            let marks = at.end.saturating_sub(at.start).min(room).max(1);
            writeln!(out, "{:>5} | {text}", line.line)?;
            let pad: String = text
                .chars()
                .take(line.column - 1)
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            writeln!(out, "      | {pad}{}", "^".repeat(marks))?;
        }
        writeln!(out, "  remedy: {}", problem.fault.remedy())
    }

    fn place(&self, problem: &Problem) -> String {
        match problem.at {
            Some(at) => {
                let name = self.sources.of(at).map_or("", |s| s.name.as_str());
                let lc = self.sources.line_column(at);
                format!("{name}:{}:{}", lc.line, lc.column)
            }
            None => self.file.clone(),
        }
    }
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

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Style::Plain))
    }
}

impl std::error::Error for Problems {}
