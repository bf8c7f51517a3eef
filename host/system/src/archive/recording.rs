//! Recordings: what came into a run from outside, and when.

use super::error::ArchiveError;
use super::frame::{self, Kind};
use super::origin::Origin;
use super::place;
use maquette_model::{LoadError, Message, PortId, Reader, SimTime, Writer};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// Bytes of the check that follows each record.
const CHECK: usize = 8;

/// One thing that a recording knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record {
    /// Something arrived from outside.
    Input {
        /// When.
        at: SimTime,
        /// At which component.
        to: String,
        /// At which of its ports.
        port: PortId,
        /// What.
        msg: Message,
    },
    /// The trace hash so far, to find out early, and where, that a replay differs.
    Checkpoint {
        /// When: everything before has happened.
        at: SimTime,
        /// The hash.
        hash: [u8; 32],
    },
    /// The end of the run.
    End {
        /// When, if it came from outside; else the run ends by itself.
        cut_at: Option<SimTime>,
        /// The trace hash, if the end was exact.
        hash: Option<[u8; 32]>,
        /// How the run ended, for people.
        ending: String,
    },
}

impl Record {
    fn save(&self, w: &mut Writer) {
        match self {
            Self::Input { at, to, port, msg } => {
                w.u8(1);
                w.time(*at);
                w.str(to);
                w.u16(port.0);
                msg.save(w);
            }
            Self::Checkpoint { at, hash } => {
                w.u8(2);
                w.time(*at);
                w.raw(hash);
            }
            Self::End {
                cut_at,
                hash,
                ending,
            } => {
                w.u8(3);
                w.bool(cut_at.is_some());
                w.time(cut_at.unwrap_or_default());
                w.bool(hash.is_some());
                w.raw(&hash.unwrap_or_default());
                w.str(ending);
            }
        }
    }

    fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        match r.u8()? {
            1 => Ok(Self::Input {
                at: r.time()?,
                to: r.str("component")?.to_owned(),
                port: PortId(r.u16()?),
                msg: Message::load(r)?,
            }),
            2 => Ok(Self::Checkpoint {
                at: r.time()?,
                hash: hash(r)?,
            }),
            3 => {
                let cut = r.bool("end")?;
                let at = r.time()?;
                let exact = r.bool("hash")?;
                let hash = hash(r)?;
                Ok(Self::End {
                    cut_at: cut.then_some(at),
                    hash: exact.then_some(hash),
                    ending: r.str("ending")?.to_owned(),
                })
            }
            form => Err(LoadError::Value {
                field: "record",
                value: form.into(),
            }),
        }
    }
}

fn hash(r: &mut Reader<'_>) -> Result<[u8; 32], LoadError> {
    let bytes = r.raw(32)?;
    bytes
        .try_into()
        .map_err(|_| LoadError::Short { missing: 32 })
}

/// Writes a recording while the run goes on.
pub struct Recorder {
    path: PathBuf,
    file: BufWriter<File>,
    /// Covers everything so far.
    check: blake3::Hasher,
    failure: Option<ArchiveError>,
}

impl Recorder {
    /// Begins a recording.
    ///
    /// # Errors
    /// When the host refuses the file.
    pub fn create(path: &Path, origin: &Origin) -> Result<Self, ArchiveError> {
        place::replaceable(path)?;
        let failed = |source| ArchiveError::File {
            verb: "write",
            path: path.to_path_buf(),
            source,
        };
        let mut file = BufWriter::new(File::create(path).map_err(failed)?);
        let head = frame::head(Kind::Recording, origin);
        file.write_all(&head)
            .and_then(|()| file.flush())
            .map_err(failed)?;
        let mut check = blake3::Hasher::new();
        check.update(&head);
        Ok(Self {
            path: path.to_path_buf(),
            file,
            check,
            failure: None,
        })
    }

    /// Adds a record. The first failure is kept; after it nothing more is written.
    pub fn add(&mut self, record: &Record) {
        if self.failure.is_some() {
            return;
        }
        let mut w = Writer::default();
        record.save(&mut w);
        let bytes = w.into_bytes();
        let len = length(&bytes);
        self.check.update(&len).update(&bytes);
        let check = self.check.finalize();
        let check = check.as_bytes().first_chunk::<CHECK>().copied();
        let written = self
            .file
            .write_all(&len)
            .and_then(|()| self.file.write_all(&bytes))
            .and_then(|()| self.file.write_all(&check.unwrap_or_default()))
            // A run that is killed leaves what it has recorded.
            .and_then(|()| self.file.flush());
        if let Err(source) = written {
            self.failure = Some(ArchiveError::File {
                verb: "write",
                path: self.path.clone(),
                source,
            });
        }
    }

    /// What went wrong, once.
    pub const fn take_failure(&mut self) -> Option<ArchiveError> {
        self.failure.take()
    }
}

/// A recording, read.
#[derive(Debug)]
pub struct Recording {
    /// What was run.
    pub origin: Origin,
    /// What is known of the run, in order.
    pub records: Vec<Record>,
    /// The file ends before the run did: there is no [`Record::End`], and the last record may have been
    /// cut.
    pub unfinished: bool,
}

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// When it cannot be read, is none, was made by a later program, or is damaged.
    pub fn read(path: &Path) -> Result<Self, ArchiveError> {
        Self::parse(path, &place::read(path)?)
    }

    /// When a replay ends, if not by itself: where the run was cut, or where the recording ends.
    #[must_use]
    pub fn end(&self) -> SimTime {
        match self.records.last() {
            Some(Record::End { cut_at, .. }) => cut_at.unwrap_or(SimTime::MAX),
            Some(Record::Input { at, .. } | Record::Checkpoint { at, .. }) => *at,
            None => SimTime::ZERO,
        }
    }

    /// How the recorded run ended, for people.
    #[must_use]
    pub fn ending(&self) -> &str {
        match self.records.last() {
            Some(Record::End { ending, .. }) => ending,
            _ => "the recording ends",
        }
    }

    /// Takes the bytes of a recording apart.
    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, ArchiveError> {
        let (origin, mut body) = frame::take(path, Kind::Recording, bytes)?;
        let damaged = |what: String| ArchiveError::Damaged {
            path: path.to_path_buf(),
            what,
        };
        let mut check = blake3::Hasher::new();
        let head = bytes.len() - body.len();
        check.update(bytes.get(..head).unwrap_or_default());
        let mut records = Vec::new();
        let mut ended = false;
        while !body.is_empty() {
            if ended {
                let (extra, at) = (body.len(), bytes.len() - body.len());
                let what = format!("data after the end: {extra} bytes from offset {at} on");
                return Err(damaged(what));
            }
            let number = records.len() + 1;
            if body
                .first_chunk()
                .is_some_and(|len| parse_length(len).is_none())
            {
                return Err(damaged(format!("the length of record {number} is wrong")));
            }
            let Some((payload, sum, rest)) = next(body) else {
                break;
            };
            check.update(&length(payload)).update(payload);
            if check.finalize().as_bytes().first_chunk() != Some(sum) {
                return Err(damaged(format!("the check of record {number} is wrong")));
            }
            let mut r = Reader::new(payload);
            let record = Record::load(&mut r)
                .and_then(|record| r.finish().map(|()| record))
                .map_err(|error| damaged(format!("record {number}: {error}")))?;
            ended = matches!(record, Record::End { .. });
            records.push(record);
            body = rest;
        }
        Ok(Self {
            origin,
            records,
            unfinished: !ended,
        })
    }
}

/// The first record with its check, and what follows; `None` if it was cut.
fn next(body: &[u8]) -> Option<(&[u8], &[u8; CHECK], &[u8])> {
    let (len, rest) = body.split_first_chunk()?;
    let (payload, rest) = rest.split_at_checked(parse_length(len)?)?;
    let (check, rest) = rest.split_first_chunk()?;
    Some((payload, check, rest))
}

/// A record's length, and its complement: a wrong length must not look like the end of the file.
fn length(payload: &[u8]) -> [u8; 8] {
    let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    (u64::from(len) | u64::from(!len) << 32).to_le_bytes()
}

fn parse_length(bytes: &[u8; 8]) -> Option<usize> {
    let both = u64::from_le_bytes(*bytes);
    let (len, complement) = (both & 0xffff_ffff, both >> 32);
    (len ^ complement == 0xffff_ffff).then(|| usize::try_from(len).ok())?
}
