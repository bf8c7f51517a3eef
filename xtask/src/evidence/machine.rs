//! What computer it was.

use std::fs;
use std::process::Command;

use crate::process;
use crate::toolchain::Toolchain;

/// Cores, model, memory, kernel and compiler, in one line.
pub fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let model = field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown CPU".into());
    let kib: u64 = field(&read("/proc/meminfo"), "MemTotal")
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .unwrap_or(0);
    let system = field(&read("/etc/os-release").replace('=', ":"), "PRETTY_NAME");
    let kernel =
        process::output(Command::new("uname").args(["-s", "-r", "-m"])).unwrap_or_default();
    let compiler = Toolchain::pinned()
        .and_then(|toolchain| process::output(toolchain.rustc().arg("--version")))
        .unwrap_or_default();
    format!(
        "{cores} cores ({model}), {} GiB, {}, {}, {}",
        kib.div_ceil(1 << 20),
        system.unwrap_or_default().trim_matches('"'),
        kernel.trim(),
        compiler.trim()
    )
}
