//! What can be wrong with a system file.
//!
//! A [`Problem`] says what is wrong ([`Fault`]), in which field, and where that is written. All
//! problems of a file are collected; each has a remedy.

use crate::source::At;
use crate::suggest;
use crate::units::UnitError;
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
    /// An override whose value begins like TOML and is none.
    #[error("the value is no TOML: {message}")]
    OverrideValue {
        /// What the parser expected.
        message: String,
    },
    /// An override of a repeated section that the file does not have.
    #[error("there is no `{section}.{index}`: {}", entries(section, .labels.len()))]
    OverrideEntry {
        /// The repeated section.
        section: String,
        /// The number that was asked for.
        index: String,
        /// What the entries that there are call themselves; empty texts for those that do not.
        labels: Vec<String>,
    },
    /// Text in another encoding.
    #[error("this is UTF-16 text")]
    Utf16,
    /// Text in no known encoding, or no text.
    #[error("byte {byte:#04x} is not UTF-8 text")]
    NotUtf8 {
        /// The first byte that is wrong.
        byte: u8,
    },
    /// A value where a section belongs.
    #[error("`{section}` is a {}, not {found}", if *.repeated { "repeated section (a list of tables)" } else { "section (a table)" })]
    Shape {
        /// The section.
        section: &'static str,
        /// Whether there may be several.
        repeated: bool,
        /// What is there.
        found: &'static str,
    },
    /// A text that must not be empty.
    #[error("`{name}` is empty")]
    Empty {
        /// The parameter.
        name: &'static str,
        /// What it is, from the schema.
        summary: &'static str,
        /// An example of a value, as it is written.
        example: String,
        /// Whether it can be left out.
        optional: bool,
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

/// How many of a repeated section there are.
fn entries(section: &str, count: usize) -> String {
    match count {
        0 => format!("the file has no [[{section}]]"),
        1 => format!("the file has one [[{section}]], which is {section}.0"),
        n => format!("the file has {n} of [[{section}]], counted from 0"),
    }
}

/// So many entries are named in a remedy.
const NAMED: usize = 8;

/// The entries of a repeated section by number, with what they call themselves.
fn listed(section: &str, labels: &[String]) -> String {
    let entry = |(number, label): (usize, &String)| match label.as_str() {
        "" => format!("{section}.{number}"),
        label => format!("{section}.{number} ({label})"),
    };
    let mut named: Vec<String> = labels.iter().enumerate().take(NAMED).map(entry).collect();
    if let Some(last) = labels.len().checked_sub(1).filter(|last| *last >= NAMED) {
        named.push(format!("… {section}.{last}"));
    }
    match named.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        _ => named.concat(),
    }
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
            Self::OverrideValue { .. } => {
                "complete the list, table or text, or put a text in quotes: --set 'boot.cmdline=\"[x\"'"
                    .to_owned()
            }
            Self::OverrideEntry {
                section, labels, ..
            } if labels.is_empty() => format!("write the section [[{section}]] into the file first"),
            Self::OverrideEntry {
                section, labels, ..
            } => format!(
                "use {}, or write one more [[{section}]] into the file",
                listed(section, labels)
            ),
            Self::Utf16 => {
                "save it as UTF-8, for example with `iconv -f UTF-16 -t UTF-8`".to_owned()
            }
            Self::NotUtf8 { .. } => {
                "save the file as UTF-8; if it is no system file, name one: `maquette list` shows those in ./systems"
                    .to_owned()
            }
            Self::Shape {
                section, repeated, ..
            } => {
                let heading = if *repeated { format!("[[{section}]]") } else { format!("[{section}]") };
                format!("write {heading} on a line of its own, and its parameters below it")
            }
            Self::Empty { summary, example, optional, .. } => {
                let or = if *optional { ", or leave it out" } else { "" };
                format!("write a text such as {example}{or} ({summary})")
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
