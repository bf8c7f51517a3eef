//! An independent reader of Perfetto traces: the messages that matter declared by hand, decoded by
//! `prost`, every reference between packets resolved.

use prost::Message;
use std::collections::BTreeMap;

mod proto {
    use prost::Message;

    #[derive(Message)]
    pub struct Trace {
        #[prost(message, repeated, tag = "1")]
        pub packet: Vec<Packet>,
    }

    #[derive(Message)]
    pub struct Packet {
        #[prost(uint64, optional, tag = "8")]
        pub timestamp: Option<u64>,
        #[prost(uint32, tag = "10")]
        pub trusted_packet_sequence_id: u32,
        #[prost(message, optional, tag = "11")]
        pub track_event: Option<TrackEvent>,
        #[prost(message, optional, tag = "12")]
        pub interned_data: Option<InternedData>,
        #[prost(uint32, tag = "13")]
        pub sequence_flags: u32,
        #[prost(message, optional, tag = "60")]
        pub track_descriptor: Option<TrackDescriptor>,
    }

    #[derive(Message)]
    pub struct TrackDescriptor {
        #[prost(uint64, tag = "1")]
        pub uuid: u64,
        #[prost(string, tag = "2")]
        pub name: String,
        #[prost(message, optional, tag = "3")]
        pub process: Option<Process>,
        #[prost(message, optional, tag = "4")]
        pub thread: Option<Thread>,
        #[prost(uint64, optional, tag = "5")]
        pub parent_uuid: Option<u64>,
        #[prost(message, optional, tag = "8")]
        pub counter: Option<Counter>,
    }

    #[derive(Message)]
    pub struct Process {
        #[prost(int32, tag = "1")]
        pub pid: i32,
        #[prost(string, tag = "6")]
        pub process_name: String,
    }

    #[derive(Message)]
    pub struct Thread {
        #[prost(int32, tag = "1")]
        pub pid: i32,
        #[prost(int32, tag = "2")]
        pub tid: i32,
        #[prost(string, tag = "5")]
        pub thread_name: String,
    }

    #[derive(Message)]
    pub struct Counter {
        #[prost(int32, tag = "3")]
        pub unit: i32,
    }

    #[derive(Message)]
    pub struct TrackEvent {
        #[prost(uint64, repeated, packed = "false", tag = "3")]
        pub category_iids: Vec<u64>,
        #[prost(message, repeated, tag = "4")]
        pub debug_annotations: Vec<Annotation>,
        #[prost(int32, tag = "9")]
        pub r#type: i32,
        #[prost(uint64, tag = "10")]
        pub name_iid: u64,
        #[prost(uint64, tag = "11")]
        pub track_uuid: u64,
        #[prost(int64, optional, tag = "30")]
        pub counter_value: Option<i64>,
        #[prost(fixed64, repeated, packed = "false", tag = "47")]
        pub flow_ids: Vec<u64>,
        #[prost(fixed64, repeated, packed = "false", tag = "48")]
        pub terminating_flow_ids: Vec<u64>,
    }

    #[derive(Message)]
    pub struct Annotation {
        #[prost(uint64, tag = "1")]
        pub name_iid: u64,
        #[prost(uint64, optional, tag = "3")]
        pub uint_value: Option<u64>,
        #[prost(string, optional, tag = "6")]
        pub string_value: Option<String>,
        #[prost(uint64, optional, tag = "7")]
        pub pointer_value: Option<u64>,
        #[prost(uint64, optional, tag = "17")]
        pub string_value_iid: Option<u64>,
    }

    #[derive(Message)]
    pub struct InternedData {
        #[prost(message, repeated, tag = "1")]
        pub event_categories: Vec<Text>,
        #[prost(message, repeated, tag = "2")]
        pub event_names: Vec<Text>,
        #[prost(message, repeated, tag = "3")]
        pub debug_annotation_names: Vec<Text>,
        #[prost(message, repeated, tag = "29")]
        pub debug_annotation_string_values: Vec<Text>,
    }

    #[derive(Message)]
    pub struct Text {
        #[prost(uint64, tag = "1")]
        pub iid: u64,
        #[prost(string, tag = "2")]
        pub text: String,
    }
}

/// What sort of event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    /// A slice begins.
    Begin,
    /// The latest slice of the track ends.
    End,
    /// It takes no time.
    Instant,
    /// A counter's value.
    Counter(i64),
}

/// An event with everything that it refers to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Nanoseconds.
    pub time: u64,
    /// The names of the track and those above it, joined by `/`.
    pub track: String,
    /// What sort.
    pub ty: Type,
    /// Its category; empty for ends and counters.
    pub category: String,
    /// Its name; empty for ends and counters.
    pub name: String,
    /// Flows that go through it.
    pub flows: Vec<u64>,
    /// Flows that end in it.
    pub ends: Vec<u64>,
    /// Its arguments as text; numbers are decimal.
    pub args: BTreeMap<String, String>,
}

type Texts = BTreeMap<u64, String>;

#[derive(Default)]
struct Interned {
    categories: Texts,
    names: Texts,
    keys: Texts,
    texts: Texts,
}

/// Reads a whole file.
///
/// # Errors
/// What is wrong with the file: it does not decode, or an event refers to what no packet before it has
/// defined.
pub fn read(bytes: &[u8]) -> Result<Vec<Event>, String> {
    let trace = proto::Trace::decode(bytes).map_err(|e| e.to_string())?;
    let first = trace.packet.first().ok_or("the file is empty")?;
    if first.sequence_flags != 1 {
        return Err("the first packet does not begin the sequence".to_owned());
    }
    let mut interned = Interned::default();
    let mut tracks: BTreeMap<u64, String> = BTreeMap::new();
    let mut pids: BTreeMap<i32, String> = BTreeMap::new();
    let mut events = Vec::new();
    for packet in trace.packet {
        if packet.trusted_packet_sequence_id != 1 {
            return Err("a packet belongs to no sequence".to_owned());
        }
        if let Some(data) = packet.interned_data {
            interned.add(data)?;
        }
        if let Some(track) = packet.track_descriptor {
            let name = track_name(&track, &tracks, &mut pids)?;
            if tracks.insert(track.uuid, name).is_some() {
                return Err(format!("track {} is described twice", track.uuid));
            }
        }
        if let Some(event) = packet.track_event {
            let time = packet.timestamp.ok_or("an event has no time")?;
            events.push(interned.resolve(time, event, &tracks)?);
        }
    }
    Ok(events)
}

fn track_name(
    track: &proto::TrackDescriptor,
    tracks: &BTreeMap<u64, String>,
    pids: &mut BTreeMap<i32, String>,
) -> Result<String, String> {
    if let Some(process) = &track.process {
        pids.insert(process.pid, process.process_name.clone());
        return Ok(process.process_name.clone());
    }
    if let Some(thread) = &track.thread {
        let process = pids.get(&thread.pid).ok_or("a thread without a process")?;
        return Ok(format!("{process}/{}", thread.thread_name));
    }
    let parent = track.parent_uuid.ok_or("a track without a parent")?;
    let parent = tracks.get(&parent).ok_or("an unknown parent")?;
    Ok(format!("{parent}/{}", track.name))
}

impl Interned {
    fn add(&mut self, data: proto::InternedData) -> Result<(), String> {
        for (to, from) in [
            (&mut self.categories, data.event_categories),
            (&mut self.names, data.event_names),
            (&mut self.keys, data.debug_annotation_names),
            (&mut self.texts, data.debug_annotation_string_values),
        ] {
            for text in from {
                if to.insert(text.iid, text.text).is_some() || text.iid == 0 {
                    return Err(format!("interned number {} is taken", text.iid));
                }
            }
        }
        Ok(())
    }

    fn resolve(
        &self,
        time: u64,
        e: proto::TrackEvent,
        tracks: &BTreeMap<u64, String>,
    ) -> Result<Event, String> {
        let find = |texts: &Texts, iid: u64, what: &str| match iid {
            0 => Ok(String::new()),
            _ => (texts.get(&iid).cloned()).ok_or_else(|| format!("unknown {what} {iid}")),
        };
        let ty = match (e.r#type, e.counter_value) {
            (1, None) => Type::Begin,
            (2, None) => Type::End,
            (3, None) => Type::Instant,
            (4, Some(value)) => Type::Counter(value),
            other => return Err(format!("type {other:?}")),
        };
        let track = tracks.get(&e.track_uuid);
        let mut args = BTreeMap::new();
        for a in e.debug_annotations {
            let number = a.uint_value.or(a.pointer_value).map(|v| v.to_string());
            let value = match (number, a.string_value, a.string_value_iid) {
                (Some(v), None, None) | (None, Some(v), None) => v,
                (None, None, Some(iid)) => find(&self.texts, iid, "text")?,
                other => return Err(format!("an argument with the value {other:?}")),
            };
            args.insert(find(&self.keys, a.name_iid, "argument")?, value);
        }
        let category = e.category_iids.first().copied().unwrap_or(0);
        Ok(Event {
            time,
            track: track.cloned().ok_or("an event on an unknown track")?,
            ty,
            category: find(&self.categories, category, "category")?,
            name: find(&self.names, e.name_iid, "name")?,
            flows: e.flow_ids,
            ends: e.terminating_flow_ids,
            args,
        })
    }
}
