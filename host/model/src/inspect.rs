//! The state of a system as people look at it: a tree of named, typed values.
//!
//! A path names a value from the outside in, with dots: `machine0.hart0.csr.mstatus`. Names never contain
//! dots. Looking changes nothing: [`Inspect::inspect`] takes `&self`, and reads no register that a
//! read would change.

use crate::SimTime;
use core::fmt;

/// Something whose state can be looked at.
pub trait Inspect {
    /// Adds what there is to see, below wherever `tree` stands.
    fn inspect(&self, tree: &mut Tree);
}

impl<T: Inspect + ?Sized> Inspect for Box<T> {
    fn inspect(&self, tree: &mut Tree) {
        (**self).inspect(tree);
    }
}

/// One value, with how it is to be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// A count or an index.
    Number(u64),
    /// A register, an address or a set of bits.
    Hex(u64),
    /// Yes or no.
    Flag(bool),
    /// A name.
    Text(String),
    /// A point in virtual time.
    Time(SimTime),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => write!(f, "{n}"),
            Self::Hex(n) => write!(f, "{n:#x}"),
            Self::Flag(yes) => write!(f, "{yes}"),
            Self::Text(text) => f.write_str(text),
            Self::Time(t) => write!(f, "{t}"),
        }
    }
}

/// A value or a tree with a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// A value.
    Value(Value),
    /// More below.
    Branch(Tree),
}

/// Named values in the order in which they were added.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tree {
    entries: Vec<(String, Node)>,
    /// One of many of its kind that does nothing.
    at_rest: bool,
}

/// What of a tree is shown to people.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shown<'a> {
    /// Values with their whole paths, in order.
    pub values: Vec<(String, &'a Value)>,
    /// How many parts at rest are left out.
    pub hidden: usize,
}

impl Tree {
    fn add(&mut self, name: impl Into<String>, value: Value) {
        self.entries.push((name.into(), Node::Value(value)));
    }

    /// Adds a count or an index.
    pub fn number(&mut self, name: impl Into<String>, v: impl Into<u64>) {
        self.add(name, Value::Number(v.into()));
    }

    /// Adds a register, an address or a set of bits.
    pub fn hex(&mut self, name: impl Into<String>, v: impl Into<u64>) {
        self.add(name, Value::Hex(v.into()));
    }

    /// Adds yes or no.
    pub fn flag(&mut self, name: impl Into<String>, v: bool) {
        self.add(name, Value::Flag(v));
    }

    /// Adds a name.
    pub fn text(&mut self, name: impl Into<String>, v: impl Into<String>) {
        self.add(name, Value::Text(v.into()));
    }

    /// Adds a time.
    pub fn time(&mut self, name: impl Into<String>, v: SimTime) {
        self.add(name, Value::Time(v));
    }

    /// Adds a length.
    pub fn length(&mut self, name: impl Into<String>, v: usize) {
        self.number(name, v as u64);
    }

    /// Adds a tree below; a dotted name makes a branch for each part, and joins branches that are there.
    pub fn branch(&mut self, name: &str, f: impl FnOnce(&mut Self)) {
        let (first, rest) = match name.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (name, None),
        };
        let found = (self.entries.iter())
            .position(|(n, node)| n == first && matches!(node, Node::Branch(_)));
        let at = found.unwrap_or_else(|| {
            let empty = Node::Branch(Self::default());
            self.entries.push((first.to_owned(), empty));
            self.entries.len() - 1
        });
        if let Some((_, Node::Branch(below))) = self.entries.get_mut(at) {
            match rest {
                Some(rest) => below.branch(rest, f),
                None => f(below),
            }
        }
    }

    /// Says that this is one of many parts of its kind and does nothing: people see it when they ask for
    /// it.
    pub const fn rest(&mut self) {
        self.at_rest = true;
    }

    /// What people see: all values, or those that one of `wanted` names as [`Tree::matching`] does,
    /// without the parts at rest that none of them names itself.
    #[must_use]
    pub fn shown(&self, wanted: &[&str]) -> Shown<'_> {
        let mut shown = Shown::default();
        self.show("", wanted, &mut shown);
        shown
    }

    fn show<'a>(&'a self, above: &str, wanted: &[&str], shown: &mut Shown<'a>) {
        for (name, node) in &self.entries {
            let path = join(above, name);
            match node {
                Node::Value(value) => {
                    if wanted.is_empty() || wanted.iter().any(|want| end(&path, want).is_some()) {
                        shown.values.push((path, value));
                    }
                }
                Node::Branch(below) if below.at_rest => {
                    let before = shown.values.len();
                    below.show(&path, wanted, shown);
                    let named = |(value, _): &(String, _)| {
                        let mut ends = wanted.iter().filter_map(|want| end(value, want));
                        ends.any(|end| end >= path.len())
                    };
                    let found = shown.values.split_off(before);
                    let all = found.len();
                    shown.values.extend(found.into_iter().filter(named));
                    let hides = shown.values.len() - before < all;
                    shown.hidden += usize::from(hides);
                }
                Node::Branch(below) => below.show(&path, wanted, shown),
            }
        }
    }

    /// Names and nodes in the order in which they were added.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.entries
            .iter()
            .map(|(name, node)| (name.as_str(), node))
    }

    /// The node with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.entries()
            .find(|(n, _)| *n == name)
            .map(|(_, node)| node)
    }

    /// Every value with its whole path, in order.
    #[must_use]
    pub fn values(&self) -> Vec<(String, &Value)> {
        let mut all = Vec::new();
        self.collect("", &mut all);
        all
    }

    /// The values that `wanted` names: a whole path, or neighbouring names of one (`hart0.csr`), so that
    /// what stands before can be left out.
    #[must_use]
    pub fn matching(&self, wanted: &str) -> Vec<(String, &Value)> {
        let mut all = self.values();
        all.retain(|(path, _)| end(path, wanted).is_some());
        all
    }

    fn collect<'a>(&'a self, above: &str, all: &mut Vec<(String, &'a Value)>) {
        for (name, node) in &self.entries {
            let path = join(above, name);
            match node {
                Node::Value(value) => all.push((path, value)),
                Node::Branch(below) => below.collect(&path, all),
            }
        }
    }
}

fn join(above: &str, name: &str) -> String {
    if above.is_empty() {
        name.to_owned()
    } else {
        format!("{above}.{name}")
    }
}

/// Where in a path the neighbouring names `wanted` end, if they are there.
fn end(path: &str, wanted: &str) -> Option<usize> {
    let begin = format!(".{path}.").find(&format!(".{wanted}."))?;
    Some(begin + wanted.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_at_rest_are_shown_to_who_names_them() {
        let mut tree = Tree::default();
        tree.branch("plic", |t| {
            for source in 1..=3 {
                t.branch(&format!("source{source}"), |t| {
                    t.flag("level", source == 2);
                    t.number("priority", 1_u64);
                    if source != 2 {
                        t.rest();
                    }
                });
            }
            t.number("accesses", 5_u64);
        });
        let shown = |wanted: &[&str]| {
            let shown = tree.shown(wanted);
            (shown.values.len(), shown.hidden)
        };
        assert_eq!(tree.values().len(), 7);
        assert_eq!(shown(&[]), (3, 2));
        assert_eq!(shown(&["plic"]), (3, 2));
        assert_eq!(shown(&["accesses"]), (1, 0));
        assert_eq!(shown(&["source1"]), (2, 0));
        assert_eq!(shown(&["source1.level"]), (1, 0));
        assert_eq!(shown(&["plic", "source3"]), (5, 1));
        assert_eq!(shown(&["level"]), (3, 0));
        assert_eq!(shown(&["source"]), (0, 0));
    }

    #[test]
    fn paths_lead_from_the_outside_in_and_branches_join() {
        let mut tree = Tree::default();
        tree.branch("machine0.hart0", |t| t.hex("pc", 0x8000_0000_u64));
        tree.branch("machine0", |t| {
            t.branch("hart0", |t| t.flag("runs", true));
            t.time("time", SimTime::from_ns(5));
        });
        tree.text("level", "deterministic");
        let shown: Vec<String> = (tree.values().iter())
            .map(|(path, value)| format!("{path} = {value}"))
            .collect();
        assert_eq!(
            shown,
            [
                "machine0.hart0.pc = 0x80000000",
                "machine0.hart0.runs = true",
                "machine0.time = 0.000000005 s",
                "level = deterministic",
            ]
        );
        assert!(matches!(tree.get("machine0"), Some(Node::Branch(_))));
        assert_eq!(tree.get("machine1"), None);
    }
}
