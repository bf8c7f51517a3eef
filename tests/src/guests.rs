//! Guest programs, as built by `cargo xtask guests`.

use std::path::PathBuf;

use crate::places;

/// The ELF file of the guest program `name` (the name of its binary in the `guest/` workspace).
///
/// # Panics
/// It has not been built; the message says how to.
#[must_use]
pub fn guest(name: &str) -> PathBuf {
    let path = places::guests().join(name);
    assert!(
        path.is_file(),
        "the guest program {name} is not built: {} does not exist; run `cargo xtask guests`",
        path.display()
    );
    path
}
