//! Walks the tree of a file along the schema: what is unknown, missing or of a wrong type becomes a
//! problem, everything else a value.

use crate::problem::{Fault, Problem};
use crate::schema::{self, DEVICES, Param, Presence, SECTIONS, Section};
use crate::source::At;
use crate::tree::{Key, Node, Raw, Table};
use crate::values::{self, Entry, Group};

/// All sections of a file, in the order of the schema; repeated ones in the order of the file.
#[derive(Debug, Default)]
pub struct Document {
    groups: Vec<(&'static str, Group)>,
}

impl Document {
    /// The only section of a path. The reader makes one for each section that is not repeated.
    pub fn one(&self, path: &'static str) -> Option<&Group> {
        self.all(path).next()
    }

    /// All sections of a path.
    pub fn all(&self, path: &'static str) -> impl Iterator<Item = &Group> {
        self.groups
            .iter()
            .filter(move |(name, _)| *name == path)
            .map(|(_, group)| group)
    }
}

/// Reads a whole file.
pub fn read(root: &Table, problems: &mut Vec<Problem>) -> Document {
    let mut reader = Reader {
        problems,
        document: Document::default(),
    };
    let Some(top) = schema::section("") else {
        return reader.document;
    };
    reader.section(top, Some(root), None, String::new());
    for section in SECTIONS {
        let absent = reader.document.one(section.path).is_none();
        if absent && !section.repeated {
            reader.section(section, None, None, section.path.to_owned());
        }
    }
    reader.document
}

struct Reader<'a> {
    problems: &'a mut Vec<Problem>,
    document: Document,
}

/// The sections directly below a path, by their last name.
fn children(path: &str) -> impl Iterator<Item = (&'static str, &'static Section)> {
    SECTIONS.iter().filter_map(move |section| {
        let rest = if path.is_empty() {
            section.path
        } else {
            section.path.strip_prefix(path)?.strip_prefix('.')?
        };
        (!rest.is_empty() && !rest.contains('.')).then_some((rest, section))
    })
}

impl Reader<'_> {
    fn problem(&mut self, at: Option<At>, field: String, fault: Fault) {
        self.problems.push(Problem { at, field, fault });
    }

    /// Reads one section; `table` is `None` where the file has none and only defaults apply.
    fn section(
        &mut self,
        section: &'static Section,
        table: Option<&Table>,
        at: Option<At>,
        path: String,
    ) {
        let mut group = Group {
            path,
            at,
            ..Group::default()
        };
        let variant = self.variant(section, table);
        let known: Vec<&'static Param> = section
            .params
            .iter()
            .chain(variant.map_or(&[][..], |v| v.params))
            .collect();
        for (key, node) in table.map_or(&[][..], |t| &t.0) {
            if let Some(param) = known.iter().find(|p| p.name == key.name) {
                self.param(&mut group, param, node);
            } else if let Some((_, child)) = children(section.path).find(|(n, _)| *n == key.name) {
                self.child(child, key, node);
            } else if section.path != "device" || variant.is_some() {
                self.unknown(section, &known, &group, key, node);
            }
        }
        for param in known {
            self.absent(&mut group, param);
        }
        self.document.groups.push((section.path, group));
    }

    /// The type of a device, whose parameters join those that all devices have.
    fn variant(&mut self, section: &Section, table: Option<&Table>) -> Option<&'static Section> {
        if section.path != "device" {
            return None;
        }
        let (_, node) = table?.0.iter().find(|(key, _)| key.name == "type")?;
        let Raw::Text(word) = &node.raw else {
            return None;
        };
        let found = schema::device(word);
        if found.is_none() {
            let fault = Fault::Unknown {
                what: "type of device",
                word: word.clone(),
                known: DEVICES.iter().map(|d| d.path).collect(),
            };
            self.problem(Some(node.at), "device.type".to_owned(), fault);
        }
        found
    }

    fn param(&mut self, group: &mut Group, param: &'static Param, node: &Node) {
        match values::read(param, node) {
            Ok(value) => {
                let at = Some(node.at);
                group.entries.insert(param.name, Entry { value, at });
            }
            Err(fault) => {
                let field = group.field(param.name);
                self.problem(Some(node.at), field, fault);
            }
        }
    }

    /// Fills in the default of a parameter that has no value, or says that it must have one. A
    /// parameter with a wrong value gets its default too, so that later checks can go on.
    fn absent(&mut self, group: &mut Group, param: &'static Param) {
        if group.entries.contains_key(param.name) {
            return;
        }
        let field = group.field(param.name);
        match (param.presence, values::default(param)) {
            (Presence::Required(example), _) => {
                let refused = self.problems.iter().any(|p| p.field == field);
                if !refused {
                    let fault = Fault::Missing {
                        name: param.name,
                        summary: param.summary,
                        example,
                    };
                    self.problem(group.at, field, fault);
                }
            }
            (_, Some(Ok(value))) => {
                group.entries.insert(param.name, Entry { value, at: None });
            }
            (_, Some(Err(fault))) => self.problem(group.at, field, fault),
            (_, None) => {}
        }
    }

    fn child(&mut self, section: &'static Section, key: &Key, node: &Node) {
        let path = section.path.to_owned();
        match (&node.raw, section.repeated) {
            (Raw::Table(table), false) => {
                self.section(section, Some(table), Some(key.at), path);
            }
            (Raw::List(items), true) => {
                for (index, item) in items.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    if let Raw::Table(table) = &item.raw {
                        self.section(section, Some(table), Some(item.at), path);
                    } else {
                        self.wrong_shape(section, path, item);
                    }
                }
            }
            (Raw::Table(table), true) => {
                self.wrong_shape(section, path.clone(), node);
                self.section(section, Some(table), Some(key.at), path);
            }
            _ => self.wrong_shape(section, path, node),
        }
    }

    fn wrong_shape(&mut self, section: &Section, field: String, node: &Node) {
        let (expected, example) = if section.repeated {
            ("a repeated section", format!("[[{}]]", section.path))
        } else {
            ("a section", format!("[{}]", section.path))
        };
        let fault = Fault::Type {
            expected: expected.to_owned(),
            found: node.raw.kind(),
            example,
        };
        self.problem(Some(node.at), field, fault);
    }

    fn unknown(
        &mut self,
        section: &Section,
        known: &[&'static Param],
        group: &Group,
        key: &Key,
        node: &Node,
    ) {
        let is_section = matches!(node.raw, Raw::Table(_));
        let sections = children(section.path).map(|(name, _)| name);
        let params = known.iter().map(|p| p.name);
        let (what, words) = if is_section && section.path.is_empty() {
            ("section", sections.collect())
        } else {
            ("parameter", params.chain(sections).collect())
        };
        let fault = Fault::Unknown {
            what,
            word: key.name.clone(),
            known: words,
        };
        self.problem(Some(key.at), group.field(&key.name), fault);
    }
}
