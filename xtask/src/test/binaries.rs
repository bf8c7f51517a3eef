//! The test programs of the workspace, as cargo builds them.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use maquette_tests::places;
use serde_json::Value;

use crate::toolchain::Toolchain;

/// One test program.
#[derive(Debug, PartialEq, Eq)]
pub struct Binary {
    pub package: String,
    /// `lib`, or the name of the file under `tests/`.
    pub target: String,
    pub program: PathBuf,
    /// The package's folder, where its tests expect to run.
    pub folder: PathBuf,
}

/// Builds all test programs.
pub fn build(toolchain: &Toolchain) -> Result<Vec<Binary>> {
    let mut cargo = toolchain.cargo();
    cargo
        .args([
            "test",
            "--workspace",
            "--no-run",
            "--message-format",
            "json-render-diagnostics",
        ])
        .current_dir(places::workspace())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let done = cargo
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .context("cargo cannot be run")?;
    if !done.status.success() {
        bail!("the tests do not build");
    }
    let messages = String::from_utf8_lossy(&done.stdout);
    Ok(messages.lines().filter_map(binary).collect())
}

fn binary(message: &str) -> Option<Binary> {
    let value: Value = serde_json::from_str(message).ok()?;
    if value["reason"] != "compiler-artifact" || value["profile"]["test"] != true {
        return None;
    }
    let folder = PathBuf::from(value["manifest_path"].as_str()?)
        .parent()?
        .to_path_buf();
    let kind = value["target"]["kind"][0].as_str()?;
    let name = value["target"]["name"].as_str()?;
    Some(Binary {
        package: package_name(value["package_id"].as_str()?),
        target: if kind == "test" {
            name.to_owned()
        } else {
            kind.to_owned()
        },
        program: PathBuf::from(value["executable"].as_str()?),
        folder,
    })
}

/// Cargo's package ids are `path+file:///…/folder#name@version`, or `…/name#version`.
fn package_name(id: &str) -> String {
    let (place, fragment) = id.rsplit_once('#').unwrap_or((id, ""));
    match fragment.split_once('@') {
        Some((name, _)) => name.to_owned(),
        None => place.rsplit('/').next().unwrap_or(place).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{binary, package_name};

    #[test]
    fn package_name_is_read_from_both_forms_of_id() {
        assert_eq!(
            package_name("path+file:///w/host/sim#maquette-sim@0.1.0"),
            "maquette-sim"
        );
        assert_eq!(package_name("path+file:///w/thing#0.1.0"), "thing");
    }

    #[test]
    fn only_test_artifacts_are_test_programs() {
        let message = |test: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"p#a@1","manifest_path":"/w/a/Cargo.toml",
                    "target":{{"kind":["lib"],"name":"a"}},"profile":{{"test":{test}}},"executable":"/t/a"}}"#
            )
        };
        let found = binary(&message(true)).expect("a test program");
        assert_eq!(
            (found.package.as_str(), found.target.as_str()),
            ("a", "lib")
        );
        assert_eq!(binary(&message(false)), None);
        assert_eq!(binary("not json"), None);
    }
}
