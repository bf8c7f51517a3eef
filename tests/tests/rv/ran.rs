//! Runs of system files, and what they say.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use maquette_tests::tool::{Tool, trace_hash};
use maquette_tests::{Finished, Limit, places};
use serde_json::Value;
use tempfile::TempDir;

/// What any run may take on a busy machine. A run that is really stuck ends by the limit of virtual
/// time in its system file long before.
pub const LIMIT: Limit = Limit::seconds(900);

/// A run that has ended, with the statistics that it wrote.
#[derive(Debug)]
pub struct Ran {
    /// Exit code and output.
    pub run: Finished,
    /// The file of `--stats`.
    pub stats: Value,
    recording: PathBuf,
}

/// A test that fails leaves its runs behind, as files that `maquette replay` runs again.
impl Drop for Ran {
    fn drop(&mut self) {
        if thread::panicking() {
            let recording = self.recording.display();
            eprintln!("the run is recorded: maquette replay {recording}");
        } else {
            // What is left for want of a permission is only untidy.
            let _ = fs::remove_file(&self.recording);
        }
    }
}

/// Where the next run is recorded: under the name of the test that makes it.
fn recording() -> PathBuf {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let folder = places::target().join("recordings");
    fs::create_dir_all(&folder).expect("the target folder can be written");
    let test = thread::current().name().unwrap_or("run").replace("::", "-");
    let number = RUNS.fetch_add(1, Ordering::Relaxed);
    folder.join(format!("{test}-{number}.maqr"))
}

/// Runs a system file with some parameters set otherwise.
///
/// # Panics
/// The run writes no statistics: it has not been set up, or was killed.
#[track_caller]
pub fn run(file: impl AsRef<Path>, set: &[&str]) -> Ran {
    let folder = folder();
    let stats = folder.path().join("stats.json");
    let recording = recording();
    let mut tool = Tool::run(file).arg("--stats").arg(&stats).limit(LIMIT);
    tool = tool.arg("--record").arg(&recording);
    for pair in set {
        tool = tool.arg("--set").arg(pair);
    }
    let run = tool.finish();
    let text = fs::read_to_string(stats).unwrap_or_default();
    let stats = serde_json::from_str(&text)
        .unwrap_or_else(|e| panic!("no statistics ({e}): {}", run.describe()));
    Ran {
        run,
        stats,
        recording,
    }
}

/// Runs one of the systems that everybody finds in `systems/`.
#[track_caller]
pub fn system(name: &str) -> Ran {
    system_with(name, &[])
}

/// The same with some parameters set otherwise.
#[track_caller]
pub fn system_with(name: &str, set: &[&str]) -> Ran {
    run(format!("systems/{name}.toml"), set)
}

impl Ran {
    /// Asserts a clean run.
    #[track_caller]
    pub fn clean(self) -> Self {
        self.run.expect_code(0);
        self
    }

    /// Runs it again from its recording.
    pub fn replay(&self) -> Finished {
        let tool = Tool::new("replay").arg(&self.recording);
        tool.limit(LIMIT).finish()
    }

    /// What the guest printed.
    pub fn console(&self) -> String {
        plain(&self.run.stdout)
    }

    /// The hash, which must be the same on standard error and in the statistics.
    #[track_caller]
    pub fn hash(&self) -> String {
        let hash = trace_hash(&self.run).expect("the run prints its trace hash");
        assert_eq!(self.stats["trace_hash"], hash.as_str());
        assert!(
            hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()),
            "{hash}"
        );
        hash
    }

    /// A number in the statistics, by its path such as `/machine/restarts`.
    #[track_caller]
    pub fn number(&self, pointer: &str) -> u64 {
        let value = self.stats.pointer(pointer).and_then(Value::as_u64);
        value.unwrap_or_else(|| panic!("no number at {pointer} in {:#}", self.stats))
    }
}

/// Text without carriage returns: a terminal needs them, a comparison does not.
pub fn plain(text: &str) -> String {
    text.replace('\r', "")
}

/// A folder that is gone after the test.
pub fn folder() -> TempDir {
    tempfile::tempdir().expect("the host has room for a folder")
}

/// Writes a file into a folder.
pub fn write(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, content).expect("the folder can be written");
    path
}

/// A file's bytes.
pub fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Bytes that look random and are the same each time.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let words = std::iter::repeat_with(move || {
        // SplitMix64 (Steele, Lea, Flood 2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    });
    words.flat_map(u64::to_le_bytes).take(length).collect()
}
