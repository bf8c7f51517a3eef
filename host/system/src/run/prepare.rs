//! A run before its beginning: its inputs are read, and its outputs will destroy nothing.

use super::debug::{DebugOptions, debug};
use super::files::Files;
use super::{Options, RunError, perform};
use crate::archive::{Recording, SavedSystem, read_snapshot};
use crate::open::Opened;
use crate::report::Report;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where a run begins, and what feeds it.
pub(super) enum Start {
    Boot,
    Snapshot {
        began: Instant,
        path: PathBuf,
        saved: Box<SavedSystem>,
    },
    Recording(Recording),
}

impl Start {
    /// How long it took to get to the moment that a snapshot was taken at.
    pub(super) fn took(&self) -> Option<Duration> {
        match self {
            Self::Snapshot { began, .. } => Some(began.elapsed()),
            Self::Boot | Self::Recording(_) => None,
        }
    }
}

/// Something that a run may do, and that its user may not want.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Warning {
    /// What.
    pub text: String,
    /// What prevents it.
    pub remedy: &'static str,
}

/// A run that can begin.
pub struct Prepared {
    opened: Opened,
    options: Options,
    way: Way,
}

enum Way {
    Run(Start),
    Debug(DebugOptions),
}

impl Prepared {
    /// A run of a system. What the guest prints goes to standard output; with a person at standard input
    /// and no script, what is typed goes to the guest.
    ///
    /// # Errors
    /// When an output would destroy another file of the run.
    pub fn boot(opened: Opened, options: Options) -> Result<Self, RunError> {
        let mut files = Files::of(&opened.description, &options);
        files.read("the system file".to_owned(), Path::new(&opened.file));
        files.check()?;
        Ok(Self {
            opened,
            options,
            way: Way::Run(Start::Boot),
        })
    }

    /// A run that goes on from a snapshot. Its files are looked for where they were, or in `root`.
    ///
    /// # Errors
    /// As [`Prepared::boot`], and when the snapshot or a file that it needs is not what it was.
    pub fn resume(path: &Path, root: Option<&Path>, options: Options) -> Result<Self, RunError> {
        let began = Instant::now();
        let saved = read_snapshot(path)?;
        let opened = saved.origin.open(root)?;
        let mut files = Files::of(&opened.description, &options);
        files.read("the snapshot that it begins at".to_owned(), path);
        files.check()?;
        saved.origin.check(&opened, "snapshot")?;
        let start = Start::Snapshot {
            began,
            path: path.to_path_buf(),
            saved: Box::new(saved),
        };
        Ok(Self {
            opened,
            options,
            way: Way::Run(start),
        })
    }

    /// A run again of what was recorded. Its files are looked for where they were, or in `root`. Where the
    /// run differs from the recorded one is said in the report.
    ///
    /// # Errors
    /// As [`Prepared::boot`], and when the recording or a file that it needs is not what it was.
    pub fn replay(path: &Path, root: Option<&Path>, options: Options) -> Result<Self, RunError> {
        let recording = Recording::read(path)?;
        let opened = recording.origin.open(root)?;
        let mut files = Files::of(&opened.description, &options);
        files.read("the recording".to_owned(), path);
        files.check()?;
        recording.origin.check(&opened, "recording")?;
        Ok(Self {
            opened,
            options,
            way: Way::Run(Start::Recording(recording)),
        })
    }

    /// A run of a system under a debugger, which is waited for at the first instruction. No keyboard, no
    /// limit of the host's time; everything else is as in [`Prepared::boot`].
    ///
    /// # Errors
    /// As [`Prepared::boot`].
    pub fn debug(opened: Opened, how: DebugOptions, options: Options) -> Result<Self, RunError> {
        let mut files = Files::of(&opened.description, &options);
        files.read("the system file".to_owned(), Path::new(&opened.file));
        files.write("--listen", how.socket());
        files.check()?;
        Ok(Self {
            opened,
            options,
            way: Way::Debug(how),
        })
    }

    /// What the user should know before it begins.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let goes_on = self.options.snapshot.as_ref().is_some_and(|s| !s.stop);
        let files = self.opened.description.written_files();
        let disks = files.filter(|_| goes_on).map(|disk| Warning {
            text: format!(
                "{} is no part of the snapshot: if the guest writes to it afterwards, `resume` refuses the snapshot: {}",
                disk.field,
                disk.path.display()
            ),
            remedy: "end the run with the snapshot (`--stop`), or write mode = \"copy-on-write\"",
        });
        disks.collect()
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When the system cannot be built or the host refuses signals, the terminal or an output. Everything
    /// that goes wrong later is in the report.
    pub fn run(self) -> Result<Report, RunError> {
        match self.way {
            Way::Run(start) => perform(self.opened, &self.options, start),
            Way::Debug(how) => debug(&self.opened, &self.options, &how),
        }
    }
}
