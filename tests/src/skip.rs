//! Tests that cannot run here: recorded, never silent.

use std::path::Path;
use std::thread;

use crate::places;

/// The environment variable that turns a missing part into a failure.
pub const REQUIRE_REAL: &str = "MAQUETTE_REQUIRE_REAL";

/// Gets a real part, or records the test as skipped and returns from it.
///
/// ```ignore
/// #[test]
/// fn rv_07_linux_transcript_equals_qemu() {
///     let (qemu, linux) = (need!(qemu), need!(linux_riscv));
///     // The same kernel in both, and what each prints.
/// }
/// ```
///
/// The argument is a function of [`parts::by_name`](crate::parts::by_name). The test must return `()`.
#[macro_export]
macro_rules! need {
    ($part:ident) => {
        match $crate::parts::by_name::$part() {
            Ok(part) => part,
            Err(absent) => {
                $crate::skip::record(env!("CARGO_PKG_NAME"), &absent.to_string());
                return;
            }
        }
    };
}

/// Records that the running test is skipped, and why.
///
/// # Panics
/// With `MAQUETTE_REQUIRE_REAL=1` a test may not be skipped.
pub fn record(package: &str, reason: &str) {
    let thread = thread::current();
    let test = thread.name().unwrap_or("unnamed");
    assert!(
        std::env::var_os(REQUIRE_REAL).is_none_or(|value| value != "1"),
        "{test} may not be skipped ({REQUIRE_REAL}=1): {reason}"
    );
    eprintln!("skipped {test}: {reason}");
    let folder = places::skips();
    if let Err(error) = write(&folder, package, test, reason) {
        panic!(
            "the skip of {test} cannot be recorded in {}: {error}",
            folder.display()
        );
    }
}

fn write(folder: &Path, package: &str, test: &str, reason: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let file: String = format!("{package}-{test}.json").replace(['/', ':'], "_");
    let entry = serde_json::json!({ "package": package, "name": test, "reason": reason });
    std::fs::write(folder.join(file), entry.to_string())
}
