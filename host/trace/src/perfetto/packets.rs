//! Packets of one sequence: tracks, and events with interned names.

use super::proto::{self, annotation, event, interned, packet};
use super::wire::Fields;
use std::collections::BTreeMap;

/// The only sequence of packets in the file.
const SEQUENCE: u64 = 1;

/// What sort of event, for a viewer's filters.
#[derive(Clone, Copy)]
pub(super) enum Category {
    Mmio,
    Interrupt,
    Sbi,
    Dma,
    Console,
    Link,
    Hart,
    Mistake,
}

const CATEGORIES: [&str; 8] = [
    "mmio",
    "interrupt",
    "sbi",
    "dma",
    "console",
    "link",
    "hart",
    "guest error",
];

/// What an argument of an event is called.
#[derive(Clone, Copy)]
pub(super) enum Key {
    Address,
    Offset,
    Width,
    Value,
    Hart,
    Pc,
    Function,
    Bytes,
    Text,
    Source,
    Port,
    Arg0,
    Arg1,
    Arg2,
}

const KEYS: [&str; 14] = [
    "address", "offset", "width", "value", "hart", "pc", "function", "bytes", "text", "source",
    "port", "arg0", "arg1", "arg2",
];

/// An argument of an event.
pub(super) enum Value<'a> {
    Number(u64),
    /// Shown in hexadecimal.
    Address(u64),
    Text(&'a str),
    /// A text that comes again and again.
    Name(&'a str),
}

/// How an event takes part in a request.
#[derive(Clone, Copy)]
pub(super) enum Flow {
    None,
    Step(u64),
    End(u64),
}

#[derive(Clone, Copy)]
pub(super) enum Type {
    Begin,
    End,
    Point,
}

pub(super) struct Event<'a> {
    /// Nanoseconds.
    pub(super) time: u64,
    pub(super) track: u64,
    pub(super) ty: Type,
    pub(super) category: Category,
    pub(super) name: &'a str,
    pub(super) flow: Flow,
    pub(super) args: &'a [(Key, Value<'a>)],
}

/// Texts that were given a number.
#[derive(Default)]
struct Interned {
    numbers: BTreeMap<String, u64>,
}

impl Interned {
    /// The number, and whether it is new.
    fn number(&mut self, text: &str) -> (u64, bool) {
        if let Some(&number) = self.numbers.get(text) {
            return (number, false);
        }
        let number = self.numbers.len() as u64 + 1;
        self.numbers.insert(text.to_owned(), number);
        (number, true)
    }
}

/// The file's packets as they come.
#[derive(Default)]
pub(super) struct Packets {
    pub(super) out: Fields,
    names: Interned,
    texts: Interned,
}

/// The first packet, which is the same in each file: categories and names of arguments.
pub(super) fn header() -> Fields {
    let mut out = Fields::default();
    out.message(proto::trace::PACKET, |p| {
        p.uint(packet::TRUSTED_PACKET_SEQUENCE_ID, SEQUENCE);
        p.uint(packet::SEQUENCE_FLAGS, packet::INCREMENTAL_STATE_CLEARED);
        p.message(packet::INTERNED_DATA, |d| {
            for (i, name) in (1..).zip(CATEGORIES) {
                entry(d, interned::EVENT_CATEGORIES, i, name);
            }
            for (i, name) in (1..).zip(KEYS) {
                entry(d, interned::DEBUG_ANNOTATION_NAMES, i, name);
            }
        });
    });
    out
}

fn entry(d: &mut Fields, field: u32, number: u64, text: &str) {
    d.message(field, |e| {
        e.uint(interned::IID, number);
        e.text(interned::TEXT, text);
    });
}

impl Packets {
    pub(super) fn new() -> Self {
        Self {
            out: header(),
            ..Self::default()
        }
    }

    /// Describes a track.
    pub(super) fn track(&mut self, fill: impl FnOnce(&mut Fields)) {
        self.out.message(proto::trace::PACKET, |p| {
            p.uint(packet::TRUSTED_PACKET_SEQUENCE_ID, SEQUENCE);
            p.message(packet::TRACK_DESCRIPTOR, fill);
        });
    }

    /// A counter's new value.
    pub(super) fn count(&mut self, time: u64, track: u64, value: u64) {
        self.out.message(proto::trace::PACKET, |p| {
            p.uint(packet::TIMESTAMP, time);
            p.uint(packet::TRUSTED_PACKET_SEQUENCE_ID, SEQUENCE);
            p.message(packet::TRACK_EVENT, |e| {
                e.uint(event::TYPE, event::COUNTER);
                e.uint(event::TRACK_UUID, track);
                e.uint(event::COUNTER_VALUE, value);
            });
        });
    }

    pub(super) fn event(&mut self, ev: &Event<'_>) {
        let Self { out, names, texts } = self;
        let name = names.number(ev.name);
        out.message(proto::trace::PACKET, |p| {
            p.uint(packet::TIMESTAMP, ev.time);
            p.uint(packet::TRUSTED_PACKET_SEQUENCE_ID, SEQUENCE);
            p.uint(packet::SEQUENCE_FLAGS, packet::NEEDS_INCREMENTAL_STATE);
            if name.1 {
                p.message(packet::INTERNED_DATA, |d| {
                    entry(d, interned::EVENT_NAMES, name.0, ev.name);
                });
            }
            for (_, value) in ev.args {
                if let Value::Name(text) = value
                    && let (number, true) = texts.number(text)
                {
                    p.message(packet::INTERNED_DATA, |d| {
                        entry(d, interned::DEBUG_ANNOTATION_STRING_VALUES, number, text);
                    });
                }
            }
            p.message(packet::TRACK_EVENT, |e| track_event(e, ev, name.0, texts));
        });
    }
}

fn track_event(e: &mut Fields, ev: &Event<'_>, name: u64, texts: &mut Interned) {
    let ty = match ev.ty {
        Type::Begin => event::SLICE_BEGIN,
        Type::End => event::SLICE_END,
        Type::Point => event::INSTANT,
    };
    e.uint(event::TYPE, ty);
    e.uint(event::TRACK_UUID, ev.track);
    if matches!(ev.ty, Type::End) {
        return;
    }
    e.uint(event::CATEGORY_IIDS, ev.category as u64 + 1);
    e.uint(event::NAME_IID, name);
    match ev.flow {
        Flow::None => {}
        Flow::Step(id) => e.fixed64(event::FLOW_IDS, id),
        Flow::End(id) => e.fixed64(event::TERMINATING_FLOW_IDS, id),
    }
    for (key, value) in ev.args {
        e.message(event::DEBUG_ANNOTATIONS, |a| {
            a.uint(annotation::NAME_IID, *key as u64 + 1);
            match value {
                Value::Number(v) => a.uint(annotation::UINT_VALUE, *v),
                Value::Address(v) => a.uint(annotation::POINTER_VALUE, *v),
                Value::Text(text) => a.text(annotation::STRING_VALUE, text),
                Value::Name(text) => a.uint(annotation::STRING_VALUE_IID, texts.number(text).0),
            }
        });
    }
}
