//! Walks the tree of a file along the schema: what is unknown, missing or of a wrong type becomes a
//! problem, everything else a value.

use crate::problem::{Fault, Problem};
use crate::schema::{
    self, DEVICES, MACHINES_MAX, OF_A_MACHINE, PCI_SLOTS, Param, Presence, SECTIONS, SLOTS, Section,
};
use crate::source::At;
use crate::tree::{Key, Node, Raw, Table};
use crate::values::{self, Entry, Group};

/// What a file says: of the system, and of each machine in it.
#[derive(Debug, Default)]
pub struct Document {
    /// The sections that the system has once, such as `limits`.
    pub system: Sections,
    /// The sections of each machine; one machine is written with or without `[machine]`.
    pub machines: Vec<Sections>,
}

/// Sections in the order of the schema; repeated ones in the order of the file.
#[derive(Debug, Default)]
pub struct Sections {
    /// What their paths begin with in messages: empty, or `machine[1].`.
    pub prefix: String,
    groups: Vec<(&'static str, Group)>,
}

impl Sections {
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
    let (system, machines) = split(root, problems);
    let mut read_all = |table: &Table, prefix: String, wanted: fn(&str) -> bool| {
        let sections = Sections {
            prefix,
            ..Sections::default()
        };
        let mut reader = Reader {
            problems,
            sections,
            refused: Vec::new(),
        };
        reader.whole(table, wanted);
        reader.sections
    };
    Document {
        system: read_all(&system, String::new(), |path| !is_of_a_machine(path)),
        machines: machines
            .into_iter()
            .map(|(prefix, table)| read_all(&table, prefix, is_of_a_machine))
            .collect(),
    }
}

/// Whether each machine has such a section of its own.
fn is_of_a_machine(path: &str) -> bool {
    let first = path.split('.').next().unwrap_or(path);
    first == MACHINE || OF_A_MACHINE.contains(&first)
}

/// Takes a file apart: what belongs to the system, and what belongs to each machine, as if that were
/// the only one, with the prefix of its paths in messages.
fn split(root: &Table, problems: &mut Vec<Problem>) -> (Table, Vec<(String, Table)>) {
    let is_its = |(key, _): &&(Key, Node)| is_of_a_machine(&key.name);
    let (its, rest): (Vec<_>, Vec<_>) = root.0.iter().partition(is_its);
    let owned = |entries: Vec<&(Key, Node)>| Table(entries.into_iter().cloned().collect());
    let several = its.iter().find_map(|(key, node)| match &node.raw {
        Raw::List(items) if key.name == MACHINE => Some((key, items)),
        _ => None,
    });
    let Some((key, items)) = several else {
        return (owned(rest), vec![(String::new(), owned(its))]);
    };
    let mut problem = |at, field: String, what: String, remedy: String| {
        let fault = Fault::Combination { what, remedy };
        problems.push(Problem { at, field, fault });
    };
    if items.is_empty() || items.len() > MACHINES_MAX {
        let what = format!("a system has no {} machines", items.len());
        let remedy = format!("write 1 to {MACHINES_MAX} sections [[machine]]");
        problem(Some(key.at), MACHINE.to_owned(), what, remedy);
    }
    for (key, _) in its.into_iter().filter(|(key, _)| key.name != MACHINE) {
        let name = &key.name;
        let what = format!("with [[machine]], each machine has a `{name}` of its own");
        let remedy = format!("write it as [machine.{name}], below the [[machine]] that it is for");
        problem(Some(key.at), name.clone(), what, remedy);
    }
    let machines = (items.iter().take(MACHINES_MAX).enumerate())
        .map(|(index, item)| (format!("{MACHINE}[{index}]."), alone(key, item)))
        .collect();
    (owned(rest), machines)
}

/// An entry of `[[machine]]` as a file of one machine would have it.
fn alone(key: &Key, item: &Node) -> Table {
    let Raw::Table(table) = &item.raw else {
        return Table(vec![(key.clone(), item.clone())]);
    };
    let is_lifted = |(key, _): &&(Key, Node)| OF_A_MACHINE.contains(&key.name.as_str());
    let (mut lifted, board): (Vec<_>, Vec<_>) =
        table.0.iter().cloned().partition(|e| is_lifted(&e));
    let raw = Raw::Table(Table(board));
    let key = Key {
        name: MACHINE.to_owned(),
        at: item.at,
    };
    lifted.push((key, Node { at: item.at, raw }));
    Table(lifted)
}

/// The section of the board.
const MACHINE: &str = "machine";

struct Reader<'a> {
    problems: &'a mut Vec<Problem>,
    sections: Sections,
    /// Sections that are something else.
    refused: Vec<&'static str>,
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
    /// Reads the sections that are `wanted`, and only those: the others are somebody else's.
    fn whole(&mut self, table: &Table, wanted: fn(&str) -> bool) {
        if let Some(top) = schema::section("") {
            self.section(top, Some(table), None, String::new());
        }
        for section in SECTIONS.iter().filter(|s| wanted(s.path)) {
            let absent = self.sections.one(section.path).is_none();
            if absent && !section.repeated {
                let before = self.problems.len();
                self.section(section, None, None, self.path(section));
                if self.refused.contains(&section.path) {
                    // What is there is no section; that it lacks parameters is nothing new.
                    self.problems.truncate(before);
                }
            }
        }
    }

    /// The path of a section in messages.
    fn path(&self, section: &Section) -> String {
        match (section.path, self.sections.prefix.trim_end_matches('.')) {
            (MACHINE, prefix) if !prefix.is_empty() => prefix.to_owned(),
            (path, _) => format!("{}{path}", self.sections.prefix),
        }
    }

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
        let first = self.problems.len();
        let variant = self.variant(section, table, &group);
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
            self.absent(&mut group, param, first);
        }
        self.sections.groups.push((section.path, group));
    }

    /// The type of a device, whose parameters join those that all devices have.
    fn variant(
        &mut self,
        section: &Section,
        table: Option<&Table>,
        group: &Group,
    ) -> Option<&'static Section> {
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
            self.problem(Some(node.at), group.field("type"), fault);
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
    /// `first` is the number of the section's first problem.
    fn absent(&mut self, group: &mut Group, param: &'static Param, first: usize) {
        if group.entries.contains_key(param.name) {
            return;
        }
        let field = group.field(param.name);
        match (param.presence, values::default(param)) {
            (Presence::Required(example), _) => {
                let refused = self.problems.iter().skip(first).any(|p| p.field == field);
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
        let path = self.path(section);
        match (&node.raw, section.repeated) {
            (Raw::Table(table), false) => {
                self.section(section, Some(table), Some(key.at), path);
            }
            (Raw::List(items), true) => {
                for (index, item) in self.possible(section, items).iter().enumerate() {
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

    /// The sections that can be meant: a machine has only so many slots, and going through thousands
    /// of devices or cables that can never work helps nobody.
    fn possible<'n>(&mut self, section: &'static Section, items: &'n [Node]) -> &'n [Node] {
        let slots = usize::try_from(SLOTS + PCI_SLOTS).unwrap_or(usize::MAX);
        let (most, what) = match section.path {
            "device" => (
                slots,
                format!("the board has only {slots} slots for devices"),
            ),
            "link" => (
                MACHINES_MAX.saturating_mul(slots) / 2,
                "no system has devices for so many cables".to_owned(),
            ),
            _ => return items,
        };
        let Some(first) = items.get(most) else {
            return items;
        };
        let (count, name) = (items.len(), section.path);
        let fault = Fault::Combination {
            what: format!("{what}, and there are {count} of [[{name}]]"),
            remedy: format!("remove [[{name}]] sections until {most} are left"),
        };
        let field = format!("{}[{most}]", self.path(section));
        self.problem(Some(first.at), field, fault);
        items.get(..most).unwrap_or(items)
    }

    fn wrong_shape(&mut self, section: &'static Section, field: String, node: &Node) {
        self.refused.push(section.path);
        let fault = Fault::Shape {
            section: section.path,
            repeated: section.repeated,
            found: node.raw.kind(),
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
