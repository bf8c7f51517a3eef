//! A TOML text as a tree whose every node knows where it is written.
//!
//! The parser's own types stay in this file. Overrides are grafted onto the tree before anything
//! reads it, so that they obey the same schema.

use crate::problem::{Fault, Problem};
use crate::source::{At, Sources};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Most points in the path of an override.
const DEEPEST: usize = 8;

/// What an entry calls itself is cut to this in messages.
const MOST_LABEL: usize = 40;

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node {
    pub at: At,
    pub raw: Raw,
}

/// What can be written.
#[derive(Clone, Debug)]
pub enum Raw {
    Text(String),
    /// `None` when the number does not even fit 128 bits.
    Integer(Option<i128>),
    Float(String),
    Bool(bool),
    /// As it is written.
    Date(String),
    List(Vec<Node>),
    Table(Table),
}

impl Raw {
    /// The name of the type in error messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number with a point",
            Self::Bool(_) => "true or false",
            Self::Date(_) => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// Keys in the order in which they are written.
#[derive(Clone, Debug, Default)]
pub struct Table(pub Vec<(Key, Node)>);

/// A key and its place.
#[derive(Clone, Debug)]
pub struct Key {
    pub name: String,
    pub at: At,
}

impl Table {
    fn get_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.0
            .iter_mut()
            .find(|(key, _)| key.name == name)
            .map(|(_, node)| node)
    }
}

/// Parses source number `source`, collecting every syntax error.
pub fn parse(sources: &Sources, source: usize, text: &str, problems: &mut Vec<Problem>) -> Table {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        problems.push(Problem {
            at: Some(sources.at(source, span.start, span.end)),
            field: String::new(),
            fault: Fault::Syntax {
                message: error.message().to_owned(),
            },
        });
    }
    convert_table(
        &Place {
            sources,
            source,
            offset: 0,
        },
        table.into_inner(),
    )
}

/// Where spans of the parser's tree lie in a source.
struct Place<'a> {
    sources: &'a Sources,
    source: usize,
    offset: usize,
}

impl Place<'_> {
    fn at(&self, span: &core::ops::Range<usize>) -> At {
        self.sources.at(
            self.source,
            span.start.saturating_add(self.offset),
            span.end.saturating_add(self.offset),
        )
    }
}

fn convert_table(place: &Place<'_>, table: DeTable<'_>) -> Table {
    let mut entries: Vec<(Key, Node)> = table
        .into_iter()
        .map(|(key, value)| {
            let at = place.at(&key.span());
            let name = key.into_inner().into_owned();
            (Key { name, at }, convert(place, value))
        })
        .collect();
    entries.sort_by_key(|(key, _)| key.at.start);
    Table(entries)
}

fn convert(place: &Place<'_>, value: Spanned<DeValue<'_>>) -> Node {
    let at = place.at(&value.span());
    let raw = match value.into_inner() {
        DeValue::String(text) => Raw::Text(text.into_owned()),
        DeValue::Integer(n) => Raw::Integer(i128::from_str_radix(n.as_str(), n.radix()).ok()),
        DeValue::Float(f) => Raw::Float(f.as_str().to_owned()),
        DeValue::Boolean(b) => Raw::Bool(b),
        DeValue::Datetime(date) => Raw::Date(date.to_string()),
        DeValue::Array(items) => {
            Raw::List(items.into_iter().map(|item| convert(place, item)).collect())
        }
        DeValue::Table(table) => Raw::Table(convert_table(place, table)),
    };
    Node { at, raw }
}

/// Grafts `key.path=value` onto the tree. The value is TOML, or else taken as a text, so that
/// `machine.memory=256MiB` needs no quotes. A number in the path counts entries of a list from 0.
pub fn graft(sources: &mut Sources, root: &mut Table, text: &str, problems: &mut Vec<Problem>) {
    let source = sources.add_option(text);
    let mut wrong = |at, fault| {
        problems.push(Problem {
            at: Some(at),
            field: String::new(),
            fault,
        });
    };
    let Some((path, value)) = text.split_once('=') else {
        let text = text.to_owned();
        let whole = sources.at(source, 0, text.len());
        return wrong(whole, Fault::OverrideForm { text });
    };
    let place = Place {
        sources,
        source,
        offset: path.len() + 1,
    };
    let node = match DeValue::parse(value) {
        Ok(parsed) => convert(&place, parsed),
        Err(error) if value.trim_start().starts_with(['[', '{', '"', '\'']) => {
            let at = place.at(&error.span().unwrap_or(0..value.len()));
            let message = error.message().to_owned();
            return wrong(at, Fault::OverrideValue { message });
        }
        Err(_) => Node {
            at: place.at(&(0..value.len())),
            raw: Raw::Text(value.to_owned()),
        },
    };
    let key_at = sources.at(source, 0, path.len());
    let path = path.trim();
    // No section lies deeper, and a path without end would be a recursion without end.
    let too_deep = path.matches('.').count() > DEEPEST;
    let inserted = if too_deep {
        Err(Lost::Path)
    } else {
        insert(root, path, key_at, node)
    };
    match inserted {
        Ok(()) => {}
        Err(Lost::Path) => wrong(
            key_at,
            Fault::OverridePath {
                path: path.to_owned(),
            },
        ),
        Err(Lost::Entry { left, labels }) => {
            let (before, rest) = path.split_at(path.len().saturating_sub(left));
            let index = rest.split('.').next().unwrap_or(rest);
            let fault = Fault::OverrideEntry {
                section: before.trim_end_matches('.').to_owned(),
                index: index.to_owned(),
                labels,
            };
            wrong(key_at, fault);
        }
    }
}

/// Why the path of an override leads nowhere.
enum Lost {
    /// It is no path.
    Path,
    /// A repeated section does not have the entry that begins the last `left` bytes of the path.
    Entry { left: usize, labels: Vec<String> },
}

fn insert(table: &mut Table, path: &str, at: At, node: Node) -> Result<(), Lost> {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    if first.is_empty() {
        return Err(Lost::Path);
    }
    if table.get_mut(first).is_none() {
        // Nothing but entries of a repeated section is called by a number.
        if let Some(rest) = rest.filter(|rest| is_index(rest)) {
            return Err(Lost::Entry {
                left: rest.len(),
                labels: Vec::new(),
            });
        }
        let raw = if rest.is_some() {
            Raw::Table(Table::default())
        } else {
            Raw::Bool(false)
        };
        let key = Key {
            name: first.to_owned(),
            at,
        };
        table.0.push((key, Node { at, raw }));
    }
    let slot = table.get_mut(first).ok_or(Lost::Path)?;
    let Some(rest) = rest else {
        *slot = node;
        return Ok(());
    };
    match &mut slot.raw {
        Raw::Table(inner) => insert(inner, rest, at, node),
        Raw::List(items) => insert_in_list(items, rest, at, node),
        _ => Err(Lost::Path),
    }
}

fn is_index(path: &str) -> bool {
    let first = path.split('.').next().unwrap_or(path);
    !first.is_empty() && first.bytes().all(|b| b.is_ascii_digit())
}

/// What an entry of a repeated section calls itself: its name, else its type or its first end.
fn label(entry: &mut Node) -> String {
    let Raw::Table(table) = &mut entry.raw else {
        return String::new();
    };
    let named = ["name", "type", "from", "expect"].into_iter();
    let mut texts = named.filter_map(|key| match &table.get_mut(key)?.raw {
        Raw::Text(text) => Some(crate::render::clip(text, MOST_LABEL).to_string()),
        _ => None,
    });
    texts.next().unwrap_or_default()
}

fn insert_in_list(items: &mut [Node], path: &str, at: At, node: Node) -> Result<(), Lost> {
    let (index, rest) = match path.split_once('.') {
        Some((index, rest)) => (index, Some(rest)),
        None => (path, None),
    };
    let number = index.parse::<usize>().map_err(|_| Lost::Path)?;
    if number >= items.len() {
        return Err(Lost::Entry {
            left: path.len(),
            labels: items.iter_mut().map(label).collect(),
        });
    }
    let item = items.get_mut(number).ok_or(Lost::Path)?;
    match (rest, &mut item.raw) {
        (None, _) => {
            *item = node;
            Ok(())
        }
        (Some(rest), Raw::Table(inner)) => insert(inner, rest, at, node),
        _ => Err(Lost::Path),
    }
}
