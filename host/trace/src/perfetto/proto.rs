//! Field numbers of the messages that are written, by message (Perfetto's `protos/perfetto/trace`).

pub(super) mod trace {
    pub const PACKET: u32 = 1;
}

pub(super) mod packet {
    pub const TIMESTAMP: u32 = 8;
    pub const TRUSTED_PACKET_SEQUENCE_ID: u32 = 10;
    pub const TRACK_EVENT: u32 = 11;
    pub const INTERNED_DATA: u32 = 12;
    pub const SEQUENCE_FLAGS: u32 = 13;
    pub const TRACK_DESCRIPTOR: u32 = 60;
    /// `SequenceFlags`: a reader may begin here.
    pub const INCREMENTAL_STATE_CLEARED: u64 = 1;
    /// `SequenceFlags`: refers to interned data.
    pub const NEEDS_INCREMENTAL_STATE: u64 = 2;
}

pub(super) mod track {
    pub const UUID: u32 = 1;
    pub const NAME: u32 = 2;
    pub const PROCESS: u32 = 3;
    pub const THREAD: u32 = 4;
    pub const PARENT_UUID: u32 = 5;
    pub const COUNTER: u32 = 8;
}

pub(super) mod process {
    pub const PID: u32 = 1;
    pub const PROCESS_NAME: u32 = 6;
}

pub(super) mod thread {
    pub const PID: u32 = 1;
    pub const TID: u32 = 2;
    pub const THREAD_NAME: u32 = 5;
}

pub(super) mod counter {
    pub const UNIT: u32 = 3;
    pub const SIZE_BYTES: u64 = 3;
}

pub(super) mod event {
    pub const CATEGORY_IIDS: u32 = 3;
    pub const DEBUG_ANNOTATIONS: u32 = 4;
    pub const TYPE: u32 = 9;
    pub const NAME_IID: u32 = 10;
    pub const TRACK_UUID: u32 = 11;
    pub const COUNTER_VALUE: u32 = 30;
    pub const FLOW_IDS: u32 = 47;
    pub const TERMINATING_FLOW_IDS: u32 = 48;
    /// Values of `TYPE`.
    pub const SLICE_BEGIN: u64 = 1;
    pub const SLICE_END: u64 = 2;
    pub const INSTANT: u64 = 3;
    pub const COUNTER: u64 = 4;
}

pub(super) mod annotation {
    pub const NAME_IID: u32 = 1;
    pub const UINT_VALUE: u32 = 3;
    pub const STRING_VALUE: u32 = 6;
    pub const POINTER_VALUE: u32 = 7;
    pub const STRING_VALUE_IID: u32 = 17;
}

pub(super) mod interned {
    pub const EVENT_CATEGORIES: u32 = 1;
    pub const EVENT_NAMES: u32 = 2;
    pub const DEBUG_ANNOTATION_NAMES: u32 = 3;
    pub const DEBUG_ANNOTATION_STRING_VALUES: u32 = 29;
    /// The same in each of them.
    pub const IID: u32 = 1;
    /// The name or the text.
    pub const TEXT: u32 = 2;
}
