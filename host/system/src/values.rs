//! Values of a description, checked one by one against the schema.

use crate::problem::Fault;
use crate::schema::{Kind, Param, Presence};
use crate::source::At;
use crate::tree::{Node, Raw};
use crate::units::{self, UnitError, Wanted};
use maquette_model::SimTime;
use std::collections::BTreeMap;

const NUMBER: Wanted = Wanted {
    what: "whole number",
    example: "1",
    units: "",
};

/// A value of the type that the schema names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    Text(String),
    Texts(Vec<String>),
    Count(u64),
    Size(u64),
    Rate(u64),
    Time(SimTime),
    Ratio(u64, u64),
    Choice(&'static str),
    Flag(bool),
}

/// A value and where it is written; defaults are written nowhere.
#[derive(Clone, Debug)]
pub struct Entry {
    pub value: Value,
    pub at: Option<At>,
}

/// One section as written, defaults filled in.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// The section's path in messages, for example `device[1]`.
    pub path: String,
    pub at: Option<At>,
    pub entries: BTreeMap<&'static str, Entry>,
}

impl Group {
    /// Where a parameter is written, else where its section is.
    pub fn at(&self, name: &str) -> Option<At> {
        self.entries.get(name).and_then(|e| e.at).or(self.at)
    }

    /// The path of a parameter in messages.
    pub fn field(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// Whether a parameter is written (a default is not).
    pub fn written(&self, name: &str) -> bool {
        self.entries.get(name).is_some_and(|e| e.at.is_some())
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.entries.get(name).map(|e| &e.value)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        match self.value(name) {
            Some(Value::Text(text)) => Some(text),
            Some(Value::Choice(word)) => Some(word),
            _ => None,
        }
    }

    pub fn texts(&self, name: &str) -> &[String] {
        match self.value(name) {
            Some(Value::Texts(texts)) => texts,
            _ => &[],
        }
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.value(name) {
            Some(Value::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }

    /// A whole number, a size or a rate.
    pub fn number(&self, name: &str) -> Option<u64> {
        match self.value(name) {
            Some(Value::Count(n) | Value::Size(n) | Value::Rate(n)) => Some(*n),
            _ => None,
        }
    }

    pub fn time(&self, name: &str) -> Option<SimTime> {
        match self.value(name) {
            Some(Value::Time(t)) => Some(*t),
            _ => None,
        }
    }

    pub fn ratio(&self, name: &str) -> Option<(u64, u64)> {
        match self.value(name) {
            Some(Value::Ratio(n, d)) => Some((*n, *d)),
            _ => None,
        }
    }
}

/// The value of a node, if it is one of the parameter's.
pub fn read(param: &Param, node: &Node) -> Result<Value, Fault> {
    let wrong_type = || Fault::Type {
        expected: param.kind.name(),
        found: node.raw.kind(),
        example: param.kind.example(),
    };
    match (param.kind, &node.raw) {
        (Kind::Texts, Raw::List(items)) => texts(items, param),
        (Kind::Texts, Raw::Text(text)) => Ok(Value::Texts(vec![text.clone()])),
        (Kind::Count { min, max }, Raw::Integer(n)) => {
            ranged(integer(*n, min, max, param.kind)?, param.kind).map(Value::Count)
        }
        (Kind::PowerOfTwo { max, unit }, Raw::Integer(n)) => {
            let n = ranged(integer(*n, 1, max, param.kind)?, param.kind)?;
            if n.is_power_of_two() {
                Ok(Value::Count(n))
            } else {
                Err(Fault::PowerOfTwo { value: n, unit })
            }
        }
        (Kind::Ratio { .. }, Raw::Integer(Some(n))) => from_text(param.kind, &n.to_string()),
        (Kind::Ratio { .. }, Raw::Float(text)) => from_text(param.kind, text),
        (
            Kind::Size { .. } | Kind::Rate { .. } | Kind::Bandwidth { .. } | Kind::Time { .. },
            Raw::Integer(Some(n)),
        ) => from_text(param.kind, &n.to_string()),
        (
            Kind::Size { .. } | Kind::Rate { .. } | Kind::Bandwidth { .. } | Kind::Time { .. },
            Raw::Float(text),
        ) => from_text(param.kind, text),
        (
            Kind::Size { .. }
            | Kind::Rate { .. }
            | Kind::Bandwidth { .. }
            | Kind::Time { .. }
            | Kind::Ratio { .. },
            Raw::Integer(None),
        ) => Err(Fault::Unit(UnitError::TooLarge {
            text: "this number".to_owned(),
        })),
        (Kind::Date, Raw::Date(text)) => from_text(param.kind, text),
        (Kind::Word | Kind::File | Kind::Date, Raw::Text(text)) if text.is_empty() => {
            Err(empty(param))
        }
        (Kind::Flag, Raw::Bool(flag)) => Ok(Value::Flag(*flag)),
        (Kind::Count { .. } | Kind::PowerOfTwo { .. } | Kind::Flag, Raw::Text(_)) => {
            Err(wrong_type())
        }
        (_, Raw::Text(text)) => from_text(param.kind, text),
        _ => Err(wrong_type()),
    }
}

/// The default of a parameter. Only a schema that contradicts itself has one that cannot be read,
/// and a test goes through all of them.
pub fn default(param: &Param) -> Option<Result<Value, Fault>> {
    match (param.presence, param.kind) {
        (Presence::Default(text), Kind::Count { .. } | Kind::PowerOfTwo { .. }) => {
            Some(text.parse().map(Value::Count).map_err(|_| {
                Fault::Unit(UnitError::NoNumber {
                    text: text.to_owned(),
                    wanted: NUMBER,
                })
            }))
        }
        (Presence::Default(""), Kind::Texts) => Some(Ok(Value::Texts(Vec::new()))),
        (Presence::Default(text), kind) => Some(from_text(kind, text)),
        (Presence::Required(_) | Presence::Optional(_), _) => None,
    }
}

fn empty(param: &Param) -> Fault {
    let (example, optional) = match param.presence {
        Presence::Required(example) => (example.to_owned(), false),
        Presence::Default(text) => (format!("{text:?}"), true),
        Presence::Optional(_) => (param.kind.example(), true),
    };
    Fault::Empty {
        name: param.name,
        summary: param.summary,
        example,
        optional,
    }
}

fn texts(items: &[Node], param: &Param) -> Result<Value, Fault> {
    let texts = items.iter().map(|item| match &item.raw {
        Raw::Text(text) => Ok(text.clone()),
        other => Err(Fault::Type {
            expected: param.kind.name(),
            found: other.kind(),
            example: param.kind.example(),
        }),
    });
    texts.collect::<Result<_, _>>().map(Value::Texts)
}

fn from_text(kind: Kind, text: &str) -> Result<Value, Fault> {
    match kind {
        Kind::Text => Ok(Value::Text(text.to_owned())),
        Kind::Flag => Ok(Value::Flag(text == "true")),
        Kind::Word | Kind::File | Kind::Date => Ok(Value::Text(text.to_owned())),
        Kind::Texts => Ok(Value::Texts(vec![text.to_owned()])),
        Kind::Count { .. } | Kind::PowerOfTwo { .. } => Err(UnitError::NoNumber {
            text: text.to_owned(),
            wanted: NUMBER,
        }
        .into()),
        Kind::Size { .. } => sized(units::size(text)?, kind).map(Value::Size),
        Kind::Rate { .. } => ranged(units::hertz(text)?, kind).map(Value::Rate),
        Kind::Bandwidth { .. } => ranged(units::bits_per_second(text)?, kind).map(Value::Rate),
        Kind::Time { min } => {
            let (t, min) = (units::time(text)?, SimTime::from_ps(min));
            if t < min {
                let (value, limit) = (units::show_time(t), units::show_time(min));
                return Err(range(value, true, limit, kind));
            }
            Ok(Value::Time(t))
        }
        Kind::Ratio { max } => {
            let (n, d) = units::ratio(text)?;
            if n > max || d > max {
                return Err(range(format!("{n}/{d}"), false, max.to_string(), kind));
            }
            Ok(Value::Ratio(n, d))
        }
        Kind::Choice(words) => words
            .iter()
            .map(|(word, _)| *word)
            .find(|word| *word == text)
            .map(Value::Choice)
            .ok_or_else(|| Fault::Unknown {
                what: "choice",
                word: text.to_owned(),
                known: words.iter().map(|(word, _)| *word).collect(),
            }),
    }
}

fn integer(n: Option<i128>, min: u64, max: u64, kind: Kind) -> Result<u64, Fault> {
    let Some(n) = n else {
        return Err(range(
            "this number".to_owned(),
            false,
            max.to_string(),
            kind,
        ));
    };
    u64::try_from(n).map_err(|_| {
        let low = n < 0;
        let limit = if low { min } else { max };
        range(n.to_string(), low, limit.to_string(), kind)
    })
}

fn sized(size: u64, kind: Kind) -> Result<u64, Fault> {
    let size = ranged(size, kind)?;
    match kind {
        Kind::Size { multiple, .. } if !size.is_multiple_of(multiple) => Err(Fault::Multiple {
            value: units::show_size(size),
            unit: units::show_size(multiple),
        }),
        _ => Ok(size),
    }
}

fn ranged(value: u64, kind: Kind) -> Result<u64, Fault> {
    let (min, max, show): (u64, u64, fn(u64) -> String) = match kind {
        Kind::Count { min, max } => (min, max, |n| n.to_string()),
        Kind::PowerOfTwo { max, .. } => (1, max, |n| n.to_string()),
        Kind::Size { min, max, .. } => (min, max, units::show_size),
        Kind::Rate { min, max } => (min, max, units::show_hertz),
        Kind::Bandwidth { min, max } => (min, max, units::show_bits_per_second),
        _ => return Ok(value),
    };
    if value < min {
        Err(range(show(value), true, show(min), kind))
    } else if value > max {
        Err(range(show(value), false, show(max), kind))
    } else {
        Ok(value)
    }
}

fn range(value: String, low: bool, limit: String, kind: Kind) -> Fault {
    let (direction, end) = if low {
        ("less", "least")
    } else {
        ("more", "most")
    };
    Fault::Range {
        value,
        direction,
        limit,
        end,
        range: kind.range(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{DEVICES, SECTIONS};

    #[test]
    fn schema_every_default_can_be_read_and_lies_in_its_range() {
        for section in SECTIONS.iter().chain(DEVICES) {
            for param in section.params {
                if let Some(value) = default(param) {
                    let value =
                        value.unwrap_or_else(|e| panic!("{}.{}: {e}", section.path, param.name));
                    if let Value::Count(n) = value {
                        assert!(
                            ranged(n, param.kind).is_ok(),
                            "{}.{}",
                            section.path,
                            param.name
                        );
                    }
                }
            }
        }
    }
}
