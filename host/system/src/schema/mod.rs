//! The schema of system files: every section and parameter, declared once.
//!
//! [`SECTIONS`] and [`DEVICES`] drive the reader (types, units, ranges, defaults, "did you mean"),
//! `maquette info` and the table in `docs/system-files.md`. A parameter that is not there does not
//! exist; a default that is not there is no default.

mod devices;
mod sections;

pub use devices::DEVICES;
pub use sections::{
    BLOCK_LIMIT_MAX, CONSOLE_UART, HARTS_MAX, MACHINES_MAX, OF_A_MACHINE, PCI_SLOTS, SECTIONS,
    SLOTS,
};

use crate::units;
use maquette_model::SimTime;

/// What values a parameter takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// A text that is not empty.
    Word,
    /// A date and time in UTC, or `host` for the host's.
    Date,
    /// A list of texts.
    Texts,
    /// A path, `part:NAME/FILE` or `guest:NAME`.
    File,
    /// A whole number in a range.
    Count {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A power of two from 1 on.
    PowerOfTwo {
        /// The most.
        max: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// A number of bytes in a range.
    Size {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
        /// What it must be a multiple of.
        multiple: u64,
    },
    /// A clock rate in a range, in hertz.
    Rate {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// Bits a second, in a range.
    Bandwidth {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A length of virtual or host time of at least this many picoseconds.
    Time {
        /// The least.
        min: u64,
    },
    /// A ratio such as 3/2, each part at most this.
    Ratio {
        /// The most that numerator and denominator may be.
        max: u64,
    },
    /// Yes or no.
    Flag,
    /// One of a few words, each with what it means.
    Choice(&'static [(&'static str, &'static str)]),
}

/// Whether a parameter must be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// It must; the text is an example of a value, in TOML.
    Required(&'static str),
    /// It need not; this is its value then, as it would be written.
    Default(&'static str),
    /// It need not, and then there is none; the text says what that means.
    Optional(&'static str),
}

/// One parameter.
#[derive(Debug)]
pub struct Param {
    /// Its key.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Whether it must be written.
    pub presence: Presence,
    /// What it is, in one line.
    pub summary: &'static str,
}

/// One section, or one type of device.
#[derive(Debug)]
pub struct Section {
    /// Its path, for example `console.script`; for a type of device, the type.
    pub path: &'static str,
    /// Whether it is written `[[path]]`, any number of times.
    pub repeated: bool,
    /// What it is, in one line.
    pub summary: &'static str,
    /// Its parameters, in the order in which they are shown.
    pub params: &'static [Param],
}

impl Kind {
    /// The type with its unit, for people: "size", "one of bare, sbi".
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Text | Self::Word => "text".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Texts => "list of texts".to_owned(),
            Self::File => "file".to_owned(),
            Self::Count { .. } => "whole number".to_owned(),
            Self::PowerOfTwo { .. } => "power of two".to_owned(),
            Self::Size { .. } => "size".to_owned(),
            Self::Rate { .. } => "frequency".to_owned(),
            Self::Bandwidth { .. } => "bandwidth".to_owned(),
            Self::Time { .. } => "time".to_owned(),
            Self::Ratio { .. } => "ratio".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Choice(words) => {
                let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                words.join(" | ")
            }
        }
    }

    /// The values that are possible, for people; empty where all of the type are.
    #[must_use]
    pub fn range(self) -> String {
        match self {
            Self::Count { min, max: u64::MAX } => format!("at least {min}"),
            Self::Count { min, max } => format!("a number from {min} to {max}"),
            Self::PowerOfTwo { max, unit } => format!("a power of two from 1 to {max} {unit}"),
            Self::Size { min, max, .. } => format!(
                "a size from {} to {}",
                units::show_size(min),
                units::show_size(max)
            ),
            Self::Rate { min, max } => format!(
                "a frequency from {} to {}",
                units::show_hertz(min),
                units::show_hertz(max)
            ),
            Self::Bandwidth { min, max } => format!(
                "a bandwidth from {} to {}",
                units::show_bits_per_second(min),
                units::show_bits_per_second(max)
            ),
            Self::Ratio { max } => format!("a ratio whose parts are at most {max}"),
            Self::Time { min } => format!(
                "a time of at least {}",
                units::show_time(SimTime::from_ps(min))
            ),
            Self::Text
            | Self::Word
            | Self::Date
            | Self::Texts
            | Self::File
            | Self::Flag
            | Self::Choice(_) => String::new(),
        }
    }

    /// A value of this type, as it is written in TOML.
    #[must_use]
    pub fn example(self) -> String {
        match self {
            Self::Text | Self::Word => "\"text\"".to_owned(),
            Self::Date => "\"2026-01-01T00:00:00Z\"".to_owned(),
            Self::Texts => "[\"text\", \"text\"]".to_owned(),
            Self::File => "\"path/to/file\"".to_owned(),
            Self::Count { min, .. } => min.max(1).to_string(),
            Self::PowerOfTwo { .. } => "256".to_owned(),
            Self::Size { .. } => "\"64MiB\"".to_owned(),
            Self::Rate { .. } => "\"1GHz\"".to_owned(),
            Self::Bandwidth { .. } => "\"1Gbit/s\"".to_owned(),
            Self::Time { .. } => "\"10ms\"".to_owned(),
            Self::Ratio { .. } => "\"3/2\"".to_owned(),
            Self::Flag => "true".to_owned(),
            Self::Choice(words) => format!("{:?}", words.first().map_or("", |(word, _)| word)),
        }
    }
}

impl Section {
    /// The parameter of a name.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        self.params.iter().find(|p| p.name == name)
    }
}

/// The section of a path; the top level is the section with the empty path.
#[must_use]
pub fn section(path: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|s| s.path == path)
}

/// The type of device of a name.
#[must_use]
pub fn device(kind: &str) -> Option<&'static Section> {
    DEVICES.iter().find(|s| s.path == kind)
}
